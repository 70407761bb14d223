"""`--sweep KEY=VALUE,VALUE,…`: one override for each value."""

from __future__ import annotations

from dataclasses import dataclass

from framestyle.errors import UsageError

BRACKETS = {"[": "]", "{": "}"}
QUOTES = ("'", '"')


@dataclass(frozen=True)
class Sweep:
    """A key, or its shorthand, and the values that it takes in turn; all as they were written."""

    key: str
    values: tuple[str, ...]

    def overrides(self) -> tuple[str, ...]:
        """As `--set` takes them."""
        return tuple(f"{self.key}={value}" for value in self.values)


def parse_sweep(text: str) -> Sweep:
    """Values end at commas outside brackets and quotes. UsageError where there is no key or a value is missing.

    Whether key and values are any good is for the preset to say.
    """
    key, equals, written = text.partition("=")
    values = tuple(value.strip() for value in _split(written))
    if not equals or not key.strip() or not all(values):
        raise UsageError(
            f"--sweep {text[:60]}: a key and its values are wanted",
            next_step="Write it as KEY=VALUE,VALUE, as in --sweep style.scale=0.5,1,2",
        )
    return Sweep(key.strip(), values)


def _split(text: str) -> list[str]:
    """At commas, but for those inside brackets, and inside quotes where YAML takes them for such."""
    parts, closing = [""], ""
    for character in text:
        if character == "," and not closing:
            parts.append("")
            continue
        before = parts[-1].rstrip()
        parts[-1] += character
        if closing and character == closing[0]:
            closing = closing[1:]
        elif character in BRACKETS and closing[:1] not in QUOTES:
            closing = BRACKETS[character] + closing
        elif character in QUOTES and _opens(before, closing):
            closing = character + closing
    return parts


def _opens(before: str, closing: str) -> bool:
    """Whether a quote here begins a text: it stands first, not in the midst of a word, nor in another text."""
    return closing[:1] not in QUOTES and (not before or before[-1] in "[{,:")
