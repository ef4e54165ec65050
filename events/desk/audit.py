"""Who did what at the desk, logins and refusals included. Holds no text of an entry, which a redaction may remove."""

from contextlib import contextmanager

from django.core.exceptions import PermissionDenied, ValidationError

from events.models import AuditEntry, Event
from events.refusals import Refused

Outcome = AuditEntry.Outcome


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


def _reason(error):
    return " ".join(error.messages) if isinstance(error, ValidationError) else str(error)
