"""What the list of entries can be narrowed to: the form, what each of its fields means, and the search over all texts.

Knows nothing of the page. A value that makes no sense is an error that says so, and then no entry fits.
"""

import re
import uuid

from django import forms
from django.contrib.auth import get_user_model
from django.core.exceptions import ValidationError
from django.db.models import Exists, OuterRef, Q

from events import permissions, slugs, texts
from events.desk import waiting
from events.models import Category, Edition, Event, EventTopic, Source, Topic

MAX_QUERY = 200
MAX_WORDS = 10
STATES = {
    "live": "Live",
    "changed": "Live, with changes",
    "unpublished": "Not published",
    "scheduled": "Scheduled",
    "withdrawn": "Withdrawn",
}
ORDERS = {
    "-date": ("Newest date first", ("-date", "-pk")),
    "date": ("Oldest date first", ("date", "pk")),
    "-modified": ("Last changed first", ("-modified", "-pk")),
    "modified": ("Longest unchanged first", ("modified", "pk")),
}
DEFAULT_ORDER = "-date"
# What these ask for stands in no index, so what fits is found in one go rather than counted first.
_FOUND_IN_ONE_GO = {"q", "kind", "stage", "state"}
_SAID = {
    "invalid": "Give a day such as 2017-02-25.",
    "invalid_choice": "“%(value)s” is none of these. Choose one.",
}
_WORD = re.compile(r'"([^"]+)"|([^\s"]+)')


class TopicField(forms.CharField):
    """A topic by its name, or any it was ever known by, or by its number."""

    def __init__(self, **kwargs):
        super().__init__(max_length=texts.MAX_NAME, required=False, **kwargs)

    def clean(self, value):
        name = super().clean(value)
        if not name:
            return None
        topic = self._named(name) or self._numbered(name)
        if topic is None:
            raise ValidationError(f"There is no topic “{name}”. Choose one of those that are offered.")
        return topic.canonical

    def _named(self, name):
        return Topic.objects.select_related("alias_of").filter(key=slugs.fold(name)).first()

    def _numbered(self, name):
        return Topic.objects.select_related("alias_of").filter(pk=number(name)).first()


class Filters(forms.Form):
    """The filters as asked for; `narrow` applies them."""

    q = forms.CharField(
        label="Search", required=False, max_length=MAX_QUERY, widget=forms.TextInput(attrs={"type": "search"})
    )
    stage = forms.ChoiceField(label="Stage", required=False, choices=[("", "Any"), *Event.Stage.choices])
    state = forms.ChoiceField(label="State", required=False, choices=[("", "Any"), *STATES.items()])
    category = forms.ModelChoiceField(Category.objects.all(), label="Category", required=False, empty_label="Any")
    story = TopicField(label="Story", widget=forms.TextInput(attrs={"list": "story_names", "autocomplete": "off"}))
    topic = TopicField(label="Topic", widget=forms.TextInput(attrs={"list": "topic_names", "autocomplete": "off"}))
    author = forms.ChoiceField(label="Author", required=False)
    kind = forms.ChoiceField(label="Last version", required=False, choices=[("", "Any"), *Edition.Kind.choices])
    sent_back = forms.BooleanField(label="Sent back", required=False)
    care = forms.BooleanField(label="Needs care", required=False)
    o = forms.ChoiceField(
        label="Order", required=False, choices=[(value, label) for value, (label, _fields) in ORDERS.items()]
    )
    field_order = [
        "q", "state", "stage", "category", "story", "topic", "author", "kind", "from", "to", "sent_back", "care", "o",
    ]  # fmt: skip

    def __init__(self, asked, *, user):
        super().__init__(asked, label_suffix="")
        self.user = user
        self.fields["author"].choices = [("", "Anyone"), ("me", "Me"), *_authors(user)]
        # Named by no attribute, since `from` is a word of the language.
        for name, label in (("from", "From"), ("to", "To")):
            self.fields[name] = forms.DateField(label=label, required=False, widget=_date_input())
        for field in self.fields.values():
            field.error_messages |= _SAID
        self.order_fields(self.field_order)

    def clean_q(self):
        if len(words(self.cleaned_data["q"])) > MAX_WORDS:
            raise ValidationError(f"Search for {MAX_WORDS} words at most.")
        return self.cleaned_data["q"]

    def clean(self):
        cleaned = super().clean()
        first, last = cleaned.get("from"), cleaned.get("to")
        if first and last and first > last:
            self.add_error("from", "The first day lies after the last.")
        return cleaned

    def narrow(self, events):
        """The events that fit, in order."""
        if not self.is_valid():
            return events.none()
        for name, value in self.cleaned_data.items():
            if value and name in _NARROWED:
                events = _NARROWED[name](events, value, self.user)
        return events.order_by(*ORDERS[self.order][1])

    @property
    def order(self):
        return self.cleaned_data.get("o") or DEFAULT_ORDER

    @property
    def is_found_in_one_go(self):
        return any(self.data.get(name) for name in _FOUND_IN_ONE_GO)

    @property
    def narrows(self):
        """Whether more than the search is in use, so that its fields should be seen."""
        return any(self.data.get(name) for name in self.fields if name != "q")

    @property
    def plain_fields(self):
        return [field for field in self if field.name != "q"]

    @property
    def asked(self):
        """(label, what was asked for in words, the address's query without it) for each filter in use."""
        return [
            (self.fields[name].label, self._in_words(name), self.query(**{name: None}))
            for name in self.fields
            if name != "o" and self.data.get(name)
        ]

    def query(self, **changes):
        """The query of the list's address with these changes; None takes a filter away. It begins at the first page."""
        values = {name: self.data.get(name, "") for name in self.fields} | changes
        kept = self.data.copy()
        kept.clear()
        kept.update({name: value for name, value in values.items() if value})
        return f"?{kept.urlencode()}"

    def _in_words(self, name):
        value = self.cleaned_data.get(name) or self.data[name]
        field = self.fields[name]
        if isinstance(field, forms.BooleanField):
            return "yes"
        if isinstance(field, forms.ChoiceField) and not isinstance(field, forms.ModelChoiceField):
            return {str(choice): label for choice, label in field.choices}.get(value, value)
        return str(value)


def words(query: str) -> list[str]:
    """The words and "quoted phrases" of a query."""
    found = ((phrase or word).strip() for phrase, word in _WORD.findall(query))
    return [word for word in found if slugs.fold(word)]


def number(typed: str) -> int | None:
    """A row's number as typed, if it can be one."""
    return int(typed) if typed.isascii() and typed.isdecimal() and len(typed) < 19 else None


def _search(events, query, user):
    for word in words(query):
        events = events.filter(_mentions(word))
    return events


def _mentions(word):
    """Whether the word stands in any text of an entry. Rows that belong to one are sought first and once for all."""
    named = Topic.objects.filter(key__contains=slugs.fold(word))
    aliased = named.exclude(alias_of=None)
    links = EventTopic.objects.filter(Q(tag__in=named.values("pk")) | Q(tag__in=aliased.values("alias_of")))
    sources = Source.objects.filter(_contains("name", word) | _contains("url", word))
    return (
        _contains("headline", word)
        | _contains("body", word)
        | Q(category__in=Category.objects.filter(_contains("name", word)).values("pk"))
        | Q(pk__in=links.values("content_object"))
        | Q(pk__in=sources.values("event"))
        | _uid(word)
    )


def _contains(field, word):
    # SQLite folds the case of ASCII letters only, so others are looked for as they are usually written.
    spellings = {word} if word.isascii() else {word, word.lower(), word.upper(), word.capitalize()}
    found = Q()
    for spelling in sorted(spellings):
        found |= Q(**{f"{field}__icontains": spelling})
    return found


def _uid(word):
    try:
        return Q(uid=uuid.UUID(word))
    except ValueError:
        return Q()


def _in_stage(events, stage, user):
    # What is in hand has an index of its own.
    return (events if stage == Event.Stage.READY else waiting.in_hand(events)).filter(stage=stage)


def _of_topic(events, topic, user):
    return events.filter(pk__in=EventTopic.objects.filter(tag=topic).values("content_object"))


def _last_of_kind(events, kind, user):
    last = Edition.objects.filter(superseded=None, kind=kind)
    if kind == Edition.Kind.PUBLISH:
        # Of most entries, so the first of them are soon met in the order of the list.
        return events.filter(Exists(last.filter(event=OuterRef("pk"))))
    return events.filter(pk__in=last.values("event"))


_NARROWED = {
    "q": _search,
    "stage": _in_stage,
    "state": lambda events, state, user: waiting.in_state(events, state),
    "category": lambda events, category, user: events.filter(category=category),
    "story": lambda events, story, user: events.filter(story=story),
    "topic": _of_topic,
    "author": lambda events, author, user: events.filter(author=user.pk if author == "me" else author),
    "from": lambda events, date, user: events.filter(date__gte=date),
    "to": lambda events, date, user: events.filter(date__lte=date),
    "kind": _last_of_kind,
    "sent_back": lambda events, asked, user: waiting.in_hand(events).filter(stage=Event.Stage.DRAFT).exclude(remark=""),
    "care": lambda events, asked, user: waiting.lacking(events),
}


def _authors(user):
    """(pk, name) of the people who wrote what the user may see."""
    written = permissions.visible_to(user, Event.objects.filter(author=OuterRef("pk")))
    people = get_user_model().objects.filter(Exists(written)).order_by("username")
    return [(person.pk, person.get_full_name() or person.get_username()) for person in people]


def _date_input():
    return forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
