"""600 officials open their link and 600 others send their answers within one minute, on a real server."""

from __future__ import annotations

import re
import secrets
import tempfile
import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from functools import partial
from html import unescape
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import urlencode

from bench.measure import Section, within
from bench.servers import our_server
from form_definitions import load_translations
from form_definitions.library import FOLDER
from survey_app import create_app, questionnaires, waves
from survey_app.database import db, write_transaction
from survey_app.frames.snapshots import freeze_for_wave
from survey_app.invitation_models import Invitation, SampledUnit, SamplingFrame
from survey_app.invitations.links import token
from survey_app.invitations.preparing import prepare_links
from survey_app.migrations import upgrade
from survey_app.responses.record_keys import RecordKeys
from survey_app.settings import Settings

OPENINGS = SUBMISSIONS = 600
SECONDS, CLIENTS = 60.0, 8
GOAL_MS = 300
WAVE = "elus-mesure"
HEADERS = {"Content-Type": "application/x-www-form-urlencoded", "Sec-Fetch-Site": "same-origin"}
OK, SEE_OTHER = 200, 303
Form = tuple[str, str]
"""An address, and the body of what is sent there."""


def measure() -> Section:
    """Both loads together, each spread evenly over the minute."""
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings(
            secrets.token_urlsafe(48),
            secrets.token_urlsafe(48),
            Path(folder),
            trusted_proxies=1,
            run_worker=False,
        )
        RecordKeys(settings.record_keys_folder).make(datetime.now(tz=UTC))
        tokens = _prepare(settings)
        with our_server(settings) as port:
            with ThreadPoolExecutor(CLIENTS) as pool:
                last_pages = list(pool.map(partial(_walk, port), tokens[OPENINGS:]))
            openings, submissions = _in_a_minute(port, tokens[:OPENINGS], last_pages)
    return Section(
        f"Personal links: {OPENINGS} openings and {SUBMISSIONS} submissions in {SECONDS:.0f} s",
        "Officials' questionnaire, 1,200 invitations. An opening is the page of the link and « Commencer »; "
        "a submission seals the answers and uses the link up. Requests leave at fixed moments, so a slow "
        "answer delays no other. 99th percentiles, client on the same machine.",
        [
            within("opening the link, and « Commencer »", _p99(openings), GOAL_MS, "ms"),
            within("sending the answers", _p99(submissions), GOAL_MS, "ms"),
        ],
    )


def _prepare(settings: Settings) -> list[str]:
    """An open wave with an invitation for each; the secrets of their links."""
    app = create_app(settings)
    with app.app_context():
        upgrade(db.engine)
        source = (FOLDER / "questionnaires" / "elected_officials.yaml").read_text("utf-8")
        version = questionnaires.publish_source(source, load_translations(), actor="bench")
        today = datetime.now(tz=UTC).date()
        plan = waves.WavePlan(
            id=WAVE,
            title="Mesure",
            questionnaire_digest=version.digest,
            opens_on=today - timedelta(days=2),
            closes_on=today + timedelta(days=9),
            sites=("a_distance",),
            languages=("fr",),
            modes=("personal_link",),
            headline_modes=("personal_link",),
            headline_sites=("a_distance",),
        )
        waves.create_wave(plan, actor="bench")
        frozen = freeze_for_wave(WAVE, _list(), "authority", ["commune"], actor="bench")
        prepare_links(WAVE, [(unit.unit_id, unit.stratum) for unit in frozen.units], actor="bench")
        waves.open_wave(WAVE, actor="bench")
        found = [token(one) for one in db.session.query(Invitation)]
        db.engine.dispose()
    return found


def _list() -> int:
    """A list of so many invented communes."""
    with write_transaction() as transaction:
        frame = SamplingFrame(
            title="Communes",
            source="Mesure",
            source_date=datetime.now(tz=UTC).date(),
            file_name="mesure.csv",
            file_hash="0" * 64,
            imported_at=datetime.now(tz=UTC),
            imported_by="bench",
        )
        transaction.add(frame)
        transaction.flush()
        transaction.add_all(
            SampledUnit(
                frame_id=frame.id,
                line=number,
                authority_kind="commune",
                authority_code=f"{number:05}",
                authority_name=f"Commune {number}",
                arrondissement="Niort",
                office="mayor",
                email=f"mairie{number}@exemple.test",
            )
            for number in range(OPENINGS + SUBMISSIONS)
        )
        return frame.id


def _walk(port: int, secret: str) -> Form:
    """Somebody goes through the form up to its last page; what sending it would send."""
    connection = HTTPConnection("127.0.0.1", port, timeout=30)
    page = _begin(connection, secret)
    while "Envoyer mes réponses" not in page:
        page = _send(connection, *_form(page))[1]
    connection.close()
    return _form(page)


def _begin(connection: HTTPConnection, secret: str) -> str:
    connection.request("GET", f"/r/{secret}", headers=_from_home())
    connection.getresponse().read()
    status, page = _send(connection, "/r/questionnaire/fr", urlencode({"_link": secret}))
    if status != OK:
        raise RuntimeError(f"a link did not open ({status}): {page[:200]}")
    return page


def _from_home() -> dict[str, str]:
    """Each request from another address, as behind a proxy: the limit is for one address."""
    return {**HEADERS, "X-Forwarded-For": f"2001:db8:{secrets.token_hex(2)}:{secrets.token_hex(2)}::1"}


def _send(connection: HTTPConnection, address: str, body: str) -> tuple[int, str]:
    connection.request("POST", address, body, _from_home())
    answer = connection.getresponse()
    return answer.status, answer.read().decode()


def _form(page: str) -> Form:
    """The hidden fields of a page, the one answer that is required, and the button that goes on."""
    fields = {}
    for tag in re.findall(r'<input[^>]*type="hidden"[^>]*>', page):
        name, value = (re.search(rf'{part}="([^"]*)"', tag) for part in ("name", "value"))
        if name is not None:
            fields[name[1]] = unescape(value[1]) if value else ""
    opinion = re.search(r'name="overall_opinion"[^>]*value="(\w+)"', page)
    if opinion is not None:
        fields["overall_opinion"] = opinion[1]
    return "/r/questionnaire/fr", urlencode({**fields, "_action": "next"})


def _in_a_minute(port: int, tokens: Sequence[str], pages: Sequence[Form]) -> tuple[list[float], list[float]]:
    """Milliseconds of every opening and every submission."""
    start, openings, submissions = time.perf_counter() + 1, list[float](), list[float]()
    jobs = [
        (start + SECONDS * number / len(tokens), secret, page)
        for number, (secret, page) in enumerate(zip(tokens, pages, strict=True))
    ]

    def work(mine: Sequence[tuple[float, str, Form]]) -> None:
        connection = HTTPConnection("127.0.0.1", port, timeout=30)
        for moment, secret, page in mine:
            time.sleep(max(0.0, moment - time.perf_counter()))
            before = time.perf_counter()
            _begin(connection, secret)
            middle = time.perf_counter()
            status, text = _send(connection, *page)
            if status != SEE_OTHER:
                raise RuntimeError(f"an answer was not taken ({status}): {text[:200]}")
            openings.append((middle - before) * 1000)
            submissions.append((time.perf_counter() - middle) * 1000)

    threads = [threading.Thread(target=work, args=(jobs[n::CLIENTS],)) for n in range(CLIENTS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if len(submissions) != len(pages):
        raise RuntimeError(f"{len(pages) - len(submissions)} answers were not taken")
    return openings, submissions


def _p99(times: Sequence[float]) -> float:
    return sorted(times)[int(len(times) * 0.99)]
