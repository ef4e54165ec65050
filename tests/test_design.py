"""The one design: how much it weighs, what it never does, and how it draws counts, times and the site's mark."""

import re
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest
from django.contrib.staticfiles import finders
from django.core.cache import cache
from django.core.exceptions import ImproperlyConfigured
from django.utils import timezone
from lxml import html
from playwright.sync_api import expect

from events import addresses, publishing
from events.pages import marks, reading
from newsdesk import settings as installation
from tests.words import DAY, published, updated

ROOT = Path(__file__).parents[1]
SHEET = Path(finders.find("newsdesk.css")).read_text()
SCRIPT = Path(finders.find("newsdesk.js")).read_text()
TEMPLATES = [ROOT / "templates" / "base.html", *sorted((ROOT / "templates" / "pages").glob("*.html"))]
NAMES = [path.name for path in TEMPLATES]
# Pages that are only of today, and paths of such pages.
WITHOUT_PAST = {"comparison", "corrections", "policy", "problem", "problem_type", "search"}
WITH_A_PAST = [path for path in TEMPLATES if path.stem not in WITHOUT_PAST]
OF_TODAY = r"/(?:corrections|search|events|problems|as-of|mark\.svg)"
FEBRUARY = {"month": "2017-02", "days": [{"date": "2017-02-01", "count": 1}, {"date": "2017-02-25", "count": 10}]}
DRAWING = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 1 1"><path d="M0 0h1v1z"/></svg>'


@pytest.fixture(autouse=True)
def empty_cache():
    cache.clear()


class TestWeight:
    def test_the_sheet_is_below_25_kilobytes_and_with_the_script_at_most_40(self):
        assert len(SHEET.encode()) < 25_000
        assert len(SHEET.encode()) + len(SCRIPT.encode()) <= 40_000

    def test_the_script_waits_for_the_page(self):
        (script,) = html.fromstring((ROOT / "templates" / "base.html").read_text()).findall(".//script")
        assert script.get("defer") is not None


class TestTemplates:
    @pytest.mark.parametrize("template", TEMPLATES, ids=NAMES)
    def test_there_is_no_inline_style_and_no_inline_script(self, template):
        text = template.read_text()
        assert not re.search(r"<style|\sstyle=|\son[a-z]+=|javascript:", text)
        for attributes in re.findall(r"<script\b([^>]*)>", text):
            assert " src=" in attributes or 'type="application/ld+json"' in attributes

    @pytest.mark.parametrize("template", WITH_A_PAST, ids=[path.name for path in WITH_A_PAST])
    def test_every_path_that_has_a_past_is_written_below_it(self, template):
        for attribute in re.findall(r"(?:href|action)=\"([^\"]*)\"", template.read_text()):
            ours = attribute.startswith("/") and not re.match(OF_TODAY, attribute)
            made = re.match(r"\{\{[^}]*\|\w+_path\b", attribute)
            assert not ours and not made, f"{attribute} lacks {{{{ past }}}}"

    def test_every_class_of_the_sheet_is_given_to_something(self):
        rules = re.sub(r"/\*.*?\*/|\{[^{}]*\}", " ", SHEET, flags=re.DOTALL)
        made = {"copy", "wide", *(f"heat-{level}" for level in range(1, reading.HOTTEST + 1))}
        written = " ".join(path.read_text() for path in [*TEMPLATES, ROOT / "templates" / "comparison.html"])
        given = {name for names in re.findall(r'class="(.*?)">', written) for name in re.findall(r"[\w-]+", names)}
        assert set(re.findall(r"\.([a-z][\w-]*)", rules)) - given - made == set()

    def test_a_colour_of_each_heat_is_in_the_sheet(self):
        for level in range(1, reading.HOTTEST + 1):
            assert f".heat-{level} {{" in SHEET


class TestCounts:
    @pytest.mark.parametrize(
        ("count", "level"), [(0, 0), (1, 1), (20, 1), (21, 2), (40, 2), (60, 3), (80, 4), (81, 5), (100, 5)]
    )
    def test_a_field_is_as_dark_as_its_share_of_the_fullest(self, count, level):
        assert reading.heat(count, 100) == f"heat-{level}"

    @pytest.mark.parametrize(("count", "level"), [(1, 1), (2, 1), (3, 2), (9, 5)])
    def test_where_there_is_little_one_entry_is_not_the_darkest(self, count, level):
        assert reading.heat(count, 9) == f"heat-{level}"

    def test_where_nothing_is_nothing_is_dark(self):
        assert reading.heat(0, 0) == "heat-0"
        assert reading.share(0, 0) == 0
        assert reading.most([]) == 0

    def test_a_month_is_weeks_from_monday_to_sunday(self):
        weeks = reading.weeks(FEBRUARY)
        assert [len(week) for week in weeks] == [7] * 5
        assert weeks[0][:2] == [None, None]
        assert weeks[0][2] == {"date": "2017-02-01", "number": 1, "day": FEBRUARY["days"][0], "heat": "heat-1"}
        assert weeks[3][5]["heat"] == "heat-5"
        assert weeks[3][6] == {"date": "2017-02-26", "number": 26, "day": None, "heat": "heat-0"}

    def test_a_year_has_twelve_fields(self):
        december = {"month": "2017-12", "count": 3}
        assert reading.months_of_year([december]) == [*[None] * 11, december]

    @pytest.mark.django_db
    def test_the_calendar_says_each_number_in_words(self, client):
        published()
        tree = html.fromstring(client.get(addresses.month(2017, 2)).content.decode())
        (field,) = tree.find_class("calendar")[0].findall(".//td/a")
        assert " ".join(field.text_content().split()) == "25 February 2017, 1 entry"


@pytest.mark.django_db
class TestFrame:
    def tree(self, client, path):
        return html.fromstring(client.get(path).content.decode())

    def test_the_pages_speak_english_and_the_newsroom_its_own_language(self, client, settings):
        settings.LANGUAGE_CODE = "de"
        updated(published(), kind="correction", note="Es regnet.", body="Rain.")
        tree = self.tree(client, addresses.policy())
        assert tree.get("lang") == "en"
        for name in ("name", "body"):
            assert tree.find_class(name)[0].get("lang") == "de"
        for path in (addresses.corrections(), addresses.front(), addresses.event(DAY, "parliament-adopts-the-budget")):
            assert self.tree(client, path).find_class("note")[0].get("lang") == "de"

    def test_a_correction_on_the_front_page_is_in_its_own_language(self, client):
        updated(published("البرلمان.", language="ar"), kind="correction", note="It did not.", body="نص.")
        (headline,) = self.tree(client, addresses.front()).find_class("lately")[0].find_class("headline")
        assert headline.get("lang") == "ar"

    def test_a_page_without_a_past_offers_that_of_the_front_page(self, client):
        published(topics=["Brexit"])
        said = "See {} as of another time"
        for path in (addresses.search(), addresses.corrections(), addresses.policy(), "/nothing"):
            (summary,) = self.tree(client, path).find_class("as-of")[0].iter("summary")
            assert summary.text == said.format("the front page"), path
        for path in (addresses.front(), addresses.day(DAY), addresses.topic("brexit")):
            (summary,) = self.tree(client, path).find_class("as-of")[0].iter("summary")
            assert summary.text == said.format("this"), path

    def test_what_leads_out_of_the_past_says_so(self, client):
        published()
        tree = self.tree(client, addresses.as_of(timezone.now()) + addresses.day(DAY))
        assert not tree.find_class("find")
        names = {link.get("href"): link.text for link in tree.find(".//header").iter("a")}
        assert names["/corrections/index.html"] == "Corrections (now)"
        assert names["/search/index.html"] == "Search (now)"
        assert self.tree(client, addresses.day(DAY)).find_class("find")

    def test_a_time_of_the_past_is_told_to_the_second_and_none_has_to_be(self, client):
        published()
        (field,) = self.tree(client, addresses.day(DAY)).xpath("//input[@name='at']")
        assert (field.get("step"), field.get("value")) == (None, None)
        cache.clear()
        moment = timezone.now().replace(microsecond=0)
        (field,) = self.tree(client, addresses.as_of(moment) + addresses.day(DAY)).xpath("//input[@name='at']")
        assert (field.get("step"), field.get("value")) == ("1", f"{moment:%Y-%m-%dT%H:%M:%S}")

    def test_a_page_leads_to_others_by_their_paths(self, client):
        updated(published(topics=["Brexit"], category="Politics"), kind="correction", note="No.", body="Rain.")
        event = addresses.neutral_event(DAY, "parliament-adopts-the-budget")
        paths = [addresses.front(), addresses.years(), addresses.year(2017), addresses.month(2017, 2)]
        paths += [addresses.day(DAY), addresses.topics(), addresses.topic("brexit"), addresses.category("politics")]
        paths += [addresses.corrections(), addresses.policy(), addresses.search() + "?q=parliament"]
        paths += [f"{event}.html", f"{event}.v1.html", f"{event}.v1-v2.html"]
        for path in paths:
            links = self.tree(client, path).xpath("//a/@href")
            assert links and not [link for link in links if link.startswith(addresses.absolute("/"))], path

    def test_what_is_withdrawn_looks_alike_on_the_front_page_and_in_the_list(self, client):
        published("It rains.")
        publishing.withdraw(published(), by=None, note="It was not.")
        for path in (addresses.front(), addresses.corrections()):
            (line,) = self.tree(client, path).find_class("lately")[0].findall("li")
            assert line.find_class("headline")[0].text_content() == "An entry that is withdrawn"
            assert line.find_class("mark")[0].get("class") == "mark"

    def test_the_calendar_names_its_days(self, client):
        published()
        (calendar,) = self.tree(client, addresses.month(2017, 2)).find_class("calendar")
        assert calendar.xpath("thead//*[@class='seen']/text()")[::6] == ["Monday", "Sunday"]

    def test_the_nearest_days_stand_above_a_day_too(self, client):
        for number in (24, 25, 26):
            published(date=DAY.replace(day=number))
        tree = self.tree(client, addresses.day(DAY))
        near, beside = ([link.get("href") for link in nav.iter("a")] for nav in tree.find_class("neighbours"))
        assert near == beside == ["/news/2017/02/24/", "/news/2017/02/26/"]


class TestTimes:
    MOMENT = "2018-02-06T13:49:30Z"

    def test_times_are_those_of_the_site_s_zone_which_is_named(self, settings):
        assert reading.moment_in_words(self.MOMENT) == "6 February 2018, 13:49 UTC"
        settings.TIME_ZONE = "Europe/Paris"
        assert reading.moment_in_words(self.MOMENT) == "6 February 2018, 14:49 CET"
        assert reading.moment_in_words("2018-07-06T13:49:30Z") == "6 July 2018, 15:49 CEST"

    def test_a_zone_without_an_abbreviation_is_named_by_its_distance(self, settings):
        settings.TIME_ZONE = "America/Sao_Paulo"
        assert reading.moment_in_words("2020-02-06T13:49:30Z") == "6 February 2020, 10:49 UTC−03"

    def test_the_day_of_a_time_is_that_of_the_zone(self, settings):
        settings.TIME_ZONE = "Asia/Tokyo"
        assert reading.moment_day("2018-02-06T23:00:00Z") == "7 February 2018"

    def test_a_time_can_be_typed_again(self, settings):
        settings.TIME_ZONE = "Europe/Paris"
        assert reading.moment_typed(self.MOMENT) == "2018-02-06T14:49:30"


@pytest.mark.django_db
class TestEntries:
    def day(self, client):
        return html.fromstring(client.get(addresses.day(DAY)).content.decode())

    def test_an_entry_is_in_its_own_language_and_direction(self, client):
        published("البرلمان يقر الميزانية.", language="ar", body="نص.")
        tree = self.day(client)
        for name in ("headline", "summary"):
            (element,) = tree.find_class(name)
            assert (element.get("lang"), element.get("dir")) == ("ar", "auto")

    def test_corrected_and_updated_entries_are_marked_in_words(self, client):
        updated(published("It rains."), body="Hard.")
        updated(published("It snows."), kind="correction", note="It does.", headline="It does snow.")
        published("The sun shines.")
        entries = self.day(client).find_class("entries")[0].findall("li")
        marks = {
            entry.find_class("headline")[0].text_content(): [
                mark.text_content().split()[0] for mark in entry.find_class("mark")
            ]
            for entry in entries
        }
        assert marks == {"It rains.": ["Updated"], "It does snow.": ["Corrected"], "The sun shines.": []}

    def test_many_sources_are_counted_after_the_first_four(self, client):
        published(sources=[(f"Paper {number}", f"https://paper{number}.example/") for number in range(1, 51)])
        (by,) = self.day(client).find_class("by")
        assert " ".join(by.text_content().split()) == "Sources: Paper 1, Paper 2, Paper 3, Paper 4 and 46 more"

    def test_the_context_leaves_out_the_story_that_stands_above(self, client):
        published(story="Budget of 2018", topics=["Budget of 2018", "Parliament"])
        tree = self.day(client)
        assert tree.find_class("story")[0].text_content().strip() == "Budget of 2018"
        assert tree.find_class("context")[0].text_content() == "Context: Parliament"


@pytest.mark.django_db
class TestMark:
    def test_it_is_the_first_letter_of_the_title(self, client, settings):
        settings.NEWSDESK_TITLE = "« élan & Co »"
        answer = client.get("/mark.svg")
        assert answer["Content-Type"] == "image/svg+xml"
        assert "max-age" in answer["Cache-Control"]
        assert ElementTree.fromstring(answer.content)[1].text == "É"

    @pytest.mark.parametrize("title", ["新闻", "!", "<"])
    def test_any_title_has_one(self, title):
        assert ElementTree.fromstring(marks.drawn(title))[1].text == title[0]

    def test_it_is_the_operator_s_drawing(self, client, settings):
        settings.NEWSDESK_MARK = DRAWING
        answer = client.get("/mark.svg")
        assert answer.content.decode() == DRAWING
        assert client.get("/mark.svg", headers={"If-None-Match": answer["ETag"]}).status_code == 304


@pytest.mark.django_db(transaction=True, serialized_rollback=True)
class TestScript:
    def test_topics_are_suggested_while_one_types_into_the_search(self, sit_down):
        published(topics=["Azerbaijan", "Brexit"])
        reader = sit_down(viewport={"width": 1280, "height": 900})
        reader.go("/")
        reader.page.get_by_label("Search the record").focus()
        reader.type("azer")
        expect(reader.page.locator("datalist option")).to_have_count(1)
        assert reader.page.locator("datalist option").get_attribute("value") == "Azerbaijan"

    def test_suggestions_that_fail_are_not_missed(self, sit_down):
        published()
        reader = sit_down(viewport={"width": 1280, "height": 900})
        reader.expects = {500}
        reader.context.route("**/topics/index.json*", lambda route: route.fulfill(status=500, body="{"))
        reader.go("/")
        reader.page.get_by_label("Search the record").focus()
        with reader.page.expect_response("**/topics/index.json*"):
            reader.type("azer")
        expect(reader.page.locator("datalist option")).to_have_count(0)

    def test_what_one_cites_is_copied(self, sit_down):
        published()
        reader = sit_down(permissions=["clipboard-read", "clipboard-write"])
        reader.go(addresses.event(DAY, "parliament-adopts-the-budget"))
        reader.button("Copy").click()
        reader.sees("Copied.")
        copied = reader.page.evaluate("navigator.clipboard.readText()")
        assert copied == " ".join(reader.page.locator("[data-copy]").text_content().split())
        assert copied.endswith("parliament-adopts-the-budget.v1.html")


class TestMarkSetting:
    def read(self, monkeypatch, path):
        monkeypatch.setenv("NEWSDESK_MARK", str(path))
        return installation.mark()

    def test_without_a_path_there_is_none(self, monkeypatch):
        monkeypatch.delenv("NEWSDESK_MARK", raising=False)
        assert installation.mark() == ""

    def test_the_file_is_read(self, monkeypatch, tmp_path):
        path = tmp_path / "mark.svg"
        path.write_text(DRAWING)
        assert self.read(monkeypatch, path) == DRAWING

    @pytest.mark.parametrize(
        "content", [b"", b"GIF89a", b"<html/>", b"<svg/>", DRAWING.encode("utf-16"), DRAWING.encode() + b" " * 20_000]
    )
    def test_what_is_no_small_svg_is_refused(self, monkeypatch, tmp_path, content):
        path = tmp_path / "mark.svg"
        path.write_bytes(content)
        with pytest.raises(ImproperlyConfigured, match="NEWSDESK_MARK must be an SVG file in UTF-8 of at most 20 kB"):
            self.read(monkeypatch, path)

    def test_a_missing_file_stops_the_start_with_one_sentence(self, tmp_path):
        environment = {"NEWSDESK_MARK": str(tmp_path / "none.svg"), "NEWSDESK_VAR": str(tmp_path)}
        start = subprocess.run(
            [sys.executable, "manage.py", "check"], cwd=ROOT, env=environment, capture_output=True, text=True
        )
        assert start.returncode
        assert start.stderr.splitlines()[-1].endswith("none.svg cannot be read (No such file or directory).")
