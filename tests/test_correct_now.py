"""Correcting what is live while another version waits for its hour: no text is lost, and none undoes the other."""

import datetime

import pytest
import time_machine
from django.core.exceptions import ValidationError
from django.utils import timezone
from reversion.models import Version

from events import drafts, publishing, verifying
from events.models import Edition
from events.refusals import NoteRequired, NothingChanged, NotPending, WrongState
from tests.words import draft, in_minutes, published, revise, topics

pytestmark = pytest.mark.django_db
NOON = datetime.datetime(2026, 11, 22, 12, 0, 20, tzinfo=datetime.UTC)
HOUR = in_minutes(5, NOON)
NOTE = "There were eleven."


@pytest.fixture(autouse=True)
def clock():
    with time_machine.travel(NOON, tick=False) as traveller:
        yield traveller
    assert list(verifying.problems()) == []


@pytest.fixture
def event():
    """A live entry over which a version with another headline is scheduled."""
    event = published("Twelve die.", body="In Bonn.", topics=["Bonn"], sources=[("A", "https://a.example/")])
    event = revise(event, headline="Twelve die in a fire.", topics=["Bonn", "Fires"])
    publishing.schedule(event, by=None, kind="update", note="The cause is known.", issue=HOUR)
    event.refresh_from_db()
    return event


def corrected(event, **values):
    live = Edition.objects.current(timezone.now()).get(event=event)
    return drafts.values(live.document) | values


def texts(event):
    rows = event.editions.order_by("number")
    return [(row.kind, row.document["headline"], row.document["body"]) for row in rows]


def test_it_works(event, clock):
    done = publishing.correct_now(event, by=None, note=NOTE, **corrected(event, body="In Cologne."))
    assert texts(event) == [
        ("publish", "Twelve die.", "In Bonn."),
        ("correction", "Twelve die.", "In Cologne."),
        ("update", "Twelve die in a fire.", "In Cologne."),
    ]
    assert (done.edition.note, done.scheduled.note, done.conflicts) == (NOTE, "The cause is known.", [])
    assert (done.edition.issued, done.scheduled.issued) == (NOON.replace(microsecond=0), HOUR)
    clock.move_to(HOUR)
    assert Edition.objects.current(timezone.now()).get().document["headline"] == "Twelve die in a fire."


def test_topics_and_sources_of_both_come_together(event):
    added = [("A", "https://a.example/"), ("B", "https://b.example/")]
    done = publishing.correct_now(
        event, by=None, note=NOTE, **corrected(event, topics=topics("Bonn", "Rhine"), sources=added)
    )
    assert [topic["name"] for topic in done.edition.document["topics"]] == ["Bonn", "Rhine"]
    assert [topic["name"] for topic in done.scheduled.document["topics"]] == ["Bonn", "Fires", "Rhine"]
    assert [source["name"] for source in done.scheduled.document["sources"]] == ["A", "B"]


def test_what_was_written_after_the_scheduling_stays_the_working_copy(event):
    revise(event, headline="Twelve die in a fire on the Rhine.")
    publishing.correct_now(event, by=None, note=NOTE, **corrected(event, body="In Cologne."))
    event.refresh_from_db()
    assert (event.headline, event.body, event.stage) == ("Twelve die in a fire on the Rhine.", "In Cologne.", "draft")
    assert texts(event)[-1] == ("update", "Twelve die in a fire.", "In Cologne.")


def test_both_change_the_same_field_so_nothing_is_scheduled_and_both_texts_stay(event):
    done = publishing.correct_now(event, by=None, note=NOTE, **corrected(event, headline="Eleven die."))
    assert (done.scheduled, done.conflicts) == (None, ["headline"])
    assert [headline for _kind, headline, _body in texts(event)] == ["Twelve die.", "Eleven die."]
    event.refresh_from_db()
    assert (event.headline, event.stage) == ("Twelve die in a fire.", "draft")
    saved = {version.field_dict["headline"] for version in Version.objects.get_for_object(event)}
    assert saved >= {"Twelve die.", "Eleven die.", "Twelve die in a fire."}


def test_correction_that_says_what_was_scheduled_leaves_nothing_to_schedule(event):
    values = corrected(event, headline="Twelve die in a fire.", topics=topics("Bonn", "Fires"))
    done = publishing.correct_now(event, by=None, note=NOTE, **values)
    assert (done.scheduled, done.conflicts) == (None, [])
    event.refresh_from_db()
    assert event.stage == "ready"


@pytest.mark.parametrize(
    ("values", "note", "error"),
    [
        ({"body": "In Cologne."}, "", NoteRequired),
        ({}, NOTE, NothingChanged),
        ({"headline": "Line\x07"}, NOTE, ValidationError),
    ],
)
def test_refusal_leaves_schedule_and_texts_as_they_were(event, values, note, error):
    before = texts(event), Version.objects.count()
    with pytest.raises(error):
        publishing.correct_now(event, by=None, note=note, **corrected(event, **values))
    assert (texts(event), Version.objects.count()) == before
    event.refresh_from_db()
    assert (event.headline, event.editions.last().issued) == ("Twelve die in a fire.", HOUR)


def test_nothing_is_scheduled(clock, event):
    with pytest.raises(NotPending):
        publishing.correct_now(published("Live."), by=None, note=NOTE, headline="Corrected.")
    clock.move_to(HOUR)
    with pytest.raises(NotPending):
        publishing.correct_now(event, by=None, note=NOTE, headline="Corrected.")


def test_nothing_is_live():
    event = draft()
    publishing.schedule(event, by=None, issue=HOUR)
    with pytest.raises(WrongState):
        publishing.correct_now(event, by=None, note=NOTE, headline="Corrected.")
