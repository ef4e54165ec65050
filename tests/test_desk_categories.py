import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from events import verifying
from events.desk.categories import rearranged
from events.models import AuditEntry, Category, LogHead
from tests.words import category, draft, person, published

pytestmark = pytest.mark.django_db
LIST = reverse("admin:events_category_changelist")
ORDER = reverse("admin:events_category_order")
ADD = reverse("admin:events_category_add")


@pytest.fixture(autouse=True)
def whole_record(db):
    """Whatever is done at the desk, the record is whole afterwards."""
    yield
    assert list(verifying.problems()) == []


@pytest.fixture
def editor(client):
    user = person("Editor", "edda")
    client.force_login(user)
    return user


@pytest.fixture
def chief(client):
    client.force_login(person("Chief", "carl"))


@pytest.fixture
def sections():
    return [category(name) for name in ("Sport", "Disasters", "Politics")]


def at(verb, of):
    return reverse(f"admin:events_category_{verb}", args=[of.pk])


def in_order():
    return list(Category.objects.values_list("name", flat=True))


def as_seen(sections, *positions):
    return {"category": [section.pk for section in sections], "position": positions or range(1, len(sections) + 1)}


def queries(client, address):
    with CaptureQueriesContext(connection) as captured:
        assert client.get(address).status_code == 200
    return len(captured)


class TestList:
    def test_it_shows_categories_in_order_with_their_live_entries(self, client, editor, sections):
        published("One.", category="Politics")
        published("Two.", category="Politics")
        published("Three.")
        draft("Four.", category="Sport")
        response = client.get(LIST)
        shown = [(row["category"].name, row["live"], row["place"]) for row in response.context["rows"]]
        assert shown == [("Sport", 0, 1), ("Disasters", 0, 2), ("Politics", 2, 3)]
        assert response.context["without"] == 1

    def test_without_categories_it_says_what_to_do(self, client, editor):
        assert "Add the first" in client.get(LIST).text

    def test_queries_do_not_grow_with_the_list(self, client, editor, sections):
        few = queries(client, LIST)
        for number in range(30):
            published(f"Entry {number}.", category=f"Category {number}")
        assert queries(client, LIST) == few <= 7

    def test_who_may_not_order_sees_no_forms(self, client, sections):
        client.force_login(person("Reporter", "rita"))
        response = client.get(LIST)
        assert response.status_code == 200
        assert ORDER not in response.text and ADD not in response.text


class TestOrder:
    def test_button_moves_one_up(self, client, editor, sections):
        politics = sections[2]
        response = client.post(ORDER, as_seen(sections) | {"up": politics.pk})
        assert in_order() == ["Sport", "Politics", "Disasters"]
        assert response.url == f"{LIST}?moved={politics.pk}&by=up"
        assert "autofocus" in client.get(response.url).text
        audited = AuditEntry.objects.get(verb="order categories")
        assert (audited.outcome, audited.by) == ("done", editor)
        assert LogHead.objects.get().changed == 1

    def test_button_moves_one_down(self, client, editor, sections):
        client.post(ORDER, as_seen(sections) | {"down": sections[0].pk})
        assert in_order() == ["Disasters", "Sport", "Politics"]

    def test_first_stays_first_and_last_last(self, client, editor, sections):
        client.post(ORDER, as_seen(sections) | {"up": sections[0].pk})
        client.post(ORDER, as_seen(sections) | {"down": sections[2].pk})
        assert in_order() == ["Sport", "Disasters", "Politics"]

    def test_numbers_that_were_typed_are_the_places(self, client, editor, sections):
        client.post(ORDER, as_seen(sections, 1, 2, 1))
        assert in_order() == ["Politics", "Sport", "Disasters"]

    @pytest.mark.parametrize(
        ("positions", "expected"),
        [
            ((1, 2, 3, 4), "abcd"),
            ((4, 2, 3, 4), "bcda"),
            ((1, 2, 3, 1), "dabc"),
            ((2, 1, 3, 4), "bacd"),
            ((4, 3, 2, 1), "dcba"),
            ((9, 2, 0, 4), "cbda"),
        ],
    )
    def test_whose_number_was_changed_stands_there(self, positions, expected):
        assert "".join(rearranged("abcd", positions)) == expected

    @pytest.mark.parametrize(
        "typed", [("1", "2", ""), ("1", "2", "x"), ("1", "2", "-1"), ("1", "2"), ("1", "2", "9" * 9)]
    )
    def test_what_is_no_number_is_refused_and_kept(self, client, editor, sections, typed):
        response = client.post(ORDER, as_seen(sections, *typed))
        assert response.status_code == 400
        assert "whole number" in response.text
        assert [row["place"] for row in response.context["rows"]][:2] == ["1", "2"]
        assert in_order() == ["Sport", "Disasters", "Politics"]

    def test_category_added_meanwhile_is_shown_and_what_was_typed_kept(self, client, editor, sections):
        seen = as_seen(sections, 3, 2, 1)
        category("Weather")
        response = client.post(ORDER, seen)
        assert response.status_code == 409
        assert "in the meantime" in response.text
        assert [row["place"] for row in response.context["rows"]] == ["3", "2", "1", 4]
        assert in_order() == ["Sport", "Disasters", "Politics", "Weather"]
        assert AuditEntry.objects.get(verb="order categories").outcome == "refused"

    def test_order_changed_meanwhile_is_not_undone(self, client, editor, sections):
        client.post(ORDER, as_seen(sections) | {"up": sections[2].pk})
        assert client.post(ORDER, as_seen(sections) | {"up": sections[1].pk}).status_code == 409
        assert in_order() == ["Sport", "Politics", "Disasters"]

    @pytest.mark.parametrize("seen", [[], ["x"], ["1", "1"]])
    def test_odd_lists_are_refused(self, client, editor, sections, seen):
        assert client.post(ORDER, {"category": seen, "position": seen}).status_code == 409


class TestAdd:
    def test_it_works(self, client, editor, sections):
        assert client.get(ADD).status_code == 200
        assert client.post(ADD, {"name": "Law and crime"}).url == LIST
        assert in_order() == ["Sport", "Disasters", "Politics", "Law and crime"]
        assert AuditEntry.objects.get(verb="add category").subject == "Law and crime"

    def test_name_that_is_there_is_refused_and_kept(self, client, editor, sections):
        response = client.post(ADD, {"name": "SPORT"})
        assert response.status_code == 400
        assert "There is a category “Sport” already" in response.text
        assert response.context["form"]["name"].value() == "SPORT"
        assert AuditEntry.objects.get(verb="add category").outcome == "refused"

    @pytest.mark.parametrize("name", ["", "a\u202eb", "x" * 301])
    def test_bad_name_is_refused(self, client, editor, name):
        assert client.post(ADD, {"name": name}).status_code == 400
        assert not Category.objects.exists()


class TestRename:
    def test_it_works(self, client, editor, sections):
        published(category="Sport")
        assert "keep the old one" in client.get(at("change", sections[0])).text
        assert client.post(at("change", sections[0]), {"name": "Sports"}).url == LIST
        assert in_order() == ["Sports", "Disasters", "Politics"]
        assert AuditEntry.objects.get(verb="rename category").subject == "Sport"

    def test_day_keeps_the_name_that_was_published(self, client, editor):
        event = published(category="Sport")
        client.post(at("change", category("Sport")), {"name": "Sports"})
        day = client.get(f"/news/{event.date:%Y/%m}/{event.date.day}/index.json").json()
        assert [entry["category"]["name"] for entry in day["events"]] == ["Sport"]

    @pytest.mark.parametrize("name", ["Sport", "politics", "", "a\u202eb"])
    def test_bad_name_is_refused_and_kept(self, client, editor, sections, name):
        response = client.post(at("change", sections[0]), {"name": name})
        assert response.status_code == 400
        assert "errornote" in response.text
        assert response.context["form"]["name"].value() == name
        assert in_order() == ["Sport", "Disasters", "Politics"]

    def test_reporter_sees_the_category_and_no_form(self, client, sections):
        client.force_login(person("Reporter", "rita"))
        response = client.get(at("change", sections[0]))
        assert response.status_code == 200
        assert "Rename" not in response.text


class TestDelete:
    def test_category_that_nothing_refers_to_is_deleted(self, client, chief, sections):
        assert "Delete the category" in client.get(at("delete", sections[0])).text
        client.post(at("delete", sections[0]))
        assert in_order() == ["Disasters", "Politics"]
        assert AuditEntry.objects.get(verb="delete category").subject == "Sport"

    @pytest.mark.parametrize(("make", "advice"), [(draft, "Put the entries in another"), (published, "for good")])
    def test_category_in_use_stays_and_the_page_says_what_to_do(self, client, chief, sections, make, advice):
        make(category="Sport")
        assert advice in client.get(at("delete", sections[0])).text
        response = client.post(at("delete", sections[0]))
        assert response.status_code == 400
        assert "is in use, so it stays" in response.text
        assert Category.objects.count() == 3
        assert AuditEntry.objects.get(verb="delete category").outcome == "refused"


ROLES = {"Reporter": {"view"}, "Editor": {"view", "edit"}, "Chief": {"view", "edit", "delete"}, "staff": set()}
# What a GET and a POST of each address need.
ADDRESSES = {
    LIST: ("view", "view"),
    ORDER: ("edit", "edit"),
    ADD: ("edit", "edit"),
    "change": ("view", "edit"),
    "delete": ("delete", "delete"),
}


@pytest.fixture
def address(request, sections):
    return request.param if "/" in request.param else at(request.param, sections[0])


def rows():
    return [list(model.objects.order_by("pk").values()) for model in (Category, LogHead)]


class TestPermissions:
    @pytest.mark.parametrize("role", ROLES)
    @pytest.mark.parametrize(("address", "needed"), ADDRESSES.items(), indirect=["address"])
    def test_role_gets_what_it_may_and_403_for_the_rest(self, client, sections, role, address, needed):
        client.force_login(person(role if role != "staff" else "", "one"))
        before = rows()
        shown = client.get(address)
        assert shown.status_code == (200 if needed[0] in ROLES[role] else 403)
        assert rows() == before
        done = client.post(address, as_seen(sections, 3, 2, 1) | {"name": "Weather"})
        if needed[1] in ROLES[role]:
            assert done.status_code in (200, 302)
        else:
            assert done.status_code == 403
            assert rows() == before

    @pytest.mark.parametrize("address", ADDRESSES, indirect=True)
    def test_who_is_not_logged_in_is_sent_to_the_login(self, client, sections, address):
        before = rows()
        for response in (client.get(address), client.post(address, as_seen(sections, 3, 2, 1) | {"name": "Weather"})):
            assert response.status_code == 302
            assert response.url.startswith(reverse("admin:login"))
        assert rows() == before
