// SHA-256 (FIPS 180-4) by libcrypto, which uses the processor's own instructions: about 1.8 GB/s.

import CCrypto

/// A hash being computed.
///
///     var hash = SHA256()
///     hash.update(bytes)
///     let digest = SHA256.hex(hash.finalize())
package struct SHA256: ~Copyable {
    /// Bytes of a hash.
    package static let digestLength = 32

    private let context: OpaquePointer

    /// Creates the hash of nothing.
    package init() {
        guard let context = EVP_MD_CTX_new() else { preconditionFailure("SHA-256: out of memory") }
        self.context = context
        start()
    }

    deinit { EVP_MD_CTX_free(context) }

    private func start() {
        precondition(EVP_DigestInit_ex(context, EVP_sha256(), nil) == 1, "SHA-256: libcrypto does not offer it")
    }

    /// Takes more bytes.
    package mutating func update(_ bytes: UnsafeRawBufferPointer) {
        precondition(EVP_DigestUpdate(context, bytes.baseAddress, bytes.count) == 1, "SHA-256: update failed")
    }

    /// Takes more bytes, which something else holds.
    package mutating func update(_ bytes: RawSpan) { bytes.withUnsafeBytes { update($0) } }

    /// Takes more bytes.
    package mutating func update(_ bytes: some Collection<UInt8>) {
        if bytes.withContiguousStorageIfAvailable({ update(UnsafeRawBufferPointer($0)) }) == nil {
            Array(bytes).withUnsafeBytes { update($0) }
        }
    }

    /// The hash of all bytes so far. A new hash begins.                    [32]
    package mutating func finalize() -> [UInt8] {
        var digest = [UInt8](repeating: 0, count: Self.digestLength)
        precondition(EVP_DigestFinal_ex(context, &digest, nil) == 1, "SHA-256: final failed")
        start()
        return digest
    }

    /// The hash of some bytes.                                      [32]
    package static func hash(of bytes: UnsafeRawBufferPointer) -> [UInt8] {
        var hash = SHA256()
        hash.update(bytes)
        return hash.finalize()
    }

    /// The hash of bytes that something else holds.                 [32]
    package static func hash(of bytes: RawSpan) -> [UInt8] { bytes.withUnsafeBytes { hash(of: $0) } }

    /// The hash of some bytes.                                      [32]
    package static func hash(of bytes: some Collection<UInt8>) -> [UInt8] {
        var hash = SHA256()
        hash.update(bytes)
        return hash.finalize()
    }

    /// A hash in lower-case hexadecimal, two digits a byte.
    package static func hex(_ digest: some Sequence<UInt8>) -> String {
        let digits = Array("0123456789abcdef".utf8)
        return String(decoding: digest.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }, as: UTF8.self)
    }
}
