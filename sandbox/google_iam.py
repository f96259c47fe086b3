"""IAM Service Account Credentials: tokens and signatures of service accounts, for others."""

import json
import secrets
from functools import cache
from typing import Any

import jwt
from aiohttp import web
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from sandbox.answers import Refused, json_answer
from sandbox.clock import stamp
from sandbox.gate import Call, Gate
from sandbox.google_tokens import CLOUD_SCOPE, GoogleTokens, ServiceAccount

BASE = "/google/iam/v1"
_ACCOUNT = BASE + "/projects/-/serviceAccounts/{account}:"
_IAM_SCOPE = "https://www.googleapis.com/auth/iam"
_LONGEST_JWT_S = 12 * 3600


def add_routes(router: web.UrlDispatcher) -> None:
    """Serve both methods."""
    gate = Gate("google-token", secret=True)
    router.add_post(_ACCOUNT + "generateAccessToken", gate.around(generate_access_token))
    router.add_post(_ACCOUNT + "signJwt", gate.around(sign_jwt))


def generate_access_token(call: Call) -> web.Response:
    """A token of the service account itself."""
    tokens, account = call.state.google_tokens, _account(call, "iam.serviceAccounts.getAccessToken")
    scopes = _body(call).get("scope") or []
    if not scopes:
        raise _refusal(400, "INVALID_ARGUMENT", "Request contains an invalid argument.")
    token = tokens.issue(account.email, scopes, may_invite=False)
    call.state.google.own_calendar(account.email)
    expires = stamp(tokens.grants[token].expires_at, digits=0)
    return json_answer({"accessToken": token, "expireTime": expires})


def sign_jwt(call: Call) -> web.Response:
    """A JWT signed by a key that Google keeps."""
    tokens, account = call.state.google_tokens, _account(call, "iam.serviceAccounts.signJwt")
    try:
        claims = json.loads(_body(call).get("payload", ""))
    except (ValueError, TypeError):
        raise _refusal(400, "INVALID_ARGUMENT", "Payload isn't valid JSON.") from None
    if "exp" in claims and not tokens.clock() < claims["exp"] <= tokens.clock() + _LONGEST_JWT_S:
        raise _refusal(400, "INVALID_ARGUMENT", "exp must be within the next 12 hours.")
    key_id, key = secrets.token_hex(20), _key()
    account.keys[key_id] = key.public_key()
    signed = jwt.encode(claims, _pem(), algorithm="RS256", headers={"kid": key_id})
    return json_answer({"keyId": key_id, "signedJwt": signed})


def _account(call: Call, permission: str) -> ServiceAccount:
    """The account that the path names, where who asks has this permission for it."""
    tokens = call.state.google_tokens
    grant = tokens.grant(call.bearer)
    if grant is None:
        raise _refusal(401, "UNAUTHENTICATED", "Request had invalid authentication credentials.")
    if not {CLOUD_SCOPE, _IAM_SCOPE} & grant.scopes:
        raise _refusal(
            403,
            "PERMISSION_DENIED",
            "Request had insufficient authentication scopes.",
            "ACCESS_TOKEN_SCOPE_INSUFFICIENT",
        )
    _check_enabled(tokens)
    email = call.request.match_info["account"]
    account = tokens.service_accounts.get(email)
    # Google does not tell whether there is such an account to those who may not see it.
    if account is None or account.revoked or not account.may_be(grant.subject):
        raise _refusal(
            403,
            "PERMISSION_DENIED",
            f"Permission '{permission}' denied on resource (or it may not exist).",
            "IAM_PERMISSION_DENIED",
            permission=permission,
        )
    return account


def _check_enabled(tokens: GoogleTokens) -> None:
    if not tokens.iam_enabled:
        raise _refusal(
            403,
            "PERMISSION_DENIED",
            "IAM Service Account Credentials API has not been used in project 1 before or it is disabled.",
            "SERVICE_DISABLED",
            service="iamcredentials.googleapis.com",
        )


def _body(call: Call) -> dict[str, Any]:
    try:
        body = json.loads(call.body)
    except ValueError:
        body = None
    if not isinstance(body, dict):
        raise _refusal(400, "INVALID_ARGUMENT", "Invalid JSON payload received.")
    return body


def _refusal(status: int, word: str, message: str, reason: str = "", **metadata: str) -> Refused:
    """A refusal in the shape of Google's newer services (google.rpc.Status with ErrorInfo)."""
    error: dict[str, Any] = {"code": status, "message": message, "status": word}
    if reason:
        error["details"] = [
            {
                "@type": "type.googleapis.com/google.rpc.ErrorInfo",
                "reason": reason,
                "domain": "iam.googleapis.com",
                "metadata": metadata,
            }
        ]
    return Refused(status, {"error": error})


@cache
def _key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


@cache
def _pem() -> bytes:
    return _key().private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
