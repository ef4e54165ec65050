"""The log at its address: every entry once and in order, whatever happens while a partner reads."""

import base64
import datetime
from xml.etree import ElementTree

import pytest
import time_machine
from django.core.cache import cache
from hypothesis import given
from hypothesis import strategies as st

from events import addresses, documents, keys, publishing
from events.log import log_commitment
from events.models import LogEntry, LogHead, Receipt
from events.wire import changes, cursors
from tests.words import draft, in_minutes, published, revise, topic, updated

pytestmark = pytest.mark.django_db

NOON = datetime.datetime(2026, 11, 22, 12, 0, 20, tzinfo=datetime.UTC)
LOG = addresses.changes()
HASHED = ("seq", "kind", "event", "edition", "occurred", "recorded", "commitment", "previous")


@pytest.fixture(autouse=True)
def clock():
    cache.clear()
    with time_machine.travel(NOON, tick=False) as clock:
        yield clock


def asked(client, after=None, **query):
    response = client.get(LOG, {**({"after": after} if after else {}), **query})
    assert response.status_code == 200, response.content
    return response.json()


def followed(client, **query):
    """Every entry from the start to the end, page by page."""
    page = asked(client, **query)
    entries = page["entries"]
    while page["next"] != page["head"]["cursor"]:
        page = asked(client, page["next"], **query)
        entries += page["entries"]
    return entries


def kinds(entries):
    return [entry["kind"] for entry in entries]


def a_history(number):
    """An event with this many entries in the log."""
    event = published(topics=["Budget"], category="Politics", body="Text 1.")
    for count in range(2, number + 1):
        updated(event, "update", body=f"Text {count}.")
    return event


class TestEntries:
    def test_an_entry_has_the_members_that_its_hash_is_over_and_what_helps_to_read_it(self, client):
        event = published(topics=["Budget"])
        (entry,) = asked(client)["entries"]
        assert tuple(entry) == (*HASHED, "cursor", "hash", "note", "url")
        assert entry["hash"] == documents.digest({name: entry[name] for name in HASHED})
        assert entry["url"] == addresses.absolute(f"/events/{event.uid}")
        assert (entry["event"], entry["previous"]) == (str(event.uid), "0" * 64)

    def test_the_chain_and_every_commitment_can_be_checked_from_the_answers_alone(self, client, clock):
        event = a_history(3)
        clock.shift(60)
        publishing.redact(event, 1, by=None, note="A court ordered it.")
        publishing.withdraw(event, by=None, note="We check it.")
        publishing.restore(event, by=None, note="It holds.")
        publishing.rename_topic(topic("Budget"), "Budgets", by=None)
        previous = "0" * 64
        for entry in followed(client, include="document", limit=2):
            assert entry["previous"] == previous
            previous = documents.digest({name: entry[name] for name in HASHED})
            assert entry["hash"] == previous
            if entry["document"]:
                said = documents.commitment(entry["salt"], entry["document"], entry["note"], entry["slug"])
                assert said == entry["commitment"]
            if entry["kind"] in ("withdraw", "topic-rename"):
                assert log_commitment(entry["note"], None) == entry["commitment"]
        assert previous == LogHead.objects.get().hash

    def test_xml_says_the_same(self, client):
        event = a_history(2)
        root = ElementTree.fromstring(
            client.get(f"{LOG}?include=document", headers={"Accept": "application/xml"}).content
        )
        space = {"n": "urn:newsdesk:event:1"}
        told = [entry.findtext("n:hash", namespaces=space) for entry in root.findall("n:entries/n:entry", space)]
        assert told == [entry["hash"] for entry in asked(client)["entries"]]
        assert root.findtext("n:entries/n:entry/n:document/n:headline", namespaces=space) == event.headline

    def test_nothing_has_happened_yet(self, client):
        page = asked(client)
        assert (page["entries"], page["head"]["seq"], page["head"]["recorded"]) == ([], 0, None)
        assert page["next"] == page["head"]["cursor"] == str(cursors.START)
        assert asked(client, page["next"])["entries"] == []
        published()
        assert kinds(asked(client, page["next"])["entries"]) == ["publish"]

    def test_one_entry_stands_at_an_address_of_its_own(self, client):
        a_history(2)
        (_first, second) = asked(client, include="document")["entries"]
        for address in ("/api/changes/2", "/api/changes/2.json"):
            assert client.get(address).json() == second
        assert b"<log_entry" in client.get("/api/changes/2.xml").content
        assert client.get("/api/changes/3").status_code == 404

    def test_the_head_stands_at_an_address_of_its_own(self, client):
        a_history(3)
        head = client.get(addresses.changes_head()).json()
        entry = LogEntry.objects.get(seq=3)
        assert (head["seq"], head["hash"]) == (3, entry.hash)
        assert asked(client)["head"] == {name: head[name] for name in ("seq", "hash", "recorded", "cursor")}


class TestAgencies:
    """An entry as ninjs and NewsML-G2: what was published, or the notice that it is no more."""

    def test_a_version_that_is_public_is_given_whole(self, client):
        event = a_history(2)
        for format in ("ninjs", "newsml"):
            answer = client.get(f"/api/changes/2.{format}")
            assert answer.content == client.get(f"/api/events/{event.uid}/versions/2.{format}").content
            assert b"Text 2." in answer.content

    def test_a_withdrawal_cancels_with_its_reason_and_no_text(self, client):
        event = published("Canary head.", body="Canary body.")
        publishing.withdraw(event, by=None, note="It was forged.")
        notice = client.get("/api/changes/2.ninjs").json()
        assert (notice["pubStatus"], notice["version"], notice["edNote"]) == (
            "canceled",
            "2",
            "Withdrawn: It was forged.",
        )
        root = ElementTree.fromstring(client.get("/api/changes/2.newsml").content)
        (status,) = root.iter("{http://iptc.org/std/nar/2006-10-01/}pubStatus")
        assert status.get("qcode") == "stat:canceled"
        for format in ("ninjs", "newsml"):
            assert b"anary" not in client.get(f"/api/changes/2.{format}").content
            assert client.get(f"/api/changes/1.{format}").status_code == 410

    def test_a_redaction_cancels_the_version_that_it_emptied(self, client):
        event = a_history(3)
        publishing.redact(event, 1, by=None, note="A court ordered it.")
        notice = client.get("/api/changes/4.ninjs").json()
        assert (notice["pubStatus"], notice["version"]) == ("canceled", "1")
        assert "A court ordered it." in notice["edNote"]

    @pytest.mark.parametrize("format", ["ninjs", "newsml"])
    def test_an_act_on_topics_is_no_news(self, client, format):
        published(topics=["Budget"])
        publishing.rename_topic(topic("Budget"), "Budgets", by=None)
        assert client.get(f"/api/changes/2.{format}").status_code == 404


class TestPages:
    @pytest.mark.parametrize("limit", [1, 2, 3, 7, 500])
    def test_every_entry_comes_once_whatever_the_length_of_a_page(self, client, limit):
        a_history(7)
        assert [entry["seq"] for entry in followed(client, limit=limit)] == list(range(1, 8))

    def test_what_is_written_meanwhile_comes_next(self, client):
        event = a_history(3)
        page = asked(client, limit=3)
        updated(event, "correction", "It was otherwise.", body="Otherwise.")
        page = asked(client, page["next"])
        assert kinds(page["entries"]) == ["correction"]
        assert page["next"] == page["head"]["cursor"]

    def test_the_next_page_is_asked_for_with_the_same_filters(self, client):
        a_history(3)
        page = asked(client, limit=1, topic="budget", include="document")
        following = client.get(addresses.relative(page["next_url"])).json()
        assert [entry["seq"] for entry in following["entries"]] == [2]
        assert following["entries"][0]["document"]

    def test_each_entry_has_the_place_behind_it(self, client):
        a_history(20)
        for entry in asked(client)["entries"]:
            rest = asked(client, entry["cursor"])["entries"]
            assert [other["seq"] for other in rest] == list(range(entry["seq"] + 1, 21))

    @pytest.mark.parametrize("number", [3, 20])
    @pytest.mark.parametrize(
        ("query", "most"),
        [({}, 3), ({"include": "document"}, 4), ({"topic": "budget"}, 5), ({"category": "politics"}, 4)],
    )
    def test_a_page_takes_its_queries_at_any_depth(self, client, django_assert_max_num_queries, number, query, most):
        a_history(number)
        after = asked(client, limit=2)["next"]
        cache.clear()
        with django_assert_max_num_queries(most):
            asked(client, after, **query)

    def test_a_304_takes_one_query(self, client, django_assert_num_queries):
        a_history(3)
        held = client.get(LOG)
        with django_assert_num_queries(1):
            response = client.get(LOG, headers={"If-None-Match": held["ETag"]})
        assert (response.status_code, response["Content-Location"]) == (304, held["Content-Location"])


class TestDue:
    def test_what_became_public_by_the_clock_is_in_the_log_before_anyone_reads_it(self, client, clock):
        event = draft()
        publishing.schedule(event, by=None, issue=in_minutes(1, NOON))
        before = client.get(LOG)
        clock.move_to(in_minutes(1, NOON) - datetime.timedelta(seconds=1))
        assert client.get(LOG, headers={"If-None-Match": before["ETag"]}).status_code == 304
        clock.move_to(in_minutes(1, NOON))
        for address in (LOG, addresses.changes_head(), "/api/changes/1"):
            assert client.get(address).status_code == 200
        (entry,) = asked(client)["entries"]
        assert (entry["kind"], entry["occurred"]) == ("publish", "2026-11-22T12:01:00Z")

    def test_a_schedule_changes_no_answer(self, client):
        event = published()
        paths = (LOG, addresses.changes_head(), f"{LOG}?topic=soon")
        answers = [client.get(path).content for path in paths]
        publishing.schedule(
            revise(event, topics=["Soon"], body="Soon."), by=None, kind="update", issue=in_minutes(1, NOON)
        )
        cache.clear()
        assert answers == [
            client.get(address).content for address in (LOG, addresses.changes_head(), f"{LOG}?topic=soon")
        ]


class TestTakenAway:
    def test_of_a_withdrawn_event_there_is_the_reason_and_no_word_else(self, client):
        event = published("Canary head.", body="Canary body.", topics=["Canary topic"])
        updated(event, "correction", "Canary note.", headline="Canary head two.")
        publishing.withdraw(event, by=None, note="It was forged.")
        page = client.get(f"{LOG}?include=document")
        assert b"anary" not in page.content
        entries = page.json()["entries"]
        assert [entry["note"] for entry in entries] == ["", "", "It was forged."]
        assert [entry["document"] for entry in entries] == [None] * 3

    def test_a_restored_event_is_in_the_log_again_with_all_its_words(self, client):
        event = published(body="Text.")
        publishing.withdraw(event, by=None, note="We check it.")
        publishing.restore(event, by=None, note="It holds.")
        entries = asked(client, include="document")["entries"]
        assert [entry["note"] for entry in entries] == ["", "We check it.", "It holds."]
        assert [entry["document"] and entry["document"]["body"] for entry in entries] == ["Text.", None, "Text."]

    def test_a_redacted_version_has_neither_text_nor_note(self, client):
        event = published("Canary head.")
        updated(event, "correction", "So it is.", headline="Another head.")
        publishing.redact(event, 1, by=None, note="A court ordered it.")
        page = client.get(f"{LOG}?include=document")
        assert b"anary" not in page.content
        assert [entry["note"] for entry in page.json()["entries"]] == ["", "So it is.", "A court ordered it."]


class TestFilters:
    def test_a_follower_of_a_topic_is_told_when_an_event_leaves_it(self, client):
        event = published(topics=["Budget", "Parliament"])
        published("Another thing.", topics=["Sports"])
        updated(event, topics=["Parliament"])
        entries = followed(client, topic="budget")
        assert [(entry["seq"], entry["kind"]) for entry in entries] == [(1, "publish"), (3, "leave")]
        assert set(entries[1]) == {"seq", "kind", "event", "cursor", "url"}
        assert kinds(followed(client, topic="parliament")) == ["publish", "update"]

    def test_a_follower_of_a_category_is_told_when_an_event_leaves_it(self, client):
        event = published(category="Politics")
        updated(event, category="Sports")
        updated(event, body="More.")
        assert kinds(followed(client, category="politics")) == ["publish", "leave"]
        assert kinds(followed(client, category="sports")) == ["update", "update"]

    def test_withdrawals_and_restorations_reach_those_who_had_the_event(self, client):
        event = published(topics=["Budget"])
        publishing.withdraw(event, by=None, note="We check it.")
        publishing.restore(event, by=None)
        assert kinds(followed(client, topic="budget")) == ["publish", "withdraw", "restore"]
        assert followed(client, topic="parliament") == []

    def test_a_redaction_and_an_act_on_topics_reach_everyone(self, client):
        event = published(topics=["Budget"])
        updated(event, topics=["Parliament"])
        publishing.redact(event, 1, by=None, note="A court ordered it.")
        publishing.rename_topic(topic("Parliament"), "House", by=None)
        assert kinds(followed(client, topic="budget")) == ["publish", "leave", "redact", "topic-rename"]

    def test_both_filters_hold_together(self, client):
        published(topics=["Budget"], category="Politics")
        published("Another thing.", topics=["Budget"], category="Sports")
        assert [entry["seq"] for entry in followed(client, topic="budget", category="sports")] == [2]

    def test_an_alias_follows_what_it_stands_for(self, client):
        published(topics=["Budget"])
        publishing.merge_topics(topic("Budget"), topic("Finance"), by=None)
        for name in ("budget", "finance"):
            assert kinds(followed(client, topic=name)) == ["publish", "topic-merge"]

    def test_nothing_found_moves_on_all_the_same(self, client, monkeypatch):
        monkeypatch.setattr(changes, "SCANNED", 3)
        a_history(8)
        published("Another thing.", topics=["Sports"])
        page = asked(client, topic="sports")
        assert (page["entries"], page["next"] != page["head"]["cursor"]) == ([], True)
        assert [entry["seq"] for entry in followed(client, topic="sports")] == [9]

    def test_a_topic_that_only_a_draft_bears_is_like_none(self, client):
        published()
        draft(topics=["Soon"])
        answers = [client.get(f"{LOG}?topic={name}").content.replace(name.encode(), b"") for name in ("soon", "none")]
        assert answers[0] == answers[1]


class TestForks:
    def forked(self, client, cursor):
        response = client.get(LOG, {"after": cursor})
        assert (response.status_code, response["Content-Type"]) == (409, "application/problem+json")
        problem = response.json()
        assert problem["type"].endswith("/problems/log-forked")
        return problem["common"]

    @pytest.mark.parametrize(("seen", "left"), [(1, 0), (5, 4), (16, 9), (20, 3)])
    def test_a_shorter_log_is_noticed_with_a_place_that_both_have(self, client, seen, left):
        a_history(seen)
        entries = asked(client, limit=500)["entries"]
        cut(left)
        common = self.forked(client, entries[-1]["cursor"])
        assert common["seq"] <= left
        if common["seq"]:
            assert common["hash"] == entries[common["seq"] - 1]["hash"]
            assert common["cursor"] == entries[common["seq"] - 1]["cursor"]
        assert len(asked(client, common["cursor"])["entries"]) == left - common["seq"]

    def test_a_log_that_went_another_way_is_noticed(self, client, clock):
        event = a_history(12)
        cursor = asked(client)["next"]
        cut(10)
        event.editions.filter(number__gt=10).delete()
        event.editions.filter(number=10).update(superseded=None)
        clock.shift(60)
        for count in range(6):
            updated(event, body=f"Otherwise {count}.")
        common = self.forked(client, cursor)
        assert common["seq"] in range(8, 11)
        assert asked(client, common["cursor"])["entries"][-1]["seq"] == 16

    def test_a_place_near_the_end_is_found_near_the_end(self):
        hashes = {seq: documents.digest(seq) for seq in range(1, 1001)}
        cursor = cursors.at(1000, hashes)
        restored = {seq: hash for seq, hash in hashes.items() if seq <= 700}
        assert cursor.common(restored) == 512
        assert cursor.common({seq: hash for seq, hash in hashes.items() if seq < 1000}) == 992


class TestCursors:
    @given(st.integers(0, 2**40), st.binary(min_size=32, max_size=32))
    def test_every_place_can_be_written_and_read(self, seq, salt):
        hashes = {place: documents.digest([place, salt.hex()]) for place in cursors.places(seq)}
        cursor = cursors.at(seq, hashes)
        assert cursors.parse(str(cursor)) == cursor
        assert cursor.stands_in(hashes, seq)
        assert cursor.common(hashes) == seq

    @given(st.text(max_size=80))
    def test_anything_else_is_refused(self, text):
        if text != str(cursors.START):
            with pytest.raises(ValueError, match="cursor"):
                cursors.parse(text)

    @pytest.mark.parametrize(
        "cursor",
        [
            "%%%",
            "c",
            "1",
            "c" + "A" * 20,
            "cAAAAAAAAAAAAAAAAAAAA=",
            "x" * 600,
            "cursor\x00",
            "c" + base64.urlsafe_b64encode(bytes(6) + b"12345678").decode().rstrip("="),
        ],
    )
    def test_a_garbled_one_is_a_400_and_never_the_beginning(self, client, cursor):
        published()
        response = client.get(LOG, {"after": cursor})
        assert (response.status_code, response["Content-Type"]) == (400, "application/problem+json")
        assert response.json()["type"].endswith("/problems/bad-cursor")

    @pytest.mark.parametrize("limit", ["0", "501", "-1", "x", "1e2", "", "٣"])
    def test_a_limit_says_what_it_takes(self, client, limit):
        response = client.get(LOG, {"limit": limit})
        assert response.status_code == 400
        assert "1 to 500" in response.json()["detail"]

    @pytest.mark.parametrize("query", ["aftr=x", "limit=1&limit=2", "include=salt", "topic="])
    def test_what_it_does_not_take_is_a_400(self, client, query):
        assert client.get(f"{LOG}?{query}").status_code == 400


class TestReceipts:
    def key(self, **values):
        return keys.make("Agency", by=None, at=NOON, **values)

    def get(self, client, token, after=None):
        return client.get(LOG, {"after": after} if after else {}, headers={"Authorization": f"Bearer {token}"})

    def test_what_somebody_reads_on_from_they_have(self, client):
        key, token = self.key()
        a_history(5)
        page = self.get(client, token).json()
        assert not Receipt.objects.filter(key=key, fetched__gt=0).exists()
        answer = self.get(client, token, page["next"])
        assert answer["Cache-Control"].startswith("private")
        assert Receipt.objects.get(key=key).fetched == 5

    def test_a_304_counts_too(self, client):
        key, token = self.key()
        a_history(2)
        cursor = asked(client)["next"]
        tag = client.get(LOG, {"after": cursor})["ETag"]
        response = client.get(
            LOG, {"after": cursor}, headers={"Authorization": f"Bearer {token}", "If-None-Match": tag}
        )
        assert response.status_code == 304
        assert Receipt.objects.get(key=key).fetched == 2

    def test_a_partner_may_say_how_far_it_is(self, client):
        key, token = self.key()
        a_history(3)
        cursor = asked(client)["entries"][1]["cursor"]
        response = client.post(
            "/api/changes/acknowledged",
            {"cursor": cursor},
            content_type="application/json",
            headers={"Authorization": f"Bearer {token}"},
        )
        assert (response.status_code, response.json()["seq"]) == (200, 2)
        assert Receipt.objects.get(key=key).acknowledged == 2

    @pytest.mark.parametrize(
        ("body", "status"),
        [
            *((body, 400) for body in ("{}", "[]", '{"cursor": 1}', '{"cursor": "x"}', "{")),
            *((body, 400) for body in ("[" * 5_000, '{"cursor": ' * 800, '{"cursor": "\\ud800"}', '{"cursor": NaN}')),
            ("", 415),
            ("x" * 20_000, 413),
        ],
        ids=range(11),
    )
    def test_what_is_no_receipt_is_refused(self, client, body, status):
        _key, token = self.key()
        response = client.post(
            "/api/changes/acknowledged",
            body,
            content_type="application/json",
            headers={"Authorization": f"Bearer {token}"},
        )
        assert (response.status_code, response["Content-Type"]) == (status, "application/problem+json")

    def test_a_cache_that_does_not_answer_costs_time_and_nothing_else(self, client, settings):
        """Nobody is counted then, and nobody refused."""
        location = "redis://127.0.0.1:1/0"
        settings.CACHES = {"default": {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": location}}
        a_history(1)
        assert kinds(asked(client)["entries"]) == ["publish"]

    def test_only_who_follows_the_log_can_say_so(self, client):
        a_history(1)
        body = {"cursor": asked(client)["next"]}
        _key, token = self.key(follows=False)
        address, json = "/api/changes/acknowledged", "application/json"
        anonymous = client.post(address, body, content_type=json)
        assert (anonymous.status_code, anonymous["WWW-Authenticate"]) == (401, 'Bearer realm="newsdesk"')
        refused = client.post(address, body, content_type=json, headers={"Authorization": f"Bearer {token}"})
        assert refused.status_code == 403

    def test_a_fork_is_no_receipt(self, client):
        key, token = self.key()
        a_history(4)
        cursor = asked(client)["next"]
        cut(2)
        assert self.get(client, token, cursor).status_code == 409
        assert not Receipt.objects.filter(key=key, fetched__gt=0).exists()


def cut(seq):
    """Cut the log behind this entry, as an older backup would have it."""
    LogEntry.objects.filter(seq__gt=seq).delete()
    last = LogEntry.objects.filter(seq=seq).first()
    LogHead.objects.update(seq=seq, hash=last.hash if last else "0" * 64, recorded=last.recorded if last else NOON)
