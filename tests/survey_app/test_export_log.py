"""Who took which file away stands in the log."""

from __future__ import annotations

from pathlib import Path

import pytest

from survey_app import audit, cli
from survey_app.commands.surroundings import application
from tests.survey_app.staff_site import WAVE, StaffSite, seed_wave


def test_a_downloaded_file_leaves_a_line_in_the_log(tmp_path: Path) -> None:
    site = StaffSite(tmp_path)
    with site.database():
        seed_wave(24, 6)
    client = site.client("reader")
    for address in ("comptes?mode=tablet", "reponses"):
        client.get(f"/gestion/exports/{WAVE}/{address}").close()
    with site.database():
        lines = [entry for entry in audit.latest(20) if entry.action == "exported"]
        assert [(line.actor, line.subject, line.detail) for line in lines] == [
            ("reader@prefecture.test.fr", WAVE, {"file": "comptes", "mode": "tablet"})
        ]


def test_a_file_written_by_the_command_line_leaves_one_too(
    keys: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("USER", "technicienne")
    monkeypatch.delenv("SUDO_USER", raising=False)
    assert cli.run(["database", "upgrade"]) == 0
    with application():
        seed_wave(24, 6)
    report = ["report", WAVE, "-o", str(keys / "x.csv"), "--export", "reponses"]
    assert cli.run([*report, "--mode", "tablet", "--verbatims"]) == 0
    assert cli.run(["report", "nulle-part", "-o", str(keys / "y.csv")]) != 0
    with application():
        lines = [entry for entry in audit.latest(20) if entry.action == "exported"]
        assert [(line.actor, line.subject, line.detail) for line in lines] == [
            (
                "commande (technicienne)",
                WAVE,
                {"file": "reponses", "mode": "tablet", "verbatims": True},
            )
        ]
