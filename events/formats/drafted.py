"""A draft as the desk's own programs are given it. None of these shapes is public."""

from events import addresses
from events.documents import rfc3339


def tag(lock_version: int) -> str:
    """The ETag of a working copy, which moves with every save of it and every decision about it."""
    return f'"{lock_version}"'


def receipt(event) -> dict:
    """Where a draft stands after an act: no text, since answers are kept for a day and a redaction must reach all."""
    return {
        "uid": str(event.uid),
        "url": addresses.absolute(addresses.api("drafts", event.uid)),
        "etag": tag(event.lock_version),
        "stage": str(event.stage),
    }


def row(event, latest) -> dict:
    """A draft in a list; `latest` is its latest version, a scheduled one too, or None."""
    return receipt(event) | {
        "date": event.date.isoformat(),
        "headline": event.headline,
        "remark": event.remark,
        "created": rfc3339(event.created),
        "modified": rfc3339(event.modified),
        "latest": latest and version(latest, event.uid),
    }


def draft(event, document: dict, latest) -> dict:
    """A draft as a whole. `document` is what a PUT takes: the same members, category, story and topics by name."""
    return row(event, latest) | {"document": by_name(document)}


def by_name(document: dict) -> dict:
    return document | {
        "category": document["category"] and document["category"]["name"],
        "story": document["story"] and document["story"]["name"],
        "topics": [topic["name"] for topic in document["topics"]],
    }


def version(edition, uid) -> dict:
    """A version of an event, public from `issued` on."""
    return {
        "version": edition.number,
        "kind": str(edition.kind),
        "issued": rfc3339(edition.issued),
        "url": addresses.absolute(addresses.uid(uid)),
    }


def published(event, edition) -> dict:
    """What publishing and scheduling are answered with."""
    return receipt(event) | {"latest": version(edition, event.uid)}


def listed(rows: list[dict], url: str, *, following: str | None, preceding: str | None) -> dict:
    return {"url": url, "drafts": rows, "next": following, "previous": preceding, "formats": {"json": url}}
