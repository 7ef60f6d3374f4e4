"""Where messages that came back are read from: a file of messages, or a Maildir."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final

from analysis.display import listed
from survey_app.mailing.bounces import LARGEST, note_reading, take_report

_SEPARATOR: Final = re.compile(rb"^From [^\n]*\n", re.MULTILINE)
_HEADER: Final = re.compile(rb"\A(?:[!-9;-~]+:[^\n]*\n)")
SEEN: Final = ":2,S"


_NO_MAIL: Final = "Aucun message là-dedans\u00a0: enregistrez les avis au format .eml ou mbox."
_OTHER_KINDS: Final = {
    b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1": (
        "Le format .msg d’Outlook ne se lit pas ici\u00a0: ouvrez l’avis dans le nouvel Outlook ou dans "
        "Outlook sur le web, puis enregistrez-le au format .eml."
    ),
    b"!BDN": (
        "Un dossier d’Outlook (.pst) ne se lit pas ici\u00a0: enregistrez ses avis un par un au format .eml."
    ),
    b"PK\x03\x04": "C’est une archive\u00a0: décompressez-la, puis déposez les fichiers qu’elle contient.",
}
"""How files of other programs begin, and what to do with them."""


def messages_of(raw: bytes) -> list[bytes]:
    """The messages of an ``.eml`` file or of an mbox; none of anything else."""
    raw = raw.replace(b"\r\n", b"\n")
    found = _SEPARATOR.split(raw)[1:] if raw.startswith(b"From ") else [raw]
    return [one for one in found if _HEADER.match(one)]


def read_files(files: Iterable[tuple[str, bytes]]) -> tuple[list[bytes], list[str]]:
    """The messages of all files that hold some; of the others a French line per remedy, with their names."""
    messages: list[bytes] = []
    unread: dict[str, list[str]] = {}
    for name, raw in files:
        found = messages_of(raw)
        messages += found
        if not found:
            remedy = next((text for start, text in _OTHER_KINDS.items() if raw.startswith(start)), _NO_MAIL)
            unread.setdefault(remedy, []).append(f"«\u202f{name}\u202f»")
    return messages, [
        f"{'Non lus' if len(names) > 1 else 'Non lu'}\u00a0: {listed(names)}. {remedy}"
        for remedy, names in unread.items()
    ]


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
