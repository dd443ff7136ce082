"""Every word and figure of the printed document, in French, from its frozen data.

Sources: CGI, article 289 and annexe II, article 242 nonies A (mentions of an invoice); Code de commerce, L441-9,
L441-10, D441-5 (terms, late penalties, 40 € for recovery), R123-237 and R123-238 (identity on business papers).
"""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

_MONTHS = (
    "janvier", "février", "mars", "avril", "mai", "juin", "juillet", "août", "septembre", "octobre", "novembre",
    "décembre",
)  # fmt: skip
_HEADINGS = {
    "quote": "Devis",
    "credit_note": "Avoir",
    "standard": "Facture",
    "deposit": "Facture d’acompte",
    "progress": "Facture de situation",
    "balance": "Facture de solde",
    "replacement": "Facture rectificative",
}
_OPERATIONS = {
    "goods": "Livraison de biens",
    "services": "Prestation de services",
    "mixed": "Livraison de biens et prestation de services",
}
NARROW = "\u202f"
#: Rates for works on dwellings (CGI, articles 278-0 bis A and 279-0 bis).
_REDUCED = {Decimal("5.5"), Decimal("10")}


def words(data: dict[str, Any]) -> dict[str, Any]:
    """What the layout shows. `data` is a document's frozen data; keys that older ones lack are left out."""
    kind = data.get("document") or ("credit_note" if "corrects" in data else "invoice")
    heading = _HEADINGS[data.get("kind", "standard") if kind == "invoice" else kind]
    number, watermark = data.get("number") or "Sans numéro", data.get("watermark", "")
    issued = date.fromisoformat(data["issued_on"])
    lines = data["lines"]
    currency = _symbol(data.get("currency", "EUR"))
    sign = -1 if kind == "credit_note" else 1
    return {
        "heading": f"{heading} {number}",
        "short_heading": f"{heading} {number}",
        "heading_word": heading,
        "number": f"n°\u00a0{number}" if data.get("number") else number,
        "date": {"year": issued.year, "month": issued.month, "day": issued.day},
        "watermark": watermark,
        "seller": _seller(data["seller"]),
        "buyer": _buyer(data, kind),
        "facts": _facts(data, kind, issued),
        "title": data.get("title", ""),
        "discounts": any(Decimal(line["discount_percent"]) for line in lines),
        "lines": [_line(line, currency) for line in lines],
        "taxes": [
            [percent(tax["rate"]), amount(Decimal(tax["base"]), currency), amount(Decimal(tax["tax"]), currency)]
            for tax in data["taxes"]
        ],
        "totals": [
            ["Total HT", amount(Decimal(data["total_excl_tax"]), currency)],
            ["TVA", amount(Decimal(data["total_tax"]), currency)],
            *(
                [["Autres taxes", amount(Decimal(data["total_other_taxes"]), currency)]]
                if Decimal(data.get("total_other_taxes") or 0)
                else []
            ),
        ],
        "due": [
            {"quote": "Total TTC", "invoice": "Net à payer TTC", "credit_note": "Total de l’avoir TTC"}[kind],
            amount(Decimal(data["total_incl_tax"]), currency),
        ],
        "payment": _payment(data) if kind == "invoice" and sign > 0 else [],
        "notes": _lines(data.get("notes", "")),
        "signature": kind == "quote",
        "signature_words": _before_signing(data) if kind == "quote" else "",
        "mentions": _mentions(data, kind),
        "footer": _footer(data["seller"]),
    }


# --- figures ------------------------------------------------------------------------------------------------------


def amount(value: Decimal, symbol: str = "€") -> str:
    """`1 264,50 €`, with a true minus; every digit of an amount that another system gave finer than a cent."""
    places = max(2, -int(value.normalize().as_tuple().exponent))
    text = f"{abs(value):,.{places}f}".replace(",", NARROW).replace(".", ",")
    return f"{'−' if value < 0 else ''}{text}{NARROW}{symbol}"


def quantity(value: Decimal) -> str:
    """`1,25`: as many decimals as it has."""
    text = f"{abs(value).normalize():,f}".replace(",", NARROW).replace(".", ",")
    return f"{'−' if value < 0 else ''}{text}"


def percent(value: str) -> str:
    """`5,5 %`."""
    return f"{quantity(Decimal(value))}{NARROW}%"


def day_of(value: date) -> str:
    """`1ᵉʳ décembre 2026`."""
    number = "1ᵉʳ" if value.day == 1 else str(value.day)
    return f"{number} {_MONTHS[value.month - 1]} {value.year}"


def _symbol(currency: str) -> str:
    return "€" if currency == "EUR" else currency


def _groups(value: str, *sizes: int) -> str:
    """Digits in groups: SIREN 3 3 3, SIRET 3 3 3 5, IBAN by four."""
    parts, rest = [], value.replace(" ", "")
    for size in sizes:
        parts.append(rest[:size])
        rest = rest[size:]
    return "\u00a0".join(part for part in [*parts, rest] if part)


# --- parts --------------------------------------------------------------------------------------------------------


def _lines(text: str) -> list[str]:
    return [line.rstrip() for line in text.strip().splitlines()]


def _address(party: dict[str, Any]) -> list[str]:
    town = " ".join(part for part in (party.get("postal_code", ""), party.get("city", "")) if part)
    return [part for part in (party.get("street", ""), town) if part]


def _seller(seller: dict[str, Any]) -> dict[str, Any]:
    reach = [seller.get("phone", ""), seller.get("email", ""), seller.get("website", "")]
    return {
        "name": seller.get("legal_name") or "Entreprise sans nom",
        "lines": [*_address(seller), " · ".join(part for part in reach if part)],
    }


def _identity(party: dict[str, Any]) -> list[str]:
    siret, siren = party.get("siret", ""), party.get("siren", "")
    found = []
    if siret:
        found.append(f"SIREN {_groups(siret[:9], 3, 3)} · SIRET {_groups(siret, 3, 3, 3)}")
    elif siren:
        found.append(f"SIREN {_groups(siren, 3, 3)}")
    if party.get("vat_number"):
        found.append(f"N°\u00a0TVA {party['vat_number']}")
    return found


def _buyer(data: dict[str, Any], kind: str) -> dict[str, Any]:
    payer, client = data["payer"], data["client"]["name"]
    behalf = [f"Pour le compte de {client}"] if client and client != payer.get("name") else []
    return {
        "label": "Adressé à" if kind == "quote" else "Facturé à",
        "name": payer.get("name") or client or "Client sans nom",
        "lines": _address(payer),
        "ids": [*_identity(payer), *behalf],
    }


def _facts(data: dict[str, Any], kind: str, issued: date) -> list[list[str]]:
    """Label and value, in the order of reading."""
    facts = [["Date", day_of(issued)]]
    if kind == "quote" and data.get("valid_until"):
        facts.append(["Valable jusqu’au", day_of(date.fromisoformat(data["valid_until"]))])
    if data.get("supplied_on") and data["supplied_on"] != data["issued_on"]:
        facts.append([_supplied(data), day_of(date.fromisoformat(data["supplied_on"]))])
    if kind == "invoice" and data.get("due_on"):
        facts.append(["Échéance", day_of(date.fromisoformat(data["due_on"]))])
    if kind == "credit_note" and data.get("corrects"):
        facts.append(["Sur la facture", str(data["corrects"])])
    if kind == "credit_note" and data.get("reason"):
        facts.append(["Motif", data["reason"]])
    if data.get("quote"):
        facts.append(["Devis", data["quote"]])
    if data.get("client_reference"):
        facts.append(["Votre référence", data["client_reference"]])
    if data.get("work_address"):
        where = "Lieu de livraison" if data.get("operations") == "goods" else "Lieu des travaux"
        facts.append([where, ", ".join(_address(data["work_address"]))])
    if kind != "quote" and data.get("operations"):
        facts.append(["Opération", _OPERATIONS[data["operations"]]])
    return facts


def _supplied(data: dict[str, Any]) -> str:
    """What the day of supply is called (CGI, annexe II, 242 nonies A, I, 10°)."""
    if data.get("kind") == "deposit":
        return "Acompte versé le"
    return {"goods": "Date de livraison", "mixed": "Livré et réalisé le"}.get(data["operations"], "Réalisé le")


def _line(line: dict[str, Any], currency: str) -> dict[str, Any]:
    if line["kind"] == "section":
        return {"section": True, "label": line["label"]}
    discount = Decimal(line["discount_percent"])
    return {
        "section": False,
        "label": _lines(line["label"]),
        "quantity": quantity(Decimal(line["quantity"])),
        "unit_price": amount(Decimal(line["unit_price"]), currency),
        "discount": percent(line["discount_percent"]) if discount else "",
        "vat": percent(line["vat_rate"]),
        "total": amount(Decimal(line["total_excl_tax"]), currency),
    }


def _payment(data: dict[str, Any]) -> list[list[str]]:
    terms, seller = data.get("terms", {}), data["seller"]
    facts = []
    if data.get("due_on"):
        facts.append(["À régler au plus tard le", day_of(date.fromisoformat(data["due_on"]))])
    if terms.get("payment_terms"):
        facts.append(["Conditions", terms["payment_terms"]])
    if terms.get("payment_means"):
        facts.append(["Moyen", terms["payment_means"]])
    if seller.get("iban"):
        facts.append(["IBAN", _groups(seller["iban"], 4, 4, 4, 4, 4, 4, 4)])
    return facts


def _before_signing(data: dict[str, Any]) -> str:
    parts = []
    if data.get("valid_until"):
        parts.append(f"Ce devis est valable jusqu’au {day_of(date.fromisoformat(data['valid_until']))}.")
    parts.append("Pour l’accepter, retournez-le daté et signé.")
    return " ".join(parts)


def _mentions(data: dict[str, Any], kind: str) -> list[str]:
    terms = data.get("terms", {})
    found = []
    if data.get("vat_mention"):
        found.append(data["vat_mention"])
    if kind == "quote" and any(
        Decimal(line["vat_rate"]) in _REDUCED for line in data["lines"] if line["kind"] == "line"
    ):
        found.append(
            "TVA à taux réduit\u202f: en signant, le client certifie que les travaux portent sur un logement achevé "
            "depuis plus de deux ans et remplissent les conditions des articles 279-0 bis ou 278-0 bis A du CGI."
        )
    if kind == "invoice":
        if data.get("vat_on_debits"):
            found.append("Option pour le paiement de la taxe d’après les débits.")
        penalty = terms.get("late_penalty") or "trois fois le taux d’intérêt légal"
        discount = terms.get("early_discount") or "Pas d’escompte pour paiement anticipé."
        found.append(_sentence(discount))
        found.append(
            f"Pour un client professionnel, tout retard de paiement donne lieu de plein droit à des pénalités au taux "
            f"suivant\u202f: {penalty.rstrip('.')}, et à une indemnité forfaitaire de 40{NARROW}€ pour frais de "
            "recouvrement (Code de commerce, articles L441-10 et D441-5)."
        )
    if data["seller"].get("insurance"):
        found.append(_sentence(f"Assurance professionnelle\u202f: {' '.join(data['seller']['insurance'].split())}"))
    return found


def _sentence(text: str) -> str:
    return text if text.endswith(".") else f"{text}."


def _footer(seller: dict[str, Any]) -> list[str]:
    form = " ".join(
        part
        for part in (
            seller.get("legal_form", ""),
            f"au capital de {seller['share_capital']}" if seller.get("share_capital") else "",
        )
        if part
    )
    first = " · ".join(part for part in (seller.get("legal_name", ""), form, *_address(seller)) if part)
    second = " · ".join(part for part in (*_identity(seller), seller.get("rcs", "")) if part)
    return [part for part in (first, second) if part]
