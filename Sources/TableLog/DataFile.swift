package import Parquet

internal import Bytes

extension CommitLog {
    /// Opens a data file of the table.
    ///
    /// Throws `.damaged` when it has another size than the log says.
    package func open(
        _ file: AddFile, limits: ReaderLimits = ReaderLimits()
    ) throws(TableLogError) -> ParquetFile {
        let path = try DataPath.decode(file.path)
        let source = try directory.open(path)
        guard source.size == file.size else {
            throw TableLogError(.damaged, path.string, "\(source.size) bytes, not \(file.size)")
        }
        do throws(ParquetError) {
            return try ParquetFile(source, limits: limits)
        } catch {
            throw TableLogError(error, path.string)
        }
    }

    /// The rows of a data file that are deleted, counted through all of its row groups; nil when
    /// none is.
    package func deletedRows(
        of file: AddFile, rowCount: Int64
    ) throws(TableLogError) -> RowSelection? {
        guard let reference = file.deletionVector else { return nil }
        return try DeletionVector.read(reference, in: directory, rowCount: rowCount)
    }
}
