"""Which faults the commands expect, and the one line each is told in."""

from __future__ import annotations

import errno
from importlib import import_module
from typing import Final

from sqlalchemy.exc import DBAPIError

DOMAIN_FAULT = 1
_EXPECTED: Final = (
    "form_definitions:DefinitionError",
    "survey_app.settings:SettingsError",
    "survey_app.database:DatabaseUnavailable",
    "survey_app.database:UnsafeDatabaseError",
    "survey_app.accounts:AccountError",
    "survey_app.waves:WaveError",
    "survey_app.questionnaires:PublicationError",
    "survey_app.past_counts:PastResultsError",
    "survey_app.frames:FrameError",
    "survey_app.exports:ReportError",
    "survey_app.responses.set_aside:DecisionError",
    "survey_app.responses.record_keys:KeyFileError",
    "survey_app.backups:BackupError",
    "survey_app.mailing.sink:SinkError",
)
"""Their messages are French sentences for the person at the keyboard."""


_FILE_FAULTS: Final = {
    errno.ENOENT: "Fichier ou dossier introuvable",
    errno.EACCES: "Droits insuffisants",
    errno.EPERM: "Droits insuffisants",
    errno.ENOSPC: "Disque plein",
    errno.EROFS: "Disque en lecture seule",
    errno.EADDRINUSE: "Port déjà occupé",
    errno.EISDIR: "Un dossier porte ce nom",
    errno.ENOTDIR: "Un fichier porte le nom d’un dossier",
}


def expected_fault(fault: Exception) -> str | None:
    """What to print for this fault; None when nobody foresaw it."""
    known = {name.partition(":")[2] for name in _EXPECTED}
    if known & {kind.__name__ for kind in type(fault).__mro__} and _is_ours(fault):
        return str(fault)
    if isinstance(fault, DBAPIError):
        return _database_fault(fault)
    if isinstance(fault, OSError):
        where = f"\u00a0: {fault.filename}" if fault.filename else ""
        return f"{_FILE_FAULTS.get(fault.errno or 0, 'Lecture ou écriture impossible')}{where}."
    return None


def _is_ours(fault: Exception) -> bool:
    return any(isinstance(fault, _class(name)) for name in _EXPECTED)


def _class(name: str) -> type[Exception]:
    module, _, attribute = name.partition(":")
    found: type[Exception] = getattr(import_module(module), attribute)
    return found


def _database_fault(fault: DBAPIError) -> str:
    text = str(fault.orig)
    if "no such table" in text or "does not exist" in text:
        return "La base de données n’est pas prête. Lancez d’abord\u00a0: survey-app database upgrade"
    return f"Base de données\u00a0: {' '.join(text.split())[:200]}"
