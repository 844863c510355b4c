// The training files as a run finds them: the same on all hosts, and tokenized once. What is known of a file from an earlier
// run is trusted when its size and time of change are the same; else when its hash is; else the file is tokenized anew.

import Comm
import Files
import Foundation

/// The training files, compared between hosts, each with its token index where there is one.
///
///     let data = try TrainingData.find(source, world, cache)
///     data.fingerprints                       // known before any row is read
///     let index = try data.index(progress: { _, _, _ in })
package struct TrainingData {
    private struct File {
        let origin: TokenIndexHeader.Origin
        let identity: FileIdentity
        /// Where its index is kept, if anywhere.
        let path: String?
        let found: TokenIndex?
    }

    private let world: Communicator
    /// The ranks of this host that see the same files in the same places: they share the work.
    private let group: Communicator
    private let source: TrainingSource
    private let cache: TokenCache?
    private let files: [File]

    /// Finds the training files and their token indexes, and compares the files between hosts.
    ///
    /// Collective.
    ///
    /// - Throws: `UserError` when a file is missing or differs between hosts
    package static func find(_ source: TrainingSource, _ world: Communicator, _ cache: TokenCache?) throws -> TrainingData {
        let identities = try world.together { try source.files.map { file throws(UserError) in try FileIdentity(path: file.path) } }
        let places = source.files.map { TokenCache.resolved($0.path) }
        let sight = "\(world.hosts.hostOfRank[world.rank]) \(cache?.folder ?? "") \(places) \(identities)"
        let group = try world.split(by: Array(sight.utf8))
        let files = try world.together { try identities.indices.map { try find($0, source, identities[$0], group, cache) } }
        for (file, known) in zip(source.files, files) { try world.requireSameOnHosts(known.origin.sha256, path: file.path, "data file") }
        return TrainingData(world: world, group: group, source: source, cache: cache, files: files)
    }

    /// SHA-256 of each file, by path.
    package var fingerprints: [String: String] {
        var fingerprints: [String: String] = [:]
        for (file, known) in zip(source.files, files) { fingerprints[file.path] = SHA256.hex(known.origin.sha256) }
        return fingerprints
    }

    /// The rows of all files: mapped where there is an index, else tokenized.
    ///
    /// Collective.
    /// - Parameters:
    ///   - progress: receives a file's path, rows done and rows in all
    ///   - notices: receives a sentence for each index that cannot be kept
    /// - Throws: `UserError` of the first row that cannot be trained on, or when images differ between hosts
    package func index(notices: inout [String], progress: @escaping (String, Int, Int) -> Void) throws -> RowIndex {
        var own: [String] = []
        let indexes = try world.together {
            try files.indices.map { number in try files[number].found ?? made(number, &own, progress) }
        }
        notices += try world.allSentences(own)
        for (file, index) in zip(source.files, indexes) {
            try world.requireSameOnHosts(index.imageContents, path: file.path, "content of the images")
        }
        return RowIndex(indexes)
    }

    // MARK: - In a group

    /// Finds one training file and its index, if there is one that holds.
    ///
    /// Collective over the group.
    private static func find(
        _ number: Int, _ source: TrainingSource, _ identity: FileIdentity, _ group: Communicator, _ cache: TokenCache?
    ) throws -> File {
        let path = source.files[number].path
        let key = try group.together { try source.key(ofFile: number) }
        let place = cache?.path(of: path, key: key)
        let folder = ImageFolder.path(ofDataFile: path)
        let own = place.flatMap { TokenIndex(path: $0, key: key, folder: folder) }
        let seen = try group.allGatherVariable(own?.header.encoded ?? [])
        var found = seen.allSatisfy { $0 == seen[0] } ? own : nil
        if let index = found, index.header.images > 0 {
            let share = Shard.range(of: index.header.images, rank: group.rank, worldSize: group.worldSize)
            if try group.anyTrue(!index.imagesAreUnchanged(share)) { found = nil }
        }
        if let found, found.header.origin.isUnchanged(identity) {
            return File(origin: found.header.origin, identity: identity, path: place, found: found)
        }
        let hash = try group.broadcast(
            group.together { () throws(UserError) in group.rank == 0 ? try MappedFile(path: path).sha256() : [] })
        let origin = TokenIndexHeader.Origin(sha256: hash, identity)
        guard let found, found.header.origin.sha256 == hash else {
            return File(origin: origin, identity: identity, path: place, found: nil)
        }
        if group.rank == 0 { found.renew(origin) }
        return File(origin: origin, identity: identity, path: place, found: found)
    }

    /// Tokenizes a file, and keeps its index for later runs where it can.
    ///
    /// Collective over the group.
    private func made(_ number: Int, _ notices: inout [String], _ progress: @escaping (String, Int, Int) -> Void) throws -> TokenIndex {
        guard let cache, let path = files[number].path else { return try madeInMemory(number, progress) }
        do {
            let aside = try group.together { group.rank == 0 ? try cache.create(path) : nil }
            defer { if let aside { unlink(aside.path) } }
            let header = try write(number, to: aside, progress)
            try group.together {
                guard let aside else { return }
                try cache.publish(aside, as: path, header)
                cache.removeOld(of: source.files[number].path, keeping: path)
            }
            return try read(path, number)
        } catch let error as UserError where error.code == .output {
            notices.append(
                "the tokens of \(source.files[number].path) are kept in memory and not for later runs, because they cannot be written "
                    + "(\(error.description)); set data.cache_dir to a folder that can be written, or to none")
            return try madeInMemory(number, progress)
        }
    }

    /// Tokenizes a file into memory that the ranks of the group share.
    ///
    /// Collective over the group.
    private func madeInMemory(_ number: Int, _ progress: @escaping (String, Int, Int) -> Void) throws -> TokenIndex {
        let file = try group.together { () throws(UserError) in group.rank == 0 ? try PlacedFile(inMemory: "shoal tokens") : nil }
        defer { withExtendedLifetime(file) {} }
        _ = try write(number, to: file, progress)
        let path = String(decoding: try group.broadcast(Array((file?.path ?? "").utf8)), as: UTF8.self)
        return try read(path, number)
    }

    /// Tokenizes a file, and writes its index.
    ///
    /// Collective over the group.
    /// - Parameter created: on rank 0 of the group; the others open it
    private func write(
        _ number: Int, to created: PlacedFile?, _ progress: @escaping (String, Int, Int) -> Void
    ) throws -> TokenIndexHeader {
        let file = source.files[number].path
        let place = String(decoding: try group.broadcast(Array((created?.path ?? "").utf8)), as: UTF8.self)
        let output = try group.together { () throws(UserError) -> PlacedFile in
            if let created { return created }
            return try PlacedFile(opening: place)
        }
        let writer = TokenIndexWriter(group: group, source: source, number: number) { progress(file, $0, $1) }
        let header = try writer.write(to: output, files[number].origin)
        try group.together { try files[number].identity.checkUnchanged(file) }
        return header
    }

    private func read(_ path: String, _ number: Int) throws -> TokenIndex {
        try group.together { () throws(UserError) -> TokenIndex in
            guard
                let index = TokenIndex(
                    path: path, key: try source.key(ofFile: number), folder: ImageFolder.path(ofDataFile: source.files[number].path))
            else {
                throw UserError(.output, path, "was written and cannot be read back")
            }
            return index
        }
    }
}
