"""Recipes: the TOML file beside each shipped model that reproduces it."""

import difflib
import sys
from pathlib import Path
from typing import Annotated, Any, Final, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from convert.errors import RecipeError
from edge.messages import SAMPLE_RATE_HZ
from edge.perception.spectrogram import FrontEnd
from edge.process.regular_files import read_regular

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

Share = Annotated[float, Field(ge=0, le=1)]
Positive = Annotated[float, Field(gt=0)]
Counts = Annotated[tuple[Annotated[int, Field(gt=0)], ...], Field(min_length=1)]


class Recipe(BaseModel):
    """What both nets share."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    seed: int = 1
    epochs: Annotated[int, Field(gt=0)]
    batch: Annotated[int, Field(gt=0)] = 128
    falling_epochs: Annotated[int, Field(ge=0)] = 10
    """Over how many epochs at the end the rate falls to zero."""
    optimiser: Literal["sgd", "muon"] = "muon"
    peak_rate: Positive = 0.05
    weight_decay: Annotated[float, Field(ge=0)] = 0.05
    average_decay: Share = 0.998
    dropout: Share = 0.2
    precision: Literal["float32", "bfloat16"] = "float32"
    """What convolutions are computed in while training; weights are kept in float32. bfloat16 takes
    half the time on processors that have it, and longer on others."""
    widths: Counts = (32, 64, 128)
    blocks: Counts = (1, 2, 2)


class FaceRecipe(Recipe):
    """How the face net is trained.

    In a file the stages of a training may stand one after another, each a `[[stages]]` with what
    sets it apart; what stands above the first one holds for all. The last is the recipe, and the
    one before each its `first`.
    """

    separable: bool = False
    """Depth-wise separable convolutions instead of plain ones."""
    start: str = ""
    """Weights to begin with (face_float.npz beside a published model), by a path from the recipe's
    folder; empty = from scratch."""
    label_share: Share = 0.35
    """Weight of a row's own FER2013 label in the target of that head; what the FER+ votes predict
    of it has the rest."""
    majority_share: Share = 0.0
    """Weight of the emotion of the majority in the target of the FER+ head, where there is one; the
    distribution of the votes has the rest."""
    ferplus_weight: Positive = 1.0
    """What errors of the FER+ head count beside those of the FER2013 head."""
    balance: Share = 0.0
    """How far rare emotions are shown more often: 0 = as often as they occur, 1 = all alike."""
    learn_public: bool = False
    """Train on the PublicTest rows that are not held out too, as papers on FER2013 do at last."""
    early_size_px: Annotated[int, Field(ge=24, le=48)] = 48
    """Side of the pictures in the first epochs; smaller is cheaper. Later it is the device's, 48."""
    early_epochs: Annotated[int, Field(ge=0)] = 0
    """How many epochs have small pictures."""
    wide: bool = False
    """Change pictures as strange cameras, light and clothes would: dark to 3 %, coarse, noisy, behind
    glasses and masks."""
    mixup_share: Share = 0.2
    """How many pictures are blended with another one."""
    mild_epochs: Annotated[int, Field(ge=0)] = 0
    """In so many last epochs pictures are changed less and none are blended."""
    mild_strength: Share = 0.4
    """How much and how often they are changed then, against 1 before."""
    teacher_share: Share = 0.3
    """Weight of the averaged net's pseudo-labels in the targets, once it teaches."""
    teacher_from: Annotated[int, Field(ge=0)] = 20
    """First epoch (from 0) in which the averaged net teaches."""
    teacher_every: Annotated[int, Field(gt=0)] = 10
    """After so many epochs they are renewed."""
    lesson_share: Share = 0.0
    """Weight of what teachers say of a row in its targets; above 0 it takes their lessons."""
    seen_weight: Annotated[float, Field(ge=0)] = 0.0
    """What errors of the head count that tells a face from what the detector takes for one, beside those
    of the FER2013 head; above 0 there is that head, and it takes crops without a face."""
    mistakes_share: Share = 0.15
    """How many of those come with each batch, of its size."""
    stop_after: Annotated[int, Field(ge=0)] = 0
    """Stop after so many epochs, wherever the rate is by then; 0 = after all of them."""
    first: "FaceRecipe | None" = None
    """What is trained before: a net of the same widths and at most as many blocks, from which this
    one grows, or with which it goes on."""
    first_share: Share = 0.0
    """Part of the weights of the net that it began with in the one that comes out."""

    @property
    def stages(self) -> "tuple[FaceRecipe, ...]":
        """All that is trained, the first one first, this one last."""
        return (*(() if self.first is None else self.first.stages), self)

    @property
    def done_epochs(self) -> int:
        """How many epochs this stage has."""
        return self.stop_after or self.epochs

    @property
    def knows_public(self) -> bool:
        """Whether the net may have been trained on PublicTest rows, in a stage or before it began."""
        return any(stage.learn_public or stage.start for stage in self.stages)

    @model_validator(mode="before")
    @classmethod
    def _stages_in_order(cls, given: Any) -> Any:
        if not isinstance(given, dict) or "stages" not in given:
            return given
        common = {key: value for key, value in given.items() if key != "stages"}
        stages = given["stages"]
        listed = isinstance(stages, list) and all(isinstance(stage, dict) for stage in stages)
        if not (listed and stages):
            raise ValueError("stages are tables, each under a line [[stages]]")
        if any("first" in each for each in (common, *stages)):
            raise ValueError("stages and first exclude each other")
        recipe = common | stages[0]
        for stage in stages[1:]:
            recipe = common | stage | {"first": recipe}
        return recipe

    @model_validator(mode="after")
    def _grows(self) -> "FaceRecipe":
        _check_blocks(self.blocks, len(self.widths))
        if self.seen_weight and round(self.batch * self.mistakes_share) < 1:
            raise ValueError("with a seen_weight mistakes_share must give each batch one at least")
        if self.first is None:
            if self.first_share:
                raise ValueError("first_share needs a first")
            return self
        if self.start:
            raise ValueError("start and first exclude each other")
        fits = (
            self.first.widths == self.widths
            and self.first.separable == self.separable
            and len(self.first.blocks) == len(self.blocks)
            and all(had <= has for had, has in zip(self.first.blocks, self.blocks, strict=True))
        )
        if not fits:
            raise ValueError("first must have the same widths and at most as many blocks")
        return self


class Shape(BaseModel):
    """What makes one face net differ from another."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    widths: Counts
    blocks: Counts
    separable: bool = False
    optimiser: Literal["sgd", "muon"] | None = None
    """Another one than all the others have; then with its own rate and decay."""
    peak_rate: Positive | None = None
    weight_decay: Annotated[float, Field(ge=0)] | None = None

    @model_validator(mode="after")
    def _fits_together(self) -> "Shape":
        _check_blocks(self.blocks, len(self.widths))
        return self


class VoiceRecipe(Recipe):
    """How the voice net is trained."""

    widths: Counts = (16, 24, 48, 88)
    """Channels of the stem, then of each stage."""
    blocks: Counts = (1, 1, 1)
    folds: Annotated[tuple[Counts, ...], Field(min_length=2)]
    """RAVDESS actors by fold. Those of `fold` are the test: never trained on nor chosen by."""
    fold: Annotated[int, Field(ge=1)] = 1
    """Which fold is held out, from 1; 1 is the published model's."""
    deciding_actors: Annotated[int, Field(gt=0)] = 3
    """So many actors of the following fold are for validation (of recipe, temperature, threshold) and
    not trained on either."""
    held_out_speakers: tuple[str, ...] = ()
    """Speakers of other corpora (with wildcards) held out of training, to see what carries over."""
    shares: dict[str, Positive]
    """How much of the training set comes from each corpus; only the ratios count."""
    views: dict[str, Annotated[int, Field(gt=0)]]
    """Augmented versions computed of every clip of each corpus, besides the plain one."""
    noise_share: Share = 0.12
    """How much is background without a voice, taught as not heard and undecided."""
    heard_weight: Annotated[float, Field(ge=0)] = 0.5
    """What errors of `heard` count beside those of the emotions."""
    clips_per_epoch: Annotated[int, Field(gt=0)] = 8_192
    common_epochs: Annotated[int, Field(ge=0)] = 8
    """Before `epochs`: epochs on the other corpora alone, done once for the nets of all folds; the
    rate falls from the third on."""
    plain_share: Share = 0.25
    """How often a clip is shown as it was recorded instead of augmented."""
    smoothing: Share = 0.1
    """Part of the target spread over all emotions: acted labels are not certain."""
    mixup: Annotated[float, Field(ge=0)] = 0.2
    """Parameter of the beta distribution that blends pairs; 0 = no blending."""
    front_end: FrontEnd = FrontEnd()

    @model_validator(mode="after")
    def _fits_together(self) -> "VoiceRecipe":
        _check_blocks(self.blocks, len(self.widths) - 1)
        rate_hz = self.front_end.rate_hz
        if rate_hz != SAMPLE_RATE_HZ:
            raise ValueError(f"front_end.rate_hz is {rate_hz}; clips have {SAMPLE_RATE_HZ}")
        if self.fold > len(self.folds):
            raise ValueError(f"fold is {self.fold}, but there are {len(self.folds)} folds")
        if missing := self.shares.keys() - self.views.keys():
            raise ValueError(f"views lacks {', '.join(sorted(missing))}")
        return self

    @property
    def held_out_actors(self) -> tuple[int, ...]:
        """RAVDESS actors of the test."""
        return self.folds[self.fold - 1]

    @property
    def validation_actors(self) -> tuple[int, ...]:
        """RAVDESS actors for validation."""
        return self.folds[self.fold % len(self.folds)][: self.deciding_actors]


def _check_blocks(blocks: tuple[int, ...], stages: int) -> None:
    if len(blocks) != stages:
        raise ValueError(f"blocks has {len(blocks)} numbers, but widths give {stages} stages")


def _place(keys: tuple[int | str, ...]) -> str:
    """Where in a recipe something is; each "first" is a stage before the last one."""
    before = keys.count("first")
    place = ".".join(str(key) for key in keys if key != "first") or "first"
    return f"{before} before the last stage, {place}" if before else place


LARGEST_BYTES: Final = 1_000_000
"""Of a recipe."""

AnyRecipe = TypeVar("AnyRecipe", bound=BaseModel)


def load_recipe(file: Path, kind: type[AnyRecipe]) -> AnyRecipe:
    """Read and check a recipe.

    Raises:
        RecipeError: it cannot be read, lacks a key, has an unknown one or a value out of range.
    """
    try:
        return kind.model_validate(tomllib.loads(read_regular(file, LARGEST_BYTES).decode()))
    except FileNotFoundError as error:
        raise RecipeError(f"There is no recipe {file}; name one (see --help).") from error
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise RecipeError(f"{file} is no readable recipe: {error}.") from error
    except ValidationError as error:
        # A key that does not exist says most: a misspelling, or the other net's recipe.
        problems = sorted(error.errors(), key=lambda each: each["type"] != "extra_forbidden")
        key = _place(problems[0]["loc"])
        said = problems[0]["msg"]
        if problems[0]["type"] == "extra_forbidden":
            near = difflib.get_close_matches(str(problems[0]["loc"][-1]), kind.model_fields, 1)
            said = (
                f"there is no such key; {near[0]}?"
                if near
                else ("there is no such key; is this the recipe of another net?")
            )
        raise RecipeError(f"{file}: {key}: {said}{'' if said.endswith('?') else '.'}") from error


class Search(BaseModel):
    """Shapes of the face net to compare."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    training: FaceRecipe
    """How each of them is trained."""
    candidates: dict[str, Shape]
    """Name -> shape."""
