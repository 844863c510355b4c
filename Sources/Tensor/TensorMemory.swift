// Memory of tensors: freed blocks are kept by size and handed out again. A fresh block of tens of megabytes costs a
// page fault for every 4 KiB; a step allocates hundreds of them, always of similar sizes.

import Glibc
import Synchronization

/// The process's store of freed tensor blocks.
package enum TensorMemory {
    private struct State {
        var free: [Int: [UnsafeMutableRawPointer]] = [:]
        var held = 0
    }

    nonisolated(unsafe) private static var state = State()
    private static let lock = Mutex(())

    /// Bytes of all blocks, in use or kept; it only shrinks through `release`.
    package static var heldBytes: Int { lock.withLock { _ in state.held } }

    static func take(bytes: Int) -> UnsafeMutableRawPointer {
        let size = blockSize(bytes)
        let kept = lock.withLock { _ -> UnsafeMutableRawPointer? in
            if let block = state.free[size]?.popLast() { return block }
            state.held += size
            return nil
        }
        if let kept { return kept }
        var block: UnsafeMutableRawPointer?
        guard posix_memalign(&block, size >= 1 << 21 ? 1 << 21 : 64, size) == 0, let block else {
            fatalError("out of memory: \(size) bytes for a tensor; lower system.microbatch_tokens or the batch size")
        }
        if size >= 1 << 21 { madvise(block, size, MADV_HUGEPAGE) }
        return block
    }

    static func give(back block: UnsafeMutableRawPointer, bytes: Int) {
        lock.withLock { _ in state.free[blockSize(bytes), default: []].append(block) }
    }

    /// Returns all kept blocks to the system.
    package static func release() {
        lock.withLock { _ in
            for (size, blocks) in state.free {
                for block in blocks { free(block) }
                state.held -= size * blocks.count
            }
            state.free = [:]
        }
    }

    /// Rounds up to one of four sizes per power of two, so that blocks of nearly the same size serve one another.
    private static func blockSize(_ bytes: Int) -> Int {
        guard bytes > 4096 else { return 4096 }
        let quarter = 1 << (Int.bitWidth - 1 - (bytes - 1).leadingZeroBitCount - 2)
        return (bytes + quarter - 1) / quarter * quarter
    }
}
