"""`docs/fault-ledger.json` and `.md`: what the long campaigns found. Only `make test-deep` writes them.

Each test that has something to report writes a file of its own, so that several processes can; at the end of
the session they are merged. A test that did not run keeps its lines of the last time, with their date.
"""

from __future__ import annotations

import contextlib
import json
import os
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tests.faults.ledger import Figures
from tests.faults.program import under_test

VARIABLE = "FAULT_LEDGER"
"""The folder to write to; nothing is written without it."""
PARTS = ".fault-ledger-parts"
NAMES = tuple(vars(Figures()))
REAL, SIMULATED, NO_CLIENT = "real", "simulated", "none"
CLIENTS = (REAL, SIMULATED, NO_CLIENT)
HEAD = """# Fault ledger

Written by `make test-deep`, as it was found. *Attempted*: records that somebody made. *Acknowledged*: shown
as saved to a visitor, or receipted by the server. *Stored*: in the database afterwards, read by its own
driver. *Quarantined*: set apart by a tablet on its way; an agent then sends it again. *Lost*: acknowledged,
and not stored with the same hash. *Duplicated*: rows or responses beyond the first for one record.

*Program*: the commit that the run was of; "changed since" where files differed from it. *Client*: who made
the records and sent them. **Real**: the application of the tablet in Chromium, on a disk of its own.
**Simulated**: `tests/faults/simulated_tablets.py`, tablets in Python that follow the same rules and share no
line with the application: they try the server and the protocol, not the tablet. **None**: the server's own
code, called without a tablet.

In a storm a record without a receipt is sent until it has one. In a sweep (killed at each call, power cut
at each moment) the same few records are tried again from the start for each fault, and nobody sends again
before the count: there they are counted once per fault, and more are attempted than acknowledged.
"""
BY_CLIENT = """
## By client

The storms alone: the sweeps, without a client, try the same few records again and again.

"""
RUNS = """
## Runs

The random campaigns take their schedule from the seed: `SEED=… make test-deep`.

"""
KINDS = """
## By kind of fault

The records that were on their way when a fault of this kind struck. One that met several kinds is in several
lines, so these lines do not add up to the total.

"""


@dataclass
class Run:
    """What one test found."""

    test: str
    client: str
    """Who sent the records: one of ``CLIENTS``."""
    seed: int | None = None
    whole: Figures = field(default_factory=Figures)
    kinds: dict[str, Figures] = field(default_factory=dict)
    teeth: bool = False
    """A control: without the protection, and so not in the total."""

    @classmethod
    def of(cls, request: pytest.FixtureRequest, seed: int | None = None, *, teeth: bool = False) -> Run:
        """The one of this test, whose mark says who sends: ``@pytest.mark.ledger("simulated")``."""
        mark = request.node.get_closest_marker("ledger")
        assert mark is not None, f"{request.node.name} reports and does not say so"
        (client,) = mark.args
        assert client in CLIENTS
        return cls(request.node.name, client, seed, teeth=teeth)

    def add(self, kind: str, figures: Figures) -> None:
        """One more cell of a sweep."""
        self.whole.add(figures)
        self.kinds.setdefault(kind, Figures()).add(figures)

    def keep(self) -> None:
        """Write it down, if anybody wants a ledger."""
        folder = os.environ.get(VARIABLE)
        if not folder or not self.whole.faults:
            return
        parts = Path(folder) / PARTS
        parts.mkdir(parents=True, exist_ok=True)
        name = "".join(letter if letter.isalnum() else "-" for letter in self.test)
        day = datetime.now(UTC).date().isoformat()
        line = {**asdict(self), **under_test()._asdict(), "on": day}
        (parts / f"{name}.json").write_text(json.dumps(line), encoding="utf-8")


def merge(folder: Path) -> None:
    """Put the parts of this session into the ledger, and remove them."""
    found = sorted((folder / PARTS).glob("*.json"))
    if not found:
        return
    ledger = folder / "fault-ledger.json"
    known = json.loads(ledger.read_text(encoding="utf-8"))["runs"] if ledger.exists() else []
    runs = {run["test"]: run for run in known if "commit" in run}  # else nobody knows of which program
    for part in found:
        run = json.loads(part.read_text(encoding="utf-8"))
        runs[run["test"]] = run
        part.unlink()
    with contextlib.suppress(OSError):  # another session may be at work
        (folder / PARTS).rmdir()
    write(folder, [runs[test] for test in sorted(runs)])


def write(folder: Path, runs: list[dict[str, Any]]) -> None:
    """Both files."""
    counted = [run for run in runs if not run["teeth"]]
    total = summed([(run["seed"], run["whole"]) for run in counted])
    kinds = {
        kind: summed([(run["seed"], run["kinds"][kind]) for run in counted if kind in run["kinds"]])
        for kind in sorted({kind for run in counted for kind in run["kinds"]})
    }
    content = {"total": total, "kinds": kinds, "clients": by_client(counted), "runs": runs}
    text = json.dumps(content, indent=1, ensure_ascii=False)
    (folder / "fault-ledger.json").write_text(text + "\n", encoding="utf-8")
    (folder / "fault-ledger.md").write_text(as_page(content), encoding="utf-8")


def by_client(counted: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """The storms, by who sent."""
    return {
        client: summed([(run["seed"], run["whole"]) for run in counted if run["client"] == client])
        for client in (REAL, SIMULATED)
    }


def summed(found: list[tuple[int | None, dict[str, int]]]) -> dict[str, Any]:
    """Name by name, with the seeds and the number of the runs."""
    figures = {name: sum(one[name] for _, one in found) for name in NAMES}
    return {"seeds": sorted({seed for seed, _ in found if seed}), "runs": len(found), **figures}


def as_page(content: dict[str, Any]) -> str:
    """The ledger for people."""
    clients = [[client, *summary(figures)] for client, figures in content["clients"].items()]
    runs = [[*origin(run), *cells(run["whole"])] for run in content["runs"]]
    kinds = [[kind.replace("_", " "), *summary(figures)] for kind, figures in content["kinds"].items()]
    kinds.append(["**total of the runs**", *summary(content["total"])])
    return "".join(
        (
            *(HEAD, BY_CLIENT, table(["Client", "Seeds", "Runs", *NAMES], clients)),
            *(RUNS, table(["Run", "Client", "Seed", "On", "Program", *NAMES], runs)),
            *(KINDS, table(["Fault", "Seeds", "Runs", *NAMES], kinds)),
        )
    )


def origin(run: dict[str, Any]) -> list[str]:
    """Of which test, client, seed, day and program."""
    program = f"`{run['commit']}`{' (changed since)' if run['changed'] else ''}"
    return [run_name(run), run["client"], str(run["seed"] or "–"), run["on"], program]


def summary(figures: dict[str, Any]) -> list[str]:
    """Which seeds, how many runs, and their figures."""
    seeds = ", ".join(str(seed) for seed in figures["seeds"]) or "–"
    return [seeds, str(figures["runs"]), *cells(figures)]


def run_name(run: dict[str, Any]) -> str:
    """The test, and whether it is a control that has to lose."""
    return f"`{run['test']}`{' (control: has to lose; not in the total)' if run['teeth'] else ''}"


def cells(figures: dict[str, int]) -> list[str]:
    """The figures with their thousands apart."""
    return [f"{figures[name]:,}" for name in NAMES]


def table(head: list[str], rows: list[list[str]]) -> str:
    """In Markdown."""
    lines = [head, ["---"] * len(head), *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)
