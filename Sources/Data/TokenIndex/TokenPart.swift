// Some rows, tokenized, on their way into a token index: what a thread or a rank has made.

import Files
import Images
import Model

/// Rows in order, with their inputs and tokens. Places count from the part's own begin until `shift`.
struct TokenPart: Sendable {
    private(set) var rows: [TokenIndex.Row] = []
    private(set) var inputs: [TokenIndex.Input] = []
    private(set) var tokens: [Int32] = []
    private(set) var images: [TokenIndex.Image] = []
    /// Of the images, one behind the other.
    private(set) var names: [UInt8] = []
    /// Texts that were cut at the limit of tokens.
    var truncated = 0
    /// Hard negatives left out because they equal their row's positive.
    var droppedNegatives = 0
    /// Rows left out because of an image that cannot be used.
    private(set) var skippedRows = 0
    /// What is to be said of the rows.
    var report = RowReport()

    /// Begins a row; its inputs follow.
    ///
    /// - Parameters:
    ///   - number: in the training file
    ///   - task: index among the model's tasks
    ///   - score: of a graded row
    mutating func beginRow(_ number: Int, task: Int, score: Float?) {
        rows.append(
            TokenIndex.Row(
                firstToken: UInt64(tokens.count), firstInput: UInt64(inputs.count), check: 0, number: UInt32(number), task: UInt32(task),
                isGraded: score == nil ? 0 : 1, score: score ?? 0))
    }

    /// - Parameters:
    ///   - place: of a negative, its index in the row
    ///   - prompt: hash of the row's own prompt, 0 without one
    ///   - teacherScore: of a candidate that a teacher has scored
    mutating func append(
        _ content: ContentHash, _ ids: [Int32], place: Int = 0, prompt: Int64 = 0, teacherScore: Float? = nil
    ) {
        inputs.append(
            TokenIndex.Input(
                content: content, tokens: Int32(ids.count), place: Int32(place), image: -1, prompt: prompt,
                teacherScore: teacherScore ?? 0, hasTeacherScore: teacherScore == nil ? 0 : 1))
        tokens += ids
    }

    /// - Parameters:
    ///   - name: as `ImageFolder` gives it
    ///   - place: of a negative, its index in the row
    ///   - teacherScore: of a candidate that a teacher has scored
    mutating func append(_ image: RowImages.Measured, name: String, place: Int = 0, teacherScore: Float? = nil) {
        inputs.append(
            TokenIndex.Input(
                content: image.content, tokens: Int32(image.tokens), place: Int32(place), image: Int64(images.count), prompt: 0,
                teacherScore: teacherScore ?? 0, hasTeacherScore: teacherScore == nil ? 0 : 1))
        append(name, image.identity, image.grid)
    }

    /// Notes a row that is left out.
    ///
    /// - Parameter identity: of the image that it is left out for; nil when there is no such file
    mutating func skipRow(image name: String, _ identity: FileIdentity?) {
        skippedRows += 1
        append(name, identity, ImageGrid(frames: 0, height: 0, width: 0))
    }

    private mutating func append(_ name: String, _ identity: FileIdentity?, _ grid: ImageGrid) {
        images.append(
            TokenIndex.Image(
                name: UInt64(names.count), size: Int64(identity?.size ?? -1), seconds: Int64(identity?.seconds ?? 0),
                nanoseconds: Int64(identity?.nanoseconds ?? 0), nameLength: UInt32(name.utf8.count), frames: UInt32(grid.frames),
                height: UInt32(grid.height), width: UInt32(grid.width)))
        names += name.utf8
    }

    mutating func endRow() {
        let last = rows.count - 1
        let start = Int(rows[last].firstToken)
        rows[last].check = TokenIndex.check(tokens.span.extracting(start..<tokens.count))
    }

    mutating func append(_ other: TokenPart) {
        let start = rows.count
        rows += other.rows
        for row in start..<rows.count { rows[row].move(tokens: tokens.count, inputs: inputs.count) }
        let (firstInput, firstImage) = (inputs.count, images.count)
        inputs += other.inputs
        for input in firstInput..<inputs.count { inputs[input].move(images: firstImage) }
        images += other.images
        for image in firstImage..<images.count { images[image].name += UInt64(names.count) }
        names += other.names
        tokens += other.tokens
        truncated += other.truncated
        droppedNegatives += other.droppedNegatives
        skippedRows += other.skippedRows
        report.add(other.report)
    }

    /// How much of everything there is.
    struct Sizes {
        var rows: Int
        var inputs: Int
        var tokens: Int
        var images: Int
        /// Bytes.
        var names: Int
    }

    /// The tables alone, as they stand in the index behind so much of everything.
    func tables(behind sizes: Sizes) -> Tables {
        var tables = Tables(rows: rows, inputs: inputs, images: images, names: names)
        for row in rows.indices { tables.rows[row].move(tokens: sizes.tokens, inputs: sizes.inputs) }
        for input in inputs.indices { tables.inputs[input].move(images: sizes.images) }
        for image in images.indices { tables.images[image].name += UInt64(sizes.names) }
        return tables
    }

    struct Tables {
        fileprivate(set) var rows: [TokenIndex.Row]
        fileprivate(set) var inputs: [TokenIndex.Input]
        fileprivate(set) var images: [TokenIndex.Image]
        let names: [UInt8]
    }
}

extension TokenIndex.Input {
    fileprivate mutating func move(images: Int) { if image >= 0 { image += Int64(images) } }
}

extension TokenIndex.Row {
    fileprivate mutating func move(tokens: Int, inputs: Int) {
        firstToken += UInt64(tokens)
        firstInput += UInt64(inputs)
    }
}
