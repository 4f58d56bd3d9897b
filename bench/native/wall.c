// Stands where a CNI plugin stood, runs the plugin and notes how long it took. See README.md.
//
// The plugin lies in the folder that PLUGINS names, under the name by which this program was called. A line
// "COMMAND NAME MICROSECONDS EXIT" is appended to LOG: from before vfork to after wait4.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define PLUGINS "/opt/cni/timed"
#define LOG "/run/cni-walls"

static _Noreturn void die(const char *what) {
    fprintf(stderr, "bench-wall: %s: %s\n", what, strerror(errno));
    exit(125);
}

static long long now_us(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (long long)time.tv_sec * 1000000 + time.tv_nsec / 1000;
}

int main(int argc, char **argv, char **env) {
    const char *slash = strrchr(argv[0], '/'), *name = slash ? slash + 1 : argv[0];
    const char *command = getenv("CNI_COMMAND");
    char path[512], line[256];
    int status;
    (void)argc;
    snprintf(path, sizeof path, PLUGINS "/%s", name);
    argv[0] = path;
    long long start = now_us();
    pid_t pid = vfork();
    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        execve(path, argv, env);
        _exit(127);
    }
    if (pid < 0) die("vfork");
    while (waitpid(pid, &status, 0) < 0) {
        if (errno != EINTR) die("waitpid");
    }
    long long took = now_us() - start;
    int code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    int size = snprintf(line, sizeof line, "%s %s %lld %d\n", command ? command : "-", name, took, code);
    // Appended by one write: lines of plugins that run at the same time do not mix.
    int log = open(LOG, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (log < 0 || write(log, line, (size_t)size) != size) die(LOG);
    return code;
}
