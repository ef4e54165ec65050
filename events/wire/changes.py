"""The log: every public act in order, for partners who miss none."""

from urllib.parse import urlencode

from django.db.models import BooleanField, Exists, ExpressionWrapper, F, OuterRef, Q
from django.http import HttpResponse
from django.urls import re_path
from rest_framework.exceptions import NotAuthenticated, PermissionDenied

from events import addresses, keys, publishing
from events.documents import rfc3339
from events.formats import as_json, logged, shapes
from events.http import Absent, Page, Problem, refuse_parameters
from events.log import hashed_members
from events.models import Edition, EditionTopic, LogEntry, LogHead, Topic
from events.wire import bodies, cursors, entries
from events.wire.resources import Parameter, Resource, whole_number

PAGE, LONGEST = 100, 500
# Documents are long: a page with them ends earlier.
LONGEST_WITH_DOCUMENTS = 100
# A cursor has at most 513 characters.
MOST_BYTES = 10_000
# How much of the log is looked through for one page of a filtered one.
SCANNED = 5_000
DOCUMENT = "document"
Kind = LogEntry.Kind
# What takes a text from the public, in an agency's words.
KILLS = {Kind.WITHDRAW: "Withdrawn", Kind.REDACT: "Redacted"}
# What may concern anyone: it says which text has to go, or what topics are called now.
FOR_ALL = (Kind.REDACT, Kind.TOPIC_MERGE, Kind.TOPIC_RENAME)
SLUG = {"type": "string", "minLength": 1, "pattern": "^[^\\u0000]+$"}
_NO_DOCUMENT = {"document": None, "salt": None, "slug": None}


class BadCursor(Problem):
    def __init__(self):
        super().__init__(400)
        url = addresses.absolute(addresses.problem("bad-cursor"))
        self.page = Page("problem", shapes.problem(400, cursors.GARBLED, title="Unknown cursor", type=url), status=400)


class Forked(Problem):
    def __init__(self, common):
        super().__init__(409)
        self.page = Page("problem", logged.forked(common), status=409)


def _include(text):
    if text != DOCUMENT:
        raise ValueError(f"“{DOCUMENT}” is all that can be included.")
    return text


def _slug(text):
    if not text or "\x00" in text:
        raise ValueError("Give the slug of a page.")
    return text


class OfLog(Resource):
    """An address that shows the log, which holds what is due before it is read."""

    def state(self):
        self.head = LogHead.objects.end(self.now)
        if self.head.is_behind:
            publishing.settle()
            self.head = LogHead.objects.end(self.now)
        return self.head.state

    def hashes_at(self, seqs):
        return dict(LogEntry.objects.filter(seq__in=seqs).values_list("seq", "hash"))

    def texts(self, rows):
        """What each version says, by its key, where it is public: when the entries were read, and still."""
        read = [row.edition_id for row in rows if not row.is_withdrawn]
        public = Edition.objects.filter(pk__in=read, document__isnull=False, event__withdrawn=False)
        return {row.pop("pk"): row for row in public.values("pk", "document", "salt", "slug")}

    def head_shape(self, hashes):
        head = self.head
        recorded = rfc3339(head.recorded) if head.seq else None
        return {"seq": head.seq, "hash": head.hash, "recorded": recorded, "cursor": str(cursors.at(head.seq, hashes))}

    def check(self, cursor, hashes):
        """Raise `Forked` unless the chain, of which these are hashes, has the entry that a cursor stands behind."""
        if not cursor.stands_in(hashes, cursor.seq):
            seq = cursor.common(hashes)
            found = self.hashes_at(cursors.places(seq))
            hash = found.get(seq, LogHead._meta.get_field("hash").default)
            raise Forked({"seq": seq, "hash": hash, "cursor": str(cursors.at(seq, found))})


class Changes(OfLog):
    query = {
        "after": Parameter(
            lambda text: text, {"type": "string"}, "The place to read on from: `next` of the page before."
        ),
        "limit": Parameter(
            whole_number(1, LONGEST),
            {"type": "integer", "minimum": 1, "maximum": LONGEST, "default": PAGE},
            "How many entries at most; a page may have fewer and yet not be the last.",
        ),
        "category": Parameter(_slug, SLUG, "Only entries of this category, by its slug."),
        "topic": Parameter(_slug, SLUG, "Only entries with this topic, by its slug."),
        "include": Parameter(
            _include, {"type": "string", "enum": [DOCUMENT]}, "Each version's document, salt and slug as well."
        ),
    }

    def get(self, request, **address):
        response = super().get(request, **address)
        # What somebody reads on from, they have.
        if request.auth and request.auth.follows and self.asked["after"]:
            keys.note_fetched(request.auth, _cursor(self.asked["after"]).seq, self.now)
        return response

    def page(self, at):
        after = _cursor(self.asked["after"])
        hashes = self.hashes_at({*cursors.places(after.seq), *cursors.places(self.head.seq)})
        self.check(after, hashes)
        rows, next = self.rows(after)
        hashes |= {row.seq: row.hash for row in rows}
        hashes |= self.missing(hashes, [*(row.seq for row in rows), next])
        texts = self.texts(rows) if self.asked["include"] else {}
        shape = logged.page(
            [self.entry(row, hashes, texts) for row in rows],
            self.head_shape(hashes),
            after=self.asked["after"] and str(after),
            next=str(cursors.at(next, hashes)),
            filters=self.rest_of_query(),
        )
        return Page("log", shape, [("next", shape["next_url"])], indexed=False)

    def rows(self, after):
        """The entries of the page, and the `seq` up to which the log was looked through for them."""
        limit = self.asked["limit"] or PAGE
        if self.asked["include"]:
            limit = min(limit, LONGEST_WITH_DOCUMENTS)
        end = min(after.seq + (SCANNED if self.is_filtered else limit), self.head.seq)
        found = _with_edition(LogEntry.objects.filter(seq__gt=after.seq, seq__lte=end)).order_by("seq")
        if self.is_filtered:
            found = self.matching(found)
        rows = list(found[:limit])
        return rows, rows[-1].seq if len(rows) == limit else end

    @property
    def is_filtered(self):
        return any(self.asked[name] is not None for name in ("category", "topic"))

    def matching(self, entries):
        """What concerns a follower of the category and the topic: `stays` says whether the event is one of theirs.

        A version that was redacted tells no longer what it was about, so it and what follows it concern everyone.
        """
        same = Edition.objects.filter(pk=OuterRef("edition"))
        before = Edition.objects.filter(event=OuterRef("event"), number=OuterRef("edition__number") - 1)
        is_theirs = Exists(same.filter(self.condition()))
        was_theirs = Exists(before.filter(self.condition()))
        was_redacted = Exists(before.filter(document__isnull=True).exclude(kind=Kind.WITHDRAW))
        is_redacted = Exists(same.filter(document__isnull=True).exclude(kind=Kind.WITHDRAW))
        withdraws = Q(kind=Kind.WITHDRAW) & (was_theirs | was_redacted)
        stays = Q(kind__in=FOR_ALL) | is_theirs | is_redacted | withdraws
        concerns = entries.filter(stays | was_theirs | was_redacted)
        return concerns.annotate(stays=ExpressionWrapper(stays, BooleanField()))

    def condition(self):
        """What an edition of theirs is. A name that nothing public has is not told from one that nothing has."""
        condition = Q()
        if self.asked["category"] is not None:
            condition &= Q(category__slug=self.asked["category"])
        if self.asked["topic"] is not None:
            topic = Topic.objects.filter(slug=self.asked["topic"]).select_related("alias_of").first()
            links = EditionTopic.objects.filter(edition=OuterRef("pk"), topic=topic.canonical if topic else None)
            condition &= Q(Exists(links))
        return condition

    def missing(self, hashes, seqs):
        """The hashes that the cursors behind these entries need and that are not there yet."""
        wanted = {place for seq in seqs for place in cursors.places(seq)} - hashes.keys()
        return self.hashes_at(wanted) if wanted else {}

    def entry(self, row, hashes, texts):
        cursor = str(cursors.at(row.seq, hashes))
        if not getattr(row, "stays", True):
            return logged.leave(row.seq, str(row.uid), cursor=cursor)
        document = texts.get(row.edition_id, _NO_DOCUMENT) if self.asked["include"] else None
        return _entry(row, cursor, document)

    def rest_of_query(self):
        return "".join(f"&{urlencode({name: text})}" for name, text in self.request.GET.items() if name != "after")


class Head(OfLog):
    def page(self, at):
        hashes = self.hashes_at(cursors.places(self.head.seq))
        return Page("log_head", logged.end(**self.head_shape(hashes)), indexed=False)


class Entry(OfLog):
    """One entry of the log, with its document while that is public."""

    def page(self, at, seq):
        row = _with_edition(LogEntry.objects.filter(seq=seq)).first()
        if row is None:
            raise Absent
        hashes = self.hashes_at(cursors.places(row.seq))
        document = self.texts([row]).get(row.edition_id, _NO_DOCUMENT)
        return Page("log_entry", _entry(row, str(cursors.at(row.seq, hashes)), document), indexed=False)


class AgencyEntry(OfLog):
    """An entry as agencies have it: the version that was published, or the notice that one is no more."""

    renderer_classes = entries.AGENCIES

    def page(self, at, seq):
        row = _with_edition(LogEntry.objects.filter(seq=seq, event__isnull=False)).first()
        if row is None:
            raise Absent
        if row.kind in KILLS:
            return Page("kill", _kill(row), indexed=False)
        return entries.version(at, row.uid, row.number, self.request)


class Acknowledged(OfLog):
    """Where a partner says how far it has come, if it wants to be believed at once."""

    http_method_names = ["post", "options"]
    query = {}

    def post(self, request):
        if request.auth is None:
            raise NotAuthenticated("Send a key that follows the log.")
        if not request.auth.follows:
            raise PermissionDenied("This key does not follow the log. Ask the newsroom for one that does.")
        refuse_parameters(request, ())
        self.state()
        cursor = _cursor(_cursor_of(bodies.read(request, bodies.raw(request, MOST_BYTES))))
        self.check(cursor, self.hashes_at(cursors.places(cursor.seq)))
        keys.note_acknowledged(request.auth, cursor.seq, self.now)
        return HttpResponse(
            as_json.render("receipt", {"seq": cursor.seq, "cursor": str(cursor)}), content_type="application/json"
        )


def _cursor_of(body):
    if set(body) != {"cursor"} or not isinstance(body["cursor"], str):
        raise Problem(400, "Send a JSON object with “cursor”, the place up to which you have everything.")
    return body["cursor"]


def _cursor(text):
    try:
        return cursors.parse(text) if text is not None else cursors.START
    except ValueError:
        raise BadCursor from None


def _with_edition(entries):
    return entries.annotate(
        uid=F("event__uid"),
        number=F("edition__number"),
        is_withdrawn=F("event__withdrawn"),
        is_open=ExpressionWrapper(Q(edition__superseded=None), BooleanField()),
    )


def _entry(row, cursor, document=None):
    members = hashed_members(row, row.uid, row.number)
    return logged.entry(members, cursor=cursor, hash=row.hash, note=_note(row), document=document)


def _kill(row):
    """What `kill` of an agency's format takes."""
    return {
        "uid": str(row.uid),
        "version": row.number,
        "issued": rfc3339(row.occurred),
        "reason": _note(row),
        "url": addresses.absolute(addresses.uid(row.uid)),
        "label": KILLS[row.kind],
    }


def _note(row):
    """The public note, of a withdrawn event no other than why it is."""
    is_reason = row.kind == Kind.WITHDRAW and row.is_open
    return row.note if is_reason or not row.is_withdrawn else ""


urlpatterns = [
    re_path(r"^api/changes/\Z", Changes.as_view(), name="changes"),
    re_path(r"^api/changes/index\.(?P<format>json|xml)\Z", Changes.as_view(), name="changes_in_format"),
    re_path(r"^api/changes/head\Z", Head.as_view(), name="head"),
    re_path(r"^api/changes/head\.(?P<format>json|xml)\Z", Head.as_view(), name="head_in_format"),
    re_path(r"^api/changes/acknowledged\Z", Acknowledged.as_view(), name="acknowledged"),
    re_path(r"^api/changes/(?P<seq>[1-9][0-9]{0,11})\Z", Entry.as_view(), name="log_entry"),
    re_path(
        r"^api/changes/(?P<seq>[1-9][0-9]{0,11})\.(?P<format>json|xml)\Z", Entry.as_view(), name="log_entry_in_format"
    ),
    re_path(
        r"^api/changes/(?P<seq>[1-9][0-9]{0,11})\.(?P<format>ninjs|newsml)\Z",
        AgencyEntry.as_view(),
        name="log_entry_of_agencies",
    ),
]
