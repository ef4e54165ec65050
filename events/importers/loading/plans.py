"""What of imported histories is new to the record, and what disagrees with it; reads the record and writes nothing."""

import datetime
from collections import defaultdict, deque
from collections.abc import Iterator
from dataclasses import dataclass, field

from django.conf import settings
from django.db.models import Q

from events import documents
from events.importers import records
from events.importers.records import History, Named, Text, Version
from events.models import Address, Edition, Event, EventTopic, LogEntry, Source
from events.publishing import address_slug

NO_HEADLINE = "Redacted"


class Conflict(Exception):
    """A history that disagrees with what stands; the message says how."""


@dataclass(eq=False, slots=True)
class Step:
    """A version on its way to be an edition. `text` is what the event says from then on, whoever may read it."""

    version: Version
    number: int
    text: Text
    slug: str = ""
    copy: dict = field(default_factory=dict)
    edition: Edition | None = None


@dataclass(eq=False, slots=True)
class Addition:
    """What is to be added to one event, new or known, whose editions so far are `standing`."""

    history: History
    event: Event | None
    standing: list[Edition]
    steps: list[Step] = field(default_factory=list)
    former: Text | None = None
    taken: list[tuple] = field(default_factory=list)
    follows: bool = True
    sources: dict[int, Source] = field(default_factory=dict)
    links: dict[int, EventTopic] = field(default_factory=dict)


class Plan:
    """What is to be done about a batch of histories, and what is left alone.

    Under the lock of the log, at its `now`, known events are locked and addresses are given.
    """

    def __init__(self, histories: list[History], now: datetime.datetime | None = None):
        self.additions: list[Addition] = []
        self.conflicts: list[str] = []
        self.unchanged = 0
        standing = _Standing(histories, now)
        for history in histories:
            self._guarded(history, self._plan, history, standing)
        if now:
            _lock(self.additions)
            self.give_addresses()

    def give_addresses(self) -> None:
        """Give every addition its addresses, and leave alone those that ask for another event's."""
        addresses = _Addresses(self.additions)
        planned, self.additions = self.additions, []
        for addition in planned:
            self._guarded(addition.history, self._address, addition, addresses)

    def _guarded(self, history: History, step, *args) -> None:
        try:
            step(*args)
        except Conflict as conflict:
            self.conflicts.append(f"{history.place}: {conflict}")

    def _plan(self, history: History, standing: "_Standing") -> None:
        addition = standing.addition(history)
        if addition.steps:
            self.additions.append(addition)
        else:
            self.unchanged += 1

    def _address(self, addition: Addition, addresses: "_Addresses") -> None:
        addresses.give(addition)
        self.additions.append(addition)


def text_of(document: dict) -> Text:
    """What a stored document says, as if it had been read from a file."""
    category, story = document["category"], document["story"]
    return Text(
        date=datetime.date.fromisoformat(document["date"]),
        headline=document["headline"],
        body=document["body"],
        category=category and Named(**category),
        story=story and story["key"],
        topics={topic["key"]: topic["name"] for topic in document["topics"]},
        sources=tuple((source["name"], source["url"]) for source in document["sources"]),
        language=document["language"],
        origin=document["origin"],
    )


def _lock(additions: list[Addition]) -> None:
    """Hold the rows of known events, and take them as they are now: the desk's saves do not wait for the log."""
    known = {addition.event.pk: addition for addition in additions if addition.event}
    if known:
        for event in Event.objects.select_for_update().filter(pk__in=known).order_by("pk"):
            known[event.pk].event = event


class _Standing:
    """The events of a batch that the record has, and their editions."""

    def __init__(self, histories: list[History], now: datetime.datetime | None):
        self.now = now
        refs = [history.ref for history in histories if history.ref]
        uids = [history.uid for history in histories if history.uid]
        events = list(Event.objects.filter(Q(ref__in=refs) | Q(uid__in=uids)))
        self.by_ref = {event.ref: event for event in events if event.ref}
        self.by_uid = {event.uid: event for event in events}
        self.editions: dict[int, list[Edition]] = defaultdict(list)
        self.by_desk = set()
        if events:
            self._read_editions(events)

    def _read_editions(self, events: list[Event]) -> None:
        for edition in Edition.objects.filter(event__in=events).order_by("event", "number"):
            self.editions[edition.event_id].append(edition)
        entries = LogEntry.objects.filter(event__in=events, by__isnull=False).exclude(kind=LogEntry.Kind.REDACT)
        # What is due but not logged yet is known by the save that it was frozen from.
        frozen = Edition.objects.filter(event__in=events, revision__user__isnull=False)
        self.by_desk = {*entries.values_list("edition", flat=True), *frozen.values_list("pk", flat=True)}

    def addition(self, history: History) -> Addition:
        event = self._event(history)
        standing = self.editions[event.pk] if event else []
        new = self._new_versions(history, standing) if event else history.versions
        if self.now and any(version.published > self.now for version in new):
            raise Conflict("a version of it is in the future; the clock has gone back.")
        former = next((text_of(_read(edition)) for edition in reversed(standing) if edition.document), None)
        addition = Addition(history, event, standing, former=former)
        if new:
            addition.steps = list(_steps(new, len(standing), former or _no_text(new)))
        return addition

    def _event(self, history: History) -> Event | None:
        by_ref, by_uid = self.by_ref.get(history.ref), self.by_uid.get(history.uid)
        event = by_ref or by_uid
        if event and history.uid not in (None, event.uid):
            raise Conflict(f"the event of ref {history.ref} has the uid {event.uid} here.")
        if event and history.ref not in (None, event.ref):
            raise Conflict(f"the event of uid {history.uid} has another ref here, or none.")
        if event and not self.editions[event.pk]:
            raise Conflict("the event is here, and nothing of it was ever published.")
        return event

    def _new_versions(self, history: History, standing: list[Edition]) -> tuple[Version, ...]:
        """The versions after those that stand; what the desk published in between is stepped over."""
        ahead = deque(standing)
        for number, version in enumerate(history.versions):
            while ahead and ahead[0].pk in self.by_desk and ahead[0].issued < version.published:
                ahead.popleft()
            if not ahead:
                _check_following(standing, history.versions[number:])
                return history.versions[number:]
            problem = _difference(ahead.popleft(), version)
            if problem:
                raise Conflict(f"version {number + 1} {problem}")
        return ()


def _read(edition: Edition) -> dict:
    return documents.read(edition.document, edition.schema)


def _check_following(standing: list[Edition], new: tuple[Version, ...]) -> None:
    problem = records.sequence_problem(standing[-1].kind, new[0].kind)
    if problem:
        raise Conflict(f"{documents.rfc3339(new[0].published)}: {problem}")
    # What a restore repeats is two places before it, so that of the first two may stand already.
    for place, version in enumerate(new[:2]):
        if version.kind == "restore":
            _check_restored(version, standing[place - 2])


def _check_restored(version: Version, withdrawn: Edition) -> None:
    if withdrawn.redacted:
        raise Conflict("the text that it restores has been redacted.")
    if version.text and not records.same(text_of(_read(withdrawn)), version.text):
        raise Conflict("a restore repeats the text before the withdrawal; another one stands there.")


def _difference(edition: Edition, version: Version) -> str | None:
    """How a version differs from the edition that stands in its place."""
    if edition.issued != version.published:
        return (
            f"is of {documents.rfc3339(version.published)}, and in its place stands one of "
            f"{documents.rfc3339(edition.issued)}."
        )
    if edition.kind != version.kind:
        return f"is of kind {version.kind}, and in its place stands one of kind {edition.kind}."
    if edition.redacted:
        return None
    if version.redacted:
        return "is redacted, and in its place stands a text; redact that at the desk."
    if edition.note != version.note:
        return "has another note than the one that stands."
    if version.text and not records.same(text_of(_read(edition)), version.text):
        return "says something else than the one that stands."
    return None


def _steps(versions: tuple[Version, ...], before: int, text: Text) -> Iterator[Step]:
    for number, version in enumerate(versions, before + 1):
        text = version.text or text
        yield Step(version, number, text)


def _no_text(versions: tuple[Version, ...]) -> Text:
    """What the working copy says while every text was redacted; no edition does, and the desk may write another."""
    return Text(versions[0].date, NO_HEADLINE, "", None, None, {}, (), settings.LANGUAGE_CODE, None)


class _Addresses:
    """The addresses given on the dates of a batch: by date and slug, the event's key or the addition that takes it."""

    def __init__(self, additions: list[Addition]):
        dates = {step.version.date for addition in additions for step in addition.steps if step.version.text}
        self.owners: dict = defaultdict(dict)
        for date, slug, event in Address.objects.filter(date__in=dates).values_list("date", "slug", "event"):
            self.owners[date][slug] = event

    def give(self, addition: Addition) -> None:
        """Give each step with a text its slug; all of them or, in a conflict, none."""
        former = next((edition.slug for edition in reversed(addition.standing) if edition.kind != "withdraw"), "")
        try:
            for step in addition.steps:
                if step.version.text:
                    step.slug = self._slug(addition, step, former)
                if step.version.kind != "withdraw":
                    former = step.slug
        except Conflict:
            for date, slug in addition.taken:
                del self.owners[date][slug]
            raise

    def _slug(self, addition: Addition, step: Step, former: str) -> str:
        owner = addition.event.pk if addition.event else addition
        date, owners = step.version.date, self.owners[step.version.date]
        mine = {slug for slug, holder in owners.items() if holder == owner}
        slug = step.version.slug
        if not slug and step.version.kind == "restore":
            slug = former
        slug = slug or address_slug(step.version.text.headline, mine, owners.keys())
        if owners.setdefault(slug, owner) != owner:
            raise Conflict(f"the address {date} {slug} is another event's.")
        if slug not in mine:
            addition.taken.append((date, slug))
        return slug
