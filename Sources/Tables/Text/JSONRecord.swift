// A JSON object as a row: the keys that are wanted are read, the others are checked, noted and passed over.

import Files

/// What the readers of JSON share: which keys are wanted and which were seen.
struct JSONRecords {
    var projection = TableProjection.all
    /// Every key of any row so far, in the order of their first appearance.
    private(set) var names: [String] = []
    private var seen: Set<ExactString> = []
    private var last: [String] = []

    /// Reads the object at the scanner's place.
    mutating func read(_ scanner: inout JSONScanner) throws(UserError) -> TableRecord {
        var keys: [String] = []
        var values: [TableValue] = []
        var own: Set<ExactString> = []
        keys.reserveCapacity(last.count)
        values.reserveCapacity(last.count)
        var isLikeLast = true
        try scanner.beginObject()
        while let key = try scanner.nextKey() {
            let name = key.string
            let exact = ExactString(name)
            guard own.insert(exact).inserted else { throw scanner.fault("the key \(quoted(name)) stands twice in one object; remove one") }
            if seen.insert(exact).inserted { names.append(name) }
            guard projection.contains(name) else {
                try scanner.skipValue()
                continue
            }
            if isLikeLast { isLikeLast = keys.count < last.count && last[keys.count].utf8.elementsEqual(name.utf8) }
            keys.append(name)
            values.append(try scanner.readTableValue())
        }
        if isLikeLast, keys.count == last.count { return TableRecord(names: last, values: values) }
        last = keys
        return TableRecord(names: keys, values: values)
    }
}

extension JSONScanner {
    /// Reads the next value, whatever it is; two members of one name are refused.
    mutating func readTableValue() throws(UserError) -> TableValue {
        switch try peek() {
        case .null:
            try readNull()
            return .null
        case .bool: return .bool(try readBool())
        case .string: return .text(try readString())
        case .number:
            switch try readNumber() {
            case .integer(let value): return .integer(value)
            case .number(let value): return .double(value)
            }
        case .array:
            var elements: [TableValue] = []
            try beginArray()
            while try nextElement() { elements.append(try readTableValue()) }
            return .list(elements)
        case .object:
            var names: [String] = []
            var values: [TableValue] = []
            var seen: Set<ExactString> = []
            try beginObject()
            while let name = try nextKey()?.string {
                guard seen.insert(ExactString(name)).inserted else {
                    throw fault("the key \(quoted(name)) stands twice in one object; remove one")
                }
                names.append(name)
                values.append(try readTableValue())
            }
            return .record(TableRecord(names: names, values: values))
        }
    }
}
