"""What `export_events` writes: the whole public record and nothing else, so that loading it makes the same again."""

import datetime
import gzip
import json
import lzma

import pytest
import time_machine
from django.contrib.contenttypes.models import ContentType
from django.core.cache import cache
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from events import addresses, exporting, publishing, verifying
from events.models import Address, Category, Edition, Event, LogEntry, LogHead, RelatedChoice, Topic
from tests.histories import FIRST, Loaded, emptied, exported, history, source, update, version, withdrawal, written
from tests.words import category, draft, in_minutes, published, revise, topic, topics, updated

pytestmark = pytest.mark.django_db

ORIGIN = {"name": "Wire", "url": "https://wire.example/", "licence": "CC0"}
# What differs by nature: salts are drawn anew, digests follow from them, scores from the order of reading.
OWN = {"salt", "digest", "score"}


def public_state():
    """The record as its readers can tell: editions, addresses, the log, the order of categories, what topics mean."""
    return {
        "editions": {
            (edition.event.uid, edition.number): (
                edition.event.ref,
                edition.kind,
                edition.note,
                edition.issued,
                _superseded(edition),
                edition.date,
                edition.slug,
                edition.category and edition.category.slug,
                edition.document,
            )
            for edition in Edition.objects.filter(log_entries__isnull=False).select_related("event", "category")
        },
        "addresses": set(Address.objects.filter(_held()).values_list("date", "slug", "event__uid")),
        "withdrawn": set(Event.objects.filter(withdrawn=True).values_list("uid", flat=True)),
        "order": list(LogEntry.objects.filter(kind="publish").order_by("seq").values_list("event__uid", flat=True)),
        "redactions": set(LogEntry.objects.filter(kind="redact").values_list("event__uid", "edition__number", "note")),
        "categories": list(Category.objects.values_list("name", "slug")),
        "topics": {
            (row.name, row.slug, row.canonical.name, row.uses)
            for row in Topic.objects.select_related("alias_of")
            if row.canonical.edition_links.filter(edition__log_entries__isnull=False).exists()
        },
        "choices": set(
            RelatedChoice.objects.exclude(event__editions=None)
            .exclude(other__editions=None)
            .values_list("event__uid", "other__uid", "shown")
        ),
    }


def _superseded(edition):
    """When the public saw it end; one that is scheduled ends nothing yet."""
    return edition.superseded if edition.superseded and edition.superseded <= LogHead.objects.get().recorded else None


def _held():
    """Whether an edition in the log bears the address."""
    return exporting.Exists(
        Edition.objects.filter(
            event=exporting.OuterRef("event"),
            date=exporting.OuterRef("date"),
            slug=exporting.OuterRef("slug"),
            log_entries__isnull=False,
        )
    )


def public_paths():
    """The path of every JSON page that the record can be asked for."""
    yield addresses.front("json")
    yield addresses.years("json")
    for date in Edition.objects.values_list("date", flat=True).distinct().order_by("date"):
        yield from (addresses.year(date.year, "json"), addresses.month(date.year, date.month, "json"))
        yield addresses.day(date, "json")
    for address in Address.objects.order_by("date", "slug"):
        yield addresses.event(address.date, address.slug, "json")
        for number in range(1, 6):
            yield addresses.edition(address.date, address.slug, number, "json")
    for uid in Event.objects.values_list("uid", flat=True):
        yield addresses.uid(uid)


def pages(paths):
    cache.clear()
    answers = {path: Client().get(path) for path in paths}
    return {path: (answer.status_code, answer.get("Location"), _said(answer)) for path, answer in answers.items()}


def _said(answer):
    if "json" not in answer.get("Content-Type", ""):
        return None
    return json.loads(answer.content, object_hook=lambda value: {key: value[key] for key in value.keys() - OWN})


@pytest.fixture
def trip(tmp_path):
    """Exports the record, empties the database, loads it again and exports that: the two exports."""

    def trip():
        first = exported(tmp_path / "first.jsonl")
        emptied()
        loaded = Loaded(tmp_path / "first.jsonl", strict=True)
        assert (loaded.problems, loaded.refusal) == ([], "")
        return first, exported(tmp_path / "second.jsonl")

    yield trip
    # Those of the emptied database go with it.
    ContentType.objects.clear_cache()


def a_life():
    """A record in which everything happened that can: each second another act."""
    with time_machine.travel(datetime.datetime(2026, 11, 1, 12, tzinfo=datetime.UTC)) as clock:
        for act in (_corrections, _withdrawals, _redactions, _names, _schedules, _choices):
            clock.shift(60)
            act()


def _corrections():
    event = published(
        category="Politics", story="Vote", topics=["Budget", "C++"], sources=[("A", "https://a.example/")]
    )
    updated(event, kind="correction", note="It was 2018.", headline="Parliament adopts the budget for 2018.")
    updated(event, kind="minor", headline="Parliament adopts the budget for 2018!")
    updated(event, headline="Parliament adopts it.", date=datetime.date(2017, 2, 26), topics=["C#"], origin=ORIGIN)
    published(language="de", category="Sports")
    published(body="In **full**.", origin=ORIGIN, sources=[("B", "https://b.example/"), ("C", "https://c.example/")])


def _withdrawals():
    event = published("A hoax is believed.", topics=["Hoax"])
    publishing.withdraw(event, by=None, note="It was a hoax.")
    publishing.restore(event, by=None, note="It was not.")
    updated(event, headline="A hoax was believed.")
    publishing.withdraw(published("Another hoax."), by=None, note="So was this.")


def _redactions():
    event = published("A private address is told.", topics=["Secret"])
    updated(event, headline="A private address is not told.", topics=[])
    publishing.redact(event, 1, by=None, note="By order of the court.")
    gone = published("Nothing remains of this.")
    publishing.withdraw(gone, by=None, note="It was wrong.")
    publishing.redact(gone, 1, by=None, note="And a secret.")
    # The address that was freed is another event's, which then has a numbered one of its own.
    published("A private address is told.")
    updated(published("Headline 2"), headline="Headline")
    # It has an address again whose first edition is a stub, and beside it one that looks like the next number.
    again = published("Thrice")
    updated(again, headline="Thrice 3")
    updated(again, headline="Thrice")
    publishing.redact(again, 1, by=None, note="By order of the court.")
    # The second has a numbered address although the plain one is free by now.
    first = published("The same words.")
    published("The same words.")
    updated(first, headline="Other words.")
    publishing.redact(first, 1, by=None, note="By order of the court.")


def _names():
    published("Names change.", topics=["Burma", "Peking", "covid–19", "nato", "Swaziland"], category="Wars")
    publishing.rename_topic(topic("Burma"), "Myanmar", by=None)
    publishing.rename_topic(topic("covid–19"), "COVID-19", by=None)
    publishing.rename_topic(topic("nato"), "NATO", by=None)
    publishing.merge_topics(topic("Peking"), topics("Beijing")[0], by=None)
    publishing.add_alias(topic("Swaziland"), "Eswatini", by=None)
    published("Names have changed.", topics=["Burma", "Peking", "covid-19"])
    Category.objects.filter(name="Wars").update(name="Armed conflicts")
    Category.objects.filter(name="Sports").update(position=0)
    published("War goes on.", category="Armed conflicts")


def _schedules():
    draft("Nobody knows this yet.", topics=["Draft topic"])
    event = published("Something is announced.")
    later = revise(event, headline="Something is embargoed.", topics=["Embargoed topic"])
    publishing.schedule(later, by=None, kind="update", issue=in_minutes(10**6, timezone.now()))


def _choices():
    one, other, draft_only = published("This is shown beside that."), published("That."), draft("Beside nothing.")
    publishing.choose_related(one, other, by=None, shown=True)
    publishing.choose_related(other, one, by=None, shown=False)
    publishing.choose_related(one, draft_only, by=None, shown=False)
    publishing.choose_related(draft_only, one, by=None, shown=False)


class TestRoundTrip:
    def test_loading_an_export_makes_the_same_record(self, trip):
        a_life()
        before = public_state()
        first, second = trip()
        assert public_state() == before
        assert RelatedChoice.objects.count() == 2
        assert first == second
        assert list(verifying.problems()) == []

    def test_loading_an_export_makes_the_same_pages(self, trip):
        a_life()
        with time_machine.travel(datetime.datetime(2026, 11, 1, 13, tzinfo=datetime.UTC), tick=False):
            paths = list(public_paths())
            before = pages(paths)
        trip()
        with time_machine.travel(datetime.datetime(2026, 11, 1, 13, tzinfo=datetime.UTC), tick=False):
            assert pages(paths) == before
        assert {status for status, _location, _shape in before.values()} >= {200, 302, 404, 410}

    def test_an_import_comes_back_as_it_was(self, trip, tmp_path):
        lines = [
            {"categories": ["Sports", "Politics"]},
            {"topic": "European Union", "aliases": ["EU"]},
            history(
                version(topics=["EU", "Vote"], story="Vote", sources=[source(1)], category="Politics", body="x"),
                update(topics=["EU"], note="More."),
                withdrawal("2019-01-01T00:00:00Z"),
                version("2019-01-02T00:00:00Z", "restore", update()["headline"], topics=["EU"]),
            ),
        ]
        Loaded(written(tmp_path / "given.jsonl", *lines))
        before = public_state()
        trip()
        assert public_state() == before

    def test_loading_an_export_where_it_came_from_changes_nothing(self, tmp_path):
        a_life()
        exported(tmp_path / "export.jsonl")
        seq = LogEntry.objects.count()
        loaded = Loaded(tmp_path / "export.jsonl")
        assert (loaded.problems, loaded.refusal) == ([], "")
        assert LogEntry.objects.count() == seq


class TestWhatIsWritten:
    def test_what_only_the_desk_knows_stays_out(self, tmp_path):
        a_life()
        text = "\n".join(exported(tmp_path / "export.jsonl"))
        for words in ("Nobody knows", "Draft topic", "embargoed", "Embargoed topic", "Secret", "Beside nothing"):
            assert words not in text
        assert text.count("A private address is told.") == 1

    def test_an_embargo_that_was_lifted_is_written(self, tmp_path):
        now = timezone.now()
        publishing.schedule(draft(), by=None, issue=in_minutes(2, now))
        assert exported(tmp_path / "before.jsonl") == []
        with time_machine.travel(in_minutes(3, now)):
            assert len(exported(tmp_path / "after.jsonl")) == 1

    def test_a_plain_event_is_written_in_few_words(self, tmp_path):
        Loaded(written(tmp_path / "given.jsonl", history(version())))
        (line,) = exported(tmp_path / "export.jsonl")
        uid = str(Event.objects.get().uid)
        assert json.loads(line) == {
            "ref": "wire:1",
            "uid": uid,
            "date": "2017-02-25",
            "language": "en",
            "versions": [{"published": FIRST, "kind": "publish", "headline": "Parliament adopts the budget."}],
        }

    def test_a_redacted_version_is_a_stub_with_its_reason(self, tmp_path):
        event = published()
        updated(event, headline="Another headline.")
        publishing.redact(event, 1, by=None, note="By order of the court.")
        stub = json.loads(exported(tmp_path / "export.jsonl")[0])["versions"][0]
        assert stub.keys() == {"published", "kind", "redacted", "redaction"}
        assert stub["redaction"] == "By order of the court."

    def test_it_takes_the_same_number_of_queries_whatever_the_number_of_events(self):
        published(topics=["Vote"], category="Politics")
        counts = []
        for _ in range(2):
            for number in range(5):
                updated(published(f"Headline {number}.", topics=[f"Topic {number}"]), headline=f"Later {number}.")
            with CaptureQueriesContext(connection) as queries:
                list(exporting.lines())
            counts.append(len(queries))
        assert counts[0] == counts[1]

    @pytest.mark.parametrize(("suffix", "expand"), [("xz", lzma.decompress), ("gz", gzip.decompress)])
    def test_a_file_may_be_compressed(self, tmp_path, suffix, expand):
        published()
        path = tmp_path / f"export.jsonl.{suffix}"
        call_command("export_events", str(path))
        assert json.loads(expand(path.read_bytes()))["date"] == "2017-02-25"
        assert list(tmp_path.iterdir()) == [path]

    def test_standard_output_is_the_default(self, capsys):
        published()
        call_command("export_events")
        assert json.loads(capsys.readouterr().out)["date"] == "2017-02-25"

    def test_a_file_that_cannot_be_written_is_one_line(self, tmp_path):
        with pytest.raises(CommandError, match="No such file or directory"):
            call_command("export_events", str(tmp_path / "absent" / "export.jsonl"))


def test_a_category_that_was_renamed_keeps_its_place(trip):
    published(category="Wars")
    Category.objects.filter(pk=category("Wars").pk).update(name="Armed conflicts")
    trip()
    assert list(Category.objects.values_list("name", "slug")) == [("Armed conflicts", "wars")]
    assert Edition.objects.get().document["category"] == {"name": "Wars", "slug": "wars"}
