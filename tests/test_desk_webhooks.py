"""Webhooks at the desk: added with a secret shown once; what was sent and came of it; dead letters; ended."""

import datetime
import html
import re

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from events import pushing
from events.desk import webhooks
from events.models import AuditEntry, Delivery, Webhook
from tests.webhook_server import answering, receiving
from tests.words import person, published

pytestmark = pytest.mark.django_db
LIST = reverse("admin:events_webhook_changelist")
ADD = reverse("admin:events_webhook_add")
SECRET = re.compile(r"whsec_[A-Za-z0-9+/=]{32,}")
HOSTILE = "<script>alert(1)</script>"
State = Delivery.State


@pytest.fixture(autouse=True)
def here(settings):
    """Receivers of tests are on this machine."""
    settings.NEWSDESK_PRIVATE_CALLBACKS = True


@pytest.fixture
def chief(client):
    user = person("Chief", "carla")
    client.force_login(user)
    return user


@pytest.fixture
def receiver():
    with receiving() as server:
        yield server


def added(name="Agency", url="http://127.0.0.1:1024/hook"):
    return pushing.add_webhook(name, url, by=None, at=timezone.now())[0]


def sent(webhook, state=State.WAITING, **values):
    """A delivery of an entry of its own, in this state."""
    event = published(f"Parliament adopts law {Delivery.objects.count()}.")
    entry = event.log_entries.get()
    values = {"due": timezone.now(), "done": None if state == State.WAITING else timezone.now(), **values}
    return Delivery.objects.create(webhook=webhook, entry=entry, state=state, **values)


def page(webhook):
    return reverse("admin:events_webhook_change", args=[webhook.pk])


def end_page(webhook):
    return reverse("admin:events_webhook_end", args=[webhook.pk])


def words(answer):
    """What a page says, messages included, without its marks."""
    text = answer.content.decode()
    text = text[text.index('<div class="messages"') if '<div class="messages"' in text else text.index("<main") :]
    return " ".join(html.unescape(re.sub(r"<[^>]*>", " ", text)).split())


def queries(client, address):
    with CaptureQueriesContext(connection) as captured:
        assert client.get(address).status_code == 200
    return len(captured)


def noted(verb):
    return AuditEntry.objects.get(verb=verb)


class TestList:
    def test_it_says_what_to_do_if_there_is_none(self, client, chief):
        assert "No partner is told at once. Add a webhook" in words(client.get(LIST))

    def test_it_says_how_each_does(self, client, chief):
        webhook = added("Agency", "https://user-of.example:8443/hook?secret-part=1")
        for state in (State.WAITING, State.DEAD, State.DEAD, State.DELIVERED):
            sent(webhook, state)
        ended = added("Gone")
        pushing.end_webhook(ended, by=None, at=timezone.now(), reason="They moved.")
        answer = client.get(LIST)
        said = words(answer)
        assert re.search(r"Agency user-of\.example:8443 active 1 2 \d+ \w+ \d{4}", said)
        assert re.search(r"Gone 127\.0\.0\.1:1024 ended .* : They moved\. 0 0 never", said)
        assert "secret-part" not in answer.content.decode()

    def test_it_says_when_nothing_is_sent(self, client, chief):
        """What is due and not sent lies there when no worker runs."""
        sent(added())
        assert "Ask the operator whether the worker runs" not in words(client.get(LIST))
        with time_machine.travel(timezone.now() + datetime.timedelta(minutes=16)):
            assert "Ask the operator whether the worker runs" in words(client.get(LIST))

    def test_number_of_queries_is_constant(self, client, chief):
        sent(added())
        few = queries(client, LIST)
        for number in range(10):
            sent(added(f"Agency {number}"), State.DEAD)
        assert queries(client, LIST) == few

    @pytest.mark.parametrize("role", ["Reporter", "Editor"])
    def test_only_chiefs_see_it(self, client, role):
        client.force_login(person(role))
        assert client.get(LIST).status_code == client.get(page(added())).status_code == 403


class TestAdding:
    def test_it_shows_the_secret_once(self, client, chief):
        answer = client.post(ADD, {"name": "Agency", "url": "http://127.0.0.1:1024/hook"})
        webhook = Webhook.objects.get()
        assert answer.status_code == 200 and "no-store" in answer["Cache-Control"]
        assert set(SECRET.findall(answer.content.decode())) == {webhook.secret}
        assert (webhook.name, webhook.url, webhook.by) == ("Agency", "http://127.0.0.1:1024/hook", chief)
        for address in (LIST, ADD, page(webhook), end_page(webhook)):
            assert not SECRET.search(client.get(address).content.decode())

    @pytest.mark.parametrize(
        ("name", "url"),
        [("", "http://127.0.0.1:1024/"), ("Agency", ""), ("Agency", "ftp://a.example/"), ("Agency", "nowhere")],
    )
    def test_what_makes_no_sense_is_refused(self, client, chief, name, url):
        answer = client.post(ADD, {"name": name, "url": url})
        assert answer.status_code == 400 and 'class="errornote"' in answer.content.decode()
        assert not Webhook.objects.exists()

    def test_private_address_is_refused(self, client, chief, settings):
        """Where the site does not allow its own network (GUARDS: SSRF)."""
        settings.NEWSDESK_PRIVATE_CALLBACKS = False
        assert client.post(ADD, {"name": "Agency", "url": "http://169.254.169.254/"}).status_code == 400
        assert not Webhook.objects.exists() and noted("add webhook").outcome == "refused"

    def test_form_sent_twice_adds_one(self, client, chief):
        typed = {"name": "Agency", "url": "http://127.0.0.1:1024/hook"}
        client.post(ADD, typed)
        answer = client.post(ADD, typed)
        assert answer.status_code == 400 and "told already, as “Agency”" in words(answer)
        assert not SECRET.search(answer.content.decode())
        assert Webhook.objects.count() == 1

    def test_address_of_an_ended_one_can_be_added(self, client, chief):
        pushing.end_webhook(added(), by=None, at=timezone.now())
        assert client.post(ADD, {"name": "Again", "url": "http://127.0.0.1:1024/hook"}).status_code == 200

    def test_the_audit_has_it_without_the_secret(self, client, chief):
        client.post(ADD, {"name": "Agency", "url": "http://127.0.0.1:1024/hook"})
        entry = noted("add webhook")
        assert (entry.by, entry.subject, entry.outcome, entry.detail) == (chief, "Agency", "done", "")


class TestPage:
    def test_it_shows_each_delivery(self, client, chief):
        webhook = added()
        sent(webhook, State.DELIVERED, attempts=1, status=204)
        sent(webhook, State.DEAD, attempts=8, problem="Nobody answered within ten seconds.")
        sent(webhook, attempts=2, status=503, problem="Answered 503, which is no success.")
        said = words(client.get(page(webhook)))
        assert re.search(r"Entry 3 First version waiting 2 Answered 503, which is no success\. next", said)
        assert re.search(
            r"Entry 2 First version dead 8 Nobody answered within ten seconds\. .* Send again entry 2", said
        )
        assert re.search(r"Entry 1 First version delivered 1 204", said)
        assert said.count("Send again entry") == 1

    def test_without_deliveries_it_says_what_comes(self, client, chief):
        assert "Nothing was sent yet. It begins with the next entry" in words(client.get(page(added())))

    def test_it_ends_with_the_latest(self, client, chief, monkeypatch):
        monkeypatch.setattr(webhooks, "LATEST", 3)
        webhook = added()
        for _delivery in range(5):
            sent(webhook)
        said = words(client.get(page(webhook)))
        assert re.findall(r"Entry (\d+) ", said) == ["5", "4", "3"] and "The latest 3." in said

    def test_number_of_queries_is_constant(self, client, chief):
        webhook = added()
        sent(webhook, State.DEAD)
        few = queries(client, page(webhook))
        for _delivery in range(10):
            sent(webhook, State.DEAD)
        assert queries(client, page(webhook)) == few

    def test_what_others_wrote_is_no_markup(self, client, chief):
        webhook = added(HOSTILE)
        sent(webhook, State.DEAD, problem=HOSTILE)
        pushing.end_webhook(webhook, by=None, at=timezone.now(), reason=HOSTILE)
        for address in (LIST, page(webhook), end_page(webhook)):
            assert HOSTILE not in client.get(address).content.decode()

    def test_there_is_no_such_webhook(self, client, chief):
        for name in ("change", "end"):
            assert client.get(reverse(f"admin:events_webhook_{name}", args=[99])).status_code == 404

    @pytest.mark.parametrize("typed", [{}, {"again": "x"}, {"again": "9" * 30}, {"again": "99"}])
    def test_what_makes_no_sense_is_refused(self, client, chief, typed):
        assert client.post(page(added()), typed).status_code == 400


class TestTrying:
    def test_what_arrived_is_said(self, client, chief, receiver):
        published()
        webhook = added(url=receiver.url)
        said = words(client.post(page(webhook), {"try": "1"}, follow=True))
        assert "It arrived: the address answered 204." in said
        assert len(receiver.received) == 1
        assert (noted("try webhook").outcome, noted("try webhook").subject) == ("done", "Agency")

    def test_what_did_not_arrive_is_said_and_tried_again(self, client, chief):
        published()
        with receiving(answering(500)) as receiver:
            webhook = added(url=receiver.url)
            said = words(client.post(page(webhook), {"try": "1"}, follow=True))
        assert "It did not arrive. Answered 500" in said
        assert Delivery.objects.get().state == State.WAITING

    def test_nothing_to_send_is_said(self, client, chief, receiver):
        answer = client.post(page(added(url=receiver.url)), {"try": "1"})
        assert answer.status_code == 400 and "Nothing was published yet" in words(answer)


class TestSendingAgain:
    def test_one_dead_letter(self, client, chief):
        webhook = added()
        dead, other = sent(webhook, State.DEAD, attempts=8), sent(webhook, State.DEAD, attempts=8)
        answer = client.post(page(webhook), {"again": dead.pk}, follow=True)
        assert "It is sent again" in words(answer)
        dead.refresh_from_db(), other.refresh_from_db()
        assert (dead.state, dead.attempts, other.state) == (State.WAITING, 0, State.DEAD)
        assert noted("send again").outcome == "done"

    @pytest.mark.parametrize("state", [State.WAITING, State.DELIVERED])
    def test_what_is_not_dead_is_not_sent_again(self, client, chief, state):
        webhook = added()
        delivery = sent(webhook, state, attempts=3)
        assert client.post(page(webhook), {"again": delivery.pk}).status_code == 400
        delivery.refresh_from_db()
        assert (delivery.state, delivery.attempts) == (state, 3)

    def test_that_of_another_webhook_is_not_sent(self, client, chief):
        dead = sent(added("Another", "http://127.0.0.1:1029/"), State.DEAD)
        assert client.post(page(added()), {"again": dead.pk}).status_code == 400
        dead.refresh_from_db()
        assert dead.state == State.DEAD

    def test_all_of_them(self, client, chief):
        webhook, other = added(), added("Another", "http://127.0.0.1:1029/")
        for of in (webhook, webhook, other):
            sent(of, State.DEAD)
        assert "Send all 2 dead letters again" in words(client.get(page(webhook)))
        assert "2 dead letters are sent again" in words(client.post(page(webhook), {"all": "1"}, follow=True))
        assert webhook.deliveries.filter(state=State.WAITING).count() == 2
        assert other.deliveries.get().state == State.DEAD
        assert noted("send all again").outcome == "done"

    def test_none_is_said(self, client, chief):
        assert "There is no dead letter" in words(client.post(page(added()), {"all": "1"}, follow=True))


class TestEnding:
    def test_it_asks_first(self, client, chief):
        webhook = added()
        sent(webhook)
        said = words(client.get(end_page(webhook)))
        assert "From then on http://127.0.0.1:1024/hook is told nothing" in said
        assert "1 that waits for it becomes" in said
        assert Webhook.objects.get().ended is None

    def test_it_works(self, client, chief):
        webhook = added()
        waiting = sent(webhook)
        assert client.post(end_page(webhook), {"reason": "They moved."}).status_code == 302
        webhook.refresh_from_db(), waiting.refresh_from_db()
        assert webhook.ended and webhook.reason == "They moved." and waiting.state == State.DEAD
        assert (noted("end webhook").by, noted("end webhook").subject) == (chief, "Agency")
        said = words(client.get(page(webhook)))
        assert "ended" in said and "They moved." in said and "Send again" not in said

    def test_twice_is_refused(self, client, chief):
        webhook = added()
        client.post(end_page(webhook))
        answer = client.post(end_page(webhook))
        assert answer.status_code == 400 and "has ended" in words(answer)

    @pytest.mark.parametrize("reason", ["A" * 301, "A\x0bB"])
    def test_bad_reason_ends_nothing(self, client, chief, reason):
        webhook = added()
        assert client.post(end_page(webhook), {"reason": reason}).status_code == 400
        assert Webhook.objects.get().ended is None

    def test_it_can_be_resumed(self, client, chief):
        webhook = added()
        pushing.end_webhook(webhook, by=None, at=timezone.now(), reason="They moved.")
        assert "is told again" in words(client.post(page(webhook), {"resume": "1"}, follow=True))
        webhook.refresh_from_db()
        assert (webhook.ended, webhook.reason) == (None, "")
        assert noted("resume webhook").outcome == "done"

    @pytest.mark.parametrize(("typed", "verb"), [("try", "try webhook"), ("all", "send all again")])
    def test_what_ended_sends_nothing(self, client, chief, typed, verb):
        webhook = added()
        sent(webhook, State.DEAD)
        pushing.end_webhook(webhook, by=None, at=timezone.now())
        answer = client.post(page(webhook), {typed: "1"})
        assert answer.status_code == 400 and "has ended" in words(answer)
        assert noted(verb).outcome == "refused"
