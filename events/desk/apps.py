"""Django's admin with the desk as its site, and nothing on it but what `events.admin` puts there."""

from importlib import import_module

from django.contrib.admin.apps import SimpleAdminConfig


class Desk(SimpleAdminConfig):
    default_site = "events.desk.site.DeskSite"

    def ready(self):
        super().ready()
        # Not every app's admin: taggit's merges topics without asking for a permission.
        import_module("events.admin")
