// Content hashes: which bytes they are of, and that they survive the wire.

import Testing
import Trainer

@Suite struct ContentHashTests {
    /// hashlib.sha256(b"abc").hexdigest()[:32]
    @Test func isTheBeginOfTheSHA256OfTheBytes() {
        let hex = ContentHash(of: Array("abc".utf8)).bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
        #expect(hex == "ba7816bf8f01cfea414140de5dae2223")
    }

    @Test func tellsBytesApartThatStringsHoldForEqual() {
        let composed = "caf\u{E9}"
        let decomposed = "cafe\u{301}"
        #expect(composed == decomposed)
        #expect(ContentHash(of: Array(composed.utf8)) != ContentHash(of: Array(decomposed.utf8)))
    }

    @Test func survivesTheWire() {
        let hash = ContentHash(of: Array("a text".utf8))
        #expect(hash.bytes.count == ContentHash.byteCount)
        #expect(ContentHash(bytes: hash.bytes) == hash)
        #expect(ContentHash(bytes: hash.bytes[...]).hashValue == hash.hashValue)
    }
}
