"""What everybody meets at the desk's door: refusals that are noted, pages that are not there, what cannot be read,
forms that were opened before the last login."""

import re

import pytest
from django.contrib import admin
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from events.models import AuditEntry, Category, Event, Topic
from tests.words import category, draft, person, published, topic

pytestmark = pytest.mark.django_db

LOGIN = reverse("admin:login")
PASSWORD = "quiet-harbour-lamp"


@pytest.fixture
def reporter(client):
    user = person("Reporter", "rita")
    client.force_login(user)
    return user


@pytest.fixture
def chief(client):
    user = person("Chief", "carl")
    client.force_login(user)
    return user


def at(verb, event):
    return reverse(f"admin:events_event_{verb}", args=[event.pk])


def refusals():
    entries = AuditEntry.objects.filter(outcome="refused").order_by("pk")
    return [(entry.name, entry.verb, entry.event) for entry in entries]


def assert_kept_nowhere(answer):
    assert "no-store" in answer["Cache-Control"] and "private" in answer["Cache-Control"]


class TestRefusals:
    @pytest.mark.parametrize(
        ("name", "verb"),
        [("publish", "publish"), ("send_back", "send back"), ("withdraw", "withdraw"), ("change", "edit")],
    )
    def test_a_form_that_is_refused_is_noted_once_with_its_entry(self, client, reporter, name, verb):
        event = draft()
        for _time in range(2):
            answer = client.post(at(name, event), {"note": "", "headline": "Another.", "lock_version": 1})
            assert answer.status_code == 403
        assert refusals() == [("rita", verb, event)] * 2

    @pytest.mark.parametrize(
        ("address", "args", "verb"),
        [
            ("events_event_bulk", ["send-back"], "send back"),
            ("events_category_add", [], "add category"),
            ("events_auditentry_export", [], "export audit"),
            ("auth_user_add", [], "add person"),
            ("auth_user_changelist", [], "auth user changelist"),
            ("events_event_publish", [987654], "publish"),
        ],
    )
    def test_so_is_one_that_is_about_no_entry(self, client, address, args, verb):
        client.force_login(person("", "nobody"))
        assert client.post(reverse(f"admin:{address}", args=args)).status_code == 403
        assert refusals() == [("nobody", verb, None)]

    def test_reading_what_is_refused_is_not_noted(self, client, reporter):
        assert client.get(at("publish", draft())).status_code == 403
        assert refusals() == []

    def test_what_an_act_has_noted_is_not_noted_again(self, client, settings):
        settings.NEWSDESK_OWN_PUBLISHING = False
        user = person("Editor", "edda")
        client.force_login(user)
        event = draft(by=user)
        sent = {"listed": event.pk, "entry": event.pk, f"lock_{event.pk}": event.lock_version, "note": ""}
        client.post(reverse("admin:events_event_bulk", args=["publish"]), sent)
        assert refusals() == [("edda", "publish", event)]

    def test_an_open_page_that_asks_on_by_itself_fills_no_audit(self, client, reporter):
        assert client.post(at("presence", draft())).status_code == 403
        assert refusals() == []

    @pytest.mark.parametrize("ask", ["get", "post"])
    def test_nothing_keeps_the_answer(self, client, reporter, ask):
        answer = getattr(client, ask)(at("publish", draft()))
        assert answer.status_code == 403
        assert_kept_nowhere(answer)


class TestWhatIsNotThere:
    @pytest.mark.parametrize(
        ("address", "words"),
        [
            ("events/event/987654/history/", "There is no such entry."),
            ("events/event/987654/publish/", "There is no such entry."),
            ("events/topic/987654/change/", "There is no such topic."),
            ("events/category/987654/change/", "There is no such category."),
            ("auth/user/987654/password/", "There is no such person."),
            ("events/event/bulk/redact/", "There is no such decision"),
            ("nowhere/", "There is nothing at this address"),
            ("events/event/1/nowhere/", "There is nothing at this address"),
        ],
    )
    def test_the_desk_says_what_is_missing(self, client, chief, address, words):
        for ask in (client.get, client.post):
            answer = ask(f"/desk/{address}")
            assert answer.status_code == 404
            assert words in answer.text and "Back to the desk" in answer.text and "carl" in answer.text
            assert_kept_nowhere(answer)

    @pytest.mark.parametrize("model", [Event, Category])
    def test_what_is_deleted_meanwhile_is_not_there(self, client, chief, model):
        """A service that finds a row gone, whatever it was about to do."""
        request = client.get(reverse("admin:index")).wsgi_request
        answer = admin.site.admin_view(lambda request: model.objects.get(pk=0))(request)
        assert answer.status_code == 404 and "deleted in the meantime" in answer.text

    def test_readers_of_a_preview_get_the_public_page(self, client):
        public = client.get("/desk/preview/x/")
        client.force_login(person("Chief"))
        desk = client.get("/desk/preview/x/")
        assert public.status_code == desk.status_code == 404
        assert public.content == desk.content and public["Cache-Control"].startswith("public")
        assert public.content == client.get("/nowhere/").content

    def test_who_is_not_logged_in_learns_nothing(self, client):
        for address in ("/desk/nowhere/", "/desk/events/event/987654/change/"):
            answer = client.get(address)
            assert answer.status_code == 302 and answer["Location"].startswith(LOGIN)


class TestWhatCannotBeRead:
    @pytest.mark.parametrize(
        "address",
        [
            "events/auditentry/?verb=a%00b",
            "events/auditentry/?a%00b=c",
            "events/topic/?q=a%00b",
            "events/topic/?key__startswith=a%00b",
            "events/event/?q=a%00b",
            "events/event/?story=1%00",
            "auth/user/?username=a%00b",
            "auth/user/?q=a%00b",
            "login/?next=a%00b",
            "no%00where/",
        ],
    )
    def test_an_address_with_a_nul_is_refused_in_words(self, client, chief, address):
        answer = client.get(f"/desk/{address}")
        assert answer.status_code == 400
        assert "NUL" in answer.text and "errornote" in answer.text
        assert_kept_nowhere(answer)

    def test_a_form_with_a_nul_changes_nothing(self, client, chief):
        answer = client.post(reverse("admin:events_topic_add"), {"name": "a\x00b"})
        assert answer.status_code == 400 and "NUL" in answer.text
        assert client.post(reverse("admin:events_category_add"), {"na\x00me": "a"}).status_code == 400
        assert not Topic.objects.exists() and not Category.objects.exists()

    @pytest.mark.parametrize(
        ("address", "field"),
        [("events_event_hints", "source_url"), ("events_topic_quick_add", "name"), ("autocomplete", "term")],
    )
    def test_scripts_are_told_in_json(self, client, chief, address, field):
        ask = client.get if address == "autocomplete" else client.post
        answer = ask(reverse(f"admin:{address}"), {field: "a\x00b"})
        assert answer.status_code == 400 and "NUL" in answer.json()["error"]

    def test_a_login_with_a_nul_is_refused_and_stored_nowhere(self, client):
        answer = client.post(LOGIN, {"username": "a\x00b", "password": "x"})
        assert answer.status_code == 400
        assert not AuditEntry.objects.exists()

    @pytest.mark.parametrize(("address", "status"), [("", 302), ("login/", 200), ("alive/", 200)])
    def test_a_session_with_a_nul_is_none(self, client, address, status):
        cookies = 'sessionid="0123456789abcdef\\000"'
        assert client.get(f"/desk/{address}", headers={"cookie": cookies}).status_code == status

    @pytest.mark.parametrize(
        "query",
        [
            "event=1",
            "event_links=1",
            "event_links__isnull=0",
            "event_links__content_object__headline__startswith=P",
            "key__startswith=v",
            "alias_of__isnull=0",
        ],
    )
    def test_topics_are_not_narrowed_by_what_others_write(self, client, reporter, query):
        draft("Plans.", topics=["Vote"])
        answer = client.get(f"{reverse('admin:events_topic_changelist')}?{query}")
        assert answer.status_code == 400 and "does not tell" in answer.text
        assert "Vote" not in answer.text
        assert_kept_nowhere(answer)

    @pytest.mark.parametrize("query", ["", "?q=vote", "?names=all", "?names=other&o=-2&p=1"])
    def test_what_the_list_of_topics_offers_still_works(self, client, reporter, query):
        topic("Vote")
        assert client.get(reverse("admin:events_topic_changelist") + query).status_code == 200

    @pytest.mark.parametrize(
        "query", ["password__startswith=md5", "totpdevice__key__startswith=a", "staticdevice__token_set__token=a"]
    )
    def test_people_are_not_narrowed_by_their_secrets(self, client, chief, query):
        answer = client.get(f"{reverse('admin:auth_user_changelist')}?{query}")
        assert answer.status_code == 400 and "does not tell" in answer.text

    def test_people_are_narrowed_by_role_and_by_being_active(self, client, chief):
        person("Reporter", "rita")
        people = reverse("admin:auth_user_changelist")
        narrowed = {
            "?role=Chief": {"carl"},
            "?role=Reporter&is_active__exact=1": {"rita"},
            "?is_active__exact=0": set(),
            "?q=rit": {"rita"},
        }
        for query, names in narrowed.items():
            answer = client.get(people + query)
            assert {row.username for row in answer.context["cl"].result_list} == names
        page = re.sub(r"\s+", " ", client.get(people).text)
        assert "2 people" in page and "2 users" not in page and "By role" in page


class TestOldForms:
    """A form from before the last login has a token that does not hold any more."""

    @pytest.fixture
    def browser(self):
        User.objects.create_user("rita", password=PASSWORD)
        browser = Client(enforce_csrf_checks=True)
        browser.force_login(person("Editor", "edda"))
        browser.get(reverse("admin:password_change"))
        return browser

    def test_logging_out_leads_to_the_front_page_and_not_to_an_error(self, browser):
        answer = browser.post(reverse("admin:logout"), {"csrfmiddlewaretoken": "x" * 64})
        assert (answer.status_code, answer["Location"]) == (302, reverse("admin:index"))
        assert browser.get(answer["Location"]).status_code == 200

    @pytest.mark.parametrize("name", ["events_event_hints", "events_topic_quick_add", "events_event_presence"])
    def test_scripts_are_told_in_json(self, browser, name):
        args = [draft().pk] if name == "events_event_presence" else []
        answer = browser.post(reverse(f"admin:{name}", args=args), {"name": "Vote"})
        assert answer.status_code == 403 and "again" in answer.json()["error"]
        assert not Topic.objects.exists()

    def test_a_page_is_led_back_to(self, browser):
        address = reverse("admin:events_topic_add")
        answer = browser.post(address, {"name": "Vote"})
        assert (answer.status_code, answer["Location"]) == (302, address)
        assert_kept_nowhere(answer)


class TestLogin:
    def test_it_leads_to_the_desk_when_nothing_else_was_asked_for(self, client, settings):
        settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
        User.objects.create_user("rita", password=PASSWORD, is_staff=True)
        answer = client.post(LOGIN, {"username": "rita", "password": PASSWORD})
        assert (answer.status_code, answer["Location"]) == (302, reverse("admin:index"))


class TestCategoryPage:
    def test_it_counts_no_drafts_and_no_scheduled_versions_of_others(self, client, reporter):
        draft("Plans.", category="Politics")
        published("Vote.", category="Politics")
        draft("Mine.", category="Politics", by=reporter)
        page = reverse("admin:events_category_change", args=[category("Politics").pk])
        assert "1 entry of yours and 1 published version are" in client.get(page).text
        client.force_login(person("Editor"))
        assert "3 entries at the desk and 1 published version are" in client.get(page).text
