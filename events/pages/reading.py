"""What the templates need to show a shape: its dates and times in words, its texts as HTML, its lists by day."""

import calendar
import datetime
from urllib.parse import urlsplit

from django import template
from django.utils.dateformat import format
from django.utils.safestring import mark_safe

from events import addresses, markup
from events.formats import shapes

register = template.Library()


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
def moment_in_words(moment):
    return format(datetime.datetime.fromisoformat(moment), "j F Y, H:i") + " UTC"


@register.filter
def kind_in_words(kind):
    return shapes.LABELS[kind]


@register.filter
def host(url):
    return (urlsplit(url).hostname or "").removeprefix("www.")


@register.filter
def as_html(text):
    return mark_safe(markup.to_html(text))


@register.filter
def dated(entries, date):
    """The entries of one day."""
    return [entry for entry in entries if entry["date"] == date]


@register.filter
def weeks(month):
    """The weeks of a month from Monday to Sunday: for each day its number and what is listed for it, or None."""
    listed = {int(day["date"][-2:]): day for day in month["days"]}
    year, number = map(int, month["month"].split("-"))
    return [
        [(day, listed.get(day)) if day else None for day in week]
        for week in calendar.Calendar().monthdayscalendar(year, number)
    ]


@register.filter
def is_numbered(event):
    """Whether this is the page of a version for good."""
    return event["url"].endswith(f".v{event['version']}.html")
