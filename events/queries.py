"""What a reader typed into the box of the search, taken apart: words to find, filters, and hints where it is unclear.

Whatever is typed makes a query; nothing is an error. Knows neither the record nor the database that is searched.
"""

import calendar
import datetime
import re
from collections.abc import Callable
from typing import NamedTuple

from events import tokens

LONGEST = 500
MOST_TOKENS = 40
MOST_TERMS = 12
MOST_FILTERS = 8
QUOTE = '"'

# Other marks that stand for these on a keyboard.
_RESPELLED = str.maketrans(dict.fromkeys("“”„‟«»＂「」『』", '"') | {"：": ":", "＊": "*"})
# What nothing can show or send: it stands between words like a space.
_UNSEEN = re.compile("[\x00-\x20\x7f-\x9f\u2028\u2029\ud800-\udfff\ufffe\uffff]+")
_KEYWORD = "topic|category|before|after"
_PART = re.compile(
    rf"""(?P<alone>{_KEYWORD}):(?= ?$| (?:{_KEYWORD}):)"""
    rf"""|(?:(?P<keyword>{_KEYWORD}): ?)?(?:[-+(\[]*"(?P<quoted>[^"]*)(?P<closed>"\*?|$)|(?P<bare>[^ ]+))""",
    re.IGNORECASE,
)
_DATE = re.compile(r"([0-9]{4})(?:[-/.]([0-9]{1,2})(?:[-/.]([0-9]{1,2}))?)?")

_EXAMPLES = {
    "topic": 'topic:Iran or topic:"Climate change"',
    "category": "category:Sports",
    "before": "before:2017, before:2017-02 or before:2017-02-25",
    "after": "after:2017, after:2017-02 or after:2017-02-25",
}


class Term(NamedTuple):
    """Tokens that stand side by side, the last of which may go on if `is_open`."""

    words: tuple[str, ...]
    is_open: bool = False


class Part(NamedTuple):
    """Something typed between two spaces. `kind` is the keyword of a filter, or "" for text; `typed` can be typed."""

    kind: str
    value: str
    typed: str
    is_open: bool = False


class Query(NamedTuple):
    """`typed` is what was read, `terms` must all be found; `after` and `before` are the first and the last day."""

    typed: str = ""
    parts: tuple[Part, ...] = ()
    terms: tuple[Term, ...] = ()
    topics: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    after: datetime.date | None = None
    before: datetime.date | None = None
    hints: tuple[str, ...] = ()

    @property
    def is_usable(self) -> bool:
        return bool(self.terms or self.topics or self.categories or self.after or self.before)

    @property
    def text(self) -> str:
        """What was typed besides the filters."""
        return " ".join(part.value for part in self.parts if not part.kind)


def parse(typed: str) -> Query:
    hints: list[str] = []
    seen = _UNSEEN.sub(" ", typed).strip()
    if len(seen) > LONGEST:
        hints.append(f"Only the first {LONGEST} characters were searched for.")
        seen = seen[:LONGEST].rstrip()
    parts = _within(list(_parts(seen.translate(_RESPELLED), hints.append)), hints.append)
    query = Query(
        seen,
        tuple(parts),
        _terms(parts, hints.append),
        topics=tuple(part.value for part in parts if part.kind == "topic"),
        categories=tuple(part.value for part in parts if part.kind == "category"),
        after=max((_span(part.value)[0] for part in parts if part.kind == "after"), default=None),
        before=min((_span(part.value)[1] for part in parts if part.kind == "before"), default=None),
    )
    if query.after and query.before and query.after > query.before:
        hints.append(f"No day is both after {query.after} and before {query.before}, these two included.")
    if typed.strip() and not query.is_usable and not hints:
        hints.append("There is no word in this to look for. Write letters or digits.")
    return query._replace(hints=tuple(dict.fromkeys(hints)))


def narrowed(query: Query, **filters: str) -> str:
    """What to type for the same search with these filters in place of those of the same kinds.

    Where that is more than is read, the last words give way, then the last filters.
    """
    added = [f"{kind}:{quoted(value)}" for kind, value in filters.items()]
    parts = list(dict.fromkeys(part for part in query.parts if part.kind not in filters))
    filters_first = [part for part in parts if part.kind][: MOST_FILTERS - len(added)]
    filters_first += [part for part in parts if not part.kind]
    kept, room = set(), LONGEST - len(" ".join(added))
    for part in filters_first:
        if len(part.typed) < room:
            kept.add(part)
            room -= len(part.typed) + 1
    return " ".join([*(part.typed for part in parts if part in kept), *added])


def narrowed_to_year(query: Query, year: int) -> str:
    """What to type for the same search in that year, as far as it lies between the days that were asked for."""
    after, before = _span(f"{year:04}")
    cut = {"after": max(after, query.after or after), "before": min(before, query.before or before)}
    if tuple(cut.values()) == (after, before):
        return narrowed(query, after=f"{year:04}", before=f"{year:04}")
    return narrowed(query, **{kind: day.isoformat() for kind, day in cut.items()})


def quoted(value: str) -> str:
    return f'"{value}"' if " " in value else value


def _parts(typed: str, hint: Callable[[str], None]):
    """The parts that say something. `typed` has single spaces."""
    for match in _PART.finditer(typed):
        kind = (match["keyword"] or match["alone"] or "").lower()
        value = (match["bare"] if match["quoted"] is None else match["quoted"].strip()) or ""
        if match["closed"] == "":
            hint("A quotation mark is not closed: all that follows it was looked for side by side.")
        if kind and not value:
            hint(f"Write after “{kind}:” what to look for, such as {_EXAMPLES[kind]}.")
        elif kind in ("before", "after") and _span(value) is None:
            hint(f"“{value[:40]}” is no date and was left out. Write {_EXAMPLES[kind]}.")
        elif value:
            yield _part(kind, value, match["closed"])


def _part(kind, value, closed):
    """`closed` is how a quotation ended, None if there was none."""
    is_open = not kind and (value.endswith("*") or closed == '"*')
    shown = value if closed is None else f"{QUOTE}{value}{closed or QUOTE}"
    return Part(kind, value, f"{kind}:{shown}" if kind else shown, is_open)


def _within(parts, hint):
    """No more filters than anyone types."""
    filters = [part for part in parts if part.kind]
    if len(filters) <= MOST_FILTERS:
        return parts
    hint(f"Only the first {MOST_FILTERS} filters were used.")
    return [part for part in parts if not part.kind or part in filters[:MOST_FILTERS]]


def _terms(parts, hint):
    """What has to be found: a term for each part with a word in it, as far as there are not too many."""
    terms, room = [], MOST_TOKENS
    for part in parts:
        if part.kind:
            continue
        if not part.value.strip("*"):
            hint("A * stands for how a word goes on. Put at least one letter before it, such as elect*.")
        term = _term(part)
        if term is None or term in terms:
            continue
        if len(terms) == MOST_TERMS or len(term.words) > room:
            hint(f"Only {MOST_TERMS} words and phrases, of {MOST_TOKENS} words in all, are searched for.")
            term = Term(term.words[: room if len(terms) < MOST_TERMS else 0])
        if term.words:
            terms.append(term)
            room -= len(term.words)
    return tuple(terms)


def _term(part: Part) -> Term | None:
    """The tokens of one part. What ends in a script without spaces may go on, for nothing tells where its words end."""
    found = list(tokens.tokens(part.value))
    if not found:
        return None
    words = [token.word for token in found]
    if not found[-1].is_unspaced:
        return Term(tuple(words), part.is_open)
    if len(found) > 1 and found[-2].is_unspaced and found[-2].end == found[-1].end:
        return Term(tuple(words[:-1]), part.is_open)
    return Term(tuple(words), is_open=True)


def _span(value: str) -> tuple[datetime.date, datetime.date] | None:
    """The first and the last day of a year, month or day."""
    match = _DATE.fullmatch(value)
    if not match:
        return None
    year, month, day = (int(number) if number else None for number in match.groups())
    try:
        first = datetime.date(year, month or 1, day or 1)
        last_day = day or calendar.monthrange(year, month or 12)[1]
        return first, datetime.date(year, month or 12, last_day)
    except ValueError:
        return None
