"""Every public address, made and read in one place. An address is a path below the site's own URL.

A month has a leading zero and a day has none; a slug never holds a dot, so what follows the first dot is the version
and the format.
"""

import datetime
from urllib.parse import quote

from django.conf import settings

FORMATS = ("html", "json", "xml", "md")
SCHEMAS = {"json": "/schemas/event.json", "xml": "/schemas/event.xsd"}

# How the parts of an address are read, as regular expressions for the URL configuration. Other spellings of a date are
# read too, to be redirected.
YEAR = r"(?P<year>[0-9]{4})"
MONTH = r"(?P<month>[0-9]{1,2})"
DAY = r"(?P<day>[0-9]{1,2})"
SLUG = r"(?P<slug>[^/.\x00-\x1f\x7f]+)"
VERSION = r"v(?P<number>[1-9][0-9]{0,5})"
FORMAT = r"(?P<format>html|json|xml|md)"
UID = r"(?P<uid>[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})"


def front(format: str = "html") -> str:
    return f"/index.{format}"


def years(format: str = "html") -> str:
    return f"/news/index.{format}"


def year(year: int, format: str = "html") -> str:
    return f"/news/{year:04}/index.{format}"


def month(year: int, month: int, format: str = "html") -> str:
    return f"/news/{year:04}/{month:02}/index.{format}"


def day(date: datetime.date, format: str = "html") -> str:
    return f"{neutral_day(date)}index.{format}"


def neutral_day(date: datetime.date) -> str:
    """The day itself, whose format is negotiated."""
    return f"/news/{date.year:04}/{date.month:02}/{date.day}/"


def neutral_event(date: datetime.date, slug: str) -> str:
    """The event itself, whose format is negotiated."""
    return neutral_day(date) + quote(slug)


def event(date: datetime.date, slug: str, format: str = "html") -> str:
    return f"{neutral_event(date, slug)}.{format}"


def edition(date: datetime.date, slug: str, number: int, format: str = "html") -> str:
    return f"{neutral_event(date, slug)}.v{number}.{format}"


def uid(uid) -> str:
    """The address of an event that holds no text of it."""
    return f"/events/{uid}"


def problem(name: str) -> str:
    """The address that explains a type of problem."""
    return f"/problems/{name}"


def formats(make, *args) -> dict[str, str]:
    """The absolute URL of each format of what `make(*args, format)` addresses."""
    return {format: absolute(make(*args, format)) for format in FORMATS}


def absolute(path: str) -> str:
    """The URL of a path; the host is the site's own, never one that a request claims."""
    return settings.NEWSDESK_URL + path


def relative(url: str, format: str = "") -> str:
    """The path of one of our URLs; with a `format`, the path of the same thing in that format."""
    path = url.removeprefix(settings.NEWSDESK_URL)
    if not format:
        return path
    return f"{path}index.{format}" if path.endswith("/") else f"{path.removesuffix('.html')}.{format}"


def parse_date(year: str, month: str = "1", day: str = "1") -> datetime.date | None:
    """The date that these digits name, or None if the calendar has none such."""
    try:
        return datetime.date(int(year), int(month), int(day))
    except ValueError:
        return None
