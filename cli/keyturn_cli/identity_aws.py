"""The identity token of an AWS principal: STS signs one for the role or user whose credentials are here.

botocore asks for it where it is installed (`keyturn-cli[aws]`), the program `aws` elsewhere. Source: the API reference
of STS on GetWebIdentityToken, which is not there at the global endpoint, and IAM's page "Getting started with outbound
identity federation".
"""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
from typing import TYPE_CHECKING

from keyturn_cli.errors import ExitCode, Problem
from keyturn_cli.patience import NoTimeLeft

if TYPE_CHECKING:
    from collections.abc import Callable

    from keyturn_cli.patience import Patience

ALGORITHM = "ES384"
SECONDS = 300  # it is traded at once
REGIONS = ("AWS_REGION", "AWS_DEFAULT_REGION")
LONGEST_REASON = 300
_REGIONAL = ("sts_regional_endpoints", "regional")
_DISABLED = "OutboundWebIdentityFederationDisabled"
# Any of these says that what runs here is meant to act at AWS.
_SIGNS = (
    *("AWS_ROLE_ARN", "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "AWS_CONTAINER_CREDENTIALS_FULL_URI"),
    *("AWS_LAMBDA_FUNCTION_NAME", "AWS_ACCESS_KEY_ID", "AWS_PROFILE"),
)


def is_there() -> bool:
    """Whether the environment names credentials. An instance's role leaves no sign: there, it has to be said."""
    return any(os.environ.get(name) for name in _SIGNS)


def token(audience: str, patience: Patience) -> str:
    """Raises Problem, which says how to set it up."""
    if importlib.util.find_spec("botocore"):
        return _waited(lambda: _by_library(audience), patience)
    if program := shutil.which("aws"):
        return _by_program(program, audience, patience)
    raise Problem("--source aws needs botocore (pip install 'keyturn-cli[aws]'), or the program aws.")


def _waited(ask: Callable[[], str], patience: Patience) -> str:
    try:
        return patience.within("AWS STS to answer", ask)
    except NoTimeLeft:
        raise _late() from None


def _by_library(audience: str) -> str:
    import botocore.exceptions
    import botocore.session

    try:
        session = botocore.session.get_session()
        region = os.environ.get("AWS_REGION") or session.get_config_variable("region")
        if not region:
            raise _without_region()  # botocore would ask the global endpoint
        session.set_config_variable(*_REGIONAL)
        client = session.create_client("sts", region_name=region)
        ask = getattr(client, "get_web_identity_token", None)
        if ask is None:
            raise Problem("This botocore does not know GetWebIdentityToken yet. Install 1.41.0 or later.")
        answer = ask(Audience=[audience], SigningAlgorithm=ALGORITHM, DurationSeconds=SECONDS)
        return str(answer["WebIdentityToken"])
    except botocore.exceptions.NoCredentialsError:
        raise Problem("There are no credentials of AWS here: no role, no variables, no profile.") from None
    except botocore.exceptions.ClientError as error:
        raise _refused(error.response.get("Error", {}).get("Code", ""), str(error)) from None
    except botocore.exceptions.BotoCoreError as error:
        raise Problem(f"AWS STS does not answer ({type(error).__name__}).", ExitCode.UNREACHABLE) from None


def _by_program(program: str, audience: str, patience: Patience) -> str:
    options = {"audience": audience, "signing-algorithm": ALGORITHM, "duration-seconds": str(SECONDS)}
    options |= {"query": "WebIdentityToken", "output": "text"}
    arguments = [part for name, value in options.items() for part in (f"--{name}", value)]
    command = [program, "sts", "get-web-identity-token", *arguments]
    try:
        done = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=patience.left(),
            check=False,
            env={**os.environ, f"AWS_{_REGIONAL[0].upper()}": _REGIONAL[1]},
        )
    except subprocess.TimeoutExpired:
        raise _late() from None
    if done.returncode == 0 and done.stdout.strip():
        return done.stdout.strip()
    if "specify a region" in done.stderr:
        raise _without_region()
    raise _refused(done.stderr, " ".join(done.stderr.split()) or f"the program aws ended with {done.returncode}")


def _refused(code: str, reason: str) -> Problem:
    if _DISABLED in code:
        return Problem(
            "This AWS account gives out no identity tokens yet. Run: aws iam enable-outbound-web-identity-federation"
        )
    return Problem(
        f"AWS gave no identity token; the principal needs sts:GetWebIdentityToken. AWS says: {reason[:LONGEST_REASON]}"
    )


def _without_region() -> Problem:
    return Problem(f"AWS STS has these tokens in its regions only. Set {' or '.join(REGIONS)}.")


def _late() -> Problem:
    return Problem("AWS STS did not answer in time (--timeout).", ExitCode.UNREACHABLE)
