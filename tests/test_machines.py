"""What programs find their way by: sitemaps (WIRE 4.11), robots.txt, llms.txt (4.17) and security.txt."""

import datetime
import re
from xml.etree import ElementTree

import pytest
import time_machine
from django.core.cache import cache
from lxml import etree

from events import addresses, publishing
from events.formats import sitemaps
from events.http import KEEP_BYTES
from events.wire import machines
from tests.conftest import SHARED
from tests.histories import Loaded, history, version, written
from tests.words import DAY, draft, in_minutes, published, revise, updated

pytestmark = pytest.mark.django_db

NOON = datetime.datetime(2026, 11, 22, 12, 0, 20, tzinfo=datetime.UTC)
HOUR = datetime.timedelta(hours=1)
INDEX, NEWS, PAGES = "/sitemap.xml", "/news-sitemap.xml", "/sitemaps/pages.xml"
YEAR = addresses.sitemap(2017)
SECURITY = "/.well-known/security.txt"
NAMES = {"s": sitemaps.NAMESPACE, "n": sitemaps.NEWS}


@pytest.fixture(autouse=True)
def empty_cache():
    cache.clear()


@pytest.fixture
def clock():
    with time_machine.travel(NOON, tick=False) as clock:
        yield clock


@pytest.fixture
def small_files(monkeypatch):
    monkeypatch.setattr(machines, "PER_FILE", 2)


def tree(client, path):
    response = client.get(path)
    assert (response.status_code, response["Content-Type"]) == (200, "application/xml; charset=utf-8")
    return ElementTree.fromstring(response.content)


def locations(client, path):
    """{path: lastmod or None} of a sitemap, in order, each URL once."""
    rows = [(row.findtext("s:loc", None, NAMES), row.findtext("s:lastmod", None, NAMES)) for row in tree(client, path)]
    assert len(dict(rows)) == len(rows)
    assert all(url.startswith(addresses.absolute("/")) for url, _modified in rows)
    return {addresses.relative(url): modified for url, modified in rows}


def entries(client, path=YEAR):
    """The same of entries alone."""
    found = locations(client, path).items()
    return {path.rpartition("/")[2]: modified for path, modified in found if re.search(r"/[0-9]+/[^/.]+$", path)}


def text(client, path):
    response = client.get(path)
    assert response.status_code == 200
    return response.content.decode()


class TestSitemaps:
    def test_the_index_names_every_file(self, client, clock):
        """4.11: an index, with the true last public change of each."""
        published("A.", date=datetime.date(2016, 3, 1), topics=["Vote"])
        clock.shift(HOUR)
        published("B.", topics=["Vote"])
        assert locations(client, INDEX) == {
            PAGES: None,
            "/sitemaps/topics-1.xml": None,
            "/sitemaps/2016.xml": "2026-11-22T12:00:20Z",
            "/sitemaps/2017.xml": "2026-11-22T13:00:20Z",
        }
        assert {path: client.get(path).status_code for path in locations(client, INDEX)} == dict.fromkeys(
            locations(client, INDEX), 200
        )
        assert tree(client, INDEX).tag == f"{{{sitemaps.NAMESPACE}}}sitemapindex"

    def test_a_year_has_its_lists_and_its_entries(self, client, clock):
        published("A.", date=datetime.date(2017, 12, 31))
        published("Ünïcode & <more>.", date=datetime.date(2017, 2, 1))
        published("五号飞船升空", date=datetime.date(2017, 2, 1))
        published("Other year.", date=datetime.date(2018, 1, 1))
        found = locations(client, YEAR)
        assert [path for path, modified in found.items() if modified is None] == [
            "/news/2017/index.html",
            "/news/2017/02/index.html",
            "/news/2017/12/index.html",
            "/news/2017/02/1/",
            "/news/2017/12/31/",
        ]
        assert sorted(path for path, modified in found.items() if modified) == sorted(
            [
                "/news/2017/02/1/unicode-more",
                addresses.neutral_event(DAY.replace(day=1), "五号飞船升空"),
                "/news/2017/12/31/a",
            ]
        )
        assert all(client.get(path).status_code == 200 for path in found)

    def test_urls_are_the_canonical_ones(self, client):
        published("A.", category="Sports")
        for path in [*locations(client, YEAR), *locations(client, PAGES)]:
            if not path.endswith("policy.html"):
                assert f'<{addresses.absolute(path)}>; rel="canonical"' in client.get(path)["Link"]

    def test_the_pages_of_no_year(self, client):
        published("A.", category="Sports")
        draft("B.", category="Politics")
        assert list(locations(client, PAGES)) == [
            "/",
            "/news/index.html",
            "/topics/index.html",
            "/corrections/index.html",
            "/corrections/policy.html",
            "/categories/sports/index.html",
        ]

    def test_topics_of_several_entries(self, client):
        published("A.", topics=["Vote", "Once"])
        published("B.", topics=["Vote"])
        draft("C.", topics=["Once"])
        assert list(locations(client, "/sitemaps/topics-1.xml")) == ["/topics/vote/index.html"]

    def test_a_long_list_is_cut_into_files(self, client, small_files):
        """4.11: 50,000 URLs a file."""
        for number in range(5):
            published(f"Entry {number}.", topics=["Vote", f"Topic {number // 2}", f"Theme {number // 2}"])
        files = list(locations(client, INDEX))
        assert files == [
            PAGES,
            *(f"/sitemaps/topics-{part}.xml" for part in (1, 2, 3)),
            *("/sitemaps/2017.xml", "/sitemaps/2017-2.xml", "/sitemaps/2017-3.xml"),
        ]
        named = [slug for path in files[-3:] for slug in entries(client, path)]
        assert sorted(named) == [f"entry-{number}" for number in range(5)]
        topics = [path for file in files[1:4] for path in locations(client, file)]
        assert len(set(topics)) == len(topics) == 5
        assert not any(path.endswith("/") for path in locations(client, "/sitemaps/2017-2.xml"))

    @pytest.mark.parametrize(
        "path",
        [
            "/sitemaps/2016.xml",
            "/sitemaps/0000.xml",
            "/sitemaps/2017-1.xml",
            "/sitemaps/2017-2.xml",
            "/sitemaps/topics-1.xml",
            "/sitemaps/topics-0.xml",
            "/sitemaps/other.xml",
        ],
    )
    def test_a_file_with_nothing_is_absent(self, client, path):
        published("A.")
        assert client.get(path).status_code == 404

    def test_a_year_that_begins_while_the_index_is_made_is_in_it(self, client, clock, monkeypatch):
        changed = machines._changed

        def meanwhile(at):
            found = changed(at)
            published("A.")
            return found

        monkeypatch.setattr(machines, "_changed", meanwhile)
        assert YEAR in locations(client, INDEX)

    def test_a_full_file_is_kept_in_the_cache(self):
        row = {"url": addresses.absolute(f"/news/2017/02/25/{'a' * 140}"), "modified": "2018-02-06T13:49:30Z"}
        file = sitemaps.render("urlset", {"rows": [row] * machines.PER_FILE})
        assert len(file) < KEEP_BYTES

    def test_unknown_parameters_are_refused(self, client):
        assert client.get(f"{INDEX}?page=1").status_code == 400


class TestChanges:
    """`lastmod` is the real last public change (4.11), of an entry and of the file that it is in."""

    def test_every_change_of_an_entry(self, client, clock):
        event = published("A.", topics=["Vote"])
        moments = []
        for change in (
            lambda: updated(event, "minor", headline="A !"),
            lambda: updated(event, "correction", note="It was B.", headline="B."),
            lambda: publishing.redact(event, 1, by=None, note="A private address."),
        ):
            clock.shift(HOUR)
            change()
            (modified,) = entries(client).values()
            moments.append((modified, locations(client, INDEX)[YEAR]))
        assert moments == [(f"2026-11-22T{hour}:00:20Z",) * 2 for hour in (13, 14, 15)]

    def test_what_is_gone_changes_the_file(self, client, clock):
        published("A.")
        gone = published("B.")
        clock.shift(HOUR)
        publishing.withdraw(gone, by=None, note="A hoax.")
        assert entries(client) == {"a": "2026-11-22T12:00:20Z"}
        assert locations(client, INDEX)[YEAR] == "2026-11-22T13:00:20Z"

    def test_a_new_date_changes_the_files_of_both_years(self, client, clock):
        published("A.")
        event = published("B.")
        clock.shift(HOUR)
        updated(event, date=datetime.date(2016, 5, 1))
        index = locations(client, INDEX)
        assert (index[YEAR], index["/sitemaps/2016.xml"]) == ("2026-11-22T13:00:20Z",) * 2
        assert list(entries(client, "/sitemaps/2016.xml")) == ["b"]
        assert list(entries(client)) == ["a"]

    def test_what_came_with_an_archive_changed_when_it_came(self, client, clock, tmp_path):
        Loaded(written(tmp_path / "a.jsonl", history(version())))
        assert entries(client) == {"parliament-adopts-the-budget": "2026-11-22T12:00:20Z"}

    def test_what_the_clock_made_public_and_nobody_logged_yet(self, client, clock):
        publishing.schedule(draft("A."), by=None, issue=in_minutes(5, NOON))
        clock.move_to(in_minutes(6, NOON))
        assert entries(client) == {"a": "2026-11-22T12:05:00Z"}
        assert locations(client, INDEX)[YEAR] == "2026-11-22T12:05:00Z"


class TestVisibility:
    def test_nothing_but_what_is_current(self, client, clock):
        """4.11: version, diff and as-of URLs stay out; what is withdrawn or embargoed never appears."""
        draft("Draft.", category="Drafts", topics=["Draft"])
        for number in (1, 2):
            scheduled = draft(
                f"Scheduled {number}.", date=datetime.date(2015, 1, 1), category="Later", topics=["Later"]
            )
            publishing.schedule(scheduled, by=None, issue=in_minutes(5, NOON))
        changed = published("First headline.", topics=["Topic"])
        updated(changed, headline="Second headline.")
        publishing.withdraw(published("Gone."), by=None, note="A hoax.")
        waiting = published("Now.", topics=["Topic"])
        publishing.schedule(revise(waiting, headline="Then."), by=None, kind="update", issue=in_minutes(5, NOON))
        before = client.get(INDEX)
        assert entries(client).keys() == {"second-headline", "now"}
        everything = "".join(text(client, path) for path in [INDEX, NEWS, *locations(client, INDEX)])
        for word in ("draft", "scheduled", "later", "first-headline", "gone", "then", "2015", "as-of", ".v1"):
            assert word not in everything.lower()
        clock.move_to(in_minutes(5, NOON) - datetime.timedelta(seconds=1))
        assert client.get(INDEX)["ETag"] == before["ETag"]
        clock.move_to(in_minutes(5, NOON))
        assert "/sitemaps/2015.xml" in locations(client, INDEX)
        assert "then" in entries(client)


class TestNews:
    def test_entries_of_two_days(self, client, clock, settings):
        """4.11: created in the last two days; the first publication counts, and not what was changed since."""
        settings.NEWSDESK_TITLE, settings.LANGUAGE_CODE = "News & <views>", "en-GB"
        old = published("Old.")
        clock.shift(HOUR)
        published("“Fresh” & <new>.")
        clock.shift(47 * HOUR)
        updated(old, headline="Old, corrected.", kind="correction", note="It was old.")
        (row,) = tree(client, NEWS)
        assert row.findtext("s:loc", None, NAMES) == addresses.absolute("/news/2017/02/25/fresh-new")
        news = row.find("n:news", NAMES)
        assert news.findtext("n:publication/n:name", None, NAMES) == "News & <views>"
        assert news.findtext("n:publication/n:language", None, NAMES) == "en"
        assert news.findtext("n:publication_date", None, NAMES) == "2026-11-22T13:00:20Z"
        assert news.findtext("n:title", None, NAMES) == "“Fresh” & <new>."

    def test_an_entry_leaves_with_the_clock(self, client, clock):
        """Although nothing was published since."""
        published("A.")
        clock.shift(48 * HOUR - datetime.timedelta(minutes=1))
        assert len(tree(client, NEWS)) == 1
        clock.shift(datetime.timedelta(minutes=1))
        assert len(tree(client, NEWS)) == 0

    def test_the_newest_of_many(self, client, clock, monkeypatch):
        monkeypatch.setattr(machines, "MOST_NEWS", 2)
        for number in range(3):
            clock.shift(1)
            published(f"Entry {number}.")
        assert [row.findtext("n:news/n:title", None, NAMES) for row in tree(client, NEWS)] == ["Entry 2.", "Entry 1."]

    def test_the_limit_is_a_thousand(self):
        assert machines.MOST_NEWS == 1_000
        assert machines.PER_FILE <= 50_000

    @pytest.mark.parametrize(("code", "language"), [("pt-BR", "pt"), ("zh-TW", "zh-tw"), ("zh-Hant", "zh")])
    def test_the_language_is_as_search_engines_name_it(self, client, settings, code, language):
        settings.LANGUAGE_CODE = code
        published("A.")
        assert tree(client, NEWS)[0].findtext(".//n:language", None, NAMES) == language

    def test_an_illegal_character_does_not_make_it_unreadable(self):
        """A text from before the desk refused them."""
        row = {"url": "https://a.example/", "modified": None, "published": "2026-11-22T12:00:00Z", "headline": "a\x00b"}
        shape = {"rows": [row], "publication": {"name": "\x08N", "language": "en"}}
        root = ElementTree.fromstring(sitemaps.render("urlset", shape))
        assert (root.findtext(".//n:title", None, NAMES), root.findtext(".//n:name", None, NAMES)) == ("ab", "N")


@pytest.fixture(scope="module")
def schema():
    return etree.XMLSchema(etree.parse(SHARED / "schemas" / "sitemap.xsd"))


@pytest.mark.shared
class TestSchema:
    def test_sitemaps_are_valid(self, client, schema):
        for headline in ("A & <b>.", "x" * 2_000, "五" * 2_000, "שלום"):
            published(headline, topics=["Vote & more"], category="<Sports>")
        for path in (YEAR, PAGES, "/sitemaps/topics-1.xml"):
            schema.assertValid(etree.fromstring(client.get(path).content))

    def test_a_sitemap_of_news_is_valid_but_for_what_the_schema_does_not_know(self, client, schema):
        published("A & <b>.")
        root = etree.fromstring(client.get(NEWS).content)
        assert not schema.validate(root)
        for news in root.findall(".//n:news", NAMES):
            news.getparent().remove(news)
        schema.assertValid(root)

    @pytest.mark.parametrize(("url", "modified"), [("https://a.example/", "22 Nov 2026"), ("/", None)])
    def test_the_schema_finds_what_is_wrong(self, schema, url, modified):
        row = {"url": url, "modified": modified}
        assert not schema.validate(etree.fromstring(sitemaps.render("urlset", {"rows": [row]})))


class TestTexts:
    def test_robots(self, client, settings):
        settings.NEWSDESK_URL = "https://news.example"
        response = client.get("/robots.txt")
        assert response["Content-Type"] == "text/plain; charset=utf-8"
        lines = response.content.decode().splitlines()
        assert lines[0] == "User-agent: *"
        assert {line for line in lines if line.startswith("Disallow")} == {
            "Disallow: /desk/",
            "Disallow: /as-of/",
            "Disallow: /search/*?",
        }
        assert lines[-2:] == [
            "Sitemap: https://news.example/sitemap.xml",
            "Sitemap: https://news.example/news-sitemap.xml",
        ]

    def test_what_robots_may_not_read_is_in_no_sitemap(self, client):
        published("A.", topics=["Vote"])
        published("B.", topics=["Vote"])
        hidden = re.findall(r"^Disallow: (.*)$", text(client, "/robots.txt"), re.MULTILINE)
        paths = [path for file in locations(client, INDEX) for path in locations(client, file)]
        assert len(hidden) == 3
        assert not any(path.startswith(prefix) for path in paths for prefix in hidden)

    def test_llms(self, client, settings):
        """4.17: one H1, a summary in a quotation, sections of links."""
        settings.NEWSDESK_TITLE, settings.NEWSDESK_DESCRIPTION = "The {Chronicle}", "Two\nlines."
        settings.NEWSDESK_LICENSE = "CC BY 4.0"
        response = client.get("/llms.txt")
        assert response["Content-Type"] == "text/markdown; charset=utf-8"
        lines = response.content.decode().splitlines()
        assert [line for line in lines if line.startswith("# ")] == ["# The {Chronicle}"] == lines[:1]
        assert lines[2].startswith("> Two lines. ")
        assert "CC BY 4.0" in "".join(lines)
        below = lines[lines.index("## Reading") :]
        assert all(re.fullmatch(r"(## .+)?|- \[[^]]+\]\(http[^)]+\): .+", line) for line in below)
        assert below[-3] == "## Optional"

    def test_everything_that_llms_names_is_there(self, client):
        published()
        urls = re.findall(r"(http://[^\s)]+)", text(client, "/llms.txt"))
        assert len(urls) > 10
        paths = [addresses.relative(url).rstrip(":") for url in urls]
        assert {path: client.get(path).status_code for path in paths} == dict.fromkeys(paths, 200)

    def test_security(self, client, clock, settings):
        """RFC 9116: a contact, and an expiry of less than a year that does not move with each request."""
        settings.NEWSDESK_SECURITY_CONTACT = "security@news.example"
        response = client.get(SECURITY)
        assert response["Content-Type"] == "text/plain; charset=utf-8"
        assert response.content.decode().splitlines() == [
            "Contact: mailto:security@news.example",
            "Expires: 2027-04-01T00:00:00Z",
            f"Canonical: {addresses.absolute(SECURITY)}",
        ]
        clock.shift(30 * 24 * HOUR)
        assert client.get(SECURITY)["ETag"] == response["ETag"]
        clock.shift(30 * 24 * HOUR)
        assert "Expires: 2027-07-01T00:00:00Z" in text(client, SECURITY)

    @pytest.mark.parametrize("month", range(1, 13))
    def test_the_expiry_is_three_to_six_months_ahead(self, client, settings, month):
        settings.NEWSDESK_SECURITY_CONTACT = "https://news.example/@security"
        with time_machine.travel(datetime.datetime(2026, month, 15, tzinfo=datetime.UTC), tick=False):
            body = text(client, SECURITY)
            ahead = datetime.datetime.fromisoformat(re.search("Expires: (.*)", body)[1]) - datetime.datetime.now(
                datetime.UTC
            )
        assert datetime.timedelta(days=90) < ahead < datetime.timedelta(days=184)
        assert "Contact: https://news.example/@security\n" in body

    def test_without_a_contact_there_is_none(self, client, settings):
        settings.NEWSDESK_SECURITY_CONTACT = ""
        assert client.get(SECURITY).status_code == 404


class TestAnswers:
    PATHS = (INDEX, PAGES, YEAR, "/sitemaps/topics-1.xml", NEWS, "/robots.txt", "/llms.txt", SECURITY)

    @pytest.fixture(autouse=True)
    def contact(self, settings):
        settings.NEWSDESK_SECURITY_CONTACT = "security@news.example"

    @pytest.mark.parametrize("path", PATHS)
    def test_what_the_client_has_is_not_sent_again(self, client, clock, path):
        """H1, H2; nothing in them moves by the second."""
        published("A.", topics=["Vote"])
        published("B.", topics=["Vote"])
        first = client.get(path)
        clock.shift(95)
        cache.clear()
        again = client.get(path, headers={"If-None-Match": first["ETag"]})
        assert (again.status_code, again.content) == (304, b"")
        assert again["Cache-Control"] == "public, max-age=5"

    @pytest.mark.parametrize(("path", "queries"), list(zip(PATHS, (7, 2, 3, 2, 2, 0, 0, 0), strict=True)))
    def test_as_many_queries_whatever_is_listed(self, client, django_assert_max_num_queries, path, queries):
        for number in range(2):
            published(f"Entry {number}.", topics=["Vote"])
        assert client.get(path).status_code == 200
        for number in range(2, 12):
            date = DAY.replace(day=1 + number, month=1 + number)
            published(f"Entry {number}.", topics=["Vote", f"Topic {number // 2}"], date=date, category=f"C {number}")
        cache.clear()
        with django_assert_max_num_queries(queries):
            assert client.get(path).status_code == 200

    @pytest.mark.parametrize("path", PATHS)
    def test_it_is_only_read(self, client, path):
        assert client.post(path).status_code == 405
