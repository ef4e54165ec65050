"""Feeds and their entries as shapes, in plain values, which Atom, RSS and JSON Feed render.

Asks neither the database nor the clock. A feed is dated by what stands in it, never by when it is asked for.
"""

import datetime
from collections.abc import Callable, Iterable, Mapping, Sequence
from html import escape
from typing import NamedTuple

from django.conf import settings

from events import addresses, documents, markup
from events.documents import rfc3339
from events.formats import as_xml, shapes

TYPES = {"atom": "application/atom+xml", "rss": "application/rss+xml", "json": "application/feed+json"}
# When a feed without anything in it changed: it has to say a moment (RFC 4287, 4.1.1), and none has come yet.
NEVER = rfc3339(datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC))
# The contents of a feed, in bytes, from which on it takes no more than it needs. A JSON Feed has less than 250 kB.
ENOUGH = {"atom": 800_000, "rss": 800_000, "json": 180_000}
# As many corrections as the page of an event shows above its text.
CORRECTIONS_SHOWN = 3


class Feed(NamedTuple):
    """What a feed is, apart from what stands in it.

    `name` makes its identifier, `page` is the URL of the page beside it, and `path(format)` its own path.
    """

    name: tuple[str, ...]
    title: str
    page: str
    path: Callable[[str], str]
    formats: Sequence[str] = addresses.FEEDS


def latest() -> Feed:
    page = addresses.absolute("/")
    return Feed(("feed", "latest"), settings.NEWSDESK_TITLE, page, lambda format: addresses.feed("latest", format))


def corrections() -> Feed:
    page = addresses.absolute(addresses.corrections())
    return Feed(
        ("feed", "corrections"), _titled("Corrections"), page, lambda format: addresses.feed("corrections", format)
    )


def category(category) -> Feed:
    page = addresses.absolute(addresses.category(category.slug))
    path = addresses.category_feed
    return Feed(("feed", "category", category.slug), _titled(category.name), page, lambda f: path(category.slug, f))


def topic(topic) -> Feed:
    page = addresses.absolute(addresses.topic(topic.slug))
    path = addresses.topic_feed
    return Feed(("feed", "topic", topic.slug), _titled(topic.name), page, lambda f: path(topic.slug, f))


def changes(edition) -> Feed:
    """The versions of one event, whose current edition this is."""
    headline = documents.read(edition.document, edition.schema)["headline"]
    page = addresses.absolute(addresses.neutral_event(edition.date, edition.slug))
    path = addresses.event_feed(edition.date, edition.slug)
    return Feed(("event", edition.event.uid, "changes"), f"Changes: {headline}", page, lambda _format: path, ("atom",))


def _titled(name) -> str:
    return f"{settings.NEWSDESK_TITLE}: {name}"


def feed(
    feed: Feed,
    format: str,
    entries: Sequence[Mapping],
    *,
    withdrawn: Sequence[Mapping] = (),
    updated: str = "",
    path: str = "",
    archives: Mapping | None = None,
) -> dict:
    """A document of a feed, in root "feed": its `entries` in the order given, and what was `withdrawn`.

    Without `updated` it is as new as the newest of these. `archives` has the URLs of other documents of the same feed
    by relation (RFC 5005), and `current` in those that are archives themselves; `path` is where such a one is.
    """
    moments = [NEVER, updated, *(entry["updated"] for entry in entries), *(gone["when"] for gone in withdrawn)]
    return {
        "id": addresses.tag(*feed.name),
        "title": feed.title,
        "description": settings.NEWSDESK_DESCRIPTION,
        "url": addresses.absolute(path or feed.path(format)),
        "page": feed.page,
        "alternates": [
            {"type": TYPES[other], "url": addresses.absolute(feed.path(other))}
            for other in feed.formats
            if other != format and not path
        ],
        "hubs": [] if path else list(settings.NEWSDESK_HUBS),
        "archives": dict(archives or {}),
        "author": {"name": settings.NEWSDESK_TITLE, "url": settings.NEWSDESK_URL + "/"},
        "language": settings.LANGUAGE_CODE,
        "license": settings.NEWSDESK_LICENSE,
        "updated": max(moments),
        "entries": list(entries),
        "withdrawn": list(withdrawn),
    }


def event_id(uid) -> str:
    return addresses.tag("event", uid)


def version_id(uid, number: int) -> str:
    return addresses.tag("event", uid, f"v{number}")


# What stands in a feed.


def entry(edition, corrections: Iterable[str] = ()) -> dict:
    """An event as this edition, `with_times`, has it; `corrections` are the notes of those up to it, newest first."""
    text = documents.read(edition.document, edition.schema)
    notes = [_note("Correction", note) for note in list(corrections)[:CORRECTIONS_SHOWN]]
    return {
        "id": event_id(edition.event.uid),
        "title": text["headline"],
        "url": addresses.absolute(addresses.neutral_event(edition.date, edition.slug)),
        "history": addresses.absolute(addresses.event_feed(edition.date, edition.slug)),
        "version": edition.number,
        "published": rfc3339(edition.published),
        "updated": rfc3339(edition.modified),
        "language": text["language"],
        "content": "".join([*notes, _full_text(text)]),
        "category": text["category"],
        "topics": text["topics"],
        "sources": [{"name": source["name"], "url": source["url"]} for source in text["sources"]],
        "license": (text["origin"] or {}).get("licence") or settings.NEWSDESK_LICENSE,
    }


def version(edition, editions: Sequence, *, note: str, touched: datetime.datetime, whole: bool) -> dict:
    """A version in the list of an event's changes: its text if it is to be told `whole`, what was changed, and why.

    `touched` is when anything of it last changed that readers see.
    """
    change = shapes.change(edition, editions)
    text = edition.document and documents.read(edition.document, edition.schema)
    label = shapes.REDACTED if edition.redacted else shapes.LABELS[edition.kind]
    return _act(change | {"label": label, "note": note}, edition.event.uid, touched) | {
        "language": text["language"] if text else settings.LANGUAGE_CODE,
        "title": text["headline"] if text else label,
        "content": _said_of(label, change["difference"], note) + (_full_text(text) if text and whole else ""),
    }


def correction(row: Mapping, touched: datetime.datetime) -> dict:
    """A line of the list of corrections, as `corrected.change_row` has it; `touched` as above."""
    return _act(row, row["uid"], touched) | {
        "language": row["language"] or settings.LANGUAGE_CODE,
        "title": f"{row['label']}: {row['headline']}" if row["headline"] else row["label"],
        "content": _said_of(row["label"], row["difference"], row["note"]),
    }


def withdrawal(edition, id: str = "") -> dict:
    """What feeds say of a withdrawn event, or of the entry of it that has this `id`: since when it is, and why."""
    return {
        "id": id or event_id(edition.event.uid),
        "when": rfc3339(edition.issued),
        "reason": edition.note,
    }


def within_bounds(entries: Iterable[Mapping], most: int, format: str, needed: set = frozenset()) -> list[Mapping]:
    """The first `most` entries, but no more texts than are `ENOUGH`; those whose id is `needed` stay in any case."""
    kept, size = [], 0
    for number, entry in enumerate(entries):
        size += len(entry["content"].encode())
        if entry["id"] in needed or (number < most and (size <= ENOUGH[format] or not kept)):
            kept.append(entry)
    return kept


def legal(value):
    """The value with every text in it as XML can write it."""
    match value:
        case str():
            return as_xml.legal(value)
        case list():
            return [legal(item) for item in value]
        case dict():
            return {key: legal(item) for key, item in value.items()}
    return value


def moment(text: str) -> datetime.datetime:
    """What `rfc3339` wrote."""
    return datetime.datetime.fromisoformat(text)


def terms(entry: Mapping) -> list[dict]:
    """The category and the topics of an entry: `term`, the `scheme` that it belongs to, and a `label` for people."""
    category = [entry["category"]] if entry["category"] else []
    return [
        *(_term(named, addresses.absolute("/categories/")) for named in category),
        *(_term(named, addresses.absolute("/topics/")) for named in entry["topics"]),
    ]


def _term(named, scheme) -> dict:
    return {"term": named["slug"], "scheme": scheme, "label": named["name"]}


def _act(row, uid, touched) -> dict:
    return {
        "id": version_id(uid, row["version"]),
        "url": row["url"],
        "history": None,
        "version": row["version"],
        "published": row["issued"],
        "updated": rfc3339(touched),
        "category": None,
        "topics": [],
        "sources": [],
        "license": settings.NEWSDESK_LICENSE,
    }


def _full_text(text) -> str:
    """The text in its own language and direction, which RSS has no other way to tell, and its sources."""
    # An entry may be no more than its headline.
    body = markup.to_html(text["body"]) or f"<p>{escape(text['headline'])}</p>"
    return f'<div lang="{escape(text["language"])}" dir="auto">{body}</div>{_sources(text)}{_origin(text)}'


def _sources(text) -> str:
    links = [_link(source["url"], source["name"] or source["url"]) for source in text["sources"]]
    return f"<p>Sources: {', '.join(links)}</p>" if links else ""


def _origin(text) -> str:
    origin = text["origin"]
    if not origin:
        return ""
    licence = f" under {escape(origin['licence'])}" if origin["licence"] else ""
    return f"<p>Taken from {_link(origin['url'], origin['name'])}{licence}.</p>"


def _said_of(label, difference, note) -> str:
    changed = f"<p>{_link(difference, 'What changed')}</p>" if difference else ""
    return _note(label, note) + changed


def _note(label, note) -> str:
    said = f":</strong> {escape(note)}" if note else "</strong>"
    return f'<p dir="auto"><strong>{label}{said}</p>'


def _link(url, text) -> str:
    return f'<a href="{escape(url)}"><bdi>{escape(text)}</bdi></a>'
