// `shoal embed --multi-vector`: a tensor of token vectors for each input. They are many, so they are made in the order in which the
// file holds them, a group of inputs at a time, and are gone before the next group.

import Comm
import Embedding
import Files
import Model
import Tensor

extension EmbeddingJob {
    /// The most tokens of a group, for each rank and in all.
    private static let (rankTokens, mostTokens) = (1 << 14, 1 << 19)

    /// Writes tensors `0`, `1`, ... [tokens, projectorDimension], float32, in the order of their names.
    ///
    /// Collective.
    /// - Returns: tokens in all, and how many texts were cut
    func writeMultiVectors(
        _ list: InputList, _ inputs: [EmbeddingInput], _ session: ModelSession, _ adapters: ModelAdapters, _ tasks: [String]
    ) throws -> (tokens: Int, truncated: Int) {
        let world = session.world
        let embedders = try tasks.map { task in
            (task, TextEmbedder(session, try adapters.loaded(for: task, session.model.engine), heads: .late))
        }
        let (counts, faults) = try embedders[0].1.tokenCounts(inputs)
        if let empty = faults.empty.first { throw list.entries[empty].hasNoToken }

        let width = session.model.config.projectorDimension
        let tensors = counts.enumerated().map { SafetensorsWriter.Entry(name: "\($0)", dtype: .f32, shape: [$1, width]) }
        let order = SafetensorsWriter.fileOrder(of: tensors)
        let tokens = counts.reduce(0, +)
        var file: PendingFile?
        try world.together { () throws -> Void in
            guard world.rank == 0 else { return }
            let header = SafetensorsWriter.header(of: tensors, metadata: nil)
            file = try PendingFile(destination: output.path, expectedSize: header.count + tokens * width * 4)
            try file?.write(header)
        }
        for group in Self.groups(order, counts, limit: min(Self.rankTokens * world.worldSize, Self.mostTokens)) {
            let vectors = try vectors(of: group, list, inputs, embedders)
            try world.together { () throws -> Void in
                for input in world.rank == 0 ? group : [] {
                    let rows = vectors[input]!
                    try file?.write(rows.bytes)
                }
            }
        }
        try world.together { () throws -> Void in
            if let whole = file.take() { try whole.commit() }
        }
        return (tokens, faults.truncated)
    }

    /// Token vectors of each input of a group.                    input → [tokens, projectorDimension]
    private func vectors(
        of group: [Int], _ list: InputList, _ inputs: [EmbeddingInput], _ embedders: [(task: String, TextEmbedder)]
    ) throws -> [Int: Tensor] {
        var vectors: [Int: Tensor] = [:]
        for (task, embedder) in embedders {
            let members = group.filter { list.entries[$0].task == task }
            let embedded = try embedder.embed(members.map { inputs[$0] }).texts
            let late = embedded.embeddings.late!
            for (input, segment) in zip(members, embedded.segments) {
                let rows = late.rows(segment)
                guard rows.values.allSatisfy(\.isFinite) else { throw list.entries[input].isNotFinite }
                vectors[input] = rows
            }
        }
        return vectors
    }

    /// Runs of inputs of at most `limit` tokens, one input at least.
    private static func groups(_ order: [Int], _ counts: [Int], limit: Int) -> [[Int]] {
        order.map { counts[$0] }.ranges(filledUpTo: limit).map { Array(order[$0]) }
    }
}

extension InputList.Entry {
    var hasNoToken: UserError { UserError(.content, place, "the tokenizer finds no token in this text; leave it out") }

    var isNotFinite: UserError {
        UserError(.notFinite, place, "its embedding is not finite; check the weights (inspect)")
    }
}
