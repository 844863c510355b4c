// The door: what must happen before anything else in the process, then the command.

import ArgumentParser
import CProcessor
import Comm
import Files
@preconcurrency import Glibc
import Tensor
import Trainer

@main
struct Main {
    static func main() {
        requireProcessor()
        ProcessEnvironment.prepare()
        do {
            var command = try Shoal.parseAsRoot()
            try command.run()
        } catch {
            answer(error)
        }
    }

    /// Answers what the parser settles itself: help, version and completions on stdout; faults of the command line on stderr, in one line.
    /// Every rank has parsed the same line, and rank 0 speaks for all.
    private static func answer(_ error: any Error) -> Never {
        let text = Shoal.message(for: error)
        let code = Shoal.exitCode(for: error)
        runOnAllRanks { world, _ in
            guard code != .success else {
                if world.rank == 0 { print(text) }
                return 0
            }
            let names = Shoal.configuration.subcommands.compactMap { $0.configuration.commandName }
            let command = CommandLine.arguments.dropFirst().first.flatMap { names.contains($0) ? " " + $0 : nil } ?? ""
            throw usageError("\(text.split(whereSeparator: \.isNewline).joined(separator: " ")) (see shoal\(command) --help)")
        }
    }

    /// This file is compiled for any processor; the numeric code is not. Ends with a sentence instead of an illegal instruction.
    private static func requireProcessor() {
        let lacking = Int(Processor.required & ~processor_present())
        let missing = [
            (processor_fma, "FMA"), (processor_avx2, "AVX2"), (processor_f16c, "F16C"), (processor_avx512, "AVX-512"),
            (processor_avx512_bf16, "AVX512-BF16"),
        ].filter { lacking & $0.0 != 0 }.map { $0.1 }
        guard !missing.isEmpty else { return }
        let sentence =
            "shoal: this program was compiled for a processor with \(missing.joined(separator: ", ")), which this one lacks; build it with SHOAL_CPU=x86-64-v3 make build"
        fputs(sentence + "\n", stderr)
        exit(UserError.Code.configuration.rawValue)
    }
}

struct Shoal: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "shoal",
        abstract: "Fine-tunes Jina Embeddings V4 with contrastive losses, on one rank or many.",
        discussion: """
            Every command runs alone or under mpirun:

              shoal train --config project_config.yaml
              mpirun -n 4 --bind-to none shoal train --config project_config.yaml
              shoal embed --model examples/jina-tiny --task retrieval \\
                --texts "a question" --output question.npy

            Results go to stdout or the named file, everything else to stderr. Exit codes: 64 command line, 65 content of a \
            file, 66 missing file, 70 failed check, 71 ranks diverged, 72 numbers not finite, 73 output, 74 reading failed, 75 stopped \
            with a checkpoint, 78 configuration.

            Shell completions: shoal --generate-completion-script bash|zsh|fish
            """,
        version: Versions.shoal,
        subcommands: [
            TrainCommand.self, EmbedCommand.self, EvaluateCommand.self, InspectCommand.self, PreprocessCommand.self,
            VerifyGradientsCommand.self,
        ])
}
