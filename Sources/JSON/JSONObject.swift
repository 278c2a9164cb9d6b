internal import Bytes

/// The members of a JSON object, put together in order.
package struct JSONObject: ExpressibleByDictionaryLiteral, Equatable, Sendable {
    /// In the order in which they were set.
    package private(set) var members: [JSONValue.Member] = []

    /// An object without members.
    package init() {}

    /// An object with these members, in this order.
    package init(dictionaryLiteral elements: (String, JSONValue)...) {
        members = elements.map { JSONValue.Member(ExactText($0.0), $0.1) }
    }

    /// The object as a value.
    package var value: JSONValue { .object(members) }

    /// Reads a member, null when there is none; setting appends one, and never replaces.
    package subscript(name: String) -> JSONValue {
        get { members.last { $0.name == ExactText(name) }?.value ?? .null }
        set { members.append(JSONValue.Member(ExactText(name), newValue)) }
    }

    /// Appends the members of another object.
    package mutating func append(_ other: JSONObject) { members += other.members }
}

extension JSONValue: ExpressibleByStringLiteral {
    /// A text.
    package init(stringLiteral value: String) { self = .string(value) }
}

extension JSONValue: ExpressibleByBooleanLiteral {
    /// A truth value.
    package init(booleanLiteral value: Bool) { self = .bool(value) }
}
