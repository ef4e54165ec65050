"""Every decision of the desk, made on a page behind which someone else was faster: refused, nothing done, nothing typed
lost; and made again by someone who has seen how things stand."""

import re
from collections.abc import Callable
from typing import Any, NamedTuple

import lxml.html
import pytest
from django.utils import timezone

from events import drafts, publishing
from events.desk import bulk
from events.models import Edition, Event, LogEntry
from tests.words import draft, in_minutes, person, published, revise, updated

pytestmark = pytest.mark.django_db

NOTE = "Somebody typed this note."
MEANWHILE = "This entry was changed by someone else in the meantime."


def in_review(**values):
    event = draft(**values)
    drafts.submit(event, by=None)
    return event


def soon(minutes=60):
    return in_minutes(minutes, timezone.now())


def scheduled(event=None):
    event = event or draft()
    publishing.schedule(event, by=None, issue=soon())
    return event


def live_and_scheduled():
    event = revise(published("Parliament adopts the budget."), body="To be published tomorrow.")
    publishing.schedule(event, by=None, issue=soon(), kind="update")
    return event


def withdrawn():
    event = published()
    publishing.withdraw(event, by=None, note="An error.")
    return event


def with_two_versions():
    event = published()
    updated(event, body="Nobody knows why.")
    return event


def changed(event):
    """Someone saves another text."""
    revise(event, body="Someone else was here.")


class Decision(NamedTuple):
    """What is decided on a page, and `rival`: what someone else, who was faster, decided."""

    path: str
    before: Callable[[], Event]
    typed: dict
    is_done: Callable[[Event], Any]
    rival: Callable[[Event], Any]


def last_kind(event):
    last = event.editions.order_by("number").last()
    return last and last.kind


def is_pending(event):
    return event.editions.filter(issued__gt=timezone.now()).exists()


DECISIONS = [
    Decision(
        "submit",
        draft,
        {"note": NOTE},
        lambda event: event.stage == "review",
        lambda event: drafts.submit(event, by=None),
    ),
    Decision(
        "send-back",
        in_review,
        {"note": NOTE},
        lambda event: event.stage == "draft",
        lambda event: publishing.publish(event, by=None),
    ),
    Decision(
        "publish",
        draft,
        {"note": NOTE},
        lambda event: last_kind(event) == "publish",
        lambda event: publishing.publish(event, by=None),
    ),
    Decision(
        "publish",
        lambda: revise(published(), headline="Parliament rejects the budget."),
        {"note": NOTE, "kind": "correction"},
        lambda event: last_kind(event) == "correction",
        lambda event: publishing.publish(event, by=None, kind="update"),
    ),
    Decision(
        "schedule",
        draft,
        {"note": NOTE, "issue": "2090-01-01T10:00"},
        is_pending,
        lambda event: publishing.schedule(event, by=None, issue=soon()),
    ),
    Decision(
        "unschedule",
        scheduled,
        {},
        lambda event: not is_pending(event),
        lambda event: publishing.unschedule(event, by=None),
    ),
    Decision(
        "correct-now",
        live_and_scheduled,
        {"note": NOTE, "headline": "Parliament adopts a budget."},
        lambda event: event.editions.filter(kind="correction").exists(),
        lambda event: publishing.unschedule(event, by=None),
    ),
    Decision(
        "withdraw",
        published,
        {"note": NOTE},
        lambda event: event.withdrawn,
        lambda event: publishing.withdraw(event, by=None, note="An error."),
    ),
    Decision(
        "restore",
        withdrawn,
        {"note": NOTE},
        lambda event: not event.withdrawn,
        lambda event: publishing.restore(event, by=None),
    ),
    Decision(
        "delete",
        draft,
        {},
        lambda event: event is None,
        lambda event: publishing.publish(event, by=None),
    ),
    Decision(
        "redact/1",
        with_two_versions,
        {"note": NOTE, "typed": "version 1"},
        lambda event: event.editions.get(number=1).document is None,
        lambda event: publishing.redact(event, 1, by=None, note="An address."),
    ),
]


@pytest.fixture
def desk(client):
    client.force_login(person("Chief", "carla"))
    return client


@pytest.fixture(params=DECISIONS, ids=lambda decision: decision.path)
def decision(request):
    return request.param


def form(answer):
    """The form of the page that carries what was seen, as a browser would send it."""
    page = lxml.html.fromstring(answer.content.decode())
    [found] = [form for form in page.forms if any(name.startswith("lock_") for name in form.fields)]
    return found


def sent(filled):
    fields = {}
    for name, value in filled.form_values():
        # The line break with which a text area begins is none of its text.
        fields.setdefault(name, []).append(value.removeprefix("\n"))
    return fields


def opened(desk, decision, event):
    """The address of the decision, and what the page sends once it is filled in."""
    address = f"/desk/events/event/{event.pk}/{decision.path}/"
    typed = sent(form(desk.get(address))) | decision.typed
    return address, confirmed(desk, address, typed) if decision.path == "correct-now" else typed


def confirmed(desk, address, typed):
    """The same once its difference was shown, where the page shows that before it decides."""
    answer = desk.post(address, typed)
    return sent(form(answer)) | {"confirmed": re.search(r'name="confirmed" value="(\w+)"', answer.text)[1]}


def holds_what_was_typed(answer, decision):
    """Whether it is all there to be sent again, but for what cannot be done again by anybody."""
    page = answer.content.decode()
    if "This version has no text." in page:
        return True
    kept = sent(form(answer))
    return all(kept[name] == [value] for name, value in decision.typed.items())


def state(event):
    """All that a decision could change."""
    return (
        Event.objects.filter(pk=event.pk).values().first(),
        list(Edition.objects.filter(event=event).order_by("number").values()),
        list(event.sources.values("position", "name", "url")),
        sorted(event.topics.names()),
        LogEntry.objects.filter(event=event.pk).count(),
    )


def now(event):
    return Event.objects.filter(pk=event.pk).first()


def test_it_works(desk, decision):
    event = decision.before()
    assert not decision.is_done(now(event))
    assert desk.post(*opened(desk, decision, event)).status_code == 302
    assert decision.is_done(now(event))


def test_after_a_save_of_someone_else_it_is_refused(desk, decision):
    event = decision.before()
    address, typed = opened(desk, decision, event)
    changed(event)
    before = state(event)
    answer = desk.post(address, typed)
    assert answer.status_code == 409
    assert MEANWHILE in answer.content.decode()
    assert holds_what_was_typed(answer, decision)
    assert state(event) == before


def test_who_has_looked_may_decide_again(desk, decision):
    event = decision.before()
    address, typed = opened(desk, decision, event)
    changed(event)
    again = sent(form(desk.post(address, typed)))
    if decision.path == "correct-now":
        again = confirmed(desk, address, again)
    assert desk.post(address, again).status_code == 302
    assert decision.is_done(now(event))
    assert now(event) is None or now(event).body == "Someone else was here."


def test_after_a_decision_of_someone_else_it_is_refused(desk, decision):
    event = decision.before()
    address, typed = opened(desk, decision, event)
    decision.rival(now(event))
    before = state(event)
    answer = desk.post(address, typed)
    assert answer.status_code in (400, 409)
    assert holds_what_was_typed(answer, decision)
    assert state(event) == before


def test_what_someone_else_decided_is_not_decided_twice(desk, decision):
    event = decision.before()
    address, typed = opened(desk, decision, event)
    decision.rival(now(event))
    before = state(event)
    answer = desk.post(address, typed | {"lock_version": now(event).lock_version})
    assert answer.status_code == 400
    assert holds_what_was_typed(answer, decision)
    assert state(event) == before


@pytest.mark.parametrize(
    "decision", [one for one in DECISIONS if one.path in bulk.OFFERED], ids=lambda decision: decision.path
)
def test_of_several_entries_the_changed_one_is_refused_and_stays(desk, decision):
    same, other = decision.before(), decision.before()
    address = f"/desk/events/event/bulk/{decision.path}/"
    listed = {"entry": [same.pk, other.pk]} | {f"lock_{one.pk}": now(one).lock_version for one in (same, other)}
    typed = sent(form(desk.get(address, listed))) | decision.typed
    changed(other)
    before = state(other)
    answer = desk.post(address, typed)
    assert answer.status_code == 409
    assert MEANWHILE in answer.content.decode()
    assert decision.is_done(now(same))
    assert state(other) == before
    again = sent(form(answer))
    assert (again["listed"], "entry" in again) == ([str(other.pk)], False)
    assert holds_what_was_typed(answer, decision)
    assert desk.post(address, again | {"entry": other.pk}).status_code == 302
    assert decision.is_done(now(other))


def test_an_entry_that_was_deleted_meanwhile_is_gone(desk):
    event = draft()
    address, typed = opened(desk, DECISIONS[0], event)
    drafts.delete(event, by=None)
    assert desk.post(address, typed).status_code == 404
    assert not LogEntry.objects.exists()
