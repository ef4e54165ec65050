"""The desk's saves of one entry: read, taken back and recovered, with reversion's own rows underneath."""

import datetime
from itertools import chain

import pytest
import reversion
from django.contrib.auth.models import Permission, User
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from reversion.models import Revision, Version

from events import documents, drafts, history, publishing, verifying
from events.models import Category, Edition, Event, Topic
from events.refusals import NothingChanged, Stale, WrongState
from tests.histories import THIRD, Loaded, source, update, version, withdrawal, written
from tests.histories import history as imported
from tests.words import DAY, category, draft, in_minutes, person, published, revise, topic, updated

pytestmark = pytest.mark.django_db

FULL = {
    "headline": "Parliament adopts the budget.",
    "body": "After a long night, the vote was 51 to 49.",
    "category": "Politics",
    "story": "Budget dispute",
    "topics": ["Parliament", "Taxes"],
    "sources": [("Agency", "https://a.example/"), ("Gazette", "https://b.example/")],
    "language": "fr",
    "origin": {"name": "Wiki", "url": "https://wiki.example/", "licence": "CC BY 4.0"},
}
OTHER = {
    "headline": "Senate rejects the budget.",
    "body": "",
    "category": "Economy",
    "story": "Senate crisis",
    "topics": ["Senate"],
    "sources": [("Gazette", "https://b.example/"), ("Radio", "https://c.example/"), ("Agency", "https://a.example/")],
    "language": "en",
    "origin": None,
    "date": DAY - datetime.timedelta(days=1),
}


@pytest.fixture(autouse=True)
def whole_record(db):
    yield
    assert list(verifying.problems()) == []


def addresses(event, **page):
    return [save.address for save in history.saves(event.pk, **page)]


def said(event):
    event = Event.objects.get(pk=event.pk)
    return drafts.document(event)


@pytest.fixture
def load(tmp_path):
    """Load the first of three versions (the second is a withdrawal), or all of them; the event."""
    texts = {"topics": ["Rome"], "sources": [source(1)], "category": "Politics"}
    versions = [
        version(headline="One.", **texts),
        withdrawal(),
        version(THIRD, "restore", "One.", **texts),
        update("2018-04-01T00:00:00Z", "Two.", topics=["Paris"], sources=[source(2, "Gazette")]),
    ]

    def load_versions(*chosen):
        Loaded(written(tmp_path / "histories.jsonl", imported(*[versions[number] for number in chosen])))
        return Event.objects.get()

    return load_versions


def entries(count):
    """An event with that many saves, each with other texts, topics and sources."""
    event = draft("Save 1.")
    for number in range(2, count + 1):
        source = (f"Source {number}", f"https://s{number}.example/")
        values = {"topics": [f"Topic {number}", "All"], "sources": [source], "category": f"Part {number % 7}"}
        revise(event, headline=f"Save {number}.", **values)
    return event


def sent_back(comment):
    event = drafts.submit(draft("One."), by=None)
    return drafts.send_back(event, by=None, comment=comment)


class TestSaves:
    def test_it_works(self):
        ann = person("Editor", "ann")
        event = drafts.save(Event(), by=ann, comment="A first try", date=DAY, headline="One.")
        revise(event, headline="Two.", topics=["Rome"], sources=[("Agency", "https://a.example/")])
        second, first = history.saves(event.pk)
        assert (first.name, first.number, first.address) == ("save 1", 1, "1")
        assert (first.by, first.comment, first.stage, first.edition) == (ann, "A first try", "draft", None)
        assert (second.name, second.number, second.by, second.comment) == ("save 2", 2, None, "")
        assert first.at <= second.at
        assert first.document["headline"] == "One."
        assert first.document["topics"] == first.document["sources"] == []
        assert second.document == said(event)
        assert [row["name"] for row in second.document["topics"]] == ["Rome"]

    def test_each_save_keeps_its_own_topics_and_sources(self):
        event = draft(**FULL)
        before = said(event)
        revise(event, **OTHER)
        after = said(event)
        newer, older = history.saves(event.pk)
        assert (older.document, newer.document) == (before, after)
        assert before != after

    def test_change_of_topics_alone_is_a_save_that_shows_it(self):
        event = draft(topics=["Rome", "Paris"])
        revise(event, topics=["Paris"])
        newer, older = history.saves(event.pk)
        assert [row["name"] for row in older.document["topics"]] == ["Paris", "Rome"]
        assert [row["name"] for row in newer.document["topics"]] == ["Paris"]

    def test_renamed_and_merged_topics_are_shown_as_they_stand_today(self):
        event = draft(story="Karabach", topics=["Bakou", "Baku", "Peking"])
        revise(event, topics=[], story=None)
        publishing.merge_topics(topic("Bakou"), topic("Baku"), by=None)
        publishing.merge_topics(topic("Karabach"), topic("Karabakh"), by=None)
        publishing.rename_topic(topic("Peking"), "Beijing", by=None)
        document = history.save_of(event, "1").document
        assert [row["name"] for row in document["topics"]] == ["Baku", "Beijing", "Karabakh"]
        assert document["story"]["name"] == "Karabakh"

    def test_category_that_is_gone_is_none(self):
        event = draft(category="Sports")
        revise(event, category="Politics")
        category("Sports").delete()
        assert history.save_of(event, "1").document["category"] is None

    def test_versions_stand_among_the_saves_that_they_were_frozen_from(self):
        event = published("One.")
        revise(event, headline="Two.")
        updated(event, headline="Three.")
        assert addresses(event) == ["v2", "4", "3", "v1", "1"]
        version = history.saves(event.pk)[0]
        assert (version.name, version.edition.kind, version.document["headline"]) == ("version 2", "update", "Three.")

    def test_scheduled_version_that_was_cancelled_is_a_save_and_says_so(self):
        event = draft("One.")
        publishing.schedule(event, by=None, issue=in_minutes(10, timezone.now()))
        assert addresses(event) == ["v1", "1"]
        publishing.unschedule(event, by=None)
        assert [(save.address, save.cancelled) for save in history.saves(event.pk)] == [("2", True), ("1", False)]
        publishing.publish(event, by=None)
        assert addresses(event) == ["v1", "2", "1"]

    def test_withdrawal_and_restoration_are_versions_and_no_text_of_theirs_is_invented(self):
        event = published("One.")
        publishing.withdraw(event, by=None, note="Not so.")
        publishing.restore(event, by=None)
        restored, withdrawn, first, _save = history.saves(event.pk)
        assert [save.edition.kind for save in (restored, withdrawn, first)] == ["restore", "withdraw", "publish"]
        assert (restored.has_text, withdrawn.has_text, first.has_text) == (True, False, True)
        assert not withdrawn.redacted

    def test_redacted_version_keeps_its_place_without_a_text(self):
        event = published("Secret address.")
        updated(event, headline="Two.")
        updated(event, headline="Three.")
        publishing.redact(event, 1, by=None, note="A court order.")
        assert addresses(event) == ["v3", "5", "v2", "3", "v1"]
        stub = history.saves(event.pk)[-1]
        assert (stub.document, stub.number, stub.redacted, stub.has_text) == (None, None, True, False)
        assert "Secret" not in repr(history.saves(event.pk))

    def test_version_whose_save_was_pruned_keeps_its_place(self):
        event = published("One.")
        updated(event, headline="Two.")
        Revision.objects.filter(edition__number=1).delete()
        assert addresses(event) == ["v2", "3", "1", "v1"]
        assert history.save_of(event, "v1").document["headline"] == "One."

    def test_rows_of_other_events_in_the_same_revision_are_not_taken_for_its_own(self):
        mine, other = draft(**FULL), draft(**OTHER)
        with reversion.create_revision():
            mine.lock_version += 1
            mine.save()
            other.save()
            reversion.add_to_revision(mine)
            reversion.add_to_revision(other)
        assert history.saves(mine.pk)[0].document == said(mine)
        assert history.saves(other.pk)[0].document == said(other)

    def test_saves_from_before_a_field_was_added_are_read(self):
        event = draft("One.")
        version = Version.objects.get_for_object(event).get()
        version.serialized_data = version.serialized_data.replace('"author": null, ', "")
        assert "author" not in version.serialized_data
        version.save()
        assert history.saves(event.pk)[0].document["headline"] == "One."

    def test_pages_follow_each_other_without_a_gap(self):
        event = entries(7)
        publishing.publish(event, by=None)
        whole = addresses(event)
        assert whole == ["v1", "7", "6", "5", "4", "3", "2", "1"]
        pages, before = [], None
        while page := addresses(event, before=before, limit=3):
            pages.append(page)
            before = page[-1]
        assert [len(page) for page in pages] == [3, 3, 2]
        assert list(chain(*pages)) == whole
        assert addresses(event, before="v1") == whole[1:]
        assert addresses(event, before="99") == addresses(event, before="v9") == addresses(event, before="?") == []

    def test_pages_pass_versions_without_a_save(self):
        event = published("Secret address.")
        for number in range(3):
            updated(event, headline=f"Text {number}.")
        publishing.redact(event, 1, by=None, note="A court order.")
        publishing.redact(event, 2, by=None, note="A court order.")
        whole = addresses(event)
        pages = [addresses(event, limit=2)]
        while page := addresses(event, before=pages[-1][-1], limit=2):
            pages.append(page)
        assert list(chain(*pages)) == whole == ["v4", "7", "v3", "5", "v2", "v1"]

    @pytest.mark.parametrize("number", [3, 60])
    def test_queries_do_not_grow_with_the_saves(self, number):
        event = entries(number)
        publishing.publish(event, by=None)
        with CaptureQueriesContext(connection) as queries:
            saves = history.saves(event.pk, limit=100)
            assert all(save.by is None and save.document for save in saves)
        assert len(saves) == number + 1
        assert len(queries) == 5

    def test_loaded_history_has_one_save_for_each_version(self, load):
        event = load(0, 1, 2, 3)
        fourth, third, second, first = history.saves(event.pk)
        assert [save.edition.kind for save in (first, second, third, fourth)] == [
            "publish",
            "withdraw",
            "restore",
            "update",
        ]
        assert [save.document["headline"] for save in (first, fourth)] == ["One.", "Two."]
        assert [row["name"] for row in first.document["topics"]] == ["Rome"]
        assert fourth.document["sources"] == [{"name": "Gazette", "url": "https://agency.example/2"}]
        assert first.at == first.edition.issued
        assert addresses(event) == ["v4", "v3", "v2", "v1"]


class TestSaveOf:
    def test_it_works(self):
        event = published("One.")
        revise(event, headline="Two.")
        headlines = {
            name: history.save_of(event, name).document["headline"] for name in ("1", "v1", "live", "3", "now")
        }
        assert headlines == {"1": "One.", "v1": "One.", "live": "One.", "3": "Two.", "now": "Two."}
        names = [history.save_of(event, name).name for name in ("1", "v1", "live", "now")]
        assert names == ["save 1", "version 1", "version 1", "the working copy"]

    def test_the_older_one_has_the_lower_place(self):
        event = published("One.")
        revise(event, headline="Two.")
        places = [history.save_of(event, name).place for name in ("1", "v1", "3", "now")]
        assert places == sorted(places)

    @pytest.mark.parametrize(
        "name", ["", "0", "01", "2", "9", "v0", "v2", "-1", "1 ", "1.0", "v", "V1", "next", "٣", "1" * 30, "1%", "_"]
    )
    def test_what_names_nothing_is_none(self, name):
        event = published("One.")
        assert history.save_of(event, name) is None

    def test_saves_of_other_events_are_out_of_reach(self):
        other = entries(5)
        publishing.publish(other, by=None)
        event = draft("Mine.")
        assert history.save_of(event, "4") is None
        assert history.save_of(event, "v1") is None
        assert history.save_of(event, "1").document["headline"] == "Mine."

    def test_a_text_that_looks_like_a_row_is_not_taken_for_one(self):
        event = draft('"lock_version": 7, and so on.', origin=FULL["origin"] | {"name": 'x", "lock_version": 7, "y'})
        assert history.save_of(event, "7") is None

    def test_version_says_what_readers_were_given(self):
        event = published("One.")
        revise(event, headline="Two.")
        publishing.withdraw(event, by=None, note="Not so.")
        publishing.restore(event, by=None)
        assert history.save_of(event, "v3").document["headline"] == "One."
        assert history.saves(event.pk)[0].document["headline"] == "Two."

    def test_names_without_a_text_are_refused(self):
        event = published("Secret address.")
        updated(event, headline="Two.")
        publishing.redact(event, 1, by=None, note="A court order.")
        publishing.withdraw(event, by=None, note="Not so.")
        with pytest.raises(WrongState, match="Version 1 was redacted"):
            history.save_of(event, "v1")
        with pytest.raises(WrongState, match="Version 3 is a withdrawal"):
            history.save_of(event, "v3")
        with pytest.raises(WrongState, match="Readers see nothing"):
            history.save_of(event, "live")

    def test_live_is_what_readers_see_at_that_moment(self):
        event = published("One.")
        revise(event, headline="Two.")
        issue = in_minutes(10, timezone.now())
        publishing.schedule(event, by=None, kind="update", issue=issue)
        assert history.save_of(event, "live").address == "v1"
        assert history.save_of(event, "live", issue).address == "v2"
        publishing.unschedule(event, by=None)


class TestDocumentAt:
    def test_it_works(self):
        event = entries(5)
        assert [history.document_at(event, number)["headline"] for number in (1, 3, 5)] == [
            "Save 1.",
            "Save 3.",
            "Save 5.",
        ]
        assert history.document_at(event, 3) == history.save_of(event, "3").document
        assert history.document_at(event, 0) is None

    def test_act_without_a_save_leaves_what_was_saved_before(self):
        event = draft("One.")
        publishing.schedule(event, by=None, issue=in_minutes(10, timezone.now()))
        publishing.unschedule(event, by=None)
        event.refresh_from_db()
        assert event.lock_version == 3
        revise(event, headline="Two.")
        assert history.document_at(event, 3)["headline"] == "One."

    def test_save_that_a_redaction_removed_is_not_stood_in_for_by_an_older_one(self):
        event = published("One.")
        revise(event, body="Two.")
        updated(event, headline="Secret address.", body="")
        updated(event, headline="Four.")
        publishing.redact(event, 2, by=None, note="A court order.")
        assert history.document_at(event, 3)["body"] == "Two."
        assert history.document_at(event, 4) is None
        assert history.document_at(event, 7)["headline"] == "Four."

    def test_few_rows_are_read_for_a_recent_save(self):
        event = entries(60)
        with CaptureQueriesContext(connection) as queries:
            history.document_at(event, 59)
        assert len(queries) == 5

    def test_old_saves_are_found_too(self):
        event = entries(60)
        assert history.document_at(event, 2)["headline"] == "Save 2."

    def test_version_loaded_beside_an_edited_copy_does_not_stand_for_the_copy(self, load):
        event = revise(load(0), headline="The desk's own.")
        load(0, 1, 2, 3)
        assert addresses(event)[0] == "v4"
        assert said(event)["headline"] == "The desk's own."
        revise(event, headline="And later.")
        assert history.document_at(event, event.lock_version)["headline"] == "The desk's own."


class TestTakeBack:
    def test_it_works(self):
        ann = person("Editor", "ann")
        event = draft(**FULL)
        wanted = said(event)
        revise(event, **OTHER)
        before = Event.objects.get(pk=event.pk)
        history.take_back(event, "1", history.FIELDS, by=ann, lock_version=2)
        after = Event.objects.get(pk=event.pk)
        assert said(event) == wanted
        assert (after.lock_version, after.stage, after.author) == (3, "draft", before.author)
        assert after.modified > before.modified
        save = history.saves(event.pk)[0]
        assert (save.comment, save.by, save.document) == ("taken from save 1", ann, wanted)

    def test_only_the_chosen_parts_come_back(self):
        event = draft(**FULL)
        revise(event, **OTHER)
        kept = said(event)
        history.take_back(event, "1", ["headline", "sources"], by=None)
        assert said(event) == kept | {
            "headline": FULL["headline"],
            "sources": [{"name": name, "url": url} for name, url in FULL["sources"]],
        }

    @pytest.mark.parametrize("field", history.FIELDS)
    def test_each_part_alone_comes_back(self, field):
        event = draft(**FULL)
        wanted = said(event)
        revise(event, **OTHER)
        history.take_back(event, "1", [field], by=None)
        found = said(event)
        if field == "topics":
            wanted["topics"] += [found["story"]]
        if field == "story":
            assert found["story"] in found["topics"]
        assert sorted(map(str, found[field])) == sorted(map(str, wanted[field]))

    def test_topics_come_back_as_they_stand_today(self):
        event = draft(topics=["Bakou", "Peking"])
        revise(event, topics=[])
        publishing.merge_topics(topic("Bakou"), topic("Baku"), by=None)
        publishing.rename_topic(topic("Peking"), "Beijing", by=None)
        history.take_back(event, "1", ["topics"], by=None)
        assert set(event.topics.values_list("name", flat=True)) == {"Baku", "Beijing"}

    def test_version_comes_back_with_its_frozen_names(self):
        event = published(**FULL)
        wanted = event.editions.get().document
        revise(event, **OTHER)
        publishing.rename_topic(topic("Taxes"), "Taxation", by=None)
        history.take_back(event, "v1", history.FIELDS, by=None)
        resolve = Topic.objects.resolution([wanted, said(event)])
        assert documents.same(said(event), wanted, resolve)
        event.refresh_from_db()
        assert event.stage == "ready"
        assert history.saves(event.pk)[0].comment == "taken from version 1"

    def test_live_text_comes_back(self):
        event = published("One.")
        revise(event, headline="Two.")
        history.take_back(event, "live", ["headline"], by=None)
        assert said(event)["headline"] == "One."
        assert history.saves(event.pk)[0].comment == "taken from version 1"

    def test_no_other_event_is_touched_though_it_was_saved_in_the_same_revision(self):
        mine, other = draft(**FULL), draft("Other, as it was.", topics=["Rome"])
        with reversion.create_revision():
            mine.lock_version += 1
            mine.save()
            reversion.add_to_revision(mine)
            reversion.add_to_revision(other)
        revise(mine, **OTHER)
        revise(other, headline="Other, as it is.", topics=["Paris"])
        rows = (
            list(Event.objects.filter(pk=other.pk).values()),
            said(other),
            Version.objects.get_for_object(other).count(),
        )
        history.take_back(mine, "2", history.FIELDS, by=None)
        assert said(mine)["headline"] == FULL["headline"]
        assert rows == (
            list(Event.objects.filter(pk=other.pk).values()),
            said(other),
            Version.objects.get_for_object(other).count(),
        )

    def test_nothing_public_changes_and_no_old_save_either(self):
        event = published("One.")
        updated(event, headline="Two.")
        kept = list(Version.objects.order_by("pk").values()), list(Edition.objects.order_by("pk").values())
        history.take_back(event, "v1", ["headline"], by=None)
        assert list(Version.objects.filter(pk__lte=kept[0][-1]["id"]).order_by("pk").values()) == kept[0]
        assert list(Edition.objects.order_by("pk").values()) == kept[1]

    def test_what_is_the_same_already_is_refused(self):
        event = draft("One.")
        revise(event, body="Two.")
        with pytest.raises(NothingChanged):
            history.take_back(event, "1", ["headline"], by=None)
        with pytest.raises(NothingChanged):
            history.take_back(event, "now", history.FIELDS, by=None)
        with pytest.raises(NothingChanged, match="Choose at least one part"):
            history.take_back(event, "1", [], by=None)
        assert addresses(event) == ["2", "1"]

    def test_stale_editor_is_refused(self):
        event = draft("One.")
        revise(event, headline="Two.")
        with pytest.raises(Stale):
            history.take_back(event, "1", ["headline"], by=None, lock_version=1)
        assert said(event)["headline"] == "Two."

    def test_unknown_and_foreign_saves_are_refused(self):
        other = entries(3)
        event = draft("One.")
        for name in ("3", "v1", "x"):
            with pytest.raises(WrongState):
                history.take_back(event, name, ["headline"], by=None)
        assert said(other)["headline"] == "Save 3."

    def test_text_of_a_redacted_version_never_comes_back(self):
        event = published("Secret address.", body="Secret body.")
        updated(event, headline="Secret address.", body="Other body.")
        updated(event, headline="Three.", body="Three.")
        publishing.redact(event, 1, by=None, note="A court order.")
        publishing.redact(event, 2, by=None, note="A court order.")
        for name in [f"v{number}" for number in range(1, 5)] + [str(number) for number in range(1, 12)]:
            with pytest.raises((WrongState, NothingChanged)):
                history.take_back(event, name, history.FIELDS, by=None)
        assert said(event)["headline"] == "Three."

    @pytest.mark.parametrize("name", ["1", "v1"])
    def test_category_that_is_gone_is_refused_and_the_rest_comes_back(self, name):
        event = draft("One.", category="Politics")
        publishing.publish(event, by=None)
        revise(event, **OTHER)
        Edition.objects.update(category=None)
        Category.objects.get(name="Politics").delete()
        before = said(event)
        with pytest.raises(WrongState, match="category is gone"):
            history.take_back(event, name, ["headline", "category"], by=None)
        assert said(event) == before
        history.take_back(event, name, ["headline"], by=None)
        assert said(event) == before | {"headline": "One."}
        Edition.objects.update(category=category("Politics"))

    @pytest.mark.parametrize("name", ["1", "v1", "live"])
    def test_no_category_comes_back_as_none(self, name):
        event = published("One.")
        revise(event, category="Politics")
        history.take_back(event, name, ["category"], by=None)
        assert said(event)["category"] is None

    def test_value_that_is_no_longer_allowed_is_refused(self):
        event = draft("One.")
        revise(event, headline="Two.")
        version = Version.objects.get_for_object(event).last()
        version.serialized_data = version.serialized_data.replace("One.", "One.\\u0007")
        version.save()
        with pytest.raises(ValidationError):
            history.take_back(event, "1", ["headline"], by=None)

    def test_permission_is_that_of_editing_this_entry(self):
        rita, rob = person("Reporter", "rita"), person("Reporter", "rob")
        event = drafts.save(Event(), by=rita, date=DAY, headline="One.")
        drafts.save(event, by=rita, headline="Two.")
        for by in (rob, person("", "nobody")):
            with pytest.raises(PermissionDenied):
                history.take_back(event, "1", ["headline"], by=by)
        history.take_back(event, "1", ["headline"], by=rita)
        drafts.submit(event, by=rita)
        with pytest.raises(PermissionDenied):
            history.take_back(event, "2", ["headline"], by=rita)
        history.take_back(event, "2", ["headline"], by=person("Editor", "ed"))
        assert said(event)["headline"] == "Two."


class TestRecover:
    def test_it_works(self):
        rita = person("Reporter", "rita")
        event = drafts.save(Event(), by=rita, date=DAY, headline="One.")
        revise(event, **FULL)
        wanted, before = said(event), Event.objects.get(pk=event.pk)
        drafts.delete(event, by=rita)
        back = history.recover(before.uid, by=rita)
        after = Event.objects.get(uid=before.uid)
        assert said(after) == wanted
        assert (after.pk, after.author, after.stage, after.created) == (
            before.pk,
            rita,
            "draft",
            before.created.replace(microsecond=before.created.microsecond // 1000 * 1000),
        )
        assert after.modified > before.modified
        assert back == after
        assert [(save.address, save.comment) for save in history.saves(after.pk)] == [
            ("4", "Recovered"),
            ("3", "Deleted"),
            ("2", ""),
            ("1", ""),
        ]
        assert history.saves(after.pk)[0].by == rita

    def test_draft_that_says_the_least_is_saved_too(self):
        event = draft("One.")
        uid = event.uid
        drafts.delete(event, by=None)
        event = history.recover(uid, by=None)
        assert history.saves(event.pk)[0].comment == "Recovered"

    def test_topics_are_those_of_today(self):
        event = draft(story="Bakou", topics=["Peking"])
        uid = event.uid
        drafts.delete(event, by=None)
        publishing.merge_topics(topic("Bakou"), topic("Baku"), by=None)
        publishing.rename_topic(topic("Peking"), "Beijing", by=None)
        event = history.recover(uid, by=None)
        assert set(event.topics.values_list("name", flat=True)) == {"Baku", "Beijing"}
        assert event.story.name == "Baku"

    def test_recovered_entry_can_be_written_submitted_and_published(self):
        event = draft("One.")
        uid = event.uid
        drafts.delete(event, by=None)
        event = history.recover(uid, by=None)
        revise(event, headline="Two.")
        drafts.submit(event, by=None)
        assert publishing.publish(event, by=None).document["headline"] == "Two."

    def test_entry_in_review_comes_back_as_draft(self):
        event = draft("One.")
        drafts.submit(event, by=None)
        uid = event.uid
        drafts.delete(event, by=None)
        assert history.recover(uid, by=None).stage == "draft"

    def test_what_has_to_change_comes_back(self):
        event = sent_back("Who says so?\nAnd when?")
        uid = revise(event, body="More.").uid
        drafts.delete(event, by=None)
        assert history.recover(uid, by=None).remark == "Who says so?\nAnd when?"
        assert Event.objects.get().remark == "Who says so?\nAnd when?"

    def test_what_was_settled_does_not(self):
        def submitted(event):
            drafts.submit(event, by=None)

        def taken_back_by_its_author(event):
            Event.objects.filter(pk=event.pk).update(author=person("Reporter"))
            drafts.submit(event, by=None)
            drafts.send_back(event, by=User.objects.get())

        def scheduled_meanwhile(event):
            publishing.schedule(event, by=None, issue=in_minutes(5, timezone.now()))
            revise(event, headline="Two.")
            publishing.unschedule(event, by=None)

        for settle in (submitted, taken_back_by_its_author, scheduled_meanwhile):
            event = sent_back("Who says so?")
            settle(event)
            drafts.delete(event, by=None)
            assert history.recover(event.uid, by=None).remark == ""

    def test_what_stands_is_not_recovered(self):
        event = draft("One.")
        uid = event.uid
        with pytest.raises(WrongState):
            history.recover(uid, by=None)
        drafts.delete(event, by=None)
        history.recover(uid, by=None)
        with pytest.raises(WrongState):
            history.recover(uid, by=None)
        assert history.deleted(None) == []

    def test_deleted_again_it_comes_back_as_it_was_last(self):
        event = draft("One.")
        uid = event.uid
        drafts.delete(event, by=None)
        event = revise(history.recover(uid, by=None), headline="Two.")
        drafts.delete(event, by=None)
        assert [entry.save.document["headline"] for entry in history.deleted(None)] == ["Two."]
        assert history.recover(uid, by=None).headline == "Two."

    def test_author_who_left_is_none(self):
        rita = person("Reporter", "rita")
        event = drafts.save(Event(), by=rita, date=DAY, headline="One.")
        uid = event.uid
        drafts.delete(event, by=rita)
        rita.delete()
        assert history.deleted(None)[0].author is None
        assert history.recover(uid, by=None).author is None

    def test_reporters_recover_their_own_and_editors_all(self):
        rita, rob, ed = person("Reporter", "rita"), person("Reporter", "rob"), person("Editor", "ed")
        of_rita = drafts.save(Event(), by=rita, date=DAY, headline="By Rita.")
        of_rob = drafts.save(Event(), by=rob, date=DAY, headline="By Rob.")
        uids = of_rita.uid, of_rob.uid
        for event in (of_rita, of_rob):
            drafts.delete(event, by=ed)
        found = {
            by and by.username: [entry.save.document["headline"] for entry in history.deleted(by)]
            for by in (rita, rob, ed, None, person("", "nobody"))
        }
        assert found == {
            "rita": ["By Rita."],
            "rob": ["By Rob."],
            "ed": ["By Rob.", "By Rita."],
            None: ["By Rob.", "By Rita."],
            "nobody": [],
        }
        for by in (rita, User.objects.get(username="nobody")):
            with pytest.raises(PermissionDenied):
                history.recover(uids[1], by=by)
        assert history.recover(uids[0], by=rita).author == rita
        assert history.recover(uids[1], by=ed).author == rob

    def test_list_is_bounded_and_its_queries_too(self):
        rita = person("Reporter", "rita")
        rita.user_permissions.add(Permission.objects.get(codename="view_event"))
        for number in range(12):
            event = drafts.save(Event(), by=rita, date=DAY, headline=f"Draft {number}.")
            drafts.delete(event, by=rita)
        rita.has_perm("events.add_event")
        for limit in (3, 10):
            with CaptureQueriesContext(connection) as queries:
                found = history.deleted(rita, limit=limit)
            assert len(found) == limit
            assert len(queries) <= 5
        assert found[0].save.document["headline"] == "Draft 11."
