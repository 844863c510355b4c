// How PEFT finds the linears of an adapter: `target_modules`, a regular expression that is matched against whole module paths, or names
// that end them.

/// Patterns for what a layout adapts, no more and no less.
enum TargetPattern {
    /// The published model's: every linear of the decoder, and the projector.
    static let published =
        "(.*(model).*(down_proj|gate_proj|up_proj|k_proj|q_proj|v_proj|o_proj).*$|.*(single_vector_projector|multi_vector_projector).*$)"

    /// `exclude_modules` of adapters that leave the vision tower alone.
    static let visionTower = ".*visual.*"

    /// For all of a layout; the published pattern where that says the same.
    static func all(_ layout: AdapterLayout) -> String {
        let hasProjector = layout.pair(DecoderModule.projectorPath) != nil
        if hasProjector, layout.pairs.count == layout.modelLayers * DecoderModule.allCases.count + 1 { return published }
        let parts = (layout.decoderCount > 0 ? [decoder(layout)] : []) + (hasProjector ? [DecoderModule.projectorPath] : [])
        return parts.count == 1 ? parts[0] : "(\(parts.joined(separator: "|")))"
    }

    /// The linears of the decoder by name, whatever class they are wrapped in.
    ///
    /// - Returns: `target_modules`, and `layers_to_transform` where not all layers are adapted
    static func names(_ layout: AdapterLayout) -> (names: [String], layers: [Int]?) {
        let modules = DecoderModule.allCases
        let adapted = (0..<layout.modelLayers).map { layer in modules.filter { layout.pair($0.path(layer: layer)) != nil } }
        let layers = adapted.indices.filter { !adapted[$0].isEmpty }
        precondition(!layers.isEmpty, "target modules: no linear of the decoder is adapted")
        guard layers.allSatisfy({ adapted[$0] == adapted[layers[0]] }) else {
            return (layers.flatMap { layer in adapted[layer].map { "layers.\(layer).\($0.rawValue)" } }, nil)
        }
        return (adapted[layers[0]].map(\.linear), layers.count == layout.modelLayers ? nil : layers)
    }

    /// For the linears of the decoder alone; never matches the vision tower.
    private static func decoder(_ layout: AdapterLayout) -> String {
        let modules = DecoderModule.allCases
        let adapted = (0..<layout.modelLayers).map { layer in modules.filter { layout.pair($0.path(layer: layer)) != nil } }
        let layers = adapted.indices.filter { !adapted[$0].isEmpty }
        precondition(!layers.isEmpty, "target pattern: no linear of the decoder is adapted")
        let prefix = #".*\.language_model\.layers\."#
        guard layers.allSatisfy({ adapted[$0] == adapted[layers[0]] }) else {
            return prefix + choice(layers.flatMap { layer in adapted[layer].map { "\(layer).\($0.rawValue)" } })
        }
        let numbers = layers.count == layout.modelLayers ? #"\d+"# : choice(layers.map(String.init))
        return prefix + numbers + #"\."# + choice(adapted[layers[0]].map(\.rawValue))
    }

    private static func choice(_ names: [String]) -> String {
        "(\(names.joined(separator: "|").split(separator: ".", omittingEmptySubsequences: false).joined(separator: #"\."#)))"
    }
}
