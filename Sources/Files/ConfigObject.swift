// A JSON object of settings that others wrote: every value is taken by key, with its type and range checked, so that no
// number from a file sizes anything unchecked. Under config.json, adapter_config.json and preprocessor_config.json.

/// One object of a configuration file. A key whose value is null counts as absent.
package struct ConfigObject: Sendable {
    /// The file.
    package let path: String
    /// Keys of the objects around this one, each with a point after it, for messages.
    private let prefix: String
    private let object: JSONObject

    /// Reads a file.
    ///
    /// - Throws: `UserError` `.missing` or `.content` when the file cannot be read or holds no JSON object
    package init(path: String) throws(UserError) {
        guard case .object(let object) = try JSONValue.parse(file: path) else {
            throw UserError(.content, path, "holds no JSON object; expected settings in { }")
        }
        self.init(path: path, prefix: "", object)
    }

    private init(path: String, prefix: String, _ object: JSONObject) {
        self.path = path
        self.prefix = prefix
        self.object = object
    }

    /// All keys with their values, in the order of the file.
    package var entries: [(key: String, value: JSONValue)] { object.entries }

    /// Whether a key stands there with another value than null.
    package func has(_ key: String) -> Bool { value(key) != nil }

    /// The object under a key, nil when it is absent.
    ///
    /// - Throws: when the value is no object
    package func section(_ key: String) throws(UserError) -> ConfigObject? {
        guard let value = value(key) else { return nil }
        guard case .object(let section) = value else { throw wrong(key, value, expected: "an object") }
        return ConfigObject(path: path, prefix: "\(prefix)\(key).", section)
    }

    /// The whole number under a key.
    ///
    /// - Throws: when it is absent, none, or out of range
    package func integer(_ key: String, in range: ClosedRange<Int>) throws(UserError) -> Int {
        guard let integer = try optionalInteger(key, in: range) else { throw missing(key) }
        return integer
    }

    /// The whole number under a key, nil when it is absent.
    ///
    /// - Throws: when it is none or out of range
    package func optionalInteger(_ key: String, in range: ClosedRange<Int>) throws(UserError) -> Int? {
        guard let value = value(key) else { return nil }
        let expected = "a whole number from \(range.lowerBound) to \(range.upperBound)"
        guard let integer = value.integerValue, range.contains(Int(integer)) else { throw wrong(key, value, expected: expected) }
        return Int(integer)
    }

    /// The number under a key.
    ///
    /// - Throws: when it is absent, none, or out of range
    package func number(_ key: String, in range: ClosedRange<Double>) throws(UserError) -> Double {
        guard let value = value(key) else { throw missing(key) }
        let expected = "a number from \(range.lowerBound) to \(range.upperBound)"
        guard let number = value.numberValue, range.contains(number) else { throw wrong(key, value, expected: expected) }
        return number
    }

    /// The list of whole numbers under a key.
    ///
    /// - Throws: when it is absent, or its length or a number is out of range
    package func integers(_ key: String, count: ClosedRange<Int>, in range: ClosedRange<Int>) throws(UserError) -> [Int] {
        guard let value = value(key) else { throw missing(key) }
        let numbers = value.arrayValue?.compactMap { $0.integerValue.map { Int($0) } }.filter(range.contains) ?? []
        guard let elements = value.arrayValue, numbers.count == elements.count, count.contains(numbers.count) else {
            let length = count.lowerBound == count.upperBound ? "\(count.lowerBound)" : "\(count.lowerBound) to \(count.upperBound)"
            throw wrong(key, value, expected: "a list of \(length) whole numbers from \(range.lowerBound) to \(range.upperBound)")
        }
        return numbers
    }

    /// The list of so many numbers under a key, nil when it is absent.
    ///
    /// - Throws: when its length is another or a number is out of range
    package func optionalNumbers(_ key: String, count: Int, in range: ClosedRange<Double>) throws(UserError) -> [Double]? {
        guard let value = value(key) else { return nil }
        let numbers = value.arrayValue?.compactMap(\.numberValue).filter(range.contains) ?? []
        guard let elements = value.arrayValue, numbers.count == elements.count, numbers.count == count else {
            throw wrong(key, value, expected: "a list of \(count) numbers from \(range.lowerBound) to \(range.upperBound)")
        }
        return numbers
    }

    /// The list of strings under a key, nil when it is absent.
    ///
    /// - Throws: when it is no list of strings
    package func optionalStrings(_ key: String) throws(UserError) -> [String]? {
        guard let value = value(key) else { return nil }
        let strings = value.arrayValue?.compactMap(\.stringValue) ?? []
        guard let elements = value.arrayValue, strings.count == elements.count else {
            throw wrong(key, value, expected: "a list of strings")
        }
        return strings
    }

    /// The string under a key, nil when it is absent.
    ///
    /// - Throws: when it is no string
    package func optionalString(_ key: String) throws(UserError) -> String? {
        guard let value = value(key) else { return nil }
        guard let string = value.stringValue else { throw wrong(key, value, expected: "a string") }
        return string
    }

    /// The truth value under a key, nil when it is absent.
    ///
    /// - Throws: when it is none
    package func optionalBool(_ key: String) throws(UserError) -> Bool? {
        guard let value = value(key) else { return nil }
        guard let bool = value.boolValue else { throw wrong(key, value, expected: "true or false") }
        return bool
    }

    /// Checks that a string, where it is given, is a known one.
    ///
    /// - Throws: when the key stands there with another string
    package func expect(_ key: String, oneOf accepted: [String]) throws(UserError) {
        guard let string = try optionalString(key), !accepted.contains(string) else { return }
        throw fault(key, "is \(quoted(string)); this version knows \(accepted.map(quoted).joined(separator: " and "))")
    }

    /// The error of a key that must be there.
    package func missing(_ key: String) -> UserError { fault(key, "is missing; take the model's own \(fileName), unchanged") }

    /// An error about the value of a key.
    ///
    /// - Parameter sentence: begins with a verb
    package func fault(_ key: String, _ sentence: String) -> UserError { UserError(.content, path, "\(prefix)\(key) \(sentence)") }

    /// The value under a key, nil when it is absent or null.
    package func value(_ key: String) -> JSONValue? {
        guard let value = object[key], !value.isNull else { return Optional.none }  // a bare nil would be JSON's null
        return value
    }

    /// The error of a value of another type or range.
    ///
    /// - Parameter expected: what it should be, without a verb
    package func wrong(_ key: String, _ value: JSONValue, expected: String) -> UserError {
        let text = String(decoding: value.serialized(), as: UTF8.self)
        return fault(key, "is \(text.count > 60 ? "\(text.prefix(60))…" : text); expected \(expected)")
    }

    private var fileName: Substring { path.split(separator: "/").last ?? "file" }
}
