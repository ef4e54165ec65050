"""Preview links: what they show, to whom, and everything that ends them."""

import datetime

import pytest
import time_machine
from django.core.exceptions import PermissionDenied
from django.urls import reverse
from django.utils import timezone
from reversion.models import Revision

from events import drafts, history, previews, publishing
from events.models import Event, Preview
from events.refusals import BadMoment, WrongState
from tests.histories import Loaded, update, version, written
from tests.histories import history as imported
from tests.words import DAY, draft, in_minutes, person, published, revise

pytestmark = pytest.mark.django_db
NOON = datetime.datetime(2026, 11, 22, 12, 0, 20, tzinfo=datetime.UTC)


@pytest.fixture(autouse=True)
def clock():
    with time_machine.travel(NOON, tick=False) as traveller:
        yield traveller


@pytest.fixture
def editor():
    return person("Editor")


@pytest.fixture
def own():
    """A draft by a reporter."""
    return drafts.save(Event(), by=person("Reporter"), headline="New.", date=DAY)


def link(event, by, hours=2):
    return reverse("preview", args=[previews.token(previews.make(event, by=by, hours=hours))])


class TestLink:
    def test_it_works(self, client, editor):
        path = link(draft("Embargoed & new.", body="*Until* noon.", sources=[("A", "https://a.example/")]), editor)
        answer = client.get(path)
        assert answer.status_code == 200
        assert "Embargoed &amp; new." in answer.text and "<em>Until</em>" in answer.text and "a.example" in answer.text
        assert answer["Cache-Control"] == "no-store"
        assert "noindex" in answer["X-Robots-Tag"] and '<meta name="robots" content="noindex">' in answer.text
        assert answer["Referrer-Policy"] == "no-referrer"
        assert not answer.cookies

    def test_shows_the_save_that_it_was_made_for(self, client, editor):
        event = draft("As it was.")
        path = link(event, editor)
        revise(event, headline="As it is.")
        assert "As it was." in client.get(path).text
        assert "As it is." in client.get(link(event, editor)).text

    def test_shows_what_is_scheduled_until_its_hour(self, client, clock, editor):
        event = draft("Embargoed.")
        hour = in_minutes(5, NOON)
        publishing.schedule(event, by=None, issue=hour)
        path = link(event, editor)
        clock.move_to(hour - datetime.timedelta(seconds=1))
        assert client.get(path).status_code == 200
        clock.move_to(hour)
        assert client.get(path).status_code == 404

    def test_expires(self, client, clock, editor):
        path = link(draft(), editor, hours=2)
        clock.move_to(NOON + datetime.timedelta(hours=2, seconds=-1))
        assert client.get(path).status_code == 200
        clock.move_to(NOON + datetime.timedelta(hours=2))
        assert client.get(path).status_code == 404

    def test_dies_when_published(self, client, editor):
        event = draft()
        path = link(event, editor)
        publishing.publish(event, by=None)
        assert client.get(path).status_code == 404

    def test_dies_when_withdrawn_and_stays_dead_when_restored(self, client, editor):
        event = revise(published("Public."), headline="Changed.")
        path = link(event, editor)
        assert "Changed." in client.get(path).text
        publishing.withdraw(event, by=None, note="It did not happen.")
        assert client.get(path).status_code == 404
        publishing.restore(event, by=None)
        assert client.get(path).status_code == 404

    def test_dies_when_revoked(self, client, editor):
        event = draft()
        path = link(event, editor)
        previews.revoke(event.previews.get(), by=editor)
        assert client.get(path).status_code == 404

    def test_dies_with_the_text_that_is_redacted(self, client, editor):
        event = published("A private address.", body="A street.")
        revise(event, headline="No address.", body="No street.")
        publishing.publish(event, by=None, kind="update")
        history.take_back(event, "v1", ["headline"], by=None)
        event.refresh_from_db()
        path = link(event, editor)
        assert "A private address." in client.get(path).text
        publishing.redact(event, 1, by=None, note="Private.")
        assert client.get(path).status_code == 404

    @pytest.mark.parametrize(
        "spoil",
        [lambda token: token[:-1] + ("B" if token[-1] == "A" else "A"), lambda token: "x" + token, lambda token: "no"],
    )
    def test_forged_one_opens_nothing_and_tells_nothing(self, client, spoil, editor):
        path = link(draft(), editor)
        token = path.split("/")[-2]
        forged = client.get(path.replace(token, spoil(token)))
        assert forged.status_code == 404
        previews.revoke(previews.shown(token, timezone.now()), by=editor)
        assert client.get(path).content == forged.content


class TestMaking:
    @pytest.mark.parametrize("hours", [0, -1, 14 * 24 + 1])
    def test_two_weeks_at_most(self, hours, editor):
        with pytest.raises(BadMoment):
            previews.make(draft(), by=editor, hours=hours)

    def test_withdrawn_entry_has_none(self, editor):
        event = published()
        publishing.withdraw(event, by=None, note="It did not happen.")
        event.refresh_from_db()
        with pytest.raises(WrongState):
            previews.make(event, by=editor, hours=1)

    def test_asks_for_the_permission_on_that_entry(self):
        with pytest.raises(PermissionDenied):
            previews.make(draft(), by=person("Reporter"), hours=1)

    def test_what_counts_is_the_entry_as_it_stands(self, own):
        as_it_was = Event.objects.get(pk=own.pk)
        drafts.submit(own, by=own.author)
        with pytest.raises(PermissionDenied):
            previews.make(as_it_was, by=own.author, hours=1)
        assert not own.previews.exists()

    def test_save_that_a_redaction_removed_is_made_good(self, client, editor):
        event = published("A private address.", body="A street.")
        revise(event, headline="No address.", body="No street.")
        publishing.publish(event, by=None, kind="update")
        history.take_back(event, "v1", ["headline"], by=None)
        publishing.redact(event, 1, by=None, note="Private.")
        answer = client.get(link(event, editor))
        assert "A private address." in answer.text and "No street." in answer.text
        again = event.previews.get().save_shown, previews.make(event, by=editor, hours=1).save_shown
        assert again[0] == again[1]

    def test_version_that_an_import_added_is_not_what_the_desk_says(self, client, editor, tmp_path):
        Loaded(written(tmp_path / "one.jsonl", imported(version())))
        event = revise(Event.objects.get(), body="As the desk has it.")
        Loaded(written(tmp_path / "two.jsonl", imported(version(), update(body="As the wire has it."))))
        answer = client.get(link(event, editor))
        assert "As the desk has it." in answer.text and "As the wire has it." not in answer.text

    def test_pruned_history_is_no_hindrance(self, client, editor):
        event = draft("As it is.", sources=[("A", "https://a.example/")])
        Revision.objects.all().delete()
        answer = client.get(link(event, editor))
        assert "As it is." in answer.text and "a.example" in answer.text


class TestRevoking:
    def test_one_s_own_link_after_submitting(self, own):
        made = previews.make(own, by=own.author, hours=1)
        drafts.submit(own, by=own.author)
        previews.revoke(Preview.objects.get(), by=own.author)
        assert previews.shown(previews.token(made), timezone.now()) is None

    def test_link_of_another_asks_for_the_permission(self, own, editor):
        made = previews.make(own, by=editor, hours=1)
        drafts.submit(own, by=own.author)
        with pytest.raises(PermissionDenied):
            previews.revoke(made, by=own.author)
        assert previews.shown(previews.token(made), timezone.now())


class TestDesk:
    def test_full_preview_is_of_the_working_copy(self, client, editor):
        event = revise(published("Public."), headline="Not yet public.", body="*New*")
        client.force_login(editor)
        answer = client.get(reverse("admin:events_event_preview", args=[event.pk]))
        assert "Not yet public." in answer.text and "<em>New</em>" in answer.text
        assert "no-store" in answer["Cache-Control"] and "noindex" in answer["X-Robots-Tag"]

    def test_links_are_made_listed_and_revoked(self, client, editor):
        event = draft("Embargoed.")
        client.force_login(editor)
        address = reverse("admin:events_event_links", args=[event.pk])
        assert client.post(address, {"hours": "8"}).status_code == 302
        made = event.previews.get()
        assert previews.token(made) in client.get(address).text
        assert client.post(address, {"revoke": made.pk}).status_code == 302
        assert previews.token(made) not in client.get(address).text

    def test_link_of_another_entry_is_not_revoked_here(self, client, editor):
        made = previews.make(draft("One."), by=editor, hours=1)
        client.force_login(editor)
        address = reverse("admin:events_event_links", args=[draft("Two.").pk])
        assert client.post(address, {"revoke": made.pk}).status_code == 404
        assert previews.shown(previews.token(made), timezone.now())

    def test_nonsense_is_refused_in_words(self, client, editor):
        client.force_login(editor)
        address = reverse("admin:events_event_links", args=[draft().pk])
        for hours in ("", "many", "99999", "999999999999"):
            answer = client.post(address, {"hours": hours})
            assert answer.status_code == 400 and "14 days" in answer.text
