"""Reading the record through the API: entries and their versions, topics, categories.

A page of a list begins after or before a place in its order and not after a number of rows, so that none is skipped or
given twice while others arrive. The order is total: entries of one date stand by their uid.
"""

import base64
import datetime
import hashlib
import re
import uuid
from collections.abc import Callable
from typing import NamedTuple

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.db.models.fields.json import KeyTextTransform, KeyTransform
from django.http import HttpResponseRedirect
from django.urls import re_path
from rest_framework.renderers import BaseRenderer

from events import addresses, queries, records, related, search, texts
from events.formats import as_json, as_newsml, as_ninjs, as_xml, listed, shapes
from events.http import Absent, Page, Problem, Withdrawn
from events.models import Category, Edition, EditionTopic, Topic
from events.wire.resources import Parameter, Resource, whole_number

ROWS, MOST_ROWS = 50, 200
GARBLED = "This is no cursor of this list. Take one from its “next” or “previous”, or none to begin at its start."
_CHECK_BYTES = 4
_MOMENT = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ][0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]+)?(?:[Zz]|[+-][0-9:]{5})")
# At the ends of the calendar there are moments that some time zones cannot tell.
_YEARS = range(1000, 9999)


# Places in a list.


def sealed(prefix: str, place: bytes) -> str:
    """A place as a partner keeps it. The check is against accidents: what it says is not secret."""
    encoded = base64.urlsafe_b64encode(_check(prefix, place) + place)
    return prefix + encoded.decode().rstrip("=")


def unsealed(prefix: str, text: str) -> bytes:
    """The place that was sealed so; ValueError for anything else."""
    if not re.fullmatch(rf"{prefix}[A-Za-z0-9_-]{{6,6000}}", text):
        raise ValueError(GARBLED)
    encoded = text.removeprefix(prefix)
    # What cannot be decoded is a ValueError too, with other words.
    data = base64.urlsafe_b64decode(encoded + "=" * (-len(encoded) % 4)) if len(encoded) % 4 != 1 else b""
    place = data[_CHECK_BYTES:]
    if sealed(prefix, place) != text:
        raise ValueError(GARBLED)
    return place


def _check(prefix, place):
    return hashlib.sha256(prefix.encode() + place).digest()[:_CHECK_BYTES]


class Place(NamedTuple):
    """A place in the order of entries, newest date first, those of a date by their uid: that of an entry.

    The entry itself lies neither after nor before it, unless it is `included`.
    """

    date: datetime.date
    uid: uuid.UUID
    included: bool = False

    def __str__(self):
        return sealed("e", bytes([self.included]) + self.date.toordinal().to_bytes(3, "big") + self.uid.bytes)

    @classmethod
    def parse(cls, text):
        """The place that `str` wrote; ValueError for anything else."""
        data = unsealed("e", text)
        if len(data) != 20:
            raise ValueError(GARBLED)
        return cls(
            datetime.date.fromordinal(int.from_bytes(data[1:4], "big")), uuid.UUID(bytes=data[4:]), bool(data[0])
        )


START = Place(datetime.date.max, uuid.UUID(int=2**128 - 1))


class Line(NamedTuple):
    """Entries that are paged through: those of `entries` that fulfil `condition`, along the index of the field `date`.

    The condition stands apart because what it joins is what the date is a field of.
    """

    entries: QuerySet
    condition: Q = Q()
    date: str = "date"

    def after(self, place):
        return self._beyond(place or START, "lt").order_by(f"-{self.date}", "-event__uid")

    def before(self, place):
        return self._beyond(place, "gt").order_by(self.date, "event__uid")

    def place(self, edition):
        return Place(edition.date, edition.event.uid)

    def _beyond(self, place, side):
        uid = f"event__uid__{side}{'e' if place.included else ''}"
        beyond = Q(**{f"{self.date}__{side}": place.date}) | Q(**{uid: place.uid})
        # The date is told twice: by the first condition the index is entered.
        found = self.entries.filter(self.condition, Q(**{f"{self.date}__{side}e": place.date}), beyond)
        return found.with_uid().with_times()


class Name(NamedTuple):
    """A place in the order of topics: that of a folded name."""

    key: str
    included: bool = False

    def __str__(self):
        return sealed("t", bytes([self.included]) + self.key.encode())

    @classmethod
    def parse(cls, text):
        """The place that `str` wrote; ValueError for anything else."""
        data = unsealed("t", text)
        # An encoding that is wrong is a ValueError too.
        key = data[1:].decode()
        if not key or texts.line_problem(key, texts.MAX_KEY):
            raise ValueError(GARBLED)
        return cls(key, bool(data[0]))


class Names(NamedTuple):
    """Topics that are paged through, in the order of their folded names."""

    topics: QuerySet

    def after(self, place):
        return self._beyond(place, "gt").order_by("key")

    def before(self, place):
        return self._beyond(place, "lt").order_by("-key")

    def place(self, topic):
        return Name(topic.key)

    def _beyond(self, place, side):
        if place is None:
            return self.topics
        return self.topics.filter(**{f"key__{side}{'e' if place.included else ''}": place.key})


class Part(NamedTuple):
    """The rows of a page, and the parameters by which the pages beside it differ, None where there is nothing."""

    rows: list
    next: dict | None
    previous: dict | None


def part(line: Line | Names, asked: dict) -> Part:
    """The page of a line that `after`, `before` and `limit` ask for. Two queries at most."""
    limit, after, before = asked["limit"] or ROWS, asked["after"], asked["before"]
    rows = list((line.before(before) if before else line.after(after))[: limit + 1])
    more, rows = len(rows) > limit, rows[:limit]
    if before:
        rows.reverse()
        last = line.place(rows[-1]) if rows else before._replace(included=True)
        next = _on(last) if _any(line.after(last)) else None
        return Part(rows, next, _back(line.place(rows[0])) if more else None)
    next = _on(line.place(rows[-1])) if more else None
    if after is None:
        return Part(rows, next, None)
    first = line.place(rows[0]) if rows else after._replace(included=True)
    return Part(rows, next, _back(first) if _any(line.before(first)) else None)


def _any(found):
    # Not `exists`, which drops the order: SQLite would not walk along the index then, but go through all.
    return bool(found[:1])


def _on(place):
    return {"after": str(place), "before": None}


def _back(place):
    return {"before": str(place), "after": None}


# Parameters.


def _text(text):
    problem = texts.line_problem(text, texts.MAX_NAME) if text else "Give a text."
    if problem:
        raise ValueError(problem)
    return text


def _typed(text):
    if not 1 <= len(text) <= queries.LONGEST:
        raise ValueError(f"Give a text of at most {queries.LONGEST} characters.")
    return text


def _date(text):
    try:
        return datetime.date.fromisoformat(text if re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", text) else "")
    except ValueError:
        raise ValueError("Give a date such as 2017-02-25.") from None


def _moment(text):
    try:
        moment = datetime.datetime.fromisoformat(text.upper() if _MOMENT.fullmatch(text) else "")
        moment = moment.astimezone(datetime.UTC).replace(microsecond=0)
    except (ValueError, OverflowError):
        moment = None
    if moment is None or moment.year not in _YEARS:
        raise ValueError("Give a time with its zone, such as 2018-02-06T13:49:30Z.")
    return moment


def _kind(text):
    if text not in SHOWN_KINDS:
        raise ValueError(f"Give one of {', '.join(SHOWN_KINDS)}.")
    return text


def _fields(text):
    names = text.split(",")
    unknown = [name for name in names if name not in listed.FIELDS]
    if unknown:
        raise ValueError(f"There is no field “{unknown[0][:100]}”. There are {', '.join(listed.FIELDS)}.")
    return names


# A withdrawal is shown by nothing.
SHOWN_KINDS = [kind.value for kind in Edition.Kind if kind != Edition.Kind.WITHDRAW]
# No control characters, as `texts` has it.
_LINE = "^[^\\u0000-\\u001f\\u007f\\u0085\\u2028\\u2029\\ufffe\\uffff]+$"
NAME = {"type": "string", "minLength": 1, "maxLength": texts.MAX_NAME, "pattern": _LINE}
DATE = {"type": "string", "format": "date"}
_FIELD = "|".join(listed.FIELDS)


def cursors(parse: Callable, format: str) -> dict[str, Parameter]:
    """The parameters by which one walks along a list."""
    schema = {"type": "string", "format": format}
    return {
        "after": Parameter(parse, schema, "The place to go on from: as `next` of a page has it."),
        "before": Parameter(parse, schema, "The place to go back from: as `previous` of a page has it."),
        "limit": Parameter(
            whole_number(1, MOST_ROWS),
            {"type": "integer", "minimum": 1, "maximum": MOST_ROWS, "default": ROWS},
            "How many rows at most.",
        ),
    }


ENTRY_CURSORS = cursors(Place.parse, "entry-cursor")
AT = Parameter(
    _moment,
    {"type": "string", "format": "date-time"},
    "As the public saw it at this time, with its zone; the future is refused. What was withdrawn or redacted since is "
    "left out.",
)


class Listing(Resource):
    """A list. `apart` are pairs of parameters that make no sense together."""

    apart: list[tuple[str, str]] = []

    @property
    def given(self):
        """The parameters as they were given, in the order in which they are declared."""
        return listed.Asked({name: self.request.GET[name] for name in self.query if name in self.request.GET})

    def refuse_contradictions(self):
        for one, other in self.apart:
            if one in self.request.GET and other in self.request.GET:
                raise Problem(400, f"“{one}” and “{other}” do not go together. Leave one of them out.")


def links(shape: dict) -> list[tuple[str, str]]:
    """For the Link header: where a list goes on and where it came from."""
    return [(relation, shape[key]) for relation, key in (("next", "next"), ("prev", "previous")) if shape[key]]


def _past(at, now):
    if at > now:
        raise Problem(400, "“at” lies in the future. Give a time up to now, or none.")
    return at


# The formats of news agencies, which an event has at addresses that end so.


class NinjsRenderer(BaseRenderer):
    media_type = "application/json"
    format = "ninjs"
    problem_type = "application/problem+json"
    # The IPTC has registered no type, so this tells it from other JSON.
    links = [("describedby", as_ninjs.SCHEMA)]

    def render(self, page, accepted_media_type=None, renderer_context=None):
        return _agency_text(page, as_ninjs, as_json)


class NewsMLRenderer(BaseRenderer):
    media_type = "application/vnd.iptc.g2.newsitem+xml"
    format = "newsml"
    problem_type = "application/problem+xml"
    links = []

    def render(self, page, accepted_media_type=None, renderer_context=None):
        return _agency_text(page, as_newsml, as_xml)


AGENCIES = [NinjsRenderer, NewsMLRenderer]


def _agency_text(page, agency, plain):
    """An event, or that one is no more (its shape is what `kill` takes), as agencies have it."""
    if page.root == "problem":
        return plain.render(page.root, page.shape)
    return agency.kill(**page.shape) if page.root == "kill" else agency.render(page.shape)


# Entries.


class Events(Listing):
    """Current entries, newest date first; with `q`, what a search finds in its own order, page by page."""

    query = {
        "date": Parameter(_date, DATE, "Entries of this date."),
        "from": Parameter(_date, DATE, "Entries of this date and later ones."),
        "to": Parameter(_date, DATE, "Entries up to this date, included."),
        "category": Parameter(_text, NAME, "Entries of a category, by its slug."),
        "topic": Parameter(_text, NAME, "Entries with a topic, by its slug or that of another name of it."),
        "story": Parameter(_text, NAME, "Entries that a topic heads, by its slug."),
        "kind": Parameter(_kind, {"enum": SHOWN_KINDS}, "Entries whose version shown is of this kind."),
        "at": AT,
        "q": Parameter(
            _typed,
            {"type": "string", "minLength": 1, "maxLength": queries.LONGEST},
            "What is found by these words and “phrases”, best first. Goes with `page`, `date`, `from`, `to`, "
            "`category`, `topic`, `at` and `fields`.",
        ),
        "page": Parameter(
            whole_number(1, search.LAST_PAGE),
            {"type": "integer", "minimum": 1, "maximum": search.LAST_PAGE, "default": 1},
            f"Which page of a search, of {search.PER_PAGE} entries each. Goes with `q`.",
        ),
        **ENTRY_CURSORS,
        "fields": Parameter(
            _fields,
            {"type": "string", "pattern": f"^({_FIELD})(,({_FIELD}))*$"},
            "Only these members of each entry, separated by commas, and its uid.",
        ),
    }
    apart = [
        ("date", "from"),
        ("date", "to"),
        ("after", "before"),
        *(("q", name) for name in ("story", "kind", "limit", "after", "before")),
    ]

    def page(self, at):
        asked = self.asked
        self.refuse_contradictions()
        if asked["page"] and asked["q"] is None:
            raise Problem(400, "“page” goes with “q” alone. Other lists go on “after” a cursor.")
        if asked["from"] and asked["to"] and asked["from"] > asked["to"]:
            raise Problem(400, "“from” is later than “to”.")
        moment = _past(asked["at"] or at, at)
        shape = self.listed(moment) if asked["q"] is None else self.found(moment)
        if asked["at"]:
            shape = shapes.in_past(shape, addresses.as_of(moment))
        return Page("event_list", shape, links(shape), indexed=False)

    def listed(self, at):
        rows, next, previous = part(self.line(at), self.asked)
        return listed.events(rows, self.given, next=next, previous=previous, fields=self.asked["fields"])

    def line(self, at):
        """A story or a topic is walked along by its own index. What there is none of is looked for all the same."""
        asked, entries = self.asked, Edition.objects.current(at)
        line = Line(entries)
        if asked["story"]:
            story = _topic_row(asked["story"])
            line = Line(_headed_by(entries, story), Q(topic_links__topic=story), "topic_links__date")
            if asked["topic"]:
                links = EditionTopic.objects.filter(topic=_topic_row(asked["topic"]))
                line = line._replace(entries=line.entries.filter(pk__in=links.values("edition")))
        elif asked["topic"]:
            line = Line(entries, Q(topic_links__topic=_topic_row(asked["topic"])), "topic_links__date")
        return line._replace(condition=line.condition & self.condition(line.date))

    def condition(self, date):
        asked = self.asked
        wanted = {date: asked["date"], f"{date}__gte": asked["from"], f"{date}__lte": asked["to"]}
        wanted["kind"] = asked["kind"]
        if asked["category"]:
            # By its key, for the index; 0 is that of none.
            category = Category.objects.filter(slug=asked["category"]).first()
            wanted["category"] = category.pk if category else 0
        return Q(**{name: value for name, value in wanted.items() if value is not None})

    def found(self, at):
        asked, number = self.asked, self.asked["page"] or 1
        query = queries.parse(asked["q"])
        result = search.find(self.narrowed(query, at), at, number) if query.is_usable else search.Found()
        pages = min(-(-result.count // search.PER_PAGE), search.LAST_PAGE)
        return listed.events(
            result.editions,
            self.given,
            next={"page": number + 1} if number < pages else None,
            previous={"page": min(number - 1, max(pages, 1))} if number > 1 else None,
            fields=asked["fields"],
            count=result.count,
            hints=[*query.hints, *result.hints],
        )

    def narrowed(self, query, at):
        """The query with the filters beside it."""
        asked, entries = self.asked, Edition.objects.current(at)
        first = [day for day in (query.after, asked["from"], asked["date"]) if day]
        last = [day for day in (query.before, asked["to"], asked["date"]) if day]
        return query._replace(
            after=max(first, default=None),
            before=min(last, default=None),
            topics=(*query.topics, *_topic_key(asked["topic"], entries)),
            categories=(*query.categories, *_category_name(asked["category"], entries)),
        )


def _topic_row(slug):
    """The key of the row that a topic's slug means today, 0 if there is none."""
    asked = Topic.objects.filter(slug=slug).select_related("alias_of").first()
    return asked.canonical.pk if asked else 0


def _headed_by(entries, topic):
    """Those whose story it is: the document has the name of its time."""
    names = Topic.objects.filter(Q(pk=topic) | Q(alias_of=topic)).order_by()
    return entries.alias(heading=KeyTextTransform("key", KeyTransform("story", "document"))).filter(
        heading__in=names.values("key")
    )


# What a search is told of a topic or category: its key or name, where another one may have its slug for a name. Of one
# that no entry has, the slug that was given: a hint repeats what it was told, and the name is not public.


def _topic_key(slug, entries):
    if slug is None:
        return ()
    topic = Topic.objects.filter(slug=slug).select_related("alias_of").first()
    return (topic.key if topic and entries.filter(topic_links__topic=topic.canonical).exists() else slug,)


def _category_name(slug, entries):
    if slug is None:
        return ()
    category = Category.objects.filter(slug=slug).first()
    return (category.name if category and entries.filter(category=category).exists() else slug,)


class Event(Resource):
    """An event as its page has it."""

    query = {"at": AT}

    def page(self, at, uid):
        moment = _past(self.asked["at"] or at, at)
        history = _history(moment, uid)
        current = history[-1]
        redactions = records.redactions(history)
        if current.document is None:
            # What was current at that moment was redacted since.
            shape = shapes.edition(current, history, redactions=redactions)
        else:
            shape = shapes.event(history, related=related.choose(current, moment), redactions=redactions)
        if self.asked["at"]:
            shape = shapes.in_past(shape, addresses.as_of(moment))
        return Page("event", shape, _links_of_version(shape, self.request), indexed=False)


class Versions(Resource):
    def page(self, at, uid):
        history = _history(at, uid)
        redactions = records.redactions(history)
        shape = listed.versions(uid, [shapes.change(edition, history, redactions) for edition in history])
        return Page("version_list", shape, [("latest-version", shape["event"])], indexed=False)


class Version(Resource):
    """A version for good. What its status is, and what stands beside it, changes with the event."""

    def page(self, at, uid, number):
        return version(at, uid, int(number), self.request)


def version(at, uid, number: int, request) -> Page:
    """The page of one version of an event; raises Absent or Withdrawn."""
    history = _history(at, uid)
    edition = next((edition for edition in history if edition.number == number), None)
    if edition is None:
        raise Absent
    shape = shapes.edition(edition, history, redactions=records.redactions(history))
    modified = records.last_change(history, at)
    return Page("event", shape, _links_of_version(shape, request), modified=modified, indexed=False)


def _history(at, uid):
    """All versions public by `at`, in order, of an event that can be read then; raises Absent or Withdrawn."""
    history = list(Edition.objects.issued_by(at).filter(event__uid=uid).with_uid().with_log().order_by("number"))
    if history and history[-1].kind == Edition.Kind.WITHDRAW:
        # It was restored since; at that moment it was not there to read.
        raise Withdrawn(history[-1])
    if not any(edition.document for edition in history):
        records.current_of(at, uid)
        raise Absent
    return history


def _links_of_version(shape, request):
    neighbours = [("predecessor-version", "previous"), ("successor-version", "next")]
    found = [("latest-version", shape["latest"])] if shape["latest"] else []
    found += [(relation, shape[key]["url"]) for relation, key in neighbours if shape[key]]
    return found + getattr(request.accepted_renderer, "links", [])


# Topics and categories.


class Topics(Listing):
    """Topics that have entries, in the order of their folded names."""

    query = {
        "q": Parameter(_text, NAME, "Topics of whose names a word begins so, and which hold all other words."),
        **cursors(Name.parse, "topic-cursor"),
    }
    apart = [("after", "before")]

    def page(self, at):
        self.refuse_contradictions()
        public = Edition.objects.current(at).filter(topic_links__topic=OuterRef("pk"))
        topics = Topic.objects.filter(Exists(public), alias_of=None)
        if self.asked["q"]:
            topics = topics.filter(pk__in=Topic.objects.starting(self.asked["q"]).order_by().values("pk"))
        rows, next, previous = part(Names(topics), self.asked)
        shape = listed.topics(rows, self.given, next=next, previous=previous)
        return Page("topic_list", shape, links(shape), indexed=False)


class OneTopic(Resource):
    """A topic; another name of it leads there."""

    def page(self, at, slug):
        asked = Topic.objects.filter(slug=slug).select_related("alias_of").first()
        if not Edition.objects.current(at).filter(topic_links__topic=asked.canonical.pk if asked else 0).exists():
            raise Absent
        if asked.alias_of:
            return HttpResponseRedirect(addresses.api("topics", asked.alias_of.slug))
        aliases = asked.aliases.order_by("key").values_list("name", flat=True)
        return Page("topic_record", listed.topic(asked, aliases), indexed=False)


class Categories(Resource):
    def page(self, at):
        shape = listed.categories(records.categories(Edition.objects.current(at)))
        return Page("category_list", shape, indexed=False)


class OneCategory(Resource):
    def page(self, at, slug):
        category = Category.objects.filter(slug=slug).first()
        if not Edition.objects.current(at).filter(category=category.pk if category else 0).exists():
            raise Absent
        return Page("category_record", listed.category(category), indexed=False)


FORMAT = r"(?P<format>json|xml)"
AGENCY = r"(?P<format>ninjs|newsml)"
EVENT = rf"^api/events/{addresses.UID}"
VERSION = rf"{EVENT}/versions/(?P<number>[1-9][0-9]{{0,5}})"

urlpatterns = [
    re_path(r"^api/events/\Z", Events.as_view(), name="api_events"),
    re_path(rf"^api/events/index\.{FORMAT}\Z", Events.as_view(), name="api_events_in_format"),
    re_path(rf"{EVENT}\Z", Event.as_view(), name="api_event"),
    re_path(rf"{EVENT}\.{FORMAT}\Z", Event.as_view(), name="api_event_in_format"),
    re_path(rf"{EVENT}\.{AGENCY}\Z", Event.as_view(renderer_classes=AGENCIES), name="api_event_of_agencies"),
    re_path(rf"{EVENT}/versions/\Z", Versions.as_view(), name="api_versions"),
    re_path(rf"{EVENT}/versions/index\.{FORMAT}\Z", Versions.as_view(), name="api_versions_in_format"),
    re_path(rf"{VERSION}\Z", Version.as_view(), name="api_version"),
    re_path(rf"{VERSION}\.{FORMAT}\Z", Version.as_view(), name="api_version_in_format"),
    re_path(rf"{VERSION}\.{AGENCY}\Z", Version.as_view(renderer_classes=AGENCIES), name="api_version_of_agencies"),
    re_path(r"^api/topics/\Z", Topics.as_view(), name="api_topics"),
    re_path(rf"^api/topics/index\.{FORMAT}\Z", Topics.as_view(), name="api_topics_in_format"),
    re_path(rf"^api/topics/{addresses.SLUG}\Z", OneTopic.as_view(), name="api_topic"),
    re_path(r"^api/categories/\Z", Categories.as_view(), name="api_categories"),
    re_path(rf"^api/categories/index\.{FORMAT}\Z", Categories.as_view(), name="api_categories_in_format"),
    re_path(rf"^api/categories/{addresses.SLUG}\Z", OneCategory.as_view(), name="api_category"),
]
