"""What the desk's templates need to show: times in the site's zone, where an entry stands, and how long it takes."""

import datetime

from django import template
from django.conf import settings
from django.utils import timezone
from django.utils.dateformat import format
from django.utils.html import format_html

from events import documents
from events.models import Event

register = template.Library()


@register.filter
def moment(value: datetime.datetime | None):
    """A time in the site's zone, with the time in UTC to point at; nothing for None."""
    if value is None:
        return ""
    return format_html(
        '<time datetime="{}" title="{}">{}</time>',
        documents.rfc3339(value),
        in_utc(value),
        _in_words(value),
    )


@register.filter
def in_utc(value: datetime.datetime) -> str:
    return format(value.astimezone(datetime.UTC), "j M Y, H:i") + " UTC"


@register.filter
def in_both_zones(value: datetime.datetime) -> str:
    """A time as an editor plans it, in the site's zone by its name, and in UTC if that is another."""
    if settings.TIME_ZONE == "UTC":
        return in_utc(value)
    return f"{_in_words(value)} {settings.TIME_ZONE} ({in_utc(value)})"


@register.filter
def person(user) -> str:
    """How the desk names someone; the operator has no name."""
    return (user.get_full_name() or user.get_username()) if user else "–"


@register.filter
def countdown(value: datetime.datetime, now: datetime.datetime | None = None):
    """How long it still takes, as a <time> that static/desk/front.js keeps counting."""
    words = until(value, now)
    return format_html(
        '<time class="countdown" datetime="{}" data-countdown>{}</time>', documents.rfc3339(value), words
    )


@register.filter
def until(value: datetime.datetime, now: datetime.datetime | None = None) -> str:
    """How long it still takes, in words; begun minutes count, as static/desk/front.js has them."""
    seconds = int(-(((now or timezone.now()) - value).total_seconds() // 1))
    if seconds <= 0:
        return "now"
    if seconds < 60:
        return f"in {seconds} s"
    minutes = -(-seconds // 60)
    parts = [(minutes // 1440, "d"), (minutes // 60 % 24, "h"), (minutes % 60, "min")]
    return "in " + " ".join(f"{number} {unit}" for number, unit in parts if number)


@register.filter
def status(event: Event):
    """The badge that says where an entry stands: one of `waiting.with_last`, or with its last edition as `last`."""
    kind, words = standing(event)
    return format_html('<span class="badge badge-{}">{}</span>', kind, words)


def standing(event: Event, at: datetime.datetime | None = None) -> tuple[str, str]:
    """(class of the badge, words) of where an entry stands."""
    number, issued = _last(event)
    if event.withdrawn:
        return "withdrawn", "withdrawn"
    if number is None:
        return event.stage, event.get_stage_display().lower()
    changed = "" if event.stage == Event.Stage.READY else ", changed"
    if issued > (at or timezone.now()):
        return "scheduled", ("scheduled" if number == 1 else "live, next scheduled") + changed
    return "live", "live" + changed


def _in_words(value):
    return format(timezone.localtime(value, timezone.get_default_timezone()), "j M Y, H:i")


def _last(event):
    if hasattr(event, "last_number"):
        return event.last_number, event.last_issued
    return (event.last.number, event.last.issued) if event.last else (None, None)
