// The table at the start of a run that says what runs. A pure function from values to text.

import Config
import Embedding
import Files
import Project
import Tensor

/// The start-up table: a label and its lines, aligned, then notices. Warnings are apart, because they may be coloured.
///
///     console.write(StartupTable(report).text)
///     for sentence in StartupTable(report).warnings { console.warning(sentence) }
package struct StartupTable {
    private let report: StartupReport

    /// Below it the plan's efficiency is worth a warning.
    private static let sufficientEfficiency = 0.9
    /// Hosts that are listed; the others are counted.
    private static let listedHosts = 8

    package init(_ report: StartupReport) {
        self.report = report
    }

    /// Ends with a newline.
    package var text: String {
        let sections: [(label: String, lines: [String])] = [
            ("model", model), ("adapters", adapters), ("data", data), ("batch", batch), ("steps", steps), ("engine", engine),
            ("threads", threads), ("memory", memory), ("hosts", hosts), ("reduction", reduction), ("output", output),
            ("set", report.overrides.map { "\($0.key)=\($0.text)" }),
        ]
        var table = TextTable([.left, .left])
        for section in sections {
            for (number, line) in section.lines.enumerated() { table.add([number == 0 ? section.label : "", line]) }
        }
        return "Shoal \(Versions.shoal)\n" + table.text + report.notices.map { "notice: \($0)\n" }.joined()
    }

    /// What slows this run down, each a sentence that names the mend.
    package var warnings: [String] {
        [unevenPlan, crowdedCores, idleCores].compactMap { $0 }
    }

    // MARK: Lines

    private var model: [String] {
        let model = report.model
        return [
            Self.join(
                model.folder, Figures.count(model.parameters, "parameter"), Figures.count(model.layers, "layer"), model.element)
        ]
    }

    private var adapters: [String] {
        let adapter = report.adapter
        return [
            Self.join(
                adapter.tasks.joined(separator: ", "),
                "rank \(adapter.rank), alpha \(Figures.short(adapter.alpha)), dropout \(Figures.short(adapter.dropout))", adapter.start),
            "trains \(adapter.trainedTasks.joined(separator: ", ")) · \(Figures.count(adapter.trainedParameters, "parameter")) a step",
        ]
    }

    private var data: [String] {
        let data = report.data
        let tasks = data.rowsByTask.map { task in
            "\(task.task) \(Figures.count(task.rows))" + (task.graded > 0 ? " (\(Figures.count(task.graded)) with scores)" : "")
        }
        let files = data.files.map { file in
            Self.join(file.path, Figures.count(file.rows, "row"), file.rowsOfEpoch.map { "\(Figures.count($0)) taken in an epoch" })
        }
        return files + [
            Self.join(
                "rows by task: \(tasks.joined(separator: ", "))", "\(Figures.count(data.leftOverRows)) left over each epoch",
                "\(Figures.count(data.truncatedTexts, "text")) cut at \(Figures.count(data.maximumTokens)) tokens",
                "\(Figures.count(data.droppedNegatives, "negative")) dropped as equal to their positive",
                data.skippedRows > 0 ? "\(Figures.count(data.skippedRows, "row")) left out for their images" : nil),
            "evaluation: \(data.evaluation ?? "none")",
        ]
    }

    private var batch: [String] {
        let batch = report.batch
        let rows = batch.size.globalRows(worldSize: batch.worldSize)
        var shares = " on one rank"
        if batch.worldSize > 1 {
            shares =
                rows % batch.worldSize == 0
                ? " = \(batch.worldSize) ranks × \(Figures.count(rows / batch.worldSize))" : " over \(batch.worldSize) ranks"
        }
        let earlier = batch.earlierCandidates > 0 ? " and up to \(Figures.count(batch.earlierCandidates)) of earlier steps" : ""
        return [
            Self.join(
                "global batch \(Figures.count(rows, "row"))\(shares)",
                "pool of \(Figures.count(batch.candidates, "candidate")) a step\(earlier)",
                "plan efficiency \(Figures.fixed(batch.efficiency, 2))")
        ]
    }

    private var steps: [String] {
        let batch = report.batch
        var text: String
        if batch.maximumSteps == nil {
            text =
                "\(Figures.count(batch.steps)) = \(Figures.count(batch.epochs, "epoch")) × "
                + Figures.count(batch.batchesPerEpoch, "batch", "batches")
        } else {
            let epochs = Double(batch.steps) / Double(max(batch.batchesPerEpoch, 1))
            text =
                "\(Figures.count(batch.steps)) = \(Figures.fixed(epochs, 2)) epochs of "
                + Figures.count(batch.batchesPerEpoch, "batch", "batches")
        }
        if let step = report.resumedStep { text += " · resumed after step \(Figures.count(step))" }
        return [text]
    }

    private var engine: [String] {
        let (engine, proof) = (report.engine.engine, report.engine.proof)
        let name = engine.library == .own ? "own kernels for \(engine.instructions.rawValue)" : engine.libraryVersion
        let reason: String
        switch (report.engine.requested, report.engine.processorHasBFloat16) {
        case (.automatic, _) where engine.library != .own: reason = "\(SystemSettings.matrixLibrary) is \(engine.library.rawValue)"
        case (.automatic, true): reason = "the processor has bfloat16 products"
        case (.automatic, false): reason = "the processor has no bfloat16 products"
        case (let type, _): reason = "\(SystemSettings.computeType) is \(type.rawValue)"
        }
        let bits =
            switch (proof, engine.library, engine.kind) {
            case (nil, _, _): "not promised, system.exact is false"
            case (_, .own, .float32): "the same on every processor"
            case (_, .own, .bfloat16): "the same on every processor that multiplies \(engine.arithmetic)"
            default: "the same on processors of this kind, with this library"
            }
        let check = proof.map { $0 == .made ? "rows checked at this start" : "rows checked earlier on this machine" }
        return ["\(engine.kind.rawValue) by \(name): \(reason)", Self.join("bits \(bits)", check)]
    }

    private var threads: [String] {
        let place = report.placement
        let cores =
            place.isLaunched ? "bound to \(Figures.count(place.boundCores, "core"))" : "may use \(Figures.count(place.boundCores, "core"))"
        return [
            Self.join(
                "\(Figures.count(place.localRanks, "rank")) on this host × \(Figures.count(place.threads, "thread"))",
                "a rank \(cores) of \(Figures.count(place.machineCores))")
        ]
    }

    private var memory: [String] {
        let (memory, estimate) = (report.memory, report.memory.estimate)
        let rank = estimate.rank
        let meaning =
            switch estimate.choice.memory {
            case .keep: "kept from the forward to the backward pass"
            case .recompute: "layers computed again in the backward pass"
            case .cache: "texts embedded again, microbatch by microbatch"
            }
        return [
            Self.join(
                "model \(Figures.bytes(memory.mappedBytes)) mapped, one copy a host",
                memory.copy.map { "\($0.form == .packed ? "packed" : "converted") once a host, \(Figures.bytes($0.bytes)) in memory" }
                    ?? "training reads \(Figures.bytes(estimate.weights)) of it"),
            Self.join(
                "a rank: adapters \(Figures.bytes(rank.adapters))", "optimizer \(Figures.bytes(rank.optimizer))",
                "embeddings \(Figures.bytes(rank.embeddings))",
                rank.memoryBank > 0 ? "memory bank \(Figures.bytes(rank.memoryBank))" : nil,
                "activations \(Figures.bytes(rank.activations))",
                rank.images > 0 ? "images \(Figures.bytes(rank.images))" : nil, "program \(Figures.bytes(rank.program))"),
            "activations: \(estimate.choice.memory.rawValue), \(meaning) · \(Figures.count(estimate.tokens, "token")) in the largest step",
            Self.join(
                "at the peak \(Figures.bytes(rank.total)) a rank", "\(Figures.bytes(estimate.host)) a host, weights once"),
        ]
    }

    private var hosts: [String] {
        let hosts = report.placement.hosts
        let lines = hosts.prefix(Self.listedHosts).map { host in
            "\(host.name): \(host.ranks.count == 1 ? "rank" : "ranks") \(Figures.ranges(host.ranks))"
        }
        return lines + (hosts.count > Self.listedHosts ? ["and \(Figures.count(hosts.count - Self.listedHosts)) more"] : [])
    }

    private var reduction: [String] {
        let meaning = report.reduction.kind == .exact ? "the same bits at any world size" : "bits depend on the world size"
        return ["\(report.reduction.kind.rawValue): \(meaning) · \(Figures.bytes(report.reduction.bytes)) a rank and step"]
    }

    private var output: [String] { [report.outputFolder] }

    private static func join(_ parts: String?...) -> String {
        parts.compactMap { $0 }.joined(separator: " · ")
    }

    // MARK: Warnings

    private var unevenPlan: String? {
        let batch = report.batch
        guard batch.efficiency < Self.sufficientEfficiency else { return nil }
        return
            "the plan's efficiency is \(Figures.fixed(batch.efficiency, 2)): ranks wait for the one with most to do; "
            + "lower system.chunk_tokens (\(batch.chunkTokens)), or give each rank more rows"
    }

    private var crowdedCores: String? {
        let place = report.placement
        if place.threads > place.boundCores {
            let cores = Figures.count(place.boundCores, "core")
            let sentence = "\(Figures.count(place.threads, "thread")) of a rank share \(cores): "
            return place.isLaunched
                ? sentence + "mpirun binds each rank to one core unless told otherwise; "
                    + "start it with --bind-to none, or --map-by slot:PE=\(place.threads)"
                : sentence + "lower system.threads, or let it choose (auto)"
        }
        guard place.threads > place.coresPerRank else { return nil }
        return
            "\(Figures.count(place.localRanks, "rank")) × \(Figures.count(place.threads, "thread")) share the cores of this host, "
            + "\(place.coresPerRank) a rank: lower system.threads, or start fewer ranks"
    }

    /// A rank that mpirun bound to one core leaves the others of its host to nobody.
    private var idleCores: String? {
        let place = report.placement
        let used = place.localRanks * place.coresPerRank
        guard place.isLaunched, place.machineCores >= 2 * used else { return nil }
        return
            "this host's ranks may use \(used) of its \(place.machineCores) cores: mpirun binds each rank to one core unless told otherwise; "
            + "start it with --bind-to none, or --map-by slot:PE=\(place.machineCores / place.localRanks), if the host is yours alone"
    }
}
