"""The suite's words: small makers of drafts and editions, all through the functions that the desk uses."""

import datetime

from django.contrib.auth.models import Group, User

from events import drafts, publishing
from events.models import Category, Event, Topic

DAY = datetime.date(2017, 2, 25)


def topics(*names):
    return list(Topic.objects.named(names).values())


def topic(name):
    return topics(name)[0]


def category(name):
    return Category.objects.named([name])[name]


def draft(headline="Parliament adopts the budget.", **values):
    """A working copy; `topics` are names, `sources` pairs, `category` and `story` names."""
    return revise(Event(), headline=headline, **{"date": DAY, **values})


def revise(event, **values):
    """Save other values into a working copy, as the desk does."""
    if "topics" in values:
        values["topics"] = topics(*values["topics"])
    if values.get("story"):
        values["story"] = topic(values["story"])
    if values.get("category"):
        values["category"] = category(values["category"])
    return drafts.save(event, **values)


def published(headline="Parliament adopts the budget.", **values):
    """An event with one edition, public now."""
    event = draft(headline, **values)
    publishing.publish(event, by=None)
    return event


def updated(event, kind="update", note="", **values):
    """Another edition of an event, public now."""
    event = revise(event, **values)
    return publishing.publish(event, by=None, kind=kind, note=note)


def in_minutes(number, now):
    """The whole minute that lies `number` minutes ahead."""
    return now.replace(second=0, microsecond=0) + datetime.timedelta(minutes=number)


def person(role="", name="", **values):
    """Someone with a login to the desk: "Reporter", "Editor", "Chief", or "" for one without any permission."""
    user = User.objects.create_user(name or role.lower() or "nobody", is_staff=True, **values)
    user.groups.set(Group.objects.filter(name=role))
    return user
