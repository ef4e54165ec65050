"""Feeds: what stands in them, when they say that it changed, and that their archives have the whole record.

Numbers such as A4, 4.7 or I-22 are those of WIRE and GUARDS.
"""

import calendar
import datetime
import json
import random
import re
from email.utils import parsedate_to_datetime
from pathlib import Path
from urllib.parse import urlsplit

import feedparser
import pytest
import time_machine
from django.core.cache import cache
from django.db import connection
from django.test.utils import CaptureQueriesContext
from lxml import etree, html

from events import addresses, publishing
from events.documents import rfc3339
from events.formats import feeds as shapes
from events.models import Edition, LogEntry, LogHead
from events.wire import feeds
from tests.histories import Loaded, version, written
from tests.histories import history as history_of
from tests.public_pages import ARABIC, HEBREW
from tests.words import DAY, draft, in_minutes, published, revise, topic, updated

pytestmark = pytest.mark.django_db

NOON = datetime.datetime(2026, 11, 22, 12, 0, 20, tzinfo=datetime.UTC)
MINUTE, DAYS = datetime.timedelta(minutes=1), datetime.timedelta(days=1)
NS = {
    "a": "http://www.w3.org/2005/Atom",
    "at": "http://purl.org/atompub/tombstones/1.0",
    "fh": "http://purl.org/syndication/history/1.0",
}
SCHEMA = etree.RelaxNG(etree.parse(Path(__file__).parent / "schemas" / "atom.rng"))
LATEST, CORRECTIONS = addresses.feed("latest"), addresses.feed("corrections")
TOPIC, CATEGORY = addresses.topic_feed("parliament"), addresses.category_feed("politics")
SLUG = "parliament-adopts-the-budget"
CHANGES = addresses.event_feed(DAY, SLUG)
ABOUT = {"category": "Politics", "topics": ["Parliament", "Budget"], "sources": [("Agency", "https://a.example/1")]}
LISTS = [LATEST, CORRECTIONS, TOPIC, CATEGORY]
TYPES = {
    "atom": "application/atom+xml; charset=utf-8",
    "rss": "application/rss+xml; charset=utf-8",
    "json": "application/feed+json",
}


@pytest.fixture(autouse=True)
def empty_cache():
    cache.clear()


@pytest.fixture
def clock():
    with time_machine.travel(NOON, tick=False) as clock:
        yield clock


@pytest.fixture
def event(clock):
    event = published(body="There are **200** seats.", **ABOUT)
    clock.shift(60)
    return event


def into(path, format):
    return path.removesuffix("atom") + format


def answer(client, path, status=200):
    response = client.get(path)
    assert response.status_code == status, response.content.decode()
    return response


def atom(client, path):
    """The document at a path, which keeps every rule that the schema has, and those that it cannot have."""
    response = answer(client, path)
    document = etree.fromstring(response.content)
    assert SCHEMA.validate(document), SCHEMA.error_log
    ids = document.xpath("a:entry/a:id/text()", namespaces=NS)
    assert len(set(ids)) == len(ids), "A3: an id stands once"
    gone = [(one.get("ref"), one.get("when")) for one in document.findall("at:deleted-entry", NS)]
    assert len(set(gone)) == len(gone)
    assert not {ref for ref, _when in gone} & set(ids), "what is withdrawn has no text"
    own = document.xpath("a:link[@rel='self']/@href", namespaces=NS)
    assert own == links(response)["self"], "4.13"
    for about in [document, *document.findall("a:entry", NS)]:
        pages = [(link.get("type"), link.get("hreflang")) for link in about.findall("a:link[@rel='alternate']", NS)]
        assert len(set(pages)) == len(pages), "A1"
    moments = document.xpath("//a:updated/text() | //a:published/text() | //@when", namespaces=NS)
    assert all(moment.endswith("Z") for moment in moments), "A3"
    assert document.findtext("a:updated", namespaces=NS) >= max([shapes.NEVER, *_shown(document)])
    return document


def _shown(document):
    return document.xpath("a:entry/a:updated/text() | at:deleted-entry/@when", namespaces=NS)


def rss(client, path):
    return etree.fromstring(answer(client, into(path, "rss")).content).find("channel")


def json_feed(client, path):
    return answer(client, into(path, "json")).json()


def links(response):
    """{relation: [URLs]} of the Link header."""
    found = {}
    for url, relation in re.findall(r'<([^>]*)>; rel="([^"]*)"', response["Link"]):
        found.setdefault(relation, []).append(url)
    return found


def link(document, relation):
    return next(iter(document.xpath("a:link[@rel=$rel]/@href", namespaces=NS, rel=relation)), None)


def archive_of(document):
    """The path of the archive before a document, or None."""
    url = link(document, "prev-archive")
    return url and addresses.relative(url)


def ids(document):
    return document.xpath("a:entry/a:id/text()", namespaces=NS)


def tombstones(document):
    return {one.get("ref"): one.get("when") for one in document.findall("at:deleted-entry", NS)}


def entry(document, event, version=""):
    id = addresses.tag("event", event.uid, version) if version else addresses.tag("event", event.uid)
    (found,) = [one for one in document.findall("a:entry", NS) if one.findtext("a:id", namespaces=NS) == id]
    return found


def said(element, name):
    return element.findtext(f"a:{name}", namespaces=NS)


def content(entry):
    words = " ".join(html.fromstring(f"<div>{said(entry, 'content')}</div>").itertext())
    return " ".join(words.split())


def loaded(tmp_path, number, *more, **values):
    """Import so many events, public from now on if not said otherwise; `more` are later versions of each."""
    values = {"body": "It was windy.", "published": rfc3339(clock_now()), **values}
    headlines = [f"Storm number {n} is over." for n in range(number)]
    lines = [
        history_of(version(headline=headline, **values), *more, ref=f"wire:{n}") for n, headline in enumerate(headlines)
    ]
    assert Loaded(written(tmp_path / "storms.jsonl", *lines)).numbers[:2] == (number, number * (1 + len(more)))


def event_id(event):
    return addresses.tag("event", event.uid)


class TestFormats:
    @pytest.mark.parametrize("path", LISTS)
    @pytest.mark.parametrize("format", addresses.FEEDS)
    def test_each_feed_is_there_in_each_format(self, client, event, path, format):
        updated(event, kind="correction", note="12, not 21.", body="There are **12** seats.")
        response = answer(client, into(path, format))
        assert response["Content-Type"] == TYPES[format]
        assert links(response)["self"] == [addresses.absolute(into(path, format))]
        assert "Vary" not in response
        if format != "json":
            found = feedparser.parse(response.content)
            assert not found.bozo, found.get("bozo_exception")
            assert len(found.entries) == 1

    @pytest.mark.parametrize("path", LISTS)
    def test_an_entry_has_one_id_and_title_in_all_formats(self, client, event, path):
        updated(event, kind="correction", note="12, not 21.", body="There are **12** seats.")
        found = atom(client, path).findall("a:entry", NS)
        in_atom = [(said(one, "id"), said(one, "title"), said(one, "content")) for one in found]
        items = rss(client, path).findall("item")
        in_rss = [(item.findtext("guid"), item.findtext("title"), item.findtext("description")) for item in items]
        in_json = [(one["id"], one["title"], one["content_html"]) for one in json_feed(client, path)["items"]]
        assert in_atom == in_rss == in_json
        assert len(in_atom) == 1

    @pytest.mark.parametrize("path", LISTS)
    def test_formats_lead_to_each_other(self, client, event, path):
        updated(event, kind="correction", note="12, not 21.", body="There are **12** seats.")
        others = [addresses.absolute(into(path, format)) for format in ("rss", "json")]
        assert links(client.get(path))["alternate"] == others
        assert atom(client, path).xpath("a:link[@rel='alternate'][@type]/@href", namespaces=NS) == others

    def test_the_old_address_has_the_same_bytes_and_names_the_new_one(self, client, event):
        old, new = answer(client, "/index_rss.xml"), answer(client, "/feeds/latest.rss")
        assert old.content == new.content
        assert links(old)["self"] == links(old)["canonical"] == [addresses.absolute("/feeds/latest.rss")]

    @pytest.mark.parametrize("path", ["/feeds/latest.xml", "/feeds/other.atom", "/feeds/archive/2026-11.1.rss"])
    def test_what_is_no_feed_is_absent(self, client, event, path):
        answer(client, path, 404)

    @pytest.mark.parametrize("path", [*LISTS, CHANGES, "/index_rss.xml"])
    def test_parameters_are_refused_in_the_kind_of_format_asked_for(self, client, event, path):
        response = answer(client, f"{path}?page=2", 400)
        assert response["Content-Type"] == "application/problem+xml; charset=utf-8"

    def test_a_parameter_of_json_feed_is_refused_in_json(self, client, event):
        assert answer(client, "/feeds/latest.json?a=1", 400)["Content-Type"] == "application/problem+json"

    @pytest.mark.parametrize("format", addresses.FEEDS)
    def test_an_empty_record_has_an_empty_feed_that_is_not_dated_by_the_request(self, client, clock, format):
        before = answer(client, into(LATEST, format)).content
        clock.shift(90)
        response = answer(client, into(LATEST, format))
        assert response.content == before
        assert "Last-Modified" not in response

    def test_an_empty_feed_is_valid(self, client, clock):
        assert said(atom(client, LATEST), "updated") == said(atom(client, CORRECTIONS), "updated") == shapes.NEVER
        assert json_feed(client, LATEST)["items"] == []
        assert not feedparser.parse(client.get("/feeds/latest.rss").content).bozo


class TestAtom:
    def test_an_entry_has_all_that_a_reader_needs(self, client, event, settings):
        settings.NEWSDESK_LICENSE = "https://creativecommons.org/licenses/by/4.0/"
        document = atom(client, LATEST)
        one = entry(document, event)
        assert said(one, "title") == "Parliament adopts the budget."
        assert one.find("a:content", NS).get("type") == "html"
        assert "There are <strong>200</strong> seats." in said(one, "content")
        assert one.get("{http://www.w3.org/XML/1998/namespace}lang") == "en"
        assert link(one, "alternate") == addresses.absolute(addresses.neutral_event(DAY, SLUG))
        assert link(one, "via") == "https://a.example/1"
        assert link(one, "version-history") == addresses.absolute(CHANGES)
        assert said(one, "rights") == said(document, "rights") == settings.NEWSDESK_LICENSE
        terms = [(term.get("term"), term.get("label")) for term in one.findall("a:category", NS)]
        assert terms == [("politics", "Politics"), ("budget", "Budget"), ("parliament", "Parliament")]
        assert said(one, "published") == said(one, "updated") == rfc3339(NOON)

    def test_what_was_taken_from_elsewhere_has_the_rights_of_there(self, client, clock):
        event = published(origin={"name": "Wikinews", "url": "https://w.example/", "licence": "CC BY 2.5"})
        one = entry(atom(client, LATEST), event)
        assert said(one, "rights") == "CC BY 2.5"
        assert content(one).endswith("Taken from Wikinews under CC BY 2.5.")

    def test_an_entry_without_a_body_has_its_headline_as_content(self, client, clock):
        event = published()
        assert content(entry(atom(client, LATEST), event)) == "Parliament adopts the budget."

    @pytest.mark.parametrize(
        "spoil",
        [
            lambda feed, one: feed.remove(feed.find("a:id", NS)),
            lambda feed, one: feed.remove(feed.find("a:author", NS)),
            lambda feed, one: one.remove(one.find("a:updated", NS)),
            lambda feed, one: one.append(etree.fromstring('<title xmlns="http://www.w3.org/2005/Atom"/>')),
            lambda feed, one: one.append(etree.fromstring('<content xmlns="http://www.w3.org/2005/Atom"/>')),
            lambda feed, one: feed.insert(0, one),
            lambda feed, one: setattr(one.find("a:updated", NS), "text", "2026-11-22t12:00:00z"),
            lambda feed, one: setattr(one.find("a:updated", NS), "text", "2026-11-22T12:00:00"),
            lambda feed, one: setattr(feed.find("a:id", NS), "text", "no IRI"),
            lambda feed, one: feed.find("a:link", NS).attrib.pop("href"),
            lambda feed, one: feed.find("at:deleted-entry", NS).attrib.pop("when"),
            lambda feed, one: one.find("a:content", NS).append(etree.Element("p")),
            lambda feed, one: one.append(etree.fromstring('<other xmlns="http://www.w3.org/2005/Atom"/>')),
            lambda feed, one: one.find("a:category", NS).attrib.pop("term"),
            lambda feed, one: (one.remove(one.find("a:content", NS)), one.remove(one.find("a:link", NS))),
        ],
    )
    def test_the_schema_refuses_what_the_standard_does(self, client, event, spoil):
        publishing.withdraw(published("It is a hoax."), by=None, note="It was.")
        document = atom(client, LATEST)
        spoil(document, document.find("a:entry", NS))
        assert not SCHEMA.validate(document)


class TestRSS:
    """4.7."""

    def test_a_channel_and_its_items_keep_the_rules(self, client, event, clock):
        clock.shift(DAYS)
        updated(event, body="There are **201** seats.")
        root = etree.fromstring(answer(client, "/feeds/latest.rss").content)
        assert (root.tag, root.get("version")) == ("rss", "2.0")
        channel = root.find("channel")
        assert all(channel.findtext(name) for name in ("title", "link", "description"))
        own = channel.find("a:link[@rel='self']", NS)
        assert own.get("href") == addresses.absolute("/feeds/latest.rss")
        (item,) = channel.findall("item")
        assert item.find("guid").get("isPermaLink") == "false"
        assert item.findtext("guid") == event_id(event)
        for date in [channel.findtext("lastBuildDate"), item.findtext("pubDate")]:
            assert re.fullmatch(r"[A-Z][a-z]{2}, \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d \+0000", date)
            assert calendar.day_abbr[parsedate_to_datetime(date).weekday()] == date[:3]
        assert parsedate_to_datetime(item.findtext("pubDate")) == NOON
        assert parsedate_to_datetime(channel.findtext("lastBuildDate")) == NOON + DAYS + MINUTE
        assert item.findtext("a:updated", namespaces=NS) == rfc3339(NOON + DAYS + MINUTE)
        assert [category.text for category in item.findall("category")] == ["Politics", "Budget", "Parliament"]
        hrefs = html.fromstring(item.findtext("description")).xpath("//@href")
        assert hrefs
        assert all(urlsplit(href).scheme for href in hrefs)


def problems_of_json_feed(feed, url):
    """What 4.8 has against a JSON Feed that was found at a URL."""
    if feed.get("version") != "https://jsonfeed.org/version/1.1":
        yield "version"
    yield from (name for name in ("title", "items", "home_page_url", "feed_url") if name not in feed)
    if feed.get("feed_url") != url or feed.get("next_url") == url or "author" in feed:
        yield "feed"
    known = "version title home_page_url feed_url description language authors hubs items".split()
    yield from (name for name in feed if name not in known and not re.fullmatch(r"_[a-zA-Z][^.]*", name))
    yield from ("hub" for hub in feed.get("hubs", []) if not (hub.get("type") and hub.get("url")))
    yield from ("null" for holder in [feed, *feed["items"]] for value in holder.values() if value is None)
    seen = [item.get("id") for item in feed["items"]]
    if len(set(seen)) != len(seen) or not all(id and isinstance(id, str) for id in seen):
        yield "id"
    for item in feed["items"]:
        if not (item.get("content_html") or item.get("content_text")) or "author" in item:
            yield "content"
        known = "id url title content_html date_published date_modified language tags".split()
        yield from (name for name in item if name not in known and not re.fullmatch(r"_[a-zA-Z][^.]*", name))
        for name in ("date_published", "date_modified"):
            if not re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", item.get(name, "")):
                yield name
        if not all(tag and isinstance(tag, str) for tag in item.get("tags", [])):
            yield "tags"


class TestJSONFeed:
    """4.8."""

    @pytest.mark.parametrize("path", LISTS)
    def test_every_rule_is_kept(self, client, event, settings, path):
        settings.NEWSDESK_HUBS = ["https://hub.example/"]
        updated(event, kind="correction", note="12, not 21.", body="There are **12** seats.")
        publishing.withdraw(published("It is a hoax.", **ABOUT), by=None, note="It was.")
        feed = json_feed(client, path)
        assert list(problems_of_json_feed(feed, addresses.absolute(into(path, "json")))) == []
        assert feed["items"]

    def test_what_was_withdrawn_is_told_in_an_extension(self, client, event, clock):
        publishing.withdraw(event, by=None, note="It was a hoax.")
        assert json_feed(client, LATEST)["_newsdesk"]["withdrawn"] == [
            {"id": event_id(event), "when": rfc3339(NOON + MINUTE), "reason": "It was a hoax."}
        ]

    def test_fifty_ordinary_entries_are_less_than_250_kilobytes(self, client, clock, tmp_path):
        loaded(tmp_path, 50, body="It was a very long and windy day. " * 60)
        response = answer(client, "/feeds/latest.json")
        assert len(response.json()["items"]) == 50
        assert len(response.content) < 250_000

    @pytest.mark.parametrize("path", [LATEST, addresses.category_feed("climate")])
    def test_of_long_entries_there_are_fewer(self, client, clock, tmp_path, path):
        loaded(tmp_path, 50, body="It was a very long and windy day. " * 300, category="Climate")
        response = answer(client, into(path, "json"))
        assert len(response.json()["items"]) > 10
        assert len(response.content) < 250_000
        assert len(ids(atom(client, path))) == 50


HOSTILE = [
    "</script><script>alert(1)</script>",
    "]]> <![CDATA[",
    "AT&T &amp; &lt;b&gt; &copy;",
    "<img src=x onerror=alert(1)>",
    ARABIC,
    HEBREW,
    ("The conference adopts its final declaration. " * 50)[:1999] + ".",
    "A 👩‍👩‍👧‍👦 family moves 🏴󠁧󠁢󠁳󠁣󠁴󠁿.",
    "He says \"no\" and 'never'.",
]


class TestHostileTexts:
    @pytest.mark.parametrize("text", HOSTILE)
    def test_any_text_arrives_as_it_was_written(self, client, clock, text):
        """I-23 and section 3: whatever an entry says, all formats can be read, and say it."""
        language = "ar" if text == ARABIC else "en"
        event = published(text, body=f"{text}\n\n{text}", language=language, topics=["A & B <c>"], category="]]> & co")
        sources = [(text[:100], "https://a.example/?a=1&b=%3C")]
        updated(event, kind="correction", note=text, body="It is corrected.", sources=sources)
        (slug,) = Edition.objects.current(clock_now()).values_list("slug", flat=True)
        for path in (LATEST, CORRECTIONS, addresses.event_feed(DAY, slug)):
            document = atom(client, path)
            assert text in said(document.find("a:entry", NS), "title")
            found = html.fromstring(f"<div>{said(document.find('a:entry', NS), 'content')}</div>")
            assert text in found.text_content()
            assert not found.xpath("//script | //img | //@onerror")
        assert entry(atom(client, LATEST), event).get("{http://www.w3.org/XML/1998/namespace}lang") == language
        assert rss(client, LATEST).findtext("item/title") == text
        assert json_feed(client, LATEST)["items"][0]["title"] == text

    @pytest.mark.parametrize("format", addresses.FEEDS)
    def test_one_old_row_with_a_control_character_does_not_end_the_feed(self, client, event, format):
        """I-23: such text cannot be published, but may stand in old data."""
        edition = Edition.objects.get(event=event)
        bad = "Bad\x08\x0b\x1f\ufffe text"
        edition.document |= {"headline": bad, "body": bad, "sources": [{"name": bad, "url": "https://a.example/\x0b"}]}
        edition.note = bad
        edition.save()
        for path in (LATEST, TOPIC, CATEGORY):
            response = answer(client, into(path, format))
            if format == "json":
                assert len(response.json()["items"]) == 1
            else:
                etree.fromstring(response.content)
                assert "<title>Bad text</title>" in response.content.decode()

    def test_nor_that_of_its_changes(self, client, event):
        edition = Edition.objects.get(event=event)
        edition.document |= {"headline": "Bad\x0b text"}
        edition.save()
        assert "Bad text" in said(entry(atom(client, CHANGES), event, "v1"), "title")


def clock_now():
    return datetime.datetime.now(datetime.UTC)


class TestLatest:
    def test_each_event_stands_once_with_what_is_current(self, client, event, clock):
        updated(event, headline="Parliament adopts the budget of 2018.", body="There are **201** seats.")
        document = atom(client, LATEST)
        assert ids(document) == [event_id(event)]
        assert said(entry(document, event), "title") == "Parliament adopts the budget of 2018."

    def test_the_event_that_moved_last_stands_first(self, client, event, clock):
        other = published("It rains.")
        clock.shift(60)
        assert ids(atom(client, LATEST)) == [event_id(other), event_id(event)]
        updated(event, body="There are **201** seats.")
        assert ids(atom(client, LATEST)) == [event_id(event), event_id(other)]

    @pytest.mark.parametrize(("kind", "note"), [("update", ""), ("correction", "201, not 200.")])
    def test_what_matters_moves_updated_and_never_published(self, client, event, clock, kind, note):
        clock.shift(DAYS)
        updated(event, kind=kind, note=note, body="There are **201** seats.")
        document = atom(client, LATEST)
        one = entry(document, event)
        assert said(one, "published") == rfc3339(NOON)
        assert said(one, "updated") == said(document, "updated") == rfc3339(NOON + DAYS + MINUTE)
        assert parsedate_to_datetime(rss(client, LATEST).findtext("item/pubDate")) == NOON

    def test_a_minor_change_moves_nothing_and_shows(self, client, event, clock):
        other = published("It rains.")
        before = atom(client, LATEST)
        clock.shift(DAYS)
        updated(event, kind="minor", body="There are **200** seats!")
        after = atom(client, LATEST)
        assert "seats!" in content(entry(after, event))
        assert said(after, "updated") == said(before, "updated")
        assert ids(after) == ids(before) == [event_id(other), event_id(event)]
        assert said(entry(after, event), "updated") == rfc3339(NOON)
        assert [item["id"] for item in json_feed(client, LATEST)["items"]] == ids(after)

    def test_a_correction_says_what_was_wrong_above_the_text(self, client, event, clock):
        updated(event, kind="correction", note="12, not <21>.", body="There are **12** seats.")
        assert content(entry(atom(client, LATEST), event)).startswith("Correction: 12, not <21>. There are 12 seats.")

    def test_corrections_stay_above_later_versions_newest_first(self, client, event, clock):
        updated(event, kind="correction", note="12, not 21.", body="There are **12** seats.")
        updated(event, kind="correction", note="13, not 12.", body="There are **13** seats.")
        updated(event, body="There are **13** seats and **2** doors.")
        assert content(entry(atom(client, LATEST), event)).startswith("Correction: 13, not 12. Correction: 12, not 21.")

    def test_a_redacted_correction_is_not_quoted(self, client, event, clock):
        updated(event, kind="correction", note="Not at Secret Street.", body="There are **12** seats.")
        updated(event, body="There are **13** seats.")
        publishing.redact(event, 2, by=None, note="It named an address.")
        assert "Secret" not in client.get(LATEST).content.decode()

    def test_fifty_events_stand_there(self, client, clock, tmp_path):
        loaded(tmp_path, 60)
        for format, count in (("rss", 50), ("json", 50), ("atom", 60)):
            body = answer(client, into(LATEST, format)).content.decode()
            assert len(re.findall(r"<guid|<entry|\"date_published\"", body)) == count

    def test_texts_that_are_very_long_make_it_shorter(self, client, clock, monkeypatch):
        monkeypatch.setattr(shapes, "ENOUGH", dict.fromkeys(addresses.FEEDS, 10_000))
        long = [published(f"Storm number {number} is over.", body="It is over. " * 400) for number in range(5)]
        assert len(json_feed(client, LATEST)["items"]) == 2
        # All of these are behind the last sealed archive, and have to be here.
        assert set(ids(atom(client, LATEST))) == set(map(event_id, long))

    def test_even_one_that_is_longer_than_all_stands_there(self, client, clock, monkeypatch):
        monkeypatch.setattr(shapes, "ENOUGH", dict.fromkeys(addresses.FEEDS, 100))
        published(body="It is over. " * 400)
        assert len(json_feed(client, LATEST)["items"]) == 1


class TestIdentity:
    def test_an_id_outlives_its_headline_its_date_and_a_correction(self, client, event, clock):
        before = ids(atom(client, LATEST))
        updated(event, headline="It rains.", date=datetime.date(2016, 1, 1))
        updated(event, kind="correction", note="It snows.", headline="It snows.")
        assert ids(atom(client, LATEST)) == before == [event_id(event)]

    def test_ids_outlive_a_move_of_the_site(self, client, event, settings):
        settings.NEWSDESK_TAG = "news.example,2017"
        before = atom(client, LATEST)
        settings.NEWSDESK_URL = "https://elsewhere.example"
        after = atom(client, LATEST)
        assert link(after, "self") == "https://elsewhere.example/feeds/latest.atom"
        assert ids(after) == ids(before) == [f"tag:news.example,2017:event:{event.uid}"]
        assert said(after, "id") == said(before, "id") == "tag:news.example,2017:feed:latest"

    def test_no_two_feeds_have_the_same_id(self, client, event):
        paths = [*LISTS, CHANGES]
        assert len({said(atom(client, path), "id") for path in paths}) == len(paths)

    @pytest.mark.parametrize("path", LISTS)
    def test_hubs_are_named_beside_the_exact_address(self, client, event, settings, path):
        """4.13: in the document and in the header, with exactly one `self`."""
        updated(event, kind="correction", note="12, not 21.", body="There are **12** seats.")
        answer(client, path)
        settings.NEWSDESK_HUBS = ["https://hub.example/", "https://other.example/hub"]
        for format in addresses.FEEDS:
            found = links(client.get(into(path, format)))
            assert found["hub"] == settings.NEWSDESK_HUBS
            assert found["self"] == [addresses.absolute(into(path, format))]
        assert atom(client, path).xpath("a:link[@rel='hub']/@href", namespaces=NS) == settings.NEWSDESK_HUBS
        hubs = rss(client, path).findall("a:link[@rel='hub']", NS)
        assert [hub.get("href") for hub in hubs] == settings.NEWSDESK_HUBS
        assert [hub["url"] for hub in json_feed(client, path)["hubs"]] == settings.NEWSDESK_HUBS


class TestWithdrawal:
    @pytest.fixture
    def other(self, event, clock):
        """What is still there when the newest is withdrawn."""
        other = published("It rains.", **ABOUT)
        clock.shift(60)
        return other

    @pytest.mark.parametrize("path", [LATEST, TOPIC, CATEGORY])
    def test_a_tombstone_tells_when_and_why_and_nothing_else(self, client, event, other, clock, path):
        updated(other, kind="correction", note="Canary note.", headline="Canary falls.", body="Canary body.")
        publishing.withdraw(other, by=None, note="It was a hoax.")
        document = atom(client, path)
        assert ids(document) == [event_id(event)]
        (gone,) = document.findall("at:deleted-entry", NS)
        assert (gone.get("ref"), gone.get("when")) == (event_id(other), rfc3339(NOON + 2 * MINUTE))
        assert gone.findtext("at:comment", namespaces=NS) == "It was a hoax."
        for format in addresses.FEEDS:
            assert "anary" not in client.get(into(path, format)).content.decode()

    @pytest.mark.parametrize("path", LISTS)
    def test_the_date_of_a_feed_moves_on_and_never_back(self, client, event, other, clock, path):
        """T12, I-22: nor does Last-Modified, and the tag is another."""
        updated(other, kind="correction", note="12, not 21.", body="There are **12** seats.")
        before, built = client.get(path), rss(client, path).findtext("lastBuildDate")
        clock.shift(60)
        publishing.withdraw(other, by=None, note="It was a hoax.")
        after = client.get(path, headers={"If-None-Match": before["ETag"]})
        assert after.status_code == 200
        assert said(etree.fromstring(after.content), "updated") == rfc3339(NOON + 3 * MINUTE)
        assert parsedate_to_datetime(after["Last-Modified"]) > parsedate_to_datetime(before["Last-Modified"])
        assert parsedate_to_datetime(rss(client, path).findtext("lastBuildDate")) > parsedate_to_datetime(built)

    @pytest.mark.parametrize("path", [LATEST, TOPIC, CATEGORY])
    def test_what_is_restored_is_live_again(self, client, event, clock, path):
        """RFC 6721, 3: newer than the tombstone that readers have."""
        published("It rains.", **ABOUT)
        publishing.withdraw(event, by=None, note="It is not sure.")
        when = tombstones(atom(client, path))[event_id(event)]
        clock.shift(60)
        publishing.restore(event, by=None, note="It is.")
        document = atom(client, path)
        assert tombstones(document) == {}
        assert said(entry(document, event), "updated") > when
        assert said(entry(document, event), "published") == rfc3339(NOON)
        assert said(document, "updated") == rfc3339(NOON + 2 * MINUTE)

    def test_it_stands_in_no_feed_of_what_it_never_bore(self, client, event, clock):
        published("It rains.", topics=["Weather"], category="Climate")
        publishing.withdraw(event, by=None, note="It was a hoax.")
        assert tombstones(atom(client, addresses.topic_feed("weather"))) == {}
        assert tombstones(atom(client, addresses.category_feed("climate"))) == {}

    @pytest.mark.parametrize("path", [LATEST, TOPIC, CATEGORY])
    def test_it_stays_a_tombstone_when_its_text_is_redacted(self, client, event, other, clock, path):
        """As after a court order: what was redacted tells no longer where it stood, and readers still hold it."""
        publishing.withdraw(other, by=None, note="A court ordered it.")
        before = atom(client, path)
        publishing.redact(other, 1, by=None, note="A court ordered it.")
        document = atom(client, path)
        assert tombstones(document) == tombstones(before) == {event_id(other): rfc3339(NOON + 2 * MINUTE)}
        assert said(document, "updated") == said(before, "updated")

    def test_a_date_does_not_go_back_with_what_leaves_a_topic(self, client, event, other, clock):
        before = said(atom(client, TOPIC), "updated")
        updated(other, topics=["Budget"], body="It is about something else.")
        after = atom(client, TOPIC)
        assert ids(after) == [event_id(event)]
        assert said(after, "updated") > before


class TestTimelines:
    @pytest.mark.parametrize("path", [TOPIC, CATEGORY])
    def test_only_its_own_entries_stand_there(self, client, event, path):
        published("It rains.", topics=["Weather"], category="Climate")
        assert ids(atom(client, path)) == [event_id(event)]

    @pytest.mark.parametrize("path", [TOPIC, CATEGORY])
    def test_what_moved_last_stands_first_and_minor_changes_move_nothing(self, client, event, clock, monkeypatch, path):
        other = published("It rains.", **ABOUT)
        clock.shift(60)
        updated(event, kind="minor", body="There are **200** seats!")
        assert ids(atom(client, path)) == [event_id(other), event_id(event)]
        with monkeypatch.context() as few:
            few.setattr(feeds, "ENTRIES", 1)
            cache.clear()
            assert ids(atom(client, path)) == [event_id(other)]
        cache.clear()
        updated(event, body="There are **201** seats!")
        assert ids(atom(client, path)) == [event_id(event), event_id(other)]

    def test_another_name_of_a_topic_leads_to_its_feed(self, client, event):
        publishing.add_alias(topic("Parliament"), "The House", by=None)
        response = answer(client, addresses.topic_feed("the-house", "json"), 302)
        assert response["Location"] == addresses.topic_feed("parliament", "json")

    @pytest.mark.parametrize("format", addresses.FEEDS)
    def test_where_nothing_is_public_is_the_same_as_nowhere(self, client, event, format):
        draft("It snows.", topics=["Secret"], category="Hidden")
        publishing.withdraw(published("It rains.", topics=["Weather"], category="Climate"), by=None, note="It did not.")
        names = ("secret", "weather", "hidden", "climate", "none")
        for make in (addresses.topic_feed, addresses.category_feed):
            assert len({answer(client, make(name, format), 404).content for name in names}) == 1

    def test_an_alias_of_what_is_not_public_leads_nowhere(self, client, event):
        draft("It snows.", topics=["Secret"])
        publishing.add_alias(topic("Secret"), "Hidden", by=None)
        answer(client, addresses.topic_feed("hidden"), 404)


class TestCorrections:
    def test_each_act_is_an_entry_of_its_own(self, client, event, clock):
        updated(event, kind="correction", note="12, not 21.", body="There are **12** seats.")
        clock.shift(60)
        updated(event, kind="correction", note="13, not 12.", body="There are **13** seats.")
        document = atom(client, CORRECTIONS)
        assert ids(document) == [addresses.tag("event", event.uid, version) for version in ("v3", "v2")]
        one = entry(document, event, "v3")
        assert said(one, "title") == "Correction: Parliament adopts the budget."
        assert content(one).startswith("Correction: 13, not 12.")
        assert link(one, "alternate") == addresses.absolute(addresses.edition(DAY, SLUG, 3))

    def test_a_withdrawal_is_read_and_buries_what_was_told_of_the_event(self, client, event, clock):
        updated(event, kind="correction", note="Canary note.", headline="Canary falls.")
        publishing.withdraw(event, by=None, note="It was a hoax.")
        document = atom(client, CORRECTIONS)
        assert content(entry(document, event, "v3")) == "Withdrawn: It was a hoax."
        assert set(tombstones(document)) == {event_id(event), addresses.tag("event", event.uid, "v2")}
        assert "anary" not in etree.tostring(document).decode()

    def test_what_comes_back_is_newer_than_its_tombstone(self, client, event, clock):
        updated(event, kind="correction", note="12, not 21.", body="There are **12** seats.")
        publishing.withdraw(event, by=None, note="It is not sure.")
        when = tombstones(atom(client, CORRECTIONS))
        clock.shift(60)
        publishing.restore(event, by=None)
        document = atom(client, CORRECTIONS)
        assert tombstones(document) == {}
        assert len(ids(document)) == 3
        assert said(entry(document, event, "v2"), "updated") > max(when.values())

    def test_a_redacted_correction_is_a_stub_and_newer_than_it_was(self, client, event, clock):
        updated(event, kind="correction", note="Canary note.", headline="Canary falls.")
        updated(event, headline="It falls.")
        clock.shift(60)
        publishing.redact(event, 2, by=None, note="It named an address.")
        one = entry(atom(client, CORRECTIONS), event, "v2")
        assert (said(one, "title"), content(one)) == ("Redacted", "Redacted: It named an address.")
        assert said(one, "published") == rfc3339(NOON + MINUTE)
        assert said(one, "updated") == rfc3339(NOON + 2 * MINUTE)


class TestChanges:
    def test_each_version_is_an_entry_newest_first(self, client, event, clock):
        updated(event, kind="correction", note="201, not 200.", body="There are **201** seats.")
        document = atom(client, CHANGES)
        assert ids(document) == [addresses.tag("event", event.uid, version) for version in ("v2", "v1")]
        second, first = document.findall("a:entry", NS)
        assert content(second).startswith("Correction: 201, not 200. What changed There are 201 seats.")
        assert content(first).startswith("First version There are 200 seats.")
        assert addresses.absolute(addresses.comparison(DAY, SLUG, 1, 2)) in said(second, "content")
        assert link(second, "alternate") == addresses.absolute(addresses.edition(DAY, SLUG, 2))

    def test_a_redacted_version_has_no_text(self, client, event, clock):
        updated(event, headline="It rains.", body="It rains.")
        clock.shift(60)
        publishing.redact(event, 1, by=None, note="It named an address.")
        path = addresses.event_feed(DAY, "it-rains")
        one = entry(atom(client, path), event, "v1")
        assert (said(one, "title"), content(one)) == ("Redacted", "Redacted: It named an address.")
        assert said(one, "updated") == rfc3339(NOON + 2 * MINUTE)
        assert "seats" not in client.get(path).content.decode()

    def test_an_earlier_address_leads_to_the_current_one(self, client, event):
        updated(event, headline="It rains.")
        assert answer(client, CHANGES, 302)["Location"] == addresses.event_feed(DAY, "it-rains")

    def test_a_withdrawn_event_has_a_notice(self, client, event):
        publishing.withdraw(event, by=None, note="It was a hoax.")
        response = answer(client, CHANGES, 410)
        assert response["Content-Type"] == "application/problem+xml; charset=utf-8"
        assert "It was a hoax." in response.content.decode()

    def test_withdrawals_and_restorations_of_the_past_are_told(self, client, event, clock):
        publishing.withdraw(event, by=None, note="It is not sure.")
        clock.shift(60)
        publishing.restore(event, by=None, note="It is.")
        titles = [said(one, "title") for one in atom(client, CHANGES).findall("a:entry", NS)]
        assert titles == ["Parliament adopts the budget.", "Withdrawn", "Parliament adopts the budget."]

    def test_very_many_texts_are_told_by_what_changed(self, client, event, monkeypatch):
        monkeypatch.setattr(shapes, "ENOUGH", {"atom": 100})
        updated(event, body="There are **201** seats.")
        updated(event, body="There are **202** seats.")
        texts = [content(one) for one in atom(client, CHANGES).findall("a:entry", NS)]
        assert texts[1:] == ["Update What changed", "First version"]

    @pytest.mark.parametrize("path", ["/news/2017/02/25/none.changes.atom", "/news/2017/02/30/none.changes.atom"])
    def test_what_is_not_there_is_absent(self, client, event, path):
        answer(client, path, 404)


class TestVisibility:
    PATHS = [*(into(path, format) for path in LISTS for format in addresses.FEEDS), CHANGES, "/index_rss.xml"]

    def test_what_is_scheduled_shows_at_its_second_and_not_before(self, client, event, clock):
        """In no body and no header, at any address; at its second everywhere."""
        updated(event, kind="correction", note="12, not 21.", body="There are **12** seats.")
        published("It rains.", **ABOUT)
        issue = in_minutes(5, NOON)
        clock.move_to(issue - datetime.timedelta(seconds=1))
        paths = [*self.PATHS, "/feeds/archive/2026-11.1.atom"]
        before = {path: self._whole(client, path) for path in paths}
        revise(event, headline="Canary falls.")
        clock.move_to(NOON + MINUTE)
        publishing.schedule(event, by=None, issue=issue, kind="correction", note="Canary note.")
        scheduled = draft("Canary sings.", **ABOUT)
        publishing.schedule(scheduled, by=None, issue=issue)
        clock.move_to(issue - datetime.timedelta(seconds=1))
        assert {path: self._whole(client, path) for path in paths} == before
        clock.move_to(issue)
        for path in self.PATHS:
            response = client.get(path)
            body = client.get(response.get("Location", path)).content.decode()
            assert "Canary falls." in body, path
            assert "Canary sings." in body or "corrections" in path or path == CHANGES, path
        for path in (LATEST, TOPIC, CATEGORY, CORRECTIONS):
            assert said(atom(client, path), "updated") == rfc3339(issue)

    def _whole(self, client, path):
        response = client.get(path)
        return response.status_code, sorted(response.items()), response.content

    def test_a_draft_of_a_live_event_shows_nowhere(self, client, event):
        revise(event, headline="Canary falls.", topics=["Canary"])
        for path in self.PATHS:
            assert "anary" not in client.get(path).content.decode()

    @pytest.mark.parametrize("path", [*LISTS, CHANGES])
    def test_no_date_is_later_than_the_answer(self, client, event, clock, path):
        """H3."""
        updated(event, kind="correction", note="12, not 21.", body="There are **12** seats.")
        assert parsedate_to_datetime(answer(client, path)["Last-Modified"]) <= clock_now()

    @pytest.mark.parametrize("path", [*LISTS, CHANGES])
    def test_what_did_not_change_is_not_sent_again(self, client, event, clock, path):
        updated(event, kind="correction", note="12, not 21.", body="There are **12** seats.")
        tag = client.get(path)["ETag"]
        clock.shift(DAYS)
        assert client.get(path, headers={"If-None-Match": tag}).status_code == 304


class TestArchives:
    """4.5: parts of the log by months."""

    @pytest.fixture(autouse=True)
    def small_parts(self, monkeypatch):
        monkeypatch.setattr(feeds, "PART", 4)

    def published(self, number, start=0):
        return [published(f"Storm number {n} is over.") for n in range(start, start + number)]

    def test_a_part_is_sealed_when_the_log_goes_on_behind_it(self, client, clock):
        self.published(4)
        assert archive_of(atom(client, LATEST)) is None
        answer(client, "/feeds/archive/2026-11.1.atom", 404)
        self.published(1, start=4)
        assert archive_of(atom(client, LATEST)) == "/feeds/archive/2026-11.1.atom"
        assert len(ids(atom(client, "/feeds/archive/2026-11.1.atom"))) == 4

    def test_the_last_part_of_a_month_is_sealed_by_the_next_month(self, client, clock):
        self.published(5)
        answer(client, "/feeds/archive/2026-11.2.atom", 404)
        clock.shift(30 * DAYS)
        answer(client, "/feeds/archive/2026-11.2.atom", 404)
        self.published(1, start=5)
        assert archive_of(atom(client, LATEST)) == "/feeds/archive/2026-11.2.atom"
        assert len(ids(atom(client, "/feeds/archive/2026-11.2.atom"))) == 1

    def test_archives_lead_both_ways_and_to_the_feed(self, client, clock):
        self.published(5)
        clock.shift(70 * DAYS)
        self.published(5, start=5)
        way = ["/feeds/archive/2026-11.1.atom", "/feeds/archive/2026-11.2.atom", "/feeds/archive/2027-01.1.atom"]
        for number, path in enumerate(way):
            document = atom(client, path)
            assert document.find("fh:archive", NS) is not None
            assert link(document, "current") == addresses.absolute(LATEST)
            assert link(document, "hub") is None
            assert archive_of(document) == (way[number - 1] if number else None)
            following = addresses.absolute(way[number + 1]) if way[number + 1 :] else None
            assert link(document, "next-archive") == following
        document = atom(client, LATEST)
        assert archive_of(document) == way[-1]
        assert document.find("fh:archive", NS) is None
        assert said(document, "id") == said(atom(client, way[0]), "id")

    def test_what_is_no_sealed_part_is_absent(self, client, clock):
        self.published(6)
        for month in ("2026-10", "2026-12", "2027-01", "2026-13", "0001-01", "2999-12"):
            answer(client, f"/feeds/archive/{month}.1.atom", 404)
        for part in (0, 2, 3, 999_999):
            answer(client, f"/feeds/archive/2026-11.{part}.atom", 404)

    def test_a_part_has_the_versions_that_the_log_made_in_it(self, client, clock):
        (event,) = self.published(1)
        updated(event, body="The second text.")
        updated(event, body="The third text.")
        self.published(2, start=1)
        updated(event, body="The fourth text.")
        document = atom(client, "/feeds/archive/2026-11.1.atom")
        assert len(ids(document)) == 2
        assert content(entry(document, event)) == "The third text."
        updated(event, kind="correction", note="There was no fourth.", body="The last text.")
        assert content(entry(atom(client, "/feeds/archive/2026-11.1.atom"), event)) == "The third text."

    def test_what_is_withdrawn_now_has_a_tombstone_wherever_it_stood(self, client, clock):
        event, *_ = self.published(5)
        clock.shift(60)
        publishing.withdraw(event, by=None, note="It was a hoax.")
        self.published(3, start=5)
        when = {event_id(event): rfc3339(NOON + MINUTE)}
        for part in (1, 2):
            document = atom(client, f"/feeds/archive/2026-11.{part}.atom")
            assert tombstones(document) == when
            assert "Storm number 0" not in etree.tostring(document).decode()

    def test_what_is_restored_is_there_again_and_the_date_goes_on(self, client, clock):
        event, *_ = self.published(5)
        path, moments = "/feeds/archive/2026-11.1.atom", []
        for act in (lambda: None, publishing.withdraw, publishing.restore):
            clock.shift(60)
            if act in (publishing.withdraw, publishing.restore):
                act(event, by=None, note="It is not sure.")
            moments.append((said(atom(client, path), "updated"), client.get(path)["Last-Modified"]))
        assert [moment for moment, _modified in moments] == [rfc3339(NOON + n * MINUTE) for n in (0, 2, 3)]
        assert [parsedate_to_datetime(modified) for _moment, modified in moments] == [
            NOON,
            NOON + 2 * MINUTE,
            NOON + 3 * MINUTE,
        ]
        assert event_id(event) in ids(atom(client, path))

    def test_what_is_redacted_is_nowhere(self, client, clock):
        event, *_ = self.published(5)
        updated(event, headline="It rains.")
        publishing.redact(event, 1, by=None, note="It named an address.")
        document = atom(client, "/feeds/archive/2026-11.1.atom")
        assert event_id(event) not in [*ids(document), *tombstones(document)]
        assert "Storm number 0" not in etree.tostring(document).decode()

    def test_what_is_public_by_the_clock_is_in_the_feed_before_it_is_logged(self, client, clock, tmp_path):
        """A minor change, so that the event is none of the fifty newest."""
        event = published("It rains.", body="It was windy.")
        clock.shift(DAYS)
        loaded(tmp_path, 59)
        issue = in_minutes(5, clock_now())
        revise(event, body="It was windy!")
        publishing.schedule(event, by=None, issue=issue, kind="minor")
        clock.move_to(issue - datetime.timedelta(seconds=1))
        assert event_id(event) not in ids(atom(client, LATEST))
        clock.move_to(issue)
        head = LogHead.objects.get().seq
        assert content(entry(atom(client, LATEST), event)) == "It was windy!"
        assert LogHead.objects.get().seq == head

    def test_the_feed_has_what_a_minor_change_left_behind_the_last_archive(self, client, clock, tmp_path):
        """Its date is too old for the fifty newest, but no archive has the new text."""
        event = published("It rains.", body="It was windy.")
        clock.shift(DAYS)
        loaded(tmp_path, 59)
        updated(event, kind="minor", body="It was windy!")
        document = atom(client, LATEST)
        assert content(entry(document, event)) == "It was windy!"
        assert said(entry(document, event), "updated") == rfc3339(NOON)
        assert len(ids(document)) == 51

    def test_the_set_of_a_part_stays_and_the_whole_record_is_told(self, client, clock):
        sets = {}
        for number in history(clock, 42, random.Random(5005)):
            if number % 14 == 0:
                check_archives(client, sets)
        check_archives(client, sets)
        assert len(sets) > 7


@pytest.mark.trial
def test_a_long_record_can_be_put_together_from_archives_of_full_size(client, clock):
    """4.5: some 350 entries of the log over three months, in parts of a hundred."""
    sets = {}
    for number in history(clock, 360, random.Random(2017)):
        if number % 60 == 0:
            check_archives(client, sets)
    check_archives(client, sets)
    assert LogHead.objects.get().seq > 330
    assert len(sets) >= 5


ACTS = "publish publish schedule update correct minor withdraw restore redact".split()


def history(clock, length, chance):
    """Public acts of every kind over some three months, one after the other; yields after each."""
    events, gone = [], []
    for number in range(length):
        clock.shift(datetime.timedelta(minutes=chance.randint(1, 2 * 90 * 24 * 60 // length)))
        act = chance.choice(ACTS)
        if act == "publish" or not events:
            events.append(published(f"Storm number {number} is over.", body=f"It lasted {number} days.", **ABOUT))
        elif act == "schedule":
            event = draft(f"Storm number {number} is foretold.")
            publishing.schedule(event, by=None, issue=in_minutes(1, clock_now()))
            clock.shift(120)
            events.append(event)
        elif act == "restore":
            if gone:
                event = gone.pop(chance.randrange(len(gone)))
                publishing.restore(event, by=None)
                events.append(event)
        elif act == "withdraw":
            event = events.pop(chance.randrange(len(events)))
            publishing.withdraw(event, by=None, note=f"It was not, {number}.")
            gone.append(event)
        else:
            change(chance.choice(events), act, number)
        yield number


def change(event, act, number):
    if act == "update":
        updated(event, body=f"It lasted {number} days and more.")
    elif act == "correct":
        updated(event, kind="correction", note=f"It was {number}.", body=f"It lasted {number} days.")
    elif act == "minor":
        body = event.__class__.objects.get(pk=event.pk).body
        updated(event, kind="minor", body=f"{body}!")
    else:
        earlier = event.editions.exclude(document=None).order_by("number")
        if earlier.count() > 1:
            publishing.redact(event, earlier[0].number, by=None, note="It named an address.")


def check_archives(client, sets):
    """Follow the archives from the feed: they tell the whole record, and each has what it had before, `sets`."""
    cache.clear()
    document = atom(client, LATEST)
    entries, gone = {}, {}
    after = None
    while True:
        for one in document.findall("a:entry", NS):
            told = (said(one, "updated"), said(one, "title"), said(one, "content"))
            # Of two of the same date counts what was met first, nearer to the feed.
            if told[0] > entries.get(said(one, "id"), ("",))[0]:
                entries[said(one, "id")] = told
        for id, when in tombstones(document).items():
            gone[id] = max(when, gone.get(id, ""))
        path = archive_of(document)
        if path is None:
            break
        document = atom(client, path)
        assert link(document, "next-archive") == after
        after = addresses.absolute(path)
        now = {*ids(document), *tombstones(document)}
        was = sets.setdefault(path, now)
        assert was - now <= redacted_ids()
        assert now <= was
    live = {id: told[1:] for id, told in entries.items() if told[0] > gone.get(id, "")}
    assert live == current_record()


def redacted_ids():
    entries = LogEntry.objects.filter(kind="redact").values_list("event__uid", flat=True)
    return {addresses.tag("event", uid) for uid in entries}


def current_record():
    """{id: (title, content)} of what the public reads now."""
    at = clock_now()
    corrections = {}
    for edition in Edition.objects.issued_by(at).filter(kind="correction").exclude(note="").order_by("-number"):
        corrections.setdefault(edition.event_id, []).append(edition.note)
    entries = [
        shapes.entry(edition, corrections.get(edition.event_id, ()))
        for edition in Edition.objects.current(at).with_uid().with_times()
    ]
    return {entry["id"]: (entry["title"], entry["content"]) for entry in entries}


class TestQueries:
    """The number of queries depends neither on how many entries a feed has nor on how long the record is."""

    PATHS = [*(into(path, format) for path in LISTS for format in ("atom", "json")), CHANGES]

    def counted(self, client, path):
        cache.clear()
        with CaptureQueriesContext(connection) as queries:
            answer(client, path)
        return len(queries)

    def test_sixty_entries_take_as_many_as_one(self, client, event, clock, monkeypatch, tmp_path):
        monkeypatch.setattr(feeds, "PART", 2)
        for _ in range(4):
            updated(event, kind="correction", note="It was not.", body=f"There are **{clock_now()}** seats.")
            clock.shift(60)
        paths = [*self.PATHS, "/feeds/archive/2026-11.2.atom"]
        before = {path: self.counted(client, path) for path in paths}
        about = {"category": "Politics", "topics": ["Parliament"]}
        correction = {"kind": "correction", "note": "It was not.", "published": rfc3339(clock_now())}
        loaded(tmp_path, 59, version(headline="It goes on.", **about, **correction), published=rfc3339(NOON), **about)
        assert {path: self.counted(client, path) for path in paths} == before
        assert max(before.values()) <= 20


class TestPages:
    """What readers find of it."""

    @pytest.mark.parametrize(
        ("page", "feed"),
        [
            ("/", LATEST),
            (addresses.topic("parliament"), TOPIC),
            (addresses.category("politics"), CATEGORY),
            (addresses.corrections(), CORRECTIONS),
            (addresses.event(DAY, SLUG), CHANGES),
        ],
    )
    def test_a_page_names_its_feed_in_its_head(self, client, event, page, feed):
        head = html.fromstring(answer(client, page).content)
        found = head.xpath("//head/link[@rel='alternate'][@type='application/atom+xml']/@href")
        assert found == [addresses.absolute(feed)]
        answer(client, addresses.relative(found[0]))

    @pytest.mark.parametrize(
        ("page", "feed"),
        [
            (addresses.topic("parliament"), TOPIC),
            (addresses.category("politics"), CATEGORY),
            (addresses.corrections(), CORRECTIONS),
            (addresses.years(), LATEST),
        ],
    )
    def test_a_reader_can_follow_a_link_to_it(self, client, event, page, feed):
        links = html.fromstring(answer(client, page).content).xpath("//body//a[@type='application/atom+xml']/@href")
        assert feed in links

    def test_a_page_of_the_past_names_none_of_its_own(self, client, event, clock):
        past = addresses.as_of(clock_now())
        for page in ("/", addresses.topic("parliament"), addresses.category("politics"), addresses.event(DAY, SLUG)):
            found = html.fromstring(answer(client, past + page).content)
            assert not found.xpath("//head/link[@type='application/atom+xml']")


def test_json_feeds_are_read_as_json(client, event):
    """Texts stand as they are, not as escapes."""
    published(ARABIC, language="ar")
    body = answer(client, "/feeds/latest.json").content
    assert ARABIC in body.decode()
    assert json.loads(body)["items"]


def test_a_feed_claims_no_schema_of_an_event(client, event):
    assert "describedby" not in links(client.get("/feeds/latest.json"))
