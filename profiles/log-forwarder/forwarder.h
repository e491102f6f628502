/*
 * A log forwarder: takes posts of JSON lines on keep-alive connections, encodes every line as an
 * event, and forwards the events to a destination that acknowledges them.
 *
 *     forwarder.c   the event loop
 *     conn.c        connections and their buffers
 *     in_http.c     posts by HTTP/1.1, and process_pack, which makes events of lines
 *     in_http2.c    posts in frames, as HTTP/2 with prior knowledge
 *     encoder.c     events in a format like MessagePack, collected in a buffer of chunks
 *     out.c         the queue to the destination
 *
 * It has three planted faults, each with a cure behind a switch: see README.md.
 */
#ifndef FORWARDER_H
#define FORWARDER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    GROW_STEP = 1 << 20,     /* a connection's buffer grows in steps of this size */
    IDLE_ROOM = GROW_STEP,   /* cure of the buffers: what an idle connection may keep */
    POST_MOST = 16 << 20,    /* a larger post is refused */
    READ_TIMEOUT = 500,      /* milliseconds between two pieces of one post */
    QUEUE_MOST = 4,          /* segments that wait for the destination's word */
    TAG_ROOM = 64,
};

/* Which faults are cured. */
struct cures {
    bool encoder;  /* encoder_reset releases what it does not use again */
    bool buffers;  /* conn_settle shrinks a buffer after a large post */
    bool errors;   /* the ten error paths free what they hold */
};
extern struct cures cured;

void *must(void *block);  /* the block, or the end of the program when memory is out */
long long now(void);      /* milliseconds */

/* ---- conn.c ---- */

enum protocol { UNKNOWN, HTTP1, HTTP2 };

/* One post that is being received. */
struct request {
    size_t body_length;
    char tag[TAG_ROOM];
    char path[128];
    char reserved[56];
};

struct conn {
    int socket;
    enum protocol protocol;
    uint8_t *buffer;
    size_t length, room;      /* bytes received, and room for them */
    size_t body, parsed;      /* HTTP2: payload collected at the front; frames read so far */
    struct request *request;  /* NULL between two posts */
    long long last_byte;
    bool closing;
};

struct conn *conn_open(int socket);
void conn_close(struct conn *conn);
bool conn_read(struct conn *conn);  /* false when the other side is gone */
void conn_send(struct conn *conn, const void *bytes, size_t length);
void conn_settle(struct conn *conn);  /* after a post: ready for the next one */
void conn_expire(struct conn *conn);  /* a post stopped in the middle for READ_TIMEOUT */

/* ---- in_http.c, in_http2.c ---- */

struct request *request_new(void);
void http_input(struct conn *conn);
void http_abort(struct conn *conn);  /* the client went away in the middle of a post */
size_t process_pack(const uint8_t *lines, size_t length);  /* the number of events */

extern const char HTTP2_PREFACE[];
enum { HTTP2_PREFACE_LENGTH = 24 };
void http2_input(struct conn *conn);

extern unsigned accepted;  /* posts taken: the runs */

/* ---- encoder.c ---- */

void encoder_begin(void);
bool encoder_string(const void *text, size_t length);  /* false: the event is too long */
bool encoder_number(uint64_t number);
void encoder_commit(unsigned pairs);
size_t encoder_length(void);
void encoder_copy(uint8_t *to);
void encoder_reset(void);

/* ---- out.c ---- */

struct ticket;

const char *tag_intern(const char *name);
void out_open(int socket);
int out_socket(void);
bool out_idle(void);             /* everything is acknowledged */
bool out_has_unsent(void);
void out_answers(void);          /* reads what the destination says */
void out_flush(void);            /* sends what it takes */
struct ticket *out_reserve(const char *tag);  /* NULL when the queue is full */
void out_enqueue(struct ticket *ticket);      /* what the encoder holds */

#endif
