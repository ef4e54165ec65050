"""Places in the log as partners keep them: opaque, good for ever, and able to tell that the log is another one.

A cursor carries its `seq`, the beginning of the hash at it, and those of some entries before it: each `seq` with its
lowest bit cleared, then that one's, and so on. So a chain that has forked knows a place that both still share, however
far back, from a few bytes; and the cursors of a page follow from the one before it and the page's own hashes.
"""

import base64
import binascii
import re
from collections.abc import Mapping
from typing import NamedTuple

from events.models import GENESIS

PREFIX = "c"
_SEQ_BYTES, _OWN_BYTES, _EARLIER_BYTES = 6, 8, 4
_TEXT = re.compile(r"c[A-Za-z0-9_-]{16,512}")
GARBLED = "This is no cursor of this log. Give one as it was given to you, or none to begin at the start."


class Cursor(NamedTuple):
    """The place behind entry `seq`; `pieces` begin the hashes of `places(seq)`, in hexadecimal."""

    seq: int
    pieces: tuple[str, ...]

    def __str__(self):
        data = self.seq.to_bytes(_SEQ_BYTES, "big") + bytes.fromhex("".join(self.pieces))
        return PREFIX + base64.urlsafe_b64encode(data).decode().rstrip("=")

    def stands_in(self, hashes: Mapping[int, str], seq: int) -> bool:
        """Whether the hashes of a chain, by `seq`, have what this cursor has at one of its places."""
        if seq == 0:
            return True
        piece = self.pieces[places(self.seq).index(seq)]
        return hashes.get(seq, "").startswith(piece)

    def common(self, hashes: Mapping[int, str]) -> int:
        """The last of its places that this chain has as well; 0, the beginning, is common to all."""
        return next((seq for seq in [*places(self.seq), 0] if self.stands_in(hashes, seq)), 0)


def places(seq: int) -> list[int]:
    """The entries that the cursor behind `seq` has the hashes of, its own first."""
    found = []
    while seq:
        found.append(seq)
        seq &= seq - 1
    return found


def at(seq: int, hashes: Mapping[int, str]) -> Cursor:
    """The cursor behind entry `seq`, given the hashes of its `places` (of earlier ones a beginning will do)."""
    if seq == 0:
        return START
    own, *earlier = (hashes[place] for place in places(seq))
    return Cursor(seq, (own[: 2 * _OWN_BYTES], *(hash[: 2 * _EARLIER_BYTES] for hash in earlier)))


def parse(text: str) -> Cursor:
    """The cursor that `str` wrote; ValueError for anything else."""
    try:
        if not _TEXT.fullmatch(text):
            raise ValueError
        encoded = text.removeprefix(PREFIX)
        data = base64.urlsafe_b64decode(encoded + "=" * (-len(encoded) % 4))
    except (ValueError, binascii.Error):
        raise ValueError(GARBLED) from None
    seq = int.from_bytes(data[:_SEQ_BYTES], "big")
    cursor = Cursor(seq, tuple(_pieces(data[_SEQ_BYTES:])))
    # The one way to write it: of the right length, without stray bits, the beginning with the hash of nothing.
    if len(cursor.pieces) != max(1, len(places(seq))) or str(cursor) != text or (seq == 0 and cursor != START):
        raise ValueError(GARBLED)
    return cursor


def _pieces(data):
    yield data[:_OWN_BYTES].hex()
    for start in range(_OWN_BYTES, len(data), _EARLIER_BYTES):
        yield data[start : start + _EARLIER_BYTES].hex()


START = Cursor(0, (GENESIS[: 2 * _OWN_BYTES],))
