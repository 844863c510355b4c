// A project as a user has one: a folder with a model, rows and project_config.yaml, in which `shoal` is started.

import Foundation
import Support
import Testing

/// Use: `let project = try RunProject()`, `let result = try project.train(["--set", "training.seed=7"], ranks: 2)`.
struct RunProject {
    /// The model in the folder `model`.
    enum Backbone: String, Sendable {
        /// Two layers of 32 channels, with the embedded model's tokenizer: runs in no time.
        case tiny
        /// The embedded model itself.
        case embedded
        /// None: the test writes one.
        case absent
    }

    let folder: TemporaryFolder
    /// What is in the environment of the program besides the test's own.
    var variables: [String: String] = [:]

    init(_ backbone: Backbone = .tiny, rows: [String] = TrainingRows.usual, configuration: String = RunProject.configuration) throws {
        folder = try TemporaryFolder()
        try folder.write("train.jsonl", rows.map { $0 + "\n" }.joined())
        try folder.write("project_config.yaml", configuration)
        switch backbone {
        case .tiny:
            try FileManager.default.createDirectory(atPath: folder.path("model"), withIntermediateDirectories: false)
            for (name, bytes) in try Self.tinyModel.get() { try folder.write("model/\(name)", bytes) }
        case .embedded: try link("model", to: PackagePath.example("jina-tiny"))
        case .absent: break
        }
    }

    /// 20 steps of 6 rows: three batches an epoch, of two tasks.
    static let configuration = """
        base_model_path: model
        data:
          train:
            - path: train.jsonl
              task: code
        training:
          output_dir: run
          max_steps: 20
          global_batch_size: 6
          learning_rate: 1.0e-3
          warmup_steps: 4
        lora:
          r: 8
          alpha: 8
          dropout: 0.1
        loss:
          temperature: 0.05
        system:
          compute_dtype: float32
          threads: 1
          max_seq_length: 64
          chunk_tokens: 48

        """

    /// The files of the tiny model.
    private static let tinyModel = Result {
        let folder = try TemporaryFolder()
        try TinyCheckpoint(vocabulary: 8256).write(to: folder.path)
        var files = ["tokenizer.json": [UInt8](try Data(contentsOf: URL(fileURLWithPath: PackagePath.example("jina-tiny/tokenizer.json"))))]
        for name in try folder.names { files[name] = try folder.bytes(name) }
        return files
    }

    func path(_ name: String) -> String { folder.path(name) }

    func link(_ name: String, to path: String) throws {
        try FileManager.default.createSymbolicLink(atPath: folder.path(name), withDestinationPath: path)
    }

    /// Copies a file or folder within the project.
    func copy(_ name: String, to copy: String) throws {
        try FileManager.default.copyItem(atPath: URL(fileURLWithPath: path(name)).resolvingSymlinksInPath().path, toPath: path(copy))
    }

    /// Adds a line to project_config.yaml, below `line`.
    func addSetting(_ text: String, below line: String) throws {
        try folder.write("project_config.yaml", Self.configuration.replacingOccurrences(of: line + "\n", with: "\(line)\n\(text)\n"))
    }

    /// Starts `shoal train` in the project.
    ///
    /// - Parameter ranks: nil starts it without mpirun
    func train(
        _ arguments: [String] = [], ranks: Int? = nil, limit: Double = 120, whileRunning: (RunningJob) throws -> Void = { _ in }
    ) throws -> JobResult {
        try shoal(["train", "--config", "project_config.yaml"] + arguments, ranks: ranks, limit: limit, whileRunning: whileRunning)
    }

    /// Starts any command in the project.
    func shoal(
        _ arguments: [String], ranks: Int? = nil, limit: Double = 120, whileRunning: (RunningJob) throws -> Void = { _ in }
    ) throws -> JobResult {
        try MPILauncher.run(
            "shoal", arguments, ranks: ranks, environment: environment, folder: URL(fileURLWithPath: folder.path), limit: limit,
            whileRunning: whileRunning)
    }

    /// The user's folder for caches is one of the project's.
    var environment: [String: String] { ["XDG_CACHE_HOME": folder.path("cache")].merging(variables) { $1 } }

    /// What a run has left in a folder of the project.
    func files(of run: String = "run") -> RunFiles { RunFiles(path: path(run)) }
}

extension JobResult {
    /// Records an issue unless the job ended with this code within its time.
    func expect(_ code: Int32, sourceLocation: SourceLocation = #_sourceLocation) {
        #expect(!timedOut, "ended by the time limit: \(standardError)", sourceLocation: sourceLocation)
        #expect(exitCode == code, "\(standardError)", sourceLocation: sourceLocation)
    }
}
