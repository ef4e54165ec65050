"""The list of what the newsroom owned up to, and the pages that answer when something else is asked than is there."""

import datetime
from urllib.parse import urlsplit

import pytest
import time_machine
from django.core.cache import cache
from lxml import html

from events import addresses, owning_up, publishing
from events.models import Edition
from events.pages import correcting
from tests.words import DAY, in_minutes, published, revise, updated

pytestmark = pytest.mark.django_db

NOON = datetime.datetime(2018, 2, 6, 12, 0, tzinfo=datetime.UTC)
LIST = "/corrections/index"
SLUG = "parliament-adopts-the-budget"


@pytest.fixture(autouse=True)
def empty_cache():
    cache.clear()


@pytest.fixture
def clock():
    """Stands at noon; each act of a test moves it on."""
    with time_machine.travel(NOON, tick=False) as clock:
        yield clock


@pytest.fixture
def corrected(clock):
    """A function that publishes something and corrects it a minute later."""

    def correct(headline="Parliament adopts the budget.", note="It was another budget.", **values):
        event = published(headline, body="It was a narrow vote.", **values)
        clock.shift(60)
        updated(event, kind="correction", note=note, body="It was a wide vote.")
        return event

    return correct


def shown(client, query=""):
    response = client.get(f"{LIST}.json{query}")
    assert response.status_code == 200, response.content
    return response.json()


def rows(client, query=""):
    return shown(client, query)["corrections"]


def tree(client, path, status=200):
    response = client.get(path)
    assert response.status_code == status
    return html.fromstring(response.content.decode())


def text(element):
    return " ".join(element.text_content().split())


def path(url):
    parts = urlsplit(url)
    return parts.path + (f"?{parts.query}" if parts.query else "")


def version(number, slug=SLUG, format="html"):
    return addresses.absolute(addresses.edition(DAY, slug, number, format))


class TestRows:
    def test_a_correction_says_what_was_wrong_and_leads_to_what_changed(self, client, corrected):
        event = corrected()
        assert rows(client) == [
            {
                "uid": str(event.uid),
                "url": version(2),
                "version": 2,
                "date": str(DAY),
                "kind": "correction",
                "label": "Correction",
                "note": "It was another budget.",
                "headline": "Parliament adopts the budget.",
                "language": "en",
                "issued": "2018-02-06T12:01:00Z",
                "difference": addresses.absolute(addresses.comparison(DAY, SLUG, 1, 2)),
            }
        ]

    def test_updates_and_minor_changes_are_not_in_it(self, client, clock):
        event = published()
        updated(event, body="More.")
        updated(event, kind="minor", body="More!")
        assert rows(client) == []

    def test_it_goes_from_the_newest_on(self, client, clock, corrected):
        for number in range(3):
            corrected(f"Number {number} happens.")
        assert [row["headline"] for row in rows(client)] == [f"Number {number} happens." for number in (2, 1, 0)]

    def test_a_correction_is_in_it_from_its_second_on(self, client, clock):
        event = revise(published(), body="It was a wide vote.")
        issue = in_minutes(5, NOON)
        publishing.schedule(event, by=None, issue=issue, kind="correction", note="It was wide.")
        clock.move_to(issue - datetime.timedelta(seconds=1))
        assert rows(client) == []
        clock.move_to(issue)
        assert [row["note"] for row in rows(client)] == ["It was wide."]

    def test_a_correction_stays_under_its_own_headline(self, client, clock, corrected):
        updated(corrected(), headline="Parliament adopts another budget.")
        (row,) = rows(client)
        assert (row["headline"], row["url"]) == ("Parliament adopts the budget.", version(2))

    def test_a_withdrawn_event_shows_no_more_than_that_it_is_and_why(self, client, clock, corrected):
        event = corrected()
        publishing.withdraw(event, by=None, note="It did not happen.")
        (row,) = rows(client)
        assert row["url"] == addresses.absolute(addresses.uid(event.uid))
        assert (row["label"], row["note"]) == ("Withdrawn", "It did not happen.")
        assert [row[key] for key in ("date", "headline", "language", "difference")] == [None] * 4
        for format in addresses.FORMATS:
            answer = client.get(f"{LIST}.{format}").content.decode()
            assert "It did not happen." in answer
            assert "budget" not in answer.lower() and "2017" not in answer

    def test_a_withdrawal_that_was_lifted_has_the_headline_again(self, client, clock):
        event = published()
        publishing.withdraw(event, by=None, note="It is not sure.")
        clock.shift(60)
        publishing.restore(event, by=None, note="It is sure.")
        restoration, withdrawal = rows(client)
        assert (restoration["label"], withdrawal["label"]) == ("Restored", "Withdrawn")
        assert {row["headline"] for row in (restoration, withdrawal)} == {"Parliament adopts the budget."}
        assert (restoration["url"], withdrawal["url"]) == (version(3), version(2))
        assert [row["difference"] for row in (restoration, withdrawal)] == [None, None]

    def test_each_row_leads_to_a_page(self, client, clock, corrected):
        corrected()
        other = corrected("Another thing happens.")
        publishing.withdraw(other, by=None, note="It is not sure.")
        publishing.restore(other, by=None, note="It is sure.")
        updated(other, headline="Another thing happened.")
        publishing.redact(other, 2, by=None, note="A private address.")
        assert len(rows(client)) == 4
        for row in rows(client):
            assert client.get(path(row["url"])).status_code == 200, row

    def test_a_correction_that_was_redacted_shows_the_reason_of_that(self, client, clock, corrected):
        event = corrected()
        updated(event, headline="Parliament adopts another budget.")
        publishing.redact(event, 2, by=None, note="It named a private address.")
        (row,) = rows(client)
        assert (row["kind"], row["label"], row["note"]) == ("correction", "Redacted", "It named a private address.")
        assert (row["headline"], row["difference"]) == (None, None)
        assert row["url"] == version(2, "parliament-adopts-another-budget")

    def test_a_withdrawal_of_what_was_redacted_since_has_no_headline(self, client, clock):
        event = published()
        publishing.withdraw(event, by=None, note="It is not sure.")
        publishing.restore(event, by=None, note="It is sure.")
        updated(event, headline="Parliament adopts another budget.")
        publishing.redact(event, 1, by=None, note="A private address.")
        assert [row["headline"] for row in rows(client) if row["kind"] == "withdraw"] == [None]

    def test_what_changed_is_told_against_the_version_before_that_has_a_text(self, client, clock, corrected):
        event = corrected()
        updated(event, kind="correction", note="Nor was it that.", body="Nobody voted.")
        publishing.redact(event, 2, by=None, note="A private address.")
        newest = rows(client)[0]
        assert newest["difference"] == addresses.absolute(addresses.comparison(DAY, SLUG, 1, 3))

    def test_nothing_to_compare_with_means_no_link(self, client, clock, corrected):
        event = corrected()
        publishing.redact(event, 1, by=None, note="A private address.")
        assert [row["difference"] for row in rows(client)] == [None]

    def test_of_a_correction_after_a_gap_the_difference_is_to_what_was_restored(self, client, clock):
        event = published()
        publishing.withdraw(event, by=None, note="It is not sure.")
        publishing.restore(event, by=None, note="It is sure.")
        updated(event, kind="correction", note="It was late.", body="At night.")
        assert rows(client)[0]["difference"] == addresses.absolute(addresses.comparison(DAY, SLUG, 3, 4))


class TestPast:
    """What was owned up to by a moment, which the front page of the past shows."""

    def test_it_is_what_was_told_by_then(self, clock, corrected):
        corrected("One thing happens.")
        then = NOON + datetime.timedelta(minutes=1)
        corrected("Another thing happens.")
        assert [row.document["headline"] for row in owning_up.owned_up_rows(then, 5)] == ["One thing happens."]

    def test_within_a_gap_there_is_the_withdrawal_alone(self, clock, corrected):
        event = corrected()
        publishing.withdraw(event, by=None, note="It is not sure.")
        gap = NOON + datetime.timedelta(minutes=1, seconds=30)
        clock.shift(60)
        publishing.restore(event, by=None, note="It is sure.")
        (row,) = owning_up.owned_up_rows(gap, 5)
        assert (row.kind, row.in_force, row.shown, row.place) == ("withdraw", True, None, None)

    def test_what_is_withdrawn_now_was_never_told(self, clock, corrected):
        event = corrected()
        clock.shift(60)
        publishing.withdraw(event, by=None, note="It did not happen.")
        assert owning_up.owned_up_rows(NOON + datetime.timedelta(seconds=90), 5) == []


class TestPages:
    @pytest.fixture
    def many(self, clock, monkeypatch):
        """Three pages of five, with several corrections in a second and one that readers must not see."""
        monkeypatch.setattr(correcting, "PAGE", 5)
        events = [published(f"Number {number} happens.", body="So.") for number in range(12)]
        for number, event in enumerate(events):
            if number % 4 == 0:
                clock.shift(3600)
            updated(event, kind="correction", note=f"Number {number} was wrong.", body="Not so.")
        publishing.withdraw(events[5], by=None, note="It did not happen.")
        return events

    def test_older_pages_have_each_row_once(self, client, many):
        pages = [shown(client)]
        while pages[-1]["older"]:
            pages.append(shown(client, f"?{urlsplit(pages[-1]['older']).query}"))
        found = [(row["uid"], row["version"]) for page in pages for row in page["corrections"]]
        assert [len(page["corrections"]) for page in pages] == [5, 5, 2]
        assert len(set(found)) == 12 == Edition.objects.owned_up(NOON + datetime.timedelta(days=2)).count()
        issued = [row["issued"] for page in pages for row in page["corrections"]]
        assert issued == sorted(issued, reverse=True)
        assert pages[0]["newer"] is None
        assert {page["newer"] for page in pages[1:]} == {addresses.absolute(addresses.corrections())}

    def test_a_row_more_at_the_top_moves_no_older_page(self, client, clock, many):
        older = f"?{urlsplit(shown(client)['older']).query}"
        before = rows(client, older)
        clock.shift(60)
        updated(published("One more happens."), kind="correction", note="It was wrong.", body="Not so.")
        assert rows(client, older) == before

    def test_the_address_of_a_page_is_its_own_in_every_format(self, client, many):
        older = shown(client)["older"]
        page = shown(client, f"?{urlsplit(older).query}")
        assert page["url"] == older
        assert page["formats"]["md"] == older.replace(".html", ".md")
        assert {client.get(path(url)).status_code for url in page["formats"].values()} == {200}

    @pytest.mark.parametrize(
        ("before", "number"),
        [
            ("2018-02-06T13:00:01Z", 4),
            ("2018-02-06T13:00:00Z", 0),
            ("2018-02-06T14:00:01%2B01:00", 4),
            ("20180206T130001Z", 4),
            ("2018-02-06", 0),
            ("2018-02-08", 5),
            ("1000-01-01", 0),
            ("20180206T130000Z.ffffffff-ffff-ffff-ffff-ffffffffffff.1", 0),
            ("20180206T130000Z.00000000-0000-0000-0000-000000000000.1", 4),
        ],
    )
    def test_it_can_be_read_from_any_moment(self, client, many, before, number):
        assert len(rows(client, f"?before={before}")) == number

    def test_a_date_begins_where_the_site_is(self, client, corrected, settings):
        settings.TIME_ZONE = "Pacific/Auckland"
        corrected()
        assert len(rows(client, "?before=2018-02-07")) == 0
        settings.TIME_ZONE = "America/New_York"
        assert len(rows(client, "?before=2018-02-07")) == 1

    @pytest.mark.parametrize(
        "before",
        [
            *["", "x", "2018", "2018-02-30", "2018-02-06T13:00", "20180230T130000Z", "00000101T000000Z", "%00"],
            *["20180206T130000Z.x.1", "20180206T130000Z.00000000-0000-0000-0000-000000000000.0", "٢٠١٨-٠٢-٠٦"],
        ],
    )
    @pytest.mark.parametrize("format", addresses.FORMATS)
    def test_what_cannot_be_read_is_named(self, client, before, format):
        response = client.get(f"{LIST}.{format}?before={before}")
        assert response.status_code == 400
        assert "“before”" in response.content.decode()
        assert "2018-02-06" in response.content.decode()

    @pytest.mark.parametrize("number", [1, 20])
    def test_its_queries_do_not_grow_with_its_rows(self, client, clock, number, django_assert_num_queries):
        for position in range(number):
            event = published(f"Number {position} happens.", body="So.")
            publishing.withdraw(event, by=None, note="It is not sure.")
            publishing.restore(event, by=None)
            updated(event, kind="correction", note="It was wrong.", body="Not so.")
        with django_assert_num_queries(4):
            tree(client, f"{LIST}.html")
        with django_assert_num_queries(1):
            tree(client, f"{LIST}.html")

    def test_its_statement_says_the_condition_of_the_index_that_it_walks_along(self):
        (index,) = [index for index in Edition._meta.indexes if index.name == "edition_owned_up"]
        assert index.condition.children == [("kind__in", [str(kind) for kind in Edition.OWNED_UP])]
        assert "IN ('correction', 'withdraw', 'restore')" in str(Edition.objects.owned_up(NOON).query)


class TestHtml:
    @pytest.mark.parametrize("format", addresses.FORMATS)
    def test_an_empty_record_has_one(self, client, format):
        assert client.get(f"{LIST}.{format}").status_code == 200
        assert "Nothing has been corrected" in text(tree(client, f"{LIST}.html"))

    def test_it_goes_by_day_and_gives_each_note_in_full(self, client, clock, corrected):
        corrected("السلام", note="It was <b>wrong</b>.\n" + "a word " * 100, language="ar")
        clock.shift(86400)
        corrected("Another thing happens.")
        page = tree(client, f"{LIST}.html")
        assert text(page.find(".//title")).startswith("Corrections – ")
        assert [text(heading) for heading in page.iter("h2")] == ["7 February 2018", "6 February 2018"]
        assert [text(heading) for heading in page.iter("h1")] == ["Corrections"]
        older = page.find_class("headline")[1]
        assert (older.get("lang"), older.get("dir"), text(older)) == ("ar", "auto", "السلام")
        assert text(page.find_class("note")[1]) == ("It was <b>wrong</b>. " + "a word " * 100).strip()
        links = {text(link): link.get("href") for link in page.iter("a")}
        assert links["How we correct"] == "/corrections/policy.html"
        assert any(label.startswith("What changed") for label in links)

    def test_days_are_those_of_the_site(self, client, clock, corrected, settings):
        settings.TIME_ZONE = "Pacific/Auckland"
        corrected()
        assert [text(heading) for heading in tree(client, f"{LIST}.html").iter("h2")] == ["7 February 2018"]

    def test_a_withdrawn_entry_has_a_link_that_can_be_read(self, client, corrected):
        event = corrected()
        publishing.withdraw(event, by=None, note="It did not happen.")
        link = tree(client, f"{LIST}.html").find_class("headline")[0].find("a")
        assert (text(link), path(link.get("href"))) == ("An entry that is withdrawn", addresses.uid(event.uid))


class TestProblems:
    def links(self, page):
        return {link.get("href") for link in page.iterfind(".//main//a")}

    def has_a_way_on(self, page):
        """Latest, calendar, topics, and a search that has its label."""
        assert {"/", "/news/index.html", "/topics/index.html"} <= self.links(page)
        (form,) = page.iterfind(".//main//form")
        assert (form.get("action"), form.get("method")) == ("/search/index.html", "get")
        field = form.find(".//input")
        assert field.get("name") == "q"
        assert form.find(".//label").get("for") == field.get("id")

    @pytest.mark.parametrize("address", ["/nothing", "/news/2017/02/25/nothing.html", "/events/x", "/index.foo"])
    def test_a_404_leads_on_and_is_the_same_wherever(self, client, corrected, address):
        corrected()
        self.has_a_way_on(tree(client, address, 404))
        assert client.get(address).content == client.get("/as-of/20170101T000000Z/nothing.html").content

    def test_a_400_says_what_to_do_and_leads_on(self, client):
        page = tree(client, f"{LIST}.html?before=x", 400)
        assert "“before”" in text(page.find_class("problem")[0])
        self.has_a_way_on(page)

    def test_a_405_leads_on(self, client):
        response = client.post("/")
        assert response.status_code == 405
        self.has_a_way_on(html.fromstring(response.content.decode()))

    def test_a_500_leads_on_without_the_database(self, client, corrected, monkeypatch, django_assert_num_queries):
        client.raise_request_exception = False
        monkeypatch.setattr(correcting, "PAGE", "no number")
        response = client.get(f"{LIST}.html")
        assert (response.status_code, response["Cache-Control"]) == (500, "no-store")
        self.has_a_way_on(html.fromstring(response.content.decode()))

    def test_a_410_gives_the_reason_the_time_and_what_it_means(self, client, corrected):
        event = corrected()
        publishing.withdraw(event, by=None, note="It did not happen.")
        page = tree(client, f"{version(2)}".removeprefix(addresses.absolute("")), 410)
        said = text(page.find_class("problem")[0])
        assert "It did not happen." in said
        assert page.find(".//main//time").get("datetime") == "2018-02-06T12:01:00Z"
        meaning = addresses.problem("withdrawn")
        assert {meaning, addresses.uid(event.uid), "/corrections/index.html"} <= self.links(page)
        assert client.get(meaning).status_code == 200
        self.has_a_way_on(page)

    def test_a_comparison_with_what_was_redacted_says_so_and_what_that_means(self, client, corrected):
        event = corrected()
        publishing.redact(event, 1, by=None, note="A private address.")
        page = tree(client, addresses.comparison(DAY, SLUG, 1, 2), 410)
        assert addresses.problem("redacted") in self.links(page)
        self.has_a_way_on(page)

    @pytest.mark.parametrize(("name", "heading"), [("withdrawn", "Withdrawn"), ("redacted", "Redacted")])
    def test_each_type_of_problem_is_explained(self, client, name, heading):
        assert text(tree(client, addresses.problem(name)).find(".//h1")) == heading

    def test_no_other_type_is(self, client):
        assert client.get(addresses.problem("other")).status_code == 404
