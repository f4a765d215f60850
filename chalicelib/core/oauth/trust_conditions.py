"""The conditions of a trust rule: how they are written, and whether they tie a token to somebody.

An issuer signs for all of its users. So one condition at least has to be on a claim that says whose the workload is,
with patterns whose fixed beginning reaches through the owner: `repository: acme/*` does, `repository: a*`,
`ref: refs/heads/main` and `repository_visibility: private` do not. Who started a pipeline (`actor`, `user_login`) and
which reusable workflow it runs (`job_workflow_ref`) does not say whose it is either. An issuer of one AWS account or
one Ansible Automation Platform still signs for all of its roles or organizations; tags are whatever the caller says.
Sources: the documentation of GitHub Actions, GitLab CI, Kubernetes, Google Cloud, Buildkite, HCP Terraform, CircleCI,
Azure DevOps, Bitbucket Pipelines, AWS STS (GetWebIdentityToken) and Ansible Automation Platform 2.7 on the claims of
their tokens; RFC 6901 (JSON Pointer).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from chalicelib.core.common.errors import Invalid

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

MAX_CONDITIONS = 20
MAX_PATTERNS = 20
MAX_CONDITION_TEXT = 500  # characters of a claim's name, or of a pattern

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
# The role, or a path of roles that the account's administrators made: AWS itself puts roles of all kinds below these.
_AWS_PATH = r"(?!(service-role|aws-service-role|aws-reserved)/)[^/:*]+/"
_AWS_SUBJECT = (
    rf"arn:aws[a-z-]*:iam::[0-9]{{12}}:((role|user)/({_AWS_PATH}|[^:*]+:)|root:)"
    r"|arn:aws[a-z-]*:sts::[0-9]{12}:(assumed-role|federated-user)/[^/:*]+[/:]"
)
_AAP_SUBJECT = r"workload_type:[^:*]+:organization:[^:*]+:"
_CIRCLECI_SUBJECT = r"org/[^/*]+/"
_AZURE_SUBJECT = rf"(p|sc)://{_OWNER}"  # a pipeline, or a service connection
_BITBUCKET_SUBJECT = r"\{[0-9a-f-]{36}\}:"  # the repository, before the environment and the step
_ANY_SUBJECT = "|".join(
    (
        *(_GITHUB_SUBJECT, _GITLAB_SUBJECT, _ORGANIZATION_SUBJECT, r"system:serviceaccount:[^:*]+:"),
        *(_AWS_SUBJECT, _AAP_SUBJECT, _CIRCLECI_SUBJECT, _AZURE_SUBJECT, _BITBUCKET_SUBJECT),
    )
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
# Who asks may have `sub` name whom they act for (SubjectMode), which never looks like a role; `principal_id` stays.
_AWS = {
    "sub": _AWS_SUBJECT,
    "/https:~1~1sts.amazonaws.com~1/principal_id": _AWS_SUBJECT,
    "/https:~1~1sts.amazonaws.com~1/lambda_source_function_arn": _EXACT,
    "/https:~1~1sts.amazonaws.com~1/ec2_source_instance_arn": _EXACT,
}
_AAP = {
    f"aap_{part}": _EXACT
    for part in (
        *("controller_organization_id", "controller_organization_name", "controller_job_template_id"),
        *("controller_unified_job_template_id", "eda_organization_id", "eda_organization_name"),
    )
}
_CIRCLECI = {
    "sub": _CIRCLECI_SUBJECT,
    "oidc.circleci.com/org-id": _EXACT,
    "oidc.circleci.com/project-id": _EXACT,
}
_AZURE = {"sub": _AZURE_SUBJECT, "org_id": _EXACT, "prj_id": _EXACT}
_BITBUCKET = {"sub": _BITBUCKET_SUBJECT, "repositoryUuid": _EXACT, "workspaceUuid": _EXACT}
WELL_KNOWN: Mapping[str, Mapping[str, str]] = {
    "https://token.actions.githubusercontent.com": _GITHUB,
    "https://gitlab.com": _GITLAB,
    "https://accounts.google.com": _GOOGLE,
    "https://agent.buildkite.com": _BUILDKITE,
    "https://app.terraform.io": _TERRAFORM,
    "https://oidc.circleci.com": _CIRCLECI,
}
# Issuers of one customer each, and what counts there.
_OF_ONE_CUSTOMER: Sequence[tuple[str, Mapping[str, str]]] = (
    (r"https://token\.actions\.githubusercontent\.com/.+", _GITHUB),  # an enterprise
    (r".+/_services/token", _GITHUB),  # a server of one's own
    (r"https://token\.actions\.[a-z0-9-]+\.ghe\.com", _GITHUB),
    (r"https://[^/]+\.tokens\.sts\.global\.api\.aws", _AWS),
    (r"https://oidc\.circleci\.com/org/.+", _CIRCLECI),
    (r"https://vstoken\.dev\.azure\.com/.+", _AZURE),
    (r"https://api\.bitbucket\.org/2\.0/workspaces/.+", _BITBUCKET),
)
_EXAMPLES = {
    _AWS_SUBJECT: "sub: arn:aws:iam::123456789012:role/deploy or …:role/ci/*",
    _CIRCLECI_SUBJECT: "sub: org/<organization's id>/project/<project's id>/*",
    _AZURE_SUBJECT: "sub: p://acme/shop/*",
    _BITBUCKET_SUBJECT: "sub: {<repository's id>}:*",
}
# At any other issuer these count in the same way, and a whole value of what is not among the next.
_ELSEWHERE = {
    **{**_GITHUB, **_GITLAB, **_BUILDKITE, **_TERRAFORM, **_GOOGLE, **_KUBERNETES, **_AWS, **_AAP, **_CIRCLECI},
    **{**_AZURE, **_BITBUCKET, "sub": _ANY_SUBJECT},
}
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
    *("terraform_run_phase", "kubernetes.io", "google", "branch", "branchName", "pipelineUuid", "stepUuid"),
    *("deploymentEnvironmentUuid", "def_id", "rpo_id", "rpo_uri", "rpo_ver", "rpo_ref", "tid", "idtyp", "idp"),
    "subject_mode",
}
SAYS_NOTHING = _OF_EVERY_ISSUER | _OF_LOGINS | _OF_GITHUB | _OF_GITLAB | _OF_OTHERS
# Claims that begin so say nothing, but for those that are named above: which playbook, inventory or instance a job has,
# who launched it, what a tag says. Templates and projects have the same names in several organizations.
_NAMESPACES = ("aap_", "oidc.circleci.com/", "https://sts.amazonaws.com/")


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
        if any(not 1 <= len(pattern) <= MAX_CONDITION_TEXT or pattern.count("*") > 10 for pattern in patterns):
            raise Invalid(where, f"patterns must have 1 to {MAX_CONDITION_TEXT} characters, and ten * at most.")
        valid[claim] = tuple(dict.fromkeys(patterns))
    problem = problem_of(issuer, valid)
    if problem:
        raise Invalid(field, problem)
    return valid


def _name(claim: str, field: str) -> str:
    if not 1 <= len(claim) <= MAX_CONDITION_TEXT or not claim.isprintable():
        raise Invalid(field, f"names of claims must have 1 to {MAX_CONDITION_TEXT} printable characters.")
    try:
        return spelled(path(claim))
    except ValueError:
        raise Invalid(field, f"{claim!r} is not a JSON Pointer: a part is empty, or a ~ is not escaped.") from None


def problem_of(issuer: str, conditions: Mapping[str, Sequence[str]]) -> str | None:
    """Why these conditions would let in what is not the operator's, in a sentence; None if they tie the token to
    somebody."""
    forms = _forms(issuer)
    if any(_identifies(claim, patterns, forms) for claim, patterns in conditions.items()):
        return None
    known = sorted(forms or ("sub", "repository", "project_path", "/kubernetes.io/namespace"))
    return (
        "must identify whose token it is, because the issuer signs tokens for everybody: name one of "
        f"{', '.join(known)}. Each pattern must be an exact value, or go beyond the owner before its first *, "
        f"such as {_EXAMPLES.get((forms or {}).get('sub', ''), 'repo:acme/* or acme/*')}."
    )


def _forms(issuer: str) -> Mapping[str, str] | None:
    """What counts at a well-known issuer; None for any other."""
    if issuer in WELL_KNOWN:
        return WELL_KNOWN[issuer]
    return next((forms for form, forms in _OF_ONE_CUSTOMER if re.fullmatch(form, issuer)), None)


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
    if places[0] in SAYS_NOTHING or places[0].startswith(_NAMESPACES):
        return False
    return not any("*" in pattern for pattern in patterns)


def _says_whose(pattern: str, form: str, name: str) -> bool:
    fixed, star, _ = pattern.partition("*")
    if form == _EXACT or (not star and name in _WHOLE_SAYS_IT):
        return not star
    return re.match(form, fixed if star else f"{fixed}:") is not None
