"""Lighthouse on the website form, where it can be had: its scores are noisy, so they gate nothing."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from bench.client_servers import sites
from bench.measure import Line, Section
from hatch_build import npm_and_environment
from tests.browsers import CHROMIUM

PACKAGE = "lighthouse@12.8.2"
NOTE = (
    f"`{PACKAGE}`, mobile preset with simulated throttling, on the first page of the 20-question form over "
    "plain HTTP on the loopback address, behind the same compressing proxy."
)
FLAGS = ("--quiet", "--output=json", "--output-path=stdout", "--chrome-flags=--headless=new --no-sandbox")
CATEGORIES = ("performance", "accessibility", "best-practices", "seo")
PERFECT = 100
PATIENCE_SECONDS = 240


def measure() -> Section:
    """The four scores, or a section that says why there are none."""
    with tempfile.TemporaryDirectory() as folder:
        program = shutil.which("lighthouse") or _installed(Path(folder))
        if program is None:
            sys.stderr.write(f"  {PACKAGE} cannot be installed here: skipped\n")
            return Section("Lighthouse", f"Not measured: `{PACKAGE}` could not be installed.")
        with sites() as running:
            scores = _scores(program, running.form)
    return Section("Lighthouse", NOTE, [_line(name, scores[name]) for name in CATEGORIES])


def _installed(folder: Path) -> str | None:
    """The program, installed for this run alone; it is no dependency of the project."""
    npm, environment = npm_and_environment()
    command = [
        *npm,
        "install",
        "--prefix",
        str(folder),
        "--no-audit",
        "--no-fund",
        "--ignore-scripts",
        PACKAGE,
    ]
    try:
        subprocess.run(command, env=environment, capture_output=True, check=True, timeout=PATIENCE_SECONDS)
    except (subprocess.SubprocessError, OSError):
        return None
    return str(folder / "node_modules/.bin/lighthouse")


def _scores(program: str, address: str) -> dict[str, int]:
    environment = {**npm_and_environment()[1], "CHROME_PATH": CHROMIUM}
    command = [program, address, *FLAGS, f"--only-categories={','.join(CATEGORIES)}"]
    answer = subprocess.run(
        command, env=environment, capture_output=True, check=True, timeout=PATIENCE_SECONDS
    )
    categories = json.loads(answer.stdout)["categories"]
    return {name: round(categories[name]["score"] * 100) for name in CATEGORIES}


def _line(name: str, score: int) -> Line:
    return Line(f"Lighthouse: {name}", str(score), "–", (), str(PERFECT), score == PERFECT)
