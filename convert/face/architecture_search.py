"""Architecture search for the face net, accuracy against MACs: a table, and the same as JSON."""

import re
from dataclasses import asdict, dataclass
from pathlib import Path

import torch

from convert.atomic_files import write_json
from convert.face.data import load_face_data
from convert.face.train import build_face_net, train_face
from convert.int8.macs import count_macs
from convert.training.recipe import Search, load_recipe

CHOSEN = "plain, middle"
"""The shape that the training of the shipped net begins with."""


@dataclass(frozen=True)
class Candidate:
    """One shape and what it reached."""

    name: str
    widths: tuple[int, ...]
    blocks: tuple[int, ...]
    separable: bool
    optimiser: str
    parameters: int
    macs: int
    fer2013: float
    """Accuracy on FER2013 PublicTest, in floats."""
    ferplus: float
    """Accuracy on the PublicTest rows by FER+ majority, eight classes."""


def search_face(folder: Path, candidates_file: Path, out: Path, work: Path) -> list[Candidate]:
    """Train every candidate alike, print the table, leave it as `face_search.json` in *out*.

    A candidate that was trained already is taken from its checkpoint. Judged on PublicTest alone:
    the choice must not know the rows that are reported.
    """
    search = load_recipe(candidates_file, Search)
    data = load_face_data(folder)
    found = []
    for name, shape in search.candidates.items():
        print(f"{name}: widths {list(shape.widths)}, blocks {list(shape.blocks)}", flush=True)
        recipe = search.training.model_copy(update=shape.model_dump(exclude_none=True))
        checkpoint = re.sub(r"\W+", "-", name) + ".pt"
        net, history = train_face(data, recipe, work, checkpoint)
        found.append(
            Candidate(
                name=name,
                widths=recipe.widths,
                blocks=recipe.blocks,
                separable=recipe.separable,
                optimiser=recipe.optimiser,
                parameters=sum(weights.numel() for weights in net.parameters()),
                macs=count_macs(build_face_net(recipe), torch.zeros(1, 1, 48, 48)),
                fer2013=history[-1]["fer2013"],
                ferplus=history[-1]["ferplus"],
            )
        )
    training = search.training
    content = {
        "epochs": training.epochs,
        "pictures_px": training.early_size_px,
        "judged_on": "FER2013 PublicTest, float",
        "candidates": [asdict(each) for each in found],
    }
    out.mkdir(parents=True, exist_ok=True)
    write_json(content, out / "face_search.json")
    print(
        f"\nFloat nets after {training.epochs} epochs on {training.early_size_px} px pictures, "
        "PublicTest (3,589 rows; FER+ majority 3,199 rows):\n"
    )
    print(search_table(found))
    return found


def search_table(found: list[Candidate]) -> str:
    """Markdown, cheapest first."""
    lines = [
        "| shape | widths | blocks | optimiser | parameters | MACs | FER2013 | FER+ |",
        "|---|---|---|---|---|---|---|---|",
    ]
    lines += [
        f"| {each.name} | {list(each.widths)} | {list(each.blocks)} | {each.optimiser} "
        f"| {each.parameters / 1e6:.2f} M "
        f"| {each.macs / 1e6:.1f} M | {each.fer2013:.1%} | {each.ferplus:.1%} |"
        for each in sorted(found, key=lambda each: each.macs)
    ]
    return "\n".join(lines)
