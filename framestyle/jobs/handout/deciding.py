"""What a spec leaves open, decided once for all machines: device, precision, weights."""

from __future__ import annotations

from dataclasses import replace

from framestyle.context import Context
from framestyle.errors import FramestyleError, UsageError
from framestyle.events import Note
from framestyle.nst.devices import choose_device, devices_of
from framestyle.nst.weights.catalog import traits_of
from framestyle.nst.weights.paths import NOT_HERE, weights_identity
from framestyle.opening import load_weights
from framestyle.registries import WEIGHTS
from framestyle.resolve import PrecisionChoice
from framestyle.spec import RenderSpec

DEVICE_KINDS = ("cpu", "cuda", "mps")


def is_here(device: str) -> bool:
    """Whether this machine has a device, or all of several."""
    try:
        for one in devices_of(device):
            choose_device(one)
    except FramestyleError:
        return False
    return True


def decided(spec: RenderSpec, device: str, context: Context) -> RenderSpec:
    """With a kind of device, a precision, and weights that are here. A device that is named need not be here.

    UsageError where `auto` would have to be measured on a device that is not here.
    """
    kind = choose_device(device).type if device == "auto" else device.partition(":")[0]
    if kind not in DEVICE_KINDS:
        choose_device(device)  # says so
    precision = spec.decided_precision
    if precision is None:
        if not is_here(device):
            raise UsageError(
                f"which precision is quicker on {kind} cannot be measured here, where there is none",
                next_step="Say which in the preset's key optimizer.precision: float32 or bfloat16.",
            )
        precision = PrecisionChoice(choose_device(device)).resolve(spec.preset).optimizer.precision
    if NOT_HERE in spec.weights_fingerprint:
        load_weights(spec.weights, context)
        spec = replace(spec, weights_fingerprint=weights_identity(spec.weights))
    elif spec.weights in WEIGHTS and (caution := traits_of(spec.weights).caution) is not None:
        context.on_event(Note(caution, "warning"))
    return replace(spec, device=kind, precision=precision)
