// A plugin that does nothing: it answers Attach from the request alone. The bench measures by it what a
// plugin in a process of its own costs.
package main

import (
	"cmp"
	"context"
	"sync"

	pb "patchbay.example/go-bridge/gen"
	"patchbay.example/go-bridge/internal/kit"
)

func main() {
	kit.Serve(&pb.GetInfoResponse{
		Name: "go-noop", Version: "1.0.0", ContractVersions: []string{"patchbay.plugin.v1"},
		Roles:        []pb.Role{pb.Role_ROLE_NETWORK},
		Capabilities: []pb.Capability{pb.Capability_CAPABILITY_ATTACH_IN_PARALLEL},
	}, &plugin{})
}

type plugin struct {
	pb.UnimplementedNetworkPluginServer
	networks sync.Map // Name of the network by attachment id.
}

func (p *plugin) Attach(_ context.Context, req *pb.AttachRequest) (*pb.AttachResponse, error) {
	p.networks.Store(req.AttachmentId, req.Network)
	mac := cmp.Or(req.Mac, kit.MAC(req.AttachmentId).String())
	pod := &pb.Interface{Name: req.Ifname, Mac: mac, Mtu: cmp.Or(req.Mtu, 1500), Sandbox: req.Netns}
	answer := &pb.AttachResponse{Interfaces: []*pb.Interface{pod}, Routes: kit.Routes(req)}
	for _, own := range req.Addresses {
		answer.Addresses = append(answer.Addresses, &pb.SetAddress{Address: own.Address, Gateway: own.Gateway})
	}
	return answer, nil
}

func (p *plugin) Detach(_ context.Context, req *pb.DetachRequest) (*pb.DetachResponse, error) {
	p.networks.Delete(req.AttachmentId)
	return &pb.DetachResponse{}, nil
}

func (p *plugin) List(_ context.Context, req *pb.ListRequest) (*pb.ListResponse, error) {
	answer := &pb.ListResponse{}
	p.networks.Range(func(id, network any) bool {
		if req.Network == "" || req.Network == network {
			answer.Attachments = append(answer.Attachments, &pb.ListedAttachment{AttachmentId: id.(string)})
		}
		return true
	})
	return answer, nil
}

func (p *plugin) Check(context.Context, *pb.CheckRequest) (*pb.CheckResponse, error) {
	return &pb.CheckResponse{}, nil
}

func (p *plugin) Status(context.Context, *pb.StatusRequest) (*pb.StatusResponse, error) {
	return &pb.StatusResponse{Ready: true}, nil
}
