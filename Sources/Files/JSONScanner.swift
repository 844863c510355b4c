// Strict JSON (RFC 8259), pulled value by value from UTF-8 bytes without building a tree.
// Reads safetensors headers, the tokenizer's vocabulary and rows of data; JSONValue builds its trees with it.
// Convention: a `read` or `skip` takes one whole value; `beginObject` and `beginArray` are followed by `nextKey` or
// `nextElement` until they answer nil or false, which also closes the container.

/// A cursor over JSON text.
///
///     var scanner = JSONScanner(bytes, path: path)
///     try scanner.beginObject()
///     while let key = try scanner.nextKey() {
///         if key.equals("vocab_size") { size = try scanner.readInteger() } else { try scanner.skipValue() }
///     }
///     try scanner.expectEnd()
///
/// Everything it passes over is checked: grammar, UTF-8, escapes, lone surrogates, control characters, depth. Two keys with
/// the same name are the caller's to refuse, since only the caller keeps names (`JSONValue.parse` does).
/// The bytes must outlive the scanner and every `JSONText` it gives.
package struct JSONScanner {
    /// What kind of value begins here, in words for messages.
    package enum Kind: String, Sendable {
        case object = "an object"
        case array = "an array"
        case string = "a string"
        case number = "a number"
        case bool = "true or false"
        case null = "null"
    }

    /// The most containers that may be open at once; deeper text is refused. The masks below have one bit a level.
    package static let maximumDepth = 64

    let bytes: UnsafeBufferPointer<UInt8>
    let path: String?
    let code: UserError.Code
    let firstLine: Int

    /// Offset of the next byte to read.
    package internal(set) var offset = 0
    /// Offset at which the last token began: the place that `fault` names unless told otherwise.
    package internal(set) var tokenStart = 0

    private var depth = 0
    /// Bit d: the container at depth d is an object.
    private var objects: UInt64 = 0
    /// Bit d: the container at depth d has had a member.
    private var started: UInt64 = 0

    /// Creates a scanner at the start of a text.
    ///
    /// - Parameters:
    ///   - path: file named by errors
    ///   - code: exit status of errors
    ///   - firstLine: number of the first line, for a row out of a file of JSON lines
    package init(_ bytes: UnsafeBufferPointer<UInt8>, path: String?, code: UserError.Code = .content, firstLine: Int = 1) {
        self.bytes = bytes
        self.path = path
        self.code = code
        self.firstLine = firstLine
    }

    /// Creates a scanner at the start of some bytes, whose lines are counted from `firstLine`.
    package init(_ bytes: UnsafeRawBufferPointer, path: String?, code: UserError.Code = .content, firstLine: Int = 1) {
        self.init(bytes.bindMemory(to: UInt8.self), path: path, code: code, firstLine: firstLine)
    }

    // MARK: Values

    /// The kind of the next value, by its first byte. Reads nothing but blanks.
    /// - Throws: `UserError` when no value begins there
    package mutating func peek() throws(UserError) -> Kind {
        skipBlanks()
        tokenStart = offset
        guard offset < bytes.count else { throw fault("the text ends where a value must stand; the file is cut short or empty") }
        switch bytes[offset] {
        case UInt8(ascii: "{"): return .object
        case UInt8(ascii: "["): return .array
        case UInt8(ascii: "\""): return .string
        case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): return .number
        case UInt8(ascii: "t"), UInt8(ascii: "f"): return .bool
        case UInt8(ascii: "n"): return .null
        case 0xEF where bytes.starts(with: [0xEF, 0xBB, 0xBF]) && offset == 0:
            throw fault("begins with a byte-order mark; save the file as UTF-8 without one")
        default: throw fault("found \(found(at: offset)) where a JSON value must begin")
        }
    }

    /// Checks the kind of the next value, without reading it.
    /// - Throws: `UserError` naming both kinds when the next value is another one
    package mutating func expect(_ kind: Kind) throws(UserError) {
        let next = try peek()
        guard next == kind else { throw fault("found \(next.rawValue) where \(kind.rawValue) is expected") }
    }

    /// Reads `true` or `false`. Throws `UserError` when another value stands here.
    package mutating func readBool() throws(UserError) -> Bool {
        try expect(.bool)
        let value = bytes[offset] == UInt8(ascii: "t")
        try take(value ? "true" : "false")
        return value
    }

    /// Reads `null`. Throws `UserError` when another value stands here.
    package mutating func readNull() throws(UserError) {
        try expect(.null)
        try take("null")
    }

    /// Passes over one value of any kind, and checks it.
    /// - Throws: `UserError` when it breaks a rule of JSON
    package mutating func skipValue() throws(UserError) {
        switch try peek() {
        case .object:
            try beginObject()
            while try nextKey() != nil { try skipValue() }
        case .array:
            try beginArray()
            while try nextElement() { try skipValue() }
        case .string: _ = try scanText()
        case .number: _ = try scanNumber()
        case .bool: _ = try readBool()
        case .null: try readNull()
        }
    }

    /// Checks that nothing but blanks is left.
    /// - Throws: `UserError` when anything else is
    package mutating func expectEnd() throws(UserError) {
        skipBlanks()
        tokenStart = offset
        guard offset == bytes.count else { throw fault("found \(found(at: offset)) after the end of the JSON value") }
    }

    // MARK: Containers

    /// Reads the brace that opens an object. Throws `UserError` when another value stands here.
    package mutating func beginObject() throws(UserError) {
        try expect(.object)
        try open(isObject: true)
    }

    /// Reads the bracket that opens an array. Throws `UserError` when another value stands here.
    package mutating func beginArray() throws(UserError) {
        try expect(.array)
        try open(isObject: false)
    }

    /// The next key of the innermost object, or nil, once, at its end. The key's value comes next.
    package mutating func nextKey() throws(UserError) -> JSONText? {
        precondition(depth > 0 && objects & innermost != 0, "nextKey: not in an object")
        guard try stepToMember(closing: UInt8(ascii: "}"), "an object") else { return nil }
        guard bytes[offset] == UInt8(ascii: "\"") else { throw fault("found \(found(at: offset)) where a key in quotes is expected") }
        let key = try scanText()
        skipBlanks()
        guard offset < bytes.count, bytes[offset] == UInt8(ascii: ":") else {
            throw fault("found \(found(at: offset)) where the colon after a key is expected", at: offset)
        }
        offset &+= 1
        return key
    }

    /// Whether the innermost array has another element; false, once, at its end.
    package mutating func nextElement() throws(UserError) -> Bool {
        precondition(depth > 0 && objects & innermost == 0, "nextElement: not in an array")
        return try stepToMember(closing: UInt8(ascii: "]"), "an array")
    }

    private var innermost: UInt64 { 1 &<< UInt64(depth &- 1) }

    private mutating func open(isObject: Bool) throws(UserError) {
        guard depth < Self.maximumDepth else { throw fault("nested deeper than \(Self.maximumDepth) levels") }
        offset &+= 1
        depth &+= 1
        started &= ~innermost
        objects = isObject ? objects | innermost : objects & ~innermost
    }

    /// Passes the comma before a member, or the closing bracket.
    private mutating func stepToMember(closing: UInt8, _ container: String) throws(UserError) -> Bool {
        skipBlanks()
        tokenStart = offset
        guard offset < bytes.count else { throw fault("the text ends inside \(container); the file is cut short") }
        if bytes[offset] == closing {
            offset &+= 1
            depth &-= 1
            return false
        }
        guard started & innermost != 0 else {
            started |= innermost
            return true
        }
        guard bytes[offset] == UInt8(ascii: ",") else {
            throw fault("found \(found(at: offset)) where a comma or the end of \(container) is expected")
        }
        offset &+= 1
        skipBlanks()
        guard offset < bytes.count else { throw fault("the text ends inside \(container); the file is cut short", at: offset) }
        guard bytes[offset] != closing else { throw fault("a comma stands before the end of \(container); remove it") }
        tokenStart = offset
        return true
    }

    // MARK: Bytes

    mutating func skipBlanks() {
        while offset < bytes.count {
            let byte = bytes[offset]
            guard byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 else { return }
            offset &+= 1
        }
    }

    private mutating func take(_ word: StaticString) throws(UserError) {
        for i in 0..<word.utf8CodeUnitCount {
            guard offset &+ i < bytes.count, bytes[offset &+ i] == word.utf8Start[i] else {
                throw fault("found \(found(at: offset &+ i)) inside what began as \(word)", at: offset &+ i)
            }
        }
        offset &+= word.utf8CodeUnitCount
    }

    // MARK: Errors

    /// An error at a byte of the text, with its line and column.
    /// - Parameter place: offset of the byte; nil: the start of the last token
    package func fault(_ message: String, at place: Int? = nil) -> UserError {
        let place = min(place ?? tokenStart, bytes.count)
        let before = bytes[..<place]
        let line = firstLine + before.count { $0 == 0x0A }
        let start = before.lastIndex(of: 0x0A).map { $0 + 1 } ?? 0
        let column = 1 + bytes[start..<place].count { $0 & 0xC0 != 0x80 }
        return UserError(code, path, line: line, column: column, message)
    }

    /// The byte at an offset in words, for messages.
    func found(at place: Int) -> String {
        guard place < bytes.count else { return "the end of the text" }
        let byte = bytes[place]
        if (0x21...0x7E).contains(byte) { return "'\(Character(UnicodeScalar(byte)))'" }
        return "byte 0x" + (byte < 16 ? "0" : "") + String(byte, radix: 16, uppercase: true)
    }
}
