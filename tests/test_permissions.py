"""Who may do what: each role, each verb, on entries of their own and of others, through the services themselves."""

import pytest
from django.contrib.auth.models import AnonymousUser, Group
from django.core.exceptions import PermissionDenied
from django.utils import timezone

from events import drafts, permissions, previews, publishing
from events.models import Edition, Event, LogEntry
from events.refusals import Refused
from tests.words import DAY, draft, in_minutes, person, published, revise, topic

pytestmark = pytest.mark.django_db
Stage = Event.Stage


def soon():
    return in_minutes(3, timezone.now())


def scheduled(**values):
    event = draft(**values)
    publishing.schedule(event, by=None, issue=soon())
    return event


def scheduled_over_live(**values):
    event = revise(published(**values), headline="Parliament adopts another budget.")
    publishing.schedule(event, by=None, kind="update", issue=soon())
    return event


def withdrawn(**values):
    event = published(**values)
    publishing.withdraw(event, by=None, note="It did not happen.")
    return event


def in_review(**values):
    return drafts.submit(draft(**values), by=None)


def superseded(**values):
    event = revise(published(**values), headline="Parliament adopts another budget.")
    publishing.publish(event, by=None, kind="update")
    return event


# Verb -> (what it is done to, how).
ACTS = {
    "edit": (draft, lambda event, by: drafts.save(event, by=by, headline="Another.")),
    "submit": (draft, lambda event, by: drafts.submit(event, by=by)),
    "send back": (in_review, lambda event, by: drafts.send_back(event, by=by, comment="Two sources, please.")),
    "delete": (draft, lambda event, by: drafts.delete(event, by=by)),
    "publish": (draft, lambda event, by: publishing.publish(event, by=by)),
    "schedule": (draft, lambda event, by: publishing.schedule(event, by=by, issue=soon())),
    "unschedule": (scheduled, lambda event, by: publishing.unschedule(event, by=by)),
    "correct now": (
        scheduled_over_live,
        lambda event, by: publishing.correct_now(event, by=by, note="It was wrong.", headline="It was another."),
    ),
    "withdraw": (published, lambda event, by: publishing.withdraw(event, by=by, note="It did not happen.")),
    "restore": (withdrawn, lambda event, by: publishing.restore(event, by=by)),
    "redact": (superseded, lambda event, by: publishing.redact(event, 1, by=by, note="A private address.")),
    "share": (draft, lambda event, by: previews.make(event, by=by, hours=1)),
    "relate": (draft, lambda event, by: publishing.choose_related(event, draft("Other."), by=by, shown=True)),
}
EDITORS = {
    "edit",
    "submit",
    "send back",
    "delete",
    "publish",
    "schedule",
    "unschedule",
    "correct now",
    "share",
    "relate",
}
CHIEFS = set(ACTS)
TABLE = {
    ("Reporter", "own"): {"edit", "submit", "send back", "delete", "share"},
    ("Reporter", "others"): set(),
    ("Editor", "own"): EDITORS,
    ("Editor", "others"): EDITORS,
    ("Chief", "own"): CHIEFS,
    ("Chief", "others"): CHIEFS,
    ("", "own"): set(),
    ("", "others"): set(),
}


def state(event):
    row = Event.objects.filter(pk=event.pk).values().first()
    beside = (Edition.objects, LogEntry.objects, event.previews, event.related_choices)
    return row, *(rows.count() for rows in beside)


@pytest.mark.parametrize("verb", ACTS)
@pytest.mark.parametrize(("role", "whose"), TABLE)
def test_table_of_roles_and_verbs(role, whose, verb):
    by = person(role)
    make, act = ACTS[verb]
    event = make()
    Event.objects.filter(pk=event.pk).update(author=by if whose == "own" else person("Reporter", "another"))
    event.refresh_from_db()
    before = state(event)
    if verb in TABLE[role, whose]:
        act(event, by)
        assert state(event) != before
    else:
        with pytest.raises(PermissionDenied):
            act(event, by)
        assert state(event) == before


class TestReporters:
    def test_what_is_written_belongs_to_its_author(self):
        reporter = person("Reporter")
        assert drafts.save(Event(), by=reporter, headline="New.", date=DAY).author == reporter

    def test_own_entry_in_review_is_the_editors(self):
        reporter = person("Reporter")
        event = drafts.save(Event(), by=reporter, headline="New.", date=DAY)
        drafts.submit(event, by=reporter)
        with pytest.raises(PermissionDenied):
            drafts.save(event, by=reporter, headline="Newer.")

    def test_own_entry_that_was_public_is_no_draft_again(self):
        reporter = person("Reporter")
        event = drafts.save(Event(), by=reporter, headline="New.", date=DAY)
        publishing.publish(event, by=None)
        revise(event, headline="Newer.")
        event.refresh_from_db()
        assert event.stage == Stage.DRAFT
        for act in ("edit", "submit", "delete"):
            assert not permissions.may(reporter, act, event)

    def test_only_own_entries_are_seen(self):
        reporter = person("Reporter")
        own = drafts.save(Event(), by=reporter, headline="New.", date=DAY)
        draft("Another's.")
        assert list(permissions.visible_to(reporter, Event.objects.all())) == [own]
        assert permissions.visible_to(person("Editor"), Event.objects.all()).count() == 2
        assert not permissions.visible_to(person(), Event.objects.all()).exists()


class TestOwnPublishing:
    @pytest.fixture
    def own(self):
        return drafts.save(Event(), by=person("Editor"), headline="New.", date=DAY)

    def test_one_may_by_default(self, own):
        assert publishing.publish(own, by=own.author).number == 1

    def test_setting_asks_for_another_pair_of_eyes(self, own, settings):
        settings.NEWSDESK_OWN_PUBLISHING = False
        with pytest.raises(PermissionDenied, match="somebody else has to publish"):
            publishing.publish(own, by=own.author)
        with pytest.raises(PermissionDenied, match="somebody else has to publish"):
            publishing.schedule(own, by=own.author, issue=soon())
        assert publishing.publish(own, by=person("Editor", "second")).number == 1

    def test_setting_does_not_hold_back_a_withdrawal(self, settings):
        settings.NEWSDESK_OWN_PUBLISHING = False
        event = drafts.save(Event(), by=person("Chief"), headline="New.", date=DAY)
        publishing.publish(event, by=None)
        assert publishing.withdraw(event, by=event.author, note="It did not happen.")


def test_entry_without_an_author_is_nobody_s():
    event = draft()
    assert event.author is None
    assert not permissions.is_own(AnonymousUser(), event) and not permissions.is_own(None, event)
    assert not any(permissions.may(AnonymousUser(), verb, event) for verb in permissions.NEEDED)


def test_people_whose_account_is_closed_may_nothing():
    chief = person("Chief", is_active=False)
    for verb in permissions.NEEDED:
        assert not permissions.may(chief, verb)


def test_every_group_of_the_migration_exists_with_each_permission_once():
    for name in ("Reporter", "Editor", "Chief"):
        group = Group.objects.get(name=name)
        assert group.permissions.count() == group.permissions.values("codename").distinct().count() > 4


def test_topics_are_for_editors():
    for role, allowed in (("Reporter", False), ("Editor", True), ("Chief", True)):
        by = person(role)
        for act in (
            lambda by=by, role=role: publishing.rename_topic(topic(f"a {role}"), f"b {role}", by=by),
            lambda by=by, role=role: publishing.merge_topics(topic(f"c {role}"), topic(f"d {role}"), by=by),
            lambda by=by, role=role: publishing.add_alias(topic(f"e {role}"), f"f {role}", by=by),
        ):
            if allowed:
                act()
            else:
                with pytest.raises(PermissionDenied):
                    act()


@pytest.mark.parametrize("verb", [verb for verb in ACTS if verb not in ("share", "relate")])
def test_every_act_of_an_editor_carries_what_they_saw(verb):
    """Whoever decides about an entry that was changed meanwhile is refused, and nothing is done."""
    make, _act = ACTS[verb]
    event = make()
    before = state(event)
    stale = event.lock_version
    Event.objects.filter(pk=event.pk).update(lock_version=stale + 5)
    services = {
        "edit": lambda: drafts.save(event, lock_version=stale, headline="Another."),
        "submit": lambda: drafts.submit(event, by=None, lock_version=stale),
        "send back": lambda: drafts.send_back(event, by=None, comment="No.", lock_version=stale),
        "delete": lambda: drafts.delete(event, by=None, lock_version=stale),
        "publish": lambda: publishing.publish(event, by=None, lock_version=stale),
        "schedule": lambda: publishing.schedule(event, by=None, lock_version=stale, issue=soon()),
        "unschedule": lambda: publishing.unschedule(event, by=None, lock_version=stale),
        "correct now": lambda: publishing.correct_now(event, by=None, lock_version=stale, note="x", headline="It was."),
        "withdraw": lambda: publishing.withdraw(event, by=None, lock_version=stale, note="x"),
        "restore": lambda: publishing.restore(event, by=None, lock_version=stale),
        "redact": lambda: publishing.redact(event, 1, by=None, lock_version=stale, note="x"),
    }
    with pytest.raises(Refused, match="changed by someone else"):
        services[verb]()
    row, *counts = state(event)
    assert counts == list(before[1:]) and row | {"lock_version": 0} == before[0] | {"lock_version": 0}
