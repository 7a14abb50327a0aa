"""Recipes: the TOML file beside each shipped model that reproduces it."""

import sys
from pathlib import Path
from typing import Annotated, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from convert.problems import RecipeError
from edge.perception.spectrogram import FrontEnd

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

Share = Annotated[float, Field(ge=0, le=1)]
Positive = Annotated[float, Field(gt=0)]


class Recipe(BaseModel):
    """What both nets share."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    seed: int = 1
    epochs: Annotated[int, Field(gt=0)]
    batch: Annotated[int, Field(gt=0)] = 128
    peak_rate: Positive = 0.1
    weight_decay: Annotated[float, Field(ge=0)] = 5e-4
    average_decay: Share = 0.998
    dropout: Share = 0.2
    widths: tuple[int, ...] = (32, 64, 128)
    blocks: tuple[int, ...] = (1, 2, 2)


class FaceRecipe(Recipe):
    """How the face net is trained."""

    ferplus_share: Share = 0.4
    """Weight of the FER+ votes in the training target; the FER2013 label has the rest."""
    sizes_px: tuple[int, ...] = (36, 42, 48)
    """Input sizes of successive thirds of the training: small first is cheaper and no worse."""


class VoiceRecipe(Recipe):
    """How the voice net is trained."""

    widths: tuple[int, ...] = (16, 24, 48, 96)
    """Channels of the stem, then of each stage."""
    blocks: tuple[int, ...] = (1, 1, 1)
    held_out_actors: tuple[int, ...]
    """RAVDESS actors that are never trained on nor chosen by: the test speakers."""
    validation_actors: tuple[int, ...]
    """RAVDESS actors that decide (on the recipe, the temperature); never trained on either."""
    validation_speakers: tuple[str, ...] = ()
    """Speakers of other corpora that are kept out of training, to see what carries over."""
    shares: dict[str, Positive]
    """How much of what is learned from comes from each corpus; only the ratios count."""
    silence_share: Share = 0.03
    """How much is background without speech, taught to be undecided."""
    clips_per_epoch: Annotated[int, Field(gt=0)] = 8_192
    views: Annotated[int, Field(gt=0)] = 6
    """Augmented versions computed of every clip, besides the plain one."""
    plain_share: Share = 0.25
    """How often a clip is shown as it was recorded instead of in an augmented view."""
    smoothing: Share = 0.1
    """Part of the target spread over all emotions: acted labels are not certain."""
    mixup: Annotated[float, Field(ge=0)] = 0.2
    """Parameter of the beta distribution that blends pairs; 0 = no blending."""
    front_end: FrontEnd = FrontEnd()


AnyRecipe = TypeVar("AnyRecipe", bound=Recipe)


def load_recipe(file: Path, kind: type[AnyRecipe]) -> AnyRecipe:
    """Read and check a recipe.

    Raises:
        RecipeError: it cannot be read, lacks a key, has an unknown one or a value out of range.
    """
    try:
        return kind.model_validate(tomllib.loads(file.read_text(encoding="utf-8")))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise RecipeError(f"{file} is no readable recipe: {error}.") from error
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(str(part) for part in first["loc"])
        raise RecipeError(f"{file}: {key}: {first['msg']}.") from error
