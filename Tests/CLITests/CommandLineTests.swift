// What the parser answers: help, version, completions, faults. Once, whatever the number of ranks.

import Foundation
import Support
import Testing

@Suite(.serialized) struct CommandLineTests {
    @Test(arguments: ["train", "embed", "evaluate", "inspect", "verify-gradients"]) func helpShowsAnExample(command: String) throws {
        let text = try expectSuccess([command, "--help"]).standardOutput
        #expect(text.contains("shoal \(command) "))
        #expect(text.contains("\n  ") && text.contains("OPTIONS:"))
    }

    @Test(arguments: [[], ["--help"], ["help"]]) func shoalByItselfListsItsCommands(arguments: [String]) throws {
        let text = try expectSuccess(arguments).standardOutput
        for command in ["train", "embed", "evaluate", "inspect", "verify-gradients"] { #expect(text.contains("\n  \(command) ")) }
    }

    @Test func helpIsPrintedOnce() throws {
        let alone = try expectSuccess(["embed", "--help"])
        let launched = try expectSuccess(["embed", "--help"], ranks: 2)
        #expect(launched.standardOutput == alone.standardOutput)
    }

    @Test func saysItsVersion() throws {
        #expect(try expectSuccess(["--version"]).standardOutput == "0.1.0\n")
    }

    @Test(arguments: ["bash", "zsh", "fish"]) func completionScriptKnowsTheFlags(shell: String) throws {
        let script = try expectSuccess(["--generate-completion-script", shell]).standardOutput
        #expect(script.contains("truncate-dim") && script.contains("verify-gradients"))
    }

    @Test(arguments: [nil, 2]) func unknownFlagIsOneSentence(ranks: Int?) throws {
        try expectFailure(
            64, ["inspect", "--verfy", "x"], ranks: ranks, "Unknown option '--verfy'", "'--verify'", "(see shoal inspect --help)")
    }

    @Test func unknownCommandIsUsage() throws {
        try expectFailure(64, ["trian"], "trian", "(see shoal --help)")
    }

    @Test func missingFlagIsNamed() throws {
        try expectFailure(64, ["embed", "--task", "code"], "--model", "(see shoal embed --help)")
    }
}
