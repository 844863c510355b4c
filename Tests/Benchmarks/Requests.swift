// Another program decides when something is done, so that it can take turns with what it does itself and nothing is loaded twice.

import Files
import Foundation
import Tensor
import Trainer

/// What can be asked for, a line on stdin each time, until stdin ends.
struct Requests {
    /// Each returns what is answered: seconds, or a rate.
    private var answers: [String: () throws -> Double] = [:]

    mutating func add(_ name: String, _ answer: @escaping () throws -> Double) { answers[name] = answer }

    /// Says `ready` on stdout, then answers every line with a line.
    func serve() throws {
        say("ready")
        while let line = readLine() {
            guard let answer = answers[line] else {
                throw UserError(.usage, "stdin", "asks for \"\(line)\"; there is \(answers.keys.sorted().joined(separator: ", "))")
            }
            say("\(try answer())")
        }
    }

    private func say(_ line: String) {
        print(line)
        fflush(nil)
    }
}
