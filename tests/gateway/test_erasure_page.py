"""The pages of erasing: what goes and what stays is said, and who did it is listed."""

from __future__ import annotations

from tests.gateway.conftest import Product
from tests.gateway.test_auth import PASSWORD, browser, csrf_of, new_user


def test_the_page_says_what_goes_and_what_stays_and_the_list_who_did_it(product: Product) -> None:
    client = product.new_client(kind="individual", company_name="", last_name="Lefort")
    product.http.post("/quotes", json={"client_id": client["id"], "lines": []})
    user = new_user(product, "admin")
    with browser(product) as page:
        form = page.get("/connexion")
        page.post(
            "/connexion", data={"email": user["email"], "password": PASSWORD, "csrf_token": csrf_of(form)}
        )  # fmt: skip
        fiche = page.get(f"/clients/{client['id']}")
        assert "Effacer les données de la personne" in fiche.text
        asked = page.get(f"/clients/{client['id']}/effacer")
        assert asked.status_code == 200, asked.text[:800]
        assert "1 devis" in asked.text
        assert "Recopiez-le" in asked.text
        assert "indisponible" not in asked.text
        done = product.http.post(f"/clients/{client['id']}/erase", json={"reason": "À sa demande", "name": "lefort"})
        assert done.status_code == 202, done.text
        assert "À sa demande" in page.get("/reglages/effacements").text
        gone = page.get(f"/clients/{client['id']}")
        assert gone.status_code == 410
        assert "Restaurer" not in gone.text
