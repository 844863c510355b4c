// `shoal inspect`: what a checkpoint, adapter, run or data file holds.

import ArgumentParser

struct InspectCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "inspect",
        abstract: "Says what a model, adapter, run, checkpoint or data file holds.",
        discussion: """
            Examples:

              shoal inspect jina-embeddings-v4 --verify
              shoal inspect outputs/run
              shoal inspect outputs/run/checkpoints/step-100 --verify
              shoal inspect examples/python-stdlib/train.jsonl.gz \\
                --model examples/jina-tiny

            What it is follows from what is there: a model (config.json and safetensors), adapters (adapter_config.json), a run \
            (run.json), a checkpoint (MANIFEST.json), a dataset in BEIR's layout, a file of rows (JSON lines or a table), or any \
            .safetensors file. Data are read to the last row; bad rows are counted, and the first ten named (exit code 65).
            """)

    @Argument(help: ArgumentHelp("A file or folder.", valueName: "path"), completion: .file())
    var path: String

    @Option(
        help: ArgumentHelp(
            "Measure texts in tokens of this model's tokenizer, and hold adapters against its shape.", valueName: "folder"),
        completion: .directory)
    var model: String?

    @Flag(help: "Read every byte: SHA-256 of weights and data, checkpoints held against their manifests.")
    var verify = false

    func run() throws {
        runOnAllRanks { world, _ in
            let inspection = try Inspector(modelFolder: model, verifies: verify).inspect(path, world)
            if let inspection { print(inspection.text, terminator: "") }
            try world.together { () -> Void in
                if let fault = inspection?.fault { throw fault }
            }
            return 0
        }
    }
}
