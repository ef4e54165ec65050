"""Webhooks at the desk: which partners are told of what is new, what was sent to them and what came of it.

What is told, when and how often is decided in `pushing`.
"""

import datetime
from urllib.parse import urlsplit

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import Count, F, Max, Q
from django.http import Http404
from django.shortcuts import redirect, render
from django.urls import path
from django.utils import timezone
from django.views.decorators.debug import sensitive_variables

from events import permissions, pushing, texts
from events.desk import access, audit, keeping, receipts
from events.desk.topics import errors_of, posted
from events.models import Delivery, Webhook
from events.refusals import Refused, WrongState

LATEST = 100
# What is due for longer than this is sent by nobody.
PATIENCE = datetime.timedelta(minutes=15)
State = Delivery.State
_BADGES = {State.WAITING: "scheduled", State.DELIVERED: "live", State.DEAD: "withdrawn"}
_VIEW, _AGAIN = "admin:events_webhook_change", "again"


class WebhookAdmin(admin.ModelAdmin):
    """A webhook is added and ended; its address never changes, and none is deleted."""

    def get_urls(self):
        view = self.admin_site.admin_view
        return [
            path("", view(listing), name="events_webhook_changelist"),
            path("add/", view(add), name="events_webhook_add"),
            path("<int:pk>/change/", view(change), name="events_webhook_change"),
            path("<int:pk>/end/", view(end), name="events_webhook_end"),
        ]


class WebhookForm(forms.Form):
    name = forms.CharField(max_length=texts.MAX_NAME, help_text="Whom it tells: “Example Agency”.")
    url = forms.CharField(
        max_length=texts.MAX_URL,
        label="Address",
        widget=forms.URLInput(attrs={"placeholder": "https://"}),
        help_text="Where the partner’s program listens. It is told that something is new, and never what it says.",
    )


class EndForm(forms.Form):
    reason = forms.CharField(
        required=False,
        max_length=Webhook._meta.get_field("reason").max_length,
        help_text="For the desk, if you like: “They moved to another address.”",
    )


# The list.


def listing(request):
    _require_view(request)
    at = timezone.now()
    context = access.context(
        request,
        "Webhooks",
        rows=[_row(webhook) for webhook in _counted(Webhook.objects.select_related("by"))],
        stuck=Delivery.objects.filter(state=State.WAITING, due__lte=at - PATIENCE, webhook__ended=None).exists(),
        may_manage=permissions.may(request.user, "manage webhooks"),
    )
    return render(request, "desk/webhooks/list.html", context)


def _counted(webhooks):
    """Active ones first, each with how many deliveries wait and are dead, and when one last arrived."""
    return webhooks.annotate(
        waiting=Count("deliveries", filter=Q(deliveries__state=State.WAITING)),
        dead=Count("deliveries", filter=Q(deliveries__state=State.DEAD)),
        arrived=Max("deliveries__done", filter=Q(deliveries__state=State.DELIVERED)),
    ).order_by(F("ended").desc(nulls_first=True), "name", "pk")


def _row(webhook):
    return {"webhook": webhook, "host": urlsplit(webhook.url).netloc}


# One webhook.


def add(request):
    """The form of a new webhook; a POST adds it and answers with its secret, which is shown nowhere else."""
    permissions.require(request.user, "manage webhooks")
    form = WebhookForm(posted(request))
    if not form.is_valid():
        return _form(request, form)
    try:
        with audit.act(request, "add webhook", subject=form.cleaned_data["name"]):
            return _add(request, **form.cleaned_data)
    except ValidationError as error:
        form.add_error(None, error)
    except Refused as error:
        form.add_error("url", str(error))
    return _form(request, form)


@sensitive_variables("secret")
def _add(request, name, url):
    # A form that is sent twice adds nothing the second time, and nobody is told everything twice.
    if told := Webhook.objects.filter(url=url, ended=None).first():
        raise WrongState(
            f"This address is told already, as “{told}”. End that webhook first if you want another secret."
        )
    webhook, secret = pushing.add_webhook(name, url, by=request.user, at=timezone.now())
    context = access.context(request, "The new webhook", webhook=webhook, secret=secret)
    return render(request, "desk/webhooks/added.html", context)


def _form(request, form):
    context = access.context(
        request, "New webhook", form=form, form_id=keeping.form_id(request), errors=errors_of(form)
    )
    return render(request, "desk/webhooks/add.html", context, status=400 if form.errors else 200)


def change(request, pk):
    """Shows a webhook with its latest deliveries; a POST sends one again, or all, or tries or resumes it."""
    _require_view(request)
    webhook = _found(pk)
    if request.method != "POST":
        return _page(request, webhook)
    permissions.require(request.user, "manage webhooks")
    verb, act = _asked(request.POST)
    try:
        with audit.act(request, verb, subject=webhook.name):
            told, level = act(request, webhook)
    except (Refused, ValidationError) as error:
        problem, status = access.problem(error)
        return _page(request, _found(pk), error=problem, status=status)
    messages.add_message(request, level, told)
    return redirect(_VIEW, pk)


def end(request, pk):
    """GET asks, POST ends it."""
    permissions.require(request.user, "manage webhooks")
    webhook = _found(pk)
    form = EndForm(posted(request))
    if not form.is_valid():
        return _before_ending(request, webhook, form)
    try:
        with audit.act(request, "end webhook", subject=webhook.name):
            pushing.end_webhook(webhook, by=request.user, at=timezone.now(), reason=form.cleaned_data["reason"])
    except (Refused, ValidationError) as error:
        form.add_error(None, access.problem(error)[0])
        return _before_ending(request, webhook, form)
    messages.success(request, f"“{webhook}” is told nothing any more.")
    return redirect("admin:events_webhook_changelist")


# What its page can do: each gives what to tell the chief, and how.


def _again(request, webhook):
    key = request.POST[_AGAIN]
    found = webhook.deliveries.filter(pk=int(key) if key.isdecimal() and len(key) < 18 else 0)
    delivery = found.select_related("webhook").first()
    if delivery is None:
        raise WrongState("This delivery is not kept any more.")
    if delivery.state != State.DEAD:
        raise WrongState("This delivery is not dead: it arrived, or is tried again by itself.")
    pushing.send_again(delivery, by=request.user, at=timezone.now())
    return "It is sent again within a minute. Look at this page again then.", messages.SUCCESS


def _all_again(request, webhook):
    number = pushing.send_all_again(webhook, by=request.user, at=timezone.now())
    if number == 0:
        return "There is no dead letter to send again.", messages.INFO
    return f"{number:,} dead letter{'s are' if number > 1 else ' is'} sent again within a minute.", messages.SUCCESS


def _try(request, webhook):
    delivery = pushing.try_now(webhook, by=request.user, at=timezone.now())
    if delivery.state == State.DELIVERED:
        return f"It arrived: the address answered {delivery.status}.", messages.SUCCESS
    return f"It did not arrive. {delivery.problem}", messages.WARNING


def _resume(request, webhook):
    pushing.resume_webhook(webhook, by=request.user, at=timezone.now())
    return f"“{webhook}” is told again, from the next entry of the log on.", messages.SUCCESS


_ACTS = {
    _AGAIN: ("send again", _again),
    "all": ("send all again", _all_again),
    "try": ("try webhook", _try),
    "resume": ("resume webhook", _resume),
}


def _asked(sent):
    for name, (verb, act) in _ACTS.items():
        if name in sent:
            return verb, act
    return "use webhook", _nothing


def _nothing(request, webhook):
    raise WrongState("Choose what to do with this webhook.")


# Pages.


def _page(request, webhook, error="", status=200):
    deliveries = webhook.deliveries.select_related("entry").order_by("-pk")[:LATEST]
    context = access.context(
        request,
        webhook.name,
        webhook=webhook,
        rows=[_delivery_row(delivery) for delivery in deliveries],
        most=LATEST,
        error=error,
        may_manage=permissions.may(request.user, "manage webhooks"),
    )
    return render(request, "desk/webhooks/webhook.html", context, status=status)


def _delivery_row(delivery):
    kind = delivery.entry.kind
    return {"delivery": delivery, "badge": _BADGES[delivery.state], "label": receipts.LABELS.get(kind, kind)}


def _before_ending(request, webhook, form):
    context = access.context(request, f"End “{webhook}”?", webhook=webhook, form=form, errors=errors_of(form))
    return render(request, "desk/webhooks/end.html", context, status=400 if form.errors else 200)


def _found(pk):
    webhook = _counted(Webhook.objects.filter(pk=pk).select_related("by")).first()
    if webhook is None:
        raise Http404("There is no such webhook.")
    return webhook


def _require_view(request):
    if not request.user.has_perm("events.view_webhook"):
        raise PermissionDenied("Only chiefs see the webhooks of partners.")
