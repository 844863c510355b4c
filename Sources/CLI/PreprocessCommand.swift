// `shoal preprocess`: raw files in, checked rows and a report out.

import ArgumentParser
import Comm
import Files
import Preprocessing
import Trainer

extension DuplicateRule: ExpressibleByArgument {}
extension DuplicateUnit: ExpressibleByArgument {}
extension LeakRule: ExpressibleByArgument {}
extension BadRowRule: ExpressibleByArgument {}
extension EvaluationSide: ExpressibleByArgument {}

struct PreprocessCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "preprocess",
        abstract: "Makes checked rows of raw files: without duplicates, without rows of evaluation sets, split, measured.",
        discussion: """
            Examples:

              shoal preprocess 'raw/*.parquet' more.csv --output train.jsonl.gz
              shoal preprocess raw --output train.jsonl.gz \\
                --dev-output dev.jsonl.gz --dev-share 0.02 \\
                --against test --report report.json --on-bad-row skip
              mpirun -n 4 --bind-to none shoal preprocess raw \\
                --output train.jsonl.gz --model examples/jina-tiny
              shoal preprocess --config project_config.yaml

            Input is what training reads, in any format, in folders of shards or by patterns; output is JSON lines in Shoal's own form. \
            Texts are written as they were read, unless --clean is given. The same bytes come out on any number of ranks.

            The report goes to stdout, and to --report as JSON. Normal form, and what counts as leaked: docs/preprocess.md.
            """)

    @Argument(help: ArgumentHelp("Files, folders of tables, or patterns with *, ? and [ ].", valueName: "inputs"), completion: .file())
    var inputs: [String] = []

    @Option(help: ArgumentHelp("Where the rows go: .jsonl or .jsonl.gz.", valueName: "file"), completion: .file())
    var output: String?

    @Option(help: ArgumentHelp("Where held-out rows go: .jsonl or .jsonl.gz.", valueName: "file"), completion: .file())
    var devOutput: String?

    @Option(
        help: ArgumentHelp(
            "The share of anchors that are held out, by a hash of the anchor. Default: 0.05 with --dev-output.", valueName: "share"))
    var devShare: Double?

    @Option(help: ArgumentHelp("Where the report goes, JSON.", valueName: "file"), completion: .file())
    var report: String?

    @Option(
        help: ArgumentHelp(
            "Measure texts in tokens of this model's tokenizer, and hold tasks against its own. Default: in words.", valueName: "folder"),
        completion: .directory)
    var model: String?

    @Option(help: ArgumentHelp("The task that is written into rows which name none. Default: none is.", valueName: "task"))
    var task: String?

    @Option(
        help: ArgumentHelp(
            "Leave out all but the first of rows that are the same bytes, or the same in normal form; keep only counts them.",
            valueName: "rule"))
    var duplicates = DuplicateRule.normalized

    @Option(help: ArgumentHelp("What makes a duplicate: the whole row, anchor and positive, or the anchor alone.", valueName: "part"))
    var unique = DuplicateUnit.row

    @Option(
        parsing: .upToNextOption,
        help: ArgumentHelp("Evaluation sets whose texts are looked for: folders in BEIR's layout, or files of rows.", valueName: "path"),
        completion: .file())
    var against: [String] = []

    @Option(help: ArgumentHelp("Look for all texts of the sets, or for their queries alone.", valueName: "side"))
    var leakFrom = EvaluationSide.all

    @Option(
        help: ArgumentHelp(
            "The share of a text's runs of 13 words, from 0 to 1, from which a row counts as leaked; 0: any of them.", valueName: "share"))
    var leakShare = 0.5

    @Option(help: ArgumentHelp("Leave leaked rows out, or only count them.", valueName: "rule"))
    var leaked = LeakRule.remove

    @Option(help: ArgumentHelp("A row that cannot be trained on ends the run, or is left out and counted.", valueName: "rule"))
    var onBadRow = BadRowRule.fail

    @Flag(help: "Mend texts: line ends, control characters, white space at both ends.")
    var clean = false

    @Option(
        help: ArgumentHelp(
            "Threads of each rank. Default: the cores it is bound to, shared among the ranks of the host.", valueName: "count"))
    var threads: Int?

    @Option(
        help: ArgumentHelp(
            "A configuration instead of files: data.raw_dir is read, train.jsonl, eval.jsonl and preprocess.json are written into data.processed_dir, base_model_path measures.",
            valueName: "file"), completion: .file())
    var config: String?

    @Option(
        name: .customLong("set"), parsing: .singleValue,
        help: ArgumentHelp("Change one setting of --config. May be given several times.", valueName: "key=value"))
    var set: [String] = []

    func validate() throws {
        if config == nil {
            if inputs.isEmpty { throw ValidationError("there is nothing to read; name files, or give --config FILE") }
            if output == nil { throw ValidationError("there is no place for the rows; add --output FILE") }
            if !set.isEmpty { throw ValidationError("--set changes a configuration; give --config FILE, too") }
        } else if !inputs.isEmpty || output != nil || devOutput != nil || model != nil {
            throw ValidationError(
                "--config says what is read, written and measured with; leave out files, --output, --dev-output and --model")
        }
        if let devShare, !(0..<1).contains(devShare) {
            throw ValidationError("--dev-share is \(devShare); it must be 0 or more and below 1")
        }
        if let devShare, devShare > 0, devOutput == nil, config == nil {
            throw ValidationError("--dev-share \(devShare) holds rows out; add --dev-output FILE for them")
        }
        if !(0...1).contains(leakShare) { throw ValidationError("--leak-share is \(leakShare); it must be 0 to 1") }
        if let threads, !(1...1024).contains(threads) { throw ValidationError("--threads is \(threads); it must be 1 to 1024") }
    }

    func run() throws {
        runOnAllRanks { world, console in
            var job = PreprocessingJob(inputs: inputs, output: output, config: config, overrides: set, threads: threads)
            job.change = { options in
                options.heldOutOutput = devOutput ?? options.heldOutOutput
                options.heldOutShare = devShare ?? (devOutput == nil ? 0 : 0.05)
                if options.heldOutShare == 0 { options.heldOutOutput = nil }
                options.report = report ?? options.report
                options.modelFolder = model ?? options.modelFolder
                options.task = task
                (options.duplicates, options.unit) = (duplicates, unique)
                (options.evaluationSets, options.evaluationSide) = (against, leakFrom)
                (options.leaks, options.leakShare) = (leaked, leakShare)
                (options.badRows, options.cleans) = (onBadRow, clean)
            }
            let text = try job.run(world, console)
            if world.rank == 0 { print(text, terminator: "") }
            return 0
        }
    }
}
