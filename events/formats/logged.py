"""The log as partners read it: an entry, a page of entries, its end."""

from collections.abc import Mapping, Sequence

from events import addresses
from events.formats import shapes

LEAVE = "leave"
_FORMATS = ("json", "xml")


def entry(members: Mapping, *, cursor: str, hash: str, note: str, document: Mapping | None = None) -> dict:
    """An entry: the members that its `hash` is over, and what helps to read it.

    `document` has `document`, `salt` and `slug`, each None where no text is public, if these were asked for.
    """
    return {**members, "cursor": cursor, "hash": hash, "note": note, "url": _url(members["event"]), **(document or {})}


def leave(seq: int, event: str, *, cursor: str) -> dict:
    """That an event no longer is what a filter asks for, since the entry `seq`. Not an entry: it has no hash."""
    return {"seq": seq, "kind": LEAVE, "event": event, "cursor": cursor, "url": _url(event)}


def head(*, seq: int, hash: str, recorded: str | None, cursor: str) -> dict:
    """The end of the log; `recorded` is None as long as it is empty."""
    return {"seq": seq, "hash": hash, "recorded": recorded, "cursor": cursor}


def end(**values) -> dict:
    """The end of the log at its own address."""
    url = addresses.absolute(addresses.changes_head())
    return {**head(**values), "url": url, "formats": {format: f"{url}.{format}" for format in _FORMATS}}


def page(entries: Sequence[Mapping], head: Mapping, *, after: str | None, next: str, filters: str = "") -> dict:
    """Entries in order from behind the cursor `after`. `filters` is the rest of the query, each part after an "&"."""
    index = addresses.absolute(addresses.api("changes", "index"))
    query = f"?after={after or ''}{filters}" if after else f"?{filters[1:]}" if filters else ""
    return {
        "url": addresses.absolute(addresses.changes()) + query,
        "after": after,
        "entries": list(entries),
        "next": next,
        "next_url": f"{addresses.absolute(addresses.changes(next))}{filters}",
        "head": dict(head),
        "formats": {format: f"{index}.{format}{query}" for format in _FORMATS},
    }


def forked(common: Mapping) -> dict:
    """The problem of a partner whose cursor another log gave; `common` is the last place that is surely in both."""
    return shapes.problem(
        409,
        "This log does not hold the entry that you stopped at: it was restored from an older backup, or is another "
        "one. Go back to “common”, drop what you have from behind it, and read on from its cursor.",
        title="The log has forked",
        type=addresses.absolute(addresses.problem("log-forked")),
        common=dict(common),
    )


def _url(event):
    return event and addresses.absolute(addresses.uid(event))
