// White space as Python sees it.

import Support
import Tensor
import Testing

@Suite struct BlankTests {
    /// Python: [hex(c) for c in range(0x3100) if chr(c).isspace()]
    @Test func knowsPythonsWhiteSpace() {
        let python: [UInt32] = [
            0x9, 0xA, 0xB, 0xC, 0xD, 0x1C, 0x1D, 0x1E, 0x1F, 0x20, 0x85, 0xA0, 0x1680, 0x2000, 0x2001, 0x2002, 0x2003, 0x2004, 0x2005,
            0x2006, 0x2007, 0x2008, 0x2009, 0x200A, 0x2028, 0x2029, 0x202F, 0x205F, 0x3000,
        ]
        #expect((0..<0x3100).filter { Unicode.Scalar($0)?.isBlank == true } == python)
    }

    @Test(arguments: [
        ("", ""), (" \t\r\n\u{3000}", ""), (" a b ", "a b"), ("a", "a"), ("\u{A0}e\u{301} ", "e\u{301}"), (" \u{301}x", "\u{301}x"),
        ("a\u{200B} ", "a\u{200B}"),
    ])
    func strips(_ text: String, _ expected: String) {
        #expect(Array(text.stripped.utf8) == Array(expected.utf8))
        #expect(text.isBlank == expected.isEmpty)
    }
}
