// How far training rows are tokenized, as lines on the terminal: large files take minutes, the first time.

import Files

/// Shows nothing of what takes a few seconds.
///
///     let progress = TokenizingProgress(console)
///     progress.show("train.jsonl", rows: 120_000, of: 1_000_000)
final class TokenizingProgress {
    /// Seconds before the first line, and between lines.
    static let interval = 5.0

    private let console: Console?
    private let now: () -> Double
    /// When the present file was begun, something was last done, and the last line written.
    private var (start, last, line): (Double, Double, Double)
    private var path = ""

    /// - Parameters:
    ///   - console: nil shows nothing
    ///   - now: seconds since any moment, never going back
    init(_ console: Console?, now: @escaping () -> Double = secondsOfUptime) {
        self.console = console
        self.now = now
        let moment = now()
        (start, last, line) = (moment, moment, moment)
    }

    /// - Parameters:
    ///   - rows: done
    ///   - total: of the file
    func show(_ path: String, rows: Int, of total: Int) {
        let moment = now()
        if path != self.path { (self.path, start) = (path, last) }
        last = moment
        guard moment - line >= Self.interval || rows == total && moment - start >= Self.interval else { return }
        let seconds = max(moment - start, 1e-3)
        let speed = Double(rows) / seconds
        let parts = [
            "tokenizing \(path)", "\(Figures.count(rows)) of \(Figures.count(total, "row"))", "\(Figures.count(Int(speed))) rows/s",
            rows < total ? "\(Figures.duration(Double(total - rows) / speed)) left" : Figures.duration(seconds),
        ]
        console?.write(line: parts.joined(separator: " · "))
        line = moment
    }
}
