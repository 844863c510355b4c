// A picture's pixels as rows of numbers: each level of each colour becomes a float, and a patch becomes a row.

/// How pixels are cut into patches.
package struct PatchShape: Sendable {
    /// Pixels of a patch along each side.
    package let size: Int
    /// How often a picture stands in a patch, one behind the other: the frames of a still image.
    package let frames: Int
    /// Patches down and across, whole groups.
    package let height, width: Int
    /// Patches of a group along each side; a group's patches follow one another.
    package let group: Int

    /// Creates a shape.
    package init(size: Int, frames: Int, height: Int, width: Int, group: Int) {
        precondition(height % group == 0 && width % group == 0, "patches: \(height) × \(width) in groups of \(group)")
        (self.size, self.frames, self.height, self.width, self.group) = (size, frames, height, width, group)
    }

    fileprivate var values: Int { 3 * frames * size * size }
}

/// A picture's patches, a patch a row, on all threads except inside a task of theirs.
///
/// A row is ordered colour, frame, pixel row, pixel column. Rows go by groups: group after group along a row of groups, in a group
/// patch after patch.
/// - Parameters:
///   - pixels: rows of `rowBytes`, each red, green, blue, red, ...
///   - levels: what the 256 levels of each colour become, [3, 256]
/// - Returns: [height · width, 3 · frames · size · size], float32
package func pixelPatches(_ pixels: Span<UInt8>, rowBytes: Int, levels: [Float], _ shape: PatchShape) -> Tensor {
    precondition(
        levels.count == 3 * 256 && rowBytes >= 3 * shape.width * shape.size && pixels.count >= rowBytes * shape.height * shape.size,
        "pixelPatches: \(pixels.count) bytes, \(rowBytes) a row, for \(shape)")
    let result = Tensor(shape.height * shape.width, shape.values)
    let target = result.start
    pixels.withUnsafeBufferPointer { pixels in
        levels.withUnsafeBufferPointer { levels in
            let (start, levels) = (pixels.baseAddress, levels.baseAddress!)
            // A row of groups is a task.
            let rowPatches = shape.width * shape.group
            Threads.run(shape.height / shape.group) { groupRow in
                for patch in 0..<rowPatches {
                    let (cell, inCell) = patch.quotientAndRemainder(dividingBy: shape.group * shape.group)
                    let row = groupRow * shape.group + inCell / shape.group
                    let column = cell * shape.group + inCell % shape.group
                    let source = start! + row * shape.size * rowBytes + 3 * column * shape.size
                    write(source, rowBytes, levels, shape, to: target + (groupRow * rowPatches + patch) * shape.values)
                }
            }
        }
    }
    return result
}

/// One patch.                                                       [3, frames, size, size]
private func write(
    _ pixels: UnsafePointer<UInt8>, _ rowBytes: Int, _ levels: UnsafePointer<Float>, _ shape: PatchShape,
    to target: UnsafeMutablePointer<Float>
) {
    let (size, frame) = (shape.size, shape.size * shape.size)
    for colour in 0..<3 {
        let first = target + colour * shape.frames * frame
        let levels = levels + 256 * colour
        for row in 0..<size {
            let (source, place) = (pixels + row * rowBytes + colour, first + row * size)
            for column in 0..<size { place[column] = levels[Int(source[3 * column])] }
        }
        for repeated in 1..<max(shape.frames, 1) { (first + repeated * frame).update(from: first, count: frame) }
    }
}
