"""Telling partners and hubs that something new stands in the log. The log is the truth; what is sent says: go and look.

`Outbox` says how far in the log they have been told, and its lock is that of whoever tells them. A `Delivery` row says
what is to be sent, and when next; while an attempt lasts, that moment lies ahead, so that nobody else makes it and
somebody does if its process dies. What is sent holds no text and no note.
"""

import base64
import datetime
import email.utils
import hashlib
import hmac
import random
import secrets
import time
from http import HTTPStatus
from typing import NamedTuple
from urllib.parse import urlencode
from uuid import UUID

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Exists, F, OuterRef, Q, Subquery
from django.utils import timezone

from events import addresses, outbound, permissions, texts
from events.documents import canonical, rfc3339
from events.models import Answer, Category, Delivery, Edition, EditionTopic, LogEntry, LogHead, Outbox, Topic, Webhook
from events.outbound import NoAnswer
from events.permissions import User
from events.refusals import WrongState

Kind = LogEntry.Kind
State = Delivery.State
# Of a minor change or a topic's new name nobody has to know at once.
PUSHED = (Kind.PUBLISH, Kind.UPDATE, Kind.CORRECTION, Kind.WITHDRAW, Kind.RESTORE, Kind.REDACT)

# How many entries are looked at in one transaction; behind more than LEAP, one hint stands for all of them.
SPAN = 500
LEAP = 1_000
# How many deliveries to one webhook are one task, and for how many seconds it goes on before others have their turn.
BATCH = 50
TURN = 20
# Seconds that one request may last.
TIMEOUT = 10
# While they are being attempted; longer than a turn and its last request.
LEASE = datetime.timedelta(minutes=5)
# Minutes from each attempt that fails to the next one, and the part of them that chance takes away: below two days.
BACK_OFF = [1, 5, 30, 2 * 60, 6 * 60, 12 * 60, 24 * 60]
JITTER = 0.2
LONGEST_ASKED = datetime.timedelta(hours=1)
LONGEST_WAIT = datetime.timedelta(minutes=max(BACK_OFF))
# How long finished ones are kept, and answers of the API that a repeated request is to get.
KEPT = {State.DELIVERED: datetime.timedelta(days=30), State.DEAD: datetime.timedelta(days=90)}
ANSWERS_KEPT = datetime.timedelta(hours=24)

SECRET_PREFIX = "whsec_"
SECRET_BYTES = 32  # of chance, in base64
# How many feeds of categories, topics and events one report to a hub names.
MAX_FEEDS = 60
MAX_PROBLEM = 300


class Batch(NamedTuple):
    """Deliveries to one webhook that are to be attempted now by whoever holds this; valid while `until` is their due.

    `until` is RFC 3339 with microseconds.
    """

    deliveries: list[int]
    until: str


# Following the log.


def is_behind() -> bool:
    """Whether the log holds anything that nobody looked at yet. One query."""
    return LogHead.objects.filter(seq__gt=Subquery(Outbox.objects.values("seq"))).exists()


@transaction.atomic
def follow(at: datetime.datetime) -> tuple[int, int] | None:
    """Make the deliveries of the next entries of the log; (the seq before them, that of the last), None without any."""
    outbox = Outbox.objects.select_for_update().get()
    head = LogHead.objects.values_list("seq", flat=True).get()
    if head <= outbox.seq:
        return None
    before, outbox.seq = outbox.seq, _reach(outbox.seq, head)
    entries = LogEntry.objects.filter(seq__gt=before, seq__lte=outbox.seq, kind__in=PUSHED).order_by("-seq")
    entries = entries.values_list("seq", flat=True)
    told = list(entries[:1] if outbox.seq - before > SPAN else entries)
    webhooks = list(Webhook.objects.filter(ended=None))
    Delivery.objects.bulk_create(
        (_delivery(webhook, seq, at) for seq in reversed(told) for webhook in webhooks), ignore_conflicts=True
    )
    outbox.save()
    return before, outbox.seq


def _reach(seq, head):
    """How far one step goes: over all of it where so much is new, as after an import, that hints would be a burden."""
    return head if head - seq > LEAP else min(head, seq + SPAN)


def _delivery(webhook, seq, at):
    return Delivery(webhook=webhook, entry_id=seq, due=at, created=at)


# Deliveries.


def is_due(at: datetime.datetime) -> bool:
    """Whether any delivery is to be attempted at `at`. One query."""
    return _due(at).exists()


@transaction.atomic
def claim(at: datetime.datetime) -> list[Batch]:
    """Take what is due, at most `BATCH` for each webhook, so that nobody else does until their lease ends."""
    Outbox.objects.select_for_update().get()
    # Whose last attempt ended its process.
    never_ended = _due(at).filter(attempts__gt=len(BACK_OFF))
    never_ended.update(state=State.DEAD, problem="The last attempt was not finished.", done=at)
    until = at + LEASE
    batches = []
    for webhook in Webhook.objects.filter(Exists(_due(at).filter(webhook=OuterRef("pk")))).order_by("pk"):
        rows = list(_due(at).filter(webhook=webhook).order_by("due", "pk").values_list("pk", flat=True)[:BATCH])
        Delivery.objects.filter(pk__in=rows).update(due=until)
        batches.append(Batch(rows, until.isoformat()))
    return batches


def deliver(batch: Batch) -> None:
    """Attempt each of a batch, as far as its turn lasts. Not within a transaction, which would last as long.

    Where nobody answers, or asks for patience, one attempt counts for all of them: the others would fare no better.
    """
    until = datetime.datetime.fromisoformat(batch.until)
    end = time.monotonic() + TURN
    waiting = list(batch.deliveries)
    while waiting and time.monotonic() < end:
        for delivery in _begun([waiting.pop(0)], until):
            outcome = _attempt(delivery)
            _keep(delivery, outcome)
            if outcome.is_of_address:
                for other in _begun(waiting, until):
                    _keep(other, outcome)
                return
    _held(waiting, until).update(due=timezone.now())


def _due(at):
    """What is to be attempted now; also what a clock that was ahead put off for longer than anything is."""
    is_due = Q(due__lte=at) | Q(due__gt=at + LONGEST_WAIT)
    return Delivery.objects.filter(is_due, state=State.WAITING, webhook__ended=None)


def _held(deliveries, until):
    """Those of these that are still ours to attempt."""
    return Delivery.objects.filter(pk__in=deliveries, state=State.WAITING, due=until)


def _begun(deliveries, until):
    """Those still ours, with one more attempt, which counts even if it ends this process."""
    held = list(_held(deliveries, until).select_related("webhook", "entry__event", "entry__edition"))
    _held(deliveries, until).update(attempts=F("attempts") + 1)
    for delivery in held:
        delivery.attempts += 1
    return held


class _Outcome(NamedTuple):
    """What came of an attempt: the status that it was answered, or None, and what is wrong with it, or "".

    `asked` is how long the receiver wants us to wait. `is_of_address`: no other delivery would fare better now.
    """

    status: int | None
    problem: str = ""
    asked: datetime.timedelta = datetime.timedelta()
    is_of_address: bool = False


def _attempt(delivery):
    body = payload(delivery)
    proof = signature(delivery.webhook.secret, delivery.uid, timezone.now(), body)
    headers = {"Content-Type": "application/json", **proof}
    try:
        answer = outbound.post(delivery.webhook.url, body, headers, timeout=TIMEOUT)
    except NoAnswer as error:
        return _Outcome(None, str(error)[:MAX_PROBLEM], is_of_address=True)
    return _outcome(answer)


def _outcome(answer):
    status = answer.status
    if 200 <= status < 300:
        return _Outcome(status)
    if status == HTTPStatus.GONE:
        return _Outcome(status, "Answered 410: the address is gone for good.", is_of_address=True)
    if status in (HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE):
        asked = _patience(answer.headers.get("Retry-After", "").strip())
        return _Outcome(status, f"Answered {status}: too much to do.", asked, is_of_address=True)
    if 300 <= status < 400:
        return _Outcome(status, f"Answered {status}: redirects are not followed. Give the address that it leads to.")
    return _Outcome(status, f"Answered {status}, which is no success.")


def _patience(value):
    """How long a Retry-After asks us to wait (RFC 9110, 10.2.3), bounded."""
    if value.isascii() and value.isdigit():
        return min(datetime.timedelta(seconds=int(value[:9])), LONGEST_ASKED)
    try:
        moment = email.utils.parsedate_to_datetime(value)
        asked = moment.replace(tzinfo=moment.tzinfo or datetime.UTC) - timezone.now()
    except (ValueError, OverflowError):
        return datetime.timedelta()
    return max(min(asked, LONGEST_ASKED), datetime.timedelta())


def _keep(delivery, outcome):
    at = timezone.now()
    told = {"status": outcome.status, "problem": outcome.problem}
    if not outcome.problem:
        # Whoever else has it by now: it is there.
        Delivery.objects.filter(pk=delivery.pk).update(state=State.DELIVERED, done=at, **told)
        return
    held = _held([delivery.pk], delivery.due)
    if outcome.status == HTTPStatus.GONE:
        held.update(state=State.DEAD, done=at, **told)
        _end(delivery.webhook, at, outcome.problem)
    elif delivery.attempts > len(BACK_OFF):
        held.update(state=State.DEAD, done=at, **told)
    else:
        held.update(due=at + max(_wait(delivery.attempts), outcome.asked), **told)


def _wait(attempts):
    return datetime.timedelta(minutes=BACK_OFF[attempts - 1] * (1 - JITTER * random.random()))


@transaction.atomic
def _end(webhook, at, reason):
    """Under the lock of whoever makes deliveries, so that none is left that waits for a webhook that has ended."""
    Outbox.objects.select_for_update().get()
    if not Webhook.objects.filter(pk=webhook.pk, ended=None).update(ended=at, reason=reason):
        return False
    waiting = Delivery.objects.filter(webhook=webhook, state=State.WAITING)
    waiting.update(state=State.DEAD, problem=f"The webhook ended. {reason}"[:MAX_PROBLEM].strip(), done=at)
    return True


# What is sent.


def payload(delivery: Delivery) -> bytes:
    """The body: which entry it is about and where the log is, in canonical JSON. No text, no note."""
    entry = delivery.entry
    head = LogHead.objects.get()
    return canonical(
        {
            "id": str(delivery.uid),
            "seq": entry.seq,
            "kind": entry.kind,
            "event": str(entry.event.uid),
            "edition": entry.edition.number,
            "occurred": rfc3339(entry.occurred),
            "url": addresses.absolute(addresses.uid(entry.event.uid)),
            "log": addresses.absolute(addresses.changes()),
            "head": {"seq": head.seq, "hash": head.hash},
        }
    )


def signature(secret: str, uid: UUID, at: datetime.datetime, body: bytes) -> dict[str, str]:
    """The headers that prove who sent this, and when, after the convention of Standard Webhooks."""
    stamp = str(int(at.timestamp()))
    key = base64.b64decode(secret.removeprefix(SECRET_PREFIX))
    digest = hmac.digest(key, f"{uid}.{stamp}.".encode() + body, hashlib.sha256)
    return {
        "webhook-id": str(uid),
        "webhook-timestamp": stamp,
        "webhook-signature": f"v1,{base64.b64encode(digest).decode()}",
    }


# What the desk does.


def add_webhook(name: str, url: str, *, by: User, at: datetime.datetime) -> tuple[Webhook, str]:
    """A new webhook, and the secret that its receiver checks signatures with, which is shown once.

    Raises `PermissionDenied`, or `ValidationError` with what is wrong by field.
    """
    permissions.require(by, "manage webhooks")
    problems = {"name": texts.name_problem(name), "url": outbound.address_problem(url)}
    if any(problems.values()):
        raise ValidationError({field: problem for field, problem in problems.items() if problem})
    secret = SECRET_PREFIX + base64.b64encode(secrets.token_bytes(SECRET_BYTES)).decode()
    return Webhook.objects.create(name=name, url=url, secret=secret, by=by, created=at), secret


def end_webhook(webhook: Webhook, *, by: User, at: datetime.datetime, reason: str = "") -> None:
    """Tell it no more; what waited for it is dead. Raises `PermissionDenied`, `ValidationError` or `WrongState`."""
    permissions.require(by, "manage webhooks")
    if problem := texts.line_problem(reason, Webhook._meta.get_field("reason").max_length):
        raise ValidationError({"reason": problem})
    if not _end(webhook, at, reason):
        raise WrongState("This webhook has ended already.")
    webhook.refresh_from_db()


def resume_webhook(webhook: Webhook, *, by: User, at: datetime.datetime) -> None:
    """Tell it again, from the next entry on. Raises `PermissionDenied`, `ValidationError` or `WrongState`."""
    permissions.require(by, "manage webhooks")
    if problem := outbound.address_problem(webhook.url):
        raise ValidationError({"url": problem})
    if not Webhook.objects.filter(pk=webhook.pk).exclude(ended=None).update(ended=None, reason=""):
        raise WrongState("This webhook has not ended.")
    webhook.refresh_from_db()


def send_again(delivery: Delivery, *, by: User, at: datetime.datetime) -> None:
    """Let it be tried at once, and as often as a new one. Raises `PermissionDenied` or `WrongState`."""
    permissions.require(by, "manage webhooks")
    _require_active(delivery.webhook)
    _renew(Delivery.objects.filter(pk=delivery.pk), at)
    delivery.refresh_from_db()


def send_all_again(webhook: Webhook, *, by: User, at: datetime.datetime) -> int:
    """Let all dead ones of a webhook be tried at once; how many. Raises `PermissionDenied` or `WrongState`."""
    permissions.require(by, "manage webhooks")
    _require_active(webhook)
    return _renew(webhook.deliveries.filter(state=State.DEAD), at)


def try_now(webhook: Webhook, *, by: User, at: datetime.datetime) -> Delivery:
    """Send the newest entry's hint, for the second time if need be, and wait for what is answered: the delivery.

    If it fails, it is tried again like any other. Raises `PermissionDenied` or `WrongState`.
    """
    permissions.require(by, "manage webhooks")
    _require_active(webhook)
    newest = LogEntry.objects.filter(kind__in=PUSHED).order_by("-seq").first()
    if newest is None:
        raise WrongState("Nothing was published yet, so there is nothing to send. Try again after the first entry.")
    until = at + LEASE
    delivery, _created = Delivery.objects.get_or_create(
        webhook=webhook, entry=newest, defaults={"due": until, "created": at}
    )
    _renew(Delivery.objects.filter(pk=delivery.pk), until)
    deliver(Batch([delivery.pk], until.isoformat()))
    return Delivery.objects.get(pk=delivery.pk)


def _require_active(webhook):
    if not Webhook.objects.filter(pk=webhook.pk, ended=None).exists():
        raise WrongState("This webhook has ended. Resume it first.")


def _renew(deliveries, due):
    return deliveries.update(state=State.WAITING, attempts=0, due=due, status=None, problem="", done=None)


# WebSub.


def report(hub: str, before: int, upto: int) -> str:
    """Tell a hub which feeds the entries behind `before` up to `upto` changed; "", or why it did not take it.

    One request for each, the general ones first; a hub that is slow is not told of the last ones.
    """
    end = time.monotonic() + TURN
    for feed in feeds(before, upto):
        if time.monotonic() > end:
            break
        body = urlencode({"hub.mode": "publish", "hub.url": feed}).encode()
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        try:
            outcome = _outcome(outbound.post(hub, body, headers, timeout=TIMEOUT))
        except NoAnswer as error:
            return str(error)
        if outcome.problem:
            return outcome.problem
    return ""


def feeds(before: int, upto: int) -> list[str]:
    """The URLs of the feeds that these entries changed; of an event that is withdrawn by now, the general ones only.

    Of the others too those of its categories and topics, and its own.
    """
    entries = LogEntry.objects.filter(seq__gt=before, seq__lte=upto, edition__isnull=False)
    kinds = set(entries.order_by().values_list("kind", flat=True).distinct())
    names = ["latest"] if kinds else []
    if kinds & {*Edition.OWNED_UP, Kind.REDACT}:
        names.append("corrections")
    paths = [addresses.feed(name, format) for name in names for format in addresses.FEEDS]
    if upto - before <= SPAN:
        paths += _special_feeds(entries.filter(event__withdrawn=False))
    return [addresses.absolute(path) for path in paths]


def _special_feeds(entries):
    """Those of the categories and topics of the versions that these entries are about, and of those before them.

    And those of the events, at their addresses of now.
    """
    numbers = set(entries.values_list("event", "edition__number"))
    numbers |= {(event, number - 1) for event, number in numbers}
    rows = Edition.objects.filter(event__in={event for event, _number in numbers}).order_by()
    editions = [row for row in rows.values_list("pk", "event", "number", "category") if row[1:3] in numbers]
    categories = Category.objects.filter(pk__in={category for *_, category in editions})
    topic_rows = EditionTopic.objects.filter(edition__in=[pk for pk, *_ in editions]).values("topic")
    paths = [addresses.category_feed(category.slug, format) for category in categories for format in addresses.FEEDS]
    for topic in Topic.objects.filter(pk__in=topic_rows):
        paths += [addresses.topic_feed(topic.slug, format) for format in addresses.FEEDS]
    current = Edition.objects.current(timezone.now()).filter(event__in={event for event, _number in numbers})
    paths += [addresses.event_feed(*place) for place in current.order_by("event").values_list("date", "slug")]
    return paths[:MAX_FEEDS]


# Tidying up.


def forget_old(at: datetime.datetime) -> None:
    """Delete deliveries that ended long ago, and answers that nobody asks for again."""
    for state, kept in KEPT.items():
        Delivery.objects.filter(state=state, done__lt=at - kept).delete()
    Answer.objects.filter(created__lt=at - ANSWERS_KEPT).delete()
