"""Writes planned additions in bulk: the same rows as publishing one by one, in a constant number of queries a batch."""

import secrets
import uuid
from collections.abc import Iterator
from itertools import pairwise

from django.contrib.contenttypes.models import ContentType
from reversion.models import Revision
from reversion.models import Version as Save

from events import documents, search
from events.importers import saves
from events.importers.loading.names import category_rows
from events.importers.loading.plans import Addition, Step
from events.importers.records import Text
from events.log import Act
from events.models import Address, Edition, EditionHost, EditionTopic, Event, EventTopic, LogEntry, Source, Topic
from events.publishing import revision_comment

_VALUES = ("date", "headline", "body", "category_id", "story_id", "language", "origin")
_COPY = (*_VALUES, "stage", "withdrawn", "lock_version", "modified")


def write(act: Act, additions: list[Addition]) -> None:
    """Write the additions into the record, in order, as part of `act`."""
    rows = _Rows(additions)
    _read_parts(additions, rows)
    _write_events(additions, rows)
    _write_parts(additions, rows)
    _write_editions(additions, rows)
    _write_log(act, additions, rows)


class _Rows:
    """The rows that texts name: categories, and topics by key."""

    def __init__(self, additions: list[Addition]):
        texts = [text for addition in additions for text in _texts(addition)]
        self.categories = category_rows(text.category for text in texts if text.category)
        self.topics = Topic.objects.named(name for text in texts for name in text.topics.values())

    def topic_ids(self, text: Text) -> set[int]:
        """The rows that the topics of a text mean today."""
        return {self.topics[key].canonical.pk for key in text.topics}

    def values(self, text: Text) -> dict:
        """What a working copy that says this text has in its fields."""
        return {
            "date": text.date,
            "headline": text.headline,
            "body": text.body,
            "category_id": self.categories[text.category].pk if text.category else None,
            "story_id": self.topics[text.story].canonical.pk if text.story else None,
            "language": text.language,
            "origin": text.origin,
        }

    def document(self, text: Text) -> dict:
        """The text as an edition freezes it: the names as they were given, the slugs as the rows have them."""
        topics = [documents.topic_value(key, name, self.topics[key].slug) for key, name in text.topics.items()]
        category = text.category
        return documents.document(
            date=text.date,
            headline=text.headline,
            body=text.body,
            category=category and documents.category_value(category.name, self.categories[category].slug),
            story=next((topic for topic in topics if topic["key"] == text.story), None),
            topics=topics,
            sources=[{"name": name, "url": url} for name, url in text.sources],
            language=text.language,
            origin=text.origin,
        )


def _texts(addition: Addition) -> Iterator[Text]:
    if addition.former:
        yield addition.former
    for step in addition.steps:
        yield step.text


# The working copies.


def _read_parts(additions: list[Addition], rows: _Rows) -> None:
    """Read the sources and topics of known events, and whether their working copies are what readers see."""
    known = {addition.event.pk: addition for addition in additions if addition.event}
    if not known:
        return
    for source in Source.objects.filter(event__in=known):
        known[source.event_id].sources[source.position] = source
    for link in EventTopic.objects.filter(content_object__in=known):
        known[link.content_object_id].links[link.tag_id] = link
    for addition in known.values():
        addition.follows = _is_public(addition, rows)


def _is_public(addition: Addition, rows: _Rows) -> bool:
    """Whether the working copy says what the last edition does, so that it may follow the next one."""
    event, text = addition.event, addition.former
    if text is None:
        return False
    sources = tuple((source.name, source.url) for _, source in sorted(addition.sources.items()))
    return (
        {name: getattr(event, name) for name in _VALUES} == rows.values(text)
        and sources == text.sources
        and addition.links.keys() == rows.topic_ids(text)
    )


def _write_events(additions: list[Addition], rows: _Rows) -> None:
    new, known = [], []
    for addition in additions:
        (known if addition.event else new).append(addition)
        addition.event = addition.event or _new_event(addition)
        _copy_texts(addition, rows)
    Event.objects.bulk_create(addition.event for addition in new)
    Event.objects.bulk_update((addition.event for addition in known), _COPY)


def _new_event(addition: Addition) -> Event:
    history = addition.history
    return Event(uid=history.uid or uuid.uuid4(), ref=history.ref, created=addition.steps[0].version.published)


def _copy_texts(addition: Addition, rows: _Rows) -> None:
    """Give each step the working copy that it is frozen from, and the event the last, unless the desk has its own."""
    event = addition.event
    copy = {name: getattr(event, name) for name in _COPY}
    for step in addition.steps:
        copy = copy | rows.values(step.text) | {"withdrawn": step.version.kind == Edition.Kind.WITHDRAW}
        if addition.follows:
            version = copy["lock_version"] + bool(step.version.text)
            copy |= {"stage": Event.Stage.READY, "lock_version": version, "modified": step.version.published}
        step.copy = copy
    before = event.lock_version
    for name in _COPY if addition.follows else ["withdrawn"]:
        setattr(event, name, copy[name])
    if event.pk and event.lock_version == before:
        # Whoever has the entry open decides about another one than they see.
        event.lock_version += 1


# Sources and links to topics. Those that only older versions had are written too, and deleted again: the saves that
# name them must name keys that were really theirs.


def _write_parts(additions: list[Addition], rows: _Rows) -> None:
    doomed_sources, doomed_links = [], []
    for addition in additions:
        positions, topics = _kept(addition, rows)
        _set_sources(addition)
        _set_links(addition, rows)
        doomed_sources += [row for position, row in addition.sources.items() if position not in positions]
        doomed_links += [row for topic, row in addition.links.items() if topic not in topics]
    _write_rows(Source, [row for addition in additions for row in addition.sources.values()], ["name", "url"])
    _write_rows(EventTopic, [row for addition in additions for row in addition.links.values()], [])
    Source.objects.filter(pk__in=[row.pk for row in doomed_sources]).delete()
    EventTopic.objects.filter(pk__in=[row.pk for row in doomed_links]).delete()


def _kept(addition: Addition, rows: _Rows) -> tuple[set[int], set[int]]:
    """The positions of the sources and the topics that the working copy has in the end."""
    if not addition.follows:
        return set(addition.sources), set(addition.links)
    text = addition.steps[-1].text
    return set(range(1, len(text.sources) + 1)), rows.topic_ids(text)


def _set_sources(addition: Addition) -> None:
    for step in addition.steps:
        for position, (name, url) in enumerate(step.text.sources, 1):
            row = addition.sources.setdefault(position, Source(event_id=addition.event.pk, position=position))
            if addition.follows or row.pk is None:
                row.name, row.url = name, url


def _set_links(addition: Addition, rows: _Rows) -> None:
    topics = set().union(*(rows.topic_ids(step.text) for step in addition.steps))
    for topic in sorted(topics - addition.links.keys()):
        addition.links[topic] = EventTopic(content_object_id=addition.event.pk, tag_id=topic)


def _write_rows(model, rows: list, changed: list[str]) -> None:
    known = [row for row in rows if row.pk]
    if known and changed:
        model.objects.bulk_update(known, changed)
    model.objects.bulk_create(row for row in rows if not row.pk)


# Editions, the saves that they are frozen from, and the log.


def _write_editions(additions: list[Addition], rows: _Rows) -> None:
    ended = []
    for addition in additions:
        ended += _make_editions(addition, rows)
    _write_saves(additions, rows)
    Edition.objects.bulk_update(ended, ["superseded"])
    steps = [step for addition in additions for step in addition.steps]
    Edition.objects.bulk_create(step.edition for step in steps)
    Address.objects.bulk_create(
        Address(date=date, slug=slug, event_id=addition.event.pk)
        for addition in additions
        for date, slug in addition.taken
    )
    EditionTopic.objects.bulk_create(
        EditionTopic(edition_id=step.edition.pk, topic_id=topic, date=step.version.date)
        for step in steps
        if step.version.text
        for topic in sorted(rows.topic_ids(step.text))
    )
    EditionHost.objects.bulk_create(
        EditionHost(edition_id=step.edition.pk, host=host, date=step.version.date)
        for step in steps
        if step.version.text
        for host in documents.hosts(step.edition.document)
    )
    search.index(step.edition for step in steps if step.version.text)


def _make_editions(addition: Addition, rows: _Rows) -> list[Edition]:
    """Make an event's new editions; returns the one that they supersede, if there is one."""
    for step in addition.steps:
        step.edition = _edition(addition.event, step, rows)
    editions = [*addition.standing[-1:], *(step.edition for step in addition.steps)]
    for before, after in pairwise(editions):
        before.superseded = after.issued
    return addition.standing[-1:]


def _edition(event: Event, step: Step, rows: _Rows) -> Edition:
    version, text = step.version, step.version.text
    document = rows.document(text) if text else None
    # The digest of a redacted text is lost with its salt; that of nothing, under a salt that nobody keeps, stands in.
    salt = secrets.token_hex(16) if text or version.redacted else ""
    return Edition(
        event_id=event.pk,
        number=step.number,
        kind=version.kind,
        note=version.note,
        issued=version.published,
        date=version.date,
        slug=step.slug,
        category_id=rows.categories[text.category].pk if text and text.category else None,
        document=document,
        schema=documents.SCHEMA,
        salt=salt if text else "",
        commitment=documents.commitment(salt, document, version.note, step.slug),
    )


def _write_saves(additions: list[Addition], rows: _Rows) -> None:
    saved = [(addition, step) for addition in additions for step in addition.steps if not step.version.redacted]
    revisions = Revision.objects.bulk_create(
        Revision(
            date_created=step.version.published,
            comment=revision_comment(step.version.kind, step.number, step.version.published),
        )
        for _, step in saved
    )
    for (_, step), revision in zip(saved, revisions, strict=True):
        step.edition.revision_id = revision.pk
    types = {model: ContentType.objects.get_for_model(model).pk for model in (Event, Source, EventTopic)}
    Save.objects.bulk_create(
        Save(
            revision_id=step.edition.revision_id,
            object_id=str(pk),
            content_type_id=types[model],
            db="default",
            format="json",
            serialized_data=data,
            object_repr=name,
        )
        for addition, step in saved
        for model, pk, data, name in _saved_rows(addition, step, rows)
    )


def _saved_rows(addition: Addition, step: Step, rows: _Rows) -> Iterator[tuple]:
    """The rows of the event as they were at a step, in reversion's order."""
    event, text = addition.event, step.text
    yield Event, event.pk, saves.event(event, step.copy), text.headline
    for position, (name, url) in enumerate(text.sources, 1):
        pk = addition.sources[position].pk
        yield Source, pk, saves.source(pk, event.pk, position, name, url), name
    topics = {row.pk: row for row in (rows.topics[key].canonical for key in text.topics)}
    for pk, topic in sorted((addition.links[topic].pk, topic) for topic in topics):
        name = f"{text.headline} tagged with {topics[topic].name}"
        yield EventTopic, pk, saves.topic_link(pk, topic, event.pk), name


def _write_log(act: Act, additions: list[Addition], rows: _Rows) -> None:
    for addition in additions:
        for step in addition.steps:
            _enter(act, addition.event, step.edition)
        for step in addition.steps:
            if step.version.redacted:
                note = step.version.redaction
                act.append(
                    LogEntry.Kind.REDACT,
                    None,
                    occurred=act.now,
                    event=addition.event,
                    edition=step.edition,
                    note=note,
                )
        last = addition.standing[-1:]
        before = rows.topic_ids(addition.former) if last and last[0].document else ()
        text = addition.steps[-1].version.text
        act.count(before, rows.topic_ids(text) if text else ())


def _enter(act: Act, event: Event, edition: Edition) -> None:
    act.append(
        edition.kind,
        None,
        occurred=edition.issued,
        event=event,
        edition=edition,
        note=edition.note,
        commitment=edition.commitment,
    )
