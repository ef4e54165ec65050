"""The record checked against itself: everything derived is computed again, and the log held against the editions.

Reads the database row by row, believes none of it and writes nothing.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from itertools import islice

from django.contrib.contenttypes.models import ContentType
from django.db import DatabaseError, connection, transaction
from django.db.models import CharField, Count, Exists, OuterRef
from django.db.models.functions import Cast
from reversion.models import Version

from events import documents, slugs, tokens
from events.log import hashed_members, log_commitment, snapshot, topic_uses
from events.models import (
    GENESIS,
    Address,
    Category,
    Edition,
    EditionHost,
    EditionTopic,
    Event,
    LogEntry,
    LogHead,
    SearchRow,
    Topic,
)
from events.publishing import ARROW, revision_comment

CHUNK = 1_000
Kind = LogEntry.Kind
_TOPIC_ACTS = (Kind.TOPIC_MERGE, Kind.TOPIC_RENAME)
_READ_OF_EDITIONS = ("event_id", "number", "kind", "note", "issued", "date", "commitment", "revision__user_id")
_READ_OF_ENTRIES = (
    *(field.attname for field in LogEntry._meta.concrete_fields),
    "event__uid",
    *(f"edition__{name}" for name in _READ_OF_EDITIONS),
)


def problems(receipt: str | None = None) -> Iterator[str]:
    """What is wrong with the record at one moment, in sentences that begin with the row; nothing if it is whole.

    `receipt` is `seq:hash` as a partner was given it once; a log that does not hold it was cut or is another one.
    """
    with snapshot():
        head = LogHead.objects.get()
        yield from _log_problems(head)
        yield from _receipt_problems(receipt)
        topics = _Topics()
        yield from _history_problems(head, topics)
        yield from topics.problems(head)
    yield from _INDEX_PROBLEMS[connection.vendor]()


# The log.


def _log_problems(head):
    before = LogEntry(seq=0, hash=GENESIS, recorded=head._meta.get_field("recorded").default)
    private = _private_entries()
    entries = LogEntry.objects.select_related("event", "edition__revision").only(*_READ_OF_ENTRIES)
    for entry, damage in _rows(entries, LogEntry.objects.order_by("seq"), "log entry"):
        if damage:
            yield damage
            continue
        name = f"log entry {entry.seq}"
        yield from _guarded(name, _link_problems, entry, before)
        yield from _guarded(name, _entry_problems, entry, private)
        before = entry
    if (head.seq, head.hash, head.recorded) != (before.seq, before.hash, before.recorded):
        yield f"log head: says {head}, but the log ends at {before.seq}:{before.hash}."


def _link_problems(entry, before):
    """Where an entry does not follow the one before, or does not hash to what it says."""
    if entry.seq != before.seq + 1:
        yield f"the log has a gap before it; {before.seq + 1} was expected."
    if entry.previous != before.hash:
        yield "it does not name the hash of the entry before it."
    if entry.recorded < before.recorded:
        yield "it was recorded before the entry before it."
    members = hashed_members(entry, entry.event and entry.event.uid, entry.edition and entry.edition.number)
    if entry.hash != documents.digest(members):
        yield "its hash does not fit what it says."


def _entry_problems(entry, private):
    """Where an entry and what it is about disagree."""
    edition = entry.edition
    if (entry.event_id and not entry.event) or (entry.edition_id and not edition):
        yield "it names an event or an edition that is not there."
        return
    if edition and edition.event_id != entry.event_id:
        yield "its edition is another event's."
    if entry.kind in _TOPIC_ACTS or entry.kind == Kind.REDACT:
        yield from _private_problems(entry, private)
        return
    said = (entry.kind, entry.occurred, entry.note, entry.commitment)
    if said != (edition.kind, edition.issued, edition.note, edition.commitment):
        yield f"it disagrees with edition {edition.number} of event {entry.event.uid}."
    if edition.revision and edition.revision.user_id != entry.by_id:
        yield "the desk's history says that somebody else did it."


def _private_problems(entry, private):
    if entry.commitment != log_commitment(entry.note, entry.edition and entry.edition.date):
        yield "its commitment does not fit its note."
    if entry.seq in private and private[entry.seq] != entry.by_id:
        yield "the desk's history says that somebody else did it."


def _private_entries():
    """Who made the entries that are no edition's, as the desk's history kept it: by seq."""
    kept = Version.objects.get_for_model(LogEntry)
    return {int(seq): user for seq, user in kept.values_list("object_id", "revision__user_id")}


def _receipt_problems(receipt):
    if receipt is None:
        return
    seq, _, digest = receipt.partition(":")
    if not seq.isdecimal() or not LogEntry.objects.filter(seq=int(seq), hash=digest).exists():
        yield f"receipt {receipt}: the log does not hold this entry; it was cut, or it is another log."


# The editions, event by event.


def _history_problems(head, topics):
    """What is wrong with the editions of each event, and with the addresses and withdrawals that follow from them."""
    facts = _Facts(head)
    order = Edition.objects.order_by("event_id", "number")
    readable = []
    for edition, damage in _rows(Edition.objects.select_related("revision", "search_row"), order, "edition"):
        if damage:
            yield damage
            continue
        if readable and readable[-1].event_id != edition.event_id:
            yield from _event_problems(readable, facts, topics)
            readable = []
        readable.append(edition)
    if readable:
        yield from _event_problems(readable, facts, topics)
    yield from facts.leftovers()


def _event_problems(editions, facts, topics):
    around = [None, None, *editions, None]
    for place, edition in enumerate(editions):
        name = f"edition {edition.number} of event {facts.uid(edition)}"
        former, before, _, after = around[place : place + 4]
        yield from _guarded(name, _edition_problems, edition, facts, topics)
        yield from _guarded(name, _place_problems, before, edition, after, facts)
        yield from _guarded(name, _restored_problems, former, edition)
    last = editions[-1]
    if facts.withdrawn.pop(last.event_id, None) != (last.kind == Kind.WITHDRAW):
        yield f"event {facts.uid(last)}: whether it is withdrawn is not what its last edition says."


def _place_problems(before, edition, after, facts):
    """Where an edition does not fit between the one before and the one after."""
    if edition.number != (before.number + 1 if before else 1):
        yield "the numbers of the event's editions have a gap before it."
    if edition.superseded != (after and after.issued):
        yield "it does not end when the next one begins."
    if before and edition.issued < before.issued:
        yield "it was issued before the edition before it."
    if (before is not None and before.kind == Kind.WITHDRAW) != (edition.kind == Kind.RESTORE):
        yield "only a restoration follows a withdrawal."
    if edition.kind == Kind.WITHDRAW and edition.date != before.date:
        yield "a withdrawal bears the date of the edition before it."
    if edition.pk in facts.logged or (after is None and edition.issued > facts.head.recorded):
        return
    yield "it is public and the log does not hold it."


def _restored_problems(former, edition):
    """Where a restoration says something else than what was withdrawn; of what is redacted nobody can tell."""
    if edition.kind != Kind.RESTORE or edition.document is None or former is None or former.document is None:
        return
    if (former.document, former.slug, former.date) != (edition.document, edition.slug, edition.date):
        yield "it does not restore what was withdrawn."


def _edition_problems(edition, facts, topics):
    if edition.event_id not in facts.uids:
        yield "its event is not there."
    if edition.pk in facts.logged and edition.issued > facts.head.recorded:
        yield "the log holds it before its hour."
    yield from _save_problems(edition, facts)
    if edition.document is None:
        yield from _textless_problems(edition, facts, topics)
        return
    if edition.pk in facts.redacted:
        yield "the log says that it is redacted, and its text is there."
    if edition.commitment != documents.commitment(edition.salt, edition.document, edition.note, edition.slug):
        yield "its commitment does not fit its text."
    document = documents.read(edition.document, edition.schema)
    if document["date"] != edition.date.isoformat():
        yield "its date is not that of its text."
    if (document["category"] and document["category"]["slug"]) != facts.categories.get(edition.category_id):
        yield "its category is not that of its text."
    if facts.addresses.get((edition.date, edition.slug)) != edition.event_id:
        yield "its address is not the event's."
    facts.borne.add((edition.date, edition.slug))
    if topics.read(document) != topics.indexed.pop(edition.pk, set()):
        yield "its topics in the index are not those of its text."
    if topics.dates.pop(edition.pk, set()) - {edition.date.isoformat()}:
        yield "its date in the index of topics is not its own."
    if facts.hosts.pop(edition.pk, set()) != {(host, edition.date.isoformat()) for host in documents.hosts(document)}:
        yield "its hosts in the index are not those of its text."
    yield from _search_problems(edition, document)


def _textless_problems(edition, facts, topics):
    if edition.kind != Kind.WITHDRAW and edition.pk not in facts.redacted:
        yield "its text is gone, and no redaction is in the log."
    if edition.kind == Kind.WITHDRAW and edition.commitment != documents.commitment("", None, edition.note, ""):
        yield "its commitment does not fit its note."
    if (edition.salt, edition.slug, edition.category_id) != ("", "", None) or edition.schema not in documents.SCHEMAS:
        yield "it has no text and yet more than a place in time."
    if topics.indexed.pop(edition.pk, None):
        yield "it has no text and yet topics."
    if facts.hosts.pop(edition.pk, None):
        yield "it has no text and yet hosts of sources."
    if hasattr(edition, "search_row"):
        yield "it has no text and yet words that a search finds it by."


def _search_problems(edition, document):
    if not hasattr(edition, "search_row"):
        yield "no search finds it, for its words are missing."
    elif (edition.search_row.head, edition.search_row.body) != tokens.of_document(document):
        yield "the words that a search finds it by are not those of its text."


def _save_problems(edition, facts):
    """Where an edition is not what the save that it names was made for; a pruned history says nothing."""
    if edition.revision_id is None:
        return
    if edition.revision is None:
        yield "the save it was frozen from is not there."
        return
    comment, _, _ = edition.revision.comment.partition("\n")
    if comment != revision_comment(edition.kind, edition.number, edition.issued):
        yield "it names a save that was made for something else."
    if facts.saved.get(edition.revision_id, edition.event_id) != edition.event_id:
        yield "it names a save of another event."


class _Facts:
    """What the editions are held against, read once: events, categories, addresses, hosts, saves, the log."""

    def __init__(self, head):
        self.head = head
        self.uids = dict(Event.objects.values_list("pk", "uid"))
        self.withdrawn = dict(Event.objects.values_list("pk", "withdrawn"))
        self.categories = {None: None, **dict(Category.objects.values_list("pk", "slug"))}
        self.addresses = {
            (date, slug): event for date, slug, event in Address.objects.values_list("date", "slug", "event")
        }
        self.borne = set()
        self.hosts = defaultdict(set)
        # The date as text: what is no date any more is to be found, not to fail.
        cited = EditionHost.objects.annotate(day=Cast("date", CharField()))
        for edition, host, date in cited.values_list("edition_id", "host", "day").iterator():
            self.hosts[edition].add((host, date))
        entries = LogEntry.objects.exclude(edition=None)
        self.logged = set(entries.exclude(kind=Kind.REDACT).values_list("edition", flat=True))
        self.redacted = set(entries.filter(kind=Kind.REDACT).values_list("edition", flat=True))
        saves = Version.objects.filter(content_type=ContentType.objects.get_for_model(Event))
        self.saved = {revision: int(event) for revision, event in saves.values_list("revision_id", "object_id")}

    def uid(self, edition):
        return self.uids.get(edition.event_id, f"with the key {edition.event_id}")

    def leftovers(self):
        """Addresses, withdrawals, hosts and words that no edition accounts for."""
        for (date, slug), event in self.addresses.items():
            if (date, slug) not in self.borne:
                yield f"address {date} {slug}: no edition of event {self.uids.get(event)} bears it."
        for event, withdrawn in self.withdrawn.items():
            if withdrawn:
                yield f"event {self.uids[event]}: is withdrawn and was never public."
        for edition in self.hosts:
            yield f"index of hosts: names edition row {edition}, which is not there."
        editions = Edition.objects.filter(pk=OuterRef("edition"))
        for key in SearchRow.objects.filter(~Exists(editions)).values_list("pk", flat=True):
            yield f"words for a search: of edition row {key}, which is not there."


# The topics.


class _Topics:
    """The topic rows and the index of topics, and what the texts said of them."""

    def __init__(self):
        rows = list(Topic.objects.order_by("pk"))
        self.by_pk = {topic.pk: topic for topic in rows}
        self.by_key = {topic.key: topic for topic in rows}
        self.slugs = defaultdict(set)
        self.indexed, self.dates = defaultdict(set), defaultdict(set)
        # The date as text: what is no date any more is to be found, not to fail.
        links = EditionTopic.objects.annotate(day=Cast("date", CharField()))
        for edition, topic, date in links.values_list("edition_id", "topic_id", "day").iterator():
            self.indexed[edition].add(topic)
            self.dates[edition].add(date)

    def read(self, document) -> set[int]:
        """The rows that a document's topics mean today; the slugs that it gives them are kept."""
        for value in document["topics"]:
            self.slugs[value["key"]].add(value["slug"])
        rows = [self.by_key.get(value["key"]) for value in document["topics"]]
        return {row and (row.alias_of_id or row.pk) for row in rows}

    def problems(self, head):
        """What is wrong with the rows, once every document was read."""
        acts = _Renamings()
        uses = Counter(dict(topic_uses(head.recorded).values_list("topic_id").annotate(Count("topic_id"))))
        for topic in self.by_pk.values():
            yield from _guarded(f"topic {topic.pk}", self._row_problems, topic, acts, uses)
        for edition in self.indexed:
            yield f"index of topics: names edition row {edition}, which is not there."

    def _row_problems(self, topic, acts, uses):
        if topic.key != slugs.fold(topic.name):
            yield "its key does not fit its name."
        if topic.likeness != slugs.likeness(topic.name):
            yield "its likeness does not fit its name."
        if topic.uses != uses[topic.pk]:
            yield f"it has {uses[topic.pk]} uses, not {topic.uses}."
        if self.slugs.get(topic.key, {topic.slug}) != {topic.slug}:
            yield "its slug is not the one in the texts."
        if not slugs.is_numbered(topic.slug, slugs.topic_slug(topic.name)):
            yield "its slug does not fit its name."
        if topic.alias_of_id:
            yield from self._alias_problems(topic, acts)

    def _alias_problems(self, topic, acts):
        target = self.by_pk.get(topic.alias_of_id)
        if target is None or target.alias_of_id:
            yield "it is an alias of an alias, or of nothing."
            return
        meant = [self.by_key[key] for key in acts.later[topic.key] if key in self.by_key]
        if target.pk not in {other.alias_of_id or other.pk for other in meant}:
            yield f"the log does not say that it means {target}."


class _Renamings:
    """What the log says that a former name led to: keys by key."""

    def __init__(self):
        self.later = defaultdict(set)
        for note in LogEntry.objects.filter(kind__in=_TOPIC_ACTS).order_by("seq").values_list("note", flat=True):
            # A name may hold an arrow itself, so every place where the note can be cut counts.
            parts = note.split(ARROW)
            for cut in range(1, len(parts)):
                old, new = ARROW.join(parts[:cut]), ARROW.join(parts[cut:])
                self.later[slugs.fold(old)].add(slugs.fold(new))


# The engines' own index of the words for a search, against their rows.


def _problems_of_fts5():
    """Checked by SQLite itself, which writes nothing but waits for whoever does: after all else, for a second or so."""
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("INSERT INTO events_search (events_search, rank) VALUES ('integrity-check', 1)")
    except DatabaseError as error:
        yield f"index of words for a search: it is not that of the rows, or cannot be checked ({error})."


def _problems_of_tsvector():
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT edition_id FROM events_searchrow WHERE vector IS DISTINCT FROM "
            "events_search_lexemes(head, 'A') || events_search_lexemes(body, 'D') ORDER BY edition_id"
        )
        for (key,) in cursor.fetchall():
            yield f"index of words for a search: of edition row {key} it has other words than the row."


_INDEX_PROBLEMS = {"sqlite": _problems_of_fts5, "postgresql": _problems_of_tsvector}


# Reading rows that may be damaged.


def _rows(queryset, order, name) -> Iterator[tuple[object, str | None]]:
    """Every row of `queryset` in the order of `order`, as (row, None), or (None, what is wrong) if it is unreadable."""
    keys = order.values_list("pk", flat=True).iterator()
    while chunk := list(islice(keys, CHUNK)):
        try:
            rows = queryset.in_bulk(chunk)
        except Exception:  # a column that no longer converts; which row it is shows only when they are read singly
            rows = {key: row for key in chunk if (row := _single(queryset, key))}
        for key in chunk:
            yield (rows[key], None) if key in rows else (None, f"{name} {key}: it cannot be read.")


def _single(queryset, key):
    try:
        return queryset.get(pk=key)
    except Exception:  # whatever keeps it from being read, the caller reports the row
        return None


def _guarded(name, check: Callable[..., Iterator[str]], *args) -> Iterator[str]:
    """The findings of a check, each naming the row; a row too damaged to be checked is a finding, not a crash."""
    try:
        for problem in check(*args):
            yield f"{name}: {problem}"
    except Exception as error:
        yield f"{name}: it cannot be checked ({type(error).__name__}: {error})."
