"""TimeMaps (RFC 7089): from when on an event or a day was there to be read in which form, as links."""

from django.http import HttpResponseRedirect
from django.urls import re_path
from rest_framework.renderers import BaseRenderer

from events import addresses, mementos, records
from events.formats import as_link_format
from events.http import Absent, Page, RecordView

# As we spell them. Other spellings of a date are redirected, by the pages.
DATE = rf"news/{addresses.YEAR}/(?P<month>0[1-9]|1[0-2])/(?P<day>[1-9]|[12][0-9]|3[01])"
TIMEMAP = {"format": "timemap"}


class LinkFormatRenderer(BaseRenderer):
    media_type = as_link_format.MEDIA_TYPE
    format = "timemap"

    def render(self, page, accepted_media_type=None, renderer_context=None):
        return as_link_format.render(page.shape["links"])


class TimeMap(RecordView):
    """A list of mementos. A child says whose: `timeline(at, date, ...)`."""

    renderer_classes = [LinkFormatRenderer]

    def page(self, at, year, month, day, **address):
        date = addresses.parse_date(year, month, day)
        if date is None:
            raise Absent
        timeline = self.timeline(at, date, **address)
        if not timeline.mementos:
            raise Absent
        if timeline.timemap != self.path(date, **address):
            return HttpResponseRedirect(timeline.timemap)
        url = addresses.absolute(timeline.timemap)
        return Page("timemap", {"url": url, "links": timeline.listed()}, indexed=False)


class EventTimeMap(TimeMap):
    """The versions of an event, at its current address; earlier ones lead there."""

    def timeline(self, at, date, slug):
        return mementos.of_event(records.history_at(at, date, slug))

    def path(self, date, slug):
        return addresses.timemap(date, slug)


class DayTimeMap(TimeMap):
    """The moments at which a day's page changed."""

    def timeline(self, at, date):
        return mementos.of_day(at, date)

    def path(self, date):
        return addresses.day_timemap(date)


urlpatterns = [
    re_path(rf"^{DATE}/index\.timemap\Z", DayTimeMap.as_view(), TIMEMAP, name="day_timemap"),
    re_path(rf"^{DATE}/{addresses.SLUG}\.timemap\Z", EventTimeMap.as_view(), TIMEMAP, name="timemap"),
]
