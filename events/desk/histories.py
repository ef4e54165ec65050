"""The history of an entry at the desk: its saves and versions, any two compared, values taken back, deleted drafts.

Shows what `history` tells and asks it to act; names saves as addresses do, never by keys of the database.
"""

from typing import NamedTuple

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.shortcuts import redirect, render
from django.urls import path
from django.utils import timezone

from events import addresses, diffs, history, permissions
from events.desk import access, audit, receipts
from events.desk.standing import changes as changes_between
from events.formats.shapes import LABELS
from events.history import Save
from events.models import Edition, Event
from events.refusals import Refused, Stale, WrongState

PAGE = 50
_ABSENT = "There is no such save or version of this entry. Choose one from its history."


class Row(NamedTuple):
    """A line of the history: `badge` is its class and words, `before` the address of the text that it came after."""

    save: Save
    badge: tuple[str, str]
    comment: str
    change: str
    before: str
    public: str
    redactable: bool


def urls():
    view = admin.site.admin_view
    return [
        path("<int:pk>/history/", view(saves), name="events_event_history"),
        path("<int:pk>/compare/", view(compare), name="events_event_compare"),
        path("<int:pk>/take-back/", view(take_back), name="events_event_take_back"),
        path("deleted/", view(deleted), name="events_event_deleted"),
        path("deleted/<uuid:uid>/recover/", view(recover), name="events_event_recover"),
    ]


# The list.


def saves(request, pk):
    """Every save, with what it changed, and every version."""
    event = access.entry(request, pk)
    before = request.GET.get("before", "")
    at = timezone.now()
    found = history.saves(event.pk, before=before, limit=PAGE + 1)
    receipts.told_beside([save.edition for save in found if save.edition], at)
    rows = _rows(event, found, at)
    context = access.context(
        request,
        "History",
        event=event,
        rows=rows,
        live=_live(event, at),
        before=before,
        older=rows[-1].save.address if len(found) > PAGE else "",
        chosen=[row.save.address for row in rows if row.save.has_text][:2],
        may_take_back=permissions.may(request.user, "edit", event),
        may_redact=permissions.may(request.user, "redact", event),
    )
    return render(request, "desk/history/saves.html", context)


def _rows(event, found, at):
    """The rows of a page; one save more than it shows tells what the last of them changed."""
    shown = found[:PAGE]
    return [_row(event, save, found[number:], at) for number, save in enumerate(shown, 1)]


def _row(event, save, older, at):
    edition = save.edition
    return Row(
        save=save,
        badge=_badge(event, save, at),
        comment=_comment(save),
        change=_change(older[0].document, save.document) if older else "",
        before=next((other.address for other in older if other.has_text), ""),
        public=_permalink(event, edition, at) if edition else "",
        redactable=bool(edition and edition.slug and (event.withdrawn or _is_superseded(edition, at))),
    )


def _badge(event, save, at):
    edition = save.edition
    if edition is None:
        return ("scheduled", "scheduled, cancelled") if save.cancelled else (save.stage, Event.Stage(save.stage).label)
    label = LABELS[edition.kind]
    if save.redacted:
        return "withdrawn", f"{label}, redacted"
    if edition.issued > at:
        return "scheduled", f"{label}, scheduled"
    if edition.kind == Edition.Kind.WITHDRAW:
        return "withdrawn", label
    is_live = not event.withdrawn and not _is_superseded(edition, at)
    return ("live", f"{label}, live") if is_live else ("ready", label)


def _is_superseded(edition, at):
    return edition.superseded is not None and edition.superseded <= at


def _comment(save):
    """What was written beside a save; that of a version begins with a line that the badge says already."""
    if save.edition or save.cancelled:
        return save.comment.partition("\n")[2]
    return save.comment


def _change(old, new):
    """One line about what changed; nothing if nothing did, or if one of the texts is gone."""
    if old is None or new is None:
        return ""
    # Which words changed is not told here, and finding them takes time.
    texts = {field: "" if old[field] == new[field] else "…" for field in ("headline", "body")}
    changes = diffs.compare(old | dict.fromkeys(texts, ""), new | texts)
    return diffs.summary(changes) if changes else ""


def _permalink(event, edition, at):
    if event.withdrawn or edition.issued > at or not edition.slug:
        return ""
    return addresses.edition(edition.date, edition.slug, edition.number)


def _live(event, at):
    """The number of the version that readers see."""
    return Edition.objects.current(at).filter(event=event).values_list("number", flat=True).first()


# Any two.


def compare(request, pk):
    """Two texts of the entry word by word, the older one first whatever the order of asking."""
    event = access.entry(request, pk)
    asked = {"from": request.GET.get("from", "live"), "to": request.GET.get("to", "now")}
    at = timezone.now()
    try:
        pair = [history.save_of(event, name, at) for name in asked.values()]
    except WrongState as error:
        return _comparison(request, event, asked, status=400, problem=str(error))
    if None in pair:
        return _comparison(request, event, asked, status=404, problem=_ABSENT)
    older, newer = sorted(pair, key=lambda save: save.place)
    return _comparison(
        request,
        event,
        asked,
        sides=[_side(event, older, "Older", at), _side(event, newer, "Newer", at)],
        swapped=pair != [older, newer],
        changes=changes_between(older.document, newer.document),
        language=newer.document["language"],
    )


def _side(event, save, title, at):
    return {"title": title, "row": _row(event, save, [], at), "is_now": save.address == "now"}


def _comparison(request, event, asked, *, status=200, **more):
    context = access.context(
        request,
        "Compare",
        event=event,
        asked_from=asked["from"],
        asked_to=asked["to"],
        may_take_back=permissions.may(request.user, "edit", event),
        **more,
    )
    return render(request, "desk/history/compare.html", context, status=status)


# Taking back.


def take_back(request, pk):
    """Choose what of an old text comes back into the working copy (GET), and take it (POST)."""
    event = access.entry(request, pk, "edit")
    name = request.GET.get("from", "")
    if request.method != "POST":
        return _offer(request, event, name)
    fields = [field for field in history.FIELDS if field in request.POST.getlist("fields")]
    lock_version = access.lock_version(request)
    try:
        with audit.act(request, "take back", event):
            history.take_back(event, name, fields, by=request.user, lock_version=lock_version)
    except (Refused, ValidationError) as error:
        event = access.entry(request, pk, "edit")
        problem, status = access.problem(error)
        meanwhile = _meanwhile(event, lock_version) if isinstance(error, Stale) else None
        return _offer(request, event, name, fields, problem=problem, status=status, meanwhile=meanwhile)
    messages.success(request, "Taken back into the working copy. Readers see nothing of it until it is published.")
    return redirect("admin:events_event_change", pk)


def _offer(request, event, name, fields=history.FIELDS, *, status=200, **more):
    """The parts that differ from the working copy, each to be chosen; `fields` are chosen already."""
    save, problem = None, _ABSENT
    try:
        save = history.save_of(event, name)
    except WrongState as error:
        problem = str(error)
    if save is None:
        return _nothing_here(request, event, problem)
    now = history.save_of(event, "now")
    changes = changes_between(now.document, save.document)
    context = access.context(
        request,
        f"Take back from {save.name}",
        event=event,
        lock_version=now.number,
        row=_row(event, save, [], timezone.now()),
        parts=[{"change": change, "shown": [change], "chosen": change.field in fields} for change in changes],
        language=save.document["language"],
        **more,
    )
    return render(request, "desk/history/take_back.html", context, status=status)


def _meanwhile(event, lock_version):
    """What others changed since the page was made, or None if no save tells."""
    base = history.document_at(event, lock_version)
    return base and changes_between(base, history.save_of(event, "now").document)


def _nothing_here(request, event, problem):
    status = 404 if problem == _ABSENT else 400
    context = access.context(request, "Take back", event=event, problem=problem)
    return render(request, "desk/history/nothing_here.html", context, status=status)


# Deleted drafts.


def deleted(request):
    """The drafts that were deleted last, for whoever may bring them back."""
    if not permissions.may(request.user, "recover"):
        raise PermissionDenied
    context = access.context(request, "Deleted drafts", drafts=history.deleted(request.user, limit=PAGE), most=PAGE)
    return render(request, "desk/history/deleted.html", context)


def recover(request, uid):
    """What a deleted draft said (GET), and bring it back (POST)."""
    if not permissions.may(request.user, "recover"):
        raise PermissionDenied
    draft = history.deleted_entry(uid)
    if draft is None:
        context = access.context(request, "Recover", draft=None)
        return render(request, "desk/history/recover.html", context, status=404)
    permissions.require(request.user, "recover", draft.row)
    if request.method != "POST":
        return _recovery(request, draft)
    try:
        with audit.act(request, "recover", subject=str(uid)):
            event = history.recover(uid, by=request.user)
    except (Refused, ValidationError) as error:
        problem, status = access.problem(error)
        return _recovery(request, draft, problem=problem, status=status)
    messages.success(request, "The draft is back, with its history.")
    return redirect("admin:events_event_change", event.pk)


def _recovery(request, draft, *, status=200, **more):
    context = access.context(request, "Recover a draft", draft=draft, document=draft.save.document, **more)
    return render(request, "desk/history/recover.html", context, status=status)
