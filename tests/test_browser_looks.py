"""Every page of the desk, on a phone and on a desktop, by day and by night.

Nothing shuts anybody out, nothing scrolls sideways, nothing is in the console.
"""

import pytest
from django.utils import timezone

from events import drafts, keys, publishing, pushing
from events.models import Delivery, LogEntry, Topic
from tests.inspections import HEIGHT, RULES, Inspection
from tests.words import category, draft, in_minutes, person, published, revise, topics, updated

pytestmark = [pytest.mark.trial, pytest.mark.django_db(transaction=True, serialized_rollback=True)]

ENTRY = "/desk/events/event/"
LONG = "The Internationale_Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaft " * 3
SELECTED = (
    "(({value, selectionStart, selectionEnd}) => value.slice(selectionStart, selectionEnd))(document.activeElement)"
)
SOURCES = [("The Guardian", f"https://www.example.org/{'a-very-long-address/' * 12}"), ("BBC", "https://bbc.example/1")]
TOPICS = ["Azerbaijan", "Armenia", "Nagorno-Karabakh conflict", "Nagorno–Karabakh conflicts"]


@pytest.fixture
def chief():
    return person("Chief", "carla", first_name="Carla", last_name="Chief")


@pytest.fixture
def reporter():
    return person("Reporter", "rita", password="a long enough password")


@pytest.fixture
def entries(chief, reporter):
    """One entry of every state, by name."""
    topics(*TOPICS)
    politics = category("Politics and elections").name
    values = {"category": politics, "story": TOPICS[2], "topics": TOPICS, "sources": SOURCES}
    live = published(f"{LONG} meets.", body="A **bold** word.\n\n> quoted", by=reporter, **values)
    updated(live, body="Two words.")
    updated(live, kind="correction", note="There were three.", body="Three words.")
    revise(live, headline="The company does not meet.", topics=TOPICS[:2], sources=SOURCES[1:])
    waits = revise(published("The company is founded."), body="Tomorrow.")
    publishing.schedule(waits, by=chief, issue=in_minutes(60, timezone.now()), kind="update")
    gone = published("The company is dissolved.")
    publishing.withdraw(gone, by=chief, note="It was not.")
    review = draft("The company moves.", by=reporter, **values)
    drafts.submit(review, by=reporter)
    back = draft("The company stays.", by=reporter)
    drafts.submit(back, by=reporter)
    drafts.send_back(back, by=chief, comment="Who says so?")
    deleted = draft("The company never was.")
    drafts.delete(deleted, by=chief)
    return {"live": live.pk, "waits": waits.pk, "gone": gone.pk, "review": review.pk, "back": back.pk}


@pytest.fixture
def partners(chief, reporter, entries, settings):
    """Partners who have all, some and nothing of the log, and webhooks in every state."""
    settings.NEWSDESK_PRIVATE_CALLBACKS = True
    at, found = timezone.now(), list(LogEntry.objects.all())
    values = {"by": chief, "at": at}
    for name, seq in ((LONG.strip(), 1), ("Example Agency", len(found)), ("وكالة الأنباء", 2), ("New here", 0)):
        key, _token = keys.make(name, expires=in_minutes(99, at), **values)
        keys.note_fetched(key, seq, at)
    keys.revoke(keys.make("A program", follows=False, writes=True, user=reporter, **values)[0], **values)
    webhook, _secret = pushing.add_webhook(LONG.strip(), f"http://127.0.0.1:1025/{'long-part/' * 20}", **values)
    ended, _secret = pushing.add_webhook("Example Agency", "http://127.0.0.1:1026/", **values)
    pushing.end_webhook(ended, reason=LONG.strip(), **values)
    for entry, state in zip(found, Delivery.State, strict=False):
        Delivery.objects.create(webhook=webhook, entry=entry, state=state, due=at, done=at, problem=LONG.strip()[:300])
    return {"key": key.pk, "webhook": webhook.pk, "ended": ended.pk}


def pages_of_partners(partners):
    yield "/desk/events/receipt/"
    yield from (f"/desk/events/key/{path}" for path in ["", "add/", f"{partners['key']}/revoke/"])
    yield from (f"/desk/events/webhook/{path}" for path in ["", "add/", f"{partners['webhook']}/end/"])
    yield from (f"/desk/events/webhook/{partners[name]}/change/" for name in ("webhook", "ended"))


def pages(entries):
    """Every page that one comes to by an address, with what it is called here."""
    live, topic = entries["live"], Topic.objects.first().pk
    verbs = {
        "review": ["submit", "send-back", "publish", "schedule", "delete", "preview", "links"],
        "live": ["publish", "schedule", "withdraw", "redact/1", "history", "change"],
        "waits": ["unschedule", "correct-now", "change"],
        "gone": ["restore", "change"],
        "back": ["change", "delete"],
    }
    yield from (f"{ENTRY}{entries[name]}/{verb}/" for name, found in verbs.items() for verb in found)
    yield f"{ENTRY}{live}/compare/?from=live&to=now"
    yield f"{ENTRY}{live}/compare/?from=v1&to=v3"
    yield f"{ENTRY}{live}/take-back/?from=v1"
    yield from (f"{ENTRY}{path}" for path in ["", "?q=nothing+has+this+in+it", "?stage=review", "add/", "deleted/"])
    yield f"{ENTRY}bulk/publish/?{'&'.join(f'entry={pk}&lock_{pk}=1' for pk in entries.values())}"
    yield from (f"/desk/events/topic/{path}" for path in ["", "add/", "duplicates/", f"{topic}/change/"])
    yield from ("/desk/", "/desk/events/category/", "/desk/events/category/add/", "/desk/events/auditentry/")
    yield from ("/desk/auth/user/", "/desk/auth/user/add/", "/desk/second-factor/", "/desk/password_change/")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1280])
def test_every_page(sit_down, chief, reporter, entries, partners, width, scheme):
    look = {"viewport": {"width": width, "height": HEIGHT}, "color_scheme": scheme, "reduced_motion": "reduce"}
    anybody, carla, rita = sit_down(**look), sit_down(chief, **look), sit_down(reporter, **look)
    inspection = Inspection()
    inspection.visit(anybody, "/desk/login/")
    for path in [*pages(entries), *pages_of_partners(partners)]:
        inspection.visit(carla, path)
    for path in ["/desk/", ENTRY, f"{ENTRY}{entries['review']}/change/"]:
        inspection.visit(rita, path)
    rita.expects = {403, 404}
    inspection.visit(rita, "/desk/events/auditentry/")
    inspection.visit(rita, f"{ENTRY}999/change/")
    refused_login(inspection, anybody)
    typing(inspection, carla)
    refused_save(inspection, carla, entries["back"])
    conflict(inspection, carla)
    shown_once(inspection, carla)
    assert not inspection.problems, "\n".join(inspection.problems)


def refused_login(inspection, seat):
    seat.go("/desk/login/")
    seat.log_in("rita?")
    seat.sees("Mind upper and lower case.")
    inspection.look_at(seat, "refused login")


def typing(inspection, seat):
    """The form with its hints, its preview and an open list of topics."""
    seat.go(f"{ENTRY}add/")
    seat.field("headline").fill("The company moves.")
    seat.field("date").fill("2017-02-25")
    seat.field("body").fill("A **bold** word.")
    seat.field("source_url").first.fill("https://bbc.example/1")
    seat.sees("An entry of this day says nearly the same:", "Cited already:")
    seat.choose_topic("armen", "Armenia")
    inspection.look_at(seat, "typing")
    seat.page.locator("#id_topics + .select2 .select2-search__field").click()
    seat.type("nagorno")
    seat.sees("Nagorno-Karabakh conflict")
    inspection.look_at(seat, "list of topics", RULES)


def refused_save(inspection, seat, pk):
    seat.expects = {400, 409}
    seat.go(f"{ENTRY}{pk}/change/")
    seat.field("headline").fill("")
    seat.field("source_url").first.fill("no address")
    seat.press("Control+s")
    seat.sees("Nothing was saved yet.")
    inspection.look_at(seat, "refused save")


def conflict(inspection, seat):
    event = draft("The company stays.", body="Nobody knows why.", sources=SOURCES)
    seat.go(f"{ENTRY}{event.pk}/change/")
    revise(event, headline="The company stays here.", body="Somebody knows why.", sources=SOURCES[:1])
    seat.field("headline").fill(f"The company stays there. {LONG}")
    seat.field("body").fill("Everybody knows why.")
    seat.press("Control+s")
    seat.sees("Two versions meet")
    inspection.look_at(seat, "two versions meet")


def shown_once(inspection, seat):
    """The pages on which a key and a webhook's secret are shown; one click selects all of it."""
    seat.go("/desk/events/key/add/")
    seat.page.get_by_label("Name", exact=True).fill("Another agency")
    seat.button("Make the key").click()
    seat.sees("Copy this key now")
    inspection.look_at(seat, "new key")
    seat.page.get_by_label("The key", exact=True).click()
    assert len(seat.page.evaluate(SELECTED)) == 46
    seat.go("/desk/events/webhook/add/")
    seat.page.get_by_label("Name", exact=True).fill("Another agency")
    seat.page.get_by_label("Address", exact=True).fill("http://127.0.0.1:1027/")
    seat.button("Add the webhook").click()
    seat.sees("Copy this secret now")
    inspection.look_at(seat, "new webhook")
