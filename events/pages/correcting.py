"""What the newsroom owned up to, newest first, and the page that says how it corrects."""

import datetime
import re
from itertools import groupby

from django.utils import timezone

from events import addresses
from events.formats import corrected
from events.http import Page, Problem, RecordView
from events.models import CorrectionsPolicy
from events.owning_up import Line, owned_up_rows
from events.pages import moments

PAGE = 50
_CURSOR = re.compile(rf"{addresses.MOMENT}(?:\.{addresses.UID}\.(?P<number>[1-9][0-9]{{0,5}}))?")
_BEFORE = (
    "Give “before” as a time with its zone, such as 2018-02-06T13:49:30Z, as a date, such as 2018-02-06, "
    "or as the link to an older page has it."
)


class Corrections(RecordView):
    parameters = frozenset({"before"})

    def page(self, at):
        before = _line(self.request.GET["before"]) if "before" in self.request.GET else None
        rows = owned_up_rows(at, PAGE + 1, before)
        shown = rows[:PAGE]
        older = _line_of(shown[-1]) if len(rows) > PAGE else ""
        shape = corrected.corrections(shown, before=str(before or ""), older=str(older))
        beside = {"days": _by_day(shape["corrections"])}
        return Page("corrections", shape, _links(shape), indexed=before is None, beside=lambda: beside)


class Policy(RecordView):
    def page(self, at):
        return Page("policy", corrected.policy(CorrectionsPolicy.objects.all()))


# Places in the list.


def _line(text):
    """The place that a cursor, a time or a date names."""
    cursor = _CURSOR.fullmatch(text)
    if not cursor:
        return Line(_moment(text))
    moment = addresses.parse_moment(cursor["moment"])
    if moment is None:
        raise Problem(400, _BEFORE)
    return Line(moment, cursor["uid"] or "", int(cursor["number"] or 0))


def _moment(text):
    try:
        return moments.since(text)
    except Problem:
        raise Problem(400, _BEFORE) from None


def _line_of(row):
    return Line(row.issued, str(row.event.uid), row.number)


def _links(shape):
    return [(relation, shape[key]) for relation, key in (("first", "newer"), ("next", "older")) if shape[key]]


def _by_day(corrections):
    """The lines with the day of each, where the site is."""
    return [(day, list(lines)) for day, lines in groupby(corrections, _day)]


def _day(line):
    return timezone.localdate(datetime.datetime.fromisoformat(line["issued"])).isoformat()
