"""Rule S8: the command and the report give the same digits for the same answers."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from analysis.__main__ import main
from analysis.tally import CellLayout, CountedResponse
from analysis.text_report import lines_of
from analysis.wave_report import Cell, WaveSettings, build_wave_report
from form_definitions.model import Questionnaire
from tests.analysis.builders import FAVOURABLE, SCALE, responses, two_commitments

POOLED = two_commitments()
EVERY_ITEM = two_commitments(rules={"accueil": "every_item"})
CODES = [*(option.code for option in SCALE), None, "off_path"]
EXPRESSED = tuple(option.code for option in SCALE if option.role == "substantive")
ROWS = st.lists(st.lists(st.sampled_from(CODES), min_size=4, max_size=4), min_size=1, max_size=60)


def answers_csv(questionnaire: Questionnaire, rows: list[CountedResponse], population: int | None) -> str:
    """What a stranger receives: one line per question asked."""
    rules = {commitment.code: commitment.rule for commitment in questionnaire.commitments}
    written = ["respondent;commitment;item;favourable;rule;population"]
    for number, response in enumerate(rows):
        for item in questionnaire.items:
            if item.name in response.asked:
                chosen = response.answers.get(item.name)
                code = chosen[0] if isinstance(chosen, list) else None
                mark = "" if code not in EXPRESSED else str(int(code in FAVOURABLE))
                size = "" if population is None else population
                line = (number, item.commitment, item.name, mark, rules[item.commitment or ""], size)
                written.append(";".join(map(str, line)))
    return "\n".join(written)


def reported(
    questionnaire: Questionnaire, rows: list[CountedResponse], population: int | None
) -> list[object]:
    layout = CellLayout(questionnaire)
    cells = [
        Cell("accueil", "tablet", "fr", date(2026, 1, 1 + number % 7), layout.vector(row))
        for number, row in enumerate(rows)
    ]
    wave = build_wave_report(questionnaire, cells, WaveSettings(population=population))
    return [line.as_json() for line in lines_of(wave.commitments) if line.base]


@pytest.mark.parametrize("questionnaire", [POOLED, EVERY_ITEM], ids=["pooled", "every_item"])
@given(rows=ROWS, repeat=st.integers(1, 5), known=st.sampled_from([None, 0, 40]))
@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_s8_the_command_gives_the_digits_of_the_report(
    questionnaire: Questionnaire,
    rows: list[list[str | None]],
    repeat: int,
    known: int | None,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assume(any(code != "off_path" for row in rows for code in row))  # a file without a row is refused
    answered = responses(questionnaire, rows) * repeat
    population = None if known is None else len(answered) + known
    path = tmp_path / "reponses.csv"
    path.write_text(answers_csv(questionnaire, answered, population), "utf-8")
    capsys.readouterr()
    assert main([str(path), "--format", "json"]) == 0
    command = [line for line in json.loads(capsys.readouterr().out) if line["base"]]
    order = [item.name for item in questionnaire.items]
    command.sort(key=lambda line: (line["commitment"], order.index(line["item"]) if line["item"] else -1))
    assert command == json.loads(json.dumps(reported(questionnaire, answered, population)))
