"""The tables of the README are those of the code."""

from __future__ import annotations

from pathlib import Path

from survey_app import responses
from survey_app.responses.flags import FLAGS
from survey_app.responses.purge import KINDS
from survey_app.settings import _VARIABLES, RetentionTerms

README = (Path(str(responses.__file__)).parent / "README.md").read_text(encoding="utf-8")


def _yes(true: bool, otherwise: str = "no") -> str:
    return "yes" if true else otherwise


def test_every_flag_is_in_the_table_as_it_works() -> None:
    rows = {
        f"| `{flag.code}` | {_yes(flag.counted)} | {_yes(flag.countable, 'never')} | {flag.meaning} |"
        for flag in FLAGS.values()
    }
    section = README.partition("## Flags")[2].partition("## ")[0]
    assert rows == {line for line in section.splitlines() if line.startswith("| `")}


def test_every_term_is_in_the_table_with_its_default() -> None:
    terms = RetentionTerms()
    rows = {
        f"| `RETENTION_{kind.term.upper()}_DAYS` | {getattr(terms, kind.term)} | {kind.title} |"
        for kind in KINDS
    }
    section = README.partition("## Terms")[2].partition("## ")[0]
    assert rows == {line for line in section.splitlines() if line.startswith("| `")}


def test_every_variable_is_named() -> None:
    assert [variable for variable in _VARIABLES if f"`{variable}`" not in README] == []


def test_every_module_is_in_the_map() -> None:
    modules = {path.name for path in Path(str(responses.__file__)).parent.glob("*.py")} - {"__init__.py"}
    assert {name for name in modules if f"`{name}`" not in README} == set()
