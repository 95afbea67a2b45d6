"""A small provider of OpenID Connect, on Authlib: real HTTP on this host, real signatures, PKCE."""

import secrets
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

from authlib.integrations.flask_oauth2 import AuthorizationServer
from authlib.oauth2.rfc6749 import grants
from authlib.oauth2.rfc7636 import CodeChallenge
from authlib.oidc.core import UserInfo
from authlib.oidc.core.grants import OpenIDCode
from flask import Flask, jsonify, request
from joserfc.jwk import ECKey, KeySet
from werkzeug.serving import make_server

CLIENT, SECRET = "jober", "the secret of the client"


@dataclass
class Provider:
    """What it says of whoever comes, and how it misbehaves: `twist` changes the claims before they
    are signed, `wrong_key` signs with a key that it does not publish."""

    url: str = ""
    claims: dict[str, Any] = field(default_factory=dict)
    more: dict[str, Any] = field(default_factory=dict)
    twist: dict[str, Any] = field(default_factory=dict)
    wrong_key: bool = False
    key: ECKey = field(default_factory=lambda: ECKey.generate_key("P-256", auto_kid=True))
    asked: list[dict[str, str]] = field(default_factory=list)
    codes: dict[str, Any] = field(default_factory=dict)

    def renew_key(self) -> None:
        self.key = ECKey.generate_key("P-256", auto_kid=True)


class _Client:
    """The one client that it knows, which has to prove the secret and to use PKCE."""

    client_id = CLIENT

    def get_client_id(self) -> str:
        return CLIENT

    def get_default_redirect_uri(self) -> str:
        return ""

    def get_allowed_scope(self, scope: str) -> str:
        return scope

    def check_redirect_uri(self, uri: str) -> bool:
        return uri.startswith("http://127.0.0.1:") and uri.endswith("/login/oidc/callback")

    def check_client_secret(self, secret: str) -> bool:
        return secrets.compare_digest(secret, SECRET)

    def check_endpoint_auth_method(self, method: str, endpoint: str) -> bool:
        return method == "client_secret_basic"

    def check_response_type(self, type: str) -> bool:
        return type == "code"

    def check_grant_type(self, type: str) -> bool:
        return type == "authorization_code"


class _Code(SimpleNamespace):
    def get_redirect_uri(self) -> Any:
        return self.redirect_uri

    def get_scope(self) -> Any:
        return self.scope

    def get_nonce(self) -> Any:
        return self.nonce

    def get_auth_time(self) -> int:
        return self.auth_time  # type: ignore[no-any-return]

    def get_acr(self) -> None:
        return None

    def get_amr(self) -> None:
        return None


def _application(provider: Provider) -> Flask:
    app = Flask("provider")
    users: dict[str, Any] = {}

    class CodeGrant(grants.AuthorizationCodeGrant):  # type: ignore[misc]
        TOKEN_ENDPOINT_AUTH_METHODS = ["client_secret_basic"]

        def save_authorization_code(self, code: str, request: Any) -> None:
            told = request.payload.data
            provider.codes[code] = _Code(
                code=code,
                redirect_uri=request.payload.redirect_uri,
                scope=request.payload.scope,
                nonce=told.get("nonce"),
                code_challenge=told.get("code_challenge"),
                code_challenge_method=told.get("code_challenge_method"),
                auth_time=int(time.time()),
            )

        def query_authorization_code(self, code: str, client: Any) -> Any:
            return provider.codes.get(code)

        def delete_authorization_code(self, code: Any) -> None:
            provider.codes.pop(code.code, None)

        def authenticate_user(self, code: Any) -> Any:
            return SimpleNamespace(id="user")

    class IdToken(OpenIDCode):  # type: ignore[misc]
        def exists_nonce(self, nonce: str, request: Any) -> bool:
            return False

        def resolve_client_private_key(self, client: Any) -> Any:
            return ECKey.generate_key("P-256") if provider.wrong_key else provider.key

        def get_client_algorithm(self, client: Any) -> str:
            return "ES256"

        def get_client_claims(self, client: Any) -> dict[str, Any]:
            now = int(time.time())
            return {"iss": provider.url, "aud": [CLIENT], "iat": now, "exp": now + 300}

        def get_encode_header(self, client: Any) -> dict[str, Any]:
            return {"alg": "ES256", "kid": provider.key.kid}

        def generate_user_info(self, user: Any, scope: str) -> Any:
            return UserInfo(**{**provider.claims, **provider.twist})

    def save_token(token: dict[str, Any], request: Any) -> None:
        users[token["access_token"]] = provider.more

    server = AuthorizationServer(
        app, query_client=lambda id: _Client() if id == CLIENT else None, save_token=save_token
    )
    server.register_grant(CodeGrant, [IdToken(require_nonce=True), CodeChallenge(required=True)])

    @app.get("/.well-known/openid-configuration")
    def configuration() -> Any:
        return jsonify(
            issuer=provider.url,
            authorization_endpoint=f"{provider.url}/authorize",
            token_endpoint=f"{provider.url}/token",
            userinfo_endpoint=f"{provider.url}/userinfo",
            jwks_uri=f"{provider.url}/keys",
        )

    @app.get("/keys")
    def keys() -> Any:
        return jsonify(KeySet([provider.key]).as_dict(private=False))

    @app.get("/authorize")
    def authorize() -> Any:
        """Whoever comes has logged in here already."""
        provider.asked.append(dict(request.args))
        assert request.args["code_challenge_method"] == "S256"
        user = SimpleNamespace(id="user")
        grant = server.get_consent_grant(end_user=user)
        return server.create_authorization_response(
            request=grant.request, grant_user=user, grant=grant
        )

    @app.post("/token")
    def token() -> Any:
        return server.create_token_response()

    @app.get("/userinfo")
    def userinfo() -> Any:
        kind, _, text = request.headers.get("Authorization", "").partition(" ")
        return jsonify(users[text]) if kind == "Bearer" and text in users else ("", 401)

    return app


@contextmanager
def providing() -> Iterator[Provider]:
    """One, on a free port of this host."""
    provider = Provider()
    with make_server("127.0.0.1", 0, _application(provider), threaded=True) as server:
        provider.url = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield provider
        finally:
            server.shutdown()
            thread.join()
