"""The desk's front page: what waits for the person who looks, in lists that stay short however much is done."""

import datetime
from typing import NamedTuple
from urllib.parse import urlencode

from django.core.exceptions import PermissionDenied
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone

from events import permissions
from events.desk import access, tags, waiting
from events.formats import shapes
from events.models import Event

SHOWN = 10
# What a row shows: long texts stay in the database.
_ENTRY = ["headline", "stage", "withdrawn", "remark", "modified", "category"]
_ENTRY += ["author__username", "author__first_name", "author__last_name"]
_EDITION = ["kind", "note", "issued", "event__headline"]


class Row(NamedTuple):
    """An entry in a list: `words` and `moment` say what happened last, `due` when it changes by itself."""

    event: Event
    words: str = ""
    moment: datetime.datetime | None = None
    badge: str = ""
    note: str = ""
    due: datetime.datetime | None = None


class Waiting(NamedTuple):
    """A list of the front page: its first rows, how many there are, what to do if none.

    `all` is where all of them are; `older` says so where those that are older are there, too.
    """

    name: str
    title: str
    rows: list[Row]
    count: int
    all: str
    empty: str
    older: str = ""


def index(request, extra_context=None):
    """What waits. Refused to staff who have no permission of the desk at all."""
    user = request.user
    if not (user.has_module_perms("events") or user.has_perm("auth.view_user")):
        raise PermissionDenied("Your account has no role at the desk yet. Ask a chief for one.")
    at = timezone.now().replace(microsecond=0)
    seen = permissions.may(user, "view")
    context = access.context(
        request,
        "What waits",
        now=at,
        lists=_Lists(user, at).all() if seen else [],
        entries=_entries() if seen else "",
        alike=waiting.look_alikes() if permissions.may(user, "merge topics") else [],
        shown=SHOWN,
    )
    return TemplateResponse(request, "desk/index.html", context | (extra_context or {}))


class _Lists:
    """The lists of one person at one moment, in the order in which somebody has to act."""

    def __init__(self, user, at):
        self.at = at
        self.events = permissions.visible_to(user, Event.objects.all())
        self.sees_all = user.has_perm(permissions.NEEDED["view"])
        self.which = waiting.lists(user, at)
        self.counts = waiting.counts(self.events, user, at)

    def all(self):
        """What waits comes before what does not."""
        own = [self.sent_back(), self.review(), self.drafts(), self.scheduled()]
        lists = [*own, self.changed(), self.care(), self.corrections(), self.withdrawn()]
        return sorted(lists, key=lambda each: not each.rows)

    def sent_back(self):
        rows = [_saved(event, note=event.remark) for event in self._in_hand("sent_back", "-modified")]
        empty = "Nothing was sent back to you."
        return self._listed("sent_back", "Sent back to you", rows, empty, sent_back=1, author="me")

    def review(self):
        rows = [_saved(event) for event in self._in_hand("review", "modified")]
        if self.sees_all:
            return self._listed("review", "To review", rows, "Nothing waits for review.", stage="review")
        empty = "Nothing of yours waits for an editor. Submit a draft when it is done."
        return self._listed("review", "With the editors", rows, empty, stage="review")

    def drafts(self):
        rows = [_saved(event) for event in self._in_hand("drafts", "-modified")]
        empty = "Nothing waits. Write a new entry (N)."
        return self._listed("drafts", "Your drafts", rows, empty, stage="draft", state="unpublished", author="me")

    def changed(self):
        rows = [_saved(event) for event in self._in_hand("changed", "-modified")]
        empty = "Readers see everything that was written into live entries."
        return self._listed("changed", "Live, with unpublished changes", rows, empty, state="changed")

    def care(self):
        copies = waiting.lacking(self._light()).order_by("-modified", "-pk")[:SHOWN]
        rows = [_saved(event, words=_lacking(event)) for event in copies]
        empty = "Every entry in hand has a source, a topic and a category."
        return self._listed("care", "Needs care", rows, empty, care=1)

    def scheduled(self):
        pending = waiting.in_state(self._light(), "scheduled", self.at)
        rows = [
            Row(event, badge=tags.status(event), due=event.last_issued)
            for event in pending.order_by("last_issued", "pk")[:SHOWN]
        ]
        empty = "Nothing is scheduled. An entry that can be published can be published at a time, too."
        count = waiting.in_state(self.events, "scheduled", self.at).count()
        return Waiting("scheduled", "Scheduled", rows, count, _entries(state="scheduled"), empty)

    def withdrawn(self):
        latest = waiting.withdrawals(self._light(), self.at)
        rows = [Row(event, "Withdrawn", event.last_issued, note=event.reason) for event in latest[:SHOWN]]
        empty = "Nothing was withdrawn in the last thirty days."
        everything = _entries(state="withdrawn")
        return Waiting(
            "withdrawn", "Withdrawn lately", rows, latest.count(), everything, empty, "All that are withdrawn"
        )

    def corrections(self):
        acts = waiting.corrections(self.events, self.at)
        latest = acts.select_related("event").only(*_EDITION)[:SHOWN]
        rows = [Row(act.event, shapes.LABELS[act.kind], act.issued, note=act.note) for act in latest]
        empty = "Nothing was corrected, withdrawn or restored in the last seven days."
        everything = _entries(kind="correction")
        return Waiting(
            "corrections", "Corrections of the last week", rows, acts.count(), everything, empty, "All last corrected"
        )

    def _listed(self, name, title, rows, empty, **query):
        return Waiting(name, title, rows, self.counts[name], _entries(**query), empty)

    def _in_hand(self, name, order):
        copies = waiting.in_hand(self._light()).filter(self.which[name])
        return copies.order_by(order, "pk")[:SHOWN]

    def _light(self):
        return waiting.with_last(self.events.select_related("author").only(*_ENTRY), self.at)


def _saved(event, words="", note=""):
    written = f"{tags.person(event.author)}, saved" if event.author else "Saved"
    return Row(event, f"{words} {written}".strip(), event.modified, tags.status(event), note)


def _lacking(event):
    lacks = {"source": event.lacks_source, "topic": event.lacks_topic, "category": event.category_id is None}
    return f"No {', no '.join(part for part, missing in lacks.items() if missing)}."


def _entries(**query):
    """The address of the list of entries, narrowed to these."""
    address = reverse("admin:events_event_changelist")
    return f"{address}?{urlencode(query)}" if query else address
