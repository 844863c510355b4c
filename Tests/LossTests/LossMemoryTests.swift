// What the loss phase takes of memory, measured from outside: it grows with the embeddings, never with the pairs.

import Support
import Testing

@Suite struct LossMemoryTests {
    /// Three times the embeddings: they themselves, their gradients, and what is put in the order of columns. The embeddings are
    /// narrow, so that the scores of all pairs would take twice as much again.
    @Test(arguments: [
        "--width 256", "--late --tokens 2", "--width 256 --set loss.symmetric=true", "--width 256 --set loss.matryoshka_dims=[32,256]",
    ])
    func growsWithTheEmbeddings(of settings: String) throws {
        let (small, large) = try sizes([1024, 2048], settings, ranks: nil)
        let growth = large.memory - small.memory
        let embeddings = large.embeddings - small.embeddings
        let scores = Double((2048 * 2048 - 1024 * 1024) * MemoryLayout<Float>.size)
        #expect(growth > embeddings)
        #expect(growth < 3 * embeddings + scores / 2)
    }

    /// A rank's own, for the others' come block by block. Gathered it would take 4.5 times those.
    @Test func streamedItGrowsWithTheRanksOwn() throws {
        let (small, large) = try sizes([1024, 2048], "--width 1024 --set loss.pool=stream", ranks: 2)
        let growth = (large.memory - small.memory) / (large.embeddings - small.embeddings)
        #expect((1...3.6).contains(growth), "\(growth) of the embeddings of one rank")
    }

    private typealias Size = (embeddings: Double, memory: Double)

    /// Two pools of so many rows; bytes of one rank.
    private func sizes(_ rows: [Int], _ settings: String, ranks: Int?) throws -> (Size, Size) {
        let arguments = ["pool", "--rows"] + rows.map { "\($0)" } + settings.split(separator: " ").map(String.init)
        let result = try MPILauncher.run("benchmark", arguments, ranks: ranks)
        #expect(result.exitCode == 0, "\(result.standardError)")
        let lines = result.standardOutput.split(separator: "\n").suffix(2).map { $0.split(separator: " ") }
        let sizes = try lines.map { words in (try bytes(words[1], words[2]), try bytes(words[3], words[4])) }
        return (try #require(sizes.first), try #require(sizes.last))
    }

    private func bytes(_ number: Substring, _ unit: Substring) throws -> Double {
        try #require(Double(number)) * #require(["kB": 1e3, "MB": 1e6, "GB": 1e9][String(unit)])
    }
}
