"""The inbox keeps every record once, whoever sends it, how often, and whatever breaks."""

from __future__ import annotations

import dataclasses
import json
import resource
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from pysqlite3 import dbapi2 as sqlite

from survey_app.database import DatabaseUnavailable, db, make_engine, write_connection
from survey_app.models import InboxConflict, InboxRecord
from survey_app.prepared import StatementRefused
from survey_app.responses import inbox
from survey_app.responses.credentials import Credential, receipt_mac
from survey_app.responses.envelope import UnreadableEnvelope, content_hash
from survey_app.responses.inbox import Receipt, accept, accept_all
from tests.survey_app.records import DEVICE, TABLET, WEBSITE, a_record, take

SENDER = """
import sys
from flask import Flask
from survey_app.database import install
from survey_app.responses.credentials import Credential
from survey_app.responses.inbox import accept
from survey_app.settings import testing
app = Flask("sender")
install(app, testing(database_url=sys.argv[1]))
raw = sys.argv[2].encode()
with app.app_context():
    for _ in range(int(sys.argv[3])):
        print(accept(raw, source="tablet", credential=Credential(mode="tablet")), flush=True)
"""


def rows(model: type[InboxRecord] | type[InboxConflict] = InboxRecord) -> int:
    with db.engine.connect() as connection:
        return connection.scalar(sa.select(sa.func.count()).select_from(model)) or 0


def test_the_bytes_are_kept_as_sent_and_the_receipt_names_them(database: Flask) -> None:
    raw = a_record(device=DEVICE, seq=4)
    receipt = take(raw, TABLET)
    assert receipt.sha256 == content_hash(raw)
    with db.engine.connect() as connection:
        row = connection.execute(sa.select(*InboxRecord.__table__.columns)).one()
    assert (row.envelope, row.id, row.device_id, row.seq) == (raw, receipt.id, DEVICE, 4)
    assert (row.source, row.site, row.flags, row.judged_at) == ("tablet", "hall", [], None)


@pytest.mark.abuse("03")
def test_the_same_record_sent_again_gets_the_same_receipt(database: Flask) -> None:
    raw = a_record()
    first = take(raw)
    time.sleep(0.002)
    assert {accept(raw, source="website", credential=WEBSITE) for _ in range(20)} == {first}
    assert rows() == 1


def test_other_bytes_under_a_taken_id_are_kept_apart(database: Flask) -> None:
    record_id = str(uuid.uuid4())
    first, second = a_record(record_id=record_id), a_record({"minutes": 1}, record_id=record_id)
    take(first)
    conflict = take(second)
    assert conflict.conflict
    assert conflict.sha256 == content_hash(second)
    assert not take(first).conflict
    assert take(second).conflict
    assert (rows(), rows(InboxConflict)) == (1, 1)
    with db.engine.connect() as connection:
        assert connection.scalar(sa.select(InboxRecord.envelope)) == first
        assert connection.scalar(sa.select(InboxConflict.envelope)) == second


@pytest.mark.fault(18)
@pytest.mark.abuse("03")
def test_fifty_parallel_sends_make_one_row_and_one_receipt(database: Flask) -> None:
    raw = a_record()

    def send(_: int) -> Receipt:
        with database.app_context():
            return accept(raw, source="website", credential=WEBSITE)

    with ThreadPoolExecutor(50) as pool:
        receipts = set(pool.map(send, range(50)))
    assert len(receipts) == 1
    assert (rows(), rows(InboxConflict)) == (1, 0)


@pytest.mark.fault(18)
@pytest.mark.abuse("03")
def test_several_processes_sending_one_record_make_one_row(database: Flask) -> None:
    raw = a_record().decode()
    url = db.engine.url.render_as_string(hide_password=False)
    command = [sys.executable, "-c", SENDER, url, raw, "25"]
    senders = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(4)]
    lines = [line for sender in senders for line in sender.communicate(timeout=60)[0].splitlines()]
    assert [sender.returncode for sender in senders] == [0] * 4
    assert (len(lines), len(set(lines))) == (100, 1)
    assert rows() == 1


def test_without_the_unique_key_duplicates_appear(database: Flask) -> None:
    """Control: the same parallel inserts into a table without key make as many rows as sends."""
    with write_connection() as connection:
        connection.exec_driver_sql("CREATE TABLE keyless (id varchar(36))")

    def insert(_: int) -> None:
        with write_connection(engine) as connection:
            connection.execute(sa.text("INSERT INTO keyless VALUES ('x') ON CONFLICT DO NOTHING"))

    engine = db.engine
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(insert, range(16)))
    with db.engine.connect() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM keyless").scalar() == 16


def test_a_sender_killed_at_any_moment_loses_nothing_it_was_promised(database: Flask) -> None:
    url = db.engine.url.render_as_string(hide_password=False)
    promised = 0
    for milliseconds in (0, 5, 20):
        raw = a_record().decode()
        sender = subprocess.Popen(
            [sys.executable, "-c", SENDER, url, raw, "100000"], stdout=subprocess.PIPE, text=True
        )
        assert sender.stdout is not None
        receipt = sender.stdout.readline()
        time.sleep(milliseconds / 1000)
        sender.send_signal(signal.SIGKILL)
        sender.communicate()
        promised += 1
        again = accept(raw.encode(), source="tablet", credential=Credential(mode="tablet"))
        assert str(again) == receipt.strip()
    assert rows() == promised


def test_a_batch_tells_the_fate_of_each_record(database: Flask) -> None:
    good, twin = a_record(), a_record()
    fates = accept_all([good, b"{", twin, good], source="tablet", credential=TABLET)
    kinds = [type(fate) for fate in fates]
    assert kinds == [Receipt, UnreadableEnvelope, Receipt, Receipt]
    assert fates[0] == fates[3]
    assert rows() == 2
    assert accept_all([], source="tablet", credential=TABLET) == []


def test_a_batch_with_two_contents_under_one_id_keeps_both(database: Flask) -> None:
    record_id = str(uuid.uuid4())
    pair = [a_record(record_id=record_id), a_record({"minutes": 2}, record_id=record_id)]
    fates = accept_all(pair, source="tablet", credential=TABLET)
    assert [isinstance(fate, Receipt) and fate.conflict for fate in fates] == [False, True]
    assert (rows(), rows(InboxConflict)) == (1, 1)


FRAME = json.loads(a_record(record_id=DEVICE))
BROKEN_FRAMES = {
    "empty": b"",
    "truncated": json.dumps(FRAME).encode()[:-1],
    "a list": b"[]",
    "a missing part": json.dumps({name: FRAME[name] for name in FRAME if name != "seq"}).encode(),
    "an unknown part": json.dumps({**FRAME, "site": "hall"}).encode(),
    "another version": json.dumps({**FRAME, "v": 2}).encode(),
    "true for a version": json.dumps({**FRAME, "v": True}).encode(),
    "an unknown suite": json.dumps({**FRAME, "suite": "rot13"}).encode(),
    "an id that is no UUID": json.dumps({**FRAME, "id": "1' OR 1=1"}).encode(),
    "a revision of 2^63": json.dumps({**FRAME, "revision": 2**63}).encode(),
    "a sequence of 5,000 digits": b'{"seq":' + b"9" * 5000 + b"}",
    "a negative sequence": json.dumps({**FRAME, "seq": -1}).encode(),
    "NaN": json.dumps({**FRAME, "seq": float("nan")}).encode(),
    "a NUL in the wave": json.dumps({**FRAME, "wave": "a\x00"}).encode(),
    "a lone surrogate": json.dumps({**FRAME, "wave": "\ud800"}).encode(),
    "a duplicate key": b'{"v":1,' + json.dumps(FRAME).encode()[1:],
    "depth 100,000": b"[" * 100_000,
    "no UTF-8": b"\xff\xfe",
    "a body that is no base64url": json.dumps({**FRAME, "body": "a+b="}).encode(),
}


@pytest.mark.abuse("75")
@pytest.mark.parametrize("case", BROKEN_FRAMES)
def test_an_unreadable_envelope_is_refused_before_any_store(database: Flask, case: str) -> None:
    with pytest.raises(UnreadableEnvelope):
        take(BROKEN_FRAMES[case])
    assert rows() == 0


def test_who_sends_is_flagged_not_refused(database: Flask) -> None:
    take(a_record(device=str(uuid.uuid4())), TABLET, flags=("burst",))
    with db.engine.connect() as connection:
        assert connection.scalar(sa.select(InboxRecord.flags)) == ["burst", "foreign_device"]


def test_the_epoch_stays_until_a_restore_changes_it(database: Flask) -> None:
    assert inbox.epoch() == inbox.epoch() == take(a_record()).epoch
    with write_connection() as connection:
        connection.exec_driver_sql("UPDATE server_fact SET value = 'restored' WHERE key = 'epoch'")
    assert take(a_record()).epoch == "restored"


def test_a_receipt_carries_a_code_that_any_change_breaks() -> None:
    receipt = Receipt("id", 1, "aa", "epoch", "2026-03-10T09:30:00+00:00")
    content = receipt.as_json(b"key")
    fields = {name: content[name] for name in ("id", "revision", "sha256", "epoch", "stored_at")}
    assert content["mac"] == receipt_mac(b"key", **fields)
    for change in ({"id": "other"}, {"revision": 2}, {"sha256": "bb"}, {"epoch": "e"}, {"stored_at": "s"}):
        assert dataclasses.replace(receipt, **change).as_json(b"key")["mac"] != content["mac"]


def fill_until_refused(limit: int = 5000) -> int:
    for acknowledged in range(limit):
        try:
            take(a_record({"comment": "x" * 5000}))
        except DatabaseUnavailable:
            return acknowledged
    pytest.fail("the database never refused")


@contextmanager
def largest_file(size: int) -> Iterator[None]:
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    ignored = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, ignored)


@pytest.mark.abuse("100")
def test_a_full_disk_is_an_outage_that_loses_nothing_and_heals_by_itself(sqlite_app_database: Flask) -> None:
    with largest_file(2 * 2**20):
        acknowledged = fill_until_refused()
        assert acknowledged > 10
        assert rows() == acknowledged
    take(a_record())
    assert rows() == acknowledged + 1
    with db.engine.connect() as connection:
        assert connection.exec_driver_sql("PRAGMA integrity_check").scalar() == "ok"


@pytest.mark.abuse("100")
def test_a_database_at_its_largest_size_is_an_outage(sqlite_app_database: Flask) -> None:
    with db.engine.connect() as connection:
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar() or 0
        connection.exec_driver_sql(f"PRAGMA max_page_count = {pages + 20}")
    acknowledged = fill_until_refused()
    assert rows() == acknowledged > 0


def test_a_read_only_file_is_an_outage(sqlite_app_database: Flask, tmp_path: Path) -> None:
    take(a_record())
    # Root may write to any file, so SQLite is told that this one is read-only.
    read_only = make_engine(f"sqlite:///file:{tmp_path / 'survey.db'}?mode=ro&uri=true")
    with pytest.raises(DatabaseUnavailable, match="readonly"), write_connection(read_only) as connection:
        connection.execute(sa.delete(InboxRecord))
    with read_only.connect() as connection:
        assert connection.scalar(sa.select(sa.func.count()).select_from(InboxRecord)) == 1
    read_only.dispose()


def test_a_lock_held_by_somebody_else_is_an_outage_not_a_fault(
    sqlite_app_database: Flask, tmp_path: Path
) -> None:
    with db.engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA busy_timeout = 50")
    other = sqlite.connect(str(tmp_path / "survey.db"), isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(DatabaseUnavailable):
        take(a_record())
    other.execute("ROLLBACK")
    other.close()
    take(a_record())


def test_one_refused_row_does_not_take_its_neighbours_down(
    database: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rows that share a commit with one the database refuses are written all the same."""
    original = inbox._store

    def refusing(cursor: Any, dialect: sa.Dialect, batch: list[inbox.Row]) -> list[Receipt]:
        if any(row["site"] == "refused" for row in batch):
            raise StatementRefused("refused")
        time.sleep(0.01)
        return original(cursor, dialect, batch)

    monkeypatch.setattr(inbox._commits, "_write", refusing)

    def send(number: int) -> bool:
        site = "refused" if number == 3 else "hall"
        with database.app_context():
            try:
                return not take(a_record(), Credential(mode="tablet", site=site)).conflict
            except StatementRefused:
                return False

    with ThreadPoolExecutor(12) as pool:
        outcomes = list(pool.map(send, range(12)))
    assert outcomes == [number != 3 for number in range(12)]
    assert rows() == 11
