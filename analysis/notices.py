"""What every output says about its figures, in French: these sentences are the keys of the translations."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from analysis import rates
from analysis.axes import CommitmentRule, Verdict

Audience = Literal["users", "elected_officials"]

NOT_MEASURED = (
    "L’intervalle mesure seulement le hasard dû au nombre de réponses. Il ne mesure ni les refus, "
    "ni le choix des personnes interrogées, ni l’effet de la présence d’un agent."
)
NOT_MEASURED_NON_RESPONSE = (
    "Pour les élus, il ne mesure pas non plus la non-réponse\u00a0: "
    "ceux qui n’ont pas répondu peuvent avoir un autre avis."
)
OFFICIAL_RULE = (
    "Axe d’amélioration\u00a0: taux strictement inférieur au seuil, comparé sur les nombres entiers "
    "de réponses, avant tout arrondi. Un taux égal au seuil n’est pas un axe."
)
SECOND_LINE = (
    "Ce que l’on peut dire\u00a0: l’intervalle comparé au seuil. Cette lecture complète le constat officiel, "
    "elle ne le change jamais."
)
ROUNDING = (
    "Les taux sont arrondis à une décimale, vers le haut quand ils sont à mi-chemin\u202f; leur somme peut "
    "différer de 100. Les bornes des intervalles sont arrondies vers l’extérieur."
)
ABSENCES = (
    "La base compte les réponses exprimées. «\u202fNon concerné\u202f», «\u202fsans opinion\u202f», "
    "«\u202fsans réponse\u202f» et «\u202fnon posée\u202f» sont comptés à part et n’y entrent pas."
)

KNOWN_STRATA = (
    "La population est connue, pour l’ensemble et pour chaque partie\u00a0: l’intervalle en tient compte, "
    "comme si les réponses avaient été tirées au sort. Chaque réponse compte une fois, sans pondération. "
    "Quand toute une partie a répondu, il n’y a pas d’intervalle."
)

RULES: Mapping[CommitmentRule, str] = {
    "pooled": "toutes les réponses aux questions de l’engagement, ensemble",
    "every_item": "chaque question doit atteindre le seuil\u202f; la moins bonne décide",
}

VERDICTS: Mapping[Verdict, str] = {
    Verdict.BELOW: "en dessous du seuil",
    Verdict.NOT_DISTINGUISHABLE: "pas distinguable du seuil",
    Verdict.ABOVE: "au niveau du seuil ou au-dessus",
    Verdict.TOO_FEW: "trop peu de réponses",
}

METHODS: Mapping[str, tuple[str, str]] = {
    "wilson": ("Wilson", "intervalle du score de Wilson"),
    "clopper_pearson": ("Clopper-Pearson", "intervalle exact de Clopper et Pearson"),
    "jeffreys": ("Jeffreys", "intervalle de Jeffreys, bornes 0 et 1 atteintes"),
    "hypergeometric": (
        "exact",
        "intervalle exact en nombre de personnes, pour une population connue (loi hypergéométrique)",
    ),
    rates.CENSUS: ("recensement", "toute la population a répondu, il n’y a pas d’intervalle"),
    rates.ONE_RESPONDENT: ("une personne", "une seule personne a répondu, il n’y a pas d’intervalle"),
    rates.EVERY_ITEM: ("chaque question", "la question la moins bonne décide, sans intervalle d’ensemble"),
}
"""Short name and description of every ``method`` of a result."""

ASSUMPTIONS: Mapping[str, str] = {
    rates.SAID[rates.INDEPENDENCE_ASSUMED]: "indépendance supposée",
    rates.SAID[rates.APPROXIMATE_POPULATION]: "population approchée",
}

FLAGS: Mapping[str, str] = {
    rates.INDEPENDENCE_ASSUMED: (
        "Indépendance supposée\u00a0: sans les réponses par personne, l’intervalle d’un engagement "
        "à plusieurs questions est trop étroit."
    ),
    rates.NO_VARIANCE: (
        "Toutes les personnes ont répondu de la même façon\u00a0: l’intervalle compte les personnes, "
        "pas les réponses."
    ),
    rates.APPROXIMATE_POPULATION: "La correction pour population connue est approchée.",
}


def what_is_not_measured(audience: Audience) -> tuple[str, ...]:
    """What must stand beside every interval."""
    officials = (NOT_MEASURED_NON_RESPONSE,) if audience == "elected_officials" else ()
    return (NOT_MEASURED, *officials)


def method_notes(audience: Audience, *, strata: bool = False) -> tuple[str, ...]:
    """All that a method sheet or the foot of a page says about the figures; ``strata``: their N are known."""
    known = (KNOWN_STRATA,) if strata else ()
    return (OFFICIAL_RULE, SECOND_LINE, ABSENCES, ROUNDING, *known, *what_is_not_measured(audience))


def method_in_words(method: str) -> str:
    """A result's ``method`` described in French; what was assumed is said by its flags."""
    return METHODS[method.partition(", ")[0]][1]


def method_label(method: str) -> str:
    """A result's ``method`` in short, with what was assumed: « Wilson, indépendance supposée »."""
    name, *assumptions = method.split(", ")
    return ", ".join([METHODS[name][0], *(ASSUMPTIONS[assumption] for assumption in assumptions)])
