// Which keys the rows of a file have, and what part each has in training: nothing that a row says is passed over in silence.

import Config
import Files

/// Counts of keys over the rows of a file. Sums of any split of the rows are the same.
package struct KeyCensus: Sendable, Equatable {
    /// Number of rows that have a key as a part, by part and key.
    private var read: [String: [ExactString: Int]] = [:]
    /// Number of rows that have a key which no part reads.
    private var unread: [ExactString: Int] = [:]
    /// Number of rows of another trainer's form, by its name.
    private var forms: [ExactString: Int] = [:]

    /// Creates an empty census.
    package init() {}

    /// Counts the keys of a row.
    package mutating func add(_ layout: RowLayout) {
        for (part, keys) in layout.parts {
            for key in keys { read[part.rawValue, default: [:]][ExactString(key), default: 0] += 1 }
        }
        for key in layout.unread { unread[ExactString(key), default: 0] += 1 }
        if let form = layout.form { forms[ExactString(form), default: 0] += 1 }
    }

    /// Adds the counts of other rows of the file.
    package mutating func add(_ other: KeyCensus) {
        for (part, keys) in other.read { read[part, default: [:]].merge(keys, uniquingKeysWith: +) }
        unread.merge(other.unread, uniquingKeysWith: +)
        forms.merge(other.forms, uniquingKeysWith: +)
    }

    /// The keys without a part, with the number of rows that have each, in the order of their bytes.
    package var unreadKeys: [(key: String, rows: Int)] { unread.sorted { $0.key < $1.key }.map { ($0.key.string, $0.value) } }

    /// The other trainers whose row forms were recognised.
    package var formNames: [String] { forms.keys.sorted().map(\.string) }

    // MARK: - What is said

    /// What the rows of a file were read as, where they are not in Shoal's own form: which key was taken for which part.
    ///
    /// - Parameter columns: what the user named
    /// - Returns: nil for Shoal's own form
    package func formSentence(path: String, _ columns: RowColumns) -> String? {
        guard !forms.isEmpty || !columns.parts.isEmpty else { return nil }
        let parts = RowPart.allCases.compactMap { part -> String? in
            guard let keys = read[part.rawValue] else { return nil }
            let names = keys.keys.sorted { ($0.string.utf8.count, $0) < ($1.string.utf8.count, $1) }.map(\.string)
            let more = names.count > 4 ? " and \(names.count - 4) more" : ""
            return "\(part.rawValue) from " + names.prefix(4).map { "\"\($0.cut())\"" }.joined(separator: ", ") + more
        }
        let form = forms.isEmpty ? "by its columns" : "as rows of \(formNames.joined(separator: " and "))"
        return "\(path) is read \(form): \(parts.joined(separator: ", "))"
    }

    /// The keys that have no part in training, for a notice; nil when there is none but those that the user ignores.
    package func unreadSentence(path: String, ignored: [KeyPattern]) -> String? {
        let keys = unreadKeys.filter { unread in !ignored.contains { $0.matches(unread.key) } }
        guard !keys.isEmpty else { return nil }
        let names = keys.prefix(8).map { "\"\($0.key.cut())\" (\(Figures.count($0.rows, "row")))" }.joined(separator: ", ")
        let more = keys.count > 8 ? " and \(keys.count - 8) more" : ""
        return "keys of \(path) without a part in training: \(names)\(more)"
    }

    /// Refuses keys that another trainer gives a meaning, and those that look like a misspelt key.
    ///
    /// - Parameter rules: how the rows of the file are read
    /// - Throws: `UserError` `.content` with the first such key, the number of its rows and what mends it
    package func check(path: String, _ rules: RowRules) throws(UserError) {
        for (key, rows) in unreadKeys where !rules.ignoredKeys.contains(where: { $0.matches(key) }) {
            guard let doubt = Self.doubt(key, rules) else { continue }
            throw UserError(
                .content, path,
                "\(Figures.count(rows, "row")) \(rows == 1 ? "has" : "have") the key \"\(key.cut())\", which \(doubt)")
        }
    }

    /// Why a key without a part may be meant as one, and what mends it; nil for a plain note.
    package static func doubt(_ key: String, _ rules: RowRules) -> String? {
        let isMeant = RowPart.meantElsewhere.contains { KeyPattern($0).matches(key) }
        if isMeant {
            let isTeacher = ["scores", "pos_scores", "neg_scores", "teacher_scores"].contains(key)
            let meaning = isTeacher ? "a meaning, a teacher's scores," : "a meaning"
            let mend = isTeacher ? "train with loss.name: distill" : "say what it is with columns of the file"
            return "other trainers give \(meaning) and this run does not read; \(mend), rename it, or name it in data.ignore"
        }
        guard let known = nearest(key, rules) else { return nil }
        return
            "has no part in training and looks like \"\(known)\"; rename it, say what it is with columns of the file, or name it in data.ignore"
    }

    /// The known key that a key is within two letters of, or within one where it is short; nil when there is none.
    package static func nearest(_ key: String, _ rules: RowRules) -> String? {
        let usual = RowPart.allCases.filter { rules.columns[$0] == nil }.flatMap(\.usualKeys).joined().filter { KeyPattern($0).isExact }
        let named = rules.columns.parts.flatMap { rules.columns[$0]! }.filter(\.isExact).map(\.text)
        let known = named + usual
        guard let nearest = NearestName.of(key, among: known) else { return nil }
        let edits = NearestName.edits(key, nearest)
        return edits <= (min(key.utf8.count, nearest.utf8.count) > 4 ? 2 : 1) ? nearest : nil
    }
}

// MARK: - As JSON, between ranks and in a token index

extension KeyCensus {
    /// The counts as an object.
    package var json: JSONValue {
        var parts = JSONObject()
        for part in read.keys.sorted() { parts[part] = Self.json(read[part]!) }
        return ["read": .object(parts), "unread": Self.json(unread), "forms": Self.json(forms)]
    }

    /// The census of an object that `json` has made; nil for anything else.
    package init?(_ json: JSONValue) {
        guard case .object(let object) = json, case .object(let parts)? = object["read"], let unread = Self.counts(object["unread"]),
            let forms = Self.counts(object["forms"])
        else { return nil }
        self.unread = unread
        self.forms = forms
        for (part, value) in parts.entries {
            guard let counts = Self.counts(value) else { return nil }
            read[part] = counts
        }
    }

    private static func json(_ counts: [ExactString: Int]) -> JSONValue {
        var object = JSONObject()
        for key in counts.keys.sorted() { object[key.string] = .integer(Int64(counts[key]!)) }
        return .object(object)
    }

    private static func counts(_ json: JSONValue?) -> [ExactString: Int]? {
        guard case .object(let object)? = json else { return nil }
        var counts: [ExactString: Int] = [:]
        for (key, value) in object.entries {
            guard case .integer(let count) = value else { return nil }
            counts[ExactString(key)] = Int(count)
        }
        return counts
    }
}
