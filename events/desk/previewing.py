"""Previews: the public page of what is not public yet, at the desk and by link for someone without an account."""

from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import path, reverse
from django.utils import timezone

from events import addresses, drafts, history, previews, related
from events.desk import access, audit
from events.formats import shapes
from events.http import Page, page_in_html
from events.models import Edition
from events.refusals import Refused

HOURS = [(1, "an hour"), (8, "eight hours"), (24, "a day"), (72, "three days"), (336, "two weeks")]
# Nobody keeps, indexes or passes on what may never be published.
PRIVATE = {"Cache-Control": "no-store", "X-Robots-Tag": "noindex, nofollow", "Referrer-Policy": "no-referrer"}


def urls():
    view = admin.site.admin_view
    return [
        path("<int:pk>/preview/", view(preview), name="events_event_preview"),
        path("<int:pk>/links/", view(links), name="events_event_links"),
    ]


def preview(request, pk):
    """The working copy as its public page would be, published now."""
    event = access.entry(request, pk)
    return _as_page(event, drafts.document(event), timezone.now())


def shared(request, token):
    """The save that a link was made for; whatever is wrong with the link, there is nothing here."""
    at = timezone.now()
    link = previews.shown(token, at)
    document = link and history.document_of(link.event, link.save_shown_id)
    if not document:
        raise Http404
    return _as_page(link.event, document, at, expires=link.expires)


def links(request, pk):
    event = access.entry(request, pk)
    if request.method != "POST":
        return _links_page(request, event)
    try:
        if "revoke" in request.POST:
            return _revoke(request, event)
        hours = request.POST.get("hours", "")
        with audit.act(request, "share", event):
            previews.make(event, by=request.user, hours=int(hours) if hours.isdecimal() and len(hours) < 5 else 0)
    except (Refused, ValidationError) as error:
        problem, status = access.problem(error)
        return _links_page(request, event, problem=problem, status=status)
    messages.success(request, "The link is ready: copy it below. Whoever has it can read this save until it expires.")
    return redirect(reverse("admin:events_event_links", args=[pk]))


def _revoke(request, event):
    key = request.POST["revoke"]
    link = get_object_or_404(event.previews, pk=int(key) if key.isdecimal() and len(key) < 18 else 0)
    with audit.act(request, "revoke link", event):
        previews.revoke(link, by=request.user)
    messages.success(request, "The link is dead.")
    return redirect(reverse("admin:events_event_links", args=[event.pk]))


def _links_page(request, event, *, status=200, **more):
    alive = previews.alive(event.previews.select_related("by"), timezone.now())
    rows = [(link, addresses.absolute(reverse("preview", args=[previews.token(link)]))) for link in alive]
    context = access.context(request, "Preview links", event=event, links=rows, hours=HOURS, **more)
    return render(request, "desk/links.html", context, status=status)


def _as_page(event, document, at, expires=None):
    edition = previews.edition(event, document, at)
    history_shown = [*Edition.objects.issued_by(at).filter(event=event).order_by("number"), edition]
    shape = shapes.event(history_shown, related=related.choose(edition, at))
    page = Page("event", shape, indexed=False)
    return HttpResponse(page_in_html(page, "desk/preview.html", expires=expires), headers=PRIVATE)
