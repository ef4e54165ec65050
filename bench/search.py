"""What a search costs beside the bare query of the engine that it stands on, for a common, a frequent and a rare word.

`python -m bench.search` measures the database of DATABASE_URL, which has to hold an archive; on PostgreSQL after a
VACUUM. The bare query asks the engine for the keys of its own twenty best, whether public or not. `finding` is which
of all that have the word are public, in which order, and how many by year and category; its ratio is to the bare query.
`sql` is the whole search: the entries of the page loaded, and topics that fit. These are timed in the database alone,
in turn, so that a slower moment of the machine falls on all; figures are medians. `page` is the HTML, uncached.
"""

import statistics
import time
from urllib.parse import urlencode

from django.core.cache import cache
from django.core.management import call_command
from django.db import connection
from django.utils import timezone

from bench.pages import answered
from events import addresses, queries, search
from events.models import Edition, SearchRow

ROUNDS = 15
SAMPLE = 2_000
# The twenty best as the engine itself ranks them, by statistics that know texts which are not public.
BARE = {
    "sqlite": "SELECT rowid FROM events_search WHERE events_search MATCH %s ORDER BY rank LIMIT 20",
    "postgresql": (
        "SELECT edition_id FROM events_searchrow WHERE vector @@ %s::tsquery "
        "ORDER BY ts_rank(vector, %s::tsquery) DESC LIMIT 20"
    ),
}


def main():
    call_command("collectstatic", interactive=False, verbosity=0)
    for kind, word in words().items():
        rounds = [_measured(word) for _ in range(ROUNDS)]
        bare, finding, sql, page = (statistics.median(column) for column in zip(*rounds, strict=True))
        name = f"{connection.vendor}_{kind}"
        print(f"{name}_entries: {search.find(queries.parse(word), timezone.now()).count}")
        print(f"{name}_bare_ms: {bare * 1000:.2f}")
        print(f"{name}_finding_ms: {finding * 1000:.2f}")
        print(f"{name}_sql_ms: {sql * 1000:.2f}")
        print(f"{name}_page_ms: {page * 1000:.2f}")
        for what, place in (("finding", 1), ("sql", 2)):
            ratio = statistics.median(times[place] / times[0] for times in rounds)
            print(f"{name}_{what}_to_bare: {ratio:.2f}", flush=True)


def words():
    """The commonest word of this record, one in about a hundred entries, and one that a single entry has."""
    heads = SearchRow.objects.order_by("pk").values_list("head", flat=True)
    step = max(1, heads.count() // SAMPLE)
    numbers = {}
    for head in list(heads)[::step]:
        for word in set(head.split()) - {"¶"}:
            numbers[word] = numbers.get(word, 0) + 1
    ranked = sorted(numbers, key=lambda word: (-numbers[word], word))
    frequent = next(word for word in ranked if numbers[word] <= SAMPLE // 100)
    rare = next(word for word in reversed(ranked) if search.find(queries.parse(word), timezone.now()).count == 1)
    return {"common": ranked[0], "frequent": frequent, "rare": rare}


def _measured(word):
    """Seconds of the bare query, of the finding, of all statements of a search, and of the whole page."""
    query = queries.parse(word)
    bare = BARE[connection.vendor]
    bare_seconds = _seconds([(bare, [f"'{word}'" if "tsquery" in bare else f'"{word}"'] * bare.count("%s"))])
    entries = Edition.objects.current(timezone.now())
    finding_seconds = _seconds(_statements(lambda: search.hits(query, entries)))
    sql_seconds = _seconds(_statements(lambda: list(search.find(query, timezone.now()).topics)))
    cache.clear()
    _queries, page_seconds = answered(f"{addresses.search()}?{urlencode({'q': word})}")
    return bare_seconds, finding_seconds, sql_seconds, page_seconds


def _statements(ask):
    """The statements that `ask` sends, with their parameters."""
    sent = []

    def note(execute, sql, params, *rest):
        sent.append((sql, params))
        return execute(sql, params, *rest)

    with connection.execute_wrapper(note):
        ask()
    return sent


def _seconds(statements):
    """How long the database takes for the statements and all their rows."""
    started = time.perf_counter()
    with connection.cursor() as cursor:
        for sql, params in statements:
            cursor.execute(sql, params)
            cursor.fetchall()
    return time.perf_counter() - started


if __name__ == "__main__":
    main()
