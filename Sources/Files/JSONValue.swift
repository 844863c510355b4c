// A JSON text as a tree: configurations of checkpoints, manifests, records. Big files are read with JSONScanner instead.

/// One JSON value.
///
///     let config = try JSONValue.parse(file: "config.json")
///     let layers = config["num_hidden_layers"]?.integerValue
///     let event: JSONValue = ["event": "step", "loss": .number(loss)]
package enum JSONValue: Sendable {
    case null
    case bool(Bool)
    /// A number without point and exponent that fits 64 bits.
    case integer(Int64)
    /// Any other number.
    case number(Double)
    case string(String)
    case array([JSONValue])
    case object(JSONObject)

    /// The truth value; nil when it is another kind of value.
    package var boolValue: Bool? { if case .bool(let value) = self { value } else { nil } }
    /// The whole number; nil when it is another kind of value.
    package var integerValue: Int64? { if case .integer(let value) = self { value } else { nil } }
    /// The text; nil when it is another kind of value.
    package var stringValue: String? { if case .string(let value) = self { value } else { nil } }
    /// The elements; nil when it is another kind of value.
    package var arrayValue: [JSONValue]? { if case .array(let value) = self { value } else { nil } }
    /// The members; nil when it is another kind of value.
    package var objectValue: JSONObject? { if case .object(let value) = self { value } else { nil } }
    /// Whether it is `null`.
    package var isNull: Bool { if case .null = self { true } else { false } }

    /// The number, whole or not, or nil when this is another kind of value.
    package var numberValue: Double? {
        switch self {
        case .integer(let value): Double(value)
        case .number(let value): value
        default: nil
        }
    }

    /// The value of a key, or nil when there is none or this is no object.
    package subscript(_ key: String) -> JSONValue? { objectValue?[key] }

    /// The kind of this value, as messages name it: "a number", "an object".
    package var kind: JSONScanner.Kind {
        switch self {
        case .null: .null
        case .bool: .bool
        case .integer, .number: .number
        case .string: .string
        case .array: .array
        case .object: .object
        }
    }
}

/// The members of an object in their order, with names that differ in their bytes.
package struct JSONObject: Sendable {
    /// The members in their order.
    package private(set) var entries: [(key: String, value: JSONValue)] = []
    private var positions: [ExactString: Int] = [:]

    /// Creates an object without members.
    package init() {}

    /// The value of a key. Setting an existing key keeps its place, a new one comes last, nil removes.
    package subscript(_ key: String) -> JSONValue? {
        get { positions[ExactString(key)].map { entries[$0].value } }
        set {
            let exact = ExactString(key)
            switch (positions[exact], newValue) {
            case (let position?, let value?): entries[position].value = value
            case (nil, let value?):
                positions[exact] = entries.count
                entries.append((key, value))
            case (let position?, nil):
                entries.remove(at: position)
                positions = Dictionary(uniqueKeysWithValues: entries.enumerated().map { (ExactString($1.key), $0) })
            case (nil, nil): break
            }
        }
    }
}

extension JSONValue {
    /// Reads one value and nothing after it.
    ///
    /// - Parameters:
    ///   - path: file named by errors
    ///   - code: exit status of errors
    ///   - firstLine: number of the first line, for a row of a file of JSON lines
    /// - Throws: `UserError` with line and column: not RFC 8259, two members of one name, nested deeper than 64, trailing bytes
    package static func parse(
        _ bytes: UnsafeRawBufferPointer, path: String?, code: UserError.Code = .content, firstLine: Int = 1
    ) throws(UserError) -> JSONValue {
        var scanner = JSONScanner(bytes, path: path, code: code, firstLine: firstLine)
        let value = try scanner.readValue()
        try scanner.expectEnd()
        return value
    }

    /// Reads one value and nothing after it, from an array of bytes.
    /// - Parameters:
    ///   - path: file named by errors
    ///   - code: exit status of errors
    ///   - firstLine: number of the first line, for a row of a file of JSON lines
    /// - Throws: `UserError` with line and column, as for a buffer of bytes
    package static func parse(
        _ bytes: [UInt8], path: String?, code: UserError.Code = .content, firstLine: Int = 1
    ) throws(UserError) -> JSONValue {
        try bytes.withUnsafeBufferPointer { (bytes) throws(UserError) in
            try parse(UnsafeRawBufferPointer(bytes), path: path, code: code, firstLine: firstLine)
        }
    }

    /// Reads a file that holds one value.
    /// - Parameter code: exit status of errors in the content
    /// - Throws: `UserError` with line and column, or naming what stands there in place of the file; `.missing` or `.inputOutput` when the
    ///   file cannot be read
    package static func parse(file path: String, code: UserError.Code = .content) throws(UserError) -> JSONValue {
        let bytes = try MappedFile(path: path).copied()
        if let other = bytes.withUnsafeBytes(StandIn.insteadOfJSON) { throw UserError(code, path, other) }
        return try parse(bytes, path: path, code: code)
    }
}

extension JSONScanner {
    /// Reads the next value as a tree.
    /// - Throws: `UserError` when it breaks a rule of JSON, or an object has two members of one name
    package mutating func readValue() throws(UserError) -> JSONValue {
        switch try peek() {
        case .null:
            try readNull()
            return .null
        case .bool: return .bool(try readBool())
        case .string: return .string(try readString())
        case .number:
            switch try readNumber() {
            case .integer(let value): return .integer(value)
            case .number(let value): return .number(value)
            }
        case .array:
            var elements: [JSONValue] = []
            try beginArray()
            while try nextElement() { elements.append(try readValue()) }
            return .array(elements)
        case .object:
            var object = JSONObject()
            try beginObject()
            while let key = try nextKey()?.string {
                guard object[key] == nil else { throw fault("the key \(quoted(key)) stands twice in one object; remove one") }
                object[key] = try readValue()
            }
            return .object(object)
        }
    }
}

extension JSONValue: ExpressibleByStringLiteral, ExpressibleByIntegerLiteral, ExpressibleByFloatLiteral, ExpressibleByBooleanLiteral,
    ExpressibleByNilLiteral, ExpressibleByArrayLiteral, ExpressibleByDictionaryLiteral
{
    /// Creates a text.
    package init(stringLiteral value: String) { self = .string(value) }
    /// Creates a whole number.
    package init(integerLiteral value: Int64) { self = .integer(value) }
    /// Creates a number.
    package init(floatLiteral value: Double) { self = .number(value) }
    /// Creates a truth value.
    package init(booleanLiteral value: Bool) { self = .bool(value) }
    /// Creates `null`.
    package init(nilLiteral: ()) { self = .null }
    /// Creates an array.
    package init(arrayLiteral elements: JSONValue...) { self = .array(elements) }
    /// Creates an object with members in this order.
    package init(dictionaryLiteral elements: (String, JSONValue)...) {
        var object = JSONObject()
        for (key, value) in elements {
            precondition(object[key] == nil, "JSON object: the key \(key) is given twice")
            object[key] = value
        }
        self = .object(object)
    }
}
