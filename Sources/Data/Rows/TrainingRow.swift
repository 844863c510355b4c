// One training example as a data file states it: what a line may say, under which spellings, and what is wrong with it.

import Files

/// An anchor, its positive and its hard negatives; or, of a graded row, two inputs and how alike they are.
package struct TrainingRow: Equatable, Sendable {
    /// What is searched with.
    package let anchor: RowInput
    /// What should be found.
    package let positive: RowInput
    /// Hard negatives, any number; the same input may occur twice.
    package let negatives: [RowInput]
    /// The row's own task, else its file's.
    package let task: String
    /// The grade of a graded row; nil: the row is not graded.
    package let score: Float?

    /// Reads a line of a data file.
    ///
    ///     {"query": "...", "positive": "...", "negatives": ["...", "..."], "task": "code"}
    ///     {"sentence1": "...", "sentence2": "...", "score": 3.8}
    ///     {"query": "...", "positive_image": "pages/7.png", "negative_images": ["pages/8.png"]}
    ///
    /// A key has the spellings of `Field`; null is as good as absent; other keys are notes. An image takes the place of the texts of
    /// its side.
    /// - Parameters:
    ///   - fileTask: the task of a row that names none
    ///   - knownTasks: the model's, in its order
    ///   - scoreRange: what scores may be; nil: any finite number
    ///   - images: where the row's images may lie
    /// - Throws: for a side that is missing, empty, of another type or given twice, an image outside of its folder, a task that the
    ///   model does not have, a score that is none or out of its range, and negatives beside a score
    package init(
        _ line: RowObject, fileTask: String, knownTasks: [String], scoreRange: ClosedRange<Double>? = nil, images: ImageFolder
    ) throws(UserError) {
        if line["image"] != nil {
            throw line.fault(at: "image", "\"image\" does not say which side it is; write \"query_image\" or \"positive_image\"")
        }
        anchor = try singleInput(.anchor, of: line, images)
        positive = try singleInput(.positive, of: line, images)
        let negativeImages = try imageNames(.negatives, of: line, images)?.names ?? []
        negatives =
            negativeImages.isEmpty ? try texts(.negatives, of: line)?.texts.map(RowInput.text) ?? [] : negativeImages.map(RowInput.image)
        task = try line.text("task") ?? fileTask
        guard knownTasks.contains(task) else {
            throw line.fault(at: "task", "\"task\" is \"\(task)\"; this run has the tasks \(knownTasks.joined(separator: ", "))")
        }
        score = try graded(line, range: scoreRange)
        if score != nil, !negatives.isEmpty {
            throw line.fault(
                at: "score", "a row with a \"score\" has no negatives: its two sides are compared with those of the other rows; remove one")
        }
    }
}

extension TrainingRow {
    /// The same row with other texts or images in their places.
    package func replacingInputs(_ replace: (RowInput) -> RowInput) -> TrainingRow {
        TrainingRow(
            anchor: replace(anchor), positive: replace(positive), negatives: negatives.map(replace), task: task, score: score)
    }

    private init(anchor: RowInput, positive: RowInput, negatives: [RowInput], task: String, score: Float?) {
        (self.anchor, self.positive, self.negatives, self.task, self.score) = (anchor, positive, negatives, task, score)
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

    var imageSpellings: [String] {
        switch self {
        case .anchor: ["query_image"]
        case .positive: ["positive_image"]
        case .negatives: ["negative_images", "negative_image"]
        }
    }
}

/// The score of a graded row; nil without one.
private func graded(_ line: RowObject, range: ClosedRange<Double>?) throws(UserError) -> Float? {
    guard let score = try line.number("score") else { return nil }
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
private func texts(_ field: Field, of line: RowObject) throws(UserError) -> (key: String, texts: [[UInt8]])? {
    guard let (key, values) = try strings(field.spellings, of: line) else { return nil }
    for (index, text) in values.enumerated() where text.isBlank {
        let subject = values.count == 1 ? "\"\(key)\" is empty" : "entry \(index + 1) of \"\(key)\" is empty"
        throw line.fault(at: key, "\(subject); write its text or remove \(field == .negatives ? "it" : "the row")")
    }
    return (key, values.map { Array($0.utf8) })
}

/// The images of a field and their key. nil when it has none.
private func imageNames(_ field: Field, of line: RowObject, _ folder: ImageFolder) throws(UserError) -> (key: String, names: [String])? {
    guard let (key, values) = try strings(field.imageSpellings, of: line) else { return nil }
    var names: [String] = []
    for written in values {
        do { names.append(try folder.name(written)) } catch { throw line.fault(at: key, "\"\(key)\": \"\(written)\" \(error.reason)") }
    }
    return (key, names)
}

/// A string or a list of them, under one of some keys that mean the same.
private func strings(_ keys: [String], of line: RowObject) throws(UserError) -> (key: String, strings: [String])? {
    let given = keys.filter { line[$0] != nil }
    guard let key = given.first, let value = line[key] else { return nil }
    if given.count > 1 {
        throw line.fault(at: given[1], "\"\(given[0])\" and \"\(given[1])\" mean the same; a row has one of them")
    }
    let values: [JSONValue]
    switch value {
    case .string: values = [value]
    case .array(let items): values = items
    default: throw line.fault(at: key, "\"\(key)\" is \(value.kind.rawValue); it must be a string or a list of strings")
    }
    var strings: [String] = []
    for (index, item) in values.enumerated() {
        guard case .string(let string) = item else {
            throw line.fault(at: key, "\"\(key)\" has \(item.kind.rawValue) as entry \(index + 1); every entry must be a string")
        }
        strings.append(string)
    }
    return (key, strings)
}

/// The one image or text of a field. A list of one is taken too: so some mined data sets write their positives.
private func singleInput(_ field: Field, of line: RowObject, _ folder: ImageFolder) throws(UserError) -> RowInput {
    let name = field.spellings[0]
    func single<Value>(_ key: String, _ values: [Value], _ what: String) throws(UserError) -> Value {
        guard values.count == 1 else {
            throw line.fault(at: key, "\"\(key)\" has \(values.count) \(what); a row has one \(name): write a row for each")
        }
        return values[0]
    }
    if let (key, names) = try imageNames(field, of: line, folder) { return .image(try single(key, names, "images")) }
    if let (key, texts) = try texts(field, of: line) { return .text(try single(key, texts, "texts")) }
    let spellings = (field.spellings + field.imageSpellings).map { "\"\($0)\"" }.joined(separator: ", ")
    throw line.fault("the row has no \(name); it stands under one of \(spellings)")
}
