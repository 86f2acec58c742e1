/* A clock that runs faster than the real one, for the process that this is preloaded into.
 *
 * The file that SOAK_CLOCK names holds how fast it runs; who maps it may change that at any time.
 * All clocks but those of CPU time are shifted by the same amount. Waits end when the time that
 * they name has come by the fast clock: they are done in slices, so that a change of pace in the
 * middle of one counts, and so they cost the process a little that the runtime does not.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/select.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#define SECOND 1000000000LL
/* The longest slice of a wait, in real nanoseconds. */
#define SLICE (20 * 1000000LL)
/* Absolute times of the wall clock are beyond this, those of the monotonic clock are not. */
#define WALL (1000000000LL * SECOND)

/* See clock.py. */
struct pace {
    volatile uint64_t version; /* odd while it is written */
    int64_t real;              /* monotonic nanoseconds at the last change */
    int64_t fast;              /* what the fast clock showed then */
    int64_t factor;
};

static volatile struct pace *pace;

__attribute__((constructor)) static void begin(void)
{
    const char *name = getenv("SOAK_CLOCK");
    int fd = name ? open(name, O_RDONLY | O_CLOEXEC) : -1;
    void *map = fd < 0 ? MAP_FAILED : mmap(0, sizeof *pace, PROT_READ, MAP_SHARED, fd, 0);
    if (fd >= 0)
        close(fd);
    if (map != MAP_FAILED)
        pace = map;
}

static int64_t real_time(clockid_t clock)
{
    struct timespec now;
    syscall(SYS_clock_gettime, clock, &now);
    return now.tv_sec * SECOND + now.tv_nsec;
}

/* What the fast clock is ahead of the real one, and how fast it runs. */
static int64_t ahead(int64_t *factor)
{
    for (;;) {
        uint64_t version = pace->version;
        __sync_synchronize();
        int64_t real = pace->real, fast = pace->fast, by = pace->factor;
        __sync_synchronize();
        if (version & 1 || version != pace->version)
            continue;
        int64_t now = real_time(CLOCK_MONOTONIC);
        if (factor)
            *factor = by;
        return fast + (now - real) * by - now;
    }
}

static int is_cpu(clockid_t clock)
{
    return clock < 0 || clock == CLOCK_PROCESS_CPUTIME_ID || clock == CLOCK_THREAD_CPUTIME_ID;
}

static struct timespec spec(int64_t ns)
{
    struct timespec t = {ns / SECOND, ns % SECOND};
    return t;
}

static int64_t ns_of(const struct timespec *t)
{
    if (t->tv_sec >= INT64_MAX / SECOND)
        return INT64_MAX / 2 + WALL; /* for ever, and room for sums */
    return t->tv_sec * SECOND + t->tv_nsec;
}

static int64_t fast_time(clockid_t clock)
{
    return real_time(clock) + ahead(0);
}

int clock_gettime(clockid_t clock, struct timespec *t)
{
    if (!pace || is_cpu(clock))
        return syscall(SYS_clock_gettime, clock, t);
    *t = spec(fast_time(clock));
    return 0;
}

int gettimeofday(struct timeval *restrict t, void *restrict zone)
{
    int64_t now = pace ? fast_time(CLOCK_REALTIME) : real_time(CLOCK_REALTIME);
    (void)zone;
    t->tv_sec = now / SECOND;
    t->tv_usec = now % SECOND / 1000;
    return 0;
}

time_t time(time_t *t)
{
    time_t now = (pace ? fast_time(CLOCK_REALTIME) : real_time(CLOCK_REALTIME)) / SECOND;
    if (t)
        *t = now;
    return now;
}

/* A deadline on the monotonic fast clock. */
static int64_t after(int64_t ns)
{
    return fast_time(CLOCK_MONOTONIC) + ns;
}

static int64_t deadline(const struct timespec *until)
{
    int64_t ns = ns_of(until);
    return ns > WALL ? ns - real_time(CLOCK_REALTIME) + real_time(CLOCK_MONOTONIC) : ns;
}

/* The next slice of a wait, in real nanoseconds; 0 when its time has come. */
static int64_t slice(int64_t end)
{
    int64_t factor, left = end - real_time(CLOCK_MONOTONIC) - ahead(&factor);
    if (left <= 0)
        return 0;
    left = (left + factor - 1) / factor;
    return left < SLICE ? left : SLICE;
}

typedef int wait_cond(pthread_cond_t *, pthread_mutex_t *, clockid_t, const struct timespec *);
typedef int wait_sem(sem_t *, clockid_t, const struct timespec *);

static int cond_wait(pthread_cond_t *c, pthread_mutex_t *m, clockid_t k, const struct timespec *t)
{
    static wait_cond *next;
    if (!next)
        next = (wait_cond *)dlsym(RTLD_NEXT, "pthread_cond_clockwait");
    if (!pace)
        return next(c, m, k, t);
    for (int64_t end = deadline(t);;) {
        int64_t ns = slice(end);
        struct timespec until = spec(real_time(CLOCK_MONOTONIC) + ns);
        int result = next(c, m, CLOCK_MONOTONIC, &until);
        if (result != ETIMEDOUT || ns == 0)
            return result;
    }
}

int pthread_cond_clockwait(
    pthread_cond_t *restrict c, pthread_mutex_t *restrict m, clockid_t k,
    const struct timespec *restrict t)
{
    return cond_wait(c, m, k, t);
}

int pthread_cond_timedwait(
    pthread_cond_t *restrict c, pthread_mutex_t *restrict m, const struct timespec *restrict t)
{
    return cond_wait(c, m, ns_of(t) > WALL ? CLOCK_REALTIME : CLOCK_MONOTONIC, t);
}

static int wait_for_sem(sem_t *s, clockid_t k, const struct timespec *t)
{
    static wait_sem *next;
    if (!next)
        next = (wait_sem *)dlsym(RTLD_NEXT, "sem_clockwait");
    if (!pace)
        return next(s, k, t);
    for (int64_t end = deadline(t);;) {
        int64_t ns = slice(end);
        struct timespec until = spec(real_time(CLOCK_MONOTONIC) + ns);
        int result = next(s, CLOCK_MONOTONIC, &until);
        if (result == 0 || errno != ETIMEDOUT || ns == 0)
            return result;
    }
}

int sem_clockwait(sem_t *restrict s, clockid_t k, const struct timespec *restrict t)
{
    return wait_for_sem(s, k, t);
}

int sem_timedwait(sem_t *restrict s, const struct timespec *restrict t)
{
    return wait_for_sem(s, CLOCK_REALTIME, t);
}

int ppoll(struct pollfd *fds, nfds_t n, const struct timespec *timeout, const sigset_t *mask)
{
    if (!pace || !timeout || ns_of(timeout) == 0) {
        struct timespec copy = timeout ? *timeout : spec(0);
        return syscall(SYS_ppoll, fds, n, timeout ? &copy : 0, mask, _NSIG / 8);
    }
    for (int64_t end = after(ns_of(timeout));;) {
        int64_t ns = slice(end);
        struct timespec t = spec(ns);
        int result = syscall(SYS_ppoll, fds, n, &t, mask, _NSIG / 8);
        if (result || ns == 0)
            return result;
    }
}

int poll(struct pollfd *fds, nfds_t n, int ms)
{
    struct timespec t = spec(ms < 0 ? 0 : ms * (SECOND / 1000));
    return ppoll(fds, n, ms < 0 ? 0 : &t, 0);
}

int epoll_pwait(int fd, struct epoll_event *events, int n, int ms, const sigset_t *mask)
{
    if (!pace || ms <= 0)
        return syscall(SYS_epoll_pwait, fd, events, n, ms, mask, _NSIG / 8);
    for (int64_t end = after(ms * (SECOND / 1000));;) {
        int64_t ns = slice(end);
        int part = (ns + 999999) / 1000000;
        int result = syscall(SYS_epoll_pwait, fd, events, n, part, mask, _NSIG / 8);
        if (result || ns == 0)
            return result;
    }
}

int epoll_wait(int fd, struct epoll_event *events, int n, int ms)
{
    return epoll_pwait(fd, events, n, ms, 0);
}

int pselect(
    int n, fd_set *restrict r, fd_set *restrict w, fd_set *restrict x,
    const struct timespec *restrict timeout, const sigset_t *restrict mask)
{
    struct { const sigset_t *mask; size_t size; } last = {mask, _NSIG / 8};
    if (!pace || !timeout || ns_of(timeout) == 0) {
        struct timespec copy = timeout ? *timeout : spec(0);
        return syscall(SYS_pselect6, n, r, w, x, timeout ? &copy : 0, &last);
    }
    fd_set kept[3];
    fd_set *sets[3] = {r, w, x};
    for (int i = 0; i < 3; i++)
        if (sets[i])
            kept[i] = *sets[i];
    for (int64_t end = after(ns_of(timeout));;) {
        int64_t ns = slice(end);
        struct timespec t = spec(ns);
        int result = syscall(SYS_pselect6, n, r, w, x, &t, &last);
        if (result || ns == 0)
            return result;
        for (int i = 0; i < 3; i++)
            if (sets[i])
                *sets[i] = kept[i];
    }
}

int select(
    int n, fd_set *restrict r, fd_set *restrict w, fd_set *restrict x, struct timeval *restrict t)
{
    struct timespec timeout = spec(t ? t->tv_sec * SECOND + t->tv_usec * 1000LL : 0);
    return pselect(n, r, w, x, t ? &timeout : 0, 0);
}

int clock_nanosleep(clockid_t clock, int flags, const struct timespec *t, struct timespec *left)
{
    if (!pace || is_cpu(clock))
        return syscall(SYS_clock_nanosleep, clock, flags, t, left) ? errno : 0;
    int64_t end = flags & TIMER_ABSTIME ? deadline(t) : after(ns_of(t));
    for (int64_t ns; (ns = slice(end)) > 0;) {
        struct timespec part = spec(ns);
        if (syscall(SYS_clock_nanosleep, CLOCK_MONOTONIC, 0, &part, 0)) {
            int64_t rest = end - after(0);
            if (left && !(flags & TIMER_ABSTIME))
                *left = spec(rest > 0 ? rest : 0);
            return errno;
        }
    }
    return 0;
}

int nanosleep(const struct timespec *t, struct timespec *left)
{
    int error = clock_nanosleep(CLOCK_MONOTONIC, 0, t, left);
    errno = error ? error : errno;
    return error ? -1 : 0;
}
