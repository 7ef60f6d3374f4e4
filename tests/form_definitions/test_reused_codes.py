"""When two wordings are taken for one, and when a code would change its meaning."""

from __future__ import annotations

import pytest

from form_definitions.reused_codes import plain_letters, same_meaning


@pytest.mark.parametrize(
    "old, new",
    [
        ("Très bien", "Très bien."),
        ("Un titre de séjour", "Le titre de séjour"),
        ("L'accueil", "L’accueil"),
        ("Carte d’identité ou passeport", "Passeport ou carte d’identité"),
        (
            "Les explications, étaient-elles claires ?",
            "Les explications de nos agents étaient-elles claires ?",
        ),
        ("Quelle démarche faites-vous ?", "Quelle est votre démarche ?"),
        ("Oui", "OUI !"),
    ],
)
def test_a_rewording_keeps_the_meaning(old: str, new: str) -> None:
    assert same_meaning(old, new)
    assert same_meaning(new, old)


@pytest.mark.parametrize(
    "old, new",
    [
        ("Très bien", "Très mal"),
        ("Plutôt bien", "Plutôt mal"),
        ("Satisfait", "Insatisfait"),
        ("Content", "Mécontent"),
        ("Oui", "Non"),
        ("Un passeport", "Une carte grise"),
        ("Vous avez attendu", "Vous n’avez pas attendu"),
        ("Quelle démarche faites-vous ?", "Quel âge avez-vous ?"),
    ],
)
def test_another_meaning_is_seen(old: str, new: str) -> None:
    assert not same_meaning(old, new)
    assert not same_meaning(new, old)


def test_plain_letters_put_typography_aside() -> None:
    assert plain_letters("«\u202fÉtait-ce l’Été\u202f?\u202f»") == "etait ce l ete"
