"""The screens of the tablet, for its preview: as ``client/src/screens.ts`` cuts them. Floor 5."""

from __future__ import annotations

from dataclasses import dataclass

from survey_app.questionnaire_view import GridView, QuestionnaireView, QuestionView, SectionView

Block = QuestionView | GridView


@dataclass(frozen=True)
class Screen:
    """One question or one grid, with the notes before it; the section that it stands in."""

    section: SectionView
    blocks: tuple[Block, ...]


def screens_of(view: QuestionnaireView) -> list[Screen]:
    """A note goes with what follows it, the last with what precedes."""
    screens: list[Screen] = []
    notes: tuple[Block, ...] = ()
    for section, block in ((one, block) for one in view.sections for block in one.blocks):
        notes += (block,)
        if isinstance(block, QuestionView) and block.type == "note":
            continue
        screens.append(Screen(section, notes))
        notes = ()
    if notes and screens:
        last = screens.pop()
        return [*screens, Screen(last.section, last.blocks + notes)]
    return screens or [Screen(view.sections[0], notes)]
