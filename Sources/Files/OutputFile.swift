// One new file on its way to the disk: created exclusively, hashed while it is written, synced before it counts.
// AtomicWrite and PendingFolder give it a name that readers look for only once it is whole.

import Foundation

/// A file being written. Dropped without `finish()`, it is removed.
package struct OutputFile: ~Copyable {
    /// The path as it was given.
    package let path: String
    private let expectedSize: Int
    private let operations: FileOperations
    private var descriptor: Int32
    private var hash = SHA256()
    private var size = 0
    private var isWhole = false

    /// Size and hash of a finished file.
    package struct Summary: Equatable, Sendable {
        /// Bytes written.
        package let size: Int
        /// SHA-256 of the content, in lower-case hexadecimal.
        package let sha256: String
    }

    /// Creates a file and opens it for writing.
    ///
    /// - Parameters:
    ///   - path: must not exist
    ///   - expectedSize: bytes that will be written, for the message when the disk is full
    /// - Throws: `UserError` `.output`
    package init(
        creating path: String, expectedSize: Int, permissions: mode_t = 0o666, operations: FileOperations = .system
    ) throws(UserError) {
        let descriptor = operations.create(path, permissions)
        guard descriptor >= 0 else { throw outputFailed(path, "cannot be created", errno, needed: expectedSize) }
        self.path = path
        self.expectedSize = expectedSize
        self.operations = operations
        self.descriptor = descriptor
    }

    deinit {
        if descriptor >= 0 { _ = operations.close(descriptor) }
        if !isWhole { unlink(path) }
    }

    /// Appends bytes to the file.
    /// - Throws: `UserError` `.output`; the file is then worthless
    package mutating func write(_ bytes: UnsafeRawBufferPointer) throws(UserError) {
        var rest = bytes
        while let address = rest.baseAddress, !rest.isEmpty {
            let count = operations.write(descriptor, address, rest.count)
            if count > 0 {
                rest = UnsafeRawBufferPointer(rebasing: rest[min(count, rest.count)...])
            } else {
                let code = count < 0 ? errno : EIO  // nothing written and no reason given
                guard code == EINTR else {
                    throw outputFailed(
                        path, "cannot be written", code, needed: max(rest.count, expectedSize - size - bytes.count + rest.count))
                }
            }
        }
        hash.update(bytes)
        size += bytes.count
    }

    /// Writes bytes that something else holds.
    ///
    /// - Throws: `UserError` `.output`; the file is then worthless
    package mutating func write(_ bytes: RawSpan) throws(UserError) {
        try bytes.withUnsafeBytes { (bytes) throws(UserError) in try write(bytes) }
    }

    /// Appends bytes. Throws `UserError` `.output`.
    package mutating func write(_ bytes: [UInt8]) throws(UserError) {
        try bytes.withUnsafeBufferPointer { (bytes) throws(UserError) in try write(UnsafeRawBufferPointer(bytes)) }
    }

    /// Syncs the content to disk and closes the file. Its name is durable only once the folder is synced, too.
    /// - Throws: `UserError` `.output`; the file is then removed
    package consuming func finish() throws(UserError) -> Summary {
        let code = operations.syncUninterrupted(descriptor)
        guard code == 0 else { throw outputFailed(path, "cannot be synced to disk", code) }
        let closed = operations.close(descriptor)
        let closingCode = errno
        descriptor = -1
        // After EINTR Linux has closed the file; the data were synced before.
        guard closed == 0 || closingCode == EINTR else { throw outputFailed(path, "cannot be closed", closingCode) }
        isWhole = true
        return Summary(size: size, sha256: SHA256.hex(hash.finalize()))
    }
}
