// What the system tells of this machine and this process, for the start-up table and run.json.

import Foundation

/// Facts about the machine.
package enum Machine {
    /// The most bytes of this process that lay in memory at one time, those of mapped files included.
    package static var peakResidentBytes: Int? {
        read("/proc/self/status").flatMap { value(of: "VmHWM", in: $0) }.flatMap { Int($0.prefix { $0.isNumber }) }.map { $0 * 1024 }
    }

    /// Bytes that programs can still take without swapping, of the machine or of the control group that this process is in;
    /// what mapped files fill of memory counts among them.
    package static var availableBytes: Int? {
        let machine = read("/proc/meminfo").flatMap { value(of: "MemAvailable", in: $0) }
            .flatMap { Int($0.prefix { $0.isNumber }) }.map { $0 * 1024 }
        return [machine, groupLimit].compactMap { $0 }.min()
    }

    /// The limit of the control group, version 2 or 1; nil where there is none.
    private static var groupLimit: Int? {
        let own = read("/proc/self/cgroup").flatMap { value(of: "0", in: $0) }.map { String($0.dropFirst()) } ?? ""
        let paths = ["/sys/fs/cgroup\(own)/memory.max", "/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"]
        return paths.lazy.compactMap { read($0).flatMap { Int($0.trimmingCharacters(in: .whitespacesAndNewlines)) } }.first
    }

    /// Cores that are switched on, whether or not this process may use them.
    package static var cores: Int { max(1, sysconf(Int32(_SC_NPROCESSORS_ONLN))) }

    /// The value of the first `key: value` line with that key.
    static func value(of key: String, in text: String) -> String? {
        for line in text.split(separator: "\n") {
            let parts = line.split(separator: ":", maxSplits: 1).map { $0.trimmingCharacters(in: .whitespaces) }
            if parts.count == 2, parts[0] == key, !parts[1].isEmpty { return parts[1] }
        }
        return nil
    }

    private static func read(_ path: String) -> String? {
        FileManager.default.contents(atPath: path).map { String(decoding: $0, as: UTF8.self) }
    }
}
