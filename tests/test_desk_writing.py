"""Writing an entry at the desk, as the form sends it: saves, refusals that keep what was typed, two people at once."""

import datetime
import re
from urllib.parse import urlencode

import pytest
import time_machine
from django.urls import reverse
from django.utils import timezone
from reversion.models import Version

from events import drafts, publishing
from events.models import AuditEntry, Event, Presence, Topic
from tests.words import DAY, category, draft, in_minutes, person, published, revise, topic, topics

pytestmark = pytest.mark.django_db
ADD = reverse("admin:events_event_add")
HINTS = reverse("admin:events_event_hints")


@pytest.fixture
def editor(client):
    user = person("Editor")
    client.force_login(user)
    return user


def change(event):
    return reverse("admin:events_event_change", args=[event.pk])


def typed(event=None, **other):
    """What the form sends for an entry as it stands, or for a new one, with some of it typed over."""
    document = event and drafts.document(event)
    values = document and drafts.values(document)
    sources = values["sources"] if values else []
    form = {
        "headline": values["headline"] if values else "Parliament adopts the budget.",
        "body": values["body"] if values else "",
        "date": DAY,
        "language": "en",
        "category": values["category"].pk if values and values["category"] else "",
        "story": values["story"].pk if values and values["story"] else "",
        "topics": [one.pk for one in values["topics"]] if values else [],
        "source_name": [name for name, _url in sources],
        "source_url": [url for _name, url in sources],
        "lock_version": event.lock_version if event else 0,
    }
    return form | other


def count(event):
    return Version.objects.get_for_object(event).count()


class TestSaving:
    def test_it_works(self, client, editor):
        names = topics("Parliament", "Budgets")
        answer = client.post(
            ADD,
            typed(
                body="It *did*.\r\nYes.",
                category=category("Politics").pk,
                story=topic("Budgets").pk,
                topics=[one.pk for one in names],
                source_name=["Agency", "", ""],
                source_url=["https://a.example/1", "https://www.b.example/2", ""],
            ),
        )
        event = Event.objects.get()
        assert answer["Location"] == change(event)
        assert (event.author, event.stage, event.body) == (editor, "draft", "It *did*.\nYes.")
        assert {link.tag.name for link in event.topic_links.all()} == {"Parliament", "Budgets"}
        assert [(one.name, one.url) for one in event.sources.all()] == [
            ("Agency", "https://a.example/1"),
            ("b.example", "https://www.b.example/2"),
        ]
        assert count(event) == 1

    def test_pasted_sources_are_added_once(self, client, editor):
        event = draft(sources=[("A", "https://a.example/1")])
        pasted = "https://a.example/1\nThe B Times – https://b.example/2\n\nhttps://c.example/3"
        client.post(change(event), typed(event, pasted=pasted))
        assert [(one.name, one.url) for one in event.sources.all()] == [
            ("A", "https://a.example/1"),
            ("The B Times", "https://b.example/2"),
            ("c.example", "https://c.example/3"),
        ]

    def test_address_that_is_pasted_twice_is_one_source(self, client, editor):
        client.post(ADD, typed(pasted="A https://a.example/1\nB https://a.example/1"))
        assert [one.name for one in Event.objects.get().sources.all()] == ["A"]

    def test_nothing_changed_is_no_save(self, client, editor):
        sources = [("A", "https://a.example/1")]
        event = draft(topics=["a"], sources=sources, story="b", category="Politics", body="B.\n\nC.")
        answer = client.post(change(event), typed(event), follow=True)
        assert "nothing was saved" in answer.text
        assert count(event) == 1

    def test_headline_of_several_lines_becomes_one(self, client, editor):
        client.post(ADD, typed(headline="  Parliament\r\n adopts   it. "))
        assert Event.objects.get().headline == "Parliament adopts it."

    def test_goes_on_to_the_decision_that_was_asked_for(self, client, editor):
        answer = client.post(ADD, typed(then="publish"))
        assert answer["Location"] == reverse("admin:events_event_publish", args=[Event.objects.get().pk])

    def test_unknown_decision_leads_back_to_the_form(self, client, editor):
        assert client.post(ADD, typed(then="nonsense"))["Location"] == change(Event.objects.get())

    def test_live_entry_keeps_its_public_text(self, client, editor):
        event = published("Public.")
        event.refresh_from_db()
        client.post(change(event), typed(event, headline="Not yet."))
        event.refresh_from_db()
        assert (event.headline, event.stage) == ("Not yet.", "draft")
        assert event.editions.get().document["headline"] == "Public."


class TestRefusals:
    @pytest.mark.parametrize(
        ("typed_over", "words"),
        [
            ({"headline": ""}, "required"),
            ({"headline": "Bell \x07 rings."}, "control character"),
            ({"headline": "x" * 2001}, "2000"),
            ({"body": "x" * 50_001}, "50000"),
            ({"body": "x" * 1_000_000}, "50000"),
            ({"date": "2999-01-01"}, "at the latest"),
            ({"date": "yesterday"}, "valid date"),
            ({"language": "English please"}, "language tag"),
            ({"category": "999999"}, "valid choice"),
            ({"topics": ["999999"]}, "valid choice"),
            ({"topics": ["9" * 30], "story": "9" * 30, "category": "9" * 30}, "valid choice"),
            ({"topics": ["Politics"]}, "valid"),
            ({"origin_name": "Wire"}, "http"),
            ({"pasted": "no address"}, "needs an address"),
            ({"pasted": "https://a.example/\n" * 60}, "at most 50 sources"),
            ({"source_name": ["A"], "source_url": ["javascript:alert(1)"]}, "Start the URL"),
            ({"source_name": ["x" * 301], "source_url": ["https://a.example/"]}, "Shorten"),
        ],
    )
    def test_error_is_told_and_everything_typed_stays(self, client, editor, typed_over, words):
        event = draft(sources=[("A", "https://a.example/1")])
        sent = typed(event, body="What was typed.", source_name=["Kept"], source_url=["https://kept.example/"])
        answer = client.post(change(event), sent | typed_over)
        assert answer.status_code == 400
        assert words in answer.text
        for field, text in (("body", "What was typed."), ("source_name", "https://kept.example/")):
            assert field in typed_over or text in answer.text
        assert count(event) == 1

    def test_too_many_sources(self, client, editor):
        names = [f"n{number}" for number in range(51)]
        urls = [f"https://a.example/{number}" for number in range(51)]
        answer = client.post(ADD, typed(source_name=names, source_url=urls))
        assert answer.status_code == 400 and "50 sources" in answer.text and "https://a.example/50" in answer.text

    def test_entry_that_is_not_there(self, client, editor):
        assert client.get(reverse("admin:events_event_change", args=[999])).status_code == 404
        assert client.get(reverse("admin:events_event_change", args=[10**25])).status_code == 404

    @pytest.mark.parametrize("seen", ["", "x", "-1", "9" * 40, "١"])
    def test_forged_lock_version_is_a_stale_one(self, client, editor, seen):
        event = draft()
        answer = client.post(change(event), typed(event, headline="Another.", lock_version=seen))
        assert answer.status_code == 409 and count(event) == 1


class TestSourceButtons:
    """What the buttons do where no script runs."""

    @pytest.mark.parametrize(
        ("move", "names"),
        [
            ("up-2", ["A", "C", "B"]),
            ("up-0", ["A", "B", "C"]),
            ("down-0", ["B", "A", "C"]),
            ("down-2", ["A", "B", "C"]),
            ("remove-1", ["A", "C"]),
            ("remove-9", ["A", "B", "C"]),
            ("more", ["A", "B", "C"]),
            ("up-x", ["A", "B", "C"]),
            ("up-" + "9" * 5000, ["A", "B", "C"]),
            ("", ["A", "B", "C"]),
        ],
    )
    def test_rows_move_and_nothing_is_saved(self, client, editor, move, names):
        event = draft()
        sent = typed(
            event,
            headline="",
            source_name=list("ABC"),
            source_url=[f"https://{one}.example/" for one in "abc"],
            move=move,
        )
        answer = client.post(change(event), sent)
        assert [name for name in _source_names(answer) if name] == names
        assert "errorlist" not in answer.text and count(event) == 1

    def test_paste(self, client, editor):
        answer = client.post(
            ADD,
            typed(
                source_name=["A"], source_url=["https://a.example/"], pasted="B https://b.example/\nno", move="paste"
            ),
        )
        assert [name for name in _source_names(answer) if name] == ["A", "B"]
        assert ">\nno</textarea>" in answer.text


def _source_names(answer):
    return re.findall(r'name="source_name" value="([^"]*)"', answer.text)


class TestTwoAtOnce:
    def meet(self, client, event, theirs, mine):
        """Someone else saves `theirs` over the copy for which the form then sends `mine`."""
        seen = typed(event)
        revise(event, by=person("Editor", "other"), **theirs)
        return client.post(change(event), seen | mine)

    def test_different_fields_are_kept_by_one_click(self, client, editor):
        event = draft("One.", body="Body.")
        answer = self.meet(client, event, {"headline": "Theirs."}, {"body": "Mine."})
        assert answer.status_code == 409
        assert "Save both" in answer.text and "other" in answer.text
        event.refresh_from_db()
        assert (event.headline, event.body) == ("Theirs.", "Body.")
        merged = typed(event, headline="Theirs.", body="Mine.")
        assert _fields(answer) == (str(event.lock_version), "Theirs.", "Mine.")
        client.post(change(event), merged)
        event.refresh_from_db()
        assert (event.headline, event.body) == ("Theirs.", "Mine.")

    def test_same_field_shows_three_sides(self, client, editor):
        event = draft("The base.")
        answer = self.meet(client, event, {"headline": "The theirs."}, {"headline": "The mine."})
        assert answer.status_code == 409
        text = re.sub(r"<[^>]+>", "", answer.text)
        for side in ("The base.", "theirs.", "mine."):
            assert side in text
        assert 'name="conflict" value="headline"' in answer.text
        event.refresh_from_db()
        assert event.headline == "The theirs."

    @pytest.mark.parametrize(("take", "headline"), [("mine", "The mine, edited."), ("theirs", "The theirs.")])
    def test_the_editor_chooses(self, client, editor, take, headline):
        event = draft("The base.")
        self.meet(client, event, {"headline": "The theirs."}, {"headline": "The mine."})
        event.refresh_from_db()
        sent = typed(event, headline="The mine, edited.", conflict="headline", take_headline=take)
        assert client.post(change(event), sent).status_code == 302
        event.refresh_from_db()
        assert event.headline == headline

    def test_no_choice_is_asked_again_with_everything_kept(self, client, editor):
        event = draft("The base.")
        self.meet(client, event, {"headline": "The theirs."}, {"headline": "The mine."})
        event.refresh_from_db()
        answer = client.post(change(event), typed(event, headline="The mine.", body="Typed.", conflict="headline"))
        assert answer.status_code == 409
        assert "Choose what to keep: Headline" in answer.text and "The mine." in answer.text and "Typed." in answer.text

    def test_different_topics_and_sources_come_together(self, client, editor):
        event = draft(topics=["a"], sources=[("A", "https://a.example/")])
        theirs = {"topics": ["a", "b"], "sources": [("A", "https://a.example/"), ("B", "https://b.example/")]}
        mine = {
            "topics": [topic("a").pk, topic("c").pk],
            "source_name": ["A", "C"],
            "source_url": ["https://a.example/", "https://c.example/"],
        }
        answer = self.meet(client, event, theirs, mine)
        assert {name for name in _source_names(answer) if name} == {"A", "B", "C"}
        chosen = set(re.findall(r'<option value="(\d+)" selected', answer.text))
        assert {str(topic(name).pk) for name in "abc"} <= chosen

    def test_third_person_in_between_is_met_again(self, client, editor):
        event = draft("One.", body="Body.")
        self.meet(client, event, {"headline": "Theirs."}, {"body": "Mine."})
        event.refresh_from_db()
        merged = typed(event, body="Mine.")
        revise(event, language="fr")
        answer = client.post(change(event), merged)
        assert answer.status_code == 409 and "Mine." in answer.text

    def test_decision_in_between_changed_no_word_so_the_save_is_newer(self, client, editor):
        event = draft("One.")
        seen = typed(event, headline="Two.")
        publishing.publish(event, by=None)
        answer = client.post(change(event), seen, follow=True)
        assert "decided about this entry" in answer.text
        event.refresh_from_db()
        assert (event.headline, event.stage, event.editions.get().document["headline"]) == ("Two.", "draft", "One.")

    def test_lost_history_is_met_with_both_sides(self, client, editor):
        event = draft("The base.")
        seen = typed(event, headline="The mine.")
        revise(event, headline="The theirs.")
        Version.objects.all().delete()
        answer = client.post(change(event), seen)
        assert answer.status_code == 409 and "No longer known" in answer.text
        assert "theirs" in answer.text and "The mine." in answer.text

    def test_refusal_is_in_the_audit(self, client, editor):
        event = draft("One.")
        self.meet(client, event, {"headline": "Theirs."}, {"body": "Mine."})
        entry = AuditEntry.objects.get(verb="edit")
        assert (entry.outcome, entry.by, entry.event) == ("refused", editor, event)
        assert "Theirs" not in entry.detail and "Mine" not in entry.detail


def _fields(answer):
    lock = re.search(r'name="lock_version" value="(\d+)"', answer.text)[1]
    texts = re.findall(r"<textarea[^>]*>\s*([^<]*)</textarea>", answer.text)
    return lock, texts[0], texts[1]


class TestMeetingAgain:
    """What is chosen on the page where two meet is not lost by whatever else is wrong with it."""

    @pytest.fixture
    def sent(self, client, editor):
        """What the page on which two meet sends, and the entry."""
        event = draft("The base.")
        seen = typed(event)
        revise(event, headline="The theirs.")
        client.post(change(event), seen | {"headline": "The mine."})
        event.refresh_from_db()
        conflict = {"base": seen["lock_version"], "conflict": "headline", "take_headline": "theirs"}
        return event, typed(event, headline="The mine.") | conflict

    @pytest.mark.parametrize("wrong", [{"date": "never"}, {"move": "more"}, {"take_headline": ""}])
    def test_refused_page_still_asks_and_knows_the_choice(self, client, sent, wrong):
        event, values = sent
        answer = client.post(change(event), values | wrong)
        assert 'name="conflict" value="headline"' in answer.text
        assert ('value="theirs" checked' in answer.text) == ("take_headline" not in wrong)
        assert "base." in answer.text and "theirs." in answer.text and "The mine." in answer.text
        base = re.search(r'name="base" value="(\d+)"', answer.text)[1]
        answer = client.post(change(event), values | {"base": base})
        event.refresh_from_db()
        assert answer.status_code == 302 and event.headline == "The theirs."

    def test_choice_holds_when_a_third_person_saves(self, client, sent):
        event, values = sent
        revise(event, body="Third.")
        answer = client.post(change(event), values)
        assert answer.status_code == 409
        assert _fields(answer)[1:] == ("The theirs.", "Third.")


class TestOneFormOneEntry:
    def form_id(self, client):
        return re.search(r'name="form_id" value="([^"]+)"', client.get(ADD).text)[1]

    def test_form_that_comes_twice_makes_one_entry(self, client, editor):
        sent = typed(form_id=self.form_id(client))
        first, second = client.post(ADD, sent), client.post(ADD, sent)
        event = Event.objects.get()
        assert first["Location"] == second["Location"] and first["Location"].startswith(change(event))
        assert count(event) == 1

    def test_text_that_was_typed_between_the_two_is_saved(self, client, editor):
        sent = typed(form_id=self.form_id(client))
        client.post(ADD, sent)
        client.post(ADD, sent | {"headline": "Typed on."})
        assert Event.objects.get().headline == "Typed on."

    def test_another_s_save_between_the_two_is_met(self, client, editor):
        sent = typed(form_id=self.form_id(client))
        client.post(ADD, sent)
        revise(Event.objects.get(), headline="Theirs.")
        assert client.post(ADD, sent | {"headline": "Mine."}).status_code == 409
        assert Event.objects.get().headline == "Theirs."

    def test_id_is_none_that_somebody_made_up(self, client, editor):
        other = draft("Another's.")
        client.post(ADD, typed(form_id=f"{other.uid}:forged"))
        assert Event.objects.count() == 2

    def test_browser_is_told_what_was_saved(self, client, editor):
        form_id = self.form_id(client)
        assert urlencode({"saved": form_id}) in client.post(ADD, typed(form_id=form_id))["Location"]
        refused = client.post(ADD, typed(form_id=form_id, headline=""))
        assert f'name="form_id" value="{form_id}"' in refused.text


class TestKept:
    """An entry that can no longer be saved by whoever had it open."""

    def test_deleted_meanwhile(self, client, editor):
        event = draft("One.")
        sent = typed(event, body="Typed body.", source_name=["Typed name"], source_url=["https://typed.example/"])
        drafts.delete(event, by=None)
        answer = client.post(change(event), sent)
        assert answer.status_code == 404
        for text in ("One.", "Typed body.", "Typed name", "https://typed.example/"):
            assert text in answer.text

    def test_submitted_meanwhile(self, client):
        reporter = person("Reporter")
        event = drafts.save(Event(), by=reporter, headline="One.", date=DAY)
        sent = typed(event, body="Typed body.")
        drafts.submit(event, by=None)
        client.force_login(reporter)
        answer = client.post(change(event), sent)
        assert answer.status_code == 403 and "Typed body." in answer.text
        event.refresh_from_db()
        assert event.body == ""


class TestHints:
    def test_it_works(self, client, editor):
        sent = {"headline": "François wins — again!", "body": "*Yes*\n\n<script>", "date": DAY}
        hints = client.post(HINTS, sent).json()
        assert hints["slug"] == "francois-wins-again"
        assert "<em>Yes</em>" in hints["body"] and "<script>" not in hints["body"]
        assert hints["alike"] == hints["cited"] == []

    def test_entry_of_the_same_day_says_nearly_the_same(self, client, editor):
        other = draft("Parliament adopts the budget for 2018.")
        draft("A train is late.")
        draft("Parliament adopts the budget for 2018.", date=DAY - datetime.timedelta(days=1))
        hints = client.post(HINTS, {"headline": "The parliament adopts a budget for 2018", "date": DAY}).json()
        assert [one["url"] for one in hints["alike"]] == [change(other)]

    def test_entry_itself_is_not_like_itself(self, client, editor):
        event = draft("Parliament adopts the budget.", sources=[("A", "https://a.example/1")])
        sent = {"headline": event.headline, "date": DAY, "pk": event.pk, "source_url": ["https://a.example/1"]}
        hints = client.post(HINTS, sent).json()
        assert hints["alike"] == hints["cited"] == []

    def test_source_is_cited_elsewhere(self, client, editor):
        long = "https://a.example/" + "x" * 300
        other = draft("Another.", sources=[("A", long)])
        draft("A third.", sources=[("A", long + "y")])
        hints = client.post(HINTS, {"source_url": [long]}).json()
        assert [(one["url"], one["source"]) for one in hints["cited"]] == [(change(other), long)]

    def test_reporter_learns_nothing_of_drafts_by_others(self, client):
        client.force_login(person("Reporter"))
        draft("Parliament adopts the budget.", sources=[("A", "https://a.example/1")])
        public = published("Parliament adopts its budget.")
        revise(public, headline="Parliament adopts the secret budget.")
        sent = {"headline": "Parliament adopts the budget", "date": DAY, "source_url": ["https://a.example/1"]}
        hints = client.post(HINTS, sent).json()
        assert [one["headline"] for one in hints["alike"]] == ["Parliament adopts its budget."]
        assert hints["cited"] == []

    @pytest.mark.parametrize("sent", [{}, {"date": "x", "pk": "x"}, {"pk": "9" * 30, "headline": "\x07"}])
    def test_nonsense_gives_no_hints(self, client, editor, sent):
        assert client.post(HINTS, sent).status_code == 200


class TestPresence:
    NOON = datetime.datetime(2026, 11, 22, 12, tzinfo=datetime.UTC)

    def say(self, client, event):
        sent = {"lock_version": event.lock_version}
        return client.post(reverse("admin:events_event_presence", args=[event.pk]), sent).json()

    def test_others_are_named_until_they_are_gone(self, client, editor):
        event = draft()
        with time_machine.travel(self.NOON, tick=False) as clock:
            Presence.objects.create(event=event, user=person("Editor", "ann"), seen=timezone.now())
            assert self.say(client, event) == {"others": ["ann"], "changed": False}
            clock.shift(44)
            assert self.say(client, event)["others"] == ["ann"]
            clock.shift(1)
            assert self.say(client, event)["others"] == []

    def test_change_by_another_is_told(self, client, editor):
        event = draft()
        revise(event, headline="Another.")
        assert self.say(client, event)["changed"] is True

    def test_opening_the_form_is_no_act(self, client, editor):
        event = draft()
        client.get(change(event))
        assert not Presence.objects.exists()


class TestPage:
    def test_buttons_are_those_that_make_sense(self, client, editor):
        event = draft()
        page = client.get(change(event)).text
        for verb, is_there in (("submit", 1), ("publish", 1), ("schedule", 1), ("send-back", 0)):
            assert (f'name="then" value="{verb}"' in page) == bool(is_there)
        assert "/delete/" in page and "/withdraw/" not in page and "/unschedule/" not in page

    def test_scheduled_entry_says_so_in_both_zones(self, client, editor, settings):
        event = revise(published("Live."), headline="Next.")
        publishing.schedule(event, by=None, kind="update", issue=in_minutes(90, timezone.now()))
        page = client.get(change(event)).text
        assert "becomes public" in page and "UTC" in page
        assert "/unschedule/" in page and "/correct-now/" in page
        assert 'value="publish"' not in page

    def test_author_sees_what_has_to_change(self, client):
        reporter = person("Reporter")
        event = drafts.save(Event(), by=reporter, headline="One.", date=DAY)
        drafts.submit(event, by=reporter)
        client.force_login(reporter)
        assert "with the editors" in client.get(change(event)).text
        drafts.send_back(event, by=None, comment="Who <says> so?")
        page = client.get(change(event)).text
        assert "Who &lt;says&gt; so?" in page and 'name="headline"' in page

    def test_hostile_text_is_text(self, client, editor):
        evil = "</textarea><script>alert(1)</script>"
        event = draft(f"Title {evil}", body=evil, sources=[(f'" onfocus="alert(1) {evil}', "https://a.example/")])
        page = client.get(change(event)).text
        assert "<script>alert" not in page and 'onfocus="alert' not in page

    def test_topic_is_never_invented_by_the_form(self, client, editor):
        client.post(ADD, typed(topics=["A new topic"], story="A new topic"))
        assert not Topic.objects.exists() and not Event.objects.exists()
