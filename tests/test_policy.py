"""How the newsroom corrects, in its own words: what readers are told, and the page where chiefs write it."""

import datetime

import pytest
import time_machine
from django.core.cache import cache
from django.core.exceptions import PermissionDenied, ValidationError
from django.urls import reverse
from lxml import html

from events import addresses, markup, publishing, texts
from events.formats import corrected
from events.models import AuditEntry, CorrectionsPolicy, LogEntry, LogHead
from events.refusals import NothingChanged, Overtaken
from tests.words import person

pytestmark = pytest.mark.django_db

NOON = datetime.datetime(2018, 2, 6, 12, 0, tzinfo=datetime.UTC)
DESK = reverse("admin:events_correctionspolicy_changelist")
FIRST, SECOND = "We correct *at once*.", "We correct within the hour."


@pytest.fixture(autouse=True)
def empty_cache():
    cache.clear()


@pytest.fixture
def chief(client):
    user = person("Chief", "carl")
    client.force_login(user)
    return user


def write(body, seen=None, by=None):
    return publishing.set_policy(body, by=by, seen=seen)


def shown(client):
    return client.get(addresses.policy("json")).json()


def tree(client, path, status=200):
    response = client.get(path)
    assert response.status_code == status
    return html.fromstring(response.content.decode())


def text(element):
    return " ".join(element.text_content().split())


class TestReaders:
    @pytest.mark.parametrize("format", addresses.FORMATS)
    def test_there_is_a_text_before_the_desk_wrote_one(self, client, format):
        response = client.get(addresses.policy(format))
        assert response.status_code == 200
        assert "Nothing goes without a notice" in response.content.decode()
        shape = shown(client)
        assert (shape["body"], shape["issued"], shape["former"]) == (corrected.OWN_WORDS, None, [])

    def test_the_text_that_comes_along_is_whole_markdown(self, client):
        tree = html.fromstring(markup.to_html(corrected.OWN_WORDS))
        assert len(list(tree.iter("li"))) == len(list(tree.iter("strong"))) == 5

    def test_the_desks_own_shows_since_when_with_those_before_it_folded(self, client):
        with time_machine.travel(NOON, tick=False):
            first = write(FIRST)
        with time_machine.travel(NOON + datetime.timedelta(days=1), tick=False):
            write(SECOND, seen=first.pk)
        shape = shown(client)
        assert (shape["body"], shape["issued"]) == (SECOND, "2018-02-07T12:00:00Z")
        assert shape["body_html"] == "<p>We correct within the hour.</p>"
        first, ours = shape["former"]
        assert first == {"body_html": "<p>We correct <em>at once</em>.</p>", "issued": "2018-02-06T12:00:00Z"}
        assert (ours["issued"], ours["body_html"]) == (None, markup.to_html(corrected.OWN_WORDS))
        page = tree(client, addresses.policy())
        assert [text(folded.find("summary"))[:11] for folded in page.iterfind(".//main//details")] == [
            "Since 6 Feb",
            "To begin wi",
        ]
        assert [text(heading) for heading in page.iter("h1")] == ["How we correct"]

    def test_a_new_text_is_seen_at_once_though_the_page_is_kept(self, client):
        with time_machine.travel(NOON, tick=False):
            shown(client)
            write(FIRST)
            assert shown(client)["body"] == FIRST

    def test_a_kept_page_costs_one_query(self, client, django_assert_num_queries):
        write(FIRST)
        with django_assert_num_queries(2):
            client.get(addresses.policy())
        with django_assert_num_queries(1):
            client.get(addresses.policy())

    def test_html_in_it_shows_as_text(self, client):
        write("<script>alert(1)</script>")
        assert b"<script>alert" not in client.get(addresses.policy()).content

    def test_the_list_of_corrections_leads_to_it(self, client):
        listed = client.get(addresses.corrections("json")).json()["policy"]["url"]
        assert listed == addresses.absolute(addresses.policy()) == shown(client)["url"]


class TestVerb:
    def test_it_holds_from_the_moment_at_which_it_is_there_whatever_the_clock_of_who_reads(self, client):
        with time_machine.travel("2026-11-22T12:00:00Z", tick=False) as clock:
            publishing.set_policy("We correct at once.", by=None, seen=None)
            clock.shift(-1)
            assert client.get(addresses.policy("json")).json()["body"] == "We correct at once."

    def test_it_is_no_entry_of_the_log_but_every_page_may_have_changed(self):
        chief = person("Chief", "carl")
        policy = write(FIRST, by=chief)
        assert (policy.body, policy.by) == (FIRST, chief)
        assert LogHead.objects.get().changed == 1
        assert not LogEntry.objects.exists()

    def test_a_text_that_another_chief_wrote_meanwhile_is_not_overwritten(self):
        first = write(FIRST)
        for seen in (None, first.pk + 1):
            with pytest.raises(Overtaken, match="Compare the two"):
                write(SECOND, seen=seen)
        assert CorrectionsPolicy.objects.get() == first
        assert LogHead.objects.get().changed == 1

    def test_the_same_text_again_is_refused(self):
        first = write(FIRST)
        with pytest.raises(NothingChanged):
            write(FIRST, seen=first.pk)
        assert CorrectionsPolicy.objects.count() == 1

    def test_the_text_that_comes_along_can_be_made_ones_own(self, client):
        write(corrected.OWN_WORDS)
        assert shown(client)["issued"]

    @pytest.mark.parametrize("body", ["", " \n", "a\x00b", "a" * (texts.MAX_BODY + 1)])
    def test_a_bad_text_is_refused(self, body):
        with pytest.raises(ValidationError):
            write(body)
        assert not CorrectionsPolicy.objects.exists()

    @pytest.mark.parametrize("role", ["", "Reporter", "Editor"])
    def test_only_chiefs_may(self, role):
        with pytest.raises(PermissionDenied):
            write(FIRST, by=person(role))
        assert not CorrectionsPolicy.objects.exists()


class TestDesk:
    def test_it_starts_with_the_text_that_readers_see(self, client, chief):
        page = tree(client, DESK)
        assert page.find(".//textarea").text.strip() == corrected.OWN_WORDS.strip()
        assert "Nothing goes without a notice" in text(page.find_class("panel")[-1])
        write(FIRST, by=chief)
        page = tree(client, DESK)
        assert page.find(".//textarea").text.strip() == FIRST
        assert page.find_class("panel")[-1].find(".//em").text == "at once"

    def test_saving_it_is_noted_and_seen(self, client, chief):
        response = client.post(DESK, {"body": "One line.\r\nAnother.", "seen": ""})
        assert response["Location"] == DESK
        policy = CorrectionsPolicy.objects.get()
        assert (policy.body, policy.by) == ("One line.\nAnother.", chief)
        audited = AuditEntry.objects.get(verb="change policy")
        assert (audited.outcome, audited.by, audited.detail) == ("done", chief, "")
        assert "Readers see this text now." in client.get(DESK).text

    def test_of_two_chiefs_the_second_sees_both_texts_and_loses_none(self, client, chief):
        write(FIRST, by=person("Chief", "clara"))
        response = client.post(DESK, {"body": SECOND, "seen": ""})
        assert response.status_code == 409
        page = html.fromstring(response.text)
        assert page.find(".//textarea").text.strip() == SECOND
        assert "We correct at once." in text(page.find_class("panel")[-1])
        assert "meanwhile" in response.text or "in the meantime" in response.text
        assert AuditEntry.objects.get(verb="change policy").outcome == "refused"
        seen = page.find(".//input[@name='seen']").get("value")
        assert client.post(DESK, {"body": SECOND, "seen": seen}).status_code == 302
        assert [policy.body for policy in CorrectionsPolicy.objects.all()] == [SECOND, FIRST]

    def test_an_unchanged_text_is_refused_kindly(self, client, chief):
        first = write(FIRST)
        response = client.post(DESK, {"body": FIRST, "seen": first.pk})
        assert response.status_code == 400
        assert "This is the text that stands already." in response.text

    @pytest.mark.parametrize(
        ("body", "problem"),
        [
            ("", "required"),
            ("a\x01b", "U+0001"),
            ("a" * (texts.MAX_BODY + 1), "Shorten"),
        ],
    )
    def test_a_bad_text_is_refused_and_kept(self, client, chief, body, problem):
        response = client.post(DESK, {"body": body, "seen": ""})
        assert response.status_code == 400
        assert problem in response.text
        assert not CorrectionsPolicy.objects.exists()
        assert (html.fromstring(response.text).find(".//textarea").text or "").strip() == body

    @pytest.mark.parametrize("seen", ["x", "-1", "9" * 30])
    def test_a_forged_row_fits_no_text(self, client, chief, seen):
        assert client.post(DESK, {"body": FIRST, "seen": seen}).status_code in (400, 409)
        assert not CorrectionsPolicy.objects.exists()

    def test_chiefs_find_it_from_the_front_of_the_desk_and_others_do_not(self, client, chief):
        assert DESK in client.get(reverse("admin:index")).text
        client.force_login(person("Editor"))
        assert DESK not in client.get(reverse("admin:index")).text
        assert client.get(DESK).status_code == 403
