"""Metrics of a running stack, and what the dashboard and the alerts ask of them; collected by test_stack.py."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import promql_parser
import yaml
from prometheus_client import Counter, Histogram
from prometheus_client.parser import text_string_to_metric_families

from chassis import metrics
from chassis.broker import PROCESSES
from chassis.settings import SERVICES
from tests.support.stack import Stack
from tests.support.waiting import wait_until

FILES = Path(__file__).resolve().parents[2] / "deploy" / "helm" / "files"
_SUFFIXES = {"counter": ["_total"], "histogram": ["_bucket", "_count", "_sum"], "gauge": [""]}


def told_by(stack: Stack) -> dict[str, set[str]]:
    """Name of each series that some process tells → its labels."""
    declared = {
        each._name: set(each._labelnames) for each in vars(metrics).values() if isinstance(each, Counter | Histogram)
    }
    told: dict[str, set[str]] = {}
    for process in PROCESSES:
        for family in text_string_to_metric_families(stack.metrics(process)):
            for suffix in _SUFFIXES.get(family.type, []):
                name = family.name + suffix
                told.setdefault(name, set()).update(declared.get(family.name, set()))
            for sample in family.samples:
                told.setdefault(sample.name, set()).update(sample.labels)
    return told


def expressions() -> Iterator[tuple[str, str]]:
    alerts = yaml.safe_load((FILES / "alerts.yaml").read_text())
    for group in alerts["groups"]:
        yield from ((rule["alert"], rule["expr"]) for rule in group["rules"])
    dashboard = json.loads((FILES / "dashboard.json").read_text())
    for panel in dashboard["panels"]:
        for target in panel.get("targets", []):
            yield panel["title"], target["expr"].replace("$__rate_interval", "5m")


def selectors(node: Any) -> Iterator[Any]:
    """Every series that an expression asks for."""
    if isinstance(node, promql_parser.VectorSelector):
        yield node
    for name in ("expr", "lhs", "rhs", "param", "vector_selector"):
        if (inner := getattr(node, name, None)) is not None:
            yield from selectors(inner)
    for inner in getattr(node, "args", None) or ():
        yield from selectors(inner)


def test_the_dashboard_and_the_alerts_ask_for_what_the_processes_tell(stack: Stack) -> None:
    told = told_by(stack)
    seen: set[str] = set()
    for title, expression in expressions():
        asked = list(selectors(promql_parser.parse(expression)))
        assert asked, title
        labels = {"le", "instance", "namespace"}  # instance and namespace are Prometheus's own
        for selector in asked:
            assert selector.name in told, (title, selector.name)
            matched = set(re.findall(r"[{,]\s*(\w+)\s*[=!]", str(selector.matchers)))
            assert matched <= told[selector.name] | {"namespace"}, (title, matched)
            labels |= told[selector.name]
            seen.add(selector.name)
        for grouped in re.findall(r"(?:by|on|group_left) \(([^)]*)\)", expression):
            assert {label.strip() for label in grouped.split(",")} <= labels, (title, grouped)
    # And the other way round: what is told of ours is looked at somewhere.
    parts = ("_sum", "_count", "_bucket", "_created")
    ours = {name for name in told if name.startswith("fiche_") and not name.endswith(parts)}
    assert ours - seen == set()


def test_the_gateway_alone_tells_of_requests_and_every_service_of_dropped_calls_from_zero_on(stack: Stack) -> None:
    """What is absent with the gateway, and what grows by one the first time: alerts stand on both."""
    for process in PROCESSES:
        text = stack.metrics(process)
        assert ("\nfiche_http_overloaded_total " in text) == (process == "gateway"), process
        for reason in ("malformed", "late", "deadly"):
            told = f'fiche_rpc_dropped_total{{reason="{reason}",service="{process}"}}'
            assert (told in text) == (process != "gateway"), (process, reason)


def test_every_alert_says_how_bad_it_is_and_is_in_the_operators_book() -> None:
    book = (FILES.parents[2] / "docs" / "operations.md").read_text()
    alerts = yaml.safe_load((FILES / "alerts.yaml").read_text())
    for rule in (rule for group in alerts["groups"] for rule in group["rules"]):
        assert rule["labels"]["severity"] in ("critical", "warning")
        assert rule["annotations"]["summary"]
        assert f"### {rule['alert']}\n" in book, rule["alert"]
    named = set(re.findall(r"^### (Fiche\w+)$", book, re.M))
    assert named == {rule["alert"] for group in alerts["groups"] for rule in group["rules"]}


def value(text: str, name: str, **labels: str) -> float:
    """The sum of a metric's series with these labels."""
    return sum(
        sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
        if sample.name == name and labels.items() <= sample.labels.items()
    )


def test_every_process_counts_its_calls_events_and_requests(stack: Stack) -> None:
    def count(process: str, name: str, **labels: str) -> float:
        return value(stack.metrics(process), name, **labels)

    route = {"method": "POST", "route": "api.create_client"}
    calls = {"service": "clients", "method": "create", "status": "ok"}
    with stack.client() as http:
        before = [
            count("gateway", "fiche_http_seconds_count", **route),
            count("clients", "fiche_events_published_total"),
        ]
        handled = count("billing", "fiche_events_handled_total", producer="clients")
        answered = count("clients", "fiche_rpc_handled_total", **calls)
        for number in range(10):
            # A connection each: both of the gateway's workers are met.
            with httpx.Client(base_url=stack.url, headers=http.headers) as one:
                body = {"kind": "company", "company_name": f"Comptée {number}"}
                assert one.post("/api/v1/clients", json=body).status_code == 201
    for _ in range(4):
        # Whichever worker is asked, it tells of all.
        assert count("gateway", "fiche_http_seconds_count", **route) == before[0] + 10
    assert count("clients", "fiche_rpc_handled_total", **calls) == answered + 10
    wait_until(lambda: count("clients", "fiche_events_published_total") >= before[1] + 10, "all is published")
    wait_until(
        lambda: count("billing", "fiche_events_handled_total", producer="clients") >= handled + 10, "all is handled"
    )
    assert count("billing", "fiche_event_delay_seconds_count", producer="clients") > 0
    for name in SERVICES:
        assert count(name, "fiche_service_ready", service=name) == 1
