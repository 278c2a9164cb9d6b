/// Lets several owners hold one value that cannot be copied, such as an open file.
///
/// The value ends (a descriptor is closed) with its last owner.
package final class Shared<Value: ~Copyable> {
    /// What is shared.
    package let value: Value

    /// Takes the value over.
    package init(_ value: consuming Value) { self.value = value }
}

extension Shared: Sendable where Value: ~Copyable, Value: Sendable {}
