"""Sources through the API: the hosts that entries cite, and the entries that cite one."""

import re
from typing import NamedTuple

from django.db.models import Count, Exists, OuterRef, Q, QuerySet
from django.urls import re_path

from events.formats import listed
from events.http import Absent, Page
from events.models import Edition, EditionHost
from events.wire import entries
from events.wire.entries import FORMAT, Line, Listing, part

HOST = r"(?P<host>[^/\x00-\x20\x7f]+)"
_PLACE = re.compile(rf"[\x00\x01]{HOST}", re.DOTALL)


class Place(NamedTuple):
    """A place in the order of hosts, which is that of their names."""

    host: str
    included: bool = False

    def __str__(self):
        return entries.sealed("h", bytes([self.included]) + self.host.encode())

    @classmethod
    def parse(cls, text):
        """The place that `str` wrote; ValueError for anything else."""
        place = _PLACE.fullmatch(entries.unsealed("h", text).decode(errors="replace"))
        if not place:
            raise ValueError(entries.GARBLED)
        return cls(place["host"], place[0][0] == "\x01")


class Hosts(NamedTuple):
    """Hosts with the number of `editions` that cite each. Walked along the index, a page counts its own hosts alone."""

    editions: QuerySet

    def after(self, place):
        return self._beyond(place, "gt").order_by("host")

    def before(self, place):
        return self._beyond(place, "lt").order_by("-host")

    def place(self, row):
        return Place(row["host"])

    def _beyond(self, place, side):
        cited = EditionHost.objects.filter(Exists(self.editions.filter(pk=OuterRef("edition"))))
        if place:
            cited = cited.filter(**{f"host__{side}{'e' if place.included else ''}": place.host})
        return cited.values("host").annotate(count=Count("edition"))


class Sources(Listing):
    """The hosts that current entries cite, in the order of their names, with the number of these entries."""

    query = entries.cursors(Place.parse, "source-cursor")
    apart = [("after", "before")]

    def page(self, at):
        self.refuse_contradictions()
        rows, next, previous = part(Hosts(Edition.objects.current(at)), self.asked)
        counts = [(row["host"], row["count"]) for row in rows]
        shape = listed.sources(counts, self.given, next=next, previous=previous)
        return Page("source_list", shape, entries.links(shape), indexed=False)


class Source(Listing):
    """The current entries that cite a host, newest date first, with the number of all of them.

    Capitals and "www." make no difference, as in the index.
    """

    query = entries.ENTRY_CURSORS
    apart = [("after", "before")]

    def page(self, at, host):
        self.refuse_contradictions()
        host = host.lower().removeprefix("www.")
        line = Line(Edition.objects.current(at), Q(hosts__host=host), "hosts__date")
        count = line.entries.filter(line.condition).count()
        if not count:
            raise Absent
        rows, next, previous = part(line, self.asked)
        shape = listed.source(host, count, rows, self.given, next=next, previous=previous)
        return Page("source", shape, entries.links(shape), indexed=False)


urlpatterns = [
    re_path(r"^api/sources/\Z", Sources.as_view(), name="api_sources"),
    re_path(rf"^api/sources/index\.{FORMAT}\Z", Sources.as_view(), name="api_sources_in_format"),
    re_path(rf"^api/sources/{HOST}\Z", Source.as_view(), name="api_source"),
    re_path(rf"^api/sources/{HOST}/index\.{FORMAT}\Z", Source.as_view(), name="api_source_in_format"),
]
