// What tests of configurations share: decoding a text, and the error that it must end with.

import Files
import Foundation
import Project
import Testing

/// A configuration with what is required and nothing else; further text is appended.
package let requiredSettings = """
    base_model_path: model
    data: {train: train.jsonl}
    training: {output_dir: out}

    """

/// The configuration of a text, as if it stood in `p.yaml`.
package func decode(_ yaml: String, set overrides: String...) throws(UserError) -> ProjectConfig {
    try ProjectConfig.decode(yaml: Array(yaml.utf8), path: "p.yaml", overrides: overrides)
}

/// The error of decoding, as the user sees it; fails the test when there is none or its code is another.
package func decodingError(_ yaml: String, set overrides: [String] = []) -> String {
    let error = userError { _ = try ProjectConfig.decode(yaml: Array(yaml.utf8), path: "p.yaml", overrides: overrides) }
    #expect(error?.code == .configuration)
    return error?.description ?? ""
}

/// The error of `body`; fails the test when there is none.
package func userError(_ body: () throws -> Void) -> UserError? {
    do {
        try body()
        Issue.record("expected an error")
    } catch let error as UserError {
        return error
    } catch {
        Issue.record("expected a UserError, not \(error)")
    }
    return nil
}

/// A file of the package.
package func packageFile(_ relative: String) throws -> String {
    try String(contentsOf: PackagePath.root.appending(path: relative), encoding: .utf8)
}
