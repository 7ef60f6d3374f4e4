"""``python -m analysis FILE.csv``: the platform's figures without server or database (rule S8)."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

from analysis.axes import Reading
from analysis.csv_faults import CsvError
from analysis.csv_input import results_from_csv
from analysis.french_arguments import FrenchParser
from analysis.intervals import INTERVAL_METHODS
from analysis.notices import what_is_not_measured
from analysis.text_report import audience, lines_of, text_report

BAD_INPUT = 2


def main(arguments: Sequence[str] | None = None) -> int:
    """Read the file, print the figures; the exit code is 0, or 2 for input that cannot be read."""
    options = _parser().parse_args(arguments)
    reading = Reading(options.threshold, options.confidence, options.method, options.minimum_base)
    try:
        results = results_from_csv(options.file.read_bytes(), reading)
    except OSError as error:
        return _refuse(f"{options.file}\u00a0: {_why_not(error)}.")
    except CsvError as error:
        return _refuse(*(f"{options.file}, {fault}" for fault in error.faults))
    if options.format == "json":
        print(json.dumps([line.as_json() for line in lines_of(results)], ensure_ascii=False, indent=2))
        print(*what_is_not_measured(audience(results)), file=sys.stderr)
    else:
        print(text_report(results, reading))
    return 0


def _why_not(error: OSError) -> str:
    match error:
        case FileNotFoundError():
            return "fichier introuvable"
        case PermissionError():
            return "droits de lecture insuffisants"
        case IsADirectoryError():
            return "c’est un dossier, un fichier est attendu"
    return "lecture impossible"


def _refuse(*messages: str) -> int:
    print(*messages, sep="\n", file=sys.stderr)
    return BAD_INPUT


def _parser() -> FrenchParser:
    parser = FrenchParser(
        prog="python -m analysis",
        description="Taux de satisfaction, intervalles et axes d’amélioration à partir d’un fichier CSV.",
        epilog="Deux sortes de CSV\u00a0: commitment,item,favourable,base ou "
        "respondent,commitment,item,favourable\u202f; colonnes facultatives\u00a0: population, rule.",
    )
    parser.add_argument("file", metavar="FICHIER.csv", type=Path, help="le fichier à lire")
    parser.add_argument(
        "--threshold", type=_threshold, default=Fraction(3, 4), metavar="3/4", help="seuil (3/4 par défaut)"
    )
    parser.add_argument(
        "--confidence",
        type=_confidence,
        default=0.95,
        metavar="0.95",
        help="niveau de confiance des intervalles (0.95 par défaut)",
    )
    parser.add_argument(
        "--method", choices=sorted(INTERVAL_METHODS), default="wilson", help="intervalle (wilson par défaut)"
    )
    parser.add_argument(
        "--minimum-base",
        type=_minimum_base,
        default=30,
        metavar="30",
        help="base utile minimale pour un constat (30 par défaut)",
    )
    parser.add_argument(
        "--format", choices=("text", "json"), default="text", help="texte à lire, ou JSON (text par défaut)"
    )
    return parser


def _threshold(text: str) -> Fraction:
    try:
        threshold = Fraction(text)
    except (ValueError, ZeroDivisionError):
        threshold = Fraction(0)
    if not 0 < threshold <= 1:
        raise argparse.ArgumentTypeError(
            f"«\u202f{text}\u202f»\u00a0: écrivez une part de 1, par exemple 3/4 ou 0.75"
        )
    return threshold


def _confidence(text: str) -> float:
    try:
        confidence = float(text)
    except ValueError:
        confidence = 0.0
    if not 0 < confidence < 1:
        raise argparse.ArgumentTypeError(
            f"«\u202f{text}\u202f»\u00a0: écrivez une part de 1, par exemple 0.95"
        )
    return confidence


def _minimum_base(text: str) -> int:
    if not (text.isascii() and text.isdecimal()):
        raise argparse.ArgumentTypeError(
            f"«\u202f{text}\u202f»\u00a0: écrivez un nombre entier, par exemple 30"
        )
    return int(text)


def command() -> int:
    """`main` for a pipe: a reader that has seen enough (`| head`) ends the command without a word."""
    try:
        code = main()
        sys.stdout.flush()
    except BrokenPipeError:
        # Python flushes the output once more when it leaves: that must go nowhere.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    return code


if __name__ == "__main__":
    sys.exit(command())
