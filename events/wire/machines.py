"""For search engines and other programs that find their way alone: sitemaps, robots.txt, llms.txt and security.txt.

What they name is what the public reads now. Versions, comparisons and pages of the past are not for finding.
"""

import datetime

from django.conf import settings
from django.db.models import F, Max, OuterRef, Subquery
from django.urls import re_path
from rest_framework.renderers import BaseRenderer

from events import addresses, documents, records
from events.documents import rfc3339
from events.formats import sitemaps
from events.http import Absent, Page, RecordView
from events.models import Edition, LogEntry, LogHead, Topic

# A file may have 50,000 URLs and 50 MiB; one of this length is short enough to be kept in the cache (`KEEP_BYTES`).
PER_FILE = 3_000
NEWS_DAYS = datetime.timedelta(days=2)
MOST_NEWS = 1_000
# The languages that a sitemap of news names with their region.
REGIONAL = ("zh-cn", "zh-tw")


class SitemapRenderer(BaseRenderer):
    media_type = "application/xml"
    format = "sitemap"
    problem_type = "application/problem+xml"

    def render(self, page, accepted_media_type=None, renderer_context=None):
        return sitemaps.render(page.root, page.shape)


class TextRenderer(BaseRenderer):
    media_type = "text/plain"
    format = "txt"
    problem_type = "text/plain"

    def render(self, page, accepted_media_type=None, renderer_context=None):
        return page.shape["text"].encode()


class MarkdownTextRenderer(TextRenderer):
    media_type = "text/markdown"


# Sitemaps.


class SitemapIndex(RecordView):
    """One for each year, by the date of the entries, so that one that is past hardly changes; and those of lists."""

    renderer_classes = [SitemapRenderer]

    def page(self, at):
        changed = _changed(at)
        rows = [_row(_pages())]
        rows += [_row(_topics(part)) for part in _parts(_lasting_topics().count())]
        for year, count in sorted(records.by_year(Edition.objects.current(at).counted_by_date())):
            # A year may have got its first entry between the two queries.
            modified = min(at, changed.get(year, at))
            rows += [_row(_of_year(year, part), modified) for part in _parts(count)]
        return _page("sitemapindex", "/sitemap.xml", rows)


class Pages(RecordView):
    """What leads to entries and belongs to no year."""

    renderer_classes = [SitemapRenderer]

    def page(self, at):
        categories = records.categories(Edition.objects.current(at))
        paths = ["/", addresses.years(), addresses.topics(), addresses.corrections(), addresses.policy()]
        paths += [addresses.category(category.slug) for category in categories]
        return _page("urlset", _pages(), map(_row, paths))


class Topics(RecordView):
    renderer_classes = [SitemapRenderer]

    def page(self, at, part="1"):
        slugs = _cut(_lasting_topics().order_by("pk").values_list("slug", flat=True), int(part))
        return _page("urlset", _topics(int(part)), [_row(addresses.topic(slug)) for slug in slugs])


class Year(RecordView):
    """A year with its months, its days and their entries.

    When an entry changed is known; when a list did is told by none of its entries, as one may be gone.
    """

    renderer_classes = [SitemapRenderer]

    def page(self, at, year, part="1"):
        first, last = addresses.parse_date(year), addresses.parse_date(year, "12", "31")
        if first is None:
            raise Absent
        entries = Edition.objects.current(at).filter(date__range=(first, last))
        ordered = entries.with_log().order_by("date", "event__uid")
        found = _cut(ordered.values_list("date", "slug", "issued", "recorded"), int(part))
        days = list(entries.counted_by_date()) if part == "1" else []
        rows = [_row(path) for path in _lists(first, days)]
        rows += [
            _row(addresses.neutral_event(date, slug), min(at, max(issued, recorded or issued)))
            for date, slug, issued, recorded in found
        ]
        return _page("urlset", _of_year(first.year, int(part)), rows)


class News(RecordView):
    """The newest entries that were first published within two days."""

    renderer_classes = [SitemapRenderer]

    def state(self):
        # What is too old leaves with the clock.
        return *super().state(), self._minute()

    def page(self, at):
        since = self._minute() - NEWS_DAYS + datetime.timedelta(minutes=1)
        first = Edition.objects.issued_by(at).filter(number=1, issued__gte=since)
        entries = Edition.objects.current(at).filter(event__in=first.values("event")).with_times()
        newest = entries.order_by("-published", "event__uid")[:MOST_NEWS]
        language = settings.LANGUAGE_CODE.lower()
        language = language if language in REGIONAL else language.partition("-")[0]
        return _page(
            "urlset",
            "/news-sitemap.xml",
            [_news_row(edition) for edition in newest],
            publication={"name": settings.NEWSDESK_TITLE, "language": language},
        )

    def _minute(self):
        return self.now.replace(second=0, microsecond=0)


def _page(root, path, rows, **more):
    return Page(root, {"url": addresses.absolute(path), "rows": list(rows), **more})


def _row(path, modified=None):
    return {"url": addresses.absolute(path), "modified": modified and rfc3339(modified)}


def _news_row(edition):
    text = documents.read(edition.document, edition.schema)
    row = _row(addresses.neutral_event(edition.date, edition.slug))
    return row | {"published": rfc3339(edition.published), "headline": text["headline"]}


def _lists(first, days):
    """The paths of the lists of a year, given its days with entries."""
    if not days:
        return []
    months = [month for month, _count in records.by_month(days)]
    return [
        addresses.year(first.year),
        *(addresses.month(month.year, month.month) for month in months),
        *(addresses.neutral_day(day) for day, _count in days),
    ]


def _changed(at):
    """When what is listed of each year last changed, by year: an entry may also have gone, or come from another one."""
    logged = LogEntry.objects.filter(edition__isnull=False).order_by()
    due = Edition.objects.due(at, Subquery(LogHead.objects.values("recorded")))
    changed = {}
    for date, moment in [
        # Not by year in SQL, for which SQLite calls Python for each entry of the log.
        *logged.values_list("edition__date").annotate(Max("recorded")),
        *due.values_list("date", "issued"),
        *_redated(at),
    ]:
        changed[date.year] = max(moment, changed.get(date.year, moment))
    return changed


def _redated(at):
    """(date, last change) of the entries that ever bore another date, for each of the two."""
    before = Edition.objects.filter(event=OuterRef("event"), number=OuterRef("number") - 1)
    followed = Edition.objects.issued_by(at).filter(number__gt=1).annotate(before=Subquery(before.values("date")))
    moved = followed.exclude(date=F("before")).with_log().values_list("before", "date", "issued", "recorded")
    for before, date, issued, recorded in moved:
        moment = max(issued, recorded or issued)
        yield from ((before, moment), (date, moment))


def _cut(rows, part):
    """The rows of a file; raises Absent if there are none."""
    found = list(rows[(part - 1) * PER_FILE : part * PER_FILE])
    if not found:
        raise Absent
    return found


def _parts(count):
    return range(1, -(-count // PER_FILE) + 1)


def _lasting_topics():
    """Those of several entries, as the log counts them: the page of another says no more than its one entry."""
    return Topic.objects.filter(alias_of=None, uses__gt=1)


def _pages():
    return "/sitemaps/pages.xml"


def _topics(part):
    return f"/sitemaps/topics-{part}.xml"


def _of_year(year, part):
    path = addresses.sitemap(year)
    return path if part == 1 else path.replace(".xml", f"-{part}.xml")


# Texts.


class Text(RecordView):
    """A text that depends on the settings alone."""

    renderer_classes = [TextRenderer]

    def state(self):
        return ()

    def page(self, at):
        return Page("text", {"url": addresses.absolute(self.request.path_info), "text": self.text(at)})


class Robots(Text):
    """Everything may be found but the desk, the past, whose pages are as many as there are seconds, and searches."""

    def text(self, at):
        hidden = "".join(f"Disallow: {path}\n" for path in ("/desk/", addresses.chosen_moment(), "/search/*?"))
        maps = "".join(f"Sitemap: {addresses.absolute(path)}\n" for path in ("/sitemap.xml", "/news-sitemap.xml"))
        return f"User-agent: *\n{hidden}\n{maps}"


class SecurityTxt(Text):
    """Where to report what is not safe (RFC 9116), if the operator says where."""

    def state(self):
        return settings.NEWSDESK_SECURITY_CONTACT, _next_but_one_quarter(self.now)

    def text(self, at):
        contact = settings.NEWSDESK_SECURITY_CONTACT
        if not contact:
            raise Absent
        is_mail = "@" in contact and not contact.startswith(("https://", "mailto:"))
        return (
            f"Contact: {'mailto:' if is_mail else ''}{contact}\n"
            f"Expires: {rfc3339(_next_but_one_quarter(at))}\n"
            f"Canonical: {addresses.absolute('/.well-known/security.txt')}\n"
        )


def _next_but_one_quarter(at):
    """When it begins: three to six months ahead, and the same for three months (RFC 9116, 2.5.5: within a year)."""
    quarter = at.year * 4 + (at.month - 1) // 3 + 2
    return datetime.datetime(quarter // 4, quarter % 4 * 3 + 1, 1, tzinfo=datetime.UTC)


class Llms(Text):
    """What a language model that reads the site has to know (llmstxt.org)."""

    renderer_classes = [MarkdownTextRenderer]

    def text(self, at):
        return LLMS.format(
            title=settings.NEWSDESK_TITLE,
            description=_line(settings.NEWSDESK_DESCRIPTION or "A newsroom's public record."),
            license=_line(settings.NEWSDESK_LICENSE or "not stated; ask the newsroom"),
            site=settings.NEWSDESK_URL,
        )


def _line(text):
    return " ".join(text.split())


LLMS = """\
# {title}

> {description} Every version of an entry stays at an address of its own, and every correction is told.

An entry is one event on one date, with numbered sources. Cite its address; where the wording matters, cite the version
that you read, which changes no more. An entry may have been corrected since, or withdrawn: then its addresses answer
410, and its text is no longer to be repeated. Licence of the texts: {license}.

Each page is there in four formats. Put `.md` or `.json` in the place of `.html` for one that is easier to read.

## Reading

- [The latest days]({site}/index.md): what happened last, day by day
- [All years]({site}/news/index.md): the way to every day, such as {site}/news/2017/02/25/index.md
- [Topics]({site}/topics/index.md): each with its entries, newest first
- [Search]({site}/search/index.md): words, phrases, `topic:`, `category:`, `after:` and `before:`
- [Corrections]({site}/corrections/index.md): what was wrong, what was withdrawn, newest first
- [How the newsroom corrects]({site}/corrections/policy.md): in its own words

## For programs

- [The API]({site}/api/): entries, versions, topics and sources, in JSON and XML
- [Its description]({site}/api/schema/): OpenAPI 3.1
- [The log]({site}/api/changes/): every public act in order; who follows it misses no correction
- [The latest as a feed]({site}/feeds/latest.atom): Atom; also `.rss` and `.json`
- [Sitemap]({site}/sitemap.xml): every current entry

## Optional

- [Schemas]({site}/schemas/event.json): what the JSON of each page holds
"""

SITEMAP, TEXT = {"format": "sitemap"}, {"format": "txt"}
PART = r"(?P<part>[1-9][0-9]{0,2})"
LATER_PART = r"(?P<part>[2-9]|[1-9][0-9]{1,2})"

urlpatterns = [
    re_path(r"^sitemap\.xml\Z", SitemapIndex.as_view(), SITEMAP, name="sitemap_index"),
    re_path(r"^sitemaps/pages\.xml\Z", Pages.as_view(), SITEMAP, name="sitemap_of_pages"),
    re_path(rf"^sitemaps/topics-{PART}\.xml\Z", Topics.as_view(), SITEMAP, name="sitemap_of_topics"),
    re_path(rf"^sitemaps/{addresses.YEAR}\.xml\Z", Year.as_view(), SITEMAP, name="sitemap"),
    re_path(rf"^sitemaps/{addresses.YEAR}-{LATER_PART}\.xml\Z", Year.as_view(), SITEMAP, name="later_sitemap"),
    re_path(r"^news-sitemap\.xml\Z", News.as_view(), SITEMAP, name="news_sitemap"),
    re_path(r"^robots\.txt\Z", Robots.as_view(), TEXT, name="robots"),
    re_path(r"^llms\.txt\Z", Llms.as_view(), TEXT, name="llms"),
    re_path(r"^\.well-known/security\.txt\Z", SecurityTxt.as_view(), TEXT, name="security_txt"),
]
