// Header-only shims for the Linux calls that Swift cannot import: variadic functions, raw system
// calls, and statx flattened into a struct of plain fields. Each returns what the call returns.
#pragma once
#include <errno.h>
#include <fcntl.h>
#include <linux/falloc.h>
#include <linux/fs.h>
#include <linux/openat2.h>
#include <linux/stat.h>
#include <malloc.h>
#include <signal.h>
#include <spawn.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/file.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/vfs.h>
#include <sys/sysmacros.h>
#include <sys/random.h>
#include <sys/syscall.h>
#include <sys/xattr.h>
#include <unistd.h>

// From headers that only _GNU_SOURCE opens. It must not be defined here: it changes structs such as
// fd_set, which must be the same in every module that is built.
enum { VARVE_AT_EMPTY_PATH = 0x1000, VARVE_AT_STATX_DONT_SYNC = 0x4000 };
enum { VARVE_STATX_ATTR_MOUNT_ROOT = 0x2000 };

struct varve_status {
    uint32_t mode, links, uid, gid;
    uint64_t inode, size, blocks;
    int64_t mtime_seconds, ctime_seconds;
    uint32_t mtime_nanoseconds, ctime_nanoseconds;
    uint64_t device, special_device;
    // Something is mounted here (Linux 5.8); 0 where the kernel does not say.
    uint32_t is_mount_root;
};

static inline int varve_statx(int directory, const char *name, int flags,
                              struct varve_status *out) {
    struct statx x;
    int result = (int)syscall(SYS_statx, directory, name, flags | VARVE_AT_STATX_DONT_SYNC,
                              STATX_BASIC_STATS, &x);
    if (result != 0) return result;
    out->mode = x.stx_mode;
    out->links = x.stx_nlink;
    out->uid = x.stx_uid;
    out->gid = x.stx_gid;
    out->inode = x.stx_ino;
    out->size = x.stx_size;
    out->blocks = x.stx_blocks;
    out->mtime_seconds = x.stx_mtime.tv_sec;
    out->mtime_nanoseconds = x.stx_mtime.tv_nsec;
    out->ctime_seconds = x.stx_ctime.tv_sec;
    out->ctime_nanoseconds = x.stx_ctime.tv_nsec;
    out->device = makedev(x.stx_dev_major, x.stx_dev_minor);
    out->special_device = makedev(x.stx_rdev_major, x.stx_rdev_minor);
    out->is_mount_root = (x.stx_attributes & x.stx_attributes_mask & VARVE_STATX_ATTR_MOUNT_ROOT) != 0;
    return 0;
}

static inline long varve_getdents64(int directory, void *buffer, unsigned long capacity) {
    return syscall(SYS_getdents64, directory, buffer, capacity);
}

static inline int varve_openat(int directory, const char *path, int flags, unsigned mode) {
    return openat(directory, path, flags | O_CLOEXEC, mode);
}

static inline int varve_openat2(int directory, const char *path, uint64_t flags, uint64_t mode,
                                uint64_t resolve) {
    struct open_how how = {.flags = flags | O_CLOEXEC, .mode = mode, .resolve = resolve};
    return (int)syscall(SYS_openat2, directory, path, &how, sizeof how);
}

static inline int varve_renameat2(int source, const char *source_name, int target,
                                  const char *target_name, unsigned flags) {
    return (int)syscall(SYS_renameat2, source, source_name, target, target_name, flags);
}

static inline int varve_clone(int target, int source) { return ioctl(target, FICLONE, source); }

// Copies between places that may differ; the offsets of the descriptors stay where they are.
static inline long varve_copy_range(int source, int64_t from, int target, int64_t to,
                                    unsigned long count) {
    return syscall(SYS_copy_file_range, source, &from, target, &to, count, 0);
}

// SYNC_FILE_RANGE_WRITE: begins to write, and waits for nothing.
static inline int varve_begin_writing(int descriptor, int64_t offset, int64_t count) {
    return (int)syscall(SYS_sync_file_range, descriptor, offset, count, 2);
}

// Processors that this process may run on; -1 when the system does not tell.
static inline int varve_processors(void) {
    uint64_t allowed[128] = {0};
    long size = syscall(SYS_sched_getaffinity, 0, sizeof allowed, allowed);
    int count = 0;
    for (long word = 0; word < size / 8; word++) count += __builtin_popcountll(allowed[word]);
    return size > 0 ? count : -1;
}

// Takes the lock of an open file without waiting for it.
static inline int varve_lock(int descriptor) { return flock(descriptor, LOCK_EX | LOCK_NB); }

static inline int varve_terminal_columns(int descriptor) {
    struct winsize size;
    return ioctl(descriptor, TIOCGWINSZ, &size) == 0 ? size.ws_col : 0;
}

// Allows this process as many descriptors as the system lets it have; returns how many.
static inline uint64_t varve_raise_descriptor_limit(void) {
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return 0;
    struct rlimit wanted = {limit.rlim_max, limit.rlim_max};
    return setrlimit(RLIMIT_NOFILE, &wanted) == 0 ? limit.rlim_max : limit.rlim_cur;
}

// A new descriptor that tells of changes in directories; reads of it never wait.
static inline int varve_watch(void) { return inotify_init1(IN_CLOEXEC | IN_NONBLOCK); }

// Changes of names and contents, and of the directory's own name; not of times, modes and links,
// which whoever takes a snapshot makes too.
static inline int varve_watch_directory(int watch, const char *path) {
    return inotify_add_watch(watch, path,
                             IN_CLOSE_WRITE | IN_MODIFY | IN_CREATE | IN_DELETE | IN_MOVED_FROM |
                                 IN_MOVED_TO | IN_DELETE_SELF | IN_MOVE_SELF | IN_ONLYDIR |
                                 IN_DONT_FOLLOW);
}

enum {
    VARVE_WATCH_OVERFLOW = IN_Q_OVERFLOW,
    VARVE_WATCH_GONE = IN_DELETE_SELF | IN_MOVE_SELF,
    VARVE_WATCH_FORGOTTEN = IN_IGNORED,
    VARVE_WATCH_DIRECTORY = IN_ISDIR,
};

// The type of the file system, as in statfs(2); 0 when unknown.
static inline uint64_t varve_file_system(const char *path) {
    struct statfs status;
    return statfs(path, &status) == 0 ? (uint64_t)(uint32_t)status.f_type : 0;
}

static inline uint64_t varve_file_system_of(int file) {
    struct statfs status;
    return fstatfs(file, &status) == 0 ? (uint64_t)(uint32_t)status.f_type : 0;
}

// Sends a datagram to a socket in the file system, or an abstract one whose name begins with '@'.
static inline int varve_send_datagram(const char *path, const char *text) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    unsigned long size = strlen(path);
    if (size >= sizeof address.sun_path) return -1;
    memcpy(address.sun_path, path, size);
    if (path[0] == '@') address.sun_path[0] = 0;
    int sender = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (sender < 0) return -1;
    socklen_t length = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + size);
    long sent =
        sendto(sender, text, strlen(text), MSG_NOSIGNAL, (struct sockaddr *)&address, length);
    close(sender);
    return sent < 0 ? -1 : 0;
}

static inline int varve_syncfs(int descriptor) {
    return (int)syscall(SYS_syncfs, descriptor);
}

static inline int varve_punch_hole(int descriptor, int64_t offset, int64_t count) {
    return (int)syscall(SYS_fallocate, descriptor, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
                        offset, count);
}

static inline void varve_keep_freed_memory(void) {
    mallopt(M_MMAP_THRESHOLD, 64 << 20);
    mallopt(M_TRIM_THRESHOLD, 256 << 20);
}

enum {
    VARVE_RESOLVE_BENEATH = RESOLVE_BENEATH,
    VARVE_RESOLVE_NO_SYMLINKS = RESOLVE_NO_SYMLINKS,
    VARVE_RESOLVE_NO_MAGICLINKS = RESOLVE_NO_MAGICLINKS,
};

static inline int varve_pipe(int ends[2]) { return (int)syscall(SYS_pipe2, ends, O_CLOEXEC); }

// F_SETPIPE_SZ, which only _GNU_SOURCE names. Fails harmlessly where the user's quota is used up.
static inline int varve_pipe_capacity(int descriptor, int bytes) {
    return fcntl(descriptor, 1031, bytes);
}

static inline int varve_duplicate(int descriptor, int least) {
    return fcntl(descriptor, F_DUPFD_CLOEXEC, least);
}

static inline int varve_set_nonblocking(int descriptor) {
    int flags = fcntl(descriptor, F_GETFL);
    return flags < 0 ? -1 : fcntl(descriptor, F_SETFL, flags | O_NONBLOCK);
}

// Starts a program with the environment of this process, all signals as by default, and only the
// three descriptors that are given. Returns 0 or an errno.
static inline int varve_spawn(int *process, char *const *arguments, int input, int output,
                              int errors) {
    extern char **environ;
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    sigset_t every, none;
    posix_spawn_file_actions_init(&actions);
    posix_spawnattr_init(&attributes);
    sigfillset(&every);
    sigemptyset(&none);
    int failure = posix_spawn_file_actions_adddup2(&actions, input, 0);
    if (failure == 0) failure = posix_spawn_file_actions_adddup2(&actions, output, 1);
    if (failure == 0) failure = posix_spawn_file_actions_adddup2(&actions, errors, 2);
#if __GLIBC_PREREQ(2, 34)
    // All of ours are closed on exec; what this process inherited may not be.
    if (failure == 0) failure = posix_spawn_file_actions_addclosefrom_np(&actions, 3);
#endif
    if (failure == 0) failure = posix_spawnattr_setsigdefault(&attributes, &every);
    if (failure == 0) failure = posix_spawnattr_setsigmask(&attributes, &none);
    if (failure == 0) {
        failure = posix_spawnattr_setflags(&attributes,
                                           POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK);
    }
    pid_t started = 0;
    if (failure == 0) {
        failure = posix_spawnp(&started, arguments[0], &actions, &attributes, arguments, environ);
    }
    *process = started;
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&actions);
    return failure;
}

// Whether the processor has instructions for AES.
static inline int varve_has_aes(void) {
#if defined(__x86_64__) || defined(__i386__)
    return __builtin_cpu_supports("aes") != 0;
#elif defined(__aarch64__)
    return (getauxval(AT_HWCAP) >> 3 & 1) != 0;
#else
    return 0;
#endif
}

// The number of the kind of file system (statfs(2), f_type); 0 when unknown.
static inline uint64_t varve_file_system_type(int file) {
    struct statfs status;
    return fstatfs(file, &status) == 0 ? (uint64_t)(unsigned long)status.f_type : 0;
}
