"""What staff may see of a report: pages and files read its figures through here alone. Floor 4."""

from __future__ import annotations

from analysis.disclosure import ShownReport
from analysis.wave_report import WaveReport


def for_staff(report: WaveReport) -> ShownReport:
    """The report without the figures of fewer than five people, nor those that would give them away.

    Who answers by a personal link is promised eleven, whoever reads.
    """
    return ShownReport(report, "public" if report.settings.strata else "staff")
