"""The desk's working copies, the public record frozen from them, and the querysets over both.

Nothing here decides who may do what or writes the public record; that is `publishing`.
"""

import datetime
import uuid
from typing import NamedTuple

import reversion
from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import connection, models
from django.db.models.functions import Coalesce, Left, Length
from django.db.models.lookups import In, LessThanOrEqual
from django.utils import timezone
from taggit.managers import TaggableManager
from taggit.models import ItemBase, TagBase

from events import addresses, slugs, texts

GENESIS = "0" * 64


class SpelledOut(In):
    """`IN` with its values in the statement, for constants of the code: SQLite uses an index with a condition only if
    it reads the same condition in the statement, where a parameter hides it.
    """

    def process_rhs(self, compiler, connection):
        return "(" + ", ".join(f"'{value}'" for value in self.rhs) + ")", ()


class CategoryQuerySet(models.QuerySet):
    def named(self, names):
        """The categories of these names by name; unknown ones are appended at the end, in the order given."""
        wanted = list(dict.fromkeys(names))
        known = {category.name: category for category in self.filter(name__in=wanted)}
        missing = [name for name in wanted if name not in known]
        if missing:
            last = self.aggregate(last=models.Max("position"))["last"] or 0
            taken = set(self.values_list("slug", flat=True))
            for position, name in enumerate(missing, last + 1):
                slug = _free_slug(slugs.slugify(name) or "category", taken)
                known[name] = self.create(name=name, slug=slug, position=position)
        return known


class Category(models.Model):
    """A section of the day's page."""

    name = models.CharField(max_length=texts.MAX_NAME, unique=True)
    slug = models.SlugField(max_length=slugs.LONGEST_NUMBERED, unique=True, allow_unicode=True)
    position = models.PositiveIntegerField(default=0)

    objects = CategoryQuerySet.as_manager()

    class Meta:
        ordering = ["position", "name"]
        verbose_name_plural = "categories"

    def __str__(self):
        return self.name

    def clean(self):
        _refuse({"name": texts.name_problem(self.name) or _bidi_problem(self.name)})


class TopicQuerySet(models.QuerySet):
    def named(self, names):
        """The topic rows of these names by key; missing ones are created under the spelling met first.

        A row may be an alias: `Topic.canonical` is what it stands for.
        """
        spellings = {}
        for name in names:
            spellings.setdefault(slugs.fold(name), name)
        known = self._by_key(spellings)
        while missing := {key: name for key, name in spellings.items() if key not in known}:
            self._create_missing(missing)
            known |= self._by_key(missing)
        return known

    def _by_key(self, keys):
        return {topic.key: topic for topic in self.filter(key__in=list(keys)).select_related("alias_of")}

    def _create_missing(self, missing):
        taken = set(self.filter(slug__in=map(slugs.topic_slug, missing.values())).values_list("slug", flat=True))
        topics = []
        for key, name in missing.items():
            if slugs.topic_slug(name) in taken:
                taken.update(self.filter(slug__startswith=slugs.topic_slug(name)).values_list("slug", flat=True))
            topics.append(
                self.model(
                    name=name, slug=_free_slug(slugs.topic_slug(name), taken), key=key, likeness=slugs.likeness(name)
                )
            )
        # Another process may be making the same name, or another with its slug; who comes second looks again.
        self.bulk_create(topics, ignore_conflicts=True)
        self.filter(key__in=missing).index_words()

    def index_words(self):
        """Let these topics be found by the words of their names as they are now."""
        TopicWord.objects.filter(topic__in=self).delete()
        TopicWord.objects.bulk_create(
            [TopicWord(topic=topic, word=word) for topic in self for word in slugs.later_words(topic.name)],
            ignore_conflicts=True,
        )

    def starting(self, text):
        """The topics of whose names or other names a word begins so, and which hold all other words, most used first.

        Only the longest word is looked for by its beginning: a short one, such as "of", begins words of half of all.
        """
        words = slugs.fold(text[: texts.MAX_NAME]).split()[:10]
        if not words:
            return self.none()
        longest = max(words, key=len)
        if len(longest) == 1 and longest.isascii():
            # Most names have a word that begins so. Those that begin with it themselves are enough.
            return self.filter(begins("key", words[0]), alias_of=None).order_by("-uses", "key")
        named = self.filter(pk__in=self._word_begins(longest))
        for word in words:
            if word != longest:
                named = named.filter(_has_word(word))
        own = named.annotate(own=Coalesce("alias_of", "pk")).values("own")
        return self.filter(alias_of=None, pk__in=own).order_by("-uses", "key")

    def _word_begins(self, word):
        """The rows of which a word begins so, with or without accents: each part is read from an index."""
        forms = {word, slugs.likeness(word)} - {""}
        parts = [self.filter(begins(field, form)).values("pk") for field in ("key", "likeness") for form in forms]
        parts += [TopicWord.objects.filter(begins("word", form)).values("topic") for form in forms]
        return parts[0].order_by().union(*(part.order_by() for part in parts[1:]))

    def standing_for(self, document_list):
        """For each key of a topic in these documents, the row that it means today."""
        keys = {topic["key"] for document in document_list for topic in document["topics"]}
        return {key: topic.canonical for key, topic in self._by_key(keys).items()}

    def resolution(self, document_list):
        """From a topic's key in these documents to what it stands for, for comparing them."""
        return {key: topic.pk for key, topic in self.standing_for(document_list).items()}.__getitem__

    def free_slug(self, name):
        """The slug that a new topic of this name gets."""
        base = slugs.topic_slug(name)
        return _free_slug(base, set(self.filter(slug__startswith=base).values_list("slug", flat=True)))


class Topic(TagBase):
    """A context of events. Never deleted: a merged or former name stays as a row, and `alias_of` says what it means."""

    name = models.CharField(max_length=texts.MAX_NAME, unique=True)
    slug = models.SlugField(max_length=slugs.LONGEST_NUMBERED, unique=True, allow_unicode=True)
    key = models.CharField(max_length=texts.MAX_KEY, unique=True, editable=False)
    likeness = models.CharField(max_length=texts.MAX_KEY, db_index=True, editable=False)
    alias_of = models.ForeignKey("self", models.PROTECT, null=True, blank=True, related_name="aliases")
    uses = models.PositiveIntegerField(
        default=0, editable=False, help_text="Events whose latest edition in the log bears this topic."
    )

    objects = TopicQuerySet.as_manager()

    class Meta:
        ordering = ["key"]
        permissions = [("merge_topic", "Can merge topics"), ("rename_topic", "Can rename topics")]
        indexes = [
            models.Index(fields=["-uses", "key"], condition=models.Q(alias_of=None), name="topic_by_uses"),
            # The index of the foreign key is hardly used where nearly every row holds none.
            models.Index(fields=["alias_of"], condition=models.Q(alias_of__isnull=False), name="topic_alias"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(alias_of=None) | ~models.Q(alias_of=models.F("id")), name="topic_not_its_own_alias"
            ),
        ]

    def save(self, *args, **kwargs):
        self.key, self.likeness = slugs.fold(self.name), slugs.likeness(self.name)
        super().save(*args, **kwargs)

    def clean(self):
        _refuse({"name": texts.name_problem(self.name) or _bidi_problem(self.name)})

    @property
    def canonical(self):
        return self.alias_of or self


class TopicWord(models.Model):
    """A word of a topic's name after the first, by which the desk finds it; the first one its own keys begin with."""

    topic = models.ForeignKey(Topic, models.CASCADE, related_name="words")
    word = models.CharField(max_length=texts.MAX_KEY)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["word", "topic"], name="topic_word_once")]

    def __str__(self):
        return self.word


@reversion.register(exclude=["topics", "remark"], follow=["sources", "topic_links"])
class Event(models.Model):
    """The desk's working copy of an entry. Nothing public reads it but `withdrawn` and `uid`."""

    class Stage(models.TextChoices):
        DRAFT = "draft"
        REVIEW = "review", "in review"
        READY = "ready"

    uid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    date = models.DateField()
    headline = models.CharField(max_length=texts.MAX_HEADLINE)
    body = models.TextField(blank=True)
    category = models.ForeignKey(Category, models.PROTECT, null=True, blank=True)
    story = models.ForeignKey(Topic, models.PROTECT, null=True, blank=True, related_name="+")
    language = models.CharField(max_length=35, default="en")
    origin = models.JSONField(
        null=True, blank=True, help_text="Name, URL and licence of what the entry was taken from."
    )
    stage = models.CharField(max_length=10, choices=Stage, default=Stage.DRAFT)
    withdrawn = models.BooleanField(default=False, editable=False)
    lock_version = models.PositiveIntegerField(default=0, editable=False)
    ref = models.CharField(max_length=200, unique=True, null=True, blank=True, editable=False)
    author = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, editable=False, related_name="+"
    )
    remark = models.TextField(
        blank=True, editable=False, help_text="What has to change, said by the editor who sent the entry back."
    )
    created = models.DateTimeField(default=timezone.now, editable=False)
    modified = models.DateTimeField(default=timezone.now, editable=False)

    topics = TaggableManager(through="EventTopic", blank=True)

    class Meta:
        permissions = [
            ("change_own_event", "Can edit and submit own drafts"),
            ("publish_event", "Can publish and schedule entries"),
            ("withdraw_event", "Can withdraw entries"),
            ("restore_event", "Can restore entries"),
            ("redact_event", "Can redact editions"),
            ("override_minor", "Can call a change minor that alters facts"),
        ]
        indexes = [
            models.Index(fields=["date"]),
            models.Index(fields=["modified"], name="event_modified"),
            models.Index(fields=["id"], condition=models.Q(withdrawn=True), name="event_withdrawn"),
            # What the desk has in hand, which is little beside what is done.
            models.Index(
                fields=["stage", "modified"], condition=models.Q(stage__in=["draft", "review"]), name="event_in_hand"
            ),
        ]
        constraints = [
            models.CheckConstraint(condition=~models.Q(headline=""), name="event_has_headline"),
            models.CheckConstraint(
                condition=LessThanOrEqual(Length("body"), texts.MAX_BODY), name="event_body_bounded"
            ),
            models.CheckConstraint(
                condition=models.Q(stage__in=["draft", "review", "ready"]), name="event_stage_known"
            ),
        ]

    def __str__(self):
        return self.headline

    def get_absolute_url(self):
        return addresses.uid(self.uid)

    def clean(self):
        _refuse(
            {
                "headline": texts.headline_problem(self.headline) or _bidi_problem(self.headline),
                "body": texts.text_problem(self.body, texts.MAX_BODY),
                "date": date_problem(self.date),
                "language": texts.language_problem(self.language),
                "origin": texts.origin_problem(self.origin),
            }
        )


@reversion.register
class EventTopic(ItemBase):
    tag = models.ForeignKey(Topic, models.PROTECT, related_name="event_links")
    content_object = models.ForeignKey(Event, models.CASCADE, related_name="topic_links")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["content_object", "tag"], name="event_topic_once")]


@reversion.register
class Source(models.Model):
    """A numbered citation."""

    # What of a URL is indexed: some are longer than an index takes.
    URL_START = 200

    event = models.ForeignKey(Event, models.CASCADE, related_name="sources")
    position = models.PositiveSmallIntegerField()
    name = models.CharField(max_length=texts.MAX_NAME)
    url = models.CharField(max_length=texts.MAX_URL)

    class Meta:
        ordering = ["position"]
        indexes = [models.Index(Left("url", 200), name="source_url_start")]
        constraints = [models.UniqueConstraint(fields=["event", "position"], name="source_position_once")]

    def __str__(self):
        return self.name

    def clean(self):
        _refuse(
            {
                "name": texts.name_problem(self.name) or _bidi_problem(self.name),
                "url": texts.url_problem(self.url),
            }
        )


class EditionQuerySet(models.QuerySet):
    def issued_by(self, at):
        """Every edition made public up to `at`, withdrawals and stubs of redacted ones too."""
        # Not through a join: the few withdrawn events are one short list, whatever the number of editions.
        return self.filter(issued__lte=at).exclude(event__in=Event.objects.filter(withdrawn=True).values("pk"))

    def current(self, at):
        """The editions that the public reads at `at`, one per event at most."""
        return self.issued_by(at).filter(
            models.Q(superseded=None) | models.Q(superseded__gt=at), document__isnull=False
        )

    def withdrawals(self):
        """The withdrawals in force, one for each event that the public cannot read now."""
        return self.filter(event__withdrawn=True, kind=Edition.Kind.WITHDRAW, superseded=None)

    def withdrawn_at(self, at):
        """The withdrawals that were in force at `at`."""
        in_force = models.Q(superseded=None) | models.Q(superseded__gt=at)
        return self.filter(in_force, kind=Edition.Kind.WITHDRAW, issued__lte=at)

    def owned_up(self, at):
        """Corrections, withdrawals and restorations made public up to `at`; of an event withdrawn then, that alone."""
        in_force = Edition.objects.withdrawn_at(at).filter(event=models.OuterRef("event"))
        is_in_force = models.Q(kind=Edition.Kind.WITHDRAW) & (models.Q(superseded=None) | models.Q(superseded__gt=at))
        withdrawn = Event.objects.filter(withdrawn=True).values("pk")
        is_readable = ~models.Exists(in_force) & ~models.Q(event__in=withdrawn)
        told = self.filter(SpelledOut(models.F("kind"), Edition.OWNED_UP), issued__lte=at)
        return told.filter(is_in_force | is_readable)

    def on(self, date):
        return self.filter(date=date)

    def at_address(self, date, slug):
        """The editions of the event that was ever given this address, whatever their own."""
        return self.filter(event__addresses__date=date, event__addresses__slug=slug)

    def with_uid(self):
        """With the event, of which nothing is loaded but the uid: the rest of the working copy is not public."""
        own = [field.name for field in Edition._meta.concrete_fields if field.name != "revision"]
        return self.select_related("event").only(*own, "event__uid")

    def with_times(self):
        """With `published`, when the event first was, and `modified`, the last change up to here that was not minor.

        Also `corrected` and `updated`, the last of these up to here or None.
        """
        editions = Edition.objects.filter(event=models.OuterRef("event"))
        so_far = editions.filter(number__lte=models.OuterRef("number")).order_by("-number")

        def last(rows):
            return models.Subquery(rows.values("issued")[:1])

        return self.annotate(
            published=last(editions.filter(number=1)),
            modified=last(so_far.exclude(kind=Edition.Kind.MINOR)),
            corrected=last(so_far.filter(kind=Edition.Kind.CORRECTION)),
            updated=last(so_far.filter(kind=Edition.Kind.UPDATE)),
        )

    def with_log(self):
        """With `redaction`, the public reason of it, and `recorded`, the last entry of the log about the event."""
        entries = LogEntry.objects.order_by("-seq")
        redactions = entries.filter(edition=models.OuterRef("pk"), kind=LogEntry.Kind.REDACT)
        about = entries.filter(event=models.OuterRef("event"))
        return self.annotate(
            redaction=models.Subquery(redactions.values("note")[:1]),
            recorded=models.Subquery(about.values("recorded")[:1]),
        )

    def counted_by_date(self):
        """Each date with the number of editions dated so, in order."""
        return self.order_by("date").values_list("date").annotate(models.Count("pk"))

    def due(self, at, recorded):
        """Editions public by the clock at `at` that the log, written up to `recorded`, does not hold yet.

        Every act logs what is due before it reads the clock, so only what was issued after the last entry can be due.
        """
        return self.filter(issued__gt=recorded, issued__lte=at).order_by("issued", "event__uid")


class Edition(models.Model):
    """A published version of an event. A withdrawal and a redacted edition have no document."""

    class Kind(models.TextChoices):
        PUBLISH = "publish"
        UPDATE = "update"
        CORRECTION = "correction"
        MINOR = "minor"
        WITHDRAW = "withdraw"
        RESTORE = "restore"

    # In which the newsroom says that what was public was not right.
    OWNED_UP = (Kind.CORRECTION, Kind.WITHDRAW, Kind.RESTORE)

    event = models.ForeignKey(Event, models.PROTECT, related_name="editions")
    number = models.PositiveIntegerField()
    kind = models.CharField(max_length=10, choices=Kind)
    note = models.TextField(blank=True)
    issued = models.DateTimeField(db_index=True)
    superseded = models.DateTimeField(null=True)
    date = models.DateField()
    slug = models.CharField(max_length=slugs.LONGEST_NUMBERED, blank=True)
    category = models.ForeignKey(Category, models.PROTECT, null=True)
    document = models.JSONField(null=True)
    schema = models.PositiveSmallIntegerField()
    salt = models.CharField(max_length=32, blank=True)
    commitment = models.CharField(max_length=64)
    revision = models.OneToOneField("reversion.Revision", models.SET_NULL, null=True, related_name="edition")

    objects = EditionQuerySet.as_manager()

    class Meta:
        ordering = ["event", "number"]
        indexes = [
            # What pages count and walk along, without reading a text.
            models.Index(
                fields=["date", "issued", "superseded", "event"],
                condition=models.Q(document__isnull=False),
                name="edition_timeline",
            ),
            # A category's page, and what a search counts by year and category.
            models.Index(
                fields=["category", "date", "issued", "superseded", "event"],
                condition=models.Q(document__isnull=False),
                name="edition_by_category",
            ),
            models.Index(fields=["date"], condition=models.Q(kind="withdraw"), name="edition_withdrawals"),
            models.Index(
                fields=["issued", "event", "number"],
                condition=models.Q(kind__in=["correction", "withdraw", "restore"]),
                name="edition_owned_up",
            ),
            models.Index(fields=["kind", "event"], condition=models.Q(superseded=None), name="edition_open_by_kind"),
        ]
        constraints = [
            models.UniqueConstraint(fields=["event", "number"], name="edition_number_once"),
            models.UniqueConstraint(
                fields=["event"], condition=models.Q(superseded=None), name="edition_one_open_per_event"
            ),
            models.CheckConstraint(
                condition=models.Q(kind__in=["publish", "update", "correction", "minor", "withdraw", "restore"]),
                name="edition_kind_known",
            ),
            models.CheckConstraint(
                condition=models.Q(kind="publish", number=1) | (~models.Q(kind="publish") & models.Q(number__gt=1)),
                name="edition_first_is_publish",
            ),
            models.CheckConstraint(
                condition=models.Q(superseded=None) | models.Q(superseded__gte=models.F("issued")),
                name="edition_interval_runs_forward",
            ),
            models.CheckConstraint(
                condition=models.Q(document=None, slug="", salt="", category=None)
                | (models.Q(document__isnull=False) & ~models.Q(slug="") & ~models.Q(salt="")),
                name="edition_text_whole_or_gone",
            ),
            models.CheckConstraint(
                condition=~models.Q(kind="withdraw") | models.Q(document=None), name="edition_withdrawal_has_no_text"
            ),
        ]

    def __str__(self):
        return f"{self.event_id} v{self.number}"

    @property
    def redacted(self):
        return self.document is None and self.kind != self.Kind.WITHDRAW


class EditionTopic(models.Model):
    """The public index of topics: which editions bear which topic, aliases resolved; `date` is the edition's."""

    pk = models.CompositePrimaryKey("edition_id", "topic_id")
    edition = models.ForeignKey(Edition, models.CASCADE, related_name="topic_links")
    topic = models.ForeignKey(Topic, models.PROTECT, related_name="edition_links", db_index=False)
    date = models.DateField()

    class Meta:
        indexes = [models.Index(fields=["topic", "date", "edition"], name="editiontopic_timeline")]

    def __str__(self):
        return f"edition row {self.edition_id}, topic row {self.topic_id}"


class EditionHost(models.Model):
    """The public index of sources: which editions cite which host, in lower case; `date` is the edition's."""

    pk = models.CompositePrimaryKey("edition_id", "host")
    edition = models.ForeignKey(Edition, models.CASCADE, related_name="hosts", db_index=False)
    host = models.CharField(max_length=253)
    date = models.DateField()

    class Meta:
        indexes = [models.Index(fields=["host", "date", "edition"], name="editionhost_timeline")]

    def __str__(self):
        return f"edition row {self.edition_id}, {self.host}"


class SearchRow(models.Model):
    """The words of an edition with a text, as `tokens` makes them; the database's own index follows by triggers."""

    edition = models.OneToOneField(Edition, models.CASCADE, primary_key=True, related_name="search_row")
    head = models.TextField(help_text="Headline, story, topics, category and the names of sources.")
    body = models.TextField()

    def __str__(self):
        return f"edition row {self.edition_id}"


class Address(models.Model):
    """A path below a date, given to an event once and kept for good."""

    date = models.DateField()
    slug = models.CharField(max_length=slugs.LONGEST_NUMBERED)
    event = models.ForeignKey(Event, models.PROTECT, related_name="addresses")

    class Meta:
        verbose_name_plural = "addresses"
        constraints = [
            models.UniqueConstraint(fields=["date", "slug"], name="address_given_once"),
            models.CheckConstraint(condition=~models.Q(slug=""), name="address_has_slug"),
        ]

    def __str__(self):
        return addresses.neutral_event(self.date, self.slug)


@reversion.register
class LogEntry(models.Model):
    """A public act. Gap-free, in the order of commits, append-only, each hash over the one before."""

    class Kind(models.TextChoices):
        PUBLISH = "publish"
        UPDATE = "update"
        CORRECTION = "correction"
        MINOR = "minor"
        WITHDRAW = "withdraw"
        RESTORE = "restore"
        REDACT = "redact"
        TOPIC_MERGE = "topic-merge"
        TOPIC_RENAME = "topic-rename"

    seq = models.PositiveBigIntegerField(primary_key=True)
    kind = models.CharField(max_length=12, choices=Kind)
    event = models.ForeignKey(Event, models.PROTECT, null=True, related_name="log_entries")
    edition = models.ForeignKey(Edition, models.PROTECT, null=True, related_name="log_entries")
    occurred = models.DateTimeField()
    recorded = models.DateTimeField()
    note = models.TextField(blank=True)
    commitment = models.CharField(max_length=64)
    previous = models.CharField(max_length=64, unique=True)
    hash = models.CharField(max_length=64, unique=True)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")

    class Meta:
        ordering = ["seq"]
        verbose_name_plural = "log entries"
        indexes = [models.Index(fields=["recorded"], name="log_recorded")]
        constraints = [
            models.UniqueConstraint(
                fields=["edition"], condition=~models.Q(kind="redact"), name="log_edition_entered_once"
            ),
            models.UniqueConstraint(
                fields=["edition"], condition=models.Q(kind="redact"), name="log_edition_redacted_once"
            ),
            models.CheckConstraint(
                condition=models.Q(kind__in=["topic-merge", "topic-rename"], event=None, edition=None)
                | (
                    ~models.Q(kind__in=["topic-merge", "topic-rename"])
                    & models.Q(event__isnull=False, edition__isnull=False)
                ),
                name="log_entry_names_its_edition",
            ),
            models.CheckConstraint(condition=models.Q(seq__gte=1), name="log_seq_from_one"),
            # What is due is looked for after the last `recorded`, so nothing in the log may lie behind that.
            models.CheckConstraint(
                condition=models.Q(recorded__gte=models.F("occurred")), name="log_recorded_once_it_occurred"
            ),
        ]

    def __str__(self):
        return f"{self.seq} {self.kind}"


class LogEnd(NamedTuple):
    """The head of the log at a moment, `issued` being the last time up to then at which an edition became public."""

    seq: int
    hash: str
    recorded: datetime.datetime
    changed: int
    issued: datetime.datetime | None

    @property
    def state(self) -> tuple:
        """What everything public depends on. With the hash: a restored backup may reach the same `seq` another way."""
        return self.seq, self.hash, self.changed, self.issued

    @property
    def is_behind(self) -> bool:
        """Whether something became public by the clock that the log does not hold yet."""
        return bool(self.issued and self.issued > self.recorded)


class LogHeadQuerySet(models.QuerySet):
    def end(self, at):
        issued = Edition.objects.filter(issued__lte=at).order_by("-issued").values("issued")[:1]
        return LogEnd(*self.values_list("seq", "hash", "recorded", "changed", models.Subquery(issued)).get())

    def state(self, at):
        return self.end(at).state


class LogHead(models.Model):
    """The end of the log, one row; its lock is the lock of every public act.

    `recorded` is the last entry's. `changed` counts what shows without being an act on an edition.
    """

    id = models.PositiveSmallIntegerField(primary_key=True, default=1)
    seq = models.PositiveBigIntegerField(default=0)
    hash = models.CharField(max_length=64, default=GENESIS)
    recorded = models.DateTimeField(default=datetime.datetime(1, 1, 1, tzinfo=datetime.UTC))
    changed = models.PositiveBigIntegerField(default=0)

    objects = LogHeadQuerySet.as_manager()

    class Meta:
        constraints = [models.CheckConstraint(condition=models.Q(id=1), name="log_head_is_one_row")]

    def __str__(self):
        return f"{self.seq}:{self.hash}"


class RelatedChoice(models.Model):
    """An editor's word on what stands beside an event: shown for certain, or never."""

    event = models.ForeignKey(Event, models.CASCADE, related_name="related_choices")
    other = models.ForeignKey(Event, models.CASCADE, related_name="+")
    shown = models.BooleanField()
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    created = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["event", "other"], name="related_chosen_once"),
            models.CheckConstraint(condition=~models.Q(event=models.F("other")), name="related_to_another"),
        ]

    def __str__(self):
        return f"{self.event_id} {'shows' if self.shown else 'hides'} {self.other_id}"


class CorrectionsPolicy(models.Model):
    """How the newsroom corrects, in its own words. A new text is a new row, so that what was promised stays known."""

    body = models.TextField(help_text="Markdown.")
    issued = models.DateTimeField()
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")

    class Meta:
        ordering = ["-pk"]
        verbose_name_plural = "corrections policy"
        default_permissions = ["view", "change"]
        constraints = [
            models.CheckConstraint(condition=LessThanOrEqual(Length("body"), texts.MAX_BODY), name="policy_bounded"),
        ]

    def __str__(self):
        return f"since {self.issued:%Y-%m-%d}"

    def clean(self):
        problem = None if self.body.strip() else "Say how you correct."
        _refuse({"body": problem or texts.text_problem(self.body, texts.MAX_BODY)})


class Preview(models.Model):
    """A link to one save of an entry for someone without an account. It holds no text: the save does."""

    key = models.UUIDField(default=uuid.uuid4, unique=True)
    event = models.ForeignKey(Event, models.CASCADE, related_name="previews")
    save_shown = models.ForeignKey("reversion.Revision", models.CASCADE, related_name="+")
    after = models.PositiveIntegerField(help_text="The number of the last version that was public when it was made.")
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    created = models.DateTimeField(default=timezone.now)
    expires = models.DateTimeField()
    revoked = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-created"]

    def __str__(self):
        return f"{self.event_id} until {self.expires}"


class Presence(models.Model):
    """Who has an entry open at the desk, and when their browser last said so."""

    event = models.ForeignKey(Event, models.CASCADE, related_name="presences")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")
    seen = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["event", "user"], name="presence_once")]

    def __str__(self):
        return f"{self.user_id} at {self.event_id}"


class AuditEntry(models.Model):
    """Something that a person did at the desk, or was refused. Holds no text of an entry: redactions remove those."""

    class Outcome(models.TextChoices):
        DONE = "done"
        REFUSED = "refused"

    at = models.DateTimeField(default=timezone.now, db_index=True)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    name = models.CharField(max_length=150, blank=True, help_text="The user name, also of a login that failed.")
    verb = models.CharField(max_length=30)
    outcome = models.CharField(max_length=10, choices=Outcome)
    event = models.ForeignKey(Event, models.SET_NULL, null=True, related_name="+")
    subject = models.CharField(max_length=300, blank=True, help_text="The entry's uid, a topic, a person.")
    detail = models.TextField(blank=True)
    ip = models.GenericIPAddressField(null=True)

    class Meta:
        ordering = ["-pk"]
        verbose_name_plural = "audit"
        default_permissions = ["view"]

    def __str__(self):
        return f"{self.at:%Y-%m-%d %H:%M} {self.name} {self.verb} {self.outcome}"


def date_problem(date, today=None):
    """What is wrong with an event's date; `today` is the site's own by default."""
    latest = (today or timezone.localdate()) + datetime.timedelta(days=1)
    return f"An entry is dated {latest} at the latest." if date and date > latest else None


def _has_word(word):
    """That a word of a topic's name begins so, with or without accents."""
    plain = slugs.likeness(word)
    later = TopicWord.objects.filter(topic=models.OuterRef("pk"), word__startswith=plain)
    first = models.Q(key__startswith=word) | models.Q(likeness__startswith=plain)
    within = models.Q(key__contains=f" {word}") | models.Q(key__contains=f"-{word}")
    return first | within | models.Q(models.Exists(later))


def begins(field, text):
    """That a field begins with a text, said so that both databases look into an index."""
    said = models.Q(**{f"{field}__startswith": text})
    if not text or not text[-1].isalnum():
        return said
    if connection.vendor == "sqlite":
        return said & models.Q(**{f"{field}__gte": text, f"{field}__lt": text[:-1] + chr(ord(text[-1]) + 1)})
    # PostgreSQL may sort as a language does: no letter bounds what begins so from above, nor from below beyond ASCII.
    return said & models.Q(**{f"{field}__gte": text}) if text.isascii() else said


def _bidi_problem(text):
    if slugs.has_bidi_controls(text):
        return "Remove the invisible controls of writing direction."
    return None


def _refuse(problems):
    """Raise one ValidationError for every field that has a problem."""
    found = {field: problem for field, problem in problems.items() if problem}
    if found:
        raise ValidationError(found)


def _free_slug(base, taken):
    slug = next(slug for slug in slugs.numbered(base) if slug not in taken)
    taken.add(slug)
    return slug
