// Adapters from disk: the published file with all tasks, a run's own, and plain PEFT folders with one task.

import Files
import Tensor

/// All adapters of one folder.
package struct AdapterSet: Sendable {
    package let source: AdapterSource
    package let layout: AdapterLayout
    /// Share of an adapter's inputs that training set to zero.
    package let dropout: Double
    package let initialization: Adapter.Initialization
    /// Whether the file is a plain PEFT adapter, which does not say what task it is for.
    package let isPlain: Bool
    /// In the order of the model's task names, others after them.
    package let tasks: [Adapter]
    /// Saved with adapters that were trained on a backbone without one.
    package let projector: Projector?
    /// The prompts that they were trained with; nil where no file beside them says it.
    package let prompts: RecordedPrompts?
    /// Sentences for the user on what was read in another form than it stands in the files.
    package let notices: [String]
    /// Linears whose factors are narrower in the files than `rank`, by module path; the rest of their factors is zero.
    package let narrowRanks: [String: Int]

    package var rank: Int { layout.rank }
    package var alpha: Double { layout.alpha }

    /// Nil when the folder has none for the task.
    package func adapter(for task: String) -> Adapter? { tasks.first { $0.task == task } }

    /// The projector that belongs to these adapters; nil for the backbone's own.
    ///
    /// - Throws: `UserError` `.configuration` when both bring one
    package func projector(on checkpoint: Checkpoint) throws(UserError) -> Projector? {
        guard projector != nil, checkpoint.projector != nil else { return projector }
        throw UserError(
            .configuration, source.projectorPath,
            "belongs to a backbone without a projector, and \(checkpoint.folder) has one of its own; name the backbone that was trained on")
    }
}

/// Reads and writes adapters in PEFT's format.
///
///     let adapters = try AdapterFile.read("outputs/run", config: checkpoint.config)
///     try AdapterFile.writePublished(adapters.tasks, description, as: .bfloat16, to: "outputs/run")
package enum AdapterFile {
    /// Reads what `AdapterSource.find` finds at a path.
    ///
    /// Which linears are adapted follows from the tensors; where the configuration lists modules by name, or holds the published
    /// pattern, the two must agree.
    /// - Parameter task: that of a plain PEFT adapter; by default the folder's own name when it is one of the model's tasks,
    ///   else the model's first
    /// - Throws: `UserError` `.missing` when a file is; `.content` naming the key or tensor that is absent, superfluous, of another
    ///   shape, not finite, or of a kind that is not read
    package static func read(_ path: String, config: ModelConfig, task: String? = nil) throws(UserError) -> AdapterSet {
        try read(AdapterSource.find(path), config: config, task: task)
    }

    /// The same for a folder that was found before.
    package static func read(_ source: AdapterSource, config: ModelConfig, task: String? = nil) throws(UserError) -> AdapterSet {
        let settings = try AdapterConfigFile(path: source.configPath)
        let file = try SafetensorsFile(path: source.weightsPath)
        let names = try Names(file, config)
        try expectAgreement(settings, names, config)
        var tensors = try TensorTable([file], path: file.path) { names.published[ExactString($0)] ?? $0 }

        let (rank, alpha) = settings.scaling.common(Array(names.paths.values))
        let layout = AdapterLayout(config, rank: rank, alpha: alpha) { names.paths[$0] != nil }
        var adapters: [Adapter] = []
        for label in names.tasks {
            let name = label ?? task ?? plainTask(source, config)
            let values = try values(layout, label, names.paths, settings.scaling, &tensors)
            adapters.append(Adapter(task: name, layout: layout, values: values))
        }
        return AdapterSet(
            source: source, layout: layout, dropout: settings.dropout, initialization: settings.initialization,
            isPlain: names.tasks == [nil], tasks: adapters, projector: try ProjectorFile.read(folder: source.folder, config),
            prompts: try RecordedPrompts.read(folder: source.folder),
            notices: notices(source, settings.scaling, layout, visionTensors: names.visionTensors),
            narrowRanks: names.paths.mapValues(settings.scaling.rank).filter { $0.value < rank })
    }

    /// What a user should know of the form in which an adapter was read.
    private static func notices(
        _ source: AdapterSource, _ scaling: AdapterScaling, _ layout: AdapterLayout, visionTensors: Int
    ) -> [String] {
        var notices: [String] = []
        if !scaling.extras.isEmpty {
            notices.append(
                "\(source.folder): \(scaling.extras.joined(separator: ", ")) of its configuration are read as plain LoRA of rank "
                    + "\(layout.rank) and alpha \(Figures.short(layout.alpha)), which computes the same")
        }
        if visionTensors > 0 {
            notices.append(
                "\(source.folder): its \(Figures.count(visionTensors, "tensor")) for the vision tower are left out; "
                    + "their B is zero, so they change nothing")
        }
        return notices
    }

    /// What the names in a file tell.
    private struct Names {
        /// The published name of each name in the file.
        private(set) var published: [ExactString: String] = [:]
        /// Paths of the adapted linears in the model that PEFT wrapped, by module path.
        private(set) var paths: [String: String] = [:]
        /// Tensors of the vision tower, which change nothing.
        let visionTensors: Int
        /// One nil for a plain adapter.
        let tasks: [String?]

        init(_ file: SafetensorsFile, _ config: ModelConfig) throws(UserError) {
            var found: Set<String?> = []
            visionTensors = try file.tensorsOfIdleVisionTower()
            for entry in file.entries where !AdapterTensorName.isOfVisionTower(entry.name) {
                let name = try AdapterTensorName(entry.name, file: file.path)
                if let layer = name.layer, layer >= config.text.layers {
                    throw UserError(
                        .content, file.path,
                        "tensor \(quoted(entry.name)) is for layer \(layer), but the model has \(config.text.layers); the adapter belongs to another model"
                    )
                }
                published[ExactString(entry.name)] = name.text
                paths[name.module] = name.path
                found.insert(name.task)
            }
            guard !found.isEmpty else { throw UserError(.content, file.path, "holds no tensors; save the adapter again") }
            guard found.count == 1 || !found.contains(nil) else {
                throw UserError(.content, file.path, "holds tensors with and without a task in their names; save the adapter again")
            }
            let others = found.compactMap { $0 }.filter { !config.taskNames.contains($0) }.sorted()
            tasks = found == [nil] ? [nil] : config.taskNames.filter { found.contains($0) } + others
        }
    }

    /// - Throws: when `target_modules` names linears without tensors, or leaves out some that have them
    private static func expectAgreement(_ settings: AdapterConfigFile, _ names: Names, _ config: ModelConfig) throws(UserError) {
        var linears: [(module: String, layer: Int?)] = [(DecoderModule.projectorPath, nil)]
        for layer in 0..<config.text.layers { linears += DecoderModule.allCases.map { ($0.path(layer: layer), layer) } }
        for (module, layer) in linears {
            guard let isTarget = try settings.targets(module, layer: layer), isTarget != (names.paths[module] != nil) else { continue }
            let fault =
                isTarget
                ? "names \(module), for which the adapter has no tensors" : "leaves out \(module), for which the adapter has tensors"
            throw UserError(.content, settings.path, "target_modules \(fault); save the adapter again")
        }
    }

    private static func plainTask(_ source: AdapterSource, _ config: ModelConfig) -> String {
        let folder = source.folder.split(separator: "/").last.map(String.init) ?? ""
        return config.taskNames.contains(folder) ? folder : config.taskNames[0]
    }

    /// The factors of a task: those of narrow linears filled up with zeros, and B's of another scale than the layout's multiplied by what
    /// is missing.
    private static func values(
        _ layout: AdapterLayout, _ task: String?, _ paths: [String: String], _ scaling: AdapterScaling, _ tensors: inout TensorTable
    ) throws(UserError) -> [Float] {
        // All shapes are checked before memory is sized by the configuration's rank.
        var matrices: [(factor: AdapterFactor, name: String, matrix: WeightMatrix)] = []
        for factor in layout.factors {
            let name = AdapterTensorName.text(factor.pair.module, factor.part, task: task)
            let rank = scaling.rank(of: paths[factor.pair.module]!)
            let (rows, columns) = factor.part == .a ? (rank, factor.columns) : (factor.rows, rank)
            matrices.append((factor, name, try tensors.matrix(name, rows: rows, columns: columns)))
        }
        var values = [Float](repeating: 0, count: layout.count)
        for (factor, name, matrix) in matrices {
            let stored = matrix.widened()
            guard stored.allSatisfy({ $0.isFinite }) else {
                throw UserError(.content, tensors.path, "tensor \(quoted(name)) holds a value that is not finite; the adapter is unusable")
            }
            let scale = scaling.scale(of: paths[factor.pair.module]!) * Double(layout.rank) / layout.alpha
            let isScaled = factor.part == .b && !scaling.extras.isEmpty && abs(scale - 1) > 1e-12
            guard isScaled || stored.count != factor.range.count else {
                values.replaceSubrange(factor.range, with: stored)
                continue
            }
            for row in 0..<matrix.rows {
                for column in 0..<matrix.columns {
                    let value = stored[row * matrix.columns + column]
                    values[factor.offset + row * factor.columns + column] = isScaled ? Float(Double(value) * scale) : value
                }
            }
        }
        return values
    }
}

extension SafetensorsFile {
    /// How many tensors adapt the vision tower, as PEFT writes them when it is given names without an exclusion and trained on texts: B is
    /// zero as at the start, so they change nothing.
    ///
    /// - Throws: `UserError` `.content` naming a tensor when B is not zero or not there: the tower is frozen here
    func tensorsOfIdleVisionTower() throws(UserError) -> Int {
        let tensors = entries.filter { AdapterTensorName.isOfVisionTower($0.name) }
        let names = Set(tensors.map { ExactString($0.name) })
        for entry in tensors {
            let isFirst = entry.name.contains(".lora_A.")
            let partner = entry.name.replacing(".lora_A.", with: ".lora_B.")
            let isIdle = isFirst ? names.contains(ExactString(partner)) : entry.name.contains(".lora_B.") && isZero(entry)
            guard isIdle else {
                throw UserError(
                    .content, path,
                    "tensor \(quoted(entry.name)) adapts the vision tower, which is frozen here\(isFirst ? "" : ", and is not zero"); "
                        + "confine target_modules to language_model")
            }
        }
        return tensors.count
    }

    /// Whether every number is zero, of either sign.
    private func isZero(_ entry: Entry) -> Bool {
        let (bytes, width) = (bytes(of: entry), entry.dtype.byteWidth)
        return bytes.indices.allSatisfy { bytes[$0] == 0 || ($0 % width == width - 1 && bytes[$0] == 0x80) }
    }
}
