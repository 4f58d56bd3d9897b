// The dual-stack attach of plugins/routed in the fewest system calls that rtnetlink allows: the limit that any
// implementation in any language can be held against. See README.md.
//
// Two sends: one in the node, one in the pod. Both link indexes are chosen here, so that routes can name a link that
// the same send creates. Only the last message of a send asks for an acknowledgement: errors come anyway, so one
// recv tells whether all went well.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <linux/veth.h>
#include <net/if.h>
#include <sched.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { MTU = 1500, ADDR_GEN_MODE_NONE = 1 };

struct attach {
    const char *netns, *link;
    struct in_addr v4, gateway4;
    struct in6_addr v6, gateway6;
    uint8_t host_mac[6], pod_mac[6];
    int host_index, pod_index;
};

struct batch {
    char bytes[4096];
    size_t length;
    struct nlmsghdr *last;
};

static void die(const char *what) {
    printf("{\"cniVersion\":\"1.1.0\",\"code\":5,\"msg\":\"%s\",\"details\":\"%s\"}\n", what, strerror(errno));
    exit(1);
}

// Messages

static void *append(struct batch *batch, const void *bytes, size_t length) {
    void *place = batch->bytes + batch->length;
    memcpy(place, bytes, length);
    batch->length += NLMSG_ALIGN(length);
    return place;
}

static void begin(struct batch *batch, int type, int flags, const void *body, size_t length) {
    struct nlmsghdr header = {.nlmsg_type = (uint16_t)type, .nlmsg_flags = (uint16_t)(NLM_F_REQUEST | flags)};
    batch->last = append(batch, &header, sizeof header);
    append(batch, body, length);
}

static void end(struct batch *batch) { batch->last->nlmsg_len = (uint32_t)(batch->bytes + batch->length - (char *)batch->last); }

static void attribute(struct batch *batch, int type, const void *bytes, size_t length) {
    struct rtattr header = {.rta_type = (uint16_t)type, .rta_len = (uint16_t)RTA_LENGTH(length)};
    append(batch, &header, sizeof header);
    append(batch, bytes, length);
}

static void attribute_u32(struct batch *batch, int type, uint32_t value) { attribute(batch, type, &value, sizeof value); }

static void attribute_text(struct batch *batch, int type, const char *text) { attribute(batch, type, text, strlen(text) + 1); }

static struct rtattr *nest(struct batch *batch, int type) {
    struct rtattr header = {.rta_type = (uint16_t)type};
    return append(batch, &header, sizeof header);
}

static void close_nest(struct batch *batch, struct rtattr *nested) {
    nested->rta_len = (uint16_t)(batch->bytes + batch->length - (char *)nested);
}

static void create_veth(struct batch *batch, const struct attach *attach, int netns) {
    struct ifinfomsg link = {.ifi_index = attach->host_index};
    begin(batch, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, &link, sizeof link);
    attribute_text(batch, IFLA_IFNAME, attach->link);
    attribute_u32(batch, IFLA_MTU, MTU);
    attribute(batch, IFLA_ADDRESS, attach->host_mac, 6);
    struct rtattr *info = nest(batch, IFLA_LINKINFO);
    attribute_text(batch, IFLA_INFO_KIND, "veth");
    struct rtattr *data = nest(batch, IFLA_INFO_DATA);
    struct rtattr *peer = nest(batch, VETH_INFO_PEER);
    // Kept by the kernel only because the host's end names its own, too.
    struct ifinfomsg peer_link = {.ifi_index = attach->pod_index};
    append(batch, &peer_link, sizeof peer_link);
    attribute_text(batch, IFLA_IFNAME, "eth0");
    attribute_u32(batch, IFLA_MTU, MTU);
    attribute(batch, IFLA_ADDRESS, attach->pod_mac, 6);
    attribute_u32(batch, IFLA_NET_NS_FD, (uint32_t)netns);
    close_nest(batch, peer);
    close_nest(batch, data);
    close_nest(batch, info);
    end(batch);
}

// Cannot be given to the creating message (EAFNOSUPPORT), and must not share one with IFF_UP: the kernel handles the
// flag first, and a link that gets its carrier then has a tentative link-local address of the kernel's already.
static void keep_link_local_away(struct batch *batch, int index) {
    struct ifinfomsg link = {.ifi_index = index};
    begin(batch, RTM_NEWLINK, 0, &link, sizeof link);
    struct rtattr *families = nest(batch, IFLA_AF_SPEC);
    struct rtattr *inet6 = nest(batch, AF_INET6);
    uint8_t mode = ADDR_GEN_MODE_NONE;
    attribute(batch, IFLA_INET6_ADDR_GEN_MODE, &mode, sizeof mode);
    close_nest(batch, inet6);
    close_nest(batch, families);
    end(batch);
}

static void set_up(struct batch *batch, int index, const char *alias) {
    struct ifinfomsg link = {.ifi_index = index, .ifi_flags = IFF_UP, .ifi_change = IFF_UP};
    begin(batch, RTM_NEWLINK, 0, &link, sizeof link);
    if (alias) attribute_text(batch, IFLA_IFALIAS, alias);
    end(batch);
}

static void add_address(struct batch *batch, int index, int family, const void *address, int prefix_length, int scope) {
    struct ifaddrmsg body = {.ifa_family = (uint8_t)family, .ifa_prefixlen = (uint8_t)prefix_length, .ifa_scope = (uint8_t)scope, .ifa_index = (uint32_t)index};
    size_t length = family == AF_INET ? 4 : 16;
    begin(batch, RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL, &body, sizeof body);
    attribute(batch, IFA_LOCAL, address, length);
    attribute(batch, IFA_ADDRESS, address, length);
    if (family == AF_INET6) attribute_u32(batch, IFA_FLAGS, IFA_F_NODAD);
    end(batch);
}

static void add_route(struct batch *batch, int index, int family, const void *destination, const void *gateway) {
    size_t length = family == AF_INET ? 4 : 16;
    struct rtmsg body = {.rtm_family = (uint8_t)family, .rtm_dst_len = destination ? (uint8_t)(length * 8) : 0, .rtm_table = RT_TABLE_MAIN,
                         .rtm_protocol = RTPROT_STATIC, .rtm_scope = gateway ? RT_SCOPE_UNIVERSE : RT_SCOPE_LINK, .rtm_type = RTN_UNICAST,
                         .rtm_flags = gateway ? RTNH_F_ONLINK : 0};
    begin(batch, RTM_NEWROUTE, NLM_F_CREATE | NLM_F_EXCL, &body, sizeof body);
    if (destination) attribute(batch, RTA_DST, destination, length);
    if (gateway) attribute(batch, RTA_GATEWAY, gateway, length);
    attribute_u32(batch, RTA_OIF, (uint32_t)index);
    end(batch);
}

static void add_neighbour(struct batch *batch, int index, int family, const void *address, const uint8_t *mac) {
    struct ndmsg body = {.ndm_family = (uint8_t)family, .ndm_ifindex = index, .ndm_state = NUD_PERMANENT, .ndm_type = RTN_UNICAST};
    begin(batch, RTM_NEWNEIGH, NLM_F_CREATE | NLM_F_REPLACE, &body, sizeof body);
    attribute(batch, NDA_DST, address, family == AF_INET ? 4 : 16);
    attribute(batch, NDA_LLADDR, mac, 6);
    end(batch);
}

static void delete_link(struct batch *batch, const char *name) {
    struct ifinfomsg link = {0};
    begin(batch, RTM_DELLINK, 0, &link, sizeof link);
    attribute_text(batch, IFLA_IFNAME, name);
    end(batch);
}

// Sockets

static int open_netlink(void) {
    int socket_fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
    if (socket_fd < 0) die("Cannot open a netlink socket");
    return socket_fd;
}

// 0, or the errno of the first message that failed.
static int transact(int socket_fd, struct batch *batch) {
    batch->last->nlmsg_flags |= NLM_F_ACK;
    struct sockaddr_nl kernel = {.nl_family = AF_NETLINK};
    if (sendto(socket_fd, batch->bytes, batch->length, 0, (struct sockaddr *)&kernel, sizeof kernel) < 0) return errno;
    struct {
        struct nlmsghdr header;
        struct nlmsgerr error;
        char rest[4096];
    } answer;
    if (recv(socket_fd, &answer, sizeof answer, 0) < 0) return errno;
    return answer.header.nlmsg_type == NLMSG_ERROR ? -answer.error.error : EPROTO;
}

// The work

static uint32_t hash(const char *text) {
    uint32_t value = 2166136261u;
    while (*text) value = (value ^ (uint8_t)*text++) * 16777619u;
    return value;
}

static bool parse(struct attach *attach, const char *const field[6]) {
    for (int i = 0; i < 6; i++) {
        if (!field[i]) return false;
    }
    *attach = (struct attach){.netns = field[0], .link = field[1]};
    uint32_t name = hash(attach->link);
    // Beyond any index that a kernel has counted up to.
    attach->host_index = attach->pod_index = (int)(0x10000000 | (name & 0x0fffffff));
    memcpy(attach->host_mac, (uint8_t[]){0x02, 0x01, (uint8_t)(name >> 24), (uint8_t)(name >> 16), (uint8_t)(name >> 8), (uint8_t)name}, 6);
    memcpy(attach->pod_mac, attach->host_mac, 6);
    attach->pod_mac[1] = 0x02;
    return strlen(attach->link) < IFNAMSIZ && inet_pton(AF_INET, field[2], &attach->v4) == 1 && inet_pton(AF_INET6, field[3], &attach->v6) == 1 &&
           inet_pton(AF_INET, field[4], &attach->gateway4) == 1 && inet_pton(AF_INET6, field[5], &attach->gateway6) == 1;
}

static void fill_host(struct batch *batch, const struct attach *attach, int netns) {
    create_veth(batch, attach, netns);
    keep_link_local_away(batch, attach->host_index);
    set_up(batch, attach->host_index, "patchbay bench");
    add_route(batch, attach->host_index, AF_INET, &attach->v4, NULL);
    add_route(batch, attach->host_index, AF_INET6, &attach->v6, NULL);
    add_neighbour(batch, attach->host_index, AF_INET, &attach->v4, attach->pod_mac);
    add_neighbour(batch, attach->host_index, AF_INET6, &attach->v6, attach->pod_mac);
}

static struct in6_addr link_local(const uint8_t *mac) {
    struct in6_addr address = {.s6_addr = {0xfe, 0x80, 0, 0, 0, 0, 0, 0, mac[0] ^ 2, mac[1], mac[2], 0xff, 0xfe, mac[3], mac[4], mac[5]}};
    return address;
}

static void fill_pod(struct batch *batch, const struct attach *attach) {
    struct in6_addr local = link_local(attach->pod_mac);
    set_up(batch, 1, NULL);
    keep_link_local_away(batch, attach->pod_index);
    set_up(batch, attach->pod_index, NULL);
    add_address(batch, attach->pod_index, AF_INET, &attach->v4, 32, RT_SCOPE_UNIVERSE);
    add_address(batch, attach->pod_index, AF_INET6, &attach->v6, 128, RT_SCOPE_UNIVERSE);
    add_address(batch, attach->pod_index, AF_INET6, &local, 64, RT_SCOPE_LINK);
    add_neighbour(batch, attach->pod_index, AF_INET, &attach->gateway4, attach->host_mac);
    add_neighbour(batch, attach->pod_index, AF_INET6, &attach->gateway6, attach->host_mac);
    add_route(batch, attach->pod_index, AF_INET, NULL, &attach->gateway4);
    add_route(batch, attach->pod_index, AF_INET6, NULL, &attach->gateway6);
}

// Leaves the caller in the pod's namespace when `home` is -1: one-shot has no more to do in the node.
static int run_attach(const struct attach *attach, int host_socket, int home) {
    int netns = open(attach->netns, O_RDONLY | O_CLOEXEC);
    if (netns < 0) return errno;
    struct batch host = {0}, pod = {0};
    fill_host(&host, attach, netns);
    int error = transact(host_socket, &host);
    if (!error && setns(netns, CLONE_NEWNET) < 0) error = errno;
    if (!error) {
        int pod_socket = open_netlink();
        if (home >= 0 && setns(home, CLONE_NEWNET) < 0) die("Cannot come back from the pod's namespace");
        fill_pod(&pod, attach);
        error = transact(pod_socket, &pod);
        if (home >= 0) close(pod_socket);
    }
    if (home >= 0) close(netns);
    // A link that was there before is not ours to remove.
    bool created = error != EEXIST || pod.length > 0;
    if (error && created) {
        struct batch undo = {0};
        delete_link(&undo, attach->link);
        transact(host_socket, &undo);
    }
    return error;
}

static int run_detach(const char *link, int host_socket) {
    struct batch batch = {0};
    delete_link(&batch, link);
    int error = transact(host_socket, &batch);
    return error == ENODEV ? 0 : error;
}

static double now_us(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1e6 + now.tv_nsec / 1e3;
}

// Lines "netns link v4 v6 gateway4 gateway6"; one JSON line for each, as exec-driver prints.
static int loop(bool detach) {
    int home = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC), host_socket = open_netlink(), count = 0, failed = 0;
    if (home < 0) die("Cannot open the own namespace");
    char *line = NULL;
    size_t size = 0;
    double total = 0;
    while (getline(&line, &size, stdin) > 0) {
        const char *field[6] = {NULL};
        char *rest = NULL;
        for (int i = 0; i < 6; i++) field[i] = strtok_r(i ? NULL : line, " \t\n", &rest);
        if (!field[0]) continue;
        struct attach attach;
        if (!parse(&attach, field)) {
            errno = EINVAL;
            die("Cannot read the list");
        }
        double start = now_us();
        int error = detach ? run_detach(attach.link, host_socket) : run_attach(&attach, host_socket, home);
        double wall = now_us() - start;
        total += wall;
        count++;
        failed += error != 0;
        if (error) fprintf(stderr, "attach %s: %s\n", attach.link, strerror(error));
        printf("{\"id\":\"%s\",\"wall_us\":%.1f,\"exit\":%d}\n", attach.link, wall, error ? 1 : 0);
    }
    free(line);
    printf("{\"total\":{\"command\":\"%s\",\"count\":%d,\"failed\":%d,\"concurrency\":1,\"wall_us\":%.1f}}\n", detach ? "DEL" : "ADD", count, failed, total);
    return failed ? 1 : 0;
}

// As a CNI plugin: CNI_NETNS, and CNI_ARGS "LINK=veth1;V4=10.0.0.2;V6=fd00::2;GW4=169.254.1.1;GW6=fe80::1".
static void read_environment(const char *field[6]) {
    static const char *const names[] = {NULL, "LINK=", "V4=", "V6=", "GW4=", "GW6="};
    field[0] = getenv("CNI_NETNS") ? getenv("CNI_NETNS") : "";
    char *arguments = getenv("CNI_ARGS"), *rest = NULL;
    for (char *item = arguments ? strtok_r(arguments, ";", &rest) : NULL; item; item = strtok_r(NULL, ";", &rest)) {
        for (int i = 1; i < 6; i++) {
            if (strncmp(item, names[i], strlen(names[i])) == 0) field[i] = item + strlen(names[i]);
        }
    }
}

static int one_shot(const char *const field[6], bool detach) {
    struct attach attach;
    errno = EINVAL;
    if (!parse(&attach, field)) die("Usage: attach [--delete] NETNS LINK V4 V6 GATEWAY4 GATEWAY6, or --loop < list, or CNI_ARGS");
    int host_socket = open_netlink();
    errno = detach ? run_detach(attach.link, host_socket) : run_attach(&attach, host_socket, -1);
    if (errno) die("Cannot attach");
    return 0;
}

int main(int argc, char **argv) {
    bool is_loop = false, detach = getenv("CNI_COMMAND") && strcmp(getenv("CNI_COMMAND"), "DEL") == 0;
    int first = 1;
    for (; first < argc && strncmp(argv[first], "--", 2) == 0; first++) {
        is_loop |= strcmp(argv[first], "--loop") == 0;
        detach |= strcmp(argv[first], "--delete") == 0;
    }
    if (is_loop) return loop(detach);
    const char *field[6] = {NULL};
    if (argc - first == 6) memcpy(field, argv + first, sizeof field);
    else read_environment(field);
    return one_shot(field, detach);
}
