"""Writes docs/presets.md and docs/preset.schema.json from the preset schema.

`python docs/make_presets_reference.py [--check]`: with `--check` nothing is written; the exit code is 1 where a file
does not say what the schema says.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable
from pathlib import Path

from pydantic import BaseModel

from framestyle.doors.advice import KEY_HELP
from framestyle.media.video.writer import CODECS
from framestyle.presets import SHORTHANDS, Preset, SchemaRow, schema_rows
from framestyle.presets.editors import schema_text
from framestyle.presets.schema import DRAFT_BELOW, SLOW_FROM
from framestyle.presets.timeline import TimelinePoint
from framestyle.presets.zip_source import LARGEST_UNPACKED_BYTES, MOST_ENTRIES

TARGET = Path(__file__).resolve().parent / "presets.md"
SCHEMA_TARGET = TARGET.with_name("preset.schema.json")

HEAD = """\
# Presets: every key

<!-- Made by docs/make_presets_reference.py from the schema. Do not edit: run the script again. -->

A preset is a YAML file that names a style. Every key has a default; a file says only what differs.

```yaml
schema: 1
name: harbour-oil
description: My harbour painting, broad strokes
extends: base
style:
  images:
    - {path: harbour.jpg, weight: 1.0}
  scale: 1.5
video: {temporal_weight: 40}
```

{PICTURES}## Commands

| `framestyle presets …` | What it does |
|---|---|
| `list` | Every preset with cost class and tags, and in a terminal a strip of its style images' main colours. `--tag TAG` chooses (given twice: both), `--abstract` adds those without a style image, `--json` is for scripts |
| `show NAME` | The file. `--resolved`: with all that it inherits, and beside each value the file and line that it comes from; `--json` |
| `validate FILE...` | Every error with line and column, and the nearest valid key; style images are opened too. Exit code 3 where there is one |
| `new NAME --style IMAGE...` | Writes a commented file into your preset folder |
| `export NAME -o FILE.zip` | One zip with the preset, all that it inherits written out, and its pictures. The same preset and pictures give the same bytes |
| `import FILE.zip` | Checks such a zip and puts the preset into your preset folder. `--name NAME`, `--overwrite` |
| `keys` | The keys below, in a terminal |
| `schema` | A JSON Schema of them, for editors: see [below](#editors) |

## Editors

[preset.schema.json](preset.schema.json) is a JSON Schema of a preset file. An editor with a YAML language server completes
and checks keys with it, when the first line of the preset says where it lies:

```yaml
# yaml-language-server: $schema=preset.schema.json
```

`framestyle presets schema > preset.schema.json` writes it beside your preset. It knows keys, types, ranges and layer names;
`validate` also knows whether pictures are there and what the preset extends.

## Zips

No name, path or text of an imported zip reaches the disk: the preset is written anew after it was checked, and its
pictures, which must decode as images, go to `art/` in your preset folder under plain names. Refused, with nothing
left behind (exit code 3, or 5 where the file is no zip): names that lead out of the zip, links, names that are there twice or
differ only by case; encryption, more than {MOST_ENTRIES} entries, more than {LARGEST_UNPACKED_BYTES:,} bytes unpacked; not
exactly one preset, a preset with errors, with `extends`, or with a picture outside the zip; pictures that are not images.
Files that the preset does not name are passed over. An existing preset is replaced only with `--overwrite`; its pictures
stay.

## Rules

- **`extends`** names another preset, or the path of one relative to this file. Maps merge; lists and scalars replace.
  `schema`, `name`, `description`, `tags` and `extends` are not inherited. A circle is an error.
- **Layers** merge too, with the base's or, where it names none, with the default ones: a weight of 0 switches an
  inherited layer off. Layers are `relu1_1` … `relu5_4`, `conv1_1` … `conv5_4` and `pool1` … `pool5`.
- **Paths** count from the file that names them; in `--set` they count from the current folder. `~` is the home folder.
- **`--set KEY=VALUE`** reaches every key but `extends`, with dots between the parts (`--set video.steps=40`), and may
  be repeated; the later one wins. `style.images=PATH` replaces the style images by one;
  `style.images.0.weight=2` changes one of them.
- **YAML** is read by the core rules of YAML 1.2: `1e-3` is a number, `no` is text, only `true` and `false` are
  booleans. Refused: anchors and aliases, tags, a key that stands twice, numbers with leading zeros, more than one
  document, more than 1,000,000 bytes.
- **Types are strict**: a number in quotes is text. A whole number may stand for a number.
"""

NOTES = {
    "": """\
`strength` multiplies the content weight by 30^(1 - 2 · strength): by 30 at 0, by 1 at 0.5, by 1/30 at 1.

It means about the same at any size. `python -m benchmarks.strength` on one photo in `nightswirl`, with few steps (50 and 25;
256 px has two scales more, and so comes nearer to its style), losses before their weights:

| `strength` | 128 px: style, content | 256 px: style, content |
|---|---|---|
| 0 | 1.34, 0.005 | 1.38, 0.004 |
| 0.5 | 0.63, 0.34 | 0.41, 0.50 |
| 1 | 0.18, 1.97 | 0.04, 2.18 |

Losses are relative (see [decision 0002](decisions/0002-losses-are-relative.md)), so a weight of 1 means about as
much in one layer, size or backbone as in another.

A preset can say what `--quality` means for it, beside what the word sets by itself (`quality=draft` in Python, and with `--set`):

```yaml
quality:
  draft: {scales: {max_side_px: 384}}
  best: {scales: {steps: 250}, video: {steps: 30}}
```
""",
    "style": """\
| Statistic | What is matched in each layer |
|---|---|
| `gram2015` | The raw Gram matrix, with the sums of Gatys, Ecker and Bethge (arXiv 1508.06576, eq. 3 to 5) |
| `gram` | The Gram matrix divided by H·W; squared error relative to the style target's own square |
| `moments` | Mean and covariance of the features; each one's squared error relative to the style target's own square |
| `wasserstein` | Mean and covariance by the squared 2-Wasserstein distance, relative to the style target's energy |
| `neighbors` | What each place shows is to be like the style's place that it is matched with, and all places together like all of the style's ([looks.md](measured/looks.md#nearest-neighbours)) |

With every statistic but `gram2015`, layer weights are divided by their sum. With `gram2015` they are used as they are,
and the content loss too is the paper's sum.

`neighbors` matches the layers with cells of 4 and 8 px (`relu3_1`, `relu4_1`); finer ones are held by their Gram matrices, and coarser
ones (`relu5_1`) are left out.

At each scale every style image has `scale`² times the pixels of the content image, in its own shape.
Several images blend by weight.

**Regions.** A style image with a `region` is for that part of the content alone. A mask shows the parts: an image in which each
region has its own grey level or colour. `mask` names it, or `--mask PATH` on the command line:

```yaml
style:
  images:
    - {path: night-sky.jpg, region: 255}        # where the mask is white
    - {path: mosaic.jpg, region: "#ff0000"}     # where it is red; in quotes, for # begins a comment
    - {path: woodcut.jpg}                       # everywhere else: region is rest
  mask: harbour-mask.png
```

- The mask is stretched over the content. Its edges may be soft: a colour between those of two regions belongs to both, in
  parts. So a soft edge from one region to another should not run through a third one's colour.
- `rest` is what the mask shows black or white, where no image has that colour for its region. Where no image is for the
  rest, it stays as it is, to the bit. One image with `region: 255` paints what is white, and leaves what is black.
- Images of the same region blend by weight. Colours are kept (`color.preserve`) over the whole picture.
- Where `mask` is a folder, each input has the mask in it that is named as the input is, whatever the suffix
  (`IMG_7.png` for `IMG_7.jpg`). An input without one fails; the others go on.
- A clip has one mask for all its frames, or one that moves: a clip or an image sequence ([time.md](time.md)).
""",
    "network": """\
Weights expect the pooling that they were made with: `max` for `original`, `imagenet` and `caffe`, `average` for `learned` and
`untrained`. With `rescale_pooling` another pooling is multiplied by a constant (relative to max: average 2,
L2 0.78), so that activations stay at the size that the weights expect.
""",
    "optimizer": """\
| Init | Starting pixels of a photo or of a shot's first frame |
|---|---|
| `content` | The content image |
| `noise` | Uniform noise, from `--seed` |
| `style_stats` | The content image with the colour mean and covariance of the first style image |
| `gray` | Mid-grey with a trace of noise, from `--seed` |
| a path | That image, stretched to the content's size |

`lbfgs` has a history of 10 and keeps no average. `precision: auto` takes bfloat16 where
a GPU multiplies it natively or a CPU is measured to be clearly faster with it, else float32; decided once for a job, and kept
for what was begun ([decision 0033](decisions/0033-precision-is-decided-once.md)). The first convolution and all statistics are float32.
""",
    "scales": """\
Scales run from about `min_px` to the full size, each √2 larger. Most of what is done at a scale between is done again at the next: it gets
few steps ([decision 0029](decisions/0029-few-steps-between.md)), never more than `steps`. `max_side_px` never enlarges. With `first_steps: 0` and
`steps: 0` a photo, and the first frame of a shot, is the content itself. With `video.steps: 0` as well nothing is
optimised: the output is the input, decoded, resized and encoded again.
""",
    "color": """\
| Preserve | What happens |
|---|---|
| `none` | The colours are the style's |
| `luminance` | The result gives the luminance; the chroma is the content's |
| `histogram` | Each channel of the result takes the distribution of the same channel of the content image |
| `content_stats` | The result is moved to the content's colour mean and covariance |
| `style_stats` | The style images are moved to the content's colour mean and covariance before they are used |
""",
    "video": """\
| Warm start | What a frame starts from, but for the first of a shot |
|---|---|
| `flow` | The last stylized frame and the optimiser's state, warped along the optical flow. With the temporal loss |
| `previous` | The last stylized frame and the optimiser's state, unmoved. Without the temporal loss |
| `none` | Afresh, with all scales and steps |

With `flow`, pixels whose flow cannot be trusted start from the content, in the colours of the stylized pixels around.

| Flow | How it is measured |
|---|---|
| `dis` | Dense inverse search (Kroeger 2016), on the CPU. Needs nothing |
| `raft` | RAFT (Teed and Deng 2020), on the job's device. Needs its weights: `framestyle weights fetch raft-large`, or `raft-small` |

With `dis`, `flow_quality` `medium` and `fine` measure at full resolution, `fast` and `ultrafast` at a quarter of it. With `raft`, it is the network and how often it refines its flow: `ultrafast` raft-small, 6 times; `fast`
raft-small, 12; `medium` raft-large, 12; `fine` raft-large, 24. It is made for a GPU: on one CPU core two frames of
640x360 take about 2 s with the small network and 7 s with the large one (12 times; `dis` at `medium`: 0.3 s, at `fast` a tenth of that), and about
half a gigabyte, which grows with the fourth power of `flow_max_side_px`. Where the weights are missing the job does not
start; `dis` is never taken in its place.

A warm frame is optimised at the full size alone, for at most `steps` steps. Its losses are looked at after every 5
steps (10 with `lbfgs`). The frame is done where 5 more, at the slope of the last two, would better the loss by less than
`tolerance` of it, and `min_steps` are over: a still picture is left after 5, what moves mostly gets all. With `steps: 0`
a warm frame is what it starts from.
""",
    "output": """\
What each photo format holds, and how colour profiles are handled: [photos.md](photos.md).
""",
}

TOP = "Top level"


def reference_text() -> str:
    """The whole of docs/presets.md."""
    rows = schema_rows(KEY_HELP, with_plugins=False)
    head = HEAD.replace("{MOST_ENTRIES}", str(MOST_ENTRIES))
    head = head.replace("{LARGEST_UNPACKED_BYTES:,}", f"{LARGEST_UNPACKED_BYTES:,}")
    head = head.replace("{PICTURES}", _pictures())
    parts = [head, _section(TOP, "Whose preset it is, and what has no section of its own.", rows, "")]
    for name, info in Preset.model_fields.items():
        model = info.annotation
        if isinstance(model, type) and issubclass(model, BaseModel):
            parts.append(_section(f"`{name}`", " ".join((model.__doc__ or "").split()), rows, name))
    about = " ".join((TimelinePoint.__doc__ or "").split())
    parts.append(_section("`timeline`", f"{about} See [time.md](time.md#timelines).", rows, "timeline[]"))
    parts += [_codecs(), _shorthands(), _cost_classes()]
    return "\n".join(parts)


def _pictures() -> str:
    """A section with the sheets that make_images.py has made; nothing where there are none."""
    sheets = sorted((TARGET.parent / "images").glob("presets-*.jpg"))
    if not sheets:
        return ""
    about = (
        "On samples, 160 px wide, with half of the steps (`docs/make_images.py`); larger, their "
        "strokes are finer. Without `gatys2015`, which starts from noise:"
    )
    shown = [f"![{sheet.stem.partition('-')[2]} in every preset](images/{sheet.name})" for sheet in sheets]
    return "\n\n".join(["## The built-in ones", about, *shown, ""])


def texts() -> dict[Path, str]:
    """Every file that is made here, with what it must hold."""
    return {TARGET: reference_text(), SCHEMA_TARGET: schema_text(KEY_HELP)}


def is_stale(target: Path, text: str) -> bool:
    """Whether a file is missing or says something else."""
    return not target.is_file() or target.read_text(encoding="utf-8") != text


def _section(title: str, about: str, rows: Iterable[SchemaRow], prefix: str) -> str:
    own = [row for row in rows if (row.key.partition(".")[0] if "." in row.key else "") == prefix]
    lines = [
        f"## {title}",
        "",
        about,
        "",
        "| Key | Type | Range | Unit | Default | Meaning |",
        "|---|---|---|---|---|---|",
        *(_line(row) for row in own),
        "",
    ]
    if prefix in NOTES:
        lines.append(NOTES[prefix])
    return "\n".join(lines)


def _line(row: SchemaRow) -> str:
    default = f"`{row.default}`" if row.default else "(must be given)"
    cells = [f"`{row.key}`", row.type, row.range, row.unit, default, row.help]
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def _codecs() -> str:
    """What `output.video_codec` and `output.quality` go together with, from the writer's own table."""
    known = next(row for row in schema_rows(with_plugins=False) if row.key == "output.video_codec").range.split(" | ")
    lines = [
        "Which file names a codec goes into, and which qualities it has:",
        "",
        "| Codec | File names end in | Qualities by name | Number |",
        "|---|---|---|---|",
    ]
    for name in known:
        codec = CODECS[name]
        names = [*codec.levels, *(["lossless"] if codec.lossless else [])]
        number = f"{codec.number[0]} {codec.number[1]:g} to {codec.number[2]:g}" if codec.number else "none"
        ends = ", ".join(codec.containers)
        lines.append(f"| `{name}` | {ends} | {', '.join(names)} | {number} |")
    lines += ["", "The number is passed to ffmpeg as the option named; with `-crf`, smaller is better.", ""]
    return "\n".join(lines)


def _shorthands() -> str:
    lines = ["## Short names for `--set`", "", "| Short | Key |", "|---|---|"]
    lines += [f"| `{short}` | `{key}` |" for short, key in SHORTHANDS.items()]
    return "\n".join([*lines, ""])


def _cost_classes() -> str:
    return f"""\
## Cost classes

`framestyle presets list` shows a class for each preset. It counts steps times megapixels over all scales of a
square picture of `scales.max_side_px` (2048 px where that is 0): `draft` below {DRAFT_BELOW:g}, `slow` from
{SLOW_FROM:g}, `standard` between.
"""


def main() -> int:
    """Write the files that are not up to date, or say which."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 where a file is stale")
    check = parser.parse_args().check
    stale = {target: text for target, text in texts().items() if is_stale(target, text)}
    for target, text in stale.items():
        if check:
            print(f"{target} is stale: run python docs/make_presets_reference.py", file=sys.stderr)
            continue
        target.write_text(text, encoding="utf-8")
        print(f"wrote {target}")
    return 1 if check and stale else 0


if __name__ == "__main__":
    sys.exit(main())
