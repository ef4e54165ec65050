"""The same request to write, sent again, is answered as it was and not done again (the header `Idempotency-Key`).

What is promised: an act on drafts and its answer are committed together. An act that opens a transaction of its own,
or several, is begun in a row of its own first, and has to find out itself what an attempt before it has done.
"""

import datetime
import hashlib
import re
from collections.abc import Callable
from typing import NamedTuple

from django.db import transaction

from events.http import Problem
from events.models import Answer, Key
from events.wire.bodies import Refusal

KEPT = datetime.timedelta(hours=24)
# The status of a request that is not answered yet.
BEGUN = 0
_TOKEN = re.compile(r"[\x21-\x7e]{1,255}")


class Reply(NamedTuple):
    """An answer to writing, as it is kept. It holds no text of an entry."""

    status: int
    headers: dict[str, str]
    body: str


class Attempt(NamedTuple):
    """Whose request it is, its Idempotency-Key or None, and a digest of all that it asks for."""

    key: Key
    token: str | None
    request: str
    at: datetime.datetime

    def part(self, number: int) -> "Attempt":
        """The attempt at one of the request's parts, under a token that no client can send: it holds a space."""
        token = self.token and f"{hashlib.sha256(self.token.encode()).hexdigest()} {number}"
        return self._replace(token=token)


class Conflict(Refusal):
    """An Idempotency-Key that another request came with."""

    def __init__(self):
        detail = "Another request came with this Idempotency-Key. Choose a new one for each request."
        super().__init__(422, detail, name="idempotency-conflict", title="Idempotency-Key used before")


def token(request) -> str | None:
    """The request's Idempotency-Key. Raises a `Problem` if it is none."""
    given = request.headers.get("Idempotency-Key")
    if given is not None and not _TOKEN.fullmatch(given):
        raise Problem(400, "Give an Idempotency-Key of 1 to 255 visible ASCII characters.")
    return given


def digest(request, body: bytes) -> str:
    """What a request asks for: its method, address, condition and body."""
    head = [request.method, request.path_info, request.headers.get("If-Match", "")]
    return hashlib.sha256("\0".join(head).encode(errors="replace") + b"\0" + body).hexdigest()


def once(attempt: Attempt, act: Callable[[], Reply]) -> Reply:
    """What `act` answers, or answered before, in one transaction with all that it does.

    Of two that come at once the second waits for the first.
    """
    with transaction.atomic():
        if attempt.token is None:
            return act()
        answer = _begun(attempt)
        return _reply(answer) if answer.status else _kept(answer, act())


def in_steps(attempt: Attempt, act: Callable[[], Reply]) -> Reply:
    """The same for an act in transactions of its own, none of which it may do twice.

    Of two that come at once both act; both are answered what was kept first.
    """
    if attempt.token is None:
        return act()
    with transaction.atomic():
        answer = _begun(attempt)
    if answer.status:
        return _reply(answer)
    reply = act()
    with transaction.atomic():
        answer = _begun(attempt)
        return _reply(answer) if answer.status else _kept(answer, reply)


def _begun(attempt):
    """The row of this request, locked: one that was begun before, or a new one. Whatever is too old goes."""
    Answer.objects.filter(created__lte=attempt.at - KEPT).delete()
    answer, _ = Answer.objects.select_for_update().get_or_create(
        key=attempt.key,
        token=attempt.token,
        defaults={"request": attempt.request, "status": BEGUN, "created": attempt.at},
    )
    if answer.request != attempt.request:
        raise Conflict
    return answer


def _kept(answer, reply):
    answer.status, answer.headers, answer.body = reply
    answer.save(update_fields=["status", "headers", "body"])
    return reply


def _reply(answer):
    return Reply(answer.status, answer.headers, answer.body)
