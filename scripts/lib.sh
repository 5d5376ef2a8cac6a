# shellcheck shell=bash
# What demo, test and bench share: the Debian packages that they need, and the Python environment in .venv.
# To be sourced by a bash script with `set -eu`; it changes to the top of the checkout.

cd "$(dirname "${BASH_SOURCE[0]}")/.."
PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin # where Debian keeps servers, which a user's PATH leaves out

SERVING_PACKAGES=(pdns-server pdns-backend-pipe pdns-backend-remote pdns-tools bind9-dnsutils)
TESTING_PACKAGES=(
    "${SERVING_PACKAGES[@]}" pdns-backend-sqlite3 pdns-backend-bind pdns-backend-mysql mariadb-server pdns-backend-pgsql
    postgresql pgbouncer unbound nsd nginx-light libnginx-mod-stream stunnel4
    chromium knot ldnsutils bind9 bind9-utils dnsperf sqlite3 gcc libc6-dev groff-base systemd curl procps
)
POLICY=/usr/sbin/policy-rc.d

say() { printf '%s: %s\n' "${0##*/}" "$*" >&2; }

# need_packages stop|skip PACKAGE…: installs the missing ones as root; else stops, or says that their tests are skipped
need_packages() {
    local otherwise=$1 missing
    shift
    if ! command -v dpkg-query >/dev/null; then
        say "no Debian here: what is needed must be installed by hand: $*"
        return
    fi
    mapfile -t missing < <(missing_packages "$@")
    [ ${#missing[@]} -gt 0 ] || return 0
    if [ "$(id -u)" -eq 0 ]; then
        install_packages "${missing[@]}"
        return
    fi
    say "missing Debian packages: ${missing[*]}"
    say "install them as root with: apt-get install --no-install-recommends ${missing[*]}"
    [ "$otherwise" = skip ] || exit 1
    say "going on without them: tests that need them are skipped"
}

missing_packages() {
    local installed
    installed=$(dpkg-query -W -f='${db:Status-Abbrev}${binary:Package}\n' 2>/dev/null | sed -n 's/^ii *\([^:]*\).*/\1/p')
    printf '%s\n' "$@" | sort -u | { grep -vxF "$installed" || true; }
}

# Debian starts a server when it is installed; ours are started by the tests and nobody asked for others on port 53.
install_packages() {
    say "installing $*"
    local own_policy=
    if [ ! -e "$POLICY" ]; then
        own_policy=yes
        printf '#!/bin/sh\nexit 101\n' >"$POLICY"
        chmod 755 "$POLICY"
    fi
    local status=0
    { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends "$@"; } \
        >&2 </dev/null || status=$?
    [ -z "$own_policy" ] || rm -f "$POLICY"
    [ "$status" -eq 0 ] || { say "apt-get failed; its messages are above"; exit 1; }
}

# mirror: where this machine's apt has its own Debian release from
mirror() { apt-get indextargets --format '$(REPO_URI)' 'Identifier: Packages' 'Codename: '"$(installed_suite)" | head -n 1; }

installed_suite() { . /etc/os-release && echo "$VERSION_CODENAME"; }

# need_environment: .venv with the project (editable) and its test tools, in the releases of requirements/constraints.txt,
# brought up to date when that or what it is made from has changed. The project is compiled here, for PowerDNS runs it as a
# user who may not write the bytecode: half of a start is compiling.
need_environment() {
    install_project
    .venv/bin/python -m compileall -q pipebackend remoteshim
}

install_project() {
    local stamp
    stamp="$(cat setup.cfg pyproject.toml requirements/constraints.txt | sha256sum) $PWD"
    [ "$(cat .venv/stamp 2>/dev/null)" != "$stamp" ] || return 0
    say "making the Python environment in .venv"
    install_pinned .venv requirements/constraints.txt
    # The usual editable install puts an import hook into the start of each process; compat is a plain path, and
    # setuptools warns on each use of it.
    PYTHONWARNINGS=ignore .venv/bin/python -m pip install --quiet --no-deps --no-build-isolation --editable . \
        --config-settings editable_mode=compat
    printf '%s\n' "$stamp" >.venv/stamp
}

# need_clients: .clients with other people's programs that the tests run
need_clients() {
    need_apart .clients requirements/clients.txt "clients of PowerDNS's API"
}

# need_coverage: .coverage with the program that counts lines, apart from .venv, since it adds to the start of each Python
need_coverage() {
    need_apart .coverage requirements/coverage.txt coverage
}

# need_apart FOLDER FILE WHAT: a Python environment of its own with the releases of a file, made again when that changes
need_apart() {
    local stamp
    stamp="$(sha256sum <"$2") $PWD"
    [ "$(cat "$1/stamp" 2>/dev/null)" != "$stamp" ] || return 0
    say "installing $3 into $1"
    install_pinned "$1" "$2"
    printf '%s\n' "$stamp" >"$1/stamp"
}

# install_pinned FOLDER FILE: a Python environment with the releases of a file. Nothing is installed that has no hash there,
# and no package runs code of its own (wheels only).
install_pinned() {
    local python
    python=$(find_python)
    [ -x "$1/bin/python" ] || "$python" -m venv "$1"
    "$1/bin/python" -m pip install --quiet --require-hashes --only-binary :all: --requirement "$2"
}

find_python() {
    if ! a_good_python >/dev/null && [ "$(id -u)" -eq 0 ] && command -v apt-get >/dev/null; then
        install_packages python3 python3-venv
    fi
    a_good_python || { say "Python 3.11 or later with its venv module is needed (Debian: python3-venv)"; exit 1; }
}

a_good_python() {
    local python
    for python in python3 python3.14 python3.13 python3.12 python3.11 /usr/bin/python3; do
        if "$python" -c 'import ensurepip, sys, venv; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
            echo "$python"
            return
        fi
    done
    return 1
}
