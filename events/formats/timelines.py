"""The shapes of what is read along a topic or a category: its timeline, and the index of topics.

Asks neither the database nor the clock. A topic or category is anything with a `name` and a `slug`; what it is called
is what it is called today, whatever the entries said at their time.
"""

import datetime
from collections.abc import Callable, Iterable, Sequence
from urllib.parse import urlencode

from events import addresses
from events.formats import shapes

ALPHABET = "abcdefghijklmnopqrstuvwxyz"
DIGITS = "0-9"
OTHER = "other"
LETTERS = (*ALPHABET, DIGITS, OTHER)

# A year, or a topic or category, with the number of its entries.
Counts = Iterable[tuple]


def topic(
    topic, editions: Sequence, *, years: Counts, aliases: list[str], often_with: Counts, before: str, more: bool
) -> dict:
    """A part of a topic's timeline, newest first: `editions` are those after the cursor `before`, `more` follow.

    `aliases` are its other names, `often_with` the topics that stand beside it, each with the number of entries.
    """
    return {
        "name": topic.name,
        "slug": topic.slug,
        "aliases": aliases,
        "often_with": [counted(addresses.topic, other, count) for other, count in often_with],
        **_timeline(addresses.topic, topic.slug, years, editions, before, more),
    }


def category(category, editions: Sequence, *, years: Counts, before: str, more: bool) -> dict:
    """The same of a category."""
    return {
        "name": category.name,
        "slug": category.slug,
        **_timeline(addresses.category, category.slug, years, editions, before, more),
    }


def topics(
    counts: Counts, *, letter: str | None = None, q: str | None = None, after: str = "", older: str = ""
) -> dict:
    """Topics with the number of their entries: the most used, or those of a `letter`, or those that `q` begins.

    Below a letter, they stand after the key `after`; more follow after the key `older`, and `newer` is where the letter
    begins.
    """
    asked = query(letter=letter, q=q, after=after)
    return {
        "url": addresses.absolute(addresses.topics()) + asked,
        "letter": letter,
        "q": q,
        "letters": [{"letter": other, "url": _of_letter(other)} for other in LETTERS],
        "topics": [counted(addresses.topic, topic, count) for topic, count in counts],
        "older": _of_letter(letter, older) if older else None,
        "newer": _of_letter(letter) if after else None,
        "formats": addresses.formats(addresses.topics, query=asked),
    }


def counted(make: Callable, named, count: int) -> dict:
    """A topic or category with the number of its entries; `make` makes its address."""
    url = addresses.absolute(make(named.slug))
    return {"name": named.name, "slug": named.slug, "url": url, "count": count}


def cursor(edition) -> str:
    """The place of an entry on a timeline, for those that stand after it."""
    return f"{edition.date.isoformat()}.{edition.event.uid}"


def _timeline(make, slug, years, editions, before, more) -> dict:
    years = sorted(years, reverse=True)
    first = addresses.absolute(make(slug))
    asked = query(before=before)
    return {
        "url": first + asked,
        "count": sum(count for _year, count in years),
        "years": [{"year": year, "count": count, "url": first + _from_end_of(year)} for year, count in years],
        "events": [shapes.summary(edition) for edition in editions],
        "older": first + query(before=cursor(editions[-1])) if more else None,
        "newer": first if before else None,
        "formats": addresses.formats(make, slug, query=asked),
    }


def _from_end_of(year) -> str:
    # After the last year that the calendar has, there is no date to stand before.
    return query(before=f"{year + 1:04}-01-01") if year < datetime.MAXYEAR else ""


def _of_letter(letter, after="") -> str:
    return addresses.absolute(addresses.topics()) + query(letter=letter, after=after)


def query(**parameters) -> str:
    given = {name: value for name, value in parameters.items() if value}
    return f"?{urlencode(given)}" if given else ""
