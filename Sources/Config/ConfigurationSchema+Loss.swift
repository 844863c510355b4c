// The settings of the section `loss`.

import Files

extension ConfigurationSchema {
    static let loss = [
        Setting(
            "loss.name", .choice(["infonce", "joint", "cosent", "triplet"], others: ["contrastive": "infonce"]), .value("infonce"),
            "`infonce` (or `contrastive`): each anchor against the positives and negatives of all ranks. `joint`: that of dense and of "
                + "late vectors, and the divergence between them. `triplet`: each anchor against its own negatives. Batches of rows with "
                + "scores take CoSENT; with `cosent` a row without a score is an error."),
        Setting("loss.temperature", .number(.above(0)), .value(0.02), "`infonce` and `joint` divide similarities by it."),
        Setting(
            "loss.distance", .choice(["cosine", "euclidean"]), .value("cosine"),
            "Score of two dense vectors: their cosine, or minus the distance of the unit vectors. Late scores are cosines."),
        Setting(
            "loss.reduction", .choice(["mean", "sum"]), .value("mean"), "Of the rows' losses; for `triplet`, of the triplets'."),
        Setting(
            "loss.symmetric", .boolean, .value(false),
            "Half of the contrastive loss from anchors to candidates, half from positives to all anchors."),
        Setting("loss.dense_weight", .number(.atLeast(0)), .value(1.0), "`joint`: weight of the loss of dense vectors."),
        Setting("loss.late_weight", .number(.atLeast(0)), .value(1.0), "`joint`: weight of the loss of late interaction."),
        Setting(
            "loss.kl_weight", .number(.atLeast(0)), .value(1.0), "`joint`: weight of the divergence between dense and late scores."),
        Setting(
            "loss.kl_direction", .choice(["dense_to_late", "late_to_dense"]), .value("dense_to_late"),
            "`joint`: KL(dense ‖ late), or KL(late ‖ dense)."),
        Setting(
            "loss.kl_detach", .choice(["none", "dense", "late"]), .value("none"),
            "`joint`: the side that the divergence takes as given."),
        Setting(
            "loss.kl_negatives", .boolean, .value(true), "`joint`: whether the divergence covers hard negatives beside positives."),
        Setting(
            "loss.matryoshka_dims", .widths, .value(.array([])),
            "Prefixes of the dense vectors that are trained beside one another, ascending; empty: the whole vector alone."),
        Setting(
            "loss.matryoshka_weights", .weights, .value(.array([])), "Weight of each of them; empty: each counts 1."),
        Setting("loss.cosent_temperature", .number(.above(0)), .value(0.05), "CoSENT divides similarities by it."),
        Setting("loss.margin", .number(.atLeast(0)), .value(0.2), "`triplet`: how far below the positive a negative should score."),
        Setting(
            "loss.mask_duplicates", .boolean, .value(true),
            "Leave a candidate that equals the anchor or its positive out of the anchor's negatives."),
        Setting(
            "loss.negative_margin", .optional(.number(.closed(-2, 2))), .absent("all candidates are negatives"),
            "Leave a candidate whose cosine with the anchor lies above the positive's less this out of its negatives."),
        Setting(
            "loss.pool", .choice(["auto", "gather", "stream"]), .value("auto"), mayDifferOnResume: true,
            "Embeddings of other ranks: all at once, or block by block in memory that does not grow with the pool; `auto`: `gather` "
                + "while it takes less than an eighth of a rank's memory."),
        Setting(
            "loss.pool_limit", .optional(.count(from: 1)), .absent("all candidates of the global batch"),
            "Negatives that an anchor sees, drawn anew from the pool in every step."),
        Setting(
            "loss.memory_bank_steps", .count(from: 0), .value(0),
            "Steps of a task whose candidates stay in the pool as constants, with the vectors that they had then: negatives without "
                + "another forward pass. `0`: none."),
        Setting(
            "loss.task_weights", .optional(.taskNumbers(.atLeast(0))), .absent("1 for every task"),
            "Factors of the gradient in batches of some tasks: `{code: 0.5}`. Logged losses are without them."),
    ]
}
