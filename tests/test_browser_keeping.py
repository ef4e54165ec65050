"""What is typed, in a real browser: sent once, kept until it is saved, forgotten then."""

import pytest
from playwright.sync_api import expect

from events import drafts
from events.models import Edition, Event
from tests.test_permissions import scheduled_over_live
from tests.words import DAY, draft, person, revise

pytestmark = pytest.mark.django_db(transaction=True, serialized_rollback=True)
BAR = "What you typed here at"


@pytest.fixture
def edna(sit_down):
    return sit_down(person("Editor", "edna"))


def write(seat, headline="Parliament adopts the budget."):
    seat.go("/desk/events/event/add/")
    seat.page.wait_for_load_state()
    seat.field("headline").fill(headline)
    seat.field("date").fill(DAY.isoformat())


def open_form(seat, event):
    seat.go(f"/desk/events/event/{event.pk}/change/")
    seat.page.wait_for_load_state()


def kept(seat):
    return seat.page.evaluate("Object.keys(localStorage).filter((key) => key.startsWith('desk:')).length")


class TestSendingOnce:
    def test_double_click_makes_one_entry(self, edna):
        write(edna)
        edna.page.locator("[data-save]").dblclick()
        edna.sees("Saved.")
        assert Event.objects.count() == 1

    def test_held_key_makes_one_entry(self, edna):
        write(edna)
        edna.page.keyboard.down("Control")
        for _repeat in range(8):
            edna.page.keyboard.down("s")
        edna.page.keyboard.up("Control")
        edna.sees("Saved.")
        assert Event.objects.count() == 1

    def test_key_that_is_still_held_does_not_publish(self, edna):
        event = draft()
        edna.go(f"/desk/events/event/{event.pk}/publish/")
        edna.page.wait_for_load_state()
        held = "{key: 'Enter', ctrlKey: true, repeat: true, bubbles: true}"
        edna.page.evaluate(f"document.dispatchEvent(new KeyboardEvent('keydown', {held}))")
        edna.sees("What becomes public")
        assert not Edition.objects.exists()


class TestKeeping:
    def test_saved_entry_is_not_offered_again(self, edna):
        write(edna)
        edna.page.locator("[data-save]").click()
        edna.sees("Saved.")
        assert kept(edna) == 0
        edna.go("/desk/events/event/add/")
        edna.sees("New entry")
        edna.misses(BAR)

    def test_what_was_left_is_offered_and_put_back(self, edna):
        event = draft()
        open_form(edna, event)
        edna.field("body").fill("Half a thought")
        edna.go("/desk/")
        open_form(edna, event)
        edna.sees(BAR)
        edna.button("Put it back").click()
        expect(edna.field("body")).to_have_value("Half a thought")
        edna.page.locator("[data-save]").click()
        edna.sees("Saved.")
        event.refresh_from_db()
        assert event.body == "Half a thought"

    def test_text_put_back_meets_what_others_saved_since(self, edna):
        event = draft(body="Base.")
        open_form(edna, event)
        edna.field("body").fill("Mine.")
        edna.go("/desk/")
        revise(event, body="Theirs.")
        open_form(edna, event)
        edna.button("Put it back").click()
        edna.expects.add(409)
        edna.page.locator("[data-save]").click()
        edna.sees("Two versions meet")
        event.refresh_from_db()
        assert event.body == "Theirs."

    def test_page_where_two_meet_can_be_left_without_losing_a_word(self, edna):
        event = draft(body="Base.")
        open_form(edna, event)
        edna.field("body").fill("Mine.")
        revise(event, body="Theirs.")
        edna.expects.add(409)
        edna.page.locator("[data-save]").click()
        edna.sees("Two versions meet")
        edna.go("/desk/")
        open_form(edna, event)
        edna.button("Put it back").click()
        expect(edna.field("body")).to_have_value("Mine.")

    def test_undone_typing_leaves_nothing(self, edna):
        event = draft(body="Base.")
        open_form(edna, event)
        edna.field("body").fill("Typed.")
        assert kept(edna) == 1
        edna.field("body").fill("Base.")
        assert kept(edna) == 0

    def test_note_of_a_decision_is_kept_too(self, edna):
        event = drafts.submit(draft(), by=None)
        edna.go(f"/desk/events/event/{event.pk}/send-back/")
        edna.page.wait_for_load_state()
        edna.page.locator("[name=note]").fill("Who says so?")
        edna.go("/desk/")
        edna.go(f"/desk/events/event/{event.pk}/send-back/")
        edna.button("Put it back").click()
        expect(edna.page.locator("[name=note]")).to_have_value("Who says so?")

    def test_logging_out_leaves_nothing_for_the_next_person(self, edna):
        open_form(edna, draft())
        edna.field("body").fill("A secret.")
        assert kept(edna) == 1
        edna.page.locator(".me").click()
        edna.button("Log out").click()
        edna.sees("Until next time.")
        assert kept(edna) == 0


def test_key_that_saves_does_not_publish_a_correction(edna):
    event = scheduled_over_live(headline="Twelve die.")
    edna.go(f"/desk/events/event/{event.pk}/correct-now/")
    edna.page.wait_for_load_state()
    edna.field("headline").fill("Eleven die.")
    edna.page.locator("[name=note]").fill("Eleven.")
    edna.press("Control+s")
    edna.sees("What changes for readers, at once")
    assert Edition.objects.count() == 2
    edna.button("Publish the correction").click()
    edna.sees("The correction is public.")
