"""What commands that need the database share: the settings, the application, a ready schema."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from flask import Flask

    from survey_app.settings import Settings


def settings_of_environment() -> Settings:
    """The settings; a fault is one line that names the variable."""
    from survey_app.settings import read_settings

    return read_settings(os.environ)


def definitions_folder() -> Path | None:
    """What replaces the program's own definitions, for commands that need no other setting."""
    named = os.environ.get("DEFINITIONS_FOLDER", "").strip()
    return Path(named) if named else None


@contextmanager
def application(*, schema: bool = True) -> Iterator[Flask]:
    """The application with its context, on the database of the environment, which must be up to date."""
    from survey_app import create_app
    from survey_app.database import db

    app = create_app(settings_of_environment())
    with app.app_context():
        if schema:
            check_schema()
        yield app
        db.session.remove()
        db.engine.dispose()


def check_exists() -> None:
    """Refuse a database file that is missing, before opening it would make an empty one."""
    from survey_app.database import db

    url = db.engine.url
    if url.get_backend_name() == "sqlite" and url.database and not Path(url.database).exists():
        raise click.UsageError(
            f"La base {url.database} n’existe pas. Créez-la\u00a0: survey-app database upgrade"
        )


def has_database() -> bool:
    """Whether there is a database of this program, of whatever version; none is made by looking."""
    from survey_app.database import db
    from survey_app.migrations import current

    with application(schema=False):
        try:
            check_exists()
        except click.UsageError:
            return False
        return current(db.engine) is not None


def check_schema() -> None:
    """Refuse a database that is missing, empty or of another version, with the command that mends it."""
    from survey_app.database import db
    from survey_app.migrations import current, head

    check_exists()
    found = current(db.engine)
    if found is None:
        raise click.UsageError("La base est vide. Préparez-la\u00a0: survey-app database upgrade")
    refuse_newer(found)
    if found != head():
        raise click.UsageError(
            f"La base est à la version {found}, ce programme attend {head()}. "
            "Sauvegardez-la, puis lancez\u00a0: survey-app database upgrade"
        )


def refuse_newer(found: str | None) -> None:
    """Refuse a database that a newer program upgraded: this one knows no way back."""
    from survey_app.migrations import head, is_newer

    if is_newer(found):
        raise click.UsageError(
            f"La base vient d’un programme plus récent (version {found}, celui-ci connaît {head()}). "
            "Remettez ce programme, ou revenez à la sauvegarde d’avant la mise à jour."
        )


def actor() -> str:
    """Who acts, for the log of actions: the account of the machine."""
    return f"commande ({os.environ.get('SUDO_USER') or os.environ.get('USER') or 'inconnu'})"
