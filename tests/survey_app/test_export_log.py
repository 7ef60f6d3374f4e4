"""Who took which file away stands in the log."""

from __future__ import annotations

from pathlib import Path

from survey_app import audit
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
