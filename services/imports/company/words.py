"""Vocabulary of a heating company around Lyon: places, materials, jobs and what a technician writes of them.

Brands and models are invented. Prices are in euros without tax.
"""

from __future__ import annotations

from dataclasses import dataclass

#: (postal code, town) of the area served.
TOWNS = (
    ("69001", "Lyon"), ("69002", "Lyon"), ("69003", "Lyon"), ("69004", "Lyon"), ("69005", "Lyon"), ("69006", "Lyon"),
    ("69007", "Lyon"), ("69008", "Lyon"), ("69009", "Lyon"), ("69100", "Villeurbanne"),
    ("69110", "Sainte-Foy-lès-Lyon"),
    ("69120", "Vaulx-en-Velin"), ("69130", "Écully"), ("69140", "Rillieux-la-Pape"), ("69150", "Décines-Charpieu"),
    ("69160", "Tassin-la-Demi-Lune"), ("69190", "Saint-Fons"), ("69200", "Vénissieux"),
    ("69230", "Saint-Genis-Laval"),
    ("69250", "Neuville-sur-Saône"), ("69260", "Charbonnières-les-Bains"), ("69270", "Fontaines-sur-Saône"),
    ("69300", "Caluire-et-Cuire"), ("69330", "Meyzieu"), ("69340", "Francheville"),
    ("69370", "Saint-Didier-au-Mont-d’Or"),
    ("69400", "Villefranche-sur-Saône"), ("69410", "Champagne-au-Mont-d’Or"), ("69500", "Bron"), ("69600", "Oullins"),
    ("69680", "Chassieu"), ("69800", "Saint-Priest"), ("01480", "Jassans-Riottier"), ("01600", "Trévoux"),
    ("38200", "Vienne"), ("38460", "Crémieu"),
)  # fmt: skip

STREETS = (
    "rue des Tilleuls", "rue du Four", "avenue Jean Jaurès", "rue Victor Hugo", "place de la Mairie", "chemin du Lac",
    "impasse des Cerisiers", "rue de la République", "montée des Carmélites", "quai Saint-Vincent", "rue Pasteur",
    "boulevard des Brotteaux", "rue de l’Église", "allée des Peupliers", "cours Gambetta", "rue du Lavoir",
    "route de Vienne", "rue Claude Debussy", "avenue des Frères Lumière", "rue de la Gare", "chemin des Vignes",
    "rue Marcel Mérieux", "rue du 11 Novembre", "passage des Tisserands", "rue de Bourgogne", "grande rue",
)  # fmt: skip

BUILDING_NAMES = (
    "Les Tilleuls", "Le Clos Fleuri", "Les Terrasses du Parc", "Le Belvédère", "Les Érables", "Le Mermoz",
    "Les Hauts de Saône", "La Closerie", "Les Jardins d’Ainay", "Le Gratte-Ciel", "Bellevue", "Les Canuts",
    "Le Panoramic", "Les Sorbiers", "La Roseraie", "Le Vieux Lavoir", "Les Balmes", "Le Confluent",
)  # fmt: skip
SYNDICS = (
    "Régie Ardoise", "Cabinet Vauban Gestion", "Foncière du Confluent", "Régie des Terreaux", "Syndic Horizon",
    "Gérance Bellecombe", "Cabinet Rivière & Associés", "Immo Copro Services", "Régie du Parc", "Cabinet Montplaisir",
)  # fmt: skip
TRADES = (
    "Boulangerie", "Garage", "Hôtel", "Restaurant", "Pharmacie", "Imprimerie", "Menuiserie", "École", "Clinique",
    "Cabinet dentaire", "Salle de sport", "Brasserie", "Pressing", "Librairie", "Crèche", "Ateliers",
    "Transports", "Résidence senior", "Blanchisserie", "Charcuterie",
)  # fmt: skip
LEGAL_FORMS = ("SARL", "SAS", "SA", "EURL", "SCI")

ACCESS = (
    "Code portail 24B6, badge chez la gardienne.", "Clé de la chaufferie au tableau du local vélos.",
    "Sonner chez le gardien avant 11 h 30.", "Stationnement dans la cour, porte verte.",
    "Chaudière au sous-sol, escalier raide : prévoir une lampe.", "Chien dans le jardin, prévenir avant d’entrer.",
    "Vanne d’arrêt sous l’évier de la cuisine.", "Digicode 1907A puis ascenseur au 5e étage.",
)  # fmt: skip
MEMOS = (
    "Préfère les rendez-vous avant 9 h.", "Toujours appeler la veille pour confirmer.",
    "Facture à envoyer au service comptable, pas sur place.", "Demande une attestation d’entretien pour l’assurance.",
    "Installation ancienne : prévoir les joints en 20/27.", "Paie par chèque le jour même.",
    "Le locataire change souvent, vérifier le nom sur l’interphone.",
)  # fmt: skip
ROLES = ("Gestionnaire", "Gardien", "Responsable technique", "Comptable", "Présidente du conseil syndical",
         "Locataire", "Directrice", "Assistante")  # fmt: skip
TAGS = ("chaufferie collective", "gaz", "fioul", "pompe à chaleur", "prioritaire", "secteur nord", "secteur sud")

#: (type, brand, model) of what is installed in a dwelling.
DOMESTIC = (
    ("Chaudière gaz", "Aubrac Thermique", "Condensia 24"), ("Chaudière gaz", "Valmont", "Ecolis 28 V"),
    ("Chaudière gaz", "Rhodia Chauffage", "Mural 25 FF"), ("Pompe à chaleur", "Nordique", "Aéria 8"),
    ("Pompe à chaleur", "Valmont", "Hydra 11"), ("Chauffe-eau", "Thermor’Alp", "Stéa 200"),
    ("Chaudière fioul", "Aubrac Thermique", "Fiolis 30"), ("Poêle à granulés", "Brasero", "Pellet 9"),
)  # fmt: skip
#: … and in a boiler room.
COLLECTIVE = (
    ("Chaudière gaz", "Aubrac Thermique", "Collectia 250"), ("Chaudière gaz", "Rhodia Chauffage", "Pro 400"),
    ("Brûleur", "Flamatec", "G 30 modulant"), ("Circulateur", "Pompéa", "Magna 65-120"),
    ("Adoucisseur", "Hydropure", "A 200"), ("Ballon d’eau chaude", "Thermor’Alp", "Collectif 1500"),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Job:
    """A kind of work: what it is called, how long it takes, what is billed, what is written of it."""

    title: str
    type: str
    minutes: int
    request: str
    reports: tuple[str, ...]
    #: (label, quantity, unit price)
    lines: tuple[tuple[str, str, str], ...]
    #: Energy-saving works are taxed at 5.5 % in dwellings.
    energy_saving: bool = False
    #: Worth a quote first, and a deposit.
    large: bool = False


MAINTENANCE = Job(
    "Entretien annuel de la chaudière", "Entretien", 75, "Visite d’entretien prévue au contrat.",
    (
        "Nettoyage du corps de chauffe et du brûleur, contrôle de l’étanchéité. Teneur en CO nulle, rendement 97 %. "
        "Attestation remise.",
        "Entretien fait, siphon des condensats nettoyé, pression remise à 1,5 bar. Prévoir le remplacement du vase "
        "d’expansion à la prochaine visite.",
        "Électrodes nettoyées, vitre du brûleur changée. Client absent au départ, attestation laissée dans la boîte.",
    ),
    (("Entretien annuel de chaudière, attestation comprise", "1", "128.00"),),
)  # fmt: skip
JOBS = (
    Job("Panne de chauffage", "Dépannage", 90, "Plus de chauffage depuis hier soir, code défaut affiché.",
        (
            "Défaut d’allumage : électrode et câble remplacés. Essais concluants, température atteinte en 40 minutes.",
            "Pressostat d’air hors service, remplacé. Conduit contrôlé, tirage correct.",
            "Circulateur grippé, débloqué puis remplacé. Purge de l’installation.",
        ),
        (("Main-d’œuvre de dépannage (heure)", "1.5", "62.00"), ("Déplacement", "1", "38.50"),
         ("Kit d’allumage", "1", "74.90"))),
    Job("Fuite sur le circuit", "Dépannage", 60, "Fuite d’eau sous la chaudière, pression qui baisse.",
        (
            "Fuite au raccord de départ, joint changé. Remise en pression à 1,6 bar, aucune fuite après 20 minutes.",
            "Soupape de sécurité qui goutte : remplacée, vase regonflé à 1 bar.",
        ),
        (("Main-d’œuvre de dépannage (heure)", "1", "62.00"), ("Déplacement", "1", "38.50"),
         ("Soupape 3 bars et joints", "1", "33.33"))),
    Job("Plus d’eau chaude", "Dépannage", 75, "Eau tiède au robinet, chauffage correct.",
        (
            "Échangeur à plaques entartré, détartré sur place. Débit retrouvé : 11 l/min à 45 °C.",
            "Sonde sanitaire hors tolérance, remplacée. Réglage à 50 °C.",
        ),
        (("Main-d’œuvre (heure)", "1.25", "47.90"), ("Déplacement", "1", "38.50"), ("Sonde sanitaire", "1", "41.20"))),
    Job("Désembouage du circuit", "Entretien", 240, "Radiateurs froids en bas, bruit dans les tuyaux.",
        (
            "Désembouage par pompe, trois radiateurs isolés et traités un à un. Inhibiteur ajouté, eau claire.",
        ),
        (("Désembouage, par radiateur", "8", "54.00"), ("Inhibiteur de corrosion (litre)", "2", "29.75"))),
    Job("Remplacement du circulateur", "Dépannage", 120, "Circulateur bruyant, chaufferie du bâtiment.",
        (
            "Circulateur remplacé, vannes d’isolement refaites. Courbe réglée en pression proportionnelle.",
        ),
        (("Circulateur à haut rendement", "1", "486.00"), ("Main-d’œuvre (heure)", "2", "62.00"),
         ("Déplacement", "1", "38.50"))),
    Job("Équilibrage de l’installation", "Réglage", 180, "Étages hauts mal chauffés, demande du conseil syndical.",
        (
            "Mesures en pied de colonne, réglages consignés dans le carnet de chaufferie. Écart ramené à 1 °C.",
        ),
        (("Équilibrage hydraulique (heure)", "3", "68.00"), ("Rapport de mesures", "1", "95.00"))),
    Job("Ramonage du conduit", "Entretien", 45, "Ramonage demandé par l’assurance.",
        (
            "Conduit ramoné par le haut, suies évacuées, certificat remis.",
        ),
        (("Ramonage et certificat", "1", "76.36"),)),
    Job("Remplacement de la chaudière", "Installation", 480, "Chaudière en fin de vie, devis accepté.",
        (
            "Dépose de l’ancienne chaudière, pose murale à condensation, tubage du conduit. Mise en service faite, "
            "client formé au thermostat.",
        ),
        (("Chaudière murale à condensation 24 kW", "1", "2380.00"), ("Kit de fumisterie et tubage", "1", "412.40"),
         ("Dépose et évacuation de l’ancien appareil", "1", "180.00"), ("Main-d’œuvre d’installation (heure)", "14",
         "52.00"), ("Thermostat programmable", "1", "149.90")), large=True),
    Job("Pose d’une pompe à chaleur", "Installation", 960, "Remplacement d’une chaudière fioul.",
        (
            "Groupe extérieur posé sur plots, liaisons tirées au vide, module hydraulique raccordé. Essais à −2 °C "
            "corrects, intensité conforme.",
        ),
        (("Pompe à chaleur air/eau 11 kW", "1", "7450.00"), ("Ballon tampon 100 l", "1", "690.00"),
         ("Neutralisation de la cuve à fioul", "1", "620.00"), ("Main-d’œuvre d’installation (heure)", "28",
         "52.00")), energy_saving=True, large=True),
    Job("Mise en conformité gaz", "Installation", 150, "Contrôle avant location.",
        (
            "Robinet d’arrêt et flexible remplacés, ventilation basse créée. Certificat de conformité établi.",
        ),
        (("Robinet à obturation intégrée et flexible", "1", "86.70"), ("Grille de ventilation", "2", "18.45"),
         ("Main-d’œuvre (heure)", "2.5", "47.90"))),
)  # fmt: skip

#: Type of an appointment before a quote.
VISIT = "Visite technique"

CALLS = (
    ("Demande de rendez-vous", "Le client demande un passage dans la semaine, plutôt le matin."),
    ("Relance du devis", "Attend l’accord de son conjoint, rappeler vendredi."),
    ("Signale un bruit", "Bruit de claquement au démarrage. Conseillé de purger, sinon passage à prévoir."),
    ("Question sur la facture", "Demande le détail des heures, envoyé par courriel."),
    ("Confirmation de la visite", "Rendez-vous confirmé, accès par la cour."),
)
EMAILS = (
    ("Demande de devis", "Bonjour,\n\nPouvez-vous nous établir un devis pour le remplacement de la chaudière ?\n\n"
     "Cordialement"),
    ("Attestation d’entretien", "Bonjour,\n\nVous trouverez ci-joint l’attestation de la dernière visite.\n\n"
     "Bien cordialement"),
    ("Accès à la chaufferie", "Bonjour,\n\nLe code a changé, merci de nous l’envoyer avant le passage.\n\nMerci"),
)  # fmt: skip
