"""What each kind of page of the desk costs in queries and milliseconds, at 1,000 events and at all of them.

`python -m bench.desk ARCHIVE` makes SQLite databases of its own, as `bench.pages` does, and puts the same newsroom's
work in hand over each. Somebody logged in asks for the same pages at both sizes in turn; figures are medians.
"""

import datetime
import json
import statistics
import sys
import tempfile
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlencode

from django.conf import settings
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from bench import pages
from bench.overlay import WORDS
from events import drafts, publishing, slugs
from events.desk.filters import STATES
from events.importers import files
from events.models import AuditEntry, Category, Edition, Event, Topic

FEW = 1_000
ROUNDS = 11
# How many entries are put into each state, how often one of them is saved, and how many one decision is asked for.
COPIES = 20
SAVES = 60
LISTED = 50
PEOPLE = ("reporter", "editor", "chief")
OFTEN, SELDOM = "The ferry was saved often.", "The ferry was saved seldom."
STORY, ALIAS, RARE = "Harbour district", "Zeppelin mooring mast", "Quarantine of the lighthouse"
# The lists of which a reporter sees another part.
OF_OWN = ("first_page", "last_changed", "searched_rare_word")


def main(archive):
    with tempfile.TemporaryDirectory(prefix="newsdesk-desk-") as directory:
        lines = [line for _place, line in files.lines(archive)]
        workers = {size: _worker(Path(directory), lines[-size:]) for size in (FEW, len(lines))}
        common = pages.asked(workers[FEW], {"common": True})
        asked = {size: pages.asked(worker, {"kinds": common}) for size, worker in workers.items()}
        ratios = {kind: _report(kind, workers, asked) for kind in asked[FEW]}
        pages.end(workers.values())
    worst = max(ratios, key=ratios.get)
    print(f"greatest_ratio: {ratios[worst]:.2f} ({worst})")


def _worker(directory, lines):
    url = pages.loaded(directory, lines)
    pages.run(["manage.py", "make_logins"], url)
    pages.run(["-m", "bench.desk", "--work"], url)
    return pages.worker(url, "bench.desk")


def _report(kind, workers, asked):
    """The figures of one kind of page; returns the ratio of the times."""
    measurements = [
        {size: pages.asked(worker, {"ask": asked[size][kind]}) for size, worker in workers.items()}
        for _round in range(ROUNDS)
    ]
    medians = []
    for size in workers:
        queries, seconds = zip(*(measured[size] for measured in measurements), strict=True)
        medians.append(statistics.median(seconds))
        print(f"{kind}_queries_at_{size}: {max(queries)}")
        print(f"{kind}_ms_at_{size}: {medians[-1] * 1000:.2f}")
    print(f"{kind}_ratio: {medians[1] / medians[0]:.2f}", flush=True)
    return medians[1] / medians[0]


# The newsroom's work: the same whatever the archive.


def work(copies=COPIES, saves=SAVES):
    """Entries in every state that one can be in, and what belongs to them; more of all when it is called again."""
    people = {name: User.objects.get(username=name) for name in PEOPLE}
    first = Event.objects.count()
    for number in range(first, first + copies):
        _name_topics(number, people)
        for act in ACTS:
            act(_draft(f"The council of district {number} decides about its harbour.", people, number), people)
    often = Event.objects.filter(headline=OFTEN).first() or _draft(OFTEN, people, 1)
    _save_often(often, people, saves)
    if not Event.objects.filter(headline=SELDOM).exists():
        _draft(SELDOM, people)
    AuditEntry.objects.bulk_create(
        AuditEntry(by=people["editor"], name="editor", verb="publish", subject="An entry", event=often, outcome="done")
        for _number in range(copies * 10)
    )


def _name_topics(number, people):
    """A topic with another name, and one that looks like it."""
    names = [f"{STORY} {number}", f"{STORY}s {number}"]
    topic = Topic.objects.named([STORY, RARE, *names])[slugs.fold(names[0])]
    publishing.add_alias(topic, f"{ALIAS} {number}", by=people["editor"])


def _draft(headline, people, number=0):
    """What a reporter wrote; of every fourth a source, a topic and a category are missing yet."""
    is_whole = number % 4 > 0
    names = [STORY, f"{STORY} {number}"] if is_whole else []
    return drafts.save(
        Event(),
        by=people["reporter"],
        date=datetime.date(2017, 11, 1) + datetime.timedelta(days=number % 30),
        headline=headline,
        body=" ".join(WORDS * 10),
        category=Category.objects.first() if is_whole else None,
        story=Topic.objects.named([STORY])[slugs.fold(STORY)] if is_whole else None,
        topics=list(Topic.objects.named(names).values()),
        sources=[("The Harbour Post", f"https://post.example/{number}")] if is_whole else [],
    )


def _leave(event, people):
    """A draft."""


def _submit(event, people):
    drafts.submit(event, by=people["reporter"])


def _send_back(event, people):
    _submit(event, people)
    drafts.send_back(event, by=people["editor"], comment="Name the district.")


def _delete(event, people):
    drafts.delete(event, by=people["editor"])


def _schedule(event, people):
    moment = timezone.now().replace(second=0, microsecond=0) + datetime.timedelta(days=2, minutes=event.pk % 1000)
    publishing.schedule(event, by=people["editor"], issue=moment)


def _publish(event, people):
    publishing.publish(event, by=people["editor"])


def _publish_and_change(event, people):
    _publish(event, people)
    drafts.save(event, by=people["editor"], body="The council met again.")


def _publish_and_correct(event, people):
    _publish_and_change(event, people)
    publishing.publish(event, by=people["editor"], kind="correction", note="An earlier version named no council.")


def _withdraw(event, people):
    _publish(event, people)
    publishing.withdraw(event, by=people["chief"], note="The council had not met.")


def _withdraw_and_restore(event, people):
    _withdraw(event, people)
    publishing.restore(event, by=people["chief"], note="The council had met.")


ACTS = [
    _leave,
    _submit,
    _send_back,
    _delete,
    _schedule,
    _publish,
    _publish_and_change,
    _publish_and_correct,
    _withdraw,
    _withdraw_and_restore,
]


def _save_often(event, people, saves):
    """Saves of one entry, with another topic and source each; its first one is published."""
    if not event.editions.exists():
        _publish(event, people)
    for _number in range(saves):
        number = Event.objects.values_list("lock_version", flat=True).get(pk=event.pk)
        drafts.save(event, by=people["editor"], body=f"{' '.join(WORDS)} {number}.", comment=f"Save {number}")


# The pages.


class Places(NamedTuple):
    """What the addresses are made of: rows' numbers, and the name of a topic that many entries bear."""

    often: int = 1
    seldom: int = 1
    newest: list[int] = [1]
    topic: str = "Topic"
    topic_row: int = 1
    category: int = 1
    author: int = 1


def kinds(places: Places) -> dict[str, tuple[str, str]]:
    """{kind of page: (who asks, address)}"""
    listed = {name: _address("events_event_changelist", **query) for name, query in _filters(places).items()}
    forms = {"seldom": places.seldom, "often": places.often}
    return {
        **{f"front_of_{name}": (name, _address("index")) for name in PEOPLE},
        **{f"list_{name}": ("editor", address) for name, address in listed.items()},
        **{f"list_{name}_of_reporter": ("reporter", listed[name]) for name in OF_OWN},
        **{f"form_saved_{name}": ("editor", _address("events_event_change", pk)) for name, pk in forms.items()},
        "form_saved_often_of_chief": ("chief", _address("events_event_change", places.often)),
        "form_new": ("editor", _address("events_event_add")),
        **{f"autocomplete_{name}": ("editor", _suggested(term)) for name, term in _terms(places.topic).items()},
        **{f"history_saved_{name}": ("editor", _address("events_event_history", pk)) for name, pk in forms.items()},
        "history_saved_often_of_chief": ("chief", _address("events_event_history", places.often)),
        "compare_with_live": ("editor", _address("events_event_compare", places.often)),
        "compare_saves": ("editor", _address("events_event_compare", places.often, **{"from": 3, "to": 4})),
        "take_back": ("editor", _address("events_event_take_back", places.often, **{"from": 3})),
        "deleted": ("editor", _address("events_event_deleted")),
        "bulk": ("editor", _address("events_event_bulk", "publish", entry=places.newest)),
        "audit": ("chief", _address("events_auditentry_changelist")),
        "audit_of_a_verb": ("chief", _address("events_auditentry_changelist", verb="publish")),
        "topics": ("editor", _address("events_topic_changelist")),
        "topics_searched": ("editor", _address("events_topic_changelist", q=STORY)),
        "topic": ("editor", _address("events_topic_change", places.topic_row)),
        "duplicates": ("editor", _address("events_topic_duplicates")),
        "categories": ("editor", _address("events_category_changelist")),
        "people": ("chief", _address("auth_user_changelist")),
    }


def _filters(places):
    """{name: query of the list of entries}: every filter, and every value of those that have few."""
    return {
        "first_page": {},
        "second_page": {"p": 2},
        "oldest_date": {"o": "date"},
        "last_changed": {"o": "-modified"},
        "longest_unchanged": {"o": "modified"},
        **{f"in_{stage}": {"stage": stage} for stage in Event.Stage.values},
        **{state: {"state": state} for state in STATES},
        **{f"of_kind_{kind}": {"kind": kind} for kind in Edition.Kind.values},
        "of_category": {"category": places.category},
        "of_topic": {"topic": places.topic},
        "of_story": {"story": STORY},
        "of_author": {"author": places.author},
        "of_days": {"from": "2017-11-01", "to": "2017-11-30"},
        "sent_back": {"sent_back": "on"},
        "care": {"care": "on"},
        "searched_rare_word": {"q": "district"},
        "searched_common_word": {"q": places.topic},
    }


def _terms(topic):
    """{name: what is typed into a field for topics}"""
    return {
        "nothing": "",
        "one_letter": topic[:1],
        "three_letters": topic[:3],
        "common": topic,
        "rare": RARE,
        "alias": ALIAS,
        "unknown": "Qwertyuiop",
    }


def _suggested(term):
    return _address("autocomplete", app_label="events", model_name="event", field_name="story", term=term)


def _address(name, *place, **query):
    return f"{reverse(f'admin:{name}', args=place)}?{urlencode(query, doseq=True)}"


# The process of one size.


def answer():
    cookies = {name: _cookie(name) for name in PEOPLE}
    for line in sys.stdin:
        print(json.dumps(_answer(json.loads(line), cookies)), flush=True)


def _answer(question, cookies):
    if "common" in question:
        return _common()
    if "kinds" in question:
        return kinds(places(**question["kinds"]))
    name, address = question["ask"]
    return pages.answered(address, HTTP_COOKIE=cookies[name])


def _cookie(name):
    client = Client()
    client.force_login(User.objects.get(username=name))
    return f"{settings.SESSION_COOKIE_NAME}={client.session.session_key}"


def _common():
    """Names that many entries bear; they come from the least database, so that the others know them too."""
    topic = Topic.objects.exclude(name__startswith=STORY).exclude(name=RARE).order_by("-uses", "key").first()
    category = Category.objects.filter(event__topics=topic).first()
    return {"topic": topic.name, "category": category.name}


def places(topic, category):
    """The places of this database, for a topic and a category of these names."""
    return Places(
        often=Event.objects.get(headline=OFTEN).pk,
        seldom=Event.objects.get(headline=SELDOM).pk,
        newest=list(Event.objects.order_by("-date", "-pk").values_list("pk", flat=True)[:LISTED]),
        topic=topic,
        topic_row=Topic.objects.get(name=topic).pk,
        category=Category.objects.get(name=category).pk,
        author=User.objects.get(username="reporter").pk,
    )


if __name__ == "__main__":
    if sys.argv[1] == "--answer":
        answer()
    elif sys.argv[1] == "--work":
        work()
    else:
        main(sys.argv[1])
