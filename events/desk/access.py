"""What every view of the desk begins with: the entry that is asked for, the permission, and the page's frame."""

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import Http404

from events import permissions
from events.models import Event


def entry(request, pk: int, verb: str = "view") -> Event:
    """The event, if the user may see it and may do this to it; raises Http404 or PermissionDenied."""
    if not (permissions.may(request.user, "view") or permissions.may(request.user, "edit")):
        raise PermissionDenied
    event = Event.objects.select_related("author", "category", "story").filter(pk=pk).first()
    if event is None:
        raise Http404("There is no such entry. Perhaps it was deleted; editors can recover it.")
    permissions.require(request.user, "view", event)
    permissions.require(request.user, verb, event)
    return event


def context(request, title: str, **more) -> dict:
    """The context of a page at the desk."""
    return {**admin.site.each_context(request), "title": title, **more}


def allowed(request, event: Event) -> set[str]:
    """The verbs that the user may do to this event, for showing them; the services ask again."""
    return {verb for verb in permissions.NEEDED if permissions.may(request.user, verb, event)}
