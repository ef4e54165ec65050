"""Every address of the desk × every role × GET and POST, on entries of their own and of others: allowed, or 403 with
nothing changed. An address that is not in the table fails the test, so none is added without a line here."""

from collections.abc import Callable
from typing import NamedTuple

import pytest
from django.apps import apps
from django.contrib import admin
from django.urls import get_resolver, reverse
from django.urls.resolvers import URLResolver
from django.utils import timezone

from events import drafts, keys, publishing
from events.models import AuditEntry, Event, Webhook
from tests.test_permissions import in_review, scheduled, scheduled_over_live, superseded, withdrawn
from tests.words import DAY, category, draft, in_minutes, person, published, topic

pytestmark = pytest.mark.django_db

# Who: a role with whose entry it is about. Editors and chiefs decide about their own as about others'.
REPORTER_OWN, REPORTER_OTHERS, NOBODY = ("Reporter", "own"), ("Reporter", "others"), ("", "others")
EDITOR_OWN, EDITOR, CHIEF_OWN, CHIEF = ("Editor", "own"), ("Editor", "others"), ("Chief", "own"), ("Chief", "others")
PEOPLE = [REPORTER_OWN, REPORTER_OTHERS, EDITOR_OWN, EDITOR, CHIEF_OWN, CHIEF, NOBODY, ("", "own")]
CHIEFS = {CHIEF_OWN, CHIEF}
EDITORS = {EDITOR_OWN, EDITOR} | CHIEFS
AUTHORS = {REPORTER_OWN} | EDITORS
DESK = {REPORTER_OTHERS} | AUTHORS


class Line(NamedTuple):
    """Who may ask for an address and who may send something to it, about an entry made by `make`."""

    get: set
    post: set | None = None
    make: Callable = draft
    args: Callable = lambda event: [event.pk]
    sent: Callable = lambda event: {}


def none(event):
    return []


def entry(event):
    """What the entry's form sends."""
    return {"headline": "Parliament adopts another.", "body": "", "date": DAY, "language": "en", **lock(event)}


def lock(event):
    return {"lock_version": event.lock_version}


def noted(event):
    return {"note": "A reason.", **lock(event)}


def soon(event):
    issue = in_minutes(3, timezone.localtime()).strftime("%Y-%m-%dT%H:%M")
    return {"issue": issue, "note": "", **lock(event)}


def chosen(event):
    return {"listed": event.pk, "entry": event.pk, f"lock_{event.pk}": event.lock_version}


def of_topic(event):
    return [topic("Vote").pk]


def of_category(event):
    return [category("Politics").pk]


def of_person(event):
    return [person("Reporter", "another-person").pk]


def of_key(event):
    return [keys.make("Agency", by=None, at=timezone.now())[0].pk]


def of_webhook(event):
    return [Webhook.objects.create(name="Agency", url="https://a.example/hook", secret="whsec_AAAA").pk]


TABLE = {
    "index": Line(DESK, args=none),
    "events_event_changelist": Line(DESK, args=none),
    "events_event_add": Line(DESK, DESK, args=none, sent=entry),
    "events_event_hints": Line(set(), DESK, args=none, sent=entry),
    "events_event_moment": Line(EDITORS, args=none),
    "events_event_change": Line(AUTHORS, AUTHORS, sent=entry),
    "events_event_presence": Line(set(), AUTHORS, sent=lock),
    "events_event_preview": Line(AUTHORS),
    "events_event_links": Line(AUTHORS, AUTHORS, sent=lambda event: {"hours": 1}),
    "events_event_history": Line(AUTHORS),
    "events_event_compare": Line(AUTHORS, args=lambda event: [event.pk]),
    "events_event_take_back": Line(
        AUTHORS, AUTHORS, sent=lambda event: {"from": "1", "fields": "headline", "field": "headline", **lock(event)}
    ),
    "events_event_deleted": Line(DESK, args=none),
    "events_event_submit": Line(AUTHORS, AUTHORS, sent=noted),
    "events_event_send_back": Line(AUTHORS, AUTHORS, make=in_review, sent=noted),
    "events_event_delete": Line(AUTHORS, AUTHORS, sent=lock),
    "events_event_publish": Line(EDITORS, EDITORS, sent=noted),
    "events_event_schedule": Line(EDITORS, EDITORS, sent=soon),
    "events_event_unschedule": Line(EDITORS, EDITORS, make=scheduled, sent=lock),
    "events_event_correct_now": Line(
        EDITORS,
        EDITORS,
        make=scheduled_over_live,
        sent=lambda event: {**entry(event), **noted(event), "kind": "correction", "live": 1},
    ),
    "events_event_withdraw": Line(CHIEFS, CHIEFS, make=published, sent=noted),
    "events_event_restore": Line(CHIEFS, CHIEFS, make=withdrawn, sent=noted),
    "events_event_redact": Line(
        CHIEFS,
        CHIEFS,
        make=superseded,
        args=lambda event: [event.pk, 1],
        sent=lambda event: {**noted(event), "typed": "version 1"},
    ),
    "events_topic_changelist": Line(DESK, args=none),
    "events_topic_add": Line(DESK, DESK, args=none, sent=lambda event: {"name": "Another topic"}),
    "events_topic_quick_add": Line(set(), DESK, args=none, sent=lambda event: {"name": "Another topic"}),
    "events_topic_change": Line(DESK, args=of_topic),
    "events_topic_duplicates": Line(DESK, args=none),
    "events_topic_rename": Line(EDITORS, EDITORS, args=of_topic, sent=lambda event: {"name": "Ballot"}),
    "events_topic_add_alias": Line(EDITORS, EDITORS, args=of_topic, sent=lambda event: {"name": "Ballot"}),
    "events_topic_merge": Line(
        EDITORS, EDITORS, args=of_topic, sent=lambda event: {"into": topic("Elections").pk, "confirmed": "1"}
    ),
    "events_category_changelist": Line(DESK, args=none),
    "events_category_order": Line(
        EDITORS, EDITORS, args=none, sent=lambda event: {"category": category("Politics").pk, "position": 1}
    ),
    "events_category_add": Line(EDITORS, EDITORS, args=none, sent=lambda event: {"name": "Another"}),
    "events_category_change": Line(DESK, EDITORS, args=of_category, sent=lambda event: {"name": "Another"}),
    "events_category_delete": Line(CHIEFS, CHIEFS, args=of_category),
    "events_correctionspolicy_changelist": Line(
        CHIEFS, CHIEFS, args=none, sent=lambda event: {"body": "We correct at once.", "seen": ""}
    ),
    "events_key_changelist": Line(CHIEFS, args=none),
    "events_key_add": Line(CHIEFS, CHIEFS, args=none, sent=lambda event: {"name": "Agency"}),
    "events_key_revoke": Line(CHIEFS, CHIEFS, args=of_key),
    "events_receipt_changelist": Line(EDITORS, args=none),
    "events_webhook_changelist": Line(CHIEFS, args=none),
    "events_webhook_add": Line(
        CHIEFS, CHIEFS, args=none, sent=lambda event: {"name": "Agency", "url": "https://192.0.2.1/"}
    ),
    "events_webhook_change": Line(CHIEFS, CHIEFS, args=of_webhook, sent=lambda event: {"all": "1"}),
    "events_webhook_end": Line(CHIEFS, CHIEFS, args=of_webhook),
    "autocomplete": Line(DESK, args=none),
    "events_auditentry_changelist": Line(CHIEFS, args=none),
    "events_auditentry_export": Line(CHIEFS, args=none),
    "auth_user_changelist": Line(CHIEFS, args=none),
    "auth_user_add": Line(CHIEFS, CHIEFS, args=none, sent=lambda event: {"username": "added"}),
    "auth_user_change": Line(CHIEFS, CHIEFS, args=of_person, sent=lambda event: {"username": "changed"}),
    "auth_user_password_change": Line(
        CHIEFS, CHIEFS, args=of_person, sent=lambda event: {"password1": "long-enough-9", "password2": "long-enough-9"}
    ),
    "auth_user_second_factor": Line(CHIEFS, CHIEFS, args=of_person),
}
# Several decisions by one address.
BULK = {
    "submit": (draft, AUTHORS),
    "publish": (draft, EDITORS),
    "schedule": (draft, EDITORS),
    "unschedule": (scheduled, EDITORS),
    "send-back": (in_review, AUTHORS),
    "withdraw": (published, CHIEFS),
    "delete": (draft, AUTHORS),
}
# One's own login, which has tests of its own, and what Django serves to anyone who is logged in.
OWN = {"login", "logout", "alive", "password_change", "password_change_done", "jsi18n"}
OWN |= {"second_factor", "second_factor_confirm", "second_factor_codes", "second_factor_off"}
ELSEWHERE = {"events_event_bulk", "events_event_recover"}


def addresses(resolver=None):
    for pattern in (resolver or get_resolver("newsdesk.urls")).url_patterns:
        if isinstance(pattern, URLResolver):
            yield from addresses(pattern)
        else:
            yield pattern


def test_every_address_of_the_desk_is_in_the_table():
    desk = next(one for one in get_resolver("newsdesk.urls").url_patterns if getattr(one, "namespace", "") == "admin")
    names = {pattern.name for pattern in addresses(desk)}
    assert names - {None, "app_list"} == set(TABLE) | OWN | ELSEWHERE


def kept():
    """Everything that is stored, but for the notes of who asked."""
    left_out = {AuditEntry._meta.label, "sessions.Session"}
    models = [
        model
        for label in ("events", "reversion", "auth", "otp_totp", "otp_static")
        for model in apps.get_app_config(label).get_models()
        if model._meta.label not in left_out
    ]
    return {model._meta.label: sorted(map(repr, model.objects.values_list())) for model in models}


def refusals():
    return AuditEntry.objects.filter(outcome="refused", name="asking").count()


@pytest.fixture
def asked(client):
    """Log someone in who wrote the entry, or did not."""

    def ask(who, make):
        role, whose = who
        user = person(role, "asking")
        event = make()
        author = user if whose == "own" else person("Reporter", "author")
        Event.objects.filter(pk=event.pk).update(author=author)
        event.refresh_from_db()
        topic("Vote"), topic("Elections"), category("Politics")
        client.force_login(user)
        return event

    return ask


def who_is(who):
    return f"{who[0] or 'no role'}, {who[1]}"


@pytest.mark.parametrize("who", PEOPLE, ids=who_is)
@pytest.mark.parametrize("name", TABLE)
def test_get(client, asked, name, who):
    line = TABLE[name]
    event = asked(who, line.make)
    url = reverse(f"admin:{name}", args=line.args(event))
    query = {"autocomplete": AUTOCOMPLETE, "events_event_compare": {"from": "1", "to": "now"}}.get(name)
    query = query or ({"from": "1"} if name == "events_event_take_back" else {})
    before = kept()
    answer = client.get(url, query)
    if who in line.get:
        assert answer.status_code in (200, 302)
    else:
        assert answer.status_code in ((403,) if line.get else (403, 405))
    assert kept() == before
    assert refusals() == 0


AUTOCOMPLETE = {"app_label": "events", "model_name": "eventtopic", "field_name": "tag", "term": "v"}


@pytest.mark.parametrize("who", PEOPLE, ids=who_is)
@pytest.mark.parametrize("name", [name for name, line in TABLE.items() if line.post is not None])
def test_post(client, asked, name, who):
    line = TABLE[name]
    event = asked(who, line.make)
    url = reverse(f"admin:{name}", args=line.args(event)) + ("?from=1" if name == "events_event_take_back" else "")
    sent = line.sent(event)
    before = kept()
    answer = client.post(url, sent)
    if who in line.post:
        assert answer.status_code in (200, 302, 400), answer.status_code
    else:
        assert answer.status_code == 403
        assert kept() == before
        assert refusals() == (name != "events_event_presence")  # sent by itself, again and again


@pytest.mark.parametrize("who", PEOPLE, ids=who_is)
@pytest.mark.parametrize("verb", BULK)
def test_bulk(client, asked, verb, who):
    make, allowed = BULK[verb]
    event = asked(who, make)
    url = reverse("admin:events_event_bulk", args=[verb])
    before = kept()
    client.get(url, chosen(event))
    assert kept() == before
    answer = client.post(url, {**chosen(event), **soon(event), "note": "A reason."})
    if who in allowed:
        assert answer.status_code == 302 and kept() != before
    else:
        assert answer.status_code in (302, 403) and kept() == before


@pytest.mark.parametrize("who", PEOPLE, ids=who_is)
def test_recover(client, asked, who):
    event = asked(who, draft)
    drafts.delete(event, by=None)
    url = reverse("admin:events_event_recover", args=[event.uid])
    before = kept()
    if who in AUTHORS:
        assert client.get(url).status_code == 200 and kept() == before
        assert client.post(url).status_code == 302
        assert Event.objects.filter(uid=event.uid).exists()
    else:
        assert client.get(url).status_code == client.post(url).status_code == 403
        assert kept() == before


@pytest.mark.parametrize("name", [*TABLE, *sorted(OWN - {"login", "logout", "alive"})])
def test_nobody_is_asked_to_log_in(client, name):
    line = TABLE.get(name, Line(set(), args=none))
    event = line.make()
    url, sent = reverse(f"admin:{name}", args=line.args(event)), line.sent(event)
    before = kept()
    for answer in (client.get(url), client.post(url, sent)):
        assert answer.status_code == 302 and answer["Location"].startswith(reverse("admin:login"))
    assert kept() == before


@pytest.mark.parametrize("name", TABLE)
def test_reader_with_a_login_but_no_place_at_the_desk_is_asked_to_log_in(client, name):
    user = person("Chief")
    user.is_staff = False
    user.save()
    client.force_login(user)
    line = TABLE[name]
    url = reverse(f"admin:{name}", args=line.args(line.make()))
    assert client.get(url)["Location"].startswith(reverse("admin:login"))


@pytest.mark.parametrize(
    "path",
    [
        "reversion/version/",
        "reversion/revision/1/",
        "events/event/recover/",
        "events/event/recover/1/",
        "events/event/1/history/1/",
        "events/event/1/",
        "events/source/",
        "events/edition/",
        "events/logentry/1/change/",
        "events/receipt/1/change/",
        "events/delivery/",
        "events/answer/",
        "taggit/tag/",
        "taggit/tag/merge-tags/",
        "auth/group/",
        "axes/accessattempt/",
        "otp_totp/totpdevice/",
        "sessions/session/",
        "r/1/1/",
        "events/",
    ],
)
def test_nothing_else_is_there(client, path):
    draft()
    client.force_login(person("Chief"))
    before = kept()
    for answer in (client.get(f"/desk/{path}"), client.post(f"/desk/{path}")):
        assert answer.status_code == 404
    assert kept() == before


def test_superuser_reaches_no_other_address_either(client):
    user = person("Chief")
    user.is_superuser = True
    user.save()
    client.force_login(user)
    registered = {model._meta.label for model in admin.site._registry}
    ours = {"events.Event", "events.Topic", "events.Category", "events.CorrectionsPolicy", "events.AuditEntry"}
    partners = {"events.Key", "events.Receipt", "events.Webhook"}
    assert registered == {*ours, *partners, "auth.User"}


def test_forged_form_is_refused(client):
    """Django's client leaves the token out of its checks unless it is asked."""
    event = published()
    strict = type(client)(enforce_csrf_checks=True)
    strict.force_login(person("Chief"))
    answer = strict.post(reverse("admin:events_event_withdraw", args=[event.pk]), noted(event))
    assert answer.status_code == 403
    assert publishing.withdraw(event, by=None, note="It did not happen.").number == 2
