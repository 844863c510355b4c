// lora.start_from: a word, a path, or a path for each of some tasks. In the resolved configuration a task's start is always
// `{path, task}`.

import Files

extension LoRAConfig.StartFrom {
    /// - Parameter json: as `decode` gives it, or a text
    init(_ json: JSONValue) {
        switch json.stringValue {
        case "auto": self = .automatic
        case "fresh": self = .fresh
        case let path?: self = .path(path)
        case nil:
            let starts = (json.objectValue?.entries ?? []).map { task, start in
                (task, LoRAConfig.TaskStart(path: start["path"]?.stringValue ?? "", task: start["task"]?.stringValue))
            }
            self = .byTask(Dictionary(starts) { first, _ in first })
        }
    }

    /// A mapping from tasks to paths, or to `{path, task}`.
    static func decode(_ entries: [YAMLNode.Entry], _ node: YAMLNode, key: String) throws(UserError) -> JSONValue {
        guard !entries.isEmpty else { throw node.place.error("\(key) is an empty mapping; name at least one task, or write fresh") }
        var starts = JSONObject()
        for entry in entries { starts[entry.key] = try decode(entry, key: "\(key).\(entry.key)") }
        return .object(starts)
    }

    private static func decode(_ entry: YAMLNode.Entry, key: String) throws(UserError) -> JSONValue {
        let pathForm = SettingForm.text("the path of a folder with adapters, or `{path, task}`")
        guard case .mapping(let members) = entry.value.content else {
            return ["path": try pathForm.decode(entry.value, key: key), "task": .null]
        }
        var start = JSONObject()
        for name in ["path", "task"] { start[name] = JSONValue.null }
        for member in members {
            switch member.key {
            case "path": start["path"] = try SettingForm.text("the path of a folder with adapters").decode(member.value, key: "\(key).path")
            case "task": start["task"] = try SettingForm.optional(.text("a task's name")).decode(member.value, key: "\(key).task")
            default: throw member.place.error(ConfigurationReader.unknown(member.key, "in \(key)", known: ["path", "task"]))
            }
        }
        guard start["path"]?.isNull == false else { throw entry.value.place.error("\(key) has no path; add \"path: FOLDER\"") }
        return .object(start)
    }
}
