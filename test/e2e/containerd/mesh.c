/*
 * Who reaches whom. Arguments: NETNS,ADDRESS[,ADDRESS...] for each member. The program listens on every
 * address in its member's network namespace, connects from every namespace to every address of every
 * other member, over TCP and UDP, and sees on the accepting side that the peer is the member itself
 * (nobody translated its address). Prints a line for each pair that fails and at last
 * "CHECKED FAILED"; exit status 1 when a pair failed, 2 for trouble of its own.
 *
 * One process can be in many namespaces: a socket stays in the one that it was made in.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

enum { PORT = 7007, ADDRESSES_MAX = 4, TIMEOUT_MS = 2000 };

struct address {
    char text[INET6_ADDRSTRLEN];
    struct sockaddr_storage name;
    socklen_t size;
    int tcp, udp;
};

struct member {
    int netns, count;
    struct address addresses[ADDRESSES_MAX];
};

static int checked, failed;

static void stop(const char *what, const char *about) {
    fprintf(stderr, "mesh: %s %s: %s\n", what, about, strerror(errno));
    exit(2);
}

static void check(const char *error, const char *kind, const struct member *from, const struct address *to) {
    checked++;
    if (!error) return;
    failed++;
    printf("%s %s -> %s: %s\n", kind, from->addresses[0].text, to->text, error);
}

static void parse_address(const char *text, struct address *out) {
    struct sockaddr_in *v4 = (struct sockaddr_in *)&out->name;
    struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)&out->name;
    snprintf(out->text, sizeof out->text, "%s", text);
    if (inet_pton(AF_INET, text, &v4->sin_addr) == 1) {
        v4->sin_family = AF_INET;
        v4->sin_port = htons(PORT);
        out->size = sizeof *v4;
    } else if (inet_pton(AF_INET6, text, &v6->sin6_addr) == 1) {
        v6->sin6_family = AF_INET6;
        v6->sin6_port = htons(PORT);
        out->size = sizeof *v6;
    } else {
        errno = EINVAL;
        stop("no address", text);
    }
}

static int listen_on(const struct address *address, int type) {
    int one = 1, fd = socket(address->name.ss_family, type | SOCK_CLOEXEC, 0);
    struct timeval limit = {TIMEOUT_MS / 1000, TIMEOUT_MS % 1000 * 1000};
    if (fd < 0) stop("socket", address->text);
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    if (address->name.ss_family == AF_INET6) setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &one, sizeof one);
    if (bind(fd, (const struct sockaddr *)&address->name, address->size)) stop("bind", address->text);
    if (type == SOCK_STREAM && listen(fd, 16)) stop("listen", address->text);
    return fd;
}

/* True when the peer's address, whatever its port, is one of the member's. */
static int is_of(const struct member *member, const struct sockaddr_storage *peer) {
    char text[INET6_ADDRSTRLEN] = "";
    const void *bytes = peer->ss_family == AF_INET ? (const void *)&((const struct sockaddr_in *)peer)->sin_addr
                                                   : (const void *)&((const struct sockaddr_in6 *)peer)->sin6_addr;
    inet_ntop(peer->ss_family, bytes, text, sizeof text);
    for (int i = 0; i < member->count; i++)
        if (strcmp(member->addresses[i].text, text) == 0) return 1;
    return 0;
}

static int client_of(const struct address *to, int type) {
    struct timeval limit = {TIMEOUT_MS / 1000, TIMEOUT_MS % 1000 * 1000};
    int fd = socket(to->name.ss_family, type | SOCK_CLOEXEC, 0);
    if (fd < 0) stop("socket", to->text);
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    return fd;
}

/* The calls block for TIMEOUT_MS at most. */
static const char *try_tcp(const struct member *from, const struct address *to) {
    struct sockaddr_storage peer;
    socklen_t size = sizeof peer;
    const char *error = NULL;
    int client = client_of(to, SOCK_STREAM), server = -1;
    if (connect(client, (const struct sockaddr *)&to->name, to->size)) {
        error = errno == EINPROGRESS ? "no answer" : strerror(errno);
    } else if ((server = accept(to->tcp, (struct sockaddr *)&peer, &size)) < 0) {
        error = "connected to something else";
    } else if (!is_of(from, &peer)) {
        error = "its address was translated";
    }
    close(client);
    if (server >= 0) close(server);
    return error;
}

static const char *try_udp(const struct member *from, const struct address *to) {
    struct sockaddr_storage peer;
    socklen_t size = sizeof peer;
    char buffer[8];
    const char *error = NULL;
    int client = client_of(to, SOCK_DGRAM);
    if (connect(client, (const struct sockaddr *)&to->name, to->size) || send(client, "ping", 4, 0) != 4) {
        error = strerror(errno);
    } else if (recvfrom(to->udp, buffer, sizeof buffer, 0, (struct sockaddr *)&peer, &size) != 4) {
        error = "nothing arrived";
    } else if (!is_of(from, &peer)) {
        error = "its address was translated";
    } else if (sendto(to->udp, "pong", 4, 0, (struct sockaddr *)&peer, size) != 4 || recv(client, buffer, 4, 0) != 4) {
        error = "no way back";
    }
    close(client);
    return error;
}

int main(int argc, char **argv) {
    int count = argc - 1;
    struct member *members = calloc(count + 1, sizeof *members);
    for (int i = 0; i < count; i++) {
        char *rest = argv[i + 1], *path = strsep(&rest, ",");
        struct member *member = &members[i];
        member->netns = open(path, O_RDONLY | O_CLOEXEC);
        if (member->netns < 0 || setns(member->netns, CLONE_NEWNET)) stop("network namespace", path);
        for (char *text; (text = strsep(&rest, ",")) && member->count < ADDRESSES_MAX; member->count++) {
            struct address *address = &member->addresses[member->count];
            parse_address(text, address);
            address->tcp = listen_on(address, SOCK_STREAM);
            address->udp = listen_on(address, SOCK_DGRAM);
        }
    }
    for (int i = 0; i < count; i++) {
        if (setns(members[i].netns, CLONE_NEWNET)) stop("network namespace", argv[i + 1]);
        for (int j = 0; j < count; j++) {
            for (int a = 0; i != j && a < members[j].count; a++) {
                const struct address *to = &members[j].addresses[a];
                check(try_tcp(&members[i], to), "TCP", &members[i], to);
                check(try_udp(&members[i], to), "UDP", &members[i], to);
            }
        }
    }
    printf("%d %d\n", checked, failed);
    return failed ? 1 : 0;
}
