"""What entries are found by, kept beside the record, and the finding of them.

The words of an edition are a row, written with it whatever its hour. Triggers of the database keep its own index in
step with the rows: FTS5 on SQLite, `tsvector` with GIN on PostgreSQL. What of it may be found, `current` alone decides.
"""

import datetime
from collections import Counter
from collections.abc import Iterable
from typing import NamedTuple

from django.db import connection, models
from django.db.models.expressions import RawSQL

from events import documents, slugs, tokens
from events.models import Category, Edition, EditionTopic, SearchRow, Topic
from events.queries import Query, Term

PER_PAGE = 20
# Whoever has not found it by then searches for something else; each page costs as much as all before it.
LAST_PAGE = 25
# Up to here those come first that have the words in their head. Of more, whoever reads the first page wants the newest.
FEW = 2_000
# Of so many topics whose name fits, the most used ones, it is asked whether anything of them is public.
TOPICS_ASKED = 20


class Found(NamedTuple):
    """What a search finds: `editions` are those of the page asked for, `years` and `categories` count all.

    `topics` are the public ones whose name has the words, most used first; `hints` say what was asked for that there is
    not.
    """

    editions: list[Edition] = []
    count: int = 0
    years: list[tuple[int, int]] = []
    categories: list[tuple[Category, int]] = []
    topics: Iterable[Topic] = ()
    hints: list[str] = []


# The rows.


def index(editions: Iterable[Edition]) -> None:
    """Let these new editions, which have a text, be found."""
    SearchRow.objects.bulk_create(row(edition) for edition in editions)


def forget(edition: Edition) -> None:
    """Let nothing of an edition be found any more."""
    SearchRow.objects.filter(edition=edition).delete()


def row(edition: Edition) -> SearchRow:
    head, body = tokens.of_document(documents.read(edition.document, edition.schema))
    return SearchRow(edition_id=edition.pk, head=head, body=body)


# Finding.


def find(query: Query, at: datetime.datetime, page: int = 1) -> Found:
    """What the public finds at `at`, newest first; of few, those before that have all words in their head."""
    if not query.is_usable:
        return Found()
    categories = Category.objects.all()
    if query.categories:
        categories = categories.filter(_is_public(at, category=models.OuterRef("pk")))
    entries, hints = _entries(query, at, categories)
    topics = _fitting(query, at)
    if hints:
        return Found(topics=topics, hints=hints)
    found = hits(query, entries, page)
    in_category = _summed(found.counts, 0)
    counted = [(category, in_category[category.pk]) for category in categories if category.pk in in_category]
    return Found(
        editions=_loaded(found.page, at),
        count=sum(found.counts.values()),
        years=sorted(_summed(found.counts, 1).items(), reverse=True),
        categories=sorted(counted, key=lambda both: both[1], reverse=True),
        topics=topics,
    )


class Hits(NamedTuple):
    """The keys of the editions on a page, and how many there are on all by (category, year)."""

    page: list[int]
    counts: Counter


def hits(query: Query, entries, page: int = 1) -> Hits:
    """What of these entries has the words of the query; all of them if it has none. After the last page, none to show.

    The part of a search that compares with the bare query of the engine: which entries, in which order, how many.
    """
    some = slice((page - 1) * PER_PAGE, page * PER_PAGE) if page <= LAST_PAGE else slice(0, 0)
    return _matched(query, entries, some) if query.terms else Hits(_newest(entries, some), _counted(entries))


def _entries(query, at, categories):
    """The public editions that the filters leave, and hints at filters that leave none."""
    entries, hints = Edition.objects.current(at), []
    if query.after:
        entries = entries.filter(date__gte=query.after)
    if query.before:
        entries = entries.filter(date__lte=query.before)
    for value in query.categories:
        category = _category(value, categories)
        entries = entries.filter(category=category)
        if category is None:
            hints.append(f"There is no category “{value}”.")
    topics = _topics(query.topics, at)
    for value in query.topics:
        entries = entries.filter(pk__in=EditionTopic.objects.filter(topic=topics.get(value)).values("edition"))
        if value not in topics:
            hints.append(f"There is no topic “{value}”.")
    return entries, hints


def _category(value, categories):
    key = slugs.fold(value)
    meant = [one for one in categories if key in (slugs.fold(one.name), one.slug)]
    return meant[0] if meant else None


def _topics(values, at):
    """For each name, other name or slug of a topic that is public, its row: by name before slug before likeness."""
    if not values:
        return {}
    forms = {value: (slugs.fold(value), value.casefold(), slugs.likeness(value)) for value in values}
    keys, addresses, likenesses = (list(column) for column in zip(*forms.values(), strict=True))
    meant = models.Q(key__in=keys) | models.Q(slug__in=addresses) | models.Q(likeness__in=likenesses)
    rows = Topic.objects.filter(meant).order_by("-uses", "key")
    own = models.functions.Coalesce("alias_of", "pk")
    rows = rows.annotate(own=own, public=_is_public(at, topic_links__topic=models.OuterRef("own"))).filter(public=True)
    found = {}
    for field, place in (("likeness", 2), ("slug", 1), ("key", 0)):
        by_form = {getattr(topic, field): topic.own for topic in reversed(rows)}
        found |= {value: by_form[form[place]] for value, form in forms.items() if form[place] in by_form}
    return found


def _is_public(at, **of):
    return models.Exists(Edition.objects.current(at).filter(**of))


def _fitting(query, at):
    if not query.terms:
        return ()
    used = Topic.objects.starting(query.text).values("pk")[:TOPICS_ASKED]
    public = _is_public(at, topic_links__topic=models.OuterRef("pk"))
    return Topic.objects.filter(public, pk__in=used).order_by("-uses", "key")


def _matched(query, entries, some):
    """How many are few is asked of what is public alone: nothing that is not may move the order."""
    asked = _asked(query.terms)
    # What bears a topic is not so much that it could not be gone through.
    if not query.topics and _number_up_to(FEW + 1, asked) <= FEW:
        return _few(query, entries.filter(pk__in=_keys(asked, FEW_KEYS[connection.vendor])), some)
    # No index has a sum, so the entries are read in the order of the one that has what is counted.
    found = entries.annotate(key=models.F("pk") + 0).filter(key__in=_keys(asked))
    counts = _counted(found)
    return Hits(_newest(found, some), counts) if counts.total() > FEW else _few(query, found, some)


def _few(query, found, some):
    in_head = models.Q(pk__in=_keys(_asked(query.terms, in_head=True)))
    found = found.annotate(in_head=models.Case(models.When(in_head, then=1), default=0))
    rows = list(found.order_by("-in_head", "-date", "-pk").values_list("pk", "category_id", "date"))
    return Hits([key for key, _, _ in rows[some]], Counter((category, date.year) for _, category, date in rows))


def _number_up_to(most, asked):
    some = f"SELECT 1 FROM {asked.table} WHERE {asked.where} LIMIT {most}"
    [(number,)] = _fetched(f"SELECT COUNT(*) FROM ({some}) AS hit", asked.params)
    return number


def _newest(entries, some):
    # No date is earlier. By this bound SQLite sees that it can walk along the dates and need not sort all.
    entries = entries.filter(date__gte=datetime.date.min)
    return list(entries.order_by("-date", "-pk").values_list("pk", flat=True)[some])


def _counted(entries):
    days, number = entries.order_by().values("category_id", "date"), "COUNT(*)"
    if connection.vendor == "sqlite":
        # By day at first, in the order of an index: sorted are some thousand sums then, not all entries.
        days, number = days.annotate(number=models.Count("pk")), "SUM(number)"
    within, params = days.query.sql_with_params()
    year = YEARS[connection.vendor]
    rows = _fetched(f"SELECT category_id, {year}, {number} FROM ({within}) AS day GROUP BY 1, 2", params)
    return Counter({(category, year): count for category, year, count in rows})


def _summed(counts, place):
    sums = Counter()
    for both, count in counts.items():
        sums[both[place]] += count
    return sums


def _loaded(keys, at):
    """The editions of a page, but for those that were withdrawn or redacted since their keys were read."""
    editions = Edition.objects.current(at).filter(pk__in=keys).with_uid().with_times()
    return sorted(editions, key=lambda edition: keys.index(edition.pk))


def _fetched(sql, params):
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        return cursor.fetchall()


# The engines.


class _Asked(NamedTuple):
    """Terms as an engine is asked for them, in parts of SQL."""

    table: str
    key: str
    where: str
    params: list[str]


def _asked(terms: Iterable[Term], in_head: bool = False) -> _Asked:
    """`in_head`: where every term stands in the headline, the story, a topic, the category or the name of a source."""
    return ENGINES[connection.vendor](terms, in_head)


def _keys(asked, listed="{}"):
    return RawSQL(listed.format(f"SELECT {asked.key} FROM {asked.table} WHERE {asked.where}"), asked.params)


def _of_sqlite(terms, in_head):
    match = " AND ".join(f'"{" ".join(term.words)}"{" *" if term.is_open else ""}' for term in terms)
    match = f"head : ({match})" if in_head else match
    return _Asked("events_search", "events_search.rowid", "events_search MATCH %s", [match])


def _of_postgresql(terms, in_head):
    """Phrases are found by their words and then told by the row: positions in a `tsvector` end at 16,383."""
    # The words of the head have the weight A.
    lexemes = [f"'{word}':{ending}{'A' if in_head else ''}" for term in terms for word, ending in _endings(term)]
    where, params = ["vector @@ %s::tsquery"], [" & ".join(lexeme.rstrip(":") for lexeme in lexemes)]
    for term in terms:
        if len(term.words) > 1:
            where.append("head LIKE %s" if in_head else "(head LIKE %s OR body LIKE %s)")
            pattern = f"% {' '.join(term.words)}{'' if term.is_open else ' '}%"
            params += [pattern] if in_head else [pattern, pattern]
    return _Asked("events_searchrow", "edition_id", " AND ".join(where), params)


def _endings(term):
    *others, last = term.words
    return [*((word, "") for word in others), (last, "*" if term.is_open else "")]


ENGINES = {"sqlite": _of_sqlite, "postgresql": _of_postgresql}
# How PostgreSQL is told that it is a few which are looked up, and no table to be joined as a whole.
FEW_KEYS = {"sqlite": "{}", "postgresql": "SELECT unnest(ARRAY({}))"}
# The year of a date. Django's own function for it is one in Python where the database is SQLite.
YEARS = {"sqlite": "CAST(SUBSTR(date, 1, 4) AS integer)", "postgresql": "EXTRACT(YEAR FROM date)::int"}
