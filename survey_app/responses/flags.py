"""Everything that can be doubtful about a record, and whether its response is counted all the same.

A flag never refuses and never deletes. A response that is not counted waits on the review list, where the
referent may count it (see :mod:`survey_app.responses.set_aside`). The table in README.md is this one.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Flag:
    """One kind of doubt. Not ``countable``: there is nothing that could be counted, even by decision."""

    code: str
    counted: bool
    meaning: str
    countable: bool = True


OTHER_DEVICE = "other_device"
OTHER_PERSON = "other_person"
COUNTED_APART = "counted_apart"
IMPORTED = "imported"
UNPROVED = "unproved"
FLAGS: Mapping[str, Flag] = {
    flag.code: flag
    for flag in (
        Flag("unreadable_body", False, "Le contenu du questionnaire est illisible", countable=False),
        Flag("unknown_wave", False, "L’édition nommée n’existe pas ici", countable=False),
        Flag("unknown_digest", False, "Cette version du questionnaire n’existe pas ici", countable=False),
        Flag("digest_not_in_wave", False, "Cette version n’a jamais servi dans cette édition"),
        Flag("not_yet_open", False, "Reçue avant l’ouverture de l’édition"),
        Flag("closed_wave", False, "Remplie après la clôture de l’édition"),
        Flag("sealed_wave", False, "Reçue après le scellement de l’édition"),
        Flag("revoked_device", False, "Envoyée par une tablette révoquée"),
        Flag("burst", False, "Rafale\u00a0: beaucoup de réponses de la même origine en peu de temps"),
        Flag(OTHER_DEVICE, False, "Révision venue d’ailleurs que le premier envoi du même numéro"),
        Flag(OTHER_PERSON, False, "Contenu arrivé sous un numéro déjà pris, tenu pour une autre personne"),
        Flag(COUNTED_APART, False, "Mêmes réponses qu’un contenu déjà compté comme d’une autre personne"),
        Flag("sent_anew", False, "Envoyée depuis une page qui avait déjà envoyé d’autres réponses"),
        Flag("second_finish", False, "Le même questionnaire avait déjà été terminé autrement"),
        Flag("late", True, "Remplie à temps, reçue après la clôture"),
        Flag("old_digest", True, "Remplie avec une version antérieure de cette édition"),
        Flag("old_page", True, "Page du site laissée ouverte plus de douze heures avant l’envoi"),
        Flag("clock", True, "Horloge de l’appareil inutilisable\u00a0: jour de réception retenu"),
        Flag("invalid_answer", True, "Une réponse inadmissible, gardée à part, non comptée"),
        Flag("unknown_answer", True, "Une réponse à une question inconnue, gardée à part, non comptée"),
        Flag("off_path", True, "Une réponse à une question non posée, gardée à part, non comptée"),
        Flag("repaired_text", True, "Un caractère impossible remplacé dans un texte"),
        Flag(
            "conflict",
            True,
            "D’autres octets sont arrivés sous le même numéro\u202f; les premiers sont retenus",
        ),
        Flag("foreign_device", True, "Le questionnaire nomme une autre tablette que celle qui l’a envoyé"),
        Flag(UNPROVED, False, "Apportée par un fichier sans la signature de sa tablette"),
        Flag(IMPORTED, True, "Apportée par un fichier de secours, importé par un agent (voir le journal)"),
        Flag("unknown_site", True, "Site inconnu\u00a0: compté sans site"),
        Flag("site_not_in_wave", True, "Site non prévu par l’édition\u00a0: compté à part"),
        Flag("mode_not_in_wave", True, "Mode de recueil non prévu par l’édition\u00a0: compté à part"),
        Flag("unknown_language", True, "Langue inconnue"),
        Flag("language_not_in_wave", True, "Langue non prévue par l’édition"),
    )
}


def counted_by_default(flags: Iterable[str], *, practice: bool) -> bool:
    """Whether a response with these flags enters the tallies without anybody deciding so."""
    return not practice and all(_flag(code).counted for code in flags)


def countable(flags: Iterable[str], *, practice: bool) -> bool:
    """Whether a response with these flags could be counted by decision."""
    return not practice and all(_flag(code).countable for code in flags)


def _flag(code: str) -> Flag:
    """A code this version does not know (written by a newer one) is never counted by guess."""
    return FLAGS.get(code, Flag(code, False, code))
