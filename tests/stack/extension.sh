#!/usr/bin/env bash
# Build the Keycloak extension. One clear line when the JDK or Maven is missing.
set -euo pipefail
cd "$(dirname "$0")/../../keycloak_extension"

stop() { printf 'facestep: %s\n' "$*" >&2; exit 1; }

command -v javac >/dev/null || stop "a JDK of version 17 or later is needed (Debian: apt-get install openjdk-17-jdk-headless)"
version=$(javac -version 2>&1 | sed -E 's/^javac ([0-9]+).*/\1/')
[ "$version" -ge 17 ] || stop "the JDK is version $version; 17 or later is needed (Debian: apt-get install openjdk-17-jdk-headless)"
command -v mvn >/dev/null || stop "Maven is needed (Debian: apt-get install maven)"

echo "· building the Keycloak extension"
log=$(mktemp)
trap 'rm -f "$log"' EXIT
if ! mvn -q -B -DskipTests package >"$log" 2>&1; then
    tail -n 20 "$log" >&2
    stop "the Keycloak extension could not be built (see above); check the network, then run the same command again"
fi
touch target/facestep-keycloak.jar
