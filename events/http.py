"""What every wing answers with: formats and their negotiation, freshness, conditional requests and problem details.

Knows nothing of what is shown: a view hands over a shape, and what its headers say beside it.
"""

import datetime
import hashlib
import ipaddress
import logging
import math
import re
from collections.abc import Callable, Iterable
from typing import NamedTuple

from django.conf import settings
from django.core.cache import cache
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseNotModified, HttpResponseRedirect
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.http import http_date, parse_etags, parse_http_date
from rest_framework.exceptions import APIException, MethodNotAllowed, Throttled
from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.renderers import BaseRenderer
from rest_framework.views import APIView

from events import addresses
from events.documents import rfc3339
from events.formats import as_json, as_link_format, as_markdown, as_xml, shapes
from events.models import Edition, LogHead

logger = logging.getLogger(__name__)

# An old rendering is never wrong, only unused; this bounds how long one lies about.
KEEP_SECONDS = 3600
# What is larger is rarely asked for, and would fill the memory with one copy for each state.
KEEP_BYTES = 1_000_000
# Settings that a rendering shows.
SHOWN = ("NEWSDESK_URL", "NEWSDESK_TITLE", "NEWSDESK_DESCRIPTION", "NEWSDESK_LICENSE", "LANGUAGE_CODE", "TIME_ZONE")
# What a rendering is made by. The packages are there because Markdown and the sanitizer are two of them.
SOURCES = ("events/**/*.py", "events/**/*.xsd", "templates/**/*.html", "static/**/*.*", "requirements.txt")
ABSENT = "There is nothing at this address."
BAD_DATETIME = "Give Accept-Datetime as a date of HTTP in GMT, such as Sat, 25 Feb 2017 10:00:00 GMT."


def release() -> str:
    """A digest of the code, the templates, the styles and the pinned packages."""
    digest = hashlib.sha256()
    for path in sorted(path for pattern in SOURCES for path in settings.BASE_DIR.glob(pattern) if path.is_file()):
        digest.update(f"{path.relative_to(settings.BASE_DIR)}\0".encode() + path.read_bytes() + b"\0")
    return digest.hexdigest()


RELEASE = release()


class Page(NamedTuple):
    """What a view answers with. `links` are (relation, URL) for the Link header, perhaps with a dictionary of further
    attributes; no `canonical` means the own URL.

    `beside` gives what the page in HTML shows besides the shape, by name; no other format asks for it. `in_time` are
    links like `links`, to what the page was and will be, which a page of the past has too; `memento` is from when on it
    was what it is here, for good (RFC 7089). `past` is the moment that the page shows, if that is not now. `path` is
    where the page is asked for of another moment, if not at the URL of its shape.
    """

    root: str
    shape: dict
    links: Iterable[tuple] = ()
    canonical: str = ""
    modified: datetime.datetime | None = None
    indexed: bool = True
    status: int = 200
    beside: Callable[[], dict] = dict
    in_time: Iterable[tuple] = ()
    memento: datetime.datetime | None = None
    past: datetime.datetime | None = None
    path: str = ""


class Problem(Exception):
    """Another answer than the page asked for, told by a shape of RFC 9457. Never kept in the cache."""

    def __init__(self, status: int, detail: str = "", headers: dict | None = None):
        self.page = Page("problem", shapes.problem(status, detail), status=status)
        self.headers = headers or {}
        super().__init__(detail)


class Absent(Problem):
    """Nothing public is here. That it is not yet, no longer or never was is not told apart."""

    def __init__(self):
        super().__init__(404, ABSENT)


class Withdrawn(Exception):
    """The notice of a withdrawal, which is kept in the cache like a page."""

    def __init__(self, withdrawal: Edition):
        self.page = Page("problem", shapes.gone(withdrawal), status=410)
        super().__init__(withdrawal)


# Formats: a renderer each, all over the same shape.


class HTMLRenderer(BaseRenderer):
    media_type = "text/html"
    format = "html"
    problem_type = "text/html"

    def render(self, page, accepted_media_type=None, renderer_context=None):
        return page_in_html(page, f"pages/{page.root}.html", **page.beside())


class JSONRenderer(BaseRenderer):
    media_type = "application/json"
    format = "json"
    problem_type = "application/problem+json"

    def render(self, page, accepted_media_type=None, renderer_context=None):
        return as_json.render(page.root, page.shape)


class XMLRenderer(BaseRenderer):
    media_type = "application/xml"
    format = "xml"
    problem_type = "application/problem+xml"

    def render(self, page, accepted_media_type=None, renderer_context=None):
        return as_xml.render(page.root, page.shape)


class MarkdownRenderer(BaseRenderer):
    media_type = "text/markdown"
    format = "md"
    problem_type = "text/markdown"

    def render(self, page, accepted_media_type=None, renderer_context=None):
        return as_markdown.render(page.root, page.shape)


RENDERERS = {renderer.format: renderer for renderer in (HTMLRenderer, JSONRenderer, XMLRenderer, MarkdownRenderer)}
# In which format an address that ends so tells its problems, if not in its own.
PROBLEMS_IN = {
    "atom": "xml",
    "rss": "xml",
    "newsml": "xml",
    "xsd": "xml",
    "ninjs": "json",
    "timemap": "json",
    "sitemap": "xml",
}
# People read these. Every other only a program reads, and one that misspells a parameter must learn of it.
LENIENT_FORMATS = ("html", "md", "txt")
# What a page elsewhere may read of our answers besides their text. Nothing here depends on who asks by a cookie.
EXPOSED = "Content-Location, ETag, Last-Modified, Link, Location, Memento-Datetime, Retry-After"
API = "/api/"
# Proxies and clients take some kilobytes of headers, and each link to a long address may be one of them. What pages and
# TimeMaps say as well is spared first.
LONGEST_LINKS = 5_000
SPARED = ("alternate", "memento")
PREFLIGHT = {
    "Access-Control-Allow-Methods": "GET, HEAD, OPTIONS",
    "Access-Control-Allow-Headers": "Accept-Datetime, Authorization, If-None-Match",
    "Access-Control-Max-Age": "86400",
}
_PARAMETERS = re.compile(r";(?!\s*q\s*=)[^;,]*", re.IGNORECASE)
# What a 304 repeats of the answer that it stands for (RFC 9110, 15.4.5).
_REPEATED = ("Content-Location", "ETag", "Last-Modified", "Memento-Datetime", "Vary")


class Negotiation(DefaultContentNegotiation):
    """By the address where it says the format, else by Accept. What accepts none of ours gets the first, not a 406.

    Not DRF's own negotiation, which does not read quality values.
    """

    def select_renderer(self, request, renderers, format_suffix=None):
        by_type = {renderer.media_type: renderer for renderer in renderers}
        by_format = {renderer.format: renderer for renderer in renderers}
        preferred = _preferred_type(request, list(by_type))
        chosen = by_format[format_suffix] if format_suffix else by_type.get(preferred, renderers[0])
        return chosen, chosen.media_type


def _preferred_type(request, media_types):
    """The one that Accept asks for first; its parameters are not ours to tell apart, but for the quality."""
    asked = HttpRequest()
    asked.META["HTTP_ACCEPT"] = _PARAMETERS.sub("", request.headers.get("Accept", "*/*"))
    return asked.get_preferred_type(media_types)


class RecordView(APIView):
    """An address of the public record. A child says what is there: `page(at, **address)`, a `Page` or a redirect.

    `parameters` are the names that its query may have. Below `/as-of/<moment>/`, `at` is that moment, and so the page
    is what the public saw then, but for what was withdrawn or redacted since.
    """

    http_method_names = ["get", "head", "options"]
    renderer_classes = list(RENDERERS.values())
    content_negotiation_class = Negotiation
    parameters = frozenset()
    # Whether the thing itself, at the address without a format, may be asked for as it was by Accept-Datetime.
    has_timegate = False

    def setup(self, request, *args, **kwargs):
        super().setup(request, *args, **kwargs)
        self.now = timezone.now()
        self.past = None

    @property
    def default_response_headers(self):
        if "format" in self.kwargs:
            return {}
        return {"Vary": "Accept, Accept-Datetime" if self.is_timegate else "Accept"}

    @property
    def is_timegate(self):
        """Whether this address answers to Accept-Datetime (RFC 7089); a page of the past does not."""
        return self.has_timegate and not {"format", "moment"} & self.kwargs.keys()

    @property
    def accept_datetime(self) -> str | None:
        return self.request.headers.get("Accept-Datetime") if self.is_timegate else None

    def accepted_moment(self, links: Iterable[tuple]) -> datetime.datetime | None:
        """The moment that Accept-Datetime asks for, None without it. Raises a 400, which has the `links` too."""
        if self.accept_datetime is None:
            return None
        moment = http_moment(self.accept_datetime)
        if moment is None:
            raise Problem(400, BAD_DATETIME, link_header(links))
        return moment

    def get_exception_handler(self):
        return problem_answer

    def get(self, request, moment=None, **address):
        refuse_parameters(request, self.parameters)
        self.past = moment and _past(moment, self.now)
        key = _key(request, self.parameters, self.accept_datetime, self.state())
        kept = _from_cache(key)
        if kept is None:
            kept = self._rendered(request, address)
            if len(kept[2]) <= KEEP_BYTES:
                _into_cache(key, kept)
        status, headers, body = kept
        return HttpResponse(body, status=status, headers=headers)

    def state(self):
        """What the answer depends on besides its address."""
        return LogHead.objects.state(self.now)

    def options(self, request, **address):
        """What a browser asks before a page elsewhere may send a conditional request, or a key with it."""
        response = HttpResponse(status=204, headers={"Allow": ", ".join(self.allowed_methods), **PREFLIGHT})
        del response["Content-Type"]
        return response

    def _rendered(self, request, address):
        """(status, headers, body): everything of the answer that does not depend on the second it is given."""
        format = address.pop("format", None)
        try:
            page = self.page(self.past or self.now, **address)
        except Withdrawn as withdrawn:
            page = withdrawn.page
        if isinstance(page, HttpResponseBase):
            location = page["Location"]
            if self.past:
                location = addresses.into_past(location, addresses.as_of(self.past))
            kept = {name: page[name] for name in ("Link", "Memento-Datetime") if name in page}
            return page.status_code, {"Location": location, **kept}, b""
        if self.past:
            page = _in_past(page, self.past, request)
        renderer = request.accepted_renderer if page.status == 200 else _problem_renderer(format, request)
        body = renderer.render(page)
        headers = page_headers(page, renderer, body)
        if not format and page.status == 200 and "formats" in page.shape:
            headers["Content-Location"] = page.shape["formats"][renderer.format]
        return page.status, headers, body

    def finalize_response(self, request, response, *args, **kwargs):
        response = super().finalize_response(request, response, *args, **kwargs)
        if response.status_code in (404, 410) and not request.path_info.startswith(API):
            # The same whatever is accepted, and nothing that says there were versions to choose from.
            del response["Vary"]
        return finished(request, response, self.now)


def _past(moment: str, now: datetime.datetime) -> datetime.datetime:
    """The moment of an address in the past. What was public later than now, nobody can tell."""
    past = addresses.parse_moment(moment)
    if past is None or past > now:
        raise Absent
    return past


def _in_past(page: Page, past: datetime.datetime, request) -> Page:
    """The page with what it leads to as it was then; robots and Memento are told of the page of today alone."""
    prefix = addresses.as_of(past)
    return page._replace(
        # What is not there is not named, whoever did: its words may be those of a text that was taken back.
        path=addresses.wordless(request.path_info.removeprefix(prefix)),
        shape=shapes.in_past(page.shape, prefix),
        beside=lambda: shapes.in_past(page.beside(), prefix),
        links=(),
        canonical="",
        modified=None,
        indexed=False,
        past=past,
    )


def _from_cache(key):
    """What is kept under the key; a cache that does not answer holds nothing."""
    try:
        return cache.get(key)
    except Exception:  # each backend has errors of its own
        logger.warning("The cache cannot be read.", exc_info=True)
        return None


def _into_cache(key, kept):
    try:
        cache.set(key, kept, KEEP_SECONDS)
    except Exception:  # as above
        logger.warning("The cache cannot be written.", exc_info=True)


def page_headers(page: Page, renderer, body: bytes) -> dict[str, str]:
    media_type = renderer.media_type if page.status == 200 else renderer.problem_type
    # These are UTF-8 and their types have no parameter (RFC 8259, 11; RFC 6690, 7.3).
    charset = "" if media_type.endswith(("json", "link-format")) else "; charset=utf-8"
    headers = {"Content-Type": media_type + charset}
    if page.status != 200:
        return headers
    headers["ETag"] = etag(body)
    headers |= link_header(_links(page, renderer))
    if page.memento:
        headers["Memento-Datetime"] = http_date(page.memento.timestamp())
    if page.modified:
        headers["Last-Modified"] = http_date(page.modified.timestamp())
    if not page.indexed:
        headers["X-Robots-Tag"] = "noindex"
    return headers


def page_in_html(page: Page, template: str, **more) -> bytes:
    site = {name.removeprefix("NEWSDESK_").lower(): getattr(settings, name) for name in SHOWN}
    context = {"site": site, "page": page, "canonical": canonical(page), "alternates": alternates(page, HTMLRenderer)}
    # Before every path that a template writes; what a shape holds is led into the past already.
    context["past"] = addresses.as_of(page.past) if page.past else ""
    context["past_moment"] = rfc3339(page.past) if page.past else ""
    context["page_path"] = _path_of_today(page, context["past"])
    return render_to_string(template, context | {page.root: page.shape} | more).encode()


def _path_of_today(page, past):
    """The path of this page without its past, or that of the front page where there is no past to choose.

    A single version leads to its event.
    """
    urls = [page.shape.get(key) or "" for key in ("url", "latest")]
    paths = [*(addresses.relative(url).removeprefix(past) for url in urls), page.path]
    return next((path for path in paths if path and addresses.has_past(path)), "/")


def etag(body: bytes) -> str:
    return f'"{hashlib.sha256(body).hexdigest()[:32]}"'


def canonical(page: Page) -> str:
    return page.canonical or page.shape.get("url", "")


def alternates(page: Page, renderer) -> list[tuple[str, str, str]]:
    """The same page in the other formats: (format, media type, URL)."""
    formats = page.shape.get("formats", {}).items()
    return [
        (format, RENDERERS[format].media_type, url)
        for format, url in formats
        if format != renderer.format and format in RENDERERS
    ]


def link_header(links: Iterable[tuple]) -> dict[str, str]:
    """The header that says these links, as a `Page` has them; with long addresses without those that can be spared."""
    kept = list(links)
    said = _said(kept)
    for spared in SPARED:
        if len(said) > LONGEST_LINKS:
            kept = [link for link in kept if spared not in link[0].split()]
            said = _said(kept)
    return {"Link": said} if said else {}


def _said(links):
    return ", ".join(as_link_format.link(*parts) for parts in links)


def _links(page, renderer):
    if not page.past:
        yield "canonical", canonical(page)
    for _, media_type, url in alternates(page, renderer):
        yield "alternate", url, {"type": media_type}
    yield from page.links
    yield from page.in_time
    if renderer.format in addresses.SCHEMAS and renderer.media_type == RENDERERS[renderer.format].media_type:
        yield "describedby", addresses.absolute(addresses.SCHEMAS[renderer.format])


def redirect(path: str, in_time: Iterable[tuple], memento: datetime.datetime | None = None) -> HttpResponseRedirect:
    """On to what has this place in time; with `memento` as the public was led on at that moment."""
    headers = link_header(in_time)
    if memento:
        headers["Memento-Datetime"] = http_date(memento.timestamp())
    return HttpResponseRedirect(path, headers=headers)


def http_moment(text: str) -> datetime.datetime | None:
    """The moment of a date as HTTP writes it today (RFC 9110, 5.6.7), or None: of Accept-Datetime there is no other."""
    try:
        seconds = parse_http_date(text)
        is_ours = http_date(seconds) == text
    except (ValueError, OverflowError):
        return None
    return datetime.datetime.fromtimestamp(seconds, datetime.UTC) if is_ours else None


def refuse_parameters(request, known: Iterable[str]) -> None:
    """Raise a 400 for a known parameter that is repeated, and for an unknown one where a program reads the answer."""
    strict = request.accepted_renderer.format not in LENIENT_FORMATS
    if not strict and not known:
        return
    for name, values in request.GET.lists():
        if name not in known and strict:
            raise Problem(400, f"There is no parameter “{name[:100]}” here.")
        if name in known and len(values) > 1:
            raise Problem(400, f"Give the parameter “{name}” once.")


def problem_answer(exception, context) -> HttpResponse | None:
    """DRF's exception handler."""
    if isinstance(exception, MethodNotAllowed):
        allowed = {"Allow": ", ".join(context["view"].allowed_methods)}
        only_read = {"GET", "HEAD", "OPTIONS"}.issuperset(context["view"].allowed_methods)
        detail = "This address can only be read." if only_read else "This address does not take this method."
        exception = Problem(405, detail, allowed)
    elif isinstance(exception, Throttled):
        wait = math.ceil(exception.wait or 60)
        exception = Problem(429, f"Too many requests. Ask again in {wait} seconds.", {"Retry-After": str(wait)})
    elif isinstance(exception, APIException):
        challenge = getattr(exception, "auth_header", "")
        headers = {"WWW-Authenticate": challenge} if challenge else {}
        exception = Problem(exception.status_code, str(exception.detail), headers)
    if not isinstance(exception, Problem):
        return None
    request = context["request"]
    past = getattr(context["view"], "past", None)
    if past:
        exception.page = _in_past(exception.page, past, request)
    # What was refused is what a format asked for. Other problems are the same whatever was accepted.
    return problem_page(exception, request, request.accepted_renderer if exception.page.status == 400 else None)


def problem_page(problem: Problem, request, renderer=None) -> HttpResponse:
    """A problem in the format that the address ends with, in HTML where it says none, for programs in JSON or XML."""
    renderer = _problem_renderer(renderer.format if renderer else request.path_info.rpartition(".")[2], request)
    body = renderer.render(problem.page)
    headers = page_headers(problem.page, renderer, body) | problem.headers
    return HttpResponse(body, status=problem.page.status, headers=headers)


def _problem_renderer(format, request):
    renderer = RENDERERS.get(PROBLEMS_IN.get(format, format))
    if renderer is None and request.path_info.startswith(API):
        types = [JSONRenderer.media_type, XMLRenderer.media_type]
        renderer = XMLRenderer if _preferred_type(request, types) == XMLRenderer.media_type else JSONRenderer
    return (renderer or HTMLRenderer)()


def client_ip(request) -> str | None:
    """Where a request comes from; behind a proxy that is what the proxy wrote last, since the rest anyone can send."""
    address = request.META.get("REMOTE_ADDR", "")
    if settings.NEWSDESK_PROXY:
        address = request.META.get("HTTP_X_FORWARDED_FOR", "").rpartition(",")[2].strip() or address
    try:
        return str(ipaddress.ip_address(address.partition("%")[0]))
    except ValueError:
        return None


def finished(request, response: HttpResponseBase, at: datetime.datetime) -> HttpResponseBase:
    """The answer as it goes out: 304 if the client has it, without a body for HEAD, and fresh for less than a minute.

    Whatever becomes public by the clock does so at a whole minute. Every answer ends there, whether anything is
    scheduled or not, so that none betrays that something is.
    """
    length = len(response.content)
    if response.status_code == 200 and _is_held(request, response):
        repeated = {name: response[name] for name in _REPEATED if name in response}
        response = HttpResponseNotModified(headers=repeated)
    if request.method == "HEAD" or response.status_code == 304:
        # Before a middleware counts what is left. A 304 says the length that the whole answer has (RFC 9110, 8.6).
        response["Content-Length"] = length
        response.content = b""
    # What is answered to the holder of a key is the same, but that it was fetched is noted, by nobody else's cache.
    response["Cache-Control"] = freshness(at, "private" if "Authorization" in request.headers else "public")
    response["Access-Control-Allow-Origin"] = "*"
    response["Access-Control-Expose-Headers"] = EXPOSED
    return response


def freshness(at: datetime.datetime, whose: str = "public") -> str:
    return f"{whose}, max-age={60 - at.second}"


def redirects_are_fresh(get_response):
    """Middleware: a redirect that another middleware makes, such as that to https, is no more lasting than a page."""

    def middleware(request):
        response = get_response(request)
        if response.status_code == 301:
            response.setdefault("Cache-Control", freshness(timezone.now()))
        return response

    return middleware


def _is_held(request, response):
    """Whether the client has this very answer, by weak comparison (RFC 9110, 13.1.2).

    By its tag alone: a date has whole seconds, in which two acts may lie, and nothing of a new release or licence.
    If-Match, which is for those who write, is not looked at.
    """
    held = parse_etags(request.headers.get("If-None-Match", ""))
    return "*" in held or response.get("ETag") in {tag.removeprefix("W/") for tag in held}


def _key(request, parameters, accept_datetime, state):
    asked = sorted((name, request.GET[name]) for name in parameters if name in request.GET)
    shown = [getattr(settings, name) for name in SHOWN]
    # What cannot be read is refused, if there is anything to read at all.
    moment = None if accept_datetime is None else (http_moment(accept_datetime),)
    parts = (request.path_info, request.accepted_renderer.format, asked, moment, *state, RELEASE, shown)
    return hashlib.sha256(repr(parts).encode()).hexdigest()
