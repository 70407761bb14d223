"""What calls bring and what they are answered with: checked on the way in, described in the OpenAPI document."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from framestyle.doors.studio import limits

Id = Annotated[str, Field(pattern=r"^[0-9a-f]{8,64}$")]
Name = Annotated[str, Field(min_length=1, max_length=200)]
Value = bool | int | float | Annotated[str, Field(max_length=200)] | None
Settings = Annotated[dict[Annotated[str, Field(max_length=80)], Value], Field(max_length=60)]
JobState = Literal["waiting", "running", "paused", "done", "failed", "cancelled"]


class Body(BaseModel):
    """Of a request: nothing unknown is passed over."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Look(Body):
    """A preset by name, or as a text that is not saved, and what was changed of it.

    `settings`: preset keys (`strength`, `style.scale`, …) and values; none that names a picture. `mask`: an uploaded
    picture; where it is white the look is painted. Where it is black, `outside` is (a preset's name), or the picture
    stays as it is.
    """

    preset: Name | None = None
    yaml: Annotated[str, Field(max_length=limits.JSON_BYTES)] | None = None
    settings: Settings = Field(default_factory=dict)
    mask: Id | None = None
    outside: Name | None = None

    @model_validator(mode="after")
    def _one_of_two(self) -> Look:
        if (self.preset is None) == (self.yaml is None):
            raise ValueError("a look is a preset's name or a text, one of the two")
        if self.outside is not None and self.mask is None:
            raise ValueError("outside needs a mask")
        return self


class Wanted(Body):
    """A preview: of a picture, or a clip's moment, in a look. `sketch`: its first steps alone. `moving`: a clip's
    excerpt beside itself. `urgent`: before what is being painted."""

    picture: Id
    at_s: Annotated[float, Field(ge=0, le=1e7)] | None = None
    look: Look
    side_px: Annotated[int, Field(ge=32, le=1024)] = 128
    sketch: bool = False
    moving: bool = False
    urgent: bool = False


class WantedList(Body):
    """All previews that a page wants now, the most wanted first: it replaces what the page wanted before."""

    page: Annotated[str, Field(pattern=r"^[0-9a-zA-Z-]{1,64}$")]
    wanted: Annotated[list[Wanted], Field(max_length=limits.WANTED)]


class NewJob(Body):
    """A render: what, in which look, how large."""

    inputs: Annotated[list[Id], Field(min_length=1, max_length=limits.INPUTS)]
    look: Look
    max_side_px: Annotated[int, Field(ge=0, le=32768)] | None = None
    quality: Literal["draft", "good", "visually_lossless", "lossless"] | None = None
    start_s: Annotated[float, Field(ge=0, le=1e7)] | None = None
    end_s: Annotated[float, Field(ge=0, le=1e7)] | None = None
    seed: Annotated[int, Field(ge=0, le=2**31 - 1)] = 0

    @model_validator(mode="after")
    def _in_order(self) -> NewJob:
        if self.start_s is not None and self.end_s is not None and self.start_s >= self.end_s:
            raise ValueError("the start must lie before the end")
        return self


class Move(Body):
    """Where a waiting job goes: before another one, or to the end."""

    before: Id | None = None


class Switch(Body):
    """Whether the queue stands still once the job at work is done."""

    paused: bool


class SavedPreset(Body):
    """A preset to be saved: as text, or as a look."""

    yaml: Annotated[str, Field(max_length=limits.JSON_BYTES)] | None = None
    look: Look | None = None
    description: Annotated[str, Field(max_length=300)] = ""
    overwrite: bool = False

    @model_validator(mode="after")
    def _one_of_two(self) -> SavedPreset:
        if (self.yaml is None) == (self.look is None):
            raise ValueError("a preset is saved from a text or from a look, one of the two")
        return self


class PresetOfPictures(Body):
    """A new preset whose style is these pictures."""

    name: Name
    pictures: Annotated[list[Id], Field(min_length=1, max_length=8)]


class Copy(Body):
    """Another name for a copy."""

    name: Name


class CheckedText(Body):
    """A preset's text, and the name that it would be saved under."""

    yaml: Annotated[str, Field(max_length=limits.JSON_BYTES)]
    name: Name = "draft"


# -- answers -----------------------------------------------------------------------------------------------


class Problem(BaseModel):
    """Why a call was not done."""

    code: str
    message: str
    next_step: str | None
    facts: dict[str, Any]


class StudioFacts(BaseModel):
    """What this studio is."""

    version: str
    root: str
    results: str
    weights: str
    can_reveal: bool
    limits: dict[str, int]
    queue: QueueFacts


class QueueFacts(BaseModel):
    """How many jobs there are of each state, and whether the queue stands still."""

    paused: bool
    counts: dict[str, int]


class MediaFacts(BaseModel):
    """A photo or a clip."""

    id: str
    name: str
    kind: Literal["photo", "video"]
    is_upload: bool
    width: int | None = None
    height: int | None = None
    duration_s: float | None = None
    frame_rate: float | None = None
    has_sound: bool | None = None
    moments_s: list[float] = []


class FolderEntry(BaseModel):
    """A folder in a folder (with `path`), or a photo or clip (with `media`)."""

    name: str
    path: str | None = None
    media: MediaFacts | None = None


class FolderPart(BaseModel):
    """Part of a folder. `names`: how many names it has, pictures or not; `next`: the offset of what follows."""

    path: str
    entries: list[FolderEntry]
    names: int
    next: int | None


class PresetFacts(BaseModel):
    """A preset. `settings`: its values of the keys that the page has sliders for."""

    name: str
    description: str
    tags: list[str]
    cost_class: str
    builtin: bool
    colors: list[str]
    settings: dict[str, Any]
    problem: str | None = None


class PresetText(BaseModel):
    """A preset as it is written."""

    name: str
    builtin: bool
    yaml: str


class Fault(BaseModel):
    """What is wrong with a text; line and column count from 1, and are None where the fault lies in what it extends."""

    line: int | None
    column: int | None
    message: str


class Checked(BaseModel):
    """A text's faults; none: it can be saved."""

    faults: list[Fault]
    settings: dict[str, Any] = {}


class Recipe(BaseModel):
    """What a photo was made with. `doubts`: what is no longer as it was."""

    yaml: str
    made: str
    weights: str
    seed: int
    doubts: list[str]


class PreviewFacts(BaseModel):
    """A preview. `version` counts pictures of it so far: the address gives the newest. `render_s`: what the full render
    would take; `at_most`, where not all that it does was measured."""

    key: str
    state: Literal["waiting", "painting", "done", "failed"]
    version: int
    step: int = 0
    steps: int = 0
    render_s: float | None = None
    at_most: bool = False
    message: str | None = None


class JobFacts(BaseModel):
    """A job. `progress`: of the attempt at work, or the last."""

    id: str
    state: JobState
    title: str
    preset: str
    inputs: int
    input: str | None
    made_s: float
    started_s: float | None
    ended_s: float | None
    attempt: int
    progress: dict[str, Any] | None
    problem: Problem | None
    outputs: list[MediaFacts]
    look: dict[str, Any]


class JobList(BaseModel):
    """Part of the queue: those at work and waiting in their order, then those that have ended, the newest first."""

    jobs: list[JobFacts]
    total: int
    queue: QueueFacts


class ResultFacts(BaseModel):
    """What a job has made, of what and in which look; the job may be off the list by now."""

    media: MediaFacts
    input: MediaFacts | None
    job: str
    preset: str
    made_s: float
    look: dict[str, Any] | None


class ResultList(BaseModel):
    """The newest first."""

    results: list[ResultFacts]
    total: int


class Revealed(BaseModel):
    """Where a result lies, and whether a file manager was asked to show it."""

    folder: str
    shown: bool


class Done(BaseModel):
    """Nothing more to say."""

    ok: bool = True
