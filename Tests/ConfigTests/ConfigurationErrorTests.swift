// Every way in which a configuration can be wrong, with its exact place and the mend that the sentence names.

import Project
import Support
import Tensor
import Testing

@Suite("Configuration errors")
struct ConfigurationErrorTests {
    @Test(
        "unknown keys: at the key, with the nearest known one",
        arguments: [
            ("loss:\n  temprature: 1\n", "p.yaml:5:3: unknown key \"temprature\" in loss; did you mean \"temperature\"?"),
            ("lora:\n  Dropout: 0\n", "p.yaml:5:3: unknown key \"Dropout\" in lora; did you mean \"dropout\"?"),
            ("system: {max-seq-length: 1}\n", "p.yaml:4:10: unknown key \"max-seq-length\" in system; did you mean \"max_seq_length\"?"),
            ("lora: {rnak: 1}\n", "p.yaml:4:8: unknown key \"rnak\" in lora; known are r, lora_r, lora_rank, alpha"),
            ("lora: {lora_rnak: 1}\n", "p.yaml:4:8: unknown key \"lora_rnak\" in lora; did you mean \"lora_rank\"?"),
            ("system: {temperature: 1}\n", "p.yaml:4:10: unknown key \"temperature\" in system; did you mean loss.temperature?"),
            ("learning_rate: 1\n", "p.yaml:4:1: unknown key \"learning_rate\" at the top; did you mean training.learning_rate?"),
            ("learnin_rate: 1\n", "p.yaml:4:1: unknown key \"learnin_rate\" at the top; did you mean training.learning_rate?"),
            ("trainig: {}\n", "p.yaml:4:1: unknown key \"trainig\" at the top; did you mean \"training\"?"),
            ("xyz: {}\n", "p.yaml:4:1: unknown key \"xyz\" at the top; known are base_model_path"),
            ("lora: {zzzzzz: 1}\n", "p.yaml:4:8: unknown key \"zzzzzz\" in lora; known are r, "),
            ("'<<': {}\n", "p.yaml:4:1: unknown key \"<<\" at the top"),
            ("training.seed: 1\n", "p.yaml:4:1: the key \"training.seed\" has a dot; write the section, and in it the key"),
            ("lora: {lora.r: 1}\n", "p.yaml:4:8: unknown key \"lora.r\" in lora"),
            ("loss: {\"a\\e[2J\\n\": 1}\n", "p.yaml:4:8: unknown key \"a\\u{1B}[2J\\n\" in loss"),
        ])
    func unknownKeys(_ yaml: String, _ begin: String) {
        #expect(decodingError(requiredSettings + yaml).hasPrefix(begin))
    }

    @Test(
        "wrong type: at the value, with what was found and what is expected",
        arguments: [
            ("lora:\n  dropout: much\n", "p.yaml:5:12: lora.dropout must be a number from 0 to below 1, but is the text \"much\""),
            ("lora: {r: '8'}\n", "p.yaml:4:11: lora.r must be a whole number, 1 or more, but is the text \"8\""),
            ("lora: {r: 8.0}\n", "p.yaml:4:11: lora.r must be a whole number, 1 or more, but is 8.0"),
            ("lora: {lora_r: true}\n", "p.yaml:4:16: lora.lora_r must be a whole number, 1 or more, but is true"),
            ("lora: {r: [8]}\n", "p.yaml:4:11: lora.r must be a whole number, 1 or more, but is a list"),
            ("lora: {r: {a: 8}}\n", "p.yaml:4:11: lora.r must be a whole number, 1 or more, but is a mapping"),
            ("lora:\n  r:\n", "p.yaml:5:5: lora.r must be a whole number, 1 or more, but is empty"),
            ("loss: {mask_duplicates: yes}\n", "p.yaml:4:25: loss.mask_duplicates must be `true` or `false`, but is the text \"yes\""),
            ("system: {threads: many}\n", "p.yaml:4:19: system.threads must be a whole number, 1 or more, or `auto`, but is the text"),
            ("system: {compute_dtype: bf16}\n", "p.yaml:4:25: system.compute_dtype must be `auto` or `bfloat16` or `float32`, but is"),
            ("lora: {save_format: pefts}\n", "p.yaml:4:21: lora.save_format must be `published` or `peft` or `both`, but is the text"),
            ("lora: {init: true}\n", "p.yaml:4:14: lora.init must be `gaussian`, but is true"),
            ("lora: {tasks: [code, 3]}\n", "p.yaml:4:22: lora.tasks[1] must be a name, but is 3"),
            ("lora: {tasks: []}\n", "p.yaml:4:15: lora.tasks is an empty list"),
            ("lora: {tasks: [a, b, a]}\n", "p.yaml:4:22: lora.tasks names a twice"),
            ("lora: {layers_to_transform: [1, top]}\n", "p.yaml:4:33: lora.layers_to_transform[1] must be a layer number, 0 or more"),
            ("lora: {layers_to_transform: -1}\n", "p.yaml:4:29: lora.layers_to_transform[0] must be a layer number, 0 or more"),
            ("lora: {layers_to_transform: []}\n", "p.yaml:4:29: lora.layers_to_transform is an empty list"),
            ("lora: {layers_to_transform: [2, 2]}\n", "p.yaml:4:33: lora.layers_to_transform names 2 twice"),
            ("lora: {layers_to_transform: all}\n", "p.yaml:4:29: lora.layers_to_transform must be a list of layer numbers, or `null`"),
            (
                "system: {memory_limit: much}\n",
                "p.yaml:4:24: system.memory_limit must be bytes such as `24GB` or `512MB`, or `auto`, but is"
            ),
            ("system: {memory_limit: -1GB}\n", "p.yaml:4:24: system.memory_limit must be bytes"),
            ("system: {memory_limit: 0}\n", "p.yaml:4:24: system.memory_limit must be bytes"),
            ("lora: {target_modules: '(('}\n", "p.yaml:4:24: lora.target_modules is not a valid regular expression"),
            ("lora: {target_modules: []}\n", "p.yaml:4:24: lora.target_modules is an empty list"),
            ("lora: {target_modules: {q: 1}}\n", "p.yaml:4:24: lora.target_modules must be a list of module names, a regular expression"),
            (
                "lora: {start_from: 7}\n",
                "p.yaml:4:20: lora.start_from must be `auto`, `fresh`, the path of a folder with adapters, or `{TASK: PATH}`, but is 7; put it in quotes"
            ),
            ("lora: {start_from: {}}\n", "p.yaml:4:20: lora.start_from is an empty mapping; name at least one task, or write fresh"),
            (
                "lora: {start_from: {code: 7}}\n",
                "p.yaml:4:27: lora.start_from.code must be the path of a folder with adapters, or `{path, task}`"
            ),
            ("lora: {start_from: {code: {task: x}}}\n", "p.yaml:4:27: lora.start_from.code has no path; add \"path: FOLDER\""),
            ("lora: {start_from: {code: {pth: x}}}\n", "p.yaml:4:28: unknown key \"pth\" in lora.start_from.code; did you mean \"path\"?"),
            (
                "loss: {task_weights: 2}\n",
                "p.yaml:4:22: loss.task_weights must be a mapping from tasks to numbers of 0 or more, or `null`, but"
            ),
            ("loss: {task_weights: {code: x}}\n", "p.yaml:4:29: loss.task_weights.code must be a number of 0 or more, but is the text"),
            ("lora: 3\n", "p.yaml:4:7: lora is a section of settings, but here is 3"),
        ])
    func wrongType(_ yaml: String, _ begin: String) {
        #expect(decodingError(requiredSettings + yaml).hasPrefix(begin))
    }

    @Test(
        "out of range: at the value, with the range",
        arguments: [
            ("learning_rate: 0", "p.yaml:3:44: training.learning_rate must be a number above 0, but is 0"),
            ("learning_rate: -1e-4", "p.yaml:3:44: training.learning_rate must be a number above 0, but is -0.0001"),
            ("learning_rate: .inf", "p.yaml:3:44: training.learning_rate must be a number above 0, but is inf"),
            ("learning_rate: .nan", "p.yaml:3:44: training.learning_rate must be a number above 0, but is nan"),
            ("weight_decay: -1", "p.yaml:3:43: training.weight_decay must be a number of 0 or more, but is -1"),
            (
                "task_learning_rates: {code: 0}",
                "p.yaml:3:57: training.task_learning_rates.code must be a number above 0, but is 0"
            ),
            ("warmup_ratio: 1.5", "p.yaml:3:43: training.warmup_ratio must be a number from 0 to 1, but is 1.5"),
            ("adam_beta1: 1", "p.yaml:3:41: training.adam_beta1 must be a number from 0 to below 1, but is 1"),
            ("epochs: 0", "p.yaml:3:37: training.epochs must be from 1 to 2147483647, but is 0"),
            ("epochs: 99999999999", "p.yaml:3:37: training.epochs must be from 1 to 2147483647, but is 99999999999"),
            ("epochs: 99999999999999999999", "p.yaml:3:37: training.epochs must be from 1 to 2147483647, but is 1e+20"),
            ("max_steps: 0", "p.yaml:3:40: training.max_steps must be from 1 to 2147483647, but is 0"),
            ("max_steps: x", "p.yaml:3:40: training.max_steps must be a whole number, 1 or more, or `null` or `-1`, but is the text"),
            ("seed: -1", "p.yaml:3:35: training.seed must be from 0 to 9223372036854775807, but is -1"),
            ("eval_steps: -1", "p.yaml:3:41: training.eval_steps must be from 0 to 2147483647, but is -1"),
            ("lr_scheduler_type: constant", "p.yaml:3:48: training.lr_scheduler_type must be `linear` or `cosine`, but is the text"),
            (
                "lr_scheduler_type: cosin",
                "p.yaml:3:48: training.lr_scheduler_type must be `linear` or `cosine`, but is the text \"cosin\"; did you mean cosine?"
            ),
            ("metric_for_best_model: ndcg", "p.yaml:3:52: training.metric_for_best_model must be a metric such as `ndcg@10`"),
            ("metric_for_best_model: ndcg@10@0", "p.yaml:3:52: training.metric_for_best_model must be a metric"),
            ("metric_for_best_model: ndcg@10@", "p.yaml:3:52: training.metric_for_best_model must be a metric"),
            ("metric_for_best_model: ndcg@7", "p.yaml:3:52: training.metric_for_best_model must be a metric"),
        ])
    func outOfRange(_ setting: String, _ begin: String) {
        #expect(decodingError(requiredSettings.replacing("out}", with: "out, \(setting)}")).hasPrefix(begin))
    }

    @Test(
        "data files",
        arguments: [
            ("[]", "p.yaml:2:15: data.train is an empty list"),
            ("3", "p.yaml:2:15: data.train must be a path, or a list of paths"),
            (
                "[a, 3]",
                "p.yaml:2:19: data.train[1] must be a path, or `{path, task, query_prompt, positive_prompt, columns, label_scores, corpus, weight, score_range}`, but is 3"
            ),
            ("''", "p.yaml:2:15: data.train must be the path of a data file, but is the text \"\""),
            ("[{task: code}]", "p.yaml:2:16: data.train[0] has no path"),
            ("[{path: a, weight: 0}]", "p.yaml:2:34: data.train[0].weight must be a number above 0, 1000 at most, but is 0"),
            ("[{path: a, weight: -1}]", "p.yaml:2:34: data.train[0].weight must be a number above 0, 1000 at most, but is -1"),
            ("[{path: a, weight: .inf}]", "p.yaml:2:34: data.train[0].weight must be a number above 0, 1000 at most, but is inf"),
            ("[{path: a, weight: two}]", "p.yaml:2:34: data.train[0].weight must be a number above 0, 1000 at most, or `null`, but is"),
            (
                "[{path: a, score_range: [5, 0]}]",
                "p.yaml:2:39: data.train[0].score_range must be two numbers, the lower first, such as `[0, 5]`, or `null`, but is a list"
            ),
            ("[{path: a, score_range: [0, .inf]}]", "p.yaml:2:39: data.train[0].score_range must be two numbers"),
            ("[{path: a, score_range: 5}]", "p.yaml:2:39: data.train[0].score_range must be two numbers"),
            (
                "[{path: a, promt: x}]",
                "p.yaml:2:26: unknown key \"promt\" in data.train[0]; known are path, task, query_prompt, positive_prompt, columns, label_scores, corpus, weight, score_range"
            ),
            ("[{path: a, query_promt: x}]", "p.yaml:2:26: unknown key \"query_promt\" in data.train[0]; did you mean \"query_prompt\"?"),
            ("[{path: a, task: 3}]", "p.yaml:2:32: data.train[0].task must be a task's name, or `null`, but is 3"),
            ("{path: [a]}", "p.yaml:2:22: data.train.path must be the path of a data file, but is a list"),
        ])
    func dataFiles(_ value: String, _ begin: String) {
        #expect(decodingError(requiredSettings.replacing("train.jsonl", with: value)).hasPrefix(begin))
    }

    @Test(
        "missing settings: at the section, else at the file's begin",
        arguments: [
            ("", "p.yaml:1:1: base_model_path is missing; add it"),
            ("# nothing\n", "p.yaml:1:1: base_model_path is missing; add it"),
            ("base_model_path: m\n", "p.yaml:1:1: training.output_dir is missing; add it"),
            ("base_model_path: m\ntraining:\n  epochs: 1\n", "p.yaml:2:1: training.output_dir is missing; add it"),
            ("base_model_path: m\ntraining: {output_dir: o}\ndata:\n", "p.yaml:3:1: data.train is missing; add it"),
        ])
    func missing(_ yaml: String, _ expected: String) {
        #expect(decodingError(yaml) == expected)
    }

    @Test("the root must be a mapping", arguments: ["[a]", "text", "3"])
    func root(_ yaml: String) {
        #expect(decodingError(yaml).hasPrefix("p.yaml:1:1: a configuration is a mapping of sections, but this is"))
    }

    @Test(
        "settings that exclude each other",
        arguments: [
            (
                "training: {output_dir: o, batch_size: 2, global_batch_size: 4}\n",
                "p.yaml:3:61: training.batch_size at p.yaml:3:39 and training.global_batch_size are both given; keep one of the two"
            ),
            (
                "training: {output_dir: o, epochs: 2, num_train_epochs: 2}\n",
                "p.yaml:3:38: training.num_train_epochs and the key at p.yaml:3:35 are two spellings of training.epochs; keep one of the two"
            ),
            (
                "training: {output_dir: o}\nsystem: {bf16: true, compute_dtype: float32}\n",
                "p.yaml:4:37: system.bf16 at p.yaml:4:16 and system.compute_dtype contradict each other; keep one of the two"
            ),
            (
                "training: {output_dir: o, eval_steps: 5}\n",
                "p.yaml:3:39: training.eval_steps needs something to evaluate on; add data.evaluation, or remove training.eval_steps"
            ),
            (
                "training: {output_dir: o}\nlora: {tasks: [code]}\n",
                "p.yaml:4:15: lora.tasks has no retrieval, the task of a; add it"
            ),
        ])
    func contradictions(_ rest: String, _ expected: String) {
        #expect(decodingError("base_model_path: m\ndata: {train: {path: a, task: retrieval}}\n" + rest) == expected)
    }

    @Test(
        "how data sets are sampled",
        arguments: [
            (
                "train: [a, {path: b, weight: 2}], sampling_temperature: 3", "",
                "p.yaml:2:64: data.sampling_temperature and data.train[1].weight are both given; keep one of the two"
            ),
            ("train: a, sampling_temperature: 0.5", "", "p.yaml:2:40: data.sampling_temperature must be a number of 1 or more, but is 0.5"),
            (
                "train: a, sampling_temperature: .inf", "",
                "p.yaml:2:40: data.sampling_temperature must be a number of 1 or more, but is inf"
            ),
            (
                "train: a, evaluation: {path: b, weight: 2}", "",
                "p.yaml:2:40: unknown key \"weight\" in data.evaluation; known are path, task, query_prompt, positive_prompt, columns, label_scores, corpus, split"
            ),
            (
                "train: a, sampling_temperature: 2", ", shuffle: false",
                "p.yaml:3:36: without shuffling a row is taken a whole number of times in each epoch, but data.sampling_temperature is 2.0; "
                    + "remove one of the two settings"
            ),
            (
                "train: [{path: a, weight: 1.5}]", ", shuffle: false",
                "p.yaml:3:36: without shuffling a row is taken a whole number of times in each epoch, but data.train[0].weight is 1.5; "
                    + "use a whole number, or training.shuffle: true"
            ),
        ])
    func sampling(_ data: String, _ training: String, _ expected: String) {
        #expect(decodingError("base_model_path: m\ndata: {\(data)}\ntraining: {output_dir: o\(training)}\n") == expected)
    }

    @Test("settings that agree, or that another makes idle, are accepted; the idle ones with a notice")
    func idle() throws {
        let both = try decode(requiredSettings + "system: {bf16: false, compute_dtype: float32}\n")
        #expect(both.system.computeType == .float32 && both.notices.isEmpty)
        let warmup = try decode(requiredSettings.replacing("out}", with: "out, warmup_steps: 9, warmup_ratio: 0.5, max_steps: 5}"))
        #expect(warmup.training.warmup == .steps(9))
        #expect(
            warmup.notices == [
                "p.yaml:3:60: training.warmup_ratio is not used, because training.warmup_steps is given",
                "p.yaml:3:43: the warm-up of 9 steps is longer than the run of 5: the rate never reaches training.learning_rate",
            ])
        let metric = try decode(requiredSettings.replacing("out}", with: "out, metric_for_best_model: mrr@10@64}"))
        #expect(metric.training.bestMetric == BestMetric("mrr@10@64"))
        #expect(
            metric.notices == ["p.yaml:3:52: training.metric_for_best_model is not used, because there is no data.evaluation"])
    }

    @Test("mutated files and values end in a configuration or an error with a place, never in a trap")
    func mutants() throws {
        let sample = Array(try packageFile("project_config.yaml").utf8)
        let good = try ProjectConfig.decode(yaml: sample, path: "p.yaml", overrides: []).resolved().serialized(pretty: true)
        var state: UInt64 = 7
        func random(_ count: Int) -> Int {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int(state >> 33) % count
        }
        let pieces = ["-", "{", "[", ": ", "null", "-1", "1e999", "9223372036854775807", "''", "true", "\n", "@", "."].map {
            Array($0.utf8)
        }
        var decoded = 0
        for _ in 0..<3000 {
            var bytes = good
            for _ in 0...random(2) {
                let place = random(bytes.count)
                let piece = pieces[random(pieces.count)]
                bytes.replaceSubrange(place..<min(place + random(4), bytes.count), with: piece)
            }
            do {
                _ = try ProjectConfig.decode(yaml: bytes, path: "p.yaml", overrides: ["training.seed=\(random(9))"]).resolved()
                decoded += 1
            } catch {
                #expect(error.code == .configuration && (error.line != nil && error.column != nil || error.path == "--set training.seed"))
            }
        }
        #expect(decoded > 100 && decoded < 2900)
    }
}
