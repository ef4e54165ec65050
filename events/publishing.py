"""The only writer of the public record: editions, addresses and log entries.

Every verb checks the permission of `by` (None is the operator, who holds the database anyway), takes the lock of the
log's head, reads the clock after it, logs what fell due in the meantime, and leaves all or nothing.
"""

import datetime
import json
import secrets
from typing import NamedTuple

import reversion
from django.contrib.contenttypes.models import ContentType
from django.core.exceptions import ValidationError
from django.db.models import Q
from django.utils import timezone
from reversion.models import Revision, Version

from events import documents, drafts, merging, permissions, search, slugs, texts
from events.log import public_act, topic_uses
from events.models import (
    Address,
    Category,
    CorrectionsPolicy,
    Edition,
    EditionHost,
    EditionTopic,
    Event,
    EventTopic,
    LogEntry,
    RelatedChoice,
    Topic,
)
from events.permissions import User
from events.refusals import (
    BadMoment,
    BadTopic,
    NoteRequired,
    NothingChanged,
    NotMinor,
    NotPending,
    Overtaken,
    Pending,
    Stale,
    WrongKind,
    WrongState,
)

Kind = Edition.Kind
ARROW = " → "
OVERRIDDEN = "Minor by override: "


class CorrectedNow(NamedTuple):
    """The correction that is public, and the version that is `scheduled` again or None.

    `conflicts` are the fields for which it is not; `unmerged` those in which what was written since keeps its own text.
    """

    edition: Edition
    scheduled: Edition | None
    conflicts: list[str]
    unmerged: list[str]


# The verbs.


def publish(
    event: Event, *, by: User, kind: str = Kind.PUBLISH, note: str = "", lock_version: int | None = None, override=""
) -> Edition:
    """Freeze the working copy as the event's current edition, public from this second on.

    `lock_version` is the one that the editor saw. `override`, a chief's reason, lets a change of facts pass as minor.
    Raises `Refused` and its children, `ValidationError` or `PermissionDenied`.
    """
    with public_act(by, "publish") as act:
        event = _locked(event, by, "publish", lock_version)
        last = _last(event)
        if last and last.issued > act.now and not _is_logged(last, act):
            raise Pending("A version is scheduled already. Cancel the schedule first, or correct now.")
        document, overridden = _next_document(event, last, kind, note, by, override)
        issued = max(act.now, last.issued) if last else act.now
        edition = _freeze(event, last, kind, note, issued, document, by, overridden)
        act.enter(edition, by)
    return edition


def schedule(
    event: Event,
    *,
    by: User,
    issue: datetime.datetime,
    kind: str = Kind.PUBLISH,
    note: str = "",
    lock_version: int | None = None,
    override="",
) -> Edition:
    """Freeze the working copy as the edition that becomes public by itself at `issue`, a whole minute in the future."""
    with public_act(by, "schedule") as act:
        event = _locked(event, by, "schedule", lock_version)
        last = _last(event)
        if last and last.issued > act.now and not _is_logged(last, act):
            raise Pending("A version is scheduled already. Cancel the schedule first.")
        _require_future(issue, act)
        document, overridden = _next_document(event, last, kind, note, by, override)
        return _freeze(event, last, kind, note, issue, document, by, overridden)


def unschedule(event: Event, *, by: User, lock_version: int | None = None) -> None:
    """Delete the pending edition: it was never public, so its number, interval and address are given back."""
    with public_act(by, "unschedule") as act:
        event = _locked(event, by, "unschedule", lock_version)
        if not _drop_pending(event, act):
            raise NotPending("Nothing is scheduled; what was due is public already. Withdraw or correct it instead.")


def correct_now(
    event: Event, *, by: User, note: str, kind: str = Kind.CORRECTION, lock_version: int | None = None, **corrected
) -> CorrectedNow:
    """Publish a change of the live version while another is scheduled, and schedule that other again with the change.

    `corrected` is what `drafts.save` takes: what shall read otherwise in the live version. The scheduled version, and
    what was written since, get the same changes as far as they do not touch the same fields; where they do, each text
    is a save of the history, and nothing is scheduled again.
    """
    with public_act(by, "correct now") as act:
        event = _locked(event, by, "correct now", lock_version)
        pending, live = _pending_and_live(event, act)
        written, stands = drafts.document(event), (event.stage, event.remark)
        is_ahead = not _say_the_same(written, pending.document)
        _drop_pending(event, act)
        values = drafts.values(documents.read(live.document, live.schema)) | corrected
        event = drafts.write(event, by=by, comment="The live version, to correct it", **values)
        document, _ = _next_document(event, live, kind, note, by, "")
        edition = _freeze(event, live, kind, note, max(act.now, live.issued), document, by, "")
        act.enter(edition, by)
        scheduled, conflicts = _schedule_again(event, by, pending, live, edition)
        unmerged = _take_up(event, by, written, stands, live, edition) if is_ahead else []
    return CorrectedNow(edition, scheduled, conflicts, unmerged)


def withdraw(event: Event, *, by: User, note: str, lock_version: int | None = None) -> Edition:
    """Take the event from the public, now: every address of it answers 410 with `note` until it is restored.

    A pending edition is dropped with it, so that nothing withdrawn comes back by the clock.
    """
    with public_act(by, "withdraw") as act:
        event = _locked(event, by, "withdraw", lock_version)
        _require_note(note, "Give the reason that readers and partners will see.")
        if event.withdrawn:
            raise WrongState("This entry is withdrawn already.")
        scheduled = _drop_pending(event, act)
        last = _last(event)
        if last is None:
            instead = "Cancel its schedule instead." if scheduled else "Delete the draft instead."
            raise WrongState(f"This entry was never public. {instead}")
        event.withdrawn = True
        edition = _record(
            event, last, by, kind=Kind.WITHDRAW, note=note, issued=max(act.now, last.issued), date=last.date
        )
        act.enter(edition, by)
    return edition


def restore(event: Event, *, by: User, note: str = "", lock_version: int | None = None) -> Edition:
    """Make a withdrawn event public again, with a document equal to the one that was withdrawn."""
    with public_act(by, "restore") as act:
        event = _locked(event, by, "restore", lock_version)
        _check_note(note)
        if not event.withdrawn:
            raise WrongState("This entry is not withdrawn.")
        withdrawal = _last(event)
        former = event.editions.get(number=withdrawal.number - 1)
        if former.document is None:
            raise WrongState("The version that was withdrawn has been redacted. Write a new entry.")
        event.withdrawn = False
        edition = _record(
            event,
            withdrawal,
            by,
            kind=Kind.RESTORE,
            note=note,
            issued=max(act.now, withdrawal.issued),
            date=former.date,
            slug=former.slug,
            category_id=former.category_id,
            document=former.document,
            schema=former.schema,
        )
        act.enter(edition, by)
    return edition


def redact(event: Event, number: int, *, by: User, note: str, lock_version: int | None = None) -> Edition:
    """Remove the text of one superseded edition for good, and the desk's saves that hold its headline or body."""
    with public_act(by, "redact") as act:
        event = _locked(event, by, "redact", lock_version)
        _require_note(note, "Give the reason that readers will see in its place.")
        edition = event.editions.filter(number=number, issued__lte=act.now).first()
        if edition is None or edition.document is None:
            raise WrongState("There is no text to redact in this version.")
        if not event.withdrawn and (edition.superseded is None or edition.superseded > act.now):
            raise WrongState("This is the current version. Publish its replacement or withdraw the entry first.")
        event.remark = ""  # it may quote what has to go
        event.save(update_fields=["lock_version", "remark"])
        _forget_saves(edition)
        _clear(edition)
        act.append(LogEntry.Kind.REDACT, by, occurred=act.now, event=event, edition=edition, note=note)
    return edition


def merge_topics(old: Topic, into: Topic, *, by: User) -> Topic:
    """Make `old` an alias of `into`: its events move, its name and address lead there, no frozen document changes."""
    with public_act(by, "merge topics") as act:
        old, into = _canonical(old), _canonical(into)
        if old == into:
            raise BadTopic(f"“{old}” and “{into}” are the same topic already.")
        _require_no_embargo(old, act)
        _lock_events_with(old, into)
        Topic.objects.filter(alias_of=old).update(alias_of=into)
        _repoint(EventTopic.objects, "tag", "content_object", old, into)
        _repoint(EditionTopic.objects, "topic", "edition", old, into)
        Event.objects.filter(story=old).update(story=into)
        old.alias_of, old.uses = into, 0
        old.save(update_fields=["alias_of", "uses"])
        act.append(LogEntry.Kind.TOPIC_MERGE, by, occurred=act.now, note=_arrow(old.name, into.name))
        into.uses = topic_uses(act.head.recorded).filter(topic=into).count()
        into.save(update_fields=["uses"])
    return into


def rename_topic(topic: Topic, name: str, *, by: User) -> Topic:
    """Give `topic` another name; the old one stays as alias and its slug as redirect."""
    with public_act(by, "rename topic") as act:
        topic = _canonical(topic)
        old_name = topic.name
        Topic(name=name).clean()
        if name == old_name:
            raise NothingChanged("The topic has this name already.")
        taken = Topic.objects.filter(key=slugs.fold(name)).exclude(pk=topic.pk).first()
        if taken and taken.alias_of_id != topic.pk:
            raise BadTopic(f"There is a topic “{taken}” already. Merge the two instead.")
        _require_no_embargo(topic, act)
        if _is_of_the_desk(topic):
            _correct_name(topic, name)
        else:
            _give_name(topic, name, taken)
            act.append(LogEntry.Kind.TOPIC_RENAME, by, occurred=act.now, note=_arrow(old_name, name))
    return topic


def add_alias(topic: Topic, name: str, *, by: User) -> Topic:
    """Let a name that no topic has yet lead to `topic`."""
    with public_act(by, "merge topics") as act:
        topic = _canonical(topic)
        alias = Topic(name=name)
        alias.clean()
        if slugs.fold(name) in Topic.objects.in_bulk([slugs.fold(name)], field_name="key"):
            raise BadTopic(f"There is a topic “{name}” already. Merge the two instead.")
        alias = Topic.objects.named([name])[slugs.fold(name)]
        alias.alias_of = topic
        alias.save(update_fields=["alias_of"])
        act.append(LogEntry.Kind.TOPIC_MERGE, by, occurred=act.now, note=_arrow(name, topic.name))
    return alias


def choose_related(event: Event, other: Event, *, by: User, shown: bool | None) -> None:
    """Show `other` beside `event` for certain, never, or (None) as the score has it."""
    with public_act(by, "relate") as act:
        if event == other:
            raise WrongState("An entry is not related to itself.")
        if shown is None:
            RelatedChoice.objects.filter(event=event, other=other).delete()
        else:
            RelatedChoice.objects.update_or_create(event=event, other=other, defaults={"shown": shown, "by": by})
        act.head.changed += 1


def add_category(name: str, *, by: User) -> Category:
    """A new section, the last of the day's page."""
    with public_act(by, "add category"):
        category = Category(name=name)
        category.clean()
        _require_own_name(category)
        return Category.objects.named([name])[name]


def order_categories(categories: list[Category], *, by: User) -> None:
    """Put the sections of the day's page in this order; it has to name every category once."""
    with public_act(by, "order categories") as act:
        places = {category.pk: place for place, category in enumerate(categories, 1)}
        rows = list(Category.objects.all())
        if len(places) != len(categories) or places.keys() != {row.pk for row in rows}:
            raise WrongState("Somebody added or deleted a category in the meantime. Order the new list.")
        moved = [row for row in rows if row.position != places[row.pk]]
        for row in moved:
            row.position = places[row.pk]
        Category.objects.bulk_update(moved, ["position"])
        if moved:
            act.head.changed += 1


def rename_category(category: Category, name: str, *, by: User) -> Category:
    """Give `category` another name for the versions to come; those frozen keep the old one, and it keeps its slug."""
    with public_act(by, "order categories") as act:
        category = Category.objects.get(pk=category.pk)
        if name == category.name:
            raise NothingChanged("The category has this name already.")
        category.name = name
        category.clean()
        _require_own_name(category)
        category.save(update_fields=["name"])
        act.head.changed += 1
    return category


def set_policy(body: str, *, by: User, seen: int | None) -> CorrectionsPolicy:
    """Say from now on how the newsroom corrects; `seen` is the row that the editor saw, None if there was none."""
    with public_act(by, "change policy") as act:
        standing = CorrectionsPolicy.objects.first()
        if (standing and standing.pk) != seen:
            raise Overtaken("Somebody changed this text in the meantime. Compare the two, then save yours again.")
        if standing and standing.body == body:
            raise NothingChanged("This is the text that stands already.")
        policy = CorrectionsPolicy(body=body, issued=act.now, by=by)
        policy.clean()
        policy.save()
        act.head.changed += 1
    return policy


def settle() -> int:
    """Log the editions that fell due; how many there were."""
    with public_act(None, None) as act:
        return len(act.entries)


# What the verbs, and the loading of histories, are made of.


def revision_comment(kind: str, number: int, issued: datetime.datetime) -> str:
    """What the desk's history says of the save that an edition was frozen from."""
    return f"Edition {number} ({kind}), {documents.rfc3339(issued)}"


def address_slug(headline: str, mine: set[str], taken: set[str]) -> str:
    """The slug of a headline among those `taken` on its date; one that is `mine` already is kept."""
    base = slugs.headline_slug(headline)
    own = sorted((slug for slug in mine if slugs.is_numbered(slug, base)), key=lambda slug: (len(slug), slug))
    return own[0] if own else next(slug for slug in slugs.numbered(base) if slug not in taken)


def saves_holding(edition: Edition):
    """The desk's saves (reversion's versions) of the event that hold this edition's headline or body."""
    headline, body = edition.document["headline"], edition.document["body"]
    saves = Version.objects.filter(
        content_type=ContentType.objects.get_for_model(Event), object_id=str(edition.event_id), db="default"
    )
    revisions = [
        revision
        for revision, data in saves.values_list("revision_id", "serialized_data")
        if _holds(json.loads(data)[0]["fields"], headline, body)
    ]
    return Version.objects.filter(revision__in=revisions)


def other_places(edition: Edition) -> dict:
    """Where else the text of an edition still stands: other `editions`, the `working_copy`, other `events`.

    Reads every edition of the record, for it is asked only before a redaction.
    """
    headline, body = edition.document["headline"], edition.document["body"]
    published, kept = Q(editions__document__headline=headline), Q(headline=headline)
    if body:
        published, kept = published | Q(editions__document__body=body), kept | Q(body=body)
    return {
        "editions": [
            other
            for other in edition.event.editions.exclude(pk=edition.pk).filter(document__isnull=False)
            if _holds(other.document, headline, body)
        ],
        "working_copy": _holds({"headline": edition.event.headline, "body": edition.event.body}, headline, body),
        "events": list(Event.objects.filter(published | kept).exclude(pk=edition.event_id).distinct()),
    }


def _holds(fields, headline, body):
    return fields["headline"] == headline or bool(body and fields["body"] == body)


def _locked(event, by, verb, lock_version):
    """The event as the database has it, its row locked; refused to whom it is not given, and if it was changed since.

    Every act on an event counts up its `lock_version`, so that whoever decides has seen what was decided before.
    """
    event = drafts.locked_row(event)
    permissions.require(by, verb, event)
    if lock_version is not None and lock_version != event.lock_version:
        raise Stale
    event.lock_version += 1
    return event


def _require_future(issue, act):
    if timezone.is_naive(issue) or issue.second or issue.microsecond:
        raise BadMoment("Choose a whole minute, with its time zone.")
    if issue <= max(act.now, act.head.recorded):
        raise BadMoment("Choose a time in the future, or publish now.")


def _last(event):
    return event.editions.order_by("-number").first()


def _pending_and_live(event, act):
    """The scheduled edition and the one that it will supersede."""
    last = _last(event)
    if last is None or last.issued <= act.now or _is_logged(last, act):
        raise NotPending("Nothing is scheduled. Publish the correction as usual.")
    live = event.editions.filter(number=last.number - 1).filter(document__isnull=False).first()
    if live is None or event.withdrawn:
        raise WrongState("Nothing of this entry is public yet. Cancel the schedule, or wait for its hour.")
    return last, live


def _schedule_again(event, by, pending, live, edition):
    """(the version scheduled again, the fields in conflict): `pending` with what changed from `live` to `edition`."""
    document, conflicts = _with_changes(pending.document, live, edition)
    if conflicts or _say_the_same(document, edition.document):
        drafts.write(event, by=by, comment="The scheduled version", **drafts.values(document))
        return None, conflicts
    comment = "The scheduled version, with the correction"
    event = drafts.write(event, by=by, comment=comment, **drafts.values(document))
    event.lock_version += 1
    overridden = pending.revision.comment.partition(OVERRIDDEN)[2].partition("\n")[0] if pending.revision else ""
    document = _working_document(event)
    return _freeze(event, edition, pending.kind, pending.note, pending.issued, document, by, overridden), []


def _take_up(event, by, written, stands, live, edition):
    """Make what was written since the working copy again, with the correction; the fields in conflict."""
    document, conflicts = _with_changes(written, live, edition)
    event = Event.objects.get(pk=event.pk)
    event.stage, event.remark = stands
    drafts.write(event, by=by, comment="What was written since, with the correction", **drafts.values(document))
    return conflicts


def _with_changes(document, live, edition):
    """The document with what changed from `live` to `edition`, and the fields in which it keeps its own text.

    A list that would grow too long is such a field.
    """
    before, after = documents.read(live.document, live.schema), documents.read(edition.document, edition.schema)
    merge = merging.merge(before, after, document, Topic.objects.resolution([before, after, document]))
    own = []
    if len(merge.document["topics"]) > documents.MAX_TOPICS:
        # A story is one of the topics, so that another one would not fit either.
        own += ["story", "topics"]
    if len(merge.document["sources"]) > documents.MAX_SOURCES:
        own += ["sources"]
    kept = merge.document | {field: document[field] for field in own}
    return kept, list(
        dict.fromkeys([*merge.conflicts, *(field for field in own if kept[field] != merge.document[field])])
    )


def _say_the_same(one, other):
    return documents.same(one, other, Topic.objects.resolution([one, other]))


def _is_logged(edition, act):
    return edition.issued <= act.head.recorded


def _check_note(note):
    problem = texts.text_problem(note, texts.MAX_NOTE)
    if problem:
        raise ValidationError({"note": problem})


def _require_own_name(category):
    """Refuse the name of another category, however it is spelled."""
    for other in Category.objects.exclude(pk=category.pk):
        if slugs.fold(other.name) == slugs.fold(category.name):
            raise WrongState(f"There is a category “{other}” already. Use it, or choose another name.")


def _require_note(note, message):
    if not note.strip():
        raise NoteRequired(message)
    _check_note(note)


def _next_document(event, last, kind, note, by, override):
    """The working copy as a document that may follow the `last` edition as this `kind`, and why if by override."""
    _check_note(note)
    if event.withdrawn:
        raise WrongState("This entry is withdrawn. Restore it first.")
    if kind not in (Kind.PUBLISH, Kind.UPDATE, Kind.CORRECTION, Kind.MINOR) or (kind == Kind.PUBLISH) != (last is None):
        raise WrongKind(
            "Say whether this is an update, a correction or a minor change."
            if last
            else "The first version is published as such, not as an update or a correction."
        )
    if kind == Kind.CORRECTION:
        _require_note(note, "A correction needs a public note that says what was wrong.")
    document = _working_document(event)
    changed = _changed_facts(last, document) if last else []
    if kind != Kind.MINOR or not changed:
        return document, ""
    if not override.strip():
        raise NotMinor(changed)
    permissions.require(by, "override minor")
    return document, override


def _working_document(event):
    topics, sources = drafts.parts(event)
    for part in filter(None, [event, event.category, *topics, *sources]):
        part.clean()
    document = documents.freeze(event, topics, sources)
    if len(document["topics"]) > documents.MAX_TOPICS:
        raise ValidationError({"topics": f"Keep to {documents.MAX_TOPICS} topics."})
    if len(sources) > documents.MAX_SOURCES:
        raise ValidationError({"sources": f"Keep to {documents.MAX_SOURCES} sources."})
    return document


def _changed_facts(last, document):
    former = documents.read(last.document, last.schema)
    resolve = Topic.objects.resolution([former, document])
    if documents.same(former, document, resolve):
        raise NothingChanged("Nothing differs from the version that readers see.")
    return documents.changed_facts(former, document, resolve)


def _freeze(event, last, kind, note, issued, document, by, overridden):
    event.stage, event.remark = Event.Stage.READY, ""
    return _record(
        event,
        last,
        by,
        kind=kind,
        note=note,
        issued=issued,
        date=event.date,
        slug=_take_address(event),
        category_id=event.category_id,
        document=document,
        schema=documents.SCHEMA,
        comment=overridden and f"{OVERRIDDEN}{overridden}",
    )


def _take_address(event):
    base = slugs.headline_slug(event.headline)
    holders = dict(Address.objects.filter(date=event.date, slug__startswith=base).values_list("slug", "event_id"))
    mine = {slug for slug, holder in holders.items() if holder == event.pk}
    slug = address_slug(event.headline, mine, holders.keys())
    if slug not in mine:
        Address.objects.create(date=event.date, slug=slug, event=event)
    return slug


def _record(
    event, last, by, *, kind, note, issued, document=None, slug="", schema=documents.SCHEMA, comment="", **rest
):
    """Write the edition that follows `last`, with the event, its indexes of topics and hosts, and its save."""
    event.save(update_fields=["stage", "withdrawn", "lock_version", "remark"])
    if last:
        event.editions.filter(pk=last.pk).update(superseded=issued)
    number = last.number + 1 if last else 1
    salt = secrets.token_hex(16) if document else ""
    with reversion.create_revision():
        reversion.add_to_revision(event)
        reversion.set_user(by)
        reversion.set_comment("\n".join(filter(None, [revision_comment(kind, number, issued), comment])))
        reversion.add_meta(
            Edition,
            event=event,
            number=number,
            kind=kind,
            note=note,
            issued=issued,
            document=document,
            slug=slug,
            schema=schema,
            salt=salt,
            commitment=documents.commitment(salt, document, note, slug),
            **rest,
        )
    edition = event.editions.select_related("revision").get(number=number)
    if document:
        _index_topics(edition)
        _index_hosts(edition)
        search.index([edition])
    return edition


def _index_topics(edition):
    resolve = Topic.objects.resolution([edition.document])
    topics = sorted({resolve(topic["key"]) for topic in edition.document["topics"]})
    EditionTopic.objects.bulk_create(
        EditionTopic(edition=edition, topic_id=topic, date=edition.date) for topic in topics
    )


def _index_hosts(edition):
    EditionHost.objects.bulk_create(
        EditionHost(edition=edition, host=host, date=edition.date) for host in documents.hosts(edition.document)
    )


def _drop_pending(event, act):
    pending = event.editions.filter(issued__gt=act.now).order_by("-number").first()
    if pending is None or _is_logged(pending, act):
        return False
    _keep_note(pending)
    pending.delete()
    event.editions.filter(number=pending.number - 1).update(superseded=None)
    _free_address(event, pending.date, pending.slug)
    if drafts.says_what_is_published(event):
        event.stage = Event.Stage.READY
    elif event.stage == Event.Stage.READY:
        event.stage = Event.Stage.REVIEW
    event.save(update_fields=["stage", "lock_version"])
    return True


def _keep_note(pending):
    """What was to be said of a version that will not be, below the first line of its save's comment."""
    if pending.note and pending.revision:
        pending.revision.comment += f"\nNote: {pending.note}"
        pending.revision.save(update_fields=["comment"])


def _free_address(event, date, slug):
    if not event.editions.filter(date=date, slug=slug).exists():
        event.addresses.filter(date=date, slug=slug).delete()


def _clear(edition):
    """Empty everything of an edition that could tell its text; its number, time and digest stay."""
    slug = edition.slug
    edition.document, edition.salt, edition.note, edition.slug, edition.category = None, "", "", "", None
    edition.save(update_fields=["document", "salt", "note", "slug", "category"])
    edition.topic_links.all().delete()
    edition.hosts.all().delete()
    search.forget(edition)
    edition.log_entries.update(note="")
    _free_address(edition.event, edition.date, slug)


def _forget_saves(edition):
    """Remove the saves that hold the edition's text, and what editors wrote beside them."""
    saves = saves_holding(edition)
    revisions = list(Revision.objects.filter(version__in=saves).distinct())
    saves.delete()
    for revision in revisions:
        first, _, _ = revision.comment.partition("\n")
        revision.comment = first if Edition.objects.filter(revision=revision).exists() else ""
        revision.save(update_fields=["comment"])


def _lock_events_with(*topics):
    """Wait for the saves in progress of entries that bear these topics, and keep others waiting."""
    bearing = EventTopic.objects.filter(tag__in=topics).values("content_object")
    list(Event.objects.select_for_update().filter(Q(pk__in=bearing) | Q(story__in=topics)).order_by("pk"))


def _canonical(topic):
    return Topic.objects.select_related("alias_of").get(pk=topic.pk).canonical


def _repoint(rows, topic_field, owner_field, old, into):
    """Move rows from one topic to another, dropping those whose owner has the other already."""
    having = rows.filter(**{topic_field: into}).values(owner_field)
    rows.filter(**{topic_field: old, f"{owner_field}__in": having}).delete()
    rows.filter(**{topic_field: old}).update(**{topic_field: into})


def _require_no_embargo(topic, act):
    """Refuse to put the name of a topic into the log that only versions bear which are not public yet."""
    bearing = Edition.objects.filter(topic_links__topic=topic)
    if bearing.exists() and not bearing.filter(issued__lte=act.now).exists():
        raise WrongState(
            f"Only a version that waits for its hour bears “{topic}”, and the log would tell of it. "
            "Do this once it is public, or cancel its schedule first."
        )


def _is_of_the_desk(topic):
    """Whether nothing but working copies ever bore this topic, so that the public does not know its name."""
    return not topic.edition_links.exists() and not topic.aliases.exists()


def _correct_name(topic, name):
    slug = Topic.objects.free_slug(name)
    topic.name, topic.slug = name, slug
    topic.save()
    Topic.objects.filter(pk=topic.pk).index_words()


def _give_name(topic, name, alias):
    """Rename the row; its old name goes to `alias`, the row that had the new one, or to a new row."""
    old = {"name": topic.name, "slug": topic.slug, "key": topic.key, "likeness": topic.likeness}
    key = slugs.fold(name)
    new = {"name": name, "key": key, "likeness": slugs.likeness(name)}
    if key == topic.key:
        Topic.objects.filter(pk=topic.pk).update(**new)
    elif alias:
        slug = alias.slug
        # Three steps, since names, slugs and keys are unique at every one of them.
        Topic.objects.filter(pk=alias.pk).update(name=f"~{alias.pk}", slug=f"~{alias.pk}", key=f"~{alias.pk}")
        Topic.objects.filter(pk=topic.pk).update(slug=slug, **new)
        Topic.objects.filter(pk=alias.pk).update(**old)
    else:
        Topic.objects.filter(pk=topic.pk).update(slug=Topic.objects.free_slug(name), **new)
        Topic.objects.create(alias_of=topic, **old)
    Topic.objects.filter(key__in=[key, old["key"]]).index_words()
    topic.refresh_from_db()


def _arrow(old, new):
    return f"{old}{ARROW}{new}"
