"""The audit as chiefs read it: who did what, narrowed, page by page, and as CSV that no spreadsheet executes.

Only reads, but for the note that somebody took an export along. `audit` writes.
"""

import csv
import datetime
import re
from urllib.parse import urlencode

from django import forms
from django.contrib import admin
from django.contrib.auth import get_user_model
from django.core.exceptions import PermissionDenied
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db.models import Q
from django.http import StreamingHttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils import timezone

from events import permissions
from events.desk import access, audit
from events.documents import rfc3339
from events.models import AuditEntry, Event

PAGE = 100
# How far back the choice of verbs looks, and how many people are offered: enough for any desk, and bounded.
RECENT = 1000
COLUMNS = ["time (UTC)", "person", "verb", "outcome", "subject", "detail", "address"]
_TEXTS = ["name", "verb", "outcome", "subject", "detail", "ip"]
_DAYS = [MinValueValidator(datetime.date(1970, 1, 1)), MaxValueValidator(datetime.date(2999, 12, 31))]
_SHOWN = ["at", *_TEXTS, "event__headline"]
# A formula begins a cell, even behind what does not show; it may begin one after a separator that is not ours, too.
# Whether or not a sign follows, white space is passed over once only.
_CELL_START = re.compile("(^|[\n\r\t;|])([\\s\ufeff\u200b]*)([=+\\-@\uff1d\uff0b\uff0d\uff20])?")
_CONTROL_START = re.compile(" *[\t\r]")


class Filters(forms.Form):
    """What the audit can be narrowed to; every field may be left empty."""

    person = forms.CharField(max_length=150, required=False, widget=forms.TextInput(attrs={"list": "people"}))
    verb = forms.ChoiceField(required=False)
    outcome = forms.ChoiceField(required=False, choices=[("", "Any"), *AuditEntry.Outcome.choices])
    entry = forms.UUIDField(label="Entry (its uid)", required=False)
    q = forms.CharField(label="Search in details", max_length=100, required=False)
    before = forms.IntegerField(min_value=1, max_value=2**63 - 1, required=False, widget=forms.HiddenInput)

    def __init__(self, asked):
        super().__init__(asked, label_suffix="")
        # Named by no attribute, since `from` is a word of the language.
        for name, label in (("from", "From"), ("to", "To")):
            day = forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"})
            self.fields[name] = forms.DateField(label=label, required=False, widget=day, validators=_DAYS)
        self.order_fields(["person", "verb", "outcome", "from", "to", "q", "entry"])
        verbs = sorted({*permissions.NEEDED, *_recent_verbs(), asked.get("verb", "")} - {""})
        self.fields["verb"].choices = [("", "Any"), *((verb, verb) for verb in verbs)]

    def narrow(self, entries):
        """The entries that fit; none if something asked for makes no sense."""
        if not self.is_valid():
            return entries.none()
        for name, value in self.cleaned_data.items():
            if value:
                entries = entries.filter(_MEANING[name](value))
        return entries

    @property
    def query(self):
        """What is asked for as the query of an address, from the first page on."""
        asked = {name: self.data.get(name) for name in self.fields if name != "before"}
        return urlencode({name: value for name, value in asked.items() if value})


class AuditEntryAdmin(admin.ModelAdmin):
    """To read only: there is no address at which an entry could be added, changed or deleted."""

    def get_urls(self):
        view = self.admin_site.admin_view
        return [
            path("", view(listing), name="events_auditentry_changelist"),
            path("export/", view(export), name="events_auditentry_export"),
            path("<path:rest>", view(refuse)),
        ]


def listing(request):
    """The audit, the latest first. Pages follow each other by the last number seen, so no page costs a count."""
    _require_reader(request)
    filters = Filters(request.GET)
    entries = filters.narrow(AuditEntry.objects.select_related("event")).order_by("-pk")
    rows = list(entries.only(*_SHOWN)[: PAGE + 1])
    context = access.context(
        request,
        "Audit",
        filters=filters,
        rows=rows[:PAGE],
        older=_address(filters, before=rows[PAGE - 1].pk) if len(rows) > PAGE else "",
        newest=_address(filters) if filters.data.get("before") else "",
        export=reverse("admin:events_auditentry_export") + f"?{filters.query}",
        people=get_user_model().objects.order_by("username").values_list("username", flat=True)[:RECENT],
    )
    return TemplateResponse(request, "desk/audit/list.html", context, status=200 if filters.is_valid() else 400)


def export(request):
    """What fits as CSV, all of it. To ask for the file is noted, so only a form can."""
    _require_reader(request)
    filters = Filters(request.GET)
    if request.method != "POST" or not filters.is_valid():
        return redirect(_address(filters))
    # The rows are settled first: the note of this export is not among them.
    newest = AuditEntry.objects.order_by("-pk").values_list("pk", flat=True).first() or 0
    entries = filters.narrow(AuditEntry.objects.filter(pk__lte=newest)).order_by("-pk")
    audit.note(request, "export audit", detail=filters.query)
    name = f"audit-{timezone.localdate()}.csv"
    return StreamingHttpResponse(
        _lines(entries),
        content_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


def refuse(request, rest):
    raise PermissionDenied("The audit is only read. Nothing in it is added, changed or deleted.")


def inert(text: str) -> str:
    """A cell's text of which no spreadsheet makes a formula: an apostrophe stands before what would begin one."""
    safe = _CELL_START.sub(_with_apostrophe, text)
    return f"'{safe}" if _CONTROL_START.match(safe) else safe


def _with_apostrophe(start):
    separator, space, sign = start.groups()
    return f"{separator}'{space}{sign}" if sign else start[0]


class _Echo:
    def write(self, line):
        return line


def _lines(entries):
    """The file line by line, however many there are; the mark at its start tells spreadsheets that it is UTF-8."""
    writer = csv.writer(_Echo(), quoting=csv.QUOTE_ALL)
    yield "\ufeff" + writer.writerow(COLUMNS)
    for at, *texts in entries.values_list("at", *_TEXTS).iterator():
        yield writer.writerow([rfc3339(at), *(inert(text or "") for text in texts)])


def _require_reader(request):
    if not request.user.has_perm("events.view_auditentry"):
        raise PermissionDenied("Only chiefs read the audit.")


def _recent_verbs():
    return AuditEntry.objects.order_by("-pk").values_list("verb", flat=True)[:RECENT]


def _address(filters, **more):
    query = "&".join(filter(None, [filters.query, urlencode(more)]))
    return reverse("admin:events_auditentry_changelist") + (f"?{query}" if query else "")


def _midnight(day):
    return timezone.make_aware(datetime.datetime.combine(day, datetime.time.min), timezone.get_default_timezone())


# What each filter means.
_MEANING = {
    "person": lambda name: Q(name__iexact=name),
    "verb": lambda verb: Q(verb=verb),
    "outcome": lambda outcome: Q(outcome=outcome),
    # By the uid too, which stays when the entry is deleted.
    "entry": lambda uid: Q(subject=str(uid)) | Q(event__in=Event.objects.filter(uid=uid).values("pk")),
    "from": lambda day: Q(at__gte=_midnight(day)),
    "to": lambda day: Q(at__lt=_midnight(day + datetime.timedelta(days=1))),
    "q": lambda text: Q(detail__icontains=text) | Q(subject__icontains=text),
    "before": lambda number: Q(pk__lt=number),
}
