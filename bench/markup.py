"""How the time that Markdown takes grows with its length, for each construct that a parser may read too often.

`python -m bench.markup` prints `name: value` lines: seconds of processor time at n and at 4n characters, and the ratio,
which is 4 where time is linear.
"""

import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from events.markup import to_html

# Lengths of the text without end, and of the text in paragraphs: as long as a block that is parsed may be, and shorter.
ENDLESS = 200_000, 800_000
IN_PARAGRAPHS = 50_000, 200_000
PARAGRAPHS = 2_500, 49_000

# Each is repeated.
CONSTRUCTS = {
    "prose": "Ministers met on *Friday* in [Bonn](https://example.org/a_b) for **two hours**.\n\n",
    "words without end": "word ",
    "letters without end": "a",
    "lines": "word\n",
    "empty lines": "\n",
    "short paragraphs": "a\n\n",
    "tabs": "\t",
    "open images": "![",
    "open images twice": "![[",
    "open links": "[",
    "short open links": "[" * 50 + "\n\n",
    "open links in many paragraphs": "[ word word word word word word word word word word\n\n",
    "brackets in brackets": "[" * 40 + "]" * 40 + " ",
    "brackets in brackets that are deep": "[a" * 300 + "]" * 300,
    "links": "[a](http://b.c) ",
    "links without end": "[a](b",
    "links with open titles": '[a](b "c',
    "parentheses": "(",
    "parentheses in links": "[a](((",
    "links by reference": "[a] ",
    "definitions": "[a]: http://b.c\n",
    "definitions with quotes": '[ab]: http://b.c """"""""""""""""""" x\n',
    "long labels": "[" + "a" * 300 + "\n",
    "stars": "*",
    "stars and letters": "*a ",
    "underscores and stars": "_*_*_*",
    "unequal emphasis": "a_*__ ***b ",
    "emphasis": "*a* ",
    "series of stars": "*" * 200 + " a ",
    "emphasis in emphasis": "*a " * 300 + "b* " * 300,
    "backticks": "`",
    "backticks and letters": "``a` ",
    "backticks of growing length": " ".join("`" * length for length in range(1, 150)),
    "escaped backticks": "\\``aaaaaaaaaa ",
    "open fences": "```\n~~~~\n",
    "backslashes": "\\",
    "escapes": "\\*",
    "line breaks": "a  \n",
    "less than": "<",
    "tags": "<a href='b' onclick=c ",
    "comments": "<!-- ",
    "addresses": "<http://a.b> ",
    "mail addresses": "<a@b> ",
    "ampersands": "&",
    "entities": "&amp;",
    "headings": "# a\n",
    "headings by underline": "a\n-\n",
    "hashes": "#",
    "rules": "- - -\n",
    "quotes in quotes": "> ",
    "quotes": "> a\n\n",
    "lists in lists": "- ",
    "lists in lists by indentation": "".join("    " * depth + "- a\n" for depth in range(40)),
    "lists and quotes": "1. > ",
    "lists": "- a\n",
    "loose lists": "- a\n\n",
    "long list items": "- a\n" + "b\n" * 5_000 + "\n",
    "code by indentation": "    a\n\n",
    "columns": "|",
    "tables": "a|b\n-|-\n1|2\n\n",
    "tables with more columns than text": "|a" * 2_000 + "\n" + "|-" * 2_000 + "\n" + "b\n" * 4_000 + "\n",
    "backticks in tables": "`|" * 2_000 + "\n" + "-|" * 2_000 + "\n",
}


def main() -> None:
    worst = 0, ""
    for name, unit in CONSTRUCTS.items():
        texts = {name: ([repeat(unit, length) for length in ENDLESS])}
        if "\n\n" not in unit:
            for size in PARAGRAPHS:
                paragraph = repeat(unit, size) + "\n\n"
                texts[f"{name}, paragraphs of {size:,}"] = [repeat(paragraph, length) for length in IN_PARAGRAPHS]
        for title, (short, long) in texts.items():
            before, after = seconds(short), seconds(long)
            print(f"{title}: {before:.3f} s for {len(short):,}, {after:.3f} s for {len(long):,}, {after / before:.1f}")
            worst = max(worst, (after / before, title))
    print(f"worst ratio: {worst[0]:.1f} ({worst[1]})")


def repeat(unit: str, length: int) -> str:
    return (unit * (length // len(unit) + 1))[:length]


def seconds(text: str) -> float:
    """Processor time, since a shared machine's clock measures the neighbours too."""
    start = time.process_time()
    to_html(text)
    return time.process_time() - start


if __name__ == "__main__":
    main()
