// Dials through Services from a namespace of its own. See README.md.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <sched.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signal.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { MAX_ADDRESSES = 64, BACKLOG = 4096, HELD = 256, ATTEMPT_MS = 5 };

static _Noreturn void die(const char *what) {
    fprintf(stderr, "bench-dial: %s: %s\n", what, strerror(errno));
    exit(1);
}

static int64_t now_ns(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (int64_t)time.tv_sec * 1000000000 + time.tv_nsec;
}

static void enter(const char *path) {
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0 || setns(fd, CLONE_NEWNET) < 0) die(path);
    close(fd);
}

static void use_cpu(int number) {
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET(number, &set);
    // Where there is no such CPU, anywhere.
    (void)sched_setaffinity(0, sizeof set, &set);
}

static struct sockaddr_in parse(const char *text) {
    char host[64];
    unsigned port;
    struct sockaddr_in address = {.sin_family = AF_INET};
    if (sscanf(text, "%63[0-9.]:%u", host, &port) != 2 || port > 65535 || inet_pton(AF_INET, host, &address.sin_addr) != 1) {
        errno = EINVAL;
        die(text);
    }
    address.sin_port = htons((uint16_t)port);
    return address;
}

// Closed by a reset: nothing is left in TIME_WAIT, neither here nor there.
static void hang_up(int fd) {
    struct linger linger = {.l_onoff = 1, .l_linger = 0};
    setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, sizeof linger);
    close(fd);
}

// `named`: each connection is told which address it reached, by a letter: A for the first.
static _Noreturn void serve(char **texts, int count, bool named) {
    struct pollfd sockets[MAX_ADDRESSES];
    static int held[HELD];
    int next = 0;
    if (count > MAX_ADDRESSES) count = MAX_ADDRESSES;
    for (int i = 0; i < count; i++) {
        struct sockaddr_in address = parse(texts[i]);
        int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0), one = 1;
        setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
        if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof address) < 0 || listen(fd, BACKLOG) < 0) die(texts[i]);
        sockets[i] = (struct pollfd){.fd = fd, .events = POLLIN};
    }
    puts("ready");
    fflush(stdout);
    for (;;) {
        if (poll(sockets, (nfds_t)count, -1) < 0) die("poll");
        for (int i = 0; i < count; i++) {
            if (!sockets[i].revents) continue;
            for (int fd; (fd = accept(sockets[i].fd, NULL, NULL)) >= 0;) {
                char letter = (char)('A' + i);
                if (named) (void)!write(fd, &letter, 1);
                // The client hangs up first: a reset from here could overtake its connect().
                if (held[next] > 0) hang_up(held[next]);
                held[next] = fd;
                next = (next + 1) % HELD;
            }
        }
    }
}

// Rounds go around all targets, so that drift of the machine hits all. A line for each round and target.
static int time_connects(int rounds, int per_round, char **texts, int count) {
    int64_t *times = calloc((size_t)per_round, sizeof *times);
    if (!times) die("memory");
    for (int round = 0; round < rounds; round++) {
        for (int at = 0; at < count; at++) {
            int target = (at + round) % count, failed = 0;
            struct sockaddr_in address = parse(texts[target]);
            for (int i = 0; i < per_round; i++) {
                int fd = socket(AF_INET, SOCK_STREAM, 0);
                struct timeval limit = {.tv_sec = 1};
                setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
                int64_t start = now_ns();
                if (connect(fd, (struct sockaddr *)&address, sizeof address) < 0) {
                    failed++;
                    fprintf(stderr, "bench-dial: %s, connection %d: %s\n", texts[target], i, strerror(errno));
                }
                times[i] = now_ns() - start;
                hang_up(fd);
            }
            printf("{\"round\":%d,\"target\":%d,\"failed\":%d,\"ns\":[", round, target, failed);
            for (int i = 0; i < per_round; i++) printf(i ? ",%lld" : "%lld", (long long)times[i]);
            puts("]}");
            fflush(stdout);
        }
    }
    free(times);
    return 0;
}

// 0, or an errno; ETIMEDOUT when nobody answered within ATTEMPT_MS. `letter`, where given: what the server said.
static int attempt(const struct sockaddr_in *address, char *letter) {
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0), result = 0;
    if (fd < 0) die("socket");
    if (connect(fd, (const struct sockaddr *)address, sizeof *address) < 0) {
        result = errno;
        if (result == EINPROGRESS) {
            struct pollfd waited = {.fd = fd, .events = POLLOUT};
            socklen_t size = sizeof result;
            if (poll(&waited, 1, ATTEMPT_MS) == 0) result = ETIMEDOUT;
            else getsockopt(fd, SOL_SOCKET, SO_ERROR, &result, &size);
        }
    }
    if (letter && result == 0) {
        struct pollfd waited = {.fd = fd, .events = POLLIN};
        if (poll(&waited, 1, ATTEMPT_MS) == 0) result = ETIMEDOUT;
        else if (read(fd, letter, 1) != 1) result = ECONNRESET;
    }
    hang_up(fd);
    return result;
}

static void rest(long ns) {
    struct timespec pause = {.tv_nsec = ns};
    nanosleep(&pause, NULL);
}

// Reads "open|closed|LETTER HOST:PORT LIMIT_MS" and says when that came true, as CLOCK_MONOTONIC. For a letter,
// which may take seconds, half a millisecond passes between attempts: what is measured needs the CPUs, too.
static int until(void) {
    char line[256], wish[16], text[80];
    int limit_ms;
    puts("ready");
    fflush(stdout);
    while (fgets(line, sizeof line, stdin)) {
        if (sscanf(line, "%15s %79s %d", wish, text, &limit_ms) != 3) return 2;
        struct sockaddr_in address = parse(text);
        bool wants_open = strcmp(wish, "open") == 0, wants_letter = strlen(wish) == 1;
        int64_t deadline = now_ns() + (int64_t)limit_ms * 1000000, at;
        int attempts = 0;
        for (;;) {
            char letter = 0;
            int result = attempt(&address, wants_letter ? &letter : NULL);
            at = now_ns();
            attempts++;
            if (wants_letter) {
                if (result == 0 && letter == wish[0]) break;
            } else if (wants_open ? result == 0 : result != 0 && result != ETIMEDOUT) break;
            if (at > deadline) {
                at = 0;
                break;
            }
            rest(wants_letter ? 500000 : 20000);
        }
        printf("{\"ns\":\"%lld\",\"attempts\":%d}\n", (long long)at, attempts);
        fflush(stdout);
    }
    return 0;
}

// Dials without pause and says where the longest time without a success was.
static int watch(const char *text, int milliseconds) {
    struct sockaddr_in address = parse(text);
    int64_t start = now_ns(), last = 0, gap = 0, gap_start = 0;
    int attempts = 0, successes = 0;
    puts("ready");
    fflush(stdout);
    for (int64_t at = start; at - start < (int64_t)milliseconds * 1000000; rest(20000)) {
        int result = attempt(&address, NULL);
        at = now_ns();
        attempts++;
        if (result != 0) continue;
        successes++;
        if (last != 0 && at - last > gap) {
            gap = at - last;
            gap_start = last;
        }
        last = at;
    }
    // It never came back: the outage lasts to the end.
    if (last != 0 && now_ns() - last > gap) gap = -1;
    printf("{\"attempts\":%d,\"successes\":%d,\"gapNs\":\"%lld\",\"gapStartNs\":\"%lld\"}\n", attempts, successes,
           (long long)gap, (long long)gap_start);
    return 0;
}

static int usage(void) {
    fputs("Usage: bench-dial NETNS serve HOST:PORT...\n"
          "       bench-dial NETNS name HOST:PORT...\n"
          "       bench-dial NETNS connect ROUNDS PER_ROUND HOST:PORT...\n"
          "       bench-dial NETNS until < wishes\n"
          "       bench-dial NETNS watch HOST:PORT MILLISECONDS\n",
          stderr);
    return 2;
}

int main(int argc, char **argv) {
    if (argc < 3) return usage();
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    prctl(PR_SET_TIMERSLACK, 1000UL);
    enter(argv[1]);
    const char *mode = argv[2];
    if ((strcmp(mode, "serve") == 0 || strcmp(mode, "name") == 0) && argc > 3) {
        if (mode[0] == 's') use_cpu(1);
        serve(argv + 3, argc - 3, mode[0] == 'n');
    }
    if (strcmp(mode, "connect") == 0 && argc > 5) {
        use_cpu(0);
        return time_connects(atoi(argv[3]), atoi(argv[4]), argv + 5, argc - 5);
    }
    if (strcmp(mode, "until") == 0) return until();
    if (strcmp(mode, "watch") == 0 && argc == 5) return watch(argv[3], atoi(argv[4]));
    return usage();
}
