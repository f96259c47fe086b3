"""Accounts and their state; the audit record."""

from typing import NamedTuple

from aiohttp import web

from admin.console.bookings import page_number
from admin.console.rendering import page
from admin.console.world import WORLD
from bookings.accounts import Accounts, ClosedAccount
from bookings.advice import Advice, advice
from config.settings import Settings

_A_PAGE = 100


class AccountRow(NamedTuple):
    """One account: what it is for, and what of it waits."""

    name: str
    provider: str
    calendars: tuple[str, ...]
    closed: tuple[ClosedAccount, ...]

    def advice(self, closed: ClosedAccount) -> Advice | None:
        """What its reason means, and what to do."""
        return advice(self.provider, closed.reason, self.name) if closed.state == "parked" else None

    @property
    def state(self) -> str:
        """The worst of its state and those of its mailboxes."""
        states = {each.state for each in self.closed}
        return "parked" if "parked" in states else "paused" if states else "free"


async def show_accounts(request: web.Request) -> web.StreamResponse:
    """Every account of the configuration, and those that wait although it no longer names them."""
    world = request.app[WORLD]
    closed = await Accounts(world.store).closed()
    rows = _rows(world.settings, closed)
    return page(request, "accounts.html", rows=rows)


async def show_audit(request: web.Request) -> web.StreamResponse:
    """Who did what, the newest first."""
    number = page_number(request)
    entries = await request.app[WORLD].store.audit(limit=_A_PAGE + 1, skip=(number - 1) * _A_PAGE)
    return page(request, "audit.html", entries=entries[:_A_PAGE], number=number, more=len(entries) > _A_PAGE)


def _rows(settings: Settings, closed: list[ClosedAccount]) -> list[AccountRow]:
    known = {account.name: str(account.provider) for account in settings.accounts}
    names = [*known, *sorted({each.account for each in closed} - set(known))]
    return [
        AccountRow(
            name,
            known.get(name, ""),
            tuple(calendar.name for calendar in settings.calendars if calendar.account == name),
            tuple(each for each in closed if each.account == name),
        )
        for name in names
    ]
