"""When a secret is good, under everything that can be said of a token: against a model of a few lines.

The real operations on the real database, each step at a time of its own; then every secret that ever was is asked
about at moments around every end.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field, replace

from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib.core.access.caller import Caller
from chalicelib.core.access.token_policy import Consequence, Policy
from chalicelib.core.common.time import DAY_MS
from chalicelib.core.secrets.previous_secrets import MAX_PREVIOUS
from chalicelib.core.tokens.manage import OwnedToken
from tests.conftest import Scene

_names = itertools.count()
days = st.integers(1, 6)


@dataclass
class Secret:
    text: str
    made: int
    until: int | None = None  # of one that was superseded


@dataclass
class Model:
    """What the documentation says, and nothing else."""

    secrets: list[Secret]
    last_used: int
    expires: int | None = None
    policy: Policy | None = None
    deleted: bool = False
    forgotten: list[Secret] = field(default_factory=list)

    def is_good(self, secret: Secret, at: int) -> bool:
        current = self.secrets[-1]
        if self.deleted or secret in self.forgotten:
            return False
        if secret.until is not None and at >= secret.until:
            return False
        if self.expires is not None and at >= self.expires:
            return False
        policy = self.policy
        if policy and policy.longest_life_days:
            life = policy.longest_life_days * DAY_MS
            if at >= secret.made + life or at >= current.made + life:
                return False
        if policy and policy.unused_days and policy.unused is Consequence.DISABLE:
            return at < max(current.made, self.last_used) + policy.unused_days * DAY_MS
        return True


step = st.one_of(
    st.tuples(st.just("rotate"), st.sampled_from([0, DAY_MS // 2, DAY_MS, 3 * DAY_MS])),
    st.tuples(st.just("expires"), st.one_of(st.none(), days)),
    st.tuples(
        st.just("policy"),
        st.one_of(
            st.none(),
            st.builds(
                Policy,
                longest_life_days=st.one_of(st.none(), days),
                unused_days=st.one_of(st.none(), days),
                unused=st.sampled_from([Consequence.FLAG, Consequence.DISABLE]),
            ),
        ),
    ),
    st.tuples(st.just("use"), st.just(None)),
    st.tuples(st.just("delete"), st.just(None)),
)


class Run:
    """The same steps in the product and in the model."""

    def __init__(self, scene: Scene) -> None:
        self.scene = scene
        self.by = scene.caller()
        self.clock = self.by.now
        self.made: OwnedToken = scene.product.permanent_tokens.create(
            self.caller, scene.bot.id, f"modelled {next(_names)}", ["ci"]
        )
        self.model = Model([Secret(self.made.secret or "", self.clock)], 0)
        self.last_noted: int | None = None

    @property
    def caller(self) -> Caller:
        return replace(self.by, now=self.clock)

    def ask(self, secret: Secret, at: int) -> bool:
        return self.scene.product.introspection.introspect("ci", self.scene.ci.secret, secret.text, at) is not None

    def take(self, what: str, value: object) -> None:
        tokens, bot, id = self.scene.product.permanent_tokens, self.scene.bot.id, self.made.token.id
        if what == "policy":
            assert value is None or isinstance(value, Policy)
            self.scene.product.lifecycle.policies.set_for_service(self.caller, "ci", value)
            self.model.policy = value
        elif self.model.deleted:
            return
        elif what == "delete":
            tokens.delete(self.caller, bot, id)
            self.model.deleted = True
        elif what == "expires":
            end = None if value is None else self.clock + int(str(value)) * DAY_MS
            life = self.model.policy.longest_life_days if self.model.policy else None
            if end and life and end > self.model.secrets[-1].made + life * DAY_MS:
                return  # which is refused, and shown elsewhere
            tokens.update(self.caller, bot, id, None, None, end)
            self.model.expires = end
        elif what == "rotate":
            self.rotate(int(str(value)))
        elif self.ask(self.model.secrets[-1], self.clock):
            self.model.last_used = self.clock

    def rotate(self, grace: int) -> None:
        valid_secrets = [each for each in self.model.secrets[:-1] if each.until is not None and self.clock < each.until]
        if grace and len(valid_secrets) >= MAX_PREVIOUS:
            return
        made = self.scene.product.rotation.rotate(self.caller, self.scene.bot.id, self.made.token.id, grace)
        self.model.secrets[-1].until = self.clock + grace
        if not grace:
            self.model.forgotten += self.model.secrets
        self.model.secrets.append(Secret(made.secret or "", self.clock))


@settings(max_examples=60)
@given(steps=st.lists(st.tuples(st.integers(1, 2 * DAY_MS), step), max_size=7), later=st.integers(0, 8 * DAY_MS))
def test_a_secret_is_good_exactly_when_the_model_says_so(
    scene: Scene, steps: list[tuple[int, tuple[str, object]]], later: int
) -> None:
    run = Run(scene)
    scene.product.lifecycle.policies.set_for_service(run.caller, "ci", None)
    for pause, (what, value) in steps:
        run.clock += pause
        run.take(what, value)
    moments = {run.clock, run.clock + later}
    for secret in run.model.secrets:
        for end in (secret.until, run.model.expires, *(secret.made + day * DAY_MS for day in range(1, 7))):
            if end is not None and end > run.clock:
                moments |= {end - 1, end}
    for at in sorted(moments):
        for secret in run.model.secrets:
            expected = run.model.is_good(secret, at)
            assert run.ask(secret, at) is expected, (secret.made, secret.until, at)
            if expected:
                run.model.last_used = max(run.model.last_used, recorded(run.model.last_used, at))


def recorded(before: int, at: int) -> int:
    """A use is noted once in a window."""
    return at if at - before >= 300_000 else before
