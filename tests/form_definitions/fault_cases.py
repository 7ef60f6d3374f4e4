"""One source per fault code. ``⟦`` marks where the fault must be reported; it is taken out before the source is read.

Questions go into one section of a small questionnaire (see definitions.py); files are whole.
"""

# ruff: noqa: E501 - a case reads best on few lines

from __future__ import annotations

from typing import Literal, NamedTuple

Kind = Literal["questions", "questionnaire", "scales", "organisation", "framework", "po"]


class Case(NamedTuple):
    """A source with one fault."""

    kind: Kind
    source: str
    suggestion: str | None = None


CHOICE = "options: [{option: one, label: Un}, {option: two, label: Deux}]"
WHOLE = """\
questionnaire: essai
title: Un essai
framework: small
estimated_minutes: 1
modes: [tablet]
sites: [hall]
sections:
  - section: only
    title: Une rubrique
    questions: [{note: n, label: Bonjour}]
"""
ORGANISATION = """\
name: Préfecture
short_name: Préfecture
sites: [{site: hall, kind: desk, name: Hall, public_label: Au hall}]
privacy: {controller: Elle, legal_basis: La loi, short_notice: Rien., notice: [{title: Droits, text: Tous.}]}
"""
NUMBER = "{item: n, type: number, label: Combien ?}\n"

FAULT_CASES: dict[str, Case] = {
    # The file itself
    "too_big": Case("questionnaire", "⟦" + "# " + "x" * 262_144),
    "too_many_nodes": Case("questionnaire", "a: [" + "[]," * 19_997 + "⟦x, y]"),
    "too_deep": Case("questionnaire", "[" * 12 + "⟦[]" + "]" * 12),
    "too_many_faults": Case(
        "questionnaire", "".join(f"key_{number}: 1\n" for number in range(199)) + "⟦key_199: 1\n"
    ),
    # The YAML
    "yaml_syntax": Case("questionnaire", "title: Un essai⟦: deux\n"),
    "several_documents": Case("questionnaire", "a: 1\n⟦---\nb: 2\n"),
    "empty_file": Case("questionnaire", "⟦# rien\n"),
    "alias": Case("questions", "- ⟦&note {note: n, label: Bonjour}"),
    "tag": Case("questions", "- {note: n, label: ⟦!!str Bonjour}"),
    "key_not_text": Case("questions", "- {note: n, label: Bonjour, ⟦[a]: b}"),
    "duplicate_key": Case("questions", "- note: n\n  label: Bonjour\n  ⟦label: Bonsoir"),
    # The form of a value
    "not_a_map": Case(
        "questions",
        "- {item: a, type: single_choice, label: Quoi ?, options: [⟦one, {option: two, label: Deux}]}",
    ),
    "not_a_list": Case("questions", "- {item: a, type: single_choice, label: Quoi ?, options: ⟦one}"),
    "list_too_short": Case(
        "questions", "- {item: a, type: single_choice, label: Quoi ?, options: ⟦[{option: one, label: Un}]}"
    ),
    "repeated_in_list": Case("questions", "- {note: n, label: Bonjour, sites: [hall, ⟦hall]}"),
    "not_text": Case("questions", "- {note: n, label: ⟦[Bonjour]}"),
    "empty_text": Case("questions", "- note: n\n  label: ⟦''"),
    "text_too_long": Case("questions", f"- {{note: n, label: ⟦{'mot ' * 1001}}}"),
    "control_character": Case("questions", '- {note: n, label: ⟦"a\\0b"}'),
    "not_a_name": Case("questions", "- {note: ⟦Ma Note, label: Bonjour}", "ma_note"),
    "not_a_whole_number": Case("questions", "- {item: n, type: number, label: Combien ?, minimum: ⟦1e3}"),
    "number_out_of_bounds": Case(
        "questions", "- {item: t, type: short_text, label: Quoi ?, maximum_length: ⟦0}"
    ),
    "not_true_or_false": Case(
        "questions",
        "- {item: a, type: multiple_choice, label: Quoi ?, options: [{option: one, label: Un, exclusive: ⟦oui}, {option: two, label: Deux}]}",
        "true",
    ),
    "unknown_word": Case(
        "questions", "- {item: n, type: number, label: Combien ?, requirement: ⟦requird}", "required"
    ),
    "unknown_key": Case("questions", "- {item: n, type: number, label: Combien ?, ⟦minimun: 1}", "minimum"),
    "missing_key": Case("questions", "- ⟦{note: n}"),
    "unknown_block": Case("questions", "- ⟦{question: n, label: Bonjour}"),
    # Names and what they refer to
    "duplicate_name": Case("questions", "- {note: n, label: Bonjour}\n- {note: ⟦n, label: Bonsoir}"),
    "duplicate_option": Case(
        "questions",
        "- {item: a, type: single_choice, label: Quoi ?, options: [{option: one, label: Un}, {option: ⟦one, label: Deux}]}",
    ),
    "duplicate_scale": Case("questionnaire", WHOLE + "scales:\n  ⟦faces_4: {" + CHOICE + "}\n"),
    "unknown_type": Case("questions", "- {item: n, type: ⟦numbr, label: Combien ?}", "number"),
    "unknown_scale": Case(
        "questions", "- {item: a, type: satisfaction, scale: ⟦faces_5, label: Quoi ?}", "faces_4"
    ),
    "unknown_commitment": Case(
        "questions",
        "- {item: a, type: satisfaction, scale: faces_4, label: Quoi ?, commitment: ⟦curtesy}",
        "courtesy",
    ),
    "unknown_framework": Case(
        "questionnaire", WHOLE.replace("framework: small", "framework: ⟦smal"), "small"
    ),
    "unknown_site": Case("questionnaire", WHOLE.replace("[hall]", "[⟦hal]"), "hall"),
    "unknown_mode": Case("questions", "- {note: n, label: Bonjour, modes: [⟦paper]}"),
    "unknown_option": Case(
        "questions",
        f"- {{item: a, type: single_choice, label: Quoi ?, {CHOICE}}}\n- {{note: n, label: Bonjour, relevant_if: {{is: [a, ⟦tow]}}}}",
        "two",
    ),
    # Questions
    "key_not_for_type": Case("questions", "- {item: n, type: number, label: Combien ?, ⟦maximum_length: 3}"),
    "options_missing": Case("questions", "- ⟦{item: a, type: single_choice, label: Quoi ?}"),
    "options_and_scale": Case(
        "questions", f"- {{item: a, type: single_choice, label: Quoi ?, {CHOICE}, scale: ⟦words_2}}"
    ),
    "faces_missing": Case("questions", "- {item: a, type: satisfaction, scale: ⟦words_2, label: Quoi ?}"),
    "exclusive_needs_multiple": Case(
        "questions",
        "- {item: a, type: single_choice, label: Quoi ?, options: [{option: one, label: Un, exclusive: ⟦true}, {option: two, label: Deux}]}",
    ),
    "bounds_upside_down": Case(
        "questions", "- {item: n, type: number, label: Combien ?, minimum: ⟦9, maximum: 3}"
    ),
    "only_absences": Case(
        "questions",
        "- {item: a, type: single_choice, label: Quoi ?, options: [⟦{option: one, label: Un, role: no_opinion}, {option: two, label: Deux, role: not_applicable}]}",
    ),
    # Rates and commitments
    "rate_unknown_option": Case(
        "questions",
        f"- {{item: a, type: single_choice, label: Quoi ?, {CHOICE}, rate: {{favourable: [⟦tow]}}}}",
        "two",
    ),
    "rate_absence": Case(
        "questions",
        "- {item: a, type: satisfaction, scale: faces_4, label: Quoi ?, rate: {favourable: [good, ⟦not_concerned]}}",
    ),
    "rate_overlap": Case(
        "questions",
        f"- {{item: a, type: single_choice, label: Quoi ?, {CHOICE}, rate: {{favourable: [one], excluded: ⟦[one]}}}}",
    ),
    "rate_always_favourable": Case(
        "questions",
        f"- {{item: a, type: single_choice, label: Quoi ?, {CHOICE}, rate: {{favourable: ⟦[one, two]}}}}",
    ),
    "rate_missing": Case(
        "questions", f"- {{item: a, type: single_choice, label: Quoi ?, {CHOICE}, commitment: ⟦courtesy}}"
    ),
    "commitment_without_rate": Case(
        "questions", "- {item: n, type: number, label: Combien ?, commitment: ⟦courtesy}"
    ),
    "commitment_not_measured": Case("questionnaire", WHOLE + "commitment_rules: {⟦courtesy: pooled}\n"),
    # Conditions
    "condition_form": Case(
        "questions", "- {note: n, label: Bonjour, relevant_if: ⟦{is: [a, b], answered: c}}"
    ),
    "condition_unknown_operator": Case(
        "questions", "- {note: n, label: Bonjour, relevant_if: {⟦answred: c}}", "answered"
    ),
    "condition_unknown_item": Case(
        "questions", f"- {NUMBER}- {{note: z, label: Bonjour, relevant_if: {{answered: ⟦nn}}}}", "n"
    ),
    "condition_later_item": Case(
        "questions", f"- {{note: z, label: Bonjour, relevant_if: {{answered: ⟦n}}}}\n- {NUMBER}"
    ),
    "condition_without_options": Case(
        "questions", f"- {NUMBER}- {{note: z, label: Bonjour, relevant_if: {{is: [⟦n, one]}}}}"
    ),
    "condition_on_note": Case(
        "questions", "- {note: n, label: Bonjour}\n- {note: z, label: Bonsoir, relevant_if: {answered: ⟦n}}"
    ),
    # The duration
    "duration_far": Case("questionnaire", WHOLE.replace("minutes: 1", "minutes: ⟦12")),
    # The organisation
    "to_fill": Case("organisation", ORGANISATION + "contact: {email: ⟦null}\n"),
    # Translations
    "po_syntax": Case("po", 'msgid "Bonjour"\nmsgstr "Hello"\n\n⟦rien\n'),
    "translation_missing": Case("po", '⟦msgid "Autre"\nmsgstr "Other"\n'),
    "translation_stale": Case(
        "po", 'msgid "Bonjour"\nmsgstr "Hello"\n\n⟦msgid "Bonne nuit"\nmsgstr "Good night"\n'
    ),
    "translation_typography": Case("po", '⟦msgid "Bon\u00a0jour"\nmsgstr "Hello"\n', "Bonjour"),
    "translation_fuzzy": Case("po", '#, fuzzy\n⟦msgid "Bonjour"\nmsgstr "Hello"\n'),
}
