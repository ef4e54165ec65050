"""What an editor fills in: an entry, and what belongs to each decision about one."""

import datetime
import re
from urllib.parse import urlsplit

from django import forms
from django.conf import settings
from django.contrib import admin
from django.contrib.admin.widgets import AutocompleteSelect, AutocompleteSelectMultiple
from django.core.exceptions import ValidationError
from django.utils import timezone

from events import documents, drafts, texts
from events.models import Category, Edition, Event, EventTopic, Topic

BLANK_SOURCES = 2
Kind = Edition.Kind
_URL = re.compile(r"https?://\S+", re.IGNORECASE)


class _KeysOnly:
    """What is no key is refused when the field is cleaned; Django's widgets would fail on showing it again."""

    def optgroups(self, name, value, attrs=None):
        return super().optgroups(name, [key for key in value if _is_key(key)], attrs)


def _is_key(value):
    return re.fullmatch("[0-9]{1,18}", str(value)) is not None


class TopicSelect(_KeysOnly, AutocompleteSelect):
    pass


class TopicsSelect(_KeysOnly, AutocompleteSelectMultiple):
    def value_from_datadict(self, data, files, name):
        # A number that no database holds would be an error of the database, not of the field.
        return [value if _is_key(value) else "?" for value in super().value_from_datadict(data, files, name)]


class SourceRow:
    """A citation as typed, with what is wrong with it."""

    def __init__(self, name: str, url: str):
        self.url = url.strip()
        self.name = " ".join(name.split()) or _host(self.url)

    @property
    def is_blank(self):
        return not self.name and not self.url

    @property
    def problems(self):
        return [problem for problem in (texts.name_problem(self.name), texts.url_problem(self.url)) if problem]


class EntryForm(forms.Form):
    """An entry as typed. `source_rows` are the citations in order; `values()` is what `drafts.save` takes."""

    headline = forms.CharField(
        max_length=texts.MAX_HEADLINE,
        widget=forms.Textarea(attrs={"rows": 3, "dir": "auto"}),
        help_text="One to three sentences that say what happened.",
    )
    body = forms.CharField(
        required=False,
        strip=False,
        max_length=texts.MAX_BODY,
        widget=forms.Textarea(attrs={"rows": 14, "dir": "auto"}),
        help_text="Optional, in Markdown: **bold**, *italic*, [a link](https://…), - lists, > quotations.",
    )
    date = forms.DateField(
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        help_text="The day on which it happened; tomorrow at the latest.",
    )
    category = forms.ModelChoiceField(
        Category.objects.all(),
        required=False,
        empty_label="None: under Other",
        help_text="A section of the day's page.",
    )
    story = forms.ModelChoiceField(
        Topic.objects.select_related("alias_of"),
        required=False,
        widget=TopicSelect(Event._meta.get_field("story"), admin.site),
        help_text="The topic that stands over the headline.",
    )
    topics = forms.ModelMultipleChoiceField(
        Topic.objects.select_related("alias_of"),
        required=False,
        widget=TopicsSelect(EventTopic._meta.get_field("tag"), admin.site),
        help_text="What readers know the context of it by: countries, people, subjects.",
    )
    language = forms.CharField(max_length=35, help_text="A tag such as en, zh or pt-BR.")
    origin_name = forms.CharField(label="Taken from", required=False, max_length=texts.MAX_NAME)
    origin_url = forms.CharField(label="Its address", required=False, max_length=texts.MAX_URL)
    origin_licence = forms.CharField(label="Its licence", required=False, max_length=texts.MAX_NAME)
    pasted = forms.CharField(
        label="Paste sources",
        required=False,
        max_length=documents.MAX_SOURCES * (texts.MAX_NAME + texts.MAX_URL),
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="One a line: an address, or a name and an address.",
    )

    def __init__(self, data=None, *, document: dict | None = None):
        super().__init__(data, initial=_initial(document), label_suffix="")
        if data is not None:
            self.source_rows = _typed_sources(data)
        else:
            self.source_rows = [SourceRow(one["name"], one["url"]) for one in (document or {}).get("sources", [])]

    def clean_headline(self):
        headline = " ".join(self.cleaned_data["headline"].split())
        _refuse(texts.headline_problem(headline))
        return headline

    def clean_body(self):
        body = self.cleaned_data["body"].replace("\r\n", "\n").rstrip()
        _refuse(texts.text_problem(body, texts.MAX_BODY))
        return body

    def clean_language(self):
        _refuse(texts.language_problem(self.cleaned_data["language"]))
        return self.cleaned_data["language"]

    def clean_pasted(self):
        lines = [line for line in self.cleaned_data["pasted"].splitlines() if line.strip()]
        if len(lines) > documents.MAX_SOURCES:
            raise ValidationError(f"An entry has at most {documents.MAX_SOURCES} sources; these are {len(lines):,}.")
        rows = [_pasted(line) for line in lines]
        if None in rows:
            raise ValidationError("Each line needs an address that starts with http:// or https://.")
        return rows

    def clean(self):
        cleaned = super().clean()
        self.source_rows = [row for row in self.source_rows if not row.is_blank]
        if "pasted" in cleaned:
            for row in cleaned["pasted"]:
                if row.url not in {known.url for known in self.source_rows}:
                    self.source_rows.append(row)
        if any(row.problems for row in self.source_rows):
            self.add_error(None, "Look at the sources: at least one cannot be saved as it is.")
        self._clean_origin(cleaned)
        return cleaned

    @classmethod
    def rearranged(cls, data, move: str):
        """What was typed, unchecked, after a source's button: "up-2", "down-0", "remove-1", "more" or "paste"."""
        form = cls()
        form.initial = {name: data.getlist(name) if name == "topics" else data.get(name) for name in form.fields}
        form.source_rows = _typed_sources(data)
        if move == "paste":
            form._paste(data.get("pasted", ""))
        elif move == "more":
            form.source_rows += [SourceRow("", "")] * BLANK_SOURCES
        elif move:
            _move(form.source_rows, *move.partition("-")[::2])
        return form

    def _paste(self, text):
        """Make rows of the lines that name a source, as many as an entry may have; the others stay where they are."""
        self.source_rows = [row for row in self.source_rows if not row.is_blank]
        left = []
        for line in filter(str.strip, text.splitlines()):
            row = _pasted(line) if len(self.source_rows) < documents.MAX_SOURCES else None
            if row is None:
                left.append(line)
            elif row.url not in {known.url for known in self.source_rows}:
                self.source_rows.append(row)
        self.initial["pasted"] = "\n".join(left)

    @property
    def rows_shown(self):
        """The sources with some blank rows after them, one of them always."""
        blank = any(row.is_blank for row in self.source_rows)
        return [*self.source_rows, *([] if blank else [SourceRow("", "")] * BLANK_SOURCES)]

    def values(self) -> dict:
        """What was typed, as `drafts.save` takes it; only of a valid form."""
        fields = ("date", "headline", "body", "category", "language")
        return {name: self.cleaned_data[name] for name in fields} | {
            "story": self.cleaned_data["story"] and self.cleaned_data["story"].canonical,
            "topics": list(self.cleaned_data["topics"]),
            "sources": [(row.name, row.url) for row in self.source_rows],
            "origin": self.cleaned_data["origin"],
        }

    def document(self) -> dict:
        """What was typed, as a document."""
        values = self.values()
        category, story = values["category"], values["story"]
        topics = [topic.canonical for topic in values["topics"]]
        return documents.document(
            date=values["date"],
            headline=values["headline"],
            body=values["body"],
            category=category and documents.category_value(category.name, category.slug),
            story=story and documents.topic_value(story.key, story.name, story.slug),
            topics=[documents.topic_value(topic.key, topic.name, topic.slug) for topic in topics],
            sources=[{"name": name, "url": url} for name, url in values["sources"]],
            language=values["language"],
            origin=values["origin"],
        )

    def _clean_origin(self, cleaned):
        origin = {key: cleaned.get(f"origin_{key}", "") for key in ("name", "url", "licence")}
        cleaned["origin"] = origin if any(origin.values()) else None
        if problem := texts.origin_problem(cleaned["origin"]):
            self.add_error("origin_name", problem)


def _typed_sources(data):
    pairs = zip(data.getlist("source_name"), data.getlist("source_url"), strict=False)
    return [SourceRow(*pair) for pair in pairs]


def _move(rows, where, number):
    if not re.fullmatch("[0-9]{1,4}", number) or int(number) >= len(rows):
        return
    row = rows.pop(int(number))
    if where != "remove":
        rows.insert(max(int(number) + (-1 if where == "up" else 1), 0), row)


def _initial(document):
    if document is None:
        return {"date": timezone.localdate(), "language": settings.LANGUAGE_CODE}
    values = drafts.values(document)
    origin = document["origin"] or {}
    return values | {f"origin_{key}": value for key, value in origin.items()}


def _refuse(problem):
    if problem:
        raise ValidationError(problem)


def _host(url):
    try:
        return (urlsplit(url).hostname or "").removeprefix("www.")
    except ValueError:
        return ""


def _pasted(line):
    """The source that a pasted line names, or None."""
    found = _URL.search(line)
    if not found:
        return None
    return SourceRow(line.replace(found.group(), " ").strip(" \t-–—:|"), found.group())


# Decisions.


class NoteForm(forms.Form):
    """A public note or a comment; what it is called depends on the decision."""

    note = forms.CharField(required=False, max_length=texts.MAX_NOTE, widget=forms.Textarea(attrs={"rows": 3}))

    def __init__(self, *args, label="Note", help_text="", required=False, **kwargs):
        super().__init__(*args, label_suffix="", **kwargs)
        self.fields["note"].label, self.fields["note"].help_text = label, help_text
        self.fields["note"].required = required


class PublishForm(forms.Form):
    """The kind of the next edition with its public note; a first one is of no kind to choose."""

    kind = forms.ChoiceField(
        choices=[
            (Kind.UPDATE, "Update: there are new facts"),
            (Kind.CORRECTION, "Correction: we were wrong, and the note says how"),
            (Kind.MINOR, "Minor change: no fact changed, such as a spelling"),
        ],
        widget=forms.RadioSelect,
        label="What is it?",
    )
    note = forms.CharField(
        label="Public note",
        required=False,
        max_length=texts.MAX_NOTE,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="Readers and partners see it beside the version. A correction needs one.",
    )
    override = forms.CharField(
        label="Minor all the same, because",
        required=False,
        help_text="Only if a change of facts shall pass as minor. Kept in the history, not public.",
    )

    def __init__(self, *args, first=False, may_override=False, **kwargs):
        super().__init__(*args, label_suffix="", **kwargs)
        if first:
            del self.fields["kind"]
        if first or not may_override:
            del self.fields["override"]


class MomentField(forms.DateTimeField):
    """A time in the site's zone; at the ends of the calendar some have none in another."""

    def clean(self, value):
        try:
            moment = super().clean(value)
            return moment and moment.astimezone(datetime.UTC)
        except OverflowError as error:
            raise ValidationError(self.error_messages["invalid"]) from error


class ScheduleForm(PublishForm):
    issue = MomentField(
        label="Publish at",
        widget=forms.DateTimeInput(attrs={"type": "datetime-local", "step": 60}, format="%Y-%m-%dT%H:%M"),
        input_formats=["%Y-%m-%dT%H:%M", "%Y-%m-%d %H:%M", "%Y-%m-%dT%H:%M:%S"],
        error_messages={"invalid": "Give a date and a time, such as 2026-05-01 14:30."},
    )
    field_order = ["issue", "kind", "note", "override"]


class RedactForm(NoteForm):
    """`typed` has to be the version's name, so that no text is removed for good by a slip."""

    typed = forms.CharField(label="Type the version’s name to confirm")
    field_order = ["note", "typed"]

    def __init__(self, *args, name, **kwargs):
        super().__init__(*args, **kwargs)
        self.name = name
        self.fields["typed"].help_text = f"Type: {name}"

    def clean_typed(self):
        if self.cleaned_data["typed"].strip().casefold() != self.name:
            raise ValidationError(f"Type “{self.name}” to confirm. Nothing was removed.")
        return self.cleaned_data["typed"]
