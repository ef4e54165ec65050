"""What the newsroom owned up to, and how it corrects in general, as shapes.

Like `shapes`, asks neither the database nor the clock. An edition here is a correction, a withdrawal or a restoration
with the attributes that `owning_up.owned_up_rows` adds to it.
"""

from collections.abc import Iterable, Sequence

from events import addresses, documents, markup
from events.documents import rfc3339
from events.formats import shapes

# What readers are told until the desk has written a text of its own.
OWN_WORDS = """\
We correct what we got wrong as soon as we know it.

- **A correction says what was wrong.** It stands above the text of the entry and in the list of corrections. The \
earlier version stays where it was, and anyone can see what changed.
- **An update is not a correction.** New facts make a new version too, and it says so.
- **A minor change alters no fact.** It is for spelling, grammar and links, and is listed like every other version.
- **Nothing goes without a notice.** If an entry should not have been published, we withdraw it: its address then \
gives the time and the reason. Only the law or somebody’s private life makes us remove the text of a version for \
good, and then a note in its place says that we did, and why.
- **Tell us.** If you think that something here is wrong, write to the newsroom and name the address of the entry. We \
look into it, whoever you are.
"""


def corrections(editions: Sequence, *, before: str = "", older: str = "") -> dict:
    """A page of the list, newest first: what comes `before` a cursor, and the cursor of the page after this one."""
    query = f"?before={before}" if before else ""
    newest = addresses.absolute(addresses.corrections())
    return {
        "url": newest + query,
        "policy": {"url": addresses.absolute(addresses.policy())},
        "corrections": [change_row(edition) for edition in editions],
        "older": f"{newest}?before={older}" if older else None,
        "newer": newest if before else None,
        "formats": addresses.formats(addresses.corrections, query=query),
    }


def change_row(edition) -> dict:
    """A line of the list; of an event that is withdrawn, no more than that it is, when and why."""
    text = edition.shown and documents.read(edition.shown.document, edition.shown.schema)
    return {
        "uid": str(edition.event.uid),
        "url": _url(edition),
        "version": edition.number,
        "date": None if edition.in_force else edition.date.isoformat(),
        "kind": str(edition.kind),
        "label": shapes.REDACTED if edition.redacted else shapes.LABELS[edition.kind],
        "note": (edition.redaction or "") if edition.redacted else edition.note,
        "headline": text and text["headline"],
        "language": text and text["language"],
        "issued": rfc3339(edition.issued),
        "difference": _difference(edition),
    }


def policy(texts: Iterable = ()) -> dict:
    """How the newsroom corrects: the desk's texts, newest first, and before them the one that was ours."""
    said = [(text.body, rfc3339(text.issued)) for text in texts]
    (body, issued), *former = [*said, (OWN_WORDS, None)]
    return {
        "url": addresses.absolute(addresses.policy()),
        "body": body,
        "body_html": markup.to_html(body),
        "issued": issued,
        "former": [{"body_html": markup.to_html(body), "issued": issued} for body, issued in former],
        "formats": addresses.formats(addresses.policy),
    }


def _url(edition) -> str:
    """The version's address for good, or the event's that holds no text of it."""
    if edition.place is None:
        return addresses.absolute(addresses.uid(edition.event.uid))
    return addresses.absolute(addresses.edition(*edition.place, edition.number))


def _difference(edition) -> str | None:
    if edition.before is None:
        return None
    return addresses.absolute(addresses.comparison(*edition.place, edition.before, edition.number))
