"""Everything that is checked without a program: the schemas, then our own rules, which see what schemas do not."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from deploy.kubernetes.checks import hardening, references, routing, scaling, schemas, settings
from deploy.kubernetes.checks.build import Manifest
from deploy.kubernetes.checks.model import Cluster

Rule = Callable[[Cluster], Iterator[str]]

RULES: tuple[Rule, ...] = (
    references.selectors,
    references.peers,
    references.ports,
    references.backends,
    routing.timeouts,
    routing.bodies,
    references.volumes,
    references.unused,
    settings.environments,
    settings.probes,
    settings.processes,
    settings.times,
    hardening.quantities,
    hardening.pods,
    hardening.network,
    hardening.isolation,
    hardening.availability,
    scaling.monitors,
    scaling.scaled,
)


def faults(manifests: list[Manifest], versions: tuple[str, ...] = schemas.VERSIONS) -> list[str]:
    """What is wrong, as sentences."""
    # The rules read what the schemas promise.
    return list(schemas.faults(manifests, versions)) or list(_ours(Cluster(manifests)))


def _ours(cluster: Cluster) -> Iterator[str]:
    for rule in RULES:
        yield from rule(cluster)
