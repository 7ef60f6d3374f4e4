"""What the tests share to be fast hides nothing from them."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import pytest
from jinja2 import DictLoader, Environment

from tests import temporary_files
from tests.compiled_templates import KeptBytecode
from tests.page_checks import validator_faults


def test_temporary_files_go_where_there_is_room(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(tempfile, "tempdir", None)
    monkeypatch.setattr(temporary_files, "MEMORY", tmp_path)
    monkeypatch.delenv("TMPDIR", raising=False)
    monkeypatch.setattr(temporary_files, "ROOM", 2**80)
    temporary_files.keep_in_memory()
    assert "TMPDIR" not in os.environ
    monkeypatch.setattr(temporary_files, "ROOM", 1)
    temporary_files.keep_in_memory()
    assert tempfile.gettempdir() == str(tmp_path)


def test_a_place_that_somebody_chose_is_kept(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    temporary_files.keep_in_memory()
    assert os.environ["TMPDIR"] == str(tmp_path)


def test_a_folder_that_is_not_there_has_no_room(tmp_path: Path) -> None:
    assert not temporary_files.has_room(tmp_path / "nowhere")


def test_a_template_that_changed_is_compiled_anew() -> None:
    kept = KeptBytecode()
    told = [
        Environment(loader=DictLoader({"page": text}), bytecode_cache=kept, autoescape=True)
        .get_template("page")
        .render()
        for text in ("before", "before", "after")
    ]
    assert told == ["before", "before", "after"]


def test_each_page_is_validated_by_itself_and_its_faults_bear_its_name() -> None:
    good = "<!doctype html><html lang='fr'><head><title>Bonjour</title></head><body><p>a</p></body></html>"
    bad = good.replace("<p>a</p>", "<p><p id='x'><img src='a'></p></b>")
    first = validator_faults({"good": good.replace("'", '"'), "bad": bad})
    assert first
    assert {fault.partition(":")[0] for fault in first} == {"bad"}
    assert validator_faults({"good": good.replace("'", '"')}) == []
