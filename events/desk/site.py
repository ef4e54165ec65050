"""The desk's site: its front page, its name, and who gets in."""

from functools import update_wrapper

from django.conf import settings
from django.contrib import admin
from django.http import Http404, JsonResponse
from django.urls import path
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from events.desk import audit, front, logins, second_factor
from events.desk.topics import TopicAutocomplete


class DeskSite(admin.AdminSite):
    site_header = site_title = settings.NEWSDESK_TITLE
    index_title = "Desk"
    site_url = "/"
    login_form = logins.LoginForm
    password_change_template = "desk/people/own_password.html"
    password_change_done_template = "desk/people/own_password_done.html"
    logout_template = "desk/people/logged_out.html"

    def has_permission(self, request):
        if not super().has_permission(request) or logins.is_idle(request):
            return False
        return second_factor.is_satisfied(request)

    def admin_view(self, view, cacheable=False):
        guarded = super().admin_view(view, cacheable)

        def used(request, *args, **kwargs):
            logins.use(request)
            return guarded(request, *args, **kwargs)

        return update_wrapper(used, guarded)

    def get_urls(self):
        alive = path("alive/", never_cache(require_safe(self.alive)), name="alive")
        # Not Django's address that leads from any row of any table to its page.
        stock = [pattern for pattern in super().get_urls() if getattr(pattern, "name", None) != "view_on_site"]
        return [alive, *second_factor.urls(self), *stock]

    def app_index(self, request, app_label, extra_context=None):
        raise Http404("The desk has one front page.")

    def index(self, request, extra_context=None):
        return front.index(request, extra_context)

    def alive(self, request):
        """Scripts ask before they send what was typed. No use of the desk, so nobody stays logged in by it."""
        return JsonResponse({"alive": self.has_permission(request)})

    def autocomplete_view(self, request):
        return TopicAutocomplete.as_view(admin_site=self)(request)

    def login(self, request, extra_context=None):
        if request.user.is_authenticated and logins.is_idle(request):
            logins.end(request)
        return super().login(request, extra_context)

    def password_change(self, request, extra_context=None):
        response = super().password_change(request, extra_context)
        if request.method == "POST" and response.status_code == 302:
            audit.note(request, "change password")
        return response
