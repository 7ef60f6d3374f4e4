"""Is this tablet well? One colour, and each reason in a sentence that says what to do. Floor 4."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from survey_app.access import REVOKED
from survey_app.device_models import Device
from survey_app.responses.chains import Chain, numbers
from survey_app.responses.unidentified import UNIDENTIFIED

RED: Final = "red"
AMBER: Final = "amber"
GREEN: Final = "green"
OFF: Final = "off"
COLOURS: Final[Mapping[str, str]] = {
    RED: "✖ à traiter",
    AMBER: "▲ à surveiller",
    GREEN: "✔ tout va bien",
    OFF: "○ hors service",
}
"""Worst first: shape and words, so that a state is never told by its colour alone."""

SILENT: Final = timedelta(hours=24)
LOST: Final = timedelta(hours=72)
"""A weekend is silence; more is not."""
CLOCK_TOLERANCE: Final = timedelta(minutes=5)
LOW_BATTERY: Final = 20
MANY_PIN_FAILURES: Final = 10

READINESS: Final[Mapping[str, str]] = {
    "insecure": "son adresse n’est pas protégée (https)",
    "worker": "l’application n’est pas installée entièrement",
    "assets": "des fichiers de l’application manquent ou sont abîmés",
    "persistence": "son navigateur peut effacer ce qu’elle garde (installez l’application sur l’écran "
    "d’accueil)",
    "durability": "le navigateur n’écrit pas tout de suite sur le disque",
    "write_probe": "elle n’arrive plus à écrire sur son disque",
    "clock": "son horloge est fausse",
    "last_receipt": "le serveur n’a rien confirmé depuis longtemps",
}
"""What a tablet's own check found wrong, by the code it sends."""


@dataclass(frozen=True)
class Situation:
    """All that is known of a tablet now."""

    device: Device
    chain: Chain
    now: datetime
    bundle: str | None
    """The digest of the bundle that tablets are to hold, where there is one."""

    @property
    def revoked(self) -> bool:
        """Whether it may ask nobody any more."""
        return self.device.state == REVOKED


@dataclass(frozen=True)
class Health:
    """The colour of a tablet and why."""

    device: Device
    chain: Chain
    colour: str
    reasons: tuple[str, ...]

    @property
    def rank(self) -> tuple[int, int, str, str]:
        """Worst first, then those with more to do."""
        return (list(COLOURS).index(self.colour), -len(self.reasons), self.device.site, self.device.name)


Reason = tuple[str, str]


def health_of(situation: Situation) -> Health:
    """The worst of all reasons gives the colour; one that was revoked or replaced is out of service."""
    device = situation.device
    in_service = not (situation.revoked or device.replaced_by)
    rules = (
        _OF_ONE_UNKNOWN if device.state == UNIDENTIFIED else _IN_SERVICE if in_service else _OUT_OF_SERVICE
    )
    found = [reason for rule in rules for reason in rule(situation)]
    colours = [colour for colour, _ in found]
    calm = GREEN if in_service else OFF
    colour = next((colour for colour in (RED, AMBER) if colour in colours), calm)
    ordered = sorted(found, key=lambda reason: list(COLOURS).index(reason[0]))
    return Health(situation.device, situation.chain, colour, tuple(sentence for _, sentence in ordered))


def _many(number: int, one: str, several: str) -> str:
    return f"{number} {one if number == 1 else several}"


def _silent(s: Situation) -> Iterator[Reason]:
    if s.device.last_contact_at is None:
        yield AMBER, "N’a encore jamais donné de nouvelles."
        return
    silence = s.now - s.device.last_contact_at
    if silence <= SILENT:
        return
    days = _many(max(1, silence.days), "jour", "jours")
    holds = bool(s.chain.waiting or s.device.former)
    yield (
        RED if silence > LOST or holds else AMBER,
        f"Sans nouvelles depuis {days}\u00a0: vérifiez qu’elle est allumée et reliée au réseau.",
    )


def _waiting(s: Situation) -> Iterator[Reason]:
    if s.device.quarantined:
        words = _many(
            s.device.quarantined,
            "envoi est refusé par le serveur\u00a0: exportez-le",
            "envois sont refusés par le serveur\u00a0: exportez-les",
        )
        yield RED, f"{words} depuis la tablette et prévenez le technicien."
    left = s.chain.waiting - (s.device.quarantined or 0) - (s.device.drafts or 0)
    if left > 0:
        yield AMBER, f"{_many(left, 'envoi attend', 'envois attendent')} sur la tablette."
    if s.device.former:
        left = s.device.former
        yield (
            AMBER,
            _many(
                left,
                "envoi d’une ancienne inscription attend dessus.",
                "envois d’une ancienne inscription attendent dessus.",
            ),
        )


def _gaps(s: Situation) -> Iterator[Reason]:
    """Numbers that the tablet still holds are only late. An older application tells how many, not which."""
    gone = sum(gap.size for gap in s.chain.lost) - (s.chain.waiting if s.device.held is None else 0)
    if gone > 0:
        words = _many(gone, "questionnaire n’est jamais arrivé", "questionnaires ne sont jamais arrivés")
        yield RED, f"{words} (numéros manquants\u00a0: {numbers(s.chain.lost)})."


def _forks(s: Situation) -> Iterator[Reason]:
    if s.chain.forks:
        yield (
            RED,
            f"Deux tablettes se servent de la même inscription (numéro {s.chain.forks[0].seq})\u00a0: "
            "tout est gardé\u202f; révoquez-la et inscrivez-les de nouveau.",
        )


def _readiness(s: Situation) -> Iterator[Reason]:
    colour = s.device.readiness
    if colour in (RED, AMBER):
        code = s.device.readiness_reason or ""
        found = (code == "clock" and _wrong_clock(s)) or READINESS.get(code, code or "sans dire pourquoi")
        head = "Elle refuse de recueillir des avis" if colour == RED else "Elle demande une vérification"
        yield colour, f"{head}\u00a0: {found}."


def _asks_about(s: Situation) -> str | None:
    """What its own check has found already: it is said once."""
    return s.device.readiness_reason if s.device.readiness in (RED, AMBER) else None


def _application(s: Situation) -> Iterator[Reason]:
    is_old = None not in (s.device.app_digest, s.bundle) and s.device.app_digest != s.bundle
    if is_old and _asks_about(s) not in ("worker", "assets"):
        yield AMBER, "Elle garde une version ancienne de l’application ou des questionnaires."


def _clock(s: Situation) -> Iterator[Reason]:
    wrong = _wrong_clock(s)
    if wrong and _asks_about(s) != "clock":
        yield AMBER, f"{wrong[0].upper()}{wrong[1:]}."


def _wrong_clock(s: Situation) -> str:
    """By how much it is wrong; nothing where it is right."""
    offset = timedelta(milliseconds=s.device.clock_offset_ms or 0)
    if abs(offset) <= CLOCK_TOLERANCE:
        return ""
    minutes = round(abs(offset) / timedelta(minutes=1))
    return f"son horloge {'retarde' if offset > timedelta() else 'avance'} de {_span(minutes)}"


def _span(minutes: int) -> str:
    """« 12 minutes », « 3 heures », « 40 jours »."""
    for size, one in ((24 * 60, "jour"), (60, "heure")):
        if minutes >= 2 * size:
            return f"{minutes // size} {one}s"
    return f"{minutes} minutes"


def _storage(s: Situation) -> Iterator[Reason]:
    if s.device.persisted is False and _asks_about(s) != "persistence":
        yield (
            AMBER,
            "Son navigateur peut effacer ce qu’elle garde\u00a0: "
            "installez l’application sur l’écran d’accueil.",
        )


def _battery(s: Situation) -> Iterator[Reason]:
    percent = s.device.battery_percent
    if percent is not None and percent < LOW_BATTERY and s.device.charging is not True:
        yield AMBER, f"Batterie à {percent}\u202f%\u00a0: branchez-la."


def _pin(s: Situation) -> Iterator[Reason]:
    if (s.device.pin_failures or 0) >= MANY_PIN_FAILURES:
        yield AMBER, f"Le code de l’agent a été mal tapé {s.device.pin_failures} fois."


def _unidentified(_: Situation) -> Iterator[Reason]:
    yield (
        RED,
        "Ce serveur ne la connaît plus (base remise depuis une sauvegarde\u202f?)\u00a0: ce qu’elle envoie "
        "attend que vous disiez laquelle c’est.",
    )


def _queue_of_revoked(s: Situation) -> Iterator[Reason]:
    if not s.revoked:
        yield from _waiting(s)
    elif waiting := s.chain.waiting + (s.device.former or 0):
        left = _many(waiting, "envoi attend", "envois attendent")
        yield (
            RED,
            f"Révoquée, et {left} encore dessus\u00a0: "
            "reliez-la au réseau, ce qu’elle envoie est gardé à part.",
        )


_IN_SERVICE: Final[Sequence[Callable[[Situation], Iterator[Reason]]]] = (
    _forks,
    _gaps,
    _waiting,
    _readiness,
    _silent,
    _storage,
    _application,
    _clock,
    _battery,
    _pin,
)
_OUT_OF_SERVICE: Final[Sequence[Callable[[Situation], Iterator[Reason]]]] = (_queue_of_revoked, _forks, _gaps)
_OF_ONE_UNKNOWN: Final[Sequence[Callable[[Situation], Iterator[Reason]]]] = (_unidentified, _waiting, _forks)
