"""Decisions about an entry: each shows what it would change, asks for what it needs, and calls one service."""

import datetime
import re
from collections.abc import Callable
from typing import Any, NamedTuple

from django.conf import settings
from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.http import Http404, JsonResponse
from django.shortcuts import redirect, render
from django.urls import path, reverse
from django.utils import timezone

from events import documents, drafts, merging, permissions, publishing
from events.desk import access, audit, keeping
from events.desk.forms import EntryForm, NoteForm, PublishForm, RedactForm, ScheduleForm
from events.desk.standing import Standing, changes, changes_to_live, sides, standing
from events.models import Event, Topic
from events.refusals import Refused, Stale

Stage = Event.Stage


class Verb(NamedTuple):
    """A decision. `form(data, event, standing, user)` makes its form, `act(event, by, lock_version, typed)` does it.

    `writes` says that the button stands below the form of the entry, which is saved first.
    """

    name: str
    label: str
    explanation: str
    said: str
    form: Callable
    act: Callable[..., Any]
    is_open: Callable[[Event, Standing], bool]
    writes: bool = False
    style: str = ""

    @property
    def path(self):
        return self.name.replace(" ", "-")

    @property
    def url_name(self):
        return f"events_event_{self.name.replace(' ', '_')}"


def _comment(label, help_text="", required=False):
    return lambda data, event, stands, user: NoteForm(data, label=label, help_text=help_text, required=required)


def _publish_form(form):
    def make(data, event, stands, user):
        first = stands.last is None
        return form(data, first=first, may_override=permissions.may(user, "override minor"))

    return make


def _submit(event, by, lock_version, typed):
    drafts.submit(event, by=by, lock_version=lock_version, comment=typed["note"])


def _send_back(event, by, lock_version, typed):
    drafts.send_back(event, by=by, lock_version=lock_version, comment=typed["note"])


def _publish(event, by, lock_version, typed):
    publishing.publish(event, by=by, lock_version=lock_version, **_edition(typed))


def _schedule(event, by, lock_version, typed):
    publishing.schedule(event, by=by, lock_version=lock_version, issue=typed["issue"], **_edition(typed))


def _edition(typed):
    return {"note": typed["note"], "override": typed.get("override", "")} | (
        {"kind": typed["kind"]} if "kind" in typed else {}
    )


def _unschedule(event, by, lock_version, typed):
    publishing.unschedule(event, by=by, lock_version=lock_version)


def _withdraw(event, by, lock_version, typed):
    publishing.withdraw(event, by=by, lock_version=lock_version, note=typed["note"])


def _restore(event, by, lock_version, typed):
    publishing.restore(event, by=by, lock_version=lock_version, note=typed["note"])


def _delete(event, by, lock_version, typed):
    drafts.delete(event, by=by, lock_version=lock_version)


def _may_be_published(event, stands):
    return not stands.withdrawn and not stands.pending


VERBS = {
    verb.path: verb
    for verb in [
        Verb(
            "submit",
            "Submit…",
            "An editor decides about it next. You can take it back until then.",
            "Submitted. An editor has it now.",
            _comment("For the editors", "Optional; kept in the history."),
            _submit,
            lambda event, stands: event.stage == Stage.DRAFT,
            writes=True,
        ),
        Verb(
            "send back",
            "Send back…",
            "It becomes a draft again, and its author sees on the desk what you write here.",
            "Sent back.",
            _comment("What has to change", "The author sees it. Who takes back an entry of their own needs none."),
            _send_back,
            lambda event, stands: event.stage == Stage.REVIEW,
            writes=True,
        ),
        Verb(
            "publish",
            "Publish…",
            "It is public from this second on, and stays in the record for good.",
            "Published.",
            _publish_form(PublishForm),
            _publish,
            _may_be_published,
            writes=True,
            style="primary",
        ),
        Verb(
            "schedule",
            "Publish at…",
            "It becomes public by itself at this minute. Until then nothing of it can be seen from outside.",
            "Scheduled.",
            _publish_form(ScheduleForm),
            _schedule,
            _may_be_published,
            writes=True,
        ),
        Verb(
            "unschedule",
            "Cancel the schedule…",
            "The scheduled version is not published. Its text stays with the entry and in the history.",
            "The schedule is cancelled.",
            lambda data, event, stands, user: None,
            _unschedule,
            lambda event, stands: stands.pending is not None,
        ),
        Verb(
            "withdraw",
            "Withdraw…",
            "From this second on, every address of the entry answers only that it was withdrawn, and your reason. "
            "Partners are told. A scheduled version is dropped with it.",
            "Withdrawn.",
            _comment("Reason", "Readers and partners see it.", required=True),
            _withdraw,
            lambda event, stands: stands.live is not None,
            style="danger",
        ),
        Verb(
            "restore",
            "Restore…",
            "The text that was public last is public again, with all its versions. The gap stays in the record.",
            "Restored.",
            _comment("Public note", "Optional; readers and partners see it."),
            _restore,
            lambda event, stands: stands.withdrawn,
        ),
        Verb(
            "delete",
            "Delete…",
            "Only what was never public can be deleted. Editors find it under “Deleted drafts” and can bring it back.",
            "Deleted. It can be recovered from “Deleted drafts”.",
            lambda data, event, stands, user: None,
            _delete,
            lambda event, stands: stands.last is None,
            style="danger",
        ),
    ]
}


def urls():
    view = admin.site.admin_view
    return [
        *(
            path(f"<int:pk>/{verb.path}/", view(decide), {"name": verb.path}, name=verb.url_name)
            for verb in VERBS.values()
        ),
        path("moment/", view(moment), name="events_event_moment"),
        path("<int:pk>/correct-now/", view(correct_now), name="events_event_correct_now"),
        path("<int:pk>/redact/<int:number>/", view(redact), name="events_event_redact"),
    ]


def moment(request):
    """A local time in UTC, or why it is none."""
    permissions.require(request.user, "schedule")
    try:
        at = ScheduleForm.base_fields["issue"].clean(request.GET.get("at", ""))
    except ValidationError as error:
        return JsonResponse({"problem": " ".join(error.messages)})
    return JsonResponse({"utc": f"{at.astimezone(datetime.UTC):%d %b %Y, %H:%M} UTC"})


def offered(user, event: Event, stands: Standing) -> list[Verb]:
    """The decisions that make sense for the event now, and that this user may take."""
    return [verb for verb in VERBS.values() if verb.is_open(event, stands) and permissions.may(user, verb.name, event)]


def main_verb(verbs: list[Verb]) -> str:
    """The path of what an editor does next, as a rule."""
    return next((name for name in ("publish", "submit") if VERBS[name] in verbs), "")


def first_verbs(user) -> list[Verb]:
    """Those that may follow the first save of a new entry."""
    names = ["submit", *(["publish", "schedule"] if permissions.may(user, "publish") else [])]
    return [VERBS[name] for name in names]


def decide(request, pk, name):
    verb = VERBS[name]
    event = access.entry(request, pk, verb.name)
    stands = standing(event, timezone.now())
    form = verb.form(request.POST if request.method == "POST" else None, event, stands, request.user)
    if request.method != "POST":
        return _page(request, event, verb, form)
    if form and not form.is_valid():
        return _page(request, event, verb, form, status=400)
    try:
        with audit.act(request, verb.name, event):
            verb.act(event, request.user, access.lock_version(request), form.cleaned_data if form else {})
    except (Refused, ValidationError) as error:
        return _refused(request, event, verb, form, error)
    messages.success(request, verb.said)
    return redirect(keeping.saved(request, _after(event)))


def _after(event):
    exists = Event.objects.filter(pk=event.pk).exists()
    return reverse("admin:events_event_change", args=[event.pk]) if exists else reverse("admin:index")


def _refused(request, event, verb, form, error):
    """The same page with what was typed, as things stand now."""
    problem, status = access.problem(error)
    return _page(request, access.entry(request, event.pk), verb, form, problem=problem, status=status)


def _page(request, event, verb, form, *, status=200, **more):
    at = timezone.now()
    stands = standing(event, at)
    context = access.context(
        request,
        verb.label.removesuffix("…"),
        event=event,
        verb=verb,
        form=form,
        form_id=keeping.form_id(request),
        standing=stands,
        at=at,
        zone=settings.TIME_ZONE,
        document=drafts.document(event),
        changes=changes_to_live(event, stands.live) if verb.name in ("publish", "schedule") else None,
        media=form.media if form else "",
        **more,
    )
    return render(request, "desk/decide.html", context, status=status)


def correct_now(request, pk):
    """Correct what is live while another version waits for its hour, which keeps its hour and gets the correction.

    What was typed is shown as a difference first; it is published when the same is sent again, confirmed.
    """
    event = access.entry(request, pk, "correct now")
    stands = standing(event, timezone.now())
    if request.method != "POST":
        return _correction_to_write(request, event, stands)
    decision = PublishForm(request.POST)
    if "move" in request.POST:
        form = EntryForm.rearranged(request.POST, request.POST["move"])
        return _correct_now_page(request, event, stands, form, decision)
    form = EntryForm(request.POST)
    if not (form.is_valid() & decision.is_valid()):
        return _correct_now_page(request, event, stands, form, decision, status=400)
    if stands.live and request.POST.get("live") != str(stands.live.number):
        return _corrected_by_another(request, event, stands, form, decision)
    digest = documents.digest([form.document(), decision.cleaned_data["kind"], decision.cleaned_data["note"]])
    if request.POST.get("confirmed") != digest and stands.live and stands.pending:
        live = documents.read(stands.live.document, stands.live.schema)
        shown = {"changes": changes(live, form.document()), "digest": digest}
        if access.lock_version(request) != event.lock_version:
            shown |= {"problem": str(Stale()), "status": 409}
        return _correct_now_page(request, event, stands, form, decision, **shown)
    return _publish_correction(request, event, form, decision)


def _correction_to_write(request, event, stands):
    if not (stands.live and stands.pending):
        messages.error(request, "Nothing is scheduled over a live version. Write the correction here and publish it.")
        return redirect(reverse("admin:events_event_change", args=[event.pk]))
    live = documents.read(stands.live.document, stands.live.schema)
    decision = PublishForm(initial={"kind": "correction"})
    return _correct_now_page(request, event, stands, EntryForm(document=live), decision)


def _publish_correction(request, event, form, decision):
    try:
        with audit.act(request, "correct now", event):
            done = publishing.correct_now(
                event,
                by=request.user,
                lock_version=access.lock_version(request),
                kind=decision.cleaned_data["kind"],
                note=decision.cleaned_data["note"],
                **form.values(),
            )
    except (Refused, ValidationError) as error:
        problem, status = access.problem(error)
        event = access.entry(request, event.pk)
        stands = standing(event, timezone.now())
        return _correct_now_page(request, event, stands, form, decision, problem=problem, status=status)
    _tell(request, done)
    return redirect(keeping.saved(request, reverse("admin:events_event_change", args=[event.pk])))


def _corrected_by_another(request, event, stands, form, decision):
    """Another version is live than the one that was corrected: both changes of it, put together to be looked at."""
    seen = request.POST.get("live", "")
    number = int(seen) if re.fullmatch("[0-9]{1,9}", seen) else 0
    before = event.editions.filter(number=number, issued__lte=timezone.now()).filter(document__isnull=False).first()
    base = before and documents.read(before.document, before.schema)
    theirs, mine = documents.read(stands.live.document, stands.live.schema), form.document()
    known = [document for document in (base, theirs, mine) if document]
    merge = merging.merge(base, theirs, mine, Topic.objects.resolution(known))
    return _correct_now_page(
        request,
        event,
        stands,
        EntryForm(document=merge.document),
        decision,
        problem=f"Version {stands.live.number} became public after you had opened this page. Its changes and yours are "
        "together below: look at them, then publish.",
        sides=[sides(field, base, theirs, mine) for field in merge.conflicts],
        status=409,
    )


def _tell(request, done):
    messages.success(request, "The correction is public.")
    if done.scheduled:
        messages.success(request, "The scheduled version keeps its hour, and has the correction in it.")
    elif done.conflicts:
        messages.warning(
            request,
            f"The scheduled text and the correction both change: {', '.join(done.conflicts)}. It is no longer "
            "scheduled; the history has it as “The scheduled version”. Bring the two together, then schedule it again.",
        )
    else:
        messages.warning(request, "With it, readers see what was scheduled, so nothing is scheduled any more.")
    if done.unmerged:
        fields = ", ".join(done.unmerged)
        messages.warning(request, f"What was written since changes them too, and keeps its own words there: {fields}.")


def _correct_now_page(request, event, stands, form, decision, *, status=200, **more):
    context = access.context(
        request,
        "Correct now",
        event=event,
        standing=stands,
        form=form,
        decision=decision,
        at=timezone.now(),
        lock_version=event.lock_version,
        form_id=keeping.form_id(request),
        media=form.media,
        **more,
    )
    return render(request, "desk/correct_now.html", context, status=status)


def redact(request, pk, number):
    event = access.entry(request, pk, "redact")
    edition = event.editions.filter(number=number, issued__lte=timezone.now()).first()
    if edition is None:
        raise Http404("This entry has no such version.")
    form = RedactForm(
        request.POST if request.method == "POST" else None,
        name=f"version {number}",
        label="Reason",
        help_text="Readers see it in place of the text.",
        required=True,
    )
    if request.method != "POST":
        return _redact_page(request, event, edition, form)
    if not form.is_valid():
        return _redact_page(request, event, edition, form, status=400)
    try:
        with audit.act(request, "redact", event):
            publishing.redact(
                event,
                number,
                by=request.user,
                note=form.cleaned_data["note"],
                lock_version=access.lock_version(request),
            )
    except (Refused, ValidationError) as error:
        problem, status = access.problem(error)
        return _redact_page(request, access.entry(request, pk), edition, form, problem=problem, status=status)
    messages.success(request, f"The text of version {number} is gone for good.")
    return redirect(keeping.saved(request, reverse("admin:events_event_history", args=[pk])))


def _redact_page(request, event, edition, form, *, status=200, **more):
    has_text = edition.document is not None
    saves = publishing.saves_holding(edition).select_related("revision__user") if has_text else []
    context = access.context(
        request,
        f"Redact version {edition.number}",
        event=event,
        edition=edition,
        form=form,
        form_id=keeping.form_id(request),
        saves=sorted({save.revision for save in saves}, key=lambda revision: -revision.pk),
        places=publishing.other_places(edition) if has_text else None,
        **more,
    )
    return render(request, "desk/redact.html", context, status=status)
