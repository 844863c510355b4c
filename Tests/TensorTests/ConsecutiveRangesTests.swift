// Lists of lengths one after the other, and filled into ranges of limited size.

import Tensor
import Testing

@Suite struct ConsecutiveRangesTests {
    @Test func lengthsOneAfterTheOther() {
        #expect([2, 0, 3].consecutiveRanges == [0..<2, 2..<2, 2..<5])
        #expect([Int]().consecutiveRanges == [])
    }

    @Test func rangesAreFilledUntilTheNextDoesNotFit() {
        #expect([3, 4, 2, 9, 1].ranges(filledUpTo: 7) == [0..<2, 2..<3, 3..<4, 4..<5])
        #expect([5, 5].ranges(filledUpTo: 10) == [0..<2])
        #expect([Int]().ranges(filledUpTo: 1) == [])
    }
}
