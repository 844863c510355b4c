// What the loss phase takes of memory, measured from outside: it grows with the embeddings, never with the pairs.

import Support
import Testing

@Suite struct LossMemoryTests {
    /// Not three times the embeddings: they themselves, their gradients, and what is put in the order of columns. The scores of
    /// all pairs, 4 MB a head at 1,024 rows, would be above that.
    @Test(arguments: [
        "--width 1024", "--late --tokens 16", "--width 1024 --set loss.symmetric=true",
        "--width 1024 --set loss.matryoshka_dims=[128,1024]",
    ])
    func growsWithTheEmbeddings(of settings: String) throws {
        let (small, large) = try sizes([256, 1024], settings, ranks: nil)
        let growth = (large.memory - small.memory) / (large.embeddings - small.embeddings)
        #expect((1...3.2).contains(growth), "\(growth) of the embeddings")
    }

    /// A rank's own, for the others' come block by block.
    @Test func streamedItGrowsWithTheRanksOwn() throws {
        let (small, large) = try sizes([1024, 2048], "--width 1024 --set loss.pool=stream", ranks: 2)
        let growth = (large.memory - small.memory) / (large.embeddings - small.embeddings)
        #expect((1...3.2).contains(growth), "\(growth) of the embeddings of one rank")
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
