import Comm
import Embedding
import Model
import Support
import Tensor
import Testing

@testable import Config
@testable import Trainer

/// Two ranks on a host of two cores, as mpirun binds them.
private let twoRanks = Hosts(rank: 0, names: ["host-a", "host-a"], leaders: [0, 0], affinities: [[1], [2]])

private func report() -> StartupReport {
    StartupReport(
        model: .init(folder: "examples/jina-tiny", parameters: 8_226_816, layers: 6, element: "BF16"),
        adapter: .init(
            tasks: ["retrieval", "text-matching", "code"], trainedTasks: ["code"], rank: 16, alpha: 16, dropout: 0.1,
            trainedParameters: 491_520, start: "fresh"),
        data: .init(
            files: [.init(path: "examples/python-stdlib/train.jsonl.gz", rows: 3712)], rowsByTask: [.init(task: "code", rows: 3712)],
            truncatedTexts: 57, maximumTokens: 160, droppedNegatives: 2, leftOverRows: 0, evaluation: "examples/python-stdlib/test"),
        batch: .init(
            size: .global(64), worldSize: 2, candidates: 64, epochs: 3, batchesPerEpoch: 58, maximumSteps: 100, efficiency: 0.987,
            chunkTokens: 128),
        engine: .init(
            engine: MatrixEngine(.bfloat16, .own, .avx512BFloat16), requested: .automatic, processorHasBFloat16: true, proof: .made),
        placement: .init(twoRanks, threads: 1, machineCores: 2, isLaunched: true),
        memory: .init(mappedBytes: 16_453_632, copy: nil, estimate: memoryEstimate),
        reduction: .init(kind: .exact, bytes: 3_932_160),
        outputFolder: "outputs/demo", resumedStep: nil, overrides: [], notices: [])
}

private let memoryEstimate = MemoryEstimate(
    weights: 13_000_000,
    rank: .init(adapters: 6_000_000, optimizer: 10_000_000, embeddings: 400_000, activations: 90_000_000, program: 67_000_000),
    ranksOnHost: 2,
    choice: ActivationPolicy(
        .recompute, budget: 1 << 40,
        ActivationFootprint(everything: 400, layerInputs: 100, layer: 50, working: 30, workspace: 1000)
    ).choice(tokens: 8200, microbatch: 2048),
    tokens: 8200)

private func line(_ label: String, _ report: StartupReport) -> String? {
    StartupTable(report).text.split(separator: "\n").map(String.init).first { $0.hasPrefix(label) }
        .map { String($0.dropFirst(11)) }
}

@Suite struct StartupTableTests {
    @Test func theTableSaysWhatRuns() {
        #expect(
            StartupTable(report()).text == """
                Shoal 0.1.0
                model      examples/jina-tiny · 8,226,816 parameters · 6 layers · BF16
                adapters   retrieval, text-matching, code · rank 16, alpha 16, dropout 0.1 · fresh
                           trains code · 491,520 parameters a step
                data       examples/python-stdlib/train.jsonl.gz · 3,712 rows
                           rows by task: code 3,712 · 0 left over each epoch · 57 texts cut at 160 tokens · 2 negatives dropped as equal to their positive
                           evaluation: examples/python-stdlib/test
                batch      global batch 64 rows = 2 ranks × 32 · pool of 64 candidates a step · plan efficiency 0.99
                steps      100 = 1.72 epochs of 58 batches
                engine     bfloat16 by own kernels for avx512-bf16: the processor has bfloat16 products
                           bits the same on every processor that multiplies bfloat16 in pairs · rows checked at this start
                threads    2 ranks on this host × 1 thread · a rank bound to 1 core of 2
                memory     model 16 MB mapped, one copy a host · training reads 13 MB of it
                           a rank: adapters 6.0 MB · optimizer 10 MB · embeddings 400 kB · activations 90 MB · program 67 MB
                           activations: recompute, layers computed again in the backward pass · 8,200 tokens in the largest step
                           at the peak 173 MB a rank · 360 MB a host, weights once
                hosts      host-a: ranks 0–1
                reduction  exact: the same bits at any world size · 3.9 MB a rank and step
                output     outputs/demo

                """)
        #expect(StartupTable(report()).warnings == [])
    }

    @Test func setsTellWhatAnEpochTakesAndTasksTheirScores() {
        var report = report()
        report.data.files[0].rowsOfEpoch = 1856
        report.data.rowsByTask = [.init(task: "text-matching", rows: 3000, graded: 2999), .init(task: "code", rows: 712)]
        let text = StartupTable(report).text
        #expect(text.contains("train.jsonl.gz · 3,712 rows · 1,856 taken in an epoch\n"))
        #expect(text.contains("rows by task: text-matching 3,000 (2,999 with scores), code 712 · 0 left over"))
    }

    @Test func whatIsSetOnTheCommandLineIsListed() {
        var report = report()
        report.overrides = [.init(key: "training.seed", text: "7"), .init(key: "lora.r", text: "8")]
        #expect(StartupTable(report).text.hasSuffix("set        training.seed=7\n           lora.r=8\n"))
    }

    @Test func noticesFollowTheTable() {
        var report = report()
        report.notices = ["c.yaml:3:1: a is not used", "b is not used"]
        #expect(StartupTable(report).text.hasSuffix("output     outputs/demo\nnotice: c.yaml:3:1: a is not used\nnotice: b is not used\n"))
    }

    @Test func batchesByRankAndWorld() {
        var report = report()
        report.batch.size = .perRank(8)
        #expect(line("batch", report)?.hasPrefix("global batch 16 rows = 2 ranks × 8 · ") == true)
        report.batch.size = .global(65)
        #expect(line("batch", report)?.hasPrefix("global batch 65 rows over 2 ranks · ") == true)
        report.batch.worldSize = 1
        #expect(line("batch", report)?.hasPrefix("global batch 65 rows on one rank · ") == true)
    }

    @Test func theMemoryBankAddsCandidatesAndMemory() {
        var report = report()
        report.batch.earlierCandidates = 1280
        report.memory.estimate.rank.memoryBank = 8_000_000
        #expect(line("batch", report)?.contains(" · pool of 64 candidates a step and up to 1,280 of earlier steps · ") == true)
        let text = StartupTable(report).text
        #expect(text.contains(" · embeddings 400 kB · memory bank 8.0 MB · activations 90 MB · "))
        #expect(text.contains("at the peak 181 MB a rank · 376 MB a host"))
        report.memory.estimate.collectedBank = report.memory.estimate.rank.activations + 4_000_000
        #expect(StartupTable(report).text.contains("at the peak 181 MB a rank · 380 MB a host"))
    }

    @Test func stepsByEpochsAndAfterAResume() {
        var report = report()
        report.batch.maximumSteps = nil
        report.resumedStep = 10
        #expect(line("steps", report) == "174 = 3 epochs × 58 batches · resumed after step 10")
    }

    @Test func theEngineHasAReason() {
        var report = report()
        report.engine = .init(
            engine: MatrixEngine(.float32, .own, .avx2), requested: .automatic, processorHasBFloat16: false, proof: .kept)
        #expect(line("engine", report) == "float32 by own kernels for avx2: the processor has no bfloat16 products")
        #expect(StartupTable(report).text.contains("           bits the same on every processor · rows checked earlier on this machine\n"))
        report.engine = .init(engine: MatrixEngine(.float32, .own, .amx), requested: .float32, processorHasBFloat16: true, proof: nil)
        #expect(line("engine", report) == "float32 by own kernels for amx: system.compute_dtype is float32")
        #expect(StartupTable(report).text.contains("           bits not promised, system.exact is false\n"))
        report.engine.engine = MatrixEngine(.float32, .openBLAS)
        report.engine.requested = .automatic
        #expect(line("engine", report)?.hasSuffix(": system.matrix_library is openblas") == true)
    }

    @Test func manyHostsAreCounted() {
        let names = (0..<20).map { "host-\($0 / 2)" }
        let hosts = Hosts(rank: 0, names: names, leaders: (0..<20).map { $0 / 2 * 2 }, affinities: Array(repeating: [0b11], count: 20))
        var report = report()
        report.placement = .init(hosts, threads: 1, machineCores: 2, isLaunched: true)
        let text = StartupTable(report).text
        #expect(text.contains("hosts      host-0: ranks 0–1\n           host-1: ranks 2–3\n"))
        #expect(text.contains("           host-7: ranks 14–15\n           and 2 more\n"))
    }
}

@Suite struct StartupWarningTests {
    @Test func anUnevenPlanNamesItsMend() {
        var report = report()
        report.batch.efficiency = 0.9
        #expect(StartupTable(report).warnings == [])
        report.batch.efficiency = 0.83
        #expect(
            StartupTable(report).warnings == [
                "the plan's efficiency is 0.83: ranks wait for the one with most to do; lower system.chunk_tokens (128), "
                    + "or give each rank more rows"
            ])
    }

    @Test func threadsThatShareABoundCore() {
        var report = report()
        report.placement = .init(twoRanks, threads: 4, machineCores: 2, isLaunched: true)
        #expect(
            StartupTable(report).warnings == [
                "4 threads of a rank share 1 core: mpirun binds each rank to one core unless told otherwise; "
                    + "start it with --bind-to none, or --map-by slot:PE=4"
            ])
    }

    @Test func threadsThatShareACoreWithoutMpirun() {
        var report = report()
        let alone = Hosts(rank: 0, names: ["host-a"], leaders: [0], affinities: [[0b11]])
        report.placement = .init(alone, threads: 3, machineCores: 2, isLaunched: false)
        #expect(
            StartupTable(report).warnings == ["3 threads of a rank share 2 cores: lower system.threads, or let it choose (auto)"])
        #expect(line("threads", report) == "1 rank on this host × 3 threads · a rank may use 2 cores of 2")
    }

    @Test func ranksThatShareCores() {
        var report = report()
        let unbound = Hosts(rank: 0, names: ["host-a", "host-a"], leaders: [0, 0], affinities: [[0b1111], [0b1111]])
        report.placement = .init(unbound, threads: 4, machineCores: 4, isLaunched: true)
        #expect(
            StartupTable(report).warnings == [
                "2 ranks × 4 threads share the cores of this host, 2 a rank: lower system.threads, or start fewer ranks"
            ])
    }

    @Test func coresThatNobodyUses() {
        var report = report()
        report.placement = .init(twoRanks, threads: 1, machineCores: 16, isLaunched: true)
        #expect(
            StartupTable(report).warnings == [
                "this host's ranks may use 2 of its 16 cores: mpirun binds each rank to one core unless told otherwise; "
                    + "start it with --bind-to none, or --map-by slot:PE=8, if the host is yours alone"
            ])
    }
}
