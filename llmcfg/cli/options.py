"""The options of every command, as data: click's commands and the quick parser are both made from it."""

from __future__ import annotations

from typing import NamedTuple

from llmcfg.catalog import backends

BACKENDS = tuple(backends())
FORMATS = ("json", "yaml", "argv", "python")
REPORTS = ("text", "json", "sarif", "github")


class Option(NamedTuple):
    """One ``--option``; ``choices`` closes its values, ``flag`` means that it takes none.

    ``keyword`` is the name of its argument in Python, where it can't be the option's own.
    """

    name: str
    help: str
    choices: tuple[str, ...] | None = None
    flag: bool = False
    default: str | None = None
    short: str | None = None
    keyword: str | None = None


class Command(NamedTuple):
    """A command: ``module`` holds its ``run`` function, ``arguments`` are (name, required, many).

    ``flags`` lets an argument be the flag of another program.
    """

    module: str
    help: str
    arguments: tuple[tuple[str, bool, bool], ...]
    options: tuple[Option, ...]
    flags: bool = False


_BACKEND = Option("backend", "Backend to compile, or `all`.", (*BACKENDS, "all"), short="b")
_ONE_BACKEND = Option("backend", "Only this backend.", BACKENDS, short="b")
_VERSION = Option("backend-version", "Release of the engine to check against.")
_GPU = Option(
    "gpu", "GPU to check against: a name of `llmcfg gpus`, `none`, or `auto` (ask NVML).", short="g"
)
_STRICT = Option("strict", "Treat warnings as errors.", flag=True)
_FROM = Option("from", "Installed package's folder, wheel, sdist or source tree to read.", keyword="source")
_RELEASE = Option("version", "Release: a stored one, else pip downloads it; with --from, what to call it.")
_PACKAGE = Option("package", "Package of the backend that is meant; by default its own.")
_COLOR = Option(
    "color", "Excerpts and colour in reports for people.", ("auto", "always", "never"), default="auto"
)
_OUTPUT = Option("output", "Write to this file instead of standard output.", short="o")

GROUPS = {"audit": "Hold the schema against the engines: inventories, coverage, drift, answers."}
"""The commands that only hold others, whose names follow them after a space."""

COMMANDS: dict[str, Command] = {
    "init": Command(
        "llmcfg.cli.init",
        "Write a starter config, with the line that gives editors the schema.",
        (("path", False, False),),
        (
            _ONE_BACKEND,
            _GPU,
            Option("template", "What the config is for; `list` shows the choice.", short="t"),
            Option("editor", "Settings to write for an editor.", ("vscode", "jetbrains", "none")),
            Option("model", "Model to start with.", short="m"),
            Option("copy-schema", "Put a copy of the schema beside the config.", flag=True),
            Option("force", "Overwrite an existing file.", flag=True),
        ),
    ),
    "validate": Command(
        "llmcfg.cli.validate",
        "Check configs, and those of folders; say everything that is wrong with them.",
        (("files", True, True),),
        (
            _BACKEND,
            _VERSION,
            _GPU,
            _STRICT,
            Option("format", "How to report.", REPORTS, default="text", short="f"),
            _COLOR,
        ),
    ),
    "compile": Command(
        "llmcfg.cli.compile",
        "Compile a config to what the engine takes.",
        (("file", True, False),),
        (
            _BACKEND,
            _VERSION,
            _GPU,
            Option("format", "Form of the result.", FORMATS, default="json", short="f"),
            _OUTPUT,
            _STRICT,
            _COLOR,
        ),
    ),
    "lock": Command(
        "llmcfg.cli.lock",
        "Write what configs compile to beside them, where it differs; exit 1 where it did.",
        (("files", True, True),),
        (
            _BACKEND,
            _VERSION,
            _GPU,
            Option("check", "Write nothing, only say what differs.", flag=True),
            _STRICT,
            _COLOR,
        ),
    ),
    "resolve": Command(
        "llmcfg.cli.resolve",
        "Ask the installed engine what it makes of a config, on a GPU that need not be here.",
        (("file", True, False),),
        (
            _BACKEND,
            _VERSION,
            Option(
                "gpu", "GPU to believe in: a name of `llmcfg gpus`, `none`, or `auto` (this one).", short="g"
            ),
            Option("gpus", "Number of GPUs; by default as many as the config asks for."),
            Option("packages", "What that machine has installed besides: `bitsandbytes==0.49.0,flash-attn`."),
            Option("model-config", "config.json to take for the model."),
            Option("timeout", "Seconds for an answer.", default="120"),
            Option("format", "Form of the result.", ("text", "json"), default="text", short="f"),
            _OUTPUT,
            _STRICT,
            _COLOR,
        ),
    ),
    "explain": Command(
        "llmcfg.cli.explain",
        "Explain a parameter, a value of it (`NAME=VALUE`), a rule, or a diagnostic code.",
        (("subject", True, False),),
        (
            _ONE_BACKEND,
            _VERSION,
            _GPU,
            Option("format", "Form of the answer.", ("text", "json"), default="text", short="f"),
        ),
        flags=True,
    ),
    "schema": Command(
        "llmcfg.cli.schema",
        "Print the JSON Schema that editors use, or its path.",
        (),
        (
            _ONE_BACKEND,
            _VERSION._replace(help="Release of the engine that the schema is for; needs --backend."),
            _OUTPUT,
            Option("path", "Print where the installed schema file is.", flag=True),
            Option("report", "Print the schema of JSON reports instead.", flag=True, keyword="of_reports"),
        ),
    ),
    "gpus": Command(
        "llmcfg.cli.gpus",
        "List the GPUs that configs can be checked against.",
        (),
        (Option("format", "Form of the list.", ("text", "json"), default="text", short="f"),),
    ),
    "completion": Command(
        "llmcfg.cli.completion",
        "Print the completion script of a shell.",
        (("shell", True, False),),
        (),
    ),
    "audit inventory": Command(
        "llmcfg.cli.audit.inventory",
        "Print what a release of an engine natively takes, read from its sources.",
        (("backend", True, False),),
        (_PACKAGE, _FROM, _RELEASE, _OUTPUT),
    ),
    "audit coverage": Command(
        "llmcfg.cli.audit.coverage",
        "Show how much of what the engines natively take the schema covers.",
        (),
        (
            _ONE_BACKEND,
            Option(
                "format", "Form of the report.", ("table", "json", "markdown"), default="table", short="f"
            ),
            _OUTPUT,
        ),
    ),
    "audit drift": Command(
        "llmcfg.cli.audit.drift",
        "Compare the schema with a release of an engine; exit 1 where they differ.",
        (("backend", True, False),),
        (
            _PACKAGE,
            _FROM,
            _RELEASE,
            Option("format", "Form of the report.", ("text", "json", "todo"), default="text", short="f"),
            _OUTPUT,
        ),
    ),
    "audit resolve": Command(
        "llmcfg.cli.audit.resolve",
        "Ask an engine what it makes of every value of the schema, on GPUs that need not be here.",
        (),
        (
            Option("backend", "Engine to ask.", BACKENDS, short="b"),
            Option("gpus", "Names of GPUs, parted by commas; `all`: one per capability.", default="all"),
            Option("param", "Only parameters, or trials, that this pattern matches.", default="*"),
            Option("from", "Another release's package to ask: folder, wheel or sdist.", keyword="source"),
            Option("packages", "What the machines have installed besides, parted by commas."),
            Option("jobs", "Processes at a time; by default as many as there are cores.", short="j"),
            Option("resume", "Ask only what the output file does not hold yet.", flag=True),
            Option(
                "format", "Form of the summary.", ("table", "json", "markdown"), default="table", short="f"
            ),
            Option("output", "File of results: JSON lines, appended as answers come.", short="o"),
        ),
    ),
    "audit confront": Command(
        "llmcfg.cli.audit.confront",
        "Hold the schema against a file of answers; exit 1 where they differ and nobody explained it.",
        (("results", True, False),),
        (
            Option("all", "Show the differences that have an explanation too.", flag=True),
            Option("format", "Form of the report.", ("text", "json"), default="text", short="f"),
            _OUTPUT,
        ),
    ),
}
