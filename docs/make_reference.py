"""Writes docs/command-line.md and docs/api.md from the code: python docs/make_reference.py.

Every option's help and every public docstring stand there as they stand in the code, so that a page cannot say
something else.
"""

from __future__ import annotations

import argparse
import inspect
import re
from collections.abc import Iterator
from pathlib import Path

from pydantic import BaseModel

import framestyle
from framestyle.doors.parsing import Parser
from framestyle.registries import COMMANDS

FOLDER = Path(__file__).parent
MADE = "<!-- Made by docs/make_reference.py from the code. Do not edit: run the script again. -->\n"
COMMAND_LINE_HEAD = f"""# Command line

{MADE}
Every command has `--help`, and says the same there. `framestyle --version` is the version; `--debug` shows where an
error came from. What each exit code means: [errors](errors.md).
"""
API_HEAD = f"""# Python: every public name

{MADE}
How they are used, by example: [from Python](python.md).
"""


def texts() -> dict[Path, str]:
    """Each page with its text."""
    return {FOLDER / "command-line.md": command_line(), FOLDER / "api.md": api()}


# -- the command line --------------------------------------------------------------------------------------


def command_line() -> str:
    """The commands that FrameStyle itself brings, with all that each takes."""
    parts = [COMMAND_LINE_HEAD]
    for entry in COMMANDS.entries():
        if entry.is_built_in:
            parser = Parser(prog=f"framestyle {entry.name}")
            COMMANDS.load(entry.name)(parser)
            parts += [f"\n## framestyle {entry.name}\n\n{_sentence(entry.plugin.help)}\n", *_command(parser)]
    return "".join(parts)


def _command(parser: argparse.ArgumentParser) -> Iterator[str]:
    rows = [row for action in parser._actions if (row := _row(action)) is not None]
    if rows:
        yield "\n| | |\n|---|---|\n" + "".join(rows)
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            said = {choice.dest: choice.help for choice in action._choices_actions}
            for name, inner in action.choices.items():
                yield f"\n### {inner.prog}\n\n{_sentence(said.get(name) or '')}\n"
                yield from _command(inner)


def _row(action: argparse.Action) -> str | None:
    if action.help is argparse.SUPPRESS or isinstance(
        action, argparse._HelpAction | argparse._SubParsersAction
    ):
        return None
    if action.option_strings:
        taken = "" if action.nargs == 0 else f" {_metavar(action)}"
        name = ", ".join(f"`{option}{taken}`" for option in action.option_strings)
    else:
        name = f"`{_metavar(action)}`"
    return f"| {name} | {_cell(_help(action))} |\n"


def _metavar(action: argparse.Action) -> str:
    if action.metavar is not None:
        return str(action.metavar)
    if action.choices is not None:
        return "{" + ",".join(map(str, action.choices)) + "}"
    return action.dest.upper()


def _help(action: argparse.Action) -> str:
    return (action.help or "") % {**vars(action), "prog": "framestyle"}


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("<", "&lt;")


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}." if text else ""


# -- Python ------------------------------------------------------------------------------------------------


def api() -> str:
    """The names of `framestyle.__all__`, with signatures and docstrings."""
    names = [name for name in framestyle.__all__ if not name.startswith("_")]
    return API_HEAD + "".join(_name(name, getattr(framestyle, name)) for name in names)


def _name(name: str, thing: object) -> str:
    head = f"\n## {name}\n\n```python\n{_signature(name, thing)}\n```\n\n{inspect.getdoc(thing)}\n"
    if not inspect.isclass(thing) or issubclass(thing, Exception):
        return head
    own = [
        _member(name, label, member)
        for label, member in vars(thing).items()
        if not label.startswith("_")
        and (inspect.isroutine(member) or isinstance(member, property | classmethod))
    ]
    return head + "".join(own)


def _member(owner: str, label: str, member: object) -> str:
    if isinstance(member, property):
        return f"\n### {owner}.{label}\n\n{inspect.getdoc(member)}\n"
    call = getattr(member, "__func__", member)
    return f"\n### {owner}.{label}\n\n```python\n{_signature(label, call)}\n```\n\n{inspect.getdoc(call) or ''}\n"


class _Written:
    """Shown in a signature as it is written in the code."""

    def __init__(self, text: str) -> None:
        self._text = text

    def __repr__(self) -> str:
        return self._text


def _signature(name: str, thing: object) -> str:
    """As in the code; a preset's, whose parameters are its keys, without them."""
    if not callable(thing) or (inspect.isclass(thing) and issubclass(thing, BaseModel)):
        return name
    whole = inspect.signature(thing)
    taken = (one for named in whole.parameters.values() for one in _unpacked(named, thing))
    kept = [_parameter(one) for one in taken if one.name not in ("self", "cls")]
    returned = whole.return_annotation
    text = str(whole.replace(parameters=kept, return_annotation=_written(returned)))
    return f"{name}{text}" if len(name + text) <= 100 else f"{name}{_broken(text)}"


def _unpacked(parameter: inspect.Parameter, thing: object) -> Iterator[inspect.Parameter]:
    """What is only passed on, by the names of a TypedDict: each of them, with the default of whoever it goes to."""
    passed_on = re.fullmatch(r"Unpack\[(\w+)\]", str(parameter.annotation))
    if passed_on is None:
        yield parameter
        return
    code = inspect.unwrap(thing.__init__ if inspect.isclass(thing) else thing)
    for name, annotation in code.__globals__[passed_on[1]].__annotations__.items():
        yield inspect.Parameter(
            name, parameter.KEYWORD_ONLY, default=_Written("..."), annotation=annotation.__forward_arg__
        )


def _parameter(parameter: inspect.Parameter) -> inspect.Parameter:
    default = parameter.default
    if inspect.isroutine(default):
        parameter = parameter.replace(default=_Written(default.__name__))
    elif "0x" in repr(default):  # an address would be another one in each process
        parameter = parameter.replace(default=_Written(f"{type(default).__name__}()"))
    return parameter.replace(annotation=_written(parameter.annotation))


def _written(annotation: object) -> object:
    return _Written(annotation) if isinstance(annotation, str) else annotation


def _broken(text: str) -> str:
    """A long signature, a parameter a line."""
    inner, _, returned = text[1:].rpartition(")")
    depth, line, lines = 0, "", []
    for letter in inner:
        depth += (letter in "([") - (letter in ")]")
        if letter == "," and depth == 0:
            lines.append(f"    {line.strip()},")
            line = ""
        else:
            line += letter
    return "(\n" + "\n".join([*lines, f"    {line.strip()},"]) + f"\n){returned}"


if __name__ == "__main__":
    for page, text in texts().items():
        page.write_text(text, encoding="utf-8")
