"""The past by standard: what programs that travel in time by RFC 7089 are told of an event and of a day."""

import datetime

import pytest
import time_machine
from django.core.cache import cache
from django.utils.http import http_date

from events import addresses, http, publishing
from events.formats import as_link_format
from tests.test_http import PROBLEMS, links, parsed_links
from tests.words import DAY, in_minutes, published, revise, updated

pytestmark = pytest.mark.django_db

NOON = datetime.datetime(2026, 11, 22, 12, 0, 20, tzinfo=datetime.UTC)
HOUR = datetime.timedelta(hours=1)
SECOND = datetime.timedelta(seconds=1)
OLD = addresses.neutral_event(DAY, "parliament-adopts-the-budget")
NEW = addresses.neutral_event(DAY, "parliament-adopts-the-budget-for-2018")
DAY_PATH = addresses.neutral_day(DAY)
OTHER_DAY = datetime.date(2017, 2, 24)
DAY_TIMEMAP = addresses.day_timemap(DAY)
TIMEMAP_TYPE = {"rel": "timemap", "type": "application/link-format"}
REASON = "We check it."
# How an event's address may end, and the format that it then has.
ENDS = {"": "html", ".html": "html", ".json": "json", ".xml": "xml", ".md": "md"}


@pytest.fixture(autouse=True)
def clock():
    """Noon, and moved by hand."""
    cache.clear()
    with time_machine.travel(NOON, tick=False) as clock:
        yield clock


def five_versions(clock):
    """Published, set right in a trifle, corrected under another headline, and updated twice, an hour apart each."""
    event = published()
    for kind, note, values in (
        ("minor", "", {"headline": "Parliament adopts the budget !"}),
        ("correction", "It is the budget for 2018.", {"headline": "Parliament adopts the budget for 2018."}),
        ("update", "", {"body": "By 300 votes."}),
        ("update", "", {"body": "By 301 votes."}),
    ):
        clock.shift(HOUR)
        updated(event, kind, note, **values)
    clock.shift(HOUR)
    return event


def with_a_gap(clock):
    """Published, withdrawn an hour later, restored after one more; that is version 3."""
    event = published()
    clock.shift(HOUR)
    publishing.withdraw(event, by=None, note=REASON)
    clock.shift(HOUR)
    publishing.restore(event, by=None)
    clock.shift(HOUR)
    return event


def at(moment):
    return {"Accept-Datetime": http_date(moment.timestamp())}


def page_at(moment, path=DAY_PATH):
    return addresses.as_of(moment) + path


def chosen(client, path, moment, **headers):
    """Where a TimeGate leads at this moment."""
    response = client.get(path, headers=at(moment) | headers)
    assert response.status_code == 302
    return response["Location"]


def mementos(links_of):
    """[(path, Memento's datetime)] of what is related as a memento."""
    return [(addresses.relative(url), said["datetime"]) for url, said in links_of if "memento" in said["rel"].split()]


def timemap(client, path):
    response = client.get(path)
    assert response.status_code == 200
    return parsed_links(response.content.decode())


def versions(*numbers, path=NEW, format="html"):
    return [f"{path}.v{number}.{format}" for number in numbers]


def hours(*numbers):
    return [http_date((NOON + number * HOUR).timestamp()) for number in numbers]


def original(path):
    return [(addresses.absolute(path), {"rel": "original timegate"})]


def resource(response):
    """What the Link header says of the original resource."""
    said = parsed_links(response["Link"])
    return [link for link in said if {"original", "timegate", "timemap"} & set(link[1]["rel"].split())]


class TestEvent:
    """The neutral address: original resource and TimeGate in one (M1, M2)."""

    def test_it_names_its_timegate_its_timemap_and_the_ends(self, client, clock):
        """M1."""
        five_versions(clock)
        for end, format in ENDS.items():
            response = client.get(NEW + end)
            assert resource(response) == [*original(NEW), (addresses.absolute(f"{NEW}.timemap"), TIMEMAP_TYPE)]
            ends = [f"{OLD}.v1.{format}", f"{NEW}.v5.{format}"]
            assert mementos(parsed_links(response["Link"])) == list(zip(ends, hours(0, 4), strict=True))
            assert "Memento-Datetime" not in response

    def test_it_varies_by_both_whether_asked_or_not(self, client, clock):
        """M2, H4."""
        five_versions(clock)
        plain = client.get(NEW)
        answers = [
            plain,
            client.get(NEW, headers={"If-None-Match": plain["ETag"]}),
            client.get(NEW, headers=at(NOON)),
            client.get(NEW, headers={"Accept-Datetime": "yesterday"}),
            client.get(OLD),
        ]
        assert [answer.status_code for answer in answers] == [200, 304, 302, 400, 302]
        assert {answer["Vary"] for answer in answers} == {"Accept, Accept-Datetime"}

    def test_without_a_moment_it_is_the_event_of_now(self, client, clock):
        """M2: 200 and Content-Location."""
        five_versions(clock)
        response = client.get(NEW, headers={"Accept": "application/json"})
        assert (response.status_code, response.json()["version"]) == (200, 5)
        assert response["Content-Location"] == addresses.absolute(f"{NEW}.json")

    def test_a_moment_leads_to_the_version_of_then(self, client, clock):
        """M2: the first for what was before it, the last for the future."""
        five_versions(clock)
        for moment, version in (
            (NOON - 99999 * HOUR, f"{OLD}.v1"),
            (NOON - SECOND, f"{OLD}.v1"),
            (NOON, f"{OLD}.v1"),
            (NOON + HOUR - SECOND, f"{OLD}.v1"),
            (NOON + HOUR, f"{OLD}.v2"),
            (NOON + 2 * HOUR, f"{NEW}.v3"),
            (NOON + 3.5 * HOUR, f"{NEW}.v4"),
            (NOON + 4 * HOUR, f"{NEW}.v5"),
            (NOON + 99999 * HOUR, f"{NEW}.v5"),
        ):
            assert chosen(client, NEW, moment) == f"{version}.html"
            assert chosen(client, NEW, moment, Accept="application/json") == f"{version}.json"

    def test_the_redirect_says_all_but_a_datetime(self, client, clock):
        """M2."""
        five_versions(clock)
        response = client.get(NEW, headers=at(NOON + 2 * HOUR))
        assert "Memento-Datetime" not in response
        assert "Content-Location" not in response
        assert resource(response) == resource(client.get(NEW))
        assert mementos(parsed_links(response["Link"])) == list(
            zip([f"{OLD}.v1.html", f"{NEW}.v5.html"], hours(0, 4), strict=True)
        )

    def test_head_leads_there_too(self, client, clock):
        five_versions(clock)
        assert client.head(NEW, headers=at(NOON))["Location"] == f"{OLD}.v1.html"

    def test_what_is_kept_for_one_moment_is_not_given_for_another(self, client, clock, django_assert_num_queries):
        five_versions(clock)
        assert client.get(NEW).status_code == 200
        for moment in (NOON, NOON + HOUR):
            assert chosen(client, NEW, moment) == chosen(client, NEW, moment)
        assert chosen(client, NEW, NOON) != chosen(client, NEW, NOON + HOUR)
        with django_assert_num_queries(1):
            assert chosen(client, NEW, NOON) == f"{OLD}.v1.html"
        assert client.get(NEW).status_code == 200

    @pytest.mark.parametrize("path", [NEW, OLD, DAY_PATH])
    def test_a_bad_date_is_told_how_to_be_written(self, client, clock, path):
        """M2: 400."""
        five_versions(clock)
        said = resource(client.get(path))
        for text in (
            "",
            "yesterday",
            "2026-11-22T12:00:20Z",
            "Sun, 22 Nov 2026 12:00:20",
            "Sun, 22 Nov 2026 12:00:20 UTC",
            "Sun, 22 Nov 2026 12:00:20 +0000",
            "Mon, 22 Nov 2026 12:00:20 GMT",
            "Sun, 30 Feb 2026 12:00:20 GMT",
            "Sun, 22 Nov 2026 25:00:20 GMT",
            "Sunday, 22-Nov-26 12:00:20 GMT",
            "Sun Nov 22 12:00:20 2026",
            "Sun, 22 Nov 2026 12:00:20 GMT, Sun, 22 Nov 2026 12:00:20 GMT",
            "Sun, 22 Nov 0000 12:00:20 GMT",
            "Sun, ２２ Nov 2026 12:00:20 GMT",
        ):
            for _ in range(2):
                response = client.get(path, headers={"Accept-Datetime": text, "Accept": "application/json"})
                assert (response.status_code, response["Content-Type"]) == (400, "application/problem+json"), text
                assert response.json()["detail"] == http.BAD_DATETIME
                assert resource(response) == said

    def test_no_other_address_looks_at_the_header(self, client, clock):
        """M3: no negotiation against a memento, nor where a format is named."""
        event = five_versions(clock)
        for path in (
            f"{NEW}.html",
            f"{OLD}.html",
            f"{NEW}.v4.html",
            f"{NEW}.v3-v4.html",
            f"{NEW}.timemap",
            page_at(NOON + 3 * HOUR, NEW),
            page_at(NOON),
            f"{DAY_PATH}index.json",
            DAY_TIMEMAP,
            addresses.uid(event.uid),
            "/",
        ):
            plain = client.get(path)
            for header in (at(NOON), {"Accept-Datetime": "yesterday"}):
                response = client.get(path, headers=header)
                assert (response.status_code, response.content) == (plain.status_code, plain.content), path
                assert dict(response.headers) == dict(plain.headers)
            assert "Datetime" not in response.get("Vary", ""), path

    def test_an_earlier_address_leads_to_the_one_of_today_and_keeps_the_moment_for_that(self, client, clock):
        five_versions(clock)
        for header in ({}, at(NOON)):
            response = client.get(OLD, headers=header)
            assert (response.status_code, response["Location"]) == (302, NEW)
            assert resource(response) == resource(client.get(NEW))
            assert "Memento-Datetime" not in response

    def test_every_address_names_the_one_of_today(self, client, clock):
        """Former slugs, a former date, versions, formats, the uid and the past."""
        event = five_versions(clock)
        updated(event, "correction", "It was the day before.", date=OTHER_DAY)
        moved = addresses.neutral_event(OTHER_DAY, "parliament-adopts-the-budget-for-2018")
        paths = [moved, NEW, OLD, addresses.uid(event.uid), f"{NEW}.v1.html", f"{OLD}.v1.xml", f"{moved}.v6.json"]
        paths += [f"{path}.{format}" for path in (moved, NEW, OLD) for format in addresses.FORMATS]
        paths += [page_at(NOON, OLD), page_at(NOON, f"{OLD}.json"), page_at(NOON + 3 * HOUR, OLD)]
        for path in paths:
            response = client.get(path)
            assert resource(response) == resource(client.get(moved)), path
            assert links(response)["timegate"] == [addresses.absolute(moved)], path

    def test_what_is_not_there_says_nothing(self, client, clock):
        """M2: no Vary, Link or Memento-Datetime on the 404, which is that of any address."""
        five_versions(clock)
        plain = client.get("/nothing")
        for path in (f"{DAY_PATH}nothing", "/news/1999/01/1/", page_at(NOON - HOUR, OLD), page_at(NOON, NEW)):
            for header in ({}, at(NOON), {"Accept-Datetime": "yesterday"}):
                response = client.get(path, headers=header)
                assert response.status_code == 404
                assert not {"Vary", "Link", "Memento-Datetime"} & set(response.headers)
            if "as-of" not in path:
                assert dict(response.headers) == dict(plain.headers)
                assert response.content == plain.content

    def test_what_is_withdrawn_has_no_past(self, client, clock):
        event = five_versions(clock)
        publishing.withdraw(event, by=None, note=REASON)
        for path in (NEW, OLD, f"{NEW}.v5.html", f"{OLD}.v1.html", f"{NEW}.timemap", addresses.uid(event.uid)):
            for header in ({}, at(NOON), {"Accept-Datetime": "yesterday"}):
                response = client.get(path, headers=header)
                assert response.status_code == 410, path
                assert not {"Vary", "Link", "Memento-Datetime"} & set(response.headers)
        assert client.get(page_at(NOON, OLD)).status_code == 410
        assert not {"Link", "Memento-Datetime"} & set(client.get(page_at(NOON, OLD)).headers)

    def test_a_gap_leads_to_the_version_before_it(self, client, clock):
        """The gap itself is no memento, and a moment within is answered with the last thing that was to be read."""
        with_a_gap(clock)
        assert chosen(client, OLD, NOON + HOUR - SECOND) == f"{OLD}.v1.html"
        assert chosen(client, OLD, NOON + HOUR) == f"{OLD}.v1.html"
        assert chosen(client, OLD, NOON + 2 * HOUR - SECOND) == f"{OLD}.v1.html"
        assert chosen(client, OLD, NOON + 2 * HOUR) == f"{OLD}.v3.html"
        gone = client.get(page_at(NOON + 1.5 * HOUR, OLD))
        assert gone.status_code == 410
        assert not {"Link", "Memento-Datetime"} & set(gone.headers)

    def test_a_redacted_version_is_never_chosen(self, client, clock):
        event = five_versions(clock)
        publishing.redact(event, 4, by=None, note="A court ordered it.")
        assert chosen(client, NEW, NOON + 3 * HOUR) == f"{NEW}.v3.html"
        publishing.redact(event, 1, by=None, note="A court ordered it.")
        assert chosen(client, NEW, NOON) == f"{OLD}.v2.html"

    def test_two_versions_of_one_second_are_both_there_and_the_later_one_is_chosen(self, client, clock):
        event = published()
        updated(event, body="By 300 votes.")
        assert mementos(timemap(client, f"{OLD}.timemap")) == list(
            zip(versions(1, 2, path=OLD), hours(0, 0), strict=True)
        )
        assert chosen(client, OLD, NOON) == f"{OLD}.v2.html"


class TestVersions:
    """Permalinks are mementos (M3)."""

    def test_a_version_says_when_it_was_published_and_what_stands_around_it(self, client, clock):
        """M3, M5."""
        five_versions(clock)
        for format in addresses.FORMATS:
            response = client.get(f"{NEW}.v3.{format}")
            assert response["Memento-Datetime"] == hours(2)[0]
            told = parsed_links(response["Link"])
            around = [(said["rel"], said["datetime"]) for _, said in told if "datetime" in said]
            relations = ["first memento", "prev memento", "next memento", "last memento"]
            assert around == list(zip(relations, hours(0, 1, 3, 4), strict=True))
            paths = versions(1, 2, path=OLD, format=format) + versions(4, 5, format=format)
            assert [path for path, _ in mementos(told)] == paths
            assert "Vary" not in response

    def test_neighbours_that_are_the_ends_are_named_once(self, client, clock):
        five_versions(clock)
        for version, relations in (
            (f"{OLD}.v1", ["first memento", "next memento", "last memento"]),
            (f"{OLD}.v2", ["first prev memento", "next memento", "last memento"]),
            (f"{NEW}.v4", ["first memento", "prev memento", "next last memento"]),
            (f"{NEW}.v5", ["first memento", "prev memento", "last memento"]),
        ):
            said = parsed_links(client.get(f"{version}.html")["Link"])
            assert [attributes["rel"] for _, attributes in said if "datetime" in attributes] == relations

    def test_the_only_version_is_the_first_and_the_last(self, client):
        published()
        said = parsed_links(client.get(f"{OLD}.v1.html")["Link"])
        assert [attributes["rel"] for _, attributes in said if "datetime" in attributes] == ["first last memento"]

    def test_a_304_says_it_too(self, client, clock):
        five_versions(clock)
        whole = client.get(f"{NEW}.v3.html")
        response = client.get(f"{NEW}.v3.html", headers={"If-None-Match": whole["ETag"]})
        assert (response.status_code, response["Memento-Datetime"]) == (304, hours(2)[0])

    def test_the_address_under_another_headline_leads_on_and_is_no_memento(self, client, clock):
        five_versions(clock)
        response = client.get(f"{NEW}.v1.html")
        assert (response.status_code, response["Location"]) == (302, f"{OLD}.v1.html")
        assert "Memento-Datetime" not in response

    def test_a_stub_and_a_withdrawal_are_no_mementos(self, client, clock):
        event = with_a_gap(clock)
        updated(event, body="By 300 votes.")
        clock.shift(HOUR)
        publishing.redact(event, 1, by=None, note="A court ordered it.")
        for number in (1, 2):
            response = client.get(f"{OLD}.v{number}.html")
            assert response.status_code == 200
            assert "Memento-Datetime" not in response
        said = mementos(parsed_links(client.get(f"{OLD}.v4.html")["Link"]))
        assert said == list(zip(versions(3, 4, path=OLD), hours(2, 3), strict=True))


class TestPagesOfThePast:
    """Pages below /as-of/ are mementos of the moment in their address (M3)."""

    def test_an_event_of_the_past(self, client, clock):
        five_versions(clock)
        moment = NOON + 1.5 * HOUR
        around = list(zip([f"{OLD}.v1", f"{OLD}.v2", f"{NEW}.v3", f"{NEW}.v5"], hours(0, 1, 2, 4), strict=True))
        for end, format in ENDS.items():
            response = client.get(page_at(moment, OLD + end))
            assert response["Memento-Datetime"] == http_date(moment.timestamp())
            assert resource(response) == resource(client.get(NEW))
            assert mementos(parsed_links(response["Link"])) == [(f"{path}.{format}", date) for path, date in around]
            assert response.get("Vary", "Accept") == "Accept"

    def test_an_earlier_address_of_then_leads_on_as_it_did_then(self, client, clock):
        """M3: a redirect of the past is one of the record's own answers, and says its datetime."""
        five_versions(clock)
        response = client.get(page_at(NOON + 2 * HOUR, OLD))
        assert (response.status_code, response["Location"]) == (302, page_at(NOON + 2 * HOUR, NEW))
        assert response["Memento-Datetime"] == hours(2)[0]
        assert links(response)["original"] == [addresses.absolute(NEW)]

    def test_what_was_public_then_but_was_redacted_since_is_no_memento(self, client, clock):
        event = five_versions(clock)
        publishing.redact(event, 4, by=None, note="A court ordered it.")
        response = client.get(page_at(NOON + 3 * HOUR, f"{NEW}.json"))
        assert (response.status_code, response.json()["version"]) == (200, 3)
        assert "Memento-Datetime" not in response
        assert "v4" not in response["Link"]

    def test_a_day_of_the_past(self, client, clock):
        five_versions(clock)
        moment = NOON + 1.5 * HOUR
        for path in (DAY_PATH, f"{DAY_PATH}index.json"):
            response = client.get(page_at(moment, path))
            assert response["Memento-Datetime"] == http_date(moment.timestamp())
            assert resource(response) == resource(client.get(DAY_PATH))
            around = [(page_at(NOON + hour * HOUR), hours(hour)[0]) for hour in (0, 1, 2, 4)]
            assert mementos(parsed_links(response["Link"])) == around


class TestDay:
    """The day's neutral address (M1, M2)."""

    def test_it_names_its_timegate_its_timemap_and_the_ends(self, client, clock):
        """M1."""
        five_versions(clock)
        for path in (DAY_PATH, f"{DAY_PATH}index.json"):
            response = client.get(path)
            assert resource(response) == [*original(DAY_PATH), (addresses.absolute(DAY_TIMEMAP), TIMEMAP_TYPE)]
            ends = [(page_at(NOON + hour * HOUR), hours(hour)[0]) for hour in (0, 4)]
            assert mementos(parsed_links(response["Link"])) == ends
            assert "Memento-Datetime" not in response

    def test_a_moment_leads_to_the_page_of_then(self, client, clock):
        """M2."""
        five_versions(clock)
        for moment, hour in ((-99999, 0), (-1, 0), (0, 0), (0.5, 0), (2, 2), (3.9, 3), (4, 4), (99999, 4)):
            for accept in ("*/*", "application/json"):
                location = chosen(client, DAY_PATH, NOON + moment * HOUR, Accept=accept)
                assert location == page_at(NOON + hour * HOUR)
            assert client.get(location)["Memento-Datetime"] == hours(hour)[0]

    def test_the_redirect_says_all_but_a_datetime(self, client, clock):
        """M2, H4."""
        five_versions(clock)
        response = client.get(DAY_PATH, headers=at(NOON))
        assert response["Vary"] == client.get(DAY_PATH)["Vary"] == "Accept, Accept-Datetime"
        assert resource(response) == resource(client.get(DAY_PATH))
        assert "Memento-Datetime" not in response

    def test_a_day_that_never_had_an_entry_has_no_past(self, client, clock):
        for days in (-1, 1):
            published(date=DAY + datetime.timedelta(days=days))
        response = client.get(DAY_PATH, headers=at(NOON))
        assert response.status_code == 200
        assert not {"original", "timegate", "timemap", "memento"} & set(links(response))
        assert client.get(DAY_TIMEMAP).status_code == 404


class TestTimeMap:
    """M4."""

    def test_an_event(self, client, clock):
        five_versions(clock)
        response = client.get(f"{NEW}.timemap")
        assert response["Content-Type"] == "application/link-format"
        first, own, *listed = parsed_links(response.content.decode())
        assert [first] == original(NEW)
        interval = dict(zip(("from", "until"), hours(0, 4), strict=True))
        assert own == (
            addresses.absolute(f"{NEW}.timemap"),
            {"rel": "self", "type": "application/link-format", **interval},
        )
        paths = versions(1, 2, path=OLD) + versions(3, 4, 5)
        assert mementos(listed) == list(zip(paths, hours(0, 1, 2, 3, 4), strict=True))
        relations = [said["rel"] for _, said in listed]
        assert relations == ["first memento", "memento", "memento", "memento", "last memento"]

    def test_the_document_is_written_as_the_standard_writes_it(self, client):
        published()
        url = addresses.absolute(OLD)
        date = "Sun, 22 Nov 2026 12:00:20 GMT"
        assert client.get(f"{OLD}.timemap").content.decode() == (
            f'<{url}>; rel="original timegate",\n'
            f'<{url}.timemap>; rel="self"; type="application/link-format"; from="{date}"; until="{date}",\n'
            f'<{url}.v1.html>; rel="first last memento"; datetime="{date}"\n'
        )

    def test_every_memento_is_there_and_says_the_datetime_of_the_list(self, client, clock):
        """M3, M4, for an event and for a day."""
        five_versions(clock)
        for path in (f"{NEW}.timemap", DAY_TIMEMAP):
            listed = mementos(timemap(client, path))
            assert len(listed) == 5
            for memento, datetime_said in listed:
                response = client.get(memento)
                assert (response.status_code, response["Memento-Datetime"]) == (200, datetime_said)

    def test_a_timegate_leads_to_what_is_listed(self, client, clock):
        """M2, M4, for an event and for a day."""
        five_versions(clock)
        for gate, path in ((NEW, f"{NEW}.timemap"), (DAY_PATH, DAY_TIMEMAP)):
            for memento, said in mementos(timemap(client, path)):
                assert client.get(gate, headers={"Accept-Datetime": said})["Location"] == memento

    def test_withdrawals_and_redacted_versions_are_not_listed(self, client, clock):
        event = with_a_gap(clock)
        assert mementos(timemap(client, f"{OLD}.timemap")) == list(
            zip(versions(1, 3, path=OLD), hours(0, 2), strict=True)
        )
        updated(event, body="By 300 votes.")
        publishing.redact(event, 1, by=None, note="A court ordered it.")
        assert mementos(timemap(client, f"{OLD}.timemap")) == list(
            zip(versions(3, 4, path=OLD), hours(2, 3), strict=True)
        )

    def test_earlier_addresses_lead_to_the_one_of_today(self, client, clock):
        event = five_versions(clock)
        assert client.get(f"{OLD}.timemap")["Location"] == f"{NEW}.timemap"
        updated(event, "correction", "It was the day before.", date=OTHER_DAY)
        moved = addresses.timemap(OTHER_DAY, "parliament-adopts-the-budget-for-2018")
        for path in (OLD, NEW):
            response = client.get(f"{path}.timemap")
            assert (response.status_code, response["Location"]) == (302, moved)

    def test_other_spellings_lead_to_ours(self, client):
        for path in ("/news/2017/2/25/x.timemap", "/news/2017/2/25/index.timemap"):
            response = client.get(path)
            assert (response.status_code, response["Location"]) == (301, path.replace("/2/", "/02/"))

    def test_a_day_changes_with_each_version_of_its_entries(self, client, clock):
        five_versions(clock)
        published("Another thing happens.")
        published("Something else happens at the same time.")
        published("This is of another day.", date=OTHER_DAY)
        listed = mementos(timemap(client, DAY_TIMEMAP))
        assert listed == [(page_at(NOON + hour * HOUR), hours(hour)[0]) for hour in range(6)]

    def test_a_day_changes_when_an_entry_is_withdrawn_and_restored(self, client, clock):
        with_a_gap(clock)
        listed = mementos(timemap(client, DAY_TIMEMAP))
        assert [said for _, said in listed] == hours(0, 1, 2)
        assert client.get(listed[1][0], headers={"Accept": "application/json"}).json()["withdrawn"] == 1

    def test_a_day_changes_when_an_entry_leaves_it(self, client, clock):
        published("Something else happens.")
        event = published()
        clock.shift(HOUR)
        updated(event, "correction", "It was the day before.", date=OTHER_DAY)
        assert [said for _, said in mementos(timemap(client, DAY_TIMEMAP))] == hours(0, 1)
        assert [said for _, said in mementos(timemap(client, addresses.day_timemap(OTHER_DAY)))] == hours(1)

    @pytest.mark.parametrize("is_inside", [True, False])
    def test_a_day_left_without_entries_is_a_memento_where_it_was_a_page(self, client, clock, is_inside):
        if is_inside:
            for days in (-3, 3):
                published(date=DAY + datetime.timedelta(days=days))
        event = published()
        for hour in range(3):
            clock.shift(HOUR)
            updated(event, "correction", f"We look again ({hour}).", date=OTHER_DAY if hour % 2 == 0 else DAY)
        listed = mementos(timemap(client, DAY_TIMEMAP))
        assert [said for _, said in listed] == (hours(0, 1, 2, 3) if is_inside else hours(0, 2))
        for path, said in listed:
            assert client.get(path)["Memento-Datetime"] == said

    def test_a_day_does_not_tell_of_what_was_withdrawn_or_redacted(self, client, clock):
        published("Something else happens.")
        clock.shift(HOUR)
        event = published()
        clock.shift(HOUR)
        updated(event, body="By 300 votes.")
        clock.shift(HOUR)
        updated(event, body="By 301 votes.")
        publishing.redact(event, 2, by=None, note="A court ordered it.")
        assert [said for _, said in mementos(timemap(client, DAY_TIMEMAP))] == hours(0, 1, 2, 3)
        publishing.redact(event, 1, by=None, note="A court ordered it.")
        assert [said for _, said in mementos(timemap(client, DAY_TIMEMAP))] == hours(0, 3)
        publishing.withdraw(event, by=None, note=REASON)
        assert [said for _, said in mementos(timemap(client, DAY_TIMEMAP))] == hours(0)

    @pytest.mark.parametrize("path", [f"{OLD}.timemap", DAY_TIMEMAP])
    def test_it_is_read_like_anything_else(self, client, path):
        """Conditions, freshness, parameters, robots; a copy of the site may read it."""
        published()
        whole = client.get(path)
        assert whole["Cache-Control"] == "public, max-age=40"
        assert whole["X-Robots-Tag"] == "noindex"
        assert "Vary" not in whole
        assert client.get(path, headers={"If-None-Match": whole["ETag"]}).status_code == 304
        assert client.head(path)["ETag"] == whole["ETag"]
        refused = client.get(f"{path}?x=1")
        assert (refused.status_code, refused["Content-Type"]) == (400, PROBLEMS["json"])
        assert client.post(path).status_code == 405

    @pytest.mark.parametrize(
        "path",
        [f"{OLD}.timemap", DAY_TIMEMAP, "/news/2017/02/30/x.timemap", "/news/2017/02/30/index.timemap", "/x.timemap"],
    )
    def test_what_is_not_there_is_one_404(self, client, path):
        response = client.get(path)
        assert (response.status_code, response["Content-Type"]) == (404, PROBLEMS["json"])
        assert response.content == client.get("/nothing.json").content
        assert not {"Vary", "Link", "Memento-Datetime"} & set(response.headers)

    def test_a_withdrawn_event_is_told_like_anywhere(self, client, clock):
        event = five_versions(clock)
        publishing.withdraw(event, by=None, note=REASON)
        for path in (f"{NEW}.timemap", f"{OLD}.timemap"):
            response = client.get(path)
            assert (response.status_code, response["Content-Type"]) == (410, PROBLEMS["json"])
            assert response.json()["reason"] == REASON
        assert client.get(DAY_TIMEMAP).status_code == 404

    @pytest.mark.parametrize("number", [1, 6])
    def test_queries_are_the_same_however_long_the_past_is(self, client, clock, django_assert_max_num_queries, number):
        published("Something else happens.")
        for entry in range(number):
            event = published(f"Parliament adopts budget {entry}.")
            for version in range(number):
                clock.shift(HOUR)
                moved = {"date": OTHER_DAY if version % 2 else DAY, "body": f"By {version} votes."}
                updated(event, "correction", "We counted again.", **moved)
            publishing.withdraw(event, by=None, note=REASON)
            publishing.restore(event, by=None)
        current = event.editions.order_by("number").last()
        for path, most in ((addresses.timemap(current.date, current.slug), 2), (DAY_TIMEMAP, 3)):
            with django_assert_max_num_queries(most):
                assert client.get(path).status_code == 200
        for path in (addresses.neutral_event(current.date, current.slug), DAY_PATH):
            with django_assert_max_num_queries(7):
                assert client.get(path, headers=at(NOON)).status_code == 302


class TestBeforeItsHour:
    """M5: what is scheduled shows in no TimeMap, header or date."""

    def everything(self, client, event):
        paths = [NEW, OLD, DAY_PATH, f"{NEW}.timemap", f"{OLD}.timemap", DAY_TIMEMAP, addresses.uid(event.uid)]
        paths += [f"{OLD}.html", f"{OLD}.v1.html", f"{OLD}.v2.html", page_at(NOON, OLD), page_at(NOON)]
        paths += [addresses.day_timemap(OTHER_DAY), addresses.neutral_day(OTHER_DAY)]
        asked = [{}, *(at(NOON + number * HOUR) for number in (-1, 0, 0.5, 24))]
        cache.clear()
        answers = {
            (path, number): client.get(path, headers=header) for path in paths for number, header in enumerate(asked)
        }
        return {key: (answer.status_code, dict(answer.headers), answer.content) for key, answer in answers.items()}

    def test_nothing_differs_and_at_the_hour_all_is_there(self, client, clock):
        event = published()
        clock.shift(HOUR)
        before = self.everything(client, event)
        issue = in_minutes(5, NOON + HOUR)
        values = {"headline": "Parliament adopts the budget for 2018.", "date": OTHER_DAY}
        publishing.schedule(
            revise(event, **values), by=None, issue=issue, kind="correction", note="It is the budget for 2018."
        )
        assert self.everything(client, event) == before
        clock.move_to(issue - SECOND)
        moved = addresses.neutral_event(OTHER_DAY, "parliament-adopts-the-budget-for-2018")
        assert client.get(f"{moved}.timemap").status_code == 404
        assert mementos(timemap(client, f"{OLD}.timemap")) == [(f"{OLD}.v1.html", hours(0)[0])]
        assert chosen(client, OLD, issue + HOUR) == f"{OLD}.v1.html"
        assert mementos(timemap(client, DAY_TIMEMAP)) == [(page_at(NOON), hours(0)[0])]
        assert client.get(addresses.day_timemap(OTHER_DAY)).status_code == 404
        clock.move_to(issue)
        said = http_date(issue.timestamp())
        assert mementos(timemap(client, f"{moved}.timemap"))[-1] == (f"{moved}.v2.html", said)
        assert chosen(client, moved, issue) == f"{moved}.v2.html"
        assert client.get(f"{moved}.v2.html")["Memento-Datetime"] == said
        assert links(client.get(f"{OLD}.v1.html"))["original"] == [addresses.absolute(moved)]
        assert mementos(timemap(client, addresses.day_timemap(OTHER_DAY))) == [
            (page_at(issue, addresses.neutral_day(OTHER_DAY)), said)
        ]


class TestLinkFormat:
    @pytest.mark.parametrize(
        ("parts", "text"),
        [
            (("self", "https://a.example/"), '<https://a.example/>; rel="self"'),
            (("a b", "x", {"type": "y", "from": "z"}), '<x>; rel="a b"; type="y"; from="z"'),
            (("a", "x", {"title": 'He said "no\\yes"'}), '<x>; rel="a"; title="He said \\"no\\\\yes\\""'),
        ],
    )
    def test_a_link_is_written_with_its_attributes_in_quotes(self, parts, text):
        """RFC 8288, 3; RFC 6690, 2."""
        assert as_link_format.link(*parts) == text

    def test_a_document_has_a_link_a_line(self):
        assert as_link_format.render([("a", "x"), ("b", "y", {"type": "z"})]) == (
            b'<x>; rel="a",\n<y>; rel="b"; type="z"\n'
        )
