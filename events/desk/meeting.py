"""Two people's saves of one entry, put together: what the page shows on which they meet, and what is chosen there."""

from events import diffs, drafts, history, merging
from events.desk import access
from events.desk.standing import sides
from events.models import Event, Topic

_PARTS = [
    ("theirs", "Taken over from them"),
    ("mine", "Changed by you alone"),
    ("combined", "Changed by both, and put together"),
    ("both", "Changed by both in the same way"),
]


def merged(event: Event, seen: int, mine: dict) -> tuple[merging.Merge, dict | None, dict]:
    """(the merge, the document at the `lock_version` seen, the working copy as it is)."""
    base, theirs = history.document_at(event, seen), drafts.document(event)
    known = [document for document in (base, theirs, mine) if document]
    return merging.merge(base, theirs, mine, Topic.objects.resolution(known)), base, theirs


def changed_no_word(base: dict | None, theirs: dict) -> bool:
    """Whether what happened meanwhile left the copy as it was, as a publication does."""
    return base is not None and not diffs.fields(base, theirs, Topic.objects.resolution([base, theirs]))


def page(event: Event, merge: merging.Merge, base: dict | None, theirs: dict, mine: dict, seen: int) -> dict:
    """What the page shows beside the form with the merged text."""
    return {
        "sides": [sides(field, base, theirs, mine) for field in merge.conflicts],
        "told": [(words, [diffs.LABELS[field] for field in getattr(merge, part)]) for part, words in _PARTS],
        "base": seen,
        "main": "",
        "latest": next(iter(history.saves(event.pk, limit=1)), None),
    }


def page_again(request, event: Event, mine: dict | None) -> dict:
    """The same after it was sent and not taken: the fields in conflict, and what was chosen for them."""
    seen = request.POST.get("base", "")
    base = history.document_at(event, int(seen)) if seen.isascii() and seen.isdecimal() and len(seen) < 10 else None
    theirs = history.document_at(event, access.lock_version(request)) or drafts.document(event)
    shown = [sides(field, base, theirs, mine) for field in fields(request)]
    return {
        "sides": [side | {"chosen": request.POST.get(f"take_{side['field']}", "")} for side in shown],
        "base": seen,
        "main": "",
        "latest": next(iter(history.saves(event.pk, limit=1)), None),
    }


def fields(request) -> list[str]:
    """The fields that were in conflict on the page that was sent."""
    return [field for field in request.POST.getlist("conflict") if field in diffs.LABELS]


def undecided(request) -> list[str]:
    """The labels of fields in conflict for which no side was chosen."""
    chosen = ("mine", "theirs")
    return [diffs.LABELS[field] for field in fields(request) if request.POST.get(f"take_{field}") not in chosen]


def taken_from_theirs(request, event: Event) -> dict:
    """The fields for which the other side was chosen, as that side has them in its document."""
    chosen = [field for field in fields(request) if request.POST.get(f"take_{field}") == "theirs"]
    theirs = chosen and history.document_at(event, access.lock_version(request))
    return {field: theirs[field] for field in chosen} if theirs else {}
