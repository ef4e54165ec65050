"""What changed from one version of an event to another as plain values, in root "comparison"; `shapes` has the others.

Compares nothing itself: the differences are those that `diffs` found between the documents of the two editions.
"""

from collections.abc import Sequence

from django.conf import settings

from events import addresses, diffs, documents
from events.formats import shapes


def comparison(
    older,
    newer,
    editions: shapes.Editions,
    differences: Sequence[diffs.Change],
    *,
    redactions: shapes.Redactions = None,
) -> dict:
    """What changed from `older` to `newer`, two of `editions` that have a text, and the changes between them."""
    text = documents.read(newer.document, newer.schema)
    place = newer.date, newer.slug, older.number, newer.number
    between = [edition for edition in editions if older.number < edition.number <= newer.number]
    return {
        "uid": str(newer.event.uid),
        "url": addresses.absolute(addresses.comparison(*place)),
        "date": newer.date.isoformat(),
        "language": text["language"],
        "headline": text["headline"],
        "old": _side(older, editions, redactions),
        "new": _side(newer, editions, redactions),
        "summary": diffs.summary(differences),
        "differences": [_difference(difference) for difference in differences],
        "changes": [shapes.change(edition, editions, redactions) for edition in between],
        "latest": shapes.latest(editions),
        "license": settings.NEWSDESK_LICENSE,
        "formats": addresses.formats(addresses.comparison, *place),
    }


def redacted(editions: shapes.Editions) -> dict:
    """The problem in place of a comparison with a version whose text was removed; no text of the other one either."""
    return shapes.problem(
        410,
        "One of these two versions was redacted: its text was removed for good, so nothing can be compared with it.",
        title="Redacted",
        type=addresses.absolute(addresses.problem("redacted")),
        uid=str(editions[-1].event.uid),
        latest=shapes.latest(editions),
    )


def _side(edition, editions, redactions) -> dict:
    """A version as the list of changes has it; what it changed itself is not asked here."""
    change = shapes.change(edition, editions, redactions)
    del change["difference"]
    return change


def _difference(difference: diffs.Change) -> dict:
    return {
        "field": difference.field,
        "label": difference.label,
        "kind": difference.kind,
        "pieces": [{"op": piece.op, "text": piece.text} for piece in difference.pieces],
        "before": difference.before,
        "after": difference.after,
        "added": list(difference.added),
        "removed": list(difference.removed),
        "kept": list(difference.kept),
        "rows": [row._asdict() for row in difference.rows],
    }
