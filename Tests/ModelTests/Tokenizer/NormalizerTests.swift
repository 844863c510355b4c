// Form C by eye; the strings of Tests/Golden/tokenizer and the multilingual lines hold it to the reference.

import Model
import Support
import Testing

private func scalars(_ text: String) -> [UInt32] { text.unicodeScalars.map(\.value) }

@Suite struct NormalizerTests {
    @Test(arguments: [
        ("", ""),
        ("cafe\u{301} A\u{30A} \u{212B}", "caf\u{E9} \u{C5} \u{C5}"),
        // Marks are put in order, and one that is blocked stays.
        ("a\u{315}\u{327}", "a\u{327}\u{315}"),
        ("e\u{327}\u{301}", "\u{229}\u{301}"),
        ("a\u{338}\u{338}\u{301}", "\u{E1}\u{338}\u{338}"),
        ("\u{301}e", "\u{301}e"),
        // Hangul: whole syllables from their parts, also from a syllable and a final consonant.
        ("\u{1100}\u{1161}\u{11A8}", "\u{AC01}"),
        ("\u{AC38}\u{11B7}\u{1127}", "\u{AC48}\u{1127}"),
        ("\u{AC00}\u{11A7}", "\u{AC00}\u{11A7}"),
        // Never composed; parts that begin with a mark.
        ("\u{915}\u{93C} \u{958}", "\u{915}\u{93C} \u{915}\u{93C}"),
        ("a\u{315}\u{F73}", "a\u{F71}\u{F72}\u{315}"),
        ("\u{344}", "\u{308}\u{301}"),
        // Assigned after Unicode 9: left alone, though newer tables move and join them.
        ("a\u{315}\u{8D3}", "a\u{315}\u{8D3}"),
        ("\u{105D2}\u{307}", "\u{105D2}\u{307}"),
    ]) func composesAsTheReference(_ text: String, _ expected: String) {
        #expect(scalars(Normalizer.normalized(text)) == scalars(expected))
    }

    @Test(arguments: [
        ("plain", true), ("caf\u{E9} \u{4E2D}\u{6587} \u{AC01}", true), ("\u{5E9}\u{5C1}", true), ("x\u{316}\u{315}", true),
        ("cafe\u{301}", false), ("x\u{315}\u{316}", false), ("\u{212B}", false),
        (String(repeating: "a", count: 100) + "\u{212B}", false),
    ]) func knowsWhatIsNormalAlready(_ text: String, _ expected: Bool) {
        var text = text
        #expect(text.withUTF8 { Normalizer.isNormalized($0) } == expected)
    }
}
