"""The company of the pictures: « Rivoire Chauffage », a made-up company of sixty clients and its staff."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from scripts.screenshots.api import Person, until
from services.imports.company.people import siren as siren_of
from services.imports.company.people import siret, vat_number

PARIS = ZoneInfo("Europe/Paris")
PASSWORD = "une phrase pour les images"  # noqa: S105: of a product that lives for a minute
TECHNICIANS = ("Karim Haddad", "Sophie Marchand", "Julien Perrot", "Léa Fontaine", "Thomas Vidal")


def day(back: int) -> date:
    """The day so many days ago; negative: to come."""
    return date.today() - timedelta(days=back)


def weekday(at: int) -> date:
    """A day of this week, 0 for Monday."""
    return date.today() + timedelta(days=at - date.today().weekday())


def moment(on: date, hour: str) -> str:
    """That hour at the company, as the API takes it."""
    return datetime.fromisoformat(f"{on}T{hour}").replace(tzinfo=PARIS).isoformat()


@dataclass
class Company:
    """Who asks, and the ids of what was made by name."""

    admin: Person
    camille: Person
    hugo: Person
    ids: dict[str, str] = field(default_factory=dict)

    def client(self, **fields: Any) -> str:
        """Makes a client; its id is kept by its name."""
        made = self.camille.post("/clients", {"kind": "company", "sales_rep_id": self.ids["Hugo Lefèvre"]} | fields)
        self.ids[made["display_name"]] = made["id"]
        return str(made["id"])

    def work(self, client: str, title: str, on: date | None, hours: tuple[str, str], *who: str, **more: Any) -> str:
        """Plans work of these technicians; its id."""
        people = [self.ids[name] for name in who]
        body: dict[str, Any] = {"client_id": client, "title": title, "technician_ids": people} | more
        if people:
            body["lead_technician_id"] = people[0]
        if on is not None:
            body |= {"starts_at": moment(on, hours[0]), "ends_at": moment(on, hours[1])}
        return str(self.camille.post("/interventions", body)["id"])

    def finish(self, id: str, said: str, minutes: int, **more: Any) -> None:
        """The work was done and told."""
        self.camille.post(f"/interventions/{id}/start")
        self.camille.post(f"/interventions/{id}/report", {"work_done": said, "minutes": minutes, **more})
        self.camille.post(f"/interventions/{id}/finish")


def establish(url: str, token: str) -> Company:
    """The people and the company's papers, before there is any client."""
    admin = Person(url, token)
    ids = {}
    for name, roles in (("Camille Roux", ["office"]), ("Hugo Lefèvre", ["salesperson", "admin"]),
                        *((name, ["technician"]) for name in TECHNICIANS)):  # fmt: skip
        email = f"{name.split()[0].lower().replace('é', 'e')}@rivoire-chauffage.example"
        ids[name] = admin.post("/users", name=name, email=email, roles=roles, password=PASSWORD)["id"]
    people = [sign_in(url, f"{name}@rivoire-chauffage.example") for name in ("camille", "hugo")]
    siren = siren_of(482, 1)
    admin.change(
        "/company", legal_name="Rivoire Chauffage", legal_form="SARL", siren=siren, siret=siret(siren), rcs="Lyon",
        vat_number=vat_number(siren), street="12 rue de la Part-Dieu", postal_code="69003", city="Lyon",
        iban="FR7630006000011234567890189", share_capital="50 000 €", email="contact@rivoire-chauffage.example",
        phone="01 99 00 33 60", payment_terms="30 jours",
    )  # fmt: skip
    return Company(admin, *people, ids)


def fill(company: Company) -> None:
    """The demonstration's clients, and what their work is called."""
    admin = company.admin
    job = admin.post("/imports", source="demo", clients=60, seed=7)
    until(lambda: admin.get(f"/imports/{job['id']}")["status"] in ("done", "failed"), 300)
    for name in ("Dépannage", "Entretien", "Travaux", "Contrôle", "Réglage", "Relevé"):
        company.ids[name] = _type(admin, name)
    until(lambda: {row["name"] for row in admin.get("/technicians", limit=200)["items"]} >= set(TECHNICIANS))
    neighbours(company)


def sign_in(url: str, email: str) -> Person:
    """Somebody of the staff, by their password."""
    return Person(url, Person(url, "").post("/sessions", email=email, password=PASSWORD)["token"])


def _type(admin: Person, name: str) -> str:
    for row in admin.get("/intervention-types", limit=200)["items"]:
        if row["name"] == name:
            return str(row["id"])
    return str(admin.post("/intervention-types", name=name)["id"])


def neighbours(company: Company) -> None:
    """Other clients, and their work around that of the pictures' client."""
    names = {
        "Boulangerie Martin": ("Lyon", "company"), "École Jean-Moulin": ("Vénissieux", "company"),
        "Hôtel du Beffroi": ("Vienne", "company"), "Parking des Tilleuls": ("Villeurbanne", "company"),
        "Clinique des Fontaines": ("Bron", "company"), "Régie Bellecour": ("Lyon", "property_manager"),
    }  # fmt: skip
    for at, (name, (city, kind)) in enumerate(names.items()):
        made = company.client(kind=kind, company_name=name, phone=f"01 99 00 {at + 31} 1{at}")
        company.camille.post(f"/clients/{made}/addresses", label="", street=f"{at + 3} rue Paul-Bert", city=city,
                             postal_code="69003")  # fmt: skip
    company.camille.post("/clients", kind="individual", first_name="Odile", last_name="Garnier",
                         phone="06 39 98 41 07")  # fmt: skip
    karim, sophie, julien, lea, thomas = TECHNICIANS
    for client, at, hours, who in (
        ("Clinique des Fontaines", 0, ("08:00", "11:00"), karim), ("École Jean-Moulin", 0, ("08:00", "15:00"), sophie),
        ("Boulangerie Martin", 0, ("08:00", "14:00"), julien), ("Régie Bellecour", 1, ("08:00", "16:00"), lea),
        ("Hôtel du Beffroi", 2, ("08:00", "13:00"), sophie), ("Parking des Tilleuls", 2, ("10:30", "14:30"), julien),
        ("École Jean-Moulin", 2, ("09:30", "15:30"), thomas), ("Clinique des Fontaines", 3, ("08:00", "16:00"), julien),
        ("Hôtel du Beffroi", 3, ("08:00", "14:00"), thomas), ("Boulangerie Martin", 4, ("09:00", "15:00"), karim),
        ("Parking des Tilleuls", 2, ("16:30", "18:00"), julien),
    ):  # fmt: skip
        company.work(company.ids[client], "Entretien", weekday(at), hours, who)
