"""InfoNCE over candidate columns, and which columns an anchor must not see.

Columns are all positives in row order, then all negatives in row order; anchor i's own positive is column i.
Works in whatever precision its arguments have.
"""

import torch


def masked_columns(anchors: list[int], positives: list[int], negatives: list[int]) -> torch.Tensor:
    """Bool [anchors, columns], true where a column is no candidate for an anchor.

    The arguments are content ids: equal numbers mean equal text before prompt and truncation. A column other than the own
    positive is masked when its content is the anchor's own positive or the anchor itself, or when it is the positive of a
    row whose anchor is equal.
    """
    columns = positives + negatives
    mask = torch.zeros(len(anchors), len(columns), dtype=torch.bool)
    for row, anchor in enumerate(anchors):
        for column, content in enumerate(columns):
            if column == row:
                continue
            same_anchor = column < len(positives) and anchors[column] == anchor
            mask[row, column] = content in (positives[row], anchor) or same_anchor
    return mask


def assert_unambiguous(anchors: list[int], positives: list[int], negatives: list[int], mask: torch.Tensor) -> None:
    """The data must not tell apart two readings of the rule: a column that is, or that has the content of, an equal anchor's positive."""
    for row, anchor in enumerate(anchors):
        related = {anchor} | {p for a, p in zip(anchors, positives, strict=True) if a == anchor}
        by_content = {c for c, content in enumerate(positives + negatives) if content in related and c != row}
        assert by_content == set(mask[row].nonzero().flatten().tolist()), f"row {row}"


def row_losses(anchors: torch.Tensor, candidates: torch.Tensor, temperature: float, mask: torch.Tensor | None = None):
    """[anchors]: InfoNCE of the inner products. Vectors are taken as they are."""
    return score_losses(anchors @ candidates.T, temperature, mask)


def score_losses(scores: torch.Tensor, temperature: float, mask: torch.Tensor | None = None) -> torch.Tensor:
    """[rows]: log-sum-exp over a row's columns minus its own positive's logit, from scores [rows, columns]."""
    logits = scores / temperature
    if mask is not None:
        logits = logits.masked_fill(mask, float("-inf"))
    return torch.logsumexp(logits, dim=1) - logits.diagonal()
