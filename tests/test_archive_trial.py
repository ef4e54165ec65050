"""The whole archive in and out again, imports that are killed, and imports beside each other and beside the desk."""

import itertools
import os
import random
import signal
import time

import pytest
from django.db import connection

from events import exporting, publishing, verifying
from events.importers import files, loading, records
from events.models import Edition, Event, LogEntry, LogHead
from tests.conftest import SHARED
from tests.histories import Loaded, emptied
from tests.processes import ended, killed_after, started
from tests.words import published, updated

pytestmark = [pytest.mark.trial, pytest.mark.shared, pytest.mark.django_db(transaction=True, serialized_rollback=True)]

ARCHIVE = SHARED / "data" / "archive-1999-2017.jsonl.xz"
CHINESE = SHARED / "data" / "chinese.jsonl"
EVENTS, VERSIONS, WITHDRAWALS = 68_146, 74_062, 125
PART = 600
LATEST = 8_000


@pytest.fixture(scope="module")
def part(tmp_path_factory):
    """Some hundred events of the archive's last years, which have the most versions."""
    return _end_of_archive(tmp_path_factory, PART)


@pytest.fixture(scope="module")
def latest(tmp_path_factory):
    return _end_of_archive(tmp_path_factory, LATEST)


def _end_of_archive(tmp_path_factory, number):
    lines = [line for _place, line in files.lines(str(ARCHIVE))][-number:]
    path = tmp_path_factory.mktemp("part") / "part.jsonl"
    path.write_text("".join(lines), encoding="utf-8")
    return path


def counts():
    return Event.objects.count(), Edition.objects.count(), LogHead.objects.get().seq


def assert_whole():
    """The record is sound, and every event of it has all its versions."""
    assert list(verifying.problems()) == []
    assert LogEntry.objects.count() == LogHead.objects.get().seq


def test_the_archive_goes_in_once():
    assert Loaded(ARCHIVE).numbers == (EVENTS, VERSIONS, 0, 0, 0)
    assert Edition.objects.filter(kind="withdraw").count() == WITHDRAWALS
    assert_whole()
    again = Loaded(ARCHIVE)
    assert (again.numbers, again.problems, again.refusal) == ((0, 0, EVENTS, 0, 0), [], "")


def test_real_histories_go_out_and_in_again(latest, tmp_path):
    assert Loaded(latest).refusal == ""
    first = _exported(tmp_path / "first.jsonl")
    before = counts()
    emptied()
    assert Loaded(first).refusal == ""
    assert counts() == before
    assert_whole()
    assert _exported(tmp_path / "second.jsonl").read_bytes() == first.read_bytes()


def _exported(path):
    with path.open("w", encoding="utf-8") as file:
        file.writelines(line + "\n" for line in exporting.lines())
    return path


def test_chinese_events_go_in():
    assert Loaded(CHINESE).numbers == (400, 400, 0, 0, 0)
    assert_whole()


@pytest.mark.parametrize("seed", range(4))
def test_an_import_that_is_killed_leaves_whole_events_and_goes_on(part, seed):
    statements = random.Random(seed).randrange(20, 400)
    assert ended(started(_killed, part, statements)) == -signal.SIGKILL
    _assert_versions_are_those_of(part)
    assert_whole()
    assert Loaded(part).numbers[3:] == (0, 0)
    assert counts()[0] == PART
    assert_whole()


def _killed(path, statements):
    with killed_after(statements):
        Loaded(path)


def _assert_versions_are_those_of(path):
    """Every event that is here has as many editions as it has versions in the file."""
    read = records.read(files.lines(str(path)), loading.rules())
    expected = {history.ref: len(history.versions) for history in read}
    for event in Event.objects.prefetch_related("editions"):
        assert len(event.editions.all()) == expected[event.ref]


def test_an_import_that_is_killed_from_outside_goes_on(part):
    child = started(Loaded, part)
    while not Event.objects.exists():
        connection.close()
    os.kill(child, signal.SIGKILL)
    assert ended(child) == -signal.SIGKILL
    _assert_versions_are_those_of(part)
    assert_whole()
    Loaded(part)
    assert counts()[0] == PART
    assert_whole()


def test_two_imports_of_one_file_at_once_make_one(part):
    children = [started(Loaded, part) for _ in range(2)]
    assert [ended(child) for child in children] == [0, 0]
    _assert_versions_are_those_of(part)
    assert counts()[0] == PART
    assert_whole()


def test_the_desk_publishes_while_an_import_runs(part):
    child = started(Loaded, part)
    waits = []
    for number in itertools.count():
        start = time.monotonic()
        updated(published(f"The desk's headline {number}.", topics=["Desk"]), topics=["Desk", "Iraq"])
        waits.append(time.monotonic() - start)
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            break
    assert status == 0
    assert_whole()
    assert counts()[0] == PART + len(waits)
    # Each save and each act of the four waits for one batch at most, and takes its own time on a busy machine.
    assert max(waits) < 15
    assert publishing.settle() == 0
