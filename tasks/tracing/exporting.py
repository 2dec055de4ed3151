"""Spans by OpenTelemetry, sent by OTLP over HTTP. Loaded only where a collector is named."""

from __future__ import annotations

from typing import Any

from tasks import tracing
from tasks.jobs import logs
from tasks.tracing import Kind, Span
from tasks.tracing.settings import TracingSettings

log = logs.get_logger(__name__)

EVERY = 1000  # ms between two deliveries: a process that is killed loses so much
PATIENCE = 5  # seconds that the collector has


def start(settings: TracingSettings, service: str) -> None:
    """Make spans in this process, if a collector is named. After the fork: it starts a thread.

    Without the library the process goes on, and says so: traces are not worth an outage.
    """
    if not settings.endpoint:
        return
    try:
        tracing.use(_Spans(settings.endpoint.rstrip("/"), service))
    except ImportError as error:
        log.error("tracing.not_installed", install="requirements-otel.txt", error=error)


class _Spans:
    def __init__(self, endpoint: str, service: str) -> None:
        from opentelemetry import trace  # noqa: PLC0415 - not installed by default
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter  # noqa: PLC0415
        from opentelemetry.sdk.resources import Resource  # noqa: PLC0415
        from opentelemetry.sdk.trace import TracerProvider  # noqa: PLC0415
        from opentelemetry.sdk.trace.export import BatchSpanProcessor  # noqa: PLC0415
        from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator  # noqa: PLC0415

        exporter = OTLPSpanExporter(endpoint=f"{endpoint}/v1/traces", timeout=PATIENCE)
        provider = TracerProvider(resource=Resource.create({"service.name": service}))
        provider.add_span_processor(BatchSpanProcessor(exporter, schedule_delay_millis=EVERY))
        self._tracer = provider.get_tracer("slipway")
        self._context = TraceContextTextMapPropagator()
        self._api = trace

    def begin(self, name: str, kind: Kind, parent: str) -> Span:
        context = self._context.extract({"traceparent": parent} if parent else {})
        made = self._api.SpanKind[kind.upper()]
        return _Recorded(self._tracer.start_span(name, context, made), self)

    def traceparent(self, span: Any) -> str:
        carrier: dict[str, str] = {}
        self._context.inject(carrier, self._api.set_span_in_context(span))
        return carrier["traceparent"]

    def fail(self, span: Any) -> None:
        span.set_status(self._api.StatusCode.ERROR)


class _Recorded:
    def __init__(self, span: Any, spans: _Spans) -> None:
        self._span = span
        self._spans = spans
        self.traceparent = spans.traceparent(span)

    def end(self, name: str = "", *, failed: bool = False, **attributes: str | int) -> None:
        if name:
            self._span.update_name(name)
        self._span.set_attributes({key.replace("_", "."): value for key, value in attributes.items()})
        if failed:
            self._spans.fail(self._span)
        self._span.end()
