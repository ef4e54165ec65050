"""The audit as chiefs read it: what is in it, what it can be narrowed to, what it costs, and what leaves it as CSV."""

import csv
import datetime
import io

import pytest
import time_machine
from django.db import connection
from django.test import Client, override_settings
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from lxml import html

from events import drafts
from events.desk import auditing
from events.models import AuditEntry
from tests.words import draft, person

pytestmark = pytest.mark.django_db

NOON = datetime.datetime(2026, 11, 22, 12, 0, 20, tzinfo=datetime.UTC)
LIST = "/desk/events/auditentry/"
EXPORT = "/desk/events/auditentry/export/"


@pytest.fixture
def chief(client):
    """The client, logged in as a chief; the audit is empty."""
    client.force_login(person("Chief", name="carl"))
    AuditEntry.objects.all().delete()
    return client


def noted(verb="publish", name="rita", outcome="done", at=NOON, **values):
    return AuditEntry.objects.create(verb=verb, name=name, outcome=outcome, at=at, **values)


def page(client, status=200, **asked):
    response = client.get(LIST, asked)
    assert response.status_code == status
    return html.fromstring(response.content.decode())


def rows(tree):
    return [[" ".join(cell.text_content().split()) for cell in row] for row in tree.xpath("//table/tbody/tr")]


def details(client, **asked):
    return [row[-1] for row in rows(page(client, **asked))]


def exported(client, **asked):
    response = client.post(f"{EXPORT}?{'&'.join(f'{name}={value}' for name, value in asked.items())}")
    assert response.status_code == 200
    text = response.getvalue().decode("utf-8")
    assert text[0] == "\ufeff"
    return list(csv.reader(io.StringIO(text[1:], newline="")))


class TestList:
    def test_it_says_who_did_what_the_latest_first(self, chief):
        noted("submit", detail="First.")
        noted("publish", "edda", "refused", subject="12", detail="You may not publish here.", ip="192.0.2.7")
        assert rows(page(chief)) == [
            ["22 Nov 2026, 12:00", "edda 192.0.2.7", "publish", "refused", "12", "You may not publish here."],
            ["22 Nov 2026, 12:00", "rita", "submit", "done", "–", "First."],
        ]

    def test_times_are_those_of_the_site(self, chief):
        noted()
        with override_settings(TIME_ZONE="Asia/Tokyo"):
            assert rows(page(chief))[0][0] == "22 Nov 2026, 21:00"

    def test_an_entry_is_led_to_while_there_is_one(self, chief):
        event = draft("The bridge opens.")
        noted(event=event, subject=str(event.uid))
        link = page(chief).xpath("//td[@data-label='Of what']/a")[0]
        assert link.text == "The bridge opens."
        assert link.get("href") == reverse("admin:events_event_change", args=[event.pk])
        drafts.delete(event, by=None)
        tree = page(chief)
        assert rows(tree)[0][4] == str(event.uid)
        assert not tree.xpath("//td[@data-label='Of what']/a")

    def test_what_was_typed_is_text(self, chief):
        noted("log in", "<b>nobody</b>", "refused", detail="<img src=x onerror=alert(1)>")
        tree = page(chief)
        assert rows(tree)[0][1] == "<b>nobody</b>"
        assert not tree.xpath("//td//img | //td//b")

    def test_logins_and_refusals_are_in_it(self, client):
        password = "a good long password"
        person("Chief", name="carl", password=password)
        Client().post(reverse("admin:login"), {"username": "carl", "password": "wrong"})
        client.post(reverse("admin:login"), {"username": "carl", "password": password})
        found = rows(page(client))
        assert [(row[1].split()[0], row[2], row[3]) for row in found] == [
            ("carl", "log in", "done"),
            ("carl", "log in", "refused"),
        ]

    def test_an_empty_one_says_what_to_do(self, chief):
        assert page(chief).find_class("empty")[0].text == "Nothing fits. Ask for less, or for other days."


class TestPages:
    def test_a_page_has_a_hundred_and_leads_on(self, chief):
        for number in range(201):
            noted(detail=str(number))
        first = page(chief)
        assert [row[-1] for row in rows(first)] == [str(number) for number in range(200, 100, -1)]
        (older,) = first.xpath("//nav[@aria-label='Pages']/a")
        second = html.fromstring(chief.get(older.get("href")).content.decode())
        assert [row[-1] for row in rows(second)] == [str(number) for number in range(100, 0, -1)]
        newest, older = second.xpath("//nav[@aria-label='Pages']/a")
        assert newest.get("href") == LIST
        third = html.fromstring(chief.get(older.get("href")).content.decode())
        assert [row[-1] for row in rows(third)] == ["0"]
        assert [link.text for link in third.xpath("//nav[@aria-label='Pages']/a")] == ["Newest"]

    def test_what_is_asked_for_goes_along(self, chief):
        for number in range(101):
            noted(detail=f"kept {number}")
            noted(detail="other", outcome="refused")
        (older,) = page(chief, q="kept", outcome="done").xpath("//nav[@aria-label='Pages']/a/@href")
        assert [row[-1] for row in rows(html.fromstring(chief.get(older).content.decode()))] == ["kept 0"]

    def test_no_page_counts_or_asks_more_the_more_there_is(self, chief):
        def queries():
            with CaptureQueriesContext(connection) as captured:
                page(chief)
            assert not [query for query in captured if "COUNT(" in query["sql"]]
            return len(captured)

        for number in range(3):
            noted(event=draft(f"Draft {number}."))
        few = queries()
        for number in range(120):
            noted(event=draft(f"Another {number}."))
        assert queries() == few <= 10


class TestFilters:
    @pytest.fixture(autouse=True)
    def entries(self, chief):
        self.event = draft("The bridge opens.")
        noted("submit", "rita", detail="1", event=self.event, subject=str(self.event.uid))
        noted("publish", "edda", "refused", detail="2 Café", at=NOON + datetime.timedelta(days=1))
        noted("merge topics", "Edda", detail="3", subject="Protest", at=NOON + datetime.timedelta(days=2))

    @pytest.mark.parametrize(
        ("asked", "found"),
        [
            ({"person": "edda"}, ["3", "2 Café"]),
            ({"verb": "publish"}, ["2 Café"]),
            ({"outcome": "done"}, ["3", "1"]),
            ({"q": "café"}, ["2 Café"]),
            ({"q": "protest"}, ["3"]),
            ({"from": "2026-11-23"}, ["3", "2 Café"]),
            ({"to": "2026-11-23"}, ["2 Café", "1"]),
            ({"from": "2026-11-23", "to": "2026-11-23"}, ["2 Café"]),
            ({"person": "edda", "outcome": "done"}, ["3"]),
            ({"person": "nobody"}, []),
            ({"verb": "never heard of"}, []),
        ],
    )
    def test_each_narrows(self, chief, asked, found):
        assert details(chief, **asked) == found

    def test_an_entry_is_found_by_its_uid_after_it_was_deleted(self, chief):
        assert details(chief, entry=str(self.event.uid)) == ["1"]
        drafts.delete(self.event, by=None)
        assert details(chief, entry=str(self.event.uid)) == ["1"]

    def test_days_are_those_of_the_site(self, chief):
        AuditEntry.objects.all().delete()
        for hour, detail in ((14, "yesterday"), (15, "midnight")):
            noted(detail=detail, at=NOON.replace(hour=hour, minute=0, second=0))
        with override_settings(TIME_ZONE="Asia/Tokyo"):
            assert details(chief, **{"from": "2026-11-23"}) == ["midnight"]
            assert details(chief, to="2026-11-22") == ["yesterday"]

    @pytest.mark.parametrize(
        "asked",
        [
            {"from": "yesterday"},
            {"to": "9999-12-31"},
            {"from": "0001-01-01"},
            {"entry": "12"},
            {"outcome": "maybe"},
            {"q": "x" * 101},
            {"before": "x"},
            {"before": str(2**63)},
        ],
    )
    def test_what_makes_no_sense_is_told_and_nothing_shown(self, chief, asked):
        tree = page(chief, status=400, **asked)
        assert rows(tree) == []
        assert tree.find_class("errornote")

    def test_the_verbs_offered_are_those_that_happen(self, chief):
        noted("switch off second factor")
        offered = page(chief).xpath("//select[@name='verb']/option/@value")
        assert {"publish", "switch off second factor"} <= set(offered)


class TestReadOnly:
    @pytest.mark.parametrize("method", ["get", "post"])
    @pytest.mark.parametrize("path", ["add/", "{}/change/", "{}/delete/", "{}/history/", "{}/", "anything"])
    def test_nothing_is_added_changed_or_deleted(self, chief, method, path):
        entry = noted()
        response = getattr(chief, method)(LIST + path.format(entry.pk))
        assert response.status_code == 403
        assert AuditEntry.objects.filter(outcome="done").get() == entry

    def test_the_list_takes_no_action(self, chief):
        entry = noted()
        chief.post(LIST, {"action": "delete_selected", "_selected_action": [entry.pk], "post": "yes"})
        assert AuditEntry.objects.get() == entry

    @pytest.mark.parametrize("role", ["", "Reporter", "Editor"])
    @pytest.mark.parametrize("method", ["get", "post"])
    @pytest.mark.parametrize("path", [LIST, EXPORT, f"{LIST}add/", f"{LIST}1/change/"])
    def test_only_chiefs_come_here(self, client, role, method, path):
        noted(detail="secret")
        client.force_login(person(role))
        before = AuditEntry.objects.count()
        response = getattr(client, method)(path)
        assert response.status_code == 403
        assert b"secret" not in response.content
        # That somebody tried is noted, and nothing else.
        noted_since = AuditEntry.objects.filter(outcome="refused").count()
        assert noted_since == (method == "post") and AuditEntry.objects.count() == before + noted_since

    @pytest.mark.parametrize("path", [LIST, EXPORT, f"{LIST}add/"])
    def test_nobody_is_sent_to_the_login(self, client, path):
        response = client.get(path)
        assert response.status_code == 302
        assert response["Location"].startswith(reverse("admin:login"))


class TestExport:
    def test_it_has_every_row_that_fits_with_times_in_utc(self, chief):
        event = draft("The bridge opens.")
        for number in range(120):
            noted(detail=f"{number}.", event=event, subject=str(event.uid))
        noted("log in", "rüdiger", "refused", detail="Wrong.", ip="192.0.2.7")
        with override_settings(TIME_ZONE="Asia/Tokyo"):
            header, *lines = exported(chief)
            assert len(exported(chief, outcome="refused")) == 2
        assert header == ["time (UTC)", "person", "verb", "outcome", "subject", "detail", "address"]
        assert lines[0] == ["2026-11-22T12:00:20Z", "rüdiger", "log in", "refused", "", "Wrong.", "192.0.2.7"]
        assert len(lines) == 121
        assert lines[-1] == ["2026-11-22T12:00:20Z", "rita", "publish", "done", str(event.uid), "0.", ""]

    def test_it_holds_no_text_of_an_entry(self, chief):
        noted(event=draft("The bridge opens."))
        assert "bridge" not in str(exported(chief))

    def test_it_is_a_file_that_nothing_keeps(self, chief):
        with time_machine.travel(NOON, tick=False):
            response = chief.post(EXPORT)
        assert response["Content-Type"] == "text/csv; charset=utf-8"
        assert response["Content-Disposition"] == 'attachment; filename="audit-2026-11-22.csv"'
        assert "no-store" in response["Cache-Control"]

    def test_it_is_noted_with_what_was_asked_for(self, chief):
        noted()
        exported(chief, person="rita", outcome="done")
        entry = AuditEntry.objects.first()
        assert (entry.verb, entry.name, entry.outcome) == ("export audit", "carl", "done")
        assert entry.detail == "person=rita&outcome=done"

    def test_reading_its_address_leads_to_the_list_and_notes_nothing(self, chief):
        response = chief.get(EXPORT, {"person": "rita"})
        assert (response.status_code, response["Location"]) == (302, f"{LIST}?person=rita")
        assert not AuditEntry.objects.exists()

    def test_what_makes_no_sense_is_not_exported(self, chief):
        response = chief.post(f"{EXPORT}?from=yesterday")
        assert (response.status_code, response["Location"]) == (302, f"{LIST}?from=yesterday")
        assert not AuditEntry.objects.exists()

    def test_another_site_cannot_ask_for_it(self, chief):
        careful = Client(enforce_csrf_checks=True)
        careful.cookies = chief.cookies
        assert careful.post(EXPORT).status_code == 403

    def test_the_lists_button_exports_what_the_list_shows(self, chief):
        noted(detail="kept")
        noted(detail="other")
        (address,) = page(chief, q="kept").xpath("//form[@method='post']/@action[contains(., 'export')]")
        response = chief.post(address)
        assert "kept" in (text := response.getvalue().decode())
        assert "other" not in text


class TestFormulas:
    @pytest.mark.parametrize(
        ("typed", "written"),
        [
            ('=HYPERLINK("https://evil.example/","Look")', '\'=HYPERLINK("https://evil.example/","Look")'),
            ("@SUM(1+1)*cmd|' /C calc'!A0", "'@SUM(1+1)*cmd|' /C calc'!A0"),
            ("-2+3", "'-2+3"),
            ("+2+3", "'+2+3"),
            ("\t=1+1", "'\t=1+1"),
            ("\tplain", "'\tplain"),
            ("\rplain", "'\rplain"),
            ("  \tplain", "'  \tplain"),
            ("   =1+1", "'   =1+1"),
            ("\n=1+1", "'\n=1+1"),
            ("\u00a0\ufeff\u200b=1+1", "'\u00a0\ufeff\u200b=1+1"),
            ("＝1+1", "'＝1+1"),
            ("＋1", "'＋1"),
            ("－1", "'－1"),
            ("＠SUM", "'＠SUM"),
            ("First.\n=1+1", "First.\n'=1+1"),
            ("nobody;=1+1", "nobody;'=1+1"),
            ("nobody\t@SUM", "nobody\t'@SUM"),
            ('Two lines,\n“quoted” and "straight".', 'Two lines,\n“quoted” and "straight".'),
            ("1-2 and a=b", "1-2 and a=b"),
            ("", ""),
        ],
    )
    def test_no_cell_is_one(self, chief, typed, written):
        noted(name=typed[:150], subject=typed, detail=typed)
        line = exported(chief)[1]
        assert [line[1], *line[4:6]] == [written] * 3

    def test_many_empty_lines_take_no_time(self):
        assert auditing.inert("\n" * 200_000) == "\n" * 200_000
        assert auditing.inert("\n" * 200_000 + "=1")[:2] == "'\n"

    def test_a_login_that_failed_brings_none_along(self, chief):
        Client().post(reverse("admin:login"), {"username": "=cmd|' /C calc'!A0", "password": "x"})
        assert exported(chief)[1][1] == "'=cmd|' /C calc'!A0"
