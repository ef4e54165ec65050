"""The list of entries, and the addresses of everything that is done to one."""

from django import forms
from django.contrib import admin
from django.contrib.admin.views.main import ChangeList
from django.core.paginator import Paginator
from django.urls import path
from django.utils import timezone

from events import permissions
from events.desk import bulk, deciding, histories, previewing, waiting, writing
from events.desk.filters import Filters
from events.models import Event

PAGE = 50
# What no index counts is found up to here, so that it costs the same however much there is.
MOST_FOUND = 2_000


class EntryList(ChangeList):
    """A page of the entries that fit. Their keys are chosen first, and only those of the page are read."""

    search_form_class = forms.Form  # `Filters` reads the search with the rest.
    has_more = False

    def get_queryset(self, request, exclude_parameters=None):
        self.filters = Filters(request.GET, user=request.user)
        return self.filters.narrow(self.root_queryset)

    def get_results(self, request):
        keys = self.queryset.values_list("pk", flat=True)
        if self.filters.is_found_in_one_go:
            keys = list(keys[: MOST_FOUND + 1])
            self.has_more = len(keys) > MOST_FOUND
            keys = keys[:MOST_FOUND]
        self.paginator = Paginator(keys, PAGE)
        self.page = self.paginator.get_page(request.GET.get("p"))
        self.result_count = self.paginator.count
        self.result_list = list(_rows(list(self.page.object_list)))
        self.show_full_result_count = self.can_show_all = self.show_admin_actions = False
        self.full_result_count, self.multi_page = None, self.paginator.num_pages > 1

    @property
    def by_date(self):
        return self._ordered_by("date")

    @property
    def by_modified(self):
        return self._ordered_by("modified")

    @property
    def date_sort(self):
        return self._sort("date")

    @property
    def modified_sort(self):
        return self._sort("modified")

    def _ordered_by(self, field):
        """Where the column's heading leads: the newest first, or the other way round."""
        return self.filters.query(o=field if self.filters.order == f"-{field}" else f"-{field}")

    def _sort(self, field):
        return {f"-{field}": "descending", field: "ascending"}.get(self.filters.order)

    @property
    def pages(self):
        """The pages to go to from here."""
        return self.paginator.get_elided_page_range(self.page.number, on_each_side=2, on_ends=1)


class EventAdmin(admin.ModelAdmin):
    """The list is Django's; writing, deciding and history are views of their own, since Django's are not ours to bend:
    they save within one transaction what `drafts` and `publishing` save under locks of theirs."""

    actions = None
    show_full_result_count = False

    def get_urls(self):
        changelist = self.admin_site.admin_view(self.changelist_view)
        return [
            path("", changelist, name="events_event_changelist"),
            *bulk.urls(),
            *writing.urls(),
            *deciding.urls(),
            *previewing.urls(),
            *histories.urls(),
        ]

    def get_queryset(self, request):
        return permissions.visible_to(request.user, Event.objects.all())

    def get_changelist(self, request, **kwargs):
        return EntryList

    def changelist_view(self, request, extra_context=None):
        context = {
            "title": "Entries",
            "at": timezone.now(),
            "verbs": bulk.offered(request.user),
            "may_write": self.has_add_permission(request),
        }
        return super().changelist_view(request, context | (extra_context or {}))

    def has_view_permission(self, request, obj=None):
        return permissions.may(request.user, "view", obj)

    def has_add_permission(self, request):
        return permissions.may(request.user, "write")

    def has_change_permission(self, request, obj=None):
        return permissions.may(request.user, "edit", obj)

    def has_delete_permission(self, request, obj=None):
        return permissions.may(request.user, "delete", obj)


def _rows(keys):
    """The entries of these keys in their order, with what the list shows of each."""
    shown = Event.objects.filter(pk__in=keys).select_related("category", "story", "author").defer("body", "origin")
    by_key = {event.pk: event for event in waiting.with_last(shown)}
    return (by_key[key] for key in keys if key in by_key)
