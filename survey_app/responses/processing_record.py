"""The sheet for the register of processing activities (RGPD, article 30), generated from what the code does.

Terms and tables come from the settings and the models, so the sheet cannot say something else than the
program. What only the organisation knows (controller, delegate, contact) comes from its file.
"""

from __future__ import annotations

from collections.abc import Mapping

from analysis.display import counted
from survey_app.database import Base
from survey_app.responses.purge import KINDS
from survey_app.settings import RetentionTerms

CONTENTS: Mapping[str, str] = {
    "response": (
        "Réponses\u00a0: jour, site, mode, langue, aide d’un agent ou non, contenu. "
        "Ni nom, ni adresse, ni appareil, ni heure."
    ),
    "inbox_record": (
        "Envois bruts, tels que reçus\u00a0: accès restreint. Après leur terme, il reste le numéro "
        "et l’empreinte, sans tablette ni heure."
    ),
    "inbox_conflict": "Envois différents reçus sous un numéro déjà pris.",
    "response_set_aside": "Réponses écartées ou rétablies, avec le motif et l’agent.",
    "tally_cell": "Compteurs par édition, site, mode, langue et jour.",
    "device": "Tablettes\u00a0: nom, site, dernier contact.",
    "device_refusals": "Refus par tablette et par jour\u00a0: des nombres, jamais par agent.",
    "gap_explanation": "Explications écrites des numéros manquants, avec l’agent qui les donne.",
    "tablet_explanation": "Explications écrites sur une tablette muette ou doublée, et qui les donne.",
    "received_number": "Numéros d’envoi reçus de chaque tablette, sans lien avec une réponse.",
    "enrolment_code": "Codes d’inscription (empreintes seulement).",
    "user_account": "Comptes des agents\u00a0: nom, adresse électronique, empreinte du mot de passe.",
    "user_role": "Rôles des agents.",
    "sign_in_try": (
        "Tentatives de connexion des agents\u00a0: compte et origine, jamais en clair (empreinte à clé)"
        "\u202f; un échec s’efface dix minutes après, avec la tentative suivante."
    ),
    "audit_entry": "Journal des actions des agents.",
    "sampled_unit": (
        "Élus à interroger\u00a0: collectivité, mandat, nom, adresses. Ni naissance, ni nuance politique."
    ),
    "invitation": (
        "Invitations par lien personnel\u00a0: adresse, état (a répondu, ne souhaite pas répondre…). "
        "Ni heure, ni réponse\u202f; après la clôture, plus même qui a répondu."
    ),
    "saved_interview": "Questionnaires à finir, chiffrés par le lien personnel, effacés à la clôture.",
    "sealed_answer": (
        "Réponses par lien personnel avant la clôture\u00a0: scellées, sans lien avec l’invitation."
    ),
    "anonymous_text": "Textes libres des réponses par lien personnel, sans rien d’autre à côté.",
    "objection": "Oppositions à tout envoi\u00a0: l’empreinte à clé de l’adresse, gardée sans limite.",
    "mailing": "Courriels préparés\u00a0: texte et agent.",
    "mail_message": (
        "Envois\u00a0: à quelle invitation, quand, et la réponse du serveur de courriel. "
        "Après la clôture, ceux des invitations et des relances ne sont plus que des nombres."
    ),
}
"""The tables that hold data about persons, or could."""
WITHOUT_PERSONS = frozenset(
    {
        "server_fact",
        "survey",
        "questionnaire_version",
        "questionnaire_draft",
        "wave",
        "wave_questionnaire",
        "past_result",
        "sampling_frame",
        "wave_frame",
        "role",
    }
)
"""The tables that hold none. A table in neither list stops the generation: somebody must decide."""


class UndeclaredTableError(RuntimeError):
    """A table is in neither list: say in CONTENTS what it holds about persons, or list it as holding none."""


def processing_record(organisation: Mapping[str, str], terms: RetentionTerms) -> str:
    """The sheet, in Markdown and in French.

    ``organisation`` gives ``controller``, ``delegate``, ``contact``; what is missing is printed as such.
    """
    _refuse_undeclared_tables()
    blank = "à compléter"
    parts = [
        "# Fiche du registre\u00a0: enquêtes de satisfaction",
        f"- Responsable du traitement\u00a0: {organisation.get('controller') or blank}",
        f"- Délégué à la protection des données\u00a0: {organisation.get('delegate') or blank}",
        f"- Contact pour exercer ses droits\u00a0: {organisation.get('contact') or blank}",
        "- Finalité\u00a0: mesurer la satisfaction des usagers et des élus, par engagement, et l’améliorer.",
        "- Base légale\u00a0: mission d’intérêt public (RGPD, article 6, 1, e).",
        "- Personnes\u00a0: usagers et élus qui répondent librement\u00a0; agents qui gèrent l’enquête.",
        "- Destinataires\u00a0: référent qualité et agents habilités. Aucun transfert hors de l’Union.",
        "- Adresses réseau des répondants\u00a0: jamais enregistrées (rafales\u00a0: empreinte, en mémoire).",
        "- Témoins (cookies)\u00a0: aucun pour les répondants\u00a0; un témoin de session pour les agents.",
        "",
        "## Données",
        *(f"- `{table}`\u00a0: {content}" for table, content in CONTENTS.items()),
        "",
        "## Durées de conservation",
        *(f"- {kind.title}\u00a0: {counted(getattr(terms, kind.term), 'jour', 'jours')}" for kind in KINDS),
        "- Compteurs et résultats publiés\u00a0: sans limite (ils ne désignent personne).",
        "",
        "## Mesures de sécurité",
        "- Réponses séparées de l’appareil, du numéro et de l’heure\u00a0: seul l’envoi brut les porte, "
        "et le lien est effacé avec lui.",
        "- Lien personnel\u00a0: réponses scellées, mélangées à la clôture, puis clé détruite\u202f; "
        "aucune ligne de journal pour ces pages.",
        "- Tables en ajout seul, effacement par la purge seule, journalisée.",
        "- Chiffrement du transport (TLS), comptes individuels, rôles, journal des actions.",
    ]
    return "\n".join(parts) + "\n"


def _refuse_undeclared_tables() -> None:
    undeclared = set(Base.metadata.tables) - set(CONTENTS) - WITHOUT_PERSONS
    if undeclared:
        raise UndeclaredTableError(f"undeclared tables: {', '.join(sorted(undeclared))}")
