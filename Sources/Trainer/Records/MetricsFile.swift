// A file of JSON lines that grows by one line an event. RunLog decides what the lines say.
// A line is one write to the system, so that a crash of the process loses or tears at most the last one.

import Files
import Foundation

/// metrics.jsonl, open for appending. Closed when it is let go.
final class MetricsFile {
    let path: String
    private let descriptor: Int32

    /// Starts an empty file, in the place of an older one.
    ///
    /// - Throws: `UserError` `.output`
    static func create(_ path: String) throws(UserError) -> MetricsFile {
        try AtomicWrite.write([], to: path)
        return try MetricsFile(appendingTo: path)
    }

    /// - Throws: `UserError` `.output`
    init(appendingTo path: String) throws(UserError) {
        self.path = path
        descriptor = open(path, O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0o666)
        guard descriptor >= 0 else { throw outputFailed(path, "cannot be opened", errno) }
    }

    deinit { close(descriptor) }

    /// - Parameter isDurable: whether the line, and all before it, must survive a power cut
    /// - Throws: `UserError` `.output`; the line may then be torn
    func append(_ event: JSONValue, isDurable: Bool) throws(UserError) {
        var line = event.serialized(pretty: false) + [UInt8(ascii: "\n")]
        while !line.isEmpty {
            let count = write(descriptor, line, line.count)
            if count > 0 {
                line.removeFirst(count)
            } else if count == 0 || errno != EINTR {
                throw outputFailed(path, "cannot be written", count == 0 ? EIO : errno, needed: line.count)
            }
        }
        if isDurable { try sync() }
    }

    private func sync() throws(UserError) {
        while fsync(descriptor) != 0 {
            let code = errno
            if code == EINVAL { return }  // A device or pipe has nothing to sync.
            guard code == EINTR else { throw outputFailed(path, "cannot be synced to disk", code) }
        }
    }

    /// Removes the events after a step, all ends, and a torn last line. The file is replaced as a whole, and only when that
    /// changes it. A missing file stays missing.
    ///
    /// - Parameter kept: gets the events that stay
    /// - Throws: `UserError` `.content` for a line, other than the last, that is no event; `.output`
    static func cut(_ path: String, after step: Int, kept body: (JSONValue) -> Void) throws(UserError) {
        guard FileManager.default.fileExists(atPath: path) else { return }
        let file = try TextFile(path: path)
        defer { withExtendedLifetime(file) {} }
        var kept: [UInt8] = []
        for line in file.lines.indices {
            guard let event = try event(file, line) else { continue }
            let isEnd = event["event"]?.stringValue == "end"
            if isEnd || (event["step"]?.integerValue ?? 0) > step { continue }
            kept += Array(file.line(line)) + [UInt8(ascii: "\n")]
            body(event)
        }
        if !kept.elementsEqual(file.bytes) { try AtomicWrite.write(kept, to: path) }
    }

    /// The event of a line; nil for a blank line and a torn last one.
    private static func event(_ file: TextFile, _ line: Int) throws(UserError) -> JSONValue? {
        guard file.line(line).contains(where: { $0 != UInt8(ascii: " ") }) else { return nil }
        do throws(UserError) {
            let event = try JSONValue.parse(file.line(line), path: file.path, firstLine: line + 1)
            guard event.objectValue != nil else {
                throw UserError(.content, file.path, line: line + 1, "the line holds \(event.kind), where an event is expected")
            }
            return event
        } catch {
            if line == file.lines.count - 1 { return nil }
            throw UserError(
                error.code, error.path, line: error.line, column: error.column,
                "\(error.message); mend the line, or move the file away to start a new record")
        }
    }
}
