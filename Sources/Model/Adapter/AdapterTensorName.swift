// Names of LoRA tensors on disk. One factor has many spellings: by the class that PEFT wrapped, with or without the adapter's
// name `default`, with or without the task.

import Files

struct AdapterTensorName {
    /// Path of the linear as AdapterLayout has it.
    let module: String
    /// Of the decoder; nil for the projector.
    let layer: Int?
    let part: AdapterFactor.Part
    /// Nil in a plain PEFT adapter, which has one and does not name it.
    let task: String?

    /// The published name, or PEFT's for `Qwen2_5_VLForConditionalGeneration` when there is no task.
    static func text(_ module: String, _ part: AdapterFactor.Part, task: String?) -> String {
        "base_model.model.\(module).\(part.rawValue)\(task.map { "." + $0 } ?? "").weight"
    }

    var text: String { Self.text(module, part, task: task) }

    /// - Throws: `UserError` `.content` when the name is none of a LoRA factor of a linear that can be adapted here
    init(_ name: String, path: String) throws(UserError) {
        let parts = name.utf8.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false).map {
            String(decoding: $0, as: UTF8.self)
        }
        guard parts.starts(with: ["base_model", "model"]), parts.last == "weight",
            let middle = parts.firstIndex(where: { AdapterFactor.Part(rawValue: $0) != nil }), middle > 2
        else { throw Self.unknown(name, path) }
        part = AdapterFactor.Part(rawValue: parts[middle])!

        let labels = parts[(middle + 1)..<(parts.count - 1)].drop { $0 == "default" }
        guard labels.count <= 1, labels.allSatisfy(ModelConfig.isTaskName) else { throw Self.unknown(name, path) }
        task = labels.first

        let modulePath = Array(parts[2..<middle])
        if modulePath == [DecoderModule.projectorPath] {
            (module, layer) = (DecoderModule.projectorPath, nil)
        } else {
            guard let (number, linear) = Self.decoderLinear(modulePath) else { throw Self.unknown(name, path) }
            (module, layer) = (linear.path(layer: number), number)
        }
    }

    /// Paths of a decoder's layers under `Qwen2_5_VLForConditionalGeneration` (of transformers from 4.52, and before),
    /// `Qwen2_5_VLModel`, and the text model alone.
    private static let layerPaths = [
        ["model", "language_model", "layers"], ["model", "layers"], ["language_model", "layers"], ["layers"],
    ]

    private static func decoderLinear(_ path: [String]) -> (layer: Int, linear: DecoderModule)? {
        guard let prefix = layerPaths.first(where: { path.starts(with: $0) }), path.count == prefix.count + 3,
            let layer = Int(path[prefix.count]), String(layer) == path[prefix.count], layer >= 0,
            let linear = DecoderModule(rawValue: path[(prefix.count + 1)...].joined(separator: "."))
        else { return nil }
        return (layer, linear)
    }

    private static func unknown(_ name: String, _ path: String) -> UserError {
        if name.contains("visual.") {
            return UserError(
                .content, path,
                "tensor \(quoted(name)) adapts the vision tower, which is frozen here; confine target_modules to language_model")
        }
        return UserError(
            .content, path,
            "tensor \(quoted(name)) is no LoRA factor of this model; expected names as \(text("model.language_model.layers.0.self_attn.q_proj", .a, task: "retrieval"))"
        )
    }
}
