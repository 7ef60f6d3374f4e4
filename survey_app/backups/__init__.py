"""Copies of the database that were read back, and the way back to one. Floor 4.

A copy is made while the service runs, read back whole, and only then counts: the watermark, up to which the
tablets may let go of what they delivered, moves last. A restored database begins a new epoch.
"""

from survey_app.backups.carrying_over import CarriedOver
from survey_app.backups.copies import Backup, BackupError, Manifest, backup, remove_older
from survey_app.backups.restoring import Restored, restore

__all__ = [
    "Backup",
    "BackupError",
    "CarriedOver",
    "Manifest",
    "Restored",
    "backup",
    "remove_older",
    "restore",
]
