"""Keys at the desk: made and shown once, listed with what their holders have, revoked; and what the audit has of it."""

import datetime
import html
import re

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from events import keys
from events.models import AuditEntry, Key
from tests.words import person, published

pytestmark = pytest.mark.django_db
LIST = reverse("admin:events_key_changelist")
ADD = reverse("admin:events_key_add")
TOKEN = re.compile(r"nd_[A-Za-z0-9_-]{43}")
HOSTILE = "<script>alert(1)</script> & “Agency”"


@pytest.fixture
def chief(client):
    user = person("Chief", "carla")
    client.force_login(user)
    return user


def made(name="Agency", **values):
    return keys.make(name, by=None, at=values.pop("at", timezone.now()), **values)


def words(answer):
    """What a page says, without its marks."""
    main = answer.content.decode()
    main = main[main.index("<main") :]
    return " ".join(html.unescape(re.sub(r"<[^>]*>", " ", main)).split())


def form_id(client):
    return re.search(r'name="form_id" value="([^"]*)"', client.get(ADD).content.decode())[1]


def revoke_address(key):
    return reverse("admin:events_key_revoke", args=[key.pk])


def queries(client, address):
    with CaptureQueriesContext(connection) as captured:
        assert client.get(address).status_code == 200
    return len(captured)


class TestList:
    def test_it_says_what_to_do_if_there_is_none(self, client, chief):
        said = words(client.get(LIST))
        assert "No key is active. Make one for each partner" in said
        assert "Revoked and expired" not in said

    def test_it_says_all_of_a_key(self, client, chief):
        editor = person("Editor", "edna", first_name="Edna", last_name="Editor")
        expires = datetime.datetime(2999, 1, 2, tzinfo=datetime.UTC)
        key, token = keys.make(
            "Agency", by=chief, at=timezone.now(), writes=True, publishes=True, user=editor, expires=expires
        )
        published()
        row = words(client.get(LIST))
        assert key.start in row and token not in row
        assert "follows the log, writes drafts, publishes, in the name of Edna Editor" in row
        assert "by carla 1 Jan 2999" in row
        assert "active" in row and "never" in row and "nothing yet" in row

    def test_it_says_how_far_each_has_come(self, client, chief):
        for number in range(3):
            published(f"Parliament adopts law {number}.")
        for name, seq in (("Even", 3), ("Behind", 1), ("New", None)):
            key, _token = made(name)
            if seq:
                keys.note_fetched(key, seq, timezone.now())
        made("Reads", follows=False)
        said = words(client.get(LIST))
        for name, progress in (
            ("Even", "all of 3"),
            ("Behind", "2 behind"),
            ("New", "nothing yet"),
            ("Reads", "reads –"),
        ):
            assert re.search(rf"{name} nd_\S+ active .*?{progress}", said), progress

    def test_it_keeps_those_that_open_nothing_apart(self, client, chief):
        now = timezone.now()
        key, _token = made("Left us")
        keys.revoke(key, by=None, at=now)
        made("Ran out", at=now - datetime.timedelta(days=2), expires=now - datetime.timedelta(days=1))
        made("Works")
        active, ended = words(client.get(LIST)).split("Revoked and expired")
        assert "Works" in active and "Left us" not in active and "Ran out" not in active
        assert re.search(r"Ran out nd_\S+ expired", ended) and re.search(r"Left us nd_\S+ revoked", ended)
        assert ended.count("Revoke") == 0

    def test_it_says_whose_person_left(self, client, chief):
        editor = person("Editor")
        made(writes=True, user=editor)
        assert "no longer active" not in words(client.get(LIST))
        editor.is_active = False
        editor.save()
        assert "no longer active: it cannot write" in words(client.get(LIST))

    def test_number_of_queries_is_constant(self, client, chief):
        made("One", writes=True, user=person("Editor"))
        few = queries(client, LIST)
        for number in range(20):
            key, _token = made(f"Key {number}", writes=True, user=person("Editor", f"editor-{number}"))
            keys.note_fetched(key, 1, timezone.now())
            if number % 2:
                keys.revoke(key, by=chief, at=timezone.now())
        assert queries(client, LIST) == few

    def test_name_is_no_markup(self, client, chief):
        key, _token = made(HOSTILE)
        for address in (LIST, revoke_address(key)):
            assert HOSTILE not in client.get(address).content.decode()
            assert HOSTILE in words(client.get(address))

    @pytest.mark.parametrize("role", ["Reporter", "Editor"])
    def test_only_chiefs_see_it(self, client, role):
        client.force_login(person(role))
        assert client.get(LIST).status_code == 403


class TestMaking:
    def test_it_shows_the_key_once(self, client, chief):
        answer = client.post(ADD, {"name": "Agency", "follows": "on"})
        assert answer.status_code == 200 and "no-store" in answer["Cache-Control"]
        (token,) = set(TOKEN.findall(answer.content.decode()))
        key = keys.recognized(token, timezone.now())
        assert (key.name, key.by, key.follows, key.writes, key.publishes, key.user, key.expires) == (
            *("Agency", chief, True),
            *(False, False, None, None),
        )
        assert not TOKEN.search(client.get(LIST).content.decode())
        assert not TOKEN.search(client.get(ADD).content.decode())

    def test_it_can_be_copied_without_scripts(self, client, chief):
        page = client.post(ADD, {"name": "Agency"}).content.decode()
        assert re.search(r'<input id="secret"[^>]* value="nd_[^"]{43}" readonly', page)

    def test_it_takes_all_of_the_form(self, client, chief):
        editor = person("Editor")
        sent = {"name": "Agency", "writes": "on", "publishes": "on", "user": editor.pk, "day": "2999-05-31"}
        assert client.post(ADD, sent).status_code == 200
        key = Key.objects.get()
        assert (key.follows, key.writes, key.publishes, key.user) == (False, True, True, editor)

    def test_it_opens_until_the_end_of_its_last_day(self, client, chief, settings):
        """In the newsroom's time zone, where the day after begins at 22:00 UTC."""
        settings.TIME_ZONE = "Europe/Berlin"
        client.post(ADD, {"name": "Agency", "day": "2999-05-31"})
        assert Key.objects.get().expires == datetime.datetime(2999, 5, 31, 22, tzinfo=datetime.UTC)
        assert "31 May 2999" in words(client.get(LIST))

    @pytest.mark.parametrize(
        ("sent", "problem"),
        [
            ({"name": ""}, "required"),
            ({"name": "A\x0bB"}, "control character"),
            ({"name": "A" * 301}, "300"),
            ({"day": "2017-01-01"}, "Choose a time in the future"),
            ({"day": "9999-12-31"}, "2999"),
            ({"day": "soon"}, "valid date"),
            ({"writes": "on"}, "in whose name"),
            ({"user": "0"}, "Select a valid choice"),
            ({"user": "x" * 30}, "Select a valid choice"),
        ],
    )
    def test_what_makes_no_sense_is_said_and_makes_no_key(self, client, chief, sent, problem):
        answer = client.post(ADD, {"name": "Agency", **sent})
        assert answer.status_code == 400
        assert problem in words(answer)
        assert not Key.objects.exists()

    def test_it_offers_people_who_may_write(self, client, chief):
        person("Reporter", "rita"), person("", "nobody"), person("Editor", "gone", is_active=False)
        person("Chief", "root", is_superuser=True)
        offered = re.search(r'<select name="user".*?</select>', client.get(ADD).content.decode(), re.DOTALL)[0]
        assert re.findall(r"<option[^>]*>([^<]*)", offered) == ["Nobody: it does not write", "carla", "rita"]

    def test_form_sent_twice_makes_one_key_and_shows_it_once(self, client, chief):
        sent = {"name": "Agency", "form_id": form_id(client)}
        first, second = client.post(ADD, sent), client.post(ADD, sent, follow=True)
        assert TOKEN.search(first.content.decode())
        assert not TOKEN.search(second.content.decode())
        assert "This key was made already" in second.content.decode()
        assert Key.objects.count() == 1

    def test_form_sent_again_after_revoking_makes_none(self, client, chief):
        sent = {"name": "Agency", "form_id": form_id(client)}
        client.post(ADD, sent)
        keys.revoke(Key.objects.get(), by=chief, at=timezone.now())
        client.post(ADD, sent)
        assert Key.objects.count() == 1

    def test_each_form_makes_another(self, client, chief):
        for _key in range(2):
            client.post(ADD, {"name": "Agency", "form_id": form_id(client)})
        assert Key.objects.count() == 2

    def test_made_up_form_does_not_choose_the_key(self, client, chief):
        sent = {"name": "Agency", "form_id": "8ba3b1ba-0000-4000-8000-000000000000"}
        tokens = [TOKEN.search(client.post(ADD, sent).content.decode())[0] for _key in range(2)]
        assert tokens[0] != tokens[1]

    def test_the_audit_has_it_without_the_key(self, client, chief):
        token = TOKEN.search(client.post(ADD, {"name": "Agency"}).content.decode())[0]
        noted = AuditEntry.objects.get(verb="make key")
        assert (noted.by, noted.subject, noted.outcome) == (chief, "Agency", "done")
        assert not AuditEntry.objects.filter(detail__contains=token).exists()

    def test_the_audit_has_what_was_refused(self, client, chief):
        client.post(ADD, {"name": "Agency", "writes": "on"})
        noted = AuditEntry.objects.get(verb="make key")
        assert (noted.outcome, noted.detail) == ("refused", "Say in whose name the key writes.")


class TestRevoking:
    def test_it_asks_first(self, client, chief):
        key, token = made()
        said = words(client.get(revoke_address(key)))
        assert "Revoke the key of “Agency”?" in said and "From then on it opens nothing" in said
        assert keys.recognized(token, timezone.now())

    def test_it_works(self, client, chief):
        key, token = made()
        assert client.post(revoke_address(key)).status_code == 302
        assert keys.recognized(token, timezone.now()) is None
        noted = AuditEntry.objects.get(verb="revoke key")
        assert (noted.by, noted.subject, noted.outcome) == (chief, "Agency", "done")

    def test_twice_is_refused(self, client, chief):
        key, _token = made()
        client.post(revoke_address(key))
        answer = client.post(revoke_address(key))
        assert answer.status_code == 400 and "revoked already" in words(answer)
        assert AuditEntry.objects.filter(verb="revoke key", outcome="refused").count() == 1

    def test_what_is_revoked_is_not_offered_again(self, client, chief):
        key, _token = made()
        keys.revoke(key, by=None, at=timezone.now())
        page = client.get(revoke_address(key)).content.decode()
        assert "<button" not in page[page.index("<main") :]

    def test_there_is_no_such_key(self, client, chief):
        assert client.get(reverse("admin:events_key_revoke", args=[99])).status_code == 404

    @pytest.mark.parametrize("address", ["1/change/", "1/delete/", "1/history/", "1/"])
    def test_nothing_else_can_be_done_to_one(self, client, chief, address):
        assert client.get(f"{LIST}{address}").status_code == 404
