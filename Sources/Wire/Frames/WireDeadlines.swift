/// How long a side waits; the peer cannot change it.
package struct WireDeadlines: Sendable {
    /// For the client's hello, all of it.
    package var handshake: Duration = .seconds(30)
    /// For the next bytes of a client that has nothing to say; clients say `ping` long before.
    package var idle: Duration = .seconds(900)
    /// For a peer to take what is sent to it, or to send what it owes.
    package var stall: Duration = .seconds(300)
    /// After so long without a word from the server the client says `ping`.
    package var ping: Duration = .seconds(30)
    /// For the server to end by itself when the client has nothing more to ask.
    package var goodbye: Duration = .seconds(2)

    package static let standard = WireDeadlines()

    package init() {}
}
