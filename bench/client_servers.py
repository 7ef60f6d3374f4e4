"""Our application and the floor page, each behind the same compressing proxy, as nginx stands before ours."""

from __future__ import annotations

import os
import secrets
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from bench.client_proxy import compressed, floor_page
from form_definitions import load_translations
from survey_app import create_app
from survey_app.database import db
from survey_app.enrolment import make_code
from survey_app.migrations import upgrade
from survey_app.questionnaires import publish_source
from survey_app.responses.record_keys import held
from survey_app.settings import Settings
from survey_app.waves import WavePlan, create_wave, open_wave
from tests.browsers import free_port

HERE = Path(__file__).parent
SLUG, SITE, LANGUAGES, ACTOR = "mesure", "accueil_general", ("fr", "en", "ar"), "bench"
STARTING_SECONDS = 60


@dataclass(frozen=True)
class Sites:
    """Where both can be opened."""

    floor: str
    form: str
    tablet: str
    settings: Settings

    @property
    def interview(self) -> str:
        """The questionnaire on the tablet."""
        return f"{self.tablet}q/{SLUG}/fr"

    def enrolment_code(self) -> str:
        """A fresh one-time code."""
        with create_app(self.settings).app_context():
            code = make_code(name="Mesure", site=SITE, slugs=[], languages=[], created_by=ACTOR)
            db.session.remove()
            db.engine.dispose()
        return code


@contextmanager
def sites() -> Iterator[Sites]:
    """Both servers, on data made for the measure, until the block ends."""
    with ExitStack() as running:
        port, settings = running.enter_context(application())
        ours = running.enter_context(compressed(port))
        floor = running.enter_context(floor_page())
        form = f"{ours}/q/{SLUG}/fr?site={SITE}"
        yield Sites(floor, form, f"{ours}/tablette/", settings)


@contextmanager
def application() -> Iterator[tuple[int, Settings]]:
    """The production server on data made for the measure, until the block ends; its port."""
    with tempfile.TemporaryDirectory() as folder:
        port = free_port()
        settings = Settings(secrets.token_urlsafe(48), secrets.token_urlsafe(48), Path(folder))
        _make_data(settings)
        with _application(settings, port):
            yield port, settings


def _make_data(settings: Settings) -> None:
    today = datetime.now(tz=UTC).date()
    with create_app(settings).app_context():
        upgrade(db.engine)
        held().make(datetime.now(tz=UTC))
        version = publish_source(
            (HERE / "client_questionnaire.yaml").read_text("utf-8"), load_translations(), actor=ACTOR
        )
        plan = WavePlan(
            id=SLUG,
            title="Mesure",
            questionnaire_digest=version.digest,
            opens_on=today - timedelta(days=1),
            closes_on=today + timedelta(days=1),
            sites=(SITE,),
            languages=LANGUAGES,
            modes=("tablet", "website"),
            headline_modes=("tablet", "website"),
            headline_sites=(SITE,),
            synthetic=True,
        )
        create_wave(plan, actor=ACTOR)
        open_wave(SLUG, actor=ACTOR)
        db.session.remove()
        db.engine.dispose()


@contextmanager
def _application(settings: Settings, port: int) -> Iterator[None]:
    """The production server in a process of its own."""
    environment = {
        **os.environ,
        "SECRET_KEY": settings.secret_key,
        "DEVICE_MASTER_KEY": settings.device_master_key,
        "SURVEY_DATA": str(settings.data_folder),
        "DATABASE_URL": settings.database_url,
        "PUBLIC_URL": f"http://127.0.0.1:{port}",
    }
    command = [sys.executable, "-m", "survey_app.cli", "serve", "--port", str(port)]
    process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL)
    try:
        _wait_for(port)
        yield
    finally:
        process.terminate()
        process.wait(timeout=STARTING_SECONDS)


def _wait_for(port: int) -> None:
    deadline = time.monotonic() + STARTING_SECONDS
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.1)
        else:
            return
