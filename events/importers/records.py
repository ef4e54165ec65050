"""The import format: one JSON object a line in, checked and normalised records out, and a reason for every bad line.

Knows nothing of the record that they are for. docs/import.md describes the format. What is normalised: controls of
writing direction and outer spaces go from names and headlines; topics that fold to one key are one, in the spelling met
first; a story is put among the topics, and has their spelling.
"""

import datetime
import json
import re
import unicodedata
import uuid
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from functools import lru_cache

from events import documents, slugs, texts

KINDS = ("publish", "update", "correction", "minor", "withdraw", "restore")
MAX_REF = 200

_EVENT_KEYS = frozenset({"ref", "uid", "date", "versions", "language", "origin"})
_TEXT_KEYS = frozenset({"headline", "body", "category", "story", "topics", "sources", "language", "origin", "slug"})
_VERSION_KEYS = _TEXT_KEYS | {"published", "kind", "note", "date", "redacted", "redaction"}
# The year is the calendar's four digits, the fraction may only be zero: an edition is issued at a whole second.
_MOMENT = re.compile(r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.0+)?([Zz]|[+-]\d\d:\d\d)")
_DATE = re.compile(r"\d{4}-\d\d-\d\d")
_UID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_SLUG_CATEGORIES = frozenset("LNM")


@dataclass(frozen=True, slots=True)
class Named:
    """A category or a topic: its name, and its slug where that is not the one that the name gives."""

    name: str
    slug: str = ""

    @property
    def key(self) -> str:
        return key(self.name)


@dataclass(frozen=True, slots=True)
class Text:
    """What a version says. Topics are spellings by key, sorted by key; the story is the key of one of them."""

    date: datetime.date
    headline: str
    body: str
    category: Named | None
    story: str | None
    topics: dict[str, str]
    sources: tuple[tuple[str, str], ...]
    language: str
    origin: dict | None


@dataclass(frozen=True, slots=True)
class Version:
    """One edition to be: with a text, or a withdrawal, or `redacted`, when `redaction` is the reason."""

    published: datetime.datetime
    kind: str
    note: str
    date: datetime.date
    text: Text | None = None
    slug: str = ""
    redacted: bool = False
    redaction: str = ""


@dataclass(frozen=True, slots=True)
class History:
    """An event and its versions, oldest first."""

    ref: str | None
    uid: uuid.UUID | None
    versions: tuple[Version, ...]
    place: str = ""


@dataclass(frozen=True, slots=True)
class Categories:
    """Categories in their order."""

    categories: tuple[Named, ...]
    place: str = ""


@dataclass(frozen=True, slots=True)
class TopicNames:
    """A topic and the other names that lead to it; one that folds to the same key is a former spelling."""

    topic: Named
    aliases: tuple[Named, ...]
    place: str = ""


@dataclass(frozen=True, slots=True)
class Choice:
    """What an editor chose to show beside an event for certain, or never; both are named by uid."""

    event: uuid.UUID
    other: uuid.UUID
    shown: bool
    place: str = ""


@dataclass(frozen=True, slots=True)
class BadLine:
    """A line that cannot be loaded, and why."""

    reason: str
    place: str = ""


Record = History | Categories | TopicNames | Choice


@dataclass(frozen=True, slots=True)
class Rules:
    """What a line is held against: the clock, the latest date of an event, the language of those that name none."""

    now: datetime.datetime
    latest: datetime.date
    language: str = "en"


class _Wrong(Exception):
    def __init__(self, path: str, reason: str):
        super().__init__(f"{path}: {reason}" if path else reason)


def read(lines: Iterable[tuple[str, str]], rules: Rules) -> Iterator[Record | BadLine]:
    """The record of every (place, line), or what is wrong with it; `place` is how a reader finds the line again."""
    for place, line in lines:
        if line.strip():
            yield _read_line(place, line, rules)


@lru_cache(maxsize=50_000)
def key(name: str) -> str:
    """`slugs.fold`, remembered: an archive names its topics again and again."""
    return slugs.fold(name)


def _read_line(place: str, line: str, rules: Rules) -> Record | BadLine:
    try:
        value = json.loads(line, object_pairs_hook=_object)
        return _record(value, place, rules)
    except _Wrong as wrong:
        return BadLine(str(wrong), place)
    except (ValueError, RecursionError) as error:
        return BadLine(f"not JSON: {error}", place)


def _object(pairs):
    value = dict(pairs)
    if len(value) < len(pairs):
        raise _Wrong("", "a key is given twice in one object.")
    return value


def _record(value, place: str, rules: Rules) -> Record:
    if not isinstance(value, dict):
        raise _Wrong("", "give a JSON object.")
    if "categories" in value:
        _only(value, {"categories"}, "")
        return Categories(tuple(_each(value["categories"], "categories", _named)), place)
    if "topic" in value:
        _only(value, {"topic", "slug", "aliases"}, "")
        aliases = tuple(_each(value.get("aliases", []), "aliases", _topic_named))
        return TopicNames(_topic_named({"name": value["topic"], "slug": value.get("slug")}, "topic"), aliases, place)
    if "related" in value:
        return _choice(value, place)
    return _history(value, place, rules)


def _choice(value: dict, place: str) -> Choice:
    _only(value, {"related", "of", "shown"}, "")
    if not isinstance(value.get("shown"), bool):
        raise _Wrong("shown", "give true or false.")
    return Choice(_uid(value, "of"), _uid(value, "related"), value["shown"], place)


def same(one: Text, other: Text) -> bool:
    """Whether two texts say the same, however their topics are spelled; a category without a slug goes by its name."""
    return _without_category(one) == _without_category(other) and _same_category(one.category, other.category)


def _without_category(text: Text) -> tuple:
    topics = tuple(text.topics)
    return text.date, text.headline, text.body, text.story, topics, text.sources, text.language, text.origin


def _same_category(one: Named | None, other: Named | None) -> bool:
    if one is None or other is None:
        return one is other
    return one.slug == other.slug if one.slug and other.slug else one.name == other.name


# An event and its versions.


def _history(value: dict, place: str, rules: Rules) -> History:
    if "versions" in value:
        _only(value, _EVENT_KEYS, "")
        given = _list(value["versions"], "versions")
        paths = [f"versions[{number}]." for number in range(len(given))]
    else:
        given, paths = [{name: value[name] for name in value.keys() - (_EVENT_KEYS - _TEXT_KEYS)}], [""]
    if not given:
        raise _Wrong("versions", "give one at least.")
    ref, uid = _identity(value)
    date = _date(value, "date", "", rules)
    versions: list[Version] = []
    for number, path in enumerate(paths):
        event = _Event(date, value, versions, exported=uid is not None)
        versions.append(_version(given[number], path, event, rules))
    return History(ref, uid, tuple(versions), place)


@dataclass(frozen=True, slots=True)
class _Event:
    """What a version is read with: what the event says for all of them, and the versions before it."""

    date: datetime.date
    value: dict
    before: list[Version] = field(default_factory=list)
    exported: bool = False

    @property
    def last(self) -> Version | None:
        return self.before[-1] if self.before else None


def _identity(value: dict) -> tuple[str | None, uuid.UUID | None]:
    ref = _checked(_optional(value, "ref", ""), "ref", _ref_problem) or None
    uid = _uid(value, "uid") if value.get("uid") is not None else None
    if ref is None and uid is None:
        raise _Wrong("ref", "give a ref or a uid, without which the event would be loaded anew each time.")
    return ref, uid


def _uid(value: dict, name: str) -> uuid.UUID:
    given = _required(value, name, "")
    if not _UID.fullmatch(given):
        raise _Wrong(name, "give a UUID, in lower case with hyphens.")
    return uuid.UUID(given)


def _version(value, path: str, event: _Event, rules: Rules) -> Version:
    if not isinstance(value, dict):
        raise _Wrong(path.rstrip("."), "give a JSON object.")
    _only(value, _VERSION_KEYS, path)
    kind, published, note = _kind(value, path, event), _published(value, path, event, rules), _note(value, path)
    if kind == "withdraw":
        return _withdrawal(value, path, event, published, note, rules)
    date = _date(value, "date", path, rules) if "date" in value else event.date
    if _redacted(value, path):
        return _stub(value, path, kind, published, date)
    text = _text({**_defaults(event.value), **value}, path, date, rules)
    if kind == "restore":
        _check_restored(text, event, path)
    return Version(published, kind, note, date, text, _slug(value, path))


def _kind(value: dict, path: str, event: _Event) -> str:
    kind = _required(value, "kind", path)
    if kind not in KINDS:
        raise _Wrong(f"{path}kind", f"give one of {', '.join(KINDS)}.")
    problem = sequence_problem(event.last and event.last.kind, kind)
    _check(problem, f"{path}kind")
    return kind


def sequence_problem(before: str | None, kind: str) -> str | None:
    """What is wrong with a version of this kind after one of the kind `before`, or None."""
    if before is None:
        return None if kind == "publish" else "the first version is one of kind publish."
    if kind == "publish":
        return "only the first version is one of kind publish."
    if before == "withdraw":
        return None if kind == "restore" else "after a withdrawal only a restore can follow."
    return "only a withdrawal can be restored." if kind == "restore" else None


def _published(value: dict, path: str, event: _Event, rules: Rules) -> datetime.datetime:
    given = _required(value, "published", path)
    published = _moment(given)
    if published is None:
        raise _Wrong(f"{path}published", "give a whole second with its zone, such as 2018-02-06T13:49:30Z.")
    if published > rules.now:
        raise _Wrong(f"{path}published", "this is in the future; only what is public can be loaded.")
    # The desk may publish twice within a second, so an export may say so; other sources put their versions in order.
    if event.last and (published < event.last.published or (published == event.last.published and not event.exported)):
        raise _Wrong(f"{path}published", "this is not after the version before it.")
    return published


def _moment(given: str) -> datetime.datetime | None:
    if not _MOMENT.fullmatch(given):
        return None
    try:
        return datetime.datetime.fromisoformat(given.upper()).astimezone(datetime.UTC)
    except (ValueError, OverflowError):
        return None


def _withdrawal(value: dict, path: str, event: _Event, published, note: str, rules: Rules) -> Version:
    _no_text(value, path, "a withdrawal has no text.")
    if "date" in value and _date(value, "date", path, rules) != event.last.date:
        raise _Wrong(f"{path}date", "a withdrawal has the date of the version before it.")
    if not note.strip():
        raise _Wrong(f"{path}note", "give the reason of the withdrawal.")
    return Version(published, "withdraw", note, event.last.date)


def _redacted(value: dict, path: str) -> bool:
    redacted = value.get("redacted", False)
    if not isinstance(redacted, bool):
        raise _Wrong(f"{path}redacted", "give true or false.")
    if not redacted and "redaction" in value:
        raise _Wrong(f"{path}redaction", "give this with `redacted` only.")
    return redacted


def _stub(value: dict, path: str, kind: str, published, date: datetime.date) -> Version:
    _no_text(value, path, "a redacted version has no text.")
    reason = _optional(value, "redaction", path) or _optional(value, "note", path)
    _check(texts.text_problem(reason, texts.MAX_NOTE), f"{path}redaction")
    return Version(published, kind, "", date, redacted=True, redaction=reason)


def _no_text(value: dict, path: str, reason: str) -> None:
    for name in sorted(value.keys() & _TEXT_KEYS):
        if value[name]:
            raise _Wrong(f"{path}{name}", reason)


def _check_restored(text: Text, event: _Event, path: str) -> None:
    former = event.before[-2]
    if former.text and not same(former.text, text):
        raise _Wrong(f"{path}headline", "a restore repeats the text before the withdrawal; this one differs.")


def _defaults(event: dict) -> dict:
    return {name: event[name] for name in ("language", "origin") if name in event}


# The parts of a text.


def _text(value: dict, path: str, date: datetime.date, rules: Rules) -> Text:
    topics, story = _topics(value, path)
    return Text(
        date=date,
        headline=_headline(value, path),
        body=_checked(_optional(value, "body", path), f"{path}body", _body_problem),
        category=_named(value["category"], f"{path}category") if value.get("category") else None,
        story=story,
        topics=topics,
        sources=_sources(value, path),
        language=_checked(
            _optional(value, "language", path) or rules.language, f"{path}language", texts.language_problem
        ),
        origin=_origin(value, path),
    )


def _headline(value: dict, path: str) -> str:
    headline = slugs.strip_bidi_controls(_required(value, "headline", path)).strip()
    return _checked(headline, f"{path}headline", texts.headline_problem)


def _topics(value: dict, path: str) -> tuple[dict[str, str], str | None]:
    """Topics under the spelling met first, sorted by key, and the story's key; a story is always among them."""
    names = _each(value.get("topics") or [], f"{path}topics", _name)
    story = _name(value["story"], f"{path}story") if value.get("story") else None
    spellings: dict[str, str] = {}
    for name in [*names, story] if story else names:
        spellings.setdefault(key(name), name)
    if len(spellings) > documents.MAX_TOPICS:
        raise _Wrong(f"{path}topics", f"keep to {documents.MAX_TOPICS} topics.")
    return dict(sorted(spellings.items())), key(story) if story else None


def _sources(value: dict, path: str) -> tuple[tuple[str, str], ...]:
    sources = tuple(_each(value.get("sources") or [], f"{path}sources", _source))
    if len(sources) > documents.MAX_SOURCES:
        raise _Wrong(f"{path}sources", f"keep to {documents.MAX_SOURCES} sources.")
    return sources


def _source(value, path: str) -> tuple[str, str]:
    if not isinstance(value, dict):
        raise _Wrong(path, "give an object of name and url.")
    _only(value, {"name", "url"}, f"{path}.")
    name = _name(value.get("name"), f"{path}.name")
    return name, _checked(_required(value, "url", f"{path}."), f"{path}.url", texts.url_problem)


def _language(value: dict, path: str, rules: Rules) -> str:
    language = _optional(value, "language", path) or rules.language
    return _checked(language, f"{path}language", texts.language_problem)


def _origin(value: dict, path: str) -> dict | None:
    origin = value.get("origin")
    _check(texts.origin_problem(origin), f"{path}origin")
    return origin


def _named(value, path: str) -> Named:
    if not isinstance(value, dict):
        return Named(_name(value, path))
    _only(value, {"name", "slug"}, f"{path}.")
    return Named(_name(value.get("name"), f"{path}.name"), _slug(value, f"{path}."))


def _topic_named(value, path: str) -> Named:
    """A topic's slug follows from its name, but for a number."""
    named = _named(value, path)
    if named.slug and not slugs.is_numbered(named.slug, slugs.topic_slug(named.name)):
        raise _Wrong(f"{path}.slug", f"give “{slugs.topic_slug(named.name)}”, or that with a hyphen and a number.")
    return named


def _name(value, path: str) -> str:
    if not isinstance(value, str):
        raise _Wrong(path, "give a name.")
    name = slugs.strip_bidi_controls(value).strip()
    _check(texts.name_problem(name), path)
    return name


def _slug(value: dict, path: str) -> str:
    slug = _optional(value, "slug", path)
    if slug and (
        slug in slugs.RESERVED_SLUGS or len(slug) > slugs.LONGEST_NUMBERED or not all(map(_may_stand_in_slug, slug))
    ):
        raise _Wrong(f"{path}slug", "give letters, digits and hyphens, and no reserved word.")
    return slug


def _may_stand_in_slug(char: str) -> bool:
    return char in "-_" or unicodedata.category(char)[0] in _SLUG_CATEGORIES


def _date(value: dict, name: str, path: str, rules: Rules) -> datetime.date:
    given = _required(value, name, path)
    try:
        date = datetime.date.fromisoformat(given if _DATE.fullmatch(given) else "")
    except ValueError:
        raise _Wrong(f"{path}{name}", "give a date of the calendar, such as 2017-02-25.") from None
    if date > rules.latest:
        raise _Wrong(f"{path}{name}", f"an entry is dated {rules.latest} at the latest.")
    return date


def _note(value: dict, path: str) -> str:
    return _checked(_optional(value, "note", path), f"{path}note", _note_problem)


def _ref_problem(ref: str) -> str | None:
    return texts.line_problem(ref, MAX_REF)


def _body_problem(body: str) -> str | None:
    return texts.text_problem(body, texts.MAX_BODY)


def _note_problem(note: str) -> str | None:
    return texts.text_problem(note, texts.MAX_NOTE)


# Values of JSON.


def _required(value: dict, name: str, path: str) -> str:
    if not isinstance(value.get(name), str):
        raise _Wrong(f"{path}{name}", "give this as a text." if name in value else "this is missing.")
    return value[name]


def _optional(value: dict, name: str, path: str) -> str:
    given = value.get(name)
    if given is None:
        return ""
    if not isinstance(given, str):
        raise _Wrong(f"{path}{name}", "give this as a text.")
    return given


def _list(value, path: str) -> list:
    if not isinstance(value, list):
        raise _Wrong(path, "give a list.")
    return value


def _each(value, path: str, read: Callable) -> list:
    return [read(item, f"{path}[{number}]") for number, item in enumerate(_list(value, path))]


def _only(value: dict, names, path: str) -> None:
    unknown = sorted(value.keys() - names)
    if unknown:
        raise _Wrong(f"{path}{unknown[0]}", "this key is unknown.")


def _checked(text: str, path: str, problem: Callable[[str], str | None]) -> str:
    _check(problem(text), path)
    return text


def _check(problem: str | None, path: str) -> None:
    if problem:
        raise _Wrong(path, problem)
