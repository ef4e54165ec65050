"""The shape of a feed as RSS 2.0, which cannot tell of a withdrawal: what is gone is no longer there."""

import io

from django.utils.feedgenerator import Rss201rev2Feed

from events.formats import feeds


def render(root: str, shape: dict) -> bytes:
    """UTF-8; what is illegal in XML is left out. `root` is taken so that all formats are alike."""
    shape = feeds.legal(shape)
    document = _Rss(
        shape["title"],
        shape["page"],
        shape["description"] or shape["title"],
        feed_url=shape["url"],
        language=shape["language"],
        feed_copyright=shape["license"] or None,
        shape=shape,
    )
    for entry in shape["entries"]:
        document.add_item(
            entry["title"],
            entry["url"],
            entry["content"],
            pubdate=feeds.moment(entry["published"]),
            unique_id=entry["id"],
            unique_id_is_permalink=False,
            categories=[term["label"] for term in feeds.terms(entry)],
            entry=entry,
        )
    written = io.StringIO()
    document.write(written, "utf-8")
    return written.getvalue().encode() + b"\n"


class _Rss(Rss201rev2Feed):
    def latest_post_date(self):
        return feeds.moment(self.feed["shape"]["updated"])

    def add_root_elements(self, handler):
        super().add_root_elements(handler)
        for hub in self.feed["shape"]["hubs"]:
            handler.addQuickElement("atom:link", None, {"rel": "hub", "href": hub})

    def add_item_elements(self, handler, item):
        super().add_item_elements(handler, item)
        # `pubDate` is when it was first published, and RSS has no date for what came after.
        handler.addQuickElement("atom:updated", item["entry"]["updated"])
