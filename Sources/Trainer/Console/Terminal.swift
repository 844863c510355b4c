// What stderr is: whether a line can be rewritten in place, whether colours are welcome, how wide it is.
//
// Under mpirun each rank's stderr may be a pseudo-terminal of its own whose other end is a pipe or a file, so that isatty is
// true for what is none: a launched run has a bar only when SHOAL_PROGRESS asks for it.

import Comm
import Foundation

/// The terminal on stderr, if it is one.
package struct Terminal: Sendable, Equatable {
    /// Whether progress is a bar that moves. Else it is plain lines.
    package let showsBar: Bool
    package let isColoured: Bool
    /// COLUMNS, when set.
    private let fixedWidth: Int?

    /// - Parameters:
    ///   - environment: `SHOAL_PROGRESS` is `bar` or `lines` and decides; `NO_COLOR`, when not empty, does what it says
    ///   - isLaunched: by mpirun or its like
    package init(environment: [String: String], isTerminal: Bool, isLaunched: Bool) {
        let isReal = isTerminal && !isLaunched && environment["TERM"] != "dumb"
        switch environment["SHOAL_PROGRESS"] {
        case "bar": showsBar = true
        case "lines": showsBar = false
        default: showsBar = isReal
        }
        isColoured = (isReal || showsBar) && environment["NO_COLOR", default: ""].isEmpty
        fixedWidth = environment["COLUMNS"].flatMap { Int($0) }.flatMap { $0 > 0 ? $0 : nil }
    }

    /// That of this process.
    package static var current: Terminal {
        Terminal(
            environment: ProcessInfo.processInfo.environment, isTerminal: isatty(STDERR_FILENO) == 1, isLaunched: World.isLaunched)
    }

    /// Columns now: a window may be resized.
    package var width: Int {
        if let fixedWidth { return fixedWidth }
        var size = winsize()
        let isKnown = ioctl(STDERR_FILENO, UInt(TIOCGWINSZ), &size) == 0 && size.ws_col > 0
        return isKnown ? Int(size.ws_col) : 80
    }

    func yellow(_ text: String) -> String { isColoured ? "\u{1B}[33m\(text)\u{1B}[0m" : text }

    func cyan(_ text: String) -> String { isColoured ? "\u{1B}[36m\(text)\u{1B}[0m" : text }
}
