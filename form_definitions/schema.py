"""The JSON Schema that editors use to complete and underline questionnaires while they are written.

Generated from the same readers that the loader uses: ``python -m form_definitions.schema`` writes it anew. An
editor reads YAML with its own types (an option ``no`` becomes false to it), so the schema is a little laxer
than the loader, which has the last word.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from form_definitions.condition_reading import condition_schema
from form_definitions.language import QUESTIONNAIRE

SCHEMA_PATH = Path(__file__).with_name("questionnaire.schema.json")


def questionnaire_schema() -> dict[str, Any]:
    """The schema of questionnaires/*.yaml, JSON Schema 2020-12."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Questionnaire",
        "$defs": {"condition": condition_schema()},
        **QUESTIONNAIRE.schema(),
    }


def schema_text() -> str:
    """The content of the committed file."""
    return json.dumps(questionnaire_schema(), ensure_ascii=False, indent=2) + "\n"


if __name__ == "__main__":
    SCHEMA_PATH.write_text(schema_text(), encoding="utf-8")
