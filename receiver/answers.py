"""What the public port says, and how: always JSON, never a 500."""

import structlog
from aiohttp import web

from admin.ports.answers import Answer, headers_of
from admin.sampling import Sampled
from receiver.metrics import RECEIVED

_log = structlog.get_logger()
unsigned = Sampled(_log)
"""Where what anybody can have us say is logged: not a line each."""


class Refused(Exception):
    """The request is answered with an error; nothing was stored, or it is not known whether it was.

    `facts` are for the log: nothing that came without a signature is among them.
    """

    def __init__(self, status: int, error: str, /, **facts: str) -> None:
        super().__init__(error)
        self.status = status
        self.error = error
        self.facts = facts

    @property
    def is_signed(self) -> bool:
        """Whether it came from somebody with a secret."""
        return "delivery" in self.facts


class NoCallback(Refused):
    """So is what nobody who has a callback would send."""


def answer_to(request: web.BaseRequest, error: Exception) -> Answer:
    """Gives the answer to a request that went wrong so."""
    match error:
        case Refused():
            return _refusal(request, error)
        case ConnectionError():
            return Answer(400, {"error": "connection_lost"})  # nobody is there to read it
        case _:
            _log.error("request_failed", exc_info=error)
            RECEIVED.labels("failed").inc()
            return Answer(503, {"error": "failed"}, headers_of(503))


_EARLY = {
    "malformed": RECEIVED.labels("malformed"),
    "head_too_slow": RECEIVED.labels("head_too_slow"),
    "head_too_large": RECEIVED.labels("head_too_large"),
    "body_too_slow": RECEIVED.labels("body_too_slow"),
    "body_too_large": RECEIVED.labels("body_too_large"),
    "body_in_too_many_chunks": RECEIVED.labels("body_in_too_many_chunks"),
    "transfer_encoding_not_accepted": RECEIVED.labels("transfer_encoding_not_accepted"),
    "answer_not_read": RECEIVED.labels("answer_not_read"),
    "too_many_connections": RECEIVED.labels("too_many_connections"),
    "too_much_at_once": RECEIVED.labels("too_much_at_once"),
}


def count_refused(status: int, error: str) -> None:
    """Counts, and logs, what was refused before it was a request that could be answered."""
    _EARLY[error].inc()
    unsigned.log("info", "request_refused", status=status, reason=error)


def _refusal(request: web.BaseRequest, refused: Refused) -> Answer:
    if isinstance(refused, NoCallback):
        RECEIVED.labels("not_found" if refused.status == 404 else "refused").inc()
        unsigned.log("info", "request_refused", status=refused.status)
    else:
        RECEIVED.labels(refused.error).inc()
        level = "error" if refused.status >= 500 else "warning"
        facts = {"status": refused.status, "reason": refused.error, **refused.facts}
        if refused.is_signed:
            getattr(_log, level)("callback_refused", **facts)
        else:
            unsigned.log(level, "callback_refused", **facts)
    headers = headers_of(refused.status)
    if refused.status == 405:
        headers["Allow"] = "POST"
    answer = Answer(refused.status, {"error": refused.error}, headers)
    if not request.content.is_eof() or "Upgrade" in request.headers:
        answer.force_close()  # the rest of the body is not worth reading
    return answer
