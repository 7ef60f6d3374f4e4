"""A file as it was brought → its lines with their numbers. CSV in any of its states, or a workbook. Floor 4.

Nothing of a file is kept but its name and its SHA-256.
"""

from __future__ import annotations

import csv
import hashlib
import io
import json
import subprocess
import sys
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from survey_app.frames.headings import HEADER_WITHIN, known_words

MOST_BYTES: Final = 20 * 2**20
MOST_LINES: Final = 60_000
MOST_COLUMNS: Final = 200
MOST_UNPACKED: Final = 50 * 2**20
MOST_PARTS: Final = 200
MOST_RATIO: Final = 100
LONGEST_READING: Final = 20
"""Seconds for a workbook."""
MOST_LINES_OF_A_CELL: Final = 20
"""More line breaks in one cell: a quotation mark that was opened is never closed."""
DELIMITERS: Final = {"\t": "tabulations", ";": "points-virgules", ",": "virgules"}
_READER: Final = Path(__file__).with_name("sheet_reader.py")
_OTHER_FILES: Final = {
    b"%PDF": "un PDF",
    b"\x89PNG": "une image",
    b"\xff\xd8\xff": "une image",
    b"GIF8": "une image",
    b"\x1f\x8b": "une archive",
    b"Rar!": "une archive",
    b"7z\xbc\xaf": "une archive",
    b"SQLite format": "une base de données",
    b"<!DOCTYPE": "une page internet",
    b"<html": "une page internet",
    b"{": "du JSON",
}
_HOW: Final = "Déposez un fichier CSV ou un classeur Excel (.xlsx)."
_TOO_BIG: Final = "trop gros une fois ouvert. Ne gardez que les lignes de votre département."


class FrameError(ValueError):
    """Nothing can be imported; `faults` has one French sentence per fault."""

    def __init__(self, *faults: str) -> None:
        super().__init__("\n".join(faults))
        self.faults = faults


@dataclass(frozen=True)
class Line:
    """One line of a file, with the number that an editor or Excel shows for it."""

    number: int
    cells: tuple[str, ...]


@dataclass(frozen=True)
class Sheet:
    """What a file holds."""

    name: str
    digest: str
    written: str
    """How it was read, in French."""
    lines: tuple[Line, ...]


def read_file(name: str, raw: bytes) -> Sheet:
    """The lines of a file. Raises `FrameError` with what is wrong and how to mend it."""
    said = quoted(Path(name.replace("\\", "/")).name or "fichier")
    if not raw.strip():
        raise FrameError(f"{said}\u00a0: le fichier est vide.")
    if len(raw) > MOST_BYTES:
        raise FrameError(
            f"{said}\u00a0: plus de {MOST_BYTES >> 20} Mo. Ne gardez que les lignes de votre département."
        )
    for beginning, kind in _OTHER_FILES.items():
        if raw.lstrip()[:64].lower().startswith(beginning.lower()):
            raise FrameError(f"{said}\u00a0: c’est {kind}, pas une liste. {_HOW}")
    if raw.startswith((b"PK\x03\x04", b"PK\x05\x06", b"\xd0\xcf\x11\xe0")):
        written, lines = "Classeur", _workbook(said, raw)
    else:
        written, lines = _text(said, raw)
    if len(lines) > MOST_LINES:
        raise FrameError(
            f"{said}\u00a0: plus de {MOST_LINES} lignes. Ne gardez que les lignes de votre département."
        )
    return Sheet(said.strip("«»\u202f"), hashlib.sha256(raw).hexdigest(), written, tuple(lines))


def quoted(text: str, longest: int = 80) -> str:
    """« text », cut where it is long, without the characters that no eye sees."""
    seen = "".join(character if character.isprintable() else " " for character in text)
    return f"«\u202f{' '.join(seen.split())[:longest]}\u202f»"


def _text(said: str, raw: bytes) -> tuple[str, list[Line]]:
    encoding, text = _decoded(said, raw)
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    delimiter = _delimiter(text)
    try:
        lines = list(_csv_lines(said, text, delimiter))
    except csv.Error as fault:
        raise FrameError(f"{said}\u00a0: ce n’est pas un fichier CSV. {_HOW}") from fault
    return f"CSV, séparé par des {DELIMITERS[delimiter]}, {encoding}", lines


def _decoded(said: str, raw: bytes) -> tuple[str, str]:
    """UTF-8 where its accents say so, even with a broken one; else Windows or Latin, which any byte is."""
    if raw.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "UTF-16", raw.decode("utf-16", "replace")
    if b"\x00" in raw:
        raise FrameError(f"{said}\u00a0: ce fichier n’est pas du texte. {_HOW}")
    text = raw.decode("utf-8-sig", "replace")
    if _is_utf8(raw) or text.count("\ufffd") * 4 < sum(character > "\x7f" for character in text):
        return "UTF-8", text
    try:
        return "Windows-1252", raw.decode("cp1252")
    except UnicodeDecodeError:
        return "Latin-1", raw.decode("latin-1")


def _is_utf8(raw: bytes) -> bool:
    try:
        raw.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _delimiter(text: str) -> str:
    """The one under which one of the first lines holds the most headings."""
    first = text.split("\n", HEADER_WITHIN)[:HEADER_WITHIN]
    scores = {delimiter: _score(first, delimiter) for delimiter in DELIMITERS}
    return max(scores, key=lambda delimiter: scores[delimiter])


def _score(lines: Sequence[str], delimiter: str) -> tuple[int, int]:
    try:
        rows = list(csv.reader(lines, delimiter=delimiter))
    except csv.Error:
        return 0, 0
    return max(((known_words(cells), len(cells)) for cells in rows), default=(0, 0))


def _csv_lines(said: str, text: str, delimiter: str) -> Iterator[Line]:
    reader, before = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter), 0
    for cells in reader:
        number, before = before + 1, reader.line_num
        if any(cell.count("\n") > MOST_LINES_OF_A_CELL for cell in cells):
            raise FrameError(f'{said}, ligne {number}\u00a0: un guillemet (") est ouvert et jamais fermé.')
        if len(cells) > MOST_COLUMNS:
            raise FrameError(f"{said}, ligne {number}\u00a0: plus de {MOST_COLUMNS} colonnes.")
        if any(cell.strip() for cell in cells):
            yield Line(number, tuple(cells))


def _workbook(said: str, raw: bytes) -> list[Line]:
    """The lines of the sheet that looks most like a list."""
    if raw.startswith(b"PK"):
        _check_parts(said, raw)
    sheets = [
        [
            Line(number, tuple(row))
            for number, row in enumerate(rows, start=1)
            if any(cell.strip() for cell in row)
        ]
        for rows in _sheets(said, raw)
    ]
    best = max(sheets, key=_looks_like_a_list, default=[])
    if not best:
        raise FrameError(f"{said}\u00a0: le classeur est vide.")
    if any(len(line.cells) > MOST_COLUMNS for line in best):
        raise FrameError(f"{said}\u00a0: plus de {MOST_COLUMNS} colonnes.")
    return best


def _looks_like_a_list(lines: Sequence[Line]) -> tuple[int, int]:
    return max((known_words(line.cells) for line in lines[:HEADER_WITHIN]), default=0), len(lines)


def _check_parts(said: str, raw: bytes) -> None:
    """What the directory of the archive announces, before anything is unpacked."""
    try:
        parts = zipfile.ZipFile(io.BytesIO(raw)).infolist()
    except (zipfile.BadZipFile, ValueError, OSError, NotImplementedError) as fault:
        raise FrameError(f"{said}\u00a0: le classeur est abîmé. Enregistrez-le à nouveau.") from fault
    unpacked = sum(part.file_size for part in parts)
    if len(parts) > MOST_PARTS or unpacked > MOST_UNPACKED or unpacked > MOST_RATIO * len(raw):
        raise FrameError(f"{said}\u00a0: ce classeur est {_TOO_BIG}")


def _sheets(said: str, raw: bytes) -> list[list[list[str]]]:
    try:
        read = subprocess.run(
            [sys.executable, "-I", str(_READER)],
            input=raw,
            capture_output=True,
            timeout=LONGEST_READING,
            check=True,
        )
        sheets: list[list[list[str]]] = json.loads(read.stdout)
    except subprocess.TimeoutExpired as fault:
        raise FrameError(f"{said}\u00a0: ce classeur est {_TOO_BIG}") from fault
    except (subprocess.CalledProcessError, ValueError) as fault:
        raise FrameError(_why_unread(said, getattr(fault, "stderr", b"") or b"")) from fault
    return sheets


def _why_unread(said: str, told: bytes) -> str:
    if b"Password" in told or b"password" in told:
        return f"{said}\u00a0: ce classeur est protégé par un mot de passe. Retirez-le, puis recommencez."
    if b"Memory" in told or b"memory" in told:
        return f"{said}\u00a0: ce classeur est {_TOO_BIG}"
    remedy = "Enregistrez-le en .xlsx, ou en «\u202fCSV UTF-8\u202f»."
    return f"{said}\u00a0: ce n’est pas un classeur lisible. {remedy}"
