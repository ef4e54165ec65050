"""A person's own second factor: a code from their phone beside the password, and recovery codes for when it is lost."""

import base64
import re

import django_otp
import segno
from django.contrib import messages
from django.contrib.auth import authenticate, get_user_model
from django.db import transaction
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import path
from django.utils.safestring import mark_safe
from django.views.decorators.debug import sensitive_post_parameters
from django_otp.plugins.otp_static.models import StaticDevice, StaticToken
from django_otp.plugins.otp_totp.models import TOTPDevice

from events.desk import access, audit
from events.refusals import Refused

RECOVERY_CODES = 10


def is_on(user) -> bool:
    return TOTPDevice.objects.filter(user=user, confirmed=True).exists()


def is_satisfied(request) -> bool:
    """Whether this session has given the code that its user has to give, if any."""
    # Asked by every page more than once, so the answer is kept with the request.
    if not hasattr(request, "second_factor_is_satisfied"):
        request.second_factor_is_satisfied = request.user.is_verified() or not is_on(request.user)
    return request.second_factor_is_satisfied


def normal(code: str | None) -> str:
    """A code as it is stored; people type spaces, hyphens and capitals into it."""
    return re.sub(r"[\s-]", "", code or "").lower()


def device_for(user, code: str):
    """What such a code of this user comes from, the phone or the list of recovery codes; None without one."""
    model = TOTPDevice if re.fullmatch(r"[0-9]{6}", code) else StaticDevice
    return model.objects.filter(user=user, confirmed=True).first()


def is_password(request, password: str) -> bool:
    """Asked like a login, so that guesses are counted, noted and locked out like those there."""
    return authenticate(request, username=request.user.get_username(), password=password) is not None


def remove(user) -> None:
    with transaction.atomic():
        TOTPDevice.objects.filter(user=user).delete()
        StaticDevice.objects.filter(user=user).delete()


def urls(site) -> list:
    return [
        path("second-factor/", site.admin_view(page), name="second_factor"),
        path("second-factor/confirm/", site.admin_view(confirm), name="second_factor_confirm"),
        path("second-factor/codes/", site.admin_view(renew), name="second_factor_codes"),
        path("second-factor/off/", site.admin_view(switch_off), name="second_factor_off"),
    ]


def page(request):
    """GET shows how things stand, POST begins."""
    if request.method != "POST":
        return _show(request)
    try:
        with audit.act(request, "begin second factor"):
            _begin(request.user)
    except Refused as refusal:
        return _show(request, refusal)
    return redirect("admin:second_factor")


def confirm(request):
    if request.method != "POST":
        return redirect("admin:second_factor")
    try:
        with audit.act(request, "switch on second factor"):
            codes = _confirm(request)
    except Refused as refusal:
        return _show(request, refusal)
    return _show_codes(request, codes)


@sensitive_post_parameters("password", "code")
def renew(request):
    if request.method != "POST":
        return redirect("admin:second_factor")
    try:
        with audit.act(request, "renew recovery codes"):
            _require_on(request.user)
            _prove(request)
            codes = _new_codes(request.user)
    except Refused as refusal:
        return _show(request, refusal)
    return _show_codes(request, codes)


@sensitive_post_parameters("password", "code")
def switch_off(request):
    if request.method != "POST":
        return redirect("admin:second_factor")
    try:
        with audit.act(request, "switch off second factor"):
            _require_on(request.user)
            _prove(request)
            remove(request.user)
    except Refused as refusal:
        return _show(request, refusal)
    messages.success(request, "Your second factor is off. Your password alone opens the desk now.")
    return redirect("admin:second_factor")


def _begin(user):
    """A new secret at each beginning, so that one shown earlier and left unconfirmed opens nothing."""
    with transaction.atomic():
        get_user_model().objects.select_for_update().get(pk=user.pk)
        if is_on(user):
            raise Refused("Your second factor is on already. Switch it off first to use another phone.")
        TOTPDevice.objects.filter(user=user).delete()
        TOTPDevice.objects.create(user=user, name="Phone", confirmed=False)


def _confirm(request):
    device = _begun(request.user)
    if device is None:
        raise Refused("There is nothing to confirm. Begin again.")
    if not django_otp.verify_token(request.user, device.persistent_id, normal(request.POST.get("code"))):
        raise Refused("This code is not right. Wait until the app shows the next one, and check the phone's clock.")
    device.confirmed = True
    device.save(update_fields=["confirmed"])
    # This session has just given a code; the person's other sessions have to log in again with one.
    django_otp.login(request, device)
    request.session.cycle_key()
    return _new_codes(request.user)


def _begun(user):
    return TOTPDevice.objects.filter(user=user, confirmed=False).first()


def _new_codes(user):
    with transaction.atomic():
        device, _made = StaticDevice.objects.select_for_update().get_or_create(
            user=user, defaults={"name": "Recovery codes"}
        )
        device.token_set.all().delete()
        device.throttle_reset()
        codes = [StaticToken.random_token() for _number in range(RECOVERY_CODES)]
        StaticToken.objects.bulk_create(StaticToken(device=device, token=code) for code in codes)
    return codes


def _require_on(user):
    if not is_on(user):
        raise Refused("Your second factor is off.")


def _prove(request):
    code, password = normal(request.POST.get("code")), request.POST.get("password")
    if not (code or password):
        raise Refused("Enter your password or a code, so that nobody else does this at your desk.")
    if not (_is_code(request.user, code) if code else is_password(request, password)):
        raise Refused("This is not right. Enter your password, or wait for the next code.")


def _is_code(user, code):
    device = device_for(user, code)
    return device is not None and django_otp.verify_token(user, device.persistent_id, code) is not None


def _show(request, refusal=None):
    on, begun = is_on(request.user), _begun(request.user)
    more = {
        "is_on": on,
        "codes_left": StaticToken.objects.filter(device__user=request.user).count(),
        "refusal": refusal,
        **(_secret(begun) if begun and not on else {}),
    }
    return TemplateResponse(
        request,
        "desk/people/second_factor.html",
        access.context(request, "Second factor", **more),
        status=400 if refusal else 200,
    )


def _secret(device):
    picture = segno.make(device.config_url, micro=False).svg_inline(scale=5, light="#fff", title="QR code")
    letters = base64.b32encode(device.bin_key).decode()
    # The SVG is segno's own and holds the secret only as squares.
    return {"qr_code": mark_safe(picture), "secret": " ".join(re.findall(".{1,4}", letters))}


def _show_codes(request, codes):
    """Straight from the POST and kept nowhere else, so that they are seen once."""
    shown = [f"{code[:4]}-{code[4:]}" for code in codes]
    context = access.context(request, "Recovery codes", codes=shown)
    return TemplateResponse(request, "desk/people/codes.html", context)
