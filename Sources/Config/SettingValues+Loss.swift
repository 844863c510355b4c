// Rules between the settings of the section `loss`: a setting that the chosen loss does not read is a mistake, not a detail.

import Files

extension SettingValues {
    /// Which losses read a setting that not all read.
    private static let readers: [(key: String, names: [String])] =
        ["dense_weight", "late_weight", "kl_weight", "kl_direction", "kl_detach", "kl_negatives"].map { ("loss.\($0)", ["joint"]) }
        + ["symmetric", "negative_margin", "pool_limit", "memory_bank_steps"].map { ("loss.\($0)", ["infonce", "joint"]) }
        + [("loss.temperature", ["infonce", "joint"]), ("loss.margin", ["triplet"])]
        + ["reduction", "mask_duplicates"].map { ("loss.\($0)", ["infonce", "joint", "triplet"]) }

    /// Of which terms of the joint loss a setting is, by their weights.
    private static let terms: [(key: String, weights: [String])] =
        ["matryoshka_dims", "matryoshka_weights", "distance"].map { ("loss.\($0)", ["loss.dense_weight", "loss.kl_weight"]) }
        + ["kl_direction", "kl_detach", "kl_negatives"].map { ("loss.\($0)", ["loss.kl_weight"]) }

    /// - Throws: for a setting without effect, weights that are all zero, and widths and weights that do not fit each other
    func checkLoss(_ reader: ConfigurationReader) throws(UserError) {
        let name = text("loss.name")
        for (key, names) in Self.readers where !names.contains(name) {
            try refuse(
                key, reader,
                "has no part in loss.name: \(name), only in \(names.joined(separator: " and ")); remove it or change loss.name")
        }
        if name == "joint" { try checkJoint(reader) }
        try checkMatryoshka(reader)
    }

    private func checkJoint(_ reader: ConfigurationReader) throws(UserError) {
        let keys = ["loss.dense_weight", "loss.late_weight", "loss.kl_weight"]
        if keys.allSatisfy({ number($0) == 0 }) {
            throw reader.place(of: keys[0]).error("\(keys.joined(separator: ", ")) are all 0: nothing would be trained; raise one of them")
        }
        for (key, weights) in Self.terms where weights.allSatisfy({ number($0) == 0 }) {
            let zero = "\(weights.joined(separator: " and ")) \(weights.count == 1 ? "is" : "are") 0"
            try refuse(key, reader, "has no part where \(zero); remove it or raise the weight")
        }
    }

    /// - Throws: when a setting without effect is given and not at its default
    private func refuse(_ key: String, _ reader: ConfigurationReader, _ why: String) throws(UserError) {
        guard let given = reader.given[key], !Self.areEqual(given.value, ConfigurationSchema.setting(key).defaultValue) else { return }
        throw given.place.error("\(key) \(why)")
    }

    private func checkMatryoshka(_ reader: ConfigurationReader) throws(UserError) {
        let (widths, weights) = (self["loss.matryoshka_dims"].arrayValue ?? [], self["loss.matryoshka_weights"].arrayValue ?? [])
        guard !weights.isEmpty else { return }
        let place = reader.place(of: "loss.matryoshka_weights")
        guard weights.count == widths.count else {
            throw place.error(
                "loss.matryoshka_weights has \(weights.count) entries and loss.matryoshka_dims \(widths.count); give one weight for each width"
            )
        }
        guard weights.contains(where: { $0.numberValue != 0 }) else {
            throw place.error("loss.matryoshka_weights are all 0: nothing would be trained; raise one of them")
        }
    }
}
