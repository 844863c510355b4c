// adapter_config.json in PEFT's format (0.15 to 0.21), read and written. What is not plain LoRA is refused by the name of its
// key: an adapter of another kind, read as LoRA, would give other embeddings without a word.

import Files

/// What an adapter's configuration says.
struct AdapterConfigFile {
    let path: String
    /// Ranks and scales.
    let scaling: AdapterScaling
    let dropout: Double
    let initialization: Adapter.Initialization
    private let config: ConfigObject

    /// - Throws: `UserError` `.missing` or `.content`
    init(path: String) throws(UserError) {
        self.path = path
        config = try ConfigObject(path: path)
        try config.expect("peft_type", oneOf: ["LORA"])
        try config.expect("bias", oneOf: ["none"])
        try Self.refuseOtherMethods(config)
        scaling = try AdapterScaling(config)
        dropout = config.has("lora_dropout") ? try config.number("lora_dropout", in: 0...0.999) : 0
        initialization = try Self.initialization(config)
    }

    /// Whether the linear at `module` should be adapted, as far as `target_modules` tells without running a pattern from a
    /// file: nil for patterns other than the published one, whose tensors then decide alone.
    func targets(_ module: String, layer: Int?) throws(UserError) -> Bool? {
        guard let value = config.value("target_modules") else { return nil }
        if let pattern = value.stringValue { return pattern == TargetPattern.published ? true : nil }
        guard let names = try config.optionalStrings("target_modules") else { return nil }
        if let excluded = config.value("exclude_modules"), excluded.stringValue != TargetPattern.visionTower { return nil }
        guard names.contains(where: { module == $0 || module.hasSuffix("." + $0) }) else { return false }
        guard config.has("layers_to_transform"), let layer else { return true }
        if let only = config.value("layers_to_transform")?.integerValue { return only == layer }
        return try config.integers("layers_to_transform", count: 0...1024, in: 0...1023).contains(layer)
    }

    /// Keys that do not change what the tensors mean, and those that `AdapterScaling` reads.
    private static let harmless: Set<String> = [
        "alpha_pattern", "auto_mapping", "base_model_name_or_path", "bias", "exclude_modules", "inference_mode", "init_lora_weights",
        "layers_pattern",
        "layers_to_transform", "lora_alpha", "lora_dropout", "megatron_core", "peft_type", "peft_version", "qalora_group_size", "r",
        "rank_pattern", "revision", "target_modules", "task_type", "use_rslora",
    ]

    /// Every other key must be switched off: null, false or empty.
    private static func refuseOtherMethods(_ config: ConfigObject) throws(UserError) {
        for (key, value) in config.entries where !harmless.contains(key) {
            let isOff: Bool
            switch value {
            case .null: isOff = true
            case .bool(let value): isOff = !value
            case .array(let elements): isOff = elements.isEmpty
            case .object(let object): isOff = object.entries.isEmpty
            default: isOff = false
            }
            guard isOff else {
                throw config.wrong(key, value, expected: "it off: this version reads plain LoRA and would have to ignore it")
            }
        }
    }

    private static func initialization(_ config: ConfigObject) throws(UserError) -> Adapter.Initialization {
        guard let value = config.value("init_lora_weights"), value.boolValue == nil else { return .kaiming }
        switch value.stringValue {
        case "gaussian": return .gaussian
        case "eva", "orthogonal": return .kaiming  // these only choose first values, as the others do
        default:
            throw config.wrong(
                "init_lora_weights", value,
                expected: "true or \"gaussian\": other methods change the backbone, too; save the adapter with PEFT as plain LoRA")
        }
    }

    /// The class that plain adapters are wrapped around, as `auto_mapping` names it.
    static let plainModel: JSONValue = [
        "base_model_class": "Qwen2_5_VLForConditionalGeneration", "parent_library": "transformers.models.qwen2_5_vl.modeling_qwen2_5_vl",
    ]

    /// The text of a configuration, with the fields of the published one (PEFT 0.15), which later releases read, too. The vision tower
    /// is left alone.
    ///
    /// - Parameters:
    ///   - base: name or path of the backbone, as PEFT finds it
    ///   - targets: `target_modules`
    ///   - layers: `layers_to_transform`; nil: all
    ///   - wrapped: `auto_mapping` of an adapter that PEFT finds the model for by itself; nil: of the published model, whose code does it
    static func text(
        _ layout: AdapterLayout, dropout: Double, _ initialization: Adapter.Initialization, base: String, targets: JSONValue,
        layers: [Int]? = nil, wrapped: JSONValue? = nil
    ) -> [UInt8] {
        let alpha = Int64(exactly: layout.alpha).map(JSONValue.integer) ?? .number(layout.alpha)
        let config: JSONValue = [
            "alpha_pattern": [:], "auto_mapping": wrapped ?? .null, "base_model_name_or_path": .string(base), "bias": "none",
            "corda_config": nil, "eva_config": nil, "exclude_modules": .string(TargetPattern.visionTower), "fan_in_fan_out": false,
            "inference_mode": true, "init_lora_weights": initialization == .gaussian ? "gaussian" : true, "layer_replication": nil,
            "layers_pattern": nil, "layers_to_transform": layers.map { .array($0.map { .integer(Int64($0)) }) } ?? .null,
            "loftq_config": [:],
            "lora_alpha": alpha, "lora_bias": false, "lora_dropout": .number(dropout), "megatron_config": nil,
            "megatron_core": "megatron.core", "modules_to_save": nil, "peft_type": "LORA", "r": .integer(Int64(layout.rank)),
            "rank_pattern": [:],
            "revision": nil, "target_modules": targets, "task_type": wrapped == nil ? "FEATURE_EXTRACTION" : .null,
            "trainable_token_indices": nil, "use_dora": false, "use_rslora": false,
        ]
        return config.serialized(pretty: true, sortedKeys: true)
    }
}
