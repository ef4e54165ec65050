"""Two people with one entry open, each in a browser of their own: no word of either is lost."""

import pytest
from playwright.sync_api import expect

from events.models import Event
from tests.words import draft, person, published, revise, topics

pytestmark = pytest.mark.django_db(transaction=True, serialized_rollback=True)

HEADLINE = "Parliament adopts the budget."
BBC, REUTERS, AFP = (
    ("BBC", "https://bbc.example/1"),
    ("Reuters", "https://reuters.example/1"),
    ("AFP", "https://afp.example/1"),
)


@pytest.fixture
def edna(sit_down):
    return sit_down(person("Editor", "edna", first_name="Edna", last_name="Ek"))


@pytest.fixture
def emil(sit_down):
    seat = sit_down(person("Chief", "emil", first_name="Emil", last_name="Ost"))
    seat.expects = {409}
    return seat


def entry():
    return Event.objects.get()


def texts():
    event = entry()
    return event.headline, event.body


def address(verb="change"):
    return f"/desk/events/event/{entry().pk}/{verb}/"


def both_open(*seats):
    for seat in seats:
        seat.go(address())
        expect(seat.field("headline")).to_be_visible()


def save(seat, said="Saved."):
    seat.press("Control+s")
    seat.sees(said)


def types(seat, **texts):
    for name, text in texts.items():
        seat.field(name).fill(text)


def adds_source(seat, name, url):
    seat.button("Another source").click()
    seat.field("source_name").last.fill(name)
    seat.field("source_url").last.fill(url)


class TestSaves:
    def test_different_fields_are_put_together_by_one_click(self, edna, emil):
        draft(HEADLINE)
        both_open(edna, emil)
        types(edna, headline="Parliament rejects the budget.")
        save(edna)
        types(emil, body="Two hundred voted for it.")
        save(emil, "Two versions meet")
        emil.sees("Edna Ek saved this entry", "Taken over from them: Headline.", "Changed by you alone: Body.")
        assert texts() == ("Parliament rejects the budget.", "")
        emil.button("Save both").first.click()
        emil.sees("Saved.")
        assert texts() == ("Parliament rejects the budget.", "Two hundred voted for it.")

    @pytest.mark.parametrize(
        ("choice", "kept"),
        [("Take theirs", "Parliament rejects the budget."), ("Keep mine", "Parliament delays the budget.")],
    )
    def test_the_same_field_is_shown_from_three_sides(self, edna, emil, choice, kept):
        draft(HEADLINE, body="Nobody knows why.")
        both_open(edna, emil)
        types(edna, headline="Parliament rejects the budget.")
        save(edna)
        types(emil, headline="Parliament delays the budget.", body="Somebody knows why.")
        save(emil, "Headline: changed by both")
        base, theirs, mine = (emil.page.locator(f".sides .{side}") for side in ("base", "theirs", "mine"))
        expect(base).to_contain_text(HEADLINE)
        expect(theirs).to_contain_text("rejects")
        expect(mine).to_contain_text("delays")
        expect(emil.field("headline")).to_have_value("Parliament delays the budget.")
        emil.page.get_by_label(choice).check()
        save(emil)
        assert texts() == (kept, "Somebody knows why.")

    def test_what_stands_in_the_form_can_be_edited_before_it_is_kept(self, edna, emil):
        draft(HEADLINE)
        both_open(edna, emil)
        types(edna, headline="Parliament rejects the budget.")
        save(edna)
        types(emil, headline="Parliament delays the budget.")
        save(emil, "Headline: changed by both")
        types(emil, headline="Parliament rejects the budget, then delays it.")
        emil.page.get_by_label("Keep mine").check()
        save(emil)
        assert texts()[0] == "Parliament rejects the budget, then delays it."

    def test_without_a_choice_nothing_is_saved_and_all_of_it_stays(self, edna, emil):
        draft(HEADLINE)
        both_open(edna, emil)
        types(edna, headline="Parliament rejects the budget.")
        save(edna)
        types(emil, headline="Parliament delays the budget.", body="Two hundred voted for it.")
        save(emil, "Headline: changed by both")
        save(emil, "Choose what to keep: Headline.")
        assert texts() == ("Parliament rejects the budget.", "")
        emil.sees("rejects")
        expect(emil.field("headline")).to_have_value("Parliament delays the budget.")
        expect(emil.field("body")).to_have_value("Two hundred voted for it.")

    def test_sources_and_topics_of_both_are_kept(self, edna, emil):
        topics("Armenia", "Azerbaijan")
        draft(HEADLINE, topics=["Georgia"], sources=[BBC])
        both_open(edna, emil)
        adds_source(edna, *REUTERS)
        edna.choose_topic("armen", "Armenia")
        save(edna)
        adds_source(emil, *AFP)
        emil.choose_topic("azer", "Azerbaijan")
        save(emil, "One click keeps both.")
        assert sorted(emil.sources()) == sorted([BBC, REUTERS, AFP])
        emil.button("Save both").first.click()
        emil.sees("Saved.")
        assert sorted(entry().topics.names()) == ["Armenia", "Azerbaijan", "Georgia"]
        assert sorted(entry().sources.values_list("name", "url")) == sorted([BBC, REUTERS, AFP])

    def test_a_third_save_meanwhile_is_met_as_well(self, edna, emil):
        event = draft(HEADLINE)
        both_open(edna, emil)
        types(edna, headline="Parliament rejects the budget.")
        save(edna)
        types(emil, headline="Parliament delays the budget.")
        save(emil, "Headline: changed by both")
        revise(event, body="Two hundred voted for it.")
        emil.page.get_by_label("Keep mine").check()
        save(emil, "Two versions meet")
        expect(emil.field("headline")).to_have_value("Parliament delays the budget.")
        expect(emil.field("body")).to_have_value("Two hundred voted for it.")
        emil.button("Save both").first.click()
        emil.sees("Saved.")
        assert texts() == ("Parliament delays the budget.", "Two hundred voted for it.")


class TestWhoIsThere:
    def test_each_sees_the_other(self, edna, emil):
        draft(HEADLINE)
        both_open(edna, emil)
        emil.sees("Also open with: Edna Ek.")
        edna.go(address())
        edna.sees("Also open with: Emil Ost.")


class TestDecisions:
    def test_what_was_changed_meanwhile_is_not_published(self, edna, emil):
        event = draft(HEADLINE)
        emil.go(address("publish"))
        emil.page.get_by_label("Public note").fill("As agreed.")
        edna.go(address())
        types(edna, headline="Parliament rejects the budget.")
        save(edna)
        emil.press("Control+Enter")
        emil.sees("This entry was changed by someone else in the meantime.", "Parliament rejects the budget.")
        expect(emil.page.get_by_label("Public note")).to_have_value("As agreed.")
        assert not event.editions.exists()
        emil.press("Control+Enter")
        emil.sees("Published.")
        assert event.editions.get().document["headline"] == "Parliament rejects the budget."

    def test_a_save_after_someone_else_published_keeps_what_was_typed(self, edna, emil):
        event = draft(HEADLINE)
        both_open(edna, emil)
        edna.go(address("publish"))
        edna.press("Control+Enter")
        edna.sees("Published.")
        types(emil, body="Two hundred voted for it.")
        save(emil, "Meanwhile someone decided about this entry")
        assert texts() == (HEADLINE, "Two hundred voted for it.")
        assert event.editions.get().document["body"] == ""

    def test_of_several_entries_those_that_were_changed_stay_listed(self, edna, emil):
        kept, changed = draft(HEADLINE), draft("Parliament rejects the treaty.")
        emil.go("/desk/events/event/")
        emil.page.get_by_label("Tick all on this page").check()
        edna.go(f"/desk/events/event/{changed.pk}/change/")
        types(edna, headline="Parliament adopts the treaty.")
        save(edna)
        emil.button("Publish…").click()
        emil.sees("This entry was changed by someone else in the meantime.")
        emil.page.get_by_label("Parliament adopts the treaty.").check()
        revise(changed, body="Nobody knows why.")
        emil.button("Publish").click()
        emil.sees("1 of 2 done.", "Parliament adopts the treaty.")
        assert kept.editions.count() == 1
        assert not changed.editions.exists()
        emil.page.get_by_label("Parliament adopts the treaty.").check()
        emil.button("Publish").click()
        emil.sees("1 entry: Published.")
        assert changed.editions.get().document["body"] == "Nobody knows why."

    def test_a_withdrawal_meets_a_correction(self, edna, emil):
        event = published(HEADLINE)
        emil.go(address("withdraw"))
        emil.page.get_by_label("Reason").fill("A court ordered it.")
        edna.go(address())
        types(edna, body="Two hundred voted for it.")
        save(edna)
        emil.press("Control+Enter")
        emil.sees("This entry was changed by someone else in the meantime.")
        expect(emil.page.get_by_label("Reason")).to_have_value("A court ordered it.")
        event.refresh_from_db()
        assert not event.withdrawn
