// Numbers that are not finite end a run before they reach a file.

import Foundation
import Support
import Testing

extension RunTests {
    @Suite struct NotFiniteTests {
        @Test(arguments: smallWorlds) func anUpdateThatOverflowsIsNotSaved(ranks: Int?) throws {
            let project = try RunProject()
            let settings = ["training.learning_rate=1e40", "training.warmup_steps=0", "training.save_steps=1"]
            let result = try project.train(settings.flatMap { ["--set", $0] }, ranks: ranks)
            result.expectRefusal(72, ["step 1, rank 0, phase update: ", "lower training.learning_rate"])
            #expect(!project.files().exists("adapters/adapter_model.safetensors"))
            #expect(!project.files().exists("checkpoints/step-1"))
            let record = try project.files().record()
            #expect(record["status"]?.stringValue == "failed")
            #expect(try project.files().events("end").first?["message"]?.stringValue?.contains("phase update") == true)
        }
    }
}
