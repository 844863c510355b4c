// Comparisons of what may be large. A failing one names the first difference and ends: `#expect(a == b)` would form the whole
// difference of two collections, which takes hours for files of megabytes.

import Foundation
import Testing

/// Expects two files, or other bytes, to be the same. A failure says where they part, with both bytes and both sizes.
package func expectSameBytes(
    _ actual: some ContiguousBytes, _ expected: some ContiguousBytes, _ name: @autoclosure () -> String,
    sourceLocation: SourceLocation = #_sourceLocation
) {
    let difference = actual.withUnsafeBytes { actual in
        expected.withUnsafeBytes { expected in firstDifference(actual, expected) { String(format: "0x%02x", $0) } }
    }
    if let difference { Issue.record("\(name()): \(difference)", sourceLocation: sourceLocation) }
}

/// Expects the same files by name, with the same bytes. A failure names the files that only one side has, and the first difference
/// in each of the others.
package func expectSameFiles(
    _ actual: [String: Data], _ expected: [String: Data], _ name: @autoclosure () -> String = "files",
    sourceLocation: SourceLocation = #_sourceLocation
) {
    let (surplus, missing) = (actual.keys.filter { expected[$0] == nil }, expected.keys.filter { actual[$0] == nil })
    if !(surplus.isEmpty && missing.isEmpty) {
        Issue.record("\(name()): unexpected \(surplus.sorted()), missing \(missing.sorted())", sourceLocation: sourceLocation)
    }
    for (file, bytes) in expected.sorted(by: { $0.key < $1.key }) {
        guard let found = actual[file] else { continue }
        expectSameBytes(found, bytes, "\(name()), \(file)", sourceLocation: sourceLocation)
    }
}

/// Expects the same bits, so that -0 differs from 0 and a NaN is equal to itself. A failure gives the first pair that differs, as
/// numbers and as bits.
///
/// - Parameter shape: of both, row-major; empty for a plain list
package func expectSameBits(
    _ actual: [Float], _ expected: [Float], _ name: @autoclosure () -> String, shape: [Int] = [],
    fileID: String = #fileID, filePath: String = #filePath, line: Int = #line, column: Int = #column
) {
    let location = SourceLocation(fileID: fileID, filePath: filePath, line: line, column: column)
    guard actual.count == expected.count else {
        Issue.record("\(name()) \(shape): \(actual.count) values, expected \(expected.count)", sourceLocation: location)
        return
    }
    let differing = actual.indices.lazy.filter { actual[$0].bitPattern != expected[$0].bitPattern }
    guard let first = differing.first else { return }
    func described(_ value: Float) -> String { "\(value) (\(String(format: "0x%08x", value.bitPattern)))" }
    Issue.record(
        """
        \(name()) \(shape): \(differing.count) of \(actual.count) values differ in their bits, first at \(index(first, in: shape)): \
        \(described(actual[first])) ≠ \(described(expected[first]))
        """, sourceLocation: location)
}

/// Expects equal elements in the same order. A failure gives the first pair that differs.
package func expectSameElements<Element: Equatable>(
    _ actual: some Collection<Element>, _ expected: some Collection<Element>, _ name: @autoclosure () -> String,
    sourceLocation: SourceLocation = #_sourceLocation
) {
    guard let difference = firstDifference(actual, expected, described: { "\($0)" }) else { return }
    Issue.record("\(name()): \(difference)", sourceLocation: sourceLocation)
}

/// A phrase that says where two collections part, or nil where they are equal.
private func firstDifference<Element: Equatable>(
    _ actual: some Collection<Element>, _ expected: some Collection<Element>, described: (Element) -> String
) -> String? {
    let offset = zip(actual, expected).enumerated().first { $0.element.0 != $0.element.1 }?.offset
    guard offset != nil || actual.count != expected.count else { return nil }
    let first = offset ?? min(actual.count, expected.count)
    func element(_ values: some Collection<Element>) -> String {
        first < values.count ? described(values[values.index(values.startIndex, offsetBy: first)]) : "the end"
    }
    return "first difference at \(first): \(element(actual)) ≠ \(element(expected)), sizes \(actual.count) and \(expected.count)"
}
