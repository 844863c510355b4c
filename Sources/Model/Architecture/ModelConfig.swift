// config.json of a checkpoint as a type: the dimensions that everything else is sized by. Read in both spellings, nested
// (`text_config`) and flat, of older and newer transformers. The types of the weights are taken from the tensors themselves.

import Files
import Foundation

/// The dimensions and names of a model.
package struct ModelConfig: Sendable, Equatable {
    /// The text decoder.
    package struct Text: Sendable, Equatable {
        package let hiddenSize: Int
        package let layers: Int
        package let heads: Int
        package let keyValueHeads: Int
        package let headDimension: Int
        package let intermediateSize: Int
        package let normEpsilon: Float
        package let ropeTheta: Double
        /// Frequencies that turn by time, height and width; together half the head dimension.
        package let ropeSections: [Int]
        package let maxPositions: Int
        /// Rows of the embedding table.
        package let vocabularySize: Int
    }

    /// The vision tower.
    package struct Vision: Sendable, Equatable {
        package let depth: Int
        package let hiddenSize: Int
        package let heads: Int
        package let intermediateSize: Int
        package let outHiddenSize: Int
        package let inChannels: Int
        /// Pixels.
        package let patchSize: Int
        /// Frames.
        package let temporalPatchSize: Int
        /// Patches on each side that become one token.
        package let spatialMergeSize: Int
        /// Pixels.
        package let windowSize: Int
        /// Blocks that attend over the whole image; all others within a window.
        package let fullAttentionBlocks: [Int]
    }

    /// Ids of tokens with a meaning of their own, where the file names them.
    package struct SpecialTokens: Sendable, Equatable {
        package let image: Int?
        package let video: Int?
        package let visionStart: Int?
        package let visionEnd: Int?
    }

    package let text: Text
    /// Nil for a text-only checkpoint.
    package let vision: Vision?
    package let taskNames: [String]
    /// Lengths to which an embedding may be cut, ascending.
    package let matryoshkaDimensions: [Int]
    /// Of late vectors, whether or not the backbone brings a projector to them.
    package let projectorDimension: Int
    package let specialTokens: SpecialTokens

    /// The model's own limit on the length of a text, prompt included.
    package static let longestText = 32768

    /// Tokens of the longest text that the model takes.
    package var maxTokens: Int { min(Self.longestText, text.maxPositions) }

    /// Reads `config.json` in a checkpoint's folder.
    ///
    /// A plain Qwen2.5-VL file names neither tasks nor Matryoshka dimensions nor a projector: these then are the published model's.
    /// - Throws: `UserError` `.missing` when folder or file are; `.content` naming another family of models or a quantisation, or the key
    ///   that is absent, out of range, or asks for what is not here
    package static func read(folder: String) throws(UserError) -> ModelConfig {
        var isFolder: ObjCBool = false
        guard FileManager.default.fileExists(atPath: folder, isDirectory: &isFolder) else {
            throw UserError(.missing, folder, "no such folder; name the folder of a downloaded checkpoint (nothing is downloaded here)")
        }
        guard isFolder.boolValue else {
            throw UserError(.missing, folder, "is a file where a checkpoint's folder is expected; name the folder that holds config.json")
        }
        return try ModelConfig(ConfigObject(path: folder + "/config.json"))
    }

    private init(_ root: ConfigObject) throws(UserError) {
        try ModelFamily.check(root)
        let nested = try root.section("text_config")
        text = try Text(nested ?? root)
        if let section = try root.section("vision_config") { vision = try Vision(section, text) } else { vision = nil }
        try root.expect("single_vector_pool_strategy", oneOf: ["mean"])
        taskNames = try Self.taskNames(root)
        matryoshkaDimensions = try Self.matryoshkaDimensions(root, hidden: text.hiddenSize)
        projectorDimension = try root.optionalInteger("multi_vector_projector_dim", in: 1...65536) ?? 128
        let ids = 0...text.vocabularySize - 1
        specialTokens = SpecialTokens(
            image: try root.optionalInteger("image_token_id", in: ids), video: try root.optionalInteger("video_token_id", in: ids),
            visionStart: try root.optionalInteger("vision_start_token_id", in: ids),
            visionEnd: try root.optionalInteger("vision_end_token_id", in: ids))
    }

    /// Whether a task may be called so: its name becomes part of tensor and folder names, hence few characters are allowed.
    package static func isTaskName(_ name: String) -> Bool {
        let isPlain = name.utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "0")...UInt8(ascii: "9"),
                UInt8(ascii: "-"), UInt8(ascii: "_"):
                true
            default: false
            }
        }
        // PEFT puts "default" where a tensor name has the task.
        return isPlain && (1...64).contains(name.utf8.count) && name != "default"
    }

    private static func taskNames(_ root: ConfigObject) throws(UserError) -> [String] {
        guard let names = try root.optionalStrings("task_names") else { return ["retrieval", "text-matching", "code"] }
        guard (1...64).contains(names.count), Set(names).count == names.count, names.allSatisfy(isTaskName) else {
            throw root.fault("task_names", "is \(names); expected 1 to 64 different names of letters, digits, - and _ (not \"default\")")
        }
        return names
    }

    private static func matryoshkaDimensions(_ root: ConfigObject, hidden: Int) throws(UserError) -> [Int] {
        guard root.has("matryoshka_dims") else { return [128, 256, 512, 1024, 2048].filter { $0 < hidden } + [hidden] }
        let dimensions = try root.integers("matryoshka_dims", count: 1...64, in: 1...hidden)
        guard Set(dimensions).count == dimensions.count else { throw root.fault("matryoshka_dims", "holds a number twice; remove one") }
        return dimensions.sorted()
    }
}

extension ModelConfig.Text {
    fileprivate init(_ text: ConfigObject) throws(UserError) {
        hiddenSize = try text.integer("hidden_size", in: 2...65536)
        layers = try text.integer("num_hidden_layers", in: 1...1024)
        heads = try text.integer("num_attention_heads", in: 1...1024)
        keyValueHeads = try text.integer("num_key_value_heads", in: 1...1024)
        intermediateSize = try text.integer("intermediate_size", in: 1...1_048_576)
        vocabularySize = try text.integer("vocab_size", in: 1...16_777_216)
        maxPositions = try text.integer("max_position_embeddings", in: 1...16_777_216)
        normEpsilon = Float(try text.number("rms_norm_eps", in: 1e-12...0.1))
        headDimension = hiddenSize / heads
        guard hiddenSize % (2 * heads) == 0 else {
            throw text.fault("num_attention_heads", "is \(heads), which does not share hidden_size \(hiddenSize) into heads of even width")
        }
        guard heads % keyValueHeads == 0 else {
            throw text.fault("num_key_value_heads", "is \(keyValueHeads), which does not divide num_attention_heads \(heads)")
        }
        if let stated = try text.optionalInteger("head_dim", in: 1...65536), stated != headDimension {
            throw text.fault("head_dim", "is \(stated), but hidden_size / num_attention_heads is \(headDimension)")
        }
        (ropeTheta, ropeSections) = try Self.rope(text, slots: headDimension / 2)
        try Self.refuseOtherDecoders(text)
    }

    /// `rope_parameters`, or `rope_theta` with `rope_scaling`.
    private static func rope(_ text: ConfigObject, slots: Int) throws(UserError) -> (theta: Double, sections: [Int]) {
        let parameters = try text.section("rope_parameters")
        let scaling = try text.section("rope_scaling")
        guard let rope = parameters ?? scaling else { throw text.missing("rope_scaling") }
        try rope.expect("rope_type", oneOf: ["default", "mrope"])
        try rope.expect("type", oneOf: ["default", "mrope"])
        let theta = try (parameters ?? text).number("rope_theta", in: 1...1e15)
        let sections = try rope.integers("mrope_section", count: 3...3, in: 0...slots)
        guard sections.reduce(0, +) == slots else {
            throw rope.fault(
                "mrope_section", "is \(sections), which adds up to \(sections.reduce(0, +)); expected half the head width, \(slots)")
        }
        return (theta, sections)
    }

    private static func refuseOtherDecoders(_ text: ConfigObject) throws(UserError) {
        try text.expect("hidden_act", oneOf: ["silu"])
        if try text.optionalBool("use_sliding_window") == true {
            throw text.fault("use_sliding_window", "is true; attention over a sliding window is not available in this version")
        }
        if let types = try text.optionalStrings("layer_types"), let other = types.first(where: { $0 != "full_attention" }) {
            throw text.fault("layer_types", "names \(quoted(other)); this version knows \"full_attention\"")
        }
    }
}

extension ModelConfig.Vision {
    fileprivate init(_ vision: ConfigObject, _ text: ModelConfig.Text) throws(UserError) {
        depth = try vision.integer("depth", in: 1...1024)
        hiddenSize = try vision.integer("hidden_size", in: 4...65536)
        heads = try vision.integer("num_heads", in: 1...1024)
        intermediateSize = try vision.integer("intermediate_size", in: 1...1_048_576)
        outHiddenSize = try vision.integer("out_hidden_size", in: 1...65536)
        inChannels = try vision.integer(vision.has("in_channels") ? "in_channels" : "in_chans", in: 1...16)
        patchSize = try vision.integer("patch_size", in: 1...256)
        temporalPatchSize = try vision.integer("temporal_patch_size", in: 1...16)
        spatialMergeSize = try vision.integer("spatial_merge_size", in: 1...16)
        windowSize = try vision.integer("window_size", in: 1...65536)
        fullAttentionBlocks = try vision.integers("fullatt_block_indexes", count: 0...depth, in: 0...depth - 1)
        try vision.expect("hidden_act", oneOf: ["silu"])
        guard hiddenSize % (4 * heads) == 0 else {
            throw vision.fault(
                "num_heads", "is \(heads), which does not share hidden_size \(hiddenSize) into heads whose width is a multiple of 4")
        }
        guard outHiddenSize == text.hiddenSize else {
            throw vision.fault("out_hidden_size", "is \(outHiddenSize), but the text decoder's hidden_size is \(text.hiddenSize)")
        }
        guard windowSize >= patchSize * spatialMergeSize else {
            throw vision.fault("window_size", "is \(windowSize) pixels, less than one token's \(patchSize * spatialMergeSize)")
        }
    }
}
