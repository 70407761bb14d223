"""Clips come through as they went in: python -m benchmarks.round_trips [--quick] [--codec NAME]... [-o FOLDER]

Without a step of the optimiser, whatever differs is the media's doing. Each codec in each of its containers, at several
rates, constant and variable, upright and turned, at 8 and at 10 bits: a clip with two sounds, subtitles, chapters and
words is rendered by a preset of no steps at its default quality, held against its source by what `framestyle verify
--against` does, and its pictures are compared (PSNR over all frames and planes). Writes JSON and a table.
"""

from __future__ import annotations

import argparse
import math
import re
import subprocess
import sys
import tempfile
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from benchmarks.reports import write_report
from framestyle.doors.demo import samples_dir
from framestyle.jobs.plan.tasks import Task
from framestyle.jobs.run.job import run
from framestyle.kinds import MediaKind, TimeRange
from framestyle.media.ffmpeg import ffmpeg_exe
from framestyle.media.verify.comparing import verify_against
from framestyle.media.verify.verdict import NOTE
from framestyle.media.video.codecs import CODECS
from framestyle.presets import Preset, load_preset
from framestyle.session import Session

FRAMES, SIZE = 10, "480x270"
RATES = ("24000/1001", "25", "60", "variable")
TURNS = (0, 90)
DEPTHS = {8: "yuv420p", 10: "yuv420p10le"}
LEFT_OUT = {
    "gif": "has 256 colours",
    "webp": "holds no sound, and merges like frames",
    "apng": "holds no sound",
}
BAR_DB = 45.0
SETTINGS = (
    "scales.max_side_px=0",
    "scales.first_steps=0",
    "scales.steps=0",
    "video.steps=0",
    "video.min_steps=0",
)
SUBTITLE = "1\n00:00:00,050 --> 00:00:00,200\nhello\n"
CHAPTERS = ";FFMETADATA1\ntitle=A Tale\n[CHAPTER]\nTIMEBASE=1/1000\nSTART=0\nEND=150\ntitle=one\n"


@dataclass(frozen=True)
class Case:
    """What is put in, and what comes out."""

    codec: str
    container: str
    rate: str
    turned: int
    bits: int

    @property
    def name(self) -> str:
        return f"{self.codec}{self.container}-{self.rate.replace('/', '_')}-{self.turned}-{self.bits}"


@dataclass(frozen=True)
class Row:
    """Of one case. `psnr_db`: infinite where nothing differs."""

    case: Case
    psnr_db: float
    problems: tuple[str, ...]
    notes: tuple[str, ...]

    @property
    def good(self) -> bool:
        return self.psnr_db >= BAR_DB and not self.problems


def cases(*, quick: bool = False, codecs: Collection[str] = ()) -> Iterator[Case]:
    """All combinations, of these codecs or of all; quick: each codec in each container once, with one of the others."""
    number = 0
    for name, codec in CODECS.items():
        if name in LEFT_OUT or (codecs and name not in codecs):
            continue
        depths = [bits for bits in DEPTHS if bits == 8 or max(codec.formats) >= bits]
        for container in codec.containers:
            every = [(rate, turned, bits) for rate in RATES for turned in TURNS for bits in depths]
            for rate, turned, bits in [every[(7 * number) % len(every)]] if quick else every:
                yield Case(name, container, rate, turned, bits)
            number += 1


def make_source(folder: Path, case: Case) -> Path:
    """A lossless clip in Matroska: the sample clip's first frames, two sounds, subtitles, chapters, words."""
    path = folder / f"source-{case.rate.replace('/', '_')}-{case.turned}-{case.bits}.mkv"
    if path.exists():
        return path
    (folder / "s.srt").write_text(SUBTITLE)
    (folder / "c.txt").write_text(CHAPTERS)
    rate = "25" if case.rate == "variable" else case.rate
    picture = f"fps={rate},scale={SIZE.replace('x', ':')},trim=end_frame={FRAMES}"
    times = "setpts='N/25/TB+if(gte(N,4),0.02/TB,0)+if(gte(N,7),0.05/TB,0)'"
    times = times if case.rate == "variable" else "setpts=N/FR/TB"
    tag = "setparams=colorspace=bt709:color_primaries=bt709:color_trc=bt709:range=tv"
    convert = f"scale=out_color_matrix=bt709:out_range=tv,format={DEPTHS[case.bits]},{tag}"
    tones = [
        part for pitch in (440, 660) for part in ("-f", "lavfi", "-i", f"sine=frequency={pitch}:duration=0.5")
    ]
    inputs = ["-i", str(samples_dir() / "clip.mp4"), *tones, "-i", str(folder / "s.srt")]
    maps = [
        "-map",
        "[v]",
        "-map",
        "1:a",
        "-map",
        "2:a",
        "-map",
        "3:s",
        "-map_metadata",
        "4",
        "-map_chapters",
        "4",
    ]
    words = [
        "-metadata:s:a:0",
        "language=eng",
        "-metadata:s:a:1",
        "language=deu",
        "-metadata:s:s:0",
        "language=fra",
    ]
    coded = ["-c:v", "ffv1", "-c:a", "aac", "-c:s", "srt", "-fps_mode", "passthrough"]
    plain = path.with_name("plain.mkv")
    _ffmpeg(
        *inputs, "-i", str(folder / "c.txt"), "-filter_complex", f"[0:v]{picture},{times},{convert}[v]",
        *maps, *words, *coded, str(plain),
    )  # fmt: skip
    turn = ["-display_rotation:v:0", str(case.turned)] if case.turned else []
    _ffmpeg(*turn, "-i", str(plain), "-map", "0", "-c", "copy", str(path))
    plain.unlink()
    return path


def psnr(source: Path, result: Path, folder: Path, bits: int) -> float:
    """Over all frames and planes, in dB; both upright, in the source's own format."""
    stats = folder / "psnr.txt"
    alike = "settb=1/25,setpts=N"
    graph = f"[0:v][1:v]scale2ref[a][b];[a]{alike}[x];[b]{alike}[y];[x][y]psnr=stats_file={stats}"
    _ffmpeg("-i", str(result), "-i", str(source), "-lavfi", graph, "-f", "null", "-")
    errors = [float(one) for one in re.findall(r"mse_avg:([0-9.]+)", stats.read_text())]
    if len(errors) != FRAMES:
        raise RuntimeError(f"{result} has {len(errors)} frames")
    mean = sum(errors) / FRAMES
    return math.inf if mean == 0 else 10 * math.log10((2**bits - 1) ** 2 / mean)


def _ffmpeg(*arguments: str) -> None:
    subprocess.run(
        [ffmpeg_exe(), "-v", "error", "-nostdin", "-y", *arguments], check=True, capture_output=True
    )


def measure(case: Case, folder: Path, shop: Session) -> Row:
    """Render it, look at it."""
    source, target = make_source(folder, case), folder / f"{case.name}{case.container}"
    output = shop.preset.output.model_copy(update={"video_codec": case.codec})
    preset = shop.preset.model_copy(update={"output": output})
    run(
        [Task(MediaKind.VIDEO, source, target)],
        target,
        TimeRange(),
        Session.over(replace(shop.spec, preset=preset), shop.stylizer),
    )
    report = verify_against(target, source)
    problems = tuple(one.text for one in report.problems if one.kind != NOTE)
    notes = tuple(one.text for one in report.problems if one.kind == NOTE)
    psnr_db = psnr(source, target, folder, case.bits)
    target.unlink()
    return Row(case, psnr_db, problems, notes)


def identity_shop() -> Session:
    """A preset of no steps, of shallow layers."""
    preset: Preset = load_preset("nightswirl", SETTINGS)
    return Session.open(preset, weights="untrained", device="cpu")


def run_all(
    folder: Path,
    *,
    quick: bool = False,
    codecs: Collection[str] = (),
    on_row: Callable[[Row], None] = lambda row: None,
) -> list[Row]:
    """Every case of these codecs, or of all."""
    shop, rows = identity_shop(), []
    for case in cases(quick=quick, codecs=codecs):
        rows.append(measure(case, folder, shop))
        on_row(rows[-1])
    return rows


def table(rows: Sequence[Row]) -> str:
    """By codec and container, in Markdown."""
    lines = ["| codec | container | cases | good | least PSNR, dB |", "|---|---|---|---|---|"]
    for key in dict.fromkeys((row.case.codec, row.case.container) for row in rows):
        these = [row for row in rows if (row.case.codec, row.case.container) == key]
        least, good = min(row.psnr_db for row in these), sum(row.good for row in these)
        lines.append(f"| {key[0]} | {key[1]} | {len(these)} | {good} | {least:.1f} |")
    return "\n".join(lines)


def main(argv: Sequence[str] | None = None) -> int:
    """Prints what is not good as it comes, then the table; 1 where anything is not."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true", help="each codec in each container once")
    names = [name for name in CODECS if name not in LEFT_OUT]
    parser.add_argument("--codec", action="append", choices=names, default=[], help="one only; repeatable")
    parser.add_argument("-o", "--output", type=Path, default=None, metavar="FOLDER")
    args = parser.parse_args(argv)

    def told(row: Row) -> None:
        if not row.good:
            print(f"{row.case.name}: {row.psnr_db:.1f} dB {'; '.join(row.problems)}", flush=True)

    with tempfile.TemporaryDirectory() as folder:
        rows = run_all(Path(folder), quick=args.quick, codecs=args.codec, on_row=told)
    print(table(rows))
    if args.output is not None:
        args.output.mkdir(parents=True, exist_ok=True)
        write_report(args.output / "round-trips.json", rows, args)
    return 0 if all(row.good for row in rows) else 1


if __name__ == "__main__":
    sys.exit(main())
