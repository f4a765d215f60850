"""What can be checked of containers, units and manifests where none of them can be run."""

from __future__ import annotations

import configparser
import re
import shutil
import subprocess
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
import yaml

from embedded.layout import PROJECT
from server.options import Options, variable
from tests import markdown

CONTAINERFILE = (PROJECT / "Containerfile").read_text()
HOW_TO = PROJECT / "docs" / "how-to"
UNITS = sorted((PROJECT / "deployment" / "systemd").glob("*.service"))
ANALYZE = shutil.which("systemd-analyze")
PROGRAMS = {"server", "chalicelib.bootstrap", "chalicelib.migrate", "chalicelib.signing", "embedded.worker"}


def test_every_program_is_there() -> None:
    assert [name for name in PROGRAMS if find_spec(name) is None] == []


def steps(page: str) -> set[str]:
    return {line for block in markdown.blocks(HOW_TO / page, "sh") for line in block.text.splitlines()}


def manifests() -> dict[str, Any]:
    """By kind."""
    text = (PROJECT / "deployment" / "kubernetes" / "keyturn.yaml").read_text()
    return {each["kind"]: each for each in yaml.safe_load_all(text)}


@pytest.mark.parametrize("page", ["run-in-containers.md", "run-a-server.md"])
def test_the_image_is_made_by_the_steps_of_the_pages(page: str) -> None:
    run = re.findall(r"^RUN (.+)$", CONTAINERFILE, re.MULTILINE)
    assert len(run) == 3
    assert set(run) <= steps(page)


def test_the_image_has_what_the_page_copies_and_nothing_else() -> None:
    copied = {
        name for line in re.findall(r"^COPY (?!--)(.+) \S+$", CONTAINERFILE, re.MULTILINE) for name in line.split()
    }
    (by_hand,) = [line for line in steps("run-a-server.md") if line.startswith("cp -r")]
    assert copied == set(by_hand.split()[2:-1])
    allowed = (PROJECT / ".containerignore").read_text().splitlines()
    assert {line[1:] for line in allowed if line.startswith("!")} == copied
    assert all((PROJECT / name).exists() for name in copied)


def test_the_image_does_not_run_as_root() -> None:
    assert re.findall(r"^USER (.+)$", CONTAINERFILE, re.MULTILINE) == ["65532:65532"]


def test_every_service_of_compose_runs_what_there_is() -> None:
    services = yaml.safe_load((PROJECT / "compose.yaml").read_text())["services"]
    assert {"database", "server", "worker"} <= services.keys()
    ours = [service for name, service in services.items() if name not in ("database", "owner")]
    assert {service.get("command", ["server"])[0] for service in ours} <= PROGRAMS
    for service in ours:
        assert (service["read_only"], service["cap_drop"]) == (True, ["ALL"])
        assert "user" not in service
    assert services["server"]["ports"] == ["127.0.0.1:8000:8000"]
    assert _seconds(services["server"]["stop_grace_period"]) > Options().stop_seconds


def test_the_manifests_fit_the_server() -> None:
    found = manifests()
    settings, pod = found["ConfigMap"]["data"], found["Deployment"]["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    options = {variable(name) for name in Options.__dataclass_fields__}
    assert {name for name in settings if name.startswith("KEYTURN_SERVER_")} <= options
    ports = {port["name"]: port["containerPort"] for port in container["ports"]}
    assert ports == {"http": Options().port, "metrics": int(settings["KEYTURN_SERVER_METRICS"].rpartition(":")[2])}
    assert found["Service"]["spec"]["ports"][0]["targetPort"] == "http"
    assert found["Service"]["spec"]["selector"] == found["Deployment"]["spec"]["selector"]["matchLabels"]
    pause = int(container["lifecycle"]["preStop"]["exec"]["command"][1])
    assert pod["terminationGracePeriodSeconds"] > pause + int(settings["KEYTURN_SERVER_STOP_SECONDS"])
    probes = {name: container[name]["httpGet"]["path"] for name in ("livenessProbe", "readinessProbe", "startupProbe")}
    assert probes == {"livenessProbe": "/health", "readinessProbe": "/ready", "startupProbe": "/health"}
    secrets = {container["envFrom"][1]["secretRef"]["name"], pod["volumes"][0]["secret"]["secretName"]}
    made = [re.search(r"secret generic (\S+)", step) for step in steps("run-on-kubernetes.md")]
    assert secrets == {found[1] for found in made if found}
    assert container["securityContext"]["readOnlyRootFilesystem"]
    assert pod["securityContext"]["runAsNonRoot"]


@pytest.mark.parametrize("unit", UNITS, ids=lambda path: path.name)
def test_a_unit_starts_what_there_is(unit: Path) -> None:
    text = unit.read_text()
    started = re.findall(r"^ExecStart(?:Pre)?=/opt/keyturn/venv/bin/python -m (\S+)", text, re.MULTILINE)
    assert len(started) == len(re.findall(r"^ExecStart", text, re.MULTILINE)) > 0
    assert set(started) <= PROGRAMS
    assert "User=keyturn\nDynamicUser=yes\n" in text
    stop = re.search(r"^TimeoutStopSec=(\d+)$", text, re.MULTILINE)
    assert stop is None or int(stop[1]) > Options().stop_seconds


@pytest.mark.parametrize("unit", UNITS, ids=lambda path: path.name)
def test_systemd_takes_a_unit(unit: Path, tmp_path: Path) -> None:
    program = tmp_path / "python"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    copy = tmp_path / unit.name
    copy.write_text(unit.read_text().replace("/opt/keyturn/venv/bin/python", str(program)))
    parser = configparser.ConfigParser(strict=False, interpolation=None)
    parser.read(copy)
    assert parser.sections() == ["Unit", "Service", "Install"]
    if ANALYZE:
        finished = subprocess.run([ANALYZE, "verify", str(copy)], capture_output=True, text=True, check=False)
        said = [line for line in finished.stderr.splitlines() if unit.name in line]
        assert (finished.returncode, said) == (0, []), finished.stderr


def _seconds(text: str) -> int:
    return int(text.removesuffix("s"))
