"""ninjs 3.1 and NewsML-G2 2.35 as a partner's validator reads them, whatever stands in the record."""

import json

import jsonschema
import pytest
from lxml import etree, html

from events import addresses, publishing, records
from events.formats import as_newsml, as_ninjs, newswire, shapes
from events.models import Edition
from tests.conftest import SHARED
from tests.words import DAY, published, updated

pytestmark = [pytest.mark.django_db, pytest.mark.shared]

G2 = {"g2": as_newsml.NAMESPACE, "h": as_newsml.XHTML}
XML_LANG = "{http://www.w3.org/XML/1998/namespace}lang"
NOTE = "It was the second vote."
BODY = """First *paragraph* & “more”,\u00a0with a [link](https://agency.example/?a=1&b=2 "its \\"title\\"").

---

A line\x20\x20
and another, <b>no tag</b>, &nbsp;, AT&T.

| a | b |
|---|--:|
| 1 | 2 |

```
<code> & more
```

3. three
4. four
"""
HOSTILE = {
    "markup": "<script>alert(1)</script></p>]]><!-- & \"quotes\" 'single' -->",
    "rtl": "שלום \u202ehidden\u202c العالم",
    "controls": "one\x00two\x08three\x0b\ufffe\uffff\x85four",
    "long": "x" * 2_000,
    "astral": "🗳 𝔙𝔬𝔱𝔢",
    "entities": "&lt;b&gt; &nbsp; &#x202e; &unknown; %E0%A4%A",
    "table": "|a|\n|-|\n|<td>|",
    "nested": "> " * 12 + "deep",
    "links": "[a](JaVa\tScript:alert(1)) [b](data:text/html,x) [c](https://user@evil.example) ![d](http://e.example/?q=\"')",
}
URLS = [
    "https://agency.example/a|b/{c}^`d`?q=[x]&ü=é#one#two",
    "https://zürich.example/straße",
    "http://under_score.example:8080/100%/%zz%20?a%",
    "http://[::1]:80/a\\b",
    "https://例え.テスト/道?名=値#章",
    "HTTP://WWW.Agency.Example",
    "https://agency.example?only=query",
]


@pytest.fixture(scope="module")
def ninjs_schema():
    schema = json.loads((SHARED / "schemas" / "ninjs-schema_3.1.json").read_text())
    return jsonschema.Draft202012Validator(schema, format_checker=jsonschema.FormatChecker())


# What the XSD of NewsML-G2 would fetch from the net.
XML_ATTRIBUTES = """<xs:schema targetNamespace="http://www.w3.org/XML/1998/namespace"
    xmlns:xs="http://www.w3.org/2001/XMLSchema"><xs:attribute name="lang" type="xs:language"/></xs:schema>"""


class Offline(etree.Resolver):
    def resolve(self, url, identifier, context):
        return self.resolve_string(XML_ATTRIBUTES, context) if url.endswith("/xml.xsd") else None


@pytest.fixture(scope="module")
def newsml_schema():
    parser = etree.XMLParser()
    parser.resolvers.add(Offline())
    return etree.XMLSchema(etree.parse(SHARED / "schemas" / "NewsML-G2_2.35-spec-All-Power.xsd", parser))


@pytest.fixture
def ninjs(ninjs_schema):
    def read(text):
        item = json.loads(text)
        ninjs_schema.validate(item)
        return item

    return read


@pytest.fixture
def newsml(newsml_schema):
    def read(text):
        item = etree.fromstring(text)
        newsml_schema.assertValid(item)
        # Neither of these the schema asks for (4.18).
        assert found(item, "g2:catalogRef/@href")
        assert all(moment.endswith("Z") for moment in found(item, "//g2:versionCreated/text()"))
        return item

    return read


@pytest.fixture(params=[as_ninjs, as_newsml], ids=["ninjs", "newsml"])
def valid(request, ninjs, newsml):
    """Renders in one of the formats, and holds what comes out against its schema."""
    read = {as_ninjs: ninjs, as_newsml: newsml}[request.param]
    return lambda function, *args, **more: read(getattr(request.param, function)(*args, **more))


def found(item, path):
    return item.xpath(path, namespaces=G2)


def editions(event):
    return list(Edition.objects.filter(event=event).with_uid().with_log().order_by("number"))


def shape(event, related=()):
    return shapes.event(editions(event), related=related)


def version(event, number):
    history = editions(event)
    return shapes.edition(history[number - 1], history, redactions=records.redactions(history))


@pytest.fixture
def full():
    """A corrected entry with everything that one can have."""
    event = published(
        "The vote is held.",
        body=BODY,
        topics=["Vote", "European Union"],
        story="European Union",
        category="Politics",
        sources=[("Agency", "https://agency.example/1"), ("Gazette", "https://gazette.example/2")],
        language="en-GB",
        origin={"name": "Chronicle", "url": "https://chronicle.example/day", "licence": "CC BY-SA 4.0"},
    )
    updated(event, "correction", note=NOTE, headline="The second vote is held.")
    return event


RELATED = {
    "headline": "Other <vote>.",
    "language": "de",
    "date": DAY,
    "slug": "other-vote",
    "context": ["Vote"],
    "score": 1,
    "parts": {},
}


class TestOracles:
    """The validators find what they are there to find (4.18, the table of mutations)."""

    @pytest.mark.parametrize(
        "wrong",
        [
            {"_links": {}},
            {"version": 3},
            {"embargoed": "2017-02-25T10:00:00Z"},
            {"pubStatus": "cancelled"},
            {"headlines": ["x"]},
            {"versionCreated": "2017-02-25"},
            {"versionCreated": "2017-02-25T10:00:00"},
            {"uri": "/news/"},
            {"infoSources": [{"uri": URLS[0]}]},
        ],
    )
    def test_ninjs(self, ninjs_schema, full, wrong):
        item = json.loads(as_ninjs.render(shape(full)))
        assert ninjs_schema.is_valid(item)
        assert not ninjs_schema.is_valid(item | wrong)

    @pytest.mark.parametrize(
        ("old", "new"),
        [
            (b'version="2"', b'version="0"'),
            (b'standard="NewsML-G2"', b""),
            (b"<signal", b"<embargoed>2017-02-25T10:00:00Z</embargoed><signal"),
            (b"<edNote>", b'<signal qcode="sig:update"/><edNote>'),
            (b"<versionCreated>", b"<versionCreated>x"),
            (b"<itemClass", b'<provider uri="https://a.example/"/><itemClass'),
        ],
    )
    def test_newsml(self, newsml_schema, full, old, new):
        text = as_newsml.render(shape(full))
        assert newsml_schema.validate(etree.fromstring(text))
        assert text.count(old) == 1
        # An attribute at the place of another element's is no test of that.
        assert not newsml_schema.validate(etree.fromstring(text.replace(old, new)))


class TestNinjs:
    """4.9."""

    def test_an_entry_says_everything(self, ninjs, full, settings):
        settings.NEWSDESK_LICENSE = "https://creativecommons.org/licenses/by/4.0/"
        settings.NEWSDESK_TAG = "news.example,2026"
        told = shape(full, [RELATED])
        item = ninjs(as_ninjs.render(told))
        assert item["uri"] == f"tag:news.example,2026:event:{full.uid}"
        assert item["standard"]["name"] == "ninjs"
        assert (item["version"], item["pubStatus"], item["type"]) == ("2", "usable", "text")
        assert (item["firstCreated"], item["versionCreated"]) == (told["published"], told["issued"])
        assert item["language"] == "en-GB"
        assert item["edNote"] == f"Correction: {NOTE}"
        assert [line["value"] for line in item["headlines"]] == ["The second vote is held."]
        assert {body["contentType"]: body["value"] for body in item["bodies"]} == {
            "text/html": told["body_html"],
            "text/markdown": BODY,
        }
        assert all(body["charCount"] == len(body["value"]) for body in item["bodies"])
        assert {(subject["name"], subject["rel"]) for subject in item["subjects"]} == {
            ("Vote", "topic"),
            ("European Union", "story"),
            ("Politics", "category"),
            ("2017-02-25", "date"),
        }
        assert {subject["rel"]: subject["uri"] for subject in item["subjects"]} == {
            "topic": addresses.absolute("/topics/vote/index.html"),
            "story": addresses.absolute("/topics/european-union/index.html"),
            "category": addresses.absolute("/categories/politics/index.html"),
            "date": addresses.absolute("/news/2017/02/25/"),
        }
        assert [(source["name"], source["role"], source["uri"]) for source in item["infoSources"]] == [
            ("Agency", "source-1", "https://agency.example/1"),
            ("Gazette", "source-2", "https://gazette.example/2"),
            ("Chronicle", "origin", "https://chronicle.example/day"),
        ]
        assert item["copyrightNotice"] == "Chronicle (https://chronicle.example/day), CC BY-SA 4.0"
        assert item["rightsInfo"] == {"linkedRights": settings.NEWSDESK_LICENSE}
        (related,) = item["associations"]
        assert (related["name"], related["uri"]) == (
            "Other <vote>.",
            addresses.absolute("/news/2017/02/25/other-vote"),
        )
        assert {"role": "permalink", "value": told["changes"][1]["url"]} in item["altIds"]
        assert {"role": "uid", "value": str(full.uid)} in item["altIds"]

    def test_nothing_but_a_headline(self, ninjs, settings):
        settings.NEWSDESK_LICENSE = "All rights reserved"
        item = ninjs(as_ninjs.render(shape(published())))
        assert (item["bodies"], item["infoSources"], item["associations"]) == ([], [], [])
        assert [subject["rel"] for subject in item["subjects"]] == ["date"]
        assert item["usageTerms"] == "All rights reserved"
        assert "edNote" not in item
        assert "rightsInfo" not in item

    def test_a_kill_has_no_text(self, ninjs, full):
        """4.18: a kill is valid with five keys; this one has the identifiers beside them."""
        item = ninjs(as_ninjs.kill(str(full.uid), 3, "2026-11-22T12:00:00Z", "A hoax.", "https://a.example/events/x"))
        assert item["uri"] == json.loads(as_ninjs.render(shape(full)))["uri"]
        assert (item["version"], item["pubStatus"], item["edNote"]) == ("3", "canceled", "Withdrawn: A hoax.")
        assert not {"headlines", "bodies", "subjects", "infoSources", "associations"} & item.keys()


class TestNewsml:
    """4.10."""

    def test_an_entry_says_everything(self, newsml, full, settings):
        settings.NEWSDESK_LICENSE = "https://creativecommons.org/licenses/by/4.0/"
        settings.NEWSDESK_TAG = "news.example,2026"
        told = shape(full, [RELATED])
        item = newsml(as_newsml.render(told))
        assert dict(item.attrib) == {
            "guid": f"tag:news.example,2026:event:{full.uid}",
            "version": "2",
            "standard": "NewsML-G2",
            "standardversion": "2.35",
            "conformance": "power",
            XML_LANG: "en-GB",
        }
        for path, value in {
            "g2:rightsInfo/g2:usageTerms/@href": settings.NEWSDESK_LICENSE,
            "g2:itemMeta/g2:itemClass/@qcode": "ninat:text",
            "g2:itemMeta/g2:versionCreated/text()": told["issued"],
            "g2:itemMeta/g2:firstCreated/text()": told["published"],
            "g2:itemMeta/g2:pubStatus/@qcode": "stat:usable",
            "g2:itemMeta/g2:service/g2:name/text()": "Politics",
            "g2:itemMeta/g2:memberOf/g2:name/text()": "European Union",
            "g2:itemMeta/g2:edNote/text()": f"Correction: {NOTE}",
            "g2:itemMeta/g2:signal/@qcode": "sig:correction",
            "g2:itemMeta/g2:link/@title": "Other <vote>.",
            "g2:contentMeta/g2:contentCreated/text()": "2017-02-25",
            "g2:contentMeta/g2:altId/text()": told["changes"][1]["url"],
            "g2:contentMeta/g2:language/@tag": "en-GB",
            "g2:contentMeta/g2:headline/text()": "The second vote is held.",
        }.items():
            assert found(item, path) == [value], path
        assert found(item, "//g2:infoSource/g2:name/text()") == ["Agency", "Gazette", "Chronicle"]
        assert found(item, "//g2:subject/g2:name/text()") == ["European Union", "Vote"]
        assert not found(item, "//g2:embargoed")

    def test_the_body_is_the_html_as_xml(self, newsml, full):
        """What the sanitiser writes is HTML: elements without an end, and a name for the no-break space."""
        told = shape(full)
        assert "<hr>" in told["body_html"] and "&nbsp;" in told["body_html"]
        (page,) = found(newsml(as_newsml.render(told)), "g2:contentSet/g2:inlineXML/h:html")
        assert found(page, "h:head/h:title/text()") == ["The second vote is held."]
        assert page.get(XML_LANG) == "en-GB"
        (body,) = found(page, "h:body")
        expected = html.fragment_fromstring(told["body_html"], create_parent="body")
        assert outline(body) == outline(expected)
        assert "".join(body.itertext()) == expected.text_content()

    def test_nothing_but_a_headline(self, newsml):
        item = newsml(as_newsml.render(shape(published())))
        assert not found(item, "//g2:contentSet | //g2:signal | //g2:edNote | //g2:rightsInfo | //g2:subject")

    @pytest.mark.parametrize(("kind", "signal"), [("update", "sig:update"), ("minor", "sig:update")])
    def test_a_later_version_signals_what_it_is(self, newsml, kind, signal):
        event = published("The vote is held.")
        updated(event, kind, headline="The vote is held today.")
        assert found(newsml(as_newsml.render(shape(event))), "//g2:signal/@qcode") == [signal]

    def test_a_kill_has_no_content(self, newsml, full):
        """4.18: a kill is valid without a content set."""
        text = as_newsml.kill(str(full.uid), 3, "2026-11-22T12:00:00Z", "A hoax.", "https://a.example/events/x")
        item = newsml(text)
        assert item.get("guid") == etree.fromstring(as_newsml.render(shape(full))).get("guid")
        assert item.get("version") == "3"
        assert found(item, "//g2:pubStatus/@qcode") == ["stat:canceled"]
        assert found(item, "//g2:edNote/text()") == ["Withdrawn: A hoax."]
        assert not found(item, "//g2:contentMeta | //g2:contentSet | //g2:headline")


class TestBoth:
    @pytest.mark.parametrize("name", HOSTILE)
    def test_hostile_text_is_valid_and_whole(self, valid, name):
        """A text that came in before the desk refused it must not make what partners read unreadable."""
        told = shape(published("Plain.", topics=["Vote"], category="Politics", sources=[("Agency", URLS[0])]))
        text = HOSTILE[name]
        told |= {
            "headline": text,
            "body": text,
            "body_html": as_body(text),
            "note": text,
            "topics": [{"key": text, "name": text, "slug": "a"}],
            "story": {"key": text, "name": text, "slug": "a"},
            "category": {"name": text, "slug": "b"},
            "sources": [{"position": 1, "name": text, "url": "https://agency.example/"}],
            "origin": {"name": text, "url": "https://agency.example/", "licence": text},
            "license": text,
            "related": [{"headline": text, "language": "en", "url": "https://a.example/b"}],
        }
        item = valid("render", told)
        whole = (item if isinstance(item, dict) else {"headlines": [{"value": found(item, "//g2:headline")[0].text}]})[
            "headlines"
        ][0]["value"]
        assert whole == (text if isinstance(item, dict) else as_newsml.legal(text))
        valid("kill", told["uid"], 2, told["issued"], text, told["url"])

    @pytest.mark.parametrize("url", URLS)
    def test_a_source_has_a_uri(self, valid, url):
        """Source URLs are what people pasted; `format: uri` is RFC 3986."""
        valid("render", shape(published("A.", sources=[("Agency", url)], topics=["東京"], category="Ärger")))

    def test_a_version_that_was_superseded_says_so(self, valid, full):
        assert "Superseded by version 2." in str(notes(valid("render", version(full, 1))))

    def test_a_redacted_version_is_canceled_and_says_why(self, valid, full):
        publishing.redact(full, 1, by=None, note="A private address.")
        told = version(full, 1)
        item = valid("render", told)
        assert status(item) == "canceled"
        assert notes(item) == "Redacted: A private address. Superseded by version 2."
        text = str(item) if isinstance(item, dict) else etree.tostring(item).decode()
        assert "paragraph" not in text and "Vote" not in text

    def test_two_sentences_of_a_note_stand_apart(self, valid, full):
        publishing.redact(full, 1, by=None, note="A court order")
        assert notes(valid("render", version(full, 1))) == "Redacted: A court order. Superseded by version 2."

    def test_what_is_withdrawn_and_what_is_restored(self, valid, full):
        publishing.withdraw(full, by=None, note="It seemed wrong.")
        publishing.restore(full, by=None, note="It was right.")
        withdrawal = valid("render", version(full, 3))
        assert (status(withdrawal), notes(withdrawal)) == (
            "canceled",
            "Withdrawn: It seemed wrong. Superseded by version 4.",
        )
        restored = valid("render", shape(full))
        assert (status(restored), notes(restored)) == ("usable", "Restored: It was right.")

    def test_a_restoration_says_so_without_a_note(self, valid, full):
        publishing.withdraw(full, by=None, note="It seemed wrong.")
        publishing.restore(full, by=None)
        assert notes(valid("render", shape(full))) == "Restored."

    def test_all_versions_have_one_identifier(self, valid, full):
        items = [valid("render", version(full, number)) for number in (1, 2)]
        assert len({item["uri"] if isinstance(item, dict) else item.get("guid") for item in items}) == 1
        assert [item["version"] if isinstance(item, dict) else item.get("version") for item in items] == ["1", "2"]


def outline(body):
    """The elements in order: how deep each stands, what it is and what it has."""
    above = len(list(body.iterancestors()))
    return [
        (len(list(element.iterancestors())) - above, etree.QName(element).localname, dict(element.attrib))
        for element in body.iter()
    ]


def as_body(text):
    return shapes.markup.to_html(text)


def status(item):
    return item["pubStatus"] if isinstance(item, dict) else found(item, "//g2:pubStatus/@qcode")[0].partition(":")[2]


def notes(item):
    return item["edNote"] if isinstance(item, dict) else found(item, "//g2:edNote/text()")[0]


def test_a_uri_is_left_as_it_is():
    for url in ("https://agency.example/a%20b?c=d&e=%C3%A9#f", "http://[::1]:80/", "https://a.example:8080"):
        assert newswire.uri(url) == url
