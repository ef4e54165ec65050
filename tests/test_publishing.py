import datetime

import pytest
import time_machine
from django.contrib.auth.models import Permission, User
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import IntegrityError, transaction
from django.utils import timezone
from reversion.models import Revision, Version

from events import drafts, log, publishing, refusals, verifying
from events.models import (
    Address,
    Category,
    Edition,
    EditionTopic,
    Event,
    LogEntry,
    LogHead,
    RelatedChoice,
    Source,
    Topic,
)
from tests.words import draft, in_minutes, published, revise, topic, topics, updated

pytestmark = pytest.mark.django_db
NOON = datetime.datetime(2026, 11, 22, 12, 0, 20, tzinfo=datetime.UTC)


@pytest.fixture
def clock():
    with time_machine.travel(NOON, tick=False) as traveller:
        yield traveller


@pytest.fixture(autouse=True)
def whole_record(db):
    """Whatever a test does through the verbs, the record is whole afterwards."""
    yield
    assert list(verifying.problems()) == []


def kinds(event):
    return list(event.editions.order_by("number").values_list("kind", flat=True))


def log_kinds():
    return list(LogEntry.objects.values_list("kind", flat=True))


def current(event, at=None):
    return Edition.objects.current(at or timezone.now()).filter(event=event).first()


class TestPublish:
    def test_it_works(self, clock):
        event = draft(
            "Parliament adopts the budget.", topics=["Parliament"], sources=[("Agency", "https://a.example/")]
        )
        edition = publishing.publish(event, by=None)
        assert (edition.number, edition.kind, edition.issued) == (1, "publish", NOON)
        assert edition.document["headline"] == "Parliament adopts the budget."
        assert edition.document["sources"] == [{"name": "Agency", "url": "https://a.example/"}]
        assert current(event) == edition
        entry = LogEntry.objects.get()
        assert (entry.seq, entry.edition, entry.occurred, entry.recorded) == (1, edition, NOON, NOON)
        assert LogHead.objects.get().hash == entry.hash

    def test_later_edit_of_the_working_copy_changes_nothing_public(self):
        event = published("One.")
        revise(event, headline="Two.")
        assert current(event).document["headline"] == "One."

    def test_next_edition_supersedes_the_one_before(self, clock):
        event = published("One.")
        clock.shift(60)
        second = updated(event, headline="Two.")
        assert event.editions.get(number=1).superseded == second.issued == NOON + datetime.timedelta(seconds=60)
        assert current(event) == second
        assert current(event, NOON).number == 1

    def test_two_editions_in_one_second_leave_one_current(self, clock):
        event = published("One.")
        assert current(event) == Edition.objects.get(number=1)
        assert current(event) != updated(event, headline="Two.") == current(event)

    def test_equal_document_is_refused(self):
        event = published("One.", topics=["b", "a"])
        with pytest.raises(publishing.NothingChanged):
            updated(event, topics=["a", "b"])
        assert kinds(event) == ["publish"]

    def test_merged_topic_alone_makes_no_difference(self):
        event = published(topics=["EU"])
        publishing.merge_topics(topic("EU"), topic("European Union"), by=None)
        with pytest.raises(publishing.NothingChanged):
            publishing.publish(event, by=None, kind="update")

    def test_correction_needs_a_note(self):
        event = published("One.")
        with pytest.raises(publishing.NoteRequired):
            updated(event, "correction", headline="Two.", note="  ")
        assert updated(event, "correction", headline="Two.", note="It was two.").note == "It was two."

    def test_minor_change_of_facts_is_refused_naming_them(self):
        event = published("Twelve died.")
        with pytest.raises(publishing.NotMinor, match="headline"):
            updated(event, "minor", headline="Eleven died.")
        assert updated(event, "minor", headline="Twelve have died.").kind == "minor"

    def test_chief_overrides_minor_with_a_reason(self):
        editor = User.objects.create_user("editor")
        editor.user_permissions.add(Permission.objects.get(codename="publish_event"))
        event = revise(published("Twelve died."), headline="Eleven died.")
        with pytest.raises(PermissionDenied):
            publishing.publish(event, by=editor, kind="minor", override="typing slip")
        editor.user_permissions.add(Permission.objects.get(codename="override_minor"))
        edition = publishing.publish(event, by=User.objects.get(), kind="minor", override="typing slip")
        assert "typing slip" in edition.revision.comment

    @pytest.mark.parametrize("kind", ["update", "correction", "minor", "withdraw", "restore", "redact", ""])
    def test_first_version_is_published_as_such(self, kind):
        with pytest.raises(publishing.WrongKind):
            publishing.publish(draft(), by=None, kind=kind, note="x")

    @pytest.mark.parametrize("kind", ["publish", "withdraw", "restore", ""])
    def test_later_version_says_what_it_is(self, kind):
        event = published("One.")
        with pytest.raises(publishing.WrongKind):
            updated(event, kind, headline="Two.", note="x")

    def test_override_that_was_not_needed_is_not_kept(self):
        event = revise(published("Twelve died."), headline="Eleven died.")
        edition = publishing.publish(event, by=None, kind="update", override="left in the form")
        assert "form" not in edition.revision.comment

    def test_stale_lock_version_is_refused(self):
        event = draft("One.")
        seen = event.lock_version
        revise(event, headline="Two.")
        with pytest.raises(publishing.Stale):
            publishing.publish(event, by=None, lock_version=seen)
        publishing.publish(event, by=None, lock_version=seen + 1)

    def test_permission_is_checked_and_nothing_is_left(self):
        reporter = User.objects.create_user("reporter")
        event = draft()
        with pytest.raises(PermissionDenied):
            publishing.publish(event, by=reporter)
        assert not Edition.objects.exists() and not Address.objects.exists() and not LogEntry.objects.exists()

    def test_by_is_kept_in_the_log_and_in_the_history(self):
        editor = User.objects.create_superuser("editor")
        edition = publishing.publish(draft(), by=editor)
        assert edition.log_entries.get().by == edition.revision.user == editor

    def test_save_that_it_was_frozen_from_holds_topics_and_sources(self):
        event = published(topics=["a", "b"], sources=[("Agency", "https://a.example/")])
        models = [version.content_type.model for version in event.editions.get().revision.version_set.all()]
        assert sorted(models) == ["event", "eventtopic", "eventtopic", "source"]

    def test_pruning_the_history_keeps_the_record(self):
        event = published()
        Revision.objects.all().delete()
        assert current(event).revision is None

    def test_overlong_note_is_refused(self):
        with pytest.raises(ValidationError, match="Shorten"):
            publishing.publish(draft(), by=None, note="a" * 2_001)

    def test_clock_that_went_back_never_issues_before_the_edition_before(self, clock):
        event = published("One.")
        clock.shift(-3600)
        edition = updated(event, headline="Two.")
        assert edition.issued == NOON
        assert list(LogEntry.objects.values_list("recorded", flat=True)) == [NOON, NOON]

    @pytest.mark.django_db(transaction=True, serialized_rollback=True)
    def test_it_refuses_to_run_inside_another_transaction(self):
        event = draft()
        with transaction.atomic(), pytest.raises(RuntimeError):
            publishing.publish(event, by=None)


class TestAddresses:
    def test_slug_that_is_taken_gets_a_number(self):
        slugs = [published("The same headline.").editions.get().slug for _ in range(3)]
        assert slugs == ["the-same-headline", "the-same-headline-2", "the-same-headline-3"]

    def test_headline_taken_back_gets_its_address_back(self):
        published("One.")
        event = published("One.")
        updated(event, headline="Two.")
        edition = updated(event, headline="One.")
        assert edition.slug == "one-2"
        assert event.addresses.count() == 2

    def test_other_date_is_another_address_and_the_old_one_stays(self):
        event = published("One.")
        updated(event, date=datetime.date(2017, 2, 26))
        assert sorted(event.addresses.values_list("date", "slug")) == [
            (datetime.date(2017, 2, 25), "one"),
            (datetime.date(2017, 2, 26), "one"),
        ]

    def test_index_is_reserved(self):
        assert published("Index").editions.get().slug == "index-2"


class TestSchedule:
    def test_edition_becomes_public_by_the_clock_alone(self, clock):
        event = draft("One.")
        issue = in_minutes(2, NOON)
        edition = publishing.schedule(event, by=None, issue=issue)
        assert current(event) is None and not LogEntry.objects.exists()
        clock.move_to(issue - datetime.timedelta(seconds=1))
        assert current(event) is None
        clock.move_to(issue)
        assert current(event) == edition

    def test_settling_logs_what_is_due_in_order_and_once(self, clock):
        events = [draft(f"Entry {number}.") for number in range(4)]
        for minutes, event in zip((3, 1, 2, 1), events, strict=True):
            publishing.schedule(event, by=None, issue=in_minutes(minutes, NOON))
        clock.move_to(in_minutes(2, NOON))
        assert [publishing.settle(), publishing.settle()] == [3, 0]
        due = sorted([events[1], events[3]], key=lambda event: event.uid)
        assert [entry.event for entry in LogEntry.objects.all()] == [*due, events[2]]
        assert {entry.recorded for entry in LogEntry.objects.all()} == {in_minutes(2, NOON)}

    def test_due_edition_is_logged_before_any_other_act(self, clock):
        event = draft("One.")
        publishing.schedule(event, by=None, issue=in_minutes(1, NOON))
        clock.move_to(in_minutes(5, NOON))
        published("Two.")
        assert LogEntry.objects.first().event == event
        assert LogEntry.objects.first().occurred == in_minutes(1, NOON)

    def test_who_scheduled_it_is_who_the_log_names(self, clock):
        editor = User.objects.create_superuser("editor")
        publishing.schedule(draft(), by=editor, issue=in_minutes(1, NOON))
        clock.shift(60)
        publishing.settle()
        assert LogEntry.objects.get().by == editor

    @pytest.mark.parametrize(
        "issue",
        [
            NOON.replace(second=0),
            NOON + datetime.timedelta(minutes=1),
            in_minutes(1, NOON) + datetime.timedelta(microseconds=1),
            in_minutes(1, NOON).replace(tzinfo=None),
            NOON - datetime.timedelta(days=1),
        ],
    )
    def test_only_whole_minutes_ahead_are_taken(self, clock, issue):
        with pytest.raises(publishing.BadMoment):
            publishing.schedule(draft(), by=None, issue=issue)

    def test_one_pending_edition_at_most(self, clock):
        event = published("One.")
        publishing.schedule(revise(event, headline="Two."), by=None, issue=in_minutes(1, NOON), kind="update")
        revise(event, headline="Three.")
        with pytest.raises(publishing.Pending):
            publishing.schedule(event, by=None, issue=in_minutes(2, NOON), kind="update")
        with pytest.raises(publishing.Pending):
            publishing.publish(event, by=None, kind="update")

    def test_later_edits_are_for_the_next_edition(self, clock):
        event = draft("One.")
        publishing.schedule(event, by=None, issue=in_minutes(1, NOON))
        revise(event, headline="Two.")
        clock.shift(60)
        assert current(event).document["headline"] == "One."
        assert publishing.publish(event, by=None, kind="update").number == 2

    def test_unscheduling_gives_back_number_interval_and_address(self, clock):
        event = published("One.")
        publishing.schedule(revise(event, headline="Two."), by=None, issue=in_minutes(1, NOON), kind="update")
        publishing.unschedule(event, by=None)
        assert event.editions.get().superseded is None
        assert event.addresses.get().slug == "one"
        clock.shift(3600)
        assert current(event).document["headline"] == "One."

    @pytest.mark.parametrize(
        "drop", [publishing.unschedule, lambda event, by: publishing.withdraw(event, by=by, note="It did not happen.")]
    )
    def test_note_of_what_was_dropped_stays_in_the_history(self, clock, drop):
        event = revise(published("One."), headline="Two.")
        edition = publishing.schedule(
            event, by=None, issue=in_minutes(1, NOON), kind="correction", note="We were wrong.\nTwice."
        )
        drop(event, by=None)
        comment = Revision.objects.get(pk=edition.revision_id).comment
        first, rest = comment.split("\n", 1)
        assert first.startswith("Edition 2 (correction)")
        assert rest == "Note: We were wrong.\nTwice."

    def test_due_edition_cannot_be_unscheduled(self, clock):
        event = draft("One.")
        publishing.schedule(event, by=None, issue=in_minutes(1, NOON))
        clock.move_to(in_minutes(1, NOON))
        with pytest.raises(publishing.NotPending):
            publishing.unschedule(event, by=None)
        publishing.settle()

    def test_nothing_scheduled_cannot_be_unscheduled(self):
        with pytest.raises(publishing.NotPending):
            publishing.unschedule(published(), by=None)


class TestWithdraw:
    def test_it_takes_every_version_from_the_public(self):
        event = published("One.")
        updated(event, headline="Two.")
        edition = publishing.withdraw(event, by=None, note="A court ordered it.")
        assert (edition.number, edition.kind, edition.document, edition.salt) == (3, "withdraw", None, "")
        assert current(event) is None
        assert not Edition.objects.issued_by(timezone.now()).exists()
        assert LogEntry.objects.last().note == "A court ordered it."

    def test_it_needs_a_reason(self):
        event = published()
        with pytest.raises(publishing.NoteRequired):
            publishing.withdraw(event, by=None, note=" ")

    def test_draft_and_withdrawn_are_refused(self):
        with pytest.raises(publishing.WrongState):
            publishing.withdraw(draft(), by=None, note="x")
        event = published()
        publishing.withdraw(event, by=None, note="x")
        with pytest.raises(publishing.WrongState):
            publishing.withdraw(event, by=None, note="x")

    def test_scheduled_first_version_is_no_public_one(self, clock):
        event = draft()
        publishing.schedule(event, by=None, issue=in_minutes(1, NOON))
        with pytest.raises(publishing.WrongState, match="Cancel its schedule"):
            publishing.withdraw(event, by=None, note="x")
        assert event.editions.count() == 1

    def test_pending_edition_goes_with_it(self, clock):
        event = published("One.")
        publishing.schedule(revise(event, headline="Two."), by=None, issue=in_minutes(1, NOON), kind="update")
        publishing.withdraw(event, by=None, note="x")
        clock.shift(3600)
        assert kinds(event) == ["publish", "withdraw"]
        assert current(event) is None

    @pytest.mark.parametrize("kind", ["update", "correction", "minor"])
    def test_withdrawn_event_cannot_be_published(self, kind):
        event = published("One.")
        publishing.withdraw(event, by=None, note="x")
        with pytest.raises(publishing.WrongState):
            updated(event, kind, headline="Two.", note="x")


class TestRestore:
    def test_record_comes_back_as_an_equal_document_and_the_gap_stays(self, clock):
        event = published("One.", topics=["a"])
        clock.shift(60)
        publishing.withdraw(event, by=None, note="x")
        clock.shift(60)
        revise(event, headline="Two.")
        edition = publishing.restore(event, by=None, note="It was right.")
        first = event.editions.get(number=1)
        assert edition.document == first.document and edition.slug == first.slug
        assert edition.salt != first.salt
        assert current(event) == edition
        assert current(event, NOON) == first
        assert current(event, NOON + datetime.timedelta(seconds=90)) is None

    def test_only_a_withdrawn_event_is_restored(self):
        with pytest.raises(publishing.WrongState):
            publishing.restore(published(), by=None)

    def test_redacted_text_does_not_come_back(self):
        event = published("One.")
        publishing.withdraw(event, by=None, note="x")
        publishing.redact(event, 1, by=None, note="A court ordered it.")
        with pytest.raises(publishing.WrongState):
            publishing.restore(event, by=None)


class TestRedact:
    def test_it_leaves_a_stub(self):
        event = published("One secret.", body="Secret body.", topics=["a"], category="Sports")
        updated(event, headline="Two.", body="Other.")
        edition = publishing.redact(event, 1, by=None, note="A private address.")
        edition.refresh_from_db()
        assert edition.redacted
        assert (edition.salt, edition.note, edition.slug, edition.category) == ("", "", "", None)
        assert not EditionTopic.objects.filter(edition=edition).exists()
        assert [address.slug for address in event.addresses.all()] == ["two"]
        assert LogEntry.objects.last().note == "A private address."

    def test_saves_with_the_same_headline_or_body_lose_it(self):
        event = published("One secret.", body="Secret body.")
        revise(event, headline="Between.")
        updated(event, headline="Two.", body="Other.")
        publishing.redact(event, 1, by=None, note="x")
        kept = " ".join(Version.objects.values_list("serialized_data", flat=True))
        assert "secret" not in kept and "Secret" not in kept
        assert "Two." in kept

    def test_what_editors_wrote_beside_those_saves_goes_too(self):
        event = draft("One secret.", comment="names the secret street")
        publishing.publish(event, by=None)
        event = revise(event, headline="Two secrets.", comment="another secret")
        publishing.publish(event, by=None, kind="minor", override="the secret's reason")
        updated(event, headline="Three.")
        for number in (1, 2):
            publishing.redact(event, number, by=None, note="x")
        comments = Revision.objects.values_list("comment", flat=True)
        assert not any("secret" in comment for comment in comments)
        assert any(comment.startswith("Edition 3 (update)") for comment in comments)

    def test_what_has_to_change_may_quote_it_and_goes_too(self):
        event = published("One secret.")
        event = drafts.submit(revise(updated(event, headline="Two.").event, headline="Three."), by=None)
        drafts.send_back(event, by=None, comment="Say nothing of the secret.")
        publishing.redact(event, 1, by=None, note="x")
        event.refresh_from_db()
        assert (event.stage, event.remark) == ("draft", "")

    def test_note_that_was_never_public_goes_with_its_text(self, clock):
        event = revise(published("One."), headline="Two secrets.")
        publishing.schedule(event, by=None, issue=in_minutes(1, NOON), kind="update", note="The secret is known.")
        publishing.unschedule(event, by=None)
        publishing.publish(event, by=None, kind="update")
        updated(event, headline="Three.")
        assert Revision.objects.filter(comment__contains="secret").exists()
        publishing.redact(event, 2, by=None, note="x")
        assert not Revision.objects.filter(comment__contains="secret").exists()

    def test_note_of_a_redacted_correction_goes_from_the_log_too(self):
        event = published("One.")
        updated(event, "correction", headline="Two.", note="Secret note.")
        updated(event, headline="Three.")
        publishing.redact(event, 2, by=None, note="x")
        assert not LogEntry.objects.filter(note__contains="Secret").exists()

    def test_current_pending_and_textless_editions_are_refused(self, clock):
        event = published("One.")
        publishing.schedule(revise(event, headline="Two."), by=None, issue=in_minutes(1, NOON), kind="update")
        for number in (1, 2, 3):
            with pytest.raises(publishing.WrongState):
                publishing.redact(event, number, by=None, note="x")
        clock.shift(60)
        publishing.redact(event, 1, by=None, note="x")
        with pytest.raises(publishing.WrongState):
            publishing.redact(event, 1, by=None, note="x")

    def test_address_that_another_edition_bears_stays(self):
        event = published("One.", body="a")
        updated(event, body="b")
        publishing.redact(event, 1, by=None, note="x")
        assert event.addresses.get().slug == "one"

    def test_freed_address_can_be_given_again(self):
        event = published("One.")
        updated(event, headline="Two.")
        publishing.redact(event, 1, by=None, note="x")
        assert published("One.").editions.get().slug == "one"

    def test_where_the_text_still_stands_is_told(self):
        event = published("One.", body="Shared body.")
        updated(event, headline="Two.")
        twins = [
            published("One."),
            published("Other.", body="Shared body."),
            draft("One."),
            draft("x", body="Shared body."),
        ]
        published("Another.")
        places = publishing.other_places(event.editions.get(number=1))
        assert [edition.number for edition in places["editions"]] == [2]
        assert places["working_copy"] is True
        assert places["events"] == twins


class TestTopics:
    def test_merge_moves_events_and_keeps_the_name_as_alias(self):
        event = published(topics=["EU", "Trade"], story="EU")
        both = published("Both.", topics=["EU", "European Union"])
        publishing.merge_topics(topic("EU"), topic("European Union"), by=None)
        alias, into = topic("EU"), topic("European Union")
        assert alias.alias_of == into
        event.refresh_from_db()
        assert event.story == into
        assert [link.tag for link in both.topic_links.all()] == [into]
        assert event.editions.get().document["story"]["name"] == "EU"
        assert {row.topic_id for row in EditionTopic.objects.filter(edition__event=event)} == {
            into.pk,
            topic("Trade").pk,
        }
        assert (into.uses, alias.uses) == (2, 0)
        assert LogEntry.objects.last().note == "EU → European Union"

    def test_merge_follows_aliases_and_refuses_circles(self):
        first, second, third = topics("One", "Two", "Three")
        publishing.merge_topics(first, second, by=None)
        publishing.merge_topics(second, third, by=None)
        assert topic("One").canonical == third
        with pytest.raises(publishing.BadTopic):
            publishing.merge_topics(third, first, by=None)

    def test_the_name_of_a_topic_that_was_never_public_is_corrected_in_silence(self):
        event = draft(topics=["Canary"])
        renamed = publishing.rename_topic(topic("Canary"), "Bird", by=None)
        assert (renamed.name, renamed.slug, renamed.key) == ("Bird", "bird", "bird")
        assert [link.tag for link in event.topic_links.all()] == [renamed]
        assert not Topic.objects.filter(key="canary").exists()
        assert not LogEntry.objects.exists()
        assert list(verifying.problems()) == []

    @pytest.mark.parametrize(
        "act",
        [
            lambda canary: publishing.rename_topic(canary, "Bird", by=None),
            lambda canary: publishing.merge_topics(canary, topic("Bird"), by=None),
        ],
    )
    def test_the_log_tells_no_topic_of_a_version_that_waits_for_its_hour(self, act):
        publishing.schedule(draft(topics=["Canary"]), by=None, issue=in_minutes(1, timezone.now()))
        with pytest.raises(refusals.WrongState, match="waits for its hour"):
            act(topic("Canary"))
        assert not LogEntry.objects.exists()

    def test_rename_keeps_the_old_name_as_alias_and_the_slug_as_redirect(self):
        event = published(topics=["Burma"])
        renamed = publishing.rename_topic(topic("Burma"), "Myanmar", by=None)
        assert (renamed.name, renamed.slug) == ("Myanmar", "myanmar")
        assert topic("Burma").slug == "burma"
        assert topic("Burma").canonical == renamed
        assert [row.topic for row in EditionTopic.objects.filter(edition__event=event)] == [renamed]

    def test_renaming_back_swaps_the_names(self):
        published(topics=["Burma"])
        publishing.rename_topic(topic("Burma"), "Myanmar", by=None)
        back = publishing.rename_topic(topic("Myanmar"), "Burma", by=None)
        assert back.slug == "burma"
        assert topic("Myanmar").canonical == back

    def test_another_spelling_of_the_same_name_makes_no_alias(self):
        published(topics=["cassini-huygens"])
        publishing.rename_topic(topic("cassini-huygens"), "Cassini–Huygens", by=None)
        assert [row.name for row in Topic.objects.all()] == ["Cassini–Huygens"]

    def test_name_of_another_topic_is_refused(self):
        topics("One", "Two")
        with pytest.raises(publishing.BadTopic):
            publishing.rename_topic(topic("One"), "two", by=None)

    def test_alias_is_added_and_taken_names_are_refused(self):
        published(topics=["European Union"])
        publishing.add_alias(topic("European Union"), "EU", by=None)
        assert topic("eu").canonical == topic("European Union")
        with pytest.raises(publishing.BadTopic):
            publishing.add_alias(topic("European Union"), "eu", by=None)

    def test_uses_count_events_by_their_latest_edition(self, clock):
        event = published("One.", topics=["a", "b"])
        published("Other.", topics=["a"])
        updated(event, topics=["b", "c"])
        publishing.schedule(draft("Later.", topics=["a"]), by=None, issue=in_minutes(1, NOON))
        uses = dict(Topic.objects.values_list("name", "uses"))
        assert uses == {"a": 1, "b": 1, "c": 1}
        publishing.withdraw(event, by=None, note="x")
        assert topic("b").uses == 0

    @pytest.mark.parametrize("bears", ["a", "b"])
    def test_merge_counts_what_falls_due_with_it(self, clock, bears):
        published("One.", topics=["a"])
        published("Other.", topics=["b"])
        publishing.schedule(draft("Due.", topics=[bears]), by=None, issue=in_minutes(1, NOON))
        clock.shift(120)
        publishing.merge_topics(topic("a"), topic("b"), by=None)
        assert dict(Topic.objects.values_list("name", "uses")) == {"a": 0, "b": 3}


class TestRelatedChoices:
    def test_choice_is_kept_changed_and_taken_back(self):
        one, other = published("One."), published("Other.")
        before = LogHead.objects.get().changed
        publishing.choose_related(one, other, by=None, shown=True)
        publishing.choose_related(one, other, by=None, shown=False)
        assert RelatedChoice.objects.get().shown is False
        publishing.choose_related(one, other, by=None, shown=None)
        assert not RelatedChoice.objects.exists()
        assert LogHead.objects.get().changed == before + 3

    def test_event_is_not_related_to_itself(self):
        event = published()
        with pytest.raises(publishing.WrongState):
            publishing.choose_related(event, event, by=None, shown=True)


VERBS = {
    "publish": lambda event, by: publishing.publish(event, by=by),
    "schedule": lambda event, by: publishing.schedule(event, by=by, issue=in_minutes(2, timezone.now())),
    "unschedule": lambda event, by: publishing.unschedule(event, by=by),
    "withdraw": lambda event, by: publishing.withdraw(event, by=by, note="x"),
    "restore": lambda event, by: publishing.restore(event, by=by),
    "redact": lambda event, by: publishing.redact(event, 1, by=by, note="x"),
    "merge": lambda event, by: publishing.merge_topics(topic("a"), topic("b"), by=by),
    "rename": lambda event, by: publishing.rename_topic(topic("a"), "c", by=by),
    "alias": lambda event, by: publishing.add_alias(topic("a"), "c", by=by),
    "related": lambda event, by: publishing.choose_related(event, draft(), by=by, shown=True),
}


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_asks_for_permission(verb):
    nobody = User.objects.create_user("nobody")
    with pytest.raises(PermissionDenied):
        VERBS[verb](draft(), nobody)


class TestDrafts:
    def test_save_is_one_entry_of_the_history(self):
        event = draft("One.", topics=["a"], sources=[("A", "https://a.example/"), ("B", "https://b.example/")])
        revise(event, headline="Two.", topics=["b"], sources=[("B", "https://b.example/")])
        assert Revision.objects.count() == 2
        assert [link.tag.name for link in event.topic_links.all()] == ["b"]
        assert list(event.sources.values_list("position", "name")) == [(1, "B")]

    def test_story_is_put_among_the_topics(self):
        event = draft(story="Brexit", topics=[])
        assert [link.tag.name for link in event.topic_links.all()] == ["Brexit"]

    def test_stale_save_is_refused_and_changes_nothing(self):
        event = draft("One.")
        seen = event.lock_version
        revise(event, headline="Two.")
        with pytest.raises(drafts.Stale):
            revise(event, headline="Three.", lock_version=seen)
        event.refresh_from_db()
        assert event.headline == "Two."

    @pytest.mark.parametrize(
        ("values", "field"),
        [
            ({"headline": ""}, "headline"),
            ({"headline": "a" * 2_001}, "headline"),
            ({"headline": "a\x0bb"}, "headline"),
            ({"headline": " a"}, "headline"),
            ({"sources": [("A ", "https://a.example/")]}, "name"),
            ({"headline": "a\u202eb"}, "headline"),
            ({"body": "a" * 50_001}, "body"),
            ({"body": "\ud800"}, "body"),
            ({"date": timezone.localdate() + datetime.timedelta(days=2)}, "date"),
            ({"language": "English please"}, "language"),
            ({"topics": [f"Topic {number}" for number in range(61)]}, "topics"),
            ({"sources": [("A", f"https://a.example/{number}") for number in range(51)]}, "sources"),
            ({"sources": [("A", "javascript:alert(1)")]}, "url"),
            ({"sources": [("A\u202e", "https://a.example/")]}, "name"),
            ({"origin": {"name": "x"}}, "origin"),
        ],
    )
    def test_input_that_could_hurt_is_refused_by_field(self, values, field):
        with pytest.raises(ValidationError) as refusal:
            draft(**values)
        assert list(refusal.value.message_dict) == [field]
        assert not Event.objects.exists()

    def test_what_was_slipped_past_the_desk_is_refused_when_published(self):
        event = draft(sources=[("A", "https://a.example/")])
        Source.objects.update(url="javascript:alert(1)")
        with pytest.raises(ValidationError):
            publishing.publish(event, by=None)

    @pytest.mark.parametrize(("model", "name"), [(Topic, "Vote"), (Category, "Politics")])
    def test_name_that_was_slipped_past_the_desk_is_refused_too(self, model, name):
        event = draft(topics=["Vote"], category="Politics")
        model.objects.update(name=f"{name}\u202e")
        with pytest.raises(ValidationError):
            publishing.publish(event, by=None)
        model.objects.update(name=name)

    def test_field_that_does_not_exist_is_an_error_of_the_program(self):
        with pytest.raises(TypeError):
            draft(title="x")


class TestConstraints:
    """What the database itself refuses, whoever writes."""

    @pytest.mark.parametrize(
        "values",
        [
            {"number": 1},
            {"superseded": None},
            {"kind": "edit"},
            {"kind": "publish"},
            {"document": None},
            {"slug": ""},
            {"salt": ""},
            {"superseded": NOON - datetime.timedelta(days=9_999)},
        ],
    )
    def test_editions(self, values):
        event = published("One.")
        updated(event, headline="Two.")
        third = updated(event, headline="Three.")
        target = event.editions.get(number=2)
        with pytest.raises(IntegrityError), transaction.atomic():
            Edition.objects.filter(pk=target.pk).update(**values)
        assert third.number == 3

    def test_address_is_given_once(self):
        address = published().addresses.get()
        with pytest.raises(IntegrityError), transaction.atomic():
            Address.objects.create(date=address.date, slug=address.slug, event=draft("Another."))

    def test_log_has_one_head_and_each_edition_once(self):
        entry = published().log_entries.get()
        with pytest.raises(IntegrityError), transaction.atomic():
            LogHead.objects.create(id=2)
        entry.seq, entry.hash, entry.previous = 2, "a" * 64, "b" * 64
        with pytest.raises(IntegrityError), transaction.atomic():
            entry.save(force_insert=True)


def test_hash_covers_what_partners_are_told():
    entry = published().log_entries.get()
    members = log.hashed_members(entry, entry.event.uid, 1)
    assert list(members) == ["seq", "kind", "event", "edition", "occurred", "recorded", "commitment", "previous"]
    assert members["previous"] == "0" * 64
