"""A small record that has every kind of public page, and the list of them: for all that looks at each page in turn.

It comes about on one afternoon of 2018, so that each page has a past at a moment that is known.
"""

import datetime
from typing import NamedTuple
from urllib.parse import quote

import time_machine

from events import addresses, publishing
from events.models import CorrectionsPolicy
from tests.words import DAY, draft, published, revise, topic, updated

# Each act has its own minute. Nothing is public before the first one.
FIRST = datetime.datetime(2018, 2, 6, 13, 0, tzinfo=datetime.UTC)
BETWEEN = FIRST + datetime.timedelta(seconds=90)
WEATHER = 52

ARMED, POLITICS, CLIMATE = "Armed conflicts and attacks", "Politics and elections", "Disasters and climate"
STORY, COUNTRY = "Nagorno-Karabakh conflict", "Azerbaijan"
SOURCES = [("The Guardian", f"https://www.example.org/{'a-very-long-address/' * 12}"), ("BBC", "https://bbc.example/1")]
BODY = """A **bold** word, *another*, `code` and [a link](https://example.org/with/a/path).

# A heading

> What somebody said,
>
> in two paragraphs.

## One below it

1. first
2. second
    - with a list in it

| Party | Seats |
|-------|------:|
| One   |   120 |
| Other |    81 |

    some code that is much wider than a telephone is, and that must not make the whole page scroll sideways

An_unbreakable_word_of_the_Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaft.
"""
LONG = ("The conference on the reform of the statutes of the union adopts its final declaration. " * 23)[:1999] + "."
WIDE = "Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaft moves."
ARABIC = "البرلمان يعتمد ميزانية عام 2018 بعد 14 ساعة من النقاش."
HEBREW = "הכנסת אישרה את התקציב."
CHINESE = "议会在经过十四个小时的辩论后通过了二零一八年预算。"
POLICY = "# How we correct\n\nAs soon as we **know**.\n\n- What was wrong is said.\n- Nothing goes without a notice.\n"


class Place(NamedTuple):
    """A page in HTML: what it is, its path, and the status that it answers with."""

    name: str
    path: str
    status: int = 200

    def into(self, format):
        """The path of the same page in another format."""
        return addresses.relative(self.path, format)


def places():
    """Make the record; every kind of page that it has, as `Place`s."""
    with time_machine.travel(FIRST, tick=False) as clock:
        events = _published()
        for act in (_changed, _corrected, _withdrawn, _tidied):
            clock.shift(60)
            act(events)
    return [*_lists(), *_of_events(events), *_past(events), *_problems(events)]


def _published():
    one = {"category": POLITICS, "story": "Budget of 2018", "topics": ["Budget of 2018", "Parliament"]}
    full = {"category": ARMED, "story": STORY, "topics": [STORY, COUNTRY, *(f"Region {n}" for n in range(58))]}
    origin = {"name": "Wikinews", "url": "https://wikinews.example/", "licence": "CC BY 2.5"}
    sources = SOURCES + [(f"Newspaper {number}", f"https://n{number}.example/") for number in range(48)]
    events = {
        "full": published("Both sides agree to a cease-fire.", body=BODY, sources=sources, origin=origin, **full),
        "corrected": published("Parliament adopts the budget.", body="There are **200** seats.", **one),
        "redacted": published("A witness is heard.", body="At his address.", **one),
        "withdrawn": published("The company is dissolved.", **one),
        "restored": published("The company is founded.", **one),
        "plain": published("It rains.", language="en"),
        "long": published(LONG, sources=SOURCES, **one),
        "wide": published(WIDE, topics=[WIDE, COUNTRY], story=WIDE, sources=[(WIDE, "https://example.org/")]),
        "arabic": published(ARABIC, body=f"{ARABIC} **{ARABIC}**", language="ar", topics=["أذربيجان"], sources=SOURCES),
        "hebrew": published(HEBREW, body=HEBREW, language="he", topics=[COUNTRY]),
        "chinese": published(CHINESE, body=CHINESE * 5, language="zh", topics=["阿塞拜疆", COUNTRY]),
        "early": published("The treaty is signed.", date=datetime.date(2015, 6, 1), topics=[STORY, COUNTRY]),
        "weather": [_weather(number) for number in range(WEATHER)],
    }
    draft("This is nobody's business.", topics=["Secret"])
    return events


def _weather(number):
    """One of the many that fill more than one page: of a topic, a category, a search, the corrections."""
    date = datetime.date(2017, 1, 1 + number % 7 * (number % 5))
    names = ["Storms", f"Storm {number}"]
    return published(f"Storm number {number} is over.", date=date, category=CLIMATE, topics=names)


def _changed(events):
    values = {"headline": "Parliament adopts the budget for 2018.", "body": "There are **201** seats.\n\nOne is empty."}
    updated(events["corrected"], sources=SOURCES, topics=["Parliament", "Budget of 2018", COUNTRY], **values)
    updated(events["full"], kind="correction", note="Not all sides agree.", headline="Two sides agree to a cease-fire.")
    updated(events["redacted"], kind="correction", note="Without the address.", body="In court.")
    for number, event in enumerate(events["weather"]):
        updated(event, kind="correction", note=f"It was storm {number}.", body="It is over at last.")
    publishing.withdraw(events["restored"], by=None, note="It is not sure.")


def _corrected(events):
    updated(events["corrected"], kind="correction", note="There are 202 seats.", body="There are **202** seats.")
    publishing.restore(events["restored"], by=None, note="It is sure now.")
    publishing.redact(events["redacted"], 1, by=None, note="It named a private address.")


def _withdrawn(events):
    updated(events["corrected"], kind="minor", body="There are **202** seats!")
    publishing.withdraw(events["withdrawn"], by=None, note="It was not.")


def _tidied(events):
    publishing.merge_topics(topic("Artsakh conflict"), topic(STORY), by=None)
    revise(events["plain"], headline="It rains no more.")
    publishing.set_policy("We correct.", by=None, seen=None)
    publishing.set_policy(POLICY, by=None, seen=CorrectionsPolicy.objects.latest("pk").pk)


def _lists():
    empty = datetime.date(2017, 1, 31)
    hits = "/search/index.html?q="
    yield from (Place("front", addresses.front()), Place("years", addresses.years()))
    yield from (Place("year", addresses.year(2017)), Place("empty year", addresses.year(2016)))
    yield from (Place("month", addresses.month(2017, 1)), Place("empty month", addresses.month(2016, 5)))
    yield from (Place("day", addresses.day(DAY)), Place("empty day", addresses.day(empty)))
    yield Place("day with marks", addresses.day(DAY) + "?since=2018-02-06T13:00:30Z")
    yield from (Place("topics", addresses.topics()), Place("topics of a letter", addresses.topics() + "?letter=n"))
    yield from (Place(f"topics, {q}", addresses.topics() + f"?q={q}") for q in ("aze", "nothing"))
    yield from (Place("topic", _topic(STORY)), Place("wide topic", _topic(WIDE)))
    yield Place("topic in Arabic", _topic("أذربيجان"))
    yield from (Place("long topic", _topic("Storms")), Place("its end", _topic("Storms") + "?before=2017-01-02"))
    yield Place("category", addresses.category("politics-and-elections"))
    yield from (Place("long category", _climate()), Place("its end", _climate() + "?before=2017-01-02"))
    yield from (Place("search", addresses.search()), Place("empty search", hits))
    words = ["storm", "storm&page=2", "budget", "nothinghasthisinit", "topic:azerbaijan", "议会", "الميزانية", '"cease']
    words += ["category:politics-and-elections parliament after:2017", "topic:none NOT * ^ -"]
    yield from (Place(f"search for {q}", hits + quote(q, safe="&=")) for q in words)
    yield Place("corrections", addresses.corrections())
    yield Place("earlier corrections", addresses.corrections() + "?before=20180206T130130Z")
    yield Place("policy", addresses.policy())
    yield Place("what withdrawn means", addresses.problem("withdrawn"))


def _of_events(events):
    names = "full corrected redacted restored plain long wide arabic hebrew chinese early".split()
    yield from (Place(f"event, {name}", _event(events[name])) for name in names)
    yield Place("former address", addresses.event(DAY, "parliament-adopts-the-budget"))
    yield from (Place(f"version {number}", _version(events["corrected"], number)) for number in (1, 2, 3, 4))
    yield Place("redacted version", _version(events["redacted"], 1))
    yield Place("version that withdrew", _version(events["restored"], 2))
    yield Place("version that restored", _version(events["restored"], 3))
    compared = [("corrected", 1, 2), ("corrected", 1, 4), ("corrected", 3, 4), ("full", 1, 2)]
    yield from (Place("comparison", _compared(events[name], old, new)) for name, old, new in compared)


def _past(events):
    then = addresses.as_of(BETWEEN)
    paths = [addresses.front(), addresses.years(), addresses.year(2017), addresses.month(2017, 1), addresses.day(DAY)]
    paths += [_topic(STORY), _climate(), addresses.topics(), _event(events["corrected"]), _event(events["arabic"])]
    yield from (Place(f"past {path}", then + path) for path in paths)
    yield Place("past former address", then + addresses.event(DAY, "parliament-adopts-the-budget"))
    yield Place("withdrawn in the past", then + _event(events["restored"]), 410)
    yield Place("before anything", "/as-of/20180101T000000Z/index.html")


def _problems(events):
    yield from (Place("absent", path, 404) for path in ("/nothing", "/news/2017/02/25/nothing.html", "/as-of/nothing/"))
    gone = events["withdrawn"]
    paths = (_event(gone), _version(gone, 1), addresses.uid(gone.uid))
    yield from (Place("withdrawn", path, 410) for path in paths)
    yield Place("comparison with a redacted version", _compared(events["redacted"], 1, 2), 410)
    yield Place("since when?", addresses.day(DAY) + "?since=lately", 400)
    yield Place("which page?", addresses.search() + "?q=storm&page=none", 400)
    yield Place("before what?", _topic(STORY) + "?before=never", 400)
    yield Place("as of when?", "/as-of/?at=once&page=/", 400)
    yield Place("which versions?", addresses.chosen_versions(events["corrected"].uid) + "?from=1", 400)


def _topic(name):
    return addresses.topic(topic(name).slug)


def _climate():
    return addresses.category("disasters-and-climate")


def _event(event):
    edition = _last(event)
    return addresses.event(edition.date, edition.slug)


def _version(event, number):
    edition = event.editions.get(number=number)
    edition = edition if edition.slug else _last(event)
    return addresses.edition(edition.date, edition.slug, number)


def _compared(event, old, new):
    edition = event.editions.get(number=new)
    return addresses.comparison(edition.date, edition.slug, old, new)


def _last(event):
    return event.editions.exclude(slug="").exclude(document=None).latest("number")
