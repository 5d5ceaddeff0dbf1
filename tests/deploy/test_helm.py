"""The Helm chart, rendered by Helm's own code and held against the schemas of Kubernetes; what it names exists."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
import yaml

helm = pytest.importorskip("helm_python", reason="helm-python-sdk is in requirements/dev.in: renew the environment")
kubernetes = pytest.importorskip("kubernetes_validate", reason="kubernetes-validate is in requirements/dev.in: renew the environment")

CHART = Path(__file__).resolve().parents[2] / "deploy" / "helm" / "parley"
OLDEST, NEWEST = "1.27", "1.37"
Manifests = Sequence[dict[str, Any]]

PLAIN: dict[str, Any] = {"secret": {"existing": "parley-secrets"}}
FULL: dict[str, Any] = {
    "settings": {"PARLEY_LOG_FORMAT": "json", "PARLEY_OTLP_ENDPOINT": "http://collector:4318"},
    "secret": {"values": {"PARLEY_DATABASE_URL": "postgresql://parley:x@db/parley", "PARLEY_SECRET_KEY": "x" * 32}},
    "ingress": {"enabled": True, "tlsSecret": "parley-tls"},
    "web": {"replicas": 4},
    "model": {
        "replicas": 3,
        "image": {"repository": "parley", "tag": "gpu"},
        "settings": {"PARLEY_MAX_LORAS": "4"},
        "nodeSelector": {"gpu": "yes"},
    },
    "home": {"storageClass": "shared"},
    "networkPolicy": {"alsoFrom": [{"namespaceSelector": {"matchLabels": {"name": "monitoring"}}}]},
    "imagePullSecrets": [{"name": "registry"}],
}


def rendered(values: Mapping[str, Any]) -> Manifests:
    with helm.Chart.load(CHART) as chart:
        files: dict[str, str] = chart.render(values, name="parley", namespace="ota")
    return [document for path, text in files.items() if not path.endswith("NOTES.txt") for document in yaml.safe_load_all(text) if document]


def pods(manifests: Manifests) -> Iterator[tuple[str, dict[str, Any]]]:
    for manifest in manifests:
        if manifest["kind"] in {"Deployment", "StatefulSet", "Job"}:
            yield manifest["metadata"]["name"], manifest["spec"]["template"]


def one(manifests: Manifests, kind: str, name: str) -> dict[str, Any]:
    (found,) = (manifest for manifest in manifests if manifest["kind"] == kind and manifest["metadata"]["name"] == name)
    return found


@pytest.mark.parametrize("values", [PLAIN, FULL], ids=["plain", "full"])
@pytest.mark.parametrize("version", [OLDEST, NEWEST])
def test_that_kubernetes_would_take_every_manifest(values: dict[str, Any], version: str) -> None:
    for manifest in rendered(values):
        kubernetes.validate(manifest, version, strict=True)


def test_that_helm_finds_nothing_to_complain_of() -> None:
    told = helm.lint(CHART, PLAIN, strict=True)
    assert not told["errors"]
    assert {message["error"] for message in told["messages"]} <= {"icon is recommended"}


def test_that_it_is_not_installed_without_its_secrets() -> None:
    with pytest.raises(helm.HelmError, match=r"secret\.existing must name a Secret"):
        rendered({})


def test_that_a_setting_with_a_wrong_name_is_refused() -> None:
    with pytest.raises(helm.HelmError, match="PASSWORD"):
        rendered(PLAIN | {"settings": {"PASSWORD": "x"}})


def test_that_every_command_and_every_setting_exists(settings: frozenset[str], assert_command: Callable[[Sequence[str]], None]) -> None:
    manifests = rendered(FULL)
    for _, pod in pods(manifests):
        for container in pod["spec"]["containers"]:
            assert_command(container["command"])
            named = {variable["name"] for variable in container.get("env", [])}
            assert {name for name in named if name.startswith("PARLEY_")} <= settings
    assert set(one(manifests, "ConfigMap", "parley-settings")["data"]) <= settings


@pytest.mark.parametrize("values", [PLAIN, FULL], ids=["plain", "full"])
def test_that_what_a_pod_asks_for_is_there(values: dict[str, Any]) -> None:
    manifests = rendered(values)
    there = {(manifest["kind"], manifest["metadata"]["name"]) for manifest in manifests} | {("Secret", "parley-secrets")}
    for name, pod in pods(manifests):
        spec = pod["spec"]
        for container in spec["containers"]:
            for source in container.get("envFrom", []):
                for key, kind in (("configMapRef", "ConfigMap"), ("secretRef", "Secret")):
                    if key in source:
                        assert (kind, source[key]["name"]) in there, name
            assert {mount["name"] for mount in container["volumeMounts"]} == {volume["name"] for volume in spec["volumes"]}
        for volume in spec["volumes"]:
            if "persistentVolumeClaim" in volume:
                assert ("PersistentVolumeClaim", volume["persistentVolumeClaim"]["claimName"]) in there
        if "serviceAccountName" in spec:
            assert ("ServiceAccount", spec["serviceAccountName"]) in there


def test_that_services_and_budgets_find_their_pods() -> None:
    manifests = rendered(FULL)
    labels = [pod["metadata"]["labels"] for _, pod in pods(manifests)]
    for manifest in manifests:
        match manifest["kind"]:
            case "Service":
                selector = manifest["spec"]["selector"]
            case "PodDisruptionBudget" | "Deployment" | "StatefulSet":
                selector = manifest["spec"]["selector"]["matchLabels"]
            case "NetworkPolicy":
                selector = manifest["spec"]["podSelector"]["matchLabels"]
            case _:
                continue
        found = [label for label in labels if selector.items() <= label.items()]
        assert len(found) == 1, (manifest["kind"], manifest["metadata"]["name"])


def test_that_every_process_is_nobody_special_and_can_say_how_it_is() -> None:
    for name, pod in pods(rendered(FULL)):
        assert pod["spec"]["securityContext"]["runAsNonRoot"] is True, name
        assert pod["spec"]["automountServiceAccountToken"] is False, name
        for container in pod["spec"]["containers"]:
            assert container["securityContext"]["readOnlyRootFilesystem"] is True, name
            assert container["resources"]["limits"]["memory"], name
            if name not in {"parley-migrate", "parley-beat"}:
                assert container["livenessProbe"], name
                assert container["readinessProbe"], name


def test_that_the_schema_comes_before_new_processes_and_a_version_is_loaded_on_every_replica() -> None:
    manifests = rendered(FULL)
    secret = one(manifests, "Secret", "parley-secret")["metadata"]["annotations"]
    job = one(manifests, "Job", "parley-migrate")["metadata"]["annotations"]
    assert "pre-upgrade" in job["helm.sh/hook"]
    assert int(secret["helm.sh/hook-weight"]) < int(job["helm.sh/hook-weight"])
    urls = one(manifests, "ConfigMap", "parley-settings")["data"]["PARLEY_MODEL_ADMIN_URLS"].split(",")
    model = one(manifests, "StatefulSet", "parley-model")
    service = model["spec"]["serviceName"]
    assert urls == [f"http://parley-model-{number}.{service}:8400/v1" for number in range(model["spec"]["replicas"])]
    assert one(manifests, "Service", service)["spec"]["clusterIP"] == "None"
    web = one(manifests, "Deployment", "parley-web")["spec"]
    assert web["strategy"]["rollingUpdate"]["maxUnavailable"] == 0
