// What a user can mend: the one error type of the layers from Tensor to Trainer. Programmer's mistakes trap instead.

/// A fault in the user's files, configuration, command line or machine.
///
/// Shown once, as `shoal: PATH:LINE:COLUMN: message`; the process ends with `code`.
package struct UserError: Error, Equatable, CustomStringConvertible {
    /// Exit status, after BSD's sysexits(3) where one fits.
    package enum Code: Int32, Sendable {
        /// The command line cannot be understood.
        case usage = 64
        /// A file was read and its content is wrong: a row, a tensor, a tokenizer.
        case content = 65
        /// A file or folder is missing or unreadable.
        case missing = 66
        /// A check of Shoal's own work failed.
        case broken = 70
        /// The ranks hold different values where they must hold the same.
        case diverged = 71
        /// A loss or gradient is not finite or out of range.
        case notFinite = 72
        /// Output cannot be written.
        case output = 73
        /// Reading failed half-way: a device or network fault.
        case inputOutput = 74
        /// Stopped on request, with a checkpoint.
        case stopped = 75
        /// The configuration is invalid, contradicts itself, or differs between ranks or hosts.
        case configuration = 78
    }

    /// The exit code of the process, and the kind of fault.
    package let code: Code
    /// The file with the fault, or `--set key`, or nil when the fault has no place.
    package let path: String?
    /// The line of the fault, counted from 1; nil when it is in no line.
    package let line: Int?
    /// The column of the fault, counted from 1 in characters; nil when it has none.
    package let column: Int?
    /// The fault in one sentence: what was found, what was expected, what mends it.
    package let message: String

    /// Creates a fault without a place.
    package init(_ code: Code, _ message: String) { self.init(code, nil, message) }

    /// Creates an error at a place, as far as it is known; line and column are counted from 1.
    package init(_ code: Code, _ path: String?, line: Int? = nil, column: Int? = nil, _ message: String) {
        self.code = code
        self.path = path
        self.line = line
        self.column = column
        self.message = message
    }

    /// `path:line:column: message`, as far as there is a place.
    package var description: String {
        let place = [path, line.map(String.init), column.map(String.init)].compactMap { $0 }.joined(separator: ":")
        return place.isEmpty ? message : "\(place): \(message)"
    }
}
