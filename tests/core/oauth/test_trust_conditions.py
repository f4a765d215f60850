"""Which conditions tie a token to somebody: by examples, and by the tokens of two tenants of one issuer."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from chalicelib.core.common.errors import Invalid
from chalicelib.core.oauth.trust_conditions import conditions, path, problem_of, spelled
from chalicelib.core.oauth.trust_rules import TrustRule, findings

GITHUB = "https://token.actions.githubusercontent.com"
GITLAB = "https://gitlab.com"
CLUSTER = "https://oidc.eks.eu-central-1.amazonaws.com/id/EXAMPLE"
OWN = "https://ci.example.com"
AWS = "https://0a1b2c3d-e4f5.tokens.sts.global.api.aws"
AAP = "https://aap.example.com/o"
CIRCLECI = "https://oidc.circleci.com/org/9f2c"
AZURE = "https://vstoken.dev.azure.com/0ca3ddd9"
BITBUCKET = "https://api.bitbucket.org/2.0/workspaces/acme/pipelines-config/identity/oidc"
ROLE = "arn:aws:iam::123456789012:role"
AAP_JOB = "workload_type:aap_controller_automation_job:organization"
AT_AWS = "/https:~1~1sts.amazonaws.com~1/"
UUID = "{01234567-89ab-cdef-0123-456789abcdef}"

TYING = [
    (GITHUB, {"repository": ["acme/shop"]}),
    (GITHUB, {"repository": ["acme/*"], "ref": ["*"]}),
    (GITHUB, {"/repository_owner": ["acme"]}),
    (GITHUB, {"sub": ["repo:acme/*:environment:production", "repo:acme/shop:*"]}),
    (GITHUB, {"sub": ["repository_owner:acme:*"]}),
    (GITHUB + "/acme-corp", {"repository_id": ["4711"]}),
    (GITLAB, {"project_path": ["acme/*"]}),
    (GITLAB, {"namespace_path": ["acme"]}),
    (GITLAB, {"namespace_path": ["acme/*"]}),
    (GITLAB, {"sub": ["project_path:acme/shop:*"]}),
    ("https://accounts.google.com", {"email": ["ci@acme.iam.gserviceaccount.com"]}),
    ("https://agent.buildkite.com", {"sub": ["organization:acme:pipeline:shop:*"]}),
    (CLUSTER, {"sub": ["system:serviceaccount:ci:*"]}),
    (CLUSTER, {"/kubernetes.io/namespace": ["ci"]}),
    (OWN, {"repository": ["acme/shop"]}),
    (OWN, {"sub": ["whatever it is"]}),
    (OWN, {"team": ["payments"]}),
    (OWN, {"https://acme.example/team": ["payments"]}),
    *((AWS, {"sub": [f"{ROLE}/{name}"]}) for name in ("deploy", "ci/deploy", "ci/*", "service-role/shop", "ci/d*")),
    (AWS, {"sub": ["arn:aws-cn:iam::123456789012:user/jo", "arn:aws:sts::123456789012:assumed-role/deploy/*"]}),
    (AWS, {f"{AT_AWS}lambda_source_function_arn": ["arn:aws:lambda:eu-west-1:123456789012:function:shop"]}),
    (AWS, {f"{AT_AWS}principal_id": [f"{ROLE}/ci/*"], "sub": ["jo@example.com"]}),
    (OWN, {f"{AT_AWS}ec2_source_instance_arn": ["arn:aws:ec2:eu-west-1:123456789012:instance/i-1"]}),
    (AAP, {"sub": [f"{AAP_JOB}:acme:job_template:deploy"]}),
    (AAP, {"sub": [f"{AAP_JOB}:acme:*"]}),
    (AAP, {"aap_controller_job_template_id": ["21"], "aap_controller_launch_type": ["manual", "scheduled"]}),
    (AAP, {"aap_controller_organization_name": ["acme"]}),
    (CIRCLECI, {"sub": ["org/9f2c/project/*"]}),
    (CIRCLECI, {"oidc.circleci.com/project-id": ["4d1"]}),
    ("https://oidc.circleci.com", {"oidc.circleci.com/org-id": ["9f2c"]}),
    (AZURE, {"sub": ["p://acme/shop/*", "sc://acme/shop/keyturn"]}),
    (AZURE, {"prj_id": ["271ef6f7"]}),
    (BITBUCKET, {"sub": [f"{UUID}:*"], "branchName": ["main"]}),
    (BITBUCKET, {"repositoryUuid": [UUID]}),
    ("https://token.actions.acme.ghe.com", {"repository": ["acme/*"]}),
]
TYING_NOTHING = [
    (GITHUB, {}),
    (GITHUB, {"repository": ["*"]}),
    (GITHUB, {"repository": ["**"]}),
    (GITHUB, {"repository": ["acme/shop", "*"]}),
    (GITHUB, {"repository": ["*/shop"]}),
    (GITHUB, {"repository": ["a*"]}),
    (GITHUB, {"repository": ["acme*"]}),
    (GITHUB, {"repository_owner": ["acme*"]}),
    (GITHUB, {"sub": ["repo:*"]}),
    (GITHUB, {"sub": ["repo:acme*"]}),
    (GITHUB, {"sub": ["r*"]}),
    (GITHUB, {"sub": ["repository_owner:acme*"]}),
    (GITHUB, {"sub": ["environment:production"]}),
    (GITHUB, {"ref": ["refs/heads/main"], "repository_visibility": ["private"], "event_name": ["push"]}),
    (GITHUB, {"job_workflow_ref": ["acme/shared/.github/workflows/x.yml@refs/heads/main"]}),
    (GITHUB, {"actor": ["jo"]}),
    (GITHUB, {"made_up": ["x"]}),
    (GITHUB, {"iss": [GITHUB]}),
    (GITHUB, {"/iss": ["h*"]}),
    (GITHUB, {"/aud/0": ["keyturn"]}),
    (GITHUB, {"/sub": ["*"]}),
    (GITLAB, {"project_path": ["ac*"]}),
    (GITLAB, {"namespace_path": ["acme*"]}),
    (GITLAB, {"ref_protected": ["true"], "user_login": ["jo"]}),
    (CLUSTER, {"sub": ["system:serviceaccount:*"]}),
    (CLUSTER, {"sub": ["system:serviceaccount:ci*"]}),
    (CLUSTER, {"/kubernetes.io/serviceaccount/name": ["default"]}),
    (CLUSTER, {"/kubernetes.io/namespace": ["c*"]}),
    (OWN, {"sub": ["x*"]}),
    (OWN, {"team": ["payments*"]}),
    *((AWS, {"sub": [f"{ROLE}{name}"]}) for name in ("*", "/*", "/deploy*", "/service-role/*", "/aws-reserved/*")),
    (AWS, {"sub": ["arn:aws:iam::*:role/deploy"]}),
    (AWS, {"sub": ["jo@example.com"], "subject_mode": ["OriginIdentity"]}),  # whoever asks has chosen it
    (OWN, {f"{AT_AWS}principal_id": [f"{ROLE}/*"]}),
    (AWS, {"sub": ["arn:aws:iam::123456789012:*"]}),
    (AWS, {"sub": ["arn:aws:sts::123456789012:assumed-role/dep*"]}),
    (OWN, {"sub": [f"{ROLE}/*"]}),
    *(
        (issuer, {f"{AT_AWS}{claim}": ["x"]})
        for issuer in (AWS, OWN)  # in another partition the issuer looks differently
        for claim in (
            *("aws_account", "org_id", "ou_path", "source_identity", "source_region", "federated_provider"),
            *("request_tags/team", "principal_tags/team", "ec2_instance_source_vpc"),
        )
    ),
    (AAP, {"sub": [f"{AAP_JOB}:*"]}),
    (AAP, {"sub": [f"{AAP_JOB}:acme*"]}),
    (AAP, {"aap_controller_organization_name": ["acme*"]}),
    *(
        (AAP, {f"aap_controller_{claim}": ["x"]})
        for claim in (
            *("job_template_name", "project_id", "project_name", "inventory_id", "launched_by_name", "launch_type"),
            *("playbook_name", "job_name", "instance_group_name", "execution_environment_id", "made_up_later"),
        )
    ),
    (CIRCLECI, {"sub": ["org/*"]}),
    *((CIRCLECI, {f"oidc.circleci.com/{claim}": ["x"]}) for claim in ("context-ids", "vcs-ref", "vcs-origin")),
    (AZURE, {"sub": ["p://*/shop"]}),
    *((issuer, {claim: ["x"]}) for issuer in (AZURE, OWN) for claim in ("def_id", "rpo_ref", "rpo_id", "rpo_uri")),
    *((BITBUCKET, {claim: ["main"]}) for claim in ("branchName", "pipelineUuid", "deploymentEnvironmentUuid")),
    ("https://token.actions.acme.ghe.com", {"repository_visibility": ["private"], "made_up": ["x"]}),
    *((OWN, {claim: ["x"]}) for claim in ("typ", "azp", "token_use", "runner_environment", "ref_type", "scope")),
]


@pytest.mark.parametrize(("issuer", "values"), TYING)
def test_a_whole_owner_ties_a_token_to_somebody(issuer: str, values: dict[str, list[str]]) -> None:
    assert conditions(issuer, values)


@pytest.mark.parametrize(("issuer", "values"), TYING_NOTHING)
def test_what_everybody_matches_is_refused(issuer: str, values: dict[str, list[str]]) -> None:
    with pytest.raises(Invalid, match="conditions: must identify whose token it is"):
        conditions(issuer, values)


@pytest.mark.parametrize("name", ["/", "//sub", "/sub/", "/a~b", "/a~2b", "/~", ""])
def test_a_pointer_that_is_none_is_refused(name: str) -> None:
    with pytest.raises(Invalid, match="conditions"):
        conditions(GITHUB, {name: ["x"], "repository": ["acme/shop"]})


def test_a_claim_is_the_same_however_it_is_spelled() -> None:
    assert conditions(GITHUB, {"/repository": ["acme/shop"]}) == {"/repository": ("acme/shop",)}
    assert spelled(path("/~1a~0b")) == "/~1a~0b"
    with pytest.raises(Invalid, match="is the same claim as sub"):
        conditions(GITHUB, {"sub": ["repo:acme/shop:*"], "/sub": ["*"]})


def github(owner: str, rest: dict[str, str]) -> dict[str, Any]:
    repository = f"{owner}/{rest['name']}"
    return {
        "iss": GITHUB,
        "sub": f"repo:{repository}:ref:{rest['ref']}",
        "repository": repository,
        "repository_owner": owner,
        "repository_id": f"1{owner}",
        "repository_owner_id": f"2{owner}",
        "repository_visibility": "private",
        "ref": rest["ref"],
        "ref_type": "branch",
        "event_name": "push",
        "actor": rest["person"],
        "runner_environment": "github-hosted",
        "workflow_ref": f"{repository}/.github/workflows/ci.yml@{rest['ref']}",
        "job_workflow_ref": "shared/flows/.github/workflows/ci.yml@refs/heads/main",
    }


def gitlab(owner: str, rest: dict[str, str]) -> dict[str, Any]:
    project = f"{owner}/{rest['name']}"
    return {
        "iss": GITLAB,
        "sub": f"project_path:{project}:ref_type:branch:ref:{rest['ref']}",
        "project_path": project,
        "project_id": f"1{owner}",
        "namespace_path": owner,
        "namespace_id": f"2{owner}",
        "user_login": rest["person"],
        "groups_direct": [rest["person"]],
        "ref": rest["ref"],
        "ref_protected": "true",
        "pipeline_source": "push",
        "project_visibility": "public",
    }


def kubernetes(owner: str, rest: dict[str, str]) -> dict[str, Any]:
    account = {"name": rest["name"], "uid": f"1{owner}"}
    inner = {"namespace": owner, "serviceaccount": account, "node": {"name": "n1"}}
    return {"iss": CLUSTER, "sub": f"system:serviceaccount:{owner}:{rest['name']}", "kubernetes.io": inner}


def aws(owner: str, rest: dict[str, str]) -> dict[str, Any]:
    """Two teams of one account, each with a path of roles; anybody tags a session, and a request, as they like."""
    said = {"team": rest["person"]}
    inner = {"aws_account": "123456789012", "org_id": "o-1", "principal_tags": said, "request_tags": said}
    function = f"arn:aws:lambda:eu-west-1:123456789012:function:{owner}/{rest['name']}"
    inner |= {"lambda_source_function_arn": function, "source_identity": rest["person"]}
    return {"iss": AWS, "sub": f"{ROLE}/{owner}/{rest['name']}", "https://sts.amazonaws.com/": inner}


def aap(owner: str, rest: dict[str, str]) -> dict[str, Any]:
    return {
        "iss": AAP,
        "sub": f"{AAP_JOB}:{owner}:job_template:{rest['name']}",
        "aap_controller_organization_name": owner,
        "aap_controller_organization_id": f"1{owner}",
        "aap_controller_job_template_name": rest["name"],
        "aap_controller_job_template_id": f"2{owner}",
        "aap_controller_project_name": rest["name"],
        "aap_controller_project_id": "17",
        "aap_controller_launched_by_name": rest["person"],
        "aap_controller_launch_type": "manual",
    }


def circleci(owner: str, rest: dict[str, str]) -> dict[str, Any]:
    return {
        "iss": "https://oidc.circleci.com",
        "sub": f"org/{owner}/project/{rest['name']}/user/{rest['person']}",
        "oidc.circleci.com/org-id": owner,
        "oidc.circleci.com/project-id": f"1{owner}",
        "oidc.circleci.com/context-ids": [rest["person"]],
        "oidc.circleci.com/vcs-ref": rest["ref"],
    }


def azure(owner: str, rest: dict[str, str]) -> dict[str, Any]:
    ids = {"org_id": f"1{owner}", "prj_id": f"2{owner}", "def_id": "1", "rpo_ref": rest["ref"], "rpo_id": rest["name"]}
    return {"iss": AZURE, "sub": f"p://{owner}/{rest['name']}/ci", **ids}


PLATFORMS = st.sampled_from([github, gitlab, kubernetes, aws, aap, circleci, azure])
OWNERS = st.text(alphabet="abc-", min_size=1, max_size=4)
REST = st.fixed_dictionaries(
    {
        "name": st.sampled_from(["shop", "web"]),
        "ref": st.sampled_from(["refs/heads/main", "refs/tags/v1"]),
        "person": st.sampled_from(["jo", "al"]),
    }
)


def every_claim(claims: dict[str, Any], above: str = "") -> dict[str, str]:
    """The texts in these claims, by pointer."""
    found: dict[str, str] = {}
    for name, value in claims.items():
        place = f"{above}/{name}"
        if isinstance(value, dict):
            found.update(every_claim(value, place))
        else:
            found[place] = value[0] if isinstance(value, list) else value
    return found


@st.composite
def patterns_of(draw: st.DrawFn, text: str) -> str:
    """The text, or its beginning or end or both with stars for the rest."""
    begin, end = sorted(draw(st.tuples(st.integers(0, len(text)), st.integers(0, len(text)))))
    head, tail = text[:begin], draw(st.sampled_from(["", text[end:]]))
    return draw(st.sampled_from([text, f"{head}*", f"{head}*{tail}", f"{head}**", "*"]))


@given(platform=PLATFORMS, owner=OWNERS, other=OWNERS, mine=REST, theirs=REST, data=st.data())
def test_no_rule_matches_the_tokens_of_two_tenants(
    platform: Any, owner: str, other: str, mine: dict[str, str], theirs: dict[str, str], data: st.DataObject
) -> None:
    assume(owner != other)
    ours, others = platform(owner, mine), platform(other, theirs)
    texts = every_claim(ours)
    chosen = data.draw(st.lists(st.sampled_from(sorted(texts)), min_size=1, max_size=3, unique=True))
    said: dict[str, list[str]] = {}
    for claim in chosen:
        name = claim if data.draw(st.booleans()) or claim.count("/") > 1 else claim[1:]
        said[name] = data.draw(st.lists(patterns_of(texts[claim]), min_size=1, max_size=2))
    try:
        valid = conditions(ours["iss"], said)
    except Invalid:
        return
    assert not (matches(ours, valid) and matches(others, valid))


@given(claim=st.sampled_from(["sub", "/sub", "iss", "/iss", "/aud/0", "repository", "x"]), stars=st.integers(1, 9))
def test_no_spelling_of_anything_says_something(claim: str, stars: int) -> None:
    for issuer in (GITHUB, GITLAB, CLUSTER, OWN):
        with pytest.raises(Invalid):
            conditions(issuer, {claim: ["*" * stars]})


def test_a_rule_that_was_stored_when_less_was_asked_is_not_honoured() -> None:
    token = {**github("acme", {"name": "shop", "ref": "refs/heads/main", "person": "jo"}), "aud": "k", "exp": 100}
    wide = TrustRule("r", "u", "name", GITHUB, "k", {"event_name": ("push",)}, ("s",), "a", "A", 0)
    (found,) = [finding for finding in findings(wide, token, 0) if not finding.passed]
    assert found.check == "rule"
    assert "must identify whose token it is" in found.detail
    assert wide.problem == problem_of(GITHUB, wide.conditions)


@pytest.mark.parametrize(
    ("issuer", "values", "claims"),
    [
        (AWS, {"sub": [f"{ROLE}/deploy"]}, {"sub": [f"{ROLE}/other", f"{ROLE}/deploy"]}),
        (AWS, {"sub": [f"{ROLE}/deploy"]}, {"sub": "arn:aws:iam::210987654321:role/deploy"}),
        (AWS, {"sub": [f"{ROLE}/ci/*"]}, {"sub": f"{ROLE}/other/ci/deploy"}),
        (AAP, {"aap_controller_organization_id": ["1"]}, {"aap_controller_organization_id": ["2", "1"]}),
        (AAP, {"aap_controller_organization_id": ["1"]}, {"aap_controller_organization_id": True}),
        (AAP, {"sub": [f"{AAP_JOB}:acme:*"]}, {"sub": f"{AAP_JOB}:evil:job_template:organization:acme:x"}),
        (CIRCLECI, {"oidc.circleci.com/project-id": ["1"]}, {"oidc.circleci.com/project-id": ["2", "1"]}),
        (AZURE, {"prj_id": ["1"]}, {"prj_id": ["1"]}),
    ],
)
def test_who_owns_several_things_or_calls_them_alike_is_not_let_in(
    issuer: str, values: dict[str, list[str]], claims: dict[str, Any]
) -> None:
    assert not matches({"iss": issuer, **claims}, conditions(issuer, values))


def test_the_refusal_says_what_counts_at_that_issuer() -> None:
    assert f"{AT_AWS}principal_id, sub. Each pattern" in str(problem_of(AWS, {}))
    assert f"such as sub: {ROLE}/deploy or" in str(problem_of(AWS, {}))


def matches(claims: dict[str, Any], valid: dict[str, tuple[str, ...]]) -> bool:
    rule = TrustRule("r", "u", "name", claims["iss"], "k", valid, ("s",), "a", "A", 0)
    return all(finding.passed for finding in findings(rule, {**claims, "aud": "k", "exp": 100}, 0))
