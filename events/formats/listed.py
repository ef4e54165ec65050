"""The shapes of the API's own documents: its index, lists of entries, versions, topics, categories and sources.

Asks neither the database nor the clock. A list has its rows, where it goes on and where it came from; a topic or
category is anything with a `name` and a `slug`.
"""

from collections.abc import Iterable, Sequence
from urllib.parse import urlencode

from events import addresses
from events.formats import shapes

FORMATS = ("json", "xml")
# What a row of a list of entries may be cut down to.
FIELDS = (
    "uid",
    "url",
    "version",
    "date",
    "headline",
    "category",
    "story",
    "topics",
    "sources",
    "language",
    "published",
    "issued",
    "modified",
    "corrected",
    "updated",
    "summary",
)


class Asked(dict):
    """The parameters of a query as they were given, by name: what each URL of a list repeats."""

    def url(self, path: str, **changed) -> str:
        """The URL of a path with these parameters, some of them `changed` or, if None, left out."""
        given = {name: value for name, value in {**self, **changed}.items() if value is not None}
        return addresses.absolute(path) + (f"?{urlencode(given)}" if given else "")


def index(title: str, license: str, links: Iterable[tuple[str, str, str]]) -> dict:
    """Where everything else is: (name, path, what is there)."""
    return {
        "url": addresses.absolute(addresses.api("")),
        "title": title,
        "license": license,
        "links": [{"name": name, "url": addresses.absolute(path), "text": text} for name, path, text in links],
    }


def events(
    editions: Iterable,
    asked: Asked,
    *,
    next: dict | None = None,
    previous: dict | None = None,
    fields: Sequence[str] | None = None,
    count: int | None = None,
    hints: Iterable[str] = (),
) -> dict:
    """Entries in the order given, each cut down to `fields`, if any, and its uid.

    `next` and `previous` are the parameters by which the pages beside this one differ. Only a search has a `count`.
    """
    return {
        **_list(("events", ""), asked, next, previous),
        "count": count,
        "hints": list(dict.fromkeys(hints)),
        "events": [_sparse(shapes.summary(edition), fields) for edition in editions],
        "formats": _formats(("events",), asked),
    }


def versions(uid: str, changes: Iterable[dict]) -> dict:
    """The versions of an event, from the first, as its page lists them, with where each is in the API."""
    return {
        **_list(("events", uid, "versions", ""), Asked(), None, None),
        "uid": uid,
        "event": addresses.absolute(addresses.api("events", uid)),
        "versions": [change | {"document": _version(uid, change["version"])} for change in changes],
        "formats": _formats(("events", uid, "versions"), Asked()),
    }


def topics(topics: Iterable, asked: Asked, *, next: dict | None = None, previous: dict | None = None) -> dict:
    return {
        **_list(("topics", ""), asked, next, previous),
        "topics": [_topic(topic) for topic in topics],
        "formats": _formats(("topics",), asked),
    }


def categories(categories: Iterable) -> dict:
    """All of them, in the desk's order."""
    return {
        **_list(("categories", ""), Asked(), None, None),
        "categories": [_category(category) for category in categories],
        "formats": _formats(("categories",), Asked()),
    }


def sources(
    counts: Iterable[tuple[str, int]], asked: Asked, *, next: dict | None = None, previous: dict | None = None
) -> dict:
    """Hosts with the number of entries that cite each."""
    return {
        **_list(("sources", ""), asked, next, previous),
        "formats": _formats(("sources",), asked),
        "sources": [
            {"host": host, "count": count, "url": addresses.absolute(addresses.api("sources", host))}
            for host, count in counts
        ],
    }


def source(
    host: str, count: int, editions: Iterable, asked: Asked, *, next: dict | None = None, previous: dict | None = None
) -> dict:
    """Entries that cite a host, of which there are `count`."""
    return {
        **_list(("sources", host), asked, next, previous),
        "formats": _formats(("sources", host), asked),
        "host": host,
        "count": count,
        "events": [shapes.summary(edition) for edition in editions],
    }


def topic(topic, aliases: Iterable[str]) -> dict:
    """A topic, its other names, and where its entries and feeds are."""
    return {
        **_topic(topic),
        "aliases": list(aliases),
        "entries": Asked(topic=topic.slug).url(addresses.api("events", "")),
        "feeds": _feeds(addresses.topic_feed, topic.slug),
    }


def category(category) -> dict:
    return {
        **_category(category),
        "entries": Asked(category=category.slug).url(addresses.api("events", "")),
        "feeds": _feeds(addresses.category_feed, category.slug),
    }


def _list(parts, asked, next, previous) -> dict:
    path = addresses.api(*parts)
    return {
        "url": asked.url(path),
        "next": next and asked.url(path, **next),
        "previous": previous and asked.url(path, **previous),
    }


def _formats(parts, asked) -> dict:
    return {format: asked.url(addresses.api(*parts, "index", format=format)) for format in FORMATS}


def _sparse(row, fields) -> dict:
    return {name: value for name, value in row.items() if fields is None or name in ("uid", *fields)}


def _version(uid, number) -> str:
    return addresses.absolute(addresses.api("events", uid, "versions", number))


def _topic(topic) -> dict:
    url = addresses.absolute(addresses.topic(topic.slug))
    return {"key": topic.key, "name": topic.name, "slug": topic.slug, "url": url, "api": _api("topics", topic)}


def _category(category) -> dict:
    url = addresses.absolute(addresses.category(category.slug))
    return {"name": category.name, "slug": category.slug, "url": url, "api": _api("categories", category)}


def _api(kind, named) -> str:
    return addresses.absolute(addresses.api(kind, named.slug))


def _feeds(make, slug) -> dict:
    return {format: addresses.absolute(make(slug, format)) for format in addresses.FEEDS}
