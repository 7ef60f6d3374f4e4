"""Long work shows how far it is to a person at a terminal, and nothing to a pipe or a log."""

from __future__ import annotations

import os
import pty
import re
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from survey_app import cli
from survey_app.commands import progress as bars


@pytest.fixture
def on_a_terminal(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[], object]], str]:
    """Runs some work with its error output on a terminal; gives what was drawn there."""

    def run(work: Callable[[], object]) -> str:
        keyboard, screen = pty.openpty()
        with os.fdopen(screen, "w") as stream, monkeypatch.context() as patch:
            patch.setattr(sys, "stderr", stream)
            work()
        drawn = b""
        try:
            while piece := os.read(keyboard, 65_536):
                drawn += piece
        except OSError:  # Linux says so at the end of a terminal that nobody holds any more
            pass
        finally:
            os.close(keyboard)
        return drawn.decode()

    return run


def work() -> None:
    with bars.progress("Réponses", 4 * bars.EVERY) as advance:
        for _ in range(4 * bars.EVERY):
            advance(1)


def test_a_person_at_a_terminal_sees_how_far_long_work_is(
    on_a_terminal: Callable[[Callable[[], object]], str],
) -> None:
    drawn = on_a_terminal(work)
    assert "Réponses" in drawn
    seen = [drawn.find(f"{share}%") for share in (0, 25, 50, 75, 100)]
    assert -1 not in seen
    assert seen == sorted(seen)


def test_a_pipe_or_a_log_gets_no_bar(capsys: pytest.CaptureFixture[str]) -> None:
    work()
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize(("command", "label"), [("doctor", "Examen"), ("purge", "Durées")])
def test_each_check_of_the_doctor_and_each_term_of_the_purge_moves_the_bar(
    demonstrated: Path,
    on_a_terminal: Callable[[Callable[[], object]], str],
    capsys: pytest.CaptureFixture[str],
    command: str,
    label: str,
) -> None:
    drawn = on_a_terminal(lambda: cli.run([command]))
    shares = [int(share) for share in re.findall(r"(\d+)%", drawn)]
    assert label in drawn
    assert len(set(shares)) >= 8
    assert (shares, shares[-1]) == (sorted(shares), 100)
    assert "%" not in capsys.readouterr().out


def test_the_report_of_a_wave_moves_the_bar_to_its_end(
    demonstrated: Path,
    monkeypatch: pytest.MonkeyPatch,
    on_a_terminal: Callable[[Callable[[], object]], str],
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(bars, "EVERY", 1)
    target = demonstrated / "r.csv"
    drawn = on_a_terminal(
        lambda: cli.run(["report", "usagers-2026", "--export", "reponses", "-o", str(target)])
    )
    assert "Réponses" in drawn
    assert "100%" in drawn
    assert capsys.readouterr().out.startswith(f"{target}\u00a0: ")
