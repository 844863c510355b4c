// What a run that goes on knows of its earlier starts, from the events that they left in metrics.jsonl: a run that was ended
// between its last step and its final files writes the same model card as one that was not.

import Evaluation
import Files

/// The losses and the newest evaluation of earlier starts.
struct RunHistory {
    private(set) var losses: TaskLosses
    private(set) var lastResults: [EvaluationResult] = []
    private let loggingSteps: Int

    /// - Parameters:
    ///   - tasks: that are trained
    ///   - loggingSteps: by which losses are averaged
    init(tasks: [String], loggingSteps: Int) {
        losses = TaskLosses(tasks: tasks)
        self.loggingSteps = loggingSteps
    }

    /// Takes in an event as `RunLog` writes them, in the order of the file.
    mutating func add(_ event: JSONValue) {
        switch event["event"]?.stringValue {
        case "step":
            guard let loss = event["loss"]?.numberValue, let task = event["task"]?.stringValue else { return }
            losses.add(loss, of: task)
            if (event["step"]?.integerValue ?? 0) % Int64(loggingSteps) == 0 { losses.endWindow() }
        case "evaluation": lastResults = (event["results"]?.arrayValue ?? []).compactMap { EvaluationResult($0) }
        default: break
        }
    }
}
