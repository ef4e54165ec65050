"""Who has each correction: how far partners have come in the log, beside what the newsroom owned up to."""

import datetime
from typing import NamedTuple

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.shortcuts import render
from django.urls import path
from django.utils import timezone

from events import keys, permissions
from events.desk import access
from events.formats import shapes
from events.models import Edition, Event, LogEntry, LogHead

NEWEST = 50
# So many are named; of more than that, only how many.
NAMED = 12
_REDACT = LogEntry.Kind.REDACT
_KINDS = [*Edition.OWNED_UP, _REDACT]
LABELS = {**shapes.LABELS, _REDACT: "Redacted"}


class ReceiptAdmin(admin.ModelAdmin):
    """A receipt is written by what a partner fetches; the desk only reads it."""

    def get_urls(self):
        return [path("", self.admin_site.admin_view(newest), name="events_receipt_changelist")]


class Line(NamedTuple):
    """An act, and who has it. `due` says when it gets public, if that is to come: then nobody can have it."""

    kind: str
    label: str
    event: Event
    number: int
    at: datetime.datetime
    due: datetime.datetime | None
    reach: keys.Reach

    @property
    def partners(self):
        return len(self.reach.have) + len(self.reach.lack)

    @property
    def named(self):
        return self.reach.lack[:NAMED]

    @property
    def unnamed(self):
        return len(self.reach.lack[NAMED:])


def newest(request):
    """The newest corrections, withdrawals, restorations and redactions, after those that are still to come."""
    if not request.user.has_perm(permissions.NEEDED["view"]):
        raise PermissionDenied("Only editors and chiefs see what every partner has.")
    lines = _lines(Edition.objects.all(), LogEntry.objects.all(), timezone.now(), NEWEST)
    partners = lines[0].partners if lines else 0
    context = access.context(request, "Has everyone got it?", lines=lines, partners=partners, most=NEWEST)
    return render(request, "desk/receipts.html", context)


def told_beside(editions: list[Edition], at: datetime.datetime) -> None:
    """Give each of these editions its `receipts`: the lines about itself and about its redaction."""
    own = [edition.pk for edition in editions]
    lines = _lines(Edition.objects.filter(pk__in=own), LogEntry.objects.filter(edition__in=own), at)
    for edition in editions:
        edition.receipts = [
            line for line in lines if (line.event.pk, line.number) == (edition.event_id, edition.number)
        ]


def _lines(editions, entries, at, most=None):
    end, recorded = LogHead.objects.values_list("seq", "recorded").get()
    # Every act logs what is due before its own entry, so what is not in the log was issued after the last one.
    coming = editions.filter(kind=Edition.Kind.CORRECTION, issued__gt=recorded).order_by("-issued", "-pk")
    logged = entries.filter(kind__in=_KINDS).order_by("-seq")
    coming, acts = coming.select_related("event")[:most], logged.select_related("event", "edition")[:most]
    # Nobody can have what comes behind the end.
    reach = keys.reached_each([end + 1, *(act.seq for act in acts)], at)
    pending = [_pending(edition, at, reach[end + 1]) for edition in coming]
    return [*pending, *(_line(act, reach[act.seq]) for act in acts)][:most]


def _pending(edition, at, reach):
    due = edition.issued if edition.issued > at else None
    return Line(edition.kind, LABELS[edition.kind], edition.event, edition.number, edition.issued, due, reach)


def _line(act, reach):
    return Line(act.kind, LABELS[act.kind], act.event, act.edition.number, act.occurred, None, reach)
