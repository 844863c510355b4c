// Which columns of a file are which parts of its rows, where a user says so: `columns` of a file in the configuration.

import Files

/// The keys that a user names for some parts; the other parts go by their usual keys.
package struct RowColumns: Equatable, Sendable {
    private var patterns: [RowPart: [KeyPattern]]

    /// Creates the columns of some parts.
    package init(_ patterns: [RowPart: [KeyPattern]] = [:]) { self.patterns = patterns }

    /// The keys of a part, nil where the usual ones hold.
    package subscript(_ part: RowPart) -> [KeyPattern]? { patterns[part] }

    /// The parts that are named, in the order of `RowPart`.
    package var parts: [RowPart] { RowPart.allCases.filter { patterns[$0] != nil } }

    /// A member a part: one key, or a list.
    package var json: JSONValue {
        var object = JSONObject()
        for part in parts {
            let names = patterns[part]!.map { JSONValue.string($0.text) }
            object[part.rawValue] = names.count == 1 ? names[0] : .array(names)
        }
        return .object(object)
    }
}
