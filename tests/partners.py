"""The partner program of the examples as tests run it, and what its mirror is held against."""

import datetime
import hashlib
import itertools
import json
import os
import re
import socket
import subprocess
import sys
from contextlib import contextmanager
from urllib.parse import urlsplit

import rfc8785
from django.conf import settings
from django.core.exceptions import ObjectDoesNotExist, ValidationError
from django.db import connection
from django.utils import timezone

from events import addresses, publishing
from events.models import Edition, Event
from events.refusals import Refused
from examples import partner_sync
from tests.words import DAY, in_minutes, published, revise, topic, updated

HASHED = ("seq", "kind", "event", "edition", "occurred", "recorded", "commitment", "previous")
NOTHING_BUT_NOTES = ("withdraw", "topic-merge", "topic-rename")
MARK = re.compile(rb"mark[0-9]+x", re.IGNORECASE)


class Killed(Exception):
    """In place of SIGKILL, within one process."""


class Partner(partner_sync.Mirror):
    """The program, asking through the test client: the whole stack but the socket. Pages have `limit` entries at most.

    It is killed when it has made `steps` of its steps, which are those that leave something on the disk.
    """

    def __init__(self, folder, client, limit=500, steps=None):
        super().__init__(folder, "")
        self.client, self.limit, self.steps = client, limit, steps

    def page_after(self, place, limit):
        after = {"after": place["cursor"]} if place["seq"] else {}
        query = {"include": "document", "limit": min(limit, self.limit), **after}
        response = self.client.get(addresses.changes(), query)
        assert response.status_code in (200, 409), response.content
        return response.json()

    def make(self, entries):
        for entry in entries:
            self.step()
            super().make([entry])

    def write(self, path, value):
        self.step()
        super().write(path, value)

    def step(self):
        if self.steps is not None:
            self.steps -= 1
            if self.steps < 0:
                raise Killed


def follow(folder, client, **options):
    """Let the partner read to the end, or until it is killed; returns whether it came to the end."""
    partner = Partner(folder, client, **options)
    try:
        partner.follow()
    except Killed:
        return False
    finally:
        partner.chain.close()  # and with it the lock
    return True


@contextmanager
def serving(directory):
    """A site of several processes over the tests' database; yields its URL. It may take a moment until it answers."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = f"127.0.0.1:{taken.getsockname()[1]}"
    url = f"http://{address}"
    environment = {"DATABASE_URL": _database_url(), "NEWSDESK_URL": url, "NEWSDESK_VAR": str(directory)}
    options = "--workers 2 --worker-class gthread --threads 4 --log-level error --no-control-socket"
    process = subprocess.Popen(
        [sys.executable, "-W", "ignore", "-m", "gunicorn", "newsdesk.wsgi", "--bind", address, *options.split()],
        cwd=settings.BASE_DIR,
        env={**os.environ, **environment, "NEWSDESK_RATE": "900000"},
    )
    try:
        yield url
    finally:
        process.terminate()
        process.wait()


def _database_url():
    name = connection.settings_dict["NAME"]
    if connection.vendor == "sqlite":
        return f"sqlite:///{name}"
    return urlsplit(os.environ["DATABASE_URL"])._replace(path=f"/{name}").geturl()


def mirrored(folder):
    """{uid: (number, document, note, slug)} of the files in a mirror."""
    files = {path.stem: json.loads(path.read_text()) for path in (folder / "events").iterdir()}
    return {uid: (row["edition"], row["document"], row["note"], row["slug"]) for uid, row in files.items()}


def public(at=None):
    """The same of the record, as the public sees it."""
    rows = Edition.objects.current(at or timezone.now())
    rows = rows.values_list("event__uid", "number", "document", "note", "slug")
    return {str(uid): tuple(row) for uid, *row in rows}


def marks(data):
    """The marks in some bytes."""
    return {mark.lower() for mark in MARK.findall(data)}


def marks_in(folder):
    """The marks in whatever lies in a folder, by name or content."""
    paths = [path for path in folder.rglob("*") if path.is_file()]
    return set().union(*(marks(str(path).encode() + path.read_bytes()) for path in paths))


def assert_is_the_record(folder):
    """The mirror has what is public, all of it, and not a word else."""
    current = public()
    assert mirrored(folder) == current
    assert marks_in(folder) == marks(json.dumps(list(current.values())).encode())
    assert {path.name for path in folder.iterdir()} <= {"events", "chain.jsonl", "state.json"}


def log(client, **query):
    """Every entry, page by page."""
    page = client.get(addresses.changes(), query).json()
    entries = page["entries"]
    while page["next"] != page["head"]["cursor"]:
        page = client.get(addresses.changes(), {**query, "after": page["next"]}).json()
        entries += page["entries"]
    return entries


def assert_verifies(client):
    """The chain and every commitment to what is public, from the answers alone; by another RFC 8785 than the program's.

    Returns how many commitments could be checked.
    """
    previous, checked = "0" * 64, 0
    for seq, entry in enumerate(log(client, include="document"), 1):
        assert (entry["seq"], entry["previous"]) == (seq, previous)
        previous = _digest({name: entry[name] for name in HASHED})
        assert entry["hash"] == previous
        said = {"document": entry["document"], "note": entry["note"], "slug": entry["slug"] or ""}
        if entry["kind"] == "redact" and entry["note"]:
            stub = client.get(addresses.api("events", entry["event"], "versions", entry["edition"])).json()
            said["document"] = {"date": stub["date"]}
        if said["document"] or (entry["kind"] in NOTHING_BUT_NOTES and entry["note"]):
            assert _digest(said, entry["salt"] or "") == entry["commitment"]
            checked += 1
    assert client.get(addresses.changes_head()).json()["hash"] == previous
    return checked


def _digest(value, salt=""):
    return hashlib.sha256(bytes.fromhex(salt) + rfc8785.dumps(value)).hexdigest()


class Newsroom:
    """Takes the acts of random histories. Every text bears a mark of its own, so that one finds it wherever it went."""

    def __init__(self, first=1, clock=None):
        self.count = itertools.count(first)
        self.clock = clock

    def act(self, verb, one, other):
        """Do what `verb` names to the events or topics of these numbers; False if the rules refuse it."""
        try:
            getattr(self, verb)(one, other)
        except (Refused, ValidationError, ObjectDoesNotExist):
            return False
        return True

    def text(self):
        number = next(self.count)
        return {"headline": f"Mark{number}x is a headline.", "body": f"And this is the text, says mark{number}x."}

    def note(self):
        return f"The note of mark{next(self.count)}x."

    def event(self, number):
        events = list(Event.objects.order_by("pk")[:20])
        if not events:
            raise Event.DoesNotExist
        return events[number % len(events)]

    def publish(self, one, other):
        topics = [f"Topic {one % 4}", f"Topic {other % 4}"]
        published(**self.text(), topics=topics, sources=[(f"Agency, mark{next(self.count)}x", "https://a.example/")])

    def update(self, one, other):
        updated(self.event(one), topics=[f"Topic {other % 4}"], **self.text())

    def correct(self, one, other):
        updated(self.event(one), "correction", self.note(), **self.text())

    def touch(self, one, other):
        event = self.event(one)
        updated(event, "minor", body=f"{event.body} so")

    def re_date(self, one, other):
        updated(self.event(one), "correction", self.note(), date=DAY - datetime.timedelta(days=other + 1))

    def schedule(self, one, other):
        event = revise(self.event(one), **self.text())
        kind = "update" if event.editions.exists() else "publish"
        publishing.schedule(event, by=None, kind=kind, issue=in_minutes(1, timezone.now()))

    def wait(self, one, other):
        self.clock.move_to(in_minutes(1, timezone.now()))

    def withdraw(self, one, other):
        publishing.withdraw(self.event(one), by=None, note=f"Withdrawn, {one} and {other}.")

    def restore(self, one, other):
        publishing.restore(self.event(one), by=None, note=self.note())

    def redact(self, one, other):
        event = self.event(one)
        numbers = event.editions.filter(issued__lte=timezone.now(), document__isnull=False).order_by("number")
        numbers = [*numbers.values_list("number", flat=True)]
        if numbers:
            publishing.redact(event, numbers[other % len(numbers)], by=None, note=f"Redacted, {one} and {other}.")

    def merge(self, one, other):
        publishing.merge_topics(topic(f"Topic {one % 4}"), topic(f"Topic {other % 4}"), by=None)

    def rename(self, one, other):
        publishing.rename_topic(topic(f"Topic {one % 4}"), f"Topic {one % 4}, as of {next(self.count)}", by=None)


ACTS = "publish update correct touch re_date schedule wait withdraw restore redact merge rename".split()
