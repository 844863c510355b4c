// A node of the YAML tree → the checked value of a setting. A value comes out in one form only, whatever the spelling:
// whole numbers for numbers become Double, one data file becomes a list, an alias of a choice becomes the choice.

import Files

extension SettingForm {
    /// - Parameters:
    ///   - key: as the user spelled it, for errors
    ///   - expected: what errors say the value must be, when that is more than this form
    /// - Throws: `UserError` with the value's place: wrong type, out of range, not in this version
    func decode(_ node: YAMLNode, key: String, expected: String? = nil) throws(UserError) -> JSONValue {
        switch (self, node.content) {
        case (.optional, .scalar(.null)): return .null
        case (.optional(_, let off), .scalar(.integer(let value))) where value == off: return .null
        case (.optional(let form, _), _): return try form.decode(node, key: key, expected: inWords)
        case (.boolean, .scalar(.boolean(let value))): return .bool(value)
        case (.integer(let range, _), .scalar(.integer(let value))):
            guard range.contains(value) else { throw Self.outOfRange(node, key: key, range) }
            return .integer(Int64(value))
        case (.integer(let range, _), .scalar(.number(let value))) where abs(value) > Double(Int32.max):
            throw Self.outOfRange(node, key: key, range)
        case (.integer(_, let word), .scalar(.text(let text))) where text == word: return .string(text)
        case (.number(let range), .scalar(.integer(let value))): return try Self.number(Double(value), in: range, node, key: key)
        case (.number(let range), .scalar(.number(let value))): return try Self.number(value, in: range, node, key: key)
        case (.bytes, .scalar(.integer(let value))) where value > 0: return .integer(Int64(value))
        case (.bytes, .scalar(.text("auto"))): return "auto"
        case (.bytes, .scalar(.text(let text))) where Self.bytes(text) != nil: return .integer(Int64(Self.bytes(text)!))
        case (.choice, .scalar(let scalar)): return try choice(scalar, node, key: key)
        case (.text, .scalar(.text(let text))) where !text.isEmpty: return .string(text)
        case (.names, .sequence(let elements)): return try names(elements, node, key: key)
        case (.names, .scalar(.text)): return try names([node], node, key: key)
        case (.layers, .sequence(let elements)): return try layers(elements, node, key: key)
        case (.layers, .scalar(.integer)): return try layers([node], node, key: key)
        case (.widths, .sequence(let elements)): return try widths(elements, key: key)
        case (.widths, .scalar(.integer)): return try widths([node], key: key)
        case (.weights, .sequence(let elements)): return try weights(elements, key: key)
        case (.weights, .scalar(.integer)), (.weights, .scalar(.number)): return try weights([node], key: key)
        case (.targetModules, .sequence(let elements)): return try SettingForm.names.names(elements, node, key: key)
        case (.targetModules, .scalar(.text(let pattern))): return try TargetModules.decode(pattern, node, key: key)
        case (.interval, .sequence(let elements)) where Self.interval(elements) != nil: return Self.interval(elements)!
        case (.taskNumbers(let range), .mapping(let entries)): return try Self.taskNumbers(entries, in: range, key: key)
        case (.adapterStart, .scalar(.text(let text))) where !text.isEmpty: return .string(text)
        case (.adapterStart, .mapping(let entries)): return try LoRAConfig.StartFrom.decode(entries, node, key: key)
        case (.dataFile, .scalar(.text)), (.dataFile, .mapping): return try DataFile.decode(node, key: key, keys: DataFile.keys)
        case (.trainingFile, .scalar(.text)), (.trainingFile, .mapping):
            return try DataFile.decode(node, key: key, keys: DataFile.trainingKeys)
        case (.trainingFiles, .scalar(.text)), (.trainingFiles, .mapping):
            return .array([try SettingForm.trainingFile.decode(node, key: key)])
        case (.trainingFiles, .sequence(let elements)): return try trainingFiles(elements, node, key: key)
        case (.metric, .scalar(.text(let text))) where BestMetric(text) != nil: return .string(text)
        default: throw mismatch(node, key: key, expected: expected)
        }
    }

    /// "must be ..., but is ...".
    func mismatch(_ node: YAMLNode, key: String, expected: String? = nil) -> UserError {
        var message = "\(key) must be \(expected ?? inWords), but is \(node.inWords)"
        switch (self, node.content) {
        case (.text, .scalar(.boolean)), (.text, .scalar(.integer)), (.text, .scalar(.number)),
            (.adapterStart, .scalar(.boolean)), (.adapterStart, .scalar(.integer)), (.adapterStart, .scalar(.number)):
            message += "; put it in quotes"
        case (.choice(let names, _), .scalar(.text(let text))):
            message += NearestName.of(text, among: names).map { "; did you mean \($0)?" } ?? ""
        default: break
        }
        return node.place.error(message)
    }

    private static func outOfRange(_ node: YAMLNode, key: String, _ range: ClosedRange<Int>) -> UserError {
        node.place.error("\(key) must be from \(range.lowerBound) to \(range.upperBound), but is \(node.inWords)")
    }

    private static func number(_ value: Double, in range: NumberRange, _ node: YAMLNode, key: String) throws(UserError) -> JSONValue {
        guard range.contains(value) else {
            throw node.place.error("\(key) must be a number \(range.inWords), but is \(node.inWords)")
        }
        return .number(value)
    }

    /// `24GB`, `1.5 GB`: decimal units.
    private static func bytes(_ text: String) -> Int? {
        for (unit, factor) in [("TB", 1e12), ("GB", 1e9), ("MB", 1e6), ("kB", 1e3)] where text.hasSuffix(unit) {
            let number = Double(String(text.dropLast(unit.count).filter { $0 != " " }))
            return number.flatMap { $0 > 0 && $0 * factor < 1e18 ? Int($0 * factor) : nil }
        }
        return nil
    }

    private func choice(_ scalar: YAMLScalar, _ node: YAMLNode, key: String) throws(UserError) -> JSONValue {
        guard case .choice(let names, let others) = self else { preconditionFailure("not a choice") }
        let text = scalar.asChoice
        guard let name = names.contains(text) ? text : others[text] else { throw mismatch(node, key: key) }
        return .string(name)
    }

    private func names(_ elements: [YAMLNode], _ node: YAMLNode, key: String) throws(UserError) -> JSONValue {
        guard !elements.isEmpty else { throw node.place.error("\(key) is an empty list; name at least one, or remove the key") }
        var names: [String] = []
        for (index, element) in elements.enumerated() {
            guard case .scalar(.text(let name)) = element.content, !name.isEmpty else {
                throw element.place.error("\(key)[\(index)] must be a name, but is \(element.inWords)")
            }
            guard !names.contains(where: { $0.utf8.elementsEqual(name.utf8) }) else {
                throw element.place.error("\(key) names \(name) twice; remove one")
            }
            names.append(name)
        }
        return .array(names.map { .string($0) })
    }

    /// Ascending, whatever the order in the file.
    private func layers(_ elements: [YAMLNode], _ node: YAMLNode, key: String) throws(UserError) -> JSONValue {
        guard !elements.isEmpty else { throw node.place.error("\(key) is an empty list; name at least one layer, or remove the key") }
        var layers: Set<Int> = []
        for (index, element) in elements.enumerated() {
            guard case .scalar(.integer(let layer)) = element.content, layer >= 0 else {
                throw element.place.error("\(key)[\(index)] must be a layer number, 0 or more, but is \(element.inWords)")
            }
            guard layers.insert(layer).inserted else { throw element.place.error("\(key) names \(layer) twice; remove one") }
        }
        return .array(layers.sorted().map { .integer(Int64($0)) })
    }

    private func widths(_ elements: [YAMLNode], key: String) throws(UserError) -> JSONValue {
        var widths: [Int] = []
        for (index, element) in elements.enumerated() {
            guard case .scalar(.integer(let width)) = element.content, width > 0 else {
                throw element.place.error("\(key)[\(index)] must be a width, 1 or more, but is \(element.inWords)")
            }
            if let last = widths.last, width <= last {
                throw element.place.error("\(key) must ascend, but \(width) follows \(last); put the widths in order, each once")
            }
            widths.append(width)
        }
        return .array(widths.map { .integer(Int64($0)) })
    }

    private func weights(_ elements: [YAMLNode], key: String) throws(UserError) -> JSONValue {
        var weights: [JSONValue] = []
        for (index, element) in elements.enumerated() {
            weights.append(try SettingForm.number(.atLeast(0)).decode(element, key: "\(key)[\(index)]"))
        }
        return .array(weights)
    }

    /// Nil unless these are two finite numbers in their order.
    private static func interval(_ elements: [YAMLNode]) -> JSONValue? {
        let numbers = elements.compactMap { element -> Double? in
            switch element.content {
            case .scalar(.integer(let value)): Double(value)
            case .scalar(.number(let value)) where value.isFinite: value
            default: nil
            }
        }
        guard elements.count == 2, numbers.count == 2, numbers[0] < numbers[1] else { return nil }
        return .array(numbers.map { .number($0) })
    }

    private static func taskNumbers(_ entries: [YAMLNode.Entry], in range: NumberRange, key: String) throws(UserError) -> JSONValue {
        var numbers = JSONObject()
        for entry in entries { numbers[entry.key] = try SettingForm.number(range).decode(entry.value, key: "\(key).\(entry.key)") }
        return .object(numbers)
    }

    private func trainingFiles(_ elements: [YAMLNode], _ node: YAMLNode, key: String) throws(UserError) -> JSONValue {
        guard !elements.isEmpty else { throw node.place.error("\(key) is an empty list; name at least one file") }
        var files: [JSONValue] = []
        for (index, element) in elements.enumerated() {
            files.append(try SettingForm.trainingFile.decode(element, key: "\(key)[\(index)]"))
        }
        return .array(files)
    }
}

extension YAMLScalar {
    /// What a choice is compared with: Hugging Face spells some choices as `true`.
    fileprivate var asChoice: String {
        switch self {
        case .text(let text): text
        case .boolean(let value): "\(value)"
        default: ""
        }
    }
}
