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

from tests.faults.ledger import Figures

VARIABLE = "FAULT_LEDGER"
"""The folder to write to; nothing is written without it."""
PARTS = ".fault-ledger-parts"
NAMES = tuple(vars(Figures()))
HEAD = """# Fault ledger

Written by `make test-deep`, as it was found. *Attempted*: records that somebody made. *Acknowledged*: shown
as saved to a visitor, or receipted by the server. *Stored*: in the database afterwards, read by its own
driver. *Quarantined*: set apart by a tablet on its way; an agent then sends it again. *Lost*: acknowledged,
and not stored with the same hash. *Duplicated*: rows or responses beyond the first for one record.

In a storm a record without a receipt is sent until it has one. In a sweep (killed at each call, power cut
at each moment) the same few records are tried again from the start for each fault, and nobody sends again
before the count: there they are counted once per fault, and more are attempted than acknowledged.
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
    seed: int | None = None
    whole: Figures = field(default_factory=Figures)
    kinds: dict[str, Figures] = field(default_factory=dict)
    teeth: bool = False
    """A control: without the protection, and so not in the total."""

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
        line = {**asdict(self), "on": datetime.now(UTC).date().isoformat()}
        (parts / f"{name}.json").write_text(json.dumps(line), encoding="utf-8")


def merge(folder: Path) -> None:
    """Put the parts of this session into the ledger, and remove them."""
    found = sorted((folder / PARTS).glob("*.json"))
    if not found:
        return
    ledger = folder / "fault-ledger.json"
    known = json.loads(ledger.read_text(encoding="utf-8"))["runs"] if ledger.exists() else []
    runs = {run["test"]: run for run in known}
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
    content = {"total": total, "kinds": kinds, "runs": runs}
    text = json.dumps(content, indent=1, ensure_ascii=False)
    (folder / "fault-ledger.json").write_text(text + "\n", encoding="utf-8")
    (folder / "fault-ledger.md").write_text(as_page(total, kinds, runs), encoding="utf-8")


def summed(found: list[tuple[int | None, dict[str, int]]]) -> dict[str, Any]:
    """Name by name, with the seeds and the number of the runs."""
    figures = {name: sum(one[name] for _, one in found) for name in NAMES}
    return {"seeds": sorted({seed for seed, _ in found if seed}), "runs": len(found), **figures}


def as_page(total: dict[str, Any], kinds: dict[str, dict[str, Any]], runs: list[dict[str, Any]]) -> str:
    """The ledger for people."""
    measured = [[run_name(run), str(run["seed"] or "–"), run["on"], *cells(run["whole"])] for run in runs]
    by_kind = [[kind.replace("_", " "), *seeds(figures), *cells(figures)] for kind, figures in kinds.items()]
    by_kind.append(["**total of the runs**", *seeds(total), *cells(total)])
    return "".join(
        (
            *(HEAD, RUNS, table(["Run", "Seed", "On", *NAMES], measured)),
            *(KINDS, table(["Fault", "Seeds", "Runs", *NAMES], by_kind)),
        )
    )


def seeds(figures: dict[str, Any]) -> list[str]:
    """Which seeds, and how many runs."""
    return [", ".join(str(seed) for seed in figures["seeds"]) or "–", str(figures["runs"])]


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
