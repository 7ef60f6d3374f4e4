"""Files to compute nothing from, known by their beginning: what they are, and which one to take."""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

BEGINNINGS: Final = {
    b"PK\x03\x04": "un classeur Excel ou un dossier compressé",
    b"\xd0\xcf\x11\xe0": "un classeur Excel d’un ancien format",
    b"%PDF": "un PDF",
    b"{": "un fichier JSON",
    b"[": "un fichier JSON",
    b"<": "une page web, peut-être celle de la connexion",
}
HEADINGS: Final = {
    frozenset({"code de l’engagement", "borne basse"}): "Résultats, pour Excel français (CSV)",
    frozenset({"jour [answered_on]"}): "Réponses, pour Excel français (CSV)",
    frozenset({"week_of", "site"}): "Réponses pour un programme, usage interne, à ne pas publier (CSV)",
    frozenset({"site (code)", "refus"}): "Refus sur tablette, par site et par jour (CSV)",
    frozenset({"item", "question", "role"}): "Dictionnaire des codes (CSV)",
}
"""Headings in small letters → the export of the platform that has them, as the page of exports names it."""
TO_TAKE: Final = (
    "Prenez l’export «\u202fRéponses pour recalculer\u202f» "
    "ou «\u202fComptes par question\u202f» de l’édition."
)


def by_beginning(data: bytes) -> str:
    """What a file without any table is, and which one to take; empty for one that may be a CSV."""
    start = data.removeprefix(b"\xef\xbb\xbf").lstrip()
    found = next((what for beginning, what in BEGINNINGS.items() if start.startswith(beginning)), "")
    return f"ce n’est pas un CSV, c’est {found}. {TO_TAKE}" if found else ""


def by_headings(columns: Collection[str]) -> str:
    """Which other export of the platform has this header, and which one to take; empty for none."""
    found = next((title for known, title in HEADINGS.items() if known <= {*columns}), "")
    return f"c’est l’export «\u202f{found}\u202f», qui ne suffit pas à recalculer. {TO_TAKE}" if found else ""
