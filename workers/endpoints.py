"""The company's own addresses that callbacks are passed on to: one POST, and what its answer means."""

from collections import Counter
from http import HTTPStatus

import aiohttp
from yarl import URL

from bookings.record import Forward
from config.fields import is_odd_address
from network.outgoing import Outgoing
from network.refusals import Refusal, Unreached
from workers.errors import CalendarError, ErrorClass
from workers.retry_after import retry_after
from workers.trail import request_trail

_PASSES = frozenset({HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_EARLY, HTTPStatus.TOO_MANY_REQUESTS})


class Endpoints:
    """Posts callbacks, over connections of its own: none to a private address without leave.

    Args:
        outgoing: the way there, as far as no connection is shared with other requests.
        timeout_s: how long one request may take.
        at_a_time: requests under way to one address; for more, `is_full` says so.
    """

    def __init__(self, outgoing: Outgoing, *, timeout_s: float, at_a_time: int) -> None:
        self._timeout_s = timeout_s
        self._at_a_time = at_a_time
        self._under_way: Counter[str] = Counter()
        self._ways = {private: outgoing.apart(public_only=not private) for private in (True, False)}

    def is_full(self, url: str) -> bool:
        """Whether as many requests are under way to an address as may be."""
        return self._under_way[url] >= self._at_a_time

    async def post(self, url: str, forward: Forward, *, delivery: str, private: bool) -> None:
        """Passes a callback on, byte for byte. Raises `CalendarError`.

        PERMANENT where the same request cannot succeed: refused by the address, led elsewhere, to a private
        network without leave (`private`), or to digits that are no address. TRANSIENT where it fails, does
        not answer, or asks to wait.
        """
        headers = {
            "Content-Type": "application/json; charset=utf-8",
            "Cronofy-HMAC-SHA256": forward.signature,
            "Sequence-Sync-Delivery": delivery,
            "User-Agent": "sequence-sync",
        }
        self._under_way[url] += 1
        try:
            if is_odd_address(URL(url, encoded=True).host or ""):
                raise CalendarError(ErrorClass.PERMANENT, "no_address")
            with request_trail("POST", url) as request:
                async with self._ways[private].request(
                    "POST", url, body=forward.body, headers=headers, timeout_s=self._timeout_s
                ) as response:
                    request.note({"http.response.status_code": response.status})
                    _raise_for(response)
        except Unreached as error:
            refused = error.code is Refusal.PRIVATE_ADDRESS
            raise CalendarError(
                ErrorClass.PERMANENT if refused else ErrorClass.TRANSIENT, error.code
            ) from None
        except ValueError as error:  # no address, or no header, that HTTP can carry
            raise CalendarError(ErrorClass.PERMANENT, type(error).__name__) from None
        finally:
            self._under_way[url] -= 1

    async def aclose(self) -> None:
        """Closes the connections."""
        for way in self._ways.values():
            await way.aclose()


def _raise_for(response: aiohttp.ClientResponse) -> None:
    status = response.status
    if 200 <= status < 300:
        return
    if status >= 500 or status in _PASSES:
        raise CalendarError(
            ErrorClass.TRANSIENT,
            f"status {status}",
            retry_after=retry_after(response.headers),
        )
    code = "redirect_not_followed" if 300 <= status < 400 else f"status {status}"
    raise CalendarError(ErrorClass.PERMANENT, code)
