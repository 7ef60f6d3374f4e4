"""All definition faults in one list: code, what is wrong, how to mend it, in the authors’ French."""

# ruff: noqa: E501 - one fault per line is the table it should be

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Literal, NamedTuple

Severity = Literal["error", "warning"]


class FaultKind(NamedTuple):
    """One row of the table below. ``{…}`` are the parameters that the place of the fault fills in."""

    severity: Severity
    message: str
    remedy: str


class Place(NamedTuple):
    """Where something stands in a source. Lines and columns start at 1."""

    file: str
    line: int = 1
    column: int = 1


@dataclass(frozen=True)
class Fault:
    """One fault, told to the person who can mend it."""

    code: str
    severity: Severity
    file: str
    line: int
    column: int
    message: str
    remedy: str
    suggestion: str | None = None
    """The known word that was probably meant."""

    def __str__(self) -> str:
        meant = f" Vouliez-vous dire « {self.suggestion} » ?" if self.suggestion else ""
        label = "erreur" if self.severity == "error" else "avertissement"
        return f"{self.file}:{self.line}:{self.column}: {label} [{self.code}] : {self.message} {self.remedy}{meant}"


class DefinitionError(Exception):
    """A definition cannot be used. ``faults`` tells everything that is wrong with it, in reading order."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        super().__init__("\n".join(str(fault) for fault in faults))
        self.faults: tuple[Fault, ...] = tuple(faults)


_E: Severity = "error"
_W: Severity = "warning"

FAULTS: dict[str, FaultKind] = {
    # The file itself
    "file_missing": FaultKind(_E, "Le fichier est introuvable ou illisible.", "Vérifiez son nom et ses droits de lecture."),
    "file_kind_unknown": FaultKind(_E, "Ce fichier n’est d’aucun type connu.", "Donnez un fichier .yaml ou .po."),
    "not_utf8": FaultKind(_E, "Le fichier n’est pas du texte UTF-8.", "Enregistrez-le à nouveau avec l’encodage UTF-8."),
    "too_big": FaultKind(_E, "Le fichier dépasse {limit} Kio.", "Partagez-le en plusieurs fichiers."),
    "too_many_nodes": FaultKind(_E, "Le fichier contient plus de {limit} éléments.", "Partagez-le en plusieurs fichiers."),
    "too_deep": FaultKind(_E, "Plus de {limit} niveaux sont imbriqués.", "Simplifiez : un questionnaire n’en demande jamais autant."),
    "too_many_faults": FaultKind(_E, "Plus de {limit} fautes : les suivantes ne sont pas montrées.", "Corrigez celles-ci, puis vérifiez à nouveau."),
    "not_canonical": FaultKind(_E, "Ce n’est pas un questionnaire publié lisible : {problem}.", "Le fichier a été modifié après coup : reprenez l’original."),
    # The YAML
    "yaml_syntax": FaultKind(_E, "Ce n’est pas du YAML lisible : {problem}.", "{advice}"),
    "several_documents": FaultKind(_E, "Le fichier contient plusieurs documents.", "Retirez la ligne « --- » et ce qui la suit, ou faites-en un autre fichier."),
    "empty_file": FaultKind(_E, "Le fichier est vide.", "Partez d’un fichier existant."),
    "alias": FaultKind(_E, "Les renvois YAML (& et *) ne sont pas admis.", "Écrivez le texte en entier à cet endroit."),
    "tag": FaultKind(_E, "Les étiquettes YAML (!) ne sont pas admises.", "Retirez le mot qui commence par « ! », ou mettez le texte entre guillemets."),
    "key_not_text": FaultKind(_E, "Une clé doit être un mot simple.", "Écrivez « clé: valeur ». Un texte qui commence par une accolade se met entre guillemets."),
    "duplicate_key": FaultKind(_E, "La clé « {key} » est écrite deux fois (déjà à la ligne {first_line}).", "Gardez-en une seule."),
    # The form of a value
    "not_a_map": FaultKind(_E, "{what} s’écrit en lignes « clé: valeur ».", "Mettez les clés l’une sous l’autre, avec le même retrait."),
    "not_a_list": FaultKind(_E, "Une liste est attendue ici.", "Écrivez [a, b], ou une ligne « - … » par élément."),
    "list_too_short": FaultKind(_E, "La liste doit contenir au moins {minimum} élément(s).", "Ajoutez ce qui manque, ou retirez la clé."),
    "repeated_in_list": FaultKind(_E, "« {value} » est deux fois dans la liste.", "Gardez-le une seule fois."),
    "not_text": FaultKind(_E, "Un texte est attendu ici.", "Écrivez le texte sur la même ligne. S’il contient « : », mettez-le entre guillemets."),
    "empty_text": FaultKind(_E, "Le texte est vide.", "Écrivez-le, ou retirez la clé si elle est facultative."),
    "text_too_long": FaultKind(_E, "Le texte dépasse {limit} caractères.", "Raccourcissez-le."),
    "control_character": FaultKind(_E, "Le texte contient un caractère invisible interdit (U+{number}).", "Effacez ce passage et tapez-le à nouveau."),
    "not_a_name": FaultKind(_E, "« {value} » n’est pas un code.", "Un code commence par une lettre et n’a que des minuscules sans accent, des chiffres et « _ » (40 caractères au plus)."),
    "not_a_whole_number": FaultKind(_E, "« {value} » n’est pas un nombre entier.", "Écrivez le nombre en chiffres, sans espace ni virgule."),
    "number_out_of_bounds": FaultKind(_E, "{value} n’est pas entre {low} et {high}.", "Choisissez un nombre dans cet intervalle."),
    "not_true_or_false": FaultKind(_E, "« {value} » n’est ni true ni false.", "Écrivez true (vrai) ou false (faux)."),
    "unknown_word": FaultKind(_E, "« {value} » n’est pas admis ici.", "Les mots admis sont : {words}."),
    "unknown_key": FaultKind(_E, "La clé « {key} » n’existe pas dans {what}.", "Les clés admises sont : {words}."),
    "missing_key": FaultKind(_E, "Il manque la clé « {key} » dans {what}.", "Ajoutez-la."),
    "unknown_block": FaultKind(_E, "Ce bloc n’est ni une question, ni une grille, ni une note.", "Commencez-le par « item: », « grid: » ou « note: »."),
    # Names and what they refer to
    "duplicate_name": FaultKind(_E, "Le nom « {name} » est déjà pris à la ligne {first_line}.", "Donnez un autre nom à l’un des deux."),
    "duplicate_option": FaultKind(_E, "La modalité « {option} » est déjà à la ligne {first_line}.", "Donnez un autre code à l’une des deux."),
    "duplicate_scale": FaultKind(_E, "L’échelle « {scale} » existe déjà parmi les échelles partagées.", "Donnez-lui un autre nom, ou utilisez l’échelle partagée."),
    "unknown_type": FaultKind(_E, "Le type de question « {value} » n’existe pas.", "Les types sont : {words}."),
    "unknown_scale": FaultKind(_E, "L’échelle « {value} » n’existe pas.", "Les échelles sont : {words}. Les vôtres s’ajoutent dans scales.yaml."),
    "unknown_commitment": FaultKind(_E, "L’engagement « {value} » n’est pas dans le référentiel.", "Utilisez un code du fichier frameworks/{framework}.yaml, ou ajoutez-y l’engagement."),
    "unknown_framework": FaultKind(_E, "Le référentiel « {value} » n’existe pas.", "Les référentiels du dossier frameworks sont : {words}."),
    "unknown_site": FaultKind(_E, "Le site « {value} » n’est pas connu ici.", "Les sites sont : {words}."),
    "unknown_mode": FaultKind(_E, "Le questionnaire n’est pas prévu pour le mode « {value} ».", "Les modes du questionnaire sont : {words}."),
    "unknown_option": FaultKind(_E, "« {value} » n’est pas une modalité de « {item} ».", "Ses modalités sont : {words}."),
    # Questions
    "key_not_for_type": FaultKind(_E, "La clé « {key} » ne va pas avec une question de type {type}.", "Retirez-la, ou changez le type."),
    "options_missing": FaultKind(_E, "La question « {item} » n’a pas de modalités.", "Donnez-lui « options: » ou « scale: »."),
    "options_and_scale": FaultKind(_E, "La question « {item} » a des modalités et une échelle.", "Gardez l’une ou l’autre."),
    "faces_missing": FaultKind(_E, "Une question de satisfaction a besoin d’un visage pour chaque degré.", "Ajoutez « face: » (de 1 à 5) à chaque modalité de l’échelle, ou utilisez le type single_choice."),
    "exclusive_needs_multiple": FaultKind(_E, "« exclusive » n’a de sens que dans une question à choix multiple.", "Retirez « exclusive », ou utilisez le type multiple_choice."),
    "bounds_upside_down": FaultKind(_E, "Le minimum ({minimum}) est plus grand que le maximum ({maximum}).", "Échangez-les."),
    "only_absences": FaultKind(_E, "Aucune modalité n’est une vraie réponse.", "Retirez « role: » d’au moins une modalité."),
    # Rates and commitments
    "rate_unknown_option": FaultKind(_E, "Le taux nomme « {value} », qui n’est pas une modalité ici.", "Les modalités sont : {words}."),
    "rate_absence": FaultKind(_E, "« {value} » est une absence de réponse : elle ne peut pas compter comme favorable.", "Retirez-la de « favourable », ou retirez son « role: »."),
    "rate_overlap": FaultKind(_E, "« {value} » est à la fois favorable et exclue du taux.", "Gardez-la d’un seul côté."),
    "rate_always_favourable": FaultKind(_W, "Toutes les réponses comptent comme favorables : le taux sera toujours de 100 %.", "Vérifiez la liste « favourable »."),
    "rate_missing": FaultKind(_E, "La question « {item} » mesure un engagement, mais rien ne dit quelles réponses sont favorables.", "Ajoutez « rate: {{favourable: […]}} », ou utilisez une échelle qui le dit."),
    "commitment_without_rate": FaultKind(_E, "Une question de type {type} ne donne pas de taux : elle ne peut pas mesurer un engagement.", "Retirez « commitment: », ou utilisez un type à réponse unique."),
    "commitment_not_measured": FaultKind(_W, "Aucune question ne mesure l’engagement « {commitment} ».", "Ajoutez une question qui le mesure, ou retirez-le ici."),
    # Conditions
    "condition_form": FaultKind(_E, "La condition n’est pas lisible : {problem}.", "Écrivez par exemple {{is: [question, modalité]}}, {{answered: question}} ou {{not: {{…}}}}."),
    "condition_unknown_operator": FaultKind(_E, "L’opérateur « {value} » n’existe pas.", "Les opérateurs sont : {words}."),
    "condition_unknown_item": FaultKind(_E, "La condition nomme « {value} », qui n’est pas une question.", "Nommez une question placée plus haut."),
    "condition_later_item": FaultKind(_E, "La condition nomme « {value} », qui n’est pas placée plus haut (ligne {later_line}).", "Déplacez cette question avant celle-ci : on ne peut dépendre que d’une réponse déjà donnée."),
    "condition_without_options": FaultKind(_E, "« {value} » n’a pas de modalités à comparer.", "Utilisez {{answered: {value}}}."),
    "condition_on_note": FaultKind(_E, "« {value} » est une note : personne n’y répond.", "Nommez une question."),
    # Earlier published versions
    "duration_far": FaultKind(_W, "La durée annoncée est de {announced} min, ses questions en demandent environ {expected} là où il y en a le plus.", "Corrigez « estimated_minutes », ou changez le nombre de questions."),
    "item_name_reused": FaultKind(_E, "Le nom « {item} » a déjà servi à une autre question : « {label} ».", "Donnez un nouveau nom à cette question ; les résultats passés gardent l’ancien."),
    "option_code_reused": FaultKind(_E, "Le code « {option} » de « {item} » a déjà servi avec un autre sens : « {label} ».", "Donnez un nouveau code à cette modalité."),
    # The organisation
    "to_fill": FaultKind(_W, "« {key} » n’est pas encore rempli.", "Écrivez la valeur de votre préfecture à la place de null."),
    # Translations
    "po_syntax": FaultKind(_E, "Le fichier de traduction n’est pas lisible : {problem}.", "Vérifiez les guillemets et les mots msgid et msgstr."),
    "po_language": FaultKind(_E, "Le fichier de traduction ne porte pas le nom d’une langue connue.", "Nommez-le d’après la langue : {words}."),
    "translation_missing": FaultKind(_W, "Pas de traduction ({language}) pour « {text} ».", "Ajoutez-la ; en attendant, le texte français est montré."),
    "translation_stale": FaultKind(_W, "Le texte français « {text} » n’existe plus ({language}).", "Reprenez la traduction sous le nouveau texte français, puis retirez celle-ci."),
    "translation_typography": FaultKind(_W, "Le texte français « {text} » ne s’écrit pas tout à fait ainsi dans le questionnaire ({language}) : ses espaces insécables ou ses apostrophes diffèrent.", "Copiez-le du questionnaire ; en attendant, le texte français est montré."),
    "translation_fuzzy": FaultKind(_W, "La traduction de « {text} » est marquée à relire ({language}).", "Relisez-la et retirez « fuzzy » ; en attendant, le texte français est montré."),
}  # fmt: skip
"""Every fault there is. A test proves for each one that it fires."""

FAULT_LIMIT = 200
_SHOWN = 60
_LENGTHS = {"words": 400, "advice": 200, "problem": 200}


def fault(code: str, place: Place, suggestion: str | None = None, **parameters: object) -> Fault:
    """The fault of this code at this place, its message filled in."""
    kind = FAULTS[code]
    shown = {name: shortened(str(value), _LENGTHS.get(name, _SHOWN)) for name, value in parameters.items()}
    message, remedy = kind.message.format(**shown), kind.remedy.format(**shown)
    return Fault(code, kind.severity, place.file, place.line, place.column, message, remedy, suggestion)


def shortened(value: str, length: int = _SHOWN) -> str:
    """An author's text as it may be quoted in a message: short, on one line, without invisible characters."""
    visible = re.sub(
        r"[\x00-\x1f\x7f-\x9f\ud800-\udfff\u202a-\u202e\u2066-\u2069]+", " ", value[: length + 1]
    )
    return visible if len(visible) <= length else visible[: length - 1] + "…"


def nearest(word: str, known: Iterable[str]) -> str | None:
    """The known word that was probably meant, or None. Long words are not compared: it would take too long."""
    if len(word) > _SHOWN:
        return None
    lowered = word.casefold().replace("-", "_").replace(" ", "_")
    return next(iter(get_close_matches(lowered, list(known), n=1, cutoff=0.6)), None)


def listed(words: Iterable[str]) -> str:
    """Words for a message: ``a, b, c``."""
    return ", ".join(words) or "(aucun)"


class TooManyFaultsError(Exception):
    """Ends the reading of a source that has :data:`FAULT_LIMIT` faults already."""


class Report:
    """Collects the faults of one source."""

    def __init__(self, file: str) -> None:
        self.file = file
        self._faults: list[Fault] = []

    def add(
        self, code: str, line: int, column: int, suggestion: str | None = None, **parameters: object
    ) -> None:
        """Note a fault. Raises TooManyFaultsError when there are enough to work on."""
        self._faults.append(fault(code, Place(self.file, line, column), suggestion, **parameters))
        if len(self._faults) >= FAULT_LIMIT:
            self._faults.append(fault("too_many_faults", Place(self.file, line, column), limit=FAULT_LIMIT))
            raise TooManyFaultsError

    @property
    def faults(self) -> tuple[Fault, ...]:
        """What was found, in reading order."""
        return tuple(sorted(self._faults, key=lambda found: (found.line, found.column)))

    @property
    def has_errors(self) -> bool:
        """Whether the source cannot be used."""
        return any(found.severity == "error" for found in self._faults)
