// What a rank takes of its host's memory, as the kernel counts it. Pages of the mapped checkpoint are shared by all ranks of a
// host: PSS counts a page that k processes map as 1/k for each, so that the sum over the ranks is what the host gives.

import Comm
import Foundation

/// Bytes.
struct ProcessMemory {
    /// Resident at the highest moment of the process.
    let peak: Int
    /// Resident now, mapped from files.
    let mapped: Int
    /// Proportional set size now.
    let proportional: Int

    /// Of the peak: what no file stands behind. Mapped pages do not go away, so the rest of the peak is theirs.
    var anonymous: Int { peak - mapped }

    /// Of this process.
    static var current: ProcessMemory {
        let status = values(of: "/proc/self/status")
        let rollup = values(of: "/proc/self/smaps_rollup")
        return ProcessMemory(
            peak: status["VmHWM"] ?? 0, mapped: (status["RssFile"] ?? 0) + (status["RssShmem"] ?? 0), proportional: rollup["Pss"] ?? 0)
    }

    /// Of every rank, in rank order.
    ///
    /// Collective.
    static func ofAllRanks(_ world: Communicator) throws -> [ProcessMemory] {
        try world.barrier()
        let own = current
        let all = try world.allGatherVariable([own.peak, own.mapped, own.proportional])
        return all.map { ProcessMemory(peak: $0[0], mapped: $0[1], proportional: $0[2]) }
    }

    private init(peak: Int, mapped: Int, proportional: Int) {
        self.peak = peak
        self.mapped = mapped
        self.proportional = proportional
    }

    /// Lines such as `VmHWM:   1234 kB`.
    private static func values(of path: String) -> [String: Int] {
        guard let text = try? String(contentsOfFile: path, encoding: .utf8) else { return [:] }
        var values: [String: Int] = [:]
        for line in text.split(separator: "\n") where line.hasSuffix(" kB") {
            let parts = line.split { $0 == ":" || $0 == " " || $0 == "\t" }
            if parts.count == 3, let kilobytes = Int(parts[1]) { values[String(parts[0])] = kilobytes * 1024 }
        }
        return values
    }
}
