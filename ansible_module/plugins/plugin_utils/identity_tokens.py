# Copyright: (c) 2026, the Keyturn authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The identity token that a platform gives a job or workload, asked for anew each time.

Sources: GitHub's page "OpenID Connect reference" (the two request variables; Forgejo has the same), GitLab's page
"OpenID Connect (OIDC) authentication using ID tokens" (`id_tokens` of a job), Kubernetes' page "Configure service
accounts for pods" (projected tokens, which the kubelet rotates in place), AWS' API reference of `GetWebIdentityToken`
(regional endpoints only, one minute to one hour).
"""

from __future__ import annotations

import base64
import json
import math
import os
import time
from urllib.parse import quote

from ansible_collections.keyturn.hub.plugins.module_utils.transport import OneByOne, Unreachable

GITHUB_URL = "ACTIONS_ID_TOKEN_REQUEST_URL"
GITHUB_TOKEN = "ACTIONS_ID_TOKEN_REQUEST_TOKEN"
# The names that a GitLab job, or a credential type of AAP, gives to it or its file; the command line has the same.
VARIABLE, FILE_VARIABLE = "KEYTURN_ID_TOKEN", "KEYTURN_ID_TOKEN_FILE"
KUBERNETES_FILE = "/var/run/secrets/keyturn/token"
PLATFORM_SECONDS = 10  # that the platform may take to connect, and again for its answer
AWS_ATTEMPTS = 2
AWS_CALLS = 2  # the credentials of the role, where they come from another one, and its token
AWS_SECONDS = 300  # that AWS' token lives: it is traded at once
LONGEST_TOKEN = 16_384  # characters; what the server reads


class NoIdentity(Exception):
    """There is no identity token; the message says why, and what to do. It never holds a token."""


def identity_token(identity, audience):
    """The platform's token for this audience, as the options in `identity` say. Raises NoIdentity."""
    source = identity["source"]
    token = _SOURCES[source](identity, audience).strip()
    _require_good(token, source, time.time())
    return token


def _from_github(identity, audience):
    address, bearer = os.environ.get(GITHUB_URL), os.environ.get(GITHUB_TOKEN)
    if not address or not bearer:
        raise NoIdentity(
            f"{GITHUB_URL} and {GITHUB_TOKEN} are not set. Give the job 'permissions: id-token: write', and pass both "
            "variables on where the play runs in a container of its own."
        )
    joined = f"{address}{'&' if '?' in address else '?'}audience={quote(audience, safe='')}"
    headers = {"Authorization": f"Bearer {bearer}", "Accept": "application/json"}
    try:
        answer = OneByOne(timeout=PLATFORM_SECONDS).send("GET", joined, None, headers)
        return str(json.loads(answer.body)["value"])
    except Unreachable:
        raise NoIdentity(f"the address in {GITHUB_URL} does not answer.") from None
    except (ValueError, KeyError, TypeError, RecursionError):
        raise NoIdentity(f"the address in {GITHUB_URL} answers without a token ({answer.status}).") from None


def file_of(identity):
    """The path of the file with the token, absolute; None if it is in none, or in the platform's usual place."""
    path, source = identity["file"], identity["source"]
    if not path and (source == "file" or (source == "aap" and not os.environ.get(identity["variable"] or VARIABLE))):
        path = os.environ.get(FILE_VARIABLE)
    return os.path.abspath(path) if path else None


def _from_gitlab(identity, audience):
    name = identity["variable"] or VARIABLE
    hint = f"Add 'id_tokens: {{{name}: {{aud: {audience}}}}}' to the job in .gitlab-ci.yml."
    return _read_variable(name, hint)


def _from_aap(identity, audience):
    if identity["file"]:
        return _read_file(
            identity["file"],
            f"Check identity.file, or {FILE_VARIABLE}, which a credential type sets.",
        )
    name = identity["variable"] or VARIABLE
    hint = f"Let a credential type of your own set it, or {FILE_VARIABLE}, or use a container group and kubernetes."
    return _read_variable(name, hint)


def _from_kubernetes(identity, audience):
    path = identity["file"] or KUBERNETES_FILE
    return _read_file(path, f"Mount a projected service account token there, with the audience {audience}.")


def _from_file(identity, audience):
    return _read_file(identity["file"], f"Check identity.file, or {FILE_VARIABLE}.")


def _from_variable(identity, audience):
    return _read_variable(identity["variable"] or VARIABLE, "Check the option identity.variable.")


def _from_aws(identity, audience):
    try:
        from botocore.config import Config
        from botocore.exceptions import BotoCoreError, ClientError, NoRegionError
        from botocore.session import get_session
    except ImportError:
        raise NoIdentity("botocore is not installed for the Python that runs Ansible.") from None
    try:
        session = get_session()
        session.set_default_client_config(  # also for the role's credentials: botocore's own waits are minutes
            Config(
                connect_timeout=PLATFORM_SECONDS,
                read_timeout=PLATFORM_SECONDS,
                retries={"total_max_attempts": AWS_ATTEMPTS, "mode": "standard"},
            )
        )
        client = session.create_client("sts")
        if not hasattr(client, "get_web_identity_token"):
            raise NoIdentity("the botocore of Ansible's Python does not know GetWebIdentityToken. Update it.")
        told = client.get_web_identity_token(Audience=[audience], SigningAlgorithm="ES384", DurationSeconds=AWS_SECONDS)
        return told["WebIdentityToken"]
    except NoRegionError:
        raise NoIdentity("AWS has no global endpoint for this. Set AWS_REGION.") from None
    except ClientError as refusal:
        code = refusal.response.get("Error", {}).get("Code", "unknown")
        raise NoIdentity(f"AWS refuses it ({code}). {_AWS_HINTS.get(code, '')}".strip()) from None
    except BotoCoreError as error:
        raise NoIdentity(f"AWS cannot be asked ({type(error).__name__}). Check the credentials of the run.") from None


_AWS_HINTS = {
    "AccessDenied": "Allow the role sts:GetWebIdentityToken.",
    "OutboundWebIdentityFederationDisabled": "Enable outbound identity federation in the account.",
    "OutboundWebIdentityFederationDisabledException": "Enable outbound identity federation in the account.",
}


def _read_variable(name, hint):
    token = os.environ.get(name)
    if not token:
        raise NoIdentity(f"the environment variable {name} is not set. {hint}")
    return token


def _read_file(path, hint):
    try:
        with open(path, "rb") as file:
            return file.read(LONGEST_TOKEN + 2).decode("ascii")
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise NoIdentity(f"the file {path} cannot be read: {reason}. {hint}") from None
    except UnicodeDecodeError:
        raise NoIdentity(f"the file {path} holds no identity token. {hint}") from None


def _require_good(token, source, now):
    """Raises NoIdentity for what is no token, or has ended: the server would refuse both in the same words."""
    try:
        ends = json.loads(_decoded(token))["exp"] if len(token) <= LONGEST_TOKEN and token.count(".") == 2 else None
        if isinstance(ends, bool) or not math.isfinite(ends):
            raise ValueError
        late = now - ends
    except (ValueError, KeyError, TypeError, OverflowError, RecursionError):
        raise NoIdentity("what is there is no JSON Web Token.") from None
    if late >= 0:
        renewed = {
            "gitlab": " GitLab gives a job one token, which ends with the job's timeout: set or raise 'timeout'.",
            "aap": " A job of AAP has one token, which ends with the job template's timeout: set or raise it.",
        }.get(source, "")
        raise NoIdentity(f"the token ended {int(late)} seconds ago.{renewed}")


def _decoded(token):
    part = token.split(".")[1]
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))


_SOURCES = {
    "aap": _from_aap,
    "aws": _from_aws,
    "file": _from_file,
    "github": _from_github,
    "gitlab": _from_gitlab,
    "kubernetes": _from_kubernetes,
    "variable": _from_variable,
}
