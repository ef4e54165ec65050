"""What each kind of page costs in queries, milliseconds and bytes at 1,000, 10,000 and all events, at equal addresses.

`python -m bench.pages ARCHIVE` imports the end of ARCHIVE, a file for `import_events`, into SQLite databases of its own
and puts `bench.overlay` over each. `python -m bench.pages URL URL` takes databases that hold them already, the smallest
first. One process per size answers the same requests in turn, so that a slower moment of the machine falls on all of
them alike; figures are medians, of queries and bytes the most. The ratios compare the time at a size with the least.
"""

import json
import os
import random
import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from io import BytesIO
from pathlib import Path
from urllib.parse import unquote

from django.core.cache import cache
from django.core.handlers.wsgi import WSGIHandler
from django.db import connection
from django.db.models import Count, Max, TextField
from django.db.models.functions import Cast, Length
from django.utils import timezone

from events import addresses
from events.importers import files
from events.models import Category, Edition, Topic

SIZES = (1_000, 10_000, None)
ROUNDS = 5
EVENTS = 30
DAYS = 10
WORDS = 5
LARGEST = 20
FORMATS = ("html", "json")


def main(*places):
    if "://" in places[0]:
        for database in places:
            run(["manage.py", "collectstatic", "--noinput", "-v", "0"], database)
        return measure(places)
    with tempfile.TemporaryDirectory(prefix="newsdesk-pages-") as directory:
        lines = [line for _place, line in files.lines(places[0])]
        return measure([loaded(Path(directory), lines[-size:]) for size in (size or len(lines) for size in SIZES)])


def measure(databases):
    workers = [worker(database, "bench.pages") for database in databases]
    workers = {asked(worker, {"size": True}): worker for worker in workers}
    paths = asked(next(iter(workers.values())), {"paths": True})
    for kind, some in paths.items():
        _report(kind, list(workers), [_measured(workers, path) for _ in range(ROUNDS) for path in some])
    for size, process in workers.items():
        print(f"event_html_bytes_beside_body_at_{size}: {asked(process, {'largest': True})}", flush=True)
    end(workers.values())


def loaded(directory, lines):
    """The URL of a database with these events and the overlay."""
    file = directory / f"{len(lines)}.jsonl"
    file.write_text("".join(lines), encoding="utf-8")
    url = f"sqlite:///{directory}/{len(lines)}.sqlite3"
    for command in ("migrate -v 0", "collectstatic --noinput -v 0", f"import_events {file}"):
        run(["manage.py", *command.split()], url)
    run(["-m", "bench.overlay"], url)
    file.unlink()
    return url


def run(command, url):
    subprocess.run([sys.executable, *command], check=True, env=environment(url), stdout=subprocess.DEVNULL)


def environment(url):
    directory = url.removeprefix("sqlite:///").rpartition("/")[0]
    return {**os.environ, "DATABASE_URL": url, "NEWSDESK_VAR": directory}


def worker(url, module):
    """A process over this database that runs the module's answer to `--answer`, a line for each question."""
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    return subprocess.Popen([sys.executable, "-m", module, "--answer"], env=environment(url), **pipes)


def asked(process, question):
    print(json.dumps(question), file=process.stdin, flush=True)
    return json.loads(process.stdout.readline())


def end(workers):
    for process in workers:
        process.stdin.close()
        process.wait()


def _measured(workers, path):
    """{size: [queries uncached, seconds uncached, queries cached, seconds cached, bytes]} of one request to each."""
    return {size: asked(process, {"path": path}) for size, process in workers.items()}


def _report(kind, sizes, measurements):
    medians = {}
    for size in sizes:
        columns = list(zip(*(measured[size] for measured in measurements), strict=True))
        medians[size] = statistics.median(columns[1])
        print(f"{kind}_queries_at_{size}: {max(columns[0])}")
        print(f"{kind}_queries_cached_at_{size}: {max(columns[2])}")
        print(f"{kind}_ms_at_{size}: {medians[size] * 1000:.2f}")
        print(f"{kind}_ms_cached_at_{size}: {statistics.median(columns[3]) * 1000:.2f}")
        print(f"{kind}_bytes_at_{size}: {max(columns[4])}")
    for size in sizes[1:]:
        print(f"{kind}_ratio_{size}_to_{sizes[0]}: {medians[size] / medians[sizes[0]]:.2f}", flush=True)


# The process of one size.


def answer():
    answers = {"size": _size, "paths": _paths, "largest": _bytes_beside_body}
    for line in sys.stdin:
        question = json.loads(line)
        found = _cost(question["path"]) if "path" in question else answers[next(iter(question))]()
        print(json.dumps(found), flush=True)


def _size():
    return Edition.objects.values("event").distinct().count()


def _paths():
    """Addresses of every kind of page in this record; entries and days drawn by chance, and the fullest day."""
    chance = random.Random(2017)
    entries = Edition.objects.current(timezone.now())
    days = [row["date"] for row in entries.values("date").annotate(count=Count("pk")).order_by("-count", "date")]
    days = [days[0], *chance.sample(days[1:], min(DAYS, len(days)) - 1)]
    places = chance.sample(list(entries.order_by("date", "slug").values_list("date", "slug", "number")), EVENTS)
    kinds = {}
    for format in FORMATS:
        kinds |= {
            f"front_{format}": [addresses.front(format)],
            f"day_{format}": [addresses.day(day, format) for day in days],
            f"month_{format}": [addresses.month(day.year, day.month, format) for day in days[:3]],
            f"event_{format}": [addresses.event(date, slug, format) for date, slug, _number in places],
            f"edition_{format}": [addresses.edition(*place, format) for place in places],
            f"year_{format}": [addresses.year(days[0].year, format)],
            f"years_{format}": [addresses.years(format)],
        }
        kinds |= {f"{kind}_{format}": paths for kind, paths in _more(entries, places, days, format).items()}
    return kinds


def _more(entries, places, days, format):
    """The lists that lead across the record, what changed, and the past."""
    topics = Topic.objects.filter(uses__gt=0).order_by("-uses", "key").values_list("slug", flat=True)[:DAYS]
    categories = Category.objects.filter(pk__in=entries.values("category")).values_list("slug", flat=True)
    common, rare = _words(entries)
    return {
        "topic": [addresses.topic(slug, format) for slug in topics],
        "category": [addresses.category(slug, format) for slug in categories],
        "topics": [addresses.topics(format)],
        "topics_letter": [f"{addresses.topics(format)}?letter={letter}" for letter in "amz"],
        "corrections": [addresses.corrections(format)],
        "search_common": [f"{addresses.search(format)}?q={word}" for word in common],
        "search_rare": [f"{addresses.search(format)}?q={word}" for word in rare],
        "comparison": _comparisons(format),
        **_past(entries, places, days, format),
    }


def _words(entries):
    """The words that most headlines have, and some that one has."""
    words = Counter()
    for document in entries.order_by("pk").values_list("document", flat=True):
        words.update(set(re.findall(r"[a-z]{4,}", document["headline"].lower())))
    rare = sorted(word for word, count in words.items() if count == 1)
    return [word for word, _count in words.most_common(WORDS)], random.Random(2017).sample(rare, WORDS)


def _comparisons(format):
    """What changed in events of which two versions in turn have a text."""
    texts = Edition.objects.issued_by(timezone.now()).filter(document__isnull=False)
    later = texts.filter(number__gt=1).order_by("date", "slug").values_list("event", "number", "date", "slug")
    before = set(texts.values_list("event", "number"))
    found = [row for row in later if (row[0], row[1] - 1) in before]
    some = random.Random(2017).sample(found, min(EVENTS, len(found)))
    return [addresses.comparison(date, slug, number - 1, number, format) for _event, number, date, slug in some]


def _past(entries, places, days, format):
    """As the public saw it when the last of a day's entries, or the entry itself, was new."""
    moments = dict(entries.filter(date__in=days).values_list("date").annotate(Max("issued")))
    then = {day: addresses.as_of(moment) for day, moment in moments.items()}
    events = [(date, slug, entries.get(date=date, slug=slug).issued) for date, slug, _number in places]
    return {
        "past_front": [prefix + addresses.front(format) for prefix in then.values()],
        "past_day": [prefix + addresses.day(day, format) for day, prefix in then.items()],
        "past_event": [addresses.as_of(issued) + addresses.event(date, slug, format) for date, slug, issued in events],
    }


def _bytes_beside_body():
    """The most that an event's page has beside its body: of those with the most text, versions or topics."""
    entries = Edition.objects.current(timezone.now())
    longest = entries.order_by(Length(Cast("document", TextField())).desc())
    versions = Edition.objects.values("event").annotate(count=Count("pk")).order_by("-count")[:LARGEST]
    changed = entries.filter(event__in=[row["event"] for row in versions])
    crowded = entries.annotate(count=Count("topic_links")).order_by("-count")
    some = {edition.pk: edition for edition in [*longest[:LARGEST], *changed, *crowded[:LARGEST]]}
    return max(_beside_body(edition) for edition in some.values())


def _beside_body(edition):
    _status, page = _request(addresses.event(edition.date, edition.slug), {})
    _status, shape = _request(addresses.event(edition.date, edition.slug, "json"), {})
    return len(page) - len((json.loads(shape)["body_html"] or "").encode())


def _cost(path):
    cache.clear()
    fresh, kept = answered(path), answered(path)
    return [*fresh, *kept, len(_request(path, {})[1])]


def answered(address, **headers):
    """(queries, seconds) of one request through the whole stack; `headers` as WSGI names them."""
    queries = 0

    def count(execute, *args):
        nonlocal queries
        queries += 1
        return execute(*args)

    started = time.perf_counter()
    with connection.execute_wrapper(count):
        status, _body = _request(address, headers)
    seconds = time.perf_counter() - started
    assert status.startswith("200"), f"{address}: {status}"
    return queries, seconds


HANDLER = WSGIHandler()


def _request(address, headers):
    """(status, body) of an answer."""
    statuses = []
    path, _mark, query = address.partition("?")
    environment = {
        "REQUEST_METHOD": "GET",
        "PATH_INFO": unquote(path).encode().decode("latin-1"),
        "QUERY_STRING": query,
        "SERVER_NAME": "127.0.0.1",
        "SERVER_PORT": "8000",
        "wsgi.url_scheme": "http",
        "wsgi.input": BytesIO(),
        "wsgi.errors": sys.stderr,
    }
    response = HANDLER(environment | headers, lambda status, headers: statuses.append(status))
    body = b"".join(response)
    response.close()
    return statuses[0], body


if __name__ == "__main__":
    answer() if sys.argv[1] == "--answer" else main(*sys.argv[1:])
