"""Puts a newsroom's later work over 2 % of a loaded archive: corrections, long bodies, withdrawals, redactions.

`python -m bench.overlay [SEED]` works on the database of the settings, through `publishing`. What an entry gets depends
on the seed and its `ref` alone, so archives of different sizes have the same changes where they have the same entries.
"""

import sys
import time
from collections import Counter
from random import Random

from events import drafts, publishing
from events.models import Event

SEED = 2017
SHARE = 0.02
SHORTEST, LONGEST = 200, 50_000
WORDS = (
    "the report of a commission on harbours and rivers says that repairs to several bridges were delayed while an "
    "inquiry into their costs goes on and local councils ask for more time before they answer in public"
).split()


def main(seed=SEED):
    started = time.perf_counter()
    done = Counter()
    for event in _chosen(seed):
        random = Random(f"{seed} {event.ref}")
        verb = random.choices(list(TREATMENTS), weights=[5, 2, 1, 1, 1])[0]
        TREATMENTS[verb](event, random)
        done[verb] += 1
    for verb in TREATMENTS:
        print(f"overlay_{verb}: {done[verb]}")
    print(f"overlay_entries: {done.total()}")
    print(f"overlay_seconds: {time.perf_counter() - started:.1f}")


def _chosen(seed):
    refs = Event.objects.filter(withdrawn=False, editions__isnull=False).exclude(ref=None).values_list("ref", flat=True)
    for ref in sorted(set(refs)):
        if Random(f"{seed} {ref} chosen").random() < SHARE:
            yield Event.objects.get(ref=ref)


def _correct(event, random):
    event = drafts.save(event, body=_body(random), headline=_restated(event))
    publishing.publish(event, by=None, kind="correction", note="An earlier version did not name the commission.")
    return event


def _correct_and_update(event, random):
    event = drafts.save(_correct(event, random), body=_body(random))
    publishing.publish(event, by=None, kind="update", note="More of the report.")


def _withdraw(event, random):
    publishing.withdraw(event, by=None, note="The entry told of another day's report.")


def _withdraw_and_restore(event, random):
    _withdraw(event, random)
    publishing.restore(event, by=None, note="The entry was right.")


def _redact(event, random):
    number = event.editions.order_by("-number").first().number
    _correct(event, random)
    publishing.redact(event, number, by=None, note="A private address was in the text.")


TREATMENTS = {
    "correction": _correct,
    "correction_and_update": _correct_and_update,
    "withdrawal": _withdraw,
    "restoration": _withdraw_and_restore,
    "redaction": _redact,
}


def _restated(event):
    return f"{event.headline[:1_900]} A commission reports."


def _body(random):
    """Markdown of 0.2 to 50 kB, short ones as common as long ones on a logarithmic scale, in paragraphs and lists."""
    length = int(SHORTEST * (LONGEST / SHORTEST) ** random.random())
    blocks, size = [], 0
    while size < length:
        words = " ".join(random.choices(WORDS, k=random.randint(20, 90)))
        blocks.append(random.choice(["{}.", "- {}.", "**{}**", "[{}](https://report.example/)"]).format(words))
        size += len(blocks[-1]) + 2
    return "\n\n".join(blocks)[:length]


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
