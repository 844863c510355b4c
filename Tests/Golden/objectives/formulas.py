"""The training objectives as functions of scores, by their formulas. Works in whatever precision its arguments have.

A score matrix is [rows, columns]: columns are all positives in row order, then all negatives in row order, and row i's own
positive is column i. Dense vectors and late token vectors are taken as they are (unit length up to rounding); only Matryoshka
prefixes are divided by their length here.
"""

from dataclasses import dataclass

import torch
from infonce import assert_unambiguous, masked_columns, score_losses

# What a setting is where a case does not name it.
DEFAULTS = {
    "loss.temperature": 0.02,
    "loss.distance": "cosine",
    "loss.reduction": "mean",
    "loss.symmetric": False,
    "loss.mask_duplicates": True,
    "loss.negative_margin": None,
    "loss.matryoshka_dims": [],
    "loss.matryoshka_weights": [],
    "loss.dense_weight": 1,
    "loss.late_weight": 1,
    "loss.kl_weight": 1,
    "loss.kl_direction": "dense_to_late",
    "loss.kl_detach": "none",
    "loss.kl_negatives": True,
    "loss.cosent_temperature": 0.05,
    "loss.margin": 0.2,
    "loss.distill_objective": "kl",
    "loss.distill_heads": "dense",
    "loss.distill_weight": 0,
    "loss.teacher_temperature": 1,
}


@dataclass(frozen=True)
class Batch:
    """Rows as indices of inputs. Equal indices are equal contents; `scores` makes the rows graded pairs.

    `teacher`: scores of each row's positive, then of its negatives; empty for a row without.
    """

    anchors: list[int]
    positives: list[int]
    negatives: list[list[int]]
    scores: list[float] | None = None
    teacher: list[list[float]] | None = None

    @property
    def columns(self) -> list[int]:
        return self.positives + [n for own in self.negatives for n in own]

    @property
    def triplets(self) -> list[tuple[int, int]]:
        """(row, column of one of its own negatives), in column order."""
        owners = [row for row, own in enumerate(self.negatives) for _ in own]
        return [(row, len(self.positives) + place) for place, row in enumerate(owners)]

    @property
    def own(self) -> list[list[int]]:
        """The columns of each row's own candidates: its positive, then its negatives."""
        return [[row, *(column for owner, column in self.triplets if owner == row)] for row in range(len(self.anchors))]

    def duplicates(self) -> torch.Tensor:
        """Bool [rows, columns]: columns that the rule for equal contents takes from a row."""
        groups = self.anchors, self.positives, self.columns[len(self.positives) :]
        mask = masked_columns(*groups)
        assert_unambiguous(*groups, mask)
        return mask

    def facts(self) -> dict:
        facts = {"anchors": self.anchors, "positives": self.positives, "negatives": self.negatives}
        facts |= {} if self.scores is None else {"scores": self.scores}
        return facts if self.teacher is None else facts | {"teacher": self.teacher}


def products(anchors: torch.Tensor, columns: torch.Tensor) -> torch.Tensor:
    """[anchors, columns]. Equal vectors have products with equal bits, which a matrix product does not promise."""
    return (anchors[:, None] * columns[None]).sum(-1)


def dense_scores(vectors: torch.Tensor, batch: Batch, distance: str) -> torch.Tensor:
    anchors, columns = vectors[batch.anchors], vectors[batch.columns]
    if distance == "cosine":
        return products(anchors, columns)
    # The norm's gradient is zero where two vectors are equal.
    return -torch.linalg.vector_norm(anchors[:, None] - columns[None], dim=-1)


def late_scores(tokens: list[torch.Tensor], batch: Batch) -> torch.Tensor:
    """Mean over the anchor's tokens of the best product with a token of the candidate; of equal ones the first."""

    def score(anchor: torch.Tensor, candidate: torch.Tensor) -> torch.Tensor:
        all_pairs = products(anchor, candidate)
        return all_pairs.gather(1, all_pairs.argmax(dim=1, keepdim=True)).mean()

    return torch.stack([torch.stack([score(tokens[a], tokens[c]) for c in batch.columns]) for a in batch.anchors])


def margin_mask(dense: torch.Tensor, batch: Batch, margin: float | None) -> torch.Tensor:
    """Bool [rows, columns]: columns whose cosine of the whole vectors exceeds the own positive's by more than -margin."""
    scores = dense_scores(dense.detach(), batch, "cosine")
    if margin is None:
        return torch.zeros_like(scores, dtype=torch.bool)
    mask = scores > scores.diagonal()[:, None] - margin
    return mask & ~torch.eye(*scores.shape, dtype=torch.bool)


def prefix(dense: torch.Tensor, width: int) -> torch.Tensor:
    return dense if width == dense.shape[1] else torch.nn.functional.normalize(dense[:, :width], dim=1)


class Objective:
    """One loss: settings over their defaults, and the rows they are applied to."""

    def __init__(self, settings: dict, batch: Batch):
        self.given, self.settings, self.batch = settings, DEFAULTS | settings, batch
        graded = batch.scores is not None
        alone = self["name"] == "distill"
        self.uses_dense = self["distill_heads"] != "late" if alone else self["name"] != "late"
        self.uses_late = self["distill_heads"] != "dense" if alone else self["name"] in ("late", "joint")
        self.adds_distillation = self["distill_weight"] > 0
        self.uses_divergence = self["name"] == "joint" and not graded
        terms = {"triplet": self.triplet, "distill": self.distill}
        self.term = self.cosent if graded else terms.get(self["name"], self.contrast)

    def __getitem__(self, name: str):
        return self.settings[f"loss.{name}"]

    def masks(self, dense: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Columns left out of a row: for equal contents, and those that the margin adds. Only contrasts leave out any."""
        nothing = torch.zeros(len(self.batch.anchors), len(self.batch.columns), dtype=torch.bool)
        if self.term != self.contrast:
            return nothing, nothing
        duplicates = self.batch.duplicates() if self["mask_duplicates"] else nothing
        return duplicates, margin_mask(dense, self.batch, self["negative_margin"]) & ~duplicates

    def widths(self, dense: torch.Tensor) -> list[tuple[float, int]]:
        dimensions = self["matryoshka_dims"] or [dense.shape[1]]
        return list(zip(self["matryoshka_weights"] or [1] * len(dimensions), dimensions, strict=True))

    def reduce(self, rows: torch.Tensor) -> torch.Tensor:
        return rows.mean() if self["reduction"] == "mean" else rows.sum()

    def contrast(self, scores: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        """-log softmax(S/T)[i,i] by rows; with `symmetric` half of it, and half of the same by columns of positives."""
        forward = self.reduce(score_losses(scores, self["temperature"], mask))
        if not self["symmetric"]:
            return forward
        rows = len(scores)
        backward = self.reduce(score_losses(scores[:, :rows].T, self["temperature"], mask[:, :rows].T))
        return (forward + backward) / 2

    def divergence(self, dense: torch.Tensor, late: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        """KL of one side's distribution over a row's columns from the other's."""
        dense, late = dense.detach() if self["kl_detach"] == "dense" else dense, late.detach() if self["kl_detach"] == "late" else late
        count = dense.shape[1] if self["kl_negatives"] else len(dense)
        rows = []
        for row, masked in enumerate(mask):
            seen = ~masked[:count]
            p, q = (torch.log_softmax(side[row, :count][seen] / self["temperature"], dim=0) for side in (dense, late))
            p, q = (p, q) if self["kl_direction"] == "dense_to_late" else (q, p)
            rows.append((p.exp() * (p - q)).sum())
        return self.reduce(torch.stack(rows))

    def cosent(self, scores: torch.Tensor, _: torch.Tensor) -> torch.Tensor:
        """ln(1 + sum over rows a, b with a higher grade for a of exp((s_b - s_a) / T))."""
        own, grades = scores.diagonal(), torch.tensor(self.batch.scores, dtype=torch.float64)
        higher, lower = (grades[:, None] > grades[None]).nonzero(as_tuple=True)
        return torch.log1p(((own[lower] - own[higher]) / self["cosent_temperature"]).exp().sum())

    def triplet(self, scores: torch.Tensor, _: torch.Tensor) -> torch.Tensor:
        """Mean over (row, own negative) of max(0, margin + S[i,n] - S[i,i]); no gradient where it is exactly zero."""
        rows, columns = zip(*self.batch.triplets, strict=True)
        return torch.relu(self["margin"] + scores[rows, columns] - scores[rows, rows]).mean()

    def distill(self, scores: torch.Tensor, _: torch.Tensor) -> torch.Tensor:
        """Of each row that has a teacher, over its own candidates; the others count as rows of loss 0.

        `kl`: sum of p (ln p - ln q), p = softmax(teacher / T'), q = softmax(S / T).
        `margin_mse`: mean over negatives n of ((S[i,i] - S[i,n]) - (teacher's - teacher's of n) / T')^2.
        """
        rows = [scores.new_zeros(()) for _ in self.batch.teacher]
        for row, (own, given) in enumerate(zip(self.batch.own, self.batch.teacher, strict=True)):
            if not given:
                continue
            student, teacher = scores[row, own], torch.tensor(given, dtype=scores.dtype) / self["teacher_temperature"]
            if self["distill_objective"] == "kl":
                p, q = teacher.log_softmax(0), (student / self["temperature"]).log_softmax(0)
                rows[row] = (p.exp() * (p - q)).sum()
            elif len(own) > 1:
                rows[row] = ((student[0] - student[1:]) - (teacher[0] - teacher[1:])).square().mean()
        return self.reduce(torch.stack(rows))

    def terms(self, dense: torch.Tensor, late: list[torch.Tensor]) -> dict[str, list[torch.Tensor]]:
        """The sums before weighting: `dense`, `distill_dense` and `kl` one a width, `late` and `distill_late` one."""
        duplicates, margin = self.masks(dense)
        mask = duplicates | margin
        by_width = [dense_scores(prefix(dense, width), self.batch, self["distance"]) for _, width in self.widths(dense)]
        terms = {}
        if self.uses_dense:
            terms["dense"] = [self.term(scores, mask) for scores in by_width]
            if self.adds_distillation:
                terms["distill_dense"] = [self.distill(scores, mask) for scores in by_width]
        if self.uses_late:
            scores = late_scores(late, self.batch)
            terms["late"] = [self.term(scores, mask)]
            if self.adds_distillation:
                terms["distill_late"] = [self.distill(scores, mask)]
        if self.uses_divergence:
            terms["kl"] = [self.divergence(one, scores, mask) for one in by_width]
        return terms

    def value(self, terms: dict[str, list[torch.Tensor]], dense: torch.Tensor) -> torch.Tensor:
        weights = [weight for weight, _ in self.widths(dense)]
        sums = {name: sum(w * t for w, t in zip([1] if "late" in name else weights, terms[name], strict=True)) for name in terms}
        return sum(self.weight(name) * each for name, each in sums.items())

    def weight(self, term: str) -> float:
        """What a term counts: distillation beside another loss its own weight times that of its vectors."""
        own = self["distill_weight"] if term.startswith("distill_") else 1
        return own * (self[f"{term.removeprefix('distill_')}_weight"] if self["name"] == "joint" else 1)
