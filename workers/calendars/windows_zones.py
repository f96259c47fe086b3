"""IANA zones as Microsoft knows them, and only where both agree.

Graph takes Windows names everywhere, IANA names only partly and not from every mailbox. The table is CLDR's,
by way of tzlocal; for some zones (Scoresbysund, Casey, Vostok) the Windows zone follows other rules than the
IANA one, so each use is checked at the very times it is for.
"""

from collections.abc import Iterable
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from tzlocal.windows_tz import tz_win, win_tz

from workers.times import known_zone

WINDOWS_UTC = "UTC"


def windows_name(zone: str, walls: Iterable[datetime]) -> str | None:
    """The Windows name of the IANA `zone`, if each of `walls` means the same instant under it; else None.

    `walls` are wall times in `zone`, without tzinfo, `fold` set where they are the second of two. One that
    the Windows zone's rules skip or have twice is ambiguous to Graph, which knows no fold: None.
    """
    name = tz_win.get(zone)
    if name is None:
        return None
    representative = ZoneInfo(win_tz[name])
    for wall in walls:
        meant = wall.replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)
        understood = {wall.replace(tzinfo=representative, fold=fold).astimezone(UTC) for fold in (0, 1)}
        if understood != {meant}:
            return None
    return name


def zone_of(name: str) -> ZoneInfo | None:
    """The rules behind a zone name in a reply of Graph, Windows or IANA; None for a name nobody knows."""
    known = known_zone(win_tz.get(name, name))
    return None if known is None else ZoneInfo(known)
