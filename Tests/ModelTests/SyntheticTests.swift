// That made-up checkpoints and pairs are what they claim to be: benchmarks are worth no more than these.

import Foundation
import Model
import Support
import Synthetic
import Tensor
import Testing

@Suite struct SyntheticTests {
    private let folder = try! TemporaryFolder()
    private let shape = SyntheticShape(layers: 2, hidden: 64, intermediate: 96, heads: 4, keyValueHeads: 2, vocabulary: 8256)

    private func checkpoint(_ shape: SyntheticShape, shardBytes: Int = SyntheticCheckpoint.shardBytes) throws -> Checkpoint {
        let path = folder.path("model")
        try SyntheticCheckpoint.make(shape, template: PackagePath.example("jina-tiny"), in: path, shardBytes: shardBytes)
        return try Checkpoint.read(folder: path)
    }

    @Test func aShapeBecomesACheckpointThatEmbeds() throws {
        let checkpoint = try checkpoint(shape)
        let text = checkpoint.config.text
        let sizes: [Int] = [text.layers, text.hiddenSize, text.intermediateSize, text.heads, text.keyValueHeads]
        #expect(sizes == [2, 64, 96, 4, 2])
        #expect(checkpoint.files.count == 1 && checkpoint.layers[0].gate.element == .bfloat16)

        let processor = TextProcessor(try TextProcessor.tokenizer(folder: checkpoint.folder, config: checkpoint.config), maxTokens: 64)
        let texts = ["how do whales sleep", "one half of the brain at a time"].map { processor.encode($0.utf8, prefix: "Query: ").ids }
        let embeddings = JinaEmbeddingsV4(checkpoint, MatrixEngine(.float32), maxTokens: 64).embed(PackedTokens(texts), nil)
        let lengths = [0, 1].map { row in embeddings.rows(row..<row + 1).values.reduce(0) { $0 + $1 * $1 } }
        #expect(lengths.allSatisfy { abs($0 - 1) < 1e-5 }, "\(lengths)")
        #expect(embeddings.rows(0..<1).values != embeddings.rows(1..<2).values)
    }

    @Test func jinaV4HasThePublishedSizes() throws {
        var published = SyntheticShape.jinaV4(layers: 1)
        published.vocabulary = 8256
        let text = try checkpoint(published).config.text
        #expect(text.headDimension == 128 && text.ropeSections == [16, 24, 24])
        #expect(SyntheticShape.jinaV4(layers: 36).vocabulary == 151_936)
    }

    @Test func aVisionTowerOfItsOwn() throws {
        var seeing = shape
        seeing.vision = SyntheticShape.Vision(depth: 5, hidden: 32, intermediate: 44, heads: 2, fullAttentionPeriod: 2)
        let vision = try #require(checkpoint(seeing).vision)
        let sizes: [Int] = [vision.config.depth, vision.config.hiddenSize, vision.config.intermediateSize, vision.config.heads]
        #expect(sizes == [5, 32, 44, 2] && vision.config.fullAttentionBlocks == [1, 3] && vision.config.patchSize == 14)
        #expect(seeing.name != shape.name && vision.blocks[1].attentionNorm == Array(repeating: 1, count: 32))
        let published = SyntheticShape.Vision.jinaV4(depth: 32)
        #expect(published.hidden == 1280 && published.intermediate == 3420 && published.fullAttentionPeriod == 8)
    }

    @Test func weightsAreRandomAndNormsAreOnes() throws {
        let checkpoint = try checkpoint(shape)
        let values = checkpoint.embedding.widened().map(Double.init)
        let mean = values.reduce(0, +) / Double(values.count)
        let deviation = (values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(values.count)).squareRoot()
        #expect(abs(mean) < 2e-4 && abs(deviation - 0.02) < 2e-4, "mean \(mean), deviation \(deviation)")
        #expect(checkpoint.layers[0].gate.widened() != checkpoint.layers[0].up.widened())
        #expect(checkpoint.layers[0].gate.widened() != checkpoint.layers[1].gate.widened())
        #expect(Set(checkpoint.layers[1].inputNorm + checkpoint.layers[0].postAttentionNorm + checkpoint.finalNorm) == [1])
    }

    @Test func shardsHoldTheSameWeights() throws {
        let whole = try checkpoint(shape).layers[1].down.widened()
        let sharded = try checkpoint(shape, shardBytes: 2_500_000)
        #expect(sharded.files.count == 2 && sharded.layers[1].down.widened() == whole)
    }

    @Test func aWholeCheckpointIsKeptAndAnotherReplaced() throws {
        let (path, template) = (folder.path("kept"), PackagePath.example("jina-tiny"))
        #expect(try SyntheticCheckpoint.make(shape, template: template, in: path))
        #expect(try !SyntheticCheckpoint.make(shape, template: template, in: path))
        // As an interrupted call leaves it.
        try Data().write(to: URL(fileURLWithPath: path + "/synthetic.json"))
        #expect(try SyntheticCheckpoint.make(shape, template: template, in: path))
        var other = shape
        other.layers = 1
        #expect(try SyntheticCheckpoint.make(other, template: template, in: path))
        #expect(try Checkpoint.read(folder: path).layers.count == 1)
    }

    @Test func aFolderOfOthersIsLeftAlone() throws {
        let path = try folder.write("notes.txt", "mine")
        expectUserError(.output, folder.path, "other files") {
            try SyntheticCheckpoint.make(shape, template: PackagePath.example("jina-tiny"), in: folder.path)
        }
        #expect(FileManager.default.fileExists(atPath: path))
    }

    @Test func aShapeThatNoModelHasIsRefused() {
        var odd = shape
        odd.heads = 5
        expectUserError(.content, "num_attention_heads") { _ = try checkpoint(odd) }
    }
}

@Suite struct SyntheticPairsTests {
    private let folder = try! TemporaryFolder()

    /// Tokens of both sides, as a run counts them.
    private func lengths(_ rows: Int, _ lengths: SyntheticPairs.Lengths) throws -> (queries: [Int], passages: [Int]) {
        let path = folder.path("pairs.jsonl")
        try SyntheticPairs.write(rows: rows, lengths, tokenizer: TokenizerFiles.jinaTiny, to: path)
        let tokenizer = try Tokenizer(path: TokenizerFiles.jinaTiny)
        let pairs = try TokenizerFiles.rows(path)
        #expect(Set(pairs.map { $0["query"]?.stringValue } + pairs.map { $0["positive"]?.stringValue }).count == 2 * rows)
        func count(_ key: String, _ prompt: Prompt) -> [Int] { pairs.map { tokenizer.encode(prompt.prefix + $0[key]!.stringValue!).count } }
        return (count("query", .query), count("positive", .passage))
    }

    @Test func everyTextHasTheTokensAskedFor() throws {
        let (queries, passages) = try lengths(40, .equal(128))
        #expect(queries + passages == Array(repeating: 128, count: 80))
    }

    @Test func realLengthsAreLogNormal() throws {
        let (queries, passages) = try lengths(500, .logNormal)
        #expect((13...15).contains(queries.sorted()[250]) && (112...128).contains(passages.sorted()[250]))
        let mean = Double((queries + passages).reduce(0, +)) / 500
        #expect(abs(mean / SyntheticPairs.Lengths.meanTokensOfPair - 1) < 0.03, "\(mean)")
        #expect(passages.max()! > 200 && passages.min()! < 70)
    }

    @Test func textsTooShortToDifferAreRefused() {
        expectUserError(.usage, "too short") {
            try SyntheticPairs.write(rows: 4, .equal(2), tokenizer: TokenizerFiles.jinaTiny, to: folder.path("pairs.jsonl"))
        }
    }
}
