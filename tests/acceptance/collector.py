"""Stands in for an OpenTelemetry collector: takes OTLP over HTTP, as collectors do, and keeps the spans."""

from typing import NamedTuple, Self

from aiohttp import web
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)
from opentelemetry.proto.common.v1.common_pb2 import KeyValue
from opentelemetry.proto.trace.v1 import trace_pb2


class SeenSpan(NamedTuple):
    """A span as it arrived; ids in hexadecimal, `parent` empty for a root, `links` as (trace, span)."""

    service: str
    name: str
    kind: str
    trace: str
    id: str
    parent: str
    links: tuple[tuple[str, str], ...]
    facts: dict[str, str | int]
    failed: str
    """What was said of its failure; empty where it went well."""


class Collector:
    """Listens on a port of its own; an async context manager."""

    def __init__(self) -> None:
        self.spans: list[SeenSpan] = []
        self.url = ""
        app = web.Application()
        app.router.add_post("/v1/traces", self._take)
        self._runner = web.AppRunner(app)

    async def __aenter__(self) -> Self:
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self.url = f"http://127.0.0.1:{self._runner.addresses[0][1]}"
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._runner.cleanup()

    async def _take(self, request: web.Request) -> web.Response:
        batch = ExportTraceServiceRequest.FromString(await request.read())
        for of_resource in batch.resource_spans:
            service = _facts(of_resource.resource.attributes)["service.name"]
            for of_scope in of_resource.scope_spans:
                self.spans += [_seen(str(service), span) for span in of_scope.spans]
        body = ExportTraceServiceResponse().SerializeToString()
        return web.Response(body=body, content_type="application/x-protobuf")

    def named(self, name: str) -> list[SeenSpan]:
        """The spans of this name, in the order in which they arrived."""
        return [span for span in self.spans if span.name == name]


def _seen(service: str, span: trace_pb2.Span) -> SeenSpan:
    return SeenSpan(
        service=service,
        name=span.name,
        kind=trace_pb2.Span.SpanKind.Name(span.kind).removeprefix("SPAN_KIND_").lower(),
        trace=span.trace_id.hex(),
        id=span.span_id.hex(),
        parent=span.parent_span_id.hex(),
        links=tuple((link.trace_id.hex(), link.span_id.hex()) for link in span.links),
        facts=_facts(span.attributes),
        failed=span.status.message if span.status.code == trace_pb2.Status.STATUS_CODE_ERROR else "",
    )


def _facts(attributes: "list[KeyValue]") -> dict[str, str | int]:
    return {each.key: each.value.string_value or each.value.int_value for each in attributes}
