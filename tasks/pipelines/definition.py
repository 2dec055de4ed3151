"""The definition of a pipeline: its steps, checks and batches, as they are written in JSON."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tasks.pipelines.checks import parse
from tasks.pipelines.description import Batching, Model, Step

MOST_STEPS = 20
MOST_MODELS = 10  # of a step: the one that counts and its shadows
MOST_CHECKS = 50
LARGEST_BATCH = 1024
LONGEST_DELAY = 1.0  # seconds

SEVERAL = "ModelInference"
CHECK = "Check"


@dataclass(frozen=True)
class Definition:
    """What a definition says. Each step names a model and its shadows, as `{name, version?, sha?}`.

    `{"steps": [{"ModelInference": {"models": [model, shadow, …]}}, {"Check": {"expr": "main < 0.9"}}],
    "batching": {"max_batch": 32, "max_delay": 0.005}}`; the list of steps alone will do.
    """

    steps: tuple[tuple[Mapping[str, Any], ...], ...] = ()
    checks: tuple[str, ...] = ()
    batching: Batching = Batching()

    @classmethod
    def read(cls, given: Any) -> Definition:
        """Read a definition. Raises ValueError that says what is wrong."""
        whole = given if isinstance(given, Mapping) else {"steps": given}
        unknown = whole.keys() - {"steps", "batching"}
        if unknown:
            raise ValueError(f"{min(map(str, unknown))[:60]} is unknown; known are steps and batching")
        steps = whole.get("steps") or []
        if not isinstance(steps, list) or len(steps) > MOST_STEPS + MOST_CHECKS:
            raise ValueError(f"steps must be a list of {MOST_STEPS} steps and {MOST_CHECKS} checks at most")
        entries = [_entry(step) for step in steps]
        models = tuple(_models(value) for kind, value in entries if kind == SEVERAL)
        checks = tuple(_check(value) for kind, value in entries if kind == CHECK)
        if len(models) > MOST_STEPS or len(checks) > MOST_CHECKS:
            raise ValueError(f"there are {MOST_STEPS} steps and {MOST_CHECKS} checks at most")
        return cls(models, checks, _batching(whole.get("batching") or {}))

    @property
    def checked_outputs(self) -> set[str]:
        return {output for check in self.checks for output in parse(check).outputs}

    def resolve(self, known: Sequence[Model]) -> tuple[Step, ...]:
        """The steps with the models that they name, of those of a workspace: the latest where no version is named."""
        found = [[_find(named, known) for named in step] for step in self.steps]
        return tuple(Step(model, tuple(shadows)) for model, *shadows in found)


def written(steps: Iterable[Sequence[Model]], checks: Iterable[str], batching: Batching) -> dict[str, Any]:
    """The definition of a pipeline of these models, each with its shadows."""
    models = [[{"name": model.name, "version": model.version} for model in step] for step in steps]
    return {
        "steps": [*({SEVERAL: {"models": step}} for step in models), *({CHECK: {"expr": each}} for each in checks)],
        "batching": {"max_batch": batching.max_batch, "max_delay": batching.max_delay},
    }


def _entry(step: Any) -> tuple[str, Mapping[str, Any]]:
    if isinstance(step, Mapping) and len(step) == 1:
        kind, value = next(iter(step.items()))
        if kind in (SEVERAL, CHECK) and isinstance(value, Mapping):
            return kind, value
    raise ValueError(f"each step must be an object with one of {SEVERAL} and {CHECK}")


def _models(value: Mapping[str, Any]) -> tuple[Mapping[str, Any], ...]:
    models = value.get("models")
    if not isinstance(models, list) or not 0 < len(models) <= MOST_MODELS:
        raise ValueError(f"{SEVERAL} must have 1 to {MOST_MODELS} models")
    for each in models:
        if not isinstance(each, Mapping) or not isinstance(each.get("name"), str):
            raise ValueError("each model must be an object with its name")
    return tuple({name: str(each[name]) for name in ("name", "version", "sha") if each.get(name)} for each in models)


def _check(value: Mapping[str, Any]) -> str:
    text = value.get("expr")
    if not isinstance(text, str):
        raise ValueError(f"{CHECK} must have an expr, such as `main < 0.9`")
    return parse(text).text


def _batching(given: Any) -> Batching:
    if not isinstance(given, Mapping) or given.keys() - {"max_batch", "max_delay"}:
        raise ValueError("batching must be an object of max_batch and max_delay")
    found = Batching(given.get("max_batch", 1), given.get("max_delay", 0.0))
    if type(found.max_batch) is not int or not 0 < found.max_batch <= LARGEST_BATCH:
        raise ValueError(f"max_batch must be a whole number from 1 to {LARGEST_BATCH}")
    if type(found.max_delay) not in (int, float) or not 0 <= found.max_delay <= LONGEST_DELAY:
        raise ValueError(f"max_delay must be seconds from 0 to {LONGEST_DELAY:g}")
    return found


def _find(named: Mapping[str, Any], known: Sequence[Model]) -> Model:
    fits = [
        model
        for model in known
        if model.name == named["name"]
        and named.get("version") in (None, model.version)
        and named.get("sha") in (None, model.sha)
    ]
    if not fits:
        raise ValueError(f"there is no such model {named['name']} in its workspace")
    return fits[-1]
