"""A relay that listens, and databases with an open list to mail to."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask

from survey_app.settings import Settings
from tests.survey_app.mailing import field
from tests.survey_app.mailing.relay import ScriptedRelay, listening
from tests.survey_app.staff_site import StaffSite


@pytest.fixture
def relay() -> Iterator[ScriptedRelay]:
    """A relay that takes everything until its script says otherwise."""
    with listening() as found:
        yield found


@pytest.fixture
def settings(database: Flask, relay: ScriptedRelay, tmp_path: Path) -> Settings:
    """On each kind of database in turn."""
    return field.equip(database, relay.port, tmp_path)


@pytest.fixture
def on_sqlite(sqlite_app_database: Flask, relay: ScriptedRelay, tmp_path: Path) -> Settings:
    """On SQLite alone."""
    return field.equip(sqlite_app_database, relay.port, tmp_path)


@pytest.fixture
def listed(site: StaffSite, relay: ScriptedRelay, tmp_path: Path) -> list[str]:
    """An open list on the whole application."""
    with site.database():
        field.equip(site.app, relay.port, tmp_path)
        return field.open_a_list()
