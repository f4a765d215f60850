"""A person, a web application, a program without secrets, and a service that is protected."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import pytest

from chalicelib.core.directory.grant_types import GrantType
from chalicelib.core.directory.groups import GroupDescription
from chalicelib.core.directory.service_descriptions import ServiceDescription
from chalicelib.core.directory.services import RegisteredService
from tests.conftest import Install, NewStack, Scene, set_scene
from tests.oauth.calling import Browser, Pkce, authorization_path, call, sent_back, token_request
from tests.oauth.issuer import Issuer
from tests.oauth.running import Running
from tests.people import Person, person
from tests.rest.calling import Answer, basic

CALLBACK = "https://app.example.com/callback"
EVERY_WAY = tuple(GrantType)


@dataclass
class Stage:
    """What a flow needs. `web` is a confidential client, `program` a public one, `api` what is protected."""

    scene: Scene
    person: Person
    web: RegisteredService
    program: RegisteredService
    api: RegisteredService
    readers: str

    @property
    def client(self) -> tuple[str, str]:
        """The web application's id and secret."""
        return self.web.service.id, self.web.secret

    def request(self, pkce: Pkce, **changes: Any) -> str:
        """A good authorization request of the web application, or with changes (None leaves one out)."""
        parameters = {
            "response_type": "code",
            "client_id": self.web.service.id,
            "redirect_uri": CALLBACK,
            "scope": "api",
            "state": "a state",
            "code_challenge": pkce.challenge,
            "code_challenge_method": "S256",
            "access_type": "offline",
            **changes,
        }
        return authorization_path(**{name: value for name, value in parameters.items() if value is not None})

    def browser(self) -> Browser:
        """A browser in which the person is logged in."""
        opened = self.person.attempt()
        return Browser(f"__Host-keyturn={opened.secret}")

    def code(self, pkce: Pkce, browser: Browser | None = None, **changes: Any) -> str:
        """A code, with the person's consent where it is asked for."""
        browser = browser or self.browser()
        answer = browser.get(self.request(pkce, **changes))
        if answer.status == 200:
            answer = browser.submit(answer, decision="approve")
        return sent_back(answer)["code"]

    def redeem(self, code: str, pkce: Pkce, **changes: Any) -> Answer:
        """The web application redeems a code."""
        form = {"code": code, "redirect_uri": CALLBACK, "code_verifier": pkce.verifier, **changes}
        return token_request(self.client, grant_type="authorization_code", **form)

    def connect(self, **changes: Any) -> dict[str, Any]:
        """What the web application gets of a whole flow."""
        pkce = Pkce()
        answer = self.redeem(self.code(pkce, **changes), pkce)
        assert answer.status == 200, answer.text
        tokens: dict[str, Any] = answer.json
        return tokens

    def refresh(self, token: str, **form: Any) -> Answer:
        return token_request(self.client, grant_type="refresh_token", refresh_token=token, **form)

    def introspect(self, token: str, service: RegisteredService | None = None) -> dict[str, Any]:
        """What the protected service, or another one, is told of a token."""
        asking = service or self.api
        headers = {"authorization": basic(asking.service.id, asking.secret)}
        described: dict[str, Any] = call("POST", "/api/rest/oauth2/introspect", headers, {"token": token}).json
        return described

    def is_active(self, token: str) -> bool:
        active: bool = self.introspect(token)["active"]
        return active


@pytest.fixture(scope="module")
def module_stage(install: Install) -> Iterator[Stage]:
    """One installation for all tests of a module."""
    with pytest.MonkeyPatch.context() as monkeypatch:
        for product in install(monkeypatch):
            yield set_stage(set_scene(product))


@pytest.fixture
def stage(module_stage: Stage) -> Stage:
    """The installation, with a person of this test's own, who has approved nothing yet."""
    return replace(module_stage, person=new_person(module_stage))


_numbers = itertools.count(1)


def new_person(stage: Stage) -> Person:
    """Another person who may see the protected service."""
    someone = person(stage.scene, f"jo-{next(_numbers)}")
    stage.scene.product.groups.add_member(stage.scene.caller(), stage.readers, someone.user.id)
    return someone


def set_stage(scene: Scene) -> Stage:
    """Make the stage's things."""

    def register(key: str, **more: Any) -> RegisteredService:
        return scene.product.services.register(scene.caller(), ServiceDescription(key=key, name=key.title(), **more))

    readers = scene.product.groups.create(scene.caller(), GroupDescription("Readers")).id
    return Stage(
        scene,
        person(scene),
        register("web", redirect_uris=[CALLBACK], grant_types=EVERY_WAY),
        register("program", redirect_uris=["http://127.0.0.1/callback"], grant_types=EVERY_WAY, public=True),
        register("api", groups=[readers]),
        readers,
    )


@pytest.fixture(scope="session")
def running(new_stack: NewStack, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A real server over HTTP, for clients that we did not write."""
    with Issuer(tmp_path_factory.mktemp("issuer")) as outside, pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.setenv("SSL_CERT_FILE", str(outside.certificate))
        monkeypatch.setenv("KEYTURN_INTERNAL_ISSUERS", outside.url)
        with new_stack("stack") as stack:
            yield Running(stack, stack.page, outside).prepare()
