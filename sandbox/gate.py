"""The gate every look-alike's request passes: it is noted, and faults hit it here."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass, replace

from aiohttp import web

from sandbox import fault_answers
from sandbox.answers import Refused
from sandbox.faults import Fault, FaultError, parse
from sandbox.journal import DROPPED, RequestRecord, kept_headers
from sandbox.state import STATE, State

FAULT_HEADER = "X-Sandbox-Fault"
HOLD_CHECK_SECONDS = 0.05


@dataclass(frozen=True, slots=True)
class Call:
    """A request with its body read, and the state it is about."""

    state: State
    request: web.Request
    body: bytes

    @property
    def bearer(self) -> str:
        """The access token, or nothing."""
        scheme, _, token = self.request.headers.get("Authorization", "").partition(" ")
        return token.strip() if scheme.lower() == "bearer" else ""


Handle = Callable[[Call], web.Response]
Refuse = Callable[[Call, Refused], web.Response]
Admission = Callable[[Call], AbstractContextManager[None]]
AiohttpHandler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@contextmanager
def admit_all(_call: Call) -> Iterator[None]:
    """The admission of a vendor that counts nobody."""
    yield


def answer_plainly(_call: Call, refused: Refused) -> web.Response:
    """The refusal as it stands."""
    return refused.answer()


@dataclass(frozen=True, slots=True)
class Gate:
    """The way into one vendor's endpoints.

    `refuse` puts a refusal into the vendor's final shape. `admission` surrounds the whole request, delays
    included, and may raise Refused. `secret` keeps bodies out of the journal.
    """

    provider: str
    refuse: Refuse = answer_plainly
    admission: Admission = admit_all
    secret: bool = False

    def around(self, handle: Handle) -> AiohttpHandler:
        """An aiohttp handler around `handle`, which does its work at once and never waits."""

        async def respond(request: web.Request) -> web.StreamResponse:
            call = Call(request.app[STATE], request, await request.read())
            answer: web.Response | None = None
            faults: list[Fault] = []
            try:
                with self.admission(call):
                    faults = self._faults(call)
                    answer = await self._carry_out(call, handle, faults)
            except Refused as refused:
                answer = self.refuse(call, refused)
            except FaultError as error:
                answer = web.Response(status=400, text=str(error))
            finally:
                self._note(call, answer, faults)
            return _cut(request) if answer is None else answer

        return respond

    def _faults(self, call: Call) -> list[Fault]:
        header = call.request.headers.get(FAULT_HEADER)
        asked = [parse(header)] if header else []
        if asked and asked[0].answers:
            return asked
        return asked + call.state.faults.take(self.provider, call.request.method, call.request.path)

    async def _carry_out(self, call: Call, handle: Handle, faults: list[Fault]) -> web.Response | None:
        """The answer, or None where the connection is to be cut without one."""
        if not faults:
            return self._handled(call, handle)
        await _delay(faults, "before")
        last = faults[-1]
        if last.kind == "drop":
            return None
        instead = fault_answers.before(self.provider, last)
        if instead is not None:
            return instead
        if last.kind == "late":
            await _hold(call, for_client=False)
        if last.kind == "stripped":
            call = replace(call, body=fault_answers.stripped(call.body))
        answer = self._handled(call, handle)
        await _delay(faults, "after")
        if last.kind == "drop_after":
            return None
        if last.kind == "hold":
            await _hold(call, for_client=True)
        hiding = fault_answers.after(self.provider, last)
        return answer if hiding is None else hiding

    def _handled(self, call: Call, handle: Handle) -> web.Response:
        try:
            return handle(call)
        except Refused as refused:
            return self.refuse(call, refused)

    def _note(self, call: Call, answer: web.Response | None, faults: list[Fault]) -> None:
        call.state.journal.add(
            RequestRecord(
                time=call.state.clock(),
                provider=self.provider,
                method=call.request.method,
                path=call.request.path,
                query=call.request.query_string,
                status=DROPPED if answer is None else answer.status,
                headers=kept_headers(call.request.headers),
                body=None if self.secret else call.body,
                faults=[str(fault) for fault in faults],
            )
        )


async def _delay(faults: list[Fault], when: str) -> None:
    for fault in faults:
        if fault.kind == "delay" and fault.params.get("when", "before") == when:
            await asyncio.sleep(fault.number("seconds", 1))


async def _hold(call: Call, *, for_client: bool) -> None:
    """Wait for a release; `for_client`, for no longer than the client waits."""
    released = asyncio.Event()
    held = call.state.faults.held
    held.add(released)
    try:
        while not released.is_set() and (not for_client or _is_there(call.request)):
            with suppress(TimeoutError):
                await asyncio.wait_for(released.wait(), HOLD_CHECK_SECONDS)
    finally:
        held.discard(released)


def _is_there(request: web.Request) -> bool:
    return request.transport is not None and not request.transport.is_closing()


def _cut(request: web.Request) -> web.Response:
    if request.transport is not None:
        request.transport.abort()
    return web.Response()
