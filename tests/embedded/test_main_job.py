"""What a run that was killed in the middle leaves behind is mended by the next."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from embedded.api import Api
from embedded.main_job import CHECKED, JobFailed, check_token, declare_bots, register_services
from embedded.stack import ADMINISTRATOR, Stack
from tests.conftest import NewStack


@pytest.fixture
def stack(new_stack: NewStack) -> Iterator[Stack]:
    with new_stack("stack") as stack:
        yield stack


def test_secrets_that_were_not_kept_are_made_anew(stack: Stack) -> None:
    api = stack.administrator()
    register_services(stack, api)
    assert declare_bots(stack, api) == 3
    for lost in (CHECKED, "service-ci", ADMINISTRATOR):
        (stack.secrets.folder / lost).unlink()

    api = stack.administrator()
    register_services(stack, api)
    assert declare_bots(stack, api) == 2  # the token and its hand-over
    check_token(stack)


def test_a_password_that_was_not_kept_is_made_anew(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    stack.administrator()
    run = Stack._run

    def killed(self: Stack, *command: str) -> str:
        run(self, *command)
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Stack, "_run", killed)
        with pytest.raises(KeyboardInterrupt):
            stack.new_password()
    password = stack.new_password()
    assert Api(stack.url, "").call("POST", "/login", {"login": "admin", "password": password}).status_code == 200
    assert stack.new_password() is None


def test_a_job_that_fails_says_where(stack: Stack) -> None:
    api = stack.administrator()
    register_services(stack, api)
    stack.secrets.write(CHECKED, "no token")
    with pytest.raises(JobFailed, match="does not accept"):
        check_token(stack)
    stack.secrets.write(ADMINISTRATOR, "wrong")
    with pytest.raises(JobFailed, match="did not finish"):
        declare_bots(stack, api)


def test_secrets_are_for_their_owner_alone(stack: Stack) -> None:
    stack.administrator()
    assert stack.secrets.folder.stat().st_mode & 0o777 == 0o700
    for folder in ("secrets", "server"):
        for path in (stack.folder / folder).iterdir():
            assert path.stat().st_mode & 0o777 == 0o600
