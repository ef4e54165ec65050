"""The shape of a feed as Atom (RFC 4287), with archives (RFC 5005) and tombstones (RFC 6721)."""

import io

from django.utils.feedgenerator import Atom1Feed

from events.formats import feeds

TOMBSTONES = "http://purl.org/atompub/tombstones/1.0"
HISTORY = "http://purl.org/syndication/history/1.0"


def render(root: str, shape: dict) -> bytes:
    """UTF-8; what is illegal in XML is left out. `root` is taken so that all formats are alike."""
    shape = feeds.legal(shape)
    document = _Atom(
        shape["title"],
        shape["page"],
        None,
        feed_url=shape["url"],
        feed_guid=shape["id"],
        language=shape["language"],
        subtitle=shape["description"] or None,
        author_name=shape["author"]["name"],
        author_link=shape["author"]["url"],
        feed_copyright=shape["license"] or None,
        shape=shape,
    )
    for entry in shape["entries"]:
        document.add_item(
            entry["title"],
            entry["url"],
            None,
            pubdate=_time(entry["published"]),
            updateddate=_time(entry["updated"]),
            unique_id=entry["id"],
            item_copyright=entry["license"] or None,
            entry=entry,
        )
    written = io.StringIO()
    document.write(written, "utf-8")
    return written.getvalue().encode() + b"\n"


def _time(text):
    # Django writes `Z` for a moment without a zone, and an offset for every other.
    return feeds.moment(text).replace(tzinfo=None)


class _Atom(Atom1Feed):
    def root_attributes(self):
        return super().root_attributes() | {"xmlns:at": TOMBSTONES, "xmlns:fh": HISTORY}

    def latest_post_date(self):
        return _time(self.feed["shape"]["updated"])

    def add_root_elements(self, handler):
        super().add_root_elements(handler)
        shape = self.feed["shape"]
        for other in shape["alternates"]:
            _link(handler, "alternate", other["url"], type=other["type"])
        for hub in shape["hubs"]:
            _link(handler, "hub", hub)
        for relation, url in shape["archives"].items():
            _link(handler, relation, url)
        if "current" in shape["archives"]:
            handler.addQuickElement("fh:archive")
        for withdrawn in shape["withdrawn"]:
            handler.startElement("at:deleted-entry", {"ref": withdrawn["id"], "when": withdrawn["when"]})
            handler.addQuickElement("at:comment", withdrawn["reason"])
            handler.endElement("at:deleted-entry")

    def item_attributes(self, item):
        return {"xml:lang": item["entry"]["language"]}

    def add_item_elements(self, handler, item):
        super().add_item_elements(handler, item)
        entry = item["entry"]
        for source in entry["sources"]:
            _link(handler, "via", source["url"], title=source["name"])
        if entry["history"]:
            _link(handler, "version-history", entry["history"], type=feeds.TYPES["atom"])
        for term in feeds.terms(entry):
            handler.addQuickElement("category", None, term)
        handler.addQuickElement("content", entry["content"], {"type": "html"})


def _link(handler, relation, url, **attributes):
    handler.addQuickElement("link", None, {"rel": relation, "href": url, **attributes})
