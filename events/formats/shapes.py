"""One shape per public thing, in plain values: what JSON, XML, Markdown and the HTML templates all render.

Asks neither the database nor the clock. An edition is anything with the attributes that are read here, and `editions`
are always all editions of one event that were issued up to the moment shown, in order of number, at least one of them
with a text. Keys are only ever added.
"""

import datetime
from collections.abc import Iterable, Mapping, Sequence
from http import HTTPStatus
from itertools import groupby

from django.conf import settings

from events import addresses, documents, markup
from events.documents import rfc3339

CURRENT = "Current version"
REDACTED = "Redacted"
LABELS = {
    "publish": "First version",
    "update": "Update",
    "correction": "Correction",
    "minor": "Minor change",
    "withdraw": "Withdrawn",
    "restore": "Restored",
}
# The keys whose value is an address of ours, which has a past.
_LEADING = ("url", "latest", "older", "newer")
# What a stub has none of.
TEXT = ("headline", "body", "body_html", "category", "story", "topics", "sources", "language", "origin")

Editions = Sequence
Redactions = Mapping[int, str] | None
Counts = Iterable[tuple[datetime.date, int]]


# An event, in root "event": its own page, a numbered version for good, an earlier address.


def event(editions: Editions, *, related: Iterable[Mapping] = (), redactions: Redactions = None) -> dict:
    """The event's own page: its last edition, which has a text.

    A related entry has `headline`, `language`, `date`, `slug`, `context` (names), `score` and its `parts` (numbers by
    name).
    `redactions` gives the public reason of each redaction by the edition's number.
    """
    edition = editions[-1]
    return _event(
        edition,
        editions,
        redactions,
        url=_url(edition),
        formats=addresses.formats(addresses.event, edition.date, edition.slug),
        changes=editions,
        related=[_related(entry) for entry in related],
    )


def edition(edition, editions: Editions, *, redactions: Redactions = None) -> dict:
    """One version for good, which may be a stub, the changes up to it and those since."""
    return _event(
        edition,
        editions,
        redactions,
        url=permalink(edition, editions),
        formats=addresses.formats(addresses.edition, *_place(edition, editions), edition.number),
        changes=_up_to(edition, editions),
        since=_after(edition, editions),
    )


def former(edition, editions: Editions, *, redactions: Redactions = None) -> dict:
    """The page at an earlier address of the event; `edition` is the latest that bore it."""
    formats = addresses.formats(addresses.event, edition.date, edition.slug)
    return _event(
        edition,
        editions,
        redactions,
        # Not the neutral address: that one leads on to the current version.
        url=formats["html"],
        formats=formats,
        changes=_up_to(edition, editions),
        since=_after(edition, editions),
    )


def permalink(edition, editions: Editions) -> str:
    """The URL of this version for good. One without a text has no slug, and stands below the latest that has."""
    return addresses.absolute(addresses.edition(*_place(edition, editions), edition.number))


def status(edition, editions: Editions) -> str:
    """What became of this edition by the moment that `editions` were issued up to."""
    if edition.document is None:
        return "redacted" if edition.redacted else "withdrawn"
    return "current" if edition.number == editions[-1].number else "superseded"


def label(edition, editions: Editions) -> str:
    """What the list of changes calls this edition."""
    if edition.redacted:
        return REDACTED
    return CURRENT if status(edition, editions) == "current" else LABELS[edition.kind]


def change(edition, editions: Editions, redactions: Redactions = None) -> dict:
    """A version in the list of changes."""
    return {
        "version": edition.number,
        "label": label(edition, editions),
        "kind": str(edition.kind),
        "note": _note(edition, redactions or {}),
        "headline": _text_headline(edition),
        "url": permalink(edition, editions),
        "issued": rfc3339(edition.issued),
        "difference": difference(edition, editions),
    }


def difference(edition, editions: Editions) -> str | None:
    """The URL of what changed from the version before that has a text; a restoration changed none."""
    before = [other for other in editions if other.number < edition.number and other.document is not None]
    if not before or edition.document is None or edition.kind == "restore":
        return None
    return addresses.absolute(addresses.comparison(edition.date, edition.slug, before[-1].number, edition.number))


def latest(editions: Editions) -> str | None:
    """The neutral URL of the event; at a moment whose last version was redacted since, there is none."""
    return _url(editions[-1])


def modified(edition, editions: Editions) -> datetime.datetime:
    """When the last edition up to this one that was not minor was issued."""
    return max(other.issued for other in _up_to(edition, editions) if other.kind != "minor")


# Lists.


def summary(edition) -> dict:
    """An entry in a list, of an edition with a text; the caller annotates it `with_times`."""
    text = documents.read(edition.document, edition.schema)
    return {
        "uid": str(edition.event.uid),
        "url": _url(edition),
        "version": edition.number,
        "date": edition.date.isoformat(),
        "headline": text["headline"],
        "category": text["category"],
        "story": text["story"],
        "topics": text["topics"],
        "sources": _sources(text),
        "language": text["language"],
        "published": rfc3339(edition.published),
        "issued": rfc3339(edition.issued),
        "modified": rfc3339(edition.modified),
        "corrected": edition.corrected and rfc3339(edition.corrected),
        "updated": edition.updated and rfc3339(edition.updated),
        "summary": markup.first_paragraph(text["body"]),
    }


def day(
    date: datetime.date,
    editions: Iterable,
    *,
    previous: datetime.date | None = None,
    next: datetime.date | None = None,
    withdrawn: int = 0,
    since: datetime.datetime | None = None,
) -> dict:
    """A day with its entries in the order given; `previous` and `next` are the nearest days that have some.

    With `since`, each entry says whether it is new or changed since then.
    """
    marked_since = since and rfc3339(since)
    return {
        "date": date.isoformat(),
        "url": _day_url(date),
        "events": [summary(edition) | {"news": since and _news(edition, since)} for edition in editions],
        "previous": _day_link(previous),
        "next": _day_link(next),
        "withdrawn": withdrawn,
        "marked_since": marked_since,
        "formats": addresses.formats(addresses.day, date, query=f"?since={marked_since}" if since else ""),
    }


def _news(edition, since) -> str | None:
    if edition.published > since:
        return "new"
    return "changed" if edition.modified > since else None


def front(
    counts: Counts,
    editions: Iterable,
    *,
    previous: datetime.date | None = None,
    corrections: Iterable[Mapping] = (),
    stories: Iterable = (),
    categories: Iterable = (),
) -> dict:
    """The latest days with their counts, and the entries of all of them; `previous` is the day before these.

    Also the latest rows of the list of corrections, the busiest stories of the month with their counts, and the
    categories, in the order given.
    """
    return {
        "url": addresses.absolute("/"),
        "days": _days(sorted(counts, reverse=True)),
        "events": [summary(edition) for edition in editions],
        "previous": _day_link(previous),
        "corrections": list(corrections),
        "stories": _stories(stories),
        "categories": [_category_link(category) for category in categories],
        "formats": addresses.formats(addresses.front),
    }


def years(counts: Iterable[tuple[int, int]]) -> dict:
    """The years of the record, newest first."""
    counts = sorted(counts, reverse=True)
    return {
        "url": addresses.absolute(addresses.years()),
        "count": _total(counts),
        "years": [_year_link(year) | {"count": count} for year, count in counts],
        "formats": addresses.formats(addresses.years),
    }


def year(year: int, counts: Counts, *, previous: int | None = None, next: int | None = None) -> dict:
    """The months of a year, each named by any date in it."""
    counts = sorted(counts)
    return {
        "year": year,
        "url": addresses.absolute(addresses.year(year)),
        "count": _total(counts),
        "months": [_month_link(month) | {"count": count} for month, count in counts],
        "previous": _year_link(previous),
        "next": _year_link(next),
        "formats": addresses.formats(addresses.year, year),
    }


def month(
    month: datetime.date,
    counts: Counts,
    *,
    previous: datetime.date | None = None,
    next: datetime.date | None = None,
    stories: Iterable = (),
) -> dict:
    """The days of a month, and its stories with their counts; months are named by any date in them."""
    counts = sorted(counts)
    return {
        **calendar(month, counts),
        "count": _total(counts),
        "stories": _stories(stories),
        "previous": _month_link(previous),
        "next": _month_link(next),
        "formats": addresses.formats(addresses.month, month.year, month.month),
    }


def calendar(month: datetime.date, counts: Counts) -> dict:
    """The days of a month that have entries, as they stand beside another page."""
    return {**_month_link(month), "days": _days(sorted(counts))}


def calendars(counts: Counts) -> list[dict]:
    """The months that have entries, with their days."""
    return [calendar(*month) for month in _grouped(counts, lambda date: date.replace(day=1))]


def grid(counts: Counts) -> list[dict]:
    """The years that have entries, newest first, with their months; the counts are those of months."""
    return [
        {
            **_year_link(year),
            "count": _total(of_year),
            "months": [_month_link(month) | {"count": count} for month, count in of_year],
        }
        for year, of_year in reversed(_grouped(counts, lambda month: month.year))
    ]


def _grouped(counts, part) -> list[tuple]:
    """(part of the calendar, counts) in order."""
    return [(key, list(group)) for key, group in groupby(sorted(counts), key=lambda counted: part(counted[0]))]


# Problems (RFC 9457).


def problem(status: int, detail: str, *, title: str = "", type: str = "about:blank", **extension) -> dict:
    """What went wrong, by its status; a `title` of one's own goes with a `type` of one's own (RFC 9457, 4.2.1)."""
    return {
        "type": type,
        "title": title or HTTPStatus(status).phrase,
        "status": int(status),
        "detail": detail,
        **extension,
    }


def gone(withdrawal) -> dict:
    """The notice in place of a withdrawn event: the edition's public reason, and no text of any version."""
    return problem(
        410,
        "This entry has been withdrawn by the newsroom.",
        title="Withdrawn",
        type=addresses.absolute(addresses.problem("withdrawn")),
        uid=str(withdrawal.event.uid),
        withdrawn=rfc3339(withdrawal.issued),
        reason=withdrawal.note,
    )


def in_past(shape: dict, prefix: str) -> dict:
    """The shape with its links led below `prefix`, as `addresses.as_of` gives it."""
    return {key: _into_past(key, value, prefix) for key, value in shape.items()}


def _into_past(key, value, prefix):
    if isinstance(value, list) and key != "sources":
        return [in_past(item, prefix) if isinstance(item, dict) else item for item in value]
    if key == "formats":
        return {format: addresses.into_past(url, prefix) for format, url in value.items()}
    if isinstance(value, dict) and key != "origin":
        return in_past(value, prefix)
    return addresses.into_past(value, prefix) if value and key in _LEADING else value


# What the shapes are made of.


def _event(edition, editions, redactions, *, url, formats, changes, since=(), related=()) -> dict:
    redactions = redactions or {}
    neighbours = {other.number: other for other in editions}
    return {
        "uid": str(edition.event.uid),
        "url": url,
        "version": edition.number,
        "status": status(edition, editions),
        "kind": str(edition.kind),
        "note": _note(edition, redactions),
        "date": edition.date.isoformat(),
        **_text(edition),
        "published": rfc3339(editions[0].issued),
        "modified": rfc3339(modified(edition, editions)),
        "issued": rfc3339(edition.issued),
        "changes": [change(other, editions, redactions) for other in changes],
        "since": [change(other, editions, redactions) for other in since],
        "latest": latest(editions),
        "previous": _neighbour(neighbours.get(edition.number - 1), editions),
        "next": _neighbour(neighbours.get(edition.number + 1), editions),
        "related": list(related),
        "formats": formats,
        "digest": edition.commitment,
        "salt": edition.salt if edition.document is not None else None,
        "license": settings.NEWSDESK_LICENSE,
    }


def _text(edition) -> dict:
    if edition.document is None:
        return {**dict.fromkeys(TEXT), "topics": [], "sources": []}
    text = documents.read(edition.document, edition.schema)
    return {
        "headline": text["headline"],
        "body": text["body"],
        "body_html": markup.to_html(text["body"]),
        "category": text["category"],
        "story": text["story"],
        "topics": text["topics"],
        "sources": _sources(text),
        "language": text["language"],
        "origin": _origin(text),
    }


def _sources(text) -> list[dict]:
    # Key by key: PostgreSQL keeps no order of them, and XML has one.
    return [
        {"position": position, "name": source["name"], "url": source["url"]}
        for position, source in enumerate(text["sources"], 1)
    ]


def _origin(text) -> dict | None:
    origin = text["origin"]
    return origin and {key: origin[key] for key in ("name", "url", "licence")}


def _note(edition, redactions) -> str:
    return redactions.get(edition.number, "") if edition.redacted else edition.note


def _text_headline(edition) -> str | None:
    return edition.document and documents.read(edition.document, edition.schema)["headline"]


def _related(entry) -> dict:
    return {
        "headline": entry["headline"],
        "language": entry["language"],
        "date": entry["date"].isoformat(),
        "url": addresses.absolute(addresses.neutral_event(entry["date"], entry["slug"])),
        "context": list(entry["context"]),
        "score": entry["score"],
        "parts": dict(entry["parts"]),
    }


def _up_to(edition, editions) -> list:
    return [other for other in editions if other.number <= edition.number]


def _after(edition, editions) -> list:
    return [other for other in editions if other.number > edition.number]


def _neighbour(edition, editions) -> dict | None:
    return edition and {"version": edition.number, "url": permalink(edition, editions)}


def _place(edition, editions) -> tuple[datetime.date, str]:
    """The date and slug that the address of this version is made of."""
    with_text = [other for other in editions if other.document is not None]
    place = edition if edition.document is not None else with_text[-1]
    return place.date, place.slug


def _url(edition) -> str | None:
    """The neutral URL of an event whose current edition this is; without a text it has none."""
    if edition.document is None:
        return None
    return addresses.absolute(addresses.neutral_event(edition.date, edition.slug))


def _total(counts) -> int:
    return sum(count for _, count in counts)


def _stories(stories) -> list[dict]:
    """Topics with the number of entries that each heads."""
    return [
        {
            "name": topic.name,
            "slug": topic.slug,
            "url": addresses.absolute(addresses.topic(topic.slug)),
            "count": count,
        }
        for topic, count in stories
    ]


def _category_link(category) -> dict:
    url = addresses.absolute(addresses.category(category.slug))
    return {"name": category.name, "slug": category.slug, "url": url}


def _days(counts) -> list[dict]:
    return [_day_link(date) | {"count": count} for date, count in counts]


def _day_url(date) -> str:
    return addresses.absolute(addresses.neutral_day(date))


def _day_link(date) -> dict | None:
    return date and {"date": date.isoformat(), "url": _day_url(date)}


def _month_link(month) -> dict | None:
    url = month and addresses.absolute(addresses.month(month.year, month.month))
    return month and {"month": month.isoformat()[:7], "url": url}


def _year_link(year) -> dict | None:
    return year and {"year": year, "url": addresses.absolute(addresses.year(year))}
