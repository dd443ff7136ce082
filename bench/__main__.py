"""`make bench`: RPC round trip, fan-out, the fiche, its pages and lists, as ratios to the floor of the same run.

On private servers unless told otherwise: `FICHE_BENCH_AMQP_URL` measures on that broker, `FICHE_URL` with
`FICHE_TOKEN` reads the fullest fiche of a running product (changing nothing) instead of starting one; `--no-page`
leaves HTTP out. Writes `var/bench.json` too.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import shutil
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from bench import measure, page
from bench.measure import Measure
from bench.peers import FAN_OUT, Peers
from bench.raw import RawCaller, connect
from chassis.settings import Settings
from chassis.wire.amqp import AmqpWire
from chassis.wire.base import OK, Answer, Call, RpcClient
from tests.support import servers
from tests.support.s3 import running_s3
from tests.support.stack import Stack

#: Body of a call and of its answer: about what a small request holds.
BODY = b'{"client_id":"0190163d-8694-739b-aea5-966c26f8ad91","limit":50,"cursor":null,"note":"' + b"x" * 100 + b'"}'
RAW, RAW_FAN = "raw py-amqp echo", f"raw fan-out to {FAN_OUT}"
FICHE = "fiche over HTTP"
out = Console(width=130)


def calls(client: RpcClient, services: list[str]) -> None:
    """Asks all at once. Raises `AssertionError` when an answer is wrong."""
    answers = client.call_many([Call(service, "echo", BODY) for service in services], 10)
    assert answers == [Answer(OK, BODY)] * len(services), answers


def call_measures(stack: ExitStack, url: str, fan_out: int = FAN_OUT) -> list[Measure]:
    """Echo and fan-out: the floor, the product's wire alone, and the product's wire into Nameko's workers."""
    names = {}
    for kind in ("raw", "bare", "nameko"):
        peers = Peers(kind, url, fan_out)
        stack.callback(peers.close)
        names[kind] = peers.names
    raw, client = RawCaller(url), AmqpWire(url).rpc_client()
    stack.callback(raw.close)
    stack.callback(client.close)
    return [
        Measure(RAW, lambda: raw.call(names["raw"][:1], BODY), 100, RAW),
        Measure("wire alone", lambda: calls(client, names["bare"][:1]), 100, RAW),
        Measure("RPC round trip (Nameko worker)", lambda: calls(client, names["nameko"][:1]), 100, RAW),
        Measure(RAW_FAN, lambda: raw.call(names["raw"], BODY), 50, RAW_FAN),
        Measure(f"wire alone, fan-out to {FAN_OUT}", lambda: calls(client, names["bare"]), 50, RAW_FAN),
        Measure(f"RPC fan-out to {FAN_OUT} (Nameko workers)", lambda: calls(client, names["nameko"]), 50, RAW_FAN),
    ]


def product(stack: ExitStack, folder: Path, amqp_url: str) -> tuple[str, str, str]:
    """Starts the product as separate processes; returns its address, a key and the database of `clients`."""
    database = servers.PostgresServer(folder)
    database.start()
    stack.callback(database.stop)
    s3 = stack.enter_context(running_s3(folder / "s3"))
    made = Stack(folder / "logs", database_url=database.url, amqp_url=amqp_url, s3=s3)
    stack.callback(made.stop)
    made.start()
    settings = Settings(database_url=made.environment["FICHE_DATABASE_URL"])
    return made.url, made.token, settings.service_database_url("clients")


def page_measures(stack: ExitStack, folder: Path, amqp_url: str) -> tuple[list[Measure], dict[str, Any]]:
    """The fiche, its pages, the list of clients and its searches over HTTP, and what the fiche holds."""
    given = os.environ.get("FICHE_URL")
    if given:
        api = page.Api(given, os.environ.get("FICHE_TOKEN", ""))
        client = page.fullest_client(api)
    else:
        url, token, clients_url = product(stack, folder, amqp_url)
        api = page.Api(url, token)
        client = page.full_client(api)
        page.many_clients(api, clients_url)
    stack.callback(api.close)
    once, holds = page.reader(api, client)
    measures = [Measure(FICHE, once, 20, RAW_FAN)]
    measures += [Measure(f"page {name}", each, 5, FICHE) for name, each in page.tabs(api, client).items()]
    if not given:
        holds["clients"] = page.MANY
        measures += [Measure(name, each, 5, RAW_FAN) for name, each in page.lists(api).items()]
    return measures, holds


def main() -> None:
    """Measures, prints the table, keeps the figures."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--rounds", type=int, default=20, help="rounds of each measure, taking turns (20)")
    parser.add_argument("--no-page", action="store_true", help="without what goes over HTTP")
    parser.add_argument("--out", type=Path, default=Path("var/bench.json"), help="where the figures are kept")
    given = parser.parse_args()
    with ExitStack() as stack:
        folder = servers.run_folder()
        stack.callback(shutil.rmtree, folder, ignore_errors=True)
        url = os.environ.get("FICHE_BENCH_AMQP_URL", "")
        if not url:
            broker = servers.RabbitServer(folder)
            broker.start()
            stack.callback(broker.close)
            url = broker.url
        measures = call_measures(stack, url)
        holds: dict[str, Any] = {}
        if not given.no_page:
            more, holds = page_measures(stack, folder, url)
            measures += more
        load = os.getloadavg()[0]
        measure.run(measures, given.rounds)
        report = {
            "at": datetime.now(UTC).isoformat(timespec="seconds"),
            "python": platform.python_version(),
            "rabbitmq": broker_version(url),
            "cpus": os.cpu_count(),
            "load_before": round(load, 2),
            "load_after": round(os.getloadavg()[0], 2),
            "rounds": given.rounds,
            "fiche": holds,
            "rows": measure.rows(measures),
        }
    show(report)
    given.out.parent.mkdir(parents=True, exist_ok=True)
    given.out.write_text(json.dumps(report, indent=2, ensure_ascii=False) + "\n")
    out.print(f"→ {given.out}")


def broker_version(url: str) -> str:
    """Version that the broker tells of itself."""
    connection = connect(url)
    version = connection.server_properties.get("version", "?")
    connection.close()
    return str(version)


def show(report: dict[str, Any]) -> None:
    """The table a person reads."""
    table = Table(
        title=f"RabbitMQ {report['rabbitmq']}, Python {report['python']}, {report['cpus']} CPU, "
        f"load {report['load_before']} before and {report['load_after']} after"
    )
    table.add_column("", no_wrap=True)
    for title in ("p10 ms", "p50 ms", "p99 ms", "p10 ×", "p50 ×", "p99 ×"):
        table.add_column(title, justify="right")
    table.add_column("of", no_wrap=True)
    for row in report["rows"]:
        figures = (f"{row[key]:.2f}" for key in ("p10_ms", "p50_ms", "p99_ms", "p10_ratio", "p50_ratio", "p99_ratio"))
        table.add_row(row["name"], *figures, row["floor"])
    out.print(table)
    if report["fiche"]:
        rows = ", ".join(f"{name} {count}" for name, count in report["fiche"]["rows"].items())
        out.print(f"The fiche: {report['fiche']['bytes'] / 1000:.0f} kB; {rows}.")
        if "clients" in report["fiche"]:
            out.print(f"Lists and searches: pages of 50 among {report['fiche']['clients']} clients.")
    if max(report["load_before"], report["load_after"]) > 3 * report["cpus"]:
        out.print("Others kept this machine busy: only ratios say something, p10 and p50 more than p99.")


if __name__ == "__main__":
    main()
