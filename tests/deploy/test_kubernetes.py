"""The manifests of Kubernetes: they are of its schemas, and name what there is."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from jober import Jober
from jober.daemon import SIGN_KEY_VARIABLE, TRUST_VARIABLE
from tests.deploy.shipped import DEPLOY, check_command, help_of, lint, settings

FOLDER = DEPLOY / "kubernetes"
MANIFESTS = sorted(set(FOLDER.glob("*.yaml")) - {FOLDER / "kustomization.yaml"})
OBJECTS = [one for path in MANIFESTS for one in yaml.safe_load_all(path.read_text("utf-8"))]
SETS = [one for one in OBJECTS if one["kind"] in ("Deployment", "StatefulSet")]
DOCKERFILE = (DEPLOY / "Dockerfile").read_text("utf-8")
each_set = pytest.mark.parametrize("one", SETS, ids=lambda one: one["metadata"]["name"])


def of_kind(kind: str) -> list[dict[str, Any]]:
    return [one for one in OBJECTS if one["kind"] == kind]


def test_the_manifests_are_of_the_schemas_of_kubernetes_and_kustomize_has_all_of_them() -> None:
    for version in ("1.29", "1.34"):
        lint("kubernetes-validate", "--strict", "-k", version, *MANIFESTS)
    listed = yaml.safe_load((FOLDER / "kustomization.yaml").read_text("utf-8"))["resources"]
    assert sorted(listed) == [path.name for path in MANIFESTS]


@each_set
def test_a_container_has_a_command_of_ours_and_settings_that_there_are(one: dict[str, Any]) -> None:
    pod = one["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    check_command(container["args"])
    (shared,) = of_kind("ConfigMap")
    for variable in container["env"]:
        assert variable["valueFrom"]["configMapKeyRef"]["key"] in shared["data"]
    signs = {SIGN_KEY_VARIABLE} if container["args"][0] != "jober-worker" else set()
    assert {TRUST_VARIABLE, *signs} <= {variable["name"] for variable in container["env"]}
    volumes = {volume["name"] for volume in pod["volumes"]}
    volumes |= {made["metadata"]["name"] for made in one["spec"].get("volumeClaimTemplates", [])}
    assert {mount["name"] for mount in container["volumeMounts"]} == volumes


@each_set
def test_probes_ask_for_pages_at_the_port_that_the_image_has_them_at(one: dict[str, Any]) -> None:
    (container,) = one["spec"]["template"]["spec"]["containers"]
    ports = {port["name"]: port["containerPort"] for port in container["ports"]}
    (image,) = re.findall(r"JOBER_METRICS=\S*:(\d+)", DOCKERFILE)
    assert ports["metrics"] == int(image)
    for kind, path in (("livenessProbe", "/healthz"), ("readinessProbe", "/readyz")):
        assert container[kind]["httpGet"] == {"path": path, "port": "metrics"}
        assert path in help_of(container["args"][0])
    check_command([container["args"][0], "--metrics"])


@each_set
def test_a_pod_is_of_the_restricted_profile_and_of_the_user_of_the_image(
    one: dict[str, Any],
) -> None:
    pod = one["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    (user,) = re.findall(r"^USER (\d+)$", DOCKERFILE, re.MULTILINE)
    own = pod["securityContext"]
    assert own["runAsNonRoot"] and own["seccompProfile"] == {"type": "RuntimeDefault"}
    assert {own["runAsUser"], own["runAsGroup"], own["fsGroup"]} == {int(user)}
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert not pod["automountServiceAccountToken"]
    assert "memory" in container["resources"]["limits"]


@each_set
def test_a_pod_has_the_time_to_end_that_a_unit_has(one: dict[str, Any]) -> None:
    pod = one["spec"]["template"]["spec"]
    unit = settings(DEPLOY / "systemd" / f"{pod['containers'][0]['args'][0]}.service")
    assert pod["terminationGracePeriodSeconds"] == int(unit["TimeoutStopSec"])


@each_set
def test_whoever_selects_pods_finds_them_and_no_disruption_takes_all_of_a_kind(
    one: dict[str, Any],
) -> None:
    labels = one["spec"]["template"]["metadata"]["labels"]
    assert one["spec"]["selector"]["matchLabels"] == labels
    (budget,) = [
        budget
        for budget in of_kind("PodDisruptionBudget")
        if budget["spec"]["selector"]["matchLabels"] == labels
    ]
    assert one["spec"]["replicas"] > 1
    assert 1 in (budget["spec"].get("minAvailable"), budget["spec"].get("maxUnavailable"))


def test_services_and_policies_name_ports_and_labels_of_pods() -> None:
    pods = {one["spec"]["selector"]["matchLabels"]["app.kubernetes.io/name"]: one for one in SETS}
    for service in of_kind("Service"):
        (container,) = pods[service["spec"]["selector"]["app.kubernetes.io/name"]]["spec"][
            "template"
        ]["spec"]["containers"]
        names = {port["name"] for port in container["ports"]}
        assert {port.get("targetPort", port["name"]) for port in service["spec"]["ports"]} <= names
    everybody, *_ = of_kind("NetworkPolicy")
    assert everybody["spec"] == {"podSelector": {}, "policyTypes": ["Ingress"]}


def test_addresses_of_redis_are_good_and_read_what_is_mounted() -> None:
    (shared,) = of_kind("ConfigMap")
    urls = [value for key, value in shared["data"].items() if key.endswith("-redis")]
    assert len(urls) == len(SETS)
    for url in urls:
        Jober(url).close()
        for path in re.findall(r"=(/[^&]+)", url):
            assert Path(path).parent == Path("/etc/jober/redis")
