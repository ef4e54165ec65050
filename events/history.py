"""The desk's saves of one entry, as reversion keeps them: reading them, taking values back, recovering deleted drafts.

Reverts no revision, which would take back whatever else was saved with it: values go through `drafts.save` into the
working copy of one event. Knows nothing of what readers see but the editions.
"""

import datetime
import json
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from django.contrib.auth import get_user_model
from django.db import transaction
from django.db.models import BigIntegerField, Exists, OuterRef
from django.db.models.functions import Cast
from django.utils import timezone
from reversion.models import Revision, Version

from events import diffs, documents, drafts, permissions
from events.models import Category, Edition, Event, LogEntry, Topic
from events.permissions import User
from events.refusals import NothingChanged, WrongState

# What can be taken back, in the order in which it is read.
FIELDS = tuple(diffs.LABELS)
_NAME = re.compile(r"(v?)([1-9][0-9]{0,8})")
_OF_AN_EDITION = re.compile(rf"Edition [0-9]+ \((?:{'|'.join(Edition.Kind.values)})\), \S+Z(?:\n|\Z)")
_CHUNK = 20


@dataclass(frozen=True)
class Save:
    """One save of the desk's history; a version is the save that it was frozen from, or what is left of it.

    `number` is the `lock_version` in the saved row: saves that are no versions have one each. `address` is what
    `save_of` takes. `place` orders the saves of one event.
    """

    address: str
    name: str
    number: int | None
    edition: Edition | None
    by: User
    at: datetime.datetime
    comment: str
    document: dict | None
    stage: str
    place: tuple
    # Whether it named a category, which may be gone since.
    has_category: bool

    @property
    def cancelled(self) -> bool:
        """Whether it was scheduled as a version that never became public."""
        return self.edition is None and _OF_AN_EDITION.match(self.comment) is not None

    @property
    def has_text(self) -> bool:
        """Whether there is something to compare at its address: a withdrawal has none, nor what was redacted."""
        # A version has a slug as long as it has a document, which the list of saves does not load.
        return bool(self.edition.slug) if self.edition else self.document is not None

    @property
    def redacted(self) -> bool:
        return self.edition is not None and not self.edition.slug and self.edition.kind != Edition.Kind.WITHDRAW


@dataclass(frozen=True)
class Deleted:
    """A draft that was deleted, with its last save."""

    uid: str
    pk: int
    author: User
    created: datetime.datetime
    save: Save

    @property
    def row(self) -> Event:
        """What it is built up from again: without a language, so that it differs from the draft, whatever that says."""
        return Event(
            pk=self.pk,
            uid=self.uid,
            date=datetime.date.fromisoformat(self.save.document["date"]),
            headline=self.save.document["headline"],
            language="",
            author=self.author,
            created=self.created,
            lock_version=self.save.number,
        )


# Reading.


def saves(event_pk: int, before: str | None = None, limit: int = 50) -> list[Save]:
    """An event's newest saves and versions, or those before the one at the address `before`; newest first.

    The document of each is what the working copy said; None for a version whose save is gone, by a redaction say.
    """
    editions = _editions(event_pk)
    frozen = {edition.revision_id for edition in editions.values()}
    revisions = _versions(event_pk).values_list("revision", flat=True)
    places = [*editions, *((revision, 0) for revision in revisions if revision not in frozen)]
    if before:
        end = _place(event_pk, before, editions)
        places = [place for place in places if place < end]
    listed = sorted(places, reverse=True)[:limit]
    rows = _Rows(revision for revision, _number in listed)
    return [_save(rows, event_pk, place, editions.get(place)) for place in listed]


def save_of(event: Event, name: str, at: datetime.datetime | None = None) -> Save | None:
    """What an address names: "12" a save, "v3" a version, "live" what readers see, "now" the working copy; or None.

    The document of a version is what readers were given. Raises WrongState if there is no text at this address.
    """
    match = _NAME.fullmatch(name)
    if name == "now":
        return _working_copy(_copies().get(pk=event.pk))
    if name == "live":
        return _version(event, _live_number(event, at or timezone.now()))
    if match is None:
        return None
    return _version(event, int(match[2])) if match[1] else _numbered(event, int(match[2]))


def document_of(event: Event, revision: int) -> dict | None:
    """What the event said in the save of this revision, or None if its text is gone."""
    rows = _Rows([revision])
    return rows.document(revision, event.pk) if (revision, event.pk) in rows.events else None


def document_at(event: Event, lock_version: int) -> dict | None:
    """What the working copy said when it bore this `lock_version`, or None if no save tells."""
    event = _copies().get(pk=event.pk)
    if lock_version == event.lock_version:
        return drafts.document(event)
    found = None
    for revision, number in _walk(event.pk):
        if found and number < found[1]:
            break
        # Loaded versions that the working copy did not follow bear its number too: the oldest save is the desk's.
        if number <= lock_version:
            found = revision, number
    # Acts without a save count too, but after a redaction the gap may be a save that was removed.
    if not found or (found[1] != lock_version and _was_redacted(event)):
        return None
    return document_of(event, found[0])


# Taking back.


def take_back(event: Event, name: str, fields: Iterable[str], *, by: User, lock_version: int | None = None) -> Event:
    """Copy `fields` of the save or version that `name` addresses into the working copy, as one save of this event.

    Topics are those that stand today for the names of then. A story that comes back alone is put among the topics.
    Raises what `drafts.save` raises, and NothingChanged or WrongState.
    """
    with transaction.atomic():
        # Locked before the text is read, so that a redaction is either done or waits.
        event = drafts.locked_row(event)
        permissions.require(by, "edit", event)
        save = save_of(event, name)
        if save is None:
            raise WrongState("There is no such save of this entry.")
        chosen = _chosen(save, fields)
        saved = drafts.save(event, by=by, comment=f"taken from {save.name}", lock_version=lock_version, **chosen)
        if saved.lock_version == event.lock_version:
            raise NothingChanged("The working copy says the same already, so there is nothing to take back.")
    return saved


def _chosen(save: Save, fields: Iterable[str]) -> dict:
    """These fields of a save as arguments of `drafts.save`."""
    values = drafts.values(save.document)
    chosen = {field: values[field] for field in fields}
    if not chosen:
        raise NothingChanged("Choose at least one part to take back.")
    if save.has_category and "category" in chosen and chosen["category"] is None:
        raise WrongState("Its category is gone. Take back the other parts, and choose a category yourself.")
    return chosen


# Recovering.


def deleted(by: User, limit: int = 50) -> list[Deleted]:
    """The drafts that were deleted last and that `by` may recover, newest first."""
    versions = _deleted_versions()
    if by is not None and not by.has_perm(permissions.NEEDED["recover"]):
        versions = versions.filter(serialized_data__contains=f'"author": {by.pk},')
    found = _deleted(versions[:limit])
    return [draft for draft in found if permissions.may(by, "recover", draft.row)]


def deleted_entry(uid) -> Deleted | None:
    """The deleted draft of this uid."""
    found = _deleted(_deleted_versions().filter(serialized_data__contains=f'"uid": "{uid}"'))
    return next(iter(found), None)


def recover(uid, *, by: User) -> Event:
    """Bring a deleted draft back: the same uid, row, author and history, and what it said when it was deleted."""
    with transaction.atomic():
        draft = deleted_entry(uid)
        if draft is None:
            raise WrongState("There is no deleted entry here. Perhaps it was recovered already.")
        permissions.require(by, "recover", draft.row)
        # Two who recover it at once come one after the other.
        Revision.objects.select_for_update().get(pk=draft.save.place[0])
        if Event.objects.filter(uid=uid).exists():
            raise WrongState("This entry was recovered already.")
        event = draft.row
        if draft.save.stage == Event.Stage.DRAFT:
            event.remark = _remark(draft.pk)
        event.save(force_insert=True)
        return drafts.save(event, by=by, comment="Recovered", **drafts.values(draft.save.document))


def _remark(event_pk: int) -> str:
    """What the editor who sent it back last wants, unless it was scheduled since."""
    for comment in _versions(event_pk).values_list("revision__comment", flat=True).iterator():
        first, _, remark = comment.partition("\n")
        if first == drafts.SENT_BACK:
            return remark
        if _OF_AN_EDITION.match(comment):
            break
    return ""


def _deleted_versions():
    """The last saves of events that are no more."""
    standing = Event.objects.filter(pk=Cast(OuterRef("object_id"), BigIntegerField()))
    # Their numbers first: in one statement, every row that was ever saved may be looked at.
    revisions = list(Revision.objects.filter(comment=drafts.DELETED).values_list("pk", flat=True))
    last = Version.objects.get_for_model(Event).filter(revision__in=revisions)
    return last.exclude(Exists(standing)).order_by("-revision_id")


def _deleted(versions) -> list[Deleted]:
    """An event that was recovered and deleted again has its last save only."""
    places = {}
    for revision, pk in versions.values_list("revision", "object_id"):
        places.setdefault(int(pk), (revision, 0))
    rows = _Rows(revision for revision, _ in places.values())
    kept = {pk: rows.events[revision, pk] for pk, (revision, _) in places.items()}
    authors = get_user_model().objects.in_bulk({fields.get("author") for fields in kept.values()} - {None})
    return [
        Deleted(
            uid=fields["uid"],
            pk=pk,
            author=authors.get(fields.get("author")),
            created=datetime.datetime.fromisoformat(fields["created"]),
            save=_save(rows, pk, places[pk], None),
        )
        for pk, fields in kept.items()
    ]


# The rows that reversion keeps.


class _Rows:
    """The rows of events, with their topics and sources, that were saved in some revisions."""

    def __init__(self, revisions: Iterable[int]):
        self.revisions, self.events = {}, {}
        self.sources, self.topics = defaultdict(list), defaultdict(list)
        kept = {"events.event": self._keep_event, "events.source": self._keep_source}
        kept["events.eventtopic"] = self._keep_topic
        for version in Version.objects.filter(revision__in=set(revisions)).select_related("revision__user"):
            self.revisions[version.revision_id] = version.revision
            row = json.loads(version.serialized_data)[0]
            if row["model"] in kept:
                kept[row["model"]](version.revision_id, row["pk"], row["fields"])
        self._read_names()

    def document(self, revision: int, event: int) -> dict:
        """What an event said in a revision, under the names that its topics and category have today."""
        fields = self.events[revision, event]
        category, story = self.categories.get(fields["category"]), fields["story"]
        return documents.document(
            date=datetime.date.fromisoformat(fields["date"]),
            headline=fields["headline"],
            body=fields["body"],
            category=category and documents.category_value(category.name, category.slug),
            story=self._topic(story) if story else None,
            topics=[self._topic(topic) for topic in self.topics[revision, event]],
            sources=[
                {"name": source["name"], "url": source["url"]}
                for source in sorted(self.sources[revision, event], key=lambda source: source["position"])
            ],
            language=fields["language"],
            origin=fields["origin"],
        )

    def _keep_event(self, revision, pk, fields):
        self.events[revision, pk] = fields

    def _keep_source(self, revision, pk, fields):
        self.sources[revision, fields["event"]].append(fields)

    def _keep_topic(self, revision, pk, fields):
        self.topics[revision, fields["content_object"]].append(fields["tag"])

    def _read_names(self):
        stories = {fields["story"] for fields in self.events.values()} - {None}
        self.names = Topic.objects.select_related("alias_of").in_bulk(stories.union(*self.topics.values()))
        self.categories = Category.objects.in_bulk({fields["category"] for fields in self.events.values()} - {None})

    def _topic(self, pk):
        topic = self.names[pk].canonical
        return documents.topic_value(topic.key, topic.name, topic.slug)


def _copies():
    return Event.objects.select_related("category", "story__alias_of")


def _versions(event_pk: int):
    # In the order of the revisions, which one index holds for each event.
    return Version.objects.get_for_object_reference(Event, event_pk).order_by("-revision_id")


def _editions(event_pk: int) -> dict[tuple, Edition]:
    """Every version of an event by its place; one whose revision is gone stands right after the version before it."""
    places, revision = {}, 0
    editions = Edition.objects.filter(event=event_pk).order_by("number")
    for edition in editions.defer("document").select_related("revision__user"):
        revision = edition.revision_id or revision
        places[revision, edition.number] = edition
    return places


def _place(event_pk, address, editions):
    """Where an address stands in the list; the end of it if nothing is there."""
    match = _NAME.fullmatch(address)
    if match is None:
        return (0,)
    if match[1]:
        return next((place for place in editions if place[1] == int(match[2])), (0,))
    revision = _saved_as(event_pk, int(match[2]))
    return (revision, 0) if revision else (0,)


def _saved_as(event_pk: int, number: int) -> int | None:
    """The revision of a save that is no version."""
    # Within a text the quotation marks are escaped, so only the row's own field reads like this.
    versions = _versions(event_pk).filter(serialized_data__contains=f'"lock_version": {number},')
    return versions.filter(revision__edition=None).values_list("revision", flat=True).first()


def _walk(event_pk: int) -> Iterator[tuple[int, int]]:
    """(revision, `lock_version`) of every save, newest first, read in chunks."""
    versions = _versions(event_pk).values_list("revision", "serialized_data")
    while chunk := list(versions[:_CHUNK]):
        for revision, row in chunk:
            yield revision, json.loads(row)[0]["fields"]["lock_version"]
        versions = versions.filter(revision__lt=chunk[-1][0])


def _was_redacted(event: Event) -> bool:
    return event.log_entries.filter(kind=LogEntry.Kind.REDACT).exists()


def _save(rows: _Rows, event_pk: int, place: tuple, edition: Edition | None) -> Save:
    """What is at a place; of a version that lost its rows, what the edition tells."""
    revision = edition.revision if edition else rows.revisions[place[0]]
    fields = rows.events.get((place[0], event_pk)) if revision else None
    return Save(
        address=f"v{edition.number}" if edition else str(fields["lock_version"]),
        name=f"version {edition.number}" if edition else f"save {fields['lock_version']}",
        number=fields and fields["lock_version"],
        edition=edition,
        by=revision and revision.user,
        at=revision.date_created if revision else edition.issued,
        comment=revision.comment if revision else "",
        document=fields and rows.document(place[0], event_pk),
        stage=fields["stage"] if fields else "",
        place=place,
        has_category=bool(fields and fields["category"]),
    )


def _numbered(event, number):
    revision = _saved_as(event.pk, number)
    return revision and _save(_Rows([revision]), event.pk, (revision, 0), None)


def _version(event, number):
    """A version with its own document, which a restoration may have from another working copy."""
    place, edition = next((found for found in _editions(event.pk).items() if found[0][1] == number), (None, None))
    if edition is None:
        return None
    if edition.document is None:
        lost = "is a withdrawal and has" if edition.kind == Edition.Kind.WITHDRAW else "was redacted and has"
        raise WrongState(f"Version {number} {lost} no text. Choose another one.")
    save = _save(_Rows([place[0]]), event.pk, place, edition)
    document = documents.read(edition.document, edition.schema)
    return replace(save, document=document, has_category=bool(document["category"]))


def _live_number(event, at):
    number = Edition.objects.current(at).filter(event=event).values_list("number", flat=True).first()
    if number is None:
        raise WrongState("Readers see nothing of this entry now. Choose a save or a version instead.")
    return number


def _working_copy(event):
    document = drafts.document(event)
    return Save(
        address="now",
        name="the working copy",
        number=event.lock_version,
        edition=None,
        by=None,
        at=event.modified,
        comment="",
        document=document,
        stage=event.stage,
        place=(float("inf"),),
        has_category=bool(document["category"]),
    )
