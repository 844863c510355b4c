// What `lora.start_from` takes: a word, a path, or a path for each of some tasks. In the resolved configuration a task's start is
// always `{path, task}`. Beside it the form of `lora.layers_to_transform`.

import Config
import Files

extension SettingForm where Value == LoRAConfig.StartFrom {
    /// A word, a path, or a mapping from tasks to paths.
    package static var adapterStart: Self {
        Self(
            "`auto`, `fresh`, the path of a folder with adapters, or `{TASK: PATH}`", hint: quotesMissing,
            encode: { start in
                switch start {
                case .automatic: "auto"
                case .fresh: "fresh"
                case .path(let path): .string(path)
                case .byTask(let starts): starts.json(\.json)
                }
            },
            read: { (node, key) throws(UserError) -> LoRAConfig.StartFrom? in
                switch node.content {
                case .scalar(.text("auto")): return .automatic
                case .scalar(.text("fresh")): return .fresh
                case .scalar(.text(let path)) where !path.isEmpty: return .path(path)
                case .mapping(let entries):
                    guard !entries.isEmpty else {
                        throw node.place.error("\(key) is an empty mapping; name at least one task, or write fresh")
                    }
                    var starts = TaskValues<LoRAConfig.TaskStart>()
                    for entry in entries { starts[entry.key] = try LoRAConfig.TaskStart(entry.value, key: "\(key).\(entry.key)") }
                    return .byTask(starts)
                default: return nil
                }
            })
    }
}

extension LoRAConfig.TaskStart {
    private enum Member: String, CaseIterable { case path, task }

    fileprivate var json: JSONValue {
        var object = JSONObject()
        object[Member.path.rawValue] = .string(path)
        object[Member.task.rawValue] = task.map { .string($0) } ?? .null
        return .object(object)
    }

    /// A path alone, or `{path, task}`.
    fileprivate init(_ node: YAMLNode, key: String) throws(UserError) {
        guard case .mapping(let members) = node.content else {
            let form = SettingForm<String>.text("the path of a folder with adapters, or `{path, task}`")
            self.init(path: try form.decode(node, key: key), task: nil)
            return
        }
        var (path, task): (String?, String?)
        for entry in members {
            let name = "\(key).\(entry.key)"
            switch Member(rawValue: entry.key) {
            case .path: path = try SettingForm.text("the path of a folder with adapters").decode(entry.value, key: name)
            case .task: task = try SettingForm.optional(.text("a task's name")).decode(entry.value, key: name)
            case nil:
                let known = Member.allCases.map(\.rawValue)
                throw entry.place.error(NearestName.unknownKey(entry.key, "in \(key)", known: known))
            }
        }
        guard let path else { throw node.place.error("\(key) has no path; add \"path: FOLDER\"") }
        self.init(path: path, task: task)
    }
}

extension SettingForm where Value == [Int] {
    /// A list of layer numbers, or a single one; ascending, whatever the order in the file.
    package static var layers: Self {
        Self(
            "a list of layer numbers", encode: { .array($0.map { .integer(Int64($0)) }) },
            read: { (node, key) throws(UserError) -> [Int]? in
                let elements: [YAMLNode]
                switch node.content {
                case .sequence(let list): elements = list
                case .scalar(.integer): elements = [node]
                default: return nil
                }
                guard !elements.isEmpty else {
                    throw node.place.error("\(key) is an empty list; name at least one layer, or remove the key")
                }
                var layers: Set<Int> = []
                for (index, element) in elements.enumerated() {
                    guard case .scalar(.integer(let layer)) = element.content, layer >= 0 else {
                        throw element.place.error("\(key)[\(index)] must be a layer number, 0 or more, but is \(element.inWords)")
                    }
                    guard layers.insert(layer).inserted else { throw element.place.error("\(key) names \(layer) twice; remove one") }
                }
                return layers.sorted()
            })
    }
}
