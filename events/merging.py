"""Two people's changes of one document put together: what both wrote stays, and what cannot be told is named.

Works on documents alone, `base` being what both started from; who they are and what is saved is not known here.
"""

from collections import Counter
from collections.abc import Callable
from typing import NamedTuple

from events import diffs


class Merge(NamedTuple):
    """The merged document, and each changed field in one of five lists.

    `conflicts`: changed differently by both, resolved to mine; `theirs` and `mine`: changed by one side alone; `both`:
    changed to the same; `combined`: topics or sources to which both sides' changes were applied.
    """

    document: dict
    conflicts: list[str]
    theirs: list[str]
    mine: list[str]
    both: list[str]
    combined: list[str]


def merge(base: dict | None, theirs: dict, mine: dict, resolve: Callable[[str], object] = lambda key: key) -> Merge:
    """Both sides' changes of `base`; without a base, every field that differs is a conflict.

    `resolve` is that of `documents.same`.
    """
    if base is None:
        return Merge(mine, diffs.fields(theirs, mine, resolve), [], [], [], [])
    by_them, by_me = diffs.fields(base, theirs, resolve), diffs.fields(base, mine, resolve)
    apart = set(diffs.fields(theirs, mine, resolve)).intersection(by_them, by_me)
    sources, sources_clash = _sources(base["sources"], theirs["sources"], mine["sources"])
    combined = [field for field in ("topics", "sources") if field in apart and (field == "topics" or not sources_clash)]
    only_theirs = [field for field in by_them if field not in by_me]
    merged = mine | {field: theirs[field] for field in only_theirs} | {"sources": sources}
    return Merge(
        document=merged | {"topics": _topics(base, theirs, mine, merged["story"], resolve)},
        conflicts=[field for field in by_me if field in apart and field not in combined],
        theirs=only_theirs,
        mine=[field for field in by_me if field not in by_them],
        both=[field for field in by_me if field in by_them and field not in apart],
        combined=combined,
    )


def _topics(base: dict, theirs: dict, mine: dict, story: dict | None, resolve) -> list[dict]:
    old, other, own = ({resolve(topic["key"]): topic for topic in side["topics"]} for side in (base, theirs, mine))
    stays = (other.keys() & own.keys()) | ((other.keys() | own.keys()) - old.keys())
    topics = {key: topic for key, topic in (other | own).items() if key in stays}
    if story:
        topics[resolve(story["key"])] = story
    return sorted(topics.values(), key=lambda topic: topic["key"])


def _sources(base: list[dict], theirs: list[dict], mine: list[dict]) -> tuple[list[dict], bool]:
    """The sources after both sides' changes, and whether some were changed in ways that cannot both hold."""
    counts = [Counter(source["url"] for source in side) for side in (base, theirs, mine)]
    doubled = {url for urls in counts for url in urls if urls[url] > 1}
    old, other, own = (_keyed(side, doubled) for side in (base, theirs, mine))
    merged, apart = {}, False
    for key in other | own:
        before, their_source, my_source = old.get(key), other.get(key), own.get(key)
        merged[key] = their_source if my_source == before else my_source
        apart = apart or (their_source != my_source and before not in (their_source, my_source))
    stays = {key for key, source in merged.items() if source}
    return [merged[key] for key in _order(stays, list(old), list(other), list(own))], apart


def _keyed(sources: list[dict], doubled: set[str]) -> dict[tuple, dict]:
    """Each source by its URL; where one stands there more than once, by its name and count too."""
    seen, keyed = Counter(), {}
    for source in sources:
        key = (source["url"], source["name"] if source["url"] in doubled else "")
        seen[key] += 1
        keyed[*key, seen[key]] = source
    return keyed


def _order(stays: set, old: list, other: list, own: list) -> list:
    """My order if I changed it, else theirs; what only the other side has follows the source that it followed there."""
    moved = [key for key in own if key in old] != [key for key in old if key in own]
    lead, rest = (own, other) if moved else (other, own)
    order = [key for key in lead if key in stays]
    place = 0
    for key in rest:
        if key in order:
            place = order.index(key) + 1
        elif key in stays:
            order.insert(place, key)
            place += 1
    return order
