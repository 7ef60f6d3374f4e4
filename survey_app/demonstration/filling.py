"""What the folder of the demonstration is filled with at its first start."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Final

from flask import Flask

from survey_app.accounts import add_user, reset_passphrase
from survey_app.database import db
from survey_app.demonstration import officials, visitors
from survey_app.demonstration.folder import REFERENT_ADDRESS, cleared, demonstration_settings
from survey_app.demonstration.visitors import ACTOR
from survey_app.mail_settings import MailSettings
from survey_app.migrations import upgrade
from survey_app.responses.intake import judge_waiting
from survey_app.responses.record_keys import RecordKeys
from survey_app.settings import Settings
from survey_app.synthetic_answers import OFFICIALS, USERS, Population

LONG_ENOUGH: Final = timedelta(days=1)
"""Partial answers are judged at once: nobody is going to finish them."""


@dataclass(frozen=True)
class Contents:
    """Who answers; None: that audience has no edition."""

    visitors: Population | None = USERS
    officials: Population | None = OFFICIALS


EVERYBODY: Final = Contents()


def prepare(
    folder: Path,
    port: int,
    today: date,
    contents: Contents = EVERYBODY,
    *,
    mail: MailSettings | None = None,
) -> tuple[Settings, str | None]:
    """The settings, and the passphrase of the referent if the data had to be made now.

    ``mail``: the relay that takes the invitations of the officials' survey; without one none leaves.

    Raises
    ------
    FolderInUse
        The folder exists and is not the demonstration's: nothing in it is touched.
    """
    ready = folder / "ready"
    if not ready.exists():
        cleared(folder)
    settings = demonstration_settings(folder, port, mail)
    if ready.exists():
        _make_a_key(settings)  # a folder of an earlier version has none
        return settings, None
    passphrase = fill(settings, today, contents)
    ready.touch()
    return settings, passphrase


def fill(settings: Settings, today: date, contents: Contents = EVERYBODY) -> str:
    """Make the database with these editions; the passphrase of the referent."""
    _make_a_key(settings)
    with _application(settings).app_context():
        upgrade(db.engine)
        passphrase = add_user(REFERENT_ADDRESS, "Référente (démonstration)", ["referent"], actor=ACTOR)
        if contents.visitors is not None:
            visitors.make_edition(contents.visitors, today)
            judge_waiting(now=datetime.now(tz=UTC) + LONG_ENOUGH)
        if contents.officials is not None:
            officials.make_editions(contents.officials, today)
        db.session.remove()
        db.engine.dispose()
    return passphrase


def new_passphrase(settings: Settings) -> str:
    """Another passphrase for the referent of the demonstration."""
    with _application(settings).app_context():
        return reset_passphrase(REFERENT_ADDRESS, actor=ACTOR)


def _make_a_key(settings: Settings) -> None:
    keys = RecordKeys(settings.record_keys_folder)
    if not keys.all():
        keys.make(datetime.now(tz=UTC))


def _application(settings: Settings) -> Flask:
    from survey_app import create_app

    return create_app(settings)
