"""Every status against every address: docs/visibility.md is the promise, and the site's answers are held against it."""

import datetime
import re
from pathlib import Path
from urllib.parse import unquote

import pytest
import time_machine
from django.core.cache import cache

from events import addresses, publishing
from events.models import Event, LogHead
from tests.test_permissions import in_review
from tests.words import DAY, draft, in_minutes, published, revise

pytestmark = pytest.mark.django_db

NOON = datetime.datetime(2026, 11, 22, 12, 0, 20, tzinfo=datetime.UTC)
# When the first version was published, and the moments before and after it whose past is asked for.
MORNING = NOON - datetime.timedelta(hours=3)
MOMENTS = {"before": MORNING - datetime.timedelta(hours=1), "then": MORNING + datetime.timedelta(hours=1)}
DOCUMENT = Path(__file__).parents[1] / "docs" / "visibility.md"
REASON = "canaryreasonx"


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


def schedule(event, kind):
    event = revise(event, **values("9"))
    publishing.schedule(event, by=None, kind=kind, issue=in_minutes(1, NOON), note="Canarynote9.")
    return event


# status: (how it comes about, the version at the current address, the one at a former address)
STATUSES = {
    "draft": (lambda: draft(**values("9")), None, None),
    "in review": (lambda: in_review(**values("9")), None, None),
    "scheduled": (lambda: schedule(Event(date=DAY), "publish"), None, None),
    "current": (first_version, "1", None),
    "update scheduled": (lambda: schedule(first_version(), "update"), "1", None),
    "changed since published": (lambda: revise(first_version(), **values("9")), "1", None),
    "superseded": (two_versions, "2", "1"),
    "withdrawn": (withdrawn, "2", "1"),
    "restored": (restored, "2", "1"),
    "redacted": (redacted, "2", "1"),
}


def paths(name, status, event):
    """The paths that a row of the table stands for, one for each format."""
    _, current, former = STATUSES[status]
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
    version = {"current": current, "former": former, "first": "1", "unpublished": "9"}.get(kind)
    bearing = {"topic": f"/topics/canarytopic{version}/index", "category": f"/categories/canarycategory{version}/index"}
    path = lists.get(kind) or (bearing[of[0]] if of else addresses.neutral_event(DAY, slug(version)))
    path = ".".join([path, *rest])
    if moment:
        path = addresses.as_of(MOMENTS[moment[0]]) + path
    return [path.format(f=format) for format in addresses.FORMATS] if "{f}" in path else [path]


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
    assert table().keys() == STATUSES.keys()


@pytest.mark.parametrize("status", STATUSES)
def test_addresses_answer_as_the_table_says(status, client):
    event = STATUSES[status][0]()
    answers = {
        (name, path): answered(client.get(path)) for name in table()[status] for path in paths(name, status, event)
    }
    assert answers == {(name, path): table()[status][name] for name, path in answers}


def everything_said(client, event, versions):
    """Status, headers and body of every address that the entry has or might have.

    In HTML, which alone has something beside the shape, and in JSON for the other formats.
    """
    asked = {
        path for status in ("current", "superseded") for name in table()[status] for path in paths(name, status, event)
    }
    asked |= {
        addresses.neutral_event(DAY, slug(version)) + end for version in versions for end in ("", ".html", ".json")
    }
    for version in versions:
        asked |= {addresses.topic(f"canary{kind}{version}", "json") for kind in ("topic", "story")}
        asked |= {f"{addresses.search('json')}?q=canary{kind}{version}" for kind in ("head", "body", "topic", "story")}
        asked |= {f"{addresses.search('json')}?q={kind}:canary{kind}{version}" for kind in ("topic", "category")}
        asked.add(addresses.category(f"canarycategory{version}", "json"))
    cache.clear()
    responses = {path: client.get(path) for path in sorted(asked) if not re.search(r"\.(xml|md)\b", path)}
    return {path: (said.status_code, dict(said.headers), said.content) for path, said in responses.items()}


@pytest.mark.parametrize("start", [lambda: draft(**values("9")), first_version])
def test_nothing_differs_because_something_is_scheduled(client, start, frozen_clock_and_neighbours):
    event = start()
    before = everything_said(client, event, "129")
    schedule(event, "update" if event.editions.exists() else "publish")
    assert everything_said(client, event, "129") == before
    frozen_clock_and_neighbours.move_to(in_minutes(1, NOON) - datetime.timedelta(seconds=1))
    assert not any(
        re.search(rb"canary\w+9", said[2].lower())
        for path, said in everything_said(client, event, "129").items()
        if "q=" not in path  # A search repeats what was asked for.
    )


def test_nothing_differs_because_of_a_draft(client):
    event = Event(date=DAY)
    before = everything_said(client, event, "9")
    event = revise(event, **values("9"))
    assert everything_said(client, event, "9") == before
    schedule(event, "publish")
    assert everything_said(client, event, "9") == before


FOUND_IN = ("head", "body", "topic", "story", "category", "source")


@pytest.mark.parametrize("status", STATUSES)
def test_a_search_finds_what_is_current_and_counts_nothing_else(status, client):
    _, current, _ = STATUSES[status]
    STATUSES[status][0]()
    public = current if status != "withdrawn" else None
    for version in "129":
        for kind in FOUND_IN:
            shape = client.get(addresses.search("json"), {"q": f"canary{kind}{version}"}).json()
            number = int(version == public)
            assert shape["count"] == len(shape["events"]) == number
            assert len(shape["years"]) == len(shape["categories"]) == number
            assert len(shape["topics"]) == (number if kind in ("topic", "story") else 0)


@pytest.mark.parametrize("status", STATUSES)
def test_topics_and_categories_count_what_is_current(status, client):
    _, current, _ = STATUSES[status]
    STATUSES[status][0]()
    public = current if status != "withdrawn" else None
    for query in ({"letter": "c"}, {"q": "canary"}, {}):
        counts = {
            topic["name"]: topic["count"] for topic in client.get(addresses.topics("json"), query).json()["topics"]
        }
        assert counts == ({f"Canarystory{public}": 1, f"Canarytopic{public}": 1} if public else {})
    categories = client.get(addresses.front("json")).json()["categories"]
    assert [category["name"] for category in categories] == ([f"Canarycategory{public}"] if public else [])


@pytest.mark.parametrize("start", [lambda: Event(date=DAY), first_version])
def test_at_its_hour_it_is_on_every_page_without_any_job(client, start, frozen_clock_and_neighbours):
    event = start()
    event = schedule(event, "update" if event.pk else "publish")
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
    assert LogHead.objects.get().seq == head
