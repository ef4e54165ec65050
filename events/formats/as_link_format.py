"""Links with their relations: one as a Link header has it (RFC 8288), many as a document of them (RFC 6690).

The spaces and lines are those that RFC 7089 writes its TimeMaps with.
"""

from collections.abc import Iterable, Mapping

MEDIA_TYPE = "application/link-format"


def link(relation: str, url: str, attributes: Mapping[str, str] | None = None) -> str:
    """`<url>; rel="relation"`, and the attributes in the order given. URLs are ours: in ASCII, without brackets."""
    parts = {"rel": relation, **(attributes or {})}
    return "; ".join([f"<{url}>", *(f'{name}="{_quoted(value)}"' for name, value in parts.items())])


def render(links: Iterable[tuple]) -> bytes:
    """A link a line, each (relation, URL) or with its attributes as a third part."""
    return ",\n".join(link(*parts) for parts in links).encode() + b"\n"


def _quoted(value):
    return value.replace("\\", r"\\").replace('"', r"\"")
