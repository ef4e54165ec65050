"""Sources by host: the index of the hosts that entries cite, and what the API makes of it."""

import datetime
from importlib import import_module
from xml.etree import ElementTree

import pytest
import time_machine
from django.apps import apps
from django.core.cache import cache

from events import addresses, documents, publishing
from events.formats import as_xml
from events.models import EditionHost
from events.wire import entries
from tests.histories import Loaded, history, source, update, version, written
from tests.test_formats import XSD, from_xml, parse, root_schema, validate
from tests.words import DAY, draft, in_minutes, published, revise, updated

pytestmark = pytest.mark.django_db

NOON = datetime.datetime(2026, 11, 22, 12, 0, 20, tzinfo=datetime.UTC)
SOURCES = addresses.api("sources", "")
AGENCY = addresses.api("sources", "agency.example")


@pytest.fixture(autouse=True)
def empty_cache():
    cache.clear()


@pytest.fixture
def clock():
    with time_machine.travel(NOON, tick=False) as clock:
        yield clock


def citing(*urls, headline="Parliament adopts the budget.", **values):
    return published(headline, sources=[("Source", url) for url in urls], **values)


def indexed():
    return {
        (edition, host, date.isoformat())
        for edition, host, date in EditionHost.objects.values_list("edition__number", "host", "date")
    }


def counts(client, path=SOURCES):
    return {row["host"]: row["count"] for row in answer(client, path)["sources"]}


def answer(client, path):
    response = client.get(addresses.relative(path))
    assert response.status_code == 200, response.content
    return response.json()


def walked(client, path, key):
    """Every page of a list, forwards, and the first again by the way back."""
    pages = [answer(client, path)]
    while pages[-1]["next"]:
        pages.append(answer(client, pages[-1]["next"]))
    back = pages[-1]
    for page in reversed(pages[:-1]):
        back = answer(client, back["previous"])
        assert back[key] == page[key]
    assert back["previous"] is None
    return [row for page in pages for row in page[key]]


class TestIndex:
    @pytest.mark.parametrize(
        ("url", "host"),
        [
            ("https://agency.example/1", "agency.example"),
            ("HTTPS://WWW.Agency.Example:8443/1?a=b", "agency.example"),
            ("http://www.www.example", "www.example"),
            ("http://under_score.example", "under_score.example"),
            ("https://Zürich.example/", "zürich.example"),
            ("http://[::1]:80/", "::1"),
        ],
    )
    def test_a_host_is_what_the_page_shows(self, url, host):
        assert documents.hosts({"sources": [{"name": "A", "url": url}]}) == [host]

    @pytest.mark.parametrize("url", ["https://www./", f"https://{'a' * 254}.example/"])
    def test_what_no_host_can_be_is_none(self, url):
        citing(url)
        assert indexed() == set()

    def test_publishing_writes_each_host_of_an_edition_once(self):
        event = citing("https://agency.example/1", "https://www.agency.example/2", "https://gazette.example/")
        updated(event, headline="Parliament adopts a budget.", sources=[("A", "https://agency.example/1")])
        assert indexed() == {
            (1, "agency.example", "2017-02-25"),
            (1, "gazette.example", "2017-02-25"),
            (2, "agency.example", "2017-02-25"),
        }

    def test_a_redaction_takes_the_hosts_too(self):
        event = citing("https://agency.example/1")
        updated(event, headline="Parliament adopts a budget.", sources=[])
        publishing.redact(event, 1, by=None, note="A private address.")
        assert indexed() == set()

    def test_an_edition_that_is_not_published_leaves_none(self, clock):
        event = draft(sources=[("A", "https://agency.example/1")])
        publishing.schedule(event, by=None, issue=in_minutes(5, NOON))
        assert indexed()
        publishing.unschedule(event, by=None)
        assert indexed() == set()

    def test_a_restored_edition_has_its_hosts_again(self):
        event = citing("https://agency.example/1")
        publishing.withdraw(event, by=None, note="It seemed wrong.")
        publishing.restore(event, by=None)
        assert indexed() == {(1, "agency.example", "2017-02-25"), (3, "agency.example", "2017-02-25")}

    def test_loading_writes_what_publishing_does(self, tmp_path):
        first = version(sources=[source(1), source(2)])
        second = update(sources=[source(1), {"name": "Gazette", "url": "https://www.gazette.example/"}])
        loaded = Loaded(written(tmp_path / "a.jsonl", history(first, second)))
        assert loaded.problems == []
        assert indexed() == {
            (1, "agency.example", "2017-02-25"),
            (2, "agency.example", "2017-02-25"),
            (2, "gazette.example", "2017-02-25"),
        }

    def test_the_migration_fills_it(self):
        """What was published before there was an index gets the same rows."""
        event = citing("https://agency.example/1", "https://gazette.example/2")
        updated(event, headline="Parliament adopts a budget.", date=DAY.replace(day=26))
        before = indexed()
        assert len(before) == 4
        EditionHost.objects.filter(host="gazette.example").delete()
        import_module("events.migrations.0022_fill_hosts").fill(apps, None)
        assert indexed() == before


class TestHosts:
    def test_hosts_with_the_number_of_entries(self, client):
        citing("https://agency.example/1", "https://agency.example/2", "https://gazette.example/")
        citing("https://www.agency.example/3", headline="Second.")
        published("No sources.")
        shape = answer(client, SOURCES)
        assert shape["sources"] == [
            {"host": "agency.example", "count": 2, "url": addresses.absolute(AGENCY)},
            {"host": "gazette.example", "count": 1, "url": addresses.absolute("/api/sources/gazette.example")},
        ]
        assert shape["url"] == addresses.absolute(SOURCES)
        assert (shape["next"], shape["previous"]) == (None, None)

    @pytest.mark.parametrize(("path", "root"), [(SOURCES, "source_list"), (AGENCY, "source_page")])
    def test_both_formats_are_as_the_schemas_have_them_and_say_the_same(self, client, path, root):
        for number in range(3):
            citing("https://agency.example/1", f"https://host-{number}.example/", headline=f"Entry {number}.")
        for page in (path, f"{path}?limit=1", answer(client, f"{path}?limit=1")["next"]):
            told = answer(client, page)
            validate(root, told)
            document = parse(client.get(addresses.relative(page), headers={"Accept": "application/xml"}).content)
            XSD.assertValid(document)
            assert from_xml(document, root_schema(root)) == told

    def test_in_xml(self, client):
        citing("https://agency.example/1")
        shape = answer(client, SOURCES)
        response = client.get(addresses.relative(shape["formats"]["xml"]))
        root = ElementTree.fromstring(response.content)
        names = {"n": as_xml.NAMESPACE}
        assert [host.text for host in root.findall("n:sources/n:source/n:host", names)] == ["agency.example"]
        assert client.get(SOURCES, headers={"Accept": "application/xml"}).content == response.content

    def test_an_empty_record_has_an_empty_list(self, client):
        assert answer(client, SOURCES)["sources"] == []

    @pytest.mark.parametrize("limit", [1, 2, 3, 7, 8])
    def test_pages_hold_every_host_once_in_both_directions(self, client, limit):
        for number in range(7):
            citing(f"https://host-{number}.example/", "https://agency.example/", headline=f"Entry {number}.")
        rows = walked(client, f"{SOURCES}?limit={limit}", "sources")
        assert [row["host"] for row in rows] == ["agency.example", *(f"host-{number}.example" for number in range(7))]
        assert [row["count"] for row in rows] == [7] + [1] * 7

    def test_only_what_is_current_counts(self, client, clock):
        """Drafts, what is scheduled, what was superseded or withdrawn."""
        draft(sources=[("A", "https://draft.example/")])
        publishing.schedule(draft("B.", sources=[("A", "https://later.example/")]), by=None, issue=in_minutes(5, NOON))
        changed = citing("https://first.example/", headline="C.")
        updated(changed, sources=[("A", "https://second.example/")])
        publishing.withdraw(citing("https://gone.example/", headline="D."), by=None, note="A hoax.")
        embargoed = citing("https://now.example/", headline="E.")
        revise(embargoed, sources=[("A", "https://then.example/")])
        publishing.schedule(embargoed, by=None, kind="update", issue=in_minutes(5, NOON))
        assert counts(client) == {"second.example": 1, "now.example": 1}
        clock.move_to(in_minutes(5, NOON) - datetime.timedelta(seconds=1))
        assert counts(client) == {"second.example": 1, "now.example": 1}
        clock.move_to(in_minutes(5, NOON))
        assert counts(client) == {"later.example": 1, "second.example": 1, "then.example": 1}

    def test_a_page_costs_as_many_queries_whatever_it_lists(self, client, django_assert_max_num_queries):
        for number in range(12):
            citing(f"https://host-{number:02}.example/", headline=f"Entry {number}.")
        for limit in (1, 5, 12):
            path = answer(client, f"{SOURCES}?limit={limit}")["next"] or SOURCES
            cache.clear()
            with django_assert_max_num_queries(3):
                client.get(addresses.relative(path))


class TestHost:
    def test_the_entries_that_cite_it_newest_first(self, client):
        for day in (3, 1, 2):
            citing("https://agency.example/", headline=f"Entry {day}.", date=DAY.replace(day=day))
        citing("https://gazette.example/", headline="Another.")
        shape = answer(client, AGENCY)
        assert [event["headline"] for event in shape["events"]] == ["Entry 3.", "Entry 2.", "Entry 1."]
        assert (shape["host"], shape["count"], shape["url"]) == ("agency.example", 3, addresses.absolute(AGENCY))
        assert answer(client, "/api/sources/WWW.Agency.example") == shape
        for url in shape["formats"].values():
            assert client.get(addresses.relative(url)).status_code == 200

    @pytest.mark.parametrize("limit", [1, 2, 4, 5])
    def test_pages_hold_every_entry_once_in_both_directions(self, client, limit):
        for number in range(5):
            date = DAY.replace(day=1 + number // 2)
            citing("https://agency.example/", "https://agency.example/2", headline=f"Entry {number}.", date=date)
        rows = walked(client, f"{AGENCY}?limit={limit}", "events")
        assert sorted(row["headline"] for row in rows) == [f"Entry {number}." for number in range(5)]
        assert [row["date"] for row in rows] == sorted((row["date"] for row in rows), reverse=True)

    @pytest.mark.parametrize(
        "host", ["agency.example", "nobody.example", "index", "%00", "a" * 300, "%E4%BE%8B", "a b"]
    )
    def test_nothing_public_is_nothing(self, client, clock, host):
        """H6: a host of what is scheduled is no other than one that nobody ever cited."""
        draft("A.", sources=[("A", "https://agency.example/")])
        event = draft(sources=[("A", "https://agency.example/")])
        publishing.schedule(event, by=None, issue=in_minutes(5, NOON))
        response = client.get(f"/api/sources/{host}")
        never = client.get("/api/sources/never.example")
        assert response.status_code == 404
        assert response.content == never.content
        assert response["Content-Type"] == "application/problem+json"

    def test_a_withdrawn_entry_is_not_there(self, client):
        event = citing("https://agency.example/")
        publishing.withdraw(event, by=None, note="A hoax.")
        assert client.get(AGENCY).status_code == 404

    def test_an_international_host(self, client):
        citing("https://例え.example/道")
        (row,) = answer(client, SOURCES)["sources"]
        assert row["host"] == "例え.example"
        assert answer(client, row["url"])["count"] == 1

    @pytest.mark.parametrize("place", [b"", b"\x00", b"\x00a\x00b", b"\x02a.example", b"\x00\xff\xfe/"])
    def test_a_place_that_somebody_made_up_is_refused(self, client, place):
        citing("https://agency.example/")
        response = client.get(SOURCES, {"after": entries.sealed("h", place)})
        assert (response.status_code, response.json()["detail"]) == (400, f"“after”: {entries.GARBLED}")

    @pytest.mark.parametrize("path", [SOURCES, AGENCY])
    @pytest.mark.parametrize(
        "query",
        ["after=x", "before=h", "limit=0", "limit=201", "aftr=1", "limit=1&limit=2", "after=eAAAA&before=eAAAA"],
    )
    def test_bad_parameters_are_refused(self, client, path, query):
        citing("https://agency.example/")
        response = client.get(f"{path}?{query}")
        assert response.status_code == 400
        assert response.json()["detail"]

    def test_a_page_costs_as_many_queries_whatever_it_lists(self, client, django_assert_max_num_queries):
        for number in range(12):
            citing("https://agency.example/", headline=f"Entry {number}.")
        for limit in (1, 5, 12):
            path = answer(client, f"{AGENCY}?limit={limit}")["next"] or AGENCY
            cache.clear()
            with django_assert_max_num_queries(4):
                client.get(addresses.relative(path))
