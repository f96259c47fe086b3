"""deploy/helm/sequence-sync: what it renders to. That it runs is a matter for a cluster."""

import copy
import re
import tomllib
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from config.load import parse
from config.settings import Settings
from tests.deploy.chart import (
    CHART,
    CONFIG,
    DEFAULT,
    EVERYTHING,
    PLAIN,
    VERSIONS,
    WITH_API,
    Manifest,
    check,
    helm,
    notes,
    of,
    render,
)
from tests.deploy.cli_lines import commands_of, parses
from tests.house.project import PYPROJECT, ROOT

VARIANTS = pytest.mark.parametrize(
    "values", [DEFAULT, WITH_API, EVERYTHING, PLAIN], ids=["default", "with the API", "everything", "plain"]
)
OURS = pytest.mark.parametrize("name", ["receiver", "worker", "api"])


def pods(manifests: list[Manifest]) -> dict[str, dict[str, Any]]:
    """The pod of each component, as its Deployment makes it."""
    return {
        each["spec"]["template"]["metadata"]["labels"]["app.kubernetes.io/component"]: each["spec"][
            "template"
        ]
        for each in manifests
        if each["kind"] == "Deployment"
    }


def settings_of(manifests: list[Manifest], tmp_path: Path) -> Settings:
    """What the processes read: the ConfigMap's file, and over it the environment of the container."""
    text = of(manifests, "ConfigMap", "config")["data"]["sequence-sync.toml"]
    environment = pods(manifests)["receiver"]["spec"]["containers"][0]["env"]
    key = '{"client_email": "a@example.com", "private_key": "k", "token_uri": "https://example.com"}'
    for name in set(re.findall(r"file:/secrets/([\w.]+)", text)):
        (tmp_path / name).write_text(key if name == "google.json" else "a secret")
    table = tomllib.loads(text.replace("file:/secrets", f"file:{tmp_path}"))
    return parse(table, folder=tmp_path, environ={each["name"]: each["value"] for each in environment})


@VARIANTS
@pytest.mark.parametrize("version", VERSIONS)
def test_every_manifest_is_what_its_schema_says(values: dict[str, Any], version: str) -> None:
    manifests = render(values)
    assert len(manifests) >= 3
    for manifest in manifests:
        check(manifest, version)


@pytest.mark.parametrize(
    "kind", ["Deployment", "NetworkPolicy", "ScaledObject", "PodMonitor", "PrometheusRule"]
)
def test_a_misspelt_field_would_be_noticed(kind: str) -> None:
    manifest = copy.deepcopy(next(each for each in render(EVERYTHING) if each["kind"] == kind))
    manifest["spec"]["minReplicaCuont"] = 1
    with pytest.raises(jsonschema.ValidationError, match="minReplicaCuont"):
        check(manifest, VERSIONS[0])


@VARIANTS
def test_helm_finds_nothing_to_blame(values: dict[str, Any]) -> None:
    report = helm.lint(CHART, values, strict=True, kube_version=f"v{VERSIONS[0]}.0")
    assert report["errors"] == []
    assert [each for each in report["messages"] if each["severity"] > 1] == []


def test_values_that_nobody_knows_are_refused() -> None:
    with pytest.raises(helm.HelmError, match="replcias"):
        render({**DEFAULT, "worker": {"replcias": 3}})


def test_without_a_configuration_it_says_what_is_missing() -> None:
    with pytest.raises(helm.HelmError, match="set `config`"):
        render({})


def test_it_is_of_this_version() -> None:
    chart = yaml.safe_load((CHART / "Chart.yaml").read_text())
    assert chart["version"] == chart["appVersion"] == PYPROJECT["project"]["version"]


@VARIANTS
def test_every_pod_is_as_restricted_as_kubernetes_knows(values: dict[str, Any]) -> None:
    for pod in (each["spec"] for each in pods(render(values)).values()):
        assert pod["securityContext"]["runAsNonRoot"] is True
        assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        assert pod["automountServiceAccountToken"] is False
        [container] = pod["containers"]
        assert container["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        }
        assert container["resources"]["limits"]["memory"]
        assert not {"hostNetwork", "hostPID", "hostIPC"} & pod.keys()


def test_there_is_an_api_where_one_is_asked_for_and_else_nothing_of_it() -> None:
    without, with_it = (
        {(each["kind"], each["metadata"]["name"]) for each in render(values)}
        for values in (DEFAULT, WITH_API)
    )
    assert {name for _, name in with_it - without} == {"sync-sequence-sync-api"}
    assert {kind for kind, _ in with_it - without} == {
        "Deployment",
        "Service",
        "HorizontalPodAutoscaler",
        "PodDisruptionBudget",
        "NetworkPolicy",
    }
    assert without < with_it


@OURS
def test_secrets_are_files_and_never_in_the_environment(name: str) -> None:
    pod = pods(render(EVERYTHING))[name]["spec"]
    [volume] = [each for each in pod["volumes"] if each["name"] == "secrets"]
    assert [each["secret"]["name"] for each in volume["projected"]["sources"]] == EVERYTHING["secrets"]
    assert [each for each in pod["containers"][0]["env"] if "valueFrom" in each] == []


@OURS
def test_no_volume_hides_another_or_the_place_of_injected_tokens(name: str) -> None:
    pod = pods(render(EVERYTHING))[name]["spec"]
    # /var/run is a link to /run in the image.
    paths = [
        Path(mount["mountPath"].replace("/var/run/", "/run/"))
        for mount in pod["containers"][0]["volumeMounts"]
    ]
    injected = Path("/run/secrets/azure/tokens")
    assert [(one, other) for one in paths for other in [*paths, injected] if one in other.parents] == []


@OURS
def test_probes_and_ports_are_those_of_the_process(name: str, tmp_path: Path) -> None:
    manifests = render(WITH_API)
    settings = settings_of(manifests, tmp_path)
    [container] = pods(manifests)[name]["spec"]["containers"]
    ports = {each["name"]: each["containerPort"] for each in container["ports"]}
    expected = {"admin": getattr(settings, name).admin_port}
    if name != "worker":
        expected["http"] = getattr(settings, name).port
        assert getattr(settings, name).host == "0.0.0.0"  # noqa: S104 - reached by the pod's own address
    assert ports == expected
    probes = {probe: container[f"{probe}Probe"]["httpGet"] for probe in ("startup", "liveness", "readiness")}
    assert probes == {
        "startup": {"path": "/livez", "port": "admin"},
        "liveness": {"path": "/livez", "port": "admin"},
        "readiness": {"path": "/readyz", "port": "admin"},
    }
    assert container["args"] == [name]


@OURS
@pytest.mark.parametrize("drain", [20, 90])
def test_a_stop_leaves_time_to_drain(name: str, drain: int, tmp_path: Path) -> None:
    manifests = render({**WITH_API, "drainSeconds": drain})
    settings = settings_of(manifests, tmp_path)
    pod = pods(manifests)[name]["spec"]
    assert getattr(settings, name).drain_timeout == drain
    delay = settings.receiver.drain_delay if name == "receiver" else slept(pod)
    assert pod["terminationGracePeriodSeconds"] >= delay + drain + 5


def slept(pod: dict[str, Any]) -> int:
    """For how many seconds Kubernetes holds back the signal to stop."""
    hook = pod["containers"][0].get("lifecycle", {}).get("preStop")
    if hook is None:
        return 0
    program, seconds = hook["exec"]["command"]
    assert program == "sleep"
    return int(seconds)


@pytest.mark.parametrize("delay", [5, 0])
def test_an_api_is_told_to_stop_once_nobody_sends_it_more(delay: int) -> None:
    found = pods(render({**DEFAULT, "api": {"enabled": True, "drainDelaySeconds": delay}}))
    assert {name: slept(pod["spec"]) for name, pod in found.items()} == {
        "receiver": 0,
        "worker": 0,
        "api": delay,
    }


def test_another_configuration_makes_new_pods() -> None:
    sums = {
        name: [
            pods(render({**WITH_API, "config": config}))[name]["metadata"]["annotations"]["checksum/config"]
            for config in (CONFIG, CONFIG + "\n# more", CONFIG)
        ]
        for name in ("receiver", "worker", "api")
    }
    for first, changed, again in sums.values():
        assert first == again != changed


def test_each_service_leads_to_one_component() -> None:
    manifests = render(WITH_API)
    led = {
        each["metadata"]["name"]: [
            name
            for name, pod in pods(manifests).items()
            if each["spec"]["selector"].items() <= pod["metadata"]["labels"].items()
        ]
        for each in manifests
        if each["kind"] == "Service"
    }
    assert led == {"sync-sequence-sync": ["receiver"], "sync-sequence-sync-api": ["api"]}


def test_two_releases_do_not_touch_each_other() -> None:
    one, other = (render(WITH_API, release=name) for name in ("one", "other"))
    assert not {(each["kind"], each["metadata"]["name"]) for each in one} & {
        (each["kind"], each["metadata"]["name"]) for each in other
    }
    for service in (each for each in one if each["kind"] == "Service"):
        selector = service["spec"]["selector"].items()
        assert [pod for pod in pods(other).values() if selector <= pod["metadata"]["labels"].items()] == []


def test_only_callbacks_and_the_api_are_public_and_each_has_a_host_of_its_own(tmp_path: Path) -> None:
    manifests = render(EVERYTHING)
    led = [
        (rule["host"], path["path"], path["pathType"], path["backend"]["service"]["name"])
        for each in manifests
        if each["kind"] == "Ingress"
        for rule in each["spec"]["rules"]
        for path in rule["http"]["paths"]
    ]
    assert sorted(led) == [
        ("api.example.com", "/v1/", "Prefix", "sync-sequence-sync-api"),
        ("sync.example.com", "/callbacks/", "Prefix", "sync-sequence-sync"),
    ]
    assert settings_of(manifests, tmp_path).receiver.public_url == "https://sync.example.com"
    services = [each for each in manifests if each["kind"] == "Service"]
    assert [port["targetPort"] for each in services for port in each["spec"]["ports"]] == ["http", "http"]


def test_an_ingress_of_the_api_wants_a_host() -> None:
    with pytest.raises(helm.HelmError, match=r"api\.ingress\.host"):
        render({**DEFAULT, "api": {"enabled": True, "ingress": {"enabled": True}}})


def reached(policy: Manifest) -> dict[Any, list[str]]:
    """Which of its ports are open, and to which namespaces."""
    return {
        port["port"]: [
            each["namespaceSelector"]["matchLabels"]["kubernetes.io/metadata.name"] for each in rule["from"]
        ]
        for rule in policy["spec"]["ingress"]
        for port in rule["ports"]
    }


def test_the_network_lets_in_callbacks_and_monitoring_and_nothing_else() -> None:
    manifests = render(WITH_API)
    assert reached(of(manifests, "NetworkPolicy", "receiver")) == {
        "http": ["ingress-nginx"],
        9090: ["monitoring"],
    }
    assert reached(of(manifests, "NetworkPolicy", "worker")) == {9091: ["monitoring"]}
    assert reached(of(manifests, "NetworkPolicy", "api")) == {9092: ["monitoring"]}


def test_the_api_is_reached_by_those_who_are_listed() -> None:
    policies = {
        name: reached(of(render(EVERYTHING), "NetworkPolicy", name)) for name in ("receiver", "worker", "api")
    }
    assert policies["api"] == {"http": ["recruiting"], 9092: ["monitoring"]}
    assert policies["receiver"]["http"] == ["ingress-nginx"]
    assert "http" not in policies["worker"]


@OURS
def test_the_network_lets_out_to_redis_and_dns_and_all_but_receivers_to_the_providers(name: str) -> None:
    policy = of(render(WITH_API), "NetworkPolicy", name)
    assert policy["spec"]["policyTypes"] == ["Ingress", "Egress"]
    out = [port["port"] for rule in policy["spec"]["egress"] for port in rule["ports"]]
    assert out == [53, 53, 6379] + ([443] if name != "receiver" else [])
    [https] = [rule for rule in policy["spec"]["egress"] if rule["ports"][0]["port"] == 443] or [None]
    if https:
        assert "169.254.0.0/16" in https["to"][0]["ipBlock"]["except"], "the cloud's metadata service"


@OURS
def test_who_scales_says_how_many_there_are(name: str) -> None:
    assert "replicas" in of(render(PLAIN), "Deployment", name)["spec"]
    for values in (WITH_API, EVERYTHING):
        assert "replicas" not in of(render(values), "Deployment", name)["spec"]


def test_workers_are_scaled_by_keda_or_by_cpu_never_by_both() -> None:
    by_cpu = of(render(DEFAULT), "HorizontalPodAutoscaler", "worker")["spec"]
    by_queue = of(render(EVERYTHING), "ScaledObject")["spec"]
    target = of(render(DEFAULT), "Deployment", "worker")["metadata"]["name"]
    assert by_cpu["scaleTargetRef"]["name"] == by_queue["scaleTargetRef"]["name"] == target
    assert (by_cpu["minReplicas"], by_cpu["maxReplicas"]) == (
        by_queue["minReplicaCount"],
        by_queue["maxReplicaCount"],
    )
    assert {each["kind"] for each in render(DEFAULT)} & {"ScaledObject"} == set()
    scaled = [each for each in render(EVERYTHING) if each["kind"] == "HorizontalPodAutoscaler"]
    assert {each["metadata"]["name"] for each in scaled} == {
        "sync-sequence-sync-receiver",
        "sync-sequence-sync-api",
    }


def test_the_rules_and_the_dashboard_are_those_of_deploy() -> None:
    manifests = render(EVERYTHING)
    rules = yaml.safe_load((ROOT / "deploy/prometheus/alerts.yaml").read_text())
    assert of(manifests, "PrometheusRule")["spec"] == rules
    dashboard = of(manifests, "ConfigMap", "dashboard")["data"]["sequence-sync.json"]
    assert dashboard == (ROOT / "deploy/grafana/dashboard.json").read_text()


def test_prometheus_calls_the_jobs_as_the_rules_do() -> None:
    manifests = render(EVERYTHING)
    [endpoint] = of(manifests, "PodMonitor")["spec"]["podMetricsEndpoints"]
    [relabeling] = endpoint["relabelings"]
    label = relabeling["sourceLabels"][0].removeprefix("__meta_kubernetes_pod_label_")
    jobs = {
        relabeling["replacement"].replace("$1", pod["metadata"]["labels"]["app.kubernetes.io/component"])
        for pod in pods(manifests).values()
    }
    assert label == re.sub(r"\W", "_", "app.kubernetes.io/component")
    prometheus = yaml.safe_load((ROOT / "deploy/prometheus/prometheus.yaml").read_text())
    assert jobs == {job["job_name"] for job in prometheus["scrape_configs"]}


def test_the_pod_s_token_is_where_the_configuration_can_name_it() -> None:
    pod = pods(render(EVERYTHING))["worker"]["spec"]
    [volume] = [each for each in pod["volumes"] if each["name"] == "federated-token"]
    [mount] = [each for each in pod["containers"][0]["volumeMounts"] if each["name"] == "federated-token"]
    token = volume["projected"]["sources"][0]["serviceAccountToken"]
    assert f"{mount['mountPath']}/{token['path']}" == "/var/run/secrets/federated/token"
    assert token["audience"] == "api://AzureADTokenExchange"
    assert "/var/run/secrets/federated/token" in (ROOT / "docs/deploy.md").read_text()


@pytest.mark.parametrize("values", [DEFAULT, EVERYTHING], ids=["default", "everything"])
def test_the_notes_name_commands_that_there_are(values: dict[str, Any]) -> None:
    lines = commands_of(notes(values))
    assert len(lines) == 3
    assert [line for line in lines if not parses(line)] == []


def test_the_notes_say_where_the_api_is_and_that_nobody_may_reach_it_yet() -> None:
    assert "API" not in notes(DEFAULT)
    assert "http://sync-sequence-sync-api.hr:80/v1/" in notes(WITH_API)
    assert "networkPolicy.apiFrom is empty" in notes(WITH_API)
    assert "https://api.example.com/v1/" in notes(EVERYTHING)
    assert "networkPolicy.apiFrom" not in notes(EVERYTHING)
