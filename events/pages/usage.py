"""Which topics have public entries, and how many: what the index of topics counts, now and at a past moment.

The counts are those of the topics' own pages. Now, the log has them, but for what is public by the clock already.
"""

import datetime
from collections import Counter

from django.db.models import Case, Count, F, Min, OuterRef, PositiveIntegerField, Subquery, Value, When
from django.db.models.functions import Coalesce, Left

from events.formats.timelines import ALPHABET, DIGITS
from events.models import Edition, EditionTopic, LogHead, Topic

FIGURES = "0123456789"


def most_used(at: datetime.datetime, past: bool, number: int):
    """The `number` topics that have most entries."""
    topics = Topic.objects.filter(alias_of=None)
    if past:
        topics = topics.filter(pk__in=_most_borne(at, number))
    return with_entries(topics, at, past).order_by("-entries", "key")[:number]


def with_entries(topics, at: datetime.datetime, past: bool):
    """Those of the topics that have public entries, each with `entries`, the number of them."""
    entries = _counted_then(at) if past else _counted_by_log(at)
    return topics.annotate(entries=entries).filter(entries__gt=0)


def beginning_with(letter: str):
    """The topics below a letter of the index, in order."""
    topics = Topic.objects.filter(alias_of=None).order_by("key")
    if letter in ALPHABET:
        # Told twice: the one is what is meant, by the other SQLite enters its index. No upper bound, since PostgreSQL
        # may sort as a language does that puts "aa" after "z".
        return topics.filter(key__startswith=letter, key__gte=letter)
    topics = topics.alias(initial=Left("key", 1))
    if letter == DIGITS:
        return topics.filter(initial__in=[*FIGURES])
    return topics.exclude(initial__in=[*ALPHABET, *FIGURES])


def _counted_by_log(at):
    changes = _unlogged(at)
    if not changes:
        return F("uses")
    by_change = {}
    for topic, change in changes.items():
        by_change.setdefault(change, []).append(topic)
    corrections = [When(pk__in=topics, then=Value(change)) for change, topics in by_change.items()]
    return F("uses") + Case(*corrections, default=Value(0))


def _unlogged(at):
    """By how much the entries of each topic differ from its uses, by what is due and not in the log yet."""
    recorded = Subquery(LogHead.objects.values("recorded"))
    due = dict(Edition.objects.due(at, recorded).values_list("event", "number"))
    changes = Counter()
    if due:
        links = EditionTopic.objects.filter(edition__event__in=due)
        for event, number, topic in links.values_list("edition__event", "edition__number", "topic"):
            changes[topic] += (number == due[event]) - (number == due[event] - 1)
    return changes


def _counted_then(at):
    # Along the topic's own index; with `edition__in`, SQLite looks through all that was public then for each topic.
    bearing = Edition.objects.current(at).filter(topic_links__topic=OuterRef("pk")).order_by()
    counts = bearing.values("topic_links__topic").annotate(number=Count("pk")).values("number")
    return Coalesce(Subquery(counts), 0, output_field=PositiveIntegerField())


def _most_borne(at, number):
    """The topics that most editions bore then: the one look at the whole record, since nobody counted at that time."""
    borne = Edition.objects.current(at).filter(topic_links__isnull=False).order_by().values("topic_links__topic")
    ranked = borne.annotate(number=Count("pk"), key=Min("topic_links__topic__key")).order_by("-number", "key")
    return list(ranked.values_list("topic_links__topic", flat=True)[:number])
