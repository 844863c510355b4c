// Everything that Shoal says while it works goes to stderr, from rank 0, through here; results go to stdout.

import Files
import Foundation

/// Messages for the person who started the run. On ranks other than 0 they are dropped.
package struct Console: Sendable {
    package let terminal: Terminal
    private let output: @Sendable (String) -> Void

    package init(rank: Int, terminal: Terminal = .current) {
        self.init(terminal: terminal) { if rank == 0 { Self.writeToStandardError($0) } }
    }

    init(terminal: Terminal, output: @escaping @Sendable (String) -> Void) {
        self.terminal = terminal
        self.output = output
    }

    /// - Parameter line: without its newline
    package func write(line: String) { output(line + "\n") }

    /// As it stands.
    package func write(_ text: String) { output(text) }

    package func notice(_ sentence: String) { write(line: "notice: \(sentence)") }

    package func warning(_ sentence: String) { write(line: "\(terminal.yellow("warning:")) \(sentence)") }

    /// A message that cannot be shown is no reason to stop.
    private static func writeToStandardError(_ text: String) {
        var bytes = Array(text.utf8)[...]
        while !bytes.isEmpty {
            let count = bytes.withUnsafeBytes { Foundation.write(STDERR_FILENO, $0.baseAddress, $0.count) }
            guard count > 0 || (count < 0 && errno == EINTR) else { return }
            bytes = bytes.dropFirst(max(count, 0))
        }
    }
}

extension UserError {
    /// `shoal: PATH:LINE:COLUMN: sentence`, one line whatever the file's name or content holds.
    package var lineForUser: String {
        var text = String.UnicodeScalarView()
        for scalar in "shoal: \(description)".unicodeScalars {
            let isControl = scalar.value < 0x20 || (0x7F..<0xA0).contains(scalar.value) || [0x2028, 0x2029].contains(scalar.value)
            text.append(isControl ? "\u{FFFD}" : scalar)
        }
        return String(text)
    }
}
