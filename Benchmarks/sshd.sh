# shellcheck shell=bash
# Sourced by run.sh and peers.sh, which set `scratch`: an sshd on 127.0.0.1 with keys, configuration
# and a port of its own, for tools that push to another host. In the configuration of ssh that all of
# them are given it is the host `standby`.
: "${scratch:?}"
sshd_pid=
made_run_sshd=false

# start_sshd: unless it runs. Ends the script where it cannot be.
start_sshd() {
    local sshd port tries
    if [[ -n $sshd_pid ]]; then return; fi
    sshd=$(PATH=$PATH:/usr/sbin:/sbin command -v sshd) || {
        echo "sshd is not installed, and pushing needs it" >&2
        exit 1
    }
    mkdir "$scratch/ssh"
    ssh-keygen -q -t ed25519 -N '' -f "$scratch/ssh/host_key"
    ssh-keygen -q -t ed25519 -N '' -f "$scratch/ssh/key"
    if [[ $(id -u) -eq 0 && ! -d /run/sshd ]]; then
        mkdir -m 755 /run/sshd
        made_run_sshd=true
    fi
    for ((tries = 0; tries < 20; tries++)); do
        port=$((20000 + RANDOM))
        write_ssh_configuration "$port"
        "$sshd" -f "$scratch/ssh/sshd_config" -D -e 2>"$scratch/ssh/log" &
        sshd_pid=$!
        sleep 0.5
        if ssh -F "$scratch/ssh/config" standby true 2>>"$scratch/ssh/log"; then break; fi
        stop_sshd
    done
    if [[ -z $sshd_pid ]]; then
        cat "$scratch/ssh/log" >&2
        echo "the sshd of the benchmark does not work (above)" >&2
        exit 1
    fi
    export VARVE_SSH_COMMAND="ssh -F '$scratch/ssh/config'"
    export BORG_RSH="ssh -F '$scratch/ssh/config'" RSYNC_RSH="ssh -F '$scratch/ssh/config'"
}
stop_sshd() {
    if [[ -n $sshd_pid ]]; then
        kill "$sshd_pid" 2>/dev/null || true
        wait "$sshd_pid" 2>/dev/null || true
    fi
    sshd_pid=
    if $made_run_sshd; then rmdir /run/sshd || true; fi
    made_run_sshd=false
}

write_ssh_configuration() {
    cat >"$scratch/ssh/sshd_config" <<S
Port $1
ListenAddress 127.0.0.1
HostKey "$scratch/ssh/host_key"
AuthorizedKeysFile "$scratch/ssh/key.pub"
PidFile none
StrictModes no
UsePAM no
PasswordAuthentication no
KbdInteractiveAuthentication no
PermitRootLogin prohibit-password
Subsystem sftp internal-sftp
S
    cat >"$scratch/ssh/config" <<S
Host standby
    HostName 127.0.0.1
    Port $1
    IdentityFile "$scratch/ssh/key"
    IdentitiesOnly yes
    UserKnownHostsFile "$scratch/ssh/known_hosts"
    GlobalKnownHostsFile none
    BatchMode yes
S
    echo "[127.0.0.1]:$1 $(cat "$scratch/ssh/host_key.pub")" >"$scratch/ssh/known_hosts"
}
