"""deploy/helm/sequence-sync: what it renders to. That it runs is a matter for a cluster."""

import copy
import re
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from tests.deploy.chart import (
    CHART,
    CONFIG,
    DEFAULT,
    EVERYTHING,
    PLAIN,
    VERSIONS,
    WITH_API,
    check,
    helm,
    notes,
    of,
    pods,
    render,
    secret_files,
    settings_of,
)
from tests.deploy.cli_lines import commands_of, parses
from tests.deploy.needed import needed
from tests.house.project import PYPROJECT, ROOT

VARIANTS = pytest.mark.parametrize(
    "values", [DEFAULT, WITH_API, EVERYTHING, PLAIN], ids=["default", "with the API", "everything", "plain"]
)
OURS = pytest.mark.parametrize("name", ["receiver", "worker", "api"])


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


@OURS
def test_secrets_are_files_and_never_in_the_environment(name: str) -> None:
    pod = pods(render(EVERYTHING))[name]["spec"]
    [volume] = [each for each in pod["volumes"] if each["name"] == "secrets"]
    named = [each["secret"]["name"] for each in volume["projected"]["sources"]]
    assert named == [*EVERYTHING["secrets"], *EVERYTHING[name]["secrets"]]
    assert [each for each in pod["containers"][0]["env"] if "valueFrom" in each] == []


@OURS
def test_a_pod_has_the_secrets_that_its_process_uses_and_no_others(name: str, tmp_path: Path) -> None:
    assert secret_files(pods(render(WITH_API))[name]) == needed(CONFIG, name, tmp_path)


def test_components_have_service_accounts_of_their_own_and_the_receiver_none_of_a_provider_s() -> None:
    manifests = render(EVERYTHING)
    used = {name: pod["spec"]["serviceAccountName"] for name, pod in pods(manifests).items()}
    assert used == {name: f"sync-sequence-sync-{name}" for name in ("receiver", "worker", "api")}
    made = {each["metadata"]["name"]: each for each in manifests if each["kind"] == "ServiceAccount"}
    assert made.keys() == set(used.values())
    annotated = {name for name in used if "annotations" in made[used[name]]["metadata"]}
    token = {
        name
        for name, pod in pods(manifests).items()
        if "federated-token" in [each["name"] for each in pod["spec"]["volumes"]]
    }
    assert annotated == token == {"worker", "api"}


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
        assert getattr(settings, name).host == "::"  # reached by the pod's own address
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


def test_pods_have_a_token_for_each_cloud_that_trusts_their_cluster() -> None:
    def tokens(values: dict[str, Any]) -> dict[str, str]:
        return {
            source["serviceAccountToken"]["path"]: source["serviceAccountToken"]["audience"]
            for volume in pods(render(values))["worker"]["spec"]["volumes"]
            if volume["name"] == "federated-token"
            for source in volume["projected"]["sources"]
        }

    assert tokens(DEFAULT) == {}
    only_microsoft = {**DEFAULT, "federatedToken": {"enabled": True}}
    assert tokens(only_microsoft) == {"token": "api://AzureADTokenExchange"}
    assert tokens(EVERYTHING) == {
        "token": "api://AzureADTokenExchange",
        "google": EVERYTHING["federatedToken"]["googleAudience"],
    }
