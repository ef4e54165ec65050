import pytest
from django.contrib.auth.models import Permission, User
from django.core.exceptions import PermissionDenied, ValidationError

from events import publishing, verifying
from events.models import Category, LogEntry, LogHead
from events.refusals import NothingChanged, WrongState
from tests.words import category, published

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def whole_record(db):
    """Whatever a test does through the verbs, the record is whole afterwards."""
    yield
    assert list(verifying.problems()) == []


@pytest.fixture
def sections():
    return [category(name) for name in ("Sport", "Disasters", "Politics")]


def in_order():
    return list(Category.objects.values_list("name", "position"))


def changed():
    return LogHead.objects.get().changed


class TestOrder:
    def test_it_works(self, sections):
        sport, disasters, politics = sections
        publishing.order_categories([politics, sport, disasters], by=None)
        assert in_order() == [("Politics", 1), ("Sport", 2), ("Disasters", 3)]
        assert changed() == 1
        assert not LogEntry.objects.exists()

    def test_gaps_and_ties_are_numbered_anew(self, sections):
        Category.objects.update(position=7)
        publishing.order_categories(sections, by=None)
        assert in_order() == [("Sport", 1), ("Disasters", 2), ("Politics", 3)]

    def test_same_order_changes_no_page(self, sections):
        publishing.order_categories(sections, by=None)
        assert changed() == 0

    @pytest.mark.parametrize("choose", [lambda all: all[:2], lambda all: [*all, all[0]], lambda all: []])
    def test_list_that_is_not_all_of_them_once_is_refused(self, sections, choose):
        with pytest.raises(WrongState, match="Order the new list"):
            publishing.order_categories(choose(sections[::-1]), by=None)
        assert in_order() == [("Sport", 1), ("Disasters", 2), ("Politics", 3)]

    def test_category_added_meanwhile_is_not_left_out(self, sections):
        category("Weather")
        with pytest.raises(WrongState):
            publishing.order_categories(sections[::-1], by=None)
        assert changed() == 0

    def test_permission_is_checked(self, sections):
        user = User.objects.create(username="reporter")
        with pytest.raises(PermissionDenied):
            publishing.order_categories(sections[::-1], by=user)
        user.user_permissions.add(Permission.objects.get(codename="change_category"))
        publishing.order_categories(sections[::-1], by=User.objects.get(pk=user.pk))
        assert in_order()[0] == ("Politics", 1)


class TestAdd:
    def test_it_comes_last_with_a_slug_of_its_own(self, sections):
        added = publishing.add_category("Law and crime", by=None)
        assert (added.slug, added.position) == ("law-and-crime", 4)

    @pytest.mark.parametrize("name", ["Sport", "SPORT", "sport"])
    def test_name_of_another_is_refused_however_spelled(self, sections, name):
        with pytest.raises(WrongState, match="There is a category “Sport” already"):
            publishing.add_category(name, by=None)
        assert Category.objects.count() == 3

    @pytest.mark.parametrize("name", ["", " Sport", "a\x00b", "line\nbreak", "x" * 301])
    def test_bad_name_is_refused(self, name):
        with pytest.raises(ValidationError):
            publishing.add_category(name, by=None)
        assert not Category.objects.exists()

    def test_permission_is_checked(self):
        with pytest.raises(PermissionDenied):
            publishing.add_category("Sport", by=User.objects.create(username="reporter"))
        assert not Category.objects.exists()


class TestRename:
    def test_slug_and_what_is_frozen_stay(self):
        event = published(category="Sport")
        renamed = publishing.rename_category(category("Sport"), "Sports", by=None)
        assert (renamed.name, renamed.slug) == ("Sports", "sport")
        assert event.editions.get().document["category"] == {"name": "Sport", "slug": "sport"}
        assert changed() == 1

    def test_other_case_of_its_own_name_is_taken(self, sections):
        assert publishing.rename_category(sections[0], "SPORT", by=None).name == "SPORT"

    def test_own_name_is_no_change(self, sections):
        with pytest.raises(NothingChanged):
            publishing.rename_category(sections[0], "Sport", by=None)
        assert changed() == 0

    def test_name_of_another_is_refused(self, sections):
        with pytest.raises(WrongState, match="There is a category “Politics” already"):
            publishing.rename_category(sections[0], "politics", by=None)

    def test_bad_name_is_refused(self, sections):
        with pytest.raises(ValidationError):
            publishing.rename_category(sections[0], "two\nlines", by=None)

    def test_permission_is_checked(self, sections):
        with pytest.raises(PermissionDenied):
            publishing.rename_category(sections[0], "Sports", by=User.objects.create(username="reporter"))
        assert Category.objects.filter(name="Sport").exists()
