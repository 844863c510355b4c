// Bicubic resize with antialiasing, byte for byte that of the reference's backends: along rows first, rounded to 8 bits, then along
// columns. Vectors run over values that share their weights: along a row for the second pass, and for the first pass over 32
// rows at a time, laid so that a column's values lie side by side.

import Tensor

extension RGBImage {
    /// The picture in another size.
    ///
    /// Runs on all threads, except inside a task of theirs; the bytes do not depend on it.
    package func resized(height: Int, width: Int, backend: ImageProcessorConfig.Backend) -> RGBImage {
        resizedRows(to: width, backend).resizedColumns(to: height, backend)
    }

    /// Along each row.                                              [height, width, 3]
    private func resizedRows(to width: Int, _ backend: ImageProcessorConfig.Backend) -> RGBImage {
        guard width != self.width else { return self }
        let axis = ResizeAxis(input: self.width, output: width, backend: backend)
        let result = RGBImage(width: width, height: height)
        // A pixel of 32 rows, each colour by itself.
        let pixel = 3 * RowBlock.rows
        Threads.run(height, grain: RowBlock.rows) { rows in
            let (source, target) = (RowBlock(pixels: self.width), RowBlock(pixels: width))
            source.load(self, rows)
            axis.withMixer(capacity: 8 * pixel) { mixer in
                for first in stride(from: 0, to: width, by: 8) {
                    let places = first..<min(first + 8, width)
                    for place in places {
                        mixer.mix(place, source.pixel(axis.starts[place]), stride: pixel, count: pixel, at: (place - first) * pixel)
                    }
                    mixer.round(places.count * pixel, into: target.pixel(first))
                }
            }
            target.store(to: result, rows)
        }
        return result
    }

    /// Along each column.                                           [height, width, 3]
    private func resizedColumns(to height: Int, _ backend: ImageProcessorConfig.Backend) -> RGBImage {
        guard height != self.height else { return self }
        let axis = ResizeAxis(input: self.height, output: height, backend: backend)
        let result = RGBImage(width: width, height: height)
        let piece = 768
        Threads.run(height, grain: 16) { rows in
            axis.withMixer(capacity: piece) { mixer in
                for place in rows {
                    for first in stride(from: 0, to: rowBytes, by: piece) {
                        let count = min(piece, rowBytes - first)
                        mixer.mix(place, row(axis.starts[place]) + first, stride: rowBytes, count: count, at: 0)
                        mixer.round(count, into: result.row(place) + first)
                    }
                }
            }
        }
        return result
    }
}
