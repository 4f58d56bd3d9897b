// Package kit is what any network plugin in Go wants: copy it. serve.go: socket, health, turns, statuses,
// the end. inside.go: namespaces. names.go: names that follow from attachment ids, and the routes of a pod.
package kit

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"hash/maphash"
	"log"
	"net"
	"os"
	"os/signal"
	"path/filepath"
	"sync"
	"syscall"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/health"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/status"
	pb "patchbay.example/go-bridge/gen"
)

type identity struct {
	pb.UnimplementedPluginServer
	info *pb.GetInfoResponse
}

func (i identity) GetInfo(context.Context, *pb.GetInfoRequest) (*pb.GetInfoResponse, error) {
	return i.info, nil
}

// Serve serves a plugin on the socket of flag --socket until SIGTERM.
func Serve(info *pb.GetInfoResponse, network pb.NetworkPluginServer) {
	socket := flag.String("socket", "/run/patchbay/plugins/"+info.Name+".sock", "where to listen")
	flag.Parse()
	server, healthy := grpc.NewServer(grpc.UnaryInterceptor(inTurn)), health.NewServer()
	pb.RegisterPluginServer(server, identity{info: info})
	pb.RegisterNetworkPluginServer(server, network)
	healthpb.RegisterHealthServer(server, healthy)

	// Bound under another name and renamed: it appears when calls are answered, and takes the place of
	// an older process's socket, which goes on with the calls that it has.
	temporary := fmt.Sprintf("%s/.%s-%d", filepath.Dir(*socket), filepath.Base(*socket), os.Getpid())
	listener, err := net.ListenUnix("unix", &net.UnixAddr{Name: temporary, Net: "unix"})
	if err != nil {
		log.Fatal(err)
	}
	listener.SetUnlinkOnClose(false)
	go server.Serve(listener)
	own, err := os.Lstat(temporary)
	if err := errors.Join(err, os.Chmod(temporary, 0o600), os.Rename(temporary, *socket)); err != nil {
		log.Fatal(err)
	}

	stop, _ := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	<-stop.Done()
	healthy.Shutdown()
	// Unless a newer process has put its own there.
	if found, err := os.Lstat(*socket); err == nil && os.SameFile(own, found) {
		os.Remove(*socket)
	}
	// Calls under way may end, within the ten seconds that a host gives.
	time.AfterFunc(8*time.Second, server.Stop)
	server.GracefulStop()
}

var (
	turns [256]sync.Mutex
	seed  = maphash.MakeSeed()
)

// inTurn lets calls for one attachment follow each other: a Detach may come while an Attach runs. What
// Check, Must and Refuse throw is what the call answers.
func inTurn(ctx context.Context, req any, _ *grpc.UnaryServerInfo, call grpc.UnaryHandler) (answer any, err error) {
	defer func() {
		if thrown := recover(); thrown != nil {
			var isError bool
			if err, isError = thrown.(error); !isError {
				panic(thrown)
			}
		}
	}()
	about, _ := req.(interface{ GetAttachmentId() string })
	if check, isCheck := req.(*pb.CheckRequest); isCheck {
		about = check.GetAttachment()
	}
	if about != nil {
		turn := &turns[maphash.String(seed, about.GetAttachmentId())%uint64(len(turns))]
		turn.Lock()
		defer turn.Unlock()
	}
	// The host may have given up on an Attach that waited, and have sent the Detach.
	Check(ctx.Err())
	return call(ctx, req)
}

// Check ends the call with the error, if there is one.
func Check(err error) {
	if err != nil {
		panic(err)
	}
}

// Must ends the call with the error, or gives the value.
func Must[T any](value T, err error) T {
	Check(err)
	return value
}

// Refuse ends the call with that status where something is so.
func Refuse(isSo bool, code codes.Code, format string, args ...any) {
	if isSo {
		panic(status.Errorf(code, format, args...))
	}
}
