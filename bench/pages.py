"""What each kind of page costs in queries and milliseconds, at 1,000, 10,000 and all events, at the same addresses.

`python -m bench.pages ARCHIVE` imports the end of ARCHIVE, a file for `import_events`, into SQLite databases of its own
and puts `bench.overlay` over each. One process per size answers the same requests in turn, so that a slower moment of
the machine falls on all of them alike; figures are medians. The ratios compare the time at a size with the least.
"""

import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from io import BytesIO
from pathlib import Path
from urllib.parse import unquote

from django.core.cache import cache
from django.core.handlers.wsgi import WSGIHandler
from django.db import connection
from django.db.models import Count
from django.utils import timezone

from events import addresses
from events.importers import files
from events.models import Edition

SIZES = (1_000, 10_000, None)
ROUNDS = 5
EVENTS = 30
DAYS = 10
FORMATS = ("html", "json")


def main(archive):
    with tempfile.TemporaryDirectory(prefix="newsdesk-pages-") as directory:
        lines = [line for _place, line in files.lines(archive)]
        databases = {size: loaded(Path(directory), lines[-size:]) for size in (size or len(lines) for size in SIZES)}
        sizes = list(databases)
        workers = {size: worker(database, "bench.pages") for size, database in databases.items()}
        paths = asked(workers[sizes[0]], {"paths": True})
        for kind, some in paths.items():
            _report(kind, sizes, [_measured(workers, path) for _ in range(ROUNDS) for path in some])
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
    subprocess.run([sys.executable, *command], check=True, env=_environment(url), stdout=subprocess.DEVNULL)


def _environment(url):
    directory = url.removeprefix("sqlite:///").rpartition("/")[0]
    return {**os.environ, "DATABASE_URL": url, "NEWSDESK_VAR": directory}


def worker(url, module):
    """A process over this database that runs the module's answer to `--answer`, a line for each question."""
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    return subprocess.Popen([sys.executable, "-m", module, "--answer"], env=_environment(url), **pipes)


def asked(process, question):
    print(json.dumps(question), file=process.stdin, flush=True)
    return json.loads(process.stdout.readline())


def end(workers):
    for process in workers:
        process.stdin.close()
        process.wait()


def _measured(workers, path):
    """{size: [queries uncached, seconds uncached, queries cached, seconds cached]} of one request to each."""
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
    for size in sizes[1:]:
        print(f"{kind}_ratio_{size}_to_{sizes[0]}: {medians[size] / medians[sizes[0]]:.2f}", flush=True)


# The process of one size.


def answer():
    for line in sys.stdin:
        question = json.loads(line)
        print(json.dumps(_paths() if "paths" in question else _cost(question["path"])), flush=True)


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
    return kinds


def _cost(path):
    cache.clear()
    return [*answered(path), *answered(path)]


def answered(address, **headers):
    """(queries, seconds) of one request through the whole stack; `headers` as WSGI names them."""
    queries = 0

    def count(execute, *args):
        nonlocal queries
        queries += 1
        return execute(*args)

    started = time.perf_counter()
    with connection.execute_wrapper(count):
        status = _request(address, headers)
    seconds = time.perf_counter() - started
    assert status.startswith("200"), f"{address}: {status}"
    return queries, seconds


HANDLER = WSGIHandler()


def _request(address, headers):
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
    b"".join(response)
    response.close()
    return statuses[0]


if __name__ == "__main__":
    answer() if sys.argv[1] == "--answer" else main(sys.argv[1])
