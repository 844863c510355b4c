"""A line of the table: how far vectors lie apart, and whether that is near enough."""

import math
from dataclasses import dataclass
from typing import Self

import torch
from inputs import TEXTS

Vectors = list[torch.Tensor]
HEADING = "adapter        inputs      vectors    tokens   cosine     of a token  difference  allowed        without adapter"


@dataclass(frozen=True)
class Tolerance:
    """How far a line may be off; the reasons stand in ../README.md."""

    dtype: str
    layers: int
    blocks: int  # of the vision tower

    def difference(self, pictures: bool, late: bool) -> float:
        """Of any number of a vector, in float32. Rounding adds up over layers, those of the tower before those of the decoder."""
        layers = self.layers + (self.blocks if pictures else 0)
        return 1e-5 * max(1, math.sqrt(layers / 4)) * (4 if late else 1)

    def cosine(self, pictures: bool) -> float:
        """Of a vector, or of an input's token vectors on average, in bfloat16."""
        return 0.98 if pictures else 0.99


@dataclass(frozen=True)
class Line:
    """The texts or the pictures under one adapter, by one vector an input or by one a token."""

    adapter: str
    late: bool
    pictures: bool
    inputs: int
    miscounted: int  # inputs whose numbers of tokens differ
    cosine: float  # of the farthest input, the mean over its tokens
    token_cosine: float  # of the farthest token
    difference: float
    moved: float  # cosine between the reference with and without adapter, of the input that it moves most

    @classmethod
    def of(cls, adapter: str, late: bool, pictures: bool, found: Vectors, expected: Vectors, bare: Vectors) -> Self:
        pairs = [(a, b) for a, b in zip(found, expected, strict=True) if a.shape == b.shape]
        cosines = [torch.cosine_similarity(a, b, dim=-1) for a, b in pairs]
        moved = [torch.cosine_similarity(a, b, dim=-1).mean() for a, b in zip(expected, bare, strict=True)]
        return cls(
            adapter=adapter,
            late=late,
            pictures=pictures,
            inputs=len(expected),
            miscounted=len(expected) - len(pairs),
            cosine=smallest([cosine.mean() for cosine in cosines]),
            token_cosine=smallest([cosine.min() for cosine in cosines]),
            difference=-smallest([-(a - b).abs().max() for a, b in pairs]),
            moved=smallest(moved),
        )

    def agrees(self, tolerance: Tolerance) -> bool:
        """A number that is not finite agrees with nothing."""
        if self.miscounted > 0:
            return False
        if tolerance.dtype == "float32":
            return self.difference <= tolerance.difference(self.pictures, self.late)
        return self.cosine >= tolerance.cosine(self.pictures)

    def written(self, tolerance: Tolerance) -> str:
        inputs = f"{self.inputs} {'pictures' if self.pictures else 'texts'}"
        tokens = "-" if not self.late else f"{self.miscounted} differ" if self.miscounted else "equal"
        token = f"{self.token_cosine:.7f}" if self.late else "-"
        if tolerance.dtype == "float32":
            allowed = f"<= {tolerance.difference(self.pictures, self.late):.1e}"
        else:
            allowed = f"cosine >= {tolerance.cosine(self.pictures)}"
        line = f"{self.adapter:14} {inputs:11} {'a token' if self.late else 'an input':10} {tokens:8} {self.cosine:.7f}  {token:11} "
        line += f"{self.difference:<11.1e} {allowed:14} " + ("-      " if self.adapter == "none" else f"{self.moved:.5f}")
        return f"{line}  {'ok' if self.agrees(tolerance) else 'FAILED'}"


def lines(adapter: str, late: bool, found: Vectors, expected: Vectors, bare: Vectors) -> list[Line]:
    """One for the texts and, where there are any, one for the pictures."""
    parts = {False: slice(len(TEXTS)), True: slice(len(TEXTS), None)}
    return [Line.of(adapter, late, p, found[part], expected[part], bare[part]) for p, part in parts.items() if expected[part]]


def smallest(values: Vectors) -> float:
    """NaN if one is, or if there are none."""
    return torch.stack(values).min().item() if values else math.nan
