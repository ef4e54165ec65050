"""What every answer has in common: formats, freshness, conditions, refusals. The pages stand for all of them."""

import datetime
import re
from xml.etree import ElementTree

import pytest
import time_machine
from django.core.cache import cache
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils.http import http_date, parse_http_date

from events import addresses, http, publishing
from events.models import LogHead
from tests.words import DAY, draft, in_minutes, published, revise, updated

pytestmark = pytest.mark.django_db

NOON = datetime.datetime(2026, 11, 22, 12, 0, 20, tzinfo=datetime.UTC)
SLUG = "parliament-adopts-the-budget"
EVENT = addresses.neutral_event(DAY, SLUG)
TYPES = {
    "html": "text/html; charset=utf-8",
    "json": "application/json",
    "xml": "application/xml; charset=utf-8",
    "md": "text/markdown; charset=utf-8",
}
PROBLEMS = TYPES | {"json": "application/problem+json", "xml": "application/problem+xml; charset=utf-8"}


@pytest.fixture(autouse=True)
def empty_cache():
    cache.clear()


@pytest.fixture
def event():
    with time_machine.travel(NOON - datetime.timedelta(days=1), tick=False):
        return published()


def links(response):
    """{relation: [URLs]} of the Link header."""
    found = {}
    for url, attributes in parsed_links(response.get("Link", "")):
        for relation in attributes["rel"].split():
            found.setdefault(relation, []).append(url)
    return found


def parsed_links(text):
    """[(URL, {attribute: value})] of a Link header or of a document of links; anything else in it is an error."""
    shape = r'<([^<>"]*)>((?:; [a-z]+="[^"]*")+)'
    assert re.fullmatch(rf"{shape}(,\s{shape})*\n?|", text), text
    return [(url, dict(re.findall(r'; ([a-z]+)="([^"]*)"', more))) for url, more in re.findall(shape, text)]


def headers(response):
    """The headers that do not depend on the second of the answer, nor on who counted the length."""
    return {name: value for name, value in response.items() if name not in ("Cache-Control", "Content-Length")}


class TestFormats:
    @pytest.mark.parametrize("format", addresses.FORMATS)
    def test_the_address_says_the_format_whatever_is_accepted(self, client, event, format):
        response = client.get(f"{EVENT}.{format}", headers={"Accept": "image/png"})
        assert (response.status_code, response["Content-Type"]) == (200, TYPES[format])
        assert "Vary" not in response
        assert "Content-Location" not in response

    @pytest.mark.parametrize(
        ("accept", "format"),
        [
            ("text/markdown; charset=utf-8", "md"),
            ("application/json;version=1", "json"),
            ('application/xml;charset="utf-8", */*;q=0.1', "xml"),
            ("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", "html"),
            ("application/json", "json"),
            ("application/xml", "xml"),
            ("text/markdown, text/html;q=0.5", "md"),
            ("text/html;q=0.2, application/json;q=0.9", "json"),
            ("*/*", "html"),
            ("image/png", "html"),
            ("", "html"),
            ("nonsense;;;q=x", "html"),
        ],
    )
    @pytest.mark.parametrize("path", [EVENT, addresses.neutral_day(DAY), "/"])
    def test_a_neutral_address_negotiates(self, client, event, path, accept, format):
        response = client.get(path, headers={"Accept": accept})
        assert (response.status_code, response["Content-Type"]) == (200, TYPES[format])
        assert response["Vary"] == ("Accept" if path == "/" else "Accept, Accept-Datetime")
        assert response["Content-Location"].endswith(f".{format}")
        own = client.get(addresses.relative(response["Content-Location"]))
        assert (own.content, own["ETag"]) == (response.content, response["ETag"])

    def test_each_format_has_an_etag_of_its_own_and_names_the_others(self, client, event):
        answers = {format: client.get(f"{EVENT}.{format}") for format in addresses.FORMATS}
        assert len({answer["ETag"] for answer in answers.values()}) == 4
        for format, answer in answers.items():
            assert f"{addresses.absolute(EVENT)}.{format}" not in links(answer)["alternate"]
            assert len(links(answer)["alternate"]) == 3
            assert links(answer)["canonical"] == [addresses.absolute(EVENT)]

    @pytest.mark.parametrize(("format", "schema"), addresses.SCHEMAS.items())
    def test_a_schema_describes_what_programs_read(self, client, event, format, schema):
        assert links(client.get(f"{EVENT}.{format}"))["describedby"] == [addresses.absolute(schema)]
        assert client.get(schema).status_code == 200

    def test_the_headers_of_a_page_are_ascii(self, client):
        published("五号飞船升空")
        for value in client.get(addresses.event(DAY, "五号飞船升空")).headers.values():
            assert value.isascii()

    def test_long_addresses_leave_room_for_the_links_that_matter(self, client):
        event = published("五" * 140)
        updated(event, "correction", "Not so.", body="More.")
        path = addresses.relative(client.get(addresses.uid(event.uid))["Location"])
        for response in (client.get(path), client.get(f"{path}.v1.html")):
            assert sum(len(name) + len(value) + 4 for name, value in response.items()) < 12_000
            told = {relation for link in links(response) for relation in link.split()}
            assert {"canonical", "original", "timegate", "timemap", "latest-version"} <= told

    def test_a_claimed_host_does_not_show(self, client, event, settings):
        settings.ALLOWED_HOSTS = ["*"]
        response = client.get(f"{EVENT}.json", headers={"Host": "evil.example", "X-Forwarded-Host": "evil.example"})
        assert b"evil.example" not in response.content
        assert "evil.example" not in str(response.headers)

    def test_an_unknown_host_is_refused(self, client):
        response = client.get("/", headers={"Host": "evil.example"})
        assert response.status_code == 400
        assert b"evil.example" not in response.content


class TestFreshness:
    PATHS = (
        f"{EVENT}.html",
        EVENT,
        "/",
        "/news/2017/2/25/",
        "/nothing",
        "/nothing.json",
        f"{EVENT}.json?x=1",
        "/schemas/event.xsd",
        "/events/00000000-0000-0000-0000-000000000000",
    )

    @pytest.mark.parametrize("path", PATHS)
    @pytest.mark.parametrize(("second", "age"), [(0, 60), (20, 40), (59, 1)])
    def test_every_answer_ends_with_the_minute(self, client, event, path, second, age):
        with time_machine.travel(NOON.replace(second=second), tick=False):
            assert client.get(path)["Cache-Control"] == f"public, max-age={age}"

    def test_a_304_a_405_and_a_withdrawal_end_with_it_too(self, client, event):
        with time_machine.travel(NOON, tick=False):
            etag = client.get(f"{EVENT}.html")["ETag"]
            answers = [client.get(f"{EVENT}.html", headers={"If-None-Match": etag}), client.post("/")]
            publishing.withdraw(event, by=None, note="Untrue.")
            answers.append(client.get(f"{EVENT}.html"))
        assert [answer.status_code for answer in answers] == [304, 405, 410]
        assert {answer["Cache-Control"] for answer in answers} == {"public, max-age=40"}

    def test_no_answer_sets_a_cookie(self, client, event):
        for path in self.PATHS:
            assert not client.get(path).cookies

    def test_a_kept_answer_costs_the_state_and_nothing_else(self, client, event, django_assert_num_queries):
        first = client.get(f"{EVENT}.html")
        with django_assert_num_queries(1):
            second = client.get(f"{EVENT}.html")
        assert second.content == first.content
        assert headers(second) == headers(first)

    def test_a_public_act_is_seen_at_once(self, client, event):
        client.get(f"{EVENT}.json")
        updated(event, body="A second reading follows.")
        assert client.get(f"{EVENT}.json").json()["version"] == 2

    def test_what_shows_without_an_act_is_seen_at_once(self, client, event, django_assert_max_num_queries):
        client.get(f"{EVENT}.json")
        LogHead.objects.update(changed=1)
        with pytest.raises(pytest.fail.Exception), django_assert_max_num_queries(1):
            client.get(f"{EVENT}.json")

    def test_an_embargo_lifts_at_its_second_though_the_page_is_kept(self, client, event):
        with time_machine.travel(NOON, tick=False):
            issue = in_minutes(1, NOON)
            publishing.schedule(revise(event, body="A second reading follows."), by=None, issue=issue, kind="update")
        versions = []
        for seconds in (-1, 0):
            with time_machine.travel(issue + datetime.timedelta(seconds=seconds), tick=False):
                versions.append(client.get(f"{EVENT}.json").json()["version"])
        assert versions == [1, 2]

    def test_a_setting_that_shows_is_a_part_of_the_state(self, client, event, settings):
        client.get("/index.html")
        settings.NEWSDESK_TITLE = "The Herald"
        assert b"The Herald" in client.get("/index.html").content

    def test_an_absent_address_leaves_nothing_in_the_cache(self, client, event):
        client.get("/news/2017/02/25/nothing.html")
        assert not cache._cache

    def test_the_release_follows_the_code(self, settings, tmp_path):
        settings.BASE_DIR = tmp_path
        (tmp_path / "events").mkdir()
        releases = {http.release()}
        for name, text in (("events/a.py", "1"), ("events/a.py", "2"), ("events/b.py", ""), ("requirements.txt", "")):
            (tmp_path / name).write_text(text)
            releases.add(http.release())
        assert len(releases) == 5
        assert http.release() in releases


class TestConditions:
    def test_the_etag_gives_304_with_what_a_cache_needs(self, client, event):
        whole = client.get(EVENT)
        response = client.get(EVENT, headers={"If-None-Match": whole["ETag"]})
        assert (response.status_code, response.content) == (304, b"")
        for name in ("ETag", "Vary", "Content-Location"):
            assert response[name] == whole[name]
        assert response["Content-Length"] == str(len(whole.content))

    @pytest.mark.parametrize("shape", ['"other", {}', "W/{}", "*", '"a",W/{}'])
    def test_lists_weak_tags_and_the_star_match(self, client, event, shape):
        etag = client.get(f"{EVENT}.md")["ETag"]
        assert client.get(f"{EVENT}.md", headers={"If-None-Match": shape.format(etag)}).status_code == 304

    @pytest.mark.parametrize("value", ['"other"', "", "nonsense"])
    def test_another_tag_gives_the_whole(self, client, event, value):
        assert client.get(f"{EVENT}.md", headers={"If-None-Match": value}).status_code == 200

    def test_a_tag_outlives_an_act_that_does_not_show(self, client, event):
        etag = client.get(f"{EVENT}.json")["ETag"]
        published("Something else happens.", date=datetime.date(2017, 3, 1))
        assert client.get(f"{EVENT}.json", headers={"If-None-Match": etag}).status_code == 304

    def test_head_is_get_without_a_body(self, client, event):
        for path in (f"{EVENT}.html", EVENT, "/nothing.xml", "/news", "/schemas/event.json"):
            whole, head = client.get(path), client.head(path)
            assert head.status_code == whole.status_code
            assert head.content == b""
            assert headers(head) == headers(whole)
            assert head["Content-Length"] == str(len(whole.content))

    def test_only_a_numbered_version_has_last_modified(self, client, event):
        for path in (f"{EVENT}.html", "/", addresses.day(DAY), addresses.month(2017, 2)):
            assert "Last-Modified" not in client.get(path)
        recorded = event.log_entries.get().recorded
        assert client.get(f"{EVENT}.v1.html")["Last-Modified"] == http_date(recorded.timestamp())

    def test_last_modified_follows_what_the_page_shows_of_its_neighbours(self, client, event):
        since = client.get(f"{EVENT}.v1.html")["Last-Modified"]
        updated(event, body="A second reading follows.")
        assert parse_http_date(client.get(f"{EVENT}.v1.html")["Last-Modified"]) > parse_http_date(since)

    @pytest.mark.parametrize("name", ["If-Modified-Since", "If-Unmodified-Since", "If-Match", "If-Range", "Range"])
    @pytest.mark.parametrize("path", [EVENT, f"{EVENT}.v1.json"])
    def test_no_other_condition_changes_the_answer(self, client, event, name, path):
        """Two acts may lie in one second, and a cache must never keep a refusal that one client provoked."""
        plain = client.get(path)
        value = http_date(NOON.timestamp() + 10**6) if "Since" in name else '"other"'
        response = client.get(path, headers={name: value})
        assert (response.status_code, response.content) == (200, plain.content)
        assert headers(response) == headers(plain)

    def test_304_repeats_what_a_cache_needs(self, client, event):
        plain = client.get(EVENT)
        response = client.get(EVENT, headers={"If-None-Match": plain["ETag"]})
        for name in ("Content-Location", "ETag", "Vary", "Cache-Control"):
            assert response[name] == plain[name]

    def test_a_cache_that_does_not_answer_costs_time_and_nothing_else(self, client, event, settings):
        location = "redis://127.0.0.1:1/0"
        settings.CACHES = {"default": {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": location}}
        assert client.get(f"{EVENT}.html").status_code == 200

    def test_a_pending_address_is_looked_for_as_one_that_was_never_given(self, client, event):
        """The same statements, so that no difference in time tells the two apart."""
        asked = {}
        with time_machine.travel(NOON, tick=False):
            pending = revise(event, headline="A secret is out.")
            publishing.schedule(pending, by=None, issue=in_minutes(5, NOON), kind="update")
            for slug in ("a-secret-is-out", "a-secret-is-oaf"):
                with CaptureQueriesContext(connection) as queries:
                    assert client.get(f"/news/2017/02/25/{slug}.json").status_code == 404
                asked[slug] = [query["sql"].replace(slug, "") for query in queries]
        assert asked["a-secret-is-out"] == asked["a-secret-is-oaf"]


class TestRefusals:
    @pytest.mark.parametrize("format", addresses.FORMATS)
    def test_nothing_is_told_apart(self, client, event, format):
        """Never existed, not yet public, outside the record, no such version, no such pattern: byte for byte."""
        with time_machine.travel(NOON, tick=False):
            publishing.schedule(draft("A secret is out."), by=None, issue=in_minutes(5, NOON))
            answers = [
                client.get(path)
                for path in (
                    f"/news/2017/02/25/nothing.{format}",
                    f"/news/2017/02/25/a-secret-is-out.{format}",
                    f"/news/2017/02/25/a-secret-is-out.v1.{format}",
                    f"{EVENT}.v2.{format}",
                    f"/news/1999/01/1/index.{format}",
                    f"/news/1999/02/index.{format}",
                    f"/news/1999/index.{format}",
                    f"/news/2017/02/30/index.{format}",
                    f"/nothing.{format}",
                    f"{EVENT}.v1-v2.{format}",
                )
            ]
        assert {answer.status_code for answer in answers} == {404}
        assert len({answer.content for answer in answers}) == 1
        assert len({str(sorted(answer.headers.items())) for answer in answers}) == 1
        assert answers[0]["Content-Type"] == PROBLEMS[format]

    def test_a_404_says_so_in_its_format(self, client):
        assert client.get("/nothing.json").json() == {
            "type": "about:blank",
            "title": "Not Found",
            "status": 404,
            "detail": http.ABSENT,
        }
        root = ElementTree.fromstring(client.get("/nothing.xml").content)
        assert root.tag == "{urn:ietf:rfc:7807}problem"
        assert root.findtext("{urn:ietf:rfc:7807}status") == "404"
        assert client.get("/nothing.md").content.decode().strip().startswith("# Not Found")

    def test_an_unknown_format_is_absent(self, client, event):
        assert client.get(f"{EVENT}.foo").content == client.get("/nothing").content
        assert client.get("/index.foo").status_code == 404

    @pytest.mark.parametrize("method", ["post", "put", "patch", "delete"])
    @pytest.mark.parametrize("path", [f"{EVENT}.json", EVENT, "/", "/schemas/event.json", "/news"])
    def test_only_reading_is_allowed(self, client, event, method, path):
        response = getattr(client, method)(path)
        assert response.status_code == 405
        assert response["Allow"] == "GET, HEAD, OPTIONS"

    @pytest.mark.parametrize("path", [f"{EVENT}.json", EVENT, "/", "/schemas/event.json"])
    def test_a_page_elsewhere_may_read_it_and_ask_whether_it_changed(self, client, event, path):
        asked = {"Origin": "https://elsewhere.example", "Access-Control-Request-Method": "GET"}
        allowed = client.options(path, headers=asked | {"Access-Control-Request-Headers": "if-none-match"})
        assert (allowed.status_code, allowed.content) == (204, b"")
        assert "If-None-Match" in allowed["Access-Control-Allow-Headers"]
        assert "POST" not in allowed["Access-Control-Allow-Methods"]
        for response in (allowed, client.get(path), client.get("/nothing.json")):
            assert response["Access-Control-Allow-Origin"] == "*"
            assert "Access-Control-Allow-Credentials" not in response

    @pytest.mark.parametrize("format", ["json", "xml"])
    def test_an_unknown_parameter_is_named_to_programs(self, client, event, format):
        response = client.get(f"{EVENT}.{format}?aftr=1")
        assert (response.status_code, response["Content-Type"]) == (400, PROBLEMS[format])
        assert "aftr" in response.content.decode()

    @pytest.mark.parametrize("format", ["html", "md"])
    def test_readers_are_spared_unknown_parameters(self, client, event, format):
        plain = client.get(f"{EVENT}.{format}")
        assert client.get(f"{EVENT}.{format}?utm_source=x&utm_source=y").content == plain.content

    def test_a_hostile_parameter_is_shown_as_text(self, client, event):
        response = client.get(f"{EVENT}.xml", {"<b>\x00&": "1"})
        assert response.status_code == 400
        assert "<b>&" in ElementTree.fromstring(response.content).findtext("{urn:ietf:rfc:7807}detail")
        assert "<b>" in client.get(f"{EVENT}.json", {"<b>": "1"}).json()["detail"]

    @pytest.mark.parametrize("format", addresses.FORMATS)
    def test_a_repeated_known_parameter_is_refused_everywhere(self, client, event, format, monkeypatch):
        monkeypatch.setattr(http.RecordView, "parameters", frozenset({"page"}))
        assert client.get(f"{EVENT}.{format}?page=1").status_code == 200
        assert client.get(f"{EVENT}.{format}?page=1&page=1").status_code == 400

    def test_a_failure_tells_nothing_and_is_not_kept(self, client, monkeypatch):
        def fail(*args, **kwargs):
            raise RuntimeError("a secret")

        monkeypatch.setattr("events.pages.views.Front.page", fail)
        client.raise_request_exception = False
        for format in addresses.FORMATS:
            response = client.get(f"/index.{format}")
            assert (response.status_code, response["Content-Type"]) == (500, PROBLEMS[format])
            assert response["Cache-Control"] == "no-store"
            assert b"secret" not in response.content


def test_a_refusal_is_told_in_the_format_that_was_asked_for(client, db):
    response = client.get("/", {"x": "1"}, headers={"Accept": "application/json"})
    assert (response.status_code, response["Content-Type"]) == (400, "application/problem+json")
    assert response["Vary"] == "Accept"


def test_any_number_of_parameters_is_ignored_by_pages(client, db):
    assert client.get("/index.html", {f"a{number}": "1" for number in range(1_500)}).status_code == 200


def test_the_redirect_to_https_is_no_more_lasting_than_a_page(client, db, settings):
    settings.SECURE_SSL_REDIRECT = True
    with time_machine.travel(NOON, tick=False):
        response = client.get("/index.html")
    assert response.status_code == 301
    assert response["Cache-Control"] == "public, max-age=40"
