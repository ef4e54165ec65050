"""How the newsroom corrects, in its own words: the one page at the desk where a chief writes it."""

from django import forms
from django.contrib import admin, messages
from django.shortcuts import redirect, render
from django.urls import path, reverse

from events import permissions, publishing, texts
from events.desk import access, audit
from events.desk.topics import errors_of, posted
from events.formats import corrected
from events.models import CorrectionsPolicy
from events.refusals import Overtaken, Refused


class PolicyAdmin(admin.ModelAdmin):
    """No list: one text stands, and those before it are public."""

    def get_urls(self):
        return [path("", self.admin_site.admin_view(policy), name="events_correctionspolicy_changelist")]


class PolicyForm(forms.Form):
    """`seen` is the row whose text was in the form when it was made; empty if the desk had written none."""

    body = forms.CharField(
        label="Text", strip=False, widget=forms.Textarea(attrs={"rows": 24, "maxlength": texts.MAX_BODY})
    )
    seen = forms.IntegerField(required=False, widget=forms.HiddenInput)

    def clean_body(self):
        return self.cleaned_data["body"].replace("\r\n", "\n")

    def clean(self):
        if "body" in self.cleaned_data:
            CorrectionsPolicy(body=self.cleaned_data["body"]).clean()


def policy(request):
    """Shows the text that stands; a POST puts another in its place."""
    permissions.require(request.user, "change policy")
    standing = CorrectionsPolicy.objects.first()
    form = PolicyForm(posted(request), initial=_initial(standing))
    if not form.is_valid():
        return _page(request, form, standing, status=400 if form.errors else 200)
    try:
        with audit.act(request, "change policy"):
            publishing.set_policy(form.cleaned_data["body"], by=request.user, seen=form.cleaned_data["seen"])
    except Overtaken as error:
        return _overtaken(request, form, str(error))
    except Refused as error:
        form.add_error(None, str(error))
        return _page(request, form, standing, status=400)
    messages.success(request, "Readers see this text now. The one before it stays below it.")
    return redirect(reverse("admin:events_correctionspolicy_changelist"))


def _overtaken(request, form, problem):
    """The text that was typed, beside the one that somebody else saved; the next save replaces that one."""
    standing = CorrectionsPolicy.objects.first()
    again = PolicyForm(initial=_initial(standing) | {"body": form.cleaned_data["body"]})
    return _page(request, again, standing, [problem], status=409)


def _initial(standing):
    body = standing.body if standing else corrected.OWN_WORDS
    return {"body": body, "seen": standing and standing.pk}


def _page(request, form, standing, errors=(), status=200):
    shape = corrected.policy([standing] if standing else [])
    context = access.context(
        request, "How we correct", form=form, errors=[*errors, *errors_of(form)], standing=standing, shown=shape
    )
    return render(request, "desk/policy.html", context, status=status)
