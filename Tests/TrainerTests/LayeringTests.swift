// The architecture as a test: who may import whom, and how long a file may be. The compiler refuses a module that is no dependency
// of a target, but lets one be imported that is only a dependency's dependency, and knows nothing of what is written in the docs.

import Foundation
import Support
import Testing

@testable import Trainer

/// Parts of the toolchain, free to all.
private let toolchain: Set<String> = ["Swift", "Foundation", "Glibc", "Synchronization"]

/// Folder under Sources → what else its files may import.
private let mayImport: [String: Set<String>] = [
    "System": [],
    "Files": ["CMemoryFile", "CCrypto", "CZlib"],
    "Tables": ["Files", "CZlib", "CZstd"],
    "Config": ["Files", "CYAML"],
    "Tensor": ["Files", "CMatrixKernels", "COpenBLAS", "COneDNN", "COpenMP", "CProcessor"],
    "Comm": ["Files", "COpenMPI"],
    "Images": ["Files", "Tensor", "CJPEG", "CPNG", "CWebP"],
    "Model": ["Files", "Config", "Tensor", "Images"],
    "Data": ["Files", "Tables", "Config", "Tensor", "Comm", "Images", "Model"],
    "Preprocessing": ["Files", "Tensor", "Comm", "Model", "Data"],
    "Loss": ["Files", "Config", "Tensor", "Model", "Data"],
    "Embedding": ["Files", "Tensor", "Comm", "Images", "Model", "Data"],
    "Evaluation": ["Files", "Tensor", "Comm", "Model", "Data", "Embedding"],
    "Project": ["Files", "Config", "Tensor", "Model", "Data", "Loss"],
    "Trainer": ["Files", "Config", "Tensor", "Comm", "Model", "Data", "Loss", "Embedding", "Evaluation", "Project"],
    "CLI": [
        "Files", "Tensor", "Comm", "Images", "Model", "Data", "Preprocessing", "Embedding", "Evaluation", "Project", "Trainer",
        "CProcessor",
        "ArgumentParser",
    ],
]

/// Lines of a file, and of a folder under Sources.
private let (fileLimit, folderLimit) = (300, 6000)

/// Files that are longer, and why.
private let longFiles: [String: String] = [:]

@Suite struct LayeringTests {
    @Test func everyFolderHasItsRule() throws {
        let folders = try FileManager.default.contentsOfDirectory(atPath: sources.path).filter { !$0.hasPrefix(".") }
        #expect(Set(folders) == Set(mayImport.keys))
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

    /// Nothing that no file uses, so that the table says what is, not only what might be.
    @Test(arguments: mayImport.keys.sorted()) func everyPermissionIsUsed(_ folder: String) throws {
        let imports = try swiftFiles(in: folder).map { importedModules(in: try String(contentsOf: $0, encoding: .utf8)) }
        let unused = try #require(mayImport[folder]).subtracting(imports.reduce([]) { $0.union($1) })
        #expect(unused.isEmpty, "no file of \(folder) imports \(unused.sorted())")
    }

    @Test(arguments: mayImport.keys.sorted().filter { $0 != "System" }) func thePackageSaysTheSame(_ folder: String) throws {
        let package = try String(contentsOf: PackagePath.root.appendingPathComponent("Package.swift"), encoding: .utf8)
        let start = try Regex(#"arget\(\s*name: "\#(folder)",\s*dependencies: \["#)
        let target = try #require(package.firstRange(of: start))
        let list = package[target.upperBound...].prefix { $0 != "]" }
        #expect(quotedNames(in: String(list), quote: "\"").subtracting(["swift-argument-parser"]) == mayImport[folder])
    }

    @Test func theDocumentationSaysTheSame() throws {
        let text = try String(contentsOf: PackagePath.root.appendingPathComponent("docs/architecture.md"), encoding: .utf8)
        var documented: [String: Set<String>] = [:]
        let layers = try #require(text.firstRange(of: "## Folders")).lowerBound
        for row in text[..<layers].split(separator: "\n") where row.hasPrefix("| `") {
            let cells = row.split(separator: "|").map { String($0) }
            let folder = try #require(quotedNames(in: cells[0], quote: "`").first)
            documented[folder] = quotedNames(in: cells[1], quote: "`")
        }
        #expect(documented == mayImport)
    }

    @Test(arguments: mayImport.keys.sorted()) func filesAndFoldersAreOfASizeToBeRead(_ folder: String) throws {
        var lines = 0
        for file in try swiftFiles(in: folder) {
            let count = try String(contentsOf: file, encoding: .utf8).count(where: \.isNewline)
            lines += count
            let name = file.path.dropFirst(sources.path.count + 1)
            #expect(count <= fileLimit || longFiles[String(name)] != nil, "\(name) has \(count) lines; split it, or say why not")
            #expect(count > fileLimit || longFiles[String(name)] == nil, "\(name) has \(count) lines and needs no reason any more")
        }
        #expect(lines <= folderLimit)
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

private let sources = PackagePath.root.appendingPathComponent("Sources")

private func swiftFiles(in folder: String) throws -> [URL] {
    guard let files = FileManager.default.enumerator(at: sources.appendingPathComponent(folder), includingPropertiesForKeys: nil) else {
        return []
    }
    return files.compactMap { $0 as? URL }.filter { $0.pathExtension == "swift" }
}

/// The words between pairs of a quotation mark.
private func quotedNames(in text: String, quote: Character) -> Set<String> {
    let parts = text.split(separator: quote, omittingEmptySubsequences: false)
    return Set(parts.indices.filter { $0 % 2 == 1 }.map { String(parts[$0]) })
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
