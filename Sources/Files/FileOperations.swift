// The system calls through which everything is written that must survive a crash: adapters, checkpoints, manifests.
// One value holds them, so that tests can make the n-th call fail, write short, or record the order.
// Convention: as in C, a negative result means failure and leaves the reason in errno.

import Foundation

/// System calls as values.
package struct FileOperations: Sendable {
    /// Creates a file that must not exist, not even as a symbolic link. Gives its descriptor.
    package var create: @Sendable (_ path: String, _ permissions: mode_t) -> Int32
    /// Opens a folder for `sync`. Gives its descriptor.
    package var openFolder: @Sendable (_ path: String) -> Int32
    /// `write(2)`.
    package var write: @Sendable (_ descriptor: Int32, _ bytes: UnsafeRawPointer, _ count: Int) -> Int
    /// `fsync(2)`.
    package var sync: @Sendable (_ descriptor: Int32) -> Int32
    /// `close(2)`.
    package var close: @Sendable (_ descriptor: Int32) -> Int32
    /// Creates a folder that must not exist.
    package var makeFolder: @Sendable (_ path: String, _ permissions: mode_t) -> Int32
    /// Gives a file the name `destination`, in the place of an older file there.
    package var replace: @Sendable (_ path: String, _ destination: String) -> Int32
    /// Moves a folder. Fails when there is anything at `destination`.
    package var move: @Sendable (_ path: String, _ destination: String) -> Int32

    /// The operating system's own.
    package static let system = FileOperations(
        create: { open($0, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, $1) },
        openFolder: { open($0, O_RDONLY | O_DIRECTORY | O_CLOEXEC) },
        write: { Foundation.write($0, $1, $2) },
        sync: { fsync($0) },
        close: { Foundation.close($0) },
        makeFolder: { mkdir($0, $1) },
        replace: { rename($0, $1) },
        move: { moveWithoutReplacing($0, $1) }
    )

    /// Makes the names in a folder durable: created and renamed files survive a power cut only after this.
    /// - Throws: `UserError` `.output`
    package func syncFolder(_ path: String) throws(UserError) {
        let descriptor = openFolder(path)
        guard descriptor >= 0 else { throw outputFailed(path, "cannot be opened to sync it", errno) }
        var code = syncUninterrupted(descriptor)
        if code == EINVAL { code = 0 }  // some network file systems cannot sync a folder
        _ = close(descriptor)
        guard code == 0 else { throw outputFailed(path, "cannot be synced to disk", code) }
    }

    /// Syncs an open file or folder, again when a signal interrupts it.
    /// - Returns: 0, or the error number
    func syncUninterrupted(_ descriptor: Int32) -> Int32 {
        while sync(descriptor) != 0 {
            let code = errno
            guard code == EINTR else { return code }
        }
        return 0
    }
}

/// rename(2) itself never replaces a folder that holds something, nor a file by a folder; an empty folder is found by looking first.
private func moveWithoutReplacing(_ path: String, _ destination: String) -> Int32 {
    var status = stat()
    guard lstat(destination, &status) != 0 else {
        errno = EEXIST
        return -1
    }
    return rename(path, destination)
}

/// The error of an output operation.
///
/// - Parameters:
///   - what: the sentence's verb, "cannot be created"
///   - code: the system's error number
///   - needed: bytes that were still to be written
package func outputFailed(_ path: String, _ what: String, _ code: Int32, needed: Int? = nil) -> UserError {
    let mend: String
    switch code {
    case ENOSPC, EDQUOT:
        let need = needed.map { "\($0) bytes more are needed" } ?? "more space is needed"
        let free = freeBytes(around: path).map { ", \($0) are free" } ?? ""
        mend = "\(need)\(free); make room or choose another output folder"
    case EACCES, EPERM: mend = "give this user the right to write there or choose another output folder"
    case EROFS: mend = "choose an output folder on a file system that can be written"
    case EEXIST, ENOTEMPTY: mend = "something of that name exists; move it away or choose another output folder"
    case ENOENT, ENOTDIR: mend = "create the folder first"
    case ELOOP: mend = "a symbolic link stands there; remove it"
    default: mend = "check the disk and the path"
    }
    return UserError(.output, path, "\(what): \(errorText(code)); \(mend)")
}

/// Number of bytes that this user can still write on the file system of `path`, or of the folder that holds it.
private func freeBytes(around path: String) -> Int? {
    var status = statvfs()
    guard statvfs(path, &status) == 0 || statvfs(parentFolder(of: path), &status) == 0 else { return nil }
    return Int(clamping: UInt64(status.f_bavail).multipliedReportingOverflow(by: UInt64(status.f_frsize)).partialValue)
}

/// The folder that holds the last part of `path`.
func parentFolder(of path: String) -> String {
    let parent = (path as NSString).deletingLastPathComponent
    return parent.isEmpty ? "." : parent
}
