"""The server that says who somebody is, as we ask it: OpenID Connect, by code and with PKCE."""

import threading
import time
from collections.abc import Mapping
from typing import Any

import httpx2
from authlib.common.errors import AuthlibBaseError
from authlib.integrations.httpx_client import OAuth2Client
from authlib.oidc.core import CodeIDToken
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from jober_web.access.oidc_settings import OidcError, OidcSettings

# Of signatures: with a key that only the server has.
_ALGORITHMS = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "EdDSA"]
_TIMEOUT_S, _LEEWAY_S = 10.0, 60
_KEPT_S, _AGAIN_S = 3600.0, 30.0


class Provider:
    """One server. What it says of itself and its keys are kept for an hour; where it signs with a
    key that we do not know, they are read again."""

    def __init__(self, settings: OidcSettings) -> None:
        self._settings = settings
        self._lock = threading.Lock()
        self._metadata: dict[str, Any] = {}
        self._keys: KeySet | None = None
        self._read_at = float("-inf")

    def begin(self, redirect: str, state: str, nonce: str, verifier: str) -> str:
        """Where to send the browser. Raises OidcError."""
        metadata, _ = self._known()
        with self._client(redirect) as client:
            url, _ = client.create_authorization_url(
                metadata["authorization_endpoint"],
                state=state,
                code_verifier=verifier,
                nonce=nonce,
            )
        return str(url)

    def claims(self, redirect: str, code: str, nonce: str, verifier: str) -> dict[str, Any]:
        """What the server says of whoever has come back with that code: signed by it, for us, and
        for this very log-in. Raises OidcError."""
        metadata, _ = self._known()
        try:
            with self._client(redirect) as client:
                told = client.fetch_token(
                    metadata["token_endpoint"],
                    code=code,
                    code_verifier=verifier,
                    grant_type="authorization_code",
                )
                claims = self._read(str(told.get("id_token", "")), nonce, told.get("access_token"))
                endpoint = metadata.get("userinfo_endpoint")
                if self._settings.claim not in claims and endpoint:
                    more = client.get(endpoint).raise_for_status().json()
                    if more.get("sub") != claims["sub"]:
                        raise OidcError("it tells of another one than has logged in")
                    claims = {**more, **claims}
        except (httpx2.HTTPError, AuthlibBaseError, JoseError, ValueError) as error:
            raise OidcError(f"{self._settings.issuer} lets nobody in: {_words(error)}") from None
        return claims

    def _read(self, id_token: str, nonce: str, access_token: str | None) -> dict[str, Any]:
        _, keys = self._known()
        try:
            token = jwt.decode(id_token, keys, algorithms=_ALGORITHMS)
        except (JoseError, ValueError):
            # It may sign with a new key.
            _, keys = self._known(anew=True)
            token = jwt.decode(id_token, keys, algorithms=_ALGORITHMS)
        settings = self._settings
        claims = CodeIDToken(
            token.claims,
            token.header,
            {
                "iss": {"essential": True, "value": settings.issuer},
                "aud": {"essential": True, "value": settings.client_id},
                "sub": {"essential": True},
            },
            {"nonce": nonce, "client_id": settings.client_id, "access_token": access_token},
        )
        claims.validate(leeway=_LEEWAY_S)
        return dict(claims)

    def _known(self, anew: bool = False) -> tuple[Mapping[str, Any], KeySet]:
        """What the server says of itself, and its keys."""
        with self._lock:
            age_s = time.monotonic() - self._read_at
            if self._keys is None or age_s > (_AGAIN_S if anew else _KEPT_S):
                self._metadata, self._keys = self._asked()
                self._read_at = time.monotonic()
            return self._metadata, self._keys

    def _asked(self) -> tuple[dict[str, Any], KeySet]:
        issuer = self._settings.issuer
        try:
            with httpx2.Client(timeout=_TIMEOUT_S) as client:
                place = f"{issuer.rstrip('/')}/.well-known/openid-configuration"
                metadata = client.get(place).raise_for_status().json()
                if metadata.get("issuer") != issuer:
                    raise OidcError(f"{issuer} says that it is {metadata.get('issuer')!r:.200}")
                keys = client.get(metadata["jwks_uri"]).raise_for_status().json()
            for endpoint in ("authorization_endpoint", "token_endpoint"):
                if not isinstance(metadata.get(endpoint), str):
                    raise OidcError(f"{issuer} tells of no {endpoint}")
            return metadata, KeySet.import_key_set(keys)
        except (httpx2.HTTPError, JoseError, ValueError, KeyError, TypeError) as error:
            raise OidcError(f"{issuer} does not say how to log in: {_words(error)}") from None

    def _client(self, redirect: str) -> Any:
        return OAuth2Client(
            self._settings.client_id,
            self._settings.client_secret,
            scope=self._settings.asks_for,
            redirect_uri=redirect,
            code_challenge_method="S256",
            timeout=_TIMEOUT_S,
        )


def _words(error: Exception) -> str:
    """What went wrong, in a line; what was sent to the server is not in it."""
    if isinstance(error, httpx2.HTTPStatusError):
        return f"status {error.response.status_code}"
    return f"{type(error).__name__}: {error}".replace("\n", " ")[:200]
