"""Webhooks and hubs: each is told as promised, whatever the receiver does, and nothing that is not public is told."""

import datetime
import json
import re
from email.utils import format_datetime
from pathlib import Path
from urllib.parse import parse_qs

import pytest
import time_machine
from django.core.exceptions import PermissionDenied, ValidationError
from django.core.management import call_command
from django.utils import timezone
from django_tasks_db.models import DBTaskResult

from events import addresses, outbound, publishing, pushing
from events.models import Answer, Delivery, Key, LogEntry, LogHead, Outbox, Topic, Webhook
from events.refusals import WrongState
from tests.webhook_server import answering, dribbling, hanging, in_turn, receiving
from tests.words import DAY, draft, in_minutes, person, published, revise, topic, updated

pytestmark = pytest.mark.django_db

NOON = datetime.datetime(2026, 11, 22, 12, 0, 20, tzinfo=datetime.UTC)
SECOND = datetime.timedelta(seconds=1)
MINUTE = datetime.timedelta(minutes=1)
HOUR = datetime.timedelta(hours=1)
PARTNER = Path(__file__).parents[1] / "docs" / "partner.md"


@pytest.fixture(autouse=True)
def clock(settings, monkeypatch):
    """Noon, and moved by hand. Receivers are on this machine, and who does not answer has done so soon."""
    settings.NEWSDESK_PRIVATE_CALLBACKS = True
    monkeypatch.setattr(pushing, "TIMEOUT", 0.5)
    with time_machine.travel(NOON, tick=False) as clock:
        yield clock


@pytest.fixture
def receiver():
    with receiving() as receiver:
        yield receiver


@pytest.fixture(scope="module")
def is_genuine():
    """The check of signatures, as partners are told to make it."""
    snippets = re.findall(r"```python\n(.*?)\n```", PARTNER.read_text(), re.DOTALL)
    names = {}
    exec(next(snippet for snippet in snippets if "webhook-signature" in snippet), names)
    return names["is_genuine"]


def hooked(receiver, name="Partner"):
    webhook, _secret = pushing.add_webhook(name, receiver.url, by=None, at=timezone.now())
    return webhook


def work():
    call_command("work", once=True)


def bodies(receiver):
    return [json.loads(request.body) for request in receiver.received]


def kinds(receiver):
    return [body["kind"] for body in bodies(receiver)]


def states(webhook):
    return list(webhook.deliveries.order_by("pk").values_list("state", flat=True))


class TestHint:
    def test_it_works(self, receiver):
        hooked(receiver)
        event = published()
        work()
        head = LogHead.objects.get()
        [body] = bodies(receiver)
        [delivery] = Delivery.objects.all()
        assert body == {
            "id": str(delivery.uid),
            "seq": 1,
            "kind": "publish",
            "event": str(event.uid),
            "edition": 1,
            "occurred": "2026-11-22T12:00:20Z",
            "url": addresses.absolute(f"/events/{event.uid}"),
            "log": addresses.absolute("/api/changes/"),
            "head": {"seq": 1, "hash": head.hash},
        }
        assert (delivery.state, delivery.status, delivery.attempts, delivery.done) == ("delivered", 204, 1, NOON)
        assert receiver.received[0].headers["content-type"] == "application/json"

    def test_each_act_on_what_is_read_is_told_once(self, receiver):
        """I-21: corrections and withdrawals too, a correction in place of a scheduled version, and what was that."""
        hooked(receiver)
        event = published(topics=["Budget"])
        acts = [
            lambda: updated(event, headline="Parliament adopts the budget for 2018."),
            lambda: updated(event, "correction", "It is the budget for 2019.", headline="The budget for 2019."),
            lambda: updated(event, "minor", headline="The budget, for 2019."),
            lambda: publishing.rename_topic(Topic.objects.get(), "Budgets", by=None),
            lambda: publishing.redact(event, 1, by=None, note="A court order."),
            lambda: publishing.withdraw(event, by=None, note="Not so."),
            lambda: publishing.restore(event, by=None),
        ]
        work()
        for act in acts:
            act()
            work()
            work()
        assert kinds(receiver) == ["publish", "update", "correction", "redact", "withdraw", "restore"]

    def test_a_scheduled_version_is_told_when_it_is_public(self, receiver, clock):
        hooked(receiver)
        publishing.schedule(draft(), by=None, issue=in_minutes(10, NOON))
        clock.move_to(in_minutes(10, NOON) - SECOND)
        work()
        assert receiver.received == []
        clock.shift(SECOND)
        work()
        work()
        assert kinds(receiver) == ["publish"]

    def test_a_correction_ahead_of_a_scheduled_version_is_told(self, receiver, clock):
        hooked(receiver)
        event = published("The budget is 12.")
        publishing.schedule(revise(event, body="More."), by=None, issue=in_minutes(10, NOON), kind="update")
        publishing.correct_now(event, by=None, note="Not 12.", headline="The budget is 13.")
        work()
        clock.shift(HOUR)
        work()
        assert sorted(kinds(receiver)) == ["correction", "publish", "update"]

    def test_no_text_travels(self, receiver):
        hooked(receiver)
        event = published("Canary one.", topics=["Canary two"], category="Canary three", body="Canary four.")
        updated(event, "correction", "Canary five.", headline="Canary six.")
        publishing.withdraw(event, by=None, note="Canary seven.")
        work()
        assert len(receiver.received) == 3
        for request in receiver.received:
            assert b"anary" not in request.body
            assert not any("anary" in value for value in request.headers.values())

    def test_a_scheduled_version_shows_in_no_hint_before_its_hour(self, receiver):
        hooked(receiver)
        publishing.schedule(draft("Secret."), by=None, issue=in_minutes(10, NOON))
        event = published("Open.")
        work()
        [body] = bodies(receiver)
        assert (body["event"], body["head"]["seq"]) == (str(event.uid), 1)

    def test_every_active_webhook_is_told(self, receiver):
        with receiving() as other:
            hooked(receiver)
            hooked(other)
            pushing.end_webhook(hooked(other, "Former"), by=None, at=NOON)
            published()
            work()
            assert (len(receiver.received), len(other.received)) == (1, 1)

    def test_what_was_published_before_is_not_told(self, receiver):
        published()
        work()
        hooked(receiver)
        work()
        assert receiver.received == []

    def test_after_an_import_one_hint_is_enough(self, receiver, monkeypatch):
        monkeypatch.setattr(pushing, "LEAP", 4)
        monkeypatch.setattr(pushing, "SPAN", 2)
        hooked(receiver)
        for number in range(4):
            event = published(f"Entry {number}.")
        work()
        assert [body["seq"] for body in bodies(receiver)] == [1, 2, 3, 4]
        for number in range(4):
            published(f"Entry {number} of an import.")
        updated(event, "minor", headline="Entry, 3.")
        work()
        assert [body["seq"] for body in bodies(receiver)] == [1, 2, 3, 4, 8]
        assert not pushing.is_behind()


class TestSignature:
    """GUARDS, "Spoofed push". Checked by what partners are given for that."""

    @pytest.fixture
    def sent(self, receiver):
        webhook = hooked(receiver)
        published()
        work()
        [request] = receiver.received
        return webhook.secret, request.headers, request.body

    def test_it_is_genuine(self, sent, is_genuine):
        assert is_genuine(*sent)

    def test_until_five_minutes_later(self, sent, is_genuine, clock):
        clock.shift(5 * MINUTE)
        assert is_genuine(*sent)
        clock.shift(SECOND)
        assert not is_genuine(*sent)

    def test_a_replay_under_another_time_or_id_is_not(self, sent, is_genuine):
        secret, headers, body = sent
        later = str(int(NOON.timestamp()) + 1)
        for forged in ({"webhook-timestamp": later}, {"webhook-id": "other"}, {"webhook-timestamp": "²"}):
            assert not is_genuine(secret, headers | forged, body)

    def test_another_body_or_secret_is_not(self, sent, is_genuine):
        secret, headers, body = sent
        _webhook, other = pushing.add_webhook("Other", "http://127.0.0.1/", by=None, at=NOON)
        assert not is_genuine(secret, headers, body.replace(b"publish", b"restore"))
        assert not is_genuine(other, headers, body)

    @pytest.mark.parametrize("signature", ["", "v1,", "v1,é", "v2,abc", "v1"])
    def test_no_signature_is_not(self, sent, is_genuine, signature):
        secret, headers, body = sent
        assert not is_genuine(secret, headers | {"webhook-signature": signature}, body)
        assert not is_genuine(secret, {}, body)

    def test_the_vector_of_the_convention(self):
        """The example that Standard Webhooks gives of itself."""
        moment = datetime.datetime.fromtimestamp(1614265330, datetime.UTC)
        headers = pushing.signature(
            "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "msg_p5jXN8AQM9LWM0D4loKWxJek", moment, b'{"test": 2432232314}'
        )
        assert headers["webhook-signature"] == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="

    def test_a_later_attempt_has_the_same_id_and_its_own_time(self, is_genuine, clock):
        with receiving(in_turn(answering(500), answering(200))) as receiver:
            webhook = hooked(receiver)
            published()
            work()
            clock.shift(HOUR)
            work()
            first, second = receiver.received
        assert first.headers["webhook-id"] == second.headers["webhook-id"]
        assert first.headers["webhook-signature"] != second.headers["webhook-signature"]
        assert is_genuine(webhook.secret, second.headers, second.body)


class TestFailure:
    def test_it_is_tried_again_less_and_less_often_and_then_dead(self, clock):
        with receiving(answering(500)) as receiver:
            webhook = hooked(receiver)
            published()
            waits = []
            while True:
                work()
                [delivery] = webhook.deliveries.all()
                if delivery.state != "waiting":
                    break
                waits.append((delivery.due - timezone.now()) / MINUTE)
                clock.move_to(delivery.due - SECOND)
                work()
                assert len(receiver.received) == len(waits)
                clock.move_to(delivery.due)
        for wait, most in zip(waits, [1, 5, 30, 120, 360, 720, 1440], strict=True):
            assert 0.8 * most <= wait <= most
        assert timezone.now() - NOON < datetime.timedelta(days=2)
        assert (delivery.state, delivery.attempts, delivery.status) == ("dead", 8, 500)
        assert delivery.problem == "Answered 500, which is no success."
        assert len(set(receiver.ids())) == 1
        work()
        assert len(receiver.received) == 8

    def test_what_waited_is_delivered_once_when_the_address_is_back(self, clock):
        with receiving() as receiver:
            webhook, port = hooked(receiver), receiver.port
        events = [published(f"Entry {number}.") for number in range(3)]
        work()
        assert set(webhook.deliveries.values_list("state", "status", "attempts")) == {("waiting", None, 1)}
        assert "refused" in webhook.deliveries.first().problem
        clock.shift(HOUR)
        with receiving(port=port) as receiver:
            work()
            work()
            assert sorted(body["event"] for body in bodies(receiver)) == sorted(str(event.uid) for event in events)
            assert states(webhook) == ["delivered"] * 3
            assert set(webhook.deliveries.values_list("problem", "done")) == {("", NOON + HOUR)}

    @pytest.mark.parametrize("behave", [hanging, dribbling])
    def test_one_attempt_counts_for_all_where_nobody_answers(self, behave):
        """A receiver that hangs, or is slow without end, is not asked again for each entry."""
        with receiving(behave) as receiver:
            webhook = hooked(receiver)
            for number in range(3):
                published(f"Entry {number}.")
            work()
            assert len(receiver.received) == 1
        problem = "No answer within 0.5 seconds."
        assert set(webhook.deliveries.values_list("state", "attempts", "problem")) == {("waiting", 1, problem)}
        assert all(delivery.due > NOON for delivery in webhook.deliveries.all())

    def test_an_entry_that_the_receiver_does_not_like_keeps_no_other(self):
        with receiving(in_turn(answering(500), answering(204))) as receiver:
            webhook = hooked(receiver)
            published("One.")
            published("Two.")
            work()
            assert states(webhook) == ["waiting", "delivered"]

    def test_a_receiver_that_hangs_keeps_no_other(self, receiver):
        with receiving(hanging) as hung:
            hooked(hung)
            hooked(receiver)
            published()
            work()
            assert len(receiver.received) == 1

    def test_a_redirect_to_this_machine_is_a_failure_and_not_followed(self, receiver):
        with receiving(answering(307, Location=receiver.url)) as redirecting:
            webhook = hooked(redirecting)
            published()
            work()
        assert receiver.received == []
        [delivery] = webhook.deliveries.all()
        assert (delivery.state, delivery.status) == ("waiting", 307)
        assert "redirects are not followed" in delivery.problem

    def test_an_address_that_leads_into_a_private_network_by_now_gets_nothing(self, receiver, settings):
        webhook = hooked(receiver)
        settings.NEWSDESK_PRIVATE_CALLBACKS = False
        published()
        work()
        assert receiver.received == []
        assert "private network" in webhook.deliveries.get().problem

    def test_410_ends_the_webhook(self, clock):
        with receiving(answering(410)) as receiver:
            webhook = hooked(receiver)
            for number in range(3):
                published(f"Entry {number}.")
            work()
            published("Entry 4.")
            clock.shift(HOUR)
            work()
            assert len(receiver.received) == 1
        webhook.refresh_from_db()
        assert (webhook.ended, webhook.reason) == (NOON, "Answered 410: the address is gone for good.")
        assert states(webhook) == ["dead"] * 3
        assert webhook.deliveries.order_by("pk").first().status == 410

    @pytest.mark.parametrize("status", [429, 503])
    @pytest.mark.parametrize(
        ("asked", "seconds"),
        [
            ("600", 600),
            ("1", 60),
            ("99999999999999999999", 3600),
            (format_datetime(NOON + 10 * MINUTE, usegmt=True), 600),
            (format_datetime(NOON - 10 * MINUTE, usegmt=True), 60),
            ("Fri, 31 Dec 9999 23:59:59 GMT", 3600),
            ("soon", 60),
            ("-5", 60),
            ("", 60),
        ],
    )
    def test_patience_is_granted_within_bounds(self, status, asked, seconds):
        with receiving(answering(status, Retry_After=asked)) as receiver:
            webhook = hooked(receiver)
            published("One.")
            published("Two.")
            work()
            assert len(receiver.received) == 1
        for delivery in webhook.deliveries.all():
            wait = (delivery.due - NOON).total_seconds()
            assert 0.8 * seconds <= wait <= seconds
            assert delivery.status == status


class TestClaims:
    """Who attempts what, when several do, and when one dies."""

    def test_what_is_claimed_is_nobody_elses_until_its_lease_ends(self, receiver):
        hooked(receiver)
        published()
        pushing.follow(NOON)
        assert len(pushing.claim(NOON)) == 1
        assert pushing.claim(NOON + SECOND) == []
        assert pushing.claim(NOON + pushing.LEASE - SECOND) == []
        assert len(pushing.claim(NOON + pushing.LEASE)) == 1

    def test_who_comes_late_with_a_claim_sends_nothing(self, receiver):
        hooked(receiver)
        published()
        pushing.follow(NOON)
        [late] = pushing.claim(NOON)
        [batch] = pushing.claim(NOON + pushing.LEASE)
        pushing.deliver(late)
        assert receiver.received == []
        pushing.deliver(batch)
        pushing.deliver(batch)
        assert len(receiver.received) == 1

    def test_what_ends_its_process_is_not_tried_for_ever(self, receiver, monkeypatch, clock):
        """An attempt counts when it begins."""
        webhook = hooked(receiver)
        published()
        with monkeypatch.context() as patch:
            patch.setattr(outbound, "post", lambda *args, **rest: 1 / 0)
            for _attempt in range(10):
                work()
                clock.shift(pushing.LEASE)
        assert DBTaskResult.objects.failed().count() == 8
        delivery = webhook.deliveries.get()
        assert (delivery.state, delivery.attempts) == ("dead", 8)
        assert delivery.problem == "The last attempt was not finished."

    def test_a_turn_ends_and_others_have_theirs(self, receiver, monkeypatch):
        monkeypatch.setattr(pushing, "TURN", -1)
        webhook = hooked(receiver)
        published()
        pushing.follow(NOON)
        [batch] = pushing.claim(NOON)
        pushing.deliver(batch)
        assert receiver.received == []
        assert webhook.deliveries.get().due == NOON
        assert pushing.is_due(NOON)

    def test_a_clock_that_was_ahead_puts_nothing_off_for_good(self, clock):
        """Nothing is put off for longer than a day; what waits for a later moment was, by a clock that was wrong."""
        with receiving(in_turn(answering(500), answering(204))) as receiver:
            webhook = hooked(receiver)
            published()
            clock.move_to(NOON + 400 * 24 * HOUR)
            work()
            clock.move_to(NOON + HOUR)
            work()
            assert states(webhook) == ["delivered"]

    def test_the_log_is_followed_once(self, receiver):
        hooked(receiver)
        published()
        assert pushing.follow(NOON) == (0, 1)
        assert pushing.follow(NOON) is None
        Outbox.objects.update(seq=0)
        pushing.follow(NOON)
        assert Delivery.objects.count() == 1

    def test_queries_do_not_grow_with_what_is_new(self, receiver, django_assert_max_num_queries):
        hooked(receiver)
        for number in range(6):
            published(f"Entry {number}.", topics=[f"Topic {number}"], category="Politics")
        with django_assert_max_num_queries(8):
            pushing.follow(NOON)
        with django_assert_max_num_queries(8):
            pushing.claim(NOON)
        with django_assert_max_num_queries(6):
            assert len(pushing.feeds(0, 6)) == 3 + 3 + 18 + 6
        with django_assert_max_num_queries(1):
            pushing.is_behind()
        with django_assert_max_num_queries(1):
            pushing.is_due(NOON)


class TestDesk:
    def test_adding_a_webhook(self):
        chief = person("Chief")
        webhook, secret = pushing.add_webhook("Partner", "https://127.0.0.1:8443/hook?a=b", by=chief, at=NOON)
        webhook.refresh_from_db()
        assert (webhook.name, webhook.by, webhook.created, webhook.ended) == ("Partner", chief, NOON, None)
        assert re.fullmatch(r"whsec_[A-Za-z0-9+/]{43}=", secret)
        assert pushing.add_webhook("Partner", "https://127.0.0.1/", by=chief, at=NOON)[1] != secret

    @pytest.mark.parametrize(
        ("name", "url", "field"),
        [
            ("", "https://127.0.0.1/", "name"),
            ("a" * 301, "https://127.0.0.1/", "name"),
            ("Partner", "", "url"),
            ("Partner", "ftp://127.0.0.1/", "url"),
            ("Partner", "https://a:b@127.0.0.1/", "url"),
        ],
    )
    def test_what_cannot_be_added(self, name, url, field):
        with pytest.raises(ValidationError) as caught:
            pushing.add_webhook(name, url, by=None, at=NOON)
        assert list(caught.value.message_dict) == [field]
        assert not Webhook.objects.exists()

    @pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::1]", "169.254.169.254", "10.0.0.1"])
    def test_a_private_address_cannot_be_added_or_resumed(self, settings, host):
        webhook, _secret = pushing.add_webhook("Partner", f"https://{host}/", by=None, at=NOON)
        pushing.end_webhook(webhook, by=None, at=NOON)
        settings.NEWSDESK_PRIVATE_CALLBACKS = False
        for act in (
            lambda: pushing.add_webhook("Partner", f"https://{host}/", by=None, at=NOON),
            lambda: pushing.resume_webhook(webhook, by=None, at=NOON),
        ):
            with pytest.raises(ValidationError, match="private network"):
                act()

    def test_only_who_may_manage_them(self, receiver):
        webhook = hooked(receiver)
        published()
        work()
        delivery = webhook.deliveries.get()
        acts = [
            lambda by: pushing.add_webhook("Partner", "https://127.0.0.1/", by=by, at=NOON),
            lambda by: pushing.end_webhook(webhook, by=by, at=NOON),
            lambda by: pushing.resume_webhook(webhook, by=by, at=NOON),
            lambda by: pushing.send_again(delivery, by=by, at=NOON),
            lambda by: pushing.send_all_again(webhook, by=by, at=NOON),
            lambda by: pushing.try_now(webhook, by=by, at=NOON),
        ]
        for act in acts:
            for role in ("Reporter", "Editor"):
                with pytest.raises(PermissionDenied):
                    act(person(role, name=f"{role} {acts.index(act)}"))
        assert len(receiver.received) == 1

    def test_ending_and_resuming(self, receiver):
        webhook = hooked(receiver)
        published("One.")
        pushing.follow(NOON)
        pushing.end_webhook(webhook, by=None, at=NOON, reason="Contract ended.")
        assert (webhook.ended, webhook.reason) == (NOON, "Contract ended.")
        assert webhook.deliveries.get().problem == "The webhook ended. Contract ended."
        published("Two.")
        work()
        assert receiver.received == []
        with pytest.raises(WrongState, match="ended already"):
            pushing.end_webhook(webhook, by=None, at=NOON)
        with pytest.raises(WrongState, match="Resume it first"):
            pushing.send_all_again(webhook, by=None, at=NOON)
        pushing.resume_webhook(webhook, by=None, at=NOON)
        assert (webhook.ended, webhook.reason) == (None, "")
        published("Three.")
        work()
        assert [body["seq"] for body in bodies(receiver)] == [3]
        with pytest.raises(WrongState, match="has not ended"):
            pushing.resume_webhook(webhook, by=None, at=NOON)
        with pytest.raises(ValidationError, match="one line"):
            pushing.end_webhook(webhook, by=None, at=NOON, reason="a\nb")

    def test_dead_letters_are_sent_again(self, receiver):
        webhook = hooked(receiver)
        for number in range(3):
            published(f"Entry {number}.")
        pushing.follow(NOON)
        webhook.deliveries.update(state="dead", attempts=8, problem="Answered 500.", status=500, done=NOON)
        work()
        assert receiver.received == []
        first = webhook.deliveries.order_by("pk").first()
        pushing.send_again(first, by=None, at=NOON)
        assert (first.state, first.attempts, first.problem, first.due) == ("waiting", 0, "", NOON)
        work()
        assert receiver.ids() == [str(first.uid)]
        assert pushing.send_all_again(webhook, by=None, at=NOON) == 2
        work()
        assert len(set(receiver.ids())) == 3
        assert states(webhook) == ["delivered"] * 3

    def test_trying_it_now(self, receiver):
        webhook = hooked(receiver)
        with pytest.raises(WrongState, match="Nothing was published yet"):
            pushing.try_now(webhook, by=None, at=NOON)
        published("One.")
        event = published("Two.")
        updated(event, "minor", headline="Two")
        tried = pushing.try_now(webhook, by=None, at=NOON)
        assert (tried.state, tried.status, tried.entry_id) == ("delivered", 204, 2)
        pushing.try_now(webhook, by=None, at=NOON)
        assert receiver.ids() == [str(tried.uid)] * 2
        work()
        assert sorted(body["seq"] for body in bodies(receiver)) == [1, 2, 2]

    def test_a_trial_that_fails_says_why_and_is_tried_again(self, clock):
        with receiving(in_turn(answering(500), answering(204))) as receiver:
            webhook = hooked(receiver)
            published()
            work_is_done = pushing.follow(NOON)
            tried = pushing.try_now(webhook, by=None, at=NOON)
            assert work_is_done
            assert (tried.state, tried.status, tried.attempts) == ("waiting", 500, 1)
            clock.shift(HOUR)
            work()
            assert states(webhook) == ["delivered"]

    def test_what_is_old_is_forgotten(self, receiver):
        webhook = hooked(receiver)
        for number in range(4):
            published(f"Entry {number}.")
        pushing.follow(NOON)
        rows = list(webhook.deliveries.order_by("pk"))
        days = [datetime.timedelta(days=number) for number in (31, 29, 91, 89)]
        for row, state, age in zip(rows, ["delivered", "delivered", "dead", "dead"], days, strict=True):
            Delivery.objects.filter(pk=row.pk).update(state=state, done=NOON - age)
        key = Key.objects.create(name="Bot", start="nd_", digest="0" * 64)
        for hours in (25, 23):
            Answer.objects.create(
                key=key, token=str(hours), request="0" * 64, status=201, body="", created=NOON - hours * HOUR
            )
        work()
        assert list(webhook.deliveries.order_by("pk")) == [rows[1], rows[3]]
        assert list(Answer.objects.values_list("token", flat=True)) == ["23"]


class TestHubs:
    """WIRE 4.13, the publisher's side."""

    @pytest.fixture
    def hub(self, settings):
        with receiving() as hub:
            settings.NEWSDESK_HUBS = [hub.url]
            yield hub

    def told(self, hub):
        """The paths of the feeds that the hub was told of since the last time; without a format where there are all."""
        forms = [parse_qs(request.body.decode(), strict_parsing=True) for request in hub.received]
        assert all(form["hub.mode"] == ["publish"] for form in forms)
        urls = [form["hub.url"][0] for form in forms]
        hub.received.clear()
        assert len(set(urls)) == len(urls)
        told = {addresses.relative(url) for url in urls}
        of_events = {path for path in told if path.endswith(".changes.atom")}
        paths = {path.rpartition(".")[0] for path in told - of_events}
        assert {f"{path}.{format}" for path in paths for format in addresses.FEEDS} == told - of_events
        return paths | of_events

    def test_each_feed_that_changed_is_told_by_itself(self, hub):
        event = published(topics=["Budget"], category="Politics")
        work()
        assert hub.received[0].headers["content-type"] == "application/x-www-form-urlencoded"
        own = addresses.event_feed(DAY, "parliament-adopts-the-budget")
        assert self.told(hub) == {"/feeds/latest", "/categories/politics/feed", "/topics/budget/feed", own}
        updated(event, "correction", "No budget.", topics=["Vote"], category="Sport")
        work()
        assert self.told(hub) == {
            "/feeds/latest",
            "/feeds/corrections",
            *("/categories/politics/feed", "/topics/budget/feed", "/categories/sport/feed", "/topics/vote/feed"),
            own,
        }
        updated(event, "minor", headline="Parliament adopts the budget")
        work()
        assert self.told(hub) == {
            "/feeds/latest",
            *("/categories/sport/feed", "/topics/vote/feed"),
            own,
        }

    def test_of_what_is_withdrawn_topics_do_not_show(self, hub):
        """Not even of what was reported before and is told again later."""
        event = published(topics=["Budget"], category="Politics")
        hub.behave = in_turn(answering(500), answering(204))
        work()
        hub.received.clear()
        publishing.withdraw(event, by=None, note="Not so.")
        work()
        assert self.told(hub) == {"/feeds/latest", "/feeds/corrections"}
        with time_machine.travel(NOON + HOUR, tick=False):
            work()
        assert self.told(hub) == {"/feeds/latest"}
        publishing.restore(event, by=None)
        work()
        assert "/topics/budget/feed" in self.told(hub)

    def test_a_topic_that_nobody_reads_about_yet_is_not_told(self, hub):
        event = published(topics=["Budget"])
        revise(event, topics=["Secret"], headline="Secret.")
        publishing.schedule(event, by=None, issue=in_minutes(10, NOON), kind="update")
        work()
        own = addresses.event_feed(DAY, "parliament-adopts-the-budget")
        assert self.told(hub) == {"/feeds/latest", "/topics/budget/feed", own}

    def test_topics_alone_change_no_feed(self, hub):
        publishing.merge_topics(topic("Budget"), topic("Budgets"), by=None)
        work()
        assert hub.received == []

    def test_a_hub_that_fails_is_told_a_few_times(self, hub, clock, caplog):
        hub.behave = answering(302, Location="http://127.0.0.1/")
        published()
        for _hour in range(6):
            work()
            clock.shift(HOUR)
        assert len(hub.received) == 4
        assert [record.getMessage() for record in caplog.records if record.name == "events.tasks"] == [
            f"The hub {hub.url} was not told of what is new: "
            "Answered 302: redirects are not followed. Give the address that it leads to."
        ]

    def test_after_an_import_only_the_general_feeds(self, hub, monkeypatch):
        monkeypatch.setattr(pushing, "LEAP", 2)
        monkeypatch.setattr(pushing, "SPAN", 1)
        for number in range(3):
            published(f"Entry {number}.", topics=[f"Topic {number}"])
        work()
        assert self.told(hub) == {"/feeds/latest"}

    def test_feeds_are_bounded(self, hub, monkeypatch):
        monkeypatch.setattr(pushing, "MAX_FEEDS", 3)
        published(topics=["Budget", "Vote"], category="Politics")
        work()
        assert self.told(hub) == {"/feeds/latest", "/categories/politics/feed"}

    def test_no_hub_no_task(self):
        published()
        work()
        assert not DBTaskResult.objects.exists()
        assert LogEntry.objects.count() == Outbox.objects.get().seq == 1
