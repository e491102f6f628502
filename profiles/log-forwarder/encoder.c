/* The encoder of events: a format like MessagePack, collected in a buffer of chunks. */
#include "forwarder.h"

#include <stdlib.h>
#include <string.h>

/* ---- a buffer of chunks: the first is small, because most of what is encoded is ---- */

enum { FIRST_CHUNK = 6 * 1024, CHUNK = 64 * 1024 };

struct chunk {
    struct chunk *next;
    uint32_t used, room;
    uint8_t bytes[];
};

struct sbuffer {
    struct chunk *first, *last;
    size_t length;
};

static void sbuffer_write(struct sbuffer *buffer, const uint8_t *bytes, size_t length)
{
    buffer->length += length;
    while (length) {
        struct chunk *chunk = buffer->last;
        if (!chunk || chunk->used == chunk->room) {
            size_t size = chunk ? CHUNK : FIRST_CHUNK;
            struct chunk *more = must(malloc(size));
            *more = (struct chunk){.room = size - sizeof *more};
            *(chunk ? &chunk->next : &buffer->first) = more;
            buffer->last = chunk = more;
        }
        size_t part = chunk->room - chunk->used;
        if (part > length)
            part = length;
        memcpy(chunk->bytes + chunk->used, bytes, part);
        chunk->used += part;
        bytes += part;
        length -= part;
    }
}

/* ---- events ---- */

static struct {
    uint8_t event[2048];  /* the one that is being made; its first byte is the number of pairs */
    size_t length;
    struct sbuffer buffer;
    struct chunk *retired;
} encoder;

void encoder_begin(void)
{
    encoder.length = 1;
}

static void put(uint64_t number, int bytes)
{
    while (bytes--)
        encoder.event[encoder.length++] = number >> (8 * bytes);
}

bool encoder_string(const void *text, size_t length)
{
    if (encoder.length + 3 + length > sizeof encoder.event)
        return false;
    if (length < 32) {
        put(0xa0 | length, 1);
    } else {
        put(0xda, 1);
        put(length, 2);
    }
    memcpy(encoder.event + encoder.length, text, length);
    encoder.length += length;
    return true;
}

bool encoder_number(uint64_t number)
{
    if (encoder.length + 9 > sizeof encoder.event)
        return false;
    put(0xcf, 1);
    put(number, 8);
    return true;
}

void encoder_commit(unsigned pairs)
{
    encoder.event[0] = 0x80 | pairs;
    sbuffer_write(&encoder.buffer, encoder.event, encoder.length);
}

size_t encoder_length(void)
{
    return encoder.buffer.length;
}

void encoder_copy(uint8_t *to)
{
    for (struct chunk *chunk = encoder.buffer.first; chunk; chunk = chunk->next) {
        memcpy(to, chunk->bytes, chunk->used);
        to += chunk->used;
    }
}

/*
 * The fault: of the chunks of a post, the first of each size is put aside for the next one, and
 * nothing ever takes it from there: 6 KiB and 64 KiB for every post, by both protocols. The list
 * is reachable, so a leak checker does not see it.
 */
void encoder_reset(void)
{
    struct chunk *chunk = encoder.buffer.first;
    for (int kept = 0; chunk && kept < 2 && !cured.encoder; kept++) {
        struct chunk *next = chunk->next;
        chunk->next = encoder.retired;
        encoder.retired = chunk;
        chunk = next;
    }
    while (chunk) {
        struct chunk *next = chunk->next;
        free(chunk);
        chunk = next;
    }
    encoder.buffer = (struct sbuffer){0};
}
