"""Certificates and client secrets of Microsoft applications, before they end."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from cli.checks.finding import Finding, right, warning, wrong
from config.accounts import MicrosoftAccount
from config.certificate import client_certificate
from config.settings import Settings

_SOON = timedelta(days=30)
_RENEW = "make a new one, add it to the application in Entra beside the old one, then replace the file"


def certificates(settings: Settings, now: datetime) -> Iterator[Finding]:
    """A line for each account with a certificate: until when it is good."""
    for account in settings.accounts:
        if not isinstance(account, MicrosoftAccount) or account.certificate is None:
            continue
        found = client_certificate(account.certificate, account.certificate_passphrase)
        subject, ends = f"certificate {account.name}", f"{found.ends:%Y-%m-%d}"
        if now >= found.ends:
            yield wrong(subject, f"ended on {ends}", _RENEW)
        elif now < found.begins:
            begins = f"{found.begins:%Y-%m-%d %H:%M} UTC"
            yield wrong(subject, f"is good from {begins} on only", "wait, or use the former one until then")
        else:
            yield soon(subject, found.ends, now) or right(subject, f"good until {ends}")


def soon(subject: str, ends: datetime, now: datetime) -> Finding | None:
    """A warning about what ends within 30 days."""
    if ends - now >= _SOON:
        return None
    left = (ends - now).days
    return warning(subject, f"ends on {ends:%Y-%m-%d}, in {left} {'day' if left == 1 else 'days'}", _RENEW)
