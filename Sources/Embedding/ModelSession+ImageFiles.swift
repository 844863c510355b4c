// Image files that are named beforehand, each looked at by one rank.

import Comm
import Data
import Files
import Images
import Model

extension ModelSession {
    /// Reads the headers of image files, each rank a share of them, and gives every rank the results.    [paths]
    ///
    /// Collective.
    /// - Throws: `UserError` of a file that is missing, no image, or too long for an input
    package func imageFiles(_ paths: [String]) throws -> [ImageFile] {
        guard !paths.isEmpty else { return [] }
        guard let reader = images?.reader else { preconditionFailure("image files: a session without images") }
        let share = Shard.range(of: paths.count, rank: world.rank, worldSize: world.worldSize)
        let own = try world.together {
            try share.map { index throws(UserError) in try reader.file(paths[index], maximumTokens: processor.maxTokens) }
        }
        let sizes = try world.allGatherVariable(own.flatMap { [$0.grid.frames, $0.grid.height, $0.grid.width, $0.tokens] }).joined()
        let numbers = Array(sizes)
        return paths.indices.map { index in
            let own = numbers[4 * index..<4 * index + 4].map(\.self)
            return ImageFile(
                path: paths[index], grid: ImageGrid(frames: own[0], height: own[1], width: own[2]), tokens: own[3])
        }
    }
}
