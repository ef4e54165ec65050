"""The newest corrections, withdrawals and restorations of the record, for a page and for feeds."""

import datetime
import re
from typing import NamedTuple
from uuid import UUID

from django.db.models import Q

from events.documents import rfc3339
from events.models import Edition

_TEXT = ("event", "number", "document", "schema")


class Line(NamedTuple):
    """A place in the list: that of a version, or of a moment, below which stands what was issued before it."""

    issued: datetime.datetime
    uid: str = ""
    number: int = 0

    def __str__(self):
        moment = re.sub("[-:]", "", rfc3339(self.issued))
        return f"{moment}.{self.uid}.{self.number}" if self.uid else moment


def owned_up_rows(at, limit, before=None):
    """The newest corrections, withdrawals and restorations, at most `limit`, for `corrected.change_row`.

    Each has `in_force` (it is a withdrawal, and the event still withdrawn at `at`), `place` (date and slug of its
    address for good, if it has one), `shown` (the edition whose headline names it, or None) and `before` (the number
    of the version that it is compared with, or None).
    """
    told = Edition.objects.owned_up(at)
    ordered = (_below(told, before) if before else told).order_by("-issued", "event__uid", "-number")
    rows = list(ordered.with_uid().with_log()[:limit])
    versions = _versions(at, rows)
    for row in rows:
        row.in_force = _is_in_force(row, at)
    texts = _texts_of_lifted(rows, versions)
    for row in rows:
        with_text = versions.get(row.event_id, {})
        row.place = None if row.in_force else _place(row, with_text)
        row.shown = row if row.document else texts.get((row.event_id, row.number - 1))
        row.before = _compared(row, with_text)
    return rows


def _is_in_force(row, at):
    return row.kind == Edition.Kind.WITHDRAW and (row.superseded is None or row.superseded > at)


def _versions(at, rows):
    """The versions that have a text, without it, by event and number."""
    public = Edition.objects.issued_by(at).filter(event__in={row.event_id for row in rows}, document__isnull=False)
    versions = {}
    for edition in public.order_by("number").only("event", "number", "date", "slug"):
        versions.setdefault(edition.event_id, {})[edition.number] = edition
    return versions


def _texts_of_lifted(rows, versions):
    """By event and number, the texts that were withdrawn and are public again, each the last before its withdrawal."""
    lifted = [row for row in rows if row.kind == Edition.Kind.WITHDRAW and not row.in_force]
    before = [versions.get(row.event_id, {}).get(row.number - 1) for row in lifted]
    texts = Edition.objects.filter(pk__in=[edition.pk for edition in before if edition])
    return {(edition.event_id, edition.number): edition for edition in texts.only(*_TEXT)}


def _place(row, with_text):
    """As the addresses of versions are made: what has no text stands below the latest that has."""
    bearer = with_text.get(row.number) or (with_text and with_text[max(with_text)])
    return (bearer.date, bearer.slug) if bearer else None


def _compared(row, with_text):
    if row.kind != Edition.Kind.CORRECTION or not row.document:
        return None
    return max((number for number in with_text if number < row.number), default=None)


def _below(rows, line):
    if not line.uid:
        return rows.filter(issued__lt=line.issued)
    uid = UUID(line.uid)
    after = Q(issued__lt=line.issued) | Q(event__uid__gt=uid) | Q(event__uid=uid, number__lt=line.number)
    return rows.filter(after, issued__lte=line.issued)
