"""What people say of numbers that never arrived, and of a tablet that keeps silent or came twice.

It stays: nobody takes an explanation back, and the log names who gave it.
"""

from __future__ import annotations

import datetime as dt
from typing import Any, Final

from sqlalchemy.orm import Session

from survey_app.device_models import Device, GapExplanation, TabletExplanation
from survey_app.models import AuditEntry, Wave
from survey_app.responses.chains import chains
from survey_app.responses.tablet_accounts import accounts_of

SHORTEST_REASON: Final = 10
"""Letters: « x » explains nothing to whoever reads it next year."""


class ExplanationError(ValueError):
    """This explanation cannot be kept; the message (French) says why."""


def explain_gap(
    session: Session, device: Device, first: int, last: int, reason: str, *, by: str, confirmed: bool = False
) -> None:
    """Answer for numbers that never arrived.

    Raises `ExplanationError` where they did, where nobody gives a reason, or where the tablet says that it
    still has them and nobody ``confirmed`` that it will not send them.
    """
    gaps = [
        gap
        for gap in chains(session, [device])[device.id].unexplained
        if gap.first <= first <= last <= gap.last
    ]
    if not gaps:
        raise ExplanationError("Ces numéros ne manquent plus, ou sont déjà expliqués\u00a0: relisez la page.")
    if gaps[0].held and not confirmed:
        raise ExplanationError(
            "La tablette dit qu’elle garde encore ces questionnaires\u00a0: attendez qu’elle les envoie, "
            "ou confirmez qu’elle ne les enverra plus."
        )
    words = {"first_seq": first, "last_seq": last, "reason": _checked(reason)}
    now = dt.datetime.now(dt.UTC)
    session.add(GapExplanation(device_id=device.id, **words, explained_by=by, explained_at=now))
    _log(
        session, "gap-explained", device, {**words, **({"still_held": True} if gaps[0].held else {})}, by, now
    )


def explain_doubt(session: Session, wave: Wave, device: Device, kind: str, reason: str, *, by: str) -> None:
    """Answer for a tablet that keeps silent, or whose numbers came twice. Raises `ExplanationError`."""
    account = next((one for one in accounts_of(session, wave) if one.device.id == device.id), None)
    if account is None or kind not in account.unexplained:
        raise ExplanationError("Il n’y a plus rien à expliquer pour cette tablette\u00a0: relisez la page.")
    words = {"kind": kind, "reason": _checked(reason)}
    now = dt.datetime.now(dt.UTC)
    key = {"wave_id": wave.id, "device_id": device.id}
    session.add(TabletExplanation(**key, **words, explained_by=by, explained_at=now))
    _log(session, "tablet-explained", device, {"wave": wave.id, **words}, by, now)


def _checked(reason: str) -> str:
    if len(reason) < SHORTEST_REASON:
        raise ExplanationError(
            f"Écrivez ce que vous savez, en {SHORTEST_REASON} caractères au moins\u00a0: "
            "l’explication ne s’efface plus."
        )
    return reason


def _log(
    session: Session, action: str, device: Device, detail: dict[str, Any], by: str, now: dt.datetime
) -> None:
    session.add(AuditEntry(at=now, actor=by, action=action, subject=device.name, detail=detail))
