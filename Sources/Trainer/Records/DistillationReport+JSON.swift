// What a step says of its teacher as it stands in metrics.jsonl.

import Files
import Loss

extension DistillationReport {
    /// The members of the object `distillation`.
    var json: JSONValue { ["loss": .number(loss), "rows": .whole(rows), "agreement": .number(agreement)] }
}
