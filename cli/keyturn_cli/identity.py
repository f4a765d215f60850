"""Where a pipeline's identity token comes from, by which no secret need be stored at all.

Sources: GitHub's page "OpenID Connect reference" (request variables), GitLab's page "ID tokens" (`id_tokens` of a
job), Kubernetes' page "Configure service accounts" (projected tokens), Ansible Automation Platform 2.7, "Claims for
workload identity" and "Custom credential types" (injectors).
"""

from __future__ import annotations

import functools
import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

import urllib3

from keyturn_cli import identity_aws
from keyturn_cli.errors import ExitCode, Problem
from keyturn_cli.files import read_secret
from keyturn_cli.patience import NoTimeLeft

if TYPE_CHECKING:
    from collections.abc import Callable

    from keyturn_cli.patience import Patience

VARIABLE = "KEYTURN_ID_TOKEN"
FILE_VARIABLE = "KEYTURN_ID_TOKEN_FILE"
SOURCE_VARIABLE, AUDIENCE_VARIABLE = "KEYTURN_IDENTITY_SOURCE", "KEYTURN_AUDIENCE"
GITHUB_URL, GITHUB_TOKEN = "ACTIONS_ID_TOKEN_REQUEST_URL", "ACTIONS_ID_TOKEN_REQUEST_TOKEN"
KUBERNETES = Path("/var/run/secrets/keyturn/token")
LONGEST_SECONDS = 10
AUTO = "auto"


@dataclass(frozen=True)
class Source:
    """Which source, and what it needs to know: for whom the token is to be (`audience`), the `file` or the `variable`
    that was named, if one was."""

    name: str = AUTO
    audience: str = ""
    file: Path | None = None
    variable: str | None = None

    def __post_init__(self) -> None:
        """Raises Problem: what was named has to be what this source reads."""
        if self.file and self.variable:
            raise Problem("Name --assertion-file or --assertion-variable, not both.", ExitCode.USAGE)
        if self.file and self.name not in (AUTO, "file", "kubernetes", "aap"):
            raise Problem(f"--source {self.name} reads no file. Leave --assertion-file out.", ExitCode.USAGE)
        if self.variable and self.name not in (AUTO, "variable", "gitlab", "aap"):
            raise Problem(f"--source {self.name} reads no variable. Leave --assertion-variable out.", ExitCode.USAGE)
        if self.name == "file" and not (self.file or os.environ.get(FILE_VARIABLE)):
            raise Problem(f"--source file needs --assertion-file, or {FILE_VARIABLE}.", ExitCode.USAGE)

    @classmethod
    def from_environment(cls, audience: str) -> Source:
        """As variables name it; for `audience` unless another is named. Raises Problem."""
        name = os.environ.get(SOURCE_VARIABLE) or AUTO
        if name not in NAMES:
            raise Problem(f"{SOURCE_VARIABLE} must be one of {', '.join(NAMES)}.", ExitCode.USAGE)
        return cls(name, os.environ.get(AUDIENCE_VARIABLE) or audience)

    def found(self) -> str:
        """The name of the source that is there, in the order that the documentation states. Raises Problem."""
        if self.name != AUTO:
            return self.name
        if self.file:
            return "file"
        if self.variable:
            return "variable"
        there = (name for name, is_there in _IS_THERE.items() if is_there())
        name = next(there, None)
        if name is None:
            raise Problem(
                f"There is no identity token here: no {VARIABLE}, no {FILE_VARIABLE}, no GitHub Actions, no "
                f"{KUBERNETES}, no credentials of AWS in the environment. Say where it is with --source, "
                "--assertion-file or --assertion-variable."
            )
        return name

    def token(self, patience: Patience) -> str:
        """The platform's token of now, asked for anew. Raises Problem, which says how to set the source up."""
        found = _READ[self.found()](self, patience)
        if found is None:
            told = _NOT_THERE[self.found()].format(place=self._place(), audience=self.audience)
            raise Problem(told)
        return found

    def _place(self) -> str:
        if self.found() == "kubernetes":
            return str(self.file or KUBERNETES)
        if self.found() == "file":
            return str(self.file or os.environ.get(FILE_VARIABLE))
        return str(self.file or self.variable or VARIABLE)


def _file(source: Source, patience: Patience) -> str | None:
    named = os.environ.get(FILE_VARIABLE)
    file = source.file or (Path(named) if named else None)
    return read_secret(file) if file else None


def _variable(source: Source, patience: Patience) -> str | None:
    return os.environ.get(source.variable or VARIABLE, "").strip() or None


def _aap(source: Source, patience: Patience) -> str | None:
    if source.file:
        return _file(source, patience)
    return _variable(source, patience) or _file(source, patience)


def _kubernetes(source: Source, patience: Patience) -> str | None:
    return read_secret(source.file or KUBERNETES)


def _github(source: Source, patience: Patience) -> str | None:
    if not (os.environ.get(GITHUB_URL) and os.environ.get(GITHUB_TOKEN)):
        return None
    url = os.environ[GITHUB_URL]
    url = f"{url}{'&' if '?' in url else '?'}audience={quote(source.audience, safe='')}"
    headers = {"Authorization": f"Bearer {os.environ[GITHUB_TOKEN]}"}
    ask = functools.partial(urllib3.request, "GET", url, headers=headers, timeout=LONGEST_SECONDS, redirect=False)
    try:
        answer = patience.within("GitHub Actions to answer", ask)
        return str(json.loads(answer.data)["value"])
    except NoTimeLeft:
        raise Problem("GitHub Actions did not answer in time (--timeout).", ExitCode.UNREACHABLE) from None
    except (urllib3.exceptions.HTTPError, ValueError, KeyError, TypeError):
        raise Problem("GitHub Actions did not give an identity token.", ExitCode.UNREACHABLE) from None


def _aws(source: Source, patience: Patience) -> str | None:
    return identity_aws.token(source.audience, patience)


_READ: dict[str, Callable[[Source, Patience], str | None]] = {
    "github": _github,
    "gitlab": _variable,
    "kubernetes": _kubernetes,
    "aws": _aws,
    "aap": _aap,
    "file": _file,
    "variable": _variable,
}
NAMES = (AUTO, *_READ)
# What the operator has set goes before what the platform has; what AWS has, last: its variables have other uses too.
_IS_THERE: dict[str, Callable[[], bool]] = {
    "variable": lambda: bool(os.environ.get(VARIABLE)),
    "file": lambda: bool(os.environ.get(FILE_VARIABLE)),
    "github": lambda: GITHUB_URL in os.environ,
    "kubernetes": lambda: KUBERNETES.exists(),
    "aws": identity_aws.is_there,
}
_NOT_THERE = {
    "github": f"{GITHUB_URL} and {GITHUB_TOKEN} are not set. Give the job the permission id-token: write.",
    "gitlab": "The variable {place} is not set. Declare it in the job, under id_tokens, with aud: {audience}.",
    "kubernetes": "There is no token in {place}. Mount one by a projected volume (serviceAccountToken, with audience: "
    f"{{audience}}) at {KUBERNETES}, or name its file with --assertion-file.",
    "aap": f"{{place}} holds no identity token. Attach a credential that puts the job's into {VARIABLE}, or into a "
    f"file that {FILE_VARIABLE} names.",
    "file": "{place} holds no identity token.",
    "variable": "The variable {place} is not set, or empty.",
}
