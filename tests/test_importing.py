"""What `import_events` reads, refuses and records."""

import datetime
import gzip
import io
import json
import lzma
import sys

import pytest
import reversion
import time_machine
from django.contrib.auth.models import User
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from reversion.models import Version

from events import publishing, verifying
from events.importers import loading, records
from events.importers.loading import Plan, _batches, _write
from events.models import Address, Category, Edition, Event, EventTopic, LogEntry, LogHead, Source, Topic
from events.refusals import Stale
from tests.histories import FIRST, SECOND, THIRD, Loaded, history, source, update, version, withdrawal, written
from tests.words import DAY, draft, in_minutes, published, revise, topic, updated

RULES = records.Rules(datetime.datetime(2026, 11, 22, tzinfo=datetime.UTC), datetime.date(2026, 11, 23), "en")
BUDGET = "parliament-adopts-the-budget"


def read(value):
    """The one record of one line."""
    line = value if isinstance(value, str) else json.dumps(value)
    (record,) = records.read([("line 1", line)], RULES)
    return record


def text(**values):
    return read(history(version(**values))).versions[0].text


def moment(given):
    return datetime.datetime.fromisoformat(given)


class TestReading:
    def test_an_event_of_one_version_may_say_it_beside_its_date(self):
        flat = {"ref": "wire:1", "date": "2017-02-25", "language": "de", **version(topics=["Vote"])}
        assert read(flat) == read(history(version(topics=["Vote"], language="de")))

    def test_a_time_with_an_offset_is_the_same_moment(self):
        record = read(history(version("2018-02-06T14:49:30+01:00")))
        assert record.versions[0].published == moment(FIRST)

    def test_what_is_absent_is_empty(self):
        said = text()
        assert (said.body, said.category, said.story, said.topics, said.sources) == ("", None, None, {}, ())
        assert (said.language, said.origin) == ("en", None)

    def test_an_event_says_language_and_origin_for_all_its_versions(self):
        origin = {"name": "Wire", "url": "https://wire.example/", "licence": "CC0"}
        first, second = read(history(version(), update(language="fr"), language="de", origin=origin)).versions
        assert (first.text.language, second.text.language) == ("de", "fr")
        assert first.text.origin == second.text.origin == origin

    def test_controls_of_writing_direction_and_outer_spaces_are_dropped(self):
        said = text(headline=" Budget\u202c adopted. ", story="\u200eVote", sources=[source(1, " Agency\u200f")])
        assert said.headline == "Budget adopted."
        assert said.topics == {"vote": "Vote"}
        assert said.sources == (("Agency", "https://agency.example/1"),)

    def test_topics_that_fold_to_one_are_one_under_the_first_spelling(self):
        said = text(topics=["Cassini–Huygens", "Apollo", "Cassini-Huygens"])
        assert said.topics == {"apollo": "Apollo", "cassini-huygens": "Cassini–Huygens"}

    def test_a_story_is_among_the_topics_in_their_spelling(self):
        assert text(story="vote", topics=["Vote"]).topics == {"vote": "Vote"}
        assert text(story="Vote", topics=["Budget"]).topics == {"budget": "Budget", "vote": "Vote"}
        assert text(story="VOTE", topics=["Vote"]).story == "vote"

    @pytest.mark.parametrize("url", ["https://a_b.example/x", "http://a.example/%2Fx", "http://a.example/?x=1\\2"])
    def test_real_urls_that_some_validators_refuse_are_read(self, url):
        assert text(sources=[{"name": "Agency", "url": url}]).sources == (("Agency", url),)

    def test_an_export_may_hold_two_versions_of_one_second(self):
        uid = "0b6b1e3e-7d56-4d9c-9d07-2a7b6f1f0f3c"
        assert len(read(history(version(), update(FIRST), uid=uid)).versions) == 2

    def test_a_blank_line_is_no_record(self):
        assert list(records.read([("line 1", " \n")], RULES)) == []


BAD = {
    "not JSON": ("{", "not JSON"),
    "a list": ("[]", "give a JSON object"),
    "a key twice": ('{"ref": "a", "ref": "b"}', "a key is given twice"),
    "deep nesting": ("[" * 100_000, "not JSON"),
    "an unknown key": (history(version(), colour="red"), "colour: this key is unknown"),
    "an unknown key of a version": (history(version(heading="x")), "versions[0].heading: this key is unknown"),
    "neither ref nor uid": (history(version(), ref=None), "ref: give a ref or a uid"),
    "a long ref": (history(version(), ref="x" * 201), "ref: Shorten this"),
    "a uid that is none": (history(version(), uid="x"), "uid: give a UUID"),
    "no date": ({"ref": "a", "versions": [version()]}, "date: this is missing"),
    "a day that no calendar has": (history(version(), date="2017-02-30"), "date: give a date"),
    "a date of another spelling": (history(version(), date="20170225"), "date: give a date"),
    "a date after tomorrow": (history(version(), date="2026-11-24"), "date: an entry is dated 2026-11-23"),
    "no versions": (history(), "versions: give one"),
    "a version that is no object": (history("x"), "versions[0]: give a JSON object"),
    "no time": (history({"kind": "publish", "headline": "x"}), "versions[0].published: this is missing"),
    "a time without a zone": (history(version("2018-02-06T13:49:30")), "published: give a whole second"),
    "a fraction of a second": (history(version("2018-02-06T13:49:30.5Z")), "published: give a whole second"),
    "a time before the calendar": (history(version("0001-01-01T00:00:00+23:00")), "published: give a whole second"),
    "a time in the future": (history(version("2026-11-22T00:00:01Z")), "published: this is in the future"),
    "an unknown kind": (history(version(kind="edit")), "versions[0].kind: give one of publish"),
    "an update first": (history(update()), "versions[0].kind: the first version"),
    "a second publish": (history(version(), version(SECOND)), "versions[1].kind: only the first"),
    "versions out of order": (history(version(SECOND), update(FIRST)), "versions[1].published: this is not after"),
    "two versions of one second": (history(version(), update(FIRST)), "versions[1].published: this is not after"),
    "a withdrawal without a reason": (history(version(), withdrawal(note=" ")), "versions[1].note: give the reason"),
    "a withdrawal with a text": (
        history(version(), {**withdrawal(), "headline": "x"}),
        "versions[1].headline: a withdrawal has no text",
    ),
    "an update after a withdrawal": (
        history(version(), withdrawal(), update(THIRD)),
        "versions[2].kind: after a withdrawal",
    ),
    "a restore of what was not withdrawn": (
        history(version(), version(SECOND, "restore")),
        "versions[1].kind: only a withdrawal",
    ),
    "a restore of another text": (
        history(version(), withdrawal(), version(THIRD, "restore", "Another text.")),
        "versions[2].headline: a restore repeats",
    ),
    "a redacted version with a text": (
        history(version(redacted=True), update()),
        "versions[0].headline: a redacted version has no text",
    ),
    "no headline": (history({"published": FIRST, "kind": "publish"}), "versions[0].headline: this is missing"),
    "a blank headline": (history(version(headline="\u200e ")), "versions[0].headline: Write a headline"),
    "a headline of two lines": (history(version(headline="a\nb")), "versions[0].headline: Write this on one line"),
    "a control character": (history(version(body="a\x0bb")), "versions[0].body: Remove the control character U+000B"),
    "half a surrogate": (history(version(body="\ud800")), "versions[0].body: Remove the control character U+D800"),
    "a long body": (history(version(body="x" * 50_001)), "versions[0].body: Shorten this"),
    "topics that are no list": (history(version(topics="Vote")), "versions[0].topics: give a list"),
    "an empty topic": (history(version(topics=["Vote", " "])), "versions[0].topics[1]: Give a name"),
    "a topic of long letters": (history(version(topics=["\ufdfa" * 100])), "versions[0].topics[0]: Shorten this name"),
    "too many topics": (history(version(topics=list(map(str, range(61))))), "versions[0].topics: keep to 60"),
    "too many sources": (history(version(sources=[source(1)] * 51)), "versions[0].sources: keep to 50"),
    "a source without a name": (
        history(version(sources=[{"url": "https://a.example/"}])),
        "versions[0].sources[0].name: give a name",
    ),
    "a URL that runs": (
        history(version(sources=[{"name": "x", "url": "javascript:alert(1)"}])),
        "versions[0].sources[0].url: Start the URL",
    ),
    "a slug with a dot": (history(version(slug="a.b")), "versions[0].slug: give letters"),
    "a reserved slug": (history(version(slug="index")), "versions[0].slug: give letters"),
    "a language that is none": (history(version(language="English!")), "versions[0].language: Give a language tag"),
    "half an origin": (history(version(origin={"name": "x"})), "versions[0].origin: Give name, url and licence"),
    "categories that are no names": ({"categories": [1]}, "categories[0]: give a name"),
    "aliases that are no list": ({"topic": "EU", "aliases": "E"}, "aliases: give a list"),
}


@pytest.mark.parametrize(("value", "reason"), BAD.values(), ids=BAD)
def test_a_bad_line_is_named_with_its_field(value, reason):
    record = read(value)
    assert isinstance(record, records.BadLine)
    assert reason in record.reason


@pytest.fixture
def load(tmp_path, db):
    """Loads these values as the lines of a file."""

    def load(*values, **options):
        return Loaded(written(tmp_path / "events.jsonl", *values), **options)

    return load


def sound():
    return list(verifying.problems()) == []


def _rules_at(date):
    noon = datetime.datetime.fromisoformat(f"{date}T12:00:00+00:00")
    return records.Rules(noon, noon.date())


class TestLoading:
    def test_a_restore_does_not_undo_what_the_desk_corrected(self, load):
        load(history(version()))
        event = revise(Event.objects.get(), headline="Parliament rejects the budget.")
        publishing.publish(event, by=User.objects.create_superuser("editor"), kind="correction", note="It rejected it.")
        later = "2026-11-30T12:00:00Z", "2026-11-30T12:00:01Z"
        with time_machine.travel("2026-12-01T12:00:00Z", tick=False):
            loaded = load(history(version(), withdrawal(later[0]), version(later[1], "restore")))
        assert "a restore repeats the text before the withdrawal" in loaded.problem
        assert Edition.objects.count() == 2

    def test_a_desk_edition_that_is_due_is_stepped_over(self, load):
        load(history(version()))
        with time_machine.travel("2026-12-01T12:00:00Z", tick=False) as clock:
            editor = User.objects.create_superuser("editor")
            event = revise(Event.objects.get(), headline="Parliament rejects the budget.")
            publishing.schedule(event, by=editor, kind="update", issue=in_minutes(1, timezone.now()))
            clock.shift(600)
            loaded = load(history(version(), update("2026-12-01T12:05:00Z")))
        assert (loaded.numbers, loaded.problems) == ((0, 1, 0, 0, 0), [])
        assert list(verifying.problems()) == []

    def test_a_clock_that_goes_back_while_loading_lets_nothing_in_early(self, load):
        found = records.read(
            [("line 1", json.dumps(history(version("2026-12-01T12:00:00Z"))))], _rules_at("2026-12-01")
        )
        with time_machine.travel("2026-11-30T12:00:00Z", tick=False):
            problems = []
            loading.load(found, problems.append)
        assert "the clock has gone back" in problems[0]
        assert not Edition.objects.exists()

    def test_a_topic_slug_that_the_name_does_not_give_is_a_bad_line(self, load):
        assert "european-union" in load({"topic": "European Union", "slug": "eu"}).problem

    def test_a_topic_that_a_draft_spells_otherwise_leaves_the_record_whole(self, load):
        draft(topics=["UN"])
        assert load(history(version(topics=["Un"]))).problems == []
        assert Edition.objects.get().document["topics"] == [{"key": "un", "name": "Un", "slug": "un"}]
        assert list(verifying.problems()) == []

    def test_a_history_is_recorded_as_it_was(self, load):
        loaded = load(
            history(
                version(category="Politics", story="Vote", topics=["Budget"], sources=[source(1)], body="In full."),
                update(category="Politics", topics=["Budget"], note="More is known."),
                withdrawal(THIRD),
            )
        )
        assert (loaded.numbers, loaded.problems, loaded.refusal) == ((1, 3, 0, 0, 0), [], "")
        first, second, third = Edition.objects.order_by("number")
        assert [edition.kind for edition in (first, second, third)] == ["publish", "update", "withdraw"]
        assert [edition.issued for edition in (first, second, third)] == [moment(FIRST), moment(SECOND), moment(THIRD)]
        assert [edition.superseded for edition in (first, second, third)] == [moment(SECOND), moment(THIRD), None]
        assert (first.slug, second.slug, third.slug) == (BUDGET, f"{BUDGET}-for-2018", "")
        assert first.document == {
            "date": "2017-02-25",
            "headline": "Parliament adopts the budget.",
            "body": "In full.",
            "category": {"name": "Politics", "slug": "politics"},
            "story": {"key": "vote", "name": "Vote", "slug": "vote"},
            "topics": [
                {"key": "budget", "name": "Budget", "slug": "budget"},
                {"key": "vote", "name": "Vote", "slug": "vote"},
            ],
            "sources": [{"name": "Agency", "url": "https://agency.example/1"}],
            "language": "en",
            "origin": None,
        }
        assert second.note == "More is known."
        assert sound()

    def test_the_working_copy_is_the_last_text(self, load):
        load(history(version(sources=[source(1), source(2)]), update(topics=["Vote"], sources=[source(3)])))
        event = Event.objects.get()
        assert (event.headline, event.stage) == ("Parliament adopts the budget for 2018.", "ready")
        assert (event.created, event.modified) == (moment(FIRST), moment(SECOND))
        assert [row.url for row in event.sources.all()] == ["https://agency.example/3"]
        assert [row.name for row in event.topics.all()] == ["Vote"]

    def test_the_log_tells_when_it_was_public_and_when_it_was_recorded(self, load):
        before = timezone.now().replace(microsecond=0)
        load(history(version(), update()), history(version(THIRD), ref="wire:2"))
        entries = LogEntry.objects.order_by("seq")
        assert [entry.occurred for entry in entries] == [moment(FIRST), moment(SECOND), moment(THIRD)]
        assert all(entry.recorded >= before and entry.by is None for entry in entries)

    def test_uses_are_those_of_the_latest_editions(self, load):
        load(
            history(version(topics=["Vote", "Budget"]), update(topics=["Vote"])),
            history(version(topics=["Vote"]), withdrawal(), ref="wire:2"),
        )
        assert dict(Topic.objects.values_list("name", "uses")) == {"Vote": 1, "Budget": 0}

    def test_two_events_of_one_headline_have_two_addresses(self, load):
        load(history(version()), history(version(), ref="wire:2"), history(version(), ref="wire:3", date="2017-02-26"))
        assert set(Address.objects.values_list("date__day", "slug")) == {
            (25, BUDGET),
            (25, f"{BUDGET}-2"),
            (26, BUDGET),
        }

    def test_an_event_keeps_the_address_of_an_earlier_headline(self, load):
        load(history(version(), update(), version(THIRD, "update")))
        assert list(Edition.objects.order_by("number").values_list("slug", flat=True)) == [
            BUDGET,
            f"{BUDGET}-for-2018",
            BUDGET,
        ]

    def test_a_given_slug_and_date_are_kept(self, load):
        load(history(version(slug="budget"), update(date="2017-02-26")))
        assert set(Address.objects.values_list("date__day", "slug")) == {(25, "budget"), (26, f"{BUDGET}-for-2018")}
        assert Event.objects.get().date == datetime.date(2017, 2, 26)
        assert sound()

    def test_a_restore_has_the_address_of_what_it_restores(self, load):
        load(
            history(version(), ref="wire:2"),
            history(version(slug="other"), withdrawal(), version(THIRD, "restore")),
        )
        restored = Edition.objects.get(kind="restore")
        assert (restored.slug, restored.event.withdrawn) == ("other", False)
        assert sound()

    def test_a_redacted_version_is_a_stub(self, load):
        load(
            history(
                {"published": FIRST, "kind": "publish", "redacted": True, "redaction": "By order of the court."},
                update(topics=["Vote"]),
            )
        )
        stub, second = Edition.objects.order_by("number")
        assert stub.redacted
        assert (stub.document, stub.salt, stub.slug, stub.note, stub.revision) == (None, "", "", "", None)
        entries = LogEntry.objects.filter(edition=stub).order_by("seq")
        assert list(entries.values_list("kind", "note")) == [("publish", ""), ("redact", "By order of the court.")]
        assert second.document["headline"] == Event.objects.get().headline
        assert sound()

    def test_an_event_of_redacted_texts_alone_is_held(self, load):
        stub = {"published": FIRST, "kind": "publish", "redacted": True}
        assert load(history(stub, withdrawal())).numbers == (1, 2, 0, 0, 0)
        assert sound()

    def test_categories_come_in_the_order_of_the_file(self, load):
        load(
            {"categories": ["Sports", {"name": "Arts & letters", "slug": "culture"}]}, history(version(category="War"))
        )
        assert list(Category.objects.values_list("name", "slug")) == [
            ("Sports", "sports"),
            ("Arts & letters", "culture"),
            ("War", "war"),
        ]

    def test_aliases_lead_to_their_topic(self, load):
        load(
            {"topic": "European Union", "aliases": ["EU", {"name": "E.U.", "slug": "eu-2"}]},
            history(version(topics=["EU", "Vote"])),
        )
        union = Topic.objects.get(name="European Union")
        assert set(union.aliases.values_list("name", "slug")) == {("EU", "eu"), ("E.U.", "eu-2")}
        assert union.uses == 1
        edition = Edition.objects.get()
        assert [value["name"] for value in edition.document["topics"]] == ["EU", "Vote"]
        assert edition.topic_links.filter(topic=union).exists()
        assert set(Event.objects.get().topics.all()) == {union, topic("Vote")}
        assert sound()

    def test_loading_the_names_again_changes_nothing(self, load):
        lines = [{"categories": ["Sports"]}, {"topic": "European Union", "aliases": ["EU"]}]
        load(*lines)
        seq = LogHead.objects.get().seq
        assert load(*lines).problems == []
        assert LogHead.objects.get().seq == seq

    def test_a_topic_in_use_does_not_become_an_alias(self, load):
        load(history(version(topics=["EU"])))
        assert "merge it into “European Union”" in load({"topic": "European Union", "aliases": ["EU"]}).problem

    def test_a_merged_topic_means_what_it_was_merged_into(self, load):
        load(history(version(topics=["Brexit"])))
        publishing.merge_topics(topic("Brexit"), topic("Withdrawal"), by=None)
        load(history(version(topics=["Brexit"], story="Brexit"), ref="wire:2"))
        assert Event.objects.get(ref="wire:2").story == topic("Withdrawal")
        assert sound()

    def test_it_takes_the_same_number_of_queries_whatever_the_number_of_events(self, load):
        load(history(version(category="Politics", topics=["Vote"])))

        def batch(start, count):
            return [
                read(history(version(category="Politics", topics=["Vote"], sources=[source(1)]), ref=f"wire:{number}"))
                for number in range(start, start + count)
            ]

        counts = []
        for histories in (batch(10, 2), batch(20, 15)):
            with CaptureQueriesContext(connection) as queries:
                _write(histories)
            counts.append(len(queries))
        assert counts[0] == counts[1]


def rows_of(revision):
    """All that a save says of each row, in its order."""
    fields = ("content_type", "object_id", "serialized_data", "object_repr", "format", "db")
    return list(revision.version_set.order_by("pk").values_list(*fields))


class TestSaves:
    # In the order in which PostgreSQL gives it back.
    ORIGIN = {"url": "https://wire.example/", "name": "Wire “A”", "licence": "CC0"}

    def test_the_last_save_is_what_reversion_itself_writes(self, load):
        load(
            history(
                version(topics=["Old", "Vote"], sources=[source(1)]),
                update(
                    body='A "quote", a \\, a\nline and 五号.',
                    category="Politics",
                    story="Éire",
                    topics=["Vote", "Alpha"],
                    sources=[source(1, "Агентство"), source(2)],
                ),
                origin=self.ORIGIN,
            )
        )
        event, edition = Event.objects.get(), Edition.objects.get(number=2)
        with reversion.create_revision():
            reversion.add_to_revision(event)
        own = Version.objects.get_for_object(event).first().revision
        assert rows_of(edition.revision) == rows_of(own)

    def test_a_withdrawal_is_saved_as_reversion_would(self, load):
        load(history(version(sources=[source(1)]), withdrawal()))
        event, edition = Event.objects.get(), Edition.objects.get(number=2)
        with reversion.create_revision():
            reversion.add_to_revision(event)
        own = Version.objects.get_for_object(event).first()
        assert rows_of(edition.revision) == rows_of(own.revision)

    def test_each_edition_has_the_save_of_its_hour(self, load):
        load(history(version(), update()))
        first, second = Edition.objects.order_by("number")
        for edition in (first, second):
            assert edition.revision.date_created == edition.issued
            assert edition.revision.comment == publishing.revision_comment(edition.kind, edition.number, edition.issued)
        event = Event.objects.get()
        headlines = [row.field_dict["headline"] for row in Version.objects.get_for_object(event)]
        assert headlines == [second.document["headline"], first.document["headline"]]

    def test_older_saves_name_rows_that_no_other_event_has(self, load):
        load(
            history(version(topics=["Old", "Vote"], sources=[source(1), source(2)]), update(topics=["Vote"])),
            history(version(topics=["Vote"], sources=[source(3)]), ref="wire:2"),
        )
        for model in (Source, EventTopic):
            rows = Version.objects.get_for_model(model)
            owners = {(row.object_id, row.revision.edition.event_id) for row in rows}
            assert len(owners) == len({key for key, _event in owners})
        assert Source.objects.count() == 1
        assert EventTopic.objects.count() == 2


class TestLoadingAgain:
    def test_the_same_file_changes_nothing(self, load):
        lines = [history(version(topics=["Vote"]), update()), history(version(), withdrawal(), ref="wire:2")]
        load(*lines)
        seq = LogHead.objects.get().seq
        again = load(*lines)
        assert (again.numbers, again.refusal) == ((0, 0, 2, 0, 0), "")
        assert (LogHead.objects.get().seq, Edition.objects.count()) == (seq, 4)

    def test_new_versions_are_added(self, load):
        load(history(version(topics=["Old"], sources=[source(1), source(2)])))
        last = version(THIRD, "correction", "Parliament adopts it.", note="x", topics=["Vote"], sources=[source(3)])
        assert load(history(version(topics=["Old"], sources=[source(1), source(2)]), update(), last)).numbers == (
            0,
            2,
            0,
            0,
            0,
        )
        event = Event.objects.get()
        assert event.headline == "Parliament adopts it."
        assert [row.url for row in event.sources.all()] == ["https://agency.example/3"]
        assert [row.name for row in event.topics.all()] == ["Vote"]
        assert event.origin is None
        assert not Event.objects.exclude(origin=None).exists()
        assert event.lock_version == 3
        assert sound()

    def test_earlier_versions_alone_change_nothing(self, load):
        load(history(version(), update()))
        assert load(history(version())).numbers == (0, 0, 1, 0, 0)

    def test_an_event_twice_in_one_file_is_one(self, load):
        assert load(history(version()), history(version(), update())).numbers == (1, 2, 0, 0, 0)
        assert sound()

    def test_the_order_and_spelling_of_topics_are_no_difference(self, load):
        load(history(version(topics=["Vote", "Budget"])))
        assert load(history(version(topics=["budget", "VOTE"]))).numbers == (0, 0, 1, 0, 0)

    @pytest.mark.parametrize(
        ("again", "reason"),
        [
            (history(version(SECOND)), "in its place stands one of 2018-02-06T13:49:30Z"),
            (history(version(headline="Another text.")), "says something else"),
            (history(version(topics=["Vote"])), "says something else"),
            (history(version(category="War")), "says something else"),
            (history(version(note="x")), "has another note"),
            (history(version(), withdrawal()), "is of kind withdraw, and in its place stands one of kind update"),
            (history({"published": FIRST, "kind": "publish", "redacted": True}), "redact that at the desk"),
            (history(version(), update(), uid="0b6b1e3e-7d56-4d9c-9d07-2a7b6f1f0f3c"), "has the uid"),
        ],
    )
    def test_what_disagrees_is_reported_and_left_alone(self, load, again, reason):
        load(history(version(), update()))
        before = list(Edition.objects.values_list("commitment", flat=True))
        loaded = load(again, history(version(), ref="wire:2"))
        assert loaded.numbers == (1, 1, 0, 1, 0)
        assert "events.jsonl, line 1: " in loaded.problem
        assert reason in loaded.problem
        assert loaded.refusal
        assert list(Edition.objects.filter(event__ref="wire:1").values_list("commitment", flat=True)) == before

    def test_a_given_address_of_another_event_is_a_conflict(self, load):
        load(history(version(slug="budget")))
        loaded = load(history(version(slug="budget"), ref="wire:2"), history(version(slug="budget-2"), ref="wire:3"))
        assert loaded.numbers == (1, 1, 0, 1, 0)
        assert "the address 2017-02-25 budget is another event's" in loaded.problem

    def test_a_redacted_edition_stays_redacted(self, load):
        load(history(version(), update()))
        publishing.redact(Event.objects.get(), 1, by=None, note="x")
        assert load(history(version(), update())).numbers == (0, 0, 1, 0, 0)
        assert Edition.objects.get(number=1).redacted


@pytest.fixture
def editor(db):
    return User.objects.create_superuser("editor")


class TestBesideTheDesk:
    def test_a_working_copy_that_the_desk_edited_is_left_as_it_is(self, load):
        load(history(version(sources=[source(1)])))
        revise(Event.objects.get(), headline="A draft.", sources=[("Own", "https://own.example/")], topics=["Mine"])
        assert load(history(version(sources=[source(1)]), update(sources=[source(2), source(3)]))).numbers[1] == 1
        event = Event.objects.get()
        assert event.headline == "A draft."
        assert [row.name for row in event.sources.all()] == ["Own"]
        assert [row.name for row in event.topics.all()] == ["Mine"]
        assert Edition.objects.get(number=2).document["sources"] == [source(2), source(3)]
        assert sound()

    @pytest.mark.parametrize("edited", [True, False])
    @pytest.mark.parametrize("added", [update(), withdrawal()])
    def test_whoever_has_the_entry_open_is_told(self, load, edited, added):
        load(history(version()))
        event = Event.objects.get()
        event = revise(event, headline="A draft.") if edited else event
        assert load(history(version(), added)).numbers[1] == 1
        with pytest.raises(Stale):
            revise(event, body="More.", lock_version=event.lock_version)
        assert Event.objects.get().lock_version == event.lock_version + 1
        assert sound()

    def test_later_versions_follow_what_the_desk_published(self, load, editor):
        load(history(version()))
        event = revise(Event.objects.get(), headline="The desk's own words.")
        with time_machine.travel(moment(SECOND)):
            publishing.publish(event, by=editor, kind="update")
        assert load(history(version(), update(THIRD))).numbers == (0, 1, 0, 0, 0)
        headlines = [edition.document["headline"] for edition in Edition.objects.order_by("number")]
        assert headlines == [version()["headline"], "The desk's own words.", update()["headline"]]
        assert sound()

    def test_nothing_follows_a_withdrawal_by_the_desk(self, load, editor):
        load(history(version()))
        with time_machine.travel(moment(SECOND)):
            publishing.withdraw(Event.objects.get(), by=editor, note="It was a hoax.")
        loaded = load(history(version(), update(THIRD)))
        assert loaded.numbers == (0, 0, 0, 1, 0)
        assert "after a withdrawal only a restore can follow" in loaded.problem

    def test_earlier_versions_than_the_desks_are_a_conflict(self, load, editor):
        load(history(version()))
        event = revise(Event.objects.get(), headline="The desk's own words.")
        publishing.publish(event, by=editor, kind="update")
        assert load(history(version(), update())).numbers == (0, 0, 0, 1, 0)
        assert Edition.objects.count() == 2

    def test_nothing_is_added_while_an_edition_is_scheduled(self, load):
        load(history(version()))
        event = revise(Event.objects.get(), headline="Embargoed words.")
        publishing.schedule(event, by=None, kind="update", issue=in_minutes(5, timezone.now()))
        assert load(history(version(), update())).numbers == (0, 0, 0, 1, 0)

    def test_a_draft_of_the_desk_keeps_its_uid(self, load):
        uid = str(draft().uid)
        assert "nothing of it was ever published" in load(history(version(), ref=None, uid=uid)).problem

    def test_addresses_of_the_desk_are_kept(self, load):
        published()
        load(history(version()))
        assert set(Address.objects.filter(date=DAY).values_list("slug", flat=True)) == {BUDGET, f"{BUDGET}-2"}

    def test_an_edition_that_fell_due_is_logged_before_what_is_loaded(self, load):
        event = published()
        updated(event, headline="Another headline.")
        load(history(version()))
        assert LogEntry.objects.last().event.ref == "wire:1"
        assert sound()


class TestCommand:
    def test_a_bad_line_is_reported_and_the_rest_goes_on(self, load):
        loaded = load(history(version()), "{", history(version(), ref="wire:2"))
        assert loaded.numbers == (2, 2, 0, 0, 1)
        assert "events.jsonl, line 2: not JSON" in loaded.problem
        assert loaded.refusal

    @pytest.mark.parametrize("bad", ["{", history(version(headline="Another text."))])
    def test_strict_loads_nothing_if_anything_is_wrong(self, load, bad):
        load(history(version()))
        loaded = load(history(version(), ref="wire:2"), {"categories": ["New"]}, bad, strict=True)
        assert "nothing was loaded" in loaded.refusal
        assert (Event.objects.count(), Category.objects.count()) == (1, 0)

    def test_strict_loads_everything_if_nothing_is_wrong(self, load):
        assert load(history(version()), strict=True).numbers == (1, 1, 0, 0, 0)

    @pytest.mark.parametrize("strict", [False, True])
    def test_standard_input_is_read(self, db, monkeypatch, strict):
        line = json.dumps(history(version())).encode()
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(line)))
        assert Loaded("-", strict=strict).numbers == (1, 1, 0, 0, 0)

    @pytest.mark.parametrize(("suffix", "compress"), [("xz", lzma.compress), ("gz", gzip.compress)])
    def test_compressed_files_are_read(self, db, tmp_path, suffix, compress):
        path = tmp_path / f"events.jsonl.{suffix}"
        path.write_bytes(compress(json.dumps(history(version())).encode()))
        assert Loaded(path).numbers == (1, 1, 0, 0, 0)

    @pytest.mark.parametrize(
        ("name", "content"),
        [
            ("plain.xz", b'{"ref": "a"}'),
            ("plain.gz", b'{"ref": "a"}'),
            ("cut.xz", lzma.compress(b"x" * 9_999)[:-20]),
            ("cut.gz", gzip.compress(bytes(range(256)) * 99)[:-20]),
            ("latin.jsonl", json.dumps({"ref": "é"}, ensure_ascii=False).encode("latin-1")),
            ("utf16.jsonl", '{"ref": "a"}'.encode("utf-16")),
            ("absent.jsonl", None),
        ],
    )
    def test_an_unreadable_file_is_one_line(self, db, tmp_path, name, content):
        if content is not None:
            (tmp_path / name).write_bytes(content)
        refusal = Loaded(tmp_path / name).refusal
        assert name in refusal
        assert "\n" not in refusal

    def test_a_byte_order_mark_is_no_part_of_the_first_line(self, db, tmp_path):
        path = tmp_path / "events.jsonl"
        path.write_bytes(b"\xef\xbb\xbf" + json.dumps(history(version())).encode())
        assert Loaded(path).numbers == (1, 1, 0, 0, 0)

    def test_several_files_are_read_one_after_the_other(self, db, tmp_path):
        first = written(tmp_path / "first.jsonl", history(version()))
        second = written(tmp_path / "second.jsonl", history(version(), update()))
        assert Loaded(first, second).numbers == (1, 2, 0, 0, 0)

    def test_an_event_that_the_database_refuses_does_not_stop_the_others(self, load):
        refuse("A headline that is refused.")
        histories = [history(version(headline=f"Headline {number}."), ref=f"wire:{number}") for number in range(5)]
        histories[2]["versions"][0]["headline"] = "A headline that is refused."
        loaded = load(*histories)
        assert loaded.numbers == (4, 4, 0, 1, 0)
        assert "line 3: the database refuses it" in loaded.problem
        assert sound()


def refuse(headline):
    """Let the database refuse events of this headline."""
    condition = f"NEW.headline = '{headline}'"
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute(
                f"CREATE TRIGGER refused BEFORE INSERT ON events_event WHEN {condition}"
                " BEGIN SELECT RAISE(ABORT, 'refused'); END"
            )
            return
        cursor.execute(
            "CREATE FUNCTION refused() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE unique_violation; END $$"
        )
        cursor.execute(
            f"CREATE TRIGGER refused BEFORE INSERT ON events_event FOR EACH ROW WHEN ({condition})"
            " EXECUTE FUNCTION refused()"
        )


def test_no_event_is_twice_in_a_batch():
    one, same, other = (read(history(version(), ref=ref)) for ref in ("wire:1", "wire:1", "wire:2"))
    assert list(_batches([one, same, other], lambda: 1_000)) == [[one], [same, other]]


def test_a_batch_holds_so_many_rows_and_one_kind():
    histories = [read(history(version(), ref=f"wire:{number}")) for number in range(4)]
    names = read({"topic": "EU"})
    assert list(_batches([*histories, names], lambda: 10)) == [histories[:2], histories[2:], [names]]


def test_planning_writes_nothing(db):
    with CaptureQueriesContext(connection) as queries:
        Plan([read(history(version()))]).give_addresses()
    assert all(query["sql"].startswith("SELECT") for query in queries)
