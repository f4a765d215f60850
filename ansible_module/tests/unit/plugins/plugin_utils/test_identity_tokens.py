# Copyright: (c) 2026, the Keyturn authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where identity tokens come from, and what is said where there is none."""

from __future__ import annotations

import re
import sys
from types import ModuleType, SimpleNamespace

import pytest
from ansible_collections.keyturn.hub.plugins.plugin_utils.identity_tokens import NoIdentity, identity_token

AUDIENCE = "https://tokens.example.com"


def got(source, file=None, variable=None):
    return identity_token({"source": source, "file": file, "variable": variable}, AUDIENCE)


def problem(source, **options):
    with pytest.raises(NoIdentity) as refused:
        got(source, **options)
    return str(refused.value)


@pytest.fixture
def github(server, monkeypatch):
    monkeypatch.setenv("ACTIONS_ID_TOKEN_REQUEST_URL", server.url + "/token?api-version=2.0")
    monkeypatch.setenv("ACTIONS_ID_TOKEN_REQUEST_TOKEN", "request-token")
    return server


def test_github_makes_one_for_the_audience(github, jwt):
    token = jwt()
    github.answers["/token"] = lambda _form: (200, {"value": token})
    assert got("github") == token
    path, headers, _form = github.asked[0]
    assert path == "/token?api-version=2.0&audience=https%3A%2F%2Ftokens.example.com"
    assert headers["Authorization"] == "Bearer request-token"


def test_what_github_does_not_give_is_said_without_its_token(github, monkeypatch):
    github.answers["/token"] = lambda _form: (403, {"message": "request-token"})
    assert problem("github") == "the address in ACTIONS_ID_TOKEN_REQUEST_URL answers without a token (403)."
    monkeypatch.setenv("ACTIONS_ID_TOKEN_REQUEST_URL", "http://127.0.0.1:1/")
    assert problem("github") == "the address in ACTIONS_ID_TOKEN_REQUEST_URL does not answer."
    monkeypatch.delenv("ACTIONS_ID_TOKEN_REQUEST_TOKEN")
    assert "'permissions: id-token: write'" in problem("github")


@pytest.mark.parametrize("source", ["gitlab", "aap", "variable"])
def test_a_variable_is_read_each_time(source, monkeypatch, jwt):
    for name in ("first", "second"):
        monkeypatch.setenv("KEYTURN_ID_TOKEN", jwt(name=name) + "\n")
        assert got(source, variable="KEYTURN_ID_TOKEN") == jwt(name=name)
    monkeypatch.delenv("KEYTURN_ID_TOKEN")
    assert "the environment variable KEYTURN_ID_TOKEN is not set." in problem(source, variable="KEYTURN_ID_TOKEN")


@pytest.mark.parametrize("source", ["kubernetes", "aap", "file"])
def test_a_file_is_read_each_time_since_it_is_rotated_in_place(source, tmp_path, jwt):
    path = tmp_path / "token"
    for name in ("first", "second"):
        path.write_text(jwt(name=name) + "\n")
        assert got(source, file=str(path)) == jwt(name=name)
    path.unlink()
    assert f"the file {path} cannot be read: No such file or directory." in problem(source, file=str(path))


def test_the_usual_places_are_known(monkeypatch):
    monkeypatch.delenv("KEYTURN_ID_TOKEN", raising=False)
    assert "add 'id_tokens: {keyturn_id_token: {aud: https://tokens.example.com}}'" in problem("gitlab").lower()
    assert "/var/run/secrets/keyturn/token" in problem("kubernetes")


@pytest.mark.parametrize("text", ["", "no token", "a.b.c", "a.e30.c", "\0", "a.W10.c", "x" * 20_000, "ä.b.c"])
def test_what_is_no_token_is_not_sent(text, tmp_path):
    (tmp_path / "token").write_text(text, encoding="utf-8")
    said = problem("file", file=str(tmp_path / "token"))
    assert "no JSON Web Token" in said or "holds no identity token" in said
    assert not text or text not in said


@pytest.mark.parametrize("ends", [float("-inf"), float("inf"), float("nan"), 10**400, True, "soon", [1], None])
def test_one_that_ends_at_no_time_is_not_sent(ends, monkeypatch, jwt):
    monkeypatch.setenv("KEYTURN_ID_TOKEN", jwt(exp=ends))
    assert problem("gitlab") == "what is there is no JSON Web Token."


def test_one_that_has_ended_is_not_sent_and_what_to_do_is_said(monkeypatch, jwt):
    monkeypatch.setenv("KEYTURN_ID_TOKEN", jwt(seconds=-40))
    assert re.search("the token ended [0-9]+ seconds ago", problem("gitlab"))
    assert "set or raise 'timeout'" in problem("gitlab")
    assert "job template's timeout" in problem("aap")


class Refused(Exception):
    def __init__(self, code):
        super().__init__()
        self.response = {"Error": {"Code": code}}


@pytest.fixture
def aws(monkeypatch):
    """botocore, as far as it is used: its client answers with what `answer` does."""
    names = ("NoRegionError", "BotoCoreError")
    exceptions = SimpleNamespace(**{name: type(name, (Exception,), {}) for name in names}, ClientError=Refused)
    said = SimpleNamespace(client=SimpleNamespace(), exceptions=exceptions, asked={}, config={})

    def create_client(name):
        assert name == "sts"
        return said.client

    made = SimpleNamespace(create_client=create_client, set_default_client_config=said.config.update)
    session, config = SimpleNamespace(get_session=lambda: made), SimpleNamespace(Config=dict)
    modules = {"botocore": ModuleType("botocore"), "session": session, "exceptions": exceptions, "config": config}
    for name, module in modules.items():
        monkeypatch.setitem(sys.modules, name if name == "botocore" else f"botocore.{name}", module)
    return said


def test_aws_makes_one_for_the_audience(aws, jwt):
    token = jwt()
    aws.client.get_web_identity_token = lambda **asked: aws.asked.update(asked) or {"WebIdentityToken": token}
    assert got("aws") == token
    assert aws.asked == {"Audience": [AUDIENCE], "SigningAlgorithm": "ES384", "DurationSeconds": 300}
    assert (aws.config["connect_timeout"], aws.config["read_timeout"]) == (10, 10)
    assert aws.config["retries"] == {"total_max_attempts": 2, "mode": "standard"}


def test_what_aws_does_not_give_is_said(aws, monkeypatch):
    assert problem("aws") == "the botocore of Ansible's Python does not know GetWebIdentityToken. Update it."

    def refuse(error):
        def ask(**_asked):
            raise error

        aws.client.get_web_identity_token = ask

    refuse(Refused("AccessDenied"))
    assert problem("aws") == "AWS refuses it (AccessDenied). Allow the role sts:GetWebIdentityToken."
    refuse(Refused("Throttling"))
    assert problem("aws") == "AWS refuses it (Throttling)."
    refuse(aws.exceptions.NoRegionError())
    assert "Set AWS_REGION." in problem("aws")
    refuse(aws.exceptions.BotoCoreError())
    assert "AWS cannot be asked (BotoCoreError)." in problem("aws")
    monkeypatch.setitem(sys.modules, "botocore.session", None)
    assert problem("aws") == "botocore is not installed for the Python that runs Ansible."
