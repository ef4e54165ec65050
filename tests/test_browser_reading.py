"""Reading in a real browser without a script, and by keyboard alone: from the front page to what a version changed."""

import datetime
import re

import pytest
import time_machine
from playwright.sync_api import expect

from events import addresses
from tests.words import DAY, published, updated

pytestmark = pytest.mark.django_db(transaction=True, serialized_rollback=True)

FIRST = datetime.datetime(2018, 2, 6, 13, 0, tzinfo=datetime.UTC)
HEADLINE = "Parliament adopts the budget."
SLUG = "parliament-adopts-the-budget"
PATH = addresses.neutral_event(DAY, SLUG)
STORY = "Budget of 2018"
STORMS = 60
# Far more than any page of so small a record has to offer.
MOST_STEPS = 120
# Where the focus is, and whether one sees it: an outline around it, and the whole of it in the window, to a pixel.
FOCUS = r"""() => {
    const one = document.activeElement, style = getComputedStyle(one), box = one.getBoundingClientRect();
    const outlined = style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 1;
    const inside = box.top > -1 && box.bottom < innerHeight + 1 && box.left > -1 && box.right < innerWidth + 1;
    const name = (one.innerText || one.name || "").trim().replace(/\s+/g, " ");
    return {name, seen: outlined && inside && box.width > 1};
}"""


@pytest.fixture
def entry():
    """An event of three versions, the last of which is a correction; a day before and one after it."""
    values = {"category": "Politics and elections", "story": STORY, "topics": [STORY, "Parliament"]}
    with time_machine.travel(FIRST, tick=False) as clock:
        published("Parliament meets.", date=DAY - datetime.timedelta(days=1), **values)
        published("Parliament parts.", date=DAY + datetime.timedelta(days=2), category="Arts and culture")
        event = published(HEADLINE, body="There are 200 seats.", **values)
        clock.shift(60)
        updated(event, body="There are 201 seats.")
        clock.shift(60)
        updated(event, kind="correction", note="There are 202 seats.", body="There are 202 seats.")
    return event


@pytest.fixture
def storms():
    """More than one page of a topic and of a search holds."""
    for number in range(STORMS):
        published(f"Storm number {number} is over.", date=DAY - datetime.timedelta(days=number % 9), topics=["Storms"])


class TestWithoutScript:
    @pytest.fixture
    def reader(self, sit_down):
        return sit_down(java_script_enabled=False, viewport={"width": 1280, "height": 900})

    def test_one_searches(self, reader, entry):
        reader.go("/")
        reader.page.get_by_label("Search the record").fill("seats parliament")
        reader.page.get_by_role("search").get_by_role("button").click()
        arrives(reader, addresses.search())
        reader.link(HEADLINE).click()
        arrives(reader, PATH)

    def test_search_and_topics_have_further_pages(self, reader, storms):
        reader.go(addresses.search() + "?q=storm")
        there_and_back(reader)
        reader.go(addresses.topic("storms"))
        there_and_back(reader)

    def test_one_narrows_a_search(self, reader, entry):
        reader.go(addresses.search() + "?q=parliament")
        reader.link("Politics and elections").click()
        reader.sees("2 entries")

    def test_one_looks_at_the_past_and_comes_back(self, reader, entry):
        reader.go(PATH)
        reader.page.get_by_text("See this as of another time").click()
        reader.page.locator("[name=at]").fill("2018-02-06T13:00")
        reader.button("Show").click()
        arrives(reader, f"/as-of/20180206T130000Z{PATH}")
        reader.sees("as the public saw it", "There are 200 seats.")
        reader.page.get_by_role("navigation", name="Breadcrumb").get_by_role("link", name="25 February 2017").click()
        arrives(reader, f"/as-of/20180206T130000Z{addresses.neutral_day(DAY)}")
        reader.link(HEADLINE).click()
        reader.link("Back to now").click()
        arrives(reader, PATH)
        reader.sees("There are 202 seats.")

    def test_one_compares_two_versions(self, reader, entry):
        reader.go(PATH)
        choice(reader, "from", 1).check()
        choice(reader, "to", 3).check()
        reader.button("Compare the two versions").click()
        arrives(reader, addresses.comparison(DAY, SLUG, 1, 3))
        reader.sees("What changed from version 1 to version 3")

    def test_one_goes_through_the_calendar(self, reader, entry):
        reader.go("/")
        reader.link("Calendar").click()
        reader.page.get_by_role("main").get_by_role("link", name=re.compile("^2017")).first.click()
        reader.page.get_by_role("main").get_by_role("link", name=re.compile("^February")).first.click()
        arrives(reader, addresses.month(2017, 2))
        reader.page.get_by_role("link", name=re.compile("^25 February 2017, 1 entry")).click()
        arrives(reader, addresses.neutral_day(DAY))
        days = reader.page.get_by_role("navigation", name="Days")
        days.get_by_role("link", name="27 February 2017").click()
        arrives(reader, addresses.neutral_day(DAY + datetime.timedelta(days=2)))
        days.get_by_role("link", name="25 February 2017").click()
        arrives(reader, addresses.neutral_day(DAY))

    def test_one_goes_through_the_topics(self, reader, entry):
        reader.go("/")
        reader.link("Topics").click()
        reader.page.get_by_role("navigation", name="Topics by letter").get_by_role("link", name="P").click()
        reader.sees("Topics: P")
        reader.page.locator("main [name=q]").fill("bud")
        reader.button("Find").click()
        reader.page.get_by_role("link", name=re.compile(f"^{STORY}")).click()
        arrives(reader, addresses.topic("budget-of-2018"))

    def test_what_is_folded_opens(self, reader, entry):
        reader.go(PATH)
        expect(reader.page.get_by_text("SHA-256")).to_be_hidden()
        reader.page.get_by_text("Digest of this version").click()
        expect(reader.page.get_by_text("SHA-256")).to_be_visible()

    def test_corrections_lead_to_what_changed(self, reader, entry):
        reader.go("/")
        reader.link("Corrections").click()
        reader.link("How we correct").first.click()
        arrives(reader, addresses.policy())
        reader.page.go_back()
        reader.page.get_by_role("link", name=re.compile("^What changed")).click()
        arrives(reader, addresses.comparison(DAY, SLUG, 2, 3))

    @pytest.mark.parametrize("format", ["JSON", "XML", "Markdown"])
    def test_each_format_is_linked(self, reader, entry, format):
        reader.go(PATH)
        address = reader.link(format).get_attribute("href")
        answer = reader.page.request.get(address)
        assert answer.status == 200
        assert format.lower() in answer.headers["content-type"]


class TestByKeyboard:
    @pytest.fixture
    def reader(self, sit_down):
        return sit_down(viewport={"width": 1280, "height": 900}, reduced_motion="reduce")

    def test_one_finds_an_entry_and_what_its_correction_changed(self, reader, entry):
        reader.go("/")
        step_to(reader, "q")
        reader.type("budget")
        reader.press("Enter")
        arrives(reader, addresses.search())
        step_to(reader, HEADLINE)
        reader.press("Enter")
        arrives(reader, PATH)
        step_to(reader, "What changed in version 3")
        reader.press("Enter")
        arrives(reader, addresses.comparison(DAY, SLUG, 2, 3))
        reader.sees("What changed from version 2 to version 3")

    def test_one_goes_by_the_day_and_chooses_two_versions(self, reader, entry):
        reader.go("/")
        step_to(reader, "Saturday 25 February 2017")
        reader.press("Enter")
        arrives(reader, addresses.neutral_day(DAY))
        step_to(reader, HEADLINE)
        reader.press("Enter")
        arrives(reader, PATH)
        step_to(reader, "from")
        reader.press("ArrowUp")
        expect(choice(reader, "from", 1)).to_be_checked()
        step_to(reader, "Compare the two versions")
        reader.press("Enter")
        arrives(reader, addresses.comparison(DAY, SLUG, 1, 3))

    def test_one_skips_to_the_content(self, reader, entry):
        reader.go(PATH)
        reader.press("Tab")
        assert focus(reader) == {"name": "Skip to the content", "seen": True}
        reader.press("Enter", "Tab")
        assert reader.page.evaluate("document.activeElement.closest('main') !== null")

    def test_the_current_version_is_the_first_step_from_an_earlier_one(self, reader, entry):
        reader.go(addresses.edition(DAY, SLUG, 1))
        reader.press("Tab", "Enter", "Tab")
        assert focus(reader) == {"name": "Read the current version", "seen": True}
        reader.press("Enter")
        arrives(reader, PATH)

    def test_one_looks_at_the_past(self, reader, entry):
        reader.go(PATH)
        step_to(reader, "See this as of another time")
        reader.press("Enter")
        step_to(reader, "at")
        reader.type("02062018")
        reader.press("Tab")
        reader.type("0100PM")
        reader.press("Enter")
        expect(reader.page).to_have_url(re.compile("/as-of/20180206T1300"))
        reader.sees("There are 200 seats.")


def arrives(seat, path):
    """The page is the one at this path, with whatever query."""
    expect(seat.page).to_have_url(re.compile(rf"^{re.escape(seat.url + path)}(\?.*)?$"))


def choice(seat, name, version):
    return seat.page.locator(f"input[type=radio][name={name}][value='{version}']")


def there_and_back(seat):
    """To the next page of a list and to the first one again; no entry is on both."""
    entries = seat.page.get_by_role("main").get_by_role("link", name=re.compile("^Storm number"))
    first = entries.all_inner_texts()
    seat.page.locator("main a[rel=next]").click()
    expect(entries.first).not_to_have_text(first[0])
    assert not set(first) & set(entries.all_inner_texts())
    seat.page.locator("main .neighbours a:not([rel=next])").click()
    expect(entries.first).to_have_text(first[0])


def step_to(seat, name):
    """By the Tab key to what is called so. Each step on the way is one that can be seen."""
    for _step in range(MOST_STEPS):
        seat.press("Tab")
        found = focus(seat)
        assert found["seen"], f"The focus is not seen: {found['name']}"
        if found["name"].startswith(name):
            return
    raise AssertionError(f"There is no way to “{name}”.")


def focus(seat):
    return seat.page.evaluate(FOCUS)
