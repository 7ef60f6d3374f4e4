"""The power goes under a server: what its disk can hold afterwards, worked out from what it asked of it.

A disk owes nothing that was not flushed. Writes since the last flush of a file may be there, or not, or in
part, in any order. From the trace of one real run each moment gives many disks, and each is looked into.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from tests.faults.held_process import Victim

TRACED = "pwrite64,write,fsync,fdatasync,ftruncate,unlink"
_CALL = re.compile(r"^\d+\s+(\w+)\((?:\d+<(?P<path>[^>]*)>(?:, )?)?(?P<rest>.*)\)\s+= \d+$")
_QUOTED = re.compile(r'^"((?:\\x[0-9a-f]{2})*)"')
SECTOR = 512


@dataclass(frozen=True)
class Event:
    """One thing the process did: ``write``, ``truncate``, ``flush``, ``unlink`` or ``promise``."""

    kind: str
    path: str = ""
    offset: int = 0
    data: bytes = b""


def events_of(who: Victim, workload: str, database: Path) -> list[Event]:
    """What a workload did to the files of its database, and what it promised in between."""
    log = Path(f"{database}.trace")
    options = ("-y", "-xx", "-s", "1000000", f"--trace={TRACED}", f"--output={log}")
    _, ended = who.run(workload, database, *options)
    assert ended
    events = [event for line in log.read_text().splitlines() for event in read_call(line)]
    return [event for event in events if event.kind == "promise" or event.path.startswith(str(database))]


def read_call(line: str) -> Iterator[Event]:
    """The events in one line of the trace; strace pads the number of the process to five places."""
    call = _CALL.match(line)
    if call is None:
        return
    name, path, rest = call[1], _unhex(call["path"] or "").decode(), call["rest"]
    if name in ("fsync", "fdatasync"):
        yield Event("flush", path)
    elif name == "ftruncate":
        yield Event("truncate", path, int(rest))
    elif name == "unlink":
        yield Event("unlink", _unhex(_quoted(rest)).decode())
    elif name == "pwrite64":
        yield Event("write", path, int(rest.rsplit(", ", 1)[1]), _unhex(_quoted(rest)))
    elif path.startswith("pipe:"):
        yield from (
            Event("promise", data=line.removeprefix(b"promised "))
            for line in _unhex(_quoted(rest)).splitlines()
            if line.startswith(b"promised ")
        )


def _quoted(text: str) -> str:
    found = _QUOTED.match(text)
    return found[1] if found else ""


def _unhex(text: str) -> bytes:
    return bytes.fromhex(text.replace("\\x", ""))


@dataclass
class Disk:
    """What is surely on it, and what was asked for since."""

    kept: dict[str, bytes] = field(default_factory=dict)
    asked: dict[str, list[Event]] = field(default_factory=dict)

    def take(self, event: Event) -> None:
        """Go on by one event."""
        if event.kind == "unlink":
            self.kept.pop(event.path, None)
            self.asked.pop(event.path, None)
        elif event.kind == "flush":
            self.kept[event.path] = _after(self.kept.get(event.path, b""), self.asked.pop(event.path, []))
        elif event.kind != "promise":
            self.asked.setdefault(event.path, []).append(event)

    def after_the_cut(self, chance: random.Random | None) -> dict[str, bytes]:
        """The files as they may be found: any part of what was not flushed, or none without ``chance``."""
        found = dict(self.kept)
        for path, asked in self.asked.items() if chance else ():
            survivors = [_torn(event, chance) for event in asked if chance.random() < 0.5] if chance else []
            found[path] = _after(found.get(path, b""), survivors)
        return found


def _torn(event: Event, chance: random.Random) -> Event:
    """One write in four is cut off at a sector."""
    if event.kind != "write" or chance.random() < 0.75:
        return event
    sectors = len(event.data) // SECTOR
    return Event("write", event.path, event.offset, event.data[: SECTOR * chance.randint(0, sectors)])


def _after(content: bytes, events: list[Event]) -> bytes:
    changed = bytearray(content)
    for event in events:
        if event.kind == "truncate":
            del changed[event.offset :]
            changed.extend(bytes(event.offset - len(changed)))
        else:
            changed.extend(bytes(max(0, event.offset - len(changed))))
            changed[event.offset : event.offset + len(event.data)] = event.data
    return bytes(changed)


@dataclass(frozen=True)
class Cut:
    """One moment at which the power goes: what was promised by then, and one disk that it may leave."""

    promised: frozenset[str]
    files: dict[str, bytes]


def cuts(before: dict[str, bytes], events: list[Event], chances: int, seed: int) -> Iterator[Cut]:
    """Every moment of a run, each with the emptiest disk and with so many others."""
    chance = random.Random(seed)
    disk, promised = Disk(dict(before)), set[str]()
    for event in events:
        disk.take(event)
        if event.kind == "promise":
            promised.add(event.data.decode())
        for which in (None, *[chance] * chances):
            yield Cut(frozenset(promised - {"end"}), disk.after_the_cut(which))
