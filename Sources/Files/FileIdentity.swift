// Which file a path leads to, and whether its content may have changed, as far as the system tells without reading it.

import Foundation

/// A regular file at one moment.
package struct FileIdentity: Equatable, Sendable {
    /// Number of the file system.
    package let device: UInt
    /// Number of the file in its file system.
    package let inode: UInt
    /// Size in bytes.
    package let size: Int
    /// Time of the last change of content, in whole seconds since 1970.
    package let seconds: Int
    /// Nanoseconds of the last change of content beyond `seconds`.
    package let nanoseconds: Int

    init(_ status: stat) {
        device = UInt(status.st_dev)
        inode = UInt(status.st_ino)
        size = Int(status.st_size)
        seconds = status.st_mtim.tv_sec
        nanoseconds = status.st_mtim.tv_nsec
    }

    /// Looks up the regular file that a path leads to.
    /// - Throws: `UserError` as opening the file would, when there is none or it is a folder or device
    package init(path: String) throws(UserError) {
        var status = stat()
        guard stat(path, &status) == 0 else { throw Self.openingFailed(path, errno) }
        self = try Self.ofRegularFile(status, path)
    }

    /// Checks that a path still leads to this file, as it was.
    /// - Throws: `UserError` `.inputOutput` when the path no longer leads to this file, or its size or time of change differ
    package func checkUnchanged(_ path: String) throws(UserError) {
        var status = stat()
        guard stat(path, &status) == 0 else {
            let code = errno
            throw UserError(
                .inputOutput, path, "was opened by this run and can no longer be found: \(errorText(code)); put it back and start again")
        }
        let now = FileIdentity(status)
        guard now != self else { return }
        let what = now.size == size ? "at the same size" : "from \(size) to \(now.size) bytes"
        throw UserError(
            .inputOutput, path, "was changed or replaced, \(what), while this run used it; leave the file alone and start again")
    }

    static func ofRegularFile(_ status: stat, _ path: String) throws(UserError) -> FileIdentity {
        switch status.st_mode & S_IFMT {
        case S_IFREG: return FileIdentity(status)
        case S_IFDIR: throw UserError(.missing, path, "is a folder where a file is expected; name the file in it")
        default: throw UserError(.missing, path, "is no regular file (a device, pipe or socket); copy its content into a file first")
        }
    }

    static func openingFailed(_ path: String, _ code: Int32) -> UserError {
        switch code {
        case ENOENT, ENOTDIR: UserError(.missing, path, "no such file; check the path")
        case EACCES, EPERM: UserError(.missing, path, "may not be read by this user; change its permissions (chmod +r) or the path")
        case EIO, ESTALE, ETIMEDOUT:
            UserError(.inputOutput, path, "cannot be opened: \(errorText(code)); check the disk or network and start again")
        default: UserError(.missing, path, "cannot be opened: \(errorText(code))")
        }
    }
}
