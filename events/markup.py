"""Turns an entry's Markdown into HTML that is safe to show, in time that grows with its length, whatever it holds.
It must not know about models, requests, templates or where the HTML goes.

Python-Markdown 3.11.3 needs time quadratic in a paragraph for brackets, backticks and emphasis that are never closed
(6,000 `[`: 4 s), and a recursion for each level of nesting. So a body is cut into blocks, what the parser would do with
each is estimated in one pass, and what would be too much is shown as the text it is. Measurements: `bench/markup.py`.
"""

import re
from collections.abc import Iterable, Iterator
from html import escape, unescape
from itertools import accumulate, groupby, takewhile
from operator import itemgetter
from xml.etree.ElementTree import Element

import markdown
import nh3
from markdown.extensions.sane_lists import SaneListExtension
from markdown.extensions.tables import TableExtension
from markdown.treeprocessors import Treeprocessor
from markdown.util import AMP_SUBSTITUTE, AtomicString

# A block ends where no list, quote or table can go on. The longest body the model takes may be one list.
LONGEST_BLOCK = 50_000
# A level is a recursion of two or three frames. Python stops at 1,000, and browsers at 512 elements within each other.
DEEPEST_NESTING = 12
# A heading or rule inside a block makes the parser test the rest of the block again.
MOST_RESTARTS = 50
# How often a run of text may be read, in steps of about 60 ns: 1 MB of paragraphs takes 5 s at the worst, prose 1.5 s.
# Of 3,000 characters that allows 150 emphasised words, or seven brackets that are never closed.
MOST_PASSES = 32
# Parsing has a fixed cost of 40 µs, so that blocks go together, but not so many that the parser's list of them, which
# it shifts by one for each, takes longer.
BATCH = 4_000
# What links by reference may add to a page that is shorter than this, else its length, as in cmark (`max_ref_size`):
# 1 MB of `[a]` with an address of 2,000 characters would make 700 MB.
LEAST_REFERENCE_BUDGET = 100_000
LONGEST_ADDRESS = 2_000

TAGS = {"a", "blockquote", "br", "code", "div", "em", "h3", "h4", "h5", "h6", "hr", "li", "ol", "p", "pre", "strong"}
TAGS |= {"table", "tbody", "td", "th", "thead", "tr", "ul"}
ATTRIBUTES = {"a": {"href", "title"}, "ol": {"start"}}
ALIGNMENTS = {"align": {"left", "center", "right"}}
# What a table stands in, so that it scrolls by itself and stays a table to a screen reader, whose user can reach it by
# keyboard. Not a region: a landmark for each table is too many. Nobody can write an element of their own.
FRAME = {"class": "wide", "tabindex": "0", "role": "group", "aria-label": "Table"}
SCHEMES = {"http", "https", "mailto"}
REL = "nofollow noopener ugc"
# A page has its own h1, and h2 for its parts.
HIGHEST, LOWEST = 3, 6

# What XML and UTF-8 do not admit, and U+202D and U+202E, which show letters in another order than the one written.
_ILLEGAL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202d\u202e\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff]")
_UNSEEN = "\x00-\x20\x7f-\xa0\xad\u200b-\u200f\u2028-\u202f\u2060-\u206f\ufeff"
# No `@` (http://bank.example@evil.example), no backslash, which browsers take for a slash, nothing that no host has.
_HOST = rf"""[^{_UNSEEN}/?#@\\!$%&'()*+,;<=>^`{{|}}"]+"""
_ADDRESS = re.compile(
    rf"https?://{_HOST}(?:[/?#][^{_UNSEEN}]*)?|mailto:[^{_UNSEEN}@?]+@[^{_UNSEEN}@?]+(?:\?[^{_UNSEEN}]*)?",
    re.IGNORECASE,
)
_FENCE = re.compile(r"(`{3,}+)[^`]*|(~{3,}+).*")
# Only an address that we would link to makes a definition: "[Smith]: said nothing" stays in the text.
_DEFINITION = re.compile(
    r""" {0,3}\[([^\[\]]{1,200})\]: *+<?((?:https?://|mailto:)[^\s<>]{1,2000})>?"""
    r"""(?: ++(?:"([^"]*)"|'([^']*)'|\(([^()]*)\)))? *+""",
    re.IGNORECASE,
)
# A line that is in a list, quote or code, or may be.
_INSIDE = re.compile(r"^(?: |>|[*+-] |\d+\. )", re.MULTILINE)
_MARKERS = re.compile(r"(?:[ >]|[*+-](?= )|\d++\.(?= ))*+")
_RESTART = re.compile(r"[ >*+\-\d.]*+#++ |[ >]*+[*_=-][ >*_=-]*+$")
_DELIMITER_ROW = re.compile(r"[ >|:-]++$")
_TICKS = re.compile(r"(?<!\\)(\\*+)(`++)")
_BRACKET = re.compile(r"[\[\]]")
# `](` unless the address and title that follow are closed in a plain way, which costs the parser no more than to read.
_OPEN_TARGET = re.compile(r"""\]\((?! ?<?(?:[^\s()<>"']|\([^\s()<>"']*\))*+>?(?: +(?:"[^"]*"|'[^']*'))? ?\))""")
_EMPHASIS = re.compile(r"\*++|(?<![^\W_])_++|_++(?![^\W_])")
_TOKEN = re.compile(r"[\\`\[*_<]|  \n")
# CommonMark's heading: `#Budget2026` at the start of a line is a hashtag.
_HASH_HEADER = re.compile(r"(?:^|\n)(?P<level>#{1,6}) ++(?P<header>(?:[^\n#]|#++(?! *(?:\n|\Z)))*+)#* *(?:\n|\Z)")
_HEADING = re.compile(r"#{1,6} .*")
_HEADINGS = ("h1", "h2", "h3", "h4", "h5", "h6")
_UNDERLINE = re.compile(r"(?:=+|-+) *")
_RULE = re.compile(r" {0,3}(?:(?:- {0,2}){3,}+|(?:_ {0,2}){3,}+|(?:\* {0,2}){3,}+) *")
_INTERRUPTS = re.compile(rf"{_HEADING.pattern}|{_RULE.pattern}| {{0,3}}>.*")
_OTHER = re.compile(r" {0,3}(?:>|[*+-] |\d+\. )|    ")


def to_html(text: str) -> str:
    """Safe HTML for a Markdown body of any length and content; raises nothing.

    HTML in the body shows as text. An image becomes a link named by its alternative text: fetched from elsewhere it
    would report our readers there, and our Content-Security-Policy refuses it.
    """
    segments, definitions = _segments(text)
    # A new parser for each body is 0.08 ms slower than one kept per thread and reset; pages are cached, and no fault
    # can then show one body's links in another.
    parser = _parser(_References(definitions, max(len(text), LEAST_REFERENCE_BUDGET)))
    # Again without what is illegal, which may have been written as `&#x202e;`.
    return _ILLEGAL.sub("", "\n".join(filter(None, _rendered(segments, parser))))


def first_paragraph(text: str) -> str:
    """The Markdown of the first paragraph that is in no list, quote or table, with the definitions that its links use;
    "" if there is none."""
    segments, definitions = _segments(text)
    blocks = (block for is_code, segment in segments if not is_code for block in re.split(r"\n\n+", segment))
    paragraph = next(filter(None, map(_paragraph, blocks)), "")
    labels = dict.fromkeys(map(_label, re.findall(r"\[([^\[\]]+)\]", paragraph)))
    return "\n\n".join([paragraph, *(definitions[label].group() for label in labels if label in definitions)])


def _paragraph(block: str) -> str:
    """The first paragraph of a block, if no more than headings and rules come before it."""
    lines = block.split("\n")
    start = 0
    while start < len(lines) and (length := _heading_length(*lines[start : start + 2])):
        start += length
    lines = lines[start:]
    if not lines or _OTHER.match(lines[0]) or _is_table(*lines[:2]):
        return ""
    return "\n".join(takewhile(lambda line: not _INTERRUPTS.fullmatch(line), lines)).rstrip()


def _heading_length(line: str, following: str = "") -> int:
    """How many of two lines are a heading, a rule or empty."""
    if _HEADING.fullmatch(line):
        return 1
    if line and _UNDERLINE.fullmatch(following):
        return 2
    return 1 if not line or _RULE.fullmatch(line) else 0


def _is_table(line: str, following: str = "") -> bool:
    columns, rules = (row.strip(" |").count("|") for row in (line, following))
    return "|" in line and columns == rules and "-" in following and bool(_DELIMITER_ROW.match(following))


def _segments(text: str) -> tuple[list[tuple[bool, str]], dict[str, re.Match]]:
    """The body as (is code, text) in order, and the definitions of links that stood between, by label.

    Python-Markdown's own patterns for both are quadratic: in fences that are never closed, in definitions full of
    quotation marks.
    """
    segments, definitions, lines, fence = [], {}, [], ""
    for line in _clean(text).split("\n"):
        opening = not fence and _FENCE.fullmatch(line)
        if opening or (fence and line.startswith(fence) and not line.strip(fence[0] + " ")):
            segments.append((bool(fence), "\n".join(lines)))
            lines, fence = [], (opening[1] or opening[2]) if opening else ""
        elif not fence and (definition := _DEFINITION.fullmatch(line)):
            definitions[_label(definition[1])] = definition
            lines.append("")
        else:
            lines.append(line)
    return [*segments, (bool(fence), "\n".join(lines))], definitions


def _clean(text: str) -> str:
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    text = _ILLEGAL.sub("", text).expandtabs(4)
    return re.sub(r"^ ++$", "", text, flags=re.MULTILINE)


def _label(label: str) -> str:
    return " ".join(label.lower().split())


def _rendered(segments: Iterable[tuple[bool, str]], parser: markdown.Markdown) -> Iterator[str]:
    """The HTML of each part. The sanitiser sees what the parser made and not what is no more than escaped text, as
    nh3 0.3.8 is quadratic in `&amp;` without a tag between: 6 s for 800,000."""
    for is_code, segment in segments:
        if is_code:
            yield f"<pre><code>{escape(segment, quote=False)}\n</code></pre>"
            continue
        for is_modest, batch in _batches(_blocks(segment)):
            yield _CLEANER.clean(parser.convert(batch)).strip() if is_modest else _plain(batch)


def _blocks(text: str) -> list[str]:
    """The parts of a text that have no effect on each other: a list, quote or code may go on after an empty line."""
    blocks: list[list[str]] = []
    for part in re.split(r"\n\n++", text.strip("\n")):
        if blocks and _INSIDE.match(part) and _INSIDE.search(blocks[-1][-1]):
            blocks[-1].append(part)
        else:
            blocks.append([part])
    return ["\n\n".join(block) for block in blocks]


def _batches(blocks: list[str]) -> Iterator[tuple[bool, str]]:
    """The same text in fewer pieces, as (is modest, text): neighbours of a kind go together up to `BATCH`."""
    ends = accumulate(map(len, blocks))
    pairs = ((_is_modest(block), end // BATCH, block) for block, end in zip(blocks, ends, strict=True))
    for (is_modest, _), batch in groupby(pairs, key=itemgetter(0, 1)):
        yield is_modest, "\n\n".join(block for *_, block in batch)


def _plain(text: str) -> str:
    """Text as it was written, by paragraphs and lines."""
    paragraphs = re.split(r"\n\n+", text.strip("\n"))
    return "\n".join(
        "<p>" + escape(paragraph, quote=False).replace("\n", "<br>\n") + "</p>" for paragraph in paragraphs
    )


def _is_modest(block: str) -> bool:
    """Whether Python-Markdown can tell the parts of a block from each other in bounded depth and linear time."""
    lines = block.split("\n")
    return (
        len(block) <= LONGEST_BLOCK
        and max(map(_depth, lines)) <= DEEPEST_NESTING
        and sum(1 for line in lines if _RESTART.match(line)) <= MOST_RESTARTS
        and _table_work(lines) <= MOST_PASSES * len(block)
    )


def _depth(line: str) -> int:
    """How deep a line may nest: only markers of lists and quotes open a level, indentation says at which."""
    prefix = _MARKERS.match(line)[0]
    markers = sum(map(prefix.count, ">*+-."))
    return markers and markers + prefix.count(" ") // 4


def _table_work(lines: Iterable[str]) -> int:
    """Every row has a cell (2 µs) for every column, however short it is; backticks are paired with all that follow."""
    work = columns = 0
    for line in lines:
        ticks, pipes = line.count("`"), line.count("|")
        if not line:
            columns = 0
        elif pipes and _DELIMITER_ROW.match(line):
            columns = pipes + 1
        work += ticks * (ticks + pipes) + 30 * columns
    return work


def _is_readable(run: str) -> bool:
    """Whether Python-Markdown can find the links, code and emphasis in a run of text in linear time.

    Each mark that it replaces makes it copy the run; a bracket is looked for by four patterns.
    """
    copies = len(_TOKEN.findall(run)) * (20 + len(run) // 100)
    return copies + 4 * _bracket_work(run) + _tick_work(run) + _emphasis_work(run) <= MOST_PASSES * len(run)


def _bracket_work(run: str) -> int:
    """Characters read from each `[` to its `]`, and from each `](` that is not closed at once, or else to the end."""
    end, open_brackets = len(run), []
    work = sum(end - target.start() for target in _OPEN_TARGET.finditer(run))
    for bracket in _BRACKET.finditer(run):
        if bracket[0] == "[":
            open_brackets.append(bracket.start())
        elif open_brackets:
            work += bracket.start() - open_brackets.pop()
    return work + sum(end - start for start in open_brackets)


def _tick_work(run: str) -> int:
    """Characters read from each series of backticks to the next of its length, or else to the end."""
    work, ahead = 0, {}
    for ticks in reversed(list(_TICKS.finditer(run))):
        opening = len(ticks[2]) - len(ticks[1]) % 2
        work += ahead.get(opening, len(run)) - ticks.start()
        ahead[len(ticks[2])] = ticks.start()
    return work


def _emphasis_work(run: str) -> int:
    """A series of delimiters may be compared with all before it, and is read again from each of its characters."""
    lengths = [len(series) for series in _EMPHASIS.findall(run)]
    return len(lengths) ** 2 + sum(length**2 for length in lengths)


class _References(dict):
    """The addresses that labels stand for, until their use has cost `budget` characters."""

    def __init__(self, definitions: dict[str, re.Match], budget: int):
        super().__init__({label: (line[2], line[3] or line[4] or line[5]) for label, line in definitions.items()})
        self.budget = budget

    def __contains__(self, label) -> bool:
        if self.budget <= 0 or not super().__contains__(label):
            return False
        self.budget -= len("".join(filter(None, self[label])))
        return True


class _Restrain(Treeprocessor):
    """Keeps from the inline patterns what they would read too often."""

    def run(self, root: Element) -> None:
        for element in root.iter():
            if element.text and not _is_readable(element.text):
                element.text = AtomicString(element.text)
            if element.tail and not _is_readable(element.tail):
                element.tail = AtomicString(element.tail)


class _Fit(Treeprocessor):
    """Makes links of images, text of links that lead nowhere we would send a reader, and headings that fit the page.

    Each heading is at most one level below the one before it, whatever the author began with; one such processor sees
    the whole body.
    """

    def __init__(self, parser: markdown.Markdown):
        super().__init__(parser)
        self.above = []

    def run(self, root: Element) -> None:
        for element in list(root.iter()):
            if element.tag in _HEADINGS:
                element.tag = self._fitting(element.tag)
            if element.tag == "th":
                element.set("scope", "col")
            for number, child in enumerate(element):
                if child.tag == "table":
                    element[number] = _framed(child)
            if element.tag == "img":
                _link_image(element)
            if element.tag == "a":
                _fit_link(element)

    def _fitting(self, tag: str) -> str:
        self.above = [*(other for other in self.above if other < tag), tag]
        return f"h{min(HIGHEST + len(self.above) - 1, LOWEST)}"


def _framed(table: Element) -> Element:
    frame = Element("div", FRAME)
    frame.append(table)
    frame.tail, table.tail = table.tail, None
    return frame


def _link_image(image: Element) -> None:
    image.tag = "a"
    image.text = image.get("alt")
    image.set("href", image.get("src"))


def _fit_link(link: Element) -> None:
    """A link within a link is its text, and so is an image; the sanitiser drops a span and keeps what is in it."""
    if not _is_public_source(link.get("href")):
        link.tag = "span"
        return
    if not link.text and not len(link):
        link.text = AtomicString(link.get("href"))
    for inner in link.iter():
        if inner is not link and inner.tag in ("a", "img"):
            inner.text = inner.text or inner.get("alt")
            inner.tag = "span"


def _is_public_source(href: str) -> bool:
    """The same of an address that may hold entities. A number of more than 4,300 digits is a ValueError in `int`."""
    return len(href) <= LONGEST_ADDRESS and _is_public(unescape(href.replace(AMP_SUBSTITUTE, "&")))


def _is_public(address: str) -> bool:
    return _ADDRESS.fullmatch(address) is not None


def _parser(references: _References) -> markdown.Markdown:
    parser = markdown.Markdown(extensions=[SaneListExtension(), TableExtension(use_align_attribute=True)])
    for registry, name in (
        (parser.preprocessors, "html_block"),
        (parser.parser.blockprocessors, "reference"),
        (parser.inlinePatterns, "html"),
        (parser.inlinePatterns, "entity"),  # stashes what the serialiser lets pass anyway
    ):
        registry.deregister(name)
    parser.parser.blockprocessors["hashheader"].RE = _HASH_HEADER
    parser.treeprocessors.register(_Restrain(parser), "restrain", 30)
    parser.treeprocessors.register(_Fit(parser), "fit", -1)
    parser.references = references
    return parser


def _checked(tag: str, attribute: str, value: str) -> str | None:
    return value if attribute != "href" or _is_public(value) else None


_CLEANER = nh3.Cleaner(
    tags=TAGS,
    attributes=ATTRIBUTES,
    tag_attribute_values={
        "td": ALIGNMENTS,
        "th": ALIGNMENTS | {"scope": {"col"}},
        "div": {name: {value} for name, value in FRAME.items()},
    },
    attribute_filter=_checked,
    url_schemes=SCHEMES,
    link_rel=REL,
)
