"""The whole product as separate processes on RabbitMQ, PostgreSQL and S3.

One stack serves all that is shown of it: tests of other files of this folder are collected here.
"""

from __future__ import annotations

import queue
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from typing import Any

import httpx
import pytest
from kombu import Connection

from chassis.host import service_class
from chassis.service import followed_producers
from chassis.settings import SERVICES
from chassis.wire.amqp_events import events_queue_of
from tests.stack import backups, broker_rights, replicas, traces, watching
from tests.support import servers
from tests.support.stack import Stack
from tests.support.waiting import in_one_of, wait_until

pytestmark = [pytest.mark.broker, pytest.mark.timeout(300)]


def until(condition: Callable[[], Any], seconds: float = 30) -> Any:
    """Waits until the condition holds and returns what it gave."""

    def answered() -> Any:
        try:
            return condition()
        except (httpx.HTTPError, queue.Empty):
            return None

    return wait_until(answered, "it comes to hold", timeout=seconds)


def make_client(http: httpx.Client, name: str) -> dict[str, Any]:
    answer = http.post("/api/v1/clients", json={"kind": "company", "company_name": name})
    assert answer.status_code == 201, answer.text
    return dict(answer.json())


def sections(http: httpx.Client, client_id: str) -> dict[str, Any]:
    answer = http.get(f"/api/v1/clients/{client_id}/fiche")
    assert answer.status_code == 200, answer.text
    return dict(answer.json()["sections"])


def test_a_fact_of_one_service_reaches_the_others_by_events(stack: Stack) -> None:
    with stack.client() as http:
        client = make_client(http, "Copropriété Les Tilleuls")
        work = http.post(
            "/api/v1/interventions",
            json={"client_id": client["id"], "title": "Fuite", "starts_at": "2026-12-01T08:00:00Z"},
        )
        assert work.status_code == 201, work.text
        until(lambda: sections(http, client["id"])["activities"]["count"] == 1)
        named = until(lambda: http.get(f"/api/v1/interventions/{work.json()['id']}").json()["client"]["name"])
        assert named == "Copropriété Les Tilleuls"


def test_every_event_queue_is_consumed(stack: Stack, rabbit: servers.RabbitServer) -> None:
    wait_until(lambda: all(stack.ready(name) for name in SERVICES), "they take events, not only calls", 180)
    queues = {
        events_queue_of(consumer, producer)
        for consumer in SERVICES
        for producer in followed_producers(service_class(consumer))
    }
    assert len(queues) > 10
    with Connection(rabbit.url) as connection:
        channel = connection.default_channel
        # A queue without anyone who reads it, or one that is not there (404), fails.
        assert {name for name in queues if channel.queue_declare(name, passive=True).consumer_count == 0} == set()


def test_open_pages_hear_of_changes_and_hold_no_worker(stack: Stack) -> None:
    """More streams than gunicorn has threads (two processes of sixteen), and requests are answered all the same."""
    with stack.client() as http, ExitStack() as opened:
        client = make_client(http, "En direct")
        limits = httpx.Limits(max_connections=None)
        reader = opened.enter_context(httpx.Client(base_url=http.base_url, headers=http.headers, limits=limits))
        answers = [opened.enter_context(reader.stream("GET", "/live", timeout=30)) for _ in range(40)]
        assert {answer.status_code for answer in answers} == {200}
        lines = [answer.iter_lines() for answer in answers]
        assert {next(line) for line in lines} == {"retry: 3000"}

        def told(line: Iterator[str]) -> bool:
            return any(f'"client_id":"{client["id"]}"' in part for part in iter(line.__next__, None))

        with ThreadPoolExecutor(len(lines)) as pool:
            waiting = [pool.submit(told, line) for line in lines]

            def all_heard() -> bool:
                # A process's queue is declared at its first stream, in its own time: hints before it are lost.
                http.post(f"/api/v1/clients/{client['id']}/contacts", json={"last_name": "Blanc"}).raise_for_status()
                return all(each.done() for each in waiting)

            until(all_heard)
            assert all(each.result() for each in waiting)


# What the other files of this folder show, while all is whole; in this order.
test_a_services_login_reads_no_queue_but_its_own = broker_rights.test_a_services_login_reads_no_queue_but_its_own
test_the_logins_are_put_in_place_again = broker_rights.test_the_logins_are_put_in_place_again_over_a_broker_that_runs
test_the_readmes_subscriber_hears_with_a_partners_login_that_may_nothing_else = (
    broker_rights.test_the_readmes_subscriber_hears_with_a_partners_login_that_may_nothing_else
)
test_every_process_counts_its_calls_events_and_requests = (
    watching.test_every_process_counts_its_calls_events_and_requests
)
test_two_of_each_service_relays_and_jobs_included_do_nothing_twice = (
    replicas.test_two_of_each_service_relays_and_jobs_included_do_nothing_twice
)
test_the_dashboard_and_the_alerts_ask_for_what_the_processes_tell = (
    watching.test_the_dashboard_and_the_alerts_ask_for_what_the_processes_tell
)
test_the_gateway_alone_tells_of_requests_and_every_service_of_dropped_calls_from_zero_on = (
    watching.test_the_gateway_alone_tells_of_requests_and_every_service_of_dropped_calls_from_zero_on
)
test_every_alert_says_how_bad_it_is = watching.test_every_alert_says_how_bad_it_is_and_is_in_the_operators_book


def test_a_document_streams_to_s3_and_back(stack: Stack) -> None:
    with stack.client() as http:
        client = make_client(http, "Documents")
        content = bytes(range(256)) * 4096
        sent = http.post(
            "/api/v1/documents", data={"client_id": client["id"]}, files={"file": ("MÉMO n°2 – façade.bin", content)}
        )
        assert sent.status_code == 201, sent.text
        path = f"/api/v1/documents/{sent.json()['id']}/content"
        assert http.get(path).content == content
        part = http.get(path, headers={"Range": "bytes=100-199"})
        assert (part.status_code, part.content) == (206, content[100:200])


def test_the_pdf_of_a_quote_is_made_in_a_child_process_and_comes_from_s3(stack: Stack) -> None:
    with stack.client() as http:
        client = make_client(http, "Devis")
        lines = [{"label": "Circulateur", "quantity": "1", "unit_price": "100", "vat_rate": "20"}]
        quote = http.post("/api/v1/quotes", json={"client_id": client["id"], "lines": lines})
        assert quote.status_code == 201, quote.text
        path = f"/api/v1/quotes/{quote.json()['id']}"
        assert http.post(f"{path}/finalise", json={}).status_code == 200
        first = until(lambda: http.get(f"{path}/pdf").raise_for_status())
        assert first.content.startswith(b"%PDF-")
        assert http.get(f"{path}/pdf").headers["ETag"] == first.headers["ETag"]


def test_with_a_service_stopped_its_section_is_unavailable_in_time_and_comes_back_by_itself(stack: Stack) -> None:
    with stack.client() as http:
        client = make_client(http, "Panne")
        assert stack.stop_service("equipment") == 0

        def without_equipment() -> None:
            started = time.monotonic()
            found = sections(http, client["id"])
            assert time.monotonic() - started < 4
            assert found["equipment"] == {"status": "unavailable"}
            assert found["interventions"]["status"] == "ok"

        in_one_of(3, without_equipment)
        stack.start_service("equipment")
        until(lambda: sections(http, client["id"])["equipment"]["status"] == "ok")


def test_an_address_too_long_is_refused_as_the_api_refuses(stack: Stack) -> None:
    with stack.client() as http:
        answer = http.get("/api/v1/interventions", params={"q": "x" * 7_000})
        assert answer.status_code == 422, answer.text
        answer = http.get("/api/v1/interventions", params={"q": "x" * 9_000})
        assert (answer.status_code, answer.headers["Content-Type"]) == (414, "application/problem+json")
        assert answer.json()["code"] == "uri_too_long"


def test_a_service_killed_loses_nothing_acknowledged(stack: Stack) -> None:
    with stack.client() as http, stack.client(patient=False) as once:
        client = make_client(http, "Tuée")
        stack.stop_service("clients", kill=True)
        work = once.post("/api/v1/equipment", json={"client_id": client["id"], "name": "Chaudière"})
        assert work.status_code == 503
        assert work.headers["Retry-After"]
        stack.start_service("clients")
        until(lambda: http.get(f"/api/v1/clients/{client['id']}").status_code == 200)


def test_every_process_survives_a_restart_of_the_broker(stack: Stack, rabbit: servers.RabbitServer) -> None:
    with stack.client() as http, stack.client(patient=False) as once:
        before = make_client(http, "Avant")
        rabbit.stop(kill=True)
        refused = once.get(f"/api/v1/clients/{before['id']}")
        assert (refused.status_code, "Retry-After" in refused.headers) == (503, True)
        rabbit.start()
        stack.wait_whole()
        # By the patient one: the gateway's other worker may yet say "come back" for a moment.
        after = make_client(http, "Après")
        made = http.post("/api/v1/interventions", json={"client_id": after["id"], "title": "Après la panne"})
        assert made.status_code == 201, made.text
        until(lambda: http.get(f"/api/v1/interventions/{made.json()['id']}").json()["client"]["name"] == "Après", 60)


test_nothing_that_a_service_asked_of_the_broker_was_refused = (
    broker_rights.test_nothing_that_a_service_asked_of_the_broker_was_refused
)
test_a_service_put_back_from_a_backup_is_read_anew_by_the_others = (
    backups.test_a_service_put_back_from_a_backup_is_read_anew_by_the_others
)
# Last: it starts processes anew, with traces.
test_a_request_is_one_trace_from_the_gateway_to_the_effect_of_its_event = (
    traces.test_a_request_is_one_trace_from_the_gateway_to_the_effect_of_its_event
)
