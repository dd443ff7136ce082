"""One trace from the request to the effect in another service, sent to a collector; collected by test_stack.py."""

from __future__ import annotations

import gzip
import secrets
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from tests.support.stack import Stack
from tests.support.waiting import wait_until

KINDS = {
    Span.SPAN_KIND_SERVER: "server",
    Span.SPAN_KIND_CLIENT: "client",
    Span.SPAN_KIND_PRODUCER: "producer",
    Span.SPAN_KIND_CONSUMER: "consumer",
}


class Collector:
    """What an OpenTelemetry collector receives: spans as (service, kind, name, trace, id, parent, attributes)."""

    def __init__(self) -> None:
        self.spans: list[dict[str, Any]] = []
        collector = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                if self.headers.get("Content-Encoding") == "gzip":
                    body = gzip.decompress(body)
                assert self.path == "/v1/traces"
                collector.take(ExportTraceServiceRequest.FromString(body))
                self.send_response(200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *args: Any) -> None:
                """Quiet."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"

    def take(self, request: ExportTraceServiceRequest) -> None:
        for resource in request.resource_spans:
            service = {each.key: each.value.string_value for each in resource.resource.attributes}["service.name"]
            for span in (span for scope in resource.scope_spans for span in scope.spans):
                self.spans.append(
                    {
                        "service": service.removeprefix("fiche-"),
                        "kind": KINDS.get(span.kind, "internal"),
                        "name": span.name,
                        "trace": span.trace_id.hex(),
                        "id": span.span_id.hex(),
                        "parent": span.parent_span_id.hex(),
                        "attributes": {each.key: each.value.string_value for each in span.attributes},
                    }
                )


@contextmanager
def collecting() -> Iterator[Collector]:
    collector = Collector()
    thread = threading.Thread(target=collector.server.serve_forever, daemon=True)
    thread.start()
    try:
        yield collector
    finally:
        collector.server.shutdown()
        thread.join(10)
        collector.server.server_close()


def test_a_request_is_one_trace_from_the_gateway_to_the_effect_of_its_event(stack: Stack) -> None:
    traced = ("gateway", "interventions", "clients")
    with collecting() as collector, stack.client() as http:
        stack.secrets["FICHE_OTLP_URL"] = collector.url
        for name in traced:
            stack.stop_service(name)
            stack.start_service(name)
        stack.wait_whole()
        wait_until(lambda: all(stack.ready(name) for name in traced[1:]), "they take calls and events", 90)
        client = http.post("/api/v1/clients", json={"kind": "company", "company_name": "Tracée"}).json()
        trace, parent = secrets.token_hex(16), secrets.token_hex(8)
        made = http.post(
            "/api/v1/interventions",
            json={"client_id": client["id"], "title": "Fuite", "starts_at": "2026-12-01T08:00:00Z"},
            headers={"traceparent": f"00-{trace}-{parent}-01"},
        )
        assert made.status_code == 201, made.text

        def found(service: str, kind: str, name: str, above: str | None = None) -> dict[str, Any] | None:
            for span in tuple(collector.spans):
                told = (span["trace"], span["service"], span["kind"])
                if told == (trace, service, kind) and name in span["name"] and above in (None, span["parent"]):
                    return span
            return None

        event = "fiche.interventions.intervention.planned.v1"
        effect = wait_until(lambda: found("clients", "consumer", f"{event} process"), "the effect is told")
        request = wait_until(lambda: found("gateway", "server", "POST /api/v1/interventions", parent), "the request")
        call = found("gateway", "client", "interventions.create", request["id"])
        assert call
        answered = wait_until(lambda: found("interventions", "server", "interventions.create", call["id"]), "the call")
        statement = found("interventions", "client", "INSERT", answered["id"])
        assert statement
        assert statement["attributes"]["db.namespace"] == "interventions"
        # Without the values: a trace is read by people who may not read clients.
        assert "Fuite" not in str(collector.spans)
        told = found("interventions", "producer", f"{event} publish", answered["id"])
        assert told
        assert effect["parent"] == told["id"]
        assert found("clients", "client", "", effect["id"])
        # What services do by themselves begins no trace.
        assert {span["kind"] for span in collector.spans if not span["parent"]} <= {"server"}
        del stack.secrets["FICHE_OTLP_URL"]
