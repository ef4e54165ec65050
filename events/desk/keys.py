"""Keys to the API at the desk: who holds one, what for, how far its holder has come; made, shown once, revoked."""

import datetime

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.core.validators import MaxValueValidator
from django.db.models import Q
from django.http import Http404
from django.shortcuts import redirect, render
from django.urls import path
from django.utils import timezone
from django.views.decorators.debug import sensitive_variables

from events import keys, permissions, texts
from events.desk import access, audit, keeping
from events.desk.topics import errors_of, posted
from events.models import Key, LogHead
from events.refusals import Refused

# Of those that open nothing any more, so many are shown.
ENDED = 50
# What the form offers as days on which a key ends.
DAYS = [(30, "in a month"), (90, "in three months"), (365, "in a year")]


class KeyAdmin(admin.ModelAdmin):
    """A key is made and revoked; nothing of it is ever changed, and none is deleted."""

    def get_urls(self):
        view = self.admin_site.admin_view
        return [
            path("", view(listing), name="events_key_changelist"),
            path("add/", view(add), name="events_key_add"),
            path("<int:pk>/revoke/", view(revoke), name="events_key_revoke"),
        ]


class PersonField(forms.ModelChoiceField):
    def label_from_instance(self, person):
        name = person.get_full_name()
        return f"{name} ({person.get_username()})" if name else person.get_username()


class KeyForm(forms.Form):
    """What a new key is for. `day` is the last on which it opens anything, in the newsroom's time zone."""

    name = forms.CharField(
        max_length=texts.MAX_NAME, help_text="Whom you give it to, and for what: “Example Agency (production)”."
    )
    follows = forms.BooleanField(
        required=False,
        initial=True,
        label="Follows the log",
        help_text="A partner who keeps a copy. The desk shows who of them has each correction.",
    )
    writes = forms.BooleanField(
        required=False,
        label="Writes drafts",
        help_text="Creates, revises and submits drafts. It makes nothing public.",
    )
    publishes = forms.BooleanField(
        required=False, label="Publishes", help_text="Publishes what its person may publish. For programs of your own."
    )
    user = PersonField(
        None,
        required=False,
        label="In whose name",
        empty_label="Nobody: it does not write",
        help_text="Needed if it writes or publishes: the history says that this person did it.",
    )
    day = forms.DateField(
        required=False,
        label="Last day",
        widget=forms.DateInput(attrs={"type": "date", "list": "days"}, format="%Y-%m-%d"),
        validators=[MaxValueValidator(datetime.date(2999, 12, 31))],
        help_text="After this day it opens nothing. Leave it empty for a key that does not end.",
    )

    def __init__(self, *args, by, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["user"].queryset = keys.writers(by).order_by("first_name", "last_name", "username")

    @property
    def scopes(self):
        return [self[name] for name in ("follows", "writes", "publishes")]

    def values(self):
        """What `keys.make` takes."""
        values = {name: self.cleaned_data[name] for name in ("name", "follows", "writes", "publishes", "user")}
        return values | {"expires": self.cleaned_data["day"] and _end_of(self.cleaned_data["day"])}


# The list.


def listing(request):
    _require_view(request)
    at = timezone.now()
    found = Key.objects.select_related("user", "by", "receipt")
    active, ended = found.active(at), found.filter(Q(expires__lte=at) | Q(revoked__isnull=False))
    head = LogHead.objects.values_list("seq", flat=True).get()
    context = access.context(
        request,
        "Keys",
        active=[_row(key, at, head) for key in active],
        ended=[_row(key, at, head) for key in ended[:ENDED]],
        most=ENDED,
        may_manage=permissions.may(request.user, "manage keys"),
    )
    return render(request, "desk/keys/list.html", context)


def scopes(key) -> str:
    """What a key is for, in words."""
    can = {"follows the log": key.follows, "writes drafts": key.writes, "publishes": key.publishes}
    return ", ".join(words for words, may in can.items() if may) or "reads"


def standing(key, at) -> tuple[str, str]:
    """(class of the badge, words) of where a key stands."""
    if key.revoked:
        return "withdrawn", "revoked"
    return ("live", "active") if key.is_active(at) else ("draft", "expired")


def progress(key, head: int) -> str:
    """How far the holder of a key has come in a log that ends with `head`; nothing if the key does not follow it."""
    if not key.follows:
        return ""
    seq = keys.seq_of(key)
    if seq == 0:
        return "nothing yet" if head else "the log is empty"
    return f"all of {head:,}" if seq >= head else f"{head - seq:,} behind"


def _row(key, at, head):
    return {
        "key": key,
        "badge": standing(key, at),
        "scopes": scopes(key),
        "progress": progress(key, head),
        "last_day": key.expires and _last_day(key.expires),
        "person_left": bool(key.user and not key.user.is_active),
    }


# One key.


def add(request):
    """The form of a new key; a POST makes it and answers with the key, which is kept nowhere and shown nowhere else."""
    permissions.require(request.user, "manage keys")
    form = KeyForm(posted(request), by=request.user)
    if not form.is_valid():
        return _form(request, form)
    try:
        with audit.act(request, "make key", subject=form.cleaned_data["name"]):
            return _make(request, form)
    except ValidationError as error:
        form.add_error(None, _as_fields(error))
        return _form(request, form)
    except Refused as error:
        messages.warning(request, str(error))
        return redirect("admin:events_key_changelist")


@sensitive_variables("token")
def _make(request, form):
    key, token = keys.make(by=request.user, at=timezone.now(), once=keeping.uid(request), **form.values())
    context = access.context(request, "The new key", key=key, token=token, scopes=scopes(key))
    return render(request, "desk/keys/made.html", context)


def revoke(request, pk):
    """GET asks, POST revokes."""
    permissions.require(request.user, "manage keys")
    key = Key.objects.select_related("user", "by", "receipt").filter(pk=pk).first()
    if key is None:
        raise Http404("There is no such key.")
    if request.method != "POST":
        return _before_revoking(request, key)
    try:
        with audit.act(request, "revoke key", subject=key.name):
            keys.revoke(key, by=request.user, at=timezone.now())
    except Refused as error:
        return _before_revoking(request, key, error=str(error), status=400)
    messages.success(request, f"The key of “{key}” opens nothing any more.")
    return redirect("admin:events_key_changelist")


def _before_revoking(request, key, error="", status=200):
    shown = {"key": key, "badge": standing(key, timezone.now()), "scopes": scopes(key), "error": error}
    context = access.context(request, f"Revoke the key of “{key}”?", **shown)
    return render(request, "desk/keys/revoke.html", context, status=status)


def _form(request, form):
    today = timezone.localdate()
    days = [(today + datetime.timedelta(days=number), words) for number, words in DAYS]
    context = access.context(
        request, "New key", form=form, form_id=keeping.form_id(request), errors=errors_of(form), days=days
    )
    return render(request, "desk/keys/add.html", context, status=400 if form.errors else 200)


def _as_fields(error):
    """What the service found wrong, at the fields of the form."""
    by_field = error.message_dict
    return ValidationError({{"expires": "day"}.get(field, field): problems for field, problems in by_field.items()})


def _end_of(day):
    midnight = datetime.datetime.combine(day + datetime.timedelta(days=1), datetime.time.min)
    return timezone.make_aware(midnight, timezone.get_default_timezone())


def _last_day(expires):
    return timezone.localtime(expires - datetime.timedelta(seconds=1), timezone.get_default_timezone()).date()


def _require_view(request):
    if not request.user.has_perm("events.view_key"):
        raise PermissionDenied("Only chiefs see the keys of partners.")
