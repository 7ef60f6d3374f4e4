"""Rule S7: response, by AAPOR's formulas."""

from __future__ import annotations

from analysis.dispositions import Dispositions

OFFICIALS = Dispositions(complete=120, partial=10, refused=16, unreachable=30, ineligible=6, unknown=80)


def test_s7_rates_follow_the_formulas_named() -> None:
    assert OFFICIALS.eligible_or_unknown == 256
    assert OFFICIALS.response_rate_1 == 120 / 256
    assert OFFICIALS.response_rate_2 == 130 / 256
    assert OFFICIALS.refusal_rate_1 == 16 / 256
    assert OFFICIALS.cooperation_rate_1 == 120 / 146


def test_s7_anonymous_modes_know_started_completed_and_abandoned() -> None:
    desk = Dispositions(complete=90, partial=10)
    assert (desk.started, desk.completion_rate) == (100, 0.9)
    assert desk + Dispositions(complete=10) == Dispositions(complete=100, partial=10)


def test_s7_nobody_asked_has_no_rate() -> None:
    assert Dispositions(ineligible=3).response_rate_1 is None
