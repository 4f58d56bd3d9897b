// Executes CNI plugins as a container runtime does and times each exec: vfork, execve, stdin from a file, stdout
// caught, wait4. Prints one JSON line per exec and one with the total. See README.md.
//
// What is timed holds nothing of the driver but vfork, dup2 and wait4: environments, descriptors and results are laid
// out before, printing happens after. It is small and static, since ru_maxrss of a child starts at the spawner's.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { MAX_EXTRA_ENV = 32, MAX_ENV = 8 + MAX_EXTRA_ENV + 1 };

struct exec {
    char *id;
    char *netns;
    char *cni_args;
    char *stdin_path;
    char *env[MAX_ENV];
    int64_t start_ns, end_ns;
    struct rusage usage;
    int status;
    bool done;
};

// A place for one exec in flight. Its descriptors serve one exec after the other.
struct slot {
    pid_t pid;
    struct exec *exec;
    int stdin_fd, stdout_fd;
    const char *stdin_path;
};

static struct {
    const char *binary, *command, *ifname, *cni_path, *stdin_path, *save;
    const char *extra_env[MAX_EXTRA_ENV];
    int extra_env_count, concurrency, repeat, timeout_seconds;
    bool quiet;
} options = {.command = "ADD", .ifname = "eth0", .cni_path = "/opt/cni/bin", .stdin_path = "/dev/null",
             .concurrency = 1, .repeat = 1, .timeout_seconds = 300};

static struct slot *slots;

static void die(const char *what) {
    fprintf(stderr, "exec-driver: %s: %s\n", what, strerror(errno));
    exit(2);
}

static void *allocate(size_t count, size_t size) {
    void *memory = calloc(count ? count : 1, size);
    if (!memory) die("Cannot allocate memory");
    return memory;
}

static int64_t now_ns(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

// "{id}" in the pattern stands for the container id.
static char *with_id(const char *pattern, const char *id) {
    const char *mark = strstr(pattern, "{id}");
    char *text = NULL;
    int length = mark ? asprintf(&text, "%.*s%s%s", (int)(mark - pattern), pattern, id, mark + 4) : asprintf(&text, "%s", pattern);
    if (length < 0) die("Cannot allocate memory");
    return text;
}

static char *assignment(const char *name, const char *value) {
    char *text;
    if (asprintf(&text, "%s=%s", name, value) < 0) die("Cannot allocate memory");
    return text;
}

static void prepare(struct exec *exec) {
    char **next = exec->env;
    *next++ = assignment("CNI_COMMAND", options.command);
    *next++ = assignment("CNI_CONTAINERID", exec->id);
    *next++ = assignment("CNI_IFNAME", options.ifname);
    *next++ = assignment("CNI_PATH", options.cni_path);
    *next++ = assignment("PATH", "/usr/sbin:/usr/bin:/sbin:/bin");
    if (exec->netns) *next++ = assignment("CNI_NETNS", exec->netns);
    if (exec->cni_args) *next++ = assignment("CNI_ARGS", exec->cni_args);
    for (int i = 0; i < options.extra_env_count; i++) *next++ = with_id(options.extra_env[i], exec->id);
    *next = NULL;
    exec->stdin_path = with_id(options.stdin_path, exec->id);
}

// Untimed: descriptors that the next exec of this slot inherits.
static void ready_slot(struct slot *slot, struct exec *exec) {
    if (slot->stdin_path && strcmp(slot->stdin_path, exec->stdin_path) == 0) {
        if (lseek(slot->stdin_fd, 0, SEEK_SET) < 0 && errno != ESPIPE) die("Cannot rewind standard input");
    } else {
        if (slot->stdin_path) close(slot->stdin_fd);
        slot->stdin_fd = open(exec->stdin_path, O_RDONLY | O_CLOEXEC);
        if (slot->stdin_fd < 0) die(exec->stdin_path);
        slot->stdin_path = exec->stdin_path;
    }
    if (ftruncate(slot->stdout_fd, 0) < 0 || lseek(slot->stdout_fd, 0, SEEK_SET) < 0) die("Cannot empty standard output");
    slot->exec = exec;
}

static void start(struct slot *slot) {
    struct exec *exec = slot->exec;
    char *const argv[] = {(char *)options.binary, NULL};
    exec->start_ns = now_ns();
    pid_t pid = vfork();
    if (pid == 0) {
        if (dup2(slot->stdin_fd, STDIN_FILENO) < 0 || dup2(slot->stdout_fd, STDOUT_FILENO) < 0) _exit(126);
        execve(options.binary, argv, exec->env);
        _exit(127);
    }
    if (pid < 0) die("Cannot vfork");
    slot->pid = pid;
}

// Untimed: keeps or shows what the plugin printed.
static void collect(struct slot *slot) {
    struct exec *exec = slot->exec;
    bool failed = !WIFEXITED(exec->status) || WEXITSTATUS(exec->status) != 0;
    if (!failed && !options.save) return;
    static char buffer[1 << 20];
    ssize_t length = pread(slot->stdout_fd, buffer, sizeof buffer, 0);
    if (length < 0) die("Cannot read standard output back");
    if (failed && !options.quiet) fprintf(stderr, "%s %s failed: %.*s\n", options.command, exec->id, (int)length, buffer);
    if (options.save) {
        char *path = with_id(options.save, exec->id);
        int file = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
        if (file < 0 || write(file, buffer, length) != length || close(file) < 0) die(path);
        free(path);
    }
}

static struct slot *reap(int in_use) {
    int status;
    struct rusage usage;
    pid_t pid;
    while ((pid = wait4(-1, &status, 0, &usage)) < 0) {
        if (errno != EINTR) die("Cannot wait");
    }
    int64_t end_ns = now_ns();
    for (int i = 0; i < in_use; i++) {
        if (slots[i].pid != pid) continue;
        slots[i].pid = 0;
        slots[i].exec->end_ns = end_ns;
        slots[i].exec->status = status;
        slots[i].exec->usage = usage;
        slots[i].exec->done = true;
        return &slots[i];
    }
    fprintf(stderr, "exec-driver: unknown child %d\n", pid);
    exit(2);
}

// Keeps `concurrency` execs in flight; with as many as there are execs, all start at once.
static void run(struct exec *execs, int count) {
    int in_use = options.concurrency < count ? options.concurrency : count, next = 0, running = 0;
    for (int i = 0; i < in_use; i++) ready_slot(&slots[i], &execs[next++]);
    alarm((unsigned)options.timeout_seconds);
    for (; running < in_use; running++) start(&slots[running]);
    while (running > 0) {
        struct slot *slot = reap(in_use);
        running--;
        collect(slot);
        if (next < count) {
            ready_slot(slot, &execs[next++]);
            start(slot);
            running++;
        }
    }
    alarm(0);
}

static void kill_all(int signal_number) {
    (void)signal_number;
    for (int i = 0; i < options.concurrency; i++) {
        if (slots[i].pid > 0) kill(slots[i].pid, SIGKILL);
    }
}

static int64_t microseconds(struct timeval time) { return (int64_t)time.tv_sec * 1000000 + time.tv_usec; }

static int report(const struct exec *execs, int count) {
    int failed = 0;
    int64_t first = INT64_MAX, last = 0;
    for (int i = 0; i < count; i++) {
        const struct exec *exec = &execs[i];
        int code = WIFEXITED(exec->status) ? WEXITSTATUS(exec->status) : 128 + WTERMSIG(exec->status);
        failed += code != 0;
        if (exec->start_ns < first) first = exec->start_ns;
        if (exec->end_ns > last) last = exec->end_ns;
        printf("{\"id\":\"%s\",\"start_us\":%.1f,\"wall_us\":%.1f,\"user_us\":%lld,\"sys_us\":%lld,\"exit\":%d,\"rss_kb\":%ld}\n",
               exec->id, (exec->start_ns - execs[0].start_ns) / 1e3, (exec->end_ns - exec->start_ns) / 1e3,
               (long long)microseconds(exec->usage.ru_utime), (long long)microseconds(exec->usage.ru_stime), code,
               exec->usage.ru_maxrss);
    }
    printf("{\"total\":{\"command\":\"%s\",\"count\":%d,\"failed\":%d,\"concurrency\":%d,\"wall_us\":%.1f}}\n",
           options.command, count, failed, options.concurrency, count ? (last - first) / 1e3 : 0.0);
    return failed ? 1 : 0;
}

// Lines "containerid [netns [cni-args]]"; "-" leaves a column out.
static struct exec *read_list(int *count) {
    struct exec *execs = NULL;
    char *line = NULL;
    size_t size = 0, room = 0;
    *count = 0;
    while (getline(&line, &size, stdin) > 0) {
        char *columns[3] = {NULL}, *rest = line;
        for (int i = 0; i < 3; i++) columns[i] = strtok_r(i ? NULL : line, " \t\n", &rest);
        if (!columns[0] || columns[0][0] == '#') continue;
        for (int again = 0; again < options.repeat; again++) {
            if ((size_t)*count == room) {
                room = room ? room * 2 : 256;
                if (!(execs = realloc(execs, room * sizeof *execs))) die("Cannot allocate memory");
            }
            struct exec *exec = &execs[(*count)++];
            *exec = (struct exec){.id = strdup(columns[0])};
            if (columns[1] && strcmp(columns[1], "-") != 0) exec->netns = strdup(columns[1]);
            if (columns[2] && strcmp(columns[2], "-") != 0) exec->cni_args = strdup(columns[2]);
            prepare(exec);
        }
    }
    free(line);
    return execs;
}

static int usage(void) {
    fputs("Usage: exec-driver --binary B [--command ADD] [--stdin F] [--cni-path P] [--ifname eth0] [--env K=V]...\n"
          "                   [--concurrency N] [--repeat N] [--save F] [--timeout SECONDS] [--quiet] < list\n"
          "  list: lines \"containerid [netns [cni-args]]\"; \"{id}\" in --stdin, --save, --env is the container id\n",
          stderr);
    return 2;
}

int main(int argc, char **argv) {
    static const struct option names[] = {
        {"binary", required_argument, 0, 'b'},  {"command", required_argument, 0, 'c'}, {"stdin", required_argument, 0, 'i'},
        {"cni-path", required_argument, 0, 'p'}, {"ifname", required_argument, 0, 'f'},  {"env", required_argument, 0, 'e'},
        {"concurrency", required_argument, 0, 'n'}, {"repeat", required_argument, 0, 'r'}, {"save", required_argument, 0, 's'},
        {"timeout", required_argument, 0, 't'}, {"quiet", no_argument, 0, 'q'},         {0, 0, 0, 0}};
    for (int option; (option = getopt_long(argc, argv, "", names, NULL)) != -1;) {
        switch (option) {
            case 'b': options.binary = optarg; break;
            case 'c': options.command = optarg; break;
            case 'i': options.stdin_path = optarg; break;
            case 'p': options.cni_path = optarg; break;
            case 'f': options.ifname = optarg; break;
            case 'e':
                if (options.extra_env_count == MAX_EXTRA_ENV) return usage();
                options.extra_env[options.extra_env_count++] = optarg;
                break;
            case 'n': options.concurrency = atoi(optarg); break;
            case 'r': options.repeat = atoi(optarg); break;
            case 's': options.save = optarg; break;
            case 't': options.timeout_seconds = atoi(optarg); break;
            case 'q': options.quiet = true; break;
            default: return usage();
        }
    }
    if (!options.binary || options.concurrency < 1 || options.repeat < 1 || options.timeout_seconds < 1 || optind != argc) return usage();
    if (access(options.binary, X_OK) < 0) die(options.binary);

    struct rlimit files;
    if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
        struct rlimit raised = {.rlim_cur = files.rlim_max, .rlim_max = files.rlim_max};
        setrlimit(RLIMIT_NOFILE, &raised);
    }
    slots = allocate((size_t)options.concurrency, sizeof *slots);
    for (int i = 0; i < options.concurrency; i++) {
        slots[i].stdout_fd = memfd_create("stdout", MFD_CLOEXEC);
        if (slots[i].stdout_fd < 0) die("Cannot make a file for standard output");
    }
    signal(SIGALRM, kill_all);
    int count;
    struct exec *execs = read_list(&count);
    run(execs, count);
    return report(execs, count);
}
