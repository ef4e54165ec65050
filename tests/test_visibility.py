"""Every status against every address: docs/visibility.md is the promise, and the site's answers are held against it."""

import datetime
import functools
import re
from pathlib import Path
from urllib.parse import unquote

import pytest
import time_machine
from django.core.cache import cache

from events import addresses, drafts, publishing
from events.documents import rfc3339
from events.models import Event, LogHead
from tests.words import DAY, draft, in_minutes, published, revise

pytestmark = pytest.mark.django_db

# A second before what is scheduled becomes public.
NOON = datetime.datetime(2026, 11, 22, 12, 0, 59, tzinfo=datetime.UTC)
# When the first version was published, and the moments before and after it whose past is asked for.
MORNING = NOON - datetime.timedelta(hours=3)
MOMENTS = {"before": MORNING - datetime.timedelta(hours=1), "then": MORNING + datetime.timedelta(hours=1)}
DOCUMENT = Path(__file__).parents[1] / "docs" / "visibility.md"
REASON = "canaryreasonx"
# What a row's braces stand for.
FORMATS = {"f": addresses.FORMATS, "feed": addresses.FEEDS, "api": ("json", "xml"), "agency": ("ninjs", "newsml")}


@functools.cache
def table():
    """{status: {address: cell}} of the document, without the cells that name no address."""
    lines = [line for line in DOCUMENT.read_text().splitlines() if line.startswith("|")]
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    statuses = rows[0][1:]
    answers = {status: {} for status in statuses}
    for row in rows[2:]:
        for status, cell in zip(statuses, row[1:], strict=True):
            if cell != "–":
                answers[status][row[0].strip("`")] = cell
    return answers


def values(version):
    """What version `version` says; each part bears a mark of its own."""
    return {
        "headline": f"Canaryhead{version} is told.",
        "body": f"Canarybody{version} is told.",
        "category": f"Canarycategory{version}",
        "story": f"Canarystory{version}",
        "topics": [f"Canarytopic{version}", f"Canarystory{version}"],
        "sources": [(f"Canarysource{version}", f"https://canarysource{version}.example/")],
    }


def slug(version):
    return f"canaryhead{version}-is-told"


TEXT_MARKS = ("canarybody", "canarytopic", "canarystory", "canarycategory", "canarysource")
HEAD_MARKS = ("canaryhead", "canarynote")


def first_version():
    with time_machine.travel(MORNING, tick=False):
        event = draft(**values("1"))
        publishing.publish(event, by=None, note="Canarynote1.")
    return event


def two_versions():
    event = revise(first_version(), **values("2"))
    publishing.publish(event, by=None, kind="correction", note="Canarynote2.")
    return event


def withdrawn():
    event = two_versions()
    publishing.withdraw(event, by=None, note=REASON)
    return event


def restored():
    event = withdrawn()
    publishing.restore(event, by=None)
    return event


def redacted():
    event = two_versions()
    publishing.redact(event, 1, by=None, note=REASON)
    return event


def nothing():
    return Event(date=DAY)


def write(event):
    return revise(event, **values("9"))


def submit(event):
    return drafts.submit(write(event), by=None)


def schedule(event):
    event = write(event)
    kind = "update" if event.editions.exists() else "publish"
    publishing.schedule(event, by=None, kind=kind, issue=in_minutes(1, NOON), note="Canarynote9.")
    return event


# status: (how it comes about, what of an entry that answers alike)
HIDDEN = {
    "draft": (write, nothing),
    "in review": (submit, nothing),
    "scheduled": (schedule, nothing),
    "changed since published": (write, first_version),
    "update scheduled": (schedule, first_version),
}
# status: (how it comes about, the version at the current address, the one at a former address)
SHOWN = {
    "current": (first_version, "1", None),
    "superseded": (two_versions, "2", "1"),
    "withdrawn": (withdrawn, "2", "1"),
    "restored": (restored, "2", "1"),
    "redacted": (redacted, "2", "1"),
}


def paths(name, status, event):
    """The paths that a row of the table stands for, one for each format."""
    _, current, former = SHOWN["current" if status in HIDDEN else status]
    known = {"current": current, "former": former, "first": "1", "unpublished": "9"}
    if name.startswith("/"):
        return in_each_format(name.format_map(words(event, known)))
    if name in ("uid", "changes"):
        return [addresses.uid(event.uid) if name == "uid" else f"{addresses.chosen_versions(event.uid)}?from=1&to=2"]
    *moment, name = name.split("/")
    kind, *rest = name.split(".")
    kind, *of = kind.split()
    lists = {
        "day": addresses.neutral_day(DAY) if not rest else f"{addresses.neutral_day(DAY)}index",
        "front": "/index",
        "month": f"{DAY:/news/%Y/%m/}index",
        "year": f"{DAY:/news/%Y/}index",
        "years": "/news/index",
        "topics": "/topics/index",
        "search": "/search/index",
        "corrections": "/corrections/index",
        "policy": "/corrections/policy",
    }
    version = known.get(kind)
    bearing = {"topic": f"/topics/canarytopic{version}/index", "category": f"/categories/canarycategory{version}/index"}
    path = lists.get(kind) or (bearing[of[0]] if of else addresses.neutral_event(DAY, slug(version)))
    path = ".".join([path, *rest])
    if moment:
        path = addresses.as_of(MOMENTS[moment[0]]) + path
    return in_each_format(path)


def words(event, known):
    """What stands in braces in the path of a row, but for the formats."""
    named = {"topic": "canarytopic{}", "category": "canarycategory{}", "host": "canarysource{}.example"}
    of_versions = {
        f"{kind} {name}": shape.format(version) for kind, version in known.items() for name, shape in named.items()
    }
    moments = {name: rfc3339(moment) for name, moment in MOMENTS.items()}
    return {"uid": event.uid, **of_versions, **moments, **{name: f"{{{name}}}" for name in FORMATS}}


def in_each_format(path):
    name = next((name for name in FORMATS if f"{{{name}}}" in path), None)
    return [path.replace(f"{{{name}}}", format) for format in FORMATS[name]] if name else [path]


def answered(response):
    """The cell that an answer amounts to."""
    headers = "\n".join(f"{key}: {value}" for key, value in response.headers.items())
    said = unquote(f"{headers}\n{response.content.decode()}").lower()
    texts = "".join(version for version in "129" if any(f"{mark}{version}" in said for mark in TEXT_MARKS))
    heads = "".join(version for version in "129" if any(f"{mark}{version}" in said for mark in HEAD_MARKS))
    code = "→" if response.status_code in (301, 302) else str(response.status_code)
    parts = [code, texts and f"T{texts}", heads and f"H{heads}", "X" if REASON in said else ""]
    return " ".join(filter(None, parts))


@pytest.fixture(autouse=True)
def frozen_clock_and_neighbours(db):
    """Noon, with entries on the days around, so that the day itself lies inside the record, always has it."""
    cache.clear()
    with time_machine.travel(MOMENTS["before"], tick=False):
        for days in (-1, 1):
            published("A neighbour.", date=DAY + datetime.timedelta(days=days))
    with time_machine.travel(NOON, tick=False) as clock:
        yield clock


def test_table_names_every_status():
    assert table().keys() == SHOWN.keys() | HIDDEN.keys()


def rows(status, event):
    """{path: cell} of everything that the table says of a status."""
    return {path: cell for name, cell in table()[status].items() for path in paths(name, status, event)}


def in_two_formats(paths):
    """Without those in XML and Markdown, which say what JSON does; HTML alone has something beside the shape."""
    return {path for path in paths if re.sub(r"\.(xml|md)\b", ".json", path, count=1) not in paths - {path}}


@pytest.mark.parametrize("status", SHOWN)
def test_addresses_answer_as_the_table_says(status, client):
    promised = rows(status, SHOWN[status][0]())
    asked = in_two_formats(promised.keys())
    assert {path: answered(client.get(path)) for path in asked} == {path: promised[path] for path in asked}


@pytest.mark.trial
@pytest.mark.parametrize("status", SHOWN)
def test_addresses_answer_so_in_every_format(status, client):
    promised = rows(status, SHOWN[status][0]())
    assert {path: answered(client.get(path)) for path in promised} == promised


FOUND_IN = ("head", "body", "topic", "story", "category", "source")


def searches(version):
    """A search for each part of a version."""
    return [f"{addresses.search('json')}?q=canary{kind}{version}" for kind in FOUND_IN]


def filters(version):
    """The list of the API for each of its filters that knows a part of a version."""
    asked = [("q", kind) for kind in FOUND_IN] + [(kind, kind) for kind in ("topic", "category", "story")]
    return [f"{addresses.api('events', '')}?{name}=canary{kind}{version}" for name, kind in asked]


def of_a_version(event, version):
    """What else may be asked about this version, whether there is one or not."""
    named = {name: f"canary{name}{version}" for name in ("topic", "story", "category")}
    place = DAY, slug(version)
    neutral = addresses.neutral_event(*place)
    yield from (neutral, f"{neutral}.html", f"{neutral}.json", f"{neutral}.v1.json", f"{neutral}.v2.html")
    yield from (addresses.timemap(*place), addresses.event_feed(*place))
    for name in ("topic", "story"):
        yield from (addresses.topic(named[name], "json"), addresses.topic_feed(named[name]))
    yield from (addresses.category(named["category"], "json"), addresses.category_feed(named["category"]))
    yield from (*searches(version), *filters(version))
    for name in ("topic", "category"):
        yield f"{addresses.search('json')}?q={name}:{named[name]}"
        yield f"{addresses.changes()}?{name}={named[name]}&include=document"
    yield from (addresses.api("topics", named["topic"]), addresses.api("categories", named["category"]))
    yield addresses.api("sources", f"canarysource{version}.example")
    yield f"{addresses.api('topics', '')}?q=canarytopic{version}"
    yield from (
        f"{addresses.api('events', event.uid)}/versions/{number}.{format}"
        for number in (1, 2)
        for format in ("json", "ninjs")
    )
    yield from (f"{addresses.api('events', '')}?kind={kind}" for kind in ("publish", "update", "correction"))


def asked_anew(client, paths):
    """{path: (status, headers, body)}, and {path: cell}."""
    cache.clear()
    answers = {path: client.get(path) for path in paths}
    said = {path: (answer.status_code, dict(answer.headers), answer.content) for path, answer in answers.items()}
    return said, {path: answered(answer) for path, answer in answers.items()}


@pytest.mark.parametrize("start", [nothing, first_version])
def test_nothing_differs_because_of_what_is_not_public(start, client):
    """Down to the last header, and to the last second: every address answers as it did before it was written."""
    event = start()
    promised = {status: rows(status, event) for status, (_, like) in HIDDEN.items() if like is start}
    asked = in_two_formats({path for cells in promised.values() for path in cells})
    before, cells = asked_anew(client, asked.union(of_a_version(event, "9")))
    for status in promised:
        event = HIDDEN[status][0](event)
        assert asked_anew(client, before)[0] == before, status
        assert {path: cells[path] for path in asked} == {path: promised[status][path] for path in asked}


@pytest.mark.parametrize("status", SHOWN)
def test_searches_and_lists_find_and_count_what_is_current_and_nothing_else(status, client):
    start, current, _ = SHOWN[status]
    start()
    public = current if status != "withdrawn" else None
    for version in "12":
        number = int(version == public)
        for kind, path in zip(FOUND_IN, searches(version), strict=True):
            shape = client.get(path).json()
            assert shape["count"] == len(shape["events"]) == number
            assert len(shape["years"]) == len(shape["categories"]) == number
            assert len(shape["topics"]) == (number if kind in ("topic", "story") else 0)
        for path in filters(version):
            assert len(client.get(path).json().get("events", [])) == number, path


@pytest.mark.parametrize("status", SHOWN)
def test_topics_categories_and_sources_count_what_is_current(status, client):
    start, current, _ = SHOWN[status]
    start()
    public = current if status != "withdrawn" else None
    for query in ({"letter": "c"}, {"q": "canary"}, {}):
        counts = {
            topic["name"]: topic["count"] for topic in client.get(addresses.topics("json"), query).json()["topics"]
        }
        assert counts == ({f"Canarystory{public}": 1, f"Canarytopic{public}": 1} if public else {})
    told = client.get(addresses.api("topics", "")).json()["topics"]
    assert {topic["name"] for topic in told} == counts.keys()
    told = client.get(addresses.api("sources", "")).json()["sources"]
    assert [(source["host"], source["count"]) for source in told] == (
        [(f"canarysource{public}.example", 1)] if public else []
    )
    told = client.get(addresses.api("categories", "")).json()["categories"]
    assert [category["name"] for category in told] == ([f"Canarycategory{public}"] if public else [])
    categories = client.get(addresses.front("json")).json()["categories"]
    assert [category["name"] for category in categories] == ([f"Canarycategory{public}"] if public else [])


@pytest.mark.parametrize("start", [nothing, first_version])
def test_at_its_hour_it_is_on_every_page_without_any_job(client, start, frozen_clock_and_neighbours):
    event = schedule(start())
    frozen_clock_and_neighbours.move_to(in_minutes(1, NOON))
    head = LogHead.objects.get().seq
    for path in (*paths("day.{f}", "current", event), *paths("front.{f}", "current", event)):
        assert "T9" in answered(client.get(path))
    assert "T9" in answered(client.get(addresses.event(DAY, slug("9"))))
    assert "T9 H9" in answered(client.get(addresses.topic("canarytopic9", "json")))
    assert "T9 H9" in answered(client.get(addresses.category("canarycategory9", "json")))
    for query in ({"letter": "c"}, {"q": "canary"}, {}):
        topics = client.get(addresses.topics("json"), query).json()["topics"]
        assert [(topic["name"], topic["count"]) for topic in topics] == [("Canarystory9", 1), ("Canarytopic9", 1)]
    assert client.get(addresses.search("json"), {"q": "told"}).json()["count"] == 1
    assert client.get(addresses.search("json"), {"q": "canarybody1"}).json()["count"] == 0
    for path in (
        "/feeds/latest.json",
        addresses.topic_feed("canarytopic9"),
        addresses.category_feed("canarycategory9"),
    ):
        assert "T9 H9" in answered(client.get(path))
    for path in (
        addresses.api("events", ""),
        addresses.api("events", event.uid),
        addresses.api("topics", "canarytopic9"),
    ):
        assert "T9" in answered(client.get(path))
    for path in (addresses.timemap(DAY, slug("9")), addresses.sitemap(2017), "/news-sitemap.xml"):
        assert re.search("H1?9", answered(client.get(path)))
    assert client.get(addresses.api("sources", "")).json()["sources"][0]["host"] == "canarysource9.example"
    assert LogHead.objects.get().seq == head
    # The log alone is written, by whoever reads it first.
    assert re.search("T1?9 H1?9", answered(client.get(f"{addresses.changes()}?include=document")))
    assert LogHead.objects.get().seq == head + 1


def test_what_a_follower_of_a_topic_hears_of_a_withdrawn_entry_are_uids_and_kinds(client):
    """The log keeps that something happened, and to which event; what it said is gone from it."""
    event = withdrawn()
    for query in ({}, {"include": "document"}):
        entries = client.get(addresses.changes(), query).json()["entries"]
        ours = [entry for entry in entries if entry["event"] == str(event.uid)]
        assert [entry["kind"] for entry in ours] == ["publish", "correction", "withdraw"]
        assert [entry["note"] for entry in ours] == ["", "", REASON]
        assert not any(entry.get(name) for entry in ours for name in ("document", "salt", "slug"))
