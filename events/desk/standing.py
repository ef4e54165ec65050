"""Where an entry stands at a moment: what of it is public, what is scheduled, and what differs from the live text."""

import datetime
from typing import NamedTuple

from events import diffs, documents, drafts
from events.models import Edition, Event, Topic


class Standing(NamedTuple):
    """`live` is the edition that readers see, `pending` the scheduled one, `last` the one of the highest number."""

    live: Edition | None
    pending: Edition | None
    last: Edition | None
    withdrawn: bool


def standing(event: Event, at: datetime.datetime) -> Standing:
    newest = list(event.editions.order_by("-number")[:2])
    issued = [edition for edition in newest if edition.issued <= at]
    live = issued[0] if issued and issued[0].document is not None and not event.withdrawn else None
    pending = newest[0] if newest and newest[0].issued > at else None
    return Standing(live, pending, newest[0] if newest else None, event.withdrawn)


def changes(old: dict | None, new: dict) -> list[diffs.Change]:
    """What differs between two documents, topics compared as they stand today; from nothing to a first version."""
    before = old or documents.document(
        date=datetime.date.fromisoformat(new["date"]),
        headline="",
        body="",
        category=None,
        story=None,
        topics=[],
        sources=[],
        language=new["language"],
        origin=None,
    )
    return diffs.compare(before, new, Topic.objects.resolution([before, new]))


def changes_to_live(event: Event, live: Edition | None) -> list[diffs.Change]:
    """What publishing the working copy would change for readers."""
    return changes(live and documents.read(live.document, live.schema), drafts.document(event))


def sides(field, base, theirs, mine):
    """One field in conflict: what it was, and what each side made of it; `mine` may be what cannot be read yet."""
    was = base or theirs
    return {
        "field": field,
        "label": diffs.LABELS[field],
        "base": base and _in_words(base[field]),
        "theirs": changes(was, was | {field: theirs[field]}),
        "mine": mine and changes(was, was | {field: mine[field]}),
    }


def _in_words(value):
    """A field of a document as text: sources are one a line, and nothing else that can conflict is a list."""
    if isinstance(value, list):
        return "\n".join(f"{source['name']} {source['url']}" for source in value)
    return value["name"] if isinstance(value, dict) else value or ""
