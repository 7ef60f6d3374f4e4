"""One tablet whose server stands behind a faulty line, and what was shown as saved on it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from ssl import SSLContext
from typing import Any
from urllib.request import urlopen

from playwright.sync_api import Playwright, expect
from pysqlite3 import dbapi2 as sqlite

from survey_app import create_app
from survey_app.database import db
from survey_app.migrations import upgrade
from survey_app.responses.record_keys import held
from survey_app.settings import testing
from tests.browser.enrolled_tablet import EnrolledTablet, enrolled
from tests.browser.tablet_browser import (
    PATIENCE,
    TRY_NOW,
    Network,
    fact,
    interview,
    next_person,
    outbox,
    stored,
    wait_for_empty_outbox,
    wait_for_records,
)
from tests.browsers import free_port, served
from tests.faults.ledger import look_into
from tests.faults.proxy import FaultProxy, fault_proxy
from tests.survey_app.tablet_site import TabletSite


@dataclass(kw_only=True)
class Line(EnrolledTablet):
    """A tablet, the line, a server, and the ledger of what people were told."""

    proxy: FaultProxy
    database: Path
    shown: Counter[tuple[str, str]] = field(default_factory=Counter)
    """Id and hash of what was on the disk when « Merci » was shown."""

    @property
    def address(self) -> str:
        """Of the start page, as it is reached through the line."""
        return self.proxy.address

    def connect(self) -> None:
        """The server is at the other end of the line, whether it runs or not."""

    def one_person(self, comment: str = "") -> dict[str, Any]:
        """One interview to « Merci »; the record that this promised."""
        if self.page.locator("[data-screen-name=thanks] [data-action=restart]").is_visible():
            next_person(self.page)
        interview(self.page, comment)
        record = max(stored(self.page), key=lambda one: (one["seq"], one["revision"]))
        self.shown[record["id"], record["hash"]] += 1
        return record

    def try_again(self) -> None:
        """Somebody is beside the tablet: the pauses are over."""
        self.page.evaluate(TRY_NOW)

    def record(self, record_id: str) -> dict[str, Any]:
        """As it now is on the tablet."""
        (found,) = [one for one in stored(self.page) if one["id"] == record_id]
        return found

    def wait_until(self, record_id: str, **expected: Any) -> dict[str, Any]:
        """Until the record is so; the record."""
        wait_for_records(
            self.page,
            lambda found: any(one["id"] == record_id and expected.items() <= one.items() for one in found),
        )
        return self.record(record_id)

    def fact(self, name: str) -> Any:
        """What the tablet has noted."""
        return fact(self.page, name)

    def says(self, notice: str) -> None:
        """What the agent reads."""
        expect(self.page.locator(f"[data-notice={notice}]")).to_be_visible(timeout=PATIENCE)

    def waiting(self) -> int:
        """How many records have no receipt."""
        return len(outbox(self.page))

    def arrived(self) -> Counter[tuple[str, str]]:
        """What the server holds, read without the program; what it set apart as well."""
        return arrived(self.database)

    def deliver(self) -> None:
        """The network is good again: everything gets its receipt, and the server holds what was shown."""
        self.proxy.be_calm()
        wait_for_empty_outbox(self.page)
        self.assert_all_arrived()

    def assert_all_arrived(self) -> None:
        """The multiset of what was shown as saved is the multiset of what is stored, without a gap in it."""
        assert self.arrived() == self.shown
        assert not look_into(self.database, [f"record {one} {content}" for one, content in self.shown]).is_bad
        connection = sqlite.connect(str(self.database))
        numbers = [row[0] for row in connection.execute("SELECT seq FROM inbox_record ORDER BY seq")]
        connection.close()
        assert numbers == list(range(1, len(numbers) + 1))


def arrived(database: Path) -> Counter[tuple[str, str]]:
    """Id and hash of every record that a server holds, what it set apart as well."""
    connection = sqlite.connect(str(database))
    rows = connection.execute(
        "SELECT id, content_hash FROM inbox_record UNION ALL SELECT id, content_hash FROM inbox_conflict"
    ).fetchall()
    connection.close()
    return Counter((str(row[0]), str(row[1])) for row in rows)


@contextmanager
def a_site(folder: Path) -> Iterator[TabletSite]:
    """A migrated database with an open wave, as an installed server has it."""
    folder.mkdir(parents=True)
    app = create_app(testing(data_folder=folder))
    with app.app_context():
        upgrade(db.engine)
        held().make(datetime.now(UTC))
        site = TabletSite(app)
        site.open_wave()
    yield site
    with app.app_context():
        db.session.remove()
        db.engine.dispose()


@contextmanager
def a_line(
    playwright: Playwright, folder: Path, *arguments: str, certificate: SSLContext | None = None
) -> Iterator[Line]:
    """An enrolled tablet on a good line."""
    with ExitStack() as stack:
        site = stack.enter_context(a_site(folder / "server"))
        address = stack.enter_context(served(site.app))
        port = int(address.rpartition(":")[2])
        yield stack.enter_context(
            connected(playwright, folder, site, port, *arguments, certificate=certificate)
        )


@contextmanager
def connected(
    playwright: Playwright,
    folder: Path,
    site: TabletSite,
    server_port: int,
    *arguments: str,
    certificate: SSLContext | None = None,
) -> Iterator[Line]:
    """A tablet that reaches this server through the proxy; its browser may be started with more arguments."""
    with (
        fault_proxy(server_port, certificate) as proxy,
        enrolled(
            Line(
                playwright=playwright,
                network=Network(site),
                profile=folder / "profile",
                arguments=arguments,
                proxy=proxy,
                database=folder / "server" / "survey.db",
            )
        ) as line,
    ):
        yield line


@dataclass
class ServerProcess:
    """`survey-app serve` on its own, with or without a point at which it dies."""

    site: TabletSite
    port: int = field(default_factory=free_port)
    _process: subprocess.Popen[bytes] | None = None

    def start(self, point: str = "none") -> None:
        """Returns when it answers."""
        settings = self.site.app.extensions["survey_settings"]
        environment = {
            **os.environ,
            "SECRET_KEY": settings.secret_key,
            "DEVICE_MASTER_KEY": settings.device_master_key,
            "SURVEY_DATA": str(settings.data_folder),
            "MINIMUM_FREE_BYTES": "0",
        }
        command = [sys.executable, "-m", "tests.faults.failing_server", point, str(self.port)]
        with (settings.data_folder / "server.log").open("ab") as log:
            self._process = subprocess.Popen(
                command, env=environment, stdout=log, stderr=log, start_new_session=True
            )
        until = time.monotonic() + 30
        while not self._answers():
            assert self._process.poll() is None, (settings.data_folder / "server.log").read_text()[-2_000:]
            assert time.monotonic() < until, "the server does not answer"
            time.sleep(0.05)

    def wait_for_death(self) -> None:
        """It died as it was told to."""
        assert self._process is not None
        assert self._process.wait(20) == -signal.SIGKILL

    def stop(self) -> None:
        """All of it, if it still lives."""
        if self._process is not None and self._process.poll() is None:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()

    def _answers(self) -> bool:
        try:
            with urlopen(f"http://127.0.0.1:{self.port}/tablette/", timeout=5) as answer:
                return bool(answer.status == 200)
        except OSError:
            return False


@contextmanager
def server_process(site: TabletSite) -> Iterator[ServerProcess]:
    """Gone at the end, however often it was started."""
    process = ServerProcess(site)
    try:
        yield process
    finally:
        process.stop()
