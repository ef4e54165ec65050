"""A shape as Markdown, line for line like the page that everything started from. Links are paths below the site.

What an entry says in one line is escaped; its body is Markdown already and stays as it is.
"""

import datetime
import re
from collections.abc import Iterable
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
    day = addresses.day(datetime.date.fromisoformat(shape["date"]), "md")
    yield f"### [{shape['date']}]({day})"
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
    # The space at the end is that of the page that everything started from.
    name = f"Version {change['version']}" if change["headline"] is None else f"{text(change['headline'])} "
    return f"[{name}]({_change_path(change, shape)}) {_mark(change)}"


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
    return addresses.relative(url if bearers and bearers[-1] is change else change["url"], "md")


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
    yield from _day_entries(shape["date"], shape["url"], shape["events"])
    if not shape["events"]:
        yield "Nothing is recorded for this day."
    if shape["withdrawn"]:
        yield "1 entry was withdrawn." if shape["withdrawn"] == 1 else f"{shape['withdrawn']} entries were withdrawn."
    yield from _neighbours(shape, "Day")


def _front(shape) -> Iterable[str]:
    yield _formats(shape)
    for day in shape["days"]:
        entries = [entry for entry in shape["events"] if entry["date"] == day["date"]]
        yield from _day_entries(day["date"], day["url"], entries)
    yield from _neighbours(shape, "Day")


def _day_entries(date, url, entries) -> Iterable[str]:
    yield f"## {_own_link(date, url)}"
    for entry in entries:
        yield "\n".join([*_heading(entry), f"### {_own_link(entry['headline'], entry['url'])}"])
        yield _contained(entry["summary"]) or _context([topic["name"] for topic in entry["topics"]])


def _years(shape) -> Iterable[str]:
    yield _formats(shape)
    yield f"# {_own_link('All years', shape['url'])}"
    yield _counts(shape["years"], "year")


def _year(shape) -> Iterable[str]:
    yield _formats(shape)
    yield f"# {_own_link(str(shape['year']), shape['url'])}"
    yield _counts(shape["months"], "month")
    yield from _neighbours(shape, "Year")


def _month(shape) -> Iterable[str]:
    yield _formats(shape)
    yield f"# {_own_link(shape['month'], shape['url'])}"
    yield _counts(shape["days"], "date")
    yield from _neighbours(shape, "Month")


def _problem(shape) -> Iterable[str]:
    yield f"# {text(shape['title'])}"
    yield text(shape["detail"])
    if shape.get("reason"):
        yield f"Reason: {text(shape['reason'])}"
    if shape.get("withdrawn"):
        yield f"_Withdrawn {_time(shape['withdrawn'])}_"


_PAGES = {
    "event": _event,
    "day": _day,
    "front": _front,
    "years": _years,
    "year": _year,
    "month": _month,
    "problem": _problem,
}


def text(line: str) -> str:
    """A text as one line of Markdown that reads as this text, whatever it holds."""
    folded = _LINE_BREAKS.sub(" ", line).strip()
    return _ACTIVE.sub(r"\\\g<0>", _ENTITY.sub("&amp;", folded).replace("<", "&lt;"))


def address(url: str) -> str:
    encoded = _ACTIVE_IN_URL.sub(lambda match: quote(match.group(), safe=""), url)
    return _ENTITY.sub("&amp;", encoded)


def _link(name: str, url: str) -> str:
    return f"[{text(name)}]({address(url)})"


def _own_link(name: str, url: str) -> str:
    return _link(name, addresses.relative(url, "md"))


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


def _counts(rows, key) -> str:
    return "\n".join(f"- {_own_link(str(row[key]), row['url'])} ({row['count']})" for row in rows)


def _time(moment: str) -> str:
    return moment.removesuffix("Z").replace("T", " ")
