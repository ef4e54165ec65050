"""The desk in a real browser, by keyboard where an editor would: from the first word of an entry to its withdrawal."""

import datetime
import re

import pytest
import time_machine
from playwright.sync_api import expect

from events.models import Event, Topic
from tests.browsers import FORMATS, PASSWORD, read_all
from tests.words import category, draft, person, topics

pytestmark = pytest.mark.django_db(transaction=True, serialized_rollback=True)

MORNING = datetime.datetime(2027, 3, 1, 9, 0, 2, tzinfo=datetime.UTC)
MINUTE = datetime.timedelta(minutes=1)
HEADLINE = "Parliament adopts the budget."
SLUG = "parliament-adopts-the-budget"
BODY = "Two hundred members voted for it."
SOURCES = [
    ("BBC", "https://www.bbc.example/budget"),
    ("Reuters", "https://reuters.example/1"),
    ("afp.example", "https://www.afp.example/2"),
]
PASTED = "Reuters: https://reuters.example/1\nhttps://www.afp.example/2"


@pytest.fixture
def clock():
    """The server's clock; that of the browsers does not follow it."""
    with time_machine.travel(MORNING, tick=True) as traveller:
        yield traveller


@pytest.fixture
def berlin(settings):
    settings.TIME_ZONE = "Europe/Berlin"


def the_entry():
    return Event.objects.get()


def change_page():
    return f"/desk/events/event/{the_entry().pk}/change/"


def at_the_desk(seat):
    seat.go("/desk/")
    expect(seat.page.get_by_role("heading", level=1)).to_have_text("What waits")


def saved(seat):
    """Ctrl+S, and the page that follows."""
    seat.press("Control+s")
    seat.sees("Saved.")


def begin(seat):
    """A new entry from the front page, by its key."""
    at_the_desk(seat)
    seat.press("n")
    expect(seat.field("headline")).to_be_visible()
    # What its links do is said by scripts that run once the page is read.
    seat.page.wait_for_load_state()


def paste(seat, lines):
    seat.page.get_by_text("Paste many at once").click()
    seat.field("pasted").fill(lines)
    seat.button("Add these").click()


class TestFromTheFirstWordToAWithdrawal:
    def test_one_story(self, sit_down, clock, berlin):
        topics("Armenia", "Azerbaijan", "European Union", "Georgia", "Nagorno-Karabakh conflict")
        category("Politics")
        person("Reporter", "rita", password=PASSWORD)
        rita = sit_down()
        edna, carla = sit_down(person("Editor", "edna")), sit_down(person("Chief", "carla"))
        self.writes(rita)
        self.submits(rita)
        self.sends_back(edna)
        self.submits_again(rita)
        public = self.schedules(edna, clock)
        self.is_absent(public)
        clock.move_to(MORNING + 2 * MINUTE)
        self.is_public(public, rita)
        self.corrects(edna, public)
        self.withdraws(carla, public)

    def writes(self, rita):
        rita.go("/desk/")
        rita.log_in("rita")
        rita.sees("New entry")
        begin(rita)
        rita.field("headline").focus()
        rita.type(HEADLINE)
        rita.field("body").fill(BODY.replace("voted", "**voted**"))
        rita.field("date").fill("2027-02-28")
        rita.field("category").select_option(label="Politics")
        for typed, name in [
            ("armen", "Armenia"),
            ("azer", "Azerbaijan"),
            ("union", "European Union"),
            ("georg", "Georgia"),
        ]:
            rita.choose_topic(typed, name)
        rita.field("source_name").first.focus()
        rita.type("BBC")
        rita.press("Tab")
        rita.type(SOURCES[0][1])
        paste(rita, PASTED)
        assert rita.sources() == SOURCES
        rita.sees("29 of 2,000", f"Address: {SLUG}")
        expect(rita.page.locator("[data-preview] strong")).to_have_text("voted")

    def submits(self, rita):
        rita.press("Control+Enter")
        rita.sees("An editor decides about it next.")
        rita.press("Control+Enter")
        rita.sees("Submitted. An editor has it now.", "This entry is with the editors.")
        entry = the_entry()
        assert (entry.headline, entry.stage, entry.author.username) == (HEADLINE, "review", "rita")
        assert [(source.name, source.url) for source in entry.sources.order_by("position")] == SOURCES
        assert sorted(entry.topics.names()) == ["Armenia", "Azerbaijan", "European Union", "Georgia"]

    def sends_back(self, edna):
        at_the_desk(edna)
        edna.page.get_by_role("region", name="To review").get_by_role("link", name=HEADLINE).click()
        edna.button("Send back…").click()
        edna.page.get_by_label("What has to change").fill("Say who voted against it.")
        edna.press("Control+Enter")
        edna.sees("Sent back.")

    def submits_again(self, rita):
        at_the_desk(rita)
        rita.sees("Say who voted against it.")
        rita.link(HEADLINE).first.click()
        rita.sees("What has to change:", "Say who voted against it.")
        rita.field("body").press("Control+End")
        rita.type(" The Greens did not.")
        saved(rita)
        rita.press("Control+Enter")
        rita.sees("An editor decides about it next.")
        rita.press("Control+Enter")
        rita.sees("Submitted. An editor has it now.")

    def schedules(self, edna, clock):
        edna.go(change_page())
        edna.sees("The Greens did not.")
        edna.button("Publish at…").click()
        clock.move_to(MORNING)
        edna.page.get_by_label("Publish at").fill("2027-03-01T10:01")
        edna.sees("A whole minute in Europe/Berlin.", "That is 01 Mar 2027, 09:01 UTC.")
        edna.press("Control+Enter")
        edna.sees("Scheduled.", "1 Mar 2027, 10:01", "1 Mar 2027, 09:01 UTC")
        return f"{edna.url}/news/2027/02/28/{SLUG}.html"

    def is_absent(self, public):
        assert {name: status for name, (status, _text) in read_all(public).items()} == dict.fromkeys(FORMATS, 404)

    def is_public(self, public, reader):
        for status, text in read_all(public).values():
            assert status == 200
            assert HEADLINE in text
            assert "The Greens did not." in text
            assert all(url in text for _name, url in SOURCES)
        reader.go(public)
        reader.sees(HEADLINE, "The Greens did not.")

    def corrects(self, edna, public):
        edna.go(change_page())
        edna.field("body").fill("Two hundred and one members voted for it.")
        saved(edna)
        edna.press("Control+Enter")
        edna.sees("What changes for readers")
        edna.page.get_by_label("Correction: we were wrong").check()
        edna.expects = {400}
        edna.press("Control+Enter")
        edna.sees("A correction needs a public note that says what was wrong.")
        edna.expects = set()
        assert the_entry().editions.count() == 1
        edna.page.get_by_label("Public note").fill("The number of votes was wrong.")
        edna.press("Control+Enter")
        edna.sees("Published.", "live, version 2")
        for status, text in read_all(public).values():
            assert status == 200
            assert "Two hundred and one members" in text
            assert "The number of votes was wrong." in text

    def withdraws(self, carla, public):
        carla.go(change_page())
        carla.link("Withdraw…").click()
        carla.press("Control+Enter")
        assert not the_entry().withdrawn
        carla.page.get_by_label("Reason").fill("A court ordered it.")
        carla.press("Control+Enter")
        carla.sees("Withdrawn.")
        for status, text in read_all(public).values():
            assert status == 410
            assert "A court ordered it." in text
            assert not re.search(
                "budget|Parliament|members|Greens|bbc.example", text.replace(public, ""), re.IGNORECASE
            )


class TestWriting:
    def test_sources_move_by_keyboard(self, sit_down):
        draft(sources=SOURCES)
        seat = sit_down(person("Editor", "edna"))
        seat.go(change_page())
        seat.field("source_name").last.scroll_into_view_if_needed()
        seat.page.get_by_label("Name of source 3").focus()
        seat.press("Alt+ArrowUp", "Alt+ArrowUp")
        assert seat.sources() == [SOURCES[2], SOURCES[0], SOURCES[1]]
        expect(seat.page.get_by_label("Name of source 1")).to_be_focused()
        saved(seat)
        assert seat.sources() == [SOURCES[2], SOURCES[0], SOURCES[1]]
        assert list(the_entry().sources.order_by("position").values_list("name", "url")) == seat.sources()

    def test_adding_a_topic_is_an_act_of_its_own(self, sit_down):
        topics("Nagorno-Karabakh")
        draft()
        seat = sit_down(person("Reporter", "rita"))
        seat.expects = {409}
        begin(seat)
        seat.answers = ["Nagorno–Karabakhs", "yes"]
        seat.link("Add a topic").click()
        expect(seat.page.locator("#id_topics + .select2")).to_contain_text("Nagorno–Karabakhs")
        assert seat.answers == []
        assert Topic.objects.filter(name="Nagorno–Karabakhs").exists()
        chosen = seat.page.locator("#id_topics option:checked")
        expect(chosen).to_have_text(["Nagorno–Karabakhs"])

    def test_a_topic_that_is_none_is_not_added_by_typing(self, sit_down):
        seat = sit_down(person("Reporter", "rita"))
        begin(seat)
        seat.page.locator("#id_topics + .select2 .select2-search__field").click()
        seat.type("Atlantis")
        expect(seat.page.locator(".select2-results__message")).to_have_text("No results found")
        seat.press("Enter")
        assert not Topic.objects.exists()

    def test_hints_name_entries_that_say_the_same_and_sources_cited_already(self, sit_down):
        draft(HEADLINE, sources=SOURCES[:1])
        seat = sit_down(person("Editor", "edna"))
        begin(seat)
        seat.field("date").fill("2017-02-25")
        seat.field("headline").fill("Parliament adopts a budget")
        seat.field("source_url").first.fill(SOURCES[0][1])
        seat.sees("An entry of this day says nearly the same: " + HEADLINE, "Cited already:")

    def test_everything_works_without_scripts(self, sit_down):
        seat = sit_down(person("Reporter", "rita"), java_script_enabled=False)
        seat.go("/desk/")
        seat.link("New entry N").click()
        seat.field("headline").fill(HEADLINE)
        seat.field("date").fill("2017-02-25")
        for number, (name, url) in enumerate(SOURCES):
            if number == 2:
                seat.button("Another source").click()
            seat.field("source_name").nth(number).fill(name)
            seat.field("source_url").nth(number).fill(url)
        assert seat.field("headline").input_value() == HEADLINE
        seat.page.locator("[data-save]").click()
        seat.sees("Saved.")
        assert list(the_entry().sources.order_by("position").values_list("name", "url")) == SOURCES


class TestRefusals:
    def test_a_time_that_comes_twice_is_refused_and_what_was_typed_stays(self, sit_down, clock, berlin):
        clock.move_to(datetime.datetime(2027, 10, 30, 9, tzinfo=datetime.UTC))
        entry = draft(sources=SOURCES)
        seat = sit_down(person("Editor", "edna"))
        seat.expects = {400}
        seat.go(f"/desk/events/event/{entry.pk}/schedule/")
        seat.page.get_by_label("Publish at").fill("2027-10-31T02:30")
        seat.page.get_by_label("Public note").fill("In the night.")
        seat.sees("ambiguous")
        seat.press("Control+Enter")
        expect(seat.page.locator(".errorlist")).to_contain_text("ambiguous")
        expect(seat.page.get_by_label("Publish at")).to_have_value("2027-10-31T02:30")
        expect(seat.page.get_by_label("Public note")).to_have_value("In the night.")
        assert not entry.editions.exists()

    def test_what_was_typed_is_there_after_logging_in_again(self, sit_down, clock, settings):
        settings.NEWSDESK_IDLE_MINUTES = 10
        edna = person("Editor", "edna", password=PASSWORD)
        entry = draft(HEADLINE, sources=SOURCES[:1], topics=["Georgia"])
        topics("Armenia")
        seat = sit_down(edna)
        seat.go(change_page())
        seat.field("headline").fill("Parliament rejects the budget.")
        seat.field("body").fill(BODY)
        seat.choose_topic("armen", "Armenia")
        paste(seat, PASTED)
        expect(seat.page.locator("[data-preview]")).to_have_text(BODY)
        clock.move_to(MORNING + 11 * MINUTE)
        seat.press("Control+s")
        expect(seat.page.get_by_role("heading", level=1)).to_have_text("Log in")
        entry.refresh_from_db()
        assert entry.headline == HEADLINE
        seat.log_in("edna")
        seat.sees("What you typed before you logged in again", "It is not saved yet.")
        expect(seat.field("headline")).to_have_value("Parliament rejects the budget.")
        expect(seat.field("body")).to_have_value(BODY)
        assert seat.sources() == SOURCES
        saved(seat)
        entry.refresh_from_db()
        assert (entry.headline, entry.body) == ("Parliament rejects the budget.", BODY)
        assert sorted(entry.topics.names()) == ["Armenia", "Georgia"]
        assert entry.sources.count() == 3
        seat.misses("What you typed")

    def test_what_was_not_saved_is_offered_when_the_page_is_opened_again(self, sit_down):
        draft(HEADLINE)
        seat = sit_down(person("Editor", "edna"))
        seat.go(change_page())
        seat.field("body").fill(BODY)
        seat.go("/desk/")
        seat.go(change_page())
        seat.sees("was not saved")
        expect(seat.field("body")).to_have_value("")
        seat.button("Put it back").click()
        expect(seat.field("body")).to_have_value(BODY)
        saved(seat)
        assert the_entry().body == BODY
