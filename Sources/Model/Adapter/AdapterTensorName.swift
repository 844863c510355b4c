// Names of LoRA tensors on disk. One factor has many spellings: by the class that PEFT wrapped, with or without the adapter's
// name `default`, with or without the task.

import Files

struct AdapterTensorName {
    /// Path of the linear as AdapterLayout has it.
    let module: String
    /// Path of the linear in the model that PEFT wrapped, against which PEFT's patterns are matched.
    let path: String
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

    /// Whether a tensor belongs to the vision tower, under any name.
    static func isOfVisionTower(_ name: String) -> Bool { components(name).contains("visual") }

    /// - Throws: `UserError` `.content` when the name is none of a LoRA factor of a linear that can be adapted here
    init(_ name: String, file: String) throws(UserError) {
        let parts = Self.components(name)
        guard parts.starts(with: ["base_model", "model"]), parts.last == "weight",
            let middle = parts.firstIndex(where: { AdapterFactor.Part(rawValue: $0) != nil }), middle > 2
        else { throw Self.unknown(name, file) }
        part = AdapterFactor.Part(rawValue: parts[middle])!

        let labels = parts[(middle + 1)..<(parts.count - 1)].drop { $0 == "default" }
        guard labels.count <= 1, labels.allSatisfy(ModelConfig.isTaskName) else { throw Self.unknown(name, file) }
        task = labels.first

        path = parts[2..<middle].joined(separator: ".")
        let modulePath = parts[2..<middle].filter { !Self.wrappers.contains($0) }
        if modulePath == [DecoderModule.projectorPath] {
            (module, layer) = (DecoderModule.projectorPath, nil)
        } else {
            guard let (number, linear) = Self.decoderLinear(modulePath) else { throw Self.unknown(name, file) }
            (module, layer) = (linear.path(layer: number), number)
        }
    }

    private static func components(_ name: String) -> [String] {
        name.utf8.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false).map { String(decoding: $0, as: UTF8.self) }
    }

    /// What PyTorch puts between the parts of a path: compiled, distributed and recomputed modules.
    private static let wrappers: Set = ["_orig_mod", "module", "_fsdp_wrapped_module", "_checkpoint_wrapped_module"]

    /// What stands before `layers` where PEFT wrapped `Qwen2_5_VLForConditionalGeneration` (of transformers from 4.52, and before),
    /// `Qwen2_5_VLModel`, the text model alone, a decoder that is a model of its own, or a module that holds one of these.
    private static let prefixes = [
        "model.language_model", "model", "language_model", "", "language_model.model", "model.language_model.model", "model.model",
        "model.model.language_model", "auto_model", "auto_model.language_model", "0.auto_model", "0.auto_model.language_model",
        "0.model.language_model",
    ].map { components($0 + ($0.isEmpty ? "" : ".") + "layers") }

    private static func decoderLinear(_ path: [String]) -> (layer: Int, linear: DecoderModule)? {
        guard let prefix = prefixes.first(where: { path.starts(with: $0) }), path.count == prefix.count + 3,
            let layer = Int(path[prefix.count]), String(layer) == path[prefix.count], layer >= 0,
            let linear = DecoderModule(rawValue: path[(prefix.count + 1)...].joined(separator: "."))
        else { return nil }
        return (layer, linear)
    }

    private static func unknown(_ name: String, _ file: String) -> UserError {
        let known = prefixes.map { "\($0.joined(separator: "."))" }.joined(separator: ", ")
        return UserError(
            .content, file,
            "tensor \(quoted(name)) is no LoRA factor of this model; expected names as "
                + "\(text("model.language_model.layers.0.self_attn.q_proj", .a, task: "retrieval")), with or without the task, "
                + "and behind base_model.model. one of \(known)")
    }
}
