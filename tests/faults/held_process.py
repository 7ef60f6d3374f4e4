"""Takes hold of a victim with strace: kills it at one system call, or writes down what it does."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

CHANGING = (
    *("pwrite64", "write", "ftruncate", "fsync", "fdatasync"),
    *("unlink", "unlinkat", "rename", "link", "mkdir"),
)
"""The calls by which a process changes what a disk holds, or tells others of it."""


class Victim:
    """The process of ``victim.py``, and strace on each of its children."""

    def __init__(self, *arguments: str) -> None:
        command = [sys.executable, "-m", "tests.faults.victim", *arguments]
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1
        )

    def run(self, workload: str, database: Path, *strace: str) -> tuple[list[str], bool]:
        """Let a child do its work under strace; what it promised, and whether it came to its end."""
        go = Path(f"{database}.go")
        os.mkfifo(go)
        self._tell(f"{workload} {database}\n")
        pid = self._read().removeprefix("pid ")
        with _attached(pid, strace):
            go.open("w").close()
            lines = list(iter(self._read, "done"))
        go.unlink()
        promised = [line.removeprefix("promised ") for line in lines]
        return [line for line in promised if line != "end"], "end" in promised

    def close(self) -> None:
        """No more children."""
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe:
                pipe.close()
        self._process.wait(10)

    def _tell(self, text: str) -> None:
        if self._process.stdin:
            self._process.stdin.write(text)
            self._process.stdin.flush()

    def _read(self) -> str:
        line = self._process.stdout.readline() if self._process.stdout else ""
        if not line:
            raise RuntimeError("the victim's process itself has ended")
        return line.rstrip("\n")


@contextmanager
def victim(*arguments: str) -> Iterator[Victim]:
    """A victim for as long as it is needed."""
    started = Victim(*arguments)
    try:
        yield started
    finally:
        started.close()


@contextmanager
def _attached(pid: str, options: Sequence[str]) -> Iterator[None]:
    holder = subprocess.Popen(
        ["strace", "-f", "-p", pid, *options], stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True
    )
    try:
        for line in holder.stderr or ():
            if "attached" in line:
                break
        else:
            raise RuntimeError("strace cannot attach: is ptrace allowed on this machine?")
        yield
    finally:
        holder.wait(30)
        if holder.stderr:
            holder.stderr.close()


def calls_of(who: Victim, workload: str, database: Path) -> list[tuple[str, int]]:
    """Every changing call of a workload as (name, its number among those of that name)."""
    log = Path(f"{database}.calls")
    who.run(workload, database, f"--trace={','.join(CHANGING)}", f"--output={log}")
    seen: dict[str, int] = {}
    found = []
    for line in log.read_text(errors="replace").splitlines():
        name = line.split(maxsplit=1)[-1].partition("(")[0]
        if name in CHANGING:
            seen[name] = seen.get(name, 0) + 1
            found.append((name, seen[name]))
    return found


def kill_at(call: tuple[str, int]) -> tuple[str, ...]:
    """The options by which strace kills at this call, before it is carried out."""
    name, number = call
    return (f"--trace={name}", f"--inject={name}:signal=SIGKILL:when={number}", "--output=/dev/null")
