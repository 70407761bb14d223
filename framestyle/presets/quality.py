"""What a word on quality changes in a preset: what it sets by itself, and what the preset says of it."""

from __future__ import annotations

from framestyle.presets.overrides import Said, apply_override
from framestyle.presets.reference import did_you_mean, nearest_choice
from framestyle.presets.yaml_source import Fault, Node, Place
from framestyle.quality import QUALITIES

KEY = "quality"


def apply_setting(root: Node, text: str, origin: str) -> list[Fault]:
    """As `apply_override`; `quality=WORD` is all that the word sets."""
    key, equals, word = text.partition("=")
    if key.strip() != KEY or not equals:
        return apply_override(root, text, origin)
    said = text.said if isinstance(text, Said) else f"{origin} {KEY}"
    word = word.strip()
    if word not in QUALITIES:
        close = nearest_choice(word, list(QUALITIES))
        wanted = f"must be {' | '.join(QUALITIES)}{did_you_mean([close] if close else [])}"
        return [Fault(Place(said[:100], key=KEY), wanted, (KEY,))]
    faults: list[Fault] = []
    for setting, value in QUALITIES[word].items():
        faults += apply_override(root, Said(f"{setting}={value}", said), origin)
    root.value.update(merged(root, own_word(root, word)).value)
    return faults


def own_word(root: Node, word: str) -> Node:
    """What the preset itself says of a quality: a part of a preset; empty where it says nothing."""
    node, found = root.at((KEY, word))
    return node if len(found) == 2 and isinstance(node.value, dict) else Node({}, root.place)


def merged(base: Node, over: Node) -> Node:
    """Maps merge; lists and scalars replace."""
    if not (isinstance(base.value, dict) and isinstance(over.value, dict)):
        return over
    values = dict(base.value)
    for key, child in over.value.items():
        values[key] = merged(values[key], child) if key in values else child
    return Node(values, over.place, over.key_place)
