"""What in a free text may name somebody: a proposal for the eyes of the referent, never a proof. Floor 5.

Names are found by the title before them (« Mme », « Dr »), by a common first name, or as two capitalised
words; addresses, telephones, plates and numbers of the social security by their shape. What is not found may
name somebody all the same.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

WORDS: Final = {
    "email": "adresse électronique",
    "social_security": "numéro de sécurité sociale",
    "phone": "téléphone",
    "plate": "plaque d’immatriculation",
    "name": "nom",
}
"""Kind of mention → what the page calls it (French)."""

_UPPER: Final = "A-ZÀÂÄÇÉÈÊËÎÏÔÖÙÛÜŸŒÆ"
_LOWER: Final = "a-zàâäçéèêëîïôöùûüÿœæ"
_GAP: Final = "[ \u00a0\u202f]"
_SEPARATOR: Final = "[ .\\-/\u00a0\u202f]?"
_NAME: Final = rf"[{_UPPER}](?:[{_LOWER}]+|[{_UPPER}]+|['’][{_UPPER}][{_LOWER}{_UPPER}]+)" + (
    rf"(?:[-'’][{_UPPER}{_LOWER}]+)*"
)
_PARTICLE: Final = rf"(?:(?:de|du|des|de la|le){_GAP}|d['’])?"
_CHAIN: Final = rf"{_NAME}(?:{_GAP}{_PARTICLE}{_NAME})*"
_PATTERNS: Final = {
    kind: re.compile(pattern)
    for kind, pattern in {
        "email": rf"(?<![\w.+-])[\w.+-]{{1,64}}{_GAP}?(?:@|[(\[]at[)\]]|arobase){_GAP}?"
        r"[\w-]{1,63}(?:\.[\w-]{1,63})+",
        "social_security": rf"(?<!\d)[12]{_SEPARATOR}\d\d{_SEPARATOR}(?:0[1-9]|1[0-2]|[2-9]\d){_SEPARATOR}"
        rf"(?:\d\d|2[AB]){_SEPARATOR}\d{{3}}{_SEPARATOR}\d{{3}}(?:{_SEPARATOR}\d\d)?(?!\d)",
        "phone": rf"(?<!\d)(?:(?:\+|00)33{_SEPARATOR}(?:\(0\))?|0)[1-9](?:{_SEPARATOR}\d\d){{4}}(?!\d)",
        "plate": r"(?i:\b(?:[a-hj-np-tv-z]{2}[ \-\u00a0]?\d{3}[ \-\u00a0]?[a-hj-np-tv-z]{2}"
        r"|\d{2,4}[ \-\u00a0][a-z]{2,3}[ \-\u00a0](?:\d\d|2[ab]))\b)",
    }.items()
}
_TITLED: Final = re.compile(
    rf"(?<![\w'’])(?:(?i:monsieur|madame|mademoiselle|docteur|ma[îi]tre)|Me){_GAP}+{_PARTICLE}({_CHAIN})"
    rf"|(?<![\w'’])(?i:mmes?|mlles?|mrs?|mm\.|m\.|drs?\.?){_GAP}+({_CHAIN}|[{_LOWER}-]{{3,}})"
)
_WORD: Final = re.compile(_NAME)
_CHAINED: Final = re.compile(rf"(?<![\w'’-]){_CHAIN}")
_PARTS: Final = re.compile(r"[\s\u00a0\u202f’'-]+")


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


FIRST_NAMES: Final = _words("""
    adrien agnès alain albert alexandra alexandre alexis alice aline amandine amélie anaïs andré andrée
    angélique anne annie anthony antoine arnaud arthur audrey aurélie aurélien baptiste benjamin benoît
    bernadette bernard bertrand brigitte bruno béatrice camille carole caroline catherine chantal charles
    charlotte chloé christelle christian christiane christine christophe claire claude claudine clément
    colette corinne cyril cécile cédric céline damien daniel danielle david delphine denis denise didier
    dominique emma emmanuel emmanuelle estelle eugénie fabien fabienne fabrice fatima fernand florence
    florian franck françois françoise frédéric frédérique gabriel gaël gaëtan geneviève georges germaine
    ghislaine gilbert gilles ginette gisèle grégory guillaume guy gérald gérard henri hervé hugo hugues
    hélène inès irène isabelle jacqueline jacques jean jeanne jeannine jocelyne joseph josette josiane joël
    joëlle julie julien juliette justine jérémy jérôme karine kévin laura laure laurence laurent laëtitia
    liliane lionel louis louise loïc luc lucas lucie lucien ludovic léa léo léon madeleine manon marc marcel
    marie marine marion marthe martin martine maryse mathieu mathilde matthieu maurice maxime michaël michel
    micheline michèle mohamed monique muriel mylène mélanie nadia nadine nadège nathalie nathan nicolas
    nicole noémie odette odile olivier pascal pascale patrice patricia patrick paul paulette pauline
    philippe pierre pierrette quentin rachel raphaël raymond renée robert roger roland romain rose régine
    régis rémi sabrina samuel sandra sandrine sarah serge simon simone solange sonia sophie stéphane
    stéphanie suzanne sylvain sylvie sébastien séverine thibault thierry thomas théo thérèse tiphaine
    valentin valérie vanessa victor vincent virginie viviane véronique xavier yann yannick yasmine yolande
    yves yvette yvon yvonne zoé édith édouard éliane élisabeth élise élodie émilie éric étienne évelyne
""")
_ALSO_WORDS: Final = _words("claire guy laure marine martin rose victor")
"""First names that are words, places or family names too: alone they name nobody."""

_ARTICLES: Final = _words("le la les")
_NO_NAMES: Final = _words("""
    adjoint adjointe agent au bonjour cabinet ce cette chambre chef cheffe collège communauté commune
    conseil conseiller conseillère dans de des deux directeur direction directrice docteur du département
    député députée elle en est et il ils je l la le les lycée madame mademoiselle maire mairie maître merci
    mesdames messieurs ministre mission mlle mme mon monsieur mr notre nous on pas pays place pour
    préfecture préfet préfète président présidente que qui région république saint sainte secrétaire
    secrétariat service services sous syndicat sénateur sénatrice très un une union val votre à état
""")
"""What begins an office, a service, a place or a sentence: no name of a person."""


@dataclass(frozen=True)
class Mention:
    """Where in the text, and what kind."""

    start: int
    end: int
    kind: str
    """A key of `WORDS`."""


def mentions(text: str) -> list[Mention]:
    """What may name somebody, in the order of the text; of two that overlap the one that begins first."""
    found = sorted(_all(text), key=lambda one: (one.start, -one.end))
    kept: list[Mention] = []
    for one in found:
        if not kept or one.start >= kept[-1].end:
            kept.append(one)
    return kept


def pieces(text: str) -> Iterator[tuple[str, str]]:
    """The whole text in pieces, each with what it may be (French) or nothing."""
    at = 0
    for one in mentions(text):
        yield text[at : one.start], ""
        yield text[one.start : one.end], WORDS[one.kind]
        at = one.end
    yield text[at:], ""


def _all(text: str) -> Iterator[Mention]:
    for kind, pattern in _PATTERNS.items():
        for found in pattern.finditer(text):
            yield Mention(found.start(), found.end(), kind)
    for found in _TITLED.finditer(text):
        group = 1 if found[1] else 2
        parts = _parts(found[group])
        named = parts[1:] if parts[0] in _ARTICLES else parts  # « M. Le Bihan », not « Madame La Maire »
        if named and named[0] not in _NO_NAMES:
            yield Mention(found.start(group), found.end(group), "name")
    for chain in _CHAINED.finditer(text):
        yield from _names(text, chain)


def _names(text: str, chain: re.Match[str]) -> Iterator[Mention]:
    """What remains of capitalised words behind offices and articles: two words, or a first name."""
    words = list(_WORD.finditer(text, *chain.span()))
    while words and _parts(words[0][0])[0] in _NO_NAMES:
        del words[0]
    parts = [part for word in words for part in _parts(word[0])]
    if len(words) > 1 or any(part in FIRST_NAMES - _ALSO_WORDS for part in parts):
        yield Mention(words[0].start(), words[-1].end(), "name")


def _parts(words: str) -> list[str]:
    return _PARTS.split(words.lower())
