"""The power goes under the server's database at every moment of its work."""

from __future__ import annotations

import shutil
from collections import Counter
from pathlib import Path
from typing import Final

import pytest

from tests.faults import victim as work
from tests.faults.fault_ledger import NO_CLIENT, Run
from tests.faults.held_process import victim
from tests.faults.ledger import Found, look_into
from tests.faults.power_cut import Cut, Event, cuts, events_of, read_call
from tests.survey_app.records import TABLET, a_record, open_a_wave, take

pytestmark = pytest.mark.timeout(900)

SEED: Final = 20261125
WAITING: Final = 6
SAMPLES = [pytest.param(2, 7, id="sample"), pytest.param(9, 1, id="all", marks=pytest.mark.deep)]
"""How many disks each moment is tried with besides the emptiest, and one moment in how many."""


def every_cut(template: Path, folder: Path, workload: str, chances: int, *how: str) -> list[Cut]:
    """What the power may leave of one real run."""
    start = folder / "start" / "survey.db"
    start.parent.mkdir(parents=True)
    shutil.copy(template, start)
    with work.application(start):
        open_a_wave()
        for number in range(WAITING if workload == "judgement" else 0):
            take(a_record(record_id=work.record_id(number)), TABLET)
    before = {str(start): start.read_bytes()}
    with victim(*how) as traced:
        events = events_of(traced, workload, start)
    return list(cuts(before, events, chances, SEED))


def tried(cut: Cut, folder: Path) -> Found:
    """What is found after this cut."""
    folder.mkdir()
    for path, content in cut.files.items():
        (folder / Path(path).name).write_bytes(content)
    found = look_into(folder / "survey.db", cut.promised)
    shutil.rmtree(folder)
    return found


def summary(run: Run, possible: list[Cut], folder: Path, workload: str) -> Counter[str]:
    """How often each of ``sound``, ``lost`` and ``damaged`` is found; the figures go to the ledger."""
    attempted = WAITING if workload == "judgement" else len(work.attempted(workload))
    seen: Counter[str] = Counter()
    for cut in possible:
        found = tried(cut, folder)
        seen["damaged" if found.damage else "lost" if found.is_bad else "sound"] += 1
        run.add("power_cut_under_the_server", found.figures(attempted, len(cut.promised)))
    run.keep()
    return seen


@pytest.mark.ledger(NO_CLIENT)
@pytest.mark.parametrize(("chances", "every"), SAMPLES)
@pytest.mark.parametrize("workload", ["records", "batch", "judgement"])
def test_a_power_cut_under_the_server_loses_nothing_that_was_receipted(
    request: pytest.FixtureRequest,
    sqlite_template: Path,
    tmp_path: Path,
    workload: str,
    chances: int,
    every: int,
) -> None:
    possible = every_cut(sqlite_template, tmp_path, workload, chances)
    found = summary(Run.of(request, SEED), possible[::every], tmp_path / "after", workload)
    assert found.keys() == {"sound"}, found


@pytest.mark.ledger(NO_CLIENT)
@pytest.mark.parametrize(("chances", "every"), SAMPLES)
def test_the_same_cut_under_a_server_that_flushes_less_loses_receipted_records(
    request: pytest.FixtureRequest, sqlite_template: Path, tmp_path: Path, chances: int, every: int
) -> None:
    """The control: ``synchronous=NORMAL``, which this program refuses to run with."""
    possible = every_cut(sqlite_template, tmp_path, "records", chances, "relaxed")
    run = Run.of(request, SEED, teeth=True)
    found = summary(run, possible[::every], tmp_path / "after", "records")
    assert found["lost"] > 0, found
    assert found["damaged"] == 0, found


@pytest.mark.parametrize("process", ["12345", "987  ", "1234567"])
def test_a_call_is_read_whatever_the_number_of_the_process(process: str) -> None:
    path, data = (text.encode().hex(r" ").replace(" ", r"\x") for text in ("/tmp/survey.db", "a page"))
    (event,) = read_call(rf'{process} pwrite64(7<\x{path}>, "\x{data}", 6, 512) = 6')
    assert event == Event("write", "/tmp/survey.db", 512, b"a page")
