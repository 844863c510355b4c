// `shoal evaluate`: retrieval figures of a model, as a table and in files.

import ArgumentParser
import Comm
import Data
import Evaluation
import Model
import Trainer

struct EvaluateCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "evaluate",
        abstract: "Measures retrieval: nDCG, Recall, Precision, MAP and MRR at every Matryoshka width.",
        discussion: """
            Examples:

              shoal evaluate --model examples/jina-tiny --task code \\
                --retrieval examples/python-stdlib/test --output before.json
              mpirun -n 2 --bind-to none shoal evaluate --model examples/jina-tiny \\
                --adapter outputs/demo --task code \\
                --retrieval examples/python-stdlib/test --compare before.json
              shoal evaluate --model examples/jina-tiny --task retrieval \\
                --retrieval scifact nfcorpus --split dev --metrics ndcg@10,recall@100
              shoal evaluate --model examples/jina-tiny --task retrieval \\
                --retrieval pairs.jsonl --save-run run.trec

            A dataset is a folder in BEIR's layout, corpus.jsonl, queries.jsonl and qrels/test.tsv, or of the tables that MTEB \
            publishes, or a file of pairs, whose anchors look for their positives. The table goes to stdout; --output holds every \
            metric. Any number of ranks gives the same figures, and they are trec_eval's.

            --multi-vector compares the token vectors of query and document: for each token of the query the largest dot product with \
            a token of the document, added up (MaxSim).

            --save-run writes the 100 best documents of each query in TREC's format: into the named file itself for one dataset \
            and one width, else into one file for each, run-DATASET-WIDTH.trec for run.trec.
            """)

    @OptionGroup var options: ModelOptions

    @Option(
        parsing: .upToNextOption, help: ArgumentHelp("Datasets: folders in BEIR's layout, or files of pairs.", valueName: "path"),
        completion: .file())
    var retrieval: [String] = []

    @Option(help: ArgumentHelp("Which adapter embeds: retrieval, text-matching, code, or what else the model names.", valueName: "task"))
    var task = "retrieval"

    @Option(help: ArgumentHelp("Which judgements of the folders: qrels/NAME.tsv. Default: test, or the only ones.", valueName: "name"))
    var split: String?

    @Flag(
        help: ArgumentHelp(
            "Rank a document with the query's own id even where it is the query itself, as in ArguAna; or leave it out whatever it says."))
    var ownDocument: OwnDocumentFlag?

    @Option(help: ArgumentHelp("Matryoshka widths to compare, such as 128,256. Default: all of the model's.", valueName: "widths"))
    var dims: Widths?

    @Flag(
        help: ArgumentHelp(
            "Compare token vectors by late interaction instead of single vectors. Needs a projector: the backbone's, or one saved with the adapter."
        ))
    var multiVector = false

    @Option(
        help: ArgumentHelp(
            "Columns of the table, such as ndcg@10,recall@100, or all: ndcg, recall, precision and mrr at 1, 3, 5, 10, 100, and map@100.",
            valueName: "metrics"))
    var metrics: MetricNames?

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
                model: options.choice, sets: retrieval, task: task, split: split, own: ownDocument?.rule ?? .automatic,
                dimensions: dims?.values, isMultiVector: multiVector, metrics: metrics?.values ?? RetrievalMetric.usual, output: output,
                runFile: saveRun, comparison: compare, queryPrompt: queryPrompt, passagePrompt: passagePrompt)
            let table = try job.run(world, console)
            if world.rank == 0 { print(table.text, terminator: "") }
            return 0
        }
    }
}

/// What becomes of a document with the id of the query, where that is not to follow from what it says.
enum OwnDocumentFlag: String, EnumerableFlag {
    case keepOwnId, dropOwnId

    var rule: BeirDataset.OwnDocument { self == .keepOwnId ? .keep : .drop }
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

/// Names of metrics with commas between, or `all`.
struct MetricNames: ExpressibleByArgument {
    let values: [RetrievalMetric]

    init?(argument: String) {
        let metrics = argument.split(separator: ",", omittingEmptySubsequences: false).map { RetrievalMetric(String($0)) }
        guard argument == "all" || metrics.allSatisfy({ $0 != nil }) else { return nil }
        values = argument == "all" ? RetrievalMetric.all : metrics.compactMap(\.self)
    }
}
