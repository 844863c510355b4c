// The rows of one training file as tokens, in a mapped file: made once, and read by every later start and by every step.
// The pages are shared by all ranks of a host. Damage is noticed: header and tables are hashed when the file is opened, a
// row's tokens each time they are used.

import Foundation
import Tensor

/// A whole token index.
///
///     guard let index = TokenIndex(path: path, key: key) else { ... }      // absent, damaged, or made otherwise
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

    /// A text of a row: the anchor, the positive, then the negatives that are used.
    struct Input {
        var content: ContentHash
        /// Prompt included, after truncation.
        var tokens: Int32
        /// Of a negative, its index in the row.
        var place: Int32
    }

    let header: TokenIndexHeader
    private let file: MappedFile

    /// - Parameter key: see `TrainingSource.key(ofFile:)`
    /// - Returns: nil when there is no file, or it is not whole, or was made with another key
    init?(path: String, key: [UInt8]) {
        guard let file = try? MappedFile(path: path), let header = TokenIndexHeader(file.bytes), header.key == key else { return nil }
        let tables = UnsafeRawBufferPointer(rebasing: file.bytes[header.rowsOffset...])
        guard TokenIndexHeader.hash(ofTables: tables) == header.tablesHash else { return nil }
        self.file = file
        self.header = header
    }

    var path: String { file.path }

    /// Notes that a training file of another size or time of change has been found to hold the same bytes. Where that cannot be
    /// written, the next start hashes the file again.
    func renew(_ origin: TokenIndexHeader.Origin) {
        var renewed = header
        renewed.origin = origin
        try? PlacedFile(opening: path).write(renewed.encoded, at: 0)
    }

    func kind(ofRow row: Int) -> RowKind {
        defer { withExtendedLifetime(file) {} }
        return RowKind(task: Int(rows[row].task), isGraded: rows[row].isGraded == 1)
    }

    /// In the training file, blank lines not counted.
    func number(ofRow row: Int) -> Int {
        defer { withExtendedLifetime(file) {} }
        return Int(rows[row].number)
    }

    /// Of all its texts.
    func tokenCount(ofRow row: Int) -> Int {
        defer { withExtendedLifetime(file) {} }
        return Int(rows[row + 1].firstToken - rows[row].firstToken)
    }

    /// - Parameter file: index of the training file in `data.train`
    func summary(ofRow row: Int, file: Int) -> RowSummary {
        defer { withExtendedLifetime(self.file) {} }
        let entry = rows[row]
        let own = inputs(ofRow: row)
        return RowSummary(
            file: file, row: Int(entry.number), task: Int(entry.task), anchor: own[0].summary, positive: own[1].summary,
            negatives: own.dropFirst(2).map(\.summary), negativePlaces: own.dropFirst(2).map { Int($0.place) },
            score: entry.isGraded == 1 ? entry.score : nil)
    }

    /// - Throws: `UserError` `.inputOutput` when the row's tokens are damaged. The file is then removed, to be made anew
    func tokens(ofRow row: Int, _ text: RowText) throws(UserError) -> [Int32] {
        defer { withExtendedLifetime(file) {} }
        let all = UnsafeBufferPointer(rebasing: tokens[Int(rows[row].firstToken)..<Int(rows[row + 1].firstToken)])
        guard Self.check(all) == rows[row].check else {
            unlink(path)
            throw UserError(
                .inputOutput, path,
                "row \(rows[row].number + 1) of this token index was damaged, so the file has been removed and is made anew at the next start; "
                    + "start again with --resume")
        }
        let own = inputs(ofRow: row)
        let input: Int
        switch text {
        case .anchor: input = 0
        case .positive: input = 1
        case .negative(let place): input = own.indices.dropFirst(2).first { own[$0].place == place }!
        }
        let start = own[..<input].reduce(0) { $0 + Int($1.tokens) }
        return Array(all[start..<start + Int(own[input].tokens)])
    }

    static func check(_ tokens: UnsafeBufferPointer<Int32>) -> UInt64 {
        UInt64(bitPattern: ContentHash(of: UnsafeRawBufferPointer(tokens)).high)
    }

    // MARK: Tables

    private var rows: UnsafeBufferPointer<Row> { table(at: header.rowsOffset, count: header.rows + 1) }
    private var inputs: UnsafeBufferPointer<Input> { table(at: header.inputsOffset, count: header.inputs) }
    private var tokens: UnsafeBufferPointer<Int32> { table(at: header.tokensOffset, count: header.tokens) }

    private func inputs(ofRow row: Int) -> UnsafeBufferPointer<Input> {
        UnsafeBufferPointer(rebasing: inputs[Int(rows[row].firstInput)..<Int(rows[row + 1].firstInput)])
    }

    private func table<Entry>(at offset: Int, count: Int) -> UnsafeBufferPointer<Entry> {
        UnsafeBufferPointer(start: (file.bytes.baseAddress! + offset).assumingMemoryBound(to: Entry.self), count: count)
    }
}

extension TokenIndex.Input {
    fileprivate var summary: InputSummary { InputSummary(content: content, tokens: tokens) }
}
