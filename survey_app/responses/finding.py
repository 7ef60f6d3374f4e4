"""One thing that `doctor` saw."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Finding:
    """One thing seen. ``severity``: ok, warning or error; the remedy is empty when all is well."""

    code: str
    severity: str
    message: str
    remedy: str = ""
