"""What a program sends to the desk: JSON read strictly, and made into what `drafts.save` takes.

Nothing is guessed, cut or dropped: what cannot be taken as it is, is refused with the place where it stands.
"""

import datetime
import json
import re
from collections.abc import Callable
from typing import NamedTuple

from django.core.exceptions import ValidationError
from django.http import UnreadablePostError

from events import addresses, documents, permissions, slugs, texts
from events.formats import shapes
from events.http import Page, Problem
from events.models import Category, Edition, Source, Topic, date_problem
from events.permissions import User

MEDIA_TYPE = "application/json"
# A body is full of what is wrong with it, or with one thing many times.
MOST_ERRORS = 100
KINDS = (Edition.Kind.PUBLISH, Edition.Kind.UPDATE, Edition.Kind.CORRECTION, Edition.Kind.MINOR)
_LONGEST_SHOWN = 100
_LONGEST_LENGTH = 20
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_MINUTE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt][0-9]{2}:[0-9]{2}:00(\.0+)?([Zz]|[+-][0-9]{2}:[0-9]{2})")
_NO_MINUTE = "Give a whole minute with its zone, such as 2026-05-01T14:30:00Z."


class Refusal(Problem):
    """A problem of a type of its own, where it has a `name`, or with more members than a plain one."""

    def __init__(self, status: int, detail: str, *, name="", title="", headers=None, **members):
        super().__init__(status, detail, headers)
        type = addresses.absolute(addresses.problem(name)) if name else "about:blank"
        self.page = Page("problem", shapes.problem(status, detail, title=title, type=type, **members), status=status)


class Invalid(Refusal):
    """JSON that says something else than it may: `errors` are (pointer, what is wrong there)."""

    def __init__(self, errors, prefix=""):
        self.errors = [(prefix + pointer, detail) for pointer, detail in errors]
        listed = [{"pointer": pointer, "detail": detail} for pointer, detail in self.errors[:MOST_ERRORS]]
        super().__init__(422, "Nothing was done: look at the errors.", errors=listed)

    @classmethod
    def of(cls, error: ValidationError, prefix=""):
        """What a service found wrong, by the member that it is about."""
        if not hasattr(error, "error_dict"):
            return cls([("", message) for message in error.messages], prefix)
        found = error.message_dict.items()
        return cls([(f"/{field}", message) for field, messages in found for message in messages], prefix)


class Draft(NamedTuple):
    """What `drafts.save` takes, and the names of the topics that were added for it."""

    values: dict
    added: list[str]


# The body as a whole.


def raw(request, most: int) -> bytes:
    """The body as it was sent. Raises a `Problem` for one that is too long, encoded, in chunks, or not all there."""
    if request.headers.get("Content-Encoding", "identity").lower() != "identity":
        raise Problem(415, "Send the body as it is, without a Content-Encoding.", {"Accept-Encoding": "identity"})
    if "Transfer-Encoding" in request.headers:
        # WSGI reads such a body as an empty one, and an empty one may publish.
        raise Problem(411, "Send the body in one piece, with its Content-Length.")
    length = request.META.get("CONTENT_LENGTH") or "0"
    # Of too many digits there is no number.
    if length.isdecimal() and (len(length) > _LONGEST_LENGTH or int(length) > most):
        raise _too_long(most)
    try:
        body = request.read(most + 1)
    except UnreadablePostError:
        raise Problem(400, "The body broke off. Send it again.") from None
    if len(body) > most:
        raise _too_long(most)
    return body


def _too_long(most):
    return Problem(413, f"Send at most {most:,} bytes.")


def read(request, body: bytes) -> dict:
    """The JSON object that the body is. Raises a `Problem` with 415, or with 400 if it is none."""
    media_type, _, parameters = request.headers.get("Content-Type", "").partition(";")
    if media_type.strip().lower() != MEDIA_TYPE:
        raise Problem(415, f"Send JSON, and say so: Content-Type: {MEDIA_TYPE}.", {"Accept": MEDIA_TYPE})
    if parameters.strip() and not re.fullmatch(r'\s*charset="?utf-8"?\s*', parameters, re.IGNORECASE):
        raise Problem(415, "JSON is UTF-8 and has no other charset.", {"Accept": MEDIA_TYPE})
    try:
        # No member is a number, so a number of any length is the same mistake.
        given = json.loads(body.decode(), object_pairs_hook=_object, parse_int=float, parse_constant=_no_constant)
    except UnicodeDecodeError as error:
        raise _unreadable(f"It is not UTF-8 from byte {error.start + 1} on.") from None
    except RecursionError:
        raise _unreadable("It is nested too deeply.") from None
    except ValueError as error:
        raise _unreadable(f"{error}.") from None
    if not isinstance(given, dict):
        raise _unreadable("Send a JSON object.")
    return given


def _object(pairs):
    value = {}
    for name, held in pairs:
        if name in value:
            raise ValueError(f"“{_shown(name)}” is given twice in one object")
        value[name] = held
    return value


def _no_constant(name):
    raise ValueError(f"{name} is no JSON")


def _unreadable(why):
    return Refusal(400, "The body cannot be read.", errors=[{"pointer": "", "detail": why}])


def _shown(name: str) -> str:
    """A member's name as it can be told in a problem, whatever it is."""
    return name[:_LONGEST_SHOWN].encode(errors="replace").decode()


# Members. A reader returns the value, or raises _Wrong with (pointer below the member, what is wrong).


class _Wrong(Exception):
    def __init__(self, *errors):
        self.errors = [("", error) if isinstance(error, str) else error for error in errors]
        super().__init__(*errors)


def _text(problem: Callable[[str], str | None]):
    """The reader of a text that `problem` finds nothing wrong with."""

    def reader(value):
        if not isinstance(value, str):
            raise _Wrong("Give a text.")
        if found := problem(value):
            raise _Wrong(found)
        return value

    return reader


def _long_text(limit):
    return _text(lambda text: texts.text_problem(text, limit))


def _or_none(reader):
    return lambda value: None if value is None else reader(value)


_name = _text(texts.name_problem)


def _date(value):
    if not isinstance(value, str) or not _DATE.fullmatch(value):
        raise _Wrong("Give a date such as 2026-05-01.")
    try:
        date = datetime.date.fromisoformat(value)
    except ValueError:
        raise _Wrong("There is no such day.") from None
    if found := date_problem(date):
        raise _Wrong(found)
    return date


def _category(value):
    name = _name(value)
    category = Category.objects.filter(name=name).first()
    if category is None:
        raise _Wrong(f"There is no category “{name}”. Give the name of one, or null.")
    return category


def _topics(value):
    if not isinstance(value, list):
        raise _Wrong("Give a list of names.")
    if len(value) > documents.MAX_TOPICS:
        raise _Wrong(f"Keep to {documents.MAX_TOPICS} topics.")
    return _each(value, _name)


def _sources(value):
    if not isinstance(value, list):
        raise _Wrong("Give a list of objects of name and url.")
    if len(value) > documents.MAX_SOURCES:
        raise _Wrong(f"Keep to {documents.MAX_SOURCES} sources.")
    return _each(value, _source)


def _source(value):
    if not isinstance(value, dict):
        raise _Wrong("Give an object of name and url.")
    errors = [*_unknown(value, ("name", "url")), *_missing(value, ("name", "url"))]
    errors += [(f"/{name}", "Give a text.") for name in value if not isinstance(value[name], str)]
    if errors:
        raise _Wrong(*errors)
    try:
        Source(**value).clean()
    except ValidationError as error:
        raise _Wrong(*Invalid.of(error).errors) from None
    return value["name"], value["url"]


def _origin(value):
    if found := texts.origin_problem(value):
        raise _Wrong(found)
    return value


def _each(values, reader):
    found, errors = [], []
    for number, value in enumerate(values):
        try:
            found.append(reader(value))
        except _Wrong as wrong:
            errors += [(f"/{number}{pointer}", detail) for pointer, detail in wrong.errors]
    if errors:
        raise _Wrong(*errors)
    return found


def _minute(value):
    if not isinstance(value, str) or not _MINUTE.fullmatch(value):
        raise _Wrong(_NO_MINUTE)
    try:
        return datetime.datetime.fromisoformat(value.upper()).astimezone(datetime.UTC)
    except (ValueError, OverflowError):
        raise _Wrong(_NO_MINUTE) from None


def _kind(value):
    if value not in KINDS:
        raise _Wrong(f"Give one of {', '.join(KINDS)}.")
    return value


DRAFT = {
    "date": _date,
    "headline": _text(texts.headline_problem),
    "body": _long_text(texts.MAX_BODY),
    "category": _or_none(_category),
    "story": _or_none(_name),
    "topics": _topics,
    "sources": _sources,
    "language": _text(texts.language_problem),
    "origin": _origin,
}
NEEDED = ("date", "headline")
SUBMISSION = {"comment": _long_text(texts.MAX_NOTE)}
PUBLICATION = {
    "kind": _kind,
    "note": _long_text(texts.MAX_NOTE),
    "issue": _or_none(_minute),
    "override": _long_text(texts.MAX_NOTE),
}


def members(given: dict, readers: dict[str, Callable], needed=()) -> dict:
    """The values of an object's members. Raises Invalid with all that is wrong: unknown and missing ones too."""
    values, errors = {}, [*_unknown(given, readers), *_missing(given, needed)]
    for name in readers.keys() & given.keys():
        try:
            values[name] = readers[name](given[name])
        except _Wrong as wrong:
            errors += [(f"/{name}{pointer}", detail) for pointer, detail in wrong.errors]
    if errors:
        raise Invalid(sorted(errors))
    return values


def draft(given: dict, by: User, needed=()) -> Draft:
    """The values of a draft's members that are given, with rows for its names; unknown topics are added.

    Raises Invalid, also where `by` may not add topics. To be called in the transaction of the save, so that no topic
    is added for a draft that is refused.
    """
    values = members(given, DRAFT, needed)
    names = [*values.get("topics", []), *filter(None, [values.get("story")])]
    rows, added = _rows(names, values, by)
    if "topics" in values:
        values["topics"] = [rows[slugs.fold(name)] for name in values["topics"]]
    if values.get("story"):
        values["story"] = rows[slugs.fold(values["story"])].canonical
    return Draft(values, added)


def _rows(names, values, by):
    """(rows by key, names that were added)."""
    keys = {slugs.fold(name): name for name in reversed(names)}
    rows = {topic.key: topic for topic in Topic.objects.filter(key__in=list(keys)).select_related("alias_of")}
    new = {key: name for key, name in keys.items() if key not in rows}
    if not new:
        return rows, []
    if errors := [*_not_addable(values, new, by)]:
        raise Invalid(errors)
    return rows | Topic.objects.named(new.values()), list(new.values())


def _not_addable(values, new, by):
    """Where a topic stands that is new and cannot be added, and why not."""
    places = [(f"/topics/{number}", name) for number, name in enumerate(values.get("topics", []))]
    places += [("/story", values["story"])] if values.get("story") else []
    may = permissions.may(by, "add topic")
    for pointer, name in places:
        if slugs.fold(name) not in new:
            continue
        if not may:
            yield pointer, f"There is no topic “{name}”, and you may not add topics. Ask an editor to."
            continue
        try:
            Topic(name=name).clean()
        except ValidationError as error:
            yield pointer, " ".join(error.messages)


def _unknown(given, known):
    told = "There is no such member here."
    return [(f"/{_escaped(name)}", told) for name in given if name not in known]


def _missing(given, needed):
    return [(f"/{name}", "Give this member.") for name in needed if name not in given]


def _escaped(name):
    """A name within a JSON pointer (RFC 6901)."""
    return _shown(name).replace("~", "~0").replace("/", "~1")
