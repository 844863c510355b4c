// Which columns of a table are wanted. The others are listed and cost nothing further: Parquet does not even unpack them.

import Files

/// The columns to read.
package enum TableProjection: Sendable {
    case all
    /// These alone, in this order; a name given twice counts once. In JSON a row may lack some of them; elsewhere all must be there.
    case columns([String])

    /// Whether a key of a JSON row is wanted.
    func contains(_ name: String) -> Bool {
        switch self {
        case .all: true
        case .columns(let names): names.contains { $0.utf8.elementsEqual(name.utf8) }
        }
    }

    /// The places of the wanted columns among those of a file.
    /// - Throws: `UserError` `.content` when one is not there
    func places(in columns: [TableColumn], path: String) throws(UserError) -> [Int] {
        guard case .columns(let names) = self else { return Array(columns.indices) }
        var places: [Int] = []
        for name in names {
            guard let place = columns.firstIndex(where: { $0.name.utf8.elementsEqual(name.utf8) }) else {
                throw UserError(.content, path, "has no column \(quoted(name)); its columns are \(listed(columns.map(\.name)))")
            }
            if !places.contains(place) { places.append(place) }
        }
        return places
    }
}

/// A column of a file, known before any row is read.
package struct TableColumn: Sendable, Equatable {
    /// The name as it stands in the file.
    package let name: String
    /// What its cells hold, in words: "text", "list of integer", "struct of bytes and path".
    package let type: String
    /// Why its cells cannot be read, or nil when they can. Such a column may be listed and passed over.
    package let refusal: String?
}

/// Names in quotes, the first twenty of many.
func listed(_ names: [String]) -> String {
    guard !names.isEmpty else { return "none" }
    let more = names.count > 20 ? " and \(names.count - 20) more" : ""
    return names.prefix(20).map(quoted).joined(separator: ", ") + more
}
