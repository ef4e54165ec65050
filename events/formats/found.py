"""The shape of what a search found, with the words that were looked for marked in the text. Asks no database."""

import unicodedata
from collections import deque
from collections.abc import Iterable, Sequence
from itertools import islice
from urllib.parse import urlencode

from events import addresses, documents, queries, tokens
from events.formats import shapes
from events.queries import Query, Term

EXCERPT = 200
# How much of an excerpt comes before what was found.
BEFORE = 60
# How far an end of an excerpt is moved to where a word ends.
TO_SPACE = 25
CUT = "…"
# How far a body is read for what was found: some four thousand words, or characters where each begins a word.
READ = 20_000
READ_TOKENS = 4_000


def search(
    query: Query,
    *,
    editions: Iterable = (),
    count: int = 0,
    years: Iterable[tuple[int, int]] = (),
    categories: Iterable = (),
    topics: Iterable = (),
    hints: Iterable[str] = (),
    older: int | None = None,
    newer: int | None = None,
    page: int = 1,
) -> dict:
    """What was found; `older` and `newer` are the numbers of the next page and the one before.

    `years` and `categories` count what was found in each. A topic has `name`, `slug` and `entries`.
    """
    return {
        "url": _url(query.typed, page),
        "query": query.typed,
        "hints": list(dict.fromkeys([*query.hints, *hints])),
        "count": count,
        "topics": [_topic(topic) for topic in topics],
        "events": [_entry(edition, query.terms) for edition in editions],
        "years": [_year(query, year, number) for year, number in years],
        "categories": [_category(query, category, number) for category, number in categories],
        "older": older and _url(query.typed, older),
        "newer": newer and _url(query.typed, newer),
        "formats": addresses.formats(addresses.search, query=_parameters(query.typed, page)),
    }


def _url(typed, page=1) -> str:
    return addresses.absolute(addresses.search()) + _parameters(typed, page)


def _parameters(typed, page) -> str:
    asked = ({"q": typed} if typed else {}) | ({"page": page} if page > 1 else {})
    return f"?{urlencode(asked)}" if asked else ""


def _topic(topic) -> dict:
    url = addresses.absolute(addresses.topic(topic.slug))
    return {"name": topic.name, "slug": topic.slug, "url": url, "count": topic.entries}


def _year(query, year, count) -> dict:
    return {"year": year, "count": count, "url": _url(queries.narrowed_to_year(query, year))}


def _category(query, category, count) -> dict:
    url = _url(queries.narrowed(query, category=category.slug))
    return {"name": category.name, "slug": category.slug, "count": count, "url": url}


def _entry(edition, terms) -> dict:
    text = documents.read(edition.document, edition.schema)
    return {
        **shapes.summary(edition),
        "found_headline": marked(text["headline"], terms),
        "excerpt": excerpt(text["body"], terms),
    }


def marked(text: str, terms: Sequence[Term]) -> list[dict]:
    """The text in pieces, of which those are `found` that the terms stand for."""
    return _pieces(text, found(text, terms), 0, len(text)) if text else []


def excerpt(body: str, terms: Sequence[Term]) -> list[dict]:
    """Some of the body around the first word that was found, else its beginning, in pieces; none of an empty one.

    What was found beyond the first pages of a long body is not looked for.
    """
    text = " ".join(tokens.running_text(body[:READ]).split())
    if not text:
        return []
    first = _first(text, terms)
    start = _start(text, max(0, min(first - BEFORE, len(text) - EXCERPT)), first)
    end = _end(text, start + EXCERPT)
    pieces = _pieces(text, _found_within(text, terms, start, end), start, end)
    before, after = CUT if start else "", CUT if end < len(text) or len(body) > READ else ""
    pieces[0]["text"] = before + pieces[0]["text"]
    pieces[-1]["text"] += after
    return pieces


def _first(text, terms):
    """Where the first of the terms stands; 0 if none does as far as the text is read."""
    longest = max((len(term.words) for term in terms), default=0)
    last = deque(maxlen=longest)
    for token in islice(tokens.tokens(text), READ_TOKENS if terms else 0):
        last.append(token)
        for term in terms:
            place = len(last) - len(term.words)
            if place >= 0 and _stands(term, last, place):
                return last[place].start
    return 0


def _found_within(text, terms, start, end):
    """What is found in a part of the text; words that it cuts are read whole."""
    start = max(0, start - tokens.LONGEST)
    return [(start + first, start + last) for first, last in found(text[start : end + tokens.LONGEST], terms)]


def found(text: str, terms: Sequence[Term]) -> list[tuple[int, int]]:
    """From where to where the terms stand in the text, in order, none of them touching the next."""
    listed = list(tokens.tokens(text))
    places = {}
    for place, token in enumerate(listed):
        places.setdefault(token.word, []).append(place)
    spans = sorted(span for term in terms for span in _spans(term, listed, places))
    joined = []
    for start, end in spans:
        if joined and start <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(end, joined[-1][1]))
        else:
            joined.append((start, end))
    return joined


def _spans(term, listed, places):
    for place in _first_places(term, listed, places):
        last = place + len(term.words) - 1
        if last < len(listed) and _stands(term, listed, place):
            yield listed[place].start, _span_end(term, listed, last)


def _first_places(term, listed, places):
    if len(term.words) > 1 or not term.is_open:
        return places.get(term.words[0], ())
    return (place for place, token in enumerate(listed) if token.word.startswith(term.words[0]))


def _stands(term, listed, place):
    *others, last = term.words
    if any(listed[place + further].word != word for further, word in enumerate(others)):
        return False
    word = listed[place + len(others)].word
    return word.startswith(last) if term.is_open else word == last


def _span_end(term, listed, last):
    """Where what was found ends: of a pair of characters of which one was asked for, that is where the other begins."""
    token = listed[last]
    if token.is_unspaced and len(term.words[-1]) < len(token.word) and last + 1 < len(listed):
        return min(token.end, max(listed[last + 1].start, token.start + 1))
    return token.end


def _pieces(text, spans, start, end) -> list[dict]:
    pieces, place = [], start
    for span_start, span_end in spans:
        if span_end <= start or span_start >= end:
            continue
        if span_start > place:
            pieces.append({"text": text[place:span_start], "found": False})
        place = min(span_end, end)
        pieces.append({"text": text[max(span_start, start) : place], "found": True})
    if place < end:
        pieces.append({"text": text[place:end], "found": False})
    return pieces


def _start(text, start, first) -> int:
    """Where an excerpt begins: after a space, if one is near, and never within a letter and its marks."""
    if start == 0:
        return 0
    space = text.find(" ", start, min(start + TO_SPACE, first))
    if space >= 0:
        return space + 1
    while start and unicodedata.combining(text[start]):
        start -= 1
    return start


def _end(text, end) -> int:
    if end >= len(text):
        return len(text)
    space = text.rfind(" ", end - TO_SPACE, end)
    if space >= 0:
        return space
    while end < len(text) and unicodedata.combining(text[end]):
        end += 1
    return end
