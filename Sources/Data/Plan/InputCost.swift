// What embedding an input costs, by which the plan of a step shares chunks among the ranks.

import Model

/// What an input costs relative to others: products grow with its tokens, attention with their square, and the tokens of an image
/// come out of the vision tower.
package struct InputCost: Sendable {
    let perToken: Int
    let perTokenSquared: Int
    let perImageToken: Int

    /// Creates costs in a unit of their own.
    package init(perToken: Int, perTokenSquared: Int, perImageToken: Int = 0) {
        self.perToken = perToken
        self.perTokenSquared = perTokenSquared
        self.perImageToken = perImageToken
    }

    /// What a pass with this input costs.
    package func of(_ input: PlannedInput) -> Int {
        input.tokens * (perToken + (input.isImage ? perImageToken : 0)) + input.tokens * input.tokens * perTokenSquared
    }
}

extension ModelConfig {
    /// The cost of inputs for this model, in multiplications: of the frozen products a token, of attention a token and token seen, and of
    /// the tower a token: half of its products, because they have no backward pass.
    ///
    /// - Parameter usesTower: whether images go through the tower, rather than having their features kept from earlier
    package func inputCost(usesTower: Bool) -> InputCost {
        let (hidden, heads) = (text.hiddenSize, text.heads * text.headDimension)
        let products = 2 * hidden * heads + 2 * hidden * text.keyValueHeads * text.headDimension + 3 * hidden * text.intermediateSize
        return InputCost(perToken: products, perTokenSquared: heads, perImageToken: usesTower ? (vision?.productsOfToken ?? 0) / 2 : 0)
    }
}

extension ModelConfig.Vision {
    /// Number of multiplications in the products of all blocks for the patches of a token.
    fileprivate var productsOfToken: Int {
        spatialMergeSize * spatialMergeSize * depth * (4 * hiddenSize * hiddenSize + 3 * hiddenSize * intermediateSize)
    }
}
