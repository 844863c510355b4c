// The input as blocks of rows. Every rank goes through all files from the first to the last and reads the blocks that are its own;
// others it passes over, which costs of JSON lines no more than unpacking and finding the ends of lines.
//
// Where a block ends follows from the rows alone, so that blocks are the same on any number of ranks.

import Data
import Files

/// Rows that lie one after another in the input, and what was wrong with others among them.
struct RawBlock {
    let number: Int
    var rows: [RawRow] = []
    var bad: [(number: RowNumber, error: UserError)] = []
    /// File → rows of it in this block, bad ones too.
    var rowsByFile: [Int: Int] = [:]
}

/// One pass over all files. Not safe to share between threads.
final class RawRows {
    /// A block is full when it has this many rows, or this many bytes.
    static let (rowsOfBlock, bytesOfBlock) = (2048, 4 << 20)

    private let paths: [String]
    private let rule: RowRule
    private var file = -1
    private var stream: RowStream?
    private var images: ImageFolder?
    /// Blocks that were read or passed over.
    private(set) var blocks = 0
    /// Where the row is at which an error was thrown.
    private(set) var place = 0

    init(_ paths: [String], _ rule: RowRule) {
        self.paths = paths
        self.rule = rule
    }

    /// The next block, empty at the end of the input.
    ///
    /// - Throws: `UserError` when a file cannot be read, or read on
    func read() throws(UserError) -> RawBlock {
        var block = RawBlock(number: blocks)
        try fill { stream throws(UserError) in
            guard let result = try stream.next() else { return false }
            let number = RowNumber(block: blocks, place: place)
            block.rowsByFile[file, default: 0] += 1
            do throws(UserError) {
                block.rows += try rule.examples(of: try result.get(), images: images!, number: number)
            } catch {
                block.bad.append((number, error))
            }
            return true
        }
        return block
    }

    /// Passes over the next block.
    ///
    /// - Throws: `UserError` when a file cannot be read, or read on
    func pass() throws(UserError) { try fill { stream throws(UserError) in try stream.pass() } }

    /// Takes rows until the block is full or the input ends.
    ///
    /// - Parameter take: takes the next row of a file; false at its end
    private func fill(_ take: (RowStream) throws(UserError) -> Bool) throws(UserError) {
        (place, bytes) = (0, 0)
        while place < Self.rowsOfBlock, bytes < Self.bytesOfBlock {
            if stream == nil { stream = try openNext() }
            guard let stream else { break }
            guard try take(stream) else {
                self.stream = nil
                continue
            }
            place += 1
            bytes += stream.rowBytes
        }
        blocks += 1
    }

    private var bytes = 0

    private func openNext() throws(UserError) -> RowStream? {
        guard file + 1 < paths.count else { return nil }
        file += 1
        // Where images may lie is the affair of the run that trains on them.
        images = try ImageFolder(dataFile: paths[file], base: "/")
        return try RowStream(path: paths[file])
    }
}
