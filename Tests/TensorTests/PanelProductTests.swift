// Each kernel against a plain loop of its documented arithmetic, to the bit: so bits are known to be those of every processor with
// the same arithmetic, also where a processor lacks the instruction and computes it by others.

import Support
import Tensor
import Testing

/// The arithmetic of one element of a product, as a loop.
private enum ElementArithmetic {
    /// One chain of fused multiply-adds in the order of the depth.
    case float32
    /// `vdpbf16ps`: of each pair the odd product first, then the even one, each fused; denormals are zeros before and after.
    case pairs
    /// `tdpbf16ps`: of 32 values of the depth, the chains of the even and of the odd products, added, then added to the sum;
    /// denormals are zeros before and after.
    case tiles

    init(_ engine: MatrixEngine) {
        self =
            switch (engine.kind, engine.instructions) {
            case (.float32, _): .float32
            case (.bfloat16, .amx): .tiles
            case (.bfloat16, _): .pairs
            }
    }

    func element(_ a: [Float], _ b: [Float], startingWith start: Float) -> Float {
        var sum = start
        switch self {
        case .float32:
            for (a, b) in zip(a, b) { sum = sum.addingProduct(a, b) }
        case .pairs:
            for first in stride(from: 0, to: a.count, by: 2) {
                // A value that is missing at the end of an odd depth is a zero.
                for k in [first + 1, first] { sum = k < a.count ? Self.add(a[k], b[k], to: sum) : Self.add(0, 0, to: sum) }
            }
        case .tiles:
            for first in stride(from: 0, to: a.count, by: 32) {
                var (even, odd): (Float, Float) = (0, 0)
                // A tile that is not full is filled with zeros, whose product turns -0 into 0.
                for k in first..<first + 32 {
                    let (x, y): (Float, Float) = k < a.count ? (a[k], b[k]) : (0, 0)
                    if (k - first) % 2 == 0 { even = Self.add(x, y, to: even) } else { odd = Self.add(x, y, to: odd) }
                }
                sum = Self.flushed(Self.flushed(sum) + Self.flushed(even + odd))
            }
        }
        return sum
    }

    private static func add(_ a: Float, _ b: Float, to sum: Float) -> Float {
        flushed(flushed(sum).addingProduct(flushed(a), flushed(b)))
    }

    private static func flushed(_ value: Float) -> Float { value.isSubnormal ? Float(signOf: value, magnitudeOf: 0) : value }
}

@Suite struct PanelProductTests {
    @Test func avx2() { checkAll(.avx2) }

    @Test(.enabled(if: InstructionSet.available.contains(.avx512), "this processor lacks AVX-512")) func avx512() { checkAll(.avx512) }

    @Test(.enabled(if: InstructionSet.available.contains(.avx512BFloat16), "this processor lacks AVX512-BF16"))
    func avx512BFloat16() { checkAll(.avx512BFloat16) }

    @Test(.enabled(if: InstructionSet.available.contains(.amx), "this processor lacks AMX")) func amx() { checkAll(.amx) }

    private func checkAll(_ instructions: InstructionSet) {
        for engine in [MatrixEngine(.float32, .own, instructions), MatrixEngine(.bfloat16, .own, instructions)] {
            // Shapes at every edge of tiles, blocks and pairs.
            let shapes = [(1, 1, 1), (7, 33, 5), (14, 32, 64), (15, 70, 65), (31, 17, 300), (33, 47, 2081), (40, 100, 513)]
            for (rows, out, depth) in shapes { check(engine, rows, out, depth) { $0 } }
            // Values whose products and sums leave the range of normal numbers.
            for scale in [Float(0x1p-66), 0x1p-130] { check(engine, 9, 35, 70) { $0 * scale } }
        }
    }

    private func check(_ engine: MatrixEngine, _ rows: Int, _ out: Int, _ depth: Int, _ scale: (Float) -> Float) {
        func values(_ seed: UInt64, _ rows: Int, _ columns: Int) -> Tensor {
            let wide = Tensor(Samples(seed: seed).uniform(rows, columns).values.map(scale), rows: rows, columns: columns)
            return engine.kind == .float32 ? wide : converted(wide, to: .bfloat16)
        }
        let arithmetic = ElementArithmetic(engine)
        let (x, w, wt) = (values(1, rows, depth), values(2, out, depth), values(3, depth, out))
        let start = Tensor(Samples(seed: 4).uniform(rows, out).values.map { scale(scale($0)) }, rows: rows, columns: out)
        let (a, forward, backward) = (x.asFloats, w.asFloats, wt.asFloats)
        for accumulate in [false, true] {
            func expected(_ weight: (Int, Int) -> Float) -> [Float] {
                (0..<rows * out).map { index in
                    let (row, column) = (index / out, index % out)
                    return arithmetic.element(
                        Array(a[row * depth..<(row + 1) * depth]), (0..<depth).map { weight($0, column) },
                        startingWith: accumulate ? start.values[index] : 0)
                }
            }
            let name = "\(engine.testDescription), [\(rows), \(depth)] × [\(depth), \(out)]\(accumulate ? ", added" : "")"
            func sum() -> Tensor? { accumulate ? start.copy(of: 0..<rows) : nil }
            expectSameBits(
                engine.forward(x, WeightMatrix(w), onto: sum()).values, expected { forward[$1 * depth + $0] }, "\(name), x·Wᵀ",
                shape: [rows, out])
            expectSameBits(
                engine.backward(x, WeightMatrix(wt), onto: sum()).values, expected { backward[$0 * out + $1] }, "\(name), dY·W",
                shape: [rows, out])
        }
    }

    /// What lets one adapter come from any processor in float32, and from any without AMX in bfloat16.
    @Test(arguments: [MatrixEngine.Kind.float32, .bfloat16]) func enginesOfOneArithmeticAgree(kind: MatrixEngine.Kind) {
        let engines = MatrixEngines.own(kind)
        for arithmetic in Set(engines.map(\.arithmetic)) {
            let same = engines.filter { $0.arithmetic == arithmetic }
            let (x, w) = (
                Samples(seed: 5).tensor(61, 700, same[0].element), WeightMatrix(Samples(seed: 6).tensor(129, 700, same[0].element))
            )
            let first = same[0].forward(x, w)
            for other in same.dropFirst() {
                expectSameBits(other.forward(x, w).values, first.values, "\(other.testDescription)", shape: first.shape)
            }
        }
    }

    @Test func theProofPassesForOwnKernels() {
        let shapes = [EngineProof.Shape(out: 96, in: 300), EngineProof.Shape(out: 256, in: 256)]
        for engine in MatrixEngines.own { #expect(EngineProof.firstDifference(engine, shapes: shapes) == nil, "\(engine.testDescription)") }
        #expect(MatrixEngine(.bfloat16, .own, .avx512BFloat16).computesPairsAsDocumented)
    }
}
