"""The way into the past: where the form that stands on every page leads."""

from urllib.parse import unquote

from django.http import HttpResponseRedirect
from django.urls import resolve

from events import addresses, records
from events.http import Absent, Problem, RecordView, Withdrawn
from events.pages import moments

ENTRIES = ("pages:event", "pages:neutral_event")


class Chosen(RecordView):
    """From the page that a reader is on to what it was at the moment they chose."""

    parameters = frozenset({"at", "page"})

    def page(self, at):
        path = self.request.GET.get("page", "")
        # Never further than the pages of this site that have a past, whatever was written into the form.
        path = path if addresses.has_past(path) else "/"
        try:
            moment = moments.as_of(self.request.GET.get("at", ""), at)
        except Problem as problem:
            problem.page = problem.page._replace(path=path)
            raise
        return HttpResponseRedirect(addresses.as_of(moment) + _then(path, moment, at))


def _then(path, moment, now):
    """Where the public found at `moment` what is at `path` now: an entry may have had another address."""
    match = resolve(unquote(path.partition("?")[0]))
    if match.view_name not in ENTRIES:
        return path
    year, month, day, slug = (match.kwargs[name] for name in ("year", "month", "day", "slug"))
    date = addresses.parse_date(year, month, day)
    try:
        history = records.history_at(now, date, slug) if date else []
    except (Absent, Withdrawn):
        return path
    texts = [edition for edition in history if edition.issued <= moment and edition.document]
    if not texts:
        return path
    place = texts[-1].date, texts[-1].slug
    return (
        addresses.event(*place, match.kwargs["format"]) if "format" in match.kwargs else addresses.neutral_event(*place)
    )
