# Copyright: (c) 2026, the Keyturn authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a task, or the environment, says of an identity; the command line has the same names for it."""

from __future__ import annotations

import os

import pytest
from ansible_collections.keyturn.hub.plugins.plugin_utils.identity_options import checked_identity, login_of
from ansible_collections.keyturn.hub.plugins.plugin_utils.session import NoSession

URL = "https://tokens.example.com"


@pytest.fixture(autouse=True)
def environment(monkeypatch):
    """One that says nothing, and can be made to."""
    for name in list(os.environ):
        if name.startswith("KEYTURN_"):
            monkeypatch.delenv(name)
    return monkeypatch


def problem(**given):
    with pytest.raises(NoSession) as refused:
        checked_identity(given)
    return str(refused.value)


def test_the_environment_says_it_all_by_the_names_of_the_command_line(environment):
    assert login_of({"url": URL}) is None
    environment.setenv("KEYTURN_AS", "bot")
    with pytest.raises(NoSession, match=r"source is missing\. Set it, or KEYTURN_IDENTITY_SOURCE\."):
        login_of({"url": URL})
    environment.setenv("KEYTURN_IDENTITY_SOURCE", "github")
    environment.setenv("KEYTURN_AUDIENCE", "keyturn")
    _options, identity = login_of({"url": URL})
    said = {"source": "github", "account": "bot", "audience": "keyturn", "file": None, "variable": None}
    assert identity == said
    assert login_of({"url": URL, "token": "a-token"}) is None
    environment.setenv("KEYTURN_TOKEN", "a-token")
    with pytest.raises(NoSession, match="KEYTURN_TOKEN and KEYTURN_AS are both set"):
        login_of({"url": URL})


def test_a_source_alone_does_not_make_a_task_act_by_an_identity(environment):
    """It is also what `keyturn federate` reads, beside which plays may have a token."""
    environment.setenv("KEYTURN_IDENTITY_SOURCE", "github")
    environment.setenv("KEYTURN_TOKEN", "a-token")
    assert login_of({"url": URL}) is None
    assert problem(source="github") == "account is missing. Set it, or KEYTURN_AS."


def test_a_file_is_named_by_the_option_or_else_by_the_environment_and_known_from_anywhere(environment, tmp_path):
    assert problem(source="file", account="bot") == "file is missing. Set it, or KEYTURN_ID_TOKEN_FILE."
    environment.chdir(tmp_path)
    environment.setenv("KEYTURN_ID_TOKEN_FILE", "injected")
    given = {"source": "file", "account": "bot"}
    assert checked_identity(given)["file"] == str(tmp_path / "injected")
    assert checked_identity(dict(given, file="/named"))["file"] == "/named"
    assert checked_identity(dict(given, source="kubernetes"))["file"] is None


def test_automation_platform_has_it_where_its_credential_put_it(environment):
    environment.setenv("KEYTURN_ID_TOKEN_FILE", "/injected")
    given = {"source": "aap", "account": "bot"}
    assert checked_identity(given)["file"] == "/injected"
    assert checked_identity(dict(given, file="/named"))["file"] == "/named"
    environment.setenv("KEYTURN_ID_TOKEN", "a-token")
    assert checked_identity(given)["file"] is None
    assert checked_identity(dict(given, variable="NOT_SET"))["file"] == "/injected"


def test_every_suboption_that_means_nothing_is_named():
    assert problem(source="aws", account="bot", file="/x", variable="X") == (
        "file and variable mean nothing for the source aws."
    )
    assert problem(source="github", account="bot", variable="X") == "variable means nothing for the source github."
    assert problem(source="aap", account="bot", file="/x", variable="X") == "file and variable cannot both be given."


def test_files_of_the_connection_are_known_from_anywhere(environment, tmp_path):
    """The agent works in another folder than the play."""
    environment.chdir(tmp_path)
    files = {"ca_path": "ca.pem", "client_cert": "own.pem", "client_key": "own.key"}
    options, _identity = login_of({"url": URL, "identity": {"source": "github", "account": "bot"}, **files})
    assert {name: options[name] for name in files} == {name: str(tmp_path / file) for name, file in files.items()}
