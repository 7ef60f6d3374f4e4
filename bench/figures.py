"""The analysis: counting in memory against numpy's own counting, and how fast the command starts."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

from analysis.packed import PackedColumns, code_bytes, tally_columns
from analysis.tally import CellLayout
from analysis.wave_report import Cell, WaveSettings, build_wave_report
from bench.measure import Section, rounds, seconds, slower_than, within
from bench.synthetic import DAY, twenty_questions

RESPONSES, ITEMS = 1_000_000, 20
ROUNDS, STARTS = 7, 7


def measure() -> Section:
    """10⁶ × 20 answers to a whole report; and `python -m analysis` on a small file."""
    form = twenty_questions()
    layout = CellLayout(form)
    generator = np.random.default_rng(1)
    columns = {
        item.name: generator.integers(0, len(code_bytes(layout, item.name)), RESPONSES, dtype=np.uint8)
        for item in form.items
    }

    def ours() -> None:
        counters = tally_columns(layout, PackedColumns(columns))[0]
        report = build_wave_report(form, [Cell("a", "tablet", "fr", DAY, counters)], WaveSettings())
        assert report.commitments  # noqa: S101 (computed when read)

    def floor() -> None:
        for column in columns.values():
            np.bincount(column)

    own, bare = rounds(ours, floor, ROUNDS)
    counted = slower_than("10⁶ × 20 answers → report with intervals", own, bare, at_most=3)
    start = within("`python -m analysis` on a small file, whole process", _start(), 0.6, "s")
    return Section("Figures", "Floor: `numpy.bincount` of each of the 20 columns.", [counted, start])


def _start() -> float:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "counts.csv"
        path.write_text("commitment,item,favourable,base\na,x,80,100\nb,y,60,100\n")
        command = [sys.executable, "-m", "analysis", str(path)]
        times = [
            seconds(lambda: subprocess.run(command, capture_output=True, check=True)) for _ in range(STARTS)
        ]
    return sorted(times)[STARTS // 2]
