"""The identity token that the platform gives a pipeline, by which no secret need be stored at all.

Sources: GitHub's page "OpenID Connect reference" (request variables), GitLab's page "ID tokens" (`id_tokens` of a
job), Kubernetes' page "Configure service accounts" (projected tokens).
"""

from __future__ import annotations

import functools
import json
import os
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

import urllib3

from keyturn_cli.errors import ExitCode, Problem
from keyturn_cli.files import read_secret
from keyturn_cli.patience import NoTimeLeft

if TYPE_CHECKING:
    from keyturn_cli.patience import Patience

GITLAB = "KEYTURN_ID_TOKEN"  # the name that a GitLab job gives to it
KUBERNETES = Path("/var/run/secrets/keyturn/token")
LONGEST_SECONDS = 10
JWT_BEARER = "urn:ietf:params:oauth:grant-type:jwt-bearer"


def identity_token(audience: str, file: Path | None, patience: Patience) -> str:
    """The platform's token for this audience: from the file, or wherever the platform has it. Raises Problem."""
    if file:
        found = read_secret(file)
        if found is None:
            raise Problem(f"{file} holds no identity token.")
        return found
    if "ACTIONS_ID_TOKEN_REQUEST_URL" in os.environ:
        return _from_github(audience, patience)
    found = os.environ.get(GITLAB) or read_secret(KUBERNETES)
    if found is None:
        raise Problem(
            f"There is no identity token here: no GitHub Actions (permissions: id-token: write), no {GITLAB}, no "
            f"{KUBERNETES}. Name one with --assertion-file."
        )
    return found


def _from_github(audience: str, patience: Patience) -> str:
    url = f"{os.environ['ACTIONS_ID_TOKEN_REQUEST_URL']}&audience={quote(audience, safe='')}"
    headers = {"Authorization": f"Bearer {os.environ.get('ACTIONS_ID_TOKEN_REQUEST_TOKEN', '')}"}
    try:
        ask = functools.partial(urllib3.request, "GET", url, headers=headers, timeout=LONGEST_SECONDS, redirect=False)
        return str(json.loads(patience.within("GitHub Actions to answer", ask).data)["value"])
    except NoTimeLeft:
        raise Problem("GitHub Actions did not answer in time (--timeout).", ExitCode.UNREACHABLE) from None
    except (urllib3.exceptions.HTTPError, ValueError, KeyError, TypeError):
        raise Problem("GitHub Actions did not give an identity token.", ExitCode.UNREACHABLE) from None
