import Files
import Support
import Testing

@Suite struct FiguresTests {
    @Test(arguments: [(0, "0"), (999, "999"), (1000, "1,000"), (1_234_567, "1,234,567"), (-12_345, "-12,345"), (-100, "-100")])
    func counts(_ value: Int, _ text: String) {
        #expect(Figures.count(value) == text)
    }

    @Test func countsNameWhatTheyCount() {
        #expect(Figures.count(1, "row") == "1 row")
        #expect(Figures.count(0, "row") == "0 rows")
        #expect(Figures.count(2000, "query", "queries") == "2,000 queries")
    }

    @Test(arguments: [
        (1, "1 byte"), (999, "999 bytes"), (1000, "1.0 kB"), (3_932_160, "3.9 MB"), (9_949_999, "9.9 MB"), (9_950_000, "10 MB"),
        (480_000_000, "480 MB"), (999_499_999, "999 MB"), (999_500_000, "1.0 GB"), (Int.max, "9.2 EB"),
    ])
    func bytes(_ value: Int, _ text: String) {
        #expect(Figures.bytes(value) == text)
    }

    @Test(
        arguments: [
            (-1, "0 s"), (0.4, "0 s"), (59.4, "59 s"), (59.5, "1 min 00 s"), (200, "3 min 20 s"), (3599.6, "1 h 00 min"),
            (7530, "2 h 05 min"), (3 * 86400 + 4 * 3600, "3 d 04 h"), (.infinity, "11574 d 01 h"),
        ] as [(Double, String)])
    func durations(_ seconds: Double, _ text: String) {
        #expect(Figures.duration(seconds) == text)
    }

    @Test func numbersOfManyKinds() {
        #expect(Figures.short(32) == "32")
        #expect(Figures.short(0.1) == "0.1")
        #expect(Figures.scientific(0.000_666_7) == "6.67e-04")
        #expect(Figures.signed(0.104, 4) == "+0.1040")
        #expect(Figures.signed(-0.104, 2) == "-0.10")
        #expect(Figures.ranges([0, 1, 2, 5, 7, 8]) == "0–2, 5, 7–8")
        #expect(Figures.ranges([]) == "")
    }
}
