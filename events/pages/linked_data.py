"""What an event's page says to search engines and to whoever shows its link: schema.org's NewsArticle, a description.

Works on the event's shape alone, and says nothing that the page does not.
"""

import html
import json
import re

from django.conf import settings
from django.utils.html import strip_tags
from django.utils.safestring import mark_safe
from django.utils.text import Truncator

from events import addresses, markup
from events.formats import shapes

# What search engines show of a headline at most, and of a description.
HEADLINE = 110
DESCRIPTION = 200
# Of the longest lists, which the page has whole: sixty topics and fifty sources would be a fifth of all that it says.
LISTED = 12
# Inside a script, no character may end it; and U+2028 and U+2029 are line ends to some readers of JSON.
_ESCAPED = {ord(char): f"\\u{ord(char):04x}" for char in "<>&\u2028\u2029"}
_URL = re.compile(r"https?://\S+")


def article(shape: dict) -> dict:
    """An event with a text as a NewsArticle, without what it has not."""
    stated = {
        "@context": "https://schema.org",
        "@type": "NewsArticle",
        "headline": Truncator(shape["headline"]).chars(HEADLINE),
        "description": shape["headline"],
        "url": shape["url"],
        "mainEntityOfPage": shape["url"],
        "identifier": f"urn:uuid:{shape['uid']}",
        "version": shape["version"],
        "inLanguage": shape["language"],
        "datePublished": shape["published"],
        "dateModified": shape["modified"],
        "articleSection": _name(shape["category"]),
        "about": [{"@type": "Thing", "name": name} for name in _topics(shape)[:LISTED]],
        "citation": [source["url"] for source in shape["sources"]][:LISTED],
        "isBasedOn": shape["origin"] and _origin(shape["origin"]),
        "correction": [_correction(change) for change in corrections(shape)],
        "publisher": _publisher(),
        "license": shape["license"] if _URL.fullmatch(shape["license"]) else None,
    }
    return {name: value for name, value in stated.items() if value}


def corrections(shape: dict) -> list[dict]:
    """The corrections up to the version shown whose notes can be read, the last one first."""
    kept = [change for change in shape["changes"] if change["label"] != shapes.REDACTED]
    return [change for change in reversed(kept) if change["kind"] == "correction"]


def description(shape: dict) -> str:
    """The beginning of the text in plain words; of an event without a body, its headline."""
    beginning = markup.to_html(markup.first_paragraph(shape["body"]))
    plain = " ".join(html.unescape(strip_tags(beginning)).split())
    return Truncator(plain or shape["headline"]).chars(DESCRIPTION)


def script(value) -> str:
    """JSON that can stand inside a script element as it is."""
    return mark_safe(json.dumps(value, ensure_ascii=False, separators=(",", ":")).translate(_ESCAPED))


def _topics(shape):
    """The names of the topics, the story before the others."""
    return sorted((topic["name"] for topic in shape["topics"]), key=lambda name: name != _name(shape["story"]))


def _name(value):
    return value and value["name"]


def _origin(origin):
    licence = origin.get("licence")
    work = {"@type": "CreativeWork", "name": origin["name"], "url": origin["url"]}
    return work | ({"license": licence} if licence else {})


def _correction(change):
    return {"@type": "CorrectionComment", "text": change["note"], "datePublished": change["issued"]}


def _publisher():
    return {
        "@type": "Organization",
        "name": settings.NEWSDESK_TITLE,
        "url": addresses.absolute("/"),
        "correctionsPolicy": addresses.absolute(addresses.policy()),
    }
