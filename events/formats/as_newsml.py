"""An event's shape as a news item of NewsML-G2 2.35, conformance "power". The schema fixes the order of elements."""

import re
from html.parser import HTMLParser
from xml.etree.ElementTree import Element, SubElement, TreeBuilder, tostring

from django.conf import settings

from events import addresses
from events.formats import newswire
from events.formats.as_xml import legal

NAMESPACE = "http://iptc.org/std/nar/2006-10-01/"
CATALOG = "http://www.iptc.org/std/catalog/catalog.IPTC-G2-Standards_40.xml"
XHTML = "http://www.w3.org/1999/xhtml"
# What a version other than the first is, as its receiver's desk sorts it.
SIGNALS = {"correction": "sig:correction", "update": "sig:update", "minor": "sig:update", "restore": "sig:update"}

_VOID = ("br", "hr")


def render(shape: dict) -> bytes:
    """An event or one of its versions, as `shapes.event` and `shapes.edition` tell it; canceled without a text."""
    if newswire.is_usable(shape):
        return _written(_usable(shape))
    item = _item(shape["uid"], shape["version"], settings.LANGUAGE_CODE)
    meta = _add_meta(item, shape["issued"], "canceled", shape["published"])
    _add(meta, "edNote", newswire.note(shape))
    return _written(item)


def kill(uid: str, version: int, issued: str, reason: str, url: str, *, label: str = "Withdrawn") -> bytes:
    """The notice that a version, `issued` at this RFC 3339 time, takes from the public what was there; it has no text.

    `url` holds none either. `label` says what was done.
    """
    item = _item(uid, version, settings.LANGUAGE_CODE)
    meta = _add_meta(item, issued, "canceled")
    _add(meta, "edNote", newswire.told_of(label, reason))
    _add(meta, "link", rel="irel:seeAlso", href=url)
    return _written(item)


def _usable(shape):
    item = _item(shape["uid"], shape["version"], shape["language"])
    _add_rights(item, shape)
    meta = _add_meta(item, shape["issued"], "usable", shape["published"])
    if shape["category"]:
        _named(meta, "service", shape["category"]["name"], uri=newswire.category_url(shape["category"]))
    if note := newswire.note(shape):
        _add(meta, "edNote", note)
    for name, url, relation in newswire.topics(shape):
        if relation == "story":
            _named(meta, "memberOf", name, uri=url)
    if shape["kind"] in SIGNALS:
        _add(meta, "signal", qcode=SIGNALS[shape["kind"]])
    _add_related(meta, shape)
    _add_content(item, shape)
    return item


def _item(uid, version, language):
    item = Element(
        "newsItem",
        {
            "xmlns": NAMESPACE,
            "guid": newswire.identifier(uid),
            "version": str(version),
            "standard": "NewsML-G2",
            "standardversion": "2.35",
            "conformance": "power",
            "xml:lang": language,
        },
    )
    _add(item, "catalogRef", href=CATALOG)
    return item


def _add_rights(item, shape):
    if not (shape["origin"] or shape["license"]):
        return
    rights = _add(item, "rightsInfo")
    if shape["origin"]:
        _add(rights, "copyrightNotice", newswire.notice_of_origin(shape))
    if shape["license"]:
        address = {"href": newswire.uri(shape["license"])} if newswire.is_url(shape["license"]) else {}
        _add(rights, "usageTerms", shape["license"], **address)


def _add_meta(item, issued, status, published=None):
    meta = _add(item, "itemMeta")
    _add(meta, "itemClass", qcode="ninat:text")
    provider = _add(meta, "provider", uri=addresses.absolute("/"))
    _add(provider, "name", settings.NEWSDESK_TITLE)
    _add(meta, "versionCreated", issued)
    if published:
        _add(meta, "firstCreated", published)
    _add(meta, "pubStatus", qcode=f"stat:{status}")
    return meta


def _add_related(meta, shape):
    for entry in shape["related"]:
        _add(meta, "link", rel="irel:seeAlso", href=entry["url"], title=entry["headline"])


def _add_content(item, shape):
    content = _add(item, "contentMeta")
    # The day that it is about: there is no other element for it.
    _add(content, "contentCreated", shape["date"])
    for source in [*shape["sources"], *filter(None, [shape["origin"]])]:
        _named(content, "infoSource", source["name"], uri=newswire.uri(source["url"]))
    _add(content, "altId", newswire.permalink(shape))
    _add(content, "language", tag=shape["language"])
    for name, url, _relation in newswire.topics(shape):
        _named(content, "subject", name, type="cpnat:abstract", uri=url)
    _add(content, "headline", shape["headline"])
    if shape["body"]:
        body = _add(_add(item, "contentSet"), "inlineXML", contenttype="application/xhtml+xml")
        body.append(_page(shape))


def _page(shape):
    language = shape["language"]
    page = Element("html", {"xmlns": XHTML, "lang": language, "xml:lang": language})
    _add(_add(page, "head"), "title", shape["headline"])
    page.append(_Elements().of(f"<body>{shape['body_html']}</body>"))
    return page


class _Elements(HTMLParser):
    """The elements of HTML as the sanitiser writes it: all are closed but those that hold nothing."""

    def of(self, html):
        self.tree = TreeBuilder()
        self.feed(html)
        self.close()
        return self.tree.close()

    def handle_starttag(self, tag, attributes):
        self.tree.start(tag, {name: legal(value or "") for name, value in attributes})
        if tag in _VOID:
            self.tree.end(tag)

    def handle_endtag(self, tag):
        self.tree.end(tag)

    def handle_data(self, data):
        self.tree.data(legal(data))


def _named(parent, element, name, /, **attributes):
    # A name is one line, by the schema.
    _add(_add(parent, element, **attributes), "name", re.sub(r"[\t\n\r]", " ", name))


def _add(parent, element, text=None, /, **attributes):
    child = SubElement(parent, element, {name: legal(value) for name, value in attributes.items()})
    child.text = text and legal(text)
    return child


def _written(item):
    return tostring(item, encoding="UTF-8", xml_declaration=True) + b"\n"
