/*
 * The way out: segments of encoded events wait in a queue until the destination acknowledges them.
 * A segment goes out as its length (4 bytes) and its bytes; the answer is A (taken) or N (send it
 * again), in order.
 */
#include "forwarder.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

struct segment {
    struct segment *next;
    size_t length, sent;
    uint8_t bytes[];
};

static struct {
    int socket;
    struct segment *first;
    unsigned waiting;
} out;

/* ---- tags: each name is kept once ---- */

static struct tag {
    struct tag *next;
    char name[TAG_ROOM];
} *tags;

const char *tag_intern(const char *name)
{
    struct tag *tag = tags;
    while (tag && strcmp(tag->name, name))
        tag = tag->next;
    if (!tag) {
        tag = must(malloc(sizeof *tag));
        snprintf(tag->name, sizeof tag->name, "%s", name);
        tag->next = tags;
        tags = tag;
    }
    return tag->name;
}

/* ---- the queue ---- */

struct ticket {
    const char *tag;
    unsigned place;
    char reserved[64];
};

void out_open(int socket)
{
    out.socket = socket;
}

int out_socket(void)
{
    return out.socket;
}

bool out_idle(void)
{
    return out.waiting == 0;
}

bool out_has_unsent(void)
{
    for (struct segment *segment = out.first; segment; segment = segment->next)
        if (segment->sent < segment->length)
            return true;
    return false;
}

/* Error path: when the queue is full, the ticket is neither handed out nor freed. */
struct ticket *out_reserve(const char *tag)
{
    struct ticket *ticket = must(malloc(sizeof *ticket));
    ticket->tag = tag_intern(tag);
    ticket->place = out.waiting;
    if (out.waiting >= QUEUE_MOST) {
        if (cured.errors)
            free(ticket);
        return NULL;
    }
    return ticket;
}

void out_enqueue(struct ticket *ticket)
{
    size_t body = encoder_length();
    struct segment *segment = must(malloc(sizeof *segment + 4 + body)), **end = &out.first;
    uint32_t announced = htonl(body);
    segment->next = NULL;
    segment->length = 4 + body;
    segment->sent = 0;
    memcpy(segment->bytes, &announced, 4);
    encoder_copy(segment->bytes + 4);
    while (*end)
        end = &(*end)->next;
    *end = segment;
    out.waiting++;
    free(ticket);
}

void out_flush(void)
{
    for (struct segment *segment = out.first; segment; segment = segment->next) {
        while (segment->sent < segment->length) {
            ssize_t sent = send(out.socket, segment->bytes + segment->sent,
                                segment->length - segment->sent, MSG_DONTWAIT | MSG_NOSIGNAL);
            if (sent <= 0)
                return;
            segment->sent += sent;
        }
    }
}

/* Error path: the record of an attempt that failed is never freed. */
static void out_retry(struct segment *segment)
{
    struct attempt {
        size_t length;
        char reason[312];
    } *attempt = must(malloc(sizeof *attempt));
    attempt->length = segment->length;
    snprintf(attempt->reason, sizeof attempt->reason, "refused by the destination");
    segment->sent = 0;
    if (cured.errors)
        free(attempt);
}

void out_answers(void)
{
    char answer;
    while (out.first && recv(out.socket, &answer, 1, MSG_DONTWAIT) == 1) {
        struct segment *segment = out.first;
        if (answer == 'N') {
            out_retry(segment);
        } else {
            out.first = segment->next;
            out.waiting--;
            free(segment);
        }
    }
}
