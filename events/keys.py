"""Keys to the API: made, shown once, recognized and revoked; and the receipts of those who follow the log."""

import base64
import datetime
import hashlib
import secrets
import uuid
from collections.abc import Iterable
from typing import NamedTuple

from django.contrib.auth import get_user_model
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.db.models import Q
from django.utils.crypto import salted_hmac

from events import permissions, texts
from events.models import Key, Receipt
from events.permissions import User
from events.refusals import WrongState

PREFIX = "nd_"
# 256 random bits: nobody guesses them, so a digest without a salt is enough and one look into an index finds it.
BYTES = 32
START = 8
# The one of our back ends that knows who has a permission.
_BACKEND = "django.contrib.auth.backends.ModelBackend"


class Reach(NamedTuple):
    """The partners who have the log up to some entry, and those who do not yet; each by name."""

    have: list[Key]
    lack: list[Key]


def make(
    name: str,
    *,
    by: User,
    at: datetime.datetime,
    follows: bool = True,
    writes: bool = False,
    publishes: bool = False,
    user: User = None,
    expires: datetime.datetime | None = None,
    once: uuid.UUID | None = None,
) -> tuple[Key, str]:
    """A new key, and what it is made of, which is told here and never again.

    Whatever is asked for with the same random `once` makes no second key. Raises `PermissionDenied`, `ValidationError`
    with what is wrong by field, or `WrongState` if the key of this `once` is made already.
    """
    permissions.require(by, "manage keys")
    problems = {
        "name": texts.name_problem(name),
        "user": _person_problem(by, user, writes, publishes),
        "expires": "Choose a time in the future, or none." if expires and expires <= at else None,
    }
    if any(problems.values()):
        raise ValidationError({field: problem for field, problem in problems.items() if problem})
    token = PREFIX + _letters(once)
    key = Key(
        name=name,
        start=token[: len(PREFIX) + START],
        digest=_digest(token),
        follows=follows,
        writes=writes,
        publishes=publishes,
        user=user,
        by=by,
        created=at,
        expires=expires,
    )
    try:
        with transaction.atomic():
            key.save(force_insert=True)
    except IntegrityError as error:
        raise WrongState(
            "This key was made already, and was shown then. If nobody copied it, revoke it and make another."
        ) from error
    return key, token


def writers(by: User):
    """The people in whose name a key made by `by` may write: those of the desk who may; a superuser for nobody else."""
    people = get_user_model().objects.with_perm(permissions.NEEDED["write"], backend=_BACKEND).filter(is_staff=True)
    return people if by is None else people.filter(Q(is_superuser=False) | Q(pk=by.pk))


def revoke(key: Key, *, by: User, at: datetime.datetime) -> None:
    """From now on the key opens nothing. Raises `PermissionDenied`, or `WrongState` if it was revoked before."""
    permissions.require(by, "manage keys")
    if not Key.objects.filter(pk=key.pk, revoked=None).update(revoked=at):
        raise WrongState("This key is revoked already.")


def recognized(token: str, at: datetime.datetime) -> Key | None:
    """The key that is made of this, if it opens anything at `at`; that it was used is noted, to the minute."""
    key = Key.objects.select_related("user", "receipt").filter(digest=_digest(token)).first()
    if key is None or not key.is_active(at):
        return None
    minute = at.replace(second=0, microsecond=0)
    if key.used is None or key.used < minute:
        Key.objects.filter(pk=key.pk).update(used=minute)
    return key


def note_fetched(key: Key, seq: int, at: datetime.datetime) -> None:
    """Note that the log up to `seq` was given to the holder of this key. A receipt never goes back."""
    _note(key, at, "fetched", seq)


def note_acknowledged(key: Key, seq: int, at: datetime.datetime) -> None:
    """Note that the holder of this key says to have everything up to `seq`."""
    _note(key, at, "acknowledged", seq)


def reached(seq: int, at: datetime.datetime) -> Reach:
    """Who has the log up to `seq`."""
    return reached_each([seq], at)[seq]


def reached_each(seqs: Iterable[int], at: datetime.datetime) -> dict[int, Reach]:
    """Who has the log up to each of these, in one query. Who never fetched anything has nothing."""
    partners = [(key, seq_of(key)) for key in Key.objects.partners(at)]
    return {
        seq: Reach([key for key, has in partners if has >= seq], [key for key, has in partners if has < seq])
        for seq in seqs
    }


def seq_of(key: Key) -> int:
    """How far the holder of a key has come in the log: the last `seq` fetched or acknowledged, 0 for none."""
    receipt = getattr(key, "receipt", None)
    return receipt.seq if receipt else 0


def _person_problem(by, user, writes, publishes):
    if user is None:
        return "Say in whose name the key writes." if writes or publishes else None
    if not writers(by).filter(pk=user.pk).exists():
        return "Choose somebody of the desk who may write entries."
    if publishes and not permissions.may(user, "publish"):
        return "This person may not publish. Choose an editor or a chief."
    return None


def _letters(once):
    if once is None:
        return secrets.token_urlsafe(BYTES)
    # As hard to guess, for who has no secret key of ours, and the same each time it is asked for.
    made = salted_hmac("events.keys", str(once), algorithm="sha256").digest()
    return base64.urlsafe_b64encode(made).rstrip(b"=").decode()


def _note(key, at, what, seq):
    receipt = getattr(key, "receipt", None) or Receipt.objects.get_or_create(key=key)[0]
    if getattr(receipt, what) < seq:
        behind = Receipt.objects.filter(Q(**{f"{what}__lt": seq}), key=key)
        behind.update(**{what: seq, f"{what}_at": at})


def _digest(token):
    return hashlib.sha256(token.encode(errors="replace")).hexdigest()
