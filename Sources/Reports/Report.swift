package import JSON

/// What a command says when it is done: lines for people, documents for programs.
///
/// Whoever prints decides which: the command line by `--json`, `--quiet` and `--verbose`.
package struct Report: Sendable {
    /// For programs, a line each; a summary comes last.
    package var documents: [JSONValue] = []
    /// What its reader must know, whatever the options say.
    package var warnings: [Message] = []
    /// What is told only to those who asked for more.
    package var remarks: [Message] = []
    /// What was asked for.
    package var results: [String] = []
    /// How it went; left out for those who want quiet.
    package var summary: [String] = []
    /// Said in place of results that there are none of; left out for those who want quiet.
    package var absence: Message?

    /// A report that says nothing.
    package init() {}

    /// A report that is a document for programs and the same as lines for people.
    package init(_ document: JSONValue, results: [String] = [], summary: [String] = []) {
        documents = [document]
        self.results = results
        self.summary = summary
    }
}

/// Something worth a warning: what it is, and details on lines below it.
package struct Message: Equatable, Sendable {
    /// One line.
    package var text: String
    /// Lines below it, if any.
    package var details: [String]

    /// A message; whoever prints it puts the name of the program before it.
    package init(_ text: String, _ details: [String] = []) {
        self.text = text
        self.details = details
    }

    /// As an object of the type "note".
    package var document: JSONValue {
        let object: JSONObject = ["type": "note", "message": .string(text)]
        return object.value
    }
}
