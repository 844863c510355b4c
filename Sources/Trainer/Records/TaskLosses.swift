// Losses of a run with several tasks: batches of unlike tasks have losses of unlike size, so that one number for all of them
// would jump from step to step.

/// Mean losses by task, window after window of steps.
struct TaskLosses: Sendable {
    /// In the order in which they are shown.
    private let tasks: [String]
    private var window: [String: (sum: Double, count: Int)] = [:]
    /// Of the last window that has steps of the task.
    private var means: [String: Double] = [:]

    init(tasks: [String]) { self.tasks = tasks }

    mutating func add(_ loss: Double, of task: String) {
        let (sum, count) = window[task] ?? (0, 0)
        window[task] = (sum + loss, count + 1)
        means[task] = (sum + loss) / Double(count + 1)
    }

    /// The next loss begins a new window.
    mutating func endWindow() { window = [:] }

    /// Of the tasks that have steps in the window.
    var ofWindow: [(task: String, mean: Double)] { latest.filter { window[$0.task] != nil } }

    /// Of all tasks that have had steps, each over the last window in which it had some.
    var latest: [(task: String, mean: Double)] { tasks.compactMap { task in means[task].map { (task, $0) } } }
}
