"""What `make run` and `make test` set up is set up once; a changed list of packages or source is noticed."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
INPUTS = [
    "requirements/runtime.txt",
    "requirements/build.txt",
    "requirements/development.txt",
    "pyproject.toml",
    "hatch_build.py",
    "survey_app/client/package-lock.json",
    "survey_app/client/build.mjs",
    "survey_app/client/src/website.ts",
]
SET_UP = [
    ".venv/development.stamp",
    "survey_app/static/build/manifest.json",
    "survey_app/client/node_modules/.stamp",
]
AN_HOUR = 3_600


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """The Makefile among empty files, with a Python that only notes what it is asked for."""
    shutil.copy(ROOT / "Makefile", tmp_path)
    for name in [*INPUTS, "survey_app/client/node_modules/.keep", "survey_app/static/build/.keep"]:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    python = tmp_path / ".venv/bin/python"
    python.parent.mkdir(parents=True)
    python.write_text(f'#!/bin/sh\necho "$@" >> {tmp_path}/asked\n')
    python.chmod(0o755)
    esbuild = tmp_path / "survey_app/client/node_modules/.bin/esbuild"
    esbuild.parent.mkdir()
    shutil.copy(python, esbuild)
    return tmp_path


def set_up(project: Path) -> list[str]:
    """Set everything up; what Python was asked for."""
    asked = project / "asked"
    asked.unlink(missing_ok=True)
    subprocess.run(["make", *SET_UP], cwd=project, check=True, capture_output=True)
    return asked.read_text().splitlines() if asked.exists() else []


def test_the_second_time_nothing_is_set_up_again(project: Path) -> None:
    first = set_up(project)
    assert sum("install" in line for line in first) == 3
    assert sum("npm ci" in line for line in first) == 1
    assert sum("npm run" in line for line in first) == 1
    assert set_up(project) == []
    for goal, last in (("run", "survey-app demo"), ("test", "pytest")):
        planned = subprocess.run(
            ["make", "--dry-run", goal], cwd=project, check=True, capture_output=True, text=True
        ).stdout
        assert last in planned
        assert not any(step in planned for step in ("pip install", "npm ci", "npm run --silent build"))


@pytest.mark.parametrize(
    ("changed", "steps"),
    [
        ("requirements/runtime.txt", ["install", "npm ci", "npm run"]),
        ("requirements/development.txt", ["install"]),
        ("survey_app/client/package-lock.json", ["npm ci", "npm run"]),
        ("survey_app/client/src/website.ts", ["npm run"]),
    ],
)
def test_what_has_changed_since_is_set_up_anew(project: Path, changed: str, steps: list[str]) -> None:
    set_up(project)
    for stamp in [*SET_UP, ".venv/runtime.stamp"]:
        seen = (project / stamp).stat().st_mtime - AN_HOUR
        os.utime(project / stamp, (seen, seen))
    for name in INPUTS:
        os.utime(project / name, (0, 0))
    (project / changed).touch()
    asked = set_up(project)
    assert [step for step in ("install", "npm ci", "npm run") if any(step in line for line in asked)] == steps
