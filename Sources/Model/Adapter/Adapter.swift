// The LoRA parameters of one task, and the form in which the layers read them.

import Tensor

/// All factors of one task in one flat buffer, float32.
package struct Adapter: Sendable {
    package let task: String
    package let layout: AdapterLayout
    package var values: [Float]

    package init(task: String, layout: AdapterLayout, values: [Float]) {
        precondition(values.count == layout.count, "adapter: \(values.count) values for \(layout.count)")
        self.task = task
        self.layout = layout
        self.values = values
    }

    /// How A begins; B begins at zero, so that a fresh adapter changes nothing.
    package enum Initialization: String, Sendable {
        /// A ~ N(0, 1/rank²), as the published model.
        case gaussian
        /// A uniform within ±1/√inputs, PEFT's default (Kaiming with a = √5).
        case kaiming
    }

    /// A fresh adapter: every value is a function of the seed and the name of its tensor.
    package init(task: String, layout: AdapterLayout, seed: UInt64, _ initialization: Initialization) {
        var values = [Float](repeating: 0, count: layout.count)
        let stream = RandomStream(seed).stream("adapter").stream(task)
        for factor in layout.factors where factor.part == .a {
            let stream = stream.stream(factor.name)
            for (index, place) in factor.range.enumerated() {
                switch initialization {
                case .gaussian:
                    values[place] = Float(stream.gaussian(at: index) / Double(layout.rank))
                case .kaiming:
                    values[place] = Float((2 * stream.uniform(at: index) - 1) / Double(factor.columns).squareRoot())
                }
            }
        }
        self.init(task: task, layout: layout, values: values)
    }

    /// Takes over the values of every factor that `source` has too.
    ///
    /// - Parameter narrowRanks: by module path, the ranks of linears whose factors in `source` are filled up with zeros. A keeps its own
    ///   rows there, so that they can learn; B is zero at them, so that they change nothing yet.
    package mutating func copyFactors(of source: Adapter, narrowRanks: [String: Int] = [:]) {
        let own = Dictionary(uniqueKeysWithValues: layout.factors.map { ($0.name, $0) })
        for factor in source.layout.factors {
            guard let range = own[factor.name]?.range else { continue }
            precondition(range.count == factor.range.count, "adapter: \(factor.name) has another shape")
            let rows = factor.part == .a ? narrowRanks[factor.pair.module] ?? factor.rows : factor.rows
            let count = rows * factor.columns
            values.replaceSubrange(range.prefix(count), with: source.values[factor.range.prefix(count)])
        }
    }

    /// The factors as the engine multiplies them: a copy, rounded where the engine's products are bfloat16.
    package func loaded(for engine: MatrixEngine) -> LoadedAdapter {
        let flat = converted(Tensor(values, rows: 1, columns: values.count), to: engine.element)
        return LoadedAdapter(layout: layout, flat: flat)
    }
}

/// An adapter as the engine reads it; it does not follow later changes of the values.
package struct LoadedAdapter: Sendable {
    package let layout: AdapterLayout
    private let groups: [GroupFactors?]
    /// The lowest group that is adapted: no gradient is needed below it.
    let lowestPlace: Int

    fileprivate init(layout: AdapterLayout, flat: Tensor) {
        func matrix(at offset: Int, rows: Int, columns: Int) -> WeightMatrix {
            WeightMatrix(flat, from: offset, rows: rows, columns: columns)
        }
        self.layout = layout
        lowestPlace = layout.groups.firstIndex { $0 != nil } ?? layout.groups.count
        groups = layout.groups.map { group in
            group.map { group in
                let first = group.pairs[0]
                return GroupFactors(
                    scale: layout.scale, aOffset: first.aOffset,
                    a: matrix(at: first.aOffset, rows: group.pairs.count * layout.rank, columns: first.inputs),
                    members: zip(group.linears, group.pairs).map { linear, pair in
                        GroupFactors.Member(
                            linear: linear, bOffset: pair.bOffset,
                            b: matrix(at: pair.bOffset, rows: pair.outputs, columns: layout.rank))
                    })
            }
        }
    }

    /// The factors of a group of linears; nil where none is adapted.
    func factors(at place: Int) -> GroupFactors? { groups[place] }
}

/// The factors of linears that share an input, ready to multiply.
struct GroupFactors: Sendable {
    /// An adapted linear of the group.
    struct Member: Sendable {
        /// Its number in the group.
        let linear: Int
        /// Where its B begins in the flat buffer.
        let bOffset: Int
        /// [outputs, rank]
        let b: WeightMatrix
    }

    let scale: Float
    /// Where the A's begin in the flat buffer.
    let aOffset: Int
    /// The A's of all members, one below the other.               [members · rank, inputs]
    let a: WeightMatrix
    let members: [Member]
}

/// The gradient of one task's adapter, summed exactly over chunks.
package struct AdapterGradient: Sendable {
    package let layout: AdapterLayout
    package let sum: ExactSum

    package init(layout: AdapterLayout) {
        self.layout = layout
        sum = ExactSum(count: layout.count)
    }
}
