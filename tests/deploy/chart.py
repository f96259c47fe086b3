"""The chart, rendered by Helm itself (its Go library), and its manifests held to Kubernetes' schemas."""

import json
import re
import tomllib
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema
import kubernetes_validate
import pytest
import yaml

from config.load import parse
from config.settings import Settings
from tests.house.project import ROOT

# On a machine that no library of Helm is made for, the lock leaves it out.
helm = pytest.importorskip("helm_python", reason="Helm's library is there for x86_64 only")

CHART = ROOT / "deploy" / "helm" / "sequence-sync"
VERSIONS = ("1.29", "1.33", kubernetes_validate.latest_version())
"""Of Kubernetes: the oldest that the chart allows, one between, and the newest that there are schemas of."""

_SCHEMAS = {
    path.stem: json.loads(path.read_text()) for path in (Path(__file__).parent / "schemas").glob("*.json")
}

Manifest = dict[str, Any]

CONFIG = (ROOT / "deploy" / "sequence-sync.toml").read_text().replace("/run/secrets", "/secrets")
SECRETS = {
    "sequence-sync-redis": ("redis_username", "redis_password"),
    "sequence-sync-apps": ("cronofy_secret",),
    "sequence-sync-accounts": ("google.json", "microsoft_secret"),
}
"""The Secrets that docs/deploy.md makes, with their keys."""
DEFAULT: dict[str, Any] = {
    "config": CONFIG,
    "secrets": ["sequence-sync-redis"],
    "receiver": {"secrets": ["sequence-sync-apps"]},
    "worker": {"secrets": ["sequence-sync-accounts"]},
    "api": {"secrets": ["sequence-sync-apps", "sequence-sync-accounts"]},
}
WITH_API: dict[str, Any] = {**DEFAULT, "api": {**DEFAULT["api"], "enabled": True}}
_OF_EACH: dict[str, Any] = {
    "podAnnotations": {"example.com/team": "hr"},
    "podLabels": {"azure.workload.identity/use": "true"},
    "env": [{"name": "HTTPS_PROXY", "value": "http://proxy:3128"}],
    "nodeSelector": {"kubernetes.io/arch": "amd64"},
    "tolerations": [{"key": "example.com/quiet", "operator": "Exists"}],
    "affinity": {"nodeAffinity": {}},
}
EVERYTHING: dict[str, Any] = {
    **DEFAULT,
    "image": {"digest": "sha256:" + 64 * "0"},
    "imagePullSecrets": ["registry"],
    "keda": {"enabled": True, "authenticationRef": {"name": "prometheus"}},
    "ingress": {"enabled": True, "host": "sync.example.com", "tlsSecretName": "sync-tls"},
    "serviceAccount": {
        "annotations": {
            "azure.workload.identity/client-id": "an id",
            "iam.gke.io/gcp-service-account": "sync@project.iam.gserviceaccount.com",
        }
    },
    "federatedToken": {"enabled": True, "googleAudience": "//iam.googleapis.com/projects/1/p"},
    "networkPolicy": {
        "apiFrom": [{"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "recruiting"}}}],
        "redis": {"ports": [6379, 26379], "to": [{"ipBlock": {"cidr": "10.1.2.0/24"}}]},
        "metadata": {"enabled": True},
        "extraEgress": [{"ports": [{"port": 4318, "protocol": "TCP"}]}],
    },
    "monitoring": {
        "podMonitor": {"enabled": True, "labels": {"release": "prometheus"}},
        "rules": {"enabled": True},
        "dashboard": {"enabled": True},
    },
    "receiver": {**_OF_EACH, **DEFAULT["receiver"]},
    "worker": {**_OF_EACH, **DEFAULT["worker"]},
    "api": {
        **_OF_EACH,
        **DEFAULT["api"],
        "enabled": True,
        "ingress": {"enabled": True, "host": "api.example.com", "tlsSecretName": "api-tls"},
    },
}
_UNSCALED: dict[str, Any] = {"autoscaling": {"enabled": False}, "disruptionBudget": {"enabled": False}}
PLAIN: dict[str, Any] = {
    "existingConfigMap": "our-configuration",
    "networkPolicy": {"enabled": False},
    "serviceAccount": {"create": False, "name": "ours"},
    "topologySpread": {"enabled": False},
    "receiver": _UNSCALED,
    "worker": _UNSCALED,
    "api": {**_UNSCALED, "enabled": True},
}


def render(values: dict[str, Any], *, release: str = "sync") -> list[Manifest]:
    """The manifests of a release in the namespace `hr`. Raises Helm's errors."""
    return [manifest for text in _rendered(json.dumps(values), release).values() for manifest in text]


@cache
def _rendered(values: str, release: str) -> dict[str, list[Manifest]]:
    with helm.Chart.load(CHART) as chart:
        given = json.loads(values)
        chart.validate_schema(chart.merge_values(given))
        texts: dict[str, str] = chart.render(given, name=release, namespace="hr")
    return {
        name: [manifest for manifest in yaml.safe_load_all(text) if manifest]
        for name, text in texts.items()
        if name.endswith(".yaml")
    }


def notes(values: dict[str, Any]) -> str:
    """What Helm says after an installation."""
    with helm.Chart.load(CHART) as chart:
        [text] = [
            text
            for name, text in chart.render(values, name="sync", namespace="hr").items()
            if name.endswith("NOTES.txt")
        ]
    return str(text)


def of(manifests: list[Manifest], kind: str, name: str = "") -> Manifest:
    """The one of this kind whose name ends so."""
    [found] = [each for each in manifests if each["kind"] == kind and each["metadata"]["name"].endswith(name)]
    return found


def check(manifest: Manifest, version: str) -> None:
    """Raises where a manifest is not what its schema says; unknown fields are refused."""
    if schema := _SCHEMAS.get(manifest["kind"]):
        jsonschema.validate(manifest, schema, cls=jsonschema.Draft202012Validator)
    else:
        kubernetes_validate.validate(manifest, version, strict=True)


def pods(manifests: list[Manifest]) -> dict[str, dict[str, Any]]:
    """The pod of each component, as its Deployment makes it."""
    return {
        each["spec"]["template"]["metadata"]["labels"]["app.kubernetes.io/component"]: each["spec"][
            "template"
        ]
        for each in manifests
        if each["kind"] == "Deployment"
    }


def secret_files(pod: dict[str, Any]) -> set[str]:
    """The names of the files in /secrets of a pod."""
    mounted = [each for each in pod["spec"]["volumes"] if each["name"] == "secrets"]
    names = [each["secret"]["name"] for volume in mounted for each in volume["projected"]["sources"]]
    return {key for name in names for key in SECRETS[name]}


def settings_of(manifests: list[Manifest], tmp_path: Path) -> Settings:
    """What the processes read: the ConfigMap's file, and over it the environment of the container."""
    text = of(manifests, "ConfigMap", "config")["data"]["sequence-sync.toml"]
    environment = pods(manifests)["receiver"]["spec"]["containers"][0]["env"]
    key = '{"client_email": "a@example.com", "private_key": "k", "token_uri": "https://example.com"}'
    for name in set(re.findall(r"file:/secrets/([\w.]+)", text)):
        (tmp_path / name).write_text(key if name == "google.json" else "a secret")
    table = tomllib.loads(text.replace("file:/secrets", f"file:{tmp_path}"))
    return parse(table, folder=tmp_path, environ={each["name"]: each["value"] for each in environment})
