"""Topics and categories: what stands on their timelines, page by page while entries arrive, and the index of topics."""

import datetime
from urllib.parse import urlencode

import pytest
import time_machine
from django.core.cache import cache
from django.db import connection
from django.test.utils import CaptureQueriesContext
from lxml import html

from events import addresses, publishing
from events.formats import timelines as shapes
from events.models import Edition, Event, LogHead, Topic
from events.pages import timelines, usage
from tests.words import DAY, category, draft, in_minutes, published, revise, topic, updated

pytestmark = pytest.mark.django_db

NOON = datetime.datetime(2026, 11, 22, 12, 0, 20, tzinfo=datetime.UTC)
HOUR = datetime.timedelta(hours=1)
BREXIT = addresses.topic("brexit", "json")
POLITICS = addresses.category("politics", "json")
INDEX = addresses.topics("json")
LINES = pytest.mark.parametrize(
    ("path", "values"), [(BREXIT, {"topics": ["Brexit"]}), (POLITICS, {"category": "Politics"})]
)


@pytest.fixture(autouse=True)
def empty_cache():
    cache.clear()


@pytest.fixture
def clock():
    with time_machine.travel(NOON, tick=False) as clock:
        yield clock


def shape(client, path):
    """The JSON at an address, which may be one of our URLs."""
    response = client.get(addresses.relative(path))
    assert response.status_code == 200, response.content
    return response.json()


def as_json(url):
    """The address in JSON of what a shape leads to in HTML."""
    return addresses.relative(url).replace(".html", ".json")


def page(client, path):
    return html.fromstring(client.get(path).content.decode())


def text(tree):
    return " ".join(tree.text_content().split())


def headlines(shape):
    return [entry["headline"] for entry in shape["events"]]


def counts(shape, key="topics"):
    return {one["name"]: one["count"] for one in shape[key]}


def day(number):
    return DAY.replace(day=number)


def walked(client, path, between=lambda: None):
    """The uids of every page of a timeline, from the newest to the oldest; `between` happens before each next one."""
    uids = []
    while path:
        part = shape(client, path)
        uids += [entry["uid"] for entry in part["events"]]
        between()
        path = part["older"] and as_json(part["older"])
    return uids


def number_published(number, **values):
    return [published(f"Number {each} happens.", **values) for each in range(number)]


class TestTopic:
    def test_its_timeline_goes_from_the_newest_day_to_the_oldest(self, client):
        for number in (3, 20, 11):
            published(f"On {number}.", date=day(number), topics=["Brexit"])
        published("Of something else.", topics=["Parliament"])
        brexit = shape(client, BREXIT)
        assert headlines(brexit) == ["On 20.", "On 11.", "On 3."]
        assert (brexit["name"], brexit["slug"], brexit["count"]) == ("Brexit", "brexit", 3)
        assert brexit["url"] == addresses.absolute(addresses.topic("brexit"))
        assert (brexit["older"], brexit["newer"]) == (None, None)

    def test_entries_of_a_day_stand_in_one_order_whenever_they_were_published(self, client):
        uids = {str(event.uid) for event in number_published(8, topics=["Brexit"])}
        assert walked(client, BREXIT) == sorted(uids, reverse=True)

    def test_it_counts_by_year_and_each_year_leads_to_its_end(self, client):
        dates = [datetime.date(2015, 3, 1), datetime.date(2017, 1, 1), datetime.date(2017, 12, 31)]
        for date in dates:
            published(f"On {date}.", date=date, topics=["Brexit"])
        years = shape(client, BREXIT)["years"]
        assert [(year["year"], year["count"]) for year in years] == [(2017, 2), (2015, 1)]
        of_2017, of_2015 = (shape(client, as_json(year["url"])) for year in years)
        assert headlines(of_2017) == ["On 2017-12-31.", "On 2017-01-01.", "On 2015-03-01."]
        assert headlines(of_2015) == ["On 2015-03-01."]
        assert of_2015["count"] == 3

    def test_the_last_year_of_the_calendar_has_no_end_to_begin_after(self, client):
        event = published(topics=["Brexit"])
        date = datetime.date(9999, 12, 31)
        Edition.objects.filter(event=event).update(date=date)
        event.editions.get().topic_links.update(date=date)
        (year,) = shape(client, BREXIT)["years"]
        assert year["url"] == addresses.absolute(addresses.topic("brexit"))

    def test_topics_that_often_occur_with_it_are_told_with_their_number(self, client):
        published(topics=["Brexit", "Parliament", "Trade"])
        published(topics=["Brexit", "Parliament"])
        published(topics=["Brexit", "Borders"])
        published(topics=["Parliament", "Trade"])
        often = shape(client, BREXIT)["often_with"]
        assert [(other["name"], other["count"]) for other in often] == [("Parliament", 2), ("Borders", 1), ("Trade", 1)]
        assert often[0]["url"] == addresses.absolute(addresses.topic("parliament"))

    def test_no_more_than_ten_of_them(self, client):
        published(topics=["Brexit", *(f"Topic {letter}" for letter in "lkjihgfedcba")])
        often = shape(client, BREXIT)["often_with"]
        assert [other["name"] for other in often] == [f"Topic {letter}" for letter in "abcdefghij"]

    def test_it_is_the_newest_entries_that_tell_which(self, client, monkeypatch):
        monkeypatch.setattr(timelines, "LOOKED_AT", 2)
        published(topics=["Brexit", "Referendum"], date=day(1))
        for number in (2, 3):
            published(topics=["Brexit", "Borders"], date=day(number))
        assert counts(shape(client, BREXIT), "often_with") == {"Borders": 2}

    @pytest.mark.parametrize("format", ["html", "json"])
    def test_another_name_leads_to_it_in_the_same_format(self, client, format):
        published(topics=["Brexit"])
        publishing.add_alias(topic("Brexit"), "British exit", by=None)
        response = client.get(addresses.topic("british-exit", format) + "?before=2017-02-25")
        assert (response.status_code, response["Location"]) == (
            302,
            f"{addresses.topic('brexit', format)}?before=2017-02-25",
        )
        then = addresses.as_of(datetime.datetime.now(datetime.UTC))
        response = client.get(then + addresses.topic("british-exit", format))
        assert (response.status_code, response["Location"]) == (302, then + addresses.topic("brexit", format))

    def test_it_says_its_other_names(self, client):
        published(topics=["Brexit", "Leaving"])
        publishing.rename_topic(topic("Brexit"), "Withdrawal from the Union", by=None)
        publishing.merge_topics(topic("Leaving"), topic("Withdrawal from the Union"), by=None)
        response = client.get(BREXIT)
        renamed = shape(client, response["Location"] if response.status_code == 302 else BREXIT)
        assert (renamed["name"], renamed["aliases"]) == ("Withdrawal from the Union", ["Brexit", "Leaving"])
        assert renamed["count"] == 1
        assert "Also called Brexit, Leaving" in text(page(client, addresses.topic(renamed["slug"])))

    def test_slugs_in_other_scripts_have_a_page(self, client):
        published(topics=["欧盟"])
        assert shape(client, addresses.topic("欧盟", "json"))["count"] == 1

    def test_its_page_tells_the_total_and_draws_the_years(self, client):
        for year in (2013, 2017):
            published(topics=["Brexit", "Parliament"], date=datetime.date(year, 6, 1))
        tree = page(client, addresses.topic("brexit"))
        assert text(tree.find(".//title")) == "Brexit – Newsdesk"
        assert text(tree.find_class("total")[0]) == "2 entries since 2013"
        assert [text(heading) for heading in tree.find_class("timeline")[0].findall(".//h2")] == [
            "1 June 2017",
            "1 June 2013",
        ]
        assert [text(row) for row in tree.find_class("bars")[0].findall("tbody/tr")] == ["2017 1", "2013 1"]
        assert {heading.get("scope") for heading in tree.find_class("bars")[0].iter("th")} == {"col", "row"}
        drawing = tree.find_class("sparkline")[0]
        assert (drawing.get("viewbox"), drawing.get("aria-hidden")) == ("0 0 5 100", "true")
        assert [bar.get("x") for bar in drawing.iter("rect")] == ["0", "4"]

    def test_few_years_are_not_drawn(self, client):
        for year in (2014, 2017):
            published(topics=["Brexit"], date=datetime.date(year, 6, 1))
        assert not page(client, addresses.topic("brexit")).find_class("sparkline")

    def test_a_drawing_has_a_hundred_years_at_most(self, client):
        for year in (1600, 1950, 2017):
            published(topics=["Brexit"], date=datetime.date(year, 6, 1))
        tree = page(client, addresses.topic("brexit"))
        assert tree.find_class("sparkline")[0].get("viewbox") == "0 0 100 100"
        assert len(tree.find_class("bars")[0].findall("tbody/tr")) == 3


class TestCategory:
    def test_it_has_what_is_published_in_it_now(self, client):
        published("In politics.", category="Politics", date=day(2))
        published("In politics, later.", category="Politics", date=day(3))
        moved = published("In sports now.", category="Politics")
        updated(moved, category="Sports")
        politics = shape(client, POLITICS)
        assert headlines(politics) == ["In politics, later.", "In politics."]
        assert (politics["name"], politics["slug"], politics["count"]) == ("Politics", "politics", 2)
        assert [(year["year"], year["count"]) for year in politics["years"]] == [(2017, 2)]

    def test_its_page_has_its_name_and_its_total(self, client):
        published(category="Politics")
        tree = page(client, addresses.category("politics"))
        assert text(tree.find(".//h1")) == "Politics"
        assert text(tree.find_class("total")[0]) == "1 entry since 2017"
        assert not tree.find_class("sparkline")


def unused():
    topic("Brexit")
    category("Politics")


def drafted():
    return draft(topics=["Brexit"], category="Politics")


def scheduled():
    publishing.schedule(drafted(), by=None, kind="publish", issue=in_minutes(5, NOON))


def withdrawn():
    publishing.withdraw(published(topics=["Brexit"], category="Politics"), by=None, note="Untrue.")


def superseded():
    updated(published(topics=["Brexit"], category="Politics"), topics=["Exit"], category="Sports")


class TestNothingPublic:
    @pytest.fixture
    def absent(self, client):
        """The answers to addresses that nobody ever thought of."""
        return {
            format: client.get(make("never-heard-of", format)).content
            for format in addresses.FORMATS
            for make in (addresses.topic, addresses.category)
        }

    @pytest.mark.parametrize("happens", [unused, drafted, scheduled, withdrawn, superseded])
    def test_it_is_absent_like_anything_else(self, client, clock, absent, happens):
        happens()
        for format in addresses.FORMATS:
            for path in (addresses.topic("brexit", format), addresses.category("politics", format)):
                response = client.get(path)
                assert (response.status_code, response.content) == (404, absent[format])

    def test_another_name_does_not_betray_what_has_nothing_public(self, client):
        draft(topics=["Brexit"])
        publishing.add_alias(topic("Brexit"), "British exit", by=None)
        assert client.get(addresses.topic("british-exit", "json")).status_code == 404

    def test_it_is_asked_for_by_as_many_queries_as_what_never_was(self, client):
        published()
        draft(topics=["Brexit"], category="Politics")
        for known, unknown in ((BREXIT, "/topics/x/index.json"), (POLITICS, "/categories/x/index.json")):
            numbers = []
            for path in (known, unknown):
                with CaptureQueriesContext(connection) as queries:
                    assert client.get(path).status_code == 404
                numbers.append(len(queries))
            assert numbers[0] == numbers[1]


class TestPaging:
    @LINES
    def test_every_entry_stands_on_one_page(self, client, monkeypatch, path, values):
        monkeypatch.setattr(timelines, "ENTRIES", 5)
        events = [event for number in (1, 2, 3) for event in number_published(6, date=day(number), **values)]
        uids = walked(client, path)
        assert len(uids) == 18
        assert set(uids) == {str(event.uid) for event in events}

    @LINES
    def test_none_is_skipped_or_doubled_while_entries_of_the_same_day_arrive(self, client, monkeypatch, path, values):
        """Some of them stand before the place that was reached, some after it: uids are drawn by chance."""
        monkeypatch.setattr(timelines, "ENTRIES", 3)
        there = {str(event.uid) for event in number_published(12, **values)}
        arrived = []

        def arrive():
            if len(arrived) < 24:
                arrived.extend(str(event.uid) for event in number_published(6, **values))

        uids = walked(client, path, arrive)
        assert len(uids) == len(set(uids))
        assert there <= set(uids)
        assert uids == sorted(uids, reverse=True)
        assert set(uids) & set(arrived)
        assert set(arrived) - set(uids)

    def test_fifty_to_a_page_and_the_next_only_if_there_is_one_more(self, client):
        number_published(50, topics=["Brexit"])
        assert shape(client, BREXIT)["older"] is None
        published(topics=["Brexit"])
        first = shape(client, BREXIT)
        assert (len(first["events"]), first["newer"]) == (50, None)
        second = shape(client, as_json(first["older"]))
        assert (len(second["events"]), second["older"], second["count"]) == (1, None, 51)
        assert second["newer"] == first["url"]
        assert second["formats"]["xml"] == second["url"].replace(".html", ".xml")

    def test_before_a_date_stands_what_is_older_than_that_day(self, client):
        for number in (1, 2, 3):
            published(f"On {number}.", date=day(number), topics=["Brexit"])
        assert headlines(shape(client, f"{BREXIT}?before=2017-02-02")) == ["On 1."]
        assert headlines(shape(client, f"{BREXIT}?before=2017-02-01")) == []
        assert "Nothing is older than this." in text(page(client, f"{addresses.topic('brexit')}?before=2017-02-01"))

    def test_a_part_of_the_timeline_says_which_it_is(self, client, monkeypatch):
        monkeypatch.setattr(timelines, "ENTRIES", 1)
        for year in (2014, 2015, 2017):
            published(topics=["Brexit"], category="Politics", date=datetime.date(year, 6, 1))
        for path, name in ((addresses.topic("brexit"), "Brexit"), (addresses.category("politics"), "Politics")):
            first = page(client, path)
            assert not first.xpath("//table//a[@aria-current]")
            of_2015 = page(client, first.xpath("//table//a[.='2015']/@href")[0])
            assert text(of_2015.find(".//title")) == f"{name}, before 1 January 2016 – Newsdesk"
            assert text(of_2015.find_class("total")[0]) == "3 entries since 2014, here those before 1 January 2016"
            assert of_2015.xpath("//table//a[@aria-current='true']/text()") == ["2015"]
            second = page(client, first.find_class("next")[0].get("href"))
            assert text(second.find(".//title")) == f"{name}, continued – Newsdesk"
            assert text(second.find_class("total")[0]) == "3 entries since 2014, here continued"

    def test_pages_after_the_first_are_not_for_indexes_and_lead_on(self, client, monkeypatch):
        monkeypatch.setattr(timelines, "ENTRIES", 1)
        for number in (1, 2, 3):
            published(date=day(number), topics=["Brexit"])
        first = shape(client, BREXIT)
        assert "X-Robots-Tag" not in client.get(BREXIT)
        response = client.get(as_json(first["older"]))
        assert response["X-Robots-Tag"] == "noindex"
        assert f'<{first["url"]}>; rel="first"' in response["Link"]
        assert f'<{response.json()["older"]}>; rel="next"' in response["Link"]
        links = page(client, addresses.relative(first["older"])).find_class("neighbours")[0].findall("a")
        assert [link.get("rel") for link in links] == ["first", "next"]

    @pytest.mark.parametrize(
        "before",
        [
            "2017",
            "2017-2-25",
            "2017-02-30",
            "0000-01-01",
            "2017-02-25.",
            "2017-02-25.x",
            "2017-02-25.00000000-0000-0000-0000-00000000000",
            "2017-02-25.00000000-0000-0000-0000-000000000000 ",
            "tomorrow",
            "٢٠١٧-٠٢-٢٥",
            "\0",
        ],
    )
    def test_what_names_no_place_is_refused_with_the_form_it_takes(self, client, before):
        published(topics=["Brexit"], category="Politics")
        for make, slug in ((addresses.topic, "brexit"), (addresses.category, "politics")):
            response = client.get(make(slug, "json"), {"before": before})
            assert response.status_code == 400
            assert "“before” takes a date such as 2017-02-25" in response.json()["detail"]
            assert client.get(make(slug, "html"), {"before": before}).status_code == 400

    def test_a_repeated_place_is_refused(self, client):
        published(topics=["Brexit"])
        assert client.get(f"{BREXIT}?before=2017-02-25&before=2017-02-26").status_code == 400

    @pytest.mark.parametrize("end", ["0001-01-01", "9999-12-31"])
    def test_the_calendar_has_two_ends(self, client, end):
        published(topics=["Brexit"])
        assert len(shape(client, f"{BREXIT}?before={end}")["events"]) == (end > "2017")


class TestIndex:
    def test_an_empty_record_has_one(self, client):
        assert shape(client, INDEX)["topics"] == []
        assert "No topic has an entry yet." in text(page(client, addresses.topics()))

    def test_the_most_used_come_first_then_by_name(self, client):
        published(topics=["Zoo", "Brexit", "Alps"])
        published(topics=["Zoo", "alders"])
        index = shape(client, INDEX)
        assert [(one["name"], one["count"]) for one in index["topics"]] == [
            ("Zoo", 2),
            ("alders", 1),
            ("Alps", 1),
            ("Brexit", 1),
        ]
        assert (index["letter"], index["q"], index["older"]) == (None, None, None)
        assert index["topics"][0]["url"] == addresses.absolute(addresses.topic("zoo"))

    @pytest.mark.parametrize("past", ["", "past"])
    def test_of_those_used_alike_the_first_by_name_are_told(self, client, clock, monkeypatch, past):
        monkeypatch.setattr(timelines, "MOST_USED", 3)
        published(topics=["Zoo", "Trade", "Brexit", "Alps"])
        published(topics=["Zoo"])
        clock.shift(HOUR)
        prefix = addresses.as_of(NOON) if past else ""
        assert [one["name"] for one in shape(client, prefix + INDEX)["topics"]] == ["Zoo", "Alps", "Brexit"]

    def test_what_somebody_types_is_not_for_indexes(self, client):
        published(topics=["Brexit"])
        for query, robots in (("", None), ("?letter=b", None), ("?letter=b&after=a", "noindex"), ("?q=br", "noindex")):
            assert client.get(addresses.topics("json") + query).get("X-Robots-Tag") == robots

    def test_each_letter_leads_to_the_topics_below_it(self, client):
        published(topics=["Alps", "brexit", "Zoo", "zebra", "2017 elections", "9/11", "Ärzte", "欧盟", "“Alps” (film)"])
        below = {
            letter["letter"]: [one["name"] for one in shape(client, as_json(letter["url"]))["topics"]]
            for letter in shape(client, INDEX)["letters"]
        }
        other = below.pop("other")
        assert {letter: names for letter, names in below.items() if names} == {
            "a": ["Alps"],
            "b": ["brexit"],
            "z": ["zebra", "Zoo"],
            "0-9": ["2017 elections", "9/11"],
        }
        assert set(other) == {"Ärzte", "欧盟", "“Alps” (film)"}
        assert len(below) == 27

    def test_below_a_letter_every_topic_stands_on_one_page(self, client, monkeypatch):
        monkeypatch.setattr(timelines, "OF_LETTER", 3)
        published(topics=[f"Article {number} & more" for number in range(8)])
        path, names = f"{INDEX}?letter=a", []
        while path:
            part = shape(client, path)
            names += [one["name"] for one in part["topics"]]
            path = part["older"] and as_json(part["older"])
        assert names == [f"Article {number} & more" for number in range(8)]

    def test_a_later_page_of_a_letter_leads_back_to_its_first(self, client, monkeypatch):
        monkeypatch.setattr(timelines, "OF_LETTER", 1)
        published(topics=["Alps", "Andes"])
        first = shape(client, f"{INDEX}?letter=a")
        second = client.get(as_json(first["older"]))
        assert (first["newer"], second.json()["newer"]) == (None, first["url"])
        assert f'<{first["url"]}>; rel="first"' in second["Link"]
        links = page(client, addresses.relative(first["older"])).find_class("neighbours")[0].findall("a")
        assert [(link.text, link.get("href")) for link in links] == [("First topics", "/topics/index.html?letter=a")]

    def test_what_begins_so_is_found_the_most_used_first(self, client):
        published(topics=["Azerbaijan", "Republic of Azerbaijan", "Armenia"])
        published(topics=["Republic of Azerbaijan"])
        found = shape(client, f"{INDEX}?q=aze")
        assert [(one["name"], one["count"]) for one in found["topics"]] == [
            ("Republic of Azerbaijan", 2),
            ("Azerbaijan", 1),
        ]
        assert (found["q"], found["url"].partition("?")[2]) == ("aze", "q=aze")

    def test_another_name_finds_the_topic(self, client):
        published(topics=["Brexit"])
        publishing.add_alias(topic("Brexit"), "Leaving the Union", by=None)
        assert counts(shape(client, f"{INDEX}?q=leav")) == {"Brexit": 1}

    def test_an_empty_field_asks_for_the_most_used(self, client):
        published(topics=["Brexit"])
        assert counts(shape(client, f"{INDEX}?q=")) == {"Brexit": 1}

    @pytest.mark.parametrize(
        "asked",
        [
            {"letter": "a", "q": "b"},
            {"letter": ""},
            {"letter": "A"},
            {"letter": "ab"},
            {"letter": "ä"},
            {"after": "alps"},
            {"letter": "a", "after": "\0"},
            {"letter": "a", "after": "a" * 1201},
            {"q": "\0"},
            {"q": "a" * 301},
        ],
    )
    def test_what_it_cannot_be_asked_is_refused(self, client, asked):
        response = client.get(INDEX, asked)
        assert response.status_code == 400
        assert any(f"“{name}”" in response.json()["detail"] for name in asked)
        assert client.get(addresses.topics(), asked).status_code == 400

    @pytest.mark.parametrize("q", ["%", "_", "' OR 1=1", "*", "\\", "  ", "-", "é", "\u202e", "🙂"])
    def test_odd_beginnings_get_an_answer(self, client, q):
        published(topics=["Brexit"])
        assert client.get(INDEX, {"q": q}).status_code == 200

    def test_its_page_has_the_letters_and_a_field(self, client):
        published(topics=["Alps"])
        tree = page(client, f"{addresses.topics()}?letter=a")
        assert text(tree.find(".//h1")) == "Topics: A"
        letters = tree.find_class("letters")[0].findall("a")
        assert [text(letter) for letter in letters if letter.get("aria-current")] == ["A"]
        assert tree.find_class("searchbox")[0].get("action") == "/topics/index.html"
        assert text(tree.find_class("topics")[0]) == "Alps 1 entry"


class TestCounts:
    """The index counts what the topics' own pages show, whatever became of the entries."""

    def own(self, client, prefix, names):
        paths = {name: prefix + addresses.topic(topic(name).slug, "json") for name in names}
        answers = {name: client.get(path) for name, path in paths.items()}
        return {name: said.json()["count"] for name, said in answers.items() if said.status_code == 200}

    def agree(self, client, names, prefix=""):
        """What both say; once by use and once by letter."""
        cache.clear()
        own = self.own(client, prefix, names)
        assert counts(shape(client, prefix + INDEX)) == own
        by_letter = [shape(client, f"{prefix}{INDEX}?letter={letter}") for letter in shapes.LETTERS]
        assert {name: count for part in by_letter for name, count in counts(part).items()} == own
        return own

    NAMES = ("Draft", "Embargo", "Gone", "Former", "Latter", "Kept", "Restored", "Merged")

    def history(self):
        """Entries of every fate; what is scheduled is due in a minute."""
        draft(topics=["Draft"])
        publishing.withdraw(published(topics=["Gone", "Kept"]), by=None, note="Untrue.")
        updated(published(topics=["Former", "Kept"]), topics=["Latter", "Kept"])
        restored = published(topics=["Restored", "Kept"])
        publishing.withdraw(restored, by=None, note="Doubtful.")
        publishing.restore(Event.objects.get(pk=restored.pk), by=None)
        published(topics=["Merged"])
        publishing.merge_topics(topic("Merged"), topic("Kept"), by=None)
        publishing.schedule(draft(topics=["Embargo", "Kept"]), by=None, kind="publish", issue=in_minutes(1, NOON))
        event = revise(published(topics=["Former"]), topics=["Latter"])
        publishing.schedule(event, by=None, kind="update", issue=in_minutes(1, NOON))

    def test_they_agree_before_and_after_an_hour_that_nobody_logged(self, client, clock):
        self.history()
        assert self.agree(client, self.NAMES) == {"Former": 1, "Latter": 1, "Kept": 3, "Restored": 1}
        head = LogHead.objects.get().seq
        clock.move_to(in_minutes(1, NOON))
        assert self.agree(client, self.NAMES) == {"Embargo": 1, "Latter": 2, "Kept": 4, "Restored": 1}
        assert LogHead.objects.get().seq == head
        publishing.settle()
        assert LogHead.objects.get().seq == head + 2
        assert self.agree(client, self.NAMES) == {"Embargo": 1, "Latter": 2, "Kept": 4, "Restored": 1}

    def test_they_agree_in_the_past(self, client, clock):
        event = published(topics=["Former", "Kept"])
        withdrawn = published(topics=["Gone", "Kept"])
        clock.shift(HOUR)
        updated(event, topics=["Latter", "Kept"])
        clock.shift(HOUR)
        publishing.withdraw(withdrawn, by=None, note="Untrue.")
        for hours, expected in ((0, {"Former": 1, "Kept": 1}), (1, {"Latter": 1, "Kept": 1}), (-1, {})):
            prefix = addresses.as_of(NOON + hours * HOUR)
            assert self.agree(client, self.NAMES, prefix) == expected

    def test_what_is_typed_does_not_suggest_what_is_not_public(self, client, clock):
        self.history()
        assert counts(shape(client, f"{INDEX}?q=emb")) == {}
        assert counts(shape(client, f"{INDEX}?q=draft")) == {}
        clock.move_to(in_minutes(1, NOON))
        assert counts(shape(client, f"{INDEX}?q=emb")) == {"Embargo": 1}
        assert counts(shape(client, f"{INDEX}?q=form")) == {}


class TestPast:
    def test_pages_show_what_was_public_then_and_lead_on_in_the_past(self, client, clock, monkeypatch):
        monkeypatch.setattr(timelines, "ENTRIES", 1)
        for number in (1, 2, 3):
            published(f"On {number}.", date=day(number), topics=["Brexit", "Trade"], category="Politics")
        clock.shift(HOUR)
        published("Later.", topics=["Brexit"], category="Politics")
        then = addresses.as_of(NOON)
        for path in (BREXIT, POLITICS):
            part = shape(client, then + path)
            assert (headlines(part), part["count"]) == (["On 3."], 3)
            leading = [part["url"], part["older"], part["years"][0]["url"], part["events"][0]["url"]]
            assert all(addresses.relative(url).startswith(f"{then}/") for url in leading)
            assert headlines(shape(client, as_json(part["older"]))) == ["On 2."]
            tree = page(client, then + path.replace(".json", ".html"))
            links = [link.get("href") for link in tree.find(".//main").iter("a") if "source" not in link.get("href")]
            assert all(addresses.relative(link).startswith(f"{then}/") for link in links)
        assert shape(client, then + BREXIT)["often_with"][0]["count"] == 3

    def test_the_index_leads_on_in_the_past(self, client, clock):
        published(topics=["Brexit"])
        clock.shift(HOUR)
        published(topics=["Brexit", "Trade"])
        then = addresses.as_of(NOON)
        index = shape(client, then + INDEX)
        assert counts(index) == {"Brexit": 1}
        assert addresses.relative(index["letters"][0]["url"]) == f"{then}/topics/index.html?letter=a"
        assert counts(shape(client, f"{then}{INDEX}?q=tra")) == {}
        tree = page(client, then + addresses.topics())
        assert tree.find_class("searchbox")[0].get("action") == f"{then}/topics/index.html"

    def test_before_the_first_entry_there_is_nothing(self, client, clock):
        published(topics=["Brexit"], category="Politics")
        then = addresses.as_of(NOON - HOUR)
        assert [client.get(then + path).status_code for path in (BREXIT, POLITICS)] == [404, 404]


class TestQueries:
    @pytest.mark.parametrize("past", ["", "past"])
    @pytest.mark.parametrize(
        ("path", "number"),
        [
            (BREXIT, 6),
            (addresses.topic("brexit"), 6),
            (f"{BREXIT}?{urlencode({'before': '2017-02-26'})}", 6),
            (POLITICS, 4),
            (addresses.category("politics"), 4),
            (INDEX, 3),
            (f"{INDEX}?letter=b", 3),
            (f"{INDEX}?q=brex", 3),
        ],
    )
    def test_their_number_does_not_grow_with_the_entries(self, client, clock, path, number, past):
        numbers = []
        for entries in (3, 57):
            for each in range(entries):
                published(topics=["Brexit", f"Topic {each}"], category="Politics")
            cache.clear()
            clock.shift(HOUR)
            prefix = addresses.as_of(NOON + HOUR / 2) if past else ""
            with CaptureQueriesContext(connection) as queries:
                assert client.get(prefix + path).status_code == 200
            numbers.append(len(queries))
        assert numbers[0] == numbers[1] <= number

    def test_what_is_due_costs_one_more(self, client, clock):
        published(topics=["Brexit"])
        publishing.schedule(draft(topics=["Embargo"]), by=None, kind="publish", issue=in_minutes(1, NOON))
        clock.move_to(in_minutes(1, NOON))
        with CaptureQueriesContext(connection) as queries:
            assert counts(shape(client, INDEX)) == {"Brexit": 1, "Embargo": 1}
        assert len(queries) == 4

    def test_a_kept_answer_costs_one(self, client):
        published(topics=["Brexit"], category="Politics")
        for path in (BREXIT, POLITICS, INDEX):
            client.get(path)
            with CaptureQueriesContext(connection) as queries:
                client.get(path)
            assert len(queries) == 1


def test_no_topic_is_left_without_its_place_in_the_index():
    """Each first letter that a key may have is below one of the letters."""
    published(topics=["Alps", "zoo", "2017", "Ärzte", "欧盟", "#metoo", "ﬁve"])
    below = [pk for letter in shapes.LETTERS for pk in usage.beginning_with(letter).values_list("pk", flat=True)]
    assert sorted(below) == sorted(Topic.objects.values_list("pk", flat=True))
