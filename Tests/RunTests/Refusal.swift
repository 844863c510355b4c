// What the tests of bad input share: how a fault is made, and what must be said of it.

import Foundation
import Support
import Testing

/// One fault in a user's files or settings, and the answer to it.
struct Refusal: Sendable, CustomTestStringConvertible {
    let testDescription: String
    let code: Int32
    /// Of the sentence: place and mend.
    let parts: [String]
    let backbone: RunProject.Backbone
    /// Makes the fault and gives further arguments of `shoal train`.
    let make: @Sendable (RunProject) throws -> [String]

    init(
        _ name: String, _ code: Int32, _ parts: String..., backbone: RunProject.Backbone = .tiny,
        make: @escaping @Sendable (RunProject) throws -> [String]
    ) {
        self.init(name, code, parts, backbone: backbone, make: make)
    }

    init(
        _ name: String, _ code: Int32, _ parts: [String], backbone: RunProject.Backbone = .tiny,
        make: @escaping @Sendable (RunProject) throws -> [String]
    ) {
        testDescription = name
        self.code = code
        self.parts = parts
        self.backbone = backbone
        self.make = make
    }

    /// Starts a run with the fault in a project of its own. The run's folder must stay empty.
    func check(ranks: Int?) throws {
        let project = try RunProject(backbone)
        let arguments = try make(project)
        try project.train(arguments, ranks: ranks, limit: refusalLimit).expectRefusal(code, parts, isAlone: ranks == nil)
        #expect(try project.files().everything().isEmpty)
    }
}

extension JobResult {
    /// Records an issue unless the job said one sentence that begins with `shoal: ` and holds all `parts`, and ended with this code.
    ///
    /// - Parameter isAlone: without mpirun, which adds words of its own; then nothing else may be said
    func expectRefusal(_ code: Int32, _ parts: [String], isAlone: Bool = false, sourceLocation: SourceLocation = #_sourceLocation) {
        expect(code, sourceLocation: sourceLocation)
        let lines = standardError.split(separator: "\n")
        let sentences = lines.filter { $0.hasPrefix("shoal: ") }
        #expect(sentences.count == 1, "\(standardError)", sourceLocation: sourceLocation)
        #expect(!standardError.contains("FATAL"), "\(standardError)", sourceLocation: sourceLocation)
        if isAlone { #expect(lines.count == 1, "\(standardError)", sourceLocation: sourceLocation) }
        for part in parts { #expect(sentences.first?.contains(part) == true, "\(part): \(standardError)", sourceLocation: sourceLocation) }
    }
}
