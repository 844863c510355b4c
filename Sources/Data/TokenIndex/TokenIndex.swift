// The rows of one training file as tokens, in a mapped file: made once, and read by every later start and by every step.
// The pages are shared by all ranks of a host. Damage is noticed: header and tables are hashed when the file is opened, a
// row's tokens each time they are used.

import Files
import Foundation
import Images
import Model

/// A whole token index.
///
///     guard let index = TokenIndex(path: path, key: key, images: folder) else { ... }   // absent, damaged, or made otherwise
///     let ids = try index.tokens(ofRow: 7, .anchor)
package struct TokenIndex: Sendable {
    /// A row in the file. Its tokens end where the next row's begin, and so do its inputs.
    struct Row {
        var firstToken: UInt64
        var firstInput: UInt64
        /// Of its tokens.
        var check: UInt64
        /// Counted in the training file.
        var number: UInt32
        var task: UInt32
        /// 1 for a row with a score, else 0.
        var isGraded: UInt32
        var score: Float
    }

    /// A text or image of a row: the anchor, the positive, then the negatives that are used.
    struct Input {
        var content: ContentHash
        /// Prompt included, after truncation.
        var tokens: Int32
        /// Of a negative, its index in the row.
        var place: Int32
        /// Which of the images; -1 for a text.
        var image: Int64
        /// Hash of the row's own prompt before the text; 0 for the file's prompt.
        var prompt: Int64
        /// A teacher's score of a candidate; 0 without one.
        var teacherScore: Float
        /// 1 for a candidate with a teacher's score, else 0.
        var hasTeacherScore: UInt32
    }

    /// An image of a row, or one that a row was left out for.
    struct Image {
        /// Where its name begins among the names; see `ImageFolder`.
        var name: UInt64
        /// The file as it was; -1 and zeros for one that could not be opened.
        var size: Int64
        var seconds: Int64
        var nanoseconds: Int64
        var nameLength: UInt32
        /// Patches.
        var frames: UInt32
        var height: UInt32
        var width: UInt32
    }

    /// What the file says of itself.
    package let header: TokenIndexHeader
    private let file: MappedFile
    /// Of the training file.
    private let folder: String

    /// - Parameters:
    ///   - key: see `TrainingSource.key(ofFile:)`
    ///   - folder: of the training file
    /// - Returns: nil when there is no file, or it is not whole, or was made with another key
    init?(path: String, key: [UInt8], folder: String) {
        guard let file = try? MappedFile(path: path), let header = TokenIndexHeader(file.contents), header.key == key else { return nil }
        let tables = file.contents.extracting(droppingFirst: header.rowsOffset)
        guard TokenIndexHeader.hash(ofTables: tables) == header.tablesHash else { return nil }
        self.file = file
        self.folder = folder
        self.header = header
        guard teacherScoresAreSound else { return nil }
    }

    var path: String { file.path }

    /// What is to be said of the rows of the training file.
    ///
    /// - Throws: `UserError` `.inputOutput` when it is damaged, which the hash of the tables lets happen by a fault of Shoal alone
    package func report() throws(UserError) -> RowReport {
        let bytes = file.contents.copied(header.reportOffset..<header.reportOffset + header.report)
        let json = try JSONValue.parse(bytes, path: path, code: .inputOutput)
        guard let report = RowReport(json) else { throw UserError(.inputOutput, path, "holds no report of its rows; remove the file") }
        return report
    }

    /// Notes that a training file of another size or time of change has been found to hold the same bytes. Where that cannot be
    /// written, the next start hashes the file again.
    func renew(_ origin: TokenIndexHeader.Origin) {
        var renewed = header
        renewed.origin = origin
        try? PlacedFile(opening: path).write(renewed.encoded, at: 0)
    }

    /// Task of a row, and whether it has a grade.
    package func kind(ofRow row: Int) -> RowKind {
        return RowKind(task: Int(rows[row].task), isGraded: rows[row].isGraded == 1)
    }

    /// Hard negatives that are used.
    package func negativeCount(ofRow row: Int) -> Int {
        return inputs(ofRow: row).count - 2
    }

    /// Whether a teacher has scored the row's candidates.
    package func hasTeacherScores(ofRow row: Int) -> Bool {
        return inputs(ofRow: row)[1].hasTeacherScore == 1
    }

    /// In the training file, blank lines not counted.
    func number(ofRow row: Int) -> Int {
        return Int(rows[row].number)
    }

    /// The rows of the training file that are not here, by number: held out, or left out for an image.
    var absentRows: [Int] {
        let rows = rows
        let present = Set(rows.indices.dropLast().map { Int(rows[$0].number) })
        return (0..<header.fileRows).filter { !present.contains($0) }
    }

    /// Names of the images that rows were left out for.
    var badImages: Set<String> {
        return Set((0..<header.images).map { images[$0] }.filter { $0.frames == 0 }.map(name))
    }

    /// Of all its inputs, and of its images alone.
    func tokenCount(ofRow row: Int) -> (all: Int, images: Int) {
        inputs(ofRow: row).reduce((0, 0)) { ($0.0 + Int($1.tokens), $0.1 + ($1.isImage ? Int($1.tokens) : 0)) }
    }

    /// - Parameter file: index of the training file in `data.train`
    func summary(ofRow row: Int, file: Int) -> RowSummary {
        let entry = rows[row]
        let own = inputs(ofRow: row)
        return RowSummary(
            file: file, row: Int(entry.number), task: Int(entry.task), anchor: own[0].summary, positive: own[1].summary,
            negatives: own.dropFirst(2).map(\.summary), negativePlaces: own.dropFirst(2).map { Int($0.place) },
            score: entry.isGraded == 1 ? entry.score : nil,
            teacherScores: own[1].hasTeacherScore == 1 ? own.dropFirst().map(\.teacherScore) : [])
    }

    /// - Throws: `UserError` `.inputOutput` when the row's tokens are damaged. The file is then removed, to be made anew
    func tokens(ofRow row: Int, _ text: RowText) throws(UserError) -> [Int32] {
        let all = tokens.extracting(Int(rows[row].firstToken)..<Int(rows[row + 1].firstToken))
        guard Self.check(all) == rows[row].check else {
            unlink(path)
            throw UserError(
                .inputOutput, path,
                "row \(rows[row].number + 1) of this token index was damaged, so the file has been removed and is made anew at the next start; "
                    + "start again with --resume")
        }
        let own = inputs(ofRow: row)
        let input = place(of: text, in: own)
        let start = own[..<input].reduce(0) { $0 + $1.storedTokens }
        return (start..<start + own[input].storedTokens).map { all[$0] }
    }

    func image(ofRow row: Int, _ text: RowText) -> ImageFile {
        let own = inputs(ofRow: row)
        let input = own[place(of: text, in: own)]
        precondition(input.isImage, "token index: a text taken for an image")
        let image = images[Int(input.image)]
        return ImageFile(
            path: path(of: image), grid: ImageGrid(frames: Int(image.frames), height: Int(image.height), width: Int(image.width)),
            tokens: Int(input.tokens), content: input.content)
    }

    /// Whether these images are the files that they were, by size and time of change.
    ///
    /// - Parameter share: of all images of the index
    func imagesAreUnchanged(_ share: Range<Int>) -> Bool {
        return share.allSatisfy { number in
            let (image, now) = (images[number], try? FileIdentity(path: path(of: images[number])))
            return (now?.size ?? -1, now?.seconds ?? 0, now?.nanoseconds ?? 0)
                == (Int(image.size), Int(image.seconds), Int(image.nanoseconds))
        }
    }

    /// SHA-256 of what all rows' images hold.
    var imageContents: [UInt8] {
        var hash = SHA256()
        let inputs = inputs
        for index in inputs.indices where inputs[index].isImage {
            hash.update([inputs[index].content.high, inputs[index].content.low].span.bytes)
        }
        return hash.finalize()
    }

    private func name(_ image: Image) -> String {
        let start = header.namesOffset + Int(image.name)
        return String(decoding: file.contents.copied(start..<start + Int(image.nameLength)), as: UTF8.self)
    }

    private func path(of image: Image) -> String { ImageFolder.path(of: name(image), in: folder) }

    private func place(of text: RowText, in own: [Input]) -> Int {
        switch text {
        case .anchor: 0
        case .positive: 1
        case .negative(let place): own.indices.dropFirst(2).first { own[$0].place == place }!
        }
    }

    static func check(_ tokens: Span<Int32>) -> UInt64 {
        UInt64(bitPattern: ContentHash(of: tokens.bytes).high)
    }

    // MARK: Tables

    private var rows: Span<Row> {
        @_lifetime(borrow self)
        get { file.table(at: header.rowsOffset, count: header.rows + 1) }
    }

    private var inputs: Span<Input> {
        @_lifetime(borrow self)
        get { file.table(at: header.inputsOffset, count: header.inputs) }
    }

    /// Whether a row's candidates have finite scores of a teacher, all or none.
    private var teacherScoresAreSound: Bool {
        let (rows, inputs) = (rows, inputs)
        return (0..<header.rows).allSatisfy { row in
            let own = Int(rows[row].firstInput) + 1..<Int(rows[row + 1].firstInput)
            let expected = inputs[own.lowerBound].hasTeacherScore
            return expected <= 1 && own.allSatisfy { inputs[$0].hasTeacherScore == expected && inputs[$0].teacherScore.isFinite }
        }
    }

    private var images: Span<Image> {
        @_lifetime(borrow self)
        get { file.table(at: header.imagesOffset, count: header.images) }
    }

    private var tokens: Span<Int32> {
        @_lifetime(borrow self)
        get { file.table(at: header.tokensOffset, count: header.tokens) }
    }

    private func inputs(ofRow row: Int) -> [Input] {
        let own = Int(rows[row].firstInput)..<Int(rows[row + 1].firstInput)
        let inputs = inputs
        return own.map { inputs[$0] }
    }
}

extension TokenIndex.Input {
    fileprivate var isImage: Bool { image >= 0 }

    /// Ids that the index holds: an image's follow from its grid.
    fileprivate var storedTokens: Int { isImage ? 0 : Int(tokens) }

    fileprivate var summary: InputSummary { InputSummary(content: content, tokens: tokens, isImage: isImage, ownPrompt: prompt) }
}
