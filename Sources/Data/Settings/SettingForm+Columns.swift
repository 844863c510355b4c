// The forms of `columns` and `label_scores` of a data file.

import Config
import Files

extension SettingForm where Value == RowColumns {
    /// A mapping from parts of a row to keys, each one key or, of parts that may have several, a list; `*` stands for any letters.
    package static var columns: Self {
        Self(
            "a mapping from parts of a row to its keys, such as `{anchor: question, negatives: [neg_*]}`", encode: { $0.json },
            read: { (node, key) throws(UserError) -> RowColumns? in
                guard case .mapping(let entries) = node.content else { return nil }
                var patterns: [RowPart: [KeyPattern]] = [:]
                for entry in entries {
                    guard let part = RowPart(rawValue: entry.key) else {
                        throw entry.place.error(NearestName.unknownKey(entry.key, "in \(key)", known: RowPart.allCases.map(\.rawValue)))
                    }
                    let names = try SettingForm<[String]>.names.decode(entry.value, key: "\(key).\(entry.key)")
                    let keys = names.map(KeyPattern.init)
                    guard part.takesSeveralKeys || (keys.count == 1 && keys[0].isExact) else {
                        throw entry.place.error("\(key).\(entry.key) must be one key, because a row has one \(part.rawValue)")
                    }
                    patterns[part] = keys
                }
                for (index, one) in entries.enumerated() {
                    for other in entries[..<index] {
                        let same = patterns[RowPart(rawValue: one.key)!]!.first { key in
                            patterns[RowPart(rawValue: other.key)!]!.contains { $0 == key }
                        }
                        guard let same else { continue }
                        throw one.place.error(
                            "\(key): \"\(same.text)\" is both \(other.key) and \(one.key); a key is one part of a row")
                    }
                }
                return RowColumns(patterns)
            })
    }
}

extension SettingForm where Value == TaskValues<Double> {
    /// A mapping from labels to scores.
    package static var labelScores: Self {
        Self(
            "a mapping from labels to scores, such as `{entailment: 1, neutral: 0.5, contradiction: 0}`",
            encode: { $0.json { .number($0) } },
            read: { (node, key) throws(UserError) -> TaskValues<Double>? in
                guard case .mapping(let entries) = node.content, !entries.isEmpty else { return nil }
                var scores = TaskValues<Double>()
                for entry in entries {
                    scores[entry.key] = try SettingForm<Double>.number(.closed(-1e6, 1e6)).decode(entry.value, key: "\(key).\(entry.key)")
                }
                return scores
            })
    }
}
