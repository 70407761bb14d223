"""Parsers of the command line: our own words for errors, and commands that are loaded when they are called."""

from __future__ import annotations

import argparse
import difflib
import re
import shlex
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from framestyle.doors.text import plain
from framestyle.errors import UsageError
from framestyle.registries import COMMANDS

PROGRAM = "framestyle"


SETTING = re.compile(r"[a-z_]+(\.[a-z_0-9]+)*=")
"""What --set takes."""


class Parser(argparse.ArgumentParser):
    """Usage errors in our own words and exit code; what may have been meant is said."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self._choices: argparse._SubParsersAction[Any] | None = None
        super().__init__(*args, **kwargs)

    def add_subparsers(self, **kwargs: Any) -> argparse._SubParsersAction[Any]:
        """As argparse's."""
        self._choices = super().add_subparsers(**kwargs)
        return self._choices

    def parse_known_args(self, args: Sequence[str] | None = None, namespace: Any = None) -> Any:  # type: ignore[override]
        """A command or an option that is not known is told first: with it, all that argparse misses may be there."""
        given = sys.argv[1:] if args is None else list(args)
        if self._choices is not None:
            self._refuse_unknown_command(given)
        else:
            self._refuse_unknown_option(given)
        found, left_over = super().parse_known_args(given, namespace)
        if "--set" in self._option_string_actions and any(map(SETTING.match, left_over)):
            wrong = f"unrecognized arguments: {' '.join(left_over)}"
            self.error(f"{wrong}\nEach setting has a --set of its own: --set KEY=VALUE --set KEY=VALUE.")
        return found, left_over

    def _refuse_unknown_command(self, given: Sequence[str]) -> None:
        assert self._choices is not None
        at = next((at for at, text in enumerate(given) if not text.startswith("-")), len(given))
        self._refuse_unknown_option(given[:at])
        name = given[at] if at < len(given) else None
        if name is not None and name not in self._choices.choices:
            if self.prog == PROGRAM and Path(name).exists():
                self._end_with_suggestions(Path(name))
            what = str(self._choices.metavar).lower()
            known = ", ".join(self._choices.choices)
            self._end(f"no {what} is called {name!r}", self._choices.choices, name, f"Known: {known}.")

    def _end_with_suggestions(self, path: Path) -> None:
        """Something of the user's alone, as if dropped on the program: what could be done with it."""
        suffix = "/" if path.is_dir() else path.suffix
        given = shlex.quote(plain(str(path)))
        self.error(
            f"what is to be done with {plain(str(path))}?\n"
            f"Paint it: {PROGRAM} stylize {given} -o painted{suffix} -p mosaic\n"
            f"  Look at all presets on it first: {PROGRAM} preview {given} -o looks.png --all\n "
        )

    def _refuse_unknown_option(self, given: Sequence[str]) -> None:
        for text in given:
            name = text.partition("=")[0]
            if text == "--":
                return
            # With a blank in it argparse takes it for no option, and a beginning stands for the whole.
            if (
                name.startswith("--")
                and " " not in text
                and not any(one.startswith(name) for one in self._option_string_actions)  # groups' too
            ):
                self._end(f"no option is called {name}", self._option_string_actions, name)

    def _end(self, message: str, known: Iterable[str], name: str, otherwise: str = "") -> None:
        whole = {one.lstrip("-"): one for one in known}
        close = [
            whole[one] for one in difflib.get_close_matches(name.lstrip("-")[:100], sorted(whole), 2, 0.6)
        ]
        meant = f"Did you mean {' or '.join(close)}?" if close else otherwise
        self.error(f"{message}\n{meant}" if meant else message)

    def error(self, message: str) -> None:  # type: ignore[override]
        """End the process. Further lines of the message are part of the next step."""
        wrong, _, step = message.partition("\n")
        step = f"{plain(step, lines=True)} " if step else ""
        self.exit(UsageError.exit_code, f"framestyle: {plain(wrong)}\n  {step}See {self.prog} --help\n")


class FormerName(argparse.Action):
    """An option by the name that it had before: it does as it did, and a line on stderr says how it is called now.

    `help` is hidden; `value` is what a flag sets, None for an option that takes one.
    """

    def __init__(
        self, option_strings: Sequence[str], dest: str, *, now: str, value: object = None, **kwargs: Any
    ) -> None:
        self._now, self._value = now, value
        nargs = None if value is None else 0
        super().__init__(
            option_strings, dest, nargs=nargs, default=argparse.SUPPRESS, help=argparse.SUPPRESS, **kwargs
        )

    def __call__(self, parser: Any, namespace: Any, values: Any, option_string: str | None = None) -> None:
        print(f"{PROGRAM}: {option_string} is called {self._now} now", file=sys.stderr)
        setattr(namespace, self.dest, values if self._value is None else self._value)


class CommandParser(Parser):
    """Gets its arguments from the command's own module, which is loaded only when the command is called."""

    command: str | None = None
    """Its name in the registry, until it has them."""

    def parse_known_args(self, *args: Any, **kwargs: Any) -> Any:
        """UsageError where the command is a plugin's, and that breaks."""
        name, self.command = self.command, None
        if name is not None:
            with COMMANDS.blamed(name):
                COMMANDS.load(name)(self)
        return super().parse_known_args(*args, **kwargs)


def add_commands(parser: Parser) -> None:
    """Every registered command, with its line of help; none is loaded yet."""
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", parser_class=CommandParser)
    for entry in COMMANDS.entries():
        commands.add_parser(entry.name, help=entry.plugin.help.replace("%", "%%")).command = entry.name
