"""How fast `import_events` loads an archive, beside publishing one by one and beside bare `bulk_create`.

`python -m bench.importing ARCHIVE` makes databases of its own and removes them: SQLite, or on the PostgreSQL server
that DATABASE_URL names. Rows are those of every table that an import writes. Published one by one are some hundred
events from all years of the archive; `bulk_create` inserts the rows that the import made, table by table, in
transactions of as many rows as a batch of the import has. Waits are those of a process that asks for the lock of the
log meanwhile.
"""

import contextlib
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from itertools import islice
from urllib.parse import urlsplit

from django.conf import settings
from django.db import connection, connections, transaction
from reversion.models import Revision
from reversion.models import Version as Save

from events import drafts, publishing
from events.importers import files, loading, records
from events.models import Address, Category, Edition, EditionTopic, Event, EventTopic, LogEntry, LogHead, Source, Topic

SAMPLE = 300
BATCH = 8_000
POLL = 0.5
# Each after those that its rows name.
TABLES = (Category, Topic, Event, EventTopic, Source, Revision, Save, Edition, EditionTopic, Address, LogEntry)


def main(archive):
    with _databases("imported", "published", "bare") as (imported, published, bare):
        imported_rate = _measure_import(archive, imported)
        published_rate = _rate("published", published, archive)
        bare_rate = _rate("bare", bare, settings_of(imported)["NAME"])
        print(f"import_to_published: {imported_rate / published_rate:.1f}")
        print(f"import_to_bare: {imported_rate / bare_rate:.2f}")


@contextlib.contextmanager
def _databases(*names):
    """The URLs of new databases, migrated."""
    with tempfile.TemporaryDirectory(prefix="newsdesk-importing-") as directory, contextlib.ExitStack() as stack:
        urls = [stack.enter_context(_database(directory, name)) for name in names]
        for url in urls:
            _run(url, "manage.py", "migrate", "-v", "0")
        yield urls


@contextlib.contextmanager
def _database(directory, name):
    if connection.vendor == "sqlite":
        yield f"sqlite:///{directory}/{name}.sqlite3"
        return
    name = f"newsdesk_bench_{os.getpid()}_{name}"
    with connection.cursor() as cursor:
        cursor.execute(f"CREATE DATABASE {name}")
        yield urlsplit(os.environ["DATABASE_URL"])._replace(path=f"/{name}").geturl()
        cursor.execute(f"DROP DATABASE {name} WITH (FORCE)")


def settings_of(url):
    """The settings of another database on the same server."""
    name = url.removeprefix("sqlite:///") if connection.vendor == "sqlite" else urlsplit(url).path[1:]
    return {**settings.DATABASES["default"], "NAME": name}


def _environment(url):
    return {**os.environ, "DATABASE_URL": url}


def _run(url, *command):
    command = [sys.executable, *command]
    return subprocess.run(command, check=True, env=_environment(url), capture_output=True, text=True).stdout


def _measure_import(archive, url):
    connections.databases["imported"] = settings_of(url)
    command = [sys.executable, "manage.py", "import_events", archive]
    started = time.perf_counter()
    with subprocess.Popen(command, env=_environment(url), stdout=subprocess.DEVNULL) as process:
        waits = list(_waits(process))
    seconds = time.perf_counter() - started
    rows = sum(table.objects.using("imported").count() for table in TABLES)
    head = LogHead.objects.using("imported").get().seq
    print(f"events: {Event.objects.using('imported').count()}")
    print(f"rows: {rows}")
    print(f"import_seconds: {seconds:.1f}")
    print(f"import_rows_per_second: {rows / seconds:.0f}")
    print(f"import_peak_megabytes: {resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024:.0f}")
    print(f"wait_for_lock_median_seconds: {statistics.median(waits):.2f}")
    print(f"wait_for_lock_longest_seconds: {max(waits):.2f}")
    started = time.perf_counter()
    _run(url, "manage.py", "import_events", archive)
    print(f"second_import_seconds: {time.perf_counter() - started:.1f}")
    print(f"second_import_entries: {LogHead.objects.using('imported').get().seq - head}", flush=True)
    return rows / seconds


def _waits(process):
    """How long the lock of the log was waited for, again and again until the process ends."""
    while process.poll() is None:
        started = time.perf_counter()
        with transaction.atomic(using="imported"):
            LogHead.objects.using("imported").select_for_update().get()
        yield time.perf_counter() - started
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(POLL)


def _rate(way, url, given):
    rate = float(_run(url, "-m", "bench.importing", f"--{way}", given))
    print(f"{way}_rows_per_second: {rate:.0f}", flush=True)
    return rate


# The processes of one database each, which print rows per second.


def published(archive):
    """Publish events of all years as the desk does: a save and an act for each version."""
    read = records.read(files.lines(archive), loading.rules())
    histories = [record for record in read if isinstance(record, records.History)]
    chosen = list(islice(histories, 0, None, max(len(histories) // SAMPLE, 1)))
    started = time.perf_counter()
    for history in chosen:
        event = Event()
        for version in history.versions:
            event = _publish(event, version)
    _print_rate(sum(table.objects.count() for table in TABLES), started)


def _publish(event, version):
    if version.kind == "withdraw":
        publishing.withdraw(event, by=None, note=version.note)
        return event
    text = version.text
    topics = Topic.objects.named(text.topics.values())
    event = drafts.save(
        event,
        date=text.date,
        headline=text.headline,
        body=text.body,
        category=text.category and Category.objects.named([text.category.name])[text.category.name],
        story=text.story and topics[text.story],
        language=text.language,
        topics=list(topics.values()),
        sources=text.sources,
    )
    # A version that only changes the order of topics is none for the desk.
    with contextlib.suppress(publishing.NothingChanged):
        publishing.publish(event, by=None, kind=version.kind, note=version.note)
    return event


def bare(name):
    """Insert the rows of the database `name` into this one, which is empty; reading them does not count."""
    connections.databases["source"] = {**settings.DATABASES["default"], "NAME": name}
    total, seconds = 0, 0.0
    for table in TABLES:
        rows = table.objects.using("source").order_by().iterator(chunk_size=BATCH)
        while batch := list(islice(rows, BATCH)):
            started = time.perf_counter()
            with transaction.atomic():
                table.objects.using("default").bulk_create(batch)
            seconds += time.perf_counter() - started
            total += len(batch)
    print(total / seconds)


def _print_rate(rows, started):
    print(rows / (time.perf_counter() - started))


if __name__ == "__main__":
    ways = {"--published": published, "--bare": bare}
    ways[sys.argv[1]](sys.argv[2]) if sys.argv[1] in ways else main(sys.argv[1])
