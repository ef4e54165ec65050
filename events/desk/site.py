"""The desk's site: its front page, its name, and who gets in."""

from django.conf import settings
from django.contrib import admin


class DeskSite(admin.AdminSite):
    site_header = site_title = settings.NEWSDESK_TITLE
    index_title = "Desk"
    site_url = "/"
