"""The pages for readers. Each says what is at its address; `http` answers with it in every format."""

from pathlib import Path
from urllib.parse import quote

from django.http import HttpResponse, HttpResponsePermanentRedirect
from django.utils import timezone

from events import addresses, formats, mementos, owning_up, records, related
from events.formats import corrected, shapes
from events.http import Absent, Page, Problem, RecordView, etag, finished, problem_page, redirect
from events.models import Edition
from events.pages import linked_data, moments

DAYS_ON_FRONT = 3
CORRECTIONS_ON_FRONT = 5
STORIES_ON_FRONT = 10
STORIES_OF_MONTH = 20
# What the types of problems are called (RFC 9457); the template has their texts.
PROBLEM_TYPES = {
    "withdrawn": "Withdrawn",
    "redacted": "Redacted",
    "bad-cursor": "Unknown cursor",
    "log-forked": "The log has forked",
    "precondition-required": "Say which state you saw",
    "precondition-failed": "Changed in the meantime",
    "idempotency-conflict": "Idempotency-Key used twice",
}
SCHEMAS = {path.name: path.read_bytes() for path in (Path(formats.__file__).parent / "schemas").iterdir()}
SCHEMA_TYPES = {"json": "application/schema+json", "xml": "application/xml; charset=utf-8"}


class Front(RecordView):
    def page(self, at):
        entries = Edition.objects.current(at)
        days, previous = records.latest_days(entries, DAYS_ON_FRONT)
        editions = records.in_order(entries.filter(date__in=days))
        counts = [(day, sum(edition.date == day for edition in editions)) for day in days]
        stories = records.stories_of_month(entries, days[0].replace(day=1)) if days else []
        shape = shapes.front(
            counts,
            editions,
            previous=previous,
            corrections=map(corrected.change_row, owning_up.owned_up_rows(at, CORRECTIONS_ON_FRONT)),
            stories=stories[:STORIES_ON_FRONT],
            categories=records.categories(entries),
        )
        return Page("front", shape)


class Years(RecordView):
    def page(self, at):
        counts = list(Edition.objects.current(at).counted_by_date())
        shape = shapes.years(records.by_year(counts))
        return Page("years", shape, beside=lambda: {"grid": shapes.grid(records.by_month(counts))})


class Year(RecordView):
    def page(self, at, year):
        first, last = _date(year), _date(year, "12", "31")
        counts, previous, next = _span(at, first, last)
        shape = shapes.year(
            first.year,
            records.by_month(counts),
            previous=previous and previous.year,
            next=next and next.year,
        )
        return Page("year", shape, _neighbour_links(shape), beside=lambda: {"calendars": shapes.calendars(counts)})


class Month(RecordView):
    def page(self, at, year, month):
        first = _date(year, month)
        counts, previous, next = _span(at, first, records.month_end(first))
        stories = records.stories_of_month(Edition.objects.current(at), first)
        lasting = [(topic, count) for topic, count in stories if count > 1]
        shape = shapes.month(first, counts, previous=previous, next=next, stories=lasting[:STORIES_OF_MONTH])
        return Page("month", shape, _neighbour_links(shape))


class Day(RecordView):
    """With `since`, a day that marks what is new or changed since then."""

    parameters = frozenset({"since"})
    has_timegate = True

    def page(self, at, year, month, day):
        date = _date(year, month, day)
        since = moments.since(self.request.GET["since"]) if "since" in self.request.GET else None
        entries = Edition.objects.current(at)
        editions = records.in_order(entries.on(date))
        previous, next = records.neighbours(entries, date, date)
        withdrawn = Edition.objects.withdrawn_at(at).on(date).count()
        _require_inside(editions or withdrawn, previous, next)
        timeline = mementos.of_day(self.now, date)
        moment = self.accepted_moment(timeline.links())
        if moment and timeline.mementos:
            return redirect(timeline.best(moment).path, timeline.links())
        shape = shapes.day(date, editions, previous=previous, next=next, withdrawn=withdrawn, since=since)
        return Page(
            "day",
            shape,
            _neighbour_links(shape),
            beside=lambda: {"month": _month_beside(entries, date)},
            in_time=timeline.links(self.past),
            memento=self.past,
        )


class Event(RecordView):
    """The event's own page, or the page at an address that an earlier headline or date gave it."""

    has_timegate = True

    def page(self, at, year, month, day, slug):
        date = _date(year, month, day)
        history = records.history_at(at, date, slug)
        current, timeline = history[-1], self._timeline(history)
        moment = self.accepted_moment(timeline.links())
        # Of a version redacted since, nobody can see any more what was public then.
        memento = self.past if current.document else None
        in_time = {"in_time": timeline.links(self.past), "memento": memento}
        if records.bears(current, date, slug):
            if moment:
                return redirect(timeline.best(moment).path, timeline.links())
            chosen = related.choose(current, at)
            shape = shapes.event(history, related=chosen, redactions=records.redactions(history))
            return Page("event", shape, _version_links(shape), beside=_event_beside(shape, current, history), **in_time)
        if "format" not in self.kwargs and current.document:
            return redirect(addresses.neutral_event(current.date, current.slug), timeline.about(), memento)
        bearer = [edition for edition in history if records.bears(edition, date, slug)][-1]
        shape = shapes.former(bearer, history, redactions=records.redactions(history))
        return Page(
            "event",
            shape,
            _version_links(shape),
            canonical=shape["latest"],
            indexed=False,
            beside=_event_beside(shape, bearer, history),
            **in_time,
        )

    def _timeline(self, history):
        """The event's whole past, seen from now, whichever moment the page shows."""
        editions = mementos.public_editions(history[-1].event_id, self.now) if self.past else history
        return mementos.of_event(editions, self.request.accepted_renderer.format)


class NumberedEdition(RecordView):
    """A version for good. What it leads to, and what its status is, changes with the event."""

    def page(self, at, year, month, day, slug, number):
        date = _date(year, month, day)
        history = records.history_at(at, date, slug, number)
        edition = next((edition for edition in history if edition.number == int(number)), None)
        if edition is None:
            raise Absent
        shape = shapes.edition(edition, history, redactions=records.redactions(history))
        url = shape["formats"][self.kwargs["format"]]
        timeline = mementos.of_event(history, self.kwargs["format"])
        if url != addresses.absolute(addresses.edition(date, slug, edition.number, self.kwargs["format"])):
            return redirect(addresses.relative(url), timeline.about())
        memento = edition.issued if edition.document else None
        return Page(
            "event",
            shape,
            _version_links(shape),
            modified=records.last_change(history, at),
            beside=_event_beside(shape, edition, history),
            in_time=timeline.links(memento),
            memento=memento,
        )


class Uid(RecordView):
    def page(self, at, uid):
        current = records.current_of(at, uid)
        place = current.date, current.slug
        return redirect(addresses.neutral_event(*place), mementos.event_links(*place))


class Schema(RecordView):
    def get(self, request, name, format):
        if name not in SCHEMAS:
            raise Absent
        headers = {"Content-Type": SCHEMA_TYPES[format], "ETag": etag(SCHEMAS[name])}
        return HttpResponse(SCHEMAS[name], headers=headers)


class ProblemType(RecordView):
    """What the `type` of a problem leads to."""

    def page(self, at, name):
        if name not in PROBLEM_TYPES:
            raise Absent
        return Page(
            "problem_type",
            {"name": name, "title": PROBLEM_TYPES[name], "url": addresses.absolute(addresses.problem(name))},
        )


class Respelled(RecordView):
    """Another spelling of an address leads to ours, by its letters alone, whether anything is there or not."""

    def get(self, request, format, moment=None, year=None, month=None, day=None, rest=""):
        past = f"/as-of/{moment}" if moment else ""
        path = past + quote(_spelled(year, month, day, rest.rstrip("/")))
        if path == quote(request.path_info):
            raise Absent
        return HttpResponsePermanentRedirect(path)


class RespelledUid(RecordView):
    def get(self, request, format, uid):
        return HttpResponsePermanentRedirect(addresses.uid(uid))


def absent(request, exception=None):
    return _problem(request, Absent())


def bad_request(request, exception=None):
    return _problem(request, Problem(400, "This request cannot be read."))


def server_error(request):
    response = _problem(request, Problem(500, "Something went wrong here. It has been noted."))
    response["Cache-Control"] = "no-store"
    return response


def _problem(request, problem):
    return finished(request, problem_page(problem, request), timezone.now())


def _spelled(year, month, day, rest):
    parts = ["", "news", year, month and month.zfill(2), day and str(int(day))]
    path = "/".join(part for part in parts if part is not None)
    if day:
        return f"{path}/{rest.removeprefix('/')}"
    return f"{path}{rest or '/index.html'}"


def _date(year, month="1", day="1"):
    date = addresses.parse_date(year, month, day)
    if date is None:
        raise Absent
    return date


def _span(at, first, last):
    """The counts by date from `first` to `last`, and the nearest dates with entries outside; raises Absent."""
    entries = Edition.objects.current(at)
    counts = list(entries.filter(date__range=(first, last)).counted_by_date())
    previous, next = records.neighbours(entries, first, last)
    withdrawn = not counts and Edition.objects.withdrawn_at(at).filter(date__range=(first, last)).exists()
    _require_inside(counts or withdrawn, previous, next)
    return counts, previous, next


def _month_beside(entries, date):
    first = date.replace(day=1)
    return shapes.calendar(first, records.counts_of_month(entries, first))


def _require_inside(entries, previous, next):
    """Nothing between two entries is a part of the record; nothing before the first or after the last is not."""
    if not (entries or (previous and next)):
        raise Absent


def _neighbour_links(shape):
    return [(rel, shape[key]["url"]) for rel, key in (("prev", "previous"), ("next", "next")) if shape[key]]


def _event_beside(shape, edition, history):
    """What the page of a version says of itself, of its corrections, and which versions it offers to compare."""
    has_text, now = edition.document is not None, history[-1]
    may_compare = has_text and now.document is not None and now.number > edition.number
    place = now.date, now.slug, edition.number, now.number
    return lambda: {
        "linked_data": linked_data.script(linked_data.article(shape)) if has_text else "",
        "description": linked_data.description(shape) if has_text else "",
        "corrections": linked_data.corrections(shape),
        "comparable": [change["version"] for change in shape["changes"] if change["headline"] is not None],
        "changed_since": addresses.absolute(addresses.comparison(*place)) if may_compare else "",
    }


def _version_links(shape):
    neighbours = [("predecessor-version", "previous"), ("successor-version", "next")]
    links = [(relation, shape[key]["url"]) for relation, key in neighbours if shape[key]]
    return [("latest-version", shape["latest"]), *links]
