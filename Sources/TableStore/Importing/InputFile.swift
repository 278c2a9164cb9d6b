internal import Bytes
internal import Platform
internal import SystemPackage

/// A file of rows that is read from its beginning to its end; a pipe will do.
final class InputFile: Sendable {
    let path: [UInt8]
    private let descriptor: Descriptor
    private let offset = Monitor(UInt64(0))
    let isSeekable: Bool
    /// Bytes that there must be; what is appended meanwhile is read, too.
    private let size: UInt64
    /// Nil: bytes as they are.
    private let decoder: Monitor<TextDecoder>?
    /// Whether first bytes that are no text in UTF-8 are an error.
    private let isText: Bool
    private let progress: WorkProgress?

    private static let blockSize = 1 << 20

    /// Bytes as they are.
    convenience init(_ path: [UInt8], _ progress: WorkProgress? = nil) throws(TableStoreError) {
        try self.init(path, progress, isText: false, nil)
    }

    /// Text, in the encoding that was chosen or else in UTF-8.
    convenience init(
        text path: [UInt8], _ progress: WorkProgress? = nil, _ encoding: TextEncoding?
    ) throws(TableStoreError) {
        try self.init(path, progress, isText: true, encoding)
    }

    private init(
        _ path: [UInt8], _ progress: WorkProgress?, isText: Bool, _ encoding: TextEncoding?
    ) throws(TableStoreError) {
        let status: FileStatus
        do throws(PlatformError) {
            status = try FileStatus.following(path)
            descriptor = try Descriptor.open(path, [.readOnly])
            size = status.type == .regular ? try descriptor.status(path).size : 0
        } catch {
            throw TableStoreError(outside: error)
        }
        self.path = path
        self.progress = progress
        isSeekable = status.type == .regular
        decoder = encoding.map { Monitor(TextDecoder($0)) }
        self.isText = isText && encoding == nil
        guard status.type != .directory else {
            throw TableStoreError(.input, PathBytes.printable(path), "a directory, not a file")
        }
        descriptor.adviseSequential()
    }

    /// Appends the next bytes; false at the end.
    ///
    /// For one caller at a time.
    func read(into buffer: inout [UInt8]) throws(TableStoreError) -> Bool {
        let place = offset.withState { $0 }
        let block: [UInt8]
        do throws(PlatformError) {
            block =
                try isSeekable
                ? descriptor.read(Self.blockSize, at: place, path)
                : descriptor.readSome(Self.blockSize, path)
        } catch {
            throw TableStoreError(outside: error)
        }
        // A false end would leave out rows without a word.
        guard !block.isEmpty || !isSeekable || place >= size else {
            throw TableStoreError(outside: PlatformError("read", path, .ioError))
        }
        if place == 0, isText, let problem = FileSignature.problem(block[...]) {
            throw TableStoreError(.input, "", problem)
        }
        offset.withState { $0 = place + UInt64(block.count) }
        progress?.update { $0.bytesDone += UInt64(block.count) }
        guard let decoder else {
            buffer += block
            return !block.isEmpty
        }
        return try decode(block, decoder, place, into: &buffer)
    }

    private func decode(
        _ block: [UInt8], _ decoder: Monitor<TextDecoder>, _ place: UInt64,
        into buffer: inout [UInt8]
    ) throws(TableStoreError) -> Bool {
        var text: [UInt8] = []
        let isRight = decoder.withState { decoder in
            block.isEmpty ? decoder.isComplete : decoder.decode(block, into: &text)
        }
        guard isRight else {
            throw TableStoreError(
                .input, "",
                "between byte \(place + 1) and \(place + UInt64(block.count)): no text in the "
                    + "encoding that was chosen")
        }
        buffer += text
        return !block.isEmpty
    }
}
