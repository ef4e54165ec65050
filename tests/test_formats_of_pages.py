"""Every kind of public page, asked in every format: valid, the same in each, and whole whatever the texts hold."""

import json
import re

import markdown
import pytest
import time_machine
from django.core.cache import cache
from lxml import etree, html

from events import addresses, markup, publishing
from tests import public_pages
from tests.public_pages import FIRST, Place
from tests.test_formats import XSD, assert_made_by_markdown, from_xml, parse, root_schema, validate
from tests.words import DAY, published, updated

pytestmark = pytest.mark.django_db

# What may stand in a headline and a name, and what only in a text of several lines.
HOSTILE = [
    "]]>",
    "</title></script><script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "| # * _ ~~~ `",
    "](/x) [y",
]
HOSTILE += [
    "&amp;&#13;&lt;b&gt;",
    "{{ past }}{% if %}",
    "'\"><svg onload=alert(1)>",
    "1. + - > ###",
    "\\` \\",
    "عنوان 新",
]
LINES = ["\u2028", "\x85", "\r", "\u202b\u200f", "\n\n~~~\n", "\n\n<div onclick=alert(1)>\n\n", "\n# Head\n", "[a]: /x"]
LONG = "<b>*é" * 400


@pytest.fixture(autouse=True)
def empty_cache():
    cache.clear()


def has_formats(place):
    """Whether the address says a format, so that there is one for each."""
    return ".html" in place.path


def asked(client, place):
    """The answers of a place by format, all with the status that it has."""
    formats = addresses.FORMATS if has_formats(place) else ["html"]
    answers = {format: client.get(place.into(format) if has_formats(place) else place.path) for format in formats}
    assert {answer.status_code for answer in answers.values()} == {place.status}, place
    return {format: answer.content for format, answer in answers.items()}


def without_nothing(value):
    """A value without the keys that hold none, which XML and JSON tell apart only for those that are always there."""
    return {key: item for key, item in value.items() if item is not None}


def assert_same_in_json_and_xml(answers):
    shape, document = json.loads(answers["json"]), parse(answers["xml"])
    root = etree.QName(document).localname
    validate(root, shape)
    XSD.assertValid(document)
    told = from_xml(document, root_schema(root))
    assert told == shape if root != "problem" else without_nothing(told) == without_nothing(shape)


def assert_nothing_breaks_out(answers):
    """No element, attribute or heading came out of a text."""
    tree = html.fromstring(answers["html"].decode())
    assert {script.get("type") for script in tree.iter("script") if not script.get("src")} <= {"application/ld+json"}
    assert not any(name.startswith("on") for element in tree.iter(etree.Element) for name in element.attrib)
    assert all(image.get("src").startswith("/") for image in tree.iter("img"))
    assert tree.find(".//b") is None
    assert len(tree.findall(".//h1")) == 1
    if "md" in answers:
        source = answers["md"].decode()
        # Python-Markdown alone does not take the backslash before it, as CommonMark and our bodies do.
        for rendered in (
            markup.to_html(source),
            markdown.markdown(source.replace("\\<", "&lt;"), extensions=["fenced_code"]),
        ):
            assert_made_by_markdown(rendered)


def test_every_page_says_the_same_in_json_and_xml_and_leads_on_in_markdown(client):
    paths = set()
    for place in public_pages.places():
        answers = asked(client, place)
        assert_nothing_breaks_out(answers)
        if has_formats(place):
            assert_same_in_json_and_xml(answers)
            paths.update(re.findall(r"\]\((/[^)]*)\)", answers["md"].decode()))
    assert len(paths) > 200
    broken = {path: answer.status_code for path in sorted(paths) if (answer := client.get(path)).status_code >= 400}
    assert not [path for path in broken if not path.startswith("/events/")]
    assert set(broken.values()) <= {410}


def hostile_places():
    """A record in which every text is hostile, and all pages that show one, now and as of then."""
    with time_machine.travel(FIRST, tick=False) as clock:
        orders = [HOSTILE, HOSTILE[::-1], HOSTILE[4:] + HOSTILE[:4]]
        events = [_hostile(" ".join(texts), " ".join(texts)) for texts in orders]
        events += [_hostile("Plain.", "".join(LINES)), _hostile(LONG, LONG)]
        clock.shift(60)
        for event, texts in zip(events, orders, strict=False):
            headline, body = " and ".join(texts), "\n\n".join(texts)
            updated(event, kind="correction", note=headline, headline=headline, body=body)
        publishing.withdraw(events[0], by=None, note=" ".join(HOSTILE))
        clock.shift(60)
    editions = [event.editions.exclude(slug="").latest("number") for event in events[1:]]
    now = [Place("front", addresses.front()), Place("day", addresses.day(DAY)), Place("topics", addresses.topics())]
    now += [
        Place("topic", addresses.topic(link.topic.slug)) for edition in editions for link in edition.topic_links.all()
    ]
    now += [Place("category", addresses.category(edition.category.slug)) for edition in editions]
    now += [Place("event", addresses.event(edition.date, edition.slug)) for edition in editions]
    then = [Place(f"past {place.name}", addresses.as_of(FIRST) + place.path) for place in now if place.name != "event"]
    firsts = [event.editions.get(number=1) for event in events[1:]]
    then += [Place("past event", addresses.as_of(FIRST) + addresses.event(first.date, first.slug)) for first in firsts]
    return [*now, *then, *_lasting(events)]


def _hostile(headline, text):
    names = [f"{text.strip()[:280]} topic", "Topic"] if headline == text else ["Topic"]
    return published(
        headline,
        body=f"{text}\n\n{text} *once* more.",
        topics=names,
        story=names[0],
        category=f"{names[0]} category",
        sources=[(names[0], "https://e.example/?a=1&b=2")],
        origin={"name": names[0], "url": "https://o.example/", "licence": names[0]},
    )


def _lasting(events):
    """What has no past: versions, comparisons, corrections, searches."""
    yield Place("corrections", addresses.corrections())
    gone = events[0].editions.get(number=1)
    yield Place("withdrawn", addresses.event(gone.date, gone.slug), 410)
    for event in events[1:]:
        last = event.editions.latest("number")
        yield Place("version", addresses.edition(last.date, last.slug, last.number))
        if last.number > 1:
            yield Place("comparison", addresses.comparison(last.date, last.slug, 1, last.number))


def test_no_text_breaks_out_of_any_format(client):
    for place in hostile_places():
        answers = asked(client, place)
        assert_nothing_breaks_out(answers)
        assert_same_in_json_and_xml(answers)


ODD_QUERIES = [*HOSTILE, *LINES, "\x00\x08\x1f", "\ufffe", "topic:", '"', "*", "NOT NEAR", "a" * 5000, "🙂" * 300]


def test_no_search_breaks_out_of_any_format(client):
    published("Roads and roads.", body="A road.", topics=["Road"])
    for query in [query for text in ODD_QUERIES for query in (text, f"road {text}")]:
        answers = {format: client.get(addresses.search(format), {"q": query}) for format in addresses.FORMATS}
        assert {answer.status_code for answer in answers.values()} == {200}, query
        contents = {format: answer.content for format, answer in answers.items()}
        assert_nothing_breaks_out(contents)
        assert_same_in_json_and_xml(contents)
