/* A library that a Python program calls: it keeps 1,200 bytes a call, and 96 on a thread of its own. */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

struct entry {
    struct entry *next;
    char bytes[1192];
};

static struct entry *kept;
void *strips[4096];
static unsigned strip;

static __attribute__((always_inline)) inline struct entry *make(int run)
{
    struct entry *entry = malloc(sizeof *entry);
    memset(entry->bytes, run, sizeof entry->bytes);
    return entry;
}

__attribute__((noinline)) static void *work(void *unused)
{
    strips[strip++ % 4096] = malloc(96);
    __asm__ volatile("");
    return unused;
}

__attribute__((noinline)) void keep(int run)
{
    struct entry *entry = make(run);
    entry->next = kept;
    kept = entry;
    __asm__ volatile("");
}

void keep_with_thread(int run)
{
    pthread_t thread;
    keep(run);
    if (pthread_create(&thread, NULL, work, NULL) == 0)
        pthread_join(thread, NULL);
}
