"""The list of entries, and the addresses of everything that is done to one."""

from django.contrib import admin


class EventAdmin(admin.ModelAdmin):
    """The list is Django's; writing, deciding and history are views of their own, since Django's are not ours to bend:
    they save within one transaction what `drafts` and `publishing` save under locks of theirs."""

    list_display = ["headline", "date", "stage"]
