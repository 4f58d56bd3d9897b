package kit

import (
	"cmp"
	"crypto/sha256"
	"fmt"
	"net"
	"slices"
	"strings"

	pb "patchbay.example/go-bridge/gen"
)

// LinkName names the node's end of an attachment: 15 characters, all that Linux allows.
func LinkName(attachmentID string) string {
	return fmt.Sprintf("go%x", sha256.Sum256([]byte(attachmentID)))[:15]
}

// MAC is the address of something with a name: locally administered, and the same each time.
func MAC(name string) net.HardwareAddr {
	sum := sha256.Sum256([]byte(name))
	return append(net.HardwareAddr{2}, sum[:5]...)
}

// Alias is what the node's end says of itself, so that List needs no memory. The kernel keeps 255 bytes.
func Alias(plugin, attachmentID, network string) string {
	alias := strings.Join([]string{plugin, attachmentID, network}, " ")
	return alias[:min(len(alias), 255)]
}

// FindAttachment reads an alias; "": of another plugin, or of another network. Network "" is any.
func FindAttachment(plugin, alias, network string) string {
	words := strings.SplitN(alias, " ", 3)
	if len(words) < 3 || words[0] != plugin || network != "" && alias != Alias(plugin, words[1], network) {
		return ""
	}
	return words[1]
}

// Routes of a pod: its default routes, unless it is to have none, and those that the request names.
func Routes(req *pb.AttachRequest) (routes []*pb.Route) {
	gateways := map[string]string{}
	for _, own := range req.Addresses {
		all := everywhere(own.Address)
		gateways[all] = own.Gateway
		isNamed := slices.ContainsFunc(req.Routes, func(route *pb.Route) bool { return route.Destination == all })
		if own.Gateway != "" && req.DefaultRoute != pb.DefaultRoute_DEFAULT_ROUTE_NONE && !isNamed {
			routes = append(routes, &pb.Route{Destination: all, Gateway: own.Gateway})
		}
	}
	for _, route := range req.Routes {
		route.Gateway = cmp.Or(route.Gateway, gateways[everywhere(route.Destination)])
		routes = append(routes, route)
	}
	return routes
}

// everywhere is the destination of the default route in an address's family.
func everywhere(address string) string {
	if strings.Contains(address, ":") {
		return "::/0"
	}
	return "0.0.0.0/0"
}
