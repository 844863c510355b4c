// `shoal embed`: texts and images to embeddings in a file.

import ArgumentParser
import Model

struct EmbedCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "embed",
        abstract: "Embeds texts and images: one unit vector each, or one for each token.",
        discussion: """
            Examples:

              shoal embed --model examples/jina-tiny --task retrieval \\
                --texts "how do whales sleep" --output question.npy
              shoal embed --model jina-embeddings-v4 --adapter outputs/run \\
                --task code --prompt passage --text-file functions.jsonl \\
                --truncate-dim 256 --output functions.safetensors
              mpirun -n 4 --bind-to none shoal embed --model jina-embeddings-v4 \\
                --task text-matching --text-file sentences.txt --output sentences.jsonl
              shoal embed --model jina-embeddings-v4 --task retrieval \\
                --image-dir pages --max-pixels 200704 --output pages.npy

            One row an input: --texts first, then --text-file, --images and the images of --image-dir, the folder's by name, the \
            others in their order; any number of ranks gives the same bytes. .npy: float32 [inputs, width]. .safetensors: one tensor \
            "embeddings". .jsonl: a line an input with text, task, prompt and embedding, or image, task and embedding. With \
            --multi-vector, .safetensors alone: tensors "0", "1", ... float32 [tokens, width], one an input in the same order.

            Images are JPEG, PNG or WebP, whatever their names. They have no prompt: --prompt is for texts.

            A text file is JSON lines, {"text": "...", "task": "code", "prompt": "passage"}, task and prompt where they differ \
            from the flags, when it is named .jsonl, or a table (.csv, .tsv, .json, .parquet) with these columns; else it has one \
            text a line.
            """)

    @OptionGroup var options: ModelOptions

    @Option(help: ArgumentHelp("Which adapter embeds: retrieval, text-matching, code, or what else the model names.", valueName: "task"))
    var task: String

    @Option(
        help: ArgumentHelp(
            "What stands before the texts: query or passage, the words that the adapter was trained with; none; or a text, such as \"Question: \". Default: query.",
            valueName: "prompt"), transform: Prompt.argument)
    var prompt: Prompt = .query

    @Option(parsing: .upToNextOption, help: ArgumentHelp("Texts, each quoted.", valueName: "text"))
    var texts: [String] = []

    @Option(help: ArgumentHelp("A file of texts, plain or .gz.", valueName: "file"), completion: .file())
    var textFile: String?

    @Option(parsing: .upToNextOption, help: ArgumentHelp("Image files.", valueName: "file"), completion: .file())
    var images: [String] = []

    @Option(
        help: ArgumentHelp("A folder whose image files are embedded, without those of folders in it.", valueName: "folder"),
        completion: .directory)
    var imageDir: String?

    @Option(
        help: ArgumentHelp(
            "Keep this many values of each vector, one of the model's Matryoshka widths, normalised again.", valueName: "width"))
    var truncateDim: Int?

    @Flag(
        help: ArgumentHelp(
            "One unit vector a token, for late interaction, prompt included. Needs a projector: the backbone's, or one saved with the adapter."
        ))
    var multiVector = false

    @Option(
        help: ArgumentHelp("Where the embeddings go: a name that ends in .npy, .jsonl or .safetensors.", valueName: "file"),
        completion: .file())
    var output: String

    func validate() throws {
        if texts.isEmpty && textFile == nil && images.isEmpty && imageDir == nil {
            throw ValidationError("there is nothing to embed; add --texts, --text-file, --images or --image-dir")
        }
        if multiVector && truncateDim != nil {
            throw ValidationError(
                "--truncate-dim cuts single vectors and --multi-vector makes token vectors, which have one width; leave one out")
        }
    }

    func run() throws {
        runOnAllRanks { world, console in
            let job = EmbeddingJob(
                model: options.choice, task: task, prompt: prompt, texts: texts, textFile: textFile, images: images,
                imageFolder: imageDir, dimension: truncateDim, isMultiVector: multiVector,
                output: try EmbeddingFile(path: output, isMultiVector: multiVector))
            try job.run(world, console)
            return 0
        }
    }
}
