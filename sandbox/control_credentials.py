"""The part of the control API that hands out credentials and takes them back."""

import asyncio
from collections.abc import Awaitable, Callable

from aiohttp import web

from sandbox import control_specs as specs
from sandbox import google_token
from sandbox.answers import json_answer
from sandbox.control_body import body, explained
from sandbox.credentials import authorized_user, service_account_key
from sandbox.state import STATE

BASE = "/_sandbox"


def add_routes(router: web.UrlDispatcher) -> None:
    """Serve this part."""
    routes: list[tuple[str, str, Callable[[web.Request], Awaitable[web.Response]]]] = [
        ("POST", "/google/service-accounts", add_service_account),
        ("POST", "/google/users", add_google_user),
        ("POST", "/google/clients", add_google_client),
        ("POST", "/google/tokens", add_google_token),
        ("POST", "/google/lifetime", set_google_lifetime),
        ("POST", "/google/revoke", revoke_google),
        ("POST", "/google/unknown-users", set_unknown_users),
        ("POST", "/google/reauthentication", set_reauthentication),
        ("POST", "/microsoft/applications", add_application),
        ("POST", "/microsoft/users", add_microsoft_user),
        ("POST", "/microsoft/devices", set_devices),
        ("POST", "/microsoft/tokens", add_microsoft_token),
        ("POST", "/microsoft/lifetime", set_microsoft_lifetime),
        ("POST", "/microsoft/revoke", revoke_microsoft),
    ]
    for method, path, handle in routes:
        router.add_route(method, BASE + path, explained(handle))


async def add_service_account(request: web.Request) -> web.Response:
    """A service account's key file."""
    spec = await body(request, specs.ServiceAccountSpec)
    key = await asyncio.to_thread(service_account_key, _google_token_uri(request), spec.email)
    tokens = request.app[STATE].google_tokens
    if spec.replace and spec.email in tokens.service_accounts:
        tokens.service_accounts[spec.email].keys.clear()
    tokens.register_key(key).delegated = spec.delegated
    return json_answer(key, 201)


async def add_google_user(request: web.Request) -> web.Response:
    """A user's authorized_user file."""
    spec = await body(request, specs.UserSpec)
    user = authorized_user(_google_token_uri(request), spec.user)
    request.app[STATE].google_tokens.register_user(user)
    return json_answer(user, 201)


async def add_google_client(request: web.Request) -> web.Response:
    """Make an installed application known to Google."""
    spec = await body(request, specs.ClientSpec)
    request.app[STATE].google_tokens.clients[spec.client_id] = spec.client_secret
    return json_answer({"client_id": spec.client_id}, 201)


async def add_google_token(request: web.Request) -> web.Response:
    """An access token for a Google subject."""
    spec, state = await body(request, specs.GoogleTokenSpec), request.app[STATE]
    state.google.own_calendar(spec.subject)
    return json_answer({"access_token": state.google_tokens.issue(spec.subject, spec.scopes)}, 201)


async def set_google_lifetime(request: web.Request) -> web.Response:
    """How long Google's next access tokens live."""
    request.app[STATE].google_tokens.lifetime = (await body(request, specs.LifetimeSpec)).expires_in
    return json_answer({})


async def revoke_google(request: web.Request) -> web.Response:
    """Withdraw everything of a Google user or service account."""
    request.app[STATE].google_tokens.revoke((await body(request, specs.WhoSpec)).who)
    return json_answer({})


async def set_unknown_users(request: web.Request) -> web.Response:
    """Which subjects are no users."""
    spec = await body(request, specs.UnknownSpec)
    request.app[STATE].google_tokens.unknown_users = frozenset(each.lower() for each in spec.users)
    return json_answer({})


async def set_reauthentication(request: web.Request) -> web.Response:
    """Whether a user has to sign in again before their consent is good for a token."""
    spec = await body(request, specs.ReauthSpec)
    for consent in request.app[STATE].google_tokens.consents.values():
        if consent.user == spec.user.lower():
            consent.reauthenticate = spec.required
    return json_answer({})


async def add_application(request: web.Request) -> web.Response:
    """Make a Microsoft application known to a tenant."""
    spec = await body(request, specs.ApplicationSpec)
    request.app[STATE].microsoft_tokens.register(**spec.given())
    return json_answer({"tenant": spec.tenant, "client_id": spec.client_id}, 201)


async def add_microsoft_user(request: web.Request) -> web.Response:
    """A refresh token of a Microsoft user."""
    spec = await body(request, specs.UserSpec)
    refresh_token = request.app[STATE].microsoft_tokens.register_user(spec.tenant, spec.client_id, spec.user)
    return json_answer({"refresh_token": refresh_token}, 201)


async def set_devices(request: web.Request) -> web.Response:
    """How Microsoft's next device codes behave."""
    spec, devices = await body(request, specs.DevicesSpec), request.app[STATE].microsoft_tokens.devices
    devices.lifetime, devices.interval = spec.lifetime, spec.interval
    return json_answer({})


async def add_microsoft_token(request: web.Request) -> web.Response:
    """An access token for Graph."""
    spec = await body(request, specs.GraphTokenSpec)
    return json_answer({"access_token": request.app[STATE].microsoft_tokens.issue(**spec.given())}, 201)


async def set_microsoft_lifetime(request: web.Request) -> web.Response:
    """How long Microsoft's next access tokens live."""
    request.app[STATE].microsoft_tokens.lifetime = (await body(request, specs.LifetimeSpec)).expires_in
    return json_answer({})


async def revoke_microsoft(request: web.Request) -> web.Response:
    """Withdraw everything of a Microsoft user or application."""
    request.app[STATE].microsoft_tokens.revoke((await body(request, specs.WhoSpec)).who)
    return json_answer({})


def _google_token_uri(request: web.Request) -> str:
    return f"{request.url.origin()}{google_token.PATH}"
