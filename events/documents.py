"""What an edition says, as plain data: an event frozen by value, its canonical JSON and the digests over it.

Knows nothing of the database: an event is anything with the attributes that `freeze` reads.
"""

import datetime
import hashlib
import json
import re
import unicodedata
from collections.abc import Callable, Iterable
from urllib.parse import urlsplit

from events.slugs import fold

SCHEMA = 1
MAX_TOPICS = 60
MAX_SOURCES = 50
MAX_HOST = 253

_KEYS = {
    1: frozenset(
        {"date", "headline", "body", "category", "story", "topics", "sources", "language", "origin"},
    ),
}
SCHEMAS = frozenset(_KEYS)
# What readers are told happened; a change of one of these is never minor.
_PLAIN_FACTS = ("date", "category", "sources", "language", "origin")


class UnknownSchema(ValueError):
    """A document of a shape that no reader here knows."""


def freeze(event, topics: Iterable, sources: Iterable) -> dict:
    """The document of `event` with these topics and sources, all by value; a story is always one of its topics."""
    return document(
        date=event.date,
        headline=event.headline,
        body=event.body,
        category=event.category and category_value(event.category.name, event.category.slug),
        story=event.story and topic_value(event.story.key, event.story.name, event.story.slug),
        topics=[topic_value(topic.key, topic.name, topic.slug) for topic in topics],
        sources=[{"name": source.name, "url": source.url} for source in sources],
        language=event.language,
        origin=event.origin,
    )


def document(*, date, headline, body, category, story, topics, sources, language, origin) -> dict:
    """A document of today's schema: topics without doubles and sorted by key, the story among them."""
    by_key = {topic["key"]: topic for topic in [*([story] if story else []), *topics]}
    return {
        "date": date.isoformat(),
        "headline": headline,
        "body": body,
        "category": category,
        "story": story,
        "topics": [by_key[key] for key in sorted(by_key)],
        "sources": sources,
        "language": language,
        "origin": origin or None,
    }


def topic_value(key: str, name: str, slug: str) -> dict:
    return {"key": key, "name": name, "slug": slug}


def category_value(name: str, slug: str) -> dict:
    return {"name": name, "slug": slug}


def read(document: dict, schema: int) -> dict:
    """The document in today's shape, whatever schema it was frozen with."""
    if schema not in _KEYS or not isinstance(document, dict) or document.keys() != _KEYS[schema]:
        raise UnknownSchema(f"No reader for this document of schema {schema}.")
    return document


def hosts(document: dict) -> list[str]:
    """The hosts that its sources are at, sorted: in lower case, without port and "www.".

    A name that no host can have, for its length, is none.
    """
    found = {urlsplit(source["url"]).hostname.removeprefix("www.") for source in document["sources"]}
    return sorted(host for host in found if 0 < len(host) <= MAX_HOST)


def canonical(value) -> bytes:
    """RFC 8785 for what this project hashes: objects with ASCII keys, strings, integers, booleans and nulls.

    For these the standard library agrees with the RFC to the byte: sorted keys, no spaces, the same escapes.
    """
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False).encode()


def rfc3339(moment: datetime.datetime) -> str:
    """Whole seconds in UTC with `Z`; not `strftime`, whose %Y does not pad a year below 1000 everywhere."""
    return moment.astimezone(datetime.UTC).replace(tzinfo=None).isoformat(timespec="seconds") + "Z"


def digest(value) -> str:
    """SHA-256 of the canonical JSON, in lower-case hexadecimal."""
    return hashlib.sha256(canonical(value)).hexdigest()


def commitment(salt: str, document: dict | None, note: str, slug: str) -> str:
    """SHA-256(salt + JCS({document, note, slug})); `salt` is 32 hexadecimal digits, or '' where all of it is public."""
    body = canonical({"document": document, "note": note, "slug": slug})
    return hashlib.sha256(bytes.fromhex(salt) + body).hexdigest()


def same(one: dict, other: dict, resolve: Callable[[str], object] = lambda key: key) -> bool:
    """Whether two documents say the same; `resolve` maps a topic's key to what it stands for today."""
    return _comparable(one, resolve) == _comparable(other, resolve)


def changed_facts(old: dict, new: dict, resolve: Callable[[str], object] = lambda key: key) -> list[str]:
    """The fields whose change is more than minor, by name; empty when no fact changed."""
    before, after = _comparable(old, resolve), _comparable(new, resolve)
    changed = [name for name in (*_PLAIN_FACTS, "story", "topics") if before[name] != after[name]]
    return changed + [name for name in ("headline", "body") if _facts(old[name]) != _facts(new[name])]


def _comparable(document: dict, resolve) -> dict:
    return document | {
        "topics": {resolve(topic["key"]) for topic in document["topics"]},
        "story": document["story"] and resolve(document["story"]["key"]),
        "category": document["category"] and document["category"]["slug"],
    }


# Facts in running text. The words are English, the newsroom's default; digits, capitals and the scripts without case
# need no dictionary.
_NUMBER_WORDS = frozenset(
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen "
    "eighteen nineteen twenty thirty forty fifty sixty seventy eighty ninety hundred hundreds thousand thousands "
    "million millions billion billions trillion trillions dozen dozens half third quarter first second fourth fifth "
    "sixth seventh eighth ninth tenth once twice single double triple both pair several few many".split()
)
_NEGATIONS = frozenset(
    "no not none nobody nothing neither nor never without cannot denies denied deny fails failed unlikely hardly "
    "barely except unless".split()
)
_NOT = re.compile(r"n['’]t\b", re.IGNORECASE)
_CLOSING = "\"'”’»)]}*_"
_LIST_MARKER = re.compile(r"[-*+#>]+|\d+[.)]")


def _facts(text: str) -> list[str]:
    """What in `text` states a fact, in order: words with digits, numbers, negations, names, addresses, caseless script.

    A word that opens a sentence counts only if it is a fact in itself, since its capital says nothing.
    """
    found, opens = [], True
    for gap, word in re.findall(r"(\s*)(\S+)", text):
        opens = opens or gap.count("\n") > 1
        found.extend(_facts_of_word(word, opens))
        starts_line = opens or "\n" in gap
        opens = _ends_sentence(word) or (starts_line and _LIST_MARKER.fullmatch(word) is not None)
    return found


def _ends_sentence(word: str) -> bool:
    """A short capitalised word with a dot, or one with a dot inside, may be an abbreviation, which a name follows."""
    bare = word.rstrip(_CLOSING)
    if bare.endswith((":", "?", "!", "…", "。")):
        return True
    stem = bare[:-1].lstrip("\"'“‘«([*_")
    return bare.endswith(".") and not (stem[:1].isupper() and len(stem) <= 4) and "." not in stem


def _facts_of_word(word: str, opens_sentence: bool) -> list[str]:
    """The facts in what stands between two spaces."""
    if any(unicodedata.category(char) == "Lo" for char in word):
        return re.findall(r"\d+|\D", "".join(filter(_is_letter_or_digit, unicodedata.normalize("NFC", word))))
    if "://" in word or "@" in word or any(char.isnumeric() for char in word):
        return [word.strip(".,;:!?" + _CLOSING + "“‘«([{")]
    parts = "".join(char if _is_letter_or_digit(char) else " " for char in word).split()
    facts = ["not"] if _NOT.search(word) else []
    for number, part in enumerate(parts):
        opens = opens_sentence and number == 0
        telling = part[1:] if opens else part
        if telling != telling.lower() or fold(part) in _NUMBER_WORDS | _NEGATIONS:
            facts.append(fold(part) if opens else part)
    return facts + [char for char in word if unicodedata.category(char) == "Sc"]


def _is_letter_or_digit(char: str) -> bool:
    return unicodedata.category(char)[0] in "LMN"
