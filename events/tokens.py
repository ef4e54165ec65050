"""Text as the words that a search compares: folded, and each with its place in the text.

The same for what is stored and for what is asked, on whichever database. Knows nothing of either. A token holds
letters, digits and marks, so that ASCII punctuation and spaces are free to stand between them.
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator
from functools import lru_cache
from itertools import pairwise
from typing import NamedTuple

from events import slugs

LONGEST = 100
# A letter has hardly more marks than this, and Python needs time quadratic in them to put them in order.
MOST_MARKS = 20
# Between two texts of one row, so that no phrase is found across them. No text makes it: it is punctuation.
BOUNDARY = "¶"

# What is nowhere a space: runs of letters and digits are told apart further in those alone that are not plain ASCII.
_RUN = re.compile(r"[^\x00-/:-@\[-`{-\x7f\s]+")
# Scripts that are written without spaces between words, and Hangul, whose endings would need a dictionary.
_UNSPACED = re.compile(
    "[\u0e00-\u0eff\u1000-\u109f\u1100-\u11ff\u1780-\u17ff\u1950-\u19df\u1a20-\u1aaf\u2e80-\u2fdf\u3005-\u3007"
    "\u3021-\u3029\u3031-\u3035\u3038-\u303c\u3040-\u30ff\u3100-\u318f\u31a0-\u31bf\u31f0-\u31ff\u3400-\u4dbf"
    "\u4e00-\ua4cf\ua960-\ua9ff\uaa60-\uaadf\uac00-\ud7ff\uf900-\ufaff\U0001aff0-\U0001b16f\U00020000-\U0003ffff]"
)
# Latin, Greek, Cyrillic, Hebrew and Arabic, of which a mark is an accent or a vowel that may as well be left out.
_ACCENTED = re.compile(
    "[\x00-\u077f\u0870-\u08ff\u1c80-\u1c8f\u1d00-\u1dff\u1e00-\u1fff\u2c60-\u2c7f\u2de0-\u2dff\ua640-\ua7ff\uab30-\uab6f]"
)
_VARIATION = re.compile("[\ufe00-\ufe0f\U000e0100-\U000e01ef]")
# What goes on with the letter before it without being a mark: halves of kana, and of Hangul syllables.
_CONTINUES = re.compile("[\uff9e\uff9f\u1160-\u11ff\ud7b0-\ud7fb]")
# Letters that Unicode does not take apart, and Arabic ones that are typed for each other.
_ALIKE = str.maketrans(
    slugs.LATIN_LETTERS
    | {
        "\u0640": "",  # tatweel
        "\u0671": "\u0627",
        "\u0649": "\u064a",
        "\u06cc": "\u064a",
        "\u06a9": "\u0643",
        "\u0629": "\u0647",
    }
)

# What of Markdown is no text: where links lead, and the marks.
_DEFINITION = re.compile(r"^ {0,3}\[[^\[\]\n]{1,200}\]: *<?(?:https?://|mailto:)[^\n]*$", re.IGNORECASE | re.MULTILINE)
_TARGET = r"""\( ?<?(?:[^\s()<>]|\([^\s()<>]{0,2000}\)){0,2000}>? {0,9}(?:"[^"\n]{0,500}"|'[^'\n]{0,500}')? ?\)"""
_LINK = re.compile(rf"!?\[([^\[\]\n]{{0,2000}})\](?:{_TARGET}|\[[^\[\]\n]{{0,200}}\])")
# Of a link whose text holds brackets.
_OTHER_TARGET = re.compile(rf"(?<=\]){_TARGET}")
_LEADING = re.compile(r"^(?:[ \t]|>|[*+-] |#{1,6} |[0-9]{1,9}\. |(?:```|~~~)[^\n]*$|[|:=-]+$)+", re.MULTILINE)
_MARK = re.compile(r"\\([!-/:-@\[-`{-~])|[*`|]|(?<![^\W_])_+(?=\S)|(?<=\S)_+(?![^\W_])")


class Token(NamedTuple):
    """A word as it is compared, and from where to where it stands in the text."""

    word: str
    start: int
    end: int
    is_unspaced: bool = False


def tokens(text: str) -> Iterator[Token]:
    """The tokens of a text in order.

    Of a run in a script without spaces: each two neighbouring characters, then the last one alone. So one character is
    the beginning of a token wherever it stands.
    """
    for run in _RUN.finditer(text):
        if run[0].isascii():
            yield Token(run[0].lower()[:LONGEST], *run.span())
        else:
            yield from _told_apart(run[0], run.start())


def words(texts: Iterable[str]) -> str:
    """The tokens of some texts as they are stored: with a space before and after each, so that ` a b ` is a phrase."""
    stored = f" {BOUNDARY} ".join(" ".join(token.word for token in tokens(text)) for text in texts if text)
    return f" {stored} "


def of_document(document: dict) -> tuple[str, str]:
    """What an edition with this document is found by: the words of its head, and those of its body.

    A story is one of the topics.
    """
    category = document["category"]
    names = [*document["topics"], *([category] if category else []), *document["sources"]]
    head = [document["headline"], *(named["name"] for named in names)]
    return words(head), words([running_text(document["body"])])


def running_text(body: str) -> str:
    """The text of a Markdown body without its marks and without the addresses that its links lead to."""
    body = _LINK.sub(r"\1", _LINK.sub(r"\1", _DEFINITION.sub("", body)))
    return _MARK.sub(r"\1", _LEADING.sub("", _OTHER_TARGET.sub("", body)))


def _told_apart(run, offset):
    """The tokens of a run without ASCII punctuation or spaces: words, pairs of characters, nothing for symbols."""
    word, unspaced = [], []
    for char, start, end in _folded(run, offset):
        if _UNSPACED.match(char):
            yield from _word(word)
            unspaced.append((char, start, end))
            continue
        yield from _pairs(unspaced)
        if char == " ":
            yield from _word(word)
        else:
            word.append((char, start, end))
    yield from _word(word)
    yield from _pairs(unspaced)


def _word(chars):
    """The token of these characters, which are used up."""
    if chars:
        yield Token("".join(char for char, _, _ in chars)[:LONGEST], chars[0][1], chars[-1][2])
        chars.clear()


def _pairs(chars):
    for (first, start, _), (second, _, end) in pairwise(chars):
        yield Token(first + second, start, end, is_unspaced=True)
    if chars:
        yield Token(*chars[-1], is_unspaced=True)
        chars.clear()


def _folded(run, offset):
    """(character as compared, start, end in the text) of all that counts; a space where a word ends."""
    for start, end in _letters(run):
        for char in _fold(run[start:end]):
            yield char, offset + start, offset + end


def _letters(run):
    """From where to where each character goes, with the marks that follow it."""
    start = 0
    for place, char in enumerate(run):
        goes_on = unicodedata.category(char)[0] == "M" or _CONTINUES.match(char)
        if place and not (goes_on and place - start <= MOST_MARKS):
            yield start, place
            start = place
    yield start, len(run)


@lru_cache(maxsize=20_000)
def _fold(letter):
    """What one letter with its marks is compared as; a space if it is no letter, "" if it is nothing to be seen."""
    if unicodedata.category(letter[0]) == "Cf":
        return ""
    # Twice, as folding the case takes letters apart.
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", letter).casefold())
    decomposed = unicodedata.normalize("NFD", folded)
    if _ACCENTED.match(decomposed):
        folded = "".join(char for char in decomposed if unicodedata.category(char) != "Mn")
    return "".join(map(_kept, folded.translate(_ALIKE)))


def _kept(char):
    category = unicodedata.category(char)
    if category == "Nd":
        return str(unicodedata.decimal(char))
    if category in ("Cf", "Me") or _VARIATION.match(char):
        return ""
    return char if category[0] in "LNM" else " "
