"""A small OpenID provider over HTTP: one person, one client, the code flow with PKCE, and its faults."""

import base64
import hashlib
import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa
from flask import Flask, Response, jsonify, redirect, request

from simulator.server import serve_app

CLIENT, SECRET = "arcadia-console", "secret-of-the-console"
KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
FOREIGN_KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)


@dataclass
class Provider:
    """The provider's person, and what it does wrong: each field is read at the next sign-in."""

    url: str = ""
    claims: dict[str, Any] = field(default_factory=dict)
    header: dict[str, Any] = field(default_factory=dict)
    key: Any = KEY
    algorithm: str = "RS256"
    token_status: int = 200
    granted: dict[str, dict[str, str]] = field(default_factory=dict)
    refusals: list[str] = field(default_factory=list)

    def id_token(self, nonce: str) -> str:
        now = int(time.time())
        claims = {
            "iss": self.url, "aud": CLIENT, "sub": "person-1", "iat": now, "exp": now + 300, "nonce": nonce,
            "email": "Anna@Example.org", "email_verified": True, "groups": ["cloud-ops"],
        }  # fmt: skip
        claims = {name: value for name, value in (claims | self.claims).items() if value is not None}
        return jwt.encode(claims, self.key, algorithm=self.algorithm, headers={"kid": "1", **self.header})


def create_app(provider: Provider) -> Flask:
    """The provider's three addresses."""
    app = Flask("identity-provider")

    @app.get("/authorize")
    def authorize() -> Any:
        asked = request.args
        assert asked["response_type"] == "code"
        assert asked["client_id"] == CLIENT
        assert asked["code_challenge_method"] == "S256"
        code = secrets.token_urlsafe(16)
        provider.granted[code] = dict(asked)
        return redirect(f"{asked['redirect_uri']}?{urlencode({'code': code, 'state': asked['state']})}")

    @app.post("/token")
    def token() -> Any:
        if provider.token_status != 200:
            return Response("no", provider.token_status)
        # A code is good once, for the client and address that it was granted to, and the verifier's owner.
        asked = provider.granted.pop(request.form["code"], None)
        login = request.authorization
        verifier = hashlib.sha256(request.form.get("code_verifier", "").encode()).digest()
        fits = asked is not None and (
            login is not None
            and (login.username, login.password) == (CLIENT, SECRET)
            and request.form["redirect_uri"] == asked["redirect_uri"]
            and base64.urlsafe_b64encode(verifier).rstrip(b"=").decode() == asked["code_challenge"]
        )
        if asked is None or not fits:
            provider.refusals.append("token")
            return jsonify(error="invalid_grant"), 400
        return jsonify(access_token="opaque", token_type="Bearer", id_token=provider.id_token(asked["nonce"]))

    @app.get("/keys")
    def keys() -> Any:
        public = jwt.algorithms.RSAAlgorithm.to_jwk(KEY.public_key(), as_dict=True)
        return jsonify(keys=[{**public, "kid": "1", "alg": "RS256", "use": "sig"}])

    return app


@contextmanager
def serve_provider() -> Iterator[Provider]:
    """A provider that runs for the block."""
    provider = Provider()
    with serve_app(create_app(provider)) as url:
        provider.url = url
        yield provider
