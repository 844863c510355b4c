// The linears of a decoder layer: their names, their shapes, and which of them read the same input.

/// The seven linears of a decoder layer under their names in the reference implementation.
package enum DecoderModule: String, CaseIterable, Sendable {
    case q = "self_attn.q_proj"
    case k = "self_attn.k_proj"
    case v = "self_attn.v_proj"
    case o = "self_attn.o_proj"
    case gate = "mlp.gate_proj"
    case up = "mlp.up_proj"
    case down = "mlp.down_proj"

    /// Linears that read the same input, in the order of the forward pass.
    static let inputGroups: [[DecoderModule]] = [[.q, .k, .v], [.o], [.gate, .up], [.down]]

    package static let projectorPath = "multi_vector_projector"

    /// The linear's own name, such as `q_proj`.
    package var linear: String { String(rawValue.split(separator: ".")[1]) }

    /// The linear's path in the model, such as `model.language_model.layers.0.self_attn.q_proj`.
    package func path(layer: Int) -> String { "model.language_model.layers.\(layer).\(rawValue)" }

    /// The layer in a path of that form; nil for linears outside the layers.
    package static func layer(ofPath path: String) -> Int? {
        let parts = path.split(separator: ".")
        return parts.firstIndex(of: "layers").flatMap { $0 + 1 < parts.count ? Int(parts[$0 + 1]) : nil }
    }

    func inputs(_ text: ModelConfig.Text) -> Int {
        switch self {
        case .q, .k, .v, .gate, .up: text.hiddenSize
        case .o: text.heads * text.headDimension
        case .down: text.intermediateSize
        }
    }

    func outputs(_ text: ModelConfig.Text) -> Int {
        switch self {
        case .q: text.heads * text.headDimension
        case .k, .v: text.keyValueHeads * text.headDimension
        case .o, .down: text.hiddenSize
        case .gate, .up: text.intermediateSize
        }
    }
}
