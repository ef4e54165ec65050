"""What pages and partners ask of the public record, in as few queries as that takes, however long the record is."""

import calendar
import datetime
from collections import Counter

from django.db.models import Count, Exists, F, OuterRef, Q
from django.db.models.fields.json import KeyTextTransform, KeyTransform

from events import documents
from events.http import Absent, Withdrawn
from events.models import Category, Edition, EditionTopic, Topic


def latest_days(entries, number):
    """The last `number` days that have entries, newest first, and the one before them: the end of the dates' index."""
    # With a bound, without which SQLite takes the index of `issued` and reads all of it.
    bounded = entries.filter(date__lt=datetime.date.max)
    days = list(bounded.order_by("-date").values_list("date", flat=True).distinct()[: number + 1])
    return days[:number], days[number] if len(days) > number else None


def first_day(entries):
    return entries.order_by("date").values_list("date", flat=True).first()


def last_day(entries):
    return entries.order_by("-date").values_list("date", flat=True).first()


def neighbours(entries, first, last):
    """The last day with entries before `first`, and the first one after `last`."""
    return last_day(entries.filter(date__lt=first)), first_day(entries.filter(date__gt=last))


def in_order(entries):
    """Editions of some days, newest day first, in the order of the day's page."""
    editions = entries.with_uid().with_times().annotate(position=F("category__position"))
    return sorted(editions, key=lambda edition: (-edition.date.toordinal(), *_place_in_day(edition)))


def _place_in_day(edition):
    """By category (none last), story (none last), first publication, uid."""
    story = documents.read(edition.document, edition.schema)["story"]
    return (
        edition.position is None,
        edition.position,
        edition.category_id,
        story is None,
        story and story["key"],
        edition.published,
        str(edition.event.uid),
    )


def by_month(counts):
    """Counts by day as counts by month, each named by its first day."""
    months = Counter()
    for date, count in counts:
        months[date.replace(day=1)] += count
    return months.items()


def by_year(counts):
    years = Counter()
    for date, count in counts:
        years[date.year] += count
    return years.items()


def counts_of_month(entries, first):
    """The counts by day of the month that begins so."""
    return entries.filter(date__range=(first, month_end(first))).counted_by_date()


def stories_of_month(entries, first):
    """(topic of today, number) for what heads entries of the month, the busiest first."""
    of_month = entries.filter(date__range=(first, month_end(first))).order_by().values("pk")
    story = KeyTextTransform("key", KeyTransform("story", "edition__document"))
    # A story is one of the entry's topics; those are indexed as what they mean today, the document has the old name.
    links = EditionTopic.objects.filter(Q(topic__key=story) | Q(topic__aliases__key=story), edition__in=of_month)
    counted = links.values_list("topic__name", "topic__slug", "topic__key").annotate(Count("edition", distinct=True))
    stories = [(Topic(name=name, slug=slug, key=key), count) for name, slug, key, count in counted]
    return sorted(stories, key=lambda story: (-story[1], story[0].key))


def categories(entries):
    """The categories that have entries, in the desk's order."""
    # With a bound, without which SQLite takes the index of the foreign key and reads every row of a category.
    bounded = entries.filter(date__lt=datetime.date.max, category=OuterRef("pk"))
    return Category.objects.filter(Exists(bounded))


def month_end(first):
    return first.replace(day=calendar.monthrange(first.year, first.month)[1])


def history_at(at, date, slug, number=None):
    """All editions public by `at`, in order, of the event of which one bears this address.

    Raises Withdrawn, if the event has an edition of this `number`, or Absent. An address that was given ahead of time
    is asked for by the same statements as one that was never given, and takes no longer to find nothing.
    """
    public = Edition.objects.issued_by(at)
    bearers = public.on(date).filter(slug=slug, document__isnull=False)
    editions = public.filter(event__in=bearers.values("event"))
    history = list(editions.with_uid().with_log().order_by("number"))
    if not history:
        withdrawals = Edition.objects.withdrawals().at_address(date, slug)
        _raise_withdrawn(withdrawals if number is None else withdrawals.filter(event__editions__number=number))
        raise Absent
    if history[-1].kind == Edition.Kind.WITHDRAW:
        # It was restored since; at that moment it was not there to read.
        raise Withdrawn(history[-1])
    return history


def redactions(history):
    """The public reasons of what was redacted, by number."""
    return {edition.number: edition.redaction or "" for edition in history if edition.redacted}


def last_change(history, at):
    """When anything last changed that a page about this event shows: the log's word, or the clock's before the log's.

    Never later than `at`, which a log written by a clock that was ahead might say.
    """
    last = history[-1]
    return min(at, max(last.issued, last.recorded or last.issued))


def bears(edition, date, slug):
    return (edition.date, edition.slug) == (date, slug)


def current_of(at, uid):
    """The current edition of an event; raises Absent or Withdrawn."""
    edition = Edition.objects.current(at).filter(event__uid=uid).only("date", "slug").first()
    if edition is None:
        _raise_withdrawn(Edition.objects.withdrawals().filter(event__uid=uid))
        raise Absent
    return edition


def _raise_withdrawn(withdrawals):
    withdrawal = withdrawals.with_uid().first()
    if withdrawal:
        raise Withdrawn(withdrawal)
