// Which format a file has: by its first bytes where they say it, else by its name. Both must agree.

import Files

/// A format of tables that is read.
package enum TableFormat: String, Sendable, CaseIterable {
    case parquet
    /// Cells separated by commas.
    case csv
    /// Cells separated by tabs.
    case tsv
    /// One JSON array of objects.
    case jsonArray
    /// One JSON object a line.
    case jsonLines

    /// The endings of names that are read, before `.gz` or `.zst`.
    package static let endings = [".parquet", ".csv", ".tsv", ".json", ".jsonl", ".ndjson"]

    /// Whether a name ends as that of a table, plain or packed.
    package static func isTable(_ name: String) -> Bool {
        let (stem, _) = TablePacking.ofName(name)
        return endings.contains { stem.hasSuffix($0) && stem != $0 }
    }

    /// Checks that a file is of no format that is known and not read, by its first bytes and its name.
    ///
    /// - Throws: `UserError` `.content` naming what it is and what mends it; `.missing` or `.inputOutput` when it cannot be read
    package static func refuseForeign(_ path: String) throws(UserError) {
        let file = try MappedFile(path: path)
        if let foreign = ForeignFormat.recognised(file.bytes) ?? ForeignFormat.named(path.lowercased()) { throw foreign.refusal(path) }
        guard file.bytes.starts(with: "PAR1".utf8) else { return }
        throw UserError(.content, path, "is a Parquet file under another name; rename it so that it ends in .parquet")
    }

    /// The format of a file.
    /// - Parameters:
    ///   - stem: its name in small letters, without `.gz` and `.zst`
    ///   - start: its first bytes, unpacked
    /// - Throws: `UserError` `.content` naming what the file is, when it is nothing that is read, or what the name should be
    static func of(stem: String, start: UnsafeRawBufferPointer, path: String) throws(UserError) -> TableFormat {
        if let foreign = ForeignFormat.recognised(start) { throw foreign.refusal(path) }
        if start.starts(with: "PAR1".utf8), stem.hasSuffix(".parquet") || !ForeignFormat.isText(start) {
            if stem.hasSuffix(".parquet") || !endings.contains(where: stem.hasSuffix) { return .parquet }
            throw UserError(.content, path, "is a Parquet file under another name; rename it so that it ends in .parquet")
        }
        if stem.hasSuffix(".parquet") {
            throw UserError(.content, path, "is named .parquet and does not begin with PAR1 as Parquet files do; download it again")
        }
        if stem.hasSuffix(".csv") { return .csv }
        if stem.hasSuffix(".tsv") { return .tsv }
        if stem.hasSuffix(".jsonl") || stem.hasSuffix(".ndjson") { return .jsonLines }
        if stem.hasSuffix(".json") { return firstByte(start) == UInt8(ascii: "{") ? .jsonLines : .jsonArray }
        if let foreign = ForeignFormat.named(stem) { throw foreign.refusal(path) }
        throw UserError(
            .content, path,
            "is no table by its name; the names of tables end in \(endings.joined(separator: ", ")), or these with .gz or .zst")
    }

    /// The first byte that is no blank, after a byte-order mark.
    private static func firstByte(_ start: UnsafeRawBufferPointer) -> UInt8? {
        let text = start.starts(with: [0xEF, 0xBB, 0xBF]) ? start.dropFirst(3) : start[...]
        return text.first { $0 != 0x20 && $0 != 0x0A && $0 != 0x0D && $0 != 0x09 }
    }
}

/// What a file is packed with as a whole.
enum TablePacking: String {
    case none = ""
    case gzip = ".gz"
    case zstandard = ".zst"

    /// A name in small letters without its packing's ending, and the packing that the ending says.
    static func ofName(_ name: String) -> (stem: String, packing: TablePacking) {
        let name = name.lowercased()
        for packing in [gzip, zstandard] where name.hasSuffix(packing.rawValue) {
            return (String(name.dropLast(packing.rawValue.count)), packing)
        }
        return (name, .none)
    }

    /// What the first bytes of a file say (RFC 1952 and RFC 8878).
    static func ofBytes(_ bytes: UnsafeRawBufferPointer) -> TablePacking {
        if bytes.starts(with: [0x1F, 0x8B]) { return .gzip }
        if bytes.starts(with: [0x28, 0xB5, 0x2F, 0xFD]) { return .zstandard }
        let isSkippable = bytes.count >= 4 && bytes[0] & 0xF0 == 0x50 && bytes[1] == 0x2A && bytes[2] == 0x4D && bytes[3] == 0x18
        return isSkippable ? .zstandard : .none
    }

    /// The packing of a file whose name and bytes agree on it.
    static func of(_ file: MappedFile) throws(UserError) -> TablePacking {
        let (named, found) = (ofName(file.path).packing, ofBytes(file.bytes))
        guard named != found else { return found }
        if file.bytes.isEmpty { throw UserError(.content, file.path, "is empty; copy or download it again") }
        let word = found == .gzip ? "gzip" : "Zstandard"
        if found != .none {
            throw UserError(
                .content, file.path, "is \(word) under a name without \(found.rawValue); rename it to \(file.path)\(found.rawValue)")
        }
        if let foreign = ForeignFormat.recognised(file.bytes) { throw foreign.refusal(file.path) }
        let wanted = named == .gzip ? "gzip" : "Zstandard"
        throw UserError(
            .content, file.path, "is named \(named.rawValue) but is not \(wanted); copy it again or drop \(named.rawValue) from its name")
    }
}
