"""The shape of a feed as JSON Feed 1.1; what that has no member for is below `_newsdesk`."""

from events.formats import as_json, feeds

VERSION = "https://jsonfeed.org/version/1.1"


def render(root: str, shape: dict) -> bytes:
    """UTF-8. `root` is taken so that all formats are alike."""
    return as_json.render(root, _feed(shape))


def _feed(shape) -> dict:
    return _present(
        {
            "version": VERSION,
            "title": shape["title"],
            "home_page_url": shape["page"],
            "feed_url": shape["url"],
            "description": shape["description"],
            "language": shape["language"],
            "authors": [shape["author"]],
            "hubs": [{"type": "WebSub", "url": hub} for hub in shape["hubs"]],
        }
    ) | {
        "items": [_item(entry) for entry in shape["entries"]],
        "_newsdesk": {
            "id": shape["id"],
            "updated": shape["updated"],
            "license": shape["license"],
            "withdrawn": shape["withdrawn"],
        },
    }


def _item(entry) -> dict:
    return _present(
        {
            "id": entry["id"],
            "url": entry["url"],
            "title": entry["title"],
            "content_html": entry["content"],
            "date_published": entry["published"],
            "date_modified": entry["updated"],
            "language": entry["language"],
            "tags": [term["label"] for term in feeds.terms(entry)],
        }
    ) | {
        "_newsdesk": _present(
            {
                "version": entry["version"],
                "history": entry["history"],
                "license": entry["license"],
                "sources": entry["sources"],
            }
        )
    }


def _present(members) -> dict:
    """The members that have a value: JSON Feed knows no null."""
    return {name: value for name, value in members.items() if value}
