"""A company whose duplicates are known: clients of a made-up list, some entered twice as people enter them twice.

Errors are those that offices make: typos, swapped names, a move, abbreviations, maiden names, accents, legal forms,
ways of writing phones. Beside them stand the pairs that look alike and are two: neighbours, father and son, buildings
of one managing agent, shops of one brand, namesakes, branches of one company.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random

from faker import Faker
from stdnum import luhn

#: A client as typed: fields of the record, and `street`, `postal_code`, `city` of its address.
Typed = dict[str, str]
_TOWNS = (
    ("69007", "Lyon 7e"), ("69100", "Villeurbanne"), ("69300", "Caluire-et-Cuire"), ("69500", "Bron"),
    ("38000", "Grenoble"), ("38120", "Saint-Égrève"), ("42000", "Saint-Étienne"), ("01000", "Bourg-en-Bresse"),
    ("73000", "Chambéry"), ("26000", "Valence"),
)  # fmt: skip
#: What companies are called before their owner's name.
TRADES = (
    "Boulangerie", "Garage", "Pharmacie", "Plomberie", "Menuiserie", "Restaurant", "Cabinet dentaire", "Imprimerie",
    "Électricité", "Boucherie", "Auto-école", "Carrosserie",
)  # fmt: skip
_FORMS = ("SARL", "SAS", "EURL", "SASU", "Ets", "Société")
_SHORT = {"avenue": "av.", "boulevard": "bd", "rue": "r.", "chemin": "ch.", "place": "pl.", "impasse": "imp."}


@dataclass
class Labelled:
    """Clients, which of them are one (index pairs → the kind of error), and which look alike and are two."""

    clients: list[Typed] = field(default_factory=list)
    same: dict[tuple[int, int], str] = field(default_factory=dict)
    apart: dict[tuple[int, int], str] = field(default_factory=dict)

    def add(self, client: Typed) -> int:
        """Adds a client; its index."""
        self.clients.append(client)
        return len(self.clients) - 1


class Office:
    """Makes clients up, and enters them again wrongly. The same for one seed."""

    def __init__(self, seed: int) -> None:
        self.random = Random(seed)
        self.faker = Faker("fr_FR")
        self.faker.seed_instance(seed)
        # Nobody's numbers (the ranges kept for fiction), each given once.
        self._numbers = [f"{n // 100:02} {n % 100:02}" for n in range(10_000)]
        self.random.shuffle(self._numbers)

    # --- clients ------------------------------------------------------------------------------------------------------

    def address(self) -> Typed:
        code, city = self.random.choice(_TOWNS)
        return {"street": self.faker.street_address(), "postal_code": code, "city": city}

    def phone(self) -> str:
        return f"06 39 98 {self._numbers.pop()}"

    def landline(self) -> str:
        return f"01 99 00 {self._numbers.pop()}"

    def siret(self, siren: str = "") -> str:
        base = siren[:8] or f"{self.random.randrange(10**8):08}"
        siren = siren or base + luhn.calc_check_digit(base)
        return siren + (nic := f"{self.random.randrange(1, 9999):04}") + luhn.calc_check_digit(siren + nic)

    def person(self) -> Typed:
        first, last = self.faker.first_name(), self.faker.last_name()
        mail = f"{_plain(first)}.{_plain(last)}{self.random.randrange(100)}@courriel.example"
        return self._some(
            {"kind": "individual", "first_name": first, "last_name": last, "phone": self.phone(), "email": mail}
            | self.address()
        )

    def company(self) -> Typed:
        name = f"{self.random.choice(TRADES)} {self.faker.last_name()}"
        mail = f"contact@{_plain(name)}{self.random.randrange(100)}.example"
        return self._some(
            {"kind": "company", "company_name": name, "phone": self.landline(), "email": mail, "siret": self.siret()}
            | self.address()
        )

    def client(self) -> Typed:
        return self.person() if self.random.random() < 0.6 else self.company()

    def _some(self, client: Typed) -> Typed:
        """Not every office asks for everything."""
        for name, share in (("email", 0.35), ("phone", 0.12), ("siret", 0.4)):
            if name in client and self.random.random() < share:
                del client[name]
        return client

    # --- the same, entered again --------------------------------------------------------------------------------------

    def again(self, client: Typed, error: Callable[[Typed], Typed]) -> Typed:
        """Entered again with an error, and as incompletely as any."""
        made = error(dict(client))
        for name, share in (("email", 0.4), ("phone", 0.3), ("siret", 0.6)):
            if name in made and made.get(name) == client.get(name) and self.random.random() < share:
                del made[name]
        if self.random.random() < 0.15 and made.get("phone") and made.get("street") == client.get("street"):
            for name in ("street", "postal_code", "city"):
                made.pop(name, None)
        return made

    def typo(self, made: Typed) -> Typed:
        name = "company_name" if "company_name" in made else self.random.choice(("first_name", "last_name"))
        word, at = made[name], self.random.randrange(1, len(made[name]) - 1)
        letter = self.random.choice("aeiorstnl")
        made[name] = self.random.choice(
            (
                word[:at] + word[at + 1 :],
                word[:at] + letter + word[at:],
                word[:at] + letter + word[at + 1 :],
                word[: at - 1] + word[at] + word[at - 1] + word[at + 1 :],
            )
        )
        return made

    def swapped(self, made: Typed) -> Typed:
        if "company_name" in made:
            made["company_name"] = " ".join(reversed(made["company_name"].split(" ")))
        else:
            made["first_name"], made["last_name"] = made["last_name"], made["first_name"]
        return made

    def moved(self, made: Typed) -> Typed:
        return made | self.address()

    def abbreviated(self, made: Typed) -> Typed:
        if "company_name" in made:
            trade, _, rest = made["company_name"].partition(" ")
            made["company_name"] = f"{trade[:5]}. {rest}"
        else:
            made["first_name"] = made["first_name"][0] + "."
        return self.street(made)

    def street(self, made: Typed) -> Typed:
        words = made["street"].split(" ")
        made["street"] = " ".join(_SHORT.get(word.lower(), word) for word in words)
        return made

    def married(self, made: Typed) -> Typed:
        if "company_name" in made:
            return self.form(made)
        other = self.faker.last_name()
        made["last_name"] = self.random.choice((other, f"{made['last_name']}-{other}", f"{other}-{made['last_name']}"))
        return made

    def accents(self, made: Typed) -> Typed:
        for name in ("first_name", "last_name", "company_name", "street", "city"):
            if name in made:
                made[name] = "".join(
                    letter for letter in unicodedata.normalize("NFD", made[name]) if not unicodedata.combining(letter)
                ).upper()
        return made

    def form(self, made: Typed) -> Typed:
        if "company_name" in made:
            form = self.random.choice(_FORMS)
            made["company_name"] = self.random.choice(
                (f"{form} {made['company_name']}", f"{made['company_name']} {form}")
            )
        else:
            made["last_name"] = f"{self.random.choice(('M.', 'Mme', 'Monsieur'))} {made['last_name']}"
        return made

    def other_phone(self, made: Typed) -> Typed:
        if "phone" in made:
            digits = made["phone"].replace(" ", "")
            made["phone"] = self.random.choice(
                (digits, f"+33 {digits[1:]}", f"0033{digits[1:]}", f"+33 (0){digits[1:]}")
            )
        return self.street(made)

    def errors(self) -> dict[str, Callable[[Typed], Typed]]:
        """The kinds of errors."""
        return {
            "typo": self.typo,
            "swapped names": self.swapped,
            "moved": self.moved,
            "abbreviations": self.abbreviated,
            "married name": self.married,
            "accents, capitals": self.accents,
            "legal form, civility": self.form,
            "phone format": self.other_phone,
        }


def _plain(text: str) -> str:
    bare = unicodedata.normalize("NFD", text.lower())
    return "".join(letter for letter in bare if letter.isascii() and letter.isalnum())


def labelled(seed: int = 1, plain: int = 400, of_each: int = 30, alike: int = 12) -> Labelled:
    """So many clients without a double, so many doubles of each kind of error, so many look-alikes of each kind."""
    office, made = Office(seed), Labelled()
    for _ in range(plain):
        made.add(office.client())
    for kind, error in office.errors().items():
        for _ in range(of_each):
            client = office.client()
            pair = made.add(client), made.add(office.again(client, error))
            made.same[pair] = kind
    for _ in range(alike):
        for kind, group in _look_alikes(office).items():
            first, *rest = [made.add(client) for client in group]
            before = [first]
            for index in rest:
                made.apart.update({(earlier, index): kind for earlier in before})
                before.append(index)
    return made


def _look_alikes(office: Office) -> dict[str, list[Typed]]:
    """Groups of clients that look alike and are not one."""
    random, faker = office.random, office.faker
    father, home = office.person(), office.landline()
    father["phone"] = home
    son = father | {"first_name": faker.first_name()}
    while _plain(son["first_name"])[:3] == _plain(father["first_name"])[:3]:
        son["first_name"] = faker.first_name()
    son.pop("email", None)
    door, number = office.address(), random.randrange(1, 80)
    way = faker.street_name()
    agent = f"gestion@syndic{random.randrange(10**6)}.example"
    brand, siren = f"{faker.last_name()} Optique", office.siret()[:9]
    namesake = office.person()
    branch = office.company() | {"siret": office.siret(siren)}
    names = [f"{kind} {faker.last_name()}" for kind in ("Copropriété", "Résidence", "Le Clos")]
    names += ["Résidence du Parc 1", "Résidence du Parc 2", f"Copropriété {random.randrange(1, 99)} {way}"]
    return {
        "father and son": [father, son],
        "neighbours at one door": [office.person() | door for _ in range(4)],
        "one street": [office.person() | door | {"street": f"{number + 2 * n} {way}"} for n in range(4)],
        "buildings of one agent": [
            {"kind": "company", "company_name": name, "email": agent} | office.address() for name in names
        ],
        "shops of one brand": [
            {"kind": "company", "company_name": brand, "siret": office.siret(), "phone": office.landline()}
            | office.address()
            for _ in range(3)
        ],
        "namesakes": [namesake, office.person() | {name: namesake[name] for name in ("first_name", "last_name")}],
        "branches of one company": [
            branch,
            branch | {"siret": office.siret(siren), "phone": office.landline(), "email": ""} | office.address(),
        ],
    }
