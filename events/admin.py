"""Hands the desk to Django."""

from django.contrib import admin

from events.desk.entries import EventAdmin
from events.models import Event

admin.site.register(Event, EventAdmin)
