"""What this installation asks with: the program's definitions, replaced file by file by one folder. Floor 3.

The folder is the setting ``DEFINITIONS_FOLDER``. Its files are read once: a change needs a restart.
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from flask import current_app

from form_definitions import (
    DefinitionError,
    Library,
    Organisation,
    Translations,
    load_library,
    load_translations,
)


def folder() -> Path | None:
    """The folder that replaces; None: nothing is replaced."""
    settings = current_app.extensions.get("survey_settings") if current_app else None
    return settings.definitions_folder if settings else None


def library() -> Library:
    """The shared scales, the frameworks, the organisation."""
    return library_of(folder())


def organisation() -> Organisation:
    """Who asks. Raises DefinitionError where its file cannot be read."""
    return organisation_of(folder())


def translations() -> Translations:
    """The translations of the contents: what the folder says goes before what the program says."""
    return translations_of(folder())


@lru_cache(maxsize=8)
def library_of(replaced: Path | None) -> Library:
    """The library under this folder."""
    return load_library(replaced)


def organisation_of(replaced: Path | None) -> Organisation:
    """The organisation under this folder. Raises DefinitionError."""
    known = library_of(replaced)
    if known.organisation is None:
        raise DefinitionError([found for found in known.faults if found.severity == "error"])
    return known.organisation


@lru_cache(maxsize=8)
def translations_of(replaced: Path | None) -> Translations:
    """The translations under this folder. Raises DefinitionError."""
    shipped, own = load_translations(), load_translations(replaced)
    return {language: {**texts, **own.get(language, {})} for language, texts in shipped.items()}
