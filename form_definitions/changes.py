"""What a new version of a questionnaire changes, in French sentences, and which series it breaks.

A series is the results of one item or one commitment from wave to wave. It breaks when the same code no
longer counts the same thing: another wording, other options, another rate rule, other people asked.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from form_definitions.model import Item, Questionnaire, Section
from form_definitions.question_types import QUESTION_TYPES
from form_definitions.reused_codes import plain_letters


@dataclass(frozen=True)
class Change:
    """One thing that is not as before."""

    sentence: str
    breaks_series: tuple[str, ...] = ()
    """Names of the items and codes of the commitments whose results can no longer be compared."""


def explain_changes(old: Questionnaire, new: Questionnaire) -> tuple[Change, ...]:
    """All that a reader of results or a respondent could notice, in the order of the questionnaire."""
    return (
        *_changes_of_the_whole(old, new),
        *_changes_of_sections(old, new),
        *_removed_items(old, new),
        *(change for item in new.items for change in _changes_of_item(old, new, item)),
        *_changed_order(old, new),
        *_changes_of_commitments(old, new),
    )


_WHOLE = (
    ("title", "Le titre change : « {old} » devient « {new} »."),
    ("description", "La présentation change : « {old} » devient « {new} »."),
    ("audience", "Le public change : « {old} » devient « {new} »."),
    ("framework", "Le référentiel change : « {old} » devient « {new} »."),
    ("estimated_minutes", "La durée annoncée passe de {old} à {new} min."),
    ("partial_policy", "Le sort des questionnaires commencés change : « {old} » devient « {new} »."),
    ("modes", "Les modes de recueil changent : {old} ; désormais {new}."),
    ("sites", "Les sites changent : {old} ; désormais {new}."),
)


def _changes_of_the_whole(old: Questionnaire, new: Questionnaire) -> Iterator[Change]:
    for name, sentence in _WHOLE:
        before, after = getattr(old, name), getattr(new, name)
        if before != after:
            yield Change(sentence.format(old=_said(before), new=_said(after)))


def _said(value: object) -> str:
    if isinstance(value, tuple):
        return ", ".join(value)
    return "rien" if value is None else str(value)


def _changes_of_sections(old: Questionnaire, new: Questionnaire) -> Iterator[Change]:
    before = {section.name: section for section in old.sections}
    after = {section.name: section for section in new.sections}
    for name in (name for name in before if name not in after):
        yield Change(f"La rubrique « {before[name].title} » disparaît.")
    for name, section in after.items():
        if name not in before:
            yield Change(f"La rubrique « {section.title} » est nouvelle.")
        else:
            yield from _changes_of_section(before[name], section)


def _changes_of_section(old: Section, new: Section) -> Iterator[Change]:
    if (old.title, old.introduction) != (new.title, new.introduction):
        yield Change(f"Le titre ou l’introduction de la rubrique « {new.title} » change.")
    if _asked_of(old) != _asked_of(new):
        both = {item.name for item in old.items} & {item.name for item in new.items}
        series = _series(item for item in new.items if item.name in both)
        yield Change(f"La rubrique « {new.title} » n’est plus posée aux mêmes personnes.", series)


def _asked_of(part: Item | Section) -> tuple[object, ...]:
    return (part.relevant_if, part.sites, part.modes)


def _series(items: Iterator[Item]) -> tuple[str, ...]:
    """The series that items feed: their own and their commitments'. Notes and texts feed none."""
    names: dict[str, None] = {}
    for item in items:
        if _is_counted(item):
            names[item.name] = None
            if item.commitment:
                names[item.commitment] = None
    return tuple(names)


def _is_counted(item: Item) -> bool:
    question_type = QUESTION_TYPES[item.question_type]
    return question_type.takes_answer and not question_type.free_text


def _removed_items(old: Questionnaire, new: Questionnaire) -> Iterator[Change]:
    for item in old.items:
        if item.name not in new.items_by_name:
            yield Change(f"La question « {item.label} » ({item.name}) disparaît.", _series(iter((item,))))


def _changes_of_item(old: Questionnaire, new: Questionnaire, item: Item) -> Iterator[Change]:
    before = old.items_by_name.get(item.name)
    if before is None:
        commitments = {commitment.code for commitment in old.commitments}
        fed = (item.commitment,) if item.commitment in commitments and item.commitment else ()
        yield Change(f"La question « {item.label} » ({item.name}) est nouvelle.", fed)
        return
    yield from _changes_of_wording(before, item)
    yield from _changes_of_options(before, item)
    yield from _changes_of_counting(before, item)


def _changes_of_wording(old: Item, new: Item) -> Iterator[Change]:
    both = _series(iter((old, new)))
    if old.label != new.label:
        same = plain_letters(old.label) == plain_letters(new.label)
        sentence = f"La question {new.name} est reformulée : « {old.label} » devient « {new.label} »."
        yield Change(sentence, () if same else both)
    if (old.help, old.unit) != (new.help, new.unit):
        series = both if old.unit != new.unit else ()
        yield Change(f"L’aide ou l’unité de la question « {new.label} » change.", series)
    if old.requirement != new.requirement:
        sentence = f"La question « {new.label} » n’est plus « {_REQUIREMENTS[old.requirement]} » : "
        yield Change(sentence + f"elle devient « {_REQUIREMENTS[new.requirement]} ».")
    if _asked_of(old) != _asked_of(new):
        yield Change(f"La question « {new.label} » n’est plus posée aux mêmes personnes.", both)


_REQUIREMENTS = {"required": "obligatoire", "advised": "conseillée", "optional": "facultative"}


def _changes_of_options(old: Item, new: Item) -> Iterator[Change]:
    both = _series(iter((old, new)))
    for option in old.options:
        if new.option(option.code) is None:
            yield Change(f"« {new.label} » : la modalité « {option.label} » disparaît.", both)
    for option in new.options:
        before = old.option(option.code)
        if before is None:
            yield Change(f"« {new.label} » : la modalité « {option.label} » est nouvelle.", both)
        elif before != option:
            same = plain_letters(before.label) == plain_letters(option.label) and before.role == option.role
            words = f"la modalité « {before.label} » devient « {option.label} »"
            sentence = words if before.label != option.label else f"la modalité « {option.label} » change"
            yield Change(f"« {new.label} » : {sentence}.", () if same else both)
    if _order(old, new) and old.options != new.options and _order(old, new) != _order(new, old):
        yield Change(f"« {new.label} » : l’ordre des modalités change.", both)


def _order(one: Item, other: Item) -> list[str]:
    """The codes of one item that the other has too, in order."""
    return [option.code for option in one.options if other.option(option.code)]


def _changes_of_counting(old: Item, new: Item) -> Iterator[Change]:
    both = _series(iter((old, new)))
    if old.question_type != new.question_type:
        sentence = f"« {new.label} » change de type : {old.question_type} devient {new.question_type}."
        yield Change(sentence, both)
    if (old.minimum, old.maximum) != (new.minimum, new.maximum):
        yield Change(f"« {new.label} » : les bornes changent.", both)
    if old.maximum_length != new.maximum_length:
        yield Change(f"« {new.label} » : la longueur admise change.")
    if old.rate != new.rate:
        yield Change(f"« {new.label} » : la règle du taux change.", both)
    if old.commitment != new.commitment:
        sentence = (
            f"« {new.label} » mesurait « {_said(old.commitment)} » et mesure « {_said(new.commitment)} »."
        )
        yield Change(sentence, tuple(code for code in (old.commitment, new.commitment) if code))


def _changed_order(old: Questionnaire, new: Questionnaire) -> Iterator[Change]:
    before = [item.name for item in old.items if item.name in new.items_by_name]
    after = [item.name for item in new.items if item.name in old.items_by_name]
    if before != after:
        yield Change("L’ordre des questions change : les réponses peuvent s’en ressentir.")


def _changes_of_commitments(old: Questionnaire, new: Questionnaire) -> Iterator[Change]:
    before = {commitment.code: commitment for commitment in old.commitments}
    for commitment in new.commitments:
        earlier = before.get(commitment.code)
        if earlier is None:
            yield Change(f"L’engagement « {commitment.title} » est mesuré pour la première fois.")
        elif earlier.rule != commitment.rule:
            sentence = (
                f"L’engagement « {commitment.title} » : la règle passe de {earlier.rule} à {commitment.rule}."
            )
            yield Change(sentence, (commitment.code,))
        elif earlier != commitment:
            yield Change(f"L’engagement « {commitment.title} » : le libellé ou la source change.")
    measured = {commitment.code for commitment in new.commitments}
    for code in (code for code in before if code not in measured):
        yield Change(f"L’engagement « {before[code].title} » n’est plus mesuré.", (code,))
