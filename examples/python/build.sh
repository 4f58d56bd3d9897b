#!/bin/sh
# Makes a virtual environment in FOLDER (default: build/ beside this file) with what the plugin imports,
# the stubs of the contract among it, generated from proto/.
# Usage: build.sh [FOLDER]
set -eu
here=$(cd "$(dirname "$0")" && pwd)
folder=${1:-"$here/build"}
"${PYTHON:-python3}" -m venv --clear "$folder"
"$folder/bin/pip" install --quiet --disable-pip-version-check --require-hashes -r "$here/requirements.txt"
packages=$("$folder/bin/python" -c 'import sysconfig; print(sysconfig.get_path("purelib"))')
"$folder/bin/python" -m grpc_tools.protoc --proto_path="$here/../../proto" \
  --python_out="$packages" --grpc_python_out="$packages" \
  patchbay/plugin/v1/plugin.proto patchbay/plugin/v1/network.proto
