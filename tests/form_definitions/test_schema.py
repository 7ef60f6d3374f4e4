"""The committed JSON Schema is the generated one, and it tells right from wrong."""

from __future__ import annotations

import copy
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

import form_definitions
from form_definitions.language import ANSWERED_TYPES
from form_definitions.schema import SCHEMA_PATH, questionnaire_schema, schema_text
from tests.form_definitions.definitions import FIXTURES

SCHEMA = questionnaire_schema()
FIXTURE = FIXTURES / "questionnaires" / "every_type.yaml"
SHIPPED = sorted((Path(form_definitions.__file__).parent / "questionnaires").glob("*.yaml"))

KINDS: dict[str, Callable[[object], bool]] = {
    "object": lambda value: isinstance(value, dict),
    "array": lambda value: isinstance(value, list),
    "string": lambda value: isinstance(value, str),
    "boolean": lambda value: isinstance(value, bool),
    "integer": lambda value: isinstance(value, int) and not isinstance(value, bool),
    "number": lambda value: isinstance(value, int | float) and not isinstance(value, bool),
    "null": lambda value: value is None,
}


def admits(schema: dict[str, Any], value: Any) -> bool:
    """The part of JSON Schema 2020-12 that the generated schema uses; anything else in it fails the test."""
    unknown = (
        schema.keys() - CHECKS.keys() - {"$schema", "title", "$defs", "description", "additionalProperties"}
    )
    assert not unknown, unknown
    return all(check(schema, value) for keyword, check in CHECKS.items() if keyword in schema)


def _properties(schema: dict[str, Any], value: Any) -> bool:
    if not isinstance(value, dict):
        return True
    patterns = schema.get("patternProperties", {})
    for key, member in value.items():
        if key in schema.get("properties", {}):
            part = schema["properties"][key]
        else:
            part = next((found for pattern, found in patterns.items() if re.search(pattern, str(key))), None)
        if part is None or not admits(part, member):
            return False
    return True


def _kind(schema: dict[str, Any], value: Any) -> bool:
    kinds = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
    return any(KINDS[kind](value) for kind in kinds)


def _members(schema: dict[str, Any], value: Any) -> bool:
    return not isinstance(value, list) or all(admits(schema["items"], member) for member in value)


def _prefix(schema: dict[str, Any], value: Any) -> bool:
    pairs = zip(schema["prefixItems"], value, strict=False) if isinstance(value, list) else ()
    return all(admits(part, member) for part, member in pairs)


def _distinct(schema: dict[str, Any], value: Any) -> bool:
    return not isinstance(value, list) or len({repr(member) for member in value}) == len(value)


def _length(low: str, high: str, kind: type) -> Callable[[dict[str, Any], Any], bool]:
    def check(schema: dict[str, Any], value: Any) -> bool:
        return not isinstance(value, kind) or schema.get(low, 0) <= len(value) <= schema.get(high, 10**9)  # type: ignore[arg-type]

    return check


def _between(schema: dict[str, Any], value: Any) -> bool:
    return not KINDS["number"](value) or schema.get("minimum", value) <= value <= schema.get("maximum", value)


CHECKS: dict[str, Callable[[dict[str, Any], Any], bool]] = {
    "type": _kind,
    "properties": _properties,
    "patternProperties": _properties,
    "required": lambda schema, value: not isinstance(value, dict) or set(schema["required"]) <= value.keys(),
    "items": _members,
    "prefixItems": _prefix,
    "uniqueItems": _distinct,
    "minItems": _length("minItems", "maxItems", list),
    "maxItems": _length("minItems", "maxItems", list),
    "minLength": _length("minLength", "maxLength", str),
    "maxLength": _length("minLength", "maxLength", str),
    "minProperties": _length("minProperties", "maxProperties", dict),
    "maxProperties": _length("minProperties", "maxProperties", dict),
    "minimum": _between,
    "maximum": _between,
    "pattern": lambda schema, value: not isinstance(value, str) or bool(re.search(schema["pattern"], value)),
    "enum": lambda schema, value: value in schema["enum"],
    "const": lambda schema, value: value == schema["const"],
    "oneOf": lambda schema, value: sum(admits(part, value) for part in schema["oneOf"]) == 1,
    "$ref": lambda schema, value: admits(SCHEMA["$defs"][schema["$ref"].rpartition("/")[2]], value),
}


def document() -> Any:
    return yaml.load(FIXTURE.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader)


def test_the_committed_schema_is_the_generated_one() -> None:
    assert SCHEMA_PATH.read_text(encoding="utf-8") == schema_text(), "python -m form_definitions.schema"


@pytest.mark.parametrize("path", [FIXTURE, *SHIPPED], ids=lambda path: path.stem)
def test_correct_questionnaires_satisfy_the_schema(path: Path) -> None:
    assert admits(SCHEMA, yaml.load(path.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader))


@pytest.mark.parametrize(
    "spoil",
    [
        lambda it: it.update(titel="x"),
        lambda it: it.pop("title"),
        lambda it: it.update(modes=["telephone"]),
        lambda it: it.update(sections=[]),
        lambda it: it["sections"][0]["questions"][1].update(type="radio"),
        lambda it: it["sections"][0]["questions"][1].update(minimum=1),
        lambda it: it["sections"][0]["questions"][1]["options"].pop(),
        lambda it: it["sections"][0]["questions"][1]["options"][0].update(face=6),
        lambda it: it["sections"][0]["questions"][0].pop("note"),
        lambda it: it["sections"][0]["questions"][3]["rows"][0].update(type="number"),
        lambda it: it["sections"][0]["questions"][3].update(relevant_if={"answred": "reason"}),
        lambda it: it["sections"][0]["questions"][3].update(relevant_if={"is": ["reason"]}),
        lambda it: it["sections"][1]["questions"][1].update(minimum="zero"),
        lambda it: it.update(scales={"Mon Échelle": it["scales"]["yes_no"]}),
    ],
    ids=range(14),
)
def test_faulty_questionnaires_do_not(spoil: Callable[[Any], object]) -> None:
    spoiled = copy.deepcopy(document())
    spoil(spoiled)
    assert not admits(SCHEMA, spoiled)


def test_every_question_type_and_key_is_described() -> None:
    blocks = SCHEMA["properties"]["sections"]["items"]["properties"]["questions"]["items"]["oneOf"]
    types = [block["properties"]["type"]["const"] for block in blocks if "type" in block["properties"]]
    assert types == list(ANSWERED_TYPES)
    assert all(part.get("description") for block in blocks for part in block["properties"].values())
