// MaxSim against numpy and against a plain loop; a pair's bits in any company; ties.

import Files
import Support
import Tensor
import Testing

/// Multi-vector embeddings of several inputs, one after the other.
private struct TokenVectors {
    /// [tokens, width]
    let rows: Tensor
    let segments: [Range<Int>]

    var count: Int { segments.count }

    init(_ rows: Tensor, lengths: [Int]) {
        self.rows = rows
        var start = 0
        segments = lengths.map { length in
            defer { start += length }
            return start..<start + length
        }
    }

    /// Random unit vectors.
    init(_ lengths: [Int], width: Int, seed: UInt64) {
        let x = Samples(seed: seed).tensor(lengths.reduce(0, +), width)
        self.init(unitRows(x, bias: [Float](repeating: 0, count: width)).unit, lengths: lengths)
    }

    /// Some of the inputs by themselves.
    subscript(_ inputs: [Int]) -> TokenVectors {
        let lengths = inputs.map { segments[$0].count }
        let values = inputs.flatMap { rows.rows(segments[$0]).values }
        return TokenVectors(Tensor(values, rows: lengths.reduce(0, +), columns: rows.columns), lengths: lengths)
    }
}

@Suite struct MaxSimTests {
    /// Scores [queries, documents] and best tokens [query tokens, documents].
    private func maxSim(_ queries: TokenVectors, _ documents: TokenVectors) -> (scores: Tensor, best: [Int32]) {
        let scores = Tensor(queries.count, documents.count)
        let best = MaxSim.scoreAndFind(
            queries.rows, queries.segments, DocumentTokens(documents.rows, documents.segments),
            into: MaxSimScores(scores, queryStride: documents.count, documentStride: 1))
        return (scores, best)
    }

    @Test func numpyFindsTheSame() throws {
        let golden = try SafetensorsFile(path: PackagePath.golden("maxsim/golden.safetensors"))
        func values<T: BitwiseCopyable>(_ name: String, as _: T.Type) throws -> [T] {
            let (bytes, width) = (golden.bytes(of: try #require(golden[name])), MemoryLayout<T>.stride)
            return (0..<bytes.count / width).map { bytes.loadUnaligned(fromByteOffset: width * $0, as: T.self) }
        }
        func inputs(_ name: String, _ lengths: String) throws -> TokenVectors {
            let (lengths, vectors) = try (values(lengths, as: Int32.self).map(Int.init), values(name, as: Float.self))
            let rows = lengths.reduce(0, +)
            return TokenVectors(Tensor(vectors, rows: rows, columns: vectors.count / rows), lengths: lengths)
        }
        let (queries, documents) = try (inputs("queries", "query_lengths"), inputs("documents", "document_lengths"))
        let found = maxSim(queries, documents)
        expectClose(found.scores.values, try values("scores", as: Double.self), "scores", shape: found.scores.shape, .float32Elementwise)
        let expected = try values("best", as: Int32.self)  // [documents, query tokens]
        let tokens = queries.rows.rows
        #expect(found.best.indices.allSatisfy { found.best[$0] == expected[$0 % documents.count * tokens + $0 / documents.count] })
    }

    /// To the bit: chains of fused multiply-adds, the first of equals, sums in the order of the tokens.
    @Test(arguments: [(1, 1), (5, 16), (128, 128), (40, 70)])
    func aPlainLoopFindsTheSame(seed: UInt64, width: Int) {
        let queries = TokenVectors([3, 1, 40, 31, 300, 2, 64, 8, 9], width: width, seed: seed)
        let documents = TokenVectors(
            [1, 2, 511, 512, 513, 9, 700, 3, 64, 15, 16, 17] + [Int](repeating: 2, count: 20), width: width, seed: seed + 1)
        let found = maxSim(queries, documents)
        var (scores, best) = ([Float](), [Int32](repeating: 0, count: queries.rows.rows * documents.count))
        for query in queries.segments {
            for (place, document) in documents.segments.enumerated() {
                var sum: Float = 0
                for token in query {
                    let (largest, index) = plainBest(queries.rows, token, documents.rows, document)
                    sum += largest
                    best[token * documents.count + place] = Int32(index)
                }
                scores.append(sum)
            }
        }
        expectSameBits(found.scores.values, scores, "scores", shape: found.scores.shape)
        expectSameElements(found.best, best, "best")
    }

    private func plainBest(_ queries: Tensor, _ token: Int, _ documents: Tensor, _ document: Range<Int>) -> (Float, Int) {
        let width = queries.columns
        var (largest, index) = (-Float.infinity, 0)
        for (place, row) in document.enumerated() {
            var product: Float = 0
            for k in 0..<width { product.addProduct(queries.floats[token * width + k], documents.floats[row * width + k]) }
            if product > largest { (largest, index) = (product, place) }
        }
        return (largest, index)
    }

    @Test func aPairsBitsAreItsOwn() {
        let queries = TokenVectors([20, 7, 600, 33, 1, 64], width: 128, seed: 5)
        let documents = TokenVectors([120, 3, 300, 1, 77, 256, 8], width: 128, seed: 6)
        let together = maxSim(queries, documents).scores.values
        for query in 0..<queries.count {
            for document in 0..<documents.count {
                let alone = maxSim(queries[[query]], documents[[document]])
                #expect(alone.scores.values == [together[query * documents.count + document]])
            }
        }
        let shuffled = maxSim(queries[[3, 2, 0]], documents[[6, 0, 5]])
        let expected = [3, 2, 0].flatMap { query in [6, 0, 5].map { together[query * documents.count + $0] } }
        expectSameBits(shuffled.scores.values, expected, "another order", shape: [3, 3])
    }

    /// Wherever scores are put.
    @Test func stridesAreTheCallers() {
        let (queries, documents) = (TokenVectors([5, 9], width: 32, seed: 7), TokenVectors([4, 30, 2], width: 32, seed: 8))
        let expected = maxSim(queries, documents).scores.values
        let columns = Tensor.zeros(3, 5)
        MaxSim.score(
            queries.rows, queries.segments, DocumentTokens(documents.rows, documents.segments),
            into: MaxSimScores(columns, queryStride: 1, documentStride: 5))
        for document in 0..<3 {
            let row = columns.rows(document..<document + 1).values
            #expect(row == [expected[document], expected[3 + document], 0, 0, 0])
        }
    }

    /// Across the blocks of a long document, too.
    @Test func theFirstOfEqualsIsTheBest() {
        let query = TokenVectors([50], width: 128, seed: 9)
        let token = query.rows.rows(3..<4).values
        let document = TokenVectors(Tensor((0..<1100).flatMap { _ in token }, rows: 1100, columns: 128), lengths: [1100])
        #expect(maxSim(query, document).best.allSatisfy { $0 == 0 })
    }
}
