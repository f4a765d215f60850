"""The conditions of a trust rule: how they are written, and whether they tie a token to somebody.

An issuer signs for all of its users. So one condition at least has to be on a claim that says whose the workload is,
with patterns whose fixed beginning reaches through the owner: `repository: acme/*` does, `repository: a*`,
`ref: refs/heads/main` and `repository_visibility: private` do not. Who started a pipeline (`actor`, `user_login`) and
which reusable workflow it runs (`job_workflow_ref`) does not say whose it is either. Sources: the documentation of
GitHub Actions, GitLab CI, Kubernetes, Google Cloud, Buildkite, HCP Terraform and CircleCI on the claims of their
tokens; RFC 6901 (JSON Pointer).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from chalicelib.core.errors import Invalid
from chalicelib.core.trust_rules import MAX_TEXT

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

MAX_CONDITIONS = 20
MAX_PATTERNS = 20

Path = tuple[str, ...]

# How the values of these claims begin, as far as that says whose they are. A text without `*` is looked at with a `:`
# after it, which ends it as it ends a part of a subject.
_OWNER = r"[^/*]+/"
_EXACT = ""  # only a whole value says anything
_GITHUB_SUBJECT = (
    rf"(repo|repository|workflow_ref):{_OWNER}|(repository_owner|repository_owner_id|repository_id|enterprise):[^:*]+:"
)
_GITLAB_SUBJECT = rf"project_path:{_OWNER}"
_ORGANIZATION_SUBJECT = r"organization:[^:*]+:"
_ANY_SUBJECT = (
    rf"{_GITHUB_SUBJECT}|{_GITLAB_SUBJECT}|{_ORGANIZATION_SUBJECT}"
    r"|system:serviceaccount:[^:*]+:|org/[^/*]+/|arn:aws[a-z-]*:(iam|sts)::[0-9]{12}:"
)

_GITHUB = {
    "sub": _GITHUB_SUBJECT,
    "repository": _OWNER,
    "repository_id": _EXACT,
    "repository_owner": _EXACT,
    "repository_owner_id": _EXACT,
    "workflow_ref": _OWNER,
    "enterprise": _EXACT,
    "enterprise_id": _EXACT,
}
_GITLAB = {
    "sub": _GITLAB_SUBJECT,
    "project_path": _OWNER,
    "project_id": _EXACT,
    "namespace_path": _OWNER,
    "namespace_id": _EXACT,
}
_BUILDKITE = {"sub": _ORGANIZATION_SUBJECT, "organization_slug": _EXACT, "organization_id": _EXACT}
_TERRAFORM = {
    "sub": _ORGANIZATION_SUBJECT,
    **{f"terraform_{part}": _EXACT for part in ("organization_id", "organization_name", "project_id", "workspace_id")},
}
_GOOGLE = {
    "sub": _EXACT,
    "email": _EXACT,
    "hd": _EXACT,
    **{f"/google/compute_engine/{part}": _EXACT for part in ("project_id", "project_number", "instance_id")},
}
_KUBERNETES = {"/kubernetes.io/namespace": _EXACT, "/kubernetes.io/serviceaccount/uid": _EXACT}
WELL_KNOWN: Mapping[str, Mapping[str, str]] = {
    "https://token.actions.githubusercontent.com": _GITHUB,
    "https://gitlab.com": _GITLAB,
    "https://accounts.google.com": _GOOGLE,
    "https://agent.buildkite.com": _BUILDKITE,
    "https://app.terraform.io": _TERRAFORM,
}
# At any other issuer these count in the same way, and a whole value of what is not among the next.
_ELSEWHERE = {**_GITHUB, **_GITLAB, **_BUILDKITE, **_TERRAFORM, **_GOOGLE, **_KUBERNETES, "sub": _ANY_SUBJECT}
_WHOLE_SAYS_IT = frozenset({"namespace_path"})  # a group by itself; a repository or project is below one

# What tokens of different owners have in common, and what whoever writes a pipeline can choose.
_OF_EVERY_ISSUER = {"iss", "aud", "exp", "nbf", "iat", "jti", "typ", "alg", "ver", "azp", "token_use", "scope", "scp"}
_OF_LOGINS = {"nonce", "auth_time", "at_hash", "acr", "amr", "sid", "email_verified"}
_OF_GITHUB = {
    *("ref", "ref_type", "ref_protected", "head_ref", "base_ref", "sha", "event_name", "environment"),
    *("runner_environment", "repository_visibility", "run_id", "run_number", "run_attempt", "check_run_id"),
    *("workflow", "workflow_sha", "job_workflow_ref", "job_workflow_sha", "actor", "actor_id"),
}
_OF_GITLAB = {
    *("ref_path", "environment_protected", "environment_action", "deployment_tier", "runner_id", "pipeline_id"),
    *("pipeline_source", "job_id", "job_source", "project_visibility", "ci_config_ref_uri", "ci_config_sha"),
    *("user_id", "user_login", "user_email", "user_access_level", "user_identities", "groups_direct"),
}
_OF_OTHERS = {
    *("build_number", "build_branch", "build_tag", "build_commit", "build_source", "step_key", "agent_id"),
    *("terraform_run_phase", "kubernetes.io", "google"),
}
SAYS_NOTHING = _OF_EVERY_ISSUER | _OF_LOGINS | _OF_GITHUB | _OF_GITLAB | _OF_OTHERS


def path(name: str) -> Path:
    """The places that a claim's name leads through: itself, or by JSON Pointer. Raises ValueError."""
    if not name.startswith("/"):
        return (name,)
    parts = name[1:].split("/")
    if not all(parts) or re.search(r"~(?![01])", name):
        raise ValueError(name)
    return tuple(part.replace("~1", "/").replace("~0", "~") for part in parts)


def spelled(places: Path) -> str:
    """The one way in which this is written here: by name where that is possible."""
    if len(places) == 1 and not places[0].startswith("/"):
        return places[0]
    return "".join("/" + part.replace("~", "~0").replace("/", "~1") for part in places)


def found(claim: str, claims: Mapping[str, object]) -> object:
    """What the token says there; None if nothing."""
    try:
        places = path(claim)
    except ValueError:  # of a rule that was stored before this was looked at
        return None
    value: object = claims
    for place in places:
        if not isinstance(value, dict):
            return None
        value = value.get(place)
    return value


def is_single(claim: str) -> bool:
    """Whether the claim says whose a token is, and so has one value: a list of several owners is no owner."""
    try:
        return spelled(path(claim)) in _ELSEWHERE
    except ValueError:
        return True


def conditions(
    issuer: str, values: Mapping[str, Sequence[str]], field: str = "conditions"
) -> dict[str, tuple[str, ...]]:
    """Valid conditions for tokens of this issuer, claims spelled as given, each once. Raises Invalid."""
    if len(values) > MAX_CONDITIONS:
        raise Invalid(field, f"may name at most {MAX_CONDITIONS} claims.")
    valid: dict[str, tuple[str, ...]] = {}
    spelled_before: dict[str, str] = {}
    for claim, patterns in values.items():
        where, name = f"{field}.{claim}", _name(claim, field)
        before = spelled_before.setdefault(name, claim)
        if before != claim:
            raise Invalid(where, f"is the same claim as {before}; write its patterns in one list.")
        if not 1 <= len(patterns) <= MAX_PATTERNS:
            raise Invalid(where, f"must have 1 to {MAX_PATTERNS} patterns.")
        if any(not 1 <= len(pattern) <= MAX_TEXT or pattern.count("*") > 10 for pattern in patterns):
            raise Invalid(where, f"patterns must have 1 to {MAX_TEXT} characters, and ten * at most.")
        valid[claim] = tuple(dict.fromkeys(patterns))
    problem = problem_of(issuer, valid)
    if problem:
        raise Invalid(field, problem)
    return valid


def _name(claim: str, field: str) -> str:
    if not 1 <= len(claim) <= MAX_TEXT or not claim.isprintable():
        raise Invalid(field, f"names of claims must have 1 to {MAX_TEXT} printable characters.")
    try:
        return spelled(path(claim))
    except ValueError:
        raise Invalid(field, f"{claim!r} is no JSON Pointer: a part is empty, or a ~ stands alone.") from None


def problem_of(issuer: str, conditions: Mapping[str, Sequence[str]]) -> str | None:
    """Why these conditions would let in what is not the operator's, in a sentence; None if they tie the token to
    somebody."""
    forms = _forms(issuer)
    if any(_identifies(claim, patterns, forms) for claim, patterns in conditions.items()):
        return None
    known = sorted(forms or ("sub", "repository", "project_path", "/kubernetes.io/namespace"))
    return (
        "must tie the token to somebody, since the issuer signs everybody's: name one of "
        f"{', '.join(known)}, of which every pattern is a whole value or, before its first *, reaches past the owner, "
        "such as repo:acme/* or acme/*."
    )


def _forms(issuer: str) -> Mapping[str, str] | None:
    """What counts at a well-known issuer; None for any other."""
    github = "https://token.actions.githubusercontent.com/"  # of an enterprise; or of a server of one's own
    if issuer.startswith(github) or issuer.endswith("/_services/token"):
        return _GITHUB
    return WELL_KNOWN.get(issuer)


def _identifies(claim: str, patterns: Sequence[str], forms: Mapping[str, str] | None) -> bool:
    try:
        places = path(claim)
    except ValueError:
        return False
    name = spelled(places)
    if forms is not None:
        return name in forms and all(_says_whose(pattern, forms[name], name) for pattern in patterns)
    if name in _ELSEWHERE:
        whole = name == "sub"  # of an issuer that is not known: whatever its subjects look like
        return all((whole and "*" not in each) or _says_whose(each, _ELSEWHERE[name], name) for each in patterns)
    return places[0] not in SAYS_NOTHING and not any("*" in pattern for pattern in patterns)


def _says_whose(pattern: str, form: str, name: str) -> bool:
    fixed, star, _ = pattern.partition("*")
    if form == _EXACT or (not star and name in _WHOLE_SAYS_IT):
        return not star
    return re.match(form, fixed if star else f"{fixed}:") is not None
