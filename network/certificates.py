"""Whose certificates are trusted: one context for both HTTP libraries.

The system's authorities come by OpenSSL's own rules, SSL_CERT_FILE and SSL_CERT_DIR included; those of
`network.ca_file` and of REQUESTS_CA_BUNDLE or CURL_CA_BUNDLE, which requests and curl know, are added.
"""

import ssl
from collections.abc import Iterable
from functools import cache
from pathlib import Path

from config.errors import ConfigError


def context_of(authorities: Iterable[Path]) -> ssl.SSLContext:
    """The system's authorities, and those of some files (or folders) in addition. Raises `ConfigError`.

    One for all who trust the same: to read the system's takes a twentieth of a second, and connections are
    shared by it.
    """
    return _made(tuple(dict.fromkeys(authorities)))


@cache
def _made(authorities: tuple[Path, ...]) -> ssl.SSLContext:
    context = ssl.create_default_context()
    for path in authorities:
        try:
            context.load_verify_locations(**{"capath" if path.is_dir() else "cafile": str(path)})
        except OSError as error:  # of which ssl.SSLError is one
            why = (error.strerror or "no certificate in it").lower()
            raise ConfigError(
                [f"no certificate authorities can be read from {path} ({why}); make it a PEM file of them"]
            ) from None
    if authorities:
        # Python 3.13 asks for extensions (RFC 5280) that the roots of many companies lack, and takes an
        # intermediate for an anchor: with authorities that somebody named, every version does the same.
        context.verify_flags &= ~ssl.VERIFY_X509_STRICT
        context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    return context
