"""The same questions to a small company and to one of 100,000 clients with 1,000,000 interventions.

The large one is made by `fiche generate --direct`, once: its databases stay in `build/` for the next run and are made
anew when a migration was added. `FICHE_BENCH_CLIENTS` makes it smaller.
"""

from __future__ import annotations

import hashlib
import itertools
import json
import os
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from random import Random
from urllib.parse import quote

from bench import page
from bench.floors import RAW_FAN
from bench.ground import Ground
from bench.measure import Measure, Target
from chassis.embedded_pg import EmbeddedPostgres, free_port
from chassis.settings import Settings
from cli.volume.command import PATTERN, generate_direct
from tests.support import servers
from tests.support.s3 import running_s3
from tests.support.stack import Stack

ROOT = Path(__file__).resolve().parents[1]
SMALL, SMALL_WORKS, WORKS_A_CLIENT = 1_000, 1_000, 10
#: Of ten searches: four of a reference, four of a beginning, two with a typo.
_MIX = ("reference", "prefix", "reference", "prefix", "typo") * 2
_LETTERS = "abcdefghijklmnopqrstuvwxyz"


def measures(ground: Ground) -> list[Measure]:
    """Searches, the list by recent activity and the fiche, in both companies."""
    large = int(os.environ.get("FICHE_BENCH_CLIENTS", "100000"))
    small_api = _company(ground, "small", SMALL, SMALL_WORKS)
    large_api = _company(ground, "large", large, large * WORKS_A_CLIENT)
    if not _settled():
        ground.notes.append("The large company had not settled: it drew PDFs and compared its clients meanwhile.")
    ground.notes.append(
        f"Volume: {SMALL:,} clients and {SMALL_WORKS:,} interventions against {large:,} and {large * WORKS_A_CLIENT:,}."
    )
    made: list[Measure] = []
    for kind, targets in (("mix", [Target(3)]), ("reference", []), ("prefix", []), ("typo", [])):
        small = f"search ({kind}), {SMALL:,} clients"
        made.append(Measure(small, _searches(small_api, kind), 10, RAW_FAN))
        made.append(
            Measure(f"search ({kind}), {large:,} clients", _searches(large_api, kind), 10, small, targets=targets)
        )
    typo = made[-1]
    made.append(Measure(f"a typo among {large:,}", typo.once, 10, RAW_FAN, targets=[Target(10)]))
    for name, path in (("list", "/clients?limit=50"), ("recent activity", "/clients?limit=50&sort=-activity")):
        small = f"{name}, {SMALL:,} clients"
        made.append(Measure(small, _reads(small_api, path), 5, RAW_FAN))
        made.append(Measure(f"{name}, {large:,} clients", _reads(large_api, path), 5, small))
    small = f"fiche, {SMALL_WORKS:,} interventions"
    made.append(Measure(small, page.reader(small_api, page.full_client(small_api))[0], 10, RAW_FAN))
    fiche = page.reader(large_api, page.full_client(large_api))[0]
    made.append(Measure(f"fiche, {large * WORKS_A_CLIENT:,} interventions", fiche, 10, small, targets=[Target(1.2)]))
    return made


def _settled(most_s: float = 900.0) -> bool:
    """Waits until the machine has next to nothing to do; False where it still has after so many seconds.

    A company just made still draws the PDFs of its invoices, and compares all its clients with each other.
    """
    began = time.monotonic()
    while time.monotonic() - began < most_s:
        before = _busy()
        time.sleep(3)
        if _busy() - before < 3 * 0.25:
            return True
    return False


def _busy() -> float:
    """Processor seconds that all processes have had."""
    user, nice, system = (Path("/proc/stat").read_text().split(maxsplit=4))[1:4]
    return (int(user) + int(nice) + int(system)) / os.sysconf("SC_CLK_TCK")


def _company(ground: Ground, name: str, clients: int, works: int) -> page.Api:
    """A product of its own, on a broker of its own, with so many clients."""
    broker = servers.RabbitServer(ground.folder / name)
    broker.start()
    ground.stack.callback(broker.close)
    s3 = ground.stack.enter_context(running_s3(ground.folder / name / "s3"))
    kept = ROOT / "build" / f"volume-{clients}-{_migrations()}"
    if name == "small":
        base = ground.postgres_url
    else:
        kept.mkdir(parents=True, exist_ok=True)
        server = EmbeddedPostgres(kept / "postgres", port=free_port(), options={"max_wal_size": "2GB"})
        server.start()
        ground.stack.callback(server.stop)
        base = server.database_url("postgres")
    stack = Stack(ground.folder / name / "logs", database_url=base, amqp_url=broker.url, s3=s3)
    stack.environment["FICHE_DATABASE_URL"] = f"{base.rsplit('/', 1)[0]}/volume_{{service}}"
    if name == "small" or not (kept / "made").exists():
        settings = Settings(
            database_url=stack.environment["FICHE_DATABASE_URL"],
            s3_url=s3["s3_url"],
            s3_access_key=s3["s3_access_key"],
            s3_secret_key=s3["s3_secret_key"],
        )
        generate_direct(settings, clients, works, seed=1, pattern=60 if name == "small" else PATTERN)
        if name == "large":
            (kept / "made").touch()
            for old in kept.parent.glob("volume-*"):
                if old != kept:
                    shutil.rmtree(old)
    ground.stack.callback(stack.stop)
    stack.start()
    api = page.Api(stack.url, stack.token)
    ground.stack.callback(api.close)
    return api


def _migrations() -> str:
    """Of all services: another schema is another company."""
    files = sorted((ROOT / "services").glob("*/migrations/versions/*.py"))
    return hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()[:12]


def _searches(api: page.Api, kind: str) -> Callable[[], None]:
    """Searches one after the other, each of which must find somebody."""
    rng = Random(1)
    found = json.loads(api.ask("GET", "/clients?limit=200&sort=-created_at"))["items"]
    clients = rng.sample(found, 60)
    kinds = itertools.cycle(_MIX if kind == "mix" else (kind,))
    asked = itertools.cycle([_asked(next(kinds), client, rng) for client in clients])

    def once() -> None:
        path = next(asked)
        assert b'"display_name"' in api.ask("GET", path), path

    return once


def _asked(kind: str, client: dict[str, str], rng: Random) -> str:
    """What a person types to find a client."""
    name = client["display_name"]
    if kind == "reference":
        typed = client["reference"]
    elif kind == "prefix":
        typed = name[: rng.randint(3, 6)]
    else:
        word = max(name.replace("–", " ").replace("-", " ").split(), key=len)
        at = rng.randrange(1, len(word) - 1)
        wrong = (
            word[:at] + rng.choice(_LETTERS) + word[at + 1 :],
            word[:at] + word[at + 1 :],
            word[:at] + rng.choice(_LETTERS) + word[at:],
            word[:at] + word[at + 1] + word[at] + word[at + 2 :],
        )
        typed = name.replace(word, rng.choice(wrong), 1)
    return f"/clients?limit=50&q={quote(typed)}"


def _reads(api: page.Api, path: str) -> Callable[[], None]:
    def once() -> None:
        assert api.ask("GET", path).count(b'"display_name"') >= 50, path

    return once
