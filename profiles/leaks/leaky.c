/*
 * A program that loses memory in every way that a leak checker tells apart, the same in each run.
 *
 *     leaky RUNS [cured]
 *
 * A run loses a message of 48 bytes that alone holds a payload of 400 (definite and indirect),
 * keeps only the middle of a frame of 96 bytes (possible), and adds an entry of 120 bytes to a
 * list that nobody shortens (reachable). Cured, it frees all of them.
 */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

struct message {
    char *payload;
    char head[40];
};

struct entry {
    struct entry *next;
    char body[112];
};

static struct entry *journal;
static char **middles;

__attribute__((noinline)) static struct message *receive(void) {
    struct message *message = malloc(sizeof *message);
    message->payload = malloc(400);
    return message;
}

__attribute__((noinline)) static char *open_frame(void) {
    return malloc(96);
}

__attribute__((noinline)) static struct entry *remember(void) {
    struct entry *entry = malloc(sizeof *entry);
    entry->next = journal;
    journal = entry;
    return entry;
}

__attribute__((noinline)) static void run(unsigned number, bool cured) {
    struct message *message = receive();
    char *frame = open_frame();
    struct entry *entry = remember();
    if (cured) {
        free(message->payload);
        free(message);
        free(frame);
        journal = entry->next;
        free(entry);
    } else {
        middles[number] = frame + 32;
    }
}

/* What a call leaves on the stack would keep the last message reachable. */
__attribute__((noinline)) static int wipe(void) {
    volatile char room[4096];
    for (unsigned i = 0; i < sizeof room; i++)
        room[i] = 0;
    return room[17];
}

int main(int argc, char **argv) {
    unsigned runs = argc > 1 ? strtoul(argv[1], NULL, 10) : 10;
    bool cured = argc > 2;
    middles = calloc(runs + 1, sizeof *middles);
    for (unsigned i = 0; i < runs; i++)
        run(i, cured);
    if (cured) {
        free(middles);
        middles = NULL;
    }
    return wipe();
}
