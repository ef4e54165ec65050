import datetime
import json
from pathlib import Path
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
import time_machine
from django.core.cache import cache
from django.db import transaction
from django.utils import timezone

from events import publishing, queries, search, tokens
from events.formats import found
from events.models import Edition, SearchRow, Topic
from tests.histories import Loaded, history, version, written
from tests.words import DAY, draft, in_minutes, published, revise, topic, topics, updated

TABLE = json.loads((Path(__file__).parent / "search_queries.json").read_text(encoding="utf-8"))
NOON = datetime.datetime(2026, 11, 22, 12, 0, 20, tzinfo=datetime.UTC)
SECOND = datetime.timedelta(seconds=1)


def find(typed, at=None, page=1):
    return search.find(queries.parse(typed), at or timezone.now(), page)


def headlines(typed, at=None):
    return [edition.document["headline"] for edition in find(typed, at).editions]


def get(client, typed=None, format="json", **parameters):
    asked = {"q": typed} if typed is not None else {}
    return client.get(f"/search/index.{format}?{urlencode(asked | parameters, errors='surrogatepass')}")


@pytest.fixture
def listed(db):
    """The entries of the table of queries: the event's key by the name that it has there."""
    keys = {}
    for name, values in TABLE["entries"].items():
        values = {**values, "date": datetime.date.fromisoformat(values["date"])}
        keys[name] = published(**values).pk
    return keys


@pytest.fixture
def many(db, monkeypatch, tmp_path):
    """A hundred entries, where more than ten are many."""
    monkeypatch.setattr(search, "FEW", 10)
    lines = []
    for number in range(100):
        day = DAY - datetime.timedelta(days=10 * number)
        values = {
            "headline": f"Report {number} is read.",
            "category": "Politics" if number % 4 else "Sports",
            "topics": ["Even" if number % 2 else "Odd"],
        }
        lines.append(history(version(**values), ref=f"wire:{number}", date=day.isoformat()))
    assert Loaded(written(tmp_path / "many.jsonl", *lines)).numbers[0] == 100


def all_pages(typed):
    """The dates of all that is found, page by page."""
    pages = [find(typed, page=number).editions for number in range(1, 8)]
    return [edition.date for page in pages for edition in page]


# The table of queries, the same on whichever database the tests run.


def found_of_table(listed):
    """What each query of the table finds, in the order of the page."""
    names = {key: name for name, key in listed.items()}
    results = {}
    for typed, _ in TABLE["queries"]:
        result = find(typed)
        results[typed] = [names[edition.event_id] for edition in result.editions]
        assert result.count == len(results[typed]) <= search.PER_PAGE, typed
    return results


def test_every_query_of_the_table_finds_its_entries_in_their_order(listed):
    expected = {typed: entries.split() for typed, entries in TABLE["queries"]}
    assert len(expected) > 200
    found = found_of_table(listed)
    assert {typed: entries for typed, entries in found.items() if entries != expected[typed]} == {}


def test_many_are_found_like_few_the_newest_first(listed, monkeypatch):
    monkeypatch.setattr(search, "FEW", 0)
    age = {name: (values["date"], listed[name]) for name, values in TABLE["entries"].items()}
    expected = {typed: sorted(entries.split(), key=age.get, reverse=True) for typed, entries in TABLE["queries"]}
    found = found_of_table(listed)
    assert {typed: entries for typed, entries in found.items() if entries != expected[typed]} == {}


@pytest.mark.parametrize(
    "format", ["json", "html", *(pytest.param(format, marks=pytest.mark.trial) for format in ("md", "xml"))]
)
def test_every_query_of_the_table_gets_an_answer(listed, client, format):
    statuses = {typed: get(client, typed, format).status_code for typed, _ in TABLE["queries"]}
    assert {typed for typed, status in statuses.items() if status != 200} == set()


@pytest.mark.parametrize("typed", ["a" * 1_000_000, '"' * 5_000, "中" * 5_000, "topic:" * 2_000, "* " * 2_000])
def test_monstrous_query_gets_a_hint(db, client, typed):
    response = get(client, typed)
    assert response.status_code == 200
    assert response.json()["hints"]
    assert len(response.json()["query"]) <= queries.LONGEST


def test_beyond_what_a_position_can_count_a_phrase_is_found(db):
    """Positions in PostgreSQL end at 16,383."""
    filler = " ".join(f"a{number:04}" for number in range(8_000))
    published("A long story.", body=f"{filler} needle in haystack")
    assert find('"needle in haystack"').count == 1
    assert find('"haystack in needle"').count == 0


def test_longest_texts_are_stored(db):
    """Fifty thousand different characters are fifty thousand different pairs."""
    body = "".join(chr(0x20000 + number) for number in range(42_000)) + "末"
    published("長" * 2_000, body=body)
    assert find(body[41_000:41_003]).count == 1
    assert find("末").count == 1


# What is public.


def test_redacted_text_is_not_found(db):
    event = published("A private address.", body="Elm Street.", topics=["Privacy"])
    updated(event, headline="An address.", body="", topics=["Addresses"])
    publishing.redact(event, 1, by=None, note="Private.")
    assert [find(typed).count for typed in ("private", "elm", "privacy", "address")] == [0, 0, 0, 1]
    assert SearchRow.objects.count() == 1


def test_only_the_current_version_is_found(db):
    event = published("The vote is held on Monday.")
    updated(event, headline="The vote is held on Sunday.")
    assert find("monday").count == 0
    assert headlines("vote") == ["The vote is held on Sunday."]


def test_withdrawn_entry_is_found_again_when_it_is_restored(db):
    event = published("A mistake.", topics=["Errors"])
    publishing.withdraw(event, by=None, note="Wrong.")
    assert (find("mistake").count, find("mistake").years, list(find("errors").topics)) == (0, [], [])
    publishing.restore(event, by=None)
    assert find("mistake").count == 1
    assert list(find("errors").topics) == topics("Errors")


def test_draft_is_not_found(db):
    draft("Nothing is decided.", topics=["Secrets"])
    assert find("decided").count == 0
    assert find("topic:secrets").hints == ["There is no topic “secrets”."]


def test_scheduled_entry_is_found_at_its_second_without_any_job(db):
    with time_machine.travel(NOON, tick=False):
        published("The budget stays.", category="Politics", topics=["Budget"])
        hour = in_minutes(5, NOON)
        event = draft("The budget falls.", category="Economy", topics=["Treasury"])
        publishing.schedule(event, by=None, issue=hour)
    rows, entries = SearchRow.objects.count(), Edition.objects.count()
    before, after = find("budget", hour - SECOND), find("budget", hour)
    assert (before.count, after.count) == (1, 2)
    assert [category.name for category, _ in before.categories] == ["Politics"]
    assert [category.name for category, _ in after.categories] == ["Politics", "Economy"]
    assert list(find("treasury", hour - SECOND).topics) == []
    assert [found.name for found in find("treasury", hour).topics] == ["Treasury"]
    for typed, name in (("category:economy", "category “economy”"), ("topic:treasury", "topic “treasury”")):
        assert find(typed, hour - SECOND) == search.Found(hints=[f"There is no {name}."])
        assert find(typed, hour).count == 1
    assert (SearchRow.objects.count(), Edition.objects.count()) == (rows, entries)


def test_scheduled_version_replaces_the_one_before_at_its_second(db):
    with time_machine.travel(NOON, tick=False):
        event = published("The plan is old.")
        hour = in_minutes(5, NOON)
        publishing.schedule(revise(event, headline="The plan is new."), by=None, kind="update", issue=hour)
    assert headlines("plan", hour - SECOND) == ["The plan is old."]
    assert find("new", hour - SECOND).count == 0
    assert headlines("plan", hour) == ["The plan is new."]
    assert find("old", hour).count == 0


def test_unscheduled_version_leaves_no_row(db):
    with time_machine.travel(NOON, tick=False):
        event = draft("The plan is secret.")
        publishing.schedule(event, by=None, issue=in_minutes(5, NOON))
        publishing.unschedule(event, by=None)
    assert find("secret", NOON + datetime.timedelta(hours=1)).count == 0
    assert not SearchRow.objects.exists()


def test_merged_topic_is_found_under_each_of_its_names(db):
    published("A vote.", topics=["EU"])
    published("A treaty.", topics=["European Union"])
    publishing.merge_topics(topic("EU"), topic("European Union"), by=None)
    for typed in ("topic:eu", 'topic:"European Union"', "topic:european-union"):
        assert sorted(headlines(typed)) == ["A treaty.", "A vote."]
    assert [found.name for found in find("eu").topics] == ["European Union"]


def test_nothing_that_is_not_public_moves_the_order_or_the_answer(db, client, monkeypatch):
    """Neither what rare words are, nor how many are few, may depend on a text that is scheduled or withdrawn."""
    monkeypatch.setattr(search, "FEW", 5)
    with time_machine.travel(NOON, tick=False):
        for number in range(12):
            published(f"Another thing {number}.")
        published("Alpha and beta.", date=DAY - datetime.timedelta(days=9))
        for body in ("alpha alpha alpha beta", "alpha beta beta beta", "alpha beta", "beta and alpha"):
            published("Something else.", body=body)

        def answered():
            cache.clear()
            response = get(client, "alpha beta")
            return [event["url"] for event in response.json()["events"]], response["ETag"]

        before = answered()
        assert before[0][0].endswith("/alpha-and-beta")
        for body in ("beta " * 50, "alpha " * 50, "alpha beta"):
            event = draft("Not public.", body=body)
            publishing.schedule(event, by=None, issue=in_minutes(5, NOON))
            assert answered() == before
        for body in ("beta " * 50, "beta " * 50, "alpha beta"):
            event = published("A mistake.", body=body)
            publishing.withdraw(event, by=None, note="Wrong.")
            assert answered() == before


def test_text_redacted_while_it_is_looked_for_is_not_shown(db, monkeypatch):
    event = published("A private address.")
    updated(event, headline="An address.")
    hits = search.hits

    def hits_and_redaction(*args):
        found = hits(*args)
        updated(event, headline="The address is gone.")
        publishing.redact(event, 2, by=None, note="Private.")
        return found

    monkeypatch.setattr(search, "hits", hits_and_redaction)
    assert find("address").editions == []


# Order, pages and counts.


def test_what_has_all_words_in_its_head_is_listed_before_what_is_newer(db):
    published("The harbour opens.", date=DAY - datetime.timedelta(days=900), topics=["Orland"])
    published("Nothing else happened.", body="The harbour of Orland, said a harbour master, is a harbour.")
    published("Orland waits.", date=DAY + datetime.timedelta(days=1), body="For the harbour.")
    assert headlines("harbour orland") == ["The harbour opens.", "Orland waits.", "Nothing else happened."]
    assert headlines('"harbour opens"') == headlines("harb* opens") == ["The harbour opens."]


def test_of_many_the_newest_are_listed_first(many):
    dates = all_pages("report")
    assert dates == sorted(dates, reverse=True)


def test_few_of_many_that_are_left_by_filters_are_listed_like_few(many):
    published("It is read.", date=DAY + datetime.timedelta(days=1), body="The report.", topics=["Odd"])
    found = find("report topic:odd after:2017")
    assert found.count <= search.FEW
    assert found.editions[-1].document["headline"] == "It is read."


def test_equal_ones_are_listed_newest_first(db):
    for number in (2, 0, 1):
        published("The same is said.", date=DAY + datetime.timedelta(days=number))
    assert [edition.date.day for edition in find("same").editions] == [27, 26, 25]


def test_filters_alone_list_the_newest_first(many):
    dates = all_pages("topic:odd")
    assert len(dates) == 50
    assert dates == sorted(dates, reverse=True)


@pytest.mark.parametrize("typed", ["report", "report topic:odd", "report category:politics", "report after:2015"])
def test_pages_of_many_hold_each_entry_once(many, typed):
    dates = all_pages(typed)
    assert len(dates) == len(set(dates)) == find(typed).count > search.PER_PAGE


def test_pages_of_many_are_full_when_most_of_them_are_withdrawn(many):
    for edition in list(Edition.objects.order_by("-pk")[:70]):
        publishing.withdraw(edition.event, by=None, note="Wrong.")
    assert find("report").count == len(all_pages("report")) == 30


@pytest.mark.parametrize("few", [0, 1_000])
def test_counts_by_year_and_category_are_of_all_that_is_found(many, monkeypatch, few):
    monkeypatch.setattr(search, "FEW", few)
    result = find("report after:2015 before:2016")
    years = [
        edition.date.year
        for page in range(1, 5)
        for edition in find("report after:2015 before:2016", page=page).editions
    ]
    assert result.years == [(2016, years.count(2016)), (2015, years.count(2015))]
    assert sum(count for _, count in result.categories) == result.count == len(years)
    assert [category.name for category, _ in result.categories] == ["Politics", "Sports"]


def test_pages_end_with_a_hint(many, client, monkeypatch):
    monkeypatch.setattr(search, "LAST_PAGE", 3)
    assert get(client, "report", page=3).json()["older"] is None
    assert "Narrow the search down" in get(client, "report", page=3).json()["hints"][0]
    beyond = get(client, "report", page=4)
    assert (beyond.status_code, beyond.json()["events"]) == (200, [])
    assert "Narrow the search down" in beyond.json()["hints"][0]


@pytest.mark.parametrize("page", ["0", "-1", "two", "1.5", "10000", "", "١"])
def test_bad_page_is_refused_by_name(db, client, page):
    response = get(client, "vote", page=page)
    assert response.status_code == 400
    assert "“page”" in response.json()["detail"]


# The page.


def test_page_without_query_explains_itself(db, client):
    response = get(client, format="html")
    assert response.status_code == 200
    assert "X-Robots-Tag" not in response
    assert 'action="/search/index.html"' in response.content.decode()
    assert get(client).json() | {"formats": {}} == {
        "url": "http://127.0.0.1:8000/search/index.html",
        "query": "",
        "hints": [],
        "count": 0,
        "topics": [],
        "events": [],
        "years": [],
        "categories": [],
        "older": None,
        "newer": None,
        "formats": {},
    }


def test_results_are_not_for_search_engines(db, client):
    response = get(client, "vote", "html")
    assert response["X-Robots-Tag"] == "noindex"
    assert '<meta name="robots" content="noindex">' in response.content.decode()
    assert "/search/index.html?q=vote" in response["Link"]


def test_shape_says_what_was_found(listed, client):
    shape = get(client, "topic:budget vote").json()
    assert (shape["query"], shape["count"]) == ("topic:budget vote", 2)
    assert [year["year"] for year in shape["years"]] == [2017, 2016]
    assert [(category["slug"], category["count"]) for category in shape["categories"]] == [("politics", 2)]
    assert shape["events"][0]["headline"] == "The second vote on the budget is postponed."


def test_topics_that_fit_are_offered(listed, client):
    shape = get(client, "elect*").json()
    assert [found["name"] for found in shape["topics"]] == ["Elections", "Electoral law"]
    assert shape["topics"][0]["count"] == 2
    assert shape["topics"][0]["url"].endswith("/topics/elections/index.html")


def test_unknown_parameter_does_not_keep_the_page_from_search_engines(db, client):
    """It makes no page of its own, so it must not change the one that is kept."""
    for address in ("/search/index.html?utm_source=mail", "/search/index.html"):
        assert "X-Robots-Tag" not in client.get(address)


def test_topic_counts_what_is_due_and_not_in_the_log_yet(db, client):
    with time_machine.travel(NOON, tick=False) as clock:
        publishing.schedule(draft(topics=["Canary"]), by=None, issue=in_minutes(1, NOON))
        assert get(client, "canary").json()["topics"] == []
        clock.shift(120)
        shape = get(client, "canary").json()
    assert [(found["name"], found["count"]) for found in shape["topics"]] == [("Canary", 1)]


def test_topic_under_another_name_stands_before_nothing_was_found(db, client):
    published("A vote.", topics=["Kiev"])
    publishing.rename_topic(topic("Kiev"), "Kyiv", by=None)
    page = get(client, "kyiv", "html").content.decode()
    assert "1 entry</span>" in page
    assert page.index("/topics/kyiv/index.html") < page.index("Nothing was found")


@pytest.mark.parametrize("typed", ["the", "the after:2016-09-05 before:2017-02", "the " * 124, "the after:2016 " * 33])
def test_narrowing_links_find_what_they_count(listed, client, typed):
    shape = get(client, typed).json()
    links = [*shape["years"], *shape["categories"]]
    assert len(links) > 2
    for link in links:
        typed = parse_qs(urlsplit(link["url"]).query)["q"][0]
        assert get(client, typed).json()["count"] == link["count"], typed


def test_what_was_typed_is_shown_and_never_markup(db, client):
    page = get(client, '"><script>alert(1)</script>', "html").content.decode()
    assert "<script>alert" not in page
    assert "&quot;&gt;&lt;script&gt;alert(1)&lt;/script&gt;" in page


def test_found_words_are_marked_in_text_and_not_in_markup(db, client):
    published("The <b>vote</b> & the budget.", body="A [vote](https://x.example/vote) was **held**. " * 30)
    page = get(client, "vote b", "html").content.decode()
    assert "The &lt;<mark>b</mark>&gt;<mark>vote</mark>&lt;/<mark>b</mark>&gt; &amp; the budget." in page
    event = get(client, "vote b").json()["events"][0]
    assert "".join(piece["text"] for piece in event["found_headline"]) == event["headline"]
    assert "x.example" not in "".join(piece["text"] for piece in event["excerpt"])


@pytest.mark.parametrize(
    ("typed", "text", "marked"),
    [
        ("vote", "The Vote, a VOTE; votes", ["Vote", "VOTE"]),
        ("vot*", "The Vote, votes", ["Vote", "votes"]),
        ('"second vote"', "A second vote, a vote; the second", ["second vote"]),
        ("lodz", "In Łódź", ["Łódź"]),
        ("中国人", "旧中国人民", ["中国人"]),
        ("国", "中国人 国", ["国", "国"]),
        ("nagorno-karabakh", "Nagorno–Karabakh, Karabakh", ["Nagorno–Karabakh"]),
        ("a b", "a, b", ["a", "b"]),
    ],
)
def test_marks_stand_where_the_words_do(typed, text, marked):
    pieces = found.marked(text, queries.parse(typed).terms)
    assert "".join(piece["text"] for piece in pieces) == text
    assert [piece["text"] for piece in pieces if piece["found"]] == marked


def test_excerpt_is_around_the_first_hit():
    body = "Before it. " * 60 + "The needle is found. " + "After it. " * 60
    text = "".join(piece["text"] for piece in found.excerpt(body, queries.parse("needle").terms))
    assert text.startswith("…")
    assert text.endswith("…")
    assert "The needle is found." in text
    assert len(text) <= found.EXCERPT + 2
    assert found.excerpt("", queries.parse("needle").terms) == []


def test_excerpt_begins_the_text_if_only_the_headline_was_found():
    assert found.excerpt("Short.", queries.parse("needle").terms) == [{"text": "Short.", "found": False}]


def test_phrase_in_a_long_body_is_shown_where_it_stands():
    body = "The second meeting. " * 300 + "The second vote is held. " + "After it. " * 300
    pieces = found.excerpt(body, queries.parse('"second vote"').terms)
    assert [piece["text"] for piece in pieces if piece["found"]] == ["second vote"]


def test_beyond_what_is_read_of_a_body_its_beginning_is_shown():
    body = "Before it. " * (found.READ // 10) + "The needle is found."
    pieces = found.excerpt(body, queries.parse("needle").terms)
    assert pieces[0]["text"].startswith("Before it.")
    assert pieces[-1]["text"].endswith("…")


# What it costs.


@pytest.mark.parametrize("typed", ["needle", "末", "中文 字符 民国 家人 天 地 玄 黄"])
def test_an_excerpt_of_the_longest_body_reads_no_more_than_some_of_it(typed, monkeypatch):
    read = []
    whole = tokens.tokens

    def counted(text):
        for token in whole(text):
            read.append(token)
            yield token

    monkeypatch.setattr(tokens, "tokens", counted)
    found.excerpt("中文字符民国家人" * 6_250, queries.parse(typed).terms)
    assert len(read) <= found.READ_TOKENS + found.EXCERPT + 3 * tokens.LONGEST


@pytest.mark.parametrize(
    ("typed", "most"),
    [
        ("", 1),
        ("report", 8),
        ("report topic:odd", 8),
        ("odd topic:odd category:politics after:2010", 8),
        ("report category:sports after:2015", 8),
        ("topic:odd", 7),
        ("nothing", 6),
    ],
)
def test_number_of_queries_does_not_grow(many, client, django_assert_max_num_queries, typed, most):
    with django_assert_max_num_queries(most):
        assert get(client, typed, "html").status_code == 200
    with django_assert_max_num_queries(1):
        get(client, typed, "html")


# The rows, and the engines' own index behind them.


def test_triggers_follow_every_way_of_writing(db):
    event = published("First.")
    edition = event.editions.get()
    row = SearchRow.objects.get(edition=edition)
    SearchRow.objects.filter(pk=row.pk).update(head=" other ", body=" 中国 国 ")
    assert [find(typed).count for typed in ("first", "other", "国")] == [0, 1, 1]
    row.head = " again "
    row.save()
    assert [find(typed).count for typed in ("other", "again", "国")] == [0, 1, 0]
    row.delete()
    assert find("again").count == 0
    SearchRow.objects.bulk_create([search.row(edition)])
    assert find("first").count == 1


def test_triggers_are_part_of_the_transaction(db):
    event = published("First.")
    try:
        with transaction.atomic():
            search.forget(event.editions.get())
            assert find("first").count == 0
            raise KeyError
    except KeyError:
        assert find("first").count == 1


def test_names_of_topics_are_found_by_their_beginnings(db):
    published(topics=["Climate change", "Changing of the guard", "Łódź", "Cote d'Azur", "United Nations Climate Panel"])
    published(topics=["São Paulo", "Jazz", "Jazz festival", "Zoo", "9/11", "Area 9"])
    publishing.add_alias(topic("Climate change"), "Global warming", by=None)

    def starting(text):
        return {found.name for found in Topic.objects.starting(text)}

    assert starting("chang") == {"Climate change", "Changing of the guard"}
    assert starting("climate ch") == {"Climate change"}
    assert starting("sao paulo") == starting("São Paulo") == starting("paulo são") == {"São Paulo"}
    assert starting("jazz") == {"Jazz", "Jazz festival"}
    assert starting("z") == starting("zoo") == {"Zoo"}
    assert starting("9") == {"9/11"}
    assert starting("area 9") == {"Area 9"}
    assert starting("warm") == {"Climate change"}
    assert starting("lodz") == starting("Łó") == {"Łódź"}
    assert starting("c") == {"Climate change", "Changing of the guard", "Cote d'Azur"}
    assert starting("") == starting("  ") == starting("%") == starting("_") == set()
    assert Topic.objects.starting("climate")[0].uses == 1
