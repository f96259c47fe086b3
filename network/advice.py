"""What each refusal is in words, and what to do about it: one table for `check`, the console and the docs."""

from typing import Final, NamedTuple

from network.refusals import Refusal


class Advice(NamedTuple):
    """Words that follow "…: ", and what an operator does."""

    words: str
    remedy: str


_ADVICE: Final = {
    Refusal.PROXY_LOGIN_REQUIRED: Advice(
        "the proxy wants a login (407)",
        "set network.proxy_username and network.proxy_password to what the proxy knows",
    ),
    Refusal.PROXY_REFUSED: Advice(
        "the proxy does not let it through",
        "have the proxy's rules allow this host and port, or list the host in network.no_proxy",
    ),
    Refusal.PROXY_UNREACHABLE: Advice(
        "the proxy does not answer",
        "see network.proxy (or HTTPS_PROXY), and that this machine may connect to it",
    ),
    Refusal.CERTIFICATE_UNKNOWN_AUTHORITY: Advice(
        "its certificate is not signed by a known authority",
        "set network.ca_file to the authority that signs it; where TLS is inspected, that of the company",
    ),
    Refusal.CERTIFICATE_EXPIRED: Advice(
        "its certificate has expired, or is not valid yet",
        "see this machine's clock; then have the certificate renewed",
    ),
    Refusal.CERTIFICATE_OTHER_NAME: Advice(
        "its certificate is for another name",
        "see that the address is right, and where its name leads; something else answers there",
    ),
    Refusal.CERTIFICATE_REFUSED: Advice(
        "its certificate breaks a rule of TLS",
        "docs/network.md, Certificates; have it issued again with the usual extensions",
    ),
    Refusal.TLS_FAILED: Advice(
        "TLS could not be agreed on",
        "see that the address speaks TLS, 1.2 or newer, and that nothing in between cuts it off",
    ),
    Refusal.UNKNOWN_HOST: Advice(
        "its name is not known",
        "see this machine's DNS; where only a proxy leads outside, set network.proxy",
    ),
    Refusal.CONNECTION_REFUSED: Advice(
        "it refuses connections",
        "see the address and its port; where only a proxy leads outside, set network.proxy",
    ),
    Refusal.UNREACHABLE: Advice(
        "there is no way to it",
        "see routes and firewalls; where only a proxy leads outside, set network.proxy",
    ),
    Refusal.CONNECTION_LOST: Advice(
        "the connection was lost",
        "nothing, where it passes; otherwise see what stands between, a firewall or a proxy",
    ),
    Refusal.TIMED_OUT: Advice(
        "it did not answer in time",
        "see firewalls, which may drop in silence; where only a proxy leads outside, set network.proxy",
    ),
    Refusal.PRIVATE_ADDRESS: Advice(
        "its address is private",
        "set forward_to_private = true for the app, if it may be",
    ),
    Refusal.UNREADABLE_ANSWER: Advice(
        "its answer is no HTTP",
        "see the address, and what stands between",
    ),
}

OF_CERTIFICATES: Final = frozenset(each for each in Refusal if each.startswith("certificate_"))
OF_THE_PROXY: Final = frozenset(each for each in Refusal if each.startswith("proxy_"))


def advice(refusal: Refusal) -> Advice:
    """What a refusal means."""
    return _ADVICE[refusal]


def advice_on(code: str) -> Advice | None:
    """What a code means; None where it is of something else, a provider's own for example."""
    return next((said for refusal, said in _ADVICE.items() if refusal == code), None)
