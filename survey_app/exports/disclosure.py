"""Which figures of a part of a wave stay hidden, so that nobody is recognised in them."""

from __future__ import annotations

from collections.abc import Mapping

from analysis.figures import Figures
from analysis.publication import suppress
from analysis.wave_report import HiddenAxis, WaveReport


def hidden_figures(groups: Mapping[str, Figures]) -> frozenset[tuple[str, str]]:
    """The (part, commitment) pairs that so few people make up that one of them could be recognised.

    A pair as small as that is hidden with a second one, so that the total does not give it away.
    """
    people: dict[str, dict[str, int]] = {}
    for part, figures in groups.items():
        for result in figures.commitments:
            people.setdefault(result.commitment, {})[part] = result.respondents
    return frozenset(
        (part, commitment)
        for commitment, respondents in people.items()
        for part in suppress(respondents, "staff").hidden
    )


def shown_hidden_axes(report: WaveReport) -> list[HiddenAxis]:
    """The sites below the threshold that a total hides, less those of so few people that they stay hidden."""
    hidden = hidden_figures(report.by_site)
    return [axis for axis in report.hidden_axes if (axis.site, axis.result.commitment) not in hidden]
