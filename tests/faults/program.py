"""Which program a run was of: the commit that is checked out, and whether its files have changed since."""

from __future__ import annotations

import subprocess
from functools import cache
from pathlib import Path
from typing import Final, NamedTuple

ROOT: Final = Path(__file__).resolve().parents[2]
UNKNOWN: Final = "unknown"
_THE_LEDGER_ITSELF: Final = (":!docs/fault-ledger.json", ":!docs/fault-ledger.md")


class Program(NamedTuple):
    """A state of the files."""

    commit: str
    """Twelve hexadecimal digits; ``unknown`` outside a repository."""
    changed: bool
    """Whether a file differs from the commit or is not in it; not the ledger, which a run writes."""


def program(root: Path = ROOT) -> Program:
    """As it is on the disk now."""
    try:
        commit = _git(root, "rev-parse", "--short=12", "HEAD").strip()
        changes = _git(root, "status", "--porcelain", "--", ".", *_THE_LEDGER_ITSELF)
    except (OSError, subprocess.CalledProcessError):
        return Program(UNKNOWN, changed=True)
    return Program(commit, bool(changes))


@cache
def at_the_start() -> Program:
    """As it was when this process asked first."""
    return program()


def under_test() -> Program:
    """The program of this session. It counts as changed where somebody changed files while it ran."""
    start = at_the_start()
    return Program(start.commit, start.changed or program() != start)


def _git(root: Path, *arguments: str) -> str:
    asked = ["git", "-C", str(root), *arguments]
    return subprocess.run(asked, check=True, capture_output=True, text=True, timeout=30).stdout
