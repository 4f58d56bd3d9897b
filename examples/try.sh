#!/bin/sh
# Two pods on a plugin's network, without Kubernetes: in a private node (network and mount namespaces of
# its own) a host, the plugin, and the calls that a container runtime would make.
# Usage: examples/try.sh NAME PROGRAM [ARGUMENT...]
#   NAME     the plugin's, as GetInfo says it
#   PROGRAM  serves the plugin; gets --socket PATH behind its arguments
set -eu
cd "$(dirname "$0")/.." # Paths of the program are as seen from there.
[ "${PATCHBAY_PRIVATE_NODE:-}" = 1 ] ||
  exec node_modules/.bin/node scripts/private-node.js sh examples/try.sh "$@"

name=$1
shift
root=$(mktemp -d)
one=try-one-$$ two=try-two-$$
trap 'test $? = 0 || cat "$root/log"; kill $host $plugin || :; wait; for pod in $one $two; do ip netns delete $pod; done; rm -rf "$root"' EXIT
ip link set lo up
node_modules/.bin/node src/cli/patchbay.js host --root "$root" --metrics-port 0 2>"$root/log" &
host=$!
mkdir -p -m 700 "$root/run/patchbay/plugins"
"$@" --socket "$root/run/patchbay/plugins/$name.sock" &
plugin=$!

# What the runtime does for a pod: execute build/cni/patchbay with a verb, a namespace and the network.
cni() {
  CNI_COMMAND=$1 CNI_CONTAINERID=$2 CNI_NETNS=/run/netns/$2 CNI_IFNAME=eth0 CNI_PATH=/opt/cni/bin \
    build/cni/patchbay <<CONFIG
{"cniVersion": "1.1.0", "name": "try", "type": "patchbay", "root": "$root", "plugin": "$name",
 "ipam": {"ranges": [[{"subnet": "10.99.0.0/24"}], [{"subnet": "fd00:99::/64"}]]}}
CONFIG
}

mkdir -p /run/netns
for pod in $one $two; do
  ip netns add $pod
  for attempt in 1 2 3 4 5 6 7 8 9 10; do
    answer=$(cni ADD $pod) && break
    sleep 1 # Code 11, "try again later": the host or the plugin is not there yet.
  done
  printf '%s\n' "$answer"
done
ip -brief link show
ip netns exec $two ip -brief address show eth0
for address in $(ip netns exec $two ip -brief address show eth0 | tr ' ' '\n' | grep -E '^(10|fd00)'); do
  ip netns exec $one ping -c 1 -W 5 "${address%/*}"
done
for pod in $one $two; do cni DEL $pod; done
