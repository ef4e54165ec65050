"""Topics at the desk: finding them, adding, renaming and merging them. Knows nothing of how entries are written."""

import re
from functools import reduce
from operator import or_

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.views.autocomplete import AutocompleteJsonView
from django.contrib.admin.widgets import AutocompleteSelect
from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import Case, Count, F, Max, Prefetch, Q, Value, When
from django.db.models.functions import Coalesce
from django.http import Http404, JsonResponse
from django.shortcuts import redirect, render
from django.urls import path
from django.views.decorators.http import require_POST

from events import permissions, publishing, slugs, texts
from events.desk import access, audit, waiting
from events.models import AuditEntry, EditionTopic, Event, EventTopic, Topic, TopicWord, begins
from events.refusals import BadTopic, Refused

ENTRIES_SHOWN = 20
LIKELY_SHOWN = 10
GROUPS_SHOWN = 25
ALIASES_SHOWN = 5
MAX_WORDS = 10
# Ten pages of suggestions: who has not found it by then types another letter.
SUGGESTED = 200
_LETTERS = re.compile(r"[^\W_]")
# What a likeness makes of a plural, or may make of a word that is typed only halfway.
_ENDING = re.compile(r"(?:ie?s?|s|y)$")
LONGEST_SUBJECT = AuditEntry._meta.get_field("subject").max_length


def called(topic: Topic) -> str:
    """A topic's name; of another name of it, what that stands for as well."""
    return f"{topic}{publishing.ARROW}{topic.alias_of}" if topic.alias_of else str(topic)


# Finding them.


def holding(term: str):
    """Topics and other names that hold `term`, whatever its case, accents, dashes and spaces."""
    key, like = _comparable(term)
    return Topic.objects.filter(Q(key__contains=key) | Q(likeness__contains=like))


def suggested(term: str, enough: int = SUGGESTED) -> list[Topic]:
    """What somebody who types `term` may mean, likeliest first, each topic once: under its own name or another.

    Names that begin with it come first; if those are more than `enough`, no others are looked for.
    """
    key, like = _comparable(term)
    first = _once(_beginning(key, like)) if len(key) > 1 and key.isascii() else []
    return first if len(first) > enough else _once(_meant(key, like))


def _once(found):
    topics = {}
    for topic in found[:SUGGESTED]:
        topics.setdefault(topic.canonical.pk, topic)
    return list(topics.values())


def _beginning(key, like):
    found = Topic.objects.filter(begins("key", key) | begins("likeness", like))
    return _in_order(found, When(key=key, then=0), When(likeness=like, then=1), other=2)


def _meant(key, like):
    if not key:
        return Topic.objects.filter(alias_of=None).order_by("-uses", "key")
    if len(key) == 1 and key.isascii() and key.isalnum():
        # Most names have a word that begins so. Those that begin with it themselves are enough, and an index has them.
        same = Case(When(key=key, then=0), default=Value(1))
        return Topic.objects.filter(begins("key", key), alias_of=None).order_by(same, "-uses", "key")
    if key.isascii():
        found = _with_words(key)
    else:
        # Where words are not told apart by spaces, a name is looked for within all of them: in Chinese, two letters.
        within = _words_begin(key) | Q(likeness__contains=like)
        found = Topic.objects.filter(_stems(key)).filter(within)
    return _in_order(
        found,
        When(key=key, then=0),
        When(likeness=like, then=1),
        When(Q(key__startswith=key) | Q(likeness__startswith=like), then=2),
        When(_words_begin(key), then=3),
        other=4,
    )


def _in_order(found, *nearness, other):
    nearness = Case(*nearness, default=Value(other))
    own_name_first = F("alias_of_id").asc(nulls_first=True)
    known = Coalesce("alias_of__uses", "uses").desc()
    return found.select_related("alias_of").order_by(nearness, known, own_name_first, "key")


def _comparable(term):
    # SQLite takes no pattern of 50,000 bytes.
    term = term[: texts.MAX_NAME]
    return slugs.fold(term), slugs.likeness(term)


def _words_begin(key):
    """Every word of `key` begins a word of the topic's."""
    found = Q()
    for word in key.split()[:MAX_WORDS]:
        found &= Q(key__startswith=word) | Q(key__contains=f" {word}") | Q(key__contains=f"-{word}")
    return found


def _with_words(key):
    """Topics that hold all words of `key`: the longest begins a word of theirs, which the index of words tells.

    Only that one is looked up there: a short one, such as "of", begins words of half of all names.
    """
    words = key.split()[:MAX_WORDS]
    longest = max(words, key=len)
    forms = {longest, slugs.likeness(longest)} - {""}
    later = reduce(or_, (begins("word", form) for form in forms))
    first = reduce(or_, (begins(field, form) for field in ("key", "likeness") for form in forms))
    begun = Topic.objects.filter(first | Q(pk__in=TopicWord.objects.filter(later).values("topic")))
    # As keys of their own, so that the other words are looked for in these alone.
    found = Topic.objects.filter(pk__in=begun.order_by().values("pk"))
    for word in words:
        if word != longest:
            found = found.filter(Q(likeness__contains=slugs.likeness(word)) | Q(key__contains=word))
    return found


def _stems(key):
    """What the likeness of all that is found holds. A first look at every row, far cheaper than the others."""
    found = Q()
    for word in key.split()[:MAX_WORDS]:
        if _LETTERS.search(word):
            found &= Q(likeness__contains=_ENDING.sub("", slugs.likeness(word)))
    return found


class TopicAutocomplete(AutocompleteJsonView):
    """For fields that lead to topics, other names lead to what they stand for; never adds one."""

    def get_queryset(self):
        if not self._of_topics():
            return super().get_queryset()
        is_first = self.request.GET.get("page", "1") == "1"
        return suggested(self.term, enough=self.paginate_by if is_first else SUGGESTED)

    def serialize_result(self, obj, to_field_name):
        if not self._of_topics():
            return super().serialize_result(obj, to_field_name)
        return _choice(obj)

    def _of_topics(self):
        return self.model_admin.model is Topic


def _choice(topic):
    return {"id": str(topic.canonical.pk), "text": called(topic)}


class Standing(admin.SimpleListFilter):
    """Without it, the list would show every name that a topic ever had as if it were another."""

    title = "kind of name"
    parameter_name = "names"

    def lookups(self, request, model_admin):
        return [("other", "Other names"), ("all", "Both")]

    def choices(self, changelist):
        for choice in super().choices(changelist):
            yield {**choice, "display": "Topics"} if choice["display"] == "All" else choice

    def queryset(self, request, queryset):
        if self.value() == "all":
            return queryset
        return queryset.filter(alias_of__isnull=self.value() != "other")


class TopicAdmin(admin.ModelAdmin):
    """The list is Django's. All else is a view of its own, since no topic is saved or deleted but by a verb."""

    list_display = ["called", "uses", "other_names", "also_called"]
    list_display_links = ["called"]
    list_filter = [Standing]
    list_per_page = 50
    list_select_related = ["alias_of"]
    search_fields = ["key"]
    search_help_text = "Accents and capitals make no difference; other names of a topic are found too."
    show_facets = admin.ShowFacets.NEVER
    show_full_result_count = False
    change_list_template = "desk/topics/list.html"

    def get_urls(self):
        view = self.admin_site.admin_view
        return [
            path("", view(self.changelist_view), name="events_topic_changelist"),
            path("add/", view(add), name="events_topic_add"),
            path("quick-add/", view(quick_add), name="events_topic_quick_add"),
            path("duplicates/", view(duplicates), name="events_topic_duplicates"),
            path("<int:pk>/change/", view(change), name="events_topic_change"),
            path("<int:pk>/rename/", view(rename), name="events_topic_rename"),
            path("<int:pk>/add-alias/", view(add_alias), name="events_topic_add_alias"),
            path("<int:pk>/merge/", view(merge), name="events_topic_merge"),
        ]

    def changelist_view(self, request, extra_context=None):
        return super().changelist_view(request, {**(extra_context or {}), "title": "Topics"})

    def get_queryset(self, request):
        # In the order of the index that finds them; by name alone, SQLite would walk over all topics for the order.
        aliases = Topic.objects.order_by("alias_of_id", "key")
        return super().get_queryset(request).prefetch_related(Prefetch("aliases", aliases))

    def get_search_results(self, request, queryset, search_term):
        if not search_term.strip():
            return queryset, False
        found = holding(search_term)
        return queryset.filter(Q(pk__in=found.values("pk")) | Q(pk__in=found.values("alias_of"))), False

    def has_delete_permission(self, request, obj=None):
        return False

    def lookup_allowed(self, lookup, value, request=None):
        # A list narrowed by the entries that bear a topic would tell what others' drafts are about.
        return lookup == Standing.parameter_name

    @admin.display(description="Name", ordering="key")
    def called(self, topic):
        return called(topic)

    @admin.display(description="Other names")
    def other_names(self, topic):
        return len(topic.aliases.all())

    @admin.display(description="Also called", empty_value="")
    def also_called(self, topic):
        names = [alias.name for alias in topic.aliases.all()]
        more = len(names) - ALIASES_SHOWN
        return ", ".join(names[:ALIASES_SHOWN]) + (f" and {more} more" if more > 0 else "")


# Adding one.


class NameForm(forms.Form):
    """A name, by the rules that are the same for topics and categories."""

    name = forms.CharField(max_length=texts.MAX_NAME)

    def clean(self):
        if "name" in self.cleaned_data:
            Topic(name=self.cleaned_data["name"]).clean()


def add(request):
    """Adds a topic, once it is certain that none of those that look alike is meant."""
    permissions.require(request.user, "add topic")
    form = NameForm(posted(request))
    if not form.is_valid():
        return _adding(request, form)
    name = form.cleaned_data["name"]
    likely = _likely(name)
    if any(likely.values()) and not _holder(name) and request.POST.get("confirmed") != slugs.fold(name):
        return _adding(request, form, confirm=slugs.fold(name), name=name, **likely)
    try:
        topic = _add(request, name)
    except Refused as error:
        form.add_error(None, str(error))
        return _adding(request, form, existing=_holder(name))
    messages.success(request, f"“{topic}” is a topic now.")
    return redirect("admin:events_topic_change", topic.pk)


@require_POST
def quick_add(request):
    """Adds a topic for who is writing an entry, or gives the one that has this name already.

    Answers 409 with the topics that are `likely` meant, unless `confirmed` is sent as well.
    """
    permissions.require(request.user, "add topic")
    form = NameForm(request.POST)
    if not form.is_valid():
        return JsonResponse({"error": " ".join(errors_of(form))}, status=400)
    name = form.cleaned_data["name"]
    holder = _holder(name)
    if holder:
        return JsonResponse(_choice(holder))
    same = _likely(name)["same"]
    if same and not request.POST.get("confirmed"):
        return JsonResponse({"likely": _choices(same)}, status=409)
    with audit.act(request, "add topic", subject=name):
        return JsonResponse(_choice(_named(name)))


def _add(request, name):
    with audit.act(request, "add topic", subject=name):
        holder = _holder(name)
        if holder and holder.alias_of:
            raise BadTopic(f"“{holder}” is another name of the topic “{holder.alias_of}” already. Use that one.")
        if holder:
            raise BadTopic(f"There is a topic “{holder}” already. Use that one.")
        return _named(name)


def _named(name):
    return Topic.objects.named([name])[slugs.fold(name)]


def _holder(name):
    return Topic.objects.select_related("alias_of").filter(key=slugs.fold(name)).first()


def _likely(name):
    """What `name` may mean: the topics that are probably the `same`, and others that are `near`: that hold it."""
    like = slugs.likeness(name)
    found = Topic.objects.select_related("alias_of").order_by("-uses", "key")
    return {
        "same": list(found.filter(likeness=like)[:LIKELY_SHOWN]),
        "near": list(found.filter(key__contains=slugs.fold(name)).exclude(likeness=like)[:LIKELY_SHOWN]),
    }


def _choices(topics):
    """Each topic once, under the name that is used most."""
    choices = {}
    for topic in topics:
        choices.setdefault(topic.canonical.pk, _choice(topic))
    return list(choices.values())


def _adding(request, form, **more):
    return render(
        request,
        "desk/topics/add.html",
        access.context(request, "Add a topic", form=form, errors=errors_of(form), **more),
        status=400 if form.errors else 200,
    )


# One topic, and what is done to it.


class MergeForm(forms.Form):
    into = forms.ModelChoiceField(
        Topic.objects.select_related("alias_of"),
        label="Topic",
        widget=AutocompleteSelect(Topic._meta.get_field("alias_of"), admin.site),
        error_messages={"required": "Choose the topic to merge it into.", "invalid_choice": "There is no such topic."},
    )


def change(request, pk):
    topic = _topic(request, pk)
    return _page(request, topic) if topic.alias_of is None else redirect("admin:events_topic_change", topic.alias_of.pk)


def rename(request, pk):
    form = NameForm(posted(request), auto_id="rename-%s")
    return _give_name(request, pk, form, "rename topic", publishing.rename_topic, "rename")


def add_alias(request, pk):
    form = NameForm(posted(request), auto_id="alias-%s")
    return _give_name(request, pk, form, "merge topics", publishing.add_alias, "alias")


def merge(request, pk):
    """GET with `into` shows what would move; POST moves it."""
    topic = _topic(request, pk)
    permissions.require(request.user, "merge topics")
    asked = request.POST if request.method == "POST" else request.GET
    form = MergeForm(_target(asked) if asked else None)
    if not form.is_valid():
        return _page(request, topic.canonical, merge=form)
    into = form.cleaned_data["into"]
    if request.method != "POST":
        return _before_merging(request, topic, into, form)
    try:
        with audit.act(request, "merge topics", subject=_subject(topic, into)):
            _require_unmerged(topic, into)
            publishing.merge_topics(topic, into, by=request.user)
    except Refused as error:
        form.add_error(None, str(error))
        return _page(request, topic.canonical, merge=form)
    messages.success(request, f"“{topic}” is another name of “{into}” now.")
    return redirect("admin:events_topic_change", into.pk)


def _give_name(request, pk, form, verb, service, place):
    """Hand the name that was typed to a service; a refusal shows the topic's page with the name still in its place."""
    topic = _topic(request, pk)
    permissions.require(request.user, verb)
    if not form.is_valid():
        return _page(request, topic.canonical, **({place: form} if form.is_bound else {}))
    name = form.cleaned_data["name"]
    try:
        with audit.act(request, verb, subject=_subject(topic, name) if place == "rename" else _subject(name, topic)):
            _require_unmerged(topic)
            service(topic, name, by=request.user)
    except (Refused, ValidationError) as error:
        form.add_error(None, str(error) if isinstance(error, Refused) else error)
        return _page(request, topic.canonical, **{place: form})
    done = f"“{topic}” is called “{name}” now." if place == "rename" else f"“{name}” leads to “{topic}” now."
    messages.success(request, done)
    return redirect("admin:events_topic_change", topic.pk)


def _require_unmerged(*topics):
    """Whoever decided saw these names as topics; what they stand for now may be another matter."""
    for topic in topics:
        if topic.alias_of:
            raise BadTopic(f"“{topic}” was merged into “{topic.alias_of}” in the meantime. Look at that topic first.")


def _before_merging(request, old, into, form):
    old, into = old.canonical, into.canonical
    if old == into:
        form.add_error(None, f"“{old}” and “{form.cleaned_data['into']}” are the same topic already. Choose another.")
        return _page(request, old, merge=form)
    moving = {
        "entries": EventTopic.objects.filter(tag=old).count(),
        "stories": Event.objects.filter(story=old).count(),
        "versions": EditionTopic.objects.filter(topic=old).count(),
        "names": old.aliases.count(),
    }
    context = access.context(request, f"Merge “{old}” into “{into}”?", old=old, into=into, moving=moving)
    return render(request, "desk/topics/merge.html", context)


def _page(request, topic, **forms):
    """A topic with what bears it and what may be done to it; `forms` are those that were refused."""
    shown = {
        "rename": NameForm(initial={"name": topic.name}, auto_id="rename-%s"),
        "alias": NameForm(auto_id="alias-%s"),
        "merge": MergeForm(),
    } | forms
    errors = [error for form in forms.values() for error in errors_of(form)]
    context = access.context(
        request,
        topic.name,
        topic=topic,
        aliases=topic.aliases.order_by("key"),
        entries=_entries(request, topic),
        errors=errors,
        may_rename=permissions.may(request.user, "rename topic"),
        may_merge=permissions.may(request.user, "merge topics"),
        media=MergeForm().media,
        **shown,
    )
    return render(request, "desk/topics/topic.html", context, status=400 if errors else 200)


def _entries(request, topic):
    """The newest entries that bear the topic, of those that the user may see."""
    entries = permissions.visible_to(request.user, Event.objects.filter(topic_links__tag=topic))
    # Where each stands is asked of those alone that are shown, not of thousands while they are sorted.
    newest = list(entries.order_by("-date", "-pk").values_list("pk", flat=True)[:ENTRIES_SHOWN])
    shown = waiting.with_last(Event.objects.filter(pk__in=newest))
    return shown.only("headline", "date", "stage", "withdrawn").order_by("-date", "-pk")


def _topic(request, pk):
    _require_view(request)
    topic = Topic.objects.select_related("alias_of").filter(pk=pk).first()
    if topic is None:
        raise Http404("There is no such topic. Look for it by its name in the list of topics.")
    return topic


def _require_view(request):
    if not request.user.has_perm("events.view_topic"):
        raise PermissionDenied("You may not see topics here. Ask a chief for the permission.")


def _target(asked):
    """What was chosen to merge into: its row or, typed without a script, its name."""
    if asked.get("named"):
        holder = _holder(_comparable(asked["named"])[0])
        return {"into": holder.pk if holder else 0}
    into = asked.get("into", "")
    # The widget shows again what was chosen, and stumbles over what is no row's number.
    return {"into": into if re.fullmatch("[0-9]{0,18}", into) else 0}


def _subject(old, new):
    return f"{old}{publishing.ARROW}{new}"[:LONGEST_SUBJECT]


# Those that look alike.


def duplicates(request):
    """Topics whose names differ by no more than case, dashes, accents or a plural, the most used first."""
    _require_view(request)
    number = _page_number(request)
    likenesses, more = _alike(number)
    groups = {likeness: [] for likeness in likenesses}
    for topic in Topic.objects.filter(alias_of=None, likeness__in=likenesses).order_by("-uses", "key"):
        groups[topic.likeness].append(topic)
    context = access.context(
        request,
        "Topics that look alike",
        pairs=[(other, into) for into, *others in groups.values() for other in others],
        page=number,
        before=number - 1,
        after=number + 1 if more else None,
        may_merge=permissions.may(request.user, "merge topics"),
    )
    return render(request, "desk/topics/duplicates.html", context)


def _alike(page):
    """What the topics of each group on this page have in common, and whether there are more."""
    # Looked for in the index alone at first, and with other names among them.
    shared = Topic.objects.values("likeness").annotate(names=Count("pk")).filter(names__gt=1).values("likeness")
    common = Topic.objects.filter(alias_of=None, likeness__in=shared).values_list("likeness", flat=True)
    common = common.annotate(most=Max("uses"))
    several = common.annotate(topics=Count("pk")).filter(topics__gt=1).order_by("-most", "likeness")
    start = (page - 1) * GROUPS_SHOWN
    found = list(several[start : start + GROUPS_SHOWN + 1])
    return found[:GROUPS_SHOWN], len(found) > GROUPS_SHOWN


def _page_number(request):
    number = request.GET.get("page", "")
    return max(int(number), 1) if number.isdecimal() and len(number) < 6 else 1


# What forms on these pages, and on those of categories, have in common.


def posted(request):
    return request.POST if request.method == "POST" else None


def errors_of(form) -> list[str]:
    return [error for errors in form.errors.values() for error in errors]
