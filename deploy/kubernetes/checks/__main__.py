"""`make manifests`: build everything, and check it in every way there is."""

from __future__ import annotations

import sys
from collections.abc import Iterable

from deploy.kubernetes.checks import checkov, rules, schemas
from deploy.kubernetes.checks.build import OVERLAYS, ROOT, Manifest, build, build_combination, combinations


def main() -> int:
    overlays = {name: build(ROOT / "overlays" / name) for name in OVERLAYS}
    built = {f"overlay {name}": manifests for name, manifests in overlays.items()}
    for components in combinations():
        built[f"base + {' + '.join(components) or 'nothing'}"] = build_combination(components)
    fine = [_tell(name, manifests) for name, manifests in built.items()]
    checkov.install()
    fine += [_tell_checkov(name, manifests) for name, manifests in overlays.items()]
    print(f"\n{sum(fine)} of {len(fine)} checks passed.")
    return 0 if all(fine) else 1


def _tell(name: str, manifests: list[Manifest]) -> bool:
    found = rules.faults(manifests)
    _print(
        name,
        not found,
        f"{len(manifests)} manifests, Kubernetes {schemas.VERSIONS[0]} to {schemas.VERSIONS[-1]}",
        found,
    )
    return not found


def _tell_checkov(name: str, manifests: list[Manifest]) -> bool:
    outcome = checkov.run(name, manifests)
    excepted = checkov.EXCEPTIONS.get(name, {})
    remark = f"{outcome.passed} passed" + (f", without {', '.join(excepted)}" if excepted else "")
    fine = outcome.passed > 0 and not outcome.failed
    _print(f"checkov {name}", fine, remark, outcome.failed)
    return fine


def _print(name: str, fine: bool, remark: str, faults: Iterable[str]) -> None:
    print(f"{'ok  ' if fine else 'FAIL'} {name:72} {remark}")
    for fault in faults:
        print(f"       {fault}")


if __name__ == "__main__":
    sys.exit(main())
