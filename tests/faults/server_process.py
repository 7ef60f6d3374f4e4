"""The server as it is installed, `survey-app serve`, to be killed and started again."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

from flask import Flask

from survey_app import create_app
from survey_app.database import db
from survey_app.migrations import upgrade
from survey_app.responses.record_keys import held
from survey_app.settings import Settings, testing
from tests.browsers import free_port
from tests.faults.program import ROOT
from tests.survey_app.tablet_site import TabletSite

PATIENCE = 60


@dataclass
class ServerProcess:
    """One process group; a kill is for all of it, without a word."""

    settings: Settings
    port: int = field(default_factory=free_port)
    _process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Returns when it answers."""
        environment = {
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(ROOT),  # the program under test, wherever another one is installed
            "SECRET_KEY": self.settings.secret_key,
            "DEVICE_MASTER_KEY": self.settings.device_master_key,
            "SURVEY_DATA": str(self.settings.data_folder),
            "DATABASE_URL": self.settings.database_url,
            "MINIMUM_FREE_BYTES": "0",
            "PARTIAL_GRACE_MINUTES": "0",  # a partial response is judged like any other, not an hour later
        }
        command = [str(Path(sys.executable).with_name("survey-app")), "serve", "--port", str(self.port)]
        until = time.monotonic() + PATIENCE
        with (self.settings.data_folder / "server.log").open("ab") as log:
            self._process = subprocess.Popen(
                command, env=environment, stdout=log, stderr=log, start_new_session=True
            )
        while not self._answers():
            if self._process.poll() is not None or time.monotonic() > until:
                raise RuntimeError((self.settings.data_folder / "server.log").read_text()[-2_000:])
            time.sleep(0.05)

    def kill(self) -> None:
        """The whole group at once."""
        if self._process is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()

    def _answers(self) -> bool:
        try:
            with urlopen(f"http://127.0.0.1:{self.port}/tablette/", timeout=5) as answer:
                return bool(answer.status == 200)
        except (URLError, OSError):
            return False


@contextmanager
def served_site(folder: Path, database_url: str = "") -> Iterator[tuple[TabletSite, ServerProcess, str]]:
    """A prepared database with an open wave, its server running; the third is the questionnaire's digest."""
    folder.mkdir(parents=True, exist_ok=True)
    settings = testing(data_folder=folder, database_url=database_url)
    site = TabletSite(_prepared(settings))
    with site.app.app_context():
        digest = site.open_wave()
    server = ServerProcess(settings)
    try:
        server.start()
        yield site, server, digest
    finally:
        server.kill()
        with site.app.app_context():
            db.session.remove()
            db.engine.dispose()


def _prepared(settings: Settings) -> Flask:
    app = create_app(settings)
    app.extensions["survey_rate_limits"].enabled = False
    with app.app_context():
        upgrade(db.engine)
        held().make(datetime.now(UTC))
    return app
