"""`sequence-sync login`: a user consents, and what the provider gives for it is kept in Redis, encrypted."""

import asyncio
import os
import sys
import time
import webbrowser
from contextlib import suppress
from typing import NamedTuple

from bookings.accounts import Accounts
from bookings.consents import Consent, Consents
from bookings.operating import note
from bookings.store import Store
from cli.loopback import Loopback
from cli.options import CommandError, Exit, operator
from cli.output import words
from cli.progress import whole
from cli.stores import opened
from config.accounts import GoogleAccount, MicrosoftAccount
from config.settings import Settings
from network.advice import advice_on
from network.outgoing import Outgoing
from workers.calendars.consent import Consenting
from workers.calendars.directory import consenting
from workers.calendars.microsoft_consent import MicrosoftConsent
from workers.errors import CalendarError, ErrorClass

_NO_DEVICE_CODE = (
    "Google gives out no calendar scope by device code "
    "(developers.google.com/identity/protocols/oauth2/limited-input-device#allowedscopes). "
    "Where this machine has no browser, use another one's: `ssh -L 8400:127.0.0.1:8400 THIS_MACHINE`, "
    "`sequence-sync login google {name} --port 8400` in it, and open the address there"
)
_REFUSALS = {
    "access_denied": "the user did not allow it; nothing was changed",
    "authorization_declined": "the user did not allow it; nothing was changed",
    "expired_token": "nobody entered the code in time; nothing was changed, run it again",
    "scope_not_granted": "the user left out the calendar; run it again, and leave its box ticked",
    "no_refresh_token": "no refresh token was given; take the consent back at the provider, and run it again",
    "invalid_client": "the provider does not know this client_id with this client_secret; see the account",
    "unauthorized_client": "the provider does not know this client_id in this tenant; see the account",
}
_DISPLAYS = ("DISPLAY", "WAYLAND_DISPLAY", "BROWSER")


class Manner(NamedTuple):
    """How the user is asked: by a browser that comes back to `port`, or by a device code; for how long."""

    device: bool = False
    port: int = 0
    wait_s: float = 300


async def run_login(settings: Settings, provider: str, name: str, manner: Manner) -> Exit:
    """Asks for consent, keeps it, and has what waits for the account go on.

    Raises `CommandError`, and `ConfigError` where a secret or a key is missing.
    """
    account = _account(settings, provider, name)
    if isinstance(account, GoogleAccount) and account.client_secret is not None:
        account.client_secret.value()
    if manner.device and isinstance(account, GoogleAccount):
        raise CommandError(_NO_DEVICE_CODE.format(name=name), Exit.USAGE)
    asking = consenting(account, Outgoing(settings.network), settings.worker.request_timeout)
    try:
        async with opened(settings) as store:
            store.seal.seal(b"")  # consent that cannot be kept is not asked for
            consent = await _consent(asking, manner)
            await whole(_keep(store, name, consent))
    except CalendarError as error:
        raise CommandError(_words(error)) from None
    finally:
        asking.close()
    who = f"{consent.user} consented" if consent.user else "the user consented"
    words.print(f"{who}; every worker now writes as {name}. `sequence-sync check` tries its calendars")
    return Exit.DONE


async def _keep(store: Store, name: str, consent: Consent) -> None:
    await Consents(store).keep(name, consent)
    await Accounts(store).reopen(name, name)
    await note(store, operator(), "login", account=name)


async def run_forget(settings: Settings, provider: str, name: str) -> Exit:
    """Lets go of a consent, and takes it back at the provider where that can be done from here."""
    account = _account(settings, provider, name)
    asking = consenting(account, Outgoing(settings.network), settings.worker.request_timeout)
    try:
        async with opened(settings) as store:
            kept = await Consents(store).get(name)
            if kept is None:
                words.print(f"nobody has consented for {name}")
                return Exit.NOTHING_MATCHED
            revoked, problem = await whole(_forget(store, asking, name, kept.consent))
    finally:
        asking.close()
    if revoked:
        words.print(f"the consent for {name} is revoked and forgotten")
        return Exit.DONE
    where = "myaccount.google.com/connections" if provider == "google" else "myapplications.microsoft.com"
    words.print(f"the consent for {name} is forgotten here{problem}; the user revokes it at {where}")
    return Exit.PARTLY if problem else Exit.DONE


async def _forget(store: Store, asking: Consenting, name: str, consent: Consent) -> tuple[bool, str]:
    revoked = await _revoked(asking, consent)
    await Consents(store).forget(name)
    await note(store, operator(), "forget", account=name)
    return revoked


def _account(settings: Settings, provider: str, name: str) -> GoogleAccount | MicrosoftAccount:
    account = settings.account(name)
    if account is None or account.provider != provider or not account.login:
        known = [each.name for each in settings.accounts if each.provider == provider and each.login]
        raise CommandError(
            f"no {provider} account with login = true is called {name!r}; "
            + (f"there is {', '.join(known)}" if known else "the configuration has none"),
            Exit.USAGE,
        )
    return account


async def _consent(asking: Consenting, manner: Manner) -> Consent:
    if manner.device:
        assert isinstance(asking, MicrosoftConsent)
        return await _by_device(asking, manner)
    return await _by_browser(asking, manner)


async def _by_browser(asking: Consenting, manner: Manner) -> Consent:
    try:
        async with Loopback(manner.port) as loopback:
            redirect_uri = f"http://{asking.redirect_host}:{loopback.port}"
            asked = await asyncio.to_thread(asking.ask, redirect_uri)
            loopback.expect(asked.state)
            words.print("Open this address in a browser on this machine, as the user whose calendar it is:")
            words.print(asked.url)
            await asyncio.to_thread(_open_browser, asked.url)
            answer = await loopback.answer(within_s=manner.wait_s)
            return await asyncio.to_thread(asking.redeem, asked, answer)
    except TimeoutError:
        raise _nobody(manner) from None
    except OSError as error:
        raise CommandError(
            f"cannot listen on 127.0.0.1:{manner.port} ({error.strerror}); choose another --port"
        ) from None


async def _by_device(asking: MicrosoftConsent, manner: Manner) -> Consent:
    flow = await asyncio.to_thread(asking.ask_device)
    words.print(flow["message"])
    give_up = min(time.time() + manner.wait_s, float(flow["expires_at"]))
    while time.time() < give_up:
        await asyncio.sleep(float(flow["interval"]))
        consent = await asyncio.to_thread(asking.poll_device, flow)
        if consent is not None:
            return consent
    raise _nobody(manner)


async def _revoked(asking: Consenting, consent: Consent) -> tuple[bool, str]:
    try:
        return await asyncio.to_thread(asking.revoke, consent), ""
    except CalendarError as error:
        return False, f", but the provider did not take it back ({error.code})"


def _open_browser(url: str) -> None:
    """Opens a browser where there is a screen for one; in this terminal it would only be in the way."""
    if sys.platform == "linux" and not any(os.environ.get(each) for each in _DISPLAYS):
        return
    with suppress(OSError, webbrowser.Error):
        webbrowser.open(url)


def _nobody(manner: Manner) -> CommandError:
    return CommandError(f"nobody consented within {manner.wait_s:.0f} s; nothing was changed, run it again")


def _words(error: CalendarError) -> str:
    said = _REFUSALS.get(error.code.partition(" ")[0])
    if advised := advice_on(error.code):
        said = f"the provider cannot be asked: {advised.words}; {advised.remedy}"
    elif said is None and error.error_class is ErrorClass.TRANSIENT:
        said = "the provider cannot be asked; see that this machine reaches it, and run it again"
    return f"{said or 'the provider refuses; nothing was changed'} ({error.code})"
