"""Sitemaps (sitemaps.org 0.9, with the news block of Google's): a shape whose rows are URLs, as XML.

Not Django's own: those name the host that a request claims, and page by offset through what changes in between.
"""

from xml.sax.saxutils import escape

from events.formats.as_xml import legal

NAMESPACE = "http://www.sitemaps.org/schemas/sitemap/0.9"
NEWS = "http://www.google.com/schemas/sitemap-news/0.9"


def render(root: str, shape: dict) -> bytes:
    """UTF-8. `root` is "sitemapindex" or "urlset".

    Each of the `rows` has a `url`, `modified` (RFC 3339, or None if that is not known for certain) and, in a sitemap of
    news, `published` and `headline` of an entry of the `publication`, which has a `name` and a `language`.
    """
    row = "sitemap" if root == "sitemapindex" else "url"
    publication = shape.get("publication")
    rows = "".join(f"<{row}>{_row(entry, publication)}</{row}>\n" for entry in shape["rows"])
    namespaces = f'xmlns="{NAMESPACE}"' + (f' xmlns:news="{NEWS}"' if publication else "")
    return f'<?xml version="1.0" encoding="UTF-8"?>\n<{root} {namespaces}>\n{rows}</{root}>\n'.encode()


def _row(entry, publication):
    modified = f"<lastmod>{entry['modified']}</lastmod>" if entry["modified"] else ""
    return f"<loc>{escape(entry['url'])}</loc>{modified}" + (_news(entry, publication) if publication else "")


def _news(entry, publication):
    name, language = (f"<news:{key}>{_text(publication[key])}</news:{key}>" for key in ("name", "language"))
    return (
        f"<news:news><news:publication>{name}{language}</news:publication>"
        f"<news:publication_date>{entry['published']}</news:publication_date>"
        f"<news:title>{_text(entry['headline'])}</news:title></news:news>"
    )


def _text(text):
    return escape(legal(text))
