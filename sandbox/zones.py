"""Time zone names as the two vendors take them, and the rules behind each name."""

from datetime import UTC, datetime, timedelta
from functools import cache
from zoneinfo import ZoneInfo

from tzlocal.windows_tz import win_tz

UTC_ZONE = ZoneInfo("UTC")
GRAPH_IANA_NAMES = frozenset(
    """
    Africa/Cairo Africa/Casablanca Africa/Johannesburg Africa/Lagos Africa/Nairobi Africa/Windhoek
    America/Anchorage America/Argentina/Buenos_Aires America/Asuncion America/Bahia America/Bogota
    America/Caracas America/Cayenne America/Chicago America/Chihuahua America/Cuiaba America/Denver
    America/Godthab America/Guatemala America/Halifax America/Indiana/Indianapolis America/La_Paz
    America/Los_Angeles America/Mexico_City America/Montevideo America/New_York America/Phoenix
    America/Regina America/Santa_Isabel America/Santiago America/Sao_Paulo America/St_Johns
    Asia/Amman Asia/Astana Asia/Baghdad Asia/Baku Asia/Bangkok Asia/Beirut Asia/Colombo Asia/Damascus
    Asia/Dhaka Asia/Dubai Asia/Irkutsk Asia/Jerusalem Asia/Kabul Asia/Karachi Asia/Kathmandu Asia/Kolkata
    Asia/Krasnoyarsk Asia/Magadan Asia/Novosibirsk Asia/Riyadh Asia/Seoul Asia/Shanghai Asia/Singapore
    Asia/Taipei Asia/Tbilisi Asia/Tehran Asia/Tokyo Asia/Toshkent Asia/Ulaanbaatar Asia/Vladivostok
    Asia/Yakutsk Asia/Yangon Asia/Yekaterinburg Asia/Yerevan
    Atlantic/Azores Atlantic/Cape_Verde Atlantic/Reykjavik
    Australia/Adelaide Australia/Brisbane Australia/Darwin Australia/Hobart Australia/Perth Australia/Sydney
    Etc/GMT Etc/GMT+11 Etc/GMT+12 Etc/GMT+2 Etc/GMT-12
    Europe/Berlin Europe/Bucharest Europe/Budapest Europe/Istanbul Europe/Kaliningrad Europe/Kyiv
    Europe/London Europe/Moscow Europe/Paris Europe/Warsaw
    Indian/Mauritius
    Pacific/Apia Pacific/Auckland Pacific/Fiji Pacific/Guadalcanal Pacific/Honolulu Pacific/Kiritimati
    Pacific/Port_Moresby Pacific/Tongatapu
    """.split()  # noqa: SIM905 - a block of names reads better than a list of strings
)
"""The IANA names Graph's dateTimeTimeZone page lists beside the Windows ones."""

NOT_IANA = {"Asia/Toshkent": "Asia/Tashkent", "Asia/Astana": "Asia/Almaty"}
"""Names on Graph's list that IANA does not have, with the zone they mean."""


@cache
def iana(name: str) -> ZoneInfo | None:
    """The rules of an IANA zone, or None where there is no such zone."""
    if name.startswith(("posix/", "right/")) or name == "localtime":
        return None
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):  # OSError: the name of a folder, such as "Europe"
        return None


@cache
def graph(name: str) -> ZoneInfo | None:
    """The rules behind a name that Graph takes (Windows, or an IANA name on its list), or None."""
    if name == "UTC":
        return UTC_ZONE
    if name in win_tz:
        return iana(win_tz[name])
    if name in GRAPH_IANA_NAMES:
        return iana(NOT_IANA.get(name, name))
    return None


def windows_names() -> list[str]:
    """Every Windows zone name, sorted, as outlook/supportedTimeZones gives them."""
    return sorted(win_tz)


def instant(local: datetime, zone: ZoneInfo, shift: timedelta = timedelta()) -> datetime:
    """The UTC instant of a wall clock time; `shift` makes the zone's rules wrong by that much, on purpose."""
    return local.replace(tzinfo=zone).astimezone(UTC) - shift


def wall_clock(at: datetime, zone: ZoneInfo, shift: timedelta = timedelta()) -> datetime:
    """What a clock in the zone shows at an instant, without tzinfo; the reverse of `instant`."""
    return (at + shift).astimezone(zone).replace(tzinfo=None)
