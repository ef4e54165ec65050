"""How well and how fast `related.choose` chooses, beside what django-taggit's `similar_objects()` does.

`python -m bench.related ARCHIVE` imports ARCHIVE, a file for `import_events`, into SQLite databases of its own. A
database in DATABASE_URL that holds events already is timed in place of the one with the whole archive.

Relevance: the story of every event is taken out of its story and its topics, latest versions alone; of the five chosen
for an event, the share that had the same story counts, on average. Asked are 4,000 of the events of 2003 to 2017 whose
story at least six have. Speed: the same questions to the record as it is, the two ways side by side; and the last
events of the archive, in a record of them alone and in the whole one.
"""

import datetime
import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from django.db import connection
from django.utils import timezone

from events import related, slugs
from events.importers import files
from events.models import Edition, Event

YEARS = range(2003, 2018)
SHARED_BY = 6
QUESTIONS = 4_000
SMALL = 1_000


def main(archive):
    lines = [line for _place, line in files.lines(archive)]
    latest = {event["ref"]: event for event in map(_latest, map(json.loads, lines)) if event}
    asked = _questions(latest.values())
    recent = list(latest)[-SMALL // 2 :]
    with tempfile.TemporaryDirectory(prefix="newsdesk-related-") as directory:
        hidden = _loaded(directory, "hidden", [json.dumps(_without_story(event)) + "\n" for event in latest.values()])
        stories = {ref: event["story"] and slugs.fold(event["story"]) for ref, event in latest.items()}
        _answer(hidden, "relevance", asked, stories)
        small = _loaded(directory, "small", lines[-SMALL:])
        whole = _given() or _loaded(directory, "whole", lines)
        _answer(whole, "speed", asked)
        _answer(small, f"at_{SMALL}", recent)
        _answer(whole, "at_all", recent)


def _latest(event):
    """The event with its latest version alone; None for a withdrawn one, and for a line that is no event."""
    if "ref" not in event:
        return None
    *_, version = event.get("versions", [event])
    if version.get("kind") == "withdraw":
        return None
    version = {"story": None, **version, "kind": "publish"}
    return {"ref": event["ref"], "date": version.pop("date", event["date"]), **version}


def _questions(events):
    """The refs asked about."""
    dated = [event for event in events if datetime.date.fromisoformat(event["date"]).year in YEARS and event["story"]]
    shared = Counter(slugs.fold(event["story"]) for event in dated)
    refs = [event["ref"] for event in dated if shared[slugs.fold(event["story"])] >= SHARED_BY]
    return random.Random(2017).sample(sorted(refs), min(QUESTIONS, len(refs)))


def _without_story(event):
    key = event["story"] and slugs.fold(event["story"])
    return {**event, "story": None, "topics": [name for name in event["topics"] if slugs.fold(name) != key]}


def _given():
    """DATABASE_URL, if events are there."""
    is_filled = Event._meta.db_table in connection.introspection.table_names() and Event.objects.exists()
    return os.environ.get("DATABASE_URL") if is_filled else None


def _loaded(directory, name, lines):
    """The URL of a new database with these events."""
    file = Path(directory, f"{name}.jsonl")
    file.write_text("".join(lines), encoding="utf-8")
    url = f"sqlite:///{directory}/{name}.sqlite3"
    for command in ("migrate -v 0", f"import_events {file}"):
        command = [sys.executable, "manage.py", *command.split()]
        subprocess.run(command, check=True, env=_environment(url), stdout=subprocess.DEVNULL)
    return url


def _environment(url):
    return {**os.environ, "DATABASE_URL": url}


def _answer(url, *question):
    command = [sys.executable, "-m", "bench.related", "--answer"]
    subprocess.run(command, check=True, env=_environment(url), input=json.dumps(question), text=True)


# The process of one database.


def answer(measure, asked, *more):
    at = timezone.now()
    editions = {edition.event.ref: edition for edition in _editions(at, asked)}
    editions = [editions[ref] for ref in asked if ref in editions]
    if measure == "relevance":
        _report_relevance(editions, at, *more)
    elif measure == "speed":
        _report_speed(editions, at)
    else:
        _report("choose", measure, [_seconds(related.choose, edition, at) for edition in editions])


def _editions(at, asked):
    editions = Edition.objects.current(at).select_related("event")
    for start in range(0, len(asked), 500):
        yield from editions.filter(event__ref__in=asked[start : start + 500])


def _report_relevance(editions, at, stories):
    ways = {"choose": lambda edition: _chosen(edition, at), "similar_objects": _similar}
    print(f"questions: {len(editions)}")
    for name, way in ways.items():
        shares = [_share(stories, edition.event.ref, way(edition)) for edition in editions]
        print(f"{name}_relevance: {statistics.mean(shares):.4f}", flush=True)


def _chosen(edition, at):
    uids = [one["uid"] for one in related.choose(edition, at)]
    return Event.objects.filter(uid__in=uids).values_list("ref", flat=True)


def _similar(edition):
    return [event.ref for event in edition.event.topics.similar_objects()[: related.SHOWN]]


def _share(stories, ref, others):
    return sum(stories[other] == stories[ref] for other in others) / related.SHOWN


def _report_speed(editions, at):
    """The two ways take turns in going first, since the second finds what both read in the memory already."""
    print(f"events: {Event.objects.count()}")
    seconds = {"choose": [], "similar_objects": []}
    for number, edition in enumerate(editions):
        ways = [("choose", related.choose, edition, at), ("similar_objects", edition.event.topics.similar_objects)]
        for name, act, *args in ways if number % 2 else reversed(ways):
            seconds[name].append(_seconds(act, *args))
    (median, high), (its_median, its_high) = [_report(name, "ms", some) for name, some in seconds.items()]
    print(f"choose_to_similar_objects_median: {median / its_median:.3f}")
    print(f"choose_to_similar_objects_p95: {high / its_high:.3f}")
    print(f"choose_p95_to_median: {high / median:.2f}")


def _seconds(act, *args):
    started = time.perf_counter()
    act(*args)
    return time.perf_counter() - started


def _report(name, measure, seconds):
    """Print and return the median and the 95th percentile."""
    median, high = statistics.median(seconds), statistics.quantiles(seconds, n=20)[-1]
    print(f"{name}_{measure}_median: {median * 1000:.2f}")
    print(f"{name}_{measure}_p95: {high * 1000:.2f}", flush=True)
    return median, high


if __name__ == "__main__":
    answer(*json.load(sys.stdin)) if sys.argv[1] == "--answer" else main(sys.argv[1])
