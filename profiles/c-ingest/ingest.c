/*
 * A telemetry ingestion service in C with four classic memory faults behind switches.
 *
 * Like examples/ingest.rs, and smaller: it reads run-length coded batches from keep-alive
 * connections, buffers the points of each measurement, flushes the buffers to a sink that can
 * fail, and answers every batch. The clients live in the same process; every run is the same.
 *
 *     ingest BATCHES [double-buffer] [retries] [keep-alive] [encoder]
 *
 * Nothing is freed at the end: what is alive then is what the service keeps.
 */
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <valgrind/dhat.h>

enum {
    CONNECTIONS = 20,
    READ_STEP = 16 * 1024,      /* a connection asks for room in steps of this size */
    IDLE_ROOM = 2 * READ_STEP,  /* what an idle connection may keep */
    INFLATE_CHUNK = 16 * 1024,  /* size of the pieces that decompress_chunks collects */
    FIELDS = 247,
    RECORD = 256,               /* measurement (1), timestamp (8), fields */
    LINE = 8 + 16 + FIELDS,     /* name, digits, fields */
    REGULAR_RECORDS = 160,
    LARGE_RECORDS = 4096,
    FLUSH_AT = 64,
    RETRY_CAP = 2 * 2500,       /* twice what a buffer is meant to hold */
    MAX_ATTEMPTS = 3,
    ANSWER_ROOM = 2040,
    MEASUREMENTS = 4,
    DISK = 0,
    NET = 1,
};

static const char *const names[MEASUREMENTS] = {"disk    ", "net     ", "cpu     ", "mem     "};

static struct {
    bool double_buffer, retries, keep_alive, encoder;
} faults;

static void *must(void *block) {
    if (!block) {
        fputs("out of memory\n", stderr);
        exit(1);
    }
    return block;
}

/* ---- connections ---- */

struct frame {
    size_t length;
    const uint8_t *bytes;
};

struct connection {
    uint8_t *buffer;
    size_t length, room;
    uint32_t answer;
};

/* Reads one frame into the buffer, which grows in steps to what the payload needs. */
static void connection_fill(struct connection *connection, const struct frame *frame) {
    size_t need = (frame->length + READ_STEP - 1) / READ_STEP * READ_STEP;
    if (need > connection->room) {
        connection->buffer = must(realloc(connection->buffer, need));
        connection->room = need;
    }
    memcpy(connection->buffer, frame->bytes, frame->length);
    connection->length = frame->length;
}

/* keep-alive: without shrinking, a connection keeps the room of its largest payload. */
static void connection_respond(struct connection *connection, const uint8_t *answer) {
    memcpy(&connection->answer, answer, sizeof connection->answer);
    if (!faults.keep_alive && connection->room > IDLE_ROOM) {
        connection->buffer = must(realloc(connection->buffer, IDLE_ROOM));
        connection->room = IDLE_ROOM;
    }
}

/* ---- decompression: pairs of a count and a byte ---- */

struct chunk {
    struct chunk *next;
    size_t used;
    uint8_t bytes[INFLATE_CHUNK];
};

static struct chunk *decompress_chunks(const uint8_t *from, size_t length) {
    struct chunk *first = NULL, **last = &first, *chunk = NULL;
    for (size_t i = 0; i + 1 < length; i += 2) {
        for (int count = from[i]; count > 0; count--) {
            if (!chunk || chunk->used == INFLATE_CHUNK) {
                chunk = must(malloc(sizeof *chunk));
                chunk->next = NULL;
                chunk->used = 0;
                *last = chunk;
                last = &chunk->next;
            }
            chunk->bytes[chunk->used++] = from[i + 1];
        }
    }
    return first;
}

static uint8_t *join_chunks(const struct chunk *chunks, size_t *length) {
    *length = 0;
    for (const struct chunk *chunk = chunks; chunk; chunk = chunk->next)
        *length += chunk->used;
    uint8_t *payload = must(malloc(*length)), *end = payload;
    for (const struct chunk *chunk = chunks; chunk; chunk = chunk->next) {
        memcpy(end, chunk->bytes, chunk->used);
        end += chunk->used;
    }
    return payload;
}

/* double-buffer: the chunks and what they are joined to are alive at the same time. */
static uint8_t *decompress_doubled(const uint8_t *from, size_t length, size_t *inflated) {
    struct chunk *chunks = decompress_chunks(from, length);
    uint8_t *payload = join_chunks(chunks, inflated);
    while (chunks) {
        struct chunk *next = chunks->next;
        free(chunks);
        chunks = next;
    }
    return payload;
}

static uint8_t *decompress_sized(const uint8_t *from, size_t length, size_t *inflated) {
    *inflated = 0;
    for (size_t i = 0; i + 1 < length; i += 2)
        *inflated += from[i];
    uint8_t *payload = must(malloc(*inflated)), *end = payload;
    for (size_t i = 0; i + 1 < length; i += 2) {
        memset(end, from[i + 1], from[i]);
        end += from[i];
    }
    return payload;
}

/* ---- the sink: it never takes `disk`, and is away for `net` once in every seventh batch ---- */

static struct {
    uint64_t written;
    bool away;
} sink;

static bool sink_write(int measurement, const uint8_t *body, size_t length) {
    (void)body;
    if (measurement == DISK)
        return false;
    if (measurement == NET && sink.away) {
        sink.away = false;
        return false;
    }
    sink.written += length;
    DHAT_AD_HOC_EVENT(length);
    return true;
}

/* ---- buffers of measurements ---- */

struct point {
    uint64_t timestamp;
    uint8_t *fields;
};

struct refused {
    struct refused *next;
    uint8_t line[LINE];
};

static struct buffer {
    struct point points[FLUSH_AT];
    size_t count;
    struct refused *refused;
    size_t waiting;
} buffers[MEASUREMENTS];

static uint8_t *body;
static uint64_t dropped;

static void buffer_push(struct buffer *buffer, const uint8_t *record) {
    struct point *point = &buffer->points[buffer->count++];
    memcpy(&point->timestamp, record + 1, sizeof point->timestamp);
    point->fields = must(malloc(FIELDS));
    memcpy(point->fields, record + 9, FIELDS);
}

static void write_line(uint8_t *line, int measurement, const struct point *point) {
    memcpy(line, names[measurement], 8);
    uint64_t rest = point->timestamp;
    for (int digit = 15; digit >= 0; digit--, rest /= 10)
        line[8 + digit] = '0' + rest % 10;
    memcpy(line + 24, point->fields, FIELDS);
}

/* retries: what failed goes back into the buffer, up to a cap that is far away. */
static void readd_failed(struct buffer *buffer, int measurement) {
    for (size_t i = 0; i < buffer->count && buffer->waiting < RETRY_CAP; i++) {
        struct refused *refused = must(malloc(sizeof *refused));
        write_line(refused->line, measurement, &buffer->points[i]);
        refused->next = buffer->refused;
        buffer->refused = refused;
        buffer->waiting++;
    }
}

/* Offers everything that was refused once more. */
static void retry_refused(struct buffer *buffer, int measurement) {
    struct refused **link = &buffer->refused;
    while (*link) {
        struct refused *refused = *link;
        if (sink_write(measurement, refused->line, LINE)) {
            *link = refused->next;
            free(refused);
            buffer->waiting--;
        } else {
            link = &refused->next;
        }
    }
}

static void flush_buffer(int measurement) {
    struct buffer *buffer = &buffers[measurement];
    if (!body)
        body = must(malloc(FLUSH_AT * LINE));
    for (size_t i = 0; i < buffer->count; i++)
        write_line(body + i * LINE, measurement, &buffer->points[i]);
    if (faults.retries) {
        retry_refused(buffer, measurement);
        if (!sink_write(measurement, body, buffer->count * LINE))
            readd_failed(buffer, measurement);
    } else {
        bool taken = false;
        for (int attempt = 0; attempt < MAX_ATTEMPTS && !taken; attempt++)
            taken = sink_write(measurement, body, buffer->count * LINE);
        if (!taken)
            dropped += buffer->count;
    }
    for (size_t i = 0; i < buffer->count; i++)
        free(buffer->points[i].fields);
    buffer->count = 0;
}

/* ---- the encoder of answers ---- */

struct room {
    struct room *previous;
    uint8_t bytes[ANSWER_ROOM];
};

static struct {
    struct room *room, *retired;
} encoder;

static const uint8_t *encoder_encode(uint32_t accepted) {
    encoder.room = must(malloc(sizeof *encoder.room));
    memcpy(encoder.room->bytes, &accepted, sizeof accepted);
    return encoder.room->bytes;
}

/* encoder: a reset that puts the finished room aside and never frees it. */
static void encoder_reset(void) {
    if (faults.encoder) {
        encoder.room->previous = encoder.retired;
        encoder.retired = encoder.room;
    } else {
        free(encoder.room);
    }
    encoder.room = NULL;
}

/* ---- the service ---- */

static uint32_t ingest(const uint8_t *payload, size_t length) {
    uint32_t accepted = 0;
    for (size_t at = 0; at + RECORD <= length; at += RECORD, accepted++) {
        int measurement = payload[at];
        buffer_push(&buffers[measurement], payload + at);
        if (buffers[measurement].count == FLUSH_AT)
            flush_buffer(measurement);
    }
    return accepted;
}

static void serve(unsigned batch, struct connection *connection, const struct frame *frame) {
    size_t length;
    sink.away = batch % 7 == 0;
    connection_fill(connection, frame);
    uint8_t *payload = faults.double_buffer
                           ? decompress_doubled(connection->buffer, connection->length, &length)
                           : decompress_sized(connection->buffer, connection->length, &length);
    uint32_t accepted = ingest(payload, length);
    free(payload);
    for (int measurement = 0; measurement < MEASUREMENTS; measurement++)
        flush_buffer(measurement);
    connection_respond(connection, encoder_encode(accepted));
    encoder_reset();
}

/* ---- the load ---- */

static uint64_t xorshift(void) {
    static uint64_t state = 0x9e3779b97f4a7c15;
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return state;
}

/* A frame of as many records: four of `disk`, four of `net`, the others of `cpu` and `mem`. */
static struct frame prepare_frame(unsigned records) {
    enum { NOISE = 60 };
    size_t most = (size_t)records * (2 * (9 + NOISE) + 2);
    uint8_t *bytes = must(malloc(most)), *end = bytes;
    for (unsigned i = 0; i < records; i++) {
        uint8_t head[9 + NOISE];
        uint64_t timestamp = 1700000000000000 + i;
        head[0] = i < 4 ? DISK : i < 8 ? NET : 2 + i % 2;
        memcpy(head + 1, &timestamp, sizeof timestamp);
        for (int n = 0; n < NOISE; n++)
            head[9 + n] = xorshift() >> 56;
        for (size_t n = 0; n < sizeof head; n++) {
            *end++ = 1;
            *end++ = head[n];
        }
        *end++ = FIELDS - NOISE;
        *end++ = '.';
    }
    return (struct frame){end - bytes, bytes};
}

int main(int argc, char **argv) {
    unsigned batches = argc > 1 ? strtoul(argv[1], NULL, 10) : 50;
    for (int i = 2; i < argc; i++) {
        faults.double_buffer |= !strcmp(argv[i], "double-buffer");
        faults.retries |= !strcmp(argv[i], "retries");
        faults.keep_alive |= !strcmp(argv[i], "keep-alive");
        faults.encoder |= !strcmp(argv[i], "encoder");
    }

    /* The batches 1 to 20 are large, one for each connection: what a client piled up before it
       connected. From then on one in a hundred is. */
    struct frame regular = prepare_frame(REGULAR_RECORDS), large = prepare_frame(LARGE_RECORDS);
    struct connection *connections = must(calloc(CONNECTIONS, sizeof *connections));
    for (unsigned batch = 1; batch <= batches; batch++) {
        bool is_large = batch <= CONNECTIONS || batch % 100 == 60;
        serve(batch, &connections[batch % CONNECTIONS], is_large ? &large : &regular);
    }
    fprintf(stderr, "%llu bytes written, %llu points dropped, %zu waiting\n",
            (unsigned long long)sink.written, (unsigned long long)dropped, buffers[DISK].waiting);
    return 0;
}
