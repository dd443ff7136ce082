"""The client of the pictures: « Copropriété Les Tilleuls », with something in each state of each part."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from scripts.screenshots import photos
from scripts.screenshots.api import until
from scripts.screenshots.company import TECHNICIANS, Company, day, moment, weekday

KARIM, SOPHIE, JULIEN, LEA, THOMAS = TECHNICIANS
MEMO = """- Chaufferie A\u202f: code 48B12, clé de la B chez le gardien.
- Couper l’alarme gaz avant toute purge (armoire de gauche).
- Pas d’intervention le samedi sans l’accord de Mme Garnier."""


def settle(company: Company) -> str:
    """Makes the client and all that is its own; its id."""
    ids, hugo = company.ids, company.hugo
    hugo.post("/custom-fields", label="Énergie", key="energie", type="choice",
              choices=["Gaz naturel", "Fioul", "Électricité"])  # fmt: skip
    client = company.client(
        company_name="Copropriété Les Tilleuls", registration_number="AB4-817-203", phone="01 99 00 20 14",
        email="syndic@lestilleuls.example", tags=["Syndic", "Contrat P2"],
        custom_fields={"energie": "Gaz naturel", "date_inscription": "2019-03-12"},
    )  # fmt: skip
    _around(company, client)
    photos_of = _documents(company, client)
    equipment = _equipment(company, client, photos_of)
    _plans(company, client, equipment)
    _work(company, client)
    _papers(company, client)
    _exchanges(company, client)
    # Last, so that it stands on top of the fiche with the call that led to it.
    ids["leak"] = company.work(
        client, "Fuite au vase d’expansion", day(0), ("14:30", "17:30"), KARIM, has_appointment=True,
        address_id=ids["Bâtiment B"], type_id=ids["Dépannage"], contact_id=ids["Garnier"],
        equipment_ids=[equipment["Vase d’expansion B"]], description="Pression tombée à 0,6 bar cette nuit.",
        client_reference="OS 2026-118",
    )  # fmt: skip
    ids["tilleuls"] = client
    return client


def _around(company: Company, client: str) -> None:
    camille, ids, base = company.camille, company.ids, f"/clients/{client}"
    for label, street, code, city, notes in (
        ("Bâtiment A", "18 rue des Tilleuls", "69100", "Villeurbanne", "Code 48B12, cour de gauche"),
        ("Bâtiment B", "20 rue des Tilleuls", "69100", "Villeurbanne", ""),
        ("Syndic", "4 place Bellecour", "69002", "Lyon", ""),
    ):
        body = {"label": label, "street": street, "postal_code": code, "city": city, "access_notes": notes}
        ids[label] = camille.post(f"{base}/addresses", body)["id"]
    for first, last, role, phone, portal in (
        ("Odile", "Garnier", "Présidente du conseil syndical", "06 39 98 41 07", True),
        ("Simon", "Blanc", "Gestionnaire, Régie Bellecour", "01 99 00 33 60", True),
        ("Moussa", "Diallo", "Gardien", "06 39 98 60 21", False),
    ):
        email = f"{first}.{last}@lestilleuls.example".lower()
        ids[last] = camille.post(f"{base}/contacts", first_name=first, last_name=last, role=role, phone=phone,
                                 email=email, portal_access=portal)["id"]  # fmt: skip
    camille.post(f"{base}/relations", type="managing_agent", other_client_id=ids["Régie Bellecour"])
    camille.post(f"{base}/relations", type="branch", other_client_id=ids["Parking des Tilleuls"])
    company.hugo.put(f"{base}/memo", text=MEMO)
    camille.change(f"{base}/billing", billing_name="Copropriété Les Tilleuls", billing_address_id=ids["Syndic"],
                   payment_terms="30 jours", payment_means="Virement")  # fmt: skip
    ids["site"] = camille.post("/job-sites", client_id=client, title="Rénovation de la chaufferie A",
                               address_id=ids["Bâtiment A"], status="in_progress", starts_on=str(day(40)),
                               ends_on=str(day(-30)), estimated_hours="120",
                               description="Remplacement des deux chaudières et du collecteur.")["id"]  # fmt: skip
    camille.post("/job-sites", client_id=client, title="Désembouage des colonnes", address_id=ids["Bâtiment B"],
                 starts_on=str(day(-20)), ends_on=str(day(-45)), estimated_hours="32")  # fmt: skip


def _documents(company: Company, client: str) -> dict[str, str]:
    camille = company.camille
    for path in ("Chaufferie A", "Contrats", "Photos"):
        camille.post("/documents/folders", client_id=client, folder=path)
    made = {}
    drawn = {
        "Chaudière n° 1.jpg": photos.boiler(330), "Chaudière n° 2.jpg": photos.boiler(620),
        "Plaque circulateur A.jpg": photos.plate(), "Vase d’expansion.jpg": photos.vessel(),
        "Régulateur.jpg": photos.panel(),
    }  # fmt: skip
    for name, content in drawn.items():
        made[name] = camille.deposit(client, name, content, "image/jpeg", folder="Photos")["id"]
    company.hugo.deposit(client, "Chaufferie A, vue d’ensemble.jpg", photos.boiler(420), "image/jpeg")
    camille.deposit(client, "Relevé des compteurs 2026.csv", b"mois;kWh\njanvier;18240\n" * 40, "text/csv")
    company.hugo.deposit(client, "Plaque du circulateur.jpg", photos.plate(), "image/jpeg", folder="Chaufferie A")
    return made


def _equipment(company: Company, client: str, photo: dict[str, str]) -> dict[str, str]:
    made = {}
    for name, brand, model, serial, where, installed, picture in (
        ("Chaudière n° 1", "Viessmann", "Vitocrossal 200, 240 kW", "7571 0842 1190", "A", "2018-09-03",
         "Chaudière n° 1.jpg"),
        ("Chaudière n° 2", "Viessmann", "Vitocrossal 200, 240 kW", "7571 0842 1204", "A", "2018-09-03",
         "Chaudière n° 2.jpg"),
        ("Circulateur départ A", "Grundfos", "MAGNA3 50-120 F", "97924473-0621", "A", "2021-06-14",
         "Plaque circulateur A.jpg"),
        ("Vase d’expansion B", "Flamco", "Flexcon M-K, 200 litres", "FX-20419", "B", "2015-10-02",
         "Vase d’expansion.jpg"),
        ("Disconnecteur", "Watts", "BA BM, DN 32", "W-118204", "A", "2019-05-20", ""),
        ("Adoucisseur", "BWT", "Rondomat Duo 3", "R3-77120", "A", "2020-03-11", ""),
        ("Préparateur ECS", "Charot", "1 500 litres", "CH-15-0933", "A", "2018-09-03", ""),
        ("Régulateur", "Siemens", "Synco RMH760B", "S55370-C120", "A", "2018-09-03", "Régulateur.jpg"),
        ("Brûleur n° 1", "Weishaupt", "WM-G10", "5041883", "B", "2012-11-08", ""),
    ):  # fmt: skip
        body: dict[str, Any] = {
            "client_id": client, "name": name, "brand": brand, "model": model, "serial_number": serial,
            "address_id": company.ids[f"Bâtiment {where}"], "installed_on": installed,
            "details": [{"label": "Pression de service", "value": "6 bar"}],
        }  # fmt: skip
        if picture:
            body["photos"] = [photo[picture]]
        made[name] = company.camille.post("/equipment", body)["id"]
    return made


def _plans(company: Company, client: str, equipment: dict[str, str]) -> None:
    """Visits done, planned and not planned. `days`: from today, where done or planned; a visit is due mid-period."""
    for title, what, count, period, back, who, days in (
        ("Chaudière n° 1", "Chaudière n° 1", 2, "year", 111, SOPHIE, (-20,)),
        ("Chaudière n° 2", "Chaudière n° 2", 2, "year", 111, SOPHIE, (-20,)),
        ("Chaufferie A", "Régulateur", 1, "month", 95, KARIM, (-83, -52, -21)),
        ("Disconnecteur", "Disconnecteur", 1, "year", 182, SOPHIE, (1,)),
        ("Adoucisseur", "Adoucisseur", 1, "quarter", 142, LEA, (-97, 2)),
        ("Circulateurs", "Circulateur départ A", 2, "year", 240, KARIM, (-139,)),
        ("Vase d’expansion B", "Vase d’expansion B", 1, "year", 223, THOMAS, ()),
        ("Préparateur ECS", "Préparateur ECS", 1, "half_year", 147, THOMAS, ()),
    ):
        plan = company.camille.post(
            "/maintenance-plans", client_id=client, title=title, equipment_ids=[equipment[what]], period=period,
            visits_per_period=count, starts_on=str(day(back)), assignee_id=company.ids[who],
            address_id=company.ids["Bâtiment B" if what.endswith(" B") else "Bâtiment A"],
        )["id"]  # fmt: skip
        visits = [one for one in company.camille.get("/maintenance-visits", client_id=client, limit=200)["items"]
                  if one["plan_id"] == plan]  # fmt: skip
        visits.sort(key=lambda visit: visit["due_on"])
        for at in days:
            on = day(-at) if day(-at).weekday() < 5 else day(-at + 2)
            visit = next(one for one in visits if one["period_start"] <= str(on) <= one["period_end"])
            times = {"starts_at": moment(on, "08:30"), "ends_at": moment(on, "11:30")}
            company.camille.post(f"/maintenance-visits/{visit['id']}/schedule", times)
            if at < 0:
                path = f"/maintenance-visits/{visit['id']}"
                work = until(lambda path=path: company.camille.get(path)["intervention_id"])
                until(lambda work=work: company.camille.http.get(f"/interventions/{work}").status_code == 200)
                company.finish(work, "Entretien fait, réglages relevés.", 150)


def _work(company: Company, client: str) -> None:
    a, b = ({"address_id": company.ids[f"Bâtiment {one}"]} for one in "AB")
    kind = {name: {"type_id": company.ids[name]} for name in ("Dépannage", "Travaux", "Contrôle", "Réglage", "Relevé")}
    today = day(0)
    company.work(client, "Équilibrage des colonnes", today, ("15:00", "18:00"), JULIEN, needs_quote=True, **b,
                 **kind["Réglage"])  # fmt: skip
    company.work(client, "Préparation du chantier", weekday(4), ("13:30", "18:00"), JULIEN, **a, **kind["Travaux"],
                 job_site_id=company.ids["site"])  # fmt: skip
    company.work(client, "Remplacement du circulateur", weekday(8), ("08:00", "17:00"), KARIM, JULIEN, **a,
                 **kind["Travaux"], has_appointment=True, job_site_id=company.ids["site"])  # fmt: skip
    company.work(client, "Essai de mise en service", weekday(11), ("11:00", "12:00"), SOPHIE, **a, **kind["Contrôle"])
    company.work(client, "Désembouage de la colonne 4", weekday(-7), ("08:00", "12:00"), JULIEN, THOMAS, **a,
                 **kind["Travaux"], needs_quote=True)  # fmt: skip
    company.work(client, "Relevé des compteurs", None, ("", ""), **b, **kind["Relevé"])
    for title, on, who, where in (
        ("Purge des colonnes", weekday(0), LEA, a), ("Radiateur froid, lot 12", weekday(-13), KARIM, b),
        ("Ramonage annuel", weekday(-10), LEA, a),
    ):  # fmt: skip
        made = company.work(client, title, on, ("09:00", "12:30"), who, has_appointment=True, **where,
                            **kind["Dépannage"])  # fmt: skip
        company.finish(made, "Travaux faits, installation remise en service.", 180, signed_by="Moussa Diallo",
                       parts=[{"label": "Purgeur automatique", "quantity": "2", "reference": "PA-15"}])  # fmt: skip
        company.ids[title] = made


def _papers(company: Company, client: str) -> None:
    ids, office = company.ids, company.camille

    def body(title: str, price: str, vat: str = "20", **more: Any) -> dict[str, Any]:
        lines = [{"kind": "section", "label": "Fourniture et pose"},
                 {"label": title, "quantity": "1", "unit_price": price, "vat_rate": vat},
                 {"label": "Main-d’œuvre", "quantity": "2.5", "unit_price": "62.00", "vat_rate": vat}]  # fmt: skip
        return {"client_id": client, "title": title, "lines": lines, "address_id": ids["Bâtiment A"]} | more

    office.post("/quotes", body("Équilibrage des colonnes", "485.00"))
    for title, price, steps in (
        ("Robinets thermostatiques, 24 pièces", "1717.00", ("finalise", "send", "refuse")),
        ("Désembouage de la colonne 4", "825.00", ("finalise", "send", "accept")),
        ("Désembouage général", "4390.00", ("finalise", "send")),
        ("Circulateur de la chaufferie A", "2750.00", ("finalise", "send")),
    ):
        quote = office.post("/quotes", body(title, price))["id"]
        for step in steps:
            office.post(f"/quotes/{quote}/{step}")
        ids["quote"] = quote
    for title, price, due, paid, more in (
        ("Détartrage du ballon d’eau chaude", "331.00", 30, "", {}),
        ("Contrat P2, 3ᵉ trimestre", "1845.00", 30, "2400.00", {}),
        ("Remise en chauffe", "898.75", -41, "", {}),
        ("Contrat P2, 4ᵉ trimestre", "1845.00", 20, "1200.00", {}),
        ("Radiateur froid, lot 12", "1389.75", 30, "", {"intervention_id": ids["Radiateur froid, lot 12"]}),
    ):
        due_on = str(day(0) + timedelta(days=due))
        invoice = office.post("/invoices", body(title, price, due_on=due_on, **more))["id"]
        office.post(f"/invoices/{invoice}/issue")
        if paid:
            office.post(f"/invoices/{invoice}/payments", amount=paid, paid_on=str(day(0)), means="Virement")
        ids[title] = invoice
    office.post(f"/invoices/{ids['Détartrage du ballon d’eau chaude']}/credit-note", reason="Facturé deux fois")
    office.post("/invoices", body("Purge des colonnes", "240.00", intervention_id=ids["Purge des colonnes"]))
    pdf = office.bytes_of(f"/quotes/{ids['quote']}/pdf")
    company.hugo.deposit(client, "Contrat P2 2026-2029.pdf", pdf, "application/pdf")
    office.deposit(client, "Attestation de ramonage 2026.pdf", pdf, "application/pdf")
    office.deposit(client, "Contrat d’entretien.pdf", pdf, "application/pdf", folder="Contrats")


def _exchanges(company: Company, client: str) -> None:
    base, ids = f"/clients/{client}/activities", company.ids
    for who, kind, direction, back, contact, subject, text in (
        (company.hugo, "visit", None, 6, None, "Visite de la chaufferie A avec le conseil syndical",
         "Circulateur bruyant, roulement à changer avant l’hiver. Prévoir le remplacement hors période de chauffe si "
         "possible."),
        (company.camille, "sms", "in", 0, "Diallo", "Passage avant 10 h demandé",
         "«\u202fBonjour, le technicien peut-il passer avant 10 h\u202f? Je suis à la loge jusqu’à midi.\u202f»"),
        (company.hugo, "email", "out", 0, "Blanc", "Devis pour le remplacement du circulateur",
         "Bonjour Monsieur Blanc, suite à la visite du 19 novembre, voici notre proposition pour le circulateur de la "
         "chaufferie A."),
        (company.camille, "call", "in", 0, "Garnier", "Fuite au vase d’expansion, bâtiment B",
         "Pression tombée à 0,6 bar cette nuit, radiateurs froids aux 4ᵉ et 5ᵉ étages. Accès chaufferie par la cour, "
         "clé chez le gardien."),
    ):  # fmt: skip
        body = {"kind": kind, "direction": direction, "occurred_at": moment(day(back), "14:00") if back else None,
                "subject": subject, "body": text, "contact_id": ids[contact] if contact else None}  # fmt: skip
        who.post(base, {name: value for name, value in body.items() if value is not None})
