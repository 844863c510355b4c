// The architecture as a test: who may import whom. SwiftPM lets a module be imported that is only a dependency's dependency.

import Foundation
import Tensor
import Testing
import Trainer

/// Parts of the toolchain, free to all.
private let toolchain: Set<String> = ["Swift", "Foundation", "Glibc", "Synchronization"]

/// Folder under Sources → what else its files may import.
private let mayImport: [String: Set<String>] = [
    "Files": ["CMemoryFile", "CCrypto", "CZlib"],
    "Comm": ["Files", "COpenMPI"],
    "Tensor": ["Files", "CMatrixKernels", "COpenBLAS", "COneDNN", "COpenMP", "CProcessor"],
    "Model": ["Files", "Tensor", "CJPEG", "CPNG", "CWebP"],
    "Data": ["Files", "Tensor", "Comm", "Model"],
    "Loss": ["Tensor", "Model", "Data"],
    "Embedding": ["Files", "Tensor", "Comm", "Model", "Data"],
    "Evaluation": ["Files", "Tensor", "Comm", "Model", "Data", "Embedding"],
    "Config": ["Files", "Tensor", "Model", "Data", "Loss", "CYAML"],
    "Trainer": ["Files", "Tensor", "Comm", "Model", "Data", "Loss", "Embedding", "Evaluation", "Config"],
    "CLI": [
        "Files", "Tensor", "Comm", "Model", "Data", "Embedding", "Evaluation", "Config", "Trainer", "ArgumentParser", "CProcessor",
    ],
]

@Suite struct LayeringTests {
    @Test func everyFolderHasItsRule() throws {
        let folders = try FileManager.default.contentsOfDirectory(atPath: sources.path).filter { !$0.hasPrefix(".") }
        #expect(Set(folders).subtracting(["System"]).isSubset(of: mayImport.keys))
    }

    @Test func systemModulesHoldNoSwift() throws {
        #expect(try swiftFiles(in: "System").isEmpty)
    }

    @Test(arguments: mayImport.keys.sorted()) func importsOnlyLowerLayers(_ folder: String) throws {
        let allowed = try #require(mayImport[folder]).union(toolchain)
        for file in try swiftFiles(in: folder) {
            let imports = importedModules(in: try String(contentsOf: file, encoding: .utf8))
            #expect(imports.isSubset(of: allowed), "\(folder)/\(file.lastPathComponent) imports \(imports.subtracting(allowed).sorted())")
        }
    }

    @Test func findsImportsInEveryForm() {
        let text = """
            // import Comment
            import Plain
            @preconcurrency import Attributed
              package import Indented
            import struct Deep.Member
            @_spi(Some) @testable internal import Several
            import Twice; import Joined
            let text = "import Nothing"
            """
        #expect(importedModules(in: text) == ["Plain", "Attributed", "Indented", "Deep", "Several", "Twice", "Joined"])
    }
}

private let sources = packageFolder.appendingPathComponent("Sources")

private func swiftFiles(in folder: String) throws -> [URL] {
    guard let files = FileManager.default.enumerator(at: sources.appendingPathComponent(folder), includingPropertiesForKeys: nil) else {
        return []
    }
    return files.compactMap { $0 as? URL }.filter { $0.pathExtension == "swift" }
}

/// The modules that import statements name: the first name after `import` and a kind such as `struct`.
private func importedModules(in text: String) -> Set<String> {
    let kinds: Set<Substring> = ["typealias", "struct", "class", "enum", "protocol", "let", "var", "func"]
    let levels: Set<Substring> = ["public", "package", "internal", "fileprivate", "private"]
    var modules: Set<String> = []
    for statement in text.split(whereSeparator: { $0.isNewline || $0 == ";" }) {
        let words = statement.split(separator: " ").drop { $0.hasPrefix("@") || levels.contains($0) }
        guard words.first == "import", let name = words.dropFirst().first(where: { !kinds.contains($0) }) else { continue }
        modules.insert(String(name.prefix { $0 != "." }))
    }
    return modules
}
