"""Credential files of the shapes Google hands out, made on the spot."""

import secrets
from functools import cache
from typing import Any

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

DEFAULT_SERVICE_ACCOUNT = "sync@sandbox.iam.gserviceaccount.com"
AUDIENCE = "//iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/sandbox/providers/cluster"
ISSUER = "https://cluster.example"
WORKLOAD = "workload"
CLIENT_ID = "sandbox.apps.googleusercontent.com"


def service_account_key(token_uri: str, email: str = DEFAULT_SERVICE_ACCOUNT) -> dict[str, Any]:
    """A service account's JSON key with a 2048-bit RSA key and an id of its own, as google-auth reads it.

    The token endpoint only accepts keys that the sandbox knows; `Sandbox.service_account_key` also
    registers it.
    """
    return {
        "type": "service_account",
        "project_id": "sandbox",
        "private_key_id": secrets.token_hex(20),
        "private_key": _own_private_key(),
        "client_email": email,
        "client_id": str(secrets.randbits(66)),
        "token_uri": token_uri,
        "universe_domain": "googleapis.com",
    }


def private_key() -> str:
    """A fresh RSA key as PEM."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return pem.decode()


@cache
def _own_private_key() -> str:
    """One for all service accounts of a process: ids tell their keys apart, and making one takes long."""
    return private_key()


def authorized_user(token_uri: str, user: str) -> dict[str, Any]:
    """A user's consent (client id, secret, refresh token) as google-auth reads it. `user` is its address."""
    return {
        "type": "authorized_user",
        "account": user,
        "client_id": CLIENT_ID,
        "client_secret": secrets.token_urlsafe(18),
        "refresh_token": f"1//{secrets.token_urlsafe(32)}",
        "token_uri": token_uri,
        "universe_domain": "googleapis.com",
    }


def external_account(source: dict[str, Any], *, sts: str, account: str) -> dict[str, Any]:
    """A workload that acts as a service account, as `gcloud iam workload-identity-pools` writes it."""
    return {
        "type": "external_account",
        "audience": AUDIENCE,
        "subject_token_type": "urn:ietf:params:oauth:token-type:jwt",
        "token_url": sts,
        "credential_source": source,
        "service_account_impersonation_url": account,
        "universe_domain": "googleapis.com",
    }


def workload_token(expires_at: float, *, audience: str = AUDIENCE, subject: str = WORKLOAD) -> str:
    """What a cluster gives one of its workloads; nobody here checks who signed it."""
    claims = {"iss": ISSUER, "sub": subject, "aud": audience, "exp": int(expires_at)}
    return jwt.encode(claims, secrets.token_bytes(32), algorithm="HS256")


def impersonated_account(source: dict[str, Any], account: str) -> dict[str, Any]:
    """A user who acts as a service account, as `gcloud auth application-default login` has it."""
    return {
        "type": "impersonated_service_account",
        "delegates": [],
        "service_account_impersonation_url": account,
        "source_credentials": source,
    }
