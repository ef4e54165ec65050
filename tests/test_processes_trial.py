"""Several processes at once, and processes that die: whatever happens, the record is whole."""

import datetime
import signal
import threading

import pytest
import time_machine
from django.db import OperationalError, connection
from django.utils import timezone

from events import drafts, log, publishing, verifying
from events.models import Address, Edition, EditionTopic, Event, LogEntry, LogHead, Topic
from tests.processes import ended, failing_at, killed_after, started
from tests.words import category, draft, in_minutes, published, revise, topic, updated

pytestmark = [pytest.mark.trial, pytest.mark.django_db(transaction=True, serialized_rollback=True)]

PROCESSES = 8
PUBLISHES = 500
LATER = datetime.timedelta(days=400)


def in_far_minutes(number):
    return in_minutes(number, timezone.now() + LATER)


def test_eight_processes_publish_at_once():
    """Half of the acts publish entries of one headline and topic, half update entries that all of them share."""
    shared = [published(f"Shared entry {number}.", topics=["Vote"]) for number in range(4)]
    before = LogHead.objects.get().seq
    numbers = [list(range(start, PUBLISHES, PROCESSES)) for start in range(PROCESSES)]
    children = [started(_publish_all, part, [event.pk for event in shared]) for part in numbers]
    assert [ended(child) for child in children] == [0] * PROCESSES
    assert list(verifying.problems()) == []
    seqs = list(LogEntry.objects.order_by("seq").values_list("seq", flat=True))
    assert seqs == list(range(1, before + PUBLISHES + 1))
    assert Edition.objects.filter(kind="publish").count() == len(shared) + PUBLISHES // 2
    assert Edition.objects.filter(kind="update").count() == PUBLISHES // 2
    assert Address.objects.filter(slug__startswith="the-same").count() == PUBLISHES // 2
    assert Topic.objects.get(name="Vote").uses == len(shared) + PUBLISHES // 2


def _publish_all(numbers, shared):
    for number in numbers:
        if number % 2:
            published("The same headline.", topics=["Vote"])
            continue
        event = Event.objects.get(pk=shared[number // 2 % len(shared)])
        _update(event, number)


def _update(event, number):
    """Save and publish as an update; whoever was faster, the text of this number is new."""
    event = drafts.save(event, headline=f"Shared entry, as of {number}.")
    try:
        publishing.publish(event, by=None, kind="update")
    except publishing.NothingChanged:
        # Between the save and the act another process published this save of ours; it is in the record all the same.
        _update(event, f"{number} again")


def test_what_reads_the_whole_record_reads_one_moment():
    """Another process publishes meanwhile, is not kept waiting, and is not seen until the reading ends."""
    published("First.", topics=["Vote"])
    with log.snapshot():
        seen = _everything()
        publisher = threading.Thread(target=_publish_and_close, args=("Second.",))
        publisher.start()
        publisher.join(timeout=20)
        assert not publisher.is_alive()
        assert _everything() == seen
    assert LogHead.objects.get().seq == 2
    assert list(verifying.problems()) == []


def _publish_and_close(headline):
    published(headline, topics=["Vote"])
    connection.close()


VERBS = {
    "publish": (lambda: draft("First.", topics=["a", "b"], sources=[("A", "https://a.example/")]), publishing.publish),
    "update": (
        lambda: revise(published("First.", topics=["a"]), headline="Second.", topics=["b"]),
        lambda event, by: publishing.publish(event, by=by, kind="update"),
    ),
    "schedule": (
        lambda: revise(published("First."), headline="Second."),
        lambda event, by: publishing.schedule(event, by=by, kind="update", issue=in_far_minutes(1)),
    ),
    "unschedule": (lambda: _scheduled(published("First.")), publishing.unschedule),
    "correct_now": (
        lambda: _scheduled(published("First.", topics=["a"], sources=[("A", "https://a.example/")])),
        lambda event, by: publishing.correct_now(event, by=by, note="A reason.", body="Corrected."),
    ),
    "order_categories": (
        lambda: published("First.", category="Politics"),
        lambda event, by: publishing.order_categories([category("Sport"), category("Politics")], by=by),
    ),
    "withdraw": (
        lambda: _scheduled(published("First.", topics=["a"])),
        lambda event, by: publishing.withdraw(event, by=by, note="A reason."),
    ),
    "restore": (lambda: _withdrawn(published("First.", topics=["a"])), publishing.restore),
    "redact": (
        lambda: _replaced(published("First.", topics=["a"])),
        lambda event, by: publishing.redact(event, 1, by=by, note="A reason."),
    ),
    "merge_topics": (
        lambda: published("First.", topics=["a", "b"], story="a"),
        lambda event, by: publishing.merge_topics(topic("a"), topic("b"), by=by),
    ),
    "rename_topic": (
        lambda: published("First.", topics=["a"]),
        lambda event, by: publishing.rename_topic(Topic.objects.get(slug="a"), "c", by=by),
    ),
    "add_alias": (
        lambda: published("First.", topics=["a"]),
        lambda event, by: publishing.add_alias(topic("a"), "c", by=by),
    ),
    "choose_related": (
        lambda: published("First."),
        lambda event, by: publishing.choose_related(event, Event.objects.exclude(pk=event.pk)[0], by=by, shown=True),
    ),
}


def _scheduled(event):
    revise(event, headline="Pending.")
    publishing.schedule(event, by=None, kind="update", issue=in_far_minutes(1))
    return event


def _withdrawn(event):
    publishing.withdraw(event, by=None, note="A reason.")
    return event


def _replaced(event):
    updated(event, headline="Second.")
    return event


@pytest.mark.parametrize("verb", VERBS)
def test_verb_killed_after_each_of_its_statements_leaves_all_or_nothing(verb):
    published("Another entry.")
    make, act = VERBS[verb]
    event = make()
    before = _everything()
    for statements in range(1, 200):
        status = ended(started(_act_until_killed, act, event, statements))
        assert list(verifying.problems()) == []
        if status == 0:
            break
        assert status == -signal.SIGKILL
        assert _everything() == before
    assert statements > 5
    assert _everything() != before


@pytest.mark.parametrize("verb", VERBS)
def test_verb_whose_statements_fail_in_turn_leaves_nothing(verb):
    published("Another entry.")
    make, act = VERBS[verb]
    event = make()
    before = _everything()
    for statement in range(1, 200):
        with failing_at(statement, OperationalError("database or disk is full")) as executed:
            if _failed(act, event):
                assert len(executed) >= statement
                assert _everything() == before
                continue
        break
    assert statement > 5
    assert list(verifying.problems()) == []
    assert _everything() != before


def _failed(act, event):
    try:
        act(event, by=None)
    except OperationalError:
        return True
    return False


def _act_until_killed(act, event, statements):
    with killed_after(statements):
        act(event, by=None)


def _everything():
    """All rows of the record, as plain values."""
    tables = (Event, Edition, EditionTopic, Address, LogEntry, LogHead, Topic)
    return [list(model.objects.order_by("pk").values_list()) for model in tables]


def test_settling_killed_after_each_of_its_statements_logs_every_due_edition_once():
    events = [draft(f"Entry {number}.", topics=["a"]) for number in range(3)]
    moment = timezone.now()
    for event in events:
        publishing.schedule(event, by=None, issue=in_minutes(1, moment))
    statements, status = 0, None
    while status != 0:
        statements += 1
        status = ended(started(_settle_later, statements))
        assert list(verifying.problems()) == []
    assert LogEntry.objects.count() == 3
    assert statements > 5


def _settle_later(statements):
    with time_machine.travel(timezone.now() + datetime.timedelta(minutes=5), tick=False), killed_after(statements):
        publishing.settle()
