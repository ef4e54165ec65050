"""The desk's front page: what each role finds there, where lists begin and end, and that it stays as cheap as it is."""

import datetime

import pytest
import time_machine
from django.contrib.auth.models import Permission
from django.db import connection
from django.test import override_settings
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from lxml import html

from events import drafts, publishing
from events.desk import tags, waiting
from events.models import Event, Topic
from tests.words import DAY, draft, in_minutes, person, published, revise, updated

pytestmark = pytest.mark.django_db

NOON = datetime.datetime(2026, 11, 22, 12, 0, 20, tzinfo=datetime.UTC)
WHOLE = {"sources": [("Reuters", "https://reuters.example/1")], "topics": ["Politics"], "category": "Politics"}


def written(by, headline="The bridge opens.", **values):
    return revise(Event(), by=by, headline=headline, **{"date": DAY, **values})


def front(client, user):
    client.force_login(user)
    response = client.get("/desk/")
    assert response.status_code == 200
    return html.fromstring(response.content.decode())


def section(page, name):
    return page.get_element_by_id(name)


def headlines(page, name):
    return [text(link) for link in section(page, name).find_class("headline")]


def count(page, name):
    return int(text(section(page, name).find_class("chip")[0]))


def text(element):
    return " ".join(element.text_content().split())


def queries(client):
    with CaptureQueriesContext(connection) as captured:
        assert client.get("/desk/").status_code == 200
    return len(captured)


class TestWhoComes:
    @pytest.mark.parametrize("role", ["Reporter", "Editor", "Chief"])
    def test_every_role_has_it(self, client, role):
        page = front(client, person(role))
        assert text(section(page, "drafts").find_class("empty")[0]) == "Nothing waits. Write a new entry (N)."
        assert page.xpath("//*[@data-key='n']/@href") == [reverse("admin:events_event_add")]
        assert page.xpath("//form[@role='search']/input[@name='q']/@data-key") == ["/"]

    def test_nobody_is_sent_to_the_login(self, client):
        response = client.get("/desk/")
        assert response.status_code == 302
        assert response["Location"].startswith(reverse("admin:login"))

    def test_staff_without_a_role_reach_nothing(self, client):
        draft("The secret plan.")
        client.force_login(person())
        response = client.get("/desk/")
        assert response.status_code == 403
        assert "secret" not in response.content.decode()

    def test_who_only_manages_people_sees_no_entry(self, client):
        draft("The secret plan.")
        user = person()
        user.user_permissions.add(Permission.objects.get(codename="view_user"))
        page = front(client, user)
        assert "secret" not in text(page)
        assert not page.findall(".//section")
        assert not page.xpath("//form[@role='search']")

    @pytest.mark.parametrize(
        ("role", "there", "absent"),
        [
            (
                "Reporter",
                ["second_factor", "password_change", "events_event_deleted"],
                ["events_topic_duplicates", "auth_user_changelist"],
            ),
            ("Editor", ["events_topic_duplicates", "events_event_deleted"], ["events_auditentry_changelist"]),
            ("Chief", ["auth_user_changelist", "events_auditentry_changelist", "events_category_changelist"], []),
        ],
    )
    def test_it_leads_where_one_may_go(self, client, role, there, absent):
        links = set(front(client, person(role)).xpath("//nav[@class='panel']//a/@href"))
        assert {reverse(f"admin:{name}") for name in there} <= links
        assert not {reverse(f"admin:{name}") for name in absent} & links


class TestLists:
    def test_what_waits_comes_before_what_does_not(self, client):
        draft("Bare.")
        names = [each.get("id") for each in front(client, person("Editor")).findall(".//section")]
        assert names[:2] == ["care", "sent_back"]
        assert names[2:] == ["review", "drafts", "scheduled", "changed", "corrections", "withdrawn"]

    def test_drafts_are_ones_own_and_the_last_saved_comes_first(self, client):
        editor = person("Editor")
        written(editor, "First.")
        written(editor, "Second.")
        draft("Somebody else's.")
        drafts.submit(written(editor, "Submitted."), by=editor)
        assert headlines(front(client, editor), "drafts") == ["Second.", "First."]

    def test_a_draft_of_a_live_entry_stands_among_the_changed_ones(self, client):
        editor = person("Editor")
        event = written(editor)
        publishing.publish(event, by=None)
        assert headlines(front(client, editor), "changed") == []
        revise(event, headline="The bridge opens again.")
        page = front(client, editor)
        assert headlines(page, "changed") == ["The bridge opens again."]
        assert text(section(page, "changed").find_class("badge-live")[0]) == "live, changed"
        assert headlines(page, "drafts") == []

    def test_an_editor_finds_what_is_to_review_the_longest_waiting_first(self, client):
        rita = person("Reporter")
        for headline in ("First.", "Second."):
            drafts.submit(written(rita, headline), by=rita)
        page = front(client, person("Editor"))
        assert headlines(page, "review") == ["First.", "Second."]
        assert text(section(page, "review").findall(".//h2")[0]) == "To review 2"
        assert "reporter, saved" in text(section(page, "review"))

    def test_what_was_sent_back_shows_the_remark_until_it_is_submitted_again(self, client):
        rita, edda = person("Reporter"), person("Editor")
        event = drafts.submit(written(rita), by=rita)
        event = drafts.send_back(event, by=edda, comment="Name the <engineer>.")
        page = front(client, rita)
        assert headlines(page, "sent_back") == ["The bridge opens."]
        assert text(section(page, "sent_back").find_class("note")[0]) == "Name the <engineer>."
        assert headlines(front(client, edda), "sent_back") == []
        drafts.submit(event, by=rita)
        assert headlines(front(client, rita), "sent_back") == []

    def test_a_reporter_sees_own_entries_only(self, client):
        rita = person("Reporter")
        others, own = [], []
        for author, into in ((person("Reporter", "quentin"), others), (rita, own)):
            into.append(written(author, f"Draft of {author}."))
            into.append(drafts.submit(written(author, f"Submission of {author}."), by=author))
            into.append(written(author, f"Changed of {author}."))
            publishing.publish(into[-1], by=None)
            revise(into[-1], body="More.")
            into.append(written(author, f"Withdrawn of {author}."))
            publishing.publish(into[-1], by=None)
            publishing.withdraw(into[-1], by=None, note=f"Wrong of {author}.")
            into.append(written(author, f"Scheduled of {author}."))
            publishing.schedule(into[-1], by=None, issue=in_minutes(9, timezone.now()))
        page = front(client, rita)
        assert "quentin" not in text(page)
        names = ("drafts", "review", "changed", "withdrawn", "corrections", "scheduled", "care", "sent_back")
        assert [count(page, name) for name in names] == [1, 1, 1, 1, 1, 1, 3, 0]
        assert text(section(page, "review").findall(".//h2")[0]) == "With the editors 1"
        page = front(client, person("Editor"))
        assert [count(page, name) for name in names] == [0, 2, 2, 2, 2, 2, 6, 0]

    def test_ten_are_shown_with_the_whole_count_and_the_way_to_all(self, client):
        editor = person("Editor")
        for number in range(12):
            written(editor, f"Draft {number}.")
        page = front(client, editor)
        assert len(headlines(page, "drafts")) == 10
        assert count(page, "drafts") == 12
        link = section(page, "drafts").xpath("p/a")[0]
        assert text(link) == "All 12"
        assert link.get("href") == "/desk/events/event/?stage=draft&state=unpublished&author=me"

    def test_the_list_of_entries_has_as_many_as_the_count_says(self, client):
        rita, edda = person("Reporter"), person("Editor")
        for number in range(11):
            written(edda, f"Draft {number}.", **WHOLE)
            drafts.submit(written(rita, f"Submission {number}."), by=rita)
            changed = published(f"Live {number}.", **WHOLE)
            revise(changed, body="More.")
            published(f"Done {number}.")
            publishing.withdraw(published(f"Gone {number}."), by=None, note="Wrong.")
            publishing.schedule(draft(f"Soon {number}."), by=None, issue=in_minutes(9, timezone.now()))
            back = drafts.submit(written(edda, f"Back {number}.", **WHOLE), by=edda)
            drafts.send_back(back, by=person("Editor", f"other{number}"), comment="More.")
        page = front(client, edda)
        for name in ("drafts", "review", "changed", "withdrawn", "scheduled", "care", "sent_back"):
            shown = client.get(section(page, name).xpath("p/a/@href")[0])
            assert shown.status_code == 200
            rows = html.fromstring(shown.content.decode()).xpath("//table//tbody/tr")
            assert count(page, name) == len(rows), name

    def test_entries_in_hand_that_lack_something_need_care(self, client):
        draft("Whole.", **WHOLE)
        draft("Bare.")
        draft("No source.", **{**WHOLE, "sources": []})
        revise(published("No topic.", **{**WHOLE, "topics": []}), body="More.")
        draft("No category.", **{**WHOLE, "category": None})
        published("Done and bare.")
        page = front(client, person("Editor"))
        assert headlines(page, "care") == ["No category.", "No topic.", "No source.", "Bare."]
        said = [text(row.find_class("muted")[0]).split(".")[0] for row in section(page, "care").findall(".//li")]
        assert said == ["No category", "No topic", "No source", "No source, no topic, no category"]

    def test_what_is_withdrawn_gives_its_reason_until_it_is_restored(self, client):
        editor = person("Editor")
        event = published()
        publishing.withdraw(event, by=None, note="It did not happen.")
        page = front(client, editor)
        assert headlines(page, "withdrawn") == ["Parliament adopts the budget."]
        assert text(section(page, "withdrawn").find_class("note")[0]) == "It did not happen."
        publishing.restore(event, by=None, note="It did.")
        page = front(client, editor)
        assert headlines(page, "withdrawn") == []
        acts = [text(row.find_class("muted")[0]).split()[0] for row in section(page, "corrections").findall(".//li")]
        assert sorted(acts) == ["Restored", "Withdrawn"]

    def test_markup_in_a_headline_is_text(self, client):
        editor = person("Editor")
        written(editor, "<img src=x onerror=alert(1)> happens.")
        page = front(client, editor)
        assert headlines(page, "drafts") == ["<img src=x onerror=alert(1)> happens."]
        assert not page.findall(".//img")


class TestWeek:
    def test_what_was_withdrawn_stays_for_thirty_days(self, client):
        editor = person("Editor")
        with time_machine.travel(NOON, tick=False):
            publishing.withdraw(published(), by=None, note="It did not happen.")
        month = datetime.timedelta(days=30)
        with time_machine.travel(NOON + month, tick=False):
            page = front(client, editor)
            assert headlines(page, "withdrawn") == ["Parliament adopts the budget."]
            (link,) = section(page, "withdrawn").xpath("p/a")
            assert (text(link), link.get("href")) == ("All that are withdrawn", "/desk/events/event/?state=withdrawn")
        with time_machine.travel(NOON + month + datetime.timedelta(seconds=1), tick=False):
            assert headlines(front(client, editor), "withdrawn") == []

    def test_corrections_stay_for_seven_days(self, client):
        editor = person("Editor")
        with time_machine.travel(NOON, tick=False):
            event = published()
            updated(event, kind="correction", note="It was the other budget.", body="Other.")
            updated(event, kind="update", body="More.")
        week = datetime.timedelta(days=7)
        with time_machine.travel(NOON + week, tick=False):
            page = front(client, editor)
            assert headlines(page, "corrections") == ["Parliament adopts the budget."]
            row = section(page, "corrections").findall(".//li")[0]
            assert text(row.find_class("muted")[0]) == "Correction 22 Nov 2026, 12:00"
            assert text(row.find_class("note")[0]) == "It was the other budget."
        with time_machine.travel(NOON + week + datetime.timedelta(seconds=1), tick=False):
            assert headlines(front(client, editor), "corrections") == []

    def test_a_scheduled_correction_is_none_before_its_minute(self, client):
        editor = person("Editor")
        with time_machine.travel(NOON, tick=False) as clock:
            event = revise(published(), body="Other.")
            issue = in_minutes(5, timezone.now())
            publishing.schedule(event, by=None, issue=issue, kind="correction", note="Other.")
            clock.move_to(issue - datetime.timedelta(seconds=1))
            page = front(client, editor)
            assert (count(page, "scheduled"), count(page, "corrections")) == (1, 0)
            clock.move_to(issue)
            page = front(client, editor)
            assert (count(page, "scheduled"), count(page, "corrections")) == (0, 1)


class TestSchedule:
    def test_what_is_scheduled_counts_down_to_its_minute(self, client):
        editor = person("Editor")
        with time_machine.travel(NOON, tick=False) as clock:
            publishing.schedule(draft("Later."), by=None, issue=in_minutes(200, NOON))
            publishing.schedule(draft("Sooner."), by=None, issue=in_minutes(125, NOON))
            page = front(client, editor)
            assert headlines(page, "scheduled") == ["Sooner.", "Later."]
            time = section(page, "scheduled").findall(".//time")[0]
            assert time.get("datetime") == "2026-11-22T14:05:00Z"
            assert text(time) == "in 2 h 5 min"
            clock.move_to(datetime.datetime(2026, 11, 22, 14, 4, 59, tzinfo=datetime.UTC))
            page = front(client, editor)
            assert text(section(page, "scheduled").findall(".//time")[0]) == "in 1 s"
            clock.shift(1)
            page = front(client, editor)
            assert headlines(page, "scheduled") == ["Later."]

    def test_it_says_the_time_here_and_in_utc(self, client):
        editor = person("Editor")
        with time_machine.travel(NOON, tick=False):
            publishing.schedule(draft(), by=None, issue=in_minutes(5, NOON))
            with override_settings(TIME_ZONE="Asia/Tokyo"):
                page = front(client, editor)
        assert "22 Nov 2026, 21:05 Asia/Tokyo (22 Nov 2026, 12:05 UTC)" in text(section(page, "scheduled"))


class TestLookAlikes:
    def test_a_new_topic_that_looks_like_another_is_shown_to_who_may_merge(self, client):
        Topic.objects.named(["Protest", "Politics", "Protests", "Café"])
        page = front(client, person("Editor"))
        assert text(section(page, "alike").findall(".//li")[0]) == "Protests looks like Protest"
        assert section(page, "alike").xpath("p/a/@href") == [reverse("admin:events_topic_duplicates")]
        assert not front(client, person("Reporter")).xpath("//*[@id='alike']")

    def test_aliases_are_settled(self, client):
        old, new = Topic.objects.named(["Protest", "Protests"]).values()
        publishing.merge_topics(old, new, by=None)
        assert not front(client, person("Editor")).xpath("//*[@id='alike']")

    def test_only_the_newest_topics_are_looked_at(self):
        Topic.objects.named(["Protest", "Protests"])
        assert [topic.name for topic, _others in waiting.look_alikes()] == ["Protests"]
        Topic.objects.named([f"Topic {number}" for number in range(waiting.NEWEST_TOPICS)])
        assert waiting.look_alikes() == []


def several(of, author, other):
    """`of` entries in each list."""
    for number in range(of):
        written(author, f"Draft {of} {number}.")
        drafts.submit(written(other, f"Submission {of} {number}."), by=other)
        back = drafts.submit(written(author, f"Back {of} {number}."), by=author)
        drafts.send_back(back, by=None, comment="More.")
        event = published(f"Live {of} {number}.")
        updated(event, kind="correction", note="Wrong.", body="Right.")
        revise(event, body="More.")
        publishing.withdraw(published(f"Gone {of} {number}."), by=None, note="Wrong.")
        publishing.schedule(draft(f"Soon {of} {number}."), by=None, issue=in_minutes(9, timezone.now()))
    Topic.objects.named([f"Topic {of} {'i' * number}{ending}" for number in range(of) for ending in ("", "s")])


def walks(sql, params):
    """The tables that the database reads from end to end for this, where it would have an index for less."""
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            # So few rows are read faster without an index; what is asked is whether there is one.
            cursor.execute("SET LOCAL enable_seqscan = off")
            cursor.execute(f"EXPLAIN {sql}", params)
            return {row[0] for row in cursor.fetchall() if "Seq Scan on events_" in row[0]}
        # With parameters as they are asked: written into the SQL they would let SQLite use other indexes.
        cursor.execute(f"EXPLAIN QUERY PLAN {sql}", params)
        return {row[3] for row in cursor.fetchall() if row[3].startswith("SCAN ")} - BOUNDED


# The withdrawn ones, and the newest topics up to a limit.
BOUNDED = {"SCAN events_event USING INDEX event_withdrawn", "SCAN events_topic", "SCAN CONSTANT ROW"}


class TestCost:
    @pytest.mark.parametrize("role", ["Reporter", "Editor", "Chief"])
    def test_as_many_queries_with_many_rows_as_with_few(self, client, role):
        user, other = person(role), person("Reporter", "other")
        client.force_login(user)
        client.get("/desk/")
        several(3, user, other)
        few = queries(client)
        several(30, user, other)
        assert queries(client) == few <= 25

    @pytest.mark.parametrize("role", ["Reporter", "Editor"])
    def test_no_list_walks_over_all_entries(self, client, role):
        user = person(role)
        done = [Event(headline=f"Done {number}.", date=DAY, stage="ready") for number in range(3000)]
        Event.objects.bulk_create(done)
        several(3, user, user)
        client.force_login(user)
        asked = []

        def note(execute, sql, params, many, context):
            asked.append((sql, params))
            return execute(sql, params, many, context)

        with connection.execute_wrapper(note):
            assert client.get("/desk/").status_code == 200
        for sql, params in asked:
            assert not walks(sql, params), sql


class TestStanding:
    def test_each_stage_has_its_words(self):
        words = {}
        with time_machine.travel(NOON, tick=False):
            drafted = draft("Draft.")
            review = drafts.submit(draft("Review."), by=None)
            ready = draft("Ready.")
            Event.objects.filter(pk=ready.pk).update(stage="ready")
            scheduled = draft("Scheduled.")
            publishing.schedule(scheduled, by=None, issue=in_minutes(5, NOON))
            live = published("Live.")
            changed = revise(published("Changed."), body="More.")
            both = revise(published("Both."), body="More.")
            publishing.schedule(both, by=None, kind="update", issue=in_minutes(5, NOON))
            gone = published("Gone.")
            publishing.withdraw(gone, by=None, note="Wrong.")
            for event in waiting.with_last(Event.objects.all()):
                words[event.pk] = (*tags.standing(event), event.live)
        assert words == {
            drafted.pk: ("draft", "draft", False),
            review.pk: ("review", "in review", False),
            ready.pk: ("ready", "ready", False),
            scheduled.pk: ("scheduled", "scheduled", False),
            live.pk: ("live", "live", True),
            changed.pk: ("live", "live, changed", True),
            both.pk: ("scheduled", "live, next scheduled", True),
            gone.pk: ("withdrawn", "withdrawn", False),
        }

    def test_it_changes_by_the_clock(self):
        with time_machine.travel(NOON, tick=False) as clock:
            event = draft()
            edition = publishing.schedule(event, by=None, issue=in_minutes(5, NOON))
            clock.move_to(edition.issued - datetime.timedelta(seconds=1))
            event = waiting.with_last(Event.objects.all()).get()
            assert (tags.standing(event), event.live) == (("scheduled", "scheduled"), False)
            clock.move_to(edition.issued)
            event = waiting.with_last(Event.objects.all()).get()
            assert (tags.standing(event), event.live) == (("live", "live"), True)

    def test_an_entry_with_its_last_edition_will_do(self):
        event = Event.objects.get(pk=published().pk)
        event.last = event.editions.get()
        assert tags.status(event) == '<span class="badge badge-live">live</span>'
        event = draft()
        event.last = None
        assert tags.status(event) == '<span class="badge badge-draft">draft</span>'


class TestTimes:
    @pytest.mark.parametrize(
        ("seconds", "words"),
        [
            (-1, "now"),
            (0, "now"),
            (1, "in 1 s"),
            (59, "in 59 s"),
            (60, "in 1 min"),
            (61, "in 2 min"),
            (3600, "in 1 h"),
            (7480, "in 2 h 5 min"),
            (2 * 86400 + 60, "in 2 d 1 min"),
        ],
    )
    def test_how_long_it_takes_is_said_in_words(self, seconds, words):
        assert tags.until(NOON + datetime.timedelta(seconds=seconds), NOON) == words

    def test_a_moment_is_of_the_sites_zone_and_points_at_utc(self):
        with override_settings(TIME_ZONE="Europe/Paris"):
            assert tags.moment(NOON) == (
                '<time datetime="2026-11-22T12:00:20Z" title="22 Nov 2026, 12:00 UTC">22 Nov 2026, 13:00</time>'
            )
            assert tags.in_both_zones(NOON) == "22 Nov 2026, 13:00 Europe/Paris (22 Nov 2026, 12:00 UTC)"
        assert tags.in_both_zones(NOON) == "22 Nov 2026, 12:00 UTC"
        assert tags.moment(None) == ""
