"""`python -m bench [SECTION …]`: measure, print the table; write docs/benchmarks.md when all was measured."""

from __future__ import annotations

import os
import platform
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, datetime
from importlib import import_module
from importlib.metadata import version
from pathlib import Path

from bench.measure import Section

SECTIONS = (
    "definitions",
    "figures",
    "workbook",
    "wave_page",
    "servers",
    "personal_links",
    "client",
    "drain",
    "lighthouse",
)
TARGET = Path(__file__).parent.parent / "docs" / "benchmarks.md"
PACKAGES = ("flask", "gunicorn", "numpy", "pydantic", "pysqlite3", "psycopg", "xlsxwriter")


def main(wanted: list[str]) -> None:
    """Measure the sections asked for; all of them by default."""
    unknown = set(wanted) - set(SECTIONS)
    if unknown:
        sys.exit(f"unknown section {', '.join(sorted(unknown))}; there are {', '.join(SECTIONS)}")
    measured = []
    for name in wanted or SECTIONS:
        print(f"measuring {name} …", file=sys.stderr, flush=True)
        measure: Callable[[], Section] = import_module(f"bench.{name}").measure
        measured.append(measure())
        print("\n".join(_table(measured[-1])), flush=True)
    if not wanted:
        TARGET.write_text("\n".join(_report(measured)) + "\n", encoding="utf-8")
        print(f"\nwritten: {TARGET}")


def _report(sections: Iterable[Section]) -> Iterator[str]:
    yield "# Benchmarks"
    yield ""
    yield "Written by `make bench`. Each figure is a ratio to a floor measured in the same run, alternating:"
    yield "the median of the rounds, their range in brackets. Absolute figures describe this machine alone."
    yield ""
    for name, value in _machine().items():
        yield f"- {name}: {value}"
    for section in sections:
        yield from _table(section)


def _table(section: Section) -> Iterator[str]:
    yield ""
    yield f"## {section.title}"
    yield ""
    yield section.note
    yield ""
    yield "| What | Ours | Floor | Ratio (range) | Goal | Met |"
    yield "|---|---|---|---|---|---|"
    for line in section.lines:
        yield f"| {line.name} | {line.ours} | {line.floor} | {line.ratio} | {line.goal} | {line.verdict} |"


def _machine() -> Mapping[str, str]:
    busy = ", ".join(f"{value:.1f}" for value in os.getloadavg())
    return {
        "Date": datetime.now(tz=UTC).strftime("%Y-%m-%d %H:%M UTC"),
        "Machine": f"{os.cpu_count()} cores, {platform.system()} {platform.machine()}, load {busy}",
        "Python": platform.python_version(),
        "Packages": ", ".join(f"{name} {version(name)}" for name in PACKAGES),
    }


if __name__ == "__main__":
    main(sys.argv[1:])
