"""Golden values of the objectives through rows with images: the tiny models of ../vision, from patches to the loss, float32.

    python objectives/pictures.py [--output FOLDER]     writes merge-2 and merge-3 (.safetensors, .json; default: beside this file)

Needs the models as vision/make.py wrote them. Each input goes through alone. What the files hold: ../README.md.
"""

import argparse
import sys
from pathlib import Path

GOLDEN = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(Path(__file__).resolve().parent), str(GOLDEN), str(GOLDEN / "text")]

import torch
from adapter import attach, random_adapters
from cases import case
from checkpoint import Random, Shape, load
from formulas import Batch, Objective
from library import assert_decided
from model import PROJECTOR
from safetensors.torch import load_file
from vision import make as vision
from writing import entry, write

SEED = 490
# Inputs as the rows of vision/make.py: numbers are runs of text tokens, lists are images of one frame by their index.
INPUTS = [[7], [9], [0, [3], 6], [4], [5, [0], 3], [0, [1], 0], [3], [0, [2], 2], [1, [0], 0], [4]]
# A text or an image on either side; negative 8 is row 0's and row 3's.
BATCH = Batch([0, 1, 2, 3], [4, 5, 6, 7], [[8], [9], [], [8]])
WEIGHTED = {"dense_weight": 1, "late_weight": 0.7, "kl_weight": 0.3}
CASES = [
    case("infonce", "pictures", "infonce"),
    case("joint", "pictures", "joint"),
    case("joint-weighted", "pictures", "joint", temperature=0.05, **WEIGHTED),
    case("late", "pictures", "late"),
]


class Model:
    """A backbone with its tower and the retrieval adapter, and its projector with its own pair."""

    def __init__(self, shape: Shape):
        folder, adapters = GOLDEN / "vision" / shape.name / "model", random_adapters(shape)
        self.shape, self.inputs = shape, vision.Inputs(shape)
        random = Random(SEED + shape.seed)
        self.segments = [vision.token_ids(shape, row, random) for row in INPUTS]
        peft, trainable = attach(load(folder), shape, adapters)
        self.model = peft.base_model.model
        stored = {}
        for file in sorted(folder.glob("*.safetensors")):
            stored |= load_file(file)
        self.weight, self.bias = (stored[f"multi_vector_projector.{part}"].float() for part in ("weight", "bias"))
        self.a, self.b = (adapters[PROJECTOR.format(side)].requires_grad_() for side in "AB")
        self.trainable = trainable | {PROJECTOR.format("A"): self.a, PROJECTOR.format("B"): self.b}
        self.scale = shape.alpha / shape.rank

    def states(self, number: int) -> torch.Tensor:
        ids, used = self.segments[number][None], vision.images(INPUTS[number])
        arguments = {"input_ids": ids}
        if used:
            arguments["mm_token_type_ids"] = (ids == self.shape.vocabulary - 10).int()
            arguments |= {"image_grid_thw": self.inputs.grids[used], "pixel_values": torch.cat([self.inputs.patches[i] for i in used])}
        return self.model.model(**arguments, use_cache=False).last_hidden_state[0]

    def embed(self) -> tuple[torch.Tensor, list[torch.Tensor]]:
        """Dense vectors [inputs, hidden] and token vectors [tokens, projector width] of each input, unit length."""
        states = [self.states(number) for number in range(len(INPUTS))]
        means = [own[vision.pooled_span(self.shape, ids)].mean(dim=0) for own, ids in zip(states, self.segments, strict=True)]
        late = [own @ self.weight.T + self.bias + self.scale * (own @ self.a.T @ self.b.T) for own in states]
        normalized = torch.nn.functional.normalize
        return normalized(torch.stack(means), dim=1), [normalized(tokens, dim=1) for tokens in late]


def make(shape: Shape, folder: Path) -> None:
    model, cases = Model(shape), []
    with torch.no_grad():
        dense, late = model.embed()
    used = [vision.images(row) for row in INPUTS]
    tensors = {
        "pictures.tokens": torch.cat(model.segments).int(),
        "pictures.offsets": torch.tensor([0, *map(len, model.segments)]).cumsum(0).int(),
        "pictures.images": torch.tensor([image for row in used for image in row]).int(),
        "pictures.image_offsets": torch.tensor([0, *map(len, used)]).cumsum(0).int(),
        "pictures.dense": dense,
        "pictures.late": torch.cat(late),
    }
    for one in CASES:
        objective = Objective(one.settings, BATCH)
        dense, late = model.embed()
        assert_decided(objective, dense.detach(), [tokens.detach() for tokens in late])
        terms = objective.terms(dense, late)
        value = objective.value(terms, dense)
        gradients = torch.autograd.grad(value, list(model.trainable.values()), allow_unused=True)
        tensors |= {f"{one.name}.gradient.{n}": g for n, g in zip(model.trainable, gradients, strict=True) if g is not None}
        cases.append(entry(one, objective, dense.detach(), value, terms))
        norm = sum(g.square().sum() for g in gradients if g is not None).sqrt()
        print(f"{shape.name:12} {one.name:36} {value:10.5f}   gradient {norm:.3f}")
    write(folder / shape.name, {"pictures": BATCH}, cases, tensors)


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--output", type=Path, default=Path(__file__).parent)
    arguments = parser.parse_args()
    arguments.output.mkdir(parents=True, exist_ok=True)
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)
    for shape in vision.SHAPES:
        make(shape, arguments.output)
