"""Words of the trade for the states of things: (label, icon, colour of the pill)."""

from __future__ import annotations

KIND = {"individual": "Particulier", "company": "Professionnel", "property_manager": "Syndic"}
STAGE = {"prospect": "Prospect", "client": "Client"}
STATUS = {"active": "Actifs", "archived": "Archivés", "deleted": "Supprimés"}
ACTIVITY = {
    "call": ("Appel", "phone"),
    "email": ("E-mail", "mail"),
    "sms": ("SMS", "message-square"),
    "visit": ("Visite", "footprints"),
    "note": ("Note", "notebook-pen"),
    "intervention": ("Intervention", "calendar-check"),
    "quote": ("Devis", "file-text"),
    "invoice": ("Facture", "receipt-text"),
    "credit_note": ("Avoir", "undo-2"),
    "payment": ("Règlement", "banknote"),
    "job_site": ("Chantier", "hard-hat"),
    "maintenance": ("Maintenance", "calendar-sync"),
    "equipment": ("Équipement", "heater"),
    "document": ("Document", "file"),
    "merge": ("Fusion", "merge"),
}
#: Filters of the activities, beside « Toutes ».
ACTIVITY_FILTERS = (
    ("call", "Appels"), ("email", "E-mails"), ("sms", "SMS"), ("visit", "Visites"), ("note", "Notes"),
    ("automatic", "Automatiques"),
)  # fmt: skip
#: How many of a kind use an address: one, several.
ADDRESS_USES = {
    "equipment": ("équipement", "équipements"),
    "interventions": ("intervention", "interventions"),
    "job_sites": ("chantier", "chantiers"),
    "maintenance_plans": ("plan de maintenance", "plans de maintenance"),
    "quotes": ("devis", "devis"),
    "invoices": ("facture", "factures"),
    "credit_notes": ("avoir", "avoirs"),
    "billing": ("adresse de facturation", "adresses de facturation"),
}
INTERVENTION = {
    "to_plan": ("À planifier", "calendar-plus", "grey"),
    "planned": ("À venir", "calendar-clock", "blue"),
    "upcoming": ("À venir", "calendar-clock", "blue"),
    "today": ("Aujourd’hui", "clock", "accent"),
    "in_progress": ("En cours", "circle-play", "accent"),
    "late": ("En retard", "circle-alert", "red"),
    "done": ("Terminée", "circle-check", "green"),
    "cancelled": ("Annulée", "ban", "grey"),
}
QUOTE = {
    "draft": ("Brouillon", "file-pen", "grey"),
    "finalised": ("Finalisé", "file-check", "blue"),
    "sent": ("Envoyé", "send", "blue"),
    "accepted": ("Accepté", "circle-check", "green"),
    "refused": ("Refusé", "ban", "grey"),
    "cancelled": ("Annulé", "ban", "grey"),
    "invoiced": ("Facturé", "receipt-text", "green"),
    "partly_invoiced": ("Facturé en partie", "receipt-text", "amber"),
}
INVOICE = {
    "draft": ("Brouillon", "file-pen", "grey"),
    "issued": ("À régler", "clock", "blue"),
    "sent": ("À régler", "clock", "blue"),
    "partly_paid": ("Réglée en partie", "circle-dashed", "amber"),
    "paid": ("Réglée", "circle-check", "green"),
    "cancelled": ("Annulée", "undo-2", "grey"),
    "overdue": ("En retard", "circle-alert", "red"),
}
#: Kinds of invoices, whole and in a word.
INVOICE_KIND = {
    "standard": "Facture",
    "deposit": "Facture d’acompte",
    "progress": "Facture de situation",
    "balance": "Facture de solde",
    "replacement": "Facture rectificative",
}
INVOICE_KIND_SHORT = {
    "deposit": "Acompte",
    "progress": "Situation",
    "balance": "Solde",
    "replacement": "Rectificative",
}
#: What is sold (CGI, ann. II, 242 nonies A, I, 6° bis).
OPERATIONS = {
    "services": "Des prestations de services",
    "goods": "Des livraisons de biens",
    "mixed": "Des biens et des prestations",
}
CREDIT_NOTE = {
    "draft": ("Brouillon", "file-pen", "grey"),
    "issued": ("Émis", "circle-check", "blue"),
    "sent": ("Émis", "circle-check", "blue"),
    "used": ("Imputé", "circle-check", "green"),
    "refunded": ("Remboursé", "circle-check", "green"),
    "paid": ("Imputé", "circle-check", "green"),
}
JOB_SITE = {
    "not_started": ("Planifié", "calendar", "blue"),
    "in_progress": ("En cours", "circle-play", "accent"),
    "done": ("Terminé", "circle-check", "green"),
}
VISIT = {
    "green": ("Effectuée", "circle-check", "green"),
    "blue": ("Planifiée", "calendar-clock", "blue"),
    "red": ("Non planifiée", "calendar-x", "red"),
}
EQUIPMENT = {
    "in_service": ("En service", "circle-check", "green"),
    "out_of_service": ("Hors service", "ban", "amber"),
    "removed": ("Déposé", "archive", "grey"),
}
JOB = {
    "queued": ("En attente", "clock", "grey"),
    "running": ("En cours", "circle-play", "accent"),
    "done": ("Terminé", "circle-check", "green"),
    "failed": ("Échoué", "circle-alert", "red"),
    "cancelled": ("Annulé", "ban", "grey"),
}
ROLE = {
    "owner": "Direction",
    "administrator": "Administration",
    "admin": "Administration",
    "manager": "Responsable",
    "office": "Bureau",
    "salesperson": "Commercial",
    "technician": "Technicien",
    "lead_technician": "Chef d’équipe",
    "accountant": "Comptabilité",
    "subcontractor": "Sous-traitant",
    "partner": "Partenaire",
}
#: What the other client of a relation is.
RELATION = {
    "head_office": "Siège",
    "branch": "Succursale",
    "managing_agent": "Syndic",
    "building": "Immeuble géré",
    "owner": "Propriétaire",
    "tenant": "Locataire",
    "principal": "Donneur d’ordre",
    "subcontractor": "Sous-traitant",
}
ADDRESS_ROLE = {"owner": "Propriétaire", "tenant": "Locataire", "agent": "Mandataire"}
#: Countries that an address is likely to lie in; another one is shown by its code.
COUNTRIES = {
    "FR": "France", "GP": "Guadeloupe", "MQ": "Martinique", "GF": "Guyane", "RE": "La Réunion", "YT": "Mayotte",
    "MC": "Monaco", "BE": "Belgique", "LU": "Luxembourg", "CH": "Suisse", "DE": "Allemagne", "ES": "Espagne",
    "IT": "Italie", "PT": "Portugal", "NL": "Pays-Bas", "GB": "Royaume-Uni",
}  # fmt: skip
TABS = (
    ("fiche", "Fiche", "", ()),
    ("documents", "Documents", "/documents", ("documents",)),
    ("interventions", "Interventions", "/interventions", ("interventions",)),
    ("billing", "Devis/Factures", "/devis-factures", ("quotes", "invoices", "credit_notes")),
    ("equipment", "Équipements", "/equipements", ("equipment",)),
    ("job_sites", "Chantiers", "/chantiers", ("job_sites",)),
    ("maintenance", "Maintenances", "/maintenances", ("maintenance",)),
)
#: Style sheets that a tab brings with it.
TAB_STYLES = {
    "interventions": ("planning.css",),
    "job_sites": ("planning.css",),
    "fiche": ("exchanges.css",),
    "billing": ("billing.css",),
    "documents": ("documents.css",),
    "equipment": ("documents.css", "equipment.css"),
    "maintenance": ("maintenance.css",),
}
#: Icons that the pages use, for the sprite.
EXTRA_ICONS = (
    "archive", "arrow-down", "arrow-up", "building-2", "calendar", "calendar-check", "calendar-plus", "camera",
    "chart-gantt", "check", "chevron-down", "chevron-left", "chevron-right", "chevron-up", "circle-alert",
    "circle-check", "clock", "copy", "database", "download", "ellipsis", "euro", "external-link", "eye", "file",
    "file-pen", "filter", "folder", "folder-open", "folder-plus", "hard-hat", "heater", "history", "id-card",
    "image", "inbox", "info", "key-round", "life-buoy", "link", "list", "log-out", "mail", "map-pin", "merge",
    "move", "navigation", "notebook-text", "panel-left", "paperclip", "pause", "pencil", "phone", "phone-incoming",
    "phone-outgoing", "play", "plus", "receipt-text", "rotate-ccw", "rotate-cw", "save", "search", "settings",
    "sliders-horizontal", "star", "text", "trash-2", "triangle-alert", "undo-2", "unplug", "upload", "user",
    "user-round-check", "users", "users-round", "wrench", "x",
    "archive-restore", "ban", "calendar-days", "calendar-x", "file-text", "repeat", "rss",
    "arrow-down-left", "arrow-up-right", "history", "list-filter", "map-pin-off", "navigation", "pencil-line",
    "search-x",
    "file-audio", "file-spreadsheet", "file-text", "file-video", "folder-archive", "layout-grid", "replace",
    "arrow-down-up", "user-round-plus", "arrow-left-right", "circle-dashed", "git-compare-arrows",
)  # fmt: skip


def icons() -> list[str]:
    """Every icon that a template may show."""
    found = set(EXTRA_ICONS)
    for table in (INTERVENTION, QUOTE, INVOICE, CREDIT_NOTE, JOB_SITE, VISIT, EQUIPMENT, JOB):
        found.update(icon for _, icon, _ in table.values())
    found.update(icon for _, icon in ACTIVITY.values())
    return sorted(found)
