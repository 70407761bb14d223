"""What stands between the meshes and the path tracer: materials, skies, cameras, and the rendered picture."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import drjit as dr
import mitsuba as mi
import numpy as np

mi.set_variant("llvm_ad_rgb")

from .meshes import Mesh  # noqa: E402
from .noise import Array, fbm, mix, rgb, smoothstep  # noqa: E402

Scene = dict[str, Any]
VERTEX_COLOR = {"type": "mesh_attribute", "name": "vertex_color"}


def matte() -> Scene:
    """Dull in the vertex colours, from both sides."""
    return {"type": "twosided", "bsdf": {"type": "diffuse", "reflectance": VERTEX_COLOR}}


def glossy(roughness: float, ior: float = 1.5) -> Scene:
    """A rough coat over the vertex colours."""
    coat = {"type": "principled", "base_color": VERTEX_COLOR, "roughness": roughness**0.5, "eta": ior}
    return {"type": "twosided", "bsdf": coat}


def leafy(through: float = 0.8) -> Scene:
    """Thin, and lets part of the light through."""
    return {
        "type": "principledthin",
        "base_color": VERTEX_COLOR,
        "roughness": 0.5,
        "diff_trans": through,
        "eta": 1.35,
    }


def shape(body: Mesh, material: Scene, smooth: bool = True, glow: Array | None = None) -> Any:
    """A mesh as the path tracer takes it; with `glow` it is a lamp."""
    props = mi.Properties()
    props["bsdf"] = mi.load_dict(material)
    if glow is not None:
        props["emitter"] = mi.load_dict({"type": "area", "radiance": {"type": "rgb", "value": glow.tolist()}})
    made = mi.Mesh("mesh", len(body.vertices), len(body.faces), has_vertex_normals=smooth, props=props)
    made.add_attribute("vertex_color", 3, body.colors.ravel())
    params = mi.traverse(made)
    params["vertex_positions"] = body.vertices.ravel()
    params["faces"] = body.faces.ravel()
    if smooth:
        params["vertex_normals"] = body.normals().ravel()
    params.update()
    return made


@dataclass(frozen=True)
class Camera:
    """Where it stands, what it looks at, and its lens."""

    eye: tuple[float, float, float]
    target: tuple[float, float, float]
    fov: float = 40.0
    aperture: float = 0.0
    focus: float = 0.0

    def sensor(self, size: tuple[int, int]) -> Any:
        look = mi.ScalarTransform4f().look_at(self.eye, self.target, [0, 1, 0])
        lens: Scene = {"type": "perspective"}
        if self.aperture > 0:
            distance = self.focus or float(np.linalg.norm(np.subtract(self.target, self.eye)))
            lens = {"type": "thinlens", "aperture_radius": self.aperture, "focus_distance": distance}
        film = {"type": "hdrfilm", "width": size[0], "height": size[1], "rfilter": {"type": "box"}}
        return mi.load_dict(
            {
                **lens,
                "fov": self.fov,
                "fov_axis": "x",
                "to_world": look,
                "film": film,
                "sampler": {"type": "independent"},
            }
        )

    def rays(self, size: tuple[int, int]) -> Array:
        """The direction through each pixel, HW3, at unit length."""
        width, height = size
        ahead = np.subtract(self.target, self.eye)
        ahead = ahead / np.linalg.norm(ahead)
        right = np.cross(ahead, [0, 1, 0])
        right /= np.linalg.norm(right)
        up = np.cross(right, ahead)
        half = np.tan(np.radians(self.fov / 2))
        x = (np.arange(width) + 0.5) / width * 2 - 1
        y = (1 - (np.arange(height) + 0.5) / height * 2) * height / width
        rays = ahead + half * (x[None, :, None] * right + y[:, None, None] * up)
        return (rays / np.linalg.norm(rays, axis=-1, keepdims=True)).astype(np.float32)


@dataclass(frozen=True)
class Sky:
    """A graded dome with a sun and clouds."""

    sun: tuple[float, float, float]
    zenith: Array
    horizon: Array
    sunlight: Array
    glow: float = 0.6
    cover: float = 0.0
    seed: int = 1
    sun_degrees: float = 0.8

    def toward(self, rays: Array, with_sun: bool = True) -> Array:
        """The radiance from each direction (..., 3); the sun's irradiance on a facing plane is `sunlight`."""
        sun = np.asarray(self.sun, np.float32) / np.float32(np.linalg.norm(self.sun))
        up = np.clip(rays[..., 1], 0, 1)
        air = mix(self.horizon, self.zenith, 1 - (1 - up) ** 5 * 0.6 - 0.4 * np.exp(-9 * up))
        cosine = np.clip(rays @ sun, -1, 1)
        hue = self.sunlight / self.sunlight.max()
        air = (
            air
            + self.glow
            * hue
            * (0.45 * np.exp(-8 * (1 - cosine)) + 0.25 * np.exp(-60 * (1 - cosine)))[..., None]
            * self.horizon
        )
        if self.cover > 0:
            air = self._clouded(air, rays, cosine, hue, up)
        ground = 0.25 * self.horizon * rgb(0.9, 0.85, 0.75)
        air = np.where((rays[..., 1] < -0.02)[..., None], ground, air)
        if with_sun:
            radius = np.radians(self.sun_degrees)
            lobe = np.exp(-np.clip(2 * (1 - cosine), 0, None) / radius**2)
            air = air + self.sunlight * (lobe / (np.pi * radius**2))[..., None]
        return air.astype(np.float32)

    def _clouded(self, air: Array, rays: Array, cosine: Array, hue: Array, up: Array) -> Array:
        layer = rays / np.clip(rays[..., 1:2] + 0.08, 0.05, None)
        layer = layer * np.array([1, 0, 1], np.float32)
        body = fbm(layer, self.seed, 7, 0.55, 1.5) + 0.35 * fbm(layer, self.seed + 5, 3, 0.5, 5.0)
        toward_sun = layer + np.asarray(self.sun, np.float32) * np.array([0.25, 0, 0.25], np.float32)
        beyond = fbm(toward_sun, self.seed, 4, 0.55, 1.5)
        density = smoothstep(0.35 - self.cover, 1.05 - self.cover, body) * smoothstep(0.02, 0.14, up)
        shade = np.clip(0.75 + 0.45 * (body - beyond), 0.4, 1.3) * (1 + 0.5 * np.exp(-6 * (1 - cosine)))
        lit = (
            shade[..., None]
            * (0.62 * hue + 0.5 * self.horizon / self.horizon.max())
            * self.horizon.max()
            * 1.15
        )
        return mix(air, lit, 0.92 * density)

    def emitter(self, width: int = 1024) -> Any:
        """The dome as a light."""
        height = width // 2
        v, u = np.meshgrid(
            (np.arange(height) + 0.5) / height, (np.arange(width) + 0.5) / width, indexing="ij"
        )
        theta, phi = np.pi * v, 2 * np.pi * u
        rays = np.stack([np.sin(phi) * np.sin(theta), np.cos(theta), -np.cos(phi) * np.sin(theta)], -1)
        picture = mi.Bitmap(self.toward(rays.astype(np.float32)))
        return mi.load_dict({"type": "envmap", "bitmap": picture, "to_world": mi.ScalarTransform4f()})


@dataclass(frozen=True)
class Shot:
    """A rendered picture: its light, the variance of that, and what was hit first."""

    light: Array
    variance: Array
    albedo: Array
    normal: Array
    depth: Array
    shafts: Array | None = None


def expose(
    scene: Any,
    camera: Camera,
    size: tuple[int, int],
    samples: int,
    depth: int = 6,
    seed: int = 0,
    passes: int = 4,
    guides: int = 12,
) -> Shot:
    """Path-trace a loaded scene in a few passes, whose spread tells the variance and whose outliers are cut."""
    path = mi.load_dict({"type": "path", "max_depth": depth, "rr_depth": 3})
    guide = mi.load_dict({"type": "aov", "aovs": "albedo:albedo,normal:sh_normal,depth:depth"})
    sensor, each = camera.sensor(size), max(1, samples // passes)
    stack = np.stack(
        [
            np.array(mi.render(scene, sensor=sensor, integrator=path, spp=each, seed=seed * 64 + k))[..., :3]
            for k in range(passes)
        ]
    )
    stack = np.nan_to_num(stack)
    ceiling = 2.0 * np.sort(stack, axis=0)[passes // 2] + 0.02 * stack.mean()
    stack = np.minimum(stack, ceiling)
    hit = np.nan_to_num(
        np.array(
            mi.render(scene, sensor=sensor, integrator=guide, spp=min(samples, guides), seed=seed * 64 + 63)
        )[..., -7:]
    )
    return Shot(stack.mean(0), stack.var(0).mean(-1) / (passes - 1), hit[..., :3], hit[..., 3:6], hit[..., 6])


def threads(count: int) -> None:
    """How many threads the path tracer may use."""
    dr.set_thread_count(count)


def sunlit_part(
    scene: Any,
    camera: Camera,
    size: tuple[int, int],
    sun: Sequence[float],
    reach: float,
    steps: int,
    depth: Array,
    weight: Callable[[Array], Array],
    seed: int,
) -> Array:
    """For each pixel, how much of the air before it the sun reaches, 0 to 1, in shafts."""
    width, height = size
    rays = camera.rays(size).reshape(-1, 3)
    limit = np.where(depth > 0, np.minimum(depth, reach), reach).reshape(-1)
    rng = np.random.default_rng(seed)
    total, weights = np.zeros(len(rays), np.float32), np.zeros(len(rays), np.float32)
    direction = np.asarray(sun, np.float32) / np.float32(np.linalg.norm(sun))
    for number in range(steps):
        t = (number + rng.random(len(rays), dtype=np.float32)) / steps * limit
        points = np.asarray(camera.eye, np.float32) + rays * t[:, None]
        ray = mi.Ray3f(mi.Point3f(points.T.copy()), mi.Vector3f(*[float(v) for v in direction]))
        share = weight(points)
        total += share * (1 - np.array(scene.ray_test(ray)).astype(np.float32))
        weights += share
    return (total / steps * limit / reach).reshape(height, width)
