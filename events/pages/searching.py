"""The page of the search. What was typed always gets an answer: entries, or hints at what to type instead."""

import re

from events import queries, search
from events.formats import found
from events.http import Page, Problem, RecordView
from events.pages import usage

TOPICS_SHOWN = 5
NUMBER = re.compile(r"[1-9][0-9]{0,3}")


class Search(RecordView):
    parameters = frozenset({"q", "page"})

    def page(self, at):
        number = self._number()
        query = queries.parse(self.request.GET.get("q", ""))
        result = search.find(query, at, number)
        pages = min(-(-result.count // search.PER_PAGE), search.LAST_PAGE)
        shown = {"topics": _topics(query, result, at), "hints": [*result.hints, *_hints(result, number)]}
        shape = found.search(
            query,
            **result._asdict() | shown,
            older=number + 1 if number < pages else None,
            newer=min(number - 1, max(pages, 1)) if number > 1 else None,
            page=number,
        )
        links = [(rel, shape[key]) for rel, key in (("prev", "newer"), ("next", "older")) if shape[key]]
        return Page("search", shape, links, indexed=self.parameters.isdisjoint(self.request.GET))

    def _number(self):
        number = self.request.GET.get("page", "1")
        if not NUMBER.fullmatch(number):
            raise Problem(400, f"The parameter “page” is a number from 1 to {search.LAST_PAGE}.")
        return int(number)


def _topics(query, result, at):
    """Those of the topics that are shown, each with `entries`, the number of them."""
    if not query.terms:
        return []
    return usage.with_entries(result.topics, at, past=False).order_by("-entries", "key")[:TOPICS_SHOWN]


def _hints(result, number):
    """That there is more than is shown page by page."""
    last = search.PER_PAGE * search.LAST_PAGE
    if number > search.LAST_PAGE or (result.count > last and number == search.LAST_PAGE):
        yield f"Only the first {last} entries are shown. Narrow the search down by a word, a year or a category."
