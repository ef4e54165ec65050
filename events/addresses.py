"""Every public address, made and read in one place. An address is a path below the site's own URL.

A month has a leading zero and a day has none; a slug never holds a dot, so what follows the first dot is the version
and the format.
"""

import datetime
import re
from urllib.parse import quote

from django.conf import settings

FORMATS = ("html", "json", "xml", "md")
FEEDS = ("atom", "rss", "json")
SCHEMAS = {"json": "/schemas/event.json", "xml": "/schemas/event.xsd"}

# How the parts of an address are read, as regular expressions for the URL configuration. Other spellings of a date are
# read too, to be redirected.
YEAR = r"(?P<year>[0-9]{4})"
MONTH = r"(?P<month>[0-9]{1,2})"
DAY = r"(?P<day>[0-9]{1,2})"
SLUG = r"(?P<slug>[^/.\x00-\x1f\x7f]+)"
VERSION = r"v(?P<number>[1-9][0-9]{0,5})"
COMPARED = r"v(?P<old>[1-9][0-9]{0,5})-v(?P<new>[1-9][0-9]{0,5})"
FORMAT = r"(?P<format>html|json|xml|md)"
FEED = r"(?P<format>atom|rss|json)"
UID = r"(?P<uid>[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})"
# Of four digits from 1000 on: at the ends of the calendar there are moments that some time zones cannot tell.
MOMENT = r"(?P<moment>[1-9][0-9]{7}T[0-9]{6}Z)"

_MOMENT_FORMAT = "%Y%m%dT%H%M%SZ"
_ANY_FORMAT = r"\.(?:html|json|xml|md)"
# What has a past: all but single versions, which are the past themselves, and what is only of today.
_WITH_A_PAST = re.compile(
    rf"/(?:index{_ANY_FORMAT})?"
    rf"|/news/(?:[0-9]{{4}}/(?:[0-9]{{2}}/)?)?index{_ANY_FORMAT}"
    rf"|/news/[0-9]{{4}}/[0-9]{{2}}/[0-9]{{1,2}}/(?:[^/.?]+(?:{_ANY_FORMAT})?|index{_ANY_FORMAT})?"
    rf"|/(?:topics|categories)/(?:[^/.?]+/)?index{_ANY_FORMAT}"
)

# Addresses that say nothing but a date.
_WORDLESS = re.compile(rf"/news/(?:[0-9]{{4}}/(?:[0-9]{{2}}/(?:[0-9]{{1,2}}/)?)?)?(?:index{_ANY_FORMAT})?")


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


def comparison(date: datetime.date, slug: str, old: int, new: int, format: str = "html") -> str:
    """What changed from one edition to another."""
    return f"{neutral_event(date, slug)}.v{old}-v{new}.{format}"


def uid(uid) -> str:
    """The address of an event that holds no text of it."""
    return f"/events/{uid}"


def chosen_versions(uid) -> str:
    """Where the form that chooses two versions to compare is sent."""
    return f"/events/{uid}/changes"


def category(slug: str, format: str = "html") -> str:
    return f"/categories/{quote(slug)}/index.{format}"


def topic(slug: str, format: str = "html") -> str:
    return f"/topics/{quote(slug)}/index.{format}"


def topics(format: str = "html") -> str:
    return f"/topics/index.{format}"


def search(format: str = "html") -> str:
    return f"/search/index.{format}"


def corrections(format: str = "html") -> str:
    return f"/corrections/index.{format}"


def policy(format: str = "html") -> str:
    """How the desk corrects, in its own words."""
    return f"/corrections/policy.{format}"


# For partners and machines.


def timemap(date: datetime.date, slug: str) -> str:
    """The list of an event's versions in time (RFC 7089)."""
    return f"{neutral_event(date, slug)}.timemap"


def day_timemap(date: datetime.date) -> str:
    return f"{neutral_day(date)}index.timemap"


def feed(name: str, format: str = "atom") -> str:
    """`name` is "latest" or "corrections"."""
    return f"/feeds/{name}.{format}"


def category_feed(slug: str, format: str = "atom") -> str:
    return f"/categories/{quote(slug)}/feed.{format}"


def topic_feed(slug: str, format: str = "atom") -> str:
    return f"/topics/{quote(slug)}/feed.{format}"


def event_feed(date: datetime.date, slug: str) -> str:
    """The changes of one event, as Atom."""
    return f"{neutral_event(date, slug)}.changes.atom"


def archive(month: datetime.date, part: int) -> str:
    """A part of what the log recorded in a month, as Atom, that changes no more (RFC 5005)."""
    return f"/feeds/archive/{month.year:04}-{month.month:02}.{part}.atom"


def tag(*parts) -> str:
    """The identifier of a thing in feeds, which stays when its headline, its date or the site's address changes."""
    return f"tag:{settings.NEWSDESK_TAG}:{':'.join(map(str, parts))}"


def api(*parts, format: str = "") -> str:
    """An address of the API: `api("events", uid)`; with "" as the last part that of a list, which ends with a slash."""
    path = "/api/" + "/".join(quote(str(part)) for part in parts)
    return f"{path}.{format}" if format else path


def changes(after: str = "") -> str:
    """The log, from behind the place that a cursor names."""
    return f"/api/changes/?after={after}" if after else "/api/changes/"


def changes_head() -> str:
    return "/api/changes/head"


def sitemap(year: int) -> str:
    return f"/sitemaps/{year:04}.xml"


def as_of(moment: datetime.datetime) -> str:
    """What comes before a path to make it that of the page as the public saw it at this moment."""
    # Not `strftime`, whose %Y does not pad a year below 1000 everywhere.
    digits = moment.astimezone(datetime.UTC).replace(tzinfo=None).isoformat(timespec="seconds")
    return f"/as-of/{digits.replace('-', '').replace(':', '')}Z"


def parse_moment(text: str) -> datetime.datetime | None:
    """The moment that `as_of` wrote, or None if the calendar has none such."""
    try:
        return datetime.datetime.strptime(text, _MOMENT_FORMAT).replace(tzinfo=datetime.UTC)
    except ValueError:
        return None


def chosen_moment() -> str:
    """Where the form that chooses a moment of the past is sent."""
    return "/as-of/"


def has_past(path: str) -> bool:
    """Whether what is at this path, which may end with a query, is also there as it was at a moment."""
    return bool(_WITH_A_PAST.fullmatch(path.partition("?")[0]))


def wordless(path: str) -> str:
    """The page at this path or above it whose address holds no words of a text: that of an entry's day."""
    above = _WORDLESS.match(path)
    return above[0] if above else "/"


def into_past(url: str, prefix: str) -> str:
    """One of our URLs or paths led below `prefix` as `as_of` gives it, if what is there has a past."""
    site = settings.NEWSDESK_URL if url.startswith(settings.NEWSDESK_URL) else ""
    path = url.removeprefix(site)
    return site + prefix + path if has_past(path) else url


def problem(name: str) -> str:
    """The address that explains a type of problem."""
    return f"/problems/{name}"


def formats(make, *args, query: str = "") -> dict[str, str]:
    """The absolute URL of each format of what `make(*args, format)` addresses, each with the `query` ("?…")."""
    return {format: absolute(make(*args, format)) + query for format in FORMATS}


def absolute(path: str) -> str:
    """The URL of a path; the host is the site's own, never one that a request claims."""
    return settings.NEWSDESK_URL + path


def relative(url: str, format: str = "") -> str:
    """The path of one of our URLs; with a `format`, the path of the same thing in that format."""
    path = url.removeprefix(settings.NEWSDESK_URL)
    if not format:
        return path
    path, mark, query = path.partition("?")
    path = f"{path}index.{format}" if path.endswith("/") else f"{path.removesuffix('.html')}.{format}"
    return path + mark + query


def parse_date(year: str, month: str = "1", day: str = "1") -> datetime.date | None:
    """The date that these digits name, or None if the calendar has none such."""
    try:
        return datetime.date(int(year), int(month), int(day))
    except ValueError:
        return None
