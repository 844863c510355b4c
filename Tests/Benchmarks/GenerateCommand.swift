// A checkpoint with random weights in any shape, and pairs for it: what the other commands make for themselves.

import ArgumentParser
import Synthetic

struct GenerateCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "generate", abstract: "Makes a checkpoint of any shape with random weights, and a file of pairs.",
        discussion: """
            Prints the folder of the checkpoint and the file of pairs, a line each. The layout is the published one: bfloat16, \
            two shards above 5 GB. A checkpoint that is there already is left as it is.
            """)

    @OptionGroup var checkpoint: CheckpointOptions

    @Option(help: ArgumentHelp("Width of the decoder.", valueName: "size"))
    var hidden = 2048

    @Option(help: ArgumentHelp("Width inside the MLP.", valueName: "size"))
    var intermediate = 11008

    @Option(help: ArgumentHelp("Attention heads, a whole share of the width each.", valueName: "count"))
    var heads = 16

    @Option(help: ArgumentHelp("Heads of keys and values.", valueName: "count"))
    var keyValueHeads = 2

    @Option(help: ArgumentHelp("Rows of the embedding table.", valueName: "count"))
    var vocabulary = 151_936

    @Option(help: ArgumentHelp("Pairs in the file.", valueName: "count"))
    var pairs = 1024

    @Option(help: ArgumentHelp("Tokens of every text, instead of real lengths.", valueName: "tokens"))
    var equal: Int?

    func validate() throws {
        let sizes = [hidden, intermediate, heads, keyValueHeads, vocabulary, pairs]
        if sizes.contains(where: { $0 < 1 }) { throw ValidationError("all sizes are 1 at least") }
    }

    func run() throws {
        let shape = SyntheticShape(
            layers: checkpoint.layers ?? 4, hidden: hidden, intermediate: intermediate, heads: heads, keyValueHeads: keyValueHeads,
            vocabulary: vocabulary)
        let model = try checkpoint.model ?? checkpoint.made(shape)
        print(model)
        print(try checkpoint.pairs(pairs, equal.map { .equal($0) } ?? .logNormal, checkpoint: model))
    }
}
