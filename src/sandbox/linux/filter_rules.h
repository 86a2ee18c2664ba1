/*
 * What a sandboxed program may call: the rules, as data. filter_generate.c makes a BPF program of
 * them for each choice of tier, network and user namespaces (filter.h).
 *
 * How to read them: for a call, the first rule decides that names it, stands in the chosen tier,
 * network and user-namespace setting, and whose tests all hold. A call that no rule names is
 * answered with ENOSYS, as by a kernel that does not have it: also calls that are newer than this
 * list, x32 numbers, and what is left out on purpose (io_uring, keyrings, openat2, whose flags are
 * in memory, modify_ldt, statmount and other rarities). Another machine's calls (int 0x80, 32-bit
 * programs) end the process.
 *
 * Tests look at the low 32 bits of an argument only: every argument tested here is an int, an
 * unsigned int or a mode_t in the kernel, which drops the others; of clone's and unshare's unsigned
 * long the kernel drops or refuses them.
 *
 * Only filter_generate.c includes this.
 */
#ifndef PORTA_SANDBOX_LINUX_FILTER_RULES_H
#define PORTA_SANDBOX_LINUX_FILTER_RULES_H

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <linux/netlink.h>
#include <linux/seccomp.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <stdint.h>
#include <sys/ioctl.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <termios.h>

#define FILTER_TESTS_MAX 3

/* Holds when a bit of `bits` is set or, with `bits` 0, when the argument under `mask` is one of the
 * values. */
struct filter_test {
	unsigned int argument;
	uint32_t bits;
	uint32_t mask;
	const uint32_t *values;
	unsigned int values_count;
};

struct filter_rule {
	const char *calls;			    /* names, a space between two */
	unsigned int tiers;			    /* 0: all */
	unsigned int networks;			    /* 0: all */
	unsigned int userns;			    /* 0: with and without */
	struct filter_test tests[FILTER_TESTS_MAX]; /* up to the first empty one */
	uint32_t action;
};

enum {
	TIER_1 = 1,
	TIER_2 = 2,
	TIER_3 = 4,
	OPEN = 1,
	LISTEN = 2,
	CLOSED = 4,
	BLOCKED = 8,
	WITHOUT_USERNS = 1,
	WITH_USERNS = 2,
};

#define ALLOW	    SECCOMP_RET_ALLOW
#define NOTIFY	    SECCOMP_RET_USER_NOTIF /* the broker performs the call or refuses it */
#define REFUSE(err) (SECCOMP_RET_ERRNO | (err))

#define BITS(argument_, bits_)                                                                     \
	{                                                                                          \
		.argument = (argument_), .bits = (uint32_t)(bits_)                                 \
	}
#define IS(argument_, ...) MASKED_IS(argument_, 0xffffffff, __VA_ARGS__)
#define MASKED_IS(argument_, mask_, ...)                                                           \
	{                                                                                          \
		.argument = (argument_), .mask = (mask_),                                          \
		.values = (const uint32_t[]){ __VA_ARGS__ },                                       \
		.values_count = sizeof((const uint32_t[]){ __VA_ARGS__ }) / 4                      \
	}

#define SET_ID (S_ISUID | S_ISGID)
/* A file is made, so that the mode counts; O_TMPFILE without its O_DIRECTORY. */
#define MAKES_FILE (O_CREAT | (O_TMPFILE & ~O_DIRECTORY))
#define NEW_NAMESPACES                                                                             \
	(CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWUSER |             \
	 CLONE_NEWPID | CLONE_NEWNET)
#define CLONE_NEWTIME_FLAG 0x80 /* in clone(2) these bits are the exit signal */

/* From headers that are newer than the oldest one to build with, or clash with those above. */
#define IOC_TYPE_MASK		   0xff00
#define IOC_TYPE_TERMINAL	   0x5400
#define IOC_TYPE_SOCKET		   0x8900
#define IOC_TYPE_BTRFS		   0x9400
#define IOC_TYPE_BCACHEFS	   0xbc00
#define IOC_FIBMAP		   0x00000001
#define IOC_FIGETBSZ		   0x00000002
#define IOC_FIEMAP		   0xc020660b
#define IOC_PROCMAP_QUERY	   0xc0686611
#define IOC_RNDGETENTCNT	   0x80045200
#define IOPRIO_WHO_PROCESS	   1
#define IOPRIO_WHO_USER		   3
#define PERSONALITY_QUERY	   0xffffffff
#define PERSONALITY_HARMLESS	   (PER_LINUX32 | UNAME26 | ADDR_NO_RANDOMIZE)
#define OPTION_RCVTIMEO_NEW	   66
#define OPTION_SNDTIMEO_NEW	   67
#define OPTION_TIMESTAMP_NEW	   63
#define OPTION_TIMESTAMPNS_NEW	   64
#define OPTION_TIMESTAMPING_NEW	   65
#define OPTION_PASSPIDFD	   76
#define OPTION_PEERPIDFD	   77
#define OPTION_IP_LOCAL_PORT_RANGE 51
#define OPTION_TCP_TX_DELAY	   37

/* The kernel takes the type of a socket from these bits of socket's second argument. */
#define SOCKET_TYPE_MASK 0xf
#define TYPE_IS(...)	 MASKED_IS(1, SOCKET_TYPE_MASK, __VA_ARGS__)

#define METADATA_CALLS "chown fchown lchown fchownat utime utimes futimesat utimensat"
#define XATTR_CALLS                                                                                \
	"setxattr lsetxattr fsetxattr setxattrat removexattr lremovexattr fremovexattr "           \
	"removexattrat file_setattr"
#define IPC_CALLS                                                                                  \
	"shmget shmat shmctl shmdt semget semop semctl semtimedop "                                \
	"msgget msgsnd msgrcv msgctl "                                                             \
	"mq_open mq_unlink mq_timedsend mq_timedreceive mq_notify mq_getsetattr"
#define PID_FIRST_CALLS                                                                            \
	"prlimit64 sched_setaffinity sched_setparam sched_setscheduler sched_setattr"

/* Calls whose arguments are judged and that programs make most: they are asked for first, in this
 * order. */
static const char *const filter_hot_calls[] = { "openat" };

/* clang-format off */
static const struct filter_rule filter_rules[] = {

/*
 * Nothing to judge. Paths and descriptors lead where the mounts and Landlock let them, process ids end at the
 * pid namespace, signals and ptrace at it or at Landlock's domain.
 */
{ "read write readv writev pread64 pwrite64 preadv pwritev preadv2 pwritev2 lseek close close_range "
  "dup dup2 dup3 flock pipe pipe2 sendfile splice tee vmsplice copy_file_range readahead fadvise64 "
  "fsync fdatasync sync syncfs sync_file_range truncate ftruncate fallocate "
  "io_setup io_destroy io_submit io_cancel io_getevents io_pgetevents", .action = ALLOW },
/* A lease on a file outside makes whoever opens it there wait: fcntl(2), lease-break-time. */
{ "fcntl", .tests = { IS(1, F_SETLEASE) }, .action = REFUSE(EACCES) },
{ "fcntl", .action = ALLOW },
{ "stat lstat fstat newfstatat statx statfs fstatfs access faccessat faccessat2 readlink readlinkat "
  "getcwd chdir fchdir getdents getdents64 umask mkdir mkdirat rmdir unlink unlinkat "
  "rename renameat renameat2 link linkat symlink symlinkat name_to_handle_at cachestat "
  "getxattr lgetxattr fgetxattr getxattrat listxattr llistxattr flistxattr listxattrat file_getattr "
  "inotify_init inotify_init1 inotify_add_watch inotify_rm_watch", .action = ALLOW },
{ "poll ppoll select pselect6 epoll_create epoll_create1 epoll_ctl epoll_wait epoll_pwait epoll_pwait2 "
  "eventfd eventfd2 signalfd signalfd4 timerfd_create timerfd_settime timerfd_gettime", .action = ALLOW },
{ "mmap munmap mremap mprotect brk madvise msync mincore mlock mlock2 munlock mlockall munlockall "
  "remap_file_pages memfd_create memfd_secret mseal map_shadow_stack pkey_mprotect pkey_alloc pkey_free "
  "membarrier mbind set_mempolicy get_mempolicy set_mempolicy_home_node", .action = ALLOW },
{ "fork vfork execve execveat exit exit_group wait4 waitid getpid getppid gettid getpgid setpgid getpgrp "
  "getsid setsid set_tid_address set_robust_list get_robust_list rseq arch_prctl seccomp ptrace "
  "pidfd_open pidfd_send_signal landlock_create_ruleset landlock_add_rule landlock_restrict_self",
  .action = ALLOW },
{ "rt_sigaction rt_sigprocmask rt_sigreturn rt_sigpending rt_sigtimedwait rt_sigsuspend rt_sigqueueinfo "
  "rt_tgsigqueueinfo sigaltstack kill tkill tgkill pause alarm restart_syscall", .action = ALLOW },
{ "futex futex_waitv futex_wake futex_wait futex_requeue sched_yield sched_getaffinity sched_getparam "
  "sched_getscheduler sched_getattr sched_get_priority_max sched_get_priority_min sched_rr_get_interval "
  "getpriority ioprio_get getcpu", .action = ALLOW },
{ "time gettimeofday clock_gettime clock_getres nanosleep clock_nanosleep getitimer setitimer timer_create "
  "timer_settime timer_gettime timer_getoverrun timer_delete times", .action = ALLOW },
{ "getuid geteuid getgid getegid getgroups getresuid getresgid setuid setgid setreuid setregid setresuid "
  "setresgid setgroups setfsuid setfsgid capget capset getrlimit setrlimit getrusage sysinfo uname getrandom",
  .action = ALLOW },
{ "accept accept4 getsockname getpeername shutdown recvfrom recvmsg recvmmsg", .action = ALLOW },

/*
 * Never, whatever the tier; ENOSYS is the answer to what is not here. The errors are those that the kernel gives to
 * a user without the right, which programs expect. The mount family stays closed with user namespaces too:
 * with a tmpfs and pivot_root a name that is mounted over would show again.
 */
{ "mount umount2 pivot_root open_tree open_tree_attr move_mount fsopen fsconfig fsmount fspick mount_setattr "
  "swapon swapoff reboot sethostname setdomainname settimeofday clock_settime adjtimex clock_adjtime "
  "acct quotactl quotactl_fd syslog vhangup iopl ioperm kexec_load kexec_file_load init_module finit_module "
  "delete_module bpf userfaultfd open_by_handle_at fanotify_init fanotify_mark move_pages migrate_pages",
  .action = REFUSE(EPERM) },
{ "perf_event_open", .action = REFUSE(EACCES) },

/*
 * Namespaces. clone3 has its flags in memory and is not named: on ENOSYS the C libraries use clone. A browser
 * that makes a sandbox of its own needs just the first three: Chromium's helpers chroot to an empty directory.
 */
{ "clone unshare chroot", .userns = WITH_USERNS, .action = ALLOW },
{ "clone",   .tests = { BITS(0, NEW_NAMESPACES) }, .action = REFUSE(EPERM) },
{ "clone",   .action = ALLOW },
{ "unshare", .tests = { BITS(0, NEW_NAMESPACES | CLONE_NEWTIME_FLAG) }, .action = REFUSE(EPERM) },
{ "unshare", .action = ALLOW },
{ "setns chroot", .action = REFUSE(EPERM) },

/* No program that gives its caller another's ids; devices are the kernel's to refuse, and here again. */
{ "openat",  .tests = { BITS(2, MAKES_FILE), BITS(3, SET_ID) }, .action = REFUSE(EPERM) },
{ "openat",  .action = ALLOW },
{ "open",    .tests = { BITS(1, MAKES_FILE), BITS(2, SET_ID) }, .action = REFUSE(EPERM) },
{ "open",    .action = ALLOW },
{ "creat",   .tests = { BITS(1, SET_ID) }, .action = REFUSE(EPERM) },
{ "creat",   .action = ALLOW },
/* S_IFCHR is a bit of S_IFBLK too, and of no type that may be made. mkdir drops the bits itself. */
{ "mknod",   .tests = { BITS(1, SET_ID | S_IFCHR) }, .action = REFUSE(EPERM) },
{ "mknod",   .action = ALLOW },
{ "mknodat", .tests = { BITS(2, SET_ID | S_IFCHR) }, .action = REFUSE(EPERM) },
{ "mknodat", .action = ALLOW },

/*
 * Modes, owners, times, attributes. Without mounts that are read-only nothing else would keep them, on
 * descriptors either. A directory may get setgid: the broker looks whether it is one.
 */
{ "chmod fchmod fchmodat fchmodat2", .tiers = TIER_2 | TIER_3, .action = REFUSE(EPERM) },
{ "chmod fchmod",       .tests = { BITS(1, S_ISUID) }, .action = REFUSE(EPERM) },
{ "chmod fchmod",       .tests = { BITS(1, S_ISGID) }, .action = NOTIFY },
{ "fchmodat fchmodat2", .tests = { BITS(2, S_ISUID) }, .action = REFUSE(EPERM) },
{ "fchmodat fchmodat2", .tests = { BITS(2, S_ISGID) }, .action = NOTIFY },
{ "chmod fchmod fchmodat fchmodat2", .action = ALLOW },
{ METADATA_CALLS, .tiers = TIER_1, .action = ALLOW },
{ METADATA_CALLS, .action = REFUSE(EPERM) },
{ XATTR_CALLS,    .tiers = TIER_1, .action = ALLOW },
{ XATTR_CALLS,    .action = REFUSE(EOPNOTSUPP) }, /* cp and tar go on */

/* Other processes, by number: in tier 1 the pid namespace ends at the sandbox. */
{ "process_vm_readv process_vm_writev process_madvise process_mrelease pidfd_getfd kcmp",
  .tiers = TIER_1, .action = ALLOW },
{ "process_vm_readv process_vm_writev process_madvise process_mrelease pidfd_getfd kcmp",
  .action = REFUSE(EPERM) },
/* Init is pid 1 there, of the same user: with its limits taken it could put nothing right. */
{ PID_FIRST_CALLS, .tiers = TIER_1, .tests = { IS(0, 1) }, .action = REFUSE(EPERM) },
{ "setpriority",   .tiers = TIER_1, .tests = { IS(0, PRIO_PROCESS), IS(1, 1) }, .action = REFUSE(EPERM) },
{ "setpriority",   .tiers = TIER_1, .tests = { IS(0, PRIO_USER) }, .action = REFUSE(EPERM) },
{ "ioprio_set",    .tiers = TIER_1, .tests = { IS(0, IOPRIO_WHO_PROCESS), IS(1, 1) }, .action = REFUSE(EPERM) },
{ "ioprio_set",    .tiers = TIER_1, .tests = { IS(0, IOPRIO_WHO_USER) }, .action = REFUSE(EPERM) },
{ PID_FIRST_CALLS " setpriority ioprio_set", .tiers = TIER_1, .action = ALLOW },
{ PID_FIRST_CALLS, .tests = { IS(0, 0) }, .action = ALLOW },
{ "setpriority",   .tests = { IS(0, PRIO_PROCESS), IS(1, 0) }, .action = ALLOW },
{ "ioprio_set",    .tests = { IS(0, IOPRIO_WHO_PROCESS), IS(1, 0) }, .action = ALLOW },
{ PID_FIRST_CALLS " setpriority ioprio_set", .action = REFUSE(EPERM) },
{ IPC_CALLS, .tiers = TIER_1, .action = ALLOW }, /* the IPC namespace is the sandbox's own */
{ IPC_CALLS, .action = REFUSE(ENOSYS) },

/* A process's own settings. PR_SET_MM would let /proc/PID/exe, which the broker may show, lie. */
{ "prctl", .tests = { IS(0, PR_SET_MM) }, .action = REFUSE(EPERM) },
{ "prctl", .action = ALLOW },
{ "personality", .tests = { IS(0, PERSONALITY_QUERY) }, .action = ALLOW },
{ "personality", .tests = { BITS(0, ~PERSONALITY_HARMLESS) }, .action = REFUSE(EPERM) },
{ "personality", .action = ALLOW },

/*
 * ioctl. TIOCSTI and TIOCLINUX type on the terminal (CVE-2017-5226), line disciplines are old kernel code that
 * any terminal loads (CVE-2023-6546); an exclusive terminal, or one with its output stopped, which no key starts
 * again, would stay so after the run. Snapshots of btrfs and bcachefs would show, in a writable directory,
 * what is mounted over in the subvolume that they are taken of: of their types only what copies data
 * is let pass. The keys of encrypted directories belong to the file system, not to a mount: without its key
 * a home is locked. Without read-only mounts the list is of what changes no inode.
 */
{ "ioctl", .tests = { IS(1, TIOCSTI, TIOCLINUX, TIOCSETD, TIOCEXCL) }, .action = REFUSE(EPERM) },
{ "ioctl", .tests = { IS(1, TCXONC), IS(2, TCOOFF) }, .action = REFUSE(EPERM) },
{ "ioctl", .tests = { IS(1, FICLONE, FICLONERANGE, FIDEDUPERANGE) }, .action = ALLOW },
{ "ioctl", .tiers = TIER_1, .tests = { IS(1, FS_IOC_ADD_ENCRYPTION_KEY, FS_IOC_REMOVE_ENCRYPTION_KEY) },
  .action = REFUSE(ENOTTY) },
{ "ioctl", .tiers = TIER_1, .tests = { MASKED_IS(1, IOC_TYPE_MASK, IOC_TYPE_BTRFS, IOC_TYPE_BCACHEFS) },
  .action = REFUSE(ENOTTY) },
{ "ioctl", .tiers = TIER_1, .action = ALLOW },
{ "ioctl", .tests = { IS(1, FS_IOC_GETFLAGS, FS_IOC_GETVERSION, FS_IOC_FSGETXATTR, IOC_FIBMAP, IOC_FIGETBSZ,
  IOC_FIEMAP, IOC_PROCMAP_QUERY, IOC_RNDGETENTCNT) }, .action = ALLOW },
{ "ioctl", .tests = { MASKED_IS(1, IOC_TYPE_MASK, IOC_TYPE_TERMINAL, IOC_TYPE_SOCKET) }, .action = ALLOW },
{ "ioctl", .action = REFUSE(ENOTTY) },

/*
 * Sockets. Unix datagram sockets (SOCK_RAW is their alias), single or in pairs, can send to any path without a
 * connect. Without a broker nobody could judge a path, so there only pairs remain.
 */
{ "socketpair", .tests = { IS(0, AF_UNIX), TYPE_IS(SOCK_STREAM, SOCK_SEQPACKET) }, .action = ALLOW },
{ "socket", .tiers = TIER_1 | TIER_2,
  .tests = { IS(0, AF_UNIX), TYPE_IS(SOCK_STREAM, SOCK_SEQPACKET) }, .action = ALLOW },
{ "socket socketpair", .tests = { IS(0, AF_UNIX) }, .action = REFUSE(EACCES) },
{ "socketpair", .action = REFUSE(EAFNOSUPPORT) },
{ "socket", .tests = { IS(0, AF_NETLINK), IS(2, NETLINK_ROUTE) }, .action = ALLOW },
{ "socket", .tests = { IS(0, AF_NETLINK) }, .action = REFUSE(EPROTONOSUPPORT) },
/* The lower tiers have no empty network to put a blocked program in. */
{ "socket", .tiers = TIER_2 | TIER_3, .networks = BLOCKED, .tests = { IS(0, AF_INET, AF_INET6) },
  .action = REFUSE(EACCES) },
{ "socket", .tests = { IS(0, AF_INET, AF_INET6), TYPE_IS(SOCK_STREAM), IS(2, 0, IPPROTO_TCP) },
  .action = ALLOW },
/* The protocol of ping; whom it serves, the kernel's ping_group_range says. */
{ "socket", .networks = OPEN,
  .tests = { IS(0, AF_INET, AF_INET6), TYPE_IS(SOCK_DGRAM), IS(2, 0, IPPROTO_UDP, IPPROTO_ICMP, IPPROTO_ICMPV6) },
  .action = ALLOW },
{ "socket", .tiers = TIER_1 | TIER_2, .networks = LISTEN,
  .tests = { IS(0, AF_INET, AF_INET6), TYPE_IS(SOCK_DGRAM), IS(2, 0, IPPROTO_UDP, IPPROTO_ICMP, IPPROTO_ICMPV6) },
  .action = ALLOW },
{ "socket", .tiers = TIER_1, .networks = BLOCKED,
  .tests = { IS(0, AF_INET, AF_INET6), TYPE_IS(SOCK_DGRAM), IS(2, 0, IPPROTO_UDP, IPPROTO_ICMP, IPPROTO_ICMPV6) },
  .action = ALLOW },
{ "socket", .tiers = TIER_1, .networks = CLOSED,
  .tests = { IS(0, AF_INET, AF_INET6), TYPE_IS(SOCK_DGRAM), IS(2, 0, IPPROTO_UDP) }, .action = NOTIFY },
{ "socket", .tests = { IS(0, AF_INET, AF_INET6), TYPE_IS(SOCK_DGRAM) }, .action = REFUSE(EACCES) },
{ "socket", .tests = { IS(0, AF_INET, AF_INET6), TYPE_IS(SOCK_RAW) }, .action = REFUSE(EPERM) },
{ "socket", .tests = { IS(0, AF_INET, AF_INET6) }, .action = REFUSE(EPROTONOSUPPORT) },
{ "socket", .action = REFUSE(EAFNOSUPPORT) },

/*
 * Whom a socket meets. In tier 3 Landlock knows ports only, and does not see the port that listen takes for an
 * unbound socket: where listening is limited there is none.
 */
{ "connect listen", .tiers = TIER_1 | TIER_2, .action = NOTIFY },
{ "connect", .action = ALLOW },
{ "listen",  .networks = OPEN, .action = ALLOW },
{ "listen",  .action = REFUSE(EACCES) },
{ "bind",    .tiers = TIER_1 | TIER_2, .networks = LISTEN | CLOSED, .action = NOTIFY },
{ "bind",    .action = ALLOW },
/* A connect in disguise. The flags in the message itself are not read on sending. */
{ "sendto sendmmsg", .networks = CLOSED, .tests = { BITS(3, MSG_FASTOPEN) }, .action = REFUSE(EOPNOTSUPP) },
{ "sendmsg",         .networks = CLOSED, .tests = { BITS(2, MSG_FASTOPEN) }, .action = REFUSE(EOPNOTSUPP) },
{ "sendto sendmsg sendmmsg", .action = ALLOW },

/*
 * Socket options. With SO_REUSEPORT a sandbox would share the port of a service of the host. Descriptors of
 * processes come by SO_PASSPIDFD and SO_PEERPIDFD, which only a pid namespace makes useless.
 * Where the network is closed: the options that programs use and that neither connect, nor choose a way, an
 * interface, an address or a mark, nor put another protocol in place (TCP_ULP, IP_OPTIONS, IPV6_RTHDR,
 * IPV6_PKTINFO, TCP_FASTOPEN*, TCP_REPAIR, IP_FREEBIND, IPV6_ADDRFORM ...). Control messages
 * need no rule: a TCP socket reads those of SOL_SOCKET only. Reading an option changes nothing.
 */
{ "setsockopt", .tests = { IS(1, SOL_SOCKET), IS(2, SO_REUSEPORT) }, .action = REFUSE(ENOPROTOOPT) },
{ "setsockopt", .tiers = TIER_2 | TIER_3, .tests = { IS(1, SOL_SOCKET), IS(2, OPTION_PASSPIDFD) },
  .action = REFUSE(ENOPROTOOPT) },
/* Datagram sockets that have it share a port: the broker looks whether it is one. */
{ "setsockopt", .tiers = TIER_1 | TIER_2, .networks = OPEN | LISTEN,
  .tests = { IS(1, SOL_SOCKET), IS(2, SO_REUSEADDR) }, .action = NOTIFY },
{ "setsockopt", .networks = OPEN | LISTEN | BLOCKED, .action = ALLOW },
{ "setsockopt", .tests = { IS(1, SOL_SOCKET), IS(2, SO_REUSEADDR, SO_KEEPALIVE, SO_LINGER, SO_RCVBUF, SO_SNDBUF,
  SO_RCVTIMEO, SO_SNDTIMEO, OPTION_RCVTIMEO_NEW, OPTION_SNDTIMEO_NEW, SO_RCVLOWAT, SO_SNDLOWAT, SO_BROADCAST,
  SO_OOBINLINE, SO_PRIORITY, SO_PASSCRED, SO_PASSSEC, SO_TIMESTAMP, SO_TIMESTAMPNS, SO_TIMESTAMPING,
  OPTION_TIMESTAMP_NEW, OPTION_TIMESTAMPNS_NEW, OPTION_TIMESTAMPING_NEW, SO_RXQ_OVFL, SO_PEEK_OFF, SO_BUSY_POLL,
  SO_MAX_PACING_RATE, SO_ZEROCOPY) }, .action = ALLOW },
{ "setsockopt", .tests = { IS(1, IPPROTO_TCP), IS(2, TCP_NODELAY, TCP_MAXSEG, TCP_CORK, TCP_KEEPIDLE,
  TCP_KEEPINTVL, TCP_KEEPCNT, TCP_SYNCNT, TCP_LINGER2, TCP_DEFER_ACCEPT, TCP_WINDOW_CLAMP, TCP_QUICKACK,
  TCP_CONGESTION, TCP_USER_TIMEOUT, TCP_NOTSENT_LOWAT, TCP_INQ, OPTION_TCP_TX_DELAY) }, .action = ALLOW },
{ "setsockopt", .tests = { IS(1, IPPROTO_IP), IS(2, IP_TOS, IP_TTL, IP_PKTINFO, IP_MTU_DISCOVER, IP_RECVERR,
  IP_RECVTTL, IP_RECVTOS, IP_BIND_ADDRESS_NO_PORT, OPTION_IP_LOCAL_PORT_RANGE) }, .action = ALLOW },
{ "setsockopt", .tests = { IS(1, IPPROTO_IPV6), IS(2, IPV6_V6ONLY, IPV6_TCLASS, IPV6_UNICAST_HOPS,
  IPV6_MTU_DISCOVER, IPV6_RECVERR, IPV6_RECVPKTINFO, IPV6_RECVTCLASS, IPV6_RECVHOPLIMIT, IPV6_DONTFRAG) },
  .action = ALLOW },
{ "setsockopt", .tests = { IS(1, SOL_NETLINK), IS(2, NETLINK_ADD_MEMBERSHIP, NETLINK_DROP_MEMBERSHIP,
  NETLINK_PKTINFO, NETLINK_NO_ENOBUFS, NETLINK_CAP_ACK, NETLINK_EXT_ACK, NETLINK_GET_STRICT_CHK) },
  .action = ALLOW },
{ "setsockopt", .action = REFUSE(ENOPROTOOPT) },
{ "getsockopt", .tiers = TIER_2 | TIER_3, .tests = { IS(1, SOL_SOCKET), IS(2, OPTION_PEERPIDFD) },
  .action = REFUSE(ENOPROTOOPT) },
{ "getsockopt", .networks = OPEN | LISTEN | BLOCKED, .action = ALLOW },
{ "getsockopt", .tests = { IS(1, SOL_SOCKET, IPPROTO_TCP, IPPROTO_IP, IPPROTO_IPV6, SOL_NETLINK) },
  .action = ALLOW },
{ "getsockopt", .action = REFUSE(ENOPROTOOPT) },
};
/* clang-format on */

/* Calls that libseccomp may be too old to know; from 424 on every machine has the same numbers. */
static const struct {
	const char *name;
	int number;
} filter_new_calls[] = {
	{ "memfd_secret", 447 },
	{ "process_mrelease", 448 },
	{ "futex_waitv", 449 },
	{ "set_mempolicy_home_node", 450 },
	{ "cachestat", 451 },
	{ "fchmodat2", 452 },
	{ "map_shadow_stack", 453 },
	{ "futex_wake", 454 },
	{ "futex_wait", 455 },
	{ "futex_requeue", 456 },
	{ "mseal", 462 },
	{ "setxattrat", 463 },
	{ "getxattrat", 464 },
	{ "listxattrat", 465 },
	{ "removexattrat", 466 },
	{ "open_tree_attr", 467 },
	{ "file_getattr", 468 },
	{ "file_setattr", 469 },
};

#endif
