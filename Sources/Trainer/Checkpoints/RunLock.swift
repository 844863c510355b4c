// Two jobs must never write into one folder. A lock file holds them apart, and a crashed job must not leave it in the way.
// flock(2) tells this at once wherever the holder's kernel is asked; where a file system does not carry it to other hosts, the
// holder's sign of life does: it sets the file's time again and again.

import Files
import Foundation

/// The lock of a run's folder, held until `release()`, or until this object or its process ends.
package final class RunLock: @unchecked Sendable {
    /// Who holds a lock.
    struct Holder: Equatable {
        let host: String
        let process: Int
        /// Of the process, in the kernel's ticks since boot: numbers of ended processes are used again.
        let started: String
        /// Changes when the host is started anew.
        let boot: String

        static func current() -> Holder {
            Holder(host: ProcessInfo.processInfo.hostName, process: Int(getpid()), started: startTime(of: getpid()) ?? "", boot: bootID())
        }

        /// Whether it is a process of this host that has ended, so far as can be told from here.
        var hasEnded: Bool {
            let here = Holder.current()
            guard host == here.host else { return false }
            return boot != here.boot || Holder.startTime(of: pid_t(clamping: process)) != started
        }
    }

    /// Seconds between signs of life, and without one until a holder on another host counts as gone.
    static let signSeconds = 15
    static let silentSeconds = 60

    private let path: String
    private var descriptor: Int32
    private let signs: DispatchSourceTimer
    /// A sentence when the lock of a job that has ended was taken over.
    let notice: String?

    /// - Parameter now: seconds since 1970 by the clock of the file system
    /// - Throws: `UserError` `.output` when another job holds it, or it cannot be written
    init(path: String, now: Int) throws(UserError) {
        self.path = path
        let (descriptor, isFree) = try Self.open(path)
        let (before, lastSign) = Self.read(descriptor)
        guard isFree, Self.isFree(before, silent: now - lastSign) else {
            close(descriptor)
            throw Self.held(path, by: before, silent: now - lastSign, isFree: isFree)
        }
        self.descriptor = descriptor
        signs = Self.signsOfLife(descriptor)
        notice = before.map { "\(path): took over the lock of process \($0.process) on \($0.host), which has ended" }
        guard Self.write(.current(), descriptor) else {
            let code = errno
            release()
            throw UserError(.output, path, "cannot be written: \(String(cString: strerror(code))); check the disk")
        }
    }

    /// Closes the file once it is cancelled: not before, since another file might get its number.
    private static func signsOfLife(_ descriptor: Int32) -> DispatchSourceTimer {
        let timer = DispatchSource.makeTimerSource(queue: .global(qos: .utility))
        timer.schedule(deadline: .now() + .seconds(signSeconds), repeating: .seconds(signSeconds))
        timer.setEventHandler { futimens(descriptor, nil) }
        timer.setCancelHandler { close(descriptor) }
        timer.resume()
        return timer
    }

    deinit { release() }

    /// Gives the folder free. The file goes first, so that nobody opens it to find it unlocked.
    package func release() {
        guard descriptor >= 0 else { return }
        unlink(path)
        flock(descriptor, LOCK_UN)
        signs.cancel()
        descriptor = -1
    }

    /// The locked file. Whoever gets the lock of a file that was removed meanwhile begins again.
    private static func open(_ path: String) throws(UserError) -> (descriptor: Int32, isFree: Bool) {
        while true {
            let descriptor = Foundation.open(path, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0o600)
            guard descriptor >= 0 else {
                let what = errno == ELOOP ? "is a symbolic link; remove it" : "cannot be opened: \(String(cString: strerror(errno)))"
                throw UserError(.output, path, "the lock of the run's folder \(what)")
            }
            // A file system without flock gives another error: then the holder's record decides.
            let isFree = flock(descriptor, LOCK_EX | LOCK_NB) == 0 || errno != EWOULDBLOCK
            var (opened, named) = (stat(), stat())
            if !isFree || fstat(descriptor, &opened) == 0 && lstat(path, &named) == 0 && opened.st_ino == named.st_ino {
                return (descriptor, isFree)
            }
            close(descriptor)
        }
    }

    /// - Parameter silent: seconds since the holder's last sign of life
    private static func isFree(_ holder: Holder?, silent: Int) -> Bool {
        guard let holder else { return true }
        return holder.hasEnded || holder == .current() || silent > silentSeconds
    }

    private static func held(_ path: String, by holder: Holder?, silent: Int, isFree: Bool) -> UserError {
        let who = holder.map { "process \($0.process) on \($0.host)" } ?? "another process"
        let mend =
            isFree
            ? "which gave its last sign of life \(silent) seconds ago; if it has ended, start again after \(silentSeconds) seconds without one"
            : "which is running; wait for its end, or choose another training.output_dir"
        return UserError(.output, (path as NSString).deletingLastPathComponent, "is in use by \(who), \(mend)")
    }
}

// MARK: - The record in the file

extension RunLock {
    /// Nil for an empty file, or one that a crash left half written.
    private static func read(_ descriptor: Int32) -> (holder: Holder?, lastSign: Int) {
        var status = stat()
        var bytes = [UInt8](repeating: 0, count: 4096)
        let count = pread(descriptor, &bytes, bytes.count, 0)
        guard fstat(descriptor, &status) == 0, count > 0,
            let record = try? JSONValue.parse(Array(bytes.prefix(count)), path: nil), let host = record["host"]?.stringValue,
            let process = record["process"]?.integerValue, let started = record["started"]?.stringValue,
            let boot = record["boot"]?.stringValue
        else { return (nil, 0) }
        return (Holder(host: host, process: Int(process), started: started, boot: boot), status.st_mtim.tv_sec)
    }

    private static func write(_ holder: Holder, _ descriptor: Int32) -> Bool {
        let record: JSONValue = [
            "host": .string(holder.host), "process": .integer(Int64(holder.process)), "started": .string(holder.started),
            "boot": .string(holder.boot),
        ]
        let bytes = record.serialized() + [UInt8(ascii: "\n")]
        return ftruncate(descriptor, 0) == 0 && pwrite(descriptor, bytes, bytes.count, 0) == bytes.count
    }
}

extension RunLock.Holder {
    /// Field 22 of /proc/PID/stat; nil when there is no such process. The name, field 2, may hold blanks and brackets.
    fileprivate static func startTime(of process: pid_t) -> String? {
        guard let text = try? String(contentsOfFile: "/proc/\(process)/stat", encoding: .utf8), let end = text.lastIndex(of: ")")
        else { return nil }
        let fields = text[end...].split(separator: " ")
        // A zombie holds nothing: it waits for its parent to take notice of its end.
        return fields.count > 20 && fields[1] != "Z" ? String(fields[20]) : nil
    }

    fileprivate static func bootID() -> String {
        let text = try? String(contentsOfFile: "/proc/sys/kernel/random/boot_id", encoding: .utf8)
        return text?.trimmingCharacters(in: .whitespacesAndNewlines) ?? ""
    }
}
