// The kernels that are timed, each with the work that it cannot avoid.

import Tensor
import Trainer

struct KernelCase {
    enum Work {
        /// Read and written, once each.
        case bytes(Int)
        /// Multiplications and additions.
        case operations(Double)
    }

    let name: String
    let work: Work
    let run: () -> Void
}

/// Inputs of jina-embeddings-v4's sizes.
struct KernelCases {
    let tokens: Int
    let element: Tensor.Element
    private let hidden = 2048
    private let intermediate = 11008
    private let keyValue = 256
    private let rank = 32
    private let shape = AttentionShape(heads: 16, keyValueHeads: 2, headDimension: 128)
    /// Of the adapter of all 36 layers.
    private let parameters = 59_867_136

    init(tokens: Int, _ engine: MatrixEngine) {
        self.tokens = tokens
        element = engine.element
    }

    var all: [KernelCase] {
        norms + rotations + gates + attention + dropouts + outerProducts + pooling + lateInteraction + conversions + updates + tower
    }

    var width: Int { element.byteWidth }
    private var segments: [Range<Int>] { stride(from: 0, to: tokens, by: 128).map { $0..<$0 + 128 } }

    func passes(_ name: String, bytes: Int, _ run: @escaping () -> Void) -> KernelCase {
        KernelCase(name: name, work: .bytes(bytes), run: run)
    }

    func products(_ name: String, _ operations: Double, _ run: @escaping () -> Void) -> KernelCase {
        KernelCase(name: name, work: .operations(operations), run: run)
    }

    private var norms: [KernelCase] {
        let (x, dX, weight) = (Tensor.sample(tokens, hidden), Tensor.sample(tokens, hidden), [Float](repeating: 1, count: hidden))
        let kept = rmsNorm(x, weight: weight, epsilon: 1e-6, as: element).kept
        let element = element
        return [
            passes("RMSNorm", bytes: x.count * (4 + 2 * width)) { _ = rmsNorm(x, weight: weight, epsilon: 1e-6, as: element) },
            passes("RMSNorm, backward", bytes: x.count * (4 + width + 8)) {
                var dX = dX
                rmsNormBackward(x, kept, weight: weight, addingTo: &dX)
            },
        ]
    }

    private var rotations: [KernelCase] {
        let table = RotaryTable(positions: 128, headDimension: shape.headDimension, theta: 1e6, sections: [16, 24, 24])
        let (x, positions, element) = (Tensor.sample(tokens, hidden), RotaryPositions(segments: segments), element)
        let bias = [Float](repeating: 0.1, count: hidden)
        return [
            passes("rotation of q, with bias", bytes: x.count * (4 + width)) { _ = rotate(x, bias: bias, table, positions, as: element) },
            passes("rotation of q, backward", bytes: x.count * (4 + width)) { _ = rotateBackward(x, table, positions, as: element) },
        ]
    }

    private var gates: [KernelCase] {
        let (gate, up) = (Tensor.sample(tokens, intermediate, element), Tensor.sample(tokens, intermediate, element))
        return [
            passes("SwiGLU", bytes: gate.count * 3 * width) { _ = swiGLU(gate: gate, up: up) },
            passes("SwiGLU, backward", bytes: gate.count * 5 * width) { _ = swiGLUBackward(gate, gate: gate, up: up) },
        ]
    }

    private var attention: [KernelCase] {
        let (q, k, v) = (
            Tensor.sample(tokens, hidden, element), Tensor.sample(tokens, keyValue, element), Tensor.sample(tokens, keyValue, element)
        )
        let (dOutput, shape, segments) = (Tensor.sample(tokens, hidden), shape, segments)
        let (output, logSumExp) = causalAttention(q: q, k: k, v: v, segments: segments, shape)
        // A causal product touches half of the square and the diagonal; forward has two of them, backward five.
        let square = segments.reduce(0.0) { $0 + Double($1.count * ($1.count + 1)) } * Double(shape.heads * shape.headDimension)
        return [
            products("attention, texts of 128", 2 * square) { _ = causalAttention(q: q, k: k, v: v, segments: segments, shape) },
            products("attention, backward", 5 * square) {
                _ = causalAttentionBackward(
                    dOutput, q: q, k: k, v: v, output: output, logSumExp: logSumExp, segments: segments, shape)
            },
        ]
    }

    private var dropouts: [KernelCase] {
        let dropout = Dropout(probability: 0.1, rowKeys: (0..<tokens).map { RandomStream(3).bits(at: $0) })
        let x = Tensor.sample(tokens, hidden, element)
        return [
            passes("dropout", bytes: x.count * 2 * width) { _ = dropout.applied(to: x, stream: 1) },
            passes("dropout, backward", bytes: x.count * 2 * width) {
                var x = x
                dropout.apply(to: &x, stream: 1)
            },
        ]
    }

    private var outerProducts: [KernelCase] {
        let sum = ExactSum(count: intermediate * rank)
        sum.reset(parts: 1)
        let (wide, low, narrow) = (
            Tensor.sample(tokens, intermediate, element), Tensor.sample(tokens, rank, element), Tensor.sample(tokens, hidden, element)
        )
        let chunks = segments
        return [
            products("gradient of B, gate", 2 * Double(tokens * intermediate * rank)) {
                addOuterProducts(wide, low, chunks: chunks, to: sum, at: 0)
            },
            products("gradient of A, gate", 2 * Double(tokens * hidden * rank)) {
                addOuterProducts(low, narrow, chunks: chunks, to: sum, at: 0)
            },
        ]
    }

    private var pooling: [KernelCase] {
        let (states, segments, tokens) = (Tensor.sample(tokens, hidden), segments, tokens)
        let pooled = meanPooled(states, segments: segments)
        let dUnit = Tensor.sample(segments.count, hidden)
        return [
            passes("mean and length 1", bytes: 4 * states.count) { _ = meanPooled(states, segments: segments) },
            passes("mean and length 1, backward", bytes: 4 * states.count) {
                _ = meanPooledBackward(dUnit, pooled, segments: segments, tokens: tokens)
            },
        ]
    }

    /// 64 queries of 32 tokens; and the multi-vector head's normalisation.
    private var lateInteraction: [KernelCase] {
        let (late, queries, segments) = (Tensor.sample(tokens, 128), Tensor.sample(64 * 32, 128), segments)
        let ranges = (0..<8).map { $0 * 32..<($0 + 1) * 32 }
        let (documents, bias) = (DocumentTokens(late, segments), [Float](repeating: 0, count: 128))
        let kept = unitRows(late, bias: bias)
        let scores = Tensor(64, segments.count)
        let element = element
        return [
            products("MaxSim", 2 * Double(queries.count * tokens)) {
                Threads.run(8) { block in
                    MaxSim.score(
                        queries.rows(block * 256..<(block + 1) * 256), ranges, documents,
                        into: MaxSimScores(scores, from: block * 8 * segments.count, queryStride: segments.count, documentStride: 1))
                }
            },
            passes("late vectors to length 1", bytes: 8 * late.count) { _ = unitRows(late, bias: bias) },
            passes("late vectors to length 1, backward", bytes: (8 + width) * late.count) {
                _ = unitRowsBackward(late, kept, as: element)
            },
        ]
    }

    private var conversions: [KernelCase] {
        let x = Tensor.sample(tokens, hidden)
        return [passes("rounding to bfloat16", bytes: 6 * x.count) { _ = converted(x, to: .bfloat16) }]
    }

    private var updates: [KernelCase] {
        let gradient = Tensor.sample(1, parameters).values
        let sum = ExactSum(count: parameters)
        sum.reset(parts: 1)
        let trained = TrainedValues(count: parameters)
        return [
            passes("integers to gradient", bytes: 12 * parameters) { [parameters] in _ = sum.rounded(parameters) },
            passes("gradient norm", bytes: 4 * parameters) { _ = norm(of: gradient) },
            passes("AdamW", bytes: 28 * parameters) { trained.update(gradient) },
        ]
    }
}

/// An adapter's values and moments, changed in place by one update after the other.
private final class TrainedValues {
    private var values: [Float]
    private var optimizer: AdamW

    init(count: Int) {
        values = [Float](repeating: 0.01, count: count)
        optimizer = AdamW(AdamW.Configuration(beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0.01), count: count)
    }

    func update(_ gradient: [Float]) { optimizer.update(&values, gradient, learningRate: 1e-4) }
}
