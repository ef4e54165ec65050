"""The desk's own acts on a working copy: save, submit, send back, delete. Each is one save of the desk's history.

Knows nothing of the public record, which only `publishing` writes.
"""

import datetime

import reversion
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone

from events import documents, permissions, texts
from events.models import Category, Edition, Event, EventTopic, Source, Topic
from events.permissions import User
from events.refusals import NoteRequired, Stale, WrongState

Stage = Event.Stage
# What the last save of a deleted entry is called in the history.
DELETED = "Deleted"
# What the comment of a save opens with that sent an entry back; the remark follows on its own lines.
SENT_BACK = "Sent back"
FIELDS = ("date", "headline", "body", "category", "story", "language", "origin")


def save(
    event: Event, *, by: User = None, topics=None, sources=None, comment="", lock_version: int | None = None, **values
) -> Event:
    """Save `values` of FIELDS into the working copy, new or old, as one save of the desk's history.

    `topics` are topic rows, `sources` are (name, url) pairs in order; None leaves them as they are. A story is put
    among the topics. What changes nothing is no save. A copy that was ready is a draft again, unless it says what its
    latest edition says. Raises ValidationError, PermissionDenied, or Stale if `lock_version` is no longer the row's.
    """
    with transaction.atomic():
        event = _locked(event, by, "edit", lock_version) if event.pk else _new(event, by)
        return write(event, by=by, topics=topics, sources=sources, comment=comment, **values)


def write(event: Event, *, by: User, topics=None, sources=None, comment="", **values) -> Event:
    """The same for an event whose row is locked, by an act that asked for its permission."""
    if unknown := values.keys() - set(FIELDS):
        raise TypeError(f"no such field: {', '.join(unknown)}")
    copy = _Copy(event)
    copy.put(values, topics, sources)
    if not copy.changed:
        return event
    return _saved(event, by, comment, copy, stage=copy.stage())


def submit(event: Event, *, by: User, lock_version: int | None = None, comment: str = "") -> Event:
    """Hand a draft to the editors."""
    with transaction.atomic():
        event = _locked(event, by, "submit", lock_version)
        if event.stage != Stage.DRAFT:
            raise WrongState("Only a draft can be submitted; this entry is not one.")
        _check_comment(comment)
        event.remark = ""
        return _saved(event, by, "\n".join(filter(None, ["Submitted", comment])), stage=Stage.REVIEW)


def send_back(event: Event, *, by: User, comment: str = "", lock_version: int | None = None) -> Event:
    """Make an entry in review a draft again. Its author sees the comment; who takes back one's own needs none."""
    with transaction.atomic():
        event = _locked(event, by, "send back", lock_version)
        if event.stage != Stage.REVIEW:
            raise WrongState("Only an entry in review can be sent back.")
        if not comment.strip() and not permissions.is_own(by, event):
            raise NoteRequired("Say what has to change; the author reads it.")
        _check_comment(comment)
        event.remark = comment
        return _saved(event, by, "\n".join(filter(None, [SENT_BACK, comment])), stage=Stage.DRAFT)


def delete(event: Event, *, by: User, lock_version: int | None = None) -> None:
    """Delete an entry that was never public; its history stays, and `history.recover` brings it back."""
    with transaction.atomic():
        event = _locked(event, by, "delete", lock_version)
        if event.editions.exists():
            raise WrongState("Only what was never public nor is scheduled can be deleted. Withdraw this entry instead.")
        # The last save of the history says who deleted it.
        _saved(event, by, DELETED, stage=event.stage)
        event.delete()


def values(document: dict) -> dict:
    """A document as arguments of `save`: rows for its names, as they stand today. A category that is gone is none."""
    rows = Topic.objects.standing_for([document])
    story, category = document["story"], document["category"]
    return {
        "date": datetime.date.fromisoformat(document["date"]),
        "headline": document["headline"],
        "body": document["body"],
        "category": category and Category.objects.filter(slug=category["slug"]).first(),
        "story": story and rows[story["key"]],
        "topics": [rows[topic["key"]] for topic in document["topics"]],
        "sources": [(source["name"], source["url"]) for source in document["sources"]],
        "language": document["language"],
        "origin": document["origin"],
    }


def parts(event: Event) -> tuple[list[Topic], list[Source]]:
    """The topics of the working copy, aliases resolved, its story too, and the sources in order."""
    topics = [topic.canonical for topic in event.topics.select_related("alias_of")]
    if event.story:
        event.story = event.story.canonical
    return topics, list(event.sources.order_by("position"))


def document(event: Event) -> dict:
    """What the working copy says now."""
    return documents.freeze(event, *parts(event))


def says_what_is_published(event: Event) -> bool:
    """Whether the working copy is equal to the text of its latest version, scheduled ones included."""
    return _Copy(event).is_published()


def _check_comment(comment):
    if problem := texts.text_problem(comment, texts.MAX_NOTE):
        raise ValidationError({"comment": problem})


def _new(event, by):
    permissions.require(by, "write")
    event.author = by
    return event


def _locked(event, by, verb, lock_version):
    event = locked_row(event)
    permissions.require(by, verb, event)
    if lock_version is not None and lock_version != event.lock_version:
        raise Stale
    return event


def locked_row(event: Event) -> Event:
    """The event as the database has it, its row locked."""
    row = Event.objects.select_for_update().filter(pk=event.pk).first()
    if row is None:
        raise WrongState("This entry was deleted in the meantime. Editors find it under “Deleted drafts”.")
    return row


def _saved(event, by, comment, copy=None, *, stage):
    with reversion.create_revision():
        reversion.set_user(by)
        reversion.set_comment(comment)
        event.stage = stage
        event.remark = "" if stage == Stage.READY else event.remark
        event.lock_version += 1
        event.modified = timezone.now()
        event.save()
        if copy:
            copy.save()
        reversion.add_to_revision(event)
    return event


class _Copy:
    """A working copy in the making: the event's row with the topics and sources that belong to it."""

    def __init__(self, event):
        self.event = event
        self.topics = set(event.topic_links.values_list("tag_id", flat=True)) if event.pk else set()
        self.rows = {source.position: source for source in event.sources.all()} if event.pk else {}
        self.sources = [(source.name, source.url) for _position, source in sorted(self.rows.items())]
        self.before = self._state() if event.pk else None

    def put(self, values, topics, sources):
        """Take values over, and refuse what may not be stored before anything is."""
        for field, value in values.items():
            setattr(self.event, field, value)
        if topics is not None:
            self.topics = {topic.canonical.pk for topic in topics}
        if self.event.story_id:
            self.topics = self.topics | {self.event.story_id}
        if sources is not None:
            self.sources = [tuple(source) for source in sources]
        self._clean()

    @property
    def changed(self):
        return self._state() != self.before

    def stage(self):
        """Where the changed copy stands: ready only if it says what its latest edition says."""
        if self.is_published():
            return Stage.READY
        return Stage.DRAFT if self.event.stage == Stage.READY else self.event.stage

    def is_published(self):
        versions = self.event.editions.exclude(kind=Edition.Kind.WITHDRAW) if self.event.pk else Edition.objects.none()
        last = versions.order_by("-number").first()
        return bool(last and last.document) and self._same_as(documents.read(last.document, last.schema))

    def save(self):
        links = self.event.topic_links
        held = set(links.values_list("tag_id", flat=True))
        links.filter(tag_id__in=held - self.topics).delete()
        EventTopic.objects.bulk_create(
            EventTopic(content_object=self.event, tag_id=pk) for pk in sorted(self.topics - held)
        )
        for source in self._source_rows():
            source.event = self.event
            source.save()
        self.event.sources.filter(position__gt=len(self.sources)).delete()

    def _state(self):
        return [getattr(self.event, field) for field in FIELDS], self.topics, self.sources

    def _clean(self):
        self.event.clean()
        if len(self.topics) > documents.MAX_TOPICS:
            raise ValidationError({"topics": f"Keep to {documents.MAX_TOPICS} topics."})
        if len(self.sources) > documents.MAX_SOURCES:
            raise ValidationError({"sources": f"Keep to {documents.MAX_SOURCES} sources."})
        for source in self._source_rows():
            source.clean()

    def _source_rows(self):
        for position, (name, url) in enumerate(self.sources, 1):
            source = self.rows.get(position) or Source(position=position)
            source.name, source.url = name, url
            yield source

    def _same_as(self, published):
        rows = Topic.objects.in_bulk(self.topics).values()
        copy = documents.freeze(self.event, rows, list(self._source_rows()))
        return documents.same(published, copy, Topic.objects.resolution([published, copy]))
