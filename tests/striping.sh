#!/usr/bin/env bash
# Copyright 2026 The Millrace Authors.
# Licensed under the Apache License, Version 2.0: see LICENSE.
#
# One stream over one, two and four links, each shaped to 1 Gbit/s, between two network namespaces of this machine; then a
# link goes down and up in the middle of a stream whose every byte is checked. Needs root, ip and tc. The namespaces are
# removed at the end, also when interrupted; what a killed run has left is removed by the next.
#
#   tests/striping.sh [--rails 1,2,4] [--megabits 1000] [--seconds 5] [--json] | --help
#
# Exit status: 0 when all streams arrived whole and each ratio is at least 0.95, 1 when not or it cannot run here, 2 for a
# wrong option.
set -euo pipefail

ROOT="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)"
CLASS_PATH_FILE="$ROOT/tests/target/striping-classpath"

java=""
for home in "${JAVA25_HOME:-}" "${JAVA_HOME:-}" /usr/lib/jvm/*; do
    if [[ -x "$home/bin/java" ]] && grep -Eq '^JAVA_VERSION="(2[5-9]|[3-9][0-9])' "$home/release" 2> /dev/null; then
        java="$home/bin/java"
        export JAVA25_HOME="$home"
        break
    fi
done
if [[ -z "$java" ]]; then
    echo "striping: no JDK 25 found: set JAVA25_HOME to one" >&2
    exit 1
fi

# Maven compiles what is stale, and tells the class path of the tests.
(cd "$ROOT" && mvn -B -q -pl tests -am -Dcheckstyle.skip=true \
    test-compile dependency:build-classpath -Dmdep.outputFile="$CLASS_PATH_FILE" -Dmdep.includeScope=test) >&2

exec "$java" --add-opens java.base/jdk.internal.misc=ALL-UNNAMED --enable-native-access=ALL-UNNAMED -Xmx128m \
    -cp "$ROOT/tests/target/test-classes:$(< "$CLASS_PATH_FILE")" io.millrace.tests.striping.Striping "$@"
