"""What the tests of lists share: the department they are of, and a file of a few lines."""

from __future__ import annotations

import datetime as dt
from typing import Final

from survey_app.frames import FrameCheck, Territory, check_files

TERRITORY: Final = Territory("79", "Deux-Sèvres", {"791": "Bressuire", "792": "Niort", "793": "Parthenay"})
TODAY: Final = dt.date(2026, 9, 2)
HEADINGS: Final = (
    "Code INSEE;Commune;Arrondissement;Civilité;Nom;Prénom;Fonction;Courriel;Code postal;Adresse"
)


def checked(*files: tuple[str, bytes]) -> FrameCheck:
    """The files as one list of the department."""
    return check_files(files, TERRITORY, TODAY)


def by_hand(*lines: str, headings: str = HEADINGS) -> tuple[str, bytes]:
    """A file made by hand."""
    return "liste.csv", "\n".join((headings, *lines)).encode()


def left_out(found: FrameCheck) -> dict[int, str]:
    """Line → why it is left out."""
    return {note.line: note.text for note in found.left_out}


def doubts(found: FrameCheck) -> dict[int, str]:
    """Line → what is doubtful about it."""
    return {note.line: note.text for note in found.doubts}
