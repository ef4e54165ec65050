"""What changed from one document to another, field by field and word by word.

Works on documents alone: who compares them, and how the difference is shown, is not known here.
"""

import re
import unicodedata
from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from difflib import Match, SequenceMatcher
from itertools import accumulate, groupby, product
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
# Where finding the longest match takes more, there may be too many to find: texts of 2,500 words and more are taken
# apart by passages and rare words first, which leaves the budget for what stands between them. 50,000 characters with
# every third word changed take 60 ms.
_AFFORDABLE = _BUDGET // 500
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
_IS_DENSE = re.compile(f"[{_DENSE}]")
# Blank lines and spaces stay with what they end: alone they would match anywhere.
_PASSAGE_END = re.compile(r"(?<=[\n。！？])(?!\n)|(?<=[.!?]\s)(?!\s)")

_STATES = ("added", "removed", "changed", "moved")
# What a sentence still names: so many sources or topics, with so many characters, and so many values.
_MOST_NAMES = 3
_LONGEST_NAMES = 80
_MOST_VALUES = 2


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
    """One sentence, such as "2 words replaced in the body; source 3 added; category changed from Asia to World."."""
    by_field = {change.field: change for change in changes}
    parts = [_text_part(by_field[field]) for field in ("body", "headline") if field in by_field]
    parts.extend(_source_parts(by_field["sources"].rows) if "sources" in by_field else ())
    parts.extend(_topic_parts(by_field["topics"]) if "topics" in by_field else ())
    parts.extend(_value_parts([change for change in changes if change.kind == "value"]))
    sentence = "; ".join(parts) or "no difference"
    return sentence[0].upper() + sentence[1:].removesuffix(".") + "."


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
    other_places = {token: place for place, token in enumerate(others) if token in rare}
    pairs = [(place, other_places[token]) for place, token in enumerate(ones) if token in rare]
    unmoved = set(_in_order([other for _place, other in pairs]))
    cuts = [(place, other) for place, other in pairs if other in unmoved]
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
    unmoved = set(_in_order(matched[place] for place in sorted(matched)))
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


def _in_order(places: Iterable[int]) -> list[int]:
    """The longest rising part of `places`, no two of which are equal: what stands outside it was moved."""
    ends, before = [], {}
    for place in places:
        length = bisect_left(ends, place)
        before[place] = ends[length - 1] if length else None
        ends[length : length + 1] = [place]
    rising = ends[-1:]
    while rising and (place := before[rising[-1]]) is not None:
        rising.append(place)
    return rising[::-1]


# The sentence that sums up.


def _text_part(change: Change) -> str:
    """What became of a text, its words counted; a text without words, such as "…", only stands for one."""
    name = change.label.lower()
    old, new = (_joined_text(change.pieces, op) for op in ("removed", "added"))
    if not new:
        return f"{name} removed"
    if not old and _has_words(new):
        return f"{name} added"
    counts = ", ".join(_word_counts(change.pieces))
    if counts:
        return f"{counts} in the {name}"
    return f"spaces or punctuation changed in the {name}" if _has_words(old + new) else f"{name} changed"


def _joined_text(pieces: Iterable[Piece], op: str) -> str:
    """The text that the pieces of this kind make with those that stayed the same."""
    return "".join(piece.text for piece in pieces if piece.op in ("same", op))


def _has_words(text: str) -> bool:
    return any(map(str.isalnum, text))


def _units(tokens: Iterable[str]) -> Counter:
    """How many of them are words, and how many characters of scripts without spaces."""
    told = (token for token in tokens if any(map(str.isalnum, token)))
    return Counter("character" if _IS_DENSE.match(token) else "word" for token in told)


def _word_counts(pieces: Sequence[Piece]) -> Iterator[str]:
    """Such as "2 words replaced": in each place as many as both texts have there, the others removed or added."""
    counts = Counter()
    for removed, added in _places(pieces):
        counts.update({(unit, "replaced"): number for unit, number in (removed & added).items()})
        counts.update({(unit, "removed"): number for unit, number in (removed - added).items()})
        counts.update({(unit, "added"): number for unit, number in (added - removed).items()})
    for unit, state in product(("word", "character"), ("replaced", "removed", "added")):
        if number := counts[unit, state]:
            yield f"{number:,} {unit}{'' if number == 1 else 's'} {state}"


def _places(pieces: Sequence[Piece]) -> Iterator[tuple[Counter, Counter]]:
    """The words removed and the words added, counted, of each place that changed."""
    for is_same, group in groupby(pieces, key=lambda piece: piece.op == "same"):
        if not is_same:
            texts = {piece.op: _WORD.findall(piece.text) for piece in group}
            yield tuple(map(_units, _uncommon(texts.get("removed", []), texts.get("added", []))))


def _uncommon(ones: list[str], others: list[str]) -> tuple[list[str], list[str]]:
    """The words between those that both begin and end with: a word after which a space was put is no other word."""
    ones, others = ([word.strip() for word in words] for words in (ones, others))
    head = _common(ones, others)
    tail = _common(ones[head:][::-1], others[head:][::-1])
    return ones[head : len(ones) - tail], others[head : len(others) - tail]


def _source_parts(rows: Sequence[Row]) -> Iterator[str]:
    for state in _STATES:
        numbers = [row.old_number if state == "removed" else row.number for row in rows if row.state == state]
        yield from _listed("source", map(str, numbers), state)


def _topic_parts(change: Change) -> Iterator[str]:
    yield from _listed("topic", change.added, "added")
    yield from _listed("topic", change.removed, "removed")


def _listed(word: str, names: Iterable[str], state: str) -> Iterator[str]:
    """Such as "sources 2 and 3 added"; many names, or long ones, are only counted."""
    names = list(names)
    if not names:
        return
    words = word if len(names) == 1 else f"{word}s"
    said = _joined_with_and(names)
    is_short = len(names) <= _MOST_NAMES and len(said) <= _LONGEST_NAMES
    yield f"{words} {said} {state}" if is_short else f"{len(names)} {words} {state}"


def _value_parts(changes: Sequence[Change]) -> Iterator[str]:
    """From what to what, of few; of more, only which."""
    if len(changes) > _MOST_VALUES:
        yield f"{_joined_with_and([change.label.lower() for change in changes])} changed"
        return
    for change in changes:
        yield _value_part(change)


def _value_part(change: Change) -> str:
    name, is_short = change.label.lower(), len(change.before + change.after) <= _LONGEST_NAMES
    if not (change.before and change.after):
        value = f" {change.before or change.after}" if is_short else ""
        return f"{name}{value} {'removed' if change.before else 'added'}"
    return f"{name} changed from {change.before} to {change.after}" if is_short else f"{name} changed"


def _joined_with_and(names: Sequence[str]) -> str:
    return " and ".join(filter(None, (", ".join(names[:-1]), *names[-1:])))
