// The first block of a token index: what the index was made from, how much it holds, and hashes that tell a whole one.
// Convention: numbers have 64 bits in the processor's byte order; the block's last 32 bytes are the SHA-256 of those before.

import Files
import Tensor

/// The header of a `TokenIndex`, and with it the places of everything behind it.
///
///     header | token ids | rows and one more | inputs | images | names of images | report of the rows
package struct TokenIndexHeader: Sendable {
    /// The training file as it was when the index was made, or last found to be the same.
    package struct Origin: Equatable, Sendable {
        /// SHA-256 of its bytes.                                   [32]
        var sha256: [UInt8]
        /// Size of the file of rows in bytes.
        package var size: Int
        /// Of its last change, since 1970.
        var seconds: Int
        var nanoseconds: Int

        init(sha256: [UInt8], _ identity: FileIdentity) {
            self.sha256 = sha256
            (size, seconds, nanoseconds) = (identity.size, identity.seconds, identity.nanoseconds)
        }

        /// Whether size and time of change are those of a file now: its content is then taken for the same without a look.
        func isUnchanged(_ identity: FileIdentity) -> Bool {
            size == identity.size && seconds == identity.seconds && nanoseconds == identity.nanoseconds
        }
    }

    static let byteCount = 4096
    /// Changes with the layout, and whenever the same files would give other rows or tokens.
    static let format: Int64 = 6
    /// "shoaltok", in front of the format.
    private static let mark: Int64 = 0x6b6f_746c_616f_6873

    /// See `TrainingSource.key(ofFile:)`.                          [32]
    var key: [UInt8]
    /// The file of rows that was tokenized.
    package var origin: Origin
    /// Rows of the training file, held-out ones included.
    package var fileRows = 0
    /// What the index holds.
    package var rows = 0
    var inputs = 0
    var tokens = 0
    /// Of inputs, and of rows that were left out.
    var images = 0
    /// Bytes.
    var names = 0
    /// Bytes of the report of the rows.
    var report = 0
    /// Texts that were cut at the limit of tokens.
    var truncated = 0
    /// Hard negatives left out because they equal their row's positive.
    var droppedNegatives = 0
    /// Rows left out because of an image that cannot be used.
    package var skippedRows = 0
    /// Inputs that are images.
    var imageInputs = 0
    /// Whether rows of the file are held out of the index.
    var holdsOut = false
    /// [tasks]
    package var rowsByTask: [Int] = []
    /// Of them, those with a score.                                [tasks]
    package var gradedByTask: [Int] = []
    /// Of all behind the token ids, see `hash(ofTables:)`.          [32]
    var tablesHash: [UInt8] = []

    init(key: [UInt8], origin: Origin) {
        self.key = key
        self.origin = origin
    }

    // MARK: Places in the file

    var tokensOffset: Int { Self.byteCount }
    /// On a multiple of 8.
    var rowsOffset: Int { (tokensOffset + tokens * MemoryLayout<Int32>.stride + 7) & ~7 }
    var inputsOffset: Int { rowsOffset + (rows + 1) * MemoryLayout<TokenIndex.Row>.stride }
    var imagesOffset: Int { inputsOffset + inputs * MemoryLayout<TokenIndex.Input>.stride }
    var namesOffset: Int { imagesOffset + images * MemoryLayout<TokenIndex.Image>.stride }
    var reportOffset: Int { namesOffset + names }
    var fileSize: Int { reportOffset + report }

    var hasImages: Bool { imageInputs > 0 }

    // MARK: The block

    var encoded: [UInt8] {
        let numbers = [
            origin.size, origin.seconds, origin.nanoseconds, fileRows, rows, inputs, tokens, images, names, truncated, droppedNegatives,
            skippedRows, imageInputs, holdsOut ? 1 : 0, report, rowsByTask.count,
        ]
        var bytes = memoryBytes(of: [Self.mark, Self.format]) + key + origin.sha256 + tablesHash
        bytes += memoryBytes(of: numbers + rowsByTask + gradedByTask)
        let room = Self.byteCount - SHA256.digestLength
        precondition(bytes.count <= room, "token index: \(rowsByTask.count) tasks in a header")
        bytes += [UInt8](repeating: 0, count: room - bytes.count)
        return bytes + SHA256.hash(of: bytes)
    }

    /// - Parameter file: the whole file
    /// - Returns: nil when the block is damaged or of another format, or the file's size is not what it says
    init?(_ file: RawSpan) {
        let room = Self.byteCount - SHA256.digestLength
        guard file.byteCount >= Self.byteCount, file.integer(at: 0) == Self.mark, file.integer(at: 8) == Self.format,
            file.extracting(room..<Self.byteCount).equals(SHA256.hash(of: file.extracting(0..<room)))
        else { return nil }
        func digest(_ place: Int) -> [UInt8] { file.copied(16 + 32 * place..<48 + 32 * place) }
        func number(_ place: Int) -> Int { file.integer(at: 112 + 8 * place) }
        key = digest(0)
        origin = Origin(sha256: digest(1), size: number(0), seconds: number(1), nanoseconds: number(2))
        tablesHash = digest(2)
        (fileRows, rows, inputs, tokens) = (number(3), number(4), number(5), number(6))
        (images, names, truncated, droppedNegatives) = (number(7), number(8), number(9), number(10))
        (skippedRows, imageInputs, holdsOut) = (number(11), number(12), number(13) == 1)
        report = number(14)
        let tasks = number(15)
        rowsByTask = (0..<tasks).map { number(16 + $0) }
        gradedByTask = (0..<tasks).map { number(16 + tasks + $0) }
        guard fileSize == file.byteCount else { return nil }
    }

    /// SHA-256 over the SHA-256 of every 4 MiB, which all threads make.
    static func hash(ofTables bytes: RawSpan) -> [UInt8] {
        let blockBytes = 4 << 20
        let digests = Threads.map((bytes.byteCount + blockBytes - 1) / blockBytes, grain: 1) { block in
            SHA256.hash(of: bytes.extracting(block * blockBytes..<min((block + 1) * blockBytes, bytes.byteCount)))
        }
        return SHA256.hash(of: Array(digests.joined()))
    }
}

extension TokenIndexHeader.Origin {
    fileprivate init(sha256: [UInt8], size: Int, seconds: Int, nanoseconds: Int) {
        self.sha256 = sha256
        (self.size, self.seconds, self.nanoseconds) = (size, seconds, nanoseconds)
    }
}
