"""deploy/helm/sequence-sync: who is reached by whom, and what there is of the API."""

from pathlib import Path
from typing import Any

import pytest

from tests.deploy.chart import (
    DEFAULT,
    EVERYTHING,
    WITH_API,
    Manifest,
    helm,
    notes,
    of,
    pods,
    render,
    settings_of,
)

OURS = pytest.mark.parametrize("name", ["receiver", "worker", "api"])


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
        "ServiceAccount",
    }
    assert without < with_it


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
def test_the_metadata_server_is_reached_where_it_is_asked_for_and_by_no_receiver(name: str) -> None:
    def link_local(values: Manifest) -> list[tuple[str, int]]:
        return [
            (to["ipBlock"]["cidr"], port["port"])
            for rule in of(render(values), "NetworkPolicy", name)["spec"]["egress"]
            for to in rule.get("to", [])
            if to.get("ipBlock", {}).get("cidr", "").startswith("169.254.")
            for port in rule["ports"]
        ]

    asked = [("169.254.169.254/32", 80), ("169.254.169.252/32", 988)]
    assert link_local(WITH_API) == []
    assert link_local(EVERYTHING) == ([] if name == "receiver" else asked)


def test_the_pods_run_by_the_account_that_the_clouds_know() -> None:
    for name in ("worker", "api"):
        account = of(render(EVERYTHING), "ServiceAccount", name)
        assert set(account["metadata"]["annotations"]) == {
            "azure.workload.identity/client-id",
            "iam.gke.io/gcp-service-account",
        }
        pod = pods(render(EVERYTHING))[name]
        assert pod["spec"]["serviceAccountName"] == account["metadata"]["name"]
        assert pod["metadata"]["labels"]["azure.workload.identity/use"] == "true"


@OURS
def test_all_but_receivers_are_let_out_to_the_proxy_where_there_is_one(name: str) -> None:
    to = [{"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "infra"}}}]
    only_way_out = {"networkPolicy": {"proxy": {"port": 8888, "to": to}, "httpsTo": []}}
    egress = of(render({**WITH_API, **only_way_out}), "NetworkPolicy", name)["spec"]["egress"]
    proxied = [rule for rule in egress if rule["ports"] == [{"port": 8888, "protocol": "TCP"}]]
    assert [rule["to"] for rule in proxied] == ([] if name == "receiver" else [to])
    assert not [rule for rule in egress if rule["ports"][0]["port"] == 443]


def test_the_notes_say_where_the_api_is_and_that_nobody_may_reach_it_yet() -> None:
    assert "API" not in notes(DEFAULT)
    assert "http://sync-sequence-sync-api.hr:80/v1/" in notes(WITH_API)
    assert "networkPolicy.apiFrom is empty" in notes(WITH_API)
    assert "https://api.example.com/v1/" in notes(EVERYTHING)
    assert "networkPolicy.apiFrom" not in notes(EVERYTHING)
