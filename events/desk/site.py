"""The desk's site: its front page, its name, and who gets in."""

from functools import partial, update_wrapper

from django.conf import settings
from django.contrib import admin
from django.contrib.auth.views import PasswordChangeView
from django.core.exceptions import PermissionDenied, SuspiciousOperation
from django.http import Http404, JsonResponse
from django.urls import path, reverse_lazy
from django.utils.decorators import method_decorator
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from events.desk import access, audit, front, logins, second_factor
from events.desk.topics import TopicAutocomplete
from events.models import Category, Event

_NUL = "\x00"
_HAS_NUL = "What was sent holds a character without a meaning (NUL). Go back, remove it and try again."
_GONE = "What this is about was deleted in the meantime."
_NOT_ASKED = "This address asks for something that the desk does not tell. Go back and ask in another way."


def _readable(view):
    """The view, for requests that hold no NUL: no text has one, and PostgreSQL takes none."""

    def checked(request, *args, **kwargs):
        if _NUL in (request.session.session_key or ""):
            # No session has such a key, so this browser has none.
            request.session = type(request.session)()
        if _has_nul(request):
            return access.unreadable(request, _HAS_NUL)
        return view(request, *args, **kwargs)

    return update_wrapper(checked, view)


def _has_nul(request):
    sent = [text for query in (request.GET, request.POST) for name, texts in query.lists() for text in (name, *texts)]
    return any(_NUL in text for text in (request.path_info, *sent))


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
        guarded = super().admin_view(update_wrapper(partial(_answer, view), view), cacheable)

        def used(request, *args, **kwargs):
            logins.use(request)
            return guarded(request, *args, **kwargs)

        return _readable(update_wrapper(used, guarded))

    def get_urls(self):
        alive = path("alive/", _readable(never_cache(require_safe(self.alive))), name="alive")
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

    @method_decorator(_readable)
    def login(self, request, extra_context=None):
        if request.user.is_authenticated and logins.is_idle(request):
            logins.end(request)
        return super().login(request, extra_context)

    def password_change(self, request, extra_context=None):
        page = PasswordChangeView.as_view(
            form_class=partial(logins.OwnPasswordForm, request=request),
            success_url=reverse_lazy("admin:password_change_done"),
            template_name=self.password_change_template,
            extra_context={**self.each_context(request), **(extra_context or {})},
        )
        response = page(request)
        if request.method == "POST" and response.status_code == 302:
            audit.note(request, "change password")
        return response


def _answer(view, request, *args, **kwargs):
    """The view's answer, or the desk's own to whoever asks for what is not there. What somebody may not do is noted."""
    try:
        answer = view(request, *args, **kwargs)
    except PermissionDenied as error:
        _note_refusal(request, str(error))
        raise
    except Http404 as error:
        return access.absent(request, str(error))
    except (Event.DoesNotExist, Category.DoesNotExist):
        return access.absent(request, _GONE)
    except SuspiciousOperation:
        return access.unreadable(request, _NOT_ASKED)
    if answer.status_code == 403:
        _note_refusal(request)
    return answer


def _note_refusal(request, reason=""):
    # A page that stays open asks on by itself.
    if request.resolver_match.url_name not in logins.NOT_USE:
        audit.note_refusal(request, reason)
