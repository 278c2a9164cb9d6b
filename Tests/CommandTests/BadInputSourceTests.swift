import Platform
import Testing
import TestSupport

/// Sources and targets that an ordinary user may not read or write.
///
/// Root runs the program as
/// "nobody", to whom permissions mean something; anybody else as himself.
@Suite struct BadInputSourceTests {
    private static let user =
        HostSystem.isRoot
        ? "setpriv --reuid=65534 --regid=65534 --clear-groups --inh-caps=-all" : ""

    /// Runs a script whose `$varve` is run by the user; "store" and "repo" are his.
    private func run(_ script: String) throws -> Finished {
        try Workshop().shell(
            """
            set -u
            user() { \(Self.user) "$@"; }
            \(HostSystem.isRoot ? "chmod 755 . && chown 65534:65534 ." : "")
            user mkdir store store/open store/closed
            for file in plain secret open/file closed/file; do
                echo "$file" | user tee store/$file >/dev/null
            done
            user "$varve" init -q -r repo || exit 90
            \(script)
            """
        )
    }

    @Test(.needs("setpriv"))
    func `What may not be read is listed and the rest is kept`() throws {
        let finished = try run(
            """
            chmod 0 store/secret store/closed
            user "$varve" snapshot -r repo store >out 2>error
            [[ $? == 3 ]] || exit 91
            grep -q secret error && grep -q closed error || exit 92
            user "$varve" ls -R latest -r repo
            user "$varve" check -q -r repo --read-data || exit 93
            user "$varve" show latest -r repo | grep -q 'complete  *no' || exit 94
            chmod 700 store/secret store/closed
            user "$varve" snapshot -q -r repo store || exit 95
            user "$varve" restore -q -r repo latest --target target || exit 96
            diff -r store target || exit 97
            """
        )
        #expect(finished.status == 0, "\(finished.text) \(finished.errorText)")
        #expect(finished.text == "closed\nopen\nopen/file\nplain\n")
    }

    /// A restore over the source must not take the absence of what could not be read for its end.
    @Test(.needs("setpriv"))
    func `A restore over the source that deletes spares what was not read`() throws {
        let finished = try run(
            """
            chmod 0 store/secret store/closed
            user "$varve" snapshot -q -r repo store
            [[ $? == 3 ]] || exit 91
            user touch store/more store/open/more
            user "$varve" restore -q -r repo latest --target store --delete
            [[ $? == 0 || $? == 3 ]] || exit 92
            [[ -e store/secret ]] || exit 93
            [[ ! -e store/more && ! -e store/open/more ]] || exit 94
            chmod 700 store/secret store/closed
            cat store/secret store/closed/file
            """
        )
        #expect(finished.status == 0, "\(finished.text) \(finished.errorText)")
        #expect(finished.text == "secret\nclosed/file\n")
    }

    @Test(.needs("setpriv"))
    func `A user restores over what even he may not write`() throws {
        let finished = try run(
            """
            chmod 400 store/plain store/open/file
            chmod 500 store/open
            user "$varve" snapshot -q -r repo store || exit 91
            for policy in always if-changed always; do
                user "$varve" restore -q -r repo latest --target target --overwrite $policy ||
                    exit 92
                diff -r store target || exit 93
                [[ $(stat -c %a target/open target/open/file target/plain | xargs) \\
                    == "500 400 400" ]] || exit 94
                chmod u+w target/plain && echo other >>target/plain && chmod 200 target/plain
            done
            chmod 700 store/open target/open
            """
        )
        #expect(finished.status == 0, "\(finished.text) \(finished.errorText)")
    }

    @Test func `A source that is not there is named, with what that means`() throws {
        let workshop = try Workshop()
        _ = try workshop.shell("mkdir store; $varve init -q -r repo")
        let result = try workshop.varve("snapshot", "store", "nothing", "-r", "repo")
        #expect(result.status == 1)
        #expect(result.errorText.contains("nothing"))
        #expect(result.errorText.split(separator: "\n").count == 3)
        #expect(try workshop.varve("list", "-r", "repo", "--json").text == "[]\n")
    }
}
