"""The click application, made from the table of commands."""

from __future__ import annotations

from typing import Any

import click

from llmcfg import __version__
from llmcfg.cli.options import COMMANDS, GROUPS, Command, Option
from llmcfg.cli.quick import call

_CONTEXT = {"help_option_names": ["-h", "--help"], "max_content_width": 100}


def application() -> click.Group:
    """Return the ``llmcfg`` command."""
    group = click.Group(
        "llmcfg",
        context_settings=_CONTEXT,
        help="Check one YAML file for LLM inference, and compile it to exactly what the engine takes.",
        params=[
            click.Option(
                ["--version"],
                is_flag=True,
                is_eager=True,
                expose_value=False,
                callback=_print_version,
                help="Show the version and exit.",
            )
        ],
    )
    for name, command in COMMANDS.items():
        above, _, own = name.rpartition(" ")
        _subgroup(group, above).add_command(_command(own, command))
    return group


def _subgroup(group: click.Group, name: str) -> click.Group:
    if not name:
        return group
    if name not in group.commands:
        group.add_command(click.Group(name, help=GROUPS[name], context_settings=_CONTEXT))
    found = group.commands[name]
    assert isinstance(found, click.Group)  # noqa: S101 - names of groups and commands differ
    return found


def _print_version(context: click.Context, _: click.Parameter, value: bool) -> None:
    if value:
        click.echo(f"llmcfg {__version__}")
        context.exit()


def _command(name: str, command: Command) -> click.Command:
    def invoke(**values: Any) -> None:
        click.get_current_context().exit(call(command, values))

    arguments: list[click.Parameter] = [
        click.Argument([argument], required=required, nargs=-1 if many else 1)
        for argument, required, many in command.arguments
    ]
    return click.Command(
        name,
        callback=invoke,
        help=command.help,
        params=[*arguments, *map(_option, command.options)],
        context_settings={**_CONTEXT, "ignore_unknown_options": command.flags},
    )


def _option(option: Option) -> click.Option:
    names = [f"--{option.name}", *([f"-{option.short}"] if option.short else [])]
    names += [option.keyword] if option.keyword else []
    if option.flag:
        return click.Option(names, is_flag=True, help=option.help)
    kind = click.Choice(option.choices) if option.choices else click.STRING
    return click.Option(
        names, type=kind, default=option.default, show_default=option.default is not None, help=option.help
    )
