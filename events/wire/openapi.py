"""The description of the API (OpenAPI 3.1): every address that leads to a view, what it takes, and all its answers.

Parameters are those that the views declare. The schemas of what is read are those of `formats/schemas/event.json`,
which the pages share; those of what is sent, and of drafts, stand here.
"""

import json
import re
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from django.conf import settings
from django.utils.regex_helper import normalize

from events import addresses, documents, formats, texts
from events.models import Edition, Event
from events.wire import bodies, writing
from events.wire.entries import AGENCIES

MEDIA_TYPE = "application/vnd.oai.openapi+json"
JSON, XML, HTML = "application/json", "application/xml", "text/html"
TYPES = {"json": JSON, "xml": XML, **{renderer.format: renderer.media_type for renderer in AGENCIES}}
RECORD_SCHEMA = json.loads((Path(formats.__file__).parent / "schemas" / "event.json").read_text())

_FORMATS = re.compile(r"\(\?P<format>([a-z|]+)\)")
_UID = addresses.UID.removeprefix("(?P<uid>").removesuffix(")")
PLACES = {
    "uid": ({"type": "string", "pattern": f"^{_UID}$"}, "The event's identifier, a UUID in lower case."),
    "number": ({"type": "integer", "minimum": 1, "maximum": 999_999}, "The version's number."),
    "seq": ({"type": "integer", "minimum": 1, "maximum": 999_999_999_999}, "The entry's place in the log."),
    "slug": (
        {"type": "string", "minLength": 1, "pattern": "^[^/.\\u0000-\\u001f\\u007f]+$"},
        "The name as addresses have it.",
    ),
    "host": ({"type": "string", "minLength": 1, "pattern": "^[^/\\u0000-\\u0020\\u007f]+$"}, "A host, without “www.”."),
}


class Text(NamedTuple):
    """What is said of an address that is read, and of the same with an ending unless that has a text of its own.

    `schema` is the component that its JSON is, "" where it has none. `types` are those that negotiation chooses from.
    `more` are answers that few addresses have, by status.
    """

    group: str
    summary: str
    schema: str = ""
    types: tuple[str, ...] = (JSON, XML)
    more: dict[int, str] = {}


class Act(NamedTuple):
    """What is said of a method that changes something: its body's component, and its answers by status.

    An answer is a component, or "" for none.
    """

    summary: str
    body: str
    answer: dict[int, str]
    refusals: tuple[int, ...] = ()
    is_optional: bool = False
    is_conditional: bool = False


API, ENTRIES, NAMES, SOURCES, LOG, DESK = (
    "The API",
    "Entries",
    "Topics and categories",
    "Sources",
    "The log",
    "Drafts",
)
LOST = {410: "The entry was withdrawn: the reason, and no text of any version."}
READ = {
    "/api/": Text(API, "Where everything is", "index"),
    "/api/schema/": Text(API, "This description", types=(MEDIA_TYPE,)),
    "/api/docs/": Text(API, "A page to try it", types=(HTML,)),
    "/api/events/": Text(ENTRIES, "Entries, newest date first, or what a search finds", "event_list"),
    "/api/events/{uid}": Text(ENTRIES, "An entry as it is now, or was at a time", "event", more=LOST),
    "/api/events/{uid}/versions/": Text(ENTRIES, "The versions of an entry", "version_list", more=LOST),
    "/api/events/{uid}/versions/{number}": Text(ENTRIES, "A version for good", "event", more=LOST),
    "/api/topics/": Text(NAMES, "Topics that have entries, by name", "topic_list"),
    "/api/topics/{slug}": Text(
        NAMES,
        "A topic, its other names and its feeds",
        "topic_record",
        more={302: "The slug of another name leads to the topic."},
    ),
    "/api/categories/": Text(NAMES, "The categories that have entries, in the desk's order", "category_list"),
    "/api/categories/{slug}": Text(NAMES, "A category and its feeds", "category_record"),
    "/api/sources/": Text(SOURCES, "Hosts that entries cite", "source_list"),
    "/api/sources/{host}": Text(SOURCES, "Entries that cite a host", "source_page"),
    "/api/changes/": Text(
        LOG,
        "Every public act, in order",
        "log",
        more={
            409: "The log does not hold the entry at which the cursor stands: `common` is the last place that is "
            "surely in both logs."
        },
    ),
    "/api/changes/head": Text(LOG, "The end of the log", "log_head"),
    "/api/changes/{seq}": Text(LOG, "An entry of the log", "log_entry"),
    "/api/changes/{seq}.{format}": Text(
        LOG,
        "An entry of the log; in `ninjs` and `newsml` the version that was published, or the notice that it is gone",
        "log_entry",
        more={410: "In `ninjs` and `newsml`: the version is of an entry that was withdrawn since."},
    ),
    "/api/drafts/": Text(DESK, "The drafts that the key's person sees at the desk", "draft_list", types=(JSON,)),
    "/api/drafts/{uid}": Text(DESK, "A draft as a whole", "draft", types=(JSON,)),
}
# What every act on drafts may be refused with, besides a key that is missing or may not.
_ANY = (400, 403, 411, 413, 415, 422)
_SAVED = (*_ANY, 404, 409, 412, 428)
ACTS = {
    ("/api/changes/acknowledged", "post"): Act(
        "Say up to where you have the log", "acknowledgement", {200: "receipt"}, (400, 403, 409, 411, 413, 415)
    ),
    ("/api/drafts/", "post"): Act("Write a draft", "new_draft", {201: "draft_receipt"}, (*_ANY, 409)),
    ("/api/drafts/bulk", "post"): Act(
        "Write and revise up to 500 drafts, each by itself", "bulk", {200: "bulk_answer"}, (*_ANY, 409)
    ),
    ("/api/drafts/{uid}", "put"): Act(
        "Revise a draft as a whole", "whole_draft", {200: "draft_receipt"}, _SAVED, is_conditional=True
    ),
    ("/api/drafts/{uid}", "patch"): Act(
        "Revise what is given of a draft", "draft_members", {200: "draft_receipt"}, _SAVED, is_conditional=True
    ),
    ("/api/drafts/{uid}", "delete"): Act(
        "Delete a draft that was never public", "", {204: ""}, _SAVED, is_conditional=True
    ),
    ("/api/drafts/{uid}/submit", "post"): Act(
        "Hand a draft to the editors", "submission", {200: "draft_receipt"}, _SAVED, True, is_conditional=True
    ),
    ("/api/drafts/{uid}/publish", "post"): Act(
        "Publish a draft, now or at a minute",
        "publication",
        {200: "published"},
        _SAVED,
        True,
        is_conditional=True,
    ),
}
STATUSES = {
    302: "Somewhere else.",
    304: "You have this answer already: it has the ETag that If-None-Match names.",
    400: "Something in the request cannot be read, or does not belong there. The detail says what to do.",
    401: "The key opens nothing, or one is needed.",
    403: "The key, or the person in whose name it writes, may not do this.",
    404: "Nothing that you may see is here.",
    409: "It does not stand where this can be done.",
    410: "It is gone for good, or was withdrawn.",
    411: "The body came in chunks: send it in one piece, with its Content-Length.",
    412: "It was changed since: If-Match names another state. The ETag is that of today.",
    413: "The body is too long.",
    415: "The body is not JSON.",
    422: "The body says something that cannot be: `errors` say where.",
    428: "Send If-Match with the ETag of the draft that you read.",
    429: "Too many requests. Retry-After says how many seconds to wait.",
}


# The addresses, as they lead to views.


class Path(NamedTuple):
    """A path as OpenAPI writes it, the table's key for it, the view that it leads to and the endings it has."""

    template: str
    base: str
    view: type
    formats: tuple[str, ...] = ()


def paths(urlpatterns: Iterable) -> list[Path]:
    """The paths of the API among these patterns; one that has two views for its endings has the endings of both."""
    found = {}
    for pattern in urlpatterns:
        path = _path(pattern)
        if path.template.startswith("/api/"):
            other = found.get(path.template, path._replace(formats=()))
            found[path.template] = path._replace(formats=other.formats + path.formats)
    return list(found.values())


def _path(pattern):
    regex = pattern.pattern.regex.pattern
    (template, names), *_others = normalize(regex)
    template = "/" + template % {name: f"{{{name}}}" for name in names}
    ending = _FORMATS.search(regex)
    return Path(template, _base(template), pattern.callback.cls, tuple(ending[1].split("|")) if ending else ())


def _base(template):
    """The path of the same without an ending; that of a list may have a slash where others have none."""
    base = template.removesuffix(".{format}")
    if base == template or not base.endswith("/index"):
        return base
    base = base.removesuffix("index")
    return base if base in READ else base.removesuffix("/")


# The document.


def document(urlpatterns: Iterable) -> dict:
    return {
        "openapi": "3.1.1",
        "info": {
            "title": f"{settings.NEWSDESK_TITLE}: the API",
            "summary": "The public record of the newsroom, version by version, and its log.",
            "description": DESCRIPTION,
            "version": "1",
            **({"license": _license(settings.NEWSDESK_LICENSE)} if settings.NEWSDESK_LICENSE else {}),
        },
        "servers": [{"url": settings.NEWSDESK_URL}],
        "tags": [{"name": name} for name in (API, ENTRIES, NAMES, SOURCES, LOG, DESK)],
        "paths": {path.template: _item(path) for path in paths(urlpatterns)},
        "components": {
            "schemas": {**_record_schemas(), **_receipt_schemas(), **_draft_schemas()},
            "headers": HEADERS,
            "securitySchemes": {
                "key": {"type": "http", "scheme": "bearer", "description": "A key that the newsroom gave you: nd_…"}
            },
        },
    }


DESCRIPTION = """Everything public can be read without a key. With one you may ask more often, and the newsroom sees how far you have come in the log.

What changes, corrections and withdrawals included, stands in the log at `/api/changes/`: follow that, and you miss nothing. Lists are for looking things up.

Each answer has an ETag, and is fresh until the next whole minute. Problems are told as RFC 9457 has it, in JSON or XML. A parameter that an address does not know, or that is given twice, is refused.

Drafts are for the newsroom's own programs, whose keys write in somebody's name."""  # noqa: E501


def _license(license):
    return {"name": license, **({"url": license} if re.match(r"https?://", license) else {})}


def _item(path: Path) -> dict:
    item = {}
    if text := READ.get(path.template) or READ.get(path.base):
        item["get"] = _reading(path, text)
    for (base, method), act in ACTS.items():
        if base == path.template:
            item[method] = _acting(base, method, act)
    places = [_place(name, path.formats) for name in re.findall(r"{(\w+)}", path.template)]
    return {**({"parameters": places} if places else {}), **item}


def _place(name, endings):
    schema, text = ({"enum": list(endings)}, "The format.") if name == "format" else PLACES[name]
    return {"name": name, "in": "path", "required": True, "description": text, "schema": schema}


def _reading(path, text):
    is_ours = text.group == DESK
    types = [TYPES[format] for format in path.formats] or text.types
    problems = (JSON,) if is_ours else (JSON, XML) if HTML not in types else (HTML,)
    statuses = {200, 400, 429} | ({401, 403} if is_ours else {304, 401} if text.types != (HTML,) else {304})
    if "{" in path.template:
        statuses.add(404)
    answers = {200: _read_answer(text, types, path.formats, is_ours)}
    more = {status: STATUSES[status] for status in statuses - {200}} | text.more
    answers |= {status: _answer(status, said, problems) for status, said in more.items()}
    return {
        "operationId": _operation("get", path.template),
        "tags": [text.group],
        "summary": text.summary,
        "security": [{"key": []}] if is_ours else [{}, {"key": []}],
        "parameters": [_parameter(name, parameter) for name, parameter in path.view.query.items()]
        if hasattr(path.view, "query")
        else [],
        "responses": _responses(answers),
    }


def _operation(method, template):
    return "_".join([method, *(re.findall(r"\w+", template.removeprefix("/api/")) or ["index"])])


def _parameter(name, parameter):
    return {"name": name, "in": "query", "description": parameter.text, "schema": parameter.schema}


def _read_answer(text, types, endings, is_ours):
    named = dict(zip(types, endings, strict=True)) if endings else {}
    headers = ("ETag", "Cache-Control") if is_ours else ("ETag", "Cache-Control", "Link")
    return {
        "description": text.summary + ".",
        "headers": {name: {"$ref": f"#/components/headers/{name}"} for name in headers},
        "content": {type: _content(type, text.schema, named.get(type)) for type in types},
    }


def _content(type, schema, ending):
    if type == JSON and ending != "ninjs" and schema:
        # An address that ends so in ninjs has JSON of both kinds.
        return {"schema": _ref(schema)}
    return {"schema": {}}


def _acting(base, method, act):
    statuses = {401, 429, *act.refusals}
    answers = {status: _act_answer(status, schema) for status, schema in act.answer.items()}
    answers |= {status: _answer(status, STATUSES[status], (JSON,)) for status in statuses}
    operation = {
        "operationId": _operation(method, base),
        "tags": [LOG if "changes" in base else DESK],
        "summary": act.summary,
        "security": [{"key": []}],
        "parameters": [*_conditions(method, act, base)],
        "responses": _responses(answers),
    }
    if act.body:
        operation["requestBody"] = {"required": not act.is_optional, "content": {JSON: {"schema": _ref(act.body)}}}
    return operation


def _conditions(method, act, base):
    if act.is_conditional:
        yield {
            "name": "If-Match",
            "in": "header",
            "required": True,
            "description": "The ETag of the draft that you have read.",
            "schema": {"type": "string", "pattern": '^"(0|[1-9][0-9]{0,8})"$'},
        }
    if base.startswith("/api/drafts/"):
        yield {
            "name": "Idempotency-Key",
            "in": "header",
            "description": "The same request sent again with the same one is answered as it was, for a day.",
            "schema": {"type": "string", "pattern": "^[\\u0021-\\u007e]{1,255}$"},
        }


def _act_answer(status, schema):
    answer = {"description": {200: "Done.", 201: "Written.", 204: "Deleted."}[status]}
    if status == 201:
        answer["headers"] = {"Location": {"$ref": "#/components/headers/Location"}}
    return answer | ({"content": {JSON: {"schema": _ref(schema)}}} if schema else {})


def _answer(status, text, types):
    answer = {"description": text}
    if status >= 400:
        kinds = {JSON: "application/problem+json", XML: "application/problem+xml", HTML: HTML}
        schema = {JSON: _ref("problem")}
        answer["content"] = {kinds[type]: {"schema": schema.get(type, {})} for type in types}
    header = {401: "WWW-Authenticate", 429: "Retry-After", 302: "Location", 304: "ETag"}.get(status)
    if header:
        answer["headers"] = {header: {"$ref": f"#/components/headers/{header}"}}
    return answer


def _responses(answers):
    return {str(status): answers[status] for status in sorted(answers)}


HEADERS = {
    name: {"description": text, "schema": {"type": "string"}}
    for name, text in {
        "ETag": "What If-None-Match, and to write If-Match, take.",
        "Cache-Control": "How long it is fresh: to the next whole minute, for what is public.",
        "Link": "Other formats, the next page and the one before, the version before and after, the schema.",
        "Location": "Where it is.",
        "WWW-Authenticate": "That a key is sent as a bearer token.",
    }.items()
}
HEADERS["Retry-After"] = {"description": "Seconds to wait.", "schema": {"type": "integer", "minimum": 0}}


# Components.


def _ref(name):
    return {"$ref": f"#/components/schemas/{name}"}


def _record_schemas() -> dict:
    return {name: _embedded(schema) for name, schema in RECORD_SCHEMA["$defs"].items()}


def _embedded(schema):
    """A schema of the file as a component: what it names stands beside it here."""
    if isinstance(schema, list):
        return [_embedded(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    embedded = {key: _embedded(value) for key, value in schema.items() if key != "$anchor"}
    if isinstance(schema.get("$ref"), str):
        embedded |= _ref(schema["$ref"].removeprefix("#"))
    return embedded


def _object(required="", optional="", closed=False, **properties) -> dict:
    """`required` are all properties unless it names some."""
    names = required.split() if required else [name for name in properties if name not in optional.split()]
    schema = {"type": "object", "properties": properties}
    return schema | ({"required": names} if names else {}) | ({"additionalProperties": False} if closed else {})


def _or_null(schema):
    return {"anyOf": [schema, {"type": "null"}]}


def _list_of(schema):
    return {"type": "array", "items": schema}


TEXT = {"type": "string"}


def _receipt_schemas() -> dict:
    return {
        "acknowledgement": _object(cursor=TEXT, closed=True),
        "receipt": _object(seq={"type": "integer", "minimum": 0}, cursor=TEXT),
    }


def _draft_schemas() -> dict:
    receipt = {"uid": _ref("uid"), "url": _ref("url"), "etag": TEXT, "stage": {"enum": Event.Stage.values}}
    version = _object(
        version={"type": "integer", "minimum": 1}, kind=_ref("kind"), issued=_ref("moment"), url=_ref("url")
    )
    row = receipt | {
        "date": _ref("date"),
        "headline": TEXT,
        "remark": TEXT,
        "created": _ref("moment"),
        "modified": _ref("moment"),
        "latest": _or_null(version),
    }
    members = _draft_members()
    return {
        "new_draft": _object(" ".join(bodies.NEEDED), closed=True, **members),
        "whole_draft": _object(closed=True, **members),
        "draft_members": {**_object(closed=True, optional=" ".join(members), **members)},
        "draft_receipt": _object(**receipt),
        "draft": _object(**row, document=_object(closed=True, **members)),
        "draft_list": _object(
            url=_ref("url"),
            drafts=_list_of(_object(**row)),
            next=_or_null(_ref("url")),
            previous=_or_null(_ref("url")),
            formats=_object(json=_ref("url")),
        ),
        "submission": _object(optional="comment", closed=True, comment=_text(texts.MAX_NOTE)),
        "publication": _object(
            optional="kind note issue override",
            closed=True,
            kind={"enum": [kind.value for kind in bodies.KINDS], "default": Edition.Kind.PUBLISH.value},
            note=_text(texts.MAX_NOTE),
            issue={
                "type": ["string", "null"],
                "format": "date-time",
                "description": "A whole minute in the future, with its zone; none to publish now.",
            },
            override={**_text(texts.MAX_NOTE), "description": "Why a minor change may alter facts."},
        ),
        "published": _object(**receipt, latest=version),
        "bulk": _object(
            closed=True,
            drafts={
                "type": "array",
                "minItems": 1,
                "maxItems": writing.MOST_IN_BULK,
                "items": _object(
                    optional=f"uid if_match {' '.join(members)}",
                    closed=True,
                    uid=_ref("uid"),
                    if_match={"type": "string", "description": "As the header If-Match, with a uid."},
                    **members,
                ),
            },
        ),
        "bulk_answer": _object(
            drafts=_list_of(
                _object(
                    "status",
                    status={"type": "integer", "description": "As if this one had been sent alone."},
                    problem=_ref("problem"),
                    **receipt,
                )
            )
        ),
    }


def _draft_members() -> dict:
    name = _text(texts.MAX_NAME, 1)
    return {
        "date": {"type": "string", "format": "date"},
        "headline": _text(texts.MAX_HEADLINE, 1),
        "body": {**_text(texts.MAX_BODY), "description": "Markdown."},
        "category": {**_or_null(name), "description": "The name of one that there is."},
        "story": {**_or_null(name), "description": "The topic that heads it."},
        "topics": {"type": "array", "items": name, "maxItems": documents.MAX_TOPICS},
        "sources": {
            "type": "array",
            "items": _object(closed=True, name=name, url={**_text(texts.MAX_URL, 1), "format": "uri"}),
            "maxItems": documents.MAX_SOURCES,
        },
        "language": {"type": "string", "maxLength": 35, "pattern": "^[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*$"},
        "origin": _or_null(_ref("origin")),
    }


def _text(most, least=0):
    return {"type": "string", "maxLength": most} | ({"minLength": least} if least else {})
