"""A passkey in software: what a phone or a security key does, with the message formats of `fido2`."""

from __future__ import annotations

import hashlib
import secrets
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from fido2.cose import ES256
from fido2.utils import websafe_encode
from fido2.webauthn import AttestationObject, AttestedCredentialData, AuthenticatorData, CollectedClientData

FLAGS = AuthenticatorData.FLAG


class SoftwarePasskey:
    """One credential for one site. `verifies_user`: it asks for a finger or PIN."""

    def __init__(self, origin: str = "https://keyturn.example.com", verifies_user: bool = True) -> None:
        self.origin = origin
        self.verifies_user = verifies_user
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._id = secrets.token_bytes(32)
        self._user_handle = ""
        self._uses = 0

    def create(self, options: dict[str, Any]) -> dict[str, Any]:
        """What `navigator.credentials.create` gives, as JSON."""
        self._user_handle = options["user"]["id"]
        public_key = ES256.from_cryptography_key(self._key.public_key())
        attested = AttestedCredentialData.create(b"\0" * 16, self._id, public_key)
        data = self._data(options["rp"]["id"], attested)
        attestation = AttestationObject.create("none", data, {})
        client_data = self._client_data(CollectedClientData.TYPE.CREATE, options["challenge"])
        return self._credential({"clientDataJSON": client_data, "attestationObject": bytes(attestation)})

    def get(self, options: dict[str, Any]) -> dict[str, Any]:
        """What `navigator.credentials.get` gives, as JSON."""
        data = self._data(options["rpId"])
        client_data = self._client_data(CollectedClientData.TYPE.GET, options["challenge"])
        signed = bytes(data) + hashlib.sha256(client_data).digest()
        signature = self._key.sign(signed, ec.ECDSA(hashes.SHA256()))
        credential = self._credential(
            {"clientDataJSON": client_data, "authenticatorData": bytes(data), "signature": signature}
        )
        credential["response"]["userHandle"] = self._user_handle
        return credential

    def _data(self, rp_id: str, attested: AttestedCredentialData | None = None) -> AuthenticatorData:
        self._uses += 1
        flags = FLAGS.UP | (FLAGS.UV if self.verifies_user else FLAGS(0)) | (FLAGS.AT if attested else FLAGS(0))
        return AuthenticatorData.create(hashlib.sha256(rp_id.encode()).digest(), flags, self._uses, attested or b"")

    def _client_data(self, kind: Any, challenge: str) -> bytes:
        return bytes(CollectedClientData.create(type=kind, challenge=challenge, origin=self.origin))

    def _credential(self, response: dict[str, bytes]) -> dict[str, Any]:
        encoded: dict[str, Any] = {name: websafe_encode(value) for name, value in response.items()}
        id = websafe_encode(self._id)
        return {"id": id, "rawId": id, "type": "public-key", "response": encoded}
