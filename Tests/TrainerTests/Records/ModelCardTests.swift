import Model
import Support
import Tensor
import Testing

@testable import Project
@testable import Trainer

private func settings() throws -> SettingLines {
    let yaml = "base_model_path: examples/jina-tiny\ndata: {train: a.jsonl}\ntraining: {output_dir: out, epochs: 3, learning_rate: 1e-3}\n"
    return SettingLines(try ProjectConfig.decode(yaml: Array(yaml.utf8), path: "c.yaml", overrides: []).resolved())
}

private func card() throws -> ModelCard {
    ModelCard(
        baseModel: "examples/jina-tiny", tasks: ["retrieval", "text-matching", "code"], trainedTasks: ["code"], rank: 16, alpha: 16,
        dropout: 0.1, parameters: 491_520, saveFormat: .both, heads: .dense, hasOwnProjector: false,
        hasImages: false, data: [.init(path: "a.jsonl", bytes: 12, sha256: "ff00", rows: 3712)],
        prompts: [.init(task: "code", pair: .usual(task: "code"))], maximumTokens: 160, steps: 100, epochs: 1.724,
        globalBatchRows: 64, worldSize: 2, engine: .bfloat16, processor: "A Processor", versions: Versions(openMPI: "4.1.4"),
        losses: [("code", 0.51234)],
        evaluationAfter: [sampleEvaluationAfter[1]], settings: try settings())
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
        card.evaluationAfter = []
        #expect(!card.markdown.contains("Evaluation"))
    }

    @Test func withoutPlainAdaptersThereIsNoPython() throws {
        var card = try card()
        card.saveFormat = .published
        #expect(!card.markdown.contains("PeftModel"))
        #expect(card.markdown.contains("shoal embed"))
    }

    @Test func plainAdaptersAloneAreNamedByTheirFolder() throws {
        var card = try card()
        card.saveFormat = .peft
        #expect(card.markdown.contains("--adapter peft/code --task code --prompt query"))
        #expect(!card.markdown.contains("--adapter . "))
    }

    @Test func tokenVectorsAndImagesAreSaid() throws {
        var card = try card()
        (card.heads, card.hasImages) = (.both, true)
        #expect(card.markdown.contains("on pairs of texts and images."))
        #expect(card.markdown.contains("- One vector: ") && card.markdown.contains("- A vector a token (`--multi-vector`)"))
        #expect(!card.markdown.contains("multi_vector_projector.safetensors"))
        (card.heads, card.hasOwnProjector) = (.late, true)
        #expect(!card.markdown.contains("- One vector: ") && !card.markdown.contains("PeftModel"))
        #expect(card.markdown.contains("`multi_vector_projector.safetensors` makes them"))
        #expect(card.markdown.contains("--prompt query --multi-vector --texts \"...\" --output queries.safetensors"))
    }

    @Test func oddNamesAreQuoted() throws {
        var card = try card()
        card.baseModel = "my \"models\"/it's"
        card.prompts[0].pair = PromptPair(query: "Query: ", passage: "")
        let text = card.markdown
        #expect(text.contains("base_model: \"my \\\"models\\\"/it's\"\n"))
        #expect(text.contains("--model 'my \"models\"/it'\\''s' --adapter"))
        #expect(text.contains("| code | `` Query:  `` | (nothing) |"))
    }

    @Test func severalTasksAreAllNamed() throws {
        var card = try card()
        card.trainedTasks = card.tasks
        card.losses = [("retrieval", 1.25), ("code", 0.5)]
        #expect(card.markdown.contains("Mean loss at the end: retrieval 1.2500, code 0.5000.\n"))
        #expect(card.markdown.contains("# jina-tiny, trained for retrieval, text-matching and code\n"))
        #expect(!card.markdown.contains("as they were at the start"))
    }

    @Test func itIsWrittenIntoTheRunsFolder() throws {
        let folder = try TemporaryFolder()
        try card().write(folder: folder.path)
        try expectSameBytes(folder.bytes("README.md"), Array(card().markdown.utf8), "README.md")
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

    LoRA adapters for `examples/jina-tiny`, trained by Shoal on pairs of texts. The adapters for retrieval and text-matching are here too, as they were at the start.

    - One vector: the mean of the last layer's states, scaled to length 1; what belongs together has a high dot product
    - Adapter: rank 16, alpha 16, dropout 0.1, 491,520 parameters a task
    - Texts: cut at 160 tokens, prompt included

    | task | before a query | before a passage |
    | --- | --- | --- |
    | code | `` Query:  `` | `` Passage:  `` |

    ## Use in Python

    ```python
    from peft import PeftModel
    from torch import float32, no_grad
    from torch.nn.functional import normalize
    from transformers import AutoTokenizer, Qwen2_5_VLForConditionalGeneration

    base = "examples/jina-tiny"
    tokenizer = AutoTokenizer.from_pretrained(base)
    model = Qwen2_5_VLForConditionalGeneration.from_pretrained(base, dtype=float32)
    model = PeftModel.from_pretrained(model, "peft/code").eval()  # path from this folder

    @no_grad()
    def embed(text, prompt):
        tokens = tokenizer(prompt + text, truncation=True, max_length=160, return_tensors="pt")
        states = model.base_model.model.model(**tokens, use_cache=False).last_hidden_state[0]
        return normalize(states.mean(dim=0), dim=0)

    query = embed("...", "Query: ")
    passage = embed("...", "Passage: ")
    print(float(query @ passage))
    ```

    `AutoPeftModel.from_pretrained("peft/code")` loads both in one call. On `AutoModel` PEFT finds no place for the
    factors, warns of missing keys, and the vectors are the bare backbone's: use the class above.

    With sentence-transformers, whose prompts and length are set:

    ```python
    from sentence_transformers import SentenceTransformer

    model = SentenceTransformer("peft/code", model_kwargs={"dtype": "float32"})
    print(model.encode_query("...") @ model.encode_document("..."))
    ```

    ## Use with Shoal

    ```sh
    shoal embed --model examples/jina-tiny --adapter . --task code --prompt query --texts "..." --output queries.npy
    shoal embed --model examples/jina-tiny --adapter . --task code --prompt passage --text-file passages.txt --output passages.npy
    ```

    ## Evaluation

    python-stdlib · code · 1,200 queries

    | width | nDCG@10 | Recall@1 | Recall@5 | Recall@10 | MRR@10 |
    | ---: | ---: | ---: | ---: | ---: | ---: |
    | 256 | 0.3060 | 0.2100 | 0.3500 | 0.4200 | 0.2700 |

    ## Training

    100 steps of 64 rows, 1.72 passes over the data, on 2 ranks, with bfloat16 products (A Processor). Mean loss at the end: code 0.5123.

    | data | rows | SHA-256 |
    | --- | ---: | --- |
    | `a.jsonl` | 3,712 | `ff00` |

    ### Settings that differ from the defaults

    | setting | value |
    | --- | --- |
    | `base_model_path` | `"examples/jina-tiny"` |
    | `data.train` | `[{"path":"a.jsonl","task":null,"query_prompt":null,"positive_prompt":null,"columns":null,"label_scores":null,"corpus":null,"weight":null,"score_range":null}]` |
    | `training.output_dir` | `"out"` |
    | `training.learning_rate` | `0.001` |


    """
