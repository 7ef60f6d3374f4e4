"""argparse in French: headings, the help option, and one French sentence for each misuse."""

from __future__ import annotations

import argparse
import re
from typing import Any, Final, NoReturn

MISUSES: Final = (
    (r"the following arguments are required: (.+)", "il manque {0}."),
    (r"unrecognized arguments: (.+)", "argument inconnu\u00a0: {0}."),
    (r"argument (\S+): expected one argument", "il manque la valeur de {0}."),
    (
        r"argument (\S+): invalid choice: (.+) \(choose from (.+)\)",
        "{1} ne convient pas à {0}\u00a0: choisissez parmi {2}.",
    ),
    (r"argument (\S+): (.+)", "{0}\u00a0: {1}."),
)
"""What argparse says, in every Python that we run on, and what we say; the last line is for our own words."""


class FrenchParser(argparse.ArgumentParser):
    """A parser of which nothing is English."""

    def __init__(self, **options: Any) -> None:
        super().__init__(add_help=False, allow_abbrev=False, **options)
        self._positionals.title, self._optionals.title = "Fichier\u00a0", "Options\u00a0"
        self.add_argument("-h", "--help", action="help", help="affiche cette aide")

    def format_usage(self) -> str:
        """The first line."""
        return _french_usage(super().format_usage())

    def format_help(self) -> str:
        """The whole page."""
        return _french_usage(super().format_help())

    def error(self, message: str) -> NoReturn:
        """What is wrong, and where to look; exit code 2 as everywhere."""
        self.exit(2, f"{self.format_usage()}{self.prog}\u00a0: {french_misuse(message)}\n")


def _french_usage(text: str) -> str:
    return text.replace("usage: ", "Utilisation\u00a0: ", 1)


def french_misuse(message: str) -> str:
    """The French sentence for a message of argparse."""
    for pattern, sentence in MISUSES:
        if found := re.fullmatch(pattern, message):
            return sentence.format(*(part.replace("'", "") for part in found.groups()))
    return message
