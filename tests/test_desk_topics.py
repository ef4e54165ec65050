import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from reversion.models import Revision

from events import publishing, slugs, verifying
from events.models import AuditEntry, EditionTopic, EventTopic, LogEntry, LogHead, Topic
from tests.words import draft, person, published, topic, topics

pytestmark = pytest.mark.django_db
LIST = reverse("admin:events_topic_changelist")
ADD = reverse("admin:events_topic_add")
QUICK = reverse("admin:events_topic_quick_add")
ALIKE = reverse("admin:events_topic_duplicates")
AUTOCOMPLETE = reverse("admin:autocomplete")


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
def reporter(client):
    user = person("Reporter", "rita")
    client.force_login(user)
    return user


def at(verb, of):
    return reverse(f"admin:events_topic_{verb}", args=[of.pk])


def names(response):
    return [row.name for row in response.context["cl"].result_list]


def suggestions(client, term, field="eventtopic.tag", **more):
    model, name = field.split(".")
    asked = {"app_label": "events", "model_name": model, "field_name": name, "term": term, **more}
    return client.get(AUTOCOMPLETE, asked)


def suggested(client, term):
    return [choice["text"] for choice in suggestions(client, term).json()["results"]]


def queries(client, address):
    with CaptureQueriesContext(
        connection,
    ) as captured:
        assert client.get(address).status_code == 200
    return len(captured)


class TestList:
    def test_it_shows_topics_by_name_with_their_other_names(self, client, editor):
        published(topics=["Iran", "War"])
        publishing.add_alias(topic("Iran"), "Persia", by=None)
        response = client.get(LIST)
        assert names(response) == ["Iran", "War"]
        row = response.context["cl"].result_list[0]
        shown = response.context["cl"].model_admin
        assert (row.uses, shown.other_names(row), shown.also_called(row)) == (1, 1, "Persia")
        assert at("change", topic("Iran")) in response.text

    def test_many_other_names_are_cut(self, client, editor):
        for number in range(7):
            publishing.add_alias(topic("Iran"), f"Name {number}", by=None)
        assert "Name 4 and 2 more" in client.get(LIST).text

    def test_other_names_are_shown_on_demand_with_what_they_mean(self, client, editor):
        publishing.add_alias(topic("Iran"), "Persia", by=None)
        response = client.get(LIST, {"names": "other"})
        assert names(response) == ["Persia"]
        assert "Persia → Iran" in response.text
        assert names(client.get(LIST, {"names": "all"})) == ["Iran", "Persia"]

    @pytest.mark.parametrize("typed", ["elecciones", "ELECCIÓNES", "élécciones", "las elecciones"])
    def test_search_minds_neither_accents_nor_case(self, client, editor, typed):
        topics("Las Elecciónes", "War")
        assert names(client.get(LIST, {"q": typed})) == ["Las Elecciónes"]

    def test_search_finds_a_topic_by_another_name_of_it(self, client, editor):
        publishing.add_alias(topic("Iran"), "Persia", by=None)
        assert names(client.get(LIST, {"q": "pers"})) == ["Iran"]

    def test_search_for_nothing_that_is_there_says_what_to_do(self, client, editor):
        assert "Try fewer letters" in client.get(LIST, {"q": "zzz"}).text

    def test_reporter_sees_it(self, client, reporter):
        topics("Iran")
        assert names(client.get(LIST)) == ["Iran"]

    def test_no_topic_is_deleted(self, client):
        client.force_login(person("", "root", is_superuser=True))
        iran = topic("Iran")
        client.post(LIST, {"action": "delete_selected", "_selected_action": [iran.pk], "post": "yes"})
        assert client.post(f"{LIST}{iran.pk}/delete/", {"post": "yes"}).status_code == 404
        assert Topic.objects.filter(pk=iran.pk).exists()

    def test_queries_do_not_grow_with_the_list_of_other_names(self, client, editor):
        publishing.add_alias(topic("Iran"), "Persia", by=None)
        few = queries(client, f"{LIST}?names=other")
        for number in range(30):
            publishing.add_alias(topic("Iran"), f"Name {number}", by=None)
        assert queries(client, f"{LIST}?names=other") == few <= 9

    def test_queries_do_not_grow_with_the_list(self, client, editor):
        topics(*[f"Topic {number}" for number in range(3)])
        publishing.add_alias(topic("Topic 1"), "Other", by=None)
        few = queries(client, LIST)
        topics(*[f"More {number}" for number in range(30)])
        assert queries(client, LIST) == few <= 9


class TestTopicPage:
    def test_it_shows_other_names_uses_and_entries(self, client, editor):
        event = published("Talks begin in Vienna.", topics=["Iran"])
        publishing.add_alias(topic("Iran"), "Persia", by=None)
        response = client.get(at("change", topic("Iran")))
        assert [alias.name for alias in response.context["aliases"]] == ["Persia"]
        assert list(response.context["entries"]) == [event]
        assert "1 live entry bears this topic" in response.text
        assert '<span class="badge badge-live">live</span>' in response.text

    def test_page_of_another_name_leads_to_the_topic(self, client, editor):
        alias = publishing.add_alias(topic("Iran"), "Persia", by=None)
        response = client.get(at("change", alias))
        assert response.url == at("change", topic("Iran"))

    def test_reporter_sees_own_entries_and_no_verbs(self, client, reporter):
        draft("Somebody else's draft.", topics=["Iran"])
        own = draft("A draft of mine.", topics=["Iran"])
        own.author = reporter
        own.save()
        response = client.get(at("change", topic("Iran")))
        assert list(response.context["entries"]) == [own]
        assert "Rename" not in response.text and "Merge" not in response.text

    def test_there_is_no_page_of_a_topic_that_is_not_there(self, client, editor):
        assert client.get(f"{LIST}99999999999999999999/change/").status_code == 404

    def test_entries_are_bounded_and_cost_the_same(self, client, editor):
        for number in range(3):
            draft(f"Entry number {number} of a few.", topics=["Iran"])
        few = queries(client, at("change", topic("Iran")))
        for number in range(30):
            draft(f"Entry number {number} of many.", topics=["Iran"])
            publishing.add_alias(topic("Iran"), f"Name {number}", by=None)
        assert queries(client, at("change", topic("Iran"))) == few <= 9
        assert len(client.get(at("change", topic("Iran"))).context["entries"]) == 20


class TestRename:
    def test_it_works(self, client, editor):
        published(topics=["Burma"])
        burma = topic("Burma")
        response = client.post(at("rename", burma), {"name": "Myanmar"})
        assert response.url == at("change", burma)
        assert topic("Burma").canonical.name == "Myanmar"
        assert LogEntry.objects.get(kind="topic-rename").by == editor
        audited = AuditEntry.objects.get(verb="rename topic")
        assert (audited.outcome, audited.subject, audited.by) == ("done", "Burma → Myanmar", editor)

    def test_name_of_another_topic_is_refused_and_kept_in_the_form(self, client, editor):
        burma, _siam = topics("Burma", "Siam")
        response = client.post(at("rename", burma), {"name": "SIAM"})
        assert response.status_code == 400
        assert "Merge the two instead" in response.text
        assert response.context["rename"]["name"].value() == "SIAM"
        assert AuditEntry.objects.get(verb="rename topic").outcome == "refused"
        assert not LogEntry.objects.exists()

    @pytest.mark.parametrize("name", ["", "Burma", "a\u202eb", "two\nlines", "x" * 301])
    def test_bad_name_is_refused(self, client, editor, name):
        response = client.post(at("rename", topic("Burma")), {"name": name})
        assert response.status_code == 400
        assert "errornote" in response.text
        assert topic("Burma").alias_of is None

    def test_topic_that_was_merged_meanwhile_is_refused(self, client, editor):
        burma, siam = topics("Burma", "Siam")
        publishing.merge_topics(burma, siam, by=None)
        response = client.post(at("rename", burma), {"name": "Myanmar"})
        assert response.status_code == 400
        assert "in the meantime" in response.text
        assert topic("Siam").alias_of is None

    def test_get_shows_the_form_and_changes_nothing(self, client, editor):
        assert "New name" in client.get(at("rename", topic("Burma"))).text
        assert not LogEntry.objects.exists()


class TestAddAlias:
    def test_it_works(self, client, editor):
        client.post(at("add_alias", topic("Iran")), {"name": "Persia"})
        assert topic("Persia").canonical == topic("Iran")
        assert AuditEntry.objects.get(verb="merge topics").subject == "Persia → Iran"

    def test_name_that_is_taken_is_refused_and_kept_in_the_form(self, client, editor):
        topics("Iran", "Persia")
        response = client.post(at("add_alias", topic("Iran")), {"name": "persia"})
        assert response.status_code == 400
        assert response.context["alias"]["name"].value() == "persia"
        assert topic("Persia").alias_of is None


class TestMerge:
    def test_page_before_says_what_moves(self, client, editor):
        published("Talks begin.", topics=["Persia", "War"], story="Persia")
        draft("A draft.", topics=["Persia"])
        publishing.add_alias(topic("Persia"), "Parsa", by=None)
        response = client.get(at("merge", topic("Persia")), {"into": topic("Iran").pk})
        assert response.context["moving"] == {"entries": 2, "stories": 1, "versions": 1, "names": 1}
        assert "No published text changes" in response.text
        assert topic("Persia").alias_of is None

    def test_it_works(self, client, editor):
        event = published("Talks begin.", topics=["Persia"])
        response = client.post(at("merge", topic("Persia")), {"into": topic("Iran").pk})
        assert response.url == at("change", topic("Iran"))
        assert topic("Persia").canonical == topic("Iran")
        assert EventTopic.objects.get().tag == EditionTopic.objects.get().topic == topic("Iran")
        assert event.editions.get().document["topics"][0]["name"] == "Persia"
        audited = AuditEntry.objects.get(verb="merge topics")
        assert (audited.outcome, audited.subject) == ("done", "Persia → Iran")

    def test_into_itself_is_refused(self, client, editor):
        iran = topic("Iran")
        publishing.add_alias(iran, "Persia", by=None)
        response = client.get(at("merge", iran), {"into": topic("Persia").pk})
        assert response.status_code == 400
        assert "the same topic already" in response.text
        assert client.post(at("merge", iran), {"into": iran.pk}).status_code == 400

    @pytest.mark.parametrize("into", ["", "0", "x", "9" * 30])
    def test_into_nothing_is_refused(self, client, editor, into):
        for ask in (client.get, client.post):
            response = ask(at("merge", topic("Iran")), {"into": into})
            assert response.status_code == 400
            assert "errornote" in response.text

    @pytest.mark.parametrize("merged", ["old", "into"])
    def test_topic_that_was_merged_meanwhile_is_refused(self, client, editor, merged):
        """Or else it would move what the editor did not see."""
        rows = {"old": topic("Persia"), "into": topic("Iran")}
        publishing.merge_topics(rows[merged], topic("Asia"), by=None)
        response = client.post(at("merge", rows["old"]), {"into": rows["into"].pk})
        assert response.status_code == 400
        assert "in the meantime" in response.text
        assert LogEntry.objects.count() == 1

    def test_target_is_found_by_its_name_without_a_script(self, client, editor):
        persia, iran = topic("Persia"), topic("Iran")
        assert client.get(at("merge", persia), {"into": "", "named": "IRAN"}).context["into"] == iran
        response = client.get(at("merge", persia), {"into": "", "named": "Nowhere"})
        assert response.status_code == 400
        assert "There is no such topic" in response.text

    def test_page_before_costs_the_same_for_many(self, client, editor):
        draft("One.", topics=["Persia"])
        before = f"{at('merge', topic('Persia'))}?into={topic('Iran').pk}"
        few = queries(client, before)
        for number in range(30):
            draft(f"Entry {number}.", topics=["Persia"])
        assert queries(client, before) == few <= 11


class TestAdd:
    def test_it_works(self, client, reporter):
        assert client.get(ADD).status_code == 200
        response = client.post(ADD, {"name": " Nagorno-Karabakh "})
        added = Topic.objects.get()
        assert added.name == "Nagorno-Karabakh"
        assert response.url == at("change", added)
        assert AuditEntry.objects.get(verb="add topic").subject == "Nagorno-Karabakh"

    @pytest.mark.parametrize("name", ["Elections", "elêction", "Elec-tion"])
    def test_likely_duplicate_asks_first(self, client, reporter, name):
        topics("Election")
        response = client.post(ADD, {"name": name})
        assert [row.name for row in response.context["same"]] == ["Election"]
        assert "anyway" in response.text
        assert Topic.objects.count() == 1
        client.post(ADD, {"name": name, "confirmed": response.context["confirm"]})
        assert Topic.objects.count() == 2

    def test_confirmation_holds_for_the_name_that_was_shown(self, client, reporter):
        topics("Election", "Storm")
        client.post(ADD, {"name": "Storms", "confirmed": slugs.fold("Elections")})
        assert Topic.objects.count() == 2

    def test_similar_topics_are_shown_first(self, client, reporter):
        topics("South Korea", "War")
        response = client.post(ADD, {"name": "Korea"})
        assert [row.name for row in response.context["near"]] == ["South Korea"]
        assert Topic.objects.count() == 2

    def test_name_that_is_there_is_refused_with_a_link(self, client, reporter):
        iran = topic("Iran")
        response = client.post(ADD, {"name": "IRAN", "confirmed": "iran"})
        assert response.status_code == 400
        assert f'href="{at("change", iran)}"' in response.text
        assert Topic.objects.count() == 1
        assert AuditEntry.objects.get(verb="add topic").outcome == "refused"

    def test_name_that_means_another_is_refused_with_a_link(self, client, reporter):
        publishing.add_alias(topic("Iran"), "Persia", by=None)
        response = client.post(ADD, {"name": "persia"})
        assert "another name of the topic “Iran”" in response.text
        assert f'href="{at("change", topic("Iran"))}"' in response.text

    @pytest.mark.parametrize("name", ["", "a\u202eb", "two\nlines", "x" * 301, "\ufdfa" * 300])
    def test_bad_name_is_refused(self, client, reporter, name):
        for address in (ADD, QUICK):
            assert client.post(address, {"name": name}).status_code == 400
        assert not Topic.objects.exists()


class TestQuickAdd:
    def test_it_works(self, client, reporter):
        answer = client.post(QUICK, {"name": "Iran"})
        assert answer.json() == {"id": str(topic("Iran").pk), "text": "Iran"}
        assert AuditEntry.objects.get(verb="add topic").by == reporter

    def test_likely_duplicates_are_told_once_each(self, client, reporter):
        election = topic("Election")
        publishing.add_alias(election, "Élections", by=None)
        answer = client.post(QUICK, {"name": "Elections"})
        assert answer.status_code == 409
        assert [choice["id"] for choice in answer.json()["likely"]] == [str(election.pk)]
        assert client.post(QUICK, {"name": "Elections", "confirmed": "1"}).status_code == 200
        assert topic("Elections").alias_of is None

    @pytest.mark.parametrize("confirmed", ["", "1"])
    def test_name_that_is_there_gives_its_topic_and_adds_nothing(self, client, reporter, confirmed):
        publishing.add_alias(topic("Iran"), "Persia", by=None)
        answer = client.post(QUICK, {"name": "PERSIA", "confirmed": confirmed})
        assert answer.json() == {"id": str(topic("Iran").pk), "text": "Persia → Iran"}
        assert not AuditEntry.objects.filter(verb="add topic").exists()

    def test_it_is_no_page(self, client, reporter):
        assert client.get(QUICK).status_code == 405


class TestAutocomplete:
    def test_exact_then_beginning_then_word_by_uses(self, client, reporter):
        published("One.", topics=["Warsaw", "Cold War"])
        published("Two.", topics=["Warsaw", "Software"])
        topics("War", "Warfare", "Post-war", "Peace")
        assert suggested(client, "WAR") == ["War", "Warsaw", "Warfare", "Cold War", "Post-war"]

    @pytest.mark.parametrize("typed", ["ocalan", "Öcalan", "abdullah oc", "öcalan abd", "abdullahöcalan"])
    def test_accents_and_the_order_of_words_make_no_difference(self, client, reporter, typed):
        topics("Abdullah Öcalan", "Syria")
        assert suggested(client, typed) == ["Abdullah Öcalan"]

    def test_other_name_leads_to_its_topic(self, client, reporter):
        publishing.add_alias(topic("Iran"), "Persia", by=None)
        answer = suggestions(client, "pers", field="event.story").json()
        assert answer["results"] == [{"id": str(topic("Iran").pk), "text": "Persia → Iran"}]

    def test_topic_is_suggested_once_under_its_own_name_if_that_fits_as_well(self, client, reporter):
        for alias in ("Iran (country)", "Irak's neighbour", "Persia"):
            publishing.add_alias(topic("Iran"), alias, by=None)
        assert suggested(client, "iran") == ["Iran"]
        assert suggested(client, "ira") == ["Iran"]
        assert suggested(client, "iran c") == ["Iran (country) → Iran"]

    def test_other_name_of_a_renamed_topic_is_found_by_its_words(self, client, reporter):
        published(topics=["Republic of Burma"])
        publishing.rename_topic(topic("Republic of Burma"), "Union of Myanmar", by=None)
        assert suggested(client, "myan") == ["Union of Myanmar"]
        assert suggested(client, "burma") == ["Republic of Burma → Union of Myanmar"]

    def test_nothing_typed_suggests_the_most_used(self, client, reporter):
        published(topics=["War"])
        publishing.add_alias(topic("Iran"), "Persia", by=None)
        assert suggested(client, " ") == ["War", "Iran"]

    def test_two_letters_of_chinese_are_found_within_a_name(self, client, reporter):
        topics("中国香港")
        assert suggested(client, "香港") == ["中国香港"]

    @pytest.mark.parametrize("typed", ["%", "_", "\\", "'", "—", "x" * 100_000, "\ufdfa" * 9000])
    def test_odd_terms_are_only_terms(self, client, reporter, typed):
        topics("Iran")
        assert suggestions(client, typed).status_code == 200

    def test_it_adds_nothing(self, client, reporter):
        assert suggested(client, "Iran") == []
        assert not Topic.objects.exists()

    def test_twenty_a_page_for_few_queries(self, client, editor):
        def asked(**more):
            with CaptureQueriesContext(connection) as captured:
                answer = suggestions(client, "topic", **more).json()
            assert len(captured) <= 7
            return len(answer["results"]), answer["pagination"]["more"]

        topics(*[f"Topic {number}" for number in range(3)])
        assert asked() == (3, False)
        topics(*[f"Topic {number}" for number in range(30)])
        assert asked() == (20, True)
        assert asked(page=2) == (10, False)

    def test_other_models_are_as_closed_as_before(self, client, editor):
        assert suggestions(client, "a", field="logentry.event").status_code in (403, 404)


class TestDuplicates:
    def test_it_shows_groups_with_the_most_used_first(self, client, editor):
        published(topics=["Elections"])
        topics("Election", "éléction", "War", "Cassini–Huygens", "Cassini Huygens")
        response = client.get(ALIKE)
        pairs = [(other.name, into.name) for other, into in response.context["pairs"]]
        assert pairs == [("Election", "Elections"), ("éléction", "Elections"), ("Cassini–Huygens", "Cassini Huygens")]
        assert f"{at('merge', topic('Election'))}?into={topic('Elections').pk}" in response.text

    def test_other_names_are_none(self, client, editor):
        publishing.merge_topics(topic("Election"), topic("Elections"), by=None)
        response = client.get(ALIKE)
        assert response.context["pairs"] == []
        assert "No two topics look alike" in response.text

    def test_it_is_paged_for_the_same_queries(self, client, editor):
        topics(*[f"{name}{end}" for name in ("alpha", "beta", "gamma") for end in ("", "s")])
        few = queries(client, ALIKE)
        topics(*[f"{letter}{other}lake{end}" for letter in "bcdfg" for other in "aeiouy" for end in ("", "s")])
        assert queries(client, ALIKE) == few <= 7
        first, second = client.get(ALIKE), client.get(ALIKE, {"page": 2})
        assert (len(first.context["pairs"]), len(second.context["pairs"])) == (25, 8)
        assert first.context["after"] == 2 and second.context["after"] is None
        assert "page before" in client.get(ALIKE, {"page": 9}).text

    @pytest.mark.parametrize("page", ["0", "-1", "x", "²", "9" * 40])
    def test_odd_page_is_the_first(self, client, editor, page):
        assert client.get(ALIKE, {"page": page}).context["page"] == 1

    def test_reporter_is_offered_no_merge(self, client, reporter):
        topics("Election", "Elections")
        assert "into=" not in client.get(ALIKE).text


ROLES = {
    "Reporter": {"view", "add"},
    "Editor": {"view", "add", "rename", "merge"},
    "Chief": {"view", "add", "rename", "merge"},
    "staff": set(),
}
ADDRESSES = {
    LIST: "view",
    ALIKE: "view",
    ADD: "add",
    QUICK: "add",
    "change": "view",
    "rename": "rename",
    "add_alias": "merge",
    "merge": "merge",
    f"{AUTOCOMPLETE}?app_label=events&model_name=eventtopic&field_name=tag&term=I": "view",
}


@pytest.fixture
def address(request):
    iran, _war = topics("Iran", "War")
    return at(request.param, iran) if "/" not in request.param else request.param


def rows():
    return [list(model.objects.order_by("pk").values()) for model in (Topic, LogHead, LogEntry, Revision)]


class TestPermissions:
    @pytest.mark.parametrize("role", ROLES)
    @pytest.mark.parametrize(("address", "needed"), ADDRESSES.items(), indirect=["address"])
    def test_role_gets_what_it_may_and_403_for_the_rest(self, client, role, address, needed):
        client.force_login(person(role if role != "staff" else "", "one"))
        asked = {"name": "Persia", "into": topic("War").pk}
        before = rows()
        shown = client.get(address, {"into": asked["into"]} if "merge" in address else {})
        assert rows() == before
        done = client.post(address, asked)
        if needed in ROLES[role]:
            assert shown.status_code == (405 if address == QUICK else 200)
            assert done.status_code in (200, 302, 405)
        else:
            assert shown.status_code == (405 if address == QUICK else 403)
            assert done.status_code in (403, 405)
            assert rows() == before

    @pytest.mark.parametrize("address", ADDRESSES, indirect=True)
    def test_who_is_not_logged_in_is_sent_to_the_login(self, client, address):
        before = rows()
        for response in (client.get(address), client.post(address, {"name": "Persia", "into": topic("War").pk})):
            assert response.status_code == 302
            assert response.url.startswith(reverse("admin:login"))
        assert rows() == before
