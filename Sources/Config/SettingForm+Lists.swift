// Forms of several values: names, numbers, two ends of an interval, values by task.

import Files

extension YAMLNode {
    /// The elements of a list; nil for anything else.
    package var elements: [YAMLNode]? {
        if case .sequence(let elements) = content { elements } else { nil }
    }

    /// Different names, at least one.
    ///
    /// - Throws: an error at the list where it is empty, at the element where one is no name or stands twice
    package static func names(_ elements: [YAMLNode], of list: YAMLNode, key: String) throws(UserError) -> [String] {
        guard !elements.isEmpty else { throw list.place.error("\(key) is an empty list; name at least one, or remove the key") }
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
        return names
    }
}

extension SettingForm where Value == [String] {
    /// A list of different texts, or a single one.
    package static var names: Self {
        Self(
            "a list of names", encode: { .array($0.map { .string($0) }) },
            read: { (node, key) throws(UserError) -> [String]? in
                switch node.content {
                case .sequence(let elements): return try YAMLNode.names(elements, of: node, key: key)
                case .scalar(.text): return try YAMLNode.names([node], of: node, key: key)
                default: return nil
                }
            })
    }
}

extension SettingForm where Value == [Double] {
    /// A list of numbers in the range, or a single one.
    package static func numbers(_ range: NumberRange) -> Self {
        Self(
            "a list of numbers \(range.inWords)", encode: { .array($0.map { .number($0) }) },
            read: { (node, key) throws(UserError) -> [Double]? in
                let elements: [YAMLNode]
                switch node.content {
                case .sequence(let list): elements = list
                case .scalar(.integer), .scalar(.number): elements = [node]
                default: return nil
                }
                var numbers: [Double] = []
                for (index, element) in elements.enumerated() {
                    numbers.append(try SettingForm<Double>.number(range).decode(element, key: "\(key)[\(index)]"))
                }
                return numbers
            })
    }
}

extension SettingForm where Value == ClosedRange<Double> {
    /// A list of two finite numbers, the lower first.
    package static var interval: Self {
        Self(
            "two numbers, the lower first, such as `[0, 5]`", encode: { .array([.number($0.lowerBound), .number($0.upperBound)]) },
            read: { node, _ in
                guard let elements = node.elements, elements.count == 2 else { return nil }
                let numbers = elements.compactMap { element -> Double? in
                    switch element.content {
                    case .scalar(.integer(let value)): Double(value)
                    case .scalar(.number(let value)) where value.isFinite: value
                    default: nil
                    }
                }
                return numbers.count == 2 && numbers[0] < numbers[1] ? numbers[0]...numbers[1] : nil
            })
    }
}

extension SettingForm where Value == TaskValues<Double> {
    /// A mapping from tasks to numbers in the range.
    package static func taskNumbers(_ range: NumberRange) -> Self {
        Self(
            "a mapping from tasks to numbers \(range.inWords)", encode: { $0.json { .number($0) } },
            read: { (node, key) throws(UserError) -> TaskValues<Double>? in
                guard case .mapping(let entries) = node.content else { return nil }
                var numbers = TaskValues<Double>()
                for entry in entries {
                    numbers[entry.key] = try SettingForm<Double>.number(range).decode(entry.value, key: "\(key).\(entry.key)")
                }
                return numbers
            })
    }
}

/// Values of some tasks, in the order of the file.
///
/// Names of tasks are told apart by their bytes. The order does not count when two are compared.
package struct TaskValues<Value: Sendable>: Sendable {
    private var entries: [(task: String, value: Value)] = []
    private var positions: [ExactString: Int] = [:]

    /// Holds a value for no task.
    package init() {}

    /// Names of the tasks with a value.
    package var tasks: [String] { entries.map(\.task) }

    /// The values by name; of names that Swift takes for the same the first counts.
    package var dictionary: [String: Value] {
        Dictionary(entries.map { ($0.task, $0.value) }) { first, _ in first }
    }

    /// The value of a task, nil where it has none. A new task comes last.
    package subscript(_ task: String) -> Value? {
        get { positions[ExactString(task)].map { entries[$0].value } }
        set {
            guard let newValue else { preconditionFailure("values by task: \(task) cannot be taken out") }
            if let position = positions[ExactString(task)] {
                entries[position].value = newValue
            } else {
                positions[ExactString(task)] = entries.count
                entries.append((task, newValue))
            }
        }
    }

    /// A member for each task, its value as `encode` gives it.
    package func json(_ encode: (Value) -> JSONValue) -> JSONValue {
        var object = JSONObject()
        for entry in entries { object[entry.task] = encode(entry.value) }
        return .object(object)
    }
}

extension TaskValues: ExpressibleByDictionaryLiteral {
    /// Holds the values of a literal, in its order.
    package init(dictionaryLiteral elements: (String, Value)...) {
        for (task, value) in elements { self[task] = value }
    }
}

extension TaskValues: Equatable where Value: Equatable {
    package static func == (a: Self, b: Self) -> Bool {
        a.entries.count == b.entries.count && a.entries.allSatisfy { b[$0.task] == $0.value }
    }
}
