// The frozen backbone on disk: which tensor belongs where. Matrices stay in the mapped files, one copy for all
// ranks of a host; norms and biases, which are small, become floats. Tensor names: those of the published checkpoint.

import Files
import Tensor

/// The weights of one decoder layer. Matrices are [out, in].
package struct DecoderWeights: Sendable {
    package let inputNorm: [Float]
    package let postAttentionNorm: [Float]
    package let q: WeightMatrix
    package let k: WeightMatrix
    package let v: WeightMatrix
    package let o: WeightMatrix
    package let gate: WeightMatrix
    package let up: WeightMatrix
    package let down: WeightMatrix
    package let qBias: [Float]
    package let kBias: [Float]
    package let vBias: [Float]

    package var matrices: [WeightMatrix] { [q, k, v, o, gate, up, down] }
}

/// A backbone in the layout of jina-embeddings-v4 or Qwen2.5-VL.
///
///     let checkpoint = try Checkpoint.read(folder: "jina-embeddings-v4")
package struct Checkpoint: Sendable {
    package let folder: String
    package let config: ModelConfig
    /// [vocabulary, hidden]
    package let embedding: WeightMatrix
    package private(set) var layers: [DecoderWeights]
    /// [hidden]
    package let finalNorm: [Float]
    /// Nil in a plain Qwen2.5-VL backbone, or one with a task merged into it.
    package let projector: Projector?
    /// Nil for a text-only checkpoint.
    package let vision: VisionWeights?
    package let files: [SafetensorsFile]
    /// Without an output head, which embeddings do not need.
    package let parameterCount: Int
    /// Of the weight files.
    package let byteCount: Int

    /// Of the matrices of the decoder's layers.
    package var layerBytes: Int {
        layers.reduce(0) { $0 + $1.matrices.reduce(0) { $0 + $1.count * $1.element.byteWidth } }
    }

    /// The same checkpoint with other matrices in the layers.
    ///
    /// - Parameter matrices: of the same shapes, layer by layer in the order of `DecoderWeights.matrices`
    package func replacing(layerMatrices matrices: [WeightMatrix]) -> Checkpoint {
        var copy = self
        copy.layers = layers.enumerated().map { index, layer in
            let own = Array(matrices[index * layer.matrices.count..<(index + 1) * layer.matrices.count])
            return DecoderWeights(
                inputNorm: layer.inputNorm, postAttentionNorm: layer.postAttentionNorm, q: own[0], k: own[1], v: own[2], o: own[3],
                gate: own[4], up: own[5], down: own[6], qBias: layer.qBias, kBias: layer.kBias, vBias: layer.vBias)
        }
        return copy
    }

    /// - Throws: `UserError` `.missing` when the folder, config.json or weights are; `.content` naming file and tensor when one
    ///   is absent, superfluous, of another shape than config.json says, or of a type other than BF16, F16 and F32
    package static func read(folder: String) throws(UserError) -> Checkpoint {
        try Checkpoint(folder, ModelConfig.read(folder: folder), CheckpointFiles(folder: folder))
    }

    private init(_ folder: String, _ config: ModelConfig, _ found: CheckpointFiles) throws(UserError) {
        let text = config.text
        try found.refuseQuantised()
        var tensors = try TensorTable(found.files, path: found.path, canonicalName: Self.publishedName)
        self.folder = folder
        self.config = config
        files = found.files
        byteCount = found.files.reduce(0) { $0 + $1.file.bytes.count }

        embedding = try tensors.matrix("model.embed_tokens.weight", rows: text.vocabularySize, columns: text.hiddenSize)
        var layers: [DecoderWeights] = []
        for layer in 0..<text.layers { layers.append(try DecoderWeights(layer, text, &tensors)) }
        self.layers = layers
        finalNorm = try tensors.vector("model.norm.weight", count: text.hiddenSize)
        projector = try Self.projector(config, &tensors)
        if let tower = config.vision { vision = try VisionWeights(tower, &tensors) } else { vision = nil }
        parameterCount = tensors.takenParameters
        if tensors.has("lm_head.weight") { try tensors.leave("lm_head.weight", shape: [text.vocabularySize, text.hiddenSize]) }
        try tensors.expectEmpty()
    }

    /// How the same tensors are called by the class that saved them: `Qwen2_5_VLForConditionalGeneration` of newer releases of
    /// transformers, `Qwen2_5_VLModel` (which `AutoModel` makes), the text model alone, and a decoder that is a model of its own.
    private static let spellings = [
        ("model.language_model.", "model."), ("model.visual.", "visual."), ("language_model.model.", "model."),
        ("language_model.lm_head.", "lm_head."), ("language_model.", "model."), ("embed_tokens.", "model.embed_tokens."),
        ("layers.", "model.layers."), ("norm.", "model.norm."),
    ]

    /// A tensor's published name, whatever its spelling.
    private static func publishedName(_ name: String) -> String {
        for (spelling, published) in spellings where name.utf8.starts(with: spelling.utf8) {
            return published + String(decoding: name.utf8.dropFirst(spelling.utf8.count), as: UTF8.self)
        }
        return name
    }

    private static func projector(_ config: ModelConfig, _ tensors: inout TensorTable) throws(UserError) -> Projector? {
        guard tensors.has(Projector.weightName) || tensors.has(Projector.biasName) else { return nil }
        return try Projector(&tensors, config)
    }
}

extension DecoderWeights {
    fileprivate init(_ layer: Int, _ text: ModelConfig.Text, _ tensors: inout TensorTable) throws(UserError) {
        let prefix = "model.layers.\(layer)."
        func matrix(_ module: DecoderModule) throws(UserError) -> WeightMatrix {
            try tensors.matrix("\(prefix)\(module.rawValue).weight", rows: module.outputs(text), columns: module.inputs(text))
        }
        func bias(_ module: DecoderModule) throws(UserError) -> [Float] {
            try tensors.vector("\(prefix)\(module.rawValue).bias", count: module.outputs(text))
        }
        inputNorm = try tensors.vector(prefix + "input_layernorm.weight", count: text.hiddenSize)
        (q, qBias) = (try matrix(.q), try bias(.q))
        (k, kBias) = (try matrix(.k), try bias(.k))
        (v, vBias) = (try matrix(.v), try bias(.v))
        o = try matrix(.o)
        postAttentionNorm = try tensors.vector(prefix + "post_attention_layernorm.weight", count: text.hiddenSize)
        (gate, up, down) = (try matrix(.gate), try matrix(.up), try matrix(.down))
    }
}
