// MANIFEST.json, written last: names, sizes and SHA-256 of a checkpoint's files. What it does not describe to the byte is no
// checkpoint. It protects against accidents, not against someone who can write there and compute a hash.

import Files
import Foundation

package struct CheckpointManifest: Equatable {
    package static let fileName = "MANIFEST.json"
    private static let format: Int64 = 1

    package struct Entry: Equatable {
        let name: String
        let size: Int
        /// Lower-case hexadecimal.
        let sha256: String

        init(_ name: String, _ summary: OutputFile.Summary) {
            self.name = name
            size = summary.size
            sha256 = summary.sha256
        }

        fileprivate init?(_ json: JSONValue) {
            guard let name = json["name"]?.stringValue, let size = json["size"]?.integerValue, let sha256 = json["sha256"]?.stringValue
            else { return nil }
            self.name = name
            self.size = Int(size)
            self.sha256 = sha256
        }
    }

    let step: Int
    package let files: [Entry]

    /// The file's content. Its own hash stands in it, so that no byte can change unnoticed.
    var bytes: [UInt8] {
        let files = files.map { ["name": .string($0.name), "size": .integer(Int64($0.size)), "sha256": .string($0.sha256)] as JSONValue }
        let content: [(String, JSONValue)] = [
            ("format", .integer(Self.format)), ("step", .integer(Int64(step))), ("files", .array(files)),
        ]
        var object = JSONObject()
        for (key, value) in content { object[key] = value }
        object["manifest_sha256"] = .string(SHA256.hex(SHA256.hash(of: JSONValue.object(object).serialized())))
        return JSONValue.object(object).serialized(pretty: true) + [UInt8(ascii: "\n")]
    }

    /// Of the file, for the chain.
    var sha256: String { SHA256.hex(SHA256.hash(of: bytes)) }

    /// The same adapters and moments; what else is told of the run may differ.
    func holdsSameNumbers(as other: CheckpointManifest) -> Bool {
        let numbers = { (manifest: CheckpointManifest) in manifest.files.filter { $0.name.hasSuffix(".safetensors") } }
        return step == other.step && numbers(self) == numbers(other)
    }
}

/// Why a folder is no whole checkpoint.
package struct CheckpointDamage: Error {
    /// A sentence that begins with the place within the checkpoint.
    package let sentence: String
}

extension CheckpointManifest {
    /// Reads a checkpoint's manifest and holds every file against it.
    ///
    /// - Parameter fault: what makes a file or folder untrustworthy (see `RunFolder.fault`)
    /// - Returns: or what is wrong with the checkpoint
    /// - Throws: `UserError` `.inputOutput` when reading itself fails, which says nothing about the checkpoint; `.content` when the
    ///   manifest is whole, but of a format that this version does not know
    package static func verified(
        _ folder: String, step: Int, fault: (stat, mode_t) -> String?
    ) throws(UserError) -> Result<CheckpointManifest, CheckpointDamage> {
        do {
            try trust(folder, nil, expected: S_IFDIR, fault)
            let manifest = try read(folder, step: step, fault)
            let names = try list(folder)
            let expected = Set((manifest.files.map(\.name) + [fileName]).map(ExactString.init))
            if let extra = names.first(where: { !expected.contains(ExactString($0)) }) {
                throw CheckpointDamage(sentence: "\(extra) is no part of it")
            }
            for entry in manifest.files { try verify(entry, folder, fault) }
            return .success(manifest)
        } catch let damage as CheckpointDamage {
            return .failure(damage)
        } catch let error as UserError {
            if error.code != .missing { throw error }
            return .failure(CheckpointDamage(sentence: error.message))
        } catch { preconditionFailure("\(error)") }
    }

    private static func read(_ folder: String, step: Int, _ fault: (stat, mode_t) -> String?) throws -> CheckpointManifest {
        try trust(folder, fileName, expected: S_IFREG, fault)
        let path = folder + "/" + fileName
        let content = try MappedFile(path: path).copied()
        guard content.count < 1 << 20, let json = try? JSONValue.parse(content, path: path) else {
            throw CheckpointDamage(sentence: "\(fileName) is not as it was written")
        }
        try refuseOtherFormat(json, path)
        guard let files = json["files"]?.arrayValue.map({ $0.compactMap(Entry.init) }), json["step"]?.integerValue == Int64(step)
        else { throw CheckpointDamage(sentence: "\(fileName) is not the manifest of step \(step)") }
        let manifest = CheckpointManifest(step: step, files: files)
        guard content == manifest.bytes else {
            throw CheckpointDamage(sentence: "\(fileName) is not as it was written")
        }
        return manifest
    }

    /// Only for a manifest that its own hash proves to be whole: a flipped bit is no other format.
    private static func refuseOtherFormat(_ json: JSONValue, _ path: String) throws {
        guard var content = json.objectValue, let format = content["format"]?.integerValue, format != Self.format,
            let sha256 = content["manifest_sha256"]?.stringValue
        else { return }
        content["manifest_sha256"] = nil
        guard sha256 == SHA256.hex(SHA256.hash(of: JSONValue.object(content).serialized())) else { return }
        throw UserError(
            .content, path,
            "is of format \(format), and this version of Shoal reads format \(Self.format); resume with the version that wrote it")
    }

    private static func verify(_ entry: Entry, _ folder: String, _ fault: (stat, mode_t) -> String?) throws {
        try trust(folder, entry.name, expected: S_IFREG, fault)
        let file = try MappedFile(path: folder + "/" + entry.name)
        guard file.bytes.count == entry.size else {
            throw CheckpointDamage(sentence: "\(entry.name) holds \(file.bytes.count) bytes instead of \(entry.size)")
        }
        let sha256 = SHA256.hex(file.sha256())
        guard sha256 == entry.sha256 else {
            throw CheckpointDamage(sentence: "\(entry.name) has SHA-256 \(sha256) instead of \(entry.sha256)")
        }
    }

    /// - Parameter name: in the folder; nil for the folder itself
    private static func trust(_ folder: String, _ name: String?, expected: mode_t, _ fault: (stat, mode_t) -> String?) throws {
        var status = stat()
        guard lstat(name.map { folder + "/" + $0 } ?? folder, &status) == 0 else {
            throw CheckpointDamage(sentence: "\(name ?? "it") is missing")
        }
        if let fault = fault(status, expected) { throw CheckpointDamage(sentence: "\(name ?? "it") \(fault)") }
    }

    private static func list(_ folder: String) throws -> [String] {
        do { return try FileManager.default.contentsOfDirectory(atPath: folder).sorted() } catch {
            throw CheckpointDamage(sentence: "its files cannot be listed")
        }
    }
}
