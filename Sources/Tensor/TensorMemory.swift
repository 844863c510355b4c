// Memory of tensors. A step takes and frees hundreds of blocks of tens of megabytes; from the system each would cost a page
// fault for every 4 KiB, every time. So large blocks lie in one arena whose pages are kept: freed neighbours grow together,
// and a new block goes to the smallest gap that holds it, so the arena is little larger than what lives at one time.

import Glibc
import Synchronization

/// The process's memory for tensors.
package enum TensorMemory {
    /// Smaller blocks are the C library's affair.
    private static let smallestInArena = 1 << 18
    private static let pageBytes = 4096
    fileprivate static let hugePageBytes = 1 << 21

    fileprivate struct Arena {
        /// A range of addresses as large as the machine's memory; pages cost nothing until they are written.
        let base: UnsafeMutableRawPointer
        let reserved: Int
        /// Offsets: blocks lie below `end`, memory is granted below `granted`.
        var end = 0
        var granted = 0
        /// Gaps between blocks, ascending, none beside another or at the end.
        var gaps: [Range<Int>] = []
    }

    nonisolated(unsafe) private static var arena = Arena.reserve()
    private static let lock = Mutex(())

    /// Bytes of the arena that have been used at any time, without small blocks.
    package static var peakBytes: Int { lock.withLock { _ in arena.granted } }

    static func take(bytes: Int) -> UnsafeMutableRawPointer {
        guard bytes >= smallestInArena else { return small(bytes) }
        let size = (bytes + pageBytes - 1) / pageBytes * pageBytes
        guard let offset = lock.withLock({ _ in arena.take(size) }) else { outOfMemory(bytes) }
        return arena.base + offset
    }

    static func give(back block: UnsafeMutableRawPointer, bytes: Int) {
        guard bytes >= smallestInArena else { return free(block) }
        let size = (bytes + pageBytes - 1) / pageBytes * pageBytes
        lock.withLock { _ in
            let offset = block - arena.base
            arena.give(offset..<offset + size)
        }
    }

    private static func small(_ bytes: Int) -> UnsafeMutableRawPointer {
        var block: UnsafeMutableRawPointer?
        guard posix_memalign(&block, 64, max(bytes, 64)) == 0, let block else { outOfMemory(bytes) }
        return block
    }

    private static func outOfMemory(_ bytes: Int) -> Never {
        fatalError("out of memory: \(bytes) bytes for a tensor; lower system.microbatch_tokens or the batch size")
    }
}

extension TensorMemory.Arena {
    fileprivate static func reserve() -> Self {
        let bytes = sysconf(Int32(_SC_PHYS_PAGES)) * sysconf(Int32(_SC_PAGESIZE))
        let address = mmap(nil, bytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0)
        precondition(address != MAP_FAILED, "no addresses left for \(bytes) bytes of tensors")
        return Self(base: address!, reserved: bytes)
    }

    /// - Returns: the block's offset; nil when the memory ends
    fileprivate mutating func take(_ size: Int) -> Int? {
        let fitting = gaps.indices.filter { gaps[$0].count >= size }
        if let gap = fitting.min(by: { gaps[$0].count < gaps[$1].count }) {
            let offset = gaps[gap].lowerBound
            gaps[gap] = offset + size..<gaps[gap].upperBound
            if gaps[gap].isEmpty { gaps.remove(at: gap) }
            return offset
        }
        let offset = end
        guard offset + size <= granted || grant(offset + size) else { return nil }
        end = offset + size
        return offset
    }

    fileprivate mutating func give(_ block: Range<Int>) {
        var block = block
        var next = gaps.firstIndex { $0.lowerBound >= block.upperBound } ?? gaps.count
        if next < gaps.count, gaps[next].lowerBound == block.upperBound {
            block = block.lowerBound..<gaps.remove(at: next).upperBound
        }
        if next > 0, gaps[next - 1].upperBound == block.lowerBound {
            next -= 1
            block = gaps.remove(at: next).lowerBound..<block.upperBound
        }
        if block.upperBound == end {
            end = block.lowerBound
        } else {
            gaps.insert(block, at: next)
        }
    }

    /// Makes the arena usable up to `bytes`, in whole huge pages.
    private mutating func grant(_ bytes: Int) -> Bool {
        let limit = min((bytes + TensorMemory.hugePageBytes - 1) / TensorMemory.hugePageBytes * TensorMemory.hugePageBytes, reserved)
        guard bytes <= limit, mprotect(base + granted, limit - granted, PROT_READ | PROT_WRITE) == 0 else { return false }
        madvise(base + granted, limit - granted, MADV_HUGEPAGE)
        granted = limit
        return true
    }
}
