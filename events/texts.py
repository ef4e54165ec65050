"""What a text, a name or a URL may be before it is stored: one answer for the desk, the importers and the API.

Each function returns what is wrong in a sentence that says what to do, or None.
"""

import re
from urllib.parse import urlsplit

from events import slugs

MAX_HEADLINE = 2_000
MAX_BODY = 50_000
MAX_NAME = 300
MAX_KEY = 4 * MAX_NAME
MAX_URL = 2_000
MAX_NOTE = 2_000

# C0 controls but tab, line feed and carriage return, which XML 1.0 admits; lone surrogates; the two non-characters.
_ILLEGAL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff\ufffe\uffff]")
_LINE_CONTROLS = re.compile("[\t\n\r\x85\u2028\u2029]")


def text_problem(text: str, limit: int) -> str | None:
    """What is wrong with a running text of several lines."""
    illegal = _ILLEGAL.search(text)
    if illegal:
        return f"Remove the control character U+{ord(illegal.group()):04X} at position {illegal.start() + 1}."
    if len(text) > limit:
        return f"Shorten this to {limit:,} characters; it has {len(text):,}."
    return None


def line_problem(text: str, limit: int) -> str | None:
    """What is wrong with a text of one line, such as a name or a headline."""
    if _LINE_CONTROLS.search(text):
        return "Write this on one line, without line breaks or tabs."
    return text_problem(text, limit)


def headline_problem(text: str) -> str | None:
    if not text.strip():
        return "Write a headline."
    return _ends_problem(text) or line_problem(text, MAX_HEADLINE)


def name_problem(name: str) -> str | None:
    if not name.strip():
        return "Give a name."
    # One character may fold to eighteen; a name that is short enough for that needs no look.
    if len(name) > MAX_KEY // 18 and len(slugs.fold(name)) > MAX_KEY:
        return "Shorten this name: some of its letters stand for many."
    return _ends_problem(name) or line_problem(name, MAX_NAME)


def _ends_problem(text: str) -> str | None:
    return "Remove the spaces at its ends." if text != text.strip() else None


def url_problem(url: str) -> str | None:
    """What is wrong with a source's URL. Django's URLValidator refuses real ones, such as hosts with an underscore."""
    if len(url) > MAX_URL:
        return f"Shorten this to {MAX_URL:,} characters; it has {len(url):,}."
    if line_problem(url, MAX_URL) or re.search(r"[\s<>\"]", url):
        return "Remove spaces, quotation marks, angle brackets and control characters from the URL."
    try:
        parts = urlsplit(url)
        host, _port = parts.hostname, parts.port
    except ValueError:
        return "This is not a URL: its host or port cannot be read."
    if parts.scheme not in ("http", "https"):
        return "Start the URL with http:// or https://."
    # A browser reads a backslash in a host as a slash; in a path or query, real URLs hold some.
    if not url[len(parts.scheme) :].startswith("://") or not host or not host.strip(".-") or "\\" in parts.netloc:
        return "Name a host after http:// or https://."
    if "@" in parts.netloc:
        return "Remove the user name and password from the URL."
    return None


def language_problem(language: str) -> str | None:
    """What is wrong with a language tag, by the outline of BCP 47."""
    if re.fullmatch(r"[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*", language) and len(language) <= 35:
        return None
    return "Give a language tag such as en, zh or pt-BR."


def origin_problem(origin) -> str | None:
    """What is wrong with an origin: None, or an object of `name`, `url` and `licence`, all strings."""
    if origin is None:
        return None
    if not isinstance(origin, dict) or origin.keys() != {"name", "url", "licence"}:
        return "Give name, url and licence."
    if not all(isinstance(value, str) for value in origin.values()):
        return "Give name, url and licence as texts."
    return name_problem(origin["name"]) or url_problem(origin["url"]) or line_problem(origin["licence"], MAX_NAME)
