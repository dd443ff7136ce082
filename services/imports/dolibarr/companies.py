"""Companies with all that hangs on them: addresses, billing details, tags, salespeople, custom fields."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import partial

from services.imports.dolibarr import checks, codes, text
from services.imports.dolibarr.common import Check, address_of, checked
from services.imports.dolibarr.contacts import remarks
from services.imports.dolibarr.context import Context
from services.imports.dolibarr.tables import Row
from services.imports.records import Billing, Client, CustomField, Record, Relation

_EXTRA_KNOWN = {"rowid", "tms", "fk_object", "import_key"}
_FIELD_KINDS = {
    "int": "number", "double": "number", "price": "number", "date": "date", "datetime": "date",
    "boolean": "boolean",
}  # fmt: skip


def _key(name: str) -> str:
    """A column's name as a key of ours: small letters, digits and underscores, a letter first."""
    key = re.sub(r"[^a-z0-9_]+", "_", name.lower()).strip("_")[:48]
    return key if not key or key[0].isalpha() else f"x_{key}"


def custom_fields(context: Context) -> Iterator[Record]:
    """Definitions of the companies' extra fields: from `extrafields`, else from the columns in use."""
    defined: set[str] = set()
    for row in context.tables.rows("extrafields"):
        key = _key(row.line_of("name", limit=60) or "")
        if not key or row.raw("elementtype") not in ("societe", "thirdparty"):
            continue
        if row.raw("type") == "separate" or key in defined:
            continue
        defined.add(key)
        yield CustomField(
            ref=f"dolibarr:extrafields:{key}",
            key=key,
            label=row.line_of("label") or key,
            # Choices are kept as text: their list is a serialised PHP value that may be missing.
            kind=_FIELD_KINDS.get(row.raw("type") or "", "text"),
        )
    found = {_key(name) for row in context.tables.rows("societe_extrafields") for name in row.others(_EXTRA_KNOWN)}
    for key in sorted(found - defined):
        yield CustomField(ref=f"dolibarr:extrafields:{key}", key=key, label=key.replace("_", " ").capitalize())


class _Companies:
    """The tables that tell something about a company, read once."""

    def __init__(self, context: Context) -> None:
        self.context = context
        self.extra = context.children("societe_extrafields", "fk_object")
        self.sellers = context.children("societe_commerciaux", "fk_soc", "fk_societe")
        self.banks = context.children("societe_rib", "fk_soc", "fk_societe")
        self.tag_rows = context.children("categorie_societe", "fk_soc", "fk_societe")
        self.types = context.dictionary(("c_typent",), "code", {codes.PRIVATE_TYPE: "TE_PRIVATE"})
        self.type_labels = {
            row.rowid: (row.line_of("libelle") or "").lower() for row in context.tables.rows("c_typent")
        }
        self.terms = context.dictionary(("c_payment_term", "cond_reglement"), "libelle", codes.PAYMENT_TERMS)
        self.means = context.dictionary(("c_paiement",), "code", codes.PAYMENT_MEANS)
        self.legal_forms = {
            code: label
            for row in context.tables.rows("c_forme_juridique")
            if (code := row.raw("code")) and (label := row.line_of("libelle"))
        }
        self.categories = {row.rowid: row for row in context.rows("categorie")}
        self.used_categories: set[str] = set()
        self.remarks = remarks(context)

    def kind(self, row: Row) -> str:
        type_id = row.id("fk_typent") or ""
        if self.types.get(type_id) == "TE_PRIVATE":
            return "individual"
        return "property_manager" if "syndic" in self.type_labels.get(type_id, "") else "company"

    def tags(self, row: Row, parts: list[str]) -> tuple[str, ...]:
        """Labels of the customer categories of a company."""
        found: list[str] = []
        for link in self.tag_rows.take(row.rowid):
            category = self.categories.get(link.id("fk_categorie") or "")
            label = category.line_of("label", limit=60) if category is not None else None
            if category is None or label is None:
                self.context.refuse(link, self.context.why_not("categorie", link.id("fk_categorie")))
            elif category.integer("type", default=codes.CATEGORY_CUSTOMER) != codes.CATEGORY_CUSTOMER:
                self.context.refuse(link, "la catégorie n’est pas une catégorie de clients")
            else:
                parts.append(link.ref)
                if category.rowid not in self.used_categories:
                    self.used_categories.add(category.rowid)
                    parts.append(category.ref)
                if label not in found:
                    found.append(label)
        return tuple(found)

    def seller(self, row: Row, parts: list[str]) -> str | None:
        """The first salesperson who came in; a record has one, others are listed."""
        chosen: str | None = None
        for link in self.sellers.take(row.rowid):
            ref = self.context.ref("user", link.id("fk_user"))
            if ref is None:
                self.context.refuse(link, self.context.why_not("user", link.id("fk_user")))
            elif chosen is not None:
                self.context.refuse(link, "le client a déjà un commercial\u202f: un seul est repris")
            else:
                chosen = ref
                parts.append(link.ref)
        return chosen

    def custom(self, row: Row, parts: list[str]) -> dict[str, str]:
        values: dict[str, str] = {}
        for extra in self.extra.take(row.rowid):
            parts.append(extra.ref)
            values.update({_key(name): text.plain(raw) for name, raw in extra.others(_EXTRA_KNOWN).items()})
        return {key: value for key, value in values.items() if value and not value.startswith("0000-00-00")}

    def iban(self, row: Row, parts: list[str]) -> str | None:
        """IBAN of the default account, else of the first that has a right one; the others are listed."""
        chosen: str | None = None
        for bank in sorted(self.banks.take(row.rowid), key=lambda bank: -bank.integer("default_rib")):
            written = bank.line_of("iban_prefix", "iban")
            good = checks.iban(written) if written else None
            if good is None:
                self.context.refuse(bank, f"IBAN non valable\u202f: {written}" if written else "compte sans IBAN")
            elif chosen is not None:
                self.context.refuse(bank, "le client a déjà un IBAN\u202f: un seul est repris")
            else:
                chosen = good
                parts.append(bank.ref)
        return chosen

    def refuse_rest(self) -> None:
        for children in (self.extra, self.sellers, self.banks, self.tag_rows):
            children.refuse_rest("societe")
        for category in self.categories.values():
            kind = category.integer("type", default=codes.CATEGORY_CUSTOMER)
            if category.rowid in self.used_categories:
                continue
            if kind == codes.CATEGORY_CUSTOMER:
                self.context.refuse(category, "catégorie qui n’est portée par aucun client repris")
            else:
                of = codes.CATEGORY_OF.get(kind, "d’un autre module")
                self.context.refuse(category, f"catégorie {of}\u202f: hors du périmètre")


def clients(context: Context) -> Iterator[Record]:
    """Companies → clients with billing details and main address; suppliers only are listed."""
    companies = _Companies(context)
    parents: list[tuple[Row, str]] = []
    for row in context.rows("societe"):
        flag = row.integer("client")
        name = row.line_of("nom", "name", "name_alias")
        if flag <= 0 and row.integer("fournisseur") > 0:
            context.refuse(row, "fournisseur\u202f: hors du périmètre")
        elif name is None:
            context.refuse(row, "tiers sans nom")
        else:
            context.came[row.ref] = row.ref
            yield from _client(companies, row, name, flag)
            if (parent := row.id("parent")) is not None:
                parents.append((row, parent))
    companies.refuse_rest()
    for row, parent in parents:
        ref = context.ref("societe", parent)
        if ref is None or parent == row.rowid:
            context.notice(row, f"maison mère non reprise\u202f: {context.why_not('societe', parent)}")
            continue
        yield Relation(ref=f"{row.ref}:parent", client_ref=ref, other_client_ref=row.ref, type="branch")


def _client(companies: _Companies, row: Row, name: str, flag: int) -> Iterator[Record]:
    context = companies.context
    country = context.country(row.id("fk_pays", "fk_country"))
    parts: list[str] = []
    kept: list[str] = []

    def right(what: str, value: str | None, check: Check) -> str | None:
        return checked(context, row, what, value, check, kept)

    siret_raw = row.line_of("siret")
    siret = right("SIRET", siret_raw, checks.siret) if country == "FR" else None
    if siret_raw and country != "FR":
        kept.append(f"Identifiant professionnel 2\u202f: {siret_raw}")
    vat = right("N° de TVA", row.line_of("tva_intra"), checks.vat_number)
    website = right("Site", row.line_of("url"), checks.website)
    email = right("Adresse e-mail", row.line_of("email"), checks.email)
    phones = [
        good
        for what, column in (
            ("Téléphone", "phone"),
            ("Portable", "phone_mobile"),
            ("Ancien téléphone", "tel"),
        )
        if (good := right(what, row.line_of(column), partial(checks.phone, country=country)))
    ]
    for what, column in (("SIREN", "siren"), ("Code APE", "ape"), ("RCS", "idprof4"), ("Fax", "fax")):
        if (value := row.line_of(column)) is not None and not (column == "siren" and siret):
            kept.append(f"{what}\u202f: {value}")
    if (legal_form := companies.legal_forms.get(row.raw("fk_forme_juridique") or "")) is not None:
        kept.append(f"Forme juridique\u202f: {legal_form}")
    if row.decimal("capital"):
        kept.append(f"Capital\u202f: {row.decimal('capital').normalize():f}")
    if (alias := row.line_of("name_alias")) is not None and alias != name:
        kept.append(f"Autre nom\u202f: {alias}")
    iban = companies.iban(row, parts)
    kind = companies.kind(row)
    notes = [
        row.plain("note_public", "note"),
        row.plain("note_private"),
        "\n".join(kept),
        "\n".join(companies.remarks.get(row.rowid, [])),
    ]
    yield Client(
        ref=row.ref,
        kind=kind,
        stage="client" if flag in (1, 3) else "prospect",
        status="active" if row.integer("status", default=1) == 1 else "archived",
        display_name=name,
        company_name=None if kind == "individual" else name,
        # Dolibarr writes a private person's whole name in `nom`: it is kept whole, never cut by a guess.
        last_name=name if kind == "individual" else None,
        reference=_reference(context, row),
        siret=siret,
        vat_number=vat,
        email=email,
        phone=phones[0] if phones else None,
        secondary_phone=phones[1] if len(phones) > 1 else None,
        website=website,
        sales_rep_ref=companies.seller(row, parts),
        tags=companies.tags(row, parts),
        custom_fields=companies.custom(row, parts),
        memo="\n\n".join(note for note in notes if note),
        created_at=row.moment("datec", "datea", "tms"),
        parts=tuple(parts),
    )
    address = address_of(row, row.ref, None, country)
    if address is not None:
        context.main_address[row.ref] = address.ref
        yield address
    means = companies.means.get(row.id("mode_reglement") or "")
    billing = Billing(
        ref=f"{row.ref}:billing",
        client_ref=row.ref,
        # Invoices went there under this name: so that the next ones can, too.
        billing_name=name if address is not None else None,
        billing_address_ref=None if address is None else address.ref,
        payment_terms=companies.terms.get(row.id("cond_reglement") or ""),
        payment_means=None if means is None else codes.MEANS_WORDS.get(means, codes.OTHER_MEANS),
        iban=iban,
        accounting_account=row.line_of("code_compta", "code_compta_client", limit=50),
    )
    if address is not None or any(
        (billing.payment_terms, billing.payment_means, billing.iban, billing.accounting_account)
    ):
        yield billing


def _reference(context: Context, row: Row) -> str | None:
    """The customer code, which is unique with us: a second company with the same one gets another."""
    code = row.line_of("code_client", limit=100)
    if code is None:
        return None
    if code in context.references:
        context.notice(row, f"code client «\u202f{code}\u202f» déjà porté par un autre\u202f: un nouveau est donné")
        return None
    context.references.add(code)
    return code
