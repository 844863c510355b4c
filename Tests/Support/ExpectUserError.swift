// One place that says what a test expects of a message for the user.

import Files
import Testing

/// Expects a `UserError` with this code whose text, place included, holds every one of `parts`.
package func expectUserError(
    _ code: UserError.Code, _ parts: String..., sourceLocation: SourceLocation = #_sourceLocation, _ body: () throws -> Void
) {
    do {
        try body()
        Issue.record("nothing was thrown; expected \(code) with \(parts)", sourceLocation: sourceLocation)
    } catch let error as UserError {
        #expect(error.code == code, "\(error)", sourceLocation: sourceLocation)
        for part in parts { #expect(error.description.contains(part), "\(error)", sourceLocation: sourceLocation) }
        #expect(!error.description.contains("\n"), "one line: \(error)", sourceLocation: sourceLocation)
    } catch {
        Issue.record("\(error)", sourceLocation: sourceLocation)
    }
}
