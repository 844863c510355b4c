// Which way of holding activations is chosen, and that what it is said to take is what a run takes.

import Model
import Support
import Testing

@testable import Project
@testable import Trainer

@Suite struct ActivationMemoryTests {
    private let footprint = ActivationFootprint(everything: 100, layerInputs: 10, layer: 20, working: 5, workspace: 1000)

    private func choice(_ setting: ActivationMemory?, budget: Int) -> ActivationPolicy.Choice {
        ActivationPolicy(setting, budget: budget, footprint).choice(tokens: 1000, microbatch: 200)
    }

    /// 1000 tokens in microbatches of 200: all 102,000 bytes; inputs 16,000 (a layer's 4,000 while it is computed again);
    /// one microbatch 22,000, or with inputs alone 8,000.
    @Test func theFirstThatFits() {
        #expect(choice(nil, budget: 102_000) == .init(memory: .keep, keeping: .everything, bytes: 102_000))
        #expect(choice(nil, budget: 101_999) == .init(memory: .recompute, keeping: .layerInputs, bytes: 16_000))
        #expect(choice(nil, budget: 15_999) == .init(memory: .cache, keeping: .layerInputs, bytes: 8_000))
        #expect(choice(nil, budget: 0).memory == .cache, "nothing fits: the smallest")
    }

    @Test func whatIsSetIsDone() {
        for budget in [0, 1 << 40] {
            #expect(choice(.keep, budget: budget).memory == .keep)
            #expect(choice(.recompute, budget: budget).memory == .recompute)
            #expect(choice(.cache, budget: budget).memory == .cache)
        }
        #expect(choice(.cache, budget: 22_000).keeping == .everything)
        #expect(choice(.cache, budget: 21_999).keeping == .layerInputs)
    }

    @Test func cachedEmbeddingsKeepNothing() {
        #expect(choice(.cache, budget: 1 << 40).embedding == .nothing)
        #expect(choice(.recompute, budget: 1 << 40).embedding == .layerInputs)
    }
}
