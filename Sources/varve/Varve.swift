internal import ArgumentParser

/// The command line's root: names the commands.
struct Varve: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "varve",
        abstract: "Takes snapshots of stores into a repository, and brings every byte back.",
        discussion: """
            A store is any directory. A repository holds the snapshots of any number of stores; \
            what did not change is stored once.

            Examples:
              varve init --repo /backup/repo
              varve snapshot /data/store --repo /backup/repo
              varve list --repo /backup/repo
              varve restore latest --repo /backup/repo --target /data/store
              varve snapshot /data/store --repo ssh://backup@nas/srv/repo

            A repository is a directory, here or on another host that ssh reaches and where varve \
            is installed: ssh://[user@]host[:port]/path or host:path. VARVE_REPO \
            names it where --repo does not.

            A snapshot is named by the beginning of its id, by "latest", by "latest~2" for the \
            second before it, or by a time: "@2026-11-20" is the newest one not later than that \
            day, "@2026-11-20T03:00" not later than that minute. Where a path belongs to it, it \
            follows a colon: latest:tables/orders.

            Exit status: 0 done; 1 failed, nothing changed; 2 wrong usage; 3 done in part, what is \
            missing is listed; 10 there is no repository; 11 held by another process; 12 wrong \
            key; 130 or 143 interrupted.
            """,
        version: Version.text,
        subcommands: [
            InitCommand.self, SnapshotCommand.self, ListCommand.self, ShowCommand.self,
            LsCommand.self, TablesCommand.self, CatCommand.self, FindCommand.self, DiffCommand.self,
            RestoreCommand.self, CheckCommand.self, StatsCommand.self,
            SendCommand.self, ReceiveCommand.self, PushCommand.self, PullCommand.self,
            SyncCommand.self, ServeCommand.self, ReplicateCommand.self, WatchCommand.self,
            MigrateCommand.self, TableCommand.self, VersionCommand.self,
        ]
    )
}

/// What this program calls itself.
enum Version {
    static let number = "0.1.0"
    static let text = "varve \(number)"
}
