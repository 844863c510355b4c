import Files
import Support
import Testing

@testable import Trainer

@Suite struct TerminalTests {
    private func terminal(_ environment: [String: String], isTerminal: Bool = true, isLaunched: Bool = false) -> Terminal {
        Terminal(environment: environment, isTerminal: isTerminal, isLaunched: isLaunched)
    }

    @Test func aBarNeedsATerminalThatIsOne() {
        #expect(terminal([:]).showsBar)
        #expect(!terminal([:], isTerminal: false).showsBar)
        #expect(!terminal(["TERM": "dumb"]).showsBar)
        #expect(!terminal([:], isLaunched: true).showsBar, "a rank's stderr is a pseudo-terminal under mpirun")
    }

    @Test func theEnvironmentDecides() {
        #expect(terminal(["SHOAL_PROGRESS": "bar"], isLaunched: true).showsBar)
        #expect(!terminal(["SHOAL_PROGRESS": "lines"]).showsBar)
        #expect(terminal(["SHOAL_PROGRESS": "maybe"]).showsBar)
    }

    @Test func coloursAreForTerminalsThatWantThem() {
        #expect(terminal([:]).isColoured)
        #expect(terminal(["NO_COLOR": ""]).isColoured, "an empty NO_COLOR is none: no-color.org")
        #expect(!terminal(["NO_COLOR": "1"]).isColoured)
        #expect(!terminal([:], isTerminal: false).isColoured)
        #expect(!terminal([:], isLaunched: true).isColoured)
        #expect(terminal(["NO_COLOR": "1"]).yellow("x") == "x")
        #expect(terminal([:]).yellow("x") == "\u{1B}[33mx\u{1B}[0m")
    }

    @Test func widthIsThatOfTheEnvironmentFirst() {
        #expect(terminal(["COLUMNS": "132"]).width == 132)
        #expect(terminal(["COLUMNS": "0"]).width > 0)
        #expect(terminal(["COLUMNS": "wide"]).width > 0)
    }
}

@Suite struct ConsoleTests {
    @Test func noticesAndWarnings() {
        let text = ConsoleText()
        let console = text.console(bar: false)
        console.notice("a is not used")
        console.warning("b is slow")
        #expect(text.value == "notice: a is not used\nwarning: b is slow\n")
    }

    @Test(arguments: [
        (UserError(.content, "data.jsonl", line: 3, column: 7, "is wrong"), "shoal: data.jsonl:3:7: is wrong"),
        (UserError(.missing, "model", "is missing"), "shoal: model: is missing"),
        (UserError(.configuration, "--set training.seed", "must be whole"), "shoal: --set training.seed: must be whole"),
        (UserError(.notFinite, nil, "step 3: the loss is nan"), "shoal: step 3: the loss is nan"),
        (UserError(.content, "a\nb", "\u{1B}[31m\r\n\u{85}\u{2028}é"), "shoal: a\u{FFFD}b: \u{FFFD}[31m\u{FFFD}\u{FFFD}\u{FFFD}\u{FFFD}é"),
    ])
    func errorsAreOneLine(_ error: UserError, _ line: String) {
        #expect(error.lineForUser.unicodeScalars.elementsEqual(line.unicodeScalars), "\(error.lineForUser)")
    }
}
