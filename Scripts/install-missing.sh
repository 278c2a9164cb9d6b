#!/usr/bin/env bash
# install-missing.sh build|check|test|demo|bench|spark ...: installs with apt what those tasks need and
# what is not there yet, through sudo when not root, and for the tests Python packages with pip into
# .build-python. Says nothing and touches nothing when all is there.
set -euo pipefail
PATH=$PATH:/usr/sbin:/sbin

# need PACKAGE TEST...: notes the package when the test fails.
missing=()
need() {
    local package=$1
    shift
    "$@" >/dev/null 2>&1 || missing+=("$package")
}
command_exists() { command -v "$1"; }
library_exists() { command -v pkg-config && pkg-config --exists "$1"; }
venv_works() { python3 -c 'import ensurepip'; }
# What tests compare Parquet files and tables with; kept beside the other things that are built.
python=$(dirname "$0")/../.build-python
python_packages=(pyarrow duckdb polars deltalake)
# The newest DuckDB for which PyPI has the extension that reads Delta tables.
delta_packages=(duckdb==1.4.4 duckdb-ext-delta==1.4.4.20260205)
# The last line of Spark for which Java 17 is the newest.
spark_packages=(pyspark==3.5.8)

for_build() {
    need git command_exists git # SwiftPM fetches packages with it
    need ca-certificates test -e /etc/ssl/certs/ca-certificates.crt
    need pkg-config command_exists pkg-config
    need libxxhash-dev library_exists libxxhash
    need libzstd-dev library_exists libzstd
    need libssl-dev library_exists libcrypto
    need libsnappy-dev test -e /usr/include/snappy-c.h
    need liblz4-dev library_exists liblz4
    need zlib1g-dev library_exists zlib
}
for_check() {
    for_build
    need python3 command_exists python3
    need shellcheck command_exists shellcheck
}
for_demo() {
    for_build # sshd too if it is there; the demo says what it leaves out without it
    need attr command_exists setfattr
    need acl command_exists setfacl
}
for_test() {
    for_demo
    need e2fsprogs command_exists mkfs.ext4
    need mandoc command_exists mandoc
    need openssh-client command_exists ssh
    need openssh-server test -x /usr/sbin/sshd
    need procps command_exists pgrep
    need python3 command_exists python3
    need python3-venv venv_works
    need rsync command_exists rsync
    need strace command_exists strace
    need xxhash command_exists xxh128sum
    need zstd command_exists zstd
}
for_bench() {
    for_build
    need borgbackup command_exists borg
    need openssh-client command_exists ssh
    need openssh-server test -x /usr/sbin/sshd
    need python3 command_exists python3
    need python3-venv venv_works
    need restic command_exists restic
    need rsync command_exists rsync
    need time test -x /usr/bin/time
    need xdelta3 command_exists xdelta3
    need zstd command_exists zstd
}

for_spark() {
    for_test
    need openjdk-17-jre-headless command_exists java
}

tasks=$*
for task in "$@"; do
    case $task in
    build | check | demo | test | bench | spark) "for_$task" ;;
    *)
        echo "usage: install-missing.sh build|check|demo|test|bench|spark ..." >&2
        exit 2
        ;;
    esac
done

# pip_install OPTION... PACKAGE...: into .build-python.
pip_install() {
    "$python/bin/pip" install --quiet --disable-pip-version-check "$@"
}
# install_beside NAME PACKAGE...: packages that must not mix with the others, in a directory of their
# own.
install_beside() {
    local place=$python/$1
    shift
    [[ ! -d $place ]] || return 0
    echo "Installing $* into ${place##*/../}" >&2
    rm -rf "$place.new"
    pip_install --target "$place.new" "$@"
    mv "$place.new" "$place"
}
# install_python_packages: where the tests need them, once.
install_python_packages() {
    local package
    [[ " $tasks " == *" test "* || " $tasks " == *" spark "* ]] || return 0
    for package in "${python_packages[@]}"; do
        "$python/bin/python3" -c "import $package" >/dev/null 2>&1 && continue
        echo "Installing ${python_packages[*]} into .build-python" >&2
        python3 -m venv "$python"
        pip_install "${python_packages[@]}"
        break
    done
    install_beside duckdb-delta "${delta_packages[@]}"
    [[ " $tasks " != *" spark "* ]] || install_beside spark "${spark_packages[@]}"
}
if [[ ${#missing[@]} -eq 0 ]]; then
    install_python_packages
    exit 0
fi
mapfile -t missing < <(printf '%s\n' "${missing[@]}" | sort -u)

# stop WHY: names what is missing, for whoever has to install it by hand.
stop() {
    echo "Missing: ${missing[*]} (names of Debian packages). $1" >&2
    exit 1
}
command -v apt-get >/dev/null || stop "There is no apt-get here: install them by other means."
root=()
if [[ $(id -u) -ne 0 ]]; then
    command -v sudo >/dev/null || stop "Neither root nor sudo: have them installed."
    root=(sudo)
fi

echo "Installing ${missing[*]}" >&2
log=$(mktemp)
trap 'rm -f "$log"' EXIT
# apt_get ARGUMENT...: quiet, unless it fails.
apt_get() {
    "${root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -y -qq "$@" >"$log" 2>&1 && return
    cat "$log" >&2
    stop "apt-get ${1} failed (above)."
}
apt_get update
apt_get install --no-install-recommends "${missing[@]}"
# Tests and benchmarks run an sshd of their own. The package would let this host be logged in to.
if [[ " ${missing[*]} " == *' openssh-server '* ]] && command -v systemctl >/dev/null; then
    "${root[@]}" systemctl disable --now ssh.service ssh.socket >/dev/null 2>&1 || true
fi
install_python_packages
