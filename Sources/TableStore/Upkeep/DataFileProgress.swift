internal import Bytes
internal import Platform
internal import TableLog

extension WorkProgress {
    /// Notes the data files that work goes through.
    func begin(_ files: [AddFile]) {
        update { counters in
            counters.filesFound = UInt64(files.count)
            counters.bytesFound = files.reduce(0) { $0.addingClamped(UInt64(clamping: $1.size)) }
            counters.isTotalKnown = true
        }
    }

    func finish(_ file: AddFile) {
        update { counters in
            counters.filesDone += 1
            counters.bytesDone = counters.bytesDone.addingClamped(UInt64(clamping: file.size))
            counters.currentPath = Array(file.path.utf8)
        }
    }
}
