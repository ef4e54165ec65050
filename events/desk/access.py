"""What every view of the desk begins with: the entry that is asked for, the permission, and the page's frame."""

import re

from django.contrib import admin
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import Http404, JsonResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache

from events import permissions
from events.models import Event
from events.refusals import Stale

# Asked by scripts alone, which read JSON.
SCRIPTED = {
    "autocomplete",
    "events_event_hints",
    "events_event_moment",
    "events_event_presence",
    "events_topic_quick_add",
}


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


@never_cache
def forbidden(request, exception=None):
    """The answer to what somebody may not do; only the desk refuses anyone."""
    return render(request, "403.html", context(request, "You may not do this", exception=str(exception)), status=403)


def absent(request, reason: str):
    """The answer where there is nothing, to somebody of the desk; readers get the public one."""
    problem = reason or "There is nothing at this address of the desk."
    return render(request, "desk/problem.html", context(request, "Not found", problem=problem), status=404)


@never_cache
def unreadable(request, problem: str):
    """The answer to what makes no sense as it was sent."""
    if is_scripted(request):
        return JsonResponse({"error": problem}, status=400)
    return render(request, "desk/problem.html", context(request, "Not readable", problem=problem), status=400)


def is_scripted(request) -> bool:
    return request.resolver_match.url_name in SCRIPTED


def lock_version(request) -> int:
    """The `lock_version` that the page was made from; what is no number fits no entry."""
    value = request.POST.get("lock_version", "")
    return int(value) if re.fullmatch("[0-9]{1,9}", value) else -1


def problem(error: Exception) -> tuple[str, int]:
    """What a refusal tells the editor, and the status of the answer."""
    if isinstance(error, ValidationError):
        return " ".join(error.messages), 400
    return str(error), 409 if isinstance(error, Stale) else 400
