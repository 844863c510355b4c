// Images made ready on threads of their own while the pool works on those before: in the order in which they will be taken, and
// only so far ahead as memory allows.

import Files
import Foundation
import Tensor

/// A list of images being made ready.
///
///     let decoding = ImageDecoding(bytes: sizes, threads: 4, limit: 256 << 20) { try processor.patches(path: paths[$0]) }
///     for _ in paths { let patches = try decoding.next() }
///
/// Dropped before its end, it makes no further image ready.
package final class ImageDecoding<Image: Sendable>: Sendable {
    private let work: Work

    /// Begins to make images ready.
    ///
    /// - Parameters:
    ///   - bytes: that each image takes when it is ready
    ///   - threads: that work at a time, at most
    ///   - limit: bytes of the images that are ready or in the making, unless one alone has more
    ///   - prepare: makes the image of this index
    init(
        bytes: [Int], threads: Int, limit: Int, prepare: @escaping @Sendable (_ index: Int) throws(UserError) -> Image
    ) {
        let work = Work(bytes: bytes, limit: limit, prepare: prepare)
        self.work = work
        for _ in 0..<min(threads, bytes.count) { Threads.startBeside { work.run() } }
    }

    deinit { work.cancel() }

    /// The next image, in order. Waits for it.
    ///
    /// One thread takes them all, each once.
    /// - Throws: what `prepare` threw
    func next() throws(UserError) -> Image { try work.take().get() }

    /// The state that the threads share. `condition` guards everything below it.
    private final class Work: @unchecked Sendable {
        private let bytes: [Int]
        private let limit: Int
        private let prepare: @Sendable (Int) throws(UserError) -> Image

        private let condition = NSCondition()
        /// The next index to be made ready, and to be taken.
        private var (begun, taken) = (0, 0)
        /// Bytes of the images that are begun and not yet taken.
        private var held = 0
        private var ready: [Int: Result<Image, UserError>] = [:]
        private var isCancelled = false

        init(bytes: [Int], limit: Int, prepare: @escaping @Sendable (Int) throws(UserError) -> Image) {
            (self.bytes, self.limit, self.prepare) = (bytes, limit, prepare)
        }

        func cancel() {
            condition.withLock {
                isCancelled = true
                condition.broadcast()
            }
        }

        func take() -> Result<Image, UserError> {
            condition.withLock {
                precondition(taken < bytes.count, "image decoding: image \(taken + 1) of \(bytes.count)")
                while ready[taken] == nil { condition.wait() }
                defer {
                    held -= bytes[taken]
                    taken += 1
                    condition.broadcast()
                }
                return ready.removeValue(forKey: taken)!
            }
        }

        func run() {
            while let index = begin() {
                let image = Result { () throws(UserError) in try prepare(index) }
                condition.withLock {
                    ready[index] = image
                    condition.broadcast()
                }
            }
        }

        /// The next image that there is room for; nil after the last.
        private func begin() -> Int? {
            condition.withLock {
                while !isCancelled, begun < bytes.count, held > 0, held + bytes[begun] > limit { condition.wait() }
                guard !isCancelled, begun < bytes.count else { return nil }
                held += bytes[begun]
                begun += 1
                return begun - 1
            }
        }
    }
}
