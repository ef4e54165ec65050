"""Categories at the desk: their order, their names, and adding or removing one.

What shows on public pages is changed by `publishing` alone; only a category that nothing refers to is deleted here.
"""

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import Count, ProtectedError
from django.http import Http404
from django.shortcuts import redirect, render
from django.urls import path, reverse
from django.utils import timezone

from events import permissions, publishing
from events.desk import access, audit
from events.desk.topics import NameForm, errors_of, posted
from events.models import Category, Edition, Event
from events.refusals import Refused, WrongState


class CategoryAdmin(admin.ModelAdmin):
    """The list too is a view of its own: what it shows is an order, not rows to search."""

    def get_urls(self):
        view = self.admin_site.admin_view
        return [
            path("", view(in_order), name="events_category_changelist"),
            path("order/", view(order), name="events_category_order"),
            path("add/", view(add), name="events_category_add"),
            path("<int:pk>/change/", view(change), name="events_category_change"),
            path("<int:pk>/delete/", view(delete), name="events_category_delete"),
        ]


# Their order.


def in_order(request):
    _require_view(request)
    return _list(request, chosen=request.GET.get("moved"), pressed=request.GET.get("by"))


def order(request):
    """A POST moves one category up or down, or puts each at the number that was typed for it."""
    permissions.require(request.user, "order categories")
    if request.method != "POST":
        return in_order(request)
    seen, typed = request.POST.getlist("category"), request.POST.getlist("position")
    try:
        with audit.act(request, "order categories"):
            _put(request, seen, typed)
    except Refused as error:
        return _list(request, error=str(error), typed=dict(zip(seen, typed, strict=False)), status=409)
    except ValidationError as error:
        return _list(request, error=error.messages[0], typed=dict(zip(seen, typed, strict=False)), status=400)
    messages.success(request, "The day’s page shows its sections in this order now.")
    return redirect(_after_moving(request))


def rearranged(seen, positions):
    """`seen` with each whose position is another than its place put there, in turn; the others keep their order."""
    placed = list(zip(seen, positions, range(1, len(seen) + 1), strict=True))
    ordered = [pk for pk, position, place in placed if position == place]
    moved = [(position, pk) for pk, position, place in placed if position != place]
    for position, pk in sorted(moved, key=lambda move: move[0]):
        ordered.insert(max(position, 1) - 1, pk)
    return ordered


def _put(request, seen, typed):
    categories = {str(category.pk): category for category in Category.objects.all()}
    if seen != list(categories):
        raise WrongState("Somebody changed the list in the meantime. Look at it as it is now, and order it again.")
    ordered = _moved(seen, request.POST) or rearranged(seen, _numbers(typed, len(seen)))
    publishing.order_categories([categories[pk] for pk in ordered], by=request.user)


def _moved(seen, pressed):
    """`seen` with the category whose button was pressed one place up or down, if one was."""
    for name, step in (("up", -1), ("down", 1)):
        pk = pressed.get(name)
        if pk in seen:
            rest = [other for other in seen if other != pk]
            rest.insert(max(seen.index(pk) + step, 0), pk)
            return rest
    return None


def _numbers(typed, count):
    if len(typed) != count or not all(number.strip().isdecimal() and len(number) < 6 for number in typed):
        raise ValidationError("Give each category a whole number.")
    return [int(number) for number in typed]


def _after_moving(request):
    """The list, with the button that was pressed ready to be pressed again."""
    address = reverse("admin:events_category_changelist")
    for name in ("up", "down"):
        if request.POST.get(name, "").isdecimal():
            return f"{address}?moved={request.POST[name]}&by={name}"
    return address


def _list(request, error="", typed=None, chosen=None, pressed=None, status=200):
    live = _live_entries()
    categories = list(Category.objects.all())
    rows = [
        {
            "category": category,
            "live": live.get(category.pk, 0),
            "place": (typed or {}).get(str(category.pk), place),
            "first": place == 1,
            "last": place == len(categories),
            "pressed": pressed if chosen == str(category.pk) else None,
        }
        for place, category in enumerate(categories, 1)
    ]
    context = access.context(
        request,
        "Categories",
        rows=rows,
        without=live.get(None, 0),
        error=error,
        may_order=permissions.may(request.user, "order categories"),
        may_add=permissions.may(request.user, "add category"),
    )
    return render(request, "desk/categories/list.html", context, status=status)


def _live_entries():
    """The number of entries that readers see in each category, of those without one under None."""
    current = Edition.objects.current(timezone.now()).order_by()
    return dict(current.values_list("category").annotate(Count("pk")))


# One category.


def add(request):
    permissions.require(request.user, "add category")
    form = NameForm(posted(request))
    if not form.is_valid():
        return _form(request, "add.html", "Add a category", form)
    name = form.cleaned_data["name"]
    try:
        with audit.act(request, "add category", subject=name):
            category = publishing.add_category(name, by=request.user)
    except Refused as error:
        form.add_error(None, str(error))
        return _form(request, "add.html", "Add a category", form)
    messages.success(request, f"“{category}” is the last section of the day’s page now. Move it where it belongs.")
    return redirect("admin:events_category_changelist")


def change(request, pk):
    """Shows a category to whoever may see it; a POST gives it another name."""
    _require_view(request)
    category = _found(pk)
    if request.method != "POST":
        return _category(request, category, NameForm(initial={"name": category.name}))
    permissions.require(request.user, "order categories")
    form = NameForm(request.POST)
    if not form.is_valid():
        return _category(request, category, form)
    name = form.cleaned_data["name"]
    try:
        with audit.act(request, "rename category", subject=category.name):
            publishing.rename_category(category, name, by=request.user)
    except Refused as error:
        form.add_error(None, str(error))
        return _category(request, category, form)
    messages.success(request, f"“{category}” is called “{name}” now.")
    return redirect("admin:events_category_changelist")


def delete(request, pk):
    """GET asks, POST deletes; refused as long as an entry or a version is in the category."""
    if not request.user.has_perm("events.delete_category"):
        raise PermissionDenied("You may not delete categories here. Rename the category, or ask a chief.")
    category = _found(pk)
    if request.method != "POST":
        return _before_deleting(request, category)
    try:
        with audit.act(request, "delete category", subject=category.name):
            _delete(category)
    except Refused as error:
        return _before_deleting(request, category, error=str(error), status=400)
    messages.success(request, f"The category “{category}” is deleted.")
    return redirect("admin:events_category_changelist")


def _found(pk):
    category = Category.objects.filter(pk=pk).first()
    if category is None:
        raise Http404("There is no such category. Perhaps it was deleted.")
    return category


def _delete(category):
    try:
        category.delete()
    except ProtectedError as error:
        raise WrongState(f"“{category}” is in use, so it stays. Rename it, or put other entries in it.") from error


def _category(request, category, form):
    more = {
        "category": category,
        "may_rename": permissions.may(request.user, "order categories"),
        "may_delete": request.user.has_perm("events.delete_category"),
        **_in(request.user, category),
    }
    return _form(request, "category.html", category.name, form, **more)


def _before_deleting(request, category, error="", status=200):
    context = access.context(
        request, f"Delete “{category}”?", category=category, error=error, **_in(request.user, category)
    )
    return render(request, "desk/categories/delete.html", context, status=status)


def _in(user, category):
    """How many entries of the desk, and versions of the record, are in a category, as far as the user may know."""
    entries = permissions.visible_to(user, Event.objects.filter(category=category))
    editions = Edition.objects.filter(category=category)
    sees_all = user.has_perm(permissions.NEEDED["view"])
    versions = editions if sees_all else editions.filter(issued__lte=timezone.now())
    return {"entries": entries.count(), "versions": versions.count(), "sees_all": sees_all}


def _form(request, template, title, form, **more):
    context = access.context(request, title, form=form, errors=errors_of(form), **more)
    return render(request, f"desk/categories/{template}", context, status=400 if form.errors else 200)


def _require_view(request):
    if not request.user.has_perm("events.view_category"):
        raise PermissionDenied("You may not see categories here. Ask a chief for the permission.")
