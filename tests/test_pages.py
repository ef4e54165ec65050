"""The pages for readers: what is at each address, in which order, in how many queries, and what is nowhere."""

import datetime
from urllib.parse import unquote, urlsplit
from xml.etree import ElementTree

import pytest
import time_machine
from django.contrib.staticfiles import finders
from django.core.cache import cache
from lxml import html

from events import addresses, publishing
from events.models import Category, Edition, Event
from tests.words import DAY, draft, in_minutes, published, revise, topic, updated

pytestmark = pytest.mark.django_db

NOON = datetime.datetime(2026, 11, 22, 12, 0, 20, tzinfo=datetime.UTC)
XML = "{urn:newsdesk:event:1}"
FIRST = addresses.neutral_event(DAY, "parliament-adopts-the-budget")
SECOND = addresses.neutral_event(DAY, "parliament-adopts-the-budget-for-2018")


@pytest.fixture(autouse=True)
def empty_cache():
    cache.clear()


def page(client, path, status=200):
    """The HTML at an address, as a tree."""
    response = client.get(path)
    assert response.status_code == status
    return html.fromstring(response.content.decode())


def text(tree):
    return " ".join(tree.text_content().split())


def renamed(**values):
    """An event of two editions, of which the second has another headline."""
    event = published(**values)
    updated(
        event, kind="correction", note="It is the budget for 2018.", headline="Parliament adopts the budget for 2018."
    )
    return event


class TestFront:
    @pytest.mark.parametrize("format", addresses.FORMATS)
    def test_an_empty_record_has_one(self, client, format):
        assert client.get(f"/index.{format}").status_code == 200
        assert "Nothing has been published yet." in text(page(client, "/"))

    def test_it_has_the_latest_three_days_that_have_entries(self, client):
        for day in (1, 5, 6, 9):
            published(f"Something happens on {day}.", date=datetime.date(2017, 2, day))
        shape = client.get("/index.json").json()
        assert [day["date"] for day in shape["days"]] == ["2017-02-09", "2017-02-06", "2017-02-05"]
        assert [entry["headline"][-2] for entry in shape["events"]] == ["9", "6", "5"]
        assert shape["previous"]["date"] == "2017-02-01"
        headings = [text(heading) for heading in page(client, "/").findall(".//h2")]
        assert headings == ["Thursday 9 February 2017", "Monday 6 February 2017", "Sunday 5 February 2017"]

    def test_it_has_what_was_corrected_lately(self, client):
        for number in range(7):
            with time_machine.travel(NOON + datetime.timedelta(minutes=number), tick=False):
                event = published(f"Number {number} happens.")
                updated(event, "correction", f"It was not {number}.", body="More.")
        updated(event, body="An update is none.")
        rows = client.get("/index.json").json()["corrections"]
        assert [row["note"][-2] for row in rows] == list("65432")
        assert rows[0]["difference"] == addresses.absolute(f"{addresses.neutral_day(DAY)}number-6-happens.v1-v2.html")

    def test_it_has_the_busiest_stories_of_the_newest_days_month(self, client):
        published("Last month.", date=datetime.date(2017, 1, 31), story="Brexit", topics=["Brexit"])
        for number in range(12):
            for _ in range(1 + (number in (3, 7))):
                published(f"Number {number} happens.", story=f"Story {number:02}", topics=[f"Story {number:02}"])
        published("No story.", topics=["Brexit"])
        stories = client.get("/index.json").json()["stories"]
        assert [story["count"] for story in stories] == [2, 2] + [1] * 8
        assert [story["name"][-2:] for story in stories] == "03 07 00 01 02 04 05 06 08 09".split()
        assert stories[0]["url"] == addresses.absolute(addresses.topic("story-03"))

    def test_it_has_the_categories_that_have_entries_in_the_order_of_the_desk(self, client):
        Category.objects.named(["Sports", "Empty", "Politics", "Drafts", "Left"])
        published(category="Politics")
        published(category="Sports")
        draft(category="Drafts")
        updated(published(category="Left"), category="Sports")
        shape = client.get("/index.json").json()
        assert [category["name"] for category in shape["categories"]] == ["Sports", "Politics"]
        assert shape["categories"][0]["url"] == addresses.absolute(addresses.category("sports"))


class TestStories:
    def of_month(self, client):
        shape = client.get(addresses.month(2017, 2, "json")).json()
        return [(story["name"], story["count"]) for story in shape["stories"]]

    def test_a_month_has_those_of_two_entries_and_more(self, client):
        for day, story in ((1, "Brexit"), (28, "Brexit"), (3, "Ashes"), (4, "ashes"), (5, "Tour"), (6, None)):
            published(date=DAY.replace(day=day), story=story, topics=[])
        published(date=datetime.date(2017, 3, 1), story="Tour", topics=[])
        assert self.of_month(client) == [("Ashes", 2), ("Brexit", 2)]

    def test_it_has_twenty_at_most(self, client):
        for number in range(22):
            for _ in range(2):
                published(f"Number {number} happens.", story=f"Story {number:02}", topics=[])
        assert [name[-2:] for name, _ in self.of_month(client)] == [f"{number:02}" for number in range(20)]

    def test_an_entry_counts_once_and_as_it_is_now(self, client):
        for _ in range(2):
            event = published(story="Brexit", topics=["Ashes", "Parliament"])
            updated(event, body="More.")
            updated(event, story="Ashes")
        publishing.withdraw(published(story="Ashes"), by=None, note="Untrue.")
        draft(story="Ashes")
        assert self.of_month(client) == [("Ashes", 2)]

    def test_a_story_is_the_topic_that_it_means_today(self, client):
        for story in ("Brexit", "UK leaves", "Exit"):
            published(story=story, topics=["Parliament"])
        into = publishing.merge_topics(topic("UK leaves"), topic("Brexit"), by=None)
        publishing.merge_topics(topic("Exit"), into, by=None)
        publishing.rename_topic(into, "The Brexit", by=None)
        assert self.of_month(client) == [("The Brexit", 3)]

    def test_a_topic_that_heads_nothing_is_no_story(self, client):
        for _ in range(3):
            published(topics=["Brexit"])
            published(story="Parliament", topics=["Brexit"])
        assert self.of_month(client) == [("Parliament", 3)]


class TestCalendar:
    @pytest.mark.parametrize("format", addresses.FORMATS)
    def test_years_months_and_days_have_counts(self, client, format):
        for date in (datetime.date(2016, 12, 31), DAY, DAY, datetime.date(2017, 3, 1)):
            published(date=date)
        for path in (addresses.years(format), addresses.year(2017, format), addresses.month(2017, 2, format)):
            assert client.get(path).status_code == 200
        years = client.get(addresses.years("json")).json()
        assert [(year["year"], year["count"]) for year in years["years"]] == [(2017, 3), (2016, 1)]
        year = client.get(addresses.year(2017, "json")).json()
        assert [(month["month"], month["count"]) for month in year["months"]] == [("2017-02", 2), ("2017-03", 1)]
        month = client.get(addresses.month(2017, 2, "json")).json()
        assert [(day["date"], day["count"]) for day in month["days"]] == [("2017-02-25", 2)]

    def test_neighbours_are_those_that_have_entries(self, client):
        for date in (datetime.date(2015, 12, 31), DAY, datetime.date(2019, 3, 1)):
            published(date=date)
        year = client.get(addresses.year(2017, "json")).json()
        assert (year["previous"]["year"], year["next"]["year"]) == (2015, 2019)
        month = client.get(addresses.month(2017, 2, "json")).json()
        assert (month["previous"]["month"], month["next"]["month"]) == ("2015-12", "2019-03")
        response = client.get(addresses.day(DAY))
        assert (
            f'<{addresses.absolute(addresses.neutral_day(datetime.date(2019, 3, 1)))}>; rel="next"' in response["Link"]
        )

    def test_what_is_empty_inside_the_record_says_so_and_outside_is_absent(self, client):
        for year in (2015, 2019):
            published(date=datetime.date(year, 6, 15))
        inside = [addresses.year(2017), addresses.month(2017, 2), addresses.day(DAY), addresses.neutral_day(DAY)]
        assert [client.get(path).status_code for path in inside] == [200] * 4
        assert "Nothing is recorded for this day." in text(page(client, addresses.day(DAY)))
        for year, month, day in ((2014, 12, 31), (2015, 6, 14), (2019, 6, 16), (2020, 1, 1)):
            assert client.get(addresses.day(datetime.date(year, month, day))).status_code == 404
        outside = [addresses.year(2014), addresses.year(2020), addresses.month(2015, 5), addresses.month(2019, 7)]
        assert [client.get(path).status_code for path in outside] == [404] * 4

    @pytest.mark.parametrize("year", [1, 9999])
    def test_the_calendar_has_two_ends(self, client, year):
        event = published()
        Edition.objects.filter(event=event).update(date=datetime.date(year, 12 if year > 1 else 1, 1))
        month = 12 if year > 1 else 1
        for path in (addresses.year(year), addresses.month(year, month), addresses.day(datetime.date(year, month, 1))):
            assert client.get(path).status_code == 200

    def test_a_month_is_laid_out_in_weeks(self, client):
        published()
        weeks = page(client, addresses.month(2017, 2)).findall(".//tbody/tr")
        assert [len(week) for week in weeks] == [7] * 5
        assert text(weeks[3][5]) == "25 February 2017, 1 entry"
        assert weeks[3][5].find("a").get("href") == addresses.neutral_day(DAY)


class TestDay:
    def test_entries_go_by_category_then_story_then_first_publication(self, client):
        values = [
            ("Nothing over it.", None, None),
            ("A story alone.", None, "Brexit"),
            ("Sports, no story.", "Sports", None),
            ("Sports, Tour.", "Sports", "Tour de France"),
            ("Sports, Ashes.", "Sports", "ashes"),
            ("Conflicts.", "Armed conflicts", None),
        ]
        Category.objects.named(["Armed conflicts", "Sports"])
        for minute, (headline, category, story) in enumerate(values):
            with time_machine.travel(NOON + datetime.timedelta(minutes=minute), tick=False):
                published(headline, category=category, story=story, topics=[])
        with time_machine.travel(NOON + datetime.timedelta(minutes=10), tick=False):
            published("Sports, no story, later.", category="Sports")
            updated(Event.objects.get(headline="Sports, no story."), body="More.")
        with time_machine.travel(NOON + datetime.timedelta(minutes=20), tick=False):
            shape = client.get(addresses.day(DAY, "json")).json()
            tree = page(client, addresses.day(DAY))
        assert [entry["headline"] for entry in shape["events"]] == [
            "Conflicts.",
            "Sports, Ashes.",
            "Sports, Tour.",
            "Sports, no story.",
            "Sports, no story, later.",
            "A story alone.",
            "Nothing over it.",
        ]
        assert [text(heading) for heading in tree.findall(".//h2")] == ["Armed conflicts", "Sports", "Other"]

    def test_what_is_alike_goes_by_first_publication(self, client):
        for minute in range(6):
            with time_machine.travel(NOON + datetime.timedelta(minutes=minute), tick=False):
                event = published(f"Number {minute} happens.")
                updated(Event.objects.order_by("pk").first(), body=f"Revised at {minute}.")
        assert event.editions.count() == 1
        shape = client.get(addresses.day(DAY, "json")).json()
        assert [entry["headline"][7] for entry in shape["events"]] == list("012345")

    def test_modified_does_not_follow_a_minor_change(self, client):
        with time_machine.travel(NOON, tick=False):
            event = published(body="It was late.")
        with time_machine.travel(NOON + datetime.timedelta(hours=1), tick=False):
            updated(event, kind="minor", body="It was very late.")
            entry = client.get(addresses.day(DAY, "json")).json()["events"][0]
        assert (entry["issued"], entry["modified"]) == ("2026-11-22T13:00:20Z", "2026-11-22T12:00:20Z")

    @pytest.mark.parametrize("format", addresses.FORMATS)
    def test_it_ends_with_the_number_withdrawn(self, client, format):
        published("This one stays.")
        publishing.withdraw(published("This one goes."), by=None, note="Untrue.")
        response = client.get(addresses.day(DAY, format))
        assert "This one stays." in response.content.decode()
        assert "This one goes." not in response.content.decode()
        assert client.get(addresses.day(DAY, "json")).json()["withdrawn"] == 1

    def test_a_withdrawal_alone_keeps_its_day_in_the_record(self, client):
        publishing.withdraw(published(), by=None, note="Untrue.")
        assert "1 entry of this day was withdrawn." in text(page(client, addresses.day(DAY)))

    def test_beside_it_is_its_month(self, client):
        for day in (3, 25, 25):
            published(date=DAY.replace(day=day))
        published(date=datetime.date(2017, 3, 1))
        calendar = page(client, addresses.day(DAY)).find_class("calendar")[0]
        days = {link.find("time").get("datetime"): text(link) for link in calendar.findall(".//tbody//a")}
        assert days == {"2017-02-03": "3 February 2017, 1 entry", "2017-02-25": "25 February 2017, 2 entries"}

    @pytest.mark.parametrize(
        ("since", "moment"),
        [
            ("2026-11-22T12:00:00Z", "2026-11-22T12:00:00Z"),
            ("2026-11-22T13:00:00.5%2B01:00", "2026-11-22T12:00:00Z"),
            ("2026-11-22", "2026-11-21T23:00:00Z"),
        ],
    )
    def test_it_reads_the_time_since_when_it_marks(self, client, settings, since, moment):
        settings.TIME_ZONE = "Europe/Paris"
        published()
        shape = client.get(f"{addresses.day(DAY, 'json')}?since={since}").json()
        assert shape["marked_since"] == moment
        assert shape["url"] == addresses.absolute(addresses.neutral_day(DAY))
        assert shape["formats"]["md"] == addresses.absolute(f"{addresses.day(DAY, 'md')}?since={moment}")

    def test_it_marks_what_is_new_and_what_is_changed_since(self, client):
        values = {"New": 2, "Changed": 0, "Minor": 0, "Same": 0}
        for name, hour in values.items():
            with time_machine.travel(NOON + datetime.timedelta(hours=hour), tick=False):
                published(f"{name} it is.", body="It is.")
        with time_machine.travel(NOON + datetime.timedelta(hours=3), tick=False):
            for name in ("New", "Changed"):
                updated(Event.objects.get(headline=f"{name} it is."), body="More.")
            updated(Event.objects.get(headline="Minor it is."), "minor", body="It is!")
            path = addresses.day(DAY, "json")
            plain = client.get(path).json()
            marked, later = (
                {
                    entry["headline"].split()[0]: entry["news"]
                    for entry in client.get(f"{path}?since={since}").json()["events"]
                }
                for since in ("2026-11-22T12:00:20Z", "2026-11-22T14:00:20Z")
            )
            html_marks = page(client, f"{addresses.day(DAY)}?since=2026-11-22T12:00:20Z").find_class("mark")
        assert marked == {"New": "new", "Changed": "changed", "Minor": None, "Same": None}
        assert later == {"New": "changed", "Changed": "changed", "Minor": None, "Same": None}
        assert {entry["news"] for entry in plain["events"]} == {plain["marked_since"]} == {None}
        assert {"new", "changed"} <= {name for mark in html_marks for name in mark.get("class").split()}

    @pytest.mark.parametrize("since", ["", "yesterday", "2026-11-22T12:00:00", "2026-02-30", "0001-01-01T00:00:00Z"])
    @pytest.mark.parametrize("format", addresses.FORMATS)
    def test_a_time_that_cannot_be_read_is_named(self, client, since, format):
        published()
        response = client.get(f"{addresses.day(DAY, format)}?since={since}")
        assert response.status_code == 400
        assert "“since”" in response.content.decode()


class TestEvent:
    def test_it_shows_what_the_edition_says(self, client):
        published(
            body="A **narrow** vote.\n\n<script>alert(1)</script>",
            category="Politics",
            story="Budget of 2018",
            topics=["Parliament"],
            sources=[("The <Post>", "https://www.post.example/a?b=1&c=2")],
            language="fr",
        )
        tree = page(client, f"{FIRST}.html")
        assert text(tree.find(".//h1")) == "Parliament adopts the budget."
        assert (tree.find(".//h1").get("lang"), tree.find(".//h1").get("dir")) == ("fr", "auto")
        assert tree.find(".//article//strong").text == "narrow"
        assert "alert" not in "".join(script.text or "" for script in tree.iter("script"))
        assert text(tree.find_class("over")[0]) == "Budget of 2018"
        source = tree.find_class("sources")[0].find(".//a")
        assert (text(source), source.get("href")) == ("The <Post>", "https://www.post.example/a?b=1&c=2")
        assert text(tree.find_class("host")[0]) == "post.example"

    def test_every_format_says_the_same(self, client):
        event = published(body="A narrow vote.")
        shape = client.get(f"{FIRST}.json").json()
        root = ElementTree.fromstring(client.get(f"{FIRST}.xml").content)
        assert shape["uid"] == root.findtext(f"{XML}uid") == str(event.uid)
        assert shape["body"] == root.findtext(f"{XML}body") == "A narrow vote."
        assert shape["digest"] == root.findtext(f"{XML}digest") == event.editions.get().commitment
        assert "# Parliament adopts the budget." in client.get(f"{FIRST}.md").content.decode()

    def test_it_lists_its_changes_with_a_permalink_each(self, client):
        renamed()
        tree = page(client, f"{SECOND}.html")
        changes = tree.find_class("changes")[0].findall("li")
        assert [text(change.find(".//a")) for change in changes] == ["Version 1", "Version 2"]
        assert [urlsplit(change.find(".//a").get("href")).path for change in changes] == [
            f"{FIRST}.v1.html",
            f"{SECOND}.v2.html",
        ]
        assert text(tree.find_class("note")[0]) == "It is the budget for 2018."

    def test_one_edition_is_no_change(self, client):
        published()
        assert not page(client, f"{FIRST}.html").find_class("changes")

    def test_it_names_what_is_related_and_why(self, client):
        published("The talks go on.", topics=["Parliament", "Budget"], date=datetime.date(2017, 2, 20))
        published(topics=["Parliament", "Budget"])
        related = page(client, f"{FIRST}.html").find_class("related")[0]
        assert text(related.find(".//a")) == "The talks go on."
        assert text(related.find_class("context")[0]) == "Context: Budget, Parliament"

    def test_an_earlier_headline_leads_to_the_latest_edition_that_bore_it(self, client):
        event = published()
        updated(event, body="The vote was narrow.")
        updated(event, headline="Parliament adopts the budget for 2018.")
        response = client.get(f"{FIRST}.html")
        tree = html.fromstring(response.content.decode())
        assert text(tree.find(".//h1")) == "Parliament adopts the budget."
        assert "The vote was narrow." in text(tree)
        assert [text(change.find(".//a")) for change in tree.find_class("notice")[0].findall(".//li")] == ["Version 3"]
        assert response["X-Robots-Tag"] == tree.find(".//meta[@name='robots']").get("content") == "noindex"
        assert tree.find(".//link[@rel='canonical']").get("href") == addresses.absolute(SECOND)
        assert f'<{addresses.absolute(SECOND)}>; rel="canonical"' in response["Link"]
        assert f'<{addresses.absolute(SECOND)}>; rel="latest-version"' in response["Link"]

    def test_its_link_header_leads_to_the_versions_around_it(self, client):
        renamed()
        former, current = client.get(f"{FIRST}.json")["Link"], client.get(f"{SECOND}.json")["Link"]
        assert f'<{addresses.absolute(f"{SECOND}.v2.html")}>; rel="successor-version"' in former
        assert f'<{addresses.absolute(f"{FIRST}.v1.html")}>; rel="predecessor-version"' in current

    def test_an_earlier_headline_that_returns_leads_to_the_event(self, client):
        event = renamed()
        updated(event, headline="Parliament adopts the budget.")
        shape = client.get(f"{FIRST}.json").json()
        assert (shape["version"], shape["status"], shape["since"]) == (3, "current", [])

    def test_a_neutral_address_of_an_earlier_headline_redirects(self, client):
        renamed()
        response = client.get(FIRST)
        assert (response.status_code, response["Location"]) == (302, SECOND)

    def test_an_event_with_another_date_keeps_its_old_address(self, client):
        event = published()
        updated(event, kind="correction", note="It was a day later.", date=datetime.date(2017, 2, 26))
        moved = addresses.neutral_event(datetime.date(2017, 2, 26), "parliament-adopts-the-budget")
        assert client.get(f"{FIRST}.json").json()["latest"] == addresses.absolute(moved)
        assert client.get(FIRST)["Location"] == moved
        assert client.get(f"{moved}.json").json()["version"] == 2
        assert client.get(addresses.day(DAY)).status_code == 404

    def test_addresses_of_other_scripts_are_read(self, client):
        published("五号飞船升空", language="zh")
        path = addresses.neutral_event(DAY, "五号飞船升空")
        assert text(page(client, f"{path}.html").find(".//h1")) == "五号飞船升空"

    def test_the_uid_redirects_to_the_current_address(self, client):
        event = renamed()
        response = client.get(addresses.uid(event.uid))
        assert (response.status_code, response["Location"]) == (302, SECOND)


class TestNumberedEdition:
    @pytest.mark.parametrize("format", addresses.FORMATS)
    def test_it_stays_as_it_was(self, client, format):
        renamed()
        response = client.get(f"{FIRST}.v1.{format}")
        assert "Parliament adopts the budget." in response.content.decode()
        assert "2018" not in client.get(f"{FIRST}.v1.json").json()["headline"]

    def test_it_has_the_changes_up_to_it_and_its_neighbours(self, client):
        event = renamed()
        updated(event, body="The vote was narrow.")
        response = client.get(f"{SECOND}.v2.json")
        shape = response.json()
        assert [change["version"] for change in shape["changes"]] == [1, 2]
        assert (shape["status"], shape["kind"], shape["note"]) == (
            "superseded",
            "correction",
            "It is the budget for 2018.",
        )
        assert (shape["previous"]["version"], shape["next"]["version"]) == (1, 3)
        for relation, path in (("predecessor", f"{FIRST}.v1.html"), ("successor", f"{SECOND}.v3.html")):
            assert f'<{addresses.absolute(path)}>; rel="{relation}-version"' in response["Link"]
        assert f'<{addresses.absolute(SECOND)}>; rel="latest-version"' in response["Link"]

    def test_under_another_slug_it_redirects_to_its_own(self, client):
        renamed()
        response = client.get(f"{SECOND}.v1.json")
        assert (response.status_code, response["Location"]) == (302, f"{FIRST}.v1.json")

    @pytest.mark.parametrize("format", addresses.FORMATS)
    def test_a_redacted_one_is_a_stub_with_the_reason_under_the_current_slug(self, client, format):
        event = renamed(body="A secretword stood here.", topics=["Secrettopic"], category="Secretcategory")
        updated(event, body="Nothing.", topics=[], category=None)
        publishing.redact(event, 2, by=None, note="An interim order.")
        publishing.redact(event, 1, by=None, note="A court ordered it.")
        response = client.get(f"{SECOND}.v1.{format}")
        assert response.status_code == 200
        assert "ecret" not in response.content.decode()
        shape = client.get(f"{SECOND}.v1.json").json()
        assert (shape["status"], shape["note"], shape["headline"]) == ("redacted", "A court ordered it.", None)
        assert "A court ordered it." in text(page(client, f"{SECOND}.v1.html"))
        assert client.get(f"{FIRST}.html").status_code == 404
        assert client.get(f"{FIRST}.v1.html").status_code == 404
        assert client.get(FIRST).status_code == 404

    def test_a_withdrawal_is_a_stub_after_the_restoration(self, client):
        event = published()
        publishing.withdraw(event, by=None, note="We check it.")
        publishing.restore(event, by=None, note="It is true.")
        shape = client.get(f"{FIRST}.v2.json").json()
        assert (shape["status"], shape["note"], shape["body"]) == ("withdrawn", "We check it.", None)
        assert "We check it." in text(page(client, f"{FIRST}.v2.html"))
        assert client.get(f"{FIRST}.json").json()["version"] == 3


class TestWithdrawn:
    @pytest.mark.parametrize("format", addresses.FORMATS)
    def test_every_address_is_gone_with_the_reason_and_no_word_of_any_version(self, client, format):
        with time_machine.travel(NOON, tick=False):
            event = renamed(body="The vote was narrow.", topics=["Parliament"])
            paths = [f"{FIRST}.{format}", f"{SECOND}.{format}", f"{FIRST}.v1.{format}", f"{SECOND}.v2.{format}"]
            paths += [FIRST, SECOND, f"{SECOND}.v1.{format}", f"{SECOND}.v3.{format}", addresses.uid(event.uid)]
            for path in paths[:-2]:
                client.get(path)
            publishing.withdraw(event, by=None, note="The report was forged.")
            for path in paths:
                response = client.get(path)
                content = response.content.decode()
                assert response.status_code == 410
                assert "The report was forged." in content
                for word in ("arliament", "budget", "narrow"):
                    assert word not in content + str(response.headers)
            notice = client.get(f"{FIRST}.json").json()
        assert (notice["uid"], notice["withdrawn"]) == (str(event.uid), "2026-11-22T12:00:20Z")
        assert urlsplit(notice["type"]).path == "/problems/withdrawn"
        assert "Withdrawn" in text(page(client, "/problems/withdrawn"))

    def test_a_version_that_never_was_is_absent(self, client):
        event = published()
        publishing.withdraw(event, by=None, note="Untrue.")
        assert client.get(f"{FIRST}.v9.html").status_code == 404

    def test_it_links_to_the_uid_alone(self, client):
        event = published()
        publishing.withdraw(event, by=None, note="Untrue.")
        tree = page(client, f"{FIRST}.html", status=410)
        links = {addresses.relative(link.get("href")) for link in tree.find(".//main").iter("a")}
        assert addresses.uid(event.uid) in links
        assert not [link for link in links if "parliament" in link or link.startswith("/news/2017")]


class TestPending:
    def pages(self, client):
        """Everything that could tell of an event of DAY, as one text."""
        paths = [f"/index.{format}" for format in addresses.FORMATS]
        paths += [
            make for format in addresses.FORMATS for make in (addresses.years(format), addresses.day(DAY, format))
        ]
        paths += [addresses.year(2017), addresses.month(2017, 2), FIRST, f"{FIRST}.json", f"{FIRST}.v1.html", SECOND]
        paths += [f"{SECOND}.json", f"{SECOND}.v2.json", f"{FIRST}.v2.json", f"{SECOND}.v1.json"]
        answers = [client.get(path) for path in paths]
        return [(answer.status_code, unquote(str(sorted(answer.items()))), answer.content) for answer in answers]

    def test_a_first_edition_shows_nowhere_before_its_second(self, client):
        with time_machine.travel(NOON, tick=False):
            published("Something else.", date=datetime.date(2017, 2, 24))
            issue = in_minutes(5, NOON)
            event = draft()
        with time_machine.travel(issue - datetime.timedelta(seconds=1), tick=False):
            before = self.pages(client)
            publishing.schedule(event, by=None, issue=issue)
            cache.clear()
            assert self.pages(client) == before
            assert client.get(addresses.uid(event.uid)).status_code == 404
        with time_machine.travel(issue, tick=False):
            assert client.get(f"{FIRST}.html").status_code == 200
            assert client.get(addresses.uid(event.uid))["Location"] == FIRST
            assert client.get("/index.json").json()["days"][0]["date"] == str(DAY)

    def test_a_later_edition_shows_nowhere_before_its_second(self, client):
        with time_machine.travel(NOON, tick=False):
            event = published()
            event = revise(event, headline="Parliament adopts the budget for 2018.", date=DAY)
            issue = in_minutes(5, NOON)
        with time_machine.travel(issue - datetime.timedelta(seconds=1), tick=False):
            before = self.pages(client)
            publishing.schedule(event, by=None, issue=issue, kind="update")
            cache.clear()
            assert self.pages(client) == before
        with time_machine.travel(issue, tick=False):
            assert client.get(f"{SECOND}.json").json()["version"] == 2
            assert client.get(FIRST)["Location"] == SECOND
            assert client.get(f"{FIRST}.v1.json").json()["next"]["version"] == 2


class TestQueries:
    """A page costs the same whatever the number of its entries."""

    PATHS = {
        "/index.html": 8,
        addresses.day(DAY): 7,
        addresses.month(2017, 2): 5,
        addresses.year(2017): 4,
        addresses.years(): 2,
        f"{FIRST}.html": 5,
        f"{FIRST}.v1.html": 2,
    }

    @pytest.mark.parametrize("number", [1, 5, 55])
    def test_a_page_takes_its_queries_however_many_its_entries(self, client, django_assert_max_num_queries, number):
        for day in (22, 23, 24):
            published(date=DAY.replace(day=day))
        for position in range(number):
            event = published(topics=["Parliament"], category=f"Category {position % 7}")
            if position % 5 == 0:
                updated(event, body="More.")
        for path, queries in self.PATHS.items():
            with django_assert_max_num_queries(queries):
                assert client.get(path).status_code == 200
            with django_assert_max_num_queries(1):
                client.get(path)


def is_own_file_or_data(script):
    """A script that the page works without, or none at all."""
    deferred = script.get("src", "").startswith("/static/") and script.get("defer") is not None
    return deferred or script.get("type") == "application/ld+json"


class TestMarkup:
    PATHS = ("/", addresses.years(), addresses.year(2017), addresses.month(2017, 2), addresses.day(DAY))
    PATHS += (f"{FIRST}.html", f"{FIRST}.v1.html", f"{SECOND}.html", "/nothing", "/problems/withdrawn")

    @pytest.mark.parametrize("path", PATHS)
    def test_a_page_works_without_scripts_and_inline_styles(self, client, path):
        renamed(body="# Title\n\nText.")
        tree = html.fromstring(client.get(path).content.decode())
        assert tree.getroottree().getroot().get("lang") == "en"
        assert not tree.findall(".//style") + tree.findall(".//*[@style]")
        assert all(is_own_file_or_data(script) for script in tree.iter("script"))
        assert len(tree.findall(".//h1")) == 1
        assert tree.find(".//a").get("href") == "#main"
        assert tree.get_element_by_id("main").tag == "main"

    @pytest.mark.parametrize("path", PATHS)
    def test_every_link_of_a_page_leads_somewhere(self, client, path):
        renamed(sources=[("The Post", "https://post.example/")])
        published("The day before.", date=datetime.date(2016, 1, 31))
        tree = html.fromstring(client.get(path).content.decode())
        for link in [*tree.iter("a"), *tree.iter("link")]:
            target = addresses.relative(link.get("href"))
            if target.startswith("/static/"):
                assert finders.find(target.removeprefix("/static/"))
            elif target.startswith("/"):
                assert client.get(target).status_code in (200, 302), target

    def test_the_style_sheet_is_small(self):
        with open(finders.find("newsdesk.css"), "rb") as sheet:
            assert len(sheet.read()) < 25_000


def test_months_and_years_of_a_day_with_withdrawals_only_answer_like_the_day(client, db):
    published("A neighbour.")
    event = published("A mistake.", date=datetime.date(1980, 1, 1))
    publishing.withdraw(event, by=None, note="It was none.")
    for path in ("/news/1980/01/1/", "/news/1980/01/index.html", "/news/1980/index.html"):
        assert client.get(path).status_code == 200
    assert client.get("/news/1981/index.html").status_code == 404
