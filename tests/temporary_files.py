"""The temporary files of the tests lie in memory where there is room: thousands of databases flush there.

What the program asks of its disk stays the same and is tested (`synchronous=FULL`, `fsync=on`). What a disk
owes when the power goes, the tests of power cuts work out themselves: from the calls that were made, and on a
file system of their own.
"""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import Final

MEMORY: Final = Path("/dev/shm")
ROOM: Final = 4 * 2**30


def keep_in_memory() -> None:
    """For this process and its children, unless somebody has chosen another place."""
    if "TMPDIR" not in os.environ and has_room(MEMORY):
        os.environ["TMPDIR"] = str(MEMORY)
        tempfile.tempdir = None  # asked for again


def has_room(folder: Path) -> bool:
    """Whether files fit in there, programs too."""
    try:
        found = os.statvfs(folder)
    except OSError:
        return False
    return found.f_bavail * found.f_frsize >= ROOM and not found.f_flag & os.ST_NOEXEC
