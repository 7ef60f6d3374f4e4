"""The house keeps its own rules: registries are complete, the map is true, functions and files stay small."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from form_definitions import QUESTION_TYPES

ROOT = Path(__file__).resolve().parent.parent
ROOMS = ("form_definitions", "analysis", "survey_app", "bench")
LONGEST_FUNCTION = 60
LONGEST_FILE = 400
LONGEST_README = 150
FORBIDDEN_CALLS = {"eval", "exec", "compile", "__import__"}
FORBIDDEN_MODULES = {"pickle", "marshal", "shelve"}


def sources() -> Iterator[Path]:
    for room in ROOMS:
        for path in sorted((ROOT / room).rglob("*.py")):
            if "node_modules" not in path.parts:
                yield path


def functions(tree: ast.AST) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    return (node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))


def lines_of_code(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    docstring = node.body[0] if ast.get_docstring(node) else None
    own = (docstring.end_lineno or 0) - docstring.lineno + 1 if docstring else 0
    return (node.end_lineno or 0) - node.lineno + 1 - own


def test_no_function_is_longer_than_a_screen() -> None:
    long_ones = [
        f"{path.relative_to(ROOT)}:{function.lineno} {function.name}: {lines_of_code(function)} lines"
        for path in sources()
        if "versions" not in path.parts
        for function in functions(ast.parse(path.read_text()))
        if lines_of_code(function) > LONGEST_FUNCTION
    ]
    assert long_ones == []


def test_no_file_is_longer_than_can_be_read_at_once() -> None:
    long_ones = [
        f"{path.relative_to(ROOT)}: {length} lines"
        for path in sources()
        if "versions" not in path.parts and (length := path.read_text().count("\n")) > LONGEST_FILE
    ]
    assert long_ones == []


@pytest.mark.parametrize("path", sorted(sources()), ids=lambda path: str(path.relative_to(ROOT)))
def test_nothing_is_evaluated_or_unpickled(path: Path) -> None:
    tree = ast.parse(path.read_text())
    called = {
        node.func.id
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
    }
    imported = {
        alias.name.partition(".")[0]
        for node in ast.walk(tree)
        if isinstance(node, ast.Import)
        for alias in node.names
    }
    assert not called & FORBIDDEN_CALLS
    assert not imported & FORBIDDEN_MODULES


def test_every_question_type_is_drawn_by_a_template_of_its_own() -> None:
    drawn = {path.stem for path in (ROOT / "survey_app/templates/items").glob("[a-z]*.html")}
    assert set(QUESTION_TYPES) <= drawn


def test_no_template_switches_the_escaping_off() -> None:
    for path in (ROOT / "survey_app/templates").rglob("*.html"):
        text = path.read_text()
        assert not re.search(r"\|\s*safe\b|autoescape\s+false", text), path
        assert not re.search(r"<(script|style)(?![^>]*(src=|application/json))[^>]*>\s*\S", text), path
        assert not re.search(r"\s(style|on[a-z]+)=\"", text), path


def test_the_client_never_writes_markup_from_strings() -> None:
    for path in (ROOT / "survey_app/client/src").rglob("*.ts"):
        assert not re.search(
            r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(", path.read_text()
        ), path


def test_no_sentence_has_a_narrow_space_before_a_colon() -> None:
    """The refusals of the command line go through no page, where the typography is checked."""
    wrong = re.compile(r"(?<!«)(?:\\u202f|\u202f):")
    assert [path.name for path in sources() if wrong.search(path.read_text(encoding="utf-8"))] == []


ORDINARY_SPACE = re.compile(r"(?:^|[\w»)%@/]) [:;!?](?=\s|$)|« | »")


def test_no_french_sentence_of_the_code_has_an_ordinary_space_beside_a_sign() -> None:
    """From such a space comes a line that begins with « : ». Docstrings are set when they are shown."""
    spoken = [path for path in sources() if "bench" not in path.parts]
    wrong = [(path.name, text) for path in spoken for text in texts_of(path) if ORDINARY_SPACE.search(text)]
    assert wrong == []
    assert ORDINARY_SPACE.search("Rafale : beaucoup")


def texts_of(path: Path) -> Iterator[str]:
    """The texts in a module that hold words, docstrings left out."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    aside = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in aside:
            yield from re.findall(r"(?s).*[a-zéà]{2}.*", node.value)[:1]


def test_responses_know_nothing_of_the_request_that_brought_them() -> None:
    for path in (ROOT / "survey_app/responses").rglob("*.py"):
        assert not re.search(r"from flask import [^\n]*\b(request|session|g)\b", path.read_text()), path


def test_the_readme_is_short_and_its_map_is_true() -> None:
    readme = (ROOT / "README.md").read_text()
    assert readme.count("\n") <= LONGEST_README
    links = re.findall(r"\]\(([^)#]+)\)", readme)
    assert [link for link in links if not (ROOT / link).exists()] == []
    mapped = set(map_entries(readme))
    assert [name for name in mapped if not (ROOT / name).exists()] == []
    assert [name for name in rooms_of_the_application() if not mapped & {name, f"{name}/"}] == []


def rooms_of_the_application() -> Iterator[str]:
    """Every module and package directly in ``survey_app/``: whoever comes new finds each on the map."""
    for path in sorted((ROOT / "survey_app").iterdir()):
        if path.suffix == ".py" or (path / "__init__.py").exists():
            yield str(path.relative_to(ROOT))


def map_entries(readme: str) -> Iterator[str]:
    """The paths that the table « The map » names, a row with `·` lying in the folder of the row above."""
    folder = ""
    table = readme.partition("## The map")[2].partition("\n## ")[0]
    for row in re.findall(r"^\| (.+?) \|", table, flags=re.M):
        names = re.findall(r"`([^`]+)`", row.partition("([")[0])
        if not row.startswith("·") and names:
            folder = names[0] if len(names) == 1 else ""
            yield from names
        elif row.startswith("·"):
            yield from (folder + name for name in names)


def test_the_lock_files_carry_hashes_and_name_no_host() -> None:
    for path in (ROOT / "requirements").glob("*.txt"):
        text = path.read_text()
        assert text.count("==") <= text.count("--hash=sha256:")
        assert not re.search(r"^[^#]*https?://|--(extra-)?index-url|--find-links", text, flags=re.M), path
    assert '"resolved"' not in (ROOT / "survey_app/client/package-lock.json").read_text()
