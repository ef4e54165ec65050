"""Topics and categories: their entries, newest first, and the index of topics.

A page of a timeline begins after a place in it and not after a number of entries, so that none is skipped or shown
twice while others arrive.
"""

import re
from typing import NamedTuple

from django.db.models import Count, Q
from django.http import HttpResponseRedirect

from events import addresses, models, records, texts
from events.formats import timelines as shapes
from events.http import Absent, Page, Problem, RecordView
from events.models import Edition
from events.pages import usage

ENTRIES = 50
# Of how many entries of a topic it is told which others stand beside it, and how many of those are told.
LOOKED_AT = 500
OFTEN_WITH = 10
# Topics of the index: the most used, those of a letter, those that somebody may be typing.
MOST_USED = 100
OF_LETTER = 200
SUGGESTED = 20
# The widest drawing of years; the table beside it has all.
DRAWN_YEARS = 100

_BEFORE = re.compile(rf"(?P<date>[0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}})(?:\.{addresses.UID})?")


class Line(NamedTuple):
    """A timeline: which entries stand on it, and the date by whose index they are walked along."""

    condition: Q
    date: str


class Topics(RecordView):
    parameters = frozenset({"letter", "after", "q"})

    def page(self, at):
        letter, after, q = (self.request.GET.get(name) for name in ("letter", "after", "q"))
        _refuse_index(letter, after, q)
        if letter:
            return self._of_letter(at, letter, after)
        if q:
            topics = models.Topic.objects.filter(pk__in=models.Topic.objects.starting(q).order_by().values("pk"))
            found = usage.with_entries(topics, at, self.past).order_by("-entries", "key")[:SUGGESTED]
            return _index(found, q=q)
        return _index(usage.most_used(at, self.past, MOST_USED))

    def _of_letter(self, at, letter, after):
        topics = usage.beginning_with(letter)
        if after:
            topics = topics.filter(key__gt=after)
        found, more = _cut(usage.with_entries(topics, at, self.past), OF_LETTER)
        return _index(found, letter=letter, after=after, older=found[-1].key if more else "")


class Topic(RecordView):
    """A topic's page; that of another name of it leads there."""

    parameters = frozenset({"before"})

    def page(self, at, slug):
        before = _before(self.request)
        asked = models.Topic.objects.filter(slug=slug).select_related("alias_of").first()
        line = _of_topic(asked.canonical.pk if asked else 0)
        years = _years(line, at)
        topic = asked.canonical
        if topic != asked:
            return HttpResponseRedirect(
                addresses.topic(topic.slug, self.kwargs["format"]) + shapes.query(before=before)
            )
        editions, more = _entries(line, at, before)
        shape = shapes.topic(
            topic,
            editions,
            years=years,
            aliases=list(topic.aliases.order_by("key").values_list("name", flat=True)),
            often_with=_often_with(topic, line, at),
            before=before,
            more=more,
        )
        return _timeline("topic", shape, before)


class Category(RecordView):
    parameters = frozenset({"before"})

    def page(self, at, slug):
        before = _before(self.request)
        category = models.Category.objects.filter(slug=slug).first()
        line = _of_category(category.pk if category else 0)
        years = _years(line, at)
        editions, more = _entries(line, at, before)
        shape = shapes.category(category, editions, years=years, before=before, more=more)
        return _timeline("category", shape, before)


def _of_topic(pk):
    return Line(Q(topic_links__topic=pk), "topic_links__date")


def _of_category(pk):
    return Line(Q(category=pk), "date")


def _years(line, at):
    """Each year with the number of entries; raises Absent if there is none.

    Asked for what never was as well, so that a topic of drafts takes no longer to find nothing.
    """
    years = records.by_year(Edition.objects.current(at).filter(line.condition).counted_by_date())
    if not years:
        raise Absent
    return years


def _entries(line, at, before):
    """The entries after the place that `before` names, and whether there are more after these."""
    entries = Edition.objects.current(at).filter(line.condition, _after(line, before))
    return _cut(_in_order(entries, line).with_uid().with_times(), ENTRIES)


def _in_order(entries, line):
    """Newest first, those of a day by their uid: an order that nothing that arrives changes."""
    return entries.order_by(f"-{line.date}", "-event__uid")


def _after(line, before):
    if not before:
        return Q()
    date, _dot, uid = before.partition(".")
    older = Q(**{f"{line.date}__lt": date})
    if not uid:
        return older
    # The first condition is what the index is entered by.
    return Q(**{f"{line.date}__lte": date}) & (older | Q(event__uid__lt=uid))


def _cut(found, number):
    """The first `number` of what is found, and whether there is more."""
    found = list(found[: number + 1])
    return found[:number], len(found) > number


def _often_with(topic, line, at):
    """The topics that stand beside this one on most of its newest entries, with the number of these."""
    newest = _in_order(Edition.objects.current(at).filter(line.condition), line).values("pk")[:LOOKED_AT]
    others = models.Topic.objects.filter(edition_links__edition__in=newest).exclude(pk=topic.pk)
    often = others.annotate(entries=Count("edition_links")).order_by("-entries", "key")[:OFTEN_WITH]
    return [(other, other.entries) for other in often]


def _before(request):
    """The place in a timeline that the query names, as it was given; '' for its beginning."""
    before = request.GET.get("before", "")
    if before and not _names_place(before):
        raise Problem(400, "“before” takes a date such as 2017-02-25, or one with an entry's uid after a dot.")
    return before


def _names_place(before):
    match = _BEFORE.fullmatch(before)
    return match and addresses.parse_date(*match["date"].split("-"))


def _refuse_index(letter, after, q):
    """Raise a 400 for what the index of topics cannot be asked."""
    if letter is not None and letter not in shapes.LETTERS:
        raise Problem(400, "“letter” takes one letter from a to z, 0-9 or other.")
    if letter is not None and q is not None:
        raise Problem(400, "Give either “letter” or “q”.")
    if after is not None and letter is None:
        raise Problem(400, "Give “after” together with “letter”.")
    for name, value, limit in (("after", after, texts.MAX_KEY), ("q", q, texts.MAX_NAME)):
        problem = texts.line_problem(value or "", limit)
        if problem:
            raise Problem(400, f"“{name}”: {problem}")


def _index(found, **asked):
    shape = shapes.topics([(topic, topic.entries) for topic in found], **asked)
    # What somebody typed makes as many pages as there are words.
    return Page("topics", shape, _links(shape), indexed=not (asked.get("q") or asked.get("after")))


def _timeline(root, shape, before):
    return Page(root, shape, _links(shape), indexed=not shape["newer"], beside=lambda: _beside(shape, before))


def _beside(shape, before):
    date, _dot, uid = before.partition(".")
    # A place among the entries of a day is no date that a reader could name.
    return {"columns": _columns(shape), "before": "" if uid else date}


def _columns(shape):
    """The number of entries of each year from the first to the last, those without any among them."""
    counts = {year["year"]: year["count"] for year in shape["years"]}
    last = max(counts)
    first = max(min(counts), last - DRAWN_YEARS + 1)
    return [{"year": year, "count": counts.get(year, 0)} for year in range(first, last + 1)]


def _links(shape):
    relations = [("first", "newer"), ("next", "older")]
    return [(relation, shape[key]) for relation, key in relations if shape.get(key)]
