"""Parsers of the command line: our own words for errors, and commands that are loaded when they are called."""

from __future__ import annotations

import argparse
from typing import Any

from framestyle.doors.text import plain
from framestyle.errors import UsageError
from framestyle.registries import COMMANDS


class Parser(argparse.ArgumentParser):
    """Usage errors in our own words and exit code."""

    def error(self, message: str) -> None:  # type: ignore[override]
        """End the process."""
        self.exit(UsageError.exit_code, f"framestyle: {plain(message)}\n  See {self.prog} --help\n")


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
