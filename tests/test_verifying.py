import datetime
import random
from contextlib import suppress

import pytest
import time_machine
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.db import connection, transaction
from reversion.models import Revision

from events import publishing, verifying
from events.models import Address, Edition, EditionHost, Event, LogEntry, LogHead, SearchRow, Topic
from tests.tampering import TABLES, columns, tamper, unchecked
from tests.words import draft, in_minutes, published, revise, topic, updated

NOON = datetime.datetime(2026, 11, 22, 12, 0, 20, tzinfo=datetime.UTC)
HOUR = datetime.timedelta(hours=1)
GONE = {"document": None, "slug": "", "salt": "", "category": None}
AGENCY = "https://www.Agency.example:443/1"
# The key of an alias is no part of the record: nothing names it, the row is found by its name.
WHERE = {(Topic, "id"): "alias_of_id IS NULL"}


@pytest.fixture
def record(db):
    """A record with every kind of edition and of entry, by two people; one edition is pending."""
    with time_machine.travel(NOON, tick=False) as clock:
        chief = User.objects.create_superuser("chief")
        User.objects.create_superuser("deputy")
        sources = [("Agency", AGENCY), ("Gazette", "https://gazette.example/2"), ("Agency", AGENCY + "?page=2")]
        values = {"topics": ["Vote", "EU"], "story": "Vote", "category": "Politics", "sources": sources}
        event = draft("The vote is held.", body="Text.", **values)
        publishing.publish(event, by=chief)
        clock.shift(60)
        updated(event, "correction", note="It was the second vote.", headline="The second vote is held.")
        updated(event, "minor", headline="A second vote is held.")
        gone = published("A mistake.", topics=["Vote"], category="Politics", sources=[("Agency", AGENCY)])
        publishing.withdraw(gone, by=chief, note="It did not happen.")
        back = published("No mistake.", topics=["EU"])
        publishing.withdraw(back, by=None, note="It seemed wrong.")
        publishing.restore(back, by=chief, note="It was right.")
        publishing.redact(event, 1, by=chief, note="A private address.")
        publishing.rename_topic(topic("Vote"), "The vote", by=chief)
        publishing.merge_topics(topic("EU"), topic("European Union"), by=chief)
        publishing.schedule(revise(event, headline="Third."), by=chief, issue=in_minutes(5, NOON), kind="update")
        yield event


def findings():
    return list(verifying.problems())


def test_whole_record_has_no_findings(record):
    assert findings() == []


def test_empty_record_is_whole(db):
    assert findings() == []


@pytest.mark.parametrize(
    ("model", "column"),
    [(model, column) for model in TABLES for column in columns(model)],
    ids=lambda value: str(value),
)
def test_one_changed_character_in_any_column_is_found(record, model, column):
    """Ten random characters of each column, each in a record that is otherwise whole."""
    chance = random.Random(f"{model} {column}")
    tried = 0
    for _ in range(10):
        change = _tampered_findings(chance, model, column)
        if change is not None:
            tried += 1
            assert change[1], f"{model.__name__}.{column} {change[0]} went unnoticed"
    # PostgreSQL cannot leave its CHECK constraints out, so it lets no unknown kind in.
    assert tried or (connection.vendor, column) == ("postgresql", "kind")


class _Undo(Exception):
    pass


def _tampered_findings(chance, model, column):
    """(what was changed, what is found then), the change undone; None if the database let no change through."""
    result = None
    try:
        with transaction.atomic():
            change = tamper(chance, model, column, WHERE.get((model, column), "1 = 1"))
            if change:
                result = change, findings()
            raise _Undo
    except _Undo:
        return result


@pytest.mark.parametrize(
    ("damage", "finding"),
    [
        (lambda: LogEntry.objects.filter(seq=3).delete(), "log entry 4: the log has a gap before it"),
        (lambda: LogHead.objects.update(seq=3), "log head"),
        (lambda: Address.objects.create(date=NOON, slug="x", event=Event.objects.first()), "address"),
        (lambda: Event.objects.filter(withdrawn=True).update(withdrawn=False), "withdrawn"),
        (lambda: Topic.objects.filter(name="European Union").update(uses=7), "uses, not 7"),
        (
            lambda: Edition.objects.filter(kind="correction").update(document=None, slug="", salt="", category=None),
            "redaction",
        ),
        (lambda: LogEntry.objects.filter(kind="redact").update(edition=Edition.objects.get(kind="minor")), "is there"),
        (lambda: Edition.objects.filter(kind="restore").update(slug="other"), "does not restore"),
        (lambda: SearchRow.objects.first().delete(), "its words are missing"),
        (lambda: SearchRow.objects.filter(head__contains="mistake").update(body=" x "), "are not those of its text"),
        (
            lambda: SearchRow.objects.create(edition=Edition.objects.filter(document__isnull=True).first()),
            "no text and yet words",
        ),
        (lambda: EditionHost.objects.first().delete(), "its hosts in the index are not those of its text"),
        (
            lambda: EditionHost.objects.create(
                edition=Edition.objects.filter(document__isnull=True).first(), host="agency.example", date=NOON
            ),
            "no text and yet hosts",
        ),
        (lambda: _without_trigger("head"), "index of words for a search"),
        (lambda: _without_trigger("body"), "index of words for a search"),
        (lambda: Edition.objects.filter(number=3, kind="minor").update(superseded=NOON + HOUR), "does not end when"),
    ],
)
def test_damage_is_named(record, damage, finding):
    damage()
    assert any(finding in problem for problem in findings())


def _without_trigger(column):
    """Let the index of words fall behind its rows."""
    drop = {
        "sqlite": "DROP TRIGGER events_search_update",
        "postgresql": "DROP TRIGGER events_search_fill ON events_searchrow",
    }
    with connection.cursor() as cursor:
        cursor.execute(drop[connection.vendor])
        cursor.execute(f"UPDATE events_searchrow SET {column} = ' other '")


def test_a_host_of_no_edition_is_named(record):
    with suppress(_Undo), transaction.atomic(), unchecked():
        EditionHost.objects.create(edition_id=999_999, host="agency.example", date=NOON)
        assert findings() == ["index of hosts: names edition row 999999, which is not there."]
        raise _Undo


def test_names_with_arrows_are_no_damage(record):
    publishing.merge_topics(topic("a → b"), topic("European Union"), by=None)
    publishing.merge_topics(topic("a"), topic("b → c"), by=None)
    assert findings() == []


def test_pruned_history_is_no_damage(record):
    Revision.objects.all().delete()
    assert findings() == []


def test_unlogged_due_edition_is_no_damage(record):
    with time_machine.travel(NOON + HOUR, tick=False):
        assert findings() == []


def test_receipt_of_a_cut_log_is_told(record):
    head = LogHead.objects.get()
    assert list(verifying.problems(str(head))) == []
    last = LogEntry.objects.get(seq=head.seq)
    before = LogEntry.objects.get(seq=head.seq - 1)
    last.delete()
    LogHead.objects.update(seq=before.seq, hash=before.hash, recorded=before.recorded)
    for receipt in (str(head), "garbage", f"{before.seq}:{last.hash}"):
        assert next(verifying.problems(receipt)).startswith("receipt")


def test_command_says_that_it_is_whole_or_names_the_first_row(record, capsys):
    call_command("verify_record")
    assert f"Its head is {LogHead.objects.get()}" in capsys.readouterr().out
    LogEntry.objects.filter(seq=2).update(note="Nothing was wrong.")
    with pytest.raises(CommandError, match="log entry 2") as error:
        call_command("verify_record", all=True)
    assert error.value.returncode == 1
    assert "edition" not in str(error.value).split(":")[0]
