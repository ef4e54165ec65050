"""What waits at the desk: querysets over entries by where they stand, for its front page and for lists of entries.

Knows no request and no page. What is in hand is little beside what is done, so nothing here walks over all entries.
"""

import datetime

from django.db.models import BooleanField, Case, CharField, Count, Exists, Func, OuterRef, Q, Subquery, Value, When
from django.utils import timezone

from events.models import Edition, Event, EventTopic, Source, Topic

Stage = Event.Stage
Kind = Edition.Kind
WEEK, MONTH = datetime.timedelta(days=7), datetime.timedelta(days=30)
NEWEST_TOPICS = 200
# In the SQL itself: SQLite uses `event_in_hand` only where it reads its very condition, and parameters hide it.
_IN_HAND = [Func(template=f"'{stage}'", output_field=CharField()) for stage in (Stage.DRAFT, Stage.REVIEW)]

_SOURCED = Exists(Source.objects.filter(event=OuterRef("pk")).order_by())
_ABOUT = Exists(EventTopic.objects.filter(content_object=OuterRef("pk")))
_LACKING = ~_SOURCED | ~_ABOUT | Q(category=None)


def with_last(events, at=None):
    """With `last_number`, `last_kind` and `last_issued` of each entry's last version, one that is scheduled included.

    `live` says whether readers see any version of it at `at`. Each is one look into an index per entry.
    """
    last = _editions().filter(superseded=None)
    return events.annotate(
        last_number=Subquery(last.values("number")),
        last_kind=Subquery(last.values("kind")),
        last_issued=Subquery(last.values("issued")),
        live=Case(When(_live(at), then=Value(True)), default=Value(False), output_field=BooleanField()),
    )


def in_state(events, state, at=None):
    """The entries that are `live`, `unpublished` (no version, scheduled or public), `scheduled` (a version is pending,
    of a live entry too), `changed` (live, with changes that are not) or `withdrawn`."""
    if state == "live":
        return events.filter(_live(at))
    if state == "unpublished":
        return events.filter(~Exists(_editions()))
    if state == "scheduled":
        return events.filter(pk__in=Edition.objects.filter(issued__gt=at or timezone.now()).values("event"))
    if state == "changed":
        return in_hand(events).filter(_live(at))
    if state == "withdrawn":
        return events.filter(withdrawn=True)
    raise ValueError(state)


def in_hand(events):
    """Drafts and what is in review, by the index `event_in_hand`; narrower conditions go on top of this one."""
    return events.filter(stage__in=_IN_HAND)


def lists(by, at) -> dict[str, Q]:
    """What of the entries in hand belongs to each list of the front page of `by`."""
    mine = Q(stage=Stage.DRAFT, author=by)
    return {
        "sent_back": mine & ~Q(remark=""),
        "drafts": mine & ~Exists(_editions()),
        "review": Q(stage=Stage.REVIEW),
        "changed": _live(at),
        "care": _LACKING,
    }


def counts(events, by, at) -> dict[str, int]:
    """How many entries are in each of the `lists`, in one query."""
    return in_hand(events).aggregate(**{name: Count("pk", filter=which) for name, which in lists(by, at).items()})


def lacking(events):
    """The entries in hand that have no source, no topic or no category; `lacks_source` and `lacks_topic` say which."""
    return in_hand(events).filter(_LACKING).annotate(lacks_source=~_SOURCED, lacks_topic=~_ABOUT)


def withdrawals(events, at):
    """Those of these entries that were withdrawn in the month up to `at` and still are, with the `reason`, in order."""
    reason = _editions().filter(superseded=None).values("note")
    gone = with_last(events, at).filter(withdrawn=True, last_issued__gte=at - MONTH)
    return gone.annotate(reason=Subquery(reason)).order_by("-last_issued", "-pk")


def corrections(events, at):
    """What was corrected, withdrawn or restored of these entries in the week up to `at`, the latest first."""
    acts = Edition.objects.filter(kind__in=[Kind.CORRECTION, Kind.WITHDRAW, Kind.RESTORE])
    lately = acts.filter(issued__gte=at - WEEK, issued__lte=at)
    # Asked for each of these, since a list of the entries would be one of all.
    return lately.filter(Exists(events.filter(pk=OuterRef("event")))).order_by("-issued", "-pk")


def look_alikes() -> list[tuple[Topic, list[Topic]]]:
    """Of the newest topics, those that look like others, with these others; aliases are settled and left out."""
    topics = Topic.objects.filter(alias_of=None).only("name", "likeness")
    newest = list(topics.order_by("-pk")[:NEWEST_TOPICS])
    alike = {}
    for topic in topics.filter(likeness__in={topic.likeness for topic in newest}).order_by("pk"):
        alike.setdefault(topic.likeness, []).append(topic)
    return [
        (topic, [other for other in alike[topic.likeness] if other.pk < topic.pk])
        for topic in newest
        if alike[topic.likeness][0].pk < topic.pk
    ]


def _editions():
    return Edition.objects.filter(event=OuterRef("pk")).order_by()


def _live(at):
    return Q(withdrawn=False) & Exists(_editions().filter(number=1, issued__lte=at or timezone.now()))
