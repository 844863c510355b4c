// Where a run's adapters come from: the model's own, a folder, or fresh ones.

import Config
import Files
import Model
import Project

/// The adapters at step 0, one a task of the model, and the configuration as they make it.
package struct AdapterStart {
    package let adapters: [Adapter]
    /// With the shape of adapters that are continued.
    package let config: ProjectConfig
    /// `fresh`, or what they continue.
    package let description: String
    package let notices: [String]
    /// Of a backbone that brings none, where late vectors are trained: the adapters' own, else a random one.
    package let projector: Projector?
    package let projectorIsRandom: Bool
    /// Where adapters were looked for.
    let place: String
    /// Whether any was read from disk.
    private let isFresh: Bool

    /// - Parameter heads: that the loss compares
    /// - Throws: when `lora.tasks` names a task that the model lacks, or another setting one that has no adapter, a target module
    ///   matches nothing, or the adapters of `lora.start_from` contradict the configuration
    init(_ given: ProjectConfig, _ checkpoint: Checkpoint, heads: EmbeddingHeads) throws(UserError) {
        let tasks = try Self.tasks(given, checkpoint.config)
        try given.checkTaskNames(tasks)
        try given.checkWidths(checkpoint.config)
        let found = try FoundAdapters.find(given, checkpoint, tasks)
        place = found?.folder ?? checkpoint.folder + "/adapters"
        isFresh = found == nil
        let savedProjector = heads.hasLate ? try found?.projector(on: checkpoint) : nil
        projectorIsRandom = heads.hasLate && savedProjector == nil && checkpoint.projector == nil
        projector = projectorIsRandom ? Projector(checkpoint.config, seed: given.training.seed) : savedProjector
        guard let found else {
            let layout = AdapterLayout(checkpoint.config, rank: given.lora.rank, alpha: given.lora.alpha) {
                given.lora.adapts($0)
            }
            try Self.check(given, layout, checkpoint.config)
            config = given
            adapters = tasks.map { Adapter(task: $0, layout: layout, seed: given.training.seed, .gaussian) }
            description = "fresh"
            notices = []
            return
        }
        let layout = Self.layout(of: found, given, checkpoint.config)
        let contradictions: [String]
        (config, contradictions) = try Self.adopted(given, found, layout, checkpoint.config)
        adapters = tasks.map { task in
            var adapter = Adapter(task: task, layout: layout, seed: given.training.seed, .gaussian)
            if let source = found.adapter(for: task) { adapter.copyFactors(of: source, narrowRanks: found.narrowRanks(for: task)) }
            return adapter
        }
        notices = found.notices + contradictions
        description = found.description
    }

    /// Of what was read from disk: the same on every host that holds the same adapters. Fresh ones are the same anyway.
    var fingerprint: [UInt8] {
        guard !isFresh else { return [] }
        var hash = SHA256()
        for adapter in adapters {
            let layout = adapter.layout
            hash.update(Array("\(adapter.task) \(layout.rank) \(layout.alpha) \(layout.pairs.map(\.module))\n".utf8))
            hash.update(adapter.values.span.bytes)
        }
        if let projector { hash.update(projector.fingerprint) }
        return hash.finalize()
    }

    private static func tasks(_ config: ProjectConfig, _ model: ModelConfig) throws(UserError) -> [String] {
        for task in config.lora.tasks ?? [] where !model.taskNames.contains(task) {
            throw config.error(
                at: LoRASettings.tasks, "the model has no task \(task); it has \(model.taskNames.joined(separator: ", "))")
        }
        return model.taskNames.filter { config.lora.tasks?.contains($0) ?? true }
    }

    /// What the files adapt. A plain PEFT adapter has no pair for the projector, which its model lacks: it gets a fresh one.
    private static func layout(of found: FoundAdapters, _ given: ProjectConfig, _ model: ModelConfig) -> AdapterLayout {
        let addsProjector = found.hasPlain && given.lora.adapts(DecoderModule.projectorPath)
        return AdapterLayout(model, rank: found.rank, alpha: found.alpha) {
            found.modules.contains($0) || addsProjector && $0 == DecoderModule.projectorPath
        }
    }

    /// The configuration with the adapters' shape. Under an explicit path a contradiction is an error, else a notice.
    private static func adopted(
        _ given: ProjectConfig, _ found: FoundAdapters, _ layout: AdapterLayout, _ model: ModelConfig
    ) throws(UserError) -> (ProjectConfig, [String]) {
        var notices: [String] = []
        func adopt(_ setting: any AnySetting, _ differs: Bool, _ what: String) throws(UserError) {
            guard differs, given.isGiven(setting) else { return }
            let sentence = "\(setting) is \(what) in the adapters of \(found.folder), which are continued"
            if given.lora.startFrom != .automatic {
                throw given.error(at: setting, "\(sentence); use their value, or \(LoRASettings.startFrom): fresh")
            }
            notices.append("\(sentence); the value of the configuration is not used")
        }
        let modules = layout.pairs.map(\.module)
        let wanted = AdapterLayout(model, rank: 1, alpha: 1) { given.lora.adapts($0) }.pairs.map(\.module)
        try adopt(LoRASettings.rank, given.lora.rank != found.rank, "\(found.rank)")
        try adopt(LoRASettings.alpha, given.lora.alpha != found.alpha, "\(found.alpha)")
        for setting: any AnySetting in [LoRASettings.targetModules, LoRASettings.layers] {
            try adopt(setting, modules != wanted, "another choice of linears (\(modules.count) where it names \(wanted.count))")
        }
        let targets = modules == wanted ? nil : TargetModules(.array(modules.map { .string($0) }))!
        return (given.adoptingAdapter(rank: found.rank, alpha: found.alpha, targetModules: targets), notices)
    }

    private static func check(_ config: ProjectConfig, _ layout: AdapterLayout, _ model: ModelConfig) throws(UserError) {
        let all = AdapterLayout(model, rank: 1, alpha: 1) { _ in true }.pairs.map(\.module)
        if let name = config.lora.targetModules.unmatchedNames(in: all).first {
            let linears = DecoderModule.allCases.map(\.linear).joined(separator: ", ")
            let isWord = name.lowercased() == TargetModules.allLinearWord
            throw config.error(
                at: LoRASettings.targetModules,
                "\(name) matches no linear of the model; "
                    + (isWord ? "without a list it means all of them: write \(name)" : "the linears are \(linears)"))
        }
        if let layer = config.lora.layers?.last, layer >= model.text.layers {
            throw config.error(
                at: LoRASettings.layers, "the model has no layer \(layer); it has \(model.text.layers), counted from 0")
        }
        if layout.decoderCount == 0 {
            throw config.error(
                at: LoRASettings.targetModules,
                "no linear of the decoder matches; \(config.lora.targetModules.adviceWhenNothingMatches)")
        }
    }
}
