"""Reading through the API: lists that are walked along, one event with its versions, keys and how often one may ask."""

import datetime
import uuid

import jsonschema
import pytest
import time_machine
from django.core.cache import cache
from hypothesis import HealthCheck, given
from hypothesis import settings as trying
from hypothesis import strategies as st

from events import addresses, keys, publishing
from events.formats import listed, shapes
from events.models import Edition, Key
from events.wire import cursors, entries
from tests.test_formats import API_ROOTS, JSON_SCHEMA, XSD, anchor, from_xml, parse, root_schema, validate
from tests.words import DAY, draft, in_minutes, person, published, revise, topic, updated

pytestmark = pytest.mark.django_db

NOON = datetime.datetime(2026, 11, 22, 12, 0, 20, tzinfo=datetime.UTC)
MINUTE = datetime.timedelta(minutes=1)
EVENTS, TOPICS, CATEGORIES, LOG = "/api/events/", "/api/topics/", "/api/categories/", "/api/changes/"


@pytest.fixture(autouse=True)
def empty_cache():
    cache.clear()


@pytest.fixture
def clock():
    with time_machine.travel(NOON, tick=False) as clock:
        yield clock


@pytest.fixture
def key():
    """A key to the API, and what it is made of."""
    return keys.make("A partner", by=person("Chief", is_superuser=True), at=NOON)


def bearer(token):
    return {"Authorization": f"Bearer {token}"}


def shape(client, path):
    response = client.get(addresses.relative(path))
    assert response.status_code == 200, response.content
    return response.json()


def problem(client, path, status=400, **more):
    """The details of a problem, whose type, title and status are as RFC 9457 has them (4.3)."""
    response = client.get(path, **more)
    assert response.status_code == status, response.content
    assert response["Content-Type"] == "application/problem+json"
    told = response.json()
    assert told["status"] == status
    return told


def uids(shape):
    return [entry["uid"] for entry in shape["events"]]


def headlines(shape):
    return [entry["headline"] for entry in shape["events"]]


def day(number):
    return DAY.replace(day=number)


def at(moment):
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}"


def walk(client, path, direction="next", between=lambda: None):
    """What stands on every page of a list, each page as a list of uids."""
    pages = []
    while path:
        part = shape(client, path)
        pages.append(uids(part))
        path = part[direction]
        between()
    return pages


def flat(pages):
    return [uid for page in pages for uid in page]


def without_nulls(value):
    """What XML says of it: what is null has no element there."""
    if isinstance(value, dict):
        return {key: without_nulls(held) for key, held in value.items() if held is not None}
    return [without_nulls(held) for held in value] if isinstance(value, list) else value


def last_page(client, path):
    while following := shape(client, path)["next"]:
        path = following
    return path


class TestEntries:
    def test_newest_date_first_and_of_a_date_in_one_order(self, client):
        old, *of_a_day = (published(f"On {date}.", date=day(date)) for date in (3, 20, 20, 20))
        newest_first = sorted((str(event.uid) for event in of_a_day), reverse=True)
        assert uids(shape(client, EVENTS)) == [*newest_first, str(old.uid)]

    def test_a_row_is_the_summary_that_pages_have(self, client):
        event = published("Parliament votes.", topics=["Brexit"], story="Brexit", body="One.\n\nTwo.")
        updated(event, kind="correction", note="Twice.", headline="Parliament votes twice.")
        (row,) = shape(client, EVENTS)["events"]
        edition = Edition.objects.filter(event=event, number=2).with_uid().with_times().get()
        assert row == shapes.summary(edition)
        assert tuple(row) == listed.FIELDS

    def test_only_current_editions_are_listed(self, client, clock):
        event = published("As it was.")
        updated(event, headline="As it is.")
        publishing.withdraw(published("Withdrawn."), by=None, note="No.")
        publishing.schedule(draft("Scheduled."), by=None, issue=in_minutes(5, NOON))
        draft("A draft.")
        assert headlines(shape(client, EVENTS)) == ["As it is."]
        clock.shift(5 * MINUTE)
        assert set(headlines(shape(client, EVENTS))) == {"As it is.", "Scheduled."}

    FILTERS = [
        ("date=2017-02-03", [3]),
        ("from=2017-02-03", [20, 3]),
        ("to=2017-02-03", [3, 1]),
        ("from=2017-02-02&to=2017-02-19", [3]),
        ("category=politics", [20, 1]),
        ("topic=brexit", [20, 3]),
        ("topic=uk-exit", [20, 3]),
        ("story=brexit", [3]),
        ("story=uk-exit", [3]),
        ("story=brexit&topic=parliament", []),
        ("story=brexit&topic=trade&category=trade&date=2017-02-03", [3]),
        ("topic=brexit&category=politics", [20]),
        ("topic=brexit&to=2017-02-03", [3]),
        ("kind=update", [1]),
        ("kind=publish", [20, 3]),
        ("category=nothing", []),
        ("topic=nothing", []),
        ("story=nothing", []),
        ("q=on", [20, 3, 1]),
        ("q=on&topic=uk-exit", [20, 3]),
        ("q=on&category=politics", [20, 1]),
        ("q=on&date=2017-02-03", [3]),
        ("q=on&from=2017-02-02&to=2017-02-19", [3]),
        ("q=on+after:2017-02-03&to=2017-02-19", [3]),
        ("q=on&topic=nothing", []),
        ("q=nothing", []),
    ]

    def test_filters(self, client):
        published("On 20.", date=day(20), category="Politics", topics=["Brexit", "Parliament"], story="Parliament")
        published("On 3.", date=day(3), category="Trade", topics=["UK exit", "Trade"], story="UK exit")
        event = published("On 1 as it was.", date=day(1), category="Politics")
        updated(event, headline="On 1.")
        publishing.merge_topics(topic("UK exit"), topic("Brexit"), by=None)
        for query, expected in self.FILTERS:
            assert headlines(shape(client, f"{EVENTS}?{query}")) == [f"On {number}." for number in expected], query

    def test_as_the_public_saw_it_then(self, client, clock):
        event = published("As it was.", topics=["Brexit"])
        gone = published("Withdrawn since.")
        clock.shift(5 * MINUTE)
        updated(event, headline="As it is.", topics=["Trade"])
        publishing.withdraw(gone, by=None, note="No.")
        then = shape(client, f"{EVENTS}?at={at(NOON + MINUTE)}&topic=brexit")
        assert headlines(then) == ["As it was."]
        assert then["events"][0]["url"].startswith(addresses.absolute(addresses.as_of(NOON + MINUTE)))
        assert headlines(shape(client, f"{EVENTS}?at={at(NOON + MINUTE)}")) == ["As it was."]
        assert headlines(shape(client, f"{EVENTS}?at={at(NOON - MINUTE)}")) == []
        assert headlines(shape(client, f"{EVENTS}?at={at(NOON + MINUTE)}&q=was")) == ["As it was."]

    def test_the_zone_of_a_moment_counts(self, client, clock):
        published("Told.")
        assert headlines(shape(client, f"{EVENTS}?at=2026-11-22T13:00:20%2B01:00")) == ["Told."]
        assert headlines(shape(client, f"{EVENTS}?at=2026-11-22T13:00:19.999%2B01:00")) == []

    def test_sparse_fields(self, client):
        event = published("Told.")
        (row,) = shape(client, f"{EVENTS}?fields=headline,date")["events"]
        assert row == {"uid": str(event.uid), "date": "2017-02-25", "headline": "Told."}
        (found,) = shape(client, f"{EVENTS}?fields=version&q=told")["events"]
        assert found == {"uid": str(event.uid), "version": 1}

    def test_a_search_has_its_own_order_and_pages(self, client):
        for number in range(23):
            published(f"Storm {number} passes.", date=day(1 + number % 28))
        published("Nothing else.", date=day(3))
        first = shape(client, f"{EVENTS}?q=storm")
        assert (first["count"], len(first["events"]), first["previous"]) == (23, 20, None)
        assert len(set(flat(walk(client, f"{EVENTS}?q=storm")))) == 23
        second = shape(client, first["next"])
        assert (len(second["events"]), second["next"]) == (3, None)
        assert second["previous"] == addresses.absolute(f"{EVENTS}?q=storm&page=1")

    def test_a_search_that_has_no_words_says_so(self, client):
        published(category="Politics")
        found = shape(client, f"{EVENTS}?q=!!!&category=politics")
        assert found["events"] == []
        assert found["hints"] == ["There is no word in this to look for. Write letters or digits."]

    def test_a_search_never_tells_what_a_topic_or_category_is_called_that_nothing_public_has(self, client):
        published("Told.", topics=["Brexit"], category="Politics")
        draft(topics=["Secret plan"], category="Hidden desk")
        for query, slug in (("topic", "secret-plan"), ("category", "hidden-desk")):
            answers = [client.get(f"{EVENTS}?q=told&{query}={name}") for name in (slug, "never-heard")]
            said = [answer.content.decode().replace(slug, "never-heard") for answer in answers]
            assert said[0] == said[1]
        assert headlines(shape(client, f"{EVENTS}?q=told&topic=brexit&category=politics")) == ["Told."]

    REFUSED = [
        "aftr=x",
        "limit=1&limit=9999",
        "limit=0",
        "limit=201",
        "limit=x",
        "limit=-1",
        "limit=",
        "date=2017-2-5",
        "date=2017-02-30",
        "date=",
        "from=x",
        "to=20170225",
        "from=2017-02-25&to=2017-02-24",
        "date=2017-02-25&from=2017-02-25",
        "date=2017-02-25&to=2017-02-25",
        "category=",
        "category=%00",
        f"topic={'x' * 301}",
        "story=a%0Ab",
        "kind=withdraw",
        "kind=",
        "at=2017-02-25",
        "at=2017-02-25T10:00:00",
        "at=2017-02-25T25:00:00Z",
        "at=0001-01-01T00:00:00%2B23:59",
        "at=9999-12-31T23:59:59Z",
        "at=",
        "q=",
        f"q={'x' * 501}",
        "page=1",
        "q=x&page=0",
        "q=x&page=26",
        "q=x&limit=3",
        "q=x&story=x",
        "q=x&kind=update",
        "q=x&after=eAAAA",
        "fields=",
        "fields=headline,nothing",
        "fields=headline;date",
        "after=",
        "after=%25%25%25",
        "after=eAAAAAAAA",
        "before=1",
    ]

    def test_what_cannot_be_asked_is_refused_with_what_to_do(self, client):
        """T11 and "query-param confusion" of the guards: nothing silently begins at page 1."""
        for query in self.REFUSED:
            assert len(problem(client, f"{EVENTS}?{query}")["detail"]) > 15, query

    def test_a_problem_is_told_in_the_format_that_was_asked_for(self, client):
        told = client.get(f"{EVENTS}index.xml?limit=0")
        assert (told.status_code, told["Content-Type"]) == (400, "application/problem+xml; charset=utf-8")
        XSD.assertValid(parse(told.content))
        accepted = client.get(f"{EVENTS}?limit=0", headers={"Accept": "application/xml"})
        assert accepted["Content-Type"] == "application/problem+xml; charset=utf-8"

    def test_the_future_cannot_be_asked_for(self, client, clock):
        published()
        assert "future" in problem(client, f"{EVENTS}?at={at(NOON + MINUTE)}")["detail"]
        assert shape(client, f"{EVENTS}?at={at(NOON)}")["events"]

    def test_both_cursors_at_once_are_refused(self, client):
        event = published()
        place = entries.Place(DAY, event.uid)
        assert "do not go together" in problem(client, f"{EVENTS}?after={place}&before={place}")["detail"]

    def test_queries_do_not_grow_with_the_rows(self, client, django_assert_max_num_queries):
        def fill(number):
            for each in range(number):
                published(f"Number {each}.", topics=["Brexit", f"Topic {each}"], story="Brexit", category="Politics")

        fill(3)
        paths = ["", "?topic=brexit", "?story=brexit&topic=brexit", "?category=politics", "?limit=2"]
        for path in paths:
            with django_assert_max_num_queries(5):
                shape(client, EVENTS + path)
        fill(9)
        for path in paths:
            with django_assert_max_num_queries(5):
                shape(client, EVENTS + path)
        after = shape(client, f"{EVENTS}?limit=5")["next"]
        with django_assert_max_num_queries(4):
            back = shape(client, after)["previous"]
        with django_assert_max_num_queries(4):
            shape(client, back)
        with django_assert_max_num_queries(12):
            shape(client, f"{EVENTS}?q=number&topic=brexit&category=politics")

    def test_a_304_takes_the_key_and_the_state_alone(self, client, django_assert_max_num_queries):
        published()
        tag = client.get(EVENTS)["ETag"]
        with django_assert_max_num_queries(1):
            assert client.get(EVENTS, headers={"If-None-Match": tag}).status_code == 304


class TestWalking:
    """I-20 of the guards: dates are no unique key."""

    @pytest.mark.parametrize("query", ["", "&topic=brexit", "&story=brexit", "&category=politics", "&kind=publish"])
    def test_both_ways_give_each_entry_once(self, client, query):
        values = {"topics": ["Brexit"], "story": "Brexit", "category": "Politics"}
        for number in range(11):
            published(f"Number {number}.", date=day(1 + number // 4), **values)
        path = f"{EVENTS}?limit=3{query}"
        forth = walk(client, path)
        assert [len(page) for page in forth] == [3, 3, 3, 2]
        assert len(set(flat(forth))) == 11
        back = walk(client, last_page(client, path), "previous")
        assert back == forth[::-1]

    def test_filters_are_kept_by_every_url(self, client):
        for number in range(5):
            published(f"Number {number}.", topics=["议会"], category="Politics")
        second = shape(client, shape(client, f"{EVENTS}?category=politics&limit=2&topic=议会&fields=url")["next"])
        for name in ("url", "next", "previous"):
            assert "category=politics&topic=%E8%AE%AE%E4%BC%9A" in second[name]
            assert all(part in second[name] for part in ("limit=2", "fields=url"))
        assert set(second["events"][0]) == {"uid", "url"}

    def test_headers_lead_on_as_the_body_does(self, client):
        """Links as RFC 8288 has them (4.2): relation and URL, each once."""
        for number in range(5):
            published(f"Number {number}.")
        first = shape(client, f"{EVENTS}?limit=2")
        response = client.get(addresses.relative(first["next"]))
        second = response.json()
        assert f'<{second["next"]}>; rel="next"' in response["Link"]
        assert f'<{second["previous"]}>; rel="prev"' in response["Link"]

    def test_the_page_beside_what_vanished_is_still_reached(self, client):
        events = [published(f"Number {number}.", date=day(20 - number)) for number in range(4)]
        second = shape(client, f"{EVENTS}?limit=2")["next"]
        for event in events[2:]:
            publishing.withdraw(event, by=None, note="No.")
        empty = shape(client, second)
        assert (empty["events"], empty["next"]) == ([], None)
        assert headlines(shape(client, empty["previous"])) == ["Number 0.", "Number 1."]

    def test_nothing_stands_before_the_first(self, client):
        event = published()
        empty = shape(client, f"{EVENTS}?before={entries.Place(DAY, event.uid)}")
        assert (empty["events"], empty["previous"]) == ([], None)
        assert uids(shape(client, empty["next"])) == [str(event.uid)]

    @trying(max_examples=5, derandomize=True, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(data=st.data())
    def test_what_stays_is_given_once_while_others_come_and_go(self, client, data):
        """Entries arrive and vanish between two pages; who walks either way meets every other one exactly once."""
        cache.clear()
        days = st.integers(1, 3)
        stay = [published(f"Stays {number}.", date=day(data.draw(days))) for number in range(data.draw(days) + 4)]
        go = [published(f"Goes {number}.", date=day(data.draw(days))) for number in range(3)]
        staying = {str(event.uid) for event in stay}

        def between():
            if go and data.draw(st.booleans()):
                publishing.withdraw(go.pop(), by=None, note="No.")
            if data.draw(st.booleans()):
                go.append(published("Comes.", date=day(data.draw(days))))

        path = f"{EVENTS}?limit={data.draw(st.integers(1, 4))}"
        forth = [uid for uid in flat(walk(client, path, between=between)) if uid in staying]
        assert sorted(forth) == sorted(staying)
        end = last_page(client, path)
        back = walk(client, end, "previous", between)
        met = [uid for page in reversed(back) for uid in page if uid in staying]
        assert met == forth
        for event in [*stay, *go]:
            publishing.withdraw(event, by=None, note="No.")

    def test_a_cursor_says_the_same_for_good(self):
        place = entries.Place(DAY, uuid.UUID(int=7), True)
        assert entries.Place.parse(str(place)) == place
        assert str(entries.Place(DAY, uuid.UUID(int=7))) == "eBLhjrQALPIEAAAAAAAAAAAAAAAAAAAAH"

    def test_of_a_cursor_no_character_can_be_another(self):
        text = str(entries.Place(DAY, uuid.UUID(int=7)))
        for place in range(len(text)):
            for other in "Ae_":
                garbled = text[:place] + other + text[place + 1 :]
                if garbled != text:
                    with pytest.raises(ValueError):
                        entries.Place.parse(garbled)
        for garbled in (text[:-1], text + "A", text + "=", text.upper(), "", "e"):
            with pytest.raises(ValueError):
                entries.Place.parse(garbled)

    def test_a_cursor_of_another_list_is_refused(self, client):
        published(topics=["Brexit"])
        assert problem(client, f"{EVENTS}?after={entries.Name('brexit')}")
        assert problem(client, f"{TOPICS}?after={entries.Place(DAY, uuid.UUID(int=7))}")

    def test_a_forged_cursor_is_refused(self, client):
        """The check can be made by anyone; what it is made over still has to be a place."""
        for forged in (entries.sealed("e", b"\xff" * 20), entries.sealed("e", b"x"), entries.sealed("e", b"")):
            problem(client, f"{EVENTS}?after={forged}")
        for forged in (b"\x00a\x00b", b"\x00\xff", b"\x00", b"", b"\x00" + b"a" * 4000):
            problem(client, f"{TOPICS}?after={entries.sealed('t', forged)}")


class TestOneEvent:
    def test_is_the_same_as_its_page(self, client):
        event = published("Parliament votes.", topics=["Brexit"], body="**One.**")
        published("Parliament debates.", topics=["Brexit"])
        updated(event, kind="correction", note="Twice.", headline="Parliament votes twice.")
        page = addresses.event(DAY, "parliament-votes-twice", "json")
        for format in ("json", "xml"):
            own = client.get(f"/api/events/{event.uid}.{format}")
            assert own.content == client.get(page.replace("json", format)).content
        assert shape(client, f"/api/events/{event.uid}")["related"]

    def test_negotiates(self, client):
        event = published()
        response = client.get(f"/api/events/{event.uid}", headers={"Accept": "application/xml"})
        assert response["Content-Type"] == "application/xml; charset=utf-8"
        assert response["Vary"] == "Accept"
        assert response["Content-Location"].endswith("/parliament-adopts-the-budget.xml")
        assert client.get(f"/api/events/{event.uid}.json").headers.get("Vary") is None

    def test_at_a_time_is_what_the_public_saw(self, client, clock):
        event = published("As it was.")
        clock.shift(5 * MINUTE)
        updated(event, headline="As it is.")
        then = shape(client, f"/api/events/{event.uid}?at={at(NOON + MINUTE)}")
        assert (then["headline"], then["status"], then["since"]) == ("As it was.", "current", [])
        prefix = addresses.absolute(addresses.as_of(NOON + MINUTE))
        assert then["url"] == f"{prefix}/news/2017/02/25/as-it-was"
        assert problem(client, f"/api/events/{event.uid}?at={at(NOON - MINUTE)}", 404)

    def test_at_a_time_whose_text_was_redacted_since_is_a_stub(self, client, clock):
        event = published("First.")
        for headline in ("A secret.", "No secret."):
            clock.shift(5 * MINUTE)
            updated(event, headline=headline)
        publishing.redact(event, 2, by=None, note="By order.")
        then = shape(client, f"/api/events/{event.uid}?at={at(NOON + 6 * MINUTE)}")
        assert (then["version"], then["status"], then["headline"], then["note"]) == (2, "redacted", None, "By order.")
        publishing.redact(event, 1, by=None, note="By order.")
        assert problem(client, f"/api/events/{event.uid}?at={at(NOON + 6 * MINUTE)}", 404)
        assert shape(client, f"/api/events/{event.uid}")["headline"] == "No secret."

    def test_versions(self, client):
        event = published("First.")
        updated(event, kind="correction", note="Not first.", headline="Second.")
        updated(event, headline="Third.")
        publishing.redact(event, 2, by=None, note="By order.")
        versions = shape(client, f"/api/events/{event.uid}/versions/")
        assert versions["uid"] == str(event.uid)
        told = [(row["version"], row["label"], row["headline"], row["note"]) for row in versions["versions"]]
        assert told == [
            (1, "First version", "First.", ""),
            (2, "Redacted", None, "By order."),
            (3, "Current version", "Third.", ""),
        ]
        first, stub, _third = (shape(client, row["document"]) for row in versions["versions"])
        assert (first["headline"], first["status"]) == ("First.", "superseded")
        assert (stub["headline"], stub["status"], stub["note"]) == (None, "redacted", "By order.")

    def test_a_version_is_the_same_as_its_page(self, client):
        event = published("First.")
        updated(event, headline="Second.")
        own = client.get(f"/api/events/{event.uid}/versions/1.json")
        page = client.get(addresses.edition(DAY, "first", 1, "json"))
        assert own.content == page.content
        assert own["Last-Modified"] == page["Last-Modified"]

    @pytest.mark.parametrize(
        "rest", ["", ".json", ".xml", ".ninjs", ".newsml", "/versions/", "/versions/1", "/versions/1.ninjs"]
    )
    def test_withdrawn_is_gone_with_its_reason_and_no_text(self, client, rest):
        """H6: 410 where it is known; no text of any version, in a format of the API."""
        event = published("A hoax is told.", body="Nothing of it.")
        publishing.withdraw(event, by=None, note="It was a hoax.")
        response = client.get(f"/api/events/{event.uid}{rest}")
        assert response.status_code == 410
        kind = "xml" if rest.endswith(("xml", "newsml")) else "json"
        assert response["Content-Type"].startswith(f"application/problem+{kind}")
        assert b"It was a hoax." in response.content
        assert b"is told" not in response.content

    def test_a_gap_stays_a_gap(self, client, clock):
        event = published("Told.")
        clock.shift(MINUTE)
        publishing.withdraw(event, by=None, note="Not sure.")
        clock.shift(MINUTE)
        publishing.restore(event, by=None, note="Sure now.")
        assert shape(client, f"/api/events/{event.uid}")["headline"] == "Told."
        assert problem(client, f"/api/events/{event.uid}?at={at(NOON + MINUTE)}", 410)["reason"] == "Not sure."

    def test_what_is_not_public_is_one_and_the_same_404(self, client, clock):
        """H6: no oracle. Not by body, nor by a header, nor by how many questions it takes."""
        scheduled = draft("Scheduled.", topics=["Secret"])
        publishing.schedule(scheduled, by=None, issue=in_minutes(5, NOON))
        kept = draft("A draft.")
        for rest in ("", ".xml", ".ninjs", "/versions/", "/versions/1", "/versions/1.newsml"):
            answers = [client.get(f"/api/events/{uid}{rest}") for uid in (scheduled.uid, kept.uid, uuid.uuid4())]
            assert {answer.status_code for answer in answers} == {404}
            assert len({answer.content for answer in answers}) == 1
            assert len({tuple(sorted(answer.headers.items())) for answer in answers}) == 1

    def test_a_version_to_come_shows_nowhere(self, client, clock):
        event = published("As it is.")
        before = {path: client.get(path) for path in self.paths(event)}
        publishing.schedule(
            revise(event, headline="As it will be.", topics=["Secret"]),
            by=None,
            kind="update",
            issue=in_minutes(5, NOON),
        )
        cache.clear()
        for path, answer in before.items():
            now = client.get(path)
            assert (now.status_code, now.content, dict(now.headers)) == (
                answer.status_code,
                answer.content,
                dict(answer.headers),
            ), path

    def paths(self, event):
        yield from (EVENTS, TOPICS, f"{EVENTS}?topic=secret", f"{EVENTS}?kind=update", f"{EVENTS}?q=will")
        yield from (f"/api/events/{event.uid}{rest}" for rest in ("", "/versions/", "/versions/1", "/versions/2"))
        yield from (f"{TOPICS}secret", f"/api/events/{event.uid}.ninjs", f"{TOPICS}?q=secret")

    def test_queries_do_not_grow_with_versions(self, client, django_assert_max_num_queries):
        event = published("Version 1.", topics=["Brexit"])
        for number in range(2, 9):
            updated(event, headline=f"Version {number}.")
        for rest in ("", "/versions/", "/versions/3"):
            with django_assert_max_num_queries(5):
                shape(client, f"/api/events/{event.uid}{rest}")

    def test_the_formats_of_agencies(self, client):
        """4.9: ninjs has no type of its own, so it is told by its schema."""
        event = published("Parliament votes.", topics=["Brexit"])
        updated(event, kind="correction", note="Twice.", headline="Parliament votes twice.")
        ninjs = client.get(f"/api/events/{event.uid}.ninjs")
        assert ninjs["Content-Type"] == "application/json"
        assert '<http://www.iptc.org/std/ninjs/ninjs-schema_3.1.json#>; rel="describedby"' in ninjs["Link"]
        assert (ninjs.json()["version"], ninjs.json()["headlines"][0]["value"]) == ("2", "Parliament votes twice.")
        assert client.get(f"/api/events/{event.uid}/versions/1.ninjs").json()["version"] == "1"
        newsml = client.get(f"/api/events/{event.uid}.newsml")
        assert newsml["Content-Type"] == "application/vnd.iptc.g2.newsitem+xml; charset=utf-8"
        assert parse(newsml.content).get("version") == "2"
        assert parse(client.get(f"/api/events/{event.uid}/versions/1.newsml").content).get("version") == "1"

    def test_a_uid_has_one_spelling(self, client):
        event = published()
        assert client.get(f"/api/events/{str(event.uid).upper()}").status_code == 404
        assert client.get(f"/api/events/{event.uid}.html").status_code == 404
        assert client.get(f"/api/events/{event.uid}/versions/01").status_code == 404


class TestTopicsAndCategories:
    def names(self, shape):
        return [one["name"] for one in shape["topics"]]

    def test_topics_with_entries_by_name(self, client, clock):
        published(topics=["Trade", "Äpfel", "brexit"])
        draft(topics=["Secret"])
        publishing.schedule(draft(topics=["Later"]), by=None, issue=in_minutes(5, NOON))
        publishing.withdraw(published(topics=["Gone"]), by=None, note="No.")
        assert sorted(self.names(shape(client, TOPICS))) == ["Trade", "brexit", "Äpfel"]

    def test_walking_both_ways(self, client):
        published(topics=[f"Topic {number:02}" for number in range(8)])
        first = shape(client, f"{TOPICS}?limit=3")
        second = shape(client, first["next"])
        third = shape(client, second["next"])
        found = [self.names(part) for part in (first, second, third)]
        assert found == [[f"Topic {number:02}" for number in part] for part in ((0, 1, 2), (3, 4, 5), (6, 7))]
        assert (first["previous"], third["next"]) == (None, None)
        assert self.names(shape(client, third["previous"])) == found[1]
        assert self.names(shape(client, shape(client, third["previous"])["previous"])) == found[0]

    def test_by_the_beginning_of_a_word(self, client):
        published(topics=["Nagorno-Karabakh conflict", "Conflicts of law", "Trade"])
        assert set(self.names(shape(client, f"{TOPICS}?q=conf"))) == {"Nagorno-Karabakh conflict", "Conflicts of law"}
        assert problem(client, f"{TOPICS}?q=%00")
        assert problem(client, f"{TOPICS}?letter=n")

    def test_one_topic(self, client):
        published(topics=["Brexit"])
        publishing.merge_topics(topic("UK exit"), topic("Brexit"), by=None)
        brexit = shape(client, f"{TOPICS}brexit")
        assert (brexit["name"], brexit["aliases"]) == ("Brexit", ["UK exit"])
        assert headlines(shape(client, brexit["entries"])) == ["Parliament adopts the budget."]
        assert brexit["feeds"]["atom"] == addresses.absolute(addresses.topic_feed("brexit"))
        moved = client.get(f"{TOPICS}uk-exit")
        assert (moved.status_code, moved["Location"]) == (302, f"{TOPICS}brexit")

    def test_categories(self, client):
        published(category="Politics")
        draft(category="Secret")
        (politics,) = shape(client, CATEGORIES)["categories"]
        one = shape(client, politics["api"])
        assert (one["name"], one["slug"]) == ("Politics", "politics")
        assert len(shape(client, one["entries"])["events"]) == 1

    def test_nothing_public_is_a_404_like_that_of_nothing(self, client, clock):
        draft(topics=["Secret"], category="Secret")
        publishing.schedule(draft(topics=["Later"], category="Later"), by=None, issue=in_minutes(5, NOON))
        for path in (TOPICS, CATEGORIES):
            answers = [client.get(path + slug) for slug in ("secret", "later", "never")]
            assert {answer.status_code for answer in answers} == {404}
            assert len({answer.content for answer in answers}) == 1
        clock.shift(5 * MINUTE)
        assert shape(client, f"{TOPICS}later")["name"] == "Later"

    def test_queries_do_not_grow_with_the_rows(self, client, django_assert_max_num_queries):
        for number in range(12):
            published(topics=[f"Topic {number}"], category=f"Category {number}")
        for path in (f"{TOPICS}?limit=2", TOPICS, f"{TOPICS}?q=topic", CATEGORIES):
            with django_assert_max_num_queries(3):
                shape(client, path)


class TestFormats:
    def paths(self):
        event = published("Parliament votes.", topics=["Commons"], category="Politics", story="Brexit")
        updated(event, kind="correction", note="Twice.", body="Twice.", sources=[("BBC", "https://bbc.example/1")])
        published("It rains.", origin={"name": "A", "url": "https://a.example/", "licence": "CC0"})
        gone = published("A hoax.")
        publishing.withdraw(gone, by=None, note="A hoax.")
        publishing.redact(event, 1, by=None, note="A court ordered it.")
        publishing.rename_topic(topic("Commons"), "The Commons", by=None)
        yield "index", "/api/", "/api/"
        for root, path in [
            ("event_list", EVENTS),
            ("event_list", f"{EVENTS}?limit=1"),
            ("event_list", f"{EVENTS}?fields=url"),
            ("event_list", f"{EVENTS}?q=parliament"),
            ("version_list", f"/api/events/{event.uid}/versions/"),
            ("topic_list", TOPICS),
            ("category_list", CATEGORIES),
            ("source_list", "/api/sources/"),
            ("log", LOG),
            ("log", f"{LOG}?include=document"),
            ("log", f"{LOG}?topic=brexit"),
        ]:
            path, mark, query = path.partition("?")
            yield root, f"{path}{mark}{query}", f"{path}index.json{mark}{query}"
        yield "source", "/api/sources/bbc.example", "/api/sources/bbc.example/index.json"
        yield "topic_record", f"{TOPICS}brexit", f"{TOPICS}brexit"
        yield "category_record", f"{CATEGORIES}politics", f"{CATEGORIES}politics"
        yield "log_head", f"{LOG}head", f"{LOG}head.json"
        yield from (("log_entry", f"{LOG}{seq}", f"{LOG}{seq}.json") for seq in (1, 2, 4, 7))

    def test_json_and_xml_are_valid_and_say_the_same(self, client):
        seen = set()
        published_schema = jsonschema.Draft202012Validator(JSON_SCHEMA)
        for root, path, _ in self.paths():
            answer = client.get(path)
            told = answer.json()
            validate(root, told)
            published_schema.validate(told)
            assert '/schemas/event.json>; rel="describedby"' in answer["Link"]
            document = parse(client.get(path, headers={"Accept": "application/xml"}).content)
            XSD.assertValid(document)
            assert document.tag.endswith(f"}}{root}")
            if "fields" not in path:
                assert without_nulls(from_xml(document, root_schema(root))) == without_nulls(told), path
            seen.add(anchor(root))
        assert seen == API_ROOTS

    def test_an_event_that_left_is_told_in_both_formats(self, client):
        updated(published(topics=["Brexit"]), topics=["Trade"])
        path = f"{LOG}?topic=brexit"
        validate("log", told := shape(client, path))
        assert [entry["kind"] for entry in told["entries"]] == ["publish", "leave"]
        document = parse(client.get(path, headers={"Accept": "application/xml"}).content)
        XSD.assertValid(document)
        lines = document.find("{*}entries")
        assert [line.findtext("{*}kind") for line in lines] == ["publish", "leave"]
        assert [child.tag.rpartition("}")[2] for child in lines[1]] == ["seq", "kind", "event", "cursor", "url"]

    def test_a_fork_is_told_in_both_formats(self, client):
        published()
        asked = f"{LOG}?after={cursors.at(1, {1: 'f' * 64})}"
        told = problem(client, asked, 409)
        assert told["common"]["seq"] == 0
        validate("problem", told)
        answer = client.get(asked, headers={"Accept": "application/xml"})
        XSD.assertValid(document := parse(answer.content))
        assert document.findtext("{*}common/{*}cursor") == told["common"]["cursor"]

    def test_an_address_that_ends_so_is_in_that_format(self, client):
        for _root, path, ending in self.paths():
            assert client.get(path).json() == client.get(ending).json()
        assert client.get(f"{EVENTS}index.xml", headers={"Accept": "application/json"})["Content-Type"] == (
            "application/xml; charset=utf-8"
        )
        assert client.get(f"{EVENTS}index.html").status_code == 404

    def test_the_neutral_address_names_the_one_that_it_answered_with(self, client):
        published()
        answer = client.get(f"{EVENTS}?limit=7")
        assert answer["Content-Location"] == addresses.absolute(f"{EVENTS}index.json?limit=7")
        assert client.get(addresses.relative(answer["Content-Location"])).content == answer.content


class TestHTTP:
    PATHS = ("/api/", "/api/schema/", EVENTS, TOPICS, CATEGORIES)

    def test_a_304_for_who_has_it(self, client, clock):
        """H1, H2."""
        published(topics=["Brexit"], category="Politics")
        for path in self.PATHS:
            answer = client.get(path)
            again = client.get(path, headers={"If-None-Match": f'"x", W/{answer["ETag"]}'})
            assert (again.status_code, again.content) == (304, b"")
            for name in ("ETag", "Cache-Control", "Vary", "Content-Location"):
                assert again.headers.get(name) == answer.headers.get(name)
            assert client.get(path, headers={"If-None-Match": '"x"'}).status_code == 200

    def test_head_has_the_headers_of_get(self, client, clock):
        """H5."""
        published()
        for path in self.PATHS:
            head, answer = client.head(path), client.get(path)
            assert head.content == b""
            assert dict(head.headers) == dict(answer.headers)

    def test_pages_elsewhere_may_read(self, client):
        """CORS for reading: anyone may, and may send a key and a condition."""
        for path in self.PATHS:
            assert client.get(path)["Access-Control-Allow-Origin"] == "*"
            asked = client.options(
                path, headers={"Origin": "https://a.example", "Access-Control-Request-Method": "GET"}
            )
            assert asked.status_code == 204
            assert asked["Allow"] == "GET, HEAD, OPTIONS"
            assert "Authorization" in asked["Access-Control-Allow-Headers"]
            assert "POST" not in asked["Access-Control-Allow-Methods"]

    @pytest.mark.parametrize("method", ["post", "put", "patch", "delete"])
    def test_what_is_read_cannot_be_written(self, client, method):
        """H5: a 405 has Allow."""
        answer = getattr(client, method)(EVENTS)
        assert (answer.status_code, answer["Allow"]) == (405, "GET, HEAD, OPTIONS")
        assert answer["Content-Type"] == "application/problem+json"

    def test_it_is_fresh_to_the_next_whole_minute(self, client, clock):
        for path in self.PATHS:
            assert client.get(path)["Cache-Control"] == "public, max-age=40"

    def test_search_engines_take_the_pages(self, client):
        published(topics=["Brexit"])
        assert client.get(EVENTS)["X-Robots-Tag"] == "noindex"

    def test_unknown_parameters_are_refused_everywhere(self, client):
        event = published(topics=["Brexit"], category="Politics")
        rest = (f"/api/events/{event.uid}", f"/api/events/{event.uid}/versions/", f"{TOPICS}brexit")
        for path in (*self.PATHS, *rest, f"{CATEGORIES}politics"):
            assert "aftr" in problem(client, f"{path}?aftr=1")["detail"]


class TestKeys:
    def test_reads_as_everyone_does_but_for_no_one_elses_cache(self, client, clock, key):
        """H4."""
        published()
        _, token = key
        answer = client.get(EVENTS, headers=bearer(token))
        assert answer.content == client.get(EVENTS).content
        assert answer["Cache-Control"] == "private, max-age=40"
        assert Key.objects.get().used == NOON.replace(second=0)

    @pytest.mark.parametrize("path", [EVENTS, TOPICS, "/api/", "/api/schema/"])
    def test_one_that_opens_nothing_is_refused(self, client, clock, key, path):
        made, token = key
        for header in (f"Bearer {token}x", "Bearer", "Basic abc", f"Bearer {token} {token}", "", token):
            answer = client.get(path, headers={"Authorization": header})
            assert answer.status_code == 401, header
            assert answer["WWW-Authenticate"] == 'Bearer realm="newsdesk"'
            assert answer["Content-Type"] == "application/problem+json"
        keys.revoke(made, by=person("Chief", "other", is_superuser=True), at=NOON)
        assert client.get(path, headers=bearer(token)).status_code == 401

    def test_one_that_has_expired_is_refused(self, client, clock):
        expires = NOON + MINUTE
        _, token = keys.make("A partner", by=person("Chief", is_superuser=True), at=NOON, expires=expires)
        assert client.get(EVENTS, headers=bearer(token)).status_code == 200
        clock.shift(MINUTE)
        assert client.get(EVENTS, headers=bearer(token)).status_code == 401


class TestThrottle:
    def assert_throttled(self, answer):
        """H8."""
        assert answer.status_code == 429
        assert 0 < int(answer["Retry-After"]) <= 60
        assert answer["Content-Type"] == "application/problem+json"
        assert answer.json()["status"] == 429

    def test_by_address(self, client, clock, settings):
        settings.NEWSDESK_RATE = 3
        for path in (EVENTS, TOPICS, "/api/"):
            assert client.get(path).status_code == 200
        self.assert_throttled(client.get(EVENTS))
        assert client.get(EVENTS, REMOTE_ADDR="203.0.113.9").status_code == 200
        clock.shift(MINUTE)
        assert client.get(EVENTS).status_code == 200

    def test_by_key(self, client, clock, settings, key):
        settings.NEWSDESK_RATE, settings.NEWSDESK_KEY_RATE = 1, 3
        _, token = key
        assert client.get(EVENTS).status_code == 200
        for address in ("203.0.113.1", "203.0.113.2", "203.0.113.3"):
            assert client.get(EVENTS, headers=bearer(token), REMOTE_ADDR=address).status_code == 200
        self.assert_throttled(client.get(EVENTS, headers=bearer(token), REMOTE_ADDR="203.0.113.4"))
        self.assert_throttled(client.get(EVENTS))

    def test_pages_are_not_throttled(self, client, clock, settings):
        settings.NEWSDESK_RATE = 1
        published()
        for _ in range(3):
            assert client.get(addresses.front("json")).status_code == 200
