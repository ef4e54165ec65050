"""The desk's own acts on a working copy: what is a save, where a copy stands after it, submitting and sending back."""

import pytest
from django.core.exceptions import ValidationError
from reversion.models import Revision, Version

from events import documents, drafts, history, previews, publishing
from events.models import Event
from events.refusals import NoteRequired, WrongState
from tests.test_permissions import scheduled, scheduled_over_live, soon, withdrawn
from tests.words import DAY, category, draft, person, published, revise, topic, topics, updated

pytestmark = pytest.mark.django_db
Stage = Event.Stage
AGENCY = ("Agency", "https://a.example/")


def saves(event):
    return Version.objects.get_for_object(event).count()


class TestSave:
    def test_same_values_are_no_save(self):
        event = draft("One.", topics=["a"], sources=[AGENCY], story="b")
        before = event.modified
        again = revise(event, headline="One.", topics=["b", "a"], sources=[AGENCY], story="b")
        assert saves(event) == 1
        assert (again.lock_version, again.modified) == (event.lock_version, before)

    @pytest.mark.parametrize(
        "values",
        [
            {"headline": "Two."},
            {"body": "More."},
            {"topics": ["a"]},
            {"topics": ["a", "b", "c"]},
            {"sources": []},
            {"sources": [("Agency", "https://b.example/")]},
            {"sources": [("Another", "https://a.example/")]},
            {"category": "Politics"},
            {"language": "fr"},
        ],
    )
    def test_every_part_of_an_entry_is_a_change(self, values):
        event = draft("One.", topics=["a", "b"], sources=[AGENCY])
        revise(event, **values)
        assert saves(event) == 2

    def test_order_of_sources_is_a_change(self):
        event = draft(sources=[AGENCY, ("B", "https://b.example/")])
        revise(event, sources=[("B", "https://b.example/"), AGENCY])
        assert [source.name for source in event.sources.all()] == ["B", "Agency"]
        assert saves(event) == 2

    def test_bad_value_leaves_everything_as_it_was(self):
        event = draft("One.", topics=["a"], sources=[AGENCY])
        with pytest.raises(ValidationError):
            revise(event, headline="Two.", topics=["b"], sources=[("Agency", "javascript:alert(1)")])
        event.refresh_from_db()
        assert (event.headline, event.sources.get().url, saves(event)) == ("One.", AGENCY[1], 1)
        assert [link.tag.name for link in event.topic_links.all()] == ["a"]

    def test_stage_is_no_value_and_nobody_jumps_one(self):
        reporter = person("Reporter")
        event = drafts.save(Event(), by=reporter, headline="One.", date=DAY)
        for stage in (Stage.REVIEW, Stage.READY):
            with pytest.raises(TypeError):
                drafts.save(event, by=reporter, headline="Two.", stage=stage)
        event.refresh_from_db()
        assert (event.headline, event.stage, saves(event)) == ("One.", Stage.DRAFT, 1)


class TestStage:
    def test_change_of_a_published_entry_makes_it_a_draft(self):
        event = revise(published("One."), headline="Two.")
        assert event.stage == Stage.DRAFT

    def test_taking_the_change_back_makes_it_ready_again(self):
        event = published("One.", topics=["a"], sources=[AGENCY], category="Politics")
        event = revise(event, headline="Two.", topics=["b"])
        assert revise(event, headline="One.", topics=["a"]).stage == Stage.READY

    def test_renamed_topic_is_no_change(self):
        event = published("One.", topics=["a", "c"])
        publishing.rename_topic(topic("a"), "b", by=None)
        event = revise(event, body="More.")
        assert revise(event, body="").stage == Stage.READY

    def test_change_after_scheduling_is_a_draft_beside_it(self):

        assert revise(scheduled_over_live(), headline="Third.").stage == Stage.DRAFT

    def test_cancelled_schedule_leaves_something_to_decide(self):

        event = scheduled()
        publishing.unschedule(event, by=None)
        event.refresh_from_db()
        assert event.stage == Stage.REVIEW

    def test_cancelled_schedule_over_a_copy_that_says_what_is_live_leaves_nothing_to_decide(self):
        event = scheduled_over_live(headline="One.")
        revise(event, headline="One.")
        publishing.unschedule(event, by=None)
        event.refresh_from_db()
        assert event.stage == Stage.READY

    def test_text_of_an_older_version_than_the_redacted_one_is_a_draft(self):
        event = published("One.")
        updated(event, headline="Two.")
        publishing.withdraw(event, by=None, note="It did not happen.")
        publishing.redact(event, 2, by=None, note="A private address.")
        assert revise(event, headline="One.").stage == Stage.DRAFT

    def test_draft_stays_one_until_it_is_submitted(self):
        assert revise(draft(), headline="Two.").stage == Stage.DRAFT


class TestReview:
    def test_it_works(self):
        reporter, editor = person("Reporter"), person("Editor")
        event = drafts.save(Event(), by=reporter, headline="One.", date=DAY)
        assert drafts.submit(event, by=reporter, comment="Two sources.").stage == Stage.REVIEW
        event = drafts.send_back(event, by=editor, comment="Who says so?")
        assert (event.stage, event.remark) == (Stage.DRAFT, "Who says so?")
        revision = Revision.objects.order_by("-pk").first()
        assert (revision.user, revision.comment) == (editor, "Sent back\nWho says so?")
        assert drafts.submit(event, by=reporter).remark == ""

    def test_author_needs_a_reason_when_it_is_another_who_sends_back(self):
        event = drafts.submit(draft(), by=None)
        with pytest.raises(NoteRequired):
            drafts.send_back(event, by=person("Editor"), comment=" ")

    def test_author_takes_back_without_a_reason(self):
        reporter = person("Reporter")
        event = drafts.save(Event(), by=reporter, headline="One.", date=DAY)
        drafts.submit(event, by=reporter)
        assert drafts.send_back(event, by=reporter).stage == Stage.DRAFT

    def test_only_a_draft_is_submitted_and_only_what_is_in_review_sent_back(self):
        event = draft()
        with pytest.raises(WrongState):
            drafts.send_back(event, by=None, comment="No.")
        drafts.submit(event, by=None)
        with pytest.raises(WrongState):
            drafts.submit(event, by=None)

    def test_comment_with_a_control_character_is_refused(self):
        event = drafts.submit(draft(), by=None)
        with pytest.raises(ValidationError):
            drafts.send_back(event, by=None, comment="Bell\x07")

    @pytest.mark.parametrize("comment", ["Bell\x07", "x" * 5_000])
    def test_comment_that_is_no_note_is_not_submitted(self, comment):
        event = draft()
        with pytest.raises(ValidationError):
            drafts.submit(event, by=None, comment=comment)
        event.refresh_from_db()
        assert (event.stage, saves(event)) == (Stage.DRAFT, 1)


class TestRemark:
    """What has to change is settled once the entry says what is published."""

    @pytest.fixture
    def event(self):
        event = drafts.submit(revise(published("One."), headline="Two."), by=None)
        return drafts.send_back(event, by=None, comment="Who says so?")

    def remark(self, event):
        return Event.objects.get(pk=event.pk).remark

    def test_it_is_there(self, event):
        assert self.remark(event) == "Who says so?"

    def test_publishing_settles_it(self, event):
        publishing.publish(event, by=None, kind="update")
        assert self.remark(event) == ""

    def test_scheduling_settles_it(self, event):
        publishing.schedule(event, by=None, kind="update", issue=soon())
        assert self.remark(event) == ""

    def test_taking_the_change_back_settles_it(self, event):
        event = revise(event, headline="One.")
        assert (event.stage, self.remark(event)) == (Stage.READY, "")

    def test_further_writing_does_not(self, event):
        revise(event, headline="Three.")
        assert self.remark(event) == "Who says so?"


class TestDeletedMeanwhile:
    @pytest.mark.parametrize(
        "act",
        [
            lambda event: drafts.save(event, headline="Another."),
            lambda event: drafts.submit(event, by=None),
            lambda event: drafts.send_back(event, by=None, comment="No."),
            lambda event: drafts.delete(event, by=None),
            lambda event: publishing.publish(event, by=None),
            lambda event: publishing.schedule(event, by=None, issue=soon()),
            lambda event: publishing.withdraw(event, by=None, note="It did not happen."),
            lambda event: previews.make(event, by=None, hours=1),
            lambda event: history.take_back(event, "1", ["headline"], by=None),
        ],
    )
    def test_every_act_says_so(self, act):
        event = draft()
        drafts.delete(event, by=None)
        with pytest.raises(WrongState, match="deleted in the meantime"):
            act(event)
        assert not Event.objects.exists()


class TestDelete:
    def test_it_works(self):
        event = draft(topics=["a"], sources=[AGENCY])
        drafts.delete(event, by=None)
        assert not Event.objects.exists()

    def test_what_was_public_or_is_scheduled_stays(self):

        for event in (published("One."), scheduled(headline="Two."), withdrawn(headline="Three.")):
            with pytest.raises(WrongState, match="Withdraw"):
                drafts.delete(event, by=None)
            assert Event.objects.filter(pk=event.pk).exists()


class TestDocuments:
    def test_document_and_values_are_each_other_s_inverse(self):
        event = draft(
            "One.", body="B.", topics=["a", "c"], story="b", category="Politics", sources=[AGENCY], language="fr"
        )
        values = drafts.values(drafts.document(event))
        assert values["category"] == category("Politics") and values["story"] == topic("b")
        assert set(values["topics"]) == set(topics("a", "b", "c"))
        copy = drafts.save(Event(), **values)
        assert documents.same(drafts.document(copy), drafts.document(event))

    def test_merged_topic_and_deleted_category_stand_for_what_they_mean_today(self):
        event = draft("One.", topics=["EU"], category="Gone")
        document = drafts.document(event)
        publishing.merge_topics(topic("EU"), topic("European Union"), by=None)
        revise(event, category=None)
        category("Gone").delete()
        values = drafts.values(document)
        assert (values["topics"], values["category"]) == ([topic("European Union")], None)
