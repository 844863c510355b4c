// Files and folders that appear whole or not at all, whatever happens while they are written, and stay after a power cut.
// Order: write aside, sync the content, rename, sync the folder that holds the name.

import Foundation

/// Replaces files, and removes folders, in one step.
package enum AtomicWrite {
    /// Writes a file, in the place of an older one if there is one.
    /// - Throws: `UserError` `.output`; an older file is then untouched
    @discardableResult
    package static func write(
        _ bytes: some Collection<UInt8>, to path: String, operations: FileOperations = .system
    ) throws(UserError) -> OutputFile.Summary {
        let bytes = Array(bytes)
        return try replace(path, expectedSize: bytes.count, operations: operations) { (file) throws(UserError) in try file.write(bytes) }
    }

    /// Writes a file piece by piece, in the place of an older one if there is one.
    /// - Parameter expectedSize: bytes that will be written, for the message when the disk is full
    /// - Throws: `UserError` `.output`, and what `body` throws; an older file is then untouched
    @discardableResult
    package static func replace(
        _ path: String, expectedSize: Int, operations: FileOperations = .system, _ body: (inout OutputFile) throws(UserError) -> Void
    ) throws(UserError) -> OutputFile.Summary {
        var pending = try PendingFile(destination: path, expectedSize: expectedSize, operations: operations)
        try body(&pending.file)
        return try pending.commit()
    }

    /// Proves, before the work that leads to it, that a file can be written, by starting one beside it.
    /// - Throws: `UserError` `.output`, also when there is a folder of that name
    package static func requireWritable(_ path: String) throws(UserError) {
        var status = stat()
        if stat(path, &status) == 0, status.st_mode & S_IFMT == S_IFDIR {
            throw UserError(.output, path, "is a folder where a file is to be written; name a file")
        }
        do { _ = try OutputFile(creating: temporaryName(for: path), expectedSize: 0) } catch {
            throw UserError(error.code, path, error.message)
        }
    }

    /// Removes a folder and what it holds. It loses its name first, so that nobody finds it half empty.
    /// - Throws: `UserError` `.output`
    package static func removeFolder(_ path: String, operations: FileOperations = .system) throws(UserError) {
        let parent = parentFolder(of: path)
        let trash = parent + "/.trash-" + UUID().uuidString.lowercased()
        guard operations.move(path, trash) == 0 else { throw outputFailed(path, "cannot be removed", errno) }
        try operations.syncFolder(parent)
        do { try FileManager.default.removeItem(atPath: trash) } catch {
            throw UserError(.output, trash, "cannot be removed: \(error.localizedDescription); remove it by hand")
        }
    }

    /// A name beside `path` that nobody else uses.
    package static func temporaryName(for path: String) -> String { path + ".tmp-" + UUID().uuidString.lowercased() }
}

/// A file under a temporary name that takes its place, and that of an older one, once it is whole.
///
///     var file = try PendingFile(destination: "embeddings.safetensors", expectedSize: bytes)
///     try file.write(header)
///     try file.commit()
///
/// Dropped without `commit()`, it is removed.
package struct PendingFile: ~Copyable {
    fileprivate var file: OutputFile
    private let destination: String
    private let operations: FileOperations

    /// Begins a file under a temporary name beside `destination`.
    /// - Parameter expectedSize: bytes that will be written, for the message when the disk is full
    /// - Throws: `UserError` `.output`
    package init(destination: String, expectedSize: Int, operations: FileOperations = .system) throws(UserError) {
        self.destination = destination
        self.operations = operations
        file = try OutputFile(
            creating: AtomicWrite.temporaryName(for: destination), expectedSize: expectedSize, operations: operations)
    }

    /// Appends bytes to the file.
    /// - Throws: `UserError` `.output`; an older file is then untouched
    package mutating func write(_ bytes: UnsafeRawBufferPointer) throws(UserError) { try file.write(bytes) }

    /// Writes bytes that something else holds.
    ///
    /// - Throws: `UserError` `.output`
    package mutating func write(_ bytes: RawSpan) throws(UserError) { try file.write(bytes) }

    /// Appends bytes to the file in the making. Throws `UserError` `.output`.
    package mutating func write(_ bytes: [UInt8]) throws(UserError) { try file.write(bytes) }

    /// Gives the file its name.
    /// - Throws: `UserError` `.output`; an older file is then untouched
    @discardableResult
    package consuming func commit() throws(UserError) -> OutputFile.Summary {
        let aside = file.path
        let summary = try file.finish()
        guard operations.replace(aside, destination) == 0 else {
            let code = errno
            unlink(aside)
            throw outputFailed(destination, "cannot be replaced by the new file", code)
        }
        try operations.syncFolder(parentFolder(of: destination))
        return summary
    }
}

/// A folder under a temporary name that takes its place as a whole: a checkpoint.
///
///     let folder = try PendingFolder(destination: "checkpoints/step-100")
///     let summary = try folder.write(bytes, to: "state.json")
///     try folder.commit()
///
/// Dropped without `commit()`, it is removed. After a crash it stays, with `.tmp-` in its name.
package struct PendingFolder: ~Copyable {
    /// Path of the folder under its temporary name, while its files are written.
    package let path: String
    private let destination: String
    private let operations: FileOperations
    private var isMoved = false

    /// Creates a folder under a temporary name beside `destination`.
    /// - Parameter destination: must not exist; its parent must
    /// - Throws: `UserError` `.output`
    package init(destination: String, operations: FileOperations = .system) throws(UserError) {
        self.destination = destination
        self.operations = operations
        path = AtomicWrite.temporaryName(for: destination)
        guard operations.makeFolder(path, 0o700) == 0 else {
            isMoved = true  // there is nothing to remove
            throw outputFailed(path, "cannot be created", errno)
        }
    }

    deinit { if !isMoved { try? FileManager.default.removeItem(atPath: path) } }

    /// Begins a file in this folder; it counts once it is finished.
    /// - Parameters:
    ///   - name: name of the file, without folders
    ///   - expectedSize: bytes that will be written, for the message when the disk is full
    /// - Throws: `UserError` `.output`
    package func createFile(_ name: String, expectedSize: Int) throws(UserError) -> OutputFile {
        precondition(!name.utf8.contains(UInt8(ascii: "/")) && !name.isEmpty, "createFile: \(name) is no plain name")
        return try OutputFile(creating: path + "/" + name, expectedSize: expectedSize, operations: operations)
    }

    /// Writes a file of the folder in one go, and tells its size and hash. Throws `UserError` `.output`.
    @discardableResult
    package func write(_ bytes: [UInt8], to name: String) throws(UserError) -> OutputFile.Summary {
        var file = try createFile(name, expectedSize: bytes.count)
        try file.write(bytes)
        return try file.finish()
    }

    /// Gives the folder its name.
    /// - Throws: `UserError` `.output`, also when something has that name already
    package consuming func commit() throws(UserError) {
        try operations.syncFolder(path)
        guard operations.move(path, destination) == 0 else { throw outputFailed(destination, "cannot be put in its place", errno) }
        isMoved = true
        try operations.syncFolder(parentFolder(of: destination))
    }
}
