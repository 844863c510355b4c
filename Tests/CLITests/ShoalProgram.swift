// The program as a user starts it: alone, or under mpirun.

import Foundation
import Support
import Testing

enum ShoalProgram {
    static let model = PackagePath.example("jina-tiny")

    /// - Parameter ranks: nil without mpirun
    static func run(_ arguments: [String], ranks: Int? = nil, folder: String? = nil) throws -> JobResult {
        try MPILauncher.run("shoal", arguments, ranks: ranks, folder: folder.map { URL(fileURLWithPath: $0) })
    }

    /// The lines of stderr that are Shoal's own: under mpirun others follow an exit code that is not 0.
    static func messages(_ result: JobResult) -> [String] {
        result.standardError.split(separator: "\n").map(String.init).filter { $0.hasPrefix("shoal: ") }
    }
}

/// Expects success, and gives what was printed.
@discardableResult
func expectSuccess(_ arguments: [String], ranks: Int? = nil, sourceLocation: SourceLocation = #_sourceLocation) throws -> JobResult {
    let result = try ShoalProgram.run(arguments, ranks: ranks)
    #expect(result.exitCode == 0, "\(result.standardError)", sourceLocation: sourceLocation)
    return result
}

/// Expects a code and one sentence on stderr with each of `parts`, and nothing on stdout.
func expectFailure(
    _ code: Int32, _ arguments: [String], ranks: Int? = nil, _ parts: String..., sourceLocation: SourceLocation = #_sourceLocation
) throws {
    let result = try ShoalProgram.run(arguments, ranks: ranks)
    #expect(result.exitCode == code, "\(result.standardError)", sourceLocation: sourceLocation)
    #expect(result.standardOutput.isEmpty, "\(result.standardOutput)", sourceLocation: sourceLocation)
    let messages = ShoalProgram.messages(result)
    #expect(messages.count == 1, "\(result.standardError)", sourceLocation: sourceLocation)
    if ranks == nil {
        #expect(result.standardError.split(separator: "\n").count == 1, "\(result.standardError)", sourceLocation: sourceLocation)
    }
    for part in parts { #expect(messages.first?.contains(part) == true, "\(result.standardError)", sourceLocation: sourceLocation) }
}
