// A fault in the user's files may show on one rank alone. No rank leaves by itself: all hear of it and leave alike. And what
// every rank or host was given must be the same.

import Files

extension Communicator {
    /// Runs `body` on every rank and returns its result, or throws the same error on all of them.
    ///
    /// Collective; `body` itself must not be. Of several errors the one with the lowest file and line is taken.
    package func together<T>(_ body: () throws -> T) throws -> T {
        let outcome = Result { try body() }
        let failure: UserError? =
            switch outcome {
            case .success: nil
            case .failure(let error as UserError): error
            case .failure(let error): throw error
            }
        let failures = try allGatherVariable(failure?.encoded ?? []).filter { !$0.isEmpty }.map(UserError.init(encoded:))
        if let first = failures.min(by: { $0.comesBefore($1) }) { throw first }
        return try outcome.get()
    }

    /// The sentences of all ranks, each once, in the order of the ranks.
    ///
    /// Collective.
    package func allSentences(_ own: [String]) throws -> [String] {
        var sentences: [String] = []
        for line in try allGatherVariable(Array(own.joined(separator: "\n").utf8)).flatMap({ $0.split(separator: 0x0A) }) {
            let sentence = String(decoding: line, as: UTF8.self)
            if !sentences.contains(sentence) { sentences.append(sentence) }
        }
        return sentences
    }

    /// Throws on every rank when any rank's bytes differ from rank 0's.
    ///
    /// Collective. Compares the bytes themselves: for large values pass a hash.
    /// - Parameter error: makes the error of the ranks that differ and of rank 0, each named with its host
    package func requireSame(_ bytes: [UInt8], orThrow error: (_ differing: String, _ reference: String) -> UserError) throws {
        let all = try allGatherVariable(bytes)
        let differing = all.indices.filter { all[$0] != all[0] }
        guard differing.isEmpty else { throw error(hosts.describe(differing), hosts.describe([0])) }
    }

    /// Throws on every rank when a host holds other content under `path` than rank 0's host.
    ///
    /// Collective.
    /// - Throws: `UserError` `.configuration`
    package func requireSameOnHosts(_ hash: [UInt8], path: String, _ what: String) throws {
        try requireSame(hash) { differing, reference in
            UserError(
                .configuration, path,
                "the \(what) here differs between hosts: \(differing) from \(reference); copy the same files to every host")
        }
    }
}

extension UserError {
    fileprivate func comesBefore(_ other: UserError) -> Bool {
        if path != other.path { return (path ?? "") < (other.path ?? "") }
        return (line ?? 0, column ?? 0) < (other.line ?? 0, other.column ?? 0)
    }

    /// Code, line, column, length of the path (-1: none) as text lines, then path and message.
    fileprivate var encoded: [UInt8] {
        let numbers = [Int(code.rawValue), line ?? -1, column ?? -1, path.map { $0.utf8.count } ?? -1]
        return Array((numbers.map(String.init).joined(separator: " ") + "\n" + (path ?? "") + message).utf8)
    }

    fileprivate init(encoded: [UInt8]) {
        let end = encoded.firstIndex(of: 0x0a)!
        let numbers = String(decoding: encoded[..<end], as: UTF8.self).split(separator: " ").map { Int($0)! }
        let text = encoded[(end + 1)...]
        let length = max(numbers[3], 0)
        self.init(
            Code(rawValue: Int32(numbers[0]))!, numbers[3] < 0 ? nil : String(decoding: text.prefix(length), as: UTF8.self),
            line: numbers[1] < 0 ? nil : numbers[1], column: numbers[2] < 0 ? nil : numbers[2],
            String(decoding: text.dropFirst(length), as: UTF8.self))
    }
}
