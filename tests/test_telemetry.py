"""What is told of a request: enough to follow it, metrics that CloudWatch knows, and no secret."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from chalicelib.telemetry import METRICS
from embedded.layout import PROJECT
from tests.conftest import Scene
from tests.rest.calling import Client, introspect, send

RESOURCES = (PROJECT / ".chalice" / "resources.json").read_text()


def logged(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def test_a_verification_names_service_account_and_token(scene: Scene, capsys: pytest.CaptureFixture[str]) -> None:
    introspect("ci", scene.ci.secret, scene.token.secret or "")
    (line,) = logged(capsys)
    assert line["route"] == "/api/rest/oauth2/introspect"
    assert (line["service"], line["account"]) == (scene.ci.service.id, scene.bot.id)
    assert line["credential"] == scene.token.token.id
    assert line["Verifications"] == 1
    assert line["VerificationTime"] == line["RequestTime"] > 0
    assert line["Installation"] == scene.product.settings.table.name


def test_a_token_that_is_not_good_is_named_too(scene: Scene, capsys: pytest.CaptureFixture[str]) -> None:
    introspect("deploy", scene.deploy.secret, scene.token.secret or "")
    (line,) = logged(capsys)
    assert (line["RefusedVerifications"], line["credential"]) == (1, scene.token.token.id)


def test_a_call_names_who_called_and_the_route_but_nothing_that_was_sent(
    scene: Scene, capsys: pytest.CaptureFixture[str]
) -> None:
    secret = scene.administrator.secret or ""
    made = Client(secret).post(f"/users/{scene.bot.id}/permanenttokens", {"name": "x", "scope": [{"key": "ci"}]}).json
    send("GET", f"/api/rest/users/{secret}", {"authorization": f"Bearer {secret}"})
    output = capsys.readouterr().out
    created, looked_up = map(json.loads, output.splitlines())
    assert (created["account"], created["credential"]) == (scene.administrator.owner.id, scene.administrator.token.id)
    assert looked_up["route"] == "/api/rest/users/{user}"
    assert secret not in output
    assert made["token"] not in output


@pytest.mark.usefixtures("scene")
def test_what_did_not_succeed_is_counted(capsys: pytest.CaptureFixture[str]) -> None:
    send("GET", "/api/rest/users/me", {"authorization": "Bearer nothing"})
    (line,) = logged(capsys)
    assert (line["status"], line["Unauthenticated"]) == (401, 1)


def test_cloudwatch_learns_every_metric_of_a_line(scene: Scene, capsys: pytest.CaptureFixture[str]) -> None:
    """As its "Specification: Embedded metric format" demands."""
    introspect("ci", scene.ci.secret, scene.token.secret or "")
    (line,) = logged(capsys)
    (directive,) = line["_aws"]["CloudWatchMetrics"]
    names = {each["Name"] for each in directive["Metrics"]}
    assert names == METRICS.keys() & line.keys()
    assert all(isinstance(line[name], int | float) for name in names)
    assert all(dimension in line for (dimension,) in directive["Dimensions"])
    assert line["_aws"]["Timestamp"] > 1_700_000_000_000


def test_alarms_and_dashboard_show_metrics_that_are_told() -> None:
    charts = set(re.findall(r'"Keyturn",\s*"(?!MetricName)(\w+)"', RESOURCES))
    alarms = set(re.findall(r'"Namespace": "Keyturn",\s*"MetricName": "(\w+)"', RESOURCES))
    assert charts == METRICS.keys()
    assert alarms <= METRICS.keys()
    assert len(alarms) >= 4
