# Copyright: (c) 2026, the Keyturn authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Secrets are recognised by their form."""

from __future__ import annotations

import pytest
from ansible_collections.keyturn.hub.plugins.module_utils import token_format

# Made by a server, long ended.
REAL = "ktp_D9jSt4jeTjL94NDvvIwko44KlrgxEBDJPIa5jy3BKZXAAfKWgGT0cOWUjYDu6Qsbszi4UaoQe"  # pragma: allowlist secret


def test_a_token_is_recognised():
    assert token_format.kind(REAL) == "permanent token"


@pytest.mark.parametrize("text", ["", None, 7, REAL[:-1], REAL + "a", REAL[:-1] + "0", "ktx" + REAL[3:], " " + REAL])
def test_anything_else_is_not(text):
    assert token_format.kind(text) is None


def test_they_are_found_in_a_text_and_mistyped_ones_are_not():
    assert token_format.secrets_in(f"a {REAL}, {REAL[:-1]}0;{REAL}") == [REAL, REAL]
    assert token_format.secrets_in(f"x{REAL} {REAL}y") == []


def test_kinds_of_newer_servers_are_found_too():
    whole = token_format._whole("ktx" + REAL[3:71])
    assert token_format.kind(whole) == token_format.NEWER
    assert token_format.secrets_in(f"a {whole}") == [whole]


def test_a_token_is_put_together_from_secret_and_ids():
    user, token, secret = REAL[4:16], REAL[16:28], REAL[28:71]
    assert token_format.permanent_token(secret, user, token) == REAL


def test_a_services_secret_is_put_together_from_secret_and_id():
    whole = token_format.service_secret(REAL[28:71], REAL[4:16])
    assert token_format.kind(whole) == "service secret"
    assert whole.startswith("kts_" + REAL[4:16] + REAL[28:71])


def test_new_secrets_have_the_form_and_differ():
    made = {token_format.new_secret() for _number in range(100)}
    assert len(made) == 100
    assert all(len(secret) == 43 and secret.isalnum() for secret in made)
