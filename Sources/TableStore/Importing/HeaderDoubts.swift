/// Sees from the first line of CSV that it is likely to be read in a way that was not meant.
enum HeaderDoubts {
    private static let delimiters: [(byte: UInt8, option: String)] = [
        (UInt8(ascii: ";"), "';'"), (UInt8(ascii: "\t"), "tab"), (UInt8(ascii: "|"), "'|'"),
        (UInt8(ascii: ","), "','"),
    ]

    /// Throws when the line is a single field that another delimiter would split, unless the
    /// delimiter was chosen.
    static func check(delimiter reader: CSVReader, _ options: ImportOptions) throws(TableStoreError)
    {
        guard options.delimiter == nil, reader.fields.count == 1, !reader.fields[0].isQuoted,
            let found = delimiters.first(where: { reader.text(0).contains($0.byte) })
        else { return }
        throw TableStoreError(
            .header, "",
            "line 1 is a single field: --delimiter \(found.option) would split it")
    }

    /// Throws when there are numbers or dates where names of columns should stand.
    static func check(names reader: CSVReader) throws(TableStoreError) {
        for field in reader.fields.indices {
            let text = reader.text(field)
            guard FloatText.parse(text) != nil || TimeText.parseTimestamp(text) != nil else {
                continue
            }
            throw TableStoreError(
                .header, "",
                "line 1 has \(String(decoding: text, as: UTF8.self)) where the name of a column "
                    + "should stand: --no-header takes the line for a row, --header for names all "
                    + "the same")
        }
    }
}
