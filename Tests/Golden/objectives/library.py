"""The same terms out of torch's own losses, by assertion, and what makes a case safe to compare with in float32."""

import torch
from formulas import Batch, Objective, dense_scores, late_scores, prefix
from torch.nn import CosineSimilarity
from torch.nn import functional as F

# How far a decision must lie from where it would turn: hinge and margin, and the best token.
CLEARANCE, TOKEN_CLEARANCE = 1e-4, 2e-5


def assert_close(found: torch.Tensor, expected: torch.Tensor, tolerance: float, what: str) -> None:
    assert ((found - expected).abs() <= tolerance * expected.abs().clamp(min=1)).all(), what


def assert_agrees(objective: Objective, dense: torch.Tensor, late: list[torch.Tensor], terms: dict[str, list[torch.Tensor]]) -> None:
    """Scores and terms of float64 vectors, each by another way than formulas.py."""
    batch, by_late = objective.batch, late_scores(late, objective.batch)
    assert_close(maxsim(late, batch), by_late, 1e-12, "late scores")
    mask = torch.stack(objective.masks(dense)).any(0)
    for place, (_, width) in enumerate(objective.widths(dense)):
        scores = dense_scores(prefix(dense, width), batch, objective["distance"])
        if objective["distance"] == "cosine":
            # CosineSimilarity divides whole vectors by their length too, which storage made 1 to seven digits only.
            assert_close(cosines(dense[:, :width], batch), scores, 1e-6, "cosines")
        else:
            assert_close(-distances(prefix(dense, width), batch), scores, 1e-12, "distances")
        if objective.uses_dense:
            assert_close(term(objective, scores, mask), terms["dense"][place], 1e-11, "dense term")
        if "distill_dense" in terms:
            assert_close(distillation(objective, scores), terms["distill_dense"][place], 1e-11, "distillation")
        if objective.uses_divergence:
            assert_close(divergence(objective, scores, by_late, mask), terms["kl"][place], 1e-11, "divergence")
        if objective["name"] == "triplet" and objective["distance"] == "euclidean" and objective["margin"] > 0:
            assert_close(euclidean_triplets(objective, prefix(dense, width)), terms["dense"][place], 1e-9, "triplets")
    if objective.uses_late:
        assert_close(term(objective, by_late, mask), terms["late"][0], 1e-11, "late term")
        if "distill_late" in terms:
            assert_close(distillation(objective, by_late), terms["distill_late"][0], 1e-11, "distillation of late scores")


def cosines(vectors: torch.Tensor, batch: Batch) -> torch.Tensor:
    return CosineSimilarity(dim=-1)(vectors[batch.anchors][:, None], vectors[batch.columns][None])


def distances(vectors: torch.Tensor, batch: Batch) -> torch.Tensor:
    return torch.cdist(vectors[batch.anchors], vectors[batch.columns], compute_mode="donot_use_mm_for_euclid_dist")


def maxsim(tokens: list[torch.Tensor], batch: Batch) -> torch.Tensor:
    """All pairs at once, padded to the longest."""
    padded = torch.nn.utils.rnn.pad_sequence(tokens, batch_first=True)
    present = torch.nn.utils.rnn.pad_sequence([torch.ones(len(t), dtype=torch.bool) for t in tokens], batch_first=True)
    products = torch.einsum("iad,jbd->ijab", padded[batch.anchors], padded[batch.columns])
    best = products.masked_fill(~present[batch.columns][None, :, None], -torch.inf).amax(-1)
    counted = present[batch.anchors][:, None]
    return (best * counted).sum(-1) / counted.sum(-1)


def term(objective: Objective, scores: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    batch, count, reduction = objective.batch, len(scores), objective["reduction"]
    if batch.scores is not None:
        s = scores.diagonal() / objective["cosent_temperature"]
        pairs = [s[b] - s[a] for a, z in enumerate(batch.scores) for b, other in enumerate(batch.scores) if z > other]
        return torch.logsumexp(torch.stack([torch.zeros_like(s[0]), *pairs]), dim=0)
    if objective["name"] == "triplet":
        rows, columns = zip(*batch.triplets, strict=True)
        return F.margin_ranking_loss(scores[rows, rows], scores[rows, columns], torch.ones(len(rows)), margin=objective["margin"])
    if objective["name"] == "distill":
        return distillation(objective, scores)
    logits, targets = (scores / objective["temperature"]).masked_fill(mask, -torch.inf), torch.arange(count)
    forward = F.cross_entropy(logits, targets, reduction=reduction)
    return (forward + F.cross_entropy(logits[:, :count].T, targets, reduction=reduction)) / 2 if objective["symmetric"] else forward


def distillation(objective: Objective, scores: torch.Tensor) -> torch.Tensor:
    """Rows of one length at a time, as libraries that ask for equal numbers of negatives compute them."""
    batch, total = objective.batch, torch.zeros((), dtype=scores.dtype)
    for count in {len(own) for own, given in zip(batch.own, batch.teacher, strict=True) if given}:
        chosen = [row for row, given in enumerate(batch.teacher) if len(given) == count]
        student = torch.stack([scores[row, batch.own[row]] for row in chosen])
        teacher = torch.tensor([batch.teacher[row] for row in chosen], dtype=scores.dtype) / objective["teacher_temperature"]
        if objective["distill_objective"] == "kl":
            total = total + F.kl_div(F.log_softmax(student / objective["temperature"], 1), F.softmax(teacher, 1), reduction="sum")
        elif count > 1:
            margins = (side[:, :1] - side[:, 1:] for side in (student, teacher))
            total = total + F.mse_loss(*margins, reduction="sum") / (count - 1)
    return total / len(batch.anchors) if objective["reduction"] == "mean" else total


def divergence(objective: Objective, dense: torch.Tensor, late: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    count = dense.shape[1] if objective["kl_negatives"] else len(dense)
    # A masked column is only very unlikely here: kl_div would make 0 · (-inf - -inf) of an impossible one.
    p, q = ((side / objective["temperature"]).masked_fill(mask, -1e4)[:, :count].log_softmax(1) for side in (dense, late))
    p, q = (p, q) if objective["kl_direction"] == "dense_to_late" else (q, p)
    return F.kl_div(q, p, log_target=True, reduction="batchmean" if objective["reduction"] == "mean" else "sum")


def euclidean_triplets(objective: Objective, vectors: torch.Tensor) -> torch.Tensor:
    batch = objective.batch
    rows, columns = zip(*batch.triplets, strict=True)
    roles = ([batch.anchors[i] for i in rows], [batch.positives[i] for i in rows], [batch.columns[n] for n in columns])
    return F.triplet_margin_loss(*(vectors[ids] for ids in roles), margin=objective["margin"], p=2, eps=1e-12)


def assert_decided(objective: Objective, dense: torch.Tensor, late: list[torch.Tensor]) -> None:
    """Nothing may hang on rounding, except exact ties of equal vectors."""
    batch = objective.batch
    if objective.uses_late:
        assert_best_tokens_stand_out(late, batch)
    if objective["negative_margin"] is not None:
        scores = dense_scores(dense, batch, "cosine")
        excess = (scores - scores.diagonal()[:, None] + objective["negative_margin"])[~torch.eye(*scores.shape, dtype=torch.bool)]
        assert excess.abs().min() > CLEARANCE, "a column lies at the margin"
        assert objective.masks(dense)[1].sum() >= 3, "the margin masks too little"
    for _, width in objective.widths(dense):
        assert dense[:, :width].norm(dim=1).min() > 0.02, "a prefix is nearly zero"
        if objective["name"] == "triplet":
            scores = dense_scores(prefix(dense, width), batch, objective["distance"])
            hinge = torch.stack([objective["margin"] + scores[i, n] - scores[i, i] for i, n in batch.triplets])
            assert not any(batch.duplicates()[i, n] for i, n in batch.triplets), "an own negative is masked"
            assert ((hinge == 0) | (hinge.abs() > CLEARANCE)).all(), "a triplet lies at the hinge"
            assert (hinge > 0).any() and (hinge <= 0).any(), "all triplets lie on one side of the hinge"
            assert (hinge == 0).any() == (objective["margin"] == 0), "the twins alone lie at the hinge"


def assert_best_tokens_stand_out(late: list[torch.Tensor], batch: Batch) -> None:
    for anchor in batch.anchors:
        for column in batch.columns:
            best = (late[anchor] @ late[column].unique(dim=0).T).sort(dim=1, descending=True).values
            assert best.shape[1] == 1 or (best[:, 0] - best[:, 1]).min() > TOKEN_CLEARANCE, f"best token of {anchor} in {column}"
