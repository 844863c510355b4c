// A file that the processes of a host fill together, each at its own places: on a disk or, where none can be written, in memory.
// Convention: errors name the fault without a mend, since whoever writes such a file knows what else can be done.

import CMemoryFile
import Foundation

/// A new file open for writing at any place. Whoever reads it maps it by its path.
///
///     let file = try PlacedFile(creating: path)          // one process
///     let file = try PlacedFile(opening: path)           // the others
///     try file.write(bytes, at: 4096)
package final class PlacedFile: Sendable {
    /// The path as it was given.
    package let path: String
    private let descriptor: Int32

    private init(path: String, descriptor: Int32) {
        self.path = path
        self.descriptor = descriptor
    }

    /// Creates a file.
    ///
    /// - Parameter path: must not exist
    /// - Throws: `UserError` `.output`
    package convenience init(creating path: String, operations: FileOperations = .system) throws(UserError) {
        let descriptor = operations.create(path, 0o666)
        guard descriptor >= 0 else { throw UserError(.output, path, "cannot be created: \(errorText(errno))") }
        self.init(path: path, descriptor: descriptor)
    }

    /// Opens a file that exists already.
    /// - Throws: `UserError` `.output`
    package convenience init(opening path: String) throws(UserError) {
        let descriptor = open(path, O_WRONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw UserError(.output, path, "cannot be opened to write: \(errorText(errno))") }
        self.init(path: path, descriptor: descriptor)
    }

    /// Creates a file in memory. It is gone when the last process lets go of it: of this object, of what it was opened as, of mappings.
    ///
    /// Its path leads other processes of this user on this host to it, as long as this object lives.
    /// - Parameter name: for lists of open files
    /// - Throws: `UserError` `.output`
    package convenience init(inMemory name: String) throws(UserError) {
        let descriptor = memfd_create(name, UInt32(memory_file_close_on_exec))
        guard descriptor >= 0 else { throw UserError(.output, "a file in memory cannot be created: \(errorText(errno))") }
        self.init(path: "/proc/\(getpid())/fd/\(descriptor)", descriptor: descriptor)
    }

    deinit { close(descriptor) }

    /// Writes bytes at an offset from the start of the file. Safe from several threads.
    ///
    /// - Throws: `UserError` `.output`
    package func write(_ bytes: UnsafeRawBufferPointer, at offset: Int) throws(UserError) {
        var done = 0
        while done < bytes.count {
            let count = pwrite(descriptor, bytes.baseAddress! + done, bytes.count - done, off_t(offset + done))
            if count > 0 {
                done += count
            } else {
                let code = count < 0 ? errno : EIO  // nothing written and no reason given
                guard code == EINTR else { throw UserError(.output, path, "cannot be written: \(errorText(code))") }
            }
        }
    }

    /// Writes bytes that something else holds. Safe from several threads.
    ///
    /// - Throws: `UserError` `.output`
    package func write(_ bytes: RawSpan, at offset: Int) throws(UserError) {
        try bytes.withUnsafeBytes { (bytes) throws(UserError) in try write(bytes, at: offset) }
    }

    /// Numbers and structures of them, as they lie in memory.
    ///
    /// - Throws: `UserError` `.output`
    package func write<Element: BitwiseCopyable>(_ elements: [Element], at offset: Int) throws(UserError) {
        try elements.withUnsafeBufferPointer { (elements) throws(UserError) in
            try write(UnsafeRawBufferPointer(elements), at: offset)
        }
    }

    /// Makes what this and other processes have written durable.
    ///
    /// - Throws: `UserError` `.output`
    package func sync() throws(UserError) {
        while fsync(descriptor) != 0 {
            let code = errno
            guard code == EINTR else { throw UserError(.output, path, "cannot be synced to disk: \(errorText(code))") }
        }
    }
}
