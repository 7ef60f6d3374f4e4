"""`survey-app frame`: the same check and the same import as on the pages."""

from __future__ import annotations

from pathlib import Path

import pytest

from survey_app.cli import run
from tests.survey_app.frames.file_states import FOLDER

FILES = [str(FOLDER / name) for name in ("9-rne-maires-2020.txt", "annuaire.csv", "v_commune.csv")]


def test_a_check_tells_what_would_be_imported_without_any_setting(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("SECRET_KEY", "DEVICE_MASTER_KEY", "DATABASE_URL", "SURVEY_DATA"):
        monkeypatch.delenv(name, raising=False)
    assert run(["frame", "check", *FILES]) == 0
    told = capsys.readouterr().out
    assert "9-rne-maires-2020.txt\u00a0: Des élus, par leur nom. CSV, séparé par des tabulations" in told
    assert "Niort\u00a0: 3 maires." in told
    assert "8 lignes à importer, 0 ligne laissée de côté." in told


def test_bad_lines_stand_behind_the_name_of_the_file_and_their_number(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "a.csv").write_text("Code INSEE;Commune;Nom;Prénom\nx;Melle;A;B\n79191;Niort;C;D\n", "utf-8")
    assert run(["frame", "check", str(tmp_path / "a.csv")]) == 0
    assert "a.csv:2\u00a0: le code «\u202fX\u202f» n’est pas celui d’une commune" in capsys.readouterr().out


def test_a_file_that_is_no_list_is_one_sentence_and_code_one(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "a.csv").write_bytes(b"%PDF-1.7")
    assert run(["frame", "check", str(tmp_path / "a.csv")]) == 1
    assert "c’est un PDF, pas une liste" in capsys.readouterr().err


def test_a_list_is_imported_once(keys: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["database", "upgrade"]) == 0
    options = ["--title", "Maires", "--source", "RNE", "--date", "2022-12-01"]
    assert run(["frame", "import", *FILES, *options]) == 0
    assert "8 lignes importées\u00a0: liste n°\u00a01." in capsys.readouterr().out
    assert run(["frame", "import", *FILES, *options]) == 0
    assert "Déjà importée\u00a0: liste n°\u00a01." in capsys.readouterr().out
    assert run(["frame", "import", *FILES, *options[:-1], "hier"]) == 2
    assert "AAAA-MM-JJ" in capsys.readouterr().err
