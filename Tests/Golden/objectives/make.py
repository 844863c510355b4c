"""Golden values of every objective alone: random unit vectors, float64 arithmetic, float32 storage.

    python objectives/make.py [--output FOLDER]     writes embeddings.safetensors and embeddings.json (default: beside this file)

The stored float32 vectors are the exact inputs. Gradients are with respect to them as free variables. What the files hold: ../README.md.
"""

import argparse
import sys
from pathlib import Path

sys.path[:0] = [str(Path(__file__).resolve().parents[1])]

import numpy
import torch
from cases import EMBEDDING_CASES
from formulas import Batch, Objective
from library import assert_agrees, assert_decided
from writing import entry, write

WIDTH, LATE_WIDTH, LONGEST = 24, 8, 9
WIDTHS = [4, 8, 24]
SEED = 450

# Inputs are numbered anchors first, then positives, then negatives; where a batch has duplicates, numbers are left out.
BATCHES = {
    "pairs": Batch(list(range(8)), list(range(8, 16)), [[]] * 8),
    # Negative 20 is row 3's and row 6's. Input 19 has the vectors of input 11, row 3's positive, but not its content.
    "negatives": Batch(
        list(range(8)), list(range(8, 16)), [[], [16, 17, 18], [27], [19, 20], [], [21], [20, 22, 23], [24, 25]]
    ),
    # Rows 1 and 9 share a positive, rows 3 and 6 an anchor, row 4's positive is row 5's anchor; row 0's second negative is
    # row 7's positive, row 2's first is row 8's anchor.
    "duplicates": Batch(
        [0, 1, 2, 3, 4, 5, 3, 7, 8, 9],
        [10, 11, 12, 13, 5, 15, 16, 17, 18, 11],
        [[20, 17], [], [8, 22, 23], [24], [], [], [25], [26, 27], [], [28]],
    ),
    # Input 2 stands in two pairs; input 12 on the left of one and on the right of another.
    "graded": Batch(
        [0, 1, 2, 3, 2, 5, 6, 12, 8], [9, 10, 11, 12, 13, 14, 15, 16, 17], [[]] * 9, [5, 2.5, 0, 4, 2.5, 1, 3.75, 2.5, 0]
    ),
    "equal-scores": Batch([0, 1, 2], [3, 4, 5], [[]] * 3, [1, 1, 1]),
    # None to five negatives; scores as a reranker gives them, in row 3 a negative above the positive, in row 5 all equal. Row 6's
    # negatives hold row 2's positive, and one of them twice.
    "taught": Batch(
        list(range(8)), list(range(8, 16)), [[16], [17, 18, 19], [], [20, 21], [22, 23, 24, 25, 26], [27, 28], [10, 29, 29], [30]],
        teacher=[
            [6.5, -2.25], [3, 2.5, -4, 0.75], [1.5], [0.5, 2, -1], [7.25, 6, 5.5, -8, -3.5, 4], [1, 1, 1], [4, 3, -2, -2.5], [0.9, 0.2]
        ],
    ),
    # Rows 1, 4 and 7 have no teacher. The pool hides row 2's second negative from row 5, whose positive it is, and row 3's second
    # from row 3, whose anchor it is: the teacher's score of it counts all the same.
    "partly-taught": Batch(
        list(range(8)), list(range(8, 16)), [[16, 17], [18], [19, 13], [20, 3], [], [21, 22, 23], [24, 25], [26, 27]],
        teacher=[[5, 1.5, -6], [], [2.5, 2, 3], [-1, -3.5, -2], [], [8, 7.5, 2, -1.25], [3, 0, 1], []],
    ),
}
TWINS = {"negatives": (19, 11)}


class Vectors:
    """Dense vectors and token vectors of a batch's inputs, around a direction of their row's own."""

    def __init__(self, batch: Batch, seed: int):
        self.random = numpy.random.Generator(numpy.random.PCG64(seed))
        count = 1 + max(batch.anchors + batch.columns)
        self.dense, self.late = [None] * count, [None] * count
        common, common_late = self.direction(WIDTH), self.direction(LATE_WIDTH)
        for row, (anchor, positive) in enumerate(zip(batch.anchors, batch.positives, strict=True)):
            topic = self.unit(1.5 * common + self.direction(WIDTH)), self.unit(1.5 * common_late + self.direction(LATE_WIDTH))
            # Graded pairs lie the closer the higher their score, more or less.
            spread = 0.55 if batch.scores is None else 0.9 - 0.1 * batch.scores[row]
            for input, noise in [(anchor, 0.3), (positive, spread), *((n, 0.65) for n in batch.negatives[row])]:
                self.add(input, topic, noise)
        for input in range(count):
            self.add(input, (common, common_late), 1.0)

    def direction(self, width: int) -> numpy.ndarray:
        return self.unit(self.random.standard_normal(width))

    def unit(self, x: numpy.ndarray) -> numpy.ndarray:
        return x / numpy.linalg.norm(x, axis=-1, keepdims=True)

    def add(self, input: int, topic: tuple[numpy.ndarray, numpy.ndarray], noise: float) -> None:
        if self.dense[input] is not None:
            return
        self.dense[input] = self.unit(topic[0] + noise * self.direction(WIDTH))
        tokens = self.random.integers(1, LONGEST, endpoint=True)
        around = self.unit(topic[1] + noise * self.direction(LATE_WIDTH))
        self.late[input] = self.unit(around + 0.7 * self.unit(self.random.standard_normal((tokens, LATE_WIDTH))))


def vectors(name: str) -> tuple[torch.Tensor, list[torch.Tensor]]:
    """[inputs, 24] and, for each input, [tokens, 8], float32."""
    batch, place = BATCHES[name], list(BATCHES).index(name)
    made = Vectors(batch, SEED + place)
    if name in TWINS:
        twin, original = TWINS[name]
        made.dense[twin], made.late[twin] = made.dense[original], made.late[original]
    # An exact tie: the first positive has the token that is best for its anchor's first token once more, at the end.
    anchor, tied = made.late[batch.anchors[0]], made.late[batch.positives[0]][: LONGEST - 1]
    made.late[batch.positives[0]] = numpy.concatenate([tied, tied[[(tied @ anchor[0]).argmax()]]])
    as_float = lambda x: torch.from_numpy(x.astype(numpy.float32))
    return as_float(numpy.stack(made.dense)), [as_float(tokens) for tokens in made.late]


def evaluate(objective: Objective, dense: torch.Tensor, late: list[torch.Tensor]):
    """Value, terms, and gradients by dense vector [inputs, width] and by token [tokens, late width]; none where nothing depends."""
    dense, late = dense.double().requires_grad_(), [tokens.double().requires_grad_() for tokens in late]
    assert_decided(objective, dense.detach(), [t.detach() for t in late])
    terms = objective.terms(dense, late)
    assert_agrees(objective, dense.detach(), [t.detach() for t in late], terms)
    value = objective.value(terms, dense)
    gradients = torch.autograd.grad(value, [dense, *late], allow_unused=True, materialize_grads=True)
    return value, terms, {"dense": gradients[0], "late": torch.cat(gradients[1:])}


def make(folder: Path) -> None:
    inputs = {name: vectors(name) for name in BATCHES}
    tensors, cases = {}, []
    for name, (dense, late) in inputs.items():
        offsets = torch.tensor([0, *map(len, late)]).cumsum(0).int()
        tensors |= {f"{name}.dense": dense, f"{name}.late": torch.cat(late), f"{name}.offsets": offsets}
    for case in EMBEDDING_CASES:
        objective, (dense, late) = Objective(case.at(WIDTHS), BATCHES[case.rows]), inputs[case.rows]
        value, terms, gradients = evaluate(objective, dense, late)
        cases.append(entry(case, objective, dense.double(), value, terms))
        tensors |= {f"{case.name}.gradient.{name}": g.float() for name, g in gradients.items() if name == "dense" or objective.uses_late}
        norms = ", ".join(f"{name} {g.norm():.3f}" for name, g in gradients.items())
        print(f"{case.name:36} {value:10.5f}   masked {len(cases[-1]['masked'])} + {len(cases[-1]['margin_masked'])}   gradient {norms}")
    write(folder / "embeddings", BATCHES, cases, tensors)


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--output", type=Path, default=Path(__file__).parent)
    arguments = parser.parse_args()
    arguments.output.mkdir(parents=True, exist_ok=True)
    torch.set_num_threads(1)
    make(arguments.output)
