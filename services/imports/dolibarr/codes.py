"""What Dolibarr's numbers mean, by the constants of its classes and its dictionaries as they are installed.

A dictionary of the export (`c_typent`, `c_paiement`…) comes first; these are for an export that lacks it.
"""

from __future__ import annotations

#: c_typent: id of TE_PRIVATE.
PRIVATE_TYPE = "8"

#: c_country / c_pays: the first ids of the installed dictionary, and others a French company meets.
COUNTRIES = {
    "1": "FR", "2": "BE", "3": "IT", "4": "ES", "5": "DE", "6": "CH", "7": "GB", "8": "IE", "9": "CN",
    "10": "TN", "11": "US", "12": "MA", "13": "DZ", "14": "CA", "15": "TG", "16": "GA", "17": "NL",
    "19": "RU", "20": "SE", "22": "SN", "25": "PT", "27": "MC", "35": "AD", "140": "LU", "143": "MG",
    "151": "YT", "165": "NC", "178": "RE",
}  # fmt: skip

#: c_paiement: ids of the installed dictionary.
PAYMENT_MEANS = {
    "1": "TIP", "2": "VIR", "3": "PRE", "4": "LIQ", "6": "CB", "7": "CHQ", "50": "VAD", "51": "TRA",
    "52": "LCR", "53": "FAC",
}  # fmt: skip
#: Codes of c_paiement in words.
MEANS_WORDS = {
    "VIR": "Virement", "PRE": "Prélèvement", "LIQ": "Espèces", "CB": "Carte bancaire", "CHQ": "Chèque",
    "VAD": "Paiement en ligne", "TIP": "TIP SEPA", "TRA": "Traite", "LCR": "LCR", "FAC": "Affacturage",
}  # fmt: skip
OTHER_MEANS = "Autre"
#: c_payment_term: ids of the installed dictionary, with the French words.
PAYMENT_TERMS = {
    "1": "À réception", "2": "30 jours", "3": "30 jours fin de mois", "4": "60 jours",
    "5": "60 jours fin de mois", "6": "À la commande", "7": "À la livraison",
    "8": "50 % à la commande, 50 % à la livraison", "9": "10 jours", "10": "10 jours fin de mois",
    "11": "14 jours", "12": "14 jours fin de mois",
}  # fmt: skip

#: c_actioncomm: ids of the installed dictionary.
ACTIONS = {
    "1": "AC_TEL", "2": "AC_FAX", "3": "AC_PROP", "4": "AC_EMAIL", "5": "AC_RDV", "6": "AC_EMAIL_IN",
    "8": "AC_COM", "9": "AC_FAC", "10": "AC_SHIP", "11": "AC_INT", "30": "AC_SUP_ORD", "31": "AC_SUP_INV",
    "40": "AC_OTH_AUTO", "50": "AC_OTH",
}  # fmt: skip
#: Code of an action → (kind, direction) of an activity. What is not here is a note.
ACTIVITY_KINDS = {
    "AC_TEL": ("call", None), "AC_EMAIL": ("email", "out"), "AC_EMAIL_IN": ("email", "in"),
    "AC_RDV": ("visit", None), "AC_INT": ("visit", None), "AC_SMS": ("sms", "out"),
    "AC_PROP": ("email", "out"), "AC_COM": ("email", "out"), "AC_FAC": ("email", "out"),
    "AC_SHIP": ("email", "out"),
}  # fmt: skip

#: propal.fk_statut (class Propal): 1 is validated, which is our *finalised*; 4 is "billed".
QUOTE_STATUS = {-1: "cancelled", 0: "draft", 1: "finalised", 2: "accepted", 3: "refused", 4: "invoiced"}
#: facture.fk_statut (class Facture): 2 is closed as paid, 3 abandoned.
INVOICE_STATUS = {0: "draft", 1: "issued", 2: "paid", 3: "cancelled"}
#: facture.type (class Facture).
INVOICE_KINDS = {0: "standard", 1: "replacement", 3: "deposit", 5: "progress"}
CREDIT_NOTE, PROFORMA = 2, 4
#: projet.fk_statut (class Project).
SITE_STATUS = {0: "not_started", 1: "in_progress", 2: "done"}

#: categorie.type (class Categorie): what is tagged, for the reason given.
CATEGORY_CUSTOMER = 2
CATEGORY_OF = {
    0: "de produits", 1: "de fournisseurs", 3: "d’adhérents", 4: "de contacts", 5: "de comptes bancaires",
    6: "de projets", 7: "d’utilisateurs",
}  # fmt: skip

#: Folder of `ecm_files.filepath` or `src_object_type` → (table, folder shown, reason to refuse or None).
FILES = {
    "facture": ("facture", "Factures"), "invoice": ("facture", "Factures"), "propale": ("propal", "Devis"),
    "propal": ("propal", "Devis"), "ficheinter": ("fichinter", "Interventions"),
    "fichinter": ("fichinter", "Interventions"), "contracts": ("contrat", "Contrats"),
    "contract": ("contrat", "Contrats"), "contrat": ("contrat", "Contrats"),
    "projet": ("projet", "Chantiers"), "project": ("projet", "Chantiers"),
    "societe": ("societe", "Divers"), "thirdparty": ("societe", "Divers"),
}  # fmt: skip
#: `sourcetype`/`targettype` of element_element and `elementtype` of actioncomm → table that comes in.
ELEMENTS = {
    "propal": "propal", "facture": "facture", "invoice": "facture", "fichinter": "fichinter",
    "ficheinter": "fichinter", "intervention": "fichinter", "contrat": "contrat", "contract": "contrat",
    "projet": "projet", "project": "projet", "societe": "societe", "thirdparty": "societe",
}  # fmt: skip

_OUT = "hors du périmètre"
#: Business tables that do not come in, and what they hold: each of their rows is listed.
NOT_TAKEN = {
    "product": f"article du catalogue\u202f: {_OUT} (ses libellés et durées servent aux lignes)",
    "product_lot": f"lot de produit\u202f: {_OUT} (aucun client)",
    "facture_rec": f"modèle de facture récurrente\u202f: {_OUT}",
    "facturedet_rec": f"ligne d’un modèle de facture\u202f: {_OUT}",
    "commande": f"commande\u202f: {_OUT}",
    "commandedet": f"ligne de commande\u202f: {_OUT}",
    "expedition": f"expédition\u202f: {_OUT}",
    "supplier_proposal": f"demande de prix fournisseur\u202f: {_OUT}",
    "commande_fournisseur": f"commande fournisseur\u202f: {_OUT}",
    "facture_fourn": f"facture fournisseur\u202f: {_OUT}",
}
#: Tables that are read for what they tell about others, or hold settings: no row of theirs is business data.
SETTINGS = {
    "accounting_account", "accounting_system", "boxes", "boxes_def", "const", "cronjob", "document_model",
    "element_contact", "entity", "events", "extrafields", "menu", "overwrite_trans", "rights_def",
    "user_param", "user_rights", "usergroup", "usergroup_rights", "usergroup_user",
}  # fmt: skip
