"""The power goes right after « Merci »: what the tablet has promised to keep must be there.

The browser's profile lies on a small ext4 image of its own. The browser is stopped, then the file system:
from one moment to the next nothing more is written. What it had handed to the disk is in the image, and its
copy is mounted: its journal is replayed as after a real cut. The control is the same tablet with `relaxed`
durability, the default of browsers: it must lose, or the test shows nothing. A killed browser alone loses
nothing either way: the kernel keeps its pages.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import signal
import struct
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Error, Playwright

from tests.browser.enrolled_tablet import EnrolledTablet, enrolled
from tests.browser.tablet_browser import (
    Network,
    interview,
    next_person,
    open_profile,
    outbox,
    tablet_browser,
)
from tests.survey_app.tablet_site import tablet_site

pytestmark = [pytest.mark.browser, pytest.mark.timeout(180)]

PEOPLE = 3
SHUT_DOWN, WITHOUT_A_LAST_FLUSH = 0x8004587D, 2
"""The request of ext4 that its own authors test power cuts with (EXT4_IOC_SHUTDOWN, NOLOGFLUSH)."""
RELAXED = """
const open = IDBDatabase.prototype.transaction;
IDBDatabase.prototype.transaction = function (names, mode) {
  return open.call(this, names, mode, { durability: 'relaxed' });
};
"""


def run(*command: str | Path) -> None:
    subprocess.run([str(part) for part in command], check=True, capture_output=True)


@pytest.fixture
def root() -> None:
    """Mounting needs root. Anybody else is told, not passed over in silence."""
    if os.geteuid() != 0:
        pytest.skip("the power cut needs root (loop mounts): run this test as root")


@contextmanager
def mounted(image: Path, folder: Path) -> Iterator[Path]:
    folder.mkdir()
    run("mount", "-o", "loop", image, folder)
    try:
        yield folder
    finally:
        unmount(folder)


def unmount(folder: Path) -> None:
    """The killed browser's last processes may still hold the folder for a moment."""
    for _attempt in range(50):
        if subprocess.run(["umount", str(folder)], check=False, capture_output=True).returncode == 0:
            return
        time.sleep(0.1)
    run("umount", "--lazy", folder)


def new_image(path: Path) -> Path:
    run("truncate", "-s", "300M", path)
    run("mkfs.ext4", "-q", "-E", "lazy_itable_init=0", path)
    return path


def processes_of(profile: Path) -> list[int]:
    """Every process started for this profile, with its descendants."""
    found, parents = set(), {}
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        with contextlib.suppress(OSError, IndexError):
            if str(profile).encode() in (entry / "cmdline").read_bytes():
                found.add(int(entry.name))
            parents[int(entry.name)] = int((entry / "stat").read_text().rsplit(")", 1)[1].split()[1])
    while more := {child for child, parent in parents.items() if parent in found} - found:
        found |= more
    return sorted(found - {os.getpid()})


def send(signal_number: int, processes: list[int]) -> None:
    for process in processes:
        with contextlib.suppress(ProcessLookupError):
            os.kill(process, signal_number)


def shut_down(disk: Path) -> None:
    """Nothing is written there any more: the copy of a disk in use is half of before, half of after."""
    folder = os.open(disk, os.O_RDONLY)
    try:
        fcntl.ioctl(folder, SHUT_DOWN, struct.pack("I", WITHOUT_A_LAST_FLUSH))
    finally:
        os.close(folder)


def cut_power(context: BrowserContext, disk: Path, image: Path, copy: Path) -> None:
    """Stop everything in its tracks, keep what the disk really holds, then remove the body."""
    profile = disk / "profile"
    send(signal.SIGSTOP, processes_of(profile))
    shut_down(disk)
    run("cp", "--sparse=always", image, copy)
    send(signal.SIGKILL, processes_of(profile))
    with contextlib.suppress(Error):
        context.close()


@pytest.mark.fault(3)
@pytest.mark.parametrize("durability", ["strict"] * 3 + ["relaxed"])
def test_a_power_cut_after_thanks_loses_nothing_unless_the_writes_are_relaxed(
    root: None, playwright: Playwright, tmp_path: Path, durability: str
) -> None:
    image, copy = new_image(tmp_path / "disk.img"), tmp_path / "after.img"
    with tablet_site(tmp_path / "server") as site, mounted(image, tmp_path / "before") as disk:
        tablet = EnrolledTablet(playwright=playwright, network=Network(site), profile=disk / "profile")
        with enrolled(tablet):
            address = tablet.address
        os.sync()  # the tablet was installed some time before
        context = open_profile(playwright, disk / "profile")
        thanked = thank_some_people(context, address, durability)
        cut_power(context, disk, image, copy)
        with mounted(copy, tmp_path / "after") as disk_after:
            kept = records_found_in(playwright, disk_after / "profile", address)
    shutil.rmtree(tmp_path, ignore_errors=True)
    lost = thanked - kept
    if durability == "strict":
        assert lost == set(), f"{len(lost)} of {len(thanked)} thanked answers are lost"
    else:
        assert lost, "the relaxed control lost nothing: this machine does not show a power cut"


def thank_some_people(context: BrowserContext, address: str, durability: str) -> set[str]:
    """Id and hash of what « Merci » was shown for, without a server."""
    page = context.pages[0]
    if durability == "relaxed":
        page.add_init_script(RELAXED)
    page.goto(address)
    for person in range(PEOPLE):
        if person:
            next_person(page)
        interview(page, f"personne {person}")
    return {f"{record['id']} {record['hash']}" for record in outbox(page)}


def records_found_in(playwright: Playwright, profile: Path, address: str) -> set[str]:
    with tablet_browser(playwright, profile) as page:
        page.goto(address)
        page.locator("#agent-corner").wait_for()
        return {f"{record['id']} {record['hash']}" for record in outbox(page)}
