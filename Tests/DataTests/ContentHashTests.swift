// Content hashes: which bytes they are of, and that they survive the wire.

import Data
import Support
import Testing

@Suite struct ContentHashTests {
    /// hashlib.sha256(b"abc").hexdigest()[:32]
    @Test func isTheBeginOfTheSHA256OfTheBytes() {
        let hash = ContentHash(of: Array("abc".utf8))
        #expect(UInt64(bitPattern: hash.high) == 0xba78_16bf_8f01_cfea)
        #expect(UInt64(bitPattern: hash.low) == 0x4141_40de_5dae_2223)
    }

    @Test func tellsBytesApartThatStringsHoldForEqual() {
        let composed = "caf\u{E9}"
        let decomposed = "cafe\u{301}"
        #expect(composed == decomposed)
        #expect(ContentHash(of: Array(composed.utf8)) != ContentHash(of: Array(decomposed.utf8)))
    }
}
