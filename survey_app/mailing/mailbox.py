"""Where messages that came back are read from: a file of messages, or a Maildir."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final

from survey_app.mailing.bounces import LARGEST, note_reading, take_report

_SEPARATOR: Final = re.compile(rb"^From [^\n]*\n", re.MULTILINE)
_HEADER: Final = re.compile(rb"\A(?:[!-9;-~]+:[^\n]*\n)")
SEEN: Final = ":2,S"


class MailFileError(ValueError):
    """A file holds no messages. The message (French) says which, and what is expected."""


def messages_of(name: str, raw: bytes) -> list[bytes]:
    """The messages of an ``.eml`` file or of an mbox. Raises MailFileError for anything else."""
    raw = raw.replace(b"\r\n", b"\n")
    found = _SEPARATOR.split(raw)[1:] if raw.startswith(b"From ") else [raw]
    messages = [one for one in found if _HEADER.match(one)]
    if not messages:
        raise MailFileError(
            f"«\u202f{name}\u202f» ne contient aucun message\u00a0: enregistrez-les au format .eml ou mbox."
        )
    return messages


def read_maildir(folder: Path, *, actor: str) -> Counter[str]:
    """Take what is new in a Maildir, and mark it as seen once it is written down."""
    told: Counter[str] = Counter()
    for path in _new_ones(folder):
        with suppress(FileNotFoundError):  # another process was quicker: it does the same
            told[take_report(path.read_bytes()[:LARGEST])] += 1
            path.rename(folder / "cur" / (path.name + SEEN))
    note_reading(told, actor=actor)
    return told


def _new_ones(folder: Path) -> Iterator[Path]:
    """The files of ``new/``; ``cur/`` is made where it is missing."""
    if not (folder / "new").is_dir():
        return
    (folder / "cur").mkdir(exist_ok=True)
    yield from sorted(path for path in (folder / "new").iterdir() if path.is_file())
