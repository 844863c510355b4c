// `shoal evaluate`: retrieval figures of a model, as a table and in files.

import ArgumentParser
import Comm
import Model
import Trainer

struct EvaluateCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "evaluate",
        abstract: "Measures retrieval: nDCG@10, Recall@1, 5 and 10, MRR@10 at every Matryoshka width.",
        discussion: """
            Examples:

              shoal evaluate --model examples/jina-tiny --task code \\
                --retrieval examples/python-stdlib/test --output before.json
              mpirun -n 2 --bind-to none shoal evaluate --model examples/jina-tiny \\
                --adapter outputs/demo --task code \\
                --retrieval examples/python-stdlib/test --compare before.json

            A dataset is a folder in BEIR's layout: corpus.jsonl, queries.jsonl (either may be .gz) and qrels/test.tsv. The table \
            goes to stdout. Any number of ranks gives the same figures.

            --multi-vector compares the token vectors of query and document: for each token of the query the largest dot product with \
            a token of the document, added up (MaxSim).

            --save-run writes the 100 best documents of each query in TREC's format: into the named file itself for one dataset \
            and one width, else into one file for each, run-DATASET-WIDTH.trec for run.trec.
            """)

    @OptionGroup var options: ModelOptions

    @Option(
        parsing: .upToNextOption, help: ArgumentHelp("Datasets, folders in BEIR's layout.", valueName: "folder"), completion: .directory)
    var retrieval: [String] = []

    @Option(help: ArgumentHelp("Which adapter embeds: retrieval, text-matching, code, or what else the model names.", valueName: "task"))
    var task = "retrieval"

    @Option(help: ArgumentHelp("Matryoshka widths to compare, such as 128,256. Default: all of the model's.", valueName: "widths"))
    var dims: Widths?

    @Flag(
        help: ArgumentHelp(
            "Compare token vectors by late interaction instead of single vectors. Needs a projector: the backbone's, or one saved with the adapter."
        ))
    var multiVector = false

    @Option(
        help: ArgumentHelp(
            "What stands before queries: none, query, passage or a text. Default: what the adapter was trained with.", valueName: "prompt"),
        transform: Prompt.argument)
    var queryPrompt: Prompt?

    @Option(help: ArgumentHelp("The same for documents.", valueName: "prompt"), transform: Prompt.argument)
    var passagePrompt: Prompt?

    @Option(help: ArgumentHelp("Where the results go, JSON.", valueName: "file"), completion: .file())
    var output: String?

    @Option(help: ArgumentHelp("Where the rankings go, TREC's format.", valueName: "file"), completion: .file())
    var saveRun: String?

    @Option(
        help: ArgumentHelp(
            "Results of an earlier evaluation (--output): the table then shows before, after and difference.", valueName: "file"),
        completion: .file())
    var compare: String?

    func validate() throws {
        if retrieval.isEmpty { throw ValidationError("there is nothing to evaluate on; add --retrieval FOLDER") }
        if let output, output == saveRun { throw ValidationError("--output and --save-run name the same file; name two") }
        if multiVector && dims != nil {
            throw ValidationError(
                "--dims cuts single vectors and --multi-vector compares token vectors, which have one width; leave one out")
        }
    }

    func run() throws {
        runOnAllRanks { world, console in
            let job = EvaluationJob(
                model: options.choice, folders: retrieval, task: task, dimensions: dims?.values, isMultiVector: multiVector,
                output: output, runFile: saveRun, comparison: compare, queryPrompt: queryPrompt, passagePrompt: passagePrompt)
            let table = try job.run(world, console)
            if world.rank == 0 { print(table.text, terminator: "") }
            return 0
        }
    }
}

/// Whole numbers with commas between, ascending.
struct Widths: ExpressibleByArgument {
    let values: [Int]

    init?(argument: String) {
        let numbers = argument.split(separator: ",", omittingEmptySubsequences: false).map { Int($0) }
        guard numbers.allSatisfy({ $0.map { $0 > 0 } ?? false }) else { return nil }
        values = Set(numbers.compactMap(\.self)).sorted()
    }
}
