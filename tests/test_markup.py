"""Markdown becomes HTML that can do no harm, and no text can make it slow, deep or lost."""

import re
import sys
from concurrent.futures import ThreadPoolExecutor
from html.parser import HTMLParser

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.markup import CONSTRUCTS, repeat
from events import markup
from events.markup import first_paragraph, to_html

TAGS = {"a", "blockquote", "br", "code", "div", "em", "h3", "h4", "h5", "h6", "hr", "li", "ol", "p", "pre", "strong"}
TAGS |= {"table", "tbody", "td", "th", "thead", "tr", "ul"}
ATTRIBUTES = {"a": {"href", "title", "rel"}, "ol": {"start"}, "td": {"align"}, "th": {"align", "scope"}}
ATTRIBUTES["div"] = {"aria-label", "class", "role", "tabindex"}
VOID = {"br", "hr"}


class Page(HTMLParser):
    """What a browser would make of the HTML: elements, links and text."""

    def __init__(self, html):
        super().__init__(convert_charrefs=True)
        self.elements, self.open, self.data, self.comments = [], [], [], 0
        self.feed(html)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.data.append(data)

    def handle_comment(self, data):
        self.comments += 1

    handle_decl = handle_pi = unknown_decl = handle_comment

    @property
    def text(self):
        return "".join(self.data)

    @property
    def addresses(self):
        return [attributes.get("href") for tag, attributes in self.elements if tag == "a"]


def safe(html):
    """The page, once every element, attribute and address in it is one that we allow."""
    page = Page(html)
    assert not page.open
    assert not page.comments
    for tag, attributes in page.elements:
        assert tag in TAGS
        assert attributes.keys() <= ATTRIBUTES.get(tag, set())
        if tag == "a":
            assert attributes["rel"] == "nofollow noopener ugc"
            assert re.fullmatch(r"(https?://[^/?#@\s\\]+([/?#]\S*)?|mailto:[^@\s]+@[^@\s]+)", attributes["href"], re.I)
        assert attributes.get("align", "left") in ("left", "center", "right")
        if tag == "div":
            assert attributes == markup.FRAME
        if tag == "th":
            assert attributes["scope"] == "col"
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202d\u202e\ud800-\udfff\ufffe\uffff]", page.text)
    return page


@pytest.mark.parametrize(
    ("source", "html"),
    [
        ("", ""),
        (" \n\t\n", ""),
        ("Plain", "<p>Plain</p>"),
        ("*a* **b** `c<d`", "<p><em>a</em> <strong>b</strong> <code>c&lt;d</code></p>"),
        ("one  \ntwo", "<p>one<br>\ntwo</p>"),
        ("one\r\n\r\ntwo", "<p>one</p>\n<p>two</p>"),
        ("> said", "<blockquote>\n<p>said</p>\n</blockquote>"),
        ("- a\n- b", "<ul>\n<li>a</li>\n<li>b</li>\n</ul>"),
        ("3. a\n4. b", '<ol start="3">\n<li>a</li>\n<li>b</li>\n</ol>'),
        ("```python\na < b\n\n\n\n*c*\n```", "<pre><code>a &lt; b\n\n\n\n*c*\n</code></pre>"),
        ("~~~\n```\n~~~", "<pre><code>```\n</code></pre>"),
        ("````\n```\n```` not\n````` \nb", "<pre><code>```\n```` not\n</code></pre>\n<p>b</p>"),
        ("a\n```\nnever closed", "<p>a</p>\n<pre><code>never closed\n</code></pre>"),
        ("    code", "<pre><code>code\n</code></pre>"),
        ("AT&T &amp; &copy; & Co", "<p>AT&amp;T &amp; © &amp; Co</p>"),
        ("---", "<hr>"),
    ],
)
def test_markdown_becomes_html(source, html):
    assert to_html(source) == html


def test_a_table_has_its_columns_aligned():
    page = safe(to_html("| Party | Seats |\n|:--|--:|\n| A | 12 |"))
    assert [attributes.get("align") for tag, attributes in page.elements if tag == "td"] == ["left", "right"]
    assert page.text.split() == ["Party", "Seats", "A", "12"]


def test_a_table_stands_in_a_frame_that_scrolls_and_says_what_its_columns_are():
    """Also where it stands in a list, with what follows it outside."""
    for source in ("| Party |\n|:--|\n| A |\n\nAfter", "- a\n\n    | Party |\n    |:--|\n    | A |\n\n    After"):
        html = to_html(source)
        frame, table, *_ = [element for element in safe(html).elements if element[0] in ("div", "table")]
        assert frame == ("div", {"class": "wide", "tabindex": "0", "role": "group", "aria-label": "Table"})
        assert table == ("table", {})
        assert '<th align="left" scope="col">Party</th>' in html
        assert re.search(r"</table></div>\n<p>After</p>", html)


@pytest.mark.parametrize("name", ["wide", "other"])
def test_nobody_writes_a_frame_of_their_own(name):
    source = f'<div class="{name}" tabindex="0" role="group" aria-label="Table">\n\nword\n\n</div>'
    page = safe(to_html(source))
    assert {tag for tag, _ in page.elements} == {"p"}
    assert f'<div class="{name}"' in page.text


def test_a_list_stays_one_list_across_empty_lines():
    page = safe(to_html("1. a\n\n    more\n\n2. b\n\nAfter"))
    assert [tag for tag, _ in page.elements] == ["ol", "li", "p", "p", "li", "p", "p"]


@pytest.mark.parametrize(
    ("source", "levels"),
    [
        ("# a", ["h3"]),
        ("## a ##", ["h3"]),
        ("###### a", ["h3"]),
        ("a\n===", ["h3"]),
        ("# a\n## b\n### c\n#### d\n##### e\n###### f", ["h3", "h4", "h5", "h6", "h6", "h6"]),
        ("## a\n#### b\n#### c\n## d", ["h3", "h4", "h4", "h3"]),
        ("### a\n# b\n### c\n## d", ["h3", "h3", "h4", "h4"]),
        (f"# a\n\n{'word ' * 2000}\n\n### b\n\n```\n# code\n```\n\n### c", ["h3", "h4", "h4"]),
    ],
)
def test_headings_fit_under_those_of_the_page_and_skip_no_level(source, levels):
    assert re.findall("<(h[1-6])>", to_html(source)) == levels


def test_a_hashtag_is_no_heading():
    assert to_html("#Budget2026 #cuts") == "<p>#Budget2026 #cuts</p>"


@pytest.mark.parametrize(
    ("source", "address"),
    [
        ("[x](http://a.example/b?c=1&d=(e)#f)", "http://a.example/b?c=1&d=(e)#f"),
        ("[x](https://medium.example/@name)", "https://medium.example/@name"),
        ("[x](<https://a.example/> 'Title')", "https://a.example/"),
        ("[x](HTTPS://A.example)", "HTTPS://A.example"),
        ("[x](mailto:desk@a.example)", "mailto:desk@a.example"),
        ("<https://a.example/?b&c>", "https://a.example/?b&c"),
        ("<desk@a.example>", "mailto:desk@a.example"),
        ("[x][ref]\n\n[ref]: https://a.example", "https://a.example"),
        ("[x][Two\nWords]\n\n[two words]: <https://a.example> 'Title'", "https://a.example"),
        ("[x]\n[X]: https://a.example (Title)", "https://a.example"),
        ("[](https://a.example/)", "https://a.example/"),
    ],
)
def test_links_lead_where_they_say(source, address):
    page = safe(to_html(source))
    assert page.addresses == [address]
    assert page.text.strip()


@pytest.mark.parametrize(
    "address",
    [
        "javascript:alert(1)",
        "JaVa\tScript:alert(1)",
        "java\nscript:alert(1)",
        "\x01javascript:alert(1)",
        "&#106;avascript:alert(1)",
        "&#x6A&#x61vascript:alert(1)",
        "javascript&colon;alert(1)",
        "java\x00script:alert(1)",
        "data:text/html;base64,PHNjcmlwdD4=",
        "vbscript:msgbox(1)",
        "file:///etc/passwd",
        "ftp://a.example",
        "tel:112",
        "//evil.example",
        "/\\evil.example",
        "\\\\evil.example",
        "/relative",
        "relative.html",
        "#fragment",
        "?query",
        "https:evil.example",
        "https:/evil.example",
        "https:\\\\evil.example",
        "https://",
        "http:///evil.example",
        "http://user@evil.example",
        "http://bank.example:pass@evil.example",
        "http://user&#64;evil.example",
        "http://user&amp;#64;evil.example\\@x",
        "http://bank.example\\@evil.example",
        "http://a.example&#x202e;moc.evil",
        "http://a.\u200bexample",
        "http://a.example/&#0;x&#10;y",
        "http://a.example/&#" + "1" * 5_000 + ";",
        "mailto:",
        "mailto:desk",
        "<script>alert(1)</script>",
        '" onmouseover="alert(1)',
    ],
)
@pytest.mark.parametrize(
    "form",
    [
        "[word]({})",
        "[word](<{}>)",
        "[word]({} 'title')",
        "![word]({})",
        "[![word]({})]({})",
        "word <{}>",
        "[word][1]\n\n[1]: {}",
        "[word]\n\n[word]: {}",
        "<a href='{}'>word</a>",
        '<a href="{}" target=_blank>word</a>',
        "<img src={} onerror=alert(1) alt=word>",
    ],
)
def test_an_address_that_may_deceive_is_no_link(form, address):
    page = safe(to_html(form.replace("{}", address)))
    assert "word" in page.text
    # All that may be left of such an address is what is honest once characters that nobody sees are out of it.
    assert all("evil" not in link and "alert" not in link for link in page.addresses)


@pytest.mark.parametrize("address", ["javascript:alert(1)", "//evil.example", "http://a@evil.example", "data:a"])
def test_the_sanitiser_refuses_by_itself_what_the_parser_lets_pass(address, monkeypatch):
    monkeypatch.setattr(markup, "_is_public_source", lambda href: True)
    assert Page(to_html(f"[word]({address})")).addresses == [None]


@pytest.mark.parametrize(
    "source",
    [
        "<script>alert(1)</script>",
        "<SCRIPT SRC=//evil.example></SCRIPT >",
        "<img src=x onerror=alert(1)>",
        "<style>p{background:url(//evil.example)}</style>",
        "<p style='position:fixed'>over all</p>",
        "<iframe src=https://evil.example></iframe>",
        "<svg/onload=alert(1)>",
        "<a href=javascript:alert(1)>click</a>",
        "<math><mtext></p><style><img src onerror=alert(1)>",
        "<form action=//evil.example><input name=q></form>",
        "<!-- comment --> <![CDATA[x]]> <?php echo 1 ?> <!DOCTYPE html>",
        "</p></div></body>",
        "<details open ontoggle=alert(1)>",
        "`</code><script>alert(1)</script>`",
    ],
)
@pytest.mark.parametrize(
    "form", ["{}", "word {} word", "- {}", "> {}", "# {}", "[{}](http://a.example)", "```\n{}\n```"]
)
def test_html_in_a_body_is_shown_as_text(form, source):
    page = safe(to_html(form.format(source)))
    assert source.strip("`").replace(" ", "") in page.text.replace(" ", "")


def test_an_image_is_a_link_and_is_not_fetched():
    page = safe(to_html('![The chart](https://a.example/chart.png "Title")'))
    assert page.addresses == ["https://a.example/chart.png"]
    assert page.text == "The chart"


def test_an_image_in_a_link_is_the_text_of_the_link():
    page = safe(to_html("[![The chart](https://a.example/chart.png)](https://b.example)"))
    assert page.addresses == ["https://b.example"]
    assert page.text == "The chart"


def test_a_link_in_a_link_is_its_text():
    page = safe(to_html("[see <https://a.example>](https://b.example)"))
    assert page.addresses == ["https://b.example"]
    assert page.text == "see https://a.example"


@pytest.mark.parametrize(
    "source", ["[Smith]: said nothing", "[1]: javascript:alert(1)", "[a]: http://b.c trailing words"]
)
def test_a_line_that_only_looks_like_a_definition_is_shown(source):
    assert safe(to_html(source)).text == source


def test_one_address_cannot_be_repeated_beyond_the_length_of_the_body():
    source = f"[a]: https://a.example/{'x' * 1_900}\n\n" + "[a] word word word word word\n\n" * 2_000
    page = safe(to_html(source))
    assert 1 < len(page.addresses) < 60
    assert page.text.count("[a]") == 2_000 - len(page.addresses)


def test_characters_that_xml_refuses_are_gone():
    assert to_html("a\x00b\x0bc\ud800d\ufffee &#8;&#x202e;f\u202eg") == "<p>abcde fg</p>"


@pytest.mark.parametrize("name", CONSTRUCTS)
def test_hostile_text_is_safe_and_shown(name):
    """Longer than what is parsed, with a word before and after. Markers may go, addresses too, but no other letter."""
    source = "first\n\n" + repeat(CONSTRUCTS[name], 60_000) + "\n\n```\n\n```\n\nlast"
    page = safe(to_html(source))
    assert page.text.startswith("first")
    assert page.text.rstrip().endswith("last")
    if not re.search("http|&amp;", source):
        assert re.findall("[a-z]", page.text) == re.findall("[a-z]", source)


@pytest.mark.parametrize("name", CONSTRUCTS)
@pytest.mark.parametrize("size", [300, 3_000, 45_000])
def test_hostile_paragraphs_leave_their_neighbours_alone(name, size):
    hostile = repeat(CONSTRUCTS[name], size)
    html = to_html(f"first *word*\n\n{hostile}\n```\n```\n\nlast *word*")
    assert html.startswith("<p>first <em>word</em></p>")
    # A fence that is never closed lasts to the end.
    assert html.endswith("<p>last <em>word</em></p>") or "```" in hostile
    safe(html)


@pytest.mark.parametrize("name", CONSTRUCTS)
def test_no_text_recurses_deeply(name):
    """Called from a stack of 700 frames of the 1,000 that Python has."""

    def deep(frames):
        return deep(frames - 1) if frames else to_html(repeat(CONSTRUCTS[name], 8_000))

    frame, depth = sys._getframe(), 0
    while frame:
        frame, depth = frame.f_back, depth + 1
    safe(deep(700 - depth))


def lines_run(text):
    """How many lines of Python `to_html` runs: its work, but for what is done within a regular expression."""
    count = 0

    def trace(frame, event, argument):
        nonlocal count
        count += event == "line"
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        to_html(text)
    finally:
        sys.settrace(before)
    return count


@pytest.mark.parametrize("name", CONSTRUCTS)
def test_work_is_bounded_by_the_length(name):
    """No more than 177 lines of Python run for a character, in small tables; `[` without a bound needs thousands."""
    for length in 500, 4_000:
        assert lines_run(repeat(CONSTRUCTS[name], length)) < 250 * length


def test_the_parser_is_given_bounded_pieces(monkeypatch):
    pieces = []
    convert = markup.markdown.Markdown.convert
    monkeypatch.setattr(
        markup.markdown.Markdown, "convert", lambda self, source: pieces.append(source) or convert(self, source)
    )
    to_html("word " * 30_000 + "\n\n" + "word\n\n" * 10_000)
    assert max(map(len, pieces)) < 12_000
    assert len(pieces) < 50


@pytest.mark.parametrize(
    "run",
    [
        "[" * 300,
        "[a" * 300 + "]" * 300,
        "[a](b " * 300,
        "![a](b " * 300,
        "\\``aaaaaaaaaa\n" * 300,
        "*a " * 400,
        "*" * 300 + "a ",
        "\\#" * 20_000,
        "a  \n" * 12_000,
    ],
)
def test_a_run_that_would_be_read_too_often_is_shown_as_it_is(run):
    page = safe(to_html(f"{run} *word* `word` [word](http://a.example)\n\n- *word*"))
    assert [tag for tag, _ in page.elements] == ["p", "ul", "li", "em"]
    assert f"{run} *word* `word` [word](http://a.example)" in page.text


def test_a_list_that_is_too_deep_is_shown_as_it_is():
    assert to_html("- " * 20 + "a\n- <b>\n\n- c") == f"<p>{'- ' * 20}a<br>\n- &lt;b&gt;</p>\n<p>- c</p>"


def test_a_table_that_would_be_read_too_often_is_shown_as_it_is():
    tables = ["`|" * 2_000 + "\n" + "-|" * 2_000, "|a" * 1_000 + "\n" + "|-" * 1_000 + "\nb" * 1_000]
    for table in tables:
        assert {tag for tag, _ in safe(to_html(table)).elements} == {"p", "br"}


def test_pieces_make_the_same_html_as_the_whole(monkeypatch):
    source = "# a\n\n- b\n\n- c\n\n    d\n\n> e\n\n> f\n\n    g\n\nh\n\n1. i\n\nj|k\n-|-\n1|2\n\n[l]\n\n[l]: http://a.example"
    together = to_html(source)
    monkeypatch.setattr(markup, "BATCH", 1)
    assert to_html(source) == together


def test_an_honest_dense_paragraph_is_parsed():
    links = " ".join(f'[link {number}](https://a.example/some_path_{number} "t")' for number in range(60))
    emphasis = " ".join(f"*word{number}* and some more words" for number in range(40))
    page = safe(to_html(f"{links} {emphasis} `code` " * 2 + "an [open bracket and a ` backtick"))
    tags = [tag for tag, _ in page.elements]
    assert (tags.count("a"), tags.count("em"), tags.count("code")) == (120, 80, 2)


def test_an_honest_long_list_and_table_are_parsed():
    items = "".join(f"- item {number} with *some* words in it\n" for number in range(1_200))
    rows = "".join(f"| place {number} | {number} | {number}.5 |\n" for number in range(1_200))
    tags = [tag for tag, _ in safe(to_html(f"{items}\nAnd:\n\n| a | b | c |\n|---|--:|--:|\n{rows}")).elements]
    assert (tags.count("li"), tags.count("em"), tags.count("tr")) == (1_200, 1_200, 1_201)


def test_an_honest_long_quote_and_list_of_hashtags_are_parsed():
    source = "> Said *so*.\n>\n" * 200 + "\nAnd:\n\n" + "- #tag\n" * 200
    tags = [tag for tag, _ in safe(to_html(source)).elements]
    assert (tags.count("blockquote"), tags.count("em"), tags.count("li")) == (1, 200, 200)


def test_six_levels_of_lists_are_parsed():
    source = "".join("    " * depth + "- a\n" for depth in range(6))
    assert [tag for tag, _ in safe(to_html(source)).elements].count("ul") == 6


def test_threads_do_not_share_a_parser():
    sources = [f"[a] *{number}* `{number}` word\n\n[a]: https://{number}.example" for number in range(200)]
    alone = list(map(to_html, sources))
    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(to_html, sources)) == alone


@pytest.mark.parametrize(
    ("source", "paragraph"),
    [
        ("", ""),
        ("One\ntwo.\n\nThree.", "One\ntwo."),
        ("# Title\n\nText", "Text"),
        ("# Title\nText\n# Next", "Text"),
        ("Title\n=====\nText\n\nmore", "Text"),
        ("- a\n- b\n\n    c\n\nText", "Text"),
        ("1. a\n\n> b\n\n---\n\n    code\n\n```\ncode\n\ncode\n```\n\nText", "Text"),
        ("a | b\n--|--\n1 | 2\n\nText", "Text"),
        ("Text\n> quote", "Text"),
        ("Text\n- - -\nmore", "Text"),
        ("<b>Text</b>", "<b>Text</b>"),
        ("![a](http://b.example)", "![a](http://b.example)"),
        ("#Budget", "#Budget"),
        ("- only\n- a list", ""),
        ("```\ncode", ""),
        ("[a]: http://b.example", ""),
        ("See [A][b] and [c].\n\nmore\n\n[b]: http://b.example 'T'\n[d]: http://d.example",
         "See [A][b] and [c].\n\n[b]: http://b.example 'T'"),
    ],
)  # fmt: skip
def test_first_paragraph(source, paragraph):
    assert first_paragraph(source) == paragraph


@pytest.mark.parametrize("name", CONSTRUCTS)
def test_the_first_paragraph_of_hostile_text_is_safe(name):
    safe(to_html(first_paragraph(repeat(CONSTRUCTS[name], 60_000))))


STRUCTURE = "* ** *** _ __ ` `` ``` \\ [ ] ( ) ![ ]( < > & | - + = # ## > : \" ' ! @ ~~~ 1. 12. a _b".split(" ")
STRUCTURE += "<a <!-- --> <script> </p> onerror= &amp; &#106; &#x202e; http:// https://a.example javascript:".split(" ")
STRUCTURE += (
    "mailto:a@b.example [a]: [a] \x00 \x02 \x03 \x02klzzwxh:0000\x03 \x02wzxhzdk:0\x03 \x02amp\x03 \ud800".split(" ")
)
STRUCTURE += [" ", "  \n", "\n", "\n\n", "\t", "    ", "\r", "\u2028", "\u202e", "- ", "> ", "1. "]
STRUCTURE += ["\n|-|-\n", "\n---\n", "\n```\n"]


@settings(max_examples=400, deadline=None)
@given(st.lists(st.sampled_from(STRUCTURE), max_size=80).map("".join))
def test_any_mix_of_structure_is_safe(source):
    safe(to_html(source))
    safe(to_html(first_paragraph(source)))


@settings(max_examples=200, deadline=None)
@given(st.lists(st.sampled_from(STRUCTURE), min_size=1, max_size=6).map("".join), st.integers(50, 600))
def test_any_structure_repeated_is_safe(unit, times):
    safe(to_html(unit * times))


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=200))
def test_any_text_is_safe(source):
    safe(to_html(source))


# No address, which is not text, no fourth column of a table of three, and no name of a language after a fence.
AROUND_WORDS = (
    "* ** _ ` `` [ ] ![ < > <b> </i> <!-- & &amp; \" ' # + - 1. http://a.example ](http://a.example) \\".split()
)
AROUND_WORDS += ["\n", "\n\n", "  \n", "    ", "\n- ", "\n> ", "\n1. ", "\n# ", "\n```\n", "\n---\n", "\n    - "]


@settings(max_examples=400, deadline=None)
@given(st.lists(st.sampled_from(AROUND_WORDS), max_size=60), st.sampled_from(["", "[" * 500, "> " * 50, "`a" * 300]))
def test_words_survive_whatever_stands_around_them(structure, hostile):
    source = hostile + "".join(f"{token} word{number}q " for number, token in enumerate(structure))
    text = safe(to_html(source)).text
    assert re.findall(r"word\d+q", text) == [f"word{number}q" for number in range(len(structure))]


@settings(max_examples=300, deadline=None)
@given(st.lists(st.sampled_from(AROUND_WORDS), max_size=30))
def test_the_first_paragraph_is_one_and_of_the_body(structure):
    source = "".join(f"{token} word{number}q " for number, token in enumerate(structure))
    paragraph = safe(to_html(first_paragraph(source)))
    assert [tag for tag, _ in paragraph.elements][:1] in ([], ["p"])
    assert [tag for tag, _ in paragraph.elements].count("p") <= 1
    assert " ".join(paragraph.text.split()) in " ".join(safe(to_html(source)).text.split())
