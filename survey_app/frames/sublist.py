"""Part of a list: the communes that an event concerned, an arrondissement, an office. Floor 4."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from survey_app.frames.files import FrameError
from survey_app.invitation_models import SampledUnit

NAMED_AT_MOST = 10


@dataclass(frozen=True)
class Sublist:
    """What of a list is asked. Who is in it meets every criterion given; without any, it is everybody."""

    codes: str = ""
    """INSEE codes or SIREN as they were pasted: any separators, one or several a line."""
    arrondissements: Sequence[str] = ()
    offices: Sequence[str] = ()

    @property
    def is_everybody(self) -> bool:
        """Whether nobody is left out."""
        return not (self.codes.strip() or self.arrondissements or self.offices)


def chosen_units(units: Sequence[SampledUnit], sublist: Sublist) -> list[SampledUnit]:
    """The units of a sublist, in the order of the list.

    Raises
    ------
    FrameError
        In French: every pasted code that the list does not have, with its line; or nobody is left.
    """
    codes = _read_codes(sublist.codes, {unit.authority_code for unit in units})
    found = [
        unit
        for unit in units
        if (not codes or unit.authority_code in codes)
        and _among(unit.arrondissement, sublist.arrondissements)
        and _among(unit.office, sublist.offices)
    ]
    if not found:
        raise FrameError("Aucun destinataire\u00a0: personne de cette liste ne répond à tous ces critères.")
    return found


def _among(value: str | None, wanted: Collection[str]) -> bool:
    return not wanted or (value or "") in wanted


def _read_codes(pasted: str, known: Collection[str]) -> set[str]:
    """The codes of a paste; a commune may be followed by its name only where the name holds no digit."""
    found: set[str] = set()
    unknown: list[str] = []
    for number, line in enumerate(pasted.splitlines(), 1):
        codes = re.findall(r"\b(?=\w*\d)\w+\b", line.upper())
        found |= {code for code in codes if code in known}
        unknown += [f"ligne {number}, «\u202f{code[:20]}\u202f»" for code in codes if code not in known]
        if line.strip() and not codes:
            unknown.append(f"ligne {number}, «\u202f{line.strip()[:20]}\u202f»")
    if unknown:
        more = f", et {len(unknown) - NAMED_AT_MOST} autres" if len(unknown) > NAMED_AT_MOST else ""
        raise FrameError(
            f"Codes absents de cette liste\u00a0: {', '.join(unknown[:NAMED_AT_MOST])}{more}. "
            "Écrivez des codes INSEE de commune ou des SIREN, comme 79191. Rien n’est fixé."
        )
    return found
