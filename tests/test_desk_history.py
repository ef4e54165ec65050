"""The desk's pages of an entry's history: who sees what, what is compared, taken back and recovered."""

import re

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from events import drafts, publishing
from events.models import AuditEntry, Event
from tests.words import DAY, draft, in_minutes, person, published, revise, topics, updated

pytestmark = pytest.mark.django_db
HOSTILE = "<img src=x onerror=alert(1)> </del></p><script>alert(2)</script>"


def client_of(user):
    client = Client()
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    return client


@pytest.fixture
def rita():
    return person("Reporter", "rita")


@pytest.fixture
def editor():
    return client_of(person("Editor", "ed"))


@pytest.fixture
def chief():
    return client_of(person("Chief", "chris"))


def page(client, name, *args, status=200, **query):
    response = client.get(reverse(f"admin:events_event_{name}", args=args), query)
    assert response.status_code == status, response.content.decode()[:2000]
    return response.content.decode()


def text(html):
    """What a page says, without its marks."""
    main = html[html.index("<main") :] if "<main" in html else html
    return " ".join(re.sub(r"<[^>]*>", " ", main).split())


def said(event):
    return drafts.document(Event.objects.get(pk=event.pk))


def take_back(client, event, name, *fields, lock_version=None):
    event.refresh_from_db()
    typed = {"fields": fields, "lock_version": event.lock_version if lock_version is None else lock_version}
    return client.post(reverse("admin:events_event_take_back", args=[event.pk]) + f"?from={name}", typed)


def entry_of(user, headline="One.", **values):
    return drafts.save(Event(), by=user, date=DAY, headline=headline, **values)


class TestHistory:
    def test_it_works(self, editor, rita):
        event = drafts.save(Event(), by=rita, comment="A first try", date=DAY, headline="One.")
        revise(event, headline="Two.", topics=["Rome", "Paris"], sources=[("Agency", "https://a.example/")])
        words = text(page(editor, "history", event.pk))
        assert words.index("Save 2") < words.index("Save 1")
        assert "Headline changed; source 1 added; topics Paris and Rome added." in words
        assert re.search(r"Save 1 Draft .* rita A first try", words)

    def test_versions_are_marked_and_linked(self, editor):
        event = published("One.")
        edition = updated(event, kind="correction", note="It was two.", headline="Two.")
        publishing.schedule(
            revise(event, headline="Three."), by=None, kind="update", issue=in_minutes(9, timezone.now())
        )
        html = page(editor, "history", event.pk)
        words = text(html)
        assert "Version 3 Update, scheduled" in words
        assert words.count("; public from") == 1
        assert "Version 2 Correction, live" in words
        assert "Public note: It was two." in words
        assert re.search("Version 1 First version (?!, live)", words)
        assert f'href="/news/2017/02/25/{edition.slug}.v2.html"' in html
        assert ".v3.html" not in html
        assert html.count('class="edition"') == 3
        publishing.unschedule(event, by=None)
        assert "scheduled, cancelled" in text(page(editor, "history", event.pk))

    def test_withdrawn_entry_has_no_public_pages(self, editor):
        event = published("One.")
        publishing.withdraw(event, by=None, note="It was a hoax.")
        html = page(editor, "history", event.pk)
        assert "Withdrawn" in text(html)
        assert "It was a hoax." in text(html)
        assert ".v1.html" not in html
        assert "with live" not in html
        assert "from=v2" not in html

    def test_chiefs_get_to_redaction_of_superseded_versions(self, editor, chief):
        event = published("Secret address.")
        updated(event, headline="Two.")
        redaction = reverse("admin:events_event_redact", args=[event.pk, 1])
        html = page(chief, "history", event.pk)
        assert redaction in html
        assert reverse("admin:events_event_redact", args=[event.pk, 2]) not in html
        assert redaction not in page(editor, "history", event.pk)
        publishing.redact(event, 1, by=None, note="A court order.")
        html = page(chief, "history", event.pk)
        assert "Secret" not in html
        assert "First version, redacted" in text(html)
        assert redaction not in html

    def test_taken_back_is_told_apart_from_edited(self, editor):
        event = draft("One.")
        revise(event, headline="Two.")
        take_back(editor, event, "1", "headline")
        revise(event, headline="Three.")
        words = text(page(editor, "history", event.pk))
        assert words.count("taken from save 1") == 1
        assert words.index("Save 4") < words.index("Save 3") < words.index("taken from save 1") < words.index("Save 2")

    def test_pages_of_fifty(self, editor):
        event = draft("Save 1.")
        for number in range(2, 101):
            revise(event, headline=f"Save {number}.")
        first = page(editor, "history", event.pk)
        assert first.count("<li id=") == 50
        assert "?before=51" in first
        assert "Headline changed." in text(first[first.index('id="51"') :])
        second = page(editor, "history", event.pk, before="51")
        assert second.count("<li id=") == 50
        assert "?before" not in second
        assert "Nothing older" in page(editor, "history", event.pk, before="x")

    def test_queries_do_not_grow_with_the_saves(self, editor):
        counts = []
        for number in (3, 60, 200):
            event = draft("Save 1.", category="Politics")
            for count in range(2, number + 1):
                drafts.save(event, headline=f"Save {count}.", topics=topics(f"Topic {count}"))
            publishing.publish(event, by=None)
            page(editor, "history", event.pk)
            with CaptureQueriesContext(connection) as queries:
                page(editor, "history", event.pk)
            counts.append(len(queries))
        assert len(set(counts)) == 1
        assert counts[0] <= 16

    def test_hostile_text_stays_text(self, editor):
        event = drafts.save(Event(), by=None, comment=HOSTILE, date=DAY, headline=HOSTILE)
        revise(event, headline="Two.", sources=[(HOSTILE, "https://a.example/")], topics=[HOSTILE])
        publishing.publish(event, by=None, note=HOSTILE)
        updated(event, headline="Three.")
        pages = [
            page(editor, "history", event.pk),
            page(editor, "compare", event.pk, **{"from": "1", "to": "v1"}),
            page(editor, "compare", event.pk, **{"from": HOSTILE, "to": HOSTILE}, status=404),
            page(editor, "take_back", event.pk, **{"from": "1"}),
        ]
        for html in pages:
            assert "<img" not in html
            assert "<script>alert" not in html
            assert "&lt;img" in html


class TestCompare:
    def test_it_works(self, editor):
        event = draft("Parliament adopts the budget.", topics=["Rome"], sources=[("Agency", "https://a.example/")])
        revise(event, headline="Parliament rejects the budget.", topics=["Paris"], sources=[])
        html = page(editor, "compare", event.pk, **{"from": "1", "to": "2"})
        words = text(html)
        assert "Older: save 1" in words
        assert "Newer: save 2" in words
        assert "removed: adopts added: rejects" in words
        assert "removed: Rome" in words
        assert "added: Paris" in words
        assert "removed: 1. Agency https://a.example/" in words

    def test_the_older_one_comes_first_whatever_was_asked(self, editor):
        event = published("One.")
        revise(event, headline="Two.")
        words = text(page(editor, "compare", event.pk, **{"from": "now", "to": "live"}))
        assert "Older: version 1" in words
        assert "Newer: the working copy" in words
        assert "removed: One." in words
        assert "You asked for the newer one first" in words
        words = text(page(editor, "compare", event.pk, **{"from": "live", "to": "now"}))
        assert "You asked for the newer one first" not in words

    def test_without_names_it_is_live_and_now(self, editor):
        event = published("One.")
        revise(event, headline="Two.")
        words = text(page(editor, "compare", event.pk))
        assert "removed: One. added: Two." in words

    def test_note_of_a_version_is_shown(self, editor):
        event = published("One.")
        updated(event, kind="correction", note="It was two.", headline="Two.")
        assert "Public note: It was two." in text(page(editor, "compare", event.pk, **{"from": "v1", "to": "v2"}))

    def test_equal_texts_differ_in_nothing(self, editor):
        event = published("One.")
        assert "No difference." in page(editor, "compare", event.pk, **{"from": "1", "to": "v1"})

    def test_renamed_topic_is_no_difference(self, editor):
        event = published("One.", topics=["Peking"])
        publishing.rename_topic(topics("Peking")[0], "Beijing", by=None)
        assert "No difference." in page(editor, "compare", event.pk)

    @pytest.mark.parametrize("name", ["9", "v9", "0", "x", "-1", "", "1; DROP", "٣"])
    def test_unknown_names_are_404_with_words(self, editor, name):
        event = published("One.")
        html = page(editor, "compare", event.pk, **{"from": name, "to": "now"}, status=404)
        assert "There is no such save or version of this entry." in html

    def test_other_entries_saves_and_versions_are_out_of_reach(self, editor):
        other = published("Other one.")
        updated(other, headline="Other two.")
        event = draft("Mine.")
        for name in ("2", "3", "v1", "v2"):
            assert "Other" not in page(editor, "compare", event.pk, **{"from": name, "to": "now"}, status=404)

    def test_what_has_no_text_says_so(self, editor):
        event = published("Secret address.")
        updated(event, headline="Two.")
        publishing.redact(event, 1, by=None, note="A court order.")
        html = page(editor, "compare", event.pk, **{"from": "v1", "to": "v2"}, status=400)
        assert "Version 1 was redacted" in html
        assert "Secret" not in html
        page(editor, "compare", event.pk, **{"from": "1", "to": "v2"}, status=404)
        publishing.withdraw(event, by=None, note="Not so.")
        assert "is a withdrawal" in page(editor, "compare", event.pk, **{"from": "v3", "to": "v2"}, status=400)
        assert "Readers see nothing" in page(editor, "compare", event.pk, status=400)
        assert "added" not in page(editor, "compare", event.pk, **{"from": "v2", "to": "now"})

    def test_queries_are_few(self, editor):
        event = published("One.", topics=["Rome"], category="Politics")
        for number in range(20):
            updated(event, headline=f"Text {number}.", topics=[f"Topic {number}"])
        page(editor, "compare", event.pk, **{"from": "1", "to": "v9"})
        with CaptureQueriesContext(connection) as queries:
            page(editor, "compare", event.pk, **{"from": "1", "to": "v9"})
        assert len(queries) <= 25


class TestTakeBack:
    def test_it_works(self, editor):
        event = published("One.", topics=["Rome"])
        revise(event, headline="Two.", topics=["Paris"], body="More.")
        html = page(editor, "take_back", event.pk, **{"from": "v1"})
        assert re.findall(r'name="fields" value="(\w+)"', html) == ["headline", "body", "topics"]
        assert "removed: Two. added: One." in text(html)
        answer = take_back(editor, event, "v1", "headline", "topics")
        assert answer.status_code == 302
        assert answer.url == reverse("admin:events_event_change", args=[event.pk])
        document = said(event)
        assert (document["headline"], document["body"]) == ("One.", "More.")
        assert [row["name"] for row in document["topics"]] == ["Rome"]
        assert AuditEntry.objects.get(verb="take back").outcome == "done"

    def test_stale_page_keeps_the_choice_and_shows_what_changed(self, editor):
        event = draft("One.", body="One.")
        revise(event, headline="Two.", body="Two.")
        revise(event, language="fr", headline="Three.")
        answer = take_back(editor, event, "1", "body", lock_version=2)
        html = answer.content.decode()
        assert answer.status_code == 409
        assert "changed by someone else" in html
        assert "What was changed in the meantime" in html
        assert "removed: Two. added: Three." in text(html)
        assert re.findall(r'value="(\w+)" id="take-\w+" checked', html) == ["body"]
        assert re.search('name="lock_version" value="3"', html)
        assert said(event)["body"] == "Two."
        assert AuditEntry.objects.get(verb="take back").outcome == "refused"
        assert take_back(editor, event, "1", "body").status_code == 302

    def test_page_without_lock_version_is_stale(self, editor):
        event = draft("One.")
        revise(event, headline="Two.")
        assert take_back(editor, event, "1", "headline", lock_version="x").status_code == 409
        assert said(event)["headline"] == "Two."

    def test_choosing_nothing_is_refused(self, editor):
        event = draft("One.")
        revise(event, headline="Two.")
        for fields in ([], ["stage"], ["body"]):
            assert take_back(editor, event, "1", *fields).status_code == 400
        assert said(event)["headline"] == "Two."

    def test_nothing_to_take_back_says_so(self, editor):
        event = published("One.")
        assert "nothing to take back" in page(editor, "take_back", event.pk, **{"from": "v1"})

    @pytest.mark.parametrize("name", ["9", "v9", "", "x"])
    def test_unknown_names_are_404(self, editor, name):
        event = draft("One.")
        page(editor, "take_back", event.pk, **{"from": name}, status=404)
        assert take_back(editor, event, name, "headline").status_code == 404

    def test_redacted_version_is_refused(self, editor):
        event = published("Secret address.")
        updated(event, headline="Two.")
        publishing.redact(event, 1, by=None, note="A court order.")
        assert "was redacted" in page(editor, "take_back", event.pk, **{"from": "v1"}, status=400)
        assert take_back(editor, event, "v1", "headline").status_code == 400
        assert take_back(editor, event, "1", "headline").status_code == 404
        assert said(event)["headline"] == "Two."

    def test_getting_changes_nothing(self, editor):
        event = draft("One.")
        revise(event, headline="Two.")
        page(editor, "take_back", event.pk, **{"from": "1", "fields": "headline"})
        assert said(event)["headline"] == "Two."

    def test_it_needs_the_token_against_forgery(self, editor):
        event = draft("One.")
        revise(event, headline="Two.")
        strict = Client(enforce_csrf_checks=True)
        strict.cookies = editor.cookies
        assert take_back(strict, event, "1", "headline").status_code == 403
        assert said(event)["headline"] == "Two."


class TestRecover:
    def test_it_works(self, editor, rita):
        event = entry_of(rita, "One.")
        uid, pk = event.uid, event.pk
        drafts.delete(event, by=rita)
        html = page(editor, "deleted")
        address = reverse("admin:events_event_recover", args=[uid])
        assert address in html
        assert "written by rita" in text(html)
        assert "One." in text(page(editor, "recover", uid))
        assert not Event.objects.exists()
        answer = editor.post(address)
        assert answer.url == reverse("admin:events_event_change", args=[pk])
        assert Event.objects.get(uid=uid).author == rita
        words = text(page(editor, "history", pk))
        assert [word in words for word in ("Recovered", "Deleted", "Save 1")] == [True] * 3
        assert editor.post(address).status_code == 404
        assert AuditEntry.objects.get(verb="recover").subject == str(uid)

    def test_nothing_deleted_says_so(self, editor):
        assert 'class="empty"' in page(editor, "deleted")

    def test_reporters_see_and_recover_their_own(self, rita):
        mine, others = entry_of(rita, "By Rita."), entry_of(person("Reporter", "rob"), "By Rob.")
        uids = mine.uid, others.uid
        for event in (mine, others):
            drafts.delete(event, by=None)
        client = client_of(rita)
        html = page(client, "deleted")
        assert "By Rita." in html
        assert "By Rob." not in html
        page(client, "recover", uids[1], status=403)
        assert client.post(reverse("admin:events_event_recover", args=[uids[1]])).status_code == 403
        assert client.post(reverse("admin:events_event_recover", args=[uids[0]])).status_code == 302
        assert list(Event.objects.values_list("headline", flat=True)) == ["By Rita."]

    def test_hostile_text_stays_text(self, editor):
        event = draft(HOSTILE, body=HOSTILE)
        uid = event.uid
        drafts.delete(event, by=None)
        for html in (page(editor, "deleted"), page(editor, "recover", uid)):
            assert "<img" not in html
            assert "&lt;img" in html


class TestWhoMay:
    """Each role at own entries and others', GET and POST: what is allowed, and 403 with nothing changed."""

    @pytest.fixture
    def entries(self, rita):
        """Rita's draft, her entry in review, her public one, and a draft that is not hers; each saved twice."""
        made = {"draft": entry_of(rita), "review": entry_of(rita), "public": entry_of(rita)}
        made["other"] = entry_of(person("Reporter", "rob"))
        for event in made.values():
            drafts.save(event, headline="Two.")
        drafts.submit(made["review"], by=rita)
        publishing.publish(made["public"], by=None)
        return made

    @pytest.mark.parametrize(
        ("groups", "seen", "taken_back"),
        [
            ([], [], []),
            (["Reporter"], ["draft", "review", "public"], ["draft"]),
            (["Editor"], ["draft", "review", "public", "other"], ["draft", "review", "public", "other"]),
            (["Chief"], ["draft", "review", "public", "other"], ["draft", "review", "public", "other"]),
        ],
    )
    def test_it_works(self, entries, rita, groups, seen, taken_back):
        user = rita if groups == ["Reporter"] else person(*groups, name="someone")
        client = client_of(user)
        for name, event in entries.items():
            before = said(event)
            expected = 200 if name in seen else 403
            page(client, "history", event.pk, status=expected)
            page(client, "compare", event.pk, **{"from": "1", "to": "now"}, status=expected)
            page(client, "take_back", event.pk, **{"from": "1"}, status=200 if name in taken_back else 403)
            assert (take_back(client, event, "1", "headline").status_code == 302) == (name in taken_back)
            assert (said(event) != before) == (name in taken_back)

    def test_page_offers_what_is_allowed(self, entries, rita):
        client = client_of(rita)
        assert "Take back…" in page(client, "history", entries["draft"].pk)
        assert "Take back…" not in page(client, "history", entries["public"].pk)

    def test_staff_without_permissions_recovers_nothing(self, rita):
        event = entry_of(rita)
        uid = event.uid
        drafts.delete(event, by=None)
        client = client_of(person("", "nobody"))
        page(client, "deleted", status=403)
        page(client, "recover", uid, status=403)
        assert client.post(reverse("admin:events_event_recover", args=[uid])).status_code == 403
        assert not Event.objects.exists()

    @pytest.mark.parametrize("name", ["history", "compare", "take_back", "deleted"])
    def test_others_are_sent_to_log_in(self, name):
        event = draft("One.")
        address = reverse(f"admin:events_event_{name}", args=[] if name == "deleted" else [event.pk])
        for client in (Client(), client_of(User.objects.create_user("reader"))):
            answer = client.get(address)
            assert answer.status_code == 302
            assert answer.url.startswith(reverse("admin:login"))

    def test_absent_entries_are_404(self, editor):
        for name in ("history", "compare", "take_back"):
            page(editor, name, 999, status=404)

    def test_reversions_own_addresses_do_not_exist(self, chief):
        event = published("One.")
        for path in (f"{event.pk}/history/1/", "recover/", "recover/1/", f"{event.pk}/history/compare/"):
            assert chief.get(f"/desk/events/event/{path}").status_code == 404
