#!/bin/sh
# What a host does for a release; sent whole with every call, so the host needs nothing of ours beforehand.
#
#   <root>/releases/<version>/   one folder per release, complete or absent (unpacked aside, then renamed)
#   <root>/current               link to the release that runs; switched by one rename
#   <root>/previous              name of the release that ran before
#   <root>/venvs/<lock>/         environments, shared by releases with equal locks
#   <root>/releases.log          every activation and how it ended
#
# All is inside functions and the last line starts it: a call cut off while it is sent does nothing, and
# one cut off while it runs goes on to its end, rolling back included, and leaves its word in the log.
set -eu

fail() { # CODE WORDS
    code=$1
    shift
    echo "fault=$*"
    exit "$code"
}

log() { echo "$(date -u +%Y-%m-%dT%H:%M:%SZ) $*" >>"$root/releases.log"; }

lock() {
    mkdir -p "$root/releases" "$root/incoming"
    exec 9>"$root/.lock"
    flock -n 9 || fail 22 "another release is under way"
}

current() { basename "$(readlink "$root/current" 2>/dev/null || echo '')"; }

point() { # VERSION
    ln -sfn "releases/$1" "$root/current.new"
    mv -T "$root/current.new" "$root/current"
}

prepare() { # in a release: its environment, its own environment file and its starter
    venv="$root/venvs/$(cat locks/*.txt | sha256sum | cut -c1-16)"
    HAETAE_VENV="$venv" python3 run.py setup full || return 1 # set -e sleeps inside a condition
    mkdir -p bin
    printf 'HAETAE_VENV=%s\n' "$venv" >release.env
    # shellcheck disable=SC2016
    printf '#!/bin/sh\nhere=$(cd "$(dirname "$0")/.." && pwd -P)\nHAETAE_VENV=%s exec python3 "$here/run.py" "$@"\n' \
        "$venv" >bin/haetae
    chmod +x bin/haetae
}

prune() { # keep the newest releases, and always the two that matter
    keep=" $(current) $(cat "$root/previous" 2>/dev/null || true) "
    # shellcheck disable=SC2012
    ls -1t "$root/releases" | tail -n +6 | while read -r each; do
        case "$keep" in *" $each "*) ;; *) rm -rf "${root:?}/releases/${each:?}" ;; esac
    done
}

unpack() { # VERSION SHA256 SETUP
    lock
    archive="$root/incoming/$1.tar.gz" target="$root/releases/$1" aside="$root/releases/.$1.part"
    [ "$(sha256sum "$archive" | cut -d' ' -f1)" = "$2" ] || fail 25 "the archive of $1 did not arrive whole"
    if [ -d "$target" ]; then
        rm -f "$archive"
        [ "$(cat "$target/.sha256")" = "$2" ] || fail 24 "$1 is there already with another content"
        echo "kept=$1"
        return
    fi
    rm -rf "$aside"
    mkdir "$aside"
    tar -xzf "$archive" -C "$aside"
    rm -f "$archive"
    echo "$2" >"$aside/.sha256"
    if ! (cd "$aside" && if [ "$3" = - ]; then prepare; else sh -c "$3"; fi) >"$root/setup.log" 2>&1 </dev/null 9>&-; then
        rm -rf "$aside"
        fail 23 "setting up $1 failed: $(tail -n 3 "$root/setup.log" | tr '\n' ' ')"
    fi
    mv -T "$aside" "$target"
    log "pushed $1"
    prune
    echo "pushed=$1"
}

alive() { # HEALTH TRIES PAUSE
    tries=$2
    while :; do
        if (cd "$root/current/" && sh -c "$1") >"$root/health.log" 2>&1 </dev/null 9>&-; then return 0; fi
        tries=$((tries - 1))
        [ "$tries" -gt 0 ] || return 1
        sleep "$3"
    done
}

start() { (cd "$root/current/" && sh -c "$1") >"$root/restart.log" 2>&1 </dev/null 9>&-; }

activate() { # VERSION RESTART HEALTH TRIES PAUSE
    lock
    [ -d "$root/releases/$1" ] || fail 21 "there is no release $1"
    trap '' HUP PIPE
    before=$(current)
    log "activating $1 after ${before:-nothing}"
    point "$1"
    if start "$2" && alive "$3" "$4" "$5"; then
        if [ -n "$before" ] && [ "$before" != "$1" ]; then echo "$before" >"$root/previous"; fi
        log "active $1"
        echo "active=$1"
        return
    fi
    word=$(tail -n 2 "$root/restart.log" "$root/health.log" 2>/dev/null | tr '\n' ' ')
    log "unwell $1: $word"
    if [ -z "$before" ] || [ "$before" = "$1" ]; then fail 27 "$1 is unwell and there is nothing to go back to: $word"; fi
    point "$before"
    if start "$2" && alive "$3" "$4" "$5"; then
        log "active $before again"
        fail 20 "$1 is unwell, $before runs again: $word"
    fi
    log "unwell $before too"
    fail 27 "$1 is unwell and so is $before: $word"
}

rollback() { # RESTART HEALTH TRIES PAUSE
    before=$(cat "$root/previous" 2>/dev/null || true)
    [ -n "$before" ] || fail 26 "no release ran before"
    activate "$before" "$@"
}

status() { # HEALTH
    echo "current=$(current)"
    echo "previous=$(cat "$root/previous" 2>/dev/null || true)"
    for each in "$root"/releases/*/; do [ -d "$each" ] && echo "release=$(basename "$each")"; done
    if [ -n "$(current)" ]; then
        if alive "$1" 1 0; then echo "health=ok"; else echo "health=$(tail -n 1 "$root/health.log")"; fi
    fi
    tail -n 5 "$root/releases.log" 2>/dev/null | sed 's/^/log=/' || true
}

main() {
    verb=$1 root=$2
    shift 2
    case "$verb" in unpack | activate | rollback | status) "$verb" "$@" ;; *) fail 2 "unknown: $verb" ;; esac
}

main "$@"
