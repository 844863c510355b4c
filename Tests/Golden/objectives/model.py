"""Golden values of the objectives through the tiny models of ../text: adapters on all seven linears and on the projector, float32.

    python objectives/model.py [--output FOLDER]     writes flat-bf16 and nested-f32 (.safetensors, .json; default: beside this file)

Needs the models as text/make.py wrote them. Each sequence goes through alone. What the files hold: ../README.md.
"""

import argparse
import sys
from pathlib import Path

GOLDEN = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(Path(__file__).resolve().parent), str(GOLDEN), str(GOLDEN / "text")]

import numpy
import torch
from adapter import attach, random_adapters
from cases import MODEL_CASES
from checkpoint import SHAPES, Shape
from formulas import Batch, Objective
from library import assert_decided
from safetensors.torch import load_file
from text.make import final_states, load, pooled
from writing import entry, write

PROJECTOR = "base_model.model.multi_vector_projector.lora_{}.retrieval.weight"
SEED = 470

BATCHES = {
    # Negative 14 is row 1's and row 4's.
    "negatives": Batch(list(range(6)), list(range(6, 12)), [[12], [13, 14], [], [15], [14], [16, 17, 18]]),
    # Rows 1 and 4 share an anchor, rows 0 and 5 a positive; row 3's positive is row 2's anchor; row 2's first
    # negative is the shared positive.
    "duplicates": Batch([0, 1, 2, 3, 1, 5], [6, 7, 8, 2, 9, 6], [[10], [], [6, 11], [], [12], []]),
    "graded": Batch([0, 1, 2, 3, 1, 5], [6, 7, 8, 9, 10, 11], [[]] * 6, [5, 2.5, 0, 4, 1, 2.5]),
    "taught": Batch(
        list(range(6)), list(range(6, 12)), [[12], [13, 14], [], [15], [14, 16, 17, 18], [19]],
        teacher=[[4.5, -1], [2, 2.5, -3], [1], [0.5, -0.25], [6, 5, 4.5, -2, 1], [3, 1]],
    ),
}


def token_ids(shape: Shape, batch: Batch, seed: int) -> list[torch.Tensor]:
    """Token ids of every input: a candidate repeats a part of its row's anchor, a positive more of it than a negative. The last is one token."""
    random = numpy.random.Generator(numpy.random.PCG64(seed))
    draw = lambda count: random.integers(0, shape.vocabulary - 22, count)
    ids: dict[int, numpy.ndarray] = {}
    for row, (anchor, positive) in enumerate(zip(batch.anchors, batch.positives, strict=True)):
        topic = ids.setdefault(anchor, draw(random.integers(5, 12)))
        for candidate, share in [(positive, 0.6), *((n, 0.4) for n in batch.negatives[row])]:
            kept = topic[random.random(len(topic)) < share]
            ids.setdefault(candidate, numpy.concatenate([draw(random.integers(1, 5)), kept]))
    last = max(ids)
    ids[last] = ids[last][:1]
    count = last + 1
    made = [ids.get(number, draw(1)) for number in range(count)]
    assert len({tuple(x) for x in made}) == count, "two inputs have equal ids"
    return [torch.from_numpy(x) for x in made]


class Model:
    """A backbone with the retrieval adapter, and its projector with its own pair."""

    def __init__(self, shape: Shape):
        folder, adapters = GOLDEN / "text" / shape.name, random_adapters(shape)
        self.peft, self.trainable = attach(load(folder / "model"), shape, adapters)
        stored = {}
        for file in sorted((folder / "model").glob("*.safetensors")):
            stored |= load_file(file)
        self.weight, self.bias = (stored[f"multi_vector_projector.{part}"].float() for part in ("weight", "bias"))
        self.a, self.b = (adapters[PROJECTOR.format(side)].requires_grad_() for side in "AB")
        self.trainable = self.trainable | {PROJECTOR.format("A"): self.a, PROJECTOR.format("B"): self.b}
        self.scale = shape.alpha / shape.rank

    def embed(self, segments: list[torch.Tensor]) -> tuple[torch.Tensor, list[torch.Tensor]]:
        """Dense vectors [segments, hidden] and token vectors [tokens, projector width] of each segment, unit length."""
        states = final_states(self.peft.base_model.model, segments)
        return pooled(states), [torch.nn.functional.normalize(self.projected(state), dim=1) for state in states]

    def projected(self, states: torch.Tensor) -> torch.Tensor:
        return states @ self.weight.T + self.bias + self.scale * (states @ self.a.T @ self.b.T)


def make(shape: Shape, folder: Path) -> None:
    model, tensors, cases, segments = Model(shape), {}, [], {}
    used = {case.rows: BATCHES[case.rows] for case in MODEL_CASES[shape.name]}
    for name, batch in used.items():
        segments[name] = token_ids(shape, batch, SEED + 10 * SHAPES.index(shape) + list(BATCHES).index(name))
        with torch.no_grad():
            dense, late = model.embed(segments[name])
        offsets = torch.tensor([0, *map(len, late)]).cumsum(0).int()
        tensors |= {f"{name}.tokens": torch.cat(segments[name]).int(), f"{name}.offsets": offsets}
        tensors |= {f"{name}.dense": dense, f"{name}.late": torch.cat(late)}
    for case in MODEL_CASES[shape.name]:
        objective = Objective(case.at(list(shape.matryoshka)), BATCHES[case.rows])
        dense, late = model.embed(segments[case.rows])
        assert_decided(objective, dense.detach(), [tokens.detach() for tokens in late])
        terms = objective.terms(dense, late)
        value = objective.value(terms, dense)
        gradients = torch.autograd.grad(value, list(model.trainable.values()), allow_unused=True)
        tensors |= {f"{case.name}.gradient.{n}": g for n, g in zip(model.trainable, gradients, strict=True) if g is not None}
        cases.append(entry(case, objective, dense.detach(), value, terms))
        norm = sum(g.square().sum() for g in gradients if g is not None).sqrt()
        masked = len(cases[-1]["masked"]), len(cases[-1]["margin_masked"])
        print(f"{shape.name:12} {case.name:36} {value:10.5f}   masked {masked[0]} + {masked[1]}   gradient {norm:.3f}")
    write(folder / shape.name, used, cases, tensors)


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--output", type=Path, default=Path(__file__).parent)
    arguments = parser.parse_args()
    arguments.output.mkdir(parents=True, exist_ok=True)
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)
    for shape in SHAPES:
        make(shape, arguments.output)
