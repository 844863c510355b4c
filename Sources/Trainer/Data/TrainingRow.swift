// One training example as a data file states it: what a line may say, under which spellings, and what is wrong with it.
// Texts are kept as bytes: they are hashed, compared and tokenized as bytes, and Swift's `String` would compare letters.

import Tensor

/// An anchor, its positive and its hard negatives; or, of a graded row, two texts and how alike they are.
package struct TrainingRow: Equatable, Sendable {
    /// UTF-8, as in the file: without prompt, not truncated. So are the others.
    package let anchor: [UInt8]
    package let positive: [UInt8]
    /// Any number; the same text may occur twice.
    package let negatives: [[UInt8]]
    /// The row's own task, else its file's.
    package let task: String
    /// Of a graded row; nil: the positive is one.
    package let score: Float?

    /// Reads a line of a data file.
    ///
    ///     {"query": "...", "positive": "...", "negatives": ["...", "..."], "task": "code"}
    ///     {"sentence1": "...", "sentence2": "...", "score": 3.8}
    ///
    /// A key has the spellings of `Field`; null is as good as absent; other keys are notes.
    /// - Parameters:
    ///   - fileTask: the task of a row that names none
    ///   - knownTasks: the model's, in its order
    ///   - scoreRange: what scores may be; nil: any finite number
    /// - Throws: for a text that is missing, empty, of another type or given twice, a task that the model does not have, a score
    ///   that is none or out of its range, negatives beside a score, and kinds of rows that this version cannot train on
    package init(
        _ line: JSONLine, fileTask: String, knownTasks: [String], scoreRange: ClosedRange<Double>? = nil
    ) throws(UserError) {
        try refuseOtherKinds(of: line)
        anchor = try singleText(.anchor, of: line)
        positive = try singleText(.positive, of: line)
        negatives = try texts(.negatives, of: line)
        task = try line.text("task") ?? fileTask
        guard knownTasks.contains(task) else {
            throw line.fault(at: "task", "\"task\" is \"\(task)\"; this run has the tasks \(knownTasks.joined(separator: ", "))")
        }
        score = try graded(line, range: scoreRange)
        if score != nil, !negatives.isEmpty {
            throw line.fault(
                at: "score", "a row with a \"score\" has no negatives: its two texts are compared with those of the other rows; remove one")
        }
    }
}

/// A part of a row and the keys it goes by.
private enum Field {
    case anchor, positive, negatives

    var spellings: [String] {
        switch self {
        case .anchor: ["anchor", "query", "text", "sentence1"]
        case .positive: ["positive", "pos", "sentence2"]
        case .negatives: ["negatives", "negative", "neg"]
        }
    }
}

/// Keys of rows with images: to pass over them would train on half of what the row says.
private let keysOfOtherKinds = ["image", "query_image", "positive_image", "negative_image", "negative_images"]

private func refuseOtherKinds(of line: JSONLine) throws(UserError) {
    for key in keysOfOtherKinds where line[key] != nil {
        throw line.fault(
            at: key, "\"\(key)\" is not available in this version; a row has \"query\", \"positive\" and \"negatives\" as texts")
    }
}

/// The score of a graded row; nil without one.
private func graded(_ line: JSONLine, range: ClosedRange<Double>?) throws(UserError) -> Float? {
    guard let value = line["score"] else { return nil }
    guard let score = value.numberValue else {
        throw line.fault(at: "score", "\"score\" is \(value.kind.rawValue); it must be a number, without quotes")
    }
    guard Float(score).isFinite else {
        throw line.fault(at: "score", "\"score\" is \(score); the largest that is read is \(Float.greatestFiniteMagnitude)")
    }
    if let range, !range.contains(score) {
        let (low, high) = (Figures.short(range.lowerBound), Figures.short(range.upperBound))
        throw line.fault(
            at: "score",
            "\"score\" is \(Figures.short(score)), but score_range of this file is [\(low), \(high)]; mend the row or the range")
    }
    return Float(score)
}

/// The texts of a field, under whichever of its spellings the row uses, and that spelling. nil when it has none.
private func texts(_ field: Field, of line: JSONLine) throws(UserError) -> (key: String, texts: [[UInt8]])? {
    let keys = field.spellings.filter { line[$0] != nil }
    guard let key = keys.first, let value = line[key] else { return nil }
    if keys.count > 1 {
        throw line.fault(at: keys[1], "\"\(keys[0])\" and \"\(keys[1])\" mean the same; a row has one of them")
    }
    let values: [JSONValue]
    switch value {
    case .string: values = [value]
    case .array(let items): values = items
    default: throw line.fault(at: key, "\"\(key)\" is \(value.kind.rawValue); it must be a string or a list of strings")
    }
    var texts: [[UInt8]] = []
    for (index, item) in values.enumerated() {
        guard case .string(let text) = item else {
            throw line.fault(at: key, "\"\(key)\" has \(item.kind.rawValue) as entry \(index + 1); every entry must be a string")
        }
        if text.isBlank {
            let subject = values.count == 1 ? "\"\(key)\" is empty" : "entry \(index + 1) of \"\(key)\" is empty"
            throw line.fault(at: key, "\(subject); write its text or remove \(field == .negatives ? "it" : "the row")")
        }
        texts.append(Array(text.utf8))
    }
    return (key, texts)
}

private func texts(_ field: Field, of line: JSONLine) throws(UserError) -> [[UInt8]] {
    try texts(field, of: line)?.texts ?? []
}

/// The one text of a field. A list of one is taken too: so some mined data sets write their positives.
private func singleText(_ field: Field, of line: JSONLine) throws(UserError) -> [UInt8] {
    let name = field.spellings[0]
    guard let (key, texts) = try texts(field, of: line) else {
        let spellings = field.spellings.map { "\"\($0)\"" }.joined(separator: ", ")
        throw line.fault("the row has no \(name); it stands under one of \(spellings)")
    }
    guard texts.count == 1 else {
        throw line.fault(at: key, "\"\(key)\" has \(texts.count) texts; a row has one \(name): write a row for each")
    }
    return texts[0]
}
