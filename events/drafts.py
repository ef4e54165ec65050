"""The desk's save: values go into a working copy and into the desk's history together, or not at all.

Knows nothing of the public record, which only `publishing` writes.
"""

import reversion
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone

from events import documents
from events.models import Event, EventTopic, Source

FIELDS = ("date", "headline", "body", "category", "story", "language", "origin", "stage")


class Stale(Exception):
    """The working copy was saved by someone else since `lock_version`."""


def save(event: Event, *, by=None, topics=None, sources=None, comment="", lock_version=None, **values) -> Event:
    """Save `values` of FIELDS into the working copy, new or old, as one save of the desk's history.

    `topics` are topic rows, `sources` are (name, url) pairs in order; None leaves them as they are. A story is put
    among the topics. Raises ValidationError, or Stale if `lock_version` is no longer the row's.
    """
    with transaction.atomic(), reversion.create_revision():
        reversion.set_user(by)
        reversion.set_comment(comment)
        if event.pk:
            event = Event.objects.select_for_update().get(pk=event.pk)
        if lock_version is not None and lock_version != event.lock_version:
            raise Stale("This entry was saved by someone else in the meantime. Look at their changes first.")
        for field in FIELDS:
            setattr(event, field, values.pop(field, getattr(event, field)))
        if values:
            raise TypeError(f"no such field: {', '.join(values)}")
        event.lock_version += 1
        event.modified = timezone.now()
        event.clean()
        event.save()
        _save_topics(event, topics)
        if sources is not None:
            _save_sources(event, sources)
        reversion.add_to_revision(event)
    return event


def _save_topics(event, topics):
    held = set(event.topic_links.values_list("tag_id", flat=True))
    wanted = held if topics is None else {topic.canonical.pk for topic in topics}
    if event.story_id:
        wanted = wanted | {event.story_id}
    if len(wanted) > documents.MAX_TOPICS:
        raise ValidationError({"topics": f"Keep to {documents.MAX_TOPICS} topics."})
    event.topic_links.filter(tag_id__in=held - wanted).delete()
    EventTopic.objects.bulk_create(EventTopic(content_object=event, tag_id=pk) for pk in sorted(wanted - held))


def _save_sources(event, sources):
    if len(sources) > documents.MAX_SOURCES:
        raise ValidationError({"sources": f"Keep to {documents.MAX_SOURCES} sources."})
    rows = {source.position: source for source in event.sources.all()}
    for position, (name, url) in enumerate(sources, 1):
        source = rows.pop(position, None) or Source(event=event, position=position)
        source.name, source.url = name, url
        source.clean()
        source.save()
    event.sources.filter(position__in=rows).delete()
