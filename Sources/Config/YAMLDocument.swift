// libyaml's events → YAMLNode. What lets a file say something else than it seems to say is refused with its place: aliases,
// anchors, tags, duplicate keys, a second document, bytes that are not UTF-8, deep nesting. Keys are compared by their bytes,
// since Swift's String would take two spellings of one accented letter for the same.

import CYAML
import Files

/// A configuration's text to a tree that remembers lines and columns.
package enum YAMLDocument {
    /// Bytes of a configuration file at most: far above any real one, far below what would hurt.
    static let maximumBytes = 1 << 20
    /// Mappings and lists inside each other at most.
    static let maximumDepth = 16

    /// Parses a file's bytes; nil when it holds no value.
    package static func parse(_ bytes: [UInt8], path: String) throws(UserError) -> YAMLNode? {
        try parse(bytes, source: YAMLSource(path: path, hasLines: true))
    }

    /// Parses the value of one `--set`; an empty one is null. Errors name the key.
    package static func parseOverride(_ value: String, of key: String) throws(UserError) -> YAMLNode {
        let source = YAMLSource(path: "--set \(key)", hasLines: false)
        return try parse(Array(value.utf8), source: source) ?? YAMLNode(content: .scalar(.null), place: source.place(line: 0, column: 0))
    }

    private static func parse(_ bytes: [UInt8], source: YAMLSource) throws(UserError) -> YAMLNode? {
        guard bytes.count <= maximumBytes else {
            throw source.place(line: 0, column: 0)
                .error("this has \(bytes.count) bytes, and a configuration at most \(maximumBytes); is it the right file?")
        }
        let byteOrderMark: [UInt8] = [0xEF, 0xBB, 0xBF]
        let text = bytes.starts(with: byteOrderMark) ? Array(bytes.dropFirst(byteOrderMark.count)) : bytes
        try source.checkCharacters(text)
        return try text.withUnsafeBufferPointer { (buffer) throws(UserError) -> YAMLNode? in
            let reader = YAMLEventReader(buffer, source: source)
            return try reader.document()
        }
    }
}

/// Names places: those of a file have line and column, those of a `--set` have not.
private struct YAMLSource {
    let path: String
    let hasLines: Bool

    /// - Parameters: line, column: counted from 0, as libyaml does
    func place(line: Int, column: Int) -> YAMLPlace {
        YAMLPlace(path: path, line: hasLines ? line + 1 : nil, column: hasLines ? column + 1 : nil)
    }

    func place(_ mark: yaml_mark_t) -> YAMLPlace {
        place(line: mark.line, column: mark.column)
    }

    /// Throws at the first byte that is not UTF-8, or character that YAML does not allow.
    func checkCharacters(_ bytes: [UInt8]) throws(UserError) {
        var decoder = UTF8()
        var iterator = bytes.makeIterator()
        var line = 0
        var column = 0
        var previous: Unicode.Scalar = " "
        while true {
            let scalar: Unicode.Scalar
            switch decoder.decode(&iterator) {
            case .emptyInput: return
            case .error:
                throw place(line: line, column: column).error("here is a byte that is not UTF-8; save the file as UTF-8")
            case .scalarValue(let value): scalar = value
            }
            switch scalar.value {
            case 0x0A:
                if previous != "\r" { line += 1 }
                column = 0
            case 0x0D:
                line += 1
                column = 0
            case 0x09, 0x20...0x7E, 0x85, 0xA0...0xFEFE, 0xFF00...0xFFFD, 0x10000...0x10FFFF: column += 1
            default:
                let code = String(scalar.value, radix: 16, uppercase: true)
                throw place(line: line, column: column).error(
                    "here is the control character U+\(code), which YAML does not allow; remove it")
            }
            previous = scalar
        }
    }
}

/// One pass over libyaml's events. The parser points into itself, so it lives at one address.
private final class YAMLEventReader {
    private let bytes: UnsafeBufferPointer<UInt8>
    private let source: YAMLSource
    private let parser = UnsafeMutablePointer<yaml_parser_t>.allocate(capacity: 1)
    private var event = yaml_event_t()

    init(_ bytes: UnsafeBufferPointer<UInt8>, source: YAMLSource) {
        self.bytes = bytes
        self.source = source
        precondition(yaml_parser_initialize(parser) == 1, "libyaml: out of memory")
        yaml_parser_set_encoding(parser, YAML_UTF8_ENCODING)
        yaml_parser_set_input_string(parser, bytes.baseAddress, bytes.count)
    }

    deinit {
        yaml_event_delete(&event)
        yaml_parser_delete(parser)
        parser.deallocate()
    }

    func document() throws(UserError) -> YAMLNode? {
        try advance()  // stream start
        try advance()
        if event.type == YAML_STREAM_END_EVENT { return nil }
        try advance()  // past document start
        let root = try node(depth: 0)
        try advance()  // document end
        try advance()
        guard event.type == YAML_STREAM_END_EVENT else {
            throw place.error("a second document begins here; a configuration is one document, so remove the line \"---\" or \"...\"")
        }
        return root
    }

    /// The node that begins with the present event; afterwards the present event is its last.
    private func node(depth: Int) throws(UserError) -> YAMLNode {
        try refuseAnchorsAndTags()
        let start = place
        guard depth < YAMLDocument.maximumDepth || event.type == YAML_SCALAR_EVENT else {
            throw start.error("lists and mappings lie more than \(YAMLDocument.maximumDepth) deep here; no setting needs that")
        }
        switch event.type {
        case YAML_SCALAR_EVENT:
            return YAMLNode(content: .scalar(scalar), place: start)
        case YAML_SEQUENCE_START_EVENT:
            var elements: [YAMLNode] = []
            try advance()
            while event.type != YAML_SEQUENCE_END_EVENT {
                elements.append(try node(depth: depth + 1))
                try advance()
            }
            return YAMLNode(content: .sequence(elements), place: start)
        default:
            return YAMLNode(content: .mapping(try entries(depth: depth + 1)), place: start)
        }
    }

    private func entries(depth: Int) throws(UserError) -> [YAMLNode.Entry] {
        var entries: [YAMLNode.Entry] = []
        var firstLines: [[UInt8]: Int?] = [:]
        try advance()
        while event.type != YAML_MAPPING_END_EVENT {
            try refuseAnchorsAndTags()
            let keyPlace = place
            guard event.type == YAML_SCALAR_EVENT else {
                throw keyPlace.error("a key must be a name, but here is a list or mapping; write \"name: value\"")
            }
            let key = scalarText
            if let first = firstLines.updateValue(keyPlace.line, forKey: Array(key.utf8)) {
                let other = first.map { " (first on line \($0))" } ?? ""
                throw keyPlace.error("the key \(YAMLScalar.quoted(key)) stands here for the second time\(other); keep one of the two")
            }
            try advance()
            entries.append(YAMLNode.Entry(key: key, place: keyPlace, value: try node(depth: depth)))
            try advance()
        }
        return entries
    }

    private func refuseAnchorsAndTags() throws(UserError) {
        let anchor: UnsafeMutablePointer<yaml_char_t>?
        let tag: UnsafeMutablePointer<yaml_char_t>?
        switch event.type {
        case YAML_ALIAS_EVENT: throw place.error("here is an alias (*name), which Shoal does not follow; write the value itself")
        case YAML_SCALAR_EVENT: (anchor, tag) = (event.data.scalar.anchor, event.data.scalar.tag)
        case YAML_SEQUENCE_START_EVENT: (anchor, tag) = (event.data.sequence_start.anchor, event.data.sequence_start.tag)
        default: (anchor, tag) = (event.data.mapping_start.anchor, event.data.mapping_start.tag)
        }
        if anchor != nil { throw place.error("here is an anchor (&name), which Shoal does not use; remove it") }
        if tag != nil { throw place.error("here is a tag (!name), which Shoal does not use; remove it") }
    }

    private var place: YAMLPlace { source.place(event.start_mark) }

    private var scalarText: String {
        String(decoding: UnsafeBufferPointer(start: event.data.scalar.value, count: event.data.scalar.length), as: UTF8.self)
    }

    private var scalar: YAMLScalar {
        event.data.scalar.style == YAML_PLAIN_SCALAR_STYLE ? YAMLScalar(plain: scalarText) : .text(scalarText)
    }

    /// Makes the next event the present one.
    private func advance() throws(UserError) {
        yaml_event_delete(&event)
        guard yaml_parser_parse(parser, &event) == 1 else { throw syntaxError }
    }

    private var syntaxError: UserError {
        let mark = parser.pointee.problem_mark
        var message = "this is not valid YAML: " + (parser.pointee.problem.map { String(cString: $0) } ?? "out of memory")
        if let context = parser.pointee.context {
            message += ", \(String(cString: context))"
            if source.hasLines { message += " that begins on line \(parser.pointee.context_mark.line + 1)" }
        }
        let rest = String(decoding: bytes, as: UTF8.self).unicodeScalars.dropFirst(mark.index)
        if rest.first == "\t" { message += "; indent with spaces, not with tabs" }
        return source.place(mark).error(message)
    }
}
