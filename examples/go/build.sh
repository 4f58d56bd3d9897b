#!/bin/sh
# Generates the stubs of the contract from proto/ and builds go-bridge and noop into FOLDER (default: build/
# beside this file).
# Usage: build.sh [FOLDER]
set -eu
cd "$(dirname "$0")"
go generate
exec go build -trimpath -buildvcs=false -o "${1:-build}/" . ./noop
