"""What the wire costs on a loaded archive: the whole log page by page, and what a 304 saves.

`python -m bench.wire` measures the database of DATABASE_URL, which has to hold an archive. The log is read from the
start to the head, 500 entries a page, some rounds over; the time of a page is the least of its rounds, since whatever
else the machine does only adds to it. Nothing of a page is in the cache when it is asked for.

Pages with documents are shorter, and as slow as their documents are long.

A `304` is the answer to a request with the ETag that was given before, the cache being warm. Its time is compared with
that of the answer in full of which nothing was kept, in turn with it. Times are medians, queries the most of a round.
"""

import statistics
import time

from django.core.cache import cache
from django.db import connection
from django.db.models import Count
from django.test import Client
from django.utils import timezone

from events import addresses
from events.models import Edition, LogHead

ROUNDS = 5
TIMES = 15
LIMIT = 500


def main():
    client = Client(SERVER_NAME="127.0.0.1")
    cursors = _cursors(client)
    for name, query in (("log", ""), ("log_with_documents", "&include=document")):
        rounds = [[_asked_anew(client, _page(cursor, query)) for cursor in cursors] for _ in range(ROUNDS)]
        _report_log(name, rounds)
    for name, path in _paths(cursors).items():
        _report_304(name, [_both(client, path) for _ in range(TIMES)])


def _cursors(client):
    """The cursors before each page, in order."""
    cursors = [""]
    while True:
        page = client.get(_page(cursors[-1])).json()
        if page["next"] == page["head"]["cursor"]:
            return cursors
        cursors.append(page["next"])


def _page(cursor, query=""):
    return f"{addresses.changes()}?limit={LIMIT}{f'&after={cursor}' if cursor else ''}{query}"


def _report_log(name, rounds):
    pages = list(zip(*rounds, strict=True))
    times = [min(seconds for _, seconds, _ in page) for page in pages]
    slowest = times.index(max(times))
    print(f"{name}_entries: {LogHead.objects.get().seq}")
    print(f"{name}_pages: {len(pages)}")
    print(f"{name}_queries: {max(queries for page in pages for queries, _, _ in page)}")
    print(f"{name}_first_ms: {times[0] * 1000:.2f}")
    print(f"{name}_median_ms: {statistics.median(times) * 1000:.2f}")
    print(f"{name}_slowest_ms: {times[slowest] * 1000:.2f}")
    print(f"{name}_slowest_page: {slowest + 1}")
    print(f"{name}_slowest_to_first: {times[slowest] / times[0]:.2f}", flush=True)


def _paths(cursors):
    """One address of each kind: the fullest page of the log, the event with the most versions, a feed, a list."""
    uid = Edition.objects.current(timezone.now()).annotate(count=Count("event__editions")).order_by("-count", "pk")
    return {
        "log": _page(cursors[len(cursors) // 2]),
        "head": addresses.changes_head(),
        "event": addresses.api("events", f"{uid.values_list('event__uid', flat=True)[0]}.json"),
        "feed": addresses.feed("latest"),
        "list": addresses.api("events", "index.json"),
    }


def _both(client, path):
    """(queries, seconds) of the answer in full, then of the 304."""
    queries, seconds, response = _asked_anew(client, path)
    again, faster, unchanged = _asked(client, path, {"If-None-Match": response["ETag"]})
    assert unchanged.status_code == 304, f"{path}: {unchanged.status_code}"
    return queries, seconds, again, faster


def _report_304(name, rounds):
    queries, seconds, again, faster = zip(*rounds, strict=True)
    print(f"{name}_full_queries: {max(queries)}")
    print(f"{name}_full_ms: {statistics.median(seconds) * 1000:.2f}")
    print(f"{name}_304_queries: {max(again)}")
    print(f"{name}_304_ms: {statistics.median(faster) * 1000:.2f}")
    print(f"{name}_304_to_full: {statistics.median(faster) / statistics.median(seconds):.3f}", flush=True)


def _asked_anew(client, path):
    cache.clear()
    queries, seconds, response = _asked(client, path, {})
    assert response.status_code == 200, f"{path}: {response.status_code} {response.content[:200]}"
    return queries, seconds, response


def _asked(client, path, headers):
    """(queries, seconds, answer) of one request through the whole stack."""
    queries = 0

    def count(execute, *args):
        nonlocal queries
        queries += 1
        return execute(*args)

    started = time.perf_counter()
    with connection.execute_wrapper(count):
        response = client.get(path, headers=headers)
    return queries, time.perf_counter() - started, response


if __name__ == "__main__":
    main()
