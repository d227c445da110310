#!/usr/bin/env bash
# Copyright 2026 The Millrace Authors.
# Licensed under the Apache License, Version 2.0: see LICENSE.
#
# Builds everything twice, in two directories, time zones and locales, with what `mvn package` makes, and compares
# the jars byte by byte; then holds the manifests of the runnable ones against what they need.
#
#   packaging/reproducible.sh [--built] [--to DIR] [Maven option ...]
#
#   --built   packs the classes that are built here twice, in place of compiling them: seconds, for tests
#   --to DIR  leaves the jars of one build there
#
# Status 0 only if all is as it should be.
set -euo pipefail

built=0
to=""
while (( $# > 0 )); do
    case "$1" in
        --built) built=1; shift ;;
        --to) to="$(realpath "${2:?--to needs a directory}")"; shift 2 ;;
        *) break ;;
    esac
done
cd "$(dirname "${BASH_SOURCE[0]}")/.."
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
one="$work/one"
two="$work/a-longer-name/two"

copy()
{
    mkdir -p "$1"
    git ls-files -z --cached --others --exclude-standard | tar --null --files-from=- --create | tar --extract --directory="$1"
    if (( built == 1 )); then
        cp --recursive --parents ./*/target/classes "$1"
    fi
}

build()
{
    local directory="$1"
    shift
    (cd "$directory" && mvn -B -q -Dmaven.test.skip=true -Dcheckstyle.skip=true "$@" package) >&2
    (cd "$directory" && find . -path '*/target/millrace-*.jar' -not -path '*/target/*/*' | LC_ALL=C sort) > "$directory/jars"
}

# Entries whose length or time differs, of one jar.
entries()
{
    diff <(jar tvf "$one/$1") <(jar tvf "$two/$1") | sed 's/^/    /' | head -40
}

manifest()
{
    # Lines of a manifest are wrapped at 72 bytes.
    # By the JDK: unzip is not on every machine.
    local unpacked jar
    jar="$(realpath "$1")"
    unpacked="$(mktemp -d --tmpdir="$work")"
    (cd "$unpacked" && "${JAVA_HOME:+$JAVA_HOME/bin/}jar" xf "$jar" META-INF/MANIFEST.MF)
    tr -d '\r' < "$unpacked/META-INF/MANIFEST.MF" | sed -e ':a' -e 'N' -e '$!ba' -e 's/\n //g'
}

failures=0
# Jars keep the modes that files have on disk.
umask 022
(( built == 1 )) && set -- -Dmaven.main.skip=true "$@"
copy "$one"
copy "$two"
TZ=UTC LC_ALL=C build "$one" "$@"
TZ=Pacific/Auckland LC_ALL=C.UTF-8 build "$two" "$@"

if ! diff "$one/jars" "$two/jars"; then
    echo "reproducible: the builds do not give the same jars" >&2
    failures=1
fi
while read -r jar; do
    if cmp -s "$one/$jar" "$two/$jar"; then
        echo "$(sha256sum < "$one/$jar" | cut -c1-64)  ${jar#./}"
    else
        echo "reproducible: ${jar#./} differs:" >&2
        entries "$jar" >&2 || true
        failures=1
    fi
done < "$one/jars"

while read -r jar class; do
    text="$(manifest "$(compgen -G "$one/$jar")")"
    for line in "Main-Class: $class" "Add-Opens: java.base/jdk.internal.misc java.base/java.util.zip" \
        "Enable-Native-Access: ALL-UNNAMED" "Multi-Release: true"
    do
        grep -qxF "$line" <<< "$text" || { echo "reproducible: the manifest of $jar lacks '$line'" >&2; failures=1; }
    done
done <<'JARS'
media-driver-efa/target/millrace-*-all.jar io.millrace.efa.EfaMediaDriver
samples/target/millrace-*-all.jar io.millrace.samples.Millrace
JARS

if [[ -n "$to" ]]; then
    (cd "$one" && xargs cp --target-directory="$to") < "$one/jars"
fi
(( failures == 0 )) && echo "$(wc -l < "$one/jars") jars of two builds are identical, manifests are right"
exit "$failures"
