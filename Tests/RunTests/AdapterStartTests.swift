// Runs that go on from adapters: `lora.start_from`, and the adapters that lie beside the model.

import Files
import Foundation
import Support
import Testing

extension RunTests {
    @Suite struct AdapterStartTests {
        @Test(arguments: smallWorlds) func contradictionsAreRefused(ranks: Int?) throws {
            let project = try projectWithAdapters()
            for (setting, words) in [
                ("lora.r=4", ["--set lora.r: ", "8 in the adapters of first"]), ("lora.alpha=4", ["--set lora.alpha: ", "8"]),
                ("lora.target_modules=[q_proj]", ["--set lora.target_modules: ", "15 where it names 2"]),
            ] {
                let result = try project.train(["--set", "lora.start_from=first", "--set", setting], ranks: ranks, limit: refusalLimit)
                result.expectRefusal(78, words + ["lora.start_from: fresh"], isAlone: ranks == nil)
            }
            let missing = try project.train(["--set", "lora.start_from=nowhere"], ranks: ranks, limit: refusalLimit)
            missing.expectRefusal(66, ["nowhere: ", "no such folder"], isAlone: ranks == nil)
            let other = try project.train(["--set", "lora.start_from=model"], ranks: ranks, limit: refusalLimit)
            other.expectRefusal(66, ["model: ", "adapter_model.safetensors"], isAlone: ranks == nil)
            #expect(try project.files().everything().isEmpty)
        }

        /// More linears than the adapters have would silently stay without one.
        @Test func moreLinearsThanTheAdaptersHaveAreRefused() throws {
            let project = try RunProject()
            let settings = ["training.max_steps=1", "training.output_dir=first", "lora.target_modules=[q_proj, v_proj]"]
            try project.train(settings.flatMap { ["--set", $0] }).expect(0)
            let more = ["--set", "lora.start_from=first", "--set", "lora.target_modules=[q_proj, v_proj, k_proj]"]
            try project.train(more, limit: refusalLimit).expectRefusal(
                78, ["--set lora.target_modules: ", "4 where it names 6"], isAlone: true)
            try project.train(["--set", "lora.start_from=first", "--set", "training.max_steps=1"]).expect(0)
            #expect(try project.files().record()["configuration"]?["lora"]?["target_modules"]?.arrayValue?.count == 4)
        }

        /// PEFT's word for all linears means what the published pattern means; a text is a pattern, as in PEFT.
        @Test func targetModulesInPEFTsWords() throws {
            let project = try RunProject()
            let steps = ["--set", "training.max_steps=2"]
            try project.train(steps + ["--set", "training.output_dir=usual"]).expect(0)
            try project.train(steps + ["--set", "lora.target_modules=all-linear"]).expect(0)
            let name = "adapters/adapter_model.safetensors"
            try expectSameBytes(project.files().bytes(name), project.files(of: "usual").bytes(name), "adapter")
            for (value, words) in [
                ("q_proj", "for names write a list: [q_proj]"), ("[all-linear]", "without a list it means all of them: write all-linear"),
                ("all", "for all linears write all-linear"),
            ] {
                let result = try project.train(
                    ["--set", "training.output_dir=other", "--set", "lora.target_modules=\(value)"], limit: refusalLimit)
                result.expectRefusal(78, ["--set lora.target_modules: ", words], isAlone: true)
            }
        }

        /// A plain PEFT adapter has no pair for the projector; the published file has one again.
        @Test func thePlainAdapterGetsAFreshProjectorPair() throws {
            let project = try projectWithAdapters()
            let result = try project.train(["--set", "lora.start_from=first/peft/code", "--set", "training.max_steps=1"])
            result.expect(0)
            let file = try SafetensorsFile(path: project.path("run/adapters/adapter_model.safetensors"))
            #expect(file["base_model.model.multi_vector_projector.lora_A.code.weight"] != nil)
            let first = try SafetensorsFile(path: project.path("first/adapters/adapter_model.safetensors"))
            let name = "base_model.model.model.language_model.layers.1.mlp.up_proj.lora_B.code.weight"
            let (own, source) = (try #require(file[name]), try #require(first[name]))
            expectSameBytes(file.bytes(of: own), first.bytes(of: source), own.name)
            withExtendedLifetime((file, first)) {}
        }

        @Test func aRunGoesOnFromAnothersAdapters() throws {
            let project = try projectWithAdapters()
            let result = try project.train(["--set", "lora.start_from=first", "--set", "training.max_steps=1"])
            result.expect(0)
            #expect(result.standardError.contains("continues first"))
            // The rate of the first warm-up step is 0, so that nothing but the rounding of the saved file may differ: none does.
            try expectSameBytes(
                project.files().bytes("adapters/adapter_model.safetensors"),
                project.files(of: "first").bytes("adapters/adapter_model.safetensors"), "adapter"
            )
        }

        /// Beside the model they give the shape, whatever the configuration says.
        @Test func theModelsOwnAdaptersAreContinuedWithANotice() throws {
            let project = try projectWithAdapters()
            try project.copy("model", to: "own")
            try FileManager.default.createDirectory(atPath: project.path("own/adapters"), withIntermediateDirectories: false)
            for name in ["adapter_model.safetensors", "adapter_config.json"] {
                try project.copy("first/adapters/\(name)", to: "own/adapters/\(name)")
            }
            let result = try project.train(
                ["--set", "base_model_path=own", "--set", "lora.r=16", "--set", "training.max_steps=1"], ranks: 2)
            result.expect(0)
            #expect(result.standardError.contains("notice: lora.r is 8 in the adapters of own/adapters"))
            let resolved = try project.files().record()["configuration"]
            #expect(resolved?["lora"]?["r"]?.integerValue == 8)
        }

        /// Train one, copy to three: the rate of the first warm-up step is 0, so that all three are what they began as.
        @Test(arguments: smallWorlds) func severalTasksBeginAsCopiesOfOne(ranks: Int?) throws {
            let project = try projectWithAdapters()
            let starts = "{retrieval: first/peft/code, code: first/peft/code, text-matching: {path: first, task: code}}"
            let result = try project.train(["--set", "lora.start_from=\(starts)", "--set", "training.max_steps=1"], ranks: ranks)
            result.expect(0)
            #expect(
                result.standardError.contains(
                    "retrieval from first/peft/code, text-matching from first/adapters (code), code from first/peft/code"))
            let file = try SafetensorsFile(path: project.path("run/adapters/adapter_model.safetensors"))
            let first = try SafetensorsFile(path: project.path("first/adapters/adapter_model.safetensors"))
            let source = first.entries.filter { $0.name.hasSuffix(".code.weight") }
            #expect(source.count == 30)
            for entry in source {
                // A plain PEFT adapter has no pair for the projector.
                let tasks = entry.name.contains("projector") ? ["text-matching"] : ["retrieval", "text-matching", "code"]
                for task in tasks {
                    let copy = try #require(file[entry.name.replacingOccurrences(of: ".code.weight", with: ".\(task).weight")])
                    expectSameBytes(file.bytes(of: copy), first.bytes(of: entry), copy.name)
                }
            }
            withExtendedLifetime((file, first)) {}
        }

        @Test func tasksThatAreNotNamedBeginFresh() throws {
            let project = try projectWithAdapters()
            try project.train(["--set", "lora.start_from={code: first/peft/code}", "--set", "training.max_steps=1"]).expect(0)
            try project.train(["--set", "training.max_steps=1", "--set", "training.output_dir=fresh"]).expect(0)
            let files = try ["run", "fresh"].map { try SafetensorsFile(path: project.path("\($0)/adapters/adapter_model.safetensors")) }
            for (task, isFresh) in [("retrieval", true), ("code", false)] {
                let name = "base_model.model.model.language_model.layers.1.mlp.up_proj.lora_B.\(task).weight"
                let bytes = try files.map { $0.bytes(of: try #require($0[name])) }
                #expect(bytes[0].elementsEqual(bytes[1]) == isFresh)
            }
            withExtendedLifetime(files) {}
        }

        @Test(arguments: smallWorlds) func startsOfTasksThatDoNotFitAreRefused(ranks: Int?) throws {
            let project = try projectWithAdapters()
            try project.train(["training.max_steps=1", "training.output_dir=narrow", "lora.r=4"].flatMap { ["--set", $0] }).expect(0)
            for (starts, words) in [
                ("{cod: first}", ["\"cod\"", "did you mean code?"]),
                ("{code: {path: first, task: poetry}}", ["first/adapters has no adapter for poetry", "retrieval, text-matching, code"]),
                ("{code: first, retrieval: narrow}", ["first/adapters has rank 8, but it is 4 in narrow/adapters"]),
            ] {
                let result = try project.train(["--set", "lora.start_from=\(starts)"], ranks: ranks, limit: refusalLimit)
                result.expectRefusal(78, ["--set lora.start_from: "] + words, isAlone: ranks == nil)
            }
            #expect(try project.files().everything().isEmpty)
        }

        /// A project with a run of two steps in the folder `first`.
        private func projectWithAdapters() throws -> RunProject {
            let project = try RunProject()
            let settings = ["training.max_steps=2", "training.warmup_steps=0", "training.output_dir=first"]
            try project.train(settings.flatMap { ["--set", $0] }).expect(0)
            return project
        }
    }
}
