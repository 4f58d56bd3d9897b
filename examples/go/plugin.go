// A Patchbay network plugin in Go: pods on veth pairs into a bridge of the node. README.md explains it.
package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	pb "patchbay.example/go-bridge/gen"
	"patchbay.example/go-bridge/internal/kit"
)

//go:generate go run ./internal/generate ../../proto gen

const name = "go-bridge"

func main() {
	kit.Serve(&pb.GetInfoResponse{
		Name: name, Version: "1.0.0", ContractVersions: []string{"patchbay.plugin.v1"},
		Roles:            []pb.Role{pb.Role_ROLE_NETWORK},
		Capabilities:     []pb.Capability{pb.Capability_CAPABILITY_ATTACH_IN_PARALLEL, pb.Capability_CAPABILITY_REPAIR},
		ConfigSchemaJson: `{"properties": {"bridge": {"type": "string", "pattern": "^[a-zA-Z0-9][^/: ]{0,14}$"}}}`,
	}, &plugin{})
}

// plugin remembers nothing: names follow from attachment ids, the kernel holds the rest.
type plugin struct {
	pb.UnimplementedNetworkPluginServer
}

func (*plugin) Attach(_ context.Context, req *pb.AttachRequest) (*pb.AttachResponse, error) {
	answer := plan(req)
	apply(req, answer)
	return answer, nil
}

func (*plugin) Detach(_ context.Context, req *pb.DetachRequest) (*pb.DetachResponse, error) {
	link, err := netlink.LinkByName(kit.LinkName(req.AttachmentId))
	if err == nil {
		err = netlink.LinkDel(link) // And its other end, wherever that is.
	}
	if !errors.As(err, &netlink.LinkNotFoundError{}) && !errors.Is(err, unix.ENODEV) {
		kit.Check(err)
	}
	return &pb.DetachResponse{}, nil
}

func (*plugin) List(_ context.Context, req *pb.ListRequest) (*pb.ListResponse, error) {
	answer := &pb.ListResponse{}
	for _, link := range kit.Dump(netlink.LinkList) {
		if id := kit.FindAttachment(name, link.Attrs().Alias, req.Network); id != "" {
			answer.Attachments = append(answer.Attachments, &pb.ListedAttachment{AttachmentId: id, Object: link.Attrs().Name})
		}
	}
	return answer, nil
}

func (*plugin) Status(_ context.Context, req *pb.StatusRequest) (*pb.StatusResponse, error) {
	_, err := bridgeName(req.ConfigJson)
	return &pb.StatusResponse{Ready: err == nil, Reason: status.Convert(err).Message()}, nil
}

func (*plugin) Check(_ context.Context, req *pb.CheckRequest) (*pb.CheckResponse, error) {
	findings := compare(req.Attachment, req.Attached)
	if req.Repair && len(findings) > 0 {
		apply(req.Attachment, req.Attached)
		left := compare(req.Attachment, req.Attached)
		for _, finding := range findings {
			finding.Repaired = !slices.ContainsFunc(left, func(other *pb.Finding) bool {
				return other.Kind == finding.Kind && other.Object == finding.Object
			})
		}
	}
	return &pb.CheckResponse{Findings: findings}, nil
}

// plan is what Attach makes and answers. It follows from the request alone: a repeat gets the same.
func plan(req *pb.AttachRequest) *pb.AttachResponse {
	kit.Refuse(req.Masquerade != nil || len(req.RequestedAddresses) > 0, codes.InvalidArgument,
		"masquerade, requested_addresses: not by %s", name)
	mac := cmp.Or(strings.ToLower(req.Mac), kit.MAC(req.AttachmentId).String())
	host := &pb.Interface{Name: kit.LinkName(req.AttachmentId)}
	pod := &pb.Interface{Name: req.Ifname, Sandbox: req.Netns, Mac: mac, Mtu: cmp.Or(req.Mtu, 1500)}
	answer := &pb.AttachResponse{Interfaces: []*pb.Interface{host, pod}, Routes: kit.Routes(req)}
	for _, own := range req.Addresses {
		answer.Addresses = append(answer.Addresses,
			&pb.SetAddress{Address: own.Address, Gateway: own.Gateway, InterfaceIndex: 1})
	}
	return answer
}

// apply makes what is missing; what is there stays as it is.
func apply(req *pb.AttachRequest, answer *pb.AttachResponse) {
	pod := kit.Inside(req.Netns)
	defer pod.Close()
	bridge := ensureBridge(req)
	attrs := netlink.NewLinkAttrs()
	attrs.Name, attrs.MTU = answer.Interfaces[0].Name, int(answer.Interfaces[1].Mtu)
	mac := kit.Must(net.ParseMAC(answer.Interfaces[1].Mac))
	host, hostErr := netlink.LinkByName(attrs.Name)
	inside, insideErr := pod.LinkByName(req.Ifname)
	if hostErr != nil || insideErr != nil || inside.Attrs().ParentIndex != host.Attrs().Index {
		kit.Refuse(insideErr == nil, codes.AlreadyExists, "%s is taken in %s", req.Ifname, req.Netns)
		if hostErr == nil {
			kit.Check(netlink.LinkDel(host)) // Its other end has another name, or lies elsewhere.
		}
		// Both ends at once, each in its place: whoever is killed here leaves no half.
		kit.Check(netlink.LinkAdd(&netlink.Veth{LinkAttrs: attrs, PeerName: req.Ifname,
			PeerHardwareAddr: mac, PeerNamespace: netlink.NsFd(pod.Namespace)}))
		host, inside = kit.Must(netlink.LinkByName(attrs.Name)), kit.Must(pod.LinkByName(req.Ifname))
	}
	alias := kit.Alias(name, req.AttachmentId, req.Network)
	kit.Check(errors.Join(
		netlink.LinkSetAlias(host, alias), netlink.LinkSetMaster(host, bridge), netlink.LinkSetUp(host),
		pod.LinkSetMTU(inside, attrs.MTU), pod.LinkSetHardwareAddr(inside, mac), pod.LinkSetUp(inside)))
	for _, own := range answer.Addresses {
		address := kit.Must(netlink.ParseAddr(own.Address))
		address.Flags = unix.IFA_F_NODAD // IPAM has seen to it that nobody else has it.
		kit.Check(pod.AddrReplace(inside, address))
	}
	for _, own := range answer.Routes {
		kit.Check(pod.RouteReplace(&netlink.Route{LinkIndex: inside.Attrs().Index,
			Dst: kit.Must(netlink.ParseIPNet(own.Destination)), Gw: net.ParseIP(own.Gateway), MTU: int(own.Mtu),
			AdvMSS: int(own.Advmss), Priority: int(own.Priority), Table: int(own.Table)}))
	}
}

// ensureBridge makes the bridge where it is missing, and gives it the gateways of the pod's addresses.
func ensureBridge(req *pb.AttachRequest) netlink.Link {
	attrs := netlink.NewLinkAttrs()
	attrs.Name = kit.Must(bridgeName(req.ConfigJson))
	attrs.HardwareAddr = kit.MAC(attrs.Name) // One of its own: else it changes with the ports.
	if err := netlink.LinkAdd(&netlink.Bridge{LinkAttrs: attrs}); !errors.Is(err, unix.EEXIST) {
		kit.Check(err)
	}
	bridge := kit.Must(netlink.LinkByName(attrs.Name))
	kit.Refuse(bridge.Type() != "bridge", codes.InvalidArgument, "bridge: %s is none", attrs.Name)
	kit.Check(netlink.LinkSetUp(bridge))
	for _, own := range req.Addresses {
		if gateway := net.ParseIP(own.Gateway); gateway != nil {
			address := kit.Must(netlink.ParseAddr(own.Address))
			address.IP, address.Flags = gateway, unix.IFA_F_NODAD
			kit.Check(netlink.AddrReplace(bridge, address))
		}
	}
	return bridge
}

func bridgeName(configJSON string) (string, error) {
	config := struct{ Bridge string }{Bridge: "go0"}
	if err := json.Unmarshal([]byte(configJSON), &config); err != nil {
		return "", status.Errorf(codes.InvalidArgument, "configuration: %v", err)
	}
	return config.Bridge, nil
}

// compare tells what of the answer the kernel does not hold.
func compare(req *pb.AttachRequest, answer *pb.AttachResponse) (findings []*pb.Finding) {
	expect := func(isSo bool, kind, object string) {
		if !isSo {
			findings = append(findings, &pb.Finding{Kind: kind, Object: object, Expected: object})
		}
	}
	pod, wanted := kit.Inside(req.Netns), answer.Interfaces[1]
	defer pod.Close()
	host, hostErr := netlink.LinkByName(answer.Interfaces[0].Name)
	inside, insideErr := pod.LinkByName(req.Ifname)
	if expect(hostErr == nil && insideErr == nil, "link-missing", req.Ifname); len(findings) > 0 {
		return findings
	}
	expect(host.Attrs().Flags&inside.Attrs().Flags&net.FlagUp != 0, "link-down", req.Ifname)
	expect(host.Attrs().MasterIndex != 0, "master", host.Attrs().Name)
	expect(inside.Attrs().MTU == int(wanted.Mtu), "mtu", fmt.Sprint(wanted.Mtu))
	expect(inside.Attrs().HardwareAddr.String() == wanted.Mac, "mac", wanted.Mac)
	addresses := kit.Must(pod.AddrList(inside, netlink.FAMILY_ALL))
	for _, own := range answer.Addresses {
		isIt := func(found netlink.Addr) bool { return found.IPNet.String() == own.Address }
		expect(slices.ContainsFunc(addresses, isIt), "address-missing", own.Address)
	}
	routes := kit.Must(pod.RouteListFiltered(netlink.FAMILY_ALL,
		&netlink.Route{LinkIndex: inside.Attrs().Index}, netlink.RT_FILTER_OIF|netlink.RT_FILTER_TABLE))
	for _, own := range answer.Routes {
		isIt := func(found netlink.Route) bool {
			return found.Dst.String() == own.Destination && found.Gw.Equal(net.ParseIP(own.Gateway)) &&
				found.Table == cmp.Or(int(own.Table), unix.RT_TABLE_MAIN)
		}
		expect(slices.ContainsFunc(routes, isIt), "route-missing", own.Destination)
	}
	return findings
}
