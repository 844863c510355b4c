"""Golden values of InfoNCE alone: random unit vectors, contents with duplicates, float64 arithmetic, float32 storage.

    python loss/make.py [--output FOLDER]     writes rows-5, rows-70 and rows-300 (.safetensors, .json; default: beside this file)

The stored float32 vectors are the exact inputs; they are not normalised again. What the files hold: ../README.md.
"""

import argparse
import json
import sys
from dataclasses import dataclass
from pathlib import Path

sys.path[:0] = [str(Path(__file__).resolve().parents[1])]

import numpy
import torch
from infonce import assert_unambiguous, masked_columns, row_losses
from safetensors.torch import save_file

WIDTH = 48


@dataclass(frozen=True)
class Case:
    rows: int
    negatives: int
    temperature: float
    keeps_unmasked_gradient: bool


CASES = [Case(5, 4, 0.05, True), Case(70, 35, 0.1, True), Case(300, 120, 0.02, False)]


def contents(case: Case, generator: numpy.random.Generator) -> tuple[list[int], list[int], list[int]]:
    """Content ids with every kind of duplicate. No negative equals its own positive: those are dropped before the loss."""
    ids = generator.permutation(10 * case.rows).tolist()
    anchors, positives, negatives = (ids[start : start + n] for start, n in ((0, case.rows), (case.rows, case.rows), (2 * case.rows, case.negatives)))
    for k in range(max(1, case.rows // 30)):
        one, two = 2 * k, case.rows - 1 - 2 * k
        positives[two] = positives[one]
    positives[case.rows // 2 - 1] = anchors[case.rows // 2]
    if case.rows > 5:
        anchors[case.rows // 3] = anchors[case.rows // 3 + 2]
        anchors[-2] = anchors[7]
        negatives[1] = positives[11]
        negatives[3] = anchors[13]
        negatives[-1] = negatives[-2]
    else:
        anchors[1] = anchors[3]
        negatives[2] = positives[0]
    return anchors, positives, negatives


def vectors(case: Case, generator: numpy.random.Generator, groups: tuple[list[int], list[int], list[int]]) -> tuple[torch.Tensor, torch.Tensor]:
    """Unit vectors [rows, 48] and [columns, 48]; a positive lies near its anchor, equal contents on one side are equal vectors."""

    def unit(x):
        return x / numpy.linalg.norm(x)

    anchors, positives, negatives = groups
    anchor_of, candidate_of = {}, {}
    for content in anchors:
        anchor_of.setdefault(content, unit(generator.standard_normal(WIDTH)))
    for anchor, positive in zip(anchors, positives, strict=True):
        candidate_of.setdefault(positive, unit(anchor_of[anchor] + unit(generator.standard_normal(WIDTH))))
    for index, negative in enumerate(negatives):
        near = anchor_of[anchors[index % case.rows]]
        candidate_of.setdefault(negative, unit(0.5 * near + unit(generator.standard_normal(WIDTH))))
    rows = numpy.stack([anchor_of[c] for c in anchors])
    columns = numpy.stack([candidate_of[c] for c in positives + negatives])
    return torch.from_numpy(rows.astype(numpy.float32)), torch.from_numpy(columns.astype(numpy.float32))


def evaluate(anchors: torch.Tensor, candidates: torch.Tensor, temperature: float, mask: torch.Tensor | None):
    """Row losses, and the gradients of their mean."""
    a, c = anchors.double().requires_grad_(), candidates.double().requires_grad_()
    rows = row_losses(a, c, temperature, mask)
    gradients = torch.autograd.grad(rows.mean(), (a, c))
    return rows.detach(), gradients


def make(case: Case, folder: Path) -> None:
    generator = numpy.random.Generator(numpy.random.PCG64(case.rows))
    groups = contents(case, generator)
    anchors, candidates = vectors(case, generator, groups)
    mask = masked_columns(*groups)
    assert_unambiguous(*groups, mask)
    tensors = {"anchors": anchors, "candidates": candidates, "masked_pairs": mask.nonzero().int().contiguous()}
    for name, ids in zip(("anchor_contents", "positive_contents", "negative_contents"), groups, strict=True):
        tensors[name] = torch.tensor(ids, dtype=torch.int32)
    facts = {"rows": case.rows, "negatives": case.negatives, "width": WIDTH, "temperature": case.temperature}
    for name, applied in (("masked", mask), ("unmasked", None)):
        rows, gradients = evaluate(anchors, candidates, case.temperature, applied)
        facts[name] = {"loss": rows.mean().item()}
        tensors[f"{name}.row_losses"] = rows
        if applied is not None or case.keeps_unmasked_gradient:
            tensors |= {f"{name}.gradient.{n}": g.float() for n, g in zip(("anchors", "candidates"), gradients, strict=True)}
    path = folder / f"rows-{case.rows}"
    save_file(tensors, path.with_suffix(".safetensors"), metadata={"format": "pt"})
    path.with_suffix(".json").write_text(json.dumps(facts, indent=2) + "\n")
    print(path.name, facts, "masked pairs", int(mask.sum()))


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--output", type=Path, default=Path(__file__).parent)
    arguments = parser.parse_args()
    arguments.output.mkdir(parents=True, exist_ok=True)
    torch.set_num_threads(1)
    for case in CASES:
        make(case, arguments.output)
