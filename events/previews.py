"""Links to one save of an entry for someone without an account: signed, expiring, dead once their time has passed.

A link dies when anything of its entry becomes public or is withdrawn after it was made, when it is revoked, and when
its hour comes. Why it is dead is not told.
"""

import datetime
import uuid

import reversion
from django.core.signing import BadSignature, Signer
from django.db import models, transaction
from django.utils import timezone
from reversion.models import Version

from events import documents, drafts, history, permissions, slugs
from events.models import Category, Edition, Event, Preview
from events.permissions import User
from events.refusals import BadMoment, WrongState

LONGEST = datetime.timedelta(days=14)
_signer = Signer(salt="events.previews")


def make(event: Event, *, by: User, hours: int) -> Preview:
    """A link to what the event says now, which lives for this many hours."""
    if not 0 < hours <= LONGEST // datetime.timedelta(hours=1):
        raise BadMoment(f"A link may live for {LONGEST.days} days at the most.")
    with transaction.atomic():
        event = drafts.locked_row(event)
        permissions.require(by, "edit", event)
        now = timezone.now()
        if event.withdrawn:
            raise WrongState("A withdrawn entry cannot be shown. Restore it first.")
        last = event.editions.filter(issued__lte=now).order_by("-number").first()
        return Preview.objects.create(
            event=event,
            save_shown=_save_of_now(event, by),
            after=last.number if last else 0,
            by=by,
            created=now,
            expires=now + datetime.timedelta(hours=hours),
        )


def revoke(preview: Preview, *, by: User) -> None:
    with transaction.atomic():
        if by != preview.by:
            permissions.require(by, "edit", drafts.locked_row(preview.event))
        Preview.objects.filter(pk=preview.pk, revoked=None).update(revoked=timezone.now())


def _save_of_now(event, by):
    """The latest save, if it still says what the working copy says: a redaction or a pruning may have taken that."""
    latest = Version.objects.get_for_object(event).select_related("revision").first()
    if latest and history.document_of(event, latest.revision_id) == drafts.document(event):
        return latest.revision
    with reversion.create_revision():
        reversion.add_to_revision(event)
        reversion.set_user(by)
        reversion.set_comment("Saved to be shown")
    return Version.objects.get_for_object(event).select_related("revision").first().revision


def token(preview: Preview) -> str:
    return _signer.sign(str(preview.key))


def shown(token: str, at: datetime.datetime) -> Preview | None:
    """The preview that a token opens at `at`, or None if there is none, or none any more."""
    try:
        key = uuid.UUID(_signer.unsign(token))
    except (BadSignature, ValueError):
        return None
    return alive(Preview.objects.all(), at).filter(key=key).select_related("event").first()


def alive(previews, at: datetime.datetime):
    """Those that still open."""
    public = Edition.objects.filter(event=models.OuterRef("event"), number__gt=models.OuterRef("after"), issued__lte=at)
    open_ones = previews.filter(revoked=None, expires__gt=at, event__withdrawn=False)
    return open_ones.exclude(models.Exists(public))


def edition(event: Event, document: dict, at: datetime.datetime) -> Edition:
    """The edition that this document of the event would become if it were published at `at`; not to be saved."""
    last = event.editions.filter(issued__lte=at).order_by("-number").first()
    return Edition(
        event=event,
        number=last.number + 1 if last else 1,
        kind=Edition.Kind.UPDATE if last else Edition.Kind.PUBLISH,
        issued=at,
        date=datetime.date.fromisoformat(document["date"]),
        slug=slugs.headline_slug(document["headline"]),
        category=document["category"] and Category.objects.filter(slug=document["category"]["slug"]).first(),
        document=document,
        schema=documents.SCHEMA,
    )
