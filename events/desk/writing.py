"""Writing an entry: the form, what it tells while one types, saves that meet another's, and who else is there."""

import datetime

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import IntegrityError
from django.db.models.functions import Left
from django.http import Http404, JsonResponse
from django.shortcuts import redirect, render
from django.urls import path, reverse
from django.utils import timezone
from django.views.decorators.http import require_POST

from events import documents, drafts, markup, permissions, slugs, texts
from events.desk import access, audit, deciding, keeping, meeting
from events.desk.forms import EntryForm
from events.desk.standing import standing
from events.models import Edition, Event, Presence, Source
from events.refusals import Stale, WrongState

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
    uid = keeping.uid(request)
    return _write(request, _made_by_this_form(request) or (Event(uid=uid) if uid else Event()))


def change(request, pk):
    if request.method == "POST":
        try:
            event = access.entry(request, pk, "edit")
        except (Http404, PermissionDenied) as error:
            return _kept(request, error, 403 if isinstance(error, PermissionDenied) else 404)
        return _write(request, event)
    event = access.entry(request, pk)
    if not permissions.may(request.user, "edit", event):
        return render(request, "desk/entry/read.html", _entry_context(request, event, document=drafts.document(event)))
    return _write(request, event)


def _kept(request, error, status):
    """What was typed for an entry that was deleted or decided about meanwhile, to be copied from."""
    form = EntryForm.rearranged(request.POST, "")
    context = access.context(request, "This could not be saved", form=form, problem=str(error), event=Event())
    return render(request, "desk/entry/kept.html", context, status=status)


def _write(request, event):
    if request.method != "POST":
        return _form_page(request, event, EntryForm(document=drafts.document(event) if event.pk else None))
    if "move" in request.POST:
        return _again(request, event, EntryForm.rearranged(request.POST, request.POST["move"]), status=200)
    form = EntryForm(request.POST)
    if not form.is_valid():
        return _again(request, event, form)
    if missing := meeting.undecided(request):
        return _again(request, event, form, problem=f"Choose what to keep: {', '.join(missing)}.", status=409)
    # What a new entry was saved as by the same form, sent a moment ago, is the first save.
    return _save(request, event, form, access.lock_version(request) or (1 if event.pk else 0))


def _save(request, event, form, seen):
    """Save what was typed over the copy of which `seen` is the `lock_version`."""
    taken = meeting.taken_from_theirs(request, event) if event.pk else {}
    chosen = drafts.values(form.document() | taken) if taken else {}
    values = form.values() | {field: chosen[field] for field in taken}
    try:
        with audit.act(request, "edit" if event.pk else "write", event):
            saved = drafts.save(event, by=request.user, lock_version=seen if event.pk else None, **values)
    except Stale:
        return _meet(request, Event.objects.get(pk=event.pk), form, form.document() | taken)
    except IntegrityError:
        # Sent twice at the same moment: the other one made the entry.
        made = _made_by_this_form(request)
        if event.pk or made is None:
            raise
        return _save(request, made, form, 1)
    except WrongState as error:
        return _kept(request, error, 409)
    except ValidationError as error:
        _add_errors(form, error)
        return _again(request, event, form)
    if saved.lock_version == seen:
        messages.info(request, "Nothing was changed, so nothing was saved.")
    else:
        messages.success(request, "Saved.")
    return redirect(keeping.saved(request, _after(request, saved)))


def _made_by_this_form(request):
    """The entry that the same form made when it was sent before; none, as a rule."""
    uid = keeping.uid(request)
    return uid and Event.objects.filter(uid=uid, author=request.user).first()


def _after(request, event):
    """Where to go after a save: to the decision that was asked for, or back to the form."""
    verb = deciding.VERBS.get(request.POST.get("then"))
    name = verb.url_name if verb else "events_event_change"
    return reverse(f"admin:{name}", args=[event.pk])


def _add_errors(form, error):
    """Errors of the service under the fields that the form has, the others above it."""
    for field, found in (error.message_dict if hasattr(error, "error_dict") else {"": error.messages}).items():
        form.add_error(field if field in form.fields else None, found)


def _meet(request, event, form, mine):
    """Someone saved in the meantime: show both texts put together, and the sides of what both changed."""
    seen = access.lock_version(request) or 1
    merge, base, theirs = meeting.merged(event, seen, mine)
    if meeting.changed_no_word(base, theirs):
        # What was typed is simply newer than a publication, say.
        messages.warning(request, "Meanwhile someone decided about this entry: look where it stands.")
        return _save(request, event, form, event.lock_version)
    context = meeting.page(event, merge, base, theirs, mine, seen)
    merged = EntryForm(document=merge.document)
    return _form_page(request, event, merged, status=409, template="desk/entry/conflict.html", **context)


def _again(request, event, form, *, status=400, problem=""):
    """The page that was sent, with everything on it."""
    seen = access.lock_version(request)
    if not meeting.fields(request):
        return _form_page(request, event, form, seen, status=status, problem=problem)
    mine = form.document() if form.is_bound and form.is_valid() else None
    context = meeting.page_again(request, event, mine) | {"problem": problem}
    return _form_page(request, event, form, seen, status=status, template="desk/entry/conflict.html", **context)


# The page.


def _form_page(request, event, form, seen=None, *, status=200, template="desk/entry/form.html", **more):
    context = _entry_context(request, event, form=form, lock_version=event.lock_version if seen is None else seen)
    context |= {"media": form.media, "form_id": keeping.form_id(request)}
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
