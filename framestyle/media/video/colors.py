"""What a clip's numbers mean as colours, and ffmpeg's filters from them to RGB and back.

zscale converts: it is within half a level of the formulas at any depth, where swscale's 16-bit RGB is up to 250 of
65535 off. OpenCV's decoder takes whatever is not tagged for BT.601, and mistakes BT.2020.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from framestyle.media.video.pixel_formats import bit_depth, has_alpha

HDR_TRANSFERS = {"smpte2084": "PQ", "arib-std-b67": "HLG"}
HD_WIDTH_PX, HD_HEIGHT_PX = 1280, 720
"""From here on, players take what is not tagged for BT.709; below, for BT.601."""
OPENCV_MATRICES = {"bt709", "smpte170m", "bt470bg", "smpte240m", "fcc", "gbr"}
"""That OpenCV's decoder converts rightly, where they are tagged."""
KEPT_MATRICES = {"bt709", "smpte170m", "bt470bg", "bt2020nc"}
"""That a result is written with where its source has them; all others become BT.709."""
SDR_WHITE_NITS = 203
"""What SDR's white is in an HDR picture (ITU-R BT.2408)."""
MATRICES = OPENCV_MATRICES | {
    "bt2020nc",
    "bt2020c",
    "ycgco",
    "chroma-derived-nc",
    "chroma-derived-c",
    "ictcp",
}
PRIMARIES = {
    "bt709",
    "bt470m",
    "bt470bg",
    "smpte170m",
    "smpte240m",
    "film",
    "bt2020",
    "smpte428",
    "smpte431",
}
PRIMARIES |= {"smpte432", "ebu3213"}
TRANSFERS = {
    "bt709",
    "smpte170m",
    "smpte240m",
    "linear",
    "iec61966-2-1",
    "iec61966-2-4",
    "bt2020-10",
    "bt2020-12",
}
TRANSFERS |= {"bt470m", "bt470bg", "log100", "log316", "smpte428", *HDR_TRANSFERS}
_SCALE_NAMES = {"bt470bg": "bt470", "bt2020nc": "bt2020"}
_SHARE_CHROMA = "scale=flags=spline+accurate_rnd:in_h_chr_pos=0:out_h_chr_pos=0"
"""Between formats that differ in how many pixels share chroma, and in nothing else."""


RANGES = {"tv", "pc"}


@dataclass(frozen=True)
class Colors:
    """By ffmpeg's names. `matrix` is that of the picture as it is stored; pixels in memory are RGB of the same
    primaries and transfer.

    `chroma_centred`: shared chroma was spread as if it lay between its pixels, and must be gathered the same way.
    Standards have it at the left ones; OpenCV's decoder does not care.
    """

    matrix: str = "bt709"
    primaries: str = "bt709"
    transfer: str = "bt709"
    is_full_range: bool = False
    chroma_centred: bool = False

    @property
    def hdr(self) -> str | None:
        """PQ, HLG, or None."""
        return HDR_TRANSFERS.get(self.transfer)


SDR = Colors()


def colors_of(
    *,
    pixel_format: str,
    width: int,
    height: int,
    matrix: str | None,
    primaries: str | None,
    transfer: str | None,
    color_range: str | None,
) -> Colors:
    """What is tagged, and what players assume where nothing is."""
    if is_rgb(pixel_format, matrix):
        known_matrix = "gbr"
    elif matrix in MATRICES and matrix != "gbr":
        known_matrix = matrix
    elif primaries == "bt2020" or transfer in HDR_TRANSFERS:
        known_matrix = "bt2020nc"
    else:
        known_matrix = "bt709" if width >= HD_WIDTH_PX or height >= HD_HEIGHT_PX else "smpte170m"
    wide = known_matrix.startswith("bt2020") or transfer in HDR_TRANSFERS
    full = color_range == "pc" or (
        color_range is None and (known_matrix == "gbr" or pixel_format.startswith("yuvj"))
    )
    return Colors(
        known_matrix,
        primaries if primaries in PRIMARIES else "bt2020" if wide else "bt709",
        transfer if transfer in TRANSFERS else "bt709",
        full,
    )


def is_rgb(pixel_format: str, matrix: str | None) -> bool:
    """Stored as red, green and blue, not as luma and chroma."""
    names = ("rgb", "bgr", "gbr", "argb", "abgr", "0rgb", "0bgr", "x2rgb", "x2bgr", "pal8")
    return matrix == "gbr" or pixel_format.startswith(names)


def written_as(colors: Colors) -> Colors:
    """The colours of a result whose pixels come from such a source: converted as little as players allow."""
    matrix = colors.matrix if colors.matrix in KEPT_MATRICES else "bt709"
    if colors.primaries == "bt2020":
        matrix = "bt2020nc"
    return Colors(matrix, colors.primaries, colors.transfer)


def to_rgb(colors: Colors, stored_as: str, *, pixel_format: str, odd: bool, tone_map: bool) -> str:
    """Filters from a decoded picture to RGB in `pixel_format` (gbrp, gbrap, gbrp16le or gbrap16le), full range.

    `stored_as`: the picture's own format. `odd`: of odd width or height. `tone_map`: from HDR to BT.709; ValueError
    where there is nothing to map.
    """
    whole = _whole_chroma(stored_as)
    if (odd or has_alpha(stored_as)) and colors.matrix != "gbr" and stored_as != whole:
        # zscale refuses the one, and mistakes the transparency of the other.
        return f"{_SHARE_CHROMA},format={whole},{_to_rgb(colors, pixel_format, tone_map=tone_map)}"
    return _to_rgb(colors, pixel_format, tone_map=tone_map)


def _to_rgb(colors: Colors, pixel_format: str, *, tone_map: bool) -> str:
    given = _as_stored(colors)
    if not tone_map:
        kept = f"matrix=gbr:primaries={colors.primaries}:transfer={colors.transfer}:range=full"
        return f"zscale={given}:{kept}:filter=spline36,format={pixel_format}"
    return tone_mapping(colors, pixel_format=pixel_format)


def tone_mapping(colors: Colors, *, pixel_format: str, transfer: str = "bt709") -> str:
    """Filters from HDR to SDR of BT.709's primaries and such a transfer; ValueError where there is nothing to map."""
    if colors.hdr is None:
        raise ValueError("only HDR can be tone-mapped")
    return ",".join(
        (
            f"zscale={_as_stored(colors)}:transfer=linear:npl={SDR_WHITE_NITS}:primaries={colors.primaries}:matrix=gbr:range=full"
            ":filter=spline36",
            "format=gbrpf32le",
            "zscale=primaries=bt709",
            # Up to 0.6 of SDR's white everything stays as it is; above, light is bent into what is left.
            "tonemap=mobius:param=0.6:desat=0",
            f"zscale=transfer={transfer}:matrix=gbr:range=full,format={pixel_format}",
        )
    )


def _as_stored(colors: Colors) -> str:
    kind = "full" if colors.is_full_range else "limited"
    return (
        f"matrixin={colors.matrix}:primariesin={colors.primaries}:transferin={colors.transfer}:rangein={kind}"
    )


def _whole_chroma(stored_as: str) -> str:
    """The format of the same depth that has chroma for each pixel."""
    depth = bit_depth(stored_as)
    return f"yuv{'a' if has_alpha(stored_as) else ''}444p{f'{depth}le' if depth > 8 else ''}"


def from_rgb(colors: Colors, *, pixel_format: str, odd: bool, deep: bool, to_eight: bool) -> str:
    """Filters from RGB frames (`deep`: of 16 bits; `odd`: of odd width or height) to `pixel_format`, tagged.

    Converting and tagging are two things: the first filter converts matrix and range, setparams says so.
    """
    tags = f"color_primaries={colors.primaries}:color_trc={colors.transfer}"
    if is_rgb(pixel_format, None):
        planes = "gbrap" if has_alpha(pixel_format) else "gbrp"
        dithered = f"format={planes}16le,zscale=dither=error_diffusion,format={planes},"
        convert = dithered if deep and to_eight else ""
        return f"{convert}format={pixel_format},setparams=range=pc:colorspace=gbr:{tags}"
    if colors.chroma_centred and not deep:
        matrix = _SCALE_NAMES.get(colors.matrix, colors.matrix)
        first = f"scale=out_color_matrix={matrix}:out_range=tv:flags=bicubic+accurate_rnd+full_chroma_int"
    else:
        planes = ("gbrap" if has_alpha(pixel_format) else "gbrp") + ("16le" if deep else "")
        given = f"matrixin=gbr:rangein=full:primariesin={colors.primaries}:transferin={colors.transfer}"
        wanted = (
            f"matrix={colors.matrix}:range=limited:primaries={colors.primaries}:transfer={colors.transfer}"
        )
        dither = ":dither=error_diffusion" if deep and to_eight else ""
        first = f"format={planes},zscale={given}:{wanted}:filter=spline36{dither}"
        if (odd or has_alpha(pixel_format)) and (whole := _whole_chroma(pixel_format)) != pixel_format:
            first = f"{first},format={whole},{_SHARE_CHROMA}"
    return f"{first},format={pixel_format},setparams=range=tv:colorspace={colors.matrix}:{tags}"


def with_aspect(filters: str, sample_aspect_ratio: Fraction, *, always: bool = False) -> str:
    """Filters, and the shape of the pixels that come out of them. `always`: also where they are square."""
    if sample_aspect_ratio == 1 and not always:
        return filters
    across, down = sample_aspect_ratio.as_integer_ratio()
    return f"{filters},setsar={across}/{down}:max=1000000"
