"""A test that hangs is ended and named, whatever it does with its alarm."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
BEGINNING = """
import signal, time, pytest

def hang():
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGALRM})
    time.sleep(60)
"""
HANGS = """
@pytest.mark.timeout(0.2)
def test_swallows_its_alarm():
    hang()
"""
LEAVES_A_HANG = """
@pytest.fixture
def leftover():
    yield
    hang()

@pytest.mark.timeout(0.2)
def test_swallows_its_alarm(leftover):
    assert False
"""
END = """
def test_comes_after_it():
    pass
"""


def run(folder: Path, conftest: str, test: str) -> subprocess.CompletedProcess[str]:
    """Both tests in one worker, with the plugins of this project."""
    (folder / "conftest.py").write_text(conftest)
    (folder / "test_hangs.py").write_text(BEGINNING + test + END)
    (folder / "pytest.ini").write_text("[pytest]\ntimeout = 20\n")
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-n",
        "1",
        "-p",
        "no:playwright",
        "--rootdir",
        str(folder),
        str(folder),
    ]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=50)


@pytest.mark.parametrize(
    "test, where", [(HANGS, "in test_swallows_its_alarm"), (LEAVES_A_HANG, "in leftover")]
)
def test_a_test_that_swallows_its_alarm_is_named_and_the_run_goes_on(
    tmp_path: Path, test: str, where: str
) -> None:
    hooks = "from tests.time_limits import pytest_exception_interact, pytest_runtest_protocol\n"
    ended = run(tmp_path, f"import tests.time_limits as limits\n{hooks}limits.GRACE_SECONDS = 0.3\n", test)
    assert ended.returncode == 1
    assert "crashed while running 'test_hangs.py::test_swallows_its_alarm'" in ended.stdout
    assert "1 passed" in ended.stdout
    assert where in ended.stderr
