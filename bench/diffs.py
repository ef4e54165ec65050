"""How long the comparison of two texts takes, hostile ones included, as multiples of one that is easy.

`python -m bench.diffs` prints `name: value` lines: the processor time of each pair over that of two bodies of 50,000
characters in which one word differs.
"""

import statistics
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from events import diffs

ROUNDS = 5
BODY = "".join(f"word{number * number % 1999} " for number in range(6_500))[:50_000]
HOSTILE = {
    "identical": ("x " + "a " * 25_000 + "y", "z " + "a " * 24_900 + "w"),
    "alternating": ("x " + "a b " * 12_500 + "y", "z " + "a c " * 12_500 + "w"),
    "alternating, short": ("x " + "a b " * 700 + "y", "z " + "a c " * 700 + "w"),
    "alternating lines": ("x\n" + "a\nb\n" * 12_500 + "y", "z\n" + "a\nc\n" * 12_500 + "w"),
    "many spaces": ("x" + " " * 50_000 + "y", "z" + " " * 49_000 + "w"),
    "reversed": (" ".join(map(str, range(9_000))), " ".join(map(str, range(9_000, 0, -1)))),
    "one megabyte": ("".join(f"{n * 7 % 997} " for n in range(260_000)), "".join(f"{n} " for n in range(150_000))),
    "one megabyte, dense": ("日" * 1_000_000, "本" * 1_000_000),
}
PAIRS = {
    "one word": (BODY, BODY.replace("word144 ", "another ", 1)),
    "every tenth word": (BODY, "".join(word + ("x " if n % 10 == 0 else " ") for n, word in enumerate(BODY.split()))),
    **HOSTILE,
}


def main():
    seconds = {name: _median(*pair) for name, pair in PAIRS.items()}
    for name, value in seconds.items():
        print(f"{name}: {value / seconds['one word']:.1f}")


def _median(old, new):
    return statistics.median(_seconds(old, new) for _ in range(ROUNDS))


def _seconds(old, new):
    start = time.process_time()
    diffs.words(old, new)
    return time.process_time() - start


if __name__ == "__main__":
    main()
