"""Fit a template to a GPU: the pipeline judges, and the template says what else would do."""

from __future__ import annotations

from typing import Any, NamedTuple

from llmcfg.checking.hardware import check_requirements
from llmcfg.diagnostics import ERROR, INFO, Diagnostic
from llmcfg.document import Document
from llmcfg.gpus import CPU, Gpu
from llmcfg.pipeline import Request, run
from llmcfg.starter.templates import Path, Setting, Template

ASSUMED_MEMORY = 24.0
"""GiB of each card, where no GPU is named."""


class Written(NamedTuple):
    """A parameter with the value that was chosen for it."""

    path: Path
    value: Any
    why: str | None


class Starter(NamedTuple):
    """A template fitted to a GPU and a model."""

    template: Template
    model: str
    gpu: str | None
    settings: list[Written]


class Misfit(Exception):
    """The template does not suit the GPU; ``problem`` says why."""

    def __init__(self, problem: Diagnostic) -> None:
        self.problem = problem
        super().__init__(problem.message)


def fit(template: Template, gpu: Gpu | None, model: str | None) -> Starter:
    """Choose the values that draw no error and no warning on this GPU.

    Raises:
        Misfit: if the GPU is none that the template is for, or a parameter without other choices is refused.
    """
    if gpu is not None:
        _suited(template, gpu)
    memory = template.gpus * (gpu.memory if gpu is not None and gpu is not CPU else ASSUMED_MEMORY)
    model = model or template.model(memory)
    left = template.settings(memory)
    while problem := _problem(template, _first(left), model, gpu):
        left = _without(left, problem)
    return Starter(template, model, gpu.name if gpu is not None else _only_gpu(template), _first(left))


def _suited(template: Template, gpu: Gpu) -> None:
    for found in check_requirements(template.requires, f"the template {template.name}", (), gpu):
        if found.severity == ERROR:
            raise Misfit(found)


def _only_gpu(template: Template) -> str | None:
    """Return ``none`` for a template that is for machines without a GPU."""
    return CPU.name if template.requires[0].get("platform") == ["cpu"] else None


def _problem(template: Template, settings: list[Written], model: str, gpu: Gpu | None) -> Diagnostic | None:
    document = Document({"model": model, template.backend: nested(settings)})
    asked = Request(template.backend, gpu.name if gpu is not None else _only_gpu(template))
    found = run(document, asked).diagnostics
    return next((item for item in found if item.severity != INFO), None)


def nested(settings: list[Written]) -> dict[str, Any]:
    """Return the settings as the data of a section."""
    section: dict[str, Any] = {}
    for setting in settings:
        holder = section
        for key in setting.path[:-1]:
            holder = holder.setdefault(key, {})
        holder[setting.path[-1]] = setting.value
    return section


def _first(left: list[Setting]) -> list[Written]:
    return [Written(setting.path, setting.choices[0], setting.why) for setting in left]


def _without(left: list[Setting], problem: Diagnostic) -> list[Setting]:
    """Give up the present choice of the parameter that the problem is about."""
    for i, setting in enumerate(left):
        if setting.path == problem.path[1:]:
            others = setting.choices[1:]
            if others or setting.optional:
                return [*left[:i], *([setting._replace(choices=others)] if others else []), *left[i + 1 :]]
    raise Misfit(problem)
