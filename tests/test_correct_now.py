"""Correcting what is live while another version waits for its hour: no text is lost, and none undoes the other."""

import datetime

import pytest
import time_machine
from django.core.exceptions import ValidationError
from django.utils import timezone
from reversion.models import Version

from events import documents, drafts, history, publishing, verifying
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


class TestWhatWasWrittenSince:
    """The working copy is ahead of the scheduled version."""

    def test_set_back_to_the_live_text_it_hides_no_conflict(self, event):
        revise(event, headline="Twelve die.", topics=["Bonn"])
        done = publishing.correct_now(event, by=None, note=NOTE, headline="Eleven die.")
        assert (done.scheduled, done.conflicts, done.unmerged) == (None, ["headline"], [])
        event.refresh_from_db()
        assert (event.headline, event.stage) == ("Eleven die.", "ready")
        lost = next(save for save in history.saves(event.pk) if save.comment == "The scheduled version")
        assert lost.document["headline"] == "Twelve die in a fire."
        assert [topic["name"] for topic in lost.document["topics"]] == ["Bonn", "Fires"]

    def test_it_keeps_its_own_words_and_the_schedule_stays(self, event):
        revise(event, body="In Bonn, at night.")
        done = publishing.correct_now(event, by=None, note=NOTE, body="In Cologne.")
        assert (done.conflicts, done.unmerged) == ([], ["body"])
        assert (done.scheduled.number, done.scheduled.issued, done.scheduled.document["body"]) == (
            3,
            HOUR,
            "In Cologne.",
        )
        event.refresh_from_db()
        assert (event.headline, event.body, event.stage) == ("Twelve die in a fire.", "In Bonn, at night.", "draft")

    def test_in_review_it_stays_there(self, event):
        drafts.submit(revise(event, headline="Twelve die in a fire on the Rhine."), by=None)
        publishing.correct_now(event, by=None, note=NOTE, body="In Cologne.")
        event.refresh_from_db()
        assert (event.headline, event.body, event.stage) == (
            "Twelve die in a fire on the Rhine.",
            "In Cologne.",
            "review",
        )

    def test_sent_back_it_keeps_what_has_to_change(self, event):
        drafts.submit(revise(event, headline="Twelve die in a fire on the Rhine."), by=None)
        drafts.send_back(event, by=None, comment="Which bank?")
        publishing.correct_now(event, by=None, note=NOTE, body="In Cologne.")
        event.refresh_from_db()
        assert (event.stage, event.remark) == ("draft", "Which bank?")


def test_what_is_not_corrected_is_the_live_text_and_nothing_leaks(event):
    done = publishing.correct_now(event, by=None, note=NOTE, body="In Cologne.")
    assert done.edition.document["headline"] == "Twelve die."
    assert [topic["name"] for topic in done.edition.document["topics"]] == ["Bonn"]


def agencies(count):
    return [(f"Agency {number}", f"https://{number}.example/") for number in range(count)]


def test_sources_that_do_not_fit_together_are_a_conflict_and_stay(event):
    publishing.unschedule(event, by=None)
    publishing.publish(revise(event, sources=agencies(30)), by=None, kind="update")
    event = revise(event, sources=agencies(documents.MAX_SOURCES))
    publishing.schedule(event, by=None, kind="update", issue=HOUR)
    one_more = [*agencies(30), ("B", "https://b.example/")]
    done = publishing.correct_now(event, by=None, note=NOTE, sources=one_more)
    assert (done.scheduled, done.conflicts, done.unmerged) == (None, ["sources"], [])
    assert drafts.values(done.edition.document)["sources"] == one_more
    event.refresh_from_db()
    assert drafts.values(drafts.document(event))["sources"] == agencies(documents.MAX_SOURCES)


def test_story_that_does_not_fit_among_the_topics_is_a_conflict_too(event):
    publishing.unschedule(event, by=None)
    event = revise(event, topics=[f"Topic {number}" for number in range(documents.MAX_TOPICS)])
    publishing.schedule(event, by=None, kind="update", issue=HOUR)
    done = publishing.correct_now(event, by=None, note=NOTE, story=topics("Rhine")[0])
    assert (done.scheduled, done.conflicts) == (None, ["story", "topics"])
    event.refresh_from_db()
    assert (event.story, event.topics.count()) == (None, documents.MAX_TOPICS)


def test_renamed_topic_is_no_difference_that_would_be_scheduled(event):
    publishing.rename_topic(topics("Bonn")[0], "City of Bonn", by=None)
    done = publishing.correct_now(
        event, by=None, note=NOTE, headline="Twelve die in a fire.", topics=topics("City of Bonn", "Fires")
    )
    assert (done.scheduled, done.conflicts, done.unmerged) == (None, [], [])
    assert event.editions.count() == 2
    event.refresh_from_db()
    assert event.stage == "ready"


def test_reason_of_an_override_stays_with_the_version(event):
    publishing.unschedule(event, by=None)
    publishing.schedule(event, by=None, kind="minor", issue=HOUR, note="Style.", override="A name was misspelt.")
    done = publishing.correct_now(event, by=None, note=NOTE, body="In Cologne.")
    first, *rest = done.scheduled.revision.comment.split("\n")
    assert first.startswith("Edition 3 (minor)")
    assert rest == ["Minor by override: A name was misspelt."]


def test_note_of_what_is_no_longer_scheduled_stays_in_the_history(event):
    save = event.editions.last().revision
    publishing.correct_now(event, by=None, note=NOTE, headline="Eleven die.")
    save.refresh_from_db()
    first, *rest = save.comment.split("\n")
    assert first.startswith("Edition 2 (update)")
    assert rest == ["Note: The cause is known."]
