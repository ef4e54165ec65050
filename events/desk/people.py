"""The people of the desk as a chief manages them, and where a request comes from. Superusers are the operator's."""

from django import forms
from django.conf import settings
from django.contrib import admin, messages
from django.contrib.auth.forms import SetPasswordForm, UserCreationForm, UsernameField
from django.contrib.auth.models import Group, User
from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import Exists, OuterRef
from django.http import Http404
from django.shortcuts import redirect, render
from django.template.response import TemplateResponse
from django.urls import path
from django.utils import timezone
from django.utils.cache import add_never_cache_headers
from django.utils.decorators import method_decorator
from django.views.decorators.debug import sensitive_post_parameters
from django_otp.plugins.otp_totp.models import TOTPDevice

from events.desk import access, audit, second_factor, tags
from events.models import AuditEntry, Preview
from events.permissions import ROLES

FIELDS = ["username", "first_name", "last_name", "email"]
# Django's are those of deleting and of a log of its own; people are not deleted, and the audit is the log.
_UNWANTED = {"auth_user_delete", "auth_user_history"}


def locked_out(request, response, credentials):
    minutes = int(settings.AXES_COOLOFF_TIME.total_seconds() // 60)
    context = {**admin.site.each_context(request), "title": "Too many failed logins", "minutes": minutes}
    answer = render(request, "desk/people/locked_out.html", context, status=429)
    answer["Retry-After"] = str(minutes * 60)
    add_never_cache_headers(answer)
    return answer


class _Roles(forms.ModelMultipleChoiceField):
    def __init__(self):
        super().__init__(
            # In the order of the desk, which is also that in which they were made.
            Group.objects.filter(name__in=ROLES).order_by("pk"),
            required=False,
            label="Roles",
            help_text="A reporter writes and submits. An editor also edits all entries and publishes. "
            "A chief also withdraws, redacts and manages people.",
            widget=forms.CheckboxSelectMultiple,
        )


class AddPersonForm(UserCreationForm):
    groups = _Roles()

    class Meta(UserCreationForm.Meta):
        fields = [*FIELDS, "groups"]

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        # The admin's script puts the focus there already.
        del self.fields["username"].widget.attrs["autofocus"]


class PersonForm(forms.ModelForm):
    groups = _Roles()
    by = None  # the person who asks

    class Meta:
        model = User
        fields = [*FIELDS, "is_active", "groups"]
        field_classes = {"username": UsernameField}
        help_texts = {"is_active": "Untick this instead of deleting somebody: the audit and the history name them."}

    def clean(self):
        super().clean()
        if self.instance == self.by and not self._stays_chief():
            raise ValidationError("You cannot take the desk from yourself. Ask another chief to do it.")

    def clean_groups(self):
        """Groups that the desk does not know are kept, since it does not show them."""
        return [*self.cleaned_data["groups"], *self.instance.groups.exclude(name__in=ROLES)]

    def _stays_chief(self):
        was_chief = self.instance.groups.filter(name="Chief").exists()
        is_chief = any(group.name == "Chief" for group in self.cleaned_data.get("groups", []))
        return self.cleaned_data["is_active"] and (is_chief or not was_chief)


class Role(admin.SimpleListFilter):
    title = parameter_name = "role"

    def lookups(self, request, model_admin):
        return [(role, role) for role in ROLES]

    def queryset(self, request, people):
        return people.filter(groups__name=self.value()) if self.value() else people


class PeopleAdmin(admin.ModelAdmin):
    form = PersonForm
    add_form_template = change_form_template = "desk/people/person.html"
    change_list_template = "desk/people/people.html"
    list_display = ["username", "full_name", "roles", "is_active", "second_factor", "came_last"]
    list_filter = ["is_active", Role]
    search_fields = ["username", "first_name", "last_name", "email"]
    ordering = ["username"]
    show_facets = admin.ShowFacets.NEVER
    actions = None

    def get_queryset(self, request):
        devices = TOTPDevice.objects.filter(user=OuterRef("pk"), confirmed=True)
        people = super().get_queryset(request).annotate(has_second_factor=Exists(devices))
        return people.prefetch_related("groups")

    @admin.display(description="name", ordering="last_name")
    def full_name(self, person):
        return person.get_full_name()

    @admin.display(description="roles")
    def roles(self, person):
        if person.is_superuser:
            return "Superuser"
        return ", ".join(group.name for group in person.groups.all())

    @admin.display(description="second factor")
    def second_factor(self, person):
        return "on" if person.has_second_factor else ""

    @admin.display(description="last login", ordering="last_login")
    def came_last(self, person):
        return tags.moment(person.last_login)

    def has_change_permission(self, request, obj=None):
        return super().has_change_permission(request, obj) and not (obj and obj.is_superuser)

    def has_delete_permission(self, request, obj=None):
        return False

    def lookup_allowed(self, lookup, value, request=None):
        # A list that could be narrowed by the start of a password's hash, or of a second factor's key, would give it
        # away letter by letter.
        return lookup in ("is_active__exact", Role.parameter_name)

    def get_form(self, request, obj=None, **kwargs):
        form = super().get_form(request, obj, **kwargs if obj else {**kwargs, "form": AddPersonForm})
        form.by = request.user
        return form

    def get_fieldsets(self, request, obj=None):
        fields = [*FIELDS, "is_active", "groups"] if obj else [*FIELDS, "groups", "password1", "password2"]
        return [(None, {"fields": fields})]

    def get_urls(self):
        own = [
            path("<int:pk>/password/", self.admin_site.admin_view(self.set_password), name="auth_user_password_change"),
            path(
                "<int:pk>/second-factor/",
                self.admin_site.admin_view(self.remove_second_factor),
                name="auth_user_second_factor",
            ),
        ]
        return own + [url for url in super().get_urls() if url.name not in _UNWANTED]

    def changelist_view(self, request, extra_context=None):
        return super().changelist_view(request, {"title": "People"})

    @method_decorator(sensitive_post_parameters())
    def changeform_view(self, request, object_id=None, form_url="", extra_context=None):
        """Also notes an attempt that is refused; what is done is noted by the log's methods below."""
        try:
            title = "Person" if object_id else "Add a person"
            shown = {"title": title, "show_save_and_add_another": False}
            return super().changeform_view(request, object_id, form_url, shown)
        except PermissionDenied:
            if request.method == "POST":
                self._note_refusal(request, object_id)
            raise

    def _note_refusal(self, request, object_id):
        person = self.get_object(request, object_id) if object_id else None
        audit.note(
            request,
            "change person" if object_id else "add person",
            subject=person.get_username() if person else "",
            outcome=AuditEntry.Outcome.REFUSED,
        )

    def save_model(self, request, person, form, change):
        person.is_staff = True
        super().save_model(request, person, form, change)
        if change and not person.is_active:
            _revoke_links(request, person)

    def log_addition(self, request, person, message):
        audit.note(request, "add person", subject=person.get_username(), detail=_roles_told(person))

    def log_change(self, request, person, message):
        audit.note(request, "change person", subject=person.get_username(), detail=message)

    def construct_change_message(self, request, form, formsets, add=False):
        told = f"Changed: {', '.join(form.changed_data)}." if form.changed_data else ""
        if "groups" in form.changed_data and not add:
            told += f" {_roles_told(form.instance)}"
        if "is_active" in form.changed_data:
            told += " Active." if form.instance.is_active else " Not active."
        return told

    @method_decorator(sensitive_post_parameters())
    def set_password(self, request, pk):
        person = self._changeable(request, pk, "set password")
        if person == request.user:
            return redirect("admin:password_change")
        form = SetPasswordForm(person, request.POST if request.method == "POST" else None)
        if form.is_valid():
            with audit.act(request, "set password", subject=person.get_username()):
                form.save()
            messages.success(
                request, f"{person} has a new password. Every browser that used the old one is logged out."
            )
            return redirect("admin:auth_user_change", person.pk)
        return self._page(request, "desk/people/password.html", f"New password for {person}", person, form=form)

    def remove_second_factor(self, request, pk):
        person = self._changeable(request, pk, "remove second factor")
        if person == request.user:
            return redirect("admin:second_factor")
        if request.method == "POST":
            with audit.act(request, "remove second factor", subject=person.get_username()):
                second_factor.remove(person)
            messages.success(request, f"{person} now logs in with the password alone.")
            return redirect("admin:auth_user_change", person.pk)
        title = f"Remove the second factor of {person}"
        return self._page(request, "desk/people/remove_second_factor.html", title, person)

    def _changeable(self, request, pk, verb):
        """The person, if they may be changed by who asks; raises Http404 or PermissionDenied, which is noted."""
        person = self.get_object(request, str(pk))
        if person is None and self.has_change_permission(request):
            raise Http404("There is no such person.")
        if self.has_change_permission(request, person):
            return person
        if request.method == "POST":
            subject = person.get_username() if person else ""
            audit.note(request, verb, subject=subject, outcome=AuditEntry.Outcome.REFUSED)
        raise PermissionDenied("Only chiefs manage people, and nobody at the desk changes a superuser.")

    def _page(self, request, template, title, person, **more):
        return TemplateResponse(request, template, access.context(request, title, person=person, **more))


def _revoke_links(request, person):
    """Who has no desk any more shows nothing of it to others."""
    at = timezone.now()
    revoked = Preview.objects.filter(by=person, revoked=None, expires__gt=at).update(revoked=at)
    if revoked:
        audit.note(request, "revoke link", subject=person.get_username(), detail=f"Links of this person: {revoked}.")


def _roles_told(person):
    roles = person.groups.filter(name__in=ROLES).order_by("pk").values_list("name", flat=True)
    return f"Roles: {', '.join(roles) or 'none'}."
