package import Bytes

/// What a reader and a writer of the table must understand.
package struct ProtocolAction: Equatable, Sendable {
    package var readerVersion: Int
    package var writerVersion: Int
    /// Nil below reader version 3.
    package var readerFeatures: [ExactText]?
    /// Nil below writer version 7.
    package var writerFeatures: [ExactText]?

    package init(
        readerVersion: Int, writerVersion: Int, readerFeatures: [ExactText]? = nil,
        writerFeatures: [ExactText]? = nil
    ) {
        self.readerVersion = readerVersion
        self.writerVersion = writerVersion
        self.readerFeatures = readerFeatures
        self.writerFeatures = writerFeatures
    }
}

/// What the table is: its schema, partitions and settings.
package struct TableMetadata: Equatable, Sendable {
    package var id: ExactText
    package var name: ExactText?
    package var description: ExactText?
    /// The schema as JSON text.
    package var schemaText: ExactText
    package var partitionColumns: [ExactText]
    package var configuration: [ExactText: ExactText]
    /// Milliseconds since 1970.
    package var createdTime: Int64?

    package init(id: ExactText, schemaText: ExactText, partitionColumns: [ExactText] = []) {
        self.id = id
        self.schemaText = schemaText
        self.partitionColumns = partitionColumns
        configuration = [:]
    }
}

/// Where the rows of a file that are deleted are listed.
package struct DeletionVectorReference: Hashable, Sendable {
    /// `u`: a file named by a UUID in the table, `p`: an absolute path, `i`: in `place` itself.
    package var storage: ExactText
    package var place: ExactText
    package var offset: Int64?
    package var size: Int64
    package var cardinality: Int64

    /// What tells two of them apart in the log.
    var id: ExactText { "\(storage)\(place)\(offset.map { "@\($0)" } ?? "")" }
}

/// What tells files of a table apart: the same path may come with another deletion vector.
package struct FileKey: Hashable, Sendable {
    package var path: ExactText
    package var deletionVector: ExactText?
}

/// A data file that belongs to the table.
package struct AddFile: Equatable, Sendable {
    /// As it stands in the log: a URI, percent-encoded.
    package var path: ExactText
    package var partitionValues: [ExactText: ExactText?]
    package var size: Int64
    /// Milliseconds since 1970.
    package var modificationTime: Int64
    package var dataChange: Bool
    /// Statistics as JSON text.
    package var statistics: ExactText?
    package var tags: [ExactText: ExactText?]?
    package var deletionVector: DeletionVectorReference?

    package init(
        path: ExactText, partitionValues: [ExactText: ExactText?] = [:], size: Int64,
        modificationTime: Int64, dataChange: Bool = true, statistics: ExactText? = nil
    ) {
        self.path = path
        self.partitionValues = partitionValues
        self.size = size
        self.modificationTime = modificationTime
        self.dataChange = dataChange
        self.statistics = statistics
    }

    package var key: FileKey { FileKey(path: path, deletionVector: deletionVector?.id) }

    /// The action that takes the file out of the table.
    package func removed(at time: Int64, dataChange: Bool = true) -> RemoveFile {
        RemoveFile(
            path: path, deletionTimestamp: time, dataChange: dataChange,
            partitionValues: partitionValues, size: size, deletionVector: deletionVector)
    }
}

/// A data file that belonged to the table.
package struct RemoveFile: Equatable, Sendable {
    package var path: ExactText
    /// Milliseconds since 1970.
    package var deletionTimestamp: Int64?
    package var dataChange: Bool
    package var partitionValues: [ExactText: ExactText?]?
    package var size: Int64?
    package var deletionVector: DeletionVectorReference?

    package var key: FileKey { FileKey(path: path, deletionVector: deletionVector?.id) }
}

/// How far an application has written, so that it does not write twice.
package struct TransactionAction: Equatable, Sendable {
    package var application: ExactText
    package var version: Int64
    package var lastUpdated: Int64?

    package init(application: ExactText, version: Int64, lastUpdated: Int64? = nil) {
        self.application = application
        self.version = version
        self.lastUpdated = lastUpdated
    }
}

/// Settings of a part of a system that is not known here.
package struct DomainAction: Equatable, Sendable {
    package var domain: ExactText
    package var configuration: ExactText
    package var isRemoved: Bool
}

/// One line of a commit.
package enum LogAction: Equatable, Sendable {
    case protocolVersion(ProtocolAction)
    case metadata(TableMetadata)
    case add(AddFile)
    case remove(RemoveFile)
    case transaction(TransactionAction)
    case domain(DomainAction)
    /// A file of changed rows; readers of the table pass over it.
    case change(path: ExactText)
    /// A further file of a checkpoint.
    case sidecar(path: ExactText)
    /// Who did what, in free form, as JSON text.
    case commitInfo(ExactText)
}
