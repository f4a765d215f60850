"""What the command line makes is what the server would make, and takes."""

from __future__ import annotations

from keyturn_cli import token_format

from chalicelib.core.common.identifiers import new_id
from chalicelib.core.secrets.client_supplied import validate_client_supplied_secret
from chalicelib.core.secrets.token_format import SERVICE_SECRET, CredentialKind


def test_what_is_brought_is_taken() -> None:
    made = {validate_client_supplied_secret(token_format.new_middle()) for _ in range(200)}
    assert len(made) == 200


def test_the_whole_is_the_servers() -> None:
    for _ in range(50):
        middle, user, id = token_format.new_middle(), new_id(), new_id()
        whole = token_format.permanent_token(middle, user, id)
        assert whole == CredentialKind.PERMANENT_TOKEN.assemble(middle, user, id)
        assert token_format.parse(whole) == token_format.Parsed("ktp_", (user, id), middle)
        of_service = token_format.service_secret(middle, id)
        assert of_service == SERVICE_SECRET.assemble(middle, id)
        assert token_format.parse(of_service) == token_format.Parsed("kts_", (id,), middle)


def test_what_is_mistyped_is_none() -> None:
    whole = token_format.permanent_token(token_format.new_middle(), new_id(), new_id())
    wrong = "0" if whole[-1] != "0" else "1"
    for text in (
        "",
        "ktp_",
        whole[:-1],
        whole[:-1] + wrong,
        whole + "0",
        "kts_" + whole[4:],
        whole + "\n",
        f" {whole}",
    ):
        assert token_format.parse(text) is None


def test_a_webhooks_secret_has_the_form_of_standard_webhooks() -> None:
    from standardwebhooks import Webhook

    secret = token_format.new_webhook_secret()
    assert token_format.is_webhook_secret(secret)
    Webhook(secret)
    for text in ("", "whsec_", "whsec_MfKQ", secret[6:], secret + "ß", "whsec_!" + secret[7:]):
        assert not token_format.is_webhook_secret(text)
