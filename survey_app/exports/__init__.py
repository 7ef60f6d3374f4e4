"""Results and answers as files. Floor 4: `gather` what a requester may have, then `EXPORTS[name].write`.

A new export is a module with a `write(source, stream)` function and one line here. Decisions: README.md.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import BinaryIO, Final

from survey_app.exports.codebook import write_codebook
from survey_app.exports.gathering import ReportError, Rights, gather
from survey_app.exports.refusals_csv import write_refusals
from survey_app.exports.responses_csv import write_answers, write_french, write_open
from survey_app.exports.results_csv import write_counts, write_french_results
from survey_app.exports.results_json import write_json
from survey_app.exports.results_workbook import write_workbook
from survey_app.exports.source import ReportSource

__all__ = ["EXPORTS", "Export", "ReportError", "ReportSource", "Rights", "file_name", "gather"]

XLSX: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
CSV: Final = "text/csv; charset=utf-8"


@dataclass(frozen=True)
class Export:
    """One kind of file."""

    title: str
    """On screen."""
    suffix: str
    media_type: str
    write: Callable[[ReportSource, BinaryIO], None]
    reader: str
    """Who it is for, and what they do with it."""
    rows: bool = False
    """Holds nothing but answers person by person: only for who may read those."""


EXPORTS: Final[Mapping[str, Export]] = {
    "classeur": Export(
        "Classeur Excel",
        ".xlsx",
        XLSX,
        write_workbook,
        "La direction et le comité\u00a0: bilan, axes d’amélioration et méthode, à lire et à imprimer.",
    ),
    "resultats": Export(
        "Résultats, pour Excel français (CSV)",
        ".csv",
        CSV,
        write_french_results,
        "Un service\u00a0: les chiffres, à reprendre dans un tableau ou une note.",
    ),
    "reponses": Export(
        "Réponses, pour Excel français (CSV)",
        ".csv",
        CSV,
        write_french,
        "Qui suit l’enquête\u00a0: filtrer et compter les réponses, une par ligne.",
        rows=True,
    ),
    "reponses-internes": Export(
        "Réponses pour un programme, usage interne, à ne pas publier (CSV)",
        ".csv",
        CSV,
        write_open,
        "Le statisticien du service\u00a0: les mêmes réponses, en codes.",
        rows=True,
    ),
    "recalculer": Export(
        "Réponses pour recalculer (CSV)",
        ".csv",
        CSV,
        write_answers,
        "Un contrôleur\u00a0: retrouver chaque chiffre sans ce serveur (python -m analysis).",
        rows=True,
    ),
    "comptes": Export(
        "Comptes par question (CSV)",
        ".csv",
        CSV,
        write_counts,
        "Le référent, l’an prochain\u00a0: ce fichier s’importe dans «\u202fAnnées passées\u202f».",
    ),
    "refus": Export(
        "Refus sur tablette, par site et par jour (CSV)",
        ".csv",
        CSV,
        write_refusals,
        "Le référent\u00a0: combien de visiteurs ont décliné, et où.",
    ),
    "codes": Export(
        "Dictionnaire des codes (CSV)",
        ".csv",
        CSV,
        write_codebook,
        "Qui ouvre un fichier de réponses\u00a0: ce que veut dire chaque code.",
    ),
    "json": Export(
        "Résultats pour un programme (JSON)",
        ".json",
        "application/json",
        write_json,
        "L’informaticien\u00a0: reprendre les résultats dans un site ou un tableau de bord.",
    ),
}
"""Under the names used in addresses and by `survey-app report --export`."""


def file_name(source: ReportSource, name: str) -> str:
    """Of plain ASCII letters, digits and hyphens, whatever the wave is called; it says what is selected."""
    chosen = source.report.selection
    parts = (source.wave.code, chosen.site, chosen.mode, chosen.language, chosen.period)
    code = unicodedata.normalize("NFKD", "-".join(filter(None, parts))).encode("ascii", "ignore").decode()
    safe = re.sub(r"[^a-zA-Z0-9]+", "-", code).strip("-") or "edition"
    return f"{safe}-{name}{EXPORTS[name].suffix}"
