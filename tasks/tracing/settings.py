"""The setting of traces, of web and workers alike. The library reads its others from the environment itself."""

from __future__ import annotations

import dataclasses

from tasks.jobs.environment import setting


@dataclasses.dataclass(frozen=True, kw_only=True)
class TracingSettings:
    """Where spans are sent."""

    endpoint: str = setting(
        "OTEL_EXPORTER_OTLP_ENDPOINT",
        "Where OpenTelemetry spans go, by OTLP over HTTP, such as `http://collector:4318`; empty: there are none. It "
        "needs `requirements-otel.txt`, whose library also reads `OTEL_EXPORTER_OTLP_HEADERS`, `OTEL_TRACES_SAMPLER` "
        "and `OTEL_RESOURCE_ATTRIBUTES`.",
        default="",
    )
