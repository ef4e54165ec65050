"""Feeds in Atom, RSS and JSON Feed: of the newest, of a topic or category, of the corrections, of an event's changes.

The one of the newest is complete: in Atom, archives lead back from it through the whole record (RFC 5005). They are
parts of the log by months, and its entries are the versions that the log has there.
"""

import datetime
from typing import NamedTuple

from django.conf import settings
from django.db.models import Case, Exists, F, Max, OuterRef, Q, Subquery, When
from django.http import HttpResponseRedirect
from django.urls import re_path
from rest_framework.renderers import BaseRenderer

from events import addresses, models, owning_up, records
from events.documents import rfc3339
from events.formats import as_atom, as_json, as_json_feed, as_rss, as_xml, corrected, feeds
from events.http import Absent, JSONRenderer, Page, RecordView, XMLRenderer
from events.models import Edition, LogEntry, LogHead

ENTRIES = 50
TOMBSTONES = 50
# Entries of the log in a part of the archive.
PART = 100
Kind = Edition.Kind


class FeedRenderer(BaseRenderer):
    """A format of feeds; `feed` renders them, `problem` what is told instead of one."""

    def render(self, page, accepted_media_type=None, renderer_context=None):
        module = self.feed if page.root == "feed" else self.problem
        return module.render(page.root, page.shape)


class AtomRenderer(FeedRenderer):
    media_type, format = feeds.TYPES["atom"], "atom"
    feed, problem, problem_type = as_atom, as_xml, XMLRenderer.problem_type


class RSSRenderer(FeedRenderer):
    media_type, format = feeds.TYPES["rss"], "rss"
    feed, problem, problem_type = as_rss, as_xml, XMLRenderer.problem_type


class JSONFeedRenderer(FeedRenderer):
    media_type, format = feeds.TYPES["json"], "json"
    feed, problem, problem_type = as_json_feed, as_json, JSONRenderer.problem_type


class FeedView(RecordView):
    renderer_classes = [AtomRenderer, RSSRenderer, JSONFeedRenderer]

    def state(self):
        return *super().state(), settings.NEWSDESK_TAG, *settings.NEWSDESK_HUBS

    def answer(self, feed, entries, modified, **more):
        """The document of `feed` in the format asked for; `more` is what `feeds.feed` takes."""
        shape = feeds.feed(feed, self.kwargs["format"], entries, **more)
        alternates = [("alternate", other["url"], {"type": other["type"]}) for other in shape["alternates"]]
        hubs = [("hub", hub) for hub in shape["hubs"]]
        return Page("feed", shape, [("self", shape["url"]), *hubs, *alternates], modified=modified)


class Latest(FeedView):
    """The events that something happened to last.

    In Atom with all that the archives do not hold: what the log has behind their last part, and what it will have.
    """

    def page(self, at):
        format = self.kwargs["format"]
        head = LogHead.objects.get()
        end = _part_with(head.seq) if format == "atom" and head.seq else None
        needed = _events_behind(end.first, at, head) if end else set()
        newest = _last_moves(at).values_list("event", flat=True)[:ENTRIES]
        current = Edition.objects.current(at).filter(event__in={*newest, *needed})
        needed_ids = _ids(current.filter(event__in=needed))
        entries = feeds.within_bounds(_entries(at, current), ENTRIES, format, needed_ids)
        archived = _part_with(end.first - 1) if end and end.first > 1 else None
        return self.answer(
            feeds.latest(),
            entries,
            _last_modified(at, head),
            withdrawn=_tombstones(Edition.objects.withdrawals(), needed),
            archives={"prev-archive": archived.url} if archived else None,
        )


class Archive(FeedView):
    """A part of what the log recorded in a month, which gets no more entries.

    What is withdrawn now has a tombstone in place of its text, and what is redacted nothing.
    """

    renderer_classes = [AtomRenderer]

    def page(self, at, month, part):
        head = LogHead.objects.get()
        part = _part(addresses.parse_date(*month.split("-")), int(part))
        if part is None or part.last >= head.seq:
            raise Absent
        made = _made_in(part)
        editions = Edition.objects.issued_by(at).filter(pk__in=made.values()).with_uid()
        lifted = [feeds.withdrawal(edition) for edition in editions.filter(kind=Kind.WITHDRAW)]
        withdrawals = Edition.objects.withdrawals().filter(event__in=made.keys()).with_uid()
        changed = _changed(part, made)
        return self.answer(
            feeds.latest(),
            _entries(at, editions.filter(document__isnull=False)),
            min(at, changed),
            withdrawn=[*lifted, *map(feeds.withdrawal, withdrawals)],
            updated=rfc3339(changed),
            path=part.path,
            archives=_around(part, head),
        )


class Listed(FeedView):
    """What stands on a timeline: those that something happened to last."""

    def listed(self, at, feed, condition):
        entries = _entries(at, Edition.objects.filter(pk__in=_newest(at, condition)))
        return self.answer(
            feed,
            feeds.within_bounds(entries, ENTRIES, self.kwargs["format"]),
            _last_modified(at, LogHead.objects.get()),
            withdrawn=_tombstones(_withdrawn_from(at, condition)),
            updated=_last_moved(at, condition),
        )


class Category(Listed):
    def page(self, at, slug):
        category = models.Category.objects.filter(slug=slug).first()
        condition = Q(category=category.pk if category else 0)
        _require_public(at, condition)
        return self.listed(at, feeds.category(category), condition)


class Topic(Listed):
    """A topic's feed; that of another name of it leads there."""

    def page(self, at, slug):
        asked = models.Topic.objects.filter(slug=slug).select_related("alias_of").first()
        condition = Q(topic_links__topic=asked.canonical.pk if asked else 0)
        _require_public(at, condition)
        topic = asked.canonical
        if topic != asked:
            return HttpResponseRedirect(addresses.topic_feed(topic.slug, self.kwargs["format"]))
        return self.listed(at, feeds.topic(topic), condition)


class Corrections(FeedView):
    """Corrections, withdrawals and restorations, an entry each, so that readers see the withdrawals too."""

    def page(self, at):
        rows = owning_up.owned_up_rows(at, ENTRIES)
        touched = _touched(at, rows)
        entries = [feeds.correction(corrected.change_row(row), touched[row.pk]) for row in rows]
        return self.answer(
            feeds.corrections(),
            entries,
            _last_modified(at, LogHead.objects.get()),
            withdrawn=_withdrawn_corrections([row for row in rows if row.in_force]),
        )


class Changes(FeedView):
    """The versions of one event, newest first."""

    renderer_classes = [AtomRenderer]

    def page(self, at, year, month, day, slug):
        date = addresses.parse_date(year, month, day)
        if date is None:
            raise Absent
        history = records.history_at(at, date, slug)
        current = history[-1]
        if not records.bears(current, date, slug):
            return HttpResponseRedirect(addresses.event_feed(current.date, current.slug))
        entries = _versions(history, records.redactions(history), _touched(at, history))
        return self.answer(feeds.changes(current), entries, records.last_change(history, at))


# Entries.


def _entries(at, editions):
    """The editions as entries, those that moved last first."""
    rows = sorted(editions.with_uid().with_times(), key=lambda edition: (edition.modified, edition.pk), reverse=True)
    notes = _corrections(at, [edition.event_id for edition in rows])
    return [
        feeds.entry(edition, [note for number, note in notes.get(edition.event_id, ()) if number <= edition.number])
        for edition in rows
    ]


def _corrections(at, events):
    """By event, the (number, note) of its corrections, newest first; those that were redacted have none."""
    corrections = Edition.objects.issued_by(at).filter(event__in=events, kind=Kind.CORRECTION).exclude(note="")
    notes = {}
    for event, number, note in corrections.order_by("-number").values_list("event", "number", "note"):
        notes.setdefault(event, []).append((number, note))
    return notes


def _ids(editions):
    return {feeds.event_id(uid) for uid in editions.values_list("event__uid", flat=True)}


def _last_moves(at):
    """Of each event, the last edition that was more than minor; the newest of them first."""
    later = Edition.objects.filter(event=OuterRef("event"), number__gt=OuterRef("number"), issued__lte=at)
    moves = Edition.objects.issued_by(at).exclude(kind=Kind.MINOR)
    return moves.exclude(Exists(later.exclude(kind=Kind.MINOR))).order_by("-issued", "-pk")


def _tombstones(withdrawals, needed=()):
    """The newest of the withdrawals, and those of the events that are `needed`."""
    newest = withdrawals.with_uid().order_by("-issued", "-pk")
    rows = {row.pk: row for row in [*newest[:TOMBSTONES], *newest.filter(event__in=needed)]}
    return [feeds.withdrawal(row) for row in rows.values()]


def _last_modified(at, head):
    """When the log, or the clock before it, last changed anything: never earlier than it was, whatever goes."""
    issued = LogHead.objects.end(at).issued
    moments = [moment for moment in (head.seq and head.recorded, issued) if moment]
    return min(at, max(moments)) if moments else None


# Timelines.


def _require_public(at, condition):
    """Raise Absent if nothing stands here; asked for what never was as well, so that it takes no longer."""
    if not Edition.objects.current(at).filter(condition).exists():
        raise Absent


def _newest(at, condition):
    earlier = Edition.objects.filter(event=OuterRef("event"), number__lt=OuterRef("number")).exclude(kind=Kind.MINOR)
    moved = Case(
        When(kind=Kind.MINOR, then=Subquery(earlier.order_by("-number").values("issued")[:1])), default=F("issued")
    )
    standing = Edition.objects.current(at).filter(condition).annotate(moved=moved)
    return list(standing.order_by("-moved", "-pk").values_list("pk", flat=True)[:ENTRIES])


def _withdrawn_from(at, condition):
    """The withdrawals of what stood here once. Of these, no more is told than that they are, and why.

    A version that was redacted does not tell where it stood, so its event is withdrawn from everywhere.
    """
    editions = Edition.objects.filter(event=OuterRef("event"), issued__lte=at)
    redacted = editions.filter(document__isnull=True).exclude(kind=Kind.WITHDRAW)
    return Edition.objects.withdrawals().filter(Exists(editions.filter(condition)) | Exists(redacted))


def _last_moved(at, condition):
    """When something last came here or left. Without what left, the date would go back when it does."""
    public = Edition.objects.issued_by(at)
    standing = public.filter(condition)
    after = public.filter(condition, event=OuterRef("event"), number=OuterRef("number") + 1)
    came = standing.exclude(kind=Kind.MINOR).aggregate(last=Max("issued"))["last"]
    left = standing.filter(superseded__lte=at).exclude(Exists(after)).aggregate(last=Max("superseded"))["last"]
    return max((rfc3339(moment) for moment in (came, left) if moment), default="")


# Versions.


def _versions(history, redactions, touched):
    """All versions as entries, the newest with their texts, as many as a feed takes."""
    entries, size = [], 0
    for edition in reversed(history):
        note = redactions.get(edition.number, "") if edition.redacted else edition.note
        said = {"note": note, "touched": touched[edition.pk]}
        entry = feeds.version(edition, history, **said, whole=size <= feeds.ENOUGH["atom"])
        size += len(entry["content"].encode())
        entries.append(entry)
    return entries


def _touched(at, editions):
    """When each was issued, redacted, or came back with its event, by its key: whichever was last.

    What came back is newer than the tombstone that it had (RFC 6721, 3).
    """
    redacted = [edition.pk for edition in editions if edition.redacted]
    redactions = dict(
        LogEntry.objects.filter(edition__in=redacted, kind=LogEntry.Kind.REDACT).values_list("edition", "occurred")
    )
    events = {edition.event_id for edition in editions}
    restorations = Edition.objects.issued_by(at).filter(event__in=events, kind=Kind.RESTORE)
    restored = dict(restorations.order_by().values_list("event").annotate(Max("issued")))
    return {
        edition.pk: max(
            edition.issued,
            redactions.get(edition.pk, edition.issued),
            restored.get(edition.event_id, edition.issued),
        )
        for edition in editions
    }


def _withdrawn_corrections(withdrawals):
    """Tombstones of withdrawn events, and of what the feed had about them before: corrections and restorations."""
    by_event = {withdrawal.event_id: withdrawal for withdrawal in withdrawals}
    told = Edition.objects.filter(event__in=by_event, kind__in=Edition.OWNED_UP).order_by("-issued", "-number")
    before = [
        (by_event[event], number)
        for event, number in told.values_list("event", "number")
        if number < by_event[event].number
    ]
    return [
        *map(feeds.withdrawal, withdrawals),
        *(feeds.withdrawal(row, feeds.version_id(row.event.uid, number)) for row, number in before),
    ]


# Archives.


class Part(NamedTuple):
    """A part of a month, named by its first day, from entry `first` of the log to entry `last`.

    It is sealed when the log goes on behind `last`; one that is not may yet grow up to there.
    """

    month: datetime.date
    number: int
    first: int
    last: int

    @property
    def path(self):
        return addresses.archive(self.month, self.number)

    @property
    def url(self):
        return addresses.absolute(self.path)


def _part(month, number):
    """The part of this number of a month, or None if the log has nothing there."""
    start, beyond = _first_of(month), _first_of(_month_after(month))
    first = start and start + PART * (number - 1)
    if first is None or (beyond and first >= beyond):
        return None
    full = first + PART - 1
    return Part(month, number, first, min(full, beyond - 1) if beyond else full)


def _part_with(seq):
    """The part that entry `seq` is in."""
    recorded = LogEntry.objects.values_list("recorded", flat=True).get(seq=seq)
    month = recorded.astimezone(datetime.UTC).date().replace(day=1)
    return _part(month, (seq - _first_of(month)) // PART + 1)


def _first_of(month):
    """The `seq` of the first entry that was recorded in this month or later, or None: `recorded` never goes back."""
    start = datetime.datetime.combine(month, datetime.time(), datetime.UTC)
    found = LogEntry.objects.filter(recorded__gte=start).order_by("recorded", "seq")
    return found.values_list("seq", flat=True).first()


def _month_after(month):
    return (month.replace(day=28) + datetime.timedelta(days=4)).replace(day=1)


def _around(part, head):
    """The URLs that an archive names: the feed itself and the parts beside this one, as far as they are sealed."""
    urls = {"current": addresses.absolute(addresses.feed("latest"))}
    if part.first > 1:
        urls["prev-archive"] = _part_with(part.first - 1).url
    after = _part_with(part.last + 1)
    if after.last < head.seq:
        urls["next-archive"] = after.url
    return urls


def _made_in(part):
    """By event, the last edition that the log has of it in this part."""
    entries = LogEntry.objects.filter(seq__range=(part.first, part.last), edition__isnull=False)
    made = entries.exclude(kind=LogEntry.Kind.REDACT).order_by("seq")
    return dict(made.values_list("event", "edition"))


def _changed(part, made):
    """When this part last changed: when it was sealed, or when a text in it went or came back."""
    entries = LogEntry.objects.filter(seq=part.last)
    gone = LogEntry.objects.filter(kind=LogEntry.Kind.REDACT, edition__in=made.values())
    back = LogEntry.objects.filter(kind__in=[Kind.WITHDRAW, Kind.RESTORE], event__in=made.keys())
    return max(
        moment
        for rows in (entries, gone, back)
        if (moment := rows.order_by().aggregate(last=Max("recorded"))["last"]) is not None
    )


def _events_behind(first, at, head):
    """The events of the log from entry `first` on, and of what is public by the clock and not in it yet."""
    logged = LogEntry.objects.filter(seq__gte=first, event__isnull=False).values_list("event", flat=True)
    due = Edition.objects.due(at, head.recorded).values_list("event", flat=True)
    return {*logged, *due}


_DATE = r"news/(?P<year>[0-9]{4})/(?P<month>0[1-9]|1[0-2])/(?P<day>[1-9]|[12][0-9]|3[01])"
# Before the year 1000 or after 2999 nothing was recorded.
_MONTH = r"(?P<month>[12][0-9]{3}-(?:0[1-9]|1[0-2]))"
_ATOM = {"format": "atom"}

urlpatterns = [
    re_path(rf"^feeds/latest\.{addresses.FEED}\Z", Latest.as_view(), name="latest_feed"),
    # Where the feed of the first pages of this kind was. The same bytes: not every reader follows a redirect.
    re_path(r"^index_rss\.xml\Z", Latest.as_view(), {"format": "rss"}, name="old_feed"),
    re_path(rf"^feeds/corrections\.{addresses.FEED}\Z", Corrections.as_view(), name="corrections_feed"),
    re_path(rf"^categories/{addresses.SLUG}/feed\.{addresses.FEED}\Z", Category.as_view(), name="category_feed"),
    re_path(rf"^topics/{addresses.SLUG}/feed\.{addresses.FEED}\Z", Topic.as_view(), name="topic_feed"),
    re_path(rf"^{_DATE}/{addresses.SLUG}\.changes\.atom\Z", Changes.as_view(), _ATOM, name="event_feed"),
    re_path(rf"^feeds/archive/{_MONTH}\.(?P<part>[1-9][0-9]{{0,5}})\.atom\Z", Archive.as_view(), _ATOM, name="archive"),
]
