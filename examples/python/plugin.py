"""A Patchbay network plugin in Python: pods on veth pairs into a bridge of the node. README.md explains it."""

import errno
import json
import socket

from pyroute2 import IPRoute, NetlinkError
from patchbay.plugin.v1 import network_pb2, network_pb2_grpc, plugin_pb2, plugin_pb2_grpc
import kit

NAME = "python-bridge"
SCHEMA = {"properties": {"bridge": {"type": "string", "pattern": "^[a-zA-Z0-9][^/: ]{0,14}$"}}}
ANY = {socket.AF_INET: "0.0.0.0", socket.AF_INET6: "::"}
IFF_UP = 1  # linux/if.h
RT_TABLE_MAIN = 254  # linux/rtnetlink.h
IFA_F_NODAD = 0x02  # linux/if_addr.h: IPAM has seen to it that nobody else has the address.


class Plugin(plugin_pb2_grpc.PluginServicer, network_pb2_grpc.NetworkPluginServicer):
    """Remembers nothing: names of links follow from attachment ids, the kernel holds the rest."""

    def GetInfo(self, request, context):
        return plugin_pb2.GetInfoResponse(
            name=NAME,
            version="1.0.0",
            contract_versions=["patchbay.plugin.v1"],
            roles=[plugin_pb2.ROLE_NETWORK],
            capabilities=[plugin_pb2.CAPABILITY_ATTACH_IN_PARALLEL, plugin_pb2.CAPABILITY_REPAIR],
            config_schema_json=json.dumps(SCHEMA),
        )

    def Attach(self, request, context):
        with kit.turn(request.attachment_id, context):
            answer = plan(request)
            apply(request, answer)
            return answer

    def Detach(self, request, context):
        with kit.turn(request.attachment_id, context), IPRoute() as node:
            for index in node.link_lookup(ifname=kit.link_name(request.attachment_id)):
                try:
                    node.link("del", index=index)  # And its other end, wherever that is.
                except NetlinkError as error:
                    if error.code != errno.ENODEV:  # It went with the pod's namespace.
                        raise
            return network_pb2.DetachResponse()

    def List(self, request, context):
        answer = network_pb2.ListResponse()
        with IPRoute() as node:
            for link in kit.dump(node.get_links):
                found = kit.find_attachment(NAME, link.get("ifalias"), request.network)
                if found:
                    answer.attachments.add(attachment_id=found, object=link.get("ifname"))
        return answer

    def Status(self, request, context):
        try:
            bridge_name(request)
            return network_pb2.StatusResponse(ready=True)
        except ValueError as error:
            return network_pb2.StatusResponse(ready=False, reason=str(error))

    def Check(self, request, context):
        with kit.turn(request.attachment.attachment_id, context):
            findings = compare(request.attachment, request.attached)
            if request.repair and findings:
                apply(request.attachment, request.attached)
                left = {(each.kind, each.object) for each in compare(request.attachment, request.attached)}
                for finding in findings:
                    finding.repaired = (finding.kind, finding.object) not in left
            return network_pb2.CheckResponse(findings=findings)


def plan(request):
    """What Attach makes and answers. It follows from the request alone: a repeat gets the same."""
    if request.HasField("masquerade") or request.requested_addresses:
        raise ValueError(f"masquerade, requested_addresses: not by {NAME}")
    answer = network_pb2.AttachResponse(routes=kit.routes_of(request))
    answer.interfaces.add(name=kit.link_name(request.attachment_id))
    mac = request.mac.lower() or kit.mac_of(request.attachment_id)
    answer.interfaces.add(name=request.ifname, sandbox=request.netns, mac=mac, mtu=request.mtu or 1500)
    for own in request.addresses:
        answer.addresses.add(address=own.address, gateway=own.gateway, interface_index=1)
    return answer


def apply(request, answer):
    """Makes what is missing; what is there stays as it is."""
    host, pod = answer.interfaces
    with IPRoute() as node:
        bridge = ensure_bridge(node, request)
        found = node.link_lookup(ifname=host.name)
        peer = kit.inside(request.netns, lambda sock: kit.find_link(sock, pod.name))
        if not found or peer is None or peer.get("link") != found[0]:
            if peer is not None:
                raise FileExistsError(f"{pod.name} is taken in {request.netns}")
            for index in found:
                node.link("del", index=index)  # Its other end has another name, or lies elsewhere.
            # Both ends at once, each in its place: whoever is killed here leaves no half.
            end = {"ifname": pod.name, "address": pod.mac, "mtu": pod.mtu, "net_ns_fd": request.netns}
            node.link("add", ifname=host.name, kind="veth", mtu=pod.mtu, peer=end)
            found = node.link_lookup(ifname=host.name)
        alias = kit.alias_of(NAME, request.attachment_id, request.network)
        node.link("set", index=found[0], master=bridge, state="up", ifalias=alias)
    kit.inside(request.netns, lambda sock: configure(sock, answer))


def configure(sock, answer):
    """The pod's end, in the pod's namespace."""
    pod = answer.interfaces[1]
    (index,) = sock.link_lookup(ifname=pod.name)
    sock.link("set", index=index, mtu=pod.mtu, address=pod.mac, state="up")
    for own in answer.addresses:
        address, length = own.address.split("/")
        sock.addr("replace", index=index, address=address, prefixlen=int(length), flags=IFA_F_NODAD)
    for own in answer.routes:
        metrics = {"mtu": own.mtu, "advmss": own.advmss}
        wishes = {"gateway": own.gateway, "priority": own.priority, "table": own.table or RT_TABLE_MAIN}
        wishes["metrics"] = {key: value for key, value in metrics.items() if value}
        given = {key: value for key, value in wishes.items() if value}
        sock.route("replace", dst=own.destination, oif=index, **given)


def ensure_bridge(node, request):
    """The index of the bridge, made where it is missing, with the gateways of the pod's addresses."""
    name = bridge_name(request)
    if not node.link_lookup(ifname=name):
        try:
            # A MAC address of its own: else it changes with the ports.
            node.link("add", ifname=name, kind="bridge", address=kit.mac_of(name))
        except NetlinkError as error:
            if error.code != errno.EEXIST:  # Another pod's Attach was quicker.
                raise
    (link,) = node.link("get", ifname=name)
    if link.get(("linkinfo", "kind")) != "bridge":
        raise ValueError(f"bridge: {name} is a link of another type")
    node.link("set", index=link["index"], state="up")
    for own in request.addresses:
        if own.gateway:
            gateway = {"address": own.gateway, "prefixlen": int(own.address.split("/")[1])}
            node.addr("replace", index=link["index"], flags=IFA_F_NODAD, **gateway)
    return link["index"]


def compare(request, answer):
    """What of the answer the kernel does not hold."""
    findings = []

    def expect(is_so, kind, what):
        if not is_so:
            findings.append(network_pb2.Finding(kind=kind, object=str(what), expected=str(what)))

    def look(sock):
        link = kit.find_link(sock, request.ifname)
        if link is None:
            expect(False, "link-missing", request.ifname)
            return
        expect(link["flags"] & IFF_UP, "link-down", request.ifname)
        expect(link.get("mtu") == answer.interfaces[1].mtu, "mtu", answer.interfaces[1].mtu)
        expect(link.get("address") == answer.interfaces[1].mac, "mac", answer.interfaces[1].mac)
        found = sock.get_addr(index=link["index"])
        addresses = {f"{each.get('address')}/{each['prefixlen']}" for each in found}
        for own in answer.addresses:
            expect(own.address in addresses, "address-missing", own.address)
        routes = set()
        for each in sock.get_routes(oif=link["index"]):
            destination = f"{each.get('dst') or ANY[each['family']]}/{each['dst_len']}"
            routes.add((destination, each.get("gateway") or "", each.get("table")))
        for own in answer.routes:
            route = (own.destination, own.gateway, own.table or RT_TABLE_MAIN)
            expect(route in routes, "route-missing", own.destination)

    with IPRoute() as node:
        host = kit.find_link(node, answer.interfaces[0].name)
        is_port = host is not None and host["flags"] & IFF_UP and host.get("master")
        expect(is_port, "link-down", answer.interfaces[0].name)
    kit.inside(request.netns, look)
    return findings


def bridge_name(request):
    return json.loads(request.config_json).get("bridge", "py0")


if __name__ == "__main__":
    kit.serve(Plugin())
