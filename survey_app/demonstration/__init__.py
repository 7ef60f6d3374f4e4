"""The demonstration: a database file of its own, the shipped questionnaires, and answers of nobody. Floor 5.

The synthetic answers take the road of real ones: envelope, inbox, intake, tallies; or a personal link, the
sealed pool, the mixing.
"""

from survey_app.demonstration.filling import EVERYBODY, Contents, fill, new_passphrase, prepare
from survey_app.demonstration.folder import (
    MARKER,
    REFERENT_ADDRESS,
    SENDER,
    FolderInUse,
    addresses,
    demonstration_settings,
)
from survey_app.demonstration.officials import edition_under_way, ended_edition
from survey_app.demonstration.visitors import PRACTICE, SEED, visitors_edition

__all__ = [
    "EVERYBODY",
    "MARKER",
    "PRACTICE",
    "REFERENT_ADDRESS",
    "SEED",
    "SENDER",
    "Contents",
    "FolderInUse",
    "addresses",
    "demonstration_settings",
    "edition_under_way",
    "ended_edition",
    "fill",
    "new_passphrase",
    "prepare",
    "visitors_edition",
]
