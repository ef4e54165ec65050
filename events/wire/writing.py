"""The API for the desk's own programs: drafts created, revised, submitted and published, in the name of a key's person.

Holds no rule of the desk: `drafts` and `publishing` do. Here their refusals become statuses, `If-Match` the
`lock_version` that they check under the row's lock, and each act a line of the audit.
"""

import json
import re
from collections.abc import Callable, Iterable
from functools import cached_property

from django.conf import settings
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.http import HttpResponse, HttpResponseNotModified
from django.urls import path, re_path
from django.utils import timezone
from django.utils.http import parse_etags, urlencode
from rest_framework.exceptions import NotAuthenticated
from rest_framework.views import APIView
from reversion.models import Version

from events import addresses, drafts, permissions, publishing
from events.formats import as_json, drafted
from events.http import Absent, JSONRenderer, Negotiation, Problem, page_headers, problem_answer, refuse_parameters
from events.models import AuditEntry, Edition, Event
from events.refusals import Refused, Stale
from events.wire import bodies, idempotency
from events.wire.bodies import Invalid, Refusal
from events.wire.idempotency import Reply
from events.wire.resources import CHALLENGE, KeyAuthentication, Parameter, Throttle, whole_number

Outcome = AuditEntry.Outcome
MOST_BYTES = 1_000_000
MOST_BYTES_IN_BULK = 20_000_000
MOST_IN_BULK = 500
LISTED = 50
MOST_LISTED = 100
# What a key may; with either it reads drafts.
WRITES, PUBLISHES = "writes", "publishes"
_SAFE = ("GET", "HEAD", "OPTIONS")
_TAG = re.compile(r'"(0|[1-9][0-9]{0,8})"')
_TAGS = re.compile(r'\s*(W/)?"[\x21\x23-\x7e\x80-\xff]*"(\s*,\s*(W/)?"[\x21\x23-\x7e\x80-\xff]*")*\s*')
_UID = re.compile(addresses.UID)


def _stage(text):
    if text not in Event.Stage.values:
        raise ValueError(f"Give one of {', '.join(Event.Stage.values)}.")
    return text


def _uid(text):
    if not _UID.fullmatch(text):
        raise ValueError("Give a UUID, in lower case with hyphens.")
    return text


class Writing(APIView):
    """An address for the holder of a key. `verbs` says by method what is done, in the desk's words; reads have none."""

    renderer_classes = [JSONRenderer]
    content_negotiation_class = Negotiation
    authentication_classes = [KeyAuthentication]
    throttle_classes = [Throttle]
    default_response_headers = {}
    verbs: dict[str, str] = {}
    scope = WRITES
    query: dict[str, Parameter] = {}
    most_bytes = MOST_BYTES

    def setup(self, request, *args, **kwargs):
        super().setup(request, *args, **kwargs)
        self.now = timezone.now()

    def get_exception_handler(self):
        return _answer

    def initial(self, request, *args, **kwargs):
        super().initial(request, *args, **kwargs)
        if request.method == "OPTIONS":
            return
        self._admit()
        refuse_parameters(request, self.query)

    def options(self, request, **address):
        response = HttpResponse(status=204, headers={"Allow": ", ".join(self.allowed_methods)})
        del response["Content-Type"]
        return response

    def finalize_response(self, request, response, *args, **kwargs):
        response = super().finalize_response(request, response, *args, **kwargs)
        response["Cache-Control"] = "no-store"
        if request.method == "HEAD":
            response["Content-Length"] = len(response.content)
            response.content = b""
        return response

    @property
    def key(self):
        return self.request.auth

    @property
    def by(self):
        return self.request.auth.user

    @property
    def comment(self) -> str:
        """What the desk's history says beside a save that a program made."""
        return f"by the key “{self.key.name}”"

    def _admit(self):
        """Refuse whoever has no key, a key that does not do this, or one of somebody who is no longer at the desk."""
        if self.key is None:
            raise NotAuthenticated("Send a key that writes: Authorization: Bearer nd_…")
        scopes = (WRITES, PUBLISHES) if self.request.method in _SAFE else (self.scope,)
        if not any(getattr(self.key, scope) for scope in scopes):
            challenge = f'{CHALLENGE}, error="insufficient_scope", scope="{" ".join(scopes)}"'
            self._refuse(f"This key does not allow this: it would have to say “{scopes[0]}”.", challenge)
        if not (self.by.is_active and self.by.is_staff):
            self._refuse("The person in whose name this key writes may no longer come to the desk.")

    def _refuse(self, detail, challenge=""):
        if verb := self.verbs.get(self.request.method):
            self.note(verb, subject=self.kwargs.get("uid", ""), outcome=Outcome.REFUSED, detail=detail)
        raise Problem(403, detail, {"WWW-Authenticate": challenge} if challenge else None)

    # What is asked.

    @cached_property
    def raw(self) -> bytes:
        return bodies.raw(self.request, self.most_bytes)

    @cached_property
    def given(self) -> dict:
        """The JSON object that was sent."""
        return bodies.read(self.request, self.raw)

    @property
    def given_if_any(self) -> dict:
        """The same where a body may be left out."""
        return self.given if self.raw else {}

    @property
    def seen(self) -> set[int]:
        """The `lock_version`s that the request's If-Match names."""
        return _seen(self.request.headers.get("If-Match"))

    @cached_property
    def attempt(self):
        request = idempotency.digest(self.request, self.raw)
        return idempotency.Attempt(self.key, idempotency.token(self.request), request, self.now)

    def visible(self):
        return permissions.visible_to(self.by, Event.objects.all())

    def draft(self, uid) -> Event:
        """The draft, if its person sees it at the desk; what they do not see is not there."""
        event = self.visible().select_related("category", "story__alias_of").filter(uid=uid).first()
        if event is None:
            raise Absent
        return event

    # What is done.

    def once(self, act: Callable[[], Reply]) -> HttpResponse:
        """The answer to an act in one transaction."""
        return _response(idempotency.once(self.attempt, lambda: _told(act)))

    def act(self, verb: str, event: Event | None, service: Callable):
        """What `service` returns, with a line in the audit. Raises a `Problem` for what it refuses."""
        try:
            return service()
        except (Refused, PermissionDenied, ValidationError) as error:
            reason = " ".join(error.messages) if isinstance(error, ValidationError) else str(error)
            standing = event and Event.objects.filter(pk=event.pk).first()
            subject = str(event.uid) if event else ""
            self.note(verb, standing, subject=subject, outcome=Outcome.REFUSED, detail=reason)
            raise _problem(error, event) from None

    def in_transaction(self, verb: str, event: Event | None, service: Callable):
        """The same for a service that leaves all or nothing only with what was done for it before."""

        def whole():
            with transaction.atomic():
                return service()

        return self.act(verb, event, whole)

    def note(self, verb, event=None, *, subject="", outcome=Outcome.DONE, detail=""):
        """A line of the audit; `event` is one that stands in the database."""
        AuditEntry.objects.create(
            by=self.by,
            name=self.by.get_username() if self.by else "",
            verb=verb,
            outcome=outcome,
            event=event,
            subject=subject or (str(event.uid) if event else ""),
            detail="\n".join(filter(None, [self.comment, detail])),
        )

    def create(self, given: dict) -> Reply:
        event = self._saved("write", None, given, needed=bodies.NEEDED)
        location = {"Location": addresses.absolute(addresses.api("drafts", event.uid))}
        return _reply(201, drafted.receipt(event), location)

    def revise(self, uid, given: dict, seen: set[int], needed=()) -> Reply:
        event = self.draft(uid)
        lock_version = _lock_version(event, seen)
        return _reply(200, drafted.receipt(self._saved("edit", event, given, needed, lock_version)))

    def _saved(self, verb, event, given, needed=(), lock_version=None) -> Event:
        def service():
            draft = bodies.draft(given, self.by, needed)
            values = {"comment": self.comment, "lock_version": lock_version, **draft.values}
            return drafts.save(event or Event(language=settings.LANGUAGE_CODE), by=self.by, **values), draft.added

        saved, added = self.in_transaction(verb, event, service)
        for name in added:
            self.note("add topic", subject=name)
        self.note(verb, saved)
        return saved


class Drafts(Writing):
    """The drafts that the key's person sees at the desk, by uid, and where a new one is sent to."""

    verbs = {"POST": "write"}
    query = {
        "stage": Parameter(_stage, {"type": "string", "enum": Event.Stage.values}, "Only drafts at this stage."),
        "limit": Parameter(
            whole_number(1, MOST_LISTED),
            {"type": "integer", "minimum": 1, "maximum": MOST_LISTED, "default": LISTED},
            "How many at most.",
        ),
        "after": Parameter(_uid, {"type": "string", "format": "uuid"}, "Those behind this uid."),
        "before": Parameter(_uid, {"type": "string", "format": "uuid"}, "Those before this uid."),
    }

    def get(self, request):
        asked = {name: self._read(name, parameter) for name, parameter in self.query.items()}
        if asked["after"] and asked["before"]:
            raise Problem(400, "Give either “after” or “before”.")
        rows, more = self._page(**asked)
        latest = _latest(rows)
        # Where the page was reached from, there was a draft.
        follows, precedes = more or asked["before"], asked["after"] or (asked["before"] and more)
        shape = drafted.listed(
            [drafted.row(event, latest.get(event.pk)) for event in rows],
            _list_url(asked),
            following=_list_url(asked, after=rows[-1].uid) if rows and follows else None,
            preceding=_list_url(asked, before=rows[0].uid) if rows and precedes else None,
        )
        return _response(_reply(200, shape, etag=False))

    def post(self, request):
        given = self.given
        return self.once(lambda: self.create(given))

    def _read(self, name, parameter):
        text = self.request.GET.get(name)
        try:
            return None if text is None else parameter.read(text)
        except ValueError as error:
            raise Problem(400, f"“{name}”: {error}") from None

    def _page(self, stage, limit, after, before):
        """(the drafts of a page, whether there are more in the direction of reading)."""
        asked = {"stage": stage, "uid__gt": after, "uid__lt": before}
        found = self.visible().filter(**{name: value for name, value in asked.items() if value})
        limit = limit or LISTED
        rows = list(found.defer("body").order_by("-uid" if before else "uid")[: limit + 1])
        more, rows = len(rows) > limit, rows[:limit]
        return rows[::-1] if before else rows, more


class Draft(Writing):
    """One draft: its working copy, which no reader sees."""

    verbs = {"PUT": "edit", "PATCH": "edit", "DELETE": "delete"}

    def get(self, request, uid):
        event = self.draft(uid)
        if drafted.tag(event.lock_version) in parse_etags(request.headers.get("If-None-Match", "")):
            return HttpResponseNotModified(headers={"ETag": drafted.tag(event.lock_version)})
        shape = drafted.draft(event, drafts.document(event), _latest([event]).get(event.pk))
        return _response(_reply(200, shape))

    def put(self, request, uid):
        given, seen = self.given, self.seen
        # All members, or one that was forgotten would be emptied.
        return self.once(lambda: self.revise(uid, given, seen, needed=bodies.DRAFT))

    def patch(self, request, uid):
        given, seen = self.given, self.seen
        return self.once(lambda: self.revise(uid, given, seen))

    def delete(self, request, uid):
        seen = self.seen
        return self.once(lambda: self._delete(uid, seen))

    def _delete(self, uid, seen):
        event = self.draft(uid)
        lock_version = _lock_version(event, seen)
        self.in_transaction("delete", event, lambda: drafts.delete(event, by=self.by, lock_version=lock_version))
        self.note("delete", subject=uid)
        return Reply(204, {}, "")


class Submission(Writing):
    """Where a draft is handed to the editors."""

    verbs = {"POST": "submit"}

    def post(self, request, uid):
        given, seen = bodies.members(self.given_if_any, bodies.SUBMISSION), self.seen
        return self.once(lambda: self._submit(uid, seen, **given))

    def _submit(self, uid, seen, comment=""):
        event = self.draft(uid)
        said = "\n".join(filter(None, [comment, self.comment]))
        lock_version = _lock_version(event, seen)
        submitted = self.in_transaction(
            "submit", event, lambda: drafts.submit(event, by=self.by, lock_version=lock_version, comment=said)
        )
        self.note("submit", submitted)
        return _reply(200, drafted.receipt(submitted))


class Publication(Writing):
    """Where a draft is published, now or at a minute in the future."""

    verbs = {"POST": "publish"}
    scope = PUBLISHES

    def post(self, request, uid):
        given, seen = bodies.members(self.given_if_any, bodies.PUBLICATION), self.seen
        return _response(idempotency.in_steps(self.attempt, lambda: _told(lambda: self._publish(uid, seen, given))))

    def _publish(self, uid, seen, given):
        """Publish it in the transaction of `publishing`, which nothing may enclose.

        So a process may die before the answer is kept. Since the act counts up what If-Match names, the repeat is
        refused, and looks whether what stands there is what it asks for.
        """
        event = self.draft(uid)
        lock_version = _lock_version(event, seen)
        verb = "schedule" if given.get("issue") else "publish"
        try:
            edition = self.act(verb, event, lambda: self._service(event, lock_version, **given))
        except Problem as problem:
            reply = self._done_before(event, seen, **given) if problem.page.status == 412 else None
            if reply is None:
                raise
            return reply
        self.note(verb, event)
        return _reply(200, drafted.published(edition.event, edition))

    def _service(self, event, lock_version, issue=None, **values):
        if issue:
            return publishing.schedule(event, by=self.by, issue=issue, lock_version=lock_version, **values)
        return publishing.publish(event, by=self.by, lock_version=lock_version, **values)

    def _done_before(self, event, seen, issue=None, kind=Edition.Kind.PUBLISH, note="", override="") -> Reply | None:
        """What this was answered, if this person made that very version of what If-Match names; for repeats alone."""
        if self.attempt.token is None:
            return None
        editions = event.editions.filter(kind=kind, note=note, revision__user=self.by)
        editions = editions.filter(issued=issue) if issue else editions.filter(issued__lte=timezone.now())
        for made in sorted(number + 1 for number in seen):
            if edition := editions.filter(revision__in=_saves(event, made)).first():
                event.lock_version, event.stage = made, Event.Stage.READY
                return _reply(200, drafted.published(event, edition))
        return None


class Bulk(Writing):
    """Where many drafts are created and revised, each by itself: what is refused stops none of the others."""

    verbs = {"POST": "write"}
    most_bytes = MOST_BYTES_IN_BULK

    def post(self, request):
        items = _items(self.given)
        return _response(idempotency.in_steps(self.attempt, lambda: self._all(items)))

    def _all(self, items) -> Reply:
        done = [self._item(number, item) for number, item in enumerate(items)]
        return _reply(200, {"drafts": done}, etag=False)

    def _item(self, number, item) -> dict:
        """What came of one, in a transaction of its own; after a break, a repeat goes on where it was."""
        prefix = f"/drafts/{number}"
        reply = idempotency.once(self.attempt.part(number), lambda: _told(lambda: self._one(item), prefix))
        shape = json.loads(reply.body)
        return {"status": reply.status} | (shape if reply.status < 400 else {"problem": shape})

    def _one(self, item) -> Reply:
        if not isinstance(item, dict):
            raise Invalid([("", "Give an object.")])
        given = {name: value for name, value in item.items() if name not in ("uid", "if_match")}
        if "uid" not in item:
            if "if_match" in item:
                raise Invalid([("/if_match", "Give this with a uid only.")])
            return self.create(given)
        for name in ("uid", "if_match"):
            if not isinstance(item.get(name, ""), str):
                raise Invalid([(f"/{name}", "Give a text.")])
        if not _UID.fullmatch(item["uid"]):
            raise Invalid([("/uid", "Give a UUID, in lower case with hyphens.")])
        return self.revise(item["uid"], given, _seen(item.get("if_match")))


# Statuses.


def _answer(exception, context):
    """The exception handler: problems are told in JSON, whatever is accepted."""
    if isinstance(exception, Problem):
        return _response(_problem_reply(exception))
    return problem_answer(exception, context)


def _problem(error: Exception, event: Event | None) -> Problem:
    """What a service refused, as an answer."""
    if isinstance(error, Stale):
        now = Event.objects.filter(pk=event.pk).values_list("lock_version", flat=True).first()
        tag = drafted.tag(now or 0)
        return Refusal(
            412, str(error), name="precondition-failed", title="Changed meanwhile", headers={"ETag": tag}, etag=tag
        )
    if isinstance(error, ValidationError):
        return Invalid.of(error)
    return Problem(403 if isinstance(error, PermissionDenied) else 409, str(error))


def _told(act: Callable[[], Reply], prefix="") -> Reply:
    """What an act answers, or its problem as an answer; pointers begin with the `prefix`."""
    try:
        return act()
    except Invalid as invalid:
        return _problem_reply(Invalid(invalid.errors, prefix))
    except Problem as problem:
        return _problem_reply(problem)


def _problem_reply(problem: Problem) -> Reply:
    body = JSONRenderer().render(problem.page)
    headers = page_headers(problem.page, JSONRenderer(), body) | problem.headers
    return Reply(problem.page.status, headers, body.decode())


def _reply(status: int, shape: dict, headers: dict | None = None, etag=True) -> Reply:
    tag = {"ETag": shape["etag"]} if etag else {}
    headers = {"Content-Type": JSONRenderer.media_type, **tag, **(headers or {})}
    return Reply(status, headers, as_json.render("", shape).decode())


def _response(reply: Reply) -> HttpResponse:
    response = HttpResponse(reply.body, status=reply.status, headers=reply.headers)
    if not reply.body:
        del response["Content-Type"]
    return response


# Conditions.


def _seen(condition: str | None) -> set[int]:
    """The `lock_version`s that an If-Match names; weak tags name none, since they never match (RFC 9110, 13.1.1)."""
    if condition is None or condition.strip() == "*":
        told = "“*” would overwrite whatever stands there. " if condition else ""
        detail = f'{told}Send the ETag of the draft that you have read: If-Match: "7".'
        raise Refusal(428, detail, name="precondition-required", title="If-Match required")
    if not _TAGS.fullmatch(condition):
        raise Problem(400, "Send the ETag in If-Match as it came, in quotation marks.")
    return {int(match[1]) for tag in parse_etags(condition) if (match := _TAG.fullmatch(tag))}


def _lock_version(event: Event, seen: Iterable[int]) -> int:
    """What the service has to find under the row's lock: one of those seen, or a number that no row has."""
    return event.lock_version if event.lock_version in seen else -1


# Rows.


def _latest(events: list[Event]) -> dict[int, Edition]:
    """The latest version of each, scheduled ones too: the one that nothing supersedes."""
    editions = Edition.objects.filter(event__in=events, superseded=None).defer("document")
    return {edition.event_id: edition for edition in editions}


def _saves(event: Event, lock_version: int):
    """The desk's saves that left the event with this `lock_version`."""
    saves = Version.objects.get_for_object_reference(Event, event.pk)
    # Within a text the quotation marks are escaped, so only the row's own field reads like this.
    return saves.filter(serialized_data__contains=f'"lock_version": {lock_version},').values("revision")


def _items(given: dict) -> list:
    items = bodies.members(given, {"drafts": lambda value: value}, needed=("drafts",))["drafts"]
    if not isinstance(items, list) or not 1 <= len(items) <= MOST_IN_BULK:
        raise Invalid([("/drafts", f"Give a list of 1 to {MOST_IN_BULK} drafts.")])
    return items


def _list_url(asked: dict, **place) -> str:
    """The URL of a page with the same filters, at another place if one is given."""
    kept = {name: value for name, value in asked.items() if value and not (place and name in ("after", "before"))}
    query = urlencode(kept | place)
    return addresses.absolute(addresses.api("drafts", "")) + (f"?{query}" if query else "")


urlpatterns = [
    path("api/drafts/", Drafts.as_view(), name="drafts"),
    path("api/drafts/bulk", Bulk.as_view(), name="drafts-bulk"),
    re_path(rf"^api/drafts/{addresses.UID}\Z", Draft.as_view(), name="draft"),
    re_path(rf"^api/drafts/{addresses.UID}/submit\Z", Submission.as_view(), name="draft-submission"),
    re_path(rf"^api/drafts/{addresses.UID}/publish\Z", Publication.as_view(), name="draft-publication"),
]
