"""« Journal »: who did what, newest first. Floor 5."""

from __future__ import annotations

from typing import Final

from flask import Blueprint, render_template, request
from flask.typing import ResponseReturnValue

from survey_app import access, audit
from survey_app.access import TECHNICIAN
from survey_app.odd_requests import LARGEST_INTEGER

blueprint = Blueprint("staff_audit", __name__, url_prefix="/gestion/journal")
PAGE: Final = 100

ACTIONS: Final = {
    "sign-in": "Connexion",
    "user-added": "Compte créé",
    "passphrase-reset": "Phrase secrète remplacée",
    "passphrase-changed": "Phrase secrète changée",
    "roles-changed": "Rôles changés",
    "user-enabled": "Compte activé",
    "user-disabled": "Compte désactivé",
    "draft-uploaded": "Brouillon envoyé",
    "draft-deleted": "Brouillon supprimé",
    "questionnaire-published": "Questionnaire publié",
    "translations-corrected": "Traductions corrigées",
    "wave-created": "Édition créée",
    "wave-changed": "Édition modifiée",
    "wave-deleted": "Édition supprimée",
    "wave-opened": "Édition ouverte",
    "wave-closed": "Édition close",
    "wave-reopened": "Édition rouverte",
    "links-prepared": "Liens personnels préparés",
    "link-revoked": "Lien personnel retiré",
    "link-reissued": "Lien personnel remplacé",
    "objection-recorded": "Opposition à tout envoi notée",
    "objection-lifted": "Opposition à tout envoi levée",
    "wave-mixed": "Réponses par lien personnel mélangées",
    "answers-unreadable": "Réponses par lien personnel qui ne s’ouvrent pas",
    "answers-withheld": "Moins de onze réponses par lien personnel\u00a0: aucune gardée",
    "wave-key-destroyed": "Clé de l’édition détruite",
    "wave-sealed": "Édition scellée",
    "wave-published": "Résultats publiés",
    "wave-moved": "Édition passée à une autre version",
    "code-made": "Code de tablette créé",
    "code-withdrawn": "Code de tablette retiré",
    "device-enrolled": "Tablette inscrite avec un code",
    "device-met": "Tablette inconnue rencontrée",
    "device-identified": "Tablette inconnue reconnue",
    "device-emptied": "Tablette révoquée vidée",
    "device-revoked": "Tablette révoquée",
    "device-pin-changed": "Code de l’agent changé",
    "gap-explained": "Numéros manquants expliqués",
    "tablet-explained": "Tablette douteuse expliquée",
    "records-imported": "Fichier de secours importé",
    "frame-imported": "Liste d’élus importée",
    "frame-deleted": "Liste d’élus effacée",
    "frame-frozen": "Destinataires d’une édition fixés",
    "past-results-imported": "Année passée importée",
    "past-results-deleted": "Année passée supprimée",
    "response-set-aside": "Réponse écartée",
    "response-erased": "Réponse effacée à la demande de la personne",
    "variant-counted": "Contenu compté à part",
    "record-set-apart": "Envoi illisible mis à part",
    "response-reinstated": "Réponse rétablie",
    "mailing-created": "Envoi préparé",
    "mailing-changed": "Texte d’un envoi modifié",
    "mailing-deleted": "Brouillon d’envoi supprimé",
    "mailing-tried": "Essai d’un envoi à soi-même",
    "mailing-scheduled": "Envoi programmé",
    "mailing-stopped": "Envoi arrêté",
    "mailing-resumed": "Envoi repris",
    "message-sent-again": "Message renvoyé",
    "message-taken-as-arrived": "Message tenu pour arrivé",
    "results-letter-replaced": "Lettre de résultats remplacée",
    "results-until-set": "Fin des résultats fixée",
    "bounces-read": "Messages revenus lus",
    "exported": "Export téléchargé",
    "backup": "Sauvegarde faite",
    "key-made": "Clé de scellement créée",
    "restored": "Base remise depuis une sauvegarde",
}


@blueprint.get("")
@access.roles(TECHNICIAN)
def index() -> ResponseReturnValue:
    """One page of the log."""
    before = min(request.args.get("avant", LARGEST_INTEGER, type=int), LARGEST_INTEGER)
    entries = audit.latest(PAGE, before)
    older = entries[-1].id if len(entries) == PAGE else None
    return render_template("staff/audit.html", entries=entries, older=older, actions=ACTIONS)
