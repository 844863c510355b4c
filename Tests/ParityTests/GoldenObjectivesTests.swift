// That the golden values of the objectives are read as they were written: sizes, roles, masks, weights, and the models' vectors.

import Model
import Support
import Tensor
import Testing

@testable import Data

@Suite struct GoldenObjectivesTests {
    @Test func everySettingOccurs() throws {
        let (cases, models) = try (GoldenObjective.all(.embeddings), GoldenObjective.all(.flatBFloat16, .nestedFloat32))
        #expect(cases.count == 78 && models.count == 21)
        #expect(Set((cases + models).map(\.testDescription)).count == 99)
        let names = Set(cases.flatMap { $0.given.entries.map(\.key) })
        #expect(names.count == 21 && names.allSatisfy { $0.hasPrefix("loss.") })
        let losses = Set(try cases.map { try $0.setting("loss.name").stringValue })
        #expect(losses == ["infonce", "late", "joint", "cosent", "triplet", "distill"])
    }

    @Test(arguments: try GoldenObjective.all(.embeddings, .flatBFloat16, .nestedFloat32))
    func theValueIsTheWeightedSumOfItsTerms(_ golden: GoldenObjective) throws {
        let weights = try golden.setting("loss.matryoshka_weights").arrayValue!.map { $0.numberValue! }
        let joint = try golden.setting("loss.name").stringValue == "joint"
        let value = try golden.terms.reduce(0.0) { sum, term in
            let ones = [Double](repeating: 1, count: term.value.count)
            let byWidth = term.key.hasSuffix("late") || weights.isEmpty ? ones : weights
            let head = term.key.replacing("distill_", with: "")
            let weight =
                try (joint ? golden.number("loss.\(head)_weight") : 1) * (head == term.key ? 1 : golden.number("loss.distill_weight"))
            return sum + weight * zip(byWidth, term.value).reduce(0) { $0 + $1.0 * $1.1 }
        }
        #expect(abs(value - golden.value) <= (golden.layer == .embeddings ? 1e-13 : 1e-6) * golden.value)
    }

    /// The masks are those of a plan of the same rows.
    @Test(arguments: try GoldenObjective.all(.embeddings, .flatBFloat16, .nestedFloat32))
    func rowsArePlannedAsTheyAreMasked(_ golden: GoldenObjective) throws {
        let batch = golden.batch
        let plan = StepPlan(
            try batch.summaries(), batch: Array(batch.anchors.indices),
            prompts: PromptNumbers(anchor: { _, _ in 0 }, candidate: { _, _ in 0 }),
            masksDuplicates: try golden.setting("loss.mask_duplicates").boolValue!, chunkTokens: 24, worldSize: 1,
            cost: InputCost(perToken: 100, perTokenSquared: 1))
        let inputs = plan.inputs.map(batch.input)
        #expect(plan.anchors.map { inputs[$0] } == batch.anchors && plan.candidates.map { inputs[$0] } == batch.columns)
        #expect(Set(inputs).count == inputs.count)
        #expect(golden.masked == (try golden.contrasts ? plan.masked : plan.masked.map { _ in [] }))
        for (row, columns) in golden.marginMasked.enumerated() {
            #expect(!columns.contains(row) && Set(columns).isDisjoint(with: golden.masked[row]))
            #expect(columns.allSatisfy(plan.candidates.indices.contains))
        }
    }

    /// Unit vectors; gradients of the same shape, zero for inputs without a role.
    @Test(arguments: try GoldenObjective.all(.embeddings))
    func gradientsBelongToVectors(_ golden: GoldenObjective) throws {
        let vectors = try golden.batch.vectors()
        let (dense, late) = try golden.gradient()
        #expect(vectors.width == 24 && vectors.lateWidth == 8)
        #expect(dense.count == vectors.dense.count && late.count == vectors.late.count)
        let gradient = GoldenVectors(dense: dense, late: late, offsets: vectors.offsets)
        let roles = Set(golden.batch.anchors + golden.batch.columns)
        for input in 0..<vectors.inputs {
            #expect(abs(squares(vectors.dense(input)) - 1) < 1e-6)
            #expect(abs(squares(vectors.late(input)) - Double(vectors.late(input).count / 8)) < 1e-5)
            guard !roles.contains(input) else { continue }
            #expect(squares(gradient.dense(input)) == 0 && squares(gradient.late(input)) == 0)
        }
        let hasDense = golden.terms["dense"] != nil
        #expect((squares(dense[...]) > 0) == (hasDense && golden.value > 0))
        #expect((squares(late[...]) > 0) == golden.usesLate)
    }

    /// Token ids give the stored vectors; every factor has a gradient, the projector's only where late vectors have a part.
    @Test(arguments: try GoldenObjective.all(.flatBFloat16, .nestedFloat32))
    func gradientsBelongToFactors(_ golden: GoldenObjective) throws {
        let reference = try #require(golden.layer.model)
        let checkpoint = try reference.checkpoint()
        let layout = try reference.layout(checkpoint.config)
        let model = JinaEmbeddingsV4(checkpoint, MatrixEngine(.float32), maxTokens: 64)
        let adapter = try reference.adapter(layout).loaded(for: model.engine)
        let (segments, vectors) = try (golden.batch.segments(), golden.batch.vectors())
        #expect(segments.count == vectors.inputs && vectors.lateWidth == checkpoint.config.projectorDimension)
        #expect(largestDifference(model.embed(PackedTokens(segments), adapter).values, vectors.dense) < 1e-5)
        let gradient = try golden.gradient(layout)
        for factor in layout.factors {
            let isReached = factor.range.upperBound <= layout.decoderCount || golden.usesLate
            #expect((squares(gradient[factor.range]) > 0) == isReached, "\(factor.name)")
        }
    }

    private func squares(_ values: ArraySlice<Float>) -> Double { values.reduce(0) { $0 + Double($1) * Double($1) } }
}
