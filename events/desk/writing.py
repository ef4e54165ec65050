"""Writing an entry: the form, what it tells while one types, saves that meet another's, and who else is there."""

import datetime

from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.db.models.functions import Left
from django.http import JsonResponse
from django.shortcuts import redirect, render
from django.urls import path, reverse
from django.utils import timezone
from django.views.decorators.http import require_POST

from events import diffs, documents, drafts, history, markup, merging, permissions, slugs, texts
from events.desk import access, audit, deciding
from events.desk.forms import EntryForm
from events.desk.standing import changes, standing
from events.models import Edition, Event, Presence, Source, Topic
from events.refusals import Stale

PRESENT = datetime.timedelta(seconds=45)
ALIKE = 0.5
HINTS = 5


def urls():
    view = admin.site.admin_view
    return [
        path("add/", view(add), name="events_event_add"),
        path("hints/", view(hints), name="events_event_hints"),
        path("<int:pk>/change/", view(change), name="events_event_change"),
        path("<int:pk>/presence/", view(presence), name="events_event_presence"),
    ]


def add(request):
    permissions.require(request.user, "write")
    return _write(request, Event())


def change(request, pk):
    event = access.entry(request, pk)
    if not permissions.may(request.user, "edit", event):
        permissions.require(request.user, "edit" if request.method == "POST" else "view", event)
        return render(request, "desk/entry/read.html", _entry_context(request, event, document=drafts.document(event)))
    return _write(request, event)


def _write(request, event):
    if request.method != "POST":
        return _form_page(request, event, EntryForm(document=drafts.document(event) if event.pk else None))
    if "move" in request.POST:
        form = EntryForm.rearranged(request.POST, request.POST["move"])
        return _form_page(request, event, form, access.lock_version(request))
    form = EntryForm(request.POST)
    if not form.is_valid():
        return _form_page(request, event, form, access.lock_version(request), status=400)
    return _save(request, event, form, access.lock_version(request))


def _save(request, event, form, seen):
    """Save what was typed over the copy of which `seen` is the `lock_version`."""
    verb = "edit" if event.pk else "write"
    values = form.values() | _taken_from_theirs(request, event)
    if missing := _undecided(request):
        return _meet(request, event, form, error=f"Choose what to keep: {', '.join(missing)}.")
    try:
        with audit.act(request, verb, event):
            saved = drafts.save(event, by=request.user, lock_version=seen if event.pk else None, **values)
    except Stale:
        return _meet(request, Event.objects.get(pk=event.pk), form)
    except ValidationError as error:
        _add_errors(form, error)
        return _form_page(request, event, form, seen, status=400)
    if saved.lock_version == seen:
        messages.info(request, "Nothing was changed, so nothing was saved.")
    else:
        messages.success(request, "Saved.")
    return redirect(_after(request, saved))


def _after(request, event):
    """Where to go after a save: to the decision that was asked for, or back to the form."""
    verb = deciding.VERBS.get(request.POST.get("then"))
    name = verb.url_name if verb else "events_event_change"
    return reverse(f"admin:{name}", args=[event.pk])


def _add_errors(form, error):
    """Errors of the service under the fields that the form has, the others above it."""
    for field, found in (error.message_dict if hasattr(error, "error_dict") else {"": error.messages}).items():
        form.add_error(field if field in form.fields else None, found)


# Two editors at once.


def _meet(request, event, form, error=""):
    """Someone saved in the meantime: put both together if nothing is in conflict and nothing of theirs is new to the
    form, else show all sides with everything that was typed."""
    seen = access.lock_version(request)
    base, theirs, mine = history.document_at(event, seen), drafts.document(event), form.document()
    known = [document for document in (base, theirs, mine) if document]
    merge = merging.merge(base, theirs, mine, Topic.objects.resolution(known))
    if base is not None and not error and not diffs.fields(base, theirs, Topic.objects.resolution(known)):
        # Its publication, say, changed no word of it: what was typed is simply newer.
        messages.warning(request, "Meanwhile someone decided about this entry: look where it stands.")
        return _save(request, event, form, event.lock_version)
    merged = EntryForm(document=merge.document)
    context = {
        "sides": [_sides(field, base, theirs, mine) for field in merge.conflicts],
        "told": [(words, [diffs.LABELS[field] for field in getattr(merge, part)]) for part, words in _PARTS],
        "problem": error,
        "main": "",
        "latest": next(iter(history.saves(event.pk, limit=1)), None),
    }
    return _form_page(request, event, merged, status=409, template="desk/entry/conflict.html", **context)


_PARTS = [
    ("theirs", "Taken over from them"),
    ("mine", "Changed by you alone"),
    ("combined", "Changed by both, and put together"),
    ("both", "Changed by both in the same way"),
]


def _sides(field, base, theirs, mine):
    """One field in conflict: what it was, and what each side made of it."""
    was = base or theirs
    return {
        "field": field,
        "label": diffs.LABELS[field],
        "base": base and _in_words(base[field]),
        "theirs": changes(was, was | {field: theirs[field]}),
        "mine": changes(was, was | {field: mine[field]}),
    }


def _in_words(value):
    """A field of a document as text: sources are one a line, and nothing else that can conflict is a list."""
    if isinstance(value, list):
        return "\n".join(f"{source['name']} {source['url']}" for source in value)
    return value["name"] if isinstance(value, dict) else value or ""


def _undecided(request):
    """The labels of fields in conflict for which no side was chosen."""
    fields = [field for field in request.POST.getlist("conflict") if field in diffs.LABELS]
    return [diffs.LABELS[field] for field in fields if request.POST.get(f"take_{field}") not in ("mine", "theirs")]


def _taken_from_theirs(request, event):
    """The values of the fields for which the editor chose the other side, which the form did not show as its own."""
    chosen = [field for field in request.POST.getlist("conflict") if request.POST.get(f"take_{field}") == "theirs"]
    theirs = chosen and history.document_at(event, access.lock_version(request))
    if not theirs:
        return {}
    values = drafts.values(theirs)
    return {field: values[field] for field in chosen if field in diffs.LABELS}


# The page.


def _form_page(request, event, form, seen=None, *, status=200, template="desk/entry/form.html", **more):
    context = _entry_context(request, event, form=form, lock_version=event.lock_version if seen is None else seen)
    context["media"] = form.media
    return render(request, template, context | more, status=status)


def _entry_context(request, event, **more):
    at = timezone.now()
    if not event.pk:
        title = "New entry"
        verbs = deciding.first_verbs(request.user)
        return access.context(request, title, event=event, verbs=verbs, main=deciding.main_verb(verbs), at=at, **more)
    stands = standing(event, at)
    verbs = deciding.offered(request.user, event, stands)
    return access.context(
        request,
        event.headline,
        event=event,
        standing=stands,
        at=at,
        verbs=verbs,
        main=deciding.main_verb(verbs),
        may_correct_now=permissions.may(request.user, "correct now", event),
        others=_others(request, event, at),
        may_share=permissions.may(request.user, "edit", event),
        **more,
    )


# While one types.


@require_POST
def hints(request):
    """The slug, the body as readers see it, entries that say nearly the same, where the sources are cited already."""
    permissions.require(request.user, "write")
    headline = " ".join(request.POST.get("headline", "")[: texts.MAX_HEADLINE].split())
    pk = request.POST.get("pk", "")
    own = int(pk) if pk.isdecimal() and len(pk) < 18 else 0
    return JsonResponse(
        {
            "slug": slugs.headline_slug(headline) if headline else "",
            "body": markup.to_html(request.POST.get("body", "")[: texts.MAX_BODY]),
            "alike": _alike(request.user, headline, request.POST.get("date", ""), own),
            "cited": _cited(request.user, request.POST.getlist("source_url")[: documents.MAX_SOURCES], own),
        }
    )


def _alike(user, headline, date, own):
    """Entries of the same day that share at least half of their words with this headline."""
    try:
        date = datetime.date.fromisoformat(date)
    except ValueError:
        return []
    words = _words(headline)
    found = {}
    for pk, other in permissions.visible_to(user, Event.objects.filter(date=date)).values_list("pk", "headline"):
        found[pk] = {"headline": other, "url": reverse("admin:events_event_change", args=[pk])}
    public = Edition.objects.current(timezone.now()).on(date).exclude(event__in=found)
    for edition in public.with_uid():
        headline_of = documents.read(edition.document, edition.schema)["headline"]
        found[edition.event_id] = {"headline": headline_of, "url": edition.event.get_absolute_url()}
    found.pop(own, None)
    near = [(_likeness(words, _words(entry["headline"])), entry) for entry in found.values()]
    best = sorted((pair for pair in near if pair[0] >= ALIKE), key=lambda pair: -pair[0])
    return [entry for _share, entry in best[:HINTS]]


def _words(text):
    return {word for word in slugs.slugify(text).split("-") if len(word) > 2 or not word.isascii()}


def _likeness(one, other):
    return len(one & other) / max(len(one | other), 1)


def _cited(user, urls, own):
    """Entries that cite one of these addresses already."""
    urls = [url.strip() for url in urls if url.strip()]
    if not urls:
        return []
    starts = Source.objects.annotate(start=Left("url", Source.URL_START)).filter(
        start__in=[url[: Source.URL_START] for url in urls], url__in=urls
    )
    seen = permissions.visible_to(user, Event.objects.all()).values("pk")
    rows = starts.exclude(event=own).filter(event__in=seen).select_related("event").order_by("-event__date", "-event")
    return [
        {
            "source": row.url,
            "headline": row.event.headline,
            "url": reverse("admin:events_event_change", args=[row.event_id]),
        }
        for row in rows[:HINTS]
    ]


@require_POST
def presence(request, pk):
    """Say that the user has the entry open; the names of others who have."""
    event = access.entry(request, pk)
    at = timezone.now()
    Presence.objects.update_or_create(event=event, user=request.user, defaults={"seen": at})
    changed = request.POST.get("lock_version") not in (None, str(event.lock_version))
    return JsonResponse({"others": _others(request, event, at), "changed": changed})


def _others(request, event, at):
    there = event.presences.filter(seen__gt=at - PRESENT).exclude(user=request.user).select_related("user")
    return [one.user.get_full_name() or one.user.get_username() for one in there.order_by("user")]
