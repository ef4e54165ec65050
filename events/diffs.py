"""What changed from one document to another, field by field and word by word.

Works on documents alone: who compares them, and how the difference is shown, is not known here.
"""

import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from difflib import Match, SequenceMatcher
from itertools import accumulate, groupby
from typing import NamedTuple

from events import documents
from events.slugs import fold

LABELS = {
    "date": "Date",
    "category": "Category",
    "story": "Story",
    "headline": "Headline",
    "body": "Body",
    "topics": "Topics",
    "sources": "Sources",
    "language": "Language",
    "origin": "Origin",
}
# Steps of difflib's inner loop, some ten million a second: what one comparison of two texts may take.
_BUDGET = 5_000_000
# Where finding the longest match takes more, the longest ones are found by passages and rare words instead, which
# leaves the budget for what stands between them: 50,000 characters with every third word changed take 50 ms.
_AFFORDABLE = _BUDGET // 50
# Characters of both texts that are taken apart into words: several times what two bodies may have.
_LONGEST = 400_000

# Scripts written without spaces: Thai to Tibetan, Myanmar, Khmer, Chinese and Japanese.
_DENSE = (
    "\u0e00-\u0fff\u1000-\u109f\u1780-\u17ff\u1950-\u19df\u1a20-\u1aaf\u2e80-\u2fff\u3001-\u312f\u31a0-\u31ff"
    "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\uff01-\uff9f\U00020000-\U0003ffff"
)
_MARKS = "".join(char for char in map(chr, range(0x0E00, 0x1AB0)) if unicodedata.category(char)[0] == "M")
# A word takes one space with it, so that taking out a word's only letter leaves its neighbours as they were.
_WORD = re.compile(rf"(?:[{_DENSE}][{_MARKS}\u3099\u309a]*|[^\s{_DENSE}]+)[^\S\n]?|\s")
# Blank lines and spaces stay with what they end: alone they would match anywhere.
_PASSAGE_END = re.compile(r"(?<=[\n。！？])(?!\n)|(?<=[.!?]\s)(?!\s)")


class Piece(NamedTuple):
    """A stretch of text that is "same", "removed" or "added", or a "gap" that leaves out `omitted` characters."""

    op: str
    text: str
    omitted: int = 0


class Row(NamedTuple):
    """A source that is "added", "removed", "changed", "moved" or "same", with its number in each document.

    `old_name` and `old_url` are given where they differ from `name` and `url`.
    """

    state: str
    name: str
    url: str
    number: int | None = None
    old_number: int | None = None
    old_name: str = ""
    old_url: str = ""


class Change(NamedTuple):
    """A field that differs; `kind` says what tells how.

    "text" has `pieces`, "value" `before` and `after` ('' for none), "names" `added`, `removed` and `kept`, and
    "sources" `rows`.
    """

    field: str
    label: str
    kind: str
    pieces: Sequence[Piece] = ()
    before: str = ""
    after: str = ""
    added: Sequence[str] = ()
    removed: Sequence[str] = ()
    kept: Sequence[str] = ()
    rows: Sequence[Row] = ()

    @property
    def shown(self) -> list[Piece]:
        """The pieces without the long stretches in which nothing changed."""
        return excerpt(self.pieces)


def words(old: str, new: str) -> list[Piece]:
    """The pieces of both texts in order; what was removed stands before what was added in its place."""
    pieces = []
    for is_same, before, after in _joined(old, new):
        if is_same:
            pieces.append(Piece("same", before))
        else:
            pieces.extend(Piece(op, text) for op, text in (("removed", before), ("added", after)) if text)
    return pieces


def excerpt(pieces: Sequence[Piece], around: int = 200) -> list[Piece]:
    """The same pieces with only the text around each change; a gap stands for the rest of a long stretch."""
    shown = []
    for number, piece in enumerate(pieces):
        if piece.op != "same" or len(piece.text) <= 2 * around:
            shown.append(piece)
            continue
        end = _head(piece.text, around) if number else 0
        start = _tail(piece.text, around) if number < len(pieces) - 1 else len(piece.text)
        around_gap = (Piece("same", piece.text[:end]), Piece("gap", "", start - end), Piece("same", piece.text[start:]))
        shown.extend(part for part in around_gap if part.text or part.omitted)
    return shown


def fields(old: dict, new: dict, resolve: Callable[[str], object] = lambda key: key) -> list[str]:
    """The fields in which two documents differ, in the order in which they are read."""
    return [field for field in LABELS if not documents.same(old, old | {field: new[field]}, resolve)]


def compare(old: dict, new: dict, resolve: Callable[[str], object] = lambda key: key) -> list[Change]:
    """What changed, in the order in which it is read; `resolve` is that of `documents.same`."""
    return [_change(field, old[field], new[field], resolve) for field in fields(old, new, resolve)]


def summary(changes: Sequence[Change]) -> str:
    """One sentence, such as "Headline and body changed; 2 topics added, 1 source removed."."""
    labels = [change.label.lower() for change in changes if change.kind in ("text", "value")]
    changed = " and ".join(filter(None, (", ".join(labels[:-1]), *labels[-1:])))
    counts = ", ".join(phrase for change in changes for phrase in _counts(change))
    sentence = "; ".join(filter(None, (changed and f"{changed} changed", counts))) or "no difference"
    return sentence[0].upper() + sentence[1:] + "."


class _Matcher(SequenceMatcher):
    """Matches until the budget for one comparison is spent; what is left then counts as changed throughout."""

    def __init__(self):
        super().__init__(autojunk=False)
        self.left = _BUDGET

    def set_seqs(self, one: list[str], other: list[str]):
        super().set_seqs(one, other)
        self.steps = [0, *accumulate(3 + len(self.b2j.get(token, ())) for token in one)]

    def find_longest_match(self, alo=0, ahi=None, blo=0, bhi=None):
        steps = self.steps[ahi] - self.steps[alo]
        if steps > self.left:
            return Match(alo, blo, 0)
        self.left -= steps
        return super().find_longest_match(alo, ahi, blo, bhi)

    def runs(self) -> Iterator[tuple[str, str]]:
        """(text of one, text of the other) in order; equal where nothing changed."""
        for _op, start, end, other_start, other_end in self.get_opcodes():
            yield "".join(self.a[start:end]), "".join(self.b[other_start:other_end])


def _joined(old: str, new: str) -> Iterator[tuple[bool, str, str]]:
    """(whether it is the same, old text, new text) in order; the two are matched in one order, whichever is older."""
    swapped = new < old
    runs = _runs(_Matcher(), *((new, old) if swapped else (old, new)))
    for is_same, group in groupby(runs, key=lambda run: run[0] == run[1]):
        one, other = ("".join(texts) for texts in zip(*group, strict=True))
        if one or other:
            yield (is_same, other, one) if swapped else (is_same, one, other)


def _runs(matcher: _Matcher, one: str, other: str, divide: bool = True) -> Iterator[tuple[str, str]]:
    """The matcher's runs by words; by passages, then rare words, first where all words would take too long."""
    if len(one) + len(other) > _LONGEST:
        yield one, other
        return
    ones, others = _WORD.findall(one), _WORD.findall(other)
    head = _common(ones, others)
    tail = _common(ones[head:][::-1], others[head:][::-1])
    middle = ones[head : len(ones) - tail], others[head : len(others) - tail]
    yield ("".join(ones[:head]),) * 2
    matcher.set_seqs(*middle)
    if matcher.steps[-1] <= _AFFORDABLE:
        yield from matcher.runs()
    elif divide:
        matcher.set_seqs(*(_PASSAGE_END.split("".join(tokens)) for tokens in middle))
        for run in list(matcher.runs()):
            yield from [run] if run[0] == run[1] else _runs(matcher, *run, divide=False)
    else:
        yield from _runs_between_rare_words(matcher, *middle)
    yield ("".join(ones[len(ones) - tail :]),) * 2


def _runs_between_rare_words(matcher: _Matcher, ones: list[str], others: list[str]) -> Iterator[tuple[str, str]]:
    """The matcher's runs between the words that stand once in each text, which are matched first."""
    rare = _once(ones) & _once(others)
    places, other_places = ([n for n, token in enumerate(tokens) if token in rare] for tokens in (ones, others))
    matcher.set_seqs([ones[place] for place in places], [others[place] for place in other_places])
    cuts = [(places[i + n], other_places[j + n]) for i, j, size in matcher.get_matching_blocks() for n in range(size)]
    start = other_start = 0
    for end, other_end in [*cuts, (len(ones), len(others))]:
        matcher.set_seqs(ones[start:end], others[other_start:other_end])
        yield from matcher.runs()
        start, other_start = end, other_end


def _once(tokens: list[str]) -> set[str]:
    return {token for token, count in Counter(tokens).items() if count == 1}


def _common(ones: list[str], others: list[str]) -> int:
    pairs = enumerate(zip(ones, others, strict=False))
    return next((number for number, (one, other) in pairs if one != other), min(len(ones), len(others)))


def _head(text: str, around: int) -> int:
    """Where the first `around` characters end, after a space if there is one near."""
    return text.rfind(" ", around // 2, around) + 1 or around


def _tail(text: str, around: int) -> int:
    return text.find(" ", len(text) - around - 1, len(text) - around // 2) + 1 or len(text) - around


def _change(field: str, old, new, resolve) -> Change:
    label = LABELS[field]
    if field in ("headline", "body"):
        return Change(field, label, "text", pieces=words(old, new))
    if field == "topics":
        return _topics_change(field, label, old, new, resolve)
    if field == "sources":
        return Change(field, label, "sources", rows=_rows(old, new))
    return Change(field, label, "value", before=_in_words(old), after=_in_words(new))


def _in_words(value) -> str:
    if not isinstance(value, dict):
        return value or ""
    return ", ".join(filter(None, (value["name"], value.get("url"), value.get("licence"))))


def _topics_change(field, label, old, new, resolve) -> Change:
    before, after = ({resolve(topic["key"]): topic["name"] for topic in topics} for topics in (old, new))
    return Change(
        field,
        label,
        "names",
        added=sorted((after[key] for key in after.keys() - before.keys()), key=fold),
        removed=sorted((before[key] for key in before.keys() - after.keys()), key=fold),
        kept=sorted((after[key] for key in after.keys() & before.keys()), key=fold),
    )


def _rows(old: list[dict], new: list[dict]) -> list[Row]:
    """The sources in their new order, then those that were removed."""
    matched = _matched(old, new)
    unmoved = _in_order([matched[place] for place in sorted(matched)])
    rows = [_row(place, source, matched.get(place), old, unmoved) for place, source in enumerate(new)]
    gone = (place for place in range(len(old)) if place not in matched.values())
    return rows + [Row("removed", old[place]["name"], old[place]["url"], old_number=place + 1) for place in gone]


def _row(place: int, source: dict, old_place: int | None, old: list[dict], unmoved: set[int]) -> Row:
    name, url = source["name"], source["url"]
    if old_place is None:
        return Row("added", name, url, place + 1)
    was = old[old_place]
    state = "changed" if source != was else "same" if old_place in unmoved else "moved"
    old_name, old_url = ("" if was[key] == source[key] else was[key] for key in ("name", "url"))
    return Row(state, name, url, place + 1, old_place + 1, old_name, old_url)


def _matched(old: list[dict], new: list[dict]) -> dict[int, int]:
    """The place of each new source that was there before -> its old place."""
    matched = {}
    for keys in (("url", "name"), ("url",), ("name",)):
        free = {}
        for place, source in enumerate(old):
            if place not in matched.values():
                free.setdefault(tuple(source[key] for key in keys), []).append(place)
        for place, source in enumerate(new):
            same = free.get(tuple(source[key] for key in keys))
            if place not in matched and same:
                matched[place] = same.pop(0)
    return matched


def _in_order(places: list[int]) -> set[int]:
    """The longest rising part of `places`: what stands outside it was moved."""
    chains = [[]]
    for place in places:
        chains.append([*max((chain for chain in chains if not chain or chain[-1] < place), key=len), place])
    return set(max(chains, key=len))


def _counts(change: Change) -> Iterator[str]:
    if change.kind == "names":
        counts = {"added": len(change.added), "removed": len(change.removed)}
    else:
        counts = Counter(row.state for row in change.rows)
    for state in ("added", "removed", "changed", "moved"):
        if counts.get(state):
            yield f"{counts[state]} {change.field[:-1] if counts[state] == 1 else change.field} {state}"
