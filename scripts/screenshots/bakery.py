"""Clients that were entered twice: a bakery to be merged, and a garage that was merged with its double."""

from __future__ import annotations

from scripts.screenshots.company import Company, day, moment, weekday

PHONE = "06 39 98 50 14"


def settle(company: Company) -> None:
    """The two bakeries, with work of their own on each; a garage made of two records."""
    ask = company.camille
    kept = company.ids["Boulangerie Martin"]
    ask.change(
        f"/clients/{kept}", registration_number="AB2-104-556", email="contact@boul-martin.example",
        secondary_phone=PHONE, tags=["Commerce", "Four à gaz"],
    )  # fmt: skip
    ask.put(f"/clients/{kept}/memo", text="Livraison avant 6 h : passer par la cour.")
    other = company.client(
        company_name="Boulangerie Martin & Fils", registration_number="AB5-330-018", phone=PHONE,
        email="b.martin@boul-martin.example", website="https://boul-martin.example", tags=["VIP"],
        sales_rep_id=company.ids["Camille Roux"],
    )  # fmt: skip
    ask.put(f"/clients/{other}/memo", text="Vanne gaz derrière le pétrin.")
    ask.change(f"/clients/{other}/billing", payment_terms="À réception", iban="FR7630006000011234567890189")
    _filled(company, other, "12 rue Paul-Bert", "Four à sole")
    third = company.client(company_name="Martin Boulanger", phone=PHONE)
    company.ids["Martin Boulanger"] = third
    garage = company.client(company_name="Garage Morel", phone="01 99 00 31 12", email="atelier@morel.example")
    double = company.client(company_name="Morel Automobiles", phone="01 99 00 31 12", website="https://morel.example")
    for client, street in ((garage, "4 quai Perrache"), (double, "4 bis quai Perrache")):
        _filled(company, client, street, "Aérotherme atelier")
    body = {"survivor_id": garage, "duplicate_id": double, "reason": "Même téléphone, client saisi deux fois"}
    company.ids["garage_merge"] = ask.post("/merges", body)["id"]
    # Since then: work on the double's address, that an undo asks about.
    address = next(
        row["id"] for row in ask.get(f"/clients/{garage}/addresses")["items"] if row["street"] == "4 bis quai Perrache"
    )
    company.work(garage, "Remplacement du brûleur", weekday(4), ("09:00", "11:00"), "Karim Haddad", address_id=address)
    company.work(garage, "Réglage du thermostat", weekday(3), ("14:00", "15:00"), "Sophie Marchand")


def _filled(company: Company, client: str, street: str, machine: str) -> None:
    ask = company.camille
    place = {"label": "Atelier", "street": street, "postal_code": "69003", "city": "Lyon"}
    address = ask.post(f"/clients/{client}/addresses", place)["id"]
    call = {"kind": "call", "direction": "in", "subject": "Demande d’entretien"}
    ask.post(f"/clients/{client}/activities", call | {"occurred_at": moment(day(6), "10:10")})
    ask.post(f"/clients/{client}/contacts", {"last_name": "Martin", "first_name": "Paul", "role": "Gérant"})
    equipment = ask.post("/equipment", {"client_id": client, "name": machine, "address_id": address})["id"]
    for title, back in (("Entretien annuel", 3), ("Dépannage", 2)):
        company.work(client, title, weekday(back), ("08:00", "09:00"), "Julien Perrot", address_id=address)
    line = {"label": "Entretien annuel", "quantity": "1", "unit_price": "180.00", "vat_rate": "20"}
    ask.post("/quotes", {"client_id": client, "title": "Entretien", "lines": [line], "address_id": address})
    plan = {"title": "Entretien annuel", "period": "year", "starts_on": str(day(30)), "equipment_ids": [equipment]}
    ask.post("/maintenance-plans", {"client_id": client, **plan})
