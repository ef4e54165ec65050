"""Decisions at the desk: a page shows what would change, the act goes through the service, a refusal keeps the text."""

import datetime
import re

import pytest
import time_machine
from django.urls import reverse
from django.utils import timezone

from events import drafts, publishing
from events.desk.standing import standing
from events.models import AuditEntry, Edition, Event
from tests.test_desk_writing import typed
from tests.test_permissions import in_review, scheduled, scheduled_over_live, superseded, withdrawn
from tests.words import draft, person, published, revise

pytestmark = pytest.mark.django_db
NOON = datetime.datetime(2026, 11, 22, 12, 0, 20, tzinfo=datetime.UTC)


@pytest.fixture
def chief(client):
    user = person("Chief")
    client.force_login(user)
    return user


def address(verb, event, *more):
    return reverse(f"admin:events_event_{verb}", args=[event.pk, *more])


def fresh(event):
    return Event.objects.get(pk=event.pk)


def decide(client, verb, event, *more, **sent):
    return client.post(address(verb, event, *more), {"lock_version": fresh(event).lock_version, **sent})


DECISIONS = {
    "submit": (draft, {"note": "Look."}, lambda event: event.stage == "review"),
    "send_back": (in_review, {"note": "Why?"}, lambda event: (event.stage, event.remark) == ("draft", "Why?")),
    "publish": (draft, {"note": ""}, lambda event: event.editions.filter(kind="publish").exists()),
    "unschedule": (scheduled, {}, lambda event: not event.editions.exists()),
    "withdraw": (published, {"note": "A hoax."}, lambda event: event.withdrawn),
    "restore": (withdrawn, {"note": ""}, lambda event: not event.withdrawn),
}


OTHERS = {"schedule": {"note": "", "issue": "2999-01-01T10:00"}, "delete": {}}


@pytest.mark.parametrize("verb", DECISIONS)
def test_it_works(client, chief, verb):
    make, sent, is_done = DECISIONS[verb]
    event = make()
    before = fresh(event)
    page = client.get(address(verb, event))
    assert page.status_code == 200 and f'name="lock_version" value="{before.lock_version}"' in page.text
    assert not is_done(before)
    answer = decide(client, verb, event, **sent)
    assert answer["Location"] == address("change", event)
    assert is_done(fresh(event))
    entry = AuditEntry.objects.get(verb=verb.replace("_", " "))
    assert (entry.by, entry.outcome, entry.event) == (chief, "done", event)


@pytest.mark.parametrize("verb", [*DECISIONS, *OTHERS])
def test_stale_decision_is_refused_with_what_was_typed(client, chief, verb):
    make, sent, is_done = DECISIONS.get(verb) or (draft, OTHERS[verb], lambda event: event.editions.exists())
    event = make()
    seen = fresh(event).lock_version
    Event.objects.filter(pk=event.pk).update(lock_version=seen + 1)
    before = fresh(event)
    answer = client.post(address(verb, event), {"lock_version": seen, **sent, "note": "Typed note."})
    assert answer.status_code == 409
    assert "changed by someone else" in answer.text and f'value="{seen + 1}"' in answer.text
    assert "note" not in sent or "Typed note." in answer.text
    assert (fresh(event).stage, fresh(event).withdrawn) == (before.stage, before.withdrawn)
    assert not is_done(fresh(event))


class TestPublish:
    def test_first_version_is_shown_whole(self, client, chief):
        page = client.get(
            address("publish", draft("All of it.", body="The body.", sources=[("A", "https://a.example/")]))
        )
        assert "What becomes public" in page.text
        for text in ("All of it.", "The body.", "https://a.example/"):
            assert text in page.text
        assert 'name="kind"' not in page.text

    def test_next_version_shows_what_changes(self, client, chief):
        event = revise(published("Twelve died.", body="Same."), headline="Eleven died.")
        page = client.get(address("publish", event))
        assert "What changes for readers" in page.text
        assert "<del>" in page.text and "<ins>" in page.text and 'name="kind"' in page.text

    @pytest.mark.parametrize(
        ("sent", "words"),
        [
            ({"kind": "correction", "note": " "}, "needs a public note"),
            ({"kind": "minor", "note": ""}, "changes facts"),
            ({"kind": "withdraw", "note": ""}, "valid choice"),
            ({"note": "No kind."}, "required"),
            ({"kind": "update", "note": "x" * 2001}, "2000"),
            ({"kind": "update", "note": "Bell\x07"}, "ontrol"),
        ],
    )
    def test_refusal_says_why(self, client, chief, sent, words):
        event = revise(published("Twelve died."), headline="Eleven died.")
        answer = decide(client, "publish", event, **sent)
        assert answer.status_code == 400 and words in answer.text
        assert not sent["note"].strip(" \x07") or sent["note"][:10].strip("\x07") in answer.text
        assert event.editions.count() == 1

    def test_nothing_differs(self, client, chief):
        answer = decide(client, "publish", published(), kind="update")
        assert answer.status_code == 400 and "Nothing differs" in answer.text

    def test_chief_overrides_with_a_reason_and_an_editor_cannot(self, client, chief):
        event = revise(published("Twelve died."), headline="Eleven died.")
        sent = {"kind": "minor", "override": "A slip of the pen."}
        client.force_login(person("Editor"))
        assert 'name="override"' not in client.get(address("publish", event)).text
        assert decide(client, "publish", event, **sent).status_code == 400
        client.force_login(chief)
        assert decide(client, "publish", event, **sent).status_code == 302

    def test_own_entry_with_four_eyes(self, client, chief, settings):
        settings.NEWSDESK_OWN_PUBLISHING = False
        event = draft("Mine.")
        Event.objects.filter(pk=event.pk).update(author=chief)
        assert 'value="publish"' not in client.get(address("change", event)).text
        answer = decide(client, "publish", event)
        assert answer.status_code == 403 and "somebody else has to publish" in answer.text


class TestSchedule:
    @pytest.fixture(autouse=True)
    def clock(self):
        with time_machine.travel(NOON, tick=False) as traveller:
            yield traveller

    @pytest.fixture(autouse=True)
    def berlin(self, settings):
        settings.TIME_ZONE = "Europe/Berlin"

    def test_time_is_of_the_site_and_public_at_its_minute(self, client, chief, clock):
        event = draft("Embargoed.")
        page = client.get(address("schedule", event))
        assert "Europe/Berlin" in page.text and "UTC" in page.text
        assert decide(client, "schedule", event, issue="2026-11-22T13:05").status_code == 302
        issued = datetime.datetime(2026, 11, 22, 12, 5, tzinfo=datetime.UTC)
        assert event.editions.get().issued == issued
        clock.move_to(issued - datetime.timedelta(seconds=1))
        assert not Edition.objects.current(timezone.now()).exists()
        clock.move_to(issued)
        assert Edition.objects.current(timezone.now()).exists()

    @pytest.mark.parametrize(
        ("issue", "words"),
        [
            ("2027-10-31T02:30", "ambiguous"),
            ("2027-03-28T02:30", "may not exist"),
            ("2026-11-22T13:00", "in the future"),
            ("2026-11-22T13:05:30", "whole minute"),
            ("soon", "Give a date and a time"),
            ("0001-01-01T00:30", "Give a date and a time"),
            ("", "required"),
        ],
    )
    def test_bad_time_is_refused_in_words(self, client, chief, issue, words):
        event = draft()
        answer = decide(client, "schedule", event, issue=issue, note="Typed.")
        assert answer.status_code == 400 and words in answer.text and "Typed." in answer.text
        assert not event.editions.exists()

    def test_time_is_told_in_utc_while_typing(self, client, chief):
        ask = reverse("admin:events_event_moment")
        assert client.get(ask, {"at": "2026-11-22T13:05"}).json() == {"utc": "22 Nov 2026, 12:05 UTC"}
        assert "ambiguous" in client.get(ask, {"at": "2027-10-31T02:30"}).json()["problem"]


class TestCorrectNow:
    def sent(self, event, **typed_over):
        live = standing(fresh(event), timezone.now()).live
        decision = {"kind": "correction", "note": "Typed note.", "live": live.number}
        return typed(fresh(event), headline="Twelve die.", body="Typed body.", **decision) | typed_over

    def confirmed(self, client, event, **typed_over):
        """Send it, look at the difference, and send it again."""
        sent = self.sent(event, **typed_over)
        answer = client.post(address("correct_now", event), sent)
        found = re.search(r'name="confirmed" value="(\w+)"', answer.text)
        if not found:
            return answer
        return client.post(address("correct_now", event), sent | {"confirmed": found[1]}, follow=True)

    def test_it_works(self, client, chief):
        event = scheduled_over_live(headline="Twelve die.", body="In Bonn.")
        page = client.get(address("correct_now", event))
        assert "Twelve die." in page.text and "keeps its hour" in page.text
        answer = self.confirmed(client, event)
        assert "The correction is public." in answer.text and "keeps its hour" in answer.text
        kinds = list(event.editions.order_by("number").values_list("kind", flat=True))
        assert kinds == ["publish", "correction", "update"]

    def test_difference_is_shown_before_anything_happens(self, client, chief):
        event = scheduled_over_live(headline="Twelve die.", body="In Bonn.")
        answer = client.post(address("correct_now", event), self.sent(event))
        assert "What changes for readers" in answer.text and "<ins>" in answer.text
        assert event.editions.count() == 2 and not AuditEntry.objects.filter(verb="correct now").exists()

    def test_what_is_changed_after_it_is_shown_again(self, client, chief):
        event = scheduled_over_live(headline="Twelve die.", body="In Bonn.")
        sent = self.sent(event)
        digest = re.search(r'"confirmed" value="(\w+)"', client.post(address("correct_now", event), sent).text)[1]
        answer = client.post(address("correct_now", event), sent | {"confirmed": digest, "body": "Another body."})
        assert answer.status_code == 200 and event.editions.count() == 2

    def test_conflict_is_told_with_the_field(self, client, chief):
        event = scheduled_over_live(headline="Twelve die.")
        answer = self.confirmed(client, event, headline="Eleven die.")
        assert "both change: headline" in answer.text and "no longer" in answer.text
        assert "keeps its hour" not in answer.text

    def test_schedule_with_nothing_left_to_say_is_told(self, client, chief):
        event = scheduled_over_live(headline="Twelve die.", body="Typed body.")
        answer = self.confirmed(client, event, headline="Parliament adopts another budget.")
        assert "nothing is scheduled any more" in answer.text

    @pytest.mark.parametrize("other", [{"note": ""}, {"kind": ""}, {"headline": ""}, {"lock_version": 0}, {"live": 7}])
    def test_refusal_keeps_both_texts(self, client, chief, other):
        event = scheduled_over_live(headline="Twelve die.")
        sent = self.sent(event) | other
        answer = client.post(address("correct_now", event), sent | {"confirmed": "x"})
        if other == {"note": ""}:
            digest = re.search(r'"confirmed" value="(\w+)"', answer.text)[1]
            answer = client.post(address("correct_now", event), sent | {"confirmed": digest})
        assert answer.status_code in (400, 409) and "Typed body." in answer.text
        assert "note" in other or "Typed note." in answer.text
        assert event.editions.count() == 2

    def test_correction_by_another_is_put_together_with_mine(self, client, chief):
        event = scheduled_over_live(headline="Twelve die.", body="In Bonn.")
        sent = self.sent(event, headline="Twelve died.", body="In Bonn.")
        document = standing(fresh(event), timezone.now()).live.document
        publishing.correct_now(event, by=None, note="Cologne.", **drafts.values(document | {"body": "In Cologne."}))
        answer = client.post(address("correct_now", event), sent | {"confirmed": "x"})
        assert answer.status_code == 409
        assert "Twelve died." in answer.text and "In Cologne." in answer.text
        assert 'name="live" value="2"' in answer.text and event.editions.count() == 3

    def test_correction_of_the_same_field_by_another_is_shown_beside_mine(self, client, chief):
        event = scheduled_over_live(headline="Twelve die.")
        sent = self.sent(event, headline="Twelve died.")
        document = standing(fresh(event), timezone.now()).live.document
        publishing.correct_now(event, by=None, note="Eleven.", **drafts.values(document | {"headline": "Eleven die."}))
        answer = client.post(address("correct_now", event), sent | {"confirmed": "x"})
        assert answer.status_code == 409 and "changed by both" in answer.text
        assert "Eleven" in answer.text and "Twelve died." in answer.text

    def test_schedule_that_was_cancelled_meanwhile_keeps_what_was_typed(self, client, chief):
        event = scheduled_over_live(headline="Twelve die.")
        sent = self.sent(event)
        publishing.unschedule(event, by=None)
        answer = client.post(address("correct_now", event), sent | {"confirmed": "x"})
        assert answer.status_code in (400, 409) and "Typed body." in answer.text and "Typed note." in answer.text
        assert AuditEntry.objects.get(verb="correct now").outcome == "refused"

    def test_nothing_scheduled_leads_to_the_form(self, client, chief):
        event = published()
        assert client.get(address("correct_now", event))["Location"] == address("change", event)


class TestRedact:
    def test_it_works(self, client, chief):
        event = superseded(headline="A private address.", body="A street.")
        other = draft("A private address.")
        page = client.get(address("redact", event, 1))
        assert "A street." in page.text and "Saves that lose their text" in page.text
        assert f'href="{address("change", other)}"' in page.text
        answer = decide(client, "redact", event, 1, note="A court order.", typed="Version 1")
        assert answer["Location"] == address("history", event)
        assert event.editions.get(number=1).document is None

    @pytest.mark.parametrize("sent", [{"typed": "version 2"}, {"typed": ""}, {"note": ""}])
    def test_slip_removes_nothing(self, client, chief, sent):
        event = superseded()
        answer = decide(client, "redact", event, 1, **{"note": "Typed reason.", "typed": "version 1"} | sent)
        assert answer.status_code == 400
        assert "note" in sent or "Typed reason." in answer.text
        assert event.editions.get(number=1).document

    def test_current_version_is_refused(self, client, chief):
        event = superseded()
        answer = decide(client, "redact", event, 2, note="A reason.", typed="version 2")
        assert answer.status_code == 400 and "current version" in answer.text

    def test_version_that_is_not_there(self, client, chief):
        event = scheduled_over_live()
        assert client.get(address("redact", event, 2)).status_code == 404
        assert client.get(address("redact", event, 9)).status_code == 404


class TestDelete:
    def test_it_works(self, client, chief):
        event = draft()
        answer = decide(client, "delete", event)
        assert answer.status_code == 302 and not Event.objects.exists()
        assert AuditEntry.objects.get(verb="delete").subject == str(event.uid)

    def test_live_entry_is_only_withdrawn(self, client, chief):
        answer = decide(client, "delete", published())
        assert answer.status_code == 400 and "Withdraw" in answer.text


@pytest.mark.parametrize("verb", ["publish", "withdraw", "unschedule", "delete", "submit"])
def test_reading_the_page_does_nothing(client, chief, verb):
    event = published()
    before = Event.objects.values().get(), Edition.objects.count()
    client.get(address(verb, event))
    assert (Event.objects.values().get(), Edition.objects.count()) == before
    assert not AuditEntry.objects.filter(verb=verb).exists()
