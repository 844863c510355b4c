// A file in memory without a copy: weights, vocabularies and data. Ranks of one host share its pages.
// Convention: whoever keeps a pointer into `bytes` keeps the MappedFile.

import Foundation

/// A regular file, mapped read-only for as long as this object lives.
///
/// Safe to share between threads: nothing changes after `init`.
package final class MappedFile: @unchecked Sendable {
    /// The path as it was given.
    package let path: String
    /// The whole file; empty for an empty file. Begins on a page, so an offset in the file has the same alignment in memory.
    package let bytes: UnsafeRawBufferPointer
    /// What the file was when it was mapped.
    package let identity: FileIdentity

    /// Maps a file.
    /// - Throws: `UserError` `.missing` when there is no such file, it is a folder or device, or may not be read;
    ///   `.inputOutput` when the system fails to open or map it
    package init(path: String) throws(UserError) {
        self.path = path
        // Without O_NONBLOCK, opening a named pipe would wait for a writer.
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else { throw FileIdentity.openingFailed(path, errno) }
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { throw FileIdentity.openingFailed(path, errno) }
        identity = try FileIdentity.ofRegularFile(status, path)
        guard identity.size > 0 else {
            bytes = UnsafeRawBufferPointer(start: nil, count: 0)
            return
        }
        guard let address = mmap(nil, identity.size, PROT_READ, MAP_PRIVATE, descriptor, 0), address != MAP_FAILED else {
            let code = errno
            throw UserError(.inputOutput, path, "\(identity.size) bytes cannot be mapped into memory: \(errorText(code))")
        }
        bytes = UnsafeRawBufferPointer(start: address, count: identity.size)
    }

    deinit {
        if let address = bytes.baseAddress { munmap(UnsafeMutableRawPointer(mutating: address), bytes.count) }
    }

    /// Asks the system to start reading these bytes. Returns at once.
    package func prefetch(_ range: Range<Int>) {
        precondition(range.lowerBound >= 0 && range.upperBound <= bytes.count, "prefetch: \(range) of \(bytes.count) bytes")
        guard !range.isEmpty, let address = bytes.baseAddress else { return }
        let start = range.lowerBound & ~(Int(sysconf(Int32(_SC_PAGESIZE))) - 1)
        madvise(UnsafeMutableRawPointer(mutating: address + start), range.upperBound - start, MADV_WILLNEED)
    }

    /// Checks that the path still leads to this file, as it was when it was opened.
    /// - Throws: `UserError` `.inputOutput` when the path no longer leads to this file, or its size or time of change differ
    package func checkUnchanged() throws(UserError) { try identity.checkUnchanged(path) }

    /// A copy of the file's content, for as long as the caller likes.
    package func copied() -> [UInt8] { withExtendedLifetime(self) { Array(bytes) } }

    /// SHA-256 of the content.                                     [32]
    package func sha256() -> [UInt8] { withExtendedLifetime(self) { SHA256.hash(of: bytes) } }
}

/// The system's words for an error number.
func errorText(_ code: Int32) -> String { String(cString: strerror(code)) }
