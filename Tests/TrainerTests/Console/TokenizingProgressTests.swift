// Tokenizing shows itself when it takes long.

import Testing

@testable import Trainer

@Suite struct TokenizingProgressTests {
    @Test func aLineEveryFiveSecondsAndAtTheEnd() {
        let text = ConsoleText()
        var clock = 100.0
        let progress = TokenizingProgress(text.console(bar: false), now: { clock })
        let calls = [(101.0, "quick", 50), (103, "a", 100), (106, "a", 500), (107, "a", 600), (112, "a", 900), (113, "a", 1000)]
        for (moment, path, rows) in calls {
            clock = moment
            progress.show(path, rows: rows, of: path == "quick" ? 50 : 1000)
        }
        #expect(
            text.lines == [
                "tokenizing a · 500 of 1,000 rows · 100 rows/s · 5 s left",
                "tokenizing a · 900 of 1,000 rows · 81 rows/s · 1 s left",
                "tokenizing a · 1,000 of 1,000 rows · 83 rows/s · 12 s",
            ])
    }
}
