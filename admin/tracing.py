"""Spans of what we do, for an OpenTelemetry collector where `[telemetry]` names one; otherwise nothing.

A port of one function, `span`. What sends spans, `admin.otel`, is imported only while there is a collector.
"""

from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractContextManager, asynccontextmanager, nullcontext
from enum import StrEnum
from types import MappingProxyType
from typing import Protocol

from config.errors import ConfigError
from config.sections import TelemetrySettings

Facts = Mapping[str, str | int]
_NO_FACTS: Facts = MappingProxyType({})


class Kind(StrEnum):
    """Which side of a conversation a span is."""

    INTERNAL = "internal"
    SERVER = "server"
    CLIENT = "client"
    PRODUCER = "producer"
    CONSUMER = "consumer"


class Span(Protocol):
    """Something that takes its time. Ids and numbers only, as in the log."""

    @property
    def traceparent(self) -> str:
        """What makes another span its child, or links to it (W3C Trace Context); empty without a tracer."""
        ...

    def note(self, facts: Facts) -> None:
        """Adds what became known."""
        ...

    def fail(self, what: str) -> None:
        """Says that it went wrong, by a class or a code."""
        ...


class Tracer(Protocol):
    """What makes spans and sends them."""

    def span(
        self, name: str, kind: Kind, facts: Facts, *, parent: str, link: str
    ) -> AbstractContextManager[Span]:
        """See the function of this name."""
        ...

    async def end(self) -> None:
        """Sends what is left, for as long as that takes no more than a moment."""
        ...


class _NoSpan:
    traceparent = ""

    def note(self, facts: Facts) -> None:
        pass

    def fail(self, what: str) -> None:
        pass


_NOTHING: AbstractContextManager[Span] = nullcontext(_NoSpan())
_tracer: Tracer | None = None


def span(
    name: str, kind: Kind = Kind.INTERNAL, facts: Facts = _NO_FACTS, *, parent: str = "", link: str = ""
) -> AbstractContextManager[Span]:
    """Gives a span that lasts as long as it is entered.

    Args:
        name: what is done; one of a few.
        kind: which side of a conversation it is.
        facts: its attributes.
        parent: the `traceparent` of a span elsewhere that this one is a child of; by default it is one of the
            span that is entered here, or the root of a new trace.
        link: the `traceparent` of a span elsewhere that this one has to do with.
    """
    return _NOTHING if _tracer is None else _tracer.span(name, kind, facts, parent=parent, link=link)


@asynccontextmanager
async def tracing(settings: TelemetrySettings, process: str) -> AsyncIterator[None]:
    """Sends spans as long as it is entered. Raises `ConfigError` where what sends them is not installed."""
    global _tracer  # noqa: PLW0603 - there is one of each process, as there is one log
    if settings.otlp_endpoint is None:
        yield
        return
    _tracer = tracer = _sending_to(settings.otlp_endpoint, process)
    try:
        yield
    finally:
        _tracer = None
        await tracer.end()


def _sending_to(endpoint: str, process: str) -> Tracer:
    try:
        from admin.otel import OtelTracer  # noqa: PLC0415 - only who asks for traces pays for them
    except ImportError as error:
        problem = (
            f"telemetry.otlp_endpoint: traces need OpenTelemetry, but {error.name} is not installed; "
            "pip install 'sequence-sync[otel]', or take the key out"
        )
        raise ConfigError([problem]) from None
    return OtelTracer(endpoint, process)
