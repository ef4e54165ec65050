"""Who did what at the desk, logins and refusals included. Holds no text of an entry, which a redaction may remove."""

from contextlib import contextmanager

from django.core.exceptions import PermissionDenied, ValidationError

from events.models import AuditEntry, Event
from events.refusals import Refused

Outcome = AuditEntry.Outcome
# What is asked for at an address, where the address's own name does not say it.
_VERBS = {
    "events_event_add": "write",
    "events_event_change": "edit",
    "events_event_links": "share",
    "events_topic_add": "add topic",
    "events_topic_quick_add": "add topic",
    "events_topic_rename": "rename topic",
    "events_topic_add_alias": "merge topics",
    "events_topic_merge": "merge topics",
    "events_category_add": "add category",
    "events_category_order": "order categories",
    "events_category_change": "rename category",
    "events_category_delete": "delete category",
    "events_correctionspolicy_changelist": "change policy",
    "events_key_add": "make key",
    "events_key_revoke": "revoke key",
    "events_webhook_add": "add webhook",
    "events_webhook_change": "use webhook",
    "events_webhook_end": "end webhook",
    "events_auditentry_export": "export audit",
}
_LONGEST_VERB = AuditEntry._meta.get_field("verb").max_length


@contextmanager
def act(request, verb: str, event=None, subject: str = ""):
    """Note what is done within, or that it was refused and why; what is raised goes on."""
    try:
        yield
    except (Refused, PermissionDenied, ValidationError) as error:
        note(request, verb, event, subject, outcome=Outcome.REFUSED, detail=_reason(error))
        raise
    note(request, verb, event, subject)


def note(request, verb, event=None, subject="", *, outcome=Outcome.DONE, detail="") -> AuditEntry:
    if outcome == Outcome.REFUSED:
        request.refusal_is_noted = True
    user = request.user if request.user.is_authenticated else None
    return AuditEntry.objects.create(
        by=user,
        name=user.get_username() if user else "",
        verb=verb,
        outcome=outcome,
        event=Event.objects.filter(pk=event.pk).first() if event else None,  # an act may have deleted it
        subject=subject or (str(event.uid) if event else ""),
        detail=detail,
    )


def note_refusal(request, reason="") -> None:
    """Note a form that was refused before any act began; what an act has noted is not noted twice."""
    if request.method != "POST" or getattr(request, "refusal_is_noted", False):
        return
    asked = request.resolver_match
    is_of_entry = (asked.url_name or "").startswith("events_event_")
    event = Event.objects.filter(pk=asked.kwargs["pk"]).first() if is_of_entry and "pk" in asked.kwargs else None
    note(request, _verb(asked), event, outcome=Outcome.REFUSED, detail=reason)


def _verb(asked):
    """What is asked for at an address: a decision's name, or the words of the address's own."""
    name = asked.url_name or "ask"
    words = _VERBS.get(name) or asked.kwargs.get("name") or name.removeprefix("events_event_").removeprefix("events_")
    return words.replace("-", " ").replace("_", " ")[:_LONGEST_VERB]


def _reason(error):
    return " ".join(error.messages) if isinstance(error, ValidationError) else str(error)
