// Arguments are bytes, ArgumentParser takes strings, and a Swift string cannot hold what is not
// UTF-8. So a byte b that is part of no character is sent as U+10FF00 + b, a private plane; bytes
// that spell such a code point travel byte by byte too, which makes the way back unambiguous.

/// Carries any bytes through a `String`.
enum LosslessText {
    private static let base: UInt32 = 0x10FF00
    private static let reserved = base...base + 0xFF

    static func encode(_ bytes: [UInt8]) -> String {
        let text = String(decoding: bytes, as: UTF8.self)
        if text.utf8.elementsEqual(bytes), !hasReserved(text) { return text }
        var scalars = String.UnicodeScalarView()
        var rest = bytes[...]
        while let first = rest.first {
            var iterator = rest.makeIterator()
            var decoder = UTF8()
            if case .scalarValue(let scalar) = decoder.decode(&iterator),
                !reserved.contains(scalar.value)
            {
                scalars.append(scalar)
                rest = rest.dropFirst(UTF8.width(scalar))
            } else {
                if let carrier = Unicode.Scalar(base + UInt32(first)) { scalars.append(carrier) }
                rest = rest.dropFirst()
            }
        }
        return String(scalars)
    }

    static func decode(_ text: some StringProtocol) -> [UInt8] {
        guard hasReserved(text) else { return Array(text.utf8) }
        return text.unicodeScalars.flatMap { scalar in
            reserved.contains(scalar.value)
                ? [UInt8(scalar.value - base)] : Array(String(scalar).utf8)
        }
    }

    private static func hasReserved(_ text: some StringProtocol) -> Bool {
        text.unicodeScalars.contains { reserved.contains($0.value) }
    }
}
