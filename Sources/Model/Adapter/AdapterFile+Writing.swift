// Adapters to disk: all tasks in one file under the published names, and one task as a plain PEFT adapter that Python loads
// onto transformers' Qwen2_5_VLForConditionalGeneration without any code of its own.

import Files
import Foundation
import Tensor

extension AdapterFile {
    /// What is written about an adapter beside its values.
    package struct Description: Sendable {
        package let dropout: Double
        package let initialization: Adapter.Initialization
        /// Name or path of the backbone, as PEFT finds it.
        package let base: String
        /// Written beside the adapter: of a backbone that brings none, where late vectors are trained.
        package var projector: Projector?
        /// The prompts that adapters were trained with, by task, written beside them.
        package var prompts: [String: PromptPair]
        /// Written beside plain PEFT adapters, so that sentence-transformers loads them; nil: nothing is.
        package var sentenceTransformers: SentenceTransformersFiles?

        /// Creates a description.
        package init(
            dropout: Double, initialization: Adapter.Initialization, base: String, projector: Projector? = nil,
            prompts: [String: PromptPair] = [:], sentenceTransformers: SentenceTransformersFiles? = nil
        ) {
            self.dropout = dropout
            self.initialization = initialization
            self.base = base
            self.projector = projector
            self.prompts = prompts
            self.sentenceTransformers = sentenceTransformers
        }

        /// The backbone as it is found from any folder: a folder by its whole path, the name of a published model as it is.
        var baseFromAnywhere: String {
            FileManager.default.fileExists(atPath: base) ? URL(fileURLWithPath: base).standardizedFileURL.path : base
        }
    }

    /// Writes all tasks into `adapter_model.safetensors`, and `adapter_config.json` beside it. Each file replaces an older one atomically.
    ///
    /// - Parameters:
    ///   - adapters: of one layout, each of another task
    ///   - element: type in the file; rounded to nearest
    ///   - folder: created when absent
    /// - Throws: `UserError` `.output`
    package static func writePublished(
        _ adapters: [Adapter], _ description: Description, as element: Tensor.Element, to folder: String
    ) throws(UserError) {
        try write(published(adapters, description), description.projector, as: element, to: folder)
        if !description.prompts.isEmpty { try AtomicWrite.write(PromptFile.bytes(description.prompts), to: folder + "/" + PromptFile.name) }
    }

    /// The same into a folder that appears as a whole, such as a checkpoint.
    /// - Returns: name, size and hash of each file
    package static func writePublished(
        _ adapters: [Adapter], _ description: Description, as element: Tensor.Element, into folder: borrowing PendingFolder
    ) throws(UserError) -> [(name: String, summary: OutputFile.Summary)] {
        let content = published(adapters, description)
        var file = try folder.createFile(AdapterSource.weightsName, expectedSize: content.count * element.byteWidth)
        try SafetensorsWriter.write(content.tensors(as: element), metadata: metadata, into: &file)
        var files = [
            (AdapterSource.weightsName, try file.finish()),
            (AdapterSource.configName, try folder.write(content.config, to: AdapterSource.configName)),
        ]
        if let projector = description.projector { files.append((ProjectorFile.name, try ProjectorFile.write(projector, into: folder))) }
        if !description.prompts.isEmpty {
            files.append((PromptFile.name, try folder.write(PromptFile.bytes(description.prompts), to: PromptFile.name)))
        }
        return files
    }

    /// Writes one task as a plain PEFT adapter, which PEFT loads onto `Qwen2_5_VLForConditionalGeneration`, and sentence-transformers by
    /// its folder alone where the description says what it needs. The pair for the projector, which that model lacks, is left out.
    ///
    /// - Parameters:
    ///   - adapter: adapts at least one linear of the decoder
    ///   - folder: created when absent
    /// - Throws: `UserError` `.output`
    package static func writePEFT(
        _ adapter: Adapter, _ description: Description, as element: Tensor.Element, to folder: String
    ) throws(UserError) {
        let (names, layers) = TargetPattern.names(adapter.layout)
        let config = AdapterConfigFile.text(
            adapter.layout, dropout: description.dropout, description.initialization, base: description.baseFromAnywhere,
            targets: .array(names.map { .string($0) }), layers: layers, wrapped: AdapterConfigFile.plainModel)
        let factors = adapter.layout.factors.filter { $0.pair.module != DecoderModule.projectorPath }
        try write(
            Content(adapters: [adapter], factors: factors, namesTasks: false, config: config), description.projector, as: element,
            to: folder)
        let prompts = description.prompts[adapter.task]
        try description.sentenceTransformers?.write(prompts ?? .usual(task: adapter.task), to: folder)
    }

    private static let metadata = ["format": "pt"]

    /// What the two files of an adapter will hold.
    private struct Content {
        let adapters: [Adapter]
        let factors: [AdapterFactor]
        let namesTasks: Bool
        let config: [UInt8]

        /// Values in all.
        var count: Int { adapters.count * factors.reduce(0) { $0 + $1.range.count } }

        /// All factors of all adapters, rounded to nearest.
        func tensors(as element: Tensor.Element) -> [SafetensorsWriter.Tensor] {
            switch element {
            case .float32: tensors(.f32, adapters.map(\.values))
            case .bfloat16: tensors(.bf16, adapters.map { $0.values.map(BFloat16.init(rounding:)) })
            }
        }

        private func tensors<Value: BitwiseCopyable>(_ dtype: SafetensorsDType, _ values: [[Value]]) -> [SafetensorsWriter.Tensor] {
            zip(adapters, values).flatMap { adapter, values in
                factors.map { factor in
                    let name = AdapterTensorName.text(factor.pair.module, factor.part, task: namesTasks ? adapter.task : nil)
                    return (name, dtype, [factor.rows, factor.columns], TensorContent(values, factor.range))
                }
            }
        }
    }

    private static func published(_ adapters: [Adapter], _ description: Description) -> Content {
        precondition(!adapters.isEmpty, "adapter file: no adapters")
        let layout = adapters[0].layout
        precondition(adapters.allSatisfy { $0.layout == layout }, "adapter file: adapters of different layouts")
        let config = AdapterConfigFile.text(
            layout, dropout: description.dropout, description.initialization, base: description.base,
            targets: .string(TargetPattern.all(layout)))
        return Content(adapters: adapters, factors: layout.factors, namesTasks: true, config: config)
    }

    private static func write(
        _ content: Content, _ projector: Projector?, as element: Tensor.Element, to folder: String
    ) throws(UserError) {
        do { try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true) } catch {
            throw UserError(.output, folder, "cannot be created: \(error.localizedDescription); choose another output folder")
        }
        try SafetensorsWriter.write(content.tensors(as: element), metadata: metadata, to: folder + "/" + AdapterSource.weightsName)
        try AtomicWrite.write(content.config, to: folder + "/" + AdapterSource.configName)
        if let projector { try ProjectorFile.write(projector, to: folder) }
    }
}
