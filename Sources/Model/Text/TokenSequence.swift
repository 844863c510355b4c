// One input of the decoder: token ids, and the features of images in place of their image tokens.

import Tensor

/// The ids by which images are marked in an input.
package struct ImageMarkers: Sendable, Equatable {
    /// Stands for one row of features.
    package let image: Int32
    package let start: Int32
    package let end: Int32

    package init(image: Int32, start: Int32, end: Int32) {
        self.image = image
        self.start = start
        self.end = end
    }
}

/// A text, or a prompt with images.
///
///     let text = TokenSequence(text: ids)
///     let image = imagePrompt.sequence(features)
package struct TokenSequence: Sendable {
    /// Features that replace the embeddings of some tokens.
    package struct Image: Sendable {
        package let tokens: Range<Int>
        package let features: ImageFeatures
    }

    package let ids: [Int32]
    package let images: [Image]
    /// The tokens whose mean is the single vector. Multi-vectors are made of all tokens.
    package let pooled: Range<Int>

    /// All tokens are pooled.
    package init(text ids: [Int32]) {
        self.ids = ids
        images = []
        pooled = 0..<ids.count
    }

    /// Pools from the first start marker to the last end marker, both included: for one image its tokens and their two markers.
    ///
    /// Each run of image tokens must be as long as its image has rows, and there must be as many runs as images: whoever makes the
    /// ids from data has to check that, and says what is wrong with the data.
    /// - Parameter images: in the order of the runs of image tokens
    package init(_ ids: [Int32], images: [ImageFeatures], _ markers: ImageMarkers) {
        let runs = Self.runs(of: markers.image, in: ids)
        precondition(
            !images.isEmpty && runs.map(\.count) == images.map(\.grid.count),
            "token sequence: runs of \(runs.map(\.count)) image tokens for images of \(images.map(\.grid.count))")
        guard let start = ids.firstIndex(of: markers.start), let end = ids.lastIndex(of: markers.end), start < end else {
            preconditionFailure("token sequence: \(images.count) images without a start and an end marker around them")
        }
        self.ids = ids
        self.images = zip(runs, images).map { Image(tokens: $0, features: $1) }
        pooled = start..<end + 1
    }

    private static func runs(of id: Int32, in ids: [Int32]) -> [Range<Int>] {
        var runs: [Range<Int>] = []
        for index in ids.indices where ids[index] == id {
            if let last = runs.last, last.upperBound == index {
                runs.removeLast()
                runs.append(last.lowerBound..<index + 1)
            } else {
                runs.append(index..<index + 1)
            }
        }
        return runs
    }
}

extension RotaryPositions {
    /// Text counts on in all streams. An image begins behind the largest position so far: time stays there, height and width count
    /// its rows and columns from there. What follows begins behind the largest position again.
    ///
    /// Source: `get_rope_index` of Qwen2.5-VL.
    init(_ inputs: [TokenSequence]) {
        var (time, height, width) = ([Int32](), [Int32](), [Int32]())
        for input in inputs {
            var (next, token) = (Int32(0), 0)
            func count(to end: Int) {
                let positions = next..<next + Int32(end - token)
                time += positions
                height += positions
                width += positions
                (next, token) = (positions.upperBound, end)
            }
            for image in input.images {
                count(to: image.tokens.lowerBound)
                let grid = image.features.grid
                for index in 0..<grid.count {
                    time.append(next)
                    height.append(next + Int32(index / grid.width % grid.height))
                    width.append(next + Int32(index % grid.width))
                }
                (next, token) = (next + Int32(max(grid.height, grid.width)), image.tokens.upperBound)
            }
            count(to: input.ids.count)
        }
        self.init(streams: [time, height, width])
    }
}
