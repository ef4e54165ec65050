"""Where every address leads: the public pages, and what machines read."""

from django.urls import include, path

urlpatterns = [path("", include("events.pages.urls"))]
