// The value of every setting by canonical key: given, else its default, with the rules that join two settings applied.
// The sections' types are made from this table, and run.json is this table.

import Files

package struct SettingValues: Sendable {
    private var values: [String: JSONValue] = [:]

    /// - Parameter notices: receives a sentence for each setting that another one makes idle
    /// - Throws: `UserError` for a missing setting, or two that contradict each other
    init(_ reader: ConfigurationReader, notices: inout [String]) throws(UserError) {
        for setting in ConfigurationSchema.settings {
            if let given = reader.given[setting.key] {
                values[setting.key] = given.value
            } else if case .required = setting.initial {
                throw reader.place(of: setting.key).error("\(setting.key) is missing; add it")
            } else {
                values[setting.key] = setting.defaultValue
            }
        }
        try joinData(reader, &notices)
        try joinSampling(reader)
        try joinBatch(reader)
        try joinWarmup(reader, &notices)
        try joinPrecision(reader)
        try joinActivations(reader)
        try joinEvaluation(reader, &notices)
        try checkLoss(reader)
    }

    subscript(_ key: String) -> JSONValue {
        get {
            guard let value = values[key] else { preconditionFailure("no setting is named \(key)") }
            return value
        }
        set { values[key] = newValue }
    }

    // MARK: Rules between settings

    private func joinData(_ reader: ConfigurationReader, _ notices: inout [String]) throws(UserError) {
        if self["data.train"].isNull {
            guard !self["data.processed_dir"].isNull else { throw reader.place(of: "data.train").error("data.train is missing; add it") }
        } else if !self["data.processed_dir"].isNull {
            notices.append("\(reader.place(of: "data.processed_dir")): data.processed_dir is not used, because data.train is given")
        }
        if let least = optionalInteger("data.min_pixels"), let most = optionalInteger("data.max_pixels"), least > most {
            throw reader.place(of: "data.min_pixels")
                .error("data.min_pixels is \(least), above data.max_pixels, \(most); lower one or raise the other")
        }
        guard let tasks = self["lora.tasks"].arrayValue?.compactMap(\.stringValue) else { return }
        for file in (self["data.train"].arrayValue ?? []) + [self["data.evaluation"]] {
            guard let task = file["task"]?.stringValue, !tasks.contains(task) else { continue }
            throw reader.place(of: "lora.tasks")
                .error("lora.tasks has no \(task), the task of \(file["path"]?.stringValue ?? "a file"); add it")
        }
    }

    private func joinSampling(_ reader: ConfigurationReader) throws(UserError) {
        let key = "data.sampling_temperature"
        let weights = (self["data.train"].arrayValue ?? []).map { $0["weight"]?.numberValue }
        if number(key) != 1, let set = weights.firstIndex(where: { $0 != nil }) {
            throw reader.place(of: key).error("\(key) and data.train[\(set)].weight are both given; keep one of the two")
        }
        guard !boolean("training.shuffle") else { return }
        let fault = "without shuffling a row is taken a whole number of times in each epoch, but"
        let place = reader.place(of: "training.shuffle")
        if number(key) != 1 { throw place.error("\(fault) \(key) is \(number(key)); remove one of the two settings") }
        if let set = weights.firstIndex(where: { $0.map { $0 != $0.rounded() } ?? false }) {
            throw place.error("\(fault) data.train[\(set)].weight is \(weights[set]!); use a whole number, or training.shuffle: true")
        }
    }

    private mutating func joinBatch(_ reader: ConfigurationReader) throws(UserError) {
        let (ofRank, ofAll) = ("training.batch_size", "training.global_batch_size")
        let isRankGiven = reader.given[ofRank].map { !$0.value.isNull } ?? false
        if self[ofAll].isNull {
            if !isRankGiven { self[ofRank] = ConfigurationSchema.setting(ofRank).defaultValue }
        } else if isRankGiven {
            throw reader.place(of: ofAll).error("\(ofRank) at \(reader.place(of: ofRank)) and \(ofAll) are both given; keep one of the two")
        } else {
            self[ofRank] = .null
        }
    }

    private func joinWarmup(_ reader: ConfigurationReader, _ notices: inout [String]) throws(UserError) {
        guard let steps = optionalInteger("training.warmup_steps") else { return }
        if let ratio = reader.given["training.warmup_ratio"], ratio.value.numberValue != 0 {
            notices.append("\(ratio.place): training.warmup_ratio is not used, because training.warmup_steps is given")
        }
        if let total = optionalInteger("training.max_steps"), steps > total {
            notices.append(
                "\(reader.place(of: "training.warmup_steps")): the warm-up of \(steps) steps is longer than the run of \(total): "
                    + "the rate never reaches training.learning_rate")
        }
    }

    private mutating func joinPrecision(_ reader: ConfigurationReader) throws(UserError) {
        let bf16 = reader.given["system.bf16"]?.value.boolValue
        if let type = reader.given["system.compute_dtype"] {
            let isNarrow = type.value.stringValue != "float32"
            guard bf16 == nil || bf16 == isNarrow else {
                throw type.place.error(
                    "system.bf16 at \(reader.place(of: "system.bf16")) and system.compute_dtype contradict each other; keep one of the two")
            }
            self["system.bf16"] = .bool(isNarrow)
        } else if bf16 == false {
            self["system.compute_dtype"] = "float32"
        }
    }

    private mutating func joinActivations(_ reader: ConfigurationReader) throws(UserError) {
        guard let short = reader.given["training.gradient_checkpointing"], short.value.boolValue == true else { return }
        let memory = reader.given["system.activation_memory"]
        guard memory == nil || memory!.value.stringValue == ActivationMemory.recompute.rawValue else {
            throw short.place.error(
                "training.gradient_checkpointing means system.activation_memory: recompute, but \(memory!.place) says "
                    + "\(memory!.value.stringValue ?? ""); keep one of the two")
        }
        self["system.activation_memory"] = .string(ActivationMemory.recompute.rawValue)
    }

    private func joinEvaluation(_ reader: ConfigurationReader, _ notices: inout [String]) throws(UserError) {
        guard self["data.evaluation"].isNull, !self["data.train"].isNull else { return }
        guard integer("training.eval_steps") == 0 else {
            throw reader.place(of: "training.eval_steps")
                .error("training.eval_steps needs something to evaluate on; add data.evaluation, or remove training.eval_steps")
        }
        if let metric = reader.given["training.metric_for_best_model"] {
            notices.append("\(metric.place): training.metric_for_best_model is not used, because there is no data.evaluation")
        }
    }

    // MARK: Typed access

    func boolean(_ key: String) -> Bool { require(self[key].boolValue, key) }
    func integer(_ key: String) -> Int { Int(require(self[key].integerValue, key)) }
    func optionalInteger(_ key: String) -> Int? { self[key].integerValue.map { Int($0) } }
    func number(_ key: String) -> Double { require(self[key].numberValue, key) }
    func text(_ key: String) -> String { require(self[key].stringValue, key) }
    func optionalText(_ key: String) -> String? { self[key].stringValue }
    /// None when it is not set.
    func numbersByTask(_ key: String) -> [String: Double] {
        let entries = (self[key].objectValue?.entries ?? []).map { ($0.key, require($0.value.numberValue, key)) }
        return Dictionary(entries) { first, _ in first }
    }

    func choice<Choice: RawRepresentable<String>>(_ key: String) -> Choice {
        require(Choice(rawValue: text(key)), key)
    }

    private func require<Value>(_ value: Value?, _ key: String) -> Value {
        guard let value else { preconditionFailure("\(key) has the wrong form: \(self[key])") }
        return value
    }

    // MARK: The resolved configuration

    func bySection() -> JSONValue {
        var top = JSONObject()
        for setting in ConfigurationSchema.settings where setting.section.isEmpty { top[setting.key] = self[setting.key] }
        for section in ConfigurationSchema.sections {
            var object = JSONObject()
            for setting in ConfigurationSchema.settings where setting.section == section { object[setting.name] = self[setting.key] }
            top[section] = .object(object)
        }
        return .object(top)
    }

    /// A setting's value in a resolved configuration; its default when it is not there.
    package static func value(of setting: Setting, in resolved: JSONValue) -> JSONValue {
        let section = setting.section.isEmpty ? resolved : resolved[setting.section]
        return section?[setting.name] ?? setting.defaultValue
    }

    /// Equal values, numbers by value and not by spelling: 16 is 16.0. A member that is absent is as good as null.
    package static func areEqual(_ a: JSONValue, _ b: JSONValue) -> Bool {
        switch (a, b) {
        case (.null, .null): true
        case (.bool(let a), .bool(let b)): a == b
        case (.integer(let a), .integer(let b)): a == b
        case (.integer, .number), (.number, .integer), (.number, .number): a.numberValue == b.numberValue
        case (.string(let a), .string(let b)): a.utf8.elementsEqual(b.utf8)
        case (.array(let a), .array(let b)): a.count == b.count && zip(a, b).allSatisfy(areEqual)
        case (.object(let a), .object(let b)):
            (a.entries + b.entries).allSatisfy { areEqual(a[$0.key] ?? .null, b[$0.key] ?? .null) }
        default: false
        }
    }
}

extension Setting {
    /// Null for a setting that has none.
    package var defaultValue: JSONValue {
        if case .value(let value) = initial { value } else { .null }
    }

    /// The key without its section.
    var name: String {
        section.isEmpty ? key : String(key.dropFirst(section.count + 1))
    }
}

extension ConfigurationSchema {
    static func setting(_ key: String) -> Setting {
        settings.first { $0.key == key }!
    }
}
