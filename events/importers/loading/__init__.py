"""Puts imported records into the record: in batches under the lock of the log, each event whole or not at all.

The one importer that knows what is stored. Loading the same again changes nothing; what disagrees with the record is
reported and left alone.
"""

import datetime
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from django.conf import settings
from django.db import DataError, IntegrityError, connection
from django.utils import timezone
from reversion.models import Revision
from reversion.models import Version as Save

from events.importers.loading.choices import load_choices
from events.importers.loading.histories import write
from events.importers.loading.names import category_rows, load_topics
from events.importers.loading.plans import Plan
from events.importers.records import BadLine, Categories, Choice, History, Record, Rules, TopicNames
from events.log import public_act
from events.models import Address, Edition, EditionTopic, Event, EventTopic, LogEntry, Source, Topic

LOCK_SECONDS = 0.5
# What a batch may hold, counted in rows: the first is small, since the machine may be slow.
FIRST_BATCH, LARGEST_BATCH = 500, 20_000
# From so many versions on, the database's statistics are of another time.
LARGE = 1_000
_TABLES = (Event, EventTopic, Source, Edition, EditionTopic, Address, LogEntry, Topic, Revision, Save)

Report = Callable[[str], object]


@dataclass
class Tally:
    """What became of the records of a file."""

    events: int = 0
    versions: int = 0
    unchanged: int = 0
    conflicts: int = 0
    bad: int = 0

    def __str__(self):
        return (
            f"{self.events} events added, {self.versions} versions added, {self.unchanged} events unchanged, "
            f"{self.conflicts} conflicts, {self.bad} bad lines"
        )

    @property
    def whole(self) -> bool:
        return not self.conflicts and not self.bad


def rules() -> Rules:
    """What files are read with now, on this site."""
    latest = timezone.localdate() + datetime.timedelta(days=1)
    return Rules(timezone.now(), latest, settings.LANGUAGE_CODE)


def load(found: Iterable[Record | BadLine], report: Report) -> Tally:
    """Load every record that can be, and `report` of every other one where it is and why."""
    loading = _Loading(report)
    for batch in _batches(found, lambda: loading.size):
        loading.load(batch)
    if loading.tally.versions >= LARGE:
        _analyze()
    return loading.tally


def check(found: Iterable[Record | BadLine], report: Report) -> Tally:
    """What `load` would say of these records, as far as the record that stands can tell; writes nothing."""
    loading = _Loading(report)
    for batch in _batches(found, lambda: FIRST_BATCH * 10):
        loading.check(batch)
    return loading.tally


class _Loading:
    """A load in progress: what became of it so far, and how much the next batch may hold."""

    def __init__(self, report: Report):
        self.report = report
        self.tally = Tally()
        self.size = FIRST_BATCH

    def load(self, batch: list) -> None:
        match batch[0]:
            case BadLine():
                self._tell_bad(batch)
            case Categories():
                self._load_categories(batch)
            case TopicNames():
                self._tell_conflicts(self._timed(load_topics, batch))
            case Choice():
                self._tell_conflicts(self._timed(load_choices, batch))
            case History():
                self._load_events(batch)

    def check(self, batch: list) -> None:
        match batch[0]:
            case BadLine():
                self._tell_bad(batch)
            case History():
                plan = Plan(batch)
                plan.give_addresses()
                self._tell(plan)

    def _load_categories(self, batch: list[Categories]) -> None:
        with public_act(None, None) as act:
            category_rows([category for line in batch for category in line.categories])
            act.head.changed += 1

    def _load_events(self, batch: list[History]) -> None:
        """Load a batch, or each half of it if the database refuses the whole, down to the event that it means."""
        plan = Plan(batch)
        try:
            if plan.additions:
                plan = self._timed(_write, batch)
        except (DataError, IntegrityError) as error:
            if len(batch) == 1:
                reason, *_ = str(error).splitlines()
                self._tell_conflicts([f"{batch[0].place}: the database refuses it: {reason}"])
                return
            self._load_events(batch[: len(batch) // 2])
            self._load_events(batch[len(batch) // 2 :])
            return
        self._tell(plan)

    def _timed(self, act, batch):
        """What `act` makes of the batch, which holds the lock meanwhile; the next one is to take `LOCK_SECONDS`."""
        start = time.monotonic()
        result = act(batch)
        wanted = self.size * LOCK_SECONDS / (time.monotonic() - start)
        self.size = round(min(max(wanted, self.size / 4, FIRST_BATCH / 5), self.size * 2, LARGEST_BATCH))
        return result

    def _tell(self, plan: Plan) -> None:
        self.tally.events += sum(1 for addition in plan.additions if not addition.standing)
        self.tally.versions += sum(len(addition.steps) for addition in plan.additions)
        self.tally.unchanged += plan.unchanged
        self._tell_conflicts(plan.conflicts)

    def _tell_conflicts(self, conflicts: list[str]) -> None:
        self.tally.conflicts += len(conflicts)
        for conflict in conflicts:
            self.report(conflict)

    def _tell_bad(self, lines: list[BadLine]) -> None:
        self.tally.bad += len(lines)
        for line in lines:
            self.report(f"{line.place}: {line.reason}")


def _write(batch: list[History]) -> Plan:
    """Plan again under the lock, where nothing else moves, and write what is new."""
    with public_act(None, None) as act:
        plan = Plan(batch, act.now)
        write(act, plan.additions)
    return plan


def _batches(found: Iterable, size: Callable[[], int]) -> Iterator[list]:
    """Runs of records of one kind, of about `size()` rows at most, no event twice in one."""
    batch: list = []
    rows, names = 0, set()
    for record in found:
        named = _names(record)
        if batch and (type(batch[0]) is not type(record) or rows >= size() or names & named):
            yield batch
            batch, rows, names = [], 0, set()
        batch.append(record)
        rows += _weight(record)
        names |= named
    if batch:
        yield batch


def _names(record) -> set:
    return {record.ref, record.uid} - {None} if isinstance(record, History) else set()


def _weight(record) -> int:
    """About how many rows a record becomes."""
    if not isinstance(record, History):
        return 5
    texts = [version.text for version in record.versions if version.text]
    return 5 * len(record.versions) + sum(2 * len(text.sources) + 3 * len(text.topics) for text in texts)


def _analyze() -> None:
    """Let the database count its rows: without statistics, SQLite takes a hundred times as long for a history."""
    with connection.cursor() as cursor:
        for model in _TABLES:
            cursor.execute(f"ANALYZE {connection.ops.quote_name(model._meta.db_table)}")
