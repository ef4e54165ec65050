"""One decision about several entries: a page that lists them with what would change, then one service call for each.

The decisions are those of `deciding`; what is refused for one entry stops none of the others.
"""

from dataclasses import dataclass

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import Http404, HttpResponseRedirect
from django.shortcuts import render
from django.urls import path, reverse
from django.utils import timezone

from events import diffs, documents, permissions
from events.desk import access, audit, waiting
from events.desk.deciding import VERBS, Verb
from events.desk.filters import number
from events.desk.standing import Standing
from events.models import Edition, Event, Topic
from events.refusals import Refused, Stale

MOST = 100
OFFERED = ("submit", "send-back", "publish", "schedule", "unschedule", "withdraw", "delete")
CHANGES_SHOWN_FOR = ("submit", "publish", "schedule")


@dataclass(eq=False)
class Choice:
    """A chosen entry: where it stands, the `lock_version` that was seen, and what has become of it here."""

    event: Event
    standing: Standing
    seen: int
    ticked: bool = True
    problem: str = ""
    change: str = ""


def urls():
    return [path("bulk/<slug:name>/", admin.site.admin_view(decide), name="events_event_bulk")]


def offered(user) -> list[Verb]:
    return [VERBS[name] for name in OFFERED if permissions.may(user, VERBS[name].name)]


def decide(request, name):
    if name not in OFFERED:
        raise Http404("There is no such decision about several entries.")
    verb = VERBS[name]
    permissions.require(request.user, verb.name)
    asked = request.POST if request.method == "POST" else request.GET
    listed = _listed(asked)
    if problem := _number_problem(listed):
        messages.warning(request, problem)
        return _to_list(asked)
    at = timezone.now()
    choices = _choices(request.user, listed, asked, at)
    _require_any(request, verb, choices, listed)
    if missing := len(listed) - len(choices):
        messages.warning(request, f"{_entries(missing)} left out: not there any more, or not yours.")
    if not choices:
        return _to_list(asked)
    if request.method != "POST":
        return _first_page(request, verb, choices, at)
    return _act_on(request, verb, choices, at)


def _first_page(request, verb, choices, at):
    for choice in choices:
        choice.ticked = verb.is_open(choice.event, choice.standing)
        choice.problem = "" if choice.ticked else "This does not apply to the entry as it stands."
    return _page(request, verb, choices, _form(verb, None, choices, request.user), at)


def _act_on(request, verb, choices, at):
    ticked = set(request.POST.getlist("entry"))
    for choice in choices:
        choice.ticked = str(choice.event.pk) in ticked
    chosen = [choice for choice in choices if choice.ticked]
    form = _form(verb, request.POST, choices, request.user)
    if not chosen:
        return _page(request, verb, choices, form, at, status=400, problem="Tick at least one entry.")
    if form and not form.is_valid():
        return _page(request, verb, choices, form, at, status=400)
    status = max([_attempt(request, verb, choice, form.cleaned_data if form else {}) for choice in chosen])
    done = [choice for choice in chosen if not choice.problem]
    if status == 200:
        messages.success(request, f"{_entries(len(done))}: {verb.said}")
        return _to_list(request.POST)
    left = _again(request, [choice for choice in choices if choice not in done], at)
    return _page(request, verb, left, form, at, status=status, done=done, chosen=chosen)


def _attempt(request, verb, choice, typed) -> int:
    """Do it to one entry; returns the status of the answer, and leaves with the choice why it was refused."""
    if choice.standing.last is None:
        typed = {name: value for name, value in typed.items() if name not in ("kind", "override")}
    try:
        with audit.act(request, verb.name, choice.event):
            verb.act(choice.event, request.user, choice.seen, typed)
    except (Refused, ValidationError) as error:
        choice.problem, status = access.problem(error)
        return status
    except PermissionDenied as error:
        choice.problem = str(error)
        return 400
    return 200


def _again(request, choices, at):
    """What is left, as it stands now, with what was said of it."""
    said = {choice.event.pk: choice for choice in choices}
    left = _choices(request.user, list(said), request.POST, at)
    for choice in left:
        choice.ticked, choice.problem = said[choice.event.pk].ticked, said[choice.event.pk].problem
    return left


# What was chosen.


def _listed(asked) -> list[int]:
    """The keys of the entries on the page, or of those that the list sent here."""
    keys = [number(value) for value in asked.getlist("listed") or asked.getlist("entry")]
    return list(dict.fromkeys(key for key in keys if key is not None))


def _number_problem(listed):
    if not listed:
        return "Tick the entries first, then choose what to do with them."
    if len(listed) > MOST:
        return f"Choose {MOST} entries at most; these are {len(listed)}."
    return None


def _choices(user, keys, asked, at) -> list[Choice]:
    """The entries that the user may see, in the order of the list; `asked` tells the `lock_version` of each."""
    events = waiting.with_last(permissions.visible_to(user, Event.objects.filter(pk__in=keys)), at)
    events = events.select_related("category", "story__alias_of", "author")
    events = sorted(
        events.prefetch_related("topic_links__tag__alias_of", "sources"), key=lambda event: keys.index(event.pk)
    )
    editions = _open_editions(events, at)
    choices = [Choice(event, _standing(event, editions.get(event.pk, []), at), _seen(asked, event)) for event in events]
    _compare(choices)
    return choices


def _seen(asked, event):
    seen = number(asked.get(f"lock_{event.pk}", ""))
    return -1 if seen is None else seen


def _open_editions(events, at):
    """By event: the edition that holds now, if any, and the one after it that is scheduled."""
    found = {}
    for edition in Edition.objects.filter(event__in=events).exclude(superseded__lte=at).order_by("number"):
        found.setdefault(edition.event_id, []).append(edition)
    return found


def _standing(event, editions, at):
    live = [one for one in editions if one.issued <= at and one.document is not None and not event.withdrawn]
    pending = [one for one in editions if one.issued > at]
    return Standing(
        live[0] if live else None, pending[0] if pending else None, (editions or [None])[-1], event.withdrawn
    )


def _compare(choices):
    """Say of each entry what readers would see change, topics compared as they stand today."""
    pairs = [(choice, _live_document(choice), _document(choice.event)) for choice in choices]
    resolve = Topic.objects.resolution([document for _, *both in pairs for document in both if document])
    for choice, live, copy in pairs:
        choice.change = _summary(live, copy, resolve)


def _summary(live, copy, resolve):
    if live is None:
        return "Not public yet."
    # That a body changed is all that the sentence says of it, and long ones take long to compare.
    body = "" if copy["body"] == live["body"] else "…"
    return diffs.summary(diffs.compare(live | {"body": ""}, copy | {"body": body}, resolve))


def _live_document(choice):
    live = choice.standing.live
    return live and documents.read(live.document, live.schema)


def _document(event):
    """The working copy's document from what is loaded already; `drafts.document` asks anew for each entry."""
    event.story = event.story and event.story.canonical
    return documents.freeze(event, [link.tag.canonical for link in event.topic_links.all()], event.sources.all())


def _require_any(request, verb, choices, listed):
    """Refuse whoever asks for nothing but entries that are not theirs to see."""
    if not choices and Event.objects.filter(pk__in=listed).exists():
        raise PermissionDenied(f"You may not {verb.name} these entries.")


# The page.


def _form(verb, data, choices, user):
    last = next((choice.standing.last for choice in choices if choice.standing.last), None)
    return verb.form(data, None, Standing(None, None, last, False), user)


def _page(request, verb, choices, form, at, *, status=200, **more):
    _untick_stale(choices)
    context = access.context(
        request,
        f"{verb.label.removesuffix('…')}: {_entries(len(choices))}",
        verb=verb,
        choices=choices,
        form=form,
        at=at,
        zone=timezone.get_default_timezone_name(),
        shows_changes=verb.path in CHANGES_SHOWN_FOR,
        filters=_filters(request.POST if request.method == "POST" else request.GET),
        media=form.media if form else "",
        **more,
    )
    return render(request, "desk/list/bulk.html", context, status=status)


def _untick_stale(choices):
    """What someone else changed is shown as it is now; who has seen that may tick it again."""
    for choice in choices:
        if choice.seen != choice.event.lock_version:
            choice.ticked, choice.problem = False, str(Stale())


def _entries(count):
    return "1 entry" if count == 1 else f"{count} entries"


def _filters(asked):
    """The query of the list that one came from."""
    return asked.get("filters", "").removeprefix("?")


def _to_list(asked):
    return HttpResponseRedirect(f"{reverse('admin:events_event_changelist')}?{_filters(asked)}")
