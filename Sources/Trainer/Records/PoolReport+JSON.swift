// The pool of a step as it stands in metrics.jsonl.

import Files
import Loss

extension PoolReport {
    /// The members of the object `pool`.
    var json: JSONValue {
        [
            "positive": .number(positive), "hardest_negative": .number(hardestNegative), "mean_negative": .number(meanNegative),
            "position_of_positive": .number(positionOfPositive), "saturated_rows": .number(saturatedRows),
            "effective_negatives": .number(effectiveNegatives), "negatives": .number(negatives),
        ]
    }
}
