"""Where every address leads: the desk, and the public pages with what machines read."""

from django.contrib import admin
from django.urls import include, path

from events.desk import previewing

urlpatterns = [
    # Below the desk, but for someone who has no account there.
    path("desk/preview/<str:token>/", previewing.shared, name="preview"),
    path("desk/", admin.site.urls),
    path("", include("events.wire.urls")),
    path("", include("events.pages.urls")),
]

handler400 = "events.pages.views.bad_request"
handler403 = "events.desk.access.forbidden"
handler404 = "events.pages.views.absent"
handler500 = "events.pages.views.server_error"
