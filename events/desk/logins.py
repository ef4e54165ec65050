"""Coming and going: the login form with its code, the end of an idle session, and all of it noted in the audit."""

from axes.signals import user_locked_out
from django import forms
from django.conf import settings
from django.contrib import messages
from django.contrib.admin.forms import AdminAuthenticationForm, AdminPasswordChangeForm
from django.contrib.auth import logout
from django.contrib.auth.signals import user_logged_in, user_logged_out, user_login_failed
from django.core.exceptions import ValidationError
from django.dispatch import receiver
from django.http import JsonResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django_otp.forms import OTPAuthenticationFormMixin

from events.desk import access, audit, second_factor
from events.http import client_ip
from events.models import AuditEntry

LONGEST_NAME = AuditEntry._meta.get_field("name").max_length
USED = "used"  # in the session: when the desk was last used, in seconds
# Asked by scripts while nobody touches the page.
NOT_USE = {"events_event_presence"}

WRONG_CODE = "This code is not right, or was used before. Wait for the next one."


class LoginForm(OTPAuthenticationFormMixin, AdminAuthenticationForm):
    """Name and password, and the code of those who have a second factor."""

    otp_token = forms.CharField(
        required=False,
        max_length=40,
        label="Code, if you have a second factor",
        widget=forms.TextInput(
            attrs={"autocomplete": "one-time-code", "autocapitalize": "none", "spellcheck": "false"}
        ),
    )
    error_messages = {
        **AdminAuthenticationForm.error_messages,
        "invalid_login": "This name and this password do not open the desk. Mind upper and lower case.",
    }
    otp_error_messages = {
        **OTPAuthenticationFormMixin.otp_error_messages,
        "token_required": "Enter the code that your phone shows, or one of your recovery codes.",
        "device_required": WRONG_CODE,
        "invalid_token": WRONG_CODE,
        "n_failed_attempts": "Too many wrong codes. Wait a minute, then enter a new one.",
    }

    def clean_username(self):
        # Nobody is called so, and what counts and notes failed logins has no room for it.
        if len(self.cleaned_data["username"]) > LONGEST_NAME:
            raise self.get_invalid_login_error()
        return self.cleaned_data["username"]

    def confirm_login_allowed(self, user):
        try:
            super().confirm_login_allowed(user)
            if second_factor.is_on(user):
                self._require_code(user)
        except ValidationError as error:
            _refuse(self.request, user, error)
            raise

    def _require_code(self, user):
        code = second_factor.normal(self.cleaned_data.get("otp_token"))
        device = second_factor.device_for(user, code)
        self.cleaned_data |= {"otp_token": code, "otp_device": device and device.persistent_id}
        self.fields["username"].widget.attrs.pop("autofocus", None)
        self.fields["otp_token"].widget.attrs["autofocus"] = True
        self.clean_otp(user)


class OwnPasswordForm(AdminPasswordChangeForm):
    """A new password for oneself. The old one is asked for like a login, so that nobody guesses it at an open desk."""

    def __init__(self, *args, request, **kwargs):
        super().__init__(*args, **kwargs)
        self.request = request

    def clean_old_password(self):
        password = self.cleaned_data["old_password"]
        if second_factor.is_password(self.request, password):
            return password
        refused = AuditEntry.Outcome.REFUSED
        audit.note(self.request, "change password", outcome=refused, detail="The old password was not right.")
        raise ValidationError(self.error_messages["password_incorrect"], code="password_incorrect")


def is_idle(request) -> bool:
    """Whether this session was left alone for so long that its user has to log in again."""
    return _now() - request.session.get(USED, _now()) >= _idle_seconds()


def use(request) -> None:
    """Note that the desk is used, or end a session that was left alone."""
    if request.resolver_match.url_name in NOT_USE or not request.user.is_authenticated:
        return
    if is_idle(request):
        end(request)
    elif _now() - request.session.get(USED, 0) >= _noted_every():
        request.session[USED] = _now()


def end(request) -> None:
    """End a session that was left alone, and say so. What a script asks for ends none: nobody would read why."""
    if request.headers.get("Sec-Fetch-Dest", "document") == "document":
        logout(request)
        messages.info(request, _WHY_LOGGED_OUT.format(settings.NEWSDESK_IDLE_MINUTES))


@never_cache
def csrf_failure(request, reason=""):
    """A form that was opened before its reader logged in again leads back to its page, where it can be sent anew."""
    if access.is_scripted(request):
        return JsonResponse({"error": _WHY_NOT_DONE}, status=403)
    if settings.CSRF_COOKIE_NAME not in request.COOKIES:
        exception = "The desk needs cookies. Allow them for this site and try again."
        return render(request, "403.html", {"exception": exception}, status=403)
    if request.resolver_match.url_name == "logout":
        # Its address takes nothing but a form.
        return redirect("admin:index")
    if request.user.is_authenticated:
        messages.warning(request, _WHY_NOT_SAVED)
    return redirect(request.get_full_path())


_WHY_NOT_SAVED = (
    "Nothing was saved: you have logged in again since you opened this page. "
    "What you typed is kept in this browser. Send it once more."
)
_WHY_NOT_DONE = "You have logged in again since you opened this page. Load it anew."
_WHY_LOGGED_OUT = (
    "You left the desk alone for {} minutes, so you have to log in again. "
    "What you typed is kept in this browser and will be there."
)


def _idle_seconds():
    return settings.NEWSDESK_IDLE_MINUTES * 60


def _noted_every():
    """At most one write a minute, and often enough that a short idle time does not end what is in use."""
    return min(60, _idle_seconds() // 4)


def _now():
    return int(timezone.now().timestamp())


def _refuse(request, user, error):
    """A login that had the right password. A code that is merely missing is no guess, so it locks nobody out."""
    if error.code == "token_required":
        _note(request, "log in", name=user.get_username(), refused="No code of the second factor.")
        return
    reason = "The person is not of the desk." if error.code == "invalid_login" else "Wrong code of the second factor."
    credentials = {"username": user.get_username()}
    user_login_failed.send(sender=__name__, credentials=credentials, request=request, reason=reason)


# Django and axes tell of these by signals only.


@receiver(user_logged_in)
def _logged_in(sender, request, user, **kwargs):
    request.session[USED] = _now()
    has_code = getattr(user, "otp_device", None) is not None
    _note(request, "log in", user=user, detail="With a second factor." if has_code else "")


@receiver(user_logged_out)
def _logged_out(sender, request, user, **kwargs):
    if user is not None:
        _note(request, "log out", user=user, detail="Left alone for too long." if is_idle(request) else "")


@receiver(user_login_failed)
def _failed(sender, credentials, request, reason="Wrong name or password.", **kwargs):
    """Comes after the receiver of axes, whose count says whether this name was locked out before."""
    is_late = request.axes_locked_out and request.axes_failures_since_start != settings.AXES_FAILURE_LIMIT
    _note(request, "log in", name=credentials["username"], refused="Locked out." if is_late else reason)


@receiver(user_locked_out)
def _locked_out(sender, request, username, **kwargs):
    """Once; those who go on trying are noted as logins."""
    if request.axes_failures_since_start == settings.AXES_FAILURE_LIMIT:
        _note(request, "lock out", name=username, refused="Too many failed logins.")


def _note(request, verb, *, user=None, name="", detail="", refused=""):
    AuditEntry.objects.create(
        by=user,
        name=user.get_username() if user else name[:LONGEST_NAME],
        verb=verb,
        outcome=AuditEntry.Outcome.REFUSED if refused else AuditEntry.Outcome.DONE,
        detail=refused or detail,
        ip=client_ip(request),
    )
