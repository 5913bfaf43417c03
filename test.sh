#!/usr/bin/env bash
# Runs every test, on SQLite and on PostgreSQL. Brings up what it needs and says what it installs.
set -euo pipefail
cd "$(dirname "$0")"

missing=()
ls -d /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 || missing+=(postgresql)
command -v chromium >/dev/null || missing+=(chromium)
command -v chromedriver >/dev/null || missing+=(chromium-driver)
# For the promises about the disk and the clock (docs/RELIABILITY.md).
command -v strace >/dev/null || missing+=(strace)
command -v faketime >/dev/null || missing+=(faketime)
if ((${#missing[@]})); then
    if [[ $(id -u) -ne 0 ]]; then
        echo "test.sh: needs ${missing[*]}; install with: sudo apt-get install ${missing[*]}" >&2
        exit 1
    fi
    echo "test.sh: installing ${missing[*]}"
    apt-get update -qq
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
fi

bin=$(dirname "$(ls -d /usr/lib/postgresql/*/bin/initdb | sort -V | tail -1)")
place=$(mktemp -d)
cluster=
as_postgres() { if [[ $(id -u) -eq 0 ]]; then setpriv --reuid postgres --regid postgres --clear-groups "$@"; else "$@"; fi; }
finish() {
    if [[ -n $cluster ]]; then kill -INT "$cluster" 2>/dev/null || true; wait "$cluster" 2>/dev/null || true; fi
    rm -rf "$place"
}
trap finish EXIT
[[ $(id -u) -ne 0 ]] || chown postgres "$place"

echo "test.sh: a private PostgreSQL in $place"
(cd / && as_postgres "$bin/initdb" -D "$place/data" -U schedulezap -A trust -E UTF8 --no-sync >/dev/null)
port=$((20000 + RANDOM % 20000))
(cd / && as_postgres true) # fails early where users cannot be switched
if [[ $(id -u) -eq 0 ]]; then
    setpriv --reuid postgres --regid postgres --clear-groups "$bin/postgres" -D "$place/data" -p "$port" \
        -c listen_addresses=127.0.0.1 -c unix_socket_directories="$place" -c fsync=off -c max_connections=400 \
        >"$place/log" 2>&1 &
else
    "$bin/postgres" -D "$place/data" -p "$port" -c listen_addresses=127.0.0.1 \
        -c unix_socket_directories="$place" -c fsync=off -c max_connections=400 >"$place/log" 2>&1 &
fi
cluster=$!
for _ in $(seq 600); do
    "$bin/pg_isready" -q -h 127.0.0.1 -p "$port" -U schedulezap && break
    sleep 0.1
done
"$bin/createdb" -h 127.0.0.1 -p "$port" -U schedulezap schedulezap || { cat "$place/log" >&2; exit 1; }

# Screens are compared with tests/it/snapshots, never rewritten here.
export INSTA_UPDATE=no
echo "test.sh: on SQLite"
env -u TEST_DATABASE_URL cargo test --locked
echo "test.sh: on PostgreSQL"
TEST_DATABASE_URL="postgres://schedulezap@127.0.0.1:$port/schedulezap" cargo test --locked
