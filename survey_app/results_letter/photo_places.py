"""Whether a photograph inside a file says where it was taken: telephones write that beside every picture."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final, Literal

_EXIF: Final = re.compile(rb"Exif\x00\x00(II\*\x00|MM\x00\*)")
_XMP: Final = re.compile(rb"\bGPS(Latitude|Longitude)\b")
_GPS_POINTER: Final = 0x8825
"""The entry of the first directory of Exif that leads to the place (Exif 2.32, 4.6.3)."""
_ENTRY: Final = 12
"""Bytes of one entry: tag, type, count, value."""


def tells_a_place(content: bytes) -> bool:
    """Whether a picture in these bytes carries coordinates, in its Exif or its XMP part.

    Pictures lie in a PDF as they came from the camera; nothing is unpacked here.
    """
    return bool(_XMP.search(content)) or any(_GPS_POINTER in tags for tags in _directories(content))


def _directories(content: bytes) -> Iterator[set[int]]:
    """The tags of the first directory of each Exif part."""
    for found in _EXIF.finditer(content):
        endian: Literal["little", "big"] = "little" if found[1].startswith(b"II") else "big"
        start = found.start(1)
        first = start + int.from_bytes(content[start + 4 : start + 8], endian)
        count = int.from_bytes(content[first : first + 2], endian)
        entries = content[first + 2 : first + 2 + _ENTRY * count]
        yield {int.from_bytes(entries[at : at + 2], endian) for at in range(0, len(entries), _ENTRY)}
