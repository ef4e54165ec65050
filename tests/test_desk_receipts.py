"""Has everyone got it? Beside each correction, withdrawal, restoration and redaction: who has it and who does not."""

import datetime
import html
import re

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from events import keys, publishing
from events.desk import receipts
from events.models import LogEntry, LogHead
from tests.words import in_minutes, person, published, revise, updated

pytestmark = pytest.mark.django_db
PAGE = reverse("admin:events_receipt_changelist")
NOT_YET = "No partner follows the log yet."
ADMITTED = "We were wrong."


@pytest.fixture
def editor(client):
    client.force_login(person("Editor"))


def history(event):
    return reverse("admin:events_event_history", args=[event.pk])


def lines(client, address=PAGE):
    """What the page says of each line, in order."""
    page = client.get(address)
    assert page.status_code == 200
    rows = re.findall(r"<li[ >].*?</li>", _main(page), re.DOTALL)
    return [_text(row) for row in rows]


def words(client, address=PAGE):
    return _text(_main(client.get(address)))


def _main(page):
    text = page.content.decode()
    return text[text.index("<main") :]


def _text(marked):
    return " ".join(html.unescape(re.sub(r"<[^>]*>", " ", marked)).split()).replace(" ,", ",").replace(" .", ".")


def partner(name, seq=None):
    key, _token = keys.make(name, by=None, at=timezone.now())
    if seq:
        keys.note_fetched(key, seq, timezone.now())
    return key


def end():
    return LogHead.objects.get().seq


def corrected(headline="Two people met."):
    event = published(headline)
    updated(event, kind="correction", note=ADMITTED, body="There were three.")
    return event


def beside(client, event):
    """What the history of an entry says of receipts, in order."""
    return re.findall(r"(?:Fetched by|No partner|Not public yet)[^.]*\.", words(client, history(event)))


def queries(client, address):
    with CaptureQueriesContext(connection) as captured:
        assert client.get(address).status_code == 200
    return len(captured)


class TestPage:
    def test_it_says_who_has_what(self, client, editor):
        corrected()
        seq = end()
        partner("Has it", seq), partner("Has more", seq + 1), partner("Behind", seq - 1), partner("Never came")
        (line,) = lines(client)
        assert line.startswith("Two people met. Correction Version 2")
        assert line.endswith("Fetched by 2 of 4 partners; not yet: Behind, Never came.")

    def test_it_says_when_everyone_has_it(self, client, editor):
        corrected()
        partner("One", end())
        assert lines(client)[0].endswith("Fetched by the one partner.")
        partner("Two", end())
        assert lines(client)[0].endswith("Fetched by all 2 partners.")

    def test_what_is_acknowledged_counts(self, client, editor):
        corrected()
        keys.note_acknowledged(partner("Mirror"), end(), timezone.now())
        assert lines(client)[0].endswith("Fetched by the one partner.")

    def test_each_act_has_its_own_seq(self, client, editor):
        """The newest first; whoever stopped in between has the older ones alone."""
        event = corrected()
        partner("Stopped", end())
        publishing.withdraw(event, by=None, note="It did not happen.")
        publishing.restore(event, by=None, note="It did.")
        publishing.redact(event, 1, by=None, note="A private address.")
        told = [
            (line.split("Version")[0].split()[-1], "all" if "the one partner" in line else "") for line in lines(client)
        ]
        assert told == [("Redacted", ""), ("Restored", ""), ("Withdrawn", ""), ("Correction", "all")]

    def test_what_is_no_admission_is_not_listed(self, client, editor):
        updated(published(), body="More.")
        partner("Agency")
        assert lines(client) == []
        assert "Nothing was corrected, withdrawn, restored or redacted yet." in words(client)

    def test_without_partners_it_says_so_once(self, client, editor):
        corrected(), corrected("Three people met.")
        said = words(client)
        assert said.count(NOT_YET) == 1 and "Fetched by" not in said

    def test_revoked_and_expired_keys_do_not_count(self, client, editor):
        corrected()
        keys.revoke(partner("Revoked"), by=None, at=timezone.now())
        soon = timezone.now() + datetime.timedelta(minutes=10)
        keys.make("Ended", by=None, at=timezone.now(), expires=soon)
        with time_machine.travel(soon, tick=False):
            assert NOT_YET in words(client)

    def test_of_many_who_lack_it_some_are_named(self, client, editor):
        corrected()
        for number in range(15):
            partner(f"Partner {number:02}")
        assert lines(client)[0].endswith("Partner 10, Partner 11 and 3 others.")

    def test_name_is_no_markup(self, client, editor):
        corrected()
        partner("<img src=x onerror=alert(1)>")
        assert "<img" not in _main(client.get(PAGE))

    def test_scheduled_one_says_when_it_gets_public(self, client, editor):
        event = revise(published("Two people met."), body="There were three.")
        partner("Agency", end())
        issue = in_minutes(30, timezone.now())
        publishing.schedule(event, by=None, issue=issue, kind="correction", note=ADMITTED)
        (line,) = lines(client)
        assert "Not public yet: partners can fetch it from" in line and "Fetched by" not in line
        with time_machine.travel(issue, tick=False):
            # Public by the clock, and in the log as soon as somebody asks for it: nobody has it yet.
            (line,) = lines(client)
            assert line.endswith("Fetched by 0 of 1 partner; not yet: Agency.")
            publishing.settle()
            (line,) = lines(client)
            assert line.endswith("Fetched by 0 of 1 partner; not yet: Agency.")
            keys.note_fetched(keys.Key.objects.get(), end(), issue)
            assert lines(client)[0].endswith("Fetched by the one partner.")

    def test_it_ends_with_the_newest(self, client, editor, monkeypatch):
        monkeypatch.setattr(receipts, "NEWEST", 3)
        event = published("Two people met.")
        for number in range(4):
            updated(event, kind="correction", note=ADMITTED, body=f"There were {number}.")
        assert [line.split("Version ")[1][0] for line in lines(client)] == ["5", "4", "3"]
        assert "The newest 3." in words(client)

    def test_number_of_queries_is_constant(self, client, editor):
        corrected()
        partner("One", 1)
        few = queries(client, PAGE)
        for number in range(8):
            event = corrected(f"{number + 3} people met.")
            partner(f"Partner {number}", number)
            if number % 2:
                publishing.withdraw(event, by=None, note="They did not.")
        assert queries(client, PAGE) == few

    def test_reporters_do_not_see_what_is_not_theirs(self, client):
        client.force_login(person("Reporter"))
        assert client.get(PAGE).status_code == 403

    def test_it_only_reads(self, client, editor):
        corrected()
        partner("Agency")
        before = LogEntry.objects.count()
        assert client.post(PAGE).status_code in (200, 405)
        assert (LogEntry.objects.count(), keys.Receipt.objects.count()) == (before, 0)


class TestHistory:
    def test_it_stands_beside_the_correction(self, client, editor):
        event = corrected()
        partner("Has it", end()), partner("Behind", 1)
        assert beside(client, event) == ["Fetched by 1 of 2 partners; not yet: Behind."]

    def test_it_stands_beside_withdrawal_restoration_and_redaction(self, client, editor):
        event = corrected()
        publishing.withdraw(event, by=None, note="It did not happen.")
        publishing.restore(event, by=None, note="It did.")
        publishing.redact(event, 1, by=None, note="A private address.")
        partner("Agency", end() - 1)
        everyone, nobody = "Fetched by the one partner.", "Fetched by 0 of 1 partner; not yet: Agency."
        assert beside(client, event) == [everyone, everyone, everyone, nobody]
        assert f"Its redaction: {nobody}" in words(client, history(event))

    def test_nothing_stands_beside_other_versions(self, client, editor):
        event = published()
        updated(event, body="More.")
        partner("Agency")
        assert beside(client, event) == []

    def test_without_partners_it_says_so(self, client, editor):
        assert beside(client, corrected()) == [NOT_YET]

    def test_scheduled_one_says_so(self, client, editor):
        event = revise(published("Two people met."), body="There were three.")
        partner("Agency", end())
        publishing.schedule(event, by=None, issue=in_minutes(30, timezone.now()), kind="correction", note=ADMITTED)
        (said,) = beside(client, event)
        assert said.startswith("Not public yet: partners can fetch it from")

    def test_another_entry_has_its_own(self, client, editor):
        event = corrected()
        partner("Agency", end())
        other = corrected("Three people met.")
        assert beside(client, event) == ["Fetched by the one partner."]
        assert beside(client, other) == ["Fetched by 0 of 1 partner; not yet: Agency."]

    def test_number_of_queries_is_constant(self, client, editor):
        event = corrected()
        partner("One", 1)
        few = queries(client, history(event))
        for number in range(8):
            updated(event, kind="correction", note=ADMITTED, body=f"There were {number + 4}.")
            partner(f"Partner {number}", number)
        assert queries(client, history(event)) == few
