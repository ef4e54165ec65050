"""The public record as lines of the import format: what is issued and in the log, and nothing that only the desk knows.

Reads a few hundred events at a time, in the order in which they entered the log, so that loading the lines into an
empty database makes the same record again.
"""

import json
from collections import defaultdict
from collections.abc import Iterator

from django.db.models import Exists, OuterRef, Prefetch

from events import documents, slugs
from events.log import snapshot
from events.models import Category, Edition, EditionTopic, Event, LogEntry, LogHead, RelatedChoice, Topic
from events.publishing import ARROW, address_slug

CHUNK = 500
Kind = LogEntry.Kind


def lines() -> Iterator[str]:
    """The record as it is when the first line is asked for; what becomes due must have been logged before."""
    with snapshot():
        head = LogHead.objects.get()
        categories = dict(Category.objects.values_list("name", "slug"))
        for values in (_categories(categories), _topics(head), _events(head, categories), _choices(head)):
            for value in values:
                yield json.dumps(value, ensure_ascii=False)


def _categories(categories: dict[str, str]) -> Iterator[dict]:
    if categories:
        named = [_named(name, slug, slugs.slugify(name) or "category") for name, slug in categories.items()]
        yield {"categories": named}


def _named(name: str, slug: str, plain: str) -> str | dict:
    """A name, with its slug where that is not the one that the name gives."""
    return name if slug == plain else {"name": name, "slug": slug}


# Topics.


def _topics(head: LogHead) -> Iterator[dict]:
    """The topics that public editions bear, oldest first, so that their slugs come out the same."""
    public = EditionTopic.objects.filter(topic=OuterRef("pk"), edition__issued__lte=head.recorded)
    aliases = Prefetch("aliases", Topic.objects.order_by("pk"))
    topics = Topic.objects.filter(Exists(public), alias_of=None).prefetch_related(aliases).order_by("pk")
    former = _former_spellings(head)
    for topic in _paged(topics, "pk"):
        yield _topic(topic, former.get(topic.key))


def _topic(topic: Topic, former: str | None) -> dict:
    value = {"topic": topic.name}
    if topic.slug != slugs.topic_slug(topic.name):
        value["slug"] = topic.slug
    aliases = [_named(alias.name, alias.slug, slugs.topic_slug(alias.name)) for alias in topic.aliases.all()]
    if former and former != topic.name:
        aliases.append(former)
    return value | {"aliases": aliases} if aliases else value


def _former_spellings(head: LogHead) -> dict[str, str]:
    """By key, how a topic was spelled before a renaming that left its key as it was, and so made no alias."""
    notes = LogEntry.objects.filter(kind=Kind.TOPIC_RENAME, seq__lte=head.seq).order_by("seq")
    former = {}
    for note in notes.values_list("note", flat=True):
        parts = note.split(ARROW)
        for cut in range(1, len(parts)):
            old, new = ARROW.join(parts[:cut]), ARROW.join(parts[cut:])
            if slugs.fold(old) == slugs.fold(new):
                former[slugs.fold(old)] = old
    return former


# Events.


def _events(head: LogHead, categories: dict[str, str]) -> Iterator[dict]:
    first = LogEntry.objects.filter(kind=Kind.PUBLISH, seq__lte=head.seq).select_related("event").order_by("seq")
    for chunk in _chunks(first, "seq"):
        events = [entry.event for entry in chunk]
        entries = defaultdict(list)
        for entry in _entries(head, events):
            entries[entry.event_id].append(entry)
        for event in events:
            yield _event(event, entries[event.pk], categories)


def _entries(head: LogHead, events: list[Event]):
    return LogEntry.objects.filter(event__in=events, seq__lte=head.seq).select_related("edition").order_by("seq")


def _event(event: Event, entries: list[LogEntry], categories: dict[str, str]) -> dict:
    editions = [entry.edition for entry in entries if entry.kind != Kind.REDACT]
    reasons = {entry.edition_id: entry.note for entry in entries if entry.kind == Kind.REDACT}
    texts = [documents.read(edition.document, edition.schema) for edition in editions if edition.document]
    shared = {name: texts[0][name] for name in ("language", "origin") if texts and _agree(texts, name)}
    date = texts[-1]["date"] if texts else editions[-1].date.isoformat()
    value = {"ref": event.ref, "uid": str(event.uid), "date": date, **shared}
    plain = _plain_slugs(editions)
    value["versions"] = [
        _version(edition, plain.get(edition), {"date": date, **shared}, reasons, categories) for edition in editions
    ]
    return {name: given for name, given in value.items() if given is not None}


def _agree(texts: list[dict], name: str) -> bool:
    return all(text[name] == texts[0][name] for text in texts)


def _plain_slugs(editions: list[Edition]) -> dict[Edition, str]:
    """The slug that loading gives each edition if it is told none and nobody else has it."""
    plain, mine = {}, defaultdict(set)
    for edition in editions:
        if edition.document:
            plain[edition] = address_slug(edition.document["headline"], mine[edition.date], set())
            mine[edition.date].add(edition.slug)
    return plain


def _version(edition: Edition, plain: str | None, shared: dict, reasons: dict, categories: dict) -> dict:
    value = {"published": documents.rfc3339(edition.issued), "kind": edition.kind}
    if edition.document:
        value |= _text(documents.read(edition.document, edition.schema), shared, categories)
    elif edition.kind != Kind.WITHDRAW:
        value |= {"redacted": True, "redaction": reasons.get(edition.pk, "")}
    if edition.kind != Kind.WITHDRAW and edition.date.isoformat() != shared["date"]:
        value["date"] = edition.date.isoformat()
    if edition.document and edition.slug != plain:
        value["slug"] = edition.slug
    return value | {"note": edition.note} if edition.note else value


def _text(document: dict, shared: dict, categories: dict[str, str]) -> dict:
    """A document in the words of the format, without what the event says for all its versions and what is empty."""
    category, story = document["category"], document["story"]
    value = {
        "headline": document["headline"],
        "body": document["body"],
        "category": category and _named(category["name"], category["slug"], categories.get(category["name"])),
        "story": story and story["name"],
        "topics": [topic["name"] for topic in document["topics"]],
        "sources": [{"name": source["name"], "url": source["url"]} for source in document["sources"]],
    }
    own = {name: document[name] for name in ("language", "origin") if name not in shared}
    return {name: item for name, item in value.items() if item} | own


# What editors chose to show beside an event.


def _choices(head: LogHead) -> Iterator[dict]:
    public = LogEntry.objects.filter(kind=Kind.PUBLISH, seq__lte=head.seq)
    choices = RelatedChoice.objects.select_related("event", "other").order_by("pk")
    both = choices.filter(
        Exists(public.filter(event=OuterRef("event"))), Exists(public.filter(event=OuterRef("other")))
    )
    for choice in _paged(both, "pk"):
        yield {"related": str(choice.other.uid), "of": str(choice.event.uid), "shown": choice.shown}


# Reading in chunks, each by its own query, so that neither memory nor a cursor is held.


def _paged(rows, key: str) -> Iterator:
    for chunk in _chunks(rows, key):
        yield from chunk


def _chunks(rows, key: str) -> Iterator[list]:
    last = 0
    while chunk := list(rows.filter(**{f"{key}__gt": last})[:CHUNK]):
        yield chunk
        last = getattr(chunk[-1], key)
