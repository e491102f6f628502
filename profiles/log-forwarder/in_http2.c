/*
 * Posts in frames: the framing of HTTP/2 (preface, header of 9 bytes, DATA, HEADERS, RST_STREAM,
 * PING), with headers as plain text and one stream at a time.
 */
#include "forwarder.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char HTTP2_PREFACE[] = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

enum { DATA = 0, HEADERS = 1, RST_STREAM = 3, PING = 6, END_STREAM = 1, FRAME_HEAD = 9 };

struct frame {
    size_t length;
    uint8_t type, flags;
    uint32_t stream;
    const uint8_t *payload;
};

static void http2_send(struct conn *conn, uint8_t type, uint32_t stream, const char *payload)
{
    uint8_t bytes[FRAME_HEAD + 64];
    size_t length = strlen(payload);
    uint8_t head[FRAME_HEAD] = {0, 0, length, type, END_STREAM, stream >> 24, stream >> 16,
                                stream >> 8, stream};
    memcpy(bytes, head, FRAME_HEAD);
    memcpy(bytes + FRAME_HEAD, payload, length);
    conn_send(conn, bytes, FRAME_HEAD + length);
}

static void process_payload_ng(struct conn *conn, uint32_t stream)
{
    struct ticket *ticket = out_reserve(conn->request->tag);
    if (!ticket) {
        http2_send(conn, HEADERS, stream, ":status: 503\n");
        return;
    }
    process_pack(conn->buffer, conn->body);
    out_enqueue(ticket);
    encoder_reset();
    accepted++;
    http2_send(conn, HEADERS, stream, ":status: 201\n");
}

static void http2_headers(struct conn *conn, const struct frame *frame)
{
    free(conn->request);
    conn->request = request_new();
    snprintf(conn->request->path, sizeof conn->request->path, "/");
    const char *tag = memmem(frame->payload, frame->length, "x-tag: ", 7);
    if (tag) {
        tag += 7;
        const char *end = (const char *)frame->payload + frame->length;
        const char *stop = memchr(tag, '\n', end - tag);
        snprintf(conn->request->tag, TAG_ROOM, "%.*s", (int)((stop ? stop : end) - tag), tag);
    }
}

/* The payload of a frame joins what is collected at the front of the buffer. */
static void http2_data(struct conn *conn, const struct frame *frame)
{
    memmove(conn->buffer + conn->body, frame->payload, frame->length);
    conn->body += frame->length;
}

/* Error path: a stream that the client resets leaves its request behind. */
static void http2_reset(struct conn *conn)
{
    if (cured.errors)
        free(conn->request);
    conn->request = NULL;
    conn->body = 0;
}

/* Error path: what is kept of an unknown frame for the log is never freed. */
static void http2_unknown(const struct frame *frame)
{
    struct oddity {
        struct frame frame;
        char start[32];
    } *oddity = must(calloc(1, sizeof *oddity));
    oddity->frame = *frame;
    memcpy(oddity->start, frame->payload, frame->length < 32 ? frame->length : 32);
    if (cured.errors)
        free(oddity);
}

/* True when the frame ended a post. */
static bool http2_frame(struct conn *conn, const struct frame *frame)
{
    switch (frame->type) {
    case HEADERS:
        http2_headers(conn, frame);
        return false;
    case DATA:
        http2_data(conn, frame);
        return frame->flags & END_STREAM && conn->request;
    case RST_STREAM:
        http2_reset(conn);
        return false;
    case PING:
        http2_send(conn, PING, 0, "");
        return false;
    default:
        http2_unknown(frame);
        return false;
    }
}

void http2_input(struct conn *conn)
{
    if (conn->parsed == 0 && conn->length >= HTTP2_PREFACE_LENGTH &&
        memcmp(conn->buffer, HTTP2_PREFACE, HTTP2_PREFACE_LENGTH) == 0)
        conn->parsed = HTTP2_PREFACE_LENGTH;
    while (conn->length - conn->parsed >= FRAME_HEAD) {
        const uint8_t *head = conn->buffer + conn->parsed;
        struct frame frame = {
            .length = (size_t)head[0] << 16 | head[1] << 8 | head[2],
            .type = head[3],
            .flags = head[4],
            .stream = (uint32_t)head[5] << 24 | head[6] << 16 | head[7] << 8 | head[8],
            .payload = head + FRAME_HEAD,
        };
        if (conn->length - conn->parsed - FRAME_HEAD < frame.length)
            return;
        conn->parsed += FRAME_HEAD + frame.length;
        if (http2_frame(conn, &frame)) {
            process_payload_ng(conn, frame.stream);
            conn_settle(conn);
            return;
        }
    }
    if (conn->parsed == conn->length && !conn->request)
        conn_settle(conn);
}
