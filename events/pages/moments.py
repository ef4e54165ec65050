"""The times that readers and programs give in an address, as moments. What cannot be read is refused by name."""

import datetime
import re

from django.conf import settings
from django.utils import timezone

from events.http import Problem

_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_TIME = re.compile(
    rf"{_DATE.pattern}[Tt ][0-9]{{2}}:[0-9]{{2}}(?::[0-9]{{2}}(?:\.[0-9]+)?)?(?P<zone>[Zz]|[+-][0-9]{{2}}:[0-9]{{2}})?"
)
# At the ends of the calendar there are moments that some time zones cannot tell.
_YEARS = range(1000, 9999)


def as_of(text: str, now: datetime.datetime) -> datetime.datetime:
    """The moment of the past that a reader means by `at`: a time, in the site's time zone if it names none.

    A date is the end of it, and today is now. Of a local time that a change of the clocks leaves out or repeats, the
    offset before the change counts.
    """
    moment = _read(text, datetime.time(23, 59, 59), with_zone=False)
    if moment and text == timezone.localdate(now).isoformat():
        moment = now.replace(microsecond=0)
    if moment is None or moment > now:
        raise Problem(
            400,
            f"Give “at” as a time in the past, such as 2018-02-06T13:49 ({settings.TIME_ZONE}) or "
            "2018-02-06T13:49:30Z, or as a date, such as 2018-02-06.",
        )
    return moment


def since(text: str) -> datetime.datetime:
    """The moment after which something is news: a time with its zone, or the start of a date in the site's."""
    moment = _read(text, datetime.time(), with_zone=True)
    if moment is None:
        raise Problem(
            400, "Give “since” as a time with its zone, such as 2018-02-06T13:49:30Z, or as a date, such as 2018-02-06."
        )
    return moment


def _read(text, time_of_date, *, with_zone):
    """The moment in whole seconds; None if the text names none, or no zone where one has to be named."""
    time = _TIME.fullmatch(text)
    if not _DATE.fullmatch(text) and (not time or (with_zone and not time["zone"])):
        return None
    try:
        moment = datetime.datetime.fromisoformat(text.upper()).replace(microsecond=0)
        if not time:
            moment = moment.replace(hour=time_of_date.hour, minute=time_of_date.minute, second=time_of_date.second)
        moment = moment if moment.tzinfo else timezone.make_aware(moment)
        return moment if moment.astimezone(datetime.UTC).year in _YEARS else None
    except (ValueError, OverflowError):
        return None
