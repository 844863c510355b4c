// Which LoRA factors exist and where each lies in the flat buffer of a task's adapter.

/// The factors of one adapted linear: y = W·x + (alpha / rank) · B·A·x.
package struct AdapterPair: Sendable, Equatable {
    /// Path of the linear in the reference implementation, such as `model.language_model.layers.0.self_attn.q_proj`.
    package let module: String
    /// Columns of A [rank, inputs] and rows of B [outputs, rank].
    package let inputs: Int
    package let outputs: Int
    /// Where A and B begin in the flat buffer.
    package let aOffset: Int
    package let bOffset: Int
}

/// The adapted linears among those that share one input.
package struct AdapterGroup: Sendable, Equatable {
    package let pairs: [AdapterPair]
    /// Which of the group's linears each pair belongs to, in the order of `DecoderModule.inputGroups`.
    package let linears: [Int]
}

/// The shape of an adapter: the same for every task of a model.
///
/// Factors of linears that share an input lie together, A's before B's; the projector's come last. One flat buffer holds
/// everything, so clipping, reduction and the optimizer are one loop.
package struct AdapterLayout: Sendable, Equatable {
    package let rank: Int
    package let alpha: Double
    package let pairs: [AdapterPair]
    /// The groups in the order of the forward pass: the decoder's [layers · 4], then the projector's; nil where no linear is adapted.
    package let groups: [AdapterGroup?]
    /// Parameters in all.
    package let count: Int
    /// Parameters of the decoder's pairs: all but the projector's, which only late interaction reaches.
    package let decoderCount: Int
    /// Decoder layers of the model, adapted or not.
    package let modelLayers: Int

    /// alpha / rank
    package var scale: Float { Float(alpha / Double(rank)) }

    /// - Parameter isTarget: whether the linear at a module path is adapted
    package init(_ config: ModelConfig, rank: Int, alpha: Double, isTarget: (String) -> Bool) {
        self.rank = rank
        self.alpha = alpha
        modelLayers = config.text.layers
        var pairs: [AdapterPair] = []
        var offset = 0
        func append(_ linears: [(module: String, inputs: Int, outputs: Int)]) -> AdapterGroup? {
            let adapted = linears.indices.filter { isTarget(linears[$0].module) }
            var bOffset = offset + adapted.reduce(0) { $0 + rank * linears[$1].inputs }
            let group = adapted.map { index in
                let linear = linears[index]
                defer {
                    offset += rank * linear.inputs
                    bOffset += rank * linear.outputs
                }
                return AdapterPair(
                    module: linear.module, inputs: linear.inputs, outputs: linear.outputs, aOffset: offset, bOffset: bOffset)
            }
            offset = bOffset
            pairs += group
            return group.isEmpty ? nil : AdapterGroup(pairs: group, linears: adapted)
        }
        var groups: [AdapterGroup?] = []
        for layer in 0..<config.text.layers {
            for group in DecoderModule.inputGroups {
                groups.append(append(group.map { ($0.path(layer: layer), $0.inputs(config.text), $0.outputs(config.text)) }))
            }
        }
        decoderCount = offset
        groups.append(append([(DecoderModule.projectorPath, config.text.hiddenSize, config.projectorDimension)]))
        self.pairs = pairs
        self.groups = groups
        count = offset
    }

    /// Parameters that a loss over some heads reaches: the first ones of the buffer.
    package func count(reachedBy heads: EmbeddingHeads) -> Int { heads.hasLate ? count : decoderCount }

    /// The pair of the linear at `module`, if it is adapted.
    package func pair(_ module: String) -> AdapterPair? { pairs.first { $0.module == module } }

    /// Name and range of every factor, for tables: `…q_proj.lora_A`, shape [rows, columns].
    package var factors: [AdapterFactor] {
        pairs.flatMap { pair in
            [
                AdapterFactor(pair: pair, part: .a, rows: rank, columns: pair.inputs, offset: pair.aOffset),
                AdapterFactor(pair: pair, part: .b, rows: pair.outputs, columns: rank, offset: pair.bOffset),
            ]
        }
    }
}

/// One matrix of an adapter.
package struct AdapterFactor: Sendable {
    /// A or B of a linear, under PEFT's name.
    package enum Part: String, Sendable {
        case a = "lora_A"
        case b = "lora_B"
    }

    package let pair: AdapterPair
    package let part: Part
    package let rows: Int
    package let columns: Int
    package let offset: Int

    package var range: Range<Int> { offset..<offset + rows * columns }
    package var name: String { "\(pair.module).\(part.rawValue)" }
}
