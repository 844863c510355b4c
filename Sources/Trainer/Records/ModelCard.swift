// README.md of a run's folder: what was trained, how to load it, how good it is, and the settings that made it.
// The front matter is what Hugging Face's hub reads. Everything comes from the run; what a run does not know is not there.

import Config
import Evaluation
import Files
import Model
import Project
import Tensor

/// The model card of a finished run.
package struct ModelCard: Sendable {
    /// As `base_model_path` names it.
    package var baseModel: String
    /// Of the adapters, in the model's order.
    package var tasks: [String]
    package var trainedTasks: [String]
    package var rank: Int
    package var alpha: Double
    package var dropout: Double
    /// Of one adapter.
    package var parameters: Int
    package var saveFormat: LoRAConfig.SaveFormat
    /// What was trained: one vector, a vector a token, or both.
    package var heads: EmbeddingHeads
    /// Whether the projector to token vectors lies beside the adapters, since the backbone has none.
    package var hasOwnProjector: Bool
    /// Whether rows had images.
    package var hasImages: Bool
    package var data: [RunRecord.DataFile]
    /// What stood before the texts of each trained task, in the first file that has it.
    package var prompts: [Prompts]
    package var maximumTokens: Int
    package var steps: Int
    /// Passes over the data.
    package var epochs: Double
    package var globalBatchRows: Int
    package var worldSize: Int
    package var engine: MatrixEngine.Kind
    package var processor: String
    package var versions: Versions
    /// Mean losses at the end of the training.
    package var losses: [(task: String, mean: Double)]
    /// Without the training; empty when nothing was evaluated.
    package var evaluationAfter: [EvaluationResult]
    package var settings: SettingLines

    package struct Prompts: Sendable {
        package var task: String
        package var pair: PromptPair

        /// Creates the prompts of a task.
        package init(task: String, pair: PromptPair) {
            self.task = task
            self.pair = pair
        }
    }

    /// Replaces README.md in the run's folder.
    ///
    /// - Throws: `UserError` `.output`
    package func write(folder: String) throws(UserError) {
        try AtomicWrite.write(Array(markdown.utf8), to: "\(folder)/README.md")
    }

    package var markdown: String {
        let sections = [frontMatter, summary, python, commandLine, evaluation, training, settingTables, versionList]
        return sections.compactMap { $0 }.joined(separator: "\n")
    }

    // MARK: Sections

    private var frontMatter: String {
        """
        ---
        base_model: \(Self.quoted(baseModel))
        library_name: peft
        pipeline_tag: sentence-similarity
        tags:
        - sentence-similarity
        - feature-extraction
        - embeddings
        - lora
        - shoal
        ---

        """
    }

    private var summary: String {
        let name = baseModel.split(separator: "/").last.map(String.init) ?? baseModel
        let others = tasks.filter { !trainedTasks.contains($0) }
        let rest = others.isEmpty ? "" : " The adapters for \(Self.list(others)) are here too, as they were at the start."
        return """
            # \(name), trained for \(Self.list(trainedTasks))

            LoRA adapters for `\(baseModel)`, trained by Shoal on pairs of \(hasImages ? "texts and images" : "texts").\(rest)

            \(vectors)
            - Adapter: rank \(rank), alpha \(Figures.short(alpha)), dropout \(Figures.short(dropout)), \(Figures.count(parameters)) parameters a task
            - Texts: cut at \(Figures.count(maximumTokens)) tokens, prompt included

            | task | before a query | before a passage |
            | --- | --- | --- |
            \(prompts.map { "| \($0.task) | \(Self.code($0.pair.query)) | \(Self.code($0.pair.passage)) |" }.joined(separator: "\n"))

            """
    }

    /// What becomes of an input, a point a head.
    private var vectors: String {
        let dense = "- One vector: the mean of the last layer's states, scaled to length 1; what belongs together has a high dot product"
        let projector = hasOwnProjector ? " `\(ProjectorFile.name)` makes them, the backbone has no projector of its own." : ""
        let late =
            "- A vector a token (`--multi-vector`), compared by late interaction: every query token takes its best passage token.\(projector)"
        return [heads.hasDense ? dense : nil, heads.hasLate ? late : nil].compactMap(\.self).joined(separator: "\n")
    }

    /// Plain PEFT; only where such adapters were written.
    private var python: String? {
        guard saveFormat != .published, heads.hasDense, let task = trainedTasks.first else { return nil }
        let prompts = prompts.first { $0.task == task }
        return """
            ## Use in Python

            ```python
            from peft import PeftModel
            from torch import float32, no_grad
            from torch.nn.functional import normalize
            from transformers import AutoTokenizer, Qwen2_5_VLForConditionalGeneration

            base = \(Self.quoted(baseModel))
            tokenizer = AutoTokenizer.from_pretrained(base)
            model = Qwen2_5_VLForConditionalGeneration.from_pretrained(base, dtype=float32)
            model = PeftModel.from_pretrained(model, \(Self.quoted("peft/\(task)"))).eval()  # path from this folder

            @no_grad()
            def embed(text, prompt):
                tokens = tokenizer(prompt + text, truncation=True, max_length=\(maximumTokens), return_tensors="pt")
                states = model.base_model.model.model(**tokens, use_cache=False).last_hidden_state[0]
                return normalize(states.mean(dim=0), dim=0)

            query = embed("...", \(Self.quoted(prompts?.pair.query ?? "")))
            passage = embed("...", \(Self.quoted(prompts?.pair.passage ?? "")))
            print(float(query @ passage))
            ```

            `AutoPeftModel.from_pretrained(\(Self.quoted("peft/\(task)")))` loads both in one call. On `AutoModel` PEFT finds no place for the
            factors, warns of missing keys, and the vectors are the bare backbone's: use the class above.

            With sentence-transformers, whose prompts and length are set:

            ```python
            from sentence_transformers import SentenceTransformer

            model = SentenceTransformer(\(Self.quoted("peft/\(task)")), model_kwargs={"dtype": "float32"})
            print(model.encode_query("...") @ model.encode_document("..."))
            ```

            """
    }

    private var commandLine: String {
        let task = trainedTasks.first ?? ""
        let (flag, ending) = heads.hasDense ? ("", "npy") : ("--multi-vector ", "safetensors")
        let adapter = saveFormat == .peft ? "peft/\(task)" : "."
        return """
            ## Use with Shoal

            ```sh
            shoal embed --model \(Self.shell(baseModel)) --adapter \(adapter) --task \(task) --prompt query \(flag)--texts "..." --output queries.\(ending)
            shoal embed --model \(Self.shell(baseModel)) --adapter \(adapter) --task \(task) --prompt passage \(flag)--text-file passages.txt --output passages.\(ending)
            ```

            """
    }

    private var evaluation: String? {
        guard !evaluationAfter.isEmpty else { return nil }
        return "## Evaluation\n\n" + EvaluationTable(evaluationAfter).markdown
    }

    private var training: String {
        var table = TextTable([.left, .right, .left])
        table.add(["data", "rows", "SHA-256"])
        for file in data { table.add([Self.code(file.path), Figures.count(file.rows), Self.code(file.sha256)]) }
        let ranks = Figures.count(worldSize, "rank")
        let losses = losses.map { "\($0.task) \(Figures.fixed($0.mean, 4))" }.joined(separator: ", ")
        let engine = engine == .bfloat16 ? "bfloat16" : "float32"
        return """
            ## Training

            \(Figures.count(steps, "step")) of \(Figures.count(globalBatchRows, "row")), \(Figures.fixed(epochs, 2)) passes over the data, on \(ranks), with \
            \(engine) products (\(processor)).\(losses.isEmpty ? "" : " Mean loss at the end: \(losses).")

            \(table.markdown)
            """
    }

    private var settingTables: String {
        """
        ### Settings that differ from the defaults

        \(Self.table(settings.changed))
        <details><summary>Settings at their defaults</summary>

        \(Self.table(settings.usual))
        </details>

        """
    }

    private var versionList: String {
        "### Versions\n\n" + versions.list.map { "- \($0.name) \($0.version)\n" }.joined()
    }

    // MARK: Forms

    private static func table(_ lines: [SettingLines.Line]) -> String {
        var table = TextTable([.left, .left])
        table.add(["setting", "value"])
        for line in lines { table.add([code(line.key), code(line.value)]) }
        return table.markdown
    }

    /// `a`, `a and b`, `a, b and c`
    private static func list(_ names: [String]) -> String {
        guard names.count > 1 else { return names.first ?? "" }
        return names.dropLast().joined(separator: ", ") + " and " + names[names.count - 1]
    }

    /// A string of YAML, JSON and Python alike.
    private static func quoted(_ text: String) -> String {
        String(decoding: JSONValue.string(text).serialized(pretty: false), as: UTF8.self)
    }

    /// Code in a line of Markdown; a backquote inside needs a longer fence. Nothing for nothing.
    private static func code(_ text: String) -> String {
        guard !text.isEmpty else { return "(nothing)" }
        return text.contains("`") || text.first == " " || text.last == " " ? "`` \(text) ``" : "`\(text)`"
    }

    /// An argument of a shell's command line.
    private static func shell(_ text: String) -> String {
        let isPlain = text.unicodeScalars.allSatisfy {
            $0.properties.isAlphabetic || ("0"..."9").contains($0) || "/._-+:@".unicodeScalars.contains($0)
        }
        return isPlain ? text : "'" + text.split(separator: "'", omittingEmptySubsequences: false).joined(separator: "'\\''") + "'"
    }
}

/// The settings of a run as lines, those that differ from their defaults apart.
package struct SettingLines: Sendable {
    package struct Line: Sendable, Equatable {
        package let key: String
        package let value: String
    }

    package private(set) var changed: [Line] = []
    package private(set) var usual: [Line] = []

    /// - Parameter resolved: as `ProjectConfig.resolved()` gives it
    package init(_ resolved: JSONValue) {
        for setting in ProjectSettings.schema.settings {
            let value = setting.json(in: resolved)
            let line = Line(key: setting.key, value: String(decoding: value.serialized(pretty: false), as: UTF8.self))
            if SettingValues.areEqual(value, setting.defaultJSON) { usual.append(line) } else { changed.append(line) }
        }
    }
}
