"""What changed between two versions of an event, and the way there from the form that chooses them."""

import re

from django.http import HttpResponsePermanentRedirect, HttpResponseRedirect

from events import addresses, diffs, documents, records
from events.formats import compared
from events.http import Absent, Page, Problem, RecordView
from events.models import Edition, Topic

_NUMBER = re.compile(r"[1-9][0-9]{0,5}")


class Comparison(RecordView):
    """Two versions, the older one first, under the address of the newer one."""

    def page(self, at, year, month, day, slug, old, new):
        date = addresses.parse_date(year, month, day)
        old, new, format = int(old), int(new), self.kwargs["format"]
        if date is None:
            raise Absent
        if old >= new:
            # By the letters alone, whether anything is there or not.
            return HttpResponsePermanentRedirect(_in_order(date, slug, old, new, format))
        history = records.history_at(at, date, slug, new)
        older, newer = _chosen(history, old), _chosen(history, new)
        if older.redacted or newer.redacted:
            return Page("problem", compared.redacted(history), status=410)
        if not records.bears(newer, date, slug):
            return HttpResponseRedirect(addresses.comparison(newer.date, newer.slug, old, new, format))
        differences = _differences(older, newer)
        shape = compared.comparison(older, newer, history, differences, redactions=records.redactions(history))
        around = _around(older, newer, history)
        links = [("latest-version", shape["latest"]), *((relation, url) for relation, url in around.items() if url)]
        return Page("comparison", shape, links, indexed=False, beside=lambda: {"differences": differences, **around})


class Chosen(RecordView):
    """Where the form sends: on to the address of the comparison, whichever of the two was named first."""

    parameters = frozenset({"from", "to"})

    def page(self, at, uid):
        numbers = {name: self._number(name) for name in ("from", "to")}
        records.current_of(at, uid)
        with_text = Edition.objects.issued_by(at).filter(event__uid=uid, document__isnull=False)
        editions = {edition.number: edition for edition in with_text.only("number", "date", "slug")}
        for name, number in numbers.items():
            if number not in editions:
                raise Problem(400, f"“{name}” must be the number of a version that has a text: {_listed(editions)}.")
        newer = editions[max(numbers.values())]
        place = newer.date, newer.slug, *sorted(numbers.values())
        return HttpResponseRedirect(_in_order(*place, "html"))

    def _number(self, name):
        number = self.request.GET.get(name, "")
        if not _NUMBER.fullmatch(number):
            raise Problem(400, f"“{name}” must be the number of a version, such as 1.")
        return int(number)


def _in_order(date, slug, old, new, format):
    if old == new:
        return addresses.edition(date, slug, new, format)
    return addresses.comparison(date, slug, min(old, new), max(old, new), format)


def _chosen(history, number):
    """The version of this number; one that is not public and a withdrawal, which never had a text, are alike absent."""
    edition = next((edition for edition in history if edition.number == number), None)
    if edition is None or edition.kind == Edition.Kind.WITHDRAW:
        raise Absent
    return edition


def _differences(older, newer):
    """Field by field, topics compared as they stand today."""
    before, after = (documents.read(edition.document, edition.schema) for edition in (older, newer))
    return diffs.compare(before, after, Topic.objects.resolution([before, after]))


def _around(older, newer, history):
    """The URLs of the changes just before these and just after, where there are texts to compare."""
    texts = [edition for edition in history if edition.document is not None]
    first, last = texts.index(older), texts.index(newer)
    before, after = texts[max(first - 1, 0) : first + 1], texts[last : last + 2]
    return {"prev": _between(before), "next": _between(after)}


def _between(pair):
    if len(pair) < 2:
        return None
    older, newer = pair
    return addresses.absolute(addresses.comparison(newer.date, newer.slug, older.number, newer.number))


def _listed(numbers):
    return ", ".join(map(str, sorted(numbers)))
