"""A shape as JSON. Knows nothing of what the shape is about."""

import json


def render(root: str, shape: dict) -> bytes:
    """UTF-8, keys in the order of the shape. JSON has no root element; `root` is taken so that all formats are alike.

    Without indentation, since the standard library's fast encoder has none.
    """
    return json.dumps(shape, ensure_ascii=False, allow_nan=False).encode() + b"\n"
