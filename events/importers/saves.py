"""The rows of an event as django-reversion keeps them in a save, written by hand: its serialisers take a second for
five thousand rows, and an archive has half a million.

Knows nothing of the database. A test holds every byte against what reversion itself writes.
"""

import datetime
import json


def event(event, copy: dict) -> str:
    """An event's row, its working copy as in `copy` (fields by column)."""
    fields = {
        "uid": str(event.uid),
        "date": copy["date"].isoformat(),
        "headline": copy["headline"],
        "body": copy["body"],
        "category": copy["category_id"],
        "story": copy["story_id"],
        "language": copy["language"],
        "origin": copy["origin"],
        "stage": str(copy["stage"]),
        "withdrawn": copy["withdrawn"],
        "lock_version": copy["lock_version"],
        "ref": event.ref,
        "author": event.author_id,
        "created": _moment(event.created),
        "modified": _moment(copy["modified"]),
    }
    return _row("events.event", event.pk, json.dumps(fields, ensure_ascii=False))


def source(pk: int, event: int, position: int, name: str, url: str) -> str:
    fields = {"event": event, "position": position, "name": name, "url": url}
    return _row("events.source", pk, json.dumps(fields, ensure_ascii=False))


def topic_link(pk: int, topic: int, event: int) -> str:
    return _row("events.eventtopic", pk, f'{{"tag": {topic}, "content_object": {event}}}')


def _moment(value: datetime.datetime) -> str:
    """A time as Django's JSON has it: milliseconds where there are any, and `Z`."""
    text = value.astimezone(datetime.UTC).replace(tzinfo=None).isoformat()
    return (text[:23] if value.microsecond else text) + "Z"


def _row(model: str, pk: int, fields: str) -> str:
    return f'[{{"model": "{model}", "pk": {pk}, "fields": {fields}}}]'
