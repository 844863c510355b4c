// A file of rows in the making. Rank 0 writes; what it writes was made by all ranks, and comes in the order of the input.
//
// A packed file is one gzip member for each block of the input that has rows in it: so ranks can pack their own blocks, and the bytes
// are the same on any number of ranks.

import Files

/// A file of JSON lines that gets its name once it is whole.
final class RowOutput {
    /// Where the rows go.
    let path: String
    private var file: PendingFile?
    private var isEmpty = true

    /// Whether a name says that the file is packed.
    static func isPacked(_ path: String) -> Bool { path.hasSuffix(".gz") }

    /// - Throws: `UserError` `.output` when the file cannot be written
    init(path: String) throws(UserError) {
        try AtomicWrite.requireWritable(path)
        self.path = path
        file = try PendingFile(destination: path, expectedSize: 0)
    }

    /// Appends lines, packed where the file is.
    ///
    /// - Throws: `UserError` `.output`
    func write(_ bytes: [UInt8]) throws(UserError) {
        guard !bytes.isEmpty else { return }
        isEmpty = false
        try file!.write(bytes)
    }

    /// Gives the file its name.
    ///
    /// - Throws: `UserError` `.output`
    func commit() throws(UserError) -> OutputFile.Summary {
        if isEmpty, Self.isPacked(path) { try file!.write(GzipMember.packed([])) }
        return try file.take()!.commit()
    }
}
