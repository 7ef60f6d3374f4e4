"""Waves (« éditions ») of a survey: prepared, declared, taken through their life. Floor 4.

What the wave's headline figure counts, and by which rule, is declared before it opens and fixed from then on.
"""

from survey_app.waves.declaration import (
    change_wave,
    changes_of_move,
    create_wave,
    move_to_questionnaire,
    overlapping,
    plan_faults,
)
from survey_app.waves.life import (
    DELETE,
    STEPS,
    close_wave,
    dates_can_move,
    delete_wave,
    open_wave,
    publish_wave,
    reopen_wave,
    seal_wave,
    take_step,
    waiting_records,
    why_not,
)
from survey_app.waves.plan import WavePlan, plan_of
from survey_app.waves.rules import EXPECTED, METHODS, PlanFault
from survey_app.waves.states import (
    CLOSED,
    DRAFT,
    OPEN,
    PUBLISHED,
    SEALED,
    STATES,
    WaveError,
    find_wave,
    waves,
)

__all__ = [
    "CLOSED",
    "DELETE",
    "DRAFT",
    "EXPECTED",
    "METHODS",
    "OPEN",
    "PUBLISHED",
    "SEALED",
    "STATES",
    "STEPS",
    "PlanFault",
    "WaveError",
    "WavePlan",
    "change_wave",
    "changes_of_move",
    "close_wave",
    "create_wave",
    "dates_can_move",
    "delete_wave",
    "find_wave",
    "move_to_questionnaire",
    "open_wave",
    "overlapping",
    "plan_faults",
    "plan_of",
    "publish_wave",
    "reopen_wave",
    "seal_wave",
    "take_step",
    "waiting_records",
    "waves",
    "why_not",
]
