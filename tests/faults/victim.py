"""A process to be killed: it does one piece of work of the server on a database, and tells what it promised.

It is started once, with everything imported; each line on its input is a workload and a database, and becomes
a child of its own that waits until somebody has taken hold of it. What a child promised goes to a pipe, which
outlives it.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from flask import Flask

from survey_app import backups, database, migrations
from survey_app.database import db, install
from survey_app.responses.envelope import content_hash, read_envelope
from survey_app.responses.inbox import accept, accept_all
from survey_app.responses.intake import judge_waiting
from survey_app.responses.purge import purge
from survey_app.responses.set_aside import set_aside
from survey_app.settings import testing
from tests.survey_app.records import NOW, TABLET, WEBSITE, a_record

RECORDS, BATCH = 6, 20


def record_id(number: int) -> str:
    """The ids are known beforehand, so that whoever looks afterwards knows what was attempted."""
    return f"00000000-0000-4000-8000-{number:012d}"


def attempted(workload: str) -> list[bytes]:
    """The records that this workload brings."""
    number = BATCH if workload == "batch" else RECORDS
    return [a_record(record_id=record_id(n), seq=n + 1) for n in range(number)]


def promise(text: str) -> None:
    """Tell what is now owed: one line, in one call."""
    os.write(sys.stdout.fileno(), f"promised {text}\n".encode())


def bring_records() -> None:
    """One after the other, from tablets and the website."""
    for number, raw in enumerate(attempted("records")):
        sender = (TABLET, WEBSITE)[number % 2]
        receipt = accept(raw, source=sender.mode, credential=sender, now=NOW)
        promise(f"record {receipt.id} {receipt.sha256}")


def bring_records_hastily() -> None:
    """The control: a receipt before the commit."""
    for raw in attempted("records"):
        promise(f"record {read_envelope(raw).id} {content_hash(raw)}")
        accept(raw, source="tablet", credential=TABLET, now=NOW)


def bring_records_until_receipted() -> None:
    """As a tablet does: without a receipt the same bytes again."""
    for raw in attempted("records"):
        for _attempt in range(3):
            with suppress(database.DatabaseUnavailable):
                receipt = accept(raw, source="tablet", credential=TABLET, now=NOW)
                promise(f"record {receipt.id} {receipt.sha256}")
                break


def bring_a_batch() -> None:
    """Many in one commit."""
    for receipt in accept_all(attempted("batch"), source="tablet", credential=TABLET, now=NOW):
        if not isinstance(receipt, ValueError):
            promise(f"record {receipt.id} {receipt.sha256}")


def judge_all() -> None:
    """What waits becomes responses."""
    judge_waiting(now=NOW)


def set_one_aside() -> None:
    """A decision, with its tally."""
    set_aside(record_id(0), reason="test", by="tests")
    promise(f"aside {record_id(0)}")


def purge_all() -> None:
    """Nothing has reached its term: the log of the purge alone is written."""
    purge(testing().retention, by="tests")


def back_up() -> None:
    """A copy beside the database."""
    made = backups.backup(Path(str(db.engine.url.database)).parent / "backups", by="tests")
    promise(f"copy {made.path}")


def upgrade() -> None:
    """From nothing to the schema of today."""
    migrations.upgrade(db.engine)
    promise("schema")


WORKLOADS: dict[str, Callable[[], None]] = {
    "records": bring_records,
    "batch": bring_a_batch,
    "judgement": judge_all,
    "decision": set_one_aside,
    "purge": purge_all,
    "backup": back_up,
    "upgrade": upgrade,
}

BESIDE: dict[str, Callable[[], None]] = {
    "hasty": bring_records_hastily,
    "persistent": bring_records_until_receipted,
}
"""What the sweep of kills leaves out."""


@contextmanager
def application(path: Path) -> Iterator[None]:
    """The database of one child and nothing else."""
    app = Flask("victim")
    install(app, testing(database_url=f"sqlite:///{path}", data_folder=path.parent))
    with app.app_context():
        yield
        db.session.remove()
        db.engine.dispose()


def relax() -> None:
    """The control: what many servers run with, and this one refuses."""
    database.SQLITE_PROMISES["synchronous"] = 1
    settings = [line.replace("= FULL", "= NORMAL") for line in database._SQLITE_SETTINGS]
    setattr(database, "_SQLITE_SETTINGS", tuple(settings))  # noqa: B010 (there is no setting for it, on purpose)


def be_a_child(workload: str, path: Path) -> None:
    """Wait for the word, do the work, end without any tidying."""
    os.write(sys.stdout.fileno(), f"pid {os.getpid()}\n".encode())
    with Path(f"{path}.go").open() as starting_signal:
        starting_signal.read()
    with application(path):
        {**WORKLOADS, **BESIDE}[workload]()
    promise("end")
    os._exit(0)


def main() -> None:
    """Children on demand, one at a time."""
    if "relaxed" in sys.argv:
        relax()
    for line in sys.stdin:
        workload, path = line.split()
        child = os.fork()
        if child == 0:
            be_a_child(workload, Path(path))
        os.waitpid(child, 0)
        os.write(sys.stdout.fileno(), b"done\n")


if __name__ == "__main__":
    main()
