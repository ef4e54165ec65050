"""The past of an event and of a day, by standard (RFC 7089): what there is of it from when on, and the links to it.

A memento of an event is a version with a text. A memento of a day is its page below `/as-of/` at a moment at which it
changed. Neither withdrawals nor redacted versions are one, and nothing is of an event that is withdrawn now.
"""

import datetime
from collections import Counter
from collections.abc import Iterable
from itertools import accumulate
from typing import NamedTuple

from django.db.models import Exists
from django.utils.http import http_date

from events import addresses
from events.formats import as_link_format
from events.models import Edition, LogHead

# Of the moments at which a day was left without entries, so many are looked at, the last ones.
MOST_EMPTY = 100


class Memento(NamedTuple):
    moment: datetime.datetime
    path: str

    def link(self, *relations):
        relation = " ".join([*relations, "memento"])
        return relation, addresses.absolute(self.path), {"datetime": _http_date(self.moment)}


class Timeline(NamedTuple):
    """What is at the path `original`, which answers to Accept-Datetime too, with its mementos, oldest first."""

    original: str
    timemap: str
    mementos: list[Memento]

    def best(self, moment: datetime.datetime) -> Memento:
        """The last one up to this moment, and the first for a moment before it."""
        return next((memento for memento in reversed(self.mementos) if memento.moment <= moment), self.mementos[0])

    def about(self) -> list[tuple]:
        """What the Link header of any answer about the original says."""
        return _about(self.original, self.timemap)

    def links(self, shown: datetime.datetime | None = None) -> list[tuple]:
        """What the Link header says, with the neighbours of the memento `shown`. Of what has no memento, nothing."""
        if not self.mementos:
            return []
        return [*self.about(), *self._chosen(shown)]

    def listed(self) -> list[tuple]:
        """What the TimeMap says."""
        first, last = self.mementos[0], self.mementos[-1]
        own = {"type": as_link_format.MEDIA_TYPE, "from": _http_date(first.moment), "until": _http_date(last.moment)}
        ends = (("first", first), ("last", last))
        named = [(memento, [name for name, end in ends if end is memento]) for memento in self.mementos]
        original, (_, url, _) = self.about()
        return [original, ("self", url, own), *(memento.link(*names) for memento, names in named)]

    def _chosen(self, shown):
        """The first memento, the last, and those before and after the one shown: each once, with all that it is."""
        before = [memento for memento in self.mementos if shown and memento.moment < shown]
        after = [memento for memento in self.mementos if shown and memento.moment > shown]
        chosen = {"first": self.mementos[:1], "prev": before[-1:], "next": after[:1], "last": self.mementos[-1:]}
        relations = {}
        for relation, mementos in chosen.items():
            for memento in mementos:
                relations.setdefault(memento, []).append(relation)
        return [memento.link(*names) for memento, names in relations.items()]


def event_links(date: datetime.date, slug: str) -> list[tuple]:
    """What the Link header says of an event, whose current address this is, without a look at its versions."""
    return _about(addresses.neutral_event(date, slug), addresses.timemap(date, slug))


def of_event(editions: Iterable, format: str = "html") -> Timeline:
    """Of the public editions of an event, in order, of which the last one with a text is the current one."""
    texts = [edition for edition in editions if edition.slug]
    mementos = [
        Memento(edition.issued, addresses.edition(edition.date, edition.slug, edition.number, format))
        for edition in texts
    ]
    place = texts[-1].date, texts[-1].slug
    return Timeline(addresses.neutral_event(*place), addresses.timemap(*place), mementos)


def public_editions(event, at: datetime.datetime):
    """What `of_event` needs of the editions of the event with this primary key, without a text."""
    editions = Edition.objects.issued_by(at).filter(event=event, document__isnull=False)
    return editions.only("number", "issued", "date", "slug").order_by("number")


def of_day(at: datetime.datetime, date: datetime.date) -> Timeline:
    """Of the day's page, as far as it had changed by `at`. Takes one query, or two if the day was ever empty again."""
    changes = Counter()
    for issued, superseded in _intervals(at, date):
        changes[issued] += 1
        if superseded and superseded <= at:
            changes[superseded] -= 1
    moments = sorted(changes)
    counts = accumulate(changes[moment] for moment in moments)
    empty = [moment for moment, count in zip(moments, counts, strict=True) if not count]
    absent = set(empty) - _inside(empty[-MOST_EMPTY:], date)
    path = addresses.neutral_day(date)
    mementos = [Memento(moment, addresses.as_of(moment) + path) for moment in moments if moment not in absent]
    return Timeline(path, addresses.day_timemap(date), mementos)


def _intervals(at, date):
    """From when, and until when, each version and each notice of a withdrawal was on the day's page."""
    public = Edition.objects.issued_by(at).on(date).order_by().values_list("issued", "superseded")
    # Apart, since each has an index of its own.
    notices = public.filter(kind=Edition.Kind.WITHDRAW)
    return public.filter(document__isnull=False).union(notices, all=True)


def _inside(moments, date):
    """Those moments at which there were entries before the date and after it: a day without any was a page then."""
    if not moments:
        return set()
    found = LogHead.objects.values_list(*(_around(Edition.objects.current(moment), date) for moment in moments)).get()
    return {moment for moment, is_inside in zip(moments, found, strict=True) if is_inside}


def _around(entries, date):
    return Exists(entries.filter(Exists(entries.filter(date__gt=date)), date__lt=date))


def _about(original, timemap):
    return [
        ("original timegate", addresses.absolute(original)),
        ("timemap", addresses.absolute(timemap), {"type": as_link_format.MEDIA_TYPE}),
    ]


def _http_date(moment):
    return http_date(moment.timestamp())
