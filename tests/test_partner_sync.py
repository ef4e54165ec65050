"""The partner of the examples: its mirror is the public record, whatever happens to either of them."""

import ast
import datetime
import itertools
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from random import Random

import pytest
import time_machine
from django.core.cache import cache
from django.db import connection, transaction
from hypothesis import HealthCheck, Phase, example, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from events import addresses
from events.models import Event, LogHead
from examples import partner_sync
from tests.partners import (
    ACTS,
    Newsroom,
    Partner,
    assert_is_the_record,
    assert_verifies,
    follow,
    log,
    marks_in,
    mirrored,
    serving,
)
from tests.processes import ended, started
from tests.words import published, updated

pytestmark = pytest.mark.django_db

NOON = datetime.datetime(2026, 11, 22, 12, 0, 20, tzinfo=datetime.UTC)
SECOND = datetime.timedelta(seconds=1)
PROGRAM = Path(__file__).parents[1] / "examples" / "partner_sync.py"
DOCUMENT = Path(__file__).parents[1] / "docs" / "partner.md"


@pytest.fixture(autouse=True)
def clock(settings):
    settings.NEWSDESK_RATE = 1_000_000
    cache.clear()
    with time_machine.travel(NOON, tick=False) as clock:
        yield clock


def state(folder):
    return json.loads((folder / "state.json").read_text())


class TestProgram:
    def test_it_is_short(self):
        assert len(PROGRAM.read_text().splitlines()) < 120

    def test_it_needs_nothing_but_python(self):
        tree = ast.parse(PROGRAM.read_text())
        imported = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
        imported |= {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
        assert {name.partition(".")[0] for name in imported} <= sys.stdlib_module_names

    def test_the_document_says_how_to_run_it(self):
        assert "python examples/partner_sync.py https://news.example.org FOLDER" in DOCUMENT.read_text()


class TestAnswers:
    """What stands between a newsroom and its partners may say anything."""

    ODD = [
        (503, {"Retry-After": "Sun, 22 Nov 2026 12:00:20 GMT"}, b"Later."),
        (200, {}, b"<html>Please log in.</html>"),
        (200, {}, b'{"entries": [{"seq"'),
        (200, {}, b"\xff"),
        (200, {"Content-Length": "9"}, b"{}"),
        (429, {"Retry-After": "7"}, b""),
    ]

    @pytest.fixture
    def waited(self, monkeypatch):
        waited = []
        monkeypatch.setattr(time, "sleep", waited.append)
        return waited

    @pytest.mark.parametrize(("odd", "seconds"), [*zip(ODD, [1, 1, 1, 1, 1, 7], strict=True)], ids=str)
    def test_it_asks_again_for_what_is_no_answer(self, tmp_path, waited, odd, seconds):
        with answering(odd, (200, {}, b'{"entries": []}')) as site:
            mirror = partner_sync.Mirror(tmp_path, site)
            assert mirror.page_after(partner_sync.START, 500) == {"entries": []}
            mirror.chain.close()
        assert waited == [seconds]

    def test_it_says_so_in_the_end(self, tmp_path, waited):
        with answering(*[self.ODD[1]] * 7) as site:
            mirror = partner_sync.Mirror(tmp_path, site)
            with pytest.raises(SystemExit, match="Try again later; nothing is lost"):
                mirror.page_after(partner_sync.START, 500)
            mirror.chain.close()
        assert waited == [1, 2, 4, 8, 16, 32, 60]

    def test_what_it_must_not_repeat_ends_it_with_the_words_of_the_answer(self, tmp_path, waited):
        with answering((400, {}, b"This is no cursor of this log.")) as site:
            mirror = partner_sync.Mirror(tmp_path, site)
            with pytest.raises(SystemExit, match="This is no cursor of this log"):
                mirror.page_after(partner_sync.START, 500)
            mirror.chain.close()
        assert waited == []


@contextmanager
def answering(*answers):
    """A server that gives these (status, headers, body), one after the other; yields its URL."""
    left = iter(answers)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            status, headers, body = next(left)
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args):
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


class TestMirror:
    def test_it_has_each_event_as_it_is_now(self, client, tmp_path):
        event = published("One.", topics=["Rome"])
        published("Two.")
        updated(event, "correction", "It was not one.", headline="Three.")
        assert follow(tmp_path, client)
        assert {row[1]["headline"] for row in mirrored(tmp_path).values()} == {"Two.", "Three."}
        assert mirrored(tmp_path)[str(event.uid)][2:] == ("It was not one.", "three")
        assert_is_the_record(tmp_path)
        head = LogHead.objects.get()
        assert (state(tmp_path)["seq"], state(tmp_path)["hash"]) == (3, head.hash)

    def test_nothing_is_public_yet(self, client, tmp_path):
        assert follow(tmp_path, client)
        assert mirrored(tmp_path) == {}
        published()
        assert follow(tmp_path, client)
        assert_is_the_record(tmp_path)

    @pytest.mark.parametrize("between", [True, False])
    def test_of_a_withdrawn_event_no_word_is_left_until_it_is_restored(self, client, tmp_path, between):
        room = Newsroom()
        room.publish(0, 1)
        room.correct(0, 0)
        if between:
            follow(tmp_path, client)
            assert marks_in(tmp_path)
        room.withdraw(0, 0)
        follow(tmp_path, client)
        assert (mirrored(tmp_path), marks_in(tmp_path)) == ({}, set())
        room.restore(0, 0)
        follow(tmp_path, client)
        assert_is_the_record(tmp_path)
        assert len(mirrored(tmp_path)) == 1

    def test_a_redacted_version_is_nowhere_and_the_event_stays(self, client, tmp_path):
        room = Newsroom()
        room.publish(0, 1)
        follow(tmp_path, client)
        room.correct(0, 0)
        room.redact(0, 0)
        follow(tmp_path, client, limit=1)
        assert_is_the_record(tmp_path)
        assert len(mirrored(tmp_path)) == 1

    def test_what_is_withdrawn_while_it_reads_is_gone_at_the_end(self, client, tmp_path):
        room = Newsroom()
        for number in range(3):
            room.publish(number, number)
        follow(tmp_path, client, limit=1, steps=3)
        room.withdraw(0, 0)
        room.withdraw(2, 0)
        follow(tmp_path, client, limit=1)
        assert_is_the_record(tmp_path)
        assert len(mirrored(tmp_path)) == 1

    @pytest.mark.parametrize(
        ("member", "value"),
        [
            ("note", "Another."),
            ("slug", "another"),
            ("document", {"headline": "Another."}),
            ("occurred", "2017"),
            ("seq", 7),
        ],
    )
    def test_what_does_not_verify_is_not_taken(self, client, tmp_path, monkeypatch, member, value):
        published("One.")
        follow(tmp_path, client)
        published("Two.")
        answer = Partner.page_after

        def forged(*args):
            page = answer(*args)
            for entry in page["entries"]:
                entry[member] = value
            return page

        monkeypatch.setattr(Partner, "page_after", forged)
        with pytest.raises(SystemExit, match="Entry 2 does not verify"):
            follow(tmp_path, client)
        assert (state(tmp_path)["seq"], len(mirrored(tmp_path))) == (1, 1)
        monkeypatch.undo()
        assert follow(tmp_path, client)
        assert_is_the_record(tmp_path)

    def test_a_name_never_leads_out_of_the_folder(self, tmp_path, client):
        partner = Partner(tmp_path / "mirror", client)
        partner.make([{"event": "../../out", "kind": "publish", "document": {"headline": "Out."}}])
        assert not list(tmp_path.glob("out*"))
        assert [path.name for path in partner.events.iterdir()] == ["out.json"]

    def test_a_page_takes_its_queries_however_much_it_has(self, client, tmp_path, django_assert_max_num_queries):
        for number in range(30):
            published(f"Number {number}.", topics=["Rome"])
        partner = Partner(tmp_path, client, limit=30)
        with django_assert_max_num_queries(4):
            assert len(partner.page_after({"seq": 0}, 500)["entries"]) == 30


def test_killed_at_any_step_it_ends_with_the_record(client, tmp_path):
    """Every step of a history, each time in a new folder; meanwhile the newsroom goes on."""
    room = Newsroom()
    for verb in ("publish", "publish", "correct", "withdraw", "publish"):
        room.act(verb, 0, 1)
    for steps in itertools.count():
        folder = tmp_path / str(steps)
        done = follow(folder, client, limit=3, steps=steps)
        room.act(("update", "correct", "withdraw", "restore")[steps % 4], steps, 0)
        assert follow(folder, client, limit=2)
        assert_is_the_record(folder)
        if done:
            break
    assert steps > 8


def test_a_file_that_was_not_finished_is_removed(client, tmp_path):
    published("One.")
    follow(tmp_path, client)
    (tmp_path / "unfinished").write_text('{"headline": "Mark1x')
    assert follow(tmp_path, client)
    assert_is_the_record(tmp_path)


def test_a_line_that_was_cut_off_is_no_line(client, tmp_path):
    published("One.")
    follow(tmp_path, client)
    with (tmp_path / "chain.jsonl").open("a") as chain:
        chain.write('{"seq": 2, "ki')
    published("Two.")
    assert follow(tmp_path, client)
    assert_is_the_record(tmp_path)
    assert [json.loads(line)["seq"] for line in (tmp_path / "chain.jsonl").open()] == [1, 2]


# Acts that a restored log has lost, and those that it has instead: verb and number.
LOST = [
    [("publish", 0)],
    [("update", 0)],
    [("withdraw", 0)],
    [("correct", 1), ("redact", 1)],
    [("withdraw", 0), ("restore", 0)],
    [("rename", 0)],
    [("publish", 0), ("update", 1), ("correct", 1), ("withdraw", 2), ("merge", 1), ("publish", 0)],
]
DONE = [
    [],
    [("update", 0)],
    [("correct", 1), ("withdraw", 0), ("publish", 3)],
    [("rename", 1)],
    [("update", number) for number in range(9)],
]
FORKS = [*((lost, DONE[2]) for lost in LOST), *((LOST[-1], done) for done in DONE)]


class TestRestoredBackup:
    """A savepoint is the backup: to roll back to it takes away the later acts on either database."""

    @pytest.fixture
    def room(self):
        room = Newsroom()
        for number in range(5):
            room.publish(number, number)
        return room

    def forked(self, client, folder, room, lost, done):
        """The mirror once it came to the end of a log that lost some acts, and has others."""
        backup = transaction.savepoint()
        for verb, one in lost:
            assert room.act(verb, one, 0)
        follow(folder, client)
        assert_is_the_record(folder)
        before = state(folder)
        transaction.savepoint_rollback(backup)
        for verb, one in done:
            assert room.act(verb, one, 0)
        response = client.get(addresses.changes(), {"after": before["cursor"]})
        assert response.status_code == 409
        assert follow(folder, client)
        assert_is_the_record(folder)
        assert state(folder)["hash"] == LogHead.objects.get().hash

    @pytest.mark.parametrize(("lost", "done"), FORKS, ids=str)
    def test_it_is_noticed_and_recovered_from(self, client, tmp_path, room, lost, done):
        self.forked(client, tmp_path, room, lost, done)

    def test_it_is_empty(self, client, tmp_path):
        self.forked(client, tmp_path, Newsroom(), [("publish", 0), ("update", 0)], [])
        assert mirrored(tmp_path) == {}

    def test_no_page_of_the_lost_log_is_given_again(self, client, room):
        """Within one second, and with as many entries: only the hashes tell the two logs apart."""
        after = client.get(addresses.changes()).json()["next"]
        backup = transaction.savepoint()
        notes = []
        for number in (0, 1):
            room.rename(number, 0)
            page = client.get(addresses.changes(), {"after": after}).json()
            notes.append(page["entries"][0]["note"])
            assert page["head"]["hash"] == LogHead.objects.get().hash
            transaction.savepoint_rollback(backup)
        assert notes[0] != notes[1]

    def test_killed_while_it_goes_back_it_recovers(self, client, tmp_path, room):
        room.update(0, 0)
        backup = transaction.savepoint()
        for verb, one in LOST[-1]:
            room.act(verb, one, 0)
        follow(tmp_path / "whole", client)
        transaction.savepoint_rollback(backup)
        room.correct(2, 0)
        for steps in itertools.count():
            folder = shutil.copytree(tmp_path / "whole", tmp_path / str(steps))
            done = follow(folder, client, steps=steps)
            assert follow(folder, client)
            assert_is_the_record(folder)
            if done:
                break
        assert steps > 5

    @pytest.mark.parametrize("done", [DONE[0], DONE[2], DONE[-1]], ids=str)
    def test_killed_before_it_happened_it_recovers(self, client, tmp_path, room, done):
        """What was taken of a page that the restored log does not have goes, though the place is in both."""
        follow(tmp_path / "start", client)
        backup = transaction.savepoint()
        for verb, one in LOST[-1]:
            room.act(verb, one, 0)
        for steps in itertools.count():
            folder = shutil.copytree(tmp_path / "start", tmp_path / str(steps))
            if follow(folder, client, steps=steps):
                break
        transaction.savepoint_rollback(backup)
        for verb, one in done:
            room.act(verb, one, 0)
        for number in range(steps):
            assert follow(tmp_path / str(number), client)
            assert_is_the_record(tmp_path / str(number))
        assert steps > 5

    def test_a_common_place_with_another_hash_than_ours_is_none(self, client, tmp_path, room, monkeypatch):
        answer = Partner.page_after

        asked_after_fork = []

        def deceived(partner, place, limit):
            page = answer(partner, place, limit)
            if "common" in page or (asked_after_fork and limit > 1):
                asked_after_fork.append(place["seq"])
            if "common" in page:
                page["common"]["hash"] = "f" * 64
            return page

        monkeypatch.setattr(Partner, "page_after", deceived)
        self.forked(client, tmp_path, room, [("publish", 0), ("update", 0)], [("correct", 0)])
        assert asked_after_fork[:2] == [7, 0]


STEPS = st.tuples(
    st.sampled_from([*ACTS, "publish", "update", "correct", "poll", "poll", "back up", "restore backup"]),
    st.integers(0, 5),
    st.integers(0, 5),
)


EVERY_STEP = [
    *(("publish", 1, 2), ("update", 0, 1), ("poll", 1, 0), ("correct", 0, 0), ("schedule", 1, 0), ("back up", 0, 0)),
    *(("touch", 0, 0), ("poll", 5, 5), ("wait", 0, 0), ("redact", 0, 0), ("re_date", 0, 5), ("withdraw", 1, 0)),
    *(("poll", 1, 1), ("merge", 1, 2), ("rename", 3, 0), ("restore", 1, 0), ("poll", 5, 5), ("restore backup", 0, 0)),
    *(("merge", 0, 1), ("poll", 1, 1)),
]


def assert_the_mirror_is_the_record(client, clock, examples, longest):
    seen = Counter()

    # The same histories each time, and none made shorter, which takes minutes.
    @hypothesis_settings(
        max_examples=examples,
        deadline=None,
        derandomize=True,
        suppress_health_check=list(HealthCheck),
        phases=(Phase.explicit, Phase.generate),
    )
    @given(st.lists(STEPS, min_size=8, max_size=longest))
    @example([("publish", 0, 1), ("poll", 1, 9), ("withdraw", 0, 0), ("redact", 0, 0), ("poll", 9, 9)])
    @example(EVERY_STEP)
    @example([("publish", 0, 1), ("schedule", 0, 0), ("poll", 1, 9), ("wait", 0, 0), ("poll", 1, 0), ("redact", 0, 0)])
    def mirrored_while_it_happens(steps):
        cache.clear()
        clock.move_to(NOON)
        # Not `atomic`, within which no public act may begin.
        start = transaction.savepoint()
        try:
            with tempfile.TemporaryDirectory() as folder:
                seen.update(_taken(client, clock, Path(folder), [("publish", 0, 1), *steps]))
        finally:
            transaction.savepoint_rollback(start)

    mirrored_while_it_happens()
    return seen


def _taken(client, clock, folder, steps):
    """Take the steps; the acts that were done, polls that came to the end or were killed, commitments checked."""
    room, backup, seen = Newsroom(clock=clock), None, Counter()
    for verb, one, other in steps:
        if verb == "poll":
            seen["polls" if follow(folder, client, limit=one + 1, steps=other * 3) else "kills"] += 1
        elif verb == "back up":
            backup = transaction.savepoint()
        elif verb == "restore backup":
            if backup:
                transaction.savepoint_rollback(backup)
                seen["restored backups"] += 1
        else:
            seen[verb] += room.act(verb, one, other)
        clock.shift(SECOND)
    assert follow(folder, client)
    assert_is_the_record(folder)
    seen["commitments"] += assert_verifies(client)
    return seen


def test_after_any_history_the_mirror_is_the_record(client, clock):
    seen = assert_the_mirror_is_the_record(client, clock, 5, 16)
    assert all(seen[name] for name in (*ACTS, "polls", "kills", "restored backups", "commitments"))


@pytest.mark.trial
def test_after_any_of_many_histories_the_mirror_is_the_record(client, clock):
    seen = assert_the_mirror_is_the_record(client, clock, 100, 40)
    print(seen)
    assert all(seen[name] > 20 for name in (*ACTS, "polls", "kills", "restored backups"))


class RealClock:
    """For tests with processes and threads, whose transactions are real ones."""

    pytestmark = pytest.mark.django_db(transaction=True, serialized_rollback=True)

    @pytest.fixture(autouse=True)
    def clock(self, settings):
        settings.NEWSDESK_RATE = 900_000
        cache.clear()


KILLS, WRITERS, WRITES = 30, 3, 120


@pytest.mark.trial
class TestKilledAgainAndAgain(RealClock):
    def test_while_others_write_it_ends_with_the_record(self, client, tmp_path):
        """Every other time from outside at a random moment, else at a step of its own by chance."""
        chance = Random(2017)
        folder, statuses = tmp_path / "mirror", Counter()
        room = Newsroom()
        for number in range(150):
            room.act("publish", number, number + 1)
        with serving(tmp_path / "var") as site:
            writers = [started(_write, number) for number in range(1, WRITERS + 1)]
            while statuses[-signal.SIGKILL] < KILLS or any(map(_is_running, writers)):
                if sum(statuses.values()) % 2:
                    status = ended(started(_killed_at_step, folder, site, chance.randrange(1, chance.choice((8, 400)))))
                else:
                    status = _killed_after(chance.uniform(0, 1), folder, site)
                assert status in (0, -signal.SIGKILL)
                statuses[status] += 1
            assert [ended(writer) for writer in writers] == [0] * WRITERS
            assert _killed_after(None, folder, site) == 0
        print(statuses, LogHead.objects.get().seq)
        assert_is_the_record(folder)
        assert assert_verifies(client) > 100


def _write(number):
    chance, room = Random(number), Newsroom(number * 1_000_000)
    verbs = [verb for verb in ACTS if verb not in ("schedule", "wait")]
    for _ in range(WRITES):
        room.act(chance.choice(verbs), chance.randrange(20), chance.randrange(20))


def _is_running(child):
    """Whether a child has not ended; it stays to be waited for."""
    return os.waitid(os.P_PID, child, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None


def _killed_at_step(folder, site, steps):
    """Follow, and be killed when something is written to the disk for this time, before or after it took its place."""
    sync, replace = os.fsync, Path.replace

    def killing(act):
        def step(*args):
            nonlocal steps
            steps -= 1
            if not steps:
                os.kill(os.getpid(), signal.SIGKILL)
            return act(*args)

        return step

    os.fsync, Path.replace = killing(sync), killing(replace)
    partner_sync.Mirror(folder, site).follow()


def _killed_after(seconds, folder, site):
    """The exit status of the program, which is killed from outside after so many seconds."""
    process = subprocess.Popen([sys.executable, PROGRAM, site, folder], stdout=subprocess.DEVNULL)
    with suppress(subprocess.TimeoutExpired):
        process.wait(seconds)
    process.kill()
    return process.wait()


class TestOrderOfCommits(RealClock):
    """Two transactions that would end in another order than they began, and a partner who reads in between."""

    BEFORE_THE_LOCK, BEFORE_THE_ENTRY = 'SELECT "events_loghead"', 'INSERT INTO "events_logentry"'

    def test_who_began_first_and_ended_last_is_not_skipped(self, client, tmp_path):
        with paused("First.", self.BEFORE_THE_LOCK) as go:
            second = publisher("Second.")
            if connection.vendor == "postgresql":
                second.join()
                assert self.seen(client, tmp_path) == ["Second."]
            else:
                # Who writes to SQLite is alone from the beginning of a transaction, so the second waits.
                assert self.seen(client, tmp_path) == []
                assert second.is_alive()
            go.set()
            second.join()
        assert self.seen(client, tmp_path) == ["First.", "Second."]
        assert assert_verifies(client) == 2

    def test_nobody_ends_before_who_is_about_to_write_its_entry(self, client, tmp_path):
        with paused("First.", self.BEFORE_THE_ENTRY) as go:
            second = publisher("Second.")
            _wait_for_a_lock()
            assert self.seen(client, tmp_path) == []
            assert second.is_alive()
            go.set()
            second.join()
        assert self.seen(client, tmp_path) == ["First.", "Second."]
        assert [entry["url"] for entry in log(client)] == [
            addresses.absolute(addresses.uid(Event.objects.get(headline=headline).uid))
            for headline in ("First.", "Second.")
        ]

    def seen(self, client, folder):
        assert follow(folder, client)
        assert_is_the_record(folder)
        return sorted(document["headline"] for _, document, _, _ in mirrored(folder).values())


def publisher(headline, execute=lambda run, *args: run(*args)):
    """A thread that publishes, on a connection of its own whose statements go through `execute`."""

    def publish():
        with connection.execute_wrapper(execute):
            published(headline)
        connection.close()

    thread = threading.Thread(target=publish)
    thread.start()
    return thread


@contextmanager
def paused(headline, statement):
    """While a thread that publishes stops before a statement that begins so; yields what lets it go on."""
    reached, go = threading.Event(), threading.Event()

    def execute(run, sql, *args):
        if sql.startswith(statement):
            reached.set()
            assert go.wait(60)
        return run(sql, *args)

    thread = publisher(headline, execute)
    try:
        assert reached.wait(60)
        yield go
    finally:
        go.set()
        thread.join()


def _wait_for_a_lock():
    """Until somebody waits for a lock, where the database can tell."""
    while connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM pg_locks WHERE NOT granted")
            if cursor.fetchone()[0]:
                return


def test_chain_and_commitments_verify_from_the_answers_alone(client, clock):
    """All but that of the version whose text was redacted."""
    room = Newsroom(clock=clock)
    for verb in ("publish", "correct", "update", "redact", "withdraw", "restore", "merge", "rename"):
        assert room.act(verb, 0, 1), verb
    assert len(log(client)) == 8
    assert assert_verifies(client) == 7
