"""Which events a reader is pointed to from another one, and why: chosen by the topics they share, scored in parts.

Sees the record only through `Edition.objects.current`; what an editor pinned or hid comes before any score.
"""

import datetime
import math

from django.db import connection

from events import documents, slugs
from events.models import Edition, Topic

SHOWN = 5
# A constant where the size of the record might stand, so that a score changes only with what it is made of.
RECORD = 100_000
LEAST_RARITY = 0.1
SAME_CATEGORY = 2
DIGITS = 3
# Measured on 67,000 real events, the story hidden: ten nearest before and after find hardly more of it than six (0.386
# to 0.384). Few events have more than a dozen topics, and the rarest ones say what an event is about.
NEAREST = 6
TOPICS = 12

# One statement, and its cost does not grow with the record: the days within which a topic's nearest entries lie are
# read from the ends of an index, then only what lies within them. Whole days, so that no order of rows decides.
# What is public is said by `current` alone, whose SQL is put in as it stands.
_STATEMENT = """
WITH public (edition, event, date, category) AS NOT MATERIALIZED (
    SELECT * FROM ({current}) seen
    WHERE event <> %s
    AND event NOT IN (SELECT other_id FROM events_relatedchoice WHERE event_id = %s AND NOT shown)
), reach AS MATERIALIZED (
    SELECT id,
        COALESCE((SELECT link.date FROM events_editiontopic link JOIN public ON public.edition = link.edition_id
            WHERE link.topic_id = topic.id AND link.date <= %s
            ORDER BY link.date DESC LIMIT 1 OFFSET {further}), %s) AS first,
        COALESCE((SELECT link.date FROM events_editiontopic link JOIN public ON public.edition = link.edition_id
            WHERE link.topic_id = topic.id AND link.date > %s
            ORDER BY link.date LIMIT 1 OFFSET {further}), %s) AS last
    FROM events_topic topic WHERE id IN ({topics})
), near AS (
    SELECT public.*, 0 AS pinned FROM reach
    JOIN events_editiontopic link ON link.topic_id = reach.id AND link.date BETWEEN reach.first AND reach.last
    JOIN public ON public.edition = link.edition_id
    UNION
    SELECT public.*, 1 AS pinned FROM events_relatedchoice choice
    JOIN public ON public.event = choice.other_id WHERE choice.event_id = %s AND choice.shown
)
SELECT near.edition, event.uid, near.date, near.category, near.pinned, link.topic_id
FROM near JOIN events_event event ON event.id = near.event
LEFT JOIN events_editiontopic link ON link.edition_id = near.edition
"""


def choose(edition: Edition, at: datetime.datetime) -> list[dict]:
    """The events that the public is pointed to from `edition` at `at`: five at most, newest first. Three queries.

    Each has headline, date, slug, uid, context (the topics they share, as `edition` names them), score, and the `parts`
    whose product the score is.
    """
    if edition.document is None:
        return []
    public = Edition.objects.current(at).order_by()
    topics = _topics(edition)
    candidates = _candidates(edition, public, topics)
    for candidate in candidates:
        candidate["parts"] = _parts(candidate, edition, topics)
        candidate["score"] = round(math.prod(candidate["parts"].values()), DIGITS)
    best = sorted(candidates, key=lambda one: (-one["pinned"], -one["score"], *_newest_first(one)))[:SHOWN]
    return _told(sorted(best, key=_newest_first), topics)


def _newest_first(candidate):
    return -candidate["date"].toordinal(), candidate["uid"]


def _topics(edition):
    """The name in the document and the rarity of each of its topics, by the row that the topic means today."""
    document = documents.read(edition.document, edition.schema)
    names = {topic["key"]: topic["name"] for topic in document["topics"]}
    rows = Topic.objects.filter(key__in=names).order_by()
    topics = {}
    for key, pk, uses, alias_of, its_uses in sorted(
        rows.values_list("key", "pk", "uses", "alias_of", "alias_of__uses")
    ):
        topics.setdefault(alias_of or pk, (names[key], _rarity(its_uses if alias_of else uses)))
    return topics


def _rarity(uses):
    return max(math.log(RECORD / max(uses, 1)), LEAST_RARITY)


def _candidates(edition, public, topics):
    """The public entries nearest in time on each of the rarest topics, and the pinned ones, with all their topics."""
    candidates = {}
    with connection.cursor() as cursor:
        cursor.execute(*_statement(edition, public, topics))
        for pk, uid, date, category, pinned, topic in cursor.fetchall():
            # A pinned one may come twice, as what it is and as a near one.
            candidate = candidates.setdefault(pk, {"edition": pk, "uid": uid, "topics": set(), "pinned": 0})
            candidate["pinned"] |= pinned
            candidate["topics"].add(topic)
            candidate["category"] = category
            candidate["date"] = date
    for candidate in candidates.values():
        # SQLite hands a date out as text.
        candidate["date"] = datetime.date.fromisoformat(str(candidate["date"]))
    return candidates.values()


def _statement(edition, public, topics):
    current, params = public.values_list("pk", "event", "date", "category").query.sql_with_params()
    rarest = sorted(topics, key=lambda topic: (-topics[topic][1], slugs.fold(topics[topic][0])))[:TOPICS]
    before, after = (edition.date, datetime.date.min), (edition.date, datetime.date.max)
    marks = ", ".join(["%s"] * len(rarest)) or "NULL"
    return (
        _STATEMENT.format(current=current, further=NEAREST - 1, topics=marks),
        [*params, edition.event_id, edition.event_id, *before, *after, *rarest, edition.event_id],
    )


def _parts(candidate, edition, topics):
    """What the score is the product of; rounded, so that whoever multiplies what is shown gets the score."""
    shared = [topics[topic][1] for topic in candidate["topics"] if topic in topics]
    same_category = edition.category_id is not None and candidate["category"] == edition.category_id
    days = abs((candidate["date"] - edition.date).days)
    return {
        "rarity": round(math.fsum(shared), DIGITS),
        "nearness": round(1 / math.log(2 + days), DIGITS),
        "category": SAME_CATEGORY if same_category else 1,
        "focus": round(1 / math.sqrt(len(candidate["topics"])), DIGITS),
    }


def _told(chosen, topics):
    """What is told of the chosen ones, in their order; they are `current`, unless redacted since a moment ago."""
    fields = ("pk", "document", "schema", "date", "slug", "event__uid")
    rows = Edition.objects.filter(pk__in=[one["edition"] for one in chosen], document__isnull=False).order_by()
    told = {
        pk: {**_worded(documents.read(document, schema)), "date": date, "slug": slug, "uid": uid}
        for pk, document, schema, date, slug, uid in rows.values_list(*fields)
    }
    return [
        {**told[one["edition"]], "context": _context(one, topics), "score": one["score"], "parts": one["parts"]}
        for one in chosen
        if one["edition"] in told
    ]


def _worded(text):
    return {"headline": text["headline"], "language": text["language"]}


def _context(candidate, topics):
    return sorted((topics[topic][0] for topic in candidate["topics"] if topic in topics), key=slugs.fold)
