// What embedding an input costs, by which the plan of a step shares chunks among the ranks.

import Model

/// What an input costs relative to others: products grow with its tokens, attention with their square.
package struct InputCost: Sendable {
    let perToken: Int
    let perTokenSquared: Int

    package init(perToken: Int, perTokenSquared: Int) {
        self.perToken = perToken
        self.perTokenSquared = perTokenSquared
    }

    /// The cost of an input of this length.
    package func of(tokens: Int) -> Int { tokens * perToken + tokens * tokens * perTokenSquared }
}

extension ModelConfig {
    /// Multiplications of the frozen products a token, and of attention a token and token seen.
    var inputCost: InputCost {
        let (hidden, heads) = (text.hiddenSize, text.heads * text.headDimension)
        let products = 2 * hidden * heads + 2 * hidden * text.keyValueHeads * text.headDimension + 3 * hidden * text.intermediateSize
        return InputCost(perToken: products, perTokenSquared: heads)
    }
}
