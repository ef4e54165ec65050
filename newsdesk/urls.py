"""Where every address leads: the public pages, and what machines read."""

from django.urls import include, path

urlpatterns = [path("", include("events.pages.urls"))]

handler400 = "events.pages.views.bad_request"
handler404 = "events.pages.views.absent"
handler500 = "events.pages.views.server_error"
