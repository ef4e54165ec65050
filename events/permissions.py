"""Who may do what, in general and to the event at hand: the one answer that services ask for and the desk shows.

`by=None` is the operator, who holds the database anyway.
"""

from django.conf import settings
from django.contrib.auth.models import AbstractBaseUser
from django.core.exceptions import PermissionDenied

from events.models import Event

User = AbstractBaseUser | None
ROLES = ("Reporter", "Editor", "Chief")

# Verb -> the permission that allows it on every event, or on every topic.
NEEDED = {
    "write": "events.add_event",
    "view": "events.view_event",
    "edit": "events.change_event",
    "submit": "events.change_event",
    "delete": "events.delete_event",
    "recover": "events.delete_event",
    "relate": "events.change_event",
    "send back": "events.publish_event",
    "publish": "events.publish_event",
    "schedule": "events.publish_event",
    "unschedule": "events.publish_event",
    "correct now": "events.publish_event",
    "withdraw": "events.withdraw_event",
    "restore": "events.restore_event",
    "redact": "events.redact_event",
    "override minor": "events.override_minor",
    "add topic": "events.add_topic",
    "merge topics": "events.merge_topic",
    "rename topic": "events.rename_topic",
    "add category": "events.add_category",
    "order categories": "events.change_category",
    "change policy": "events.change_correctionspolicy",
    "manage keys": "events.change_key",
    "manage webhooks": "events.change_webhook",
}
OWN = "events.change_own_event"
# What one's own draft may be made with OWN alone, before anyone else has to decide.
_OF_OWN_DRAFT = {"edit", "submit", "delete"}
_FOUR_EYES = {"publish", "schedule", "correct now"}


def may(by: User, verb: str, event: Event | None = None) -> bool:
    """Whether `by` may do this, to `event` if one is given, else to any at all."""
    if by is None:
        return True
    if event is not None and verb in _FOUR_EYES and is_own(by, event) and not settings.NEWSDESK_OWN_PUBLISHING:
        return False
    return by.has_perm(NEEDED[verb]) or _may_as_author(by, verb, event)


def require(by: User, verb: str, event: Event | None = None) -> None:
    """Raise PermissionDenied unless `by` may do this."""
    if may(by, verb, event):
        return
    if event is not None and verb in _FOUR_EYES and may(by, verb):
        raise PermissionDenied("You wrote this entry, so somebody else has to publish it.")
    raise PermissionDenied(f"You may not {verb} here. Ask a chief for the permission.")


def is_own(by: User, event: Event) -> bool:
    return by is not None and by.pk is not None and event.author_id == by.pk


def visible_to(by: User, events):
    """The events that `by` may see at the desk: all of them, or one's own."""
    if by is None or by.has_perm(NEEDED["view"]):
        return events
    return events.filter(author=by) if by.has_perm(OWN) else events.none()


def _may_as_author(by, verb, event):
    if not by.has_perm(OWN):
        return False
    if event is None:
        return verb in _OF_OWN_DRAFT | {"view", "send back", "recover"}
    if not is_own(by, event):
        return False
    if verb in ("view", "recover"):
        return True
    if verb == "send back":
        return event.stage == Event.Stage.REVIEW and not event.editions.exists()
    return verb in _OF_OWN_DRAFT and event.stage == Event.Stage.DRAFT and not event.editions.exists()
