"""The worker: what it does of itself, several at once, and that whatever ends one loses nothing."""

import datetime
import json
import signal
from collections import Counter

import pytest
import time_machine
from django.core.management import call_command
from django.db import OperationalError, connection
from django.utils import timezone
from django_tasks_db.models import DBTaskResult

from events import publishing, pushing, tasks
from events.management.commands import work
from events.models import Delivery, LogEntry, Outbox
from tests.processes import ended, failing_at, killed_after, started
from tests.webhook_server import answering, in_turn, receiving, signalling
from tests.words import draft, in_minutes, published

NOON = datetime.datetime(2026, 11, 22, 12, 0, 20, tzinfo=datetime.UTC)
DAY = datetime.timedelta(days=1)
HOUR = datetime.timedelta(hours=1)
SECOND = datetime.timedelta(seconds=1)

trial = [pytest.mark.trial, pytest.mark.django_db(transaction=True, serialized_rollback=True)]


@pytest.fixture(autouse=True)
def clock(settings):
    settings.NEWSDESK_PRIVATE_CALLBACKS = True
    with time_machine.travel(NOON, tick=False) as clock:
        yield clock


@pytest.fixture
def command():
    """The worker between two looks."""
    command = work.Command()
    command.settled = command.tidied = None
    command.stops = False
    command.worker = work.worker()
    return command


def work_once():
    call_command("work", once=True)


def work_on():
    call_command("work")


def hooked(receiver, name="Partner"):
    return pushing.add_webhook(name, receiver.url, by=None, at=timezone.now())[0]


def seqs(receiver):
    return [json.loads(request.body)["seq"] for request in receiver.received]


@pytest.mark.django_db
class TestLook:
    def test_what_falls_due_is_logged(self, command, clock):
        publishing.schedule(draft(), by=None, issue=in_minutes(1, NOON))
        command.work()
        assert not LogEntry.objects.exists()
        clock.move_to(in_minutes(1, NOON))
        command.work()
        assert LogEntry.objects.get().kind == "publish"
        assert Outbox.objects.get().seq == 1

    def test_with_nothing_due_it_costs_little(self, command, clock, django_assert_num_queries):
        """And writes nothing, which would keep others waiting."""
        published()
        publishing.schedule(draft("Later."), by=None, issue=in_minutes(5, NOON))
        while command.work():
            pass
        clock.shift(SECOND)
        with django_assert_num_queries(3) as queries:
            assert not command.work()
        assert all(query["sql"].startswith("SELECT") for query in queries)
        clock.move_to(in_minutes(1, NOON))
        with django_assert_num_queries(4) as queries:
            assert not command.work()
        assert all(query["sql"].startswith("SELECT") for query in queries)

    def test_between_two_tasks_it_looks_at_the_rest(self, command):
        """A receiver that takes its time does not make a scheduled version late for others."""
        for _number in range(2):
            tasks.deliver.enqueue([], NOON.isoformat())
        assert command.work()
        assert DBTaskResult.objects.successful().count() == 1

    def test_a_task_for_later_waits(self, command, clock):
        tasks.deliver.using(run_after=NOON + SECOND).enqueue([], NOON.isoformat())
        assert not command.work()
        clock.shift(SECOND)
        assert command.work()

    def test_a_task_that_fails_ends_nothing(self):
        tasks.deliver.enqueue([], "no moment")
        tasks.deliver.enqueue([], NOON.isoformat())
        work_once()
        assert DBTaskResult.objects.failed().count() == 1
        assert DBTaskResult.objects.successful().count() == 1

    def test_results_are_tidied_up(self, command, clock):
        tasks.deliver.enqueue([], NOON.isoformat())
        tasks.deliver.enqueue([], "no moment")
        while command.work():
            pass
        lost = tasks.deliver.enqueue([], NOON.isoformat())
        clock.shift(DAY)
        DBTaskResult.objects.get(pk=lost.id).claim("a worker that died")
        clock.shift(HOUR)
        command.work()
        assert DBTaskResult.objects.count() == 2
        clock.shift(6 * DAY)
        command.work()
        assert not DBTaskResult.objects.exists()

    def test_a_task_whose_worker_died_is_taken_up(self, command, clock, settings):
        """What a hub was to be told, nothing else remembers."""
        with receiving() as hub:
            settings.NEWSDESK_HUBS = [hub.url]
            published()
            assert command.work()
            hub.received.clear()
            DBTaskResult.objects.update(status="RUNNING", started_at=NOON, finished_at=None)
            clock.shift(HOUR)
            assert command.work()
            assert hub.received
        assert DBTaskResult.objects.get().status == "SUCCESSFUL"


class TestProcesses:
    pytestmark = trial

    def test_killed_in_the_middle_of_a_delivery(self, clock):
        """The next one delivers it once the lease ends, under the same id."""
        children = []
        behave = in_turn(signalling(lambda: children[0], signal.SIGKILL), answering(204))
        with receiving(behave) as receiver:
            webhook = hooked(receiver)
            published()
            children.append(started(work_once))
            assert ended(children[0]) == -signal.SIGKILL
            assert webhook.deliveries.get().state == "waiting"
            work_once()
            assert len(receiver.received) == 1
            clock.shift(pushing.LEASE)
            work_once()
            work_once()
            assert webhook.deliveries.get().state == "delivered"
            assert len(receiver.received) == 2
            assert len(set(receiver.ids())) == 1

    def test_killed_after_any_statement(self, clock):
        """Everything reaches the receiver; what comes twice has the same id."""
        with receiving() as receiver:
            hooked(receiver)
            statement = status = 0
            while (status == 0 and not statement) or status == -signal.SIGKILL:
                statement += 1
                published(f"Entry {statement}.")
                status = ended(started(_work_and_be_killed, statement))
                clock.shift(pushing.LEASE)
                work_once()
                clock.shift(pushing.LEASE)
                work_once()
                assert set(seqs(receiver)) == set(range(1, statement + 1))
                assert not Delivery.objects.exclude(state="delivered").exists()
            assert status == 0
            assert statement > 20
            assert len(set(receiver.ids())) == statement

    def test_two_workers_send_nothing_twice(self):
        with receiving() as receiver, receiving() as other:
            hooked(receiver)
            hooked(other)
            for number in range(120):
                published(f"Entry {number}.")
            children = [started(work_once) for _number in range(2)]
            assert [ended(child) for child in children] == [0, 0]
            work_once()
            for told in (receiver, other):
                assert Counter(seqs(told)) == Counter(range(1, 121))
        batches = DBTaskResult.objects.all()
        assert sum(len(batch.args_kwargs["args"][0]) for batch in batches) == 240
        assert len({delivery for batch in batches for delivery in batch.args_kwargs["args"][0]}) == 240

    def test_nobody_waits_for_a_receiver(self):
        """No transaction lasts as long as a request: others write meanwhile."""
        with receiving(in_turn(_publishing, answering(204))) as receiver:
            webhook = hooked(receiver)
            published("One.")
            work_once()
            assert sorted(seqs(receiver)) == [1, 2]
        assert set(webhook.deliveries.values_list("state", "attempts")) == {("delivered", 1)}

    def test_two_workers_log_what_falls_due_once(self, clock):
        publishing.schedule(draft(), by=None, issue=in_minutes(1, NOON))
        clock.move_to(in_minutes(1, NOON))
        with receiving() as receiver:
            hooked(receiver)
            children = [started(work_once) for _number in range(2)]
            assert [ended(child) for child in children] == [0, 0]
            work_once()
            assert seqs(receiver) == [1]

    @pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
    def test_a_signal_lets_the_task_at_hand_be_finished(self, number):
        children = []
        behave = in_turn(signalling(lambda: children[0], number, answering(204)), answering(204))
        with receiving(behave) as receiver, receiving() as other:
            first, second = hooked(receiver), hooked(other)
            published("One.")
            published("Two.")
            children.append(started(work_on))
            assert ended(children[0]) == 0
            assert set(first.deliveries.values_list("state", flat=True)) == {"delivered"}
            assert len(receiver.received) == 2
            assert other.received == []
            work_once()
            assert set(second.deliveries.values_list("state", flat=True)) == {"delivered"}

    def test_a_lost_database_is_waited_for(self, monkeypatch, caplog):
        pauses = []

        def rest(command, seconds):
            pauses.append(seconds)
            command.stops = len(pauses) == 2

        monkeypatch.setattr(work.Command, "rest", rest)
        with receiving() as receiver:
            hooked(receiver)
            published()
            with failing_at(1, OperationalError("server closed the connection unexpectedly")):
                work_on()
            assert seqs(receiver) == [1]
        assert pauses == [2, 1]
        assert "The database does not answer" in caplog.text


def _work_and_be_killed(statement):
    with killed_after(statement):
        work_once()


def _publishing(handler):
    published("Two.")
    connection.close()
    answering(204)(handler)
