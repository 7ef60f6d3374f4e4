"""Names, addresses and numbers in free texts are proposed to the referent's eyes."""

from __future__ import annotations

import random
import re
from collections import Counter
from time import perf_counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from survey_app.staff.personal_mentions import WORDS, mentions, pieces
from tests.survey_app.staff_site import WAVE, StaffSite, seed_wave

SENTENCES = 300
NAMES = (
    "Mme Brandelière", "Mme Tisseron-Lacq", "M. D’Ormelles", "monsieur Quérillon", "Madame de La Valbrègue",
    "mme mornac", "mr chauvignot", "M. PŒUVREAU", "Dr Lavergnolle", "Maître Escudéry", "Me Dargis",
    "M. Le Bihan", "Sophie", "Jean-Pierre", "Françoise", "Gaëtan", "Sophie Valbrègue", "Jean-Luc Mornac",
    "BRANDELIÈRE Yves",
    "Ludovic TISSERON", "Maëlys Quérillon", "Honoré Chauvignot", "Nolwenn Le Bihan", "Aïcha Benhaddou",
    "Mme Odile Valbrègue", "Monsieur Zacharie Dargis", "sophie", "Lilou", "la petite Escudéry", "Kenza",
)  # fmt: skip
"""As people write them; the last four are beyond a list of rules, and count as well."""

VALUES = {
    "email": ("o.valbregue@mairie-labsie.fr", "jean.mornac79@exemple.com", "contact(at)melle.test",
              "y.d-ormelles+elus@free.test", "secretariat @ niort.test", "Z.MORNAC@EXEMPLE.FR"),
    "phone": ("05 49 12 34 56", "0612345678", "06.12.34.56.78", "+33 6 12 34 56 78", "05-49-12-34-56",
              "0033 5 49 12 34 56", "+33(0)5 49 12 34 56", "06/12/34/56/78",
              "05\u00a049\u00a012\u00a034\u00a056"),
    "plate": ("AB-123-CD", "GH 456 JK", "EF789GH", "ab-123-cd", "1234 AB 79", "567 XYZ 79"),
    "social_security": ("1 85 05 79 191 123 45", "285057919112345", "2 61 12 79 049 007 18",
                        "1 99 10 2A 004 321"),
}  # fmt: skip
FRAMES = {
    "name": (
        "J’ai eu {} au téléphone, un accueil remarquable.",
        "Merci à {} pour son aide sur le plan local d’urbanisme.",
        "Le dossier a été suivi par {} puis perdu.",
        "{} ne répond jamais aux courriels de la mairie.",
        "C’est toujours {}, du bureau des élections, qui nous dépanne.",
        "Nous regrettons le départ de {} !",
    ),
    "email": ("Écrivez-moi à {}.", "Mon adresse : {} merci", "Le courriel ({}) n’a pas eu de réponse."),
    "phone": ("Rappelez-moi au {}.", "Tél. {} (le matin)", "Le numéro {} sonne dans le vide."),
    "plate": ("La voiture {} bloque la place de la mairie.", "Carte grise de {} en attente.", "plaque {}"),
    "social_security": ("Mon numéro est {}.", "NIR {}, dossier bloqué", "n° {} sans suite"),
}  # fmt: skip
ORDINARY = (
    "Les délais de réponse sont trop longs, surtout pour les demandes de subvention.",
    "La Préfecture des Deux-Sèvres répond vite, la sous-préfecture de Bressuire moins.",
    "Madame La Maire et Monsieur Le Préfet étaient là.",
    "Madame la Préfète est venue en 2025 : nous avons apprécié.",
    "Monsieur le Maire de Niort partage cet avis.",
    "Le Conseil départemental et la Communauté de communes devraient être associés.",
    "Il faudrait un guichet à Saint-Maixent-l’École.",
    "La dotation de 12 345 678 euros a été versée en 2024-2025.",
    "Nous attendons l’arrêté du 28/06/2020 depuis 18 mois.",
    "Bonjour, merci pour tout. Rien à ajouter.",
    "La rose de la mairie a fané ; la question est claire.",
    "Le contrôle de légalité pourrait mieux expliquer ses remarques.",
    "La plateforme Démarches simplifiées est difficile, Actes aussi.",
    "Réunion utile à Thouars le 3 mars, à refaire à Melle.",
    "Plus de conseil en amont, moins de formulaires.",
    "Le budget 2026 (M57) a été accompagné.",
)


def corpus(seed: int) -> list[tuple[str, str, str]]:
    """(kind, what is said, the sentence): a third of names, the rest in equal parts."""
    chance = random.Random(seed)
    kinds = ["name"] * (SENTENCES // 3) + [kind for kind in VALUES for _ in range(SENTENCES // 6)]
    said = {"name": NAMES, **VALUES}
    pairs = [(kind, chance.choice(said[kind]), chance.choice(FRAMES[kind])) for kind in kinds]
    return [(kind, one, frame.format(one)) for kind, one, frame in pairs]


def covered(sentence: str, said: str, kind: str) -> bool:
    """Whether a mark of this kind covers the family name, the first name alone, or the whole number."""
    needed = said.split()[-1] if kind == "name" else said
    at = sentence.index(needed)
    found = mentions(sentence)
    return any(one.kind == kind and one.start <= at and one.end >= at + len(needed) for one in found)


@pytest.mark.abuse("AC-25")
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_of_300_sentences_nearly_every_mention_is_marked(seed: int) -> None:
    sentences = corpus(seed)
    assert len(sentences) == SENTENCES
    missed = Counter(kind for kind, said, sentence in sentences if not covered(sentence, said, kind))
    asked = Counter(kind for kind, *_ in sentences)
    shapes = sum(missed[kind] for kind in VALUES) / sum(asked[kind] for kind in VALUES)
    assert shapes <= 0.05, missed
    assert missed["name"] / asked["name"] <= 0.2, missed


def test_ordinary_sentences_carry_no_mark() -> None:
    marked = {
        sentence: [sentence[one.start : one.end] for one in mentions(sentence)] for sentence in ORDINARY
    }
    assert {sentence: found for sentence, found in marked.items() if found} == {}


@given(st.text(alphabet=st.sampled_from("aZé@. 06’'-AB12\n\u202fMme")))
def test_no_letter_is_lost_between_the_pieces(text: str) -> None:
    assert "".join(piece for piece, _ in pieces(text)) == text
    assert {kind for _, kind in pieces(text)} <= {"", *WORDS.values()}


@pytest.mark.parametrize(
    "text", ["A" * 4000, "a." * 2000, "Aa " * 1300, "0" * 4000, "Aa-" * 1300, "d’A" * 1300]
)
def test_the_longest_text_takes_no_time(text: str) -> None:
    start = perf_counter()
    mentions(text)
    assert perf_counter() - start < 1


def test_the_page_of_the_free_texts_marks_what_it_proposes_and_stays_safe(site: StaffSite) -> None:
    with site.database():
        seed_wave(1, 0, comment="Merci à Mme <b>Untel</b> ou Sophie Untel, joignable au 05 49 12 34 56.")
    page = site.client().get(f"/gestion/resultats/{WAVE}/verbatims").text
    assert re.findall(r'<mark title="([^"]+)">([^<]+)</mark>', page) == [
        ("nom", "Sophie Untel"),
        ("téléphone", "05 49 12 34 56"),
    ]
    assert "&lt;b&gt;Untel&lt;/b&gt;" in page
