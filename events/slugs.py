"""Names and headlines made comparable and addressable: keys that fold what editors do not tell apart, and slugs."""

import re
import unicodedata

HEADLINE_CUT = 140
LONGEST = 300
LONGEST_NUMBERED = LONGEST + 20
EMPTY_SLUG = "event"
EMPTY_TOPIC_SLUG = "topic"
RESERVED_SLUGS = frozenset({"index"})

# Letters of Latin script that Unicode does not decompose into a base letter and an accent.
LATIN_LETTERS = {
    "ß": "ss",
    "æ": "ae",
    "œ": "oe",
    "ø": "o",
    "đ": "d",
    "ð": "d",
    "þ": "th",
    "ł": "l",
    "ħ": "h",
    "ı": "i",
    "ŋ": "n",
}
_LATIN = str.maketrans(LATIN_LETTERS)
_BIDI = re.compile("[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")
_SPACES = re.compile(r"\s+")


def has_bidi_controls(text: str) -> bool:
    """Whether `text` holds a control of UAX 9 that reorders what follows it, a way to disguise a name."""
    return _BIDI.search(text) is not None


def strip_bidi_controls(text: str) -> str:
    return _BIDI.sub("", text)


def fold(name: str) -> str:
    """The key under which two spellings of a name are one: case, Unicode form, spaces and kinds of dash are folded."""
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", name).casefold())
    dashes = "".join("-" if unicodedata.category(char) == "Pd" or char == "\u2212" else char for char in folded)
    return _SPACES.sub(" ", dashes).strip()


def likeness(name: str) -> str:
    """What two names that probably mean one topic have in common: no accents, dashes, spaces, dots or plural endings.

    English plurals, as the newsroom's default; other languages are compared by their letters alone.
    """
    words = re.findall(r"\w+", _without_latin_accents(fold(name)).replace("_", " "))
    return "".join(map(_singular, words)) or fold(name)


def later_words(name: str) -> set[str]:
    """The words of a name after the first, as typed and as compared, to be found by their beginnings."""
    words = re.split(r"[\s-]+", fold(name))[1:]
    return {form for word in words for form in (word, likeness(word)) if form}


def _singular(word: str) -> str:
    if len(word) > 4 and word.endswith("ies"):
        return word[:-3] + "y"
    return word[:-1] if len(word) > 3 and word.endswith("s") and word[-2] not in "siu" else word


def slugify(text: str) -> str:
    """Lower-case letters, digits and hyphens; Latin letters lose their accents, other scripts keep theirs. May be ''.

    Django's `slugify(allow_unicode=True)` drops combining marks, which are vowels in Indic scripts; these stay here.
    Some letters are written as several, so the result is cut as well.
    """
    kept = "".join(_slug_char(char) for char in _without_latin_accents(text.lower()))
    return re.sub(r"[-\s]+", "-", kept).strip("-_")[:LONGEST].rstrip("-_")


def headline_slug(headline: str) -> str:
    """The slug of a headline: its first 140 characters, cut before they are made into a slug."""
    return slugify(headline[:HEADLINE_CUT]) or EMPTY_SLUG


def topic_slug(name: str) -> str:
    """What a topic's slug begins with: the same for all spellings that fold to one."""
    return slugify(fold(name)) or EMPTY_TOPIC_SLUG


def numbered(base: str):
    """The slugs to try in turn when `base` is taken: base, base-2, base-3, …"""
    if base not in RESERVED_SLUGS:
        yield base
    number = 2
    while True:
        yield f"{base}-{number}"
        number += 1


def is_numbered(slug: str, base: str) -> bool:
    """Whether `slug` is one of `numbered(base)`."""
    rest = slug.removeprefix(base) if slug.startswith(base) else None
    if rest == "":
        return base not in RESERVED_SLUGS
    return rest is not None and re.fullmatch(r"-([2-9]|[1-9][0-9]+)", rest) is not None


def _without_latin_accents(text: str) -> str:
    if text.isascii():
        return text
    base_is_latin = False
    chars = []
    for char in unicodedata.normalize("NFD", text.translate(_LATIN)):
        if unicodedata.combining(char):
            if base_is_latin:
                continue
        else:
            base_is_latin = char.isascii() or unicodedata.name(char, "").startswith("LATIN")
        chars.append(char)
    return unicodedata.normalize("NFC", "".join(chars)).translate(_LATIN)


def _slug_char(char: str) -> str:
    if char.isspace() or char in "-_":
        return char
    return char if unicodedata.category(char)[0] in "LNM" else ""
