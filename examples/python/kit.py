"""What any network plugin in Python wants: copy it. Socket, health, turns, statuses, the end; namespaces;
names that follow from attachment ids, and the routes of a pod."""

import argparse
import hashlib
import os
import signal
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import grpc
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
from pyroute2 import IPRoute, NetlinkError, netns
from patchbay.plugin.v1 import network_pb2, network_pb2_grpc, plugin_pb2_grpc

NLM_F_DUMP_INTR = 0x10  # linux/netlink.h
EVERYWHERE = {False: "0.0.0.0/0", True: "::/0"}


def serve(plugin):
    """Serves a plugin on the socket of --socket until SIGTERM."""
    name = plugin.GetInfo(None, None).name
    parser = argparse.ArgumentParser()
    parser.add_argument("--socket", default=f"/run/patchbay/plugins/{name}.sock")
    path = parser.parse_args().socket
    server = grpc.server(ThreadPoolExecutor(32))
    plugin_pb2_grpc.add_PluginServicer_to_server(plugin, server)
    network_pb2_grpc.add_NetworkPluginServicer_to_server(plugin, server)
    healthy = health.HealthServicer()
    healthy.set("", health_pb2.HealthCheckResponse.SERVING)
    health_pb2_grpc.add_HealthServicer_to_server(healthy, server)
    # Bound under another name and renamed: it appears when calls are answered, and takes the place of an
    # older process's socket, which goes on with the calls that it has.
    temporary = os.path.join(os.path.dirname(path), f".{os.path.basename(path)}-{os.getpid()}")
    server.add_insecure_port(f"unix:{temporary}")
    server.start()
    os.chmod(temporary, 0o600)
    own = os.stat(temporary)
    os.rename(temporary, path)
    stop = threading.Event()
    for each in (signal.SIGTERM, signal.SIGINT):
        signal.signal(each, lambda *_: stop.set())
    stop.wait()
    healthy.enter_graceful_shutdown()
    # Unless a newer process has put its own there.
    if os.path.exists(path) and os.path.samestat(own, os.stat(path)):
        os.remove(path)
    # Calls under way may end, within the ten seconds that a host gives.
    server.stop(8).wait()


LOCKS = [threading.Lock() for _ in range(256)]


@contextmanager
def turn(attachment_id, context):
    """Calls for one attachment follow each other: a Detach may come while an Attach runs. What is raised
    becomes a status of the contract."""
    try:
        with LOCKS[hash(attachment_id) % len(LOCKS)]:
            if not context.is_active():
                raise TimeoutError("the host has given up, and its Detach may have been here already")
            yield
    except FileExistsError as error:
        context.abort(grpc.StatusCode.ALREADY_EXISTS, str(error))
    except ValueError as error:
        context.abort(grpc.StatusCode.INVALID_ARGUMENT, str(error))
    except (OSError, NetlinkError) as error:
        context.abort(grpc.StatusCode.UNKNOWN, str(error))


def inside(path, work):
    """Does the work by a socket of the pod's namespace. setns(2) moves one thread: this one ends with it."""

    def run():
        file = os.open(path, os.O_RDONLY)
        try:
            netns.setns(file)
        finally:
            os.close(file)
        with IPRoute() as sock:
            return work(sock)

    with ThreadPoolExecutor(1) as thread:
        return thread.submit(run).result()


def find_link(sock, name):
    """A link of the socket's namespace, or None."""
    for index in sock.link_lookup(ifname=name):
        return sock.link("get", index=index)[0]
    return None


def dump(ask):
    """What the kernel holds, asked again where something came or went meanwhile: such a list has holes."""
    for _ in range(20):
        found = list(ask())
        if not any(each["header"]["flags"] & NLM_F_DUMP_INTR for each in found):
            return found
    raise InterruptedError("the node's links change too fast to be listed")


def alias_of(plugin, attachment_id, network):
    """What the node's end says of itself; the kernel keeps 255 bytes."""
    return f"{plugin} {attachment_id} {network}"[:255]


def link_name(attachment_id):
    return "py" + hashlib.sha256(attachment_id.encode()).hexdigest()[:13]


def mac_of(name):
    return "02:" + hashlib.sha256(name.encode()).digest()[:5].hex(":")


def find_attachment(plugin, alias, network):
    """The id in an alias; None for links of others, and of another network. Network "" is any."""
    words = (alias or "").split(" ", 2)
    if len(words) < 3 or words[0] != plugin or network and alias != alias_of(plugin, words[1], network):
        return None
    return words[1]


def routes_of(request):
    """Routes of a pod: its default routes, unless it is to have none, and those that the request names."""
    routes = []
    gateways = {}
    named = {route.destination for route in request.routes}
    for own in request.addresses:
        everywhere = EVERYWHERE[":" in own.address]
        gateways[everywhere] = own.gateway
        has_default = request.default_route != network_pb2.DEFAULT_ROUTE_NONE
        if own.gateway and has_default and everywhere not in named:
            routes.append(network_pb2.Route(destination=everywhere, gateway=own.gateway))
    for route in request.routes:
        if not route.gateway:
            route.gateway = gateways.get(EVERYWHERE[":" in route.destination], "")
        routes.append(route)
    return routes
