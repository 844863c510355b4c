// SHA-256 (FIPS 180-4) by libcrypto, which uses the processor's own instructions: about 1.8 GB/s.

import CCrypto

/// A hash being computed.
///
///     var hash = SHA256()
///     hash.update(bytes)
///     let digest = SHA256.hex(hash.finalize())
package struct SHA256: ~Copyable {
    /// Number of bytes of a hash.
    package static let digestLength = 32

    private let context: OpaquePointer

    /// Begins a hash.
    package init() {
        guard let context = EVP_MD_CTX_new() else { preconditionFailure("SHA-256: out of memory") }
        self.context = context
        start()
    }

    deinit { EVP_MD_CTX_free(context) }

    private func start() {
        precondition(EVP_DigestInit_ex(context, EVP_sha256(), nil) == 1, "SHA-256: libcrypto does not offer it")
    }

    /// Adds bytes to what is hashed.
    package mutating func update(_ bytes: UnsafeRawBufferPointer) {
        precondition(EVP_DigestUpdate(context, bytes.baseAddress, bytes.count) == 1, "SHA-256: update failed")
    }

    /// Adds bytes to what is hashed.
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

    /// The hash of some bytes.                                             [32]
    package static func hash(of bytes: UnsafeRawBufferPointer) -> [UInt8] {
        var hash = SHA256()
        hash.update(bytes)
        return hash.finalize()
    }

    /// The hash of some bytes.                                             [32]
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
