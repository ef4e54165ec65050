"""Decisions about several entries at once: each by its service, each refusal told, nothing by GET."""

import datetime

import pytest
from django.contrib.messages import get_messages
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from events import drafts, publishing
from events.models import AuditEntry, Edition, Event
from tests.words import draft, in_minutes, person, published, revise, updated

pytestmark = pytest.mark.django_db

LIST = "/desk/events/event/"


@pytest.fixture
def reporter():
    return person("Reporter", "rita")


@pytest.fixture
def chief():
    return person("Chief", "carl")


@pytest.fixture
def desk(client, chief):
    client.force_login(chief)
    return client


def address(verb):
    return f"{LIST}bulk/{verb}/"


def chosen(*events, **typed):
    """What the list or the page sends of these entries, ticked as they stand now."""
    events = Event.objects.in_bulk([event.pk for event in events]).values()
    return {
        "entry": [event.pk for event in events],
        "listed": [event.pk for event in events],
        **{f"lock_{event.pk}": event.lock_version for event in events},
        **typed,
    }


def ask(client, verb, *events):
    asked = chosen(*events)
    del asked["listed"]
    return client.get(address(verb), asked)


def decide(client, verb, *events, **typed):
    return client.post(address(verb), chosen(*events, **typed))


def left(answer):
    """What is still to do: headline -> (whether it is ticked, what is said of it)."""
    return {choice.event.headline: (choice.ticked, choice.problem) for choice in answer.context["choices"]}


def said(answer):
    return [str(message) for message in get_messages(answer.wsgi_request)]


def in_review(headline, author):
    event = draft(headline, by=author)
    drafts.submit(event, by=author)
    return event


class TestThePage:
    def test_it_lists_the_chosen_with_what_would_change(self, desk):
        one = published("Parliament adopts the budget.", topics=["Budget"])
        updated(one, sources=[("The Gazette", "https://example.org/")])
        revise(one, headline="Parliament rejects the budget.", body="By one vote.", topics=["Budget", "Vote"])
        answer = ask(desk, "publish", one, draft("A new one."))
        assert {choice.event.headline: choice.change for choice in answer.context["choices"]} == {
            "A new one.": "Not public yet.",
            "Parliament rejects the budget.": "Body changed; 1 word replaced in the headline; topic Vote added.",
        }
        assert left(answer) == {"A new one.": (True, ""), "Parliament rejects the budget.": (True, "")}

    def test_nothing_is_done_by_asking(self, desk, reporter):
        events = [draft("a"), in_review("b", reporter), published("c")]
        before = list(Event.objects.values_list("lock_version", "stage", "withdrawn"))
        for verb in ("submit", "send-back", "publish", "schedule", "unschedule", "withdraw", "delete"):
            answer = desk.get(address(verb), chosen(*events, note="x", kind="update", issue="2090-01-01T10:00"))
            assert answer.status_code == 200
        assert list(Event.objects.values_list("lock_version", "stage", "withdrawn")) == before
        assert Edition.objects.count() == 1

    def test_what_it_does_not_apply_to_is_not_ticked(self, desk, reporter):
        answer = ask(desk, "submit", draft("a"), in_review("b", reporter))
        assert left(answer) == {"a": (True, ""), "b": (False, "This does not apply to the entry as it stands.")}

    def test_what_was_changed_since_the_list_was_made_is_not_ticked(self, desk):
        event = draft("a")
        asked = chosen(event)
        revise(event, headline="b")
        assert left(desk.get(address("submit"), asked))["b"][0] is False

    def test_no_entry_leads_back_to_the_list_as_it_was(self, desk):
        answer = desk.get(address("publish"), {"filters": "stage=draft&q=a%20b", "entry": "x"})
        assert (answer.status_code, answer["Location"]) == (302, f"{LIST}?stage=draft&q=a%20b")
        assert said(answer) == ["Tick the entries first, then choose what to do with them."]

    def test_more_than_a_hundred_are_refused(self, desk):
        event = draft()
        answer = desk.post(address("submit"), {"entry": [event.pk, *range(event.pk + 1, event.pk + 101)]})
        assert said(answer) == ["Choose 100 entries at most; these are 101."]
        event.refresh_from_db()
        assert event.stage == "draft"

    def test_what_is_no_verb_is_not_there(self, desk):
        assert desk.get(address("redact")).status_code == 404
        assert desk.post(address("restore"), {"entry": [1]}).status_code == 404

    def test_queries_do_not_grow_with_what_is_chosen(self, desk):
        def queries(events):
            with CaptureQueriesContext(connection) as captured:
                assert ask(desk, "publish", *events).status_code == 200
            return len(captured)

        events = []
        for number in range(12):
            event = published(f"entry {number}", topics=["a", f"b{number}"], story="c", category="Politics")
            events.append(revise(event, body="More.", sources=[("The Gazette", "https://example.org/")]))
        assert queries(events[:3]) == queries(events) <= 25


class TestVerbs:
    def test_drafts_are_submitted(self, desk, reporter):
        events = [draft("a", by=reporter), draft("b", by=reporter)]
        answer = decide(desk, "submit", *events, note="Both checked.", filters="stage=draft")
        assert (answer.status_code, answer["Location"]) == (302, f"{LIST}?stage=draft")
        assert said(answer) == ["2 entries: Submitted. An editor has it now."]
        assert set(Event.objects.values_list("stage", flat=True)) == {"review"}

    def test_entries_are_sent_back_with_a_comment(self, desk, reporter):
        decide(desk, "send-back", in_review("a", reporter), in_review("b", reporter), note="Name the town.")
        assert set(Event.objects.values_list("stage", "remark")) == {("draft", "Name the town.")}

    def test_first_versions_and_updates_are_published_together(self, desk):
        live = published("live")
        revise(live, body="More.")
        decide(desk, "publish", draft("new"), live, kind="correction", note="It was ten.")
        last = Edition.objects.filter(superseded=None).values_list("event__headline", "kind", "note")
        assert set(last) == {("new", "publish", "It was ten."), ("live", "correction", "It was ten.")}

    def test_first_versions_need_no_kind(self, desk):
        assert decide(desk, "publish", draft("a"), draft("b")).status_code == 302
        assert Edition.objects.filter(kind="publish").count() == 2

    def test_entries_are_scheduled_and_the_schedule_is_cancelled(self, desk):
        events = [draft("a"), draft("b")]
        issue = in_minutes(60, timezone.now())
        assert decide(desk, "schedule", *events, issue=f"{issue:%Y-%m-%dT%H:%M}").status_code == 302
        assert set(Edition.objects.values_list("issued", flat=True)) == {issue}
        assert decide(desk, "unschedule", *events).status_code == 302
        assert not Edition.objects.exists()

    def test_entries_are_withdrawn_with_a_reason(self, desk):
        assert decide(desk, "withdraw", published("a"), published("b"), note="A court order.").status_code == 302
        assert Event.objects.filter(withdrawn=True).count() == 2

    def test_drafts_are_deleted_and_the_audit_names_them(self, desk):
        event = draft("a")
        assert decide(desk, "delete", event).status_code == 302
        assert not Event.objects.exists()
        entry = AuditEntry.objects.get(verb="delete")
        assert (entry.verb, entry.outcome, entry.event, entry.subject) == ("delete", "done", None, str(event.uid))


class TestRefusals:
    def test_what_is_refused_stays_with_the_reason_and_what_was_typed(self, desk):
        same, other = published("same"), published("other")
        revise(other, body="More.")
        answer = decide(desk, "publish", same, other, kind="update", note="As of noon.")
        assert answer.status_code == 400
        assert left(answer) == {"same": (True, "Nothing differs from the version that readers see.")}
        assert [choice.event.headline for choice in answer.context["done"]] == ["other"]
        assert answer.context["form"]["note"].value() == "As of noon."
        assert other.editions.count() == 2
        revise(same, body="More.")
        assert decide(desk, "publish", same, kind="update", note="As of noon.").status_code == 302

    def test_a_stale_entry_is_refused_and_has_to_be_ticked_again(self, desk):
        one, two = draft("one"), draft("two")
        sent = chosen(one, two)
        revise(one, headline="changed")
        answer = desk.post(address("publish"), sent)
        assert answer.status_code == 409
        ticked, problem = left(answer)["changed"]
        assert (ticked, problem[:27]) == (False, "This entry was changed by s")
        assert list(Edition.objects.values_list("event", flat=True)) == [two.pk]
        one.refresh_from_db()
        assert f'name="lock_{one.pk}" value="{one.lock_version}"' in answer.content.decode()

    def test_without_the_version_that_was_seen_nothing_is_done(self, desk):
        event = draft()
        assert desk.post(address("publish"), {"entry": [event.pk]}).status_code == 409
        assert desk.post(address("publish"), {"entry": [event.pk], f"lock_{event.pk}": "x"}).status_code == 409
        assert not Edition.objects.exists()

    def test_a_form_that_is_not_complete_does_nothing(self, desk):
        event = published("a")
        answer = decide(desk, "withdraw", event, note=" ")
        assert (answer.status_code, list(answer.context["form"].errors)) == (400, ["note"])
        assert left(answer) == {"a": (True, "")}
        assert not Event.objects.filter(withdrawn=True).exists()

    def test_a_change_of_another_meanwhile_shows_though_the_form_is_not_complete(self, desk):
        event = published("a")
        sent = chosen(event, note="")
        revise(event, body="Other.")
        assert left(desk.post(address("withdraw"), sent))["a"][0] is False

    def test_what_is_not_ticked_stays_as_it_is(self, desk):
        one, two = published("one"), published("two")
        sent = chosen(one, two, kind="update", note="")
        sent["entry"] = [one.pk]
        answer = desk.post(address("publish"), sent)
        assert left(answer)["two"] == (False, "")
        assert desk.post(address("publish"), sent | {"entry": []}).status_code == 400

    def test_an_entry_that_is_gone_stops_no_other(self, desk):
        one, two = draft("one"), draft("two")
        sent = chosen(one, two)
        drafts.delete(one, by=None)
        answer = desk.post(address("submit"), sent)
        assert said(answer) == [
            "1 entry left out: not there any more, or not yours.",
            "1 entry: Submitted. An editor has it now.",
        ]
        two.refresh_from_db()
        assert two.stage == "review"

    def test_each_refusal_is_its_own_and_is_in_the_audit(self, desk):
        withdrawn, live = published("withdrawn"), updated(published("live"), body="More.").event
        publishing.withdraw(withdrawn, by=None, note="An error.")
        answer = decide(desk, "publish", withdrawn, live, draft("new"), kind="update")
        assert {headline: problem for headline, (_ticked, problem) in left(answer).items()} == {
            "withdrawn": "This entry is withdrawn. Restore it first.",
            "live": "Nothing differs from the version that readers see.",
        }
        noted = AuditEntry.objects.filter(verb="publish").values_list("event__headline", "outcome")
        assert set(noted) == {("withdrawn", "refused"), ("live", "refused"), ("new", "done")}

    def test_a_time_that_cannot_be_is_refused_and_kept(self, desk):
        answer = decide(desk, "schedule", draft("a"), issue="2017-13-99T10:00")
        assert (answer.status_code, answer.context["form"]["issue"].value()) == (400, "2017-13-99T10:00")
        past = timezone.now() - datetime.timedelta(days=1)
        assert decide(desk, "schedule", draft("b"), issue=f"{past:%Y-%m-%dT%H:%M}").status_code == 400
        assert not Edition.objects.exists()


class TestPermissions:
    def test_a_verb_that_is_not_given_is_refused_for_reading_and_doing(self, client, reporter):
        event = draft("mine", by=reporter)
        client.force_login(reporter)
        for verb in ("publish", "schedule", "unschedule", "withdraw"):
            assert ask(client, verb, event).status_code == 403
            assert decide(client, verb, event, kind="update", note="x").status_code == 403
        event.refresh_from_db()
        assert (event.stage, event.withdrawn, event.editions.count()) == ("draft", False, 0)

    def test_entries_of_others_are_refused_to_a_reporter(self, client, reporter, chief):
        other = draft("theirs", by=chief)
        client.force_login(reporter)
        for verb in ("submit", "delete"):
            assert ask(client, verb, other).status_code == 403
            assert decide(client, verb, other).status_code == 403
        other.refresh_from_db()
        assert other.stage == "draft"

    def test_entries_of_others_among_own_ones_are_left_alone(self, client, reporter, chief):
        mine, theirs = draft("mine", by=reporter), draft("theirs", by=chief)
        client.force_login(reporter)
        answer = decide(client, "submit", mine, theirs)
        assert said(answer)[0] == "1 entry left out: not there any more, or not yours."
        assert dict(Event.objects.values_list("headline", "stage")) == {"mine": "review", "theirs": "draft"}

    def test_one_may_not_publish_ones_own_where_that_is_ruled_out(self, client, settings):
        settings.NEWSDESK_OWN_PUBLISHING = False
        editor = person("Editor", "edda")
        client.force_login(editor)
        answer = decide(client, "publish", draft("mine", by=editor), draft("theirs"))
        assert left(answer) == {"mine": (True, "You wrote this entry, so somebody else has to publish it.")}
        assert Edition.objects.count() == 1

    @pytest.mark.parametrize(
        ("group", "offered"),
        [
            ("Reporter", ["submit", "send-back", "delete"]),
            ("Editor", ["submit", "send-back", "publish", "schedule", "unschedule", "delete"]),
            ("Chief", ["submit", "send-back", "publish", "schedule", "unschedule", "withdraw", "delete"]),
        ],
    )
    def test_only_what_is_allowed_is_offered(self, client, group, offered):
        user = person(group, "somebody")
        draft(by=user)
        client.force_login(user)
        answer = client.get(LIST)
        assert [verb.path for verb in answer.context["verbs"]] == offered
        assert all(address(verb) in answer.content.decode() for verb in offered)

    def test_a_form_of_another_site_is_refused(self, chief):
        from_elsewhere = Client(enforce_csrf_checks=True)
        from_elsewhere.force_login(chief)
        event = draft()
        assert decide(from_elsewhere, "publish", event).status_code == 403
        assert not Edition.objects.exists()
