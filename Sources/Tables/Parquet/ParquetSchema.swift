// The schema of a Parquet file (parquet.thrift, SchemaElement; "Logical types" of the format's specification): a tree in which a
// leaf's values come with two levels. The definition level says how many of the optional and repeated nodes on the way are there,
// the repetition level which of the repeated ones begins anew.

import Files

/// A line of the schema, as it stands in the footer: the tree, depth first.
struct ParquetSchemaElement {
    var name = ""
    var physical: Int?
    /// 0 required, 1 optional, 2 repeated.
    var repetition = 0
    var children = 0
    var converted: Int?
    /// The member of the union LogicalType.
    var logical: Int?
    /// Of a logical integer.
    var isUnsigned = false

    init(_ reader: inout ThriftReader, _ place: ParquetPlace) throws(UserError) {
        var field = 0
        while let kind = try reader.nextField(&field) {
            switch field {
            case 1: physical = try reader.integer(kind)
            case 3: repetition = try reader.integer(kind)
            case 4: name = try reader.text(kind)
            case 5: children = try reader.integer(kind)
            case 6: converted = try reader.integer(kind)
            case 10: try readLogical(&reader, kind)
            default: try reader.skip(kind)
            }
        }
        guard (0...2).contains(repetition) else { throw place.damaged("the schema's \(quoted(name)) has the repetition \(repetition)") }
    }

    private mutating func readLogical(_ reader: inout ThriftReader, _ kind: ThriftReader.Kind) throws(UserError) {
        try reader.structure(kind)
        var field = 0
        while let kind = try reader.nextField(&field) {
            logical = field
            guard field == 10, kind == .structure else {
                try reader.skip(kind)
                continue
            }
            var member = 0
            while let kind = try reader.nextField(&member) {
                if member == 2 { isUnsigned = try !reader.bool(kind) } else { try reader.skip(kind) }
            }
        }
    }

    var isList: Bool { converted == 3 || logical == 3 }
    var isMap: Bool { converted == 1 || converted == 2 || logical == 2 }
}

/// A node of the tree: what makes one value of the levels and values of its leaves.
final class ParquetNode: Sendable {
    enum Content: Sendable {
        case leaf(ParquetLeaf)
        case structure([ParquetNode])
        /// - Parameter present: the definition level from which there is an element
        /// - Parameter repetition: the repetition level of a further element
        case list(ParquetNode, present: Int, repetition: Int)
        /// Why it is not read, after the column's name.
        case refused(String)
    }

    let name: String
    let content: Content
    /// The definition level from which the node is there; below it is null.
    let definition: Int
    /// The leaves under it, by their numbers in the file.
    let leaves: Range<Int>
    /// Of a structure, the names that all its values share.
    let fieldNames: [String]

    init(_ name: String, _ content: Content, definition: Int, leaves: Range<Int>) {
        self.name = name
        self.content = content
        self.definition = definition
        self.leaves = leaves
        fieldNames = if case .structure(let fields) = content { fields.map(\.name) } else { [] }
    }

    /// What its values are, in words.
    var type: String {
        switch content {
        case .leaf(let leaf): leaf.kind.rawValue
        case .structure: "struct of " + fieldNames.joined(separator: ", ")
        case .list(let element, _, _): "list of \(element.type)"
        case .refused: "values that are not read"
        }
    }

    /// Why it is not read, or nil when it is.
    var refusal: String? {
        switch content {
        case .leaf: nil
        case .structure(let fields):
            fields.lazy.compactMap { field in field.refusal.map { "has a field \(quoted(field.name)) that \($0)" } }.first
        case .list(let element, _, _): element.refusal.map { "has elements of which each \($0)" }
        case .refused(let reason): reason
        }
    }
}

/// A column of numbers, texts or bytes as it is stored.
struct ParquetLeaf: Sendable {
    enum Kind: String, Sendable {
        case bool, integer, number, text, bytes
    }

    let kind: Kind
    /// 0 BOOLEAN, 1 INT32, 2 INT64, 4 FLOAT, 5 DOUBLE, 6 BYTE_ARRAY.
    let physical: Int
    let isUnsigned: Bool
    let path: String
    let index: Int
    let maximumDefinition: Int
    let maximumRepetition: Int
}

extension ParquetLeaf {
    private static let physicalNames = ["BOOLEAN", "INT32", "INT64", "INT96", "FLOAT", "DOUBLE", "BYTE_ARRAY", "FIXED_LEN_BYTE_ARRAY"]
    private static let convertedNames = [
        "UTF8", "MAP", "MAP_KEY_VALUE", "LIST", "ENUM", "DECIMAL", "DATE", "TIME_MILLIS", "TIME_MICROS", "TIMESTAMP_MILLIS",
        "TIMESTAMP_MICROS", "UINT_8", "UINT_16", "UINT_32", "UINT_64", "INT_8", "INT_16", "INT_32", "INT_64", "JSON", "BSON", "INTERVAL",
    ]
    private static let logicalNames = [
        1: "STRING", 2: "MAP", 3: "LIST", 4: "ENUM", 5: "DECIMAL", 6: "DATE", 7: "TIME", 8: "TIMESTAMP", 10: "INTEGER", 11: "UNKNOWN",
        12: "JSON", 13: "BSON", 14: "UUID", 15: "FLOAT16", 16: "VARIANT", 17: "GEOMETRY", 18: "GEOGRAPHY",
    ]

    /// The kind of an element's values, or why they are not read.
    static func kind(_ element: ParquetSchemaElement) -> (kind: Kind?, refusal: String) {
        let physical = element.physical ?? -1
        let name = physicalNames.indices.contains(physical) ? physicalNames[physical] : "type \(physical)"
        func refusal(_ annotation: String) -> (Kind?, String) { (nil, "is \(annotation) (stored as \(name)), which is not read") }
        if physical == 3 { return (nil, "is INT96, an old form of timestamps, which is not read") }
        if let logical = element.logical {
            switch (logical, physical) {
            case (1, 6), (4, 6), (12, 6), (10, 1), (10, 2), (11, _): break
            default: return refusal(logicalNames[logical] ?? "logical type \(logical)")
            }
        } else if let converted = element.converted {
            switch (converted, physical) {
            case (0, 6), (4, 6), (19, 6), (11...13, 1), (15...17, 1), (14, 2), (18, 2): break
            default: return refusal(convertedNames.indices.contains(converted) ? convertedNames[converted] : "converted type \(converted)")
            }
        }
        switch physical {
        case 0: return (.bool, "")
        case 1, 2: return (.integer, "")
        case 4, 5: return (.number, "")
        case 6: return (element.logical == nil && element.converted == nil ? .bytes : .text, "")
        default: return (nil, "is \(name), which is not read")
        }
    }
}
