"""A browser test that fails once passes and is told; twice, it fails. No other runs twice, nor a campaign."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
HOOKS = """
from tests import second_runs
from tests.time_limits import pytest_exception_interact, pytest_runtest_protocol

def pytest_configure(config):
    config.addinivalue_line("markers", "browser: drives a real browser")
    config.addinivalue_line("markers", "ledger: reports")
    config.pluginmanager.register(second_runs)
"""
FAILS_AT_FIRST = """
import pathlib, pytest
RUNS = pathlib.Path(__file__).with_name("runs")

{marker}
def test_once():
    RUNS.write_text(RUNS.read_text() + "x" if RUNS.exists() else "x")
    assert len(RUNS.read_text()) >= {passes_at}, "the first time"
"""


@pytest.mark.parametrize(
    ("marker", "passes_at", "runs", "outcome"),
    [
        ("@pytest.mark.browser", 2, 2, "1 passed, 1 rerun"),
        ("@pytest.mark.browser", 3, 2, "1 failed, 1 rerun"),
        ("", 2, 1, "1 failed"),
        ("@pytest.mark.browser\n@pytest.mark.ledger", 2, 1, "1 failed"),
    ],
)
def test_only_a_browser_test_that_is_no_campaign_has_a_second_run_and_it_is_told(
    tmp_path: Path, marker: str, passes_at: int, runs: int, outcome: str
) -> None:
    (tmp_path / "conftest.py").write_text(HOOKS)
    (tmp_path / "test_it.py").write_text(FAILS_AT_FIRST.format(marker=marker, passes_at=passes_at))
    (tmp_path / "pytest.ini").write_text("[pytest]\ntimeout = 20\n")
    command = [sys.executable, "-m", "pytest", "-n", "1", "-p", "no:playwright", f"--rootdir={tmp_path}"]
    ended = subprocess.run([*command, tmp_path], cwd=ROOT, capture_output=True, text=True, timeout=50)
    assert outcome in ended.stdout
    assert (tmp_path / "runs").read_text() == "x" * runs
    assert ("first run of test_it.py::test_once" in ended.stdout) is (runs == 2)
