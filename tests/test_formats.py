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

from events import addresses, documents, slugs, texts
from events.formats import as_json, as_markdown, as_xml, shapes
from events.models import Edition, Event
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
    edition.modified = edition.issued
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


# What an entry might hold to break out of a format. A carriage return is what XML and Markdown both like to change.
HOSTILE = ["\r", "]]>", "</script>", "<img src=x onerror=alert(1)>", "\u2028", "&amp;", "&#13;", "\x85", "عنوان", "新"]


def hostile_edition(text):
    text = f"a{text}b"
    return make_edition(1, text, body=text, category=text, topics=[text], sources=[(text, "https://e.example/")])


def variants():
    """Every root and variant, by a name for the test's report."""
    history = make_history()
    day_before = DAY - datetime.timedelta(days=1)
    lists = [
        make_edition(1, "Bridge closed.", body="First.\n\nSecond."),
        make_edition(1, "Road closed.", story="Roads"),
    ]
    pages = {f"version {edition.number}": shapes.edition(edition, history, redactions=REASON) for edition in history}
    return {
        **{name: ("event", shape) for name, shape in pages.items()},
        "current": ("event", shapes.event(history, redactions=REASON)),
        "everything": ("event", full_event()),
        "earlier address": ("event", shapes.former(history[4], history, redactions=REASON)),
        "day": ("day", shapes.day(DAY, lists, previous=day_before, next=DAY, withdrawn=2)),
        "empty day": ("day", shapes.day(DAY, [])),
        "front": ("front", shapes.front([(DAY, 2), (day_before, 1)], lists, previous=day_before)),
        "empty front": ("front", shapes.front([], [])),
        "years": ("years", shapes.years([(2016, 3), (2017, 4)])),
        "year": ("year", shapes.year(2017, [(DAY, 4)], previous=2015)),
        "month": ("month", shapes.month(DAY, [(DAY, 4)], next=datetime.date(2017, 4, 1))),
        "hostile": ("event", shapes.event([hostile_edition("".join(HOSTILE))])),
        "400": ("problem", shapes.problem(400, "Unknown parameter: aftr.")),
        "404": ("problem", shapes.problem(404, "There is nothing here.")),
        "410": ("problem", shapes.gone(history[2])),
    }


VARIANTS = variants()
every_variant = pytest.mark.parametrize("name", VARIANTS)


def closed(schema):
    """The schema as it stands today: nothing beyond what it names."""
    if isinstance(schema, list):
        return [closed(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    result = {key: closed(value) for key, value in schema.items()}
    if isinstance(schema.get("properties"), dict) and "required" in schema:
        result.setdefault("additionalProperties", False)
    return result


def validate(root, value, schema=JSON_SCHEMA):
    jsonschema.Draft202012Validator(
        {**closed(schema), "anyOf": [{"$ref": f"#{root}"}]},
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
    if schema.get("type") in ("integer", "number"):
        return json.loads(element.text)
    return element.text or ""


def child(element, name):
    return element.find(f"{{{etree.QName(element).namespace}}}{name}")


def property_of(schema, name):
    return schema["properties"].get(name) or schema["additionalProperties"]


def resolved(schema):
    for option in schema.get("anyOf", []):
        if option != {"type": "null"}:
            return resolved(option)
    if "$ref" in schema:
        return resolved(JSON_SCHEMA["$defs"][schema["$ref"].removeprefix("#")])
    return schema


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
        from_xml_again = from_xml(parse(as_xml.render(root, shape)), {"$ref": f"#{root}"})
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
        for root, shape in VARIANTS.values():
            jsonschema.validate(json.loads(as_json.render(root, shape)), JSON_SCHEMA)

    @pytest.mark.parametrize("key", JSON_SCHEMA["$defs"]["event"]["properties"])
    def test_no_key_of_an_event_may_be_missing(self, key):
        shape = full_event()
        del shape[key]
        with pytest.raises(jsonschema.ValidationError):
            validate("event", shape)

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
