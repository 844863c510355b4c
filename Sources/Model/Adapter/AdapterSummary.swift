// What an adapter's two files say without the model that it belongs to: for people who look before they load.

import Files

/// The shape of the adapters in a folder.
package struct AdapterSummary: Sendable {
    package let source: AdapterSource
    package let rank: Int
    package let alpha: Double
    /// Keys of the configuration that give some linears another rank or scale, such as `rank_pattern`.
    package let extras: [String]
    package let dropout: Double
    /// Ascending; empty in a plain PEFT adapter, which does not name its task.
    package let tasks: [String]
    /// Names of the adapted linears of the decoder, such as `q_proj`, in the order of a layer.
    package let linears: [String]
    package let adaptsProjector: Bool
    /// Decoder layers with an adapted linear.
    package let layers: Int
    /// Of one task.
    package let parameters: Int
    package let file: SafetensorsFile

    /// - Throws: `UserError` `.missing`; `.content` when the files are no LoRA adapter, or a factor is not of the announced rank
    package static func read(_ source: AdapterSource) throws(UserError) -> AdapterSummary {
        try AdapterSummary(source, AdapterConfigFile(path: source.configPath), SafetensorsFile(path: source.weightsPath))
    }

    private init(_ source: AdapterSource, _ settings: AdapterConfigFile, _ file: SafetensorsFile) throws(UserError) {
        var (tasks, modules, layers): (Set<String>, Set<String>, Set<Int>) = ([], [], [])
        var elements = 0
        _ = try file.tensorsOfIdleVisionTower()
        var paths: Set<String> = []
        for entry in file.entries where !AdapterTensorName.isOfVisionTower(entry.name) {
            let name = try AdapterTensorName(entry.name, file: file.path)
            let (found, rank) = (name.part == .a ? entry.shape.first : entry.shape.last, settings.scaling.rank(of: name.path))
            guard entry.shape.count == 2, found == rank else {
                throw UserError(
                    .content, file.path,
                    "tensor \(quoted(entry.name)) has the shape \(entry.shape), which is none of a factor of rank \(rank)")
            }
            paths.insert(name.path)
            elements += entry.shape.reduce(1, *)
            modules.insert(String(name.module.split(separator: ".").last!))
            if let task = name.task { tasks.insert(task) }
            if let layer = name.layer { layers.insert(layer) }
        }
        self.source = source
        self.file = file
        (rank, alpha) = settings.scaling.common(Array(paths))
        extras = settings.scaling.extras
        dropout = settings.dropout
        self.tasks = tasks.sorted()
        linears = DecoderModule.allCases.map(\.linear).filter(modules.contains)
        adaptsProjector = modules.contains(DecoderModule.projectorPath)
        self.layers = layers.count
        parameters = elements / max(tasks.count, 1)
    }
}
