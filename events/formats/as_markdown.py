"""A shape as Markdown, line for line like the page that everything started from. Links are paths below the site.

What an entry says in one line is escaped; its body is Markdown already and stays as it is.
"""

import datetime
import re
import unicodedata
from collections.abc import Iterable
from itertools import groupby
from operator import itemgetter
from urllib.parse import quote

from events import addresses
from events.formats import shapes

_FENCE = re.compile(r" {0,3}(`{3,}|~{3,})")
# A `<` that a renderer of Markdown takes for HTML; a link in angle brackets is none.
_RAW_HTML = re.compile(r"(?<!\\)<(?=[A-Za-z/!?])(?!https?://|mailto:)")
_LINE_BREAKS = re.compile("\\s*[\n\r\x0b\x0c\x1c-\x1e\x85\u2028\u2029]\\s*")
# Within a line. "&" and "<" are written as entities, since not every dialect takes a backslash before them.
_ACTIVE = re.compile(r"[\\`*_\[\]#]")
_ENTITY = re.compile(r"&(?=#?\w+;)")
_ACTIVE_IN_URL = re.compile(r"[\s()<>\"'\\`]")
_PAST = re.compile(r"/as-of/[^/]+")
# What of an unchanged passage is shown on each side of a change.
_AROUND = 60

_NO_TEXT = {
    "redacted": "The text of this version was removed for good.",
    "withdrawn": "The entry was withdrawn.",
}


def render(root: str, shape: dict) -> bytes:
    blocks = [block.strip("\n") for block in _PAGES[root](shape)]
    # The page that everything started from begins with an empty line.
    return ("\n" + "\n\n".join(filter(None, blocks)) + "\n").encode()


def _event(shape) -> Iterable[str]:
    yield _formats(shape)
    yield from _since(shape)
    yield f"### {_day_link(shape['date'], shape)}"
    yield from _version(shape)
    yield from _entry_text(shape)
    yield from _section("Sources", [_link(source["name"], source["url"]) for source in shape["sources"]])
    if len(shape["changes"]) > 1:
        yield from _section("Changes", [_change(change, shape) for change in shape["changes"]])
    yield from _section("Related", [_related(entry) for entry in shape["related"]])


def _since(shape) -> Iterable[str]:
    if not shape["since"]:
        return
    yield "This is an earlier version."
    yield from _section("Changed since", [_change(change, shape) for change in shape["since"]])


def _version(shape) -> Iterable[str]:
    """What a numbered version says of itself and where it leads."""
    if not _is_numbered(shape):
        return
    own = next(change for change in shape["changes"] if change["version"] == shape["version"])
    yield f"Version {shape['version']} {_mark(own)}"
    links = [("Previous version", shape["previous"]), ("Next version", shape["next"])]
    urls = [(name, neighbour["url"]) for name, neighbour in links if neighbour] + [(shapes.CURRENT, shape["latest"])]
    yield " ".join(_own_link(name, url) for name, url in urls if url)


def _entry_text(shape) -> Iterable[str]:
    if shape["headline"] is None:
        yield f"# Version {shape['version']}"
        yield _NO_TEXT[shape["status"]]
        return
    yield "\n".join([*_heading(shape), f"# {text(shape['headline'])}"])
    yield _contained(shape["body"])


def _contained(body: str) -> str:
    """A body that says what its HTML page says, and ends where it ends: no raw HTML, no fence left open."""
    lines = body.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    fence = ""
    for number, line in enumerate(lines):
        mark = _FENCE.match(line)
        if fence:
            fence = "" if mark and mark[1].startswith(fence) and not line[mark.end() :].strip() else fence
        elif mark:
            fence = mark[1]
        else:
            lines[number] = _RAW_HTML.sub(r"\\<", line)
    return "\n".join([*lines, fence] if fence else lines)


def _change(change, shape) -> str:
    return f"[{_version_name(change)}]({_change_path(change, shape)}) {_mark(change)}"


def _version_name(change) -> str:
    # The space at the end is that of the page that everything started from.
    return f"Version {change['version']}" if change["headline"] is None else f"{text(change['headline'])} "


def _change_path(change, shape) -> str:
    """The address that the version's own headline gave it, if that still leads to it; else the one for good.

    On the page of a numbered version, which is for good, so are the links.
    """
    if _is_numbered(shape):
        return addresses.relative(change["url"], "md")
    if change["label"] == shapes.CURRENT:
        return addresses.relative(shape["latest"], "md")
    url = _neutral(change)
    bearers = [other for other in [*shape["changes"], *shape["since"]] if _bears(other, url)]
    url = url if bearers and bearers[-1] is change else change["url"]
    return addresses.relative(addresses.into_past(url, _past(shape)), "md")


def _bears(change, url) -> bool:
    return change["headline"] is not None and _neutral(change) == url


def _neutral(change) -> str:
    return change["url"].removesuffix(f".v{change['version']}.html")


def _is_numbered(shape) -> bool:
    return shape["url"].endswith(f".v{shape['version']}.html")


def _mark(change) -> str:
    note = text(change["note"])
    if change["label"] == shapes.CURRENT:
        return f"_({shapes.CURRENT})_" + (f" _({shapes.LABELS[change['kind']]}: {note})_" if note else "")
    return f"_{_time(change['issued'])} ({change['label']}{note and f': {note}'})_"


def _related(entry) -> str:
    return (
        f"[{text(entry['headline'])} ]({addresses.relative(entry['url'], 'md')}) {_context(entry['context'])}".strip()
    )


def _day(shape) -> Iterable[str]:
    yield _formats(shape)
    yield from _day_entries(_own_link(shape["date"], shape["url"]), shape["events"], _news)
    if not shape["events"]:
        yield "Nothing is recorded for this day."
    if shape["withdrawn"]:
        yield "1 entry was withdrawn." if shape["withdrawn"] == 1 else f"{shape['withdrawn']} entries were withdrawn."
    yield from _neighbours(shape, "Day")


def _front(shape) -> Iterable[str]:
    yield _formats(shape)
    for day in shape["days"]:
        entries = [entry for entry in shape["events"] if entry["date"] == day["date"]]
        yield from _day_entries(_own_link(day["date"], day["url"]), entries)
    yield from _neighbours(shape, "Day")
    yield from _listed("Corrected lately", map(_correction, shape["corrections"]))
    yield from _listed("Stories of the month", _counted(shape["stories"], "name"))
    yield from _listed("Categories", [_own_link(category["name"], category["url"]) for category in shape["categories"]])


def _day_entries(day, entries, mark=lambda entry: "") -> Iterable[str]:
    """The entries of a day under a link to it; `mark` says what stands behind a headline."""
    yield f"## {day}"
    for entry in entries:
        yield "\n".join([*_heading(entry), f"### {_own_link(entry['headline'], entry['url'])}{mark(entry)}"])
        yield _contained(entry["summary"]) or _context([topic["name"] for topic in entry["topics"]])


def _news(entry) -> str:
    return f" _({entry['news']})_" if entry["news"] else ""


def _revised(entry) -> str:
    marks = [mark for mark in ("corrected", "updated") if entry[mark]]
    return f" _({', '.join(marks)})_" if marks else ""


def _years(shape) -> Iterable[str]:
    yield _formats(shape)
    yield f"# {_own_link('All years', shape['url'])}"
    yield _list(_counted(shape["years"], "year"))


def _year(shape) -> Iterable[str]:
    yield _formats(shape)
    yield f"# {_own_link(str(shape['year']), shape['url'])}"
    yield _list(_counted(shape["months"], "month"))
    yield from _neighbours(shape, "Year")


def _month(shape) -> Iterable[str]:
    yield _formats(shape)
    yield f"# {_own_link(shape['month'], shape['url'])}"
    yield _list(_counted(shape["days"], "date"))
    yield from _neighbours(shape, "Month")
    yield from _listed("Stories", _counted(shape["stories"], "name"))


def _comparison(shape) -> Iterable[str]:
    yield _formats(shape)
    yield f"### {_day_link(shape['date'], shape)}"
    yield f"# {text(shape['headline'])}"
    yield f"From {_compared(shape['old'])} to {_compared(shape['new'])}"
    yield f"What changed: {text(shape['summary'])}"
    yield from _section("Changes", [_change_for_good(change) for change in shape["changes"]])
    for difference in shape["differences"]:
        yield f"### {text(difference['label'])}:"
        yield _list(_DIFFERENCES[difference["kind"]](difference))
    if shape["latest"]:
        yield _own_link(shapes.CURRENT, shape["latest"])


def _compared(version) -> str:
    name = f"version {version['version']}"
    return f"{_own_link(name, version['url'])} {_mark(version)}"


def _change_for_good(change) -> str:
    return f"[{_version_name(change)}]({addresses.relative(change['url'], 'md')}) {_mark(change)}"


def _text_difference(difference) -> Iterable[str]:
    """One line for each piece, which a mark within the text would not survive."""
    pieces = difference["pieces"]
    for position, piece in enumerate(pieces):
        if piece["op"] == "same":
            yield f"same: {_around(piece['text'], position > 0, position < len(pieces) - 1)}"
        else:
            yield f"{piece['op']}: {_seen(piece['text'])}"


def _around(passage, follows, leads) -> str:
    """What of an unchanged passage stands next to the change that it follows or leads to."""
    if len(passage) <= 2 * _AROUND:
        return _seen(passage)
    head, tail = passage[: _AROUND * follows], passage[len(passage) - _AROUND * leads :]
    return " … ".join(text(part) for part in (head, tail)).strip()


def _seen(passage) -> str:
    return text(passage) or "_space or line break_"


def _value_difference(difference) -> Iterable[str]:
    for op, value in (("removed", difference["before"]), ("added", difference["after"])):
        if value:
            yield f"{op}: {text(value)}"


def _names_difference(difference) -> Iterable[str]:
    for op, key in (("removed", "removed"), ("added", "added"), ("same", "kept")):
        yield from (f"{op}: {text(name)}" for name in difference[key])


def _sources_difference(difference) -> Iterable[str]:
    for row in difference["rows"]:
        number = row["number"] or row["old_number"]
        yield f"{row['state']}: {number}. {_link(row['name'], row['url'])}{_source_before(row)}"


def _source_before(row) -> str:
    if row["state"] == "moved":
        return f", number {row['old_number']} before"
    if row["state"] == "changed":
        return f", {_link(row['old_name'] or row['name'], row['old_url'] or row['url'])} before"
    return ""


_DIFFERENCES = {
    "text": _text_difference,
    "value": _value_difference,
    "names": _names_difference,
    "sources": _sources_difference,
}


def _topic(shape) -> Iterable[str]:
    yield _formats(shape)
    yield f"# {text(shape['name'])}"
    if shape["aliases"]:
        yield f"Also: {', '.join(map(text, shape['aliases']))}"
    yield _total(shape["count"])
    yield from _timeline(shape)
    yield from _listed("Often with", _counted(shape["often_with"], "name"))
    yield from _listed("Years", _counted(shape["years"], "year"))


def _category(shape) -> Iterable[str]:
    yield _formats(shape)
    yield f"# {text(shape['name'])}"
    yield _total(shape["count"])
    yield from _timeline(shape)
    yield from _listed("Years", _counted(shape["years"], "year"))


def _timeline(shape) -> Iterable[str]:
    """Entries, newest first, under the days that they belong to."""
    for date, entries in groupby(shape["events"], key=itemgetter("date")):
        yield from _day_entries(_day_link(date, shape), entries, _revised)
    yield from _pages(shape, newer="Newest entries...", older="Older entries...")


def _topics(shape) -> Iterable[str]:
    yield _formats(shape)
    yield f"# {text(' '.join(filter(None, ['Topics', shape['letter'] or shape['q']])))}"
    yield " ".join(_own_link(letter["letter"], letter["url"]) for letter in shape["letters"])
    yield _list(_counted(shape["topics"], "name")) or "There is no such topic."
    yield from _pages(shape, newer="First topics...", older="More topics...")


def _search(shape) -> Iterable[str]:
    yield _formats(shape)
    yield f"# Search {text(shape['query'])}".rstrip()
    yield _list(map(text, shape["hints"]))
    yield _total(shape["count"])
    yield from _listed("Topics", _counted(shape["topics"], "name"))
    yield from _listed("Entries", map(_found, shape["events"]))
    yield from _pages(shape, newer="Previous page...", older="Next page...")
    yield from _listed("Years", _counted(shape["years"], "year"))
    yield from _listed("Categories", _counted(shape["categories"], "name"))


def _found(entry) -> str:
    headline = f"[{_pieces(entry['found_headline'])}]({addresses.relative(entry['url'], 'md')})"
    return f"{headline}{_revised(entry)} _{entry['date']}_ {_pieces(entry['excerpt'])}".strip()


def _pieces(pieces) -> str:
    """A text as one line, in which what was found is strong."""
    runs = groupby((piece for piece in pieces if piece["text"]), key=itemgetter("found"))
    joined = ((found, "".join(piece["text"] for piece in run)) for found, run in runs)
    return "".join(
        f"**{_one_line(run)}**" if found and _is_word(run) else _one_line(run) for found, run in joined
    ).strip()


def _is_word(run) -> bool:
    """Whether marks around it are read as marks: next to punctuation or a space they may not be."""
    return all(unicodedata.category(char)[0] in "LMN" for char in (run[0], run[-1]))


def _corrections(shape) -> Iterable[str]:
    yield _formats(shape)
    yield "# Corrections"
    yield _own_link("How we correct", shape["policy"]["url"])
    yield _list(map(_correction, shape["corrections"])) or "Nothing has been corrected yet."
    yield from _pages(shape, newer="Newest corrections...", older="Older corrections...")


def _correction(row) -> str:
    # What leads to an event whatever its text has no format.
    path = addresses.relative(row["url"], "md" if row["url"].endswith(".html") else "")
    note = text(row["note"])
    mark = f"_{_time(row['issued'])} ({row['label']}{note and f': {note}'})_"
    difference = row["difference"] and _own_link("What changed", row["difference"])
    return " ".join(filter(None, [f"[{_version_name(row)}]({path})", mark, difference]))


def _policy(shape) -> Iterable[str]:
    yield _formats(shape)
    yield "# How we correct"
    if shape["issued"]:
        yield f"_Since {_time(shape['issued'])}_"
    yield _contained(shape["body"])
    earlier = [f"since {_time(former['issued'])}" if former["issued"] else "at first" for former in shape["former"]]
    yield from _listed("Another text held", earlier)


def _problem(shape) -> Iterable[str]:
    yield f"# {text(shape['title'])}"
    yield text(shape["detail"])
    if shape.get("reason"):
        yield f"Reason: {text(shape['reason'])}"
    if shape.get("withdrawn"):
        yield f"_Withdrawn {_time(shape['withdrawn'])}_"
    if shape.get("latest"):
        yield _own_link(shapes.CURRENT, shape["latest"])


_PAGES = {
    "event": _event,
    "day": _day,
    "front": _front,
    "years": _years,
    "year": _year,
    "month": _month,
    "comparison": _comparison,
    "topic": _topic,
    "topics": _topics,
    "category": _category,
    "search": _search,
    "corrections": _corrections,
    "policy": _policy,
    "problem": _problem,
}


def text(line: str) -> str:
    """A text as one line of Markdown that reads as this text, whatever it holds."""
    return _one_line(line).strip()


def _one_line(passage: str) -> str:
    folded = _LINE_BREAKS.sub(" ", passage)
    return _ACTIVE.sub(r"\\\g<0>", _ENTITY.sub("&amp;", folded).replace("<", "&lt;"))


def address(url: str) -> str:
    encoded = _ACTIVE_IN_URL.sub(lambda match: quote(match.group(), safe=""), url)
    return _ENTITY.sub("&amp;", encoded)


def _link(name: str, url: str) -> str:
    return f"[{text(name)}]({address(url)})"


def _own_link(name: str, url: str) -> str:
    return _link(name, addresses.relative(url, "md"))


def _day_link(date: str, shape) -> str:
    path = _past(shape) + addresses.day(datetime.date.fromisoformat(date), "md")
    return _link(date, path)


def _past(shape) -> str:
    """What stands before the paths of a page that shows the past."""
    past = _PAST.match(addresses.relative(shape["url"]))
    return past[0] if past else ""


def _formats(shape) -> str:
    others = [(format, url) for format, url in shape["formats"].items() if format != "md"]
    return "Formats: " + "  ".join(_link(format.upper(), addresses.relative(url)) for format, url in others)


def _heading(entry) -> list[str]:
    """What stands over an entry: its story, else its category, else its first topic."""
    over = entry["story"] or entry["category"] or next(iter(entry["topics"]), None)
    return [f"##### {text(over['name'])}"] if over else []


def _section(title, lines) -> Iterable[str]:
    if lines:
        yield f"### {title}:"
        yield "\n".join(f"{position}. {line}" for position, line in enumerate(lines, 1))


def _context(names) -> str:
    return f"_Context: {', '.join(map(text, names))}_" if names else ""


def _neighbours(shape, what) -> Iterable[str]:
    for word in ("previous", "next"):
        if shape.get(word):
            yield f"## {_own_link(f'{word.capitalize()} {what}...', shape[word]['url'])}"


def _pages(shape, **names) -> Iterable[str]:
    for key, name in names.items():
        if shape[key]:
            yield f"## {_own_link(name, shape[key])}"


def _listed(title, lines) -> Iterable[str]:
    lines = _list(lines)
    if lines:
        yield f"## {title}"
        yield lines


def _list(lines) -> str:
    return "\n".join(f"- {line}" for line in lines)


def _counted(rows, key) -> Iterable[str]:
    return (f"{_own_link(str(row[key]), row['url'])} ({row['count']})" for row in rows)


def _total(count) -> str:
    return "1 entry" if count == 1 else f"{count:,} entries"


def _time(moment: str) -> str:
    return moment.removesuffix("Z").replace("T", " ")
