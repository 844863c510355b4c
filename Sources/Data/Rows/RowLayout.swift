// Which keys of one row are which parts of it. Rows of a file may differ in their keys, so each is laid out by itself.

import Files

/// The parts of a row by their keys, and the keys that are no part.
package struct RowLayout: Sendable {
    private var keysOfParts: [RowPart: [String]] = [:]
    /// Keys with a value that no part reads, in the row's order.
    package private(set) var unread: [String] = []

    /// The keys of a part in the order in which they count; none where the row lacks it.
    package func keys(_ part: RowPart) -> [String] { keysOfParts[part] ?? [] }

    /// The parts that the row has, with their keys, in the order of `RowPart`.
    package var parts: [(part: RowPart, keys: [String])] {
        RowPart.allCases.compactMap { part in keysOfParts[part].map { (part, $0) } }
    }

    /// Lays out a row.
    ///
    /// - Parameter rules: how the rows of the file are read
    /// - Throws: `UserError` `.content` when two keys of the row mean the same part
    package init(_ row: RowObject, _ rules: RowRules) throws(UserError) {
        let keys = row.keys
        var free = keys
        func take(_ found: [String], as part: RowPart) {
            guard !found.isEmpty else { return }
            keysOfParts[part, default: []] += found
            free.removeAll { key in found.contains { $0.utf8.elementsEqual(key.utf8) } }
        }
        // A key that is named outright is not taken by another part's pattern.
        let named = rules.columns.parts
        for part in named { take(rules.columns[part]!.filter(\.isExact).flatMap { $0.matching(free) }, as: part) }
        for part in named { take(rules.columns[part]!.filter { !$0.isExact }.flatMap { $0.matching(free) }, as: part) }
        for part in RowPart.allCases where rules.columns[part] == nil && reads(part, rules) {
            let groups = part.usualKeys.map { group in group.flatMap { KeyPattern($0).matching(free) } }.filter { !$0.isEmpty }
            if groups.count > 1 {
                throw row.fault(at: groups[1][0], "\"\(groups[0][0])\" and \"\(groups[1][0])\" mean the same; a row has one of them")
            }
            take(groups.first ?? [], as: part)
        }
        for (keys, part) in imageKeys(free) { take(keys, as: part) }
        unread = free
    }

    /// Whether a part is read under its usual keys. A label is one of rows of two sentences: elsewhere nobody knows what it means.
    private func reads(_ part: RowPart, _ rules: RowRules) -> Bool {
        switch part {
        case .label: keys(.score).isEmpty && ["sentence1", "premise", "messages"].contains(keys(.anchor).first ?? "")
        case .teacherScores, .positiveScores, .negativeScores: rules.readsTeacherScores
        default: true
        }
    }

    /// Keys of images that mean a side only beside other keys: a page beside its query, and the images of messages.
    private func imageKeys(_ free: [String]) -> [(keys: [String], part: RowPart)] {
        if keys(.anchor) == ["messages"] {
            let images: [(String, RowPart)] = [
                ("images", .anchorImage), ("positive_images", .positiveImage), ("negative_images", .negativeImages),
            ]
            return images.map { (KeyPattern($0).matching(free), $1) }
        }
        guard keys(.positive).isEmpty, keys(.positiveImage).isEmpty, keys(.positiveIDs).isEmpty, !keys(.anchor).isEmpty else { return [] }
        return [(KeyPattern("image").matching(free), .positiveImage)]
    }

    /// The tool that writes rows of these keys, where they are not Shoal's own.
    package var form: String? {
        let anchor = keys(.anchor).first
        if anchor == "messages" { return "ms-swift" }
        if anchor == "premise" { return "natural language inference" }
        if keys(.positive) == ["positive_passages"] || anchor == "query_text" { return "Tevatron" }
        if keys(.positive) == ["pos"] { return "FlagEmbedding" }
        if keys(.positive) == ["pos_target"] { return "colpali" }
        if keys(.positiveImage) == ["image"] { return "ViDoRe" }
        let negatives = keys(.negatives)
        if anchor == "sentence1" || anchor == "anchor" || negatives.contains(where: { $0.hasPrefix("negative_") }) {
            return "sentence-transformers"
        }
        return nil
    }
}
