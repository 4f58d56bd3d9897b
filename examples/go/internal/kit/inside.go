package kit

import (
	"errors"

	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netns"
	"golang.org/x/sys/unix"
)

// Pod speaks with the kernel about a pod's network namespace, by a socket that was opened in it: a
// thread of Go's was there (LockOSThread, setns) for that moment only, and none has to stay.
type Pod struct {
	*netlink.Handle
	Namespace netns.NsHandle
}

// Inside opens the namespace at a path. The caller closes it.
func Inside(path string) Pod {
	namespace := Must(netns.GetFromPath(path))
	handle, err := netlink.NewHandleAt(namespace, unix.NETLINK_ROUTE)
	if err != nil {
		namespace.Close()
	}
	return Pod{Must(handle, err), namespace}
}

// Close closes socket and namespace.
func (p Pod) Close() {
	p.Handle.Close()
	p.Namespace.Close()
}

// Dump lists what the kernel holds, again where something came or went meanwhile: such a list has holes.
func Dump[T any](list func() ([]T, error)) []T {
	for range 20 {
		if found, err := list(); !errors.Is(err, netlink.ErrDumpInterrupted) {
			return Must(found, err)
		}
	}
	return Must([]T(nil), netlink.ErrDumpInterrupted)
}
