"""The API for the desk's own programs: who may do what, on which condition, and what a repeat does (WIRE H8, 4.3)."""

import datetime
import json
import re
import shlex
import uuid
from string import Template
from urllib.parse import urlsplit

import hypothesis
import pytest
import time_machine
from django.conf import settings
from django.contrib.auth.models import Group, Permission
from django.core.cache import cache
from django.db import connection
from django.test import Client, RequestFactory
from django.utils import timezone
from hypothesis import HealthCheck, given
from hypothesis import strategies as st
from reversion.models import Version

from events import drafts, keys, publishing
from events.documents import rfc3339
from events.http import Problem
from events.models import Answer, AuditEntry, Edition, Event, Key, LogHead, Topic
from events.wire import bodies, idempotency, writing
from tests.processes import ended, killed_after, started
from tests.words import category, draft, in_minutes, person, published, revise

pytestmark = pytest.mark.django_db

DRAFTS = "/api/drafts/"
BULK = "/api/drafts/bulk"
UID = "0192f5a1-7c3e-4b1d-9d7e-5a2c8e4f6b10"
WHOLE = {
    "date": "2017-02-25",
    "headline": "Parliament adopts the budget.",
    "body": "By 61 votes to 40.\n\n**At last.**",
    "category": "Politics",
    "story": "Budget of 2017",
    "topics": ["Parliament"],
    "sources": [{"name": "The Gazette", "url": "https://gazette.example/1"}],
    "language": "en",
    "origin": {"name": "Archive", "url": "https://archive.example/", "licence": "CC BY 4.0"},
}


@pytest.fixture(autouse=True)
def empty_cache():
    cache.clear()


class Bot:
    """A program with a key. Each call is one request; `tag` is the ETag for If-Match."""

    def __init__(self, role="Editor", name="", writes=True, publishes=True):
        """Its person got another role after the key was made, unless it is an editor."""
        self.user = person("Editor", name or role.lower() or "nobody")
        self.key, self.token = keys.make(
            "Bot", by=None, at=timezone.now(), user=self.user, writes=writes, publishes=publishes
        )
        self.user.groups.set(Group.objects.filter(name=role))

    def ask(self, method, path, body=None, *, tag=None, once=None, **headers):
        """`body` is made JSON unless it is bytes, and its type is JSON; a header that is None is not sent."""
        sent = {"Authorization": f"Bearer {self.token}", "If-Match": tag, "Idempotency-Key": once, **headers}
        sent = {name: value for name, value in sent.items() if value is not None}
        body = b"" if body is None else body if isinstance(body, bytes) else json.dumps(body).encode()
        return Client().generic(method, path, body, sent.pop("Content-Type", "application/json"), headers=sent)

    def create(self, once=None, **values):
        body = {"date": WHOLE["date"], "headline": WHOLE["headline"], **values}
        return self.ask("POST", DRAFTS, body, once=once)

    def made(self, **values):
        """A new draft's row."""
        response = self.create(**values)
        assert response.status_code == 201, response.content
        return Event.objects.get(uid=response.json()["uid"])


def path(event, *parts):
    return "/".join([f"/api/drafts/{event.uid}", *parts])


def etag(event):
    return f'"{Event.objects.get(pk=event.pk).lock_version}"'


def errors(response):
    """{pointer: detail} of a problem."""
    assert response["Content-Type"] == "application/problem+json"
    problem = response.json()
    assert problem["status"] == response.status_code
    return {error["pointer"]: error["detail"] for error in problem["errors"]}


def problem_name(response):
    assert response["Content-Type"] == "application/problem+json"
    return response.json()["type"].rpartition("/")[2]


@pytest.fixture
def editor():
    return Bot()


@pytest.fixture
def reporter():
    return Bot("Reporter")


@pytest.fixture
def names():
    """The category and topics that WHOLE names."""
    category("Politics")
    Topic.objects.named(["Budget of 2017", "Parliament"])


class TestOneDraft:
    def test_it_is_created_read_revised_submitted_published(self, editor, names):
        created = editor.ask("POST", DRAFTS, WHOLE)
        assert created.status_code == 201
        assert created["ETag"] == created.json()["etag"] == '"1"'
        assert created["Location"] == created.json()["url"]
        at = urlsplit(created["Location"]).path
        read = editor.ask("GET", at)
        assert read.json()["document"] == WHOLE | {"topics": ["Budget of 2017", "Parliament"]}
        assert (read.json()["stage"], read.json()["latest"], read["ETag"]) == ("draft", None, '"1"')
        revised = editor.ask("PATCH", at, {"headline": "Parliament rejects the budget."}, tag=read["ETag"])
        assert (revised.status_code, revised["ETag"]) == (200, '"2"')
        submitted = editor.ask("POST", f"{at}/submit", tag=revised["ETag"])
        assert (submitted.status_code, submitted.json()["stage"]) == (200, "review")
        made = editor.ask("POST", f"{at}/publish", tag=submitted["ETag"])
        assert made.status_code == 200
        assert made.json()["latest"]["version"] == 1
        edition = Edition.objects.get()
        assert edition.document["headline"] == "Parliament rejects the budget."
        assert editor.ask("GET", at).json()["latest"] == made.json()["latest"]
        assert editor.ask("GET", at)["ETag"] == made["ETag"] == '"4"'

    def test_what_is_read_can_be_put_back(self, editor, names):
        event = editor.made(**WHOLE)
        document = editor.ask("GET", path(event)).json()["document"]
        response = editor.ask("PUT", path(event), document, tag=etag(event))
        assert (response.status_code, response["ETag"]) == (200, '"1"')
        assert editor.ask("GET", path(event)).json()["document"] == document

    def test_a_put_needs_every_member_so_that_none_is_emptied_by_mistake(self, editor, names):
        event = editor.made(**WHOLE)
        short = {name: value for name, value in WHOLE.items() if name not in ("sources", "body")}
        response = editor.ask("PUT", path(event), short, tag=etag(event))
        assert response.status_code == 422
        assert errors(response).keys() == {"/sources", "/body"}
        assert editor.ask("GET", path(event)).json()["document"]["sources"] == WHOLE["sources"]

    def test_a_patch_changes_what_is_given_and_nothing_else(self, editor, names):
        event = editor.made(**WHOLE)
        before = editor.ask("GET", path(event)).json()["document"]
        assert editor.ask("PATCH", path(event), {"category": None, "sources": []}, tag='"1"').status_code == 200
        after = editor.ask("GET", path(event)).json()["document"]
        assert after == before | {"category": None, "sources": []}

    def test_it_is_deleted_until_it_was_public(self, editor):
        event = editor.made()
        deleted = editor.ask("DELETE", path(event), tag='"1"')
        assert (deleted.status_code, deleted.content) == (204, b"")
        assert editor.ask("GET", path(event)).status_code == 404
        public = published()
        response = editor.ask("DELETE", path(public), tag=etag(public))
        assert response.status_code == 409
        assert "Withdraw" in response.json()["detail"]
        assert Event.objects.filter(pk=public.pk).exists()

    def test_the_desk_reads_through_which_key_it_was_saved(self, editor):
        event = editor.made()
        editor.ask("POST", path(event, "submit"), {"comment": "Please check the numbers."}, tag='"1"')
        comments = [
            version.revision.comment for version in Version.objects.get_for_object(event).select_related("revision")
        ]
        assert comments == [
            "Submitted\nPlease check the numbers.\nby the key “Bot”",
            "by the key “Bot”",
        ]
        assert {version.revision.user for version in Version.objects.get_for_object(event)} == {editor.user}

    def test_a_new_draft_has_the_sites_language_and_the_person_as_author(self, editor, settings):
        settings.LANGUAGE_CODE = "pt-BR"
        event = editor.made()
        assert (event.language, event.author) == ("pt-BR", editor.user)

    def test_answers_to_writing_are_stored_nowhere_and_open_to_no_other_page(self, editor):
        event = editor.made()
        for response in (
            editor.create(),
            editor.ask("GET", path(event)),
            editor.ask("GET", DRAFTS),
            editor.ask("PATCH", path(event), {}, tag='"9"'),
            editor.ask("OPTIONS", path(event)),
        ):
            assert response["Cache-Control"] == "no-store"
            assert not [name for name in response.headers if name.startswith("Access-Control")]

    def test_a_draft_that_is_held_is_not_sent_again(self, editor):
        event = editor.made()
        response = editor.ask("GET", path(event), **{"If-None-Match": '"1"'})
        assert (response.status_code, response.content, response["ETag"]) == (304, b"", '"1"')
        assert editor.ask("GET", path(event), **{"If-None-Match": '"2"'}).status_code == 200

    def test_head_and_options(self, editor):
        event = editor.made()
        head = editor.ask("HEAD", path(event))
        assert (head.status_code, head.content, head["ETag"]) == (200, b"", '"1"')
        assert int(head["Content-Length"]) == len(editor.ask("GET", path(event)).content)
        options = editor.ask("OPTIONS", path(event))
        assert (options.status_code, options["Allow"]) == (204, "GET, PUT, PATCH, DELETE, HEAD, OPTIONS")

    def test_another_method_is_refused_with_those_that_are_taken(self, editor):
        response = editor.ask("PUT", DRAFTS, {})
        assert (response.status_code, response["Allow"]) == (405, "GET, POST, HEAD, OPTIONS")

    def test_topics_are_known_by_any_spelling_and_new_ones_are_added_by_who_may(self, editor):
        Topic.objects.named(["European Union"])
        event = editor.made(topics=["EUROPEAN  union", "Data retention"])
        assert editor.ask("GET", path(event)).json()["document"]["topics"] == ["Data retention", "European Union"]
        noted = AuditEntry.objects.get(verb="add topic")
        assert (noted.by, noted.subject) == (editor.user, "Data retention")
        writer = Bot("", "writer")
        writer.user.user_permissions.add(Permission.objects.get(codename="add_event"))
        response = writer.create(topics=["European Union", "Data protection"], story="Elsewhere")
        assert response.status_code == 422
        assert errors(response).keys() == {"/topics/1", "/story"}
        assert not Topic.objects.filter(name="Data protection").exists()

    def test_no_topic_is_added_for_a_draft_that_is_refused(self, editor):
        response = editor.create(topics=["Data retention"], headline="Invisible \u202econtrols.")
        assert errors(response).keys() == {"/headline"}
        assert not Topic.objects.exists()

    def test_a_category_has_to_be_there(self, editor):
        assert errors(editor.create(category="Politics")) == {
            "/category": "There is no category “Politics”. Give the name of one, or null."
        }


def page(client, event):
    """What readers see of an event."""
    return client.get(client.get(f"/events/{event.uid}")["Location"]).content


class TestWhatIsPublic:
    """A published entry that is revised is a draft ahead of the public."""

    def test_nothing_public_changes_until_it_is_published(self, editor, client):
        event = published()
        before = page(client, event)
        head = LogHead.objects.get().seq
        revised = editor.ask("PATCH", path(event), {"headline": "Parliament rejects it."}, tag=etag(event))
        assert revised.json()["stage"] == "draft"
        assert page(client, event) == before
        assert LogHead.objects.get().seq == head
        response = editor.ask(
            "POST", path(event, "publish"), {"kind": "correction", "note": "It was rejected."}, tag=revised["ETag"]
        )
        assert response.json()["latest"]["kind"] == "correction"
        assert b"Parliament rejects it." in page(client, event)

    def test_it_is_scheduled_for_a_minute_and_is_not_public_before(self, editor, client):
        with time_machine.travel(datetime.datetime(2026, 11, 22, 12, 0, 20, tzinfo=datetime.UTC)) as clock:
            event = editor.made()
            body = {"issue": "2026-11-22T14:30:00+01:00"}
            response = editor.ask("POST", path(event, "publish"), body, tag='"1"')
            assert response.json()["latest"]["issued"] == "2026-11-22T13:30:00Z"
            assert client.get(f"/events/{event.uid}").status_code == 404
            clock.shift(datetime.timedelta(hours=2))
            assert client.get(f"/events/{event.uid}").status_code == 302

    @pytest.mark.parametrize(
        ("body", "status", "told"),
        [
            ({"issue": "2026-11-22T11:00:00Z"}, 409, "future"),
            ({"issue": "2026-11-22T14:00:30Z"}, 422, "whole minute"),
            ({"issue": "2026-11-22T14:00:00"}, 422, "whole minute"),
            ({"issue": "0001-01-01T00:00:00+23:59"}, 422, "whole minute"),
            ({"issue": "2026-13-22T14:00:00Z"}, 422, "whole minute"),
            ({"issue": 5}, 422, "whole minute"),
            ({"kind": "update"}, 409, "first version"),
            ({"kind": "withdraw"}, 422, "Give one of"),
            ({"kind": ["publish"]}, 422, "Give one of"),
            ({"note": "A\u0000B"}, 422, "U+0000"),
            ({"override": "\ud800"}, 422, "U+D800"),
            ({"sort": "minor"}, 422, "no such member"),
        ],
    )
    def test_what_cannot_be_published_so_is_refused(self, editor, body, status, told):
        with time_machine.travel(datetime.datetime(2026, 11, 22, 12, 0, 20, tzinfo=datetime.UTC)):
            event = editor.made()
            response = editor.ask("POST", path(event, "publish"), body, tag='"1"')
        assert response.status_code == status
        assert told in response.content.decode()
        assert not Edition.objects.exists()

    def test_a_minor_change_of_facts_needs_a_chief_who_overrides(self, editor):
        event = published()
        chief = Bot("Chief")
        revise(event, headline="Parliament adopts the budget of 40.")
        body = {"kind": "minor"}
        assert editor.ask("POST", path(event, "publish"), body, tag=etag(event)).status_code == 409
        body["override"] = "The number was in the body."
        assert editor.ask("POST", path(event, "publish"), body, tag=etag(event)).status_code == 403
        assert chief.ask("POST", path(event, "publish"), body, tag=etag(event)).status_code == 200

    def test_nothing_new_is_no_version(self, editor):
        event = published()
        response = editor.ask("POST", path(event, "publish"), {"kind": "update"}, tag=etag(event))
        assert response.status_code == 409
        assert Edition.objects.count() == 1


def allowed(bot, verb):
    """The status of a request of each kind about a draft of somebody else's, and about one's own."""
    other, own = draft("Somebody else's."), drafts.save(draft("One's own."), by=None)
    Event.objects.filter(pk=own.pk).update(author=bot.user)
    return ask(bot, verb, other), ask(bot, verb, own)


def ask(bot, verb, event):
    requests = {
        "list": ("GET", DRAFTS, None),
        "create": ("POST", DRAFTS, {"date": "2017-02-25", "headline": "New."}),
        "bulk": ("POST", BULK, {"drafts": [{"date": "2017-02-25", "headline": "New."}]}),
        "read": ("GET", path(event), None),
        "put": ("PUT", path(event), WHOLE | {"category": None, "story": None, "topics": []}),
        "patch": ("PATCH", path(event), {"body": "More."}),
        "delete": ("DELETE", path(event), None),
        "submit": ("POST", path(event, "submit"), None),
        "publish": ("POST", path(event, "publish"), None),
    }
    method, address, body = requests[verb]
    return bot.ask(method, address, body, tag=etag(event)).status_code


# Verb: what it is answered, of somebody else's draft and of one's own, by the role of the key's person.
ANSWERED = {
    "list": {"": (200, 200), "Reporter": (200, 200), "Editor": (200, 200)},
    "create": {"": (403, 403), "Reporter": (201, 201), "Editor": (201, 201)},
    "bulk": {"": (200, 200), "Reporter": (200, 200), "Editor": (200, 200)},
    "read": {"": (404, 404), "Reporter": (404, 200), "Editor": (200, 200)},
    "put": {"": (404, 404), "Reporter": (404, 200), "Editor": (200, 200)},
    "patch": {"": (404, 404), "Reporter": (404, 200), "Editor": (200, 200)},
    "delete": {"": (404, 404), "Reporter": (404, 204), "Editor": (204, 204)},
    "submit": {"": (404, 404), "Reporter": (404, 200), "Editor": (200, 200)},
    "publish": {"": (404, 404), "Reporter": (404, 403), "Editor": (200, 200)},
}
READING = ("list", "read")


class TestWhoMay:
    @pytest.mark.parametrize("verb", ANSWERED)
    @pytest.mark.parametrize("role", ["", "Reporter", "Editor"])
    def test_a_key_may_what_its_person_may_at_the_desk(self, role, verb):
        assert allowed(Bot(role), verb) == ANSWERED[verb][role]

    @pytest.mark.parametrize("verb", ANSWERED)
    @pytest.mark.parametrize("scope", ["none", "writes", "publishes"])
    def test_a_key_does_only_what_it_was_made_for(self, scope, verb):
        bot = Bot(writes=scope == "writes", publishes=scope == "publishes")
        needed = ("writes", "publishes") if verb in READING else ("publishes",) if verb == "publish" else ("writes",)
        status = ask(bot, verb, draft())
        assert (status < 300) if scope in needed else (status == 403)

    def test_a_key_without_the_scope_is_told_which_and_the_audit_too(self):
        bot = Bot(writes=False)
        event = draft()
        response = bot.ask("PATCH", path(event), {"body": "More."}, tag='"1"')
        assert response["WWW-Authenticate"].endswith('error="insufficient_scope", scope="writes"')
        noted = AuditEntry.objects.get()
        assert (noted.verb, noted.outcome, noted.subject) == ("edit", "refused", str(event.uid))

    def test_without_a_key_nothing_is_there_but_a_challenge(self, client):
        bot = Bot()
        event = draft()
        bot.token = "nd_of-somebody-else"
        assert {verb: ask(bot, verb, event) for verb in ANSWERED} == dict.fromkeys(ANSWERED, 401)
        response = client.get(path(event))
        assert (response.status_code, response["WWW-Authenticate"]) == (401, 'Bearer realm="newsdesk"')
        assert response["Content-Type"] == "application/problem+json"

    def test_a_key_that_reads_in_nobodys_name_is_refused(self):
        bot = Bot(writes=False, publishes=False)
        Key.objects.update(user=None)
        assert [ask(bot, verb, draft()) for verb in ANSWERED] == [403] * len(ANSWERED)

    @pytest.mark.parametrize("change", [{"is_active": False}, {"is_staff": False}])
    def test_a_key_of_somebody_who_left_the_desk_does_nothing(self, editor, change):
        for name, value in change.items():
            setattr(editor.user, name, value)
        editor.user.save()
        event = draft()
        assert {verb: ask(editor, verb, event) for verb in ANSWERED} == dict.fromkeys(ANSWERED, 403)
        event.refresh_from_db()
        assert (event.lock_version, event.stage) == (1, "draft")
        assert Event.objects.count() == 1

    def test_who_wrote_it_may_have_to_leave_it_to_another(self, editor, settings):
        settings.NEWSDESK_OWN_PUBLISHING = False
        event = editor.made()
        response = editor.ask("POST", path(event, "publish"), tag='"1"')
        assert (response.status_code, "somebody else" in response.json()["detail"]) == (403, True)

    def test_a_reporter_learns_nothing_of_anothers_draft(self, reporter):
        event = draft("A secret headline.", body="A secret body.")
        absent = uuid.uuid4()
        for method, parts in [("GET", []), ("PATCH", []), ("DELETE", []), ("POST", ["submit"]), ("POST", ["publish"])]:
            told, of_none = (
                reporter.ask(
                    method, "/".join([f"/api/drafts/{uid}", *parts]), {} if method == "PATCH" else None, tag='"1"'
                )
                for uid in (event.uid, absent)
            )
            assert (told.status_code, told.content) == (404, of_none.content)
            assert dict(told.headers) == dict(of_none.headers)
        bulk = reporter.ask(
            "POST",
            BULK,
            {"drafts": [{"uid": str(uid), "if_match": '"1"', "body": "Mine."} for uid in (event.uid, absent)]},
        )
        first, second = bulk.json()["drafts"]
        assert (first, first["status"]) == (second, 404)
        assert reporter.ask("GET", DRAFTS).json()["drafts"] == []

    def test_ones_own_entry_in_review_is_no_longer_ones_own_to_change(self, reporter):
        event = reporter.made()
        reporter.ask("POST", path(event, "submit"), tag='"1"')
        assert reporter.ask("PATCH", path(event), {"body": "More."}, tag='"2"').status_code == 403
        assert reporter.ask("GET", path(event)).json()["stage"] == "review"

    def test_each_act_is_a_line_of_the_audit_refused_ones_too(self, editor):
        event = editor.made()
        editor.ask("PATCH", path(event), {"body": "More."}, tag='"1"')
        editor.ask("PATCH", path(event), {"body": "Less."}, tag='"1"')
        editor.ask("POST", path(event, "submit"), tag='"2"')
        editor.ask("POST", path(event, "publish"), {"issue": "2001-01-01T00:00:00Z"}, tag='"3"')
        editor.ask("POST", path(event, "publish"), tag='"3"')
        editor.ask("DELETE", path(event), tag='"4"')
        noted = AuditEntry.objects.order_by("pk")
        assert list(noted.values_list("verb", "outcome")) == [
            ("write", "done"),
            ("edit", "done"),
            ("edit", "refused"),
            ("submit", "done"),
            ("schedule", "refused"),
            ("publish", "done"),
            ("delete", "refused"),
        ]
        assert {(entry.by, entry.name, entry.event, entry.subject) for entry in noted} == {
            (editor.user, "editor", event, str(event.uid))
        }
        assert all(entry.detail.startswith("by the key “Bot”") for entry in noted)

    def test_a_key_asks_so_often_a_minute(self, editor, settings):
        settings.NEWSDESK_KEY_RATE = 2
        assert [editor.create().status_code for _ in range(3)] == [201, 201, 429]
        assert int(editor.create()["Retry-After"]) > 0


class TestConditions:
    VERBS = ("put", "patch", "delete", "submit", "publish")

    def sent(self, bot, verb, event, tag):
        bodies = {"put": WHOLE | {"category": None, "story": None, "topics": []}, "patch": {"body": "More."}}
        method = {"put": "PUT", "patch": "PATCH", "delete": "DELETE"}.get(verb, "POST")
        address = path(event, *([verb] if method == "POST" else []))
        return bot.ask(method, address, bodies.get(verb), tag=tag)

    @pytest.mark.parametrize("tag", [None, "*"])
    @pytest.mark.parametrize("verb", VERBS)
    def test_what_was_seen_has_to_be_said(self, editor, verb, tag):
        """H8: absent is 428; `*` would match anything, so it says nothing."""
        event = draft()
        response = self.sent(editor, verb, event, tag)
        assert (response.status_code, problem_name(response)) == (428, "precondition-required")
        event.refresh_from_db()
        assert (event.lock_version, event.stage) == (1, "draft")

    @pytest.mark.parametrize("verb", VERBS)
    def test_what_was_changed_since_is_left_as_it_is(self, editor, verb):
        """H8: a mismatch is 412, with the tag that there is now."""
        event = revise(draft(), body="Meanwhile.")
        response = self.sent(editor, verb, event, '"1"')
        assert (response.status_code, response["ETag"]) == (412, '"2"')
        assert (problem_name(response), response.json()["etag"]) == ("precondition-failed", '"2"')
        event.refresh_from_db()
        assert (event.lock_version, event.body, event.stage) == (2, "Meanwhile.", "draft")

    @pytest.mark.parametrize("tag", ['W/"2"', '"02"', '"abc"', '""', '"1", "7"', '"99999999999999999999"'])
    def test_another_tag_never_matches(self, editor, tag):
        """RFC 9110, 13.1.1: the comparison is a strong one, so that a weak tag is none of them."""
        event = revise(draft(), body="Meanwhile.")
        assert self.sent(editor, "patch", event, tag).status_code == 412

    @pytest.mark.parametrize("tag", ['"2"', '"1", "2"', ' "2" ,W/"5"'])
    def test_one_of_several_tags_is_enough(self, editor, tag):
        event = revise(draft(), body="Meanwhile.")
        assert self.sent(editor, "patch", event, tag).status_code == 200

    @pytest.mark.parametrize("tag", ["2", '"2', "2,3", '"2 "', '"2" "3"', "W/2"])
    def test_what_is_no_tag_is_told_so(self, editor, tag):
        event = revise(draft(), body="Meanwhile.")
        assert self.sent(editor, "patch", event, tag).status_code == 400

    @pytest.mark.django_db(transaction=True, serialized_rollback=True)
    def test_of_those_who_revise_at_once_one_wins(self):
        """Real processes: each saw the same copy, and the check is made under the row's lock."""
        bot = Bot()
        event = draft()
        children = [started(_revise_or_lose, bot, path(event), number) for number in range(4)]
        assert sorted(ended(child) for child in children) == [0, 1, 1, 1]
        event.refresh_from_db()
        assert event.lock_version == 2
        assert event.body in {f"By process {number}." for number in range(4)}


def _revise_or_lose(bot, address, number):
    response = bot.ask("PATCH", address, {"body": f"By process {number}."}, tag='"1"')
    if response.status_code == 412:
        raise SystemExit(1)
    assert response.status_code == 200


class TestLists:
    def rows(self, bot, query=""):
        response = bot.ask("GET", DRAFTS + query)
        assert response.status_code == 200, response.content
        return response.json()

    def test_a_row_says_where_a_draft_stands(self, editor):
        event = published()
        [row] = self.rows(editor)["drafts"]
        assert row == {
            "uid": str(event.uid),
            "url": f"http://127.0.0.1:8000{path(event)}",
            "etag": etag(event),
            "stage": "ready",
            "date": "2017-02-25",
            "headline": event.headline,
            "remark": "",
            "created": rfc3339(event.created),
            "modified": rfc3339(event.modified),
            "latest": {
                "version": 1,
                "kind": "publish",
                "issued": rfc3339(Edition.objects.get().issued),
                "url": f"http://127.0.0.1:8000/events/{event.uid}",
            },
        }

    def test_a_reporter_sees_their_own_and_what_the_editor_wants(self, reporter):
        event = reporter.made()
        draft("Somebody else's.")
        event = drafts.submit(event, by=None)
        drafts.send_back(event, by=None, comment="Name the source.")
        [row] = self.rows(reporter)["drafts"]
        assert (row["uid"], row["stage"], row["remark"]) == (str(event.uid), "draft", "Name the source.")

    def test_a_list_is_of_one_stage(self, editor):
        waiting = drafts.submit(draft("Waiting."), by=None)
        draft("Not yet.")
        assert [row["uid"] for row in self.rows(editor, "?stage=review")["drafts"]] == [str(waiting.uid)]
        assert self.rows(editor, "?stage=ready")["drafts"] == []

    def test_pages_lead_through_all_of_them_and_back(self, editor):
        uids = sorted(str(draft(f"Number {number}.").uid) for number in range(7))
        page, met, pages = self.rows(editor, "?limit=3&stage=draft"), [], []
        while True:
            met += [row["uid"] for row in page["drafts"]]
            pages.append(page)
            if page["next"] is None:
                break
            page = self.rows(editor, page["next"].partition(DRAFTS)[2])
        assert met == uids
        assert [page["previous"] is None for page in pages] == [True, False, False]
        for before in (pages[1], pages[0]):
            page = self.rows(editor, page["previous"].partition(DRAFTS)[2])
            assert page["drafts"] == before["drafts"]
        assert (page["previous"], page["next"]) == (None, pages[1]["url"].replace("before", "after") and page["next"])

    def test_a_page_goes_on_where_a_draft_was_deleted(self, editor):
        uids = sorted((draft(f"Number {number}.").uid for number in range(3)), key=str)
        following = self.rows(editor, "?limit=1")["next"].partition(DRAFTS)[2]
        Event.objects.filter(uid=uids[0]).delete()
        assert [row["uid"] for row in self.rows(editor, following)["drafts"]] == [str(uids[1])]

    @pytest.mark.parametrize(
        "query",
        [
            "?stage=gone",
            "?stage=draft&stage=draft",
            "?limit=0",
            "?limit=101",
            "?limit=x",
            "?after=1",
            f"?after={UID}&before={UID}",
            "?sort=date",
        ],
    )
    def test_a_question_that_makes_no_sense_is_refused(self, editor, query):
        response = editor.ask("GET", DRAFTS + query)
        assert (response.status_code, response["Content-Type"]) == (400, "application/problem+json")

    @pytest.mark.parametrize("number", [1, 12])
    def test_a_list_costs_the_same_whatever_its_length(self, editor, number, names, django_assert_max_num_queries):
        for one in range(number):
            published(f"Number {one}.", topics=["Parliament"], category="Politics", story="Budget of 2017")
        editor.ask("GET", DRAFTS)
        with django_assert_max_num_queries(5):
            assert len(self.rows(editor)["drafts"]) == number


NESTED = b'{"topics": ' + b"[" * 100_000 + b"]" * 100_000 + b"}"


class TestBodies:
    @pytest.mark.parametrize(
        ("body", "told"),
        [
            (b"{", "line 1"),
            (b'{"headline": "A"} {}', "Extra data"),
            (b"[]", "Send a JSON object."),
            (b'"headline"', "Send a JSON object."),
            (b'{"headline": "\xff"}', "not UTF-8 from byte 15"),
            (b'\xef\xbb\xbf{"headline": "A"}', "BOM"),
            ('{"headline": "A"}'.encode("utf-16"), "UTF-8"),
            (b'{"headline": "A", "headline": "B"}', "“headline” is given twice"),
            (b'{"sources": [{"url": "A", "url": "B"}]}', "“url” is given twice"),
            (b'{"headline": NaN}', "NaN"),
            (b'{"headline": -Infinity}', "-Infinity"),
            (b'{"headline": "A\nB"}', "control character"),
            (NESTED, "nested too deeply"),
            (b'{"\\ud800": 1, "\\ud800": 2}', "given twice"),
        ],
    )
    def test_what_is_no_json_object_is_unreadable(self, editor, body, told):
        response = editor.ask("POST", DRAFTS, body)
        assert response.status_code == 400
        assert told in errors(response)[""]
        assert not Event.objects.exists()

    @pytest.mark.parametrize(
        ("values", "pointer"),
        [
            ({"date": "2017-02-30"}, "/date"),
            ({"date": "25.2.2017"}, "/date"),
            ({"date": "2999-01-01"}, "/date"),
            ({"date": 20170225}, "/date"),
            ({"date": None}, "/date"),
            ({"date": "２０１７-02-25"}, "/date"),
            ({"headline": ""}, "/headline"),
            ({"headline": " Outer space. "}, "/headline"),
            ({"headline": "Two\nlines."}, "/headline"),
            ({"headline": "x" * 2001}, "/headline"),
            ({"headline": "A\u0000B"}, "/headline"),
            ({"headline": "\ud800"}, "/headline"),
            ({"headline": ["A"]}, "/headline"),
            ({"headline": 10**400}, "/headline"),
            ({"body": None}, "/body"),
            ({"body": "x" * 50_001}, "/body"),
            ({"body": "\ufffe"}, "/body"),
            ({"category": 5}, "/category"),
            ({"category": "\u0000"}, "/category"),
            ({"category": {"name": "Politics"}}, "/category"),
            ({"story": ["Budget"]}, "/story"),
            ({"story": ""}, "/story"),
            ({"topics": "Parliament"}, "/topics"),
            ({"topics": None}, "/topics"),
            ({"topics": ["A", {"name": "B"}]}, "/topics/1"),
            ({"topics": ["A", "B\u0007"]}, "/topics/1"),
            ({"topics": [f"Topic {number}" for number in range(61)]}, "/topics"),
            ({"topics": [f"Topic {number}" for number in range(60)], "story": "One more"}, "/topics"),
            ({"topics": ["Invisible \u202e controls"]}, "/topics/0"),
            ({"sources": {}}, "/sources"),
            ({"sources": ["https://a.example"]}, "/sources/0"),
            ({"sources": [{"name": "A"}]}, "/sources/0/url"),
            ({"sources": [{"name": "A", "url": "https://a.example", "id": 1}]}, "/sources/0/id"),
            ({"sources": [{"name": "A", "url": "javascript:alert(1)"}]}, "/sources/0/url"),
            ({"sources": [{"name": "A", "url": "https://u:p@a.example"}]}, "/sources/0/url"),
            ({"sources": [{"name": "", "url": "https://a.example"}]}, "/sources/0/name"),
            ({"sources": [{"name": 1, "url": None}]}, "/sources/0/name"),
            ({"sources": [{"name": "A", "url": "https://a.example"}] * 51}, "/sources"),
            ({"language": "english!"}, "/language"),
            ({"language": ""}, "/language"),
            ({"origin": "Archive"}, "/origin"),
            ({"origin": {"name": "Archive"}}, "/origin"),
            ({"origin": {"name": "Archive", "url": "ftp://a.example", "licence": ""}}, "/origin"),
            ({"uid": UID}, "/uid"),
            ({"stage": "ready"}, "/stage"),
            ({"a/b~c": 1}, "/a~1b~0c"),
            ({"\ud800": 1}, "/?"),
        ],
    )
    def test_what_says_something_else_than_it_may_is_told_where(self, editor, values, pointer):
        response = editor.create(**values)
        assert response.status_code == 422
        assert pointer in errors(response)
        assert not Event.objects.exists()
        assert not Topic.objects.exists()

    def test_all_that_is_wrong_is_told_at_once(self, editor):
        response = editor.ask(
            "POST", DRAFTS, {"body": 5, "sources": [{"url": "x"}, {"name": "A", "url": "y"}], "more": 1}
        )
        assert errors(response).keys() == {
            "/body",
            "/date",
            "/headline",
            "/more",
            "/sources/0/name",
            "/sources/1/url",
        }

    def test_of_very_many_errors_the_first_are_told(self, editor):
        response = editor.create(**{f"member{number}": 1 for number in range(1000)})
        assert len(errors(response)) == 100

    @pytest.mark.parametrize(
        ("headers", "told"),
        [
            ({"Content-Type": "text/plain"}, "Accept"),
            ({"Content-Type": "application/x-www-form-urlencoded"}, "Accept"),
            ({"Content-Type": "application/merge-patch+json"}, "Accept"),
            ({"Content-Type": "application/json; charset=latin-1"}, "Accept"),
            ({"Content-Encoding": "gzip"}, "Accept-Encoding"),
        ],
    )
    def test_only_json_as_it_is_is_taken(self, editor, headers, told):
        body = {"date": "2017-02-25", "headline": "A."}
        response = editor.ask("POST", DRAFTS, body, **headers)
        assert (response.status_code, told in response.headers) == (415, True)
        assert not Event.objects.exists()

    def test_a_body_in_chunks_is_not_taken_for_none(self, editor):
        """Without a length it would be read as empty, and what was to be scheduled would be public."""
        event = editor.made()
        response = editor.ask("POST", path(event, "publish"), tag='"1"', **{"Transfer-Encoding": "chunked"})
        assert response.status_code == 411
        assert not Edition.objects.exists()

    def test_json_may_say_that_it_is_utf8(self, editor):
        body = json.dumps({"date": "2017-02-25", "headline": "Café."}, ensure_ascii=False).encode()
        response = editor.ask("POST", DRAFTS, body, **{"Content-Type": "Application/JSON; charset=UTF-8"})
        assert response.status_code == 201
        assert Event.objects.get().headline == "Café."

    def test_a_body_is_of_so_many_bytes_at_most(self, editor):
        head = json.dumps({"date": "2017-02-25", "headline": "A."}).encode()
        assert editor.ask("POST", DRAFTS, head.ljust(writing.MOST_BYTES)).status_code == 201
        assert editor.ask("POST", DRAFTS, head.ljust(writing.MOST_BYTES + 1)).status_code == 413
        one = json.dumps({"drafts": [{"date": "2017-02-25", "headline": "A."}]}).encode()
        assert editor.ask("POST", BULK, one.ljust(writing.MOST_BYTES_IN_BULK)).status_code == 200
        assert editor.ask("POST", BULK, one.ljust(writing.MOST_BYTES_IN_BULK + 1)).status_code == 413

    def test_a_length_that_is_no_number_any_more_is_too_long(self):
        request = RequestFactory().post(DRAFTS, b"{}", "application/json", CONTENT_LENGTH="9" * 5000)
        with pytest.raises(Problem) as refused:
            bodies.raw(request, writing.MOST_BYTES)
        assert refused.value.page.status == 413

    def test_texts_are_taken_as_they_are(self, editor):
        body = "First\r\n\r\n\tsecond  \n<script>alert('x')</script> \u2028 𝒳"
        event = editor.made(headline="“Quoted” & <b>bold</b> – 議会", body=body)
        document = editor.ask("GET", path(event)).json()["document"]
        assert (document["headline"], document["body"]) == ("“Quoted” & <b>bold</b> – 議会", body)

    def test_problems_are_json_whatever_is_accepted(self, editor):
        response = editor.ask("POST", DRAFTS, {}, Accept="application/xml")
        assert errors(response).keys() == {"/date", "/headline"}


class TestBulk:
    def test_each_is_done_or_refused_by_itself_in_the_order_given(self, editor, names):
        known, public = draft("Known."), published()
        items = [
            WHOLE,
            {"headline": "Without a date."},
            {"uid": str(known.uid), "if_match": '"1"', "body": "Revised."},
            {"uid": str(known.uid), "if_match": '"1"', "body": "Too late."},
            {"uid": str(public.uid), "body": "Unseen."},
            {"uid": str(uuid.uuid4()), "if_match": '"1"', "body": "Of none."},
            {"uid": "1", "if_match": '"1"'},
            {"uid": None, "if_match": 5},
            {"if_match": '"1"', **WHOLE},
            "nothing",
        ]
        response = editor.ask("POST", BULK, {"drafts": items})
        assert response.status_code == 200
        done = response.json()["drafts"]
        assert [one["status"] for one in done] == [201, 422, 200, 412, 428, 404, 422, 422, 422, 422]
        assert done[0]["etag"] == '"1"'
        assert done[1]["problem"]["errors"] == [{"pointer": "/drafts/1/date", "detail": "Give this member."}]
        assert done[2] | {"etag": '"2"'} == done[2]
        assert done[3]["problem"]["etag"] == '"2"'
        assert {error["pointer"] for error in done[7]["problem"]["errors"]} == {"/drafts/7/uid"}
        assert Event.objects.get(uid=done[0]["uid"]).headline == WHOLE["headline"]
        assert Event.objects.get(pk=known.pk).body == "Revised."
        assert Event.objects.count() == 3

    @pytest.mark.parametrize(
        "body", [{}, {"drafts": []}, {"drafts": {}}, {"drafts": [{}] * 501}, {"drafts": [{}], "more": 1}]
    )
    def test_a_list_of_500_at_most_is_taken(self, editor, body):
        assert editor.ask("POST", BULK, body).status_code == 422
        assert not Event.objects.exists()

    def test_each_costs_the_same(self, editor, names):
        """27 statements for a new draft without new topics, savepoints included."""
        cost(editor, 1)
        one, eleven = cost(editor, 1), cost(editor, 11)
        assert (eleven - one) / 10 <= 27

    @pytest.mark.trial
    def test_the_five_hundredth_costs_what_the_first_did(self, editor, names):
        cost(editor, 1)
        one, two, most = cost(editor, 1), cost(editor, 2), cost(editor, 500)
        assert most - one == 499 * (two - one)


def cost(bot, number):
    """How many statements this many new drafts take."""
    statements = []

    def execute(run, sql, params, many, context):
        statements.append(sql)
        return run(sql, params, many, context)

    items = [WHOLE | {"headline": f"Number {one} of {number}."} for one in range(number)]
    with connection.execute_wrapper(execute):
        response = bot.ask("POST", BULK, {"drafts": items})
    assert {one["status"] for one in response.json()["drafts"]} == {201}
    return len(statements)


class TestRepeats:
    """The header Idempotency-Key: the same request again is answered as it was, and not done again."""

    def test_a_repeat_gets_the_very_same_answer(self, editor, names):
        first = editor.ask("POST", DRAFTS, WHOLE, once="abc")
        again = editor.ask("POST", DRAFTS, WHOLE, once="abc")
        assert first.status_code == 201
        assert (again.status_code, again.content, dict(again.headers)) == (201, first.content, dict(first.headers))
        assert Event.objects.count() == 1
        assert AuditEntry.objects.filter(verb="write").count() == 1

    def test_a_refusal_is_repeated_too(self, editor):
        first = editor.create(once="abc", category="Politics")
        category("Politics")
        again = editor.create(once="abc", category="Politics")
        assert (again.status_code, again.content) == (422, first.content)
        assert editor.create(once="def", category="Politics").status_code == 201

    def test_every_act_is_done_once(self, editor):
        event = editor.made()
        tag = '"1"'
        for method, parts, body in [
            ("PATCH", (), {"body": "More."}),
            ("POST", ("submit",), None),
            ("POST", ("publish",), None),
            ("PATCH", (), {"body": "Even more."}),
        ]:
            sent = [editor.ask(method, path(event, *parts), body, tag=tag, once=tag) for _ in range(3)]
            assert [response.status_code for response in sent] == [200] * 3
            assert {response.content for response in sent} == {sent[0].content}
            assert {response["ETag"] for response in sent} == {sent[0]["ETag"]}
            tag = sent[0]["ETag"]
        assert (Edition.objects.count(), etag(event)) == (1, '"5"')
        other = editor.made()
        assert [editor.ask("DELETE", path(other), tag='"1"', once="d").status_code for _ in range(2)] == [204, 204]

    def test_another_request_with_the_same_key_is_refused(self, editor):
        event = editor.made()
        editor.ask("PATCH", path(event), {"body": "More."}, tag='"1"', once="abc")
        for response in (
            editor.create(once="abc"),
            editor.ask("PATCH", path(event), {"body": "Less."}, tag='"1"', once="abc"),
            editor.ask("PATCH", path(event), {"body": "More."}, tag='"2"', once="abc"),
            editor.ask("POST", path(event, "publish"), tag='"2"', once="abc"),
            editor.ask("POST", BULK, {"drafts": [{}]}, once="abc"),
        ):
            assert (response.status_code, problem_name(response)) == (422, "idempotency-conflict")
        assert (Event.objects.count(), etag(event)) == (1, '"2"')

    def test_each_key_of_the_api_has_its_own(self, editor):
        other = Bot(name="other")
        assert [bot.create(once="abc").status_code for bot in (editor, other)] == [201, 201]
        assert Event.objects.count() == 2

    @pytest.mark.parametrize("given", ["", " ", "a b", "é", "x" * 256])
    def test_what_is_no_idempotency_key_is_refused(self, editor, given):
        assert editor.create(once=given).status_code == 400
        assert not Event.objects.exists()

    def test_what_was_refused_before_it_was_begun_is_not_kept(self, editor):
        assert editor.ask("POST", DRAFTS, b"{", once="abc").status_code == 400
        assert editor.create(once="abc").status_code == 201

    def test_an_answer_is_kept_for_a_day_and_holds_no_text(self, editor, names):
        with time_machine.travel(timezone.now(), tick=False) as clock:
            editor.ask("POST", DRAFTS, WHOLE, once="abc")
            answer = Answer.objects.get()
            assert WHOLE["headline"] not in answer.body
            clock.shift(idempotency.KEPT - datetime.timedelta(seconds=1))
            editor.ask("POST", DRAFTS, WHOLE, once="abc")
            assert Event.objects.count() == 1
            clock.shift(datetime.timedelta(seconds=1))
            editor.ask("POST", DRAFTS, WHOLE, once="abc")
            assert Event.objects.count() == 2

    def test_what_is_older_than_a_day_is_forgotten_by_whichever_request_comes_next(self, editor):
        with time_machine.travel(timezone.now(), tick=False) as clock:
            items = [{"date": "2017-02-25", "headline": "One."}, {"date": "2017-02-25"}]
            editor.ask("POST", BULK, {"drafts": items}, once="abc")
            assert Answer.objects.count() == 3
            clock.shift(idempotency.KEPT)
            editor.create(once="def")
            assert [answer.token for answer in Answer.objects.all()] == ["def"]

    def test_what_was_not_kept_of_a_publication_is_found_out(self, editor):
        """As after a process that died between the act and its answer."""
        event = editor.made()
        body = {"note": "Said twice."}
        first = editor.ask("POST", path(event, "publish"), body, tag='"1"', once="abc")
        Answer.objects.update(status=idempotency.BEGUN, headers={}, body="")
        revise(event, body="Meanwhile.")
        again = editor.ask("POST", path(event, "publish"), body, tag='"1"', once="abc")
        assert (again.status_code, again.content, again["ETag"]) == (200, first.content, first["ETag"])
        assert Edition.objects.count() == 1

    def test_what_another_did_is_not_taken_for_ones_own(self, editor):
        event = editor.made()
        publishing.publish(event, by=person("Chief"), note="Said twice.")
        response = editor.ask("POST", path(event, "publish"), {"note": "Said twice."}, tag='"1"', once="abc")
        assert response.status_code == 412

    def test_a_schedule_is_found_out_too(self, editor):
        event = editor.made()
        body = {"issue": rfc3339(in_minutes(90, timezone.now()))}
        first = editor.ask("POST", path(event, "publish"), body, tag='"1"', once="abc")
        Answer.objects.update(status=idempotency.BEGUN, headers={}, body="")
        again = editor.ask("POST", path(event, "publish"), body, tag='"1"', once="abc")
        assert (again.status_code, again.content) == (200, first.content)
        other = {"issue": rfc3339(in_minutes(91, timezone.now()))}
        assert editor.ask("POST", path(event, "publish"), other, tag='"1"', once="def").status_code == 412

    def test_a_bulk_is_repeated_as_a_whole(self, editor, names):
        items = [WHOLE, {}, WHOLE]
        first = editor.ask("POST", BULK, {"drafts": items}, once="abc")
        again = editor.ask("POST", BULK, {"drafts": items}, once="abc")
        assert [one["status"] for one in first.json()["drafts"]] == [201, 422, 201]
        assert again.content == first.content
        assert Event.objects.count() == 2


@pytest.mark.django_db(transaction=True, serialized_rollback=True)
class TestRepeatsAtOnce:
    """Real processes on the database at hand."""

    def test_a_draft_is_created_once(self):
        bot = Bot()
        children = [started(_created, bot) for _ in range(4)]
        assert [ended(child) for child in children] == [0] * 4
        assert Event.objects.count() == 1

    def test_an_entry_is_published_once_and_all_are_answered_the_same(self):
        bot = Bot()
        event = draft()
        children = [started(_published, bot, path(event)) for _ in range(4)]
        assert [ended(child) for child in children] == [0] * 4
        assert Edition.objects.count() == 1

    def test_a_bulk_is_done_once(self):
        bot = Bot()
        children = [started(_in_bulk, bot) for _ in range(3)]
        assert [ended(child) for child in children] == [0] * 3
        assert Event.objects.count() == 10

    @pytest.mark.trial
    def test_a_draft_is_created_once_wherever_a_process_dies(self):
        bot = Bot()
        number, left = 0, -9
        while left == -9:
            number += 1
            left = ended(started(_created_until, bot, number, f"token-{number}"))
            response = bot.create(once=f"token-{number}")
            assert response.status_code == 201
            assert Event.objects.count() == number
        assert (left, number > 5) == (0, True)

    @pytest.mark.trial
    def test_an_entry_is_published_once_wherever_a_process_dies(self):
        bot = Bot()
        number, left = 0, -9
        while left == -9:
            number += 3
            event = draft(f"Number {number}.")
            left = ended(started(_published_until, bot, path(event), number))
            response = bot.ask("POST", path(event, "publish"), tag='"1"', once=f"token-{number}")
            assert (response.status_code, response["ETag"]) == (200, '"2"')
            assert event.editions.count() == 1
        assert (left, number > 5) == (0, True)

    def test_a_bulk_goes_on_where_it_broke_off(self):
        bot = Bot()
        assert ended(started(_in_bulk_until, bot, 150)) == -9
        assert 0 < Event.objects.count() < 10
        _in_bulk(bot)
        assert Event.objects.count() == 10


def _created(bot):
    response = bot.create(once="abc")
    assert response.status_code == 201
    assert response.json()["uid"] == str(Event.objects.get().uid)


def _published(bot, address):
    response = bot.ask("POST", f"{address}/publish", tag='"1"', once="abc")
    assert (response.status_code, response["ETag"], response.json()["latest"]["version"]) == (200, '"2"', 1)


def _in_bulk(bot):
    items = [{"date": "2017-02-25", "headline": f"Number {number}.", "topics": ["Vote"]} for number in range(10)]
    response = bot.ask("POST", BULK, {"drafts": items}, once="abc")
    assert [one["status"] for one in response.json()["drafts"]] == [201] * 10
    assert {one["uid"] for one in response.json()["drafts"]} == {str(event.uid) for event in Event.objects.all()}


def _created_until(bot, statements, token):
    with killed_after(statements):
        bot.create(once=token)


def _published_until(bot, address, statements):
    with killed_after(statements):
        bot.ask("POST", f"{address}/publish", tag='"1"', once=f"token-{statements}")


def _in_bulk_until(bot, statements):
    with killed_after(statements):
        _in_bulk(bot)


class TestDocument:
    """docs/bots.md is true: each of its examples is answered as it says."""

    EXAMPLE = re.compile(r"```sh\n(.*?)```\n\nAnswers `(\d+)`", re.DOTALL)

    def test_the_examples_are_answered_as_it_says(self, names):
        bot = Bot()
        variables = {"SITE": "http://127.0.0.1:8000", "KEY": bot.token, "DRAFT": "$DRAFT"}
        examples = self.EXAMPLE.findall((settings.BASE_DIR / "docs/bots.md").read_text())
        assert len(examples) == 8
        for command, status in examples:
            response = curl(command, variables)
            assert response.status_code == int(status), (command, response.content)
            variables["DRAFT"] = response.get("Location", variables["DRAFT"])
        assert Edition.objects.get().document["headline"] == "Parliament adopts the budget of 2017."
        assert [one["status"] for one in response.json()["drafts"]] == [201, 422]

    def test_the_members_are_those_that_are_taken(self):
        rows = re.findall(r"^\| ((?:`\w+`(?:, )?)+) \|", (settings.BASE_DIR / "docs/bots.md").read_text(), re.MULTILINE)
        named = [name for row in rows for name in re.findall(r"\w+", row) if not name.isdecimal()]
        assert named == list(bodies.DRAFT)


def curl(command, variables):
    """What the client of the tests is answered to a command of the shell."""
    words = shlex.split(Template(command.replace("\\\n", " ")).substitute(variables))
    options = dict.fromkeys(("-X", "--data"), "") | {"-H": []}
    urls = []
    rest = iter(words[1:])
    for word in rest:
        if word == "-H":
            options["-H"].append(next(rest).split(": ", 1))
        elif word in options:
            options[word] = next(rest)
        else:
            urls.append(word)
    headers = dict(options["-H"])
    [url] = urls
    path = url.removeprefix(variables["SITE"])
    kind = headers.pop("Content-Type", "application/json")
    return Client().generic(options["-X"] or "GET", path, options["--data"], kind, headers=headers)


HOSTILE = st.sampled_from(
    ["\x00", "\u202e", "\ud800", "\ufffe", "\u200b", "—", "'", "../", "javascript:", "İ", "ﷺ" * 20]
)
ANY_TEXT = st.text(max_size=20) | HOSTILE | st.sampled_from(["2017-02-25", "en", "https://a.example/"])
ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | ANY_TEXT,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(ANY_TEXT | st.sampled_from(["name", "url", "licence", "uid", "if_match"]), inner, max_size=3)
    ),
    max_leaves=8,
)
ANY_MEMBERS = st.fixed_dictionaries(
    {}, optional={name: ANY_JSON | ANY_TEXT | st.lists(ANY_TEXT, max_size=3) for name in WHOLE}
)


@hypothesis.settings(
    max_examples=15, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(given=ANY_MEMBERS, item=ANY_JSON, publication=st.dictionaries(st.sampled_from(["kind", "note"]), ANY_JSON))
def test_whatever_is_sent_is_taken_or_told_what_is_wrong_with_it(editor, given, item, publication):
    taken = {"date": "2017-02-25", "headline": "A headline."} | given
    created = editor.ask("POST", DRAFTS, taken)
    assert created.status_code in (201, 422)
    assert created.status_code == 201 or errors(created)
    done = editor.ask("POST", BULK, {"drafts": [given, item]}).json()["drafts"]
    assert {one["status"] for one in done} <= {200, 201, 404, 412, 422, 428}
    event = editor.made()
    assert editor.ask("PATCH", path(event), given, tag='"1"').status_code in (200, 422)
    assert editor.ask("POST", path(event, "publish"), publication, tag=etag(event)).status_code in (200, 409, 422)
