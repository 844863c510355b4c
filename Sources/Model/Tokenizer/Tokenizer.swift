// Text to token ids, the stages joined: added tokens are taken out, what lies between is normalised, split into words,
// and each word's bytes are merged. Identical to the reference on every input; the parts say where the rules come from.

import Files
import Synchronization

/// The tokenizer of a checkpoint.
///
///     let tokenizer = try Tokenizer(path: "model/tokenizer.json")
///     let ids = tokenizer.encode("Query: how do whales sleep?")
///
/// Adds nothing to the text: no prefix, no end token. Safe to use from many threads at once; ids do not depend on what was
/// encoded before.
package final class Tokenizer: Sendable {
    /// Highest id + 1, added tokens included.
    package let vocabularySize: Int

    /// SHA-256 of its file: equal ones give equal ids.              [32]
    package let fingerprint: [UInt8]

    private let normalizes: Bool
    private let addedTokens: [AddedToken]
    /// Finds added tokens in the text as it came, and in normalised text.
    private let rawMatcher: AddedTokenMatcher
    private let normalizedMatcher: AddedTokenMatcher
    private let bytePairs: BytePairEncoding
    /// Those that no call uses now: as many as calls ever ran at once. Words met by one call are known to the next.
    private let idleCaches = Mutex<[WordCache]>([])

    /// Reads a `tokenizer.json` of Hugging Face's `tokenizers`.
    ///
    /// - Throws: `UserError` `.missing` when there is no such file; `.content`, with line and key, when it is malformed or asks
    ///   for anything that this tokenizer does not do exactly as the reference does
    package init(path: String) throws(UserError) {
        let file = try TokenizerFile(path: path)
        fingerprint = file.fingerprint
        normalizes = file.normalizes
        addedTokens = file.addedTokens
        bytePairs = file.bytePairs
        vocabularySize = max(file.vocabularyCount, (file.addedTokens.map { Int($0.id) + 1 }.max() ?? 0))
        rawMatcher = AddedTokenMatcher(addedTokens.filter { !$0.isNormalized })
        normalizedMatcher = AddedTokenMatcher(
            addedTokens.filter(\.isNormalized).map { token in
                var token = token
                if file.normalizes { token.content = Normalizer.normalized(token.content) }
                return token
            })
    }

    /// The id of an added token, by its exact text.
    package func id(of addedToken: String) -> Int32? {
        addedTokens.first { $0.content.utf8.elementsEqual(addedToken.utf8) }?.id
    }

    /// The ids of a text.
    package func encode(_ text: String) -> [Int32] {
        var text = text
        return text.withUTF8 { encode($0) }
    }

    /// - Parameter utf8: valid UTF-8, which readers of files have checked; what else it holds gets some id or other.
    package func encode(_ utf8: UnsafeBufferPointer<UInt8>) -> [Int32] {
        var cache = idleCaches.withLock { $0.popLast() } ?? WordCache()
        var ids: [Int32] = []
        ids.reserveCapacity(utf8.count / 3 + 1)
        rawMatcher.forEachPiece(of: utf8) { piece in
            switch piece {
            case .token(let id): ids.append(id)
            case .plain(let range): encodePlain(UnsafeBufferPointer(rebasing: utf8[range]), into: &ids, &cache)
            }
        }
        idleCaches.withLock { $0.append(cache) }
        return ids
    }

    /// Normalises if need be.
    private func encodePlain(_ text: UnsafeBufferPointer<UInt8>, into ids: inout [Int32], _ cache: inout WordCache) {
        if !normalizes || Normalizer.isNormalized(text) { return encodeNormalized(text, into: &ids, &cache) }
        Normalizer.normalized(text).withUnsafeBufferPointer { encodeNormalized($0, into: &ids, &cache) }
    }

    private func encodeNormalized(_ text: UnsafeBufferPointer<UInt8>, into ids: inout [Int32], _ cache: inout WordCache) {
        normalizedMatcher.forEachPiece(of: text) { piece in
            switch piece {
            case .token(let id): ids.append(id)
            case .plain(let range): encodeWords(UnsafeBufferPointer(rebasing: text[range]), into: &ids, &cache)
            }
        }
    }

    private func encodeWords(_ text: UnsafeBufferPointer<UInt8>, into ids: inout [Int32], _ cache: inout WordCache) {
        var words = PreTokenizer(text)
        while let word = words.next() {
            guard word.count <= WordCache.maximumBytes else {
                bytePairs.encode(UnsafeBufferPointer(rebasing: text[word]), into: &ids)
                continue
            }
            let key = WordCache.Key(text, word)
            if cache.append(key, to: &ids) { continue }
            let start = ids.count
            bytePairs.encode(UnsafeBufferPointer(rebasing: text[word]), into: &ids)
            cache.insert(key, ids[start...])
        }
    }
}
