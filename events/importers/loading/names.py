"""The rows of categories and topics that imported records name, made where they are missing."""

from collections.abc import Iterable, Iterator

from django.db.models import Max

from events import slugs
from events.importers.records import Named, TopicNames
from events.log import Act, public_act
from events.models import Category, LogEntry, Topic
from events.publishing import ARROW


def category_rows(wanted: Iterable[Named]) -> dict[Named, Category]:
    """The category of each; by its slug if it has one, since a category keeps that when it is given another name."""
    wanted = list(dict.fromkeys(wanted))
    by_slug = {row.slug: row for row in Category.objects.filter(slug__in=[named.slug for named in wanted])}
    by_name = {row.name: row for row in Category.objects.filter(name__in=[named.name for named in wanted])}
    rows = {}
    for named in wanted:
        row = by_slug.get(named.slug) or by_name.get(named.name) or _new_category(named)
        by_slug[row.slug] = by_name[row.name] = rows[named] = row
    return rows


def _new_category(named: Named) -> Category:
    if not named.slug:
        return Category.objects.named([named.name])[named.name]
    last = Category.objects.aggregate(last=Max("position"))["last"] or 0
    return Category.objects.create(name=named.name, slug=named.slug, position=last + 1)


def load_topics(batch: list[TopicNames]) -> list[str]:
    """Let the aliases of each line lead to its topic, as acts of the log; returns what could not be done."""
    with public_act(None, None) as act:
        names = _Names(act, batch)
        problems = [f"{line.place}: {reason}" for line in batch for reason in names.load(line)]
        Topic.objects.bulk_update(names.changed, ["alias_of"])
    return problems


class _Names:
    """The rows of all topics and aliases of a batch of lines, and which of them it made."""

    def __init__(self, act: Act, batch: list[TopicNames]):
        self.act = act
        named = [name for line in batch for name in (line.topic, *line.aliases)]
        known = set(Topic.objects.filter(key__in=[name.key for name in named]).values_list("key", flat=True))
        _create([name for name in named if name.key not in known])
        self.rows = Topic.objects.named([name.name for name in named])
        self.new = self.rows.keys() - known
        self.heads = {line.topic.key for line in batch}
        self.changed: list[Topic] = []

    def load(self, line: TopicNames) -> Iterator[str]:
        for name in (line.topic, *line.aliases):
            if name.slug not in ("", self.rows[name.key].slug):
                yield f"the slug of “{name.name}” is {self.rows[name.key].slug} here, not {name.slug}."
        topic = self.rows[line.topic.key]
        for name in line.aliases:
            if name.key == topic.key:
                self._respell(name.name, topic)
            elif self._refuses(self.rows[name.key], topic.canonical):
                yield f"“{name.name}” is a topic by itself here; merge it into “{topic.name}” at the desk."

    def _respell(self, former: str, topic: Topic) -> None:
        """Say that a name of the same key was the topic's; nothing changes, since the row has the later one."""
        if topic.key in self.new and former != topic.name:
            self._enter(LogEntry.Kind.TOPIC_RENAME, former, topic)

    def _refuses(self, alias: Topic, topic: Topic) -> bool:
        if alias.canonical == topic:
            return False
        if alias.key not in self.new or alias.key in self.heads or alias.alias_of:
            return True
        alias.alias_of = topic
        self.changed.append(alias)
        self._enter(LogEntry.Kind.TOPIC_MERGE, alias.name, topic)
        return False

    def _enter(self, kind: str, former: str, topic: Topic) -> None:
        self.act.append(kind, None, occurred=self.act.now, note=f"{former}{ARROW}{topic.name}")


def _create(named: list[Named]) -> None:
    """Make a row of each whose slug is free, in order; those that are left take a numbered one later."""
    wanted = [name.slug or slugs.topic_slug(name.name) for name in named]
    taken = set(Topic.objects.filter(slug__in=wanted).values_list("slug", flat=True))
    rows: dict[str, Topic] = {}
    for name, slug in zip(named, wanted, strict=True):
        if slug not in taken and name.key not in rows:
            rows[name.key] = Topic(name=name.name, slug=slug, key=name.key, likeness=slugs.likeness(name.name))
            taken.add(slug)
    Topic.objects.bulk_create(rows.values(), ignore_conflicts=True)
    Topic.objects.filter(key__in=rows).index_words()
