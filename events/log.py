"""The log of public acts: its lock, the clock that is read under it, and the chain of entries.

Knows what an act is made of and none of the rules of any; only `publishing` and the loading of histories open one.
"""

import datetime
from collections import Counter
from collections.abc import Iterable
from contextlib import contextmanager

import reversion
from django.db import connection, transaction
from django.db.models import F
from django.utils import timezone

from events import documents, permissions
from events.models import Edition, EditionTopic, LogEntry, LogHead, Topic
from events.permissions import User


class Act:
    """A public act in progress: the locked head, the clock read after the lock, the entries so far."""

    def __init__(self, head: LogHead, now: datetime.datetime):
        self.head = head
        self.now = now
        self.entries: list[LogEntry] = []
        self.uses: Counter[int] = Counter()

    def settle(self) -> None:
        """Log what fell due; its topics are counted at once, so that an act finds them as the log has them."""
        for edition in Edition.objects.due(self.now, self.head.recorded).select_related("event", "revision"):
            self.enter(edition, edition.revision and edition.revision.user)
        self._write_uses()

    def enter(self, edition: Edition, by: User) -> None:
        """Log an edition that is public now, and count its topics in place of those of the one before."""
        before = EditionTopic.objects.filter(edition__event=edition.event_id, edition__number=edition.number - 1)
        after = EditionTopic.objects.filter(edition=edition)
        self.count(before.values_list("topic_id", flat=True), after.values_list("topic_id", flat=True))
        self.append(
            edition.kind,
            by,
            occurred=edition.issued,
            event=edition.event,
            edition=edition,
            note=edition.note,
            commitment=edition.commitment,
        )

    def count(self, before: Iterable[int], after: Iterable[int]) -> None:
        self.uses.update(after)
        self.uses.subtract(before)

    def append(self, kind, by, *, occurred, event=None, edition=None, note="", commitment=None) -> LogEntry:
        """The next entry of the chain."""
        head = self.head
        entry = LogEntry(
            seq=head.seq + 1,
            kind=kind,
            event=event,
            edition=edition,
            occurred=occurred,
            recorded=max(self.now, head.recorded),
            note=note,
            commitment=commitment or log_commitment(note, edition and edition.date),
            previous=head.hash,
            by=by,
        )
        entry.hash = documents.digest(hashed_members(entry, event and event.uid, edition and edition.number))
        head.seq, head.hash, head.recorded = entry.seq, entry.hash, entry.recorded
        self.entries.append(entry)
        return entry

    def write(self) -> None:
        LogEntry.objects.bulk_create(self.entries)
        self._write_uses()
        self.head.save()

    def _write_uses(self) -> None:
        for change in {change for change in self.uses.values() if change}:
            topics = [topic for topic, by in self.uses.items() if by == change]
            Topic.objects.filter(pk__in=topics).update(uses=F("uses") + change)
        self.uses.clear()


@contextmanager
def public_act(by: User, verb: str | None):
    """The transaction of one public act, under the lock of the log's head; yields an `Act` with the due ones logged."""
    permissions.require(by, verb)
    with transaction.atomic(durable=True):
        head = LogHead.objects.select_for_update().get()
        act = Act(head, timezone.now().replace(microsecond=0))
        act.settle()
        yield act
        act.write()
        _keep_privately([entry for entry in act.entries if entry.kind not in Edition.Kind.values])


@contextmanager
def snapshot():
    """Whatever is read within is read as it stands at one moment, while others go on writing."""
    if connection.in_atomic_block:
        yield
    elif connection.vendor == "sqlite":
        # Not `atomic`, which would take the lock that every act waits for.
        with connection.cursor() as cursor:
            cursor.execute("BEGIN DEFERRED")
            try:
                yield
            finally:
                cursor.execute("ROLLBACK")
    else:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
            yield


def hashed_members(entry: LogEntry, uid, number: int | None) -> dict:
    """What an entry's hash is over, in the words that partners are given."""
    return {
        "seq": entry.seq,
        "kind": str(entry.kind),
        "event": uid and str(uid),
        "edition": number,
        "occurred": documents.rfc3339(entry.occurred),
        "recorded": documents.rfc3339(entry.recorded),
        "commitment": entry.commitment,
        "previous": entry.previous,
    }


def log_commitment(note: str, date: datetime.date | None) -> str:
    """What a redaction or an act on topics commits to: all of it is public, so there is no salt."""
    return documents.commitment("", date and {"date": date.isoformat()}, note, "")


def topic_uses(recorded: datetime.datetime):
    """The rows that `Topic.uses` counts: topics of each event's latest edition in a log written up to `recorded`."""
    return EditionTopic.objects.filter(edition__issued__lte=recorded).exclude(edition__superseded__lte=recorded)


def _keep_privately(entries):
    """Keep the entries that no edition's save accounts for in the desk's own history, with who did it."""
    for entry in entries:
        with reversion.create_revision():
            reversion.add_to_revision(entry)
            reversion.set_user(entry.by)
            reversion.set_comment(f"Log entry {entry.seq} ({entry.kind})")
