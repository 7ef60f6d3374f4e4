"""The words of a PDF, as far as they can be read: enough to know a draft, or letters with live codes.

No reader of documents: fonts without a table of their letters, and scanned pages, say nothing.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator, Mapping
from typing import Final

MOST: Final = 16 * 2**20
"""Bytes that are inflated in all."""
MOST_WORDS: Final = 2**18
"""Bytes of text that are read with each table of letters: some hundred pages."""
MOST_TABLES: Final = 40
MOST_CODES: Final = 2**16
"""In the ranges of one table."""
_STREAM: Final = re.compile(rb"stream\r?\n")
_STRING: Final = re.compile(rb"<([0-9A-Fa-f\s]+)>|\(((?:[^\\()]|\\.)*)\)", re.DOTALL)
_ESCAPE: Final = re.compile(rb"\\([0-7]{1,3}|.)", re.DOTALL)
_CHARS: Final = re.compile(rb"beginbfchar(.*?)endbfchar", re.DOTALL)
_RANGES: Final = re.compile(rb"beginbfrange(.*?)endbfrange", re.DOTALL)
_PAIR: Final = re.compile(rb"<([0-9A-Fa-f]+)>\s*<([0-9A-Fa-f]+)>")
_RANGE: Final = re.compile(_PAIR.pattern + rb"\s*(?:<([0-9A-Fa-f]+)>|\[([^\]]*)\])")


def letters_of(content: bytes) -> Iterator[str]:
    """The text, without spaces, once for every table of letters in the file: the right one is among them."""
    tables: list[tuple[int, Mapping[int, str]]] = [(1, {code: chr(code) for code in range(256)})]
    shown = bytearray()
    for stream in _streams(content):
        if b"beginbf" in stream and len(tables) < MOST_TABLES:
            tables.append(_table(stream))
        elif b"BT" in stream and len(shown) < MOST_WORDS:
            shown += b"".join(_strings(stream))
    for width, table in tables:
        codes = (shown[at : at + width] for at in range(0, min(len(shown), MOST_WORDS), width))
        yield "".join("".join(table.get(int.from_bytes(code), "") for code in codes).split())


def _streams(content: bytes) -> Iterator[bytes]:
    left, place = MOST, 0
    while left > 0 and (found := _STREAM.search(content, place)):
        end = content.find(b"endstream", found.end())
        if end < 0:
            return
        raw, place = content[found.end() : end], end + len(b"endstream")
        try:
            inflated = zlib.decompressobj().decompress(raw, left)
        except zlib.error:
            inflated = raw
        left -= len(inflated)
        yield inflated


def _strings(stream: bytes) -> Iterator[bytes]:
    for found in _STRING.finditer(stream):
        if found[1] is None:
            yield _ESCAPE.sub(_unescaped, found[2])
        else:
            digits = b"".join(found[1].split())
            yield bytes.fromhex((digits + b"0" * (len(digits) % 2)).decode())


def _unescaped(found: re.Match[bytes]) -> bytes:
    known = {b"n": b"\n", b"r": b"\r", b"t": b"\t", b"b": b"\b", b"f": b"\f", b"\n": b""}
    return bytes([int(found[1], 8) & 255]) if found[1].isdigit() else known.get(found[1], found[1])


def _table(stream: bytes) -> tuple[int, Mapping[int, str]]:
    """How many bytes a code has, and the letters of each code."""
    table: dict[int, str] = {}
    width, left = 2, MOST_CODES
    for block in _CHARS.finditer(stream):
        for code, letters in _PAIR.findall(block[1]):
            width = max(1, len(code) // 2)
            table[int(code, 16)] = _text(letters)
    for block in _RANGES.finditer(stream):
        for first, last, start, each in _RANGE.findall(block[1]):
            width = max(1, len(first) // 2)
            begins = int(first, 16)
            codes = range(begins, min(int(last, 16) + 1, begins + left))
            left -= len(codes)
            listed = re.findall(rb"<(\w+)>", each)
            for place, code in enumerate(codes):
                if listed:
                    table[code] = _text(listed[place]) if place < len(listed) else ""
                else:
                    table[code] = _text(b"%04x" % (int(start, 16) + place))
    return width, table


def _text(digits: bytes) -> str:
    try:
        return bytes.fromhex(digits.decode()).decode("utf-16-be", "ignore")
    except ValueError:
        return ""
