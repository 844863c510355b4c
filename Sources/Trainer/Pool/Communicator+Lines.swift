// What ranks tell one another while they compute the loss: numbers of their own rows, never gradients.

import Comm
import Loss

extension Communicator: LineExchange {
    /// What each rank knows of its own lines, in the order of all lines.
    ///
    /// Collective.
    /// - Parameters:
    ///   - own: the same count of numbers for each own line
    ///   - lists: the lines of each rank
    package func gatherLines(_ own: [Double], _ lists: [[Int]]) throws -> [ArraySlice<Double>] {
        var all = [ArraySlice<Double>](repeating: [], count: lists.reduce(0) { $0 + $1.count })
        for (numbers, lines) in zip(try allGatherVariable(own), lists) where !lines.isEmpty {
            let fields = numbers.count / lines.count
            for (place, line) in lines.enumerated() { all[line] = numbers[place * fields..<(place + 1) * fields] }
        }
        return all
    }
}
