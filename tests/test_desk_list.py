"""The list of entries: who sees what, what each filter means, the search, and what it may cost."""

import datetime

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from events import drafts, publishing
from events.models import Event
from tests.words import draft, in_minutes, person, published, revise, topic, updated

pytestmark = pytest.mark.django_db

LIST = "/desk/events/event/"


@pytest.fixture
def reporter():
    return person("Reporter", "rita")


@pytest.fixture
def editor():
    return person("Editor", "edda")


@pytest.fixture
def desk(client, editor):
    client.force_login(editor)
    return client


def shown(client, **asked):
    """The headlines on the first page of the list."""
    answer = client.get(LIST, asked)
    assert answer.status_code == 200
    return [event.headline for event in answer.context["cl"].result_list]


def errors(client, **asked):
    """What is said of each filter, the list being empty then."""
    answer = client.get(LIST, asked)
    assert answer.status_code == 200
    assert answer.context["cl"].result_list == []
    return answer.context["cl"].filters.errors


class TestTheList:
    def test_it_shows_an_entry_with_what_an_editor_asks_of_it(self, desk, reporter):
        story = "Budget of 2017"
        published("Parliament adopts the budget.", by=reporter, category="Politics", story=story)
        page = desk.get(LIST).content.decode()
        for text in ("Parliament adopts the budget.", "Politics", story, "rita", "live", "publish (v1)", "25 Feb 2017"):
            assert text in page

    def test_the_newest_date_comes_first_and_the_newest_entry_within_it(self, desk):
        for headline, day in (("a", 1), ("b", 3), ("c", 3), ("d", 2)):
            draft(headline, date=datetime.date(2017, 2, day))
        assert shown(desk) == ["c", "b", "d", "a"]
        assert shown(desk, o="date") == ["a", "d", "b", "c"]

    def test_it_sorts_by_the_last_change(self, desk):
        first, _second = draft("first"), draft("second")
        revise(first, body="More.")
        assert shown(desk, o="-modified") == ["first", "second"]
        assert shown(desk, o="modified") == ["second", "first"]

    def test_a_page_holds_fifty_entries_and_none_is_shown_twice(self, desk):
        for number in range(53):
            draft(f"entry {number}")
        first, second = shown(desk), shown(desk, p="2")
        assert (len(first), len(second)) == (50, 3)
        assert len({*first, *second}) == 53

    @pytest.mark.parametrize("page", ["0", "-1", "zz", "99999999999999999999", "3"])
    def test_a_page_that_is_not_there_is_the_nearest(self, desk, page):
        draft("a")
        assert shown(desk, p=page) == ["a"]

    def test_an_empty_list_says_what_to_do(self, desk):
        assert "Remove a filter" in desk.get(LIST).content.decode()

    def test_a_text_of_the_other_direction_and_markup_are_only_text(self, desk):
        draft("<script>alert(1)</script> مرحبا")
        page = desk.get(LIST).content.decode()
        assert "<script>alert" not in page
        assert 'dir="auto">&lt;script&gt;' in page

    def test_a_reporter_sees_own_entries_only(self, client, reporter, editor):
        draft("mine", by=reporter)
        draft("theirs", by=editor)
        client.force_login(reporter)
        assert shown(client) == ["mine"]
        assert shown(client, q="theirs") == []
        assert "edda" not in client.get(LIST).content.decode()

    def test_who_holds_no_permission_gets_nothing(self, client):
        draft()
        client.force_login(person("", "nobody"))
        assert client.get(LIST).status_code == 403

    def test_who_is_not_logged_in_is_sent_to_the_login(self, client):
        assert client.get(LIST).status_code == 302

    @pytest.mark.parametrize("old", ["{pk}/", "{pk}/password/", "foo/change/", "foo/delete/", "foo/history/", "foo/"])
    def test_the_stock_views_are_not_there(self, client, old):
        client.force_login(User.objects.create(username="root", is_staff=True, is_superuser=True))
        event = draft()
        assert client.get(LIST + old.format(pk=event.pk)).status_code == 404

    def test_the_stock_actions_delete_nothing(self, client):
        client.force_login(User.objects.create(username="root", is_staff=True, is_superuser=True))
        event = draft()
        client.post(
            LIST, {"action": "delete_selected", "_selected_action": event.pk, "select_across": 1, "index": 0, "post": 1}
        )
        assert Event.objects.filter(pk=event.pk).exists()


class TestFilters:
    @pytest.fixture(autouse=True)
    def entries(self, reporter, editor):
        now = timezone.now()
        self.draft = draft("draft", by=reporter, topics=["Azerbaijan"])
        review = draft("review", by=reporter)
        drafts.submit(review, by=reporter)
        returned = draft("returned", by=reporter)
        drafts.submit(returned, by=reporter)
        drafts.send_back(returned, by=editor, comment="Which parliament?")
        published("live", by=editor, story="Budget of 2017", category="Politics", date=datetime.date(2017, 3, 1))
        revise(published("changed", by=editor), body="More.")
        updated(published("corrected"), "correction", "It was ten.", body="Ten.")
        publishing.schedule(draft("scheduled"), by=None, issue=in_minutes(5, now))
        twice = revise(published("twice"), body="Later.")
        publishing.schedule(twice, by=None, kind="update", issue=in_minutes(5, now))
        publishing.withdraw(published("withdrawn"), by=None, note="An error.")

    @pytest.mark.parametrize(
        ("asked", "fitting"),
        [
            ({"stage": "draft"}, {"draft", "returned", "changed"}),
            ({"stage": "review"}, {"review"}),
            ({"stage": "ready"}, {"live", "corrected", "scheduled", "twice", "withdrawn"}),
            ({"state": "live"}, {"live", "changed", "corrected", "twice"}),
            ({"state": "changed"}, {"changed"}),
            ({"state": "unpublished"}, {"draft", "review", "returned"}),
            ({"state": "scheduled"}, {"scheduled", "twice"}),
            ({"state": "withdrawn"}, {"withdrawn"}),
            ({"kind": "correction"}, {"corrected"}),
            ({"kind": "withdraw"}, {"withdrawn"}),
            ({"kind": "update"}, {"twice"}),
            ({"sent_back": "1"}, {"returned"}),
            ({"care": "1"}, {"draft", "review", "returned", "changed"}),
            ({"from": "2017-02-26"}, {"live"}),
            ({"from": "2017-03-01", "to": "2017-03-01"}, {"live"}),
            ({"to": "2017-02-24"}, set()),
            ({"story": "Budget of 2017"}, {"live"}),
            ({"topic": "budget  OF 2017"}, {"live"}),
            ({"topic": "Azerbaijan", "stage": "draft"}, {"draft"}),
            ({"topic": "Azerbaijan", "stage": "review"}, set()),
        ],
    )
    def test_a_filter_shows_what_fits(self, desk, asked, fitting):
        assert set(shown(desk, **asked)) == fitting

    def test_an_author_is_a_person_or_me(self, desk, reporter):
        assert set(shown(desk, author=reporter.pk)) == {"draft", "review", "returned"}
        assert set(shown(desk, author="me")) == {"live", "changed"}

    def test_a_category_is_one_of_those_there_are(self, desk):
        category = Event.objects.get(headline="live").category
        assert shown(desk, category=category.pk) == ["live"]

    def test_a_topic_is_found_by_its_number_and_by_a_former_name(self, desk):
        old = topic("Azerbaijan")
        publishing.merge_topics(old, topic("Republic of Azerbaijan"), by=None)
        assert shown(desk, topic=old.pk) == shown(desk, topic="Azerbaijan") == ["draft"]

    def test_what_is_no_filter_is_left_alone(self, desk):
        assert len(shown(desk, author__password__startswith="pbkdf2", e="1")) == 9

    def test_each_filter_in_use_is_named_with_a_link_that_removes_it(self, desk):
        answer = desk.get(LIST, {"stage": "draft", "topic": "Azerbaijan", "author": "abc", "p": "2"})
        asked = {label: (words, link) for label, words, link in answer.context["cl"].filters.asked}
        assert asked == {
            "Stage": ("Draft", "?topic=Azerbaijan&author=abc"),
            "Topic": ("Azerbaijan", "?stage=draft&author=abc"),
            "Author": ("abc", "?stage=draft&topic=Azerbaijan"),
        }


class TestFiltersThatCannotBe:
    @pytest.mark.parametrize(
        ("asked", "named"),
        [
            ({"author": "abc"}, "author"),
            ({"author": "99999999999999999999999"}, "author"),
            ({"from": "2017-13-99"}, "from"),
            ({"to": "yesterday"}, "to"),
            ({"from": "2017-03-01", "to": "2017-02-01"}, "from"),
            ({"stage": "published"}, "stage"),
            ({"state": "x"}, "state"),
            ({"category": "99999999999999999999999"}, "category"),
            ({"category": "politics"}, "category"),
            ({"topic": "Nowhere"}, "topic"),
            ({"topic": "99999999999999999999999"}, "topic"),
            ({"kind": "redact"}, "kind"),
            ({"o": "1.2"}, "o"),
            ({"q": "x" * 201}, "q"),
            ({"q": " ".join("abcdefghijk")}, "q"),
        ],
    )
    def test_a_value_that_cannot_be_is_said_and_shows_nothing(self, desk, asked, named):
        draft()
        assert list(errors(desk, **asked)) == [named]


class TestSearch:
    @pytest.fixture(autouse=True)
    def entry(self):
        self.event = draft(
            "Парламент одобрил бюджет.",
            body="The **final** sum is 100% known; one_two.",
            story="Nagorno–Karabakh conflict",
            category="Politics and elections",
            sources=[("The Gazette", "https://news.example.org/article/17")],
        )
        draft("Something else.", topics=["Football"])

    @pytest.mark.parametrize(
        "query",
        [
            "парламент",
            "БЮДЖЕТ",
            "FINAL",
            "100%",
            "one_two",
            "nagorno-karabakh",
            "politics",
            "gazette",
            "example.org/article",
            '"final** sum"',
            "парламент gazette karabakh",
            'sum "The Gazette"',
            'sum "',
        ],
    )
    def test_every_field_is_searched_and_every_word_has_to_stand_somewhere(self, desk, query):
        assert shown(desk, q=query) == ["Парламент одобрил бюджет."]

    @pytest.mark.parametrize("query", ["парламент football", '"sum final"', "oneXtwo", "100_", "zzz"])
    def test_what_does_not_stand_there_is_not_found(self, desk, query):
        assert shown(desk, q=query) == []

    def test_the_uid_finds_the_entry(self, desk):
        assert shown(desk, q=str(self.event.uid)) == [self.event.headline]

    def test_a_topic_is_searched_by_the_names_it_was_known_by(self, desk):
        publishing.merge_topics(topic("Football"), topic("Sport"), by=None)
        assert shown(desk, q="football") == shown(desk, q="sport") == ["Something else."]

    def test_an_empty_search_finds_everything(self, desk):
        assert len(shown(desk, q=' "" ')) == 2


class TestCost:
    def queries(self, client, **asked):
        with CaptureQueriesContext(connection) as queries:
            assert client.get(LIST, asked).status_code == 200
        return len(queries)

    def entries(self, first, number, author):
        for place in range(first, first + number):
            event = draft(
                f"entry {place}", topics=[f"topic {place % 7}", "all"], story="one", category="Politics", by=author
            )
            if place % 2:
                publishing.publish(event, by=None)

    @pytest.mark.parametrize(
        "asked",
        [
            {},
            {"q": "entry one"},
            {"state": "live"},
            {"state": "unpublished", "topic": "all", "story": "one", "author": "me", "from": "2017-02-01"},
            {"kind": "publish", "o": "-modified"},
        ],
    )
    def test_queries_do_not_grow_with_what_is_shown(self, desk, editor, asked):
        self.entries(0, 3, editor)
        few = self.queries(desk, **asked)
        self.entries(3, 47, editor)
        assert few == self.queries(desk, **asked) <= 25

    def test_the_condition_of_the_index_of_what_is_in_hand_stands_in_the_query(self, desk):
        with CaptureQueriesContext(connection) as queries:
            desk.get(LIST, {"state": "changed"})
        assert any("IN ('draft', 'review')" in query["sql"] for query in queries)
