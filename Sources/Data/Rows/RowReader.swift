// The parts of one row as values: what may stand under a key, and what is wrong with it.
//
// Wherever a text may stand, there may also stand a list of texts, a passage with a title (`{"title": ..., "text": ...}`), or an
// image as a table holds it (`{"path": ...}`): the row forms of other trainers differ in the keys, not in these.

import Files

/// Reads the parts of a row.
struct RowReader {
    let row: RowObject
    let layout: RowLayout
    let rules: RowRules
    let images: ImageFolder
    let passages: PassageFile?

    // MARK: - Sides

    /// The anchor, and the row's own prompt; nil for the file's.
    func anchor() throws(UserError) -> (RowInput, prompt: [UInt8]?) {
        let (inputs, system) = try side(.anchor, .anchorImage, ids: nil)
        guard inputs.count == 1 else {
            throw row.fault(
                at: firstKey(.anchor, .anchorImage),
                "\"\(firstKey(.anchor, .anchorImage)!)\" has \(inputs.count) entries; a row has one "
                    + "anchor: write a row for each")
        }
        let own = try layout.keys(.prompt).first.flatMap { key throws(UserError) in try row.text(key) }
        if own != nil, system != nil {
            throw row.fault(at: layout.keys(.prompt)[0], "the row has a prompt and a system message; a row has one of them")
        }
        let prompt = own ?? system
        if prompt != nil, inputs[0].text == nil {
            throw row.fault(
                at: layout.keys(.prompt).first, "the row has a prompt, and its anchor is an image, which takes none; remove the prompt")
        }
        return (inputs[0], prompt.map { Array($0.utf8) })
    }

    /// The positives, at least one.
    func positives() throws(UserError) -> [RowInput] { try side(.positive, .positiveImage, ids: .positiveIDs).inputs }

    /// The hard negatives.
    func negatives() throws(UserError) -> [RowInput] {
        guard firstKey(.negatives, .negativeImages, .negativeIDs) != nil else { return [] }
        return try side(.negatives, .negativeImages, ids: .negativeIDs, mayBeEmpty: true).inputs
    }

    private func firstKey(_ parts: RowPart...) -> String? { parts.lazy.compactMap { layout.keys($0).first }.first }

    /// What stands on a side of the row; of messages also the system's.
    private func side(
        _ part: RowPart, _ imagePart: RowPart, ids: RowPart?, mayBeEmpty: Bool = false
    ) throws(UserError) -> (inputs: [RowInput], system: String?) {
        var pages: [RowInput] = []
        for key in layout.keys(imagePart) { pages += try values(of: key).map { value throws(UserError) in try image(value, key) } }
        if !pages.isEmpty, !layout.keys(part).contains(where: Self.holdsMessages) { return (pages, nil) }
        var (inputs, system): ([RowInput], String?) = ([], nil)
        for key in layout.keys(part) {
            guard !Self.holdsMessages(key) else {
                let messages = try Messages(row, key)
                system = messages.system
                for text in messages.texts {
                    guard messages.isImage(text) else {
                        inputs.append(try self.text(text, key))
                        continue
                    }
                    guard !pages.isEmpty else {
                        throw row.fault(at: key, "\"\(key)\" says <image> more often than the row has images for it; add the image")
                    }
                    inputs.append(pages.removeFirst())
                }
                continue
            }
            let values = try values(of: key)
            for (index, value) in values.enumerated() {
                inputs.append(try input(value, key, entry: values.count > 1 ? index + 1 : nil))
            }
        }
        for key in ids.map(layout.keys) ?? [] {
            for value in try values(of: key) { inputs.append(try passage(value, key)) }
        }
        guard inputs.isEmpty, !mayBeEmpty else { return (inputs, system) }
        if let key = layout.keys(part).first { throw row.fault(at: key, "\"\(key)\" is an empty list; write its text or remove the row") }
        throw row.fault(missing(part, imagePart))
    }

    private func missing(_ part: RowPart, _ imagePart: RowPart) -> String {
        let known = (part.usualKeys + imagePart.usualKeys).map { "\"\($0[0])\"" }.joined(separator: ", ")
        guard let columns = rules.columns[part] else {
            let own = row.keys.isEmpty ? "" : "; the row has \(row.keys.prefix(8).map { "\"\($0)\"" }.joined(separator: ", "))"
            return "the row has no \(part.rawValue); it stands under one of \(known), or say where: columns: {\(part.rawValue): KEY}\(own)"
        }
        let names = columns.map { "\"\($0.text)\"" }.joined(separator: ", ")
        return "the row has no \(part.rawValue): no key is \(names), which columns of this file name; mend the row or the columns"
    }

    private static func holdsMessages(_ key: String) -> Bool { key.hasSuffix("messages") }

    // MARK: - Values

    /// The entries of a list, or a single value.
    private func values(of key: String) throws(UserError) -> [JSONValue] {
        guard let value = row[key] else { return [] }
        if case .array(let entries) = value { return entries }
        return [value]
    }

    private func input(_ value: JSONValue, _ key: String, entry: Int?) throws(UserError) -> RowInput {
        switch value {
        case .string(let text): return try self.text(text, key, entry: entry)
        case .object(let object) where object["text"] != nil || object["title"] != nil || object["contents"] != nil:
            let parts = [object["title"], object["text"] ?? object["contents"]].map { $0?.stringValue ?? "" }
            return try self.text(parts.joined(separator: " ").stripped, key, entry: entry)
        case .object(let object) where ImageFolder.isImage(object): return try image(value, key)
        default:
            let place = entry.map { "entry \($0) of \"\(key)\"" } ?? "\"\(key)\""
            throw row.fault(
                at: key, "\(place) is \(value.kind.rawValue); it must be a string, a passage with \"text\", an image, or a list of them")
        }
    }

    private func text(_ text: String, _ key: String, entry: Int? = nil) throws(UserError) -> RowInput {
        guard !text.isBlank else {
            let isNegative = layout.keys(.negatives).contains { $0.utf8.elementsEqual(key.utf8) }
            let place = entry.map { "entry \($0) of \"\(key)\"" } ?? "\"\(key)\""
            throw row.fault(at: key, "\(place) is empty; write its text or remove \(isNegative ? "it" : "the row")")
        }
        return .text(Array(text.utf8))
    }

    private func image(_ value: JSONValue, _ key: String) throws(UserError) -> RowInput {
        do { return .image(try images.name(of: value)) } catch {
            throw error.failure ?? row.fault(at: key, "\"\(key)\": \(ImageFolder.shown(value)) \(error.reason)")
        }
    }

    private func passage(_ value: JSONValue, _ key: String) throws(UserError) -> RowInput {
        guard let passages else {
            throw row.fault(
                at: key, "\"\(key)\" names passages by their ids, and this file of rows has no corpus; name it: corpus: FILE beside path")
        }
        guard let id = value.stringValue ?? value.numberValue.flatMap({ Int(exactly: $0) }).map(String.init) else {
            throw row.fault(at: key, "\"\(key)\" has \(value.kind.rawValue) where an id must stand; write texts or whole numbers")
        }
        guard let text = try passages.text(of: id) else {
            throw row.fault(at: key, "\"\(key)\" names \(id.cut()), which \(passages.path) does not hold; mend the id or add the passage")
        }
        return try self.text(text, key)
    }

    // MARK: - Task and score

    /// The row's task, else its file's.
    func task() throws(UserError) -> String {
        let key = layout.keys(.task).first ?? RowPart.task.rawValue
        let task = try row.text(key) ?? rules.task
        guard rules.knownTasks.contains(task) else {
            throw row.fault(at: key, "\"\(key)\" is \"\(task.cut())\"; this run has the tasks \(rules.knownTasks.joined(separator: ", "))")
        }
        return task
    }

    /// The score of a graded row, by number or by label; nil without one.
    func score() throws(UserError) -> Float? {
        let key: String
        let score: Double
        if let own = layout.keys(.score).first {
            key = own
            if let number = try labelled(key) {
                score = number
            } else if let number = try row.number(key) {
                score = number
            } else {
                return nil
            }
        } else if let label = layout.keys(.label).first {
            key = label
            let usual = layout.keys(.anchor).first == "premise" ? RowRules.usualLabelScores : nil
            if let number = try labelled(key, usual: usual) { score = number } else { score = try row.truth(key) }
        } else {
            return nil
        }
        guard Float(score).isFinite else {
            throw row.fault(at: key, "\"\(key)\" is \(score); the largest that is read is \(Float.greatestFiniteMagnitude)")
        }
        if let range = rules.scoreRange, !range.contains(score) {
            let (low, high) = (Figures.short(range.lowerBound), Figures.short(range.upperBound))
            throw row.fault(
                at: key,
                "\"\(key)\" is \(Figures.short(score)), but score_range of this file is [\(low), \(high)]; mend the row or the range")
        }
        return Float(score)
    }

    /// A teacher's scores of the row's candidates; none where the run reads none.
    func teacherScores(positives: Int, negatives: Int, isGraded: Bool) throws(UserError) -> TeacherScores {
        let keys = TeacherScores.Keys(
            all: layout.keys(.teacherScores).first, positives: layout.keys(.positiveScores).first,
            negatives: layout.keys(.negativeScores).first)
        return try TeacherScores(of: row, keys: keys, positives: positives, negatives: negatives, isGraded: isGraded)
    }

    /// The score that a label stands for, where labels have scores.
    private func labelled(_ key: String, usual: [String: Double]? = nil) throws(UserError) -> Double? {
        guard let scores = rules.labelScores ?? usual, let value = row[key] else { return nil }
        let label = value.stringValue ?? value.numberValue.map(Figures.short) ?? (value.boolValue.map { "\($0)" } ?? "")
        if let score = scores.first(where: { $0.key.utf8.elementsEqual(label.utf8) })?.value { return score }
        let known = scores.keys.sorted().joined(separator: ", ")
        throw row.fault(
            at: key, "\"\(key)\" is \"\(label.cut())\", and scores are known for the labels \(known); mend the row or label_scores")
    }
}

extension RowObject {
    /// A label that is a number, or true or false.
    fileprivate func truth(_ key: String) throws(UserError) -> Double {
        if let value = self[key]?.boolValue { return value ? 1 : 0 }
        return try number(key) ?? 0
    }
}

extension String {
    /// The text for a message, cut where it is long.
    func cut(to limit: Int = 80) -> String { count > limit ? "\(prefix(limit))…" : self }
}
