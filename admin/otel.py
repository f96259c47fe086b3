"""Sends spans by OTLP over HTTP. Imported only where traces are asked for; see `admin.tracing`.

The SDK's own variables hold as far as nothing else is said: OTEL_EXPORTER_OTLP_HEADERS, OTEL_TRACES_SAMPLER,
OTEL_RESOURCE_ATTRIBUTES, OTEL_BSP_SCHEDULE_DELAY and so on.
"""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import version

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import OTELResourceDetector, Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from admin.tracing import Facts, Kind
from bookings.refusals import named

_END_WITHIN_S = 3.0
_CONTEXT = TraceContextTextMapPropagator()


class OtelTracer:
    """Makes spans of one process and sends them from a thread of its own; what cannot be sent is dropped.

    Args:
        endpoint: the collector's address; `/v1/traces` is added.
        process: `receiver` or `worker`.
    """

    def __init__(self, endpoint: str, process: str) -> None:
        release = version("sequence-sync")
        ours = Resource.create({"service.name": f"sequence-sync-{process}", "service.version": release})
        # Ended by ourselves: the SDK waits half a minute for a collector that hangs.
        self._provider = TracerProvider(
            resource=ours.merge(OTELResourceDetector().detect()), shutdown_on_exit=False
        )
        exporter = OTLPSpanExporter(endpoint=f"{endpoint}/v1/traces")
        self._provider.add_span_processor(BatchSpanProcessor(exporter))
        self._tracer = self._provider.get_tracer("sequence_sync", release)

    @contextmanager
    def span(self, name: str, kind: Kind, facts: Facts, *, parent: str, link: str) -> Iterator["OtelSpan"]:
        """See `admin.tracing.span`. Of an exception only its type is told: its words may be a meeting's."""
        linked = trace.get_current_span(_elsewhere(link)).get_span_context()
        with self._tracer.start_as_current_span(
            name,
            context=_elsewhere(parent) if parent else None,
            kind=trace.SpanKind[kind.name],
            attributes=facts,
            links=[trace.Link(linked)] if linked.is_valid else (),
            record_exception=False,
            set_status_on_exception=False,
        ) as span:
            ours = OtelSpan(span)
            try:
                yield ours
            except BaseException as error:
                ours.fail(named(error))
                raise

    async def end(self) -> None:
        """Sends what is left, if the collector takes it soon."""
        ending = threading.Thread(target=self._provider.shutdown, daemon=True)
        ending.start()
        await asyncio.to_thread(ending.join, _END_WITHIN_S)


class OtelSpan:
    """See `admin.tracing.Span`."""

    def __init__(self, span: trace.Span) -> None:
        self._span = span
        self._failed = False

    @property
    def traceparent(self) -> str:
        """What another process needs to go on with it."""
        carrier: dict[str, str] = {}
        _CONTEXT.inject(carrier, trace.set_span_in_context(self._span))
        return carrier.get("traceparent", "")

    def note(self, facts: Facts) -> None:
        """Adds what became known."""
        self._span.set_attributes(facts)

    def fail(self, what: str) -> None:
        """Marks it as failed; the first that is said of it stays."""
        if not self._failed:
            self._failed = True
            self._span.set_status(trace.StatusCode.ERROR, what)


def _elsewhere(traceparent: str) -> Context:
    """A context in which the span of this name is entered."""
    return _CONTEXT.extract({"traceparent": traceparent}, Context())
