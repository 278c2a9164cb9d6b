internal import ArgumentParser
internal import Bytes
internal import Platform

/// A path, pattern or name, as the bytes that were typed.
struct ByteArgument: ExpressibleByArgument {
    let bytes: [UInt8]

    init?(argument: String) { bytes = LosslessText.decode(argument) }

    var printable: String { PathBytes.printable(bytes) }
}

/// Text in UTF-8, as it was typed: characters by which `LosslessText` carries other bytes too.
struct TextArgument: ExpressibleByArgument {
    let text: ExactText

    init?(argument: String) {
        guard let text = ExactText(utf8: LosslessText.decode(argument)) else { return nil }
        self.text = text
    }
}

/// A number of bytes such as 512, 64K, 1.5G or 10MB.
struct SizeArgument: ExpressibleByArgument {
    let count: ByteCount

    init?(argument: String) {
        guard let count = ByteCount(parsing: argument) else { return nil }
        self.count = count
    }
}

/// A moment: a date, a date with a time of day, or "@" and seconds since 1970.
struct TimeArgument: ExpressibleByArgument {
    let moment: Timestamp

    init?(argument: String) {
        if argument.hasPrefix("@") {
            guard let seconds = Int64(argument.dropFirst()) else { return nil }
            moment = Timestamp(seconds: seconds, nanoseconds: 0)
        } else {
            guard let time = CivilTime(parsing: argument) else { return nil }
            moment = time.moment()
        }
    }
}
