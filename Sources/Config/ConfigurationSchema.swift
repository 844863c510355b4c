// Every key of project_config.yaml, in the order of the documentation: the single source of names, ranges and defaults.
// A key enters `settings` with its feature. docs/configuration.md holds the same table, and a test compares the two.

import Files

/// The settings that there are.
package enum ConfigurationSchema {
    package static let settings: [Setting] = [baseModel] + data + training + lora + loss + system

    /// Sections in their order.
    package static let sections = ["data", "training", "lora", "loss", "system"]

    /// Keys of the Python project that have no meaning here, with the notice that says why: accepted, whatever their value.
    package static let keysWithoutMeaning: [(key: String, notice: String)] = [
        ("data.raw_dir", "training reads data.train"),
        ("data.examples_dir", "training reads data.train"),
        ("training.log_dir", "records are written into training.output_dir"),
        ("training.logging_dir", "records are written into training.output_dir"),
        ("training.use_lora", "LoRA adapters are always what is trained"),
        ("system.cuda_visible_devices", "Shoal computes on the processor"),
    ]

    /// Settings of which a file gives one at most, or says the same with both; `--set` of one removes the other.
    static let alternatives = [
        ("training.batch_size", "training.global_batch_size"),
        ("training.warmup_ratio", "training.warmup_steps"),
        ("system.bf16", "system.compute_dtype"),
        ("training.gradient_checkpointing", "system.activation_memory"),
    ]

    private static let baseModel = Setting(
        "base_model_path", .text("the path of a folder"), .required, aliases: ["model_name_or_path", "base_model_name_or_path"],
        "Folder of the checkpoint: config.json, tokenizer.json, safetensors.")

    private static let data = [
        Setting(
            "data.train", .optional(.trainingFiles), .absent("`train.jsonl` in `data.processed_dir`"),
            "Rows to train on: `.jsonl` or `.jsonl.gz`. Read whole; never split."),
        Setting(
            "data.evaluation", .optional(.dataFile), .absent("none"),
            "A BEIR folder, or a pair file (`.jsonl`, `.jsonl.gz`). Its task is that of the first training file unless given."),
        Setting(
            "data.processed_dir", .optional(.text("the path of a folder")), .absent("none"),
            "Without `data.train`: train on its `train.jsonl`, evaluate on its `eval.jsonl`, else on a fifth of the rows held out."),
        Setting(
            "data.cache_dir", .optional(.text("the path of a folder, or `none`")),
            .absent("`$XDG_CACHE_HOME/shoal`, else `~/.cache/shoal`"), mayDifferOnResume: true,
            "Where the tokens of training rows are kept for later runs."),
        Setting(
            "data.image_base_dir", .optional(.text("the path of a folder")), .absent("the folder of the data file"),
            "Folder that images of rows must lie in; their paths are relative to the data file all the same."),
        Setting(
            "data.max_pixels", .optional(.count(from: 1)), .absent("the model's (602112: 768 tokens)"),
            "Pixels that an image is scaled down to at most; 28 × 28 are a token."),
        Setting(
            "data.min_pixels", .optional(.count(from: 1)), .absent("the model's (3136: 4 tokens)"),
            "Pixels that an image is scaled up to at least."),
        Setting(
            "data.on_bad_image", .choice(["fail", "skip"]), .value("fail"),
            "A row with an image that cannot be used ends the run, or is left out and counted; `skip` decodes every image once at the "
                + "first start."),
        Setting(
            "data.image_cache", .optional(.text("the path of a folder")), .absent("none"), mayDifferOnResume: true,
            "Where the vision tower's features are kept for later epochs and runs: a disk of each host, or one of all."),
        Setting(
            "data.image_cache_size", .bytes, .value("auto"), mayDifferOnResume: true,
            "Bytes that `data.image_cache` may take; the features that were read longest ago go first. `auto`: as much as the disk holds."),
        Setting(
            "data.sampling_temperature", .number(.atLeast(1)), .value(1.0),
            "Above 1, small data sets have a larger share of an epoch: one that goes with rows^(1/T). Instead of weights."),
    ]

    private static let training = [
        Setting(
            "training.output_dir", .text("the path of a folder"), .required, mayDifferOnResume: true,
            "Folder of the run: adapters, checkpoints, records."),
        Setting("training.epochs", .count(from: 1), .value(3), aliases: ["num_train_epochs"], "Passes over the data."),
        Setting(
            "training.max_steps", .optional(.count(from: 1), orNumber: -1), .absent("by `training.epochs`"),
            "Updates of the whole run; wins over `training.epochs`."),
        Setting(
            "training.batch_size", .optional(.count(from: 1)), .value(8), aliases: ["per_device_train_batch_size"],
            "Rows of each rank in a global batch: more ranks, more negatives."),
        Setting(
            "training.global_batch_size", .optional(.count(from: 1)), .absent("ranks × `training.batch_size`"),
            "Rows of all ranks together, instead of `training.batch_size`."),
        Setting("training.learning_rate", .number(.above(0)), .value(1e-4), "Highest rate of the schedule."),
        Setting(
            "training.task_learning_rates", .optional(.taskNumbers(.above(0))), .absent("`training.learning_rate` for every task"),
            "Highest rate for the updates of some tasks: `{code: 5e-5}`."),
        Setting("training.weight_decay", .number(.atLeast(0)), .value(0.01), "Decoupled decay of AdamW, a factor of the rate."),
        Setting(
            "training.lr_scheduler_type", .choice(["linear", "cosine"]), .value("linear"),
            "How the rate falls to 0 after the warm-up."),
        Setting(
            "training.warmup_ratio", .number(.closed(0, 1)), .value(0.0),
            "Share of all steps in which the rate rises from 0, rounded up."),
        Setting(
            "training.warmup_steps", .optional(.count(from: 0)), .absent("by `training.warmup_ratio`"),
            "Steps in which the rate rises from 0; wins over `training.warmup_ratio`."),
        Setting("training.max_grad_norm", .number(.above(0)), .value(1.0), "Longer gradients are scaled down to this norm."),
        Setting("training.adam_beta1", .number(.halfOpen(0, 1)), .value(0.9), "AdamW's decay of the first moment."),
        Setting("training.adam_beta2", .number(.halfOpen(0, 1)), .value(0.999), "AdamW's decay of the second moment."),
        Setting("training.adam_epsilon", .number(.atLeast(1e-30)), .value(1e-8), "AdamW's addend to the root of the second moment."),
        Setting("training.seed", .integer(0...Int.max), .value(42), "Start of every random stream: order, adapters, dropout."),
        Setting("training.shuffle", .boolean, .value(true), "`false`: rows in the order of the file."),
        Setting(
            "training.logging_steps", .count(from: 1), .value(10), mayDifferOnResume: true,
            "Steps between lines on the terminal; `metrics.jsonl` has every step."),
        Setting(
            "training.eval_steps", .count(from: 0), .value(0), mayDifferOnResume: true,
            "Steps between evaluations; 0: at the end only."),
        Setting(
            "training.save_steps", .count(from: 0), .value(500), mayDifferOnResume: true,
            "Steps between checkpoints; 0: at the end only."),
        Setting(
            "training.save_total_limit", .count(from: 1), .value(2), mayDifferOnResume: true,
            "Checkpoints kept, the best one apart."),
        Setting(
            "training.metric_for_best_model", .metric, .value("ndcg@10"),
            "What the best checkpoint is best in: ndcg@10, recall@1, recall@5, recall@10 or mrr@10, at the full width or at `@WIDTH`."),
        Setting(
            "training.gradient_checkpointing", .boolean, .value(false), mayDifferOnResume: true,
            "Short for `system.activation_memory`: `true` is `recompute`."),
        Setting(
            "training.reduction", .choice(["exact", "float32"]), .value("exact"),
            "Sum of the ranks' gradients: `exact` gives the same bits at any world size, `float32` needs half the bytes."),
    ]

    private static let lora = [
        Setting("lora.r", .count(from: 1), .value(32), aliases: ["lora_r", "lora_rank"], "Rank of the adapters."),
        Setting(
            "lora.alpha", .number(.above(0)), .value(32.0), aliases: ["lora_alpha"], "An adapter's output is multiplied by alpha / r."),
        Setting(
            "lora.dropout", .number(.halfOpen(0, 1)), .value(0.1), aliases: ["lora_dropout"],
            "Share of an adapter's inputs set to 0 in training."),
        Setting(
            "lora.target_modules", .targetModules, .value(.string(TargetModules.publishedPattern)), aliases: ["lora_target_modules"],
            "Linears with an adapter, by PEFT's rules. The vision tower never has one."),
        Setting(
            "lora.layers_to_transform", .optional(.layers), .absent("all layers"),
            "Decoder layers with an adapter, counted from 0; nothing is computed backwards below the lowest."),
        Setting(
            "lora.init", .choice(["gaussian"]), .value("gaussian"), aliases: ["init_lora_weights"],
            "Start of fresh adapters: A normal with deviation 1/r, B zero."),
        Setting("lora.tasks", .optional(.names), .absent("the model's `task_names`"), "Tasks to create adapters for."),
        Setting(
            "lora.start_from", .adapterStart, .value("auto"),
            "`auto`: the model's own adapters when it has some. `fresh`: new ones. A path: those of a published or PEFT folder, or a checkpoint. "
                + "By task: each from its own folder, the others fresh."),
        Setting(
            "lora.save_format", .choice(["published", "peft", "both"]), .value("both"),
            "Final adapters in one file as published, or one plain PEFT folder for each trained task."),
        Setting(
            "lora.save_dtype", .choice(["bfloat16", "float32"]), .value("bfloat16"),
            "Numbers of the final adapters; checkpoints are float32."),
    ]

    private static let system = [
        Setting("system.bf16", .boolean, .value(true), "Short for `system.compute_dtype`: `true` is `auto`, `false` is `float32`."),
        Setting(
            "system.compute_dtype", .choice(["auto", "bfloat16", "float32"]), .value("auto"),
            "Arithmetic of products; `auto` is bfloat16 where the processor has it."),
        Setting(
            "system.matrix_library", .choice(["auto", "own", "openblas", "onednn"]), .value("auto"),
            "Whose code multiplies: `own` kernels, OpenBLAS (float32) or oneDNN (bfloat16). `auto`: own kernels, whose bits are "
                + "guaranteed; with `exact: false` whichever is faster at the start."),
        Setting(
            "system.packed_weights", .choice(["auto", "on", "off"]), .value("auto"), mayDifferOnResume: true,
            "Whether the backbone is copied once a host into the order in which the kernels read it: the same bits, twice the backbone "
                + "in memory. `auto`: where a `memory_limit` is set, half of it is enough, and a measurement at the start shows a gain "
                + "of a tenth."),
        Setting(
            "system.exact", .boolean, .value(true),
            "Whether an engine must pass the check that a row's bits depend on neither other rows nor threads. `false`: bits are not "
                + "promised."),
        Setting(
            "system.threads", .count(from: 1, orWord: "auto"), .value("auto"), mayDifferOnResume: true,
            "Threads of each rank; `auto`: the bound cores, shared among the ranks of the host."),
        Setting(
            "system.max_seq_length", .count(from: 1), .value(512), aliases: ["max_length"],
            "Tokens of a text at most, prompt included; the rest is cut off."),
        Setting(
            "system.chunk_tokens", .count(from: 1), .value(128),
            "Tokens of a gradient chunk, the unit in which work is shared out among ranks."),
        Setting(
            "system.microbatch_tokens", .count(from: 1, orWord: "auto"), .value("auto"), mayDifferOnResume: true,
            "Tokens that go through the layers together."),
        Setting(
            "system.activation_memory", .choice(["auto", "keep", "recompute", "cache"]), .value("auto"), mayDifferOnResume: true,
            "What is held between the forward and the backward pass: all (`keep`), the layers' inputs (`recompute`, a second forward "
                + "pass), or embeddings alone (`cache`). `auto`: the first that fits."),
        Setting(
            "system.memory_limit", .bytes, .value("auto"), mayDifferOnResume: true,
            "Memory that all ranks of a host may take together, by which activations and converted weights are held or not; `auto`: "
                + "nine tenths of what is free at the start."),
    ]
}
