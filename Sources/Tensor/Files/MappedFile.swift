// A file in memory without a copy: weights, vocabularies and data. Ranks of one host share its pages.
// Convention: whoever keeps a pointer into `bytes` keeps the MappedFile.

import Foundation

/// A regular file, mapped read-only for as long as this object lives.
///
/// Safe to share between threads: nothing changes after `init`.
package final class MappedFile: @unchecked Sendable {
    package let path: String
    /// The whole file; empty for an empty file. Begins on a page, so an offset in the file has the same alignment in memory.
    package let bytes: UnsafeRawBufferPointer
    private let identity: Identity

    /// What tells that a path still leads to the same, unchanged file.
    private struct Identity: Equatable {
        let device: UInt
        let inode: UInt
        let size: Int
        let seconds: Int
        let nanoseconds: Int

        init(_ status: stat) {
            device = UInt(status.st_dev)
            inode = UInt(status.st_ino)
            size = Int(status.st_size)
            seconds = status.st_mtim.tv_sec
            nanoseconds = status.st_mtim.tv_nsec
        }
    }

    /// - Throws: `UserError` `.missing` when there is no such file, it is a folder or device, or may not be read;
    ///   `.inputOutput` when the system fails to open or map it
    package init(path: String) throws(UserError) {
        self.path = path
        // Without O_NONBLOCK, opening a named pipe would wait for a writer.
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else { throw Self.openingFailed(path, errno) }
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { throw Self.openingFailed(path, errno) }
        switch status.st_mode & S_IFMT {
        case S_IFREG: break
        case S_IFDIR: throw UserError(.missing, path, "is a folder where a file is expected; name the file in it")
        default: throw UserError(.missing, path, "is no regular file (a device, pipe or socket); copy its content into a file first")
        }
        identity = Identity(status)
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

    /// - Throws: `UserError` `.inputOutput` when the path no longer leads to this file, or its size or time of change differ
    package func checkUnchanged() throws(UserError) {
        var status = stat()
        guard stat(path, &status) == 0 else {
            let code = errno
            throw UserError(
                .inputOutput, path, "was opened by this run and can no longer be found: \(errorText(code)); put it back and start again")
        }
        let now = Identity(status)
        guard now != identity else { return }
        let what = now.size == identity.size ? "at the same size" : "from \(identity.size) to \(now.size) bytes"
        throw UserError(
            .inputOutput, path, "was changed or replaced, \(what), while this run used it; leave the file alone and start again")
    }

    private static func openingFailed(_ path: String, _ code: Int32) -> UserError {
        switch code {
        case ENOENT, ENOTDIR: UserError(.missing, path, "no such file; check the path")
        case EACCES, EPERM: UserError(.missing, path, "may not be read by this user; change its permissions (chmod +r) or the path")
        case EIO, ESTALE, ETIMEDOUT:
            UserError(.inputOutput, path, "cannot be opened: \(errorText(code)); check the disk or network and start again")
        default: UserError(.missing, path, "cannot be opened: \(errorText(code))")
        }
    }

    /// The file's content, for as long as the caller likes.
    package func copied() -> [UInt8] { withExtendedLifetime(self) { Array(bytes) } }

    /// SHA-256 of the content.                                     [32]
    package func sha256() -> [UInt8] { withExtendedLifetime(self) { SHA256.hash(of: bytes) } }
}

/// The system's words for an error number.
func errorText(_ code: Int32) -> String { String(cString: strerror(code)) }
