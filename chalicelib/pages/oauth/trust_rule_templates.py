"""What the form of a trust rule begins with, for each platform whose tokens are known.

What has to be replaced stands in angle brackets, which no issuer, owner or role has: a form that still has some makes
no rule. Sources: as of `core/oauth/trust_conditions.py`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


_OPEN = re.compile(r"<[^<>]*>")


def left_open(text: str) -> str | None:
    """What of a template is not replaced yet, the first of it; None if all is."""
    found = _OPEN.search(text)
    return found[0] if found else None


@dataclass(frozen=True, slots=True)
class Template:
    """`hint` says where its values are found."""

    platform: str
    issuer: str
    conditions: str
    hint: str


TEMPLATES: Mapping[str, Template] = {
    "github": Template(
        "GitHub Actions",
        "https://token.actions.githubusercontent.com",
        "repository: <owner>/<repository>\nref: refs/heads/main",
        "The job needs the permission id-token: write.",
    ),
    "gitlab": Template(
        "GitLab CI",
        "https://gitlab.com",
        "project_path: <group>/<project>\nref_protected: true",
        "The issuer is the URL of your GitLab. The job declares its token under id_tokens.",
    ),
    "kubernetes": Template(
        "Kubernetes",
        "https://<issuer of the cluster>",
        "sub: system:serviceaccount:<namespace>:<service account>",
        "kubectl get --raw /.well-known/openid-configuration shows the issuer, kubectl get --raw /openid/v1/jwks the "
        "keys. Enter the keys if Keyturn cannot fetch them.",
    ),
    "aws": Template(
        "AWS",
        "https://<id>.tokens.sts.global.api.aws",
        "sub: arn:aws:iam::<account>:role/<role>",
        "aws iam get-outbound-web-identity-federation-info shows the account's issuer. Match the role: the caller "
        "chooses the tags.",
    ),
    "aap": Template(
        "Ansible Automation Platform",
        "https://<gateway>/o",
        "aap_controller_organization_id: <organization's id>\naap_controller_job_template_id: <job template's id>",
        "Use ids: names of job templates are not unique across organizations, and projects may be shared.",
    ),
    "circleci": Template(
        "CircleCI",
        "https://oidc.circleci.com/org/<organization's id>",
        "oidc.circleci.com/project-id: <project's id>\noidc.circleci.com/vcs-ref: refs/heads/main",
        "The audience of CIRCLE_OIDC_TOKEN_V2 is the organization's id.",
    ),
    "azure": Template(
        "Azure DevOps",
        "https://vstoken.dev.azure.com/<organization's id>",
        "sub: p://<organization>/<project>/<pipeline>",
        "The audience is always api://AzureADTokenExchange: whoever gets such a token for Azure can present it here.",
    ),
    "buildkite": Template(
        "Buildkite",
        "https://agent.buildkite.com",
        "organization_slug: <organization>\npipeline_slug: <pipeline>\nbuild_branch: main",
        "Request the token by buildkite-agent oidc request-token --audience.",
    ),
    "google": Template(
        "Google Cloud",
        "https://accounts.google.com",
        "email: <service account>@<project>.iam.gserviceaccount.com\nemail_verified: true",
        "Request the token from the metadata server, with format=full.",
    ),
}
