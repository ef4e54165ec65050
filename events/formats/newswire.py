"""What both news formats of the IPTC say of an entry alike: its identifiers, its notes, what became of it."""

import datetime
import re
from urllib.parse import quote

from events import addresses
from events.formats import shapes

# What is said of a version even if nobody wrote a note.
_TOLD = (shapes.REDACTED, *(shapes.LABELS[kind] for kind in ("correction", "withdraw", "restore")))
_URL = re.compile(r"(https?://)(\[[^\]]*\](?::[0-9]*)?|[^/?#]*)([^?#]*)(\?[^#]*)?(#.*)?", re.IGNORECASE | re.DOTALL)
# What a part of a URI may hold as it is (RFC 3986, appendix A), with the sign of what is encoded already.
_HOST, _PATH = "!$&'()*+,;=:%", "!$&'()*+,;=:@/%"
_QUERY = _PATH + "?"
_BARE_PERCENT = re.compile("%(?![0-9A-Fa-f]{2})")


def identifier(uid: str) -> str:
    """The same for all versions of an entry, and in feeds. It stays when the site moves, which no URL does."""
    return addresses.tag("event", uid)


def is_usable(shape: dict) -> bool:
    """Whether this version has a text. One that was redacted or withdrawn is canceled: of its text nothing is left."""
    return shape["headline"] is not None


def note(shape: dict) -> str:
    """What an editor who receives this version has to know, or ''."""
    label = _label(shape)
    told = told_of(label, shape["note"]) if shape["note"] or label in _TOLD else ""
    newer = shape["since"][-1]["version"] if shape.get("since") else None
    if newer and told and told[-1].isalnum():
        told += "."
    return " ".join(filter(None, [told, newer and f"Superseded by version {newer}."]))


def told_of(label: str, reason: str) -> str:
    return f"{label}: {reason}" if reason else f"{label}."


def permalink(shape: dict) -> str:
    """The URL of this version for good."""
    return next(change["url"] for change in shape["changes"] if change["version"] == shape["version"])


def topics(shape: dict) -> list[tuple[str, str, str]]:
    """(name, URL, "story" or "topic") of each."""
    story = shape["story"] and shape["story"]["key"]
    return [
        (topic["name"], _topic_url(topic), "story" if topic["key"] == story else "topic") for topic in shape["topics"]
    ]


def category_url(category: dict) -> str:
    return addresses.absolute(addresses.category(category["slug"]))


def day_url(shape: dict) -> str:
    return addresses.absolute(addresses.neutral_day(datetime.date.fromisoformat(shape["date"])))


def notice_of_origin(shape: dict) -> str:
    """Whom the text was taken from, as licences ask for it to be named."""
    origin = shape["origin"]
    return ", ".join(filter(None, [f"{origin['name']} ({origin['url']})", origin["licence"]]))


def is_url(text: str) -> bool:
    return _URL.fullmatch(text) is not None


def uri(url: str) -> str:
    """A source's URL as RFC 3986 has one: people also write letters and signs that belong there encoded."""
    scheme, host, path, query, fragment = (part or "" for part in _URL.fullmatch(url).groups())
    host = host if host.startswith("[") else _encoded(host, _HOST)
    mark, fragment = fragment[:1], fragment[1:]
    return scheme + host + _encoded(path, _PATH) + _encoded(query, _QUERY) + mark + _encoded(fragment, _QUERY)


def _encoded(part, safe):
    return _BARE_PERCENT.sub("%25", quote(part, safe=safe, errors="replace"))


def _topic_url(topic):
    return addresses.absolute(addresses.topic(topic["slug"]))


def _label(shape):
    return shapes.REDACTED if shape["status"] == "redacted" else shapes.LABELS[shape["kind"]]
