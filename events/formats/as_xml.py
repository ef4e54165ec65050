"""A shape as XML: elements of the same names as the keys, in one namespace. Knows nothing of what the shape is about.

Written by hand because both of the standard library's writers leave a carriage return as it is, which a parser reads
as a line feed: a document with another text than the one that its digest is over.
"""

import re
from xml.sax.saxutils import escape

NAMESPACE = "urn:newsdesk:event:1"
PROBLEM_NAMESPACE = "urn:ietf:rfc:7807"  # which RFC 9457 kept

# A list is an element with one child for each item.
ITEMS = {
    "added": "topic",
    "aliases": "alias",
    "categories": "category",
    "changes": "change",
    "context": "topic",
    "corrections": "correction",
    "days": "day",
    "differences": "difference",
    "entries": "entry",
    "events": "event",
    "excerpt": "piece",
    "former": "policy",
    "found_headline": "piece",
    "hints": "hint",
    "kept": "topic",
    "letters": "letter",
    "links": "link",
    "months": "month",
    "often_with": "topic",
    "pieces": "piece",
    "related": "entry",
    "removed": "topic",
    "rows": "row",
    "since": "change",
    "sources": "source",
    "stories": "story",
    "topics": "topic",
    "versions": "version",
    "years": "year",
}

_NAME = re.compile(r"[a-z][a-z0-9_]*")
# What XML 1.0 has no way to write (production 2).
_ILLEGAL = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def render(root: str, shape: dict) -> bytes:
    """UTF-8; None is no element, an empty text or list an empty one; what is illegal in XML is left out."""
    namespace = PROBLEM_NAMESPACE if root == "problem" else NAMESPACE
    content = "".join(_element(name, value) for name, value in shape.items())
    document = f'<{_checked(root)} xmlns="{namespace}">{content}</{root}>'
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{document}\n'.encode()


def legal(text: str) -> str:
    """The text without what XML has no way to write; one such character makes a whole document unreadable."""
    return _ILLEGAL.sub("", text)


def _element(name, value) -> str:
    if value is None:
        return ""
    return f"<{_checked(name)}>{_content(name, value)}</{name}>"


def _content(name, value) -> str:
    if isinstance(value, dict):
        return "".join(_element(key, item) for key, item in value.items())
    if isinstance(value, list):
        return "".join(_element(ITEMS[name], item) for item in value)
    if isinstance(value, bool):
        return "true" if value else "false"
    return escape(legal(str(value)), {"\r": "&#13;"})


def _checked(name: str) -> str:
    if not _NAME.fullmatch(name):
        raise ValueError(f"{name!r} is no name for an element.")
    return name
