"""What is wrong with a timeline beyond its single values, at the place that wrote it; and the presets that it names."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from framestyle.errors import PresetError
from framestyle.presets.schema import Preset
from framestyle.presets.sections import StyleImage
from framestyle.presets.timeline import OWN, Look, TimelinePoint
from framestyle.presets.yaml_source import Fault, KeyPath, Node, node_of

MATCHING = {"neighbors"}
"""Statistics whose targets hang on which style images there are: they are not blended."""
OF_STYLE = ("style.images", "style.scale", "preset")
"""Keys that change what the style is measured to be."""


def cross_fades(root: Node, load: Callable[[str], Preset]) -> list[Fault]:
    """Replaces each name of a preset in a timeline by what is needed of that preset; the faults of those that do not
    load."""
    faults: list[Fault] = []
    timeline = root.value.get("timeline")
    points = timeline.value if timeline is not None and isinstance(timeline.value, list) else []
    for number, point in enumerate(points):
        node = point.value.get("preset") if isinstance(point.value, dict) else None
        if node is None or not isinstance(node.value, str) or not node.value or node.value == OWN:
            continue
        try:
            node.value = _look_nodes(load(node.value), node).value
        except PresetError as error:
            said = error.message.splitlines()[0]
            near = error.facts.get("near")
            hint = f" (did you mean {' or '.join(near)}?)" if isinstance(near, list) and near else ""
            key: KeyPath = ("timeline", number, "preset")
            faults.append(Fault(node.place, f"{said}{hint}", key, cause=error.code))
            del point.value["preset"]
    return faults


def _look_nodes(preset: Preset, node: Node) -> Node:
    told = preset.model_dump(mode="json", by_alias=True, include=set(Look.model_fields))
    return node_of(told, node.place)


def timeline_faults(root: Node, preset: Preset) -> Iterator[Fault]:
    """Of a preset whose values are all right one by one."""
    before: dict[str, tuple[int, TimelinePoint]] = {}
    for number, point in enumerate(preset.timeline):
        for name, said in (*_of_point(point, preset), *_of_order(point, before)):
            key: KeyPath = ("timeline", number, *([name] if name else []))
            yield Fault(root.at(key)[0].place, said, key)
        before[point.when.kind] = (number, point)


def _of_order(
    point: TimelinePoint, before: Mapping[str, tuple[int, TimelinePoint]]
) -> Iterator[tuple[str, str]]:
    """Times of one kind rise; how those of different kinds lie is known with the clip."""
    known = before.get(point.when.kind)
    if known is not None and point.when.number <= known[1].when.number:
        yield "at", f"{point.at} must come after {known[1].at}, which stands before it"


def _of_point(point: TimelinePoint, preset: Preset) -> Iterator[tuple[str, str]]:
    """The key, or none where it is the point itself, and what is wrong."""
    if not point.changes:
        yield "", "changes nothing: give it a value, such as strength: 0.5"
    if point.style_images is not None and (said := _of_images(point.style_images, preset.style.images)):
        yield "style.images", said
    known = {str(image.region) for image in preset.style.images}
    for name in point.regions or {}:
        if known == {"rest"}:
            yield "regions", "no style image is for a region"
            break
        if name not in known:
            yield (
                "regions",
                f"no style image is for the region {name[:20]} (there are {', '.join(sorted(known))})",
            )
    colors = preset.color
    if point.color_share is not None and colors.preserve == "none" and not colors.match:
        yield "color.share", "there is nothing to share: set color.preserve or color.match"
    if preset.style.statistic in MATCHING:
        for name in OF_STYLE:
            if name in point.changes and point.preset != OWN:
                yield name, f"cannot change in time where style.statistic is {preset.style.statistic}"
    elif isinstance(point.preset, str) and point.preset != OWN:
        yield "preset", f"{point.preset!r} is not loaded: name it in a preset's file"
    elif isinstance(point.preset, Look):
        yield from (("preset", said) for said in _of_look(point.preset, preset))


def _of_images(weights: tuple[float, ...], images: tuple[StyleImage, ...]) -> str | None:
    if len(weights) != len(images):
        return f"must be {len(images)} weights, one for each of the preset's style images, not {len(weights)}"
    for region in dict.fromkeys(image.region for image in images):
        if not any(weight for weight, image in zip(weights, images, strict=True) if image.region == region):
            return "at least one image must have a weight above 0" + (
                "" if region == "rest" else f" in the region {region}"
            )
    return None


def _of_look(look: Look, preset: Preset) -> Iterator[str]:
    if not look.style.images:
        yield f"{look.name} names no style image"
    if any(image.region != "rest" for image in look.style.images):
        yield f"style images of {look.name} are for regions: what is cross-faded to is for the whole picture"
    for what, own, other in (
        ("style.statistic", preset.style.statistic, look.style.statistic),
        ("content.statistic", preset.content.statistic, look.content.statistic),
    ):
        if own != other:
            yield f"{what} of {look.name} is {other}, and {own} here: set one of them to the other's"
