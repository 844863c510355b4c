// Defaults, the Python project's own file, --set, rules between settings, the resolved configuration and the resume rule.

import Config
import Data
import Files
import Loss
import Model
import Project
import Support
import Testing

@Suite("Project configuration")
struct ProjectConfigTests {
    @Test("defaults")
    func defaults() throws {
        let config = try decode(requiredSettings)
        #expect(config.notices.isEmpty && config.overrides.isEmpty)
        #expect(config.training.epochs == 3 && config.training.maximumSteps == nil)
        #expect(config.training.batch == .perRank(8))
        #expect(config.training.learningRate == 1e-4 && config.training.weightDecay == 0.01)
        #expect(config.training.decay == .linear && config.training.warmup == .ratio(0))
        #expect(config.training.beta1 == 0.9 && config.training.beta2 == 0.999 && config.training.epsilon == 1e-8)
        #expect(config.training.maximumGradientNorm == 1 && config.training.seed == 42 && config.training.shuffle)
        #expect(config.training.loggingSteps == 10 && config.training.evaluationSteps == 0 && config.training.saveSteps == 500)
        #expect(config.training.saveTotalLimit == 2 && config.training.reduction == .exact)
        #expect(config.lora.rank == 32 && config.lora.alpha == 32 && config.lora.dropout == 0.1 && config.lora.tasks == nil)
        #expect(config.lora.startFrom == .automatic && config.lora.saveFormat == .both && config.lora.savePrecision == .bfloat16)
        #expect(temperature(config) == 0.02 && config.loss.maskDuplicates)
        #expect(config.system.computeType == .automatic && config.system.threads == nil && config.system.maximumTokens == 512)
        #expect(config.system.chunkTokens == 128 && config.system.microbatchTokens == nil)
    }

    /// The keys and values of the Python project's file of 7 August 2025.
    private let pythonProject = """
        base_model_path: "jinaai/jina-embeddings-v4"

        data:
          raw_dir: "data/raw"
          processed_dir: "data/processed"
          examples_dir: "data/examples"

        training:
          output_dir: "outputs/models"
          log_dir: "outputs/logs"
          batch_size: 2
          learning_rate: 1e-4
          epochs: 3
          use_lora: true

        lora:
          r: 16
          alpha: 16
          dropout: 0.1

        system:
          cuda_visible_devices: 0
          bf16: true
          max_seq_length: 256

        """

    @Test("the Python project's file: loads, with a notice for each key without meaning")
    func pythonProjectFile() throws {
        let config = try decode(pythonProject)
        #expect(
            config.notices == [
                "p.yaml:6:3: data.examples_dir has no meaning here and is passed over: training reads data.train",
                "p.yaml:10:3: training.log_dir has no meaning here and is passed over: records are written into training.output_dir",
                "p.yaml:14:3: training.use_lora has no meaning here and is passed over: LoRA adapters are always what is trained",
                "p.yaml:22:3: system.cuda_visible_devices has no meaning here and is passed over: Shoal computes on the processor",
            ])
        #expect(config.baseModelPath == "jinaai/jina-embeddings-v4")
        #expect(config.data.train.map(\.path) == ["data/processed/train.jsonl"])
        #expect(config.data.rawFolder == "data/raw" && config.data.processedFolder == "data/processed")
        guard case .pairsOrHeldOut(let file) = config.data.evaluation else {
            Issue.record("wrong evaluation: \(config.data.evaluation)")
            return
        }
        #expect(file.path == "data/processed/eval.jsonl")
        #expect(config.training.learningRate == 1e-4 && config.training.batch == .perRank(2))
        #expect(config.lora.rank == 16 && config.lora.alpha == 16)
        #expect(config.isGiven(LoRASettings.rank) && !config.isGiven(LoRASettings.targetModules))
        #expect(config.system.computeType == .automatic && config.system.maximumTokens == 256)
    }

    @Test("project_config.yaml: loads without notices, and shows every setting")
    func sample() throws {
        let yaml = try packageFile("project_config.yaml")
        let config = try ProjectConfig.decode(yaml: Array(yaml.utf8), path: "project_config.yaml", overrides: [])
        #expect(config.notices.isEmpty)
        #expect(config.data.train.map(\.path) == ["examples/python-stdlib/train.jsonl.gz"])
        #expect(config.training.batch == .global(64) && config.training.maximumSteps == 100 && config.training.warmup == .steps(15))
        for setting in ProjectSettings.schema.settings {
            let name = setting.key.split(separator: ".").last!
            let lines = yaml.split(separator: "\n").map { $0.drop { $0 == " " || $0 == "#" } }
            #expect(lines.contains { $0.hasPrefix("\(name):") && $0.contains("  # ") }, "\(setting.key) is not shown, or not explained")
        }
    }

    @Test("layers_to_transform: a list or one layer, within the target modules")
    func layers() throws {
        let path = { (layer: Int) in "model.language_model.layers.\(layer).self_attn.q_proj" }
        let some = try decode(requiredSettings + "lora: {layers_to_transform: [3, 1], target_modules: [q_proj, multi_vector_projector]}\n")
        #expect(some.lora.layers == [1, 3])
        #expect((0..<5).filter { some.lora.adapts(path($0)) } == [1, 3])
        #expect(!some.lora.adapts("model.language_model.layers.1.self_attn.k_proj") && some.lora.adapts("multi_vector_projector"))
        #expect(try decode(requiredSettings + "lora: {layers_to_transform: 0}\n").lora.layers == [0])
        #expect(try decode(requiredSettings).lora.adapts(path(35)))
    }

    @Test(
        "memory_limit: bytes, with or without a unit",
        arguments: [("24GB", 24_000_000_000), ("1.5 GB", 1_500_000_000), ("7", 7), ("3kB", 3000)])
    func memoryLimit(text: String, bytes: Int) throws {
        #expect(try decode(requiredSettings + "system: {memory_limit: \(text)}\n").system.memoryLimit == bytes)
        #expect(try decode(requiredSettings).system.memoryLimit == nil)
    }

    @Test("gradient_checkpointing is short for recompute")
    func gradientCheckpointing() throws {
        #expect(try decode(requiredSettings).system.activationMemory == nil)
        #expect(try decode(requiredSettings + "system: {activation_memory: cache}\n").system.activationMemory == .cache)
        let short = requiredSettings.replacing("{output_dir: out}", with: "{output_dir: out, gradient_checkpointing: true}")
        #expect(try decode(short).system.activationMemory == .recompute)
        #expect(try decode(short + "system: {activation_memory: recompute}\n").system.activationMemory == .recompute)
        #expect(throws: UserError.self) { try decode(short + "system: {activation_memory: keep}\n") }
    }

    @Test("aliases of Hugging Face and PEFT")
    func aliases() throws {
        let config = try decode(
            """
            model_name_or_path: m
            data: {train: a.jsonl}
            training: {output_dir: o, num_train_epochs: 2, per_device_train_batch_size: 4, max_steps: -1}
            lora: {lora_rank: 8, lora_alpha: 12.5, lora_dropout: 0, init_lora_weights: gaussian, lora_target_modules: [q_proj]}
            loss: {name: contrastive}
            system: {max_length: 77}
            """)
        #expect(config.baseModelPath == "m" && config.training.epochs == 2 && config.training.batch == .perRank(4))
        #expect(config.training.maximumSteps == nil)
        #expect(config.lora.rank == 8 && config.lora.alpha == 12.5 && config.lora.dropout == 0)
        #expect(config.lora.targetModules.matches("model.language_model.layers.0.self_attn.q_proj"))
        #expect(!config.lora.targetModules.matches("model.language_model.layers.0.self_attn.k_proj"))
        #expect(config.system.maximumTokens == 77)
        #expect(config.resolved()["loss"]?["name"]?.stringValue == "infonce")
    }

    @Test("a list of data files: tasks and prompts of each")
    func dataFiles() throws {
        let config = try decode(
            """
            base_model_path: m
            data:
              train:
                - plain.jsonl
                - {path: sts.jsonl, task: text-matching}
                - {path: own.jsonl, task: code, query_prompt: none, positive_prompt: "Code: "}
                - {path: both.jsonl, query_prompt: passage, positive_prompt: ""}
              evaluation: {path: beir, task: code}
            training: {output_dir: o}
            """)
        let files = config.data.train
        #expect(files.map(\.path) == ["plain.jsonl", "sts.jsonl", "own.jsonl", "both.jsonl"])
        #expect(files.map(\.task) == [nil, "text-matching", "code", nil])
        func prefixes(_ file: Int, _ task: String) -> [String] {
            let prompts = files[file].prompts(task: task)
            return [prompts.query.prefix, prompts.positive.prefix]
        }
        #expect(prefixes(0, "retrieval") == ["Query: ", "Passage: "])
        #expect(prefixes(0, "code") == ["Query: ", "Passage: "])
        #expect(prefixes(1, "text-matching") == ["Query: ", "Query: "])
        #expect(prefixes(2, "code") == ["", "Code: "])
        #expect(prefixes(3, "retrieval") == ["Passage: ", ""])
        guard case .beir(let folder) = config.data.evaluation else {
            Issue.record("wrong evaluation: \(config.data.evaluation)")
            return
        }
        #expect(folder.path == "beir" && folder.task == "code")
    }

    @Test("the evaluation's kind is told by its name, its task by the first training file", arguments: ["e.jsonl", "e.jsonl.gz", "e"])
    func evaluationSource(_ path: String) throws {
        let config = try decode(requiredSettings, set: "data.train={path: a, task: code}", "data.evaluation=\(path)")
        switch config.data.evaluation {
        case .pairs(let file): #expect(path != "e" && file.task == "code" && file.path == path)
        case .beir(let file): #expect(path == "e" && file.task == "code" && file.path == path)
        default: Issue.record("wrong evaluation: \(config.data.evaluation)")
        }
    }

    @Test("an explicit data.train is never split, and makes processed_dir idle")
    func explicitTrain() throws {
        let config = try decode("base_model_path: m\ndata: {train: a, processed_dir: d}\ntraining: {output_dir: o}\n")
        guard case .none = config.data.evaluation else {
            Issue.record("wrong evaluation: \(config.data.evaluation)")
            return
        }
        #expect(config.notices == ["p.yaml:2:33: data.processed_dir is not used, because data.train is given"])
    }

    @Test("a share of the steps is rounded up; rows of a rank are multiplied")
    func arithmetic() {
        #expect(TrainingConfig.Warmup.ratio(0.1).steps(of: 101) == 11)
        #expect(TrainingConfig.Warmup.ratio(0).steps(of: 101) == 0)
        #expect(TrainingConfig.Warmup.steps(15).steps(of: 101) == 15)
        #expect(TrainingConfig.BatchSize.perRank(8).globalRows(worldSize: 4) == 32)
        #expect(TrainingConfig.BatchSize.global(64).globalRows(worldSize: 4) == 64)
    }

    @Test("empty sections are fine")
    func emptySections() throws {
        #expect(temperature(try decode(requiredSettings + "loss:\nsystem: ~\nlora: {}\n")) == 0.02)
    }
}

@Suite("--set")
struct OverrideTests {
    @Test("a value is YAML, the last of a key wins, and the overrides are echoed by canonical key")
    func override() throws {
        let config = try decode(
            requiredSettings, set: "training.learning_rate=1e-3", "data.train=[{path: b.jsonl, task: code}]", "lora.lora_r=4",
            "loss.temperature=0.1", "loss.temperature=0.2")
        #expect(config.training.learningRate == 1e-3 && config.lora.rank == 4 && temperature(config) == 0.2)
        #expect(config.data.train.map(\.path) == ["b.jsonl"] && config.data.train[0].task == "code")
        #expect(
            config.overrides.map { "\($0.key)=\($0.text)" } == [
                "training.learning_rate=1e-3",
                "data.train=[{path: b.jsonl, task: code}]",
                "lora.r=4",
                "loss.temperature=0.2",
            ])
    }

    @Test("a value may hold equals signs")
    func equalsSign() throws {
        #expect(try decode(requiredSettings, set: "training.output_dir=a=b").training.outputFolder == "a=b")
    }

    @Test("of two alternatives --set of one removes the other from the file")
    func alternatives() throws {
        let perRank = requiredSettings.replacing("out}", with: "out, batch_size: 4, warmup_steps: 7}") + "system: {bf16: true}\n"
        #expect(try decode(perRank, set: "training.global_batch_size=64").training.batch == .global(64))
        #expect(try decode(perRank, set: "training.warmup_ratio=0.5").training.warmup == .ratio(0.5))
        #expect(try decode(perRank, set: "system.compute_dtype=float32").system.computeType == .float32)
        let global = requiredSettings.replacing("out}", with: "out, global_batch_size: 32, warmup_ratio: 0.1}")
        #expect(try decode(global, set: "training.batch_size=2").training.batch == .perRank(2))
        #expect(try decode(global, set: "training.per_device_train_batch_size=3").training.batch == .perRank(3))
        #expect(try decode(global, set: "training.warmup_steps=9").training.warmup == .steps(9))
        #expect(try decode(global, set: "training.warmup_steps=9").notices.isEmpty)
    }

    @Test(
        "errors name --set and the key",
        arguments: [
            (
                "training.learning_rate=fast",
                "--set training.learning_rate: training.learning_rate must be a number above 0, but is the text"
            ),
            ("training.learning_rate=", "--set training.learning_rate: training.learning_rate must be a number above 0, but is empty"),
            ("loss.temprature=1", "--set loss.temprature: unknown key \"temprature\" in loss; did you mean \"temperature\"?"),
            ("data.train=[{path: a, tsk: b}]", "--set data.train: unknown key \"tsk\" in data.train[0]; did you mean \"task\"?"),
            ("data.train=[a", "--set data.train: this is not valid YAML"),
            ("data.on_bad_image=skp", "--set data.on_bad_image: data.on_bad_image must be `fail` or `skip`"),
            ("data.max_pixels=0", "--set data.max_pixels: data.max_pixels must be from 1 to"),
            ("lora={r: 4}", "--set lora: lora is a section; name one of its keys, such as lora.r"),
            ("lora.r", "--set lora.r: this must be key=value"),
            ("=4", "--set =4: this must be key=value"),
            ("training.eval_steps=5", "--set training.eval_steps: training.eval_steps needs something to evaluate on"),
            ("lora.r=&a 4", "--set lora.r: here is an anchor"),
        ])
    func errors(_ override: String, _ begin: String) {
        #expect(decodingError(requiredSettings, set: [override]).hasPrefix(begin))
    }

    @Test("limits of images must not cross")
    func pixels() throws {
        let limits = ["data.min_pixels=300", "data.max_pixels=200"]
        #expect(
            decodingError(requiredSettings, set: limits).hasPrefix(
                "--set data.min_pixels: data.min_pixels is 300, above data.max_pixels, 200"))
        let config = try decode(requiredSettings, set: "data.max_pixels=200")
        #expect(config.data.imageOptions.maxPixels == 200 && config.data.imageOptions.minPixels == nil && config.data.onBadImage == .fail)
    }

    @Test("both alternatives by --set contradict each other")
    func bothAlternatives() {
        let error = decodingError(requiredSettings, set: ["training.batch_size=2", "training.global_batch_size=4"])
        #expect(error.hasPrefix("--set training.global_batch_size: training.batch_size at --set training.batch_size and"))
    }
}

@Suite("Resolved configuration")
struct ResolvedConfigurationTests {
    @Test("resolved, written, read back as a file: the same configuration", arguments: ["", "a.jsonl", "beir"])
    func roundTrip(_ evaluation: String) throws {
        let config = try decode(
            requiredSettings, set: "data.evaluation=\(evaluation)", "training.global_batch_size=64", "lora.tasks=[code, retrieval]",
            "data.train=[{path: a, task: code, query_prompt: 'é \"', weight: 2, score_range: [-1, 1]}]", "system.bf16=false",
            "training.adam_epsilon=1e-9",
            "lora.start_from={code: {path: b, task: code}, retrieval: c}", "loss.task_weights={code: 2}")
        let text = config.resolved().serialized(pretty: true)
        let again = try ProjectConfig.decode(yaml: text, path: "run.json", overrides: [])
        #expect(again.resolved().serialized(pretty: true) == text)
        #expect(config.differencesForbiddenOnResume(from: try JSONValue.parse(text, path: nil)).isEmpty)
    }

    @Test("holds every setting of the schema")
    func complete() throws {
        let resolved = try decode(requiredSettings).resolved()
        for setting in ProjectSettings.schema.settings {
            let section = setting.section.isEmpty ? resolved : resolved[setting.section]
            #expect(section?[String(setting.key.split(separator: ".").last!)] != nil, "\(setting.key)")
        }
    }

    @Test("on resume: every key but the output's cadence, threads and microbatches must be as it was")
    func resume() throws {
        let before = try decode(requiredSettings).resolved()
        let free = try decode(
            requiredSettings, set: "training.logging_steps=1", "training.save_steps=7", "training.save_total_limit=9", "system.threads=3",
            "system.microbatch_tokens=99", "training.output_dir=moved")
        #expect(free.differencesForbiddenOnResume(from: before).isEmpty)
        let bound = try decode(
            requiredSettings, set: "training.seed=43", "training.max_steps=5", "data.train=b.jsonl", "lora.alpha=32", "training.epochs=4")
        #expect(
            bound.differencesForbiddenOnResume(from: before) == [
                "data.train: [{\"path\":\"train.jsonl\",\"task\":null,\"query_prompt\":null,\"positive_prompt\":null,\"columns\":null,\"label_scores\":null,\"corpus\":null,\"weight\":null,\"score_range\":null}] in the run, "
                    + "[{\"path\":\"b.jsonl\",\"task\":null,\"query_prompt\":null,\"positive_prompt\":null,\"columns\":null,\"label_scores\":null,\"corpus\":null,\"weight\":null,\"score_range\":null}] now",
                "training.epochs: 3 in the run, 4 now",
                "training.max_steps: null in the run, 5 now",
                "training.seed: 42 in the run, 43 now",
            ])
    }

    @Test("a record of an older version, without a key, had its default")
    func olderRecord() throws {
        let config = try decode(requiredSettings)
        let old: JSONValue = ["base_model_path": "model", "data": ["train": [["path": "train.jsonl"]]], "training": ["output_dir": "out"]]
        #expect(config.differencesForbiddenOnResume(from: old).isEmpty)
        #expect(try decode(requiredSettings, set: "lora.r=4").differencesForbiddenOnResume(from: old) == ["lora.r: 32 in the run, 4 now"])
    }

    @Test("adopting the shape of existing adapters")
    func adopting() throws {
        let names = try #require(TargetModules(["q_proj"]))
        let config = try decode(requiredSettings).adoptingAdapter(rank: 7, alpha: 14, targetModules: names)
        #expect(config.lora.rank == 7 && config.lora.alpha == 14 && !config.isGiven(LoRASettings.rank))
        #expect(config.resolved()["lora"]?["r"]?.integerValue == 7)
        #expect(config.resolved()["lora"]?["target_modules"]?.arrayValue?.count == 1)
    }

    @Test("an error that is found later has the setting's place")
    func laterError() throws {
        let config = try decode(requiredSettings + "lora:\n  r: 5\n", set: "loss.temperature=1")
        #expect(config.error(at: LoRASettings.rank, "no").description == "p.yaml:5:6: no")
        #expect(config.error(at: LoRASettings.alpha, "no").description == "p.yaml:4:1: no")
        #expect(config.error(at: LossSettings.temperature, "no").description == "--set loss.temperature: no")
        #expect(config.error(.missing, at: SystemSettings.threads, "no").description == "p.yaml:1:1: no")
        #expect(config.error(.missing, at: SystemSettings.threads, "no").code == .missing)
    }
}

/// Of the contrastive loss; not a number where another is chosen.
private func temperature(_ config: ProjectConfig) -> Double {
    guard case .contrastive(let loss) = config.loss.ungraded else { return .nan }
    return loss.temperature
}
