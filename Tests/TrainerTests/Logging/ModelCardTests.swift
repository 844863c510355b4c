import Support
import Tensor
import Testing

@testable import Trainer

private func settings() throws -> SettingLines {
    let yaml = "base_model_path: examples/jina-tiny\ndata: {train: a.jsonl}\ntraining: {output_dir: out, epochs: 3, learning_rate: 1e-3}\n"
    return SettingLines(try ProjectConfig.decode(yaml: Array(yaml.utf8), path: "c.yaml", overrides: []).resolved())
}

private func card() throws -> ModelCard {
    ModelCard(
        baseModel: "examples/jina-tiny", tasks: ["retrieval", "text-matching", "code"], trainedTasks: ["code"], rank: 16, alpha: 16,
        dropout: 0.1, parameters: 491_520, saveFormat: .both, data: [.init(path: "a.jsonl", bytes: 12, sha256: "ff00", rows: 3712)],
        prompts: [.init(task: "code", query: "Query: ", passage: "Passage: ")], maximumTokens: 160, steps: 100, epochs: 1.724,
        globalBatchRows: 64, worldSize: 2, engine: .bfloat16, processor: "A Processor", versions: Versions(openMPI: "4.1.4"),
        evaluationBefore: [sampleEvaluationBefore[0]], evaluationAfter: [sampleEvaluationAfter[1]], settings: try settings())
}

@Suite struct ModelCardTests {
    @Test func theWholeCard() throws {
        let text = try card().markdown
        let parts = text.components(separatedBy: "<details>")
        #expect(parts.count == 2)
        #expect(parts[0] == expectedBeforeDetails)
        #expect(parts[1].hasPrefix("<summary>Settings at their defaults</summary>\n\n| setting | value |\n| --- | --- |\n"))
        #expect(parts[1].contains("| `training.epochs` | `3` |\n"), "given, but the same as the default")
        #expect(
            parts[1].hasSuffix("\n</details>\n\n### Versions\n\n- Shoal 0.1.0\n- Swift \(Versions.swift)\n- Open MPI 4.1.4\n"))
    }

    @Test func withoutEvaluationThereIsNoTable() throws {
        var card = try card()
        card.evaluationBefore = []
        card.evaluationAfter = []
        #expect(!card.markdown.contains("Evaluation"))
    }

    @Test func withoutPlainAdaptersThereIsNoPython() throws {
        var card = try card()
        card.saveFormat = .published
        #expect(!card.markdown.contains("PeftModel"))
        #expect(card.markdown.contains("shoal embed"))
    }

    @Test func oddNamesAreQuoted() throws {
        var card = try card()
        card.baseModel = "my \"models\"/it's"
        card.prompts[0].passage = ""
        let text = card.markdown
        #expect(text.contains("base_model: \"my \\\"models\\\"/it's\"\n"))
        #expect(text.contains("--model 'my \"models\"/it'\\''s' --adapter"))
        #expect(text.contains("| code | `` Query:  `` | (nothing) |"))
    }

    @Test func severalTasksAreAllNamed() throws {
        var card = try card()
        card.trainedTasks = card.tasks
        #expect(card.markdown.contains("# jina-tiny, trained for retrieval, text-matching and code\n"))
        #expect(!card.markdown.contains("as they were at the start"))
    }

    @Test func itIsWrittenIntoTheRunsFolder() throws {
        let folder = try TemporaryFolder()
        try card().write(folder: folder.path)
        #expect(try folder.bytes("README.md") == Array(card().markdown.utf8))
    }
}

private let expectedBeforeDetails = """
    ---
    base_model: "examples/jina-tiny"
    library_name: peft
    pipeline_tag: sentence-similarity
    tags:
    - sentence-similarity
    - feature-extraction
    - embeddings
    - lora
    - shoal
    ---

    # jina-tiny, trained for code

    LoRA adapters for `examples/jina-tiny`, trained with a contrastive loss on pairs of texts by [Shoal](#training). A text becomes one vector:
    the mean of the last layer's states, scaled to length 1; texts that belong together have a high dot product. The adapters for retrieval and text-matching are here too, as they were at the start.

    """
