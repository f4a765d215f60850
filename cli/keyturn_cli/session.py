"""What all commands share."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from keyturn_cli import logins
from keyturn_cli.api import Api
from keyturn_cli.errors import ExitCode, Problem

if TYPE_CHECKING:
    from keyturn_cli.federation import Federation
    from keyturn_cli.output import Output
    from keyturn_cli.patience import Patience


@dataclass
class Session:
    """`token`: what the environment says is to be presented. `timed`: somebody has said how long it may take.
    `force`: a file with something else may be replaced. `account`: the bot that a pipeline acts as, by its platform's
    word."""

    address: str | None
    token: str | None
    output: Output
    patience: Patience
    timed: bool = False
    force: bool = False
    account: str | None = None
    _federation: Federation | None = field(default=None, init=False, repr=False)

    def api(self, renewed: bool = False) -> Api:
        """The installation that is meant, asked by whoever is logged in there. `renewed`: the time begins again, after
        somebody has thought about a question. Raises Problem."""
        if renewed:
            self.patience = self.patience.again()
        token = self._federated().token if self.account else self.presented()
        return Api(self.known_address(), token, self.patience)

    def presented(self) -> str:
        """Raises Problem if nobody is logged in."""
        if self.account:
            return self._federated().token(self.patience)
        presented = self.token or logins.token_for(self.known_address(), self.patience)
        if presented is None:
            raise Problem("Nobody is logged in. Run: keyturn login, or set KEYTURN_TOKEN.", ExitCode.NOT_LOGGED_IN)
        return presented

    def _federated(self) -> Federation:
        """One for the whole command: its access token is used again until it is about to end."""
        from keyturn_cli.federation import Federation
        from keyturn_cli.identity import Source

        assert self.account
        if self._federation is None:
            address = self.known_address()
            self._federation = Federation(address, self.account, Source.from_environment(address))
        return self._federation

    def end(self) -> None:
        """The command is over: an access token that it got for itself is given back."""
        if self._federation:
            self._federation.end()

    def known_address(self) -> str:
        """Where: as said, or else where somebody logged in last. Raises Problem."""
        address = self.address or next(iter(logins.addresses()), None)
        if address is None:
            raise Problem("Say where Keyturn is: --address https://…, or KEYTURN_ADDRESS.")
        return address.rstrip("/")
