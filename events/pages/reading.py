"""What the templates need to show a shape: its dates and times in words, its texts as HTML, its counts as drawings.

Knows nothing of the record: what a filter is given is a part of a shape.
"""

import calendar
import datetime
import math
from urllib.parse import urlsplit

from django import template
from django.utils import timezone
from django.utils.dateformat import format
from django.utils.html import format_html
from django.utils.safestring import mark_safe

from events import addresses, markup
from events.formats import shapes

register = template.Library()

# The darkest field of a calendar, and how many entries it has at least: one is not many because the others have none.
HOTTEST = 5
HOT_FROM = 10


# Addresses


@register.filter
def path(url):
    """The path of one of our URLs: a page leads on where it is read, be that a copy of the site."""
    return addresses.relative(url)


@register.filter
def day_path(date):
    return addresses.neutral_day(datetime.date.fromisoformat(date))


@register.filter
def month_path(date):
    return addresses.month(int(date[:4]), int(date[5:7]))


@register.filter
def year_path(date):
    return addresses.year(int(date[:4]))


@register.filter
def topic_path(slug):
    return addresses.topic(slug)


@register.filter
def category_path(slug):
    return addresses.category(slug)


@register.filter
def host(url):
    return (urlsplit(url).hostname or "").removeprefix("www.")


# Dates and times in words


@register.filter
def day_in_words(date):
    return format(datetime.date.fromisoformat(date), "j F Y")


@register.filter
def weekday(date):
    return format(datetime.date.fromisoformat(date), "l")


@register.filter
def month_in_words(month):
    return format(datetime.date.fromisoformat(f"{month}-01"), "F Y")


@register.filter
def month_name(month):
    return format(datetime.date.fromisoformat(f"{month}-01"), "F")


@register.filter
def name_of_month(number):
    return calendar.month_name[number]


@register.simple_tag
def weekdays():
    """The names of the days of the week, from Monday."""
    return list(calendar.day_name)


@register.filter
def moment_in_words(moment):
    """A time in the site's own time zone, which is named: "6 February 2018, 14:49 CET"."""
    local = _local(moment)
    return f"{format(local, 'j F Y, H:i')} {_zone(local)}"


@register.filter
def moment_day(moment):
    """The day of a time, in the site's own time zone."""
    return format(_local(moment), "j F Y")


@register.filter
def moment_typed(moment):
    """A time as a field of type datetime-local has it."""
    return f"{_local(moment):%Y-%m-%dT%H:%M:%S}"


@register.filter
def kind_in_words(kind):
    return shapes.LABELS[kind]


def _local(moment):
    return timezone.localtime(datetime.datetime.fromisoformat(moment))


def _zone(local):
    """The abbreviation of the zone at that time. Where none is in use, the database of zones has a bare "-03"."""
    name = local.tzname()
    return f"UTC{name.replace('-', '−')}" if name[0] in "+-" else name


# Texts and lists


@register.filter
def lang(language):
    """The attribute of a text in this language, where it is another than that of the pages, which all speak English."""
    return format_html(' lang="{}"', language) if language and language != "en" else ""


@register.filter
def as_html(text):
    return mark_safe(markup.to_html(text))


@register.filter
def without_end(text):
    """A text without the white space that it ends with, which would be struck through with it."""
    return text.rstrip()


@register.filter
def end(text):
    """The white space that a text ends with."""
    return text[len(text.rstrip()) :]


@register.filter
def dated(entries, date):
    """The entries of one day."""
    return [entry for entry in entries if entry["date"] == date]


@register.filter
def beside_story(entry):
    """The topics of an entry without its story, which stands above it."""
    story = entry["story"]
    return [topic for topic in entry["topics"] if not story or topic["slug"] != story["slug"]]


@register.filter
def is_numbered(event):
    """Whether this is the page of a version for good."""
    return event["url"].endswith(f".v{event['version']}.html")


@register.filter
def is_address(text):
    """Whether a licence is told by its address."""
    return text.startswith(("https://", "http://"))


# Counts, in figures and as drawings


@register.filter
def in_figures(number):
    return f"{number:,}"


@register.filter
def weeks(month):
    """The weeks of a month from Monday to Sunday: for each day its date, what is listed for it, and how dark it is.

    A field outside the month is None.
    """
    listed = {day["date"]: day for day in month["days"]}
    most = _most(month["days"])
    year, number = map(int, month["month"].split("-"))
    return [
        [_field(f"{month['month']}-{day:02}", listed, most) if day else None for day in week]
        for week in calendar.Calendar().monthdayscalendar(year, number)
    ]


@register.filter
def months_of_year(months):
    """The twelve fields of a year's row, of which `months` are those that have entries; the others are None."""
    listed = {int(month["month"][-2:]): month for month in months}
    return [listed.get(number) for number in range(1, 13)]


@register.filter
def heat(count, most):
    """The class of a field with so many entries, by its share of the fullest."""
    return f"heat-{math.ceil(HOTTEST * count / max(most, HOT_FROM))}"


@register.filter
def most(counted):
    """The highest count in a list."""
    return _most(counted)


@register.filter
def fullest_month(years):
    """The highest count of a month in several years."""
    return max((_most(year["months"]) for year in years), default=0)


@register.filter
def share(count, most):
    """The length of a bar, of 100."""
    return round(100 * count / most, 1) if most else 0


def _most(counted):
    return max((thing["count"] for thing in counted), default=0)


def _field(date, listed, most):
    day = listed.get(date)
    return {"date": date, "number": int(date[-2:]), "day": day, "heat": heat(day["count"] if day else 0, most)}
