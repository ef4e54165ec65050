"""The lines of a file to import: plain, `.xz`, `.gz` or standard input, read as they are asked for."""

import gzip
import lzma
import sys
import tempfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import BinaryIO

STANDARD_INPUT = "-"
_CHUNK = 1 << 20


class Unreadable(Exception):
    """A file that cannot be read to its end, and why, in one line."""


def size(name: str) -> int | None:
    """Bytes of the file as it is stored, or None where nobody can know."""
    try:
        return None if name == STANDARD_INPUT else Path(name).stat().st_size
    except OSError as error:
        raise Unreadable(f"{name}: {_reason(error)}") from error


def lines(name: str, advance: Callable[[int], object] = lambda count: None) -> Iterator[tuple[str, str]]:
    """(place, line) of every line; `advance` is told of the stored bytes that were read for it."""
    number = told = position = 0
    try:
        with _stored(name) as stored, _expanded(name, stored) as file:
            for number, line in enumerate(file, 1):
                yield f"{name}, line {number}", line.decode("utf-8-sig" if number == 1 else "utf-8")
                position = stored.tell() if stored.seekable() else position + len(line)
                advance(position - told)
                told = position
    except UnicodeDecodeError as error:
        raise Unreadable(f"{name}: line {number} is not UTF-8 text.") from error
    except (OSError, EOFError, lzma.LZMAError, zlib.error) as error:
        raise Unreadable(f"{name}: {_reason(error)}") from error


@contextmanager
def kept(name: str) -> Iterator[str]:
    """The name of a file that can be read twice: standard input is kept in a file for that."""
    if name != STANDARD_INPUT:
        yield name
        return
    with tempfile.NamedTemporaryFile(prefix="newsdesk-") as copy:
        while chunk := sys.stdin.buffer.read(_CHUNK):
            copy.write(chunk)
        copy.flush()
        yield copy.name


def _stored(name: str) -> AbstractContextManager[BinaryIO]:
    return nullcontext(sys.stdin.buffer) if name == STANDARD_INPUT else open(name, "rb")


def _expanded(name: str, stored: BinaryIO) -> AbstractContextManager[BinaryIO]:
    if name.endswith(".xz"):
        return lzma.open(stored)
    if name.endswith(".gz"):
        return gzip.open(stored)
    return nullcontext(stored)


def _reason(error: Exception) -> str:
    return getattr(error, "strerror", None) or str(error) or type(error).__name__
