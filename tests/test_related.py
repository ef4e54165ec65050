import datetime
import math
import uuid

import pytest
import time_machine

from events import publishing, related
from events.models import Edition, Event, RelatedChoice
from tests.words import DAY, category, in_minutes, published, revise, topic, updated

pytestmark = pytest.mark.django_db

NOON = datetime.datetime(2026, 11, 22, 12, 0, 20, tzinfo=datetime.UTC)


@pytest.fixture(autouse=True)
def clock():
    with time_machine.travel(NOON, tick=False) as clock:
        yield clock


def days(number):
    return DAY + datetime.timedelta(days=number)


def now():
    return datetime.datetime.now(datetime.UTC)


def edition_of(event):
    return event.editions.order_by("number").last()


def entries(event, at=None):
    return related.choose(edition_of(event), at or now())


def headlines(event, at=None):
    return [entry["headline"] for entry in entries(event, at)]


def only(event):
    """The one entry related to the event."""
    (entry,) = entries(event)
    return entry


def best(event):
    return max(entries(event), key=lambda entry: entry["score"])["headline"]


def used(name, times):
    """Let a topic have so many uses, as if they stood elsewhere in the record."""
    row = topic(name)
    row.uses = times
    row.save(update_fields=["uses"])


def test_an_entry_that_shares_topics_is_related():
    event = published("The dam is opened.", topics=["River", "Dam", "Minister"])
    other = published("The dam is inspected.", topics=["dam", "River", "Turbine"], date=days(-3))
    published("A concert is given.", topics=["Music"])

    entry = only(event)

    assert entry == {
        "headline": "The dam is inspected.",
        "language": "en",
        "date": days(-3),
        "slug": "the-dam-is-inspected",
        "uid": other.uid,
        "context": ["Dam", "River"],
        "score": entry["score"],
        "parts": entry["parts"],
    }
    assert isinstance(entry["date"], datetime.date)
    assert isinstance(entry["uid"], uuid.UUID)


def test_an_entry_without_topics_has_none():
    event = published("The dam is opened.")
    published("The dam is inspected.")

    assert entries(event) == []


def test_an_edition_without_text_has_none():
    event = published("The dam is opened.", topics=["Dam"])
    published("The dam is inspected.", topics=["Dam"])
    withdrawal = publishing.withdraw(event, by=None, note="Not ours.")

    assert related.choose(withdrawal, now()) == []


def test_the_parts_multiply_to_the_score():
    event = published("The dam is opened.", topics=["Dam", "River"], category="Works")
    published("The dam is inspected.", topics=["Dam", "River", "Turbine", "Lake"], category="Works", date=days(5))
    used("Dam", 100)
    used("River", 1000)

    entry = only(event)

    assert entry["parts"] == {
        "rarity": round(math.log(1000) + math.log(100), related.DIGITS),
        "nearness": round(1 / math.log(7), related.DIGITS),
        "category": 2,
        "focus": 0.5,
    }
    assert entry["score"] == round(math.prod(entry["parts"].values()), related.DIGITS)


def test_a_rare_topic_counts_more_than_a_common_one():
    event = published("The dam is opened.", topics=["Country", "Dam"])
    published("About the country.", topics=["Country"])
    published("About the dam.", topics=["Dam"])
    used("Country", 3_000)

    assert best(event) == "About the dam."


def test_a_topic_beyond_all_bounds_still_counts():
    event = published("The dam is opened.", topics=["Country"])
    published("About the country.", topics=["Country"])
    used("Country", 1_000_000)

    assert only(event)["score"] > 0


def test_a_near_entry_counts_more_than_a_far_one():
    event = published("The dam is opened.", topics=["Dam"])
    published("Long before.", topics=["Dam"], date=days(-300))
    published("A little later.", topics=["Dam"], date=days(2))

    assert best(event) == "A little later."


def test_the_same_category_counts():
    event = published("The dam is opened.", topics=["Dam"], category="Works")
    published("Among sports.", topics=["Dam"], category="Sports")
    published("Among works.", topics=["Dam"], category="Works")
    published("Among nothing.", topics=["Dam"])

    assert best(event) == "Among works."


def test_having_no_category_is_nothing_in_common():
    event = published("The dam is opened.", topics=["Dam"])
    published("The dam is inspected.", topics=["Dam"])

    assert only(event)["parts"]["category"] == 1


def test_thirty_topics_do_not_win():
    event = published("The dam is opened.", topics=["Dam", "River", "Lake"])
    published("A list of everything.", topics=["Dam", "River", *(f"Thing {number}" for number in range(28))])
    published("The dam is inspected.", topics=["Dam"])

    assert best(event) == "The dam is inspected."


def test_of_many_topics_the_rarest_lead_to_entries():
    names = [f"Thing {number}" for number in range(30)]
    event = published("A list of everything.", topics=[*names, "Dam"])
    published("The dam is inspected.", topics=["Dam", "Thing 5"])
    for name in names:
        used(name, 500)

    assert only(event)["context"] == ["Dam", "Thing 5"]


def test_five_are_chosen_by_score_and_told_newest_first():
    event = published("The dam is opened.", topics=["Dam"])
    for number in (-1, 20, -40, 2, 7, -30, 3):
        published(f"Day {number}.", topics=["Dam"], date=days(number))

    assert headlines(event) == ["Day 20.", "Day 7.", "Day 3.", "Day 2.", "Day -1."]


def test_among_many_on_a_topic_the_nearest_are_found_on_both_sides():
    event = published("The dam is opened.", topics=["Dam"])
    for number in range(-30, 31):
        published(f"Day {number}.", topics=["Dam"], date=days(number))

    assert headlines(event) == ["Day 2.", "Day 1.", "Day 0.", "Day -1.", "Day -2."]


def test_no_more_than_the_nearest_are_read():
    event = published("The dam is opened.", topics=["Dam"])
    for number in range(-20, 21):
        published(f"Day {number}.", topics=["Dam"], date=days(number))
    edition = edition_of(event)

    read = related._candidates(edition, Edition.objects.current(now()).order_by(), related._topics(edition))

    assert len(read) == 2 * related.NEAREST


def test_ties_go_by_uid_whatever_the_order_of_rows():
    event = published("The dam is opened.", topics=["Dam"])
    uids = [uuid.UUID(int=number) for number in (70, 20, 90, 10, 50, 80, 30, 60, 40)]
    for uid in uids:
        other = published(f"Inspected: {uid.int}.", topics=["Dam"])
        Event.objects.filter(pk=other.pk).update(uid=uid)

    assert [entry["uid"].int for entry in entries(event)] == [10, 20, 30, 40, 50]


def test_equal_scores_prefer_the_newer():
    event = published("The dam is opened.", topics=["Dam"])
    for number in (4, -4, -3, 3, 2, -2):
        published(f"Day {number}.", topics=["Dam"], date=days(number))

    assert headlines(event) == ["Day 4.", "Day 3.", "Day 2.", "Day -2.", "Day -3."]


def test_a_draft_and_a_changed_working_copy_stay_unknown():
    event = published("The dam is opened.", topics=["Dam"])
    revise(Event(), headline="A draft.", date=DAY, topics=["Dam"])
    revise(published("The lake is full.", topics=["Lake"]), topics=["Dam"])

    assert entries(event) == []


def test_a_scheduled_entry_comes_with_its_minute(clock):
    event = published("The dam is opened.", topics=["Dam"])
    draft = revise(Event(), headline="The dam is inspected.", date=DAY, topics=["Dam"])
    publishing.schedule(draft, by=None, issue=in_minutes(1, NOON))
    issue = in_minutes(1, NOON)

    assert headlines(event, issue - datetime.timedelta(seconds=1)) == []
    assert headlines(event, issue) == ["The dam is inspected."]


def test_a_scheduled_update_changes_nothing_before_its_minute():
    event = published("The dam is opened.", topics=["Dam"])
    other = published("The dam is inspected.", topics=["Dam"])
    before = entries(event)
    publishing.schedule(
        revise(other, headline="The dam is mended.", topics=["Dam", "Lake"]),
        by=None,
        kind="update",
        issue=in_minutes(1, NOON),
    )

    assert entries(event) == before
    assert headlines(event, in_minutes(1, NOON)) == ["The dam is mended."]


def test_a_superseded_edition_is_known_to_the_past_only(clock):
    event = published("The dam is opened.", topics=["Dam"])
    other = published("The dam is inspected.", topics=["Dam"])
    clock.shift(60)
    updated(other, headline="The lake is inspected.", topics=["Lake"])

    assert headlines(event, NOON) == ["The dam is inspected."]
    assert headlines(event) == []


def test_a_withdrawn_entry_is_absent_at_every_moment(clock):
    event = published("The dam is opened.", topics=["Dam"])
    other = published("The dam is inspected.", topics=["Dam"])
    clock.shift(60)
    publishing.withdraw(other, by=None, note="Not ours.")

    assert headlines(event) == headlines(event, NOON) == []

    clock.shift(60)
    publishing.restore(Event.objects.get(pk=other.pk), by=None)
    assert headlines(event) == ["The dam is inspected."]


def test_a_redacted_edition_is_absent_at_its_own_moment(clock):
    event = published("The dam is opened.", topics=["Dam"])
    other = published("The dam is inspected.", topics=["Dam"])
    clock.shift(60)
    updated(other, headline="The lake is inspected.", topics=["Lake"])
    publishing.redact(other, 1, by=None, note="By order of a court.")

    assert headlines(event, NOON) == []


def test_many_editions_of_one_entry_leave_room_for_others():
    event = published("The dam is opened.", topics=["Dam"])
    busy = published("Inspected 0 times.", topics=["Dam"])
    for number in range(1, 20):
        updated(busy, headline=f"Inspected {number} times.")
    published("Before.", topics=["Dam"], date=days(-1))

    assert headlines(event) == ["Inspected 19 times.", "Before."]


def test_a_pinned_entry_comes_in_for_certain_but_there_are_five():
    event = published("The dam is opened.", topics=["Dam"])
    for number in range(6):
        published(f"Day {number}.", topics=["Dam"], date=days(number))
    pinned = published("A concert is given.", date=days(-900))
    publishing.choose_related(event, pinned, by=None, shown=True)

    assert headlines(event) == ["Day 3.", "Day 2.", "Day 1.", "Day 0.", "A concert is given."]
    assert entries(event)[-1]["context"] == []
    assert entries(event)[-1]["score"] == 0


def test_pins_beyond_five_give_way():
    event = published("The dam is opened.", topics=["Dam"])
    for number in range(7):
        other = published(f"Day {number}.", topics=["Dam"], date=days(number))
        publishing.choose_related(event, other, by=None, shown=True)

    assert headlines(event) == [f"Day {number}." for number in (4, 3, 2, 1, 0)]


def test_a_pinned_entry_that_is_near_too_keeps_its_score():
    event = published("The dam is opened.", topics=["Dam"])
    other = published("The dam is inspected.", topics=["Dam"])
    before = entries(event)
    publishing.choose_related(event, other, by=None, shown=True)

    assert entries(event) == before


def test_a_pinned_entry_that_is_near_too_precedes_better_ones():
    event = published("The dam is opened.", topics=["Dam"])
    for number in range(6):
        other = published(f"Day {number}.", topics=["Dam"], date=days(number))
    publishing.choose_related(event, other, by=None, shown=True)

    assert headlines(event) == [f"Day {number}." for number in (5, 3, 2, 1, 0)]


def test_a_pinned_entry_that_is_not_public_is_absent():
    event = published("The dam is opened.", topics=["Dam"])
    draft = revise(Event(), headline="A draft.", date=DAY, topics=["Dam"])
    RelatedChoice.objects.create(event=event, other=draft, shown=True)

    assert entries(event) == []


def test_a_hidden_entry_never_comes_and_leaves_its_place_to_others():
    event = published("The dam is opened.", topics=["Dam"])
    for number in range(10):
        other = published(f"Day {number}.", topics=["Dam"], date=days(number))
        if number < 8:
            publishing.choose_related(event, other, by=None, shown=False)

    assert headlines(event) == ["Day 9.", "Day 8."]


def test_a_choice_is_of_one_event_only():
    event = published("The dam is opened.", topics=["Dam"])
    other = published("The dam is inspected.", topics=["Dam"])
    publishing.choose_related(event, other, by=None, shown=False)

    assert headlines(other) == ["The dam is opened."]


def test_context_has_the_names_of_the_edition_that_is_read():
    event = published("The port is opened.", topics=["éire", "Émigré", "Zoo", "Harbour"])
    other = published("The port is inspected.", topics=["Port", "Zoo"])
    publishing.merge_topics(topic("Harbour"), topic("Port"), by=None)
    publishing.rename_topic(topic("Zoo"), "Zoological garden", by=None)

    assert only(event)["context"] == ["Harbour", "Zoo"]
    assert only(other)["context"] == ["Port", "Zoo"]


def test_context_is_alphabetical_by_folded_name():
    event = published("The port is opened.", topics=["zoo", "Port", "aquarium"])
    published("The port is inspected.", topics=["zoo", "Port", "aquarium"])

    assert only(event)["context"] == ["aquarium", "Port", "zoo"]


def test_two_names_of_the_edition_that_mean_one_topic_now_count_once():
    event = published("The port is opened.", topics=["Harbour", "Port"])
    published("The port is inspected.", topics=["Port"])
    publishing.merge_topics(topic("Harbour"), topic("Port"), by=None)

    entry = only(event)

    assert entry["context"] == ["Harbour"]
    assert entry["parts"]["rarity"] == round(math.log(related.RECORD / 2), related.DIGITS)


def test_the_queries_are_three_whatever_there_is(django_assert_num_queries):
    event = published("The dam is opened.", topics=["Dam", "River"], category="Works")
    for number in range(30):
        other = published(f"Day {number}.", topics=["Dam", f"Thing {number}"], category="Works", date=days(number))
    publishing.choose_related(event, other, by=None, shown=True)
    edition = Edition.objects.get(event=event)
    assert edition.category_id == category("Works").pk

    with django_assert_num_queries(3):
        assert len(related.choose(edition, now())) == related.SHOWN
