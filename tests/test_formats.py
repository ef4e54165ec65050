"""The shapes, and that JSON, XML and Markdown say the same of each of them."""

import copy
import datetime
import json
import re
import uuid
from pathlib import Path

import jsonschema
import lxml.html
import markdown
import pytest
from django.conf import settings
from hypothesis import example, given
from hypothesis import strategies as st
from lxml import etree

from events import addresses, diffs, documents, markup, slugs, texts
from events.formats import as_json, as_markdown, as_xml, compared, corrected, shapes, timelines
from events.models import CorrectionsPolicy, Edition, Event, Topic
from tests.conftest import SHARED

SCHEMAS = Path(shapes.__file__).parent / "schemas"
JSON_SCHEMA = json.loads((SCHEMAS / "event.json").read_text())
XSD = etree.XMLSchema(etree.parse(SCHEMAS / "event.xsd"))
DAY = datetime.date(2017, 2, 25)
FIRST = datetime.datetime(2018, 2, 6, 13, 49, 30, tzinfo=datetime.UTC)
UID = uuid.UUID("6c0bd9a5-7d0f-4f0c-9f64-0d9be8d2a7f1")
SITE = settings.NEWSDESK_URL

# The suite's words.


def topic(name):
    return documents.topic_value(slugs.fold(name), name, slugs.slugify(name))


def make_edition(number, headline, kind=None, *, event=None, note="", issued=None, date=DAY, slug="", **values):
    """An edition as it is stored; without a headline, a withdrawal or what a redaction leaves."""
    kind = kind or ("publish" if number == 1 else "update")
    document = headline and make_document(headline, date, **values)
    edition = Edition(
        event=event or Event(uid=UID),
        number=number,
        kind=kind,
        note=note,
        issued=issued or FIRST + datetime.timedelta(hours=number - 1),
        date=date,
        slug=(slug or slugs.headline_slug(headline)) if document else "",
        document=document,
        schema=documents.SCHEMA,
        salt=f"{number:032x}" if document else "",
    )
    edition.commitment = documents.commitment(edition.salt, document, note, edition.slug)
    edition.published = edition.modified = edition.issued
    edition.corrected = edition.issued if kind == "correction" else None
    edition.updated = edition.issued if kind == "update" else None
    return edition


def make_document(headline, date, *, body="", category=None, story=None, topics=(), sources=(), origin=None):
    return documents.document(
        date=date,
        headline=headline,
        body=body,
        category=category and documents.category_value(category, slugs.slugify(category)),
        story=story and topic(story),
        topics=[topic(name) for name in topics],
        sources=[{"name": name, "url": url} for name, url in sources],
        language="en",
        origin=origin,
    )


def make_history():
    """First version, redacted correction, withdrawal, restoration, minor change, another headline."""
    return [
        make_edition(1, "Bridge closed.", topics=["Bridges"]),
        make_edition(2, None, "correction"),
        make_edition(3, None, "withdraw", note="An address was private."),
        make_edition(4, "Bridge closed.", "restore", topics=["Bridges"]),
        make_edition(5, "Bridge, closed.", "minor", slug="bridge-closed", topics=["Bridges"]),
        make_edition(
            6, "Bridge open again.", story="Bridges", category="Transport", sources=[("A", "https://a.example/")]
        ),
    ]


REASON = {2: "A court order."}


def related_to(edition, context, score=1.0, parts=()):
    """An entry as the choice of related events gives it."""
    return {
        "headline": edition.document["headline"],
        "language": edition.document["language"],
        "date": edition.date,
        "slug": edition.slug,
        "context": context,
        "score": score,
        "parts": dict(parts),
    }


def full_event():
    edition = make_edition(
        1,
        "Bridge closed.",
        body="Trucks *only*.\r\n\r\nUntil May.",
        category="Transport",
        story="Bridges",
        topics=["Roads"],
        sources=[("Agency", "https://agency.example/a?b=1&c=2"), ("Paper", "https://paper.example/")],
        origin={"name": "Archive", "url": "https://archive.example/", "licence": "CC0"},
    )
    road = make_edition(1, "Road closed.")
    related = related_to(road, ["Bridges", "Roads"], score=0.25, parts={"rarity": 2.5, "days": 1, "small": 1e-7})
    return shapes.event([edition], related=[related])


def named(name):
    """A topic or a category."""
    return Topic(name=name, slug=slugs.slugify(name) or "topic")


ROADS = [(named("Bridges"), 1234), (named("Roads"), 1)]
YEARS = [(2017, 3), (2018, 1)]


def topic_page(*editions, name="Bridges", aliases=("Bridge", "Viaducts"), years=YEARS, counts=ROADS, more=True):
    page = {"years": years, "aliases": list(aliases), "often_with": counts, "more": more and bool(editions)}
    return timelines.topic(named(name), editions, before="2017-02-26" if more else "", **page)


def category_page(*editions):
    return timelines.category(named("Transport"), editions, years=YEARS, before="", more=False)


def counted(topic, count):
    return timelines.counted(addresses.topic, topic, count)


def found_page(*editions, query="bridge* road", excerpt=(), **values):
    events = [
        shapes.summary(edition) | {"found_headline": [piece(edition.document["headline"])], "excerpt": list(excerpt)}
        for edition in editions
    ]
    return {
        "url": SITE + addresses.search() + "?q=bridge%2A+road",
        "query": query,
        "hints": ["“NEAR” was read as a word."],
        "count": len(events),
        "topics": [counted(*row) for row in ROADS],
        "events": events,
        "years": [{"year": 2017, "count": 1, "url": SITE + addresses.search() + "?q=bridge%2A+road+after%3A2017"}],
        "categories": [timelines.counted(addresses.category, named("Transport"), 1)],
        "older": SITE + addresses.search() + "?q=bridge%2A+road&page=2",
        "newer": None,
        "formats": addresses.formats(addresses.search, query="?q=bridge%2A+road"),
        **values,
    }


def piece(text, found=False):
    return {"text": text, "found": found}


def owned_up(edition, *, in_force=False, redaction=None):
    """An edition as the list of corrections reads it."""
    edition.in_force, edition.redaction = in_force, redaction
    edition.place = None if in_force else (edition.date, edition.slug or "bridge-closed")
    edition.shown = edition if edition.document else None
    edition.before = edition.number - 1 if edition.document else None
    return edition


def owned_up_editions():
    """A correction, a withdrawal in force, one that was lifted and a redacted correction."""
    return [
        owned_up(make_edition(2, "Bridge closed.", "correction", note="It *is* closed.")),
        owned_up(make_edition(3, None, "withdraw", note="It stands."), in_force=True),
        owned_up(make_edition(4, None, "withdraw", note="It stood.")),
        owned_up(make_edition(5, None, "correction"), redaction="A court order."),
    ]


def corrections_page(*editions, older="20180206T134930Z"):
    return corrected.corrections(editions, older=older)


def policy_page(body, *former):
    return corrected.policy(CorrectionsPolicy(body=text, issued=FIRST) for text in (body, *former))


def comparison_of(old, new):
    """Two editions, compared."""
    changes = diffs.compare(old.document, new.document)
    return compared.comparison(old, new, [old, new], changes)


def compared_editions():
    """Two editions that differ in every field."""
    sources = [(name, f"https://{name.lower()}.example/") for name in ("One", "Two", "Three", "Four")]
    old = make_edition(1, "Bridge closed.", body="Trucks only.", story="Bridges", topics=["Roads"], sources=sources[:3])
    new = make_edition(
        2,
        "Bridge open again.",
        "correction",
        note="It is open.",
        date=DAY + datetime.timedelta(days=1),
        body="Trucks *only*.\n\nUntil May.",
        category="Transport",
        topics=["Roads", "Rivers"],
        sources=[sources[0], ("2", sources[1][1]), sources[3]],
        origin={"name": "Archive", "url": "https://archive.example/", "licence": "CC0"},
    )
    new.document["language"] = "de"
    return old, new


# What an entry might hold to break out of a format. A carriage return is what XML and Markdown both like to change.
HOSTILE = ["\r", "]]>", "</script>", "<img src=x onerror=alert(1)>", "\u2028", "&amp;", "&#13;", "\x85", "عنوان", "新"]
HOSTILE += ["| # * _ ~~~", "\u202b\u200f", "](x)"]


def hostile_edition(text, number=1, note=""):
    text = f"a{text}b"
    kind = "publish" if number == 1 else "correction"
    return make_edition(
        number, text, kind, note=note, body=text, category=text, topics=[text], sources=[(text, "https://e.example/")]
    )


def variants():
    """Every root and variant, by a name for the test's report."""
    history = make_history()
    day_before = DAY - datetime.timedelta(days=1)
    lists = [
        make_edition(1, "Bridge closed.", body="First.\n\nSecond."),
        make_edition(1, "Road closed.", story="Roads"),
    ]
    rows = [corrected.change_row(edition) for edition in owned_up_editions()]
    revised = make_edition(2, "Bridge closed.", "correction", note="It is closed.")
    hostile = hostile_edition("".join(HOSTILE))
    full_front = shapes.front([(DAY, 1)], lists, corrections=rows, stories=ROADS, categories=[named("Transport")])
    pages = {f"version {edition.number}": shapes.edition(edition, history, redactions=REASON) for edition in history}
    return {
        **{name: ("event", shape) for name, shape in pages.items()},
        "current": ("event", shapes.event(history, redactions=REASON)),
        "everything": ("event", full_event()),
        "earlier address": ("event", shapes.former(history[4], history, redactions=REASON)),
        "day": ("day", shapes.day(DAY, lists, previous=day_before, next=DAY, withdrawn=2)),
        "empty day": ("day", shapes.day(DAY, [])),
        "day with news": ("day", shapes.day(DAY, [*lists, revised], since=FIRST)),
        "full front": ("front", full_front),
        "front": ("front", shapes.front([(DAY, 2), (day_before, 1)], lists, previous=day_before)),
        "empty front": ("front", shapes.front([], [])),
        "years": ("years", shapes.years([(2016, 3), (2017, 4)])),
        "year": ("year", shapes.year(2017, [(DAY, 4)], previous=2015)),
        "month": ("month", shapes.month(DAY, [(DAY, 4)], next=datetime.date(2017, 4, 1), stories=ROADS)),
        "hostile": ("event", shapes.event([hostile])),
        "hostile day": ("day", shapes.day(DAY, [hostile])),
        "comparison": ("comparison", comparison_of(*compared_editions())),
        "comparison backwards": ("comparison", comparison_of(*reversed(compared_editions()))),
        "hostile comparison": ("comparison", comparison_of(hostile, lists[0])),
        "nothing compared": ("comparison", comparison_of(lists[0], lists[0])),
        "topic": ("topic", topic_page(*lists, revised)),
        "empty topic": ("topic", topic_page(aliases=[], years=[], counts=[], more=False)),
        "hostile topic": ("topic", topic_page(hostile, name="".join(HOSTILE), aliases=HOSTILE)),
        "category": ("category", category_page(*lists)),
        "topics": ("topics", timelines.topics(ROADS, letter="b", after="boats", older="bridges")),
        "topics asked for": ("topics", timelines.topics([], q="".join(HOSTILE))),
        "search": ("search", found_page(*lists, excerpt=[piece("A "), piece("road", found=True), piece(".")])),
        "hostile search": ("search", found_page(hostile, query="".join(HOSTILE), hints=HOSTILE)),
        "empty search": ("search", found_page(query="", hints=[], topics=[], years=[], categories=[], older=None)),
        "corrections": ("corrections", corrections_page(*owned_up_editions())),
        "no corrections": ("corrections", corrections_page(older="")),
        "hostile corrections": (
            "corrections",
            corrections_page(owned_up(hostile_edition("".join(HOSTILE), number=2, note="".join(HOSTILE)))),
        ),
        "policy": ("policy", policy_page("# How\n\nAs soon as we *know*.", "Before.")),
        "policy of the site": ("policy", corrected.policy()),
        "hostile policy": ("policy", policy_page("\n".join(HOSTILE))),
        "400": ("problem", shapes.problem(400, "Unknown parameter: aftr.")),
        "404": ("problem", shapes.problem(404, "There is nothing here.")),
        "410": ("problem", shapes.gone(history[2])),
        "410 of a comparison": ("problem", compared.redacted(history)),
        "410 of a comparison without a current version": ("problem", compared.redacted(history[:2])),
    }


VARIANTS = variants()
every_variant = pytest.mark.parametrize("name", VARIANTS)
# Of each root one with something in every list.
FULL = ["everything", "day with news", "full front", "years", "year", "month", "comparison", "topic", "topics"]
FULL += ["category", "search", "corrections", "policy"]
every_full_page = pytest.mark.parametrize("name", FULL)


def places(value, place=()):
    """The path of every key in a shape, in a list that of its first member's keys."""
    if isinstance(value, list):
        value = dict(enumerate(value[:1]))
        yield from (found for key, item in value.items() for found in places(item, (*place, key)))
    elif isinstance(value, dict) and place[-1:] != ("parts",):  # which has keys of its own choice
        for key, item in value.items():
            yield (*place, key)
            yield from places(item, (*place, key))


def changed(shape, place, change):
    """A copy of the shape in which `change(parent, key)` was done at a place."""
    parent = copied = copy.deepcopy(shape)
    for key in place[:-1]:
        parent = parent[key]
    change(parent, place[-1])
    return copied


# The anchors of the roots that are also the name of what an event bears.
ANCHORS = {"topic": "topicPage", "category": "categoryPage", "source": "source_page"}


def anchor(root):
    return f"#{ANCHORS.get(root, root)}"


# The roots that only the API answers with; its tests hold real answers against both schemas.
API_ROOTS = {
    *("#index", "#event_list", "#version_list", "#topic_list", "#topic_record", "#category_list", "#category_record"),
    *("#source_list", "#source_page", "#log", "#log_entry", "#log_head"),
}


def root_schema(root):
    return {"$ref": anchor(root)}


def whole(schema):
    """An object that adds keys to another one, with the keys of both."""
    if "$ref" not in schema or "properties" not in schema:
        return schema
    base = JSON_SCHEMA["$defs"][schema["$ref"].removeprefix("#")]
    return {
        **{key: value for key, value in schema.items() if key == "$anchor"},
        "type": "object",
        "properties": base["properties"] | schema["properties"],
        "required": base["required"] + schema["required"],
    }


def closed(schema):
    """The schema as it stands today: nothing beyond what it names."""
    if isinstance(schema, list):
        return [closed(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    schema = whole(schema)
    result = {key: closed(value) for key, value in schema.items()}
    if isinstance(schema.get("properties"), dict) and "required" in schema:
        result.setdefault("additionalProperties", False)
    return result


CLOSED = closed(JSON_SCHEMA)


def validate(root, value):
    jsonschema.Draft202012Validator(
        {**CLOSED, "anyOf": [root_schema(root)]},
        format_checker=jsonschema.Draft202012Validator.FORMAT_CHECKER,
    ).validate(value)


def parse(xml):
    return etree.fromstring(xml, etree.XMLParser(resolve_entities=False))


def from_xml(element, schema):
    """The JSON value of an element, by the JSON Schema; an absent one is None."""
    schema = resolved(schema)
    if element is None:
        return None
    if schema.get("type") == "object":
        names = [*schema["properties"], *(etree.QName(child).localname for child in element)]
        return {name: from_xml(child(element, name), property_of(schema, name)) for name in dict.fromkeys(names)}
    if schema.get("type") == "array":
        return [from_xml(item, schema["items"]) for item in element]
    if {"integer", "number", "boolean"}.intersection(types(schema)):
        return json.loads(element.text)
    return element.text or ""


def types(schema):
    types = schema.get("type", [])
    return types if isinstance(types, list) else [types]


def child(element, name):
    return element.find(f"{{{etree.QName(element).namespace}}}{name}")


def property_of(schema, name):
    return schema["properties"].get(name) or schema["additionalProperties"]


def resolved(schema):
    schema = whole(schema)
    for option in schema.get("anyOf", []):
        if option != {"type": "null"}:
            return resolved(option)
    if "$ref" in schema:
        return resolved(JSON_SCHEMA["$defs"][schema["$ref"].removeprefix("#")])
    return schema


# What Markdown makes.
TAGS = {"div", "p", "a", "em", "strong", "code", "h1", "h2", "h3", "h4", "h5", "h6", "li", "ol", "ul", "br", "pre"}
TAGS |= {"table", "thead", "tbody", "tr", "th", "td", "hr", "blockquote"}


def assert_made_by_markdown(rendered):
    """Nothing in this HTML came from HTML in a text."""
    tree = lxml.html.fromstring(f"<div>{rendered}</div>")
    assert {element.tag for element in tree.iter()} <= TAGS
    assert not any(name.startswith("on") for element in tree.iter() for name in element.attrib)


def markdown_of(root, shape):
    return as_markdown.render(root, shape).decode()


def lines_of(text):
    """The lines under the rule of the seed: no trailing spaces, one blank line at most, any ordinals."""
    folded = re.sub(r"\n{2,}", "\n\n", re.sub(r"[ \t]+$", "", text, flags=re.MULTILINE))
    return re.sub(r"^\d+\. ", "1. ", folded, flags=re.MULTILINE).splitlines()


def written_lines(root, shape):
    return [line for line in lines_of(markdown_of(root, shape)) if line]


def path(slug, number=None, format="md"):
    return f"/news/2017/02/25/{slug}{f'.v{number}' if number else ''}.{format}"


class TestEveryVariant:
    @every_variant
    def test_json_is_valid(self, name):
        root, shape = VARIANTS[name]
        validate(root, json.loads(as_json.render(root, shape)))

    @every_variant
    def test_json_says_what_the_shape_says(self, name):
        root, shape = VARIANTS[name]
        rendered = as_json.render(root, shape)
        assert list(json.loads(rendered)) == list(shape)
        assert json.loads(rendered) == shape
        assert rendered.endswith(b"}\n")

    @every_variant
    def test_xml_is_valid(self, name):
        document = parse(as_xml.render(*VARIANTS[name]))
        XSD.assertValid(document)
        assert etree.QName(document).localname == VARIANTS[name][0]

    @every_variant
    def test_xml_says_what_json_says(self, name):
        root, shape = VARIANTS[name]
        from_xml_again = from_xml(parse(as_xml.render(root, shape)), root_schema(root))
        absent = {key for key, value in from_xml_again.items() if value is None and key not in shape}
        assert root == "problem" or not absent
        assert {key: value for key, value in from_xml_again.items() if key not in absent} == shape

    @every_variant
    def test_it_is_rendered_alike_twice(self, name):
        for renderer in (as_json, as_xml, as_markdown):
            assert renderer.render(*VARIANTS[name]) == renderer.render(*variants()[name])

    @every_variant
    def test_markdown_is_one_text_without_trailing_lines(self, name):
        text = markdown_of(*VARIANTS[name])
        assert text.endswith("\n")
        assert not text.endswith("\n\n")


class TestSchemas:
    def test_the_published_json_schema_admits_keys_that_come_later(self):
        later = {**json.loads(as_json.render("event", full_event())), "later": 1}
        jsonschema.validate(later, JSON_SCHEMA)
        with pytest.raises(jsonschema.ValidationError):
            validate("event", later)

    def test_the_published_json_schema_admits_every_root(self):
        published = jsonschema.Draft202012Validator(JSON_SCHEMA)
        for root, shape in VARIANTS.values():
            published.validate(json.loads(as_json.render(root, shape)))

    @every_full_page
    def test_no_key_may_be_missing(self, name):
        root, shape = VARIANTS[name]
        keys = list(places(shape))
        assert len(keys) > 3
        for key in keys:
            with pytest.raises(jsonschema.ValidationError):
                validate(root, changed(shape, key, lambda parent, last: parent.pop(last)))

    @every_full_page
    def test_both_schemas_refuse_what_is_of_another_type_or_unknown(self, name):
        root, shape = VARIANTS[name]
        for key in places(shape):
            for wrong in ({"odd": "a"}, [{"odd": "a"}]):
                # What is no list has no name for the members of one.
                if isinstance(wrong, list) and key[-1] not in as_xml.ITEMS:
                    continue
                spoilt = changed(shape, key, lambda parent, last, wrong=wrong: parent.__setitem__(last, wrong))
                with pytest.raises(jsonschema.ValidationError):
                    validate(root, spoilt)
                # Whose numbers those are, the XSD leaves open.
                assert key[-1] == "parts" or not XSD.validate(parse(as_xml.render(root, spoilt)))

    def test_each_root_has_a_full_page_here(self):
        roots = {option["$ref"] for option in JSON_SCHEMA["anyOf"]}
        assert {anchor(VARIANTS[name][0]) for name in FULL} == roots - API_ROOTS - {"#problem"}

    def test_xsd_refuses_an_unknown_element(self):
        assert not XSD.validate(parse(as_xml.render("event", full_event() | {"later": 1})))

    @pytest.mark.parametrize(
        "wrong", [{"status": "embargoed"}, {"issued": "2018-02-06T13:49:30"}, {"digest": "A" * 64}, {"version": 0}]
    )
    def test_both_schemas_refuse_a_wrong_value(self, wrong):
        shape = full_event() | wrong
        assert not XSD.validate(parse(as_xml.render("event", shape)))
        with pytest.raises(jsonschema.ValidationError):
            validate("event", shape)


class TestEvent:
    def test_current_version(self):
        shape = shapes.event(make_history(), redactions=REASON)
        assert shape["status"] == "current"
        assert shape["url"] == shape["latest"] == f"{SITE}/news/2017/02/25/bridge-open-again"
        assert shape["formats"]["md"] == SITE + path("bridge-open-again")
        assert (shape["previous"]["version"], shape["next"], shape["since"]) == (shape["version"] - 1, None, [])
        assert shape["published"] == "2018-02-06T13:49:30Z"
        assert shape["modified"] == shape["issued"] == "2018-02-06T18:49:30Z"

    def test_labels_of_changes(self):
        labels = [change["label"] for change in shapes.event(make_history())["changes"]]
        assert labels == ["First version", "Redacted", "Withdrawn", "Restored", "Minor change", "Current version"]

    def test_a_single_version_is_the_current_one(self):
        assert [change["label"] for change in shapes.event(make_history()[:1])["changes"]] == ["Current version"]

    def test_a_minor_change_does_not_move_modified(self):
        shape = shapes.event(make_history()[:5])
        assert shape["modified"] == "2018-02-06T16:49:30Z"
        assert shape["issued"] == "2018-02-06T17:49:30Z"

    def test_status_ignores_what_is_scheduled(self):
        history = make_history()
        history[4].superseded = history[5].issued
        assert shapes.event(history[:5])["status"] == "current"

    def test_what_was_issued_later_does_not_show(self):
        assert "open" not in json.dumps(shapes.event(make_history()[:5]))

    def test_the_digest_can_be_recomputed_from_the_json(self):
        shape = json.loads(as_json.render("event", full_event()))
        document = {
            key: shape[key] for key in ("date", "headline", "body", "category", "story", "topics", "language", "origin")
        }
        document["sources"] = [{"name": source["name"], "url": source["url"]} for source in shape["sources"]]
        slug = shape["url"].rsplit("/", 1)[1]
        assert documents.commitment(shape["salt"], document, shape["note"], slug) == shape["digest"]

    def test_body_html_is_safe(self):
        assert "<img" not in shapes.event([hostile_edition("<img src=x onerror=alert(1)>")])["body_html"]

    def test_a_document_of_an_unknown_schema_is_refused(self):
        edition = make_edition(1, "Bridge closed.")
        edition.schema = 999
        with pytest.raises(documents.UnknownSchema):
            shapes.event([edition])


class TestEdition:
    def test_superseded_version_has_the_changes_up_to_it_and_its_neighbours(self):
        history = make_history()
        shape = shapes.edition(history[4], history, redactions=REASON)
        assert shape["status"] == "superseded"
        assert shape["url"] == SITE + path("bridge-closed", 5, "html")
        assert [change["version"] for change in shape["changes"]] == [1, 2, 3, 4, 5]
        assert shape["previous"] == {"version": 4, "url": SITE + path("bridge-closed", 4, "html")}
        assert shape["next"] == {"version": 6, "url": SITE + path("bridge-open-again", 6, "html")}
        assert shape["latest"] == f"{SITE}/news/2017/02/25/bridge-open-again"
        assert shape["related"] == []

    @pytest.mark.parametrize(
        "number, status, note", [(2, "redacted", "A court order."), (3, "withdrawn", "An address was private.")]
    )
    def test_a_stub_has_every_key_and_no_text(self, number, status, note):
        history = make_history()
        shape = shapes.edition(history[number - 1], history, redactions=REASON)
        assert shape.keys() == full_event().keys()
        assert (shape["status"], shape["note"]) == (status, note)
        assert shape["url"] == SITE + path("bridge-open-again", number, "html")
        for key in ("headline", "body", "body_html", "category", "story", "origin", "language", "salt"):
            assert shape[key] is None
        assert shape["topics"] == shape["sources"] == []

    def test_the_note_of_a_redacted_edition_is_the_reason_only(self):
        history = make_history()
        history[1].note = "The name was wrong."
        assert "The name was wrong." not in json.dumps(shapes.event(history, redactions=REASON))

    def test_an_earlier_address_tells_what_was_changed_since(self):
        history = make_history()
        shape = shapes.former(history[4], history)
        assert shape["url"] == SITE + path("bridge-closed", format="html")
        assert [change["version"] for change in shape["changes"]] == [1, 2, 3, 4, 5]
        assert [change["version"] for change in shape["since"]] == [6]
        assert shape["latest"] == f"{SITE}/news/2017/02/25/bridge-open-again"


class TestLists:
    def test_summary_is_the_first_paragraph(self):
        shape = shapes.day(DAY, [make_edition(1, "Bridge closed.", body="First *one*.\n\nSecond.")])
        assert shape["events"][0]["summary"] == "First *one*."

    def test_modified_is_the_callers(self):
        edition = make_edition(2, "Bridge closed.")
        edition.modified = FIRST
        assert shapes.summary(edition)["modified"] == "2018-02-06T13:49:30Z"

    def test_days_of_the_front_page_are_newest_first(self):
        before = DAY - datetime.timedelta(days=1)
        assert [day["date"] for day in shapes.front([(before, 1), (DAY, 1)], [])["days"]] == [
            "2017-02-25",
            "2017-02-24",
        ]

    def test_days_of_a_month_run_forward(self):
        shape = shapes.month(DAY, [(DAY, 1), (datetime.date(2017, 2, 4), 2)])
        assert shape["month"] == "2017-02"
        assert shape["count"] == 3
        assert [day["url"] for day in shape["days"]] == [f"{SITE}/news/2017/02/4/", f"{SITE}/news/2017/02/25/"]


class TestProblems:
    def test_a_problem_without_its_own_type_is_titled_by_its_status(self):
        shape = shapes.problem(404, "There is nothing here.")
        assert (shape["type"], shape["title"], shape["status"]) == ("about:blank", "Not Found", 404)

    def test_a_withdrawal_gives_the_reason_and_no_text(self):
        shape = shapes.gone(make_history()[2])
        assert (shape["uid"], shape["withdrawn"]) == (str(UID), "2018-02-06T15:49:30Z")
        assert shape["reason"] == "An address was private."

    def test_xml_is_in_the_namespace_of_the_standard(self):
        assert parse(as_xml.render(*VARIANTS["410"])).tag == "{urn:ietf:rfc:7807}problem"

    def test_markdown_gives_the_reason(self):
        assert "Reason: An address was private." in lines_of(markdown_of(*VARIANTS["410"]))


class TestHostileTexts:
    @pytest.mark.parametrize("text", HOSTILE)
    def test_json_and_xml_keep_it(self, text):
        shape = shapes.event([hostile_edition(text)])
        assert json.loads(as_json.render("event", shape))["body"] == f"a{text}b"
        assert child(parse(as_xml.render("event", shape)), "body").text == f"a{text}b"

    @pytest.mark.parametrize("text", ["\x00", "\x08", "\x0b", "\x1f", "\ufffe", "\uffff"])
    def test_xml_leaves_out_what_it_cannot_write(self, text):
        edition = make_edition(1, "Bridge.", body=f"a{text}b", topics=[f"a{text}b"])
        document = parse(as_xml.render("event", shapes.event([edition])))
        XSD.assertValid(document)
        assert child(document, "body").text == "ab"
        assert json.loads(as_json.render("event", shapes.event([edition])))["body"] == f"a{text}b"

    def test_xml_writes_booleans_in_its_own_way(self):
        element = parse(as_xml.render("event", {"parts": {"yes": True, "no": False}}))[0]
        assert [child.text for child in element] == ["true", "false"]

    @pytest.mark.parametrize("name", ["a b", "<a>", "a/", "", "1a", "xml:a"])
    def test_xml_refuses_what_is_no_name_of_an_element(self, name):
        with pytest.raises(ValueError, match="is no name"):
            as_xml.render("event", {"parts": {name: 1}})

    def test_xml_refuses_a_list_without_a_name_for_its_items(self):
        with pytest.raises(KeyError):
            as_xml.render("event", {"strangers": ["a"]})

    @pytest.mark.parametrize("text", HOSTILE)
    def test_markdown_keeps_a_headline_on_its_line(self, text):
        lines = markdown_of("event", shapes.event([hostile_edition(text)])).split("\n")
        found = [line for line in lines if line.startswith("# ")]
        assert len(found) == 1
        assert found[0].endswith("b")


@pytest.mark.shared
class TestSeed:
    def editions(self):
        """The editions of the seed, by event."""
        lines = (SHARED / "seed" / "events.jsonl").read_text().splitlines()
        return [self.editions_of(json.loads(line)) for line in lines]

    def editions_of(self, event):
        return [
            make_edition(
                number,
                version["headline"],
                version["kind"],
                issued=datetime.datetime.fromisoformat(version["published"]),
                date=datetime.date.fromisoformat(event["date"]),
                category=version["category"],
                story=version["story"],
                topics=version["topics"],
                sources=[(source["name"], source["url"]) for source in version["sources"]],
            )
            for number, version in enumerate(event["versions"], 1)
        ]

    def related(self, editions, others):
        own = {topic["name"] for topic in editions[-1].document["topics"]}
        for (other,) in others:
            context = sorted(own & {topic["name"] for topic in other.document["topics"]})
            yield related_to(other, context)

    def test_markdown_is_the_page_that_everything_started_from(self):
        editions, *others = self.editions()
        shape = shapes.event(editions, related=self.related(editions, others))
        page = (SHARED / "seed" / "page.md").read_text()
        assert lines_of(markdown_of("event", shape)) == lines_of(page)

    def test_a_day(self):
        (edition, *_), *_ = self.editions()
        day_before = DAY - datetime.timedelta(days=1)
        headline, topics = edition.document["headline"], edition.document["topics"]
        shape = shapes.day(DAY, [edition], previous=day_before)
        assert written_lines("day", shape)[1:] == [
            "## [2017-02-25](/news/2017/02/25/index.md)",
            "##### Armed conflicts and attacks",
            f"### [{headline}]({path(edition.slug)})",
            f"_Context: {', '.join(topic['name'] for topic in topics)}_",
            "## [Previous Day...](/news/2017/02/24/index.md)",
        ]


class TestMarkdown:
    def changes(self, *editions, page=None):
        text = markdown_of("event", page or shapes.event(list(editions), redactions=REASON))
        _, _, rest = text.partition("### Changes:\n\n")
        return rest.partition("\n\n")[0].strip().splitlines()

    def test_a_single_version_has_no_changes(self):
        assert "### Changes" not in markdown_of("event", full_event())

    def test_versions_between_the_first_and_the_current_are_marked(self):
        editions = [make_edition(number, f"Toll {number}.") for number in (1, 2, 3)]
        assert self.changes(*editions) == [
            f"1. [Toll 1. ]({path('toll-1')}) _2018-02-06 13:49:30 (First version)_",
            f"2. [Toll 2. ]({path('toll-2')}) _2018-02-06 14:49:30 (Update)_",
            f"3. [Toll 3. ]({path('toll-3')}) _(Current version)_",
        ]

    def test_a_correction_gives_its_note(self):
        first, last = make_edition(1, "Toll 1."), make_edition(3, "Toll 3.", "correction", note="It was\nthree.")
        corrected = make_edition(2, "Toll 2.", "correction", note="It was *two*.")
        assert self.changes(first, corrected, last)[1:] == [
            f"2. [Toll 2. ]({path('toll-2')}) _2018-02-06 14:49:30 (Correction: It was \\*two\\*.)_",
            f"3. [Toll 3. ]({path('toll-3')}) _(Current version)_ _(Correction: It was three.)_",
        ]

    def test_an_earlier_version_is_linked_where_its_slug_still_leads_to_it(self):
        links = [re.search(r"\]\((.*?)\)", line)[1] for line in self.changes(*make_history())]
        assert links == [
            path("bridge-closed", 1),
            path("bridge-open-again", 2),
            path("bridge-open-again", 3),
            path("bridge-closed", 4),
            path("bridge-closed"),
            path("bridge-open-again"),
        ]

    def test_a_version_of_the_current_slug_is_linked_for_good(self):
        first, last = make_edition(1, "Toll."), make_edition(2, "Toll.", topics=["Tolls"])
        assert path("toll", 1) in self.changes(first, last)[0]

    def test_a_redacted_version_gives_its_reason_and_no_text(self):
        assert self.changes(*make_history())[1] == (
            f"2. [Version 2]({path('bridge-open-again', 2)}) _2018-02-06 14:49:30 (Redacted: A court order.)_"
        )

    def test_a_numbered_version_links_only_to_what_is_for_good(self):
        history = make_history()
        for line in self.changes(page=shapes.edition(history[4], history)):
            assert re.search(r"\.v\d+\.md\)", line)

    def test_a_numbered_version_says_which_it_is(self):
        history = make_history()
        text = markdown_of("event", shapes.edition(history[4], history))
        assert "Version 5 _2018-02-06 17:49:30 (Minor change)_" in text
        assert f"[Next version]({path('bridge-open-again', 6)})" in text

    def test_a_stub_says_why_there_is_no_text(self):
        history = make_history()
        text = markdown_of("event", shapes.edition(history[1], history, redactions=REASON))
        assert "(Redacted: A court order.)" in text
        assert "The text of this version was removed for good." in text

    def test_an_earlier_address_begins_with_what_was_changed_since(self):
        history = make_history()
        text = markdown_of("event", shapes.former(history[4], history))
        assert text.index("### Changed since:") < text.index("# Bridge, closed.")
        assert f"1. [Bridge open again. ]({path('bridge-open-again')}) _(Current version)_" in text

    @pytest.mark.parametrize(
        "values, heading",
        [
            ({"story": "Story", "category": "Category", "topics": ["A"]}, "##### Story"),
            ({"category": "Category", "topics": ["A"]}, "##### Category"),
            ({"topics": ["B", "A"]}, "##### A"),
            ({}, None),
        ],
    )
    def test_what_stands_over_an_entry(self, values, heading):
        text = markdown_of("event", shapes.event([make_edition(1, "Bridge.", **values)]))
        assert [line for line in text.splitlines() if line.startswith("##### ")] == ([heading] if heading else [])

    def test_a_body_is_given_as_it_is(self):
        body = "One *two*.\r\n\r\n- [three](https://e.example/)"
        text = markdown_of("event", shapes.event([make_edition(1, "Bridge.", body=body)]))
        assert "\n\nOne *two*.\n\n- [three](https://e.example/)\n" in text

    def test_a_day_gives_the_first_paragraph_or_else_the_context(self):
        with_body = make_edition(1, "Toll.", body="First.\n\nSecond.", topics=["A"])
        entries = [with_body, make_edition(1, "Road.", topics=["B"])]
        lines = lines_of(markdown_of("day", shapes.day(DAY, entries)))
        assert "First." in lines
        assert "Second." not in lines
        assert "_Context: B_" in lines
        assert "_Context: A_" not in lines

    def test_an_empty_day_says_so(self):
        assert "Nothing is recorded for this day." in lines_of(markdown_of(*VARIANTS["empty day"]))

    def test_a_day_ends_with_what_was_withdrawn(self):
        assert "1 entry was withdrawn." in markdown_of("day", shapes.day(DAY, [], withdrawn=1))
        assert "2 entries were withdrawn." in markdown_of("day", shapes.day(DAY, [], withdrawn=2))

    def test_the_front_page_lists_each_day(self):
        before = DAY - datetime.timedelta(days=1)
        entries = [make_edition(1, "Toll."), make_edition(1, "Road.", date=before)]
        lines = written_lines("front", shapes.front([(DAY, 1), (before, 1)], entries))
        assert lines[1:] == [
            "## [2017-02-25](/news/2017/02/25/index.md)",
            f"### [Toll.]({path('toll')})",
            "## [2017-02-24](/news/2017/02/24/index.md)",
            "### [Road.](/news/2017/02/24/road.md)",
        ]

    def test_a_month_lists_its_days_with_counts(self):
        lines = lines_of(markdown_of("month", shapes.month(DAY, [(DAY, 4)], previous=datetime.date(2016, 12, 1))))
        assert "- [2017-02-25](/news/2017/02/25/index.md) (4)" in lines
        assert "## [Previous Month...](/news/2016/12/index.md)" in lines

    def test_a_day_asked_for_news_marks_it(self):
        old, new, changed = (make_edition(1, headline) for headline in ("Toll.", "Road.", "Bridge."))
        new.published = changed.modified = FIRST + datetime.timedelta(hours=1)
        lines = lines_of(markdown_of("day", shapes.day(DAY, [old, new, changed], since=FIRST)))
        for line in (f"[Toll.]({path('toll')})", f"[Road.]({path('road')}) _(new)_"):
            assert f"### {line}" in lines
        assert f"### [Bridge.]({path('bridge')}) _(changed)_" in lines

    def test_the_front_page_ends_with_corrections_stories_and_categories(self):
        (row, *_), rows = owned_up_editions(), [corrected.change_row(edition) for edition in owned_up_editions()]
        shape = shapes.front([], [], corrections=rows[:2], stories=ROADS, categories=[named("Transport")])
        assert written_lines("front", shape)[1:] == [
            "## Corrected lately",
            f"- [Bridge closed. ]({path(row.slug, 2)}) _2018-02-06 14:49:30 (Correction: It \\*is\\* closed.)_"
            f" [What changed](/news/2017/02/25/{row.slug}.v1-v2.md)",
            f"- [Version 3](/events/{UID}) _2018-02-06 15:49:30 (Withdrawn: It stands.)_",
            "## Stories of the month",
            "- [Bridges](/topics/bridges/index.md) (1234)",
            "- [Roads](/topics/roads/index.md) (1)",
            "## Categories",
            "- [Transport](/categories/transport/index.md)",
        ]

    def test_a_month_lists_its_stories(self):
        lines = written_lines("month", shapes.month(DAY, [], stories=ROADS))
        assert lines[lines.index("## Stories") + 1] == "- [Bridges](/topics/bridges/index.md) (1234)"

    def test_a_comparison_names_what_was_removed_and_added(self):
        lines = written_lines("comparison", comparison_of(*compared_editions()))
        assert lines[lines.index("### Headline:") + 1 :][:3] == [
            "- same: Bridge",
            "- removed: closed.",
            "- added: open again.",
        ]
        assert lines[lines.index("### Topics:") + 1 :][:3] == ["- removed: Bridges", "- added: Rivers", "- same: Roads"]
        assert lines[lines.index("### Sources:") + 1 :][:4] == [
            "- same: 1. [One](https://one.example/)",
            "- changed: 2. [2](https://two.example/), [Two](https://two.example/) before",
            "- added: 3. [Four](https://four.example/)",
            "- removed: 3. [Three](https://three.example/)",
        ]
        assert lines[lines.index("### Category:") + 1] == "- added: Transport"

    def test_a_source_that_was_moved_says_where_it_was(self):
        sources = [("One", "https://one.example/"), ("Two", "https://two.example/")]
        old, new = make_edition(1, "A.", sources=sources), make_edition(2, "A.", sources=sources[::-1])
        moved = [line for line in written_lines("comparison", comparison_of(old, new)) if line.startswith("- moved")]
        assert len(moved) == 1
        assert re.fullmatch(r"- moved: [12]\. \[(One|Two)\]\(.*\), number [12] before", moved[0])

    def test_a_comparison_shows_of_a_long_passage_what_stands_next_to_a_change(self):
        body = " ".join(f"word{number}" for number in range(100))
        old, new = make_edition(1, "A.", body=body), make_edition(2, "A.", body=f"{body} more")
        lines = written_lines("comparison", comparison_of(old, new))
        same = lines[lines.index("### Body:") + 1]
        assert same.startswith("- same: …")
        assert same.endswith("word98")
        assert len(same) < 100

    def test_a_space_that_was_added_is_seen(self):
        old, new = make_edition(1, "A.", body="One.\n\nTwo."), make_edition(2, "A.", body="One.\n\n\nTwo.")
        assert "- added: _space or line break_" in written_lines("comparison", comparison_of(old, new))

    def test_a_topic_lists_entries_under_their_days(self):
        before = DAY - datetime.timedelta(days=1)
        entries = [
            make_edition(2, "Toll.", "correction"),
            make_edition(1, "Bridge."),
            make_edition(2, "Road.", date=before),
        ]
        entries[2].corrected = FIRST
        lines = written_lines("topic", topic_page(*entries))
        assert lines[1:11] == [
            "# Bridges",
            "Also: Bridge, Viaducts",
            "4 entries",
            "## [2017-02-25](/news/2017/02/25/index.md)",
            f"### [Toll.]({path('toll')}) _(corrected)_",
            f"### [Bridge.]({path('bridge')})",
            "## [2017-02-24](/news/2017/02/24/index.md)",
            "### [Road.](/news/2017/02/24/road.md) _(corrected, updated)_",
            "## [Newest entries...](/topics/bridges/index.md)",
            f"## [Older entries...](/topics/bridges/index.md?before=2017-02-24.{UID})",
        ]
        assert "- [Roads](/topics/roads/index.md) (1)" in lines
        assert "- [2018](/topics/bridges/index.md?before=2019-01-01) (1)" in lines

    def test_topics_give_their_letter(self):
        lines = written_lines("topics", timelines.topics(ROADS, letter="b", older="bridges"))
        assert lines[1] == "# Topics b"
        assert lines[2].startswith("[a](/topics/index.md?letter=a) [b](/topics/index.md?letter=b)")
        assert lines[-1] == "## [More topics...](/topics/index.md?letter=b&after=bridges)"

    def test_what_was_found_is_strong(self):
        excerpt = [piece("…on the "), piece("Road", found=True), piece("s of "), piece("*", found=True), piece(" it ")]
        lines = written_lines("search", found_page(make_edition(1, "Toll."), excerpt=excerpt))
        assert f"- [Toll.]({path('toll')}) _2017-02-25_ …on the **Road**s of \\* it" in lines
        assert "- “NEAR” was read as a word." in lines

    def test_corrections_say_so_when_there_are_none(self):
        assert "Nothing has been corrected yet." in written_lines("corrections", corrections_page(older=""))

    def test_the_policy_is_given_as_it_was_written(self):
        text = markdown_of("policy", policy_page("We *do*.\n\n~~~\n<b>", "Before."))
        assert "_Since 2018-02-06 13:49:30_\n\nWe *do*.\n\n~~~\n<b>\n~~~\n\n## Another text held" in text
        assert text.endswith("- since 2018-02-06 13:49:30\n- at first\n")

    @pytest.mark.parametrize("headline", ["انفجار في بغداد", "北京：新法律生效。"])
    def test_other_scripts_stay(self, headline):
        text = markdown_of("event", shapes.event([make_edition(1, headline, topics=[headline])]))
        assert f"# {headline}\n" in text
        assert f"##### {headline}\n" in text

    def test_plain_punctuation_is_not_escaped(self):
        plain = 'He said: "No - never!", (again) – it’s 5.5% of AT&T, 3 > 2 + 1.'
        assert as_markdown.text(plain) == plain

    def test_a_url_cannot_end_its_link(self):
        url = "https://e.example/a_(b) <c>'d"
        text = markdown_of("event", shapes.event([make_edition(1, "Bridge.", sources=[("S", url)])]))
        assert "1. [S](https://e.example/a_%28b%29%20%3Cc%3E%27d)" in text


class TestPast:
    """Below a moment, every path that leads to something that has a past is led below the same moment."""

    PREFIX = "/as-of/20180207T000000Z"

    def paths(self, root, shape):
        text = markdown_of(root, shapes.in_past(shape, self.PREFIX))
        return re.findall(r"\]\((/[^)]*)\)", text)

    @pytest.mark.parametrize("name", ["current", "earlier address", "everything", "day", "full front", "years", "year"])
    def test_of_events_and_days(self, name):
        for found in self.paths(*VARIANTS[name]):
            assert found.startswith(f"{self.PREFIX}/") or re.search(r"\.v\d+(-v\d+)?\.|^/events/", found), found

    @pytest.mark.parametrize("name", ["month", "topic", "topics", "category"])
    def test_of_lists(self, name):
        paths = self.paths(*VARIANTS[name])
        assert paths
        assert all(found.startswith(f"{self.PREFIX}/") for found in paths)

    def test_an_earlier_version_stands_where_its_slug_led_to_it_then(self):
        lines = markdown_of("event", shapes.in_past(shapes.event(make_history()), self.PREFIX))
        assert f"[Bridge, closed. ]({self.PREFIX}{path('bridge-closed')})" in lines
        assert f"[Bridge closed. ]({path('bridge-closed', 1)})" in lines


class TestSafety:
    """What a renderer makes of the Markdown has no tag that did not come from Markdown."""

    @every_variant
    def test_no_text_becomes_html(self, name):
        source = markdown_of(*VARIANTS[name])
        # Python-Markdown alone does not take the backslash before it, as CommonMark and our bodies do.
        plain = markdown.markdown(source.replace("\\<", "&lt;"))
        for rendered in (plain, markup.to_html(source)):
            assert_made_by_markdown(rendered)

    @every_variant
    def test_no_text_becomes_a_heading_of_the_page(self, name):
        root, _ = VARIANTS[name]
        tree = lxml.html.fromstring(f"<div>{markdown.markdown(markdown_of(*VARIANTS[name]))}</div>")
        own = {"day": 0, "front": 0}.get(root, 1) + (name == "policy")
        assert len(tree.findall(".//h1")) == own


ACTIVE = st.text(alphabet="\\`*_[]()<>#&;!|~{}:-+=.\"'ab1 \nü标ع", min_size=1).filter(str.strip)


class TestEscaping:
    def rendered(self, source):
        return lxml.html.fromstring(f"<div>{markdown.markdown(source)}</div>")

    @given(ACTIVE)
    @example("&lt; &#35; <b>x</b> C# \\")
    @example("[a](b) ![c](d) [e]: f")
    @example("`a` ``b`` **c** __d__ <http://e.example>")
    def test_a_headline_reads_as_it_was_written(self, headline):
        element = self.rendered(f"# {as_markdown.text(headline)}")
        assert [child.tag for child in element.iter()] == ["div", "h1"]
        assert element.text_content().split() == headline.split()

    @given(ACTIVE)
    def test_a_linked_headline_reads_as_it_was_written(self, headline):
        element = self.rendered(f"[{as_markdown.text(headline)} ](/a.md) _({as_markdown.text(headline)})_")
        assert [child.tag for child in element.iter()] == ["div", "p", "a", "em"]
        assert element.find(".//a").text_content().split() == headline.split()
        assert element.find(".//em").text_content()[1:-1].split() == headline.split()

    @given(st.lists(st.builds(piece, ACTIVE, st.booleans()), min_size=1))
    @example([piece("a"), piece("b", found=True), piece("c", found=True), piece("*", found=True), piece("d")])
    def test_a_text_in_pieces_reads_as_it_was_written(self, pieces):
        shape = found_page(make_edition(1, "Toll."), excerpt=pieces)
        (line,) = (line for line in markdown_of("search", shape).split("\n") if line.startswith("- [Toll.]"))
        element = self.rendered(f"{line.removeprefix('- ')}")
        written = "".join(piece["text"] for piece in pieces).split()
        assert element.text_content().split() == ["Toll.", "2017-02-25", *written]
        assert {child.tag for child in element.iter()} <= {"div", "p", "a", "em", "strong"}

    @given(ACTIVE, ACTIVE)
    def test_both_texts_can_be_read_from_a_comparison(self, before, after):
        shape = comparison_of(make_edition(1, f"a {before}"), make_edition(2, f"a {after}"))
        tree = self.rendered(markdown_of("comparison", shape).replace("_space or line break_", ""))
        lines = [item.text_content() for item in tree.xpath("//ul/li")]
        for op, headline in (("removed", before), ("added", after)):
            parts = [line.split(": ", 1)[-1] for line in lines if line.startswith(("same:", f"{op}:"))]
            if before != after:
                assert "".join("".join(parts).split()) == "".join(f"a{headline}".split())

    @given(st.text(alphabet="()[]*_&;=?#%'`ab~!$|{}^,:@/.-", max_size=40))
    @example("?a&copy;b&#35;c&lt=d")
    def test_a_url_leads_where_it_led(self, rest):
        url = f"https://e.example/{rest}"
        assert texts.url_problem(url) is None
        (link,) = self.rendered(f"[a]({as_markdown.address(url)})").iter("a")
        for char in "()'`":
            url = url.replace(char, f"%{ord(char):02X}")
        assert link.get("href") == url


class TestRelative:
    @pytest.mark.parametrize(
        "url, format, expected",
        [
            (f"{SITE}/news/2017/02/25/a", "", "/news/2017/02/25/a"),
            (f"{SITE}/news/2017/02/25/a", "md", "/news/2017/02/25/a.md"),
            (f"{SITE}/news/2017/02/25/a.v1.html", "md", "/news/2017/02/25/a.v1.md"),
            (f"{SITE}/news/2017/02/25/", "md", "/news/2017/02/25/index.md"),
            (f"{SITE}/news/2017/index.html", "md", "/news/2017/index.md"),
            (f"{SITE}/", "md", "/index.md"),
        ],
    )
    def test_path_of_our_url(self, url, format, expected):
        assert addresses.relative(url, format) == expected


def test_shapes_are_not_shared_between_pages():
    history = make_history()
    first = shapes.edition(history[1], history)
    before = copy.deepcopy(first)
    shapes.edition(history[2], history)["topics"].append("x")
    assert first == before


@pytest.mark.parametrize(
    ("body", "markdown"),
    [
        ("<!-- hidden", "\\<!-- hidden"),
        ("a <script>x</script>", "a \\<script>x\\</script>"),
        ("see <https://a.example/> and 1 < 2", "see <https://a.example/> and 1 < 2"),
        ("```\n<b>", "```\n<b>\n```"),
        ("~~~\n```\n~~~\n<b>", "~~~\n```\n~~~\n\\<b>"),
        ("a\r\nb", "a\nb"),
    ],
)
def test_a_body_ends_where_it_ends(body, markdown):
    assert as_markdown._contained(body) == markdown
